"""The JSON of a report is as its schema says, of studies of every kind."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pandas as pd
import pytest

from custseg._core.customer_rows import without_customers
from custseg.personas import profile_segments
from custseg.personas._segment_profile.profile import COLUMNS
from custseg.reporting import render_json, report_schema
from tests.reporting.small import STUDIES, continuum, hostile, natural, rules
from tests.reporting.stand_in import persona, stand_in, table_of, trait
from tests.sizes import size

VALIDATOR = jsonschema.Draft202012Validator(report_schema())


def valid(study):
    facts = json.loads(render_json(study), parse_constant=pytest.fail)
    assert [error.message for error in VALIDATOR.iter_errors(facts)] == []
    return facts


def test_the_schema_is_one_and_closed():
    VALIDATOR.check_schema(report_schema())
    closed = [report_schema(), *report_schema()["$defs"].values()]
    assert all(each["additionalProperties"] is False for each in closed)


@pytest.mark.thorough
@pytest.mark.parametrize("make", size([rules, continuum, hostile], [*STUDIES.values()]))
def test_every_report_is_valid(make):
    facts = valid(make())
    assert facts["schema_version"] == 1
    assert facts["settings"]["n_pairs"] == 2


@pytest.mark.parametrize("options", [{}, {"cut": True}, {"value": False}, {"selection": None}])
def test_odd_values_are_valid(options):
    valid(stand_in(**options))


def test_a_suppressed_persona_and_what_is_infinite_are_valid():
    few = persona(0, "Few", 3, 100, n_customers=None, share=None, traits=(), typical_customer={}, suppressed=True)
    odd = persona(1, "Odd", 97, 100, traits=(trait("spend", np.inf, "none", np.nan),), known_shares={"age": 0.3})
    table = table_of([odd, odd]).assign(n_customers=pd.array([pd.NA, 97], dtype="Int64"), share=[np.nan, 0.97])
    valid(stand_in(personas=[few, odd], table=table))


@pytest.mark.parametrize("change", [{"more": 1}, {"n_segments": 0}, {"verdict": {"word": "true"}}, {"profile": [{}]}])
def test_what_is_not_in_the_schema_is_not_valid(change):
    facts = valid(natural())
    assert list(VALIDATOR.iter_errors({**facts, **change}))
    del facts["weights"]
    assert list(VALIDATOR.iter_errors(facts))


@pytest.mark.parametrize("make", [natural, continuum, rules])
def test_the_profile_is_that_of_whom_may_be_told(make):
    study = make()
    shown = (study.cut_plan_ or study.plan_).personas
    figures = json.loads(render_json(study))["profile"]
    assert list(figures[0]) == list(COLUMNS)
    expected = profile_segments(shown.described, min_group_size=10).frame
    expected = expected[expected["characteristic"] != "who__left"]
    assert [row["segment_value"] for row in figures] == expected["segment_value"].astype(object).where(
        expected["segment_value"].notna(), None
    ).tolist()
    few = {each.segment for each in shown.personas if each.suppressed}
    assert bool(few) is (make is rules)
    assert not few & {row["segment"] for row in figures}
    assert all(row["n"] >= 10 for row in figures)


def test_the_profile_is_the_same_without_the_customers():
    study = natural()
    bare = without_customers(study, study.segmentation_.n_customers)
    assert render_json(bare) == render_json(study)


def test_weights_and_settings_are_those_of_the_clusterer():
    facts = json.loads(render_json(natural()))
    weights = {row["characteristic"]: row["weight"] for row in facts["weights"]}
    assert weights["who__household"] == weights["behaviour__recency"] == 0
    assert weights["who__age"] > 0
    assert facts["settings"]["weights"] == {"behaviour": 0, "who__left": 0, "who__household": 0}
    assert json.loads(render_json(rules()))["weights"] == []
    assert "=HYPERLINK(1)" in json.loads(render_json(hostile()))["settings"]["rules"]
