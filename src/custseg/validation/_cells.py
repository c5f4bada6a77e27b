"""Customers in so many cells that refits among them agree as refits among all customers do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custseg._core.arrays import Integers
from custseg._core.warning import ignoring
from custseg.exceptions import DataQualityWarning
from custseg.segmentation._for_validation import CellRefits, can_use_cells
from custseg.validation._clusterers import MAX_SEED
from custseg.validation._rows import Rows

__all__ = ["InCells", "draw", "in_cells"]

# The share by which the sum of squares may be higher for the cells, on average, and the numbers of cells tried until it
# is not.
LEAST_LOSS = 0.003
N_CELLS = (500, 1_000, 2_000)
# The loss is measured with the samples of these pairs and these numbers of segments, whatever others are asked for.
LOSS_PAIRS, LOSS_NUMBERS = 1, (3, 8)
# Pairs of so many cells in all are refitted at once, at least one and at most so many.
CELLS_TOGETHER, MOST_TOGETHER = 2_500, 12


@dataclass(frozen=True)
class InCells:
    """Customers in cells, and what that costs: by which share the sum of squares is higher."""

    refits: CellRefits
    loss: float

    @property
    def n_pairs_together(self) -> int:
        """So many pairs are refitted at once: many where the steps of one are short."""
        if not self.refits.are_small:
            return 1
        return min(MOST_TOGETHER, max(1, CELLS_TOGETHER // self.refits.n_cells))


def in_cells(clusterer: Any, rows: Rows, seeds: Any) -> InCells | None:
    """Put customers into cells where the clusterer allows it, as many as the loss asks for."""
    if not can_use_cells(clusterer):
        return None
    refits, loss = CellRefits(clusterer, rows.distinct, rows.counts), 0.0
    samples = _samples(rows, seeds[:LOSS_PAIRS])
    with ignoring(DataQualityWarning):
        if not refits.are_few:
            refits, loss = _enough_cells(refits, samples)
        return InCells(refits, loss)


def _enough_cells(refits: CellRefits, samples: Sequence[tuple[Integers, int]]) -> tuple[CellRefits, float]:
    for n_cells in N_CELLS:
        refits = refits.in_cells(n_cells)
        if refits.is_exact:
            return refits, 0.0
        loss = refits.loss(samples, LOSS_NUMBERS)
        if loss < LEAST_LOSS:
            break
    return refits, loss


def _samples(rows: Rows, seeds: Any) -> list[tuple[Integers, int]]:
    """Return how often each different customer is in the samples of pairs, and their seeds, pair by pair."""
    drawn = (draw(rows, seed) for seed in seeds.flat)
    return [(np.bincount(patterns, minlength=len(rows.first)), own_seed) for patterns, own_seed, _ in drawn]


def draw(rows: Rows, seed: Any) -> tuple[Integers, int, int]:
    """Return the patterns of one bootstrap sample, the seed of the clusterers fitted on it, and a second one."""
    random = np.random.RandomState(seed)
    return rows.draw(random), int(random.randint(MAX_SEED)), int(random.randint(MAX_SEED))
