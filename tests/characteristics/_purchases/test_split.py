"""Purchase lines cut at a time: which line goes where, and what came after, defined as what came before."""

from __future__ import annotations

from datetime import timedelta

import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from custseg.characteristics._purchases.rfm import RFMFeaturizer
from custseg.characteristics._purchases.split import split_transactions
from custseg.exceptions import ColumnNotFoundError, DataQualityWarning, InvalidParameterError, InvalidTableError
from tests import strategies
from tests.characteristics._purchases.rfm_oracle import brute_force
from tests.sizes import size

COLUMNS = ["frequency", "monetary", "holdout_frequency", "holdout_monetary"]


@pytest.fixture
def lines():
    """Twelve lines: customer 1 comes back twice, 2 not, 3 with a return alone, 4 is new, 5 at the border."""
    rows = [
        (1, "2024-01-01 10:00", 10.0, "x"),
        (1, "2024-01-01 18:00", 20.0, "y"),
        (1, "2024-02-01 09:00", 30.0, "x"),
        (1, "2024-04-05 09:00", 5.0, "x"),
        (1, "2024-04-05 19:00", 7.0, "x"),
        (1, "2024-05-06 09:00", -2.0, "x"),
        (1, "2024-05-07 09:00", 8.0, "x"),
        (2, "2024-03-01 09:00", 50.0, "x"),
        (3, "2024-03-02 09:00", 40.0, "x"),
        (3, "2024-04-02 09:00", -40.0, "x"),
        (4, "2024-04-01 00:00", 9.0, "z"),
        (5, "2024-03-31 23:59", 6.0, "z"),
    ]
    table = pd.DataFrame(rows, columns=["customer_id", "timestamp", "amount", "shop"])
    return table.assign(timestamp=pd.to_datetime(table["timestamp"], format="ISO8601"))


WORKED = {
    # three purchases of 60 on two days; then 18 on two days, a day of nothing but a return being none
    1: [2, 30.0, 2, 9.0],
    2: [1, 50.0, 0, np.nan],
    3: [1, 40.0, 0, np.nan],
    5: [1, 6.0, 0, np.nan],
}


def worked():
    frame = pd.DataFrame.from_dict(WORKED, orient="index", columns=COLUMNS).rename_axis("customer_id")
    return frame.astype({"frequency": "int64", "holdout_frequency": "int64"})


def rows(part):
    """The lines of a part, of whatever kind, as a sorted list."""
    if isinstance(part, (duckdb.DuckDBPyRelation, pa.Table, pl.DataFrame)):
        part = part.to_df() if isinstance(part, duckdb.DuckDBPyRelation) else part.to_pandas()
    elif isinstance(part, pl.LazyFrame):
        part = part.collect().to_pandas()
    elif isinstance(part, dd.DataFrame):
        part = part.compute()
    return sorted(zip(part["customer_id"], part["timestamp"].astype("datetime64[us]"), part["shop"], strict=True))


KINDS = {
    "pandas": (lambda table: table, pd.DataFrame),
    "polars": (pl.from_pandas, pl.DataFrame),
    "lazy": (lambda table: pl.from_pandas(table).lazy(), pl.LazyFrame),
    "pyarrow": (lambda table: pl.from_pandas(table).to_arrow(), pa.Table),
    "duckdb": (duckdb.from_df, duckdb.DuckDBPyRelation),
    "dask": (lambda table: dd.from_pandas(table, npartitions=2), dd.DataFrame),
}


@pytest.mark.filterwarnings("ignore:Dask support:FutureWarning")
@pytest.mark.thorough
@pytest.mark.parametrize("kind", size([kind for kind in KINDS if kind != "dask"], list(KINDS)))
def test_twelve_lines_worked_by_hand(lines, kind):
    make, type_ = KINDS[kind]
    split = split_transactions(make(lines), at="2024-03-31")
    assert isinstance(split.calibration, type_)
    assert isinstance(split.holdout, type_)
    late = lines["timestamp"] >= "2024-04-01"
    assert rows(split.calibration) == rows(lines[~late])
    assert rows(split.holdout) == rows(lines[late])
    assert_frame_equal(split.to_frame(), worked())
    assert split.n_new_customers == 1
    assert (split.at, split.end) == (pd.Timestamp("2024-03-31"), pd.Timestamp("2024-05-07 09:00"))
    # and the one return of customer 3, who bought nothing after the cut
    assert split.row_report.to_frame()["n_rows"].tolist() == [0, 6, 6, 1]


def test_pandas_parts_are_rows_of_the_table(lines):
    lines = lines.set_index("shop")
    split = split_transactions(lines, at="2024-03-31")
    assert_frame_equal(split.holdout, lines[lines["timestamp"] >= "2024-04-01"])
    assert list(split.calibration.columns) == ["customer_id", "timestamp", "amount"]


def test_a_time_is_the_last_moment_and_a_date_the_whole_day(lines):
    at_ten = split_transactions(lines, at="2024-01-01 10:00")
    assert len(at_ten.calibration) == 1
    assert len(split_transactions(lines, at="2024-01-01").calibration) == 2
    assert len(split_transactions(lines, at="2024-04-01").holdout) == 5


