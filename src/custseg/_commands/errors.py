"""What only the commands say: study files with something missing, files that hold no study."""

from __future__ import annotations

from custseg.exceptions import ConfigurationError

__all__ = ["missing_key", "not_a_study"]


def missing_key(where: str, key: str, example: str) -> ConfigurationError:
    return ConfigurationError(f"{where}: {key!r} is missing. Add it, for example: {example}")


def not_a_study(path: object, got: str) -> ConfigurationError:
    return ConfigurationError(
        f"{str(path)!r} does not hold a fitted study ({got}). Write one with custseg run, outputs.study."
    )
