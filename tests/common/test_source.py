"""House rules that a reader of the syntax trees can check: sizes, imports, mirrored folders, machine paths."""

import ast
import sys
from functools import cache
from pathlib import Path

from tests.common.discovery import PROJECT, SOURCE, python_files

# Tests, benchmarks and docs may be longer: an oracle, or a study made by hand, reads best in one piece.
MAX_FILE, MAX_FUNCTION = 500, 40
ELSEWHERE_FILE, ELSEWHERE_FUNCTION = 800, 60
MAX_FILES_IN_FOLDER = 15
# longer than the rule, and to be split; a line that is not needed any more fails
LONG: set[str] = set()
CORE = {"numpy", "scipy", "pandas", "sklearn", "narwhals", "joblib", "threadpoolctl", "custseg"}
FOLDERS = ("src", "tests", "docs", "benchmarks")


def relative(path):
    return str(path.relative_to(PROJECT))


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree):
    """The import statements of a tree, each with the top-level names that it brings in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield node, [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            yield node, [(node.module or "").partition(".")[0]]


def length_without_docstring(function):
    body = function.body
    documented = ast.get_docstring(function) is not None
    docstring = body[0].end_lineno - body[0].lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


def test_the_walk_finds_the_source():
    found = {relative(path) for path in python_files("src")}
    assert {"src/custseg/__init__.py", "src/custseg/_core/frames.py", "src/custseg/datasets/__init__.py"} <= found


def too_long(path):
    """What in a file is longer than the rule: the file by its path, a function by path and name."""
    name, is_source = relative(path), SOURCE in path.parents
    max_file, max_function = (MAX_FILE, MAX_FUNCTION) if is_source else (ELSEWHERE_FILE, ELSEWHERE_FUNCTION)
    if len(path.read_text(encoding="utf-8").splitlines()) > max_file:
        yield name
    for node in ast.walk(tree_of(path)):
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if is_function and length_without_docstring(node) > max_function:
            yield f"{name}: {node.name}"


def test_files_and_functions_stay_small():
    found = {name for path in python_files(*FOLDERS) for name in too_long(path)}
    assert found == LONG


def test_no_folder_of_a_stage_holds_more_files_than_a_reader_can_keep_in_mind():
    folders = {path.parent for path in python_files("src")} - {SOURCE / "_core"}  # which is no stage
    assert SOURCE / "segmentation/_kmeans" in folders
    sizes = {relative(folder): len(list(folder.glob("*.py"))) for folder in folders}
    assert not {name: size for name, size in sizes.items() if size > MAX_FILES_IN_FOLDER}


def misplaced_imports(path):
    """Imports inside a function or a condition, and those of a library that may be absent, as path, line and reason."""
    tree = tree_of(path)
    at_the_top = {id(node) for node in ast.iter_child_nodes(tree)}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            at_the_top |= {id(child) for child in ast.walk(node)}
    for node, roots in imports(tree):
        if id(node) not in at_the_top:
            yield f"{relative(path)}, line {node.lineno}: an import inside a function or a condition"
        if not set(roots) <= CORE | sys.stdlib_module_names:
            yield f"{relative(path)}, line {node.lineno}: use _core.optional.require"


def test_only_core_libraries_are_imported_and_only_at_the_top():
    assert [found for path in python_files("src") for found in misplaced_imports(path)] == []


# optional libraries, and the stages at first use
BY_NAME = {SOURCE / "_core/optional.py", SOURCE / "__init__.py"}


def test_nothing_is_imported_by_name_past_the_two_places_for_it():
    texts = {relative(path): path.read_text(encoding="utf-8") for path in set(python_files("src")) - BY_NAME}
    assert [name for name, text in texts.items() if "import_module" in text or "__import__" in text] == []


def packages_in(folder):
    """The packages of a folder and of its packages, as paths below it."""
    return {path.parent.relative_to(folder) for path in folder.rglob("__init__.py")} - {Path()}


def test_tests_mirror_the_folders_of_the_source():
    sources, tests = packages_in(SOURCE), packages_in(PROJECT / "tests") - {Path("common")}
    assert tests <= sources
    for package in sources:
        assert list((PROJECT / "tests" / package).rglob("test_*.py")), f"no test of {package}"
    for path in SOURCE.glob("[a-z]*.py"):
        assert list((PROJECT / "tests").rglob(f"test_{path.stem}*.py")), f"no test of {path.name}"


def test_no_path_of_a_machine_stands_in_the_project():
    # put together here, so that this file does not find itself
    places = ["/" + place + "/" for place in ("home", "root", "Users", "work")] + [str(Path.home()) + "/"]
    generated = {"_build", "gallery", "generated", "__pycache__"}
    files = [
        path
        for path in PROJECT.iterdir()
        if path.is_file() and not path.name.startswith(".coverage") and path.name != ".git"
    ]
    for folder in (*FOLDERS, ".ci"):
        files += [path for path in (PROJECT / folder).rglob("*") if path.is_file()]
    for path in files:
        if generated & set(path.parts) or path.name == "custseg-report.html":
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        assert not [place for place in places if place in text], relative(path)
