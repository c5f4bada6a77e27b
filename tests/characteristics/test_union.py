import pickle
from typing import ClassVar

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline

from custseg.characteristics import (
    CampaignResponseFeaturizer,
    CharacteristicUnion,
    DemographicEncoder,
    MatchReport,
    RFMFeaturizer,
    RowReport,
)
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)
from tests.sizes import size
from tests.strategies import transactions

pytestmark = pytest.mark.sampled

LINES = pd.DataFrame(
    {
        "customer_id": [2, 1, 1, 3],
        "timestamp": pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-09", "2024-01-05"]),
        "amount": [5.0, 10.0, 20.0, 8.0],
    }
)
PROFILE = pd.DataFrame(
    {
        "customer_id": [9, 3, 1],
        "age": ["65+", "18-34", "35-64"],
        "city": ["north", "south", "north"],
        "rooms": [4, 2, 3],
        "member": [True, False, True],
    }
)
TABLES = {"transactions": LINES, "profile": PROFILE}
AGES = ["18-34", "35-64", "65+"]


def union(**parameters):
    members = [("behaviour", RFMFeaturizer(), "transactions"), ("who", DemographicEncoder(), "profile")]
    return CharacteristicUnion(members, **parameters)


def in_polars(tables, *, lazy=False):
    frames = {name: pl.from_pandas(table) for name, table in tables.items()}
    return {name: frame.lazy() for name, frame in frames.items()} if lazy else frames


class Constant(BaseEstimator):
    """A member from elsewhere: it answers whatever it was given."""

    def __init__(self, output=None):
        self.output = output

    def fit(self, X):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X if self.output is None else self.output


