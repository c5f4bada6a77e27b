"""Every characteristic and level of every segment, beside everyone else and beside everyone, in one table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core._html import element
from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.asking import asks
from custseg._core.characteristic import Characteristic
from custseg._core.customers import Column, CustomerTable, read_input
from custseg._core.disclosure import described, dominated, enter
from custseg._core.frames import is_table
from custseg._core.in_threads import in_threads
from custseg._core.mass import customer_mass
from custseg._core.notebook import shown
from custseg._core.params import COLUMN, NONE, Integer, Number, check
from custseg._core.results import Result
from custseg._core.segments import NOT_ASSIGNED, aligned
from custseg._core.words import plain
from custseg.exceptions import InvalidParameterError, InvalidTableError, SegmentLabelError
from custseg.personas._labels import find_id
from custseg.personas._segment_profile.known import Known
from custseg.personas._segment_profile.long_table import adjusted, long_table
from custseg.personas._segment_profile.measures import FIGURES, Measure, measure
from custseg.personas._segment_profile.notebook import side_by_side
from custseg.segmentation import Segmentation

__all__ = ["SegmentProfile", "profile_segments"]

CLEAR_EFFECT = 0.5
"""An effect that a sentence tells of: Cohen's "medium"."""

COLUMNS = (
    "segment",
    "characteristic",
    "level",
    "criterion",
    "role",
    "unit",
    "kind",
    "statistic",
    "n",
    "segment_value",
    "rest_value",
    "overall_value",
    "n_overall",
    "low",
    "high",
    "effect_size",
    "effect_low",
    "effect_high",
    "v_test",
    "p_value",
    "p_adjusted",
    "eta2",
    "lift",
    "marker",
    "missing_share",
    "used_for_clustering",
)
_TEXTS = ("characteristic", "level", "criterion", "role", "unit", "kind", "statistic")
_PARAMETERS = {
    "segment": (COLUMN,),
    "customer_id": (NONE, COLUMN),
    "min_group_size": (Integer(1),),
    "confidence_level": (Number(0.5, 1.0, open_high=True),),
}
# fewer have no variance; of more, one customer more or less is lost in rounding
_LEAST_CUSTOMERS, _MOST_CUSTOMERS = 2, 1e12
# in a sentence
_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SegmentProfile(Result):
    """Who is in each segment, figure by figure.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per segment, characteristic and level, as :func:`profile_segments` describes it.
    segment_names : tuple of str
        The names of all segments; position = label.
    levels : dict of str to tuple of str
        The levels of the ordered characteristics: position 1 is the first.
    min_group_size : int
        No figure tells of fewer customers.
    confidence_level : float
        Of the intervals.
    """

    frame: pd.DataFrame
    segment_names: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    min_group_size: int
    confidence_level: float

    def to_frame(self) -> pd.DataFrame:
        """Return the table of all figures.

        Returns
        -------
        pandas.DataFrame
            A copy of ``frame``.
        """
        return self.frame.copy()

    def _repr_html_(self) -> str:
        effects = self._wide("effect_size")
        return shown(element("p", self), side_by_side(self.frame, self.by_segment, self.overall, effects))

    @property
    def by_segment(self) -> pd.DataFrame:
        """The figure of each characteristic and level (rows) in each segment that is told (columns, by name)."""
        wide = self._wide("segment_value")
        wide.columns = pd.Index([self.segment_names[int(segment)] for segment in wide.columns], name="segment")
        return wide

    @property
    def overall(self) -> pd.Series[float]:
        """The figure of each characteristic and level among everyone."""
        # everyone is the same beside each segment, where anything may be told of them
        return self._wide("overall_value").max(axis=1).astype("float64").rename("overall")

    def difference(self) -> pd.DataFrame:
        """Return how far each segment lies from everyone, in original units; shares from -1 to 1.

        Returns
        -------
        pandas.DataFrame
            ``by_segment`` less ``overall``.
        """
        return self.by_segment.sub(self.overall, axis=0)

    def _wide(self, figure: str) -> pd.DataFrame:
        # by place, since levels may share a name: every segment has the same rows in the same order
        segments = self.frame["segment"].unique()
        n_rows = len(self.frame) // max(1, len(segments))
        rows = self.frame[["characteristic", "level"]].iloc[:n_rows].fillna({"level": ""})
        cells = self.frame[figure].to_numpy().reshape(len(segments), n_rows).T
        return pd.DataFrame(cells, pd.MultiIndex.from_frame(rows), pd.Index(segments, name="segment"))

    def __str__(self) -> str:
        names = self.frame["characteristic"].unique()
        clear = self.frame[self.frame["effect_size"].abs() >= CLEAR_EFFECT]
        strongest = clear.assign(size=clear["effect_size"].abs()).sort_values("size", kind="stable", ascending=False)
        told = [plain(name) for name in strongest["characteristic"].unique()]
        more = f" and {len(told) - _MOST_NAMED} more" if len(told) > _MOST_NAMED else ""
        found = f"they differ clearly in {', '.join(told[:_MOST_NAMED])}{more}" if told else "none differs clearly"
        n_told = self.frame["segment"].nunique()
        return f"Profile of {n_told} segment(s) in {len(names)} characteristic(s): {found}."


