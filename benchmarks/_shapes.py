"""Groups of every shape, and columns of noise: what latent classes, whose numbers are normal, are not made for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


def disc(random: np.random.RandomState, n: int, p: int) -> Floats:
    """Uniform inside the unit ball."""
    points = random.normal(size=(n, p))
    return points / np.linalg.norm(points, axis=1)[:, None] * random.random_sample(n)[:, None] ** (1 / p)


def square(random: np.random.RandomState, n: int, p: int) -> Floats:
    return random.uniform(-1, 1, (n, p))


def diamond(random: np.random.RandomState, n: int, p: int) -> Floats:
    """Uniform where the absolute values add up to at most 1."""
    parts = random.exponential(size=(n, p + 1))
    return parts[:, :p] / parts.sum(axis=1)[:, None] * random.choice([-1, 1], size=(n, p))


def normal(random: np.random.RandomState, n: int, p: int) -> Floats:
    return random.normal(size=(n, p))


def skewed(random: np.random.RandomState, n: int, p: int) -> Floats:
    return random.gamma(2.0, size=(n, p))


BODIES = {"disc": disc, "square": square, "diamond": diamond, "normal": normal, "skewed": skewed}
# How far the second of two touching bodies lies from the first; squares touch along half a side, nearly.
APART = {"disc": (2.0, 0.0), "diamond": (2.0, 0.0), "square": (2.1, 1.0)}


def touching(seed: int, shape: str, n: int = 1_000) -> tuple[pd.DataFrame, int]:
    """Two bodies in two columns, turned by any angle."""
    random = np.random.RandomState(seed)
    points = BODIES[shape](random, n, 2) + np.outer(random.randint(2, size=n), APART[shape])
    angle = random.uniform(0, np.pi)
    turned = points @ [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    return frame(turned), 2


def separated(
    seed: int,
    shapes: Sequence[str],
    distance: float,
    *,
    ratio: float = 1.0,
    spread: float = 1.0,
    stretch: float = 1.0,
    correlation: float = 0.0,
    n: int = 1_000,
) -> tuple[pd.DataFrame, int]:
    """Two to five groups in 2, 4, 8 or 12 columns, each ``distance`` standard deviations from one and no nearer to any.

    ``ratio`` is how many times the largest has the customers of the smallest, ``spread`` the same of the standard
    deviations; ``stretch`` makes the first principal axis longer.
    """
    random = np.random.RandomState(seed)
    p = (2, 4, 8, 12)[(seed // 4 + seed) % 4]
    k = min(2 + seed % 4, 3 if p == 2 else 5)
    steps = np.arange(k) / (k - 1)
    group = random.choice(k, n, p=ratio**-steps / (ratio**-steps).sum())
    sizes = random.permutation(spread**-steps)
    turn = np.linalg.qr(random.normal(size=(p, p)))[0] if stretch > 1 else np.eye(p)
    root = np.linalg.cholesky(np.full((p, p), correlation) + (1 - correlation) * np.eye(p))
    metric = np.diag([stretch] + [1.0] * (p - 1)) @ turn @ root.T
    centers = _centers(random, sizes, distance, p)
    points = np.empty((n, p))
    for position in range(k):
        body = BODIES[shapes[position % len(shapes)]]
        many = body(np.random.RandomState(0), 4_000, p)
        rows = group == position
        points[rows] = (body(random, int(rows.sum()), p) - many.mean(axis=0)) / many.std(axis=0) * sizes[position]
        points[rows] += centers[position]
    return frame(points @ metric), k


def _centers(random: np.random.RandomState, sizes: Floats, distance: float, p: int) -> Floats:
    centers = np.zeros((1, p))
    while len(centers) < len(sizes):
        base, direction = random.randint(len(centers)), random.normal(size=p)
        reach = distance * (sizes[: len(centers)] + sizes[len(centers)]) / 2
        new = centers[base] + reach[base] * direction / np.linalg.norm(direction)
        if (np.linalg.norm(centers - new, axis=1) >= 0.999 * reach).all():
            centers = np.vstack([centers, new])
    return centers


def frame(points: Floats) -> pd.DataFrame:
    return pd.DataFrame({f"x{position}": column for position, column in enumerate(points.T)})


def with_noise(table: pd.DataFrame, seed: int, n_columns: int, n_levels: int = 0) -> pd.DataFrame:
    """Add columns that say nothing: normal numbers, or text of so many levels."""
    random = np.random.RandomState(seed)
    names = np.array([f"level {level}" for level in range(n_levels)], dtype=object)

    def column() -> npt.NDArray[Any]:
        return names[random.randint(n_levels, size=len(table))] if n_levels else random.normal(size=len(table))

    return table.assign(**{f"noise{position}": column() for position in range(n_columns)})


MIXED = ("disc", "skewed", "normal", "square")
# How the customers are made: the table and the number of groups in it.
SHAPES: dict[str, Callable[[int], tuple[pd.DataFrame, int]]] = {
    "two touching discs": lambda seed: touching(seed, "disc"),
    "two touching squares": lambda seed: touching(seed, "square"),
    "two touching diamonds": lambda seed: touching(seed, "diamond"),
    "uniform": lambda seed: separated(seed, ("disc", "square"), 4.5),
    "skewed": lambda seed: separated(seed, ("skewed",), 6.0),
    "mixed shapes": lambda seed: separated(seed, MIXED, 5.0),
    "sizes 10:1": lambda seed: separated(seed, ("normal",), 5.5, ratio=10.0),
    "spreads 1:4": lambda seed: separated(seed, ("normal",), 5.5, spread=4.0),
    "elongated 4:1": lambda seed: separated(seed, ("square", "normal"), 6.0, stretch=4.0),
    "correlation .7": lambda seed: separated(seed, ("normal",), 6.0, correlation=0.7),
    "sizes, spreads, mixed shapes": lambda seed: separated(seed, MIXED, 6.0, ratio=10.0, spread=4.0),
}
# The number of columns of noise, and their levels; 0 where they are numbers.
NOISE = {
    f"{n_columns} of {kind}": (n_columns, n_levels)
    for kind, n_levels in (("numbers", 0), ("20 levels", 20), ("300 levels", 300))
    for n_columns in (1, 5, 20)
}
