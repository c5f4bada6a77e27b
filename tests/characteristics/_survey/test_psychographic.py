import math
import pickle
import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg.characteristics._survey.psychographic import PsychographicEncoder
from custseg.characteristics._survey.reliability import cronbach_alpha, item_analysis, mcdonald_omega
from custseg.datasets import make_customers
from custseg.exceptions import (
    ColumnChangeError,
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    DataQualityWarning,
    InfeasibleError,
    InvalidParameterError,
    InvalidTableError,
)
from tests.conftest import shared_data
from tests.engines import comparable
from tests.sizes import size

pytestmark = pytest.mark.sampled

SAMPLE = make_customers(120, random_state=0, missing_share=0.05)
SURVEY = SAMPLE.survey
TWO = {"calm": ["a", "-b", "c"], "open": ["d", "e"]}
AGREEMENT = ("strongly disagree", "disagree", "neither", "agree", "strongly agree")
NAN = math.nan


def encoder(scales=TWO, scale_range=(1, 5), **parameters):
    return PsychographicEncoder(scales, scale_range=scale_range, **parameters)


def survey(**columns):
    """Six respondents who answer like people; named columns replace those answers."""
    answers = {
        "a": [1.0, 2, 4, 5, 3, 4],
        "b": [5.0, 3, 2, 1, 3, 1],
        "c": [2.0, 2, 5, 4, 3, 5],
        "d": [1.0, 5, 2, 4, 3, 3],
        "e": [2.0, 5, 1, 4, 2, 3],
    }
    return pd.DataFrame({"customer_id": range(6), **answers, **columns})


def policies(fitted):
    return dict(fitted.row_report_.to_frame()[["policy", "n_rows"]].to_numpy())


@st.composite
def surveys(draw):
    codes = st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0, None])
    rows = draw(st.lists(st.lists(codes, min_size=5, max_size=5), min_size=1, max_size=12))
    frame = pd.DataFrame(rows, columns=list("abcde"), dtype="float64")
    return frame.assign(customer_id=draw(st.permutations(range(len(rows)))))


# scores


def test_a_score_is_the_mean_of_the_answered_items_after_reversal():
    scores = encoder(min_answered=0.6).fit_transform(
        survey(a=[1, NAN, NAN, 5, 3, NAN], b=[5, 3, 2, 1, 3, NAN], c=[2, 2, NAN, 4, 3, NAN])
    )
    assert scores["calm"].to_list() == pytest.approx([(1 + 1 + 2) / 3, (3 + 2) / 2, NAN, 14 / 3, 3, NAN], nan_ok=True)
    assert scores["open"].to_list() == [1.5, 5.0, 1.5, 4.0, 2.5, 3.0]
    assert scores.index.to_list() == list(range(6))


@settings(max_examples=size(5, 100))
@given(frame=surveys(), share=st.sampled_from([0.0, 0.3, 0.5, 0.6, 2 / 3, 1.0]), centre=st.booleans())
@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_scores_by_brute_force(frame, share, centre):
    scores = encoder(min_answered=share, response_style="centre" if centre else None).fit_transform(frame)
    for _, row in frame.iterrows():
        known = row[list("abcde")].dropna()
        origin = known.mean() if centre else 0.0
        for scale, keyed in TWO.items():
            answers = []
            for item in keyed:
                answer = row[item.removeprefix("-")] - origin
                turned = (-answer if centre else 6 - answer) if item.startswith("-") else answer
                answers += [] if math.isnan(turned) else [turned]
            flat = centre and len(set(known)) <= 1
            enough = len(answers) > 0 and len(answers) >= share * len(keyed) and not flat
            expected = sum(answers) / len(answers) if enough else NAN
            assert scores.loc[row["customer_id"], scale] == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=size(5, 100))
@given(frame=surveys())
@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_reversing_twice_is_the_identity(frame):
    once = encoder({"s": ["a", "b", "c"]}).fit_transform(frame)
    turned = frame.assign(**{item: 6 - frame[item] for item in "abc"})
    assert_frame_equal(encoder({"s": ["-a", "-b", "-c"]}).fit_transform(turned), once)


