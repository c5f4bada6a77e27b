"""The kinds of values that plain data stand for: what each is made of, and how it is put together again."""

from __future__ import annotations

import datetime as dt
import decimal
import pathlib
import types
import uuid
import zoneinfo
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from custseg._core.plain_tables import PANDAS, TEXTS, is_texts, of_other_libraries

__all__ = ["KINDS", "Kind", "kind_of"]


@dataclass(frozen=True)
class Kind:
    """A kind of values.

    Attributes
    ----------
    tag : str
        What it is called in plain data.
    parts : callable
        Returns what a value is made of; the parts are plain, or of these kinds themselves.
    whole : callable
        Takes the parts, and returns the value.
    """

    tag: str
    parts: Callable[[Any], Iterable[Any]]
    whole: Callable[..., Any]


_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def _items(value: Any) -> list[Any]:
    return [part for item in value.items() for part in item]


def _pairs(parts: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    return list(zip(parts[::2], parts[1::2], strict=True))


def _bit_generator(state: dict[str, Any], seeds: dict[str, Any] | None) -> Any:
    """Make the source of a generator that goes on where the stored one was."""
    name = state["bit_generator"]
    if name not in _BIT_GENERATORS:
        raise ValueError(f"{name!r} is no source of random numbers")
    made = getattr(np.random, name)(None if seeds is None else np.random.SeedSequence(**seeds))
    made.state = state
    return made


def _generator_parts(generator: Any) -> list[Any]:
    source = generator.bit_generator
    return [source.state, getattr(source.seed_seq, "state", None)]


def _random_state(state: dict[str, Any]) -> np.random.RandomState:
    made = np.random.RandomState()
    made.set_state(state)
    return made


def _date_parts(when: dt.datetime) -> list[Any]:
    return [when.replace(tzinfo=None, fold=0).isoformat(), when.tzinfo, when.fold]


def _datetime(text: str, zone: dt.tzinfo | None, fold: int) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


# tuples of types, and what is said of a value of exactly one of them
_OF_TYPES: list[tuple[tuple[type, ...], Kind]] = [
    ((dict,), Kind("dict", _items, lambda *parts: dict(_pairs(parts)))),
    ((OrderedDict,), Kind("ordered dict", _items, lambda *parts: OrderedDict(_pairs(parts)))),
    (
        (types.MappingProxyType,),
        Kind("read-only dict", _items, lambda *parts: types.MappingProxyType(dict(_pairs(parts)))),
    ),
    ((list,), Kind("list", iter, lambda *parts: list(parts))),
    ((tuple,), Kind("tuple", iter, lambda *parts: parts)),
    ((set,), Kind("set", lambda value: sorted(value, key=repr), lambda *parts: set(parts))),
    ((frozenset,), Kind("frozenset", lambda value: sorted(value, key=repr), lambda *parts: frozenset(parts))),
    ((bytes,), Kind("bytes", lambda value: [np.frombuffer(value, np.uint8)], lambda array: array.tobytes())),
    ((range,), Kind("range", lambda value: [value.start, value.stop, value.step], range)),
    ((slice,), Kind("slice", lambda value: [value.start, value.stop, value.step], slice)),
    ((complex,), Kind("complex", lambda value: [value.real, value.imag], complex)),
    ((decimal.Decimal,), Kind("decimal", lambda value: [str(value)], decimal.Decimal)),
    ((uuid.UUID,), Kind("uuid", lambda value: [value.hex], uuid.UUID)),
    (
        (pathlib.PosixPath, pathlib.WindowsPath, pathlib.Path),
        Kind("path", lambda value: [str(value)], pathlib.Path),
    ),
    ((dt.datetime,), Kind("datetime", _date_parts, _datetime)),
    ((dt.date,), Kind("date", lambda value: [value.isoformat()], dt.date.fromisoformat)),
    ((dt.time,), Kind("time", lambda value: [value.isoformat()], dt.time.fromisoformat)),
    (
        (dt.timedelta,),
        Kind("timedelta", lambda value: [value.days, value.seconds, value.microseconds], dt.timedelta),
    ),
    ((dt.timezone,), Kind("offset", lambda value: [value.utcoffset(None)], dt.timezone)),
    ((zoneinfo.ZoneInfo,), Kind("zone", lambda value: [value.key], zoneinfo.ZoneInfo)),
    ((np.random.RandomState,), Kind("RandomState", lambda value: [value.get_state(legacy=False)], _random_state)),
    (
        (np.random.Generator,),
        Kind("Generator", _generator_parts, lambda *parts: np.random.Generator(_bit_generator(*parts))),
    ),
    *((of_types, Kind(*of_kind)) for of_types, of_kind in PANDAS),
]
_OF_TYPE = {one: kind for of_types, kind in _OF_TYPES for one in of_types}
# families of types, of which each library has its own
_DTYPE = Kind("dtype", lambda dtype: [np.lib.format.dtype_to_descr(dtype)], np.lib.format.descr_to_dtype)
_TEXTS = Kind("texts", *TEXTS)
_OTHERS = {tag: Kind(tag, *of_kind) for tag, of_kind in of_other_libraries().items()}

KINDS = {kind.tag: kind for kind in (*_OF_TYPE.values(), *_OTHERS.values(), _DTYPE, _TEXTS)}
"""Every kind by its tag."""


def kind_of(value: Any) -> Kind | None:
    """Return the kind of a value; None for one of no kind that is listed.

    Examples
    --------
    >>> import datetime as dt
    >>> kind_of(dt.date(2024, 3, 1)).tag
    'date'
    """
    own = type(value)
    if own in _OF_TYPE:
        return _OF_TYPE[own]
    if isinstance(value, np.dtype):
        return _DTYPE
    if is_texts(value):
        return _TEXTS
    # these libraries are not imported for the sake of a name
    return _OTHERS.get(f"{own.__module__.partition('.')[0]}.{own.__name__}")
