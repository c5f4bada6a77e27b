"""Purchase lines of many customers, the same for every competitor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

N_DAYS = 730
CATEGORIES = np.array([f"category {number}" for number in range(12)])
CHANNELS = np.array(["shop", "web", "app"])


def purchase_lines(n_lines: int, n_customers: int, seed: int = 0) -> pd.DataFrame:
    """Two years of lines of one customer each; customers differ in how often they come, as gamma has it."""
    random = np.random.RandomState(seed)
    reached = np.cumsum(random.gamma(1.0, size=n_customers))
    customer = np.searchsorted(reached, random.random_sample(n_lines) * reached[-1])
    seconds = random.randint(0, N_DAYS * 86_400, n_lines)
    amount = np.round(random.lognormal(2.0, 1.0, n_lines), 2)
    returned = random.random_sample(n_lines) < 0.02
    categories, channels = (pd.array(names, dtype="str") for names in (CATEGORIES, CHANNELS))
    return pd.DataFrame(
        {
            "customer_id": customer,
            "timestamp": np.datetime64("2022-01-01", "us") + seconds.astype("timedelta64[s]"),
            "amount": np.where(returned, -amount, amount),
            "discount": np.round(amount * random.choice([0.0, 0.0, 0.1], n_lines), 2),
            "category": categories.take((random.random_sample(n_lines) ** 2 * len(CATEGORIES)).astype(np.int64)),
            "channel": channels.take(random.choice(3, n_lines, p=[0.6, 0.3, 0.1])),
        }
    )


def write_parquet(folder: Path, n_lines: int, n_customers: int, per_file: int = 5_000_000) -> None:
    """Write id, time and amount of many lines as a folder of Parquet files, in constant memory."""
    for part in range(-(-n_lines // per_file)):
        size = min(per_file, n_lines - part * per_file)
        random = np.random.RandomState(part + 1)
        # a customer's rate is a function of the id, so that every file has the same customers
        customer = (random.random_sample(size) ** 1.5 * n_customers).astype(np.int64)
        seconds = random.randint(0, N_DAYS * 86_400, size).astype("timedelta64[s]")
        columns = {
            "customer_id": customer,
            "timestamp": np.datetime64("2022-01-01", "us") + seconds,
            "amount": np.round(random.lognormal(2.0, 1.0, size), 2),
        }
        pl.DataFrame(columns).write_parquet(folder / f"part-{part:03}.parquet")
