"""``python -m custseg``: the command line where the command itself is not on the path."""

import sys

from custseg.cli import main

if __name__ == "__main__":
    code = main()
    # Where an interrupt has passed through an ``exec`` of text, as where a dataclass is made, ``python -m`` ends as by
    # Ctrl-C whatever signal it was and whatever has been made of it, unless another ``exec`` has gone well since.
    exec("")  # noqa: S102 - no text
    sys.exit(code)
