"""assign_segments, write_segments: the labels of predict for every kind of table and batch, all written or nothing."""

from __future__ import annotations

import pickle
import warnings
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custseg import CharacteristicEmbedder, RFMFeaturizer, SegmentClusterer
from custseg._core.asking import asking
from custseg.exceptions import (
    ColumnNotFoundError,
    ConfigurationError,
    CustomerIdError,
    DuplicateColumnError,
    InvalidParameterError,
    InvalidTableError,
    OutputPathError,
    UnseenCategoryWarning,
)
from custseg.segmentation._prototypes.clusterer import KPrototypesClusterer
from custseg.segmentation._rules.segmenter import RuleSegmenter
from custseg.segmentation._scoring.assign import assign_segments
from custseg.segmentation._scoring.scorer import make_scorer
from custseg.segmentation._scoring.spark import _put_in_place, _refuse_source, _score
from custseg.segmentation._scoring.write import SegmentAssignment, write_segments
from tests.engines import ENGINES, comparable, output_kind

pytestmark = pytest.mark.sampled

KINDS = [name for name in ENGINES if name != "spark"]


def customers(n_rows=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": rng.permutation(n_rows) + 1_000,
            "spend": np.where(rng.random(n_rows) < 0.1, np.nan, rng.lognormal(3, 1, n_rows)),
            "visits": rng.poisson(3, n_rows),
            "member": rng.random(n_rows) < 0.4,
            "region": rng.choice(["north", "south", "west"], n_rows),
        }
    )


TABLE = customers()


@pytest.fixture(scope="module")
def clusterer():
    return SegmentClusterer(n_segments=3, n_init=3, random_state=0).fit(TABLE)


@pytest.fixture(scope="module")
def expected(clusterer):
    return pd.DataFrame({"customer_id": TABLE["customer_id"], "segment": clusterer.predict(TABLE)})


def check_equal(found, expected):
    pd.testing.assert_frame_equal(comparable(found), comparable(expected))


@pytest.mark.parametrize("batch_size", [1, 7, 65_536])
@pytest.mark.parametrize("engine", KINDS)
def test_every_kind_of_table_gets_the_labels_of_predict_in_its_own_kind(engine, batch_size, clusterer, expected):
    table = TABLE if batch_size > 1 else TABLE.head(8)
    found = assign_segments(clusterer, ENGINES[engine](table), batch_size=batch_size)
    assert type(found).__module__.split(".")[0] == output_kind(engine)
    if engine == "parquet folder":  # its files come in the order of their names
        found = found.loc[table["customer_id"]]
    check_equal(found, expected.head(len(table)))


@pytest.mark.parametrize("engine", ["pandas", "dask"])
def test_an_index_of_ids_counts_as_their_column(engine, clusterer, expected):
    table = TABLE.set_index("customer_id").sort_index()
    found = assign_segments(clusterer, ENGINES[engine](table), batch_size=33)
    check_equal(found, expected.sort_values("customer_id", ignore_index=True))
    unnamed = assign_segments(clusterer, table.rename_axis(index=None))
    assert unnamed.index.name == "customer_id"


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
@pytest.mark.parametrize("engine", ["pandas", "polars lazy", "parquet", "csv", "duckdb"])
def test_what_is_written_is_what_is_returned(engine, ending, clusterer, expected, tmp_path):
    place = tmp_path / f"segments{ending}"
    report = write_segments(clusterer, ENGINES[engine](TABLE), place, batch_size=64)
    written = pd.read_parquet(place) if ending == ".parquet" else pd.read_csv(place)
    pd.testing.assert_frame_equal(written, expected, check_dtype=False)
    sizes = dict(enumerate(np.bincount(expected["segment"]).tolist()))
    assert report == SegmentAssignment(path=str(place), n_customers=200, segment_sizes=sizes)
    assert report.to_frame()["share"].sum() == pytest.approx(1.0)
    assert [file.name for file in tmp_path.iterdir()] == [place.name]


def test_text_ids_keep_their_zeros_and_categories_become_text(clusterer, tmp_path):
    ids = [f"{number:05d}" for number in range(200)]
    table = TABLE.assign(customer_id=pd.Categorical(ids))
    table.astype({"customer_id": "str"}).to_csv(tmp_path / "in.csv", index=False)
    assert assign_segments(clusterer, tmp_path / "in.csv").index.tolist() == ids
    write_segments(clusterer, table, tmp_path / "out.parquet", batch_size=50)
    assert pd.read_parquet(tmp_path / "out.parquet")["customer_id"].tolist() == ids


