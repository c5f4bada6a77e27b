"""The first phase: raw tables become one row per customer, and the brief says who of them is looked at."""

from __future__ import annotations

import inspect
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.base import clone

from custseg._core.arrays import Floats
from custseg._core.asking import asked, asking
from custseg._core.characteristic import Characteristic
from custseg._core.customers import CustomerTable, read_customers
from custseg._core.described import characteristics_of
from custseg._core.frames import keep_rows
from custseg._core.params import NONE, check
from custseg._core.times import TIME
from custseg._core.warning import ignoring, warn
from custseg.characteristics import CharacteristicUnion, RFMFeaturizer, RowReport
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)
from custseg.study._audience import Audience
from custseg.study._brief import SegmentationBrief

__all__ = ["Customers", "Everyone", "admit", "characterise", "customer_id_of", "described_as_of", "ids_of"]

# what the ids are called where nobody named them
DEFAULT_ID = "customer_id"


@dataclass(frozen=True, kw_only=True)
class Everyone:
    """Everyone in the tables.

    Attributes
    ----------
    estimator : transformer
        Fitted: it describes new tables in the same way.
    frame : DataFrame
        One row per customer, in the kind of the input.
    table : CustomerTable
        The same, read.
    characteristics : tuple of Characteristic
        What the columns are.
    net_spend : ndarray of shape (n_customers,) or None
        What each customer spent, net of returns; None where no purchases are known.
    row_report : RowReport
        What became of the rows of the tables.
    tables_read : pandas.DataFrame
        One row per table, with the number of its rows, of those used and of those left out.
    match_report : pandas.DataFrame or None
        How the customers of several tables met.
    """

    estimator: Any
    frame: Any
    table: CustomerTable
    characteristics: tuple[Characteristic, ...]
    net_spend: Floats | None
    row_report: RowReport
    tables_read: pd.DataFrame
    match_report: pd.DataFrame | None


@dataclass(frozen=True, kw_only=True)
class Customers:
    """The customers that a brief looks at.

    Attributes
    ----------
    frame, table, value : object
        As of everyone, of the audience alone; the value is the column that the brief names, else net spend.
    audience : Audience
        Who is let in, of these and of new customers.
    audience_report : pandas.DataFrame
        Columns ``condition, n_left_out``.
    """

    frame: Any
    table: CustomerTable
    value: Floats | None
    audience: Audience
    audience_report: pd.DataFrame


def characterise(characteristics: Any, tables: Any, customer_id: str) -> Everyone:
    """Turn raw tables into one row per customer."""
    estimator = clone(characteristics)
    frame = estimator.fit_transform(tables)
    table = read_customers(frame, customer_id=customer_id).without_rounding()
    return Everyone(
        estimator=estimator,
        frame=frame,
        table=table,
        characteristics=characteristics_of(estimator, table.names),
        net_spend=_net_spend(estimator, tables, frame, customer_id),
        row_report=getattr(estimator, "row_report_", RowReport(n_rows=0, policies=())),
        tables_read=_tables_read(estimator),
        match_report=estimator.match_report_.to_frame() if isinstance(estimator, CharacteristicUnion) else None,
    )


def described_as_of(estimator: Any, tables: Any, as_of: Any) -> Any:
    """Describe the customers of new tables; where these go on after those of fit, as of their latest time.

    As of the time of ``fit`` all that happened since would be left out.
    """
    check({"as_of": (NONE, TIME)}, {"as_of": as_of})
    if as_of is not None and "as_of" not in inspect.signature(estimator.transform).parameters:
        raise InvalidParameterError(
            f"{asked()}: as_of={as_of!r} was passed, but {type(estimator).__name__} does not describe customers as of "
            "a time. Leave it out."
        )
    if as_of is None and hasattr(estimator, "scoring_time"):
        as_of = estimator.scoring_time(tables)
        if as_of is not None:
            warn(
                f"customers are described as of {as_of}, the latest time of the tables, which go on after those of "
                "fit. Pass as_of=... for another time."
            )
    return estimator.transform(tables, **({} if as_of is None else {"as_of": as_of}))


