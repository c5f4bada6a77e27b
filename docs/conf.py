"""How the documentation is built: no network, and every example executed."""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import custseg
from custseg import plotting
from custseg.datasets import make_customers
from custseg.targeting import goals_to_frame, named_actions_to_frame

project = "custseg"
author = "The custseg developers"
project_copyright = "The custseg developers"
version = release = custseg.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples", "gallery/*.ipynb", "gallery/*.py", "gallery/*.md5", "sg_execution_times.rst"]
suppress_warnings = ["config.cache"]  # the sorting of the gallery is a function

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say the types, in words
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "custseg"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_theme_options = {
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
}

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py",
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_", "__repr__"),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "within_subsection_order": "FileNameSortKey",
}

# a warning in an example is a mistake in the example
warnings.filterwarnings("error", module=r"custseg\.")
os.environ.setdefault("COLUMNS", "100")


def write_goals(app):
    """Write the rules of the goals as tables, so that the page cannot differ from the code."""
    goals = goals_to_frame()[["goal", "order_by", "condition", "action", "advice"]]
    for name, frame in {"goals": goals, "named_actions": named_actions_to_frame()}.items():
        rows = [list(frame.columns), ["---"] * frame.shape[1], *frame.to_numpy().tolist()]
        folder = Path(app.srcdir) / "api" / "generated"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text("".join(f"| {' | '.join(row)} |\n" for row in rows), encoding="utf-8")


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
        image = f"```{{image}} ../api/generated/pictures/{name}.svg\n:alt: {display.alt_}\n```\n"
        (folder / f"{name}.txt").write_text(image, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write_goals)
    app.connect("builder-inited", draw_pictures)
