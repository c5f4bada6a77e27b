"""Time and memory of ``custseg demo``, and how long importing custseg takes beside what it stands on.

Run as a script, it measures the demo of the interpreter that runs it, wherever custseg is installed,
and fails where a stated limit is passed.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

BASE = "import pandas, sklearn.cluster"
# the stages load at first use, so the star import shows what all of them cost
IMPORTS = ("import custseg", "from custseg import *", BASE)
N_IMPORTS = 7
_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss


def run_demo() -> dict[str, Any]:
    """Run the demo in an empty folder; what it prints goes to standard error."""
    command = Path(sysconfig.get_path("scripts")) / "custseg"
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        subprocess.run([command, "demo"], cwd=folder, check=True, stdout=sys.stderr)
        seconds = time.perf_counter() - started
        assert (Path(folder) / "custseg-report.html").stat().st_size > 10_000
    # the largest process among the children, which is the demo
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _BYTES
    return {"measure": "custseg demo", "seconds": seconds, "peak_gigabytes": peak / 1e9, "ratio": None}


def import_seconds() -> dict[str, float]:
    """Return the fastest of several fresh interpreters, in turns: the one that other work disturbed least.

    All that is imported is compiled beforehand, as pip compiles what it installs.
    """
    fastest = dict.fromkeys(IMPORTS, float("inf"))
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        for turn in range(N_IMPORTS + 1):
            for statement in IMPORTS:
                code = f"import time; started = time.perf_counter(); {statement}; print(time.perf_counter() - started)"
                command = [sys.executable, "-c", code]
                printed = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
                if turn > 0:
                    fastest[statement] = min(fastest[statement], float(printed.stdout))
    return fastest


def run() -> list[dict[str, Any]]:
    rows = [run_demo()]
    seconds = import_seconds()
    base = seconds[BASE]
    for statement, took in seconds.items():
        rows.append({"measure": statement, "seconds": took, "peak_gigabytes": None, "ratio": took / base})
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-seconds", type=float, default=float("inf"))
    parser.add_argument("--max-gigabytes", type=float, default=float("inf"))
    options = parser.parse_args()
    demo = run_demo()
    print(f"custseg demo: {demo['seconds']:.1f} s, {demo['peak_gigabytes']:.2f} GB")
    if demo["seconds"] > options.max_seconds or demo["peak_gigabytes"] > options.max_gigabytes:
        print(f"limits: {options.max_seconds:g} s, {options.max_gigabytes:g} GB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
