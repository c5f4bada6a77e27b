"""Contacts and responses: a table worked by hand, a plain definition, laws, and the real panel."""

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy.stats import betabinom
from sklearn.base import clone

from custseg._core import frames
from custseg.characteristics import CampaignResponseFeaturizer
from custseg.characteristics._touchpoints.beta_prior import BetaPrior
from custseg.datasets import make_customers
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, DataQualityWarning, InvalidParameterError
from tests.sizes import size

pytestmark = pytest.mark.sampled

# customer 1 responds to two of four contacts, 2 to none, 3 to the only one, 4 after the reference
# time, 5 was never contacted
CONTACTS = pd.DataFrame(
    [
        (1, "spring", "coupon", "mail", "2024-03-01 09:00", True, "2024-03-03 09:00", 2, True),
        (1, "summer", "coupon", "e-mail", "2024-06-01 12:00", False, None, 0, True),
        (1, "summer", "coupon", "e-mail", "2024-06-08 12:00", True, "2024-06-08 00:00", 1, True),
        (1, "autumn", "advert", "tv", "2024-09-01 00:00", False, None, 0, True),
        (2, "spring", "coupon", "mail", "2024-03-01 09:00", False, None, 0, True),
        (2, "summer", "coupon", "mail", "2024-06-01 12:00", False, None, 0, True),
        (2, "autumn", "advert", "tv", "2024-09-01 00:00", False, None, 0, True),
        (3, "autumn", "advert", "tv", "2024-09-01 00:00", True, "2024-09-05 12:00", None, True),
        (4, "spring", "coupon", "mail", "2024-03-01 09:00", True, "2024-02-20", 3, True),
        (4, "autumn", "advert", "radio", "2024-09-01 00:00", True, "2024-10-20", 1, True),
        (5, "spring", "coupon", "mail", "2024-03-01 09:00", True, "2024-03-02 10:00", 1, False),
        (6, "winter", "coupon", "mail", "2024-12-01 00:00", True, "2024-12-02 00:00", 1, True),
    ],
    columns=["customer_id", "campaign", "kind", "channel", "sent", "answered", "came", "coupons", "reached"],
).astype({"sent": "datetime64[us]", "came": "datetime64[us]", "coupons": "float64"})
COLUMNS = {
    "timestamp": "sent",
    "responded": "answered",
    "campaign": "campaign",
    "campaign_type": "kind",
    "channel": "channel",
    "response_time": "came",
    "coupons": "coupons",
    "contacted": "reached",
}
AS_OF = "2024-09-30"
NAN = np.nan


def featurizer(**options):
    return CampaignResponseFeaturizer(**{**COLUMNS, "as_of": AS_OF, "prior_strength": 0, **options})


