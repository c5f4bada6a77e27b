"""Columns and figures as a reader would write them: plain text, original units, one ruler for every stage.

What a number is decides how it is written, so that one number looks the same wherever it stands. Counts
and sums of money are written to the unit (:func:`format_total`): they can be added up and checked against
the books. What is measured of customers, such as a mean, a median or an index, has three significant
digits, four from a thousand (:func:`format_number`): more would be noise, and a median written in full can
be one person's figure. Shares are whole percents (:func:`format_share`), effects have a sign and two
decimals (:func:`format_effect`). What is not there is "unknown".
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from custseg._core.visible import visible

UNKNOWN = "unknown"
_MEMBER_SEPARATOR = "__"
_LONGEST = 60
_DIGITS = 3
_MOST_DIGITS = 15
_MOST_DECIMALS = 5


def feature_of(column: str) -> str:
    """Return the column's name without the member of a union that it came from."""
    return column.rpartition(_MEMBER_SEPARATOR)[2] or column


def plain(text: object) -> str:
    """Put text from the data on one line of bearable length, with nothing in it that would steer a terminal."""
    line = visible(" ".join(str(text).split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def humanise(columns: Sequence[str]) -> dict[str, str]:
    """Give each column a readable label, no two of them alike.

    ``behaviour__net_spend`` becomes "net spend". Where two members of a union share a feature the
    member stays in ("shop net spend"), and where even that is ambiguous the column's own name does.
    """
    features = {column: feature_of(column) for column in columns}
    shared = Counter(_spaced(feature) for feature in features.values())
    labels = {
        column: _spaced(feature if shared[_spaced(feature)] == 1 else column) for column, feature in features.items()
    }
    seen = Counter(labels.values())
    return {column: label if label and seen[label] == 1 else visible(column) for column, label in labels.items()}


def _spaced(name: str) -> str:
    return plain(name.replace("_", " "))


def known(value: Any) -> bool:
    """Say whether a number is there: neither None nor NaN nor infinite."""
    try:
        return value is not None and math.isfinite(value)
    except TypeError:
        return False


def round_digits(value: float, digits: int = 4) -> float:
    """Round to significant digits."""
    if value == 0 or not math.isfinite(value):
        return value
    return float(f"{value:.{digits - 1}e}")


def format_total(value: float | None) -> str:
    """Write a count or a sum of money to the unit.

    Examples
    --------
    >>> [format_total(value) for value in (123456, 1234.56, -0.2, None)]
    ['123,456', '1,235', '0', 'unknown']
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    return _infinite(value) if math.isinf(value) else f"{round(float(value)):,}"


def format_number(value: float | None, digits: int = _DIGITS) -> str:
    """Write what was measured with about ``digits`` significant digits, four or more from a thousand.

    Examples
    --------
    >>> [format_number(value) for value in (34.1, 1234.4, 123456.0, 0.012345, -2.0, 1987.0)]
    ['34.1', '1,234', '123,500', '0.0123', '-2', '1,987']
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return _infinite(value)
    if abs(value) >= 1000:
        digits = max(digits, 4)
    value = round_digits(value, digits)
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if not -5 <= exponent < 15:
        return f"{value:.{digits - 1}e}"
    text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_against(value: float | None, limit: float) -> str:
    """Write a number that is judged by a limit, so that it looks below it if it is.

    Examples
    --------
    >>> [format_against(value, 0.75) for value in (0.784, 0.7499, 0.75)]
    ['0.784', '0.7499', '0.75']
    """
    digits, text = _DIGITS, format_number(value)
    while value is not None and value < limit and digits < _MOST_DIGITS and text == format_number(limit):
        digits += 1
        text = format_number(value, digits)
    return text


def format_numbers(first: float, second: float) -> tuple[str, str]:
    """Write two numbers so that they look different if they are."""
    digits = _DIGITS
    while first != second and digits < _MOST_DIGITS and format_number(first, digits) == format_number(second, digits):
        digits += 1
    return format_number(first, digits), format_number(second, digits)


def decimals_of(values: Iterable[float]) -> int:
    """Return how many decimals a column of numbers needs: three significant digits of the largest, or as few as tell.

    Examples
    --------
    >>> decimals_of([3.14159, 41.72]), decimals_of([3.0, 12.0]), decimals_of([1234.5]), decimals_of([0.0214])
    (1, 0, 0, 4)
    """
    numbers = [value for value in values if known(value)]
    largest = max(map(abs, numbers), default=0.0)
    most = 0 if largest == 0 else min(_MOST_DECIMALS, max(0, _DIGITS - 1 - math.floor(math.log10(largest))))
    written = [f"{value:.{most}f}" for value in numbers]
    return max((len(text.rstrip("0").partition(".")[2]) for text in written), default=0) if most else 0


def format_decimals(value: float, decimals: int) -> str:
    """Write a number with so many decimals; from a thousand, or where they would make a 0 of it, by its digits.

    Examples
    --------
    >>> format_decimals(5.0, 1), format_decimals(123456.0, 1), format_decimals(0.004, 1)
    ('5.0', '123,500', '0.004')
    """
    text = f"{value:,.{decimals}f}"
    return text if 0 < abs(value) < 1000 and float(text) else format_number(value)


def format_alike(first: float, second: float, decimals: int) -> tuple[str, str]:
    """Write two numbers with so many decimals, or with as many more as make them look different if they are.

    Examples
    --------
    >>> format_alike(5.0, 17.25, 1), format_alike(5.01, 5.04, 1)
    (('5.0', '17.2'), ('5.01', '5.04'))
    """
    while first != second and decimals < _MOST_DIGITS and len(set(_written(first, second, decimals))) == 1:
        decimals += 1
    written = _written(first, second, decimals)
    return written if first == second or written[0] != written[1] else format_numbers(first, second)


def _written(first: float, second: float, decimals: int) -> tuple[str, str]:
    return format_decimals(first, decimals), format_decimals(second, decimals)


_YEAR = re.compile(r"^year\b|^birth ?year$|(?<!per )(?<!a )(?<!each )(?<!last )(?<!this )\byear$", re.IGNORECASE)


def is_year(label: str, unit: str, values: Iterable[float]) -> bool:
    """Say whether numbers are years, which have no thousands mark: by unit or label, from 1000 to 2999.

    Examples
    --------
    >>> is_year("year of birth", "", [1973.4]), is_year("spend per year", "EUR", [1200.0])
    (True, False)
    """
    named = unit == "year" or (not unit and _YEAR.search(label) is not None)
    return named and all(1000 <= value < 3000 for value in values)


def unit_beside(label: str, unit: str) -> str:
    """Return the unit as it stands behind a number, where the label does not say it already.

    Examples
    --------
    >>> unit_beside("recency", "days"), unit_beside("days since the last order", "days")
    (' days', '')
    >>> unit_beside("basket", "EUR per order"), unit_beside("basket", "currency per order")
    (' EUR per order', ' per order')
    >>> unit_beside("spend per order", "EUR per order"), unit_beside("quality", "points 1 to 6")
    (' EUR', ' points')
    """
    what, per, each = unit.partition(" per ")
    parts = ["points" if what.startswith("points ") else what.replace("currency", "").strip(), f"{per}{each}".strip()]
    told = " ".join(part for part in parts if part and part.casefold() not in label.casefold())
    return "" if unit == "share" or unit.startswith("from ") or not told else f" {plain(told)}"


def _infinite(value: float) -> str:
    return "∞" if value > 0 else "-∞"


def format_effect(effect: float | None) -> str:
    """Write an effect size: its sign and two decimals, so that a column of them aligns.

    Examples
    --------
    >>> [format_effect(effect) for effect in (1.234, -0.5, float("inf"), None)]
    ['+1.23', '-0.50', '+∞', 'unknown']
    """
    if effect is None or math.isnan(effect):
        return UNKNOWN
    sign = "-" if effect < 0 else "+"
    return sign + ("∞" if math.isinf(effect) else f"{abs(effect):.2f}")


def format_lift(lift: float) -> str:
    """Write a lift, "lift 3.2": two digits, for it is the ratio of two estimated shares."""
    return f"lift {format_number(lift, 2)}"


def format_value(value: Any) -> str:
    """Write any value: whole numbers to the unit, other numbers by :func:`format_number`, the rest as text.

    Examples
    --------
    >>> [format_value(value) for value in (123456, 34.129, "35-44", True, None)]
    ['123,456', '34.1', '35-44', 'yes', 'unknown']
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, str):
        return visible(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return visible(value)
    return format_total(number) if number.is_integer() else format_number(number)


def format_share(share: float | None, decimals: int = 0) -> str:
    """Write a share in percent; only what is 0 or everyone is written "0%" or "100%".

    Examples
    --------
    >>> [format_share(share) for share in (0.0, 0.001, 0.314, 0.999, 1.0)]
    ['0%', 'under 1%', '31%', 'over 99%', '100%']
    """
    if share is None or math.isnan(share):
        return UNKNOWN
    percent = f"{100 * share:.{decimals}f}"
    step = 10.0**-decimals
    if float(percent) == 0 and share > 0:
        return f"under {step:g}%"
    if float(percent) == 100 and share < 1:
        return f"over {100 - step:g}%"
    return f"{percent}%"


def format_shares(first: float, second: float) -> tuple[str, str]:
    """Write two shares, with a decimal where they would look alike without."""
    texts = format_share(first), format_share(second)
    return texts if texts[0] != texts[1] or first == second else (format_share(first, 1), format_share(second, 1))


def format_points(first: float, second: float) -> str:
    """Write the difference of two shares in percentage points, such as it is between the shares as written.

    Examples
    --------
    >>> format_points(0.616, 0.194), format_points(0.012, 0.008)
    ('+43 points', '+0.4 points')
    """
    decimals = 0 if f"{100 * first:.0f}" != f"{100 * second:.0f}" else 1
    written = [float(f"{100 * share:.{decimals}f}") for share in (first, second)]
    return f"{written[0] - written[1]:+.{decimals}f} points"
