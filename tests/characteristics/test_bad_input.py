"""Bad input that no other test of characteristics gives: what is refused, what is NaN, and what is counted."""

from __future__ import annotations

from functools import partial

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

from custseg.characteristics import (
    CampaignResponseFeaturizer,
    CharacteristicUnion,
    GeographicEncoder,
    PsychographicEncoder,
    PurchaseBehaviorFeaturizer,
    PurchasePathFeaturizer,
    RFMFeaturizer,
    SocialMediaFeaturizer,
    cronbach_alpha,
    item_analysis,
    mcdonald_omega,
    split_transactions,
)
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, DataQualityWarning, InvalidTableError

pytestmark = pytest.mark.sampled

NAN = float("nan")
KINDS = {
    "pandas": lambda table: table,
    "polars": pl.from_pandas,
    "lazy": lambda table: pl.from_pandas(table).lazy(),
    "duckdb": lambda table: duckdb.from_arrow(pl.from_pandas(table).to_arrow()),
}
every_kind = pytest.mark.parametrize("kind", KINDS)

TIMES = pd.to_datetime(
    ["2024-01-01 10:00", "2024-01-05 10:00", "2024-01-05 18:00", "2024-01-09 10:00", "2024-01-20 00:00"]
)
ROWS = pd.DataFrame({"customer_id": [1, 1, 2, 3, 3], "timestamp": TIMES.astype("datetime64[us]")})
LINES = ROWS.assign(amount=[10.0, 30.0, 5.0, 8.0, 12.0])
IN_TIME = {
    "purchases": (RFMFeaturizer(), LINES),
    "behaviour": (PurchaseBehaviorFeaturizer(), LINES),
    "paths": (PurchasePathFeaturizer(), ROWS.assign(stage=["visit", "purchase", "visit", "basket", "purchase"])),
    "social": (
        SocialMediaFeaturizer(),
        ROWS.assign(platform="video", action=["like", "share", "read", "post", "read"]),
    ),
    "campaigns": (
        CampaignResponseFeaturizer(prior_strength=0),
        ROWS.assign(responded=[True, False, True, False, True]),
    ),
}


def as_pandas(found):
    return found if isinstance(found, pd.DataFrame) else found.to_pandas().set_index("customer_id")


def counts(report):
    return {each.policy: each.n_rows for each in report.policies if each.n_rows}


class TestRowsWithoutACustomer:
    @every_kind
    @pytest.mark.parametrize("what", IN_TIME)
    def test_they_are_left_out_counted_and_warned_of(self, what, kind):
        made, table = IN_TIME[what]
        estimator = clone(made).set_params(as_of="2024-01-20")
        # the first line of customer 3 belongs to nobody
        missing = table.assign(customer_id=table["customer_id"].astype("Int64").where(table.index != 3))
        expected = estimator.fit_transform(table.drop(index=3))
        found = as_pandas(estimator.fit_transform(KINDS[kind](missing)))
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_index_type=False)
        assert found.index.tolist() == [1, 2, 3]
        assert counts(estimator.row_report_)["no customer id in 'customer_id'"] == 1
        assert estimator.row_report_.n_left_out == 1
        with pytest.warns(DataQualityWarning, match=r"4 of 5 rows used; left out: 1 \(no customer id in 'customer_id'"):
            estimator.transform(KINDS[kind](missing))

    @every_kind
    @pytest.mark.parametrize("what", IN_TIME)
    def test_a_table_of_nobody_is_refused(self, what, kind):
        made, table = IN_TIME[what]
        nobody = KINDS[kind](table.assign(customer_id=pd.array([None] * 5, dtype="Int64")))
        with pytest.raises(InvalidTableError, match=r"no usable row left.*5 \(no customer id in 'customer_id'"):
            clone(made).fit(nobody)

    def test_of_the_lines_that_are_split(self):
        missing = LINES.assign(customer_id=LINES["customer_id"].astype("Int64").where(LINES.index != 3))
        split = split_transactions(missing, at="2024-01-06")
        assert split.to_frame().index.tolist() == [1, 2]
        # customer 3, of whom the calibration knows nothing, is new
        assert split.n_new_customers == 1
        assert counts(split.row_report)["no customer id in 'customer_id'"] == 1
        assert counts(split.row_report)["after 2024-01-06 00:00:00"] == 2
        assert split.row_report.n_left_out == 0
        # the line without an id stands in its part all the same
        assert len(split.holdout) == 2


