"""The laws that hold for every estimator of characteristics, on a clean table and on one full of gaps."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg import CampaignResponseFeaturizer, DemographicEncoder, PreferenceEncoder, PurchasePathFeaturizer
from custseg._core.characteristic import CRITERIA, ROLES
from custseg._core.described import describe_characteristics
from custseg.exceptions import DataQualityWarning, InvalidParameterError, InvalidTableError
from tests.characteristics._profiles.profile_laws import as_values
from tests.common.cases import CASES, SAMPLE, Case
from tests.common.discovery import estimator_classes
from tests.common.engine_checks import messy
from tests.engines import ENGINES, plain
from tests.sizes import size

pytestmark = pytest.mark.sampled

NAMES = sorted(
    name for name, made in estimator_classes().items() if made.__module__.startswith("custseg.characteristics.")
)
VARIANTS = ("clean", "messy")
ID = "customer_id"
every_estimator = pytest.mark.parametrize("name", NAMES)
every_variant = pytest.mark.parametrize("variant", VARIANTS)
few = settings(
    max_examples=size(1, 4),
    # explaining a failure traces every line, which takes minutes here
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.differing_executors],
)
seeds = st.integers(0, 2**32 - 1)


def each(data, change):
    """Change a table, or every one of a dictionary of tables."""
    if isinstance(data, dict):
        return {name: change(table) for name, table in data.items()}
    return change(data)


def with_gaps(name):
    data = CASES[name].data
    if name == "RFMScorer":
        # one row per customer from another estimator: a row without an id is an error there
        data = data.reset_index()
        return messy(data).dropna(subset=ID)
    return each(data, messy)


@cache
def case(name, variant):
    return CASES[name] if variant == "clean" else replace(CASES[name], data=with_gaps(name))


@cache
def _fitted(name, variant):
    given_case = case(name, variant)
    estimator = clone(given_case.estimator)
    output = quietly(estimator.fit_transform, given_case.data)
    return pickle.dumps(estimator), output


def fitted(name, variant="clean"):
    """A fitted estimator of the test's own, its table, and what it makes of it."""
    stored, output = _fitted(name, variant)
    return pickle.loads(stored), case(name, variant).data, output  # noqa: S301 - our own bytes


