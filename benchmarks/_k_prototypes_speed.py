"""KPrototypesClusterer beside kmodes 0.12.2, with as many starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from kmodes.kprototypes import KPrototypes

from benchmarks._timing import in_turns
from custseg.segmentation._prototypes.clusterer import KPrototypesClusterer

N_NUMBERS, N_CATEGORIES = 4, 6


def _customers(n_rows: int, n_segments: int, noise: float, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    segment = random.integers(0, n_segments, n_rows)
    centers = random.normal(scale=1.5, size=(n_segments, N_NUMBERS))
    numbers = centers[segment] + random.normal(size=(n_rows, N_NUMBERS))
    table = pd.DataFrame(numbers, columns=[f"n{place}" for place in range(N_NUMBERS)])
    for place in range(N_CATEGORIES):
        planted = np.array(list("abcde"))[(segment * 2 + place) % 5]
        table[f"c{place}"] = np.where(random.random(n_rows) < noise, random.choice(list("abcde"), n_rows), planted)
    return table


def run() -> list[dict[str, Any]]:
    rows = []
    for n_rows, n_init in ((2_000, 10), (10_000, 5)):
        table = _customers(n_rows, 6, 0.5, seed=0)
        matrix, places = table.to_numpy(dtype=object), list(range(N_NUMBERS, N_NUMBERS + N_CATEGORIES))
        ours = KPrototypesClusterer(6, scaling=None, n_init=n_init, random_state=0)
        theirs = KPrototypes(6, n_init=n_init, init="Huang", random_state=0)
        competitors = {
            "ours": lambda ours=ours, table=table: ours.fit(table),
            "kmodes": lambda theirs=theirs, matrix=matrix, places=places: theirs.fit(matrix, categorical=places),
        }
        timed = in_turns(competitors, n_rounds=1)
        found, other = timed["ours"].result, timed["kmodes"].result
        # one definition of the cost
        assert np.isclose(found.gamma_, other.gamma)
        assert found.cost_ <= other.cost_ * (1 + 1e-12)
        rows.append(
            {
                "what": f"{n_rows} rows, {n_init} start(s)",
                "ours_cpu_seconds": timed["ours"].cpu_seconds,
                "kmodes_cpu_seconds": timed["kmodes"].cpu_seconds,
                "times_faster": timed["kmodes"].cpu_seconds / timed["ours"].cpu_seconds,
                "ours_cost": found.cost_,
                "kmodes_cost": float(other.cost_),
            }
        )
    return rows


if __name__ == "__main__":
    for row in run():
        print(row)
