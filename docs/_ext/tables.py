"""Tables that are written from the code when the documentation is built, so that no page can differ from it."""

import inspect
import re
import tomllib
from importlib import import_module
from pathlib import Path

from custseg.reporting._glossary import GLOSSARY
from custseg.targeting import goals_to_frame, named_actions_to_frame

STAGES = {
    "datasets": "Data to start from",
    "characteristics": "From raw tables to one row per customer",
    "weighting": "How much each characteristic counts",
    "segmentation": "From one row per customer to segments",
    "validation": "Are the segments real?",
    "personas": "Who is in each segment?",
    "targeting": "What to do with whom?",
    "plotting": "Pictures",
    "reporting": "The report",
    "study": "All of it, from a brief",
    "exceptions": "Errors and warnings",
}
CONSTANTS = {
    "GOALS": "The goals that a brief can have, by name.",
    "SILHOUETTE_CUSTOMERS": "Of more customers than these, silhouettes are those of a sample.",
    "STABLE_ADJUSTED_RAND": "The mean adjusted Rand index from which on a number of segments is stable.",
    "STABLE_SEGMENT": "The mean Jaccard coefficient from which on a segment is stable.",
}

# pages that say nothing of limits of the library
LOOKED_UP = {"citation", "faq", "glossary", "index", "install", "peers", "performance", "recipes", "when_not"}
EXTRAS = {
    "plot": "pictures",
    "report": "the report",
    "excel": "the findings as a workbook",
    "slides": "the pictures as slides",
    "polars": "tables of polars",
    "duckdb": "tables of duckdb, and paths of files",
    "dask": "tables of dask",
    "ibis": "tables of ibis",
    "spark": "tables of Spark (needs Java)",
    "persist": "storing a study without running code when it is read",
    "terminal": "colours on the terminal",
    "demo": "`custseg demo` and its data",
    "test": "running the tests",
    "docs": "building these pages",
    "benchmark": "running the benchmarks",
    "dev": "all of it, for changes to custseg",
}


def summary(name, thing):
    """The first sentence of a docstring on one line; constants have none."""
    if name in CONSTANTS:
        return CONSTANTS[name]
    text, _, _ = inspect.getdoc(thing).partition("\n\n")
    return " ".join(text.split())


def index_of_names():
    """One table of all public names with a line each, by stage, as reStructuredText."""
    for stage, words in STAGES.items():
        module = import_module(f"custseg.{stage}")
        yield f"{words}\n{'-' * len(words)}\n\n:doc:`custseg.{stage} <{stage}>`\n\n"
        yield ".. list-table::\n   :widths: 35 65\n   :header-rows: 1\n   :class: names\n\n"
        yield "   * - name\n     - what it is\n"
        for name in sorted(module.__all__, key=str.lower):
            line = summary(name, getattr(module, name))
            yield f"   * - :obj:`~custseg.{stage}.{name}`\n     - {line}\n"
        yield "\n"


def markdown(frame):
    rows = [list(frame.columns), ["---"] * frame.shape[1], *frame.to_numpy().tolist()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def anchor(term):
    return re.sub(r"[^a-z]+", "-", term.lower()).strip("-")


def glossary():
    """The terms of the report, in the words of the report, each with a target of its own."""
    return "\n".join(f"(term-{anchor(term)})=\n## {term}\n\n{words}\n" for term, words in sorted(GLOSSARY))


def extras(project):
    """What each extra brings, from the file that says so."""
    given = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    yield "| extra | for | what it brings |\n| --- | --- | --- |\n"
    for name, packages in given.items():
        brings = ", ".join(re.sub(r"[<>=~].*", "", package) for package in packages)
        yield f"| `{name}` | {EXTRAS[name]} | {brings} |\n"


def when_not(guide):
    """What each page says about its limits, its links as seen from a page beside it."""
    order = re.findall(r"^[a-z_]+$", (guide / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    for page in (guide / f"{name}.md" for name in order):
        text = page.read_text(encoding="utf-8")
        title = re.search(r"^# (.*)$", text, re.MULTILINE)
        limits = re.search(r"^## When not to use (?:it|them)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        if title and limits and page.stem not in LOOKED_UP:
            words = limits[1].replace("](#", f"]({page.name}#").strip()
            yield f"## [{title[1]}]({page.name})\n\n{words}\n\n"


def write_tables(app):
    tables = {
        "goals": markdown(goals_to_frame()[["goal", "order_by", "condition", "action", "advice"]]),
        "named_actions": markdown(named_actions_to_frame()),
        "names": "".join(index_of_names()),
        "glossary": glossary(),
        "extras": "".join(extras(Path(app.srcdir).parent)),
        "when_not": "".join(when_not(Path(app.srcdir) / "user_guide")),
    }
    folder = Path(app.srcdir) / "api" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