@asks
def profile_segments(
    X: Any,
    labels: Any = None,
    *,
    used: Collection[str] | None = None,
    sample_weight: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    characteristics: Any = None,
    segment: str = "segment",
    customer_id: str | None = "customer_id",
    min_group_size: int = 10,
    confidence_level: float = 0.95,
) -> SegmentProfile:
    """Compare every characteristic of every segment with everyone else and with everyone.

    Parameters
    ----------
    X : Segmentation, DataFrame of shape (n_customers, n_columns), path, or numeric matrix
        A segmentation; or one row per customer, in original units. Characteristics that formed the segments and those
        that did not are compared alike.
    labels : array-like or Series of shape (n_customers,), default=None
        The segment of each customer, where ``X`` has no column of them: whole numbers, text, bools or categories; -1,
        "not assigned" and missing values for customers in none, who are left out. A pandas Series is aligned by
        customer id wherever both bear ids.
    used : collection of str, default=None
        The columns that formed the segments: that they differ in these is no finding. None is the cautious reading: all
        of them. A segmentation knows.
    sample_weight : array-like or Series of shape (n_customers,), default=None
        How many customers each row stands for: weight 2 is the row twice, 0 no row. Weights that say how likely a
        customer was to be asked give the right values; for the right intervals let them add up to the number asked.
        Who may be told of is decided by rows, not by weight; but a segment most of which is one row's weight is not
        told. A pandas Series is aligned as the labels are.
    names : sequence of str, default=None
        The names of the segments; position = label. A segmentation knows.
    characteristics : DataFrame, default=None
        What the columns are, as ``describe()`` of the estimator that made them says it. A segmentation knows.
    segment : str, default="segment"
        The column of labels, where ``labels`` is None.
    customer_id : str or None, default="customer_id"
        A column of ids, which is not compared. Columns that look like ids are left out with a warning; None compares
        every column.
    min_group_size : int, default=10
        Smaller segments are left out, and their customers enter no figure. No figure tells of fewer customers, or of
        one of them for the most part: it is NaN. A level that fewer have is not named; an ordered one is pooled with
        its neighbour.
    confidence_level : float, default=0.95
        How often the intervals hold the figure of all customers like these.

    Returns
    -------
    SegmentProfile
        Its ``frame`` has one row per segment, characteristic and level. Numbers have one row, without level. A yes or
        no has the level "yes". Categories have a row for each level that enough customers have. Ordered ones have a row
        without level for their median, as a position from 1, and one for each level. Columns:

        - ``segment, characteristic, level``; ``criterion, role, unit`` where they are known; ``kind``; ``statistic``:
          "mean", "median" (skewed numbers, in all segments alike; ordered levels) or "share".
        - ``n`` and ``n_overall``: customers of whom it is known, here and of everyone.
        - ``segment_value``, ``rest_value`` (everyone else), ``overall_value`` (everyone); ``low`` and ``high``: the
          interval of ``segment_value``. In original units, shares from 0 to 1.
        - ``effect_size``: Hedges g against *everyone else*, with its interval ``effect_low`` to ``effect_high``.
        - ``v_test``, ``p_value``, ``lift``, ``marker``: against *everyone*; ``p_adjusted`` after Benjamini and
          Hochberg, over the columns that formed the segments and over the others apart. ``eta2``: the share of the
          variance that lies between the segments.
        - ``missing_share``: the share of the segment of whom it is not known; ``used_for_clustering``.

    Raises
    ------
    SegmentLabelError
        If there are no labels or two sets of them, if they fit neither the customers nor the names, or if nobody is in
        a segment.
    ColumnNotFoundError
        If ``X`` has no column of labels.
    InvalidParameterError
        If a parameter is out of its range, ``used`` names no column, or weights are negative or add up to less than 2
        or more than 1e12.
    CustomerIdError
        If labels or weights with an index of their own cannot be aligned.
    InvalidTableError
        If there is nothing to compare.

    See Also
    --------
    PersonaDescriber : The same in words, a persona for each segment.
    outcomes_by_segment : What became of the customers of each segment.

    Notes
    -----
    Missing values are in no figure; ``n`` and ``missing_share`` count them.

    Intervals: Student's for means; Wilson's for shares; between order statistics for medians (Hettmansperger and
    Sheather); Woodruff's for the medians of ordered levels, which are grouped medians: the customers of a level count
    as spread evenly over half a position on either side. Effects by the delta method from the moments of the data.
    Where nothing varies on either side, the effect is that of a yes or no which half a customer on each side
    contradicts, and has no interval.

    Not for telling whether segments are real: columns that formed them differ by design, and with enough customers any
    column differs a little. See :func:`custseg.validation.examine_segments`.

    References
    ----------
    Lebart, Morineau and Piron (1995), *Statistique exploratoire multidimensionnelle*, for the v-test; Hedges and Olkin
    (1985), *Statistical Methods for Meta-Analysis*, for effect sizes; Wilson (1927), *Journal of the American
    Statistical Association* 22, 209-212; Hettmansperger and Sheather (1986), *Statistics & Probability Letters* 4,
    75-79; Woodruff (1952), *Journal of the American Statistical Association* 47, 635-646.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.personas import profile_segments
    >>> customers = pd.DataFrame({"orders": [1, 2, 3, 2] * 5 + [8, 9, 7, 8] * 5, "club": [False] * 15 + [True] * 25})
    >>> profile = profile_segments(customers, ["new"] * 20 + ["loyal"] * 20, used=["orders"])
    >>> print(profile)
    Profile of 2 segment(s) in 2 characteristic(s): they differ clearly in orders, club.
    >>> profile.by_segment
    segment               loyal   new
    characteristic level
    orders                  8.0  2.00
    club           yes      1.0  0.25
    >>> profile.frame.loc[0, ["segment_value", "low", "high", "effect_size"]].astype(float).round(2).tolist()
    [8.0, 7.66, 8.34, 8.11]
    """
    check(
        _PARAMETERS,
        {
            "segment": segment,
            "customer_id": customer_id,
            "min_group_size": min_group_size,
            "confidence_level": confidence_level,
        },
    )
    said = {"labels": labels, "used": used, "names": names, "characteristics": characteristics}
    found, table = _read(X, said, segment, customer_id)
    mass = None if sample_weight is None else _mass(sample_weight, table, found.customers, customer_id)
    labels = found.labels if mass is None else np.where(mass > 0, found.labels, NOT_ASSIGNED)
    if not (labels >= 0).any():
        raise SegmentLabelError.none_assigned(found.n_customers)
    told = described(labels, found.n_segments, min_group_size, table)
    frame = _frame(table, told, found, mass, min_group_size=min_group_size, confidence_level=confidence_level)
    return SegmentProfile(
        frame=frame,
        segment_names=found.segment_names,
        levels={column.name: column.categories for column in table.columns if column.kind == "ordinal"},
        min_group_size=min_group_size,
        confidence_level=confidence_level,
    )


