"""Timing of competitors in turns, so that a busy moment of the machine meets them all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timed:
    """What a competitor returned, and the median time it took (wall clock and CPU, in seconds)."""

    result: Any
    seconds: float
    cpu_seconds: float


def in_turns(competitors: Mapping[str, Callable[[], Any]], n_rounds: int = 5) -> dict[str, Timed]:
    """Run every competitor once to warm up, then ``n_rounds`` times in turns."""
    results = {name: run() for name, run in competitors.items()}
    wall: dict[str, list[float]] = {name: [] for name in competitors}
    cpu: dict[str, list[float]] = {name: [] for name in competitors}
    for _ in range(n_rounds):
        for name, run in competitors.items():
            gc.collect()
            wall_start, cpu_start = time.perf_counter(), time.process_time()
            run()
            wall[name].append(time.perf_counter() - wall_start)
            cpu[name].append(time.process_time() - cpu_start)
    return {
        name: Timed(results[name], statistics.median(wall[name]), statistics.median(cpu[name])) for name in competitors
    }
