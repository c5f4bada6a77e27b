"""The search finds what trying every conjunction finds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from custseg.personas import SegmentRules
from custseg.personas._telling.conditions import _readable
from custseg.personas._telling.search import WORTH_A_CONDITION, best_conjunction
from tests.personas._telling.samples import planted
from tests.sizes import size


def score(met, positive, places, least):
    """The F-score of a conjunction; 0 of one by which too few stand out or that is no more of the segment."""
    both = met[:, places].all(axis=1)
    tp, fp = (both & positive).sum(), (both & ~positive).sum()
    n_inside, n_outside = positive.sum(), (~positive).sum()
    may = tp >= least and n_outside - fp >= least and tp * n_outside > fp * n_inside
    return 2 * tp / (tp + fp + n_inside) if may else 0.0


def by_brute_force(met, positive, least):
    """The score of the best conjunction of each length."""
    places = range(met.shape[1])
    return [
        max((score(met, positive, list(chosen), least) for chosen in combinations(places, length)), default=0.0)
        for length in (1, 2, 3)
    ]


@given(seed=st.integers(0, 10_000), n_conditions=st.integers(1, 9), least=st.integers(1, 6))
def test_it_is_the_best_of_all_conjunctions(seed, n_conditions, least):
    rng = np.random.RandomState(seed)
    met = rng.rand(40, n_conditions) < rng.uniform(0.2, 0.9, n_conditions)
    positive = (met[:, :2].all(axis=1) & (rng.rand(40) < 0.8)) | (rng.rand(40) < 0.2)
    if not 0 < positive.sum() < 40:
        return
    best = by_brute_force(met, positive, least)
    found = best_conjunction(met, positive, least)
    if found is None:
        assert max(best) == 0.0
        return
    reached = score(met, positive, list(found), least)
    assert reached == pytest.approx(best[len(found) - 1])
    for length, other in enumerate(best, 1):
        # neither does a longer one pay, nor would a shorter one do
        if length > len(found):
            assert other < reached + WORTH_A_CONDITION * (length - len(found)) + 1e-9
        else:
            assert other <= reached


@pytest.mark.thorough
def test_no_path_of_a_tree_of_the_same_depth_describes_a_segment_better():
    for seed in range(size(1, 6)):
        customers, labels = planted(size(150, 400), size(3, 4), seed=seed)
        matrix = pd.get_dummies(customers).astype(float)
        matrix = matrix.fillna(matrix.median()).to_numpy()
        met = SegmentRules().fit(customers, labels).meets(customers)
        for segment in range(labels.max() + 1):
            positive = labels == segment
            tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=10, random_state=0).fit(matrix, positive)
            nodes = tree.decision_path(matrix).toarray().astype(bool)
            of_tree = max(2 * (node & positive).sum() / (node.sum() + positive.sum()) for node in nodes.T)
            own = met[:, segment]
            # cuts of the tree are between any two customers, ours are few and readable
            assert 2 * (own & positive).sum() / (own.sum() + positive.sum()) > of_tree - 0.02


@given(
    low=st.floats(-1e12, 1e12) | st.integers(-(10**6), 10**6).map(float),
    step=st.floats(1e-9, 1e9) | st.integers(1, 99).map(float),
)
def test_a_readable_number_parts_what_it_should(low, step):
    high = low + step
    if not low < high:
        return
    assert low <= _readable(low, high, whole=False) < high
    if low.is_integer() and high.is_integer():
        found = _readable(low, high, whole=True)
        assert low <= found < high
        assert found.is_integer()
