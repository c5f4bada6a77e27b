"""How far each segment stands apart: the figures of the separation."""

import numpy as np
import pandas as pd
import pytest

from custseg.exceptions import InvalidParameterError
from custseg.plotting import SeparationDisplay
from custseg.validation import segment_separation
from tests.plotting.conftest import relabelled, texts_of


def test_bars_and_neighbours_are_those_of_the_separation(planted):
    display = SeparationDisplay.from_predictions(planted).plot()
    found = segment_separation(planted, embedder="passthrough", random_state=0)
    own = found.segments.set_index("segment").loc[display.data_["segment"]]
    np.testing.assert_allclose(display.data_["silhouette"], own["silhouette"])
    assert display.data_["silhouette"].is_monotonic_decreasing
    assert [bar.get_width() for bar in display.ax_.containers[0]] == display.data_["silhouette"].tolist()
    near = found.neighbourhood.loc[display.data_["segment"]]
    assert near.idxmax(axis=1).tolist() == display.data_["neighbour"].tolist()
    np.testing.assert_allclose(near.max(axis=1), display.data_["neighbourhood"])
    assert set(display.data_["neighbour"]) <= set(texts_of(display.ax_))


def test_labels_do_not_count(planted):
    first = SeparationDisplay.from_predictions(planted, embedder="passthrough")
    other = SeparationDisplay.from_predictions(relabelled(planted, [3, 1, 0, 2]), embedder="passthrough")
    pd.testing.assert_frame_equal(first.data_, other.data_)
    assert first.title == other.title


def test_a_segment_that_is_no_group_lies_below_zero(nobody):
    labels = np.where(np.arange(nobody.n_customers) % 2, "odd", nobody.labels.astype(str))
    display = SeparationDisplay.from_predictions(nobody.customers, labels, embedder="passthrough").plot()
    below = display.data_["silhouette"].to_numpy() < 0
    assert below.any()
    assert display.ax_.get_xlim()[0] < display.data_["silhouette"].min()


def test_small_segments_are_left_out(planted):
    labels = np.where(np.arange(planted.n_customers) < 4, "few", np.array(planted.names)[planted.labels])
    shown = SeparationDisplay.from_predictions(planted.customers, labels, embedder="passthrough")
    assert "few" not in {*shown.data_["segment"], *shown.data_["neighbour"]}
    separation = segment_separation(planted.customers, labels, embedder="passthrough", random_state=0)
    assert "few" not in set(SeparationDisplay(separation).data_["segment"])
    with pytest.raises(InvalidParameterError, match="'separation' must be of at least 2 segments"):
        SeparationDisplay(separation, min_group_size=140)
