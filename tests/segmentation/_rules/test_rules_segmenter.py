"""RuleSegmenter: the first match by hand, the laws, SQL in duckdb, scikit-learn's checks, and what is refused."""

import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from custseg.exceptions import (
    ColumnChangeError,
    ColumnNotFoundError,
    ColumnTypeError,
    DataQualityWarning,
    InvalidParameterError,
    SegmentLabelError,
    UnseenCategoryWarning,
)
from custseg.segmentation._rules.segmenter import RuleSegmenter
from tests.segmentation._rules.rule_tables import as_text, customers, labels_by_hand, rules
from tests.sizes import size

SHOP = pd.DataFrame(
    {
        "recency": [5.0, 20.0, 80.0, 200.0, np.nan],
        "region": ["North", "O'Hare", None, "East", "North"],
        "band": pd.Categorical(["low", "mid", "high", None, "low"], categories=["low", "mid", "high"], ordered=True),
        "member": pd.array([True, False, None, True, False], dtype="boolean"),
    },
    index=pd.Index([11, 12, 13, 14, 15], name="customer_id"),
)
TWO = {"Recent": "recency <= 30", "North": "region == 'North'"}

# scikit-learn names the columns of its tables as it likes; these rules are over x0 of a matrix.
EXEMPT = {
    "check_sample_weights_pandas_series": "rules name their columns; the check calls them otherwise",
}


