"""The share of customers against the share of value."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg import describe_segments
from custseg.exceptions import InvalidParameterError
from custseg.plotting import SegmentValueDisplay
from custseg.segmentation import Segmentation
from tests.plotting.conftest import relabelled, texts_of


def segmentation_of(sizes, values):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    names = [f"segment {chr(97 + number)}" for number in range(len(sizes))]
    spend = np.repeat(np.asarray(values, dtype=float), sizes)
    return Segmentation.of(pd.DataFrame({"spend": spend}), labels, names=names, value="spend")


SEGMENTS = st.lists(st.tuples(st.integers(10, 40), st.integers(1, 50)), min_size=1, max_size=6)


@given(SEGMENTS)
def test_both_shares_sum_to_one_and_the_index_is_their_ratio(segments):
    data = SegmentValueDisplay.from_predictions(segmentation_of(*zip(*segments, strict=True))).data_
    assert data["share"].sum() == pytest.approx(1)
    assert data["value_share"].sum() == pytest.approx(1)
    np.testing.assert_allclose(data["index"], 100 * data["value_share"] / data["share"])
    assert data["value_share"].is_monotonic_decreasing


@given(SEGMENTS, st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_that_of_labels_counts(segments, random):
    segmentation = segmentation_of(*zip(*segments, strict=True))
    order = random.sample(range(len(segments)), len(segments))
    rows = random.sample(range(segmentation.n_customers), segmentation.n_customers)
    other = relabelled(segmentation, order)
    shuffled = Segmentation.of(
        other.customers.iloc[rows].reset_index(drop=True),
        other.labels[rows],
        names=other.names,
        value=other.value[rows],
    )
    first, second = map(SegmentValueDisplay.from_predictions, (segmentation, shuffled))
    pd.testing.assert_frame_equal(first.data_.drop(columns="segment"), second.data_.drop(columns="segment"))
    assert (first.title, first.alt_) == (second.title, second.alt_)


def test_bars_are_the_shares(planted):
    display = SegmentValueDisplay.from_predictions(planted).plot()
    left, right = ([bar.get_width() for bar in bars] for bars in display.ax_.containers)
    np.testing.assert_allclose(left, -display.data_["share"])
    np.testing.assert_allclose(right, display.data_["value_share"])
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == display.data_["name"].tolist()[::-1]
    assert f"{display.data_['index'].iloc[0]:.0f}" in texts_of(display.ax_)


@pytest.mark.parametrize("name", ["a very long name " * 3, "High-spending, occasional "])
def test_no_word_overlaps_another(planted, name):
    display = SegmentValueDisplay.from_predictions(planted, names=[name + end for end in "abcd"])
    display.plot()
    renderer = display.figure_.canvas.get_renderer()
    words = [*display.ax_.texts, *display.ax_.get_yticklabels(), *display.figure_.texts]
    boxes = [word.get_window_extent(renderer) for word in words]
    found = [(a, b) for a in range(len(boxes)) for b in range(a) if boxes[a].overlaps(boxes[b])]
    assert not found, [(words[a].get_text(), words[b].get_text()) for a, b in found]
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= display.figure_.bbox.width


def test_without_value_it_says_how_to_give_it(nobody):
    with pytest.raises(InvalidParameterError, match=r"^SegmentValueDisplay: parameter 'value'.*Pass value="):
        SegmentValueDisplay.from_predictions(nobody)


def test_too_few_customers_are_not_shown():
    segmentation = segmentation_of([40, 30, 4], [1, 2, 3])
    display = SegmentValueDisplay.from_predictions(segmentation)
    assert display.data_["name"].tolist() == ["segment b", "segment a"]
    assert display.how_to_read.endswith("Not shown, for too few customers: segment c.")
    assert display.data_["n_customers"].sum() < 70  # so that four cannot be told from the total
    assert len(SegmentValueDisplay.from_predictions(segmentation, min_group_size=1).data_) == 3


def test_personas_are_shown_as_they_are_told():
    segmentation = segmentation_of([40, 30, 4], [1, 2, 3])
    table = describe_segments(segmentation).segment_table
    told = SegmentValueDisplay(table, currency="EUR")
    pd.testing.assert_frame_equal(told.data_, SegmentValueDisplay.from_predictions(segmentation).data_)
    assert "EUR" in told.how_to_read


def test_a_negative_value_has_no_bar():
    display = SegmentValueDisplay.from_predictions(segmentation_of([40, 30], [3, -1])).plot()
    assert display.ax_.containers[1][1].get_width() == 0
    assert "-33%" in texts_of(display.ax_)


def test_what_is_no_estimator_is_refused(planted):
    with pytest.raises(InvalidParameterError, match="from_predictions"):
        SegmentValueDisplay.from_estimator(planted)
    with pytest.raises(InvalidParameterError, match="'X' must be the customers"):
        SegmentValueDisplay.from_estimator(planted.clusterer)
    with pytest.raises(InvalidParameterError, match="'labels' must be None"):
        SegmentValueDisplay.from_predictions(planted, planted.labels)
