"""What a segmenter can do is said by the segmenter: each answer beside what the segmenter really does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import HDBSCAN, KMeans

from custseg import KPrototypesClusterer, LatentClassClusterer, RFMSegmenter, RuleSegmenter, SegmentClusterer
from custseg.exceptions import InvalidParameterError
from custseg.segmentation._clusterer.engines import ENGINES, engine_of
from tests.common.cases import CASES

FITTED = {
    name: clone(CASES[name].estimator).fit(CASES[name].data)
    for name in ("KPrototypesClusterer", "LatentClassClusterer", "RFMSegmenter", "RuleSegmenter", "SegmentClusterer")
}


@pytest.mark.parametrize("name", FITTED)
def test_limits_are_parameters_that_exist(name):
    segmenter = FITTED[name]
    own = segmenter.get_params(deep=False)
    assert segmenter.limits == {
        limit for limit in ("min_segment_share", "min_segments", "max_segments") if limit in own
    }


@pytest.mark.parametrize("name", FITTED)
def test_whether_rules_define_the_segments(name):
    segmenter = FITTED[name]
    assert segmenter.defined_by_rules == hasattr(segmenter, "rules_")
    # rules know their number beforehand: they have no parameter for it
    assert segmenter.defined_by_rules == ("n_segments" not in segmenter.get_params(deep=False))


@pytest.mark.parametrize("name", FITTED)
def test_characteristics_that_segments_were_made_by(name):
    segmenter = FITTED[name]
    assert set(segmenter.clustered_on_) <= set(segmenter.feature_names_in_)
    assert clone(segmenter).clustered_on_ is None


@pytest.mark.parametrize(
    ("segmenter", "seed"),
    [
        (SegmentClusterer(random_state=3), 3),
        (SegmentClusterer(), None),
        (LatentClassClusterer(random_state=4), 4),
        (RFMSegmenter(), 0),
    ],
)
def test_seed(segmenter, seed):
    assert segmenter.seed == seed


def test_who_finds_the_number():
    assert SegmentClusterer(engine=HDBSCAN()).finds_number
    for segmenter in (SegmentClusterer(), SegmentClusterer(engine=KMeans()), LatentClassClusterer(), RFMSegmenter()):
        assert not segmenter.finds_number


def test_without_a_selection_it_is_none():
    assert all(segmenter.selection_ is None for segmenter in FITTED.values())


@pytest.mark.parametrize(
    "segmenter",
    [
        SegmentClusterer(3, n_init=3, random_state=0),
        KPrototypesClusterer(3, n_init=3, random_state=0),
        LatentClassClusterer(3, n_init=3, random_state=0, standard_errors=False),
    ],
    ids=lambda segmenter: type(segmenter).__name__,
)
def test_one_that_takes_counts_gives_what_repeated_rows_give(segmenter):
    assert segmenter.takes_counts
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 2)) + 6 * np.eye(3, 2)[np.arange(60) % 3], columns=["a", "b"])
    counts = rng.integers(1, 4, size=60)
    counted = clone(segmenter).fit(table, sample_weight=counts)
    repeated = clone(segmenter).fit(table.loc[np.repeat(np.arange(60), counts)])
    assert (np.repeat(counted.labels_, counts) == repeated.labels_).all()


def test_rules_and_engines_of_others_do_not_take_counts():
    for segmenter in (RuleSegmenter({"a": "x > 1"}), SegmentClusterer(engine=KMeans())):
        assert not segmenter.takes_counts


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_that_takes_no_weights_refuses_them(name):
    table = CASES["SegmentClusterer"].data
    clusterer = SegmentClusterer(2, engine=name, weights={"age": 3.0}, n_init=1, random_state=0)
    engine = engine_of(name, n_init=1, sample_above=1_000)
    if engine.takes_weights:
        assert clusterer.fit(table).n_segments_ == 2
    else:
        with pytest.raises(InvalidParameterError, match="'weights' must be equal, or 0, with latent classes"):
            clusterer.fit(table)


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_that_balances_keeps_a_share_that_it_would_not_have(name):
    engine = engine_of(name, n_init=1, sample_above=1_000)
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": np.r_[rng.normal(size=90), rng.normal(9, 1, size=10)], "b": rng.normal(size=100)})
    clusterer = SegmentClusterer(2, engine=name, min_segment_share=0.3, n_init=3, random_state=0)
    if engine.balances:
        assert clusterer.fit(table).segment_sizes_.min() >= 30
    else:
        assert SegmentClusterer(2, engine=name, n_init=3, random_state=0).fit(table).segment_sizes_.min() < 30
        with pytest.raises(ValueError, match="gives its smallest segment a share of"):
            clusterer.fit(table)
