"""What a thread does with its warnings is its own: other threads, filters and ``showwarning`` are as they were."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from custseg import SegmentClusterer, assign_segments, bootstrap_stability, weight_sensitivity
from custseg._core.warning import each_warning_once, ignoring, keeping
from custseg.exceptions import DataQualityWarning


def say(text, category=UserWarning):
    warnings.warn(text, category, stacklevel=1)


def texts(caught):
    return [str(warning.message) for warning in caught]


@pytest.fixture
def shown():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def state():
    return warnings.showwarning, list(warnings.filters)


def test_one_kind_is_ignored_whatever_the_filters_are(shown):
    with ignoring(DataQualityWarning):
        say("of the kind", DataQualityWarning)
        say("of another")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(DataQualityWarning, match="a filter inside"):
                say("a filter inside is nearer", DataQualityWarning)
            with ignoring(DataQualityWarning):
                say("nearer still", DataQualityWarning)
    say("afterwards", DataQualityWarning)
    assert texts(shown) == ["of another", "afterwards"]


def test_all_are_kept_however_often_they_come():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with keeping() as kept:
            for _ in range(3):
                say("again")
            with ignoring(DataQualityWarning):
                say("of the kind", DataQualityWarning)
            with keeping() as inner:
                say("inside")
    assert list(map(str, kept)) == ["again"] * 3
    assert list(map(str, inner)) == ["inside"]


def test_who_catches_warnings_inside_gets_them():
    with keeping() as kept, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        say("mine")
        with each_warning_once():
            say("twice")
            say("twice")
    assert texts(caught) == ["mine", "twice"]
    assert kept == []


def test_a_filter_that_makes_errors_still_does():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="odd"), each_warning_once():
            say("odd")


def test_all_is_as_it_was_whoever_leaves_last(shown):
    before = state()
    entered, left = threading.Barrier(3), threading.Event()

    def first():
        with ignoring(DataQualityWarning):
            entered.wait()
        left.set()

    def second():
        with keeping() as kept, each_warning_once():
            entered.wait()
            assert left.wait(10)
            say("of the second", DataQualityWarning)
            say("of the second", DataQualityWarning)
        return list(map(str, kept))

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(first), pool.submit(second)]
        entered.wait()
        say("of a thread that listens to nothing", DataQualityWarning)
        assert [done.result() for done in running] == [None, ["of the second"]]
    assert state() == before
    assert texts(shown) == ["of a thread that listens to nothing"]


def test_all_is_as_it_was_when_a_thread_of_the_user_caught_warnings_meanwhile(shown):
    before = state()
    entered, left = threading.Barrier(2), threading.Event()

    def user():
        entered.wait()
        with warnings.catch_warnings():
            left.wait(10)

    with ThreadPoolExecutor(1) as pool:
        with ignoring(DataQualityWarning):
            running = pool.submit(user)
            entered.wait()
        left.set()
        running.result()
    with ignoring(DataQualityWarning):
        say("ignored", DataQualityWarning)
    # what the thread of the user put back takes no warning of anybody
    say("shown", DataQualityWarning)
    assert texts(shown) == ["shown"]
    assert warnings.showwarning == before[0]


RANDOM = np.random.RandomState(0)
X = pd.DataFrame({"spend": RANDOM.rand(60), "visits": RANDOM.rand(60), "same": 1.0})


@pytest.mark.parametrize("times", [3])
def test_threads_that_use_the_library_at_once_get_their_own_warnings_and_leave_nothing(shown, times):
    before = state()
    fitted = SegmentClusterer(2, n_init=1, random_state=0).fit(X.assign(region=["n", "s"] * 30))
    shown.clear()
    elsewhere = X.assign(region="moon")
    calls = [
        lambda: bootstrap_stability(SegmentClusterer(2, n_init=1), X, [2], n_pairs=2, random_state=0),
        lambda: weight_sensitivity(SegmentClusterer(2, n_init=1), X, {"spend": 0.6, "visits": 0.4}, 2, random_state=0),
        lambda: assign_segments(fitted, elsewhere, batch_size=20),
    ]
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(call) for call in calls * times]:
            done.result()
    assert state() == before
    # said once in each call: of a column that is constant, and of a region that is new in three batches
    said = texts(shown)
    assert sum("moon" in text for text in said) == times
    assert sum("60 value(s) of 'region'" in text for text in said) == times
    assert sum("'same' hold one value only" in text for text in said) == 2 * times
