"""The command line: ``custseg demo | run | assign | report``.

Bad input ends in one line on standard error and exit code 2, an interruption in exit code 130.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

import joblib
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.callback import ProgressBar
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from custseg import characteristics as stage
from custseg._core.files import check_writable, replacing
from custseg._core.optional import is_installed, require
from custseg._version import __version__
from custseg.characteristics import (
    CampaignResponseFeaturizer,
    CharacteristicUnion,
    DemographicEncoder,
    PurchaseBehaviorFeaturizer,
    RFMFeaturizer,
    join_responses,
)
from custseg.datasets import load_complete_journey
from custseg.exceptions import (
    ConfigurationError,
    InvalidParameterError,
    InvalidTableError,
    MissingDependencyError,
)
from custseg.personas import PersonaDescriber
from custseg.reporting import check_report_path, render_text, write_report
from custseg.segmentation import SegmentClusterer
from custseg.study import SegmentationBrief, SegmentationStudy

_BAD_INPUT, _INTERRUPTED = 2, 130


def _table_estimators() -> dict[str, type[Any]]:
    """Return every estimator that turns one table into one row per customer, by name."""
    public = {name: getattr(stage, name) for name in stage.__all__}
    return {
        name: kind
        for name, kind in public.items()
        if isinstance(kind, type)
        and issubclass(kind, TransformerMixin)
        and "customer_id" in inspect.signature(kind).parameters
        and kind is not CharacteristicUnion
    }


_ESTIMATORS = _table_estimators()
_READERS = (".csv", ".csv.gz", ".parquet")
_SECTIONS = ("customer_id", "n_pairs", "tables", "characteristics", "brief", "clusterer", "describer", "outputs")
_OUTPUTS = ("report", "assignments", "study")
_DEMO_TABLES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupon_redemptions",
)
# What recency, frequency and spend do not say already; gaps or numbers of orders would repeat them.
_BEYOND_RFM = (
    "basket_lines",
    "spend_trend",
    "discount_share",
    "weekend_share",
    "morning_share",
    "evening_share",
    "share_category",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        The arguments; None takes those of the process.

    Returns
    -------
    int
        0 where all went well, 1 where whoever read the output left before its end, 2 for bad input, 130 where the
        user interrupted.

    Examples
    --------
    >>> from custseg.cli import main
    >>> main(["report", "--study", "missing.joblib", "--output", "report.pdf"])
    2
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A name that the terminal cannot show must not end the run.
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    with warnings.catch_warnings():
        warnings.showwarning = _say_warning
        try:
            command(options)
        except BrokenPipeError:
            # Whoever read the output has left; what is still buffered has nowhere to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except (ValueError, OSError, MissingDependencyError) as error:
            return _complain(_one_line(error))
        except KeyboardInterrupt as interrupt:
            _say_error(": ".join(["interrupted", *getattr(interrupt, "__notes__", [])]))
            return _INTERRUPTED
    return 0


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: {error.filename!r}"
    return " ".join(str(error).split()) or type(error).__name__


def _complain(message: str) -> int:
    _say_error(f"error: {message}")
    return _BAD_INPUT


def _say_error(message: str) -> None:
    print(f"custseg: {message}", file=sys.stderr)


def _say_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _say_error(f"warning: {' '.join(str(message).split())}")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_BAD_INPUT, f"custseg: error: {message}. See: {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="custseg", description="Customer segments, personas and a report from raw tables.")
    parser.add_argument("--version", action="version", version=f"custseg {__version__}")
    commands = parser.add_subparsers(required=True, metavar="{demo,run,assign,report}", title="commands")
    study_help = "a study written by custseg run; load only files that you trust, since loading one runs its code"

    demo = commands.add_parser("demo", help="segment a real grocery panel")
    demo.add_argument("--output", type=Path, default=Path("custseg-report.html"), help="default: %(default)s")
    demo.add_argument("--seed", type=_seed, default=0, help="default: %(default)s")
    demo.set_defaults(command=_demo)

    run = commands.add_parser("run", help="segment your tables as a study file asks")
    run.add_argument("--config", type=Path, required=True, help="the study file (TOML)")
    run.set_defaults(command=_run)

    assign = commands.add_parser("assign", help="assign customers to the segments of a study")
    assign.add_argument("--study", type=Path, required=True, help=study_help)
    assign.add_argument(
        "--table", action="append", required=True, type=_named_path, metavar="NAME=PATH", help="once for each table"
    )
    assign.add_argument("--output", type=Path, required=True, help="a .csv or .parquet file")
    assign.set_defaults(command=_assign)

    report = commands.add_parser("report", help="write the report of a study")
    report.add_argument("--study", type=Path, required=True, help=study_help)
    report.add_argument("--output", type=Path, required=True, help="a .html, .md or .json file")
    report.set_defaults(command=_report)
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 4294967295, got {text!r}")
    return int(text)


def _named_path(text: str) -> tuple[str, Path]:
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"must be NAME=PATH, such as transactions=transactions.csv, got {text!r}")
    return name, Path(path)


def _demo(options: argparse.Namespace) -> None:
    path = _report_path(options.output)
    tables = load_complete_journey(_DEMO_TABLES)
    household = "household_id"
    departments = tables["products"].set_index("product_id")["department"]
    bought = tables["transactions"]
    tables["transactions"] = bought.assign(department=bought["product_id"].map(departments))
    tables["contacts"] = join_responses(
        tables["campaigns"],
        tables["coupon_redemptions"],
        campaigns=tables["campaign_descriptions"],
        customer_id=household,
        campaign="campaign_id",
        response_time="redemption_date",
    ).contacts
    purchases = {"customer_id": household, "timestamp": "transaction_timestamp", "amount": "sales_value"}
    behaviour = RFMFeaturizer(**purchases)
    shopping = PurchaseBehaviorFeaturizer(
        **purchases, category="department", discount="retail_disc", features=_BEYOND_RFM, n_leading=3
    )
    campaigns = CampaignResponseFeaturizer(
        customer_id=household,
        timestamp="start_date",
        campaign_type="campaign_type",
        response_time="response_time",
        coupons="n_responses",
    )
    characteristics = CharacteristicUnion(
        [
            ("behaviour", behaviour, "transactions"),
            ("shopping", shopping, "transactions"),
            ("campaigns", campaigns, "contacts"),
            ("demographics", DemographicEncoder(customer_id=household), "demographics"),
        ],
        customer_id=household,
    )
    # Shares over few visits are mostly chance. Whom the retailer contacted is its own choice, and a
    # third of the households never were; two thirds gave no demographics. So these describe the
    # segments and do not make them.
    descriptors = {"shopping": 0, "campaigns": 0, "demographics": 0}
    study = SegmentationStudy(
        SegmentationBrief("retention", min_segment_share=0.05),
        characteristics=characteristics,
        clusterer=SegmentClusterer(weights=descriptors, random_state=options.seed),
        describer=PersonaDescriber(n_traits=8),
        n_jobs=-1,
    )
    _fit(study, tables)
    print(f"\nReport: {write_report(study, path)}")


def _fit(study: SegmentationStudy, tables: Mapping[str, pd.DataFrame]) -> None:
    """Fit a study with a progress bar where there can be one, and print what it found."""
    for name, table in tables.items():
        print(f"Read {name}: {len(table):,} rows, {table.shape[1]} columns")
    print()
    sys.stdout.flush()
    if is_installed("rich"):
        study.set_callbacks(ProgressBar(max_propagation_depth=0))
    study.fit(tables)
    # A stored study must not ask for rich again.
    study.set_callbacks()
    print(f"\n{render_text(study)}", end="")


def _report_path(path: Path) -> Path:
    """Check a report's path, and the library it needs, before the computation."""
    path = check_report_path(path)
    if path.suffix.lower().startswith(".htm"):
        require("jinja2", "the HTML report")
    return path


