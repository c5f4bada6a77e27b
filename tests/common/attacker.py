"""Who wants to know what a study hides: all that is published of it, taken together and solved for.

Written from the rules, not from what keeps them: nothing is told of 1 to 9 customers, no total of which one makes more
than half, nothing by whose complement, negation or sum the hidden follows. The attacker has every report and frame in
full precision, knows how many customers there are, all levels, the range of every number, and which columns say the
same in other words. It does not trust that the hidden enter no figure: one that the shown do not account for is an
equation with the hidden in it. What it finds is judged by the customers themselves.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from custseg.reporting import render_json

LEAST = 10
# By the rule itself a hidden count is one of 0 to 9: it is found where one or two of these are left. That a level is
# the middle or the most frequent one leaves three and more.
CANDIDATES = 3
# A mean is found where its interval is narrower than a tenth of the range of the column: the middle is then off by a
# twentieth of it at most, a guess from the range alone by up to half of it.
NARROW = 0.1
# Figures have 15 digits, the solver keeps to seven.
_EXACT = 1e-6

# Yes and no in other words: what each column calls the one, and the other.
SAME = {
    "ill": ("yes", "no"),
    "well": ("no", "yes"),
    "health": ("unwell", "healthy"),
    "risk": ("risky", "riskless"),
    "sick": ("1", "0"),
}
LEVELS = {
    "left": ["yes", "no"],
    "ill": ["yes", "no"],
    "way": ["bus", "car", "foot", "train", "unicycle"],
    "reason": ["toll", "delay", "removal", "lawsuit"],
    "stage": ["larval", "nymphal", "pupal", "adult"],
    "grade": ["starless", "onestar", "twostar", "threestar"],
}
NUMBERS = ["spend", "age", "visits"]


class Equations:
    """What is known of unknown numbers, none below 0: each lies between bounds, and so do sums of them."""

    def __init__(self):
        self.names, self.bounds, self.rows, self.limits = {}, [], [], []
        self.matrix = None

    def unknown(self, name, low=0.0, high=None):
        self.names[name] = len(self.names)
        self.bounds.append((low, high))
        return name

    def between(self, terms, low, high=math.inf):
        for sign, limit in ((1.0, high), (-1.0, -low)):
            if math.isfinite(limit):
                self.rows.append({name: sign * factor for name, factor in terms.items()})
                self.limits.append(limit)

    def equal(self, terms, value):
        self.between(terms, value - _EXACT, value + _EXACT)

    def least(self, names, sign=1.0):
        """Values that all unknowns may have, with the sum of some as small as it can be; or as large."""
        if self.matrix is None:
            self.matrix = np.zeros((len(self.rows), len(self.names)))
            for row, terms in zip(self.matrix, self.rows, strict=True):
                for name, factor in terms.items():
                    row[self.names[name]] += factor
        goal = np.zeros(len(self.names))
        goal[[self.names[name] for name in names]] = sign
        found = linprog(goal, self.matrix, self.limits, bounds=self.bounds, method="highs")
        assert found.status == 0, f"what is published contradicts itself about {names}: {found.message}"
        return dict(zip(self.names, found.x, strict=True))

    def intervals(self, wanted, wide, points=()):
        """Where unknowns lie; of those that may differ by ``wide``, two values that they may have."""
        points = list(points)
        for name, sign in itertools.product(wanted, (1.0, -1.0)):
            seen = [point[name] for point in points]
            if not seen or max(seen) - min(seen) < wide:
                points.append(self.least([name], sign))
        return {name: (min(own), max(own)) for name in wanted for own in [[point[name] for point in points]]}


@dataclass
class Part:
    """One set of segments, as published: sizes, figures of each characteristic, outcomes, reasons."""

    name: str
    segments: list[dict]
    personas: list[dict]
    actions: list[dict]
    profile: pd.DataFrame
    outcomes: pd.DataFrame
    told: np.ndarray = field(repr=False)
    compared: list[dict] = field(default_factory=list)

    def __post_init__(self):
        self.sizes = {row["segment"]: row["n_customers"] for row in self.segments if row["n_customers"]}
        self.known, self.rows, self.results = {}, defaultdict(list), defaultdict(list)
        for row in self.profile.to_dict("records"):
            self.rows[row["characteristic"]].append(row)
            if row["segment"] in self.sizes:
                known = round(self.sizes[row["segment"]] * (1 - row["missing_share"]))
                self.known[row["characteristic"], row["segment"]] = known
        for row in self.compared:
            self.rows[row["characteristic"]].append({**row, "segment_category": None, "is_pool": True})
        for row in self.outcomes.to_dict("records"):
            self.results[row["outcome"]].append(row)


def published(study, forms):
    """All that is handed on of a study: its parts, and every text; the report in the given forms beside JSON."""
    texts = [render(study) for render in (render_json, *forms)]
    facts = json.loads(texts[0])
    plans = {"everyone": study.plan_, "cut": study.cut_plan_} if study.cut_plan_ else {"segments": study.plan_}
    parts = []
    for name, plan in plans.items():
        told = facts if name != "cut" else facts["cut"]
        outcomes = study.outcomes_ if name != "everyone" else study.outcomes_[:0]
        parts.append(
            Part(
                name,
                told["segments"],
                told["personas"],
                told["actions"],
                plan.personas.profile,
                outcomes,
                plan.personas.described.labels,
                # of the segments that the study leads with
                facts["profile"] if name != "everyone" else [],
            )
        )
    for plan in plans.values():
        describer = plan.personas.describer
        texts += [describer.to_html(), describer.to_markdown(), describer.to_json(), str(plan), str(plan.personas)]
        texts += [str(frame.to_numpy().tolist()) for frame in (plan.to_frame(), plan.personas.profile)]
    return parts, [*texts, str(study.outcomes_.to_numpy().tolist())]


def attack(study, table, forms):
    """Return what is found of what should be hidden, in words; ``table`` judges, and tells the attacker the ranges."""
    parts, texts = published(study, forms)
    found = words(texts, table) + hidden_sizes(parts, table)
    for column in NUMBERS:
        found += few_or_dominated(parts, table, column) + numbers(parts, table, column, study.brief.value == column)
    for column in LEVELS:
        found += few_in_all(parts, table, column) + counts(parts, table, column)
    return found


def words(texts, table):
    """Ids, levels of fewer than ten, and the sum of one customer who stands out, wherever they are written."""
    found = []
    whole = "\n".join(texts)
    found += [f"id {each}" for each in set(re.findall(r"K-\d+", whole)) & set(table["customer_id"])]
    for column in ("way", "reason", "stage", "grade", "health", "risk"):
        held = table[column].value_counts()
        found += [f"{column}: {level}" for level in held.index[held < LEAST] if re.search(rf"\b{level}\b", whole)]
    largest = table["spend"].max()
    if largest > 1e6:
        digits = f"{largest:.0f}"[:4]
        numbers_ = (text.replace(",", "") for text in re.findall(r"\d[\d,.]+", whole))
        found += [f"spend {text}" for text in numbers_ if text.startswith(digits)]
    return found


def hidden_sizes(parts, table):
    """What the sizes and shares of the others leave for those of whom no size is told."""
    found = []
    for part in parts:
        hidden = [row["segment"] for row in part.segments if row["n_customers"] is None]
        if not hidden:
            continue
        equations = Equations()
        for each in hidden:
            equations.unknown(each, 1, LEAST - 1 if part.sizes else len(table))
        # as many of others as need be may be left out with them
        equations.between(dict.fromkeys(hidden, 1.0), 0, len(table) - sum(part.sizes.values()))
        for row in part.segments:
            if row["share"]:
                whole = row["n_customers"] / row["share"]
                if abs(whole - sum(part.sizes.values())) > _EXACT * whole:
                    equations.equal(dict.fromkeys(hidden, 1.0), whole - sum(part.sizes.values()))
        for each, (low, high) in equations.intervals(hidden, LEAST - 2).items():
            if high - low < LEAST - 2 - _EXACT:
                found.append(f"{part.name}: size of segment {each} is {low:g} to {high:g}")
    return found


def _of(part, table, column, segment):
    return table.loc[part.told == segment, column]


def few_or_dominated(parts, table, column):
    """Totals and means that are told although few stand behind them, or one for the most part."""
    found = []
    for part in parts:
        told = {row["segment"] for row in part.rows[column] if not pd.isna(row["segment_value"])}
        told |= {row["segment"] for row in part.results[column] if not pd.isna(row["value"])}
        if column == "spend":
            told |= {row["segment"] for row in part.segments if row["value"]}
        for segment in told:
            values = _of(part, table, column, segment).dropna().abs()
            # of everyone some are left out whom a cut hides
            if part.known.get((column, segment), len(values)) != len(values):
                continue
            if len(values) < LEAST or values.max() > (1 + 1e-9) * values.sum() / 2:
                found.append(f"{part.name}: {column} of segment {segment} is told of {len(values)}, or of one")
    return found


def numbers(parts, table, column, is_value):
    """Means of those who are hidden in a column, from totals, from the others, and from everyone."""
    low, high = table[column].min(), table[column].max()
    equations, hidden = Equations(), []
    # sums are counted from the lowest value in units of the range, so that each customer adds 0 to 1
    for part in parts:
        for row in part.segments:
            segment, known = row["segment"], part.known.get((column, row["segment"]), 0)
            size = part.sizes.get(segment, LEAST - 1 if part.sizes else len(table))
            count = equations.unknown((part.name, segment, "known"), known, known or size)
            total = equations.unknown((part.name, segment, "sum"))
            equations.between({count: 1.0, total: -1.0}, 0)
            if not known:
                hidden.append((part.name, segment))
            if is_value and row["value"]:
                terms = {total: high - low, count: low}
                equations.between(terms, row["value"] * (1 - 1e-9), row["value"] * (1 + 1e-9))
        shown = _sums(part, column, lambda value: (value - low) / (high - low))
        for segment, total in shown.items():
            equations.equal({(part.name, segment, "sum"): 1.0}, total)
        _others(equations, part, column, shown, lambda value: (value - low) / (high - low))
    _everyone_and_the_cut(equations, parts, ["known", "sum"])
    fewest_of_all = equations.least([(*who, "known") for who in hidden]) if hidden else {}
    found = []
    for part, segment in hidden:
        if fewest_of_all[part, segment, "known"] < 1 - _EXACT:
            continue
        interval = equations.intervals([(part, segment, "known"), (part, segment, "sum")], wide=math.inf)
        (fewest, most), (least, largest) = interval.values()
        if fewest > 1 - _EXACT and largest - least < NARROW * most:
            found.append(f"{part}: {column} of segment {segment}, of {fewest:g}, sums up to {least:g} to {largest:g}")
    return found


def _sums(part, column, scaled):
    """The sums of the segments whose means are told."""
    means = {row["segment"]: row["segment_value"] for row in part.rows[column] if row["statistic"] == "mean"}
    means |= {row["segment"]: row["value"] for row in part.results[column] if not pd.isna(row["value"])}
    return {each: scaled(mean) * part.known[column, each] for each, mean in means.items() if not pd.isna(mean)}


def _others(equations, part, column, shown, scaled):
    """What is told of everyone else or of all, where those who are shown do not account for it."""
    known = {segment: part.known.get((column, segment), 0) for segment in (row["segment"] for row in part.segments)}
    told = [
        (row["rest_value"], [each for each in known if each != row["segment"]])
        for row in part.rows[column]
        if row["statistic"] == "mean" and not pd.isna(row["rest_value"])
    ]
    overall = {row["value_overall"] for row in part.results[column] if not pd.isna(row["value_overall"])}
    told += [(value, list(known)) for value in overall]
    for value, who in told:
        count, total = (sum(part_of[each] for each in who if each in shown) for part_of in (known, shown))
        if not count or abs(total / count - scaled(value)) > 1e-9:
            terms = {(part.name, each, "sum"): 1.0 for each in who}
            equations.equal(terms | {(part.name, each, "known"): -scaled(value) for each in who}, 0.0)


def _everyone_and_the_cut(equations, parts, kinds):
    """Everyone is the sum of the groups of the cut; of some a count may be told as that of nobody."""
    if len(parts) == 2 and parts[0].sizes:
        whole, cut = parts
        for kind in kinds:
            terms = {(cut.name, row["segment"], kind): -1.0 for row in cut.segments}
            equations.equal({(whole.name, 0, kind): 1.0, **terms}, 0.0)


def _same_as(column):
    """The columns that say the same, with what they call each level."""
    if column != "ill":
        return {column: dict(zip(LEVELS[column], LEVELS[column], strict=True))}
    return {name: dict(zip(said, ("yes", "no"), strict=True)) for name, said in SAME.items()}


def _shares(part, column):
    """Shares of sets of levels that are told: (column, segment, levels, here, elsewhere, of how many, of all)."""
    for name, levels in _same_as(column).items():
        order = list(levels)[::-1] if name == "risk" else list(levels)
        for row in part.rows[name]:
            which = [levels[each] for each in _levels_told(row, order)]
            n_known, overall = None, math.nan
            if "is_pool" in row and len(which) == 1 and row["overall_value"] is not None:
                n_known, overall = row["n"], row["overall_value"]
            if which:
                here, rest = (math.nan if each is None else each for each in (row["segment_value"], row["rest_value"]))
                yield name, row["segment"], which, here, rest, n_known, overall
        for row in part.results[name]:
            level = row["level"] if isinstance(row["level"], str) else "1" if name == "sick" else "yes"
            if level not in levels:
                continue
            which = [levels[level]]
            yield name, row["segment"], which, row["value"], math.nan, row["n_known"], row["value_overall"]


def _levels_told(row, order):
    """The levels that a row tells the share of; none where it tells of no share."""
    if row["statistic"] == "share" and not pd.isna(row["level"]):
        return _pool(row["level"], order) if row["kind"] == "ordinal" else [row["level"]]
    # the mean of a yes or no that is called 1 or 0; a median, and one of levels, is no share
    return ["1"] if row["kind"] == "numeric" and row["statistic"] == "mean" else []


def _pool(level, order):
    """The levels behind a name such as "rarely to often"."""
    first, last = order[0], order[-1]
    if level.endswith(" or lower"):
        last = level.removesuffix(" or lower")
    elif level.endswith(" or higher"):
        first = level.removesuffix(" or higher")
    else:
        first, _, last = level.partition(" to ")
    return order[order.index(first) : order.index(last or first) + 1]


def few_in_all(parts, table, column):
    """Shares that are told of a level, or of all but it, which fewer than ten have."""
    found = []
    for part in parts:
        values = truth(table, column)[part.told >= 0]
        for name, segment, which, here, *_ in _shares(part, column):
            if pd.isna(here):
                continue
            has = np.isin(values, which)
            for words_, few in (("", has.sum()), ("not ", (~has).sum())):
                if 0 < few < LEAST and 0 < here < 1:
                    found.append(f"{part.name}: {name} of segment {segment}: {words_}{which}, of {few} in all")
    return found


def truth(table, column):
    """The levels of a column."""
    values = table[column]
    return np.where(values, "yes", "no") if values.dtype == bool else values.to_numpy(dtype=object)


def counts(parts, table, column):
    """How many of a segment have a level that is hidden there: from other levels, other words, medians, everyone."""
    equations, levels, shown = Equations(), LEVELS[column], set()
    for part in parts:
        for row in part.segments:
            segment, known = row["segment"], part.known.get((column, row["segment"]), 0)
            size = part.sizes.get(segment, LEAST - 1 if part.sizes else len(table))
            count = equations.unknown((part.name, segment, "known"), known, known or size)
            for level in levels:
                equations.unknown((part.name, segment, level))
            equations.equal({count: -1.0} | {(part.name, segment, level): 1.0 for level in levels}, 0.0)
        _levels(equations, part, column, shown)
        _middles(equations, part, column)
    _everyone_and_the_cut(equations, parts, ["known", *levels])
    few = [each for part in parts for each in _stand_out_by_few(part, table, column) if each not in shown]
    if not few:
        return []
    # of whom nobody need be in a figure nothing is found
    fewest = equations.least([(*each[:2], "known") for each in few])
    wanted = [each for each in few if fewest[(*each[:2], "known")] > 1 - _EXACT]
    wide = CANDIDATES - 1
    return [
        f"{part}: {low:g} to {high:g} of segment {segment} have {column} {level}"
        for (part, segment, level), (low, high) in equations.intervals(wanted, wide, [fewest]).items()
        if high - low < wide - _EXACT
    ]


def _stand_out_by_few(part, table, column):
    """Levels of which less than ten stand out in a segment, here or elsewhere: by having it, or a yes or no by not."""
    values, levels = truth(table, column), LEVELS[column]
    own = [values[part.told == row["segment"]] for row in part.segments]
    cells = np.array([[(each == level).sum() for level in levels] for each in own])
    # a segment that is hidden, in all or in this column, is so in every level
    for row in part.segments:
        segment = row["segment"]
        if not part.known.get((column, segment), 0):
            yield from ((part.name, segment, level) for level in levels)
            continue
        here, rest = cells[segment], cells.sum(axis=0) - cells[segment]
        n_here, n_rest = here.sum(), rest.sum()
        for level, has, others in zip(levels, here, rest, strict=True):
            sides = [(has, others), (n_here - has, n_rest - others)][: 2 if len(levels) == 2 else 1]
            # that nobody has it tells of nobody
            if has and any(0 < (own if own * n_rest >= other * n_here else other) < LEAST for own, other in sides):
                yield part.name, segment, level


def _levels(equations, part, column, shown):
    known = {row["segment"]: part.known.get((column, row["segment"]), 0) for row in part.segments}
    # what is told of other customers of the segment under another name says nothing of these
    told = [each for each in _shares(part, column) if part.known.get((each[0], each[1]), 0) in (0, known[each[1]])]
    here_of = {(name, segment, *which): here for name, segment, which, here, *_ in told if not pd.isna(here)}
    for name, segment, which, here, rest, *_ in told:
        if not pd.isna(here):
            equations.equal({(part.name, segment, level): 1.0 for level in which}, here * known[segment])
            # what is told of some is told of all others, and of each where it is one, or nobody has it
            for side, share in ((which, here), ([each for each in LEVELS[column] if each not in which], 1 - here)):
                if len(side) == 1 or share == 0:
                    shown.update((part.name, segment, level) for level in side)
        if not pd.isna(rest):
            others = [each for each in known if each != segment]
            who = _told_elsewhere(others, (name, *which), rest, known, here_of)
            terms = {(part.name, each, level): 1.0 for each in who for level in which}
            equations.equal(terms | {(part.name, each, "known"): -rest for each in who}, 0.0)
    everyone = defaultdict(list)
    for name, _, which, here, _, n_known, overall in told:
        if not pd.isna(overall):
            everyone[name, which[0], overall].append((here, n_known))
    for (_, level, overall), rows in everyone.items():
        here, n_known = np.array([row for row in rows if not pd.isna(row[0])], dtype=float).reshape(-1, 2).T
        if not len(here) or abs((here * n_known).sum() / n_known.sum() - overall) > 1e-9:
            terms = {(part.name, each, level): 1.0 for each in known}
            equations.equal(terms | {(part.name, each, "known"): -overall for each in known}, 0.0)


def _told_elsewhere(others, asked, rest, known, here_of):
    """The segments whose customers a share elsewhere must be of, beside those that account for it: counts are whole."""
    accounted = [each for each in others if (asked[0], each, *asked[1:]) in here_of]
    n_accounted = sum(known[each] for each in accounted)
    by_them = sum(here_of[asked[0], each, *asked[1:]] * known[each] for each in accounted)
    if n_accounted and abs(by_them / n_accounted - rest) < 1e-9:
        return []
    sized = [each for each in others if known[each]]
    sets = [who for n in range(1, len(sized) + 1) for who in itertools.combinations(sized, n)]
    counts_ = [rest * sum(known[each] for each in who) for who in sets]
    whole = [who for who, count in zip(sets, counts_, strict=True) if abs(count - round(count)) < _EXACT]
    return whole[0] if len(whole) == 1 else [] if whole else others


def _middles(equations, part, column):
    """A median has at least half of them up to it, and half from it on; a most frequent level no other above it."""
    for name, levels in _same_as(column).items():
        ordered = list(levels)[::-1] if name == "risk" else list(levels)
        is_ordered = name in ("risk", "stage", "grade")
        told = [(each["segment"], each["typical_customer"].get(name)) for each in part.personas]
        told += [(row["segment"], row["segment_category"]) for row in part.rows[name] if is_ordered]
        for segment, value in told:
            level = {True: "yes", False: "no"}.get(value, value)
            if level not in ordered:
                continue
            if is_ordered:
                place, half = ordered.index(level), {(part.name, segment, "known"): -0.5}
                for side in (ordered[: place + 1], ordered[place:]):
                    equations.between({(part.name, segment, levels[each]): 1.0 for each in side} | half, -_EXACT)
            for other in [] if is_ordered else [each for each in ordered if each != level]:
                terms = {(part.name, segment, levels[level]): 1.0, (part.name, segment, levels[other]): -1.0}
                equations.between(terms, -_EXACT)
