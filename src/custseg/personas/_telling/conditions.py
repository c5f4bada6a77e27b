"""The conditions that a rule may be made of: none of them names what few customers have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.customers import Column, CustomerTable
from custseg._core.exact import EXACT_FLOATS
from custseg.segmentation._for_personas import Condition, Domain, Rule, find_domains, matches

__all__ = ["Candidates", "level_sets", "readable_cuts"]

# So many cuts of a number are tried, at even steps of the customers, and so many levels, the most frequent; of many
# columns fewer, but no less than the quartiles, so that all have about as many conditions as can be looked at.
_MOST_CUTS, _MOST_LEVELS, _FEWEST_CUTS, _MOST_IN_ALL = 24, 40, 3, 1_500
# A list of more levels is no rule that a person remembers.
_LONGEST_LIST = 5


class Candidates:
    """Conditions, and who meets them.

    Attributes
    ----------
    conditions : list of Condition
        In an order that follows from columns and values.
    met : ndarray of shape (n_customers, n_conditions), of bool
        Who meets each.
    names : dict of str to Column
        The columns of levels without an order, of which lists are tried.
    """

    def __init__(self, table: CustomerTable, least: int) -> None:
        n_cuts = max(_FEWEST_CUTS, min(_MOST_CUTS, _MOST_IN_ALL // (2 * len(table.columns))))
        found = [each for column in table.columns for each in _conditions(column, least, n_cuts)]
        self.table, self.least = table, least
        self.domains: Mapping[str, Domain] = find_domains([_alone(each) for each in found], table)
        masks = [self.meets(each) for each in found]
        kept = [self.may_be_named(each.column, met) for each, met in zip(found, masks, strict=True)]
        self.conditions = [each for each, is_kept in zip(found, kept, strict=True) if is_kept]
        columns = [met for met, is_kept in zip(masks, kept, strict=True) if is_kept]
        self.met: Bools = np.column_stack(columns) if columns else np.empty((table.n_customers, 0), dtype=bool)

    def meets(self, condition: Condition) -> Bools:
        """Say who meets a condition, as a RuleSegmenter would."""
        return matches(_alone(condition), self.table, self.domains)

    def may_be_named(self, column: str, met: Bools) -> bool:
        """Say whether enough customers meet a condition, and enough of whom it is known do not."""
        n_met, n_known = np.count_nonzero(met), np.count_nonzero(~self.table[column].missing)
        return bool(n_met >= self.least and n_known - n_met >= self.least)


def level_sets(candidates: Candidates, positive: Bools, rows: Bools) -> Iterator[tuple[Condition, Bools]]:
    """Yield lists of the levels that are most of one segment, as the customers in ``rows`` say.

    Of all lists of a length, one of these has the best F-score that a condition on the column alone can have.
    """
    for column in candidates.table.columns:
        levels = _frequent(column, candidates.least) if column.kind == "nominal" else []
        if len(levels) < 3:
            continue
        known, n_levels = rows & ~column.missing, len(column.categories)
        counts = np.maximum(np.bincount(column.values[known], minlength=n_levels), 1)
        shares = np.bincount(column.values[known & positive], minlength=n_levels) / counts
        ranked = np.array(levels)[np.argsort(-shares[levels], kind="stable")].tolist()
        for length in range(2, min(_LONGEST_LIST, len(levels) - 1) + 1):
            chosen = sorted(ranked[:length])
            met = np.isin(column.values, chosen)
            if candidates.may_be_named(column.name, met):
                yield Condition(column.name, "in", tuple(column.categories[level] for level in chosen)), met


def _readable(low: float, high: float, *, whole: bool) -> float:
    """Return the number with the fewest digits that parts two: at least the one, and less than the other.

    Examples
    --------
    >>> _readable(45_231.17, 45_402.5, whole=False), _readable(3, 4, whole=True), _readable(0.1412, 0.1413, whole=False)
    (45300.0, 3.0, 0.1412)
    """
    middle = low / 2 + high / 2
    middle = float(np.floor(middle)) if whole else middle
    if low <= 0 < high:
        return 0.0
    for digits in range(17):
        rounded = float(f"{middle:.{digits}e}")
        if low <= rounded < high:
            return rounded
    return low


def _alone(condition: Condition) -> Rule:
    return Rule(name="rule", alternatives=((condition,),))


def _conditions(column: Column, least: int, n_cuts: int) -> Iterator[Condition]:
    """Yield the conditions on one column, whoever may meet them."""
    if column.kind == "binary":
        yield from (Condition(column.name, "==", value) for value in (False, True))
    elif column.kind == "numeric":
        for cut in readable_cuts(column, least, n_cuts):
            number = int(cut) if cut.is_integer() and abs(cut) < EXACT_FLOATS else cut
            yield from (Condition(column.name, symbol, number) for symbol in ("<=", ">"))
    elif column.kind == "ordinal":
        named = np.bincount(column.values[~column.missing], minlength=len(column.categories)) >= least
        for level in np.flatnonzero(named).tolist():
            yield from (Condition(column.name, symbol, column.categories[level]) for symbol in ("<=", "==", ">="))
    else:
        yield from (Condition(column.name, "==", column.categories[level]) for level in _frequent(column, least))


def _frequent(column: Column, least: int) -> list[int]:
    """Return the most frequent levels that enough customers have, in the order of their names."""
    counts: Integers = np.bincount(column.values[~column.missing], minlength=len(column.categories))
    ranked = sorted(np.flatnonzero(counts >= least).tolist(), key=lambda level: (-int(counts[level]), level))
    return sorted(ranked[:_MOST_LEVELS])


def readable_cuts(column: Column, least: int, n_cuts: int = _MOST_CUTS) -> list[float]:
    """Return numbers between customers, with enough of these on either side."""
    values: Floats = column.without_rounding().values[~column.missing]
    distinct, counts = np.unique(values, return_counts=True)
    below = np.cumsum(counts)[:-1]
    places = np.flatnonzero((below >= least) & (len(values) - below >= least))
    # a few neighbours make a step, in which the shortest number is the cut
    steps = below[places] * n_cuts // max(len(values), 1) if len(places) > n_cuts else places
    whole = bool((distinct == np.floor(distinct)).all())
    ends = [(own[0], own[-1] + 1) for step in np.unique(steps) if len(own := places[steps == step])]
    return [_readable(float(distinct[first]), float(distinct[last]), whole=whole) for first, last in ends]
