"""What the commands do: read a study file (TOML) and its tables, fit the study, write what it found."""

from custseg._commands.commands import assign, demo, report, run

__all__ = ["assign", "demo", "report", "run"]
