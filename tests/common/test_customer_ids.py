"""One rule says which customer a row is, wherever customers are read: column, index level, or the row itself."""

from __future__ import annotations

import inspect
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from custseg import CharacteristicUnion, DemographicEncoder, SegmentClusterer
from custseg.characteristics import (
    best_worst_counts,
    careless_responses,
    cronbach_alpha,
    factorability,
    item_analysis,
    join_responses,
    mcdonald_omega,
    parallel_analysis,
    split_transactions,
)
from custseg.exceptions import ColumnNotFoundError, CustomerIdError, InvalidParameterError, InvalidTableError
from custseg.personas import profile_segments
from custseg.weighting import best_worst_weights, constant_sum_weights, rating_agreement, rating_weights
from tests.common.cases import CASES, SAMPLE
from tests.common.discovery import public_functions
from tests.engines import ENGINES, comparable, output_kind
from tests.sizes import size

pytestmark = [pytest.mark.sampled, pytest.mark.thorough]

ID = "customer_id"
FRAMES = size(["pandas", "polars lazy", "duckdb", "parquet"], [name for name in ENGINES if name != "spark"])
# the files of a folder come in the order of their names, which is not that of the rows
IN_ORDER = [name for name in FRAMES if name != "parquet folder"]

# tables in time, of which a customer has several rows
IN_TIME = {
    "CampaignResponseFeaturizer",
    "PurchaseBehaviorFeaturizer",
    "PurchasePathFeaturizer",
    "RFMFeaturizer",
    "SocialMediaFeaturizer",
}
# their characteristics say whose their rows are; of a study's ready table see tests/study/test_ready_table.py
JOINS = {"CharacteristicUnion", "SegmentationStudy"}
BY_ROW = sorted(
    name for name, case in CASES.items() if ID in case.estimator.get_params(deep=False) and name not in IN_TIME | JOINS
)
NEED_IDS = [
    "DemographicEncoder",
    "GeographicEncoder",
    "MultiSelectEncoder",
    "PreferenceEncoder",
    "PsychographicEncoder",
]
GIVE_IDS = [*NEED_IDS, "RFMScorer"]

RANDOM = np.random.default_rng(0)
LIKING = RANDOM.integers(2, 5, 60)
ANSWERS = pd.DataFrame({name: LIKING + RANDOM.integers(-1, 2, 60) for name in "abcd"})
CHOICES = pd.DataFrame({"a": ["x", "x", "y"], "b": ["y", "z", "z"], "best": ["x", "z", "y"], "worst": ["y", "x", "z"]})
SETS = {"shown": ["a", "b"], "best": "best", "worst": "worst"}
POINTS = pd.DataFrame({"price": [60.0, 50.0, 70.0, 60.0], "taste": [30.0, 40.0, 20.0, 30.0], "origin": [10.0] * 4})