class TestByHand:
    def test_counts(self):
        output = featurizer().fit_transform(CONTACTS)
        assert output.index.tolist() == [1, 2, 3, 4, 5]
        assert output["contacts"].tolist() == [4, 3, 1, 2, 0]
        # summer reached customer 1 twice
        assert output["campaigns"].tolist() == [3, 3, 1, 2, 0]
        assert output["responses"].tolist() == [2, 0, 1, 1, 0]
        assert (output.dtypes[["contacts", "campaigns", "responses"]] == "int64").all()

    def test_plain_rates(self):
        output = featurizer(n_leading=2).fit_transform(CONTACTS)
        np.testing.assert_array_equal(output["response_rate"], [2 / 4, 0, 1, 1 / 2, NAN])
        np.testing.assert_array_equal(output["response_rate_type_coupon"], [2 / 3, 0, NAN, 1, NAN])
        np.testing.assert_array_equal(output["response_rate_type_advert"], [0, 0, 1, 0, NAN])
        # 4 contacts by mail, 3 by tv, 2 by e-mail, 1 by radio: the last two are pooled
        np.testing.assert_array_equal(output["response_rate_channel_mail"], [1, 0, NAN, 1, NAN])
        np.testing.assert_array_equal(output["response_rate_channel_tv"], [0, 0, 1, NAN, NAN])
        np.testing.assert_array_equal(output["response_rate_channel_other"], [1 / 2, NAN, NAN, 0, NAN])

    def test_rates_with_a_prior_of_given_strength(self):
        fitted = featurizer(prior_strength=3).fit(CONTACTS)
        # four of ten contacts had a response by the reference time
        assert fitted.prior_.loc["response_rate"].tolist() == [0.4, 3.0, "given", 4, 10, 4]
        expected = [(2 + 1.2) / 7, (0 + 1.2) / 6, (1 + 1.2) / 4, (1 + 1.2) / 5, NAN]
        np.testing.assert_allclose(fitted.transform(CONTACTS_IN_TIME)["response_rate"], expected)

    def test_times(self):
        output = featurizer().fit_transform(CONTACTS)
        # customer 1: two days, and none on the day of the contact; 4: the response was before the contact
        np.testing.assert_array_equal(output["time_to_response"], [1.0, NAN, 4.5, NAN, NAN])
        # 30 September less 8 June, and less 5 September
        np.testing.assert_array_equal(output["response_recency"], [114, NAN, 25, NAN, NAN])
        hours = featurizer(time_unit="h").fit_transform(CONTACTS)
        np.testing.assert_array_equal(hours["time_to_response"], 24 * output["time_to_response"])

    def test_coupons(self):
        output = featurizer().fit_transform(CONTACTS)
        np.testing.assert_array_equal(output["coupons"], [3, 0, NAN, 3, NAN])
        np.testing.assert_array_equal(output["coupons_per_response"], [1.5, NAN, NAN, 3, NAN])

    def test_every_oddity_is_counted(self):
        report = featurizer().fit(CONTACTS).row_report_.to_frame().set_index("policy")["n_rows"]
        assert report[report > 0].to_dict() == {
            "later than as_of=2024-09-30 00:00:00": 1,
            "not contacted": 1,
            "response without a contact": 1,
            "response later than as_of": 1,
            "response on a day before the contact": 1,
            "number in 'coupons' without a response": 1,
            "response without a number in 'coupons'": 1,
        }

    def test_only_the_columns_that_were_named(self):
        plain = CampaignResponseFeaturizer(timestamp="sent", responded="answered", as_of=AS_OF, prior_strength=0)
        output = plain.fit_transform(CONTACTS)
        assert output.columns.tolist() == [
            "contacts",
            "responses",
            "response_rate",
            "response_recency",
        ]
        # without times of response, the time of the contact stands for it
        np.testing.assert_array_equal(output["response_recency"], [114, NAN, 29, 29, 213])

    def test_a_known_time_is_a_response_where_no_column_says_so(self):
        said = featurizer(coupons=None).fit_transform(CONTACTS)
        assert_frame_equal(featurizer(coupons=None, responded=None).fit_transform(CONTACTS), said)

    def test_units(self):
        fitted = featurizer(time_unit="W", campaign_type=None, channel=None).fit(CONTACTS)
        assert fitted.criterion == "behavioural"
        assert fitted.units_ == {
            "contacts": "contacts",
            "campaigns": "campaigns",
            "responses": "responses",
            "response_rate": "share",
            "time_to_response": "weeks",
            "response_recency": "weeks",
            "coupons": "coupons",
            "coupons_per_response": "coupons per response",
        }
        assert fitted.get_feature_names_out().tolist() == list(fitted.units_)
        assert fitted.levels_ == {}


CONTACTS_IN_TIME = CONTACTS[CONTACTS["sent"] < "2024-10-01"]


