"""Whole studies with segments of one to nine customers, and who attacks all that is published of them together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer

from custseg import PersonaDescriber, RuleSegmenter, SegmentationBrief, SegmentationStudy
from custseg.reporting import render_html, render_markdown, render_text
from custseg.segmentation import Segmentation
from custseg.validation import Evidence, StabilityResult, judge
from tests.common.attacker import LEAST, LEVELS, attack
from tests.sizes import size

# the same facts are laid out for all of them: two halves of the studies, for the time it takes
FORMS = [[render_html], [render_markdown, render_text]]
OUTCOMES = ["left", "reason", "grade", "visits", "health", "sick", "ill"]


def sizes_of(random):
    """Two to four segments of ten to seventy, mostly one that can cover for up to three of one to nine."""
    few = random.randint(1, LEAST, random.randint(0, 4))
    return [*random.randint(LEAST, 70, random.randint(1, 4)), random.randint(30, 140), *few]


def customers_of(random):
    """Customers of every kind, with one whose spend is most of what there is, and what few have or have told."""
    sizes = sizes_of(random)
    labels = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n, n_segments = len(labels), len(sizes)
    rare = random.choice([0.01, 0.05, 0.1, 0.9, 0.97], n_segments)[labels]

    def mixed(levels, spread):
        shares = random.dirichlet(spread, n_segments)
        return np.array(levels)[(random.rand(n, 1) > shares.cumsum(axis=1)[labels][:, :-1]).sum(axis=1)]

    def ordered(name):
        return pd.Categorical(mixed(LEVELS[name], [0.2, 2, 3, 0.2]), LEVELS[name], ordered=True)

    ill = random.rand(n) < rare
    table = pd.DataFrame(
        {
            "customer_id": [f"K-{each}" for each in 100_000 + 7 * random.permutation(n)],
            "place": labels,
            "spend": np.exp(random.normal(3, 1, n)).round(2),
            "age": random.randint(18, 90, n).astype(float),
            "way": mixed(LEVELS["way"], [2, 2, 1, 0.3, 0.1]),
            "stage": ordered("stage"),
            "ill": ill,
            "well": ~ill,
            "health": np.where(ill, "unwell", "healthy"),
            "risk": pd.Categorical(np.where(ill, "risky", "riskless"), ["riskless", "risky"], ordered=True),
            "sick": ill.astype(int),
            "left": random.rand(n) < rare[::-1],
            "reason": mixed(LEVELS["reason"], [3, 2, 0.6, 0.1]),
            "grade": ordered("grade"),
            "visits": random.poisson(4, n).astype(float),
        }
    )
    # one customer of any segment outspends all others, or those of it
    if random.rand() < 0.6:
        one = random.randint(n)
        table.loc[one, "spend"] = random.choice([random.randint(1_000_000, 9_999_999), 3 * table["spend"].sum()])
    for name in ("age", "visits"):
        table.loc[(labels == random.randint(n_segments)) & (random.rand(n) < 0.85), name] = np.nan
    return table


def study_of(random, monkeypatch, least=LEAST):
    """A fitted study of segments that rules make, or of one with a cut beside it."""
    table = customers_of(random)
    n_segments = table["place"].nunique()
    cut = None
    if random.rand() < 0.2:
        cut = Segmentation.of(table, table["place"].to_numpy(), value=table["spend"].to_numpy())
        rules = {"All": "place >= 0"}
    else:
        rules = {f"Place {each}": f"place == {each}" for each in range(n_segments)}

    def examined(segmentation, **_):
        # what is attacked are figures of customers: the refits would take most of the time
        stability = StabilityResult.empty()
        verdict = judge(n_segments=segmentation.n_segments, n_not_assigned=0, stability=stability)
        return Evidence(verdict=verdict, selection=None, stability=stability, cut=cut)

    monkeypatch.setattr("custseg.study._study.examine_segments", examined)
    outcomes = list(random.permutation(OUTCOMES)[: random.randint(1, 5)])
    brief = SegmentationBrief(random.choice(["pricing", "retention"]), value="spend", outcomes=outcomes)
    study = SegmentationStudy(
        brief,
        characteristics=FunctionTransformer(),
        clusterer=RuleSegmenter(rules),
        describer=PersonaDescriber(min_group_size=least),
    )
    return study.fit(table), table


@pytest.mark.thorough
@pytest.mark.parametrize("seeds", [range(size(4, 500))])
def test_all_that_is_published_of_a_study_gives_back_nothing_hidden(seeds, monkeypatch):
    found = {seed: attack(*study_of(np.random.RandomState(seed), monkeypatch), FORMS[seed % 2]) for seed in seeds}
    assert not any(found.values()), {seed: each for seed, each in found.items() if each}


def test_who_attacks_finds_what_is_not_hidden(monkeypatch):
    studies = [study_of(np.random.RandomState(seed), monkeypatch, least=2) for seed in (2, 5)]
    found = [each for study in studies for each in attack(*study, FORMS[1])]
    for kind in ("way: train", "size of segment", "is told of", "have stage larval"):
        assert any(kind in each for each in found), kind
