"""What a fitted estimator holds, as plain data: text, numbers and arrays, which run no code when they are read.

A file of skops (or any other that refuses to run code) holds of an estimator what ``__getstate__`` gives. Ours give
one text in JSON, the arrays that it points at, and the objects of other libraries, such as an engine of
scikit-learn's, which skops looks at by itself. Pickles and copies hold the objects as they are.

Reading makes objects of custseg's own classes and of the kinds listed here, and nothing else; it fills them without
calling them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from custseg._core.optional import own_module
from custseg._core.plain_kinds import KINDS, kind_of
from custseg.exceptions import InvalidTableError

__all__ = ["from_plain", "is_plain", "to_plain"]

_FORMAT = 1
_KEYS = {"custseg_format", "text", "arrays", "others"}
_PACKAGE = "custseg"
_AS_THEY_ARE = (str, int, float, bool, type(None))
# classes of Python that say of what kind something is; others are left to whoever reads the file
_PLAIN_CLASSES = {one.__name__: one for one in (str, int, float, bool, bytes, list, tuple, dict, set, object)}
_UNREAD = object()


def to_plain(owner: object, state: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the attributes of an estimator into plain data.

    Parameters
    ----------
    owner : object
        The estimator; what it holds may point back at it.
    state : mapping of str to object
        Its attributes.

    Returns
    -------
    dict
        Text, arrays, and what belongs to other libraries.

    Examples
    --------
    >>> to_plain(None, {"n_segments": 2, "names": ("a", "b")})["text"]
    '["dict", "n_segments", 2, "names", ["tuple", "a", "b"]]'
    """
    writer = _Writer(owner)
    text = json.dumps(writer.write(dict(state)))
    return {"custseg_format": _FORMAT, "text": text, "arrays": writer.arrays, "others": writer.others}


def is_plain(state: object) -> bool:
    """Say whether a state is what :func:`to_plain` gave."""
    return isinstance(state, dict) and set(state) == _KEYS