def test_columns_in_another_order_and_columns_that_nobody_asked_for(clusterer, expected):
    table = TABLE[TABLE.columns[::-1]].assign(note="x")
    check_equal(assign_segments(clusterer, table), expected)


def test_segments_without_customers_are_counted_too(clusterer, tmp_path):
    report = write_segments(clusterer, TABLE.head(1), tmp_path / "one.csv")
    assert sorted(report.segment_sizes) == [0, 1, 2]
    assert sum(report.segment_sizes.values()) == 1


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(CharacteristicEmbedder(), KMeans(3, n_init=1, random_state=0)),
        make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0)),
        KPrototypesClusterer(3, n_init=2, random_state=0),
    ],
    ids=["embedder and k-means", "scaler and k-means", "k-prototypes"],
)
def test_whatever_predicts_can_score(estimator):
    features = TABLE[["visits", "member"]].astype("float64")
    estimator.fit(features)
    table = features.assign(customer_id=TABLE["customer_id"])
    found = assign_segments(estimator, table, batch_size=30)
    np.testing.assert_array_equal(found["segment"], estimator.predict(features))
    assert found.index.tolist() == TABLE["customer_id"].tolist()


def test_estimators_fitted_on_a_matrix():
    matrix = TABLE[["visits", "member"]].to_numpy(dtype=float)
    table = pd.DataFrame(matrix, columns=["x0", "x1"]).assign(customer_id=TABLE["customer_id"])
    plain = KMeans(3, n_init=1, random_state=0).fit(matrix)
    np.testing.assert_array_equal(assign_segments(plain, table, batch_size=9)["segment"], plain.predict(matrix))
    own = SegmentClusterer(n_segments=2, n_init=2, random_state=0).fit(matrix)
    np.testing.assert_array_equal(assign_segments(own, table, batch_size=9)["segment"], own.predict(matrix))


def test_unseen_categories_of_all_batches_are_told_once(clusterer, tmp_path):
    table = TABLE.assign(region=["east", "moon", *TABLE["region"][2:-1], "east"])
    with pytest.warns(UnseenCategoryWarning, match=r"3 value\(s\) of 'region' \('east', 'moon'\)") as caught:
        found = assign_segments(clusterer, table, batch_size=10)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with pytest.warns(UnseenCategoryWarning):
        np.testing.assert_array_equal(found["segment"], clusterer.predict(table))
    with pytest.warns(UnseenCategoryWarning, match="3 value") as caught:
        write_segments(clusterer, table, tmp_path / "out.csv", batch_size=10)
    assert len(caught) == 1
    assert (tmp_path / "out.csv").exists()


class Grumbling(KMeans):
    def predict(self, X):
        warnings.warn("I would rather not", RuntimeWarning, stacklevel=2)
        return super().predict(X)


def test_other_warnings_are_told_once_with_the_number_of_batches():
    table = TABLE[["customer_id", "visits"]]
    fitted = Grumbling(2, n_init=1, random_state=0).fit(table[["visits"]])
    with pytest.warns(RuntimeWarning, match=r"rather not \(in 4 of 4 batches\)") as caught:
        assign_segments(fitted, table, batch_size=50)
    assert len(caught) == 1


def test_a_failure_leaves_nothing_behind_and_keeps_what_was_there(clusterer, tmp_path, monkeypatch):
    place = tmp_path / "segments.parquet"
    place.write_text("old")
    calls = []

    def failing(self, X):
        calls.append(len(X))
        if len(calls) == 3:
            raise RuntimeError("in the middle")
        return np.zeros(len(X), dtype=np.int64)

    monkeypatch.setattr(SegmentClusterer, "predict", failing)
    with pytest.raises(RuntimeError, match="in the middle"):
        write_segments(clusterer, TABLE, place, batch_size=50, overwrite=True)
    assert len(calls) == 3
    assert [file.name for file in tmp_path.iterdir()] == [place.name]
    assert place.read_text() == "old"


def test_an_existing_destination_is_refused_unless_told_otherwise(clusterer, expected, tmp_path):
    place = tmp_path / "segments.csv"
    place.write_text("old")
    with pytest.raises(OutputPathError, match="overwrite=True"):
        write_segments(clusterer, TABLE, place)
    assert place.read_text() == "old"
    write_segments(clusterer, TABLE, str(place), overwrite=True)
    assert pd.read_csv(place)["segment"].tolist() == expected["segment"].tolist()


