"""Generated customers with planted segments: who they are and what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats
from custseg._core.asking import asks
from custseg._core.params import NONE, RANDOM_STATE, Integer, Number, Where, check
from custseg._core.results import Result
from custseg.datasets._behaviour import make_campaign, make_events, make_transactions
from custseg.datasets._population import Population
from custseg.exceptions import InvalidParameterError

_DEFAULT_SHARES = (0.32, 0.25, 0.20, 0.13, 0.10)
# the largest segment against the smallest where the number of segments is not five
_LARGEST_TO_SMALLEST = 3.0
_SPREAD = 0.6
_CUTS = np.array([-1.5, -0.5, 0.5, 1.5])

# name -> (centre, step of one latent unit), in years, hours per week and minutes
_LINEAR = {"age": (45.0, 6.0), "online_hours": (20.0, 3.0), "commute_minutes": (35.0, 5.0)}
# name -> median, in USD per year, USD per month and km
_LOGNORMAL = {"income": 40_000.0, "leisure_spend": 150.0, "store_distance": 4.0}
_NOMINAL = {
    "household": ("couple", "family", "single", "shared flat"),
    "occupation": ("employee", "worker", "self-employed", "retired", "student"),
    "store_format": ("supermarket", "discounter", "online"),
    "region": ("north", "south", "east", "west"),
}
_LIKERT = ("price_matters", "quality_matters", "packaging_matters")
_UNSTRUCTURED = ("commute_minutes", "store_distance", "region", "packaging_matters")

_SCALES = {
    "price_consciousness": ("price_1", "-price_2", "price_3", "price_4"),
    "quality_orientation": ("quality_1", "-quality_2", "quality_3", "-quality_4"),
    "novelty_seeking": ("novelty_1", "novelty_2", "-novelty_3", "novelty_4"),
}
_LOADING = 0.8

_PARAMETERS = {
    "n_customers": (Integer(low=1),),
    "n_segments": (Integer(low=1),),
    "separation": (Number(low=0.0),),
    "missing_share": (Number(low=0.0, high=1.0, open_high=True),),
    "shares": (
        NONE,
        Where(
            lambda value: isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str),
            "a sequence of n_segments positive numbers that sum to 1",
        ),
    ),
    "random_state": RANDOM_STATE,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class CustomerSample(Result):
    """Generated customers: the tables that a segmentation sees, and the truth that it does not.

    Attributes
    ----------
    transactions : pandas.DataFrame
        One row per purchased or returned line.
    profile : pandas.DataFrame
        One row per customer: six numeric, four nominal and three Likert characteristics.
    survey : pandas.DataFrame
        One row per customer: the answers to twelve items of three scales.
    events : pandas.DataFrame
        One row per step on the way to an online purchase.
    campaign : pandas.DataFrame
        One row per customer: arm of a randomised campaign, and response.
    segment : pandas.Series of int64
        The true segment, 0 for the largest, indexed by customer id.
    structured_columns : tuple of str
        The columns of ``profile`` that differ between segments; the others are noise.
    scales : dict of str to tuple of str
        The items of each survey scale; a minus sign marks a reverse-keyed item.

    Examples
    --------
    >>> from custseg.datasets import make_customers
    >>> sample = make_customers(200, random_state=0)
    >>> sample.segment.value_counts().to_list()
    [64, 50, 40, 26, 20]
    >>> sample.scales["novelty_seeking"]
    ('novelty_1', 'novelty_2', '-novelty_3', 'novelty_4')
    """

    transactions: pd.DataFrame
    profile: pd.DataFrame
    survey: pd.DataFrame
    events: pd.DataFrame
    campaign: pd.DataFrame
    segment: pd.Series[Any]
    structured_columns: tuple[str, ...]
    scales: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        return (
            f"{len(self.segment):,} generated customers in {self.segment.nunique():,} segments, with "
            f"{len(self.transactions):,} purchase lines and {len(self.events):,} events."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the profile with the true segment, one row per customer."""
        return self.profile.merge(self.segment, left_on="customer_id", right_index=True)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The five tables by name, as a study takes them; the truth is not among them."""
        return {
            "transactions": self.transactions,
            "profile": self.profile,
            "survey": self.survey,
            "events": self.events,
            "campaign": self.campaign,
        }


@asks
def make_customers(
    n_customers: int = 1000,
    *,
    n_segments: int = 5,
    separation: float = 1.0,
    missing_share: float = 0.0,
    shares: Sequence[float] | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> CustomerSample:
    """Generate customers whose true segments are known.

    Every characteristic comes from latent variables. Within a segment each is normal with standard
    deviation 1; between segments its means differ with standard deviation ``separation``. All
    latent variables are independent within segments.

    Parameters
    ----------
    n_customers : int, default=1000
        How many customers, at least ``n_segments``.
    n_segments : int, default=5
        How many segments are planted.
    separation : float, default=1.0
        Standard deviation of the segment means (over segments, with divisor ``n_segments - 1``) on
        each structured latent variable, in units of the standard deviation within segments. At 0
        no table holds any structure; at 1.5 the segments are clear.
    missing_share : float, default=0.0
        Share of the cells of ``profile`` and ``survey`` that is missing completely at random, in
        [0, 1). Customer ids are never missing.
    shares : sequence of float, default=None
        Share of each segment: ``n_segments`` positive numbers that sum to 1, labelled in this
        order. None gives .32 .25 .20 .13 .10 for five segments, otherwise a geometric sequence in
        which the largest segment has three times the share of the smallest. Every segment has at
        least one customer.
    random_state : int, numpy.random.RandomState or None, default=None
        Seed; the same seed and parameters give the same tables.

    Returns
    -------
    CustomerSample
        The tables and the truth. Customer ids are 1 to ``n_customers`` (int64) in the column
        ``customer_id`` of every table, times datetime64 in the year 2024, amounts US dollars.

        transactions
            ``customer_id, order_id, timestamp, amount, category, channel``. The orders of a
            customer are a Poisson process over the year (given at least one order); its rate, the
            mean amount of a line, the preferred categories and channels are structured. An order
            has one or more lines of one time and channel. Some lines are returned up to three
            weeks later: an order of its own with the amount negated.
        profile
            ``customer_id`` and, for a latent variable x: ``age``, ``online_hours``,
            ``commute_minutes`` linear in x; ``income``, ``leisure_spend``, ``store_distance``
            proportional to exp(.6 x); ``household``, ``occupation``, ``store_format``, ``region``
            (text; the level of the greatest of several latent utilities); ``price_matters``,
            ``quality_matters``, ``packaging_matters`` (answers 1 to 5; int64, or float64 with NaN
            where ``missing_share`` > 0). ``commute_minutes``, ``store_distance``, ``region`` and
            ``packaging_matters`` carry no structure.
        survey
            ``customer_id`` and twelve answers 1 to 5, four for each of the scales price
            consciousness, quality orientation and novelty seeking. ``price_2``, ``quality_2``,
            ``quality_4`` and ``novelty_3`` are reverse-keyed.
        events
            ``customer_id, timestamp, stage, channel``: sessions of the stages visit, product view,
            basket, purchase. Each order through web or app ends a session at its time; other
            sessions break off earlier. Number, depth and channel of the latter are structured.
        campaign
            ``customer_id, arm, timestamp, responded``: half of the customers, drawn at random, are
            in the arm "treatment", the others in "control". How likely customers respond, and by
            how much the treatment raises that, is structured.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range, ``shares`` do not fit ``n_segments``, or there are fewer
        customers than segments.

    Examples
    --------
    >>> from custseg.datasets import make_customers
    >>> sample = make_customers(300, n_segments=3, separation=1.5, random_state=0)
    >>> sample.segment.value_counts(normalize=True).round(2).to_list()
    [0.52, 0.3, 0.17]
    >>> list(sample.tables)
    ['transactions', 'profile', 'survey', 'events', 'campaign']
    """
    values = {
        "n_customers": n_customers,
        "n_segments": n_segments,
        "separation": separation,
        "missing_share": missing_share,
        "shares": shares,
        "random_state": random_state,
    }
    check(_PARAMETERS, values)
    if n_customers < n_segments:
        allowed = f"at least n_segments={n_segments}, so that no segment is empty"
        raise InvalidParameterError.not_allowed("n_customers", allowed, n_customers)
    rng = check_random_state(random_state)
    labels = _labels(n_customers, _shares(n_segments, shares), rng)
    # a stream for each table, so that a change to one leaves the others as they are
    streams = [np.random.RandomState(seed) for seed in rng.randint(np.iinfo(np.int32).max, size=6)]
    population = Population(labels, n_segments, float(separation))
    transactions = make_transactions(population, streams[0])
    profile = _profile(population, streams[1])
    survey = _survey(population, streams[2])
    return CustomerSample(
        transactions=transactions,
        profile=_with_gaps(profile, missing_share, streams[5]),
        survey=_with_gaps(survey, missing_share, streams[5]),
        events=make_events(population, transactions, streams[3]),
        campaign=make_campaign(population, streams[4]),
        segment=pd.Series(labels, index=pd.Index(population.ids, name="customer_id"), name="segment"),
        structured_columns=tuple(name for name in profile.columns[1:] if name not in _UNSTRUCTURED),
        scales=dict(_SCALES),
    )


def _shares(n_segments: int, shares: Sequence[float] | None) -> Floats:
    if shares is None:
        if n_segments == len(_DEFAULT_SHARES):
            return np.array(_DEFAULT_SHARES)
        falling = np.geomspace(_LARGEST_TO_SMALLEST, 1.0, n_segments)
        return falling / float(falling.sum())
    given = np.asarray(shares, dtype=np.float64)
    if given.shape != (n_segments,) or not (given > 0).all() or not np.isclose(given.sum(), 1.0):
        allowed = f"{n_segments} positive numbers that sum to 1 (one for each segment)"
        raise InvalidParameterError.not_allowed("shares", allowed, shares)
    return given


def _labels(n_customers: int, shares: Floats, rng: np.random.RandomState) -> npt.NDArray[np.int64]:
    quotas = n_customers * shares
    counts = np.floor(quotas + 1e-9).astype(np.int64)
    rounded_up = np.argsort(counts - quotas, kind="stable")[: n_customers - counts.sum()]
    counts[rounded_up] += 1
    for empty in np.flatnonzero(counts == 0):
        counts[counts.argmax()] -= 1
        counts[empty] = 1
    labels = np.repeat(np.arange(len(shares)), counts)
    rng.shuffle(labels)
    return labels


def _likert(latent: Floats) -> npt.NDArray[np.int64]:
    return np.searchsorted(_CUTS, latent) + 1


def _profile(population: Population, rng: np.random.RandomState) -> pd.DataFrame:
    def latents(name: str, count: int = 1) -> Floats:
        return population.latents(count, rng, structured=name not in _UNSTRUCTURED)

    columns: dict[str, Any] = {"customer_id": population.ids}
    for name, (centre, step) in _LINEAR.items():
        columns[name] = centre + step * latents(name)[:, 0]
    for name, median in _LOGNORMAL.items():
        columns[name] = median * np.exp(_SPREAD * latents(name)[:, 0])
    for name, levels in _NOMINAL.items():
        # utilities that fall from level to level, so that the levels have unequal shares
        offsets = np.linspace(0.4, -0.4, len(levels))
        columns[name] = np.array(levels)[(latents(name, len(levels)) + offsets).argmax(axis=1)]
    for name in _LIKERT:
        columns[name] = _likert(latents(name)[:, 0])
    return pd.DataFrame(columns).astype(dict.fromkeys(_NOMINAL, "str"))


def _survey(population: Population, rng: np.random.RandomState) -> pd.DataFrame:
    columns: dict[str, Any] = {"customer_id": population.ids}
    factors = population.latents(len(_SCALES), rng)
    for factor, items in zip(factors.T, _SCALES.values(), strict=True):
        for item in items:
            noise = np.sqrt(1.0 - _LOADING**2) * rng.standard_normal(len(factor))
            answers = _likert(_LOADING * factor + noise)
            columns[item.removeprefix("-")] = 6 - answers if item.startswith("-") else answers
    return pd.DataFrame(columns)


def _with_gaps(table: pd.DataFrame, missing_share: float, rng: np.random.RandomState) -> pd.DataFrame:
    gaps = rng.random_sample((len(table), table.shape[1])) < missing_share
    gaps[:, 0] = False  # the customer id
    return table.mask(gaps) if missing_share else table