def quietly(function, *arguments):
    """Call, where what is warned of is tested elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        return function(*arguments)


def ids_of(table):
    return table[ID] if ID in table else table.index.to_series()


def report_of(estimator):
    report = estimator.row_report_
    return report if isinstance(report, pd.DataFrame) else report.to_frame()


def assert_equal(found, expected):
    """Check that values, ids and the order of both are the same to the last bit; dtypes may follow the gaps."""
    assert found.index.tolist() == expected.index.tolist()
    assert list(found.columns) == list(expected.columns)
    first, second = as_values(found), as_values(expected)
    different = [name for name in second if first[name].tolist() != second[name].tolist()]
    assert not different, assert_frame_equal(first[different], second[different], check_exact=True)


def in_order_of(found, name, expected):
    """The scorer keeps the rows where they are, all others sort them by id."""
    return found.loc[expected.index] if name == "RFMScorer" else found


def test_every_estimator_of_characteristics_is_here():
    assert len(NAMES) >= 11
    assert sorted(UNSEEN) == NAMES


@every_variant
@every_estimator
@few
@given(seed=seeds)
def test_the_order_of_rows_changes_nothing(name, variant, seed):
    estimator, data, expected = fitted(name, variant)
    random = np.random.RandomState(seed)
    shuffled = each(data, lambda table: table.iloc[random.permutation(len(table))])
    assert_equal(in_order_of(quietly(estimator.transform, shuffled), name, expected), expected)
    again = clone(estimator)
    assert_equal(in_order_of(quietly(again.fit_transform, shuffled), name, expected), expected)
    assert_equal(quietly(again.transform, data), expected)
    assert list(again.get_feature_names_out()) == list(estimator.get_feature_names_out())
    if hasattr(estimator, "row_report_"):
        assert_frame_equal(report_of(again), report_of(estimator))


@every_variant
@every_estimator
@few
@given(seed=seeds)
def test_the_order_of_columns_changes_nothing(name, variant, seed):
    estimator, data, expected = fitted(name, variant)
    random = np.random.RandomState(seed)
    turned = each(data, lambda table: table[list(random.permutation(table.columns))])
    assert_equal(quietly(estimator.transform, turned), expected)
    # where an estimator reads every column, fit takes them in their order
    found = quietly(clone(estimator).fit_transform, turned)
    assert sorted(found.columns) == sorted(expected.columns)
    assert_equal(found[list(expected.columns)], expected)


@every_variant
@every_estimator
@few
@given(seed=seeds)
def test_a_subset_of_customers_gives_the_same_rows(name, variant, seed):
    estimator, data, expected = fitted(name, variant)
    random = np.random.RandomState(seed)
    chosen = expected.index[random.rand(len(expected)) < random.rand()]
    chosen = chosen if len(chosen) else expected.index[[random.randint(len(expected))]]
    part = each(data, lambda table: table[ids_of(table).isin(chosen).to_numpy()])
    assert_equal(quietly(estimator.transform, part), expected.loc[chosen])


@pytest.mark.thorough
@every_variant
@every_estimator
def test_every_customer_alone_gives_the_same_row(name, variant):
    estimator, data, expected = fitted(name, variant)
    for customer in expected.index[: size(4, 12)]:
        own = each(data, lambda table, customer=customer: table[(ids_of(table) == customer).to_numpy(dtype=bool)])
        assert_equal(quietly(estimator.transform, own), expected.loc[[customer]])


@every_variant
@every_estimator
def test_transform_twice_is_the_same_and_changes_neither_estimator_nor_table(name, variant):
    estimator, data, expected = fitted(name, variant)
    before, tables = pickle.dumps(estimator), each(data, lambda table: table.copy(deep=True))
    for _ in range(2):
        assert_frame_equal(quietly(estimator.transform, data), expected, check_exact=True)
    assert pickle.dumps(estimator) == before
    quietly(clone(estimator).fit, data)
    pairs = zip(data.values(), tables.values(), strict=True) if isinstance(data, dict) else [(data, tables)]
    for table, copy in pairs:
        assert_frame_equal(table, copy, check_exact=True)


def kinds(frame):
    """What later stages read from a dtype: whole numbers are floats, and bools nullable, where some are missing."""
    return {
        name: (tuple(dtype.categories), dtype.ordered)
        if isinstance(dtype, pd.CategoricalDtype)
        else {"b": "binary", "i": "numeric", "f": "numeric"}[dtype.kind]
        for name, dtype in frame.dtypes.items()
    }


def untyped(table):
    return pd.DataFrame(columns=table.columns, index=table.index[:0], dtype=object)


@every_variant
@every_estimator
@pytest.mark.parametrize("empty", [lambda table: table.iloc[:0], untyped], ids=["typed", "untyped"])
def test_zero_rows_at_transform(name, variant, empty):
    estimator, data, expected = fitted(name, variant)
    before = pickle.dumps(estimator)
    nobody = estimator.transform(each(data, empty))
    assert nobody.shape == (0, expected.shape[1])
    assert kinds(nobody) == kinds(expected)
    assert nobody.index.name == expected.index.name
    assert pickle.dumps(estimator) == before


@every_estimator
def test_zero_rows_of_polars_at_transform(name):
    estimator, data, expected = fitted(name)

    def to_polars(table):
        return pl.from_pandas(table if ID in table else table.reset_index())

    nobody = estimator.transform(each(data, lambda table: to_polars(table).head(0)))
    everybody = quietly(estimator.transform, each(data, to_polars))
    assert nobody.shape == (0, 1 + expected.shape[1])
    assert nobody.columns == everybody.columns
    for column, dtype in nobody.schema.items():
        full = everybody.schema[column]
        assert dtype == full or (dtype.is_numeric() and full.is_numeric()), column


@every_estimator
def test_zero_rows_in_fit_are_refused(name):
    estimator, data, _ = fitted(name)
    with pytest.raises(InvalidTableError, match=r"0 sample\(s\)"):
        clone(estimator).fit(each(data, lambda table: table.iloc[:0]))


# Categories that fit did not see


@dataclass(frozen=True)
class Unseen:
    """An estimator that reads categories, how one customer comes to have a new one, and what is said of it."""

    case: Case
    column: str
    new: Any
    says: str
    error: type[Exception] | None = None
    table: str | None = None
    check: Callable[[pd.DataFrame], bool] = lambda own: True


CHANNELS = SAMPLE.campaign.assign(channel=np.where(SAMPLE.campaign.index % 2, "mail", "phone"))

UNSEEN = {
    "CampaignResponseFeaturizer": Unseen(
        Case(CampaignResponseFeaturizer(channel="channel"), CHANNELS),
        "channel",
        "pigeon",
        r"column 'channel' that fit did not see \('pigeon'\)",
        check=lambda own: own.filter(like="response_rate_channel").isna().all(axis=None),
    ),
    "CharacteristicUnion": Unseen(
        CASES["CharacteristicUnion"],
        "region",
        "Atlantis",
        "'region': 'Atlantis' in 1 row",
        table="profile",
        check=lambda own: own["who__region"].isna().all(),
    ),
    "DemographicEncoder": Unseen(
        CASES["DemographicEncoder"],
        "region",
        "Atlantis",
        "'region': 'Atlantis' in 1 row",
        check=lambda own: own["region"].isna().all(),
    ),
    "GeographicEncoder": Unseen(
        CASES["GeographicEncoder"],
        "country",
        "XX",
        r"1 customer\(s\) are in regions that fit did not see \(column 'country': 'XX'",
        check=lambda own: own["region"].tolist() == ["other"],
    ),
    "MultiSelectEncoder": Unseen(
        CASES["MultiSelectEncoder"], "image", "a;zebra", "'zebra'", check=lambda own: own["n_chosen"].tolist() == [2]
    ),
    "PreferenceEncoder": Unseen(CASES["PreferenceEncoder"], "values", "x > zebra", "'zebra'", InvalidTableError),
    "PsychographicEncoder": Unseen(
        CASES["PsychographicEncoder"], "price_1", 6, r"'price_1' in 1 row\(s\), for example 6", InvalidTableError
    ),
    "PurchaseBehaviorFeaturizer": Unseen(
        CASES["PurchaseBehaviorFeaturizer"],
        "category",
        "zebra",
        r"levels of column 'category' that fit did not see \('zebra'\)",
        check=lambda own: own["share_category_other"].tolist() == [1.0],
    ),
    "PurchasePathFeaturizer": Unseen(
        Case(PurchasePathFeaturizer(channel="channel", n_leading=1), SAMPLE.events),
        "channel",
        "zebra",
        r"levels of column 'channel' that fit did not see \('zebra'\)",
        check=lambda own: own["share_channel_other"].tolist() == [1.0],
    ),
    # these two read no categories: what is new is a column that is not read, and a value beyond those of fit
    "RFMFeaturizer": Unseen(CASES["RFMFeaturizer"], "channel", "zebra", ""),
    "RFMScorer": Unseen(CASES["RFMScorer"], "recency", 1e9, "", check=lambda own: own["recency_score"].tolist() == [1]),
    "SocialMediaFeaturizer": Unseen(
        CASES["SocialMediaFeaturizer"],
        "platform",
        "zebra",
        r"levels of column 'platform' that fit did not see \('zebra'\)",
        check=lambda own: own.filter(like="share_platform_").to_numpy().tolist() == [[0.0, 0.0]],
    ),
}


def told(function, *arguments):
    """What a call answers, and the data warnings that it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataQualityWarning)
        answer = function(*arguments)
    return answer, [str(one.message) for one in caught]


