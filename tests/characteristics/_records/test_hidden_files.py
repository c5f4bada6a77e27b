"""Files of a folder whose name begins with a dot or an underscore are no data, and are counted."""

import pandas as pd
import pytest

from custseg import DemographicEncoder, RFMFeaturizer, SegmentClusterer, assign_segments
from custseg._core.paths import hidden_files, parquet_files
from custseg.exceptions import DataQualityWarning, InvalidTableError

pytestmark = pytest.mark.sampled

pytest.importorskip("duckdb")

LINES = pd.DataFrame({"customer_id": [1, 2, 3, 4], "timestamp": ["2024-01-01"] * 4, "amount": [1.0, 2.0, 3.0, 9.0]})
HIDDEN = [
    "_temporary/0/_temporary/task_1/part-0.parquet",
    ".ipynb_checkpoints/part-0-checkpoint.parquet",
    ".custseg-x1y2z3.parquet",
    "_tmp.parquet",
    "year=2024/_delta_log/1.checkpoint.parquet",
]


def write(folder, name, table=LINES):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(file, index=False)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "part-0.parquet")
    return tmp_path


@pytest.mark.parametrize("name", HIDDEN)
def test_their_rows_are_not_read_and_the_report_counts_them(folder, name):
    expected = RFMFeaturizer(monetary_as="total").fit_transform(folder)
    write(folder, name)
    featurizer = RFMFeaturizer(monetary_as="total")
    with pytest.warns(DataQualityWarning, match="RFMFeaturizer: 1 hidden file.*not read"):
        found = featurizer.fit_transform(folder)
    pd.testing.assert_frame_equal(found, expected)
    assert hidden_files(folder) == [name]
    policy = featurizer.row_report_.policies[-1]
    assert name in policy.policy
    assert (policy.action, policy.n_rows) == ("no data: not read", 1)
    assert featurizer.row_report_.n_rows == 4
    assert featurizer.row_report_.n_left_out == 0


def test_tables_of_customers_too(folder):
    customers = LINES[["customer_id", "amount"]].assign(home=["a", "b", "a", "b"])
    write(folder, "part-0.parquet", customers)
    expected = DemographicEncoder().fit_transform(folder)
    clusterer = SegmentClusterer(2, random_state=0).fit(expected)
    labels = assign_segments(clusterer, folder)
    for name in HIDDEN:
        write(folder, name, customers)
    encoder = DemographicEncoder()
    with pytest.warns(DataQualityWarning, match="5 hidden file"):
        pd.testing.assert_frame_equal(encoder.fit_transform(folder), expected)
    assert encoder.row_report_.policies[-1].n_rows == 5
    with pytest.warns(DataQualityWarning, match="assign_segments: 5 hidden file"):
        pd.testing.assert_frame_equal(assign_segments(clusterer, folder), labels)
    assert list(parquet_files(folder)) == [folder / "part-0.parquet"]


def test_a_column_may_begin_with_an_underscore(tmp_path):
    write(tmp_path, "_year=2024/part-0.parquet")
    assert len(RFMFeaturizer().fit_transform(tmp_path)) == 4


def test_a_file_is_read_whatever_its_name_and_its_folder(tmp_path):
    write(tmp_path, "_old/_lines.parquet")
    assert len(RFMFeaturizer().fit_transform(tmp_path / "_old" / "_lines.parquet")) == 4
    write(tmp_path, "_old/part.parquet")
    with pytest.warns(DataQualityWarning, match="1 hidden"):
        assert RFMFeaturizer().fit_transform(tmp_path / "_old")["frequency"].sum() == 4


def test_a_folder_of_nothing_else(tmp_path):
    write(tmp_path, "_temporary/part-0.parquet")
    with pytest.raises(InvalidTableError, match=r"no file whose name ends in .parquet \(1 hidden\)"):
        RFMFeaturizer().fit(tmp_path)
