"""The whole flow in one estimator: a brief and raw tables in; segments, personas and a report out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from custseg._core.base import Estimator
from custseg._core.customers import CustomerTable, read_customers
from custseg._core.params import NONE, Instance, Integer, ParameterTable, Where
from custseg._core.warning import each_warning_once
from custseg._core.words import feature_of
from custseg.characteristics import CharacteristicUnion, RFMFeaturizer, RowReport
from custseg.exceptions import InvalidParameterError, InvalidTableError
from custseg.personas import Persona, PersonaDescriber
from custseg.reporting import write_report
from custseg.segmentation import SegmentClusterer, SegmentSelection
from custseg.segmentation._base.segmenter import Segmenter
from custseg.segmentation._clusterer.engines import finds_number
from custseg.segmentation._rules.segmenter import RuleDefinedSegmenter
from custseg.study._audience import Audience
from custseg.study._brief import SegmentationBrief
from custseg.targeting import Action, SegmentFacts, find_goal, recommend
from custseg.validation import StabilityResult, Verdict, bootstrap_stability, judge

__all__ = ["ConstructiveCut", "SegmentationStudy"]

NOT_ASSIGNED = -1
# With fewer different customers for each group, a bootstrap sample may not even hold all groups.
_CUSTOMERS_PER_GROUP = 10
# Segments that must all be as large as can be leave refits no room: repeated customers are never split.
_ROOM = 0.8
# The largest number of segments tried with a clusterer that names none.
_MOST_SEGMENTS = 10


@dataclass(frozen=True)
class ConstructiveCut:
    """A cut through customers that form no distinct segments: useful at best, never discovered.

    Attributes
    ----------
    clusterer : Segmenter
        Fitted with the number of segments that came back most alike.
    labels : ndarray of shape (n_customers,)
        The group of each customer of the audience.
    personas : list of Persona
        One for each group.
    segment_table : pandas.DataFrame
        As :attr:`SegmentationStudy.segment_table_`.
    actions : list of Action
        The recommended action for each group.
    mean_adjusted_rand : float
        Agreement between pairs of bootstrap refits.
    """

    clusterer: Segmenter
    labels: npt.NDArray[np.int64]
    personas: list[Persona]
    segment_table: pd.DataFrame
    actions: list[Action]
    mean_adjusted_rand: float

    @property
    def n_segments(self) -> int:
        """The number of groups."""
        return self.clusterer.n_segments_


@dataclass(frozen=True)
class _Description:
    """Personas and the tables around them, for one labelling of the audience."""

    describer: PersonaDescriber
    personas: list[Persona]
    table: pd.DataFrame
    actions: list[Action]


class SegmentationStudy(CallbackSupportMixin, Estimator):
    """Segment customers from raw tables, as a brief asks.

    ``fit`` builds one row per customer, keeps the audience of the brief, finds the segments, refits
    them on bootstrap samples, and describes each as a persona with its value and a recommended
    action. Where the customers form no distinct segments it says so: there is then one segment with
    one overall persona, and the most stable cut into two or more groups is kept apart in ``cut_``,
    labelled *constructive*.

    Parameters
    ----------
    brief : SegmentationBrief
        Goal, audience and limits. Its limits override those of the clusterer.
    characteristics : CharacteristicUnion or transformer
        Turns the tables into one row per customer; a transformer of one table is fitted on that table.
    clusterer : segmenter or None, default=None
        Finds the segments, a :class:`~custseg.segmentation.SegmentClusterer` or another segmenter; None stands for
        ``SegmentClusterer()``. An engine that finds the number of segments itself, such as HDBSCAN, cannot be
        refitted at other numbers and is refused. Where its ``order_by`` is not set, the goal chooses the order. With
        segments defined by rules (``RuleSegmenter``, ``RFMSegmenter``) the rules decide number, order
        and names: there is no ``selection_`` and no ``cut_``, the verdict is *defined*, and the brief
        can set no limits.
    describer : PersonaDescriber or None, default=None
        Describes them; None stands for ``PersonaDescriber()``.
    n_pairs : int, default=20
        Pairs of bootstrap refits behind each stability figure.
    n_jobs : int or None, default=None
        Processes for the refits, as in scikit-learn: None is one, -1 one per core. Results do not
        depend on it.

    Attributes
    ----------
    n_segments_ : int
        The number of segments; 1 where there are no distinct ones.
    labels_ : ndarray of shape (n_customers,)
        The segment of each customer of the audience, in the order of ``customers_``; -1 for one who
        meets no rule.
    customers_ : DataFrame
        The characteristics of the audience, one row per customer, in the kind of the input.
    personas_ : list of Persona
        One for each segment.
    actions_ : list of Action
        The recommended action for each segment.
    segment_table_ : pandas.DataFrame
        Columns ``segment, name, n_customers, share, value, value_share, stability``. Shares are of the
        customers in a segment. Value is net spend, summed, as an ``RFMFeaturizer`` among the
        characteristics reads it (NaN without one); stability is SLSw, the mean Jaccard agreement with the
        best match in the bootstrap refits (NaN for a single segment, and for a rule that nobody meets).
    verdict_ : Verdict
        Whether the segments are natural, reproducible, constructive or defined, in a sentence.
    selection_ : SegmentSelection or None
        Whether the customers are one continuum and how many segments they ask for, with the reason;
        where a number of segments was given, what ``n_segments="auto"`` would have chosen. None for
        rules.
    stability_ : StabilityResult
        Agreement between bootstrap refits for 2 segments up to the limit of the brief, and for the
        chosen number.
    cut_ : ConstructiveCut or None
        Where no distinct segments were found, the most stable cut into two or more groups.
    audience_report_ : pandas.DataFrame
        Columns ``condition, n_left_out``: how many of the customers that met the conditions before it each condition
        of the brief leaves out.
    n_customers_seen_ : int
        The number of customers in the tables, in the audience or not.
    row_report_ : RowReport
        Every policy for the rows of the tables, and how many it touched.
    characteristics_, clusterer_, describer_ : fitted estimators
        The fitted parts.
    elapsed_ : dict of str to float
        Seconds spent in each step.

    Notes
    -----
    Randomness comes from ``clusterer.random_state`` alone; the study draws its bootstrap samples with
    the same state. Do not use a study to find out whether a single customer is unusual, nor on fewer
    than a few hundred customers: with those, read ``stability_`` first.

    Examples
    --------
    >>> from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer
    >>> from custseg.datasets import make_customers
    >>> customers = make_customers(300, separation=2.0, random_state=0)
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("retention"),
    ...     characteristics=DemographicEncoder(),
    ...     clusterer=SegmentClusterer(n_segments=5, random_state=0),
    ...     n_pairs=4,
    ... ).fit(customers.profile)
    >>> study.n_segments_
    5
    """

    _parameters: ClassVar[ParameterTable] = {
        "brief": (Instance(SegmentationBrief, words="a SegmentationBrief"),),
        "characteristics": (
            Where(lambda value: hasattr(value, "transform"), "a CharacteristicUnion or a transformer"),
        ),
        "clusterer": (NONE, Instance(Segmenter, words="a SegmentClusterer or another segmenter")),
        "describer": (NONE, Instance(PersonaDescriber, words="a PersonaDescriber")),
        "n_pairs": (Integer(2),),
        "n_jobs": (NONE, Where(lambda n: isinstance(n, int) and n != 0, "an integer other than 0")),
    }

    def __init__(
        self,
        brief: SegmentationBrief,
        *,
        characteristics: Any,
        clusterer: Segmenter | None = None,
        describer: PersonaDescriber | None = None,
        n_pairs: int = 20,
        n_jobs: int | None = None,
    ) -> None:
        self.brief = brief
        self.characteristics = characteristics
        self.clusterer = clusterer
        self.describer = describer
        self.n_pairs = n_pairs
        self.n_jobs = n_jobs

    @with_callbacks
    @each_warning_once()
    def fit(self, tables: Any, y: None = None) -> Self:
        """Find and describe the segments of the customers in the tables.

        Parameters
        ----------
        tables : mapping of str to DataFrame, or DataFrame
            What ``characteristics`` takes: for a :class:`~custseg.characteristics.CharacteristicUnion` a dictionary of
            tables.
        y : None
            Ignored.

        Returns
        -------
        self : SegmentationStudy
            The fitted study.

        Raises
        ------
        InvalidParameterError
            If a parameter is of the wrong kind, or the clusterer cannot keep to the limits of the brief or finds the
            number of segments itself.
        InvalidTableError
            If a table cannot be used, or no customer is in the audience.
        InfeasibleError
            If the brief asks for more segments, or larger ones, than the customers allow.
        """
        self._check_parameters()
        context = self._init_callback_context(max_subtasks=4)
        context.call_on_fit_task_begin(estimator=self)
        self.elapsed_: dict[str, float] = {}
        with self._step(context, "characteristics"):
            self.characteristics_ = clone(self.characteristics)
            everyone = self.characteristics_.fit_transform(tables)
            value = self._net_spend(tables, everyone)
            table, self.customers_, value = self._keep_audience(everyone, value)
        with self._step(context, "segments"):
            self.clusterer_ = self._clusterer(table).fit(self.customers_)
            self.selection_ = self._selection()
            self.labels_ = self.clusterer_.labels_
            self.n_segments_ = self.clusterer_.n_segments_
        with self._step(context, "stability", max_subtasks=None) as step:
            self.stability_ = self._stability(table, step)
        with self._step(context, "personas"):
            self._describe_all(table, value)
        context.call_on_fit_task_end(estimator=self)
        return self

    @contextmanager
    def _step(self, context: Any, name: str, max_subtasks: int | None = 0) -> Iterator[Any]:
        started = time.perf_counter()
        step = context.subcontext(task_name=name, max_subtasks=max_subtasks)
        step.call_on_fit_task_begin(estimator=self)
        yield step
        step.call_on_fit_task_end(estimator=self)
        self.elapsed_[name] = time.perf_counter() - started

    def _keep_audience(
        self, everyone: Any, value: pd.Series[float] | None
    ) -> tuple[CustomerTable, Any, pd.Series[float] | None]:
        customer_id = self._customer_id()
        table = read_customers(everyone, who=type(self).__name__, customer_id=customer_id)
        self.n_customers_seen_ = table.n_customers
        self._audience_ = Audience.of(self.brief.audience_rule, table)
        inside, self.audience_report_ = self._audience_.admit(table)
        if not inside.any():
            raise InvalidTableError(
                f"{type(self).__name__}: none of {table.n_customers} customers is in the audience; left out by "
                f"{self.audience_report_.to_dict('records')}. Relax the conditions of the brief."
            )
        if inside.all():
            return table, everyone, value
        return table.take(inside), _keep(everyone, inside), None if value is None else value[inside]

    def _clusterer(self, table: CustomerTable) -> Segmenter:
        clusterer: Segmenter = SegmentClusterer() if self.clusterer is None else clone(self.clusterer)
        if isinstance(clusterer, SegmentClusterer) and finds_number(clusterer.engine):
            words = "one that takes a number of segments: whether segments come back is asked at several numbers"
            raise InvalidParameterError.not_allowed("SegmentationStudy", "clusterer", words, clusterer.engine)
        own = clusterer.get_params(deep=False)
        clusterer.set_params(customer_id=self._customer_id())
        for name in ("min_segment_share", "max_segments"):
            if (limit := getattr(self.brief, name)) is not None:
                if name not in own:
                    words = f"None with {type(clusterer).__name__}, which cannot keep to it"
                    raise InvalidParameterError.not_allowed("SegmentationBrief", name, words, limit)
                clusterer.set_params(**{name: limit})
        stated, limit = own.get("n_segments"), self.brief.max_segments
        if limit is not None and isinstance(stated, (int, np.integer)) and stated > limit:
            words = f'at least {stated}, the n_segments of the clusterer, or the clusterer\'s n_segments "auto"'
            raise InvalidParameterError.not_allowed("SegmentationBrief", "max_segments", words, limit)
        if "random_state" in own and not isinstance(own["random_state"], (int, np.integer)):
            # One seed for everything, so that the refits and the cut order their segments as the solution does.
            seed = int(check_random_state(own["random_state"]).randint(np.iinfo(np.int32).max))
            clusterer.set_params(random_state=seed)
        if "order_by" in own and own["order_by"] is None:
            clusterer.set_params(order_by=_find_feature(table, find_goal(self.brief.goal).order_by))
        return clusterer

    def _selection(self) -> SegmentSelection | None:
        """Return what the customers say of their number of segments, asked for or not; nothing of rules."""
        clusterer = self.clusterer_
        if isinstance(clusterer, RuleDefinedSegmenter):
            return None
        selection: SegmentSelection | None = getattr(clusterer, "selection_", None)
        if selection is None:
            settings = {"customer_id": clusterer.customer_id, "random_state": getattr(clusterer, "random_state", 0)}
            other = clone(clusterer) if isinstance(clusterer, SegmentClusterer) else SegmentClusterer(**settings)
            selection = other.set_params(n_segments="auto").fit(self.customers_).selection_
        return selection

    def _customer_id(self) -> str:
        return str(getattr(self.characteristics, "customer_id", "customer_id"))

    def _net_spend(self, tables: Any, everyone: Any) -> pd.Series[float] | None:
        """Sum up what each customer spent, net of returns; None where no transactions are known."""
        if isinstance(self.characteristics_, RFMFeaturizer):
            found = [(self.characteristics_, tables)]
        elif isinstance(self.characteristics_, CharacteristicUnion):
            members = [(fitted, tables[name]) for _, fitted, name in self.characteristics_.members_]
            found = [member for member in members if isinstance(member[0], RFMFeaturizer)]
        else:
            return None
        found = [member for member in found if member[0].amount is not None]
        if not found:
            return None
        fitted, table = found[0]
        total = clone(fitted).set_params(features=("monetary",), monetary_as="total", as_of=fitted.as_of_)
        spend: pd.DataFrame = total.set_output(transform="pandas").fit_transform(table)
        return spend["monetary"].reindex(_ids(everyone, self._customer_id()))

    def _stability(self, table: CustomerTable, step: Any) -> StabilityResult:
        """Refit every number of segments that is worth a look, the chosen one among them."""
        if isinstance(self.clusterer_, RuleDefinedSegmenter):
            candidates = [max(2, self.n_segments_)]  # rules know their own number
        else:
            candidates = sorted({*range(2, self._largest_cut(table) + 1), self.n_segments_} - {1})
        if not candidates:
            return StabilityResult.empty()

        def show(done: int, total: int) -> None:
            step.max_subtasks = total
            task = step.subcontext(task_name=f"pair {done} of {total}")
            task.call_on_fit_task_begin(estimator=self)
            task.call_on_fit_task_end(estimator=self)

        return bootstrap_stability(
            clone(self.clusterer_),
            self.customers_,
            candidates,
            n_pairs=self.n_pairs,
            random_state=getattr(self.clusterer_, "random_state", 0),
            n_jobs=self.n_jobs,
            on_step=show,
        )

    def _largest_cut(self, table: CustomerTable) -> int:
        """Return the largest number of groups worth a look."""
        share = getattr(self.clusterer_, "min_segment_share", 0.0)
        by_share = int(_ROOM / share + 1e-9) if share > 0 else table.n_customers
        names = getattr(self.clusterer_, "clustered_on_", table.names)
        used = [np.where(table[name].missing, -np.inf, table[name].values) for name in names]
        n_distinct = len(np.unique(np.column_stack(used), axis=0))
        largest = getattr(self.clusterer_, "max_segments", _MOST_SEGMENTS)
        return int(min(largest, by_share, n_distinct // _CUSTOMERS_PER_GROUP))

    def _describe_all(self, table: CustomerTable, value: pd.Series[float] | None) -> None:
        description = self._describe(table, value, self.clusterer_)
        self.describer_ = description.describer
        self.personas_ = description.personas
        self.segment_table_ = description.table
        self.actions_ = description.actions
        self.verdict_: Verdict = self._judge()
        self.cut_ = self._cut(table, value) if self.n_segments_ == 1 and self.selection_ is not None else None
        self.row_report_: RowReport = getattr(self.characteristics_, "row_report_", RowReport(n_rows=0, policies=()))

    def _judge(self) -> Verdict:
        if self.selection_ is None:
            n_not_assigned = int(np.count_nonzero(self.labels_ == NOT_ASSIGNED))
            return judge(n_segments=self.n_segments_, n_not_assigned=n_not_assigned, stability=self.stability_)
        reason = self.selection_.reason
        if getattr(self.clusterer_, "selection_", None) is None:
            reason = f"Left to the data: {reason[:1].lower()}{reason[1:]}"
        return judge(
            n_segments=self.n_segments_,
            structured=self.selection_.structured,
            reason=reason,
            stability=self.stability_,
        )

    def _cut(self, table: CustomerTable, value: pd.Series[float] | None) -> ConstructiveCut | None:
        agreement = self.stability_.mean_adjusted_rand
        if agreement.empty:
            return None
        n_segments = self.stability_.numbers[int(np.argmax(agreement))]
        clusterer = clone(self.clusterer_).set_params(n_segments=n_segments).fit(self.customers_)
        found = self._describe(table, value, clusterer)
        return ConstructiveCut(
            clusterer,
            clusterer.labels_,
            found.personas,
            found.table,
            found.actions,
            float(agreement.loc[n_segments]),
        )

    def _describe(self, table: CustomerTable, value: pd.Series[float] | None, clusterer: Segmenter) -> _Description:
        labels = clusterer.labels_
        describer = PersonaDescriber() if self.describer is None else clone(self.describer)
        describer.set_params(customer_id=self._customer_id())
        describer.fit(
            self.customers_,
            labels,
            clustered_on=getattr(clusterer, "clustered_on_", None),
            segment_names=clusterer.segment_names_ if isinstance(clusterer, RuleDefinedSegmenter) else None,
        )
        rows = _segment_rows(describer.personas_, labels, value)
        goal = find_goal(self.brief.goal)
        actions = [
            recommend(
                goal,
                SegmentFacts(share=row["share"], value_share=row["value_share"], effects=_effects(describer, segment)),
            )
            for segment, row in enumerate(rows)
        ]
        frame = pd.DataFrame(rows)
        frame["stability"] = self._segment_stability(clusterer.n_segments_)
        return _Description(
            describer, describer.personas_, frame.astype({"value": float, "value_share": float}), actions
        )

    def _segment_stability(self, n_segments: int) -> npt.NDArray[np.float64]:
        segments = self.stability_.segments
        slsw = segments[segments["n_segments"] == n_segments].set_index("segment")["slsw"]
        return slsw.reindex(range(n_segments)).to_numpy(dtype=float)

    def transform(self, tables: Any, as_of: Any = None) -> Any:
        """Append each customer's segment to the customer's characteristics.

        Parameters
        ----------
        tables : mapping of str to DataFrame, or DataFrame
            Tables as in ``fit``.
        as_of : date, timestamp, text or None, default=None
            The time as of which customers are described, passed on to ``characteristics``; None
            takes that of ``fit``.

        Returns
        -------
        DataFrame
            One row per customer, with a last column ``segment``: -1 outside the audience, and for
            customers who meet no rule.
        """
        customers = self._customers(tables, as_of)
        return _append(customers, "segment", self._assign(customers))

    def predict(self, tables: Any, as_of: Any = None) -> pd.Series[int]:
        """Assign customers to the segments.

        Parameters
        ----------
        tables : mapping of str to DataFrame, or DataFrame
            Tables as in ``fit``.
        as_of : date, timestamp, text or None, default=None
            The time as of which customers are described, passed on to ``characteristics``; None
            takes that of ``fit``.

        Returns
        -------
        pandas.Series of int
            The segment of each customer, indexed by the customer id; -1 for a customer who meets no rule, or is not in
            the audience of the brief.
        """
        customers = self._customers(tables, as_of)
        index = _ids(customers, self._customer_id())
        return pd.Series(self._assign(customers), index=index, name="segment", dtype="int64")

    def fit_predict(self, tables: Any, y: None = None) -> pd.Series[int]:
        """Fit, then assign the same customers.

        Parameters
        ----------
        tables : mapping of str to DataFrame, or DataFrame
            As in ``fit``.
        y : None
            Ignored.

        Returns
        -------
        pandas.Series of int
            As ``predict`` returns it.
        """
        labels: pd.Series[int] = self.fit(tables).predict(tables)
        return labels

    def _customers(self, tables: Any, as_of: Any) -> Any:
        check_is_fitted(self)
        return self.characteristics_.transform(tables, **({} if as_of is None else {"as_of": as_of}))

    def _assign(self, customers: Any) -> npt.NDArray[np.int64]:
        table = read_customers(customers, who=type(self).__name__, customer_id=self._customer_id())
        inside, _ = self._audience_.admit(table)
        labels = np.full(table.n_customers, NOT_ASSIGNED, dtype=np.int64)
        if inside.any():
            labels[inside] = self.clusterer_.predict(customers if inside.all() else _keep(customers, inside))
        return labels

    def write_report(self, path: str | Path) -> Path:
        """Write the report.

        Parameters
        ----------
        path : str or path
            The file; its ending chooses HTML (``.html``), Markdown (``.md``) or JSON (``.json``).

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        MissingDependencyError
            If jinja2 is not installed and HTML is asked for.
        OutputPathError
            If the file cannot be written or its ending is unknown.
        """
        check_is_fitted(self)
        return write_report(self, path)


def _segment_rows(
    personas: list[Persona], labels: npt.NDArray[np.int64], value: pd.Series[float] | None
) -> list[dict[str, Any]]:
    inside = labels >= 0
    sizes = np.bincount(labels[inside], minlength=len(personas))
    sums = None
    if value is not None:
        sums = np.bincount(labels[inside], weights=value.fillna(0.0)[inside], minlength=len(personas))
    known = sums is not None and sums.sum() > 0
    return [
        {
            "segment": persona.segment,
            "name": persona.name,
            "n_customers": int(sizes[segment]),
            "share": float(sizes[segment] / sizes.sum()),
            "value": float(sums[segment]) if sums is not None else None,
            "value_share": float(sums[segment] / sums.sum()) if sums is not None and known else None,
        }
        for segment, persona in enumerate(personas)
    ]


def _ids(customers: Any, customer_id: str) -> pd.Index[Any]:
    is_pandas = isinstance(customers, pd.DataFrame)
    ids = customers.index if is_pandas else nw.from_native(customers, eager_only=True)[customer_id].to_list()
    index: pd.Index[Any] = pd.Index(ids, name=customer_id)
    return index


def _find_feature(table: CustomerTable, feature: str | None) -> str | None:
    """Return the one column that holds a feature, under whichever member's name."""
    if feature is None:
        return None
    found = [name for name in table.names if feature_of(name) == feature]
    return found[0] if len(found) == 1 and table[found[0]].kind == "numeric" else None


def _effects(describer: PersonaDescriber, segment: int) -> Mapping[str, float]:
    profile = describer.profile_
    own = profile[(profile["segment"] == segment) & profile["effect_size"].notna()]
    return {
        feature_of(name): float(effect)
        for name, effect, kind in zip(own["characteristic"], own["effect_size"], own["kind"], strict=True)
        if kind == "numeric"
    }


def _keep(customers: Any, rows: npt.NDArray[np.bool_]) -> Any:
    if isinstance(customers, pd.DataFrame):
        return customers.loc[rows]
    return nw.from_native(customers, eager_only=True).filter(rows.tolist()).to_native()


def _append(customers: Any, name: str, values: npt.NDArray[np.int64]) -> Any:
    if isinstance(customers, pd.DataFrame):
        return customers.assign(**{name: values})
    frame = nw.from_native(customers, eager_only=True)
    column = nw.new_series(name, values.tolist(), nw.Int64, backend=frame.implementation)
    return frame.with_columns(column).to_native()