# what each function says of a table whose rows are customers
FUNCTIONS = {
    "best_worst_counts": lambda customer_id: best_worst_counts(CHOICES, **SETS, customer_id=customer_id),
    "best_worst_weights": lambda customer_id: best_worst_weights(
        CHOICES, **SETS, intervals="standard_error", customer_id=customer_id
    ),
    "careless_responses": lambda customer_id: careless_responses(ANSWERS, customer_id=customer_id),
    "constant_sum_weights": lambda customer_id: constant_sum_weights(POINTS, customer_id=customer_id),
    "cronbach_alpha": lambda customer_id: cronbach_alpha(ANSWERS, customer_id=customer_id),
    "factorability": lambda customer_id: factorability(ANSWERS, customer_id=customer_id),
    "item_analysis": lambda customer_id: item_analysis(ANSWERS, customer_id=customer_id),
    "mcdonald_omega": lambda customer_id: mcdonald_omega(ANSWERS, customer_id=customer_id),
    "parallel_analysis": lambda customer_id: parallel_analysis(
        ANSWERS, n_draws=5, random_state=0, customer_id=customer_id
    ),
    "profile_segments": lambda customer_id: profile_segments(
        ANSWERS, np.arange(60) % 2, customer_id=customer_id
    ).to_frame(),
    "rating_agreement": lambda customer_id: rating_agreement(POINTS, customer_id=customer_id),
    "rating_weights": lambda customer_id: rating_weights(POINTS // 10, scale_range=(0, 10), customer_id=customer_id),
}
PURCHASES = {
    "join_responses": lambda customer_id: join_responses(
        SAMPLE.campaign, SAMPLE.campaign, customer_id=customer_id, campaign="campaign"
    ),
    "split_transactions": lambda customer_id: split_transactions(
        SAMPLE.transactions, at="2024-01-01", customer_id=customer_id
    ),
}


def without_ids(name):
    """The data of a case without ids: its columns, under an index of other values in another order."""
    data = CASES[name].data
    data = data.drop(columns=ID, errors="ignore")
    index = pd.Index([f"c{(7 * place) % len(data):03d}" for place in range(len(data))], name="who")
    assert index.is_unique
    return data.set_axis(index)


def by_row(name):
    return clone(CASES[name].estimator).set_params(customer_id=None)


def numbered(name):
    """The same table with a column of ids, which count its rows."""
    data = without_ids(name).reset_index(drop=True)
    return data.rename_axis(ID).reset_index()


@cache
def numbered_output(name):
    """What an estimator makes of that table, with the ids in a column."""
    table = numbered(name)
    return clone(CASES[name].estimator).fit(table).transform(table).rename_axis(ID).reset_index()


@pytest.mark.parametrize("name", BY_ROW)
def test_each_row_can_be_a_customer(name):
    table = without_ids(name)
    fitted = by_row(name).fit(table)
    with_ids = clone(CASES[name].estimator).fit(numbered(name))
    if not hasattr(fitted, "transform"):
        pd.testing.assert_frame_equal(fitted.to_frame(), with_ids.to_frame())
        return
    output = fitted.transform(table)
    expected = with_ids.transform(numbered(name))
    if isinstance(output, pd.DataFrame):
        # the index of the table is what its rows are called, in its order
        pd.testing.assert_index_equal(output.index, table.index)
        output, expected = (
            output.reset_index(drop=True),
            expected.reset_index(drop=True).drop(columns=ID, errors="ignore"),
        )
    pd.testing.assert_frame_equal(pd.DataFrame(output), pd.DataFrame(expected))


@pytest.mark.thorough
@pytest.mark.parametrize("engine", IN_ORDER)
@pytest.mark.parametrize("name", GIVE_IDS)
def test_rows_of_other_frames_are_numbered_from_0(name, engine):
    plain = without_ids(name).reset_index(drop=True)
    table = ENGINES[engine](plain)
    fitted = by_row(name).fit(table)
    output = fitted.transform(table)
    if name in NEED_IDS:
        assert type(output).__module__.partition(".")[0] == output_kind(engine)
    if isinstance(output, pd.DataFrame):
        assert output.index.tolist() == list(range(len(plain)))
        assert output.index.name == (None if engine == "pandas" else ID)
        output = output.rename_axis(ID).reset_index()
    expected = numbered_output(name)
    pd.testing.assert_frame_equal(comparable(output), comparable(expected[list(comparable(output))]))


@pytest.mark.parametrize("name", BY_ROW)
def test_an_index_that_repeats_itself_numbers_nobody(name):
    table = without_ids(name)
    table.index = table.index[[0, *range(len(table) - 1)]]
    estimator = by_row(name)
    if name == "RFMScorer":  # which looks at the index only where it writes
        estimator.fit(table)
    with pytest.raises(CustomerIdError, match=r"repeats a value in 1 row.*reset_index\(drop=True\)"):
        estimator.transform(table) if name == "RFMScorer" else estimator.fit(table)


@pytest.mark.parametrize("name", [*BY_ROW])
@pytest.mark.parametrize("customer_id", [ID, None])
def test_an_index_of_several_levels_names_nobody(name, customer_id):
    table = without_ids(name)
    table.index = pd.MultiIndex.from_product([["a"], table.index], names=["shop", ID])
    estimator = clone(CASES[name].estimator).set_params(customer_id=customer_id)
    with pytest.raises(CustomerIdError, match=r"several levels \('shop', 'customer_id'\).*reset_index\(\)"):
        estimator.fit(table).transform(table)


@pytest.mark.thorough
@pytest.mark.parametrize("engine", FRAMES)
@pytest.mark.parametrize("name", NEED_IDS)
def test_a_missing_column_of_ids_says_both_ways_out(name, engine):
    table = without_ids(name).reset_index(drop=True)
    table["customerid"] = range(len(table))
    message = r"'customer_id' not found.*Did you mean 'customerid'\?.*customer_id='\.\.\.'.*customer_id=None"
    with pytest.raises(ColumnNotFoundError, match=message):
        clone(CASES[name].estimator).fit(ENGINES[engine](table))


@pytest.mark.parametrize("name", sorted(set(BY_ROW) - set(NEED_IDS)))
def test_a_name_that_was_chosen_must_be_there(name):
    with pytest.raises(ColumnNotFoundError, match=r"'nobody' not found.*customer_id=None"):
        clone(CASES[name].estimator).set_params(customer_id="nobody").fit(without_ids(name))


@pytest.mark.parametrize("name", BY_ROW)
def test_an_index_level_of_the_name_is_as_good_as_the_column(name):
    column, level = numbered(name), numbered(name).set_index(ID)
    fitted = [clone(CASES[name].estimator).fit(table) for table in (column, level)]
    if hasattr(fitted[0], "predict"):
        labels = [each.predict(table) for each, table in zip(fitted, (column, level), strict=True)]
        np.testing.assert_array_equal(*labels)
    elif name in GIVE_IDS:
        outputs = [each.transform(table) for each, table in zip(fitted, (column, level), strict=True)]
        pd.testing.assert_frame_equal(*outputs)
    else:
        assert list(fitted[0].feature_names_in_) == list(fitted[1].feature_names_in_)


@settings(max_examples=size(5, 100))
@given(
    ids=st.lists(st.integers(-(2**40), 2**40), min_size=1, unique=True)
    | st.lists(st.text("abc", min_size=1), min_size=1, unique=True)
)
def test_a_level_and_a_column_of_any_ids_give_the_same(ids):
    table = pd.DataFrame({"person": ids, "age": range(len(ids))})
    encoder = DemographicEncoder(customer_id="person")
    by_column, by_level = encoder.fit_transform(table), encoder.fit_transform(table.set_index("person"))
    pd.testing.assert_frame_equal(by_column, by_level)
    named = encoder.set_params(customer_id=None).fit_transform(table.set_index("person"))
    pd.testing.assert_frame_equal(named.sort_index(), by_column, check_index_type=False)
    assert named.index.tolist() == ids


@pytest.mark.parametrize("name", sorted(IN_TIME))
def test_a_table_in_time_must_say_whose_each_row_is(name):
    case = CASES[name]
    with pytest.raises(InvalidParameterError, match="several rows of one customer, so each must say whose it is, got"):
        clone(case.estimator).set_params(customer_id=None).fit(case.data)


@pytest.mark.parametrize("name", sorted(PURCHASES))
def test_a_function_over_a_table_in_time_must_know_whose_each_row_is(name):
    with pytest.raises(InvalidParameterError, match="several rows of one customer"):
        PURCHASES[name](None)


def test_every_function_that_reads_customers_is_here():
    named = {thing.__name__ for thing in public_functions().values() if ID in inspect.signature(thing).parameters}
    # whose None is the name that the estimator has
    assert named - {"assign_segments", "write_segments"} == {*FUNCTIONS, *PURCHASES}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_row_is_a_respondent(name):
    if name.startswith("best_worst"):
        with pytest.raises(ColumnNotFoundError, match="customer_id=None"):
            FUNCTIONS[name](ID)
        assert FUNCTIONS[name](None) is not None
        return
    by_default, by_rows = FUNCTIONS[name](ID), FUNCTIONS[name](None)
    if isinstance(by_rows, pd.DataFrame):
        pd.testing.assert_frame_equal(by_rows, by_default)
    else:
        assert str(by_rows) == str(by_default)
    with pytest.raises(ColumnNotFoundError, match="'person' not found"):
        FUNCTIONS[name]("person")


@pytest.mark.thorough
@pytest.mark.parametrize("engine", IN_ORDER)
def test_choice_sets_and_answers_of_every_frame_are_numbered(engine):
    counts = best_worst_counts(ENGINES[engine](CHOICES), **SETS, customer_id=None)
    counts = counts.rename_axis(ID).reset_index() if isinstance(counts, pd.DataFrame) else comparable(counts)
    assert counts[ID].tolist() == [0, 1, 2]
    assert counts["best_x"].tolist() == [1, 0, 0]
    signs = careless_responses(ENGINES[engine](ANSWERS), customer_id=None)
    pd.testing.assert_frame_equal(signs, careless_responses(ANSWERS, customer_id=None))
    assert item_analysis(ENGINES[engine](ANSWERS), customer_id=None).equals(item_analysis(ANSWERS, customer_id=None))


def test_a_dask_index_of_the_name_holds_the_ids():
    table = numbered("DemographicEncoder").set_index(ID)
    lazy = ENGINES["dask"](table)
    pd.testing.assert_frame_equal(
        DemographicEncoder().fit(lazy).transform(lazy), DemographicEncoder().fit(table).transform(table)
    )
    clusterer = SegmentClusterer(n_segments=2, n_init=2, random_state=0).fit(lazy)
    assert list(clusterer.feature_names_in_) == list(table.columns)
    answers = ANSWERS.set_axis(pd.Index(range(5, 5 + len(ANSWERS)), name=ID))
    assert careless_responses(ENGINES["dask"](answers)).index.equals(answers.index)


def test_a_column_of_the_name_that_rows_get_cannot_stand_beside_them():
    with pytest.raises(InvalidTableError, match=r"numbers the rows under the name 'customer_id'.*rename or drop it"):
        DemographicEncoder(customer_id=None).fit(SAMPLE.profile)


def test_rows_that_are_numbered_keep_their_index_in_other_frames():
    pytest.importorskip("polars")
    table = pd.DataFrame({"age": [30, 40]}, index=pd.Index(["b", "a"], name="person"))
    output = DemographicEncoder(customer_id=None).set_output(transform="polars").fit_transform(table)
    assert output.to_dict(as_series=False) == {"person": ["b", "a"], "age": [30, 40]}


def test_a_union_cannot_join_rows_by_their_numbers():
    member = DemographicEncoder(customer_id=None)
    union = CharacteristicUnion([("who", member, "profile")])
    with pytest.raises(InvalidParameterError, match=r"member 'who' has customer_id=None.*rename_axis\('customer_id'\)"):
        union.fit({"profile": SAMPLE.profile})


def test_the_clusterer_takes_rows_from_its_embedder():
    name = "SegmentClusterer"
    table = without_ids(name)
    clusterer = clone(CASES[name].estimator).set_params(embedder=CASES["CharacteristicEmbedder"].estimator)
    given_here = clone(clusterer).set_params(customer_id=None).fit(table)
    given_there = clone(clusterer).set_params(embedder__customer_id=None).fit(table)
    np.testing.assert_array_equal(given_here.labels_, given_there.labels_)
    assert given_here.embedder_.customer_id is given_there.embedder_.customer_id is None