def _read(X: Any, said: dict[str, Any], segment: str, customer_id: str | None) -> tuple[Segmentation, CustomerTable]:
    """Take the segmentation, or make one of a table and its labels; return the columns that are compared too."""
    if isinstance(X, Segmentation):
        for name, given in said.items():
            if given is not None:
                raise InvalidParameterError.not_allowed(name, "None, since the segmentation says it", given)
        return X, _compared(X.customer_table)
    table = read_input(X, customer_id=customer_id)
    used = _used(said["used"], table.names)
    options = {"names": said["names"], "characteristics": said["characteristics"], "clustered_on": used}
    found = Segmentation._of_table(  # noqa: SLF001 - `of`, of a table that is read
        table, X, said["labels"], segment=segment, customer_id=customer_id, **options
    )
    return found, _compared(find_id(found.customer_table, customer_id, first_too=table.ids is None and is_table(X)))


def _compared(table: CustomerTable) -> CustomerTable:
    if not table.columns:
        raise InvalidTableError(
            "the table has no characteristic besides the labels. Pass the customers with at least one column to "
            "compare them by."
        )
    return table


def _mass(sample_weight: Any, table: CustomerTable, X: Any, customer_id: str | None) -> Floats:
    """Read the weights in the order of the customers."""
    if isinstance(sample_weight, pd.Series) and table.ids is not None and len(sample_weight) == table.n_customers:
        sample_weight = aligned("sample_weight", sample_weight, table.ids, X=X, customer_id=customer_id)
    mass = customer_mass(sample_weight, table)
    if not _LEAST_CUSTOMERS <= mass.sum() <= _MOST_CUSTOMERS:
        words = "weights that add up to the number of customers asked (multiply all by one number)"
        raise InvalidParameterError.not_allowed("sample_weight", words, f"a total of {mass.sum():g}")
    return mass


