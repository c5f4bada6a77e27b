"""Ten studies give what they gave before the study was divided into phases (recorded at 688a3e4)."""

import json
from pathlib import Path

import pytest

from tests.study.studies import STUDIES, facts

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))


def test_every_study_is_recorded():
    assert list(RECORDED) == list(STUDIES)
    assert len(STUDIES) == 10


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_as_it_was(name):
    assert json.loads(json.dumps(facts(STUDIES[name]()))) == RECORDED[name]
