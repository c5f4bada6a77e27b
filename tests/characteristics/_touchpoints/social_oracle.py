"""Social media features by definition: plain Python and exact fractions, one customer after the other."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from typing import Any

import pandas as pd

from tests.characteristics._touchpoints.path_oracle import OTHER, leading, ratio


def mean(values: list[float]) -> float:
    return float(sum(map(Fraction, values))) / len(values) if values else float("nan")


def brute_force(
    rows: list[dict[str, Any]], *, weights: dict[str, float], advocacy: float, today: date, n_leading: int
) -> pd.DataFrame:
    """Features of each customer, in days, from rows with customer, day, platform, action, reach and sentiment.

    Rows without a weighted action are left out; the other values are None where missing.
    """
    rows = [{**row, "weight": weights[row["action"]]} for row in rows if row["action"] in weights]
    levels = leading([row["platform"] for row in rows], n_leading)
    pools = any(row["platform"] not in (*levels, None) for row in rows)
    names = [*levels, OTHER] if pools else levels
    depths = sorted(set(weights.values()))
    called = [next(name for name, weight in weights.items() if weight == depth) for depth in depths]
    found = {}
    for customer in sorted({row["customer"] for row in rows}):
        own = [row for row in rows if row["customer"] == customer]
        platforms = Counter(row["platform"] for row in own if row["platform"] is not None)
        posts = [row for row in own if row["weight"] >= advocacy]
        tones = [row["sentiment"] for row in own if row["sentiment"] is not None]
        reach = [row["reach"] for row in posts if row["reach"] is not None]

        def place(level: str) -> int:
            return names.index(level if level in levels else OTHER)

        most = [level for level, count in platforms.items() if count == max(platforms.values())]
        features: dict[str, Any] = {
            "interactions": len(own),
            "active_days": len({row["day"] for row in own}),
            "activity": len(own) / ((today - min(row["day"] for row in own)).days + 1),
            "recency": float((today - max(row["day"] for row in own)).days),
            "platforms": len(platforms),
            "leading_platform": names[min(map(place, most))] if most else None,
        }
        for name in names:
            n_rows = sum(count for level, count in platforms.items() if names[place(level)] == name)
            features[f"share_platform_{name}"] = ratio(n_rows, sum(platforms.values()))
        features["engagement"] = mean([row["weight"] for row in own])
        features["deepest_action"] = called[depths.index(max(row["weight"] for row in own))]
        features["advocacy"] = len(posts) / len(own)
        features["reach_total"] = float(sum(map(Fraction, reach))) if reach else float("nan")
        features["reach_mean"] = mean(reach)
        features["sentiment_mean"] = mean(tones)
        features["sentiment_negative_share"] = ratio(sum(tone < 0 for tone in tones), len(tones))
        features["sentiment_advocacy"] = mean([row["sentiment"] for row in posts if row["sentiment"] is not None])
        found[customer] = features
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("customer_id")