class TestReturnsOnly:
    @every_kind
    @pytest.mark.parametrize("featurizer", [RFMFeaturizer(), PurchaseBehaviorFeaturizer()])
    @pytest.mark.parametrize("returns", ["net", "drop", "raise"])
    def test_a_table_of_nothing_else(self, featurizer, kind, returns):
        table = KINDS[kind](LINES.assign(amount=-LINES["amount"]))
        says = {"net": "5 .customer without a purchase", "drop": "5 .return", "raise": r"5 row\(s\) have a negative"}
        with pytest.raises(InvalidTableError, match=says[returns]):
            clone(featurizer).set_params(returns=returns).fit(table)

    def test_the_union_says_whose_table_it_is(self):
        union = CharacteristicUnion([("rfm", RFMFeaturizer(), "lines")])
        with pytest.raises(InvalidTableError, match="5 .customer without a purchase") as caught:
            union.fit({"lines": LINES.assign(amount=-1.0)})
        assert any("'rfm'" in note and "'lines'" in note for note in caught.value.__notes__)

    @every_kind
    def test_before_or_after_the_cut_nobody_bought(self, kind):
        only = "customer without a purchase in the part, only returns"
        early = LINES.assign(amount=LINES["amount"].where(LINES["timestamp"] > "2024-01-06", -1.0))
        split = split_transactions(KINDS[kind](early), at="2024-01-06")
        assert split.to_frame().empty
        assert counts(split.row_report)[only] == 3
        assert split.n_new_customers == 1
        late = LINES.assign(amount=LINES["amount"].where(LINES["timestamp"] < "2024-01-06", -1.0))
        split = split_transactions(KINDS[kind](late), at="2024-01-06")
        assert split.to_frame()["holdout_frequency"].tolist() == [0, 0]
        assert split.to_frame()["holdout_monetary"].isna().all()
        assert counts(split.row_report)[only] == 2
        dropped = split_transactions(KINDS[kind](late), at="2024-01-06", returns="drop")
        assert counts(dropped.row_report)["return: negative amount in 'amount'"] == 2
        assert only not in counts(dropped.row_report)


class TestOnePurchase:
    @every_kind
    def test_what_needs_two_is_missing_and_not_zero(self, kind):
        # customer 2 buys twice on one day, which is one purchase; customer 1 on two days, which are one gap
        table = KINDS[kind](pd.concat([LINES, LINES.iloc[[2]]], ignore_index=True))
        found = as_pandas(PurchaseBehaviorFeaturizer().fit_transform(table))
        assert found["orders"].tolist() == [2, 1, 2]
        np.testing.assert_array_equal(found["gap_mean"], [4.0, NAN, 11.0])
        np.testing.assert_array_equal(found["gap_spread"], [NAN, NAN, NAN])
        assert found["spend_trend"].isna().tolist() == [False, True, False]
        rfm = as_pandas(RFMFeaturizer(monetary_as="mean_repeat").fit_transform(table))
        np.testing.assert_array_equal(rfm["monetary"], [30.0, NAN, 12.0])
        paths, events = IN_TIME["paths"]
        touched = as_pandas(clone(paths).fit_transform(KINDS[kind](events)))
        assert np.isnan(touched.loc[2, "time_to_purchase"])


class TestNumbersAsText:
    @every_kind
    @pytest.mark.parametrize("text", ["12,50", "12.50", "€ 12"])
    @pytest.mark.parametrize(
        "read",
        [RFMFeaturizer().fit, PurchaseBehaviorFeaturizer().fit, partial(split_transactions, at="2024-01-06")],
        ids=["purchases", "behaviour", "split"],
    )
    def test_amounts(self, read, text, kind):
        table = KINDS[kind](LINES.assign(amount=text))
        with pytest.raises(ColumnTypeError, match=r"'amount' must be numbers, got .*pandas\.to_numeric"):
            read(table)

    def test_reach_sentiment_coupons_and_discounts(self):
        interactions = IN_TIME["social"][1]
        for column in ("reach", "sentiment"):
            with pytest.raises(ColumnTypeError, match=f"'{column}' must be numbers"):
                SocialMediaFeaturizer(**{column: column}).fit(interactions.assign(**{column: "0,5"}))
        with pytest.raises(ColumnTypeError, match="'coupons' must be numbers"):
            CampaignResponseFeaturizer(coupons="coupons").fit(IN_TIME["campaigns"][1].assign(coupons="1,0"))
        with pytest.raises(ColumnTypeError, match="'discount' must be numbers"):
            PurchaseBehaviorFeaturizer(discount="discount").fit(LINES.assign(discount="1,5"))


ANSWERS = pd.DataFrame(
    {
        "customer_id": range(6),
        "a": [1.0, 2, 4, 5, 3, 4],
        "b": [5.0, 3, 2, 1, 3, 1],
        "c": [2.0, 2, 5, 4, 3, 5],
    }
)


def survey(scales=None, **parameters):
    return PsychographicEncoder(scales or {"calm": ["a", "-b", "c"]}, scale_range=(1, 5), **parameters)


