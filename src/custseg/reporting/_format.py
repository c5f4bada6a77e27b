"""Numbers as readers write them: 1,234 and 34.1 and 12.3%."""

from __future__ import annotations

import math
from typing import Any

UNKNOWN = "n/a"


def known(value: Any) -> bool:
    """Say whether a number is there: neither None nor NaN nor infinite."""
    try:
        return value is not None and math.isfinite(value)
    except TypeError:
        return False


def number(value: Any) -> str:
    """Write a number with as many decimals as its size deserves.

    Parameters
    ----------
    value : number or None
        None, NaN and infinite values are written "n/a".

    Returns
    -------
    str
        Whole numbers and numbers of 1,000 and more without decimals, numbers of 10 and more with
        one, smaller ones with two; below .01 two significant digits are kept.

    Examples
    --------
    >>> [number(value) for value in (1234.4, 34.12, 3.14159, 0.00123, 7.0, float("nan"))]
    ['1,234', '34.1', '3.14', '0.0012', '7', 'n/a']
    """
    if not known(value):
        return UNKNOWN
    value = float(value)
    size = abs(value)
    if value == round(value) or size >= 1000:
        # adding 0 turns -0.0 into 0.0
        return f"{value + 0.0:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.01 else f"{value:.2g}"


def percent(share: Any) -> str:
    """Write a share as a percentage with one decimal.

    Examples
    --------
    >>> percent(0.1234), percent(1), percent(None)
    ('12.3%', '100.0%', 'n/a')
    """
    return f"{100 * float(share):,.1f}%" if known(share) else UNKNOWN


def amount(value: Any) -> str:
    """Write a sum of money in whole units.

    Examples
    --------
    >>> amount(1234.56), amount(None)
    ('1,235', 'n/a')
    """
    return number(round(float(value))) if known(value) else UNKNOWN


def signed(value: Any) -> str:
    """Write an effect size: its sign and two decimals.

    Examples
    --------
    >>> signed(1.234), signed(-0.5), signed(float("inf")), signed(None)
    ('+1.23', '-0.50', '+∞', 'n/a')
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    sign = "-" if value < 0 else "+"
    return sign + ("∞" if math.isinf(value) else f"{abs(value):.2f}")


def value_text(value: Any) -> str:
    """Write any value of a profile: numbers by :func:`number`, everything else as text.

    Examples
    --------
    >>> value_text(1234.0), value_text("35-44"), value_text(True), value_text(None)
    ('1,234', '35-44', 'yes', 'n/a')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    try:
        return number(float(value))
    except (TypeError, ValueError):
        return str(value)
