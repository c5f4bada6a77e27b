"""What a spreadsheet may run is counted and warned of, or loses its effect; the rest is written as it is."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from custseg import RuleSegmenter, write_segments
from custseg._core.formulas import Formulas, is_formula
from custseg.exceptions import DataQualityWarning

IDS = ["=1+1", "+4", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "A=1", "'=1", "", "7"]
ESCAPED = ["'=1+1", "'+4", "'-2+3", "'@SUM(A1)", "'\t=1", "'\r=1", "A=1", "'=1", "", "7"]
WORDS = "6 id.s. or name.s. in the CSV file begin with =, .*such as '=1.1'.*escape_formulas=True puts a ' before them"


def test_what_a_formula_is():
    assert [is_formula(one) for one in IDS] == [True] * 6 + [False] * 4
    assert not any(map(is_formula, [-5, None, np.nan, 3.0, b"=1"]))


def test_they_are_counted_over_all_batches():
    formulas = Formulas(escape=False)
    for batch in (["a"], ["=1", "b"], ["@2"]):
        assert formulas.checked(batch)[0] == batch
    with pytest.warns(DataQualityWarning, match="2 id.* such as '=1'"):
        formulas.tell("x=True")


def customers(kind):
    table = pd.DataFrame({"customer_id": IDS[:8], "spend": range(8)})
    return {
        "pandas": lambda: table,
        "categories": lambda: table.astype({"customer_id": "category"}),
        "index": lambda: table.set_index("customer_id"),
        "polars": lambda: pl.from_pandas(table),
        "pyarrow": lambda: pa.Table.from_pandas(table),
    }[kind]()


@pytest.mark.parametrize("kind", ["pandas", "categories", "index", "polars", "pyarrow"])
def test_ids_in_csv_are_exact_and_warned_of_or_escaped(kind, tmp_path):
    table = customers(kind)
    segmenter = RuleSegmenter({"Low": "spend < 4"}, otherwise="High").fit(table)
    with pytest.warns(DataQualityWarning, match=f"write_segments: {WORDS}") as caught:
        write_segments(segmenter, table, tmp_path / "exact.csv", batch_size=3)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_segments(segmenter, table, tmp_path / "escaped.csv", batch_size=3, escape_formulas=True)
        write_segments(segmenter, table, tmp_path / "exact.parquet", batch_size=3)
    for name, ids in (("exact", IDS), ("escaped", ESCAPED)):
        content = (tmp_path / f"{name}.csv").read_bytes().decode()
        assert content == '"customer_id","segment"\n' + "".join(
            f'"{one}",{place // 4}\n' for place, one in enumerate(ids[:8])
        )
    assert pd.read_parquet(tmp_path / "exact.parquet")["customer_id"].tolist() == IDS[:8]


def test_numbers_are_no_formulas(tmp_path):
    table = pd.DataFrame({"customer_id": [-1, -2], "spend": [1.0, 2.0]})
    segmenter = RuleSegmenter({"Low": "spend < 2"}, otherwise="High").fit(table)
    write_segments(segmenter, table, tmp_path / "ids.csv", escape_formulas=True)
    assert (tmp_path / "ids.csv").read_text().splitlines()[1:] == ["-1,0", "-2,1"]
