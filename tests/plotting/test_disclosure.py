"""Whoever is hidden changes nothing that is drawn."""

import numpy as np
import pandas as pd
import pytest

from custseg.plotting import (
    ComparisonDisplay,
    DistributionDisplay,
    GorgeDisplay,
    MosaicDisplay,
    SegmentMapDisplay,
    SegmentProfileDisplay,
    SegmentValueDisplay,
    SeparationDisplay,
)

FEW = 6


def customers(seed):
    """Three segments of many customers, who are always the same, and one of a few, who are not."""
    random, others = np.random.RandomState(0), np.random.RandomState(seed)
    labels = np.repeat(["ann", "bob", "cid", "few"], [120, 90, 60, FEW])
    n = len(labels)
    table = pd.DataFrame(
        {
            "spend": np.exp(random.normal(3, 1, n)).round(2),
            "age": random.normal(40, 10, n).round(1),
            "visits": random.poisson(6, n) + 4.0 * (labels == "ann"),
            "club": random.uniform(size=n) < 0.5,
            "app": random.uniform(size=n) < 0.3 + 0.4 * (labels == "bob"),
            "way": random.choice(["bus", "car", "foot", "train"], n, p=[0.4, 0.4, 0.15, 0.05]),
        },
        index=pd.Index(np.arange(n), name="customer_id"),
    )
    hidden = labels == "few"
    table.loc[hidden, ["spend", "age", "visits"]] = others.uniform(0, 300, (FEW, 3)).round(1)
    table.loc[hidden, ["club", "app"]] = others.uniform(size=(FEW, 2)) < 0.5
    table.loc[hidden, "way"] = others.choice(["bus", "train"], FEW)
    return table, labels


PICTURES = {
    "value": lambda *given: SegmentValueDisplay.from_predictions(*given, value="spend"),
    "map": SegmentMapDisplay.from_predictions,
    "gorge": GorgeDisplay.from_predictions,
    "separation": SeparationDisplay.from_predictions,
    "mosaic": lambda *given: MosaicDisplay.from_predictions(*given, characteristic="way"),
    "comparison": ComparisonDisplay.from_predictions,
    "profile": SegmentProfileDisplay.from_predictions,
    "distribution": lambda *given: DistributionDisplay.from_predictions(*given, characteristic="age"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_other_customers_in_a_hidden_segment_change_nothing(name):
    first, second = (PICTURES[name](*customers(seed)) for seed in (1, 2))
    pd.testing.assert_frame_equal(first.data_, second.data_, check_exact=True)
    assert first.title == second.title
    assert first.alt_ == second.alt_
    assert "few" not in first.data_.astype(str).to_numpy()
