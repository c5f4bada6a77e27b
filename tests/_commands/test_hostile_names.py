"""Names that would do something: in a terminal, in a report, in a spreadsheet."""

import re
import unicodedata

import pandas as pd
import pytest

from custseg import cli, load_study
from custseg.personas import PersonaDescriber
from custseg.segmentation import Segmentation
from tests._commands.project import failing

ESC, BACK = "\x1b[31m", "\u202e"
COLUMN, LEVEL = f"spend{ESC}{BACK}", f"https://shop.example{ESC}"
CONFIG = """
n_pairs = 2
[tables]
customers = "customers.parquet"
[segmenter]
kind = "RuleSegmenter"
otherwise = "@all"
[segmenter.rules]
"- Low\\u001b[2J" = "`age` < 30"
[outputs]
report = "out.md"
assignments = "out.csv"
study = "out.skops"
"""


def customers():
    return pd.DataFrame(
        {
            "customer_id": ["=1+1", f"b{ESC}", *(f"c{number:02}" for number in range(38))],
            "age": list(range(10, 50)),
            COLUMN: [1.0, 9.0] * 10 + [100.0, 110.0] * 10,
            "site": [LEVEL] * 20 + ["other"] * 20,
        }
    )


def harmless(text, keep="\n"):
    return not {unicodedata.category(one) for one in text if one not in keep} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.fixture
def project(tmp_path):
    customers().to_parquet(tmp_path / "customers.parquet", index=False)
    (tmp_path / "study.toml").write_text(CONFIG)
    return tmp_path


@pytest.mark.filterwarnings("always::custseg.exceptions.DataQualityWarning")
def test_neither_the_terminal_nor_the_report_obeys_them(project, capsys):
    assert cli.main(["run", "--config", str(project / "study.toml")]) == 0
    printed = capsys.readouterr()
    assert r"\x1b[2J" in printed.out
    assert harmless(printed.out)
    assert harmless(printed.err)
    # one id, and both names
    assert re.search(r"3 id\(s\) or name\(s\) in the CSV file.* such as '=1\+1'.*--escape-formulas", printed.err)
    report = (project / "out.md").read_text(encoding="utf-8")
    assert harmless(report)
    assert not re.search(r"https?://(?!github)|www\.|\w@\w", report)
    # data stay exact
    study = load_study(project / "out.skops")
    assert study.customers_.index.tolist() == customers()["customer_id"].tolist()
    assert study.segmentation_.names == ("- Low\x1b[2J", "@all")
    exact = pd.read_csv(project / "out.csv")
    assert exact["customer_id"].tolist() == customers()["customer_id"].tolist()

    again = ["assign", "--study", project / "out.skops", "--table", f"customers={project / 'customers.parquet'}"]
    again += ["--escape-formulas", "--output", project / "again.csv"]
    assert cli.main(list(map(str, again))) == 0
    printed = capsys.readouterr()
    assert "formulas" not in printed.err
    escaped = pd.read_csv(project / "again.csv")
    assert escaped["customer_id"].tolist() == ["'=1+1", *customers()["customer_id"].tolist()[1:]]
    assert set(escaped["name"]) == {r"'- Low\x1b[2J", "'@all"}
    assert escaped["segment"].tolist() == exact["segment"].tolist()


def test_a_study_file_escapes_formulas(project, capsys):
    config = CONFIG.partition("[outputs]")[0] + "[outputs]\nassignments = 'out.csv'\nescape_formulas = true\n"
    (project / "study.toml").write_text(config)
    assert cli.main(["run", "--config", str(project / "study.toml")]) == 0
    assert "formulas" not in capsys.readouterr().err
    assert pd.read_csv(project / "out.csv")["customer_id"][0] == "'=1+1"


@pytest.mark.parametrize("name", [f"a{ESC}\nb", f"x{BACK}.csv\r\n"])
def test_an_error_is_one_line_whatever_the_name(tmp_path, capsys, name):
    for command in (["run", "--config", tmp_path / name], ["report", "--study", "a", "--output", tmp_path / name]):
        error = failing(capsys, *command)
        assert error.count("\n") == 1
        assert harmless(error)
    with pytest.raises(SystemExit):
        cli.main(["assign", "--study", "a", "--output", "b.csv", "--table", name])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert harmless(error)


def test_the_text_of_personas_is_harmless_and_their_names_stay_apart():
    table = customers().set_index("customer_id")
    names = [f"Low{ESC}", r"Low\x1b[31m"]
    found = Segmentation.of(table, [0] * 20 + [1] * 20, names=names)
    describer = PersonaDescriber().fit(found)
    assert describer.segment_names_ == names
    assert [persona.name for persona in describer.personas_] == [r"Low\x1b[31m", r"Low\x1b[31m (2)"]
    texts = [describer.to_markdown(), describer.to_html(), *map(str, describer.personas_)]
    texts += [trait.text for persona in describer.personas_ for trait in persona.traits]
    texts += [str(value) for persona in describer.personas_ for value in persona.typical_customer.values()]
    assert any(r"\u202e" in text for text in texts)
    assert all(map(harmless, texts))
