"""The estimator of the stage: labelled customers in, personas out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from custseg._core.arrays import Integers
from custseg._core.asking import asked
from custseg._core.base import Estimator
from custseg._core.characteristic import Characteristic, as_told, check_columns
from custseg._core.customers import CustomerTable, CustomerTableMixin
from custseg._core.described import OVERRIDES
from custseg._core.disclosure import described
from custseg._core.frames import is_table
from custseg._core.own_words import NAMES
from custseg._core.params import COLUMN, NONE, Integer, ParameterTable
from custseg._core.segments import NOT_ASSIGNED, NOT_ASSIGNED_WORDS, known_segments
from custseg._core.visible import visible
from custseg._core.words import humanise, plain
from custseg.exceptions import InvalidParameterError, InvalidTableError, SegmentLabelError
from custseg.personas._card.cards import Cards
from custseg.personas._labels import find_id, labels_of
from custseg.personas._naming import name_personas, own_names, seen_names
from custseg.personas._phrases import Words
from custseg.personas._profile import Profile, empty_profile, profile_customers
from custseg.personas._render import to_html, to_markdown
from custseg.personas._traits import Persona
from custseg.segmentation import Segmentation


class PersonaDescriber(CustomerTableMixin, Estimator):
    """Describe each segment as a persona: what sets it apart from everyone else, in original units.

    Every characteristic is compared, those that formed the segments and those that did not. Traits
    are ranked by effect size: Hedges g of the values (numeric), of the mid-ranks (ordered
    categories), or of having a level (bools and other categories, whose strongest level counts). A
    trait must pass two filters, which never rank: a p-value of at most .05, adjusted over all tests
    of the fit, and an effect of at least .2.

    Parameters
    ----------
    customer_id : str or None, default="customer_id"
        A column of ids, which is not described. Columns that look like ids are left out with a
        warning: text, or whole numbers in the first column of a frame other than pandas, different
        in every row. None describes every column.
    segment : str, default="segment"
        The column of labels, with -1 or nothing for customers in no segment, who are counted and left out.
    names : sequence of str, mapping of int or str to str, or None, default=None
        What you call the segments: a name for each, or of some of them by number or by the name that they would have.
        They may be of any length; no two may be alike.
    labels : mapping of str to str or None, default=None
        What you call columns, in place of what their maker calls them.
    n_traits : int, default=5
        The most traits that come first; what says the same thing counts once.
    min_group_size : int, default=10
        A segment with fewer customers is suppressed: a persona with a size band, without traits and
        typical customer. Its customers enter no other figure either, so that none can be turned
        back into theirs. No mean, median or share rests on fewer known values, here or elsewhere; a
        high share rests on at least as many customers who have the level; a level that fewer have is
        never named.

    Attributes
    ----------
    personas_ : list of Persona
        One for each segment; position = label.
    segment_names_ : list of str
        Their names; position = label.
    profile_ : pandas.DataFrame
        One row per segment, characteristic and level, for segments that are not suppressed. Columns:
        ``segment, characteristic, level, kind, statistic, segment_value, rest_value,
        segment_category, rest_category, effect_size, v_test, p_value, p_adjusted, lift,
        difference_pp, marker, eta2, missing_share, missing_share_rest, clustered_on``. The values
        are means, medians (skewed numbers; position of the level for ordered categories, whose names
        are in the columns ``_category``) or shares, as ``statistic`` says. NaN where too few
        customers stand behind a figure, or nothing can be compared.
    column_labels_ : dict of str to str
        What each column is called in texts: in the words of the estimator that made it, else by its name. No two
        are alike.
    n_not_assigned_ : int
        Customers labelled -1.
    rare_levels_ : dict of str to int
        For each nominal characteristic, how many levels were not named since fewer than
        ``min_group_size`` customers have them.
    n_features_in_ : int
        Number of columns seen in ``fit``, the segment among them.
    feature_names_in_ : ndarray of str
        Their names, where ``X`` is a frame.

    See Also
    --------
    custseg.segmentation.SegmentClusterer : Its ``transform`` appends the column of labels.

    Notes
    -----
    Missing values: every figure is over the known values; ``missing_share`` says how many are not. What is known of
    less than 80% of the customers says so; what is known of less than half names no segment, is not among its first
    two traits, and is not typical.
    "Elsewhere" is everyone in another segment that is not suppressed. p-values of columns that formed
    the segments are circular, and marked. Not meant for finding out about single customers.

    Characteristics that rank the customers alike are one trait with the strongest figure, whose ``also`` names the
    others: Spearman's correlation of at least .8, either way, over the customers of whom both are known (of more than
    5,000 customers, over so many of them).

    A skewed number is shown by its median where the medians differ as the means do. Ordered
    categories with the same median here and elsewhere are shown by the share from one level upwards.

    References
    ----------
    Lebart, Morineau and Piron (1995), *Statistique exploratoire multidimensionnelle*, for the tests;
    Hedges (1981), *Journal of Educational Statistics* 6(2), for the effect size.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.personas import PersonaDescriber
    >>> customers = pd.DataFrame({
    ...     "recency": [3, 5, 4, 6] * 5 + [80, 95, 90, 85] * 5,
    ...     "segment": [0] * 20 + [1] * 20,
    ... })
    >>> describer = PersonaDescriber().fit(customers)
    >>> describer.segment_names_
    ['Recent', 'Lapsed']
    >>> describer.personas_[0].traits[0].text
    'recency: 4.5 on average, against 87.5 elsewhere'
    >>> describer.predict(customers[:2])
    array(['Recent', 'Recent'], dtype=object)
    """

    _parameters: ClassVar[ParameterTable] = {
        "segment": (COLUMN,),
        "n_traits": (Integer(1),),
        "min_group_size": (Integer(1),),
        "customer_id": (NONE, COLUMN),
        **NAMES,
        "labels": OVERRIDES["labels"],
    }

    def __init__(
        self,
        *,
        customer_id: str | None = "customer_id",
        segment: str = "segment",
        names: Sequence[str] | Mapping[int | str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        n_traits: int = 5,
        min_group_size: int = 10,
    ) -> None:
        self.customer_id = customer_id
        self.segment = segment
        self.names = names
        self.labels = labels
        self.n_traits = n_traits
        self.min_group_size = min_group_size

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        clustered_on: Collection[str] | None = None,
        names: Sequence[str] | None = None,
        characteristics: Any = None,
    ) -> Self:
        """Compare the segments and describe each.

        Parameters
        ----------
        X : Segmentation, DataFrame of shape (n_customers, n_columns), path, or numeric matrix
            A segmentation; or one row per customer, in original units. The labels are then its column
            ``segment``, or ``y``; a matrix needs ``y``, and its columns are called x0, x1, ...
        y : array-like or Series of shape (n_customers,), default=None
            The labels, where ``X`` has no column of them: whole numbers, text, bools or categories; -1, "not assigned"
            and missing values for customers in no segment. A pandas Series is aligned by customer id wherever both
            bear ids. The whole numbers 0..k-1 are segments by position; any other labels are names, in sorted order.
        clustered_on : collection of str, default=None
            The columns that formed the segments. None is the cautious reading: all of them. A segmentation knows.
        names : sequence of str, default=None
            The names of the segments; position = label. For segments that have names already, such as
            those defined by rules: personas bear them instead of names made of their traits, and a
            segment may be empty. A segmentation knows.
        characteristics : DataFrame, default=None
            What the columns are, as ``describe()`` of the estimator that made them says it: labels, and roles
            such as recency, for the words. A segmentation knows.

        Returns
        -------
        self : PersonaDescriber
            The fitted describer.

        Raises
        ------
        ColumnNotFoundError
            If there are no labels, neither in ``X`` nor in ``y``.
        SegmentLabelError
            If there are two sets of labels, if they are neither whole numbers nor text, or not as many as rows, or
            a label has no name.
        CustomerIdError
            If labels with an index of their own cannot be aligned: an id is missing or there twice.
        InvalidTableError
            If the table has no characteristic besides the labels.
        InvalidParameterError
            If ``clustered_on`` or ``labels`` names a column that is not in the table, ``names`` a segment that there is
            not, or two segments bear one name.
        """
        self._fit(X, y, clustered_on=clustered_on, names=names, characteristics=characteristics)
        return self

    def _fit(
        self,
        X: Any,
        y: Any = None,
        *,
        beside: Integers | None = None,
        carried: Mapping[int, str] | None = None,
        **said: Any,
    ) -> Integers:
        """Describe; return the labels of those of whom the figures tell. Names that are carried on stay.

        Of customers whom the labels ``beside``, of figures told beside these, leave out no figure tells here either.
        """
        self._check_parameters()
        found = self._segmentation(X, y, **said)
        table = found.customer_table
        if found is not X:
            table = find_id(table, self.customer_id, first_too=table.ids is None and is_table(X))
        if not table.columns:
            raise InvalidTableError(
                f"{asked()}: the table has no characteristic besides the segment {self.segment!r}. "
                "Pass the customers with at least one column to describe them by."
            )
        self._columns = _columns(table.names, found.characteristics, self.labels or {})
        self.column_labels_ = {each.column: each.label for each in self._columns}
        # labels that are no positions stay what the segments are known by
        self._levels = None if found is X or said.get("names") is not None else found.names
        told = described(found.labels, found.n_segments, self.min_group_size, table)
        if beside is not None:
            told = np.where(beside >= 0, told, NOT_ASSIGNED)
        self._describe(table, found, told, beside, carried or {})
        return told

    def _segmentation(self, X: Any, y: Any, **said: Any) -> Segmentation:
        """Take the segmentation, or make one of a table and its labels."""
        if not isinstance(X, Segmentation):
            table = self._read(X, fitting=True, customer_id=self.customer_id)
            options: dict[str, Any] = {"segment": self.segment, "customer_id": self.customer_id, **said}
            return Segmentation._of_table(table, X, y, **options)  # noqa: SLF001 - `of`, of a table that is read
        for name, given in {"y": y, **said}.items():
            if given is not None:
                raise InvalidParameterError.not_allowed(name, "None, since the segmentation says it", given)
        self._read(X.customer_table, fitting=True)
        return X

    def _describe(
        self,
        table: CustomerTable,
        found: Segmentation,
        told: Integers,
        beside: Integers | None,
        carried: Mapping[int, str],
    ) -> None:
        sizes, sizes_told = found.sizes, np.bincount(told[told >= 0], minlength=found.n_segments)
        if not sizes.any():
            raise SegmentLabelError.none_assigned(found.n_customers)
        self.n_not_assigned_ = found.n_not_assigned
        shown = np.flatnonzero(sizes_told)
        profile = self._profile(table, told, shown, found.clustered_on, beside)
        cards = Cards.of(
            profile,
            {each.column: each for each in self._columns},
            Words.of(table.names, found.characteristics, self.labels),
            found.clustered_on,
            n_traits=self.n_traits,
            min_group_size=self.min_group_size,
            tells_counts=beside is None,
        )
        self.profile_ = profile.frame.assign(segment=shown[profile.frame["segment"]])
        self.rare_levels_ = profile.rare_levels
        places = {int(segment): place for place, segment in enumerate(shown)}
        names = self._named(cards, places, found, carried)
        self.segment_names_ = list(names.values())
        self.personas_ = []
        # the names that were given stay exact, in segment_names_; a persona is text
        for segment, name in seen_names(names).items():
            if segment not in places:
                self.personas_.append(self._of_few(int(sizes[segment]), segment, name))
                continue
            n_customers = int(sizes_told[segment])
            share = float(n_customers / sizes_told.sum())
            self.personas_.append(
                cards.persona(places[segment], segment=segment, name=name, n_customers=n_customers, share=share)
            )

    def _named(
        self, cards: Cards, places: Mapping[int, int], found: Segmentation, carried: Mapping[int, str]
    ) -> dict[int, str]:
        """Name the segments: as they are called already, else by their traits; the user's own names above either."""
        names = dict(enumerate(found.names or ()))
        if not names:
            telling = {segment: cards.naming.get(place, []) for segment, place in places.items()}
            small = [segment for segment in range(found.n_segments) if segment not in places]
            names = name_personas(telling, small, cards.words, carried)
        return own_names(names, self.names)

    def _of_few(self, n_customers: int, segment: int, name: str) -> Persona:
        if not n_customers:
            return Persona.of_nobody(segment=segment, name=name)
        least = self.min_group_size if n_customers < self.min_group_size else None
        return Persona.of_too_few(segment=segment, name=name, min_group_size=least)

    def _profile(
        self,
        table: CustomerTable,
        labels: npt.NDArray[np.int64],
        shown: npt.NDArray[np.int64],
        clustered_on: Collection[str],
        beside: Integers | None,
    ) -> Profile:
        """Profile the segments that are shown, and nobody else."""
        if not len(shown):
            return empty_profile()
        inside = np.isin(labels, shown)
        return profile_customers(
            table if inside.all() else table.take(inside),
            np.searchsorted(shown, labels[inside]).astype(np.int64),
            len(shown),
            min_group_size=self.min_group_size,
            clustered_on=clustered_on,
            beside=None if beside is None else beside[inside],
        )

    def _telling(self, segmentation: Segmentation) -> Segmentation:
        """Let a segmentation call segments and columns as the personas do."""
        own = {each.column: each for each in self._columns if each.column in (self.labels or {})}
        known = tuple(own.pop(each.column, each) for each in segmentation.characteristics)
        return replace(segmentation.named(self.segment_names_), characteristics=(*known, *own.values()))

    def predict(self, X: Any) -> npt.NDArray[np.object_]:
        """Return the name of each customer's persona.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers,)
            A customer table with the column ``segment`` (no other column is looked at), or the labels: those of
            ``fit``, or names of segments.

        Returns
        -------
        ndarray of shape (n_customers,), of str
            The names; "not assigned" for -1.

        Raises
        ------
        ColumnNotFoundError
            If the table has no column ``segment``.
        SegmentLabelError
            If a label was not seen in ``fit``.
        """
        check_is_fitted(self)
        names = self.segment_names_ if self._levels is None else self._levels
        labels = known_segments(labels_of(X, self.segment), names, by_position=self._levels is None)
        return np.array([*self.segment_names_, NOT_ASSIGNED_WORDS], dtype=object)[labels]

    def to_frame(self) -> pd.DataFrame:
        """Return the personas as a table, one row each.

        Returns
        -------
        pandas.DataFrame
            Columns ``segment, name, n_customers, share, size, suppressed, summary`` and
            ``trait_1, trait_2, ...`` with the texts of the traits.
        """
        check_is_fitted(self)
        columns = ("segment", "name", "n_customers", "share", "size", "suppressed", "summary")
        frame = pd.DataFrame([{name: getattr(persona, name) for name in columns} for persona in self.personas_])
        frame = frame.astype({"n_customers": "Int64", "share": "float64"})
        for position in range(max(len(persona.traits) for persona in self.personas_)):
            texts = [
                persona.traits[position].text if position < len(persona.traits) else None for persona in self.personas_
            ]
            frame[f"trait_{position + 1}"] = pd.array(texts, dtype="str")
        return frame

    def to_markdown(self) -> str:
        """Return the personas as Markdown; text from the data is escaped.

        Returns
        -------
        str
            An overview table and a section for each persona.
        """
        check_is_fitted(self)
        return to_markdown(self.personas_, self._columns, self.n_not_assigned_)

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the personas as JSON.

        Parameters
        ----------
        indent : int or None, default=2
            Spaces of indentation; None for one line.

        Returns
        -------
        str
            An object with ``personas`` and ``n_not_assigned``; what is not finite is ``null``.
        """
        check_is_fitted(self)
        content = {
            "personas": [persona.to_dict() for persona in self.personas_],
            "n_not_assigned": self.n_not_assigned_,
        }
        return json.dumps(content, indent=indent, allow_nan=False, ensure_ascii=False)

    def to_html(self) -> str:
        """Return the personas as a fragment of HTML, without style or script; text from the data is escaped.

        Returns
        -------
        str
            A ``div`` of class ``custseg-personas``.
        """
        check_is_fitted(self)
        return str(to_html(self.personas_, self._columns, self.n_not_assigned_))

    def _html_repr(self) -> str:
        # scikit-learn shows an estimator by this; once fitted, the personas say more than the parameters.
        if not hasattr(self, "personas_"):
            return str(super()._html_repr())
        return str(to_html(self.personas_, self._columns, self.n_not_assigned_, styled=True))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = tags.input_tags.string = True
        return tags


def _columns(
    names: Sequence[str], known: Iterable[Characteristic], own: Mapping[str, str]
) -> tuple[Characteristic, ...]:
    """Say what each column is: labelled by the user, else as its maker does, else by its name; no two alike."""
    check_columns("labels", own, names)
    made = {each.column: each for each in known}
    labels = {name: made[name].label if name in made else label for name, label in humanise(names).items()}
    counts = Counter(labels.values())
    columns = [
        replace(made.get(name, Characteristic(column=name)), label=visible(label if counts[label] == 1 else name))
        for name, label in labels.items()
    ]
    return as_told(columns, {"label": {name: plain(label) for name, label in own.items()}})