@dataclass(frozen=True)
class _Plan:
    """What a study file asks for."""

    study: SegmentationStudy
    tables: dict[str, Path]
    outputs: dict[str, Path]


def _run(options: argparse.Namespace) -> None:
    plan = _read_plan(options.config)
    tables = _read_tables(plan.tables, plan.study.characteristics)
    _fit(plan.study, tables)
    print()
    if "report" in plan.outputs:
        print(f"Report: {write_report(plan.study, plan.outputs['report'])}")
    if "assignments" in plan.outputs:
        _write_assignments(plan.study, tables, plan.outputs["assignments"])
    if "study" in plan.outputs:
        with replacing(plan.outputs["study"]) as temporary:
            joblib.dump(plan.study, temporary, compress=3)
        print(f"Study: {plan.outputs['study']}")


def _read_plan(path: Path) -> _Plan:
    with path.open("rb") as file:
        try:
            config = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{str(path)!r} is not valid TOML: {error}") from error
    where = path.name
    _check_keys(where, "key", config, _SECTIONS)
    tables = {name: path.parent / file for name, file in _texts(where, config, "tables").items()}
    study = SegmentationStudy(
        SegmentationBrief(**_options(where, config, "brief", [field.name for field in fields(SegmentationBrief)])),
        characteristics=_characteristics(where, config, list(tables)),
        clusterer=SegmentClusterer(**_options(where, config, "clusterer", _parameters(SegmentClusterer))),
        describer=PersonaDescriber(**_options(where, config, "describer", _parameters(PersonaDescriber))),
        **({"n_pairs": config["n_pairs"]} if "n_pairs" in config else {}),
    )
    outputs = {name: path.parent / file for name, file in _texts(where, config, "outputs", _OUTPUTS).items()}
    for name, output in outputs.items():
        _check_output(name, output)
    return _Plan(study, tables, outputs)


