"""What a study and the evidence tell of their progress, and that their results do not depend on it."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
import pytest
from sklearn.cluster import KMeans

from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer, bootstrap_stability
from custseg._core import progress
from custseg.datasets import make_customers
from custseg.exceptions import InvalidParameterError
from custseg.validation import examine_segments

STEPS = {
    "characteristics": "Describing the customers",
    "segments": "Looking for segments",
    "stability": "Testing the segments",
    "personas": "Describing the segments",
}


@pytest.fixture(scope="module")
def profile():
    return make_customers(150, separation=2.0, random_state=3).profile[["customer_id", "age", "income", "household"]]


def study(**options):
    clusterer = SegmentClusterer(3, max_segments=4, n_init=2, random_state=0)
    # of a single characteristic, so that no structure can be tested
    return SegmentationStudy(
        SegmentationBrief(),
        characteristics=DemographicEncoder(columns=["age"]),
        clusterer=clusterer,
        n_pairs=2,
        **options,
    )


@pytest.fixture
def told(monkeypatch):
    """The share done and the names of the parts, each time that something is told."""
    told = []

    def noting(name):
        plain = getattr(progress._Shown, name)

        def note(self, *given):
            plain(self, *given)
            told.append((self.parts[-1].place, [part.name for part in self.parts[1:]], self.parts[-1].count))

        monkeypatch.setattr(progress._Shown, name, note)

    for name in ("begin", "advance", "end"):
        noting(name)
    return told


def lines_of(monkeypatch, work):
    """Do some work, and return the lines that it writes to standard error beside what it returns."""
    stream = io.StringIO()
    with monkeypatch.context() as inside:
        inside.setattr(sys, "stderr", stream)
        result = work()
    return stream.getvalue().splitlines(), result


def test_every_step_is_shown_and_nothing_is_changed(profile, monkeypatch, capsys, told):
    plain = study().fit(profile)
    assert capsys.readouterr() == ("", "")
    assert not told
    lines, verbose = lines_of(monkeypatch, lambda: study(verbose=True).fit(profile))
    assert capsys.readouterr().out == ""
    assert list(verbose.elapsed_) == list(STEPS)
    assert [re.sub(r"custseg: +\d+% \d:\d\d - ", "", line) for line in lines[:-1]] == [*STEPS.values()]
    assert re.fullmatch(r"custseg: done in \d+:\d\d", lines[-1])
    assert verbose.labels_.tolist() == plain.labels_.tolist()
    np.testing.assert_array_equal(verbose.stability_.adjusted_rand, plain.stability_.adjusted_rand)


def test_the_share_done_moves_within_the_evidence_and_never_falls(profile, monkeypatch, told):
    lines_of(monkeypatch, lambda: study(verbose=True).fit(profile))
    places = [place for place, _, _ in told]
    assert places == sorted(places)
    assert places[0] == 0.0
    assert places[-1] == pytest.approx(1.0)
    counts = {name: [] for name in ("Trying numbers of segments", "Drawing the customers again")}
    for place, names, count in told:
        if count and names[-1] in counts:
            counts[names[-1]].append((place, count))
    assert [count for _, count in counts["Trying numbers of segments"]] == ["1 of 2", "2 of 2"]
    # of few customers pairs are refitted together
    assert counts["Drawing the customers again"][-1][1] == "2 of 2"
    inside = [place for found in counts.values() for place, _ in found]
    assert inside == sorted(inside)
    assert len(set(inside)) >= 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_the_line_of_a_study_that_is_stopped_ends(profile, monkeypatch, error):
    class Stopping:
        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context):
            if context.task_name.startswith("pair"):
                raise error

        def on_fit_task_end(self, estimator, context): ...

    stopped = study(verbose=True).set_callbacks(Stopping())

    def stop():
        with pytest.raises(error):
            stopped.fit(profile)

    lines, _ = lines_of(monkeypatch, stop)
    assert [line.partition(" - ")[2] for line in lines] == [*STEPS.values()][:3]
    assert progress._SHOWN.get() is None


def test_validation_shows_its_own_progress(profile, monkeypatch):
    fitted = study().fit(profile)
    lines, _ = lines_of(monkeypatch, lambda: examine_segments(fitted.segmentation_, n_pairs=2, verbose=True))
    parts = [line.partition(" - ")[2] for line in lines]
    assert parts[:3] == [
        "Trying numbers of segments",
        "Preparing to draw the customers again",
        "Drawing the customers again",
    ]
    X = np.random.RandomState(0).randn(60, 2)
    options = {"n_segments": [2], "n_pairs": 2, "random_state": 0}
    lines, _ = lines_of(monkeypatch, lambda: bootstrap_stability(KMeans(n_init=1), X, verbose=True, **options))
    assert [line.partition(" - ")[2] for line in lines] == [
        "Segmenting all customers",
        "Drawing the customers again",
        "",
    ]


def test_verbose_is_yes_or_no(profile):
    for work in (
        lambda: study(verbose="much").fit(profile),
        lambda: bootstrap_stability(KMeans(), np.zeros((9, 1)), verbose="much"),
    ):
        with pytest.raises(InvalidParameterError, match="'verbose' must be"):
            work()
