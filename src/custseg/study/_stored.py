"""Studies in files that run no code when they are read."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from custseg import characteristics, personas, segmentation
from custseg._core.asking import asks
from custseg._core.customer_rows import without_customers
from custseg._core.params import Instance, Where, check
from custseg._core.stored import fitted, holds_skops, read_skops, unknown_types, write_skops
from custseg.exceptions import OutputPathError, StoredStudyError
from custseg.study._study import SegmentationStudy

__all__ = ["load_study", "store_study", "trusted_types"]

_STAGES = (characteristics, segmentation, personas)
_BOOL = Where(lambda value: isinstance(value, bool), "True or False")
_PARAMETERS = {
    "study": (Instance(SegmentationStudy, words="a SegmentationStudy"),),
    "include_customers": (_BOOL,),
    "overwrite": (_BOOL,),
}
_TEXTS = Where(
    lambda value: isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(x, str) for x in value),
    "a list of full names of types, as text",
)


def trusted_types() -> list[str]:
    """Name the types that a file of skops may hold to be one of custseg's.

    ``skops.io.load(file, trusted=custseg.trusted_types())`` reads any fitted estimator of custseg that was written by
    ``skops.io.dump``. Such a file holds text, numbers and arrays; what they are made into are classes of custseg and
    tables, and no code of the file is run.

    Returns
    -------
    list of str
        The full name of every public estimator, sorted.

    See Also
    --------
    load_study : Reads a study.

    Examples
    --------
    >>> from custseg import trusted_types
    >>> trusted_types()[-1]
    'custseg.study._study.SegmentationStudy'
    """
    public = [getattr(stage, name) for stage in _STAGES for name in stage.__all__]
    found = [kind for kind in public if inspect.isclass(kind) and issubclass(kind, BaseEstimator)]
    kinds = [*(kind for kind in found if not inspect.isabstract(kind)), SegmentationStudy]
    return sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)


@asks
def store_study(
    study: SegmentationStudy, path: str | Path, *, include_customers: bool = True, overwrite: bool = False
) -> Path:
    """Write a fitted study to a file that runs no code when it is read.

    Parameters
    ----------
    study : SegmentationStudy
        Fitted.
    path : str or path
        The file, by custom with the ending ``.skops``.
    include_customers : bool, default=True
        Whether the file holds every customer of the audience: id, characteristics, segment and value. Without them the
        study still assigns new customers and writes its report; ``customers_``, ``labels_`` and all else that is of
        single customers is left out, and asking for it is an error that says so.
    overwrite : bool, default=False
        Whether a file that exists is replaced.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    NotFittedError
        Before ``fit``.
    OutputPathError
        If the file cannot be written, or exists.
    InvalidParameterError
        If a parameter is of the wrong kind, or customers are to be left out and an engine of another library, such as
        one that looks for the nearest customers, cannot assign anybody without them.
    StoredStudyError
        If skops cannot store an engine of another library.
    MissingDependencyError
        If skops is not installed.

    See Also
    --------
    load_study : Reads it again.

    Notes
    -----
    Names of levels and of columns, bounds of bands and the figures of the personas stay in the file whatever is left
    out; ``GeographicEncoder(density_radius=...)`` describes nobody without the customers whom it counts.

    Examples
    --------
    >>> import tempfile
    >>> from custseg import RuleSegmenter, SegmentationBrief, SegmentationStudy, load_study, store_study
    >>> from custseg.datasets import make_customers
    >>> profile = make_customers(60, random_state=0).profile[["customer_id", "age"]]
    >>> rules = RuleSegmenter({"Older": "age > 50"}, otherwise="Younger")
    >>> study = SegmentationStudy(SegmentationBrief(), clusterer=rules, n_pairs=2).fit(profile)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bare = load_study(store_study(study, f"{folder}/study.skops", include_customers=False))
    >>> bare.predict(profile).tolist() == study.labels_.tolist()
    True
    >>> bare.labels_
    Traceback (most recent call last):
    ...
    custseg.exceptions.CustomersNotStoredError: Segmentation: 'labels' is of single customers, which were left out when\
 the study was stored. Assign the customers of the tables again, or store the study with include_customers=True.
    """
    check(_PARAMETERS, {"study": study, "include_customers": include_customers, "overwrite": overwrite})
    check_is_fitted(study)
    place = Path(path)
    if os.path.lexists(place) and not overwrite:
        raise OutputPathError.exists(place)
    kept = study if include_customers else without_customers(study, study.segmentation_.n_customers)
    write_skops(kept, place, overwrite=overwrite)
    return place


@asks
def load_study(path: str | Path, *, trusted: Sequence[str] = ()) -> SegmentationStudy:
    """Read a study that :func:`store_study` or ``custseg run`` wrote.

    Parameters
    ----------
    path : str or path
        The file.
    trusted : sequence of str, default=()
        Full names of types beyond :func:`trusted_types` and those that skops trusts by itself, such as what an engine
        of another library holds. Read what such a type does before you trust it.

    Returns
    -------
    SegmentationStudy
        The fitted study.

    Raises
    ------
    StoredStudyError
        If the file is no file of skops, as a pickle is none, holds types that are not trusted, or holds no fitted
        study.
    FileNotFoundError
        If there is no file.
    MissingDependencyError
        If skops is not installed.

    See Also
    --------
    store_study : Writes it, with or without the rows of customers.

    Examples
    --------
    >>> import tempfile
    >>> from custseg import RuleSegmenter, SegmentationBrief, SegmentationStudy, load_study, store_study
    >>> from custseg.datasets import make_customers
    >>> profile = make_customers(60, random_state=0).profile[["customer_id", "age"]]
    >>> rules = RuleSegmenter({"Older": "age > 50"}, otherwise="Younger")
    >>> study = SegmentationStudy(SegmentationBrief(), clusterer=rules, n_pairs=2).fit(profile)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_study(store_study(study, f"{folder}/rules.skops")).segmentation_.names
    ('Older', 'Younger')
    """
    check({"trusted": (_TEXTS,)}, {"trusted": trusted})
    path = Path(path)
    if not holds_skops(path):
        remedy = "If you trust whoever made it, read it with joblib.load, and store it by store_study."
        raise StoredStudyError.runs_code(path, "is no file of skops: it may be a pickle", remedy)
    known = {*trusted_types(), *trusted}
    unknown = unknown_types(path, known)
    if unknown:
        remedy = f"If you trust whoever made it, pass trusted={unknown!r}."
        raise StoredStudyError.runs_code(path, f"holds what custseg does not know ({', '.join(unknown)})", remedy)
    return fitted(read_skops(path, known), SegmentationStudy, path)
