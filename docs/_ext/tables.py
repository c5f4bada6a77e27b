"""Tables that are written from the code when the documentation is built, so that no page can differ from it."""

import inspect
import re
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
        yield ".. list-table::\n   :widths: 35 65\n   :header-rows: 1\n   :class: names\n\n   * - name\n     - what it is\n"
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


def write_tables(app):
    tables = {
        "goals": markdown(goals_to_frame()[["goal", "order_by", "condition", "action", "advice"]]),
        "named_actions": markdown(named_actions_to_frame()),
        "names": "".join(index_of_names()),
        "glossary": glossary(),
    }
    folder = Path(app.srcdir) / "api" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
