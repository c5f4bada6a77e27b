"""What a report says, as plain facts: read from a fitted study once, rendered in several formats."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pandas as pd

from custseg._core.words import (
    format_lift,
    format_number,
    format_numbers,
    format_share,
    format_shares,
    format_total,
    format_value,
    humanise,
    known,
)
from custseg._version import __version__
from custseg.segmentation import Rule
from custseg.targeting import find_goal

_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy")


@dataclass(frozen=True)
class DataTable:
    """A small table of text and numbers, shown as it is."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]

    @classmethod
    def of(cls, caption: str, frame: pd.DataFrame) -> DataTable:
        """Take over a frame, its numbers formatted."""
        numeric = tuple(
            pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name])
            for name in frame.columns
        )
        rows = tuple(tuple(map(format_value, row)) for row in frame.itertuples(index=False, name=None))
        return cls(caption, tuple(humanise(list(map(str, frame.columns))).values()), rows, numeric)


@dataclass(frozen=True)
class TraitLine:
    """One trait of a persona: here against elsewhere."""

    characteristic: str
    statistic: str
    here: str
    elsewhere: str
    effect: float | None
    used_for_clustering: bool

    @property
    def direction(self) -> str:
        """``more``, ``less`` or ``same``, by the sign of the effect."""
        if not self.effect:
            return "same"
        return "more" if self.effect > 0 else "less"


@dataclass(frozen=True)
class Group:
    """One segment (or one group of a constructive cut) with its persona."""

    segment: int
    name: str
    size: str
    n_customers: float | None
    share: float | None
    value: float | None
    value_share: float | None
    stability: float | None
    summary: str
    suppressed: bool
    traits: tuple[TraitLine, ...]
    typical: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]
    actions: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Partition:
    """Groups that together hold every customer of the audience."""

    constructive: bool
    mean_adjusted_rand: float | None
    groups: tuple[Group, ...]

    @property
    def has_value(self) -> bool:
        """Whether a value is known for any group."""
        return any(known(group.value) for group in self.groups)


@dataclass(frozen=True)
class StabilityPoint:
    """Agreement between pairs of refits with one number of segments."""

    n_segments: int
    mean: float
    low: float
    high: float
    weakest: float
    stable: bool


@dataclass(frozen=True)
class Contents:
    """Everything a report says."""

    title: str
    brief: tuple[tuple[str, str], ...]
    word: str
    verdict: str
    found: Partition
    cut: Partition | None
    n_groups_shown: int
    selection: str | None
    stability: tuple[StabilityPoint, ...]
    n_pairs: int
    figures: tuple[tuple[str, str, str], ...]
    read: tuple[DataTable, ...]
    checked: str
    method: tuple[DataTable, ...]


def read_study(study: Any, title: str) -> Contents:
    """Collect what a report says from a fitted study."""
    found = _partition(study, constructive=study.verdict_.word == "constructive" and study.n_segments_ > 1)
    cut = None if study.cut_ is None else _cut(study.cut_)
    stability = _stability(study.stability_)
    n_groups_shown = len((cut or found).groups)
    return Contents(
        title=title,
        brief=_brief(study),
        word=study.verdict_.word,
        verdict=study.verdict_.sentence,
        found=found,
        cut=cut,
        n_groups_shown=n_groups_shown,
        selection=None if study.selection_ is None else str(study.selection_.reason),
        stability=stability,
        n_pairs=study.stability_.n_pairs if stability else 0,
        figures=_figures(study, found, cut),
        read=_read(study),
        checked=_checked(study),
        method=_method(study),
    )


def _partition(study: Any, *, constructive: bool) -> Partition:
    agreement = study.stability_.mean_adjusted_rand.get(study.n_segments_)
    groups = _groups(study.segment_table_, study.personas_, study.actions_)
    return Partition(constructive, None if agreement is None else float(agreement), groups)


def _cut(cut: Any) -> Partition:
    return Partition(True, float(cut.mean_adjusted_rand), _groups(cut.segment_table, cut.personas, cut.actions))


def _groups(table: pd.DataFrame, personas: Iterable[Any], actions: Iterable[Any]) -> tuple[Group, ...]:
    rows = zip(table.to_dict("records"), personas, actions, strict=True)
    return tuple(_group(row, persona, action) for row, persona, action in rows)


def _group(row: Mapping[Any, Any], persona: Any, action: Any) -> Group:
    typical, unknown = _typical(persona)
    return Group(
        segment=int(row["segment"]),
        name=str(row["name"]),
        size=persona.size,
        n_customers=_number(row["n_customers"]),
        share=_number(row["share"]),
        value=_number(row["value"]),
        value_share=_number(row["value_share"]),
        stability=_number(row["stability"]),
        summary=persona.summary.removeprefix(f"{persona.name}: "),
        suppressed=persona.suppressed,
        traits=tuple(map(_trait, persona.traits)),
        typical=typical,
        unknown=unknown,
        actions=((action.action, action.advice, action.because),),
    )