def _check_output(name: str, path: Path) -> None:
    if name == "report":
        _report_path(path)
    elif name == "assignments":
        _check_table_path(path)
    else:
        check_writable(path)


def _check_keys(where: str, what: str, given: Iterable[str], known: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            raise InvalidParameterError.unknown_name(where, what, key, known)


def _parameters(estimator: type[Any]) -> list[str]:
    return sorted(inspect.signature(estimator).parameters)


def _options(where: str, config: Mapping[str, Any], section: str, known: Sequence[str]) -> dict[str, Any]:
    """Return a section of a study file, its keys checked; an absent one is empty."""
    options = config.get(section, {})
    if not isinstance(options, dict):
        raise ConfigurationError.expected(where, section, f"a section [{section}]", options)
    _check_keys(where, f"key of [{section}]", options, known)
    return options


def _texts(where: str, config: Mapping[str, Any], section: str, known: Sequence[str] | None = None) -> dict[str, str]:
    if section == "tables" and not config.get("tables"):
        raise ConfigurationError.missing_key(where, "[tables]", 'transactions = "transactions.csv"')
    options = config.get(section, {})
    options = _options(where, config, section, list(options) if known is None else known)
    for name, text in options.items():
        if not isinstance(text, str) or not text:
            raise ConfigurationError.expected(f"{where}, [{section}]", name, "a path in quotes", text)
    return options


def _characteristics(where: str, config: Mapping[str, Any], tables: Sequence[str]) -> CharacteristicUnion:
    members = config.get("characteristics")
    if not isinstance(members, list) or not members or not all(isinstance(member, dict) for member in members):
        example = '[[characteristics]] with name = "behaviour", table = "transactions", estimator = "RFMFeaturizer"'
        raise ConfigurationError.missing_key(where, "[[characteristics]]", example)
    customer_id = config.get("customer_id", "customer_id")
    return CharacteristicUnion(
        [_member(where, member, tables, customer_id) for member in members], customer_id=customer_id
    )


def _member(where: str, member: Mapping[str, Any], tables: Sequence[str], customer_id: Any) -> tuple[str, Any, str]:
    keys = ("name", "table", "estimator", "parameters")
    _check_keys(where, "key of [[characteristics]]", member, keys)
    for key in keys[:3]:
        if key not in member:
            example = {"name": "behaviour", "table": "transactions", "estimator": "RFMFeaturizer"}[key]
            raise ConfigurationError.missing_key(f"{where}, [[characteristics]]", key, f'{key} = "{example}"')
        if not isinstance(member[key], str):
            raise ConfigurationError.expected(f"{where}, [[characteristics]]", key, "text", member[key])
    _check_keys(where, "estimator", [member["estimator"]], list(_ESTIMATORS))
    _check_keys(where, "table", [member["table"]], tables)
    kind = _ESTIMATORS[member["estimator"]]
    parameters = _options(f"{where}, [[characteristics]] {member['name']!r}", member, "parameters", _parameters(kind))
    for name, parameter in inspect.signature(kind).parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in parameters:
            place = f"{where}, [[characteristics]] {member['name']!r}, parameters"
            raise ConfigurationError.missing_key(place, name, f"parameters = {{ {name} = ... }}")
    return member["name"], kind(**{"customer_id": customer_id, **parameters}), member["table"]


def _read_tables(paths: Mapping[str, Path], characteristics: Any) -> dict[str, pd.DataFrame]:
    """Read every table that is named, its customer ids without loss of leading zeros."""
    for path in paths.values():
        _check_ending(path)
        if not path.is_file():
            raise InvalidTableError(f"no table at {str(path)!r}. Check the path.")
    members = getattr(characteristics, "members", [("", characteristics, name) for name in paths])
    ids = {table: getattr(member, "customer_id", None) for _, member, table in members}
    return {name: _read_table(path, ids.get(name)) for name, path in paths.items()}


def _check_ending(path: Path) -> None:
    if not path.name.lower().endswith(_READERS):
        raise ConfigurationError.not_a_table(path, _READERS)


def _read_table(path: Path, customer_id: str | None) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            require("pyarrow", "reading Parquet")
            return pd.read_parquet(path, engine="pyarrow")
        table = pd.read_csv(path, dtype={} if customer_id is None else {customer_id: "str"})
    except ValueError as error:
        raise InvalidTableError(f"{str(path)!r} cannot be read as a table: {error}") from error
    if customer_id in table.columns:
        table[customer_id] = _numbers_if_lossless(table[customer_id])
    return table


def _numbers_if_lossless(ids: pd.Series[str]) -> pd.Series[Any]:
    """Turn text ids into whole numbers unless that would change one, as it would ``007``."""
    known = ids.dropna()
    if not known.str.fullmatch(r"0|-?[1-9][0-9]{0,17}").all() or known.empty:
        return ids
    return ids.astype("Int64") if len(known) < len(ids) else ids.astype("int64")


def _check_table_path(path: Path) -> Path:
    _check_ending(path)
    return check_writable(path)


def _write_assignments(study: SegmentationStudy, tables: Any, path: Path) -> None:
    customers = study.transform(tables)
    segments = customers[["segment"]].copy()
    names = {persona.segment: persona.name for persona in study.personas_}
    segments["name"] = segments["segment"].map(names).fillna("")
    if study.cut_ is not None:
        inside = (segments["segment"] >= 0).to_numpy()
        groups = pd.Series(-1, index=segments.index)
        if inside.any():
            groups[inside] = study.cut_.predict(customers.loc[inside].drop(columns="segment"))
        segments["constructive_group"] = groups
        names = dict(enumerate(study.cut_.segment_names))
        segments["constructive_name"] = groups.map(names).fillna("")
    with replacing(path) as temporary:
        if path.suffix.lower() == ".parquet":
            require("pyarrow", "writing Parquet")
            segments.to_parquet(temporary, engine="pyarrow")
        else:
            segments.to_csv(temporary)
    print(f"Assignments: {path} ({len(segments):,} customers)")


def _load_study(path: Path) -> SegmentationStudy:
    try:
        study = joblib.load(path)
    except OSError:
        raise
    except Exception as error:
        # What a broken or foreign pickle raises is not bounded.
        raise ConfigurationError.not_a_study(path, type(error).__name__) from error
    if not isinstance(study, SegmentationStudy):
        raise ConfigurationError.not_a_study(path, f"it is a {type(study).__name__}")
    try:
        check_is_fitted(study)
    except NotFittedError as error:
        raise ConfigurationError.not_a_study(path, "the study in it is not fitted") from error
    return study


def _assign(options: argparse.Namespace) -> None:
    _check_table_path(options.output)
    paths = dict(options.table)
    if len(paths) < len(options.table):
        raise ConfigurationError.expected("custseg assign", "--table", "given once for each table", list(paths))
    study = _load_study(options.study)
    members = getattr(study.characteristics, "members", None)
    needed = sorted({table for _, _, table in members}) if members is not None else list(paths)[:1]
    _check_keys("custseg assign", "table", paths, needed)
    for name in needed:
        if name not in paths:
            raise ConfigurationError.missing_key("custseg assign", f"--table {name}", f"--table {name}={name}.csv")
    tables = _read_tables(paths, study.characteristics)
    _write_assignments(study, tables if members is not None else tables[needed[0]], options.output)


def _report(options: argparse.Namespace) -> None:
    path = _report_path(options.output)
    print(f"Report: {write_report(_load_study(options.study), path)}")