@every_estimator
def test_categories_unseen_in_fit(name):
    unseen = UNSEEN[name]
    data, estimator = unseen.case.data, clone(unseen.case.estimator)
    expected = quietly(estimator.fit_transform, data)
    before = pickle.dumps(estimator)
    changed = dict(data) if isinstance(data, dict) else data
    table = data[unseen.table] if unseen.table else data
    customer = expected.index[1]
    own = (ids_of(table) == customer).to_numpy()
    table = table.astype({unseen.column: object if isinstance(unseen.new, str) else "float64"})
    table.loc[own, unseen.column] = unseen.new
    if unseen.table:
        changed[unseen.table] = table
    else:
        changed = table
    if unseen.error:
        with pytest.raises(unseen.error, match=unseen.says):
            estimator.transform(changed)
    else:
        found, said = told(estimator.transform, changed)
        assert list(found.columns) == list(expected.columns)
        assert_equal(found.drop(index=customer), expected.drop(index=customer))
        assert unseen.check(found.loc[[customer]])
        if unseen.says:
            assert [text for text in said if re.search(unseen.says, text)], said
        else:
            assert not said
    assert pickle.dumps(estimator) == before


# What each estimator says of its columns


COLUMNS = ["column", "member", "criterion", "kind", "role", "unit", "label", "missing_share"]


