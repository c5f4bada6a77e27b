"""Segmentation beside scikit-learn, StepMix 3.0.0 and kmodes 0.12.2, and scoring ten million customers."""

from __future__ import annotations

from typing import Any

from benchmarks import _k_prototypes_speed, _kmeans_speed, _latent_class_speed, _scoring_speed


def run() -> list[dict[str, Any]]:
    rows = [
        row
        for benchmark in (_kmeans_speed, _latent_class_speed, _k_prototypes_speed, _scoring_speed)
        for row in benchmark.run()
    ]
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]
