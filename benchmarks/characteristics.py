"""From purchase lines to customers: ours beside pandas and polars by hand, lifetimes 0.11.3, and reading the file."""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from pyarrow import parquet

from benchmarks import _behavior_by_hand
from benchmarks._lines import purchase_lines
from benchmarks._timing import Timed, in_turns
from custseg.characteristics import PurchaseBehaviorFeaturizer, RFMFeaturizer

N_LINES = 1_000_000
N_MANY, N_CUSTOMERS = 10_000_000, 750_000
N_DAYS = 730
COLUMNS = ("recency", "frequency", "monetary", "tenure")
PANDAS, POLARS, LIFETIMES, SCAN = "pandas by hand", "polars by hand", "lifetimes", "reading the file"
FROM_FILE = "custseg fit_transform, from the file"
PEERS = (PANDAS, POLARS, LIFETIMES)


def visits(lines_per_visit: int) -> pd.DataFrame:
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
    table = by_customer(result)
    place = np.arange(1, len(table) + 1)
    sums = {column: float(np.nansum(table[column].to_numpy() * place)) for column in COLUMNS}
    return {"customers": float(len(table)), "ids": float(np.sum(table.index.to_numpy() * place)), **sums}


def by_hand_on_polars(lines: pl.DataFrame) -> pl.DataFrame:
    days = (
        lines.lazy()
        .with_columns(day=pl.col("timestamp").dt.truncate("1d"))
        .group_by("customer_id", "day")
        .agg(pl.col("amount").sum())
    )
    customers = days.group_by("customer_id").agg(
        first=pl.col("day").min(), last=pl.col("day").max(), frequency=pl.len(), total=pl.col("amount").sum()
    )
    end = pl.col("last").max()
    return (
        customers.select(
            "customer_id",
            recency=(end - pl.col("last")).dt.total_days().cast(pl.Float64),
            frequency=pl.col("frequency").cast(pl.Int64),
            monetary=pl.col("total") / pl.col("frequency"),
            tenure=(end - pl.col("first")).dt.total_days().cast(pl.Float64),
        )
        .sort("customer_id")
        .collect()
    )


def compare(what: str, competitors: Mapping[str, Callable[[], Any]], n_rounds: int) -> list[dict[str, Any]]:
    """Time competitors that compute the same; how many times longer the others take than each."""
    timed = in_turns(competitors, n_rounds)
    check_equal({name: checksum(entry.result) for name, entry in timed.items()})
    return [_row(what, name, timed, [peer for peer in PEERS if peer in timed and peer != name]) for name in timed]


def _row(what: str, name: str, timed: Mapping[str, Timed], peers: list[str]) -> dict[str, Any]:
    own = timed[name]
    ratios = [
        f"{peer} {timed[peer].seconds / own.seconds:.2f} ({timed[peer].cpu_seconds / own.cpu_seconds:.2f})"
        for peer in peers
    ]
    return {
        "what": what,
        "who": name,
        "seconds": own.seconds,
        "cpu seconds": own.cpu_seconds,
        "peer / who, in brackets cpu": "; ".join(ratios) or None,
    }


def core_rfm(lines_per_visit: int, monetary: str) -> list[dict[str, Any]]:
    """Core RFM of a million lines, lifetimes beside it."""
    lines = visits(lines_per_visit)
    on_polars = pl.from_pandas(lines)
    featurizer = RFMFeaturizer(features=COLUMNS, monetary_as=monetary)
    fitted = RFMFeaturizer(features=COLUMNS, monetary_as=monetary).fit(lines)
    competitors = {
        "custseg fit_transform, pandas in": lambda: featurizer.fit_transform(lines),
        "custseg fit_transform, polars in": lambda: featurizer.fit_transform(on_polars),
        "custseg transform, polars in": lambda: fitted.transform(on_polars),
    }
    if monetary == "mean":
        competitors[PANDAS] = lambda: by_hand(lines)
    if find_spec("lifetimes") is not None:
        competitors[LIFETIMES] = lambda: by_lifetimes(lines, monetary=monetary)
    return compare(f"RFM, {N_LINES:,} lines, {lines_per_visit} a visit, {monetary}", competitors, 5)


