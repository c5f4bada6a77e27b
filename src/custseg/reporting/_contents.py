"""What a report says, as plain facts: read from a fitted study once, rendered in several formats."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pandas as pd

from custseg._core.coverage import known_of
from custseg._core.words import (
    format_against,
    format_lift,
    format_number,
    format_numbers,
    format_share,
    format_shares,
    format_total,
    format_value,
    known,
)
from custseg._version import __version__
from custseg.personas import Persona, Trait
from custseg.reporting._data_table import DataTable
from custseg.reporting._numbers import asked_for, largest_number, numbers_table
from custseg.reporting._study import FittedStudy
from custseg.segmentation import Rule
from custseg.targeting import Action, Plan, find_goal
from custseg.validation import STABLE_ADJUSTED_RAND, STABLE_SEGMENT, Evidence, StabilityResult

NO_STABILITY = (
    "Nobody was drawn again: the customers and the limits leave no room for two groups, so no stability is known."
)
NO_ROWS_TOLD = "Nothing was reported as read, matched or left out."
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy")
_LONGEST_LIMIT = 12


@dataclass(frozen=True)
class TraitLine:
    """One trait of a persona: here against elsewhere."""

    characteristic: str
    statistic: str
    here: str
    elsewhere: str
    effect: float | None
    used_for_clustering: bool
    known: str

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
    typical: tuple[tuple[str, str, str], ...]
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
    notice: str
    outcomes: tuple[DataTable, ...]
    n_groups_shown: int
    selection: str | None
    largest: str | None
    numbers: DataTable | None
    stability: tuple[StabilityPoint, ...]
    n_pairs: int
    figures: tuple[tuple[str, str, str], ...]
    read: tuple[DataTable, ...]
    checked: str
    method: tuple[DataTable, ...]


def read_study(study: FittedStudy, title: str) -> Contents:
    """Collect what a report says from a fitted study."""
    evidence, verdict = study.evidence_, study.evidence_.verdict
    segmentation = study.plan_.segmentation
    is_cut = verdict.word == "constructive" and segmentation.n_segments > 1
    found = _partition(study.plan_, evidence, constructive=is_cut)
    cut = None if study.cut_plan_ is None else _partition(study.cut_plan_, evidence, constructive=True)
    stability = _stability(evidence.stability)
    return Contents(
        title=title,
        brief=_brief(study),
        word=verdict.word,
        verdict=_in_words(verdict.sentence, _labels(study)),
        found=found,
        cut=cut,
        notice=_notice(evidence, is_cut=is_cut, has_cut=cut is not None),
        outcomes=_outcomes(study),
        n_groups_shown=len((cut or found).groups),
        selection=None if evidence.selection is None else _in_words(str(evidence.selection.reason), _labels(study)),
        largest=largest_number(evidence.numbers),
        numbers=numbers_table(evidence.numbers),
        stability=stability,
        n_pairs=evidence.stability.n_pairs if stability else 0,
        figures=_figures(study, found, cut),
        read=_read(study),
        checked=_checked(study),
        method=_method(study),
    )


def _in_words(text: str, labels: Mapping[str, str]) -> str:
    """Call the columns that a sentence quotes what the rest of the report calls them."""
    for column, label in labels.items():
        text = text.replace(repr(column), f"“{label}”")
    return text


def _notice(evidence: Evidence, *, is_cut: bool, has_cut: bool) -> str:
    """Say what segments that are not natural are good for, in the words of the verdict, which knows why."""
    if has_cut:
        return (
            f"{evidence.verdict.sentence.partition('. ')[0].rstrip('.')}. The groups below divide the customers where "
            "the dividing lines came back most alike; use them where a division is needed anyway, and do not read them "
            "as kinds of customers."
        )
    if is_cut:
        return "These segments are a constructive cut: they may be useful, and are no more than that."
    if evidence.verdict.word == "reproducible" and "lines through a continuum" in evidence.verdict.sentence:
        return (
            "These segments can be planned with, since other samples of such customers give the same ones. They are "
            "no kinds of customers: on both sides of a line between two segments customers are alike."
        )
    return ""


def _partition(plan: Plan, evidence: Evidence, *, constructive: bool) -> Partition:
    segmentation = plan.segmentation
    table = plan.personas.segment_table.assign(stability=evidence.stability_of(segmentation))
    rows = zip(table.to_dict("records"), plan.personas.personas, plan.actions, strict=True)
    groups = tuple(_group(row, persona, action, plan.personas.column_labels) for row, persona, action in rows)
    return Partition(constructive, evidence.mean_adjusted_rand_of(segmentation), groups)


def _group(row: Mapping[Any, Any], persona: Persona, action: Action, labels: Mapping[str, str]) -> Group:
    typical, unknown = _typical(persona, labels)
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
        # what is done for everyone sets nobody apart
        actions=() if row["share"] == 1 else ((action.action, action.advice, action.because),),
    )


def _number(value: Any) -> float | None:
    return float(value) if known(value) else None


def _trait(trait: Trait) -> TraitLine:
    own, rest = trait.segment_value, trait.rest_value
    if isinstance(own, str) or isinstance(rest, str):
        here, elsewhere = str(own), str(rest)
    else:
        here, elsewhere = (format_shares if trait.statistic == "share" else format_numbers)(own, rest)
    named = trait.level is not None and trait.kind != "binary"
    return TraitLine(
        characteristic=f"{trait.label}: {trait.level}" if named else trait.label,
        statistic=trait.statistic if trait.lift is None else f"{trait.statistic}, {format_lift(trait.lift)}",
        here=here,
        elsewhere=elsewhere,
        effect=None if math.isnan(trait.effect_size) else float(trait.effect_size),
        used_for_clustering=bool(trait.clustered_on),
        known=trait.note,
    )


def _typical(persona: Persona, labels: Mapping[str, str]) -> tuple[tuple[tuple[str, str, str], ...], tuple[str, ...]]:
    """Return the known values of the typical customer, and the characteristics too few are known of."""
    values = persona.typical_customer
    known_values = tuple(
        (labels[name], format_value(value), known_of(persona.known_shares.get(name, 1.0)))
        for name, value in values.items()
        if value is not None
    )
    return known_values, tuple(labels[name] + _count(persona, name) for name, value in values.items() if value is None)


def _count(persona: Persona, name: str) -> str:
    """Say of how many of its customers a characteristic is known, unless these are too few to be told."""
    share, n_customers = persona.known_shares.get(name), persona.n_customers
    if share is None or n_customers is None:
        return ""
    return f" (of {format_total(share * n_customers)} of {format_total(n_customers)})"


def _stability(result: StabilityResult) -> tuple[StabilityPoint, ...]:
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
            format_against(point.mean, STABLE_ADJUSTED_RAND),
            f"{format_number(point.low)} to {format_number(point.high)}",
            format_against(point.weakest, STABLE_SEGMENT),
            "yes" if point.stable else "no",
        )
        for point in contents.stability
    )
    columns = ("Segments", "Mean", "90% range", "Weakest", "Stable")
    caption = (
        f"Adjusted Rand index over {format_total(contents.n_pairs)} pairs of refits (mean, and the range of 90% "
        f"of them), and the stability of the weakest segment; stable from a mean of {STABLE_ADJUSTED_RAND:g} where the "
        f"weakest has {STABLE_SEGMENT:g} or more"
    )
    return DataTable(caption, columns, rows, (False, True, True, True, False))


def _outcomes(study: FittedStudy) -> tuple[DataTable, ...]:
    """Show each outcome by segment: the figure, its interval, and that of all customers."""
    shown = study.cut_plan_ or study.plan_
    sizes = shown.personas.segment_table.set_index("name")["n_customers"]
    return tuple(
        _outcome(_labels(study)[str(outcome)], rows, sizes)
        for outcome, rows in study.outcomes_.groupby("outcome", sort=False)
    )


def _outcome(label: str, rows: pd.DataFrame, sizes: pd.Series[Any]) -> DataTable:
    write = format_share if (rows["statistic"] == "share").all() else format_number
    figures = [
        (
            row["name"],
            *([] if rows["level"].isna().all() else [row["level"]]),
            "too few" if pd.isna(row["value"]) else write(row["value"]) + _of_whom(row, sizes),
            "" if pd.isna(row["value"]) else f"{write(row['low'])} to {write(row['high'])}",
            write(row["value_overall"]),
        )
        for row in rows.to_dict("records")
    ]
    columns = ("Segment", *(["Level"] if len(figures[0]) == 5 else []), "Here", "95% interval", "All customers")
    caption = f"{label}: what became of each segment. It made no segment, and a difference does not say why"
    return DataTable(caption, columns, tuple(figures), tuple(name not in ("Segment", "Level") for name in columns))


def _of_whom(row: Mapping[Any, Any], sizes: pd.Series[Any]) -> str:
    """Say of how many of its segment an outcome is known, where that is not most of them."""
    n_known, n_customers = row.get("n_known"), sizes[row["name"]]
    note = known_of(n_known / n_customers) if n_known is not None and known(n_known) else ""
    return f", {note}" if note else ""


def _brief(study: FittedStudy) -> tuple[tuple[str, str], ...]:
    brief = study.brief
    goal = find_goal(brief.goal)
    limits = asked_for(brief)
    if brief.min_segment_share is not None:
        limits.append(f"each segment holds at least {100 * brief.min_segment_share:g}% of the customers")
    if brief.max_segments is not None:
        limits.append(f"at most {brief.max_segments} segments")
    seen, used = study.n_customers_seen_, study.plan_.segmentation.n_customers
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
    return "All customers in the tables" if rule is None else rule_in_words(rule, labels)


def rule_in_words(rule: Rule, labels: Mapping[str, str]) -> str:
    """Write the conditions of a rule, with the columns in words."""
    if not rule.alternatives:
        return "nobody can meet it"
    all_of = "; " if len(rule.alternatives) == 1 else " and "
    return " or ".join(
        all_of.join(_condition(condition, labels[condition.column]) for condition in conditions) or "everyone"
        for conditions in rule.alternatives
    )


def _condition(condition: Any, label: str) -> str:
    return " ".join((label, condition.operator, ", ".join(sorted(map(_limit, condition.values)))))


def _limit(value: Any) -> str:
    """Write what a condition compares with: numbers in full, since they are limits and no measurements.

    Longer ones were learned from customers, and are told as what is measured of them.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return format_value(value)
    number = int(value) if float(value).is_integer() else value
    return f"{number:,}" if len(str(number)) <= _LONGEST_LIMIT else format_number(value, 4)


