"""The tables of a study file are read as the library reads a path."""

import numpy as np
import pandas as pd
import pytest

from custseg import RFMFeaturizer, SegmentationBrief, SegmentationStudy, SegmentClusterer, cli, load_study
from custseg._commands.expression import Expression
from custseg._commands.tables import TableFile
from custseg.datasets import make_customers
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, ConfigurationError, DataQualityWarning
from tests._commands.project import CONFIG, failing, few_columns, run, write_project

pytestmark = pytest.mark.sampled


@pytest.fixture(scope="module")
def tables():
    return few_columns(make_customers(100, separation=2.0, random_state=0).tables)


@pytest.fixture
def fresh(tables, tmp_path):
    write_project(tmp_path, tables)
    return tmp_path


def test_ids_with_leading_zeros_stay_as_they_are(fresh):
    for name in ("transactions.csv", "data/profile.csv"):
        source = fresh / name.replace("profile.csv", "profile.parquet")
        table = pd.read_csv(source) if name == "transactions.csv" else pd.read_parquet(source)
        ids = table["customer_id"].rank(method="dense").astype(int).astype(str).str.zfill(6)
        table.assign(customer_id=ids).to_csv(fresh / name, index=False)
    (fresh / "study.toml").write_text(CONFIG.replace("profile.parquet", "profile.csv"))
    assert cli.main(["run", "--config", str(fresh / "study.toml")]) == 0
    assigned = pd.read_csv(fresh / "out.csv", dtype={"customer_id": "str"})
    assert assigned["customer_id"].str.fullmatch("[0-9]{6}").all()
    assert len(assigned) == 100


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no line with the names of its columns"),
        ("customer_id,timestamp,amount\n", "0 sample(s)"),
        ("customer_id,timestamp\n1,2024-01-01\n", "column 'amount' not found"),
        ("customer_id,timestamp,amount\n1,2024-01-01,inf\n", "column 'amount' must be numbers"),
        ("customer_id;timestamp;amount\n1;2024-01-01;3,5\n2;2024-01-01;3.5\n", "text, column.str.replace(',', '.')"),
        ("customer_id;timestamp;amount\n1;2024-01-01;3,500\n", "line 2, column 'amount': '3,500' may be 3.500 or 3500"),
        ('customer_id,timestamp,amount\n1,"2024\n', "line 2 opens a quote that does not close"),
        ("\udcff\udcfe", "table 'transactions' cannot read"),
    ],
)
def test_bad_tables_are_named(fresh, capsys, content, words):
    (fresh / "transactions.csv").write_text(content, encoding="utf-8", errors="surrogateescape")
    assert words in failing(capsys, "run", "--config", fresh / "study.toml")


def test_a_parquet_file_that_is_none(fresh, capsys):
    (fresh / "data" / "profile.parquet").write_text("customer_id,age\n")
    assert "table 'profile' cannot read" in failing(capsys, "run", "--config", fresh / "study.toml")


COUNTRIES = """id,country,code,amount,when
NA,NA,007,1.5,2024-01-02
null,FR,010,NA,2024-01-03
C3,None,,2,2024-01-04
"""


def test_a_table_is_read_as_the_library_reads_it(tmp_path):
    (tmp_path / "table.csv").write_text(COUNTRIES)
    table = TableFile("t", tmp_path / "table.csv").read()
    # Namibia and the customer "null" are no gaps; a gap among numbers is one
    assert table["id"].tolist() == ["NA", "null", "C3"]
    assert table["country"].tolist() == ["NA", "FR", "None"]
    assert table["code"].tolist()[:2] == ["007", "010"]
    assert table["code"].isna().tolist() == [False, False, True]
    np.testing.assert_array_equal(table["amount"], [1.5, np.nan, 2.0])
    assert table["when"].dtype.kind == "M"


def test_a_table_to_which_nothing_is_done_stays_on_disk(tmp_path):
    path = tmp_path / "table.csv"
    assert TableFile("t", path).open() == path
    assert TableFile("t", tmp_path / "other.csv").at(path).open() == path


def lines(folder, text):
    (folder / "lines.csv").write_text(text)
    return folder / "lines.csv"


