"""Clusterers fitted at several numbers together are those that are fitted alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.mixture import GaussianMixture

from custseg._core import progress
from custseg._core.progress import doing, showing
from custseg.datasets import make_customers
from custseg.exceptions import InfeasibleError
from custseg.segmentation import SegmentClusterer
from custseg.segmentation._clusterer.numbers import fitted_at
from tests.sizes import size

pytestmark = [pytest.mark.sampled, pytest.mark.thorough]


@pytest.fixture(autouse=True)
def workers():
    """Each process would import custseg; the whole size asks for them."""
    with parallel_config(backend=size("threading", "loky")):
        yield


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return make_customers(240, n_segments=3, separation=1.5, missing_share=0.02, random_state=0).profile


def shown() -> Any:
    return progress._SHOWN.get().parts[-1]


def states(clusterer: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(clusterer).items() if not name.startswith("_")}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"order_by": "income", "weights": {"age": 2.0}},
        {"min_segment_share": 0.15},
        {"engine": "latent_class"},
        {"engine": "k_prototypes", "min_segment_share": 0.1},
        {"engine": GaussianMixture(random_state=0)},
        {"random_state": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_they_are_as_fitted_alone(customers: pd.DataFrame, options: dict[str, Any], n_jobs: int | None) -> None:
    clusterer = SegmentClusterer(**{"n_init": 3, "random_state": 0} | options)
    with showing(), doing("numbers"):
        together = fitted_at(clusterer, customers, [2, 3, 5], n_jobs)
        # counted here, wherever they were fitted
        assert shown().count == "3 of 3"
        assert shown().place == 1.0
    assert list(together) == [2, 3, 5]
    for number, found in together.items():
        alone = SegmentClusterer(number, **{"n_init": 3, "random_state": 0} | options).fit(customers)
        assert found.get_params(deep=False).keys() == alone.get_params(deep=False).keys()
        assert (found.n_segments, found.n_segments_) == (number, number)
        assert states(found).keys() == states(alone).keys()
        if options.get("random_state", 0) is None:
            continue
        assert np.array_equal(found.labels_, alone.labels_)
        assert np.array_equal(found.segment_centers_, alone.segment_centers_)
        assert np.array_equal(found.predict(customers), alone.labels_)
        assert str(found.optimum_) == str(alone.optimum_)
    assert not hasattr(clusterer, "labels_")


def test_one_derived_from_ours_fits_itself(customers: pd.DataFrame) -> None:
    class Other(SegmentClusterer):
        def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
            super().fit(X, y, sample_weight)
            self.fitted_by_ = "other"
            return self

    fits = fitted_at(Other(n_init=2, random_state=0), customers, [2, 3])
    assert [fitted.fitted_by_ for fitted in fits.values()] == ["other", "other"]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_number_that_cannot_be_is_refused(n_jobs: int | None) -> None:
    few = pd.DataFrame({"visits": [1.0, 2.0, 3.0, 9.0]})
    with pytest.raises(InfeasibleError, match="SegmentClusterer: n_segments=7"):
        fitted_at(SegmentClusterer(random_state=0), few, [2, 7], n_jobs)


def test_no_numbers_are_no_fits(customers: pd.DataFrame) -> None:
    assert fitted_at(SegmentClusterer(), customers, []) == {}
