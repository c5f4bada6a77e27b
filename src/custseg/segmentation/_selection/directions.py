"""The direction that tells two classes apart, learned on some of the customers and judged on the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg.segmentation._selection.space import Space

__all__ = ["Coordinates", "Directions"]


# Share of the mean variance that is added to each, so that directions without any do not count for everything. The
# mean is weighted by the variances themselves: many tiny columns do not make it vanish.
RIDGE = 0.1
# The customers are judged in so many folds, each on the direction that the others show.
N_FOLDS = 4
# A class shows no direction with fewer customers.
FEWEST = 2


@dataclass(frozen=True)
class Coordinates:
    """Customers, one column for each number and one for each category, in canonical order.

    Attributes
    ----------
    numbers : ndarray of shape (n_customers, n_numbers)
        Where the values of numeric, binary and ordinal columns stand in the distance.
    levels : ndarray of shape (n_customers, n_categories)
        The level of each nominal column, counted on from one column to the next; each has one more for missing values.
    starts : ndarray of shape (n_categories + 1,)
        The first level of each column, and the number of levels of all.
    weights : ndarray of shape (n_categories,)
        The weight of each nominal column.
    """

    numbers: Floats
    levels: Integers
    starts: Integers
    weights: Floats

    @property
    def is_stepped(self) -> bool:
        """Whether many customers share a place in some column: between the steps of a scale nobody is."""
        n_places = [len(np.unique(column)) for column in self.numbers.T]
        return bool(len(self.weights)) or min(n_places, default=0) < len(self.numbers) / 2

    @classmethod
    def of(cls, space: Space) -> Self:
        """Take the columns that tell latent classes apart."""
        scores = space.scores()
        numbers = np.array([scores[column.name] for column in space.table.columns if column.name in scores])
        categories = [column for column in space.evidence.columns if column.name not in scores]
        starts = np.cumsum([0, *(len(column.categories) + 1 for column in categories)])
        levels = np.empty((space.table.n_customers, len(categories)), dtype=np.int64)
        for position, column in enumerate(categories):
            missing = starts[position + 1] - 1
            levels[:, position] = np.where(column.missing, missing, column.values + starts[position])
        weights = np.array([space.weights[column.name] for column in categories], dtype=np.float64)
        return cls(numbers.reshape(-1, space.table.n_customers).T, levels, starts, weights)


@dataclass(frozen=True)
class _Part:
    """Some members of a class, and how many have each level."""

    numbers: Floats
    levels: Integers
    counts: Floats


@dataclass(frozen=True)
class _Line:
    """A direction: every customer's place is ``(coordinates - origin) @ slope``, the centres being 0 and 1."""

    scale: Floats
    kept: Bools
    origin: Floats
    slope: Floats

    def place(self, part: _Part) -> Floats:
        return np.asarray((_scored(part, self.scale, self.kept) - self.origin) @ self.slope)


