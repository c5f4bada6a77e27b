"""Parameter checks: what is accepted, and what the error says."""

from __future__ import annotations

import numpy as np
import pytest

from custseg._core.asking import asking
from custseg._core.params import COLUMN, RANDOM_STATE, Instance, Integer, Number, OneOf, Where, check
from custseg.exceptions import InvalidParameterError


@pytest.mark.parametrize(
    ("allowed", "value", "accepted"),
    [
        (Integer(1), 1, True),
        (Integer(1), np.int64(3), True),
        (Integer(1), 0, False),
        (Integer(0), True, False),
        (Integer(0), np.True_, False),
        (Integer(1), 2.0, False),
        (Integer(1), "2", False),
        (Number(0, 1), 0, True),
        (Number(0, 1), 1, True),
        (Number(0, 1, open_high=True), 1, False),
        (Number(0, 1), np.float32(0.5), True),
        (Number(0, 1), False, False),
        (Number(), float("nan"), False),
        (Number(), float("inf"), False),
        (OneOf("auto"), "auto", True),
        (OneOf("auto"), np.str_("auto"), True),
        (OneOf(1), True, False),
        (OneOf(None), None, True),
        (COLUMN, "customer_id", True),
        (COLUMN, 3, False),
        (Instance(dict, list), [], True),
        (Where(callable, "a function"), len, True),
        (Where(callable, "a function"), 3, False),
    ],
)
def test_what_is_accepted(allowed, value, accepted):
    assert allowed.accepts(value) is accepted


def test_the_error_names_estimator_parameter_allowed_and_got():
    table = {"n_segments": (OneOf("auto"), Integer(1))}
    check(table, {"n_segments": 3, "other": object()})
    message = "SegmentClusterer: parameter 'n_segments' must be 'auto' or an integer >= 1, got -2."
    with pytest.raises(InvalidParameterError) as error, asking("SegmentClusterer"):
        check(table, {"n_segments": -2})
    assert str(error.value) == message


def test_random_states():
    for value in (None, 0, np.random.RandomState(0)):
        check({"random_state": RANDOM_STATE}, {"random_state": value})
    # what numpy refuses in words of its own is refused here
    for value in ("seed", -1, 2**32, 20240101120000):
        with pytest.raises(
            InvalidParameterError, match="None or an integer from 0 to 4294967295 or a numpy RandomState"
        ):
            check({"random_state": RANDOM_STATE}, {"random_state": value})
    check({"random_state": RANDOM_STATE}, {"random_state": np.uint32(2**32 - 1)})


def test_numbers_are_described_with_their_bounds():
    assert str(Number(0, 1)) == "a number in [0, 1]"
    assert str(Number(0, 1, open_high=True)) == "a number in [0, 1)"
