"""Does it matter? How many customers change segment when the weights move within their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import as_asked, asked, asks
from custseg._core.params import NONE, RANDOM_STATE, Integer, Number, Where, check, check_weights
from custseg._core.results import Result
from custseg._core.threads import one_thread
from custseg._core.warning import ignoring, warn
from custseg._core.words import format_share
from custseg.exceptions import DataQualityWarning, InvalidParameterError
from custseg.segmentation._for_validation import seeded
from custseg.validation._clusterers import MAX_SEED, check_clusterer
from custseg.validation._rows import read_data
from custseg.weighting import CharacteristicWeights

__all__ = ["WeightSensitivity", "weight_sensitivity"]


ROUNDING = 1e-9
# What stands for 0 where no other weight is above it: the scale of a single weight changes nothing.
NEARLY_NONE = 1e-6
_PARAMETERS = {
    "n_draws": (Integer(1),),
    "spread": (Number(0.0, 1.0),),
    "random_state": RANDOM_STATE,
    "n_jobs": (NONE, Where(lambda n: isinstance(n, (int, np.integer)) and n != 0, "an integer other than 0")),
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WeightSensitivity(Result):
    """What :func:`weight_sensitivity` found.

    Attributes
    ----------
    share_changed : float
        The share of the customers in another segment than with the stated weights, the mean over the draws.
    draws : ndarray of shape (n_draws,)
        That share in each draw.
    segments : DataFrame
        One row per segment of the stated weights: ``segment``, ``n_customers`` (the sum of their sample
        weights), ``share_changed`` (of its customers, mean over the draws).
    weights : DataFrame
        One row per weight that was named: ``characteristic``, ``weight``, ``low``, ``high``, and the share
        of the customers who change segment when this weight alone moves to its limits:
        ``share_changed_low``, ``share_changed_high``, and ``share_changed``, their mean.
    driver : str or None
        The weight with the largest ``share_changed`` in ``weights``; None where none changes anything.
    labels : ndarray of shape (n_customers,)
        The segment of each customer with the stated weights.
    customers : ndarray of shape (n_customers,)
        The share of the draws in which each customer is in another segment.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custseg import SegmentClusterer
    >>> from custseg.validation import weight_sensitivity
    >>> rng = np.random.RandomState(0)
    >>> customers = pd.DataFrame({"spend": rng.randn(90) + np.repeat([0, 5], 45), "visits": rng.randn(90)})
    >>> stated = {"spend": 2, "visits": 1}
    >>> found = weight_sensitivity(SegmentClusterer(2), customers, stated, n_draws=5, random_state=0)
    >>> found.draws.shape, found.customers.shape, found.share_changed < 0.1
    ((5,), (90,), True)
    >>> found.weights[["characteristic", "weight", "low", "high"]]
      characteristic  weight  low  high
    0          spend       2  1.6   2.4
    1         visits       1  0.8   1.2
    """

    share_changed: float
    draws: Floats
    segments: pd.DataFrame
    weights: pd.DataFrame
    driver: str | None
    labels: Integers
    customers: Floats

    def __str__(self) -> str:
        driver = "no weight alone changes a segment" if self.driver is None else f"{self.driver} matters most"
        return (
            f"Where the weights move within their limits, {format_share(self.share_changed)} of the customers change "
            f"segment on average; {driver}."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return all shares in one table.

        Returns
        -------
        DataFrame
            ``scope`` ("all", "segment" or "weight"), ``name`` (of the segment or weight), ``share_changed``.
        """
        names = ["all", *self.segments["segment"].astype(str), *self.weights["characteristic"]]
        scopes = ["all"] + ["segment"] * len(self.segments) + ["weight"] * len(self.weights)
        shares = [self.share_changed, *self.segments["share_changed"], *self.weights["share_changed"]]
        return pd.DataFrame({"scope": scopes, "name": names, "share_changed": shares})