def test_dates_of_another_format(tmp_path):
    path = lines(tmp_path, "customer_id,when,shown\n1, 02/01/2024,2024-02-01\n2,,2024-03-01\n")
    table = TableFile("t", path, {"when": "%d/%m/%Y", "shown": "%Y-%d-%m"}).read()
    assert table["when"].iloc[0] == pd.Timestamp("2024-01-02")
    assert table["when"].isna().tolist() == [False, True]
    # what looks like ISO 8601 is read as the study file says all the same
    assert table["shown"].tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03")]
    numbers = lines(tmp_path, "customer_id,when\n1,20240102\n2,20240301\n")
    table = TableFile("t", numbers, {"when": "%Y%m%d"}).read()
    assert table["when"].tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-03-01")]
    table.assign(text=["02.01.24", "01.03.24"]).to_parquet(tmp_path / "lines.parquet")
    stored = TableFile("t", tmp_path / "lines.parquet", {"text": "%d.%m.%y", "when": "%Y"}).read()
    assert stored["text"].tolist() == stored["when"].tolist() == table["when"].tolist()


def test_dates_that_cannot_be_read_are_counted_or_refused(tmp_path):
    path = lines(tmp_path, "customer_id,when\n1,02/01/2024\n2,32/01/2024\n3,01/02/2024\n")
    with pytest.warns(DataQualityWarning, match=r"1 date.* of column 'when' are not of the format.*'32/01/2024'"):
        table = TableFile("t", path, {"when": "%d/%m/%Y"}).read()
    assert table["when"].isna().tolist() == [False, True, False]
    with pytest.raises(ColumnTypeError, match="'when' must be dates of the format '%Y', got '02/01/2024'"):
        TableFile("t", path, {"when": "%Y"}).read()
    with pytest.raises(ConfigurationError, match="'%Q' is no format of dates"):
        TableFile("t", path, {"when": "%Q"}).read()
    with pytest.raises(ColumnNotFoundError, match="'whn' not found.*Did you mean 'when'"):
        TableFile("t", path, {"whn": "%Y"}).read()


def test_columns_made_of_others(tmp_path):
    path = lines(tmp_path, "customer_id;quantity;unit price\n01;2;1.5\n02;3;2\n")
    amount = Expression.read("quantity * `unit price`", "where")
    table = TableFile("t", path, columns={"amount": amount}).read()
    assert table["amount"].tolist() == [3.0, 6.0]
    assert table["customer_id"].tolist() == ["01", "02"]
    with pytest.raises(ConfigurationError, match="has a column 'quantity' already"):
        TableFile("t", path, columns={"quantity": amount}).read()
    commas = lines(tmp_path, "customer_id;quantity;unit price\n01;2;1,5\n02;3;2,25\n")
    assert TableFile("t", commas, columns={"amount": amount}).read()["amount"].tolist() == [3.0, 6.75]
    commas = lines(tmp_path, 'customer_id,quantity,unit price\n01,2,"1,5"\n02,3,"2,25"\n')
    with pytest.raises(ColumnTypeError, match="'unit price' must be numbers.*decimal comma"):
        TableFile("t", commas, columns={"amount": amount}).read()


def test_customers_are_identified_by_their_index(tmp_path):
    path = lines(tmp_path, "no,customer_id,x\n07,1,3\n08,2,4\n")
    assert TableFile("t", path).customers("no").index.tolist() == ["07", "08"]
    assert TableFile("t", path).customers("customer_id").index.tolist() == [1, 2]
    unnamed = lines(tmp_path, "x,y\n3,4\n5,6\n")
    for customer_id in ("customer_id", None):
        table = TableFile("t", unnamed).customers(customer_id)
        assert (table.index.tolist(), table.index.name) == ([0, 1], None)
    with pytest.raises(ColumnNotFoundError, match="column 'id' not found"):
        TableFile("t", unnamed).customers("id")


LINES = """
n_pairs = 2

[tables.transactions]
path = "transactions.csv"
dates = { day = "%d/%m/%Y %H:%M" }
columns = { amount = "quantity * `unit price`" }

[[characteristics]]
name = "behaviour"
table = "transactions"
estimator = "RFMFeaturizer"
parameters = { timestamp = "day" }

[segmenter]
n_segments = 2
n_init = 2
random_state = 0

[outputs]
assignments = "out.csv"
study = "out.skops"
"""


