"""The pictures of the guide, drawn when it is built, each with its alternative text.

Few fits, and each is drawn from several sides. A page shows a picture by including its text:
``{include} ../api/generated/pictures/NAME.txt``.
"""

from pathlib import Path

import numpy as np
import pandas as pd

import custseg
from custseg import plotting
from custseg.datasets import make_customers


def rated(segmentation, step):
    """Draw how each customer rates six items, from 1 to 5; segments differ by some steps."""
    items = ["price", "advice", "opening hours", "range", "delivery", "returns"]
    random = np.random.RandomState(step)
    means = 3 + ((np.arange(len(items)) * 7 + segmentation.labels[:, None] * step) % 5 - 2) / 2
    answers = np.clip(np.round(random.normal(means, 0.8)), 1, 5)
    return pd.DataFrame(answers, columns=items, index=segmentation.labels_by_customer.index)


def of_a_study(sample):
    """What a study of purchases and profiles found, from all sides; twelve kinds of pictures."""
    union = custseg.CharacteristicUnion(
        [("rfm", custseg.RFMFeaturizer(), "transactions"), ("profile", custseg.DemographicEncoder(), "profile")]
    )
    brief = custseg.SegmentationBrief(goal="development", currency="USD", max_segments=6)
    clusterer = custseg.SegmentClusterer(random_state=0)
    study = custseg.SegmentationStudy(brief, characteristics=union, clusterer=clusterer, n_pairs=10)
    study.fit({"transactions": sample.transactions, "profile": sample.profile})
    segments = study.segmentation_
    answers = sample.survey.set_index("customer_id")
    needs = custseg.needs_by_segment(rated(segments, 2), rated(segments, 3), segments)
    yield "value", plotting.SegmentValueDisplay.from_estimator(study)
    yield "comparison", plotting.ComparisonDisplay.from_estimator(study)
    told = ["rfm__frequency", "rfm__monetary", "profile__age", "profile__income", "profile__household"]
    glance = custseg.Segmentation.of(
        study.customers_[told], segments.labels_by_customer, characteristics=study.characteristics_.describe()
    ).named(segments.segment_names)
    yield "at_a_glance", plotting.ComparisonDisplay.from_predictions(glance)
    of_answers = {"names": segments.segment_names, "columns": list(answers)}
    yield (
        "profile",
        plotting.SegmentProfileDisplay.from_predictions(answers, segments.labels_by_customer, **of_answers),
    )
    yield "needs", plotting.NeedsDisplay(needs)
    yield "stability", plotting.StabilityDisplay.from_estimator(study)
    yield "map", plotting.SegmentMapDisplay.from_estimator(study)
    yield "gorge", plotting.GorgeDisplay.from_estimator(study)
    yield "selection", plotting.SelectionDisplay.from_estimator(study)
    yield "separation", plotting.SeparationDisplay.from_estimator(study)
    yield "mosaic", plotting.MosaicDisplay.from_estimator(study, characteristic="profile__household")
    yield "distribution", plotting.DistributionDisplay.from_estimator(study, characteristic="rfm__monetary")
    by_purchases = custseg.SegmentClusterer(4, weights={"profile": 0}, random_state=0).fit(study.customers_)
    yield "descriptors", plotting.ComparisonDisplay.from_estimator(by_purchases, study.customers_)


def of_rules(sample):
    """The eleven segments of recency, frequency and spend."""
    purchases = custseg.RFMFeaturizer().fit_transform(sample.transactions)
    rules = custseg.RFMSegmenter().fit(purchases)
    yield "rfm_grid", plotting.RFMGridDisplay.from_estimator(rules, purchases, currency="USD")
    spend = purchases["frequency"] * purchases["monetary"]
    segmentation = custseg.Segmentation.by(rules, purchases, value=spend)
    yield "rules", plotting.SegmentValueDisplay.from_predictions(segmentation, currency="USD")


def of_profiles(sample):
    """Who people are: planted segments, and what several clusterers make of them."""
    people = custseg.DemographicEncoder().fit_transform(sample.profile)
    planted = sample.segment.reindex(people.index)
    yield "planted", plotting.SegmentMapDisplay.from_predictions(people, planted)
    campaign = sample.campaign.set_index("customer_id")
    response = next(name for name in campaign if "respon" in name)
    answered = pd.DataFrame({"response": campaign[response].astype(bool)})
    yield (
        "responses",
        plotting.MosaicDisplay.from_predictions(
            answered, planted.reindex(answered.index).to_numpy(), characteristic="response"
        ),
    )
    ratings = dict.fromkeys(["price_matters", "quality_matters", "packaging_matters"], "ordinal")
    latent = custseg.LatentClassClusterer(4, kinds=ratings, random_state=0).fit(people)
    yield "classes", plotting.MosaicDisplay.from_estimator(latent, people, characteristic="occupation")
    told = people[["age", "income", "online_hours", "household", "occupation"]]
    prototypes = custseg.KPrototypesClusterer(4, random_state=0).fit(told)
    yield "prototypes", plotting.ComparisonDisplay.from_estimator(prototypes, told)


def of_nobody():
    """Customers without segments, cut into five all the same."""
    nobody = make_customers(600, separation=0.0, random_state=0).profile
    people = custseg.DemographicEncoder().fit_transform(nobody)
    cut = custseg.SegmentClusterer(5, random_state=0).fit(people)
    yield "gorge_of_nobody", plotting.GorgeDisplay.from_estimator(cut, people)


def draw_pictures(app):
    folder = Path(app.srcdir) / "api" / "generated" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    sample = make_customers(1000, n_segments=4, separation=1.5, random_state=0)
    for drawn in (of_a_study(sample), of_rules(sample), of_profiles(sample), of_nobody()):
        for name, display in drawn:
            display.save(folder / f"{name}.svg")
            image = f"```{{image}} /api/generated/pictures/{name}.svg\n:alt: {display.alt_}\n```\n"
            (folder / f"{name}.txt").write_text(image, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", draw_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