class TestAnswers:
    @every_kind
    @pytest.mark.parametrize(("code", "says"), [(0.0, "0"), (6.0, "6"), (3.5, "3.5"), (-1.0, "-1")])
    def test_a_code_that_is_none_is_named_with_its_rows(self, code, says, kind):
        broken = ANSWERS.assign(b=ANSWERS["b"].where(ANSWERS["b"] != 1, code))
        if code == 3.5:
            # between two codes, as a mean of two answers is: within the range
            assert len(as_pandas(survey().fit_transform(KINDS[kind](broken)))) == 6
            return
        with pytest.raises(InvalidTableError, match=rf"'b' in 2 row\(s\), for example {says}\b"):
            survey().fit(KINDS[kind](broken))
        with pytest.raises(InvalidTableError, match=rf"'b' in 2 row\(s\), for example {says}\b"):
            survey().fit(KINDS[kind](ANSWERS)).transform(KINDS[kind](broken))

    @every_kind
    def test_a_survey_that_nobody_answered(self, kind):
        nothing = ANSWERS.assign(a=NAN, b=NAN, c=NAN)
        encoder = survey()
        with pytest.warns(DataQualityWarning, match="nobody answered: 'a', '-b', 'c'|nobody answered: 'a', 'b', 'c'"):
            found = as_pandas(encoder.fit_transform(KINDS[kind](nothing)))
        assert found.shape == (6, 1)
        assert found["calm"].isna().all()
        assert encoder.reliability_.loc["calm"].isna().tolist() == [True, True, True, False]
        assert counts(encoder.row_report_)["no answer to any item"] == 6

    def test_columns_without_a_type(self):
        nothing = pl.from_pandas(ANSWERS).with_columns(*(pl.lit(None).alias(name) for name in "abc"))
        found = survey().fit(ANSWERS).transform(nothing)
        assert found["calm"].is_null().all()

    @pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
    def test_nobody_but_straight_liners_under_centring(self):
        flat = ANSWERS.assign(b=ANSWERS["a"], c=ANSWERS["a"])
        encoder = survey(response_style="centre")
        assert encoder.fit_transform(flat)["calm"].isna().all()
        assert counts(encoder.row_report_)["one and the same answer to every item"] == 6
        assert encoder.reliability_[["alpha", "alpha_standardized", "omega"]].isna().all(axis=None)
        # without centring they have scores, equal to what a straight line through a reversed item gives
        plain = survey().fit_transform(flat)["calm"]
        assert plain.tolist() == pytest.approx(((2 * flat["a"] + 6 - flat["a"]) / 3).tolist())

    def test_a_scale_of_one_item_has_no_coefficient(self):
        for function in (cronbach_alpha, mcdonald_omega, item_analysis):
            with pytest.raises(InvalidTableError, match=rf"{function.__name__} needs at least 2 items, got 1 \('a'\)"):
                function(ANSWERS[["a"]])

    @pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
    def test_an_item_without_variance_gives_scores_and_no_number_out_of_thin_air(self):
        flat = ANSWERS.assign(a=3.0, c=3.0)
        found = survey().fit(flat)
        assert found.transform(flat)["calm"].tolist() == pytest.approx(((12 - flat["b"]) / 3).tolist())
        report = found.item_report_.loc["calm"]
        assert report.loc[["a", "c"], "item_rest"].isna().all()
        # what is left without 'b' does not vary at all
        assert np.isnan(report.loc["b", "alpha_if_dropped"])
        everybody_alike = ANSWERS.assign(a=3.0, b=3.0, c=3.0)
        assert survey().fit(everybody_alike).reliability_.loc["calm"].isna().tolist() == [True, True, True, False]

    @every_kind
    def test_a_reverse_key_of_no_item(self, kind):
        with pytest.raises(ColumnNotFoundError, match="'x' not found"):
            survey({"calm": ["a", "-x"]}).fit(KINDS[kind](ANSWERS))


class TestUnknownRegions:
    @every_kind
    def test_they_are_pooled_or_missing_and_counted(self, kind):
        def places(*cities):
            table = pd.DataFrame({"customer_id": range(len(cities)), "country": "DE", "city": cities})
            return KINDS[kind](table.astype({"city": "str"}))

        encoder = GeographicEncoder(latitude=None, longitude=None, regions=["country", "city"], min_customers=2)
        encoder.fit(places("Bonn", "Bonn", "Kiel", "Jena"))
        message = r"2 customer\(s\) are in regions that fit did not see \(column 'city': 'Ulm' \(2\)\): 2 were pooled"
        with pytest.warns(DataQualityWarning, match=message):
            found = as_pandas(encoder.transform(places("Ulm", "Bonn", "Ulm")))
        assert found["region"].tolist() == ["other in DE", "Bonn", "other in DE"]