class TestJoin:
    def test_the_customers_are_those_of_the_first_member(self):
        output = union().fit_transform(TABLES)
        assert output.index.tolist() == [1, 2, 3]
        assert output.index.name == "customer_id"
        assert output.columns.tolist() == [
            "behaviour__recency",
            "behaviour__frequency",
            "behaviour__monetary",
            "who__age",
            "who__city",
            "who__rooms",
            "who__member",
        ]
        assert output["behaviour__frequency"].tolist() == [2, 1, 1]
        assert output["who__age"].astype(object).where(output["who__age"].notna(), None).tolist() == [
            "35-64",
            None,
            "18-34",
        ]
        np.testing.assert_array_equal(output["who__rooms"], [3, np.nan, 2])

    def test_ids_that_no_signed_integer_holds_are_refused(self):
        ids = pl.Series("customer_id", [2**64 - 1, 1], dtype=pl.UInt64)
        with pytest.raises(CustomerIdError, match="beyond 2"):
            CharacteristicUnion([("x", Constant(), "t")]).fit({"t": pl.DataFrame({"customer_id": ids, "a": [1, 2]})})

    def test_customers_without_a_match_are_counted_both_ways(self):
        report = union().fit(TABLES).match_report_.to_frame().set_index("member")
        assert report["table"].tolist() == ["transactions", "profile"]
        assert report.loc["behaviour", "n_customers":].tolist() == [3, 3, 0, 0]
        # customers 1 and 3 are in both tables, 2 has no profile, 9 no transaction
        assert report.loc["who", "n_customers":].to_dict() == {
            "n_customers": 3,
            "n_matched": 2,
            "n_without": 1,
            "n_unmatched": 1,
        }

    def test_dtypes_survive(self):
        output = union().fit_transform(TABLES)
        assert output["who__age"].cat.ordered
        assert output["who__age"].cat.categories.tolist() == AGES
        assert not output["who__city"].cat.ordered
        assert output["behaviour__frequency"].dtype == "int64"
        assert output["who__member"].dtype == "boolean"
        assert output["who__member"].isna().tolist() == [False, True, False]
        full = union().fit_transform({"transactions": LINES[LINES["customer_id"] != 2], "profile": PROFILE})
        assert full["who__rooms"].dtype == "int64"
        assert full["who__member"].dtype == bool

    def test_dtypes_survive_in_polars(self):
        output = union().fit_transform(in_polars(TABLES))
        assert output.schema["who__age"] == pl.Enum(AGES)
        assert output.schema["who__city"] == pl.Categorical
        assert output.schema["who__rooms"] == pl.Int64
        assert output.schema["who__member"] == pl.Boolean
        assert output.columns[0] == "customer_id"
        assert output["who__rooms"].to_list() == [3, None, 2]

    def test_tables_of_different_kinds_come_out_as_the_first(self):
        pandas = union().fit_transform(TABLES)
        polars = union().fit_transform(in_polars(TABLES))
        assert_frame_equal(union().fit_transform({**TABLES, "profile": pl.from_pandas(PROFILE).lazy()}), pandas)
        assert union().fit_transform({**in_polars(TABLES, lazy=True), "profile": PROFILE}).equals(polars)

    @pytest.mark.parametrize("first", ["transactions", "profile", "contacts"])
    def test_members_may_read_from_different_engines(self, first, tmp_path):
        contacts = LINES.rename(columns={"amount": "responded"}).assign(responded=[1, 0, 1, 0])
        tables = {**TABLES, "contacts": contacts}
        members = {
            "transactions": ("behaviour", RFMFeaturizer(), "transactions"),
            "profile": ("who", DemographicEncoder(), "profile"),
            "contacts": ("campaigns", CampaignResponseFeaturizer(), "contacts"),
        }
        joined = CharacteristicUnion([members.pop(first), *members.values()])
        expected = joined.fit(tables)
        mixed = {
            "transactions": duckdb.from_df(LINES),
            "profile": PROFILE,
            "contacts": pl.from_pandas(contacts).lazy(),
        }
        output = clone(joined).fit_transform(mixed)
        kind = {"transactions": pa.Table, "profile": pd.DataFrame, "contacts": pl.DataFrame}[first]
        assert isinstance(output, kind)
        fitted = clone(joined).set_output(transform="pandas").fit(mixed)
        assert_frame_equal(fitted.describe(), expected.describe())
        # levels without an order may be listed in another one
        assert_frame_equal(fitted.transform(mixed), expected.transform(tables), check_categorical=False)
        LINES.to_csv(tmp_path / "lines.csv", index=False)
        stored = {**mixed, "transactions": tmp_path / "lines.csv"}
        assert_frame_equal(fitted.transform(stored), expected.transform(tables), check_categorical=False)

    def test_arrow_tables(self):
        members = [("home", DemographicEncoder(columns=["rooms"]), "homes"), ("who", DemographicEncoder(), "profile")]
        homes = pd.DataFrame({"customer_id": [1, 2, 3], "rooms": [1, 2, 3]})
        tables = {"homes": homes, "profile": PROFILE}
        arrow = {name: table.to_arrow() for name, table in in_polars(tables).items()}
        expected = CharacteristicUnion(members).fit(tables)
        output = CharacteristicUnion(members).fit_transform({**tables, "profile": arrow["profile"]})
        assert_frame_equal(output, expected.transform(tables), check_categorical=False)
        assert output["who__age"].cat.categories.tolist() == AGES
        joined = CharacteristicUnion(members).fit(arrow)
        assert joined.transform(arrow).schema.field("who__age").type.ordered
        assert_frame_equal(joined.describe(), expected.describe())

    def test_set_output(self):
        polars = union().fit_transform(in_polars(TABLES))
        assert union().set_output(transform="polars").fit_transform(TABLES).equals(polars)
        assert clone(union().set_output(transform="polars")).fit(TABLES).transform(TABLES).equals(polars)
        pandas = union().set_output(transform="pandas").fit_transform(in_polars(TABLES))
        assert_frame_equal(pandas, union().fit_transform(TABLES))

    def test_whole_ids_that_became_floats_meet_whole_ids(self):
        floats = {**TABLES, "profile": PROFILE.astype({"customer_id": "float64"})}
        assert_frame_equal(union().fit_transform(floats), union().fit_transform(TABLES))
        small = {**in_polars(TABLES), "profile": pl.from_pandas(PROFILE).cast({"customer_id": pl.Int16})}
        assert union().fit_transform(small).equals(union().fit_transform(in_polars(TABLES)))

    @pytest.mark.parametrize("prepare", [dict, in_polars])
    def test_text_ids(self, prepare):
        named = {
            name: table.assign(customer_id="c" + table["customer_id"].astype(str)) for name, table in TABLES.items()
        }
        output = union().set_output(transform="pandas").fit_transform(prepare(named))
        assert output.index.tolist() == ["c1", "c2", "c3"]
        assert output["who__city"].notna().tolist() == [True, False, True]

    @pytest.mark.parametrize("prepare", [dict, in_polars])
    def test_numbers_in_one_table_and_text_in_the_other_are_refused(self, prepare):
        mixed = prepare({**TABLES, "profile": PROFILE.astype({"customer_id": "str"})})
        with pytest.raises(
            CustomerIdError, match="whole numbers in table 'transactions' and text in table 'profile'.*astype"
        ):
            union().fit(mixed)

    def test_tables_that_share_no_customer(self):
        members = [("home", DemographicEncoder(columns=["rooms"]), "homes"), ("who", DemographicEncoder(), "profile")]
        apart = {"homes": PROFILE.assign(customer_id=[100, 101, 102]), "profile": PROFILE}
        joined = CharacteristicUnion(members)
        with pytest.warns(DataQualityWarning, match="no customer of table 'profile' .* is in table 'homes'"):
            output = joined.fit_transform(apart)
        assert output["who__age"].isna().all()
        assert output["who__age"].cat.categories.tolist() == AGES
        assert joined.match_report_.members[1].n_unmatched == 3
        with pytest.warns(DataQualityWarning, match="Compare the ids of the two tables"):
            joined.transform(apart)

    def test_members_may_name_their_ids_differently_and_share_a_table(self):
        members = [
            ("who", DemographicEncoder(customer_id="person", columns=["age"]), "profile"),
            ("home", DemographicEncoder(customer_id="person", columns=["rooms"]), "profile"),
            ("behaviour", RFMFeaturizer(), "transactions"),
        ]
        tables = {**TABLES, "profile": PROFILE.rename(columns={"customer_id": "person"})}
        for prepare in (dict, in_polars):
            joined = CharacteristicUnion(members, customer_id="client").set_output(transform="pandas")
            output = joined.fit_transform(prepare(tables))
            assert output.index.name == "client"
            assert output.index.tolist() == [1, 3, 9]
            assert output.columns.tolist()[:2] == ["who__age", "home__rooms"]

    def test_a_customer_table_from_elsewhere(self):
        scores = pd.DataFrame(
            {"score": [0.5, 0.7], "level": pd.Categorical([2, 1], [2, 1], ordered=True)}, index=[3, 1]
        )
        members = [("behaviour", RFMFeaturizer(), "transactions"), ("other", Constant(scores), "profile")]
        output = CharacteristicUnion(members).fit_transform(TABLES)
        np.testing.assert_array_equal(output["other__score"], [0.7, np.nan, 0.5])
        assert output["other__level"].cat.ordered
        # in polars the categories are text, in the same order
        polars = CharacteristicUnion(members).fit_transform(in_polars(TABLES))
        assert polars.schema["other__level"] == pl.Enum(["2", "1"])
        assert polars["other__level"].to_list() == ["1", None, "2"]

    def test_a_pipeline_may_be_a_member(self):
        members = [("behaviour", make_pipeline(RFMFeaturizer()), "transactions")]
        assert CharacteristicUnion(members).fit_transform(TABLES).shape == (3, 3)


