"""What customers think: survey items to one score per scale, with the scales given or discovered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from custseg._core.arrays import Bools, Floats
from custseg._core.asking import asked
from custseg._core.characteristic import Characteristic, in_words, number
from custseg._core.customers import Column
from custseg._core.described import OVERRIDES, ByColumn
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import NONE, RANDOM_STATE, Integer, Number, OneOf, ParameterTable, Where
from custseg._core.rounding import rounding_of
from custseg._core.warning import warn
from custseg.characteristics._profiles.encoder import Encoded, Profile, ProfileEncoder
from custseg.characteristics._row_report import RowPolicy
from custseg.characteristics._survey.answer_codes import AnswerCoder, Codes, order_of
from custseg.characteristics._survey.answers import Answers, moments
from custseg.characteristics._survey.factors import (
    N_DRAWS,
    QUANTILE,
    ParallelAnalysis,
    compare_eigenvalues,
    correlated,
    find_factors,
    normal_draws,
)
from custseg.characteristics._survey.reliability import alpha_of, describe_items, omega_of, remarks_on
from custseg.characteristics._survey.scales import (
    Scale,
    is_labels,
    is_names,
    is_no_answers,
    is_range,
    is_scales,
    item_of,
)
from custseg.exceptions import (
    ColumnNotFoundError,
    InfeasibleError,
    InvalidParameterError,
    InvalidTableError,
    list_names,
)

# A person answers share * k items at least; the slack keeps .6 of 5 at 3.
_SLACK = 1e-9


class PsychographicEncoder(ProfileEncoder):
    """Score the scales of a survey: attitudes, values, personality, interests.

    One row per respondent goes in and comes out, sorted by customer id, one column per scale: the mean
    of its items, in points of the questionnaire. Items worded the other way round are reversed, and
    ``reliability_`` and ``item_report_`` say how well the items of each scale hang together. Where no
    scales are given they are discovered by factor analysis.

    Parameters
    ----------
    scales : dict of str to list of str or None, default=None
        The items of each scale, a minus sign before those that are reversed:
        ``{"agreeableness": ["-A1", "A2", "A3"]}``. An item belongs to one scale. None discovers the
        scales, see ``n_factors``.
    customer_id : str or None, default="customer_id"
        The column of customer ids: whole numbers or text, each once. None where each row is a customer: its
        number is the index of a pandas table, else its place from 0.
    items : list of str or None, default=None
        The items among which scales are discovered; None takes every column but the ids. Not read
        where ``scales`` are given.
    answers : sequence of str or None, default=None
        The labels from the lowest to the highest, ``("strongly disagree", ..., "strongly agree")``,
        where answers are text. Case and needless spaces do not matter. None takes the order of the items
        where they are ordered categories (of pandas, or Enum of polars), which all must share.
    scale_range : (low, high) or None, default=None
        The lowest and the highest code that the questionnaire allows (not those that happen to occur),
        the same for all items. None takes 1 to the number of ``answers``; one of the two must be
        given, unless items are ordered categories.
    n_factors : "parallel" or int, default="parallel"
        How many scales to look for where none are given. ``"parallel"`` takes as many as exceed
        chance by parallel analysis (normal draws, 95% quantile of 200).
    rotation : {"varimax", "quartimax"}, default="varimax"
        How the factors are rotated. Both leave them uncorrelated; scikit-learn has no oblique
        rotation. The scores of the scales may well correlate.
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.
    min_answered : float, default=0.5
        A respondent who answered a smaller share of the items of a scale has no score on it.
    dont_know : sequence of str or numbers, default=()
        Integers or labels that mean no answer, such as ``(9, "don't know")``.
    response_style : {None, "centre"}, default=None
        ``"centre"`` subtracts from each answer the mean of all answers of that respondent, before
        items are reversed, which removes a tendency to agree with everything. Scores then say how far
        a scale stands above or below the respondent's own mean.
    min_loading : float, default=0.3
        An item whose strongest loading is smaller belongs to no discovered scale.
    random_state : int, RandomState or None, default=None
        Seed of the parallel analysis.

    Attributes
    ----------
    scales_ : dict of str to tuple of str
        The items of each scale, from the strongest loading where they were discovered. To name
        discovered scales, or to correct them, edit a copy and pass it as ``scales``.
    reliability_ : pandas.DataFrame
        One row per ``scale``: ``alpha`` (Cronbach), ``alpha_standardized``, ``omega`` (McDonald, one
        factor; NaN for fewer than three items) from pairwise covariances of the items as scored, and
        ``n``, the respondents who answered at least one item. NaN for a scale of one item. For
        discovered scales these are measured on the answers that chose the items, so they flatter.
    item_report_ : pandas.DataFrame
        One row per ``scale`` and ``item``: ``reversed``, then the columns of
        :func:`~custseg.characteristics.item_analysis`, of the item as scored.
    loadings_ : pandas.DataFrame
        Items in rows (as answered, not reversed), scales in columns. Discovered: the loadings on all
        factors, the items of each scale together and from the strongest, those that belong to none last;
        a factor that fewer than two items belong to is here and has no scale.
        Given: the loadings on the one factor of each scale, NaN in the other scales.
    parallel_analysis_ : ParallelAnalysis
        The eigenvalues behind the number of factors; only where ``n_factors="parallel"`` was used.
    scale_range_ : (float, float)
        The lowest and the highest code.
    answers_ : tuple of str or None
        The labels from the lowest to the highest, given or those of ordered categories; None where there are none.
    row_report_ : RowReport
        How many rows of ``fit`` had no id (left out), answers that mean none (set to missing), no
        answer at all, too few answers to one of the scales (no score), under ``"centre"`` one and the
        same answer everywhere, and answers to items that belong to no discovered scale.
    units_ : dict of str to str
        The unit of each scale, such as "points 1 to 6".
    feature_names_in_ : ndarray of str
        The items.
    n_features_in_ : int
        Their number.

    Raises
    ------
    ColumnNotFoundError
        An item is not in the table.
    ColumnTypeError
        An item holds text that is no answer, or something other than numbers and text.
    ColumnChangeError
        The items at ``transform`` are not those of ``fit``.
    CustomerIdError
        An id is repeated, or the ids are of mixed type.
    InvalidParameterError
        A parameter is out of range, or an item is in two scales.
    InvalidTableError
        There is no row, or an answer lies outside the range. In discovery: an item without two
        different answers, or two items that nobody answered both.
    InfeasibleError
        No factor exceeds chance, or no two items belong to one.

    Warns
    -----
    DataQualityWarning
        In ``fit``: items that go against the others of their scale, that do not vary, or that nobody
        answered; and that ``"centre"`` makes the answers of each respondent sum to 0.
        In ``transform``: rows without an id, left out.

    Notes
    -----
    A missing answer is left out of the mean; with fewer than ``min_answered`` of the items answered
    the score is NaN. The answer x to a reversed item becomes low + high - x.

    After centring, the answers of each respondent sum to 0, so that the covariance matrix of the
    items is singular, and scores say which of the scales a respondent favours, not how much. A
    respondent with one and the same answer everywhere has no scores then (NaN).

    Discovery works on the pairwise correlations of the items, with the items in the order of their
    names, so that neither the order of the rows nor that of the columns matters. The factors are those
    of scikit-learn's ``FactorAnalysis`` (maximum likelihood), sorted by their sum of squared loadings.
    An item belongs to the factor on which it loads most. Each factor is turned so that the loadings of
    its own items have a positive sum, and named by the two strongest of those that load positively.

    References
    ----------
    .. [1] Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests.
       *Psychometrika* 16(3), 297-334.
    .. [2] Horn, J. L. (1965). A rationale and test for the number of factors in factor analysis.
       *Psychometrika* 30(2), 179-185.

    Examples
    --------
    >>> from custseg.characteristics import PsychographicEncoder
    >>> from custseg.datasets import make_customers
    >>> sample = make_customers(200, random_state=0)
    >>> encoder = PsychographicEncoder(sample.scales, scale_range=(1, 5))
    >>> encoder.fit_transform(sample.survey).head(2)
                 price_consciousness  quality_orientation  novelty_seeking
    customer_id
    1                           1.25                 1.75             4.25
    2                           4.75                 4.75             3.50
    >>> encoder.reliability_.round(2)
                         alpha  alpha_standardized  omega    n
    scale
    price_consciousness   0.92                0.92   0.92  200
    quality_orientation   0.91                0.91   0.91  200
    novelty_seeking       0.90                0.90   0.90  200
    """

    criterion = "psychographic"

    _parameters: ClassVar[ParameterTable] = {
        "scales": (NONE, Where(is_scales, "a dict of scale names to lists of items")),
        "scale_range": (NONE, Where(is_range, "a pair of numbers (low, high) with low < high")),
        "min_answered": (Number(low=0.0, high=1.0),),
        "dont_know": (Where(is_no_answers, "a sequence of codes or labels"),),
        "response_style": (OneOf(None, "centre"),),
        "customer_id": ID_OR_ROWS,
        "answers": (NONE, Where(is_labels, "a sequence of at least two different labels")),
        "items": (NONE, Where(is_names, "a list of column names")),
        "n_factors": (OneOf("parallel"), Integer(low=1)),
        "rotation": (OneOf("varimax", "quartimax"),),
        "min_loading": (Number(low=0.0, high=1.0),),
        **OVERRIDES,
        "random_state": RANDOM_STATE,
    }

    scale_range_: tuple[float, float]
    answers_: tuple[str, ...] | None
    scales_: dict[str, tuple[str, ...]]
    parallel_analysis_: ParallelAnalysis

    def __init__(
        self,
        scales: Mapping[str, Sequence[str]] | None = None,
        *,
        customer_id: str | None = "customer_id",
        items: Sequence[str] | None = None,
        answers: Sequence[str] | None = None,
        scale_range: tuple[float, float] | None = None,
        n_factors: str | int = "parallel",
        rotation: str = "varimax",
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
        min_answered: float = 0.5,
        dont_know: Sequence[str | float] = (),
        response_style: str | None = None,
        min_loading: float = 0.3,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.scales = scales
        self.customer_id = customer_id
        self.items = items
        self.answers = answers
        self.scale_range = scale_range
        self.n_factors = n_factors
        self.rotation = rotation
        self.labels = labels
        self.units = units
        self.roles = roles
        self.min_answered = min_answered
        self.dont_know = dont_know
        self.response_style = response_style
        self.min_loading = min_loading
        self.random_state = random_state

    def _check(self) -> None:
        self._check_parameters()
        if self.answers is not None or self.scale_range is not None:
            self._coder(self.answers)
        if self.scales is not None:
            self._check_scales(self.scales)

    def _check_scales(self, scales: Mapping[str, Sequence[str]]) -> None:
        owner: dict[str, str] = {}
        for name, keyed in scales.items():
            for item in map(item_of, keyed):
                if item in owner:
                    where = f"twice in scale {name!r}" if owner[item] == name else f"in {owner[item]!r} and in {name!r}"
                    raise InvalidParameterError(
                        f"{asked()}: parameter 'scales' has item {item!r} {where}. Keep it in the one that it belongs "
                        "to: an item counted twice makes scales agree by themselves."
                    )
                owner[item] = name
        if self._id_name in owner or self._id_name in scales:
            raise InvalidParameterError(
                f"{asked()}: parameter 'scales' names {self._id_name!r}, which is the column of customer ids. Rename "
                "it."
            )

    def _coder(self, answers: Sequence[str] | None) -> AnswerCoder:
        return AnswerCoder(scale_range=self.scale_range, answers=answers, dont_know=self.dont_know)

    def _wanted(self) -> Sequence[str] | None:
        if self.scales is not None:
            return [item_of(keyed) for scale in self.scales.values() for keyed in scale]
        return None if self.items is None else [name for name in self.items if name != self.customer_id]

    def _read(self, X: Any) -> Profile:
        try:
            return super()._read(X)
        except ColumnNotFoundError as error:
            if self.scales is None:
                raise
            raise ColumnNotFoundError(
                f"{error} Items are named by parameter 'scales', where a leading minus sign is no part of the name: it "
                "marks an item as reversed."
            ) from error

    def _learn(self, profile: Profile) -> None:
        given = self.answers
        order = order_of(profile.categories, profile.names, self.dont_know) if given is None else tuple(given)
        coder = self._coder(order)
        self.answers_, self.scale_range_ = order, (coder.low, coder.high)
        codes = self._style(coder.read(profile.rows, profile.names).values)
        answers = Answers(tuple(profile.names), codes)
        if self.scales is None:
            self.scales_, self.loadings_ = self._discover(answers)
        else:
            self.scales_ = {name: tuple(keyed) for name, keyed in self.scales.items()}
        self._report_items(answers, discovered=self.scales is None)
        if self.response_style == "centre":
            self._warn(
                f"within-person centring: the answers of each customer now sum to 0 over the {len(profile.names)} "
                "items, so their covariance is singular. Compare scales within customers; leave one item or scale out "
                "of a model that inverts the covariance."
            )

    def _report_items(self, answers: Answers, *, discovered: bool) -> None:
        reliability, reports, loadings = {}, {}, {}
        for scale in self._placed(answers.items):
            keyed = Answers(scale.keyed, np.column_stack(self._keyed(answers.values, scale)))
            found = moments(keyed.values)
            report = describe_items(keyed, found)
            for remark in remarks_on(report, scale.name):
                self._warn(remark)
            items = pd.Index([item_of(item) for item in scale.keyed], name="item", dtype="str")
            signs = np.array(scale.signs)
            reports[scale.name] = report.set_axis(items)
            reports[scale.name].insert(0, "reversed", signs < 0)
            loadings[scale.name] = pd.Series(report["loading"].to_numpy() * signs, index=items)
            reliability[scale.name] = {
                "alpha": alpha_of(found.covariance),
                "alpha_standardized": alpha_of(found.scaled),
                "omega": omega_of(report["loading"].to_numpy()),
                "n": int((~np.isnan(keyed.values)).any(axis=1).sum()),
            }
        self.reliability_ = pd.DataFrame.from_dict(reliability, orient="index").rename_axis("scale")
        self.item_report_ = pd.concat(reports, names=["scale"])
        if not discovered:
            order = self.item_report_.index.get_level_values("item")
            self.loadings_ = pd.DataFrame(loadings).reindex(order)

    def _discover(self, answers: Answers) -> tuple[dict[str, tuple[str, ...]], pd.DataFrame]:
        odd = [item for item in answers.items if item.startswith("-")]
        if odd:
            raise InvalidTableError(
                f"{asked()}: items {list_names(odd)} begin with a minus sign, which would mark reversed items. Rename "
                "them."
            )
        found = correlated(answers)
        if self.n_factors == "parallel":
            draw = normal_draws(found, self.random_state)
            self.parallel_analysis_ = compare_eigenvalues(found, draw, n_draws=N_DRAWS, quantile=QUANTILE)
            n_factors = self.parallel_analysis_.n_factors
        else:
            n_factors = int(self.n_factors)
        if not 0 < n_factors <= len(answers.items):
            raise self._no_such_number(n_factors, len(answers.items))
        factors = find_factors(
            answers.items, found.correlation, n_factors=n_factors, rotation=self.rotation, least=self.min_loading
        )
        if not factors.scales:
            raise InfeasibleError(
                f"{asked()}: on none of the {n_factors} factor(s) two items load by {self.min_loading:g} or more. "
                "Lower min_loading, or name the scales: scales={...}."
            )
        return factors.scales, factors.loadings

    def _no_such_number(self, n_factors: int, n_items: int) -> ValueError:
        if n_factors:
            return InvalidParameterError.not_allowed("n_factors", f"at most the {n_items} items", n_factors)
        return InfeasibleError(
            f"{asked()}: no factor of the {n_items} items exceeds chance (parallel analysis), so there is no scale to "
            "discover. Name the scales: scales={...}, or ask for a number of factors: n_factors=2."
        )

    def _encode(self, profile: Profile) -> Encoded:
        read = self._coder(self.answers_).read(profile.rows, profile.names)
        no_profile = self._no_profile(read.values)
        policies = self._policies(read, profile.names, no_profile)
        styled = self._style(read.values)
        lost = no_profile | np.isnan(read.values).all(axis=1)
        columns = []
        for scale in self._placed(profile.names):
            score = self._score(styled, scale)
            few = np.isnan(score) & ~lost
            score[lost] = np.nan
            columns.append(Column(scale.name, "numeric", score))
            policy = f"fewer than {self.min_answered:.0%} of the items of {scale.name!r} answered"
            policies.append(RowPolicy(policy, "kept: no score", int(few.sum()), "Lower min_answered."))
        return Encoded(tuple(columns), tuple(policies))

    def _characteristics(self) -> Sequence[Characteristic]:
        return self._of_scales(self.scales_, self.scale_range_)

    def _expected(self) -> Sequence[Characteristic]:
        if self.answers is None and self.scale_range is None:  # the categories of the table will say
            return self._of_scales(self.scales or (), None)
        coder = self._coder(self.answers)
        return self._of_scales(self.scales or (), (coder.low, coder.high))

    def _of_scales(self, names: Iterable[str], codes: tuple[float, float] | None) -> list[Characteristic]:
        points = "points" if codes is None else f"points {codes[0]:g} to {codes[1]:g}"
        unit = points if self.response_style is None else "points from own mean"
        return [number(name, in_words(name), unit, "attitude") for name in names]

    def _placed(self, items: Sequence[str]) -> Iterable[Scale]:
        place = {item: position for position, item in enumerate(items)}
        for name, keyed in self.scales_.items():
            yield Scale(name, keyed, tuple(place[item_of(item)] for item in keyed))

    def _style(self, values: Floats) -> Floats:
        """Take the mean of each row from its answers, where centring was asked for."""
        if self.response_style is None:
            return values
        known = ~np.isnan(values)
        n = known.sum(axis=1)
        mean = np.where(known, values, 0.0).sum(axis=1) / np.where(n > 0, n, np.nan)
        return np.asfortranarray(values - mean[:, None])

    def _keyed(self, values: Floats, scale: Scale) -> list[Floats]:
        """Return the answers to the items of a scale, reversed where it says so."""
        # centred answers are reversed around 0
        turn = sum(self.scale_range_) if self.response_style is None else 0.0
        pairs = zip(scale.places, scale.signs, strict=True)
        return [values[:, place] if sign > 0 else turn - values[:, place] for place, sign in pairs]

    def _score(self, values: Floats, scale: Scale) -> Floats:
        """Return the mean of the answered items, NaN where too few of them are answered.

        Column after column, so that each row gives the same sum in whatever table it stands.
        """
        total, n = np.zeros(len(values)), np.zeros(len(values))
        for answers in self._keyed(values, scale):
            known = ~np.isnan(answers)
            total += np.where(known, answers, 0.0)
            n += known
        enough = (n > 0) & (n >= self.min_answered * len(scale.keyed) - _SLACK)
        return np.asarray(total / np.where(enough, n, np.nan))

    def _policies(self, read: Codes, items: Sequence[str], no_profile: Bools) -> list[RowPolicy]:
        known = ~np.isnan(read.values)
        silent = ~known.any(axis=1)
        policies = [
            RowPolicy(
                "an answer means that there is none",
                "kept: the answer is missing",
                read.n_dont_know,
                "See the parameter `dont_know`.",
            ),
            RowPolicy("no answer to any item", "kept: no scores", int(silent.sum()), "Leave the customer out."),
        ]
        if self.response_style is not None:
            remedy = "Leave the customer out, or response_style=None."
            n_flat = int(no_profile.sum())
            policies.append(RowPolicy("one and the same answer to every item", "kept: no scores", n_flat, remedy))
        scored = {item_of(item) for scale in self.scales_.values() for item in scale}
        unused = [place for place, item in enumerate(items) if item not in scored]
        if unused:
            names = list_names(items[place] for place in unused)
            n_rows = int(known[:, unused].any(axis=1).sum())
            policies.append(
                RowPolicy(f"answers to items of no scale: {names}", "kept: not scored", n_rows, "Lower min_loading.")
            )
        return policies

    def _no_profile(self, values: Floats) -> Bools:
        """Say whose answers are all the same, so that nothing is left of them after centring."""
        if self.response_style is None:
            return np.zeros(len(values), dtype=bool)
        highest = np.fmax.reduce(values, axis=1)
        return np.asarray(highest - np.fmin.reduce(values, axis=1) <= rounding_of(highest))

    def _warn(self, remark: str) -> None:
        warn(remark)
