"""Which columns of a profile table tell age, income and household: those that are called so."""

from __future__ import annotations

from custseg.characteristics._demographic.plausible import AGES, plain_name

_INCOMES = {
    "income", "householdincome", "annualincome", "yearlyincome", "monthlyincome", "netincome", "grossincome",
    "personalincome", "salary", "revenue", "annualrevenue", "turnover", "annualturnover",
}  # fmt: skip
_HOUSEHOLDS = {"household", "householdsize", "householdcomposition", "maritalstatus", "children", "nchildren"}
_NAMES = {"age": AGES, "income": _INCOMES, "household": _HOUSEHOLDS}


def role_of(name: str) -> str | None:
    """Return the role that the usual names of a column give it, None for any other name.

    Examples
    --------
    >>> from custseg.characteristics._demographic.roles import role_of
    >>> role_of("Annual_Income"), role_of("income_of_region")
    ('income', None)
    """
    plain = plain_name(name)
    return next((role for role, names in _NAMES.items() if plain in names), None)
