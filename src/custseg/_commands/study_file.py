"""The study file: what a study asks for, in TOML, with every slip named before anything is read."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sklearn.base import TransformerMixin

from custseg import characteristics, segmentation
from custseg._commands.errors import missing_key
from custseg._commands.expression import Expression
from custseg._commands.outputs import check_output
from custseg._commands.tables import DEFAULT_ID, TableFile
from custseg._core.asking import asking
from custseg._core.params import NONE, check
from custseg._core.toml import parse_toml
from custseg.characteristics import CharacteristicUnion
from custseg.exceptions import ConfigurationError, InvalidParameterError
from custseg.personas import PersonaDescriber
from custseg.segmentation import CharacteristicEmbedder
from custseg.study import SegmentationBrief, SegmentationStudy

__all__ = ["ESTIMATORS", "SEGMENTERS", "Plan", "check_keys", "read_plan", "read_table_files"]

_NUMBERS = ("n_pairs", "n_jobs")
_OWN_WORDS = ("names", "labels", "actions")
_SECTIONS = (
    *("customer_id", "title", "names_from", *_NUMBERS, "tables", "characteristics", "brief", "segmenter", "describer"),
    *(*_OWN_WORDS, "outputs"),
)
_OUTPUTS = ("report", "assignments", "study")
_SWITCHES = {"include_customers": True, "escape_formulas": False}
_STUDY = "the path of a stored study in quotes"
_TABLE = ("path", "dates", "columns")
_MEMBER = {"name": "behaviour", "table": "transactions", "estimator": "RFMFeaturizer"}


def _public(stage: Any, *needed: str) -> dict[str, type[Any]]:
    """Return the public classes of a stage that take customers by id and have some methods, by name."""
    found = {name: getattr(stage, name) for name in stage.__all__}
    return {
        name: kind
        for name, kind in found.items()
        if isinstance(kind, type)
        and all(hasattr(kind, method) for method in needed)
        and "customer_id" in inspect.signature(kind).parameters
    }


ESTIMATORS = {
    name: kind
    for name, kind in _public(characteristics, "fit", "transform").items()
    if issubclass(kind, TransformerMixin) and kind is not CharacteristicUnion
}
"""Every estimator that turns one table into one row per customer, by name."""

SEGMENTERS = _public(segmentation, "fit", "predict")
"""Every segmenter, by name."""


@dataclass(frozen=True)
class Plan:
    """What a study file asks for.

    Attributes
    ----------
    study : SegmentationStudy
        The study, not fitted.
    tables : dict of str to TableFile
        Its tables, by name.
    customer_id : str
        The column of customer ids, where the study file names one for all tables.
    outputs : dict of str to Path
        What to write where.
    include_customers : bool
        Whether the study is stored with the rows of its customers.
    names_from : Path or None
        The stored study of before from which segments keep their names.
    escape_formulas : bool
        Whether ids and names that are formulas to a spreadsheet lose that effect in a CSV file.
    """

    study: SegmentationStudy
    tables: dict[str, TableFile]
    customer_id: str
    outputs: dict[str, Path]
    include_customers: bool = True
    escape_formulas: bool = False
    names_from: Path | None = None


def read_plan(path: Path) -> Plan:
    """Read a study file."""
    where, config = path.name, _read(path)
    tables = _tables(where, config, path.parent)
    customer_id = config.get("customer_id", DEFAULT_ID)
    if not isinstance(customer_id, str):
        raise ConfigurationError.expected(where, "customer_id", "the name of a column", customer_id)
    known = [field.name for field in fields(SegmentationBrief)]
    study = SegmentationStudy(
        SegmentationBrief.from_dict(_options(where, config, "brief", known)),
        characteristics=_characteristics(where, config, list(tables), customer_id),
        clusterer=_segmenter(where, config),
        describer=_made(where, config, "describer", PersonaDescriber),
        customer_id=customer_id,
        **_own_words(where, config),
        **_numbers(where, config),
    )
    asked_for = _options(where, config, "outputs", (*_OUTPUTS, *_SWITCHES))
    switches = {name: asked_for.pop(name, default) for name, default in _SWITCHES.items()}
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise ConfigurationError.expected(f"{where}, [outputs]", name, "true or false", value)
    outputs = {
        name: path.parent / _text(f"{where}, [outputs]", name, file, "a path in quotes")
        for name, file in asked_for.items()
    }
    for name, output in outputs.items():
        check_output(name, output)
    before = config.get("names_from")
    names_from = None if before is None else path.parent / _text(where, "names_from", before, _STUDY)
    return Plan(study, tables, customer_id, outputs, names_from=names_from, **switches)


def read_table_files(path: Path) -> dict[str, TableFile]:
    """Read of a study file only how its tables are read."""
    return _tables(path.name, _read(path), path.parent)


def _read(path: Path) -> dict[str, Any]:
    if "\0" in str(path):
        raise ConfigurationError(f"cannot read {str(path)!r}: its name has a NUL. Check the path.")
    config = parse_toml(path.read_bytes(), repr(str(path)))
    check_keys(path.name, "key", config, _SECTIONS)
    return config


def _numbers(where: str, config: Mapping[str, Any]) -> dict[str, Any]:
    for key in _NUMBERS:
        if key in config and type(config[key]) is not int:
            raise ConfigurationError.expected(where, key, "a whole number", config[key])
    return {key: config[key] for key in _NUMBERS if key in config}


def _own_words(where: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the user calls segments and columns, has decided, and calls the report."""
    allowed = SegmentationStudy._parameters  # noqa: SLF001 - what is wrong is named by its key before a table is read
    words: dict[str, Any] = {section: _options(where, config, section) for section in _OWN_WORDS if section in config}
    for section, options in words.items():
        for key, value in options.items():
            with asking(f"{where}, [{section}] {key!r}"):
                check({section: allowed[section]}, {section: {key: value}})
    if "title" in config:
        words["title"] = _text(where, "title", config["title"], "text in quotes")
    return words


