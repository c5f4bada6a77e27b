"""What matters to each segment, against how well it is served."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.personas import needs_by_segment
from custseg.plotting import NeedsDisplay
from custseg.plotting._shared.look import INK, LESS, MORE, NONE
from custseg.segmentation import Segmentation
from tests.plotting.conftest import texts_of

ITEMS = ["price", "service at the desk and everywhere else", "quality", "speed", "שירות", "parking", "range"]
COLOURS = {"concentrate here": LESS, "keep up the good work": MORE, "undecided": NONE}


def asked(n=300, n_segments=3, **options):
    random = np.random.RandomState(0)
    labels = np.arange(n) % n_segments

    def rated(shift):
        means = 3 + ((np.arange(len(ITEMS)) * 7 + labels[:, None] * shift) % 5 - 2) * 0.5
        return pd.DataFrame(np.clip(np.round(means + random.normal(0, 0.8, means.shape)), 1, 5), columns=ITEMS)

    importance, satisfaction = rated(2), rated(3)
    names = [f"segment {chr(97 + each)}" for each in range(n_segments)]
    segmentation = Segmentation.of(importance, labels, names=names)
    return needs_by_segment(importance, satisfaction, segmentation, **options)


def test_dots_lines_and_colours_are_those_of_the_needs():
    needs = asked()
    display = NeedsDisplay(needs).plot()
    pd.testing.assert_frame_equal(display.data_, needs.quadrants.sort_values(["segment", "item"], ignore_index=True))
    assert set(display.data_["quadrant"]) >= set(COLOURS)
    for ax, (_, rows) in zip(display.axes_, display.data_.groupby("segment"), strict=True):
        dots = ax.collections[0]
        np.testing.assert_array_equal(dots.get_offsets(), rows[["satisfaction", "importance"]])
        expected = [COLOURS.get(quadrant, INK) for quadrant in rows["quadrant"]]
        assert [to_hex(colour) for colour in dots.get_facecolors()] == expected
        lines = [line.get_xydata() for line in ax.lines[:2]]
        assert lines[0][0, 0] == needs.satisfaction_line
        assert lines[1][0, 1] == needs.importance_line
        written = [text.removesuffix("…") for text in texts_of(ax)]
        assert all(any(item.startswith(text) for text in written) for item in rows["item"])
        assert ax.get_xlim() == display.axes_[0].get_xlim()


def test_the_title_names_what_to_concentrate_on():
    needs = asked()
    concerns = max(needs.concerns.items(), key=lambda each: (len(each[1]), [-ord(letter) for letter in each[0]]))
    display = NeedsDisplay(needs)
    assert concerns[1][0] in display.title
    assert f"“{concerns[0]}”" in display.title
    assert "concentrate here: " in display.alt_
    ratings = pd.DataFrame({"one": [1, 5] * 40, "two": [5, 1] * 40})
    nothing = needs_by_segment(ratings, ratings, Segmentation.of(ratings, [0, 0, 1, 1] * 20))
    assert NeedsDisplay(nothing).title == "Nothing surely matters and surely does not satisfy"


@pytest.mark.parametrize("n_segments", [1, 2, 5])
def test_words_stay_in_the_picture_and_apart(n_segments):
    display = NeedsDisplay(asked(n_segments=n_segments)).plot()
    renderer = display.figure_.canvas.get_renderer()
    for ax in display.axes_:
        boxes = [word.get_window_extent(renderer) for word in ax.texts]
        assert not [(a, b) for a in range(len(boxes)) for b in range(a) if boxes[a].overlaps(boxes[b])]
        assert min(box.x0 for box in boxes) >= ax.bbox.x0
        assert max(box.x1 for box in boxes) <= ax.bbox.x1


def test_what_may_not_be_told_has_no_dot():
    needs = asked(n=100, n_segments=4, min_group_size=25)
    assert len(NeedsDisplay(needs).data_) == 4 * len(ITEMS)
    needs.quadrants.loc[needs.quadrants["segment"] == 1, ["importance", "satisfaction"]] = np.nan
    needs.quadrants.loc[0, "importance"] = np.nan
    display = NeedsDisplay(needs).plot()
    assert set(display.data_["segment"]) == {0, 2, 3}
    assert display.how_to_read.endswith("Not shown, for too few customers: segment b.")
    assert len(display.axes_[0].collections[0].get_offsets()) == len(ITEMS) - 1
    needs.quadrants["importance"] = np.nan
    with pytest.raises(InfeasibleError, match="no item was answered by enough customers"):
        NeedsDisplay(needs)


def test_needs_without_satisfaction_are_refused():
    ratings = pd.DataFrame({"one": [1, 5] * 40, "two": [5, 1] * 40})
    needs = needs_by_segment(ratings, None, Segmentation.of(ratings, [0, 0, 1, 1] * 20))
    with pytest.raises(InvalidParameterError, match="Pass satisfaction to needs_by_segment too"):
        NeedsDisplay(needs)
    with pytest.raises(InvalidParameterError, match="'needs' must be SegmentNeeds"):
        NeedsDisplay(ratings)
