"""All characteristics of purchase behaviour as one would write them for the table of ``_lines.py``, without custseg.

The definitions are those of ``PurchaseBehaviorFeaturizer`` with its defaults, category, channel and discount. Unlike
it, this relies on a table in which no value is missing.
"""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import polars as pl

N_LEADING = 5
PARTS = ("night", "morning", "afternoon", "evening")
LEVELED = {"category": "categories", "channel": "channels"}


def on_pandas(lines: pd.DataFrame) -> pd.DataFrame:
    """Return one row per customer, indexed and sorted by the customer id."""
    is_return = lines["amount"] < 0
    returned = -lines[is_return].groupby("customer_id")["amount"].sum()
    bought = lines[~is_return]
    visits = _visits_on_pandas(bought)
    visits["side"] = visits["spend"] * _side_on_pandas(visits, lines["timestamp"].max())
    customers = visits.groupby("customer_id").agg(
        orders=("day", "size"),
        lines=("lines", "sum"),
        first=("day", "min"),
        last=("day", "max"),
        spend=("spend", "sum"),
        off=("off", "sum"),
        side=("side", "sum"),
        gap_spread=("gap", "std"),
        weekend_share=("weekend", "mean"),
        **{f"{part}_share": (part, "mean") for part in PARTS},
    )
    returned = returned.reindex(customers.index, fill_value=0.0)
    several = customers["orders"] > 1
    found = pd.DataFrame(
        {
            "orders": customers["orders"],
            "lines": customers["lines"],
            "basket_spend": (customers["spend"] - returned) / customers["orders"],
            "basket_lines": customers["lines"] / customers["orders"],
            "gap_mean": (customers["last"] - customers["first"]).dt.days / (customers["orders"] - 1).where(several),
            "gap_spread": customers["gap_spread"],
            "spend_trend": (customers["side"] / customers["spend"]).where(several),
            "return_rate": returned / customers["spend"],
            "discount_share": customers["off"] / (customers["off"] + customers["spend"]),
            "weekend_share": customers["weekend_share"],
            **{f"{part}_share": customers[f"{part}_share"] for part in (*PARTS[1:], PARTS[0])},
        }
    )
    return found.join([_levels_on_pandas(bought, role, count) for role, count in LEVELED.items()])


def _visits_on_pandas(bought: pd.DataFrame) -> pd.DataFrame:
    """Return one row per customer and day, in order."""
    day = bought["timestamp"].dt.floor("D")
    # midnight is no time of day
    timed = bought["timestamp"].where(bought["timestamp"] != day)
    visits = (
        bought.assign(day=day, timed=timed)
        .groupby(["customer_id", "day"])
        .agg(lines=("amount", "size"), spend=("amount", "sum"), off=("discount", "sum"), timed=("timed", "min"))
        .reset_index()
    )
    same = visits["customer_id"] == visits["customer_id"].shift()
    visits["gap"] = visits["day"].diff().dt.days.where(same)
    visits["weekend"] = visits["day"].dt.day_of_week >= 5
    part = visits["timed"].dt.hour // 6
    for position, name in enumerate(PARTS):
        visits[name] = (part == position).astype("float64").where(part.notna())
    return visits


def _side_on_pandas(visits: pd.DataFrame, end: pd.Timestamp) -> pd.Series:
    """Return 1 for the recent half of a customer's time, -1 for the earlier one, 0 in the middle."""
    since = visits["day"] - visits.groupby("customer_id")["day"].transform("min")
    until = end.floor("D") - visits["day"]
    return (since > until).astype("int64") - (since < until).astype("int64")


def _levels_on_pandas(bought: pd.DataFrame, role: str, count: str) -> pd.DataFrame:
    levels = bought[role].astype("category")
    spent = bought.assign(level=levels).pivot_table(
        index="customer_id", columns="level", values="amount", aggfunc="sum", observed=True
    )
    spend = spent.sum(axis="columns")
    # of equally frequent levels the first by text
    frequent = levels.value_counts().sort_index().sort_values(ascending=False, kind="stable").index
    leading, others = frequent[:N_LEADING], frequent[N_LEADING:]
    found = {count: spent.count(axis="columns"), f"{role}_concentration": spent.max(axis="columns") / spend}
    found |= {f"share_{role}_{level}": spent[level].fillna(0.0) / spend for level in leading}
    if len(others):
        found[f"share_{role}_other"] = spent[list(others)].sum(axis="columns") / spend
    return pd.DataFrame(found)


