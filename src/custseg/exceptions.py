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

__all__ = [
    "ColumnChangeError",
    "ColumnNotFoundError",
    "ColumnTypeError",
    "ConfigurationError",
    "CustomerIdError",
    "DataQualityWarning",
    "DuplicateColumnError",
    "InfeasibleError",
    "InvalidParameterError",
    "InvalidTableError",
    "JudgementError",
    "MissingDependencyError",
    "OutputPathError",
    "SegmentLabelError",
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
    def empty(cls, who: str, what: str = "table") -> InvalidTableError:
        return cls(
            f"{who} got a {what} with 0 sample(s) (rows), while a minimum of 1 is required. "
            "Check the file that was read and the filters that were applied."
        )

    @classmethod
    def unsupported(cls, who: str, table: Any) -> InvalidTableError:
        return cls(
            f"{who} expects a dataframe (pandas, polars, pyarrow, duckdb, ibis, dask or pyspark), got "
            f"{type(table).__name__}. Wrap the data in a DataFrame with named columns."
        )

    @classmethod
    def no_mapping(cls, who: str, tables: Any) -> InvalidTableError:
        return cls(
            f"{who} expects a dictionary of tables by name, got {type(tables).__name__}. "
            "Pass {'transactions': frame, ...} with the names that the members read."
        )

    @classmethod
    def not_passed(cls, who: str, member: str, table: str, available: Iterable[object]) -> InvalidTableError:
        available = list(available)
        return cls(
            f"{who}: member {member!r} reads table {table!r}, which was not passed; got "
            f"{list_names(available)}.{suggest(table, available)}"
        )

    @classmethod
    def nothing_left(
        cls, who: str, report: str, remedy: str = "Check the columns named, and `as_of`."
    ) -> InvalidTableError:
        return cls(f"{who} has no usable row left after its row policies: {report}. {remedy}")


class ColumnNotFoundError(InvalidTableError):
    """A column that was named is not in the table."""

    @classmethod
    def in_table(cls, who: str, missing: Sequence[object], available: Iterable[object]) -> ColumnNotFoundError:
        available = list(available)
        name = missing[0]
        others = f" (also missing: {list_names(missing[1:])})" if len(missing) > 1 else ""
        return cls(
            f"{who}: column {str(name)!r} not found{others}; the table has {list_names(available)}."
            f"{suggest(name, available)}"
        )


class DuplicateColumnError(InvalidTableError):
    """Two columns of a table share one name."""

    @classmethod
    def in_table(cls, who: str, names: Iterable[object]) -> DuplicateColumnError:
        return cls(
            f"{who}: column names must be unique, got {list_names(names)} more than once. "
            "Rename or drop the repeated columns."
        )


class ColumnChangeError(InvalidTableError):
    """The columns at predict or transform are not those of fit."""

    @classmethod
    def between(cls, who: str, fitted: Iterable[object], got: Iterable[object]) -> ColumnChangeError:
        fitted, got = list(fitted), list(got)
        missing = [name for name in fitted if name not in got]
        added = [name for name in got if name not in fitted]
        lines = [
            f"{who}: the feature names should match those that were passed during fit.",
        ]
        if added:
            lines.append("Feature names unseen at fit time:")
            lines += [f"- {name}" for name in sorted(map(str, added))]
        if missing:
            lines.append("Feature names seen at fit time, yet now missing:")
            lines += [f"- {name}" for name in sorted(map(str, missing))]
        lines.append("Pass the columns of fit, in any order.")
        return cls("\n".join(lines) + "\n")

    @classmethod
    def kind(cls, who: str, column: object, fitted: str, got: str) -> ColumnChangeError:
        return cls(
            f"{who}: column {str(column)!r} was {fitted} in fit and is {got} now. "
            "Convert it to the kind it had in fit, or fit again."
        )


class ColumnTypeError(InvalidTableError):
    """A column holds values of a kind that cannot be used."""

    @classmethod
    def expected(cls, who: str, column: object, expected: str, got: object, remedy: str) -> ColumnTypeError:
        return cls(f"{who}: column {str(column)!r} must be {expected}, got {got}. {remedy}")

    @classmethod
    def infinite(cls, who: str, column: object, n_rows: int) -> ColumnTypeError:
        return cls(
            f"{who}: column {str(column)!r} holds infinite values in {n_rows} row(s) (inf is not an amount). "
            "Replace them by NaN if they are unknown, or correct them."
        )


class CustomerIdError(InvalidTableError):
    """The column of customer ids cannot identify customers."""

    @classmethod
    def mixed(cls, who: str, column: object, kinds: Iterable[str]) -> CustomerIdError:
        return cls(
            f"{who}: the ids in column {str(column)!r} are of mixed type ({', '.join(sorted(kinds))}), "
            "so that 1 and '1' would be two customers. Convert the column to one type, "
            f"for example table[{str(column)!r}].astype(str)."
        )

    @classmethod
    def not_an_id(cls, who: str, column: object, dtype: object) -> CustomerIdError:
        return cls(f"{who}: column {str(column)!r} ({dtype}) cannot identify customers; ids are whole numbers or text.")

    @classmethod
    def repeated(cls, who: str, column: object, n_rows: int, example: object) -> CustomerIdError:
        return cls(
            f"{who}: the table must hold one row per customer; {n_rows} row(s) repeat an id of column "
            f"{str(column)!r}, for example {example!r}. Keep one row for each customer."
        )

    @classmethod
    def in_sample(cls, who: str, error: Exception) -> CustomerIdError:
        return cls(
            f"{who}: a bootstrap sample repeats customers, and a step of the pipeline refuses repeated ids. Transform "
            f"the customers first, and pass the result with the last step alone. ({error})"
        )

    @classmethod
    def clash(cls, who: str, first: tuple[str, str], other: tuple[str, str], column: object) -> CustomerIdError:
        return cls(
            f"{who}: the customer ids are {first[1]} in table {first[0]!r} and {other[1]} in table {other[0]!r}, "
            f"so that no customer of one would be found in the other. Convert column {str(column)!r} of one of "
            "them, for example with astype(str) or astype('int64')."
        )

    @classmethod
    def unmarked(cls, who: str, column: object, customer_id: object) -> CustomerIdError:
        return cls(
            f"{who}: column {str(column)!r} is text and different in every row, so it would make each customer "
            f"a segment of its own. If it identifies customers, pass customer_id={str(column)!r} "
            f"(now {str(customer_id)!r}); otherwise drop it."
        )


class InvalidParameterError(ValueError):
    """A parameter of an estimator or a function is out of its allowed range."""

    @classmethod
    def not_allowed(cls, who: str, name: str, allowed: str, got: object) -> InvalidParameterError:
        return cls(f"{who}: parameter {name!r} must be {allowed}, got {got!r}.")

    @classmethod
    def unknown_name(cls, who: str, what: str, name: object, known: Iterable[object]) -> InvalidParameterError:
        known = list(known)
        return cls(f"{who}: unknown {what} {str(name)!r}; known: {list_names(known, 20)}.{suggest(name, known)}")


class InfeasibleError(ValueError):
    """What was asked for cannot be had with this data."""

    @classmethod
    def too_few_customers(cls, who: str, n_segments: int, n_distinct: int, n_rows: int) -> InfeasibleError:
        return cls(
            f"{who}: n_segments={n_segments} needs at least {n_segments} customers that differ, got n_samples={n_rows} "
            f"with {n_distinct} distinct row(s). Ask for at most {n_distinct} segment(s)."
        )

    @classmethod
    def too_few_in_sample(cls, who: str, n_segments: int, fewest: int) -> InfeasibleError:
        return cls(
            f"{who}: n_segments={n_segments} needs at least {n_segments} distinct rows in every bootstrap sample; "
            f"the smallest number in one is {fewest}. "
            + (f"Ask for at most {fewest} segment(s)." if fewest > 1 else "Pass more customers that differ.")
        )

    @classmethod
    def in_refit(cls, who: str, n_segments: int, error: Exception) -> InfeasibleError:
        return cls(
            f"{who}: a solution with {n_segments} segments, on all customers or on a bootstrap sample of them, "
            f"failed. {error} Or try fewer n_segments here."
        )

    @classmethod
    def too_few_to_test(cls, who: str, n_customers: int, fewest: int) -> InfeasibleError:
        return cls(
            f"{who} got {n_customers} customer(s); fewer than {fewest} cannot show that they are more than one group. "
            "Pass more customers."
        )

    @classmethod
    def too_few_differ(cls, who: str, n_distinct: int, fewest: int) -> InfeasibleError:
        return cls(
            f"{who}: only {n_distinct} kind(s) of customers differ in their characteristics; below {fewest} there is "
            "nothing to test. Drop constant columns and add characteristics in which customers differ."
        )

    @classmethod
    def nobody_together(cls, who: str, n_segments: int, n_distinct: int) -> InfeasibleError:
        return cls(
            f"{who}: n_segments={n_segments} leaves no two different customers together: {n_distinct} kind(s) of them "
            f"differ. Ask for at most {n_distinct - 1}."
        )

    @classmethod
    def one_characteristic(cls, who: str) -> InfeasibleError:
        return cls(
            f"{who}: customers differ in one characteristic only. Groups in the values of a single column cannot be "
            "told from the shape of its distribution. Add characteristics, or look at its histogram."
        )

    @classmethod
    def class_emptied(cls, who: str, n_segments: int, n_starts: int) -> InfeasibleError:
        return cls(
            f"{who}: with n_segments={n_segments} a class ended without customers in each of {n_starts} start(s). "
            "Ask for fewer segments, or raise n_init."
        )

    @classmethod
    def segment_share(cls, who: str, share: float, n_segments: int, largest: float) -> InfeasibleError:
        return cls(
            f"{who}: no partition into {n_segments} segments was found that gives each a share of {share:g}; "
            f"the largest share that was found feasible is {largest:.4g}. Customers with equal rows are never split. "
            "Lower min_segment_share or ask for fewer segments."
        )

    @classmethod
    def share_out_of_range(cls, who: str, share: float, size: float) -> InfeasibleError:
        return cls(
            f"{who}: min_segment_share={share:g} moves customers by squared distances, and those of numbers of about "
            f"{size:.0e} are beyond the range of floats. Divide the columns by a power of ten first, or leave "
            "embedder=None, which scales them."
        )

    @classmethod
    def no_segments(cls, who: str, engine: str) -> InfeasibleError:
        return cls(
            f"{who}: {engine} put no customer into any segment. "
            "Set its parameters less strictly, or use another engine."
        )

    @classmethod
    def share_not_kept(cls, who: str, engine: str, share: float, smallest: float) -> InfeasibleError:
        return cls(
            f"{who}: {engine} assigns customers by itself and gives its smallest segment a share of {smallest:.4g}, "
            f"not {share:g}. Lower min_segment_share, ask for fewer segments, or use engine='kmeans', which can move "
            "customers."
        )


class SegmentLabelError(InvalidTableError):
    """The labels that say who is in which segment cannot be used."""

    @classmethod
    def twice(cls, who: str, column: str) -> SegmentLabelError:
        return cls(
            f"{who}: y was passed, and the table has a column {column!r} too. Drop one of them; if the column is a "
            "characteristic, name another one by the parameter segment."
        )

    @classmethod
    def taken(cls, who: str, column: str) -> SegmentLabelError:
        return cls(
            f"{who}: the table has a column {column!r} already, the name of the column of labels. "
            "Rename it if it is a characteristic, or drop it."
        )

    @classmethod
    def absent(cls, who: str) -> SegmentLabelError:
        return cls(
            f"{who} requires y to be passed, but the target y is None: a matrix has no segment column. "
            "Pass the labels as y, or a DataFrame with a segment column."
        )

    @classmethod
    def length(cls, who: str, n_labels: int, n_customers: int) -> SegmentLabelError:
        return cls(
            f"{who} got {n_labels} labels and {n_customers} customers; they must match. "
            "Pass the labels of these customers."
        )

    @classmethod
    def not_labels(cls, who: str, got: str) -> SegmentLabelError:
        return cls(
            f"{who}: labels must be one whole number or text per customer (-1, None or NaN for not assigned), "
            f"got {got}. Pass what a clusterer's predict returns, or the names of the segments."
        )

    @classmethod
    def too_many(cls, who: str, n_segments: int, most: int) -> SegmentLabelError:
        return cls(
            f"{who}: the labels hold {n_segments:,} different values; more than {most:,} are no segments. "
            "Check that they are not ids or values of a characteristic."
        )

    @classmethod
    def unknown(cls, who: str, labels: Sequence[object], names: Sequence[str]) -> SegmentLabelError:
        return cls(
            f"{who}: segments {list_names(labels)} were not there in fit, which saw {len(names)}: {list_names(names)}. "
            "Pass labels of the same segments, or fit again."
        )

    @classmethod
    def unnamed(cls, who: str, labels: Sequence[object], names: Sequence[str]) -> SegmentLabelError:
        return cls(
            f"{who}: segments {list_names(labels)} have no name; the names are {list_names(names)}, for "
            f"0..{len(names) - 1}. Pass the names of all segments, in the order of their labels."
        )

    @classmethod
    def none_assigned(cls, who: str, n_rows: int) -> SegmentLabelError:
        return cls(
            f"{who}: all {n_rows} customer(s) are labelled -1, not assigned: there is no segment to describe. "
            "Check the labels that were passed; of segments defined by rules, that customers meet one (rule_report_)."
        )


class JudgementError(InvalidTableError):
    """What people said about the importance of characteristics cannot be used."""

    @classmethod
    def not_square(cls, who: str, shape: tuple[int, ...]) -> JudgementError:
        return cls(
            f"{who}: a judgement matrix must be square, with at least 2 characteristics, got shape {shape}. Pass one "
            "row and one column for each characteristic; several judges as a list of such matrices."
        )

    @classmethod
    def not_positive(cls, who: str, pair: tuple[str, str], got: float) -> JudgementError:
        return cls(
            f"{who}: the judgement {pair[0]!r} over {pair[1]!r} must be a positive number, got {got:g}. Judge each "
            "pair on the scale from 1 (equally important) to 9; the other direction is 1 divided by it."
        )

    @classmethod
    def over_itself(cls, who: str, name: str, got: float) -> JudgementError:
        return cls(f"{who}: {name!r} over itself must be 1, got {got:g}. Put ones on the diagonal.")

    @classmethod
    def not_reciprocal(cls, who: str, pair: tuple[str, str], one: float, other: float) -> JudgementError:
        return cls(
            f"{who}: the judgements {pair[0]!r} over {pair[1]!r} = {one:.4g} and {pair[1]!r} over {pair[0]!r} = "
            f"{other:.4g} contradict each other. Each must be 1 divided by the other: set the second to "
            f"{1.0 / one:.4g}, or the first to {1.0 / other:.4g}."
        )

    @classmethod
    def other_names(cls, who: str, what: str, names: Iterable[object], others: Iterable[object]) -> JudgementError:
        return cls(
            f"{who}: {what} are about {list_names(others)}, not about {list_names(names)}. "
            "Judge the same characteristics everywhere."
        )

    @classmethod
    def wrong_total(cls, who: str, total: float, n_rows: int, example: object, got: float) -> JudgementError:
        return cls(
            f"{who}: the points of each respondent must sum to {total:g}; so not in {n_rows} row(s), for example "
            f"respondent {example!r} with {got:g}. Correct or leave out these rows, pass the total that was asked for "
            "(total=...), or allow a deviation (tolerance=...); points are then taken as shares of their own sum."
        )

    @classmethod
    def out_of_range(
        cls, who: str, column: str, allowed: str, *, n_rows: int, example: float, remedy: str
    ) -> JudgementError:
        return cls(f"{who}: column {column!r} must hold {allowed}, got {example:g}; so in {n_rows} row(s). {remedy}")


class MissingDependencyError(ImportError):
    """An optional library is needed and not installed."""

    @classmethod
    def required(cls, library: str, who: str, extra: str) -> MissingDependencyError:
        return cls(
            f"{who} needs the library {library!r}, which is not installed. "
            f'Install it with: python -m pip install "custseg[{extra}]"'
        )


class ConfigurationError(ValueError):
    """A study file, or a file that a command was given, cannot be used."""

    @classmethod
    def missing_key(cls, where: str, key: str, example: str) -> ConfigurationError:
        return cls(f"{where}: {key!r} is missing. Add it, for example: {example}")

    @classmethod
    def expected(cls, where: str, key: str, expected: str, got: object) -> ConfigurationError:
        return cls(f"{where}: {key!r} must be {expected}, got {got!r}.")

    @classmethod
    def not_a_table(cls, path: object, endings: Iterable[str]) -> ConfigurationError:
        return cls(f"cannot tell what kind of table {str(path)!r} is; its name must end in {' or '.join(endings)}.")

    @classmethod
    def not_a_study(cls, path: object, got: str) -> ConfigurationError:
        return cls(f"{str(path)!r} does not hold a fitted study ({got}). Write one with custseg run, outputs.study.")


class OutputPathError(ValueError):
    """A file cannot be written where it was asked for."""

    @classmethod
    def unwritable(cls, path: object, reason: str) -> OutputPathError:
        return cls(f"cannot write {str(path)!r}: {reason}. Choose a file in a folder that can be written to.")

    @classmethod
    def unknown_ending(cls, path: object, endings: Iterable[str]) -> OutputPathError:
        return cls(
            f"cannot tell the format of the report from {str(path)!r}; its name must end in {' or '.join(endings)}."
        )

    @classmethod
    def is_source(cls, path: object) -> OutputPathError:
        return cls(f"cannot write {str(path)!r}: the customers are read from there. Name another file or folder.")

    @classmethod
    def exists(cls, path: object) -> OutputPathError:
        return cls(f"cannot write {str(path)!r}: it exists. Pass overwrite=True to replace it, or name another one.")


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
    def counted(cls, who: str, counts: Mapping[str, int], levels: Mapping[str, Sequence[str]]) -> UnseenCategoryWarning:
        unseen = [f"{n} value(s) of {name!r} ({list_names(levels[name], 3)})" for name, n in counts.items()]
        warning = cls(
            f"{who}: categories that were not there in fit count as missing: {', '.join(unseen)}. "
            "Fit again if they have become common."
        )
        warning.who, warning.counts, warning.levels = who, counts, levels
        return warning

    @classmethod
    def of(cls, who: str, unseen: Mapping[str, Sequence[str]]) -> UnseenCategoryWarning:
        """Build the warning from the unseen values of each column, one for each row that has one."""
        found = {name: values for name, values in unseen.items() if values}
        counts = {name: len(values) for name, values in found.items()}
        return cls.counted(who, counts, {name: tuple(sorted(set(values))) for name, values in found.items()})
