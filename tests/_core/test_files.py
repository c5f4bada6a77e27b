"""Files that cannot be written, or read: one error of custseg, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from custseg import PersonaDescriber, RFMFeaturizer, SegmentClusterer, write_segments
from custseg._core.files import check_writable, replacing
from custseg._core.frames import open_table
from custseg.exceptions import InvalidTableError, OutputPathError

pytestmark = pytest.mark.sampled

N = 4_000


@pytest.fixture(scope="module")
def customers():
    random = np.random.RandomState(0)
    kind = pd.Categorical(random.choice(list("abc"), N), ordered=True)
    return pd.DataFrame({"customer_id": np.arange(N), "x": random.rand(N), "kind": kind})


@pytest.fixture(scope="module")
def clusterer(customers):
    return SegmentClusterer(2, n_init=1, random_state=0).fit(customers.iloc[:200])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x" * 300 + ".csv", "File name too long"),
        ("d/" * 3_000 + "x.csv", "File name too long"),
        ("a\0b.csv", "its name has a NUL"),
        ("a\0/b.csv", "its name has a NUL"),
        ("file/x.csv", "is not a folder"),
        ("", "it is a folder"),
    ],
)
def test_a_path_that_no_file_system_takes(tmp_path, clusterer, customers, name, reason):
    (tmp_path / "file").write_text("x")
    place = tmp_path / name
    for write in (check_writable, lambda path: replacing(path).__enter__()):
        with pytest.raises(OutputPathError, match=reason):
            write(place)
    if name.endswith(".csv"):
        with pytest.raises(OutputPathError, match=reason):
            write_segments(clusterer, customers, place)
        with pytest.raises(InvalidTableError, match="cannot read"):
            open_table(place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_long_ending_is_part_of_a_name(tmp_path):
    path = tmp_path / f"a.{'e' * 240}"
    with replacing(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"


FULL = """
import resource, sys
import joblib, numpy as np, pandas as pd
from custseg import SegmentClusterer, write_segments
from custseg._core.files import replacing

table = pd.DataFrame({"customer_id": np.arange(5_000), "x": np.random.RandomState(0).rand(5_000)})
clusterer = SegmentClusterer(2, n_init=1, random_state=0).fit(table[:100])
# the bytecode of what is imported from here on would be kept, cut short
sys.dont_write_bytecode = True
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
writers = {
    "a.csv": table.to_csv,
    "a.csv.gz": table.to_csv,
    "a.joblib": lambda path: joblib.dump(table, path),
    "a.parquet": lambda path: table.to_parquet(path, engine="pyarrow"),
    "a.html": lambda path: path.write_text("a" * 50_000),
}
for name, write in writers.items():
    try:
        with replacing(name) as temporary:
            write(temporary)
    except ValueError as error:
        print(type(error).__name__, error)
for name in ("b.csv", "b.parquet"):
    try:
        write_segments(clusterer, table, name)
    except ValueError as error:
        print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are set otherwise on Windows")
def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL], cwd=tmp_path, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    names = ["a.csv", "a.csv.gz", "a.joblib", "a.parquet", "a.html", "b.csv", "b.parquet"]
    for line, name in zip(said, names, strict=True):
        assert line.startswith(f"OutputPathError cannot write '{name}': File too large. ")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_what_is_written_stays_what_it_is(tmp_path):
    for error in (FileNotFoundError(2, "gone", "source.csv"), KeyError("x"), ValueError("wrong")):
        with pytest.raises(type(error)), replacing(tmp_path / "a.csv"):
            raise error
    assert list(tmp_path.iterdir()) == []


def _damaged(content, way):
    content = bytearray(content)
    match way:
        case "cut":
            return content[: len(content) // 2]
        case "empty":
            return b""
        case "pages":
            content[60:2_000] = b"\xff" * 1_940
        case "head of a page":
            content[4:40] = b"\xff" * 36
        case "footer":
            length = int.from_bytes(content[-8:-4], "little")
            content[-8 - length : -8] = b"\x00" * length
        case "length of the footer":
            content[-8:-4] = b"\xff" * 4
    return content


@pytest.mark.parametrize("compression", ["snappy", None])
@pytest.mark.parametrize("way", ["cut", "empty", "pages", "head of a page", "footer", "length of the footer"])
def test_damaged_parquet_is_one_error_wherever_it_is_read(tmp_path, customers, clusterer, way, compression):
    file, source = tmp_path / "table.parquet", tmp_path / "whole.parquet"
    customers.to_parquet(source, compression=compression)
    file.write_bytes(_damaged(source.read_bytes(), way))
    log = customers.assign(timestamp=pd.Timestamp("2024-01-01"), amount=1.0)[["timestamp", "customer_id", "amount"]]
    log.to_parquet(source, compression=compression)
    lines = tmp_path / "lines.parquet"
    lines.write_bytes(_damaged(source.read_bytes(), way))
    n_raised = 0
    for read in (
        lambda: clusterer.predict(file),
        lambda: write_segments(clusterer, file, tmp_path / "out.csv", overwrite=True),
        lambda: PersonaDescriber().fit(file, np.arange(N) % 2),
        lambda: RFMFeaturizer().fit(lines),
    ):
        try:
            read()
        except InvalidTableError as error:
            n_raised += 1
            message = str(error)
            assert "cannot read" in message
            assert "damaged or cut off" in message
            assert "\n" not in message
    # uncompressed numbers are damaged without anybody's knowing
    assert n_raised == 4 or (way == "pages" and compression is None)
