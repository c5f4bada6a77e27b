import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from custseg._core.jsonable import jsonable


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64("nan"), None),
        (float("-inf"), None),
        (pd.NaT, None),
        (pd.NA, None),
        (np.bool_(True), True),
        (np.int64(3), 3),
        ({1: (0.5, {"a": float("inf")})}, {"1": [0.5, {"a": None}]}),
        (np.array([1.0, np.nan]), [1.0, None]),
        (pd.DataFrame({"a": [1.5, np.nan]}), [{"a": 1.5}, {"a": None}]),
        (date(2024, 2, 29), "2024-02-29"),
        ("text", "text"),
    ],
)
def test_what_json_has_and_null_for_the_rest(value, plain):
    assert jsonable(value) == plain
    assert json.loads(json.dumps(jsonable(value), allow_nan=False)) == plain
