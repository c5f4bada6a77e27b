"""What customers do on social media: how much, where, how deep, how far it carries and in what tone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import Column
from custseg._core.frames import collect
from custseg._core.params import COLUMN, NONE, Integer, Number, OneOf, ParameterTable, Where
from custseg.characteristics._records.exact_sum import ExactSum
from custseg.characteristics._records.featurizer import AS_OF, Description, RecordFeaturizer
from custseg.characteristics._records.level_mix import LevelMix, share_names
from custseg.characteristics._records.ratio import ratio
from custseg.characteristics._records.records import Field, Records
from custseg.characteristics._records.repeated import count_repeated
from custseg.characteristics._records.timestamps import UNIT_HOURS, UNIT_WORDS, period_start
from custseg.characteristics._records.vocabulary import Vocabulary
from custseg.characteristics._row_report import LEFT_OUT, RowPolicy
from custseg.exceptions import ColumnTypeError, InvalidParameterError, InvalidTableError, list_names

# The first name of each weight names the depth; the others are what platforms call the same thing.
ACTION_WEIGHTS: Mapping[str, float] = {
    **dict.fromkeys(("reading", "read", "view", "watch", "click"), 1.0),
    **dict.fromkeys(("liking", "like", "reaction", "react", "favorite", "favourite", "upvote", "follow"), 2.0),
    **dict.fromkeys(("commenting", "comment", "reply", "answer"), 3.0),
    **dict.fromkeys(("sharing", "share", "repost", "retweet", "forward", "recommend"), 4.0),
    **dict.fromkeys(("creating", "create", "post", "publish", "upload", "review"), 5.0),
}
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


class SocialMediaFeaturizer(RecordFeaturizer):
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
    unknown_actions : {"drop", "raise"}, default="drop"
        What to do with actions that have no weight: leave the interactions out, counted, or refuse the
        table.
    as_of : date, timestamp, text or None, default=None
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
        "customer_id": (COLUMN,),
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
    }

    levels_: dict[str, tuple[str, ...]]
    _vocabulary: Vocabulary | None = None

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
        self.unknown_actions = unknown_actions
        self.as_of = as_of

    def _check(self) -> None:
        self._check_parameters()
        self._depths()

    def _depths(self) -> dict[float, list[str]]:
        """Return the plain names of the actions of each weight, from the least to the greatest."""
        given: dict[str, float] = {}
        for name, weight in (ACTION_WEIGHTS if self.action_weights is None else self.action_weights).items():
            if given.setdefault(_plain(name), float(weight)) != float(weight):
                words = "a mapping with one weight for each action, whatever its case"
                raise InvalidParameterError.not_allowed(type(self).__name__, "action_weights", words, name)
        depths: dict[float, list[str]] = {}
        for name, weight in given.items():
            depths.setdefault(weight, []).append(name)
        return dict(sorted(depths.items()))

    def _fields(self) -> Sequence[Field]:
        fields = [Field("platform", self.platform, "level"), Field("action", self.action, "level", required=True)]
        numbers = {"reach": self.reach, "sentiment": self.sentiment}
        return [*fields, *(Field(role, column, "number") for role, column in numbers.items() if column is not None)]

    def _units(self) -> Mapping[str, str]:
        time = UNIT_WORDS[self.time_unit]
        units = {
            "interactions": "interactions",
            "active_days": "days",
            "activity": f"interactions per {time.removesuffix('s')}",
            "recency": time,
            "platforms": "platforms",
            "leading_platform": "",
            **dict.fromkeys(share_names("platform", self.levels_["platform"]), "share"),
            "engagement": "mean weight",
            "deepest_action": "",
            "advocacy": "share",
        }
        if self.reach is not None:
            units |= {"reach_total": "people", "reach_mean": "people per post"}
        if self.sentiment is not None:
            low, high = self.scale_range
            points = f"points {low:g} to {high:g}"
            units |= {"sentiment_mean": points, "sentiment_negative_share": "share", "sentiment_advocacy": points}
        return units

    def _learn(self, records: Records) -> None:
        self._vocabulary = self._leading(records)
        self.levels_ = {"platform": self._vocabulary.names}

    def _leading(self, records: Records) -> Vocabulary:
        return Vocabulary.learn(self._weighted(records), "platform", self.n_leading, column=self.platform)

    def _weighted(self, records: Records) -> nw.LazyFrame[Any]:
        """Keep the rows whose action has a weight."""
        names = [name for names in self._depths().values() for name in names]
        return records.frame.filter(_action().is_in(names))

    def _noted(self, records: Records) -> Sequence[RowPolicy]:
        remedy = "Drop them first if they are errors."
        return (RowPolicy("repeats another row in the columns read", "kept", count_repeated(records), remedy),)

    def _describe(self, records: Records) -> Description:
        # check_rows can be asked before fit
        mix = LevelMix(self._vocabulary or self._leading(records))
        rows = self._rows(records, mix)
        facts = self._facts(rows)
        self._refuse_odd(facts)
        policies = self._judged(records, facts)
        remark = mix.vocabulary.unseen(self._weighted(records), "platform") if facts["unseen"] else ""
        known = rows.drop("is_unseen").filter(nw.col("depth") >= 0)
        customers, sums = self._by_customer(known, records, mix)
        found = collect(customers).sort("customer")
        counts = {name: _ints(found, name) for name in found.columns if name != "customer"}
        columns = (
            *self._activity(records, counts),
            Column("platforms", "numeric", counts["platforms"], is_integer=True),
            *_platform_columns(counts, mix),
            *self._engagement(counts),
            *_reach_columns(counts, sums),
            *_sentiment_columns(counts, sums),
        )
        return Description(found["customer"], columns, policies, (remark,) if remark else ())

    def _rows(self, records: Records, mix: LevelMix) -> nw.LazyFrame[Any]:
        """Turn actions and platforms into whole numbers; -1 stands for an action that has no weight."""
        action, depth = nw.col("plain_action"), nw.lit(-1)
        for position, names in enumerate(self._depths().values()):
            depth = nw.when(action.is_in(names)).then(nw.lit(position)).otherwise(depth)
        rows = records.frame.with_columns(_action().alias("plain_action"))
        rows = rows.select(
            *("customer", "period", "platform", *records.largest),
            depth.cast(nw.Int64).alias("depth"),
            mix.code("platform").alias("code"),
            mix.vocabulary.is_unseen("platform").alias("is_unseen"),
        )
        rows = rows.with_columns(
            (~(nw.col(role).is_null() | nw.col(role).is_nan()).fill_null(value=True)).alias(f"has_{role}")
            for role in records.largest
        )
        # what is used several times is computed once, where the table is in memory anyway
        return rows.collect().lazy() if records.in_memory else rows

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
        flagged = rows.with_columns(
            **{name: flag.fill_null(value=False).cast(nw.Int64) for name, flag in flags.items()}
        )
        row = collect(flagged.select(nw.col(name).sum() for name in flags))
        return {name: 0 if pd.isna(row[name].item()) else int(row[name].item()) for name in flags}

    def _refuse_odd(self, facts: Mapping[str, int]) -> None:
        who = type(self).__name__
        if facts.get("odd_reach"):
            got = f"negative numbers in {facts['odd_reach']} row(s)"
            raise ColumnTypeError.expected(who, self.reach, "0 or more", got, "Make it missing where it is unknown.")
        if facts.get("odd_sentiment"):
            low, high = self.scale_range
            got = f"others in {facts['odd_sentiment']} row(s)"
            remedy = "Correct them, or pass the range of the scores: scale_range=(low, high)."
            raise ColumnTypeError.expected(who, self.sentiment, f"numbers in [{low:g}, {high:g}]", got, remedy)

    def _judged(self, records: Records, facts: Mapping[str, int]) -> tuple[RowPolicy, ...]:
        remedy = "Give them a weight in action_weights."
        if facts["unknown"]:
            names = [name for names in self._depths().values() for name in names]
            others = records.frame.filter(~_action().is_in(names))
            found = Vocabulary.learn(others, "action", _NAMED)
            remedy = f"{remedy[:-1]}; there are {list_names(found.levels)}{' and more' if found.pools else ''}."
            if self.unknown_actions == "raise":
                raise InvalidTableError(
                    f"{type(self).__name__}: {facts['unknown']} row(s) have an action in column {self.action!r} that "
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
    ) -> tuple[nw.LazyFrame[Any], dict[str, ExactSum]]:
        """Add up the rows of each customer, in whole numbers."""
        weights = list(self._depths())
        advocacy = (nw.col("depth") >= _first_at_least(weights, self.advocacy_weight)).cast(nw.Int64)
        flags = {f"depth_{depth}": (nw.col("depth") == depth).cast(nw.Int64) for depth in range(len(weights))}
        counted = rows.with_columns(**flags, advocacy=advocacy)
        names, sums = ["advocacy", *flags], {}
        for role, largest in records.largest.items():
            sums[role] = ExactSum.over(largest, records.n_rows)
            known = nw.col(f"has_{role}")
            counted = counted.with_columns(
                nw.when(known).then(nw.col(role)).otherwise(nw.lit(0.0)).alias("amount"),
                known.cast(nw.Int64).alias(f"{role}_known"),
            )
            counted = sums[role].split(counted).rename({"high": f"{role}_high", "low": f"{role}_low"}).drop("amount")
            parts = [f"{role}_{part}" for part in ("high", "low", "known")]
            counted = counted.with_columns((nw.col(part) * nw.col("advocacy")).alias(f"own_{part}") for part in parts)
            names += [*parts, *(f"own_{part}" for part in parts)]
        if "sentiment" in records.largest:
            middle = sum(map(float, self.scale_range)) / 2
            is_negative = nw.col("has_sentiment") & (nw.col("sentiment") < middle).fill_null(value=False)
            counted = counted.with_columns(is_negative.cast(nw.Int64).alias("negative"))
            names.append("negative")
        customers = counted.group_by("customer").agg(
            *(nw.col(name).sum() for name in names),
            nw.len().alias("interactions"),
            nw.col("period").min().alias("first"),
            nw.col("period").max().alias("last"),
        )
        days = rows.select("customer", "period").unique().group_by("customer").agg(nw.len().alias("active_days"))
        platforms = _by_platform(rows, mix)
        return customers.join(days, on="customer", how="left").join(platforms, on="customer", how="left"), sums

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


def _plain(name: str) -> str:
    return name.strip().lower()


def _action() -> nw.Expr:
    return nw.col("action").str.strip_chars().str.to_lowercase()


def _first_at_least(weights: Sequence[float], least: float) -> int:
    return sum(weight < least for weight in weights)


def _by_platform(rows: nw.LazyFrame[Any], mix: LevelMix) -> nw.LazyFrame[Any]:
    """Count each customer's platforms, the rows of each leading one, and those of the most used other one."""
    known = rows.filter(nw.col("code") >= 0)
    pairs = known.group_by("customer", "platform").agg(nw.len().alias("rows"), nw.col("code").min())
    names = {f"platform_{code}": nw.col("code") == code for code in range(mix.n_codes)}
    pairs = pairs.with_columns(
        **{name: nw.col("rows").cast(nw.Int64) * flag.cast(nw.Int64) for name, flag in names.items()}
    )
    pairs = pairs.with_columns(nw.col(f"platform_{mix.n_codes - 1}").alias("largest_other"))
    return pairs.group_by("customer").agg(
        nw.len().alias("platforms"), *(nw.col(name).sum() for name in names), nw.col("largest_other").max()
    )


