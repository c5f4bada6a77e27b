"""RFM from 1,000,000 purchase lines: ours, pandas by hand, and lifetimes 0.11.3."""

from __future__ import annotations

import sys
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from benchmarks._timing import in_turns
from custseg.characteristics import RFMFeaturizer

N_LINES = 1_000_000
N_DAYS = 730
COLUMNS = ("recency", "frequency", "monetary", "tenure")


def purchase_lines(lines_per_visit: int) -> pd.DataFrame:
    """Two years of purchases; customers differ in how often they come."""
    random = np.random.RandomState(0)
    n_visits = N_LINES // lines_per_visit
    customer = np.searchsorted(np.cumsum(random.gamma(1.0, size=n_visits // 10)), np.arange(n_visits) * 0.1)
    second = random.randint(0, N_DAYS * 86_400, n_visits)
    visit = random.permutation(np.repeat(np.arange(n_visits), lines_per_visit))
    return pd.DataFrame(
        {
            "customer_id": customer[visit],
            "timestamp": np.datetime64("2022-01-01", "us") + second[visit].astype("timedelta64[s]"),
            "amount": np.round(random.lognormal(2.0, 1.0, len(visit)), 2),
        }
    )


def by_hand(lines: pd.DataFrame) -> pd.DataFrame:
    day = lines["timestamp"].dt.floor("D")
    daily = lines["amount"].groupby([lines["customer_id"], day]).sum().reset_index()
    customers = daily.groupby("customer_id").agg(
        first=("timestamp", "min"), last=("timestamp", "max"), frequency=("amount", "size"), total=("amount", "sum")
    )
    end = day.max()
    return pd.DataFrame(
        {
            "recency": (end - customers["last"]).dt.days.astype("float64"),
            "frequency": customers["frequency"],
            "monetary": customers["total"] / customers["frequency"],
            "tenure": (end - customers["first"]).dt.days.astype("float64"),
        }
    )


def by_lifetimes(lines: pd.DataFrame, *, monetary: str) -> pd.DataFrame:
    from lifetimes.utils import summary_data_from_transaction_data  # noqa: PLC0415 - optional

    first_counts = monetary == "mean"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = summary_data_from_transaction_data(
            lines, "customer_id", "timestamp", "amount", freq="D", include_first_transaction=first_counts
        )
    frequency = found["frequency"].astype("int64") + (not first_counts)
    return pd.DataFrame(
        {
            "recency": found["T"] - found["recency"],
            "frequency": frequency,
            "monetary": found["monetary_value"].where(first_counts | (frequency > 1)),
            "tenure": found["T"],
        }
    )


def checksum(result: Any) -> dict[str, float]:
    """Return sums that a row out of place would change."""
    table = result.to_pandas().set_index("customer_id") if isinstance(result, pl.DataFrame) else result
    place = np.arange(1, len(table) + 1)
    sums = {column: float(np.nansum(table[column].to_numpy() * place)) for column in COLUMNS}
    return {"customers": float(len(table)), "ids": float(np.sum(table.index.to_numpy() * place)), **sums}


def compare(lines: pd.DataFrame, lines_per_visit: int, monetary: str) -> list[dict[str, Any]]:
    on_polars = pl.from_pandas(lines)
    featurizer = RFMFeaturizer(features=COLUMNS, monetary=monetary)
    fitted = RFMFeaturizer(features=COLUMNS, monetary=monetary).fit(lines)
    competitors = {
        "custseg fit_transform, pandas in": lambda: featurizer.fit_transform(lines),
        "custseg fit_transform, polars in": lambda: featurizer.fit_transform(on_polars),
        "custseg transform, polars in": lambda: fitted.transform(on_polars),
    }
    if monetary == "mean":
        competitors["pandas by hand"] = lambda: by_hand(lines)
    if find_spec("lifetimes") is not None:
        competitors["lifetimes"] = lambda: by_lifetimes(lines, monetary=monetary)
    timed = in_turns(competitors)
    check_equal({name: checksum(entry.result) for name, entry in timed.items()})
    rows = []
    for name, entry in timed.items():
        row = {"lines": len(lines), "per visit": lines_per_visit, "monetary": monetary, "who": name}
        row |= {"seconds": entry.seconds, "cpu seconds": entry.cpu_seconds}
        for peer in ("pandas by hand", "lifetimes"):
            row[f"{peer} / who"] = timed[peer].seconds / entry.seconds if peer in timed else None
            row[f"{peer} / who, cpu"] = timed[peer].cpu_seconds / entry.cpu_seconds if peer in timed else None
        rows.append(row)
    return rows


def check_equal(sums: dict[str, dict[str, float]]) -> None:
    """Refuse to print timings of things that did not compute the same."""
    (first, expected), *others = sums.items()
    for name, found in others:
        if not all(np.isclose(found[key], expected[key], rtol=1e-12, atol=0) for key in expected):
            raise AssertionError(f"{first} computed {expected}, {name} computed {found}")


def run() -> list[dict[str, Any]]:
    if find_spec("lifetimes") is None:
        print("lifetimes is not installed and left out: python -m pip install lifetimes==0.11.3", file=sys.stderr)
    rows = []
    for lines_per_visit in (1, 5):
        lines = purchase_lines(lines_per_visit)
        for monetary in ("mean", "mean_repeat"):
            rows += compare(lines, lines_per_visit, monetary)
    return rows
