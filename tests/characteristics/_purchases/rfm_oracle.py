"""The definitions of recency, frequency, monetary and tenure, once more, in plain Python over one row after another."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd

FEATURES = ("recency", "frequency", "monetary", "tenure")
HOURS = {"h": 1, "D": 24, "W": 7 * 24, "M": 24 * 365.2425 / 12, "Y": 24 * 365.2425}


def start_of(time: datetime, period: str) -> datetime:
    day = time.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "h": time.replace(minute=0, second=0, microsecond=0),
        "D": day,
        "W": day - timedelta(days=day.weekday()),
        "M": day.replace(day=1),
    }[period]


def usable(row: dict[str, Any], as_of: datetime, order_id: bool, returns: str) -> bool:
    last = datetime.combine(as_of.date(), datetime.max.time()) if as_of == start_of(as_of, "D") else as_of
    known = ["customer_id", "timestamp", "amount", *(["order_id"] if order_id else [])]
    if any(pd.isna(row[name]) for name in known) or row["timestamp"] > last:
        return False
    return returns != "drop" or row["amount"] >= 0


def mean(amounts: list[float], n: int) -> float:
    """Divide what the amounts add up to as they are written: 9.99 three times is 29.97."""
    return float(sum(map(Fraction, map(repr, amounts)), Fraction()) / n) if n else math.nan


def brute_force(
    lines: pd.DataFrame,
    *,
    order_id: bool = False,
    period: str = "D",
    time_unit: str = "D",
    as_of: datetime | None = None,
    monetary_as: str = "mean",
    returns: str = "net",
) -> pd.DataFrame:
    rows = lines.to_dict("records")
    if as_of is None:
        as_of = max(row["timestamp"].to_pydatetime() for row in rows if not pd.isna(row["timestamp"]))
    kept = [row for row in rows if usable(row, as_of, order_id, returns)]
    found = {}
    for customer in sorted({row["customer_id"] for row in kept}):
        own = [row for row in kept if row["customer_id"] == customer]
        bought = [row for row in own if row["amount"] >= 0]
        if not bought:
            continue
        starts = [start_of(row["timestamp"].to_pydatetime(), period) for row in bought]
        first = min(starts)
        units = {row["order_id"] for row in bought} if order_id else set(starts)
        in_first = {row["order_id"] for row, start in zip(bought, starts, strict=True) if start == first}
        n_later = len(units) - (len(in_first) if order_id else 1)
        spend = [row["amount"] for row in own]
        later = [row["amount"] for row in own if start_of(row["timestamp"].to_pydatetime(), period) != first]
        end = start_of(as_of, period)
        found[int(customer)] = {
            "recency": (end - max(starts)) // timedelta(hours=1) / HOURS[time_unit],
            "frequency": len(units),
            "monetary": {
                "total": math.fsum(spend),
                "mean": mean(spend, len(units)),
                "mean_repeat": mean(later, n_later),
            }[monetary_as],
            "tenure": (end - first) // timedelta(hours=1) / HOURS[time_unit],
        }
    frame = pd.DataFrame.from_dict(found, orient="index", columns=list(FEATURES))
    frame = frame.astype({name: "int64" if name == "frequency" else "float64" for name in FEATURES})
    return frame.rename_axis("customer_id")
