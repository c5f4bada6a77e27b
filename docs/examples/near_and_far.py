"""
Which segments are neighbours?
==============================

Two segments with one border lose customers to each other. A map of all characteristics at once shows
where, as far as a plane can.
"""

# %%

# sphinx_gallery_thumbnail_number = -1
from custseg import DemographicEncoder, SegmentClusterer
from custseg.datasets import make_customers

sample = make_customers(800, n_segments=5, separation=1.3, random_state=1)
people = DemographicEncoder().fit_transform(sample.profile)
clusterer = SegmentClusterer(5, random_state=0).fit(people)

# %%
# The plane through the centres shows as much of what separates them as any plane can; how much that is
# stands on the axes. Thick lines join segments with a weak border.

from custseg.plotting import SegmentMapDisplay

display = SegmentMapDisplay.from_estimator(clusterer, people)
display.plot()

# %%
# The same borders as figures: how much of the row segment lies towards the column segment.

from custseg import segment_separation

segment_separation(people, clusterer.labels_).neighbourhood.round(2)
