"""What the commands do: write a study file (TOML), read one and its tables, fit the study, write what it found."""

from custseg._commands.commands import assign, demo, report, run
from custseg._commands.first_study import init

__all__ = ["assign", "demo", "init", "report", "run"]
