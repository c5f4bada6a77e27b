"""How clearly segments differ: the largest effect between the two that differ least, as the personas compute it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custseg._core.customers import read_customers
from custseg.personas import hedges_g
from custseg.segmentation._reproducibility.differences import least_differences


def differences(labels, **columns):
    labels = np.asarray(labels)
    table = read_customers(pd.DataFrame(columns), customer_id=None)
    return least_differences(table.columns, {int(labels.max()) + 1: labels})[int(labels.max()) + 1]


LABELS = np.arange(90) % 3
RANDOM = np.random.RandomState(0)
SPEND = LABELS * 2.0 + RANDOM.normal(size=90)


def effect(first, second):
    figures = [f(part) for part in (first, second) for f in (np.mean, np.std, len)]
    names = ("segment_mean", "segment_sd", "n_segment", "rest_mean", "rest_sd", "n_rest")
    return abs(hedges_g(**dict(zip(names, figures, strict=True))))


def test_numbers_by_hand():
    groups = [SPEND[label == LABELS] for label in range(3)]
    apart = [[effect(one, other) for other in groups if other is not one] for one in groups]
    assert differences(LABELS, spend=SPEND).tolist() == pytest.approx([min(each) for each in apart])


def test_two_segments_that_differ_in_anything_differ():
    # 0 and 1 are alike in spend and differ in region, 1 and 2 the other way round
    spend = np.where(LABELS == 2, 10.0, 0.0) + RANDOM.normal(size=90)
    region = np.where(LABELS == 0, "north", "south")
    assert (differences(LABELS, spend=spend) < 0.5).tolist() == [True, True, False]
    assert (differences(LABELS, spend=spend, region=region) > 0.5).all()


def test_shares_and_ordered_levels():
    yes = np.where(LABELS == 0, RANDOM.random_sample(90) < 0.9, RANDOM.random_sample(90) < 0.1)
    shares = [yes[label == LABELS].astype(float) for label in range(3)]
    assert differences(LABELS, member=yes)[0] == pytest.approx(min(effect(shares[0], other) for other in shares[1:]))
    size = pd.Categorical.from_codes(LABELS, ["small", "medium", "large"], ordered=True)
    assert np.isinf(differences(LABELS, size=size)).all()


def test_alike_segments_do_not_differ_and_missing_values_are_left_out():
    assert differences(LABELS, spend=np.ones(90)).tolist() == [0.0, 0.0, 0.0]
    holes = SPEND.copy()
    holes[::7] = np.nan
    known = ~np.isnan(holes)
    assert differences(LABELS, spend=holes) == pytest.approx(differences(LABELS[known], spend=SPEND[known]))
    assert differences(LABELS, spend=SPEND, empty=np.full(90, np.nan)) == pytest.approx(
        differences(LABELS, spend=SPEND)
    )


def test_customers_in_no_segment_are_left_out():
    labels = LABELS.copy()
    labels[:9] = -1
    assert differences(labels, spend=SPEND) == pytest.approx(differences(LABELS[9:], spend=SPEND[9:]))


def test_order_and_unit_change_nothing():
    order = RANDOM.permutation(90)
    before = differences(LABELS, spend=SPEND)
    assert differences(LABELS[order], spend=SPEND[order]).tolist() == before.tolist()
    assert differences(LABELS, spend=SPEND * 1024 + 2.0**20) == pytest.approx(before, rel=1e-9)
    assert differences(LABELS, spend=SPEND * 1e200) == pytest.approx(before, rel=1e-9)
