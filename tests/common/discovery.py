"""Finds what custseg offers, so that a new public name meets every common check without being listed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from pathlib import Path

from sklearn.base import BaseEstimator

import custseg

PROJECT = Path(__file__).parents[2]
SOURCE = PROJECT / "src" / "custseg"


@cache
def public_modules():
    """The package and its modules without a leading underscore, ``custseg.segmentation`` for one."""
    found = [module.name for module in pkgutil.walk_packages(custseg.__path__, "custseg.")]
    public = [name for name in found if not any(part.startswith("_") for part in name.split("."))]
    return [custseg, *map(importlib.import_module, public)]


@cache
def public_names():
    """Every name of every public ``__all__``, as full name -> object; of a name in two places, that of its stage."""
    names = {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in public_modules()
        if module is not custseg
        for name in getattr(module, "__all__", ())
    }
    staged = {name.rpartition(".")[2] for name in names}
    flat = [getattr(custseg, name) for name in custseg.__all__ if name not in staged]
    return names | {f"{thing.__module__}.{thing.__name__}": thing for thing in flat if callable(thing)}


def public_classes():
    return {name: thing for name, thing in public_names().items() if inspect.isclass(thing)}


def public_functions():
    return {name: thing for name, thing in public_names().items() if inspect.isfunction(thing)}


def estimator_classes():
    """Every public estimator, by class name."""
    return {
        thing.__name__: thing
        for thing in public_classes().values()
        if issubclass(thing, BaseEstimator) and not inspect.isabstract(thing)
    }


@cache
def python_files(*folders):
    return sorted(path for folder in folders for path in (PROJECT / folder).rglob("*.py") if "_build" not in path.parts)
