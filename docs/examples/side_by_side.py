"""
All segments side by side
=========================

The table that a meeting is held over: every characteristic in its own unit, what made the segments
apart from what did not.
"""

# %%
# Income, online hours and attitudes form the segments. Age, household and the rest have weight 0: they
# take no part, so that a difference in them is a finding.

# sphinx_gallery_thumbnail_number = -1
from custseg import DemographicEncoder, SegmentClusterer
from custseg.datasets import make_customers

sample = make_customers(1000, n_segments=4, separation=1.5, random_state=0)
people = DemographicEncoder().fit_transform(sample.profile)
forming = ["income", "leisure_spend", "online_hours", "price_matters", "quality_matters"]
weights = {name: 0 for name in people.columns if name not in forming}
clusterer = SegmentClusterer(4, weights=weights, random_state=0).fit(people)

# %%
# Five depths of colour say how far a segment lies from everyone else, in standard deviations.

from custseg.plotting import ComparisonDisplay

ComparisonDisplay.from_estimator(clusterer, people).plot()