def test_the_source_is_never_the_destination(clusterer, tmp_path):
    source = tmp_path / "customers.parquet"
    TABLE.to_parquet(source, index=False)
    for place in (source, tmp_path / "." / "customers.parquet"):
        with pytest.raises(OutputPathError, match="read from there"):
            write_segments(clusterer, source, place, overwrite=True)
    with pytest.raises(OutputPathError, match="read from there"):
        write_segments(clusterer, tmp_path, tmp_path / "segments.parquet")


@pytest.mark.parametrize("engine", KINDS)
def test_a_missing_column_is_named(engine, clusterer):
    with pytest.raises(ColumnNotFoundError, match="'visits' not found.*Did you mean 'visit'"):
        assign_segments(clusterer, ENGINES[engine](TABLE.rename(columns={"visits": "visit"})))


@pytest.mark.parametrize("engine", ["polars", "parquet", "csv"])
def test_a_missing_id_is_named(engine, clusterer):
    with pytest.raises(ColumnNotFoundError, match="'customer_id' not found"):
        assign_segments(clusterer, ENGINES[engine](TABLE.drop(columns="customer_id")))
    named = TABLE.rename(columns={"customer_id": "person"})
    found = assign_segments(clusterer, ENGINES[engine](named), customer_id="person")
    assert "person" in (found.columns if engine == "polars" else [found.index.name])


@pytest.mark.parametrize("engine", ["pandas", "polars lazy", "pyarrow", "duckdb", "parquet", "csv"])
def test_an_empty_source_is_an_error_and_nothing_is_written(engine, clusterer, tmp_path):
    with pytest.raises(InvalidTableError, match="0 sample"):
        write_segments(clusterer, ENGINES[engine](TABLE.head(0)), tmp_path / "out.parquet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"batch_size": 0}, InvalidParameterError, "'batch_size' must be an integer >= 1"),
        ({"X": [1, 2]}, InvalidTableError, "expects a dataframe"),
        ({"X": "no-such-file.parquet"}, InvalidTableError, "no such file"),
        ({"X": pd.concat([TABLE, TABLE["visits"]], axis=1)}, DuplicateColumnError, "'visits'"),
        ({"segmenter": StandardScaler()}, InvalidParameterError, "with predict"),
        ({"segmenter": SegmentClusterer()}, NotFittedError, "not fitted"),
    ],
)
def test_bad_input_says_what_to_do(arguments, error, words, clusterer, tmp_path):
    given = {"segmenter": clusterer, "X": TABLE, **arguments}
    with pytest.raises(error, match=words):
        assign_segments(**given)
    with pytest.raises(error, match=words):
        write_segments(**given, path=tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        (3, InvalidParameterError, "'path' must be a path"),
        ("out.xlsx", ConfigurationError, "must end in .parquet or .csv"),
        ("no/such/folder/out.csv", OutputPathError, "folder does not exist"),
    ],
)
def test_a_bad_path_says_what_to_do(path, error, words, clusterer):
    with pytest.raises(error, match=words):
        write_segments(clusterer, TABLE, path)


def test_purchase_lines_and_names_are_refused(clusterer):
    times = pd.to_datetime(["2024-01-01", "2024-01-05", "2024-02-01"])
    lines = pd.DataFrame({"customer_id": [1, 1, 2], "timestamp": times, "amount": [1.0, 2.0, 4.0]})
    pipeline = make_pipeline(RFMFeaturizer(), SegmentClusterer(n_segments=1)).fit(lines)
    with pytest.raises(InvalidParameterError, match="one row per customer"):
        assign_segments(pipeline, lines)

    class Naming(KMeans):
        def predict(self, X):
            return np.array(["a"] * len(X))

    named = Naming(2, n_init=1).fit(TABLE[["visits"]])
    with pytest.raises(InvalidParameterError, match="whole numbers"):
        assign_segments(named, TABLE)


def test_nothing_in_the_estimator_changes(clusterer):
    before = pickle.dumps(clusterer)
    assign_segments(clusterer, TABLE, batch_size=50)
    assert pickle.dumps(clusterer) == before


def test_folders_whose_names_are_columns(clusterer, expected, tmp_path):
    for region, part in TABLE.groupby("region"):
        place = tmp_path / "named" / f"region={region}"
        place.mkdir(parents=True)
        part.drop(columns="region").to_parquet(place / "part.parquet", index=False)
    found = assign_segments(clusterer, tmp_path / "named", batch_size=30)
    check_equal(found.loc[TABLE["customer_id"]], expected)


