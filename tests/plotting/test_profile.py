"""What sets each segment apart, beside everyone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.personas import is_marker, profile_segments
from custseg.plotting import SegmentProfileDisplay
from custseg.plotting._shared.look import LESS, MORE, NONE
from tests.conftest import shared_data
from tests.plotting.conftest import LIKERT, mixed_table, texts_of


def answers(seed, n_columns=6, n=90):
    """Yes or no, and three segments."""
    random = np.random.RandomState(seed)
    labels = random.permutation(np.repeat([0, 1, 2], n // 3))
    chances = random.uniform(0, 1, (3, n_columns))
    table = pd.DataFrame(random.uniform(size=(n, n_columns)) < chances[labels], columns=list("abcdefghij")[:n_columns])
    return table, labels


def test_bars_ticks_and_markers_are_those_of_the_profile():
    table, labels = answers(0)
    display = SegmentProfileDisplay.from_predictions(table, labels, names=["x", "y", "z"]).plot()
    frame = profile_segments(table, labels).frame.set_index(["segment", "characteristic"])
    assert display.segments_["n_customers"].sum() == len(table)
    for panel, (ax, (segment, rows)) in enumerate(zip(display.axes_, display.data_.groupby("segment"), strict=True)):
        assert ax.get_title(loc="left") == "xyz"[panel]
        bars = ax.containers[0]
        np.testing.assert_array_equal([bar.get_width() for bar in bars], rows["segment_value"])
        own = frame.loc[segment].loc[rows["characteristic"]]
        np.testing.assert_array_equal(rows["segment_value"], own["segment_value"])
        np.testing.assert_array_equal(rows["is_marker"], own["marker"])
        expected = is_marker(segment_share=rows["segment_value"], overall_share=rows["overall_value"])
        np.testing.assert_array_equal(rows["is_marker"], expected)
        more = rows["segment_value"] > rows["overall_value"]
        colours = np.where(~rows["is_marker"], NONE, np.where(more, MORE, LESS))
        assert [to_hex(bar.get_facecolor()) for bar in bars] == colours.tolist()
        np.testing.assert_array_equal(ax.collections[-1].get_offsets()[:, 0], rows["overall_value"])
        assert texts_of(ax)[:-1] == rows.loc[rows["is_marker"], "text"].tolist()  # and how many customers there are


@settings(max_examples=10)
@given(st.integers(0, 10_000), st.permutations(range(6)), st.permutations(range(3)))
def test_the_tick_is_the_mean_of_the_bars_and_only_panels_depend_on_labels(seed, columns, labels):
    table, old = answers(seed)
    first = SegmentProfileDisplay.from_predictions(table, old, names=list("xyz"), min_group_size=1)
    bars = first.data_.pivot_table(index="characteristic", columns="segment", values="segment_value")
    ticks = first.data_.groupby("characteristic")["overall_value"].first()[bars.index]
    np.testing.assert_allclose(bars @ first.segments_["n_customers"].to_numpy() / len(table), ticks, atol=1e-12)

    new, names = np.argsort(labels)[old], ["xyz"[each] for each in labels]
    second = SegmentProfileDisplay.from_predictions(table.iloc[:, columns], new, names=names, min_group_size=1)
    assert first.data_["characteristic"].tolist() == second.data_["characteristic"].tolist()
    permuted = second.data_.sort_values("name", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(permuted.drop(columns="segment"), first.data_.drop(columns="segment"))
    assert first.title == second.title


def test_what_goes_alike_stands_together():
    table, labels = answers(1, n_columns=4)
    random = np.random.RandomState(0)
    twins = {f"{name} again": table[name] ^ (random.uniform(size=len(table)) < 0.02) for name in table}
    order = SegmentProfileDisplay.from_predictions(table.assign(**twins), labels).data_["label"].iloc[:8].tolist()
    assert all(abs(order.index(name) - order.index(f"{name} again")) == 1 for name in table)


def test_the_scale_is_chosen_or_said():
    table, labels = mixed_table()
    assert set(SegmentProfileDisplay.from_predictions(table, labels).data_["characteristic"]) == {"uses_app", "club"}
    table["taste"] = table["mood"].cat.rename_categories(LIKERT)[::-1].to_numpy()
    table["taste"] = pd.Categorical(table["taste"], LIKERT, ordered=True)
    ordered = SegmentProfileDisplay.from_predictions(table.drop(columns="club"), labels).plot()
    assert set(ordered.data_["characteristic"]) == {"mood", "taste"}
    assert "1: never; 5: always." in ordered.how_to_read
    effect, away = ordered.data_["effect_size"], ordered.data_["segment_value"] - ordered.data_["overall_value"]
    np.testing.assert_array_equal(ordered.data_["is_marker"], (effect.abs() >= 0.5) & (effect * away > 0))
    numbers = SegmentProfileDisplay.from_predictions(table, labels, columns=["orders", "noise"]).plot()
    assert set(numbers.data_["characteristic"]) == {"orders", "noise"}


def test_columns_of_no_one_scale_are_refused():
    table, labels = mixed_table()
    with pytest.raises(
        InfeasibleError, match=r"^SegmentProfileDisplay: no two characteristics that may be told of are of one scale"
    ):
        SegmentProfileDisplay.from_predictions(table[["orders", "noise", "town", "mood", "club"]], labels)
    with pytest.raises(InvalidParameterError, match=r"'columns' must be of one scale.*club differ .* from mood"):
        SegmentProfileDisplay.from_predictions(table, labels, columns=["club", "mood"])
    with pytest.raises(InvalidParameterError, match=r"unknown column in columns 'clbu'.*club"):
        SegmentProfileDisplay.from_predictions(table, labels, columns=["uses_app", "clbu"])
    with pytest.raises(InvalidParameterError, match=r"a list of 2 or more column names"):
        SegmentProfileDisplay.from_predictions(table, labels, columns="club")


def test_what_may_not_be_told_has_no_bar():
    table, labels = answers(2)
    asked = table.astype(object)
    asked.loc[np.flatnonzero(labels == 1)[4:], "a"] = None
    display = SegmentProfileDisplay.from_predictions(asked, labels).plot()
    row = display.data_.query("segment == 1 and characteristic == 'a'").iloc[0]
    assert np.isnan(row["segment_value"])
    assert (row["text"], row["is_marker"]) == ("", False)


def test_the_holidays_of_the_published_survey():
    folder = shared_data("vacmot_flexclust")
    motives = pd.read_csv(folder / "vacmot.csv").astype(bool)
    labels = pd.read_csv(folder / "vacmot__vacmot6.csv").iloc[:, 0].astype(int).to_numpy() - 1
    display = SegmentProfileDisplay.from_predictions(motives, labels)
    assert display.segments_["n_customers"].sum() == 1000
    shares = motives.groupby(labels).mean()
    for row in display.data_.itertuples():
        assert row.segment_value == pytest.approx(shares.loc[row.segment, row.characteristic])
        assert row.overall_value == pytest.approx(motives[row.characteristic].mean())
    order = display.data_["characteristic"].iloc[:20].tolist()
    nature = [
        order.index(name)
        for name in (
            "intense experience of nature",
            "maintain unspoilt surroundings",
            "unspoilt nature/natural landscape",
        )
    ]
    assert max(nature) - min(nature) == 2
