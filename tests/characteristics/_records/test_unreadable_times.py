"""Times that cannot be read are said once by fit and once by transform, with their number."""

import warnings

import pandas as pd
import pytest

from custseg import CampaignResponseFeaturizer, CharacteristicUnion, RFMFeaturizer, SegmentationBrief, SegmentationStudy
from custseg.exceptions import DataQualityWarning
from tests.characteristics._times.test_lone_times import FRAMES, MADE
from tests.engines import ENGINES

pytestmark = pytest.mark.sampled

TIMES = ["2024-01-01", "31/12/2024", "soon", "2024-02-01", None, "2024-03-01"]


def table(**columns):
    return pd.DataFrame({"customer_id": [1, 1, 2, 2, 3, 3], "timestamp": TIMES} | columns)


def said(act):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    return [str(warning.message) for warning in caught if issubclass(warning.category, DataQualityWarning)]


@pytest.mark.parametrize("name", MADE)
def test_every_featurizer_says_it_once(name):
    made, columns = MADE[name]
    lines = table(**columns)
    for act in (lambda: made.fit(lines), lambda: made.fit_transform(lines)):
        (message,) = said(act)
        assert message.startswith(
            f"{name}: 2 of 6 row(s) have a time in column 'timestamp' that cannot be read, such as "
        )
        assert "pandas.to_datetime" in message
    (message,) = said(lambda: made.transform(lines))
    assert "3 of 6 rows used; left out: 3 (no readable timestamp in 'timestamp'" in message


@pytest.mark.thorough
@pytest.mark.parametrize("engine", FRAMES)
def test_on_every_engine(engine):
    lines = ENGINES[engine](table(amount=1.0))
    (message,) = said(lambda: RFMFeaturizer().fit(lines))
    assert "2 of 6 row(s) have a time in column 'timestamp' that cannot be read, such as '31/12/2024'" in message


def test_missing_times_are_only_counted():
    lines = table(amount=1.0).assign(timestamp=["2024-01-01", None, "", " ", None, "2024-03-01"])
    featurizer = RFMFeaturizer()
    assert said(lambda: featurizer.fit(lines)) == []
    assert featurizer.row_report_.n_left_out == 4


def test_times_of_responses():
    contacts = table(answered=True).assign(timestamp="2024-01-01", came=TIMES)
    made = CampaignResponseFeaturizer(responded="answered", response_time="came")
    for act in (lambda: made.fit(contacts), lambda: made.transform(contacts)):
        (message,) = said(act)
        assert "2 of 6 row(s) have a time in column 'came' that cannot be read, such as '31/12/2024'" in message


def test_a_study_and_a_union_say_it_once():
    lines = pd.concat([table(amount=amount).assign(customer_id=range(6)) for amount in (1.0, 2.0, 5.0)])
    lines["customer_id"] = range(18)
    union = CharacteristicUnion([("rfm", RFMFeaturizer(), "lines")])
    assert len(said(lambda: union.fit({"lines": lines}))) == 1
    study = SegmentationStudy(SegmentationBrief(goal="retention"), characteristics=union, n_pairs=2)
    messages = said(lambda: study.fit({"lines": lines}))
    assert sum("cannot be read" in message for message in messages) == 1