class TestReferenceTime:
    def test_the_latest_contact_or_response(self):
        assert featurizer(as_of=None).fit(CONTACTS).as_of_ == pd.Timestamp("2024-12-02")
        early = CONTACTS.assign(came=CONTACTS["sent"].where(CONTACTS["answered"]))
        assert featurizer(as_of=None).fit(early).as_of_ == pd.Timestamp("2024-12-01")

    def test_a_response_that_has_not_come_yet_is_none(self):
        fitted = featurizer().fit(CONTACTS)
        with pytest.warns(DataQualityWarning, match=r"1 \(later than as_of"):
            before = fitted.transform(CONTACTS)
        with pytest.warns(DataQualityWarning, match="later than as_of"):
            after = fitted.transform(CONTACTS, as_of="2024-10-20")
        assert (before.loc[4, "responses"], after.loc[4, "responses"]) == (1, 2)
        assert after.loc[4, "response_recency"] == 0

    def test_zones(self):
        aware = CONTACTS.assign(
            sent=CONTACTS["sent"].dt.tz_localize("Europe/Vienna"), came=CONTACTS["came"].dt.tz_localize("Europe/Vienna")
        )
        assert_frame_equal(featurizer().fit_transform(aware), featurizer().fit_transform(CONTACTS))
        elsewhere = aware.assign(came=aware["came"].dt.tz_convert("UTC"))
        same = featurizer(as_of=None, coupons=None).fit_transform(elsewhere)["time_to_response"]
        assert same.loc[3] == 4.5
        with pytest.raises(ColumnTypeError, match="'came' must be with a time zone, as 'sent' is"):
            featurizer().fit(CONTACTS.assign(sent=aware["sent"]))
        with pytest.raises(ColumnTypeError, match="'came' must be without a time zone.*zone Europe/Vienna"):
            featurizer().fit(CONTACTS.assign(came=aware["came"]))


class TestPrior:
    def test_the_likeliest_beta_binomial(self):
        random = np.random.default_rng(0)
        trials = random.integers(0, 12, 4_000)
        successes = random.binomial(trials, random.beta(2.0, 6.0, len(trials)))
        prior = BetaPrior.learn(trials, successes, None)
        assert prior.source == "learned"
        assert prior.mean == pytest.approx(0.25, abs=0.01)
        assert prior.strength == pytest.approx(8.0, rel=0.15)

        def likelihood(mean, strength):
            return betabinom.logpmf(successes, trials, mean * strength, (1 - mean) * strength).sum()

        best = likelihood(prior.mean, prior.strength)
        for mean, strength in [(1.01, 1), (0.99, 1), (1, 1.03), (1, 0.97), (1.01, 0.98)]:
            assert likelihood(prior.mean * mean, prior.strength * strength) < best

    def test_customers_who_do_not_differ_all_get_the_common_rate(self):
        prior = BetaPrior.learn(np.full(500, 20), np.full(500, 5), None)
        assert (prior.mean, prior.strength) == (pytest.approx(0.25, abs=1e-3), pytest.approx(1000.0))

    def test_customers_who_always_answer_alike_keep_their_own_rate(self):
        prior = BetaPrior.learn(np.full(100, 10), np.repeat([0, 10], 50), None)
        assert prior.strength == pytest.approx(0.1)

    @pytest.mark.parametrize(("trials", "successes"), [([1, 1, 1], [0, 1, 1]), ([4, 5], [0, 0]), ([4, 5], [4, 5])])
    def test_what_cannot_be_learned_falls_back(self, trials, successes):
        prior = BetaPrior.learn(np.array(trials), np.array(successes), None)
        assert (prior.source, prior.strength) == ("fallback", 2.0)
        assert prior.mean == sum(successes) / sum(trials)

    def test_nobody_contacted(self):
        prior = BetaPrior.learn(np.array([0, 0]), np.array([0, 0]), None)
        assert np.isnan(prior.mean)
        assert np.isnan(prior.rates(np.array([0, 0]), np.array([0, 0]))).all()

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
    def test_a_rate_lies_between_the_prior_and_the_plain_share(self, drawn):
        trials = np.array([max(pair) for pair in drawn])
        successes = np.array([min(pair) for pair in drawn])
        prior = BetaPrior.learn(trials, successes, None)
        rates = prior.rates(trials, successes)
        assert (np.isnan(rates) == (trials == 0)).all()
        tried = trials > 0
        shares = successes[tried] / trials[tried]
        assert (rates[tried] >= np.minimum(shares, prior.mean) - 1e-12).all()
        assert (rates[tried] <= np.maximum(shares, prior.mean) + 1e-12).all()


