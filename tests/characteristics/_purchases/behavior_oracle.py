"""The definitions of how customers buy, once more, in plain Python over one row after another."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd

from tests.characteristics._purchases.rfm_oracle import HOURS, start_of, usable

PARTS = {"morning": 1, "afternoon": 2, "evening": 3, "night": 0}


def brute_force(
    lines: pd.DataFrame,
    *,
    order_id: bool = False,
    period: str = "D",
    time_unit: str = "D",
    as_of: datetime | None = None,
    returns: str = "net",
    leading: dict[str, list[str]],
) -> pd.DataFrame:
    """Describe every customer; ``leading`` says the leading levels of each text column."""
    rows = lines.to_dict("records")
    if as_of is None:
        as_of = max(row["timestamp"].to_pydatetime() for row in rows if not pd.isna(row["timestamp"]))
    kept = [row for row in rows if usable(row, as_of, order_id, returns)]
    found = {}
    for customer in sorted({row["customer_id"] for row in kept}):
        own = [row for row in kept if row["customer_id"] == customer]
        if any(row["amount"] >= 0 for row in own):
            found[int(customer)] = describe(own, order_id, (period, HOURS[time_unit]), as_of, leading)
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("customer_id")


def describe(own, order_id, units, as_of, leading) -> dict[str, Any]:
    period, unit = units
    bought = [row for row in own if row["amount"] >= 0]
    starts = {id(row): start_of(row["timestamp"].to_pydatetime(), period) for row in bought}
    visits: dict[Any, list[dict[str, Any]]] = {}
    for row in bought:
        visits.setdefault((starts[id(row)], row["order_id"] if order_id else None), []).append(row)
    periods = sorted(set(starts.values()))
    orders = len({row["order_id"] for row in bought}) if order_id else len(periods)
    spend = math.fsum(row["amount"] for row in bought)
    known = [row for row in bought if not pd.isna(row["discount"])]
    off = math.fsum(row["discount"] for row in known)
    gaps = [(later - earlier) / timedelta(hours=1) / unit for earlier, later in pairwise(periods)]
    result = {
        "orders": orders,
        "lines": len(bought),
        "basket_spend": math.fsum(row["amount"] for row in own) / orders,
        "basket_lines": len(bought) / orders,
        "gap_mean": statistics.fmean(gaps) if gaps else math.nan,
        "gap_spread": statistics.stdev(gaps) if len(gaps) > 1 else math.nan,
        "spend_trend": trend(bought, starts, periods[0], start_of(as_of, period), spend) if gaps else math.nan,
        "return_rate": divide(-math.fsum(row["amount"] for row in own if row["amount"] < 0), spend),
        "discount_share": divide(off, off + math.fsum(row["amount"] for row in known)),
    }
    times = [min(row["timestamp"].to_pydatetime() for row in visit) for visit in visits.values()]
    result["weekend_share"] = sum(moment.weekday() >= 5 for moment in times) / len(times)
    result |= dayparts(visits)
    for role, levels in leading.items():
        result |= shares(bought, role, levels)
    return result


def trend(bought, starts, first, end, spend) -> float:
    sides = {row_id: (start - first) - (end - start) for row_id, start in starts.items()}
    recent = math.fsum(row["amount"] for row in bought if sides[id(row)] > timedelta(0))
    earlier = math.fsum(row["amount"] for row in bought if sides[id(row)] < timedelta(0))
    return divide(recent - earlier, spend)


def dayparts(visits) -> dict[str, float]:
    hours = []
    for visit in visits.values():
        clocks = [row["timestamp"].to_pydatetime().time() for row in visit]
        clocks = [clock for clock in clocks if clock != time()]
        hours += [min(clocks).hour] if clocks else []
    counts = Counter(hour // 6 for hour in hours)
    return {f"{part}_share": divide(counts[position], len(hours)) for part, position in PARTS.items()}


def shares(bought, role, levels) -> dict[str, float]:
    spent: dict[str, float] = {}
    for row in bought:
        if not pd.isna(row[role]):
            spent[row[role]] = spent.get(row[role], 0.0) + row["amount"]
    total = math.fsum(spent.values())
    several = {"category": "categories", "channel": "channels"}[role]
    result = {several: float(len(spent)) if spent else math.nan}
    result[f"{role}_concentration"] = divide(max(spent.values(), default=0.0), total)
    for level in levels:
        part = spent.get(level, 0.0)
        if level == "other":
            part = math.fsum(value for name, value in spent.items() if name not in levels or name == "other")
        result[f"share_{role}_{level}"] = divide(part, total)
    return result


def divide(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
