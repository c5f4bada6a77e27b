"""A brief is data: it survives JSON and TOML, and what is unknown in it is named."""

import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from custseg import SegmentationBrief
from custseg.exceptions import ConfigurationError, InvalidParameterError
from custseg.segmentation import Rule
from custseg.targeting import goals_to_frame

GOALS = sorted(set(goals_to_frame()["goal"]))
names = st.text(min_size=1, max_size=12)
scalars = names | st.text(max_size=5) | st.booleans() | st.integers(-(10**30), 10**30)
scalars |= st.floats(allow_nan=False, allow_infinity=False)
comparisons = st.tuples(names, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), scalars)
lists = st.lists(scalars, min_size=1, max_size=3)
listings = st.tuples(names, st.sampled_from(["in", "not in"]), lists | lists.map(tuple))
briefs = st.builds(
    SegmentationBrief,
    st.sampled_from(GOALS),
    audience=st.lists(comparisons | listings, max_size=3),
    min_segment_share=st.none() | st.floats(0, 1),
    max_segments=st.none() | st.integers(1, 50),
    value=st.none() | names,
    outcomes=st.lists(names, max_size=3, unique=True),
    order_by=st.none() | names,
    currency=st.none() | st.sampled_from(["EUR", "US$"]),
)


@given(briefs)
@example(SegmentationBrief(audience=[("it's", "in", {"L'Oréal", 'a "b"'}), ("`", "==", "`"), ("or", "!=", "and")]))
def test_a_brief_survives_json(brief):
    read = SegmentationBrief.from_dict(json.loads(json.dumps(brief.to_dict())))
    assert read == brief
    assert hash(read) == hash(brief)
    assert read.audience_rule == brief.audience_rule


@given(st.lists(comparisons | listings, min_size=1, max_size=3))
def test_tuples_are_the_rule_that_their_text_is(conditions):
    written = Rule.read(conditions).text
    assert SegmentationBrief(audience=conditions) == SegmentationBrief(audience=written)
    found = SegmentationBrief(audience=written).audience_rule.conditions
    as_tuple = [(c, o, tuple(v) if o in ("in", "not in") else v) for c, o, v in conditions]
    assert [(part.column, part.operator, part.value) for part in found] == as_tuple


def test_an_empty_audience_is_everyone():
    assert SegmentationBrief().audience_rule is None
    assert SegmentationBrief(audience=" ") == SegmentationBrief(audience=[]) == SegmentationBrief()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gaol": "pricing"}, "unknown field 'gaol'.*Did you mean 'goal'"),
        ({"outcome": ["churned"]}, "Did you mean 'outcomes'"),
        ({"audience_rule": "a > 1"}, "unknown field 'audience_rule'"),
        ([("goal", "pricing")], "'given' must be a mapping"),
        ({"audience": "a >> 1"}, "rule 'audience': expected a number or quoted text"),
    ],
)
def test_what_is_wrong_in_a_dictionary_is_named(options, words):
    with pytest.raises(InvalidParameterError, match=f"SegmentationBrief: .*{words}"):
        SegmentationBrief.from_dict(options)


TOML = """
goal = "pricing"
audience = "orders >= 2 and country in ['FR', 'DE']"
outcomes = ["churned"]
value = "revenue"
currency = "EUR"
"""
BRIEF = SegmentationBrief(
    "pricing",
    audience=[("orders", ">=", 2), ("country", "in", ["FR", "DE"])],
    outcomes=["churned"],
    value="revenue",
    currency="EUR",
)


def test_a_brief_is_read_from_toml(tmp_path):
    assert SegmentationBrief.from_toml(TOML) == BRIEF
    for name, content in {"brief.toml": TOML, "study.toml": f"n_pairs = 3\n[brief]{TOML}"}.items():
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        assert SegmentationBrief.from_toml(path) == SegmentationBrief.from_toml(str(path)) == BRIEF
    assert SegmentationBrief.from_toml("") == SegmentationBrief()
    assert SegmentationBrief.from_toml('audience = [["orders", ">=", 2]]').audience == "orders >= 2"


def test_what_is_wrong_in_toml_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="the text of the brief is not valid TOML"):
        SegmentationBrief.from_toml("goal = ")
    with pytest.raises(ConfigurationError, match=r"'brief' must be a section \[brief\], got 3"):
        SegmentationBrief.from_toml("brief = 3")
    path = tmp_path / "brief.toml"
    with pytest.raises(FileNotFoundError):
        SegmentationBrief.from_toml(Path(path))
    path.write_text("goal = ")
    with pytest.raises(ConfigurationError, match=r"brief\.toml' is not valid TOML"):
        SegmentationBrief.from_toml(path)
