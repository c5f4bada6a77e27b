"""What holds for every encoder of a table with one row per customer."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg._core import frames
from custseg.exceptions import DataQualityWarning

KINDS = {
    "pandas": lambda table: table,
    "polars": pl.from_pandas,
    "lazy": lambda table: pl.from_pandas(table).lazy(),
    "pyarrow": lambda table: pa.Table.from_pandas(table, preserve_index=False),
}


def quietly(function, *arguments):
    """Call, where what is warned of is tested elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        return function(*arguments)


def as_values(output):
    """Bring any output to pandas with float, object or text columns, so that dtypes do not matter."""
    if isinstance(output, (pl.DataFrame, pa.Table)):
        output = output.to_pandas()
    if "customer_id" in output.columns:
        output = output.set_index("customer_id")
    plain = {}
    for name, column in output.items():
        if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype.kind not in "bif":
            plain[name] = [None if pd.isna(value) else value for value in column.tolist()]
        else:
            plain[name] = column.astype("float64").tolist()
    # a bool with missing values is an object in polars and pyarrow
    plain = {n: [float(v) if isinstance(v, (bool, np.bool_)) else v for v in values] for n, values in plain.items()}
    frame = pd.DataFrame(plain, index=pd.Index(output.index.tolist(), name="customer_id"))
    return frame.astype(dict.fromkeys(frame, object)).where(frame.notna(), None)


def assert_same(first, second):
    assert_frame_equal(as_values(first), as_values(second), check_dtype=False, check_index_type=False)


def check_laws(encoder, table, seed=0):
    """Check the laws on one table, in pandas: the order of rows and columns, subsets, transform, zero rows, pickles."""
    rng = np.random.RandomState(seed)
    fitted = clone(encoder)
    output = quietly(fitted.fit_transform, table)
    before = pickle.dumps(fitted)
    assert_same(quietly(fitted.transform, table), output)
    assert output.index.is_monotonic_increasing
    assert list(output.columns) == list(fitted.get_feature_names_out()) == list(fitted.units_)

    shuffled = table.iloc[rng.permutation(len(table))]
    assert_frame_equal(quietly(clone(encoder).fit_transform, shuffled), output)
    turned = table[list(rng.permutation(table.columns))]
    assert_same(quietly(fitted.transform, turned), output)

    some = rng.rand(len(table)) < 0.5
    part = quietly(fitted.transform, table[some])
    assert_same(part, output.loc[part.index])
    assert len(part) == some.sum()

    nobody = quietly(fitted.transform, table.iloc[:0])
    assert nobody.shape == (0, output.shape[1])
    assert list(nobody.columns) == list(output.columns)
    assert pickle.dumps(fitted) == before


def check_kinds(encoder, table, monkeypatch):
    """Check that every kind of frame gives the same values, and its own kind."""
    expected = quietly(clone(encoder).fit_transform, table)
    for kind, convert in KINDS.items():
        output = quietly(clone(encoder).fit_transform, convert(table))
        assert isinstance(output, {"pandas": pd.DataFrame, "pyarrow": pa.Table}.get(kind, pl.DataFrame)), kind
        assert_same(output, expected)
    monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)
    assert_same(quietly(clone(encoder).fit_transform, table), expected)
