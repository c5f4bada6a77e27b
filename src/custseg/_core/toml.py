"""TOML as people have it: with a mark of order in front, nested without end, or no TOML at all."""

from __future__ import annotations

import tomllib
from typing import Any

from custseg.exceptions import ConfigurationError

__all__ = ["parse_toml"]


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
