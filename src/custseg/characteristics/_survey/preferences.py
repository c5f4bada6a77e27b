"""What customers prefer: rankings and best-worst choices, as one score per option."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from custseg._core.arrays import Floats
from custseg._core.asking import asked
from custseg._core.characteristic import Characteristic, in_words, number
from custseg._core.customers import Column
from custseg._core.described import OVERRIDES, ByColumn
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import COLUMN, NONE, Integer, OneOf, ParameterTable, Where
from custseg._core.warning import warn
from custseg.characteristics._profiles.columns import (
    Texts,
    are_names,
    commonest_spellings,
    option_key,
    read_numbers,
    read_texts,
)
from custseg.characteristics._profiles.encoder import Encoded, Profile, ProfileEncoder
from custseg.characteristics._row_report import RowPolicy
from custseg.characteristics._survey.best_worst import scores_of
from custseg.characteristics._survey.rankings import (
    ABOVE,
    TIED,
    Ranks,
    centred_scores,
    complete_ranks,
    parse_order,
    ranks_of_orders,
)
from custseg.exceptions import InvalidParameterError, InvalidTableError

_WHOLE_SCORE = "score -1 to 1, rows sum to 0"
_SCORE = "score -1 to 1"
# Sums of a few scores are off by less than this.
_ROUNDING = 1e-9
# What stands between the options of a list, where ">" does not.
_LISTS = (";", ",", "|", "/", "<", "\n")


def _are_texts(value: Any) -> bool:
    return are_names(value, at_least=2)


def _is_ranks(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(option, str) for option in value) and _are_texts(list(value.values()))
    return _are_texts(value)


def _is_best_worst(value: Any) -> bool:
    if not isinstance(value, Mapping) or len(value) < 2 or not all(isinstance(option, str) for option in value):
        return False
    if not all(isinstance(columns, (list, tuple)) and len(columns) in (2, 3) for columns in value.values()):
        return False
    names = [name for columns in value.values() for name in columns]
    return len({len(columns) for columns in value.values()}) == 1 and _are_texts(names)


class PreferenceEncoder(ProfileEncoder):
    """What each customer prefers: one score per option, from rankings or best-worst choices.

    One row per customer goes in and comes out, sorted by customer id. The preferences come in one
    of three ways, each by its own parameter:

    - ``ranks``: one column of ranks per option, 1 the best;
    - ``ranking``: one column of text, such as ``"comfort > price = safety"``;
    - ``best_worst``: counts of how often each option was chosen as best and as worst among those
      shown.

    All scores run from -1 (always last, always worst) to 1, and 0 is the middle.

    Parameters
    ----------
    customer_id : str or None, default="customer_id"
        The column of customer ids: whole numbers or text, each once. None where each row is a customer: its
        number is the index of a pandas table, else its place from 0.
    ranks : sequence of str, dict of str to str, or None, default=None
        The columns of ranks, called like the options, or ``{option: column}``. All options that
        were ranked must be there.
    ranking : str or None, default=None
        The column of text with the options from the best to the worst, ``>`` between two and ``=``
        between equally good ones.
    best_worst : dict of str to (str, str) or (str, str, str), or None, default=None
        ``{option: (column of best counts, column of worst counts)}``, or with the column of how
        often the option was shown as the third. :func:`best_worst_counts` makes these columns
        from a table of choice sets.
    options : sequence of str or None, default=None
        For ``ranking``: all options; None takes those that ``fit`` finds.
    times_shown : int or None, default=None
        For ``best_worst`` with two columns: how often each option was shown to each customer.
    leave_out : str or None, default=None
        An option that gets no column.
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.
    ties : {"raise", "mean"}, default="raise"
        For ``ranks``: whether a rank may be given twice. With ``"mean"`` only the order of the ranks
        counts, and equal ones share the mean of the places that they take.

    Attributes
    ----------
    options_ : list of str
        The options, the one that is left out among them.
    row_sum_ : float
        What the scores of a customer sum to over all options: 0, which makes them *ipsative*; NaN
        where options were not shown equally often, so that the sums in ``fit`` differ.
    redundant_ : str or None
        The column that the others determine (minus their sum), the last one by convention; None
        where an option is left out, or the sums differ.
    row_report_ : RowReport
        How many rows each policy touched in ``fit``: no ranking, partial ones, ranks left out in
        between, ties.
    units_ : dict of str to str
        The unit of each characteristic.
    n_features_in_ : int
        The number of columns read.
    feature_names_in_ : ndarray of str
        Their names, without the customer id.

    Raises
    ------
    ColumnNotFoundError
        A named column is not in the table.
    ColumnTypeError
        A column of ranks or counts does not hold numbers, or the column of rankings no text.
    CustomerIdError
        An id is repeated, or the ids are of mixed type.
    InvalidParameterError
        A parameter is out of range, not exactly one of ``ranks``, ``ranking`` and ``best_worst`` is
        given, or ``leave_out`` is no option.
    InvalidTableError
        In ``fit`` as in ``transform``: a rank is out of range or given twice, an option is unknown
        or named twice, counts are negative, fractions, or higher than the option was shown; with
        the column, the number of rows and the remedy. The table has no rows, or fewer than two options.

    Warns
    -----
    DataQualityWarning
        In ``fit``: no text of ``ranking`` holds ``>``, though many hold a comma or the like. In
        ``transform``: rows without an id are left out, with their number.

    Notes
    -----
    *Rankings* of m options: the score is (m + 1 - 2 rank) / (m - 1), the Borda count [1]_ moved and
    scaled. In a partial ranking the options that were not ranked share the mean of the ranks that
    are left, so every row has the same sum. In a text spaces and case do not count, options that
    it does not name are not ranked, and empty places are passed over.

    *Best-worst*: the score is (best - worst) / shown [2]_, NaN for an option that was never shown. Customers
    with more best than worst choices, or fewer, are kept and counted.

    *Ipsative scores*: a customer who likes everything and one who likes nothing may have the same
    scores: they say what is preferred to what, not how much is liked. Correlations between them
    are negative on average (-1 / (m - 1)), their covariance matrix is singular. Distances are not
    harmed, and all columns should stay for clustering by distance, where leaving one out would
    favour the others. Pass ``leave_out`` for models that invert a covariance matrix
    (regression, mixtures with full covariance, factor analysis).

    *Missing values*: a customer who ranked nothing has no scores; one missing count leaves the
    score of that option missing.

    References
    ----------
    .. [1] Borda, J.-C. de (1781). Mémoire sur les élections au scrutin. *Histoire de l'Académie
       royale des sciences*.
    .. [2] Finn, A. & Louviere, J. J. (1992). Determining the appropriate response to evidence of
       public concern: The case of food safety. *Journal of Public Policy & Marketing* 11(2), 12-25.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import PreferenceEncoder
    >>> survey = pd.DataFrame({
    ...     "customer_id": [1, 2],
    ...     "values": ["comfort > price > safety", "safety"],
    ... })
    >>> encoder = PreferenceEncoder(ranking="values")
    >>> encoder.fit_transform(survey)
                 comfort  price  safety
    customer_id
    1                1.0    0.0    -1.0
    2               -0.5   -0.5     1.0
    >>> encoder.row_sum_, encoder.redundant_
    (0.0, 'safety')
    """

    criterion: ClassVar[str] = "psychographic"

    _parameters: ClassVar[ParameterTable] = {
        "customer_id": ID_OR_ROWS,
        "ranks": (
            NONE,
            Where(_is_ranks, "a list of at least two different column names, or a dict of option to column"),
        ),
        "ranking": (NONE, COLUMN),
        "best_worst": (
            NONE,
            Where(
                _is_best_worst, "a dict of at least two options to (best, worst) or (best, worst, shown), all columns"
            ),
        ),
        "options": (NONE, Where(_are_texts, "a list of at least two different options")),
        "times_shown": (NONE, Integer(low=1)),
        "ties": (OneOf("raise", "mean"),),
        "leave_out": (NONE, Where(lambda value: isinstance(value, str), "the name of an option")),
        **OVERRIDES,
    }

    options_: list[str]
    row_sum_: float
    redundant_: str | None
    _by_key: dict[str, str]

    def __init__(
        self,
        *,
        customer_id: str | None = "customer_id",
        ranks: Sequence[str] | Mapping[str, str] | None = None,
        ranking: str | None = None,
        best_worst: Mapping[str, Sequence[str]] | None = None,
        options: Sequence[str] | None = None,
        times_shown: int | None = None,
        leave_out: str | None = None,
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
        ties: str = "raise",
    ) -> None:
        self.customer_id = customer_id
        self.ranks = ranks
        self.ranking = ranking
        self.best_worst = best_worst
        self.options = options
        self.times_shown = times_shown
        self.leave_out = leave_out
        self.labels = labels
        self.units = units
        self.roles = roles
        self.ties = ties

    def _check(self) -> None:
        self._check_parameters()
        given = [name for name in ("ranks", "ranking", "best_worst") if getattr(self, name) is not None]
        if len(given) != 1:
            raise InvalidParameterError(
                f"{asked()} needs exactly one of the parameters ranks, ranking and best_worst, got "
                f"{' and '.join(given) or 'none'}. Use one encoder for each question."
            )
        for name, goes_with in (("options", "ranking"), ("times_shown", "best_worst")):
            if getattr(self, name) is not None and given != [goes_with]:
                raise InvalidParameterError(f"{asked()}: parameter {name!r} goes with {goes_with!r}. Drop it.")
        if self.best_worst is not None:
            n_columns = len(next(iter(self.best_worst.values())))
            if (self.times_shown is None) == (n_columns == 2):
                raise InvalidParameterError(
                    f"{asked()}: say once how often each option was shown: times_shown=... where best_worst names two "
                    "columns per option, or else the third column."
                )
        if self.customer_id in self._wanted():
            words = "a column that is not read as preferences"
            raise InvalidParameterError.not_allowed("customer_id", words, self.customer_id)

    def _wanted(self) -> list[str]:
        if self.ranking is not None:
            return [self.ranking]
        if self.best_worst is not None:
            return [name for columns in self.best_worst.values() for name in columns]
        return list(self._rank_columns().values())

    def _rank_columns(self) -> Mapping[str, str]:
        ranks = self.ranks or ()
        return ranks if isinstance(ranks, Mapping) else {name: name for name in ranks}

    def _characteristics(self) -> Sequence[Characteristic]:
        return self._of_options(self.options_, _SCORE if self.redundant_ is None else _WHOLE_SCORE)

    def _expected(self) -> Sequence[Characteristic]:
        # the options of texts are learned, unless they are declared; whether rows sum to 0 is seen in the data
        is_known = self.ranking is None or self.options is not None
        names = self.options if self.ranking is not None else self._rank_columns() or self.best_worst
        return self._of_options(names or (), "") if is_known else ()

    def _of_options(self, options: Iterable[str], unit: str) -> list[Characteristic]:
        kept = (option for option in options if option != self.leave_out)
        return [number(option, f"preference for {in_words(option)}", unit, "need") for option in kept]

    def _learn(self, profile: Profile) -> None:
        self._by_key = self._learned_options(profile)
        self.options_ = list(self._by_key.values())
        if len(self.options_) < 2:
            raise InvalidTableError(
                f"{asked()}: a preference needs at least two options, column {self.ranking!r} names "
                f"{len(self.options_)}. Check that '>' stands between the options, or pass options=[...]."
            )
        self._remark_on_order(profile)
        if self.leave_out is not None and self.leave_out not in self.options_:
            raise InvalidParameterError.unknown_name("option in leave_out", self.leave_out, self.options_)
        if self._id_name in self.options_:
            raise InvalidTableError(
                f"{asked()}: the option {self._id_name!r} is called like the customer id. Rename one."
            )
        sums = self._scores(profile)[0].sum(axis=1)
        is_constant = bool((np.abs(sums[~np.isnan(sums)]) < _ROUNDING).all())
        self.row_sum_ = 0.0 if is_constant else float("nan")
        self.redundant_ = self.options_[-1] if is_constant and self.leave_out is None else None

    def _remark_on_order(self, profile: Profile) -> None:
        """Warn where each text would be one option, though it looks like a list of several."""
        if self.ranking is None:
            return
        texts = self._texts(profile)
        n_answers = int(texts.counts.sum())
        if any(sign in text for text in texts.levels for sign in (ABOVE, TIED)):
            return
        for other in _LISTS:
            n_with = sum(int(n) for text, n in zip(texts.levels, texts.counts, strict=True) if other in text)
            if 2 * n_with >= n_answers > 0:
                remark = (
                    f"no ranking in column {self.ranking!r} holds {ABOVE!r}, {n_with:,} of {n_answers:,} hold "
                    f"{other!r}. If that separates the options, replace it: column.str.replace({other!r}, {ABOVE!r})."
                )
                warn(remark)
                return

    def _learned_options(self, profile: Profile) -> dict[str, str]:
        """Return the options: what their spellings share -> the name."""
        if self.ranking is None:
            names = self._rank_columns() if self.best_worst is None else self.best_worst
            return {name: name for name in names}
        if self.options is not None:
            declared = {option_key(option): option for option in self.options}
            if len(declared) < len(self.options):
                words = "options that differ in more than case and spaces"
                raise InvalidParameterError.not_allowed("options", words, self.options)
            return declared
        texts = self._texts(profile)
        counts: dict[str, int] = {}
        for text, n_customers in zip(texts.levels, texts.counts, strict=True):
            for name in {name.strip() for group in parse_order(text) for name in group}:
                counts[name] = counts.get(name, 0) + int(n_customers)
        spellings = commonest_spellings(counts)
        return {key: spellings[key] for key in sorted(spellings)}

    def _encode(self, profile: Profile) -> Encoded:
        scores, policies = self._scores(profile)
        columns = tuple(
            Column(option, "numeric", scores[:, position])
            for position, option in enumerate(self.options_)
            if option != self.leave_out
        )
        return Encoded(columns, policies)

    def _scores(self, profile: Profile) -> tuple[Floats, tuple[RowPolicy, ...]]:
        if self.best_worst is not None:
            scores, n_uneven = self._best_worst_scores(profile)
            some = np.isnan(scores).any(axis=1) & ~np.isnan(scores).all(axis=1)
            remedy = "Put 0 where missing means never chosen."
            partial = RowPolicy(
                "an option without counts, or not shown", "kept: its score is missing", int(some.sum()), remedy
            )
            remedy = "Leave out the sets that were answered in half."
            uneven = RowPolicy("not as many best as worst choices", "kept", n_uneven, remedy)
            return scores, (_nothing(scores), partial, uneven)
        ranks = self._ranks(profile)
        scores = centred_scores(ranks.ranks)
        return scores, (_nothing(scores), *_rank_policies(ranks))

    def _ranks(self, profile: Profile) -> Ranks:
        if self.ranking is not None:
            return ranks_of_orders(self._texts(profile), self._by_key, column=self.ranking)
        names = list(self._rank_columns().values())
        return complete_ranks(self._numbers(profile, names), names, ties=self.ties)

    def _best_worst_scores(self, profile: Profile) -> tuple[Floats, int]:
        """Return the scores, and for how many customers best and worst choices differ in number."""
        columns = dict(
            zip(("best", "worst", "shown"), zip(*(self.best_worst or {}).values(), strict=True), strict=False)
        )
        counts = {what: self._numbers(profile, names) for what, names in columns.items()}
        if self.times_shown is not None:
            counts["shown"] = np.full(counts["best"].shape, float(self.times_shown))
            columns["shown"] = columns["best"]
        names: Mapping[str, Sequence[str]] = columns
        scores = scores_of(counts["best"], counts["worst"], counts["shown"], names)
        # a comparison with NaN is false either way, so that missing counts are not uneven
        difference = np.abs(counts["best"].sum(axis=1) - counts["worst"].sum(axis=1))
        return scores, int((difference > 0).sum())

    def _numbers(self, profile: Profile, names: Sequence[str]) -> Floats:
        expected = "ranks" if self.best_worst is None else "counts"
        remedy = "Convert it, for example with pandas.to_numeric."
        read = [read_numbers(profile.rows[name], expected=f"numbers ({expected})", remedy=remedy) for name in names]
        return np.column_stack(read)

    def _texts(self, profile: Profile) -> Texts:
        remedy = "Write each ranking like 'comfort > price', or pass columns of ranks as ranks=[...]."
        return read_texts(profile.rows[str(self.ranking)], numbers=False, remedy=remedy)


def _nothing(scores: Floats) -> RowPolicy:
    n_rows = int(np.isnan(scores).all(axis=1).sum())
    return RowPolicy("no preference given", "kept: scores are missing", n_rows, "Nothing, if it was not answered.")


def _rank_policies(ranks: Ranks) -> tuple[RowPolicy, ...]:
    shared = "kept: the others share the mean of the ranks left"
    return (
        RowPolicy("some options are not ranked", shared, ranks.n_partial, "Nothing, if a few were asked for."),
        RowPolicy("a rank is left out in between", "kept", ranks.n_gaps, "Fill in the option that had it."),
        RowPolicy("two options of one rank", "kept: they share the mean of their places", ranks.n_tied, "Nothing."),
    )
