"""Paired-bootstrap stability beside the same design written with scikit-learn's KMeans.

Binary survey answers: 1,453 respondents, 11 items, about 260 distinct rows; 100 pairs for each of 2
to 8 segments, 10 restarts each, one thread each. The answers are sorted and both sides draw with the
same seeds, so both see the same bootstrap samples; what differs is how well each sample is solved. Ours adds
to the design refits of one sample (a tenth more of them) and the solutions on all customers.

Poor optimisation reads as instability: a lower mean adjusted Rand index would say that ours solves the samples worse.
To see where it ought to be, a few pairs are also solved by 100 restarts of scikit-learn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from custseg import SegmentClusterer
from custseg.validation import bootstrap_stability

N_ROWS, N_ITEMS = 1453, 11
N_SEGMENTS = tuple(range(2, 9))
N_BOOT = 100
N_INIT = 10
TOLERANCE = 0.02
THOROUGH_INIT, THOROUGH_BOOT = 100, 20
MAX_SEED = np.iinfo(np.int32).max


def make_answers(seed: int = 3) -> npt.NDArray[np.float64]:
    """Answer yes where two latent tastes and some noise pass an item's threshold."""
    random = np.random.default_rng(seed)
    tastes, loadings = random.normal(size=(N_ROWS, 2)), random.normal(size=(2, N_ITEMS))
    thresholds = random.normal(size=N_ITEMS)
    answers = (tastes @ loadings + 0.7 * random.normal(size=(N_ROWS, N_ITEMS)) > thresholds).astype(np.float64)
    return answers[np.lexsort(answers.T)]


def peer_stability(X: npt.NDArray[np.float64], n_init: int = N_INIT, n_boot: int = N_BOOT) -> dict[int, float]:
    """Mean adjusted Rand index per number of segments, written the plain way."""
    random = np.random.RandomState(0)
    random.randint(MAX_SEED)
    seeds = random.randint(MAX_SEED, size=(n_boot, 2))

    def assign(k: int, member: int) -> npt.NDArray[np.int32]:
        own = np.random.RandomState(member)
        sample = X[own.randint(len(X), size=len(X))]
        labels: npt.NDArray[np.int32] = KMeans(k, n_init=n_init, random_state=own).fit(sample).predict(X)
        return labels

    return {
        k: float(np.mean([adjusted_rand_score(assign(k, one), assign(k, other)) for one, other in seeds]))
        for k in N_SEGMENTS
    }


def run() -> list[dict[str, Any]]:
    X = make_answers()
    clusterer = SegmentClusterer(embedder="passthrough", n_init=N_INIT, random_state=0)
    with threadpool_limits(limits=1):
        seconds, result = timed(lambda: bootstrap_stability(clusterer, X, N_SEGMENTS, N_BOOT, random_state=0))
        peer_seconds, peer = timed(lambda: peer_stability(X))
        thorough = peer_stability(X, THOROUGH_INIT, THOROUGH_BOOT)
    ours = result.mean_adjusted_rand.to_dict()
    few = result.adjusted_rand[:, :THOROUGH_BOOT].mean(axis=1)
    rows = [_row(k, N_BOOT, N_INIT, ours[k], peer[k]) for k in N_SEGMENTS]
    rows += [_row(k, THOROUGH_BOOT, THOROUGH_INIT, float(few[i]), thorough[k]) for i, k in enumerate(N_SEGMENTS)]
    whole = _row("all", N_BOOT, N_INIT, _mean(ours.values()), _mean(peer.values()))
    whole |= {
        "custseg CPU s": seconds,
        "scikit-learn CPU s": peer_seconds,
        "scikit-learn / custseg": peer_seconds / seconds,
    }
    best = _row("all", THOROUGH_BOOT, THOROUGH_INIT, _mean(few), _mean(thorough.values()))
    assert whole["difference"] > -TOLERANCE
    assert abs(best["difference"]) < TOLERANCE
    return [*rows, best, whole]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds and the result; both sides run in this process, on one thread."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _row(k: int | str, n_boot: int, n_init: int, ours: float, peer: float) -> dict[str, Any]:
    return {
        "n_segments": k,
        "pairs": n_boot,
        "restarts of scikit-learn": n_init,
        "custseg mean ARI": float(ours),
        "scikit-learn mean ARI": peer,
        "difference": float(ours) - peer,
    }
