"""Order, names and actions look at what columns are, and a descriptor disturbs none of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from custseg import (
    CharacteristicUnion,
    DemographicEncoder,
    KPrototypesClusterer,
    RFMFeaturizer,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
    SocialMediaFeaturizer,
)
from custseg.datasets import make_customers
from custseg.exceptions import InvalidParameterError
from tests.sizes import size

pytestmark = [pytest.mark.sampled, pytest.mark.thorough]

SAMPLE = make_customers(size(80, 150), separation=2.0, random_state=1)
CUSTOMERS = SAMPLE.profile["customer_id"].to_numpy()


def study(members, tables, goal="retention", **brief):
    return SegmentationStudy(
        SegmentationBrief(goal, **brief),
        characteristics=CharacteristicUnion(members),
        clusterer=SegmentClusterer(
            3,
            weights={name: 0 for name, _, _ in members[1:]},
            n_init=2,
            max_segments=size(3, 10),
            random_state=0,
        ),
        n_pairs=2,
    ).fit(tables)


def told(fitted):
    actions = [(action.action, action.because) for action in fitted.actions_]
    stability = fitted.segment_table_["stability"].fillna(-1.0).round(12).tolist()
    answer = (str(fitted.verdict_), stability, [] if fitted.cut_ is None else fitted.cut_.labels.tolist())
    return fitted.labels_.tolist(), list(fitted.segmentation_.names), fitted.clusterer_.order_by, actions, answer


BEHAVIOUR = ("behaviour", RFMFeaturizer(), "transactions")


@cache
def alone(goal):
    """What is told without a descriptor."""
    return told(study([BEHAVIOUR], SAMPLE.tables, goal))


@st.composite
def descriptors(draw):
    """A column of any kind, under a name that says something else than what it is."""
    name = draw(st.sampled_from(["recency", "frequency", "monetary", "tenure", "colour", "age"]))
    random = np.random.RandomState(draw(st.integers(0, 2**16)))
    # some go with the segments, so that they would be the strongest traits
    related = np.asarray(alone("retention")[0]) if draw(st.booleans()) else random.randint(0, 3, len(CUSTOMERS))
    numbers = related + random.rand(len(CUSTOMERS)) * draw(st.sampled_from([0.01, 1.0, 10.0]))
    kind = draw(st.sampled_from(["number", "yes", "category"]))
    values = {"number": numbers, "yes": numbers > np.median(numbers), "category": np.array([*"abc"])[related]}[kind]
    return pd.DataFrame({"customer_id": CUSTOMERS, name: values})


OURS = [SegmentClusterer(random_state=0), KPrototypesClusterer(2, random_state=0)]


@settings(max_examples=size(3, 25))
@given(descriptors(), st.sampled_from(["development", "retention"]))
def test_a_descriptor_of_weight_0_changes_no_label_order_name_or_action(table, goal):
    extra = ("extra", DemographicEncoder(), "extra")
    fitted = study([BEHAVIOUR, extra], {**SAMPLE.tables, "extra": table}, goal)
    assert told(fitted) == alone(goal)


@pytest.mark.thorough
@pytest.mark.parametrize("clusterer", size([OURS[0]], OURS))
def test_nor_does_it_change_the_cut_through_a_continuum_and_how_stable_it_is(clusterer):
    n = size(60, 90)
    sample = make_customers(n, separation=0.0, random_state=2)
    ages = pd.DataFrame({"customer_id": sample.profile["customer_id"], "age": np.arange(n) % 50 + 18})

    def answer(members):
        weighted = clone(clusterer).set_params(weights={name: 0 for name, _, _ in members[1:]})
        brief = SegmentationBrief("retention", max_segments=3 if "max_segments" in weighted.limits else None)
        made = SegmentationStudy(brief, characteristics=CharacteristicUnion(members), clusterer=weighted, n_pairs=2)
        return told(made.fit({**sample.tables, "extra": ages}))

    assert answer([BEHAVIOUR, ("extra", DemographicEncoder(), "extra")]) == answer([BEHAVIOUR])


@pytest.mark.thorough
def test_recency_of_activity_is_no_recency_of_purchases():
    random = np.random.RandomState(0)
    days = pd.Timestamp("2024-12-31") - pd.to_timedelta(random.randint(0, 300, 600), unit="D")
    posts = pd.DataFrame(
        {"customer_id": random.choice(CUSTOMERS, 600), "timestamp": days, "platform": "x", "action": "like"}
    )
    social = ("social", SocialMediaFeaturizer(), "posts")
    assert told(study([BEHAVIOUR, social], {**SAMPLE.tables, "posts": posts})) == alone("retention")


def two_shops(weights, goal="retention", clusterer_order=None, **brief):
    half = SAMPLE.transactions.index % 2 == 0
    tables = {"shop": SAMPLE.transactions[half], "web": SAMPLE.transactions[~half]}
    members = [(name, RFMFeaturizer(as_of="2024-12-31"), name) for name in tables]
    # without room for another number of segments, what the data say of it is not tested
    options = {"weights": weights, "order_by": clusterer_order, "n_init": 2, "max_segments": 1, "random_state": 0}
    clusterer = SegmentClusterer(2, **options)
    return SegmentationStudy(
        SegmentationBrief(goal, **brief), characteristics=CharacteristicUnion(members), clusterer=clusterer, n_pairs=2
    ).fit(tables)


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_two_columns_of_one_role_that_count_are_asked_about():
    with pytest.raises(InvalidParameterError, match=r"'shop__recency', 'web__recency'.*order_by='shop__recency'"):
        two_shops(None)
    assert two_shops({"web": 0}).clusterer_.order_by == "shop__recency"
    named = two_shops(None, order_by="web__recency")
    assert named.clusterer_.order_by == "web__recency"
    means = named.customers_["web__recency"].groupby(named.labels_).mean()
    assert means.is_monotonic_decreasing
    assert two_shops(None, order_by=None, clusterer_order="web__recency").clusterer_.order_by == "web__recency"
    # a goal that asks for none of them need not know which
    assert two_shops(None, "advertising").clusterer_.order_by is None


def test_the_member_that_orders_speaks_for_the_other_roles_too():
    named = two_shops(None, "development", order_by="web__frequency")
    effects = named.plan_.personas.profile.set_index(["segment", "characteristic"])["effect_size"]
    assert f"{effects[0, 'web__frequency']:.2f}" in named.actions_[0].because
