"""The whole flow in one estimator: a brief and raw tables in; segments, personas and a report out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.validation import check_is_fitted

from custseg._core.arrays import Integers
from custseg._core.base import Estimator
from custseg._core.characteristic import check_columns
from custseg._core.customer_rows import without_customers
from custseg._core.customers import read_customers
from custseg._core.described import OVERRIDES
from custseg._core.frames import keep_rows, output_kind
from custseg._core.labelled import with_segment
from custseg._core.own_words import ACTIONS, NAMES, TEXT
from custseg._core.params import COLUMN, NONE, Instance, Integer, OneOf, ParameterTable, Where
from custseg._core.progress import doing, showing
from custseg._core.segments import NOT_ASSIGNED, SEGMENT
from custseg._core.warning import each_warning_once
from custseg.characteristics import DemographicEncoder
from custseg.personas import PersonaDescriber, Personas, outcomes_by_segment
from custseg.segmentation import Segmentation, Segmenter
from custseg.study._brief import SegmentationBrief
from custseg.study._characterise import Customers, admit, characterise, customer_id_of, described_as_of, ids_of
from custseg.study._fit_to_brief import check_outcomes, fit_to_brief
from custseg.study._lead import Wanted
from custseg.study._plans import StudyPlans, personas_of
from custseg.study._written import StudyWriting
from custseg.validation import examine_segments

__all__ = ["SegmentationStudy"]

# the shares of the steps in the time of a study, as measured with 100,000 and 1,000,000 customers
# each step: what it is called where progress is shown, and the share that it usually has in the time
_STEPS = {
    "characteristics": ("Describing the customers", 0.07),
    "segments": ("Looking for segments", 0.2),
    "stability": ("Testing the segments", 0.68),
    "personas": ("Describing the segments", 0.05),
}


class SegmentationStudy(StudyPlans, StudyWriting, CallbackSupportMixin, Estimator):
    """Segment customers from raw tables, as a brief asks.

    ``fit`` builds one row per customer, keeps the audience of the brief, finds the segments, refits
    them on bootstrap samples, and describes each as a persona with its value and a recommended
    action. It leads with the segments of most use and keeps the truth beside them: *natural* ones where
    there are some that come back; else the largest number that comes back in other samples
    (*reproducible*), said to be lines through a continuum where that is what they are. Where no number
    comes back there is one segment with one overall persona, and the most stable cut into two or more
    groups is kept apart in ``cut_``, said to be *constructive*. The best segments at every number that was
    tried are kept: :meth:`at`.

    Parameters
    ----------
    brief : SegmentationBrief
        Goal, audience and limits. Its limits override those of the clusterer.
    customer_id : str or None, default="customer_id"
        The column that identifies the customers where ``characteristics`` is None; None numbers them by the index
        (pandas) or from 0. Characteristics have their own.
    characteristics : CharacteristicUnion, transformer or None, default=None
        Turns the tables into one row per customer; a transformer of one table is fitted on that table. None takes a
        table that has one row per customer already, and reads its columns as
        :class:`~custseg.characteristics.DemographicEncoder` does.
    clusterer : segmenter or None, default=None
        Finds the segments, a :class:`~custseg.segmentation.SegmentClusterer` or another segmenter; None stands for
        ``SegmentClusterer()``. With its ``n_segments`` "reproducible" the largest number that comes back is taken even
        where fewer are natural. An engine that finds the number of segments itself, such as HDBSCAN, cannot be
        refitted at other numbers and is refused. Where its ``order_by`` is not set, the goal chooses the order. With
        segments defined by rules (``RuleSegmenter``, ``RFMSegmenter``) the rules decide number, order
        and names: there is no ``selection_`` and no ``cut_``, the verdict is *defined*, and the brief
        can set no limits.
    describer : PersonaDescriber or None, default=None
        Describes them; None stands for ``PersonaDescriber()``.
    names, labels : default=None
        What you call segments and columns, see :class:`~custseg.personas.PersonaDescriber`, whose own they override.
        Names are of the segments that the study leads with; of the groups of a cut, where there is one.
    actions : mapping of int or str to str or dict, or None, default=None
        What you have decided for segments, by number or name, in place of the recommended actions; see
        :func:`~custseg.targeting.plan_actions`.
    title : str or None, default=None
        The title of the report; None leaves it to what was found.
    n_pairs : int, default=20
        Pairs of bootstrap refits behind each stability figure. From 10 on, a number of segments of which it lies within
        the noise of so many whether it comes back is refitted on, up to four times as often. From 20 on, a number
        whose segments clearly do not come back ends with half as many.
    n_jobs : int or None, default=None
        Processes for the refits, as in scikit-learn: None is one, -1 one per core. Results do not
        depend on it.
    verbose : bool, default=False
        Whether ``fit`` shows on standard error what it does, how far it is and how long it has taken: on a terminal
        one line that is rewritten, elsewhere a line for each step and now and then one between. About how long the
        rest of some fits or refits will take is told once the first were timed, for these alone: whether more will be
        needed is not known before.

    Attributes
    ----------
    segmentation_ : Segmentation
        Customers of the audience, their segments under the names of their personas, and value: what later stages take.
    evidence_ : Evidence
        Selection, stability, verdict, the number of segments that can be used, and the best segments at each.
    plan_ : Plan
        The personas and the recommended actions.
    cut_ : Segmentation or None
        Where no distinct segments were found and none come back, the most stable cut into two or more groups
        (``made_by`` "cut").
    cut_plan_ : Plan or None
        Its personas and actions.
    n_segments_ : int
        The number of segments; 1 where there are no distinct ones and none that come back.
    number_of_segments_ : NumberOfSegments or None
        The largest number that comes back, and what speaks for and against every number tried. None for rules, and
        where there was no room for two groups.
    labels_ : ndarray of shape (n_customers,)
        The segment of each customer of the audience, in the order of ``customers_``; -1 for one who
        meets no rule.
    customers_ : DataFrame
        The characteristics of the audience, one row per customer, in the kind of the input.
    personas_ : list of Persona
        One for each segment.
    actions_ : list of Action
        The recommended action for each segment.
    segment_table_, cut_table_ : pandas.DataFrame
        Columns ``segment, name, n_customers, share, value, value_share, stability``, of the segments and of the cut
        (None where there is none). Shares are of the customers in a segment. Value is the column that the brief names,
        summed, else net spend as an ``RFMFeaturizer`` among the characteristics reads it (NaN without one); stability
        is SLSw, the mean Jaccard agreement with the best match in the bootstrap refits (NaN for a single segment, and
        for a rule that nobody meets).
    verdict_ : Verdict
        Whether the segments are natural, reproducible, constructive or defined, in a sentence.
    selection_ : SegmentSelection or None
        Whether the customers are one continuum and how many segments they ask for, with the reason;
        where a number of segments was given, what ``n_segments="auto"`` would have chosen. None for
        rules.
    stability_ : StabilityResult
        Agreement between bootstrap refits for 2 segments up to the limit of the brief, and for the
        chosen number.
    outcomes_ : pandas.DataFrame
        What the brief calls outcomes, by segment (of the cut where there is one) with intervals, as
        :func:`~custseg.personas.outcomes_by_segment` gives them.
    audience_report_ : pandas.DataFrame
        Columns ``condition, n_left_out``: how many of the customers that met the conditions before it each condition
        of the brief leaves out.
    n_customers_seen_ : int
        The number of customers in the tables, in the audience or not.
    row_report_ : RowReport
        Every policy for the rows of the tables, and how many it touched.
    tables_read_ : pandas.DataFrame
        One row per table: ``table`` (where there are several), ``rows``, ``rows used``, ``rows left out``.
    match_report_ : pandas.DataFrame or None
        How the customers of the tables of a :class:`~custseg.characteristics.CharacteristicUnion` met.
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
    >>> customers = make_customers(150, n_segments=3, separation=2.0, random_state=0)
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("retention"),
    ...     characteristics=DemographicEncoder(columns=["age", "income", "online_hours"]),
    ...     clusterer=SegmentClusterer(n_segments=3, max_segments=4, random_state=0),
    ...     n_pairs=4,
    ... ).fit(customers.profile)
    >>> study.n_segments_
    3
    """

    _parameters: ClassVar[ParameterTable] = {
        "brief": (Instance(SegmentationBrief, words="a SegmentationBrief"),),
        "characteristics": (
            NONE,
            Where(lambda value: hasattr(value, "transform"), "a CharacteristicUnion or a transformer"),
        ),
        "clusterer": (NONE, Instance(Segmenter, words="a SegmentClusterer or another segmenter")),
        "describer": (NONE, Instance(PersonaDescriber, words="a PersonaDescriber")),
        **NAMES,
        "labels": OVERRIDES["labels"],
        **ACTIONS,
        "title": (NONE, TEXT),
        "customer_id": (NONE, COLUMN),
        "n_pairs": (Integer(2),),
        "n_jobs": (NONE, Where(lambda n: isinstance(n, int) and n != 0, "an integer other than 0")),
        "verbose": (OneOf(True, False),),
    }

    def __init__(
        self,
        brief: SegmentationBrief,
        *,
        customer_id: str | None = "customer_id",
        characteristics: Any = None,
        clusterer: Segmenter | None = None,
        describer: PersonaDescriber | None = None,
        names: Sequence[str] | Mapping[int | str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        actions: Mapping[int | str, str | Mapping[str, str]] | None = None,
        title: str | None = None,
        n_pairs: int = 20,
        n_jobs: int | None = None,
        verbose: bool = False,
    ) -> None:
        self.brief = brief
        self.customer_id = customer_id
        self.characteristics = characteristics
        self.clusterer = clusterer
        self.describer = describer
        self.names = names
        self.labels = labels
        self.actions = actions
        self.title = title
        self.n_pairs = n_pairs
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    @each_warning_once()
    def fit(self, tables: Any, y: None = None, *, names_from: Personas | SegmentationStudy | None = None) -> Self:
        """Find and describe the segments of the customers in the tables.

        Parameters
        ----------
        tables : mapping of str to DataFrame, or DataFrame
            What ``characteristics`` takes: for a :class:`~custseg.characteristics.CharacteristicUnion` a dictionary of
            tables.
        y : None
            Ignored.
        names_from : SegmentationStudy, Personas or None, default=None
            A fitted study of before, such as that of last month, or its personas: segments that clearly are the same
            keep their names, see :func:`~custseg.personas.describe_segments`.

        Returns
        -------
        self : SegmentationStudy
            The fitted study.

        Raises
        ------
        InvalidParameterError
            If a parameter is of the wrong kind, or the clusterer cannot keep to the limits of the brief, finds the
            number of segments itself or makes segments of an outcome; if ``names`` or ``actions`` are of a segment, or
            ``labels`` of a column, that there is not.
        InvalidTableError
            If a table cannot be used, or no customer is in the audience.
        InfeasibleError
            If the brief asks for more segments, or larger ones, than the customers allow.
        """
        self._check_parameters()
        before = personas_of(names_from)
        with showing(self.verbose):
            return self._fit(tables, before)

    def _fit(self, tables: Any, before: Personas | None) -> Self:
        context = self._init_callback_context(max_subtasks=4)
        context.call_on_fit_task_begin(estimator=self)
        self.elapsed_: dict[str, float] = {}
        with self._step(context, "characteristics"):
            customers = self._characterise(tables)
        with self._step(context, "segments"):
            found, wanted = self._segment(customers)
        with self._step(context, "stability", max_subtasks=None) as step:
            evidence = examine_segments(
                found,
                n_pairs=self.n_pairs,
                min_segments=wanted.min_segments,
                n_jobs=self.n_jobs,
                on_step=self._shown_in(step),
            )
            found, self.evidence_ = wanted.lead(found, evidence)
        with self._step(context, "personas"):
            cut = self.evidence_.cut
            own: dict[str, Any] = {"names": self.names, "actions": self.actions, "names_from": before}
            self.plan_ = self._act(found, beside=cut, **(own if cut is None else {}))
            self.cut_plan_ = None if cut is None else self._act(cut, **own)
            shown = (self.cut_plan_ or self.plan_).personas
            least = shown.describer.min_group_size
            self.outcomes_ = outcomes_by_segment(shown.described, self.brief.outcomes, min_group_size=least)
        context.call_on_fit_task_end(estimator=self)
        return self

    @contextmanager
    def _step(self, context: Any, name: str, max_subtasks: int | None = 0) -> Iterator[Any]:
        started = time.perf_counter()
        step = context.subcontext(task_name=name, max_subtasks=max_subtasks)
        step.call_on_fit_task_begin(estimator=self)
        with doing(*_STEPS[name]):
            yield step
        step.call_on_fit_task_end(estimator=self)
        self.elapsed_[name] = time.perf_counter() - started

    def _shown_in(self, step: Any) -> Callable[[int, int], None]:
        """Tell the progress of the refits as subtasks of a step."""

        def show(done: int, total: int) -> None:
            step.max_subtasks = total
            task = step.subcontext(task_name=f"pair {done} of {total}")
            task.call_on_fit_task_begin(estimator=self)
            task.call_on_fit_task_end(estimator=self)

        return show

    def _characterise(self, tables: Any) -> Customers:
        self._id = customer_id_of(self.characteristics, self.customer_id)
        ready = DemographicEncoder(customer_id=self.customer_id)
        everyone = characterise(ready if self.characteristics is None else self.characteristics, tables, self._id)
        check_columns("labels", self.labels or (), everyone.table.names)
        self.characteristics_, self.row_report_ = everyone.estimator, everyone.row_report
        self._known = tuple(each.in_currency(self.brief.currency) for each in everyone.characteristics)
        self.tables_read_, self.match_report_ = everyone.tables_read, everyone.match_report
        self.n_customers_seen_ = everyone.table.n_customers
        customers = admit(self.brief, everyone)
        self._audience, self.audience_report_ = customers.audience, customers.audience_report
        return customers

    def _segment(self, customers: Customers) -> tuple[Segmentation, Wanted]:
        asked = fit_to_brief(self.brief, self.clusterer, self._known, customer_id=self._id)
        wanted = Wanted.of(asked)
        clusterer = wanted.first(asked).fit(customers.frame)
        found = Segmentation.by(
            clusterer, customers.frame, clusterer.labels_, value=customers.value, characteristics=self._known
        )
        check_outcomes(self.brief, found)
        return found, wanted

    def transform(self, tables: Any, as_of: Any = None) -> Any:
        """Append each customer's segment to the customer's characteristics.

        Parameters
        ----------
        tables : mapping of str to DataFrame, or DataFrame
            Tables as in ``fit``.
        as_of : date, timestamp, ISO 8601 text or None, default=None
            The time as of which customers are described, passed on to ``characteristics``. None takes that of
            ``fit`` for tables that end as those of ``fit`` did, and the latest time of tables that go on after them.

        Returns
        -------
        DataFrame
            One row per customer, with a last column ``segment``: -1 outside the audience, and for
            customers who meet no rule.

        Warns
        -----
        DataQualityWarning
            If the tables go on after those of ``fit`` and no ``as_of`` is given, with the time that is taken.
        """
        customers = self._customers(tables, as_of)
        return with_segment(customers, self._assign(customers), output_kind(customers), self._id, [])

    def predict(self, tables: Any, as_of: Any = None) -> pd.Series[int]:
        """Assign customers to the segments.

        Parameters
        ----------
        tables : mapping of str to DataFrame, or DataFrame
            Tables as in ``fit``.
        as_of : date, timestamp, ISO 8601 text or None, default=None
            The time as of which customers are described, passed on to ``characteristics``. None takes that of
            ``fit`` for tables that end as those of ``fit`` did, and the latest time of tables that go on after them.

        Returns
        -------
        pandas.Series of int
            The segment of each customer, indexed by the customer id; -1 for a customer who meets no rule, or is not in
            the audience of the brief.

        Warns
        -----
        DataQualityWarning
            If the tables go on after those of ``fit`` and no ``as_of`` is given, with the time that is taken.
        """
        customers = self._customers(tables, as_of)
        return pd.Series(self._assign(customers), index=ids_of(customers, self._id), name=SEGMENT, dtype="int64")

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
        return described_as_of(self.characteristics_, tables, as_of)

    def _assign(self, customers: Any) -> Integers:
        table = read_customers(customers, customer_id=self._id)
        inside, _ = self._audience.admit(table)
        labels = np.full(table.n_customers, NOT_ASSIGNED, dtype=np.int64)
        if inside.any():
            labels[inside] = self.clusterer_.predict(customers if inside.all() else keep_rows(customers, inside))
        return labels

    def _without_customers(self, n_customers: int) -> Self:
        bare = super()._without_customers(n_customers)
        # estimators that were passed may have been fitted
        for name, given in self.get_params(deep=False).items():
            setattr(bare, name, clone(given) if hasattr(given, "get_params") else given)
        for name in ("characteristics_", "evidence_", "plan_", "cut_plan_"):
            held = getattr(self, name)
            setattr(bare, name, None if held is None else without_customers(held, n_customers))
        return bare