@every_variant
@every_estimator
def test_every_column_is_described_as_it_comes_out(name, variant):
    estimator, _, output = fitted(name, variant)
    described = estimator.describe()
    assert described.columns.tolist() == COLUMNS
    assert described["column"].tolist() == list(estimator.get_feature_names_out()) == list(output.columns)
    found = {column: kind if isinstance(kind, str) else kind[1] for column, kind in kinds(output).items()}
    said = {"numeric": "numeric", "binary": "binary", "ordinal": True, "nominal": False}
    assert {column: said[kind] for column, kind in zip(described["column"], described["kind"], strict=True)} == found
    np.testing.assert_allclose(described["missing_share"], output.isna().mean())
    if hasattr(estimator, "units_"):
        assert estimator.units_ == dict(zip(described["column"], described["unit"], strict=True))


@every_variant
@every_estimator
def test_words_and_roles(name, variant):
    described = fitted(name, variant)[0].describe()
    assert set(described["role"].dropna()) <= set(ROLES)
    assert set(described["criterion"]) <= set(CRITERIA)
    assert described["label"].is_unique
    assert described["label"].str.strip().str.len().gt(0).all()
    assert described["member"].eq("").all() == (name != "CharacteristicUnion")
    # only purchases have these; the recency of anything else is another role
    if name not in ("RFMFeaturizer", "CharacteristicUnion"):
        assert not set(described["role"]) & {"recency", "frequency", "monetary", "tenure"}


@every_estimator
def test_what_is_said_before_fit_stands_after_it(name):
    estimator = clone(CASES[name].estimator)
    attributes = dict(vars(estimator))
    before = estimator.describe()
    assert vars(estimator) == attributes
    after = fitted(name)[0].describe()
    assert before.columns.tolist() == COLUMNS
    assert before.dtypes.tolist() == after.dtypes.tolist()
    assert before["missing_share"].isna().all()
    shared = after[after["column"].isin(before["column"])].reset_index(drop=True)
    assert shared["column"].tolist() == before["column"].tolist()
    for column in COLUMNS[:-1]:
        known = before[column].notna() & before[column].ne("")
        assert shared.loc[known, column].tolist() == before.loc[known, column].tolist(), column


def test_what_is_known_without_data():
    # these learn their columns from the data
    unknown = {name for name in NAMES if clone(CASES[name].estimator).describe().empty}
    assert unknown == {"DemographicEncoder", "PreferenceEncoder"}
    declared = DemographicEncoder(columns=["born", "size", "zip"], ages={"born": "age"}, kinds={"zip": "nominal"})
    described = declared.set_params(reference_year=2024).describe()
    assert described["column"].tolist() == ["age", "size", "zip"]
    assert described["kind"].tolist() == ["numeric", None, "nominal"]
    assert described["role"].tolist() == ["age", None, None]
    assert described["unit"].tolist() == ["years", "", ""]
    options = PreferenceEncoder(ranking="values", options=["price", "comfort"], leave_out="price").describe()
    assert options["label"].tolist() == ["preference for comfort"]


