"""Latent classes beside StepMix: the same model, CPU time, one thread each, equal log-likelihoods.

Binary answers of 100,000 customers, the same number of EM steps from one start each; and mixed
characteristics of 10,000 customers, run to convergence, with five starts to StepMix's one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from stepmix import StepMix
from stepmix.utils import get_mixed_descriptor
from threadpoolctl import threadpool_limits

from benchmarks._timing import in_turns
from custseg.segmentation import LatentClassClusterer

N_CLASSES = 4
N_STEPS = 100
N_ROUNDS = 3
TOLERANCE = 1e-4


def make_binary(n_rows: int = 100_000, n_items: int = 11, seed: int = 0) -> npt.NDArray[np.float64]:
    """Answers of four classes, each with its own probability of a yes to every item."""
    random = np.random.default_rng(seed)
    classes = random.choice(N_CLASSES, n_rows, p=[0.4, 0.3, 0.2, 0.1])
    chances = random.choice([0.1, 0.3, 0.7, 0.9], size=(N_CLASSES, n_items))
    return (random.random((n_rows, n_items)) < chances[classes]).astype(np.float64)


def make_mixed(n_rows: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Four bools, three categories of 4 levels and four numbers of four classes; 5% missing."""
    random = np.random.default_rng(seed)
    classes = random.choice(N_CLASSES, n_rows, p=[0.4, 0.3, 0.2, 0.1])
    chances = random.choice([0.15, 0.4, 0.85], size=(N_CLASSES, 4))
    columns = {f"bool_{j}": (random.random(n_rows) < chances[classes, j]).astype(float) for j in range(4)}
    for j in range(3):
        levels = random.dirichlet(np.ones(4), size=N_CLASSES).cumsum(axis=1)
        drawn = (random.random((n_rows, 1)) > levels[classes]).sum(axis=1)
        columns[f"category_{j}"] = np.minimum(drawn, 3).astype(float)
    means, deviations = random.normal(scale=1.5, size=(N_CLASSES, 4)), random.uniform(0.5, 1.5, (N_CLASSES, 4))
    for j in range(4):
        columns[f"number_{j}"] = means[classes, j] + deviations[classes, j] * random.normal(size=n_rows)
    table = pd.DataFrame(columns)
    return table.mask(random.random(table.shape) < 0.05)


def run() -> list[dict[str, Any]]:
    with threadpool_limits(limits=1):
        return [_binary(), _mixed()]


def _binary() -> dict[str, Any]:
    X = make_binary()

    def ours() -> tuple[float, int]:
        made = LatentClassClusterer(N_CLASSES, kinds="binary", n_init=1, max_iter=N_STEPS, tol=0.0, random_state=0)
        fitted = made.fit(X)
        return fitted.log_likelihood_, fitted.n_iter_

    def peer() -> tuple[float, int]:
        fitted = _stepmix("binary", max_iter=N_STEPS, abs_tol=0.0).fit(X)
        return float(fitted.score(X)) * len(X), int(fitted.n_iter_)

    return _row("binary, 100,000 x 11, 1 start each", ours, peer)


def _mixed() -> dict[str, Any]:
    table = make_mixed()
    groups = {
        f"{kind}_nan": [name for name in table if str(name).startswith(start)]
        for kind, start in (("binary", "bool"), ("categorical", "category"), ("gaussian_diag", "number"))
    }
    data, measurement = get_mixed_descriptor(table, **groups)
    kinds = dict.fromkeys(groups["binary_nan"], "binary") | dict.fromkeys(groups["categorical_nan"], "nominal")

    def ours() -> tuple[float, int]:
        made = LatentClassClusterer(N_CLASSES, kinds=kinds, n_init=5, min_variance=1e-6, random_state=0)
        fitted = made.fit(table)
        return fitted.log_likelihood_, fitted.n_iter_

    def peer() -> tuple[float, int]:
        fitted = _stepmix(measurement, max_iter=5000).fit(data)
        return float(fitted.score(data)) * len(data), int(fitted.n_iter_)

    return _row("mixed, 10,000 x 11, 5% missing, 5 starts to 1", ours, peer)


def _stepmix(measurement: Any, **parameters: Any) -> StepMix:
    return StepMix(N_CLASSES, measurement=measurement, random_state=0, progress_bar=0, verbose=0, **parameters)


def _row(name: str, ours: Callable[[], Any], peer: Callable[[], Any]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # StepMix says that a fixed number of steps has not converged
        timed = in_turns({"custseg": ours, "StepMix": peer}, N_ROUNDS)
    our, theirs = timed["custseg"], timed["StepMix"]
    assert abs(our.result[0] - theirs.result[0]) < TOLERANCE, (our.result, theirs.result)
    return {
        "data": name,
        "custseg log-likelihood": our.result[0],
        "StepMix log-likelihood": theirs.result[0],
        "custseg steps": our.result[1],
        "StepMix steps": theirs.result[1],
        "custseg CPU seconds": our.cpu_seconds,
        "StepMix CPU seconds": theirs.cpu_seconds,
        "StepMix / custseg": theirs.cpu_seconds / our.cpu_seconds,
    }
