"""The first picture: how much of the value comes from how many of the customers, or how large the segments are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from custseg._core.words import format_against, format_number, format_share, format_total, known
from custseg.plotting import SegmentValueDisplay
from custseg.plotting._for_reporting import rows_of
from custseg.reporting._contents import Group

__all__ = ["Bar", "ValueBars", "agreement", "in_order", "money", "times_average", "value_bars"]


@dataclass(frozen=True)
class Bar:
    """One segment: its share of the customers, and of the value; widths are percents of the longest bar."""

    name: str
    card: str | None
    share: str
    size: float
    value: str = ""
    worth: float = 0.0
    each: str = ""
    times: str = ""
    is_above: bool = False


@dataclass(frozen=True)
class ValueBars:
    """All segments, the most valuable first; without a known value the largest first."""

    bars: tuple[Bar, ...]
    has_value: bool
    # the longest bar on either side, as shares: both sides have one scale
    longest: tuple[float, float]


def in_order(groups: Sequence[Group], display: SegmentValueDisplay | None) -> list[Group]:
    """Put the segments in the order of their value, else of their size; those of which nothing is told come last."""
    if display is None:
        return sorted(groups, key=lambda group: (-(group.n_customers or 0.0), group.name))
    place = {segment: position for position, segment in enumerate(display.data_["segment"])}
    return sorted(groups, key=lambda group: (place.get(group.segment, len(place)), group.segment))


def value_bars(groups: Sequence[Group], display: SegmentValueDisplay | None, cards: Mapping[int, str]) -> ValueBars:
    """Lay the bars out, for segments in their order."""
    rows = {} if display is None else {row.segment: row for row in rows_of(display.data_)}
    most = max((group.share or 0.0 for group in groups), default=0.0) or 1.0
    worth = max((row.value_share for row in rows.values() if known(row.value_share)), default=0.0) or 1.0
    bars = []
    for group in groups:
        row, size = rows.get(group.segment), 100 * (group.share or 0.0) / most
        share = group.size if group.share is None else format_share(group.share)
        bar = Bar(group.name, cards.get(group.segment), share, round(size, 1))
        if row is not None and known(row.value_share):
            bar = Bar(
                *(bar.name, bar.card, bar.share, bar.size, format_share(row.value_share)),
                worth=round(100 * max(row.value_share, 0.0) / worth, 1),
                each=money(row.per_customer),
                times=times_average(row.value_share / row.share),
                is_above=row.value_share >= row.share,
            )
        bars.append(bar)
    return ValueBars(tuple(bars), display is not None, (round(most, 4), round(worth, 4)))


def money(value: float) -> str:
    """Write what a customer is worth: to the unit from a hundred, for a price tag of more digits says no more."""
    return format_total(value) if abs(value) >= 100 else format_number(value)


def agreement(figure: float, limit: float) -> str:
    """Write an agreement with two decimals, unless it would look as if it met the limit that it misses.

    Examples
    --------
    >>> agreement(0.834, 0.75), agreement(0.7499, 0.75)
    ('0.83', '0.7499')
    """
    text = f"{figure:.2f}"
    return format_against(figure, limit) if figure < limit <= float(text) else text


def times_average(times: float) -> str:
    """Write how many times as much as the average customer one is worth.

    Examples
    --------
    >>> [times_average(times) for times in (2.51, 12.4, 0.97, 0.42, 0.031, 0.002, 0.0)]
    ['2.5', '12', '0.97', '0.4', '0.03', 'under 0.01', '0']
    """
    if 0 < times < 0.01:
        return "under 0.01"
    text = format_number(times, 1 if 0 < abs(times) < 1 else 2)
    return text if text != "1" else f"{times:.2f}"
