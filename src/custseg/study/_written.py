"""What a fitted study writes for people: its report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from custseg.characteristics import RowReport
from custseg.reporting import write_report
from custseg.study._brief import SegmentationBrief
from custseg.study._views import StudyViews

__all__ = ["StudyWriting"]


class StudyWriting(StudyViews):
    """The files of a study, and what a report reads beside its views."""

    brief: SegmentationBrief
    n_pairs: int
    outcomes_: pd.DataFrame
    n_customers_seen_: int
    tables_read_: pd.DataFrame
    match_report_: pd.DataFrame | None
    audience_report_: pd.DataFrame
    row_report_: RowReport

    def write_report(self, path: str | Path, *, title: str | None = None, overwrite: bool = True) -> Path:
        """Write the report.

        Parameters
        ----------
        path : str or path
            The file; its ending chooses HTML (``.html``), Markdown (``.md``) or JSON (``.json``).
        title : str or None, default=None
            The title; None takes the finding.
        overwrite : bool, default=True
            Whether a file that exists is replaced; otherwise it is refused.

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        MissingDependencyError
            If jinja2 is not installed and HTML is asked for.
        OutputPathError
            If the file cannot be written or its ending is unknown.
        """
        check_is_fitted(self)
        return write_report(self, path, title=title, overwrite=overwrite)
