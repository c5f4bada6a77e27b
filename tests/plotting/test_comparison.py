"""All characteristics and all segments side by side."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.personas import profile_segments
from custseg.plotting import ComparisonDisplay
from custseg.plotting._shared.look import LESS, MORE
from custseg.plotting._shared.profiled import written
from tests.plotting.conftest import mixed_segmentation, mixed_table, texts_of

NAN = float("nan")


@pytest.fixture(scope="module")
def display(mixed):
    return ComparisonDisplay.from_predictions(mixed)


def test_figures_are_those_of_the_profile_and_the_text_is_the_figure(display, mixed):
    frame = profile_segments(mixed).frame.set_index(["characteristic", "level", "segment"])
    told = display.data_.set_index(["characteristic", "level", "segment"])
    for name in ("segment_value", "overall_value", "effect_size", "eta2"):
        np.testing.assert_array_equal(told[name], frame[name].reindex(told.index))
    for _, row in display.data_.groupby(["label"]):
        share = row["characteristic"].iloc[0] in ("town", "uses_app", "club")
        year = row["characteristic"].iloc[0] == "year_of_birth"
        figures = [row["overall_value"].iloc[0], *row["segment_value"]]
        assert [row["overall_text"].iloc[0], *row["text"]] == written(figures, share=share, year=year)


def test_steps_count_the_limits_of_the_effect_and_the_arrow_is_its_sign(display):
    data = display.data_
    np.testing.assert_array_equal(
        data["step"], np.searchsorted([0.2, 0.5, 0.8, 1.2], data["effect_size"].abs(), "right")
    )
    display.plot()
    arrows = [text for text in texts_of(display.ax_) if text and set(text) <= {"▲", "▼"}]
    tinted = data[data["step"] > 0]
    signs = np.where(tinted["effect_size"] > 0, "▲", "▼")
    assert arrows == [sign * (2 if step == 4 else 1) for sign, step in zip(signs, tinted["step"], strict=True)]
    tiles = [to_hex(patch.get_facecolor()) for patch in display.ax_.patches]
    strongest = [MORE if sign == "▲" else LESS for sign, step in zip(signs, tinted["step"], strict=True) if step == 4]
    assert [tile for tile in tiles[:-8] if tile in (MORE, LESS)] == strongest
    assert len(tiles) == len(tinted) + 8  # and four pairs of the legend
    bold = [text.get_text() for text in display.ax_.texts if text.get_fontweight() == "bold"]
    assert [text for text in bold if text in set(data["text"])] == data.loc[data["step"] >= 3, "text"].tolist()


def test_rows_stand_by_criterion_what_made_the_segments_first_and_by_eta2_inside(display):
    lines = display.data_.iloc[::4]
    blocks = list(zip(lines["block"], lines["used_for_clustering"], strict=True))
    assert list(dict.fromkeys(blocks)) == [
        ("What they do", True),
        ("What they do", False),
        ("Who they are", False),
        ("What they think", True),
        ("What they think", False),
        ("", False),
    ]
    for _, block in lines.groupby(["block", "used_for_clustering"]):
        strongest = block.groupby("characteristic", sort=False)["eta2"].max()
        assert strongest.is_monotonic_decreasing
        # levels of one category together
        assert block["characteristic"].drop_duplicates().tolist() == [
            name
            for name, before in zip(block["characteristic"], [None, *block["characteristic"]], strict=False)
            if name != before
        ]
    assert display.data_["segment"].tolist() == [0, 1, 2, 3] * len(lines)
    written_out = texts_of(ComparisonDisplay.from_predictions(mixed_segmentation(*mixed_table())).plot().ax_)
    assert written_out.count("made the segments, so they differ") == 2
    assert written_out.count("What they do") == 2


def test_ordered_levels_have_their_median_and_categories_four_levels_at_most(display):
    lines = display.data_.iloc[::4].set_index("label")
    assert pd.isna(lines.loc["mood, 1-5", "level"])
    assert "orders, per year" in lines.index
    towns = lines[lines["characteristic"] == "town"]
    assert set(towns["level"]) == {"Aa", "Bee", "Cee", "Dee"}
    assert "Not shown: 2 levels that differ less." in display.how_to_read
    years = display.data_.loc[display.data_["characteristic"] == "year_of_birth", "text"]
    assert all(text.isdigit() and len(text) == 4 for text in years)


@pytest.mark.parametrize(
    ("figures", "options", "texts"),
    [
        ([2.0, 3.0, NAN], {}, ["2", "3", ""]),
        ([2.25, 31.4, 0.04], {}, ["2.2", "31.4", "0.0"]),
        ([-0.004, 12.3], {}, ["0.0", "12.3"]),
        ([1234.5, 20.25], {}, ["1,234", "20"]),
        ([0.0, NAN], {}, ["0", ""]),
        ([3e20, 5.0], {}, ["3.000e+20", "5"]),
        ([0.5, 0.001, 1.0, NAN], {"share": True}, ["50%", "under 1%", "100%", ""]),
        ([1973.5, 1980.0], {"year": True}, ["1974", "1980"]),
    ],
)
def test_a_row_has_one_number_of_decimals(figures, options, texts):
    assert written(figures, **options) == texts


def test_what_may_not_be_told_is_an_empty_cell():
    table, labels = mixed_table()
    rows = np.flatnonzero(labels == 3)
    table["asked"] = np.where(np.isin(np.arange(len(table)), rows[5:]), np.nan, table["orders"] + 0.5)
    display = ComparisonDisplay.from_predictions(table, labels).plot()
    cell = display.data_.query("characteristic == 'asked' and segment == 3").iloc[0]
    assert np.isnan(cell["segment_value"])
    assert (cell["text"], cell["step"]) == ("", 0)
    table["asked"] = np.nan
    table.loc[:3, "asked"] = 1.0
    display = ComparisonDisplay.from_predictions(table, labels)
    assert "asked" not in set(display.data_["characteristic"])
    assert "Known of too few customers: asked." in display.how_to_read


def test_neither_rows_nor_columns_nor_labels_change_a_figure(display):
    table, labels = mixed_table()
    order = np.random.RandomState(3).permutation(len(table))
    shuffled = table.iloc[order, ::-1].reset_index(drop=True)
    new = np.array([2, 0, 3, 1])
    other = ComparisonDisplay.from_predictions(mixed_segmentation(shuffled, new[labels][order], names="bdac"))
    assert other.title == display.title
    first, second = (
        each.data_.drop(columns="segment").sort_values(["label", "name"], ignore_index=True)
        for each in (display, other)
    )
    pd.testing.assert_frame_equal(first, second)
    assert other.data_["label"].iloc[::4].tolist() == display.data_["label"].iloc[::4].tolist()


@pytest.mark.parametrize("long", [False, True])
def test_no_word_leaves_the_picture_or_covers_another(long):
    table, labels = mixed_table()
    names = ["a very long name " * 3 + end for end in "abcd"] if long else "abcd"
    table = table.rename(columns={"noise": "noise " * 20}) if long else table
    display = ComparisonDisplay.from_predictions(mixed_segmentation(table, labels, names=names)).plot()
    renderer = display.figure_.canvas.get_renderer()
    words = [word for word in [*display.ax_.texts, *display.figure_.texts] if word.get_text()]
    boxes = [word.get_window_extent(renderer) for word in words]
    found = [(a, b) for a in range(len(boxes)) for b in range(a) if boxes[a].overlaps(boxes[b])]
    assert not found, [(words[a].get_text(), words[b].get_text()) for a, b in found]
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= display.figure_.bbox.width


def test_what_is_no_profile_or_tells_nothing_is_refused():
    with pytest.raises(
        InvalidParameterError, match=r"'profile' must be a SegmentProfile, got .DataFrame.*profile_segments makes one"
    ):
        ComparisonDisplay(pd.DataFrame({"a": [1]}))
    few = pd.DataFrame({"orders": range(12)})
    with pytest.raises(InfeasibleError, match=r"^ComparisonDisplay: no segment has 10 customers"):
        ComparisonDisplay.from_predictions(few, ["a", "b", "c"] * 4)