@pytest.mark.filterwarnings("ignore:.*go together inside the segments:custseg.exceptions.DataQualityWarning")
def test_a_study_of_lines_with_quantities_and_dates_of_the_house(fresh, tables, capsys):
    plain = tables["transactions"]
    table = pd.DataFrame(
        {
            "customer_id": plain["customer_id"],
            "day": plain["timestamp"].dt.strftime("%d/%m/%Y %H:%M"),
            "quantity": 2,
            "unit price": plain["amount"],
        }
    )
    table.to_csv(fresh / "transactions.csv", index=False)
    run(fresh, LINES)
    assert f"Read transactions: {len(table):,} rows, 0 left out" in capsys.readouterr().out
    study = load_study(fresh / "out.skops")
    expected = RFMFeaturizer().fit_transform(
        plain.assign(amount=2 * plain["amount"], timestamp=plain["timestamp"].dt.floor("min"))
    )
    found = study.customers_.rename(columns=lambda name: name.removeprefix("behaviour__"))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    # the study file says how later tables are read, too
    command = ["assign", "--study", fresh / "out.skops", "--output", fresh / "again.csv"]
    later = ("--table", f"transactions={fresh / 'transactions.csv'}")
    assert "column 'amount' not found" in failing(capsys, *command, *later)
    for more in ((), later):
        assert cli.main([str(part) for part in [*command, "--config", fresh / "study.toml", "--overwrite", *more]]) == 0
        assert (fresh / "again.csv").read_text() == (fresh / "out.csv").read_text()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('path = "transactions.csv"', "", "study.toml, [tables.transactions]: 'path' is missing"),
        ('path = "transactions.csv"', "path = 3", "'path' must be a path in quotes, got 3"),
        ("dates = {", "date = {", "unknown key of [transactions] 'date'"),
        ('{ day = "%d/%m/%Y %H:%M" }', "{ day = 3 }", "'day' must be a format in quotes"),
        ('{ day = "%d/%m/%Y %H:%M" }', '"%d/%m/%Y"', "'dates' must be a section [dates]"),
        ("quantity * ", "quantity / ", "columns, 'amount': 'quantity / quoted0' is neither"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(fresh, capsys, old, new, words):
    assert old in LINES
    (fresh / "study.toml").write_text(LINES.replace(old, new))
    assert words in failing(capsys, "run", "--config", fresh / "study.toml")


AWKWARD = {
    "german.CSV": {"sep": ";", "decimal": ",", "encoding": "utf-8-sig", "lineterminator": "\r\n"},
    "indexed.csv.gz": {"index": True},
}


@pytest.mark.parametrize("name", AWKWARD)
def test_a_run_reads_ids_and_levels_as_the_library_does(tmp_path, name):
    place = np.arange(60)
    ids = ["01067", "NA", "null", "NaN", "None", *(f"{number:05}" for number in place[5:])]
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "country": np.array(["NA", "DE", "FR"])[place % 3],
            "code": np.array(["007", "010"])[place % 2],
            "spend": 10.25 + 50 * (place % 2) + place % 7,
        }
    )
    customers.to_csv(tmp_path / name, **{"index": False, **AWKWARD[name]})
    segmenter = "[segmenter]\nn_segments = 2\nn_init = 2\nrandom_state = 0\n"
    outputs = "[outputs]\nstudy = 'study.skops'\nassignments = 'out.csv'\n"
    run(tmp_path, f"n_pairs = 2\n[tables]\ncustomers = '{name}'\n{segmenter}{outputs}")
    study = load_study(tmp_path / "study.skops")
    clusterer = SegmentClusterer(2, n_init=2, random_state=0)
    expected = SegmentationStudy(SegmentationBrief(), clusterer=clusterer, n_pairs=2).fit(tmp_path / name)
    pd.testing.assert_frame_equal(study.customers_, expected.customers_)
    assert study.labels_.tolist() == expected.labels_.tolist()
    assert sorted(study.customers_.index) == sorted(ids)
    assert set(study.customers_["code"].unique()) == {"007", "010"}
    assert study.customers_["spend"].sum() == customers["spend"].sum()
    table = TableFile("customers", tmp_path / name).read()
    assert table["country"].tolist() == customers["country"].tolist()
