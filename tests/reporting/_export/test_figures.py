"""The pictures of a study as files: which, what they are called, and that they are written whole or not at all."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from custseg._core.customer_rows import without_customers
from custseg.exceptions import InvalidParameterError, OutputPathError
from custseg.reporting import check_figures_path, write_figures
from custseg.reporting._export import figures
from custseg.reporting._export.figures import Figure, Figures, figures_of
from custseg.reporting._finding import finding
from tests.reporting.small import STUDIES, gaps, hostile, natural, reproducible, rules
from tests.reporting.stand_in import stand_in
from tests.sizes import WHOLE, size

NAME = re.compile(r"\d\d_[a-z0-9_]+")


class Sketch:
    """A picture that is quickly drawn."""

    title, how_to_read, alt_ = "More is more", "Up is more.", "One bar: 1."

    def save(self, path):
        path.write_bytes(path.suffix.encode())
        return path


@pytest.fixture
def drawn(monkeypatch):
    """Let every study have two quick pictures, and lack one."""
    pictures = Figures((Figure("01_one", Sketch()), Figure("02_two", Sketch())), (("03_three", "no value."),))
    monkeypatch.setattr(figures, "figures_of", lambda study: pictures)
    return stand_in()


@cache
def made(make):
    return figures_of(make())


def stems(make):
    return [each.stem for each in made(make).drawn]


@pytest.mark.thorough
@pytest.mark.parametrize("make", size([reproducible, rules], [*STUDIES.values()]))
def test_every_picture_is_there_or_it_is_said_why_not(make):
    named = [*stems(make), *dict(made(make).left_out)]
    assert {name[:2] for name in named} == {f"{number:02}" for number in range(1, 13)}
    assert len(set(named)) == len(named)
    assert all(NAME.fullmatch(name) for name in named)
    assert all(reason.endswith(".") for _, reason in made(make).left_out)
    assert all(each.picture.title and each.picture.how_to_read and each.picture.alt_ for each in made(make).drawn)


def test_pictures_are_those_that_a_study_has_data_for():
    assert stems(reproducible)[:2] == ["01_segment_value", "02_comparison"]
    assert {"06_gorge", "07_selection"} <= set(stems(reproducible))
    assert not {"01_segment_value", "09_rfm_grid"} & set(stems(hostile))
    assert not {"06_gorge", "07_selection"} & set(stems(rules))
    assert {"05_map", "04_stability", "09_rfm_grid"} <= set(stems(rules))


@pytest.mark.thorough
@pytest.mark.skipif(not WHOLE, reason="a study of two tables, with all its pictures")
def test_what_made_no_segment_comes_first():
    several = [stem.split("_", 3)[-1] for stem in stems(natural) if stem.startswith("11")]
    assert {"purchases", "spend_per_purchase", "days_since_the_last_purchase"} & set(several[:1])


def test_without_its_customers_a_study_has_what_needs_none():
    study = reproducible()
    bare = without_customers(study, study.segmentation_.n_customers)
    whole, left = {each.stem: each.picture for each in made(reproducible).drawn}, figures_of(bare)
    kept = {each.stem: each.picture for each in left.drawn}
    assert {"01_segment_value", "02_comparison", "04_stability", "07_selection"} <= set(kept) < set(whole)
    assert {stem: (each.title, each.alt_) for stem, each in kept.items()} == {
        stem: (whole[stem].title, whole[stem].alt_) for stem in kept
    }
    assert all("left out when the study was stored" in dict(left.left_out)[stem] for stem in set(whole) - set(kept))


def test_of_one_segment_there_is_no_picture():
    alone = SimpleNamespace(**{**vars(stand_in()), "cut_plan_": None})
    alone.plan_.personas.compare = lambda: None
    alone.evidence_.selection = None
    assert figures_of(alone).drawn == ()
    assert [stem for stem, _ in figures_of(alone).left_out] == ["07_selection", "all others", "12_needs"]


def test_only_what_a_study_lacks_is_passed_over(monkeypatch):
    def wrong(*_, **__):
        raise InvalidParameterError.not_allowed("labels", "right", "wrong")

    monkeypatch.setattr(figures, "ComparisonDisplay", wrong)
    with pytest.raises(InvalidParameterError):
        figures_of(gaps())


def test_each_picture_is_three_files_and_all_are_listed(drawn, tmp_path):
    written = write_figures(drawn, tmp_path / "new")
    assert [path.name for path in written] == [
        *("01_one.png", "01_one.svg", "01_one.txt", "02_two.png", "02_two.svg", "02_two.txt", "figures.txt")
    ]
    assert sorted(written) == sorted((tmp_path / "new").iterdir())
    assert written[2].read_text() == "One bar: 1.\n"
    assert written[-1].read_text().splitlines() == [
        *(
            finding(drawn),
            "",
            "01_one: More is more",
            "02_two: More is more",
            "",
            "Not drawn",
            "",
            "03_three: no value.",
        )
    ]


def test_figures_are_replaced_only_where_that_is_asked_for(drawn, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    write_figures(drawn, tmp_path)
    (tmp_path / "01_one.png").write_text("old")
    with pytest.raises(OutputPathError, match="it exists"):
        write_figures(drawn, tmp_path, overwrite=False)
    assert (tmp_path / "01_one.png").read_text() == "old"
    write_figures(drawn, tmp_path)
    assert (tmp_path / "01_one.png").read_text() == ".png"
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_where_one_cannot_be_drawn_nothing_is_left(drawn, tmp_path, monkeypatch):
    def fail(sketch, path):
        raise RuntimeError

    monkeypatch.setattr(Sketch, "save", fail)
    with pytest.raises(RuntimeError):
        write_figures(drawn, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_where_one_cannot_be_written_no_other_is(drawn, tmp_path, monkeypatch):
    (tmp_path / "01_one.png").write_text("old")
    (tmp_path / "02_two.txt").mkdir()
    with pytest.raises(OutputPathError, match="it is a folder"):
        write_figures(drawn, tmp_path)
    assert (tmp_path / "01_one.png").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(Path, "write_bytes", lambda path, content: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_figures(drawn, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_folder_is_checked_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    for folder, words in (("file", "there is a file of this name"), ("no/new", "the folder does not exist")):
        with pytest.raises(OutputPathError, match=words):
            check_figures_path(tmp_path / folder)
    assert check_figures_path(str(tmp_path)) == tmp_path / "figures.txt"
    assert check_figures_path(tmp_path / "new") == tmp_path / "new" / "figures.txt"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.thorough
@pytest.mark.skipif(not WHOLE, reason="each picture by itself is tested where it is made")
@pytest.mark.parametrize("make", [natural, rules])
def test_equal_studies_give_equal_files(make, tmp_path):
    one, other = (make().figures(tmp_path / name) for name in ("one", "other"))
    assert {path.name: path.read_bytes() for path in one} == {path.name: path.read_bytes() for path in other}
    assert all(path.read_bytes() for path in one)
