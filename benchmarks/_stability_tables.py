"""Tables of six kinds and several shapes: how long the stability takes that a user writes, and ours, how thorough."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from custseg import SegmentClusterer
from custseg.validation import StabilityResult, bootstrap_stability

Matrix = npt.NDArray[np.float64]

N_SEGMENTS, N_PAIRS = tuple(range(2, 11)), 20
THOROUGH_SEGMENTS, THOROUGH_PAIRS, THOROUGH_INIT = (2, 3, 4, 5, 6, 8, 10), 12, 100
MAX_SEED = np.iinfo(np.int32).max
# Pairs that scikit-learn is timed on where all of them would take too long; the time is taken times the rest.
FEW_PAIRS = {4_339: 4, 3_000: 4, 30_000: 2, 300_000: 1}


def standardised(X: Matrix) -> Matrix:
    return (X - X.mean(axis=0)) / X.std(axis=0)


def planted(n: int, n_columns: int, n_groups: int = 6, seed: int = 0) -> Matrix:
    random = np.random.RandomState(seed)
    centers = random.normal(size=(n_groups, n_columns)) * 1.5 * np.sqrt(3 / n_columns)
    return standardised(centers[random.randint(0, n_groups, n)] + random.normal(size=(n, n_columns)))


def continuum(n: int, n_columns: int, seed: int = 0) -> Matrix:
    random = np.random.RandomState(seed)
    loadings = random.normal(size=(4, n_columns))
    return standardised(random.normal(size=(n, 4)) @ loadings + random.normal(size=(n, n_columns)))


def purchases(n: int = 4_339, seed: int = 0) -> Matrix:
    """Logarithms of recency, frequency and monetary value."""
    random = np.random.RandomState(seed)
    rate = random.gamma(0.7, size=n)
    frequency = 1 + random.poisson(4 * rate)
    recency = np.minimum(random.exponential(60 / (0.2 + rate)), 373).round()
    monetary = np.exp(random.normal(np.log(20 * frequency), 0.8, n))
    return standardised(np.log(np.column_stack([recency + 5, frequency, monetary])))


def heavy_tailed(n: int = 3_000, n_columns: int = 6, seed: int = 0) -> Matrix:
    random = np.random.RandomState(seed)
    tastes = random.normal(size=(n, 2)) @ random.normal(size=(2, n_columns))
    return standardised(np.exp(0.7 * (tastes + 0.6 * random.normal(size=(n, n_columns)))))


def binary(n: int = 1_453, n_columns: int = 11, seed: int = 3) -> Matrix:
    random = np.random.default_rng(seed)
    tastes, loadings = random.normal(size=(n, 2)), random.normal(size=(2, n_columns))
    thresholds = random.normal(size=n_columns)
    return (tastes @ loadings + 0.7 * random.normal(size=(n, n_columns)) > thresholds).astype(np.float64)


def likert(n: int = 2_000, n_columns: int = 12, seed: int = 0) -> Matrix:
    random = np.random.RandomState(seed)
    tastes = random.normal(size=(n, 3)) @ random.normal(size=(3, n_columns))
    return standardised(np.clip(np.round(3 + 0.7 * (tastes + 1.2 * random.normal(size=(n, n_columns)))), 1, 5))


def mixed(n: int = 3_000, seed: int = 0) -> Matrix:
    random = np.random.RandomState(seed)
    tastes = random.normal(size=(n, 2))
    numbers = tastes @ random.normal(size=(2, 5)) + random.normal(size=(n, 5))
    yes = (tastes @ random.normal(size=(2, 4)) + random.normal(size=(n, 4)) > 0.3).astype(np.float64)
    level = np.eye(4)[np.digitize(tastes[:, 0] + random.normal(size=n), [-1, 0, 1])]
    shares = level.mean(axis=0)
    nominal = (level - shares) / np.sqrt((shares * (1 - shares)).sum())
    return np.hstack([standardised(numbers), standardised(yes), nominal])


SHAPES: dict[str, Callable[[], Matrix]] = {
    "purchases": purchases,
    "planted": lambda: planted(3_000, 25),
    "planted, many": lambda: planted(30_000, 25),
    "planted, very many": lambda: planted(300_000, 25),
}
LEAST_RATIO = {"purchases": 5, "planted": 5, "planted, many": 20, "planted, very many": 100}
KINDS: dict[str, Callable[[], Matrix]] = {
    "continuous": lambda: continuum(3_000, 25),
    "heavy-tailed": heavy_tailed,
    "binary": binary,
    "Likert": likert,
    "mixed": mixed,
    "planted": lambda: planted(3_000, 25),
}


def by_hand(X: Matrix, numbers: tuple[int, ...], n_pairs: int, n_init: int) -> float:
    """Mean adjusted Rand index over the numbers, as a user writes it, on the samples that ours draws."""
    distinct, pattern = np.unique(X, axis=0, return_inverse=True)
    pattern = pattern.ravel()
    order = np.lexsort(X.T)
    random = np.random.RandomState(0)
    random.randint(MAX_SEED)
    agreement = []
    for pair in random.randint(MAX_SEED, size=(n_pairs, 2)):
        samples = [order[np.random.RandomState(seed).randint(len(X), size=len(X))] for seed in pair]
        for k in numbers:
            labels = []
            for seed, sample in enumerate(samples):
                counts = np.bincount(pattern[sample], minlength=len(distinct))
                fitted = KMeans(k, n_init=n_init, random_state=seed)
                fitted.fit(distinct[counts > 0], sample_weight=counts[counts > 0])
                labels.append(fitted.predict(distinct)[pattern])
            agreement.append(adjusted_rand_score(*labels))
    return float(np.mean(agreement))


def ours(X: Matrix, numbers: tuple[int, ...], n_pairs: int) -> StabilityResult:
    clusterer = SegmentClusterer(embedder="passthrough", random_state=0)
    return bootstrap_stability(clusterer, X, numbers, n_pairs, random_state=0)


def time_row(name: str) -> dict[str, Any]:
    X = SHAPES[name]()
    few = FEW_PAIRS[len(X)]
    with threadpool_limits(limits=1):
        start = time.process_time()
        result = ours(X, N_SEGMENTS, N_PAIRS)
        middle = time.process_time()
        peer = by_hand(X, N_SEGMENTS, few, n_init=10)
        end = time.process_time()
    peer_seconds = (end - middle) * N_PAIRS / few
    return {
        "table": name,
        "rows": len(X),
        "columns": X.shape[1],
        "cells": result.n_cells,
        "cell loss": result.cell_loss,
        "custseg CPU s": middle - start,
        "scikit-learn CPU s (few pairs, times the rest)": peer_seconds,
        "scikit-learn / custseg": peer_seconds / (middle - start),
        "wanted": LEAST_RATIO[name],
        "custseg mean ARI of these pairs": float(result.adjusted_rand[:, :few].mean()),
        "scikit-learn mean ARI": peer,
    }


def thorough_row(name: str) -> dict[str, Any]:
    X = KINDS[name]()
    with threadpool_limits(limits=1):
        result = ours(X, THOROUGH_SEGMENTS, THOROUGH_PAIRS)
        curve = by_hand(X, THOROUGH_SEGMENTS, THOROUGH_PAIRS, THOROUGH_INIT)
    mean = float(result.adjusted_rand.mean())
    return {
        "kind": name,
        "rows": len(X),
        "columns": X.shape[1],
        "cells": result.n_cells,
        "cell loss": result.cell_loss,
        "custseg mean ARI": mean,
        "100 restarts of scikit-learn": curve,
        "difference of means": mean - curve,
        "least agreement of the optimiser": float(result.mean_optimiser_adjusted_rand.min()),
    }
