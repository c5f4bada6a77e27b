"""Which traits say the same thing, so that they are told once: characteristics that rank the customers alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import Column
from custseg._core.words import plain
from custseg.personas._profile import Profile
from custseg.personas._traits import Trait

__all__ = ["LIKENESS", "Alike"]

LIKENESS = 0.8
"""Two characteristics say the same thing from this rank correlation on, be it turned around."""

# Of more customers so many are ranked: a correlation of .8 is then known to .005, its standard error.
_RANKED = 5_000
# Of customers of whom one of two is known, so many must be known in both.
_KNOWN_IN_BOTH = 0.5
# So many columns tell most customers apart; the others are asked where they do not.
_FIRST_HASHED = 4
# The content of so many rows at a time stays in the cache of a processor.
_BLOCK = 16_384
_MIX, _SHIFT = np.uint64(0xBF58476D1CE4E5B9), np.uint64(29)
_HIGH_BITS = 20

# The characteristic, and the level where it is one of several that have no order.
Key = tuple[str, str | None]


@dataclass(frozen=True)
class Alike:
    """Which traits say the same thing.

    Attributes
    ----------
    places : dict of (str, str or None) to int
        The row of each trait in ``same``.
    same : ndarray of shape (n_keys, n_keys), of bool
        Whether two rank the customers alike.
    """

    places: dict[Key, int]
    same: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, profile: Profile, traits: Iterable[Trait]) -> Alike:
        """Correlate the ranks of the customers in all that some segment stands out by.

        Spearman's correlation over the customers of whom both are known, of the ranks among those of whom each is; of
        a level without order it is having it that counts. Of more than 5,000 customers every so many-th in the order
        of their content is ranked, whatever the order of the rows.
        """
        keys = sorted({_key(trait) for trait in traits}, key=lambda key: (key[0], key[1] or ""))
        if not keys:
            return cls({}, np.zeros((0, 0), dtype=bool))
        names = sorted({name for name, _ in keys})
        rows = _sampled([profile.table[name] for name in names], profile.table.n_customers)
        ranks = np.full((len(keys), len(rows)), np.nan)
        for place, (name, level) in enumerate(keys):
            ranks[place] = _ranked(profile, name, level, rows)
        return cls({key: place for place, key in enumerate(keys)}, _correlated(ranks) >= LIKENESS - 1e-12)

    def told_once(self, traits: Sequence[Trait]) -> list[Trait]:
        """Keep of traits that say the same thing the strongest, which names the others; one known of half before all.

        The order stays.
        """
        kept: list[Trait] = []
        also: dict[str, list[str]] = {}
        for trait in sorted(traits, key=lambda trait: not trait.known_of_half):
            for first in kept:
                if self.same[self.places[_key(trait)], self.places[_key(first)]]:
                    also[first.characteristic].append(trait.label)
                    break
            else:
                kept.append(trait)
                also[trait.characteristic] = []
        return [
            replace(trait, also=tuple(also[trait.characteristic])) if also[trait.characteristic] else trait
            for trait in traits
            if trait.characteristic in also
        ]


def _key(trait: Trait) -> Key:
    return trait.characteristic, trait.level if trait.kind == "nominal" else None


def _ranked(profile: Profile, name: str, level: str | None, rows: Integers) -> Floats:
    column = profile.table[name].take(rows)
    values = column.values.astype(np.float64)
    if column.kind == "nominal":
        place = [plain(category) for category in column.categories].index(str(level))
        values = (column.values == place).astype(np.float64)
    known = ~column.missing & (profile.known[name] > 0)[profile.labels[rows]]
    ranks = np.full(len(values), np.nan)
    ranks[known] = rankdata(values[known])
    return ranks


def _correlated(ranks: Floats) -> Floats:
    """Return the size of the correlation of every two rows over what is known of both; 0 where that is too little."""
    known = ~np.isnan(ranks)
    here = known.astype(np.float64)
    # ranks about their middle, so that squares keep their digits
    centred = np.where(known, ranks - (here.sum(axis=1, keepdims=True) + 1) / 2, 0.0)
    both = here @ here.T
    with np.errstate(divide="ignore", invalid="ignore"):
        means = centred @ here.T / both
        squares = centred**2 @ here.T / both - means**2
        products = centred @ centred.T / both - means * means.T
        found = np.abs(products) / np.sqrt(squares * squares.T)
    enough = both >= _KNOWN_IN_BOTH * np.maximum(here.sum(axis=1)[:, None], here.sum(axis=1))
    return np.asarray(np.where(enough & np.isfinite(found), found, 0.0))


def _sampled(columns: Sequence[Column], n_customers: int) -> Integers:
    """Return the rows of all customers, or of every so many-th in the order of a hash of what they hold."""
    if n_customers <= _RANKED:
        return np.arange(n_customers)
    hashes: Any = np.zeros(n_customers, dtype=np.uint64)
    for own in (columns[:_FIRST_HASHED], columns[_FIRST_HASHED:]):
        for start in range(0, n_customers, _BLOCK):
            _hash(hashes[start : start + _BLOCK], own, start)
        ordered = np.sort(hashes)
        if (ordered[1:] != ordered[:-1]).all():
            break  # no two are alike, whatever else they hold
    chosen = ordered[np.arange(_RANKED) * n_customers // _RANKED]
    # by their first bits most are found not to be chosen; equal hashes are equal customers, and any of them will do
    high = np.uint64(64 - _HIGH_BITS)
    may_be = np.zeros(1 << _HIGH_BITS, dtype=bool)
    may_be[chosen >> high] = True
    rows = np.flatnonzero(may_be[hashes >> high])
    order = np.argsort(hashes[rows], kind="stable")
    return np.asarray(rows[order][np.searchsorted(hashes[rows][order], chosen)])


def _hash(hashes: Any, columns: Iterable[Column], start: int) -> None:
    """Mix what rows hold in these columns into their hashes."""
    for column in columns:
        hashes += column.values[start : start + len(hashes)].view(np.uint64)
        hashes *= _MIX
        hashes ^= hashes >> _SHIFT
