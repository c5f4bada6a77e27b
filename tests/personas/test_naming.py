import pytest

from custseg.personas._naming import describe, name_personas
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


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (trait("recency", -1), "recent"),
        (trait("behaviour__recency", 1), "lapsed"),
        (trait("frequency", 1), "frequent"),
        (trait("frequency", -1), "occasional"),
        (trait("monetary", 1), "high-spending"),
        (trait("monetary", -1), "low-spending"),
        (trait("tenure", 1), "long-standing"),
        (trait("tenure", -1), "new"),
        (trait("contacts", -1), "rarely contacted"),
        (trait("campaigns__response_rate", 1, label="response rate"), "responsive"),
        (
            trait("campaigns__response_rate_type_Type A", 1, label="response rate type Type A"),
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
        # two members share the feature, so the label carries the member and the word must too
        (trait("web__frequency", 1, label="web frequency"), "high web frequency"),
    ],
)
def test_a_trait_in_words(found, word):
    assert describe(found) == word


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
