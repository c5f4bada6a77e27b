"""The embedding of mixed characteristics: weights, kinds, warnings, names, and scikit-learn's checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from custseg.exceptions import (
    ColumnChangeError,
    ColumnTypeError,
    CustomerIdError,
    DataQualityWarning,
    DuplicateColumnError,
    InvalidParameterError,
    InvalidTableError,
)
from custseg.segmentation import CharacteristicEmbedder
from tests.sizes import size
from tests.strategies import customer_tables

# Constant, sparse and unseen values occur in random tables; the warnings have tests of their own.
quiet = pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")


def customers() -> pd.DataFrame:
    rng = np.random.RandomState(0)
    region = rng.choice(["north", "south", "west"], 60)
    return pd.DataFrame(
        {
            "rfm__spend": np.exp(rng.randn(60)),
            "rfm__visits": rng.poisson(9, 60).astype(float),
            "age": pd.Categorical(rng.choice(["young", "old"], 60), categories=["young", "old"], ordered=True),
            "region": region,
            "member": rng.rand(60) < 0.3,
        },
        index=pd.Index(np.arange(60), name="customer_id"),
    )


@quiet
@parametrize_with_checks([CharacteristicEmbedder()])
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_names_and_columns() -> None:
    embedder = CharacteristicEmbedder(weights={"region": 0.5, "age": 0}).fit(customers())
    names = ["rfm__spend", "rfm__visits", "region_north", "region_south", "region_west", "member"]
    assert embedder.get_feature_names_out().tolist() == names
    assert embedder.transform(customers()).shape == (60, 6)
    assert embedder.transform(customers())[:, 2:5].var(axis=0).sum() == pytest.approx(0.5)
    assert embedder.weights_ == {"rfm__spend": 1, "rfm__visits": 1, "age": 0, "region": 0.5, "member": 1}
    assert embedder.feature_names_in_.tolist() == list(customers().columns)


def test_transforms_list_every_column() -> None:
    frame = CharacteristicEmbedder(weights={"age": 0}).fit(customers()).transforms_.set_index("column")
    assert list(frame.index) == list(customers().columns)
    figures = ["shift", "low", "high", "center", "scale", "missing_share"]
    assert list(frame.columns) == ["kind", "weight", "variance", "transform", *figures]
    # the words are handed on, so they name no customer's value
    assert frame.loc["rfm__spend", "transform"] == "log(x + shift), winsorised, divided by its standard deviation"
    spend = customers()["rfm__spend"]
    limits = np.quantile(spend, [0.01, 0.99], method="inverted_cdf")
    assert frame.loc["rfm__spend", ["low", "high"]].tolist() == pytest.approx(limits.tolist())
    assert frame.loc["age", "transform"].startswith("none")
    assert frame.loc["region", "kind"] == "nominal"


def test_a_groups_weight_is_shared_by_its_columns() -> None:
    embedder = CharacteristicEmbedder(weights={"rfm": 3}).fit(customers())
    assert embedder.weights_["rfm__spend"] == embedder.weights_["rfm__visits"] == 1.5
    assert embedder.transform(customers())[:, :2].var(axis=0).tolist() == pytest.approx([1.5, 1.5])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"regoin": 1}, r"unknown name in weights 'regoin'.*Did you mean 'region'\?"),
        ({"rmf": 1}, r"unknown name in weights 'rmf'.*Did you mean 'rfm'\?"),
        ({"region": -1}, r"weights\['region'\]\" must be a finite number >= 0, got -1"),
        ({"region": np.inf}, r"weights\['region'\]\" must be a finite number >= 0"),
        ({"region": "much"}, r"weights\['region'\]\" must be a finite number >= 0, got 'much'"),
        ({"rfm": 1, "rfm__spend": 2}, "for the group 'rfm' or for its columns, not for both"),
        (dict.fromkeys(["rfm", "age", "region", "member"], 0), "'weights' must be above 0 for at least one column"),
        ("region", "'weights' must be None or a mapping by column name"),
    ],
)
def test_weights_that_make_no_sense(weights: Any, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        CharacteristicEmbedder(weights=weights).fit(customers())


@pytest.mark.parametrize("parameter", [{"heavy_tails": "sqrt"}, {"winsorize": 0.5}, {"customer_id": 3}])
def test_parameters_out_of_range(parameter: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=next(iter(parameter))):
        CharacteristicEmbedder(**parameter).fit(customers())


def test_kinds_override_the_dtype() -> None:
    table = pd.DataFrame({"area": [1, 2, 3, 1, 2, 3], "x": [1.0, 2.0, 3.0, 4.0, 5.0, 7.0]})
    embedder = CharacteristicEmbedder(kinds={"area": "nominal"}).fit(table)
    assert embedder.get_feature_names_out().tolist() == ["area_1", "area_2", "area_3", "x"]
    assert embedder.transform(table).shape == (6, 4)
    with pytest.raises(InvalidParameterError, match=r"'arae'.*Did you mean 'area'"):
        CharacteristicEmbedder(kinds={"arae": "nominal"}).fit(table)


@quiet
@settings(max_examples=size(5, 60))
@given(customer_tables(), st.data())
def test_every_block_has_total_variance_1_or_0_and_answers_have_it_together(
    table: pd.DataFrame, data: st.DataObject
) -> None:
    embedder = CharacteristicEmbedder().fit(table)
    embedded = embedder.transform(table)
    assert np.isfinite(embedded).all()
    assert embedded.shape == (len(table), len(embedder.get_feature_names_out()))
    order = data.draw(st.permutations(range(len(table))))
    again = CharacteristicEmbedder().fit(table.iloc[order])
    # The same to the last bit, however the rows are arranged.
    assert np.array_equal(again.transform(table), embedded)
    start = 0
    of_answers = []
    for block, column in zip(embedder._blocks, table, strict=True):
        width = len(block.suffixes)
        # Missing values are at the mean: the variance is that of those who answered.
        part = embedded[:, start : start + width][table[column].notna()]
        variance = part.var(axis=0).sum() if len(part) else 0.0
        assert variance == pytest.approx(block.variance, abs=1e-9)
        if table[column].isin([0, 1]).eq(table[column].notna()).all():  # True is 1
            of_answers.append(variance)
        else:
            assert variance == pytest.approx(0.0, abs=1e-9) or variance == pytest.approx(1.0)
        start += width
    assert sum(of_answers) == pytest.approx(0.0, abs=1e-9) or sum(of_answers) == pytest.approx(1.0)


@quiet
@settings(max_examples=size(4, 40))
@given(customer_tables(), st.data())
def test_a_weight_of_2_equals_the_row_twice(table: pd.DataFrame, data: st.DataObject) -> None:
    counts = np.array(data.draw(st.lists(st.integers(1, 3), min_size=len(table), max_size=len(table))))
    weighted = CharacteristicEmbedder().fit(table, sample_weight=counts)
    repeated = CharacteristicEmbedder().fit(table.iloc[np.repeat(np.arange(len(table)), counts)])
    assert np.array_equal(weighted.transform(table), repeated.transform(table))


@quiet
@settings(max_examples=size(4, 40))
@given(customer_tables(min_columns=2))
def test_weight_0_equals_dropping_the_column(table: pd.DataFrame) -> None:
    name = str(table.columns[0])
    without = CharacteristicEmbedder().fit(table.drop(columns=name))
    embedder = CharacteristicEmbedder(weights={name: 0}).fit(table)
    assert np.array_equal(embedder.transform(table), without.transform(table.drop(columns=name)))
    assert embedder.get_feature_names_out().tolist() == without.get_feature_names_out().tolist()


@quiet
@settings(max_examples=size(4, 40))
@given(customer_tables(missing=True))
def test_pandas_and_polars_agree(table: pd.DataFrame) -> None:
    frame = pl.from_pandas(table)
    for name in table:
        if isinstance(table[name].dtype, pd.CategoricalDtype) and table[name].cat.ordered:
            frame = frame.with_columns(
                pl.Series(
                    name,
                    table[name].astype(object).where(table[name].notna(), None).to_list(),
                    dtype=pl.Enum(list(table[name].cat.categories)),
                )
            )
    ours = CharacteristicEmbedder().fit(table)
    theirs = CharacteristicEmbedder().fit(frame)
    assert np.array_equal(ours.transform(table), theirs.transform(frame))
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()


def test_inverse_transform_returns_the_customers() -> None:
    table = customers()
    embedder = CharacteristicEmbedder(winsorize=None).fit(table)
    back = embedder.inverse_transform(embedder.transform(table))
    assert list(back.columns) == list(table.columns)
    assert back["rfm__spend"].to_numpy() == pytest.approx(table["rfm__spend"].to_numpy())
    assert back["member"].to_numpy() == pytest.approx(table["member"].to_numpy(dtype=float))
    assert back["region"].tolist() == table["region"].tolist()
    assert back["age"].tolist() == table["age"].tolist()
    with pytest.raises(InvalidParameterError, match="of 7 columns"):
        embedder.inverse_transform([[0.0, 1.0]])


def test_columns_in_another_order_are_put_in_order() -> None:
    embedder = CharacteristicEmbedder().fit(customers())
    assert np.array_equal(
        embedder.transform(customers()[["region", "age", "member", "rfm__visits", "rfm__spend"]]),
        embedder.transform(customers()),
    )


def test_missing_and_added_columns_are_refused_with_the_difference() -> None:
    embedder = CharacteristicEmbedder().fit(customers())
    with pytest.raises(ColumnChangeError, match="now missing:\n- age"):
        embedder.transform(customers().drop(columns="age"))
    with pytest.raises(ColumnChangeError, match="unseen at fit time:\n- new"):
        embedder.transform(customers().assign(new=1))


def test_a_column_of_another_kind_is_refused() -> None:
    embedder = CharacteristicEmbedder().fit(customers())
    with pytest.raises(ColumnChangeError, match="'rfm__spend' was numeric in fit and is nominal now"):
        embedder.transform(customers().assign(rfm__spend="much"))
    all_missing = customers().assign(region=None)
    assert (embedder.transform(all_missing)[:, 3:6] == 0).all()


def test_unseen_categories_count_as_missing_and_are_counted_once() -> None:
    embedder = CharacteristicEmbedder().fit(customers())
    table = customers()
    table.iloc[:2, table.columns.get_loc("region")] = "<script>"
    with pytest.warns(DataQualityWarning, match=r"count as missing: 2 value\(s\) of 'region' \('<script>'\)") as caught:
        embedded = embedder.transform(table)
    assert len(caught) == 1
    assert (embedded[:2, 3:6] == 0).all()


def test_constant_and_empty_columns_are_named_once() -> None:
    table = customers().assign(same=1.0, nothing=np.nan, empty=pd.Series(dtype="str"), one="a")
    with pytest.warns(
        DataQualityWarning, match="'same', 'nothing', 'empty', 'one' hold one value only, or none"
    ) as caught:
        embedder = CharacteristicEmbedder().fit(table)
    assert len(caught) == 1
    assert (embedder.transform(table)[:, -4:] == 0).all()
    back = embedder.inverse_transform(embedder.transform(table))
    assert back["same"].tolist() == [1.0] * 60
    assert back["one"].tolist() == ["a"] * 60
    assert back[["nothing", "empty"]].isna().all(axis=None)
    CharacteristicEmbedder(weights=dict.fromkeys(["same", "nothing", "empty", "one"], 0)).fit(table)


def test_a_column_that_is_mostly_missing_warns_unless_it_has_no_weight() -> None:
    table = customers()
    table.loc[table.index[:31], "rfm__visits"] = np.nan
    with pytest.warns(DataQualityWarning, match=r"'rfm__visits' \(52%\)"):
        CharacteristicEmbedder().fit(table)
    CharacteristicEmbedder(weights={"rfm__visits": 0}).fit(table)


def test_ids_among_the_characteristics() -> None:
    table = customers().assign(code=[f"c{row}" for row in range(60)])
    with pytest.raises(CustomerIdError, match="column 'code' is text and different in every row.*customer_id='code'"):
        CharacteristicEmbedder().fit(table)
    CharacteristicEmbedder(weights={"code": 0}).fit(table)
    CharacteristicEmbedder(customer_id="code").fit(table)
    with pytest.warns(DataQualityWarning, match="'number' holds whole numbers that differ in every row"):
        CharacteristicEmbedder().fit(customers().assign(number=np.arange(60) * 7))
    # Amounts that happen to be whole are no integers, and few customers say nothing.
    CharacteristicEmbedder().fit(customers().assign(number=np.arange(60) * 7.0))
    CharacteristicEmbedder().fit(pd.DataFrame({"visits": range(9), "name": list("abcdefghi")}))


def test_a_level_never_takes_the_name_of_a_characteristic() -> None:
    table = pd.DataFrame({"a": ["x", "y", "x", "y"], "a_x": [1.0, 2.0, 3.0, 4.0]})
    assert CharacteristicEmbedder().fit(table).get_feature_names_out().tolist() == ["a_x_", "a_y", "a_x"]


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (pd.DataFrame({"x": []}), InvalidTableError, r"0 sample\(s\)"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), DuplicateColumnError, "must be unique, got 'x'"),
        (pd.DataFrame({"x": [1.0, np.inf]}), ColumnTypeError, "column 'x' holds infinite values in 1 row"),
        (pd.DataFrame({"x": pd.to_datetime(["2024-01-01", "2024-01-02"])}), ColumnTypeError, "numbers, bools, text"),
        (pd.DataFrame({"customer_id": [1, 2]}), InvalidTableError, r"0 feature\(s\)"),
    ],
)
def test_tables_that_cannot_be_used(table: pd.DataFrame, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        CharacteristicEmbedder().fit(table)


@pytest.mark.parametrize("weights", [[-1.0, 2.0], [0.0, 0.0]])
def test_sample_weights_out_of_range(weights: list[float]) -> None:
    with pytest.raises(InvalidParameterError, match="sample_weight"):
        CharacteristicEmbedder().fit([[1.0], [2.0]], sample_weight=weights)


@pytest.mark.parametrize("weight", [1e308, 1e101, 5e-324])
def test_weights_at_the_ends_of_the_range_of_numbers_are_refused(weight: float) -> None:
    with pytest.raises(InvalidParameterError, match=r"total from 1e-100 to 1e\+100 \(multiply all by one number\)"):
        CharacteristicEmbedder().fit([[1.0], [2.0]], sample_weight=[weight, weight])


def test_bools_that_became_other_numbers_are_refused() -> None:
    embedder = CharacteristicEmbedder().fit(customers().assign(member=[True, False] * 30))
    embedder.transform(customers().assign(member=[1.0, np.nan] * 30))
    with pytest.raises(ColumnTypeError, match=r"column 'member' must be 0 or 1 as in fit, got 7\.5"):
        embedder.transform(customers().assign(member=[1.0, 7.5] * 30))


def test_set_output_and_clone() -> None:
    embedder = CharacteristicEmbedder(weights={"region": 2}).set_output(transform="pandas")
    frame = clone(embedder).fit_transform(customers())
    assert list(frame.columns) == embedder.fit(customers()).get_feature_names_out().tolist()
    assert frame.index.equals(customers().index)