def check_keys(where: str, what: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse a name that is not known, and suggest one that is."""
    for key in given:
        if key not in known:
            with asking(where):
                raise InvalidParameterError.unknown_name(what, key, known)


def _options(where: str, config: Mapping[str, Any], section: str, known: Sequence[str] | None = None) -> dict[str, Any]:
    """Return a section of a study file, its keys checked; an absent one is empty."""
    options = config.get(section, {})
    if not isinstance(options, dict):
        raise ConfigurationError.expected(where, section, f"a section [{section}]", options)
    check_keys(where, f"key of [{section}]", options, list(options) if known is None else known)
    return dict(options)


def _text(where: str, key: str, value: Any, words: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigurationError.expected(where, key, words, value)
    return value


def _tables(where: str, config: Mapping[str, Any], folder: Path) -> dict[str, TableFile]:
    if not config.get("tables"):
        raise missing_key(where, "[tables]", 'transactions = "transactions.csv"')
    options = _options(where, config, "tables")
    return {name: _table(f"{where}, [tables]", options, name, folder) for name in options}


def _table(where: str, options: Mapping[str, Any], name: str, folder: Path) -> TableFile:
    if not isinstance(options[name], dict):
        return TableFile(name, folder / _text(where, name, options[name], "a path in quotes, or a section with path"))
    inside = f"{where[:-1]}.{name}]"
    table = _options(where, options, name, _TABLE)
    if "path" not in table:
        raise missing_key(inside, "path", f'path = "{name}.csv"')
    dates = _options(inside, table, "dates")
    for column, form in dates.items():
        _text(f"{inside}, dates", column, form, 'a format in quotes, such as "%d/%m/%Y"')
    columns = {
        column: Expression.read(text, f"{inside}, columns, {column!r}")
        for column, text in _options(inside, table, "columns").items()
    }
    return TableFile(name, folder / _text(inside, "path", table["path"], "a path in quotes"), dates, columns)


def _made(
    where: str, config: Mapping[str, Any], section: str, kind: type[Any], defaults: Mapping[str, Any] | None = None
) -> Any:
    """Make an estimator of the parameters in a section; ``false`` stands for None, which TOML cannot write."""
    parameters = inspect.signature(kind).parameters
    options = {
        name: None if value is False and _may_be_none(kind, name) else value
        for name, value in _options(where, config, section, sorted(parameters)).items()
    }
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in options:
            raise missing_key(f"{where}, {section}", name, f"{name} = ...")
    made = kind(**{**(defaults or {}), **options})
    # what is no parameter must be named before it meets another one, or a table
    with asking(f"{where}, {section}"):
        check(kind._parameters, made.get_params(deep=False))  # noqa: SLF001
    return made


def _may_be_none(kind: type[Any], name: str) -> bool:
    allowed = getattr(kind, "_parameters", {}).get(name, ())
    return NONE in allowed and not any(one.accepts(False) for one in allowed)


def _segmenter(where: str, config: Mapping[str, Any]) -> Any:
    section = dict(_options(where, config, "segmenter"))
    name = section.pop("kind", "SegmentClusterer")
    check_keys(f"{where}, [segmenter]", "kind", [str(name)], list(SEGMENTERS))
    if isinstance(section.get("embedder"), dict):
        section["embedder"] = _made(f"{where}, [segmenter]", section, "embedder", CharacteristicEmbedder)
    return _made(where, {"segmenter": section}, "segmenter", SEGMENTERS[name])


def _characteristics(where: str, config: Mapping[str, Any], tables: Sequence[str], customer_id: str) -> Any:
    """Return the union that the study file lists; None where its one table is one of customers already."""
    members = config.get("characteristics")
    if members is None and len(tables) == 1:
        return None
    if not isinstance(members, list) or not members or not all(isinstance(member, dict) for member in members):
        example = '[[characteristics]] with name = "behaviour", table = "transactions", estimator = "RFMFeaturizer"'
        raise missing_key(where, "[[characteristics]]", example)
    return CharacteristicUnion(
        [_member(where, member, tables, customer_id) for member in members], customer_id=customer_id
    )


def _member(where: str, member: Mapping[str, Any], tables: Sequence[str], customer_id: str) -> tuple[str, Any, str]:
    check_keys(where, "key of [[characteristics]]", member, (*_MEMBER, "parameters"))
    for key, example in _MEMBER.items():
        if key not in member:
            raise missing_key(f"{where}, [[characteristics]]", key, f'{key} = "{example}"')
        if not isinstance(member[key], str):
            raise ConfigurationError.expected(f"{where}, [[characteristics]]", key, "text", member[key])
    check_keys(where, "estimator", [member["estimator"]], list(ESTIMATORS))
    check_keys(where, "table", [member["table"]], tables)
    place = f"{where}, [[characteristics]] {member['name']!r}"
    kind = ESTIMATORS[member["estimator"]]
    return member["name"], _made(place, member, "parameters", kind, {"customer_id": customer_id}), member["table"]
