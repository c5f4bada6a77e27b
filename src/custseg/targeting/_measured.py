"""The facts of each segment as they were measured, with their figures in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.coverage import KNOWN_OF_HALF, known_of
from custseg._core.disclosure import enter
from custseg._core.words import feature_of, format_number, format_numbers, format_share, format_shares, round_digits
from custseg.personas import Personas, outcomes_by_segment
from custseg.targeting._facts import LEAVING, OUTCOME, SegmentFacts, deviations, times_average

__all__ = ["measure"]

# An effect is there where chance alone rarely gives one like it, as with the traits of a persona.
_FALSE_DISCOVERY_RATE = 0.05
# What an outcome of yes and no is called where yes is to leave, and where it is to stay.
_LEAVE = {"attrition", "cancelled", "canceled", "churn", "churned", "lapsed", "leave", "leaves", "left", "terminated"}
_STAY = {"retained", "retention", "renewal", "renewed", "renews", "stay", "stayed", "stays"}

# Means that agree to so many digits are equal.
_SAME_MEAN = 9

Told = dict[str, Any]


def measure(personas: Personas, columns: Mapping[str, str], outcomes: Sequence[str]) -> list[SegmentFacts]:
    """Return the facts of each segment.

    Parameters
    ----------
    personas : Personas
        Who is in each segment.
    columns : mapping of str to str
        Role to the column that bears it.
    outcomes : sequence of str
        What is wanted or feared. The first calls for actions, all are told.

    Returns
    -------
    list of SegmentFacts
        Position = label.
    """
    segments = personas.described.to_frame().to_dict("records")
    effects: list[dict[str, float]] = [{} for _ in segments]
    figures: list[dict[str, str]] = [{} for _ in segments]
    for role, column in columns.items():
        _role(personas, role, column, effects, figures)
    if outcomes:
        _outcome(personas, outcomes, effects, figures)
    shares = _value(personas, figures)
    return [
        SegmentFacts(name=row["name"], share=row["share"], value_share=value, effects=own, figures=told)
        for row, value, own, told in zip(segments, shares, effects, figures, strict=True)
    ]


def _rows_of(profile: pd.DataFrame, column: str) -> list[dict[Any, Any]]:
    """Return the comparisons of a column that rest on enough customers."""
    return profile[(profile["characteristic"] == column) & profile["effect_size"].notna()].to_dict("records")


def _role(personas: Personas, role: str, column: str, effects: list[Told], figures: list[Told]) -> None:
    label = personas.column_labels[column]
    profile = personas.profile
    compared = (profile["kind"] == "numeric") & profile["segment_value"].notna() & profile["rest_value"].notna()
    rows = profile[(profile["characteristic"] == column) & compared].to_dict("records")
    means = _means(personas, column, [row["segment"] for row in rows])
    # of a constant the effect is not defined, but known: there is no difference
    found = [
        0.0 if np.isnan(row["effect_size"]) or mean[0] == mean[1] else row["effect_size"]
        for row, mean in zip(rows, means, strict=True)
    ]
    shown = _in_order(found, [here for here, _ in means])
    for row, own, effect, mean in zip(rows, found, shown, means, strict=True):
        segment, here, elsewhere = row["segment"], 1 - row["missing_share"], 1 - row["missing_share_rest"]
        if min(here, elsewhere) < KNOWN_OF_HALF:
            shares = format_shares(here, elsewhere)
            figures[segment][role] = f"{label}: known of {shares[0]} here and of {shares[1]} elsewhere"
            continue
        effects[segment][role] = effect
        written = format_numbers(*mean)
        note = known_of(here, elsewhere)
        far = f" ({deviations(own, 'more', 'less')})" if own else ""
        figures[segment][role] = f"{label}: {written[0]} on average, against {written[1]} elsewhere{far}{_after(note)}"


def _after(note: str) -> str:
    return f", {note}" if note else ""


def _means(personas: Personas, column: str, segments: Sequence[int]) -> list[tuple[float, float]]:
    """Return the mean of each segment and of those it was compared with: a median would not bear out the effect."""
    segmentation, least = personas.described, personas.describer.min_group_size
    values = np.asarray(segmentation.customer_table[column].values, dtype=np.float64)
    n_segments = segmentation.n_segments
    compared = enter(~np.isnan(values), segmentation.labels, n_segments, least, values)
    values, labels = values[compared], segmentation.labels[compared]
    counts, sums = np.bincount(labels, minlength=n_segments), np.bincount(labels, values, n_segments)
    # what differs by the rounding of a sum alone is the same
    return [
        (
            round_digits(float(sums[each] / counts[each]), _SAME_MEAN),
            round_digits(float((sums.sum() - sums[each]) / (counts.sum() - counts[each])), _SAME_MEAN),
        )
        for each in segments
    ]


def _in_order(effects: Sequence[float], means: Sequence[float]) -> list[float]:
    """Let whoever has more of it than one who stands out stand out too.

    An effect is against everyone else, whom a large segment shifts the more: a smaller one with a higher mean can have
    the smaller effect, and would be told the lesser thing of the two.
    """
    found = np.array(effects, dtype=np.float64)
    for sign in (1.0, -1.0):
        order = np.argsort(sign * np.array(means), kind="stable")
        reached = np.maximum.accumulate(np.maximum(sign * found[order], 0.0))
        own = sign * found[order]
        found[order] = sign * np.where(own > 0, reached, own)
    return [float(effect) for effect in found]


def _value(personas: Personas, figures: list[Told]) -> list[float | None]:
    """Return the share of value of each segment, over those whose value is known; None where that is too few."""
    segmentation, table = personas.described, personas.segment_table
    told = zip(personas.personas, table["value_share"], table["share"], strict=True)
    value, inside = segmentation.value, segmentation.labels >= 0
    if value is None or np.isnan(value[inside]).all():
        return [None] * len(table)
    if np.nansum(value[inside]) <= 0:
        # of no gain, or of a loss, there are no shares
        for persona in personas.personas:
            if not persona.suppressed:
                figures[persona.segment]["value_index"] = "value: that of all customers is not above 0 together"
        return [None] * len(table)
    known = _known_value(segmentation.labels, value, len(table))
    found: list[float | None] = []
    for persona, value_share, share in told:
        index, here, everyone = known[persona.segment]
        few = min(here, everyone) < KNOWN_OF_HALF
        if few and not persona.suppressed:
            words = f"known of {format_share(here)} here" if here else "not known, or not to be told"
            figures[persona.segment]["value_index"] = f"value: {words}"
        elif note := known_of(here):
            figures[persona.segment]["value_index"] = f"{times_average(index)}, {note}"
        found.append(
            None if few or persona.suppressed else float(value_share) if here == 1 == everyone else index * share
        )
    return found


def _known_value(labels: Any, value: Floats, n_segments: int) -> list[tuple[float, float, float]]:
    """Return for each segment its mean value over that of all, of how many it is known, and of how many of all."""
    inside = labels >= 0
    known = inside & ~np.isnan(value)
    overall, everyone = value[known].mean(), known.sum() / inside.sum()
    found = []
    for segment in range(n_segments):
        own = labels == segment
        mean = value[own & known].mean() if (own & known).any() else np.nan
        found.append((float(mean / overall), float((own & known).sum() / max(1, own.sum())), float(everyone)))
    return found


def _outcome(personas: Personas, outcomes: Sequence[str], effects: list[Told], figures: list[Told]) -> None:
    least = personas.describer.min_group_size
    table = outcomes_by_segment(personas.described, outcomes, min_group_size=least)
    told = table[table["value"].notna()]
    # of categories the level that differs most
    apart = (told["value"] - told["value_overall"]).abs()
    strongest = told.loc[apart.groupby([told["segment"], told["outcome"]], sort=False).idxmax()]
    sizes, cited = personas.described.sizes, {}
    for row in strongest.to_dict("records"):
        segment, outcome = row["segment"], row["outcome"]
        if outcome == outcomes[0]:
            cited[segment] = row["level"]
        words = _outcome_words(row, personas.column_labels[outcome], row["n_known"] / sizes[segment])
        figures[segment][OUTCOME] = "; ".join([*filter(None, [figures[segment].get(OUTCOME)]), words])
    direction = _direction(personas, outcomes[0])
    for row in _rows_of(personas.profile, outcomes[0]):
        known = min(1 - row["missing_share"], 1 - row["missing_share_rest"])
        is_it = row["kind"] in ("numeric", "binary") or row["level"] == cited.get(row["segment"])
        if is_it and row["kind"] != "ordinal" and known >= KNOWN_OF_HALF:
            effect = row["effect_size"] if row["p_adjusted"] <= _FALSE_DISCOVERY_RATE else 0.0
            effects[row["segment"]] |= {OUTCOME: effect} | ({LEAVING: direction * effect} if direction else {})


def _outcome_words(row: Mapping[Any, Any], label: str, known: float) -> str:
    # beside the levels of another outcome, none is NaN
    what = f"{label} {row['level']}" if isinstance(row["level"], str) else label
    write = format_share if row["statistic"] == "share" else format_number
    here, low, high, overall = (write(row[name]) for name in ("value", "low", "high", "value_overall"))
    average = "" if row["statistic"] == "share" else " on average"
    return f"{what}: {here}{average} here (95% interval {low} to {high}), {overall} of all" + _after(known_of(known))


def _direction(personas: Personas, outcome: str) -> int:
    """Return 1 where yes is to leave, -1 where it is to stay, 0 where its name does not say."""
    column = personas.segmentation.customer_table[outcome]
    values = np.asarray(column.values)[~column.missing]
    if column.categories or not np.isin(values, (0, 1)).all():
        return 0
    words = _words(feature_of(outcome)) | _words(personas.column_labels[outcome])
    if words & {"not", "no"} or bool(words & _LEAVE) == bool(words & _STAY):
        return 0
    return 1 if words & _LEAVE else -1


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()))
