"""What customers do on social media: how much, where, how deep, how far it carries and in what tone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Integers
from custseg._core.asking import asked
from custseg._core.characteristic import Characteristic, number
from custseg._core.customers import Column
from custseg._core.described import OVERRIDES, ByColumn
from custseg._core.frames import collect
from custseg._core.ids import ID_IN_TIME
from custseg._core.params import COLUMN, NONE, Integer, Number, OneOf, ParameterTable, Where
from custseg.characteristics._records.counting import count_where, counts_by_name
from custseg.characteristics._records.exact_sum import ExactSum
from custseg.characteristics._records.featurizer import AS_OF, Description, RecordFeaturizer
from custseg.characteristics._records.fields import Field
from custseg.characteristics._records.level_mix import LevelMix, share_names
from custseg.characteristics._records.ratio import ratio
from custseg.characteristics._records.records import Records
from custseg.characteristics._records.vocabulary import Vocabulary
from custseg.characteristics._row_report import LEFT_OUT, RowPolicy
from custseg.characteristics._times.timestamps import UNIT_HOURS, UNIT_WORDS, period_start
from custseg.characteristics._touchpoints.interactions import (
    ACTION_WEIGHTS,
    action_of_row,
    add_up_interactions,
    by_platform,
    plain_action,
    platform_columns,
    reach_columns,
    rows_of_interactions,
    sentiment_columns,
)
from custseg.exceptions import ColumnTypeError, InvalidParameterError, InvalidTableError, list_names

_NAMED = 5


def _is_weights(weights: Any) -> bool:
    if not isinstance(weights, Mapping) or not weights:
        return False
    number = Number(0.0)
    return all(isinstance(name, str) and name.strip() for name in weights) and all(
        number.accepts(weight) for weight in weights.values()
    )


def _is_range(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return False
    return all(Number().accepts(end) for end in value) and value[0] < value[1]


class SocialMediaFeaturizer(RecordFeaturizer[Records, Vocabulary]):
    """What each customer does on social media, from a table of interactions.

    Activity

    - ``interactions``: number of interactions;
    - ``active_days``: number of calendar days with one;
    - ``activity``: interactions per ``time_unit`` from the day of the first one to that of ``as_of``,
      both included;
    - ``recency``: time from the day of the last one to that of ``as_of``, in ``time_unit``.

    Platforms

    - ``platforms``: number of different platforms;
    - ``leading_platform``: the one with most interactions;
    - ``share_platform_<platform>``: share of each leading platform of the whole table.

    Engagement

    - ``engagement``: mean weight of the actions, from 1 (reads only) to 5 (creates only) by default;
    - ``deepest_action``: the action of the greatest weight, an ordered category;
    - ``advocacy``: share of the interactions in which the customer speaks for others to hear: sharing
      and creating by default.

    With ``reach``, the number of people whom a post came to

    - ``reach_total``, ``reach_mean``: its sum and mean over what the customer shared and created.

    With ``sentiment``

    - ``sentiment_mean``: its mean;
    - ``sentiment_negative_share``: share of the values below the middle of ``scale_range``;
    - ``sentiment_advocacy``: its mean over what the customer shared and created, which tells who speaks
      for you from who speaks against you.

    Parameters
    ----------
    customer_id : str, default="customer_id"
        Column of customer ids: whole numbers or text.
    timestamp : str, default="timestamp"
        Column of times: timestamps, dates, or ISO 8601 text. Times that bear a time zone keep the
        calendar day of that zone.
    platform : str, default="platform"
        Column of platforms.
    action : str, default="action"
        Column of actions.
    reach : str or None, default=None
        Column of numbers from 0 on: how many people an interaction came to.
    sentiment : str or None, default=None
        Column of numbers in ``scale_range``: the tone of an interaction.
    scale_range : pair of float, default=(-1.0, 1.0)
        The ends of the scale of ``sentiment``: the most negative and the most positive there can be.
    action_weights : mapping of str to float, optional
        The weight of each action, from 0 on; names differ neither by case nor by spaces around them.
        Actions of one weight are one depth, called by the first of them. The default is reading (also
        read, view, watch, click) 1, liking (like, reaction, react, favorite, favourite, upvote, follow)
        2, commenting (comment, reply, answer) 3, sharing (share, repost, retweet, forward, recommend) 4,
        creating (create, post, publish, upload, review) 5.
    advocacy_weight : float, default=4.0
        Actions of at least this weight are advocacy.
    n_leading : int, default=5
        How many platforms have a column of their own, at most: the most frequent ones in ``fit``. The
        rest is pooled as ``"other"``.
    time_unit : {"D", "h", "W", "M", "Y"}, default="D"
        Unit of ``activity`` and ``recency``. A month is 365.2425 / 12 days, a year 365.2425 days.
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.
    unknown_actions : {"drop", "raise"}, default="drop"
        What to do with actions that have no weight: leave the interactions out, counted, or refuse the
        table.
    as_of : date, timestamp, ISO 8601 text or None, default=None
        The reference time; None takes the latest readable timestamp that is seen in ``fit``. A date,
        or a time at midnight, stands for that whole day. Later interactions are left out.

    Attributes
    ----------
    as_of_ : pandas.Timestamp
        The reference time.
    levels_ : dict of str to tuple of str
        The leading levels of ``"platform"``, the most frequent first; ``"other"`` comes last where ``fit`` saw
        further levels.
    row_report_ : RowReport
        How many rows of the table seen in ``fit`` each policy touched.
    units_ : dict of str to str
        The unit of each characteristic.
    feature_names_in_ : ndarray of str
        The columns of the table seen in ``fit``.
    n_features_in_ : int
        Their number.

    Notes
    -----
    Rows are left out, and counted, where the customer id is missing, the timestamp is missing or
    unreadable, the action is missing, the interaction is later than ``as_of``, or the action has no
    weight; customers without any other row are left out with them. Rows without platform, reach or
    sentiment are kept, counted, and enter no number that needs the value. Rows that repeat another one
    are kept and counted. A negative reach, or a sentiment outside its range, is an error.

    What is not defined is NaN: shares of platforms where none is known, reach and tone of a customer
    who shared and created nothing. Of equally frequent platforms the one that is more frequent in
    ``fit`` leads; ``leading_platform`` is ``"other"`` where the customer's most used platform has no
    column of its own.

    The order of the actions is that of research on engagement with brands: consuming, contributing,
    creating [1]_. That each step counts one more than the step before is a convention, not a
    measurement: pass ``action_weights`` where you know better. ``activity`` of a customer first seen a
    few days ago rests on these few days.

    References
    ----------
    .. [1] Muntinga, D. G., Moorman, M. & Smit, E. G. (2011). Introducing COBRAs: Exploring motivations
       for brand-related social media use. *International Journal of Advertising* 30(1), 13-46.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import SocialMediaFeaturizer
    >>> interactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 1, 2],
    ...         "timestamp": ["2024-01-01", "2024-01-01", "2024-01-04", "2024-01-02"],
    ...         "platform": ["video", "forum", "video", "forum"],
    ...         "action": ["like", "comment", "share", "read"],
    ...     }
    ... )
    >>> social = SocialMediaFeaturizer().fit_transform(interactions)
    >>> social[["interactions", "leading_platform", "engagement", "deepest_action"]]
                 interactions leading_platform  engagement deepest_action
    customer_id
    1                       3            video         3.0        sharing
    2                       1            forum         1.0        reading
    """

    criterion: ClassVar[str] = "social"

    _parameters: ClassVar[ParameterTable] = {
        "customer_id": ID_IN_TIME,
        "timestamp": (COLUMN,),
        "platform": (COLUMN,),
        "action": (COLUMN,),
        "reach": (NONE, COLUMN),
        "sentiment": (NONE, COLUMN),
        "action_weights": (NONE, Where(_is_weights, "a mapping of actions to finite weights >= 0")),
        "unknown_actions": (OneOf("drop", "raise"),),
        "advocacy_weight": (Number(0.0),),
        "scale_range": (Where(_is_range, "a pair of finite numbers, the lower one first"),),
        "n_leading": (Integer(low=1),),
        "time_unit": tuple(OneOf(unit) for unit in UNIT_HOURS),
        "as_of": AS_OF,
        **OVERRIDES,
    }

    _row = "row"

    levels_: dict[str, tuple[str, ...]]

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        timestamp: str = "timestamp",
        platform: str = "platform",
        action: str = "action",
        reach: str | None = None,
        sentiment: str | None = None,
        scale_range: tuple[float, float] = (-1.0, 1.0),
        action_weights: Mapping[str, float] | None = None,
        advocacy_weight: float = 4.0,
        n_leading: int = 5,
        time_unit: str = "D",
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
        unknown_actions: str = "drop",
        as_of: Any = None,
    ) -> None:
        self.customer_id = customer_id
        self.timestamp = timestamp
        self.platform = platform
        self.action = action
        self.reach = reach
        self.sentiment = sentiment
        self.scale_range = scale_range
        self.action_weights = action_weights
        self.advocacy_weight = advocacy_weight
        self.n_leading = n_leading
        self.time_unit = time_unit
        self.labels = labels
        self.units = units
        self.roles = roles
        self.unknown_actions = unknown_actions
        self.as_of = as_of

    def _check(self) -> None:
        self._check_parameters()
        self._depths()

    def _depths(self) -> dict[float, list[str]]:
        """Return the plain names of the actions of each weight, from the least to the greatest."""
        given: dict[str, float] = {}
        for name, weight in (ACTION_WEIGHTS if self.action_weights is None else self.action_weights).items():
            if given.setdefault(plain_action(name), float(weight)) != float(weight):
                words = "a mapping with one weight for each action, whatever its case"
                raise InvalidParameterError.not_allowed("action_weights", words, name)
        depths: dict[float, list[str]] = {}
        for name, weight in given.items():
            depths.setdefault(weight, []).append(name)
        return dict(sorted(depths.items()))

    def _fields(self) -> Sequence[Field]:
        fields = [Field("platform", self.platform, "level"), Field("action", self.action, "level", required=True)]
        numbers = {"reach": self.reach, "sentiment": self.sentiment}
        return [*fields, *(Field(role, column, "number") for role, column in numbers.items() if column is not None)]

    def _characteristics(self, learned: Vocabulary | None) -> Sequence[Characteristic]:
        time = UNIT_WORDS[self.time_unit]
        pace = time.removesuffix("s")
        told = [
            number("interactions", "interactions", "interactions", "activity"),
            number("active_days", "days with an interaction", "days", "activity"),
            number("activity", f"interactions per {pace}", f"interactions per {pace}", "activity"),
            number("recency", f"{time} since the last interaction", time, "activity_recency"),
            number("platforms", "different platforms", "platforms", "variety"),
            Characteristic(column="leading_platform", kind="nominal", role="platform", label="platform used most"),
        ]
        levels = () if learned is None else learned.names
        told += [
            number(name, f"share of interactions by platform: {level}", "share", "platform")
            for name, level in zip(share_names("platform", levels), levels, strict=True)
        ]
        told += [
            number("engagement", "mean depth of engagement", "mean weight", "engagement"),
            Characteristic(column="deepest_action", kind="ordinal", role="engagement", label="deepest action"),
            number("advocacy", "share of interactions for others to hear", "share", "advocacy"),
        ]
        if self.reach is not None:
            told.append(number("reach_total", "people reached", "people", "reach"))
            told.append(number("reach_mean", "people reached per post", "people per post", "reach"))
        if self.sentiment is not None:
            low, high = self.scale_range
            points = f"points {low:g} to {high:g}"
            told += [
                number("sentiment_mean", "mean sentiment", points, "sentiment"),
                number("sentiment_negative_share", "share of negative interactions", "share", "sentiment"),
                number("sentiment_advocacy", "mean sentiment where others hear it", points, "sentiment"),
            ]
        return told

    def _prepare(self, records: Records) -> Records:
        return records

    def _learn(self, work: Records) -> Vocabulary:
        return Vocabulary.learn(self._weighted(work), "platform", self.n_leading, column=self.platform)

    def _publish(self, learned: Vocabulary) -> None:
        self.levels_ = {"platform": learned.names}

    def _weighted(self, records: Records) -> nw.LazyFrame[Any]:
        """Keep the rows whose action has a weight."""
        names = [name for names in self._depths().values() for name in names]
        return records.frame.filter(action_of_row().is_in(names))

    def _describe(self, work: Records, learned: Vocabulary, *, is_own: bool) -> Description:
        records, mix, depths = work, LevelMix(learned), self._depths()
        rows = rows_of_interactions(records, mix, depths)
        facts = self._facts(rows)
        self._refuse_odd(facts)
        policies = self._judged(records, facts)
        remark = mix.vocabulary.unseen(self._weighted(records), "platform") if facts["unseen"] else ""
        known = rows.drop("is_unseen").filter(nw.col("depth") >= 0)
        found, sums = self._by_customer(known, records, mix)
        counts = counts_by_name(found)
        columns = (
            *self._activity(records, counts),
            Column("platforms", "numeric", counts["platforms"], is_integer=True),
            *platform_columns(counts, mix),
            *self._engagement(counts),
            *reach_columns(counts, sums),
            *sentiment_columns(counts, sums),
        )
        return Description(found["customer"], columns, policies, (remark,) if remark else ())

    def _facts(self, rows: nw.LazyFrame[Any]) -> dict[str, int]:
        """Count the rows that a policy or an error is about."""
        used = nw.col("depth") >= 0
        flags = {"unknown": ~used, "no_platform": used & (nw.col("code") < 0), "unseen": used & nw.col("is_unseen")}
        low, high = self.scale_range
        odd = {
            "reach": nw.col("reach") < 0,
            "sentiment": (nw.col("sentiment") < float(low)) | (nw.col("sentiment") > float(high)),
        }
        for role, column in {"reach": self.reach, "sentiment": self.sentiment}.items():
            if column is not None:
                known = nw.col(f"has_{role}")
                flags |= {f"no_{role}": used & ~known, f"odd_{role}": known & odd[role]}
        return count_where(rows, flags)

    def _refuse_odd(self, facts: Mapping[str, int]) -> None:
        if facts.get("odd_reach"):
            got = f"negative numbers in {facts['odd_reach']} row(s)"
            raise ColumnTypeError.expected(self.reach, "0 or more", got, "Make it missing where it is unknown.")
        if facts.get("odd_sentiment"):
            low, high = self.scale_range
            got = f"others in {facts['odd_sentiment']} row(s)"
            remedy = "Correct them, or pass the range of the scores: scale_range=(low, high)."
            raise ColumnTypeError.expected(self.sentiment, f"numbers in [{low:g}, {high:g}]", got, remedy)

    def _judged(self, records: Records, facts: Mapping[str, int]) -> tuple[RowPolicy, ...]:
        remedy = "Give them a weight in action_weights."
        if facts["unknown"]:
            names = [name for names in self._depths().values() for name in names]
            others = records.frame.filter(~action_of_row().is_in(names))
            found = Vocabulary.learn(others, "action", _NAMED)
            remedy = f"{remedy[:-1]}; there are {list_names(found.levels)}{' and more' if found.pools else ''}."
            if self.unknown_actions == "raise":
                raise InvalidTableError(
                    f"{asked()}: {facts['unknown']} row(s) have an action in column {self.action!r} that "
                    f"has no weight and unknown_actions='raise'. {remedy}"
                )
        policies = [
            RowPolicy(f"action in {self.action!r} has no weight", LEFT_OUT, facts["unknown"], remedy),
            RowPolicy(f"no platform in {self.platform!r}", "kept: on no platform", facts["no_platform"], "Fill it in."),
        ]
        for role, column in {"reach": self.reach, "sentiment": self.sentiment}.items():
            if column is not None:
                action = f"kept: without {role}"
                policies.append(RowPolicy(f"no {role} in {column!r}", action, facts[f"no_{role}"], "Fill it in."))
        return tuple(policies)

    def _by_customer(
        self, rows: nw.LazyFrame[Any], records: Records, mix: LevelMix
    ) -> tuple[nw.DataFrame[Any], dict[str, ExactSum]]:
        """Add up the rows of each customer, in whole numbers."""
        advocacy = sum(weight < self.advocacy_weight for weight in self._depths())
        customers, sums = add_up_interactions(
            rows,
            records,
            n_depths=len(self._depths()),
            advocacy=advocacy,
            middle=sum(map(float, self.scale_range)) / 2,
        )
        customers = customers.join(by_platform(rows, mix), on="customer", how="left")
        return collect(customers).sort("customer"), sums

    def _activity(self, records: Records, counts: Mapping[str, Integers]) -> list[Column]:
        if records.as_of is None:
            # no row has a readable time, so there are no customers
            since, observed = np.empty(0), np.empty(0)
        else:
            now = records.as_of.start("D")
            since = (now - period_start(counts["last"], "D")) / UNIT_HOURS[self.time_unit]
            observed = (now + 24 - period_start(counts["first"], "D")) / UNIT_HOURS[self.time_unit]
        return [
            Column("interactions", "numeric", counts["interactions"], is_integer=True),
            Column("active_days", "numeric", counts["active_days"], is_integer=True),
            Column("activity", "numeric", counts["interactions"] / observed),
            Column("recency", "numeric", since),
        ]

    def _engagement(self, counts: Mapping[str, Integers]) -> list[Column]:
        depths = self._depths()
        actions = np.column_stack([counts[f"depth_{depth}"] for depth in range(len(depths))])
        total = np.zeros(len(actions))
        for depth, weight in enumerate(depths):
            total += weight * actions[:, depth]
        deepest = len(depths) - 1 - (actions[:, ::-1] > 0).argmax(axis=1)
        return [
            Column("engagement", "numeric", total / np.maximum(counts["interactions"], 1)),
            Column("deepest_action", "ordinal", deepest.astype(np.int64), tuple(names[0] for names in depths.values())),
            Column("advocacy", "numeric", ratio(counts["advocacy"], counts["interactions"])),
        ]
