"""Who the customers are: a profile table, one row per customer, in dtypes that say the kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from custseg._core.characteristic import Characteristic, in_words
from custseg._core.customers import Column
from custseg._core.described import ByColumn
from custseg._core.params import ParameterTable
from custseg._core.warning import warn
from custseg.characteristics._demographic.declarations import (
    MISSING_ANSWERS,
    PARAMETERS,
    check_declared,
    check_found,
    check_names,
    least_customers,
)
from custseg.characteristics._demographic.households import HouseholdReader
from custseg.characteristics._demographic.plausible import (
    Finding,
    Plausibility,
    describe_findings,
    expected_range,
    implausible_values,
)
from custseg.characteristics._demographic.roles import role_of
from custseg.characteristics._profiles.encoder import Encoded, Profile, ProfileEncoder
from custseg.characteristics._profiles.encoding import Encoding, MissingWords, describe_new, encode, level_policies
from custseg.characteristics._profiles.learning import Declared, learn
from custseg.characteristics._profiles.level_pools import Hierarchy
from custseg.characteristics._row_report import RowPolicy
from custseg.exceptions import ColumnChangeError


class DemographicEncoder(ProfileEncoder):
    """Read a profile table: who each customer is, in original units and in dtypes that say the kind.

    One row per customer goes in and comes out, sorted by customer id; a customer is a person, a
    household or a company. Later stages read the kind of each characteristic from its dtype, so
    nothing has to be declared twice:

    ================================================= ======= ========================
    the column holds                                  kind    comes out as
    ================================================= ======= ========================
    numbers                                           numeric the same numbers
    text, all of it numbers ("1,200", "29.85")        numeric floats
    bools, text of yes and no                         binary  bools
    bands ("35-44", "65+", "Under 15K", "3", "4+")    ordinal ordered, low to high
    ordered categories, or text with ``level_orders`` ordinal ordered categories
    other text, unordered categories                  nominal unordered categories
    ================================================= ======= ========================

    Ordered categories are an ordered ``Categorical`` in pandas and an ``Enum`` in polars; unordered
    ones are a ``Categorical`` in both.

    Parameters
    ----------
    customer_id : str or None, default="customer_id"
        The column of customer ids: whole numbers or text, each once. None where each row is a customer: its
        number is the index of a pandas table, else its place from 0.
    columns : list of str or None, default=None
        The columns to read; None reads all of them.
    kinds : dict of str to {"numeric", "binary", "ordinal", "nominal"} or None, default=None
        Kinds that overrule the table above: ``{"postal_code": "nominal"}`` keeps digits as names,
        ``{"rating": "ordinal"}`` makes ordered categories of numbers.
    level_orders : dict of str to list or None, default=None
        For columns whose order the text does not say: the levels from low to high, such as
        ``{"education": ["school", "college", "university"]}``.
    hierarchies : dict of str to "prefix", list of int or dict of str to str, or None, default=None
        For nominal columns: the level above each level, which rare levels are rolled up into before
        the rest is pooled. ``{"industry": "prefix"}`` is for codes that name their parents, such as
        NACE, NAICS or SIC: "62.01" is in "62.0", that in "62"; a list such as [2, 4, 6] says how many
        letters and digits each level has; a dict names the parents: ``{"dentist": "health"}``.
    households : list of str or None, default=None
        Text columns on who lives in the household, such as "2 Adults No Kids". ``<column>_adults`` is
        added to the characteristics, and ``<column>_children`` where every level with children says
        how many, else ``<column>_has_children``.
    ages : dict of str to str or None, default=None
        Columns of years (of birth, of foundation) with the name of the age in years that takes their
        place: ``{"birth_year": "age"}``. Needs ``reference_year``.
    reference_year : int or None, default=None
        The year that ages are reckoned at, the last one that is plausible. It is never "now".
    decimal : {".", ","} or None, default=None
        The sign before decimals in text. None finds it out for each column.
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those that the text names.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`: ``{"nps": "recommendation"}``.
    other : str, default="other"
        What pooled levels are called. A level of that name, whatever its case, is part of them.
    missing_values : sequence of str and numbers, or dict, default=("unknown", "prefer not to say", ...)
        What means that the answer is not known: texts, whatever their case and spaces, and numbers
        such as -1 or 999. The default lists the usual texts; an empty one is among them. A sequence is
        for all columns, in place of the default. A dict such as ``{"age": [-1, 99]}`` is for its
        columns, on top of the default; numbers are best declared so.
    min_customers : int, float, dict or None, default=None
        The least number of customers that a level of a nominal column must have, below 1 their share
        of those whose level is known; a dict sets it for its columns only. Rarer levels are pooled.
        None pools nothing.
    plausible : dict of str to (low, high) or None, default=None
        The range in which the numbers of a column can be; a bound of None is open. A column with
        None in place of a range is not checked at all.
    implausible : {"keep", "missing"}, default="keep"
        What becomes of numbers that are out of range or look like a code for no answer. Either way
        they are counted.

    Attributes
    ----------
    kinds_ : dict of str to str
        The kind of each characteristic.
    categories_ : dict of str to list of str
        The levels of the ordinal (low to high) and nominal (alphabetical) columns.
    bands_ : dict of str to DataFrame
        For each banded column its ``category``, ``low`` and ``high``, infinite where open ended.
    pooled_ : dict of str to DataFrame
        For each nominal column with ``min_customers`` its ``level``, ``n_customers`` and the
        ``category`` that the level became, missing where even all rare levels together are rare.
    implausible_ : DataFrame
        The implausible values of ``fit``: ``column``, ``value``, ``reason``, ``n_customers``.
    units_ : dict of str to str
        The unit of each characteristic: what the text names ("years", "employees", "EUR"), what
        ``units`` says, or empty.
    row_report_ : RowReport
        How many rows each policy touched in ``fit``: rows without a customer id are left out; by
        column, what means no answer is set to missing, rare levels are pooled, households that do
        not say who lives there, and implausible numbers.
    n_features_in_ : int
        The number of columns read.
    feature_names_in_ : ndarray of str
        Their names, without the customer id.

    Raises
    ------
    ColumnNotFoundError
        A named column is not in the table.
    ColumnTypeError
        A column holds timestamps, text of which at least 95% are dates, values of mixed types, infinite
        numbers, or values that cannot be of the kind declared.
    ColumnChangeError
        At ``transform`` the columns, or the kind of one of them, are not those of ``fit``.
    CustomerIdError
        An id is repeated, or the ids are of mixed type.
    InvalidParameterError
        A parameter is out of range, two contradict each other, or a declared order lacks an
        observed level.
    InvalidTableError
        The table has no rows, no row with an id, or no column besides the ids.

    Warns
    -----
    DataQualityWarning
        In ``fit``: a column without any value (it stays, as numbers that are all missing), bands
        that overlap (the column becomes unordered categories), numbers among which is text, a decimal
        sign in doubt, text that differs in nearly every row, a column of which pooling leaves one
        level, and implausible numbers that are kept.
        In ``transform``: levels unseen in ``fit`` and what becomes of them, implausible numbers, and
        rows without an id, which are left out; all counted.

    Notes
    -----
    *Missing values* stay missing; integers with missing values are floats in pandas. Spaces around
    text are dropped. Two spellings of one band ("65+", ">= 65") are one category. Neighbouring
    bands may share a bound ("0-10", "10-20"). Text of digits with leading zeros ("01067") is taken
    for codes, not numbers. "1.500" has decimals, unless the column shows that the dot groups
    thousands: "EUR 1.500", "500-1.000", "1.500,00".

    *Yes and no.* Text that holds nothing but the two words of yes/no, true/false, y/n, t/f or 1/0, whatever
    their case, is binary, with yes as True. Of "yes", "no", "true" and "false" one alone is enough; a column
    of nothing but "F" is a category, unless ``kinds`` says that it is binary. What ``fit`` did not see is
    missing and counted, as unseen levels are. Categories by dtype stay categories.

    *Rare levels.* Every level that comes out has at least ``min_customers`` customers in ``fit``. Levels
    that are rarer even together are missing, since calling three people "other" neither describes
    nor hides them. Ordered levels are not pooled: their neighbours can be merged with ``level_orders`` of
    wider bands. A level unseen in ``fit`` belongs to the nearest group that its hierarchy knows,
    else to the pooled levels, as it is rarer than any of them; where nothing was pooled it is missing.
    Codes of different depths keep their own names: "other in 62.0" is what is left of 62.0 beside
    the codes below it that stand on their own.

    *Households.* "3+ kids" says that there are children, not how many. A level that names adults only
    has no children where other levels name children and none says "no kids".

    *Implausible numbers* are never changed unless ``implausible`` says so. Out of range is what
    ``plausible`` excludes; without it, an age outside 0 to 120, a year of birth after
    ``reference_year`` or more than 120 years before it (without it: outside 1900 to 2100), a year of
    foundation outside 500 to ``reference_year`` (without it: 2100), and negative heights, weights and numbers of
    children or employees, all by the usual names of such columns. A code for no answer is taken from
    repeated digits (9999, 666666) far above all other values or more frequent than each of 50 others,
    and from -1, -9, -99 and the like where nothing else is negative. What is merely far from all
    others (Tukey's outer fence [1]_, of the values and of their logarithms) is reported, and kept in
    any case. Only columns with at least 30 values are searched for codes and far values.

    An age is the difference of two years, so it may be one year more than the age in full years.

    References
    ----------
    .. [1] Tukey, J. W. (1977). *Exploratory Data Analysis*. Addison-Wesley.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import DemographicEncoder
    >>> profile = pd.DataFrame({
    ...     "customer_id": [3, 1, 2],
    ...     "age": ["65+", "19-24", "25-64"],
    ...     "household": ["2 Adults Kids", "Unknown", "1 Adult Kids"],
    ... })
    >>> encoder = DemographicEncoder()
    >>> encoder.fit_transform(profile)
                   age      household
    customer_id
    1            19-24            NaN
    2            25-64   1 Adult Kids
    3              65+  2 Adults Kids
    >>> encoder.kinds_
    {'age': 'ordinal', 'household': 'nominal'}
    >>> encoder.categories_["age"]
    ['19-24', '25-64', '65+']

    Companies:

    >>> companies = pd.DataFrame({
    ...     "customer_id": [1, 2, 3, 4],
    ...     "size": ["11-50 employees", "1-10 employees", "11-50 employees", "51+ employees"],
    ...     "industry": ["62.01", "62.02", "86.10", "86.21"],
    ...     "founded": [1998, 2011, 1975, 2019],
    ... })
    >>> encoder = DemographicEncoder(
    ...     hierarchies={"industry": "prefix"}, min_customers=2, ages={"founded": "company_age"}, reference_year=2024
    ... )
    >>> encoder.fit_transform(companies)
                            size industry  company_age
    customer_id
    1            11-50 employees     62.0           26
    2             1-10 employees     62.0           13
    3            11-50 employees       86           49
    4              51+ employees       86            5
    >>> encoder.units_
    {'size': 'employees', 'industry': '', 'company_age': 'years'}
    """

    _parameters: ClassVar[ParameterTable] = PARAMETERS
    criterion = "demographic"

    _encodings: tuple[Encoding, ...]
    _households: dict[str, HouseholdReader]
    _plausible: dict[str, Plausibility]

    def __init__(
        self,
        *,
        customer_id: str | None = "customer_id",
        columns: Sequence[str] | None = None,
        kinds: Mapping[str, str] | None = None,
        level_orders: Mapping[str, list[Any]] | None = None,
        hierarchies: Mapping[str, str | Sequence[int] | Mapping[str, str]] | None = None,
        households: Sequence[str] | None = None,
        ages: Mapping[str, str] | None = None,
        reference_year: int | None = None,
        decimal: str | None = None,
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
        other: str = "other",
        missing_values: Sequence[str | float] | Mapping[str, Sequence[str | float]] = MISSING_ANSWERS,
        min_customers: float | Mapping[str, float] | None = None,
        plausible: Mapping[str, tuple[float | None, float | None] | None] | None = None,
        implausible: str = "keep",
    ) -> None:
        self.customer_id = customer_id
        self.columns = columns
        self.kinds = kinds
        self.level_orders = level_orders
        self.hierarchies = hierarchies
        self.households = households
        self.ages = ages
        self.reference_year = reference_year
        self.decimal = decimal
        self.labels = labels
        self.units = units
        self.roles = roles
        self.other = other
        self.missing_values = missing_values
        self.min_customers = min_customers
        self.plausible = plausible
        self.implausible = implausible

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Return the names of the characteristics: those of the columns, of their ages, and of the households.

        Parameters
        ----------
        input_features : array-like of str or None
            If given, must be the names of ``fit``.

        Returns
        -------
        names : ndarray of str
            Without the customer id.
        """
        check_is_fitted(self)
        if input_features is not None and list(input_features) != list(self.feature_names_in_):
            raise ColumnChangeError.between(self.feature_names_in_, input_features)
        return super().get_feature_names_out()

    def _wanted(self) -> Sequence[str] | None:
        return self.columns

    def _characteristics(self) -> Sequence[Characteristic]:
        told: list[Characteristic] = []
        for encoding in self._encodings:
            told.append(self._of_column(encoding.name, encoding.kind, encoding.unit))
            if encoding.name in self._households:
                told += self._households[encoding.name].characteristics()
        return told

    def _expected(self) -> Sequence[Characteristic]:
        # who lives in a household, and units, are read from the data
        kinds = dict(self.kinds or {}) | dict.fromkeys(self.level_orders or (), "ordinal")
        kinds |= dict.fromkeys(self.hierarchies or (), "nominal") | dict.fromkeys(self.ages or (), "numeric")
        names = [name for name in self.columns or () if name != self.customer_id]
        return [self._of_column(name, kinds.get(name)) for name in names]

    def _of_column(self, name: str, kind: Any, unit: str = "") -> Characteristic:
        is_age, out = name in (self.ages or {}), self._out(name)
        role = "age" if is_age else role_of(name)
        return Characteristic(column=out, kind=kind, role=role, unit="years" if is_age else unit, label=in_words(out))

    def _learn(self, profile: Profile) -> None:
        check_declared(self.get_params(deep=False), profile.names)
        remarks: list[str] = []
        encodings = []
        for name in profile.names:
            declared, missing = self._declared(profile, name), self._no_answer(name)
            encoding, said = learn(profile.rows[name], missing=missing, declared=declared)
            encodings.append(encoding)
            remarks += [f"column {name!r}: {remark}" for remark in said]
        self._encodings = tuple(encodings)
        check_found(self.get_params(deep=False), {each.name: each.kind for each in encodings if each.n_known})
        self._households = {
            encoding.name: HouseholdReader.learn(
                profile.rows[encoding.name], source=encoding.source, missing=self._no_answer(encoding.name)
            )
            for encoding in encodings
            if encoding.name in (self.households or ())
        }
        check_names([name for name, _ in self._kinds()], self._id_name)
        found = self._learn_plausible(profile)
        if found and self.implausible == "keep":
            remarks.append(describe_findings(found, kept=True))
        self._describe_columns()
        for remark in remarks:
            # to the caller of fit or fit_transform
            warn(remark)

    def _declared(self, profile: Profile, name: str) -> Declared:
        order = (self.level_orders or {}).get(name)
        kind = "numeric" if name in (self.ages or {}) else (self.kinds or {}).get(name)
        above = (self.hierarchies or {}).get(name)
        if order is None and above is None and kind in (None, "ordinal"):
            order = profile.categories.get(name)
        if above is not None and not isinstance(above, (str, Mapping)):
            above = tuple(above)
        return Declared(
            order=order,
            kind=kind,
            named=name in profile.categories,
            decimal=self.decimal,
            least=least_customers(self.min_customers, name),
            other=self.other.strip(),
            hierarchy=None if above is None else Hierarchy(above),
        )

    def _no_answer(self, name: str) -> MissingWords:
        if isinstance(self.missing_values, Mapping):
            return MissingWords([*MISSING_ANSWERS, *self.missing_values.get(name, ())])
        return MissingWords(self.missing_values)

    def _out(self, name: str) -> str:
        """Return the name under which a column comes out."""
        return (self.ages or {}).get(name, name)

    def _kinds(self) -> list[tuple[str, str]]:
        """Return the names of the characteristics with their kinds."""
        kinds: list[tuple[str, str]] = []
        for encoding in self._encodings:
            kinds.append((self._out(encoding.name), encoding.kind))
            if encoding.name in self._households:
                kinds += self._households[encoding.name].kinds()
        return kinds

    def _describe_columns(self) -> None:
        """Set the fitted attributes that describe the columns."""
        self.kinds_ = dict(self._kinds())
        levels = [encoding for encoding in self._encodings if encoding.kind in ("ordinal", "nominal")]
        self.categories_ = {encoding.name: list(encoding.categories) for encoding in levels}
        self.bands_ = {encoding.name: encoding.scale.to_frame() for encoding in levels if encoding.scale is not None}
        self.pooled_ = {encoding.name: encoding.pool.to_frame() for encoding in levels if encoding.pool is not None}

    def _learn_plausible(self, profile: Profile) -> list[tuple[str, Finding]]:
        """Learn what is implausible; return what is surely so, by column."""
        self._plausible = {}
        values, sure = {}, []
        for encoding in self._encodings:
            name = encoding.name
            given = (self.plausible or {}).get(name, ())
            if encoding.kind != "numeric" or given is None:
                continue
            reading = encode(profile.rows[name], encoding, missing=self._no_answer(name))
            values[name] = reading.column.values
            low, high = given or expected_range(
                name, reference_year=self.reference_year, age=(self.ages or {}).get(name)
            )
            self._plausible[name] = Plausibility.learn(values[name], low, high)
            sure += [(name, finding) for finding in self._plausible[name].findings(values[name]) if finding.is_sure]
        self.implausible_ = implausible_values({name: (self._plausible[name], values[name]) for name in values})
        return sure

    def _encode(self, profile: Profile) -> Encoded:
        columns: list[Column] = []
        policies: list[RowPolicy] = []
        unseen: dict[str, Mapping[str, int]] = {}
        joined: dict[str, Mapping[str, int]] = {}
        sure: list[tuple[str, Finding]] = []
        for encoding in self._encodings:
            name, rows, missing = encoding.name, profile.rows[encoding.name], self._no_answer(encoding.name)
            reading = encode(rows, encoding, missing=missing)
            unseen[name], joined[name] = reading.unseen, reading.joined
            policies += level_policies(encoding, reading)
            column, findings = self._checked(reading.column)
            policies += [finding.policy(name, drop=self._drops(finding)) for finding in findings]
            sure += [(name, finding) for finding in findings if finding.is_sure]
            columns.append(self._aged(column))
            if name in self._households:
                read, silent = self._households[name].encode(rows, missing=missing)
                columns += read
                policies += silent
        remarks = describe_new(unseen, joined)
        if sure:
            remarks.append(describe_findings(sure, kept=self.implausible == "keep"))
        return Encoded(tuple(columns), tuple(policies), tuple(remarks))

    def _drops(self, finding: Finding) -> bool:
        return finding.is_sure and self.implausible == "missing"

    def _checked(self, column: Column) -> tuple[Column, list[Finding]]:
        """Find the implausible numbers of a column, and set them to missing where that was asked for."""
        plausible = self._plausible.get(column.name)
        if plausible is None:
            return column, []
        findings = plausible.findings(column.values)
        if any(map(self._drops, findings)):
            column = replace(column, values=np.where(plausible.are_sure(column.values), np.nan, column.values))
        return column, findings

    def _aged(self, column: Column) -> Column:
        if column.name not in (self.ages or {}) or self.reference_year is None:
            return column
        return replace(column, name=self._out(column.name), values=self.reference_year - column.values)
