"""What the tests of pictures share."""

import numpy as np
import pandas as pd
import pytest

from custseg._core.characteristic import Characteristic, to_table
from custseg.segmentation import Segmentation, SegmentClusterer

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    pyplot.close("all")


def texts_of(ax):
    """All that is written on a panel."""
    return [text.get_text() for text in ax.texts]


def relabelled(segmentation, order):
    """The same segments under other labels: ``order`` says which old label each new one is."""
    new = np.argsort(order)
    labels = np.where(segmentation.labels < 0, -1, new[segmentation.labels])
    names = [segmentation.segment_names[old] for old in order]
    return Segmentation.of(segmentation.customers, labels, names=names, value=segmentation.value)


@pytest.fixture(scope="session")
def planted():
    """Four clouds of customers, in their segments."""
    random = np.random.RandomState(0)
    sizes = [150, 120, 90, 60]
    points = np.repeat(6 * np.eye(4), sizes, axis=0) + random.normal(size=(sum(sizes), 4))
    clusterer = SegmentClusterer(4, embedder="passthrough", random_state=0).fit(points)
    return Segmentation.by(clusterer, points, value=np.exp(points[:, 0] / 3)).named(["one", "two", "three", "four"])


@pytest.fixture(scope="session")
def nobody():
    """One cloud of customers, cut into four."""
    points = np.random.RandomState(1).normal(size=(420, 4))
    clusterer = SegmentClusterer(4, embedder="passthrough", random_state=0).fit(points)
    return Segmentation.by(clusterer, points)


LIKERT = ["never", "rarely", "sometimes", "often", "always"]
_CRITERIA = {
    "orders": "behavioural",
    "year_of_birth": "demographic",
    "town": "geographic",
    "uses_app": "behavioural",
    "mood": "psychographic",
    "club": "social",
    "noise": "",
}


def mixed_table(seed=0, n=400):
    """Customers with every kind of column, and the number of the segment that each is in."""
    random = np.random.RandomState(seed)
    labels = np.sort(random.choice(4, n, p=[0.4, 0.3, 0.2, 0.1]))
    towns = ["Aa", "Bee", "Cee", "Dee", "Eff", "Gee"]
    chances = np.array([[5, 1, 1, 1, 1, 1], [1, 5, 1, 1, 1, 1], [1, 1, 5, 1, 1, 1], [1, 1, 1, 5, 1, 1]]) / 10
    mood = np.clip(np.round(random.normal(1 + labels, 0.8)), 0, 4).astype(int)
    table = pd.DataFrame(
        {
            "orders": random.poisson(3 + 5 * labels),
            "year_of_birth": 1990 - 8 * labels + random.randint(0, 9, n),
            "town": [random.choice(towns, p=chances[label]) for label in labels],
            "uses_app": random.uniform(size=n) < 0.2 + 0.2 * labels,
            "club": random.uniform(size=n) < 0.8 - 0.2 * labels,
            "mood": pd.Categorical.from_codes(mood, LIKERT, ordered=True),
            "noise": random.normal(-1, 1e-3, n),
        }
    )
    return table, labels


def mixed_segmentation(table, labels, names=("a", "b", "c", "d"), clustered_on=("orders", "mood")):
    """The same as a segmentation that knows what its columns are."""
    known = [
        Characteristic(column=column, criterion=criterion, unit="per year" if column == "orders" else "")
        for column, criterion in _CRITERIA.items()
        if column in table.columns
    ]
    return Segmentation.of(
        table, labels, names=list(names), characteristics=to_table(known), clustered_on=list(clustered_on)
    )


@pytest.fixture(scope="session")
def mixed():
    """Four segments, described by every kind of column."""
    return mixed_segmentation(*mixed_table())
