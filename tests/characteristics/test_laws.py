"""Laws and definitions of recency, frequency, monetary value and of survey scales, against plain Python."""

from __future__ import annotations

import itertools
import math
import statistics
import warnings
from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from custseg.characteristics import (
    PsychographicEncoder,
    RFMFeaturizer,
    RFMScorer,
    careless_responses,
    cronbach_alpha,
    item_analysis,
    mcdonald_omega,
)
from custseg.exceptions import DataQualityWarning, InvalidTableError
from tests.sizes import size
from tests.strategies import timestamps, transactions

NAN = math.nan
ALL = ("recency", "frequency", "monetary", "tenure")
few = settings(
    max_examples=size(4, 30),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
quiet = pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")


def rows_of(lines):
    """The lines as dictionaries of plain values, None where one is missing."""
    return lines.astype(object).where(lines.notna(), None).to_dict("records")


def rfm(lines, **parameters):
    return RFMFeaturizer(features=ALL, **parameters).fit_transform(lines)


def by_customer(rows):
    return {customer: [row for row in rows if row["customer_id"] == customer] for customer in ids_of(rows)}


def ids_of(rows):
    return sorted({row["customer_id"] for row in rows})


class TestPurchases:
    @few
    @given(lines=transactions(), later=st.integers(0, 40))
    def test_the_columns_of_the_models_of_buying(self, lines, later):
        # x, t_x and T: purchase days after the first, from the first to the last, from the first to as_of
        as_of = lines["timestamp"].max().to_pydatetime() + timedelta(days=later)
        found = rfm(lines, as_of=as_of)
        for customer, own in by_customer(rows_of(lines)).items():
            days = sorted({row["timestamp"].date() for row in own if row["amount"] >= 0})
            assert (customer in found.index) == bool(days)
            if not days:
                continue
            row = found.loc[customer]
            assert row["frequency"] - 1 == len(days) - 1
            assert row["tenure"] - row["recency"] == (days[-1] - days[0]).days
            assert row["tenure"] == (as_of.date() - days[0]).days
            assert row["recency"] == (as_of.date() - days[-1]).days

    @few
    @given(lines=transactions(), order_id=st.sampled_from([None, "order_id"]))
    def test_the_three_meanings_of_monetary_value_fit_together(self, lines, order_id):
        mean, total, repeat = (
            rfm(lines, order_id=order_id, monetary_as=monetary) for monetary in ("mean", "total", "mean_repeat")
        )
        for customer, own in by_customer(rows_of(lines)).items():
            bought = [row for row in own if row["amount"] >= 0]
            if not bought:
                continue
            unit = "order_id" if order_id else "day"
            for row in own:
                row["day"] = row["timestamp"].date()
            first = min(row["day"] for row in bought)
            n_first = len({row[unit] for row in bought if row["day"] == first})
            in_first = sum(row["amount"] for row in own if row["day"] == first)
            frequency = mean.loc[customer, "frequency"]
            assert total.loc[customer, "monetary"] == sum(row["amount"] for row in own)
            assert mean.loc[customer, "monetary"] * frequency == pytest.approx(total.loc[customer, "monetary"])
            if frequency == n_first:
                assert math.isnan(repeat.loc[customer, "monetary"])
            else:
                later = repeat.loc[customer, "monetary"] * (frequency - n_first)
                assert later + in_first == pytest.approx(total.loc[customer, "monetary"])

    @few
    @given(lines=transactions(faults=True), later=transactions(faults=True), years=st.integers(1, 9))
    def test_the_reference_time_is_the_latest_of_fit_and_stays(self, lines, later, years):
        # the latest time counts in whatever row it stands; nothing of transform, and no clock, moves it
        latest = max(row["timestamp"] for row in rows_of(lines) if row["timestamp"] is not None)
        featurizer = RFMFeaturizer().fit(lines)
        assert featurizer.as_of_ == latest
        late = later.assign(timestamp=later["timestamp"] + pd.Timedelta(days=366 * years))
        with pytest.warns(DataQualityWarning, match="later than as_of"):
            found = featurizer.transform(pd.concat([late, lines]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            pd.testing.assert_frame_equal(found, featurizer.transform(lines), check_exact=True)
        with pytest.raises(InvalidTableError, match="later than as_of"):
            featurizer.transform(late)
        assert featurizer.as_of_ == latest

    @few
    @given(
        lines=transactions(faults=True),
        as_of=timestamps(),
        returns=st.sampled_from(["net", "drop"]),
        order_id=st.sampled_from([None, "order_id"]),
    )
    def test_every_policy_counts_the_rows_that_it_touches(self, lines, as_of, returns, order_id):
        last = as_of if as_of.time() != datetime.min.time() else as_of + timedelta(days=1, microseconds=-1)

        def policy(row):
            if row["customer_id"] is None:
                return "no customer id"
            if row["timestamp"] is None:
                return "no readable timestamp"
            if order_id and row["order_id"] is None:
                return "no order id"
            if row["amount"] is None:
                return "no amount"
            if row["timestamp"] > last:
                return "later than as_of"
            return "return" if row["amount"] < 0 else "bought"

        touched = [(policy(row), row["customer_id"]) for row in rows_of(lines)]
        buyers = {customer for name, customer in touched if name == "bought"}
        expected = Counter(
            "only returns" if name == "return" and returns == "net" and customer not in buyers else name
            for name, customer in touched
        )
        n_bought = expected.pop("bought", 0)
        report = RFMFeaturizer(as_of=as_of, returns=returns, order_id=order_id).check_rows(lines)
        found = {}
        for name in ("no customer id", "no readable timestamp", "no order id", "no amount", "later than as_of"):
            found[name] = sum(each.n_rows for each in report.policies if each.policy.startswith(name))
        found["return"] = sum(each.n_rows for each in report.policies if each.policy.startswith("return"))
        found["only returns"] = sum(each.n_rows for each in report.policies if "only returns" in each.policy)
        assert {name: count for name, count in found.items() if count} == dict(expected)
        assert report.n_rows == len(lines)
        assert report.n_used == n_bought + (expected["return"] if returns == "net" else 0)

    @few
    @given(lines=transactions(faults=True))
    def test_identical_lines_are_kept(self, lines):
        once, twice = (rfm(table, monetary_as="total") for table in (lines, pd.concat([lines, lines])))
        once["monetary"] *= 2
        pd.testing.assert_frame_equal(twice, once, check_exact=True)

    @few
    @given(
        lines=transactions(returns=True),
        minutes=st.lists(st.integers(0, 24 * 60 - 1), min_size=40, max_size=40),
        share=st.integers(0, 4),
        parameters=st.fixed_dictionaries(
            {
                "period": st.sampled_from(["D", "W", "M"]),
                "monetary_as": st.sampled_from(["mean", "total", "mean_repeat"]),
                "order_id": st.sampled_from([None, "order_id"]),
                "as_of": st.just("2024-06-30"),
            }
        ),
    )
    def test_splitting_a_purchase_within_its_period_changes_nothing(self, lines, minutes, share, parameters):
        # the second line of each stands at another time of the same day, before or after the first
        part = lines["amount"] * share / 4
        moved = lines["timestamp"].dt.normalize() + pd.to_timedelta(minutes[: len(lines)], unit="min")
        split = pd.concat([lines.assign(amount=part), lines.assign(amount=lines["amount"] - part, timestamp=moved)])
        # a part of nothing beside a return would be a purchase
        split = split[(split["amount"] != 0) | (lines["amount"].loc[split.index] == 0)]
        pd.testing.assert_frame_equal(rfm(split, **parameters), rfm(lines, **parameters), check_exact=True)

    @few
    @given(
        lines=transactions(days=300),
        zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"]),
        period=st.sampled_from(["D", "W", "M"]),
    )
    def test_times_with_a_zone_keep_the_calendar_day_of_that_zone(self, lines, zone, period):
        aware = lines["timestamp"].dt.tz_localize(zone, ambiguous=False, nonexistent="shift_forward")
        on_the_wall = aware.dt.tz_localize(None)
        found, expected = (rfm(lines.assign(timestamp=times), period=period) for times in (aware, on_the_wall))
        pd.testing.assert_frame_equal(found, expected, check_exact=True)

    @few
    @given(lines=transactions(min_rows=2, returns=False), minutes=st.integers(0, 10**5), factor=st.sampled_from([1, 3]))
    def test_whoever_buys_again_scores_no_lower(self, lines, minutes, factor):
        as_of = lines["timestamp"].max() + pd.Timedelta(minutes=10**5)
        featurizer = RFMFeaturizer(monetary_as="total", as_of=as_of)
        before = featurizer.fit_transform(lines)
        scorer = RFMScorer(3).fit(before)
        again = lines.iloc[[0]].assign(
            timestamp=lines.loc[0, "timestamp"] + pd.Timedelta(minutes=minutes), amount=lines.loc[0, "amount"] * factor
        )
        after = featurizer.transform(pd.concat([lines, again]))
        customer = lines.loc[0, "customer_id"]
        old, new = (scorer.transform(table).loc[customer] for table in (before, after))
        assert (new >= old).all()
        assert new["recency_score"] == 1 + sum(
            after.loc[customer, "recency"] <= cut for cut in scorer.edges_["recency"]
        )

    @few
    @given(
        values=st.lists(st.integers(0, 4), min_size=1, max_size=30),
        n_bins=st.integers(2, 6),
    )
    @example(values=[1] * 80 + [2] * 12 + [3] * 8, n_bins=5)
    def test_the_attainable_scores_are_those_that_some_number_gets(self, values, n_bins):
        customers = pd.DataFrame(dict.fromkeys(ALL[:3], np.array(values, dtype=float)))
        scorer = RFMScorer(n_bins).fit(customers)
        everything = np.arange(-1.0, 6.0, 0.25)
        scores = scorer.transform(pd.DataFrame(dict.fromkeys(ALL[:3], everything)))
        for name, attainable in scorer.attainable_scores_.items():
            assert sorted(set(scores[name])) == list(attainable)
            assert set(attainable) <= set(range(1, n_bins + 1))


# Survey scales

CODES = [1.0, 2.0, 3.0, 4.0, 5.0]


@st.composite
def answers(draw, missing=True, fewest=3, most=5):
    codes = st.sampled_from([*CODES, None] if missing else CODES)
    n_items = draw(st.integers(fewest, most))
    rows = draw(st.lists(st.lists(codes, min_size=n_items, max_size=n_items), min_size=4, max_size=20))
    return pd.DataFrame(rows, columns=list("abcde")[:n_items], dtype="float64")


def covariance(one, other):
    """Over the respondents who answered both, in plain Python; NaN for fewer than two of them."""
    both = [(x, y) for x, y in zip(one, other, strict=True) if not (math.isnan(x) or math.isnan(y))]
    if len(both) < 2:
        return NAN
    mean_x, mean_y = (statistics.fmean(side) for side in zip(*both, strict=True))
    return math.fsum((x - mean_x) * (y - mean_y) for x, y in both) / (len(both) - 1)


def scaled(one, other):
    """The covariance over the standard deviations of all who answered each item."""
    spread = math.sqrt(covariance(one, one) * covariance(other, other))
    return covariance(one, other) / spread if spread > 1e-9 else NAN


def alpha_of(items, measure):
    """k / (k - 1) of the share of the sum's variance that is covariance between items."""
    k = len(items)
    table = [[measure(one, other) for other in items] for one in items]
    whole = sum(map(sum, table))
    if math.isnan(whole) or whole < 1e-9:
        return NAN
    return k / (k - 1) * (1 - sum(table[place][place] for place in range(k)) / whole)


def columns_of(frame):
    return [frame[name].tolist() for name in frame]


@pytest.mark.filterwarnings("ignore:.*alpha is -:custseg.exceptions.DataQualityWarning")
class TestReliability:
    @few
    @given(frame=answers())
    def test_alpha_by_its_definition(self, frame):
        assert cronbach_alpha(frame) == pytest.approx(alpha_of(columns_of(frame), covariance), abs=1e-9, nan_ok=True)
        complete = frame.dropna()
        if len(complete):
            expected = alpha_of(columns_of(complete), covariance)
            assert cronbach_alpha(frame, missing="listwise") == pytest.approx(expected, abs=1e-9, nan_ok=True)

    @few
    @given(frame=answers())
    def test_standardized_alpha_is_that_of_the_scaled_covariances(self, frame):
        expected = alpha_of(columns_of(frame), scaled)
        assert cronbach_alpha(frame, standardized=True) == pytest.approx(expected, abs=1e-9, nan_ok=True)

    @given(values=st.lists(st.tuples(*[st.sampled_from(CODES)] * 2), min_size=3, max_size=40))
    @quiet
    def test_a_sum_that_does_not_vary_has_no_alpha(self, values):
        frame = pd.DataFrame(values, columns=list("ab"))
        mirrored = frame[["a"]].assign(turned=6 - frame["a"])
        assert math.isnan(cronbach_alpha(mirrored))
        assert math.isnan(cronbach_alpha(frame.assign(rest=12 - frame["a"] - frame["b"])))
        report = item_analysis(mirrored.assign(b=frame["b"]))
        assert math.isnan(report.loc["b", "alpha_if_dropped"])
        assert math.isnan(report.loc["b", "item_rest"])
        # centring makes every row sum to 0
        encoder = PsychographicEncoder({"all": ["a", "turned", "b"]}, scale_range=(1, 5), response_style="centre")
        fitted = encoder.fit(mirrored.assign(b=frame["b"], customer_id=range(len(frame))))
        assert math.isnan(fitted.reliability_.loc["all", "alpha"])

    def test_without_the_item_that_nobody_answered_there_is_an_alpha(self):
        frame = pd.DataFrame({"a": [1, 2, 4, 5], "b": [1, 3, 4, 5], "c": [NAN] * 4})
        with pytest.warns(DataQualityWarning, match="nobody answered: 'c'"):
            report = item_analysis(frame)
        assert report.loc["c", "alpha_if_dropped"] == cronbach_alpha(frame[["a", "b"]])
        assert report["alpha_if_dropped"].isna().tolist() == [True, True, False]

    @few
    @quiet
    @given(frame=answers())
    def test_the_table_of_items_with_missing_answers(self, frame):
        report = item_analysis(frame)
        items = dict(zip(frame, columns_of(frame), strict=True))
        for name, item in items.items():
            rest = [other for other_name, other in items.items() if other_name != name]
            variance = covariance(item, item) * sum(covariance(one, other) for one in rest for other in rest)
            with_rest = sum(covariance(item, other) for other in rest)
            expected = with_rest / math.sqrt(variance) if variance > 1e-9 else NAN
            assert report.loc[name, "item_rest"] == pytest.approx(expected, abs=1e-9, nan_ok=True)
            dropped = alpha_of(rest, covariance)
            assert report.loc[name, "alpha_if_dropped"] == pytest.approx(dropped, abs=1e-9, nan_ok=True)
            assert report.loc[name, "n"] == sum(not math.isnan(answer) for answer in item)

    @few
    @given(frame=answers(missing=False))
    def test_omega_is_that_of_the_loadings(self, frame):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            loadings = item_analysis(frame)["loading"].to_numpy()
        common = loadings.sum() ** 2
        expected = common / (common + (1 - loadings**2).sum())
        assert mcdonald_omega(frame) == pytest.approx(expected, abs=1e-9, nan_ok=True)

    @settings(few, max_examples=size(2, 8))
    @given(frame=answers(missing=False), seed=st.integers(0, 99))
    def test_no_other_loadings_fit_the_correlations_better(self, frame, seed):
        correlations = frame.corr().to_numpy()
        assume(np.isfinite(correlations).all())
        off = np.triu_indices(len(correlations), 1)

        def misfit(tried):
            return ((correlations - np.outer(tried, tried))[off] ** 2).sum()

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            found = misfit(item_analysis(frame)["loading"].to_numpy())
        starts = np.random.RandomState(seed).uniform(-1, 1, (8, len(correlations)))
        best = min(minimize(misfit, start, bounds=[(-1, 1)] * len(start)).fun for start in starts)
        assert found <= best + 1e-6

    @few
    @given(frame=answers())
    def test_items_against_the_others_are_named_and_no_others(self, frame):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataQualityWarning)
            report = item_analysis(frame)
        said = [str(each.message) for each in caught if "go against" in str(each.message)]
        against = [name for name in frame if report.loc[name, "item_rest"] < 0]
        assert len(said) == bool(against)
        for name in frame:
            assert any(f"{name!r} ({report.loc[name, 'item_rest']:.2f})" in text for text in said) == (name in against)
        assert all("reverse it" in text for text in said)


class TestScores:
    @few
    @given(frame=answers(), low=st.integers(-3, 3), width=st.integers(4, 9))
    @quiet
    def test_a_reversed_item_is_the_range_turned_round(self, frame, low, width):
        frame = frame + low - 1
        encoder = PsychographicEncoder({name: [f"-{name}"] for name in frame}, scale_range=(low, low + width))
        found = encoder.fit_transform(frame.assign(customer_id=range(len(frame))))
        for name in frame:
            for given_code, score in zip(frame[name].tolist(), found[name].tolist(), strict=True):
                assert score == pytest.approx(low + (low + width) - given_code, nan_ok=True)

    @few
    @quiet
    @given(frame=answers(missing=False, fewest=5))
    def test_centred_answers_sum_to_zero_over_all_items(self, frame):
        scales = {"one": ["a", "-b"], "two": ["c", "d", "-e"]}
        encoder = PsychographicEncoder(scales, scale_range=(1, 5), response_style="centre")
        table = frame.assign(customer_id=range(len(frame)))
        found = encoder.fit_transform(table)
        plain = PsychographicEncoder(
            {"one": ["a"], "two": ["b"], "three": ["c", "d"], "four": ["e"]},
            scale_range=(1, 5),
            response_style="centre",
        ).fit_transform(table)
        total = plain["one"] + plain["two"] + 2 * plain["three"] + plain["four"]
        for row, one, two, whole in zip(frame.to_numpy().tolist(), found["one"], found["two"], total, strict=True):
            a, b, c, d, e = (answer - statistics.fmean(row) for answer in row)
            flat = len(set(row)) == 1
            assert one == pytest.approx(NAN if flat else (a - b) / 2, abs=1e-12, nan_ok=True)
            assert two == pytest.approx(NAN if flat else (c + d - e) / 3, abs=1e-12, nan_ok=True)
            assert whole == pytest.approx(NAN if flat else 0.0, abs=1e-12, nan_ok=True)

    @few
    @quiet
    @given(frame=answers(), least=st.sampled_from([0.5, 0.51]))
    def test_half_of_the_answers_suffice_by_default(self, frame, least):
        names = list(frame)
        table = frame.assign(customer_id=range(len(frame)))
        encoder = PsychographicEncoder({"scale": names}, scale_range=(1, 5))
        assert encoder.min_answered == 0.5
        found = encoder.set_params(min_answered=least).fit_transform(table)["scale"]
        for row, score in zip(frame.to_numpy().tolist(), found, strict=True):
            known = [answer for answer in row if not math.isnan(answer)]
            enough = len(known) / len(names) >= least
            assert score == pytest.approx(statistics.fmean(known) if enough else NAN, nan_ok=True)
        # nobody is dropped, whatever they answered
        assert len(found) == len(frame)
        assert len(careless_responses(frame)) == len(frame)


@pytest.mark.parametrize("missing", ["pairwise", "listwise"])
@pytest.mark.parametrize(("k", "r"), list(itertools.product([2, 3, 12], [0.1, 0.5, 0.9])))
def test_parallel_items_by_construction(k, r, missing):
    # a common part and parts of one's own that are orthogonal in the sample: k parallel items of correlation r
    basis = np.linalg.qr(np.column_stack([np.ones(40), np.random.RandomState(k).standard_normal((40, k + 1))]))[0][
        :, 1:
    ]
    items = math.sqrt(r) * basis[:, :1] + math.sqrt(1 - r) * basis[:, 1:]
    assert cronbach_alpha(items, missing=missing) == pytest.approx(k * r / (1 + (k - 1) * r))
