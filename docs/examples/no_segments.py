"""
When there are no segments
==========================

Two sets of customers: one with five planted segments, one with none. A clusterer that is told to
find five finds five in both. What tells them apart?
"""

# %%
# Both sets have the same columns and the same margins of noise.

# sphinx_gallery_thumbnail_number = -1
from custseg import DemographicEncoder, SegmentClusterer
from custseg.datasets import make_customers

planted = make_customers(400, separation=1.5, random_state=0)
nobody = make_customers(400, separation=0.0, random_state=0)
customers = {
    "planted": DemographicEncoder().fit_transform(planted.profile),
    "none": DemographicEncoder().fit_transform(nobody.profile),
}

# %%
# Told to find five, it does:

for name, table in customers.items():
    clusterer = SegmentClusterer(n_segments=5, random_state=0).fit(table)
    print(f"{name:8} sizes {clusterer.segment_sizes_.tolist()}")

# %%
# Do they come back when other customers are drawn?

from custseg.validation import bootstrap_stability

stability = {
    name: bootstrap_stability(
        SegmentClusterer(n_init=3),
        table,
        range(2, 8),
        n_pairs=6,
        random_state=0,
    )
    for name, table in customers.items()
}
for name, result in stability.items():
    print(f"{name:8} {result.mean_adjusted_rand.round(2).to_dict()}")

# %%

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 3.5))
for name, result in stability.items():
    axes.plot(result.numbers, result.mean_adjusted_rand, marker="o", label=name)
axes.set(xlabel="number of segments", ylabel="mean adjusted Rand index", ylim=(0, 1.05))
axes.legend(title="segments")
figure.tight_layout()

# %%
# Is there a gap between the five? Each customer stands between the centre of a segment and the nearest other one; the
# line is one continuum with the same characteristics, cut into as many pieces.

from custseg.plotting import GorgeDisplay

labels = {name: SegmentClusterer(n_segments=5, random_state=0).fit(table).labels_ for name, table in customers.items()}
GorgeDisplay.from_predictions(customers["planted"], labels["planted"]).plot()

# %%

GorgeDisplay.from_predictions(customers["none"], labels["none"]).plot()

# %%
# Left to choose, the clusterer says so:

for name, table in customers.items():
    clusterer = SegmentClusterer(random_state=0).fit(table)
    print(f"{name:8} {clusterer.n_segments_} segment(s). {clusterer.selection_.reason}")
