"""Why this number of segments: the figures of the selection."""

import numpy as np
import pandas as pd
import pytest

from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.plotting import SelectionDisplay
from custseg.segmentation import SegmentClusterer
from tests.plotting.conftest import texts_of


@pytest.fixture(scope="module")
def clusterers():
    random = np.random.RandomState(0)
    planted = 5 * np.eye(3)[np.arange(210) % 3] + random.normal(size=(210, 3))
    tables = (planted, random.normal(size=(200, 3)))
    return [SegmentClusterer("auto", embedder="passthrough", random_state=0).fit(table) for table in tables]


def test_the_data_are_the_table_of_the_selection(clusterers):
    for clusterer in clusterers:
        display = SelectionDisplay.from_estimator(clusterer)
        table = clusterer.selection_.table
        pd.testing.assert_frame_equal(display.data_[table.columns], table)
        assert display.data_.loc[display.data_["shown"], "n_segments"].tolist() == [clusterer.n_segments_]
        known = display.data_[display.data_["null_unexplained"].notna()]
        assert (known["null_low"] < known["null_unexplained"]).all()
        width = np.log(known["null_high"] / known["null_unexplained"])
        np.testing.assert_allclose(width * known["z"].abs(), 2 * known["excess"].abs())


def test_points_are_drawn_and_the_number_shown_is_filled(clusterers):
    display = SelectionDisplay.from_estimator(clusterers[0]).plot()
    assert display.title == "The customers ask for 3 segments"
    for ax, column in zip(display.axes_, ("unexplained", "bic"), strict=True):
        dots = ax.collections[-1]
        known = display.data_[display.data_[column].notna()]
        np.testing.assert_allclose(dots.get_offsets(), known[["n_segments", column]])
        assert [tuple(colour) != (1, 1, 1, 1) for colour in dots.get_facecolor()] == known["shown"].tolist()


def test_one_continuum_has_no_classes_to_show(clusterers):
    display = SelectionDisplay.from_estimator(clusterers[1]).plot()
    assert display.title == "One continuum splits as well as these customers"
    assert len(display.axes_) == 1
    assert "one\ncontinuum" in texts_of(display.ax_)


def test_another_number_may_be_shown(clusterers):
    selection = clusterers[0].selection_
    assert SelectionDisplay(selection, 4).title == "The customers ask for 3 segments; 4 are shown"
    with pytest.raises(InvalidParameterError, match="unknown n_segments '99'"):
        SelectionDisplay(selection, 99)


def test_without_a_comparison_there_is_nothing_to_show():
    few = SegmentClusterer("auto", embedder="passthrough").fit(np.arange(12.0).reshape(6, 2))
    with pytest.raises(InfeasibleError, match="no numbers of segments were compared. One segment: 6 customer"):
        SelectionDisplay.from_estimator(few)
    fixed = SegmentClusterer(2, embedder="passthrough").fit(np.arange(12.0).reshape(6, 2))
    with pytest.raises(InvalidParameterError, match="'selection' must be a SegmentSelection"):
        SelectionDisplay.from_estimator(fixed)
