"""The search among local maxima of latent classes: what it gains, what it says of it, and when it does nothing."""

from __future__ import annotations

import numpy as np
import pytest

from custseg._core.arrays import Floats
from custseg.segmentation._latent_classes import clusterer as clusterer_module
from custseg.segmentation._latent_classes.clusterer import LatentClassClusterer
from custseg.segmentation._latent_classes.evolved import affordable


def answers(n_rows: int = 150, seed: int = 3) -> Floats:
    """Answers of six classes to 14 questions, too many classes for so few answers."""
    random = np.random.RandomState(seed)
    yes = random.rand(6, 14)
    return (random.rand(n_rows, 14) < yes[random.randint(6, size=n_rows)]).astype(float)


def fitted(table: Floats, n_init: int, weights: Floats | None = None, seed: int = 0) -> LatentClassClusterer:
    clusterer = LatentClassClusterer(5, kinds="binary", n_init=n_init, max_iter=300, random_state=seed)
    return clusterer.fit(table, sample_weight=weights)


def test_weights_of_any_unit_and_the_order_of_rows_make_no_difference() -> None:
    table = answers()
    one = fitted(table, 6)
    assert one.optimum_.n_hits < 3  # so that it was searched on
    backwards = fitted(table[::-1], 12)
    assert (backwards.labels_[::-1] == one.labels_).all()
    heavy = fitted(table, 6, np.full(len(table), 2.0**150))
    assert (heavy.labels_ == one.labels_).all()
    twice = fitted(np.concatenate([table, table]), 12)
    weighted = fitted(table, 6, np.full(len(table), 2.0))
    assert (twice.labels_[: len(table)] == weighted.labels_).all()


def test_what_is_found_is_a_maximum_that_its_figures_belong_to() -> None:
    clusterer = fitted(answers(), 6)
    assert clusterer.optimum_.objective == pytest.approx(clusterer.log_likelihood_, abs=1e-6)
    assert clusterer.class_shares_.sum() == pytest.approx(1.0)
    assert clusterer.n_iter_ > 1


def test_it_is_never_worse_than_the_restarts_and_better_where_they_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    table = answers(250)
    searched = [fitted(table, 5, seed=seed).log_likelihood_ for seed in range(4)]
    monkeypatch.setattr(clusterer_module, "searched_on", lambda fit, *_, **__: fit)
    gains = np.array(searched) - [fitted(table, 5, seed=seed).log_likelihood_ for seed in range(4)]
    assert gains.min() >= 0
    assert gains.max() > 0.1


def test_one_class_and_many_rows_are_not_searched() -> None:
    assert affordable(20, 100_000, 5, 40) == 0
    assert 64 <= affordable(20, 800, 6, 41) <= 800
    assert LatentClassClusterer(1, kinds="binary", random_state=0).fit(answers()).n_segments_ == 1
