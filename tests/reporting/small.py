"""Small studies of every kind, fitted once: what stands in a report of real ones."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from custseg import (
    CharacteristicUnion,
    DemographicEncoder,
    RFMFeaturizer,
    RuleSegmenter,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
)
from custseg.datasets import make_customers

HOSTILE = ("=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "<script>alert(1)</script>", "naïve 🙂 ü", "שלום")


def clusterer(n_segments=3, **options):
    return SegmentClusterer(n_segments=n_segments, max_segments=4, n_init=1, random_state=0, **options)


def study(characteristics, segmenter, given, **brief):
    brief = SegmentationBrief(brief.pop("goal", "retention"), **brief)
    return SegmentationStudy(brief, characteristics=characteristics, clusterer=segmenter, n_pairs=2).fit(given)


@cache
def natural():
    """Segments far apart, from two tables, with values in a currency, an outcome and what made no segment."""
    given = make_customers(150, n_segments=3, separation=6.0, random_state=0).tables
    given["profile"] = given["profile"].assign(left=np.arange(150) % 3 == 0)
    who = DemographicEncoder(columns=["age", "income", "quality_matters", "price_matters", "household", "left"])
    union = CharacteristicUnion([("behaviour", RFMFeaturizer(), "transactions"), ("who", who, "profile")])
    weights = {"behaviour": 0, "who__left": 0, "who__household": 0}
    return study(union, clusterer(weights=weights), given, currency="EUR", outcomes=["who__left"])


@cache
def reproducible():
    """One line of customers, cut in the same place again and again."""
    line = np.linspace(1, 9, 200)
    given = pd.DataFrame({"customer_id": range(200), "spend": line, "visits": 10 - line})
    return study(None, clusterer(2), given, value="spend")


@cache
def continuum():
    """No segments, and a cut."""
    given = make_customers(150, separation=0.0, random_state=0).profile
    return study(DemographicEncoder(columns=["age", "income", "online_hours", "region"]), clusterer("auto"), given)


@cache
def rules():
    """Purchases in four rules: too few customers meet the first, and nobody meets the last."""
    bounds = {"Constant": "frequency >= 45", "Often": "frequency >= 10", "Seldom": "frequency >= 1"}
    segmenter = RuleSegmenter({**bounds, "Nobody": "frequency < 0"})
    return study(RFMFeaturizer(), segmenter, make_customers(500, random_state=0).transactions)


@cache
def gaps():
    """Two rules that some customers do not meet."""
    segmenter = RuleSegmenter({"Younger": "age < 35", "Older": "age >= 50"})
    given = make_customers(120, random_state=0).profile
    return study(DemographicEncoder(columns=["age", "income"]), segmenter, given, value="income", currency="USD")


@cache
def hostile():
    """Ids, columns and levels that would do something if they were not text, and a year of birth."""
    random = np.random.RandomState(0)
    group = np.arange(90) % 3
    given = pd.DataFrame(
        {
            "customer_id": [f"{HOSTILE[place % len(HOSTILE)]}{place}" for place in range(90)],
            "=1+1": group * 5.0 + random.rand(90),
            "year of birth": 1950 + 15 * group + random.randint(0, 5, 90),
            "@way\x0b": np.array(HOSTILE[:3], dtype=object)[group],
        }
    )
    segmenter = RuleSegmenter({"=HYPERLINK(1)": "`=1+1` < 4", "-\x07b": "`=1+1` >= 4"})
    return study(None, segmenter, given)


STUDIES = {made.__name__: made for made in (natural, reproducible, continuum, rules, gaps, hostile)}
