"""custseg init: what the columns of files seem to be, written as a study file that runs as it is."""

from __future__ import annotations

import re
import tomllib

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custseg import cli, load_study
from custseg._core.toml import toml_key, toml_text
from custseg.datasets import make_customers
from custseg.exceptions import ConfigurationError
from tests._commands.project import failing, plain
from tests.sizes import size

HOSTILE = [
    'say "hi"',
    "two\nlines",
    "back\\slash",
    "🙂 mood",
    "\u202eolleh",
    "#5",
    "]] = [",
    "it's",
    "tab\tbed",
    "ü`ü`",
]


def write(folder, **tables):
    """Write tables to files; return their paths."""
    for name, table in tables.items():
        plain(table).to_csv(folder / f"{name}.csv", index=False)
    return [folder / f"{name}.csv" for name in tables]


def init(folder, *files):
    """Write a study file for files; return what it holds."""
    path = folder / "study.toml"
    assert cli.main(["init", *map(str, files), "--config", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    return tomllib.loads(text), text


def people(n=60, **columns):
    random = np.random.RandomState(0)
    ages = {"age": random.randint(18, 80, n).astype(float), "group": random.choice(["a", "b", "c"], n)}
    return pd.DataFrame({"customer_id": [f"K{place:03}" for place in range(n)], **ages, **columns})


def lines(n=60, per=4, **columns):
    random = np.random.RandomState(1)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.randint(0, 300, n * per), unit="D")
    ids = [f"K{place:03}" for place in range(n)] * per
    return pd.DataFrame({"customer_id": ids, "day": days, "amount": random.gamma(2, 20, n * per).round(2), **columns})


def member(config, name):
    return next(each for each in config["characteristics"] if each["name"] == name)


def test_purchases_a_profile_and_a_survey_are_told_apart(tmp_path, capsys):
    sample = make_customers(60, random_state=0).tables
    files = write(tmp_path, survey=sample["survey"], profile=sample["profile"], transactions=sample["transactions"])
    config, text = init(tmp_path, *files)
    assert [each["name"] for each in config["characteristics"]] == ["transactions", "survey", "profile"]
    assert member(config, "transactions")["estimator"] == "RFMFeaturizer"
    assert member(config, "transactions")["parameters"] == {"timestamp": "timestamp", "amount": "amount"}
    assert member(config, "profile")["parameters"]["columns"][:2] == ["age", "online_hours"]
    assert config["segmenter"]["weights"] == {"survey": 0, "profile": 0}
    told = " ".join(text.replace("#", " ").split())
    assert "transactions: purchases, since values of 'customer_id' come again, and 'timestamp' has dates" in told
    assert "profile: one row per customer, since no value of 'customer_id' comes twice" in told
    assert "survey: a survey, since" in told
    assert "transactions: purchases, since" in capsys.readouterr().out


def run_quickly(study_file, *options):
    """Run a study file with two segments and two pairs of refits, for the time it takes; the rest is as it was."""
    text = study_file.read_text(encoding="utf-8")
    quick = f"n_pairs = 2\n{text}".replace("[segmenter]\n", "[segmenter]\nn_segments = 2\nmax_segments = 2\n")
    study_file.write_text(quick, encoding="utf-8")
    run(study_file, *options)


def run(study_file, *options):
    assert cli.main(["run", "--config", str(study_file), *options]) == 0


@pytest.mark.thorough
def test_the_file_runs_as_it_is(tmp_path, capsys):
    sample = make_customers(size(60, 400), separation=2.0, random_state=0).tables
    names = size(["transactions", "profile"], list(sample))
    init(tmp_path, *write(tmp_path, **{name: sample[name] for name in names}))
    size(run_quickly, run)(tmp_path / "study.toml", "--title", "Spring")
    assert "Spring" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert load_study(tmp_path / "study.skops").n_customers_seen_ == size(60, 400)


def test_a_table_of_lines_as_shops_export_it(tmp_path):
    table = lines().rename(columns={"customer_id": "CustomerID", "day": "InvoiceDate", "amount": "UnitPrice"})
    table["InvoiceDate"] = table["InvoiceDate"].dt.strftime("%m/%d/%Y %H:%M")
    table = table.assign(Quantity=2, InvoiceNo=range(len(table)), StockCode="85123A")
    config, text = init(tmp_path, *write(tmp_path, retail=table))
    assert config["customer_id"] == "CustomerID"
    assert config["tables"]["retail"]["dates"] == {"InvoiceDate": "%m/%d/%Y %H:%M"}
    assert config["tables"]["retail"]["columns"] == {"amount": "`Quantity` * `UnitPrice`"}
    assert member(config, "retail")["parameters"] == {"timestamp": "InvoiceDate", "amount": "amount"}
    assert '# order_id = "InvoiceNo"' in text


def test_dates_that_fit_two_ways_are_said_to(tmp_path):
    days = pd.Series(["03/04/2024", "05/06/2024", "07/08/2024", "01/02/2024"] * 60)
    config, text = init(tmp_path, *write(tmp_path, bought=lines().assign(day=days)))
    assert config["tables"]["bought"]["dates"] == {"day": "%d/%m/%Y"}
    assert "or '%m/%d/%Y': the dates fit both" in text


def test_visits_without_amounts(tmp_path):
    config, _ = init(tmp_path, *write(tmp_path, visits=lines().drop(columns="amount")))
    assert member(config, "visits")["parameters"] == {
        "timestamp": "day",
        "amount": False,
        "features": ["recency", "frequency"],
    }


def test_each_table_has_its_own_name_of_the_customers(tmp_path):
    files = write(tmp_path, bought=lines().rename(columns={"customer_id": "cust"}), people=people())
    config, _ = init(tmp_path, *files)
    assert config["customer_id"] == "cust"
    assert "customer_id" not in member(config, "bought")["parameters"]
    assert member(config, "people")["parameters"]["customer_id"] == "customer_id"


def test_columns_that_name_a_customer_or_tell_nothing_are_left_out_and_said_to_be(tmp_path):
    table = people(mail=[f"{place}@example.org" for place in range(60)], number=range(60), same="x", born="2000-01-01")
    config, text = init(tmp_path, *write(tmp_path, people=table))
    assert member(config, "people")["parameters"]["columns"] == ["age", "group"]
    for name, because in (("mail", "60 different texts"), ("number", "whole numbers"), ("same", "never"), ("born", "")):
        assert f"# left out: {name}, {because}" in text


def test_hostile_names_of_columns_and_files(tmp_path):
    random = np.random.RandomState(0)
    table = people(**{name: random.randint(0, 9, 60) + 0.5 for name in HOSTILE})
    (tmp_path / 'q"uo]te').mkdir()
    folder = tmp_path / 'q"uo]te'
    plain(table).to_parquet(folder / "übersicht 2024.parquet")
    plain(lines()).to_csv(folder / "übersicht 2024.csv", index=False)
    config, text = init(folder, folder / "übersicht 2024.parquet", folder / "übersicht 2024.csv")
    assert member(config, "übersicht_2024")["parameters"]["columns"] == ["age", "group", *HOSTILE]
    assert config["tables"]["übersicht_2024_2"] == {"path": "übersicht 2024.csv"}
    assert "\u202e" not in text
    assert not [line for line in text.splitlines() if len(line) > 120]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_in_toml_is_the_text(text):
    read = tomllib.loads(f"{toml_key(text)} = {toml_text(text)}")
    assert read == {text: text}


def test_text_that_is_no_unicode_is_refused():
    with pytest.raises(ConfigurationError, match="is no Unicode text, and TOML holds no other"):
        toml_text("odd\udcff.parquet")


def test_paths_are_those_from_the_study_file(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "studies").mkdir()
    (file,) = write(tmp_path / "data", people=people())
    config, _ = init(tmp_path / "studies", file)
    assert config["tables"]["people"]["path"] == "../data/people.csv"


def test_a_study_file_that_exists_is_kept(tmp_path, capsys):
    (file,) = write(tmp_path, people=people())
    path = tmp_path / "study.toml"
    path.write_text("mine")
    command = ("init", file, "--config", path)
    assert "it exists. Pass --overwrite to replace it" in failing(capsys, *command)
    assert path.read_text() == "mine"
    assert cli.main([*map(str, command), "--overwrite"]) == 0
    assert "custseg init" in path.read_text()


def test_files_that_are_no_tables(tmp_path, capsys):
    config = ("--config", tmp_path / "study.toml")
    assert "nobody.csv" in failing(capsys, "init", tmp_path / "nobody.csv", *config)
    (tmp_path / "notes.txt").write_text("hello")
    assert "notes.txt" in failing(capsys, "init", tmp_path / "notes.txt", *config)
    (tmp_path / "empty.csv").write_text("")
    assert "empty.csv" in failing(capsys, "init", tmp_path / "empty.csv", *config)
    (tmp_path / "bare.csv").write_text("customer_id,age\n")
    assert "bare.csv' has no rows" in failing(capsys, "init", tmp_path / "bare.csv", *config)
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 torn")
    assert "torn.parquet" in failing(capsys, "init", tmp_path / "torn.parquet", *config)
    assert "ends in .toml" in failing(capsys, "init", tmp_path / "bare.csv", "--config", tmp_path / "study.txt")
    assert not (tmp_path / "study.toml").exists()


def test_tables_that_tell_nothing_of_customers(tmp_path, capsys):
    config = ("--config", tmp_path / "study.toml")
    (again,) = write(tmp_path, again=lines().drop(columns=["day"]))
    error = failing(capsys, "init", again, *config)
    assert "no file tells anything of customers" in error
    assert "no column has dates" in error
    files = write(tmp_path, people=people(), prices=pd.DataFrame({"sku": ["a", "b"], "price": [1.5, 2.5]}))
    assert "no column looks like the ids of customers; the table has 'sku', 'price'" in failing(
        capsys, "init", *files, *config
    )


@pytest.mark.thorough
def test_a_table_without_ids_counts_its_rows_whatever_its_columns_are_called(tmp_path, capsys):
    random = np.random.RandomState(0)
    odd = {name: random.rand(60) for name in size(HOSTILE[:2], HOSTILE)}
    answers = people(spend=np.arange(60) / 7, **odd).drop(columns="customer_id")
    config, text = init(tmp_path, *write(tmp_path, answers=answers.assign(place=range(60), same="x")))
    assert "customer_id" not in config
    assert "characteristics" not in config
    assert config["segmenter"]["weights"] == {"place": 0, "same": 0}
    assert '# value = "spend"' in text
    assert re.search("each\\s+(# )?row\\s+(# )?counts", text)
    run_quickly(tmp_path / "study.toml")
    dated = write(tmp_path, dated=answers.assign(day="2024-01-01"))
    error = failing(capsys, "init", *dated, "--config", tmp_path / "dated.toml")
    assert "such as 'day' cannot be left out. Name the column of ids 'customer_id'" in error


def test_answers_that_were_stored_with_a_point_are_answers(tmp_path):
    random = np.random.RandomState(0)
    items = {f"A{place}": random.randint(1, 7, 60).astype(float) for place in range(5)}
    _, text = init(tmp_path, *write(tmp_path, bfi=people(**items)))
    assert "bfi: a survey" in text
