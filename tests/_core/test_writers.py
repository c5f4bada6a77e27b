"""Several that write one file, and processes that end in the middle: it is whole, and nothing is left beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from custseg._core import files
from custseg._core.files import replacing
from custseg.exceptions import OutputPathError

pytestmark = pytest.mark.usefixtures("heeded_signals")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")


def without_names(monkeypatch):
    """What the system does where it has files without a name (Linux)."""


def with_hidden_names(monkeypatch):
    monkeypatch.setattr(files, "_nameless", lambda folder, mode: None)


def without_links(monkeypatch):
    def no_links(*_, **__):
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)


def without_both(monkeypatch):
    with_hidden_names(monkeypatch)
    without_links(monkeypatch)


@pytest.fixture(params=[without_names, with_hidden_names, without_links, without_both])
def file_system(request, monkeypatch):
    request.param(monkeypatch)


@pytest.mark.usefixtures("file_system")
def test_of_threads_that_write_one_file_one_succeeds(tmp_path):
    n_writers, path = 4, tmp_path / "out.txt"
    ready = threading.Barrier(n_writers)

    def write(number):
        with replacing(path, overwrite=False) as draft:
            draft.write_text(str(number) * 1_000)
            ready.wait()
        return number

    for _ in range(10):
        with ThreadPoolExecutor(n_writers) as pool:
            running = [pool.submit(write, number) for number in range(n_writers)]
        lost = [done.exception() for done in running if done.exception()]
        (winner,) = [done.result() for done in running if not done.exception()]
        assert all(isinstance(error, OutputPathError) and "it exists" in str(error) for error in lost)
        assert path.read_text() == str(winner) * 1_000
        assert list(tmp_path.iterdir()) == [path]
        path.unlink()


@pytest.mark.usefixtures("file_system")
def test_a_file_that_came_meanwhile_stays_unless_it_is_to_be_replaced(tmp_path):
    path = tmp_path / "out.txt"
    with pytest.raises(OutputPathError, match="it exists"), replacing(path, overwrite=False):
        path.write_text("of another")
    assert path.read_text() == "of another"
    with replacing(path) as draft:
        draft.write_text("mine")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.usefixtures("file_system")
def test_permissions_follow_the_umask_which_nobody_sets(tmp_path, monkeypatch):
    new, private = tmp_path / "new.txt", tmp_path / "private.txt"
    private.write_text("old")
    private.chmod(0o600)
    before = os.umask(0o027)
    try:
        with monkeypatch.context() as patching:
            patching.setattr(os, "umask", pytest.fail)
            for path in (new, private):
                with replacing(path) as draft:
                    draft.write_text("whole")
                    # nobody may read earlier what will not be theirs
                    assert draft.stat().st_mode & 0o777 == (0o640 if path == new else 0o600)
    finally:
        os.umask(before)
    assert new.stat().st_mode & 0o777 == 0o640
    assert private.stat().st_mode & 0o777 == 0o600


BEGIN = """
import os, signal, sys, time
import numpy as np, pandas as pd
from custseg import RFMFeaturizer, SegmentClusterer, write_segments
from custseg._core import files
from custseg.exceptions import OutputPathError

folder, number, n_points, named = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
if named == "hidden":
    files._nameless = lambda folder, mode: None
table = pd.DataFrame({"customer_id": np.arange(6_000), "x": np.random.RandomState(0).rand(6_000)})
clusterer = SegmentClusterer(2, n_init=1, random_state=0).fit(table[:100])

def in_child(work):
    if (child := os.fork()) == 0:
        status = 1
        try:
            status = work()
        except KeyboardInterrupt:
            status = 2
        os._exit(status)
    return child

def write(name, rows, **options):
    write_segments(clusterer, rows, os.path.join(folder, name), batch_size=200, **options)
    return 0
"""

KILLED = """
started = time.perf_counter()
write("out.parquet", table, overwrite=True)
took = time.perf_counter() - started
for point in range(n_points):
    write("out.parquet", table[:500], overwrite=True)
    child = in_child(lambda: write("out.parquet", table, overwrite=True))
    time.sleep(took * (point + 0.5) / n_points)
    os.kill(child, number)
    os.waitpid(child, 0)
    assert len(pd.read_parquet(os.path.join(folder, "out.parquet"))) in (500, 6_000)
left = sorted(set(os.listdir(folder)) - {"out.parquet"})
assert all(name.startswith(".custseg-") for name in left), left
from custseg._core.paths import open_path
import warnings
warnings.simplefilter("ignore")
assert len(open_path(folder).fetchall()) in (500, 6_000)
print(len(left))
"""


def run(script, *arguments):
    command = [sys.executable, "-c", BEGIN + script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def n_left(folder, name, n_points, named="nameless"):
    signal = pytest.importorskip("signal")
    pytest.importorskip("duckdb")
    return int(run(KILLED, folder, getattr(signal, name).value, n_points, named))


@pytest.mark.slow
@needs_fork
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGKILL"])
def test_a_process_that_is_killed_at_thirty_points_of_a_write(tmp_path, name):
    assert n_left(tmp_path, name, 30) == 0 or sys.platform != "linux"


@pytest.mark.slow
@needs_fork
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_what_is_left_with_a_hidden_name_is_no_data(tmp_path, name):
    n_files = n_left(tmp_path, name, 30, "hidden")
    # an interrupt can be answered, that of the kernel cannot
    assert n_files == 0 if name == "SIGINT" else n_files > 0


TWO = """
for point in range(n_points):
    ours, theirs = os.pipe()
    def work():
        # until both are there
        os.close(theirs)
        os.read(ours, 1)
        try:
            return write(f"{point}.csv", table[:400])
        except OutputPathError as error:
            assert "it exists" in str(error)
            return 3
    children = [in_child(work) for _ in range(2)]
    os.close(ours)
    os.close(theirs)
    assert sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children) == [0, 3]
    assert len(pd.read_csv(os.path.join(folder, f"{point}.csv"))) == 400
print(len(os.listdir(folder)))
"""


APART = """
folder = os.path.join(folder, "two")
os.mkdir(folder)
"""


@needs_fork
def test_a_process_that_is_killed_leaves_nothing_and_of_two_that_write_one_file_one_succeeds(tmp_path):
    signal = pytest.importorskip("signal")
    pytest.importorskip("duckdb")
    n_left, n_files = map(int, run(KILLED + APART + TWO, tmp_path, signal.SIGTERM.value, 3, "nameless").split())
    assert n_left == 0 or sys.platform != "linux"
    assert n_files == 3


@pytest.mark.slow
@needs_fork
@pytest.mark.parametrize("named", ["nameless", "hidden"])
def test_of_two_processes_that_write_one_of_many_files_one_succeeds(tmp_path, named):
    assert int(run(TWO, tmp_path, 0, 50, named)) == 50
