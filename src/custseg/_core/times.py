"""Times that users pass: dates, timestamps, and text of ISO 8601, which nobody can read in two ways."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.params import Allowed

__all__ = ["TIME", "read_time"]

_DAY = r"\d{4}-\d{2}-\d{2}|\d{8}"
_CLOCK = r"\d{2}:\d{2}(:\d{2}([.,]\d+)?)?|\d{4}(\d{2}([.,]\d+)?)?"
_ISO = re.compile(rf"({_DAY})([T ]({_CLOCK})(Z|[+-]\d{{2}}(:?\d{{2}})?)?)?", re.ASCII)
_NUMBERS = re.compile(r"(\d{1,4})[-/. ]+(\d{1,2})[-/. ]+(\d{1,4})", re.ASCII)


def read_time(value: Any) -> pd.Timestamp | None:
    """Read a date, a timestamp or ISO 8601 text; None where it is nothing of that.

    A day must be whole, since "2024-03", as text or of numpy, may be the first of March or the last. pandas
    would read the text "08/03/2024" month first and "31/12/2024" day first, and "now" by the clock.

    Examples
    --------
    >>> read_time("2024-03-08")
    Timestamp('2024-03-08 00:00:00')
    >>> read_time("08/03/2024") is None
    True
    """
    if isinstance(value, str):
        if not _ISO.fullmatch(value):
            return None
        try:
            return pd.Timestamp(dt.datetime.fromisoformat(value))
        except ValueError:
            return None
    if not isinstance(value, (dt.date, np.datetime64)) or pd.isna(value):
        return None
    if isinstance(value, np.datetime64) and np.datetime_data(value.dtype)[0] in ("Y", "M", "W"):
        return None
    return pd.Timestamp(value)


class _Time(Allowed):
    """A time that can be read in one way only."""

    def accepts(self, value: Any) -> bool:
        return read_time(value) is not None

    def __str__(self) -> str:
        return "a date, a timestamp or ISO 8601 text (YYYY-MM-DD or YYYY-MM-DDThh:mm:ss)"

    def remedy(self, value: Any) -> str:
        forms = [repr(day.isoformat()) for day in _days(value)] if isinstance(value, str) else []
        if not forms:
            return "Write the day as in '2024-12-31'."
        return f"Write {' or '.join(forms)}{', whichever is meant' if len(forms) > 1 else ''}."


TIME = _Time()


def _days(text: str) -> list[dt.date]:
    """Return the days that text with a day, a month and a year may mean, the earliest first."""
    found = _NUMBERS.match(text.strip())
    if found is None:
        return []
    first, second, third = found.groups()
    # after a year comes its month; before one, habits differ
    readings = [(first, second, third)] if len(first) == 4 else [(third, second, first), (third, first, second)]
    days = set()
    for year, month, day in readings:
        with suppress(ValueError):
            days.update([dt.date(int(year), int(month), int(day))] if len(year) == 4 else [])
    return sorted(days)
