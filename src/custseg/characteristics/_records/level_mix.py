"""How a customer's rows divide over the leading levels of a column: counts in, shares and the leader out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Integers
from custseg._core.customers import Column
from custseg.characteristics._records.ratio import ratio
from custseg.characteristics._records.vocabulary import Vocabulary


def share_names(role: str, levels: Iterable[str]) -> tuple[str, ...]:
    """Name the shares of levels: what is measured, what the levels are, and which one it is.

    Examples
    --------
    >>> share_names("channel", ["web", "other"])
    ('share_channel_web', 'share_channel_other')
    """
    return tuple(f"share_{role}_{level}" for level in levels)


@dataclass(frozen=True)
class LevelMix:
    """The leading levels of a column as whole numbers that every engine can count.

    A leading level has its position in the vocabulary, every other level the next number, a missing
    one -1.

    Attributes
    ----------
    vocabulary : Vocabulary
        The leading levels.

    Examples
    --------
    >>> import numpy as np
    >>> mix = LevelMix(Vocabulary("channel", ("web", "app"), frozenset(["web", "app", "fax"]), pools=True))
    >>> counts = np.array([[1, 2, 1], [2, 2, 0], [0, 0, 0]])
    >>> mix.shares(counts, counts.sum(axis=1), "channel")[0].values
    array([0.25, 0.5 ,  nan])
    >>> mix.leader(counts, "leading").values
    array([ 1,  0, -1])
    """

    vocabulary: Vocabulary

    @property
    def n_codes(self) -> int:
        """Number of codes, the one for all other levels included."""
        return len(self.vocabulary.levels) + 1

    def code(self, role: str) -> nw.Expr:
        """Return the code of each row of the text column ``role``."""
        column = nw.col(role)
        found = nw.when(column.is_null()).then(nw.lit(-1)).otherwise(nw.lit(self.n_codes - 1))
        for code, level in enumerate(self.vocabulary.levels):
            # comparison with a missing text is not true on any engine
            found = nw.when(column == level).then(nw.lit(code)).otherwise(found)
        return found.cast(nw.Int64)

    def shares(self, counts: Integers, total: Integers, role: str) -> list[Column]:
        """Return one column for each level that has a name: its share in the total, NaN where that is 0.

        Parameters
        ----------
        counts : ndarray of shape (n_customers, n_codes)
            Rows of each code.
        total : ndarray of shape (n_customers,)
            Rows with a known level.
        role : str
            What the levels are, for the names of the columns (``share_names``).

        Returns
        -------
        columns : list of Column
            Numeric, in the order of ``vocabulary.names``.
        """
        return [
            Column(name, "numeric", ratio(counts[:, code], total))
            for code, name in enumerate(share_names(role, self.vocabulary.names))
        ]

    def leader(self, counts: Integers, name: str) -> Column:
        """Return the most frequent level of each customer.

        Of equally frequent levels the one that came first in ``fit`` leads. It is missing where there
        is no row, and where the leader is a level that ``fit`` did not see and has no name for.
        """
        leader = counts.argmax(axis=1) if len(counts) else np.empty(0, dtype=np.int64)
        names = self.vocabulary.names
        codes = np.where((counts.sum(axis=1) > 0) & (leader < len(names)), leader, -1)
        return Column(name, "nominal", codes.astype(np.int64), names)
