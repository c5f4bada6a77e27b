"""Is there a gap at the borders of the segments, which one continuum does not have?"""

import numpy as np
import pandas as pd
import pytest

from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.plotting import GorgeDisplay
from custseg.segmentation import Segmentation
from tests.plotting.conftest import relabelled


@pytest.fixture(scope="module")
def displays(planted, nobody):
    return GorgeDisplay.from_predictions(planted), GorgeDisplay.from_predictions(nobody)


def test_planted_segments_have_a_gap_and_one_cloud_has_none(displays):
    planted, nobody = (display.segments_ for display in displays)
    assert (planted["near_border"] < planted["near_border_null"] / 3).all()
    assert (abs(nobody["near_border"] - nobody["near_border_null"]) < 0.08).all()
    assert abs(nobody["near_border"].mean() - nobody["near_border_null"].mean()) < 0.05
    assert displays[0].title.startswith("A gap between the segments: ")
    assert displays[1].title.startswith("No gap between the segments: ")


def test_members_are_on_their_side_and_everyone_is_there(displays, planted):
    data = displays[0].data_
    assert data.loc[data["low"] >= 0.5, "n_members"].sum() == 0
    assert data.groupby("segment")["n_members"].sum().tolist() == planted.sizes.tolist()
    assert (data.groupby("segment")[["n_members", "n_others"]].sum().sum(axis=1) == planted.n_customers).all()
    np.testing.assert_allclose(data.groupby("segment")["null"].sum(), planted.n_customers)


def test_the_place_is_the_share_of_the_way_to_the_nearest_other_centre(planted):
    points = np.asarray(planted.customers)
    centres = np.array([points[planted.labels == label].mean(axis=0) for label in range(4)])
    distances = np.linalg.norm(points[:, None] - centres, axis=2)
    near = [
        np.mean(np.abs(distances[:, label] / (distances[:, label] + rest) - 0.5) < 0.04)
        for label in range(4)
        for rest in [np.delete(distances, label, axis=1).min(axis=1)]
    ]
    np.testing.assert_allclose(GorgeDisplay.from_predictions(planted).segments_["near_border"], near)


def test_the_unit_of_distances_does_not_count(planted):
    def of_scale(scale):
        points = np.asarray(planted.customers) * scale
        return GorgeDisplay.from_predictions(points, planted.labels, embedder="passthrough")

    pd.testing.assert_frame_equal(of_scale(1.0).data_, of_scale(4.0).data_)


def test_neither_rows_nor_labels_count(planted):
    order = np.random.RandomState(2).permutation(planted.n_customers)
    shuffled = Segmentation.of(np.asarray(planted.customers)[order], planted.labels[order], names=planted.names)
    first = GorgeDisplay.from_predictions(planted, embedder="passthrough")
    other = GorgeDisplay.from_predictions(relabelled(shuffled, [2, 0, 3, 1]), embedder="passthrough")
    by_name = [display.segments_.drop(columns="segment").set_index("name").sort_index() for display in (first, other)]
    pd.testing.assert_frame_equal(*by_name)
    bars = [
        display.data_.drop(columns="segment").sort_values(["name", "low"], ignore_index=True)
        for display in (first, other)
    ]
    pd.testing.assert_frame_equal(*bars)


def test_bars_and_line_are_the_data(displays):
    display = displays[0].plot()
    assert len(display.axes_) == 4
    for ax, (_, bars) in zip(display.axes_, display.data_.groupby("segment"), strict=True):
        others, members = ([bar.get_height() for bar in each] for each in ax.containers)
        assert others == bars["n_others"].tolist()
        assert members == bars["n_members"].tolist()
        line = ax.patches[-1].get_data()
        np.testing.assert_array_equal(line.values, bars["null"])


def test_small_segments_are_left_out_and_nobody_stands_alone():
    random = np.random.RandomState(0)
    points = np.concatenate([random.normal(size=(60, 2)), random.normal(5, size=(60, 2)), [[90.0, 90.0]] * 3])
    labels = np.repeat([0, 1, 2], [60, 60, 3])
    display = GorgeDisplay.from_predictions(points, labels)
    assert display.segments_["segment"].tolist() == [0, 1]
    outermost = (
        display.data_[display.data_["n_members"] + display.data_["n_others"] > 0].groupby("segment").nth([0, -1])
    )
    assert (outermost["n_members"] + outermost["n_others"] >= 10).all()
    with pytest.raises(InvalidParameterError, match="at least 2 segments with enough customers"):
        GorgeDisplay.from_predictions(points, labels, min_group_size=61)


def test_customers_of_few_kinds_can_be_shown_and_those_of_one_are_refused():
    answers = np.repeat([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]], 40, axis=0)
    display = GorgeDisplay.from_predictions(answers, np.repeat([0, 1, 2], 40), embedder="passthrough").plot()
    assert (display.segments_["near_border"] == 0).all()
    with pytest.raises(InfeasibleError, match="at least 2 customers that differ, got n_samples=40 with 1 distinct"):
        GorgeDisplay.from_predictions(np.ones((40, 2)), np.arange(40) % 2, embedder="passthrough")
