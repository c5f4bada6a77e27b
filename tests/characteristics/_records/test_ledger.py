"""Lines in blocks of whole customers, against pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg.characteristics import PurchaseBehaviorFeaturizer
from custseg.characteristics._records.fields import Field
from custseg.characteristics._records.ledger import Block, Ledger
from custseg.characteristics._records.records import read_records
from tests.sizes import size

LEVELS = ("a", "b")


def ledger_of(lines: Any) -> Ledger:
    fields = (Field("amount", "amount", "number", required=True), Field("category", "category", "level"))
    records = read_records(lines, customer_id="customer_id", timestamp="timestamp", fields=fields)
    return records.ledger


def lines_of(customers: Any, seed: int, n_days: int = 20) -> pd.DataFrame:
    random = np.random.RandomState(seed)
    n_lines = len(customers)
    day = random.randint(0, n_days, n_lines)
    return pd.DataFrame(
        {
            "customer_id": customers,
            "timestamp": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D"),
            "amount": random.randint(0, 100, n_lines).astype("float64"),
            "category": random.choice([*LEVELS, "c", None], n_lines),
        }
    )


IDS = {
    "dense": lambda random: random.randint(0, 40, 300),
    "negative, in 8 bits": lambda random: random.randint(-128, 128, 300).astype("int8"),
    "far apart": lambda random: random.choice(random.randint(0, 2**62, 40), 300),
    "the whole width": lambda random: random.choice([-(2**63), -1, 0, 2**63 - 1], 300),
    "without a sign": lambda random: random.choice(np.array([0, 1, 2**64 - 1], dtype="uint64"), 300),
    "text": lambda random: random.choice(["Zoe", "Ann", "ann", "Ötzi", "."], 300),
    "one": lambda random: np.full(300, 7),
}


@pytest.mark.parametrize("block", [1, 16, 2**16])
@pytest.mark.parametrize("ids", IDS)
def test_every_line_stands_in_its_customers_block_in_order(
    ids: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custseg.characteristics._records.ledger.BLOCK", block)
    lines = lines_of(IDS[ids](np.random.RandomState(0)), seed=1)
    ledger = ledger_of(lines)

    def describe(block: Block) -> dict[str, np.ndarray[Any, Any]]:
        amount = ledger.numbers(["amount"])["amount"][block.rows]
        category = ledger.positions({"category": LEVELS})["category"][block.rows]
        customer = block.for_each_line(np.arange(len(block.firsts)))
        assert (np.lexsort((block.period, customer)) == np.arange(len(customer))).all()
        assert (np.diff(block.customer_of_visit[block.first_visits]) == 1).all()
        return {
            "lines": block.n_lines,
            "spend": block.add_up(amount),
            "days": block.add_up_visits(np.ones(len(block.visits), dtype=bool)),
            "of_a": block.add_up(category == 0),
            "others": block.add_up(category == len(LEVELS)),
            "first": block.period[block.firsts],
        }

    found_ids, found = ledger.by_customer(describe)
    by_customer = lines.groupby("customer_id", sort=True)
    expected = pd.DataFrame(
        {
            "lines": by_customer.size(),
            "spend": by_customer["amount"].sum().astype("int64"),
            "days": by_customer["timestamp"].nunique(),
            "of_a": (lines["category"] == "a").groupby(lines["customer_id"]).sum(),
            "others": (~lines["category"].isin(LEVELS)).groupby(lines["customer_id"]).sum(),
            "first": (by_customer["timestamp"].min() - pd.Timestamp("1970-01-01")).dt.days,
        }
    )
    assert found_ids.to_list() == expected.index.to_list()
    pd.testing.assert_frame_equal(pd.DataFrame(found), expected.reset_index(drop=True), check_dtype=False)


@settings(max_examples=size(2, 35))
@given(seed=st.integers(0, 50), n_levels=st.sampled_from([3, 50]))
def test_no_characteristic_depends_on_the_size_of_a_block(seed: int, n_levels: int) -> None:
    random = np.random.RandomState(seed)
    lines = lines_of(random.randint(0, 30, 200), seed)
    lines["category"] = random.choice([f"level {number}" for number in range(n_levels)], len(lines))
    lines["amount"] -= 10
    featurizer = PurchaseBehaviorFeaturizer(category="category")
    expected = featurizer.fit_transform(lines)
    with pytest.MonkeyPatch.context() as patched:
        for block in (1, 8, 64):
            patched.setattr("custseg.characteristics._records.ledger.BLOCK", block)
            pd.testing.assert_frame_equal(featurizer.fit_transform(lines), expected, rtol=0, atol=0)


@pytest.mark.parametrize("n_levels", [0, 1, 254, 255, 256, 257])
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_positions_of_text_leave_room_for_what_is_missing(kind: str, n_levels: int) -> None:
    levels = [f"level {number}" for number in range(n_levels)]
    texts = [*levels, None, *reversed(levels)]
    lines = pd.DataFrame({"customer_id": 1, "timestamp": pd.Timestamp("2024-01-01"), "amount": 1.0}, range(len(texts)))
    lines["category"] = pd.array(texts, dtype="str")
    table = lines if kind == "pandas" else pytest.importorskip("polars").from_pandas(lines)
    ledger = ledger_of(table)
    places = ledger.positions({"category": levels})["category"]
    assert places.tolist() == [*range(n_levels), n_levels, *reversed(range(n_levels))]