class Directions:
    """Classes of customers that can be joined, and the line through any two of them.

    Attributes
    ----------
    labels : ndarray of shape (n_customers,)
        The class of each customer.
    names : list of int
        The classes that are left.
    """

    def __init__(self, coordinates: Coordinates, labels: Integers) -> None:
        self.labels = labels.copy()
        self.names: list[int] = np.unique(labels).tolist()
        self._coordinates = coordinates
        # customers are sorted, so every fold has those of each kind
        self._fold = np.arange(len(labels)) % N_FOLDS
        self._folds = {name: self._in_folds(name) for name in self.names}

    def size(self, name: int) -> int:
        """Return the number of customers of a class."""
        return int((self.labels == name).sum())

    def distance(self, one: int, other: int) -> float:
        """Return the squared distance of the centres of two classes, categories by the shares of their levels."""
        centers = []
        for name in (one, other):
            members = self.labels == name
            shares = np.bincount(self._coordinates.levels[members].ravel(), minlength=self._coordinates.starts[-1])
            centers.append(np.append(self._coordinates.numbers[members].mean(axis=0), shares / members.sum()))
        return float(((centers[0] - centers[1]) ** 2).sum())

    def join(self, one: int, other: int) -> None:
        """Make the second class part of the first."""
        self.labels[self.labels == other] = one
        self.names.remove(other)
        del self._folds[other]
        self._folds[one] = self._in_folds(one)

    def projected(self, one: int, other: int) -> tuple[Floats, Floats] | None:
        """Return where the customers of two classes lie on the line between them, 0 and 1 being the centres.

        None where both are single points, or too small.
        """
        lower: list[Floats] = []
        upper: list[Floats] = []
        for (learned, judged), (learned_too, judged_too) in zip(self._folds[one], self._folds[other], strict=True):
            line = self._line(learned, learned_too)
            if line is not None:
                lower.append(line.place(judged))
                upper.append(line.place(judged_too))
        return (np.concatenate(lower), np.concatenate(upper)) if lower else None

    def projected_as_chosen(self, one: int, other: int) -> tuple[Floats, Floats] | None:
        """Return the same on the line that all of these customers show, which tells them apart too well."""
        parts = [self._part(self.labels == name) for name in (one, other)]
        line = self._line(*parts)
        return None if line is None else (line.place(parts[0]), line.place(parts[1]))

    def _in_folds(self, name: int) -> list[tuple[_Part, _Part]]:
        """Return for each fold the members that are not in it, and those that are."""
        members, fold = self.labels == name, self._fold
        return [
            (self._part(members & (fold != place)), self._part(members & (fold == place))) for place in range(N_FOLDS)
        ]

    def _part(self, rows: Bools) -> _Part:
        levels = self._coordinates.levels[rows]
        counts = np.bincount(levels.ravel(), minlength=self._coordinates.starts[-1]).astype(np.float64)
        return _Part(self._coordinates.numbers[rows], levels, counts)

    def _line(self, one: _Part, other: _Part) -> _Line | None:
        sizes = len(one.numbers), len(other.numbers)
        if min(sizes) < FEWEST:
            return None
        scale, beyond_chance = self._scores(one.counts, other.counts)
        kept = beyond_chance > 0
        places = [_scored(part, scale, kept) for part in (one, other)]
        centers = [part.mean(axis=0) for part in places]
        around = np.concatenate([part - center for part, center in zip(places, centers, strict=True)])
        within = around.T @ around / len(around)
        trace = within.trace()
        if trace == 0.0:
            return None
        ridge = RIDGE * np.einsum("ij,ij->", within, within) / trace
        # with few customers for so many columns, how these go together is as much noise
        noise = len(within) / (len(within) + len(around))
        within = (1.0 - noise) * within + np.diag(noise * within.diagonal() + ridge)
        between = centers[1] - centers[0]
        shrunken = between * np.append(np.ones(one.numbers.shape[1]), beyond_chance[kept])
        slope = np.linalg.solve(within, shrunken)
        return _Line(scale, kept, centers[0], slope / (float(between @ slope) or 1.0))

    def _scores(self, one: Floats, other: Floats) -> tuple[Floats, Floats]:
        """Return the number that stands for each level, and how much of each category's difference is beyond chance.

        The levels of a category stand where the logits of the classes do, nearly, with the variance of its weight.
        Of a chi-squared statistic the degrees of freedom are expected by chance: that share does not count.
        """
        starts = self._coordinates.starts
        scale, beyond_chance = np.zeros(starts[-1]), np.zeros(len(starts) - 1)
        for position, weight in enumerate(self._coordinates.weights):
            block = slice(starts[position], starts[position + 1] - 1)  # the last is for missing values, which tell none
            counts = np.array([one[block], other[block]])
            known = counts.sum(axis=1)
            if known.min() < FEWEST:
                continue
            shares = counts.sum(axis=0) / known.sum()
            occurring = shares > 0
            difference = counts[1] / known[1] - counts[0] / known[0]
            statistic = known.prod() / known.sum() * (difference[occurring] ** 2 / shares[occurring]).sum()
            if statistic > occurring.sum() - 1:
                score = difference / (shares + 1.0 / known.sum())
                score -= shares @ score
                scale[block] = score * np.sqrt(weight / (shares @ score**2))
                beyond_chance[position] = 1.0 - (occurring.sum() - 1) / statistic
        return scale, beyond_chance


def _scored(part: _Part, scale: Floats, kept: Bools) -> Floats:
    return np.concatenate([part.numbers, scale[part.levels[:, kept]]], axis=1)
