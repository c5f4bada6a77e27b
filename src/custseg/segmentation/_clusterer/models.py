"""What is asked of any estimator that finds groups: of scikit-learn's, of ours, of a pipeline that ends in one."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, clone

from custseg.segmentation._base.segmenter import Segmenter

__all__ = [
    "NUMBER_PARAMETERS",
    "finds_number",
    "is_clusterer",
    "number_parameter",
    "numbered",
    "seed_parameters",
    "seeded",
]


# what clusterers call the number of segments
NUMBER_PARAMETERS = ("n_segments", "n_clusters", "n_components")


def is_clusterer(engine: Any) -> bool:
    """Say whether something is an estimator that finds groups."""
    finds = hasattr(engine, "fit_predict") or (hasattr(engine, "fit") and hasattr(engine, "predict"))
    return isinstance(engine, BaseEstimator) and finds


def finds_number(engine: Any) -> bool:
    """Say whether a clusterer finds the number of segments itself."""
    if not is_clusterer(engine):
        return False
    parameter = number_parameter(engine)
    return parameter is None or engine.get_params()[parameter] is None


def number_parameter(engine: Any) -> str | None:
    """Return the name of the parameter for the number of segments, of a pipeline that of its last step."""
    prefix, last = "", engine
    while isinstance(getattr(last, "steps", None), list):
        step, last = last.steps[-1]
        prefix += f"{step}__"
    own = last.get_params(deep=False)
    return next((prefix + name for name in NUMBER_PARAMETERS if name in own), None)


def numbered(clusterer: Any, n_segments: Any) -> Any:
    """Return a clone with another number of segments; a least number was a wish for where it is chosen."""
    found = clone(clusterer)
    if isinstance(found, Segmenter) and "min_segments" in found.limits:
        found.set_params(min_segments=1)
    return found.set_params(**{str(number_parameter(clusterer)): n_segments})


def seed_parameters(engine: Any) -> list[str]:
    """Return the names of all seeds of an estimator and its parts."""
    return [name for name in engine.get_params(deep=True) if name.rpartition("__")[2] == "random_state"]


def seeded(engine: Any, seed: int, *, keep: bool) -> Any:
    """Set every seed of an estimator and its parts; ``keep`` leaves those that are set already."""
    own = engine.get_params(deep=True)
    return engine.set_params(**{name: seed for name in seed_parameters(engine) if not keep or own[name] is None})
