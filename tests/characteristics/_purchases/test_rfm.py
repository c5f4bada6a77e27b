"""RFM as an estimator: row policies, bad input, and scikit-learn's contract."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from custseg._core import frames
from custseg.characteristics._purchases.rfm import RFMFeaturizer
from custseg.characteristics._row_report import RowReport
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    DataQualityWarning,
    DuplicateColumnError,
    InvalidParameterError,
    InvalidTableError,
)

pytestmark = pytest.mark.sampled

stamps = partial(pd.to_datetime, format="ISO8601")
ALL = ("recency", "frequency", "monetary", "tenure")


@pytest.fixture
def lines():
    return pd.DataFrame(
        {
            "customer_id": [7, 7, 7, 3, 3, 5],
            "timestamp": stamps(
                ["2024-01-01", "2024-01-01 20:00", "2024-01-11", "2024-01-02", "2024-01-03", "2024-01-21"]
            ),
            "amount": [10.0, 20.0, 60.0, 5.0, -2.0, 8.0],
            "order_id": ["a", "b", "c", "d", "e", "f"],
            "shop": ["x"] * 6,
        }
    )


@pytest.fixture(params=["pandas", "pandas alone", "polars", "lazy"])
def as_kind(request, monkeypatch):
    """Return a function that makes the kind of frame."""
    if request.param == "pandas alone":
        monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)

    def make(table):
        if request.param.startswith("pandas"):
            return table
        frame = pl.from_pandas(table)
        return frame.lazy() if request.param == "lazy" else frame

    return make


def rows(found):
    frame = found.to_pandas().set_index("customer_id") if isinstance(found, pl.DataFrame) else found
    return frame.to_dict("index")


def touched(report):
    return {policy.policy: policy.n_rows for policy in report.policies if policy.n_rows}


def test_net_returns_by_day(as_kind, lines):
    featurizer = RFMFeaturizer(features=ALL)
    assert rows(featurizer.fit_transform(as_kind(lines))) == {
        3: {"recency": 19.0, "frequency": 1, "monetary": 3.0, "tenure": 19.0},
        5: {"recency": 0.0, "frequency": 1, "monetary": 8.0, "tenure": 0.0},
        7: {"recency": 10.0, "frequency": 2, "monetary": 45.0, "tenure": 20.0},
    }
    assert touched(featurizer.row_report_) == {"return: negative amount in 'amount'": 1}
    assert featurizer.row_report_.n_left_out == 0


def test_orders(as_kind, lines):
    found = rows(RFMFeaturizer(order_id="order_id").fit_transform(as_kind(lines)))
    assert found[7] == {"recency": 10.0, "frequency": 3, "monetary": 30.0}
    assert found[3]["frequency"] == 1
    repeat = rows(RFMFeaturizer(order_id="order_id", monetary_as="mean_repeat").fit_transform(as_kind(lines)))
    assert repeat[7]["monetary"] == 60.0
    assert np.isnan(repeat[5]["monetary"])
    # one return after the first period is spend outside it, and no purchase
    assert np.isnan(repeat[3]["monetary"])


@pytest.mark.parametrize(("returns", "total"), [("net", 3.0), ("drop", 5.0)])
def test_returns(as_kind, lines, returns, total):
    featurizer = RFMFeaturizer(returns=returns, monetary_as="total")
    assert rows(featurizer.fit_transform(as_kind(lines)))[3]["monetary"] == total
    assert featurizer.row_report_.n_left_out == (returns == "drop")


def test_returns_can_be_refused(as_kind, lines):
    with pytest.raises(InvalidTableError, match=r"1 row\(s\) have a negative amount in column 'amount'.*returns='net'"):
        RFMFeaturizer(returns="raise").fit(as_kind(lines))
    RFMFeaturizer(returns="raise").fit(as_kind(lines[lines["amount"] >= 0]))


def test_customers_without_a_purchase_are_left_out_and_counted(as_kind, lines):
    only_returns = lines.assign(amount=np.where(lines["customer_id"] == 7, -1.0, lines["amount"]))
    featurizer = RFMFeaturizer()
    assert list(rows(featurizer.fit_transform(as_kind(only_returns)))) == [3, 5]
    frame = featurizer.row_report_.to_frame()
    row = frame[frame["policy"].str.startswith("customer without a purchase")].iloc[0]
    assert row["n_rows"] == 3
    assert row["action"] == "left out, 1 customer(s)"
    assert touched(featurizer.row_report_)["return: negative amount in 'amount'"] == 1
    with pytest.warns(DataQualityWarning, match="3 of 6 rows used; left out: 3 .customer without a purchase"):
        featurizer.transform(as_kind(only_returns))


@pytest.mark.parametrize("order_id", [None, "order_id"])
def test_without_an_amount_every_line_is_a_purchase(as_kind, lines, order_id):
    settings = {"features": ["recency", "frequency", "tenure"], "order_id": order_id}
    free = as_kind(lines.assign(amount=0.0))
    featurizer = RFMFeaturizer(**settings, amount=None).fit(as_kind(lines.drop(columns="amount")))
    assert rows(featurizer.transform(free)) == rows(RFMFeaturizer(**settings).fit_transform(free))
    assert not [policy for policy in featurizer.row_report_.policies if "amount" in policy.policy]
    with pytest.raises(InvalidParameterError, match="None with features that leave out 'monetary'"):
        RFMFeaturizer(amount=None).fit(lines)


def test_zero_is_a_purchase(as_kind, lines):
    free = lines.assign(amount=0.0)
    assert rows(RFMFeaturizer().fit_transform(as_kind(free)))[7] == {"recency": 10.0, "frequency": 2, "monetary": 0.0}


def test_each_row_counts_under_the_first_policy_that_applies(as_kind):
    missing = [
        # id, time, order, amount: all missing, then one less each time
        (None, None, None, None),
        (1, None, None, None),
        (1, "2024-01-09", None, None),
        (1, "2024-01-09", "o", None),
        (1, "2024-01-09", "o", -1.0),
        (1, "2024-01-02", "o", -1.0),
        (1, "2024-01-01", "o", 4.0),
        (1, "2024-01-01", "o", 4.0),
    ]
    table = pd.DataFrame(missing, columns=["customer_id", "timestamp", "order_id", "amount"])
    table["timestamp"] = stamps(table["timestamp"])
    featurizer = RFMFeaturizer(order_id="order_id", as_of="2024-01-05", monetary_as="total")
    found = rows(featurizer.fit_transform(as_kind(table)))
    assert found == {1: {"recency": 4.0, "frequency": 1, "monetary": 7.0}}
    frame = featurizer.row_report_.to_frame()
    assert frame["n_rows"].tolist() == [1, 1, 1, 1, 1, 0, 1, 1]
    assert frame.columns.tolist() == ["policy", "action", "n_rows", "remedy"]
    assert featurizer.row_report_.n_used == 3
    dropping = RFMFeaturizer(order_id="order_id", as_of="2024-01-05", returns="drop").fit(as_kind(table))
    assert dropping.row_report_.n_used == 2


def test_duplicates_are_kept_and_counted(as_kind, lines):
    twice = pd.concat([lines, lines.iloc[[0, 0]], lines.iloc[[0]].assign(shop="y", order_id="z")])
    featurizer = RFMFeaturizer(monetary_as="total")
    assert rows(featurizer.fit_transform(as_kind(twice)))[7]["monetary"] == 120.0
    # only the columns that were read can tell two lines apart
    assert touched(featurizer.row_report_)["repeats another line in the columns read"] == 3
    by_order = RFMFeaturizer(order_id="order_id").fit(as_kind(twice))
    assert touched(by_order.row_report_)["repeats another line in the columns read"] == 2


def test_rows_beyond_as_of_warn_at_transform(as_kind, lines):
    featurizer = RFMFeaturizer().fit(as_kind(lines))
    later = pd.concat([lines, lines.iloc[[0]].assign(timestamp=pd.Timestamp("2024-02-01"))])
    with pytest.warns(DataQualityWarning, match=r"6 of 7 rows used.*later than as_of=2024-01-21.*transform\(X, as_of="):
        found = rows(featurizer.transform(as_kind(later)))
    assert found == rows(featurizer.transform(as_kind(lines)))
    moved = rows(featurizer.transform(as_kind(later), as_of="2024-02-02"))
    assert moved[7] == {"recency": 1.0, "frequency": 3, "monetary": pytest.approx(100 / 3)}
    assert featurizer.as_of_ == pd.Timestamp("2024-01-21")


def test_transform_and_check_rows_change_nothing(lines):
    featurizer = RFMFeaturizer().fit(lines)
    before = pickle.dumps(featurizer)
    featurizer.transform(lines.iloc[:2])
    report = featurizer.check_rows(lines.assign(amount=np.nan))
    assert isinstance(report, RowReport)
    assert (report.n_rows, report.n_used) == (6, 0)
    assert pickle.dumps(featurizer) == before
    assert RFMFeaturizer(as_of="2024-01-02").check_rows(lines).n_used == 3
    assert featurizer.check_rows(lines, as_of="2024-01-02").n_used == 3
    assert str(report) == "0 of 6 rows used; left out: 6 (no amount in 'amount': Fill it in.)."


def test_the_report_of_fit_and_of_fit_transform_agree(lines):
    dirty = lines.assign(amount=[1, np.nan, 1, -1, 1, 1])
    fitted, transformed = RFMFeaturizer().fit(dirty), RFMFeaturizer()
    found = transformed.fit_transform(dirty)
    assert fitted.row_report_ == transformed.row_report_
    with pytest.warns(DataQualityWarning, match="5 of 6 rows used; left out: 1 .no amount in 'amount'"):
        assert_frame_equal(fitted.transform(dirty), found)


@pytest.mark.parametrize(
    ("column", "values", "policy"),
    [
        ("customer_id", [None] * 6, "no customer id in 'customer_id'"),
        ("timestamp", pd.Series([pd.NaT] * 6), "no readable timestamp in 'timestamp'"),
        ("timestamp", ["soon"] * 6, "no readable timestamp"),
        ("amount", [np.nan] * 6, "no amount in 'amount'"),
        ("amount", [-1.0] * 6, "customer without a purchase"),
    ],
)
def test_nothing_left(as_kind, lines, column, values, policy):
    if column == "customer_id":
        values = pd.Series(values, dtype="float64")
    table = as_kind(lines.assign(**{column: values}))
    with pytest.raises(InvalidTableError, match=f"no usable row left after its row policies.*6 .{policy}"):
        RFMFeaturizer().fit(table)
    with pytest.raises(InvalidTableError, match="no usable row left"):
        RFMFeaturizer().fit(lines).transform(table)


def test_as_of_before_everything_leaves_nothing(lines):
    with pytest.raises(
        InvalidTableError, match=r"6 \(later than as_of=2020-01-01.*Check the columns named, and `as_of`"
    ):
        RFMFeaturizer(as_of="2020-01-01").fit(lines)


@pytest.mark.parametrize("dtype", [None, "float64", "str"])
def test_an_empty_table(as_kind, lines, dtype):
    # a table without rows often has columns without a type worth the name
    empty = as_kind(pd.DataFrame(columns=lines.columns, dtype=dtype) if dtype else lines.iloc[:0])
    with pytest.raises(InvalidTableError, match=r"0 sample\(s\)"):
        RFMFeaturizer().fit(empty)
    fitted = RFMFeaturizer(features=ALL, monetary_as="mean_repeat").fit(as_kind(lines))
    found, full = fitted.transform(empty), fitted.transform(as_kind(lines))
    assert len(found) == 0
    assert list(found.columns) == list(full.columns)
    if isinstance(found, pd.DataFrame):
        assert found.index.name == "customer_id"
        assert found.dtypes.equals(full.dtypes)
    else:
        assert found.dtypes[1:] == full.dtypes[1:]


def test_one_line(as_kind, lines):
    found = rows(RFMFeaturizer(features=ALL).fit_transform(as_kind(lines.iloc[:1])))
    assert found == {7: {"recency": 0.0, "frequency": 1, "monetary": 10.0, "tenure": 0.0}}


def test_infinite_amounts_are_refused(as_kind, lines):
    lines.loc[[0, 1], "amount"] = [np.inf, -np.inf]
    with pytest.raises(ColumnTypeError, match=r"'amount' holds infinite values in 2 row\(s\)"):
        RFMFeaturizer().fit(as_kind(lines))


@pytest.mark.parametrize("values", [["1,50"] * 6, [True] * 6])
def test_amounts_must_be_numbers(as_kind, lines, values):
    with pytest.raises(ColumnTypeError, match=r"'amount' must be numbers, got .*pandas.to_numeric"):
        RFMFeaturizer().fit(as_kind(lines.assign(amount=values)))


def test_ids_of_mixed_type_are_refused(lines):
    with pytest.raises(CustomerIdError, match="'customer_id' are of mixed type"):
        RFMFeaturizer().fit(lines.assign(customer_id=pd.Series([1, "1", 2, 3, 4, 5], dtype=object)))


def test_duplicate_column_names_are_refused(lines):
    with pytest.raises(DuplicateColumnError, match="'amount' more than once"):
        RFMFeaturizer().fit(pd.concat([lines, lines["amount"]], axis=1))


def test_unknown_columns_get_a_suggestion(as_kind, lines):
    with pytest.raises(ColumnNotFoundError, match="'amout' not found.*Did you mean 'amount'"):
        RFMFeaturizer(amount="amout").fit(as_kind(lines))
    fitted = RFMFeaturizer().fit(as_kind(lines))
    with pytest.raises(ColumnNotFoundError, match="'timestamp' not found"):
        fitted.transform(as_kind(lines.drop(columns="timestamp")))


def test_no_dataframe_is_refused():
    with pytest.raises(InvalidTableError, match="expects a dataframe"):
        RFMFeaturizer().fit(np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"period": "Q"}, "'period' must be 'h' or 'D' or 'W' or 'M', got 'Q'"),
        ({"time_unit": "days"}, "'time_unit' must be"),
        ({"monetary_as": "sum"}, "'monetary_as' must be 'mean' or 'total' or 'mean_repeat', got 'sum'"),
        ({"returns": None}, "'returns' must be"),
        ({"features": ()}, "'features' must be"),
        ({"features": "recency"}, "'features' must be"),
        ({"features": ("recency", "recency")}, "'features' must be"),
        ({"features": ["recency", ["x"]]}, "unknown feature"),
        ({"features": ("recancy",)}, "unknown feature 'recancy'.*Did you mean 'recency'"),
        ({"as_of": "soon"}, "'as_of' must be None or a date"),
        ({"as_of": 2024}, "'as_of' must be"),
        ({"as_of": pd.NaT}, "'as_of' must be"),
        ({"amount": None}, "'amount' must be a column name"),
        ({"order_id": 3}, "'order_id' must be None or a column name"),
        ({"amount": "timestamp"}, "'amount' must be another column than 'timestamp' names, got 'timestamp'"),
        ({"order_id": "customer_id"}, "'order_id' must be another column than 'customer_id' names"),
        ({"customer_id": "frequency"}, "'customer_id' must be a column that is not named like a feature"),
    ],
)
def test_parameters_are_checked(lines, parameters, message):
    with pytest.raises(InvalidParameterError, match=message):
        RFMFeaturizer(**parameters).fit(lines)


def test_transform_checks_its_as_of(lines):
    fitted = RFMFeaturizer().fit(lines)
    for as_of in ("soon", 2024):
        with pytest.raises(InvalidParameterError, match="'as_of' must be None or a date"):
            fitted.transform(lines, as_of=as_of)


@pytest.mark.parametrize("backend", ["numpy", "numpy_nullable", "pyarrow"])
@pytest.mark.parametrize("polars_there", [True, False])
@pytest.mark.parametrize("order_id", [None, "order_id"])
def test_pandas_dtypes(monkeypatch, lines, backend, polars_there, order_id):
    monkeypatch.setattr(frames, "polars_is_at_hand", lambda: polars_there)
    featurizer = RFMFeaturizer(features=ALL, order_id=order_id, monetary_as="mean_repeat")
    expected = featurizer.fit_transform(lines)
    missing = lines.reindex([*range(6), 6])
    table = missing if backend == "numpy" else missing.convert_dtypes(dtype_backend=backend)
    found = featurizer.fit_transform(table)
    assert_frame_equal(found, expected, check_exact=True, check_index_type=False)
    assert found.index.dtype.kind == "i"
    assert featurizer.row_report_.n_left_out == 1


@pytest.mark.parametrize("dtype", ["int8", "uint16", "uint64", "int64", "str", "category"])
def test_ids_keep_their_type(as_kind, lines, dtype):
    table = lines.assign(customer_id=lines["customer_id"].astype("str" if dtype == "category" else dtype).astype(dtype))
    found = rows(RFMFeaturizer().fit_transform(as_kind(table)))
    assert list(found) == ([3, 5, 7] if "int" in dtype else ["3", "5", "7"])


@pytest.mark.parametrize("ids", [[-(2**62), 2**62, 5], [-9, -8, 0], [2**63 - 1, -(2**63), 0]])
def test_wide_and_negative_ids(as_kind, lines, ids):
    table = lines.assign(customer_id=np.repeat(np.array(ids, dtype=np.int64), 2))
    found = rows(RFMFeaturizer(monetary_as="total").fit_transform(as_kind(table)))
    assert {key: row["monetary"] for key, row in found.items()} == dict(zip(ids, [30.0, 65.0, 6.0], strict=True))


@pytest.mark.parametrize("scale", [1e-300, 5e-324, 1.0, 1e300])
def test_amounts_of_any_size(as_kind, lines, scale):
    found = rows(
        RFMFeaturizer(monetary_as="total").fit_transform(as_kind(lines.assign(amount=lines["amount"] * scale)))
    )
    assert found[7]["monetary"] == pytest.approx(90.0 * scale, rel=1e-15, abs=0)


def test_small_amounts_beside_large_ones(as_kind, lines):
    amounts = [1e9, 0.1, 1e-3, 0.2, 0.1, 1e9]
    found = rows(RFMFeaturizer(monetary_as="total").fit_transform(as_kind(lines.assign(amount=amounts))))
    assert found[3]["monetary"] == 0.1 + 0.2
    assert found[7]["monetary"] == 1000000000.101


def test_integer_amounts(as_kind, lines):
    table = lines.assign(amount=lines["amount"].astype("int64"))
    assert rows(RFMFeaturizer().fit_transform(as_kind(table)))[7]["monetary"] == 45.0


def test_an_index_that_bears_the_id_is_a_column(lines):
    found = RFMFeaturizer().fit(lines.set_index("customer_id"))
    assert_frame_equal(found.transform(lines.set_index("customer_id")), found.transform(lines))


def test_columns_are_found_by_name(lines):
    fitted = RFMFeaturizer().fit(lines)
    expected = fitted.transform(lines)
    assert_frame_equal(fitted.transform(lines[lines.columns[::-1]].drop(columns="shop")), expected)
    renamed = lines.rename(columns={"customer_id": "status", "timestamp": "customer", "amount": "period"})
    found = RFMFeaturizer(customer_id="status", timestamp="customer", amount="period").fit_transform(renamed)
    assert_frame_equal(found.rename_axis("customer_id"), expected)


def test_the_estimator_contract(lines):
    featurizer = RFMFeaturizer(features=["tenure", "recency"], as_of="2024-02-01")
    with pytest.raises(NotFittedError):
        featurizer.transform(lines)
    with pytest.raises(NotFittedError):
        featurizer.get_feature_names_out()
    fitted = featurizer.fit(lines)
    assert fitted is featurizer
    assert fitted.get_feature_names_out().tolist() == ["tenure", "recency"] == fitted.transform(lines).columns.tolist()
    assert fitted.feature_names_in_.tolist() == lines.columns.tolist()
    assert fitted.n_features_in_ == 5
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "as_of_")
    assert_frame_equal(pickle.loads(pickle.dumps(fitted)).transform(lines), fitted.transform(lines))  # noqa: S301
    assert "RFMFeaturizer" in fitted._repr_html_()


def test_set_output(lines):
    expected = RFMFeaturizer().fit_transform(lines)
    polars = RFMFeaturizer().set_output(transform="polars").fit_transform(lines)
    assert isinstance(polars, pl.DataFrame)
    assert polars.columns == ["customer_id", "recency", "frequency", "monetary"]
    assert_frame_equal(polars.to_pandas().set_index("customer_id"), expected)
    back = clone(RFMFeaturizer().set_output(transform="pandas")).fit_transform(pl.from_pandas(lines))
    assert_frame_equal(back, expected)
    with sklearn.config_context(transform_output="polars"):
        assert isinstance(RFMFeaturizer().fit_transform(lines), pl.DataFrame)


def test_in_a_pipeline(lines):
    pipeline = make_pipeline(RFMFeaturizer(), FunctionTransformer(np.log1p, feature_names_out="one-to-one"))
    found = pipeline.fit_transform(lines)
    assert_frame_equal(found, np.log1p(RFMFeaturizer().fit_transform(lines)))
    assert pipeline.get_feature_names_out().tolist() == ["recency", "frequency", "monetary"]


@pytest.mark.parametrize("amount", [1e308, -1.5e308])
def test_amounts_whose_sum_would_overflow_are_refused(amount):
    table = pd.DataFrame({"customer_id": [1, 2], "timestamp": "2024-01-01", "amount": [amount, 1.0]})
    with pytest.raises(ColumnTypeError, match="amounts with a finite sum, got 1"):
        RFMFeaturizer().fit(table)


def test_column_names_that_the_query_uses_are_refused():
    table = pd.DataFrame({"customer_id": [1], "__year": ["2024-01-01"], "amount": [1.0]})
    with pytest.raises(InvalidParameterError, match="'timestamp' must be a column name that does not begin with '__'"):
        RFMFeaturizer(timestamp="__year").fit(table)


def test_a_number_of_numpy_is_no_time():
    table = pd.DataFrame({"customer_id": [1], "timestamp": "2024-01-01", "amount": [1.0]})
    with pytest.raises(InvalidParameterError, match="'as_of'"):
        RFMFeaturizer(as_of=np.int64(5)).fit(table)


def test_an_amount_beside_which_all_others_vanish_is_refused():
    table = pd.DataFrame({"customer_id": range(5), "timestamp": ["2024-01-01"] * 5, "amount": [10.01, 5, 8, 8, 1e40]})
    with pytest.raises(ColumnTypeError, match=r"'amount' must be amounts of one scale, got 1e\+40 beside 4 amount"):
        RFMFeaturizer().fit(table)
    few = pd.concat([table.assign(amount=[10.01, 5, 8, 8, 1e-40])] * 3)
    assert RFMFeaturizer().fit_transform(few)["monetary"].tolist()[:4] == [30.03, 15, 24, 24]