class TestReports:
    def test_description(self):
        description = union().fit(TABLES).describe()
        assert description.columns.tolist() == [
            "column", "member", "criterion", "kind", "role", "unit", "label", "missing_share",
        ]  # fmt: skip
        assert description["criterion"].tolist() == ["behavioural"] * 3 + ["demographic"] * 4
        assert description["unit"].tolist() == ["days", "purchases", "currency per purchase", "", "", "", ""]
        assert description["kind"].tolist() == ["numeric"] * 3 + ["ordinal", "nominal", "numeric", "binary"]
        assert description["role"].tolist() == ["recency", "frequency", "monetary", "age", None, None, None]
        assert description["member"].tolist() == ["behaviour"] * 3 + ["who"] * 4
        np.testing.assert_allclose(description["missing_share"], [0, 0, 0, 1 / 3, 1 / 3, 1 / 3, 1 / 3])
        assert_frame_equal(union().fit(in_polars(TABLES)).describe(), description)

    def test_members_of_other_libraries_have_no_criterion_and_no_unit(self):
        scores = pd.DataFrame({"score": [0.5]}, index=[1])
        other = Constant(scores)
        # what these words mean elsewhere: a split criterion, physical units
        other.criterion, other.units_ = "gini", ["mm"]
        members = [("behaviour", RFMFeaturizer(time_unit="W"), "transactions"), ("other", other, "profile")]
        description = CharacteristicUnion(members).fit(TABLES).describe().set_index("column")
        assert description.loc["behaviour__recency", ["criterion", "unit"]].tolist() == ["behavioural", "weeks"]
        assert description.loc["other__score", ["criterion", "unit", "kind"]].tolist() == ["", "", "numeric"]

    def test_a_pipeline_is_known_by_its_last_step(self):
        piped = CharacteristicUnion([("b", make_pipeline(RFMFeaturizer()), "transactions")])
        assert piped.describe()["role"].tolist() == ["recency", "frequency", "monetary"]
        description = piped.fit(TABLES).describe()
        assert description["unit"].tolist() == ["days", "purchases", "currency per purchase"]
        assert description["role"].tolist() == ["recency", "frequency", "monetary"]

    def test_members_may_say_what_they_are_about(self):
        class Mood(Constant):
            criterion = "psychographic"
            units_: ClassVar = {"score": "points 1 to 6", "gone": "days"}

        scores = pd.DataFrame({"score": [0.5]}, index=[1])
        description = CharacteristicUnion([("mood", Mood(scores), "profile")]).fit(TABLES).describe()
        assert description.iloc[0].tolist() == [
            "mood__score", "mood", "psychographic", "numeric", None, "points 1 to 6", "score", 0.0,
        ]  # fmt: skip

    def test_the_row_reports_of_all_members_in_one_table(self):
        lines = LINES.astype({"customer_id": "float64"})
        lines.loc[0, "customer_id"] = np.nan
        profile = PROFILE.assign(city=["north", "unknown", "n/a"])
        report = union().fit({"transactions": lines, "profile": profile}).row_report_.to_frame()
        assert report.columns.tolist() == ["table", "member", "policy", "action", "n_rows", "remedy"]
        touched = report[report["n_rows"] > 0]
        assert touched["table"].tolist() == ["transactions", "profile"]
        assert touched["member"].tolist() == ["behaviour", "who"]
        assert touched["n_rows"].tolist() == [1, 2]

    def test_the_report_of_several_tables_counts_and_says_where(self):
        lines = LINES.astype({"customer_id": "float64"})
        lines.loc[0, "customer_id"] = np.nan
        report = union().fit({"transactions": lines, "profile": PROFILE}).row_report_
        assert isinstance(report, RowReport)
        assert (report.n_rows, report.n_left_out) == (len(LINES) + len(PROFILE), 1)
        assert "left out: 1 (transactions: no customer id in 'customer_id': " in str(report)

    def test_no_reports_make_an_empty_table(self):
        scores = pd.DataFrame({"score": [0.5]}, index=[1])
        report = CharacteristicUnion([("other", Constant(scores), "profile")]).fit(TABLES).row_report_
        assert report == RowReport(n_rows=0, policies=())
        assert report.to_frame().empty
        assert MatchReport(members=()).to_frame().shape == (0, 6)


