"""Text in its composed form (NFC), in which a character is written one way: "é" as one sign, not as "e" and an accent.

Programs and file systems differ in which of the two they write, and nobody sees the difference: both are one level
and one id.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from custseg._core.asking import asked
from custseg._core.native import from_native
from custseg._core.optional import require
from custseg._core.surrogates import refuse_surrogates
from custseg._core.uuids import without_uuids
from custseg.exceptions import InvalidTableError

# Text without any of these is composed: marks, the vowels and finals of Hangul, and signs that are another one in NFC
# (with some neighbours of theirs, which costs a second look and no more). Rust, RE2 and Java read it alike.
_SUSPECT = (
    r"[\p{M}\x{0374}\x{037E}\x{0387}\x{0958}-\x{0F69}\x{1161}-\x{1175}\x{11A8}-\x{11C2}\x{1F71}-\x{1FFD}\x{2000}\x{2001}"
    r"\x{2126}\x{212A}\x{212B}\x{2329}\x{232A}\x{2ADC}\x{F900}-\x{FB4E}\x{1D15E}-\x{1D1C0}\x{2F800}-\x{2FA1D}]"
)

# All signs before U+0300, which are those of UTF-8 whose bytes are below this one, are composed.
_FIRST_BYTE = 0xCC

# So many texts an engine that cannot compose them itself is told one by one.
_MOST_TEXTS = 500


def composed_text(text: str) -> str:
    """Return one text in composed form."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def spellings(text: str) -> list[str]:
    """Return how a text may be written: composed, and decomposed where that differs."""
    return list(dict.fromkeys((composed_text(text), unicodedata.normalize("NFD", text))))


def composed_values(values: npt.NDArray[Any], name: object) -> npt.NDArray[Any]:
    """Return an array of ids, called by a name, with its texts in composed form; what is no text stays as it is."""
    if values.dtype.kind != "O":
        return values
    try:
        if all(map(str.isascii, values)):
            return values
    except TypeError:  # there are others than texts
        pass
    refuse_surrogates(name, values)
    found = [composed_text(value) if isinstance(value, str) else value for value in without_uuids(values)]
    return np.fromiter(found, dtype=object, count=len(found))


def merged_levels(codes: npt.NDArray[np.int64], levels: Iterable[str]) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Make one of levels that are the same text, in the order of their first ones; -1 stays -1."""
    texts = [composed_text(level) for level in levels]
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    if len(places) == len(texts):
        return codes, tuple(texts)
    return np.array([*(places[text] for text in texts), -1], dtype=np.int64)[codes], tuple(places)


def composed(frame: nw.LazyFrame[Any], columns: Iterable[str]) -> nw.LazyFrame[Any]:
    """Bring columns of text into composed form, in the engine of the frame; other columns stay as they are.

    Categories become text.
    """
    columns, schema, engine = list(columns), frame.collect_schema(), frame.implementation
    categories = [name for name in columns if isinstance(schema[name], (nw.Categorical, nw.Enum))]
    names = [name for name in columns if name in categories or isinstance(schema[name], nw.String)]
    if not names:
        return frame
    if categories:
        frame = frame.with_columns(nw.col(name).cast(nw.String) for name in categories)
    if engine.is_pandas():
        table: Any = frame.to_native()
        whole = nw.from_native(table.assign(**{name: _of_pandas(table[name]) for name in names}), eager_only=True)
        lazy: nw.LazyFrame[Any] = whole.lazy()
        return lazy
    native = _by_engine(engine, frame.to_native(), names)
    if native is None:
        return frame.with_columns(_told(frame, name) for name in names)
    found: nw.LazyFrame[Any] = from_native(native)
    return found


def _by_engine(engine: Any, native: Any, names: Sequence[str]) -> Any:
    """Let an engine compose text that can; None where it cannot."""
    if engine.is_polars():
        polars = engine.to_native_namespace()
        return native.with_columns(
            polars.col(name).map_batches(_of_polars, polars.String, is_elementwise=True) for name in names
        )
    if engine.is_dask():
        parts = {name: native[name].map_partitions(_of_pandas, meta=native[name]._meta) for name in names}  # noqa: SLF001
        return native.assign(**parts)
    if engine.is_duckdb():
        each = (f"{_of_duckdb(_quoted(name))} AS {_quoted(name)}" for name in names)
        return native.project(f"* REPLACE ({', '.join(each)})")
    if engine.is_ibis() and native.get_backend().name == "duckdb":
        return native.mutate(**{name: _of_ibis(native[name]) for name in names})
    return None


def composed_series(series: nw.Series[Any]) -> nw.Series[Any]:
    """Bring a series of polars or pandas into composed form where it is text."""
    if not isinstance(series.dtype, nw.String):
        return series
    native: Any = series.to_native()
    of_engine = _of_polars if series.implementation.is_polars() else _of_pandas
    return nw.from_native(of_engine(native), series_only=True)


def _changed(texts: Iterable[Any]) -> Mapping[str, str]:
    return {text: composed_text(text) for text in texts if not unicodedata.is_normalized("NFC", text)}


def _of_polars(texts: Any) -> Any:
    # a look at the bytes of all texts together takes a fifth of the time of one at each text
    together = texts.str.join("").cast(require("polars").Binary).item()
    if np.frombuffer(together, dtype=np.uint8).max(initial=0) < _FIRST_BYTE:
        return texts
    # text of as many bytes as signs is plain
    rest = texts.filter(texts.str.len_bytes() != texts.str.len_chars())
    changed = _changed(rest.filter(rest.str.contains(_SUSPECT)).unique().to_list()) if len(rest) else {}
    return texts.replace(changed) if changed else texts


def _of_pandas(texts: Any) -> Any:
    changed = _changed(texts.dropna().unique())
    if not changed:
        return texts
    return texts.map(lambda text: changed.get(text, text), na_action="ignore").astype(texts.dtype)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _of_duckdb(column: str) -> str:
    return f"CASE WHEN regexp_matches({column}, '{_SUSPECT}') THEN nfc_normalize({column}) ELSE {column} END"


def _of_ibis(column: Any) -> Any:
    ibis = require("ibis")

    def nfc_normalize(text):  # type: ignore[no-untyped-def] # what it does stands in duckdb
        ...

    in_duckdb = ibis.udf.scalar.builtin(nfc_normalize, signature=((str,), str))
    return ibis.ifelse(column.re_search(_SUSPECT), in_duckdb(column), column)


def _told(frame: nw.LazyFrame[Any], name: str) -> nw.Expr:
    """Return a column whose texts are composed one by one, for an engine that cannot do it itself."""
    suspect = frame.filter(nw.col(name).str.contains(_SUSPECT)).select(name).unique().head(_MOST_TEXTS * 10)
    changed = _changed(suspect.collect("pandas")[name].to_list())
    if len(changed) > _MOST_TEXTS:
        raise InvalidTableError(
            f"{asked()}: more than {_MOST_TEXTS} texts of column {name!r} are decomposed (accents are signs of their "
            "own), and this engine cannot compose them. Write the column in Unicode NFC first."
        )
    found = nw.col(name)
    for text, whole in changed.items():
        found = nw.when(nw.col(name) == text).then(nw.lit(whole)).otherwise(found)
    return found.alias(name)
