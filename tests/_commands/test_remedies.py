"""A column that was not found: which key of the study file named it, and what to write there."""

from __future__ import annotations

import pytest

from custseg.datasets import make_customers
from tests._commands.project import CONFIG, failing, few_columns, plain, write_project


@pytest.fixture
def fresh(tmp_path):
    write_project(tmp_path, few_columns(make_customers(40, random_state=0).tables))
    return tmp_path


def rename(folder, name, **columns):
    table = plain(make_customers(40, random_state=0).tables[name]).rename(columns=columns)
    if name == "profile":
        table.to_parquet(folder / "data" / "profile.parquet", index=False)
    else:
        table.to_csv(folder / "transactions.csv", index=False)


def error_of(folder, capsys, config=CONFIG):
    (folder / "study.toml").write_text(config, encoding="utf-8")
    return failing(capsys, "run", "--config", folder / "study.toml")


def test_the_ids_of_every_table(fresh, capsys):
    for name in ("transactions", "profile"):
        rename(fresh, name, customer_id="cust")
    error = error_of(fresh, capsys)
    assert "column 'customer_id' not found; the table has 'cust'" in error
    assert error.endswith('Set customer_id = "cust" in study.toml.\n')
    assert "Did you mean" not in error


def test_the_ids_of_one_table(fresh, capsys):
    rename(fresh, "transactions", customer_id="cust")
    error = error_of(fresh, capsys)
    assert error.endswith("Set customer_id = \"cust\" in study.toml, parameters of [[characteristics]] 'behaviour'.\n")


def test_the_parameter_of_a_member(fresh, capsys):
    rename(fresh, "transactions", timestamp="bought at")
    error = error_of(fresh, capsys)
    assert error.endswith(
        "Set timestamp = \"bought at\" in study.toml, parameters of [[characteristics]] 'behaviour'.\n"
    )


def test_one_of_a_list(fresh, capsys):
    config = CONFIG.replace('"DemographicEncoder"', '"DemographicEncoder"\nparameters = { columns = ["age", "incom"] }')
    error = error_of(fresh, capsys, config)
    assert "Did you mean 'income'? It stands in columns of study.toml, parameters of" in error


def test_the_brief(fresh, capsys):
    error = error_of(fresh, capsys, CONFIG.replace("[brief]", '[brief]\nvalue = "spend"'))
    assert error.endswith("Set value in study.toml, [brief].\n")


def test_a_study_of_one_table(fresh, capsys):
    config = 'customer_id = "client"\n[tables]\npeople = "data/profile.parquet"\n'
    error = error_of(fresh, capsys, config)
    assert error.endswith('Set customer_id = "customer_id" in study.toml.\n')