class TestParameters:
    def test_members_can_be_reached_by_name(self):
        joined = union()
        joined.set_params(behaviour__period="W", who__missing_values=())
        assert joined.get_params()["behaviour__period"] == "W"
        assert joined.members[0][1].period == "W"
        other = DemographicEncoder(columns=["age"])
        joined.set_params(who=other, customer_id="client")
        assert joined.members[1] == ("who", other, "profile")
        assert set(joined.get_params(deep=False)) == {"members", "customer_id", "labels", "units", "roles"}
        assert joined.set_params(members=union().members[:1]).fit(TABLES).get_feature_names_out().size == 3
        with pytest.raises(ValueError, match="Invalid parameter 'price'"):
            joined.set_params(price=3)

    def test_the_members_passed_in_stay_unfitted(self):
        joined = union().fit(TABLES)
        assert not hasattr(joined.members[0][1], "as_of_")
        assert joined.named_members_["behaviour"].as_of_ == pd.Timestamp("2024-01-09")
        assert [(name, table) for name, _, table in joined.members_] == [
            ("behaviour", "transactions"),
            ("who", "profile"),
        ]

    def test_clone_pickle_and_html(self):
        joined = union().fit(TABLES)
        restored = pickle.loads(pickle.dumps(joined))  # noqa: S301 - our own bytes
        assert_frame_equal(restored.transform(TABLES), joined.transform(TABLES))
        assert not hasattr(clone(joined), "members_")
        for estimator in (joined, union()):
            html = estimator._repr_html_()
            assert "behaviour" in html
            assert "DemographicEncoder" in html

    def test_names_out(self):
        joined = union().fit(TABLES)
        assert joined.get_feature_names_out().tolist() == joined.transform(TABLES).columns.tolist()
        assert joined.get_feature_names_out().tolist() == joined.describe()["column"].tolist()

    @pytest.mark.parametrize(
        "members", [[], None, "members", [("a", RFMFeaturizer())], [(1, RFMFeaturizer(), "t")], [3]]
    )
    def test_members_that_are_no_members(self, members):
        with pytest.raises(InvalidParameterError, match="'members' must be a non-empty list of"):
            CharacteristicUnion(members).fit(TABLES)
        assert CharacteristicUnion(members).get_params()["members"] is members

    @pytest.mark.parametrize("names", [("a", "a"), ("a__b",), ("members",), ("customer_id",), ("",)])
    def test_invalid_names_are_refused(self, names):
        members = [(name, RFMFeaturizer(), "transactions") for name in names]
        with pytest.raises(InvalidParameterError, match=f"names are different.*got '{names[0]}'"):
            CharacteristicUnion(members).fit(TABLES)

    @pytest.mark.parametrize("estimator", [RFMFeaturizer, "passthrough", None, object()])
    def test_a_member_that_cannot_be_fitted(self, estimator):
        with pytest.raises(InvalidParameterError, match="'a' must be an estimator with fit and transform"):
            CharacteristicUnion([("a", estimator, "transactions")]).fit(TABLES)


