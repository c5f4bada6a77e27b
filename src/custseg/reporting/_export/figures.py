"""Every picture that a study has data for, and why there is no other."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from custseg._core.asking import asking, asks
from custseg._core.files import check_writable, replacing
from custseg._core.optional import require
from custseg._core.warning import ignoring
from custseg.exceptions import (
    CustomersNotStoredError,
    DataQualityWarning,
    InfeasibleError,
    InvalidTableError,
    OutputPathError,
)
from custseg.personas import SegmentProfile
from custseg.plotting import (
    ComparisonDisplay,
    DistributionDisplay,
    GorgeDisplay,
    MosaicDisplay,
    RFMGridDisplay,
    SegmentMapDisplay,
    SegmentProfileDisplay,
    SegmentValueDisplay,
    SelectionDisplay,
    SeparationDisplay,
    StabilityDisplay,
)
from custseg.reporting._finding import finding
from custseg.reporting._study import FittedStudy, compared
from custseg.targeting import Plan

__all__ = ["LACKING", "Figure", "Figures", "check_figures_path", "figures_of", "pictures_of", "write_figures"]

_INDEX = "figures.txt"
_NEEDED_BY = "the figures of a study"
# what a study may lack for a picture; anything else is an error
LACKING = (InfeasibleError, InvalidTableError, CustomersNotStoredError)
_FEWEST = 2
# of levels, and of numbers
_MOST_EACH = 3
_CLEAR = 0.5
_LONGEST = 40
_NEEDS = "a study does not say which answers are importance and satisfaction. NeedsDisplay draws needs_by_segment."
_ONE = "there are not two segments, or two of which may be told."
_ALIKE = "no such characteristic sets a segment clearly apart."
_BY_RULE = "segments that rules define lie around no centres."
_UNTRIED = "nobody was drawn again."
_GIVEN = "no number of segments was looked for: rules define them."
_NO_VALUE = "no value of the customers is known, or may be told."


class Picture(Protocol):
    """What is read of a Display."""

    title: str
    how_to_read: str
    alt_: str

    def save(self, path: str | Path, *, heading: bool = True) -> Path: ...


@dataclass(frozen=True)
class Figure:
    """A picture, and what its files are called."""

    stem: str
    picture: Picture


@dataclass(frozen=True)
class Figures:
    """The pictures of a study, and what it lacks for others."""

    drawn: tuple[Figure, ...]
    left_out: tuple[tuple[str, str], ...]


def figures_of(study: FittedStudy) -> Figures:
    """Make every picture of the segments that the study leads with, without drawing it."""
    drawn: list[Figure] = []
    left_out: list[tuple[str, str]] = []
    for stem, make in pictures_of(study, study.cut_plan_ or study.plan_):
        try:
            drawn.append(Figure(stem, make()))
        except LACKING as error:
            left_out.append((stem, str(error)))
    drawn.sort(key=lambda each: each.stem)
    return Figures(tuple(drawn), (*sorted(left_out), ("12_needs", _NEEDS)))


def pictures_of(study: FittedStudy, plan: Plan) -> Iterator[tuple[str, Callable[[], Picture]]]:
    """Give every picture by name; those of one kind have one number in every study."""
    profile, labels = compared(study), plan.personas.column_labels
    yield "07_selection", partial(_selection, study)
    if profile is None or profile.frame["segment"].nunique() < _FEWEST:
        yield "all others", partial(_refuse, _ONE)
        return
    yield "01_segment_value", partial(_value, study, plan)
    yield "02_comparison", partial(ComparisonDisplay, profile, labels=labels)
    yield "03_segment_profile", partial(_profile, profile, labels)
    yield "04_stability", partial(_stability, study, plan)
    yield "05_map", partial(_in_space, SegmentMapDisplay, study)
    yield "06_gorge", partial(_gorge, study, plan)
    yield "08_separation", partial(_in_space, SeparationDisplay, study)
    yield "09_rfm_grid", partial(RFMGridDisplay.from_estimator, study, currency=study.brief.currency)
    for stem, kinds, display in (
        ("10_mosaic", ("binary", "ordinal", "nominal"), MosaicDisplay),
        ("11_distribution", ("numeric",), DistributionDisplay),
    ):
        columns = _strongest(profile, kinds)
        if not columns:
            yield stem, partial(_refuse, _ALIKE)
        for place, column in enumerate(columns, start=1):
            named = f"{stem}_{place}{_in_a_name(labels[column])}"
            yield named, partial(display.from_estimator, study, characteristic=column)


def _refuse(reason: str) -> Picture:
    raise InfeasibleError(reason)


def _value(study: FittedStudy, plan: Plan) -> Picture:
    table = plan.personas.segment_table
    if not table["value_share"].notna().any():
        return _refuse(_NO_VALUE)
    return SegmentValueDisplay(table, currency=study.brief.currency)


@asking("SegmentProfileDisplay")
def _profile(profile: SegmentProfile, labels: Mapping[str, str]) -> Picture:
    return SegmentProfileDisplay(profile, labels=labels)


def _stability(study: FittedStudy, plan: Plan) -> Picture:
    if plan.segmentation.n_segments not in study.evidence_.stability.numbers:
        return _refuse(_UNTRIED)
    return StabilityDisplay.from_estimator(study)


def _gorge(study: FittedStudy, plan: Plan) -> Picture:
    return _refuse(_BY_RULE) if plan.segmentation.made_by == "rules" else _in_space(GorgeDisplay, study)


def _in_space(display: Any, study: FittedStudy) -> Picture:
    """Make a picture of distances without a word on what goes into them: fit had it, and rules go by none."""
    with ignoring(DataQualityWarning):
        made: Picture = display.from_estimator(study)
    return made


def _selection(study: FittedStudy) -> Picture:
    return _refuse(_GIVEN) if study.evidence_.selection is None else SelectionDisplay.from_estimator(study)


def _strongest(profile: SegmentProfile, kinds: Sequence[str]) -> list[str]:
    """Return those that set a segment clearly apart: what did not make the segments first, then what they explain."""
    clear = profile.frame[profile.frame["kind"].isin(kinds) & (profile.frame["effect_size"].abs() >= _CLEAR)]
    each = clear.groupby("characteristic").agg({"used_for_clustering": "first", "eta2": "max"}).reset_index()
    order = each.sort_values(["used_for_clustering", "eta2", "characteristic"], ascending=[True, False, True])
    return order["characteristic"].head(_MOST_EACH).tolist()


def _in_a_name(label: str) -> str:
    """Write a label as any file system takes it; nothing of it may be left."""
    word = re.sub(r"[^a-z0-9]+", "_", label.lower())[:_LONGEST].strip("_")
    return f"_{word}" if word else ""


@asks
def check_figures_path(path: str | Path) -> Path:
    """Make sure that figures can be written, before the computation that they show.

    Parameters
    ----------
    path : str or path
        The folder; where there is none, it will be made.

    Returns
    -------
    pathlib.Path
        The list of the figures, ``figures.txt``, which every folder of figures has.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    OutputPathError
        If there is something else than a folder, or it cannot be written to. Nothing is left behind.

    Examples
    --------
    >>> from custseg.reporting import check_figures_path
    >>> check_figures_path("no-such-folder/figures")
    Traceback (most recent call last):
    ...
    custseg.exceptions.OutputPathError: cannot write 'no-such-folder/figures': the folder does not exist. Choose a \
