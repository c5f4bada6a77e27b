"""Customer segmentation with scikit-learn estimators: from raw tables to segments, personas and a report."""

from custseg._version import __version__

__all__ = ["__version__"]
