"""Do the segments come back: curve, bars and bands are the figures of the refits."""

import numpy as np
import pandas as pd
import pytest

from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.plotting import StabilityDisplay
from custseg.segmentation import SegmentClusterer
from custseg.validation import StabilityResult, bootstrap_stability
from tests.plotting.conftest import texts_of

NAMES = ["one", "two", "three", "four"]


@pytest.fixture(scope="module")
def stability(planted):
    clusterer = SegmentClusterer(n_init=1, embedder="passthrough")
    return bootstrap_stability(clusterer, planted.customers, [2, 3, 4], n_pairs=4, random_state=0)


def test_dots_and_bars_are_the_figures_of_the_refits(stability):
    display = StabilityDisplay(stability, 4, names=NAMES).plot()
    dots, means = display.axes_[0].collections
    np.testing.assert_array_equal(dots.get_offsets()[:, 1], stability.adjusted_rand.ravel())
    np.testing.assert_array_equal(means.get_offsets()[:, 1], stability.mean_adjusted_rand)
    assert abs(dots.get_offsets()[:, 0] - display.data_["n_segments"]).max() < 0.2
    own = stability.segments[stability.segments["n_segments"] == 4].set_index("segment")["slsw"]
    widths = [bar.get_width() for bar in display.axes_[1].patches]
    assert widths == own[display.segments_["segment"]].tolist()
    assert display.segments_["slsw"].is_monotonic_decreasing
    assert set(NAMES) <= set(texts_of(display.axes_[1]))


def test_the_number_shown_is_filled(stability):
    display = StabilityDisplay(stability, 3).plot()
    _, means = display.axes_[0].collections
    filled = [tuple(colour) != (1, 1, 1, 1) for colour in means.get_facecolor()]
    assert filled == [False, True, False]


def test_every_column_of_bands_holds_everyone(stability, planted):
    display = StabilityDisplay(stability, 4)
    assert display.flows_.groupby("n_segments")["n_customers"].sum().tolist() == [planted.n_customers] * 2
    merged = display.flows_.merge(stability.flows, on=list(stability.flows.columns[:4]), suffixes=("", "_there"))
    assert (merged["n_customers"] == merged["n_customers_there"]).all()
    assert len(merged) == len(display.flows_)


def test_bands_are_as_thick_as_their_customers_are_many(stability, planted):
    display = StabilityDisplay(stability, 4, names=NAMES).plot()
    ends = [patch.get_path().vertices for patch in display.axes_[2].patches if len(patch.get_path().vertices) == 9]
    thickness = [abs(path[3, 1] - path[4, 1]) for path in ends if path[3, 0] > 1.5]
    counts = display.flows_[(display.flows_["n_segments"] == 4) & (display.flows_["n_customers"] > 0)]["n_customers"]
    np.testing.assert_allclose(sorted(thickness), sorted(counts / planted.n_customers * (1 - 0.035 * 3)))


def test_the_smallest_number_comes_from_nowhere(stability):
    display = StabilityDisplay(stability, 2).plot()
    assert len(display.axes_) == 2
    assert display.flows_.empty


def test_a_segment_that_is_not_found_again_is_said_to_be_so():
    segments = pd.DataFrame(
        {"n_segments": 2, "segment": [0, 1], "n_customers": [5, 7], "slsw": [0.5999, 0.8], "slsa": np.nan}
    )
    result = StabilityResult(numbers=(2,), adjusted_rand=np.array([[0.3, 0.9]]), segments=segments, reference_labels={})
    display = StabilityDisplay(result, 2, names=["weak", "strong"]).plot()
    assert display.title == "1 of 2 segments come back in other samples"
    assert "0.59 not found again" in texts_of(display.axes_[1])
    assert "weak 0.60" in display.alt_


def test_what_cannot_be_shown_is_refused(stability, planted):
    with pytest.raises(InfeasibleError, match="nobody was drawn again"):
        StabilityDisplay(StabilityResult.empty(), 2)
    with pytest.raises(InvalidParameterError, match="unknown n_segments '9'; known: '2', '3', '4'"):
        StabilityDisplay(stability, 9)
    with pytest.raises(InvalidParameterError, match="'names' must be one for each of 3 segments"):
        StabilityDisplay(stability, 3, names=["a"])
    with pytest.raises(InvalidParameterError, match="bootstrap_stability"):
        StabilityDisplay.from_estimator(planted.clusterer)
