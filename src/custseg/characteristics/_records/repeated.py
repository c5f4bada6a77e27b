"""How many rows repeat another one."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Integers
from custseg._core.frames import collect
from custseg._core.in_threads import in_threads
from custseg.characteristics._records.blocks import mixed
from custseg.characteristics._records.ledger import DERIVED, Ledger, Part
from custseg.characteristics._records.records import Records

_N_BITS = 63


def count_repeated(records: Records) -> int:
    """Count the rows that repeat another one in every column read."""
    frame = _lookalikes(records.ledger).lazy() if records.in_memory and records.n_used else records.frame
    names = [name for name in frame.collect_schema().names() if name not in DERIVED]
    # a window over all columns is how most engines tell distinct rows: counting them by group is far cheaper
    groups = frame.group_by(*names).agg(nw.len().alias("__rows"))
    found = collect(groups.select(nw.col("__rows").sum().alias("rows"), nw.len().alias("distinct")))
    return int(found["rows"].item() or 0) - int(found["distinct"].item())


def _lookalikes(ledger: Ledger) -> nw.DataFrame[Any]:
    """Leave out most rows that no other equals: telling whole rows apart takes far longer."""
    shared = in_threads(_sharing, ledger.parts, n_rows=len(ledger.frame))
    return ledger.frame[np.concatenate(shared)]


def _sharing(part: Part) -> Integers:
    """Return the rows whose drawer holds another one too, of several sets of drawers in turn.

    Rows that are equal have one key, and so one drawer.
    """
    rows, codes = part.rows, mixed([part.keys], _N_BITS)
    # two to four drawers for each row
    n_bits = len(rows).bit_length() + 1
    for used in range(0, _N_BITS - n_bits, n_bits):
        drawers = codes >> (_N_BITS - n_bits - used) & (2**n_bits - 1)
        # positions instead of a mask: a mask without a pattern is slow to follow
        shared = np.flatnonzero(np.bincount(drawers, minlength=2**n_bits)[drawers] > 1)
        rows, codes = rows[shared], codes[shared]
    return rows
