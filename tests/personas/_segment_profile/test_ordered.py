"""Ranks in several sorted parts are those of all numbers sorted together, whatever they weigh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.personas._segment_profile.ordered import Ordered, Together, is_skewed, medians_without

SIZES = st.lists(st.sampled_from((0, 1, 2, 17, 40, 200)), min_size=1, max_size=5)
KINDS = st.sampled_from(("whole", "continuous", "apart"))


def drawn(sizes, kind, seed, weighted):
    """Sorted parts, the weights of their numbers, and all numbers as often as they weigh."""
    random = np.random.RandomState(seed)
    draw = {
        "whole": lambda n: random.randint(-3, 4, n).astype(float),
        "continuous": lambda n: random.normal(size=n),
        "apart": lambda n: random.normal(size=n) + 100 * random.randint(3),
    }[kind]
    values = [np.sort(draw(n)) for n in sizes]
    weights = [random.randint(1, 4, n) if weighted else np.ones(n, dtype=int) for n in sizes]
    return values, weights, [np.repeat(*pair) for pair in zip(values, weights, strict=True)]


@given(SIZES, KINDS, st.integers(0, 2**31), st.booleans())
def test_ranks_by_definition(sizes, kind, seed, weighted):
    values, weights, repeated = drawn(sizes, kind, seed, weighted)
    parts = [
        Ordered(own, np.cumsum(weight).astype(float) if weighted else None)
        for own, weight in zip(values, weights, strict=True)
    ]
    together, everyone = Together(parts), np.sort(np.concatenate(repeated))
    assert together.total == len(everyone)
    for rank in range(1, len(everyone) + 1, 1 + len(everyone) // 7):
        assert together.reaching(rank) == everyone[rank - 1]
        assert together.beyond(rank - 0.5) == everyone[rank - 1]
    assert together.has_three == (len(np.unique(everyone)) > 2)
    for position, median in enumerate(medians_without(parts)):
        rest = np.concatenate([*repeated[:position], *repeated[position + 1 :], np.empty(0)])
        assert median == pytest.approx(np.median(rest) if len(rest) else np.nan, nan_ok=True)


def test_of_nobody_there_is_no_median():
    assert np.isnan(Together([Ordered(np.empty(0))]).median)
    assert not is_skewed(Together([]))
