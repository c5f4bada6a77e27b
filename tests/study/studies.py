"""Ten studies of every kind, and the facts of each that a reader would act on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from custseg import (
    CharacteristicUnion,
    DemographicEncoder,
    KPrototypesClusterer,
    LatentClassClusterer,
    PsychographicEncoder,
    RFMFeaturizer,
    RFMSegmenter,
    RuleSegmenter,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
)
from custseg.datasets import make_customers

SCALES = {
    "price": ["price_1", "-price_2", "price_3", "price_4"],
    "quality": ["quality_1", "-quality_2", "quality_3", "-quality_4"],
}
RULES = {"Frequent": "behaviour__frequency >= 6", "Young": "who__age < 40"}


def tables(n_customers=300, separation=1.5):
    return make_customers(n_customers, separation=separation, random_state=0).tables


def union(*members):
    behaviour = ("behaviour", RFMFeaturizer(), "transactions")
    return CharacteristicUnion([behaviour, *(members or [("who", DemographicEncoder(), "profile")])])


def study(goal, characteristics, clusterer, given, **brief):
    return SegmentationStudy(
        SegmentationBrief(goal, **brief), characteristics=characteristics, clusterer=clusterer, n_pairs=3
    ).fit(given)


def of_descriptors():
    return study("retention", union(), SegmentClusterer(weights={"behaviour": 0}, random_state=0), tables())


def of_purchases():
    given = tables(400)["transactions"]
    return study("pricing", RFMFeaturizer(), SegmentClusterer(random_state=0), given)


def of_a_continuum():
    given = tables(250, separation=0.0)["profile"]
    return study("retention", DemographicEncoder(), SegmentClusterer(random_state=0), given)


def of_an_audience():
    audience = [("behaviour__frequency", ">=", 2), ("who__region", "in", ["north", "south"])]
    limits = {"min_segment_share": 0.1, "max_segments": 5}
    return study("development", union(), SegmentClusterer(random_state=0), tables(), audience=audience, **limits)


def of_cells():
    return study("advertising", RFMFeaturizer(), RFMSegmenter(), tables()["transactions"])


def of_rules():
    return study("acquisition", union(), RuleSegmenter(RULES), tables())


def of_latent_classes():
    clusterer = LatentClassClusterer(n_segments=3, n_init=5, random_state=0)
    return study("retention", DemographicEncoder(), clusterer, tables()["profile"])


def of_prototypes():
    clusterer = KPrototypesClusterer(n_segments=4, n_init=3, random_state=0)
    return study("development", union(), clusterer, tables(200))


def of_weights_and_polars():
    weights = {"behaviour__monetary": 3, "who": 0.5}
    given = {name: pl.from_pandas(table) for name, table in tables().items()}
    return study("acquisition", union(), SegmentClusterer(n_segments=5, weights=weights, random_state=0), given)


def of_attitudes():
    attitudes = ("attitudes", PsychographicEncoder(scales=SCALES, scale_range=(1, 5)), "survey")
    clusterer = SegmentClusterer(n_segments=4, weights={"behaviour": 0}, random_state=0)
    return study("advertising", union(attitudes), clusterer, tables())


STUDIES: dict[str, Callable[[], SegmentationStudy]] = {
    made.__name__.removeprefix("of_"): made
    for made in (
        of_descriptors,
        of_purchases,
        of_a_continuum,
        of_an_audience,
        of_cells,
        of_rules,
        of_latent_classes,
        of_prototypes,
        of_weights_and_polars,
        of_attitudes,
    )
}


def facts(fitted: SegmentationStudy) -> dict[str, Any]:
    """What a reader would act on: labels, verdict, and of each segment name, size, value, stability and action."""
    found = {
        "verdict": fitted.verdict_.sentence,
        "labels": digest(fitted.labels_),
        "n_seen": fitted.n_customers_seen_,
        "segments": rows(fitted.segment_table_, fitted.actions_),
    }
    if fitted.cut_ is not None:
        found["cut"] = {
            "labels": digest(fitted.cut_.labels),
            "segments": rows(fitted.cut_table_, fitted.cut_plan_.actions),
        }
    return found


def digest(labels):
    return hashlib.sha256(np.asarray(labels, dtype=np.int64).tobytes()).hexdigest()[:16]


def rows(table: pd.DataFrame, actions) -> list[dict[str, Any]]:
    told = zip(table.to_dict("records"), actions, strict=True)
    return [
        {name: row[name] for name in ("name", "n_customers")}
        | {name: number(row[name]) for name in ("share", "value", "value_share", "stability")}
        | {"action": action.action, "because": action.because}
        for row, action in told
    ]


def number(value):
    return None if pd.isna(value) else float(value)
