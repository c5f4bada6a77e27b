"""The k-means engine beside scikit-learn's KMeans: at equal time, and on a million customers.

At equal time scikit-learn gets as many restarts as fit into the CPU seconds of ours, at least one,
so that both SSE are what the same time buys. On a million rows ours fits a sample, improves it on all
rows and assigns them; scikit-learn fits all rows with 10 restarts. Both use one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from benchmarks.validation import make_answers
from custseg.segmentation._kmeans.kmeans import fit_kmeans
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.patterns import distinct_patterns

N_INIT = 20
ROUNDING = 1e-9
LARGE_SHAPE, LARGE_CLUSTERS, LARGE_INIT = (1_000_000, 20), 8, 10
LARGEST_LOSS = 0.01
VACMOT = Path(__file__).parents[2] / "shared" / "data" / "vacmot_flexclust" / "vacmot.csv"

Floats = npt.NDArray[np.float64]


def make_tables() -> dict[str, tuple[Floats, int]]:
    """Return tables and numbers of clusters: repeated survey answers, then rows that never repeat."""
    random = np.random.RandomState(0)
    tables = {"survey, 11 yes or no": (make_answers(), 5)}
    if VACMOT.exists():
        tables["vacmot, 20 yes or no"] = (np.loadtxt(VACMOT, delimiter=",", skiprows=1), 6)
    likert = random.randn(20_000, 1) * 0.7 + random.randn(20_000, 4)
    tables["20,000 answers, 4 of 5 points"] = (np.clip(np.round(likert), -2, 2), 7)
    centers = random.rand(12, 3) * 12
    tables["12 groups of 1,000 rows"] = (centers[random.randint(12, size=1_000)] + random.randn(1_000, 3), 12)
    tables["one cloud of 1,200 rows"] = (random.randn(1_200, 8), 6)
    centers = random.randn(10, 10)
    tables["10 groups of 20,000 rows"] = (centers[random.randint(10, size=20_000)] + random.randn(20_000, 10), 10)
    return tables


def run() -> list[dict[str, Any]]:
    with threadpool_limits(limits=1):
        return [*(_at_equal_time(name, *table) for name, table in make_tables().items()), _on_a_million_rows()]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def _at_equal_time(name: str, matrix: Floats, n_clusters: int) -> dict[str, Any]:
    def ours() -> float:
        return fit_kmeans(distinct_patterns(matrix), n_clusters, n_init=N_INIT, random_state=0).sse

    ours()
    sse, seconds = _timed(ours)
    spent, best, n_starts = 0.0, np.inf, 0
    while spent < seconds or not n_starts:
        fitted, took = _timed(partial(KMeans(n_clusters, n_init=1, random_state=n_starts).fit, matrix))
        spent, best, n_starts = spent + took, min(best, fitted.inertia_), n_starts + 1
    assert sse <= best * (1 + ROUNDING)
    return _row(name, (sse, best), (seconds, spent), n_starts)


def _on_a_million_rows() -> dict[str, Any]:
    random = np.random.RandomState(0)
    centers = random.randn(LARGE_CLUSTERS, LARGE_SHAPE[1]) * 0.5
    matrix = centers[random.randint(LARGE_CLUSTERS, size=LARGE_SHAPE[0])] + random.randn(*LARGE_SHAPE)

    def ours() -> float:
        fit = fit_kmeans(distinct_patterns(matrix), LARGE_CLUSTERS, n_init=LARGE_INIT, random_state=0)
        labels = nearest(matrix, fit.centers)
        return float(((matrix - fit.centers[labels]) ** 2).sum())

    sse, seconds = _timed(ours)
    peer, peer_seconds = _timed(lambda: KMeans(LARGE_CLUSTERS, n_init=LARGE_INIT, random_state=0).fit(matrix))
    assert sse <= peer.inertia_ * (1 + LARGEST_LOSS)
    return _row("8 groups of 1,000,000 rows, 20 columns", (sse, peer.inertia_), (seconds, peer_seconds), LARGE_INIT)


def _row(name: str, sse: tuple[float, float], seconds: tuple[float, float], n_starts: int) -> dict[str, Any]:
    return {
        "table": name,
        "custseg SSE": sse[0],
        "scikit-learn SSE": sse[1],
        "scikit-learn SSE above, per 10,000": 1e4 * (sse[1] / sse[0] - 1),
        "custseg CPU seconds": seconds[0],
        "scikit-learn CPU seconds": seconds[1],
        "scikit-learn restarts": n_starts,
    }