def _number(value: Any) -> float | None:
    return float(value) if known(value) else None


def _trait(trait: Any) -> TraitLine:
    is_share = trait.statistic == "share"
    if is_share:
        here, elsewhere = format_shares(trait.segment_value, trait.rest_value)
    elif isinstance(trait.segment_value, str):
        here, elsewhere = trait.segment_value, str(trait.rest_value)
    else:
        here, elsewhere = format_numbers(trait.segment_value, trait.rest_value)
    named = trait.level is not None and trait.kind != "binary"
    return TraitLine(
        characteristic=f"{trait.label}: {trait.level}" if named else trait.label,
        statistic=trait.statistic if trait.lift is None else f"{trait.statistic}, {format_lift(trait.lift)}",
        here=here,
        elsewhere=elsewhere,
        effect=None if math.isnan(trait.effect_size) else float(trait.effect_size),
        used_for_clustering=bool(trait.clustered_on),
    )


def _typical(persona: Any) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the known values of the typical customer, and the characteristics too few are known of."""
    values = persona.typical_customer
    labels = humanise(list(values))
    known_values = tuple((labels[name], format_value(value)) for name, value in values.items() if value is not None)
    return known_values, tuple(labels[name] for name, value in values.items() if value is None)


def _stability(result: Any) -> tuple[StabilityPoint, ...]:
    return tuple(
        StabilityPoint(
            int(row["n_segments"]),
            float(row["mean_adjusted_rand"]),
            float(row["low_adjusted_rand"]),
            float(row["high_adjusted_rand"]),
            float(row["min_slsw"]),
            bool(row["stable"]),
        )
        for row in result.summary.to_dict("records")
    )


def stability_table(contents: Contents) -> DataTable:
    """Show the agreement between refits as a table, one row per number of segments."""
    rows = tuple(
        (
            str(point.n_segments),
            format_number(point.mean),
            f"{format_number(point.low)} to {format_number(point.high)}",
            format_number(point.weakest),
            "yes" if point.stable else "no",
        )
        for point in contents.stability
    )
    columns = ("Segments", "Mean", "90% range", "Weakest", "Stable")
    caption = (
        f"Adjusted Rand index over {format_total(contents.n_pairs)} pairs of refits (mean, and the range of 90% "
        "of them), and the stability of the weakest segment"
    )
    return DataTable(caption, columns, rows, (False, True, True, True, False))


def _brief(study: Any) -> tuple[tuple[str, str], ...]:
    brief = study.brief
    goal = find_goal(brief.goal)
    limits = []
    if brief.min_segment_share is not None:
        limits.append(f"each segment holds at least {100 * brief.min_segment_share:g}% of the customers")
    if brief.max_segments is not None:
        limits.append(f"at most {brief.max_segments} segments")
    seen, used = study.n_customers_seen_, len(study.labels_)
    customers = f"{format_total(used)} customers"
    if used < seen:
        customers += f" of the {format_total(seen)} in the tables"
    return (
        ("Goal", f"{goal.name.capitalize()}. {goal.question}"),
        ("Audience", _audience(brief.audience_rule, _labels(study))),
        ("Customers", customers),
        ("Limits", "; ".join(limits).capitalize() if limits else "None were set"),
    )


def _audience(rule: Rule | None, labels: Mapping[str, str]) -> str:
    if rule is None:
        return "All customers in the tables"
    all_of = "; " if len(rule.alternatives) == 1 else " and "
    return " or ".join(
        all_of.join(_condition(condition, labels[condition.column]) for condition in conditions)
        for conditions in rule.alternatives
    )


def _condition(condition: Any, label: str) -> str:
    return " ".join((label, condition.operator, ", ".join(sorted(map(_limit, condition.values)))))


def _limit(value: Any) -> str:
    """Write what a condition compares with: numbers in full, since they are limits and no measurements."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:,}" if is_number else format_value(value)


def _labels(study: Any) -> dict[str, str]:
    """Label every column that the report names as the personas do, those that brief and method name included."""
    columns = [name for persona in study.personas_ for name in persona.typical_customer]
    rule = study.brief.audience_rule
    columns += [] if rule is None else [condition.column for each in rule.alternatives for condition in each]
    transforms = _transforms_of(study)
    columns += [] if transforms is None else list(transforms["column"])
    return humanise(list(dict.fromkeys(columns)))


