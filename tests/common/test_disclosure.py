"""Nobody is exposed: what is hidden changes no figure that is handed on, and no other figure gives it back.

The attacker knows all that is handed on, in full precision, and how many customers there are. Against segments of one
to nine customers it has two ways: it puts other customers in their place and looks whether any figure moved, which any
way to solve for them needs; and it takes the figures of the others off those of everyone.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from custseg import RuleSegmenter, SegmentationBrief, SegmentationStudy
from custseg.personas import PersonaDescriber, describe_segments, outcomes_by_segment
from custseg.reporting import render_html, render_json, render_markdown, render_text
from custseg.segmentation import Segmentation
from custseg.targeting import plan_actions
from tests.sizes import size

pytestmark = pytest.mark.sampled

LEAST = 10
LEVELS = ["bus", "car", "foot", "train", "ferry"]
OUTCOMES = ["left", "reason", "visits"]


def customers_of(random, sizes):
    """Customers of every kind, in segments of the given sizes, and what they are worth."""
    labels = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n = len(labels)
    table = pd.DataFrame(
        {
            "customer_id": random.permutation(10 * n)[:n],
            "spend": np.exp(random.normal(3 + labels / 2, 1)).round(2),
            "tenure": random.normal(100, 10, n),
            "age": random.randint(18, 90, n).astype(float),
            "way": random.choice(LEVELS, n, p=[0.4, 0.3, 0.2, 0.08, 0.02]),
            "member": random.rand(n) < 0.1 + 0.2 * (labels % 3),
            "stage": pd.Categorical(random.choice(list("abc"), n), categories=list("abc"), ordered=True),
            "left": random.rand(n) < 0.3,
            "reason": random.choice(["price", "service", "moved"], n),
            "visits": random.poisson(4, n).astype(float),
        }
    )
    # of some segments a column is known of few, or of nobody
    for name in ("age", "visits"):
        table.loc[(labels == random.randint(len(sizes))) & (random.rand(n) < 0.9), name] = np.nan
    return table, labels


def sizes_of(random):
    """Three to six segments, of which one to three are too few, and one is large enough to cover for them."""
    few = random.randint(1, LEAST, random.randint(1, 4))
    return [*random.randint(LEAST, 60, random.randint(1, 3)), random.randint(70, 150), *few]


def handed_on(table, labels, n_segments, least=LEAST, beside=None):
    """All that the stages hand on about segments, in full precision."""
    segmentation = Segmentation.of(table, labels, value=table["spend"].to_numpy(), names=list("ABCDEFGH"[:n_segments]))
    describer = PersonaDescriber(min_group_size=least)
    personas = describe_segments(segmentation, describer, beside=beside)
    plan = plan_actions("retention", personas, outcomes=OUTCOMES)
    outcomes = outcomes_by_segment(segmentation, OUTCOMES, min_group_size=least)
    texts = [personas.describer.to_json(), personas.describer.to_markdown(), personas.describer.to_html(), str(plan)]
    return {"profile": personas.profile, "plan": plan.to_frame(), "outcomes": outcomes, "texts": texts}


def same(one, other):
    """Say whether two things handed on agree; the sums behind figures run in the order of rows, which stays."""
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, rtol=1e-9)
        return True
    return one == other


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(10, 500)))
def test_other_customers_in_a_hidden_segment_move_no_figure(seed):
    random = np.random.RandomState(seed)
    sizes = sizes_of(random)
    table, labels = customers_of(random, sizes)
    hidden = np.flatnonzero(np.array(sizes)[labels] < LEAST)
    others = table.copy()
    for name in table.columns.drop("customer_id"):
        others.loc[hidden, name] = table[name].to_numpy()[random.randint(len(table), size=len(hidden))]
    others.loc[hidden, "spend"] = 98_765.43
    first, second = handed_on(table, labels, len(sizes)), handed_on(others, labels, len(sizes))
    assert all(same(first[name], second[name]) for name in first)
    for told in (first, second):
        assert (
            told["plan"]
            .loc[np.array(sizes) < LEAST, ["n_customers", "share", "value", "value_share"]]
            .isna()
            .all(axis=None)
        )
        assert not re.search("98,?765", "".join(told["plan"]["because"]))


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(10, 500)))
def test_no_figure_of_the_others_gives_back_a_hidden_one(seed):
    random = np.random.RandomState(1_000 + seed)
    sizes = sizes_of(random)
    table, labels = customers_of(random, sizes)
    told = handed_on(table, labels, len(sizes))
    assert found_by_complements(table, labels, told, sizes) == []


def test_the_attacker_finds_what_is_not_hidden():
    random = np.random.RandomState(0)
    sizes = [40, 90, 3]
    table, labels = customers_of(random, sizes)
    # the figures of all three segments, and of them those of the few taken away: as if they alone were suppressed
    told = handed_on(table, labels, 3, least=1)
    found = found_by_complements(
        table, labels, {**told, "plan": told["plan"].assign(n_customers=[40, 90, pd.NA])}, sizes
    )
    assert found == ["size", "tenure", "member"]


def found_by_complements(table, labels, told, sizes):
    """What follows of the hidden segments together from the figures of the others and the number of all customers."""
    found, n_customers = [], told["plan"]["n_customers"]
    shown = n_customers.notna().to_numpy()
    hidden = ~shown[labels]
    n_hidden = int(hidden.sum())
    rest = len(table) - int(n_customers[shown].sum())
    n_suppressed = int((~shown).sum())
    if rest not in (n_suppressed * (LEAST - 1), len(table)):
        found.append("size")
    profile = told["profile"][told["profile"]["segment"].map(dict(enumerate(shown)))]
    for name in ("tenure", "member"):
        rows = profile[profile["characteristic"] == name]
        truth = table.loc[hidden, name].astype(float).mean()
        estimates = []
        for row in rows.dropna(subset=["segment_value", "rest_value"]).to_dict("records"):
            own = float(n_customers[row["segment"]])
            # everyone else, if those are all others
            everyone = own * row["segment_value"] + (len(table) - own) * row["rest_value"]
            others = sum(
                float(n_customers[each["segment"]]) * each["segment_value"] for each in rows.to_dict("records")
            )
            estimates.append((everyone - others) / n_hidden)
        # what the rows disagree about is not known
        if estimates and np.allclose(estimates, truth, rtol=1e-6, atol=1e-12):
            found.append(name)
    return found


@pytest.mark.parametrize("n_hidden", range(1, LEAST))
def test_the_sizes_told_are_the_same_whatever_the_hidden_size(n_hidden):
    random = np.random.RandomState(0)
    table, labels = customers_of(random, [40, 100 - n_hidden, n_hidden])
    told = handed_on(table, labels, 3)["plan"]["n_customers"]
    assert told.tolist() == [40, 100 - (LEAST - 1), pd.NA]


def test_where_nobody_can_cover_for_the_few_nobody_is_described():
    random = np.random.RandomState(0)
    table, labels = customers_of(random, [12, 14, 2, 1])
    told = handed_on(table, labels, 4)
    assert told["plan"]["n_customers"].isna().all()
    assert not len(told["profile"])


def test_a_characteristic_that_few_have_told_is_in_no_figure_of_the_others():
    random = np.random.RandomState(0)
    table, labels = customers_of(random, [60, 50, 40])
    table["age"] = random.randint(18, 90, len(table)).astype(float)
    few = np.flatnonzero(labels == 2)
    table.loc[few[3:], "age"] = np.nan
    others = table.copy()
    others.loc[few[:3], "age"] = [1e6, 2e6, 3e6]
    first, second = handed_on(table, labels, 3), handed_on(others, labels, 3)
    assert all(same(first[name], second[name]) for name in first)


@pytest.mark.parametrize("spend", [1e4, 1e7])
def test_one_customer_who_makes_most_of_a_total_is_in_none(spend):
    random = np.random.RandomState(0)
    table, labels = customers_of(random, [60, 50, 12])
    one = np.flatnonzero(labels == 2)[0]
    told = [
        handed_on(table.assign(spend=table["spend"].where(table.index != one, own)), labels, 3) for own in (9e3, spend)
    ]
    assert all(same(told[0][name], told[1][name]) for name in told[0])
    assert told[0]["plan"]["value"].isna().tolist() == [False, False, True]
    assert told[0]["plan"]["n_customers"].tolist() == [60, 50, 12]


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(4, 100)))
def test_a_hidden_share_follows_from_no_other(seed):
    """Of every level: what everyone has, less what the shown segments have, is nothing."""
    random = np.random.RandomState(seed)
    table, labels = customers_of(random, random.randint(12, 60, 4))
    profile = handed_on(table, labels, 4)["profile"]
    sizes = np.bincount(labels)
    for name, row in profile[(profile["statistic"] == "share") & (profile["kind"] != "ordinal")].groupby(
        ["characteristic", "level"]
    ):
        shown = row.dropna(subset=["segment_value", "rest_value"])
        here = sizes[shown["segment"]] * shown["segment_value"].to_numpy()
        everyone = here + (sizes[shown["segment"]].sum() - sizes[shown["segment"]]) * shown["rest_value"].to_numpy()
        np.testing.assert_allclose(everyone, here.sum(), rtol=1e-9, err_msg=str(name))


def test_the_no_of_a_yes_that_few_say_is_hidden_too():
    labels = np.repeat([0, 1], [60, 60])
    ill = np.arange(120) < 4
    said = {"ill": ill, "well": ~ill, "sick": ill.astype(int), "state": np.where(ill, "unwell", "fine")}
    said["risk"] = pd.Categorical(np.where(ill, "high", "low"), ["low", "high"], ordered=True)
    personas = describe_segments(Segmentation.of(pd.DataFrame({"age": np.arange(120.0), **said}), labels))
    shares = personas.profile.set_index("characteristic").loc[list(said)]
    assert shares["effect_size"].isna().all()
    assert shares.drop(index="risk")[["segment_value", "rest_value"]].isna().all(axis=None)
    outcomes = outcomes_by_segment(personas.segmentation, list(said))
    assert outcomes[["value", "low", "high", "value_overall"]].isna().all(axis=None)


def test_a_rare_level_is_named_neither_as_a_median_nor_as_a_bound():
    levels = ["low", "middle", "high"]
    codes = np.r_[[0] * 20, [1], [2] * 20, [0] * 41]
    table = pd.DataFrame({"age": np.arange(82.0), "risk": pd.Categorical.from_codes(codes, levels, ordered=True)})
    personas = describe_segments(Segmentation.of(table, np.repeat([0, 1], 41)))
    assert "middle" not in personas.describer.to_json()
    assert personas.personas[0].typical_customer["risk"] is None


@pytest.fixture(scope="module")
def studies():
    return [study_of(spend) for spend in (98_765.43, 12_345.67)]


@pytest.mark.parametrize("render", [render_html, render_markdown, render_json, render_text])
def test_a_report_tells_nothing_of_one_customer(render, studies):
    told = [render(study) for study in studies]
    assert told[0] == told[1]
    assert "98,765" not in told[1]
    assert "98765" not in told[1]


def study_of(spend):
    random = np.random.RandomState(0)
    n = 90
    table = pd.DataFrame({"customer_id": np.arange(n), "spend": random.randint(5, 50, n).astype(float)})
    table["age"] = random.randint(18, 80, n)
    table.loc[7, ["spend", "age"]] = spend, 99
    rules = RuleSegmenter({"The one": "age == 99", "Young": "age < 40", "Others": "age >= 40"})
    return SegmentationStudy(SegmentationBrief("pricing", value="spend"), clusterer=rules).fit(table)


def test_the_figures_of_everyone_do_not_hold_whom_a_cut_beside_them_hides():
    random = np.random.RandomState(0)
    table, labels = customers_of(random, [80, 60, 2])
    cut = Segmentation.of(table, labels)
    whole = np.zeros(len(table), dtype=int)
    others = table.assign(spend=np.where(labels == 2, 1e6, table["spend"]))
    told = [handed_on(each, whole, 1, beside=cut) for each in (table, others)]
    assert all(same(told[0][name], told[1][name]) for name in ("profile", "texts"))


def test_the_figures_of_everyone_do_not_hold_what_a_cut_beside_them_hides_of_a_segment():
    random = np.random.RandomState(0)
    table, labels = customers_of(random, [80, 60, 40])
    last = np.flatnonzero(labels == 2)
    table.loc[last[5:], "age"] = np.nan
    table["member"] = table.index.isin(last[1:5])
    told = []
    for spend, age, member in ((1e5, 20.0, True), (1e6, 80.0, False)):
        customers = table.copy()
        customers.loc[last[0], ["spend", "age", "member"]] = spend, age, member
        beside = Segmentation.of(customers, labels)
        told.append(handed_on(customers, np.zeros(len(table), dtype=int), 1, beside=beside))
    profiles = [each["profile"].set_index("characteristic").loc[["spend", "age"]] for each in told]
    assert same(*profiles)
    assert told[0]["plan"]["value"].tolist() == told[1]["plan"]["value"].tolist()
    assert told[0]["profile"].set_index("characteristic")["segment_value"].isna()["member"]
