"""A small study as a folder of files, for the tests of the command line."""

from custseg import cli

CONFIG = """
n_pairs = 2

[tables]
transactions = "transactions.csv"
profile = "data/profile.parquet"

[[characteristics]]
name = "profile"
table = "profile"
estimator = "DemographicEncoder"

[[characteristics]]
name = "behaviour"
table = "transactions"
estimator = "RFMFeaturizer"
parameters = { features = ["recency", "frequency"] }

[brief]
goal = "pricing"
audience = "behaviour__frequency >= 1"
max_segments = 4

[segmenter]
n_segments = 3
n_init = 2
random_state = 0

[segmenter.weights]
behaviour = 0

[describer]
n_traits = 3

[outputs]
report = "out.html"
assignments = "out.csv"
study = "out.skops"
"""


def few_columns(tables):
    """Enough for a study, and few enough for many."""
    return {**tables, "profile": tables["profile"][["customer_id", "age", "income", "household", "region"]]}


def write_project(folder, tables):
    (folder / "data").mkdir()
    plain(tables["transactions"]).to_csv(folder / "transactions.csv", index=False)
    plain(tables["profile"]).to_parquet(folder / "data" / "profile.parquet", index=False)
    (folder / "study.toml").write_text(CONFIG)


def plain(table):
    return table.reset_index() if table.index.name else table


def table_options(project):
    return [
        "--table",
        f"transactions={project / 'transactions.csv'}",
        "--table",
        f"profile={project / 'data' / 'profile.parquet'}",
    ]


def failing(capsys, *arguments):
    """Run a command that must fail; return its one line."""
    code = cli.main([str(argument) for argument in arguments])
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("custseg: error: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    return error


def run(folder, config=None):
    """Run the study file of a folder, or another text in its place; it must end well."""
    if config is not None:
        (folder / "study.toml").write_text(config, encoding="utf-8")
    assert cli.main(["run", "--config", str(folder / "study.toml")]) == 0
