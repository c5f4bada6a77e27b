"""The personas of a segmentation, as the stages after it take them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
from sklearn.base import clone

from custseg._core.asking import asks
from custseg._core.customer_rows import without_customers
from custseg._core.params import NONE, Instance, check
from custseg._core.results import Result
from custseg.personas._describer import PersonaDescriber
from custseg.personas._traits import Persona
from custseg.segmentation import Segmentation

__all__ = ["Personas", "describe_segments"]

_PARAMETERS = {
    "segmentation": (Instance(Segmentation, words="a Segmentation; Segmentation.of(X, labels) makes one"),),
    "describer": (NONE, Instance(PersonaDescriber, words="a PersonaDescriber")),
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
    """

    segmentation: Segmentation
    describer: PersonaDescriber

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

    def _without_customers(self, n_customers: int) -> Personas:
        segmentation = without_customers(self.segmentation, n_customers)
        return replace(self, segmentation=segmentation, describer=without_customers(self.describer, n_customers))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per persona, as :meth:`PersonaDescriber.to_frame` does."""
        return self.describer.to_frame()

    def __str__(self) -> str:
        return f"{len(self.personas)} persona(s): {'; '.join(persona.name for persona in self.personas)}."


@asks
def describe_segments(segmentation: Segmentation, describer: PersonaDescriber | None = None) -> Personas:
    """Describe each segment as a persona.

    Parameters
    ----------
    segmentation : Segmentation
        Customers in segments, from any source.
    describer : PersonaDescriber or None, default=None
        Cloned and fitted; None stands for ``PersonaDescriber()``.

    Returns
    -------
    Personas
        A persona for each segment, and the segmentation under their names.

    Raises
    ------
    InvalidParameterError
        If there is no segmentation, or the describer is none.
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
    check(_PARAMETERS, {"segmentation": segmentation, "describer": describer})
    fitted = (PersonaDescriber() if describer is None else clone(describer)).fit(segmentation)
    return Personas(segmentation=segmentation.named(fitted.segment_names_), describer=fitted)
