"""A process that was forked from one in use waits for nothing that has not come along."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.common.cases import CASES
from tests.common.discovery import PROJECT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")

# A child writes what it found; one that waits for ever is ended by an alarm, and has written nothing.
BEGIN = """
import os, pickle, signal, sys, threading, warnings
import numpy as np, pandas as pd
warnings.simplefilter("ignore")
from custseg import *
from custseg._core.threads import one_thread
from custseg._core.warning import ignoring

def in_child(ask):
    ours, theirs = os.pipe()
    if (child := os.fork()) == 0:
        signal.alarm(60)
        try:
            found = ask()
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        os.write(theirs, pickle.dumps(found))
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        found = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(found) if found else "waited"

LINES = make_customers(2_000, n_segments=2, random_state=0).transactions
CUSTOMERS = pd.DataFrame(np.random.RandomState(0).rand(200, 2), columns=["spend", "visits"])

def described(table=LINES):
    return RFMFeaturizer().fit_transform(table)

def stable(n_jobs=1):
    clusterer = SegmentClusterer(2, n_init=1)
    return bootstrap_stability(clusterer, CUSTOMERS, [2], n_pairs=2, n_jobs=n_jobs, random_state=0).to_frame()
"""

SMALL = """
import polars
here = described(), described(polars.from_pandas(LINES))
there = in_child(described)
assert isinstance(there, pd.DataFrame), there
pd.testing.assert_frame_equal(here[0], there)
print(in_child(lambda: described(polars.DataFrame({"customer_id": [1]}))))
# a thread that is in the middle of its work when the process is forked
entered, leave = threading.Event(), threading.Event()
def work():
    with one_thread(), ignoring(UserWarning):
        entered.set()
        leave.wait()
thread = threading.Thread(target=work)
thread.start()
entered.wait()
def look():
    labels = SegmentClusterer(2, n_init=1, random_state=0).fit(CUSTOMERS).labels_
    return labels.tolist(), warnings.showwarning.__name__, len(warnings.filters)
before = type(warnings.showwarning).__name__
there = in_child(look)
leave.set()
thread.join()
assert before == "_Shower"
assert there == look(), there
"""


def run(script):
    return subprocess.run([sys.executable, "-c", BEGIN + script], capture_output=True, text=True, check=True).stdout


def test_a_fork_after_use_finds_what_its_parent_found():
    pytest.importorskip("polars")
    said = run(SMALL)
    if sys.platform == "linux":
        start = (
            "InvalidTableError: RFMFeaturizer: polars does not work in a process that was forked after it had been used"
        )
        assert said.startswith(start)


EVERY = """
sys.path.insert(0, sys.argv[1])
import duckdb, polars, pyarrow, joblib
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from tests.common.cases import CASES

# more than one thread, whatever the environment says
threadpool_limits(2)
LINES.to_parquet("lines.parquet")
LINES.to_csv("lines.csv", index=False)
arrow = pyarrow.Table.from_pandas(LINES)
table = CUSTOMERS.assign(customer_id=range(200))
fitted = SegmentClusterer(2, n_init=1, random_state=0).fit(table)
wide = pd.DataFrame(np.random.RandomState(0).rand(4_000, 4), columns=list("abcd"))

def written():
    write_segments(fitted, table, f"{os.getpid()}.parquet", overwrite=True)
    return pd.read_parquet(f"{os.getpid()}.parquet")

ASKED = {
    "pandas": described,
    "arrow": lambda: described(arrow).to_pandas(),
    "parquet": lambda: described("lines.parquet"),
    "csv": lambda: described("lines.csv"),
    "duckdb": lambda: described(duckdb.connect().sql("FROM 'lines.parquet'")).to_pandas(),
    "one worker": stable,
    "two workers": lambda: stable(2),
    "threads": lambda: with_threads(),
    "engine": lambda: SegmentClusterer(2, engine=KMeans(n_init=2), random_state=0).fit(wide).labels_,
    "written": written,
}

def with_threads():
    with joblib.parallel_config(backend="threading"):
        return stable(2)

def same(one, other):
    if isinstance(one, pd.DataFrame):
        return isinstance(other, pd.DataFrame) and one.equals(other)
    return np.array_equal(one, other)

here = {name: ask() for name, ask in ASKED.items()}
for case in CASES.values():
    case.estimator.fit(case.data)
for name, ask in ASKED.items():
    # of another order of rows in a file nothing is promised
    there = in_child(ask)
    if isinstance(there, pd.DataFrame) and name in ("parquet", "csv", "duckdb"):
        there, here[name] = (frame.sort_values(list(frame.columns), ignore_index=True) for frame in (there, here[name]))
    print(name, same(here[name], there), "" if same(here[name], there) else there)
for name, case in CASES.items():
    print(name, in_child(lambda: bool(case.estimator.fit(case.data))))
"""


@pytest.mark.slow
def test_a_fork_after_every_library_was_used(tmp_path):
    for library in ("duckdb", "polars", "pyarrow"):
        pytest.importorskip(library)
    command = [sys.executable, "-c", BEGIN + EVERY, str(PROJECT)]
    # into files: the workers of a child outlive it for minutes, and a pipe would be open until they end
    with (tmp_path / "said").open("w") as said, (tmp_path / "errors").open("w") as errors:
        done = subprocess.run(command, stdout=said, stderr=errors, cwd=tmp_path, check=False)
    assert done.returncode == 0, (tmp_path / "errors").read_text()
    lines = (tmp_path / "said").read_text().splitlines()
    assert len(lines) == 10 + len(CASES)
    assert not [line for line in lines if line.split()[-1] != "True"]
