"""Files of many lines, read a part of the customers at a time."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from custseg import RFMFeaturizer
from custseg.characteristics._purchases import purchases
from custseg.characteristics._records import parts
from tests.common.engine_checks import TABLE_CASES, messy, outcome
from tests.engines import ENGINES, plain

CASES = ("RFMFeaturizer", "RFM by order", "RFM without returns", "RFM without an amount")


@pytest.mark.sampled
@pytest.mark.parametrize("most", [parts._MOST, 0], ids=["in memory", "in the engine"])
@pytest.mark.parametrize("name", CASES)
def test_the_customers_are_those_of_all_lines_at_once(
    name: str, most: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case = TABLE_CASES[name]
    path = ENGINES["parquet folder"](messy(plain(case.data)))
    whole = outcome(case.estimator, path)
    monkeypatch.setattr(parts, "AT_ONCE", len(case.data) // 4)
    monkeypatch.setattr(parts, "_MOST", most)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    taken = _counted(monkeypatch)
    found = outcome(case.estimator, path)
    assert whole.error is None
    assert len(taken) > 1
    assert set(taken) == {most > 0}
    # to the last digit, which assert_frame_equal would round
    assert_frame_equal(found.frame, whole.frame, check_exact=True)
    assert_frame_equal(found.description, whole.description, check_exact=True)
    assert found.n_rows == whole.n_rows
    assert not list(tmp_path.iterdir())


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note of each part that is added up whether it is in memory."""
    taken: list[bool] = []
    count = purchases.count_repeated

    def counting(records: Any) -> int:
        taken.append(records.in_memory)
        return count(records)

    monkeypatch.setattr(purchases, "count_repeated", counting)
    return taken


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_later_lines_are_described_part_by_part_too(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    lines = pd.DataFrame(
        {
            "customer_id": random.choice(["Zoe", "Ann", "ann", "Ötzi", "."], 400),
            "timestamp": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.randint(0, 90, 400), "D"),
            # sums that are rounded differently in another order
            "amount": random.lognormal(3, 2, 400),
        }
    )
    path = tmp_path / f"lines.{kind}"
    lines.to_csv(path, index=False) if kind == "csv" else lines.to_parquet(path)
    expected = RFMFeaturizer(monetary_as="total").fit(lines).transform(lines.sample(frac=1, random_state=0))
    monkeypatch.setattr(parts, "AT_ONCE", 30)
    assert_frame_equal(RFMFeaturizer(monetary_as="total").fit(path).transform(path), expected, check_exact=True)


def test_what_was_written_is_removed_where_a_step_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    case = TABLE_CASES[CASES[0]]
    path = ENGINES["parquet folder"](plain(case.data))
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(parts, "AT_ONCE", len(case.data) // 4)
    monkeypatch.setattr(tempfile, "tempdir", str(place))

    def failing(records: Any) -> int:
        assert any(place.rglob("*.parquet"))
        raise MemoryError

    monkeypatch.setattr(purchases, "count_repeated", failing)
    with pytest.raises(MemoryError):
        RFMFeaturizer().fit(path)
    assert not list(place.iterdir())
