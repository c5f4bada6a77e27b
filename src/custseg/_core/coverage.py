"""Of how many customers a figure is known: what is known of few must not stand as if it were known of all."""

from __future__ import annotations

from custseg._core.words import format_share

__all__ = ["KNOWN_OF_HALF", "KNOWN_OF_MOST", "known_of"]

KNOWN_OF_MOST = 0.8
"""A figure that is known of less says so."""
KNOWN_OF_HALF = 0.5
"""A figure that is known of less names no segment, is typical of none, and calls for no action."""


def known_of(here: float, elsewhere: float = 1.0) -> str:
    """Say of how many a figure is known, where that is too few to be passed over; else nothing.

    Examples
    --------
    >>> known_of(0.17), known_of(0.17, 0.62), known_of(0.9)
    ('of the 17% of whom it is known', 'of the 17% here and 62% elsewhere of whom it is known', '')
    """
    if min(here, elsewhere) >= KNOWN_OF_MOST:
        return ""
    if elsewhere >= KNOWN_OF_MOST:
        return f"of the {format_share(here)} of whom it is known"
    shares = format_share(here), format_share(elsewhere)
    if shares[0] == shares[1]:
        return f"of the {shares[0]} of whom it is known"
    return f"of the {shares[0]} here and {shares[1]} elsewhere of whom it is known"
