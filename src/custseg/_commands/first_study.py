"""A study file to begin with: what the columns of some files seem to be, said in comments, and a study of them."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from custseg._commands.guesses import Seen, SeenColumn, amount_of, find_ids, look, order_of, time_of
from custseg._commands.outputs import refuse_losses
from custseg._commands.screen import say
from custseg._core.cells import fold
from custseg._core.files import check_writable, replacing
from custseg._core.optional import is_installed
from custseg._core.progress import doing, is_terminal, showing
from custseg._core.toml import toml_key, toml_text
from custseg._core.visible import visible
from custseg._core.words import format_total
from custseg.exceptions import ConfigurationError
from custseg.targeting import GOALS

__all__ = ["init"]

# more levels are names rather than groups
_MOST_LEVELS = 50
# a questionnaire has as many answers of one short range
_FEWEST_ANSWERS, _MOST_ANSWER = 4, 11
_COMMENT = 98


@dataclass(frozen=True)
class _Part:
    """What a table is to the study: its lines in the file, and whether it makes segments or describes them."""

    name: str
    table: Seen
    what: str
    why: str
    parameters: tuple[str, ...]
    estimator: str = ""
    is_purchases: bool = False
    dates: tuple[tuple[str, str], ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    value: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What it seems to be, and why, in a line."""
        return f"{self.name}: {self.what}, since {self.why}"


def init(files: Sequence[Path], config: Path, *, overwrite: bool = False) -> None:
    """Write a study file for some tables, whose columns are guessed."""
    if config.suffix.lower() != ".toml":
        raise ConfigurationError.expected("custseg init", "--config", "a file whose name ends in .toml", str(config))
    path = check_writable(config)
    refuse_losses(
        {"the study file": path},
        [(f"file {str(file)!r} is a table, which", file) for file in files],
        overwrite=overwrite,
    )
    with showing(is_terminal(sys.stderr)):
        tables = []
        for file in files:
            with doing(f"Reading {file}", 1 / len(files)):
                tables.append(look(file))
    ids = find_ids(tables)
    names = _names(files)
    parts = [_part(*each) for each in zip(names, tables, ids, strict=True)]
    # customers are those of the first: of whom something was bought, if any table tells it
    parts.sort(key=lambda part: (not part.estimator, not part.is_purchases))
    if not parts[0].estimator:
        raise ConfigurationError(f"no file tells anything of customers. {'; '.join(part.said for part in parts)}.")
    text = "\n".join(_lines(parts, dict(zip(names, ids, strict=True)), path)) + "\n"
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
    for part in parts:
        say(part.said)
    print(visible(f"Study file: {path}"))
    print(visible(f"Read it, change what is wrong, and: custseg run {shlex.quote(str(path))}"))


def _names(files: Iterable[Path]) -> list[str]:
    """Name every table after its file."""
    names: list[str] = []
    for file in files:
        stem = file.name.partition(".")[0].lower()
        name = re.sub(r"[\W_]+", "_", stem).strip("_") or "table"
        count = 1
        while (unique := name if count == 1 else f"{name}_{count}") in names:
            count += 1
        names.append(unique)
    return names


def _part(name: str, table: Seen, customer_id: str | None) -> _Part:
    """Guess what a table is."""
    if customer_id is None:
        return _rows(name, table)
    ids = table[customer_id]
    if ids.n_distinct == ids.n_known:
        return _profile(name, table, customer_id, f"no value of {customer_id!r} comes twice")
    time = time_of(table, customer_id)
    again = f"values of {customer_id!r} come again"
    if time is None:
        return _Part(name, table, "not used", f"{again}, and no column has dates. Make it one row per customer", ())
    return _records(name, table, customer_id, time, again)


def _rows(name: str, table: Seen) -> _Part:
    """Take a table without ids whole, as only a study of one table of customers can."""
    why = "it has no column of ids, so each row counts as a customer"
    part = _profile(name, table, None, why)
    dated = [column.name for column in table.columns if column.is_time or column.kind == "other"]
    if dated:
        raise ConfigurationError(
            f"file {str(table.path)!r}: no column looks like the ids of customers, and of rows without ids a column "
            f"such as {dated[0]!r} cannot be left out. Name the column of ids 'customer_id', or leave that one out."
        )
    return part


def _records(name: str, table: Seen, customer_id: str, time: SeenColumn, again: str) -> _Part:
    amount = amount_of(table, customer_id, time.name)
    order = order_of(table, customer_id, time.name, *amount)
    made: tuple[tuple[str, str], ...] = ()
    parameters = [f"timestamp = {toml_text(time.name)}"]
    why = f"{again}, and {time.name!r} has dates"
    if len(amount) == 2:
        taken = {column.name for column in table.columns}
        line_amount = next(each for each in ("amount", "line_amount", "made_amount") if each not in taken)
        made = ((line_amount, " * ".join(f"`{column.replace('`', '``')}`" for column in amount)),)
        parameters.append(f"amount = {toml_text(line_amount)}")
        why = f"{why}, {amount[0]!r} and {amount[1]!r} make amounts"
    elif amount:
        parameters.append(f"amount = {toml_text(amount[0])}")
        why = f"{why}, {amount[0]!r} amounts"
    else:
        parameters += ["amount = false   # no column looks like what was paid", 'features = ["recency", "frequency"]']
    if order is not None:
        parameters.append(f"# order_id = {toml_text(order)}   # counts orders, not days with a purchase")
    dates = ((time.name, time.formats[0]),) if time.formats else ()
    what = "purchases" if amount else "visits or contacts"
    return _Part(name, table, what, why, tuple(parameters), "RFMFeaturizer", bool(amount), dates, made)