def fitted(drawn, table, **options):
    """Fit drawn rules, leaving out those that contradict themselves or each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        try:
            return RuleSegmenter(as_text(drawn), **options).fit(table)
        except InvalidParameterError:
            assume(False)


@settings(max_examples=size(8, 150))
@given(customers(), rules())
def test_the_first_match_by_hand(table, drawn):
    segmenter = fitted(drawn, table)
    expected = labels_by_hand(table, drawn)
    assert segmenter.labels_.tolist() == expected.tolist()
    assert segmenter.predict(table).tolist() == expected.tolist()
    assert segmenter.segment_sizes_.tolist() == [int((expected == place).sum()) for place in range(len(drawn))]
    assert segmenter.n_not_assigned_ == (expected == -1).sum()
    others = fitted(drawn, table, otherwise="Others")
    assert others.labels_.tolist() == np.where(expected < 0, len(drawn), expected).tolist()
    assert others.segment_sizes_.sum() == len(table)


@settings(max_examples=size(5, 100))
@given(customers(), rules(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(table, drawn, random):
    segmenter = fitted(drawn, table)
    rows = random.sample(range(len(table)), len(table))
    columns = random.sample(list(table.columns), len(table.columns))
    shuffled = table.iloc[rows][columns]
    assert fitted(drawn, shuffled).labels_.tolist() == segmenter.labels_[rows].tolist()
    assert segmenter.predict(shuffled).tolist() == segmenter.labels_[rows].tolist()


@settings(max_examples=size(4, 60))
@given(customers(), rules(), st.booleans())
def test_sql_gives_the_labels_of_predict(table, drawn, with_others):
    segmenter = fitted(drawn, table, otherwise="Others" if with_others else None)
    plain = table.astype({"band": object}).reset_index()
    with duckdb.connect() as connection:
        connection.register("plain", plain)
        types = {"spend": "DOUBLE", "member": "BOOLEAN", "band": "VARCHAR", "home town": "VARCHAR", "visits": "BIGINT"}
        casts = ", ".join(f'"{name}"::{kind} AS "{name}"' for name, kind in types.items())
        connection.execute(f"CREATE TABLE nulls AS SELECT customer_id, {casts} FROM plain")  # noqa: S608
        connection.execute("UPDATE nulls SET spend = NULL WHERE isnan(spend)")
        connection.execute("CREATE TABLE nans AS SELECT * REPLACE (coalesce(spend, 'NaN') AS spend) FROM nulls")
        for source in ("nulls", "nans"):
            query = segmenter.to_sql(source)
            found = connection.execute(f"SELECT customer_id, segment FROM ({query}) ORDER BY 1").fetchall()  # noqa: S608
            assert [segment for _, segment in found] == segmenter.labels_.tolist()
        names = connection.execute(f"SELECT {segmenter.to_sql(with_names=True)} FROM nulls ORDER BY customer_id")  # noqa: S608
        expected = np.array([*segmenter.segment_names_, "not assigned"], dtype=object)[segmenter.labels_]
        assert [name for (name,) in names.fetchall()] == expected.tolist()


def test_infinite_values_are_refused_by_predict_and_meet_no_open_condition_in_sql():
    table = pd.DataFrame({"x": [1.0, 9.0]})
    segmenter = RuleSegmenter({"High": "x > 5", "Not two": "x != 2"}).fit(table)
    with pytest.raises(ColumnTypeError, match="'x' holds infinite values"):
        segmenter.predict(pd.DataFrame({"x": [1.0, np.inf]}))
    query = f"SELECT {segmenter.to_sql()} FROM (VALUES ('inf'::DOUBLE), ('nan'::DOUBLE), (NULL), (9)) AS t(x)"  # noqa: S608
    with duckdb.connect() as connection:
        assert [label for (label,) in connection.execute(query).fetchall()] == [-1, -1, -1, 0]


def test_a_column_of_short_floats_is_compared_as_predict_compares_it():
    table = pd.DataFrame({"x": np.array([0.1, 0.2, 16777216, 16777218], dtype=np.float32)})
    segmenter = RuleSegmenter({"Above a tenth": "x > .1 and x < 1", "Large": "x >= 16777217"}).fit(table)
    assert segmenter.labels_.tolist() == segmenter.predict(table).tolist() == [-1, 0, -1, 1]
    with duckdb.connect() as connection:
        connection.register("t", table)
        found = connection.execute(f"SELECT {segmenter.to_sql()} FROM t").fetchall()  # noqa: S608
    assert [label for (label,) in found] == [-1, 0, -1, 1]


def test_sql_quotes_what_is_hostile():
    name = 'a"; DROP TABLE x; --'
    table = pd.DataFrame({name: ["'; DROP TABLE x; --", "\\"]})
    first = RuleSegmenter([("It's", [(name, "==", "'; DROP TABLE x; --")])]).fit(table)
    query = first.to_sql(("main", 'odd"name'), with_names=True)
    with duckdb.connect() as connection:
        connection.register("source", table)
        connection.execute('CREATE TABLE "odd""name" AS SELECT * FROM source')
        assert [row[-1] for row in connection.execute(query).fetchall()] == ["It's", "not assigned"]
    assert RuleSegmenter([("A", [(name, "==", "\\")])]).fit(table).to_sql(quote="`").splitlines()[1] == (
        f"    WHEN `{name}` = '\\\\' THEN 0"
    )
    with pytest.raises(InvalidParameterError, match=r"to_sql: parameter 'quote' must be"):
        first.to_sql(quote="[")


@parametrize_with_checks(
    [RuleSegmenter({"Low": "x0 < -1", "Middle": "-1 <= x0 <= 0.4", "High": "x0 > 0.4"})],
    expected_failed_checks=lambda estimator: EXEMPT,
    xfail_strict=True,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_every_kind_of_frame_gives_the_same_labels(tmp_path):
    segmenter = RuleSegmenter(
        {"Low": "band < 'mid'", "Member": "member == true", "Hare": "region == 'O''Hare'"}, otherwise="Rest"
    ).fit(SHOP)
    assert segmenter.labels_.tolist() == [0, 2, 3, 1, 0]
    assert segmenter.segment_names_ == ["Low", "Member", "Hare", "Rest"]
    frame = pl.from_pandas(SHOP.reset_index())
    SHOP.reset_index().to_parquet(tmp_path / "shop.parquet")
    for other in (frame, frame.lazy(), frame.to_arrow(), tmp_path / "shop.parquet"):
        assert segmenter.predict(other).tolist() == segmenter.labels_.tolist()
    assert segmenter.transform(frame)["segment"].to_list() == segmenter.labels_.tolist()
    assert segmenter.fit_transform(SHOP)["segment"].tolist() == segmenter.labels_.tolist()


def sql_labels(segmenter, table):
    with duckdb.connect() as connection:
        connection.register("t", table.reset_index())
        found = connection.execute(f"SELECT {segmenter.to_sql()} FROM t ORDER BY customer_id").fetchall()  # noqa: S608
    return [label for (label,) in found]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"Above": "band > 'low'", "Not mid": "band != 'mid'"}, [1, 0, -1, -1, 0]),
        ({"Some": "band not in ['low', 'mid']", "Low": "band == 'low'"}, [1, -1, -1, -1, 0]),
        ({"Some": "band in ['low', 'mid']", "High": "band >= 'high'"}, [0, 0, -1, -1, 1]),
    ],
)
def test_a_level_that_is_new_counts_as_missing_and_is_warned_of(rules, expected):
    segmenter = RuleSegmenter(rules).fit(SHOP)
    later = SHOP.assign(band=["low", "mid", "top", None, "high"])
    with pytest.warns(UnseenCategoryWarning, match=r"RuleSegmenter: .* 1 value\(s\) of 'band' \('top'\)") as caught:
        assert segmenter.predict(later).tolist() == expected
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert sql_labels(segmenter, later) == expected
    ordered = pd.CategoricalDtype(["top", "high", "mid", "low"], ordered=True)
    with pytest.warns(UnseenCategoryWarning):
        assert segmenter.predict(later.astype({"band": ordered})).tolist() == expected


def test_text_that_is_new_is_compared_as_it_stands():
    segmenter = RuleSegmenter({"Elsewhere": "region != 'North'", "North": "region in ['North']"}).fit(SHOP)
    later = SHOP.assign(region=["Norht", "East", None, "Moon", "North"])
    assert segmenter.predict(later).tolist() == [0, 0, -1, 0, 1] == sql_labels(segmenter, later)


def test_the_words_for_no_rule_are_no_name_in_sql():
    segmenter = RuleSegmenter({"not assigned": "recency <= 30"}).fit(SHOP)
    with pytest.raises(InvalidParameterError, match="'with_names' must be False where a rule is named 'not assigned'"):
        segmenter.to_sql(with_names=True)
    assert "THEN 0" in segmenter.to_sql()
    others = RuleSegmenter({"not assigned": "recency <= 30"}, otherwise="Rest").fit(SHOP)
    assert "'not assigned'" in others.to_sql(with_names=True)


@pytest.mark.parametrize("table", [5, "", [], ["shop", 1]])
def test_a_table_is_named_by_text(table):
    with pytest.raises(InvalidParameterError, match=r"to_sql: parameter 'table' must be None or a name"):
        RuleSegmenter(TWO).fit(SHOP).to_sql(table)


def test_ids_in_a_column_called_segment_are_refused():
    with pytest.raises(InvalidParameterError, match="'customer_id' must be another name than 'segment'"):
        RuleSegmenter(TWO, customer_id="segment").fit(SHOP.rename_axis("segment").reset_index())


def test_categories_that_became_floats_for_want_of_a_value_keep_their_names():
    codes = pd.DataFrame({"code": pd.Series([1, 2, 3] * 4, dtype="category")})
    floats = pd.DataFrame({"code": pd.Series([1, 2, np.nan] * 4, dtype="category")})
    rules = RuleSegmenter({"one": "code == 1", "others": "code in [2, 3]"}).fit(codes)
    assert rules.predict(floats).tolist() == [0, 1, -1] * 4


def test_weights_change_nothing_and_are_checked():
    plain = RuleSegmenter(TWO).fit(SHOP)
    assert RuleSegmenter(TWO).fit(SHOP, sample_weight=[0, 2, 1, 1, 5]).labels_.tolist() == plain.labels_.tolist()
    with pytest.raises(InvalidParameterError, match="sample_weight"):
        RuleSegmenter(TWO).fit(SHOP, sample_weight=[-1, 2, 1, 1, 5])


def test_clone_keeps_the_rules_and_labels_keep_their_order():
    segmenter = RuleSegmenter({"Nobody": "recency > 1000", "Far": "recency > 100", "Near": "recency <= 100"}).fit(SHOP)
    assert segmenter.segment_sizes_.tolist() == [0, 1, 3]
    assert segmenter.labels_.tolist() == [2, 2, 2, 1, -1]
    assert clone(segmenter).fit(SHOP).labels_.tolist() == segmenter.labels_.tolist()
    again = RuleSegmenter([rule.to_dict() for rule in segmenter.rules_]).fit(SHOP)
    assert again.rules_ == segmenter.rules_


def test_a_column_without_any_value_meets_nothing():
    table = SHOP.assign(region=None, recency=np.nan)
    assert RuleSegmenter(TWO).fit(table).labels_.tolist() == [-1] * 5
    assert RuleSegmenter(TWO).fit(SHOP).predict(table).tolist() == [-1] * 5


@pytest.mark.parametrize(
    ("rule", "error", "message"),
    [
        ("recncy > 1", ColumnNotFoundError, "column 'recncy' not found.*Did you mean 'recency'"),
        ("recency == 'old'", ColumnTypeError, "'recency' must be compared with numbers, got 'old'"),
        ("region > 'East'", ColumnTypeError, "'region' must be ordered for '>', got unordered categories"),
        ("band == 'hihg'", InvalidParameterError, "unknown level of 'band' 'hihg'.*Did you mean 'high'"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule, error, message):
    with pytest.raises(error, match=f"RuleSegmenter: .*{message}"):
        RuleSegmenter({"A": rule}).fit(SHOP)


def test_text_that_no_customer_has_is_warned_of():
    with pytest.warns(DataQualityWarning, match="no customer has the value 'Nroth' of column 'region'.*'North'"):
        RuleSegmenter({"A": "region == 'Nroth'"}).fit(SHOP)


def test_columns_that_changed_are_refused():
    segmenter = RuleSegmenter(TWO).fit(SHOP)
    with pytest.raises(ColumnChangeError, match="'recency' was numbers in fit and is nominal now"):
        segmenter.predict(SHOP.assign(recency="long ago"))
    with pytest.raises(ColumnChangeError, match="now missing"):
        segmenter.predict(SHOP.drop(columns="region"))
    with pytest.raises(SegmentLabelError, match="has a column 'segment' already"):
        RuleSegmenter(TWO).fit(SHOP.assign(segment=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rules": "recency > 1"}, "'rules' must be rules by name"),
        ({"rules": TWO, "otherwise": "North"}, "'otherwise' must be a name that no rule has"),
        ({"rules": TWO, "otherwise": 1}, "'otherwise' must be None or a name"),
    ],
)
def test_parameters_out_of_their_range_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=f"RuleSegmenter: parameter {message}"):
        RuleSegmenter(**options).fit(SHOP)
