import pytest

from custseg._core.characteristic import Characteristic
from custseg.personas._naming import Words, describe
from custseg.personas._naming import name_personas as named
from custseg.personas._traits import Trait


def trait(characteristic, effect_size, *, kind="numeric", level=None, label=None):
    return Trait(
        characteristic=characteristic,
        label=label or characteristic.rpartition("__")[2].replace("_", " "),
        kind=kind,
        level=level,
        statistic="mean",
        segment_value=1.0,
        rest_value=0.0,
        effect_size=effect_size,
        v_test=3.0,
        p_value=0.001,
        p_adjusted=0.002,
        lift=None,
        difference_pp=None,
        marker=False,
        clustered_on=True,
        text="",
    )


def words_of(*columns, **roles):
    return Words.of(columns, [Characteristic(column=name, role=role) for name, role in roles.items()])


def name_personas(traits, suppressed):
    return named(traits, suppressed, words_of(*{each.characteristic for own in traits.values() for each in own}))


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (trait("recency", -1), "recent"),
        # what a column is says its maker, never the last word of its name
        (trait("behaviour__recency", 1), "high recency"),
        (trait("frequency", 1), "frequent"),
        (trait("frequency", -1), "occasional"),
        (trait("monetary", 1), "high-spending"),
        (trait("monetary", -1), "low-spending"),
        (trait("tenure", 1), "long-standing"),
        (trait("tenure", -1), "new"),
        (trait("contacts", -1), "rarely contacted"),
        (trait("response", 1), "responsive"),
        (
            trait("campaigns__response_rate_type_Type A", 1),
            "high response rate type Type A",
        ),
        (trait("coupons", -1), "few coupons"),
        (trait("income", 1), "high income"),
        (trait("net_income", -1), "low net income"),
        (trait("age", 1, kind="ordinal"), "older"),
        (trait("income", -1, kind="ordinal"), "lower income"),
        (trait("home_ownership", 1, kind="nominal", level="Renter"), "home ownership: Renter"),
        (trait("home_ownership", -1, kind="nominal", level="Renter"), "home ownership: not Renter"),
        (trait("subscribed", 1, kind="binary"), "subscribed"),
        (trait("subscribed", -1, kind="binary"), "not subscribed"),
    ],
)
def test_a_trait_in_words(found, word):
    assert describe(found, words_of(found.characteristic)) == word


def test_a_column_is_what_its_maker_says():
    recency = trait("behaviour__recency", -1)
    assert describe(recency, words_of("behaviour__recency", behaviour__recency="recency")) == "recent"
    # known, and no recency of purchases
    assert describe(trait("recency", -1), words_of("recency", recency="activity_recency")) == "low recency"


def test_of_two_columns_of_one_role_the_name_says_which():
    both = words_of("shop__frequency", "web__frequency", shop__frequency="frequency", web__frequency="frequency")
    assert describe(trait("web__frequency", 1), both) == "high web frequency"


def test_a_name_takes_the_two_strongest_traits():
    traits = {0: [trait("recency", -2), trait("monetary", 1.5), trait("tenure", 1)], 1: [trait("recency", 2)], 2: []}
    assert name_personas(traits, []) == {0: "Recent, high-spending", 1: "Lapsed", 2: "Average customers"}


def test_those_who_would_share_a_name_all_take_a_third_trait():
    both = [trait("recency", -2), trait("monetary", 1.5)]
    traits = {0: [*both, trait("tenure", 1)], 1: [both[1], both[0], trait("tenure", -1)], 2: [trait("tenure", 3)]}
    assert name_personas(traits, []) == {
        0: "Recent, high-spending, long-standing",
        1: "High-spending, recent, new",
        2: "Long-standing",
    }


def test_numbers_come_last():
    same = [trait("recency", -2), trait("monetary", 1.5)]
    names = name_personas({0: same, 1: same, 2: [], 4: []}, [3, 5])
    assert names == {
        0: "Recent, high-spending",
        1: "Recent, high-spending (2)",
        2: "Average customers",
        3: "Small segment",
        4: "Average customers (2)",
        5: "Small segment (2)",
    }
    assert list(names) == sorted(names)


def test_a_copied_column_adds_no_word():
    same = [trait("income", 1.25), trait("income_copy", 1.25), trait("flag", -1.25, kind="binary")]
    copied = [*same, trait("tenure", 1)]
    assert name_personas({0: copied, 1: []}, [])[0] == "High income, long-standing"


def test_the_only_segment_is_everyone():
    assert name_personas({0: []}, []) == {0: "All customers"}
    assert name_personas({0: []}, [1]) == {0: "All other customers", 1: "Small segment"}
    assert name_personas({}, [0]) == {0: "Small segment"}
