"""Tables on disk: every format, what the columns of a CSV file become, and files that cannot be read."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans

from custseg import PersonaDescriber, SegmentClusterer
from custseg._core import optional
from custseg._core.customers import read_customers
from custseg._core.frames import collect, is_frame, is_table, open_table
from custseg.characteristics import GeographicEncoder, RFMScorer, careless_responses, cronbach_alpha
from custseg.exceptions import (
    ColumnNotFoundError,
    CustomerIdError,
    DuplicateColumnError,
    InvalidTableError,
    MissingDependencyError,
)
from custseg.validation import bootstrap_stability

pytestmark = pytest.mark.sampled


@pytest.fixture
def csv(tmp_path):
    def write(text, name="table.csv", encoding="utf-8"):
        file = tmp_path / name
        file.write_text(text, encoding=encoding)
        return file

    return write


def columns(path, **options):
    opened = open_table(path, **options)
    assert opened.kind == "pandas"
    assert not opened.in_memory
    frame = collect(opened.frame)
    return {name: frame[name].to_list() for name in frame.columns}


def test_a_path_is_a_table_but_no_frame():
    assert is_table("sales.parquet")
    assert is_table(Path("sales.parquet"))
    assert not is_frame("sales.parquet")
    assert not is_table(3)


def test_parquet_files_and_folders(tmp_path):
    table = pd.DataFrame({"id": ["007", "b"], "x": [1.5, None]})
    for place in ("one.parquet", "part/region=01/a.parquet", "part/region=02/b.parquet"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(tmp_path / place)
    assert columns(tmp_path / "one.parquet", customer_id="id") == {"id": ["007", "b"], "x": [1.5, None]}
    assert columns(str(tmp_path / "one.parquet"), columns=["x"]) == {"x": [1.5, None]}
    found = columns(tmp_path / "part", customer_id="id")
    assert sorted(found["region"]) == ["01", "01", "02", "02"]


@pytest.mark.parametrize("name", ["odd [1] *?.csv", "it's.csv", "table.csv.gz"])
def test_csv_files_of_any_name(tmp_path, name):
    file = tmp_path / name
    content = b"id,x\n1,2\n"
    file.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    (tmp_path / "odd 1 ab.csv").write_text("id,x\n1,3\n", encoding="utf-8")
    assert columns(file) == {"id": [1], "x": [2]}


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "", "-3"], [1, None, -3]),
        (["007", "8", "9"], ["007", "8", "9"]),
        (["01234", "", "99999"], ["01234", None, "99999"]),
        (["12345678901234567890123", "1", "2"], ["12345678901234567890123", "1", "2"]),
        (["1.5", "NA", "-2e-05"], [1.5, None, -2e-05]),
        (["0.50", "0", ".5"], [0.5, 0.0, 0.5]),
        (["12,50", "3", "4"], ["12,50", "3", "4"]),
        (["1E5", "2E3", "3"], ["1E5", "2E3", "3"]),
        (["1_000", "2", "3"], ["1_000", "2", "3"]),
        (["0x10", "2", "3"], ["0x10", "2", "3"]),
        (["NA", "DE", "AT"], ["NA", "DE", "AT"]),
        (["True", "false", ""], [True, False, None]),
        (["yes", "no", ""], ["yes", "no", None]),
        (["2024-02-30", "2024-01-01", ""], ["2024-02-30", "2024-01-01", None]),
        (["2024-01-01T24:00", "2024-01-01", ""], ["2024-01-01T24:00", "2024-01-01", None]),
        (["a;b", "c|d", "e"], ["a;b", "c|d", "e"]),
        ([" 5", "6 ", "7"], [5, 6, 7]),
        (["", "", ""], [None, None, None]),
    ],
)
def test_a_column_of_text_becomes_what_all_its_values_are(csv, texts, values):
    quoted = "".join(f'{place},"{text}"\n' for place, text in enumerate(texts))
    assert columns(csv("id,x\n" + quoted))["x"] == values


def test_times_without_a_zone_become_times(csv):
    found = columns(csv("id,t\n1,2024-02-29T08:30\n2,1969-12-31 23:59:59.5\n3,\n"))["t"]
    assert found == [pd.Timestamp("2024-02-29 08:30"), pd.Timestamp("1969-12-31 23:59:59.5"), None]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_of_the_first_line(csv, sign):
    assert columns(csv(f'id{sign}"a,b;c"\n1{sign}2\n')) == {"id": [1], "a,b;c": [2]}


def test_ids_of_a_file_are_normalised_as_those_of_a_frame(csv):
    assert columns(csv("id,x\n12345.0,1\n,2\n"), customer_id="id")["id"] == [12345, None]
    with pytest.raises(CustomerIdError, match="'id'.*fractions"):
        columns(csv("id,x\n1.5,1\n"), customer_id="id")
    with pytest.raises(ColumnNotFoundError, match="column 'amout' not found.*Did you mean 'amount'"):
        columns(csv("id,amount\n1,1\n"), columns=["amout"])


def test_line_ends_quotes_and_marks_of_other_systems(csv):
    text = '\ufeffid,x\r\n1,"a ""b"", c"\r\n2,"two\r\nlines"\r\n3,""\r\n'
    assert columns(csv(text)) == {"id": [1, 2, 3], "x": ['a "b", c', "two\r\nlines", None]}


def test_repeated_names_are_refused(csv):
    with pytest.raises(DuplicateColumnError, match="'x' more than once"):
        columns(csv("id,x,x\n1,2,3\n"))


def test_a_file_of_names_only_has_no_rows(csv):
    assert columns(csv("id,x\n"), customer_id="id") == {"id": [], "x": []}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("sales.xlsx", b"", "its name must end in .parquet, .csv, .csv.gz"),
        ("sales.csv", b"", "no line with the names"),
        ("sales.csv", b"id,a\n1,2\n3,4,5\n6,7\n", "line 3 has 3 field.*'5' beyond column 'a'"),
        ("sales.csv", "id,a\n1,M\u00fcller\n".encode("latin-1"), "line 2, column 'a', is not UTF-8 text"),
        ("sales.csv.gz", b"id,a\n1,2\n", "[Gg]zip"),
        ("sales.parquet", b"nothing of the kind", "[Pp]arquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidTableError, match=f"custseg cannot read '.*{name}': .*{reason}.*pass the dataframe"):
        columns(tmp_path / name)


def test_a_place_without_a_table_is_one_clear_error(tmp_path):
    with pytest.raises(InvalidTableError, match="there is no such file"):
        columns(tmp_path / "missing.csv")
    with pytest.raises(InvalidTableError, match="the folder holds no file whose name ends in .parquet"):
        columns(tmp_path)


def test_without_duckdb_a_path_names_the_extra(monkeypatch, csv):
    def missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(optional.importlib, "import_module", missing)
    with pytest.raises(MissingDependencyError, match=r"custseg reading from a path needs.*custseg\[duckdb\]"):
        columns(csv("id,x\n1,2\n"))


def test_the_memory_of_duckdb_is_capped_and_spills_into_a_folder_of_its_own(csv):
    relation = open_table(csv("id,x\n1,2\n")).frame.to_native()
    setting = "current_setting('memory_limit'), current_setting('temp_directory')"
    ((limit, spill),) = relation.query("t", f"SELECT {setting}").fetchall()
    assert limit.endswith(("GiB", "MiB"))
    assert float(limit.split()[0]) <= (3.0 if limit.endswith("GiB") else 3072.0)
    assert "custseg-" in spill


def test_the_rows_of_a_customer_table_keep_the_order_of_the_file(tmp_path):
    # duckdb reads the parts of a file side by side; labels by position need the order of the rows
    n_customers = 400_000
    file = tmp_path / "customers.parquet"
    pd.DataFrame({"customer_id": np.arange(n_customers), "x": np.arange(n_customers) * 0.5}).to_parquet(
        file, row_group_size=20_000
    )
    table = read_customers(file, customer_id="customer_id")
    np.testing.assert_array_equal(table["x"].values, np.arange(n_customers) * 0.5)


def _labelled():
    random = np.random.RandomState(0)
    segment = np.arange(90) % 3
    columns = {f"c{place}": (random.randn(90) + 6 * (segment == place)).round(3) for place in range(3)}
    return pd.DataFrame({"customer_id": np.arange(90), **columns, "segment": segment})


@pytest.mark.filterwarnings("ignore:.*alpha is -:custseg.exceptions.DataQualityWarning")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_whatever_reads_a_table_of_customers_reads_a_file(tmp_path, ending):
    def on_disk(frame, name):
        file = tmp_path / f"{name}.{ending}"
        frame.to_csv(file, index=False) if ending == "csv" else frame.to_parquet(file)
        return file

    labelled = _labelled()
    named = on_disk(labelled, "labelled")
    describer = PersonaDescriber().fit(labelled)
    assert PersonaDescriber().fit(named).to_json() == describer.to_json()
    np.testing.assert_array_equal(describer.predict(named), describer.predict(labelled))
    with pytest.raises(ColumnNotFoundError, match="'segment' not found"):
        describer.predict(on_disk(labelled.drop(columns="segment"), "bare"))

    customers = labelled.drop(columns="segment")
    file = on_disk(customers, "customers")
    clusterer = SegmentClusterer(3, n_init=2, random_state=0)
    np.testing.assert_array_equal(clone(clusterer).fit_predict(file), clone(clusterer).fit_predict(customers))
    items = customers.drop(columns="customer_id")
    for engine, table, in_file in ((clusterer, customers, file), (KMeans(n_init=1), items, on_disk(items, "items"))):
        found, expected = (bootstrap_stability(engine, X, [3], n_pairs=2, random_state=0) for X in (in_file, table))
        pd.testing.assert_frame_equal(found.segments, expected.segments)

    assert cronbach_alpha(on_disk(items, "items")) == cronbach_alpha(items)
    pd.testing.assert_frame_equal(careless_responses(file), careless_responses(customers))

    scored = pd.DataFrame({"customer_id": range(10), "recency": range(10), "frequency": 2.0, "monetary": range(10)})
    pd.testing.assert_frame_equal(RFMScorer().fit_transform(on_disk(scored, "rfm")), RFMScorer().fit_transform(scored))

    sites = pd.DataFrame({"site": ["a", "b"], "latitude": [48.0, 52.5], "longitude": [11.5, 13.25]})
    encoder = GeographicEncoder(sites=on_disk(sites, "sites"), density_radius=None)
    encoder.fit(pd.DataFrame({"customer_id": [1], "latitude": [48.0], "longitude": [12.0]}))
    pd.testing.assert_frame_equal(encoder.sites_, sites)
