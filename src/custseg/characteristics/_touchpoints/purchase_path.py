"""How customers come to a purchase: their paths through the stages before it, from events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.arrays import Integers
from custseg._core.asking import asked
from custseg._core.characteristic import Characteristic, number
from custseg._core.composed import composed_text
from custseg._core.customers import Column
from custseg._core.described import OVERRIDES, ByColumn
from custseg._core.frames import collect
from custseg._core.ids import ID_IN_TIME
from custseg._core.params import COLUMN, NONE, Integer, OneOf, ParameterTable, Where
from custseg.characteristics._records.counting import count_where, counts_by_name
from custseg.characteristics._records.featurizer import AS_OF, Description, RecordFeaturizer
from custseg.characteristics._records.fields import Field
from custseg.characteristics._records.level_mix import LevelMix, share_names
from custseg.characteristics._records.ratio import ratio
from custseg.characteristics._records.records import Records
from custseg.characteristics._records.vocabulary import Vocabulary
from custseg.characteristics._row_report import LEFT_OUT, RowPolicy
from custseg.characteristics._times.timestamps import DAY, HOUR, UNIT_HOURS, UNIT_WORDS, AsOf
from custseg.characteristics._touchpoints.paths import PathRule, count_paths, find_paths
from custseg.exceptions import InvalidTableError, list_names

STAGES = ("visit", "product view", "basket", "purchase")
_MICROSECOND = pd.Timedelta(1, unit="us")
# times, with the place of stage and channel behind them, stay whole numbers of 64 bits
_LARGEST = 2**62
_NAMED = 5


def _is_silence(value: Any) -> bool:
    if isinstance(value, (bool, int, float, np.number)):
        return False
    try:
        return bool(pd.Timedelta(value) >= _MICROSECOND)
    except (TypeError, ValueError):
        return False


def _is_stages(names: Any) -> bool:
    is_list = isinstance(names, (list, tuple)) and all(isinstance(name, str) and name for name in names)
    return is_list and 2 <= len(names) == len(set(names))


class PurchasePathFeaturizer(RecordFeaturizer[Records, Vocabulary | None]):
    """The paths of each customer to a purchase, from a table of events.

    A *path* is a run of one customer's events. It ends with a purchase, which completes it, or when
    more than ``max_gap`` passes without an event, which makes it abandoned. A path that has come to
    neither at ``as_of`` is open: nobody knows yet what becomes of it, so it enters no share. A path
    has *reached* a stage when it holds an event of that stage or of a later one: who bought has had a
    basket, whether or not the basket was logged. A *touch* is an event that is no purchase.

    - ``events_<stage>``: events of each stage;
    - ``paths``: number of paths;
    - ``path_open``: whether the last of them is open;
    - ``conversion_to_<stage>``: of the completed and abandoned paths that reached the stage before,
      the share that reached this one;
    - ``abandoned_share``: of the completed and abandoned paths, the share of the abandoned ones;
    - ``touches_to_purchase``: mean number of touches of a completed path;
    - ``time_to_purchase``: mean time from the first event of a completed path to its purchase.

    With ``channel`` also

    - ``first_touch_channel``, ``last_touch_channel``: where a completed path most often begins, and
      through which channel the last touch before the purchase most often comes; touches of unknown
      channel are passed over;
    - ``multichannel_share``: of the completed and abandoned paths with touches of a known channel, the
      share of those with more than one channel;
    - ``share_channel_<channel>``: share of each leading channel in the touches of known channel.

    Parameters
    ----------
    customer_id : str, default="customer_id"
        Column of customer ids: whole numbers or text.
    timestamp : str, default="timestamp"
        Column of event times: timestamps, dates, or ISO 8601 text.
    stage : str, default="stage"
        Column of stages.
    channel : str or None, default=None
        Column of channels.
    stages : sequence of str, default=("visit", "product view", "basket", "purchase")
        The stages in their order, written as in the table; the last one is the purchase.
    max_gap : str or timedelta, default="30D"
        The longest silence within a path, as ``pandas.Timedelta`` reads it. The default looks back 30
        days, as is usual where a purchase is ascribed to the touches before it; ``"30min"`` makes each
        session a path, as is usual where the funnel of a website is studied.
    n_leading : int, default=5
        How many channels have a column of their own, at most: the most frequent ones in ``fit``. The
        rest is pooled as ``"other"``.
    time_unit : {"D", "h", "W", "M", "Y"}, default="D"
        Unit of ``time_to_purchase``. A month is 365.2425 / 12 days, a year 365.2425 days.
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.
    as_of : date, timestamp, ISO 8601 text or None, default=None
        The reference time; None takes the latest readable timestamp that is seen in ``fit``. A date,
        or a time at midnight, stands for that whole day. Later events are left out.

    Attributes
    ----------
    as_of_ : pandas.Timestamp
        The reference time.
    levels_ : dict of str to tuple of str
        The leading levels of ``"channel"``, the most frequent first; ``"other"`` comes last where ``fit`` saw
        further levels. Empty without ``channel``.
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
    unreadable, the stage is missing, the event is later than ``as_of``, or the stage is none of
    ``stages``; customers without any other event are left out with them. Events without a channel are
    kept, and counted: they are touches of no channel. Events that repeat another one are kept and
    counted.

    What is not defined is NaN: a conversion from a stage that no path reached, touches and time of a
    customer who never bought, a channel where none is known. A purchase without any event before it
    is a completed path of 0 touches that took no time.

    Events of one moment are taken in the order of the stages, then of the channels, never in that of
    the rows; purchases of one moment are one purchase. Of equally frequent channels the one that is
    more frequent in ``fit`` counts, and channels pooled as ``"other"`` count as one. The product of
    all conversions is the share of completed paths.

    The first and last touch are those of the rules of attribution [1]_, with all credit to one touch;
    which touch *made* a customer buy is a question of experiments, not of paths.

    Everything runs in the engine of the table; on dask, which has no window functions, each event is
    joined to the ends of all paths of its customer.

    References
    ----------
    .. [1] Shao, X. & Li, L. (2011). Data-driven multi-touch attribution models. *Proceedings of the
       17th ACM SIGKDD International Conference on Knowledge Discovery and Data Mining*, 258-264.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import PurchasePathFeaturizer
    >>> events = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 1, 2, 2],
    ...         "timestamp": ["2024-01-01", "2024-01-03", "2024-03-01", "2024-01-05", "2024-02-25"],
    ...         "stage": ["visit", "purchase", "visit", "basket", "visit"],
    ...     }
    ... )
    >>> paths = PurchasePathFeaturizer(as_of="2024-05-01").fit_transform(events)
    >>> paths[["paths", "abandoned_share", "conversion_to_basket", "time_to_purchase"]]
                 paths  abandoned_share  conversion_to_basket  time_to_purchase
    customer_id
    1                2              0.5                   1.0               2.0
    2                2              1.0                   1.0               NaN
    """

    _parameters: ClassVar[ParameterTable] = {
        "customer_id": ID_IN_TIME,
        "timestamp": (COLUMN,),
        "stage": (COLUMN,),
        "channel": (NONE, COLUMN),
        "stages": (Where(_is_stages, "a list or tuple of two or more different texts, the last one the purchase"),),
        "max_gap": (Where(_is_silence, "a positive duration such as '30D' or a timedelta"),),
        "n_leading": (Integer(low=1),),
        "time_unit": tuple(OneOf(unit) for unit in UNIT_HOURS),
        "as_of": AS_OF,
        **OVERRIDES,
    }

    _row = "event"

    levels_: dict[str, tuple[str, ...]]

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        timestamp: str = "timestamp",
        stage: str = "stage",
        channel: str | None = None,
        stages: Sequence[str] = STAGES,
        max_gap: Any = "30D",
        n_leading: int = 5,
        time_unit: str = "D",
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
        as_of: Any = None,
    ) -> None:
        self.customer_id = customer_id
        self.timestamp = timestamp
        self.stage = stage
        self.channel = channel
        self.stages = stages
        self.max_gap = max_gap
        self.n_leading = n_leading
        self.time_unit = time_unit
        self.labels = labels
        self.units = units
        self.roles = roles
        self.as_of = as_of

    def _fields(self) -> Sequence[Field]:
        stage = Field("stage", self.stage, "level", required=True)
        return (stage,) if self.channel is None else (stage, Field("channel", self.channel, "level"))

    def _characteristics(self, learned: Vocabulary | None) -> Sequence[Characteristic]:
        time = UNIT_WORDS[self.time_unit]
        told = [number(f"events_{stage}", f"events of the stage {stage}", "events", "path") for stage in self.stages]
        told.append(number("paths", "paths to a purchase", "paths", "path"))
        told.append(Characteristic(column="path_open", kind="binary", role="path", label="last path is open"))
        told += [
            number(f"conversion_to_{stage}", f"share of paths that go on to the stage {stage}", "share", "path")
            for stage in self.stages[1:]
        ]
        told += [
            number("abandoned_share", "share of paths without a purchase", "share", "path"),
            number("touches_to_purchase", "touches before a purchase", "touches", "path"),
            number("time_to_purchase", f"{time} from the first touch to the purchase", time, "path"),
        ]
        if self.channel is None:
            return told
        return [*told, *self._of_channels(() if learned is None else learned.names)]

    def _of_channels(self, levels: Sequence[str]) -> list[Characteristic]:
        leading = {
            "first_touch_channel": "channel of the first touch",
            "last_touch_channel": "channel of the last touch",
        }
        return [
            *(
                Characteristic(column=name, kind="nominal", role="channel", label=label)
                for name, label in leading.items()
            ),
            number("multichannel_share", "share of paths over several channels", "share", "variety"),
            *(
                number(name, f"share of touches by channel: {level}", "share", "channel")
                for name, level in zip(share_names("channel", levels), levels, strict=True)
            ),
        ]

    def _prepare(self, records: Records) -> Records:
        return records

    def _learn(self, work: Records) -> Vocabulary | None:
        """Find the leading channels: those of touches, since a purchase is none."""
        if self.channel is None:
            return None
        return Vocabulary.learn(self._touches(work), "channel", self.n_leading, column=self.channel)

    def _publish(self, learned: Vocabulary | None) -> None:
        self.levels_ = {} if learned is None else {"channel": learned.names}

    @property
    def _stage_texts(self) -> list[str]:
        """The stages as the records have them."""
        return [composed_text(stage) for stage in self.stages]

    def _touches(self, records: Records) -> nw.LazyFrame[Any]:
        return records.frame.filter(nw.col("stage").is_in(self._stage_texts[:-1]))

    def _describe(self, work: Records, learned: Vocabulary | None, *, is_own: bool) -> Description:
        records, mix = work, None if learned is None else LevelMix(learned)
        start, span = self._times(records, mix)
        events = self._events(records, mix, start)
        facts = _facts(events)
        remark = ""
        if learned is not None and facts["unseen"]:
            remark = learned.unseen(self._touches(records), "channel")
        policies = self._judged(records, facts, mix)
        known = events.drop("is_unseen").filter(nw.col("step") >= 0)
        rule = PathRule(
            n_stages=len(self.stages),
            max_gap=pd.Timedelta(self.max_gap) // _MICROSECOND,
            now=-1 if records.as_of is None else _end(records.as_of) - start,
            span=span,
            n_codes=0 if mix is None else mix.n_codes,
        )
        counted = count_paths(find_paths(known, rule), rule)
        customers = _count_events(known, rule).join(counted, on="customer", how="left")
        found = collect(customers).sort("customer")
        return Description(found["customer"], tuple(self._columns(found, mix)), policies, (remark,) if remark else ())

    def _times(self, records: Records, mix: LevelMix | None) -> tuple[int, int]:
        """Return a time no later than any event, and how many microseconds after it all events are."""
        first, last = (0, 0) if records.periods is None else records.periods
        # two days more on either side, since periods follow the clock of a zone
        start, span = (first - 2) * DAY, (last - first + 5) * DAY
        n_pairs = len(self.stages) * (1 if mix is None else mix.n_codes)
        if span * (n_pairs + 1) < _LARGEST:
            return start, span
        # the range of the table includes rows left out, so it may be no more than a placeholder
        moment = nw.col("moment")
        row = collect(records.frame.select(moment.min().alias("first"), moment.max().alias("last")))
        start, span = int(row["first"].item()), int(row["last"].item()) - int(row["first"].item()) + 1
        if span * (n_pairs + 1) < _LARGEST:
            return start, span
        raise InvalidTableError(
            f"{asked()}: the timestamps in column {self.timestamp!r} span {span // (365 * DAY)} years. "
            "Some of them stand for an unknown time: make them missing, or pass as_of where they lie in the future."
        )

    def _events(self, records: Records, mix: LevelMix | None, start: int) -> nw.LazyFrame[Any]:
        """Turn stages and channels into whole numbers; -1 stands for a stage that is not known."""
        step = nw.lit(-1)
        for position, stage in enumerate(self._stage_texts):
            step = nw.when(nw.col("stage") == stage).then(nw.lit(position)).otherwise(step)
        wanted = [
            nw.col("customer"),
            (nw.col("moment") - start).alias("t"),
            step.cast(nw.Int64).alias("step"),
            (nw.lit(value=False) if mix is None else mix.vocabulary.is_unseen("channel")).alias("is_unseen"),
        ]
        events = records.frame.select(*wanted, *([] if mix is None else [mix.code("channel").alias("code")]))
        # what is used twice is computed once, where the table is in memory anyway
        return events.collect().lazy() if records.in_memory else events

    def _judged(self, records: Records, facts: Mapping[str, int], mix: LevelMix | None) -> tuple[RowPolicy, ...]:
        remedy = "Name them in the parameter stages."
        if facts["unknown"]:
            others = records.frame.filter(~nw.col("stage").is_in(self._stage_texts))
            found = Vocabulary.learn(others, "stage", _NAMED)
            more = " and more" if found.pools else ""
            remedy = f"Name them in the parameter stages; there are {list_names(found.levels)}{more}."
        unknown = RowPolicy(f"stage in {self.stage!r} is none of stages", LEFT_OUT, facts["unknown"], remedy)
        if mix is None:
            return (unknown,)
        no_channel = RowPolicy(
            f"no channel in {self.channel!r}", "kept: touch of no channel", facts["no_channel"], "Fill it in."
        )
        return (unknown, no_channel)

    def _columns(self, found: nw.DataFrame[Any], mix: LevelMix | None) -> list[Column]:
        counts = counts_by_name(found)
        n_stages, completed, paths = len(self.stages), counts["completed"], counts["paths"]
        # how many ended paths came at least so far
        reached = [completed]
        for step in reversed(range(n_stages - 1)):
            reached.insert(0, reached[0] + counts[f"lost_{step}"])
        ended = reached[0]
        time = np.where(completed > 0, counts["time"] / np.maximum(completed, 1), np.nan)
        columns = [
            *(
                Column(f"events_{stage}", "numeric", counts[f"events_{step}"], is_integer=True)
                for step, stage in enumerate(self.stages)
            ),
            Column("paths", "numeric", paths, is_integer=True),
            Column("path_open", "binary", (paths > ended).astype(np.float64)),
            *(
                Column(f"conversion_to_{stage}", "numeric", ratio(reached[step], reached[step - 1]))
                for step, stage in enumerate(self.stages)
                if step
            ),
            Column("abandoned_share", "numeric", ratio(ended - completed, ended)),
            Column("touches_to_purchase", "numeric", ratio(counts["touches"], completed)),
            Column("time_to_purchase", "numeric", time / (UNIT_HOURS[self.time_unit] * HOUR)),
        ]
        return columns if mix is None else [*columns, *_channel_columns(counts, mix)]


def _channel_columns(counts: Mapping[str, Integers], mix: LevelMix) -> list[Column]:
    first, last, touches = (
        np.column_stack([counts[f"{name}_{code}"] for code in range(mix.n_codes)])
        for name in ("first", "last", "touches")
    )
    return [
        mix.leader(first, "first_touch_channel"),
        mix.leader(last, "last_touch_channel"),
        Column("multichannel_share", "numeric", ratio(counts["several"], counts["placed"])),
        *mix.shares(touches, touches.sum(axis=1), "channel"),
    ]


def _end(as_of: AsOf) -> int:
    """Return the reference time in microseconds; that of a whole day is its end."""
    time = as_of.time
    if as_of.whole_day:
        following = time.tz_localize(None) + pd.Timedelta(1, unit="D")
        time = following.tz_localize(time.tzinfo, nonexistent="shift_forward", ambiguous=False)
    naive = time if time.tzinfo is None else time.tz_convert(None)
    return int((naive.as_unit("us") - pd.Timestamp(0).as_unit("us")) // _MICROSECOND)


def _facts(events: nw.LazyFrame[Any]) -> dict[str, int]:
    """Count the events of unknown stages, without channel, and of channels that fit did not see."""
    step = nw.col("step")
    flags = {"unknown": step < 0}
    if "code" in events.collect_schema():
        flags["no_channel"] = (step >= 0) & (nw.col("code") < 0)
    # whether they are touches is looked at where there are any
    flags["unseen"] = nw.col("is_unseen")
    return count_where(events, flags)


def _count_events(events: nw.LazyFrame[Any], rule: PathRule) -> nw.LazyFrame[Any]:
    """Count each customer's events of each stage, and touches of each channel."""
    flags = {f"events_{step}": nw.col("step") == step for step in range(rule.n_stages)}
    for code in range(rule.n_codes):
        flags[f"touches_{code}"] = (nw.col("step") < rule.n_stages - 1) & (nw.col("code") == code)
    counted = events.with_columns(**{name: flag.cast(nw.Int64) for name, flag in flags.items()})
    return counted.group_by("customer").agg(nw.col(name).sum() for name in flags)
