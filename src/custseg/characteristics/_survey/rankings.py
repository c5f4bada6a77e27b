"""Rankings of options, complete or partial: read, checked, and turned into ranks for every option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from custseg._core.arrays import Bools, Floats
from custseg._core.asking import asked
from custseg.characteristics._profiles.columns import Texts, option_key
from custseg.exceptions import InvalidTableError, list_names, suggest

ABOVE, TIED = ">", "="


@dataclass(frozen=True)
class Ranks:
    """The rank of every option for every customer, 1 the best.

    Attributes
    ----------
    ranks : ndarray of shape (n_customers, n_options)
        Each row sums to m (m + 1) / 2; NaN where a customer ranked nothing.
    n_partial : int
        Customers who ranked some options, not all.
    n_gaps : int
        Customers whose ranks leave one out, such as 1 and 3.
    n_tied : int
        Customers with two options of one rank.
    """

    ranks: Floats
    n_partial: int
    n_gaps: int
    n_tied: int


def complete_ranks(given: Floats, names: Sequence[str], *, ties: str) -> Ranks:
    """Check ranks as given (NaN for an option not ranked) and give the options left the mean of the ranks left.

    Parameters
    ----------
    given : ndarray of shape (n_customers, n_options)
        The ranks.
    names : sequence of str
        The columns that they came from.
    ties : {"raise", "mean"}
        Whether two options may have one rank.

    Returns
    -------
    ranks : Ranks
        Complete.
    """
    n_options = given.shape[1]
    _refuse_beyond(given, names, ties)
    ranked = ~np.isnan(given)
    n_ranked = ranked.sum(axis=1)
    # missing ranks sort to the end, so that they never look equal to one another
    in_order = np.sort(given, axis=1)
    tied = (np.diff(in_order, axis=1) == 0).any(axis=1)
    if ties == "mean":
        # unranked options tie for the last places
        ranks = rankdata(np.where(ranked, given, np.inf), axis=1) if len(given) else given.copy()
        gaps = np.zeros(len(given), dtype=bool)
    else:
        _refuse_tied(given, tied, names)
        left = n_options * (n_options + 1) / 2 - np.nansum(given, axis=1)
        share = left / np.maximum(n_options - n_ranked, 1)
        ranks = np.where(ranked, given, share[:, None])
        gaps = (n_ranked > 0) & (np.where(ranked, given, 0).max(axis=1) > n_ranked)
    ranks = np.where((n_ranked > 0)[:, None], ranks, np.nan)
    n_partial = int(((n_ranked > 0) & (n_ranked < n_options)).sum())
    return Ranks(ranks, n_partial, int(gaps.sum()), int(tied.sum()))


def _refuse_beyond(given: Floats, names: Sequence[str], ties: str) -> None:
    n_options = given.shape[1]
    wrong = (given < 1) | (given > n_options)
    if ties == "raise":
        wrong |= ~np.isnan(given) & (given != np.floor(given))
    if not wrong.any():
        return
    columns = np.flatnonzero(wrong.any(axis=0))
    first = given[:, columns[0]][wrong[:, columns[0]]]
    what = "whole number" if ties == "raise" else "number"
    raise InvalidTableError(
        f"{asked()}: column {names[columns[0]]!r} must hold ranks, each a {what} from 1 (best) to {n_options} (the "
        f"number of options), got {first[0]:g}; so in {_rows(wrong.any(axis=1))}, {_columns(names, columns)}. Correct "
        "these ranks, set them to missing where an option was not ranked (0 or 99 in many exports), or add the columns "
        "of the options that lack."
    )


def _refuse_tied(given: Floats, tied: Bools, names: Sequence[str]) -> None:
    if not tied.any():
        return
    row = given[np.flatnonzero(tied)[0]]
    ranks, n_options = np.unique(row[~np.isnan(row)], return_counts=True)
    twice = ranks[n_options > 1][0]
    columns = np.flatnonzero(row == twice)
    raise InvalidTableError(
        f"{asked()}: a rank is given twice in {_rows(tied)}; for example rank {twice:g} in {_columns(names, columns)}. "
        "Correct the ranking, or pass ties='mean' if options of one rank are equally good."
    )


def _rows(wrong: Bools) -> str:
    return f"{int(wrong.sum()):,} row(s)"


def _columns(names: Sequence[str], positions: npt.NDArray[np.intp]) -> str:
    return f"column(s) {list_names([names[position] for position in positions])}"


def parse_order(text: str) -> list[list[str]]:
    """Take "a > b = c" apart: groups of options from the best to the worst; empty places are passed over."""
    groups = ([part for part in group.split(TIED) if part.strip()] for group in text.split(ABOVE))
    return [group for group in groups if group]


def ranks_of_orders(texts: Texts, options: Mapping[str, str], *, column: str) -> Ranks:
    """Turn ordered text into ranks; each distinct text is taken apart once.

    Parameters
    ----------
    texts : Texts
        The answers.
    options : mapping of str to str
        The options: what their spellings share -> the name.
    column : str
        The column, for messages.

    Returns
    -------
    ranks : Ranks
        Complete; options that a text does not name share the last places.
    """
    parsed = [[[option_key(name) for name in group] for group in parse_order(text)] for text in texts.levels]
    _refuse_orders(parsed, texts, options, column)
    place = {key: position for position, key in enumerate(options)}
    given = np.full((len(parsed) + 1, len(options)), np.nan)  # the last row is for those without an answer
    for level, groups in enumerate(parsed):
        for rank, group in enumerate(groups, start=1):
            given[level, [place[key] for key in group]] = rank
    complete = complete_ranks(given, list(options.values()), ties="mean")
    n_named = (~np.isnan(given)).sum(axis=1)[texts.codes]
    tied = np.append(np.array([any(len(group) > 1 for group in groups) for groups in parsed], dtype=bool), False)
    n_partial = int(((n_named > 0) & (n_named < len(options))).sum())
    return Ranks(complete.ranks[texts.codes], n_partial, 0, int(tied[texts.codes].sum()))


def _refuse_orders(parsed: list[list[list[str]]], texts: Texts, options: Mapping[str, str], column: str) -> None:
    unknown: set[str] = set()
    n_unknown, n_twice, example = 0, 0, ""
    for groups, text, n_customers in zip(parsed, texts.levels, texts.counts, strict=True):
        keys = [key for group in groups for key in group]
        new = set(keys) - set(options)
        unknown |= new
        n_unknown += int(n_customers) if new else 0
        if len(set(keys)) < len(keys):
            n_twice, example = n_twice + int(n_customers), example or text
    if unknown:
        known = f"the options are {list_names(options.values(), 20)}.{suggest(min(unknown), options.values())}"
        raise InvalidTableError(
            f"{asked()}: column {column!r} ranks {list_names(sorted(unknown))} in {n_unknown:,} row(s), which is no "
            f"option; {known} Correct the texts, or fit with all options (options=[...])."
        )
    if n_twice:
        raise InvalidTableError(
            f"{asked()}: column {column!r} ranks an option twice in {n_twice:,} row(s), for example {example!r}. "
            "Name each option once."
        )


def centred_scores(ranks: Floats) -> Floats:
    """Turn ranks into scores from -1 (last) to 1 (first) that sum to 0 for every customer."""
    n_options = ranks.shape[1]
    scores: Floats = (n_options + 1 - 2 * ranks) / (n_options - 1)
    return scores
