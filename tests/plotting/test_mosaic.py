"""Which levels are more frequent in a segment: areas, Pearson's residuals, and levels that may not be told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats.contingency import expected_freq

from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, InfeasibleError
from custseg.plotting import MosaicDisplay
from tests.plotting.conftest import texts_of
from tests.sizes import size

COUNTS = np.array([[60, 40, 30], [20, 50, 35], [30, 30, 90]])


def customers_of(counts):
    """Customers with so many of each segment (rows) and level (columns)."""
    segments, levels = np.indices(counts.shape)
    rows = np.repeat(np.arange(counts.size), counts.ravel())
    table = pd.DataFrame({"region": np.array(["east", "north", "west", "south"])[levels.ravel()[rows]]})
    return table, np.array(["ann", "bob", "cid"])[segments.ravel()[rows]]


def test_areas_are_shares_and_residuals_pearsons():
    display = MosaicDisplay.from_predictions(*customers_of(COUNTS), characteristic="region")
    area = (display.data_["width"] * display.data_["share"]).to_numpy().reshape(COUNTS.shape)
    np.testing.assert_allclose(area, COUNTS / COUNTS.sum())
    expected = expected_freq(COUNTS)
    np.testing.assert_allclose(
        display.data_["residual"].to_numpy().reshape(COUNTS.shape), (COUNTS - expected) / np.sqrt(expected)
    )
    assert display.title == "Region: “west” is most over-represented in “cid”"


def test_tiles_are_as_large_as_the_data_and_shaded_by_the_residual():
    display = MosaicDisplay.from_predictions(*customers_of(COUNTS), characteristic="region").plot()
    tiles = display.ax_.patches
    np.testing.assert_allclose([tile.get_width() for tile in tiles], display.data_["width"])
    np.testing.assert_allclose([tile.get_height() for tile in tiles], display.data_["share"])
    shades = {tile.get_facecolor() for tile, r in zip(tiles, display.data_["residual"], strict=True) if abs(r) < 2}
    assert len(shades) == 1
    words = texts_of(display.ax_)
    signs = ["▲" if r >= 2 else "▼" if r <= -2 else "" for r in display.data_["residual"]]
    assert sum("▲" in word for word in words) == signs.count("▲")
    assert sum("▼" in word for word in words) == signs.count("▼")


@given(st.lists(st.tuples(st.integers(12, 60), *[st.integers(0, 40)] * 3), min_size=3, max_size=3))
def test_no_level_is_told_that_few_have_and_no_single_one_follows(counts):
    counts = np.array(counts)
    try:
        data = MosaicDisplay.from_predictions(*customers_of(counts), characteristic="region").data_
    except InfeasibleError:  # then nothing is told at all
        return
    frequent = np.array(["east", "north", "west", "south"])[counts.sum(axis=0) >= 10]
    told = set(data["level"]) - {"all other levels"}
    assert told <= set(frequent)
    there = (counts.sum(axis=0) > 0).sum()
    assert there - len(told) != 1
    np.testing.assert_allclose(data.groupby("segment")["share"].sum(), 1)
    np.testing.assert_allclose(data.groupby("segment")["width"].first().sum(), 1)


@pytest.mark.thorough
def test_chance_is_no_finding():
    random = np.random.RandomState(0)
    titles = []
    for _ in range(size(12, 100)):
        table = pd.DataFrame({"region": random.choice(list("abcdefgh"), 600)})
        titles.append(MosaicDisplay.from_predictions(table, random.randint(6, size=600), characteristic="region").title)
    found = sum(title != "Region: no clear difference between the segments" for title in titles)
    assert found <= 0.1 * len(titles)


def test_a_rare_level_is_pooled_with_another():
    counts = np.column_stack([COUNTS, [2, 1, 1]])
    display = MosaicDisplay.from_predictions(*customers_of(counts), characteristic="region")
    assert "south" not in set(display.data_["level"])
    assert set(display.data_["level"]) >= {"all other levels"}
    whole = MosaicDisplay.from_predictions(*customers_of(counts), characteristic="region", min_group_size=1)
    assert set(whole.data_["level"]) == {"east", "north", "west", "south"}


def test_neither_rows_nor_labels_count():
    table, labels = customers_of(COUNTS)
    order = np.random.RandomState(0).permutation(len(table))
    first = MosaicDisplay.from_predictions(table, labels, characteristic="region").data_
    shuffled = table.iloc[order].reset_index(drop=True), labels[order]
    pd.testing.assert_frame_equal(first, MosaicDisplay.from_predictions(*shuffled, characteristic="region").data_)
    numbers = {"ann": 2, "bob": 0, "cid": 1}
    other = MosaicDisplay.from_predictions(
        table, [numbers[label] for label in labels], names=["bob", "cid", "ann"], characteristic="region"
    ).data_
    columns = ["name", "level", "width", "share", "residual"]
    by_name = other.sort_values(["name", "level"], ignore_index=True)[columns]
    pd.testing.assert_frame_equal(first[columns], by_name)


def test_a_yes_and_no_has_two_tiles_and_missing_values_none():
    table, labels = customers_of(COUNTS)
    answers = pd.DataFrame({"renewed": pd.array(table["region"] == "west", dtype="boolean")})
    answers.loc[:9, "renewed"] = pd.NA
    data = MosaicDisplay.from_predictions(answers, labels, characteristic="renewed").data_
    assert data["level"].tolist() == ["yes", "no"] * 3
    assert data["share"].iloc[0] == pytest.approx(30 / 120)


def test_what_cannot_be_shown_is_refused():
    table, labels = customers_of(COUNTS)
    with pytest.raises(ColumnTypeError, match="Use DistributionDisplay"):
        MosaicDisplay.from_predictions(table.assign(age=range(len(table))), labels, characteristic="age")
    with pytest.raises(ColumnNotFoundError, match="'place' not found"):
        MosaicDisplay.from_predictions(table, labels, characteristic="place")
    with pytest.raises(InfeasibleError, match="nothing of 'region' may be told"):
        MosaicDisplay.from_predictions(table, labels, characteristic="region", min_group_size=100)


def test_names_of_narrow_segments_cover_no_other():
    counts = np.array([[400, 300], [15, 20], [12, 30]])
    table, labels = customers_of(counts)
    names = dict(
        zip(["ann", "bob", "cid"], ["a very long name", "another long name", "the longest of them"], strict=True)
    )
    display = MosaicDisplay.from_predictions(table, [names[label] for label in labels], characteristic="region").plot()
    renderer = display.figure_.canvas.get_renderer()
    below = [text for text in display.ax_.texts if text.get_fontweight() == "bold"]
    boxes = [text.get_window_extent(renderer) for text in below]
    assert len(boxes) == 3
    assert not [(a, b) for a in range(3) for b in range(a) if boxes[a].overlaps(boxes[b])]
    assert min(box.y0 for box in boxes) >= 0
