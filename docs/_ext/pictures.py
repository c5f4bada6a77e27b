"""The pictures of the guide, drawn when it is built, each with its alternative text."""

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


def draw_pictures(app):
    """Draw the pictures of the guide, each with its alternative text."""
    sample = make_customers(1000, n_segments=4, separation=1.5, random_state=0)
    union = custseg.CharacteristicUnion(
        [("rfm", custseg.RFMFeaturizer(), "transactions"), ("profile", custseg.DemographicEncoder(), "profile")]
    )
    brief = custseg.SegmentationBrief(goal="development", currency="USD", max_segments=6)
    clusterer = custseg.SegmentClusterer(random_state=0)
    study = custseg.SegmentationStudy(brief, characteristics=union, clusterer=clusterer, n_pairs=10)
    study.fit({"transactions": sample.transactions, "profile": sample.profile})
    purchases = custseg.RFMFeaturizer().fit_transform(sample.transactions)
    by_rules = custseg.RFMSegmenter().fit(purchases)
    segments = study.segmentation_
    answers = sample.survey.set_index("customer_id")
    needs = custseg.needs_by_segment(rated(segments, 2), rated(segments, 3), segments)
    displays = {
        "value": plotting.SegmentValueDisplay.from_estimator(study),
        "comparison": plotting.ComparisonDisplay.from_estimator(study),
        "profile": plotting.SegmentProfileDisplay.from_predictions(
            answers, segments.labels_by_customer, names=segments.segment_names, columns=list(answers)
        ),
        "needs": plotting.NeedsDisplay(needs),
        "stability": plotting.StabilityDisplay.from_estimator(study),
        "map": plotting.SegmentMapDisplay.from_estimator(study),
        "gorge": plotting.GorgeDisplay.from_estimator(study),
        "selection": plotting.SelectionDisplay.from_estimator(study),
        "separation": plotting.SeparationDisplay.from_estimator(study),
        "rfm_grid": plotting.RFMGridDisplay.from_estimator(by_rules, purchases, currency="USD"),
        "mosaic": plotting.MosaicDisplay.from_estimator(study, characteristic="profile__household"),
        "distribution": plotting.DistributionDisplay.from_estimator(study, characteristic="rfm__monetary"),
    }
    folder = Path(app.srcdir) / "api" / "generated" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for name, display in displays.items():
        display.save(folder / f"{name}.svg")
        image = f"```{{image}} /api/generated/pictures/{name}.svg\n:alt: {display.alt_}\n```\n"
        (folder / f"{name}.txt").write_text(image, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", draw_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
