"""One thread for BLAS and OpenMP: as it was before, when several threads of the user have used the library at once."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import sklearn.utils  # noqa: F401 - with its OpenMP, before the libraries are looked for
from threadpoolctl import ThreadpoolController, threadpool_limits

from custseg import (
    PsychographicEncoder,
    SegmentClusterer,
    bootstrap_stability,
    constant_sum_weights,
    weight_sensitivity,
)
from custseg._core.threads import one_thread

CONTROLLER = ThreadpoolController()


def numbers(api="blas"):
    return [library["num_threads"] for library in CONTROLLER.info() if library["user_api"] == api]


@pytest.fixture(autouse=True)
def two_threads():
    """Two threads for BLAS and OpenMP, whatever the machine and its environment say."""
    with threadpool_limits(2):
        assert set(numbers()) == {2}
        yield


def test_the_limit_is_given_back_by_the_last_whoever_came_first():
    inside, go = threading.Barrier(2), threading.Event()

    def first():
        with one_thread():
            inside.wait()
        go.set()

    def second():
        with one_thread():
            inside.wait()
            assert go.wait(10)
            # the first has left, this one is still inside
            assert set(numbers()) == {1}

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(first), pool.submit(second)]:
            done.result()
    assert set(numbers()) == {2}


def test_openmp_is_limited_for_each_thread_that_asks_and_for_no_other():
    def two():
        # for as long as this thread lives
        CONTROLLER.select(user_api="openmp").limit(limits=2)
        return set(numbers("openmp"))

    def inside():
        with one_thread():
            return set(numbers("openmp"))

    with ThreadPoolExecutor(1) as other:
        assert other.submit(two).result() == {2}
        with one_thread():
            assert set(numbers("openmp")) == {1}
            assert other.submit(numbers, "openmp").result() == [2]
            assert other.submit(inside).result() == {1}
        assert other.submit(numbers, "openmp").result() == [2]
    assert set(numbers("openmp")) == {2}


def test_it_is_given_back_after_an_error_and_one_may_be_inside_another():
    with pytest.raises(ZeroDivisionError), one_thread(), one_thread():
        1 / len(set(numbers()) - {1})
    assert set(numbers()) == {2}


def test_a_library_that_came_later_is_limited_too(monkeypatch):
    with one_thread():
        pass
    made = []
    monkeypatch.setattr("custseg._core.threads.ThreadpoolController", lambda: made.append(1) or CONTROLLER)
    with one_thread():
        assert not made
    monkeypatch.setitem(sys.modules, "a_module_that_brings_a_library", sys)
    with one_thread():
        assert made == [1]


RANDOM = np.random.RandomState(0)
X = pd.DataFrame({"spend": RANDOM.rand(60), "visits": RANDOM.rand(60)})
ANSWERS = pd.DataFrame((RANDOM.randint(2, 5, (80, 1)) + RANDOM.randint(-1, 2, (80, 4))), columns=list("abcd")).assign(
    customer_id=range(80)
)
POINTS = pd.DataFrame({"spend": [60, 50, 30], "visits": [40, 50, 70]})
CALLS = {
    "clusterer": lambda: SegmentClusterer(2, n_init=1, random_state=0).fit(X),
    "stability": lambda: bootstrap_stability(SegmentClusterer(2, n_init=1), X, [2], n_pairs=2, random_state=0),
    "sensitivity": lambda: weight_sensitivity(
        SegmentClusterer(2, n_init=1), X, {"spend": 0.6, "visits": 0.4}, 2, random_state=0
    ),
    "factors": lambda: PsychographicEncoder(n_factors=1, scale_range=(1, 5)).fit(ANSWERS),
    "weights": lambda: constant_sum_weights(POINTS, n_boot=50, random_state=0),
}


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_any_mixture_of_calls_in_threads_leaves_the_limits_as_they_were():
    # scikit-learn looks into polars while another thread imports it
    pytest.importorskip("polars")
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(call) for call in [*CALLS.values()] * 2]:
            done.result()
    assert set(numbers()) == {2}
