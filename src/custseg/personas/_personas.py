"""The personas of a segmentation, as the stages after it take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.base import clone

from custseg._core.asking import asks
from custseg._core.customer_rows import without_customers
from custseg._core.disclosure import described, enter
from custseg._core.params import NONE, Instance, check
from custseg._core.results import Result
from custseg.personas._card.carried import carried_names
from custseg.personas._describer import PersonaDescriber
from custseg.personas._segment_profile.profile import SegmentProfile, profile_segments
from custseg.personas._traits import Persona
from custseg.segmentation import Segmentation

__all__ = ["Personas", "describe_segments"]

_PARAMETERS = {
    "segmentation": (Instance(Segmentation, words="a Segmentation; Segmentation.of(X, labels) makes one"),),
    "describer": (NONE, Instance(PersonaDescriber, words="a PersonaDescriber")),
    "beside": (NONE, Instance(Segmentation, words="a Segmentation")),
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Personas(Result):
    """Who is in each segment.

    Attributes
    ----------
    segmentation : Segmentation
        The segments, bearing the names of their personas.
    describer : PersonaDescriber
        Fitted: it writes the personas as text, Markdown, JSON and HTML.
    described : Segmentation
        The same segments with those customers alone of whom figures may tell; everyone else is in no segment, and of
        whom the value may not be told it is missing.
    segment_table : pandas.DataFrame
        Size and value of each segment, as :meth:`Segmentation.to_frame` gives them; missing where they may not be told.
    compared : SegmentProfile or None
        What :meth:`compare` returns, where that is not made of ``described``: of personas without their customers.
    """

    segmentation: Segmentation
    describer: PersonaDescriber
    described: Segmentation
    segment_table: pd.DataFrame
    compared: SegmentProfile | None = None

    @property
    def personas(self) -> list[Persona]:
        """One for each segment; position = label."""
        return self.describer.personas_

    @property
    def column_labels(self) -> dict[str, str]:
        """What each column is called in texts."""
        return self.describer.column_labels_

    @property
    def profile(self) -> pd.DataFrame:
        """Every characteristic of every segment against everyone else, see :class:`PersonaDescriber`."""
        return self.describer.profile_

    def compare(self) -> SegmentProfile | None:
        """Return every characteristic of every segment of which may be told beside everyone.

        Returns
        -------
        SegmentProfile or None
            As :func:`profile_segments` makes it of ``described``; None where of no segment may be told.
        """
        if self.compared is not None or not self.described.sizes.any():
            return self.compared
        return profile_segments(self.described, min_group_size=self.describer.min_group_size)

    def _without_customers(self, n_customers: int) -> Personas:
        held = ("segmentation", "described", "describer")
        bare = {name: without_customers(getattr(self, name), n_customers) for name in held}
        return replace(self, **bare, compared=self.compare())

    def to_frame(self) -> pd.DataFrame:
        """Return one row per persona, as :meth:`PersonaDescriber.to_frame` does."""
        return self.describer.to_frame()

    def __str__(self) -> str:
        return f"{len(self.personas)} persona(s): {'; '.join(persona.name for persona in self.personas)}."


@asks
def describe_segments(
    segmentation: Segmentation,
    describer: PersonaDescriber | None = None,
    *,
    beside: Segmentation | None = None,
    names_from: Personas | None = None,
) -> Personas:
    """Describe each segment as a persona.

    Parameters
    ----------
    segmentation : Segmentation
        Customers in segments, from any source.
    describer : PersonaDescriber or None, default=None
        Cloned and fitted; None stands for ``PersonaDescriber()``.
    beside : Segmentation or None, default=None
        Other segments of the same customers whose figures are handed on beside these. Whom they hide, for being too few
        or for one who dominates, is in no figure here either, and no share is told here that they hide of a segment:
        what is left between the two would tell of them.
    names_from : Personas or None, default=None
        Personas of before, such as those of last month. A segment that clearly is one of theirs keeps its name: of the
        customers who are in the one or the other, more than half are in both. Customers are found again by their ids
        where half of them were there before; else the segmenter of before says where these customers would have been.
        All other segments are named anew, and no name is given twice. Segments that have names, such as those of
        rules, keep these; ``names`` of the describer stand above all.

    Returns
    -------
    Personas
        A persona for each segment, and the segmentation under their names.

    Raises
    ------
    InvalidParameterError
        If there is no segmentation, or the describer is none; if ``names_from`` tells of other customers and no
        segmenter made its segments.
    SegmentLabelError
        If nobody is in a segment.
    InvalidTableError
        If there is nothing to describe the customers by.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.personas import describe_segments
    >>> from custseg.segmentation import Segmentation
    >>> customers = pd.DataFrame({"recency": [3, 5, 4, 6] * 5 + [80, 95, 90, 85] * 5})
    >>> personas = describe_segments(Segmentation.of(customers, [0] * 20 + [1] * 20))
    >>> print(personas)
    2 persona(s): Recent; Lapsed.
    """
    given = {"segmentation": segmentation, "describer": describer, "beside": beside, "names_from": names_from}
    check(_PARAMETERS | {"names_from": (NONE, Instance(Personas, words="the Personas of before"))}, given)
    fitted = PersonaDescriber() if describer is None else clone(describer)
    least = fitted.min_group_size
    hidden = None if beside is None else described(beside.labels, beside.n_segments, least, beside.customer_table)
    carried = None if names_from is None else carried_names(segmentation, names_from.segmentation)
    told = fitted._fit(segmentation, beside=hidden, carried=carried)  # noqa: SLF001 - `fit`, and of whom it tells
    named = fitted._telling(segmentation)  # noqa: SLF001
    value = named.value
    if value is not None:
        known = ~np.isnan(value)
        if beside is not None and hidden is not None:
            known = enter(known, hidden, beside.n_segments, least, value)
        value = np.where(enter(known, told, named.n_segments, least, value), value, np.nan)
    shown = replace(named, labels=told, value=value)
    table = _told(shown, fitted.personas_)
    return Personas(segmentation=named, describer=fitted, described=shown, segment_table=table)


def _told(described: Segmentation, personas: Sequence[Persona]) -> pd.DataFrame:
    table = described.to_frame()
    suppressed = np.array([persona.suppressed for persona in personas])
    if suppressed.any():
        table["n_customers"] = table["n_customers"].astype("Int64").mask(suppressed)
        table["share"] = table["share"].mask(suppressed)
    if described.value is not None:
        known = described.labels[(described.labels >= 0) & ~np.isnan(described.value)]
        empty = (described.sizes == 0) & ~suppressed
        told = (np.bincount(known, minlength=len(table)) > 0) | empty
        for name in ("value", "value_share"):
            table[name] = table[name].where(told)
    return table
