import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg.characteristics._survey.multi_select import MultiSelectEncoder
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)
from tests.characteristics._profiles.profile_laws import as_values, check_kinds, check_laws, quietly
from tests.conftest import shared_data
from tests.sizes import size


def table(**columns):
    n_customers = len(next(iter(columns.values())))
    return pd.DataFrame({"customer_id": np.arange(1, n_customers + 1), **columns})


def image(answers):
    return table(image=pd.array(answers, dtype="str"))


def text(**parameters):
    return MultiSelectEncoder("image", **{"separator": ",", "min_customers": 1, **parameters})


TWELVE = [
    "yummy, cheap, greasy",
    "Yummy,cheap",
    "greasy",
    "yummy",
    "yummy , cheap,  cheap",
    None,
    "",
    " , ",
    "fast, greasy",
    "no  frills",
    "No frills, yummy",
    "healthy",
]


class TestText:
    def test_twelve_customers_by_hand(self):
        encoder = text(min_customers=2)
        output = as_values(encoder.fit_transform(image(TWELVE)))
        # "no frills" has two spellings used once each: the first in the alphabet; fast and healthy are rare
        assert list(output.columns) == ["cheap", "greasy", "No frills", "yummy", "rare_options", "n_chosen"]
        expected = [
            (1, 1, 0, 1, 0, 3),
            (1, 0, 0, 1, 0, 2),
            (0, 1, 0, 0, 0, 1),
            (0, 0, 0, 1, 0, 1),
            (1, 0, 0, 1, 0, 2),
            (None,) * 6,
            (0, 0, 0, 0, 0, 0),
            (0, 0, 0, 0, 0, 0),
            (0, 1, 0, 0, 1, 2),
            (0, 0, 1, 0, 0, 1),
            (0, 0, 1, 1, 0, 2),
            (0, 0, 0, 0, 1, 1),
        ]
        assert list(output.itertuples(index=False, name=None)) == expected
        counts = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert counts["no answer"] == 1
        assert counts["empty answer"] == 2
        assert counts["option named twice"] == 1
        assert encoder.units_ == {**dict.fromkeys(output.columns[:-1], ""), "n_chosen": "options"}

    def test_the_options_found(self):
        found = text(min_customers=2).fit(image(TWELVE)).options_
        assert found["option"].tolist() == ["yummy", "cheap", "greasy", "No frills", "fast", "healthy"]
        assert found["n_customers"].tolist() == [5, 3, 3, 2, 1, 1]
        assert found["column"].tolist() == ["yummy", "cheap", "greasy", "No frills", "rare_options", "rare_options"]
        np.testing.assert_allclose(found["share"], np.array([5, 3, 3, 2, 1, 1]) / 11)

    def test_an_empty_answer_may_mean_none(self):
        encoder = text(empty="missing")
        output = as_values(encoder.fit_transform(image(["a", "", None, " ,"])))
        assert output["n_chosen"].tolist() == [1, None, None, None]
        assert output["a"].tolist() == [1, None, None, None]
        counts = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert (counts["no answer"], counts["empty answer"]) == (1, 2)

    def test_bools_without_missing_values_are_plain_bools(self):
        output = text().fit_transform(image(["a, b", "b"]))
        assert output.dtypes.astype(str).to_dict() == {"a": "bool", "b": "bool", "n_chosen": "int64"}

    def test_an_option_of_regular_expression_signs(self):
        output = text(separator="|").fit_transform(image(["a.|b*", "b*"]))
        assert list(output.columns) == ["a.", "b*", "n_chosen"]

    def test_options_that_fit_did_not_see_count_as_rare(self):
        encoder = text(min_customers=2).fit(image(["a, b", "a", "c, a"]))
        with pytest.warns(
            DataQualityWarning, match=r"2 customer\(s\) chose .* 'New' \(2\), 'x' \(1\); they count in 'r"
        ):
            output = encoder.transform(image(["a, New", "New, x", None]))
        assert as_values(output)["rare_options"].tolist() == [1, 1, None]
        assert as_values(output)["n_chosen"].tolist() == [2, 2, None]

    def test_without_rare_options_they_count_in_the_number_only(self):
        encoder = text().fit(image(["a", "b"]))
        with pytest.warns(DataQualityWarning, match="they count in 'n_chosen' only"):
            output = encoder.transform(image(["a, x"]))
        assert list(output.columns) == ["a", "b", "n_chosen"]
        assert output.iloc[0].tolist() == [True, False, 2]

    def test_categories_are_text(self):
        output = text().fit_transform(table(image=pd.Categorical(["a, b", "b", None])))
        assert as_values(output)["a"].tolist() == [1, 0, None]

    def test_a_single_column_of_text_needs_no_name(self):
        encoder = MultiSelectEncoder(min_customers=1).fit(image(["a;b", "b"]))
        assert encoder.get_feature_names_out().tolist() == ["a", "b", "n_chosen"]

    def test_another_separator_is_suggested(self):
        with pytest.warns(DataQualityWarning, match="no answer in column 'image' holds ';', 2 of 3 hold ','.*=','"):
            text(separator=";").fit(image(["a, b", "a, c", "a"]))

    def test_single_answers_need_no_separator(self):
        text(separator=";").fit(image(["a", "b", "a"]))

    def test_lists_are_joined_first(self):
        answers = pl.DataFrame({"customer_id": [1, 2], "image": [["a", "b"], ["b"]]})
        with pytest.raises(ColumnTypeError, match=r"got List\(String\). Join each list to a text first: .*join\(';'\)"):
            MultiSelectEncoder("image").fit(answers)
        joined = answers.with_columns(pl.col("image").list.join(";"))
        assert MultiSelectEncoder("image", min_customers=1).fit(joined).options_["option"].to_list() == ["b", "a"]

    def test_numbers_are_no_text(self):
        with pytest.raises(ColumnTypeError, match="column 'image' must be text, got numbers. Convert it with astype"):
            text().fit(table(image=[1, 2]))

    @pytest.mark.parametrize("answers", [[None, None], ["", " , "]])
    def test_nobody_chose_anything(self, answers):
        with pytest.raises(InvalidTableError, match="nobody chose any option in 'image'"):
            text().fit(image(answers))

    @pytest.mark.parametrize("option", ["n_chosen", "customer_id"])
    def test_an_option_called_like_a_column_of_the_result(self, option):
        with pytest.raises(InvalidTableError, match=f"the option '{option}' is called like"):
            text().fit(image(["a", option]))

    @given(st.lists(st.one_of(st.none(), st.lists(st.sampled_from(["a", "B", "b ", "c d", "c  d", ""]))), min_size=1))
    def test_it_is_what_plain_sets_say(self, answers):
        texts = [None if answer is None else ",".join(answer) for answer in answers]
        chosen = [
            None if answer is None else {" ".join(part.split()).lower() for part in answer} - {""} for answer in answers
        ]
        if not any(chosen):
            return
        output = as_values(quietly(text().fit_transform, image(texts)))
        assert output["n_chosen"].tolist() == [None if some is None else len(some) for some in chosen]
        options = sorted(set().union(*(some for some in chosen if some)))
        assert [name.lower() for name in output.columns[:-1]] == options
        for option, column in zip(options, output.columns, strict=False):
            assert output[column].tolist() == [None if some is None else option in some for some in chosen]


