"""The order of categories as Parquet files keep it, of which duckdb reads plain text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw

from custseg._core.optional import require
from custseg._core.paths import parquet_files, reading_files


def orders_in_files(path: Any) -> list[nw.Expr]:
    """Give text columns of Parquet files the order of the categories that were written."""
    orders = [_orders_in_file(file) for file in parquet_files(path)]
    first, *others = [order for order in orders if order is not None] or [{}]
    shared = {name: levels for name, levels in first.items() if all(order.get(name) == levels for order in others)}
    return [nw.col(name).cast(nw.Enum(levels)) for name, levels in shared.items()]


def _orders_in_file(file: Path) -> dict[str, list[str]] | None:
    """Return the levels of every ordered column of a file; None where it has no rows, and therefore no levels."""
    parquet = require("pyarrow.parquet")
    with reading_files(file), parquet.ParquetFile(file) as opened:
        names = [field.name for field in opened.schema_arrow if getattr(field.type, "ordered", False)]
        written = opened.read(columns=names)
        if not len(written):
            return None
        return {name: written[name].unify_dictionaries().chunk(0).dictionary.to_pylist() for name in names}