@settings(max_examples=size(5, 100))
@given(frame=surveys(), seed=st.integers(0, 100), centre=st.booleans())
@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_neither_the_order_of_rows_and_columns_nor_the_other_customers_matter(frame, seed, centre):
    rng = np.random.RandomState(seed)
    fitted = encoder(response_style="centre" if centre else None)
    scores = fitted.fit_transform(frame)
    shuffled = frame.iloc[rng.permutation(len(frame))][rng.permutation(frame.columns)]
    assert_frame_equal(clone(fitted).fit_transform(shuffled), scores)
    some = shuffled.head(max(1, len(frame) // 2))
    assert_frame_equal(fitted.transform(some), scores.loc[sorted(some["customer_id"])])


def test_the_answers_of_customers_at_transform_do_not_change_the_encoder():
    fitted = encoder().fit(survey())
    before = pickle.dumps(fitted)
    assert fitted.transform(survey(a=[1] * 6)).loc[0, "calm"] == pytest.approx(4 / 3)
    assert pickle.dumps(fitted) == before


@pytest.mark.parametrize("kind", ["polars", "lazy", "pyarrow", "duckdb", "nullable", "index"])
def test_every_kind_of_frame_gives_the_same(kind):
    frame = SURVEY
    polars = pl.from_pandas(frame)
    table = {
        "polars": polars,
        "lazy": polars.lazy(),
        "pyarrow": polars.to_arrow(),
        "duckdb": duckdb.from_df(frame),
        "nullable": frame.convert_dtypes(),
        "index": frame.set_index("customer_id"),
    }[kind]
    expected = encoder(SAMPLE.scales).fit(frame)
    fitted = encoder(SAMPLE.scales).fit(table)
    assert_frame_equal(fitted.reliability_, expected.reliability_)
    out = fitted.set_output(transform="pandas").transform(table)
    assert_frame_equal(out, expected.transform(frame))


def test_polars_in_polars_out_with_missing_scores_as_nulls():
    table = pl.from_pandas(survey(d=[NAN, NAN, 2, 3, 4, 5], e=[NAN, 1, 2, 3, 4, 5]))
    scores = encoder(min_answered=0.5).fit_transform(table)
    assert scores.columns == ["customer_id", "calm", "open"]
    assert scores["open"].to_list() == [None, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_units_names_and_criterion():
    fitted = encoder().fit(survey())
    assert fitted.units_ == {"calm": "points 1 to 5", "open": "points 1 to 5"}
    assert fitted.get_feature_names_out().tolist() == ["calm", "open"]
    assert fitted.feature_names_in_.tolist() == list("abcde")
    assert fitted.criterion == "psychographic"
    assert fitted.scale_range_ == (1.0, 5.0)


# reliability


@pytest.fixture(scope="module")
def bfi():
    frame = pd.read_csv(shared_data("bfi_bigfive") / "bfi.csv").iloc[:, :25]
    return frame.rename_axis("customer_id").reset_index()


BIG_FIVE = {
    "agreeableness": ["-A1", "A2", "A3", "A4", "A5"],
    "conscientiousness": ["C1", "C2", "C3", "-C4", "-C5"],
    "extraversion": ["-E1", "-E2", "E3", "E4", "E5"],
    "neuroticism": ["N1", "N2", "N3", "N4", "N5"],
    "openness": ["O1", "-O2", "O3", "O4", "-O5"],
}


def test_the_published_reliability_of_the_big_five(bfi):
    fitted = encoder(BIG_FIVE, (1, 6)).fit(bfi)
    found = fitted.reliability_
    assert found.columns.to_list() == ["alpha", "alpha_standardized", "omega", "n"]
    assert found.index.name == "scale"
    np.testing.assert_allclose(found["alpha"].head(3), [0.703018, 0.726735, 0.761733], atol=5e-7)
    np.testing.assert_allclose(found["alpha_standardized"].head(3), [0.713029, 0.730073, 0.761795], atol=5e-7)
    np.testing.assert_allclose(found["omega"].head(3), [0.723211, 0.731204, 0.763981], atol=5e-7)
    np.testing.assert_allclose(found["alpha"].tail(2), [0.814, 0.600], atol=5e-4)
    report = fitted.item_report_.loc["agreeableness"]
    assert report["reversed"].to_list() == [True, False, False, False, False]
    np.testing.assert_allclose(report["item_rest"], [0.308418, 0.563615, 0.587005, 0.394444, 0.488565], atol=5e-7)
    own = [-0.374177, 0.678674, 0.753790, 0.480337, 0.614755]
    np.testing.assert_allclose(fitted.loadings_.loc["A1":"A5", "agreeableness"], own, atol=5e-7)
    assert fitted.loadings_.loc["C1":, "agreeableness"].isna().all()


def test_the_reports_are_those_of_the_functions_on_the_reversed_items():
    items = survey().assign(b=lambda frame: 6 - frame["b"])[["a", "b", "c"]]
    fitted = encoder().fit(survey())
    expected = [cronbach_alpha(items), cronbach_alpha(items, standardized=True), mcdonald_omega(items), 6]
    assert fitted.reliability_.loc["calm"].to_list() == pytest.approx(expected)
    assert_frame_equal(fitted.item_report_.loc["calm"].drop(columns="reversed"), item_analysis(items))


def test_an_item_that_should_be_reversed_is_named_in_its_scale():
    with pytest.warns(DataQualityWarning, match="of scale 'calm' that go against the others .*'b' .*reverse it"):
        encoder({"calm": ["a", "b", "c"]}).fit(survey(a=[1, 2, 4, 5, 3, 5]))
    with pytest.warns(
        DataQualityWarning, match=r"'-c' \(-0\.84\)\. '-c' is reversed: where it should not be, write 'c'"
    ):
        encoder({"calm": ["a", "-b", "-c", "f"]}).fit(survey(f=[1, 2, 4, 5, 3, 4]))


def test_a_scale_of_one_item_has_scores_and_no_reliability():
    fitted = encoder({"calm": ["-b"]}).fit(survey())
    assert fitted.transform(survey())["calm"].to_list() == [1, 3, 4, 5, 3, 5]
    assert fitted.reliability_.loc["calm"].isna().to_list() == [True, True, True, False]
    assert fitted.item_report_.loc[("calm", "b"), "n"] == 6


def test_an_item_that_does_not_vary_is_named():
    with pytest.warns(DataQualityWarning, match="of scale 'calm' with one and the same answer from everybody: 'c'"):
        fitted = encoder().fit(survey(c=[3] * 6))
    assert fitted.reliability_.loc["calm"].isna().to_list() == [False, True, True, False]
    assert fitted.transform(survey(c=[3] * 6)).notna().all(axis=None)


def test_answers_that_are_all_missing_give_no_score_and_are_counted():
    with pytest.warns(DataQualityWarning, match="of scale 'open' that nobody answered: 'd', 'e'"):
        fitted = encoder().fit(survey(d=[None] * 6, e=[NAN] * 6))
    assert fitted.reliability_.loc["open", "n"] == 0
    assert fitted.reliability_.loc["open"].isna().sum() == 3
    assert fitted.transform(survey(d=[None] * 6, e=[NAN] * 6))["open"].isna().all()
    nothing = {item: [NAN, 1, 2, 3, 4, 5] for item in "abcde"}
    fitted = encoder({"s": ["a", "b", "c", "d", "e"]}).fit(survey(**nothing))
    assert policies(fitted)["no answer to any item"] == 1
    assert fitted.transform(survey(**nothing))["s"].isna().to_list() == [True, *[False] * 5]


def test_the_row_report_counts_who_answered_too_little():
    fitted = encoder(min_answered=1.0).fit(survey(a=[NAN, 2, 4, 5, 3, 4], e=[2, NAN, NAN, 4, 2, 3]))
    found = policies(fitted)
    assert found["fewer than 100% of the items of 'calm' answered"] == 1
    assert found["fewer than 100% of the items of 'open' answered"] == 2


def test_rows_without_an_id_are_left_out_and_counted():
    frame = survey().assign(customer_id=[0, None, 2, 3, 4, 5])
    fitted = encoder().fit(frame)
    assert fitted.row_report_.n_left_out == 1
    with pytest.warns(DataQualityWarning, match=r"1 row\(s\) have no customer id"):
        assert len(fitted.transform(frame)) == 5


# answers of other forms


def test_labelled_answers_become_codes_in_their_order_whatever_their_case():
    labels = dict(enumerate(AGREEMENT, start=1))
    text = survey().assign(**{item: survey()[item].map(labels) for item in "abcde"})
    text["a"] = text["a"].str.upper() + " "
    text["d"] = pd.Categorical(text["d"], categories=AGREEMENT[::-1])
    expected = encoder().fit(survey())
    fitted = encoder(scale_range=None, answers=AGREEMENT).fit(text)
    assert_frame_equal(fitted.transform(text), expected.transform(survey()))
    assert fitted.units_["calm"] == "points 1 to 5"
    from_zero = encoder(scale_range=(0, 4), answers=AGREEMENT).fit_transform(text)
    assert_frame_equal(from_zero, expected.transform(survey()) - 1)


def test_digits_as_text_are_codes():
    text = survey().assign(a=["1", "2", "4", "5", "3", "4"], c=pd.Categorical([2, 2, 5, 4, 3, 5]))
    assert_frame_equal(encoder().fit_transform(text), encoder().fit_transform(survey()))


def test_what_means_no_answer_is_missing_and_counted():
    frame = survey(a=[9, 2, 4, 5, 3, 4], b=["5", "3", "Don't  know", "1", "9", ""])
    fitted = encoder(dont_know=(9, "don't know")).fit(frame)
    assert policies(fitted)["an answer means that there is none"] == 3
    scores = fitted.transform(frame)["calm"]
    assert scores.to_list() == pytest.approx([(1 + 2) / 2, 7 / 3, 4.5, 14 / 3, 3, 4.5])


def test_an_answer_outside_the_range_is_named_with_its_item_and_its_rows():
    message = r"outside 1 to 5: 'a' in 2 row\(s\), for example 0; 'e' in 1 row\(s\), for example 55\. .*dont_know"
    broken = survey(a=[0, 2, 4, 5, 3, 6], e=[2, 5, 1, 4, 2, 55])
    with pytest.raises(InvalidTableError, match=message):
        encoder().fit(broken)
    fitted = encoder().fit(survey())
    with pytest.raises(InvalidTableError, match=message):
        fitted.transform(broken)
    with pytest.raises(InvalidTableError, match="'a' in 1 row.*for example inf"):
        encoder().fit(survey(a=[math.inf, 2, 4, 5, 3, 6]).assign(a=lambda frame: frame["a"].replace(6, 5)))


def test_text_that_is_no_answer_is_named_with_its_item_and_its_rows():
    with pytest.raises(
        ColumnTypeError, match=r"item 'a' holds text that is no answer in 2 row\(s\): 'agre'. .*'agree'\?"
    ):
        encoder(scale_range=None, answers=AGREEMENT).fit(survey(a=["agree", "agre", "agre", None, "agree", "agree"]))
    with pytest.raises(ColumnTypeError, match=r"in 6 row\(s\): 'yes'. List the labels"):
        encoder().fit(survey(a=["yes"] * 6))
    with pytest.raises(ColumnTypeError, match="'a' must be answers to an item"):
        encoder().fit(survey(a=pd.Timestamp("2024-01-01")))


# centring


def test_centring_warns_that_the_rows_sum_to_zero():
    with pytest.warns(DataQualityWarning, match="sum to 0 over the 5 items, so their covariance is singular"):
        fitted = encoder(response_style="centre").fit(survey())
    assert fitted.units_["calm"] == "points from own mean"
    centred = survey()[list("abcde")].sub(survey()[list("abcde")].mean(axis=1), axis=0)
    expected = (centred["a"] - centred["b"] + centred["c"]) / 3
    assert fitted.transform(survey())["calm"].to_list() == pytest.approx(expected.to_list())
    assert fitted.reliability_.loc["calm", "alpha"] == pytest.approx(
        cronbach_alpha(centred.assign(b=-centred["b"])[["a", "b", "c"]])
    )


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_agreeing_with_everything_a_little_more_changes_no_centred_score():
    one = survey().assign(**{item: survey()[item].clip(2, 4) for item in "abcde"})
    more = one.assign(**{item: one[item] + 1 for item in "abcde"})
    fitted = encoder(response_style="centre").fit(one)
    assert_frame_equal(fitted.transform(one), fitted.transform(more))


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_straight_liners_have_no_scores_under_centring_and_are_counted():
    flat = survey(a=[3, 2, 4, 5, 3, 4], b=[3, 3, 2, 1, 3, 1], c=[3, 2, 5, 4, 3, 5], d=[3, 5, 2, 4, 3, 3])
    flat["e"] = [3, 5, 1, 4, 3, NAN]
    fitted = encoder(response_style="centre").fit(flat)
    assert policies(fitted)["one and the same answer to every item"] == 2
    assert fitted.transform(flat)["calm"].isna().to_list() == [True, False, False, False, True, False]
    assert encoder().fit_transform(flat).notna().all(axis=None)


# discovery


def test_discovery_finds_the_planted_scales():
    fitted = PsychographicEncoder(scale_range=(1, 5), random_state=0).fit(SURVEY)
    found = {frozenset(scale) for scale in fitted.scales_.values()}
    turned = {frozenset(item[1:] if item[0] == "-" else f"-{item}" for item in scale) for scale in found}
    for scale in SAMPLE.scales.values():
        assert frozenset(scale) in found | turned
    assert fitted.parallel_analysis_.n_factors == 3
    assert list(fitted.units_) == list(fitted.scales_) == fitted.loadings_.columns.to_list()
    again = encoder(fitted.scales_).fit(SURVEY)
    assert_frame_equal(again.transform(SURVEY), fitted.transform(SURVEY))
    assert_frame_equal(again.reliability_, fitted.reliability_)


def test_the_big_five_are_discovered(bfi):
    fitted = PsychographicEncoder(scale_range=(1, 6), random_state=0).fit(bfi)
    assert {frozenset(scale) for scale in fitted.scales_.values()} == set(map(frozenset, BIG_FIVE.values()))
    assert fitted.parallel_analysis_.n_factors == 6
    assert fitted.loadings_.shape == (25, 6)


def test_factors_of_young_people_that_a_reader_recognises():
    folder = shared_data("young_people_survey")
    responses = pd.read_csv(folder / "responses.csv").select_dtypes("number").rename_axis("customer_id").copy()
    personality = list(responses.loc[:, "Daily events":"Questionnaires or polls"])
    fitted = PsychographicEncoder(items=personality, scale_range=(1, 5), random_state=0).fit(responses)
    scales = [set(scale) for scale in fitted.scales_.values()]
    for recognised in (
        {"Energy levels", "Socializing", "Number of friends", "-Public speaking"},
        {"Workaholism", "Prioritising workload", "-Cheating in school"},
        {"Loneliness", "-Happiness in life"},
        {"Final judgement", "God"},
        {"Getting angry", "Mood swings", "-Waiting"},
        {"Keeping promises", "Reliability"},
    ):
        assert any(recognised <= scale for scale in scales), recognised


@given(seed=st.integers(0, 1000))
@settings(max_examples=size(2, 8))
def test_discovery_does_not_depend_on_the_order_of_rows_and_columns(seed):
    rng = np.random.RandomState(seed)
    shuffled = SURVEY.iloc[rng.permutation(len(SURVEY))][rng.permutation(SURVEY.columns)]
    one = PsychographicEncoder(scale_range=(1, 5), random_state=1).fit(SURVEY)
    other = PsychographicEncoder(scale_range=(1, 5), random_state=1).fit(shuffled)
    assert one.scales_ == other.scales_
    assert_frame_equal(one.loadings_, other.loadings_, check_exact=True)
    assert_frame_equal(one.transform(SURVEY), other.transform(shuffled), check_exact=True)
    assert_frame_equal(one.transform(shuffled), other.transform(SURVEY), check_exact=True)


def test_items_that_belong_to_no_scale_are_counted():
    noise = np.random.RandomState(0).randint(1, 6, len(SURVEY)) + 0.0
    noise[:7] = NAN
    fitted = PsychographicEncoder(scale_range=(1, 5), n_factors=3).fit(SURVEY.assign(zz=noise))
    assert policies(fitted)["answers to items of no scale: 'zz'"] == len(SURVEY) - 7
    assert fitted.loadings_.index[-1] == "zz"
    assert not hasattr(fitted, "parallel_analysis_")


def test_only_the_named_items_are_used():
    items = [column for column in SURVEY if column.startswith(("price", "novelty"))]
    fitted = PsychographicEncoder(items=items, scale_range=(1, 5), n_factors=2).fit(SURVEY.assign(city="Bern"))
    assert sorted(fitted.feature_names_in_) == sorted(items)
    assert len(fitted.scales_) == 2


def test_an_item_to_discover_among_that_is_not_there():
    with pytest.raises(ColumnNotFoundError, match="'price_9' not found"):
        PsychographicEncoder(items=["price_1", "price_9"], scale_range=(1, 5)).fit(SURVEY)


def test_discovery_that_finds_nothing_says_so():
    rng = np.random.RandomState(3)
    noise = pd.DataFrame(rng.randint(1, 6, (200, 5)), columns=list("abcde")).assign(customer_id=range(200))
    with pytest.raises(InfeasibleError, match="no factor of the 5 items exceeds chance"):
        PsychographicEncoder(scale_range=(1, 5), random_state=0).fit(noise)
    with pytest.raises(InfeasibleError, match="none of the 2 factor"):
        PsychographicEncoder(scale_range=(1, 5), n_factors=2, min_loading=1.0).fit(noise)
    with pytest.raises(InvalidParameterError, match="'n_factors' must be at most the 5 items, got 6"):
        PsychographicEncoder(scale_range=(1, 5), n_factors=6).fit(noise)
    with pytest.raises(InvalidTableError, match="no correlation: 'a'"):
        PsychographicEncoder(scale_range=(1, 5)).fit(noise.assign(a=3))
    with pytest.raises(InvalidTableError, match="'-a' begin with a minus sign"):
        PsychographicEncoder(scale_range=(1, 5)).fit(noise.rename(columns={"a": "-a"}))


# bad input


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        ({"calm": ["a", "-a"]}, "item 'a' twice in scale 'calm'"),
        ({"calm": ["a", "b"], "open": ["-b", "c"]}, "item 'b' in 'calm' and in 'open'"),
        ({"calm": []}, "'scales' must be None or a dict of scale names to lists of items"),
        ({"calm": ["-"]}, "'scales' must be"),
        ({"calm": "ab"}, "'scales' must be"),
        ({}, "'scales' must be"),
        ({"calm": ["customer_id"]}, "names 'customer_id', which is the column of customer ids"),
        ({"customer_id": ["a"]}, "names 'customer_id'"),
    ],
)
def test_scales_that_cannot_be_are_refused(scales, message):
    with pytest.raises(InvalidParameterError, match=f"PsychographicEncoder: .*{message}"):
        encoder(scales).fit(survey())


def test_a_reverse_key_naming_an_item_that_is_not_there():
    with pytest.raises(ColumnNotFoundError, match="'ab' not found.*minus sign is no part of the name"):
        encoder({"calm": ["a", "-ab"]}).fit(survey())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scale_range": None}, "'scale_range' must be given unless answers"),
        ({"scale_range": (5, 1)}, "'scale_range' must be None or a pair"),
        ({"scale_range": (1, 4), "answers": AGREEMENT}, r"answers lists 5 labels, scale_range=\(1, 4\) has 4 codes"),
        ({"answers": ("agree", "Agree ")}, "'answers' must be None or a sequence of at least two different"),
        ({"min_answered": 1.2}, "'min_answered' must be a number in"),
        ({"response_style": "center"}, "'response_style' must be None or 'centre'"),
        ({"n_factors": 0}, "'n_factors' must be 'parallel' or an integer"),
        ({"dont_know": 9}, "'dont_know' must be a sequence"),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(InvalidParameterError, match=message):
        encoder(**parameters).fit(survey())


def test_other_columns_at_transform():
    fitted = encoder().fit(survey())
    with pytest.raises(ColumnNotFoundError, match="'d' not found"):
        fitted.transform(survey().drop(columns="d"))
    assert_frame_equal(fitted.transform(survey(more=[1] * 6)), fitted.transform(survey()))
    with pytest.raises(CustomerIdError, match=r"1 row\(s\) repeat|2 row\(s\) repeat"):
        fitted.transform(survey(customer_id=[0, 0, 1, 2, 3, 4]))
    discovered = PsychographicEncoder(scale_range=(1, 5), random_state=0).fit(SURVEY)
    with pytest.raises(ColumnChangeError):
        discovered.transform(SURVEY.drop(columns="price_1"))


def test_one_customer_can_be_fitted_and_has_no_reliability():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        fitted = encoder().fit(survey().head(1))
    assert fitted.reliability_[["alpha", "alpha_standardized", "omega"]].isna().all(axis=None)
    assert len(fitted.transform(survey())) == 6


# ordered categories


def labelled(kind):
    """The survey in labels, as categories that carry their order."""
    text = survey().set_index("customer_id").apply(lambda column: [AGREEMENT[int(code) - 1] for code in column])
    dtype = pd.CategoricalDtype(AGREEMENT, ordered=True)
    if kind == "polars":
        return pl.from_pandas(text.reset_index()).with_columns(pl.col(*"abcde").cast(pl.Enum(AGREEMENT)))
    table = text.astype(dtype).reset_index()
    return pa.Table.from_pandas(table, preserve_index=False) if kind == "pyarrow" else table


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_ordered_categories_are_answers_in_their_order(kind):
    codes = encoder().fit_transform(survey())
    fitted = PsychographicEncoder(TWO).fit(labelled(kind))
    assert fitted.answers_ == AGREEMENT
    assert fitted.scale_range_ == (1, 5)
    assert fitted.units_ == dict.fromkeys(TWO, "points 1 to 5")
    found = comparable(fitted.transform(labelled(kind))).set_index("customer_id")
    assert_frame_equal(found, codes, check_index_type=False, check_dtype=False)
    # text of the same labels is read alike, whatever table comes later
    assert_frame_equal(fitted.transform(labelled("pandas").astype("str").astype({"customer_id": int})), codes)
    shifted = PsychographicEncoder(TWO, scale_range=(0, 4)).fit_transform(labelled("pandas"))
    assert_frame_equal(shifted, codes - 1)


def test_the_order_is_that_of_the_categories_and_not_of_the_alphabet():
    reversed_dtype = pd.CategoricalDtype(AGREEMENT[::-1], ordered=True)
    table = labelled("pandas").astype(dict.fromkeys("abcde", reversed_dtype))
    assert_frame_equal(PsychographicEncoder(TWO).fit_transform(table), 6 - encoder().fit_transform(survey()))
    # what is said overrules what the table says
    given = PsychographicEncoder(TWO, answers=AGREEMENT).fit(table)
    assert_frame_equal(given.transform(table), encoder().fit_transform(survey()))
    assert given.answers_ == AGREEMENT


def test_a_category_that_means_no_answer_is_no_label():
    dtype = pd.CategoricalDtype([*AGREEMENT, "don't know"], ordered=True)
    table = labelled("pandas").astype(dict.fromkeys("abcde", dtype))
    table.loc[0, "a"] = "don't know"
    fitted = PsychographicEncoder(TWO, dont_know=["don't know"]).fit(table)
    assert fitted.scale_range_ == (1, 5)
    assert_frame_equal(fitted.transform(table), encoder().fit_transform(survey().assign(a=[NAN, *survey()["a"][1:]])))


def test_categories_that_are_numbers_are_codes():
    dtype = pd.CategoricalDtype([1, 2, 4, 5], ordered=True)
    coded = survey().assign(a=pd.Series([1, 2, 4, 5, 4, 4], dtype=dtype))
    expected = encoder().fit_transform(survey().assign(a=[1.0, 2, 4, 5, 4, 4]))
    fitted = encoder().fit(coded)
    assert fitted.answers_ is None
    assert_frame_equal(fitted.transform(coded), expected)
    with pytest.raises(InvalidParameterError, match="'scale_range' must be given unless"):
        PsychographicEncoder(TWO).fit(coded)


def test_items_of_different_labels_are_refused_and_no_order_is_asked_for():
    other = pd.CategoricalDtype([*AGREEMENT, "completely agree"], ordered=True)
    with pytest.raises(
        InvalidTableError, match=r"item 'a' are 'strongly disagree'.*those of 'c' .*say answers=\(\.\.\.\)"
    ):
        PsychographicEncoder(TWO).fit(labelled("pandas").astype({"c": other}))
    unordered = labelled("pandas").astype(dict.fromkeys("abcde", "category"))
    unordered = unordered.assign(**{item: unordered[item].cat.as_unordered() for item in "abcde"})
    with pytest.raises(InvalidParameterError, match="or the items are ordered categories"):
        PsychographicEncoder(TWO).fit(unordered)
    # one encoder, another survey
    again = PsychographicEncoder(TWO).fit(labelled("pandas"))
    with pytest.raises(InvalidParameterError, match="'scale_range' must be given"):
        again.fit(unordered)


def test_before_fit_the_unit_is_points_and_scales_may_be_discovered():
    assert set(PsychographicEncoder(TWO).describe()["unit"]) == {"points"}
    sample = SAMPLE.survey.set_index("customer_id")
    names = {code: AGREEMENT[code - 1] for code in range(1, 6)}
    table = sample.apply(lambda column: column.map(names)).astype(pd.CategoricalDtype(AGREEMENT, ordered=True))
    found = PsychographicEncoder(n_factors=3, random_state=0).fit(table.reset_index())
    assert (
        found.scales_
        == PsychographicEncoder(n_factors=3, scale_range=(1, 5), random_state=0).fit(SAMPLE.survey).scales_
    )