@pytest.mark.parametrize("folders", [("", ""), ("year=1", "year=2")])
def test_a_file_of_a_folder_that_lacks_a_column_is_named(folders, clusterer, tmp_path):
    parts = [TABLE.head(100).assign(note="x"), TABLE.tail(100).drop(columns="spend")]
    places = [tmp_path / folder / f"{name}.parquet" for folder, name in zip(folders, "ab", strict=True)]
    for part, place in zip(parts, places, strict=True):
        place.parent.mkdir(exist_ok=True)
        part.to_parquet(place, index=False)
    with pytest.raises(ColumnNotFoundError, match=r"file '.*b.parquet': column 'spend' not found; the table has 'cust"):
        assign_segments(clusterer, tmp_path, batch_size=30)
    # what nobody asks for may be lacking, and upper case is none of its business
    TABLE.tail(100).rename(columns={"spend": "Spend"}).to_parquet(places[1], index=False)
    found = assign_segments(clusterer, tmp_path, batch_size=30)
    np.testing.assert_array_equal(found["segment"], clusterer.predict(TABLE))


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([None] * 60 + [f"C{n}" for n in range(140)], None),
        ([*range(100), *range(2**63, 2**63 + 100)], None),
        ([*range(100), *range(2**64, 2**64 + 100)], [str(n) for n in [*range(100), *range(2**64, 2**64 + 100)]]),
        ([Decimal(n) for n in range(200)], list(range(200))),
        ([*range(100), *(n + 0.5 for n in range(100))], None),
    ],
    ids=["none first", "64 bits later", "more than 64 bits", "decimals", "fractions later"],
)
def test_ids_of_dtype_object_are_written_in_one_type(ids, expected, ending, clusterer, tmp_path):
    column = pd.Series(ids, dtype=object)
    place = tmp_path / f"out{ending}"
    for name, table in (("column", TABLE.assign(customer_id=column)), ("index", TABLE.drop(columns="customer_id"))):
        source = table if name == "column" else table.set_axis(pd.Index(ids, dtype=object))
        write_segments(clusterer, source, place, batch_size=50, overwrite=True)
        read = pd.read_parquet(place) if ending == ".parquet" else pd.read_csv(place, dtype={"customer_id": str})
        found = [None if pd.isna(value) else value for value in read["customer_id"]]
        wanted = ids if expected is None else expected
        assert found == (
            wanted if ending == ".parquet" else [value if value is None else str(value) for value in wanted]
        )
        np.testing.assert_array_equal(read["segment"], clusterer.predict(TABLE))


@pytest.mark.parametrize("batch_size", [1, 100, 65_536])
@pytest.mark.parametrize("dtype", [object, "category"])
def test_ids_of_several_types_cannot_be_written(dtype, batch_size, clusterer, tmp_path):
    table = TABLE.assign(customer_id=pd.Series([*range(100), *(f"C{n}" for n in range(100))], dtype=object))
    table = table.astype({"customer_id": dtype})
    with pytest.raises(CustomerIdError, match=r"'customer_id' are of mixed type \(int, str\).*astype\(str\)"):
        write_segments(clusterer, table, tmp_path / "out.parquet", batch_size=batch_size)
    assert not list(tmp_path.iterdir())


def test_ids_called_segment_are_refused(clusterer):
    table = TABLE.rename(columns={"customer_id": "segment"})
    with pytest.raises(InvalidParameterError, match="assign_segments: .*'customer_id' must be another name"):
        assign_segments(clusterer, table, customer_id="segment")


def test_rules_tell_of_levels_that_are_new_once():
    levels = pd.CategoricalDtype(["low", "high"], ordered=True)
    table = TABLE[["customer_id"]].assign(band=pd.Series(["low", "high"] * 100, dtype=levels))
    fitted = RuleSegmenter({"Not low": "band != 'low'", "Low": "band == 'low'"}).fit(table)
    later = table.astype({"band": str})
    later.loc[::50, "band"] = "top"
    with pytest.warns(UnseenCategoryWarning, match=r"RuleSegmenter: .* 4 value\(s\) of 'band' \('top'\)") as caught:
        found = assign_segments(fitted, later, batch_size=30)
    assert len(caught) == 1
    assert (found["segment"].to_numpy()[::50] == -1).all()


def located(*files):
    return type("Source", (), {"inputFiles": lambda self: list(files)})()


