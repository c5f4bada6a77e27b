"""
Where does the value come from?
===============================

A fifth of the customers, four fifths of the value? Here are the figures for segments of any origin.
"""

# %%
# Segments of how customers buy, and what each has spent in all:

# sphinx_gallery_thumbnail_number = -1
from custseg import RFMFeaturizer, SegmentClusterer
from custseg.datasets import make_customers

sample = make_customers(1200, n_segments=4, separation=1.5, random_state=0)
customers = RFMFeaturizer().fit_transform(sample.transactions)
labels = SegmentClusterer(4, order_by="monetary", random_state=0).fit(customers).labels_
spent = sample.transactions.groupby("customer_id")["amount"].sum().reindex(customers.index)

# %%
# Two bars on one scale. Where the right one is longer than the left one, the segment is worth more
# than its number of customers says.

from custseg.plotting import SegmentValueDisplay

display = SegmentValueDisplay.from_predictions(customers, labels, value=spent, currency="USD")
display.plot()

# %%
# What is drawn is a table too, and a text for those who cannot see it.

print(display.alt_)
display.data_[["name", "n_customers", "share", "value_share", "index"]].round(2)
