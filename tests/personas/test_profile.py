"""The profile table against definitions spelled out in pandas, column by column."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.datasets import load_iris

from custseg.datasets import make_customers
from custseg.personas import (
    PersonaDescriber,
    benjamini_hochberg,
    category_p_value,
    category_v_test,
    hedges_g,
    is_marker,
    numeric_v_test,
)
from tests.sizes import size
from tests.strategies import customer_tables

LEVELS = ["low", "middle", "high"]


def customers(n=400, seed=0):
    """Three segments, each kind of column, a fifth of the values missing."""
    random = np.random.RandomState(seed)
    segment = random.choice(3, n, p=[0.5, 0.3, 0.2])
    table = pd.DataFrame(
        {
            "spend": np.exp(random.randn(n) + (segment == 1)),
            "visits": random.poisson(4 + 2 * segment).astype(float),
            "age": pd.Categorical.from_codes(
                np.clip(random.randint(0, 3, n) + (segment == 2), 0, 2), LEVELS, ordered=True
            ),
            "town": random.choice(["Ayr", "Bonn", "Cork"], n),
            "member": pd.array(random.rand(n) < 0.3 + 0.2 * segment, dtype="boolean"),
        }
    )
    table = table.mask(random.rand(*table.shape) < 0.2)
    return table.astype({"age": pd.CategoricalDtype(LEVELS, ordered=True)}), segment


def rows(describer, characteristic):
    profile = describer.profile_
    return profile[profile["characteristic"] == characteristic].set_index(["segment"])


def split(values, segment, label):
    known = values.notna().to_numpy()
    return values[known & (segment == label)].to_numpy(float), values[known & (segment != label)].to_numpy(float)


def g_of(here, rest):
    return hedges_g(
        segment_mean=here.mean(),
        segment_sd=here.std(),
        n_segment=len(here),
        rest_mean=rest.mean(),
        rest_sd=rest.std(),
        n_rest=len(rest),
    )


@pytest.mark.parametrize("column", ["spend", "visits"])
def test_numbers_by_definition(column):
    table, segment = customers()
    found = rows(PersonaDescriber().fit(table, segment), column)
    for label in range(3):
        here, rest = split(table[column], segment, label)
        everyone = np.concatenate([here, rest])
        assert found.loc[label, "effect_size"] == pytest.approx(g_of(here, rest))
        v = numeric_v_test(
            segment_mean=here.mean(),
            overall_mean=everyone.mean(),
            overall_sd=everyone.std(),
            n_segment=len(here),
            n_overall=len(everyone),
        )
        assert found.loc[label, "v_test"] == pytest.approx(v)
        assert found.loc[label, "p_value"] == pytest.approx(2 * stats.norm.sf(abs(v)))
        middle = {"mean": np.mean, "median": np.median}[found.loc[label, "statistic"]]
        assert found.loc[label, "segment_value"] == pytest.approx(middle(here))
        assert found.loc[label, "rest_value"] == pytest.approx(middle(rest))
    groups = [split(table[column], segment, label)[0] for label in range(3)]
    f = stats.f_oneway(*groups).statistic
    n = sum(map(len, groups))
    assert found["eta2"].to_numpy() == pytest.approx(2 * f / (2 * f + n - 3))


def test_skewed_numbers_show_medians_and_others_means():
    describer = PersonaDescriber().fit(*customers())
    assert rows(describer, "spend")["statistic"].tolist()[:2] == ["median", "median"]
    assert set(rows(describer, "visits")["statistic"]) == {"mean"}


def test_medians_that_hide_the_difference_give_way_to_means():
    table = pd.DataFrame({"claims": [0.0] * 60 + [0.0] * 40 + [10.0] * 15, "segment": [0] * 60 + [1] * 55})
    row = rows(PersonaDescriber().fit(table), "claims").loc[1]
    assert row["statistic"] == "mean"
    assert row["segment_value"] == pytest.approx(150 / 55)


def test_ordered_categories_by_mid_ranks():
    table, segment = customers()
    found = rows(PersonaDescriber().fit(table, segment), "age")
    codes = table["age"].cat.codes.astype(float).where(table["age"].notna())
    ranks = codes.rank()
    for label in range(3):
        here, rest = split(ranks, segment, label)
        everyone = np.concatenate([here, rest])
        assert found.loc[label, "effect_size"] == pytest.approx(g_of(here, rest))
        v = numeric_v_test(
            segment_mean=here.mean(),
            overall_mean=everyone.mean(),
            overall_sd=everyone.std(),
            n_segment=len(here),
            n_overall=len(everyone),
        )
        assert found.loc[label, "v_test"] == pytest.approx(v)
    here, rest = split(codes, segment, 2)
    assert found.loc[2, "statistic"] == "median"
    assert found.loc[2, "segment_category"] == LEVELS[int(np.median(here))]
    assert found.loc[2, "rest_category"] == LEVELS[int(np.median(rest))]


def test_equal_medians_give_way_to_the_share_that_separates_best():
    ages = ["low"] * 20 + ["middle"] * 60 + ["high"] * 20 + ["low"] * 5 + ["middle"] * 55 + ["high"] * 40
    table = pd.DataFrame({"age": pd.Categorical(ages, LEVELS, ordered=True), "segment": [0] * 100 + [1] * 100})
    row = rows(PersonaDescriber().fit(table), "age").loc[1]
    assert (row["statistic"], row["level"]) == ("share", "high or higher")
    assert (row["segment_value"], row["rest_value"]) == pytest.approx((0.4, 0.2))
    assert (row["lift"], row["difference_pp"]) == pytest.approx((0.4 / 0.3, 20))
    assert pd.isna(row["segment_category"])


@pytest.mark.parametrize("column", ["town", "member"])
def test_shares_by_definition(column):
    table, segment = customers()
    found = rows(PersonaDescriber().fit(table, segment), column)
    assert len(found) == (9 if column == "town" else 3)
    for label, row in found.iterrows():
        level = True if column == "member" else row["level"]
        has = (table[column] == level).astype(float).where(table[column].notna())
        here, rest = split(has, segment, label)
        counts = {
            "n_both": here.sum(),
            "n_segment": len(here),
            "n_level": here.sum() + rest.sum(),
            "n_overall": len(here) + len(rest),
        }
        assert (row["segment_value"], row["rest_value"]) == pytest.approx((here.mean(), rest.mean()))
        assert row["effect_size"] == pytest.approx(g_of(here, rest))
        assert row["p_value"] == pytest.approx(category_p_value(**counts))
        assert row["v_test"] == pytest.approx(category_v_test(**counts))
        assert row["lift"] == pytest.approx(here.mean() / has.mean())
        assert row["difference_pp"] == pytest.approx(100 * (here.mean() - rest.mean()))
        assert row["marker"] == is_marker(segment_share=here.mean(), overall_share=has.mean())


def test_missing_shares_and_adjusted_p():
    table, segment = customers()
    profile = PersonaDescriber().fit(table, segment).profile_
    np.testing.assert_allclose(profile["p_adjusted"], benjamini_hochberg(profile["p_value"]))
    row = profile[(profile["segment"] == 1) & (profile["characteristic"] == "town")].iloc[0]
    assert row["missing_share"] == pytest.approx(table["town"].isna()[segment == 1].mean())
    assert row["missing_share_rest"] == pytest.approx(table["town"].isna()[segment != 1].mean())


def test_iris_with_its_published_figures():
    X, species = load_iris(return_X_y=True, as_frame=True)
    profile = PersonaDescriber().fit(X, species).profile_
    setosa = profile[profile["segment"] == 0]
    np.testing.assert_allclose(setosa["v_test"], [-8.757174, 7.364799, -11.263787, -10.831410], atol=5e-7)
    np.testing.assert_allclose(setosa["eta2"], [0.618706, 0.400783, 0.941372, 0.928883], atol=5e-7)


def test_extreme_magnitudes_stay_finite():
    random = np.random.RandomState(0)
    table = pd.DataFrame({"huge": random.randn(100) * 1e300, "tiny": random.randn(100) * 1e-300})
    found = PersonaDescriber().fit(table, np.repeat([0, 1], 50)).profile_
    assert np.isfinite(found[["effect_size", "v_test", "segment_value"]]).all(axis=None)


def figures(describer):
    return describer.profile_[["segment_value", "rest_value", "effect_size", "v_test", "p_value", "p_adjusted", "eta2"]]


@settings(max_examples=size(5, 25))
@given(customer_tables(min_rows=4), st.data())
def test_permuting_rows_changes_nothing(table, data):
    labels = np.array(data.draw(st.lists(st.integers(0, 1), min_size=len(table), max_size=len(table))))
    labels[:2] = 0, 1
    order = data.draw(st.permutations(range(len(table))))
    one = PersonaDescriber(min_group_size=1, customer_id=None).fit(table, labels)
    other = PersonaDescriber(min_group_size=1, customer_id=None).fit(table.iloc[list(order)], labels[list(order)])
    assert one.personas_ == other.personas_
    pd.testing.assert_frame_equal(one.profile_, other.profile_, check_exact=True)


@settings(max_examples=size(5, 25))
@given(customer_tables(min_rows=6), st.permutations([0, 1, 2]), st.data())
def test_relabelling_segments_permutes_the_profile(table, new, data):
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(table), max_size=len(table))))
    labels[:3] = 0, 1, 2
    one = PersonaDescriber(min_group_size=1, customer_id=None).fit(table, labels)
    other = PersonaDescriber(min_group_size=1, customer_id=None).fit(table, np.array(new)[labels])
    keys = ["segment", "characteristic", "level"]
    moved = one.profile_.assign(segment=np.array(new)[one.profile_["segment"]])
    pd.testing.assert_frame_equal(
        moved.sort_values(keys).reset_index(drop=True),
        other.profile_.sort_values(keys).reset_index(drop=True),
        rtol=1e-9,
        atol=1e-9,
    )


@settings(max_examples=size(5, 25))
@given(
    st.lists(st.integers(-100, 100), min_size=8, max_size=40),
    st.floats(0.01, 100),
    st.booleans(),
    st.floats(-1000, 1000),
)
def test_units_change_no_comparison(values, scale, negative, shift):
    x = np.array(values, dtype=float)
    labels = np.arange(len(x)) % 2
    factor = -scale if negative else scale
    one = PersonaDescriber(min_group_size=1).fit(pd.DataFrame({"x": x}), labels).profile_
    other = PersonaDescriber(min_group_size=1).fit(pd.DataFrame({"x": factor * x + shift}), labels).profile_
    sign = np.sign(factor)
    np.testing.assert_allclose(other["effect_size"], sign * one["effect_size"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(other["v_test"], sign * one["v_test"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(other["p_value"], one["p_value"], rtol=1e-5)


def test_random_segments_have_hardly_any_trait():
    random = np.random.RandomState(0)
    n_traits = 0
    for seed in range(20):
        sample = make_customers(300, separation=0, random_state=seed)
        describer = PersonaDescriber().fit(sample.profile.set_index("customer_id"), random.randint(0, 3, 300))
        n_traits += sum(len(persona.traits) for persona in describer.personas_)
    # At a false discovery rate of .05 a fit of independent columns finds anything in one of twenty.
    assert n_traits <= 5
