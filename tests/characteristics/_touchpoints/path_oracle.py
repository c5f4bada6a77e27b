"""Purchase paths by definition: plain Python, one event after the other, one customer after the other."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

OTHER = "other"


def leading(values: list[Any], n_leading: int) -> list[str]:
    """The most frequent values, equally frequent ones by text."""
    counts = Counter(value for value in values if value is not None and value != OTHER)
    return sorted(counts, key=lambda value: (-counts[value], value))[:n_leading]


def split(events: list[tuple[datetime, int, Any]], last: int, max_gap: timedelta) -> list[list[tuple]]:
    """Cut the events of one customer, in their order, into paths."""
    paths: list[list[tuple]] = []
    for event in events:
        before = paths[-1][-1] if paths else None
        silent = before is not None and event[0] - before[0] > max_gap
        bought = before is not None and before[1] == last and event[0] > before[0]
        if before is None or silent or bought:
            paths.append([])
        paths[-1].append(event)
    return paths


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def most_frequent(values: list[Any], levels: list[str]) -> Any:
    counts = Counter(value for value in values if value is not None)
    return max(levels, key=lambda level: (counts[level], -levels.index(level))) if counts else None


def brute_force(
    table: pd.DataFrame, *, stages: tuple[str, ...], max_gap: timedelta, as_of: datetime, n_leading: int | None
) -> pd.DataFrame:
    """Features of every customer with a known event up to ``as_of``; without channels where ``n_leading`` is None.

    ``table`` has the columns customer_id, timestamp, stage, channel and None for what is missing.
    """
    last = len(stages) - 1
    rows = [
        (customer, time, stages.index(stage), channel)
        for customer, time, stage, channel in table.itertuples(index=False)
        if customer is not None and time is not None and stage in stages and time <= as_of
    ]
    touches = [channel for _, _, step, channel in rows if step < last]
    levels = leading(touches, n_leading or 0)
    pools = any(channel not in levels and channel is not None for channel in touches)
    names = [*levels, OTHER] if pools else levels

    def pooled(channel: Any) -> Any:
        return channel if channel is None or channel in levels else OTHER

    found = {}
    for customer in sorted({row[0] for row in rows}):
        own = [(time, step, pooled(channel)) for owner, time, step, channel in rows if owner == customer]
        own.sort(key=lambda event: (event[0], event[1], names.index(event[2]) if event[2] in names else -1))
        paths = split(own, last, max_gap)
        bought = [path for path in paths if path[-1][1] == last]
        lost = [path for path in paths if path[-1][1] != last and as_of - path[-1][0] > max_gap]
        ended = bought + lost
        row: dict[str, Any] = {f"events_{stage}": sum(e[1] == step for e in own) for step, stage in enumerate(stages)}
        row["paths"] = len(paths)
        row["path_open"] = len(paths) > len(ended)
        reached = [sum(max(event[1] for event in path) >= step for path in ended) for step in range(len(stages))]
        for step in range(1, len(stages)):
            row[f"conversion_to_{stages[step]}"] = ratio(reached[step], reached[step - 1])
        row["abandoned_share"] = ratio(len(lost), len(ended))
        row["touches_to_purchase"] = ratio(sum(sum(e[1] < last for e in path) for path in bought), len(bought))
        days = sum((path[-1][0] - path[0][0] for path in bought), timedelta()) / timedelta(microseconds=1)
        row["time_to_purchase"] = ratio(days, len(bought)) / 86_400_000_000
        if n_leading is not None:
            channels = {id(path): [e[2] for e in path if e[1] < last and e[2] is not None] for path in paths}
            placed = [channels[id(path)] for path in bought if channels[id(path)]]
            row["first_touch_channel"] = most_frequent([known[0] for known in placed], names)
            row["last_touch_channel"] = most_frequent([known[-1] for known in placed], names)
            several = [channels[id(path)] for path in ended if channels[id(path)]]
            row["multichannel_share"] = ratio(sum(len(set(known)) > 1 for known in several), len(several))
            all_known = [channel for path in paths for channel in channels[id(path)]]
            for name in names:
                row[f"share_channel_{name}"] = ratio(all_known.count(name), len(all_known))
        found[customer] = row
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("customer_id")
