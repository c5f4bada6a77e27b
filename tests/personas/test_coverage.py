"""What is known of few customers says so, and does not speak for all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custseg import Segmentation, describe_segments
from custseg._core.coverage import known_of
from custseg.personas import PersonaDescriber


def customers(known, n=300):
    """Two segments that differ most in age, of which so much is known, less in income and least in spend."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], n)
    age = np.where(labels, 60.0, 30.0) + rng.normal(size=2 * n)
    age[rng.permutation(2 * n) >= known * 2 * n] = np.nan
    income = np.where(labels, 50.0, 20.0) + 20 * rng.normal(size=2 * n)
    spend = np.where(labels, 20.0, 10.0) + 20 * rng.normal(size=2 * n)
    return pd.DataFrame({"age": age, "income": income, "spend": spend}), labels


def described(known):
    return PersonaDescriber().fit(*customers(known))


@pytest.mark.parametrize("known", [1.0, 0.9, 0.85])
def test_what_is_known_of_most_needs_no_note(known):
    describer = described(known)
    for persona in describer.personas_:
        assert persona.traits[0].characteristic == "age"
        assert persona.known_shares == {}
    assert "of whom it is known" not in describer.to_markdown()


@pytest.mark.parametrize("known", [0.75, 0.6])
def test_below_four_fifths_every_figure_says_so(known):
    describer = described(known)
    for persona in describer.personas_:
        trait = persona.traits[0]
        assert trait.characteristic == "age"
        assert trait.note.startswith("of the ")
        assert trait.text.endswith(trait.note)
        assert trait.note in persona.summary
        assert persona.typical_customer["age"] is not None
        assert known_of(persona.known_shares["age"]).startswith("of the ")
        assert set(persona.known_shares) == {"age"}
    for text in (describer.to_markdown(), describer.to_html()):
        assert text.count("of whom it is known") == 8 - 2 * ("<div" in text)


@pytest.mark.parametrize("known", [0.4, 0.17])
def test_below_half_it_is_in_no_name_no_typical_customer_and_not_among_the_first_two_traits(known):
    describer = described(known)
    for persona in describer.personas_:
        told = [trait.characteristic for trait in persona.traits]
        assert told[:2] == ["income", "spend"]
        assert told[2:] == ["age"]
        assert persona.traits[2].note in persona.traits[2].text
        assert persona.typical_customer["age"] is None
        assert "older" not in persona.name.lower()
        assert "younger" not in persona.name.lower()
        assert "age:" not in persona.summary


def test_what_alone_is_known_of_few_is_no_trait_at_all():
    table, labels = customers(0.3)
    table["income"] = table["spend"] = 1.0
    describer = PersonaDescriber().fit(table, labels)
    assert [persona.traits for persona in describer.personas_] == [(), ()]
    assert "nothing that is known of half of them sets them clearly apart" in describer.personas_[0].summary


def test_how_many_are_known_is_not_told_of_a_handful():
    table, labels = customers(1.0, n=100)
    table.loc[5:, "age"] = np.nan
    persona = PersonaDescriber().fit(table, labels).personas_[0]
    assert persona.known_shares == {}
    assert persona.typical_customer["age"] is None


def test_of_everyone_too():
    table, _ = customers(0.6)
    persona = describe_segments(Segmentation.of(table, np.zeros(600, dtype=int))).personas[0]
    assert "age 4" in persona.summary or "age 5" in persona.summary
    assert "(of the 60% of whom it is known)" in persona.summary
