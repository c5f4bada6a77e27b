"""How the documentation is built: no network, and every example executed."""

import os
import sys
import warnings
from importlib import import_module
from pathlib import Path

from numpydoc.xref import DEFAULT_LINKS

import custseg

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "custseg"
author = "The custseg developers"
project_copyright = "The custseg developers"
version = release = custseg.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    # our own, in docs/_ext
    "accessible",
    "mathml",
    "pictures",
    "tables",
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "examples",
    "gallery/*.ipynb",
    "gallery/*.py",
    "gallery/*.md5",
    "**sg_execution_times.rst",
]
suppress_warnings = ["config.cache"]  # the sorting of the gallery is a function

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say the types, in words
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"  # but what is named here: types of other libraries, and our own classes
numpydoc_xref_aliases = {name: name for name in DEFAULT_LINKS} | {
    "Axes": "matplotlib.axes.Axes",
    "DataFrame": "pandas.DataFrame",
    "Figure": "matplotlib.figure.Figure",
    "Index": "pandas.Index",
    "RandomState": "numpy.random.RandomState",
    "Series": "pandas.Series",
    "Timestamp": "pandas.Timestamp",
    "ndarray": "numpy.ndarray",
    "pandas.DataFrame": "pandas.DataFrame",
    "pandas.Series": "pandas.Series",
    "pandas.Timestamp": "pandas.Timestamp",
}
for stage in {path.stem for path in (HERE / "api").glob("*.rst")} - {"exceptions", "index"}:
    classes = [name for name in import_module(f"custseg.{stage}").__all__ if name[0].isupper() and not name.isupper()]
    numpydoc_xref_aliases |= {name: f"custseg.{stage}.{name}" for name in classes}
toc_object_entries_show_parents = "hide"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp"
# what is referred to, and nothing else: stored, so that nothing is fetched when the pages are built
intersphinx_mapping = {
    name: (address, str(HERE / "_inventories" / f"{name}.inv"))
    for name, address in {
        "matplotlib": "https://matplotlib.org/stable/",
        "numpy": "https://numpy.org/doc/stable/",
        "pandas": "https://pandas.pydata.org/docs/",
        "python": "https://docs.python.org/3/",
        "scipy": "https://docs.scipy.org/doc/scipy/",
        "sklearn": "https://scikit-learn.org/stable/",
    }.items()
}
myst_enable_extensions = ["attrs_block", "colon_fence", "dollarmath"]
myst_dmath_double_inline = False
html_math_renderer = "mathml"
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "custseg"
html_favicon = "_static/icon.svg"
html_logo = "_static/icon.svg"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = ["estimator_box.js", "search.js"]
html_theme_options = {
    "logo": {"text": "custseg", "alt_text": "custseg, to the first page"},
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
}

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py",
    "abort_on_example_error": True,
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("custseg",),
    "reference_url": {"custseg": None},
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"custseg\.plotting",  # the picture says what its repr would
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "thumbnail_size": (640, 400),
    "within_subsection_order": "FileNameSortKey",
}

# a warning in an example is a mistake in the example
warnings.filterwarnings("error", module=r"custseg\.")
os.environ.setdefault("COLUMNS", "100")
