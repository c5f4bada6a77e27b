"""The describer as its users meet it: what goes in, what comes out, and what is never shown."""

import itertools
import json
import pickle
import re
from dataclasses import FrozenInstanceError, fields, replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import make_pipeline

from custseg._core.characteristic import Characteristic, to_table
from custseg.exceptions import (
    ColumnNotFoundError,
    DataQualityWarning,
    DuplicateColumnError,
    InvalidParameterError,
    InvalidTableError,
    SegmentLabelError,
)
from custseg.personas import Persona, PersonaDescriber
from custseg.personas._render import STYLE
from tests.sizes import size
from tests.strategies import customer_tables

EVIL = "<script>alert(1)</script>|*x*"


def customers(n=300, seed=0):
    random = np.random.RandomState(seed)
    segment = np.repeat([0, 1, 2], [n // 2, n // 3, n - n // 2 - n // 3])
    return pd.DataFrame(
        {
            "behaviour__recency": random.gamma(2, 10 + 40 * (segment == 0)),
            "behaviour__monetary": np.exp(random.randn(n) + 3 + 2 * (segment == 1)),
            "demographics__age": pd.Categorical.from_codes(
                np.clip(random.randint(0, 3, n) + 2 * (segment == 2), 0, 4),
                ["18-24", "25-34", "35-44", "45-54", "55+"],
                ordered=True,
            ),
            "demographics__home_ownership": np.where(random.rand(n) < 0.3 + 0.5 * (segment == 2), EVIL, "Owner"),
            "demographics__kids": random.rand(n) < 0.2 + 0.4 * (segment == 1),
            "segment": segment,
        },
        index=pd.Index([f"c{row}" for row in range(n)], name="customer_id"),
    )


# as RFMFeaturizer and DemographicEncoder would say it, in fewer words
KNOWN = to_table(
    Characteristic(column=name, role=name.rpartition("__")[2], label=name.rpartition("__")[2])
    for name in ("behaviour__recency", "behaviour__monetary", "demographics__age")
)
USED = ["behaviour__recency", "behaviour__monetary"]


@pytest.fixture(scope="module")
def describer():
    return PersonaDescriber().fit(customers(), clustered_on=USED, characteristics=KNOWN)


class TestPersonas:
    def test_one_each_in_the_order_of_the_labels(self, describer):
        assert [persona.segment for persona in describer.personas_] == [0, 1, 2]
        assert [persona.name for persona in describer.personas_] == describer.segment_names_
        assert [persona.n_customers for persona in describer.personas_] == [150, 100, 50]
        assert sum(persona.share for persona in describer.personas_) == pytest.approx(1)
        assert describer.segment_names_[:2] == ["Lapsed, low-spending", "High-spending, recent"]

    def test_traits_are_in_the_order_of_their_effect_and_one_per_column(self, describer):
        for persona in describer.personas_:
            sizes = [abs(trait.effect_size) for trait in persona.traits]
            assert sizes == sorted(sizes, reverse=True)
            assert len({trait.characteristic for trait in persona.traits}) == len(sizes) > 0

    def test_traits_that_formed_the_segments_are_marked(self, describer):
        marked = {trait.characteristic for p in describer.personas_ for trait in p.traits if trait.clustered_on}
        assert marked == {"behaviour__recency", "behaviour__monetary"}
        recency = describer.personas_[0].traits[0]
        assert str(recency) == f"{recency.text} (formed the segments, so its p-value is circular)."
        assert describer.personas_[0].to_frame()["text"].tolist()[0] == recency.text

    def test_without_word_of_it_all_columns_count_as_used(self):
        assert PersonaDescriber().fit(customers()).profile_["clustered_on"].all()
        assert not PersonaDescriber().fit(customers(), clustered_on=()).profile_["clustered_on"].any()

    def test_n_traits_shortens_the_list_but_not_the_name(self, describer):
        short = PersonaDescriber(n_traits=1).fit(customers(), clustered_on=USED, characteristics=KNOWN)
        assert [len(persona.traits) for persona in short.personas_] == [1, 1, 1]
        assert short.segment_names_ == describer.segment_names_

    def test_texts_speak_in_original_units(self, describer):
        spending = describer.personas_[1].traits[0]
        here, rest = (customers().query(f"segment {sign} 1")["behaviour__monetary"].median() for sign in ("==", "!="))
        assert spending.text == f"monetary: {here:.0f} at the median, against {rest:.0f} elsewhere"
        kids = next(trait for trait in describer.personas_[1].traits if trait.label == "kids")
        has = customers().groupby(customers()["segment"] == 1)["demographics__kids"].mean()
        assert kids.text.startswith(f"kids: {100 * has[True]:.0f}%, against {100 * has[False]:.0f}% elsewhere (+")
        assert describer.personas_[1].summary.startswith("High-spending, recent: 100 customers (33%); monetary: ")

    def test_the_typical_customer_is_made_of_medians_and_modes(self, describer):
        own = customers().query("segment == 2")
        typical = describer.personas_[2].typical_customer
        assert typical["behaviour__recency"] == pytest.approx(own["behaviour__recency"].median(), rel=1e-3)
        assert typical["demographics__age"] == own["demographics__age"].sort_values().iloc[(len(own) - 1) // 2]
        assert typical["demographics__home_ownership"] == EVIL
        assert typical["demographics__kids"] is False

    def test_they_are_frozen(self, describer):
        with pytest.raises(FrozenInstanceError):
            describer.personas_[0].name = "x"
        assert replace(describer.personas_[0], name="x").name == "x"

    def test_one_segment_is_everyone(self):
        table = customers().assign(segment=0)
        (persona,) = PersonaDescriber().fit(table).personas_
        assert (persona.name, persona.traits, persona.n_customers) == ("All customers", (), 300)
        assert persona.summary.startswith("All customers: 300 customers (100%); typically recency ")
        assert persona.summary in PersonaDescriber().fit(table).to_html()
        assert persona.typical_customer["behaviour__recency"] > 0
        fitted = PersonaDescriber().fit(table).profile_
        assert fitted["effect_size"].isna().all()
        assert fitted["segment_value"].notna().all()

    def test_a_column_and_its_copy_are_told_once(self):
        table = customers()[["behaviour__monetary", "segment"]]
        table = table.assign(copy=table["behaviour__monetary"])
        describer = PersonaDescriber().fit(table, characteristics=KNOWN)
        told = describer.personas_[1].traits
        assert [(trait.characteristic, trait.also) for trait in told] == [("behaviour__monetary", ("copy",))]
        assert describer.segment_names_[1] == "High-spending"


class TestPrivacy:
    def test_a_small_segment_is_suppressed(self):
        table = customers()
        table["segment"] = table["segment"].where(np.arange(300) < 291, 3)
        describer = PersonaDescriber().fit(table)
        small = describer.personas_[3]
        assert small.suppressed
        assert (small.n_customers, small.share, small.traits, small.typical_customer) == (None, None, (), {})
        assert small.size == "fewer than 10 customers"
        assert small.name == "Small segment"
        assert 3 not in set(describer.profile_["segment"])
        assert describer.predict(table)[-1] == "Small segment"
        assert not PersonaDescriber(min_group_size=9).fit(table).personas_[3].suppressed

    def test_no_other_figure_changes_with_those_of_a_small_segment(self):
        table = customers()
        table["segment"] = table["segment"].where(np.arange(300) < 295, 3)
        other = table.copy()
        other.loc[other["segment"] == 3, "behaviour__monetary"] = 1e9
        other.loc[other["segment"] == 3, "demographics__kids"] = True
        first, second = PersonaDescriber().fit(table), PersonaDescriber().fit(other)
        assert first.personas_ == second.personas_
        pd.testing.assert_frame_equal(first.profile_, second.profile_)

    def test_a_segment_beside_small_ones_only_is_compared_with_nobody(self):
        table = customers().assign(segment=[0] * 292 + [1] * 8)
        describer = PersonaDescriber().fit(table)
        assert describer.segment_names_ == ["All other customers", "Small segment"]
        assert describer.profile_["rest_value"].isna().all()

    def test_nobody_is_described_where_all_segments_are_small(self):
        describer = PersonaDescriber().fit(customers(9))
        assert all(persona.suppressed for persona in describer.personas_)
        assert describer.profile_.empty
        assert "effect_size" in describer.profile_
        assert describer.to_frame()["share"].isna().all()

    def test_rare_levels_are_not_named(self):
        table = customers(300)
        towns = np.where(np.arange(300) % 2, "Ayr", "Bonn").astype(object)
        towns[:9] = "Secretville"
        towns[10:13] = ["a", "b", "c"]
        describer = PersonaDescriber().fit(table.assign(town=towns))
        assert describer.rare_levels_ == {"town": 4}
        for text in (describer.to_json(), describer.to_html(), describer.to_markdown(), str(describer.profile_)):
            assert "Secretville" not in text

    def test_a_column_of_rare_levels_only_keeps_its_row(self):
        table = customers(300).assign(town=[f"town {row // 2}" for row in range(300)])
        profile = PersonaDescriber().fit(table).profile_
        row = profile[profile["characteristic"] == "town"]
        assert len(row) == 3
        assert row["segment_value"].isna().all()
        assert (row["missing_share"] == 0).all()

    def test_figures_that_rest_on_few_known_values_are_blank(self):
        table = customers()
        table.loc[table.index[5:150], "behaviour__recency"] = np.nan
        table.loc[table.index[0:145], "demographics__age"] = np.nan
        describer = PersonaDescriber().fit(table)
        hidden = describer.profile_[
            (describer.profile_["segment"] == 0)
            & describer.profile_["characteristic"].isin(["behaviour__recency", "demographics__age"])
        ]
        shown = ["segment_value", "effect_size", "v_test", "p_value", "p_adjusted"]
        assert hidden[shown].isna().all(axis=None)
        assert hidden["segment_category"].isna().all()
        typical = describer.personas_[0].typical_customer
        assert typical["behaviour__recency"] is typical["demographics__age"] is None
        assert "recency unknown" in describer.to_markdown()

    def test_a_high_share_of_few_is_blank_and_a_low_one_is_not(self):
        flag = np.zeros(300, dtype=bool)
        flag[150:159] = True  # nine of the hundred in segment 1
        flag[250:280] = True
        profile = PersonaDescriber().fit(customers().assign(flag=flag)).profile_
        shares = profile[profile["characteristic"] == "flag"].set_index("segment")["segment_value"]
        assert shares[[0, 2]].tolist() == [0, 0.6]
        few = PersonaDescriber().fit(customers().assign(flag=flag & (np.arange(300) < 170))).profile_
        assert few[few["characteristic"] == "flag"]["segment_value"].isna().all()

    def test_extremes_are_never_shown(self):
        table = customers()
        table.loc["c0", "behaviour__recency"], table.loc["c1", "behaviour__monetary"] = 987654.0, 0.000123
        describer = PersonaDescriber().fit(table)
        for text in (describer.to_json(), describer.to_markdown(), describer.to_html()):
            assert "98765" not in text
            assert "987,6" not in text
            assert "000123" not in text


class TestOutput:
    def test_frame(self, describer):
        frame = describer.to_frame()
        assert frame.columns[:7].tolist() == [
            *("segment", "name", "n_customers", "share", "size", "suppressed", "summary"),
        ]
        assert frame["n_customers"].tolist() == [150, 100, 50]
        assert frame["trait_1"].tolist() == [persona.traits[0].text for persona in describer.personas_]

    def test_json_is_valid_and_complete(self, describer):
        def refuse(constant):
            raise AssertionError(constant)

        content = json.loads(describer.to_json(), parse_constant=refuse)
        assert content["n_not_assigned"] == 0
        assert [persona["name"] for persona in content["personas"]] == describer.segment_names_
        first = content["personas"][0]
        assert set(first) == {field.name for field in fields(Persona)}
        assert first["traits"][0]["effect_size"] == describer.personas_[0].traits[0].effect_size
        assert "\n" not in describer.to_json(indent=None)

    def test_where_nothing_varies_inside_the_effect_is_finite(self):
        table = pd.DataFrame({"x": [1.0] * 20 + [2.0] * 20, "flag": [True] * 20 + [False] * 20})
        describer = PersonaDescriber().fit(table, np.repeat([0, 1], 20))
        content = json.loads(describer.to_json())
        # as of a yes or no that half a customer of 20 contradicts on either side
        p = 0.5 / 21
        most = (1 - 2 * p) / np.sqrt(40 * p * (1 - p) / 38)
        trait = content["personas"][0]["traits"][0]
        assert (trait["characteristic"], trait["also"]) == ("flag", ["x"])
        assert trait["effect_size"] == pytest.approx(most)

    def test_html_is_balanced_and_escaped(self, describer):
        html = describer.to_html()
        assert "<script" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        opened, words = [], []

        class Parser(HTMLParser):
            def handle_starttag(self, tag, attrs):
                opened.append(tag)

            def handle_endtag(self, tag):
                assert opened.pop() == tag

            def handle_data(self, data):
                words.append(data)

        Parser().feed(html)
        assert opened == []
        assert [word for word in words if word in describer.segment_names_] == describer.segment_names_
        assert any(word.startswith("† Counted among the characteristics that formed the segments") for word in words)
        assert any(EVIL in word for word in words)

    def test_markdown_is_escaped(self, describer):
        markdown = describer.to_markdown()
        assert "<script" not in markdown
        assert r"&lt;script&gt;alert(1)&lt;/script&gt;\|\*x\*" in markdown
        assert "† Counted among" in markdown
        table = markdown.split("\n\n")[0].splitlines()
        assert len(table) == 5
        assert {line.replace(r"\|", "").count("|") for line in table} == {5}

    def test_names_are_plain_text(self):
        describer = PersonaDescriber().fit(customers(), names=["first", "second", EVIL])
        assert describer.personas_[2].name == EVIL
        assert describer.predict([2]) == [describer.personas_[2].name]

    def test_unused_marks_are_not_explained(self):
        assert "†" not in PersonaDescriber().fit(customers(), clustered_on=[]).to_html()

    def test_html_repr_shows_the_personas_once_fitted(self, describer):
        unfitted = PersonaDescriber(n_traits=3)
        assert "sk-" in unfitted._repr_html_()
        shown = describer._repr_html_()
        assert shown.replace(f"<style>{STYLE}</style>", "") == describer.to_html()
        assert describer._repr_mimebundle_()["text/html"] == shown

    def test_the_style_changes_nothing_outside_and_headings_are_in_order(self, describer):
        selectors = re.findall(r"(?m)^(.*?)\s*\{", STYLE)
        assert selectors
        assert all(each.strip().startswith(".custseg-personas") for line in selectors for each in line.split(","))
        levels = [int(level) for level in re.findall(r"<h(\d)", describer._repr_html_())]
        assert levels[0] == 2
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        assert "PersonaDescriber" in repr(describer)


class TestInput:
    def test_kinds_of_frame_and_of_labels_agree(self, describer):
        table = customers()
        expected = describer.personas_
        used = ["behaviour__recency", "behaviour__monetary"]
        polars = pl.from_pandas(table.assign(demographics__age=table["demographics__age"].astype(str))).with_columns(
            pl.col("demographics__age").cast(pl.Enum(table["demographics__age"].cat.categories.tolist()))
        )
        without = table.drop(columns="segment")
        labels = table["segment"]
        for X, y in [
            (polars, None),
            (polars.lazy(), None),
            (polars.drop("segment"), polars["segment"]),
            (without, labels),
            (without, labels.to_numpy()),
            (without, labels.tolist()),
            (without, labels.to_numpy()[:, None]),
            (without, labels.astype(float)),
            (without, labels.astype("Int64")),
            (without, labels.astype(object)),
        ]:
            assert PersonaDescriber().fit(X, y, clustered_on=used, characteristics=KNOWN).personas_ == expected
        renamed = PersonaDescriber(segment="group").fit(
            table.rename(columns={"segment": "group"}), clustered_on=used, characteristics=KNOWN
        )
        assert renamed.personas_ == expected

    def test_customers_in_no_segment_are_left_out_and_counted(self, describer):
        extra = customers(60).assign(segment=-1, behaviour__monetary=1e9)
        both = PersonaDescriber().fit(pd.concat([extra, customers()]), clustered_on=USED, characteristics=KNOWN)
        assert both.personas_ == describer.personas_
        assert both.n_not_assigned_ == 60
        assert "60 customers are not assigned to a segment" in both.to_markdown()
        one = PersonaDescriber().fit(pd.concat([extra[:1], customers()]))
        assert "1 customer is not assigned" in one.to_html()
        assert both.predict([0, -1])[1] == "not assigned"

    def test_a_matrix_with_labels(self):
        X = np.random.RandomState(0).randn(60, 2)
        X[30:, 1] += 3
        describer = PersonaDescriber().fit(X, np.repeat([0, 1], 30))
        assert describer.segment_names_ == ["Low x1", "High x1"]
        assert describer.n_features_in_ == 2
        with pytest.raises(SegmentLabelError, match="a matrix has no segment column"):
            PersonaDescriber().fit(X)

    def test_ids_are_not_described(self):
        table = customers().reset_index()
        assert "customer_id" not in set(PersonaDescriber().fit(table).profile_["characteristic"])
        named = table.rename(columns={"customer_id": "client"})
        assert "client" not in set(PersonaDescriber(customer_id="client").fit(named).profile_["characteristic"])
        with pytest.warns(DataQualityWarning, match=r"'client' differs in every row .* customer_id='client'"):
            found = PersonaDescriber().fit(named)
        assert "client" not in set(found.profile_["characteristic"])
        assert PersonaDescriber(customer_id=None).fit(named).rare_levels_["client"] == 300

    def test_whole_numbers_are_ids_only_in_the_first_column_of_a_frame_without_index(self):
        table = customers().reset_index(drop=True).drop(columns="demographics__age")
        table.insert(0, "household", np.arange(300))
        assert "household" in set(PersonaDescriber().fit(table).profile_["characteristic"])
        frame = pl.from_pandas(table)
        with pytest.warns(DataQualityWarning, match="'household'"):
            PersonaDescriber().fit(frame)
        moved = frame.select(*frame.columns[1:], frame.columns[0])
        assert "household" in set(PersonaDescriber().fit(moved).profile_["characteristic"])
        known = frame.rename({"household": "customer_id"}).with_columns(count=pl.col("customer_id"))
        known = known.select("count", pl.exclude("count"))
        assert "count" in set(PersonaDescriber().fit(known).profile_["characteristic"])

    def test_constant_and_unknown_columns_are_kept_and_never_traits(self):
        table = customers()[["behaviour__monetary", "segment"]].assign(
            constant=3.5, same=pd.Categorical(["x"] * 300), always=True, unknown=np.nan, nothing=pd.Series(dtype="str")
        )
        describer = PersonaDescriber().fit(table)
        names = ["constant", "same", "always", "unknown", "nothing"]
        rows = describer.profile_[describer.profile_["characteristic"].isin(names)]
        assert len(rows) == 15
        assert rows[["effect_size", "v_test", "p_value", "eta2"]].isna().all(axis=None)
        assert (rows.set_index("characteristic").loc[["unknown", "nothing"], "missing_share"] == 1).all()
        assert {trait.characteristic for p in describer.personas_ for trait in p.traits} == {"behaviour__monetary"}

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ([0, 1], "got 2 labels and 30 customers"),
            ([-1] * 30, r"all 30 customer\(s\) are labelled -1"),
            ([-2, 0, 1] * 10, "got the label -2"),
            ([0.5] * 30, "got fractions"),
            ([np.inf, 0] * 15, "got fractions"),
            (pd.date_range("2024-01-01", periods=30), "got values of type datetime64"),
            (np.zeros((30, 2)), r"got ndarray of shape \(30, 2\)"),
            (np.arange(1001) % 1001, "got 1001 labels and 30 customers"),
        ],
    )
    def test_labels_that_cannot_be_used(self, labels, message):
        table = pd.DataFrame({"x": np.arange(30) % 7})
        with pytest.raises(SegmentLabelError, match=message):
            PersonaDescriber().fit(table, labels)

    def test_a_segment_column_that_cannot_be_used(self):
        table = customers()
        with pytest.raises(SegmentLabelError, match=r"all 300 customer\(s\) are labelled -1"):
            PersonaDescriber().fit(table.assign(segment=np.nan))
        with pytest.raises(SegmentLabelError, match="y was passed, and the table has a column 'segment' too"):
            PersonaDescriber().fit(table, table["segment"])
        with pytest.raises(ColumnNotFoundError, match="Did you mean 'segment'"):
            PersonaDescriber(segment="segmnt").fit(table)
        with pytest.raises(InvalidTableError, match="no characteristic besides the segment"):
            PersonaDescriber().fit(table[["segment"]])

    def test_tables_that_cannot_be_used(self):
        table = customers()
        twice = pd.concat([table, table[["segment"]]], axis=1)
        with pytest.raises(DuplicateColumnError, match="'segment'"):
            PersonaDescriber().fit(twice)
        with pytest.raises(InvalidTableError, match="minimum of 1"):
            PersonaDescriber().fit(table[:0])
        with pytest.raises(InvalidTableError, match="infinite"):
            PersonaDescriber().fit(table.assign(behaviour__recency=np.inf))

    def test_parameters_and_clustered_on_are_checked(self):
        for wrong in ({"segment": 1}, {"n_traits": 0}, {"min_group_size": 0}, {"customer_id": 3}):
            with pytest.raises(InvalidParameterError, match=next(iter(wrong))):
                PersonaDescriber(**wrong).fit(customers())
        with pytest.raises(InvalidParameterError, match="Did you mean 'behaviour__recency'"):
            PersonaDescriber().fit(customers(), clustered_on=["behaviour_recency"])
        with pytest.raises(InvalidParameterError, match="list of column names"):
            PersonaDescriber().fit(customers(), clustered_on="behaviour__recency")


class TestPredict:
    def test_names_per_row(self, describer):
        table = customers()
        expected = np.array(describer.segment_names_, dtype=object)[table["segment"]]
        for X in (table, table[["segment"]], pl.from_pandas(table), pl.from_pandas(table).lazy(), table["segment"]):
            np.testing.assert_array_equal(describer.predict(X), expected)

    def test_what_it_cannot_name(self, describer):
        with pytest.raises(SegmentLabelError, match=r"segments '3', '7' were not there in fit, which saw 3: "):
            describer.predict([0, 3, 7])
        with pytest.raises(ColumnNotFoundError, match="'segment' not found"):
            describer.predict(customers().drop(columns="segment"))
        with pytest.raises(SegmentLabelError, match="ndarray of shape"):
            describer.predict(np.zeros((3, 2)))

    def test_unfitted(self):
        for method in ("to_frame", "to_markdown", "to_json", "to_html"):
            with pytest.raises(ValueError, match="not fitted"):
                getattr(PersonaDescriber(), method)()
        with pytest.raises(ValueError, match="not fitted"):
            PersonaDescriber().predict([0])


class Halves(TransformerMixin, BaseEstimator):
    """Labels customers by the sign of a column, as a clusterer's transform would."""

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def transform(self, X):
        return X.assign(segment=(X["x"] > 0).astype(int))


class TestEstimator:
    def test_it_ends_a_pipeline(self):
        X = pd.DataFrame({"x": np.random.RandomState(0).randn(100)})
        pipeline = make_pipeline(Halves(), PersonaDescriber())
        names = pipeline.fit(X, personadescriber__clustered_on=["x"]).predict(X)
        assert set(names[X["x"] > 0]) == {"High x"}
        assert set(names[X["x"] <= 0]) == {"Low x"}
        assert "PersonaDescriber" in pipeline._repr_html_()

    def test_clone_parameters_and_pickle(self, describer):
        made = clone(describer).set_params(n_traits=2, segment="group")
        assert made.get_params() == {
            "segment": "group",
            "n_traits": 2,
            "min_group_size": 10,
            "customer_id": "customer_id",
            "names": None,
            "labels": None,
        }
        assert not hasattr(made, "personas_")
        again = pickle.loads(pickle.dumps(describer))  # noqa: S301 - our own bytes
        assert again.personas_ == describer.personas_
        assert again.to_html() == describer.to_html()

    def test_fit_leaves_the_table_alone(self):
        table = customers()
        PersonaDescriber().fit(table)
        pd.testing.assert_frame_equal(table, customers())


@settings(max_examples=size(5, 25))
@given(customer_tables(min_rows=4), st.integers(1, 4), st.integers(1, 6), st.data())
def test_any_table_gets_unique_names_and_valid_output(table, n_segments, min_group_size, data):
    labels = np.array(data.draw(st.lists(st.integers(-1, n_segments - 1), min_size=len(table), max_size=len(table))))
    labels[:n_segments] = np.arange(n_segments)
    describer = PersonaDescriber(min_group_size=min_group_size, customer_id=None).fit(table, labels)
    assert len(set(describer.segment_names_)) == len(describer.segment_names_) == n_segments
    assert [p["suppressed"] for p in json.loads(describer.to_json())["personas"]] == [
        count < min_group_size for count in np.bincount(labels[labels >= 0])
    ]
    assert len(describer.to_frame()) == n_segments
    assert describer.to_markdown().startswith("| segment |")
    assert describer.predict(labels).tolist().count("not assigned") == (labels < 0).sum() == describer.n_not_assigned_
    adjusted = describer.profile_["p_adjusted"]
    assert (adjusted.isna() == describer.profile_["p_value"].isna()).all()
