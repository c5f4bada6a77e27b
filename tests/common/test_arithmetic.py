"""What a user has told numpy to do about arithmetic ends no fit, changes no result, and stays as it was told."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from custseg import bootstrap_stability, segment_separation, structure_test
from custseg._core.asking import asks
from custseg.personas import category_v_test
from tests.common.cases import CASES, PROFILE, same
from tests.sizes import WHOLE

pytestmark = pytest.mark.sampled

# these fit the others, one after the other
COMPOSED = {"CharacteristicUnion", "SegmentationStudy"}
RAISING = {"divide": "raise", "over": "raise", "under": "raise", "invalid": "raise"}


def found(case):
    fitted = clone(case.estimator).fit(case.data)
    if hasattr(fitted, "transform"):
        return fitted.transform(case.data)
    return fitted.predict(case.data) if hasattr(fitted, "predict") else fitted.to_frame()


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in CASES if WHOLE or name not in COMPOSED])
def test_a_fit_is_what_it_is_without(name):
    expected = found(CASES[name])
    with np.errstate(all="raise"):
        assert same(found(CASES[name]), expected)
        assert np.geterr() == RAISING


NUMBERS = PROFILE[["age", "income"]].dropna()
FUNCTIONS = {
    "structure_test": lambda: structure_test(NUMBERS, random_state=0).to_frame(),
    "bootstrap_stability": lambda: bootstrap_stability(
        clone(CASES["SegmentClusterer"].estimator), NUMBERS, [2], n_pairs=2, random_state=0
    ).to_frame(),
    "segment_separation": lambda: segment_separation(NUMBERS, np.arange(len(NUMBERS)) % 2).to_frame(),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if WHOLE or name != "structure_test"])
def test_a_function_finds_what_it_finds_without(name):
    expected = FUNCTIONS[name]()
    with np.errstate(all="raise"):
        assert same(FUNCTIONS[name](), expected)


def test_a_p_value_that_vanishes_is_no_error():
    with np.errstate(all="raise"):
        assert category_v_test(n_both=90_000, n_segment=100_000, n_level=100_000, n_overall=1_000_000) > 100


@pytest.mark.parametrize("state", ["raise", "ignore", "warn", "call"])
def test_inside_numpy_does_what_it_does_by_itself_unless_it_is_to_be_silent(state):
    inside = asks(np.geterr)
    with np.errstate(all=state):
        seen, after = inside(), np.geterr()
    quiet = state == "ignore"
    assert seen == {kind: "ignore" if quiet or kind == "under" else "warn" for kind in after}
    assert set(after.values()) == {state}
