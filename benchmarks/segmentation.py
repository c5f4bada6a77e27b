"""Segmentation beside scikit-learn, StepMix 3.0.0 and kmodes 0.12.2, and scoring ten million customers."""

from __future__ import annotations

from typing import Any

from benchmarks import _k_prototypes_speed, _kmeans_speed, _latent_class_speed, _scoring_speed


def run() -> list[dict[str, Any]]:
    parts = (_kmeans_speed, _latent_class_speed, _k_prototypes_speed, _scoring_speed)
    return [row for part in parts for row in part.run()]