def _figures(study: Any, found: Partition, cut: Partition | None) -> tuple[tuple[str, str, str], ...]:
    shown = cut or found
    figures = [("Customers", format_total(len(study.labels_)), "in the audience of the brief")]
    if cut is None:
        figures.append(("Segments", format_total(study.n_segments_), study.verdict_.word))
    else:
        figures.append(("Distinct segments", "none", "the customers form one continuum"))
    if cut is not None:
        figures.append(("Groups shown", format_total(len(cut.groups)), "a constructive cut"))
    if n_not_assigned := int((study.labels_ < 0).sum()):
        figures.append(("Not assigned", format_total(n_not_assigned), "meet no rule and are in no segment"))
    if known(shown.mean_adjusted_rand):
        figures.append(
            ("Stability", format_number(shown.mean_adjusted_rand), "mean adjusted Rand index; 1 is complete agreement")
        )
    if shown.has_value:
        total = sum(group.value for group in shown.groups if group.value is not None)
        whose = "the customers in a segment" if n_not_assigned else "the audience"
        figures.append(("Value", format_total(total), f"net spend of {whose}"))
    return tuple(figures)


def _read(study: Any) -> tuple[DataTable, ...]:
    """List the tables on what was read, matched, left out and filtered."""
    tables = []
    if rows := _rows_read(study.characteristics_):
        tables.append(DataTable.of("Tables read", pd.DataFrame(rows)))
    matches = getattr(study.characteristics_, "match_report_", None)
    if matches is not None:
        names = {
            "n_customers": "customers",
            "n_matched": "matched",
            "n_without": "without a match here",
            "n_unmatched": "left out as unknown",
        }
        caption = "Customers of each table, matched to those of the first"
        tables.append(DataTable.of(caption, matches.to_frame().rename(columns=names)))
    if len(study.audience_report_):
        audience = study.audience_report_.rename(columns={"n_left_out": "customers left out"})
        tables.append(DataTable.of("Customers outside the audience, by condition", audience))
    report = study.row_report_.to_frame().drop(columns="member", errors="ignore")
    touched = report[report["n_rows"] > 0].rename(columns={"n_rows": "rows"})
    if len(touched):
        tables.append(DataTable.of("Rows that a policy touched", touched))
    return tuple(tables)


def _rows_read(characteristics: Any) -> list[dict[str, Any]]:
    members = getattr(characteristics, "members_", [("", characteristics, "")])
    reports = [(table, getattr(member, "row_report_", None)) for _, member, table in members]
    return [
        {
            **({"table": table} if table else {}),
            "rows": report.n_rows,
            "rows used": report.n_used,
            "rows left out": report.n_left_out,
        }
        for table, report in reports
        if report is not None
    ]


def _checked(study: Any) -> str:
    """Name the policies that found nothing to do, so that a reader knows they were applied."""
    idle = [policy.policy for policy in study.row_report_.policies if not policy.n_rows]
    return "; ".join(dict.fromkeys(idle))


def _method(study: Any) -> tuple[DataTable, ...]:
    tables = []
    if (transforms := _transforms_of(study)) is not None:
        shown = _transforms(transforms, _labels(study))
        tables.append(DataTable.of("Characteristics and how they entered the distance", shown))
    settings = [*_settings(study.clusterer_), ("n_pairs", study.n_pairs)]
    tables.append(_pairs("Settings", ("setting", "value"), settings))
    versions = [("custseg", __version__), ("Python", platform.python_version())]
    versions += [(name, version(name)) for name in _LIBRARIES]
    tables.append(_pairs("Versions", ("software", "version"), versions))
    return tuple(tables)


def _transforms_of(study: Any) -> Any:
    # A clusterer that takes a numeric matrix as it is has no embedder.
    return getattr(getattr(study.clusterer_, "embedder_", None), "transforms_", None)


def _transforms(transforms: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Show each characteristic's way into the distance: its weight, and what was done to its values."""
    return pd.DataFrame(
        {
            "characteristic": transforms["column"].map(labels),
            "kind": transforms["kind"],
            "weight": transforms["weight"],
            "transform": transforms["transform"],
            "missing": transforms["missing_share"].map(format_share),
        }
    )


def _settings(clusterer: Any) -> list[tuple[str, Any]]:
    return sorted(clusterer.get_params(deep=False).items())


def _pairs(caption: str, columns: tuple[str, str], pairs: Iterable[tuple[str, Any]]) -> DataTable:
    rows = tuple((name, _setting_text(value)) for name, value in pairs)
    return DataTable(caption, columns, rows, (False, False))


def _setting_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_setting_text(item)}" for name, item in value.items()) or "none"
    if value is None:
        return "not set"
    return value if isinstance(value, str) else repr(value)
