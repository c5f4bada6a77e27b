"""How many fit a description, against the customers counted one by one; and that no count tells of few."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from custseg.personas import PersonaDescriber, describe_segments
from custseg.segmentation import Segmentation
from tests.sizes import size

N = 600


def customers(seed=0, n=N, missing=0.1):
    random = np.random.RandomState(seed)
    labels = random.randint(0, 3, n)
    table = pd.DataFrame(
        {
            "spend": random.normal(10 + 4 * labels, 3),
            "visits": random.poisson(2 + 2 * (labels == 2)),
            "kids": random.rand(n) < np.array([0.2, 0.5, 0.8])[labels],
            "town": np.where(random.rand(n) < 0.3 + 0.3 * (labels == 0), "Wien", "Graz"),
            "grade": pd.Categorical(
                np.array(["low", "mid", "high"])[np.clip(labels + random.randint(-1, 2, n), 0, 2)],
                ["low", "mid", "high"],
                ordered=True,
            ),
        }
    )
    table.loc[random.rand(n) < missing, "spend"] = np.nan
    return table, labels


def meets(table, trait):
    """Say of each customer whether the trait is met, and whether it is known: by the words of the definition."""
    column = table[trait.characteristic]
    more, known = trait.effect_size > 0, column.notna()
    if trait.statistic != "share":
        halfway = (trait.segment_value + trait.rest_value) / 2
        return (column > halfway if more else column < halfway) & known, known
    if trait.kind == "binary":
        has = column.astype(bool)
    elif trait.kind == "nominal":
        has = column == trait.level
    else:
        has = column.cat.codes >= list(column.cat.categories).index(trait.level.removesuffix(" or higher"))
    return (has if more else ~has) & known, known


WORDS = {"spend": "spend", "visits": "visits", "kids": "kids", "town": ("Wien", "Graz"), "grade": "grade"}


def counted(table, labels, persona):
    """Find the traits by their words in the labels, and who meets them."""
    every_trait = {trait.characteristic: trait for trait in (*persona.traits, *persona.further_traits)}
    told = [
        next(each for name, each in every_trait.items() if any(word in label for word in np.atleast_1d(WORDS[name])))
        for label in persona.prevalence.labels
    ]
    found = [meets(table, trait) for trait in told]
    known = np.logical_and.reduce([each for _, each in found])
    met = [own & known for own, _ in found]
    every = np.logical_and.reduce(met)
    return labels == persona.segment, known, met, every


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_those_of_customers_counted_one_by_one(seed):
    table, labels = customers(seed)
    told = 0
    for persona in PersonaDescriber().fit(table, labels).personas_:
        found = persona.prevalence
        inside, known, met, every = counted(table, labels, persona)
        assert found.shares == pytest.approx([each[inside & known].mean() for each in met])
        assert found.here == pytest.approx(every[inside & known].mean())
        assert found.elsewhere == pytest.approx(every[~inside & known].mean())
        assert found.in_segment == pytest.approx(inside[every].mean())
        told += len(found.labels)
    assert told >= 6


@settings(max_examples=size(8, 200))
@given(seed=st.integers(0, 10_000), n=st.integers(60, 200), least=st.integers(2, 12))
def test_no_two_figures_tell_fewer_than_the_least_apart(seed, n, least):
    table, labels = customers(seed, n, missing=0.05)
    describer = PersonaDescriber(min_group_size=least).fit(table, labels)
    # whom figures are hidden of, of whom is in none
    assume(not any(persona.suppressed for persona in describer.personas_))
    assume((describer.profile_["missing_share"] < 1).all())
    for persona in describer.personas_:
        if persona.prevalence is None:
            continue
        inside, known, met, every = counted(table, labels, persona)
        groups = [known & every, known & ~every, *(own & ~every for own in met)]
        groups += [each for own in met for each in (own, known & ~own)]
        sizes = [int((group & side).sum()) for group in groups for side in (inside, ~inside)]
        assert all(each == 0 or each >= least for each in sizes)


def test_rows_and_columns_may_stand_in_any_order():
    table, labels = customers()
    order = np.random.RandomState(1).permutation(len(table))
    mixed = table.iloc[order, ::-1].reset_index(drop=True)
    before, after = (
        [persona.prevalence for persona in PersonaDescriber().fit(*given).personas_]
        for given in ((table, labels), (mixed, labels[order]))
    )
    assert before == after


def test_what_is_known_of_some_says_so_and_what_is_known_of_few_counts_for_nothing():
    table, labels = customers(missing=0.35)
    for persona in PersonaDescriber().fit(table[["spend"]], labels, clustered_on=[]).personas_:
        if persona.prevalence is not None:
            assert "of whom it is known" in persona.prevalence.text
    table, labels = customers(missing=0.7)
    for persona in PersonaDescriber().fit(table[["spend"]], labels).personas_:
        assert persona.prevalence is None


def test_beside_other_segments_no_new_share_is_counted():
    table, labels = customers()
    found = describe_segments(Segmentation.of(table, labels), beside=Segmentation.of(table, labels % 2))
    assert [persona.prevalence for persona in found.personas] == [None] * 3


def test_the_sentence_can_be_read_aloud():
    spend = [10.0] * 30 + [12.0] * 10 + [30.0] * 40
    found = PersonaDescriber().fit(pd.DataFrame({"spend": spend}), [0] * 40 + [1] * 40).personas_[1].prevalence
    assert found.text == (
        "high spend 100% here and 0% elsewhere; of all customers of whom that is true, 100% are in this segment"
    )
