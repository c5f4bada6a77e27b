"""Does ``n_segments="auto"`` answer 1 for customers without segments, and find those that were planted?

Every set is generated with its own seed, so each row can be reproduced alone:
``python -m benchmarks.structure --kinds rfm planted --sets 10``. For customers without segments the
share of sets with more than one is the false alarm rate (level .05); for the others it is the power.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg import SegmentClusterer
from custseg.datasets import make_customers
from custseg.exceptions import DataQualityWarning

Floats = npt.NDArray[np.float64]

N_SETS = 60
# Far from the seeds with which the method was developed.
FIRST_SEED = 20_000
LIKERT_CUTS = (-1.2, -0.4, 0.4, 1.2)


def from_factors(random: np.random.RandomState, factors: Floats, n_columns: int) -> Floats:
    """Columns of variance 1 of which the factors explain between 30% and 80%."""
    loadings = random.normal(size=(factors.shape[1], n_columns))
    loadings /= np.sqrt((loadings**2).sum(axis=0))
    share = random.uniform(0.3, 0.8, n_columns)
    return factors @ loadings * np.sqrt(share) + random.normal(size=(len(factors), n_columns)) * np.sqrt(1 - share)


def likert(latent: Floats) -> pd.Categorical:
    return pd.Categorical.from_codes(np.searchsorted(LIKERT_CUTS, latent), list("12345"), ordered=True)


def utilities(random: np.random.RandomState, factors: Floats, n_levels: int) -> npt.NDArray[Any]:
    shape = (factors.shape[1], n_levels)
    strength = factors @ random.normal(0, 0.8, size=shape) + random.normal(0, 0.4, n_levels)
    return np.array(list("abcde"))[(strength + random.normal(size=(len(factors), n_levels))).argmax(axis=1)]


def frame(columns: Sequence[Any]) -> pd.DataFrame:
    return pd.DataFrame({f"x{position}": column for position, column in enumerate(columns)})


def gaussian(random: np.random.RandomState, n: int) -> pd.DataFrame:
    return frame(list(from_factors(random, random.normal(size=(n, 3)), 8).T))


def lognormal(random: np.random.RandomState, n: int) -> pd.DataFrame:
    return np.exp(gaussian(random, n))


def gamma(random: np.random.RandomState, n: int) -> pd.DataFrame:
    return frame(list(random.gamma(1.0, size=(8, n))))


def likert_factors(random: np.random.RandomState, n: int) -> pd.DataFrame:
    return frame([likert(column) for column in from_factors(random, random.normal(size=(n, 2)), 8).T])


def nominal(random: np.random.RandomState, n: int) -> pd.DataFrame:
    factors = random.normal(size=(n, 2))
    return frame([utilities(random, factors, 3 + position % 3) for position in range(5)])


def mixed(random: np.random.RandomState, n: int) -> pd.DataFrame:
    factors = random.normal(size=(n, 2))
    latent = from_factors(random, factors, 8).T
    make = (
        lambda position: latent[position],
        lambda position: np.exp(0.8 * latent[position]),
        lambda position: utilities(random, factors, 3 + position % 3),
        lambda position: likert(latent[position]),
    )
    return frame([make[position % 4](position) for position in range(8)])


def mixed_missing(random: np.random.RandomState, n: int) -> pd.DataFrame:
    table = mixed(random, n)
    return table.mask(random.random_sample(table.shape) < 0.05)


def rfm(random: np.random.RandomState, n: int) -> pd.DataFrame:
    """One population of buyers: gamma rates, exponential lifetimes, lognormal spend, whole days of a year."""
    horizon = 365.0
    rate = random.gamma(0.9, 1 / 30, n)
    start = random.uniform(0, 0.8 * horizon, n)
    lifetime = random.exponential(1 / random.gamma(2.0, 1 / 400, n))
    spend = random.normal(3.5, 0.6, n)
    rows = []
    for customer in range(n):
        length = min(lifetime[customer], horizon - start[customer])
        later = random.uniform(0, length, random.poisson(rate[customer] * length))
        days = np.unique(np.floor(start[customer] + np.append(0.0, later)))
        amounts = np.exp(spend[customer] + 0.5 * random.normal(size=len(days)))
        rows.append((horizon - days[-1], len(days), amounts.mean()))
    return pd.DataFrame(rows, columns=["recency", "frequency", "monetary"])


def components(random: np.random.RandomState, n: int, n_columns: int = 8) -> Floats:
    """Four normal components with centres N(0, .8^2) and shares .4, .3, .2, .1."""
    centers = random.normal(0, 0.8, (4, n_columns))
    return centers[random.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])] + random.normal(size=(n, n_columns))


def four(random: np.random.RandomState, n: int) -> pd.DataFrame:
    return frame(list(components(random, n).T))


def four_likert(random: np.random.RandomState, n: int) -> pd.DataFrame:
    return frame([likert((column - column.mean()) / column.std()) for column in components(random, n).T])


@dataclass(frozen=True)
class Kind:
    """One kind of data set."""

    make: Callable[[np.random.RandomState, int], pd.DataFrame]
    n_customers: int
    truth: int | None


KINDS = {
    "gaussian": Kind(gaussian, 600, 1),
    "lognormal": Kind(lognormal, 600, 1),
    "gamma": Kind(gamma, 600, 1),
    "likert": Kind(likert_factors, 600, 1),
    "nominal": Kind(nominal, 600, 1),
    "mixed": Kind(mixed, 600, 1),
    "mixed, 5% missing": Kind(mixed_missing, 600, 1),
    "rfm": Kind(rfm, 600, 1),
    "rfm, 2,000 customers": Kind(rfm, 2_000, 1),
    "four components": Kind(four, 600, 4),
    "four components, likert": Kind(four_likert, 600, 4),
}
PLANTED = {"planted 3-8, separation 1.5": 1.5, "planted 3-8, separation 1.2": 1.2, "planted 3-8, separation 2.0": 2.0}


def sets_of(name: str, n_sets: int) -> Any:
    """Yield data sets of one kind, each with its true number of segments."""
    for seed in range(FIRST_SEED, FIRST_SEED + n_sets):
        if name in PLANTED:
            truth = 3 + seed % 6
            sample = make_customers(1_500, n_segments=truth, separation=PLANTED[name], missing=0.05, random_state=seed)
            yield sample.profile, truth
        else:
            kind = KINDS[name]
            yield kind.make(np.random.RandomState(seed), kind.n_customers), kind.truth


def measure(name: str, n_sets: int) -> dict[str, Any]:
    found, truths, effects = [], [], []
    seconds = 0.0
    for table, truth in sets_of(name, n_sets):
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            clusterer = SegmentClusterer(random_state=0).fit(table)
        seconds += time.perf_counter() - started
        found.append(clusterer.n_segments_)
        truths.append(truth)
        effects.append(clusterer.selection_.effect)
    difference = np.array(found) - np.array(truths)
    structured = truths[0] != 1
    return {
        "kind": name,
        "customers": len(table),
        "columns": table.shape[1],
        "sets": n_sets,
        "more_than_one": float(np.mean(np.array(found) > 1)),
        "exact": float(np.mean(difference == 0)) if structured else None,
        "within_one": float(np.mean(np.abs(difference) <= 1)) if structured else None,
        "median_effect": float(np.median(effects)),
        "seconds_per_set": seconds / n_sets,
    }


def run(kinds: Sequence[str] = (*KINDS, *PLANTED), n_sets: int = N_SETS) -> list[dict[str, Any]]:
    return [measure(name, n_sets) for name in kinds]


def main(as_json: bool = False, kinds: Sequence[str] = (*KINDS, *PLANTED), n_sets: int = N_SETS) -> None:
    """Measure and print one line per kind of data, as soon as it is known."""
    for name in kinds:
        row = measure(name, n_sets)
        text = "  ".join(
            f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()
        )
        print(json.dumps(row) if as_json else text, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=(*KINDS, *PLANTED), default=(*KINDS, *PLANTED))
    parser.add_argument("--sets", type=int, default=N_SETS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    main(options.json, options.kinds, options.sets)
