"""RFM of 100,000,000 purchase lines that stay on disk: time and memory. Takes minutes and 3 GB of disk; not in CI."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks._lines import write_parquet

N_LINES, N_CUSTOMERS = 100_000_000, 4_750_000
LIMIT = 2  # gigabytes
_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss
CODE = """
import sys
from custseg import RFMFeaturizer
customers = RFMFeaturizer().fit_transform(sys.argv[1])
assert customers["frequency"].min() >= 1 and customers.index.is_unique
print(len(customers))
"""


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        write_parquet(Path(folder), N_LINES, N_CUSTOMERS)
        gigabytes = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e9
        started = time.perf_counter()
        printed = subprocess.run([sys.executable, "-c", CODE, folder], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss * _BYTES / 1e9
    return [
        {
            "lines": N_LINES,
            "customers": int(printed.stdout),
            "file gigabytes": gigabytes,
            "seconds": seconds,
            "CPU seconds": used.ru_utime + used.ru_stime,
            "peak gigabytes": peak,
            "limit": LIMIT,
        }
    ]
