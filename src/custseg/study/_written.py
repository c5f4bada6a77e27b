"""What a fitted study writes for people: its report and its pictures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from custseg._core.asking import asks_as_class
from custseg.characteristics import RowReport
from custseg.reporting import write_figures, write_report
from custseg.study._brief import SegmentationBrief
from custseg.study._views import StudyViews

__all__ = ["StudyWriting"]


class StudyWriting(StudyViews):
    """The files of a study, and what a report reads beside its views."""

    brief: SegmentationBrief
    n_pairs: int
    title: str | None
    outcomes_: pd.DataFrame
    n_customers_seen_: int
    tables_read_: pd.DataFrame
    match_report_: pd.DataFrame | None
    audience_report_: pd.DataFrame
    row_report_: RowReport

    @asks_as_class
    def write_report(self, path: str | Path, *, title: str | None = None, overwrite: bool = True) -> Path:
        """Write the report.

        Parameters
        ----------
        path : str or path
            The file; its ending chooses HTML (``.html``), Markdown (``.md``), JSON (``.json``), PowerPoint
            (``.pptx``) or Excel (``.xlsx``), whose sheet *Customers* holds the segment of every customer where the
            study holds them.
        title : str or None, default=None
            The title; None takes that of the study, or else the finding.
        overwrite : bool, default=True
            Whether a file that exists is replaced; otherwise it is refused.

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        MissingDependencyError
            If the library that writes such a file is not installed.
        OutputPathError
            If the file cannot be written or its ending is unknown.
        """
        check_is_fitted(self)
        return write_report(self, path, title=self.title if title is None else title, overwrite=overwrite)

    @asks_as_class
    def figures(self, path: str | Path, *, overwrite: bool = True) -> list[Path]:
        """Write every picture that the study has data for as PNG and SVG, with its alternative text.

        Parameters
        ----------
        path : str or path
            The folder; where there is none, it is made, in one that is there.
        overwrite : bool, default=True
            Whether figures that exist are replaced; otherwise a folder that holds some is refused.

        Returns
        -------
        list of pathlib.Path
            The files written, see :func:`~custseg.reporting.write_figures`. The last, ``figures.txt``, lists the
            pictures by their titles, and those that are left out with the reason.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        OutputPathError
            If the folder cannot be written to, or holds figures and they are not to be replaced.
        """
        check_is_fitted(self)
        return write_figures(self, path, overwrite=overwrite)
