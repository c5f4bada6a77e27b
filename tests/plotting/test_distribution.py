"""How a number is spread in each segment: quantiles, as far as they may be told."""

import numpy as np
import pandas as pd
import pytest

from custseg import RFMFeaturizer
from custseg.datasets import make_customers
from custseg.exceptions import ColumnTypeError, InfeasibleError
from custseg.plotting import DistributionDisplay
from custseg.segmentation import Segmentation
from tests.plotting.conftest import texts_of


@pytest.fixture(scope="module")
def spend():
    random = np.random.RandomState(0)
    labels = np.repeat(["ann", "bob", "cid", "dan"], [200, 120, 45, 15])
    values = random.lognormal(size=380) * np.repeat([1.0, 3.0, 2.0, 9.0], [200, 120, 45, 15])
    values[:20] = np.nan
    return pd.DataFrame({"spend": values}), labels


def test_strips_are_quantiles_of_those_of_whom_it_is_known(spend):
    display = DistributionDisplay.from_predictions(*spend, characteristic="spend").plot()
    known = spend[0]["spend"].groupby(spend[1])
    for row in display.data_.itertuples():
        own = known.get_group(row.name).dropna()
        assert row.n_customers == len(own)
        for name, share in {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}.items():
            told = getattr(row, name)
            assert (
                told == pytest.approx(own.quantile(share)) if min(share, 1 - share) * len(own) >= 10 else np.isnan(told)
            )
    assert display.data_["median"].is_monotonic_decreasing
    dots = display.ax_.collections[0].get_offsets()
    np.testing.assert_allclose(dots[:, 0], display.data_["median"])
    wide, narrow = display.ax_.containers
    assert len(wide) == 2  # the segments of 100 and more
    np.testing.assert_allclose([bar.get_width() for bar in narrow], display.data_["q75"] - display.data_["q25"])


def test_of_few_customers_nothing_is_told(spend):
    display = DistributionDisplay.from_predictions(*spend, characteristic="spend")
    assert set(display.data_["name"]) == {"ann", "bob", "cid"}
    assert display.how_to_read.endswith("Not shown, for too few customers: dan.")
    shown = spend[0]["spend"][spend[1] != "dan"].dropna()
    assert display.everyone_["median"] == pytest.approx(shown.median())
    with pytest.raises(InfeasibleError, match="'spend' is known of too few customers"):
        DistributionDisplay.from_predictions(*spend, characteristic="spend", min_group_size=150)


def test_rows_do_not_count(spend):
    order = np.random.RandomState(1).permutation(380)
    first = DistributionDisplay.from_predictions(*spend, characteristic="spend")
    other = DistributionDisplay.from_predictions(
        spend[0].iloc[order].reset_index(drop=True), spend[1][order], characteristic="spend"
    )
    pd.testing.assert_frame_equal(first.data_, other.data_)
    assert first.alt_ == other.alt_


def test_the_axis_is_named_in_words_with_the_unit():
    featurizer = RFMFeaturizer()
    customers = featurizer.fit_transform(make_customers(200, random_state=0).transactions)
    segmentation = Segmentation.of(
        customers, (customers["monetary"] > 50).to_numpy(), characteristics=featurizer.describe()
    )
    display = DistributionDisplay(segmentation, "recency").plot()
    said = featurizer.describe().set_index("column").loc["recency"]
    assert display.ax_.get_xlabel() == f"{said['label']} ({said['unit']})"
    assert "everyone" in texts_of(display.ax_)


def test_levels_are_refused():
    levels = pd.DataFrame({"region": ["east", "west"] * 20})
    with pytest.raises(ColumnTypeError, match="Use MosaicDisplay"):
        DistributionDisplay.from_predictions(levels, [0, 1] * 20, characteristic="region")
