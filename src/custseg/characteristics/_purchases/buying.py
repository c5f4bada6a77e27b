"""The characteristics of how customers buy, from what their visits add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers
from custseg._core.characteristic import Characteristic, number
from custseg.characteristics._purchases.visits import DAYPARTS, Asked, Visits
from custseg.characteristics._records.level_mix import share_names
from custseg.characteristics._records.ratio import ratio
from custseg.characteristics._records.vocabulary import OTHER, Vocabulary
from custseg.characteristics._times.timestamps import UNIT_HOURS, UNIT_WORDS, period_start

DAYPART_SHARES = tuple(f"{part}_share" for part in (*DAYPARTS[1:], DAYPARTS[0]))
TIMES = ("weekend_share", *DAYPART_SHARES)
COURSE = ("gap_spread", "spend_trend")
# what is known of each text column, and which column it is
LEVELED = {
    "categories": "category",
    "category_concentration": "category",
    "share_category": "category",
    "channels": "channel",
    "channel_concentration": "channel",
    "share_channel": "channel",
}
BASKETS = ("orders", "lines", "basket_spend", "basket_lines")
FEATURES = (*BASKETS, "gap_mean", *COURSE, "return_rate", "discount_share", *TIMES, *LEVELED)

# label, unit and role of each characteristic that is one column; {purchase} and {time} depend on the parameters
_SAID = {
    "orders": ("{purchase}s", "{purchase}s", "volume"),
    "lines": ("lines bought", "lines", "volume"),
    "basket_spend": ("spend per {purchase}", "currency per {purchase}", "basket"),
    "basket_lines": ("lines per {purchase}", "lines per {purchase}", "basket"),
    "gap_mean": ("{time} between purchases", "{time}", "rhythm"),
    "gap_spread": ("spread of the {time} between purchases", "{time}", "rhythm"),
    "spend_trend": ("trend of the spend", "from -1 to 1", "trend"),
    "return_rate": ("share of the spend that is returned", "share", "returns"),
    "discount_share": ("discount as a share of the list price", "share", "discount"),
    "weekend_share": ("share of purchases on weekends", "share", "timing"),
    "morning_share": ("share of purchases in the morning", "share", "timing"),
    "afternoon_share": ("share of purchases in the afternoon", "share", "timing"),
    "evening_share": ("share of purchases in the evening", "share", "timing"),
    "night_share": ("share of purchases at night", "share", "timing"),
    "categories": ("different categories bought", "categories", "variety"),
    "category_concentration": ("share of spend in the largest category", "share", "variety"),
    "channels": ("different channels used", "channels", "variety"),
    "channel_concentration": ("share of spend in the largest channel", "share", "variety"),
}

Numbers = npt.NDArray[Any]


def columns_of(
    feature: str, *, time_unit: str, by_order: bool, vocabularies: Mapping[str, Vocabulary]
) -> list[Characteristic]:
    """Return the columns that a characteristic becomes; none where its levels are not known yet."""
    if feature not in _SAID:
        role = LEVELED[feature]
        levels = vocabularies[role].names if role in vocabularies else ()
        return [
            number(name, f"share of spend by {role}: {level}", "share", role)
            for name, level in zip(share_names(role, levels), levels, strict=True)
        ]
    words = {"purchase": "order" if by_order else "purchase", "time": UNIT_WORDS[time_unit]}
    label, unit, kind = _SAID[feature]
    return [number(feature, label.format(**words), unit.format(**words), kind)]


@dataclass(frozen=True)
class Buying:
    """Computes the characteristics.

    Attributes
    ----------
    visits : Visits
        What was added up.
    asked : Asked
        What was asked for.
    time_unit : str
        Unit of the gaps.
    vocabularies : mapping of str to Vocabulary
        The leading levels, by role.
    """

    visits: Visits
    asked: Asked
    time_unit: str
    vocabularies: Mapping[str, Vocabulary]

    def values(self, feature: str) -> Sequence[Numbers]:
        """Return the columns that a characteristic becomes; NaN where it is undefined."""
        if feature in LEVELED:
            return self._of_levels(feature)
        if feature in DAYPART_SHARES:
            timed = np.sum([self.visits.count(part) for part in DAYPARTS], axis=0)
            return [ratio(self.visits.count(feature.removesuffix("_share")), timed)]
        return [getattr(self, f"_{feature}")()]

    def _orders(self) -> Integers:
        return self.visits.count("orders" if self.asked.by_order else "visits")

    def _lines(self) -> Integers:
        return self.visits.count("lines")

    def _basket_spend(self) -> Floats:
        return self.visits.mean_net(self._orders())

    def _basket_lines(self) -> Floats:
        return self._lines() / self._orders()

    def _n_gaps(self) -> Integers:
        return self.visits.count("periods" if self.asked.periods else "visits") - 1

    def _span(self) -> Integers:
        """Hours from the first purchase period to the last."""
        ends = (period_start(self.visits.count(end), self.asked.period) for end in ("first", "last"))
        first, last = ends
        return last - first

    def _gap_mean(self) -> Floats:
        return ratio(self._span(), self._n_gaps()) / UNIT_HOURS[self.time_unit]

    def _gap_spread(self) -> Floats:
        n_gaps = self._n_gaps().astype(np.float64)
        span = self._span().astype(np.float64)
        # whole numbers all: equal gaps give exactly 0
        deviations = n_gaps * self.visits.number("squared_gaps") - span * span
        return np.sqrt(ratio(np.maximum(deviations, 0.0), n_gaps * (n_gaps - 1))) / UNIT_HOURS[self.time_unit]

    def _spend_trend(self) -> Floats:
        trend = ratio(self.visits.size("change"), self.visits.size("gross"))
        return np.where(self._n_gaps() > 0, np.clip(trend, -1.0, 1.0), np.nan)

    def _return_rate(self) -> Floats:
        return ratio(self.visits.size("gross", less="net"), self.visits.size("gross"))

    def _discount_share(self) -> Floats:
        return ratio(self.visits.size("off"), self.visits.size("listed", "off"))

    def _weekend_share(self) -> Floats:
        return ratio(self.visits.count("weekend"), self.visits.count("visits"))

    def _of_levels(self, feature: str) -> Sequence[Numbers]:
        role = LEVELED[feature]
        if feature in ("categories", "channels"):
            return [self.visits.number(f"{role}_n")]
        whole = self.visits.size_where_known(role)
        if feature.endswith("concentration"):
            return [np.minimum(ratio(self.visits.number(f"{role}_top"), whole), 1.0)]
        names = self.vocabularies[role].names
        parts = [
            self.visits.size_where_known(f"{role}_other")
            if name == OTHER
            else self.visits.number(f"{role}_level_{position}")
            for position, name in enumerate(names)
        ]
        return [np.minimum(ratio(part, whole), 1.0) for part in parts]
