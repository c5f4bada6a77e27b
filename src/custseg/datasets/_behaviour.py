"""What the generated customers do: they buy, bring back, click and respond."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, softmax

from custseg._core.arrays import Floats, Integers
from custseg.datasets._population import Population

_START = np.datetime64("2024-01-01", "s")
_YEAR = 366 * 24 * 3600
_DAY = 24 * 3600
_SPREAD = 0.6

_ORDERS = 8.0  # median per customer and year
_LINES = 1.8  # mean per order
_LINE_AMOUNT = 25.0  # median USD of a customer's mean
_LINE_SPREAD = 0.5
_RETURNED = 0.03
_RETURN_WITHIN = 21 * _DAY
_CATEGORIES = ("food", "household", "clothing", "electronics", "toys")
_CHANNELS = ("store", "web", "app")

_STAGES = ("visit", "product view", "basket", "purchase")
_TOUCHES = ("search", "email", "social", "direct")
_UNFINISHED = 5.0  # median sessions per customer and year
_STEP_SECONDS = 300

_SENT = np.datetime64("2024-10-01T09:00:00", "s")
_TREATED = 0.5
_RESPONSE, _UPLIFT = -2.0, 0.5  # log-odds without the campaign, and what it adds on average


def make_transactions(population: Population, rng: np.random.RandomState) -> pd.DataFrame:
    """Draw the lines of a year, in order of time."""
    rate, spend = population.latents(2, rng).T
    n_orders = _at_least_one(_ORDERS * np.exp(_SPREAD * rate), rng)
    buyer = np.repeat(np.arange(len(rate)), n_orders)
    seconds = rng.randint(_YEAR, size=len(buyer))
    channel = _choices(population, buyer, len(_CHANNELS), rng)

    order = np.repeat(np.arange(len(buyer)), 1 + rng.poisson(_LINES - 1, size=len(buyer)))
    category = _choices(population, buyer[order], len(_CATEGORIES), rng)
    mean = _LINE_AMOUNT * np.exp(_SPREAD * spend[buyer[order]])
    scatter = np.exp(_LINE_SPREAD * rng.standard_normal(len(order)) - _LINE_SPREAD**2 / 2)
    amount = np.maximum(np.round(mean * scatter, 2), 0.01)

    came_back = seconds[order] + rng.randint(_DAY, _RETURN_WITHIN, size=len(order))
    back = np.flatnonzero((rng.random_sample(len(order)) < _RETURNED) & (came_back < _YEAR))
    line = np.concatenate([np.arange(len(order)), back])
    # a return is an order of its own, since it happens at another time
    unsorted = pd.DataFrame(
        {
            "order": np.concatenate([order, len(buyer) + np.arange(len(back))]),
            "buyer": buyer[order][line],
            "seconds": np.concatenate([seconds[order], came_back[back]]),
            "amount": np.concatenate([amount, -amount[back]]),
            "category": category[line],
            "channel": channel[order][line],
        }
    )
    lines = unsorted.sort_values(["seconds", "order"], kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "customer_id": population.ids[lines["buyer"]],
            "order_id": pd.factorize(lines["order"])[0] + 1,
            "timestamp": _timestamps(lines["seconds"]),
            "amount": lines["amount"],
            "category": _text(_CATEGORIES, lines["category"]),
            "channel": _text(_CHANNELS, lines["channel"]),
        }
    )


def make_events(population: Population, transactions: pd.DataFrame, rng: np.random.RandomState) -> pd.DataFrame:
    """Draw the sessions of a year: one before each online order, and others that break off."""
    online = transactions[(transactions["channel"] != "store") & (transactions["amount"] > 0)]
    orders = online.drop_duplicates("order_id")
    visits, depth = population.latents(2, rng).T
    n_unfinished = rng.poisson(_UNFINISHED * np.exp(_SPREAD * visits))
    visitor = np.repeat(np.arange(len(visits)), n_unfinished)
    went_on = rng.random_sample((len(visitor), len(_STAGES) - 2)) < expit(depth[visitor])[:, None]
    stages = 1 + np.cumprod(went_on, axis=1).sum(axis=1)

    customer = np.concatenate([orders["customer_id"].to_numpy() - 1, visitor])
    n_stages = np.concatenate([np.full(len(orders), len(_STAGES)), stages])
    ordered = (orders["timestamp"].to_numpy().astype(_START.dtype) - _START).astype(np.int64)
    last = np.concatenate([ordered, rng.randint(_YEAR, size=len(visitor))])
    channel = _choices(population, customer, len(_TOUCHES), rng)

    session = np.repeat(np.arange(len(customer)), n_stages)
    stage = np.arange(len(session)) - np.repeat(np.cumsum(n_stages) - n_stages, n_stages)
    remaining = n_stages[session] - 1 - stage
    # a step takes one time per session, and a session at the year's first minutes starts with it
    pace = rng.randint(1, _STEP_SECONDS, size=len(customer))
    seconds = np.maximum(last[session] - remaining * pace[session], 0)
    events = pd.DataFrame(
        {"customer": customer[session], "seconds": seconds, "stage": stage, "channel": channel[session]}
    ).sort_values(["seconds", "customer", "stage"], kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "customer_id": population.ids[events["customer"]],
            "timestamp": _timestamps(events["seconds"]),
            "stage": _text(_STAGES, events["stage"]),
            "channel": _text(_TOUCHES, events["channel"]),
        }
    )


def make_campaign(population: Population, rng: np.random.RandomState) -> pd.DataFrame:
    """Draw a campaign with a randomised control arm: when each customer's turn came, and who responded."""
    n_customers = len(population.ids)
    response, uplift = population.latents(2, rng).T
    n_treated = int(np.ceil(_TREATED * n_customers))
    treated = rng.permutation(n_customers) < n_treated
    log_odds = _RESPONSE + _SPREAD * response + treated * (_UPLIFT + _SPREAD * uplift)
    sent = (_SENT - _START).astype(np.int64) + _DAY * rng.randint(7, size=n_customers)
    return pd.DataFrame(
        {
            "customer_id": population.ids,
            "arm": pd.Series(np.where(treated, "treatment", "control"), dtype="str"),
            "timestamp": _timestamps(sent),
            "responded": rng.random_sample(n_customers) < expit(log_odds),
        }
    )


def _at_least_one(rate: Floats, rng: np.random.RandomState) -> Integers:
    """Draw Poisson counts given that they are not zero."""
    # the first event of the year, given that there is one, by inversion; the rest of the year is free
    first = -np.log1p(rng.random_sample(len(rate)) * np.expm1(-rate))
    counts: Integers = 1 + rng.poisson(np.maximum(rate - first, 0.0))
    return counts


def _choices(population: Population, customer: Integers, n_options: int, rng: np.random.RandomState) -> Integers:
    """Choose an option at each occasion, with the customer's own probabilities (softmax of latent utilities)."""
    below = softmax(population.latents(n_options, rng), axis=1).cumsum(axis=1)[:, :-1]
    chance = rng.random_sample(len(customer))
    choice = np.zeros(len(customer), dtype=np.int64)
    for border in below.T:
        choice += chance > border[customer]
    return choice


def _timestamps(seconds: Any) -> npt.NDArray[np.datetime64]:
    return (_START + np.asarray(seconds).astype("timedelta64[s]")).astype("datetime64[us]")


def _text(names: tuple[str, ...], codes: Any) -> pd.Series[Any]:
    return pd.Series(pd.array(names, dtype="str").take(np.asarray(codes)))
