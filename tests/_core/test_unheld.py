"""Values that no frame of ours can hold: read as their text, or refused by the name of their column."""

from __future__ import annotations

import duckdb
import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from custseg import (
    CampaignResponseFeaturizer,
    CharacteristicEmbedder,
    DemographicEncoder,
    KPrototypesClusterer,
    LatentClassClusterer,
    PurchaseBehaviorFeaturizer,
    PurchasePathFeaturizer,
    RFMFeaturizer,
    RuleSegmenter,
    Segmentation,
    SegmentClusterer,
    SocialMediaFeaturizer,
    describe_segments,
)
from custseg._core import frames
from custseg.exceptions import ColumnTypeError, InvalidTableError
from tests.engines import comparable

pytestmark = pytest.mark.sampled

N_ROWS = 12
CUT = pd.Series(pd.cut(np.arange(N_ROWS), [-1, 3, 7, 11]))
MONTHS = pd.Series(pd.period_range("2024-01", periods=3, freq="M").repeat(4)).astype("category")
WAITS = pd.Series(pd.to_timedelta(np.arange(N_ROWS) % 3, unit="D")).astype("category")
GROUPS = {
    "intervals": (CUT, ["(-1, 3]", "(3, 7]", "(7, 11]"]),
    "periods": (MONTHS, ["2024-01", "2024-02", "2024-03"]),
    "durations": (WAITS, ["0 days 00:00:00", "1 days 00:00:00", "2 days 00:00:00"]),
}
EVENTS = {
    "purchases": lambda: PurchaseBehaviorFeaturizer(category="group"),
    "path": lambda: PurchasePathFeaturizer(channel="group"),
    "social": lambda: SocialMediaFeaturizer(platform="group"),
    "campaigns": lambda: CampaignResponseFeaturizer(channel="group"),
}


def events(group):
    return pd.DataFrame(
        {
            "customer_id": np.arange(N_ROWS) // 2,
            "timestamp": pd.date_range("2024-01-01", periods=N_ROWS),
            "amount": np.arange(1.0, N_ROWS + 1),
            "stage": "visit",
            "action": "like",
            "responded": True,
            "group": group,
        }
    )


def profiles(group):
    return pd.DataFrame({"customer_id": np.arange(N_ROWS), "age": np.arange(N_ROWS) % 5 + 20.0, "group": group})


@pytest.fixture(params=["through polars", "pandas alone"])
def route(request, monkeypatch):
    if request.param == "pandas alone":
        monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)


@pytest.mark.parametrize("name", sorted(GROUPS))
@pytest.mark.parametrize("featurizer", sorted(EVENTS))
def test_events_take_categories_that_pandas_makes_as_their_text(featurizer, name):
    group, texts = GROUPS[name]
    fitted = EVENTS[featurizer]().fit(events(group))
    expected = EVENTS[featurizer]().fit_transform(events(group.astype(str)))
    pd.testing.assert_frame_equal(fitted.transform(events(group)), expected)
    assert [sorted(levels) for levels in fitted.levels_.values()] == [texts]


def test_without_polars_they_are_their_text_too(monkeypatch):
    expected = EVENTS["purchases"]().fit_transform(events(CUT))
    monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)
    pd.testing.assert_frame_equal(EVENTS["purchases"]().fit_transform(events(CUT)), expected)


@pytest.mark.parametrize("name", ["intervals", "periods"])
def test_a_table_of_arrow_has_the_same_categories(name):
    group, _ = GROUPS[name]
    table = pa.Table.from_pandas(events(group), preserve_index=False)
    found = comparable(PurchaseBehaviorFeaturizer(category="group").fit_transform(table))
    expected = PurchaseBehaviorFeaturizer(category="group").fit_transform(events(group)).reset_index()
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    rows = pa.Table.from_pandas(profiles(group), preserve_index=False)
    assert comparable(DemographicEncoder().fit_transform(rows))["group"].tolist() == group.astype(str).tolist()
    # the order of intervals is kept, as in pandas
    embedded = CharacteristicEmbedder().fit_transform(rows)
    np.testing.assert_array_equal(embedded, CharacteristicEmbedder().fit_transform(profiles(group)))


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_encoders_clusterers_personas_and_rules_take_them_too(name):
    group, texts = GROUPS[name]
    table = profiles(group)
    assert DemographicEncoder().fit_transform(table)["group"].tolist() == group.astype(str).tolist()
    for clusterer in (SegmentClusterer, LatentClassClusterer, KPrototypesClusterer):
        assert len(clusterer(2, random_state=0).fit(table).labels_) == N_ROWS
    segmenter = RuleSegmenter({"First": f"group == '{texts[0]}'"}).fit(table)
    assert (segmenter.labels_ == 0).tolist() == (group.astype(str) == texts[0]).tolist()
    assert len(describe_segments(Segmentation.of(table, np.arange(N_ROWS) % 2)).personas) == 2


