"""
What do they seek? Segments from a yes/no question
==================================================

"Which of these matter to you?" is one question, however many options it has. Rare options must not
make the segments.
"""

# %%
# Six hundred customers ticked what matters to them; three kinds of answers are planted.

# sphinx_gallery_thumbnail_number = -1
import numpy as np
import pandas as pd

from custseg import SegmentClusterer

random = np.random.RandomState(0)
shares = {
    "low price": [0.9, 0.3, 0.3],
    "offers": [0.8, 0.2, 0.3],
    "near by": [0.6, 0.7, 0.2],
    "friendly staff": [0.2, 0.8, 0.3],
    "regional": [0.1, 0.6, 0.5],
    "organic": [0.05, 0.2, 0.8],
    "large range": [0.3, 0.2, 0.7],
    "gift wrapping": [0.03, 0.03, 0.03],
}
kind = random.choice(3, 600, p=[0.45, 0.35, 0.2])
ticked = pd.DataFrame({option: random.rand(600) < np.array(by_kind)[kind] for option, by_kind in shares.items()})
segments = SegmentClusterer(3, random_state=0).fit(ticked)
segments.segment_sizes_

# %%
# One panel per segment. The tick is everyone; a bar is coloured where the option marks the segment. What
# is ticked together stands together.

from custseg.plotting import SegmentProfileDisplay

SegmentProfileDisplay.from_estimator(segments, ticked).plot()
