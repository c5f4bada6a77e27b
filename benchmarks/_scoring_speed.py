"""Scoring 10 million customers from Parquet: time, and the memory it takes beyond the fitted model (on Linux)."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from custseg import SegmentClusterer

N_ROWS = 10_000_000
PART = 500_000
LIMIT = 300.0

# In a process of its own, which begins with a new account of its peak. The libraries and the model are
# loaded before memory is looked at: what counts is what the customers take.
SCORE = """
import json, pickle, sys, time
import duckdb, polars, pyarrow.parquet
from custseg.segmentation import assign_segments

def memory(kind):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(kind))

model, source, destination = sys.argv[1:]
with open(model, "rb") as file:
    fitted = pickle.load(file)
before, start, cpu = memory("VmRSS"), time.perf_counter(), time.process_time()
report = assign_segments(fitted, source, destination)
print(json.dumps({
    "n_customers": report.n_customers,
    "seconds": time.perf_counter() - start,
    "cpu_seconds": time.process_time() - cpu,
    "megabytes_before": before,
    "megabytes_more": memory("VmHWM") - before,
}))
"""


def _part(random: np.random.Generator, start: int, n_rows: int) -> pa.Table:
    segment = random.integers(0, 8, n_rows)
    columns: dict[str, Any] = {"customer_id": np.arange(start, start + n_rows)}
    for place in range(16):
        columns[f"n{place}"] = random.normal(size=n_rows) + (segment >> place % 3) % 2 * 2.0
    for place in range(2):
        columns[f"flag{place}"] = random.random(n_rows) < 0.3
        columns[f"text{place}"] = pa.array(np.array(list("abcdefgh"))[random.integers(0, 8, n_rows)])
    return pa.table(columns)


def run() -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        random = np.random.default_rng(0)
        sample = _part(random, 0, 50_000).to_pandas().set_index("customer_id")
        fitted = SegmentClusterer(n_segments=8, n_init=5, random_state=0).fit(sample)
        (place / "model.pickle").write_bytes(pickle.dumps(fitted))
        for n_rows in (N_ROWS // 10, N_ROWS):
            source, target = place / f"customers-{n_rows}.parquet", place / f"segments-{n_rows}.parquet"
            with pq.ParquetWriter(source, _part(random, 0, 1).schema) as writer:
                for start in range(0, n_rows, PART):
                    writer.write_table(_part(random, start, PART))
            command = [sys.executable, "-c", SCORE, str(place / "model.pickle"), str(source), str(target)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found = json.loads(printed)
            # the same labels as in memory, for a part that fits
            with pq.ParquetFile(source) as file:
                some = file.read_row_group(file.num_row_groups - 1).to_pandas().set_index("customer_id")
            written = pq.read_table(target).slice(n_rows - len(some)).to_pandas().set_index("customer_id")["segment"]
            assert written.index.equals(some.index)
            assert (written.to_numpy() == fitted.predict(some)).all()
            assert found["megabytes_more"] < LIMIT, found
            rows.append({"what": "score from Parquet", **found})
            source.unlink()
    return rows


if __name__ == "__main__":
    for row in run():
        print(row)