def rfm_at_scale() -> list[dict[str, Any]]:
    """Core RFM of ten million lines, beside the same by hand."""
    lines = purchase_lines(N_MANY, N_CUSTOMERS)[["customer_id", "timestamp", "amount"]]
    lines["amount"] = lines["amount"].abs()  # what is done by hand knows no returns
    on_polars = pl.from_pandas(lines)
    featurizer = RFMFeaturizer(features=COLUMNS)
    competitors = {
        "custseg fit_transform, pandas in": lambda: featurizer.fit_transform(lines),
        PANDAS: lambda: by_hand(lines),
        "custseg fit_transform, polars in": lambda: featurizer.fit_transform(on_polars),
        POLARS: lambda: by_hand_on_polars(on_polars),
    }
    return compare(f"RFM, {N_MANY:,} lines, {N_CUSTOMERS:,} customers", competitors, 3)


def behavior_at_scale(n_lines: int = N_MANY, n_customers: int = N_CUSTOMERS) -> list[dict[str, Any]]:
    """All characteristics of purchase behaviour, beside the same by hand, and from a file beside reading the file."""
    lines = purchase_lines(n_lines, n_customers)
    on_polars = pl.from_pandas(lines)
    featurizer = PurchaseBehaviorFeaturizer(category="category", channel="channel", discount="discount")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.parquet"
        on_polars.write_parquet(path)
        same = {
            "custseg fit_transform, pandas in": lambda: featurizer.fit_transform(lines),
            PANDAS: lambda: _behavior_by_hand.on_pandas(lines),
            "custseg fit_transform, polars in": lambda: featurizer.fit_transform(on_polars),
            POLARS: lambda: _behavior_by_hand.on_polars(on_polars),
            FROM_FILE: lambda: featurizer.fit_transform(pl.read_parquet(path)),
        }
        scans = scans_of(path)
        timed = in_turns(same | scans, 3)
    tables = {name: by_customer(timed[name].result) for name in same}
    check_close(tables)
    what = f"{tables[PANDAS].shape[1]} characteristics, {n_lines:,} lines, {n_customers:,} customers"
    peers = {name: [peer for peer in (PANDAS, POLARS) if peer != name] for name in same}
    peers |= {name: [FROM_FILE] for name in scans}
    return [_row(what, name, timed, peers[name]) for name in timed]


def scans_of(path: Path) -> dict[str, Callable[[], int]]:
    """The ways to read and decode all columns of a Parquet file; the rows are in memory when they are counted."""
    scans: dict[str, Callable[[], int]] = {
        f"{SCAN}, polars": lambda: len(pl.read_parquet(path)),
        f"{SCAN}, pyarrow": lambda: len(parquet.read_table(path)),
        f"{SCAN}, pandas": lambda: len(pd.read_parquet(path)),
    }
    if find_spec("duckdb") is not None:
        import duckdb  # noqa: PLC0415 - optional

        scans[f"{SCAN}, duckdb"] = lambda: len(duckdb.read_parquet(str(path)).to_arrow_table())
    return scans


def by_customer(result: Any) -> pd.DataFrame:
    """Return customers as a pandas frame, indexed by their id."""
    return result.to_pandas().set_index("customer_id") if isinstance(result, pl.DataFrame) else result


def check_close(tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse to print timings of things that did not compute the same; sums of floats may differ in the last digits."""
    (_, expected), *others = tables.items()
    for name, found in others:
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-12, check_dtype=False, obj=name)


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
        for monetary in ("mean", "mean_repeat"):
            rows += core_rfm(lines_per_visit, monetary)
    return rows + rfm_at_scale() + behavior_at_scale()