def _labels(study: FittedStudy) -> dict[str, str]:
    """Label every column as the personas do."""
    return study.plan_.personas.column_labels


def _figures(study: FittedStudy, found: Partition, cut: Partition | None) -> tuple[tuple[str, str, str], ...]:
    shown, segmentation = cut or found, study.plan_.segmentation
    figures = [("Customers", format_total(segmentation.n_customers), "in the audience of the brief")]
    if cut is None:
        figures.append(("Segments", format_total(segmentation.n_segments), study.evidence_.verdict.word))
    else:
        figures.append(("Segments", "1", "all customers together"))
        figures.append(("Groups shown", format_total(len(cut.groups)), "a constructive cut"))
    if n_not_assigned := segmentation.n_not_assigned:
        figures.append(("Not assigned", format_total(n_not_assigned), "meet no rule and are in no segment"))
    if known(shown.mean_adjusted_rand):
        figures.append(
            ("Stability", format_number(shown.mean_adjusted_rand), "mean adjusted Rand index; 1 is complete agreement")
        )
    if shown.has_value:
        total = sum(group.value for group in shown.groups if group.value is not None)
        whose = "the customers in a segment" if n_not_assigned else "the audience"
        what = "net spend" if study.brief.value is None else _labels(study)[study.brief.value]
        money = "" if study.brief.currency is None else f" in {study.brief.currency}"
        figures.append(("Value", format_total(total), f"{what} of {whose}{money}"))
    return tuple(figures)


