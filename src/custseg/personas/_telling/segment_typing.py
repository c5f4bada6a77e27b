"""The estimator: the fewest questions that find a customer's segment, and a sheet of points to add up by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.asking import asked
from custseg._core.customers import CustomerTable
from custseg._core.params import Integer, OneOf, ParameterTable
from custseg._core.visible import visible
from custseg._core.warning import warn
from custseg._core.words import format_share, plain
from custseg.exceptions import InfeasibleError, InvalidParameterError, UnseenCategoryWarning
from custseg.personas._intervals import cross_fitted_interval
from custseg.personas._telling.answers import Question, ask
from custseg.personas._telling.labelled import LABELLED, N_FOLDS, Labelled, LabelledEstimator, drawn_from
from custseg.personas._telling.sheet import Sheet, choose_questions, make_sheet

__all__ = ["MOST_QUESTIONS", "SegmentTyping"]

MOST_QUESTIONS = 10
"""``n_questions="auto"`` looks at so many questions at most."""

# Questions are learned of so many customers; all are measured.
_MOST_LEARNED = 10_000


class SegmentTyping(LabelledEstimator):
    """Find the fewest questions that say to which segment a new customer belongs: a typing tool.

    Every column is a question with a few answers. For each number of questions the best ones are chosen, and every
    answer gets whole points for each segment. A customer belongs to the segment with the largest sum, which a person
    can add up on paper: :meth:`to_text` prints the sheet. Its accuracy is cross-validated: questions, answers and
    rounded points of four fifths of the customers are tried on the last fifth, five times.

    Parameters
    ----------
    n_questions : int or "auto", default="auto"
        How many questions are asked. ``"auto"`` takes the fewest, of up to 10, whose accuracy is within one standard
        error of the best (Breiman and others 1984).
    customer_id : str or None, default="customer_id"
        A column of ids, which is not asked for. Columns that look like ids are left out with a warning: text, or whole
        numbers in the first column of a frame other than pandas, different in every row. None leaves out none.
    segment : str, default="segment"
        The column of labels, with -1 or nothing for customers in no segment, who are left out.
    min_group_size : int, default=10
        Every answer is one that at least so many customers give; a level that fewer have is never named. A segment with
        fewer customers is not assigned, and its customers enter no figure.

    Attributes
    ----------
    questions_ : list of str
        The columns that are asked for, the most telling first.
    n_questions_ : int
        How many.
    accuracy_ : pandas.DataFrame
        One row for each number of questions: ``n_questions``, ``accuracy`` (of the rounded sheet, on customers of whom
        it was not made) from ``low`` to ``high``, ``questions`` (of that number, joined by commas), ``chosen``. The row
        of no question takes everyone for the largest segment.
    points_ : pandas.DataFrame
        The sheet: a row for each ``question`` and ``answer``, in it the points for each segment, a column by its name,
        the largest segment first. The first row is what every segment starts with.
    segment_names_ : list of str
        The names of all segments; position = label.
    left_out_ : dict of str to str
        The columns of which nothing is asked, and why: they are the same for everyone, not known of anyone, or numbers
        of 2**53 or more, as ids are.
    n_features_in_ : int
        Number of columns seen in ``fit``, the segment among them.
    feature_names_in_ : ndarray of str
        Their names, where ``X`` is a frame.

    See Also
    --------
    SegmentRules : Says in one rule who is in a segment.
    custseg.segmentation.SegmentClusterer : Its ``predict`` assigns new customers of whom all is known.

    Notes
    -----
    **Missing values** are no answer, and add no points: the sheet takes such a customer for an average one in this
    question. They are so in the measured accuracy too. Text that was not there in ``fit`` counts as any other level
    where these are an answer, else as none; a new level of an ordered category is none, with a warning.

    **Method.** Numbers are cut into up to six bands and ordered levels into up to six runs, where a classification tree
    on the column alone parts the segments best. Questions are chosen by naive Bayes: the next one puts most customers
    right, and makes their own segment probable; then all are exchanged as long as that is better, so that the best
    three need not be among the best four. The points are the coefficients of a logistic regression with a ridge penalty
    on the answers to the chosen questions, rounded in units of a twentieth of the largest. More than 10,000 customers
    are learned from by a sample of as many, drawn by what they hold, and all are measured. Of equal sums the larger
    segment holds.

    The interval, at 95%, is Wilson's, widened by how much the sheets of the five parts differ; on samples of 500 and
    800 customers it held what was true of 11,000 others in 92 of 100 cases. The best of several numbers is a little
    better than it will be, which the rule of one standard error takes into account.

    References
    ----------
    Breiman, Friedman, Olshen and Stone (1984), *Classification and Regression Trees*, section 3.4.3, for the rule of
    one standard error; Ustun and Rudin (2016), *Machine Learning* 102, for whole points that are added up by hand.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custseg.personas import SegmentTyping
    >>> customers = pd.DataFrame({"recency": np.arange(100), "town": ["Rome", "Oslo"] * 50})
    >>> labels = np.where(customers["recency"] > 60, "lapsed", "active")
    >>> typing = SegmentTyping().fit(customers, labels)
    >>> typing.questions_
    ['recency']
    >>> typing.predict(pd.DataFrame({"recency": [10, 90, None]}))
    array([0, 1, 0])
    """

    _parameters: ClassVar[ParameterTable] = {
        "n_questions": (Integer(1), OneOf("auto")),
        **LABELLED,
    }

    def __init__(
        self,
        n_questions: int | Literal["auto"] = "auto",
        *,
        customer_id: str | None = "customer_id",
        segment: str = "segment",
        min_group_size: int = 10,
    ) -> None:
        self.n_questions = n_questions
        self.customer_id = customer_id
        self.segment = segment
        self.min_group_size = min_group_size

    def fit(self, X: Any, y: Any = None) -> Self:
        """Choose the questions, make the sheet, and measure it on customers of whom it was not made.

        Parameters
        ----------
        X : Segmentation, DataFrame of shape (n_customers, n_columns), path, or numeric matrix
            A segmentation; or one row per customer, in original units. The labels are then its column ``segment``, or
            ``y``; a matrix needs ``y``, and its columns are called x0, x1, ...
        y : array-like or Series of shape (n_customers,), default=None
            The labels, where ``X`` has no column of them: whole numbers, text, bools or categories; -1, "not assigned"
            and missing values for customers in no segment. A pandas Series is aligned by customer id wherever both
            bear ids. The whole numbers 0..k-1 are segments by position; any other labels are names, in sorted order.

        Returns
        -------
        self : SegmentTyping
            The fitted estimator.

        Raises
        ------
        SegmentLabelError
            If the labels cannot be used, as for :class:`PersonaDescriber`.
        ColumnTypeError
            If a column is neither numbers, bools, text nor categories, such as a time.
        InvalidTableError
            If no column differs between customers.
        InvalidParameterError
            If ``n_questions`` is more than there are questions.
        InfeasibleError
            If fewer than two segments have ``min_group_size`` customers, or no column two answers that as many give.
        """
        self._check_parameters()
        given = self._labelled(X, y)
        learned = drawn_from(given.labels, _MOST_LEARNED)
        asked_for = _questions(given, learned, self.min_group_size)
        most = self._most(len(asked_for))
        codes, labels = _codes(given.table.take(learned), asked_for, range(len(asked_for))), given.labels[learned]
        sets = choose_questions(codes, labels, most)
        self.accuracy_ = _accuracy(given, *self._right(given, learned, most), sets, asked_for)
        self.n_questions_ = self._number(most, len(given.labels))
        self.accuracy_["chosen"] = self.accuracy_["n_questions"] == self.n_questions_
        self._sheet = make_sheet(sets[self.n_questions_ - 1], codes, labels, len(given.segments))
        self._questions = [asked_for[place] for place in self._sheet.questions]
        self.questions_ = [question.column for question in self._questions]
        self._segments = given.segments
        self.points_ = self._points()
        return self

    def _most(self, n_questions: int) -> int:
        """Return the largest number of questions that is looked at."""
        if not n_questions:
            raise InfeasibleError(
                f"{asked()}: no column has two answers that {self.min_group_size} customers give each "
                f"(min_group_size={self.min_group_size}). Pass more customers, or columns in which segments differ."
            )
        if self.n_questions == "auto":
            return min(MOST_QUESTIONS, n_questions)
        if self.n_questions > n_questions:
            words = f"at most {n_questions}, the number of columns that can be asked for"
            raise InvalidParameterError.not_allowed("n_questions", words, self.n_questions)
        return self.n_questions

    def _right(self, given: Labelled, learned: Bools, most: int) -> tuple[Floats, Floats]:
        """Say which customers each number of questions puts right, by a sheet that was made of the others.

        And how much the shares of these sheets, among all who are learned from, differ: their standard deviation.
        """
        right, shares = np.empty((most, len(given.labels))), np.empty((N_FOLDS, most))
        for fold in range(N_FOLDS):
            own = given.folds == fold
            questions = _questions(given, learned & ~own, self.min_group_size)
            sheets = _sheets(given, questions, learned & ~own, most)
            measured = own | learned
            table, labels = given.table.take(measured), given.labels[measured]
            for place in range(most):
                # a part may have fewer questions than all customers, even none: then the largest segment it is
                sheet = sheets[min(place, len(sheets) - 1)] if sheets else None
                sums = None if sheet is None else sheet.sums(_codes(table, questions, sheet.questions))
                is_right = labels == (0 if sums is None else sums.argmax(axis=1))
                right[place, own] = is_right[own[measured]]
                shares[fold, place] = is_right[learned[measured]].mean()
        return right, shares.std(axis=0, ddof=1)

    def _number(self, most: int, n_customers: int) -> int:
        """Return how many questions to ask: as told, or the fewest within one standard error of the best."""
        if self.n_questions != "auto":
            return most
        accuracy = self.accuracy_["accuracy"].to_numpy()[1:]
        best = accuracy.max()
        error = np.sqrt(best * (1 - best) / n_customers)
        return int(np.argmax(accuracy >= best - error)) + 1

    def predict(self, X: Any) -> Integers:
        """Assign customers to the segments with the most points.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_columns)
            The answers: of a table the columns in ``questions_`` must be there, and no other is looked at.

        Returns
        -------
        ndarray of shape (n_customers,)
            The labels.

        Raises
        ------
        ColumnNotFoundError
            If a column is missing that is asked for.
        ColumnChangeError
            If it is of another kind than in ``fit``.

        Warns
        -----
        UnseenCategoryWarning
            Levels of an ordered category that were not there in ``fit`` count as no answer.
        """
        return np.asarray(self._segments[self._sums(X).argmax(axis=1)])

    def predict_proba(self, X: Any) -> Floats:
        """Return how probable each segment is, as the points say.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_columns)
            As in :meth:`predict`.

        Returns
        -------
        ndarray of shape (n_customers, n_segments)
            Column = label; 0 for segments that are too small to be assigned.

        Raises
        ------
        ColumnNotFoundError
            If a column is missing that is asked for.
        ColumnChangeError
            If it is of another kind than in ``fit``.
        """
        sums = self._sums(X)
        shares = np.zeros((len(sums), len(self.segment_names_)))
        shares[:, self._segments] = self._sheet.shares(sums)
        return shares

    def _sums(self, X: Any) -> Integers:
        check_is_fitted(self)
        table = self._by_columns(X, self.questions_)
        unseen = {question.column: question.unseen(table[question.column]) for question in self._questions}
        if any(unseen.values()):
            warn(UnseenCategoryWarning.of(unseen))
        return self._sheet.sums([question.codes(table[question.column]) for question in self._questions])

    def _points(self) -> pd.DataFrame:
        """Lay out the sheet as a table."""
        rows = [("", "start")]
        for question in self._questions:
            rows += [(question.column, answer) for answer in question.answers]
        names = [self.segment_names_[label] for label in self._segments]
        index = pd.MultiIndex.from_tuples(rows, names=["question", "answer"])
        return pd.DataFrame(np.vstack([self._sheet.start, *self._sheet.points]), index=index, columns=names)

    def to_frame(self) -> pd.DataFrame:
        """Return the sheet, one row for each answer.

        Returns
        -------
        pandas.DataFrame
            ``points_``.
        """
        check_is_fitted(self)
        return self.points_

    def to_text(self) -> str:
        """Print the sheet by which a person finds the segment of a customer, with pencil and paper.

        Returns
        -------
        str
            What to do, how often it is right, and a table of points.
        """
        check_is_fitted(self)
        row = self.accuracy_.loc[self.accuracy_["chosen"]].iloc[0]
        names = [plain(self.segment_names_[label]) for label in self._segments]
        lines: list[tuple[str, Integers | None]] = [("Start", self._sheet.start)]
        for number, (question, points) in enumerate(zip(self._questions, self._sheet.points, strict=True), 1):
            lines.append((f"{number}. {plain(question.column)}", None))
            lines += [(f"   {plain(answer)}", own) for answer, own in zip(question.answers, points, strict=True)]
        width = max(len(text) for text, _ in lines)
        columns = [max(len(name), 3) for name in names]
        table = [" " * width + "".join(f"  {name:>{size}}" for name, size in zip(names, columns, strict=True))]
        for text, own in lines:
            cells = [] if own is None else [f"  {value:>{size}}" for value, size in zip(own, columns, strict=True)]
            table.append((text.ljust(width) + "".join(cells)).rstrip())
        accuracy, low, high = (format_share(row[name]) for name in ("accuracy", "low", "high"))
        told = f"Right for {accuracy} of customers ({low} to {high}), as tried on others than those it was made of."
        rule = (
            "Begin with the points at the start, add those of each answer (none where there is no answer), and take "
            "the segment with the most; of equal sums the one named first."
        )
        return visible("\n".join([rule, told, "", *table]), keep="\n")


def _questions(given: Labelled, rows: Bools, least: int) -> list[Question]:
    """Return the questions that the columns make, as the customers in ``rows`` say."""
    table, labels = given.table.take(rows), given.labels[rows]
    return [question for column in table.columns if (question := ask(column, labels, least)) is not None]


def _codes(table: CustomerTable, questions: Sequence[Question], places: Sequence[int]) -> list[Integers]:
    return [questions[place].codes(table[questions[place].column]) for place in places]


def _sheets(given: Labelled, questions: Sequence[Question], rows: Bools, most: int) -> list[Sheet]:
    """Make the best sheet of each number of questions, of the customers in ``rows``; none of a single segment."""
    labels = given.labels[rows]
    if len(np.unique(labels)) < 2:
        return []
    codes = _codes(given.table.take(rows), questions, range(len(questions)))
    sets = choose_questions(codes, labels, most)
    return [make_sheet(chosen, codes, labels, len(given.segments)) for chosen in sets]


def _accuracy(
    given: Labelled, right: Floats, spread: Floats, sets: Sequence[Sequence[int]], questions: Sequence[Question]
) -> pd.DataFrame:
    """Tell how many customers each number of questions puts right."""
    n_customers = len(given.labels)
    shares = np.array([np.mean(given.labels == 0), *right.mean(axis=1)])
    low, high = cross_fitted_interval(shares, n_customers, [0.0, *spread])
    names = [", ".join(questions[place].column for place in chosen) for chosen in sets]
    frame = {"n_questions": range(len(shares)), "accuracy": shares, "low": low, "high": high}
    return pd.DataFrame(frame | {"questions": pd.array(["", *names], dtype="str")})
