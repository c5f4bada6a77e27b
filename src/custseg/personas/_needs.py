"""What matters to each segment, and how well it is served: importance and satisfaction against everyone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asks
from custseg._core.customers import Column, CustomerTable, looks_like_id, read_input
from custseg._core.disclosure import described, enter
from custseg._core.params import Instance, Integer, Number, check
from custseg._core.results import Result
from custseg._core.segments import NOT_ASSIGNED
from custseg._core.words import plain
from custseg.exceptions import ColumnNotFoundError, CustomerIdError, InvalidTableError, SegmentLabelError, list_names
from custseg.personas._intervals import mean_interval
from custseg.personas._segment_profile.known import Known
from custseg.personas._segment_profile.ordered import Together, centre_and_scale
from custseg.personas._statistics import benjamini_hochberg
from custseg.segmentation import Segmentation

__all__ = ["SegmentNeeds", "needs_by_segment"]

SURE = 0.05
"""A segment is said to differ from everyone where the adjusted p-value is at most this."""

QUADRANTS = {
    (True, False): "concentrate here",
    (True, True): "keep up the good work",
    (False, False): "low priority",
    (False, True): "possible overkill",
}
"""By whether it is important, and whether customers are satisfied."""
UNDECIDED = "undecided"

_COLUMNS = (
    "segment",
    "name",
    "item",
    "measure",
    "n",
    "value",
    "low",
    "high",
    "overall_value",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "p_adjusted",
)
_PARAMETERS = {
    "segmentation": (Instance(Segmentation, words="a Segmentation; Segmentation.of(X, labels) makes one"),),
    "confidence_level": (Number(0.5, 1.0, open_high=True),),
    "min_group_size": (Integer(1),),
}
_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SegmentNeeds(Result):
    """What matters to each segment, and how well it is served.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per measure ("importance", "satisfaction"), item and segment: ``segment, name, item, measure``, ``n``
        (who answered), the mean ``value`` with its interval ``low`` to ``high``, ``overall_value`` of everyone,
        ``difference`` of the two with its interval, ``p_value``, and ``p_adjusted`` after Benjamini and Hochberg over
        all of a measure.
    quadrants : pandas.DataFrame
        One row per item and segment: ``segment, name, item, importance, satisfaction, quadrant``. Empty without
        satisfaction.
    importance_line, satisfaction_line : float or None
        Where the quadrants meet: the mean of everyone over all items.
    """

    frame: pd.DataFrame
    quadrants: pd.DataFrame
    importance_line: float
    satisfaction_line: float | None

    def to_frame(self) -> pd.DataFrame:
        """Return importance and satisfaction of every item in every segment.

        Returns
        -------
        pandas.DataFrame
            A copy of ``frame``.
        """
        return self.frame.copy()

    @property
    def needs(self) -> dict[str, list[str]]:
        """By segment what is surely more important to it than to everyone, the clearest first."""
        return self._beyond("importance", 1)

    @property
    def concerns(self) -> dict[str, list[str]]:
        """By segment what is surely important and surely not satisfied, the most important first."""
        return self._in_quadrant("concentrate here")

    @property
    def strengths(self) -> dict[str, list[str]]:
        """By segment what it is surely more satisfied with than everyone, the clearest first."""
        return self._beyond("satisfaction", 1)

    @property
    def weaknesses(self) -> dict[str, list[str]]:
        """By segment what it is surely less satisfied with than everyone, the clearest first."""
        return self._beyond("satisfaction", -1)

    def _beyond(self, measure: str, sign: int) -> dict[str, list[str]]:
        own = self.frame[self.frame["measure"] == measure]
        sure = own[(own["p_adjusted"] <= SURE) & (sign * own["difference"] > 0)]
        sure = sure.assign(size=sure["difference"].abs()).sort_values("size", ascending=False, kind="stable")
        return self._by_segment(sure)

    def _in_quadrant(self, quadrant: str) -> dict[str, list[str]]:
        own = self.quadrants[self.quadrants["quadrant"] == quadrant]
        return self._by_segment(own.sort_values("importance", ascending=False, kind="stable"))

    def _by_segment(self, rows: pd.DataFrame) -> dict[str, list[str]]:
        names = self.frame.drop_duplicates("segment").sort_values("segment")["name"]
        return {name: rows.loc[rows["name"] == name, "item"].tolist() for name in names}

    def __str__(self) -> str:
        told = []
        for what, found in (("needs", self.needs), ("concerns", self.concerns)):
            told += [f"{plain(name)} {what} {_some(items)}" for name, items in found.items() if items]
        return f"{'; '.join(told)}." if told else "No segment differs from everyone in what matters to it."


def _some(items: Sequence[str]) -> str:
    shown = ", ".join(plain(item) for item in items[:_MOST_NAMED])
    return f"{shown} and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else shown


@asks
def needs_by_segment(
    importance: Any,
    satisfaction: Any,
    segmentation: Segmentation,
    *,
    confidence_level: float = 0.95,
    min_group_size: int = 10,
) -> SegmentNeeds:
    """Compare what matters to each segment, and how satisfied it is, with everyone.

    Parameters
    ----------
    importance : DataFrame of shape (n_respondents, n_items), path, or numeric matrix
        How important each item (an attribute of a product, a service) is to each respondent: numbers, or ordered
        levels, which count 1, 2, ... from the lowest. All on one scale.
    satisfaction : DataFrame of shape (n_respondents, n_items), path, numeric matrix, or None
        How satisfied each is with the same items, under the same names; None where only importance was asked.
    segmentation : Segmentation
        Customers in segments. Respondents are found in it by customer id where both bear ids; those who are not in it,
        and those in no segment, are left out. Without ids, row by row.
    confidence_level : float, default=0.95
        How often the intervals hold the figure of all customers like these.
    min_group_size : int, default=10
        No figure tells of fewer respondents, or of one of them for the most part: it is NaN, and they are in no figure
        of the others either.

    Returns
    -------
    SegmentNeeds
        Importance and satisfaction by segment and item, the quadrants, and in words needs, concerns, strengths and
        weaknesses.

    Raises
    ------
    ColumnNotFoundError
        If an item was asked for one of the two only.
    CustomerIdError
        If no respondent is in the segmentation, one is there twice, or the segmentation bears no ids although the
        answers do.
    InvalidTableError
        If there is no item, or one is neither a number nor an ordered level, or holds ids.
    InvalidParameterError
        If a parameter is out of its range or of the wrong kind.
    SegmentLabelError
        If rows without ids are more or fewer than customers, or no respondent is in a segment.

    See Also
    --------
    profile_segments : Every characteristic of every segment.
    outcomes_by_segment : What became of the customers.

    Notes
    -----
    Missing answers are in no figure; ``n`` counts those that are known.

    *Needs* are more important to a segment than to everyone, *strengths* and *weaknesses* satisfy it more or less than
    everyone: by Welch's test of the segment against everyone else, adjusted for all items and segments. *Concerns* are
    in the quadrant "concentrate here" of importance-performance analysis [1]_. The quadrants meet at the mean of
    everyone over all items; an item is in one where the intervals of importance and of satisfaction both lie on one
    side of it, else it is "undecided".

    Not for items on several scales, nor where nearly everything is rated as very important: stated importance is then a
    way of answering. Best-worst choices part items better: :func:`custseg.best_worst_scores`.

    References
    ----------
    .. [1] J. A. Martilla and J. C. James (1977), "Importance-performance analysis", Journal of Marketing 41, 77-79.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.personas import needs_by_segment
    >>> from custseg.segmentation import Segmentation
    >>> importance = pd.DataFrame({"price": [5, 4, 5, 5] * 5 + [2, 1, 2, 2] * 5, "service": [3, 4, 3, 3] * 10})
    >>> satisfaction = pd.DataFrame({"price": [1, 2, 2, 1] * 5 + [4, 5, 4, 4] * 5, "service": [3, 3, 4, 3] * 10})
    >>> segmentation = Segmentation.of(importance, ["thrifty"] * 20 + ["easy"] * 20)
    >>> needs = needs_by_segment(importance, satisfaction, segmentation)
    >>> needs.needs
    {'easy': [], 'thrifty': ['price']}
    >>> needs.concerns
    {'easy': [], 'thrifty': ['price']}
    """
    given = {"segmentation": segmentation, "confidence_level": confidence_level, "min_group_size": min_group_size}
    check(_PARAMETERS, given)
    tables = {"importance": importance} | ({} if satisfaction is None else {"satisfaction": satisfaction})
    read = {name: _items(name, answers, segmentation) for name, answers in tables.items()}
    if satisfaction is not None:
        _check_same_items(read["importance"], read["satisfaction"])
    asked = {}
    for measure, table in read.items():
        labels = _labels(measure, table, segmentation)
        if not (labels >= 0).any():
            raise SegmentLabelError.none_assigned(table.n_customers)
        asked[measure] = table, described(labels, segmentation.n_segments, min_group_size, table)
    return compare_needs(asked, segmentation.segment_names, min_group_size, confidence_level)


def compare_needs(
    asked: Mapping[str, tuple[CustomerTable, Integers]],
    names: Sequence[str],
    min_group_size: int,
    confidence_level: float = 0.95,
) -> SegmentNeeds:
    """Compare the answers to each measure, with the labels of those of whom figures may tell."""
    parts, lines = [], {}
    for measure, (table, told) in asked.items():
        rows = pd.DataFrame(
            [row for column in table.columns for row in _rows(column, told, names, confidence_level, min_group_size)]
        )
        lines[measure] = float(rows.drop_duplicates("item")["overall_value"].sort_values().mean())
        parts.append(rows.assign(measure=measure, p_adjusted=benjamini_hochberg(rows["p_value"])))
    return SegmentNeeds(
        frame=pd.concat(parts, ignore_index=True)[list(_COLUMNS)],
        quadrants=_quadrants(parts, lines),
        importance_line=lines.get("importance", np.nan),
        satisfaction_line=lines.get("satisfaction"),
    )


def _items(measure: str, answers: Any, segmentation: Segmentation) -> CustomerTable:
    """Read the items as numbers; levels count from 1."""
    customer_id = "customer_id" if segmentation.clusterer is None else segmentation.clusterer.customer_id
    table = read_input(answers, customer_id=customer_id)
    if not table.columns:
        raise InvalidTableError(f"{measure} has no item. Pass one row per respondent with at least one column.")
    for column in table.columns:
        if column.kind not in ("numeric", "ordinal"):
            raise InvalidTableError(
                f"{measure} column {column.name!r} is {column.kind}. Items are rated: pass numbers, or ordered "
                "categories; leave out what is no item."
            )
        if looks_like_id(column):
            raise InvalidTableError(
                f"{measure} column {column.name!r} has another whole number in every row: ids, not ratings. Call it "
                f"{customer_id or 'customer_id'!r} to find respondents by it, or leave it out."
            )
    n_levels = {len(column.categories) for column in table.columns if column.kind == "ordinal"}
    if len(n_levels) > 1:
        numbers = " and ".join(map(str, sorted(n_levels)))
        raise InvalidTableError(f"{measure} has items of {numbers} levels. Pass those of one scale at a time.")
    return table


def _check_same_items(importance: CustomerTable, satisfaction: CustomerTable) -> None:
    for asked, other in ((importance, satisfaction), (satisfaction, importance)):
        only = [name for name in asked.names if name not in other.names]
        if only:
            raise ColumnNotFoundError.in_table(only, other.names)


def _labels(measure: str, table: CustomerTable, segmentation: Segmentation) -> Integers:
    """Find the segment of each respondent; -1 for one in none."""
    own, ids = table.ids, segmentation.customer_table.ids
    if own is None or ids is None:
        if table.n_customers != segmentation.n_customers:
            raise SegmentLabelError.length(segmentation.n_customers, table.n_customers)
        if own is not None and not np.array_equal(own, np.arange(len(own))):
            example = own[:1].tolist()[0]
            raise CustomerIdError(
                f"the respondents of {measure} bear ids, for example {example!r}, and those of the segmentation "
                "bear none. Make the segmentation of a table with ids; or pass the answers without ids, if they stand "
                "in the order of its customers."
            )
        return segmentation.labels
    respondents, customers = pd.Index(own), pd.Index(ids)
    if respondents.equals(customers):
        return segmentation.labels
    for whose, found in ((f"respondents of {measure}", respondents), ("customers of the segmentation", customers)):
        if not found.is_unique:
            example = found[found.duplicated()].tolist()[0]
            raise CustomerIdError(
                f"the {whose} have the id {example!r} more than once. Keep one row for each customer."
            )
    places = customers.get_indexer(respondents)
    if (places < 0).all():
        shown = list_names(map(str, own[:3]))
        raise CustomerIdError(
            f"no respondent of {measure} is in the segmentation; the first are {shown}. Pass the ids by which the "
            "segmentation knows its customers."
        )
    return np.where(places >= 0, segmentation.labels[places], NOT_ASSIGNED)


def _rows(
    column: Column, labels: Integers, names: Sequence[str], confidence_level: float, least: int
) -> Iterator[dict[str, Any]]:
    """Yield the row of each segment."""
    numbers = np.where(column.missing, np.nan, column.values.astype(np.float64) + (column.kind == "ordinal"))
    rows = np.flatnonzero(enter(~column.missing, labels, len(names), least, numbers))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    known, values = Known(labels[rows], len(names)).sorted_by(numbers[rows])
    # about a number in the middle, so that what all answered alike does not differ by rounding
    middle, scale = centre_and_scale(Together(known.groups(values)))
    n, (means, variances) = known.weights, known.moments(values, middle, scale)
    low, high = mean_interval(means, variances, n, confidence_level)
    overall = float(n @ means / n.sum()) if n.any() else np.nan
    difference, half, p_values = _against_the_rest(n, means, variances, confidence_level)
    few_rest = n.sum() - n < least
    for segment, name in enumerate(names):
        told, compared = n[segment] > 0, n[segment] > 0 and not few_rest[segment]
        yield {
            "segment": segment,
            "name": name,
            "item": column.name,
            "n": int(n[segment]),
            "value": middle + scale * means[segment] if told else np.nan,
            "low": middle + scale * low[segment] if told else np.nan,
            "high": middle + scale * high[segment] if told else np.nan,
            "overall_value": middle + scale * overall,
            "difference": scale * difference[segment] if compared else np.nan,
            "difference_low": scale * (difference[segment] - half[segment]) if compared else np.nan,
            "difference_high": scale * (difference[segment] + half[segment]) if compared else np.nan,
            "p_value": p_values[segment] if compared else np.nan,
        }


def _against_the_rest(
    n: Floats, means: Floats, variances: Floats, confidence_level: float
) -> tuple[Floats, Floats, Floats]:
    """Return how far each segment lies from everyone, half the width of the interval, and Welch's p-value.

    Everyone is the segment and the rest, so the distance is the share of the rest times that from the rest.
    """
    others = 1.0 - np.eye(len(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        n_rest = others @ n
        rest = others @ (n * means) / n_rest
        spread = others @ (n * variances) + np.einsum("rj,j,rj->r", others, n, (means[None] - rest[:, None]) ** 2)
        own_error, rest_error = variances / (n - 1), spread / n_rest / (n_rest - 1)
        error = own_error + rest_error
        freedom = error**2 / (own_error**2 / (n - 1) + rest_error**2 / (n_rest - 1))
        freedom = np.where(error > 0, freedom, n + n_rest - 2)
        t = (means - rest) / np.sqrt(error)
        share = n_rest / (n + n_rest)
        half = share * stats.t.ppf((1 + confidence_level) / 2, freedom) * np.sqrt(error)
    return share * (means - rest), half, 2 * stats.t.sf(np.abs(t), freedom)


def _quadrants(parts: Sequence[pd.DataFrame], lines: dict[str, float]) -> pd.DataFrame:
    """Put each item of each segment on one side of both lines, where its intervals are."""
    columns = ["segment", "name", "item", "importance", "satisfaction", "quadrant"]
    if len(parts) < 2:
        return pd.DataFrame(columns=columns)
    keys = ["segment", "name", "item"]
    both = parts[0].merge(parts[1], on=keys, suffixes=("_importance", "_satisfaction"))
    sides = []
    for measure, line in lines.items():
        low, high = both[f"low_{measure}"], both[f"high_{measure}"]
        sides.append(np.where(low > line, 1, np.where(high < line, -1, 0)))
    quadrant = [
        QUADRANTS[bool(important > 0), bool(satisfied > 0)] if important and satisfied else UNDECIDED
        for important, satisfied in zip(*sides, strict=True)
    ]
    both = both.rename(columns={"value_importance": "importance", "value_satisfaction": "satisfaction"})
    return both.assign(quadrant=quadrant)[columns]
