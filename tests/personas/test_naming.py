import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg._core.characteristic import Characteristic
from custseg.personas._naming import name_personas as named
from custseg.personas._phrases import Words, describe
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
            "high response rate type…",
        ),
        (trait("coupons", -1), "few coupons"),
        (trait("income", 1), "high income"),
        (trait("net_income", -1), "low net income"),
        (trait("age", 1, kind="ordinal"), "older"),
        (trait("income", -1, kind="ordinal"), "lower income"),
        (trait("home_ownership", 1, kind="nominal", level="Renter"), "Renter"),
        (trait("home_ownership", -1, kind="nominal", level="Renter"), "rarely Renter"),
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


def test_those_who_would_share_a_name_all_take_another_trait():
    both = [trait("recency", -2), trait("monetary", 1.5)]
    traits = {0: [*both, trait("tenure", 1)], 1: [both[1], both[0], trait("tenure", -1)], 2: [trait("tenure", 3)]}
    assert name_personas(traits, []) == {
        0: "Recent, long-standing",
        1: "High-spending, new",
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


def test_the_only_segment_is_everyone():
    assert name_personas({0: []}, []) == {0: "All customers"}
    assert name_personas({0: []}, [1]) == {0: "All other customers", 1: "Small segment"}
    assert name_personas({}, [0]) == {0: "Small segment"}


# every sort of column: what much and little of it is called; read aloud
SPOKEN = {
    "binary": {
        "not_on_a_budget": ("not on a budget", "on a budget"),
        "on_a_budget": ("on a budget", "not on a budget"),
        "has_children": ("has children", "no children"),
        "no_children": ("no children", "children"),
        "newsletter": ("newsletter", "no newsletter"),
        "is_member": ("member", "not a member"),
        "owner": ("owner", "not an owner"),
        "married": ("married", "not married"),
        "without_car": ("without car", "with car"),
        "does_not_smoke": ("does not smoke", "smoke"),
        "non-smoker": ("non-smoker", "smoker"),
        "never_returns": ("never returns", "returns"),
        "care_about_prices": ("care about prices", "rarely care about prices"),
        "not_care_about_prices": ("not care about prices", "care about prices"),
        "owns_a_pet": ("owns a pet", "no pet"),
        "CreativityAndArts": ("creativity and arts", "no creativity and arts"),
        "wants_discounts": ("wants discounts", "rarely wants discounts"),
        "🏅": ("🏅", "no 🏅"),
    },
    "numeric": {
        "quality_matters": ("quality matters more", "quality matters less"),
        "online_hours": ("many online hours", "few online hours"),
        "store_distance": ("long store distance", "short store distance"),
        "household_size": ("large household size", "small household size"),
        "year_of_birth": ("born later", "born earlier"),
        "days_since_last_visit": ("last visit long ago", "last visit recently"),
        "number_of_orders": ("many orders", "few orders"),
        "n_clicks": ("many clicks", "few clicks"),
        "order_count": ("high order count", "low order count"),
        "avgBasketValue (EUR)": ("high avg basket value", "low avg basket value"),
        "revenue [kEUR]": ("high revenue", "low revenue"),
        "income": ("high income", "low income"),
        "satisfied": ("more satisfied", "less satisfied"),
        "likes_cooking": ("likes cooking more", "likes cooking less"),
        "sales": ("high sales", "low sales"),
        "status": ("high status", "low status"),
        "loss": ("high loss", "low loss"),
        "NPS": ("high NPS", "low NPS"),
        "share_of_online_orders": ("high share online orders", "low share online orders"),
        "likelihood_to_recommend_the_brand_to_all_friends_and_family_membe": ("high likelihood…", "low likelihood…"),
        "الدخل": ("high الدخل", "low الدخل"),
        "netSpendPerOrder": ("high net spend per order", "low net spend per order"),
        "response_time": ("long response time", "short response time"),
        "not_interested_in_sports": ("not interested in sports", "interested in sports"),
        "Sonderangebotsaufmerksamkeit": ("high Sonderangebotsaufme…", "low Sonderangebotsaufme…"),
    },
    "ordinal": {
        "price_importance": ("higher price importance", "lower price importance"),
        "quality_matters": ("quality matters more", "quality matters less"),
        "agree_ads_help": ("agree ads help more", "agree ads help less"),
        "age": ("older", "younger"),
    },
}
LEVELS = {
    ("household", "couple"): ("couple", "rarely couple"),
    ("region", "N1"): ("region: N1", "region: rarely N1"),
    ("size", "small"): ("size: small", "size: rarely small"),
    ("education", "Bachelor's degree"): ("Bachelor's degree", "rarely Bachelor's degree"),
    ("مدينة", "القاهرة"): ("القاهرة", "rarely القاهرة"),
    ("city", "🏙️"): ("city: 🏙️", "city: rarely 🏙️"),
}


@pytest.mark.parametrize("kind", SPOKEN)
def test_columns_of_every_sort_can_be_read_aloud(kind):
    words = words_of(*SPOKEN[kind])
    spoken = {
        name: tuple(describe(trait(name, effect, kind=kind), words) for effect in (1, -1)) for name in SPOKEN[kind]
    }
    assert spoken == SPOKEN[kind]
    # beside the word that denies it
    assert all(len(re.sub("^not ", "", name)) <= 20 for name in words.columns.values())


def test_a_level_that_is_a_word_stands_alone():
    words = words_of(*(column for column, _ in LEVELS))
    for (column, level), said in LEVELS.items():
        found = [describe(trait(column, effect, kind="nominal", level=level), words) for effect in (1, -1)]
        assert tuple(found) == said


def test_columns_that_begin_alike_stay_apart():
    names = ["response rate type Type A", "response rate type Type B", "response rate type Type B (share)"]
    called = words_of(*names).columns
    assert len(set(called.values())) == 3
    assert max(map(len, called.values())) <= 20


def test_what_is_not_common_names_a_segment_only_where_nothing_else_does():
    traits = [trait("household", -2, kind="nominal", level="couple"), trait("income", 1), trait("visits", 0.8)]
    assert name_personas({0: traits, 1: []}, [])[0] == "High income, many visits"
    assert name_personas({0: traits[:2], 1: []}, [])[0] == "High income"
    assert name_personas({0: traits[:1], 1: []}, [])[0] == "Rarely couple"


def test_nobody_is_lapsed_by_a_day_in_a_year():
    found = trait("recency", 0.3)
    assert describe(dataclasses.replace(found, segment_value=472.0, rest_value=471.0), words_of("recency")) == ""
    assert describe(dataclasses.replace(found, segment_value=472.0, rest_value=271.0), words_of("recency")) == "lapsed"


@given(st.dictionaries(st.text(min_size=1, max_size=70), st.sampled_from(["numeric", "binary", "ordinal"]), max_size=6))
def test_any_columns_give_short_names_that_differ(kinds):
    traits = {
        segment: [trait(name, sign * (2 - 0.1 * i), kind=kind) for i, (name, kind) in enumerate(kinds.items())]
        for segment, sign in ((0, 1), (1, -1), (2, 1))
    }
    names = list(name_personas(traits, [3]).values())
    assert len({name.casefold() for name in names}) == 4
    assert max(map(len, names)) <= 32
