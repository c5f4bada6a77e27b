"""What a card tells beside its traits: likeness, what is known of few, a way of answering, needs."""

import numpy as np
import pandas as pd
import pytest

from custseg._core.characteristic import Characteristic, to_table
from custseg.personas import PersonaDescriber
from tests.conftest import shared_data

KNOWN = {
    "spend": ("behavioural", "monetary", "EUR"),
    "age": ("demographic", "age", "years"),
    "web": ("behavioural", "channel", "share"),
    "weekend": ("behavioural", "timing", "share"),
    "taste": ("psychographic", "attitude", ""),
    "luck": ("", None, ""),
}


def described(**options):
    random = np.random.RandomState(0)
    labels = np.repeat([0, 1], 150)
    strength = {"spend": 1.0, "age": 0.9, "web": 0.8, "weekend": 0.7, "taste": 0.6, "luck": 0.0}
    table = pd.DataFrame({name: by * labels + 0.5 * random.normal(size=300) for name, by in strength.items()})
    known = to_table(
        Characteristic(column=name, criterion=criterion, role=role, unit=unit)
        for name, (criterion, role, unit) in KNOWN.items()
    )
    return PersonaDescriber(**options).fit(table, labels, characteristics=known)


def test_traits_say_what_their_column_is_and_stand_where_it_belongs():
    persona = described(n_traits=2).personas_[1]
    every = {trait.characteristic: trait for trait in (*persona.traits, *persona.further_traits)}
    assert {name: (each.criterion, each.role, each.unit) for name, each in every.items()} == {
        name: said for name, said in KNOWN.items() if name in every
    }
    assert [(heading, [trait.label for trait in traits]) for heading, traits in persona.sections] == [
        ("What they do", ["spend"]),
        ("Who they are", ["age"]),
        ("What they think", ["taste"]),
    ]
    assert [trait.label for trait in persona.where_to_reach] == ["web"]
    assert [trait.label for trait in persona.when] == ["weekend"]
    assert persona.like_everyone == ("luck",)


def test_cards_show_their_parts_in_order():
    for text in (described().to_markdown(), described().to_html()):
        parts = [
            "What they do",
            "Who they are",
            "What they think",
            "Where to reach",
            "When they",
            "How well",
            "Like every",
        ]
        places = [text.index(part) for part in parts]
        assert places == sorted(places)


def test_figures_have_their_unit_shares_a_percent_and_a_column_one_number_of_decimals():
    texts = {trait.label: trait.text for p in described().personas_ for trait in (*p.traits, *p.further_traits)}
    assert " EUR on average, against " in texts["spend"]
    assert " years on average" in texts["age"]
    assert "% on average" in texts["web"]
    for text in texts.values():
        figures = [word for word in text.split() if word.lstrip("-").replace(".", "").rstrip("%").isdigit()]
        assert len({len(figure.partition(".")[2]) for figure in figures}) == 1


def test_years_have_no_thousands_mark():
    born = [1950.0, 1952.0] * 10 + [1990.0, 1991.0] * 10
    describer = PersonaDescriber().fit(pd.DataFrame({"year_of_birth": born}), [0] * 20 + [1] * 20)
    assert describer.personas_[0].traits[0].text == "year of birth: 1951 on average, against 1990 elsewhere"
    assert "1,9" not in describer.to_markdown()


def test_known_of_few_counts_them():
    table = pd.DataFrame({"age": [30.0, 31.0, np.nan, np.nan] * 20 + [60.0, 61.0] * 40, "x": [0.0, 1.0] * 80})
    persona = PersonaDescriber().fit(table, [0] * 80 + [1] * 80).personas_[0]
    assert persona.known_of_few == ("age (of 40 of 80)",)


@pytest.mark.parametrize("criterion", ["psychographic", "", "behavioural"])
@pytest.mark.parametrize("n_items", [4, 5, 10])
@pytest.mark.parametrize("n_alike", [0.7, 0.8])
def test_four_fifths_of_a_scale_may_be_a_way_of_answering(criterion, n_items, n_alike):
    random = np.random.RandomState(0)
    labels = np.repeat([0, 1], 300)
    higher = np.arange(n_items) < round(n_alike * n_items + 1e-9)
    answers = random.rand(600, n_items) < 0.3 + 0.3 * labels[:, None] * higher
    table = pd.DataFrame(answers, columns=[f"q{place}" for place in range(n_items)])
    known = to_table(Characteristic(column=name, criterion=criterion) for name in table)
    personas = PersonaDescriber().fit(table, labels, characteristics=known).personas_
    fewest = {"psychographic": 5, "": 10, "behavioural": 99}[criterion]
    told = n_items >= fewest and higher.sum() >= 0.8 * n_items
    assert [bool(persona.answering_style) for persona in personas] == [told, told]
    if told:
        assert f"{higher.sum()} of {n_items} items" in personas[1].answering_style
        assert "above" in personas[1].answering_style
        assert ("if they are answers" in personas[1].answering_style) == (criterion == "")


def test_two_of_the_six_published_segments_of_vacmot_may_be_ways_of_answering():
    folder = shared_data("vacmot_flexclust")
    answers = pd.read_csv(folder / "vacmot.csv").astype(bool)
    labels = pd.read_csv(folder / "vacmot__vacmot6.csv").iloc[:, -1].to_numpy() - 1
    styles = [persona.answering_style for persona in PersonaDescriber().fit(answers, labels).personas_]
    found = [side for style in styles for side in ("above", "below") if f"lie {side} everyone" in style]
    assert sorted(found) == ["above", "below"]


def rated(importance, satisfaction):
    """Two segments of 40, with what each answers to a question of importance and of satisfaction, give or take one."""
    labels = np.repeat([0, 1], 40)
    wave = np.tile([-0.5, 0.5, 0.0, 0.0], 20)
    columns = {
        "importance of price": importance,
        "satisfaction with price": satisfaction,
        "importance of style": (3, 3),
    }
    table = pd.DataFrame({name: np.array(means)[labels] + wave for name, means in columns.items()})
    table["satisfaction with style"] = 3.0 - wave
    known = to_table(
        Characteristic(column=name, role="need" if name.startswith("imp") else "satisfaction") for name in table
    )
    return PersonaDescriber().fit(table, labels, characteristics=known).personas_


def test_needs_and_concerns_come_of_columns_by_their_roles():
    thrifty = rated((2.0, 5.0), (4.0, 1.0))[1]
    assert [(need.kind, need.label) for need in thrifty.needs] == [
        ("need", "price"),
        ("concern", "price"),
        ("weakness", "price"),
    ]
    need, concern, weakness = thrifty.needs
    assert (need.here, need.elsewhere) == (pytest.approx(5), pytest.approx(2))
    assert need.text == "price: importance 5, against 2 elsewhere"
    assert concern.text == "price: important (5) and not satisfied (1)"
    assert weakness.text == "price: satisfaction 1, against 4 elsewhere"


def test_needs_that_hardly_differ_are_none():
    assert rated((3.0, 3.05), (3.0, 3.0))[1].needs == ()
