"""What the tests of pictures share."""

import numpy as np
import pytest

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
