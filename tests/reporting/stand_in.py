"""A study made by hand, so that every part of a report, and every odd value in it, can be asked for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from custseg import SegmentationBrief
from custseg.characteristics._row_report import RowPolicy, RowReport
from custseg.personas import Persona, Trait, profile_segments
from custseg.segmentation import Rule, Segmentation, SegmentSelection
from custseg.targeting import Action
from custseg.validation import StabilityResult, Verdict

EVIL = "<script>alert(1)</script>"


def trait(label, here, elsewhere, effect, *, clustered_on=True, level=None, kind="numeric", statistic="mean"):
    return Trait(
        characteristic=f"member__{label.replace(' ', '_')}",
        label=label,
        kind=kind,
        level=level,
        statistic=statistic,
        segment_value=here,
        rest_value=elsewhere,
        effect_size=effect,
        v_test=5.0,
        p_value=0.001,
        p_adjusted=0.002,
        lift=None,
        difference_pp=None,
        marker=False,
        clustered_on=clustered_on,
        text=f"{label}: {here} against {elsewhere}",
    )


TYPICAL = {"behaviour__recency": 12.0, "demographics__age": "35-44", "demographics__kids": None, "member": True}
TRAITS = (
    trait("recency", 3.1, 41.72, -1.24, statistic="median"),
    trait("monetary", 61.3, 28.4, 0.91),
    trait(
        "income", 0.312, 0.129, 0.44, clustered_on=False, level="100-124K or higher", kind="ordinal", statistic="share"
    ),
    trait("age", "55-64", "35-44", 0.31, clustered_on=False, kind="ordinal", statistic="median"),
    trait("home owner", 0.4, 0.4, 0.0, clustered_on=False, level="yes", kind="binary", statistic="share"),
    trait("constant inside", 1.0, 0.0, float("inf"), clustered_on=False),
)


TRANSFORMS = pd.DataFrame(
    {
        "column": ["behaviour__recency", "demographics__age"],
        "kind": ["numeric", "ordinal"],
        "weight": [1.0, 0.0],
        "transform": ["log(x + 2.5)", "descriptor"],
        "low": [0.5, np.nan],
        "high": [365.0, np.nan],
        "center": [2.1, np.nan],
        "scale": [1.4, np.nan],
        "missing_share": [0.0, 0.675],
    }
)


def persona(segment, name, n, total, **fields):
    options = {
        "n_customers": n,
        "share": n / total,
        "traits": TRAITS,
        "typical_customer": TYPICAL,
        "summary": f"{name} ({n} customers) buy often and spend much.",
        "suppressed": False,
        "size": f"{n:,} customers",
        **fields,
    }
    return Persona(segment=segment, name=name, **options)


def stability_falling(numbers, n_pairs=5, level=0.9):
    """Falling agreement over the numbers of segments."""
    random = np.random.RandomState(0)
    means = np.linspace(level, 0.25, len(numbers))[:, None]
    rows = [
        {"n_segments": k, "segment": s, "n_customers": 10, "slsw": 0.9 - 0.1 * s} for k in numbers for s in range(k)
    ]
    return StabilityResult(
        numbers=tuple(numbers),
        adjusted_rand=means + 0.02 * random.randn(len(numbers), n_pairs),
        segments=pd.DataFrame(rows).assign(slsa=np.nan),
        reference_labels={},
    )


def table_of(personas, value=True):
    shares = [persona.share for persona in personas]
    return pd.DataFrame(
        {
            "segment": range(len(personas)),
            "name": [persona.name for persona in personas],
            "n_customers": [persona.n_customers for persona in personas],
            "share": shares,
            "value": [1234567.8 * share if value else np.nan for share in shares],
            "value_share": shares if value else np.nan,
            "stability": [0.93 - 0.2 * position for position in range(len(personas))] if len(shares) > 1 else np.nan,
        }
    )


UNSEEN = pd.DataFrame({name: [] for name in ("n_segments", "unexplained", "null_unexplained", "excess", "z", "bic")})


ACTION = Action(action="Win back first", advice="Contact them personally.", because="effect on recency 0.81")


NO_OUTCOMES = pd.DataFrame(columns=["name", "outcome", "level", "statistic", "value", "low", "high", "value_overall"])


def outcomes_of(personas):
    """A share for the first two of three segments, too few in the last."""
    values = [0.4, 0.1, np.nan][: len(personas)]
    return pd.DataFrame(
        {
            "name": [person.name for person in personas],
            "outcome": "demographics__age",
            "level": None,
            "statistic": "share",
            "value": values,
            "low": np.array(values) - 0.05,
            "high": np.array(values) + 0.05,
            "value_overall": 0.25,
        }
    )


class Labels(dict):
    """Every column by the last part of its name."""

    def __missing__(self, name):
        return name.rpartition("__")[2].replace("_", " ")


def plan_of(personas, table, clusterer, n_customers):
    """The plan of a segmentation whose table has the stability of each segment beside its figures."""
    segmentation = SimpleNamespace(
        stability=table["stability"].to_numpy(),
        n_customers=n_customers,
        n_segments=len(personas),
        n_not_assigned=0,
        clusterer=clusterer,
        characteristics=(),
        clustered_on=(),
        segment_names=tuple(person.name for person in personas),
    )
    told = SimpleNamespace(
        personas=personas,
        column_labels=Labels(),
        segment_table=table.drop(columns="stability"),
        # as of a study without its customers: no picture of them
        described=SimpleNamespace(),
        describer=SimpleNamespace(min_group_size=10),
        compare=lambda: None,
    )
    return SimpleNamespace(segmentation=segmentation, personas=told, actions=[ACTION] * len(personas))


def with_customers(study, n_each=40):
    """Give the segments that a study leads with customers, of whom pictures can be made."""
    plan = study.cut_plan_ or study.plan_
    names = [person.name for person in plan.personas.personas]
    labels = np.repeat(np.arange(len(names)), n_each)
    random = np.random.RandomState(0)
    customers = pd.DataFrame(
        {
            "member__recency": 60.0 - 20 * labels + random.normal(size=len(labels)),
            "member__monetary": 9.0 * (labels % 2) + random.normal(size=len(labels)),
            "member__town": np.array(["here", "there", EVIL], dtype=object)[labels % 3],
        }
    )
    described = Segmentation.of(customers, labels, names=names, clustered_on=["member__recency"])
    told = plan.personas
    told.described, told.segment_names = described, names
    told.compare = lambda: profile_segments(described, min_group_size=10)
    plan.segmentation.segment_names, plan.segmentation.made_by = names, "clusterer"
    return study


def selection_of(n_segments, reason, structured=None):
    """What was chosen, of numbers that nobody looked at."""
    return SegmentSelection(n_segments=n_segments, reason=reason, structured=structured, table=UNSEEN)


def evidence_of(verdict, selection, stability):
    def agreement(segmentation):
        return stability.mean_adjusted_rand.get(segmentation.n_segments)

    return SimpleNamespace(
        verdict=verdict,
        selection=selection,
        stability=stability,
        numbers=None,
        stability_of=lambda segmentation: segmentation.stability,
        mean_adjusted_rand_of=agreement,
    )


def stand_in(
    names=("Recent high spenders", "Silent bargain hunters", "The rest"),
    *,
    cut=False,
    value=True,
    personas=None,
    table=None,
    verdict=None,
    selection=...,
    stability=None,
    row_report=None,
    outcomes=False,
):
    """Build a study; with ``cut`` the names are those of a constructive cut and no segment was found."""
    sizes = [1200, 800, 469, 300, 200, 100][: len(names)]
    total = sum(sizes)
    shown = [persona(i, name, n, total) for i, (name, n) in enumerate(zip(names, sizes, strict=True))]
    shown = shown if personas is None else personas
    overall = [persona(0, "All customers", total, total, summary="All customers are alike: a mean spend of 34.1.")]
    remedy = "Fill in the amounts: a row without one says nothing of spend."
    read = {"table": "transactions", "member": "behaviour"}
    policies = (
        RowPolicy(policy="amount is missing", action="left out", n_rows=12, remedy=remedy, **read),
        RowPolicy(policy="timestamp is missing", action="left out", n_rows=0, remedy="Correct them.", **read),
    )
    clusterer = SimpleNamespace(
        get_params=lambda deep: {"weights": {"demographics": 0}, "random_state": 0, "order_by": None},
        embedder_=SimpleNamespace(transforms_=TRANSFORMS),
    )
    sentence = "No distinct segments were found." if cut else "The segments are natural."
    verdict = verdict or Verdict(word="constructive" if cut else "natural", sentence=sentence)
    found = overall if cut else shown
    if selection is ...:
        selection = selection_of(len(found), "structure test: p = 0.40.", structured=not cut)
    shown_plan = plan_of(shown, table_of(shown, value) if table is None else table, clusterer, total)
    return SimpleNamespace(
        brief=SimpleNamespace(
            goal="retention",
            audience_rule=Rule.read("behaviour__frequency >= 2 and demographics__age in ['35-44', '45-54']"),
            min_segment_share=0.05,
            n_segments=None,
            min_segments=None,
            max_segments=8,
            value=None,
            currency=None,
            to_dict=SegmentationBrief("retention").to_dict,
        ),
        n_pairs=5,
        plan_=plan_of(overall, table_of(overall, value), clusterer, total) if cut else shown_plan,
        cut_plan_=shown_plan if cut else None,
        evidence_=evidence_of(verdict, selection, stability or stability_falling(range(2, 9))),
        outcomes_=outcomes_of(shown) if outcomes else NO_OUTCOMES,
        n_customers_seen_=total + 31,
        tables_read_=pd.DataFrame({"rows": [1_000], "rows used": [988], "rows left out": [12]}),
        match_report_=None,
        audience_report_=pd.DataFrame({"condition": ["behaviour__frequency >= 2"], "n_left_out": [31]}),
        row_report_=row_report or RowReport(n_rows=1_000, policies=policies),
    )