class TestControlGroup:
    def test_customers_of_the_control_arm_were_not_contacted(self):
        campaign = make_customers(200, random_state=0).campaign
        treated = campaign["arm"] == "treatment"
        fitted = CampaignResponseFeaturizer(contacted="contacted").fit(campaign.assign(contacted=treated))
        output = fitted.transform(campaign.assign(contacted=treated))
        assert output["contacts"].tolist() == treated.astype(int).tolist()
        assert output["responses"].sum() == (treated & campaign["responded"]).sum()
        assert output.loc[~treated.to_numpy(), "response_rate":].isna().all(axis=None)
        # one contact each: how much customers differ cannot be learned
        prior = fitted.prior_.loc["response_rate"]
        assert (prior["source"], prior["strength"], prior["n_customers"]) == ("fallback", 2.0, treated.sum())
        assert prior["mean"] == campaign.loc[treated, "responded"].mean()

    def test_without_the_flag_every_row_is_a_contact(self):
        campaign = make_customers(200, random_state=0).campaign
        assert (CampaignResponseFeaturizer().fit_transform(campaign)["contacts"] == 1).all()


class TestLevels:
    def test_levels_are_learned_in_fit_and_new_ones_counted(self):
        fitted = featurizer(n_leading=1, prior_strength=1).fit(CONTACTS)
        assert fitted.levels_ == {"campaign_type": ("coupon", "other"), "channel": ("mail", "other")}
        new = CONTACTS_IN_TIME.assign(channel="drone")
        with pytest.warns(DataQualityWarning, match=r"10 row\(s\) hold levels of column 'channel'.*'drone'"):
            output = fitted.transform(new)
        assert output["response_rate_channel_mail"].isna().all()
        assert output["response_rate_channel_other"].notna().tolist() == [True] * 4 + [False]

    def test_rows_without_a_level_count_in_the_whole(self):
        output = featurizer(n_leading=1).fit_transform(CONTACTS.assign(kind=CONTACTS["kind"].where(CONTACTS.index > 0)))
        assert output.loc[1, "response_rate"] == 2 / 4
        assert output.loc[1, "response_rate_type_coupon"] == 1 / 2


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"n_leading": 0}, "'n_leading' must be an integer >= 1"),
            ({"prior_strength": -1}, "'prior_strength' must be"),
            ({"prior_strength": "learn"}, "'prior_strength' must be"),
            ({"time_unit": "s"}, "'time_unit' must be"),
            ({"responded": None, "response_time": None}, "'responded' must be a column name"),
            ({"channel": "kind"}, "'channel' must be another column than 'campaign_type' names"),
            ({"channel": 3}, "'channel' must be"),
        ],
    )
    def test_parameters(self, options, words):
        with pytest.raises(InvalidParameterError, match=words):
            featurizer(**options).fit(CONTACTS)

    def test_columns(self):
        with pytest.raises(ColumnNotFoundError, match="Did you mean 'kind'"):
            featurizer(campaign_type="kinds").fit(CONTACTS)
        with pytest.raises(ColumnTypeError, match="'answered' must be bools"):
            featurizer().fit(CONTACTS.assign(answered="yes"))
        with pytest.raises(ColumnTypeError, match=r"'answered' must be .* got other numbers in 12 row"):
            featurizer().fit(CONTACTS.assign(answered=2))
        with pytest.raises(ColumnTypeError, match="'came' must be timestamps"):
            featurizer().fit(CONTACTS.assign(came=3.5))

    @pytest.mark.parametrize("number", [-1, 0.5, 1e300])
    def test_numbers_that_count_no_coupons(self, number):
        coupons = CONTACTS["coupons"].where(CONTACTS.index != 4, number)
        with pytest.raises(ColumnTypeError, match=r"'coupons' must be whole numbers .* others in 1 row"):
            featurizer().fit(CONTACTS.assign(coupons=coupons))

    def test_rows_that_say_nothing_are_left_out_and_counted(self):
        table = CONTACTS_IN_TIME.astype({"answered": "object", "customer_id": "float64"})
        table.loc[0, "answered"] = None
        table.loc[1, "customer_id"] = NAN
        table.loc[2, "sent"] = pd.NaT
        fitted = featurizer().fit(table)
        assert fitted.row_report_.n_left_out == 3
        with pytest.warns(DataQualityWarning, match="8 of 11 rows used"):
            assert fitted.transform(table).loc[1, "contacts"] == 1

    @pytest.mark.parametrize("nothing", [None, NAN, pd.NaT])
    def test_no_response_at_all(self, nothing):
        quiet = CONTACTS_IN_TIME.assign(answered=False, came=nothing, coupons=0)
        output = featurizer().fit_transform(quiet)
        assert output["responses"].sum() == 0
        assert output[["time_to_response", "response_recency", "coupons_per_response"]].isna().all(axis=None)
        np.testing.assert_array_equal(output["response_rate"], [0, 0, 0, 0, NAN])

    def test_times_as_text(self):
        text = CONTACTS.assign(came=CONTACTS["came"].astype("str").where(CONTACTS["came"].notna()))
        assert_frame_equal(featurizer().fit_transform(text), featurizer().fit_transform(CONTACTS))
        odd = text.assign(came=text["came"].where(text.index > 0, "soon"))
        with pytest.warns(DataQualityWarning, match="column 'came' that cannot be read, such as 'soon'"):
            report = featurizer().fit(odd).row_report_.to_frame()
        assert report.set_index("policy").loc["response without a time in 'came'", "n_rows"] == 1

    @pytest.mark.parametrize("prepare", [lambda table: table, pl.from_pandas])
    def test_no_rows_at_transform(self, prepare):
        fitted = featurizer(n_leading=1).fit(CONTACTS)
        output = fitted.set_output(transform="pandas").transform(prepare(CONTACTS.head(0)))
        assert output.shape == (0, len(fitted.units_))


