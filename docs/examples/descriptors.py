"""
Who is in the segments, besides what made them?
===============================================

Purchases make the segments; the household was not looked at. Does it go with them?
"""

# %%

# sphinx_gallery_thumbnail_number = -1
from custseg import CharacteristicUnion, DemographicEncoder, RFMFeaturizer, SegmentClusterer
from custseg.datasets import make_customers

sample = make_customers(1000, n_segments=3, separation=1.5, random_state=0)
union = CharacteristicUnion([("rfm", RFMFeaturizer(), "transactions"), ("profile", DemographicEncoder(), "profile")])
customers = union.fit_transform({"transactions": sample.transactions, "profile": sample.profile})
clusterer = SegmentClusterer(3, weights={"profile": 0}, random_state=0).fit(customers)

# %%
# Every level of the household in every segment, against everyone else and against everyone:

from custseg import profile_segments

profile = profile_segments(customers, clusterer.labels_, used=["rfm__recency", "rfm__frequency", "rfm__monetary"])
household = profile.to_frame().query("characteristic == 'profile__household'")
household[["segment", "level", "segment_value", "overall_value", "lift", "v_test", "p_adjusted"]].round(2)

# %%
# The same as a picture: a column is as wide as its segment is large, a tile as high as the share, and
# tinted where the share is more, or less, than independence gives.

from custseg.plotting import MosaicDisplay

MosaicDisplay.from_estimator(clusterer, customers, characteristic="profile__household").plot()
