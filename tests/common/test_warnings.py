"""Every warning points at the user's line, which stands in this file here, and every place that warns is provoked."""

from __future__ import annotations

import ast
import functools
import sys
import tempfile
import warnings
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline

from custseg import (
    CharacteristicEmbedder,
    CharacteristicUnion,
    DemographicEncoder,
    GeographicEncoder,
    KPrototypesClusterer,
    LatentClassClusterer,
    MultiSelectEncoder,
    PersonaDescriber,
    PreferenceEncoder,
    PsychographicEncoder,
    PurchaseBehaviorFeaturizer,
    RFMFeaturizer,
    RuleSegmenter,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
    SegmentRules,
    SegmentTyping,
    assign_segments,
    write_segments,
)
from custseg._commands.tables import _dates
from custseg.characteristics import (
    best_worst_counts,
    careless_responses,
    cronbach_alpha,
    factorability,
    item_analysis,
    join_responses,
    split_transactions,
)
from custseg.datasets import make_customers
from custseg.segmentation import Rule, RuleFilter, select_n_segments
from custseg.validation import weight_sensitivity
from custseg.weighting import constant_sum_weights
from tests.common.discovery import SOURCE, python_files

pytestmark = pytest.mark.sampled

RANDOM = np.random.RandomState(0)
SHOPPERS = pd.DataFrame(
    {
        "spend": np.exp(RANDOM.randn(60)),
        "visits": RANDOM.poisson(9, 60).astype(float),
        "region": RANDOM.choice(["north", "south", "west"], 60),
        "band": pd.Categorical(RANDOM.choice(["low", "high"], 60), ["low", "high"], ordered=True),
    }
)
ELSEWHERE = SHOPPERS.assign(region=["moon", *SHOPPERS["region"][1:]])
POOR = SHOPPERS.assign(same=1.0)
LAST = np.r_[0.0, np.ones(59)]
NEW_BAND = SHOPPERS.assign(band=pd.Categorical(["top"] * 60, ["low", "high", "top"], ordered=True))
KINDS = {"spend": "numeric", "visits": "numeric"}
LINES = make_customers(30, n_segments=2, random_state=0).transactions
WITHOUT_TIME = LINES.assign(timestamp=LINES["timestamp"].where(LINES["timestamp"] != LINES["timestamp"].min()))
PROFILE = pd.DataFrame({"customer_id": range(1, 31), "age": np.tile([20, 30, 40], 10), "empty": [None] * 30})
ANSWERS = pd.DataFrame({"a": [1, 2, 4, 5], "b": [1, 3, 4, 5], "c": [1, 2, 4, 4], "d": [5, 4, 2, 1]})
CHOICES = pd.DataFrame(
    {"customer_id": [1, 1], "best": ["x", None], "worst": ["y", "x"], "p": ["x"] * 2, "q": ["y"] * 2}
)
OPPOSED = np.random.RandomState(0).normal(size=(60, 1)) * [1, -1, 1] + np.random.RandomState(1).normal(size=(60, 3)) / 4
CONTACTS = pd.DataFrame({"customer_id": [1, 2], "campaign": ["may", "may"]})


def dependent():
    """Planted segments; inside them all columns correlate by .4."""
    random = np.random.RandomState(0)
    factor = random.normal(size=(300, 1)) * np.sqrt(0.4)
    centers = random.normal(0, 1.5, size=(2, 8))
    return centers[random.randint(2, size=300)] + factor + np.sqrt(0.6) * random.normal(size=(300, 8))


def nearly_empty_class():
    """Answers that two classes explain, and of which one class is most likely for everybody."""
    answers = np.indices((2, 2, 2)).reshape(3, -1).T.astype(float)
    yes = answers.sum(axis=1)
    expected = 0.9 * 0.35**yes * 0.65 ** (3 - yes) + 0.1 * 0.65**yes * 0.35 ** (3 - yes)
    made = LatentClassClusterer(2, kinds="binary", tol=0.0, max_iter=300, n_init=2, random_state=0)
    made.fit(answers, sample_weight=1000 * expected)