class TestEngines:
    @pytest.mark.parametrize("kind", ["polars", "lazy", "arrow", "pandas alone"])
    def test_all_kinds_of_table_agree(self, kind, monkeypatch):
        expected = featurizer(prior_strength=None).fit_transform(CONTACTS)
        table = pl.from_pandas(CONTACTS)
        table = {"polars": table, "lazy": table.lazy(), "arrow": table.to_arrow()}.get(kind, CONTACTS)
        if kind == "pandas alone":
            monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)
        assert_frame_equal(
            featurizer(prior_strength=None).set_output(transform="pandas").fit_transform(table), expected
        )

    def test_an_estimator_like_any_other(self):
        fitted = featurizer().fit(CONTACTS)
        restored = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
        assert_frame_equal(restored.transform(CONTACTS_IN_TIME), fitted.transform(CONTACTS_IN_TIME))
        assert not hasattr(clone(fitted), "prior_")

    def test_the_report_of_rows_needs_no_fit(self):
        assert featurizer().check_rows(CONTACTS).n_left_out == 1
        assert str(featurizer().check_rows(CONTACTS)) == str(featurizer().fit(CONTACTS).check_rows(CONTACTS))


START = pd.Timestamp("2024-01-01")


@st.composite
def contacts(draw):
    n_rows = draw(st.integers(1, 25))

    def column(values):
        return draw(st.lists(values, min_size=n_rows, max_size=n_rows))

    sent = [START + dt.timedelta(hours=hours) for hours in column(st.integers(0, 24 * 300))]
    waits = column(st.none() | st.integers(-80, 24 * 90))
    came = [None if wait is None else time + dt.timedelta(hours=wait) for time, wait in zip(sent, waits, strict=True)]
    return pd.DataFrame(
        {
            "customer_id": column(st.integers(1, 6)),
            "campaign": column(st.sampled_from(["a", "b", "c"])),
            "kind": pd.Series(column(st.sampled_from(["x", "y", "z", None])), dtype="str"),
            "channel": column(st.sampled_from(["mail", "tv"])),
            "sent": pd.Series(sent, dtype="datetime64[us]"),
            "answered": column(st.booleans()),
            "came": pd.Series(came, dtype="datetime64[us]"),
            "coupons": pd.Series(column(st.none() | st.integers(0, 5)), dtype="float64"),
            "reached": column(st.booleans()),
        }
    )


LEARNED = featurizer(n_leading=1, prior_strength=2, as_of="2024-09-30 12:00").fit(CONTACTS)