@pytest.mark.parametrize(
    ("files", "target", "is_refused"),
    [
        (["file:///data/in/part-0.parquet"], "file:/data/in", True),
        (["file:///data/in/part-0.parquet"], "file:/data", True),
        (["file:///data/in/part-0.parquet"], "file:/data/in/out", True),
        (["file:///data/in/year=1/part-0.parquet"], "file:/data/in/out", True),
        (["file:///data/in/a.parquet", "file:///data/in/b.parquet"], "file:/data/in/out", True),
        (["file:///data/a%20b/part-0.parquet"], "file:/data/a%20b", True),
        (["file:///data/in/part-0.parquet"], "file:/data/in2", False),
        (["file:///data/customers.parquet"], "file:/data/out", False),
        (["file:///data/customers.parquet"], "file:/data/customers.parquet", True),
        (["s3a://one/in/part-0.parquet"], "s3a://other/in", False),
        ([], "file:/data/in", False),
    ],
)
def test_spark_never_writes_over_the_files_it_reads(files, target, is_refused):
    if is_refused:
        with pytest.raises(OutputPathError, match="read from there. Name another"):
            _refuse_source(located(*files), target, "out")
    else:
        _refuse_source(located(*files), target, "out")


class Halves:
    """A segmenter whose answers are no whole numbers."""

    def predict(self, X):
        return np.full(len(X), 0.5)


def test_a_worker_of_spark_says_who_was_asked():
    arrow = pytest.importorskip("pyarrow")
    with asking("write_segments"):
        carried = SimpleNamespace(value=make_scorer(Halves(), None))
    batch = arrow.RecordBatch.from_pydict({"c0": [1, 2], "c1": [0.5, 1.5]})
    with pytest.raises(InvalidParameterError, match=r"^write_segments: parameter 'segmenter' must be"):
        list(_score(carried, None, ["customer_id", "spend"], [batch]))


class Folders:
    """A file system of named folders, on which some renames fail, as Hadoop has it."""

    def __init__(self, names, failing=None, meanwhile=None):
        self.names, self.failing, self.meanwhile = dict(names), failing, meanwhile

    def exists(self, place):
        return place.name in self.names

    def rename(self, old, new):
        if self.failing == old.name:
            return False
        if self.failing == f"{old.name}!":
            raise OSError("gone")
        if self.meanwhile and old.name == ".new":
            self.names["out"] = self.meanwhile
        inside = f"{new.name}/{old.name}" if new.name in self.names else new.name
        self.names[inside] = self.names.pop(old.name)
        return True

    def delete(self, place, recursive):
        return self.names.pop(place.name, None) is not None


class Place:
    def __init__(self, name):
        self.name = name

    def suffix(self, text):
        return Place(self.name + text)

    def getName(self):
        return self.name

    def toString(self):
        return self.name


def put_in_place(files, **options):
    _put_in_place(files, Place(".new"), Place("out"), Place(".old"), **options)


@pytest.mark.parametrize(
    ("failing", "error"), [("out", OutputPathError), (".new", OutputPathError), (".new!", OSError), (None, None)]
)
def test_a_folder_on_spark_is_replaced_only_when_the_new_one_is_in_place(failing, error):
    files = Folders({"out": "old rows", ".new": "new rows"}, failing)
    if error is None:
        put_in_place(files, overwrite=True)
        assert files.names == {"out": "new rows"}
    else:
        with pytest.raises(error):
            put_in_place(files, overwrite=True)
        assert files.names == {"out": "old rows", ".new": "new rows"}


def test_of_two_that_write_one_folder_on_spark_one_succeeds():
    files = Folders({"out": "old rows", ".new": "new rows"})
    with pytest.raises(OutputPathError, match="it exists"):
        put_in_place(files, overwrite=False)
    assert files.names == {"out": "old rows", ".new": "new rows"}
    # the other comes between the look and the renaming: Hadoop then moves the folder into that of the other
    for before, overwrite in (({}, False), ({}, True), ({"out": "old rows"}, True)):
        files = Folders({**before, ".new": "new rows"}, meanwhile="rows of the other")
        with pytest.raises(OutputPathError, match="cannot write 'out'"):
            put_in_place(files, overwrite=overwrite)
        assert files.names == {"out": "rows of the other"}


def test_missing_values_and_categories_in_files(clusterer, tmp_path):
    few = TABLE.head(60)
    table = few.assign(
        region=pd.Categorical(few["region"].where(few.index % 7 > 0), ordered=True),
        member=few["member"].astype("boolean").where(few.index % 5 > 0),
        visits=few["visits"].astype("Int64").where(few.index % 3 > 0),
    )
    table.to_parquet(tmp_path / "in.parquet", index=False)
    expected = clusterer.predict(table)
    np.testing.assert_array_equal(clusterer.predict(tmp_path / "in.parquet"), expected)
    for batch_size in (1, 11, 1_000):
        found = assign_segments(clusterer, tmp_path / "in.parquet", batch_size=batch_size)
        np.testing.assert_array_equal(found["segment"], expected)
