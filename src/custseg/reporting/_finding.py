"""The title of a report: what was found, in one line."""

from __future__ import annotations

import pandas as pd

from custseg._core.words import format_share
from custseg.reporting._study import FittedStudy

__all__ = ["finding"]

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_KINDS = {
    "natural": "{} real {}",
    "reproducible": "{} {} that come back",
    "constructive": "{} {}, no more than a cut",
    "defined": "{} {} defined by rule",
}
# from here on customers and value differ enough to be a finding
_LEAST_GAP = 0.05


def finding(study: FittedStudy) -> str:
    """Say in one line what was found: how many segments of what kind, and who brings how much of the value.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.

    Returns
    -------
    str
        The line, which is the title of a report unless another is given. Those who bring the value are the segments
        whose customers are worth more than the average; of value nothing is said where it is not known, may not be
        told, or is spread nearly as the customers are.

    See Also
    --------
    write_report : The report.

    Examples
    --------
    >>> from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer
    >>> from custseg.datasets import make_customers
    >>> from custseg.reporting import finding
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("pricing", n_segments=3, value="income"),
    ...     characteristics=DemographicEncoder(columns=["age", "income"]),
    ...     clusterer=SegmentClusterer(max_segments=3, n_init=2, random_state=0),
    ...     n_pairs=2,
    ... ).fit(make_customers(60, random_state=0).profile)
    >>> finding(study)
    'Three segments, no more than a cut: 65% of the customers bring 84% of the value'
    """
    n_segments, evidence = study.plan_.segmentation.n_segments, study.evidence_
    word = evidence.verdict.word
    if n_segments == 1 and word != "defined":
        continuum = evidence.selection is not None and evidence.selection.structured is False
        return "No segments: one continuum of customers" if continuum else "All customers in one segment"
    number = _NUMBERS[n_segments] if n_segments < len(_NUMBERS) else f"{n_segments:,}"
    found = _KINDS[word].format(number.capitalize(), "segment" if n_segments == 1 else "segments")
    whose = "customers in them" if study.plan_.segmentation.n_not_assigned else "customers"
    return found + _value(study.plan_.personas.segment_table, whose)


def _value(table: pd.DataFrame, whose: str) -> str:
    """Say how much of the value the segments above the average bring."""
    shares = table[["share", "value_share"]].astype(float).dropna()
    above = shares[shares["value_share"] > shares["share"]].sum()
    # what others lost is more than all of the value
    if not above["share"] + _LEAST_GAP <= above["value_share"] <= 1:
        return ""
    return f": {format_share(above['share'])} of the {whose} bring {format_share(above['value_share'])} of the value"