@asks
def weight_sensitivity(
    clusterer: Any,
    X: Any,
    weights: Mapping[str, float],
    n_draws: int = 50,
    *,
    spread: float = 0.2,
    sample_weight: npt.ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
) -> WeightSensitivity:
    """Measure which share of the customers changes segment when the weights move within their intervals.

    The customers are segmented with the stated weights, then ``n_draws`` times with every weight drawn
    evenly from its interval. The segments of each draw are matched with the stated ones so that as many
    customers as possible stay (Hungarian method [1]_); who is not in the matched segment has changed.
    Then each weight alone is moved to both of its limits, to see which one drives the changes.

    Parameters
    ----------
    clusterer : object
        A :class:`~custseg.segmentation.SegmentClusterer`, another clusterer with a parameter ``weights``, or one with
        an embedder or in a Pipeline. It is cloned, never fitted itself. A number of segments of
        ``"auto"`` is chosen once, with the stated weights; every fit uses the same seed, so that only the
        weights differ. Weights of the clusterer that are not in ``weights`` stay as they are.
    X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
        What the clusterer is fitted on. Missing values are the clusterer's affair.
    weights : mapping of str to float
        The stated weights of columns or groups;
        :class:`~custseg.weighting.CharacteristicWeights` bring their intervals.
    n_draws : int, default=50
        The number of draws.
    spread : float, default=0.2
        How far a weight without an interval moves up and down, as a share of itself.
    sample_weight : array-like of shape (n_customers,), optional
        How many customers each row stands for: passed to ``fit``, and counted in the shares.
    random_state : int, RandomState or None, default=None
        Seed of the draws, and of a clusterer without one.
    n_jobs : int or None, default=None
        Number of joblib workers; ``None`` is one unless a joblib context says otherwise.

    Returns
    -------
    sensitivity : WeightSensitivity
        The shares: overall, per segment, per weight and per customer.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of range, a weight is negative, all are 0, one is for an unknown column, or
        the clusterer has no weights that could be set.

    Warns
    -----
    DataQualityWarning
        If no weight can move, because the intervals have no width.

    Notes
    -----
    There are ``1 + n_draws + 2 * n_weights`` fits. The draws are stratified (a Latin hypercube [2]_): each
    weight takes values from its whole interval, evenly. Neither the order of the weights nor
    ``n_jobs`` changes a draw. The only weight above 0 moves to a limit of 0 nearly, not quite: without it
    nothing would be left to segment by.

    A large share does not say that the weights are wrong: it says that the segments rest on them, so that
    they should be decided with care. Whether segments come back in other customers is the question of
    ``bootstrap_stability``.

    When not to use it: with a clusterer whose result varies from seed to seed; its own changes hide
    those of the weights. Raise ``n_init`` first.

    References
    ----------
    .. [1] H. W. Kuhn (1955). The Hungarian method for the assignment problem. Naval Research Logistics
       Quarterly 2, 83-97.
    .. [2] M. D. McKay, R. J. Beckman and W. J. Conover (1979). A comparison of three methods for selecting
       values of input variables in the analysis of output from a computer code. Technometrics 21, 239-245.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custseg import SegmentClusterer
    >>> from custseg.validation import weight_sensitivity
    >>> from custseg.weighting import CharacteristicWeights
    >>> rng = np.random.RandomState(0)
    >>> customers = pd.DataFrame({"spend": rng.randn(90) + np.repeat([0, 5], 45), "visits": rng.randn(90)})
    >>> weights = CharacteristicWeights(
    ...     {"spend": 0.6, "visits": 0.4}, intervals={"spend": (0.2, 0.8), "visits": (0.2, 0.8)}
    ... )
    >>> found = weight_sensitivity(SegmentClusterer(2), customers, weights, n_draws=10, random_state=0)
    >>> 0 < found.share_changed < 0.5
    True
    >>> found.to_frame()["scope"].tolist()
    ['all', 'segment', 'segment', 'weight', 'weight']
    """
    check(
        _PARAMETERS,
        {"n_draws": n_draws, "spread": spread, "random_state": random_state, "n_jobs": n_jobs},
    )
    check_weights(weights)
    random = check_random_state(random_state)
    own_seed, draw_seed = int(random.randint(MAX_SEED)), int(random.randint(MAX_SEED))
    limits = _limits(weights, spread)
    names = list(weights)
    # an interval from figures that agree has the width of their rounding errors
    if not any(high - low > ROUNDING * high for low, high in limits.values()):
        words = "no weight can move, for the intervals have no width. Pass dict(weights) to move each by spread."
        warn(words)
    mass = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    name = _weights_parameter(clusterer)
    setting = _Setting(clusterer, name, read_data(X, clusterer), weights, mass)
    with one_thread():
        setting, labels = setting.fixed(own_seed)
    drawn = _draw(limits, n_draws, draw_seed)
    ends = [{name: _above_none(limit, name, weights)} for name in names for limit in limits[name]]
    workers = Parallel(n_jobs=n_jobs)
    refits = workers(delayed(as_asked(_quiet_labels))(setting, moved) for moved in [*drawn, *ends])
    changed = np.array([_changed(labels, refit, mass) for refit in refits])
    return _collect(labels, changed, mass=mass, limits=limits, weights=weights, n_draws=n_draws)


