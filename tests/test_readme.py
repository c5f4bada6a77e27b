"""The README's Python is run as printed, and its commands are the ones that the checks use."""

import re
from pathlib import Path

import pytest

from custseg import SegmentationStudy, datasets
from tests.sizes import size

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.thorough
def test_every_python_block_runs_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = datasets.load_complete_journey()
    households = sorted(panel["transactions"]["household_id"].unique())[:: size(40, 1)]
    fewer = {
        name: table[table["household_id"].isin(households)] if "household_id" in table else table
        for name, table in panel.items()
    }
    monkeypatch.setattr(datasets, "load_complete_journey", lambda: fewer)
    monkeypatch.setitem(SegmentationStudy.__init__.__kwdefaults__, "n_pairs", size(4, 20))
    namespace = {}
    assert blocks("python")
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102 - the README is ours
    assert (tmp_path / "report.html").stat().st_size > 10_000
    study = namespace["study"]
    assert len(study.labels_) == len(study.predict(namespace["tables"])) == len(households)
    assert len(households) == size(62, 2_469)
    assert study.n_segments_ == len(study.personas_)


@pytest.mark.parametrize(
    "command",
    [
        'python -m pip install ".[demo]" && custseg demo',
        'python -m pip install --no-compile -e ".[test]" && python -m pytest',
    ],
)
def test_the_two_commands_stand_alone_in_a_block(command):
    assert [block.strip() for block in blocks("bash")].count(command) == 1
