"""What only the commands say: study files with something missing."""

from __future__ import annotations

from custseg.exceptions import ConfigurationError

__all__ = ["missing_key"]


def missing_key(where: str, key: str, example: str) -> ConfigurationError:
    return ConfigurationError(f"{where}: {key!r} is missing. Add it, for example: {example}")