class TestBadInput:
    def test_a_table_that_was_not_passed(self):
        with pytest.raises(
            InvalidTableError,
            match="'behaviour' reads table 'transactions', .*'transaction'.*Did you mean 'transaction'",
        ):
            union().fit({"transaction": LINES, "profile": PROFILE})
        fitted = union().fit(TABLES)
        with pytest.raises(InvalidTableError, match="'who' reads table 'profile', which was not passed"):
            fitted.transform({"transactions": LINES})

    @pytest.mark.parametrize("tables", [LINES, [LINES, PROFILE], None])
    def test_no_mapping_of_tables(self, tables):
        with pytest.raises(InvalidTableError, match="expects a dictionary of tables by name"):
            union().fit(tables)

    def test_an_error_says_in_which_member_it_happened(self):
        with pytest.raises(ColumnNotFoundError, match="'amount' not found") as caught:
            union().fit({**TABLES, "transactions": LINES.drop(columns="amount")})
        assert caught.value.__notes__ == ["in member 'behaviour', which reads table 'transactions'"]

    def test_an_empty_table(self):
        with pytest.raises(InvalidTableError, match=r"DemographicEncoder got a table with 0 sample\(s\)"):
            union().fit({**TABLES, "profile": PROFILE.head(0)})

    def test_a_member_that_returns_an_id_twice(self):
        scores = pd.DataFrame({"score": [0.5, 0.7]}, index=[1, 1])
        with pytest.raises(CustomerIdError, match="member 'other'.*for example 1"):
            CharacteristicUnion([("other", Constant(scores), "profile")]).fit(TABLES)

    def test_a_member_that_returns_no_customers(self):
        with pytest.raises(InvalidTableError, match="'other' returned ndarray, not a dataframe"):
            CharacteristicUnion([("other", Constant(np.ones((3, 2))), "profile")]).fit(TABLES)
        nameless = pl.DataFrame({"score": [0.5]})
        with pytest.raises(InvalidTableError, match="'other' returned a dataframe without the customer ids"):
            CharacteristicUnion([("other", Constant(nameless), "profile")]).fit(TABLES)
        with pytest.raises(CustomerIdError, match="cannot identify customers"):
            CharacteristicUnion([("other", Constant(pd.DataFrame({"s": [1]}, index=[0.5])), "profile")]).fit(TABLES)

    def test_a_member_that_returns_timestamps(self):
        times = pd.DataFrame({"first": pd.to_datetime(["2024-01-01"])}, index=[1])
        with pytest.raises(ColumnTypeError, match="'other__first' must be numbers"):
            CharacteristicUnion([("other", Constant(times), "profile")]).fit(TABLES)


