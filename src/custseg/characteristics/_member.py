"""One row per customer from each member of a union: brought to one kind of frame and joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from custseg._core.asking import asked, asking
from custseg._core.base import OutputKind
from custseg._core.characteristic import Characteristic
from custseg._core.composed import composed_series
from custseg._core.customers import Kind
from custseg._core.described import characteristics_of
from custseg._core.frames import is_frame, output_kind, to_kind
from custseg._core.native import from_native
from custseg._core.optional import require
from custseg.characteristics._errors import ids_clash
from custseg.exceptions import ColumnTypeError, CustomerIdError, InvalidTableError


@dataclass(frozen=True)
class Part:
    """What one member says about its customers.

    Attributes
    ----------
    member, table : str
        The member and its table.
    frame : narwhals DataFrame
        The ids, named as the union names them, then columns ``member__feature``.
    kind : {"pandas", "polars", "pyarrow"}
        The kind of frame that goes out for the one that the member returned.
    """

    member: str
    table: str
    frame: nw.DataFrame[Any]
    kind: OutputKind

    @property
    def features(self) -> list[str]:
        """The names of the characteristics."""
        return self.frame.columns[1:]

    def characteristics(self, estimator: Any) -> tuple[Characteristic, ...]:
        """Return what the fitted member says of them."""
        own = [name.removeprefix(f"{self.member}__") for name in self.features]
        return in_union(characteristics_of(estimator, own), self.member)


def in_union(characteristics: Iterable[Characteristic], member: str) -> tuple[Characteristic, ...]:
    """Return the characteristics of a member under the names that a union gives them."""
    return tuple(replace(each, column=f"{member}__{each.column}", member=member) for each in characteristics)


def read_part(output: Any, *, estimator: Any, member: str, table: str, customer_id: str) -> Part:
    """Read what a member returned: check its ids and prefix its columns."""
    member_id = getattr(estimator, "customer_id", customer_id)
    if not is_frame(output):
        raise InvalidTableError(
            f"{asked()}: member {member!r} returned {type(output).__name__}, not a dataframe with one row per "
            'customer. Ask it for one with set_output(transform="pandas").'
        )
    native = output
    if isinstance(output, pd.DataFrame) and member_id not in output.columns:
        native = output.rename_axis(index=member_id).reset_index()
    opened = from_native(native)
    frame = opened.collect() if isinstance(opened, nw.LazyFrame) else opened
    implementation = frame.implementation
    if not (implementation.is_pandas() or implementation.is_polars()):
        require("polars", f"{asked()} on tables that are neither pandas nor polars")
        frame = _polars_of_arrow(frame)
    if member_id not in frame.columns:
        raise InvalidTableError(
            f"{asked()}: member {member!r} returned a dataframe without the customer ids ({member_id!r}). "
            "A member keeps them as a column, or in pandas as the index."
        )
    features = [name for name in frame.columns if name != member_id]
    frame = frame.select(
        composed_series(frame.select(_plain_ids(frame, member_id))[member_id]).alias(customer_id),
        *(nw.col(name).alias(f"{member}__{name}") for name in features),
    )
    ids = frame[customer_id]
    n_repeated = len(ids) - ids.n_unique() if len(ids) else 0
    if n_repeated:
        example = ids.filter(ids.is_duplicated()).to_list()[0]
        with asking(f"{asked()}, member {member!r}"):
            raise CustomerIdError.repeated(customer_id, n_repeated, example)
    return Part(member, table, frame, output_kind(output))


def _plain_ids(frame: nw.DataFrame[Any], name: str) -> nw.Expr:
    dtype = frame.schema[name]
    if dtype.is_integer():
        if dtype == nw.UInt64 and len(frame) and frame[name].max() >= 2**63:
            raise CustomerIdError.not_an_id(name, "whole numbers beyond 2**63")
        return nw.col(name).cast(nw.Int64)
    if isinstance(dtype, (nw.String, nw.Categorical, nw.Enum)) or len(frame) == 0:
        return nw.col(name).cast(nw.String)
    raise CustomerIdError.not_an_id(name, dtype)


def join_parts(parts: list[Part], customer_id: str) -> tuple[nw.DataFrame[Any], list[tuple[int, int]]]:
    """Join all parts to the customers of the first, sorted by id.

    Returns the frame, and for each part its number of customers and how many of them are among
    those of the first.
    """
    first = parts[0]
    backend: OutputKind = "pandas" if first.kind == "pandas" else "polars"
    joined = as_kind(first.frame, backend)
    ids = joined.select(customer_id)
    counts = [(len(ids), len(ids))]
    for part in parts[1:]:
        frame = as_kind(part.frame, backend)
        if len(ids) == 0 or len(frame) == 0:
            n_customers, frame = len(frame), frame.head(0)
            frame = frame.with_columns(nw.col(customer_id).cast(ids.schema[customer_id]))
            counts.append((n_customers, 0))
        elif frame.schema[customer_id] != ids.schema[customer_id]:
            raise ids_clash(_words(first, customer_id), _words(part, customer_id), customer_id)
        else:
            counts.append((len(frame), len(ids.join(frame.select(customer_id), on=customer_id, how="inner"))))
        joined = joined.join(frame, on=customer_id, how="left")
    return _with_bools(joined, parts).sort(customer_id), counts


def _with_bools(joined: nw.DataFrame[Any], parts: list[Part]) -> nw.DataFrame[Any]:
    """Make pandas bools nullable where customers without a match turned them into objects."""
    table = joined.to_native()
    bools = [name for part in parts for name in part.features if part.frame.schema[name] == nw.Boolean]
    objects = [name for name in bools if isinstance(table, pd.DataFrame) and table[name].dtype == object]
    return nw.from_native(table.astype(dict.fromkeys(objects, "boolean")), eager_only=True) if objects else joined


def _polars_of_arrow(frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Read arrow data into polars; ordered dictionaries keep their order, which polars would forget."""
    table = frame.to_arrow()
    orders = {
        field.name: nw.Enum(table[field.name].combine_chunks().dictionary.to_pylist())
        for field in table.schema
        if getattr(field.type, "ordered", False)
    }
    opened = nw.from_native(frame.to_polars(), eager_only=True)
    return opened.with_columns(nw.col(name).cast(nw.String).cast(dtype) for name, dtype in orders.items())


