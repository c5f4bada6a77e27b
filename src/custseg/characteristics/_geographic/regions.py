"""Regions within regions: small ones are pooled into the next larger one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from custseg._core.arrays import Bools, Integers
from custseg.characteristics._profiles.columns import Texts

ROOT = 0
OTHER = "other"


@dataclass(frozen=True)
class Located:
    """Where customers are in a hierarchy.

    Attributes
    ----------
    nodes : ndarray of shape (n_customers,)
        The smallest region of each customer that the hierarchy knows; 0 where it knows none.
    named : ndarray of shape (n_customers,)
        Whether the largest region is given at all.
    n_gaps : int
        Customers with a smaller region but not the one around it.
    unseen : dict of str to dict of str to int
        By column the regions that the hierarchy does not know, with their customers.
    is_unseen : ndarray of shape (n_customers,)
        Whose region that is.
    """

    nodes: Integers
    named: Bools
    n_gaps: int
    unseen: dict[str, dict[str, int]]
    is_unseen: Bools


class RegionTree:
    """The regions of ``fit``, each with the one around it, and what each is pooled into.

    Regions are numbered level by level, so a region has a larger number than the one around it.
    Number 0 is everywhere.

    Parameters
    ----------
    columns : sequence of str
        The levels from the largest to the smallest.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.parents: list[int] = [ROOT]
        self.paths: list[tuple[str, ...]] = [()]
        self.labels: tuple[str, ...] = ()
        self._known: dict[tuple[int, str], int] = {}
        self._n_customers: Integers = np.zeros(1, dtype=np.int64)
        self._pooled: Integers = np.full(1, -1, dtype=np.int64)

    def learn(self, levels: Sequence[Texts], min_customers: int) -> Located:
        """Take in the regions of the customers, and pool those with too few."""
        located = self._locate(levels, grow=True)
        n_regions = len(self.paths)
        self._n_customers = np.bincount(located.nodes[located.named], minlength=n_regions).astype(np.int64)
        counts = self._n_customers.copy()
        for region in range(n_regions - 1, ROOT, -1):
            if counts[region] < min_customers:
                counts[self.parents[region]] += counts[region]
                counts[region] = 0
        # where parts of the largest regions hold all customers, new customers in other parts still need a group
        is_group = counts > 0
        if not is_group[ROOT]:
            is_group[1:] |= np.array(self.parents[1:], dtype=np.int64) == ROOT
        groups = np.flatnonzero(is_group)
        labels = self._name(list(groups))
        self.labels = tuple(sorted(labels))
        position = {label: place for place, label in enumerate(self.labels)}
        self._pooled = np.full(n_regions, -1, dtype=np.int64)
        self._pooled[groups] = [position[label] for label in labels]
        for region in range(1, n_regions):
            if self._pooled[region] < 0:
                self._pooled[region] = self._pooled[self.parents[region]]
        return located

    def locate(self, levels: Sequence[Texts]) -> Located:
        """Find the regions of customers among those of ``fit``."""
        return self._locate(levels, grow=False)

    def codes(self, located: Located) -> Integers:
        """Return for each customer the position of the pooled region in ``labels``; -1 for none."""
        return np.where(located.named, self._pooled[located.nodes], -1)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per region of ``fit``, with what it was pooled into."""
        paths = self.paths[1:]
        frame = pd.DataFrame(
            {
                column: pd.array([path[depth] if depth < len(path) else None for path in paths], dtype="str")
                for depth, column in enumerate(self.columns)
            }
        )
        regions = [self.labels[position] for position in self._pooled[1:]]
        return frame.assign(n_customers=self._n_customers[1:], region=pd.array(regions, dtype="str"))

    def _locate(self, levels: Sequence[Texts], *, grow: bool) -> Located:
        n_customers = len(levels[0].codes)
        nodes = np.full(n_customers, ROOT, dtype=np.int64)
        within = np.ones(n_customers, dtype=bool)  # all regions so far are given
        seen = within.copy()
        gaps = np.zeros(n_customers, dtype=bool)
        is_unseen = gaps.copy()
        named = _given(levels[0])
        unseen: dict[str, dict[str, int]] = {}
        for depth, texts in enumerate(levels):
            given = _given(texts)
            gaps |= given & ~within
            within &= given
            step = within & seen
            children, new = self._children(nodes[step], texts.codes[step], texts.levels, grow=grow)
            nodes[step] = np.where(children < 0, nodes[step], children)
            seen[step] = children >= 0
            is_unseen[step] = children < 0
            if new:
                unseen[self.columns[depth]] = new
        return Located(nodes, named, int(gaps.sum()), unseen, is_unseen)

    def _children(
        self, parents: Integers, codes: Integers, levels: tuple[str, ...], *, grow: bool
    ) -> tuple[Integers, dict[str, int]]:
        """Return the regions named within their parents, -1 for an unknown one, and those with their customers."""
        width = max(len(levels), 1)
        pairs, at, n_customers = np.unique(parents * width + codes, return_inverse=True, return_counts=True)
        regions = np.full(len(pairs), -1, dtype=np.int64)
        new: Counter[str] = Counter()
        for place, (parent, code) in enumerate(zip(*np.divmod(pairs, width), strict=True)):
            key = (int(parent), levels[code])
            if grow:
                self._known[key] = len(self.paths)
                self.paths.append((*self.paths[parent], levels[code]))
                self.parents.append(int(parent))
            regions[place] = self._known.get(key, -1)
            if regions[place] < 0:
                new[levels[code]] += int(n_customers[place])
        return regions[at], dict(new)

    def _name(self, groups: list[int]) -> list[str]:
        """Name the regions that are groups: by their own name where it is the only one, else by their whole path."""
        divided = {around for region in groups for around in self._around(region)}
        short = [self._label(region, self.paths[region][-1:], divided) for region in groups]
        n_short = Counter(short)
        labels = [
            label if n_short[label] == 1 else self._label(region, self.paths[region], divided)
            for region, label in zip(groups, short, strict=True)
        ]
        taken: Counter[str] = Counter()
        for place, label in enumerate(labels):
            while taken[labels[place]]:
                taken[label] += 1
                labels[place] = f"{label} ({taken[label]})"
            taken[labels[place]] += 1
        return labels

    def _around(self, region: int) -> list[int]:
        found = []
        while region != ROOT:
            region = self.parents[region]
            found.append(region)
        return found

    def _label(self, region: int, path: tuple[str, ...], divided: set[int]) -> str:
        if region == ROOT:
            return OTHER
        name = " / ".join(path)
        return f"{OTHER} in {name}" if region in divided else name


def _given(texts: Texts) -> Bools:
    filled = np.array([*(level != "" for level in texts.levels), False])
    return filled[texts.codes]
