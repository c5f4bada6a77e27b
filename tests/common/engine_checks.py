"""What is checked of every table estimator on every engine."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg import PurchaseBehaviorFeaturizer, RFMFeaturizer
from custseg.characteristics._profiles.encoder import ProfileEncoder
from custseg.characteristics._records.featurizer import RecordFeaturizer
from tests.characteristics._purchases.test_rfm_timestamps import READABLE, UNREADABLE
from tests.common.cases import CASES, SAMPLE, Case
from tests.engines import ENGINES, comparable, output_kind, plain
from tests.watching import check_rows

ALL = ("recency", "frequency", "monetary", "tenure")
# some thirty customers suffice, and no engine is fast with a table of any size
FEW = SAMPLE.transactions[SAMPLE.transactions["customer_id"] % 3 == 0].reset_index(drop=True)

TIMES = [*READABLE, *UNREADABLE, None]


def _with_returns(lines):
    return lines.assign(amount=lines["amount"].where(lines.index % 11 > 0, -lines["amount"] / 2))


MORE = {
    "RFM by order": Case(
        RFMFeaturizer(order_id="order_id", monetary_as="mean_repeat", period="W", features=ALL), _with_returns(FEW)
    ),
    "behaviour with a customer who only returns": Case(
        PurchaseBehaviorFeaturizer(category="category", n_leading=2),
        _with_returns(FEW).assign(
            amount=lambda lines: -lines["amount"].abs().where(lines["customer_id"] == 3, -lines["amount"])
        ),
    ),
    "RFM without returns": Case(
        RFMFeaturizer(returns="drop", period="h", time_unit="h", as_of="2024-09-01", features=ALL), _with_returns(FEW)
    ),
    "RFM without an amount": Case(
        RFMFeaturizer(amount=None, features=("recency", "frequency")), FEW.drop(columns="amount")
    ),
    "RFM of text": Case(
        RFMFeaturizer(monetary_as="total", period="M", features=ALL),
        FEW.assign(timestamp=FEW["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%S.%f+02:00")),
    ),
    "RFM of readable and unreadable text": Case(
        RFMFeaturizer(period="h", time_unit="h", as_of="2024-03-01", features=ALL),
        pd.DataFrame({"customer_id": range(len(TIMES)), "timestamp": pd.Series(TIMES, dtype="str"), "amount": 1.0}),
    ),
    "RFM in universal time": Case(
        RFMFeaturizer(features=ALL), FEW.assign(timestamp=FEW["timestamp"].dt.tz_localize("UTC"))
    ),
    "RFM before 1970": Case(
        RFMFeaturizer(features=ALL, period="W"), FEW.assign(timestamp=FEW["timestamp"] - pd.Timedelta(days=54.3 * 365))
    ),
}

# A union, a study or a table of scores reads what these have made; RFMScorer reads no table in time.
TABLE_CASES = {
    name: case for name, case in CASES.items() if isinstance(case.estimator, (RecordFeaturizer, ProfileEncoder))
} | MORE


def messy(table, customer_id="customer_id"):
    """Text ids, some of them missing, and a gap in every other column."""
    broken = table.copy()
    if pd.api.types.is_numeric_dtype(broken[customer_id]):
        broken[customer_id] = "K" + broken[customer_id].astype("int64").astype("str")
    for shift, name in enumerate(broken.columns):
        gaps = (broken.index + 7 * shift) % 19 == 3
        if gaps.any():
            is_bool = pd.api.types.is_bool_dtype(broken[name])
            broken[name] = (broken[name].astype("boolean") if is_bool else broken[name]).where(~gaps)
    return broken


@dataclass(frozen=True)
class Outcome:
    """What became of a table: the customers, the counts of the row policies and the description, or the error."""

    frame: Any
    n_rows: tuple[int, ...]
    error: type[Exception] | None = None
    message: str = ""
    description: Any = None


def outcome(estimator, table):
    fitted = clone(estimator)
    with warnings.catch_warnings():
        # what deserves a warning is checked where the estimator is tested
        warnings.simplefilter("ignore")
        try:
            output = fitted.fit_transform(table)
        except ValueError as error:
            return Outcome(None, (), type(error), str(error))
    return Outcome(output, tuple(fitted.row_report_.to_frame()["n_rows"]), description=fitted.describe())


def check_engine(name, engine, seen=None, *, clean=True):
    """An estimator says the same of a table on an engine as on pandas: clean, messy, and without rows.

    Where ``seen`` is kept (see ``tests.watching.watch``), no frame with more rows than customers is
    ever made outside the engine. With ``clean=False`` the clean table is left out.
    """
    case = TABLE_CASES[name]
    table = plain(case.data)
    for variant, expected in expectations(name)[0 if clean else 1 :]:
        native = ENGINES[engine](variant)
        if seen is not None:
            seen.clear()
        found = outcome(case.estimator, native)
        if seen is not None:
            check_rows(seen, table["customer_id"].nunique())
        assert found.error == expected.error, (found.message, expected.message)
        assert found.n_rows == expected.n_rows, (found.n_rows, expected.n_rows)
        if expected.frame is not None:
            assert type(found.frame).__module__.partition(".")[0] == output_kind(engine)
            assert_frame_equal(comparable(found.frame), comparable(expected.frame), rtol=1e-12, atol=1e-12)
            assert_frame_equal(found.description, expected.description)
    check_no_rows(name, engine)


@cache
def expectations(name):
    """The clean and the messy table of a case, each with what pandas makes of it."""
    case = TABLE_CASES[name]
    table = plain(case.data)
    return [(variant, outcome(case.estimator, variant)) for variant in (table, messy(table))]


@cache
def fitted_on_pandas(name):
    case = TABLE_CASES[name]
    return clone(case.estimator).fit(plain(case.data))


def check_no_rows(name, engine):
    table = plain(TABLE_CASES[name].data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = fitted_on_pandas(name)
        found = fitted.transform(ENGINES[engine](table.iloc[:0]))
    assert comparable(found).shape == (0, 1 + len(fitted.get_feature_names_out()))
    assert type(found).__module__.partition(".")[0] == output_kind(engine)
