"""The study of ``custseg demo``, to read as an example: a grocery panel from raw tables to segments.

:func:`demo_tables` reads and joins the raw tables, :func:`demo_study` says what is asked of them;
``demo_study().fit(demo_tables())`` is all the rest.
"""

from __future__ import annotations

import pandas as pd

from custseg.characteristics import (
    CampaignResponseFeaturizer,
    CharacteristicUnion,
    DemographicEncoder,
    PurchaseBehaviorFeaturizer,
    RFMFeaturizer,
    join_responses,
)
from custseg.datasets import load_complete_journey
from custseg.personas import PersonaDescriber
from custseg.segmentation import SegmentClusterer
from custseg.study import SegmentationBrief, SegmentationStudy

__all__ = ["demo_study", "demo_tables"]

_TABLES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupon_redemptions",
)
_HOUSEHOLD = "household_id"
# What recency, frequency and spend do not say already; gaps or numbers of orders would repeat them.
_BEYOND_RFM = (
    "basket_lines",
    "spend_trend",
    "discount_share",
    "weekend_share",
    "morning_share",
    "evening_share",
    "share_category",
)


def demo_tables() -> dict[str, pd.DataFrame]:
    """Read the panel: purchases with their department, and contacts with the answers to them."""
    tables = load_complete_journey(_TABLES)
    departments = tables["products"].set_index("product_id")["department"]
    bought = tables["transactions"]
    tables["transactions"] = bought.assign(department=bought["product_id"].map(departments))
    tables["contacts"] = join_responses(
        tables["campaigns"],
        tables["coupon_redemptions"],
        campaigns=tables["campaign_descriptions"],
        customer_id=_HOUSEHOLD,
        campaign="campaign_id",
        response_time="redemption_date",
    ).contacts
    return tables


def demo_study(random_state: int = 0) -> SegmentationStudy:
    """Ask for segments of purchase behaviour, for retention, described by all that is known of the households."""
    purchases = {"customer_id": _HOUSEHOLD, "timestamp": "transaction_timestamp", "amount": "sales_value"}
    behaviour = RFMFeaturizer(**purchases)
    shopping = PurchaseBehaviorFeaturizer(
        **purchases, category="department", discount="retail_disc", features=_BEYOND_RFM, n_leading=3
    )
    campaigns = CampaignResponseFeaturizer(
        customer_id=_HOUSEHOLD,
        timestamp="start_date",
        campaign_type="campaign_type",
        response_time="response_time",
        coupons="n_responses",
    )
    characteristics = CharacteristicUnion(
        [
            ("behaviour", behaviour, "transactions"),
            ("shopping", shopping, "transactions"),
            ("campaigns", campaigns, "contacts"),
            ("demographics", DemographicEncoder(customer_id=_HOUSEHOLD), "demographics"),
        ],
        customer_id=_HOUSEHOLD,
    )
    # Shares over few visits are mostly chance. Whom the retailer contacted is its own choice, and a
    # third of the households never were; two thirds gave no demographics. So these describe the
    # segments and do not make them.
    descriptors = {"shopping": 0, "campaigns": 0, "demographics": 0}
    return SegmentationStudy(
        SegmentationBrief("retention", min_segment_share=0.05),
        characteristics=characteristics,
        clusterer=SegmentClusterer(weights=descriptors, random_state=random_state),
        describer=PersonaDescriber(n_traits=8),
        n_jobs=-1,
    )
