"""What every picture has in common: the same bytes for the same data, names as they are, and errors with a remedy."""

import re

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib import rcParams

from custseg.exceptions import InvalidParameterError, MissingDependencyError, OutputPathError
from custseg.plotting import SegmentProfileDisplay, SegmentValueDisplay
from custseg.plotting._shared.look import PAPER, apart, filled, ink_on, width_of, wrapped

TABLE = pd.DataFrame(
    {
        "segment": [0, 1],
        "name": ["$x_1$ & <b>", "שלום"],
        "n_customers": [30, 70],
        "share": [0.3, 0.7],
        "value": [60.0, 40.0],
        "value_share": [0.6, 0.4],
    }
)


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_equal_data_give_equal_files_whatever_the_settings(ending, tmp_path):
    first = SegmentValueDisplay(TABLE).save(tmp_path / f"first{ending}")
    with plt.style.context("dark_background"):
        rcParams["svg.hashsalt"] = "other"
        display = SegmentValueDisplay(TABLE.copy()).plot()
        display.ax_.set_title("changed by hand")
        second = display.save(str(tmp_path / f"second{ending}"))
    assert first.read_bytes() == second.read_bytes()
    assert display.ax_.get_title(loc="center") == "changed by hand"


def test_a_file_bears_what_it_says_and_its_words_as_words(tmp_path):
    display = SegmentValueDisplay(TABLE)
    text = display.save(tmp_path / "value.svg").read_text(encoding="utf-8")
    assert "$x_1$ &amp; &lt;b&gt;" in text
    assert re.search(r"<text[^>]*>שלום</text>", text)
    assert display.alt_.partition(" &")[0] in text
    assert "<dc:date>" not in text


@pytest.mark.parametrize("name", ["value.pdf", "value", "nowhere/value.svg"])
def test_a_file_that_cannot_be_is_refused(name, tmp_path):
    with pytest.raises(OutputPathError, match="cannot write"):
        SegmentValueDisplay(TABLE).save(tmp_path / name)


def test_it_is_drawn_on_axes_that_are_given():
    figure, ax = plt.subplots(figsize=(8, 4))
    display = SegmentValueDisplay(TABLE).plot(ax=ax)
    assert display.figure_ is figure
    assert display.ax_ is ax
    assert ax.get_title(loc="left") == display.title
    assert figure.texts == []
    with pytest.raises(InvalidParameterError, match=r"^SegmentValueDisplay: parameter 'ax' must be 1 axes, got '2'"):
        display.plot(ax=[ax, ax])


def test_every_panel_on_axes_that_are_given_keeps_its_name():
    table = pd.DataFrame({"club": [True, False] * 30, "app": [True] * 30 + [False, True] * 15})
    display = SegmentProfileDisplay.from_predictions(table, ["one"] * 30 + ["two"] * 30)
    _, axes = plt.subplots(1, 2)
    for _ in range(2):  # drawn again on the same axes, the titles stay
        display.plot(ax=axes)
        assert [ax.get_title(loc="left") for ax in axes] == [f"{display.title}\none", "two"]


def test_without_matplotlib_it_says_who_needs_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"SegmentValueDisplay.*custseg\[plot\]"):
        SegmentValueDisplay(TABLE).plot()


def test_the_settings_of_the_user_stay():
    before = dict(rcParams)
    SegmentValueDisplay(TABLE).plot()
    assert dict(rcParams) == before


def test_names_are_wrapped_and_measured():
    assert wrapped("one two three four five six") == "one two three four\nfive six"
    assert max(map(len, wrapped("x" * 100).split("\n"))) <= 18
    assert wrapped("a\x1b[31mb") == "a\\x1b[31mb"
    assert width_of("WW") > width_of("ii")
    assert filled("one two", 1.01 * width_of("one two"), 9.5) == "one two"
    assert filled("one two", 0.9 * width_of("one two"), 9.5) == "one\ntwo"


def test_labels_are_moved_apart_and_no_farther_than_needed():
    places = pd.DataFrame({"x": [0, 0.1, 0.2, 5], "y": [0, 0.1, 0, 0]}).to_numpy(dtype=float)
    sizes = pd.DataFrame({"w": [1.0] * 4, "h": [0.4] * 4}).to_numpy()
    moved = apart(places, sizes, gap=0.0)
    assert (moved[:, 0] == places[:, 0]).all()
    heights = sorted(moved[:3, 1])
    assert heights[1] - heights[0] >= 0.4 - 1e-9
    assert heights[2] - heights[1] >= 0.4 - 1e-9
    assert moved[3, 1] == 0


def test_letters_on_a_colour_are_read_by_its_luminance():
    assert ink_on("#0e3a4a") == PAPER
    assert ink_on("#dfe8ee") != PAPER
