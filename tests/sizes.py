"""How large a test is: small in the README's command, whole under ``CUSTSEG_THOROUGH=1``.

What is asserted is the same at both sizes. A test with a whole size bears the marker ``thorough`` (those of hypothesis
get it by themselves), so that ``CUSTSEG_THOROUGH=1 python -m pytest -m thorough`` runs these whole, and no others.
"""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

# who searches for new examples wants all of them
WHOLE = os.environ.get("CUSTSEG_THOROUGH", "0") not in ("", "0") or os.environ.get("HYPOTHESIS_PROFILE") == "search"


def size(small: T, whole: T) -> T:
    """One of two sizes: examples, seeds, restarts, customers. The test that asks bears the marker ``thorough``."""
    return whole if WHOLE else small