def _limits(weights: Mapping[str, float], spread: float) -> dict[str, tuple[float, float]]:
    intervals = weights.intervals if isinstance(weights, CharacteristicWeights) else {}
    around = {name: ((1.0 - spread) * weight, (1.0 + spread) * weight) for name, weight in weights.items()}
    return {name: intervals.get(name, around[name]) for name in weights}


def _above_none(limit: float, name: str, weights: Mapping[str, float]) -> float:
    """Keep the only weight above 0, which there would be nothing to segment by without."""
    is_only = not any(weight for other, weight in weights.items() if other != name)
    return limit if limit or not is_only else NEARLY_NONE * weights[name]


def _draw(limits: Mapping[str, tuple[float, float]], n_draws: int, seed: int) -> list[dict[str, float]]:
    """Draw all weights, each evenly over its interval."""
    random = np.random.RandomState(seed)
    values = {}
    # in the order of the names, so that the order of the mapping changes no draw
    for name in sorted(limits):
        low, high = limits[name]
        strata = (random.permutation(n_draws) + random.random_sample(n_draws)) / n_draws
        values[name] = low + (high - low) * strata
    return [{name: float(drawn[position]) for name, drawn in values.items()} for position in range(n_draws)]


@dataclass(frozen=True)
class _Setting:
    """A clusterer with the name of its parameter for weights, its customers and the stated weights."""

    clusterer: Any
    parameter: str
    X: Any
    weights: Mapping[str, float]
    mass: Floats | None

    def fixed(self, seed: int) -> tuple[_Setting, Integers]:
        """Fit with the stated weights; return the labels, and the setting with the number of segments and seed."""
        own = self.clusterer.get_params(deep=True)
        clusterer = seeded(clone(self.clusterer), seed, keep=True)
        others = {key: weight for key, weight in (own[self.parameter] or {}).items() if key not in self.weights}
        # survey weights stay such, so that the embedder warns of columns that they do not name
        weights = (
            self.weights | others if isinstance(self.weights, CharacteristicWeights) else {**others, **self.weights}
        )
        setting = replace(self, clusterer=clusterer, weights=weights)
        fitted = setting.fit({})
        for key in [key for key in own if key.rpartition("__")[2] == "n_segments" and isinstance(own[key], str)]:
            step, separator, _ = key.rpartition("__")
            part = fitted.get_params(deep=True)[step] if step else fitted
            least = f"{step}{separator}min_segments"
            clusterer.set_params(**{key: part.n_segments_}, **({least: 1} if least in own else {}))
        return setting, _labels(fitted, self.X)

    def fit(self, moved: Mapping[str, float]) -> Any:
        """Fit a clone with some of the weights moved."""
        weights = {**self.weights, **moved} if moved else self.weights
        clusterer = clone(self.clusterer).set_params(**{self.parameter: weights})
        return clusterer.fit(self.X) if self.mass is None else clusterer.fit(self.X, sample_weight=self.mass)


