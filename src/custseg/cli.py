"""The command line: ``custseg demo | init | run | assign | report``.

Bad input ends in one line on standard error and exit code 2; Ctrl-C, SIGTERM and SIGHUP in one line and exit code
128 and the number of the signal. What the commands do stands in ``custseg._commands``, which is imported when one of
them runs: help must not wait for libraries that it does not use.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import custseg
from custseg._core.progress import clear_line
from custseg._core.visible import visible
from custseg._version import __version__
from custseg.exceptions import MissingDependencyError

if TYPE_CHECKING:
    import custseg._commands  # noqa: TC004 - custseg brings it at first use, as it does the stages

_BAD_INPUT, _BY_SIGNAL = 2, 128
# what ends a process: from a keyboard, by kill or a scheduler, by a terminal that is closed (not on Windows)
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
_FAULTS = (ValueError, OSError, MemoryError, MissingDependencyError)
_STUDY = "a study written by custseg run"
_EXAMPLES = {
    "custseg": """\
examples:
  custseg demo
  custseg init purchases.csv customers.csv
  custseg run study.toml

Each command has examples of its own: custseg run --help""",
    "demo": """\
examples:
  custseg demo
  custseg demo --output panel.md --seed 7 --overwrite""",
    "init": """\
examples:
  custseg init customers.csv
  custseg init purchases.csv customers.parquet survey.csv --config spring.toml""",
    "run": """\
examples:
  custseg run study.toml
  custseg run study.toml --title "Spring" --figures pictures --overwrite
  custseg run --config study.toml --verbose > log.txt 2>&1""",
    "assign": """\
examples:
  custseg assign --study study.skops --table customers=new.csv --output segments.csv
  custseg assign --study study.skops --config study.toml --output segments.parquet --as-of 2025-06-30""",
    "report": """\
