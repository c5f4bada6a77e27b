"""The leading levels of a text column: which lead, what is pooled, what is new."""

from __future__ import annotations

from collections import Counter

import dask.dataframe as dd
import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg._core.frames import collect
from custseg.characteristics._records.vocabulary import Vocabulary
from tests.sizes import size

pytestmark = pytest.mark.filterwarnings("ignore:Dask support:FutureWarning")

ENGINES = {
    "pandas": lambda table: table,
    "polars": pl.from_pandas,
    "lazy": lambda table: pl.from_pandas(table).lazy(),
    "duckdb": duckdb.from_df,
    "dask": lambda table: dd.from_pandas(table, npartitions=2),
}
texts = st.lists(st.sampled_from(["a", "b", "c", "dd", "é", "other", None]), min_size=1, max_size=30)


def frame(values, engine="pandas"):
    table = pd.DataFrame({"level": pd.Series(values, dtype="str")})
    return nw.from_native(ENGINES[engine](table)).lazy()


def counted(query):
    found = collect(query.group_by("level").agg(nw.len().alias("rows")))
    keys = [key if isinstance(key, str) else None for key in found["level"].to_list()]
    return dict(zip(keys, found["rows"].to_list(), strict=True))


@given(values=texts, n_leading=st.integers(0, 4), engine=st.sampled_from(["pandas", "polars", "lazy"]))
def test_the_most_frequent_lead_and_ties_go_by_text(values, n_leading, engine):
    counts = Counter(value for value in values if value is not None)
    expected = sorted((level for level in counts if level != "other"), key=lambda level: (-counts[level], level))
    rows = frame(values, engine)
    found = Vocabulary.learn(rows, "level", n_leading)
    assert found.levels == tuple(expected[:n_leading])
    assert found.known == tuple(sorted(counts))
    assert found.pools == (len(counts) > len(found.levels))
    assert found.names == (*found.levels, *(["other"] if found.pools else []))
    pooled = Counter("other" if value is not None and value not in found.levels else value for value in values)
    assert counted(rows.with_columns(found.pooled("level"))) == dict(pooled)
    assert found.unseen(rows, "level") == ""


@settings(max_examples=size(2, 10))
@given(values=texts, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(values, seed):
    shuffled = pd.Series(values, dtype="str").sample(frac=1, random_state=seed).tolist()
    assert Vocabulary.learn(frame(shuffled), "level", 2) == Vocabulary.learn(frame(values), "level", 2)


@pytest.mark.thorough
@pytest.mark.parametrize("engine", size([name for name in ENGINES if name != "dask"], list(ENGINES)))
def test_every_engine_learns_the_same(engine):
    values = [f"level {position * position % 700}" for position in range(3000)]
    counts = Counter(values)
    rows = frame([*values, None, "other"], engine)
    found = Vocabulary.learn(rows, "level", 7)
    assert found.levels == tuple(sorted(counts, key=lambda level: (-counts[level], level))[:7])
    assert found.pools
    small = Vocabulary.learn(frame(["x", "y", None], engine), "level", 7)
    assert (small.levels, small.known, small.pools) == (("x", "y"), ("x", "y"), False)
    remark = small.unseen(rows, "level")
    assert remark.startswith("3001 row(s) hold levels of column 'level' that fit did not see ('level")
    assert " and more); they are counted in the whole, under no level" in remark


def test_past_five_hundred_levels_new_ones_cannot_be_told():
    at_limit = Vocabulary.learn(frame([f"{position:03}" for position in range(500)]), "level", 1)
    assert len(at_limit.known) == 500
    past = Vocabulary.learn(frame([f"{position:03}" for position in range(501)]), "level", 1)
    assert past.known is None
    assert past.unseen(frame(["new"]), "level") == ""
    assert "'new'" in at_limit.unseen(frame(["new"]), "level")


@pytest.mark.thorough
@pytest.mark.parametrize("engine", size([name for name in ENGINES if name != "dask"], list(ENGINES)))
def test_nothing_known_makes_everything_new(engine):
    empty = Vocabulary.learn(frame(["x"], engine).filter(nw.col("level") == "y"), "level", 3, column="shop")
    assert (empty.levels, empty.known, empty.pools, empty.names) == ((), (), False, ())
    assert empty.unseen(frame(["x", None], engine), "level").startswith("1 row(s) hold levels of column 'shop'")
    assert counted(frame(["x", None], engine).with_columns(empty.pooled("level"))) == {"other": 1, None: 1}
