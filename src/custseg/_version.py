"""The version of custseg, read by the build and by ``custseg.__version__``."""

__version__ = "0.1.0.dev0"