def on_polars(lines: pl.DataFrame) -> pl.DataFrame:
    """Return one row per customer, sorted by the customer id."""
    table = lines.lazy().with_columns(pl.col(*LEVELED).cast(pl.Categorical))
    bought = table.filter(pl.col("amount") >= 0).collect()
    returned = table.filter(pl.col("amount") < 0).group_by("customer_id").agg(returned=-pl.col("amount").sum())
    end = lines["timestamp"].max()
    customers = _customers_on_polars(bought.lazy(), end).join(returned, on="customer_id", how="left")
    returned_value = pl.col("returned").fill_null(0.0)
    several = pl.col("orders") > 1
    n_gaps = pl.when(several).then(pl.col("orders").cast(pl.Int64) - 1)
    found = customers.select(
        "customer_id",
        "orders",
        "lines",
        basket_spend=(pl.col("spend") - returned_value) / pl.col("orders"),
        basket_lines=pl.col("lines") / pl.col("orders"),
        gap_mean=(pl.col("last") - pl.col("first")).dt.total_days() / n_gaps,
        gap_spread="gap_spread",
        spend_trend=pl.when(several).then(pl.col("side") / pl.col("spend")),
        return_rate=returned_value / pl.col("spend"),
        discount_share=pl.col("off") / (pl.col("off") + pl.col("spend")),
        weekend_share="weekend_share",
        **{f"{part}_share": f"{part}_share" for part in (*PARTS[1:], PARTS[0])},
    )
    for role, count in LEVELED.items():
        found = found.join(_levels_on_polars(bought, role, count), on="customer_id", how="left")
    return found.sort("customer_id").collect()


def _customers_on_polars(bought: pl.LazyFrame, end: datetime) -> pl.LazyFrame:
    time, day = pl.col("timestamp"), pl.col("day")
    visits = (
        bought.with_columns(day=time.dt.date())
        # midnight is no time of day
        .with_columns(timed=pl.when(time != day).then(time))
        .group_by("customer_id", "day")
        .agg(lines=pl.len(), spend=pl.col("amount").sum(), off=pl.col("discount").sum(), timed=pl.col("timed").min())
        .sort("customer_id", "day")
    )
    same = pl.col("customer_id") == pl.col("customer_id").shift()
    since, until = day - day.min().over("customer_id"), pl.lit(end.date()) - day
    part = pl.col("timed").dt.hour() // 6
    return (
        visits.with_columns(
            gap=pl.when(same).then(day.diff().dt.total_days()),
            side=(since - until).dt.total_days().sign() * pl.col("spend"),
            weekend=day.dt.weekday() > 5,
            **{name: part == position for position, name in enumerate(PARTS)},
        )
        .group_by("customer_id")
        .agg(
            orders=pl.len(),
            lines=pl.col("lines").sum(),
            first=day.min(),
            last=day.max(),
            spend=pl.col("spend").sum(),
            off=pl.col("off").sum(),
            side=pl.col("side").sum(),
            gap_spread=pl.col("gap").std(),
            weekend_share=pl.col("weekend").mean(),
            **{f"{name}_share": pl.col(name).mean() for name in PARTS},
        )
    )


def _levels_on_polars(bought: pl.DataFrame, role: str, count: str) -> pl.LazyFrame:
    # of equally frequent levels the first by text
    counts = bought[role].value_counts().with_columns(pl.col(role).cast(pl.String))
    frequent = counts.sort("count", role, descending=[True, False])[role].to_list()
    leading, others = frequent[:N_LEADING], frequent[N_LEADING:]
    spent = bought.lazy().group_by("customer_id", role).agg(pl.col("amount").sum())
    amount, spend = pl.col("amount"), pl.col("amount").sum()
    of_levels = {level: pl.col(role) == level for level in leading}
    if others:
        of_levels["other"] = ~pl.col(role).is_in(leading)
    return (
        spent.with_columns(pl.when(of).then(amount).otherwise(0.0).alias(level) for level, of in of_levels.items())
        .group_by("customer_id")
        .agg(
            pl.len().alias(count),
            (amount.max() / spend).alias(f"{role}_concentration"),
            **{f"share_{role}_{level}": pl.col(level).sum() / spend for level in of_levels},
        )
    )
