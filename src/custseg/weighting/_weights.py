"""The weights of characteristics: what a survey or a discussion decided, and how surely."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from custseg._core.asking import asking, asks_as_class
from custseg._core.params import Number, check, check_weights
from custseg._core.results import Result, short_repr
from custseg._core.words import format_number
from custseg.exceptions import InvalidParameterError
from custseg.weighting._intervals import INTERVAL_PARAMETERS

__all__ = ["CharacteristicWeights"]


class _ReadOnly(dict[str, Any]):
    """A dictionary that cannot be changed, and stays one in copies and pickles."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError("weights cannot be changed; make others from them: weights | {...}")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> Any:
        return type(self), (dict(self),)


@dataclass(frozen=True, eq=False, repr=False)
class CharacteristicWeights(Result, Mapping[str, float]):
    """How strongly each characteristic counts, and how sure that is.

    It is a mapping of names to weights, and goes wherever one does:
    ``SegmentClusterer(weights=...)``, ``CharacteristicEmbedder(weights=...)``, ``dict(...)``.

    Parameters
    ----------
    weights : mapping of str to float
        The weight of each characteristic or group of characteristics, at least 0 and not all 0. The
        functions of this stage return weights that sum to 1.
    method : str, default="stated"
        Where they come from.
    consistency : mapping of str to float, optional
        Figures that say how far the judgements go together; which ones depends on the method.
    intervals : mapping of str to (float, float), optional
        The interval of each weight; names without one are not known that well.
    confidence_level : float, default=0.95
        The confidence level of the intervals.
    warnings : tuple of str, default=()
        What was found wanting in the judgements, in sentences. The same was warned of.
    figures : DataFrame, optional
        Further figures of the method, one row per characteristic in the order of ``weights``.

    Attributes
    ----------
    weights, method, consistency, intervals, confidence_level, warnings, figures
        As the parameters.

    Raises
    ------
    InvalidParameterError
        If a weight is negative, infinite or missing, all are 0, ``confidence_level`` is not between 0 and 1, or an
        interval is of no characteristic, not in order or, of stated weights, not around its weight.

    See Also
    --------
    custseg.validation.weight_sensitivity : Does it matter for the segments?

    Notes
    -----
    Two of them are equal where their weights are. A clusterer gives a characteristic that is not
    named weight 1, as much as all that are named here together where these sum to 1;
    ``CharacteristicEmbedder`` warns of it. Name all, or use :meth:`scaled`. ``weights | {"age": 0}``
    names one more, or puts another weight in place, and keeps the intervals of the others.

    Examples
    --------
    >>> from custseg.weighting import CharacteristicWeights
    >>> weights = CharacteristicWeights({"spend": 0.75, "region": 0.25})
    >>> weights["spend"], len(weights), dict(weights)
    (0.75, 2, {'spend': 0.75, 'region': 0.25})
    >>> weights | {"age": 0.0}
    CharacteristicWeights(stated: spend 0.75, region 0.25, age 0)
    """

    weights: Mapping[str, float]
    _: KW_ONLY
    method: str = "stated"
    consistency: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    confidence_level: float = 0.95
    warnings: tuple[str, ...] = ()
    figures: pd.DataFrame | None = None

    @asks_as_class
    def __post_init__(self) -> None:
        check_weights(self.weights)
        weights = {name: float(weight) for name, weight in self.weights.items()}
        for name, interval in self.intervals.items():
            if name not in weights:
                raise InvalidParameterError.unknown_name("name in intervals", name, weights)
            if not _is_interval(interval):
                words = "two finite numbers >= 0, the lower one first"
                raise InvalidParameterError.not_allowed(f"intervals[{name!r}]", words, interval)
            # of few respondents the bootstrap may give an interval beside the weight
            if self.method == "stated" and not interval[0] <= weights[name] <= interval[1]:
                words = f"around the weight, which is {weights[name]:g}"
                raise InvalidParameterError.not_allowed(f"intervals[{name!r}]", words, interval)
        check(
            {"confidence_level": INTERVAL_PARAMETERS["confidence_level"]},
            {"confidence_level": self.confidence_level},
        )
        if self.figures is not None and len(self.figures) != len(weights):
            words = f"a DataFrame with {len(weights)} rows, one for each weight"
            raise InvalidParameterError.not_allowed("figures", words, len(self.figures))
        # copies, so that nobody else holds what is frozen here
        object.__setattr__(self, "weights", _ReadOnly(weights))
        object.__setattr__(self, "consistency", _ReadOnly(self.consistency))
        intervals = {name: (float(low), float(high)) for name, (low, high) in self.intervals.items()}
        object.__setattr__(self, "intervals", _ReadOnly(intervals))

    def __str__(self) -> str:
        first = max(self.weights, key=self.weights.__getitem__)
        return (
            f"Of {len(self.weights):,} characteristics {first} counts most, with a weight of "
            f"{format_number(self.weights[first])}."
        )

    def __getitem__(self, name: str) -> float:
        return self.weights[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.weights)

    def __len__(self) -> int:
        return len(self.weights)

    def __repr__(self) -> str:
        shown = [f"{name} {weight:.2g}" for name, weight in self.weights.items()]
        shown[0] = f"{self.method}: {shown[0]}"
        shown[-1] += "".join(f"; {name} {value:.2g}" for name, value in self.consistency.items())
        return short_repr(type(self).__name__, shown)

    def __or__(self, others: Mapping[str, float]) -> Self:
        """Add weights, or put them in place of those of the same names, and keep the other intervals."""
        if not isinstance(others, Mapping):
            return NotImplemented
        added = others.intervals if isinstance(others, CharacteristicWeights) else {}
        kept = {name: interval for name, interval in self.intervals.items() if name not in others}
        return replace(
            self,
            weights={**self.weights, **others},
            intervals={**kept, **added},
            figures=None if others.keys() - self.weights.keys() else self.figures,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per characteristic.

        Returns
        -------
        DataFrame
            ``characteristic``, ``weight``, ``low`` and ``high`` (its interval, NaN where there is
            none), and the figures of the method.
        """
        unknown = (math.nan, math.nan)
        limits = [self.intervals.get(name, unknown) for name in self.weights]
        table = pd.DataFrame(
            {
                "characteristic": pd.Series(list(self.weights), dtype="str"),
                "weight": list(self.weights.values()),
                "low": [low for low, _ in limits],
                "high": [high for _, high in limits],
            }
        )
        if self.figures is None:
            return table
        return pd.concat([table, self.figures.reset_index(drop=True)], axis=1)

    @asking("CharacteristicWeights.scaled")
    def scaled(self, mean: float = 1.0) -> Self:
        """Multiply all weights by one number, so that their mean is as given.

        With a mean of 1 a characteristic of average importance counts as much as one that is not
        named, which a clusterer gives weight 1.

        Parameters
        ----------
        mean : float, default=1.0
            The mean of the weights, above 0.

        Returns
        -------
        CharacteristicWeights
            The weights and their intervals, multiplied.

        Examples
        --------
        >>> from custseg.weighting import CharacteristicWeights
        >>> dict(CharacteristicWeights({"spend": 0.75, "region": 0.25}).scaled())
        {'spend': 1.5, 'region': 0.5}
        """
        check({"mean": (Number(math.ulp(0.0)),)}, {"mean": mean})
        factor = mean * len(self.weights) / math.fsum(self.weights.values())
        return replace(
            self,
            weights={name: factor * weight for name, weight in self.weights.items()},
            intervals={name: (factor * low, factor * high) for name, (low, high) in self.intervals.items()},
        )

    @asking("CharacteristicWeights.renamed")
    def renamed(self, names: Mapping[str, str]) -> Self:
        """Give characteristics the names of the table's columns, where the survey called them otherwise.

        Parameters
        ----------
        names : mapping of str to str
            Old name -> new name; those that are not in it stay.

        Returns
        -------
        CharacteristicWeights
            The same weights.

        Raises
        ------
        InvalidParameterError
            If an old name is unknown, or two characteristics would bear one name.

        Examples
        --------
        >>> from custseg.weighting import CharacteristicWeights
        >>> dict(CharacteristicWeights({"How much they spend": 1.0}).renamed({"How much they spend": "monetary"}))
        {'monetary': 1.0}
        """
        for name in names:
            if name not in self.weights:
                raise InvalidParameterError.unknown_name("name in names", name, self.weights)
        new = {name: names.get(name, name) for name in self.weights}
        if len(set(new.values())) < len(new):
            raise InvalidParameterError.not_allowed("names", "different for each characteristic", dict(names))
        return replace(
            self,
            weights={new[name]: weight for name, weight in self.weights.items()},
            intervals={new[name]: interval for name, interval in self.intervals.items()},
        )


def _is_interval(value: Any) -> bool:
    if not isinstance(value, (Sequence, np.ndarray)) or len(value) != 2:
        return False
    return all(map(Number(0.0).accepts, value)) and bool(value[0] <= value[1])