class TestTransform:
    def test_new_customers(self):
        fitted = union().fit(TABLES)
        lines = LINES.assign(customer_id=[20, 21, 21, 9])
        output = fitted.transform({"transactions": lines, "profile": PROFILE})
        assert output.index.tolist() == [9, 20, 21]
        assert output["who__age"].isna().tolist() == [False, True, True]
        assert fitted.match_report_.members[1].n_matched == 2

    @pytest.mark.parametrize("prepare", [dict, in_polars])
    @pytest.mark.parametrize("empty", ["transactions", "profile"])
    def test_a_table_without_rows(self, prepare, empty):
        fitted = union().fit(prepare(TABLES))
        tables = prepare({**TABLES, empty: TABLES[empty].head(0)})
        output = fitted.set_output(transform="pandas").transform(tables)
        assert output.columns.tolist() == fitted.get_feature_names_out().tolist()
        assert len(output) == (0 if empty == "transactions" else 3)
        assert output["who__age"].isna().all()
        assert output["who__age"].cat.categories.tolist() == AGES

    def test_a_table_of_objects_without_rows_meets_text_ids(self):
        named = {
            name: table.assign(customer_id="c" + table["customer_id"].astype(str)) for name, table in TABLES.items()
        }
        fitted = union().fit(named)
        bare = pd.DataFrame(columns=PROFILE.columns)
        assert fitted.transform({**named, "profile": bare})["who__age"].isna().all()
        assert len(fitted.transform({**named, "transactions": pd.DataFrame(columns=LINES.columns)})) == 0

    def test_the_time_is_passed_to_the_members_that_take_it(self):
        fitted = union().fit(TABLES)
        later = fitted.transform(TABLES, as_of="2024-01-19")
        recency = fitted.transform(TABLES)["behaviour__recency"]
        assert (later["behaviour__recency"] - recency).tolist() == [10, 10, 10]
        people = CharacteristicUnion([("who", DemographicEncoder(), "profile")]).fit(TABLES)
        with pytest.raises(InvalidParameterError, match="as_of='2024-01-19' was passed, but no member"):
            people.transform(TABLES, as_of="2024-01-19")


@st.composite
def tables(draw):
    lines = draw(transactions(n_customers=6, returns=False))
    ids = draw(st.lists(st.integers(1, 9), min_size=1, unique=True))
    ages = draw(st.lists(st.sampled_from([*AGES, None]), min_size=len(ids), max_size=len(ids)))
    profile = pd.DataFrame({"customer_id": ids, "age": pd.Series(ages, dtype="str"), "n": range(len(ids))})
    return {"transactions": lines, "profile": profile}


ORDERED = CharacteristicUnion(
    [
        ("behaviour", RFMFeaturizer(as_of="2024-06-01"), "transactions"),
        ("who", DemographicEncoder(level_orders={"age": AGES}), "profile"),
    ]
).fit({"transactions": LINES, "profile": PROFILE[["customer_id", "age"]].assign(n=1)})


@pytest.mark.filterwarnings("ignore:.*no customer of table:custseg.exceptions.DataQualityWarning")
class TestLaws:
    @given(tables())
    @settings(max_examples=size(3, 30))
    def test_the_join_is_that_of_the_definition(self, given_tables):
        output = ORDERED.transform(given_tables)
        ids = sorted(set(given_tables["transactions"]["customer_id"]))
        assert output.index.tolist() == ids
        profile = given_tables["profile"].set_index("customer_id")
        for customer in ids:
            known = customer in profile.index
            expected = profile.loc[customer, "n"] if known else np.nan
            np.testing.assert_equal(float(output.loc[customer, "who__n"]), float(expected))

    @given(tables(), st.randoms(use_true_random=False))
    @settings(max_examples=size(3, 30))
    def test_the_order_of_rows_changes_nothing(self, given_tables, random):
        shuffled = {
            name: table.iloc[random.sample(range(len(table)), len(table))] for name, table in given_tables.items()
        }
        assert_frame_equal(ORDERED.transform(shuffled), ORDERED.transform(given_tables))

    @given(tables())
    @settings(max_examples=size(3, 30))
    def test_pandas_and_polars_agree(self, given_tables):
        expected = ORDERED.transform(given_tables)
        output = ORDERED.transform(in_polars(given_tables))
        assert output["customer_id"].to_list() == expected.index.tolist()
        for name in expected.columns:
            known = expected[name].astype(object).where(expected[name].notna(), None)
            assert known.tolist() == output[name].to_list()
