"""What latent classes look like: their parameters as a table, in the units of the characteristics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from custseg.segmentation._latent_classes.design import LevelPart, Part
from custseg.segmentation._latent_classes.em import Classes
from custseg.segmentation._latent_classes.errors import ClassErrors

__all__ = ["profile_table"]

COLUMNS: dict[str, Any] = {
    "class": np.int64,
    "characteristic": "str",
    "statistic": "str",
    "level": "str",
    "estimate": np.float64,
    "standard_error": np.float64,
}


def profile_table(
    parts: Sequence[Part], names: Sequence[str], classes: Classes, errors: ClassErrors | None
) -> pd.DataFrame:
    """List the parameters class by class, the characteristics in the order of ``names``.

    Parameters
    ----------
    parts : sequence of Part
        The characteristics in the order of the model.
    names : sequence of str
        Their names in the order of the table.
    classes : Classes
        The estimates.
    errors : ClassErrors or None
        Their standard errors; NaN in the table where None.

    Returns
    -------
    DataFrame
        One row per parameter: class, characteristic, statistic, level, estimate, standard error.
    """
    places: dict[str, tuple[Part, int]] = {}
    n_levels = n_numbers = 0
    for part in parts:
        if isinstance(part, LevelPart):
            places[part.column] = part, n_levels
            n_levels += len(part.levels)
        else:
            places[part.column] = part, n_numbers
            n_numbers += 1
    rows = []
    for k in range(len(classes.shares)):
        for name in names:
            part, place = places[name]
            found = _of_levels if isinstance(part, LevelPart) else _of_number
            rows += [(k, name, *values) for values in found(part, place, k, classes, errors)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _of_levels(
    part: Any, start: int, k: int, classes: Classes, errors: ClassErrors | None
) -> Iterator[tuple[Any, ...]]:
    for position, level in enumerate(part.levels, start):
        if part.kind != "binary" or level == "1":
            error = math.nan if errors is None else errors.levels[k, position]
            yield "probability", level, classes.levels[k, position], error


def _of_number(
    part: Any, place: int, k: int, classes: Classes, errors: ClassErrors | None
) -> Iterator[tuple[Any, ...]]:
    mean_error = math.nan if errors is None else errors.means[k, place]
    deviation_error = math.nan if errors is None else errors.deviations[k, place]
    mean = (part.center + part.scale * classes.means[k, place]) * part.unit
    deviation = math.sqrt(classes.variances[k, place]) * part.scale * part.unit
    yield "mean", None, mean, mean_error * part.scale * part.unit
    yield "sd", None, deviation, deviation_error * part.scale * part.unit
