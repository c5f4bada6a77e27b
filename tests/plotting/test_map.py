"""How near segments are to each other, on the plane through their centres."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import ConvexHull

from custseg.exceptions import InvalidParameterError
from custseg.plotting import SegmentMapDisplay
from custseg.plotting._map import _plane
from custseg.plotting._shared.places import Places
from custseg.segmentation import Segmentation
from custseg.validation import segment_separation
from tests.plotting.conftest import relabelled, texts_of


@pytest.fixture(scope="module")
def display(planted):
    return SegmentMapDisplay.from_predictions(planted)


def on_plane(segmentation):
    places = Places.of(segmentation, "passthrough")
    axes, _ = _plane(places, "centres")
    return places, (places.points - places.points.mean(axis=0)) @ axes.T


def test_centres_are_the_projected_means(display, planted):
    places, plane = on_plane(planted)
    means = [plane[places.codes == code].mean(axis=0) for code in range(4)]
    np.testing.assert_allclose(display.centres_[["x", "y"]], means, atol=1e-9)
    assert display.centres_["n_customers"].tolist() == planted.sizes.tolist()


def test_no_plane_shows_more_of_what_separates_the_centres(display, planted):
    places = Places.of(planted, "passthrough")
    centres = np.sqrt(places.sizes)[:, None] * (places.centres - places.points.mean(axis=0))
    values = np.linalg.svd(centres, compute_uv=False) ** 2
    np.testing.assert_allclose(display.shares_, values[:2] / values.sum())
    pca = SegmentMapDisplay.from_predictions(planted, projection="pca")
    assert sum(pca.shares_) <= sum(display.shares_) + 1e-9
    assert "of the customers" in pca.plot().ax_.get_xlabel()


@pytest.mark.parametrize("within", [0.5, 0.95])
def test_an_outline_holds_its_share_of_the_segment(display, planted, within):
    places, plane = on_plane(planted)
    for code in range(4):
        own = display.hulls_[(display.hulls_["segment"] == code) & (display.hulls_["within"] == within)]
        hull = ConvexHull(own[["x", "y"]])
        inside = (plane[places.codes == code] @ hull.equations[:, :2].T + hull.equations[:, 2] <= 1e-9).all(axis=1)
        assert inside.sum() == int(within * planted.sizes[code])


def test_lines_are_as_wide_as_the_neighbourhood(display, planted):
    near = segment_separation(planted, embedder="passthrough").neighbourhood
    for row in display.borders_.itertuples():
        both = (near.loc[row.first, row.second] + near.loc[row.second, row.first]) / 2
        assert row.neighbourhood == pytest.approx(both)
    drawn = [line for line in display.plot().ax_.lines if line.get_solid_capstyle() == "round"]
    wide = display.borders_.loc[display.borders_["neighbourhood"] > 0.05, "neighbourhood"]
    assert [line.get_linewidth() for line in drawn] == pytest.approx((0.6 + 9 * wide).tolist())


def test_neither_rows_nor_columns_nor_labels_count(planted):
    points = np.asarray(planted.customers)
    order = np.random.RandomState(2).permutation(len(points))
    shuffled = Segmentation.of(points[order][:, [2, 0, 3, 1]], planted.labels[order], names=planted.names)
    first = SegmentMapDisplay.from_predictions(planted, embedder="passthrough")
    other = SegmentMapDisplay.from_predictions(relabelled(shuffled, [2, 0, 3, 1]), embedder="passthrough")
    centres = [each.centres_.drop(columns="segment").set_index("name").sort_index() for each in (first, other)]
    pd.testing.assert_frame_equal(*centres)
    rows = pd.DataFrame(points[order]), planted.labels[order]
    again = SegmentMapDisplay.from_predictions(*rows, names=planted.names, embedder="passthrough")
    pd.testing.assert_frame_equal(first.data_, again.data_)
    assert first.title == again.title == other.title


def test_the_file_does_not_depend_on_the_order_of_rows(planted, tmp_path):
    points = np.asarray(planted.customers)
    order = np.random.RandomState(3).permutation(len(points))
    files = [
        SegmentMapDisplay.from_predictions(points[rows], planted.labels[rows], embedder="passthrough")
        .save(tmp_path / f"{name}.svg")
        .read_bytes()
        for name, rows in {"first": slice(None), "second": order}.items()
    ]
    assert files[0] == files[1]


def test_nobody_stands_out(planted):
    points = np.vstack([np.asarray(planted.customers), [[0, 0, 0, 60.0]], [[90.0, 90, 90, 90]] * 3])
    labels = np.concatenate([planted.labels, [3], [4] * 3])
    display = SegmentMapDisplay.from_predictions(points, labels, names=[*planted.names, "few"], embedder="passthrough")
    assert "few" not in set(display.centres_["name"])
    spread = np.ptp(display.data_[["x", "y"]].to_numpy(), axis=0)
    assert (spread < 30).all()
    assert len(display.data_) <= sum(int(0.99 * size) for size in display.centres_["n_customers"])


def test_many_customers_are_a_sample_and_equal_ones_are_moved():
    random = np.random.RandomState(0)
    labels = np.repeat([0, 1, 2], 1000)
    answers = (random.uniform(size=(3000, 3)) < 0.2 + 0.6 * np.eye(3)[labels]).astype(float)
    display = SegmentMapDisplay.from_predictions(answers, labels, embedder="passthrough")
    assert len(display.data_) == 1500
    assert len(display.data_[["x", "y"]].drop_duplicates()) == 1500


def test_two_segments_and_customers_on_a_line_have_a_plane_too():
    random = np.random.RandomState(0)
    clouds = np.repeat([[0.0, 0], [5, 5]], 40, axis=0) + random.normal(size=(80, 2))
    display = SegmentMapDisplay.from_predictions(clouds, np.repeat([0, 1], 40), embedder="passthrough").plot()
    assert display.shares_ == pytest.approx((1, 0))
    line = np.column_stack([np.arange(80.0), np.zeros(80)])
    SegmentMapDisplay.from_predictions(line, np.repeat([0, 1], 40), embedder="passthrough").plot()
    with pytest.raises(InvalidParameterError, match="at least 2 segments"):
        SegmentMapDisplay.from_predictions(line, np.zeros(80, dtype=int), embedder="passthrough")


def test_names_stand_apart_and_inside(planted):
    names = ["a name of many words " * 2 + end for end in "abcd"]
    points = np.asarray(planted.customers) * 0.05 + np.random.RandomState(0).normal(size=(420, 4))
    display = SegmentMapDisplay.from_predictions(points, planted.labels, names=names, embedder="passthrough").plot()
    renderer = display.figure_.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in display.ax_.texts]
    assert len(texts_of(display.ax_)) == 4
    assert not [(a, b) for a in range(4) for b in range(a) if boxes[a].overlaps(boxes[b])]
    panel = display.ax_.get_window_extent(renderer)
    assert all(panel.x0 <= box.x0 and box.x1 <= panel.x1 for box in boxes)