def _used(used: Collection[str] | None, columns: Sequence[str]) -> tuple[str, ...] | None:
    if used is None:
        return None
    if isinstance(used, str):
        raise InvalidParameterError.not_allowed("used", "a list of column names", used)
    names = tuple(used)
    for name in names:
        if name not in columns:
            raise InvalidParameterError.unknown_name("column in used", name, columns)
    return names


def _frame(
    table: CustomerTable,
    labels: Integers,
    found: Segmentation,
    mass: Floats | None,
    *,
    min_group_size: int,
    confidence_level: float,
) -> pd.DataFrame:
    """Measure every characteristic of the segments that are told."""
    rows = np.flatnonzero(labels >= 0)
    # by weight too, so that sums of weights have the same digits in any order of rows
    keys = (labels[rows],) if mass is None else (mass[rows], labels[rows])
    rows = rows[np.lexsort(keys)]
    shown = np.unique(labels[rows])
    if not len(shown):
        return _nothing()
    everyone = Known(np.searchsorted(shown, labels[rows]), len(shown), None if mass is None else mass[rows])
    said = {each.column: each for each in found.characteristics}

    def measured(column: Column) -> list[dict[str, Any]]:
        own = column.take(rows)
        told = _entering(own, everyone, min_group_size)
        known = everyone if told.all() else everyone.take(told)
        own = own if told.all() else own.take(told)
        what = said.get(column.name, Characteristic(column=column.name))
        parts = measure(own, known, min_group_size=min_group_size, confidence_level=confidence_level)
        used = {"used_for_clustering": column.name in found.clustered_on}
        return [_rows(column, what, part, everyone, known) | used for part in parts]

    parts = [part for own in in_threads(measured, table.columns, n_rows=len(rows)) for part in own]
    return _tested(long_table(parts, _TEXTS), shown)


def _entering(column: Column, everyone: Known, least: int) -> Bools:
    """Say who enters the figures: those of whom it is known, in segments where neither a value nor a weight dominates.

    A weighted figure of a segment where one weighs more than all others is the figure of that one.
    """
    known = ~column.missing
    numbers = np.asarray(column.values, dtype=np.float64) if column.kind == "numeric" else None
    if everyone.mass is not None:
        labels, mass = everyone.labels[known], everyone.mass[known]
        one = dominated(mass, labels, everyone.n_segments, least)
        if numbers is not None:
            size = max(float(np.abs(numbers[known]).max(initial=0.0)), np.finfo(np.float64).tiny)
            one |= dominated(numbers[known] / size * mass, labels, everyone.n_segments, least)
        known &= ~one[everyone.labels]
    return enter(known, everyone.labels, everyone.n_segments, least, numbers)


def _nothing() -> pd.DataFrame:
    """Return the table of nobody, its columns of the same types as of anybody."""
    frame = pd.DataFrame(columns=list(COLUMNS), dtype="float64")
    kinds = {**dict.fromkeys(_TEXTS, "str"), **dict.fromkeys(("segment", "n", "n_overall"), "int64")}
    return frame.astype(kinds | dict.fromkeys(("marker", "used_for_clustering"), "bool"))


def _rows(column: Column, said: Characteristic, measured: Measure, everyone: Known, known: Known) -> dict[str, Any]:
    """Lay the figures of some levels out as columns, segments running fastest."""
    n_segments, n_levels = measured.figures["effect_size"].shape
    missing = 1.0 - known.weights / everyone.weights
    return {
        "segment": np.tile(np.arange(n_segments), n_levels),
        "level": np.repeat(np.array(measured.levels, dtype=object), n_segments),
        "characteristic": column.name,
        "criterion": said.criterion,
        "role": said.role,
        "unit": said.unit,
        "kind": column.kind,
        "statistic": measured.statistic,
        "n": np.tile(known.sizes, n_levels),
        "n_overall": int(known.sizes.sum()),
        "missing_share": np.tile(missing, n_levels),
        **{name: measured.figures[name].T.ravel() for name in FIGURES},
    }


def _tested(frame: pd.DataFrame, shown: Integers) -> pd.DataFrame:
    """Put the segments in order, under their labels, and adjust the p-values of each family of tests."""
    frame = frame.sort_values("segment", kind="stable", ignore_index=True)
    frame["segment"] = shown[frame["segment"].to_numpy(dtype=np.int64)]
    frame["p_adjusted"] = adjusted(frame["p_value"], frame["used_for_clustering"])
    return frame[list(COLUMNS)].astype({"used_for_clustering": "bool", "n_overall": "int64"})
