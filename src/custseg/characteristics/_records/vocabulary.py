"""The leading levels of a text column (a channel, a category): learned once, the rest pooled, new ones counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from custseg._core.frames import collect
from custseg.exceptions import list_names

# what all levels that do not lead are called together
OTHER = "other"
# past so many levels a new one cannot be told from a rare one
_REMEMBERED = 500
_SHOWN = 5


@dataclass(frozen=True)
class Vocabulary:
    """The levels of a column that have a column of their own; the others share one.

    Attributes
    ----------
    column : str
        The column of the table that was read.
    levels : tuple of str
        The leading levels, the most frequent first; of equally frequent ones the first by text. A
        level that is called ``"other"`` never leads, it belongs to the pooled ones.
    known : tuple of str or None
        Every level that was there in ``fit``, sorted; None where there were more than 500, so that a new one
        cannot be told from a rare one.
    pools : bool
        Whether ``fit`` had levels besides the leading ones.

    Examples
    --------
    >>> import narwhals.stable.v2 as nw
    >>> import pandas as pd
    >>> rows = nw.from_native(pd.DataFrame({"channel": ["web", "web", "shop", "app", "fax", None]})).lazy()
    >>> vocabulary = Vocabulary.learn(rows, "channel", 2)
    >>> vocabulary.levels, vocabulary.names
    (('web', 'app'), ('web', 'app', 'other'))
    >>> rows.with_columns(vocabulary.pooled("channel")).collect()["channel"].to_list()[:5]
    ['web', 'web', 'other', 'app', 'other']
    >>> vocabulary.unseen(rows, "channel")
    ''
    """

    column: str
    levels: tuple[str, ...]
    known: tuple[str, ...] | None
    pools: bool

    @classmethod
    def learn(cls, frame: nw.LazyFrame[Any], role: str, n_leading: int, *, column: str | None = None) -> Vocabulary:
        """Find the most frequent levels.

        Parameters
        ----------
        frame : narwhals LazyFrame
            The rows, with the text column ``role``; null where it is missing. At most 501 rows are
            taken out of its engine.
        role : str
            The column of ``frame``.
        n_leading : int
            How many levels lead, at most; 0 pools all.
        column : str, optional
            What the table calls the column, for messages; ``role`` by default.

        Returns
        -------
        vocabulary : Vocabulary
            What was learned.
        """
        counts = _most_frequent(frame.filter(~nw.col(role).is_null()), role, _REMEMBERED + 1)
        found = [level for level, _ in counts]
        levels = tuple(level for level in found if level != OTHER)[:n_leading]
        known = tuple(sorted(found)) if len(found) <= _REMEMBERED else None
        return cls(column or role, levels, known, pools=len(found) > len(levels))

    @property
    def names(self) -> tuple[str, ...]:
        """The leading levels, and ``"other"`` where there are further ones."""
        return (*self.levels, OTHER) if self.pools else self.levels

    def pooled(self, role: str) -> nw.Expr:
        """Return the column ``role`` with ``"other"`` for all levels that do not lead; missing stays missing."""
        kept = nw.col(role).is_null()
        # not every engine knows an empty list
        kept = kept | nw.col(role).is_in(list(self.levels)) if self.levels else kept
        return nw.when(kept).then(nw.col(role)).otherwise(nw.lit(OTHER)).alias(role)

    def is_unseen(self, role: str) -> nw.Expr:
        """Say where the column ``role`` holds a level that was not there in ``fit``."""
        if self.known is None:
            return nw.lit(value=False)
        present = ~nw.col(role).is_null()
        return present & ~nw.col(role).is_in(list(self.known)) if self.known else present

    def unseen(self, frame: nw.LazyFrame[Any], role: str) -> str:
        """Say how many rows hold levels that were not there in ``fit``, and which; empty text where there are none."""
        if self.known is None:
            return ""
        new = frame.filter(self.is_unseen(role))
        n_rows = int(collect(new.select(nw.len().alias("rows")))["rows"].item())
        return self.unseen_remark(n_rows, _most_frequent(new, role, _SHOWN + 1)) if n_rows else ""

    def unseen_remark(self, n_rows: int, levels: Iterable[tuple[str, int]]) -> str:
        """Word the warning for ``n_rows`` rows of new levels."""
        named = [level for level, _ in levels]
        listed = list_names(named[:_SHOWN]) + (" and more" if len(named) > _SHOWN else "")
        share = "they are counted as 'other'" if self.pools else "they are counted in the whole, under no level"
        return (
            f"{n_rows} row(s) hold levels of column {self.column!r} that fit did not see ({listed}); {share}. "
            "Fit again if they are to have columns."
        )


def _most_frequent(frame: nw.LazyFrame[Any], role: str, n_levels: int) -> list[tuple[str, int]]:
    """Return the most frequent levels and their rows; of equally frequent ones the first by text."""
    counts = frame.group_by(role).agg(nw.len().alias("rows"))
    # one direction for both keys, which is all that some engines can sort by
    counts = counts.with_columns((nw.lit(0) - nw.col("rows").cast(nw.Int64)).alias("rank"))
    found = collect(counts.sort("rank", role).head(n_levels))
    pairs = zip(found[role].to_list(), found["rows"].to_list(), strict=True)
    return sorted(((str(level), int(rows)) for level, rows in pairs), key=lambda pair: (-pair[1], pair[0]))
