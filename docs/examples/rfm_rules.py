"""
Eleven segments by rule: recency, frequency, spend
==================================================

No clustering: the eleven names that marketers know, from scores of 1 to 5. Nothing is discovered, so
nothing has to be tested. What is left to ask is who is in them.
"""

# %%
# The scores cut the customers into fifths by recency, by frequency and by spend. The rules are over
# the scores, and the first one that a customer meets counts: ``n_meeting`` is how many meet it at all.

# sphinx_gallery_thumbnail_number = -1
from custseg import RFMFeaturizer, RFMSegmenter
from custseg.datasets import make_customers

sample = make_customers(1500, separation=1.5, random_state=0)
customers = RFMFeaturizer().fit_transform(sample.transactions)
rules = RFMSegmenter().fit(customers)
rules.rule_report_.to_frame()[["name", "n_customers", "n_meeting"]]

# %%
# How many customers stand where, and what do they spend? The lines go around the tiles that most
# customers of one segment hold.

from custseg.plotting import RFMGridDisplay

RFMGridDisplay.from_estimator(rules, customers, currency="USD").plot()
