"""Timestamps of a transactions table, as whole numbers that every dataframe engine can compute.

A timestamp becomes microseconds since 1970-01-01: by the clock of its own zone (``wall``), which
decides its calendar day, and in universal time (``moment``), which decides what was earlier. Periods
are counted from the wall clock.

The zone of a column is that of its dtype. A ``TIMESTAMP WITH TIME ZONE`` of duckdb and a ``timestamp``
of Spark have none in their dtype: their zone is that of the connection (its setting ``TimeZone``), or of
the session (``spark.sql.session.timeZone``), as it is when these engines themselves name a day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.frames import by_partition, collect
from custseg._core.number_levels import number_text
from custseg._core.times import read_time
from custseg.characteristics._times.basic_times import EXTENDED, NUMBERS, are_basic_dates, extended
from custseg.characteristics._times.engine_clocks import duckdb_texts, duckdb_times, spark_texts, with_moment
from custseg.exceptions import ColumnTypeError, InvalidParameterError

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

# hours of one time unit; a month and a year have their mean Gregorian length
UNIT_HOURS = {"h": 1.0, "D": 24.0, "W": 168.0, "M": 24 * 365.2425 / 12, "Y": 24 * 365.2425}
UNIT_WORDS = {"h": "hours", "D": "days", "W": "weeks", "M": "months", "Y": "years"}
PERIODS = ("h", "D", "W", "M")

_OFFSET = "(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
_DATE = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]+)?)?"
_ISO = f"^{_DATE}(?:[T ]{_TIME}{_OFFSET}?)?$"
_PADDING = "T00:00:00.000000"

# what integer arithmetic serves alike: a column, an array, a Python int
Whole = TypeVar("Whole", nw.Expr, npt.NDArray[np.int64], int)


@dataclass(frozen=True)
class Clock:
    """How to read the timestamps of one table.

    Attributes
    ----------
    frame : narwhals LazyFrame
        The table, with helper columns where the timestamps are text or the engine has no epoch.
    readable : narwhals Expr
        Where a timestamp is present and can be read.
    wall, moment : narwhals Expr
        Microseconds since 1970-01-01 by the clock of the zone, and in universal time.
    months : narwhals Expr
        Twelve times the year plus the month, January being 0.
    zone : str, tzinfo or None
        The zone of the column; None where it has none.
    """

    frame: nw.LazyFrame[Any]
    readable: nw.Expr
    wall: nw.Expr
    moment: nw.Expr
    months: nw.Expr
    zone: str | dt.tzinfo | None


def read_clock(frame: nw.LazyFrame[Any], column: str) -> Clock:
    """Find out how to read a column of timestamps, typed or as ISO 8601 text.

    Raises
    ------
    ColumnTypeError
        If the column holds neither, or text of several zones.
    """
    dtype = frame.collect_schema()[column]
    if dtype.is_numeric() and are_basic_dates(frame, column):
        frame = frame.with_columns(number_text(nw.col(column).cast(nw.Float64)).alias(NUMBERS))
        return _text_clock(frame, NUMBERS)
    if is_text(dtype):
        return _text_clock(frame, column)
    zone = _zone(frame, column, dtype)
    if zone is None and not isinstance(dtype, (nw.Datetime, nw.Date)):
        raise ColumnTypeError.expected(
            column,
            "timestamps, dates or ISO 8601 text",
            dtype,
            "Convert it first, for example with pandas.to_datetime(column, format=...).",
        )
    engine = frame.implementation
    if engine.is_polars() or engine.is_pandas():
        return _epoch_clock(frame, column, zone)
    if engine.is_dask():
        frame = by_partition(frame, partial(_with_clock, column=column, zone=zone))
    elif engine.is_duckdb():
        frame = duckdb_times(frame, column)
    else:
        frame = _with_civil_time(frame, column, zone)
    wall, months = nw.col("__clock_wall"), nw.col("__clock_months")
    return Clock(frame, ~wall.is_null(), wall, nw.col("__clock_moment"), months, zone)


def _epoch_clock(frame: nw.LazyFrame[Any], column: str, zone: str | dt.tzinfo | None) -> Clock:
    """Count from the epoch, where narwhals has words for it."""
    dtype = frame.collect_schema()[column]
    instant = nw.col(column)
    if isinstance(dtype, nw.Date):
        instant = instant.cast(nw.Datetime("us"))
    # where narwhals does not know the dtype (see _zone) it cannot say its timestamp either
    universal = instant if zone is None or isinstance(dtype, nw.Datetime) else instant.cast(nw.Datetime("us", "UTC"))
    local = instant if zone is None else instant.dt.replace_time_zone(None)
    return Clock(
        frame=frame,
        readable=~nw.col(column).is_null(),
        wall=local.dt.timestamp("us"),
        moment=universal.dt.timestamp("us"),
        months=local.dt.year() * 12 + local.dt.month() - 1,
        zone=zone,
    )


def _with_clock(frame: nw.LazyFrame[Any], column: str, zone: str | dt.tzinfo | None) -> nw.LazyFrame[Any]:
    clock = _epoch_clock(frame, column, zone)
    return clock.frame.with_columns(
        clock.wall.alias("__clock_wall"), clock.moment.alias("__clock_moment"), clock.months.alias("__clock_months")
    )


def _with_civil_time(frame: nw.LazyFrame[Any], column: str, zone: str | dt.tzinfo | None) -> nw.LazyFrame[Any]:
    """Put the times together from year, day of the year and time, on engines that cannot count from the epoch."""
    instant = nw.col(column)
    if isinstance(frame.collect_schema()[column], nw.Date):
        instant = instant.cast(nw.Datetime("us"))
    local = instant if zone is None else instant.dt.replace_time_zone(None)
    parts = ("year", "ordinal_day", "month", "hour", "minute", "second", "microsecond")
    frame = frame.with_columns(getattr(local.dt, part)().cast(nw.Int64).alias(f"__clock_{part}") for part in parts)
    year, day, month, hour, minute, second, fraction = (nw.col(f"__clock_{part}") for part in parts)
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + day - 719163
    # Spark counts the fraction of a second back from the next one before 1970
    fraction = nw.when(fraction < 0).then(fraction + SECOND).otherwise(fraction)
    frame = frame.with_columns(
        (days * DAY + hour * HOUR + (minute * 60 + second) * SECOND + fraction).alias("__clock_wall"),
        (year * 12 + month - 1).alias("__clock_months"),
    )
    if zone is None or str(zone) in ("UTC", "Etc/UTC"):
        return frame.with_columns(nw.col("__clock_wall").alias("__clock_moment"))
    return with_moment(frame, column, "__clock_moment")


def _zone(frame: nw.LazyFrame[Any], column: str, dtype: nw.dtypes.DType) -> str | dt.tzinfo | None:
    if isinstance(dtype, nw.Datetime):
        return dtype.time_zone
    # narwhals does not know pandas' dtype of zones whose name has an underscore or a digit
    native: Any = nw.to_native(frame)
    is_pandas = frame.implementation.is_pandas() or frame.implementation.is_dask()
    native_dtype = native[column].dtype if is_pandas else None
    return native_dtype.tz if isinstance(native_dtype, pd.DatetimeTZDtype) else None


def _text_clock(frame: nw.LazyFrame[Any], column: str) -> Clock:
    clock, offsets, n_unreadable = _read_text(frame, column)
    if n_unreadable:
        # looked for only where it can help: most tables are written in one of the forms read above
        frame = by_partition(frame, partial(_with_extended, column=column))
        clock, offsets, _ = _read_text(frame, EXTENDED)
    zone = _single_zone(column, *offsets)
    shift = 0 if zone is None else zone.utcoffset(None) // dt.timedelta(microseconds=1)
    return replace(clock, moment=clock.wall - shift, zone=zone)


def _with_extended(frame: nw.LazyFrame[Any], column: str) -> nw.LazyFrame[Any]:
    return frame.with_columns(extended(nw.col(column).cast(nw.String).str.strip_chars()).alias(EXTENDED))


def _read_text(frame: nw.LazyFrame[Any], column: str) -> tuple[Clock, tuple[Any, Any], int]:
    """Read text; return also the lowest and the highest UTC offset, and how many texts cannot be read."""
    engine = frame.implementation
    if engine.is_duckdb():
        frame = duckdb_texts(frame, column, _ISO, _OFFSET)
    elif engine.is_pyspark() or engine.is_pyspark_connect():
        frame = _with_civil_time(spark_texts(frame, column, _ISO, _OFFSET), "__stamp", None)
        frame = frame.with_columns((nw.col("__clock_year") >= 1).fill_null(value=False).alias("__clock_readable"))
    else:
        frame = by_partition(frame, partial(_with_text, column=column))
    readable, wall = nw.col("__clock_readable"), nw.col("__clock_wall")
    offset = nw.when(readable).then(nw.col("__clock_offset"))
    unreadable = (~readable & ~nw.col(column).is_null()).cast(nw.Int64).sum()
    seen = collect(frame.select(offset.min().alias("low"), offset.max().alias("high"), unreadable.alias("odd")))
    low, high, n_odd = (seen[name].item() for name in ("low", "high", "odd"))
    clock = Clock(frame, readable, wall, wall, nw.col("__clock_months"), None)
    return clock, (low, high), 0 if pd.isna(n_odd) else int(n_odd)


@dataclass(frozen=True)
class UnreadableTimes:
    """Text in a column of times that is none.

    Attributes
    ----------
    column : str
        The column.
    n_odd, n_rows : int
        How many rows have such text, and how many there are.
    example : str
        One of them.
    """

    column: str
    n_odd: int
    n_rows: int
    example: str

    def __str__(self) -> str:
        return (
            f"{self.n_odd:,} of {self.n_rows:,} row(s) have a time in column {self.column!r} that cannot be read, "
            f"such as {self.example!r}, and count as having none. Write ISO 8601 (YYYY-MM-DD), or convert it with "
            "pandas.to_datetime(column, format=...)."
        )


def is_text(dtype: Any) -> bool:
    """Say whether times are written as text."""
    return isinstance(dtype, (nw.String, nw.Categorical, nw.Enum))


def unreadable_times(clock: Clock, column: str, n_rows: int) -> tuple[UnreadableTimes, ...]:
    """Count the text that is no time, in ``n_rows`` rows; typed times are readable, or missing."""
    if not is_text(clock.frame.collect_schema()[column]):
        return ()
    text = nw.col(column).cast(nw.String)
    odd = clock.frame.filter(~clock.readable).select(text.alias("text"))
    odd = odd.filter((~nw.col("text").is_null()) & (nw.col("text").str.strip_chars() != ""))
    found = collect(odd.select(nw.len().alias("rows"), nw.col("text").min().alias("example")))
    n_odd = int(found["rows"].item())
    return (UnreadableTimes(column, n_odd, n_rows, str(found["example"].item())),) if n_odd else ()


def _with_text(frame: nw.LazyFrame[Any], column: str) -> nw.LazyFrame[Any]:
    # unreadable text becomes a harmless date, since slices of it could not be cast to numbers
    names = frame.collect_schema().names()
    text = nw.col("__text")
    frame = frame.with_columns(nw.col(column).cast(nw.String).str.strip_chars().alias("__text"))
    frame = frame.with_columns(text.str.contains(_ISO).fill_null(value=False).alias("__readable"))
    frame = frame.with_columns(nw.when("__readable").then(text).otherwise(nw.lit("1970-01-01")).alias("__text"))
    frame = frame.with_columns(
        _offset(text).alias("__clock_offset"), text.str.replace_all(f"{_OFFSET}$", "").alias("__text")
    )
    size = text.str.len_chars()
    frame = frame.with_columns(_padded(text, size).alias("__text"))
    parts = {"year": (0, 4), "month": (5, 2), "day": (8, 2), "hour": (11, 2), "minute": (14, 2), "second": (17, 2)}
    frame = frame.with_columns(
        *(text.str.slice(start, length).cast(nw.Int64).alias(f"__{part}") for part, (start, length) in parts.items()),
        text.str.slice(20, 6).cast(nw.Int64).alias("__fraction"),
    )
    months = nw.col("__year") * 12 + nw.col("__month") - 1
    first = first_day_of_month(months)
    is_day = nw.col("__day") <= first_day_of_month(months + 1) - first
    time = nw.col("__hour") * HOUR + (nw.col("__minute") * 60 + nw.col("__second")) * SECOND + nw.col("__fraction")
    return frame.select(
        *names,
        "__clock_offset",
        (nw.col("__readable") & (nw.col("__year") >= 1) & is_day).alias("__clock_readable"),
        ((first + nw.col("__day") - 1) * DAY + time).alias("__clock_wall"),
        months.alias("__clock_months"),
    )


def _offset(text: nw.Expr) -> nw.Expr:
    """Return the offset from universal time as +hhmm, empty where there is none."""
    compact = text.str.slice(-6).str.replace_all(":", "").str.slice(-5)
    signed = nw.when(text.str.contains("[0-9][+-][0-9]{2}:?[0-9]{2}$")).then(compact).otherwise(nw.lit(""))
    return nw.when(text.str.contains("Z$")).then(nw.lit("+0000")).otherwise(signed)


def _padded(text: nw.Expr, size: nw.Expr) -> nw.Expr:
    """Complete a date, or a time without seconds or fraction, with zeros."""
    zeros = nw.lit(_PADDING[-6:])
    for length in (19, 16, 10):
        zeros = nw.when(size == length).then(nw.lit(_PADDING[length - 10 :])).otherwise(zeros)
    return nw.concat_str(text, zeros)


def _single_zone(column: str, low: Any, high: Any) -> dt.timezone | None:
    # without a readable row there is no offset, and pandas says so by NaN
    if not isinstance(low, str) or low == high == "":
        return None
    if low != high:
        raise ColumnTypeError.expected(
            column,
            "in one time zone (or all without one)",
            f"text with the UTC offsets {low or 'none'!r} and {high or 'none'!r}",
            "Convert it first, for example pandas.to_datetime(column, utc=True).dt.tz_convert(zone).",
        )
    sign = -1 if low[0] == "-" else 1
    return dt.timezone(sign * dt.timedelta(hours=int(low[1:3]), minutes=int(low[3:5])))


def first_day_of_month(months: Whole) -> Whole:
    """Day number (1970-01-01 is 0) of the first day of a month in the Gregorian calendar."""
    # years are counted from March, so that the leap day is the last of its year
    since_march = months - 2
    year = since_march // 12
    month = since_march - year * 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (month * 153 + 2) // 5 - 719468


def period_index(wall: Whole, months: Whole, period: str) -> Whole:
    """Return the number of the hour, day, week (from Monday) or calendar month in which a timestamp lies."""
    if period == "M":
        return months
    if period == "h":
        return wall // HOUR
    day = wall // DAY
    # 1970-01-01 was a Thursday
    return day if period == "D" else (day + 3) // 7


def period_start(index: Whole, period: str) -> Whole:
    """Hours from 1970-01-01 to the start of a period."""
    if period == "h":
        return index
    if period == "M":
        return first_day_of_month(index) * 24
    return index * 24 if period == "D" else (index * 7 - 3) * 24


@dataclass(frozen=True)
class AsOf:
    """The time up to which lines count.

    Attributes
    ----------
    time : pandas.Timestamp
        The time, in the zone of the timestamps.
    whole_day : bool
        Whether it stands for its whole day: a date, or a time at the day's very start.
    """

    time: pd.Timestamp
    whole_day: bool

    @classmethod
    def read(cls, as_of: Any, zone: str | dt.tzinfo | None, parameter: str = "as_of") -> AsOf:
        """Read ``as_of``, or another parameter that is a time, in the zone of the timestamps."""
        time = read_time(as_of)
        assert time is not None  # the parameter was checked
        if zone is None and time.tzinfo is not None:
            raise InvalidParameterError.not_allowed(
                parameter, "without a time zone, as the timestamps of the table have none", str(time)
            )
        if zone is not None:
            time = _localized(time, zone) if time.tzinfo is None else time.tz_convert(zone)
        midnight = time.tz_localize(None).normalize()
        return cls(time, whole_day=bool(time == (midnight if zone is None else _localized(midnight, zone))))

    @classmethod
    def from_moment(cls, moment: int, zone: str | dt.tzinfo | None) -> AsOf:
        """Make it from microseconds in universal time."""
        time = pd.Timestamp(moment, unit="us").as_unit("us")
        return cls.read(time if zone is None else time.tz_localize("UTC"), zone)

    @property
    def wall(self) -> int:
        """Microseconds since 1970-01-01 by the clock of the zone."""
        return _microseconds(self.time.tz_localize(None))

    def start(self, period: str) -> int:
        """Hours from 1970-01-01 to the start of its period."""
        return period_start(period_index(self.wall, self.time.year * 12 + self.time.month - 1, period), period)

    def reaches(self, other: AsOf) -> bool:
        """Say whether what happened at another time, of the same zone or none, counts."""
        if self.whole_day:
            return other.wall < (self.wall // DAY + 1) * DAY
        return other.time <= self.time

    def is_before(self, clock: Clock) -> nw.Expr:
        """Say which lines are later."""
        if self.whole_day:
            return clock.wall >= (self.wall // DAY + 1) * DAY
        return clock.moment > _microseconds(self.time if clock.zone is None else self.time.tz_convert(None))


def _localized(time: pd.Timestamp, zone: str | dt.tzinfo) -> pd.Timestamp:
    # an hour that the clocks skip begins with the next one; of an hour that comes twice the later one counts
    return time.tz_localize(zone, nonexistent="shift_forward", ambiguous=False)


def _microseconds(naive: pd.Timestamp) -> int:
    return int((naive.as_unit("us") - pd.Timestamp(0).as_unit("us")) // pd.Timedelta(1, unit="us"))


def in_zone_of(as_of: Any, clock: Clock) -> Clock:
    """Give timestamps the zone of ``as_of`` where none of them can be read: text has then shown none."""
    time = read_time(as_of)
    zone = None if time is None else time.tzinfo
    if zone is None or clock.zone is not None:
        return clock
    readable = collect(clock.frame.select(clock.readable.cast(nw.Int64).sum().alias("rows")))["rows"].item()
    return replace(clock, zone=zone) if pd.isna(readable) or not readable else clock
