"""
What do they need, and what do they lack?
=========================================

Customers said of each item how important it is and how satisfied they are. What is important and does
not satisfy is where to begin, and it differs between segments.
"""

# %%
# Two tables with one row per customer and the same items. The answers here are drawn at random, around
# means that differ between the segments.

# sphinx_gallery_thumbnail_number = -1
import numpy as np
import pandas as pd

from custseg import Segmentation

random = np.random.RandomState(0)
labels = np.repeat(["bargain hunters", "regulars", "explorers"], [150, 120, 90])
items = ["price", "advice", "opening hours", "range", "delivery"]
important = {"bargain hunters": [4.6, 2, 3, 3, 3], "regulars": [3, 4.4, 4.2, 3, 2], "explorers": [2, 3, 3, 4.6, 4]}
satisfied = {"bargain hunters": [2.2, 3, 3, 4, 3], "regulars": [3, 4.2, 2.4, 3, 3], "explorers": [4, 3, 3, 2.6, 4.2]}


def answers(means):
    drawn = random.normal([means[label] for label in labels], 0.8)
    return pd.DataFrame(drawn.round().clip(1, 5), columns=items)


importance, satisfaction = answers(important), answers(satisfied)
segments = Segmentation.of(importance, labels)

# %%
# Means with intervals, against everyone. Grey items are not surely on one side of both lines.

from custseg import needs_by_segment
from custseg.plotting import NeedsDisplay

needs = needs_by_segment(importance, satisfaction, segments)
NeedsDisplay(needs).plot()

# %%
# In words:

needs.concerns
