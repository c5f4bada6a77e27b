"""Ten studies give what they gave before the study was divided into phases (recorded at 688a3e4)."""

import json
from pathlib import Path

import pytest

from tests.sizes import size
from tests.study.studies import STUDIES, facts

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))


def leaves(value, path=""):
    """Every text and number with the path to it."""
    if isinstance(value, (dict, list)):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, f"{path}/{name}")
    else:
        yield path, value


def test_every_study_is_recorded():
    assert list(RECORDED) == list(STUDIES)
    assert len(STUDIES) == 10


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@pytest.mark.parametrize("name", size([*STUDIES][:5], [*STUDIES]))
def test_a_study_is_as_it_was(name):
    found, recorded = dict(leaves(facts(STUDIES[name]()))), dict(leaves(RECORDED[name]))
    assert found.keys() == recorded.keys()
    for path, value in recorded.items():
        assert found[path] == (pytest.approx(value, rel=1e-8) if isinstance(value, float) else value), path
