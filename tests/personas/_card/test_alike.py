"""Traits that say the same thing are told once: by rank correlation, whatever the order of rows and columns."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from custseg.personas import PersonaDescriber
from custseg.personas._card import alike
from custseg.personas._card.alike import LIKENESS


def spending(n=400, n_columns=5, noise=0.2, seed=0):
    """Two segments that differ in spend, which several columns tell, and in age, which one tells."""
    random = np.random.RandomState(seed)
    labels = np.arange(n) % 2
    spend = 2.0 * labels + random.normal(size=n)
    columns = {f"spend_{place}": np.exp(spend + noise * random.normal(size=n)) for place in range(n_columns)}
    return pd.DataFrame({**columns, "age": 1.0 * labels + random.normal(size=n)}), labels


def told(table, labels, **options):
    persona = PersonaDescriber(**options).fit(table, labels).personas_[1]
    return [(trait.characteristic, set(trait.also)) for trait in persona.traits], persona


def test_five_columns_of_spend_are_one_trait_with_the_strongest_figure():
    table, labels = spending()
    traits, persona = told(table, labels, n_traits=2)
    assert [len(also) for _, also in traits] == [4, 0]
    assert traits[1][0] == "age"
    assert len(persona.further_traits) == 0
    profile = PersonaDescriber().fit(table, labels).profile_.query("segment == 1").set_index("characteristic")
    assert traits[0][0] == profile["effect_size"].idxmax()
    assert persona.name.count("spend") == 1


@pytest.mark.parametrize("noise", [0.3, 0.9, 1.2])
def test_the_limit_is_a_rank_correlation_of_four_fifths(noise):
    table, labels = spending(n_columns=2, noise=noise)
    traits, _ = told(table[["spend_0", "spend_1"]], labels)
    found = spearmanr(table["spend_0"], table["spend_1"]).statistic
    assert len(traits) == (1 if found >= LIKENESS else 2)


def test_what_goes_the_other_way_and_a_level_say_the_same_too():
    labels = np.repeat([0, 1], 50)
    born = 1990.0 - 20 * labels + np.random.RandomState(0).normal(size=100)
    sex = np.where(np.arange(100) % 10 < 3 + 4 * labels, "f", "m")
    table = pd.DataFrame({"age": 2026 - born, "born": born, "sex": sex, "woman": sex == "f"})
    traits, _ = told(table, labels, n_traits=9)
    assert sorted(len(also) for _, also in traits) == [1, 1]


@pytest.mark.parametrize("n", [300, 12_000])
def test_rows_and_columns_may_stand_in_any_order(n):
    table, labels = spending(n, n_columns=3, noise=0.6)
    table["kids"] = np.random.RandomState(2).rand(n) < 0.3 + 0.3 * labels
    order = np.random.RandomState(1).permutation(n)
    mixed = table.iloc[order, ::-1].reset_index(drop=True)
    assert told(table, labels)[0] == told(mixed, labels[order])[0]


def test_the_sample_is_of_all_in_their_shares_even_where_few_customers_differ():
    flags = pd.DataFrame({f"x{place}": np.arange(20_000) % 7 <= place for place in range(3)})
    columns = PersonaDescriber(customer_id=None)._read(flags, fitting=True).columns
    rows = alike._sampled(columns, len(flags))
    shares = flags.value_counts(normalize=True)
    assert (flags.iloc[rows].value_counts(normalize=True) - shares).abs().max() < 1e-3


def test_what_is_hardly_known_of_the_same_customers_is_told_apart():
    table, labels = spending(n_columns=2, noise=0.1)
    table.loc[table.index % 3 == 0, "spend_0"] = np.nan
    table.loc[table.index % 3 != 0, "spend_1"] = np.nan
    traits, _ = told(table[["spend_0", "spend_1", "age"]], labels)
    assert all(not also for _, also in traits)


def test_a_descriptor_that_says_the_same_does_not_rename_a_segment():
    table, labels = spending(n_columns=1)
    with_copy = table.assign(turnover=table["spend_0"] * 2 + labels)
    names = [
        PersonaDescriber().fit(given, labels, clustered_on=["spend_0", "age"]).segment_names_
        for given in (table, with_copy)
    ]
    assert names[0] == names[1]