examples:
  custseg report --study study.skops --output report.html --title "Spring" --figures pictures
  custseg report --study study.skops --output report.md""",
}
_TRUST = "read a study that may run code when it is read, such as a pickle: only if you trust whoever made it"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        The arguments; None takes those of the process.

    Returns
    -------
    int
        0 where all went well, 1 where whoever read the output left before its end, 2 for bad input, 130, 143 or 129
        where Ctrl-C, SIGTERM or SIGHUP ended it.

    Examples
    --------
    >>> from custseg.cli import main
    >>> main(["report", "--study", "missing.skops", "--output", "report.pdf"])
    2
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A name that the terminal cannot show must not end the run.
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    ended: list[int] = []
    with warnings.catch_warnings():
        warnings.showwarning = _say_warning
        try:
            with _raising_signals(ended):
                command(options)
        except (Exception, KeyboardInterrupt) as error:
            # duckdb makes another error of what a signal raises
            if ended or isinstance(error, KeyboardInterrupt):
                return _say_ended(ended[0] if ended else signal.SIGINT, error)
            if not isinstance(error, _FAULTS):
                raise
            return _say_fault(error)
    return 0


@contextmanager
def _raising_signals(ended: list[int]) -> Iterator[None]:
    """Let what would end the process on the spot interrupt the work, so that nothing half done is left.

    ``ended`` takes the numbers of the signals.
    """

    def interrupt(number: int, _: object) -> NoReturn:
        ended.append(number)
        raise KeyboardInterrupt

    # nobody else may ask for signals, and what is ignored, as by nohup, stays so
    is_main = threading.current_thread() is threading.main_thread()
    known = [getattr(signal, name) for name in _ENDING if is_main and hasattr(signal, name)]
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in known if signal.getsignal(number) in usual}
    try:
        for number in before:
            signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_ended(number: int, error: BaseException) -> int:
    words = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    _say_error(": ".join([words, *getattr(error, "__notes__", [])]))
    return _BY_SIGNAL + number


def _say_fault(error: Exception) -> int:
    if isinstance(error, BrokenPipeError):
        # Whoever read the output has left; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return _complain(_one_line(error))


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: {error.filename!r}"
    message = " ".join(str(error).split()) or type(error).__name__
    return f"there is not enough memory: {message}" if isinstance(error, MemoryError) else message


def _complain(message: str) -> int:
    _say_error(f"error: {message}")
    return _BAD_INPUT


def _say_error(message: str) -> None:
    # a terminal that was closed takes nothing any more
    with suppress(OSError):
        clear_line()
        print(visible(f"custseg: {message}"), file=sys.stderr, flush=True)


def _say_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _say_error(f"warning: {' '.join(str(message).split())}")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_BAD_INPUT, visible(f"custseg: error: {message}. See: {self.prog} --help") + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="custseg",
        description="Customer segments, personas and a report from raw tables.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_EXAMPLES["custseg"],
    )
    parser.add_argument("--version", action="version", version=f"custseg {__version__}")
    parser.set_defaults(command=lambda _: parser.print_help())
    commands = parser.add_subparsers(metavar="{demo,init,run,assign,report}", title="commands")

    demo = _add(commands, _demo, "segment a real grocery panel")
    demo.add_argument("--output", type=Path, default=Path("custseg-report.html"), help="default: %(default)s")
    demo.add_argument("--seed", type=_seed, default=0, help="default: %(default)s")
    init = _add(commands, _init, "write a study file for your tables, to read, to change and to run")
    init.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a table: .csv, .csv.gz or .parquet")
    init.add_argument("--config", type=Path, default=Path("study.toml"), help="what to write; default: %(default)s")
    run = _add(commands, _run, "segment your tables as a study file asks")
    study_file = run.add_mutually_exclusive_group(required=True)
    study_file.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the study file (TOML)")
    study_file.add_argument("--config", type=Path, help="the same, by its name")
    assign = _add(commands, _assign, "assign customers to the segments of a study")
    _add_assign(assign)
    report = _add(commands, _report, "write the report of a study")
    report.add_argument("--study", type=Path, required=True, help=_STUDY)
    report.add_argument("--output", type=Path, required=True, help="a .html, .md, .json, .xlsx or .pptx file")
    for one in (assign, report):
        one.add_argument("--trust", action="store_true", help=_TRUST)
    for one in (demo, run, report):
        one.add_argument("--title", help="the title of the report; default: what was found")
    for one in (run, report):
        words = "a folder for every picture, as PNG and SVG, with its text; it is made where there is none"
        one.add_argument("--figures", type=Path, metavar="DIR", help=words)
    for one in (demo, run):
        _add_shown(one)
    for one in (demo, init, run, assign, report):
        one.add_argument("--overwrite", action="store_true", help="replace files that exist")
    return parser


def _add_shown(command: argparse.ArgumentParser) -> None:
    shown = command.add_mutually_exclusive_group()
    shown.add_argument("--quiet", dest="verbose", action="store_false", help="show no progress")
    words = "tell all, not only what fits on a screen, and show progress also where there is no terminal"
    shown.add_argument("--verbose", action="store_true", help=words)
    command.set_defaults(verbose=None)


def _add(commands: Any, command: Callable[[argparse.Namespace], None], words: str) -> argparse.ArgumentParser:
    """Add a command with examples of it."""
    name = command.__name__.removeprefix("_")
    added: argparse.ArgumentParser = commands.add_parser(
        name,
        help=words,
        description=f"{words[0].upper()}{words[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_EXAMPLES[name],
    )
    added.set_defaults(command=command)
    return added


def _add_assign(assign: argparse.ArgumentParser) -> None:
    assign.add_argument("--study", type=Path, required=True, help=_STUDY)
    assign.add_argument(
        "--table", action="append", default=[], type=_named_path, metavar="NAME=PATH", help="once for each table"
    )
    assign.add_argument(
        "--config", type=Path, help="the study file, where its [tables] say how to read dates and make columns"
    )
    assign.add_argument(
        "--as-of",
        metavar="TIME",
        help="describe customers as of this date or time (YYYY-MM-DD); default: the latest time of the tables, where "
        "they go on after those of the study",
    )
    assign.add_argument("--output", type=Path, required=True, help="a .csv or .parquet file")
    assign.add_argument(
        "--escape-formulas",
        action="store_true",
        help="put a ' before ids and names in a .csv file that a spreadsheet may run as formulas",
    )


def _demo(options: argparse.Namespace) -> None:
    custseg._commands.demo(
        options.output, options.seed, title=options.title, verbose=options.verbose, overwrite=options.overwrite
    )


def _init(options: argparse.Namespace) -> None:
    custseg._commands.init(options.files, options.config, overwrite=options.overwrite)


def _run(options: argparse.Namespace) -> None:
    custseg._commands.run(
        options.config or options.file,
        title=options.title,
        figures=options.figures,
        verbose=options.verbose,
        overwrite=options.overwrite,
    )


def _assign(options: argparse.Namespace) -> None:
    custseg._commands.assign(
        options.study,
        options.table,
        options.config,
        options.output,
        as_of=options.as_of,
        trust=options.trust,
        escape_formulas=options.escape_formulas,
        overwrite=options.overwrite,
    )


def _report(options: argparse.Namespace) -> None:
    custseg._commands.report(
        options.study,
        options.output,
        title=options.title,
        figures=options.figures,
        trust=options.trust,
        overwrite=options.overwrite,
    )


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 4294967295, got {text!r}")
    return int(text)


def _named_path(text: str) -> tuple[str, Path]:
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"must be NAME=PATH, such as transactions=transactions.csv, got {text!r}")
    return name, Path(path)
