"""Customers and rules drawn at random, and what the rules say of one customer by the letter of their definition."""

import operator

import numpy as np
import pandas as pd
from hypothesis import strategies as st

LEVELS = ("low", "mid", "high")
TOWNS = ("Paris", "L'Aquila", 'Say "Hi"', "Ö\\slo", "")
COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
VALUES = {
    "spend": st.sampled_from([-1.5, 0.0, 0.1, 2.5, 1e-7, 123456789.25, 16777217.0]),
    "visits": st.integers(0, 6),
    "member": st.booleans(),
    "band": st.sampled_from(LEVELS),
    "home town": st.sampled_from(TOWNS),
}
ORDERED = ("spend", "visits", "member", "band")


@st.composite
def customers(draw, max_rows=25):
    n_rows = draw(st.integers(1, max_rows))

    def values(column, missing=True):
        value = st.one_of(VALUES[column], VALUES[column], st.none()) if missing else VALUES[column]
        return draw(st.lists(value, min_size=n_rows, max_size=n_rows))

    band = pd.Categorical(values("band"), categories=list(LEVELS), ordered=True)
    return pd.DataFrame(
        {
            "spend": pd.Series(values("spend"), dtype="float64"),
            "visits": pd.Series(values("visits", missing=False), dtype="int64"),
            "member": pd.Series(values("member"), dtype="boolean"),
            "band": band,
            "home town": pd.Series(values("home town"), dtype="str"),
        },
        index=pd.RangeIndex(100, 100 + n_rows, name="customer_id"),
    )


@st.composite
def conditions(draw):
    column = draw(st.sampled_from(list(VALUES)))
    symbols = [*COMPARE, "in", "not in"] if column in ORDERED else ["==", "!=", "in", "not in"]
    symbol = draw(st.sampled_from(symbols))
    if symbol in ("in", "not in"):
        return (column, symbol, draw(st.lists(VALUES[column], min_size=1, max_size=3)))
    return (column, symbol, draw(VALUES[column]))


@st.composite
def rules(draw, max_rules=4):
    """A list of (name, list of alternatives); each alternative a list of conditions."""
    alternatives = st.lists(st.lists(conditions(), min_size=1, max_size=3), min_size=1, max_size=2)
    found = draw(st.lists(alternatives, min_size=1, max_size=max_rules))
    return [(f"Rule {position}", rule) for position, rule in enumerate(found)]


def as_text(drawn):
    """The same rules as an analyst would type them."""

    def value(item):
        if isinstance(item, bool):
            return str(item).upper()
        return "'" + item.replace("'", "''") + "'" if isinstance(item, str) else repr(item)

    def condition(column, symbol, item):
        listed = "(" + ", ".join(map(value, item)) + ")" if isinstance(item, list) else value(item)
        return f"`{column}` {symbol} {listed}"

    return {
        name: " OR ".join(" and ".join(condition(*part) for part in parts) for parts in alternatives)
        for name, alternatives in drawn
    }


def met_by_hand(customer, condition):
    column, symbol, value = condition
    own = customer[column]
    if pd.isna(own):
        return False
    if symbol in ("in", "not in"):
        return (own in value) == (symbol == "in")
    if column == "band" and symbol not in ("==", "!="):
        own, value = LEVELS.index(own), LEVELS.index(value)
    return bool(COMPARE[symbol](own, value))


def rule_met_by_hand(customer, alternatives):
    return any(all(met_by_hand(customer, condition) for condition in parts) for parts in alternatives)


def labels_by_hand(table, drawn):
    """The first rule that each customer meets, one customer after the other."""
    labels = []
    for customer in table.to_dict("records"):
        met = [place for place, (_, rule) in enumerate(drawn) if rule_met_by_hand(customer, rule)]
        labels.append(met[0] if met else -1)
    return np.array(labels)
