"""CSV files as other programs write them: read as a person would, or refused with the line and the column."""

from __future__ import annotations

import csv
import gzip
import io
import re

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from custseg import MultiSelectEncoder, RFMFeaturizer, SegmentClusterer, write_segments
from custseg._core.csv_files import has_mixed_ends
from custseg._core.frames import collect, open_table
from custseg.exceptions import ColumnTypeError, DuplicateColumnError, InvalidTableError
from tests.sizes import size

pytestmark = pytest.mark.sampled

X = {"id": [1, 2], "x": [3.5, 4.25]}


@pytest.fixture
def csv_file(tmp_path):
    def write(content, name="table.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


def columns(path, **options):
    frame = collect(open_table(path, in_order=True, **options).frame)
    return {name: frame[name].to_list() for name in frame.columns}


@pytest.mark.parametrize(
    "text",
    [
        ",id,x\n0,1,3.5\n1,2,4.25\n",
        '"","id","x"\n"1",1,3.5\n"2",2,4.25\n',
        "id,x,\n1,3.5,\n2,4.25,\n",
        "id,x,,\n1,3.5,,\n2,4.25,,\n",
        "id,x\n1,3.5,\n2,4.25,\n",
        "id,x,\n1,3.5\n2,4.25\n",
        "sep=;\nid;x\n1;3.5\n2;4.25\n",
        "\ufeffsep=;\r\nid;x\r\n1;3,5\r\n2;4,25\r\n",
        '"sep=\t"\nid\tx\n1\t3.5\n2\t4.25\n',
        "SEP=^\nid^x\n1^3.5\n2^4.25\n",
        "\n\r\n\nid,x\n1,3.5\n2,4.25\n",
        ",,\nid,x,\n1,3.5,\n2,4.25,\n",
        "id,x\r1,3.5\r2,4.25\r",
        "id,x\r\n1,3.5\n2,4.25\r\n",
        "id,x\n1,3.5\r\n2,4.25\n",
        "id,x\n1,3.5\r2,4.25",
        ",id,x\r\n0,1,3.5\n1,2,4.25\n",
        "id;x\n1;3,5\n2;4,25\n",
        "id\tx\n1\t3,5\n2\t4,25\n",
        "id,x\n\n1,3.5\n\n2,4.25\n\n\n",
    ],
)
def test_what_other_programs_write_is_read_as_a_person_reads_it(csv_file, text):
    assert columns(csv_file(text)) == X
    assert columns(csv_file(gzip.compress(text.encode()), "table.csv.gz")) == X


@pytest.mark.parametrize("name", ["TABLE.CSV", "table.Csv", "TABLE.CSV.GZ", "t.PARQUET", "folder/T.Parquet"])
def test_the_ending_of_a_name_may_be_in_capitals(tmp_path, name):
    table, file = pd.DataFrame(X), tmp_path / name
    file.parent.mkdir(exist_ok=True)
    if name.lower().endswith("parquet"):
        table.to_parquet(file, index=False)
    else:
        text = table.to_csv(index=False).encode()
        file.write_bytes(gzip.compress(text) if name.endswith("GZ") else text)
    assert columns(file.parent if "/" in name else file) == X


@pytest.mark.parametrize("name", ["OUT.CSV", "OUT.PARQUET"])
def test_segments_are_written_to_a_name_in_capitals(tmp_path, name):
    customers = pd.DataFrame({"customer_id": np.arange(8), "x": [1.0, 1, 2, 2, 8, 8, 9, 9]})
    clusterer = SegmentClusterer(2, n_init=1, random_state=0).fit(customers)
    write_segments(clusterer, customers, tmp_path / name)
    assert columns(tmp_path / name)["segment"] == clusterer.predict(customers).tolist()


def test_numbers_with_a_decimal_comma(csv_file):
    text = "id;x;y;z;name\n1;2,5;1.234,50;-0,5;a,b\n2;3;1.000;7;c\n3;;NA; 12,25 ;1,5\n"
    found = columns(csv_file(text))
    assert found["x"] == [2.5, 3.0, None]
    assert found["y"] == [1234.5, 1000.0, None]
    assert found["z"] == [-0.5, 7.0, 12.25]
    assert found["name"] == ["a,b", "c", "1,5"]
    # neither is one number throughout
    assert columns(csv_file("id;x\n1;2,5\n2;3.5\n"))["x"] == ["2,5", "3.5"]
    assert columns(csv_file("id;x\n1;1,2,3\n2;1,2\n"))["x"] == ["1,2,3", "1,2"]


def test_commas_that_may_be_decimals_or_thousands_are_refused(csv_file):
    text = 'id;x\n1;"two"\n"2";5\n'.replace("two", "7") + "3;1,234\n4;-12,500\n"
    with pytest.raises(InvalidTableError, match=r"line 4, column 'x': '1,234' may be 1\.234 or 1234"):
        columns(csv_file(text))
    assert columns(csv_file(text), columns=["id"]) == {"id": [1, 2, 3, 4]}
    # one that can be only a decimal settles it
    assert columns(csv_file(text + "5;0,5\n"))["x"] == [7.0, 5.0, 1.234, -12.5, 0.5]


@pytest.mark.parametrize("value", ["€ 12.50", "(12.50)", "+12.50", "1'250.00", "12,50", "12%", "-"])
def test_what_makes_text_of_numbers_is_named_with_its_line(csv_file, value):
    text = "customer_id;timestamp;amount\na;2024-01-01;-1.5e+3\n\nb;2024-01-02; NA \nc;2024-01-03;one\nd;2024-01-04;7\n"
    # of several the first is named
    path = csv_file(text.replace("one", value) + "e;2024-01-05;€ 1\n")
    with pytest.raises(ColumnTypeError, match=rf"'amount' must be numbers, got {re.escape(repr(value))} in line 5\."):
        RFMFeaturizer().fit(path)


def test_options_between_commas_stay_text(csv_file):
    text = "customer_id,liked\n" + "".join(f'{place},"1,{place % 3 + 2}"\n' for place in range(30))
    encoder = MultiSelectEncoder("liked", separator=",").fit(csv_file(text))
    assert encoder.options_["option"].tolist()[0] == "1"


def test_a_purchase_log_as_a_dataframe_writes_it(tmp_path):
    lines = pd.DataFrame(
        {
            "customer_id": [7, 7, 8, 9],
            "timestamp": pd.to_datetime(["2024-01-02", "2024-02-03", "2024-02-01", "2024-01-09"]),
            "amount": [1234.5, 2.25, 3.0, 4.0],
        }
    )
    expected = RFMFeaturizer().fit_transform(lines)
    lines.to_csv(tmp_path / "plain.csv")
    lines.to_csv(tmp_path / "german.csv", sep=";", decimal=",", encoding="utf-8-sig", lineterminator="\r\n")
    for name in ("plain.csv", "german.csv"):
        pd.testing.assert_frame_equal(RFMFeaturizer().fit_transform(tmp_path / name), expected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (",x\n3,5\n9,6\n", "line 1 gives its column 1 no name, and it does not number the rows"),
        (",x\nann,5\nbob,6\n", "line 1 gives its column 1 no name"),
        (",x\n0,5\n,6\n", "line 1 gives its column 1 no name"),
        ("\nid,,x\n1,2,3\n", "line 2 gives its column 2 no name"),
        ("id, ,x\n1,2,3\n", "line 1 gives its column 2 no name"),
        (",,\n,,\n", "no line with the names"),
        ("id,x,\n1,2,\n3,4,5\n", "line 3 has 3 field.* and line 1 names 2 column.*'5' beyond column 'x'"),
        ("sep=;\nid;x\n1;2\n3\n", "line 4 has 1 field.* and line 2 names 2 column.*nothing for column 'x'"),
        ("a report\nid,x\n1,2\n", "line 2 has 2 field.*, and line 1 names 1 column"),
        ('id,x\n1,"a\n2,b\n', "line 2 opens a quote that does not close"),
        ('id,"x\n1,a\n2,b\n', "line 1 opens a quote that does not close"),
        ('id,x\n1,"a\nb"\n2,"c"d\n', "line 4 has text behind the quote that closes a field"),
        ("id,x\r\n1,2\n3\n", "line 3 has 1 field"),
        (b"id,x,y\n1,2,3\n" + b"4,caf\xe9,5\n", "line 3, column 'x', is not UTF-8 text"),
        (b"id,x\n" + b"1,2\n" * 5000 + b"4,caf\xe9\n", "line 5002, column 'x', is not UTF-8 text"),
        (b"id,caf\xe9\n1,2\n", "line 1 is not UTF-8 text"),
        ("id,x\n1,2\n".encode("utf-16"), "it is UTF-16 text"),
        ("id,x\n1,2\n3," + "a" * 5_000_000 + "\n", "line 3 has a field of more than 131,072 signs"),
        ("id," + "a" * 5_000_000 + "\n1,2\n", "line 1 has a field of more than 131,072 signs"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line_in_our_words(csv_file, content, words):
    file = csv_file(content)
    with pytest.raises(InvalidTableError, match=words) as caught:
        columns(file)
    message = str(caught.value)
    assert len(message) < 600
    assert not any(word in message for word in ("\n", "duckdb", "strict_mode", "Invalid Input", "Binder"))
    with pytest.raises(InvalidTableError, match=words):
        columns(csv_file(gzip.compress(file.read_bytes(), 1), "table.csv.gz"))


@pytest.mark.parametrize("keep", [10, 60, 3_000])
@pytest.mark.parametrize("way", ["cut", "damaged"])
def test_compressed_files_that_are_damaged(csv_file, keep, way):
    rows = "".join(f"{place},{place * 7919 % 10007}\n" for place in range(20_000))
    content = gzip.compress(f"id,x\n{rows}".encode())
    broken = content[:keep] if way == "cut" else content[:keep] + b"\x00\xff" * 50 + content[keep + 100 :]
    with pytest.raises(InvalidTableError, match="compressed file is (cut off|damaged)|gzip"):
        columns(csv_file(broken, "table.csv.gz"))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_names_that_differ_in_case_alone_are_refused(tmp_path, ending):
    table, file = pd.DataFrame({"id": [1], "Age": [2], "age": [3]}), tmp_path / f"table.{ending}"
    table.to_csv(file, index=False) if ending == "csv" else table.to_parquet(file)
    with pytest.raises(DuplicateColumnError, match="'Age' and 'age'.* differ in upper and lower case alone"):
        columns(file)
    assert columns(table) == {"id": [1], "Age": [2], "age": [3]}


def test_inner_fields_of_parquet_are_no_columns(tmp_path):
    table = pd.DataFrame({"Age": [1], "who": [{"age": 2, "Size": 1}], "size": [3]})
    table.to_parquet(tmp_path / "table.parquet")
    assert columns(tmp_path / "table.parquet", columns=["Age", "size"]) == {"Age": [1], "size": [3]}


@pytest.mark.thorough
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_end_of_another_kind_is_found_wherever_it_is(csv_file, end):
    # duckdb would lose the last rows of a large file without a word
    others = [other for other in ("\n", "\r\n", "\r") if other != end]
    # which is read a mebibyte at a time
    n_rows = size(70_000, 150_000)
    plain = f"id,x{end}" + f"12345,67890abcdef{end}" * n_rows
    assert not has_mixed_ends(csv_file(plain + '"two\rlines\n",\r\n'.replace(",\r\n", f",{end}")))
    for other in others:
        assert has_mixed_ends(csv_file(f"{plain}7,last{other}8,one{end}"))
        assert has_mixed_ends(csv_file(f"id,x{other}{plain}"))
    last = columns(csv_file(f"{plain}7,last{others[0]}8,one{end}"))
    assert last["id"][-3:] == [12345, 7, 8]
    assert len(last["x"]) == n_rows + 2


ENDS = st.sampled_from(["\n", "\r\n", "\r"])
FIELDS = st.text(st.sampled_from('ab,;"\n\r 1'), max_size=4)


@settings(max_examples=size(6, 100))
@given(rows=st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=6), data=st.data())
def test_mixed_ends_are_told_from_ends_in_quotes(tmp_path_factory, rows, data):
    file, written = tmp_path_factory.mktemp("mixed") / "t.csv", io.StringIO()
    used = set()
    for row in [("id", "x"), *rows]:
        end = data.draw(ENDS)
        used.add(end)
        csv.writer(written, lineterminator=end, quoting=csv.QUOTE_ALL).writerow(row)
    # "\r" and "\n" that come together are one end
    text = written.getvalue()
    file.write_bytes(text.encode())
    assert has_mixed_ends(file) == (len(used) > 1)
    found = columns(file)
    for place, name in enumerate(("id", "x")):
        expected = [row[place] or None for row in rows]
        given_back = [None if value is None else str(value) for value in found[name]]
        assert [value and value.strip() for value in given_back] == [value and value.strip() for value in expected] or (
            {value.strip() for value in expected if value} <= {"1", "11", "111", "1111", ""}
        )