def _words(part: Part, customer_id: str) -> tuple[str, str]:
    return part.table, "text" if part.frame.schema[customer_id] == nw.String else "whole numbers"


def as_kind(frame: nw.DataFrame[Any], kind: OutputKind) -> nw.DataFrame[Any]:
    """Bring a frame to another kind; categories keep their order."""
    if kind == "pandas":
        if frame.implementation.is_pandas():
            return frame
        table: pd.DataFrame = to_kind(frame, "pandas", None)
        return nw.from_native(table, eager_only=True)
    if frame.implementation.is_polars():
        return frame
    # polars reads pandas categories without their order, and categories that are numbers as numbers
    categories = {
        name: nw.Enum([str(level) for level in dtype.categories]) if isinstance(dtype, nw.Enum) else nw.Categorical()
        for name, dtype in frame.schema.items()
        if isinstance(dtype, (nw.Enum, nw.Categorical))
    }
    text = frame.with_columns(nw.col(name).cast(nw.String) for name in categories)
    native = nw.from_native(text.to_polars(), eager_only=True)
    return native.with_columns(nw.col(name).cast(dtype) for name, dtype in categories.items())


def hand_out(frame: nw.DataFrame[Any], kind: OutputKind, customer_id: str) -> Any:
    """Hand the joined frame out in the kind asked for."""
    if kind != "pandas":
        return to_kind(as_kind(frame, "polars"), kind, customer_id)
    return to_kind(as_kind(frame, "pandas"), "pandas", customer_id)


def seen(
    characteristics: Iterable[Characteristic], parts: list[Part], frame: nw.DataFrame[Any]
) -> Iterator[Characteristic]:
    """Add what the joined frame shows of each characteristic: its kind, and how many customers do not have it."""
    dtypes = {name: part.frame.schema[name] for part in parts for name in part.features}
    for each in characteristics:
        column = frame[each.column]
        missing = column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()
        n_missing = int(missing.fill_null(value=True).sum())
        kind = _kind_of(dtypes[each.column], each.column)
        yield replace(each, kind=kind, missing_share=n_missing / max(len(column), 1))


def _kind_of(dtype: Any, name: str) -> Kind:
    if dtype == nw.Boolean:
        return "binary"
    if dtype.is_numeric():
        return "numeric"
    if isinstance(dtype, nw.Enum):
        return "ordinal"
    if isinstance(dtype, (nw.Categorical, nw.String)):
        return "nominal"
    remedy = "Let the member return a number, text or categories."
    raise ColumnTypeError.expected(name, "numbers, bools, text or categories", dtype, remedy)
