"""
From purchase lines to personas in one Pipeline
===============================================

Every stage is an estimator of scikit-learn, so the stages compose as any others do.
"""

# %%

# sphinx_gallery_thumbnail_number = -1
from sklearn.pipeline import make_pipeline

from custseg import PersonaDescriber, RFMFeaturizer, SegmentClusterer
from custseg.datasets import make_customers

transactions = make_customers(500, separation=1.5, random_state=0).transactions
pipeline = make_pipeline(RFMFeaturizer(), SegmentClusterer(n_segments=4, random_state=0), PersonaDescriber())
pipeline = pipeline.fit(transactions)

# %%
# The last step describes the segments:

pipeline[-1]

# %%
# ``predict`` gives each customer the name of a persona:

import pandas as pd

pd.Series(pipeline.predict(transactions)).value_counts()

# %%
# polars in, polars out, with the customer id as the first column:

import polars as pl

pipeline[:-1].transform(pl.from_pandas(transactions)).head()

# %%
# How much the segments differ in what they spend: half of the customers of each lie in the dark part.

from custseg.plotting import DistributionDisplay

customers = pipeline[0].transform(transactions)
DistributionDisplay.from_estimator(pipeline[1], customers, characteristic="monetary").plot()