class TestBlock:
    def test_twelve_customers_by_hand(self):
        block = table(
            sea=[1, 1, 0, 0, 1, 0, 1, 0, 0, 1, None, None],
            hills=[True] * 5 + [False] * 7,
            polo=[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, None],
        ).astype({"hills": "boolean"})
        block.loc[11, "hills"] = pd.NA
        encoder = MultiSelectEncoder(["sea", "hills", "polo"], min_customers=2)
        output = as_values(encoder.fit_transform(block))
        assert output["sea"].tolist() == [1, 1, 0, 0, 1, 0, 1, 0, 0, 1, None, None]
        assert output["hills"].tolist() == [1] * 5 + [0] * 6 + [None]
        assert output["rare_options"].tolist() == [0] * 9 + [1, 0, None]
        assert output["n_chosen"].tolist() == [2, 2, 1, 1, 2, 0, 1, 0, 0, 2, None, None]
        counts = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert (counts["no answer"], counts["some options without a value"]) == (1, 1)

    def test_a_rare_option_that_is_missing_leaves_it_open(self):
        block = table(a=[1, 1, 0, 0], b=[1, 0, None, None], c=[0, 0, 1, None])
        output = as_values(MultiSelectEncoder(min_customers=2).fit_transform(block))
        assert output["rare_options"].tolist() == [1, 0, 1, None]

    def test_other_numbers_are_refused(self):
        block = table(a=[0, 1, 2, 3], b=[0, 1, 1, 1])
        with pytest.raises(ColumnTypeError, match="column 'a' must be 0 and 1, or bools, got 2 and the like in 2 row"):
            MultiSelectEncoder(["a", "b"]).fit(block)

    def test_at_transform_too(self):
        encoder = MultiSelectEncoder(min_customers=1).fit(table(a=[0, 1]))
        with pytest.raises(ColumnTypeError, match="got 7 and the like in 1 row"):
            encoder.transform(table(a=[0, 7]))

    def test_text_among_them_is_refused(self):
        with pytest.raises(ColumnTypeError, match="column 'b' must be 0 and 1.*got text. Answers such as 'a;b;c'"):
            MultiSelectEncoder(["a", "b"]).fit(table(a=[0, 1], b=["x", "y"]))

    def test_ticks_without_zeros_are_warned_of(self):
        with pytest.warns(DataQualityWarning, match="'a' hold.s. 1 and missing values but never 0"):
            MultiSelectEncoder(min_customers=1).fit(table(a=[1, None], b=[0, 1]))

    def test_an_option_that_nobody_chose_is_rare(self):
        encoder = MultiSelectEncoder(min_customers=1).fit(table(a=[1, 1], b=[0, 0]))
        assert encoder.get_feature_names_out().tolist() == ["a", "rare_options", "n_chosen"]

    def test_travel_motives(self):
        motives = pd.read_csv(shared_data("vacmot_flexclust") / "vacmot.csv")
        encoder = MultiSelectEncoder()
        output = encoder.fit_transform(motives.assign(customer_id=np.arange(len(motives))))
        assert output.shape == (1000, 21)
        assert (output.drop(columns="n_chosen").to_numpy() == motives.to_numpy()).all()
        assert (output["n_chosen"] == motives.sum(axis=1).to_numpy()).all()
        assert encoder.options_["option"].iloc[0] == motives.sum().idxmax()

    def test_travel_motives_as_text_are_the_same(self):
        motives = pd.read_csv(shared_data("vacmot_flexclust") / "vacmot.csv")
        names = np.array(motives.columns, dtype=object)
        answers = [" | ".join(names[row]) for row in motives.to_numpy() == 1]
        output = MultiSelectEncoder("motives", separator="|").fit_transform(table(motives=answers))
        assert (output[list(names)].to_numpy() == motives.to_numpy()).all()
        assert (output["n_chosen"].to_numpy() == motives.sum(axis=1).to_numpy()).all()

    def test_several_high_answers_of_a_survey(self):
        responses = pd.read_csv(shared_data("young_people_survey") / "responses.csv")
        music = ["Dance", "Folk", "Country", "Classical music", "Opera"]
        loved = (responses[music] >= 4).astype("float").where(responses[music].notna())
        encoder = MultiSelectEncoder(music)
        output = encoder.fit_transform(loved.assign(customer_id=np.arange(len(loved))))
        assert output["n_chosen"].isna().sum() == responses[music].isna().any(axis=1).sum() > 0
        assert [output[name].sum() for name in music] == [(responses[name] >= 4).sum() for name in music]


