"""The sections of a card: which trait stands under which heading."""

from dataclasses import replace

from custseg.personas import Need, Persona, Prevalence
from tests.personas.test_naming import trait as named


def trait(characteristic, **changes):
    return replace(named(characteristic, 1.0), **changes)


def persona(*traits, further=()):
    return Persona(
        segment=0,
        name="A",
        n_customers=10,
        share=0.5,
        traits=traits,
        further_traits=further,
        typical_customer={},
        summary="",
        suppressed=False,
        size="10 customers",
    )


def test_traits_stand_under_the_heading_of_their_criterion():
    told = persona(
        trait("spend", criterion="behavioural"),
        trait("region", criterion="geographic"),
        trait("x"),
        further=(trait("posts", criterion="social"), trait("taste", criterion="psychographic")),
    )
    assert [(heading, [each.characteristic for each in traits]) for heading, traits in told.sections] == [
        ("What they do", ["spend", "posts"]),
        ("Who they are", ["region"]),
        ("What they think", ["taste"]),
        ("What else sets them apart", ["x"]),
    ]


def test_a_section_has_four_at_most_and_no_channel_or_time():
    many = [trait(f"x{i}", criterion="behavioural") for i in range(6)]
    told = persona(trait("web", criterion="behavioural", role="channel"), *many, trait("weekend", role="timing"))
    assert [(heading, len(traits)) for heading, traits in told.sections] == [("What they do", 4)]
    assert told.sections[0][1][0].characteristic == "x0"


def test_parts_say_their_text():
    need = Need(label="price", kind="need", here=4.5, elsewhere=2.0, text="price: 4.5, against 2 elsewhere")
    assert str(need) == "price: 4.5, against 2 elsewhere."
    told = Prevalence(labels=("a",), shares=(0.9,), here=0.9, elsewhere=0.1, in_segment=0.5, text="a 90%")
    assert str(told) == "a 90%."
