"""Ctrl-C in the middle: workers stop, nothing is left behind, and the exception says how far it came."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from custseg.validation import bootstrap_stability
from tests.sizes import size

X = np.random.default_rng(0).normal(size=(60, 2))


class Interrupted(KMeans):
    """Is interrupted in the fit on a bootstrap sample, or on all customers."""

    def __init__(self, n_clusters=2, *, on_sample=True, n_init=1, random_state=None):
        super().__init__(n_clusters, n_init=n_init, random_state=random_state)
        self.on_sample = on_sample

    def fit(self, X, y=None):
        repeated = len(np.unique(X, axis=0)) < len(X)
        if repeated == self.on_sample:
            raise KeyboardInterrupt
        return super().fit(X)


def interrupt_after(n_pairs):
    def on_step(done, total):
        if done == n_pairs:
            raise KeyboardInterrupt

    return on_step


@pytest.mark.thorough
@pytest.mark.parametrize("n_jobs", size([None], [None, 2]))
def test_an_interrupt_between_pairs_says_how_many_were_done(n_jobs):
    clusterer = KMeans(n_init=1)
    options = {"n_pairs": 6, "random_state": 0, "n_jobs": n_jobs}
    with pytest.raises(KeyboardInterrupt) as caught:
        bootstrap_stability(clusterer, X, [2, 3], on_step=interrupt_after(4), **options)
    assert caught.value.__notes__ == [
        "bootstrap_stability was interrupted after 4 of 6 pairs of bootstrap samples; nothing of them is kept."
    ]
    assert vars(clusterer) == vars(KMeans(n_init=1))


@pytest.mark.thorough
@pytest.mark.parametrize("n_jobs", size([None], [None, 2]))
def test_an_interrupt_of_a_refit_is_handed_on(n_jobs):
    with pytest.raises(KeyboardInterrupt) as caught:
        bootstrap_stability(Interrupted(), X, [2], n_pairs=3, random_state=0, n_jobs=n_jobs)
    assert any("after 0 of 3 pairs" in note for note in caught.value.__notes__)


def test_an_interrupt_before_the_first_pair_says_so_too():
    with pytest.raises(KeyboardInterrupt) as caught:
        bootstrap_stability(Interrupted(on_sample=False), X, [2], n_pairs=3, random_state=0)
    assert any("after 0 of 3 pairs" in note for note in caught.value.__notes__)


def test_what_was_interrupted_can_be_run_again():
    options = {"n_segments": [2, 3], "n_pairs": 3, "random_state": 0}
    clusterer = KMeans(n_init=1)
    plain = bootstrap_stability(KMeans(n_init=1), X, **options)
    with pytest.raises(KeyboardInterrupt):
        bootstrap_stability(clusterer, X, on_step=interrupt_after(2), **options)
    again = bootstrap_stability(clusterer, X, **options)
    np.testing.assert_array_equal(again.adjusted_rand, plain.adjusted_rand)
    pd.testing.assert_frame_equal(again.segments, plain.segments)


def test_an_error_of_on_step_is_handed_on_as_it_is():
    def fail(done, total):
        raise RuntimeError("full")

    with pytest.raises(RuntimeError, match="full") as caught:
        bootstrap_stability(KMeans(n_init=1), X, [2], n_pairs=5, random_state=0, on_step=fail)
    assert not hasattr(caught.value, "__notes__")
