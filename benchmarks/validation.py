"""Paired-bootstrap stability beside the same design written with scikit-learn's KMeans.

Binary survey answers: 1,453 respondents, 11 items, about 260 distinct rows; 100 pairs for each of 2
to 8 segments, 10 restarts each, one thread each. The answers are sorted and both sides draw with the
same seeds, so both see the same bootstrap samples; what differs is how well each sample is solved. Ours adds
to the design refits of one sample (a tenth more of them) and the solutions on all customers.

Poor optimisation reads as instability, so three lines compare the mean adjusted Rand index:

- *plain restarts*: our design around scikit-learn's KMeans, so that both sides run the same method; the index must be
  the same.
- *SegmentClusterer*: ours as users get it, which solves each sample better; the index must not be lower.
- *thorough*: the same few pairs solved by 100 restarts of scikit-learn show where the index ought to be; ours with
  10 restarts to begin with must not be below it (above it where samples are solved better than that).

Then follow the time of a whole stability on larger tables, and six kinds of tables against 100 restarts on all
customers (:mod:`benchmarks._stability_tables`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from benchmarks._stability_tables import KINDS, SHAPES, thorough_row, time_row
from benchmarks._timing import in_turns
from custseg import SegmentClusterer
from custseg.validation import StabilityResult, bootstrap_stability

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


def peer_stability(X: npt.NDArray[np.float64], n_init: int = N_INIT, n_pairs: int = N_BOOT) -> dict[int, float]:
    """Mean adjusted Rand index per number of segments, written the plain way."""
    random = np.random.RandomState(0)
    random.randint(MAX_SEED)
    seeds = random.randint(MAX_SEED, size=(n_pairs, 2))

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

    def stability() -> StabilityResult:
        return bootstrap_stability(clusterer, X, N_SEGMENTS, N_BOOT, random_state=0)

    def stability_of_plain_restarts() -> StabilityResult:
        return bootstrap_stability(KMeans(n_init=N_INIT, random_state=0), X, N_SEGMENTS, N_BOOT, random_state=0)

    with threadpool_limits(limits=1):
        timed = in_turns(
            {"ours": stability, "plain": stability_of_plain_restarts, "peer": lambda: peer_stability(X)}, n_rounds=3
        )
        thorough = peer_stability(X, THOROUGH_INIT, THOROUGH_BOOT)
    result, plain_result, peer = (run.result for run in timed.values())
    seconds, plain_seconds, peer_seconds = (run.cpu_seconds for run in timed.values())
    ours, plain = result.mean_adjusted_rand.to_dict(), plain_result.mean_adjusted_rand.to_dict()
    few = dict(zip(N_SEGMENTS, result.adjusted_rand[:, :THOROUGH_BOOT].mean(axis=1), strict=True))
    lines = {
        "plain restarts": (N_BOOT, N_INIT, plain, peer, plain_seconds, peer_seconds),
        "SegmentClusterer": (N_BOOT, N_INIT, ours, peer, seconds, peer_seconds),
        "thorough": (THOROUGH_BOOT, THOROUGH_INIT, few, thorough, None, None),
    }
    curve, means = [], []
    for line, (pairs, n_init, own, other, own_seconds, other_seconds) in lines.items():
        compared = [_compared(line, k, own[k], other[k]) for k in N_SEGMENTS]
        mean = _compared(line, "all", *(sum(values.values()) / len(N_SEGMENTS) for values in (own, other)))
        curve += compared
        means.append(
            {
                **mean,
                "pairs": pairs,
                "restarts of scikit-learn": n_init,
                "custseg CPU s": own_seconds,
                "scikit-learn CPU s": other_seconds,
                "scikit-learn / custseg": other_seconds / own_seconds if own_seconds and other_seconds else None,
            }
        )
    difference = {row["line"]: row["difference"] for row in means}
    assert abs(difference["plain restarts"]) < TOLERANCE
    assert difference["SegmentClusterer"] > -TOLERANCE
    # above it where samples are solved better than by so many restarts
    assert difference["thorough"] > -TOLERANCE
    return [*curve, *means, *map(time_row, SHAPES), *map(thorough_row, KINDS)]


def _compared(line: str, n_segments: int | str, ours: float, peer: float) -> dict[str, Any]:
    return {
        "line": line,
        "n_segments": n_segments,
        "custseg mean ARI": float(ours),
        "scikit-learn mean ARI": float(peer),
        "difference": float(ours - peer),
    }
