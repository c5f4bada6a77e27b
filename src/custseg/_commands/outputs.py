"""What a study leaves behind: report, assignments and the study itself, checked before the computation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from custseg import study as study_files
from custseg._core.customer_rows import without_customers
from custseg._core.files import TABLE_ENDINGS, check_writable, is_read_from, refuse_collisions, replacing
from custseg._core.formulas import Formulas
from custseg._core.optional import require
from custseg._core.paths import is_path
from custseg._core.stored import fitted, holds_skops, read_skops, unknown_types
from custseg._core.visible import visible
from custseg.exceptions import ConfigurationError, OutputPathError, StoredStudyError
from custseg.reporting import check_figures_path, check_report_path
from custseg.study import SegmentationStudy

__all__ = [
    "check_figures",
    "check_output",
    "load_study",
    "parameter_files",
    "refuse_losses",
    "store_study",
    "write_assignments",
]

_TABLES = (".csv", ".csv.gz", ".parquet")
_PICKLES = (".joblib", ".pkl", ".pickle")
_ADD_TRUST = "If you trust whoever made it, add --trust."


def check_output(name: str, path: Path) -> Path:
    """Check the path of a report, of assignments or of a study, and the library that writing it needs."""
    if name == "report":
        return check_report_path(path)
    if name == "assignments" and not path.name.lower().endswith(_TABLES):
        raise ConfigurationError.not_a_table(path, _TABLES)
    if name == "study" and not _is_pickle(path):
        require("skops", "storing a study")
    return check_writable(path)


def check_figures(folder: Path | None, outputs: Mapping[str, Path]) -> dict[str, Path]:
    """Check the folder of figures, where some are asked for, and return the file that every such folder has."""
    if folder is None:
        return {}
    require("matplotlib", "--figures")
    refuse_collisions({**outputs, "--figures": folder})
    return {"--figures": check_figures_path(folder)}


def refuse_losses(outputs: Mapping[str, Path], sources: Iterable[tuple[str, Path]], *, overwrite: bool = False) -> None:
    """Refuse to write what would destroy something: what is read, another output, or a file that exists.

    Parameters
    ----------
    outputs : mapping of str to Path
        Where to write, by what is written.
    sources : iterable of (str, path)
        What is read, in words for messages, and where.
    overwrite : bool, default=False
        Whether files that exist, and are none of ``sources``, are replaced.
    """
    refuse_collisions(outputs)
    for words, source in sources:
        for path in outputs.values():
            if is_read_from(path, source):
                raise OutputPathError.is_source(path, f"{words} is")
    for path in outputs.values():
        if os.path.lexists(path) and not overwrite:
            raise OutputPathError.exists(path, "--overwrite")


def parameter_files(study: SegmentationStudy) -> list[tuple[str, Path]]:
    """Return the tables that parameters of a study name by their path, such as the sites of a GeographicEncoder."""
    parameters = study.get_params(deep=True).items()
    paths = [(f"parameter {name!r}", Path(value)) for name, value in parameters if is_path(value)]
    return [(words, path) for words, path in paths if path.name.lower().endswith(TABLE_ENDINGS)]


def write_assignments(
    study: SegmentationStudy,
    tables: Any,
    path: Path,
    as_of: str | None = None,
    *,
    escape_formulas: bool = False,
    overwrite: bool = False,
) -> None:
    """Write the segment of every customer, and the group where there are no segments but a cut."""
    customers = study.transform(tables, as_of=as_of)
    segments = customers[["segment"]].copy()
    names = {persona.segment: persona.name for persona in study.personas_}
    segments["name"] = segments["segment"].map(names).fillna("")
    if study.cut_ is not None:
        inside = (segments["segment"] >= 0).to_numpy()
        groups = pd.Series(-1, index=segments.index)
        if inside.any():
            groups[inside] = study.cut_.predict(customers.loc[inside].drop(columns="segment"))
        segments["constructive_group"] = groups
        names = dict(enumerate(study.cut_.segment_names))
        segments["constructive_name"] = groups.map(names).fillna("")
    with replacing(path, overwrite=overwrite) as temporary:
        if path.suffix.lower() == ".parquet":
            require("pyarrow", "writing Parquet")
            segments.to_parquet(temporary, engine="pyarrow")
        else:
            _without_formulas(segments, escape_formulas).to_csv(
                temporary, compression="gzip" if path.suffix.lower() == ".gz" else None
            )
    print(visible(f"Assignments: {path} ({len(segments):,} customers)"))


def _without_formulas(segments: pd.DataFrame, escape: bool) -> pd.DataFrame:
    """Look at the ids and names, and at what the ids are called."""
    formulas = Formulas(escape=escape)
    ids, found = formulas.checked(segments.index.tolist())
    (name,), _ = formulas.checked([segments.index.name])
    # ids that are no text keep their own type
    written = segments.set_axis(pd.Index(ids, name=name) if found.any() else segments.index.rename(name))
    for column in segments.columns[[not pd.api.types.is_numeric_dtype(dtype) for dtype in segments.dtypes]]:
        # many customers bear one name, which counts once
        names = written[column].unique().tolist()
        written[column] = written[column].map(dict(zip(names, formulas.checked(names)[0], strict=True)))
    formulas.tell("--escape-formulas, or escape_formulas = true in the study file,")
    return written


def store_study(
    study: SegmentationStudy, path: Path, *, include_customers: bool = True, overwrite: bool = False
) -> None:
    """Write a fitted study, with or without the rows of its customers."""
    if _is_pickle(path):
        kept = study if include_customers else without_customers(study, study.segmentation_.n_customers)
        with replacing(path, overwrite=overwrite) as temporary:
            joblib.dump(kept, temporary, compress=3)
    else:
        study_files.store_study(study, path, include_customers=include_customers, overwrite=overwrite)
    print(visible(f"Study: {path}"))


def load_study(path: Path, *, trust: bool = False) -> SegmentationStudy:
    """Read a fitted study; what may run code is read where it is trusted."""
    if holds_skops(path):
        known = study_files.trusted_types()
        unknown = unknown_types(path, known)
        if unknown and not trust:
            what = f"holds what custseg does not know ({', '.join(unknown)})"
            raise StoredStudyError.runs_code(path, what, _ADD_TRUST)
        return fitted(read_skops(path, [*known, *unknown]), SegmentationStudy, path)
    if not trust:
        raise StoredStudyError.runs_code(path, "is no file of skops: it may be a pickle", _ADD_TRUST)
    try:
        study = joblib.load(path)
    except OSError:
        raise
    except Exception as error:
        # What a broken or foreign pickle raises is not bounded.
        raise StoredStudyError.no_study(path, type(error).__name__) from error
    return fitted(study, SegmentationStudy, path)


def _is_pickle(path: Path) -> bool:
    return path.name.lower().endswith(_PICKLES)