def from_plain(owner: object, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that :func:`to_plain` was given.

    Raises
    ------
    InvalidTableError
        If the data are not whole, of a later version, or name a class that is none of custseg's.
    """
    if stored["custseg_format"] != _FORMAT:
        raise _unreadable(f"it is of format {stored['custseg_format']!r}, and this version reads {_FORMAT}")
    try:
        state: dict[str, Any] = _Reader(owner, stored["arrays"], stored["others"]).read(json.loads(stored["text"]))
    except (ImportError, AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, InvalidTableError):
            raise
        raise _unreadable(f"{type(error).__name__}: {error}") from error
    return state


def _unreadable(reason: str) -> InvalidTableError:
    return InvalidTableError(
        f"what is stored of an estimator cannot be read: {reason}. Store it again with this version of custseg."
    )


class _Writer:
    """Writes each object once, whoever else points at it; its number is its place in the order of writing."""

    def __init__(self, owner: object) -> None:
        self.arrays: list[Any] = []
        self.others: list[Any] = []
        # kept, so that no other object gets the same id meanwhile
        self._written = [owner]
        self._numbers = {id(owner): 0}

    def write(self, value: Any) -> Any:
        if type(value) in _AS_THEY_ARE:
            return value
        if id(value) in self._numbers:
            return ["same", self._numbers[id(value)]]
        self._numbers[id(value)] = len(self._written)
        self._written.append(value)
        return self._anew(value)

    def _anew(self, value: Any) -> Any:
        if type(value) is np.ndarray:
            return self._array(value)
        if isinstance(value, np.generic):
            return ["scalar", self._placed(self.arrays, np.asarray(value))]
        if (kind := kind_of(value)) is not None:
            return [kind.tag, *map(self.write, kind.parts(value))]
        if isinstance(value, type):
            return self._class(value)
        return self._object(value) if _is_own(type(value)) else self._other(value)

    def _array(self, array: Any) -> Any:
        if array.dtype.hasobject:
            return ["objects", list(array.shape), *map(self.write, array.ravel().tolist())]
        return ["array", self._placed(self.arrays, array)]

    def _class(self, kind: type) -> Any:
        if _is_own(kind):
            return ["class", kind.__module__, kind.__qualname__]
        is_plain_class = _PLAIN_CLASSES.get(kind.__name__) is kind
        return ["class", "builtins", kind.__name__] if is_plain_class else self._other(kind)

    def _object(self, value: Any) -> Any:
        base = next((base for base in _BASES if isinstance(value, base)), None)
        content = [] if base is None else [self.write(base(value))]
        return ["object", type(value).__module__, type(value).__qualname__, self.write(_attributes(value)), *content]

    def _other(self, value: Any) -> Any:
        return ["other", self._placed(self.others, value)]

    @staticmethod
    def _placed(where: list[Any], value: Any) -> int:
        where.append(value)
        return len(where) - 1


# what a class of ours may extend and not merely hold
_BASES: tuple[type, ...] = (dict, str, tuple, list)


class _Reader:
    def __init__(self, owner: object, arrays: list[Any], others: list[Any]) -> None:
        self._arrays, self._others = arrays, others
        self._read: list[Any] = [owner]

    def read(self, node: Any) -> Any:
        if not isinstance(node, list):
            return node
        tag, *parts = node
        if tag == "same":
            found = self._read[parts[0]]
            if found is _UNREAD:
                raise _unreadable("an object is part of itself")
            return found
        number = len(self._read)
        self._read.append(_UNREAD)
        if tag in self._FILLED:
            return self._FILLED[tag](self, number, parts)
        self._read[number] = value = self._anew(tag, parts)
        return value

    def _anew(self, tag: str, parts: list[Any]) -> Any:
        if tag in KINDS:
            return KINDS[tag].whole(*map(self.read, parts))
        if tag == "array":
            return self._arrays[parts[0]]
        if tag == "scalar":
            return self._arrays[parts[0]][()]
        if tag == "class":
            return _PLAIN_CLASSES[parts[1]] if parts[0] == "builtins" else _own_class(*parts)
        if tag == "other":
            return self._others[parts[0]]
        raise _unreadable(f"a {tag!r} is not known")

    # what may hold itself is there before it is filled

    def _dict(self, number: int, parts: list[Any]) -> Any:
        self._read[number] = filled = {}
        for key, value in zip(parts[::2], parts[1::2], strict=True):
            filled[self.read(key)] = self.read(value)
        return filled

    def _list(self, number: int, parts: list[Any]) -> Any:
        filled: list[Any] = []
        self._read[number] = filled
        filled.extend(map(self.read, parts))
        return filled

    def _objects(self, number: int, parts: list[Any]) -> Any:
        self._read[number] = filled = np.empty(parts[0], dtype=object)
        for place, part in enumerate(parts[1:]):
            filled.flat[place] = self.read(part)
        return filled

    def _object(self, number: int, parts: list[Any]) -> Any:
        module, name, attributes, *content = parts
        kind = _own_class(module, name)
        base: Any = next((base for base in _BASES if issubclass(kind, base)), object)
        value: Any
        if base in (tuple, str):
            # what cannot be changed must be whole at once
            written, value = self.read(attributes), base.__new__(kind, self.read(content[0]))
            self._read[number] = value
            _fill(value, written)
            return value
        self._read[number] = value = base.__new__(kind)
        _fill(value, self.read(attributes))
        if base is dict:
            dict.update(value, self.read(content[0]))
        elif base is list:
            list.extend(value, self.read(content[0]))
        return value

    _FILLED: Mapping[str, Callable[[_Reader, int, list[Any]], Any]] = {
        "dict": _dict,
        "list": _list,
        "objects": _objects,
        "object": _object,
    }


def _is_own(kind: type) -> bool:
    module = kind.__module__
    return (module == _PACKAGE or module.startswith(f"{_PACKAGE}.")) and "<locals>" not in kind.__qualname__


def _own_class(module: str, name: str) -> type:
    """Return a class of custseg's; whatever else a file may name is refused before it is imported."""
    if (module != _PACKAGE and not module.startswith(f"{_PACKAGE}.")) or "__" in module:
        raise _unreadable(f"{module}.{name} is no class of custseg")
    found: Any = own_module(module)
    for part in name.split("."):
        found = vars(found)[part]
    if not (isinstance(found, type) and found.__module__ == module):
        raise _unreadable(f"{module}.{name} is no class of custseg")
    return found


def _attributes(value: Any) -> dict[str, Any]:
    slots = [name for kind in type(value).__mro__ for name in _slots(kind) if hasattr(value, name)]
    return {**getattr(value, "__dict__", {}), **{name: getattr(value, name) for name in slots}}


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _fill(value: Any, attributes: Mapping[str, Any]) -> None:
    # objects that are frozen are filled as well, and no property is asked
    own = getattr(value, "__dict__", None)
    for name, attribute in attributes.items():
        if own is None or any(name in _slots(kind) for kind in type(value).__mro__):
            object.__setattr__(value, name, attribute)
        else:
            own[name] = attribute
