"""Who the segments are: profiles and personas of a million customers beside one groupby of pandas, and the pictures."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._timing import in_turns
from custseg.personas import PersonaDescriber, profile_segments
from custseg.plotting import (
    DistributionDisplay,
    GorgeDisplay,
    MosaicDisplay,
    RFMGridDisplay,
    SegmentMapDisplay,
    SegmentValueDisplay,
    SeparationDisplay,
)
from custseg.segmentation import RFMSegmenter, Segmentation, SegmentClusterer

N_CUSTOMERS, N_COLUMNS, N_SEGMENTS = 1_000_000, 40, 8
N_DRAWN = 100_000


def run() -> list[dict[str, Any]]:
    tables = [_described(shape, kinds) for shape, kinds in _shapes().items()]
    return [*tables, *_pictures()]


def _shapes() -> dict[str, tuple[Callable[[np.random.RandomState, np.ndarray], Any], ...]]:
    """Columns of all kinds, numbers alone, sums of money, numbers of which a tenth is missing."""
    n = N_CUSTOMERS

    def numbers(random: np.random.RandomState, labels: np.ndarray) -> Any:
        return random.normal(size=n) + 0.1 * labels

    def money(random: np.random.RandomState, labels: np.ndarray) -> Any:
        return np.round(np.exp(numbers(random, labels)), 2)

    def missing(random: np.random.RandomState, labels: np.ndarray) -> Any:
        return np.where(random.rand(n) < 0.1, np.nan, numbers(random, labels))

    def levels(random: np.random.RandomState, labels: np.ndarray) -> Any:
        return pd.Categorical.from_codes((random.randint(0, 9, n) + labels) % 5, list("abcde"))

    def ordered(random: np.random.RandomState, labels: np.ndarray) -> Any:
        return levels(random, labels).as_ordered()

    def yes_or_no(random: np.random.RandomState, labels: np.ndarray) -> Any:
        return random.rand(n) < 0.3 + 0.01 * labels

    all_kinds = (numbers, money, levels, yes_or_no, missing, money, ordered, yes_or_no)
    return {"all kinds": all_kinds, "numbers": (numbers,), "sums of money": (money,), "a tenth missing": (missing,)}


def _described(shape: str, kinds: tuple[Callable[..., Any], ...]) -> dict[str, Any]:
    random = np.random.RandomState(0)
    labels = random.randint(0, N_SEGMENTS, N_CUSTOMERS)
    customers = pd.DataFrame(
        {f"c{position}": kinds[position % len(kinds)](random, labels) for position in range(N_COLUMNS)}
    )
    plain = pd.DataFrame(
        {name: (each.cat.codes if hasattr(each, "cat") else each).astype(float) for name, each in customers.items()}
    )
    timed = in_turns(
        {
            "groupby": lambda: plain.groupby(labels).agg(["mean", "std", "count"]),
            "profile": lambda: profile_segments(customers, labels),
            "personas": lambda: PersonaDescriber().fit(customers, labels),
        },
        n_rounds=3,
    )
    _check(timed["profile"].result.frame, timed["groupby"].result)
    peer = timed["groupby"]
    return {
        "columns": shape,
        "groupby s": peer.seconds,
        **{f"{name} ratio": timed[name].seconds / peer.seconds for name in ("profile", "personas")},
        **{f"{name} CPU ratio": timed[name].cpu_seconds / peer.cpu_seconds for name in ("profile", "personas")},
        "limit": 3,
    }


def _check(profile: pd.DataFrame, grouped: pd.DataFrame) -> None:
    """Make sure that both counted and averaged the same."""
    means = profile[(profile["kind"] == "numeric") & (profile["statistic"] == "mean")]
    for row in means.to_dict("records"):
        np.testing.assert_allclose(row["segment_value"], grouped[row["characteristic"], "mean"][row["segment"]], 1e-9)
        assert row["n"] == grouped[row["characteristic"], "count"][row["segment"]]


def _pictures() -> list[dict[str, Any]]:
    random = np.random.RandomState(0)
    labels = random.randint(6, size=N_DRAWN)
    spread = 2 * random.normal(size=(6, 15))[labels] + random.normal(size=(N_DRAWN, 15))
    customers = pd.DataFrame(spread, columns=[f"c{position}" for position in range(15)])
    clusterer = SegmentClusterer(6, random_state=0).fit(customers)
    segments = Segmentation.by(clusterer, customers, value=np.exp(customers["c0"].to_numpy()))
    described = Segmentation.of(
        customers.assign(level=np.array(list("abcdefgh"))[random.randint(8, size=N_DRAWN)]), labels
    )
    scores = pd.DataFrame(
        {
            "recency": random.randint(1, 400, N_DRAWN) * 1.0,
            "frequency": random.geometric(0.2, N_DRAWN),
            "monetary": random.lognormal(size=N_DRAWN),
        }
    )
    by_rules = Segmentation.by(RFMSegmenter().fit(scores), scores)
    displays = {
        "value": lambda: SegmentValueDisplay.from_predictions(segments),
        "map": lambda: SegmentMapDisplay.from_predictions(segments),
        "gorge": lambda: GorgeDisplay.from_predictions(segments),
        "separation": lambda: SeparationDisplay.from_predictions(segments),
        "mosaic": lambda: MosaicDisplay(described, "level"),
        "distribution": lambda: DistributionDisplay(described, "c3"),
        "RFM grid": lambda: RFMGridDisplay(by_rules),
    }
    with tempfile.TemporaryDirectory() as folder:
        rows = [{"picture": name, "s": _seconds(draw, Path(folder) / "picture.svg")} for name, draw in displays.items()]
    return [*rows, {"picture": "all", "s": sum(row["s"] for row in rows)}]


def _seconds(draw: Callable[[], Any], path: Path) -> float:
    started = time.perf_counter()
    draw().save(path)
    return time.perf_counter() - started
