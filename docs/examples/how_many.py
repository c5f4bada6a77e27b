"""
How many segments?
==================

Compactness always grows with the number, so it cannot choose it. What can?
"""

# %%
# First: are there any? The customers are compared with one continuum of the same margins and
# associations. Then: into how many classes do they fall, with a gap between them?

# sphinx_gallery_thumbnail_number = -1
from custseg import DemographicEncoder, select_n_segments
from custseg.datasets import make_customers

sample = make_customers(600, n_segments=4, separation=1.5, random_state=0)
people = DemographicEncoder().fit_transform(sample.profile)
selection = select_n_segments(people, random_state=0)
print(selection)

# %%
# The band is what one continuum would give. The filled mark is the number that was taken.

from custseg.plotting import SelectionDisplay

SelectionDisplay(selection).plot()
