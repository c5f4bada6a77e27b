"""
How far does each segment stand apart?
======================================

A mean over all customers hides the one segment that lies between two others.
"""

# %%
# Five segments are asked for, where four were planted. One of the four is cut in two.

# sphinx_gallery_thumbnail_number = -1
from custseg import DemographicEncoder, SegmentClusterer
from custseg.datasets import make_customers

sample = make_customers(800, n_segments=4, separation=1.5, random_state=0)
people = DemographicEncoder().fit_transform(sample.profile)
clusterer = SegmentClusterer(5, random_state=0).fit(people)

# %%
# One bar per segment, with the segment that it is least apart from.

from custseg.plotting import SeparationDisplay

SeparationDisplay.from_estimator(clusterer, people).plot()
