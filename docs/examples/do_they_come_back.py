"""
Do the segments come back?
==========================

Other customers, drawn from the same market, would give other segments. How different?
"""

# %%
# Pairs of bootstrap samples, for each number of segments. (More pairs than the 10 here give smaller
# intervals; they are few to be quick.)

# sphinx_gallery_thumbnail_number = -1
from custseg import DemographicEncoder, SegmentClusterer, bootstrap_stability
from custseg.datasets import make_customers

sample = make_customers(500, n_segments=4, separation=1.5, random_state=0)
people = DemographicEncoder().fit_transform(sample.profile)
stability = bootstrap_stability(SegmentClusterer(n_init=3), people, range(2, 7), n_pairs=10, random_state=0)
print(stability)
stability.to_frame()[["n_segments", "mean_adjusted_rand", "min_slsw", "standing"]].round(2)

# %%
# Each pair is a dot; each segment of the number that is shown has a bar; the bands say where its
# customers were when there were fewer segments.

from custseg.plotting import StabilityDisplay

StabilityDisplay(stability, 4).plot()
