"""What a column of text holds besides levels: yes and no, or dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg import (
    DemographicEncoder,
    KPrototypesClusterer,
    LatentClassClusterer,
    PersonaDescriber,
    RuleSegmenter,
    SegmentClusterer,
)
from custseg._core.customers import read_customers
from custseg._core.text_columns import PAIRS, find_pair
from custseg.exceptions import ColumnChangeError, ColumnTypeError, UnseenCategoryWarning
from tests.conftest import shared_data
from tests.engines import ENGINES, comparable
from tests.sizes import size

pytestmark = pytest.mark.thorough

FRAMES = size(["pandas", "polars lazy", "duckdb", "parquet"], [name for name in ENGINES if name != "spark"])
DATES = {
    "iso": pd.date_range("2023-11-20", periods=40).strftime("%Y-%m-%d"),
    "iso time": pd.date_range("2023-11-20", periods=40, freq="31h").strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    "slashes": pd.date_range("2023-11-20", periods=40).strftime("%d/%m/%Y"),
    "american": pd.date_range("2023-11-20", periods=40).strftime("%m/%d/%y %I:%M %p"),
    "dots": pd.date_range("2023-11-20", periods=40).strftime("%d.%m.%Y %H:%M"),
    "month": pd.date_range("2023-11-20", periods=40).strftime("%d %b %Y"),
    "long": pd.date_range("2023-11-20", periods=40).strftime("%B %d, %Y"),
}


def spellings(word):
    """Any case of a word, with any spaces around it."""
    letters = st.tuples(*(st.sampled_from([letter.lower(), letter.upper()]) for letter in word)).map("".join)
    return st.tuples(st.text(" \t", max_size=2), letters, st.text(" \t", max_size=2)).map("".join)


@st.composite
def answers(draw):
    """Yes, no and missing in the words of one pair, and what they say."""
    pair = draw(st.sampled_from(PAIRS))
    said = draw(
        st.lists(st.sampled_from([True, False, None]), min_size=2).filter(lambda said: {True, False} <= {*said})
    )
    texts = [None if each is None else draw(spellings(pair[0] if each else pair[1])) for each in said]
    return texts, said


@settings(max_examples=size(6, 100))
@given(answers())
def test_any_pair_in_any_spelling_is_the_same_binary_column(drawn):
    texts, said = drawn
    expected = np.array([np.nan if each is None else each for each in said], dtype=float)
    column = read_customers(pd.DataFrame({"x": texts}))["x"]
    assert column.kind == "binary"
    np.testing.assert_array_equal(column.values, expected)
    encoder = DemographicEncoder(customer_id=None)
    output = encoder.fit_transform(pd.DataFrame({"x": texts}))
    assert encoder.kinds_ == {"x": "binary"}
    np.testing.assert_array_equal(output["x"].astype("Float64").to_numpy(dtype=float, na_value=np.nan), expected)


@given(st.lists(st.sampled_from(["Yes", "no", "TRUE", "false", "y", "N", "t", "F", "1", "0"]), min_size=1))
def test_words_of_different_pairs_are_levels(texts):
    words = {text.casefold() for text in texts}
    pairs = [pair for pair in PAIRS if words <= {*pair}]
    alone = words <= {"yes", "no", "true", "false"}
    assert find_pair(texts) == (pairs[0] if pairs and (len(words) == 2 or alone) else None)
    assert (read_customers(pd.DataFrame({"x": texts}))["x"].kind == "binary") == (find_pair(texts) is not None)


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["Yes", "Yes"], "binary"),
        (["no", None], "binary"),
        (["F", "F"], "nominal"),
        (["Y", "Y"], "nominal"),
        (["Yes", "No", "No phone service"], "nominal"),
        (["yes", "true"], "nominal"),
        (["Yes", "No", " "], "binary"),
    ],
)
def test_what_is_yes_or_no(texts, kind):
    assert read_customers(pd.DataFrame({"x": texts}))["x"].kind == kind


@pytest.mark.thorough
@pytest.mark.parametrize("engine", FRAMES)
def test_every_frame_gives_the_same_answers(engine):
    table = pd.DataFrame({"customer_id": [3, 1, 2, 4], "member": ["Yes", "no", None, "YES"], "age": [30, 40, 50, 60]})
    made = ENGINES[engine](table)
    read = read_customers(made, customer_id="customer_id")
    # the files of a folder come in the order of their names
    by_id = dict(zip(read.ids, read["member"].values, strict=True)) if read.ids is not None else {}
    np.testing.assert_array_equal([by_id[each] for each in (3, 1, 2, 4)], [1.0, 0.0, np.nan, 1.0])
    output = comparable(DemographicEncoder().fit(made).transform(made))
    assert output["member"].tolist() == [False, None, True, True]


def test_kinds_overrule():
    table = pd.DataFrame({"x": ["Yes", "No"], "y": ["Y", "Y"]})
    kinds = {"x": "nominal", "y": "binary"}
    found = read_customers(table, kinds=kinds)
    assert [(column.kind, column.values.tolist()) for column in found.columns] == [
        ("nominal", [1, 0]),
        ("binary", [1.0, 1.0]),
    ]
    encoder = DemographicEncoder(customer_id=None, kinds=kinds)
    assert encoder.fit_transform(table)["y"].tolist() == [True, True]
    assert encoder.kinds_ == kinds
    with pytest.raises(ColumnTypeError, match="yes/no or true/false.* to be binary, got 'no', 'some'"):
        read_customers(pd.DataFrame({"x": ["some", "no"]}), kinds={"x": "binary"})


def test_categories_stay_categories():
    table = pd.DataFrame({"x": pd.Categorical(["Yes", "No"])})
    assert read_customers(table)["x"].kind == "nominal"
    assert DemographicEncoder(customer_id=None).fit(table).kinds_ == {"x": "nominal"}


def test_what_means_no_answer_is_missing():
    table = pd.DataFrame({"x": ["Yes", "unknown", "No", "", "n/a"]})
    encoder = DemographicEncoder(customer_id=None)
    assert encoder.fit_transform(table)["x"].isna().tolist() == [False, True, False, True, True]
    assert encoder.row_report_.to_frame()["n_rows"].tolist() == [0, 3]
    # without a word for it, an empty text is a level
    assert DemographicEncoder(customer_id=None, missing_values=()).fit(table.iloc[[0, 2, 3]]).kinds_ == {"x": "nominal"}


CLUSTERERS = [
    SegmentClusterer(n_segments=2, n_init=2, random_state=0),
    KPrototypesClusterer(n_segments=2, n_init=2, random_state=0),
    LatentClassClusterer(n_segments=2, n_init=2, random_state=0),
]


def customers():
    """Thirty members and thirty others, with a column of text that could be mistaken when few of it are there."""
    member = np.array(["Yes", "No"])[np.arange(60) % 2]
    answer = np.array(["Yes", "No", "Maybe"])[np.arange(60) % 3]
    return pd.DataFrame({"member": member, "answer": answer, "spend": np.arange(60) % 2 * 10.0 + np.arange(60) / 60})


@pytest.mark.parametrize("clusterer", CLUSTERERS, ids=lambda each: type(each).__name__)
class TestPredict:
    def test_text_is_read_as_in_fit(self, clusterer):
        table = customers()
        fitted = clusterer.fit(table)
        # of a few rows: one answer alone, and two that fit saw among three
        for rows in ([0], [0, 1], [1, 3]):
            np.testing.assert_array_equal(fitted.predict(table.iloc[rows]), fitted.labels_[rows])
        bools = table.assign(member=table["member"] == "Yes")
        np.testing.assert_array_equal(fitted.predict(bools), fitted.labels_)

    def test_other_words_count_as_missing(self, clusterer):
        table = customers()
        fitted = clusterer.fit(table)
        new = table.head(4).assign(member=["Yes", "perhaps", "y", "No"])
        with pytest.warns(UnseenCategoryWarning, match=r"2 value\(s\) of 'member' \('perhaps', 'y'\)"):
            labels = fitted.predict(new)
        np.testing.assert_array_equal(labels, fitted.predict(new.assign(member=["Yes", None, None, "No"])))

    def test_words_are_no_numbers(self, clusterer):
        table = customers().assign(member=np.arange(60) % 2 == 0)
        with pytest.raises(ColumnChangeError, match="'member' was binary in fit"):
            clusterer.fit(table).predict(customers())


def test_the_encoder_counts_other_words_as_unseen():
    encoder = DemographicEncoder(customer_id=None).fit(pd.DataFrame({"x": ["Yes", "No"]}))
    with pytest.warns(match="levels that fit did not see are missing now: column 'x': 'Sometimes' in 1 row"):
        output = encoder.transform(pd.DataFrame({"x": ["no", "Sometimes"]}))
    assert output["x"].tolist() == [False, pd.NA]


def test_rules_name_text_as_it_stands():
    segmenter = RuleSegmenter({"Members": "member == 'Yes'", "Others": "member == 'No'"})
    fitted = segmenter.fit(customers())
    np.testing.assert_array_equal(fitted.labels_, np.arange(60) % 2)
    np.testing.assert_array_equal(fitted.predict(customers().head(3)), [0, 1, 0])
    flags = customers().assign(member=np.arange(60) % 2 == 0)
    with pytest.raises(ColumnTypeError, match="Compare it with True or False"):
        segmenter.fit(flags)


def test_a_no_is_no_trait():
    # beside the spend, which says the same, it would be told with it
    table = customers().drop(columns="spend").assign(segment=np.arange(60) % 2)
    personas = PersonaDescriber().fit(table).personas_
    told = [trait for persona in personas for trait in persona.traits if trait.characteristic == "member"]
    assert len(told) == 2
    assert {trait.kind for trait in told} == {"binary"}
    assert not {trait.level for trait in told} & {"No", "no"}


@pytest.mark.parametrize("form", DATES)
class TestDates:
    def test_dates_are_never_levels(self, form):
        table = pd.DataFrame({"joined": DATES[form], "age": range(40)})
        remedy = rf"'joined' must be .* such as '{DATES[form][0]}'.*days since a fixed day.*kinds="
        for fit in (
            lambda: DemographicEncoder(customer_id=None).fit(table),
            lambda: SegmentClusterer(n_segments=2).fit(table),
            lambda: PersonaDescriber(customer_id=None).fit(table, np.arange(40) % 2),
        ):
            with pytest.raises(ColumnTypeError, match=remedy):
                fit()

    def test_who_wants_levels_has_them(self, form):
        table = pd.DataFrame({"joined": [*DATES[form][:5]] * 8, "age": range(40)})
        kinds = {"joined": "nominal"}
        assert len(read_customers(table, kinds=kinds)["joined"].categories) == 5
        assert len(read_customers(table.astype({"joined": "category"}))["joined"].categories) == 5
        encoder = DemographicEncoder(customer_id=None, kinds=kinds).fit(table)
        assert len(encoder.categories_["joined"]) == 5

    def test_a_few_are_no_column_of_dates(self, form):
        few = pd.DataFrame({"x": [*DATES[form][:9]]})
        assert read_customers(few)["x"].kind == "nominal"
        mixed = pd.DataFrame({"x": [*DATES[form][:36], *"abcd"]})
        assert read_customers(mixed)["x"].kind == "nominal"
        with pytest.raises(ColumnTypeError, match="dates written as text"):
            read_customers(pd.DataFrame({"x": [*DATES[form][:38], "a", "b"]}))


@pytest.mark.parametrize(
    "texts",
    [
        [f"62.{n:02d}.10" for n in range(40)],
        [f"10.0.0.{n}" for n in range(40)],
        [f"{n}-{n + 9}" for n in range(40)],
        [f"2024-{n % 12 + 1:02d}" for n in range(40)],
        [f"555-{n:02d}-1234" for n in range(40)],
        [f"2024-{n % 12 + 20:02d}-40" for n in range(40)],
        [f"45/{n + 40}/2024" for n in range(40)],
    ],
)
def test_codes_are_no_dates(texts):
    assert read_customers(pd.DataFrame({"x": texts}))["x"].kind == "nominal"


def test_dates_by_dtype_have_the_same_remedy():
    table = pd.DataFrame({"joined": pd.date_range("2024-01-01", periods=3), "age": range(3)})
    for fit in (DemographicEncoder(customer_id=None).fit, SegmentClusterer(n_segments=2).fit):
        with pytest.raises(ColumnTypeError, match=r"days since a fixed day, .*\(table\['joined'\] - .*dt\.days"):
            fit(table)


TOLD = {"Partner", "Dependents", "PhoneService", "PaperlessBilling", "Churn"}


class TestTelephoneCustomers:
    """A raw file, as it is: one row per customer, columns of Yes and No with and without a third level."""

    @pytest.fixture
    def path(self):
        return shared_data("telco_churn") / "Telco-Customer-Churn.csv"

    def test_every_reader_agrees(self, path):
        table = pd.read_csv(path)
        encoder = DemographicEncoder(customer_id="customerID").fit(table)
        assert {name for name, kind in encoder.kinds_.items() if kind == "binary"} == TOLD
        assert encoder.kinds_["MultipleLines"] == encoder.kinds_["OnlineSecurity"] == "nominal"
        for made in (table, str(path)):
            read = read_customers(made, customer_id="customerID")
            assert {column.name for column in read.columns if column.kind == "binary"} == TOLD
            # as published: 1,869 of 7,043 left
            assert read["Churn"].values.sum() == 1869

    def test_personas_of_the_raw_file(self, path):
        table = pd.read_csv(path).drop(columns="TotalCharges")
        describer = PersonaDescriber(customer_id="customerID").fit(table, (table["tenure"] > 29).astype(int))
        traits = [trait for persona in describer.personas_ for trait in persona.traits]
        told = [trait for trait in traits if trait.characteristic in TOLD]
        assert "Partner" in {trait.characteristic for trait in told}
        assert {trait.kind for trait in told} == {"binary"}