class Grumbling(KMeans):
    def predict(self, X):
        warnings.warn("I would rather not", RuntimeWarning, stacklevel=1)
        return super().predict(X)


def clusterer(**parameters):
    return SegmentClusterer(**{"n_segments": 2, "n_init": 2, "max_segments": 1, "random_state": 0, **parameters})


def members():
    return CharacteristicUnion([("rfm", RFMFeaturizer(), "lines"), ("who", DemographicEncoder(), "profile")])


def study():
    return SegmentationStudy(
        SegmentationBrief("retention"), characteristics=members(), clusterer=clusterer(), n_pairs=2
    )


CALLS = {
    "rules: a value that nobody has": lambda: RuleSegmenter({"A": "region == 'Nroth'"}).fit(SHOPPERS),
    "rules: a level that is new": lambda: RuleSegmenter({"A": "band > 'low'"}).fit(SHOPPERS).predict(NEW_BAND),
    "rules: a level that is new to a filter": lambda: RuleFilter(Rule.read("band > 'low'"), SHOPPERS).matches(NEW_BAND),
    "rules: a hidden rule": lambda: RuleSegmenter({"A": "spend < 5 or spend >= 5", "B": "spend > 7"}).fit(SHOPPERS),
    "study file: dates of another format": lambda: _dates(
        pd.Series(["31/12/2024", "12/31/2024"], name="day"), "%d/%m/%Y"
    ),
    "clusterer: whole numbers like ids": lambda: clusterer().fit(SHOPPERS.assign(number=np.arange(60) * 7)),
    "clusterer: a constant column": lambda: clusterer().fit(POOR),
    "clusterer: by fit_predict": lambda: clusterer().fit_predict(POOR),
    "clusterer: by fit_transform": lambda: clusterer().fit_transform(POOR),
    "clusterer: in a pipeline": lambda: make_pipeline(CharacteristicEmbedder(), KMeans(2, n_init=1)).fit(POOR),
    "clusterer: last of a pipeline": lambda: make_pipeline(clusterer()).fit_predict(POOR),
    "clusterer: dependence": lambda: clusterer(n_segments="auto", embedder="passthrough", max_segments=4).fit(
        dependent()
    ),
    "select_n_segments": lambda: select_n_segments(dependent(), embedder="passthrough", max_segments=4, random_state=0),
    "embedder: a category that is new": lambda: CharacteristicEmbedder().fit(SHOPPERS).transform(ELSEWHERE),
    "embedder: mostly missing": lambda: CharacteristicEmbedder().fit(
        SHOPPERS.assign(visits=SHOPPERS["visits"].where(SHOPPERS.index > 40))
    ),
    "embedder: columns without a weight": lambda: CharacteristicEmbedder(
        weights=constant_sum_weights(pd.DataFrame({"spend": [60, 50], "visits": [40, 50]}), random_state=0)
    ).fit(SHOPPERS),
    "assign_segments: a category that is new": lambda: assign_segments(clusterer().fit(SHOPPERS), ELSEWHERE),
    "assign_segments: a warning of another": lambda: assign_segments(
        Grumbling(2, n_init=1).fit(SHOPPERS[["spend"]]), SHOPPERS[["spend"]], batch_size=30
    ),
    "latent classes: a constant column": lambda: LatentClassClusterer(2, n_init=1, random_state=0).fit(POOR),
    "latent classes: new where nobody counts": lambda: LatentClassClusterer(2, n_init=1, random_state=0).fit(
        ELSEWHERE, sample_weight=LAST
    ),
    "latent classes: too few steps": lambda: LatentClassClusterer(2, max_iter=2, random_state=0).fit(SHOPPERS),
    "latent classes: a class that is empty": nearly_empty_class,
    "latent classes: a category that is new": lambda: (
        LatentClassClusterer(2, n_init=1, random_state=0).fit(SHOPPERS).predict(ELSEWHERE)
    ),
    "prototypes: a category that is new": lambda: (
        KPrototypesClusterer(2, random_state=0).fit(SHOPPERS).predict(ELSEWHERE)
    ),
    "a clusterer: neither yes nor no": lambda: (
        KPrototypesClusterer(2, random_state=0)
        .fit(SHOPPERS.assign(member=["Yes", "No"] * (len(SHOPPERS) // 2)))
        .predict(SHOPPERS.assign(member="Perhaps"))
    ),
    "personas: an id": lambda: PersonaDescriber().fit(
        SHOPPERS.assign(client=[f"c{row}" for row in range(60)]), np.arange(60) % 2
    ),
    "rules of segments: an id": lambda: SegmentRules().fit(
        SHOPPERS.assign(client=[f"c{row}" for row in range(60)]), np.arange(60) % 2
    ),
    "rules of segments: a level that is new": lambda: (
        SegmentRules().fit(SHOPPERS[["band"]], SHOPPERS["band"] == "low").predict(NEW_BAND)
    ),
    "questions: a level that is new": lambda: (
        SegmentTyping(1).fit(SHOPPERS[["band"]], SHOPPERS["band"] == "low").predict(NEW_BAND)
    ),
    "demographic: an empty column": lambda: DemographicEncoder().fit(PROFILE),
    "demographic: by fit_transform": lambda: DemographicEncoder().fit_transform(PROFILE),
    "demographic: in a pipeline": lambda: make_pipeline(DemographicEncoder(), clusterer()).fit(PROFILE),
    "demographic: rows without an id": lambda: (
        DemographicEncoder(columns=["age"]).fit(PROFILE).transform(PROFILE.assign(customer_id=[None, *range(29)]))
    ),
    "geographic: null island": lambda: GeographicEncoder().fit(
        pd.DataFrame({"customer_id": [1, 2, 3], "latitude": [0.0, 48.0, 0.0], "longitude": [0.0, 11.0, 0.0]})
    ),
    "rfm: rows without a time": lambda: RFMFeaturizer().fit(LINES).transform(WITHOUT_TIME),
    "purchases: a category that is new": lambda: (
        PurchaseBehaviorFeaturizer(category="category").fit(LINES).transform(LINES.assign(category="new"))
    ),
    "split_transactions": lambda: split_transactions(WITHOUT_TIME, at=LINES["timestamp"].median()),
    "weight_sensitivity: no weight moves": lambda: weight_sensitivity(
        clusterer(), SHOPPERS[["spend"]], {"spend": 1.0}, 2, spread=0.0
    ),
    "union: no customer in common": lambda: members().fit(
        {"lines": LINES, "profile": PROFILE.assign(customer_id=range(1000, 1030))}
    ),
    "union: of a member": lambda: members().fit_transform({"lines": WITHOUT_TIME, "profile": PROFILE}),
    "union: in a pipeline": lambda: make_pipeline(members(), clusterer()).fit({"lines": LINES, "profile": PROFILE}),
    "study: of a member and of the clusterer": lambda: study().fit({"lines": WITHOUT_TIME, "profile": PROFILE}),
    "join_responses": lambda: join_responses(CONTACTS, CONTACTS.assign(campaign="june"), response_time=None),
    "multi-select: another separator": lambda: MultiSelectEncoder("image").fit(
        pd.DataFrame({"customer_id": [1, 2, 3], "image": ["a,b", "a,c", "b"]})
    ),
    "multi-select: an option that is new": lambda: (
        MultiSelectEncoder("image", min_customers=1)
        .fit(pd.DataFrame({"customer_id": [1, 2], "image": ["a;b", "b"]}))
        .transform(pd.DataFrame({"customer_id": [1], "image": ["a;new"]}))
    ),
    "careless_responses: singular": lambda: careless_responses(np.repeat(RANDOM.randint(1, 6, (20, 3)), 2, axis=1)),
    "psychographic: centring": lambda: PsychographicEncoder(
        {"all": ["a", "b", "c"]}, response_style="centre", scale_range=(1, 5)
    ).fit(ANSWERS.assign(customer_id=range(4))),
    "preferences: another sign": lambda: PreferenceEncoder(ranking="values").fit(
        pd.DataFrame({"customer_id": [1, 2, 3], "values": ["a, b", "b, a", "a"]})
    ),
    "item_analysis: a reversed item": lambda: item_analysis(ANSWERS),
    "best_worst_counts: a set without an answer": lambda: best_worst_counts(CHOICES, shown=["p", "q"]),
    "constant_sum_weights: blanks": lambda: constant_sum_weights(
        pd.DataFrame({"spend": [60, 100], "region": [40, np.nan]}), random_state=0
    ),
}


def _read_folder():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("part.parquet", "_copy.parquet"):
            SHOPPERS.to_parquet(f"{folder}/{name}")
        CharacteristicEmbedder(customer_id=None).fit(folder)


def _write_formulas():
    shoppers = pd.DataFrame({"customer_id": ["=1+1", "b"], "spend": [1.0, 9.0]})
    fitted = RuleSegmenter({"Low": "spend < 5"}, otherwise="High").fit(shoppers)
    with tempfile.TemporaryDirectory() as folder:
        write_segments(fitted, shoppers, f"{folder}/segments.csv")


def _score_later():
    later = LINES.assign(timestamp=LINES["timestamp"] + pd.Timedelta(days=30))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = study().fit({"lines": LINES, "profile": PROFILE[["customer_id", "age"]]})
    fitted.predict({"lines": later, "profile": PROFILE[["customer_id", "age"]]})


CALLS |= {
    "latent classes: numbers of two values": lambda: LatentClassClusterer(2, n_init=1, random_state=0).fit(
        SHOPPERS.assign(member=[0, 1] * 30)
    ),
    "latent classes: too many parameters for standard errors": lambda: LatentClassClusterer(
        2, n_init=1, random_state=0
    ).fit(np.random.RandomState(0).normal(size=(40, 800)) + 3 * np.arange(40)[:, None] % 2),
    "cronbach_alpha: below 0": lambda: cronbach_alpha(OPPOSED[:, :2]),
    "factorability: singular": lambda: factorability(np.repeat(OPPOSED, 2, axis=1)),
    "rfm: times that cannot be read": lambda: RFMFeaturizer().fit(
        LINES.assign(timestamp=["31/12/2024", *LINES["timestamp"].astype(str)[1:]])
    ),
    "a folder with hidden files": _read_folder,
    "study: later tables": _score_later,
    "write_segments: ids that are formulas": _write_formulas,
}

# "file: function" -> why no call of this file leads there
NOT_PROVOKED: dict[str, str] = {}


@functools.cache
def outcome(name):
    """The warnings of a call, and the places in custseg that gave them: file, and line."""
    places = set()
    warn = warnings.warn

    def watched(message, category=None, stacklevel=1, **rest):
        giver = sys._getframe(2)
        if sys._getframe(1).f_code.co_filename.endswith("warning.py"):
            places.add((giver.f_code.co_filename, giver.f_lineno))
        warn(message, category, stacklevel + 1, **rest)

    with warnings.catch_warnings(record=True) as caught, mock.patch("warnings.warn", watched):
        warnings.simplefilter("always")
        CALLS[name]()
    return caught, places


def places_that_warn():
    """Every call of custseg's ``warn``: file, first and last line, and the function that it stands in."""
    for path in python_files("src"):
        text = path.read_text(encoding="utf-8")
        if "warn(" not in text:
            continue
        tree = ast.parse(text)
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "warn":
                inside = [f.name for f in functions if f.lineno <= node.lineno <= f.end_lineno]
                yield str(path), node.lineno, node.end_lineno, f"{path.relative_to(SOURCE)}: {inside[-1]}"


@pytest.mark.parametrize("name", CALLS)
def test_a_warning_points_at_the_line_of_the_user(name):
    caught, places = outcome(name)
    assert places
    assert {warning.filename for warning in caught} == {__file__}


def test_every_place_that_warns_is_provoked():
    provoked = set().union(*(outcome(name)[1] for name in CALLS))
    known = list(places_that_warn())
    assert len(known) > 25
    silent = {
        place
        for path, first, last, place in known
        if not any(path == where and first <= line <= last for where, line in provoked)
    }
    assert silent == set(NOT_PROVOKED)
