"""Rounding is no difference: float noise leaves labels, names, scores and numbers of segments as they are."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from custseg.characteristics import (
    DemographicEncoder,
    RFMFeaturizer,
    RFMScorer,
    careless_responses,
    factorability,
    item_analysis,
)
from custseg.exceptions import DataQualityWarning, InvalidTableError
from custseg.personas import describe_segments
from custseg.segmentation import (
    CharacteristicEmbedder,
    KPrototypesClusterer,
    LatentClassClusterer,
    RFMSegmenter,
    Rule,
    RuleFilter,
    RuleSegmenter,
    Segmentation,
    SegmentClusterer,
)
from custseg.validation import segment_separation, structure_test
from tests.engines import ENGINES, comparable, from_duckdb
from tests.sizes import size

pytestmark = pytest.mark.sampled

LAST_DIGIT = (9.99, 9.989999999999998)
few = settings(max_examples=size(5, 30))


def customers(seed: int, n: int = 60, *, constant: bool = True) -> pd.DataFrame:
    """Two groups by recency and frequency; everybody pays the same, or a price of five."""
    random = np.random.default_rng(seed)
    group = np.arange(n) % 2
    return pd.DataFrame(
        {
            "recency": np.round(random.normal(40 + 200 * group, 12), 2),
            "frequency": random.integers(1, 4, n) + 9.0 * (1 - group),
            "monetary": 9.99 if constant else random.choice([4.95, 9.99, 14.85, 19.9, 33.3], n),
        },
        index=pd.Index(np.arange(n), name="customer_id"),
    )


def noisy(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return table * (1 + 1e-12 * np.random.default_rng(seed).uniform(-1, 1, table.shape))


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        return function(*arguments, **options)


SEGMENTERS = {
    "k-means": SegmentClusterer(2, random_state=0),
    "weighted": SegmentClusterer(3, weights={"monetary": 5}, random_state=0),
    "latent classes": LatentClassClusterer(2, random_state=0),
    "k-prototypes": KPrototypesClusterer(2, random_state=0),
    "k-prototypes unscaled": KPrototypesClusterer(2, scaling=None, random_state=0),
    "RFM": RFMSegmenter(),
    "rules": RuleSegmenter(
        {
            "one price": "monetary == 9.99 and recency > 100",
            "dear": "monetary >= 14.85",
            "listed": "monetary in [4.95, 19.9]",
        }
    ),
}


@pytest.mark.parametrize("name", SEGMENTERS)
@few
@given(seed=st.integers(0, 9), noise=st.integers(0, 10**6), constant=st.booleans())
@example(seed=0, noise=0, constant=True)
@example(seed=0, noise=0, constant=False)
def test_noise_leaves_segments_as_they_are(name, seed, noise, constant):
    segmenter, table = SEGMENTERS[name], customers(seed, constant=constant)
    other = noisy(table, noise)
    expected = quietly(segmenter.fit, table).labels_
    np.testing.assert_array_equal(segmenter.predict(other), expected)
    np.testing.assert_array_equal(quietly(segmenter.fit, other).labels_, expected)
    np.testing.assert_array_equal(segmenter.predict(other), expected)


@few
@given(seed=st.integers(0, 9), noise=st.integers(0, 10**6), constant=st.booleans())
def test_noise_leaves_names_and_traits_as_they_are(seed, noise, constant):
    table = customers(seed, constant=constant)
    labels = (table["recency"] > 140).astype(int).to_numpy()
    one, other = (describe_segments(Segmentation.of(each, labels)).describer for each in (table, noisy(table, noise)))
    assert one.segment_names_ == other.segment_names_
    for left, right in zip(one.personas_, other.personas_, strict=True):
        assert [trait.text for trait in left.traits] == [trait.text for trait in right.traits]


@few
@given(seed=st.integers(0, 9), noise=st.integers(0, 10**6), constant=st.booleans())
def test_noise_leaves_scores_as_they_are(seed, noise, constant):
    table = customers(seed, constant=constant)
    other = noisy(table, noise)
    expected = RFMScorer().fit_transform(table)
    pd.testing.assert_frame_equal(RFMScorer().fit_transform(other), expected)
    pd.testing.assert_frame_equal(RFMScorer().fit(table).transform(other), expected)
    given = RFMScorer(edges={"monetary": [4.95, 9.99, 14.85]})
    pd.testing.assert_frame_equal(given.fit_transform(other), given.fit_transform(table))


def last_digits(n: int = 60) -> pd.DataFrame:
    """Everybody pays 9.99, half of them but for the last digit, whatever else they do."""
    table = customers(1, n)
    return table.assign(monetary=np.repeat(LAST_DIGIT, n // 2))


def test_a_constant_is_constant_but_for_rounding():
    table = last_digits()
    embedder = CharacteristicEmbedder()
    with pytest.warns(DataQualityWarning, match="monetary"):
        points = embedder.fit_transform(table)
    assert (points[:, embedder.get_feature_names_out().tolist().index("monetary")] == 0).all()
    assert set(RFMScorer().fit_transform(table)["monetary_score"]) == {1}
    segments = Segmentation.of(table[["monetary"]], np.repeat([0, 1], 30))
    personas = describe_segments(segments)
    assert [persona.traits for persona in personas.personas] == [(), ()]
    assert all(name.startswith("Average customers") for name in personas.describer.segment_names_)


def test_what_rounding_separates_is_not_separated():
    table = last_digits()
    found = quietly(segment_separation, table, np.arange(60) % 2).characteristics.set_index("characteristic")
    assert np.isnan(found.loc["monetary", "eta2"])
    assert found.loc["recency", "eta2"] > 0.9


def test_no_structure_is_made_of_rounding():
    random = np.random.default_rng(3)
    table = pd.DataFrame(random.normal(size=(200, 2)), columns=["x", "y"]).assign(a=random.choice(LAST_DIGIT, 200))
    plain = table.assign(a=9.99)
    options = {"n_draws": 19, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        assert structure_test(table, **options).p_value == structure_test(plain, **options).p_value
        assert SegmentClusterer("auto", random_state=0, customer_id=None).fit(table).n_segments_ == 1


@pytest.mark.parametrize("rule", ["monetary >= 9.99", "monetary == 9.99", "monetary in [4.95, 9.99]"])
def test_a_rule_takes_rounding_for_no_difference_and_so_does_its_sql(rule):
    table = last_digits().reset_index()
    segmenter = RuleSegmenter({"all": rule}).fit(table)
    assert set(segmenter.labels_) == {0}
    assert set(segmenter.predict(table)) == {0}
    relation = from_duckdb(table)
    found = relation.project(f"{segmenter.to_sql()} AS segment").fetchall()
    assert {row[0] for row in found} == {0}
    assert RuleFilter(Rule.read(rule), table).matches(table).all()
    opposite = {"monetary >= 9.99": "monetary < 9.99", "monetary == 9.99": "monetary != 9.99"}.get(
        rule, "monetary not in [4.95, 9.99]"
    )
    assert set(RuleSegmenter({"none": opposite}).fit(table).labels_) == {-1}


def test_one_price_gives_one_score_from_the_lines_on():
    rows = [(customer, day) for customer in range(1, 61) for day in range(customer)]
    lines = pd.DataFrame(rows, columns=["customer_id", "day"]).assign(amount=9.99)
    lines["timestamp"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(lines.pop("day"), "D")
    scores = RFMScorer().fit_transform(RFMFeaturizer().fit_transform(lines))
    assert len(set(scores["monetary_score"])) == 1


def test_given_cuts_of_scores_have_room_for_rounding_in_sql_too():
    table = last_digits().assign(monetary=lambda rows: np.where(rows.index % 2, 9.99, 9.990000000000002))
    edges = {"recency": [10, 20, 30, 400], "frequency": [0.5, 0.6, 0.7, 0.8], "monetary": [1, 2, 3, 9.99]}
    segmenter = RFMSegmenter(edges=edges).fit(table)
    relation = from_duckdb(table.reset_index())
    found = relation.order("customer_id").project(f"{segmenter.to_sql()} AS segment").fetchall()
    np.testing.assert_array_equal(segmenter.labels_, [row[0] for row in found])
    np.testing.assert_array_equal(segmenter.labels_, segmenter.fit(table.assign(monetary=9.99)).labels_)


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_prices_of_32_bits_are_what_was_written(engine):
    """9.99 of 32 bits, and its neighbours there, are 9.99 in rules, their SQL, scores and names."""
    price = np.float32(9.99)
    around = np.array([np.nextafter(price, np.float32(0)), price, np.nextafter(price, np.float32(20))])
    table = pd.DataFrame({"customer_id": range(60), "recency": 1.0, "frequency": 1, "monetary": np.tile(around, 20)})
    read = ENGINES[engine](table)
    for rule, met in (("monetary == 9.99", 0), ("monetary > 9.99", -1), ("monetary in [9.99, 5]", 0)):
        segmenter = RuleSegmenter({"all": rule}).fit(read)
        assert set(segmenter.labels_) == set(segmenter.predict(read)) == {met}
        found = from_duckdb(table).project(f"{segmenter.to_sql()} AS segment").fetchall()
        assert {row[0] for row in found} == {met}
    scorer = RFMScorer(edges={"monetary": [9.99]})
    scores = scorer.set_output(transform="pandas").fit_transform(read)
    assert set(scores["monetary_score"]) == {1}
    labels = np.repeat([0, 1, 2], 20)
    same = table.assign(monetary=np.sort(table["monetary"]))
    personas = describe_segments(Segmentation.of(same[["monetary"]], labels)).personas
    assert [persona.traits for persona in personas] == [(), (), ()]
    matrix = around[np.arange(60) % 3][:, None]
    assert set(RuleSegmenter({"all": "x0 == 9.99"}).fit(matrix).labels_) == {0}


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_amounts_of_32_bits_add_up_to_equal_sums(engine):
    amounts = np.array([0.1, 0.2, 0.3, 0.2, 0.2, 0.2], dtype="float32")
    lines = pd.DataFrame({"customer_id": np.repeat([1, 2], 3), "amount": amounts})
    lines["timestamp"] = pd.date_range("2024-01-01", periods=6)
    spend = comparable(RFMFeaturizer().fit_transform(ENGINES[engine](lines)))["monetary"]
    assert spend.tolist() == [0.2, 0.2]
    incomes = pd.DataFrame({"customer_id": [1, 2], "income": np.array([0.1, 9.99], dtype="float32")})
    assert comparable(DemographicEncoder().fit_transform(ENGINES[engine](incomes)))["income"].tolist() == [0.1, 9.99]


def test_survey_answers_that_differ_by_rounding_are_equal():
    random = np.random.default_rng(0)
    answers = pd.DataFrame(random.integers(1, 6, (80, 4)) / 4, columns=list("abcd"))
    other = noisy(answers, 1)
    pd.testing.assert_frame_equal(careless_responses(other).astype(float), careless_responses(answers).astype(float))
    steady = noisy(pd.DataFrame(0.3, index=range(20), columns=list("abcd")), 2)
    assert quietly(careless_responses, steady)["longest_run"].eq(4).all()
    assert quietly(careless_responses, steady)["low_variability"].all()
    constant = other.assign(d=random.choice(LAST_DIGIT, 80))
    assert quietly(item_analysis, constant).loc["d", "sd"] == 0
    with pytest.raises(InvalidTableError, match="two different answers.*'d'"):
        factorability(constant)
