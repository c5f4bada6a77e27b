"""The four commands."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from custseg._commands.errors import missing_key
from custseg._commands.outputs import (
    check_figures,
    check_output,
    load_study,
    parameter_files,
    refuse_losses,
    store_study,
    write_assignments,
)
from custseg._commands.remedies import naming_keys
from custseg._commands.screen import show
from custseg._commands.study_file import Plan, check_keys, read_plan, read_table_files
from custseg._commands.tables import TableFile, check_readable, open_tables
from custseg._core.progress import doing, is_terminal, showing
from custseg._core.visible import visible
from custseg._demo import demo_study, demo_tables
from custseg.exceptions import ConfigurationError
from custseg.reporting import write_report
from custseg.study import SegmentationStudy

__all__ = ["assign", "demo", "report", "run"]

_ASSIGN = "custseg assign"
# the share of the time that a look at one table usually takes
_READING = 0.01


def demo(
    output: Path, seed: int, *, title: str | None = None, verbose: bool | None = None, overwrite: bool = False
) -> None:
    """Segment the grocery panel, and write the report."""
    path = check_output("report", output)
    refuse_losses({"the report": path}, [], overwrite=overwrite)
    study = demo_study(seed)
    _fit(study, demo_tables(), verbose)
    _report(study, path, title, overwrite=overwrite)


def run(
    config: Path,
    *,
    title: str | None = None,
    figures: Path | None = None,
    verbose: bool | None = None,
    overwrite: bool = False,
) -> None:
    """Do what a study file asks for."""
    plan = read_plan(config)
    study, outputs = plan.study, plan.outputs
    if title is not None and "report" not in outputs:
        raise missing_key(f"--title needs a report: {config.name}, [outputs]", "report", 'report = "report.html"')
    sources = [("the study file", config), *_sources(plan.tables), *parameter_files(study)]
    named = {f"outputs.{name}": path for name, path in outputs.items()}
    refuse_losses({**named, **check_figures(figures, named)}, sources, overwrite=overwrite)
    # read first, so that every month may write the study that the next one takes its names from
    before = None if plan.names_from is None else load_study(plan.names_from)
    given = _found(config.name, plan, verbose, before)
    _report(study, outputs.get("report"), title, figures, overwrite=overwrite)
    if "assignments" in outputs:
        write_assignments(
            study, given, outputs["assignments"], escape_formulas=plan.escape_formulas, overwrite=overwrite
        )
    if "study" in outputs:
        store_study(study, outputs["study"], include_customers=plan.include_customers, overwrite=overwrite)


def _found(where: str, plan: Plan, verbose: bool | None, before: SegmentationStudy | None) -> Any:
    """Fit the study of a study file to its tables, and print what it found."""
    study = plan.study
    tables: dict[str, Any] = {}
    with naming_keys(where, plan, tables):
        if study.characteristics is None:
            (file,) = plan.tables.values()
            customers = file.customers(plan.customer_id)
            study.set_params(customer_id=customers.index.name)
            tables[file.name] = customers
        else:
            tables |= open_tables(plan.tables.values())
        return _fit(study, tables, verbose, before)


def assign(
    study_path: Path,
    paths: Sequence[tuple[str, Path]],
    config: Path | None,
    output: Path,
    *,
    as_of: str | None = None,
    trust: bool = False,
    escape_formulas: bool = False,
    overwrite: bool = False,
) -> None:
    """Assign the customers of tables to the segments of a study."""
    check_output("assignments", output)
    given = dict(paths)
    if len(given) < len(paths):
        raise ConfigurationError.expected(_ASSIGN, "--table", "given once for each table", [name for name, _ in paths])
    files = {} if config is None else read_table_files(config)
    outputs = {"the assignments": output}
    sources = [("the study", study_path), *((f"table {name!r}", path) for name, path in paths), *_sources(files)]
    sources += [] if config is None else [("the study file", config)]
    refuse_losses(outputs, sources, overwrite=overwrite)
    study = load_study(study_path, trust=trust)
    refuse_losses(outputs, parameter_files(study), overwrite=overwrite)
    files |= {name: files.get(name, TableFile(name, path)).at(path) for name, path in given.items()}
    members = getattr(study.characteristics, "members", None)
    needed = sorted({table for _, _, table in members}) if members is not None else list(files)[:1]
    check_keys(_ASSIGN, "table", given, needed)
    for name in needed or ["customers"]:
        if name not in files:
            raise missing_key(_ASSIGN, f"--table {name}", f"--table {name}={name}.csv")
    if study.characteristics is None:
        tables: Any = files[needed[0]].customers(_id_of(study))
    elif members is None:
        tables = files[needed[0]].open()
    else:
        tables = open_tables(files[name] for name in needed)
    write_assignments(study, tables, output, as_of, escape_formulas=escape_formulas, overwrite=overwrite)


def _id_of(study: SegmentationStudy) -> str | None:
    """Return what the ids of the customers are called, as the study says where it holds no customers."""
    if not hasattr(study, "customers_"):
        return study.customer_id
    name: str | None = study.customers_.index.name
    return name


def report(
    study_path: Path,
    output: Path,
    *,
    title: str | None = None,
    figures: Path | None = None,
    trust: bool = False,
    overwrite: bool = False,
) -> None:
    """Write the report of a study, and its pictures."""
    outputs = {"the report": check_output("report", output)}
    refuse_losses({**outputs, **check_figures(figures, outputs)}, [("the study", study_path)], overwrite=overwrite)
    _report(load_study(study_path, trust=trust), output, title, figures, overwrite=overwrite)


def _report(
    study: SegmentationStudy, path: Path | None, title: str | None, figures: Path | None = None, *, overwrite: bool
) -> None:
    """Write what people look at, and say where in one line, for which the screen has room."""
    told = []
    if path is not None:
        told.append(f"Report: {write_report(study, path, title=title or study.title, overwrite=overwrite)}")
    if figures is not None:
        *_, index = study.figures(figures, overwrite=overwrite)
        told.append(f"Figures: {figures}, listed in {index.name}")
    if told:
        print(visible("; ".join(told)))


def _sources(files: Mapping[str, TableFile]) -> list[tuple[str, Path]]:
    return [(f"table {name!r}", file.path) for name, file in files.items()]


def _fit(
    study: SegmentationStudy,
    tables: Mapping[str, Path | pd.DataFrame],
    verbose: bool | None,
    before: SegmentationStudy | None = None,
) -> Any:
    """Fit a study, print what it found, and return what it was given.

    Progress is shown where that is wanted, by default (None) where there is a terminal to rewrite a line on.
    """
    # without characteristics to make, the one table is that of the customers
    given = tables if study.characteristics is not None else next(iter(tables.values()))
    with showing(is_terminal(sys.stderr) if verbose is None else verbose):
        for name, table in tables.items():
            with doing(f"Reading {name}", _READING):
                check_readable(name, table)
        study.fit(given, names_from=before)
    show(study, short=not verbose)
    return given
