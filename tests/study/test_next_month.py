"""Later tables are scored as of their own time: nothing that happened since fit is left out in silence."""

import re

import numpy as np
import pandas as pd
import pytest

from custseg import (
    CampaignResponseFeaturizer,
    CharacteristicUnion,
    DemographicEncoder,
    RFMFeaturizer,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
    cli,
)
from custseg.datasets import make_customers
from custseg.exceptions import DataQualityWarning, InvalidParameterError
from tests.common.discovery import PROJECT

SAMPLE = make_customers(200, n_segments=3, separation=2.0, random_state=0)
LINES = SAMPLE.transactions
BEFORE = LINES[LINES["timestamp"] < "2024-12-01"]
END = LINES["timestamp"].max()


def tables(lines):
    return {"transactions": lines, "profile": SAMPLE.profile}


def made(**options):
    members = [
        ("who", DemographicEncoder(), "profile"),
        ("behaviour", RFMFeaturizer(features=("recency", "frequency"), **options), "transactions"),
    ]
    # without room for another number of segments, what the data say of it is not tested
    clusterer = SegmentClusterer(3, n_init=2, max_segments=1, weights={"who": 0}, random_state=0)
    return SegmentationStudy(
        SegmentationBrief("retention"), characteristics=CharacteristicUnion(members), clusterer=clusterer, n_pairs=2
    )


@pytest.fixture(scope="module")
def study():
    return made().fit(tables(BEFORE))


def test_later_tables_are_described_as_of_their_end_and_that_is_said(study):
    with pytest.warns(DataQualityWarning, match=f"SegmentationStudy.* described as of {END}, the latest time"):
        found = study.predict(tables(LINES))
    pd.testing.assert_series_equal(found, study.predict(tables(LINES), as_of=END))
    with pytest.warns(DataQualityWarning, match="described as of"):
        customers = study.transform(tables(LINES))
    assert customers["behaviour__recency"].min() == 0.0
    assert (found != study.labels_).mean() > 0.02
    assert study.characteristics_.named_members_["behaviour"].as_of_ == BEFORE["timestamp"].max()


def test_the_tables_of_fit_and_some_of_their_customers_stay_where_they_were(study):
    np.testing.assert_array_equal(study.predict(tables(BEFORE)), study.labels_)
    some = BEFORE["customer_id"] % 5 == 0
    part = {"transactions": BEFORE[some], "profile": SAMPLE.profile[SAMPLE.profile["customer_id"] % 5 == 0]}
    found = study.predict(part)
    whole = pd.Series(study.labels_, index=study.customers_.index)
    np.testing.assert_array_equal(found, whole[found.index])


def test_a_time_given_to_fit_stays_for_its_tables_and_moves_with_later_ones():
    study = made(as_of="2024-10-31").fit(tables(BEFORE))
    with pytest.warns(DataQualityWarning, match="later than as_of=2024-10-31"):
        np.testing.assert_array_equal(study.predict(tables(BEFORE)), study.labels_)
    with pytest.warns(DataQualityWarning, match=f"described as of {END}"):
        later = study.transform(tables(LINES))
    assert later["behaviour__recency"].min() == 0.0
    ahead = RFMFeaturizer(as_of="2025-01-31").fit(BEFORE)
    assert ahead.scoring_time(LINES) is None


def test_a_lone_time_moves_nothing(study):
    odd = LINES.iloc[[0]].assign(timestamp=pd.Timestamp("2042-01-01").as_unit("us"))
    lines = pd.concat([LINES.assign(timestamp=LINES["timestamp"].astype("datetime64[us]")), odd])
    with pytest.warns(DataQualityWarning) as caught:
        found = study.predict(tables(lines))
    said = " ".join(str(warning.message) for warning in caught)
    assert f"described as of {END}" in said
    assert f"1 (later than as_of={END}" in said
    pd.testing.assert_series_equal(found, study.predict(tables(LINES), as_of=END))


