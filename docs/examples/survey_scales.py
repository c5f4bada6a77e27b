"""
What do customers think? Scales from a survey
=============================================

A long questionnaire says a few things many times over. Which items belong together, how many such
groups are there, and can their scores be trusted?
"""

# %%
# The survey
# ----------
# The `Young People Survey <https://www.kaggle.com/datasets/miroslavsabo/young-people-survey>`_ asked
# 1,010 Slovaks aged 15 to 30 about their personality, interests and taste in music, on scales from 1
# to 5. It does not come with custseg: the folder that holds it is named by the environment variable
# ``CUSTSEG_SHARED_DATA``. Where it is absent, generated answers of :func:`~custseg.datasets.make_customers`
# stand in, and the next line says so.

# sphinx_gallery_thumbnail_number = -1
import os
from pathlib import Path

import pandas as pd

from custseg.datasets import make_customers

beside_the_project = "../../../shared/data"  # from the folder of this example, in which it runs
folder = Path(os.environ.get("CUSTSEG_SHARED_DATA", beside_the_project)) / "young_people_survey"

if folder.is_dir():
    survey = pd.read_csv(folder / "responses.csv").rename_axis("customer_id").copy().reset_index()
    wording = pd.read_csv(folder / "columns.csv").set_index("short")["original"].to_dict()
    answered_in_numbers = survey.select_dtypes("number")
    blocks = {
        "personality": list(answered_in_numbers.loc[:, "Daily events":"Questionnaires or polls"]),
        "interests": list(answered_in_numbers.loc[:, "History":"Pets"]),
        "music": list(answered_in_numbers.loc[:, "Dance":"Opera"]),
    }
    print(f"The Young People Survey: {len(survey):,} respondents.")
else:
    survey = make_customers(1000, random_state=0).survey
    wording = {}
    blocks = {"attitudes": list(survey.columns.drop("customer_id"))}
    print("The Young People Survey is not here; these are generated answers to twelve items.")
for block, items in blocks.items():
    print(f"{block}: {len(items)} items")

# %%
# How many factors?
# -----------------
# A factor counts while its eigenvalue exceeds what independent items reach by chance (95% quantile):
# parallel analysis. It is what ``n_factors="parallel"`` does, the default where no scales are given.

from custseg.characteristics import PsychographicEncoder

encoders = {
    block: PsychographicEncoder(
        items=items,
        scale_range=(1, 5),
        n_factors="parallel",
        random_state=0,
    ).fit(survey)
    for block, items in blocks.items()
}

# %%

import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, len(encoders), figsize=(3.2 * len(encoders), 3.2), squeeze=False)
for axis, (block, encoder) in zip(axes[0], encoders.items(), strict=True):
    eigenvalues = encoder.parallel_analysis_.to_frame().head(15)
    axis.plot(eigenvalues["eigenvalue"], marker="o", label="answers")
    axis.plot(eigenvalues["threshold"], linestyle="--", label="chance")
    axis.set(title=f"{block}: {eigenvalues['kept'].sum()} factors", xlabel="factor")
axes[0, 0].set_ylabel("eigenvalue")
axes[0, 0].legend()
figure.tight_layout()

# %%
# Which are they?
# ---------------
# Each item belongs to the factor on which it loads most; a minus sign marks an item that is reversed.
# The names are those of the two strongest items. A factor to which fewer than two items belong gives no
# scale.


def show_factors(encoder):
    for scale, keyed in encoder.scales_.items():
        print(scale)
        for item in keyed:
            name = item.removeprefix("-")
            loading = encoder.loadings_.loc[name, scale]
            print(f"   {loading:+.2f}  {wording.get(name, name)}")


for block, encoder in encoders.items():
    print(f"=== {block} ===")
    show_factors(encoder)

# %%
# Do the items of each scale hang together?
# -----------------------------------------
# Alpha and omega near 1: the items say the same thing. Scales of few items that are only loosely
# related, with values below .6, are too noisy to describe one customer, though averages over a
# segment may still be useful.

reliability = pd.concat({block: encoder.reliability_ for block, encoder in encoders.items()})
reliability.round(2)

# %%
# Scores
# ------
# One column per scale, in points of the questionnaire: the mean of the items answered, reversed
# where they load negatively.

block, encoder = next(iter(encoders.items()))
scores = encoder.transform(survey)
scores.describe().round(2).T

# %%
# Names of your own
# -----------------
# Discovery proposes. To confirm, name the scales, drop what does not fit, and pass them: from then
# on the same items are scored whatever the next survey correlates.

strongest = next(iter(encoder.scales_))
scales = {"first scale": encoder.scales_[strongest]}
confirmed = PsychographicEncoder(scales, scale_range=(1, 5)).fit(survey)
confirmed.item_report_.drop(columns="n").round(2)

# %%
# Who did not read the questions?
# -------------------------------
# Flags, not decisions: look at these respondents before anything is built on their answers. The items
# go in as they were asked, so that a long run of equal answers is one.

from custseg.characteristics import careless_responses

asked = {item for items in blocks.values() for item in items}
items = [column for column in survey.columns if column in asked]
signs = careless_responses(survey, items=items)
signs.sort_values(["n_flags", "longest_run"], ascending=False).head().round(2)

# %%
# Segments of these answers
# -------------------------
# By the scores, not by the items: a scale that was asked for with ten items would count ten times as
# much as one of one item. The picture shows the scores of each segment on the scale of the answers.

from custseg import SegmentClusterer
from custseg.plotting import SegmentProfileDisplay

complete = scores.dropna()
segments = SegmentClusterer(4, random_state=0).fit(complete)
SegmentProfileDisplay.from_estimator(segments, complete, columns=list(complete)).plot()
