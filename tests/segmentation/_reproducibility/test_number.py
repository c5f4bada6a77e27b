"""The number taken, and the reason for each number tried."""

from __future__ import annotations

import numpy as np
import pytest

from custseg.segmentation._reproducibility.agreement import Agreement
from custseg.segmentation._reproducibility.candidates import candidates
from custseg.segmentation._reproducibility.number import Limits, Seen, choose_number

NONE = Limits(1, 10, 0.0)


def seen(number, rand=0.9, weakest=0.8, *, share=0.2, difference=1.0, spread=0.0, trouble=""):
    jaccards = np.full((20, number), 0.9)
    jaccards[:, 0] = weakest
    rands = rand + spread * np.tile([-1.0, 1.0], 5)
    return Seen(number, Agreement.of(list(rands), list(jaccards)), share, difference, trouble)


def taken(*found, limits=NONE):
    number = choose_number(found, None, limits)
    assert number.table["taken"].sum() == (number.n_segments > 1)
    return number


def reason(number, n_segments):
    return number.table.set_index("n_segments").loc[n_segments, "reason"]


def test_the_largest_at_which_all_holds():
    number = taken(seen(2), seen(3), seen(4), seen(5, rand=0.7))
    assert (number.n_segments, number.word, number.decided) == (4, "reproducible", True)
    assert number.reason.startswith("4 segments, the largest number from 2 to 5 at which the segments come back")
    assert reason(number, 3) == "as good, but there is a larger one"
    assert reason(number, 5).startswith("the segments do not come back (mean adjusted Rand index 0.70")


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        ({"weakest": 0.5}, "not every segment comes back"),
        ({"share": 0.04}, "the smallest segment holds 4.0% of the customers, where 5.0% is asked for"),
        ({"difference": 0.499}, r"two segments differ by no more than 0.499 standard"),
        ({"trouble": "there are no such segments"}, "there are no such segments"),
    ],
)
def test_what_is_lacking_is_said(worse, why):
    number = taken(seen(2), seen(3, **worse), limits=Limits(1, 10, 0.05))
    assert number.n_segments == 2
    assert reason(number, 3).startswith(why)


def test_where_nothing_holds_it_is_the_most_stable_and_constructive():
    number = taken(seen(2, rand=0.5), seen(3, rand=0.7), seen(4, rand=0.6))
    assert (number.n_segments, number.word) == (3, "constructive")
    assert number.reason.startswith(
        "3 segments, a constructive cut: at no number from 2 to 4 do all segments come back"
    )
    assert reason(number, 3).startswith("taken as the most stable, but the segments do not come back")
    assert not number.table["usable"].any()


def test_a_decided_number_goes_before_one_that_stayed_open():
    number = taken(seen(3), seen(4, rand=0.76, spread=0.1))
    assert (number.n_segments, number.decided) == (3, True)
    assert reason(number, 4).startswith("whether the segments come back stayed within the noise of 10 pairs of refits")


def test_where_all_stayed_open_the_figures_decide_and_it_is_said():
    number = taken(seen(3, rand=0.74, spread=0.1), seen(4, rand=0.76, spread=0.1))
    assert (number.n_segments, number.word, number.decided) == (4, "reproducible", False)
    assert "stayed within the noise of 10 pairs of refits" in number.reason


def test_fewer_than_asked_for_are_not_taken():
    number = taken(seen(2), seen(3, rand=0.5), seen(4, rand=0.6), limits=Limits(3, 10, 0.0))
    assert (number.n_segments, number.word) == (4, "constructive")
    assert reason(number, 2) == "fewer than the 3 that are asked for"


def test_nothing_to_cut():
    number = choose_number([], None, NONE)
    assert (number.n_segments, number.word, len(number.table)) == (1, "constructive", 0)
    assert number.reason == "One segment: the customers and the limits leave no room for two groups."


def test_a_segment_that_nothing_overlaps():
    assert "(without overlap in at least one" in taken(seen(2, difference=np.inf)).reason


@pytest.mark.parametrize(
    ("distinct", "limits", "numbers"),
    [
        (1000, {"max_segments": 4, "min_segment_share": 0.0}, (2, 3, 4)),
        (25, {"max_segments": 10, "min_segment_share": 0.0}, (2,)),
        (1000, {"max_segments": 10, "min_segment_share": 0.2}, (2, 3, 4)),
        (25, {"max_segments": 10, "min_segment_share": 0.0, "min_segments": 5}, (2, 5)),
        (3, {"max_segments": 10, "min_segment_share": 0.0, "min_segments": 5}, ()),
        (1, {"max_segments": 10, "min_segment_share": 0.0}, ()),
    ],
)
def test_numbers_worth_a_look(distinct, limits, numbers):
    assert candidates(distinct, **limits) == numbers
