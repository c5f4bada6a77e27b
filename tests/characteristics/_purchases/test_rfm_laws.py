"""RFM against its definitions row by row, and the laws that hold for any table of purchase lines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from custseg._core import frames
from custseg.characteristics._purchases.rfm import RFMFeaturizer
from custseg.exceptions import InvalidTableError
from tests import strategies
from tests.characteristics._purchases.rfm_oracle import FEATURES, brute_force
from tests.sizes import size

FRAMES = ("pandas", "pandas alone", "polars", "lazy")
few = settings(
    max_examples=size(4, 50),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def as_frame(lines: pd.DataFrame, kind: str, patch: pytest.MonkeyPatch) -> Any:
    """Give the lines as one of the kinds of frame; "pandas alone" is pandas as if polars were not there."""
    patch.setattr(frames, "polars_is_at_hand", lambda: kind != "pandas alone")
    if kind.startswith("pandas"):
        return lines
    frame = pl.from_pandas(lines)
    return frame.lazy() if kind == "lazy" else frame


def to_pandas(table: Any, kind: str) -> pd.DataFrame:
    if kind.startswith("pandas"):
        return table
    assert isinstance(table, pl.DataFrame)
    return table.to_pandas().set_index("customer_id")


def rfm(**parameters: Any) -> RFMFeaturizer:
    return RFMFeaturizer(features=FEATURES, **parameters)


options = st.fixed_dictionaries(
    {
        "period": st.sampled_from(["h", "D", "W", "M"]),
        "time_unit": st.sampled_from(["h", "D", "W", "M", "Y"]),
        "monetary_as": st.sampled_from(["mean", "total", "mean_repeat"]),
        "returns": st.sampled_from(["net", "drop"]),
        "order_id": st.sampled_from([None, "order_id"]),
        "as_of": st.one_of(st.none(), strategies.timestamps(), st.just(strategies.START + timedelta(days=45))),
    }
)


@few
@given(lines=strategies.transactions(faults=True), parameters=options, kind=st.sampled_from(FRAMES))
def test_the_definitions_row_by_row(monkeypatch, lines, parameters, kind):
    expected = brute_force(lines, **{**parameters, "order_id": parameters["order_id"] is not None})
    estimator = rfm(**parameters)
    with monkeypatch.context() as patch:
        frame = as_frame(lines, kind, patch)
        if not len(expected):
            with pytest.raises(InvalidTableError, match="no usable row left"):
                estimator.fit(frame)
            return
        found = to_pandas(estimator.fit_transform(frame), kind)
        report = estimator.row_report_
    # exact: amounts are multiples of a quarter, whose sums are doubles
    assert_frame_equal(found, expected, check_exact=True)
    left_out = report.to_frame().loc[lambda table: table["action"].str.startswith("left out"), "n_rows"].sum()
    assert report.n_used == len(lines) - left_out


@few
@given(
    lines=strategies.transactions(days=2, n_customers=2, faults=True),
    copies=st.lists(st.integers(0, 39), max_size=10),
    order_id=st.sampled_from([None, "order_id"]),
    text_on=st.tuples(st.booleans(), st.sampled_from(FRAMES)),
)
def test_repeated_lines_are_counted(monkeypatch, lines, copies, order_id, text_on):
    text, kind = text_on
    lines = pd.concat([lines, lines.iloc[[row % len(lines) for row in copies]]], ignore_index=True)
    lines["amount"] = lines["amount"] // 50
    if text:
        lines["customer_id"] = lines["customer_id"].astype("str")
    columns = ["customer_id", "timestamp", "amount", *([order_id] if order_id else [])]
    kept = lines[columns].dropna()
    with monkeypatch.context() as patch:
        estimator = rfm(order_id=order_id).fit(as_frame(lines, kind, patch))
    frame = estimator.row_report_.to_frame().set_index("policy")
    assert frame.loc["repeats another line in the columns read", "n_rows"] == kept.duplicated().sum()


@few
@given(
    lines=strategies.transactions(max_rows=30),
    parameters=options,
    cents=st.lists(st.integers(-9999, 99999), min_size=30, max_size=30),
)
def test_frame_kinds_agree_to_the_last_bit(monkeypatch, lines, parameters, cents):
    # cents are no multiples of a power of two: their float sums would depend on the order of addition
    lines = lines.assign(amount=np.array(cents[: len(lines)]) / 100)
    lines.loc[0, "amount"] = 0.1
    lines.loc[0, "timestamp"] = pd.Timestamp(strategies.START)
    results = {}
    for kind in FRAMES:
        with monkeypatch.context() as patch:
            results[kind] = to_pandas(rfm(**parameters).fit_transform(as_frame(lines, kind, patch)), kind)
    for kind in FRAMES[1:]:
        assert_frame_equal(results[kind], results["pandas"], check_exact=True)
    expected = brute_force(lines, **{**parameters, "order_id": parameters["order_id"] is not None})
    assert_frame_equal(results["pandas"], expected, check_exact=True)


@few
@given(lines=strategies.transactions(faults=True), parameters=options, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(lines, parameters, seed):
    assume(len(brute_force(lines, **{**parameters, "order_id": parameters["order_id"] is not None})))
    estimator = rfm(**parameters)
    expected = estimator.fit_transform(lines)
    report = estimator.row_report_
    assert_frame_equal(estimator.fit_transform(lines.sample(frac=1, random_state=seed)), expected, check_exact=True)
    assert estimator.row_report_ == report


@few
@given(lines=strategies.transactions(returns=False), parameters=options, share=st.integers(0, 4))
def test_splitting_a_line_changes_nothing(lines, parameters, share):
    estimator = rfm(**{**parameters, "as_of": None})
    expected = estimator.fit_transform(lines)
    part = lines["amount"] * share / 4
    split = pd.concat([lines.assign(amount=part), lines.assign(amount=lines["amount"] - part)])
    assert_frame_equal(estimator.fit_transform(split), expected, check_exact=True)


@few
@given(lines=strategies.transactions(), parameters=options, factor=st.floats(1e-3, 1e6))
def test_scaling_amounts_scales_monetary(lines, parameters, factor):
    estimator = rfm(**{**parameters, "as_of": None})
    expected = estimator.fit_transform(lines)
    expected["monetary"] *= factor
    found = estimator.fit_transform(lines.assign(amount=lines["amount"] * factor))
    scale = lines["amount"].abs().sum() * factor
    assert_frame_equal(found, expected, rtol=1e-12, atol=1e-15 * scale)


@few
@given(lines=strategies.transactions(), parameters=options, days=st.integers(-200, 200), later=st.integers(0, 50))
def test_moving_all_times_changes_nothing(lines, parameters, days, later):
    # the Gregorian calendar repeats after 400 years, months after nothing less
    shift = pd.Timedelta(days={"W": 7 * days, "M": 146_097 if days > 0 else -146_097}.get(parameters["period"], days))
    as_of = lines["timestamp"].max() + pd.Timedelta(hours=later)
    expected = rfm(**{**parameters, "as_of": as_of}).fit_transform(lines)
    moved = lines.assign(timestamp=lines["timestamp"] + shift)
    found = rfm(**{**parameters, "as_of": as_of + shift}).fit_transform(moved)
    assert_frame_equal(found, expected, check_exact=True)


@few
@given(lines=strategies.transactions(returns=False), parameters=options, minutes=st.integers(0, 10**5))
def test_a_later_purchase_never_makes_recency_larger(lines, parameters, minutes):
    estimator = rfm(**{**parameters, "as_of": lines["timestamp"].max() + pd.Timedelta(minutes=10**5)})
    before = estimator.fit_transform(lines)
    later = lines.iloc[[0]].assign(timestamp=lines.loc[0, "timestamp"] + pd.Timedelta(minutes=minutes))
    after = estimator.fit_transform(pd.concat([lines, later]))
    customer = lines.loc[0, "customer_id"]
    assert after.loc[customer, "recency"] <= before.loc[customer, "recency"]
    assert after.loc[customer, "tenure"] == before.loc[customer, "tenure"]
    assert_frame_equal(after.drop(index=customer), before.drop(index=customer), check_exact=True)


@few
@given(lines=strategies.transactions(returns=False, min_rows=5), parameters=options, data=st.data())
def test_a_subset_of_customers_gives_the_same_rows(lines, parameters, data):
    estimator = rfm(**{**parameters, "as_of": None})
    expected = estimator.fit_transform(lines)
    chosen = data.draw(st.sets(st.sampled_from(sorted(expected.index)), min_size=1))
    found = estimator.transform(lines[lines["customer_id"].isin(chosen)])
    assert_frame_equal(found, expected.loc[sorted(chosen)], check_exact=True)


@few
@given(lines=strategies.transactions(min_rows=2), parameters=options)
def test_recency_lies_between_zero_and_tenure(lines, parameters):
    found = rfm(**{**parameters, "as_of": None}).fit_transform(lines)
    assert (found["recency"] >= 0).all()
    assert (found["recency"] <= found["tenure"]).all()
    assert (found["frequency"] >= 1).all()
