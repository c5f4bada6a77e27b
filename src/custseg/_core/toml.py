"""TOML as people have it: with a mark of order in front, nested without end, or no TOML at all; and text as TOML."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from custseg._core.visible import visible
from custseg.exceptions import ConfigurationError

__all__ = ["parse_toml", "toml_key", "toml_text"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def parse_toml(content: bytes | str, where: str) -> dict[str, Any]:
    """Parse TOML; ``where`` is what holds it, for the error where it is none."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        # editors on Windows put a mark of order in front
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError as error:
        raise ConfigurationError(f"{where} is not valid TOML: its values are nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{where} is not valid TOML: it is not UTF-8 text") from error
    except ValueError as error:
        # not only TOMLDecodeError: python reads no number of thousands of digits
        raise ConfigurationError(f"{where} is not valid TOML: {error}") from error


def toml_text(text: str) -> str:
    r"""Write text as TOML; what would steer a terminal or an editor, or turn the line around, is spelt out.

    Examples
    --------
    >>> print(toml_text('a "b"\n\u202ec'))
    "a \"b\"\u000A\u202Ec"
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ConfigurationError(f"{visible(text)!r} is no Unicode text, and TOML holds no other. Rename it.")
    return '"' + "".join(map(_written, text)) + '"'


def toml_key(name: str) -> str:
    """Write a name as a key of TOML: bare where it may be."""
    return name if _BARE.fullmatch(name) else toml_text(name)


def _written(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if visible(character) == character:
        return character
    number = ord(character)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"