@every_estimator
def test_pickled_and_cloned_it_says_the_same(name):
    estimator, data, _ = fitted(name)
    assert_frame_equal(pickle.loads(pickle.dumps(estimator)).describe(), estimator.describe())  # noqa: S301 - our own
    assert_frame_equal(quietly(clone(estimator).fit, data).describe(), estimator.describe())
    assert_frame_equal(clone(estimator).describe(), clone(CASES[name].estimator).describe())
    # the caller's copy is the caller's
    copy = estimator.describe()
    copy.loc[:, "label"] = "mine"
    assert "mine" not in set(estimator.describe()["label"])


@pytest.mark.thorough
@every_estimator
@pytest.mark.parametrize("frame", size(["polars lazy", "pyarrow"], ["polars", "polars lazy", "pyarrow"]))
def test_every_kind_of_frame_is_described_alike(name, frame):
    estimator, data, _ = fitted(name)
    tables = each(data, lambda table: ENGINES[frame](plain(table)))
    expected = quietly(clone(estimator).fit, each(data, plain)).describe()
    assert_frame_equal(quietly(clone(estimator).fit, tables).describe(), expected)


@every_estimator
def test_the_user_has_the_last_word(name):
    estimator, data, _ = fitted(name)
    before = estimator.describe()
    first, last = before["column"].iloc[0], before["column"].iloc[-1]
    told = {"labels": {first: "what I call it"}, "units": {last: "furlongs"}, "roles": {last: "satisfaction"}}
    other = clone(estimator).set_params(**told)
    early = other.describe().set_index("column")
    if first in early.index:
        assert early.loc[first, "label"] == "what I call it"
    after = quietly(other.fit, data).describe().set_index("column")
    assert after.loc[first, "label"] == "what I call it"
    assert after.loc[last, ["unit", "role"]].tolist() == ["furlongs", "satisfaction"]
    rest = before.set_index("column")
    pd.testing.assert_series_equal(after["label"].drop(first), rest["label"].drop(first))
    pd.testing.assert_series_equal(after["unit"].drop(last), rest["unit"].drop(last))
    assert_frame_equal(pickle.loads(pickle.dumps(other)).describe(), other.describe())  # noqa: S301 - our own bytes
    if hasattr(other, "units_"):
        assert other.units_[last] == "furlongs"


@every_estimator
@pytest.mark.parametrize("parameter", ["labels", "units", "roles"])
def test_words_on_a_column_that_does_not_come_out_are_refused(name, parameter):
    estimator, data, _ = fitted(name)
    column = estimator.describe()["column"].iloc[-1]
    other = clone(estimator).set_params(**{parameter: {f"{column}x": "satisfaction"}})
    with pytest.raises(InvalidParameterError, match=f"{name}: unknown .* in {parameter} '{column}x'.*mean '{column}'"):
        quietly(other.fit, data)
    with pytest.raises(InvalidParameterError, match=f"'{parameter}' must be"):
        clone(estimator).set_params(**{parameter: {column: 3}}).describe()


@every_estimator
def test_two_columns_cannot_share_a_label_of_the_user(name):
    estimator, data, _ = fitted(name)
    column, other = estimator.describe()["column"].iloc[[0, -1]]
    label = estimator.describe()["label"].iloc[-1]
    alike = clone(estimator).set_params(labels={column: label})
    with pytest.raises(InvalidParameterError, match=f"'labels' calls column '{column}'.*'{other}'"):
        quietly(alike.fit, data)


@every_estimator
def test_other_stages_read_the_same(name):
    estimator, _, _ = fitted(name)
    for one in (estimator, clone(estimator)):
        known = describe_characteristics(one)
        assert [each.column for each in known] == one.describe()["column"].tolist()
        assert [each.role for each in known] == one.describe()["role"].tolist()
        assert [each.label for each in known] == one.describe()["label"].tolist()
