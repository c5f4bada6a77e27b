"""What only weighting says: judgements that cannot be used."""

from __future__ import annotations

from collections.abc import Iterable

from custseg._core.asking import asked
from custseg.exceptions import JudgementError, list_names

__all__ = [
    "not_connected",
    "not_positive",
    "not_reciprocal",
    "not_square",
    "other_names",
    "out_of_range",
    "over_itself",
    "wrong_total",
]


def not_square(shape: tuple[int, ...]) -> JudgementError:
    return JudgementError(
        f"{asked()}: a judgement matrix must be square, with at least 2 characteristics, got shape {shape}. Pass "
        "one row and one column for each characteristic; several judges as a list of such matrices."
    )


def not_positive(pair: tuple[str, str], got: float) -> JudgementError:
    return JudgementError(
        f"{asked()}: the judgement {pair[0]!r} over {pair[1]!r} must be a positive number, got {got:g}. Judge each "
        "pair on the scale from 1 (equally important) to 9; the other direction is 1 divided by it."
    )


def not_connected(apart: Iterable[object], others: Iterable[object]) -> JudgementError:
    return JudgementError(
        f"{asked()}: no judgement, nor any chain of them, compares {list_names(apart)} with {list_names(others)}. Ask "
        "about one pair across, or leave the former out."
    )


def over_itself(name: str, got: float) -> JudgementError:
    return JudgementError(f"{asked()}: {name!r} over itself must be 1, got {got:g}. Put ones on the diagonal.")


def not_reciprocal(pair: tuple[str, str], one: float, other: float) -> JudgementError:
    return JudgementError(
        f"{asked()}: the judgements {pair[0]!r} over {pair[1]!r} = {one:.4g} and {pair[1]!r} over {pair[0]!r} = "
        f"{other:.4g} contradict each other. Each must be 1 divided by the other: set the second to "
        f"{1.0 / one:.4g}, or the first to {1.0 / other:.4g}."
    )


def other_names(what: str, names: Iterable[object], others: Iterable[object]) -> JudgementError:
    return JudgementError(
        f"{asked()}: {what} are about {list_names(others)}, not about {list_names(names)}. "
        "Judge the same characteristics everywhere."
    )


def wrong_total(total: float, n_rows: int, example: object, got: float) -> JudgementError:
    return JudgementError(
        f"{asked()}: the points of each respondent must sum to {total:g}; so not in {n_rows} row(s), for example "
        f"respondent {example!r} with {got:g}. Correct or leave out these rows, pass the total that was asked for "
        "(total=...), or allow a deviation (tolerance=...); points are then taken as shares of their own sum."
    )


def out_of_range(column: str, allowed: str, *, n_rows: int, example: float, remedy: str) -> JudgementError:
    return JudgementError(
        f"{asked()}: column {column!r} must hold {allowed}, got {example:g}; so in {n_rows} row(s). {remedy}"
    )
