"""A whole study, from Parquet files of purchases and profiles to the report: time and memory (minutes; not in CI)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from custseg.datasets import make_customers

SIZES = (100_000, 1_000_000)
# about ten lines of each customer, where the generator makes twice as many
LINES_KEPT = 2
LIMITS = {100_000: 40, 1_000_000: 120}
CODE = """
import json, sys
import polars as pl
from custseg import (
    CharacteristicUnion, DemographicEncoder, RFMFeaturizer, SegmentationBrief, SegmentationStudy, SegmentClusterer
)
folder = sys.argv[1]
tables = {"purchases": pl.scan_parquet(folder + "/lines-*.parquet"), "profile": pl.read_parquet(folder + "/profile-*")}
characteristics = [("purchases", RFMFeaturizer(), "purchases"), ("profile", DemographicEncoder(), "profile")]
study = SegmentationStudy(
    SegmentationBrief("retention"),
    characteristics=CharacteristicUnion(characteristics),
    clusterer=SegmentClusterer(random_state=0),
    n_jobs=2,
).fit(tables)
study.write_report(folder + "/report.html")
print(json.dumps({"customers": len(study.labels_), "segments": study.n_segments_, "elapsed": study.elapsed_}))
"""


def run() -> list[dict[str, Any]]:
    return [_row(size) for size in SIZES]


def _row(size: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        n_lines = _write(Path(folder), size)
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", CODE, folder], stdout=subprocess.PIPE, text=True)
        peak = _Peak(process.pid)
        printed, _ = process.communicate()
        seconds = time.perf_counter() - started
        assert process.returncode == 0
    found = json.loads(printed.splitlines()[-1])
    assert found["customers"] == size
    return {
        "customers": size,
        "lines": n_lines,
        "seconds": seconds,
        "limit": LIMITS[size],
        "peak gigabytes": peak.gigabytes(),
        "segments": found["segments"],
        **{f"{phase} s": elapsed for phase, elapsed in found["elapsed"].items()},
    }


def _write(folder: Path, size: int) -> int:
    """Write purchases and profiles, and return the number of lines."""
    made = make_customers(size, n_segments=5, separation=1.2, missing_share=0.02, random_state=1)
    # each customer keeps a purchase
    is_kept = ~made.transactions["customer_id"].duplicated() | (np.arange(len(made.transactions)) % LINES_KEPT == 0)
    lines = made.transactions[is_kept]
    pl.from_pandas(lines).write_parquet(folder / "lines-0.parquet")
    pl.from_pandas(made.profile).write_parquet(folder / "profile-0.parquet")
    return len(lines)


class _Peak:
    """The most memory of a process and those it started, what they share counted once (on Linux)."""

    def __init__(self, pid: int) -> None:
        self._pid, self._largest, self._ended = pid, 0, threading.Event()
        self._watch = threading.Thread(target=self._follow, daemon=True)
        self._watch.start()

    def _follow(self) -> None:
        while not self._ended.wait(0.5):
            self._largest = max(self._largest, sum(map(_proportional_kilobytes, _family(self._pid))))

    def gigabytes(self) -> float:
        self._ended.set()
        self._watch.join()
        return self._largest * 1024 / 1e9


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has just ended
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _proportional_kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
