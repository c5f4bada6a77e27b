"""The answers that a question has: bands of numbers, runs of ordered levels, levels, yes and no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import Column, Kind
from custseg._core.rounding import rounding_of
from custseg.exceptions import ColumnChangeError
from custseg.personas._telling.conditions import readable_cuts

__all__ = ["NO_ANSWER", "Question", "ask"]

NO_ANSWER = -1
# So many bands of a number tell what it has to tell, and so many levels fit on a sheet.
_MOST_BANDS, _MOST_LEVELS = 6, 8
_OTHER = "any other"


@dataclass(frozen=True)
class Question:
    """A column that a customer is asked for.

    Attributes
    ----------
    column : str
        Its name.
    kind : str
        What its values were in ``fit``.
    answers : tuple of str
        The answers, in words.
    cuts : tuple of float
        The upper ends of the bands of a number but the last.
    levels : dict of str to int
        The answer that each level counts as.
    other : int
        The answer that all other levels count as; -1 where these are no answer.
    """

    column: str
    kind: Kind
    answers: tuple[str, ...]
    cuts: tuple[float, ...] = ()
    levels: dict[str, int] | None = None
    other: int = NO_ANSWER

    def codes(self, column: Column) -> Integers:
        """Return the place of each customer's answer; -1 where it is not known."""
        if column.missing.all():
            return np.full(len(column.values), NO_ANSWER)
        is_number = self.levels is None
        if is_number != (column.kind in ("numeric", "binary")):
            raise ColumnChangeError.kind(self.column, "numbers" if is_number else "text or categories", column.kind)
        if self.levels is not None:
            of_level = [self.levels.get(level, self.other) for level in column.categories]
            return np.asarray(np.array([*of_level, NO_ANSWER])[column.values])
        cuts = np.array(self.cuts)
        bands = np.searchsorted(cuts + rounding_of(cuts, column.rounding), np.nan_to_num(column.values))
        return np.where(column.missing, NO_ANSWER, bands)

    def unseen(self, column: Column) -> list[str]:
        """Return the levels in an order that were none of those of ``fit``, one for each row that has one."""
        if self.kind != "ordinal" or column.kind != "ordinal":
            return []
        known = self.levels or {}
        return [
            column.categories[code]
            for code in column.values.tolist()
            if code >= 0 and column.categories[code] not in known
        ]


def ask(column: Column, labels: Integers, least: int) -> Question | None:
    """Return the question that a column makes, with answers that enough customers give; None where it has but one.

    Bands of numbers and runs of levels are those in which the segments differ most, as a classification tree on the
    column alone parts them.
    """
    known = ~column.missing
    if not known.any():
        return None
    if column.kind in ("numeric", "binary"):
        question = _number(column, column.without_rounding().values[known], labels[known], least)
    else:
        counts = np.bincount(column.values[known], minlength=len(column.categories))
        named = np.flatnonzero(counts >= least).tolist()
        if len(named) < 2:
            return None
        if column.kind == "nominal":
            question = _levels(column, counts, named, least)
        else:
            question = _ordered(column, named, labels, least)
    return question if len(question.answers) > 1 else None


def _number(column: Column, values: Floats, labels: Integers, least: int) -> Question:
    possible = np.array(readable_cuts(column, least))
    cuts = tuple(possible[_bands(np.searchsorted(possible, values), labels, least)].tolist())
    if column.kind == "binary":
        yes, no = column.pair or ("yes", "no")
        return Question(column.name, "binary", (no, yes) if cuts else (), cuts)
    whole = bool((values == np.floor(values)).all())
    return Question(column.name, "numeric", _band_words(cuts, whole=whole), cuts)


def _bands(steps: Integers, labels: Integers, least: int) -> list[int]:
    """Return after which steps a band ends."""
    tree = DecisionTreeClassifier(max_leaf_nodes=_MOST_BANDS, min_samples_leaf=least, random_state=0)
    split = tree.fit(steps[:, None].astype(np.float64), labels).tree_
    return sorted(int(np.floor(cut)) for cut in split.threshold[split.feature >= 0])


def _band_words(cuts: Sequence[float], *, whole: bool) -> tuple[str, ...]:
    if not cuts:
        return ()
    texts = [f"{cut:,.15g}" for cut in cuts]
    inner = [
        high if whole and cuts[place + 1] - cuts[place] == 1 else f"over {low} to {high}"
        for place, (low, high) in enumerate(pairwise(texts))
    ]
    return (f"up to {texts[0]}", *inner, f"over {texts[-1]}")


def _levels(column: Column, counts: Integers, named: list[int], least: int) -> Question:
    """Ask for the most frequent levels; all others are one answer if enough customers give it."""
    chosen = sorted(sorted(named, key=lambda level: (-int(counts[level]), level))[:_MOST_LEVELS])
    levels = {column.categories[level]: place for place, level in enumerate(chosen)}
    has_other = counts.sum() - counts[chosen].sum() >= least
    answers = (*levels, _OTHER) if has_other else tuple(levels)
    return Question(column.name, "nominal", answers, levels=levels, other=len(chosen) if has_other else NO_ANSWER)


def _ordered(column: Column, named: list[int], labels: Integers, least: int) -> Question:
    """Ask for runs of levels; a level that few have counts as the one below it that enough have."""
    places = np.maximum(np.searchsorted(named, np.arange(len(column.categories)), side="right") - 1, 0)
    known = ~column.missing
    ends = _bands(places[column.values[known]], labels[known], least)
    run_of = np.searchsorted(ends, places)
    levels = {level: int(run) for level, run in zip(column.categories, run_of, strict=True)}
    starts = [0, *(end + 1 for end in ends)]
    words = [
        column.categories[named[first]] + (f" to {column.categories[named[last]]}" if last > first else "")
        for first, last in zip(starts, [*ends, len(named) - 1], strict=True)
    ]
    return Question(column.name, "ordinal", tuple(words), levels=levels)
