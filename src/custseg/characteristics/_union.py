"""Characteristics of several tables, joined to one row per customer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import TransformerMixin, clone
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_is_fitted

from custseg._core.asking import asked
from custseg._core.base import Estimator, OutputKind, TableOutputMixin
from custseg._core.characteristic import Characteristic
from custseg._core.customer_rows import without_customers
from custseg._core.described import OVERRIDES, ByColumn, DescribedMixin, describe_characteristics
from custseg._core.params import COLUMN, NONE, ParameterTable, Where, check
from custseg._core.progress import doing
from custseg._core.results import Result
from custseg._core.times import TIME
from custseg._core.warning import warn
from custseg.characteristics._errors import no_mapping, not_passed
from custseg.characteristics._member import Part, hand_out, in_union, join_parts, read_part, seen
from custseg.characteristics._row_report import RowReport
from custseg.exceptions import InvalidParameterError, list_names


@dataclass(frozen=True)
class MemberMatch:
    """How the customers of one member fit those of the first.

    Attributes
    ----------
    member, table : str
        The member and its table.
    n_customers : int
        Customers that the member describes.
    n_matched : int
        Those of them that are customers of the first member.
    n_without : int
        Customers of the first member that this one does not describe: missing in its columns.
    n_unmatched : int
        Customers of this member that the first does not know: left out.
    """

    member: str
    table: str
    n_customers: int
    n_matched: int
    n_without: int
    n_unmatched: int


@dataclass(frozen=True, kw_only=True, repr=False)
class MatchReport(Result):
    """How the customers of the members of a union fit those of its first member.

    Attributes
    ----------
    members : tuple of MemberMatch
        One for each member, in their order.

    Examples
    --------
    >>> from custseg.characteristics import MatchReport
    >>> MatchReport(members=()).to_frame().columns[:3].tolist()
    ['member', 'table', 'n_customers']
    """

    members: tuple[MemberMatch, ...]

    def __str__(self) -> str:
        if not self.members:
            return "There are no members to match."
        first, *others = self.members
        found = [f"{match.member} describes {match.n_matched:,}" for match in others]
        return f"{'; '.join([f'{first.member} has {first.n_customers:,} customers', *found])}."

    def to_frame(self) -> pd.DataFrame:
        """Return the report as a table.

        Returns
        -------
        frame : pandas.DataFrame
            Columns ``member``, ``table``, ``n_customers``, ``n_matched``, ``n_without``,
            ``n_unmatched``; one row per member.
        """
        names = [field.name for field in fields(MemberMatch)]
        return pd.DataFrame([astuple(member) for member in self.members], columns=names)


class CharacteristicUnion(
    DescribedMixin, TableOutputMixin, TransformerMixin, Estimator, _BaseComposition, auto_wrap_output_keys=None
):
    """Describe each customer by the characteristics of several tables.

    Each member turns one table into one row per customer. The customers are those of the first
    member; the characteristics of the others are joined to them, missing where a member does not
    know a customer. Columns are named ``member__feature``.

    Parameters
    ----------
    members : list of (str, estimator, str)
        Name, estimator and table of each member: the name prefixes its columns, the estimator has
        ``fit`` and ``transform`` and returns one row per customer, the table is a key of the
        mapping passed to ``fit``. Members may share a table.
    customer_id : str, default="customer_id"
        The name of the ids in the output. A member whose own ``customer_id`` differs keeps it for
        its table.
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.

    Attributes
    ----------
    members_ : list of (str, estimator, str)
        The members with their estimators fitted; those passed in stay as they were.
    named_members_ : dict of str to estimator
        The fitted estimators by name.
    match_report_ : MatchReport
        How the customers of each member fit those of the first, counted both ways.
    row_report_ : RowReport
        The row reports of all members in one; its ``to_frame()`` says ``table`` and ``member`` of each policy.

    Raises
    ------
    CustomerIdError
        The ids of two members are of different types, or a member returned an id twice.
    InvalidParameterError
        A member has an invalid or repeated name, or an estimator that cannot be one.
    InvalidTableError
        What was passed is no mapping of tables, or lacks the table of a member.

    Warns
    -----
    DataQualityWarning
        No customer of a member is among those of the first.

    Notes
    -----
    The kind of frame is that of the first member's output, and so of the first table; the other
    tables may be of any kind, or be read by other engines: a member takes whatever its ``fit`` takes,
    a path for example, and only its customers are joined. Dtypes survive the join, ordered categories
    included; integers of customers without a match become floats in pandas.

    At ``transform`` too, the first table says whose rows come out: customers of the other tables
    that it does not hold are left out without a warning, so that all tables can be passed whole.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import CharacteristicUnion, DemographicEncoder
    >>> tables = {
    ...     "people": pd.DataFrame({"customer_id": [1, 2, 3], "age": ["18-34", "35-64", "65+"]}),
    ...     "homes": pd.DataFrame({"customer_id": [3, 1, 9], "rooms": [4, 2, 5]}),
    ... }
    >>> union = CharacteristicUnion([
    ...     ("person", DemographicEncoder(), "people"),
    ...     ("home", DemographicEncoder(), "homes"),
    ... ])
    >>> union.fit_transform(tables)
                person__age  home__rooms
    customer_id
    1                 18-34          2.0
    2                 35-64          NaN
    3                   65+          4.0
    >>> union.match_report_.to_frame()
       member   table  n_customers  n_matched  n_without  n_unmatched
    0  person  people            3          3          0            0
    1    home   homes            3          2          1            1
    """

    _parameters: ClassVar[ParameterTable] = {
        "members": (
            Where(
                lambda value: isinstance(value, (list, tuple)) and len(value) > 0 and all(map(_is_triple, value)),
                "a non-empty list of (name, estimator, table name)",
            ),
        ),
        "customer_id": (COLUMN,),
        **OVERRIDES,
    }

    members_: list[tuple[str, Any, str]]

    def __init__(
        self,
        members: list[tuple[str, Any, str]],
        *,
        customer_id: str = "customer_id",
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
    ) -> None:
        self.members = members
        self.customer_id = customer_id
        self.labels = labels
        self.units = units
        self.roles = roles

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with ``deep`` those of the members too (``member__parameter``).

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the members and their parameters.

        Returns
        -------
        parameters : dict
            Names and values.
        """
        parameters: dict[str, Any] = self._get_params("_estimators", deep=deep)
        return parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters: of the union, a member by its name, or ``member__parameter``.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self : CharacteristicUnion
            The union.
        """
        self._set_params("_estimators", **params)
        return self

    def fit(self, X: Mapping[str, Any], y: Any = None) -> Self:
        """Fit every member to its table.

        Parameters
        ----------
        X : mapping of str to dataframe or path
            The tables by name, each as its members take it. Tables that no member reads are ignored.
        y : None
            Ignored.

        Returns
        -------
        self : CharacteristicUnion
            The fitted union.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Mapping[str, Any], y: Any = None) -> Any:
        """Fit every member and return the characteristics of the same customers.

        Parameters
        ----------
        X : mapping of str to dataframe or path
            The tables by name, each as its members take it.
        y : None
            Ignored.

        Returns
        -------
        characteristics : dataframe
            As :meth:`transform` returns them.
        """
        frame, kind = self._fit(X)
        return hand_out(frame, self._output_kind(kind), self.customer_id)

    def transform(self, X: Mapping[str, Any], as_of: Any = None) -> Any:
        """Return the characteristics of the customers of the first table, sorted by id.

        Parameters
        ----------
        X : mapping of str to dataframe or path
            The tables by name, each as its members take it.
        as_of : date, timestamp, ISO 8601 text or None, default=None
            The time as of which customers are described, passed to every member whose
            ``transform`` takes it; None leaves it to them.

        Returns
        -------
        characteristics : dataframe
            pandas: indexed by customer id; other kinds: the id is the first column.
        """
        check_is_fitted(self)
        check({"as_of": (NONE, TIME)}, {"as_of": as_of})
        options = {} if as_of is None else {"as_of": as_of}
        if options and not any(_takes_as_of(member) for _, member, _ in self.members_):
            raise InvalidParameterError(
                f"{asked()}: as_of={as_of!r} was passed, but no member describes customers as of a time. Leave it out."
            )
        tables = self._tables(X, self.members_)
        parts = []
        for name, member, table in self.members_:
            with _naming(name, table):
                output = member.transform(tables[table], **(options if _takes_as_of(member) else {}))
            parts.append(self._part(output, name, member, table))
        frame, _ = self._joined(parts)
        return hand_out(frame, self._output_kind(parts[0].kind), self.customer_id)

    def scoring_time(self, X: Mapping[str, Any]) -> pd.Timestamp | None:
        """Say as of when to describe customers of later tables, where nobody says it.

        Parameters
        ----------
        X : mapping of str to dataframe or path
            The tables by name, each as its members take it.

        Returns
        -------
        time : pandas.Timestamp or None
            The latest time of the tables, where one of them goes on after that of ``fit`` and after ``as_of_`` of its
            member: one time for all members. None where no table does, or no member tells. It has no time zone where
            one of the tables has none.
        """
        check_is_fitted(self)
        tables = self._tables(X, self.members_)
        later: list[pd.Timestamp | None] = []
        for name, member, table in self.members_:
            if hasattr(member, "scoring_time"):
                with _naming(name, table):
                    later.append(member.scoring_time(tables[table]))
        if all(time is None for time in later):
            return None
        known: list[pd.Timestamp] = [member.as_of_ for _, member, _ in self.members_ if hasattr(member, "scoring_time")]
        times = [time for time in (*later, *known) if time is not None]
        if any(time.tzinfo is None for time in times):
            times = [time.tz_localize(None) for time in times]
        latest: pd.Timestamp = max(times)
        return latest

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Return the names of the characteristics, ``member__feature``.

        Parameters
        ----------
        input_features : None
            Ignored: the names do not depend on the names of the tables.

        Returns
        -------
        names : ndarray of str
            Without the customer id.
        """
        check_is_fitted(self)
        return np.array([each.column for each in self._described or ()], dtype=object)

    def _without_customers(self, n_customers: int) -> Self:
        bare = super()._without_customers(n_customers)
        bare.members_ = [(name, without_customers(member, n_customers), table) for name, member, table in self.members_]
        return bare

    @property
    def named_members_(self) -> dict[str, Any]:
        """The fitted estimators by the names of their members."""
        return {name: member for name, member, _ in self.members_}

    @property
    def _estimators(self) -> Any:
        """The members as pairs, which is what scikit-learn's parameter handling takes."""
        try:
            return [(name, estimator) for name, estimator, _ in self.members]
        except (TypeError, ValueError):
            return self.members

    @_estimators.setter
    def _estimators(self, pairs: list[tuple[str, Any]]) -> None:
        self.members = [
            (name, estimator, table) for (name, estimator), (_, _, table) in zip(pairs, self.members, strict=True)
        ]

    def _sk_visual_block_(self) -> _VisualBlock:
        members = getattr(self, "members_", self.members)
        names, estimators, tables = zip(*members, strict=True)
        return _VisualBlock("parallel", estimators, names=names, name_details=[f"table {table}" for table in tables])

    def _fit(self, X: Any) -> tuple[nw.DataFrame[Any], OutputKind]:
        self._check()
        tables = self._tables(X, self.members)
        members, parts = [], []
        for name, estimator, table in self.members:
            member = clone(estimator)
            with _naming(name, table), doing(f"Making {name} of {table}", 1 / len(self.members)):
                output = _fit_transform(member, tables[table])
            members.append((name, member, table))
            parts.append(self._part(output, name, member, table))
        frame, report = self._joined(parts)
        said = [
            each for part, (_, member, _) in zip(parts, members, strict=True) for each in part.characteristics(member)
        ]
        self._described = self._told(seen(said, parts, frame), is_all=True)
        self.members_ = members
        self.match_report_ = report
        self.row_report_ = RowReport.of_members(
            (name, table, member.row_report_) for name, member, table in members if hasattr(member, "row_report_")
        )
        return frame, parts[0].kind

    def _check_ids(self, name: str, estimator: Any) -> None:
        """Refuse a member whose customers are numbered rows: nothing says who they are in another table."""
        given = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
        if any(key.rpartition("__")[2] == "customer_id" and value is None for key, value in given.items()):
            raise InvalidParameterError(
                f"{asked()}: member {name!r} has customer_id=None, which numbers the rows of its table, "
                "but members are joined by customer id. Name the column of its table that holds the ids; where the "
                "index of a pandas table does, name it with table.rename_axis('customer_id')."
            )

    def _check(self) -> None:
        self._check_parameters()
        self._check_members()

    def _expected(self) -> Sequence[Characteristic]:
        # a member that was passed fitted is fitted anew
        return [
            each for name, member, _ in self.members for each in in_union(describe_characteristics(clone(member)), name)
        ]

    def _check_members(self) -> None:
        names = [name for name, _, _ in self.members]
        parameters = self.get_params(deep=False)
        for name, estimator, _ in self.members:
            if "__" in name or not name or name in parameters or names.count(name) > 1:
                allowed = f"different, not empty, without '__' and none of {list_names(parameters)}"
                raise InvalidParameterError.not_allowed("members", f"named so that names are {allowed}", name)
            if isinstance(estimator, type) or not (hasattr(estimator, "fit") and hasattr(estimator, "transform")):
                hint = " Create it: add () to the class." if isinstance(estimator, type) else ""
                raise InvalidParameterError(
                    f"{asked()}: parameter 'members': {name!r} must be an estimator with fit and transform, "
                    f"got {estimator!r}.{hint}"
                )
            self._check_ids(name, estimator)

    def _tables(self, X: Any, members: list[tuple[str, Any, str]]) -> Mapping[str, Any]:
        if not isinstance(X, Mapping):
            raise no_mapping(X)
        for name, _, table in members:
            if table not in X:
                raise not_passed(name, table, X)
        return X

    def _part(self, output: Any, name: str, member: Any, table: str) -> Part:
        return read_part(output, estimator=member, member=name, table=table, customer_id=self.customer_id)

    def _joined(self, parts: list[Part]) -> tuple[nw.DataFrame[Any], MatchReport]:
        frame, counts = join_parts(parts, self.customer_id)
        matches = []
        for part, (n_customers, n_matched) in zip(parts, counts, strict=True):
            if n_customers and len(frame) and not n_matched:
                warn(
                    f"no customer of table {part.table!r} (member {part.member!r}) is in table "
                    f"{parts[0].table!r}, so all characteristics of the member are missing. "
                    "Compare the ids of the two tables."
                )
            without, unmatched = len(frame) - n_matched, n_customers - n_matched
            matches.append(MemberMatch(part.member, part.table, n_customers, n_matched, without, unmatched))
        return frame, MatchReport(members=tuple(matches))


def _is_triple(member: Any) -> bool:
    if not isinstance(member, (list, tuple)) or len(member) != 3:
        return False
    return isinstance(member[0], str) and isinstance(member[2], str)


def _takes_as_of(member: Any) -> bool:
    return "as_of" in inspect.signature(member.transform).parameters


def _fit_transform(member: Any, table: Any) -> Any:
    if hasattr(member, "fit_transform"):
        return member.fit_transform(table)
    return member.fit(table).transform(table)


@contextmanager
def _naming(member: str, table: str) -> Iterator[None]:
    """Let an error say in which member it happened."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in member {member!r}, which reads table {table!r}")
        raise