def _read(study: FittedStudy) -> tuple[DataTable, ...]:
    """List the tables on what was read, matched, left out and filtered."""
    tables = []
    if len(study.tables_read_):
        tables.append(DataTable.of("Tables read", study.tables_read_.drop_duplicates()))
    if study.match_report_ is not None:
        names = {
            "n_customers": "customers",
            "n_matched": "matched",
            "n_without": "without a match here",
            "n_unmatched": "left out as unknown",
        }
        caption = "Customers of each table, matched to those of the first"
        tables.append(DataTable.of(caption, study.match_report_.rename(columns=names)))
    if len(study.audience_report_):
        audience = study.audience_report_.rename(columns={"n_left_out": "customers left out"})
        tables.append(DataTable.of("Customers outside the audience, by condition", audience))
    touched = _touched(study.row_report_.to_frame())
    if len(touched):
        tables.append(DataTable.of("Rows that a policy touched", touched))
    return tuple(tables)


def _touched(report: pd.DataFrame) -> pd.DataFrame:
    """Return the policies that found something to do: what members of one table share once, else by the member."""
    touched = report[report["n_rows"] > 0].rename(columns={"n_rows": "rows"})
    if "member" in touched:
        differ = touched.groupby(["table", "policy"])["rows"].transform("nunique") > 1
        named = touched["policy"] + " (" + touched["member"] + ")"
        touched = touched.assign(policy=touched["policy"].where(~differ, named)).drop(columns="member")
    return touched.drop_duplicates()


def _checked(study: FittedStudy) -> str:
    """Name the policies that found nothing to do, so that a reader knows they were applied."""
    idle = [policy.policy for policy in study.row_report_.policies if not policy.n_rows]
    return "; ".join(dict.fromkeys(idle))


def _method(study: FittedStudy) -> tuple[DataTable, ...]:
    tables = []
    if (transforms := _transforms_of(study)) is not None:
        shown = _transforms(transforms, _labels(study))
        tables.append(DataTable.of("Characteristics and how they entered the distance", shown))
    clusterer = study.plan_.segmentation.clusterer
    own = {} if clusterer is None else clusterer.get_params(deep=False)
    settings = [*sorted(own.items()), ("n_pairs", study.n_pairs)]
    tables.append(_pairs("Settings", ("setting", "value"), settings))
    versions = [("custseg", __version__), ("Python", platform.python_version())]
    versions += [(name, version(name)) for name in _LIBRARIES]
    tables.append(_pairs("Versions", ("software", "version"), versions))
    return tuple(tables)


def _transforms_of(study: FittedStudy) -> pd.DataFrame | None:
    clusterer = study.plan_.segmentation.clusterer
    # A clusterer that takes a numeric matrix as it is has no embedder.
    return None if clusterer is None or clusterer.embedder_ is None else clusterer.embedder_.transforms_


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


def _pairs(caption: str, columns: tuple[str, str], pairs: Iterable[tuple[str, Any]]) -> DataTable:
    rows = tuple((name, _setting_text(value)) for name, value in pairs)
    return DataTable(caption, columns, rows, (False, False))


def _setting_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_setting_text(item)}" for name, item in value.items()) or "none"
    if value is None:
        return "not set"
    return value if isinstance(value, str) else repr(value)
