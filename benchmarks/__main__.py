"""Run one benchmark: ``python -m benchmarks NAME [--json]``.

Each module of this folder is a benchmark. Its ``run()`` returns a list of rows, each a dict; rows with
the same keys make one table. It must have checked that everything it timed computed the same.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

LIBRARIES = ("custseg", "numpy", "pandas", "polars", "narwhals", "scikit-learn", "lifetimes")


def available() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "not installed"
    return found


def as_text(rows: Sequence[dict[str, Any]]) -> str:
    return "\n\n".join(_as_table(list(table)) for _, table in groupby(rows, key=tuple))


def _as_table(rows: Sequence[dict[str, Any]]) -> str:
    columns = list(rows[0])
    cells = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[position]) for line in cells) for position in range(len(columns))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    names = available()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("name", help=f"one of: {', '.join(names)}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.name not in names:
        close = get_close_matches(options.name, names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        print(f"unknown benchmark {options.name!r}; there are: {', '.join(names)}.{hint}", file=sys.stderr)
        return 2
    rows = importlib.import_module(f"benchmarks.{options.name}").run()
    if options.json:
        print(json.dumps({"benchmark": options.name, "versions": versions(), "rows": rows}, indent=2))
    else:
        print(", ".join(f"{library} {number}" for library, number in versions().items()))
        print(as_text(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
