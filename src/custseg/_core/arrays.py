"""Names for the arrays that pass between functions."""

import numpy as np
import numpy.typing as npt

__all__ = ["Bools", "Floats", "Integers"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