@st.composite
def answers(draw):
    n_customers = draw(st.integers(1, 15))
    rng = np.random.RandomState(draw(st.integers(0, 2**16)))
    parts = ["a", "b", "B", "c", "rare"]
    texts = [
        None if rng.rand() < 0.2 else "; ".join(rng.choice(parts, rng.randint(4), p=[0.3, 0.2, 0.2, 0.2, 0.1]))
        for _ in range(n_customers - 1)
    ]
    return pd.DataFrame(
        {"customer_id": rng.permutation(n_customers), "image": pd.array(["a", *texts], dtype="str"), "age": 3}
    )


class TestLaws:
    @settings(max_examples=size(4, 40))
    @given(answers(), st.integers(0, 99), st.integers(1, 3))
    def test_laws_of_text(self, survey, seed, least):
        check_laws(MultiSelectEncoder("image", min_customers=least), survey, seed)

    @settings(max_examples=size(4, 40))
    @given(st.integers(1, 12), st.integers(0, 99), st.integers(1, 3))
    def test_laws_of_blocks(self, n_customers, seed, least):
        rng = np.random.RandomState(seed)
        block = pd.DataFrame(rng.choice([0, 1, np.nan], (n_customers, 3), p=[0.5, 0.4, 0.1]), columns=list("abc"))
        block.loc[0, "a"] = 1
        check_laws(
            MultiSelectEncoder(min_customers=least), block.assign(customer_id=rng.permutation(n_customers)), seed
        )

    def test_every_kind_of_frame(self, monkeypatch):
        check_kinds(text(min_customers=2), image(TWELVE), monkeypatch)

    def test_every_kind_of_frame_for_blocks(self, monkeypatch):
        block = table(a=[0, 1, 1], b=[True, False, True], c=[1.0, 0.0, np.nan], d=pd.array([1, 0, None], dtype="Int64"))
        check_kinds(MultiSelectEncoder(min_customers=1), block, monkeypatch)

    def test_polars_bools_keep_missing_answers(self):
        output = text().fit_transform(pl.DataFrame({"customer_id": [1, 2], "image": ["a", None]}))
        assert output.schema == {"customer_id": pl.Int64, "a": pl.Boolean, "n_chosen": pl.Float64}
        assert output["a"].to_list() == [True, None]


class TestParameters:
    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"columns": []}, "'columns' must be"),
            ({"columns": ["a", "a"]}, "'columns' must be"),
            ({"columns": ["a", "customer_id"]}, "'customer_id' must be a column that is not among"),
            ({"separator": ""}, "'separator' must be a text that is not empty"),
            ({"min_customers": 0}, "'min_customers' must be an integer >= 1"),
            ({"empty": "zero"}, "'empty' must be"),
        ],
    )
    def test_refused(self, parameters, message):
        with pytest.raises(InvalidParameterError, match=message):
            MultiSelectEncoder(**parameters).fit(table(a=[0, 1]))

    def test_a_column_that_is_not_there(self):
        with pytest.raises(ColumnNotFoundError, match="column 'imag' not found.*Did you mean 'image'"):
            MultiSelectEncoder("imag").fit(image(["a"]))

    def test_rows_without_an_id(self):
        survey = image(["a", "b"]).assign(customer_id=pd.array([1, None], dtype="Int64"))
        encoder = text().fit(survey)
        assert encoder.row_report_.n_left_out == 1
        assert MultiSelectEncoder.criterion == "psychographic"
