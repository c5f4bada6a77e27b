"""Which yes/no columns are the answers to one question, and how they become one characteristic together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from custseg._core.arrays import Floats
from custseg._core.customers import Column, CustomerTable
from custseg.segmentation._embedding.blocks import Block, NumberBlock

__all__ = ["AnswerBlock", "find_questions", "join_answers"]


@dataclass(frozen=True, kw_only=True)
class AnswerBlock(NumberBlock):
    """One yes/no column of a question; ``scale`` is that of the whole question.

    Attributes
    ----------
    share : float
        The variance p(1 - p) of the column as a share of that of all columns of the question.
    n_answers : int
        The number of columns of the question that vary and count.
    """

    share: float
    n_answers: int

    @property
    def variance(self) -> float:
        return self.weight * self.share

    @property
    def words(self) -> str:
        # no figures: the variance of a rare answer would tell how few gave it, and the words stand in reports
        return f"one of {self.n_answers} yes/no columns that count as one, divided by their standard deviation together"


def find_questions(table: CustomerTable, mass: Floats, kinds: Mapping[str, str] | None) -> dict[str, str]:
    """Name the question of every yes/no column.

    The yes/no columns of a member of a union are one question, and so are those without a member. Numbers are answers
    where all customers of ``fit`` have 0 or 1, unless ``kinds`` say that the column is numeric.

    Parameters
    ----------
    table : CustomerTable
        The customers.
    mass : ndarray of shape (n_customers,)
        How many customers each row stands for.
    kinds : mapping of str to str, or None
        The kinds that were declared.

    Returns
    -------
    dict of str to str
        The question of each of these columns: what stands up to ``__`` in its name.
    """
    stated = {name for name, kind in (kinds or {}).items() if kind == "numeric"}
    answers = [column.name for column in table.columns if column.name not in stated and _is_answer(column, mass)]
    return {name: _question(name) for name in answers}


def join_answers(blocks: Sequence[Block], questions: Mapping[str, str]) -> tuple[Block, ...]:
    """Divide the columns of a question by their standard deviation together, so that a rare yes weighs as a rare yes.

    A question with one column that varies is that column, as it is.

    Parameters
    ----------
    blocks : sequence of Block
        The blocks of the columns with a weight above 0, each divided by its own standard deviation.
    questions : mapping of str to str
        The question of each yes/no column.

    Returns
    -------
    tuple of Block
        The blocks in the same order.
    """
    together: dict[str, list[NumberBlock]] = {}
    for block in blocks:
        if block.column in questions and isinstance(block, NumberBlock):
            together.setdefault(questions[block.column], []).append(block)
    joined = {block.column: block for answers in together.values() if len(answers) > 1 for block in _joined(answers)}
    return tuple(joined.get(block.column, block) for block in blocks)


def _question(name: str) -> str:
    member, separator, _ = name.partition("__")
    return member + separator if separator else ""


def _is_answer(column: Column, mass: Floats) -> bool:
    if column.kind != "numeric":
        return column.kind == "binary"
    known = column.values[~column.missing & (mass > 0)]
    return len(known) > 0 and bool(((known == 0.0) | (known == 1.0)).all())


def _joined(answers: Sequence[NumberBlock]) -> list[AnswerBlock]:
    own = [block.scale**2 for block in answers]  # p(1 - p), which would be 0 where p is 1 but for rounding
    total = math.fsum(own)  # the same in any order of the columns
    found = []
    for block, variance in zip(answers, own, strict=True):
        kept = {field.name: getattr(block, field.name) for field in fields(NumberBlock)} | {"scale": math.sqrt(total)}
        found.append(AnswerBlock(**kept, share=variance / total, n_answers=len(answers)))
    return found