def _weights_parameter(clusterer: Any) -> str:
    """Return the name of the parameter that holds the weights: the clusterer's, its embedder's, or a step's."""
    words = "a clusterer with a parameter weights (an instance, for example SegmentClusterer())"
    check_clusterer(clusterer, words)
    found = [name for name in clusterer.get_params(deep=True) if name.rpartition("__")[2] == "weights"]
    # a clusterer with an embedder of its own takes the weights there
    with_embedder = {name.removesuffix("embedder__weights") + "weights" for name in found if "embedder__" in name}
    found = [name for name in found if name.endswith("embedder__weights") or name not in with_embedder]
    if len(found) != 1:
        which = f"has {len(found)} ({', '.join(found)})" if found else "has none"
        raise InvalidParameterError(
            f"{asked()} needs a clusterer with one parameter weights, by which characteristics count more or less; "
            f"{type(clusterer).__name__} {which}. Use SegmentClusterer."
        )
    return str(found[0])


def _labels(fitted: Any, X: Any) -> Integers:
    return np.asarray(fitted.labels_ if hasattr(fitted, "labels_") else fitted.predict(X))


def _quiet_labels(setting: _Setting, moved: Mapping[str, float]) -> Integers:
    # they are said once already, with the stated weights
    with one_thread(), ignoring(DataQualityWarning):
        return _labels(setting.fit(moved), setting.X)


def _changed(stated: Integers, labels: Integers, mass: Floats | None) -> npt.NDArray[np.bool_]:
    """Say who is not in the segment that is matched with the stated one."""
    segments, one = np.unique(stated, return_inverse=True)
    others, other = np.unique(labels, return_inverse=True)
    cells = np.bincount(one * len(others) + other, weights=mass, minlength=len(segments) * len(others))
    matched = np.full(len(segments), -1)
    rows, columns = linear_sum_assignment(cells.reshape(len(segments), len(others)), maximize=True)
    matched[rows] = columns
    return np.asarray(matched[one] != other)


def _collect(
    labels: Integers,
    changed: npt.NDArray[np.bool_],
    *,
    mass: Floats | None,
    limits: Mapping[str, tuple[float, float]],
    weights: Mapping[str, float],
    n_draws: int,
) -> WeightSensitivity:
    counts = np.ones(len(labels)) if mass is None else mass
    # fsum: the same to the last digit in any order of the customers
    shares = np.array([math.fsum(counts[row]) for row in changed]) / math.fsum(counts)
    often = changed[:n_draws].mean(axis=0)
    low, high = shares[n_draws:].reshape(-1, 2).T
    table = pd.DataFrame(
        {
            "characteristic": pd.Series(list(weights), dtype="str"),
            "weight": list(weights.values()),
            "low": [limits[name][0] for name in weights],
            "high": [limits[name][1] for name in weights],
            "share_changed_low": low,
            "share_changed_high": high,
            "share_changed": (low + high) / 2.0,
        }
    )
    largest = int(table["share_changed"].to_numpy().argmax())
    driver = str(table["characteristic"].iloc[largest]) if table["share_changed"].iloc[largest] > 0 else None
    return WeightSensitivity(
        share_changed=float(shares[:n_draws].mean()),
        draws=shares[:n_draws],
        segments=_by_segment(labels, counts, often),
        weights=table,
        driver=driver,
        labels=labels,
        customers=often,
    )


def _by_segment(labels: Integers, counts: Floats, often: Floats) -> pd.DataFrame:
    """Return how many customers each segment holds, and how large a share of them changes."""
    segments = []
    for segment in np.unique(labels):
        inside = labels == segment
        n_customers = math.fsum(counts[inside])
        share = math.fsum(often[inside] * counts[inside]) / n_customers if n_customers else math.nan
        segments.append({"segment": int(segment), "n_customers": n_customers, "share_changed": share})
    return pd.DataFrame(segments)