@pytest.mark.parametrize("dtype", ["interval", "period[M]"])
def test_intervals_and_periods_that_are_no_categories_are_asked_about(dtype):
    group = CUT.astype("interval") if dtype == "interval" else MONTHS.astype(dtype)
    for read in (
        lambda: EVENTS["purchases"]().fit(events(group)),
        lambda: DemographicEncoder().fit(profiles(group)),
        lambda: CharacteristicEmbedder().fit(profiles(group)),
    ):
        with pytest.raises(ColumnTypeError, match=rf"'group' must be .* got {dtype[:6]}.*\.astype\(str\) levels"):
            read()


UNHELD = {
    "decimals of 256 bits": pa.array([1] * N_ROWS, pa.decimal256(60, 2)),
    "months, days and nanoseconds": pa.array([(1, 2, 3)] * N_ROWS, pa.month_day_nano_interval()),
    "views of lists": pa.array([[1]] * N_ROWS, pa.list_view(pa.int32())),
    "a structure of decimals": pa.array([{"a": 1}] * N_ROWS, pa.struct([("a", pa.decimal256(50, 2))])),
    "categories that are decimals": pa.array([1, 2] * (N_ROWS // 2), pa.decimal256(60, 2)).dictionary_encode(),
    "either of two types": pa.UnionArray.from_sparse(
        pa.array([0, 1] * (N_ROWS // 2), pa.int8()), [pa.array([1] * N_ROWS), pa.array(["a"] * N_ROWS)]
    ),
}


@pytest.mark.parametrize("name", sorted(UNHELD))
def test_types_of_arrow_that_polars_does_not_know_are_refused_by_name(name):
    column = UNHELD[name]
    table = pa.Table.from_pandas(events("a").drop(columns="group"), preserve_index=False).append_column("group", column)
    for featurizer in EVENTS.values():
        with pytest.raises(ColumnTypeError, match="column 'group' must be .* got "):
            featurizer().fit(table)
    with pytest.raises(ColumnTypeError, match="column 'group' must be .* got "):
        RFMFeaturizer(amount="group").fit(table)
    rows = table.drop(["customer_id"]).append_column("customer_id", pa.array(range(N_ROWS)))
    for estimator in (DemographicEncoder(), CharacteristicEmbedder(), RuleSegmenter({"A": "amount > 3"})):
        with pytest.raises(ColumnTypeError, match="column '(group|timestamp)' must be .* got "):
            estimator.fit(rows)
    # who does not ask for it is not troubled
    assert len(RFMFeaturizer().fit_transform(table)) == N_ROWS // 2


def test_pandas_columns_of_such_types_are_refused_too():
    column = pd.Series(pd.arrays.ArrowExtensionArray(UNHELD["decimals of 256 bits"]))
    with pytest.raises(ColumnTypeError, match=r"'group' must be .* got decimal256\(60, 2\)"):
        DemographicEncoder().fit(profiles(column))


def test_repeated_values_of_arrow_are_written_out():
    group = pa.RunEndEncodedArray.from_arrays(pa.array([6, N_ROWS], pa.int32()), pa.array(["a", "b"]))
    rows = pa.Table.from_pandas(profiles("a").drop(columns="group"), preserve_index=False).append_column("group", group)
    found = comparable(DemographicEncoder().fit_transform(rows))
    assert found["group"].tolist() == ["a"] * 6 + ["b"] * 6
    assert CharacteristicEmbedder().fit(rows).transforms_["kind"].tolist() == ["numeric", "nominal"]


ODD = {
    "an interval": "INTERVAL 3 MONTH",
    "either of two types": "union_value(a := 1)",
    "more than 64 bits": "170141183460469231731687303715884105727::HUGEINT",
}


ENGINES_OF = [(name, engine) for name in ODD for engine in ("duckdb", "ibis", "parquet")]
# Parquet has no such types; ibis hands large numbers over as decimals
ENGINES_OF = [each for each in ENGINES_OF if each[0] == "an interval" or each[1] == "duckdb"]
ENGINES_OF += [("either of two types", "ibis")]


@pytest.mark.parametrize(("name", "engine"), ENGINES_OF)
def test_what_an_engine_cannot_hand_over_names_its_column(name, engine, tmp_path):
    connection = duckdb.connect()
    rows = f"SELECT i AS customer_id, i AS age, {ODD[name]} AS odd FROM range(9) r(i)"  # noqa: S608
    connection.execute(f"CREATE TABLE t AS {rows}")
    table = connection.table("t")
    if engine == "ibis":
        table = ibis.duckdb.from_connection(connection).table("t")
    if engine == "parquet":
        table = tmp_path / "t.parquet"
        connection.execute(f"COPY t TO '{table}'")
    for estimator in (DemographicEncoder(), CharacteristicEmbedder()):
        with pytest.raises(ColumnTypeError, match="column 'odd' must be "):
            estimator.fit(table)
    assert len(DemographicEncoder(columns=["age"]).fit_transform(table)) == 9


HALF = "b\ud800"


@pytest.mark.parametrize("dtype", ["object", "category", "python"])
@pytest.mark.parametrize("role", ["customer_id", "group", "timestamp"])
def test_half_a_character_names_its_column_and_row(role, dtype, route):
    values = pd.Series(["a", "a", HALF, "é"] * (N_ROWS // 4), dtype=object)
    if dtype == "category":
        codes, levels = np.array([0, 0, 1, 2] * (N_ROWS // 4)), pd.Index(["a", HALF, "é"], dtype=object)
        values = pd.Series(pd.Categorical.from_codes(codes, levels))
    elif dtype == "python":
        values = values.astype(pd.StringDtype("python"))
    table = events("a").assign(**{role: values})
    for featurizer in EVENTS.values():
        with pytest.raises(ColumnTypeError, match=rf"column '{role}' must be .* surrogate U\+D800 in row 2 \('b"):
            featurizer().fit(table)


def test_half_a_character_is_refused_in_profiles_labels_indexes_and_names():
    values = pd.Series(["a", "a", HALF, "é"] * (N_ROWS // 4), dtype=object)
    table = profiles("a")
    codes, levels = np.zeros(N_ROWS, dtype=int), pd.Index(["a", HALF], dtype=object)
    unused = table.assign(group=pd.Categorical.from_codes(codes, levels))
    for estimator in (
        DemographicEncoder(),
        CharacteristicEmbedder(),
        LatentClassClusterer(2),
        RuleSegmenter({"A": "age > 22"}),
    ):
        with pytest.raises(ColumnTypeError, match=r"column 'group' must be .* U\+D800 in row 2"):
            estimator.fit(table.assign(group=values))
        with pytest.raises(ColumnTypeError, match=r"column 'group' must be .* U\+D800 in category 1"):
            estimator.fit(unused)
    with pytest.raises(ColumnTypeError, match=r"column 'labels' must be .* U\+D800 in row 2"):
        Segmentation.of(table, values)
    by_id = table[["age"]].set_index(pd.Index(values, name="customer_id"))
    with pytest.raises(ColumnTypeError, match=r"column 'customer_id' must be .* U\+D800 in row 2"):
        SegmentClusterer(2, random_state=0).fit(by_id)
    with pytest.raises(InvalidTableError, match=r"column name 'b\\ud800' holds half a character"):
        DemographicEncoder().fit(table.set_axis(pd.Index(["customer_id", "age", HALF], dtype=object), axis=1))
