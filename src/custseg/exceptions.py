"""Errors and warnings of custseg: what is wrong, what was got, what to do about it.

Every error is also a ``ValueError`` (or an ``ImportError`` where a library is missing), so code
that catches the built-in exceptions keeps working. Each is built by a named constructor that
knows the remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from custseg._core.asking import asked
from custseg._core.visible import visible

__all__ = [
    "ColumnChangeError",
    "ColumnNotFoundError",
    "ColumnTypeError",
    "ConfigurationError",
    "CustomerIdError",
    "CustomersNotStoredError",
    "DataQualityWarning",
    "DuplicateColumnError",
    "InfeasibleError",
    "InvalidParameterError",
    "InvalidTableError",
    "JudgementError",
    "MissingDependencyError",
    "OutputPathError",
    "SegmentLabelError",
    "StoredStudyError",
    "UnseenCategoryWarning",
]

_LISTED = 8


def list_names(names: Iterable[object], limit: int = _LISTED) -> str:
    """Quote names for a message; past the limit, count what is left out."""
    quoted = [repr(str(name)) for name in names]
    if len(quoted) > limit:
        return ", ".join(quoted[:limit]) + f" and {len(quoted) - limit} more"
    return ", ".join(quoted) if quoted else "none"


def suggest(name: object, candidates: Iterable[object]) -> str:
    """Return `` Did you mean 'x'?`` for the closest candidate, or an empty string."""
    by_lower = {str(candidate).lower(): str(candidate) for candidate in candidates}
    members = [own for lower, own in by_lower.items() if lower.endswith(f"__{str(name).lower()}")]
    if len(members) == 1:  # a column of a union, without the name of the member
        return f" Did you mean {members[0]!r}?"
    close = get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


class InvalidTableError(ValueError):
    """A table cannot be used as it is."""

    @classmethod
    def empty(cls, what: str = "table") -> InvalidTableError:
        return cls(
            f"{asked()} got a {what} with 0 sample(s) (rows), while a minimum of 1 is required. "
            "Check the file that was read and the filters that were applied."
        )

    @classmethod
    def unsupported(cls, table: Any) -> InvalidTableError:
        return cls(
            f"{asked()} expects a dataframe (pandas, polars, pyarrow, duckdb, ibis, dask or pyspark), got "
            f"{type(table).__name__}. Wrap the data in a DataFrame with named columns."
        )

    @classmethod
    def unreadable(cls, path: object, reason: str) -> InvalidTableError:
        return cls(
            f"{asked()} cannot read {str(path)!r}: {reason}. Check the path, or read the table and pass the dataframe."
        )

    @classmethod
    def lost_in_fork(cls, library: str) -> InvalidTableError:
        return cls(
            f"{asked()}: {library} does not work in a process that was forked after it had been used: it would wait "
            "for ever. Start processes by multiprocessing.get_context('spawn') or 'forkserver', or hand on pandas or "
            "pyarrow tables."
        )

    @classmethod
    def nothing_left(cls, report: str, remedy: str = "Check the columns named, and `as_of`.") -> InvalidTableError:
        return cls(f"{asked()} has no usable row left after its row policies: {report}. {remedy}")


class ColumnNotFoundError(InvalidTableError):
    """A column that was named is not in the table."""

    # who knows where it was named can say what to write there: the fact without a remedy, and what it is about
    fact = ""
    missing: tuple[object, ...] = ()
    available: tuple[object, ...] = ()

    @classmethod
    def in_table(cls, missing: Sequence[object], available: Iterable[object], remedy: str = "") -> ColumnNotFoundError:
        available = list(available)
        name = missing[0]
        others = f" (also missing: {list_names(missing[1:])})" if len(missing) > 1 else ""
        fact = f"{asked()}: column {str(name)!r} not found{others}; the table has {list_names(available)}."
        error = cls(f"{fact}{suggest(name, available)}{remedy}")
        error.fact, error.missing, error.available = fact, tuple(missing), tuple(available)
        return error


class DuplicateColumnError(InvalidTableError):
    """Two columns of a table share one name."""

    @classmethod
    def in_table(cls, names: Iterable[object]) -> DuplicateColumnError:
        return cls(
            f"{asked()}: column names must be unique, got {list_names(names)} more than once. "
            "Rename or drop the repeated columns."
        )

    @classmethod
    def check_case(cls, names: Sequence[str], where: str) -> None:
        """Refuse names that differ in upper and lower case alone, which a table on disk cannot keep apart."""
        first: dict[str, str] = {}
        for name in names:
            other = first.setdefault(name.lower(), name)
            if other != name:
                raise cls(
                    f"{asked()}: the columns {other!r} and {name!r} of {where} differ in upper and lower case alone, "
                    "which tables on disk cannot keep apart. Rename one of them, or read the table and pass the "
                    "dataframe."
                )


class ColumnChangeError(InvalidTableError):
    """The columns at predict or transform are not those of fit."""

    @classmethod
    def between(cls, fitted: Iterable[object], got: Iterable[object]) -> ColumnChangeError:
        fitted, got = list(fitted), list(got)
        missing = [name for name in fitted if name not in got]
        added = [name for name in got if name not in fitted]
        lines = [
            f"{asked()}: the feature names should match those that were passed during fit.",
        ]
        if added:
            lines.append("Feature names unseen at fit time:")
            lines += [f"- {name}" for name in sorted(map(visible, added))]
        if missing:
            lines.append("Feature names seen at fit time, yet now missing:")
            lines += [f"- {name}" for name in sorted(map(visible, missing))]
        lines.append("Pass the columns of fit, in any order.")
        return cls("\n".join(lines) + "\n")

    @classmethod
    def kind(cls, column: object, fitted: str, got: str) -> ColumnChangeError:
        return cls(
            f"{asked()}: column {str(column)!r} was {fitted} in fit and is {got} now. "
            "Convert it to the kind it had in fit, or fit again."
        )


class ColumnTypeError(InvalidTableError):
    """A column holds values of a kind that cannot be used."""

    @classmethod
    def expected(cls, column: object, expected: str, got: object, remedy: str) -> ColumnTypeError:
        return cls(f"{asked()}: column {str(column)!r} must be {expected}, got {got}. {remedy}")

    @classmethod
    def infinite(cls, column: object, n_rows: int) -> ColumnTypeError:
        return cls(
            f"{asked()}: column {str(column)!r} holds infinite values in {n_rows} row(s) (inf is not an amount). "
            "Replace them by NaN if they are unknown, or correct them."
        )


class CustomerIdError(InvalidTableError):
    """The column of customer ids cannot identify customers."""

    @classmethod
    def mixed(cls, column: object, kinds: Iterable[str]) -> CustomerIdError:
        return cls(
            f"{asked()}: the ids in column {str(column)!r} are of mixed type ({', '.join(sorted(kinds))}), "
            "so that 1 and '1' would be two customers. Convert the column to one type, "
            f"for example table[{str(column)!r}].astype(str)."
        )

    @classmethod
    def not_an_id(cls, column: object, dtype: object) -> CustomerIdError:
        return cls(
            f"{asked()}: column {str(column)!r} ({dtype}) cannot identify customers; ids are whole numbers or text."
        )

    @classmethod
    def repeated(cls, column: object, n_rows: int, example: object) -> CustomerIdError:
        return cls(
            f"{asked()}: the table must hold one row per customer; {n_rows} row(s) repeat an id of column "
            f"{str(column)!r}, for example {example!r}. Keep one row for each customer."
        )


class InvalidParameterError(ValueError):
    """A parameter of an estimator or a function is out of its allowed range."""

    @classmethod
    def not_allowed(cls, name: str, allowed: str, got: object, remedy: str = "") -> InvalidParameterError:
        return cls(f"{asked()}: parameter {name!r} must be {allowed}, got {got!r}.{' ' if remedy else ''}{remedy}")

    @classmethod
    def unknown_name(cls, what: str, name: object, known: Iterable[object]) -> InvalidParameterError:
        known = list(known)
        return cls(f"{asked()}: unknown {what} {str(name)!r}; known: {list_names(known, 20)}.{suggest(name, known)}")


class InfeasibleError(ValueError):
    """What was asked for cannot be had with this data."""

    @classmethod
    def too_few_customers(cls, n_segments: int, n_distinct: int, n_rows: int) -> InfeasibleError:
        return cls(
            f"{asked()}: n_segments={n_segments} needs at least {n_segments} customers that differ, got "
            f"n_samples={n_rows} with {n_distinct} distinct row(s). Ask for at most {n_distinct} segment(s)."
        )


class SegmentLabelError(InvalidTableError):
    """The labels that say who is in which segment cannot be used."""

    @classmethod
    def length(cls, n_labels: int, n_customers: int) -> SegmentLabelError:
        return cls(
            f"{asked()} got {n_labels} labels and {n_customers} customers; they must match. "
            "Pass the labels of these customers."
        )

    @classmethod
    def not_labels(cls, got: str) -> SegmentLabelError:
        return cls(
            f"{asked()}: labels must be one whole number or text per customer (-1, None or NaN for not assigned), "
            f"got {got}. Pass what a clusterer's predict returns, or the names of the segments."
        )

    @classmethod
    def too_many(cls, n_segments: int, most: int) -> SegmentLabelError:
        return cls(
            f"{asked()}: the labels hold {n_segments:,} different values; more than {most:,} are no segments. "
            "Check that they are not ids or values of a characteristic."
        )

    @classmethod
    def unknown(cls, labels: Sequence[object], names: Sequence[str]) -> SegmentLabelError:
        return cls(
            f"{asked()}: segments {list_names(labels)} were not there in fit, which saw {len(names)}: "
            f"{list_names(names)}. Pass labels of the same segments, or fit again."
        )

    @classmethod
    def unnamed(cls, labels: Sequence[object], names: Sequence[str]) -> SegmentLabelError:
        return cls(
            f"{asked()}: segments {list_names(labels)} have no name; the names are {list_names(names)}, for "
            f"0..{len(names) - 1}. Pass the names of all segments, in the order of their labels."
        )

    @classmethod
    def none_assigned(cls, n_rows: int) -> SegmentLabelError:
        return cls(
            f"{asked()}: all {n_rows} customer(s) are labelled -1, not assigned: there is no segment to describe. "
            "Check the labels that were passed; of segments defined by rules, that customers meet one (rule_report_)."
        )


class CustomersNotStoredError(ValueError, AttributeError):
    """What is asked for is of single customers, and was left out when the study was stored."""

    @classmethod
    def of(cls, holder: str, name: str) -> CustomersNotStoredError:
        return cls(
            f"{holder}: {name!r} is of single customers, which were left out when the study was stored. Assign the "
            "customers of the tables again, or store the study with include_customers=True."
        )


class JudgementError(InvalidTableError):
    """What people said about the importance of characteristics cannot be used."""


class MissingDependencyError(ImportError):
    """An optional library is needed and not installed."""

    @classmethod
    def required(cls, library: str, needed_by: str, extra: str) -> MissingDependencyError:
        return cls(
            f"{needed_by} needs the library {library!r}, which is not installed. "
            f'Install it with: python -m pip install "custseg[{extra}]"'
        )


class StoredStudyError(ValueError):
    """A file holds no study that can be read, or one that is not to be read without being trusted."""

    @classmethod
    def no_study(cls, path: object, got: str) -> StoredStudyError:
        return cls(
            f"{str(path)!r} does not hold a fitted study ({got}). Write one with store_study, or with custseg run, "
            "outputs.study."
        )

    @classmethod
    def runs_code(cls, path: object, what: str, remedy: str) -> StoredStudyError:
        return cls(f"{str(path)!r} {what}, and reading it may run code. {remedy}")

    @classmethod
    def not_storable(cls, reason: str) -> StoredStudyError:
        return cls(
            f"{asked()}: skops cannot store the study: {reason}. Use another engine, or write a pickle, which only "
            "those may read who trust you."
        )


class ConfigurationError(ValueError):
    """A study file, or a file that a command was given, cannot be used."""

    @classmethod
    def expected(cls, where: str, key: str, expected: str, got: object) -> ConfigurationError:
        return cls(f"{where}: {key!r} must be {expected}, got {got!r}.")

    @classmethod
    def not_a_table(cls, path: object, endings: Iterable[str]) -> ConfigurationError:
        return cls(f"cannot tell what kind of table {str(path)!r} is; its name must end in {' or '.join(endings)}.")


class OutputPathError(ValueError):
    """A file cannot be written where it was asked for."""

    @classmethod
    def unwritable(cls, path: object, reason: str) -> OutputPathError:
        return cls(f"cannot write {str(path)!r}: {reason}. Choose a file in a folder that can be written to.")

    @classmethod
    def is_source(cls, path: object, what: str = "the customers are") -> OutputPathError:
        return cls(f"cannot write {str(path)!r}: {what} read from there. Name another file or folder.")

    @classmethod
    def exists(cls, path: object, how: str = "overwrite=True") -> OutputPathError:
        return cls(f"cannot write {str(path)!r}: it exists. Pass {how} to replace it, or name another one.")

    @classmethod
    def taken(cls, path: object) -> OutputPathError:
        return cls(
            f"cannot write {str(path)!r}: it exists, for another wrote it in the meantime. Name another one, or ask to "
            "replace it."
        )

    @classmethod
    def twice(cls, path: object, outputs: Iterable[str]) -> OutputPathError:
        return cls(f"cannot write {str(path)!r}: it is to hold {' and '.join(outputs)}. Give each a file of its own.")


class DataQualityWarning(UserWarning):
    """Rows or values were left out, filled or flagged by a documented policy."""


class UnseenCategoryWarning(DataQualityWarning):
    """Categories that were not there in ``fit`` count as missing.

    Attributes
    ----------
    who : str
        The estimator that met them.
    counts : mapping of str to int
        How many values of each column.
    levels : mapping of str to tuple of str
        Which categories, for each column, sorted; of very many the first ones.
    """

    who: str = ""
    counts: Mapping[str, int] = MappingProxyType({})
    levels: Mapping[str, Sequence[str]] = MappingProxyType({})

    @classmethod
    def counted(cls, counts: Mapping[str, int], levels: Mapping[str, Sequence[str]]) -> UnseenCategoryWarning:
        unseen = [f"{n} value(s) of {name!r} ({list_names(levels[name], 3)})" for name, n in counts.items()]
        warning = cls(
            f"{asked()}: categories that were not there in fit count as missing: {', '.join(unseen)}. "
            "Fit again if they have become common."
        )
        warning.who, warning.counts, warning.levels = asked(), counts, levels
        return warning

    @classmethod
    def of(cls, unseen: Mapping[str, Sequence[str]]) -> UnseenCategoryWarning:
        """Build the warning from the unseen values of each column, one for each row that has one."""
        found = {name: values for name, values in unseen.items() if values}
        counts = {name: len(values) for name, values in found.items()}
        return cls.counted(counts, {name: tuple(sorted(set(values))) for name, values in found.items()})