file in a folder that can be written to.
    """
    require("matplotlib", _NEEDED_BY)
    folder = Path(path)
    if folder.is_dir():
        return check_writable(folder / _INDEX)
    if folder.exists():
        raise OutputPathError.unwritable(folder, "there is a file of this name, and no folder")
    return check_writable(folder) / _INDEX


@asks
def write_figures(study: FittedStudy, path: str | Path, *, overwrite: bool = True) -> list[Path]:
    """Write every picture that a study has data for as PNG and SVG, with its alternative text.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.
    path : str or path
        The folder; where there is none, it is made, in one that is there.
    overwrite : bool, default=True
        Whether figures that exist are replaced; otherwise a folder that holds some is refused. Other files in the
        folder stay, those of pictures that this study has not among them.

    Returns
    -------
    list of pathlib.Path
        The files written, all or none of them: for each picture ``.png``, ``.svg`` and ``.txt``, and at the end
        ``figures.txt``, which lists the pictures by their titles, and those that are left out with the reason.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    OutputPathError
        If the folder cannot be written to, or holds figures and they are not to be replaced.

    Notes
    -----
    The names speak, and pictures of one kind have one number in every study: ``01_segment_value``,
    ``02_comparison``, ``03_segment_profile``, ``04_stability``, ``05_map``, ``06_gorge``, ``07_selection``,
    ``08_separation``, ``09_rfm_grid``; ``10_mosaic_1_...`` of up to three characteristics of levels, and
    ``11_distribution_1_...`` of up to three numbers: those that set a segment clearly apart (an effect of .5), first
    what did not make the segments, then those that they explain most of. All show the segments that the study leads
    with, those of the cut where there is a single segment.

    Left out is the value where none is known; the gorge and the selection where rules define the segments; the profile
    where no two characteristics are of one scale; the grid where nothing is known of purchases; what needs the
    customers where the study was stored without them; and needs, since a study does not know which of its answers are
    importance and satisfaction.

    Equal studies give equal files, byte for byte, with one version of matplotlib.

    Examples
    --------
    >>> import tempfile
    >>> from custseg import DemographicEncoder, RuleSegmenter, SegmentationBrief, SegmentationStudy
    >>> from custseg.datasets import make_customers
    >>> from custseg.reporting import write_figures
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("pricing"),
    ...     characteristics=DemographicEncoder(columns=["age"]),
    ...     clusterer=RuleSegmenter({"Younger": "age < 45", "Older": "age >= 45"}),
    ...     n_pairs=2,
    ... ).fit(make_customers(60, random_state=0).profile)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_figures(study, folder)
    >>> [path.name for path in written[:3]]
    ['02_comparison.png', '02_comparison.svg', '02_comparison.txt']
    """
    index = check_figures_path(path)
    if not overwrite and os.path.lexists(index):
        raise OutputPathError.exists(index)
    return _publish(index.parent, _contents(study), overwrite=overwrite)


def _contents(study: FittedStudy) -> dict[str, bytes]:
    """Draw all pictures; return what goes into each file."""
    figures = figures_of(study)
    contents = {}
    with tempfile.TemporaryDirectory() as folder:
        for figure in figures.drawn:
            for ending in (".png", ".svg"):
                contents[figure.stem + ending] = figure.picture.save(Path(folder) / f"figure{ending}").read_bytes()
            contents[f"{figure.stem}.txt"] = f"{figure.picture.alt_}\n".encode()
    lines = [finding(study), "", *(f"{each.stem}: {each.picture.title}" for each in figures.drawn)]
    lines += ["", "Not drawn", "", *(f"{stem}: {reason}" for stem, reason in figures.left_out), ""]
    contents[_INDEX] = "\n".join(lines).encode()
    return contents


def _publish(folder: Path, contents: Mapping[str, bytes], *, overwrite: bool) -> list[Path]:
    is_new = not folder.exists()
    folder.mkdir(exist_ok=True)
    try:
        # none bears its name before all are written
        with ExitStack() as drafts:
            for name, content in contents.items():
                drafts.enter_context(replacing(folder / name, overwrite=overwrite)).write_bytes(content)
    except BaseException:
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise
    return [folder / name for name in contents]