def test_orders_and_returns(lines):
    orders = lines.assign(order=["a", "b", "c", "d", "d", "r", "e", "f", "g", "s", "h", "i"])
    found = split_transactions(orders, at="2024-03-31", order_id="order").to_frame()
    assert found.loc[1].tolist() == [3.0, 20.0, 2.0, 9.0]
    dropped = split_transactions(lines, at="2024-03-31", returns="drop").to_frame()
    assert dropped.loc[1].tolist() == [2.0, 30.0, 2.0, 10.0]
    with pytest.raises(InvalidTableError, match="negative amount"):
        split_transactions(lines, at="2024-03-31", returns="raise")


@settings(max_examples=size(4, 40))
@given(
    lines=strategies.transactions(min_rows=2, faults=True),
    period=st.sampled_from(["h", "D", "W", "M"]),
    returns=st.sampled_from(["net", "drop"]),
    order_id=st.sampled_from([None, "order_id"]),
    at=st.one_of(strategies.timestamps(), st.integers(0, 89).map(lambda days: strategies.START + timedelta(days=days))),
)
def test_both_sides_follow_the_definition(lines, period, returns, order_id, at):
    latest = lines["timestamp"].max()
    last = (
        at + timedelta(days=1) - timedelta(microseconds=1) if pd.Timestamp(at) == pd.Timestamp(at).normalize() else at
    )
    early, late = lines[lines["timestamp"] <= last], lines[lines["timestamp"] > last]
    assume(len(early) and len(late))
    options = {"period": period, "returns": returns, "order_id": order_id is not None, "monetary_as": "mean"}
    before = brute_force(early, as_of=at, **options)[["frequency", "monetary"]]
    after = brute_force(late, as_of=latest.to_pydatetime(), **options)[["frequency", "monetary"]]
    expected = before.join(after.add_prefix("holdout_"))
    expected["holdout_frequency"] = expected["holdout_frequency"].fillna(0).astype("int64")
    if lines["timestamp"].isna().any():
        with pytest.warns(DataQualityWarning, match="no readable timestamp"):
            split = split_transactions(lines, at=at, period=period, returns=returns, order_id=order_id)
    else:
        split = split_transactions(lines, at=at, period=period, returns=returns, order_id=order_id)
    assert_frame_equal(split.to_frame(), expected, check_exact=True)
    assert split.n_new_customers == len(set(after.index) - set(before.index))
    assert len(split.calibration) + len(split.holdout) + split.row_report.n_left_out == len(lines)


def test_frequencies_of_both_sides_add_up(lines):
    split = split_transactions(lines, at="2024-03-31")
    rfm = RFMFeaturizer(features=("frequency", "monetary"))
    assert_frame_equal(
        split.to_frame()[["frequency", "monetary"]], rfm.set_params(as_of=split.at).fit_transform(split.calibration)
    )
    whole = rfm.set_params(as_of=None).fit_transform(lines)["frequency"]
    both = split.to_frame()[["frequency", "holdout_frequency"]].sum(axis=1)
    assert both.to_dict() == whole.drop(index=4).to_dict()


def test_unreadable_times_are_counted_and_text_is_read(lines):
    text = lines.assign(timestamp=lines["timestamp"].astype("str"))
    assert_frame_equal(split_transactions(text, at="2024-03-31").to_frame(), worked())
    text.loc[3, "timestamp"] = "soon"
    with pytest.warns(
        DataQualityWarning, match=r"11 of 12 rows used; left out: 1 \(no readable timestamp in 'timestamp'"
    ):
        split = split_transactions(text, at="2024-03-31")
    assert split.row_report.n_left_out == 1
    assert split.to_frame().loc[1].tolist() == [2.0, 30.0, 2.0, 6.5]


def test_time_zones(lines):
    zoned = lines.assign(timestamp=lines["timestamp"].dt.tz_localize("Europe/Berlin"))
    split = split_transactions(zoned, at="2024-03-31")
    assert len(split.calibration) == 6
    assert_frame_equal(split.to_frame(), worked())
    with pytest.raises(InvalidParameterError, match="parameter 'at' must be without a time zone"):
        split_transactions(lines, at="2024-03-31T00:00Z")


@pytest.mark.parametrize("at", ["2023-12-31", "2024-05-07"])
def test_a_cut_beside_the_table_is_refused(lines, at):
    with pytest.raises(
        InvalidParameterError, match="'at' must be a time with lines on both sides.*2024-01-01 10:00:00 to"
    ):
        split_transactions(lines, at=at)


def test_bad_input(lines):
    with pytest.raises(ColumnNotFoundError, match="column 'time' not found"):
        split_transactions(lines, at="2024-03-31", timestamp="time")
    with pytest.raises(ColumnNotFoundError, match="column 'time' not found"):
        split_transactions(pl.from_pandas(lines).lazy(), at="2024-03-31", timestamp="time")
    with pytest.raises(ColumnNotFoundError, match="column 'value' not found"):
        split_transactions(lines, at="2024-03-31", amount="value")
    with pytest.raises(InvalidParameterError, match="parameter 'at' must be"):
        split_transactions(lines, at=3)
    with pytest.raises(InvalidParameterError, match="parameter 'period' must be"):
        split_transactions(lines, at="2024-03-31", period="Q")
    with pytest.raises(InvalidTableError, match="0 sample"):
        split_transactions(lines.head(0), at="2024-03-31")
    with pytest.raises(InvalidTableError, match=r"no timestamp of the 12 row\(s\) can be read"):
        split_transactions(lines.assign(timestamp="soon"), at="2024-03-31")
    with pytest.raises(InvalidTableError, match="expects a dataframe"):
        split_transactions([1, 2], at="2024-03-31")