def _profile(name: str, table: Seen, customer_id: str | None, why: str) -> _Part:
    """Take the columns that tell customers apart and do not name them, and say which were left out."""
    left = {column.name: _no_characteristic(column, table.n_rows) for column in table.without(customer_id)}
    used = [column for column in table.without(customer_id) if not left[column.name]]
    if not used:
        return _Part(name, table, "not used", f"{why}, and no column can tell customers apart", ())
    answers = [column.name for column in used if _is_answer(column)]
    is_survey = len(answers) >= max(_FEWEST_ANSWERS, len(used) / 2)
    parameters = ["columns = [", *(f"    {toml_text(column.name)}," for column in used), "]"]
    for name_of_column, because in left.items():
        parameters += _comment(f"left out: {name_of_column}, {because}") if because else []
    if is_survey:
        why = f"{why}, and {len(answers)} columns are answers of one short range"
        parameters += ["# answers that belong together can be made scales: see PsychographicEncoder"]
    what = "a survey" if is_survey else "one row per customer"
    value, names = amount_of(table, customer_id), tuple(column for column, because in left.items() if because)
    return _Part(name, table, what, why, tuple(parameters), "DemographicEncoder", value=value, left=names)


def _no_characteristic(column: SeenColumn, n_rows: int) -> str:
    """Say why a column is none; nothing where it is one."""
    if column.is_time:
        return "dates"
    if column.kind == "other":
        return "neither numbers, nor text, nor yes and no"
    if column.n_distinct < 2:
        return "never another value"
    if column.kind == "text" and column.n_distinct > min(_MOST_LEVELS, n_rows / 2):
        return f"{format_total(column.n_distinct)} different texts"
    if column.kind == "whole" and column.n_distinct == column.n_known:
        return "whole numbers that never come twice, as ids do"
    return ""


def _is_answer(column: SeenColumn) -> bool:
    if not column.is_number or column.low is None or column.high is None:
        return False
    return column.low >= 0 and column.high <= _MOST_ANSWER and 2 < column.n_distinct <= column.high - column.low + 1


def _lines(parts: Sequence[_Part], ids: dict[str, str | None], path: Path) -> Iterator[str]:
    """Write the study file."""
    used = [part for part in parts if part.estimator]
    common = ids[used[0].name]
    yield f"# Written by custseg init. Run it with: custseg run {visible(path.name)}"
    yield "# What stands behind a # is not read: it explains, or is a choice that was not made."
    yield ""
    if common is not None:
        yield f"customer_id = {toml_text(common)}   # the column that identifies customers"
    yield "# n_jobs = -1   # use all cores"
    for part in parts:
        yield from _table(part, path)
    for part in used if common is not None else ():
        yield from _characteristics(part, ids[part.name], common)
    yield from _brief(used, whole=common is None)
    yield from ("", "[segmenter]", "random_state = 0")
    described = (
        used[0].left if common is None else [part.name for part in used if part.is_purchases < used[0].is_purchases]
    )
    if described:
        yield from ("", "[segmenter.weights]", "# what has weight 0 describes the segments and does not make them")
        yield from (f"{toml_key(name)} = 0" for name in described)
    yield from ("", "[outputs]", f"report = {toml_text('report.html' if is_installed('jinja2') else 'report.md')}")
    yield 'assignments = "segments.csv"   # the segment of every customer'
    store = 'study = "study.skops"   # to assign other customers: custseg assign --study study.skops'
    yield store if is_installed("skops") else f"# {store}"


def _table(part: _Part, path: Path) -> Iterator[str]:
    rows = f"{format_total(part.table.n_rows)} rows"
    mark = "" if part.estimator else "# "
    yield from ("", *_comment(f"{part.said} ({rows})"), f"{mark}[tables.{toml_key(part.name)}]")
    yield f"{mark}path = {toml_text(_relative(part.table.path, path.parent))}"
    for column, form in part.dates:
        others = [each for each in part.table[column].formats if each != form]
        doubt = f"   # or {others[0]!r}: the dates fit both" if others else ""
        yield f"dates = {{ {toml_key(column)} = {toml_text(form)} }}{doubt}"
    for column, product in part.made:
        yield f"columns = {{ {toml_key(column)} = {toml_text(product)} }}"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in fold(visible(text), _COMMENT)]


def _relative(file: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return str(file.resolve())


def _characteristics(part: _Part, own_id: str | None, common: str | None) -> Iterator[str]:
    yield from ("", "[[characteristics]]", f"name = {toml_text(part.name)}", f"table = {toml_text(part.name)}")
    yield from (f"estimator = {toml_text(part.estimator)}", "[characteristics.parameters]")
    if own_id != common and own_id is not None:
        yield f"customer_id = {toml_text(own_id)}"
    yield from part.parameters


def _brief(used: Sequence[_Part], *, whole: bool) -> Iterator[str]:
    others = ", ".join(toml_text(goal.name) for goal in GOALS if goal.name != "retention")
    yield from ("", "[brief]", 'goal = "retention"', *_comment(f"or {others}"))
    yield "min_segment_share = 0.05   # no segment is smaller than this share of the customers"
    if not used[0].is_purchases:
        # the columns of a table that is taken whole keep their names
        names = [("" if whole else f"{part.name}__") + part.value[-1] for part in used if part.value]
        value = [*names, "spend"][0]
        yield f"# value = {toml_text(value)}   # the column that says what a customer is worth"
    yield '# currency = "EUR"'
