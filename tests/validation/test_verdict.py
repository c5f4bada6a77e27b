"""The verdict: one word for each case, and a sentence that bears the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custseg.exceptions import InvalidParameterError
from custseg.validation import StabilityResult, judge


def stability(adjusted_rand, slsw):
    segments = pd.DataFrame({"n_segments": 2, "segment": [0, 1], "n_customers": 5, "slsw": slsw})
    return StabilityResult(
        numbers=(2,),
        adjusted_rand=np.full((1, 3), adjusted_rand),
        segments=segments,
        reference_labels={2: np.array([0, 1])},
    )


@pytest.mark.parametrize(
    ("structured", "adjusted_rand", "slsw", "word", "said"),
    [
        (True, 0.9, [0.9, 0.8], "natural", "distinct groups that come back"),
        (False, 0.9, [0.9, 0.8], "reproducible", "the same segments come back"),
        (True, 0.5, [0.9, 0.8], "constructive", "Structure exists, but not at this number of segments."),
        (True, 0.9, [0.9, 0.5], "constructive", "Structure exists, but not at this number of segments."),
        (False, 0.5, [0.9, 0.8], "constructive", "a constructive cut at best"),
    ],
)
def test_each_case_has_its_word(structured, adjusted_rand, slsw, word, said):
    verdict = judge(n_segments=2, structured=structured, reason="Why.", stability=stability(adjusted_rand, slsw))
    assert verdict.word == word
    assert said in verdict.sentence
    assert "Why." in verdict.sentence
    assert f"adjusted Rand index of {adjusted_rand:.2f}" in verdict.sentence
    assert verdict.to_dict() == {"word": word, "sentence": verdict.sentence}


def test_structure_is_not_claimed_where_none_was_found():
    verdict = judge(n_segments=2, structured=False, reason="Why.", stability=stability(0.5, [0.9, 0.8]))
    assert "Structure exists" not in verdict.sentence


def test_one_segment_is_said_to_be_none():
    verdict = judge(n_segments=1, structured=False, reason="p = 0.40.", stability=StabilityResult.empty())
    assert verdict.word == "constructive"
    assert verdict.sentence.startswith("No distinct segments were found: these customers form one continuum. p = 0.40.")


def test_one_segment_that_was_asked_for_is_not_called_a_finding():
    verdict = judge(n_segments=1, structured=True, reason="p = 0.02.", stability=StabilityResult.empty())
    assert verdict.word == "constructive"
    assert "although they differ from one continuum. p = 0.02." in verdict.sentence


def test_what_was_not_tested_is_no_continuum():
    one = judge(n_segments=1, structured=None, reason="Too few.", stability=StabilityResult.empty())
    assert one.sentence == "Whether there are segments was not tested. Too few."
    stable = stability(adjusted_rand=0.9, slsw=[0.8, 0.8])
    some = judge(n_segments=2, structured=None, reason="Too few.", stability=stable)
    assert some.word == "reproducible"
    assert "whether the customers form distinct groups was not tested" in some.sentence


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (stability(1.0, [1.0, 1.0]), "Two bootstrap samples always give the same segments."),
        (stability(0.999, [1.0, 0.9]), "a mean adjusted Rand index of 0.999."),
        (stability(0.7, [0.9, 0.8]), "two bootstrap samples agree with a mean adjusted Rand index of 0.70"),
    ],
)
def test_segments_that_rules_define_are_not_found(found, said):
    verdict = judge(n_segments=2, n_not_assigned=1_200, stability=found)
    assert verdict.word == "defined"
    assert said in verdict.sentence
    assert "1,200 customer(s) meet no rule" in verdict.sentence


def test_one_segment_that_a_rule_defines_is_one():
    verdict = judge(n_segments=1, n_not_assigned=0, stability=StabilityResult.empty())
    assert verdict.sentence.startswith("The segment is defined by rule")


def test_rules_have_no_structure_test():
    with pytest.raises(InvalidParameterError, match="'structured' must be None"):
        judge(n_segments=2, n_not_assigned=0, structured=False, stability=StabilityResult.empty())