def by_definition(rows, prior):
    """Describe one customer in plain Python."""
    as_of = pd.Timestamp(2024, 9, 30, 12)
    sent = [row for row in rows if row.reached and row.sent <= as_of]
    known = {id(row) for row in sent if row.answered and (pd.isna(row.came) or row.came <= as_of)}
    answered = [row for row in sent if id(row) in known]
    timed = [row for row in answered if not pd.isna(row.came) and row.came.date() >= row.sent.date()]
    counted = [row for row in answered if not pd.isna(row.coupons)]

    def rate(of, name):
        mean = prior.loc[name, "mean"]
        hits = sum(id(row) in known for row in of)
        return (hits + 2 * mean) / (len(of) + 2) if of else NAN

    waits = [max((row.came - row.sent) / dt.timedelta(days=1), 0.0) for row in timed]
    n_coupons = sum(row.coupons for row in counted)
    return {
        "contacts": len(sent),
        "campaigns": len({row.campaign for row in sent}),
        "responses": len(answered),
        "response_rate": rate(sent, "response_rate"),
        "response_rate_type_coupon": rate([row for row in sent if row.kind == "coupon"], "response_rate_type_coupon"),
        "response_rate_type_other": rate(
            [row for row in sent if row.kind != "coupon" and not pd.isna(row.kind)], "response_rate_type_other"
        ),
        "response_rate_channel_mail": rate(
            [row for row in sent if row.channel == "mail"], "response_rate_channel_mail"
        ),
        "response_rate_channel_other": rate(
            [row for row in sent if row.channel != "mail"], "response_rate_channel_other"
        ),
        "time_to_response": sum(waits) / len(waits) if waits else NAN,
        "response_recency": min(((as_of.date() - row.came.date()).days for row in timed), default=NAN),
        "coupons": NAN if not sent or (answered and not counted) else n_coupons,
        "coupons_per_response": n_coupons / len(counted) if counted else NAN,
    }


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
class TestLaws:
    @given(contacts())
    @settings(max_examples=size(5, 60))
    def test_the_definition(self, table):
        table = table[table["sent"] <= "2024-09-30 12:00"]
        table = pd.concat([table, CONTACTS.head(1)])
        output = LEARNED.transform(table)
        for customer, rows in table.groupby("customer_id"):
            expected = by_definition(list(rows.itertuples()), LEARNED.prior_)
            assert list(expected) == output.columns.tolist()
            np.testing.assert_allclose(
                output.loc[customer].to_numpy(dtype=float), np.array(list(expected.values()), dtype=float), atol=1e-9
            )

    @given(contacts(), st.randoms(use_true_random=False))
    @settings(max_examples=size(3, 30))
    def test_the_order_of_rows_and_columns_changes_nothing(self, table, random):
        rows = random.sample(range(len(table)), len(table))
        columns = random.sample(list(table.columns), table.shape[1])
        first, second = featurizer(as_of=None, prior_strength=None), featurizer(as_of=None, prior_strength=None)
        assert_frame_equal(second.fit_transform(table.iloc[rows][columns]), first.fit_transform(table))
        assert_frame_equal(first.prior_, second.prior_)

    @given(contacts(), st.integers(0, 1000))
    @settings(max_examples=size(3, 30))
    def test_a_customer_is_described_by_their_own_contacts_alone(self, table, place):
        fitted = featurizer(as_of="2024-12-31", prior_strength=None).fit(table)
        whole = fitted.transform(table)
        customer = whole.index[place % len(whole)]
        alone = fitted.transform(table[table["customer_id"] == customer])
        assert_frame_equal(alone, whole.loc[[customer]], check_dtype=False)

    @given(contacts(), st.integers(1, 1000))
    @settings(max_examples=size(3, 30))
    def test_moving_all_times_changes_nothing(self, table, days):
        shift = pd.Timedelta(days=days)
        moved = table.assign(sent=table["sent"] + shift, came=table["came"] + shift)
        later = featurizer(as_of=START + pd.Timedelta(days=270) + shift)
        assert_frame_equal(
            later.fit_transform(moved), featurizer(as_of=START + pd.Timedelta(days=270)).fit_transform(table)
        )