def _platform_columns(counts: Mapping[str, Integers], mix: LevelMix) -> list[Column]:
    by_platform = np.column_stack([counts[f"platform_{code}"] for code in range(mix.n_codes)])
    # pooled platforms are not one platform: the most used of them stands against the leading ones
    alone = np.column_stack([by_platform[:, :-1], counts["largest_other"]])
    return [
        mix.leader(alone, "leading_platform"),
        *mix.shares(by_platform, by_platform.sum(axis=1), "platform"),
    ]


def _reach_columns(counts: Mapping[str, Integers], sums: Mapping[str, ExactSum]) -> list[Column]:
    if "reach" not in sums:
        return []
    total, n_posts = _total(counts, sums, "own_reach"), counts["own_reach_known"]
    return [
        Column("reach_total", "numeric", np.where(n_posts > 0, total, np.nan)),
        Column("reach_mean", "numeric", _mean(total, n_posts)),
    ]


def _sentiment_columns(counts: Mapping[str, Integers], sums: Mapping[str, ExactSum]) -> list[Column]:
    if "sentiment" not in sums:
        return []
    known = counts["sentiment_known"]
    own = _mean(_total(counts, sums, "own_sentiment"), counts["own_sentiment_known"])
    return [
        Column("sentiment_mean", "numeric", _mean(_total(counts, sums, "sentiment"), known)),
        Column("sentiment_negative_share", "numeric", ratio(counts["negative"], known)),
        Column("sentiment_advocacy", "numeric", own),
    ]


def _total(counts: Mapping[str, Integers], sums: Mapping[str, ExactSum], name: str) -> Floats:
    return sums[name.removeprefix("own_")].total(counts[f"{name}_high"], counts[f"{name}_low"])


def _mean(total: Floats, n_values: Integers) -> Floats:
    return np.where(n_values > 0, total / np.maximum(n_values, 1), np.nan)


def _ints(frame: nw.DataFrame[Any], name: str) -> Integers:
    # a customer of no known platform has no number of them; the rest is there, but perhaps in floats
    return np.asarray(frame[name].fill_null(0).to_numpy(), dtype=np.int64)
