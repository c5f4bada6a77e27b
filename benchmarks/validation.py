"""Paired-bootstrap stability beside the same design written with scikit-learn's KMeans.

Binary survey answers: 1,453 respondents, 11 items, about 260 distinct rows; 100 pairs for each of 2
to 8 segments, 10 restarts each, one thread each. The answers are sorted and both sides draw with the
same seeds, so both see the same bootstrap samples; what differs is how well each sample is solved.
"""

from __future__ import annotations

import time
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
TOLERANCE = 0.02  # the samples are the same, so a lower mean would say that ours solves them worse
MAX_SEED = np.iinfo(np.int32).max


def make_answers(seed: int = 3) -> npt.NDArray[np.float64]:
    """Answer yes where two latent tastes and some noise pass an item's threshold."""
    random = np.random.default_rng(seed)
    tastes, loadings = random.normal(size=(N_ROWS, 2)), random.normal(size=(2, N_ITEMS))
    thresholds = random.normal(size=N_ITEMS)
    answers = (tastes @ loadings + 0.7 * random.normal(size=(N_ROWS, N_ITEMS)) > thresholds).astype(np.float64)
    return answers[np.lexsort(answers.T)]


def peer_stability(X: npt.NDArray[np.float64], seed: int = 0) -> dict[int, float]:
    """Mean adjusted Rand index per number of segments, written the plain way."""
    random = np.random.RandomState(seed)
    random.randint(MAX_SEED)
    seeds = random.randint(MAX_SEED, size=(N_BOOT, 2))

    def assign(k: int, member: int) -> npt.NDArray[np.int32]:
        own = np.random.RandomState(member)
        sample = X[own.randint(len(X), size=len(X))]
        labels: npt.NDArray[np.int32] = KMeans(k, n_init=N_INIT, random_state=own).fit(sample).predict(X)
        return labels

    return {
        k: float(np.mean([adjusted_rand_score(assign(k, one), assign(k, other)) for one, other in seeds]))
        for k in N_SEGMENTS
    }


def run() -> list[dict[str, Any]]:
    X = make_answers()
    clusterer = SegmentClusterer(embedder="passthrough", n_init=N_INIT, random_state=0)
    started = time.perf_counter()
    ours = bootstrap_stability(clusterer, X, N_SEGMENTS, N_BOOT, random_state=0).mean_adjusted_rand.to_dict()
    our_seconds = time.perf_counter() - started
    with threadpool_limits(limits=1):
        started = time.perf_counter()
        peer = peer_stability(X)
        peer_seconds = time.perf_counter() - started
    total = (our_seconds, peer_seconds, peer_seconds / our_seconds)
    all_ours, all_peer = float(np.mean(list(ours.values()))), float(np.mean(list(peer.values())))
    assert all_ours > all_peer - TOLERANCE
    rows = [_row(k, float(ours[k]), peer[k], (None, None, None)) for k in N_SEGMENTS]
    return [*rows, _row("all", all_ours, all_peer, total)]


def _row(k: int | str, ours: float, peer: float, seconds: tuple[float | None, ...]) -> dict[str, Any]:
    names = ("custseg seconds", "scikit-learn seconds", "scikit-learn / custseg")
    agreement = {"custseg mean ARI": ours, "scikit-learn mean ARI": peer, "difference": ours - peer}
    return {"n_segments": k, **agreement, **dict(zip(names, seconds, strict=True))}