def test_zones_and_empty_tables():
    aware = BEFORE.assign(timestamp=BEFORE["timestamp"].dt.tz_localize("Europe/Vienna"))
    rfm = RFMFeaturizer().fit(aware)
    utc = LINES.assign(timestamp=LINES["timestamp"].dt.tz_localize("Europe/Vienna").dt.tz_convert("UTC"))
    assert rfm.scoring_time(utc) == END.tz_localize("Europe/Vienna")
    assert rfm.scoring_time(aware) is None
    assert rfm.scoring_time(aware.iloc[:0]) is None
    union = CharacteristicUnion([("a", RFMFeaturizer(), "aware"), ("b", RFMFeaturizer(), "naive")])
    union.fit({"aware": aware, "naive": BEFORE})
    assert union.scoring_time({"aware": aware, "naive": BEFORE}) is None
    assert union.scoring_time({"aware": aware, "naive": LINES}) == END


def test_whole_days():
    days = pd.DataFrame({"customer_id": [1, 2], "timestamp": ["2024-06-29", "2024-06-30"], "amount": 1.0})
    rfm = RFMFeaturizer().fit(days)
    assert rfm.scoring_time(days.assign(timestamp=["2024-06-29 10:00", "2024-06-30 18:00"])) is None
    assert rfm.scoring_time(days.assign(timestamp=["2024-06-29", "2024-07-01"])) == pd.Timestamp("2024-07-01")


def test_later_responses_move_the_time():
    contacts = pd.DataFrame(
        {
            "customer_id": [1, 2, 3],
            "timestamp": pd.to_datetime(["2024-06-01"] * 3),
            "answered": [True, False, False],
            "came": pd.to_datetime(["2024-06-05", None, None]),
        }
    )
    campaigns = CampaignResponseFeaturizer(responded="answered", response_time="came").fit(contacts)
    assert campaigns.scoring_time(contacts) is None
    later = contacts.assign(answered=True, came=pd.to_datetime(["2024-06-05", "2024-06-20", "2024-06-21"]))
    assert campaigns.scoring_time(later) == pd.Timestamp("2024-06-21")


def test_as_of_where_nothing_happens_in_time():
    study = SegmentationStudy(
        SegmentationBrief("retention"),
        clusterer=SegmentClusterer(3, n_init=2, max_segments=1, random_state=0),
        n_pairs=2,
    ).fit(SAMPLE.profile)
    with pytest.raises(InvalidParameterError, match="DemographicEncoder does not describe customers as of a time"):
        study.predict(SAMPLE.profile, as_of="2024-12-31")


STUDY = """
n_pairs = 2

[tables]
transactions = "old.csv"
profile = "profile.csv"

[[characteristics]]
name = "who"
table = "profile"
estimator = "DemographicEncoder"

[[characteristics]]
name = "behaviour"
table = "transactions"
estimator = "RFMFeaturizer"
parameters = { features = ["recency", "frequency"] }

[segmenter]
n_segments = 3
n_init = 2
max_segments = 1
weights = { who = 0 }
random_state = 0

[outputs]
assignments = "old_segments.csv"
study = "study.skops"
"""


@pytest.mark.filterwarnings("default::custseg.exceptions.DataQualityWarning")
def test_the_recipe_of_the_guide(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    BEFORE.to_csv("old.csv", index=False)
    LINES.to_csv("new.csv", index=False)
    SAMPLE.profile.to_csv("profile.csv", index=False)
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    assert cli.main(["run", "--config", "study.toml"]) == 0
    page = (PROJECT / "docs" / "user_guide" / "report.md").read_text(encoding="utf-8")
    recipe = re.search(r"^custseg (assign .*)$", page, re.MULTILINE)[1].split()
    capsys.readouterr()
    assert cli.main(recipe) == 0
    assert f"described as of {END}" in capsys.readouterr().err
    old, new = pd.read_csv("old_segments.csv"), pd.read_csv("segments.csv")
    assert (old["segment"] != new["segment"]).mean() > 0.02
    assert cli.main([*recipe, "--as-of", "2024-12-31", "--overwrite"]) == 0
    assert "described as of" not in capsys.readouterr().err
    pd.testing.assert_frame_equal(pd.read_csv("segments.csv"), new)
    assert cli.main([*recipe, "--as-of", "31/12/2024", "--overwrite"]) == 2
    assert "Write '2024-12-31'." in capsys.readouterr().err
