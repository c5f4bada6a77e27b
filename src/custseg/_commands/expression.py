"""Columns made of others: sums and products of columns and numbers, read by a grammar and never run as code."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.asking import asking
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, ConfigurationError

__all__ = ["Expression"]

_QUOTED = re.compile(r"`((?:[^`]|``)+)`")
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
# Longer is no sum that a reader could check, and Python's parser has limits of its own.
_LONGEST = 500
_EXAMPLE = "quantity * unit_price"


@dataclass(frozen=True)
class Expression:
    """A sum or product such as ``quantity * unit_price``; names that are no plain words stand in backquotes.

    Attributes
    ----------
    text : str
        As written.
    tree : ast.expr
        As read.
    names : dict of str to str
        The column that each name in the tree stands for.
    where : str
        Where it stands, for errors.
    """

    text: str
    tree: ast.expr
    names: dict[str, str]
    where: str

    @classmethod
    def read(cls, text: Any, where: str) -> Expression:
        """Read an expression; refuse what is more than sums and products."""
        if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
            raise ConfigurationError(f"{where} must be a sum or product of columns in quotes, got {text!r}.")
        names: dict[str, str] = {}
        # a plain word that is no column of the text
        word = "quoted"
        while word in text:
            word += "_"

        def placeholder(match: re.Match[str]) -> str:
            name = f"{word}{len(names)}"
            names[name] = match[1].replace("``", "`")
            return name

        try:
            tree = ast.parse(_QUOTED.sub(placeholder, text.strip()), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise _refused(where, text, "it cannot be read") from error
        _check(tree, where, text)
        used = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
        return cls(text, tree, {name: names.get(name, name) for name in used}, where)

    @property
    def columns(self) -> list[str]:
        """The columns that it needs."""
        return list(dict.fromkeys(self.names.values()))

    def of(self, table: pd.DataFrame) -> Floats:
        """Compute it for every row; a missing value makes the result missing."""
        with asking(self.where):
            return self._of(table)

    def _of(self, table: pd.DataFrame) -> Floats:
        missing = [name for name in self.columns if name not in table.columns]
        if missing:
            raise ColumnNotFoundError.in_table(missing, table.columns)
        for name in self.columns:
            if not pd.api.types.is_numeric_dtype(table[name]):
                remedy = "A decimal comma or a sign of currency makes text of a number: write it as 1234.5."
                raise ColumnTypeError.expected(name, "numbers", table[name].dtype, remedy)
        values = {key: table[name].to_numpy(dtype=np.float64, na_value=np.nan) for key, name in self.names.items()}
        return np.broadcast_to(_value(self.tree, values), len(table)).astype(np.float64)


def _check(node: ast.expr, where: str, text: str) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        _check(node.left, where, text)
        _check(node.right, where, text)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _check(node.operand, where, text)
    elif not (isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and type(node.value) in (int, float))):
        raise _refused(where, text, f"{ast.unparse(node)!r} is neither a column, a number, +, - nor *")


def _value(node: ast.expr, values: dict[str, Floats]) -> Any:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, values), _value(right, values))
        case ast.UnaryOp(operand=operand):
            return -_value(operand, values)
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=number):
            return float(number)  # type: ignore[arg-type]
    raise AssertionError(ast.dump(node))


def _refused(where: str, text: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where}: {problem} in {text!r}. Write sums and products of columns and numbers, such as "
        f"{_EXAMPLE!r}; a column whose name is no plain word stands in backquotes: `unit price`."
    )