def _tables_read(estimator: Any) -> pd.DataFrame:
    """List the tables with their rows; a transformer of another library does not say what became of them."""
    members = estimator.members_ if isinstance(estimator, CharacteristicUnion) else [("", estimator, "")]
    reports = [(table, getattr(member, "row_report_", None)) for _, member, table in members]
    rows = [
        {"table": table, "rows": report.n_rows, "rows used": report.n_used, "rows left out": report.n_left_out}
        for table, report in reports
        if report is not None
    ]
    frame = pd.DataFrame(rows, columns=["table", "rows", "rows used", "rows left out"])
    return frame if any(table for table, _ in reports) else frame.drop(columns="table")


def admit(brief: SegmentationBrief, everyone: Everyone) -> Customers:
    """Keep the audience of a brief, and count whom each of its conditions leaves out."""
    table = everyone.table
    for field in ("value", "order_by"):
        _present(field, [getattr(brief, field)], table)
    _present("outcomes", brief.outcomes, table)
    if brief.value is not None and (kind := table[brief.value].kind) not in ("numeric", "binary"):
        remedy = "Name a column of numbers, such as what each customer spent."
        with asking("SegmentationBrief.value"):
            raise ColumnTypeError.expected(brief.value, "numbers to be a value", kind, remedy)
    audience = Audience.of(brief.audience_rule, table)
    inside, report = audience.admit(table)
    if not inside.any():
        raise InvalidTableError(
            f"{asked()}: none of {table.n_customers} customers is in the audience; left out by "
            f"{report.to_dict('records')}. Relax the conditions of the brief."
        )
    value = everyone.net_spend if brief.value is None else np.asarray(table[brief.value].values, dtype=np.float64)
    return Customers(
        frame=everyone.frame if inside.all() else keep_rows(everyone.frame, inside),
        table=table if inside.all() else table.take(inside),
        value=None if value is None else value[inside],
        audience=audience,
        audience_report=report,
    )


def _present(field: str, names: Any, table: CustomerTable) -> None:
    absent = [name for name in names if name is not None and name not in table.names]
    if absent:
        with asking(f"SegmentationBrief.{field}"):
            raise ColumnNotFoundError.in_table(absent, table.names)


def customer_id_of(characteristics: Any, customer_id: str | None) -> str:
    """Return the name that the ids have in the table of customers."""
    own = customer_id if characteristics is None else getattr(characteristics, "customer_id", None)
    return DEFAULT_ID if own is None else str(own)


def ids_of(customers: Any, customer_id: str) -> pd.Index[Any]:
    """Return the ids of customers, in their order."""
    is_pandas = isinstance(customers, pd.DataFrame)
    ids = customers.index if is_pandas else nw.from_native(customers, eager_only=True)[customer_id].to_list()
    index: pd.Index[Any] = pd.Index(ids, name=customer_id)
    return index


def _net_spend(estimator: Any, tables: Any, frame: Any, customer_id: str) -> Floats | None:
    """Sum up what each customer spent, net of returns; None where no purchases are known."""
    members = [(estimator, tables)]
    if isinstance(estimator, CharacteristicUnion):
        members = [(fitted, tables[name]) for _, fitted, name in estimator.members_]
    found = [member for member in members if isinstance(member[0], RFMFeaturizer) and member[0].amount is not None]
    if not found:
        return None
    fitted, table = found[0]
    total = deepcopy(fitted).set_params(features=("monetary",), monetary_as="total")
    # whoever read the table first has said what is odd about it
    with ignoring(DataQualityWarning):
        spend: pd.DataFrame = total.set_output(transform="pandas").transform(table)
    # whoever is in no line bought nothing, which is known
    return np.asarray(spend["monetary"].reindex(ids_of(frame, customer_id), fill_value=0.0), dtype=np.float64)
