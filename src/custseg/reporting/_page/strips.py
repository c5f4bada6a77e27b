"""Where a segment stands between the customers: a strip with the middle 80% of everyone, a tick, and a dot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from custseg._core.words import known
from custseg.exceptions import InfeasibleError
from custseg.personas import SegmentProfile, Trait
from custseg.plotting import DistributionDisplay
from custseg.plotting._for_reporting import rows_of
from custseg.segmentation import Segmentation

__all__ = ["Scales", "Strip"]

# of the strip, left free at either end
_ROOM = 0.05


@dataclass(frozen=True)
class Strip:
    """Percents of the width: the band is None where it may not be told, and for shares, which have none."""

    band: tuple[float, float] | None
    tick: float
    dot: float


@dataclass(frozen=True)
class _Scale:
    """From where to where the strips of one characteristic go, in every segment alike."""

    low: float
    high: float
    everyone: float
    band: tuple[float, float] | None

    def at(self, value: float) -> float:
        """Return the place of a figure, in percent."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(100 * (_ROOM + (1 - 2 * _ROOM) * min(max(share, 0.0), 1.0)), 1)


class Scales:
    """The scales of all characteristics that traits tell of."""

    def __init__(self, traits: Iterable[Trait], profile: SegmentProfile, described: Segmentation) -> None:
        numeric = {trait.characteristic for trait in traits if trait.statistic != "share"}
        frame = profile.frame[profile.frame["level"].isna() & profile.frame["characteristic"].isin(numeric)]
        self._scales = {
            str(name): scale
            for name, rows in frame.groupby("characteristic", sort=False)
            if (scale := _scale_of(str(name), rows, described, profile.min_group_size)) is not None
        }
        self._here = {(row.characteristic, row.segment): row.segment_value for row in rows_of(frame)}

    def strip(self, trait: Trait, segment: int, share: float | None) -> Strip | None:
        """Return the strip of a trait; ``share`` is that of the segment in all customers."""
        if trait.statistic == "share":
            return _of_share(float(trait.segment_value), float(trait.rest_value), trait.lift, share)
        scale, here = self._scales.get(trait.characteristic), self._here.get((trait.characteristic, segment))
        if scale is None or here is None or not known(here):
            return None
        band = None if scale.band is None else (scale.at(scale.band[0]), scale.at(scale.band[1]))
        return Strip(band, scale.at(scale.everyone), scale.at(float(here)))


def _of_share(here: float, rest: float, lift: float | None, share: float | None) -> Strip:
    everyone = here / lift if lift and known(lift) else rest * (1 - (share or 0.0))
    return Strip(None, round(100 * min(everyone, 1.0), 1), round(100 * here, 1))


def _scale_of(name: str, rows: pd.DataFrame, described: Segmentation, least: int) -> _Scale | None:
    everyone, band = float(rows["overall_value"].max()), None
    if not known(everyone):
        return None
    # of a study without its customers there are no quantiles
    if (rows["kind"] == "numeric").all() and hasattr(described, "labels"):
        try:
            quantiles = DistributionDisplay(described, name, min_group_size=least).everyone_
        except InfeasibleError:
            # known of too few in every segment to have quantiles; there is a tick and a dot all the same
            quantiles = pd.Series({"q10": float("nan"), "q90": float("nan")})
        if quantiles[["q10", "q90"]].notna().all():
            band = float(quantiles["q10"]), float(quantiles["q90"])
    ends = [everyone, *rows["segment_value"].dropna(), *(band or ())]
    return _Scale(min(ends), max(ends), everyone, band)
