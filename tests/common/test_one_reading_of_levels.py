"""A code is one level whether it comes as 1 or 1.0, text one level and one id however its accents are written."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from custseg import (
    CampaignResponseFeaturizer,
    CharacteristicUnion,
    DemographicEncoder,
    MultiSelectEncoder,
    PersonaDescriber,
    PurchaseBehaviorFeaturizer,
    PurchasePathFeaturizer,
    RFMFeaturizer,
    Segmentation,
    SocialMediaFeaturizer,
)
from custseg._core.composed import _FIRST_BYTE, composed, composed_text, spellings
from custseg._core.customers import read_customers
from custseg._core.frames import open_table
from custseg._core.levels import level_text
from custseg.characteristics import join_responses
from custseg.exceptions import ColumnTypeError, CustomerIdError
from custseg.segmentation import Rule, RuleFilter, RuleSegmenter
from tests.engines import ENGINES, comparable
from tests.sizes import size

pytestmark = [pytest.mark.sampled, pytest.mark.thorough]
ENGINE_NAMES = size(["pandas", "polars lazy", "duckdb", "csv"], [name for name in ENGINES if name != "spark"])
CAFE = "Café"
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, CAFE) for form in ("NFC", "NFD"))
assert COMPOSED != DECOMPOSED

ARROW_DECIMALS = pd.ArrowDtype(pa.decimal128(20, 0))
TIMES = pd.date_range("2024-01-01", periods=6, freq="D")
EVENTS = pd.DataFrame(
    {
        "customer_id": [1, 1, 1, 2, 2, 3],
        "timestamp": TIMES,
        "amount": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "channel": [1, 2, 1, 2, 2, 10],
        "responded": [True, False, True, False, True, False],
    }
)
# each reads the column "channel" as levels
FEATURIZERS = {
    "purchases": PurchaseBehaviorFeaturizer(channel="channel"),
    "path": PurchasePathFeaturizer(stage="stage", channel="channel"),
    "social": SocialMediaFeaturizer(platform="channel", action="action"),
    "campaigns": CampaignResponseFeaturizer(channel="channel", responded="responded"),
}
# all featurizers read levels in one place; dask, which plans for seconds, sees one of them
PAIRS = [
    (name, engine) for name in sorted(FEATURIZERS) for engine in ENGINE_NAMES if engine != "dask" or name == "purchases"
]
FEW_PAIRS = [(name, engine) for name, engine in PAIRS if engine == "duckdb" or name == "purchases"]


def events(channels):
    return EVENTS.assign(channel=channels, stage=["visit", "purchase"] * 3, action=["like", "share"] * 3)


@pytest.mark.parametrize(("name", "engine"), size(FEW_PAIRS, PAIRS))
def test_codes_are_levels_of_fit_when_a_missing_one_has_made_floats_of_them(name, engine):
    whole, missing = events([1, 2, 1, 2, 2, 10]), events([1.0, 2.0, 1.0, 2.0, 2.0, np.nan])
    table = ENGINES[engine](whole)
    by_whole = FEATURIZERS[name].fit(table)
    levels = {role: sorted(found) for role, found in by_whole.levels_.items()}
    # a path ends with its purchase, whose channel is none of its touches
    assert levels["platform" if name == "social" else "channel"] == (["1", "2"] if name == "path" else ["1", "10", "2"])
    expected = comparable(by_whole.transform(table))
    found = comparable(by_whole.transform(ENGINES[engine](missing)))
    # the last customer's code is not known; nobody else's shares move
    pd.testing.assert_frame_equal(found[:2], expected[:2])
    by_floats = FEATURIZERS[name].fit(ENGINES[engine](events([1.0, 2.0, 1.0, 2.0, 2.0, 10.0])))
    assert {role: sorted(each) for role, each in by_floats.levels_.items()} == levels


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_codes_of_fractions_and_not_a_number(engine):
    featurizer = PurchaseBehaviorFeaturizer(channel="channel", features=["channels"])
    featurizer.fit(ENGINES[engine](events([1.5, -2.0, 0.0, -0.0, np.nan, 1.5])))
    assert sorted(featurizer.levels_["channel"]) == ["-2", "0", "1.5"]
    with pytest.raises(ColumnTypeError, match=r"'channel'.*two levels may have become one"):
        featurizer.fit(ENGINES[engine](events([2.0**53, 1, 1, 1, 1, 1])))


@pytest.mark.parametrize("engine", ["pandas", "polars lazy", "pyarrow", "duckdb", "ibis", "parquet"])
def test_decimals_that_may_be_two_levels_are_refused(engine):
    codes = pd.array([Decimal(2**53), Decimal(2**53 + 1), *map(Decimal, "1234")], dtype=ARROW_DECIMALS)
    with pytest.raises(ColumnTypeError, match=r"'channel'.*two levels may have become one"):
        PurchaseBehaviorFeaturizer(channel="channel").fit(ENGINES[engine](events(codes)))


@pytest.mark.parametrize(("name", "engine"), size(FEW_PAIRS, PAIRS))
def test_text_is_one_level_however_its_accents_are_written(name, engine):
    mixed = events([COMPOSED, DECOMPOSED, "Bar", "Bar", DECOMPOSED, COMPOSED])
    plain = events([COMPOSED, COMPOSED, "Bar", "Bar", COMPOSED, COMPOSED])
    table = ENGINES[engine](mixed)
    found = clone(FEATURIZERS[name]).fit(table)
    expected = FEATURIZERS[name].fit_transform(plain)
    assert sorted(found.levels_["platform" if name == "social" else "channel"]) == ["Bar", COMPOSED]
    pd.testing.assert_frame_equal(comparable(found.transform(table)), comparable(expected))


CATEGORIES = {
    "text": ([COMPOSED, DECOMPOSED, "Bar", "Bar", DECOMPOSED, COMPOSED], ["Bar", COMPOSED]),
    "whole": ([1, 2, 1, 2, 2, 10], ["1", "10", "2"]),
    "floats": ([1.0, 2.0, 1.0, np.nan, 2.5, 10.0], ["1", "10", "2", "2.5"]),
    "bools": ([True, False, True, False, False, True], ["false", "true"]),
}


@pytest.mark.parametrize("kind", CATEGORIES)
@pytest.mark.parametrize("engine", size(["pandas", "polars"], ["pandas", "polars", "pyarrow", "duckdb", "dask"]))
def test_categories_are_the_levels_that_they_hold(kind, engine):
    values, levels = CATEGORIES[kind]
    featurizer = PurchaseBehaviorFeaturizer(channel="channel").fit(ENGINES[engine](events(pd.Categorical(values))))
    assert sorted(featurizer.levels_["channel"]) == levels
    plain = clone(featurizer).fit(events(values))
    assert plain.levels_ == featurizer.levels_


def test_categories_of_dask_are_the_levels_that_they_hold():
    for values, levels in CATEGORIES.values():
        opened = open_table(ENGINES["dask"](pd.DataFrame({"x": pd.Categorical(values)})))
        found = composed(opened.frame, ["x"]).collect()["x"]
        texts = {str(level).lower() if found.dtype == nw.Boolean else level_text(level) for level in found.drop_nulls()}
        assert sorted(texts) == levels


def test_categories_of_numbers_without_polars(monkeypatch):
    monkeypatch.setattr("custseg._core.frames.polars_is_at_hand", lambda: False)
    for values, levels in CATEGORIES.values():
        found = PurchaseBehaviorFeaturizer(channel="channel").fit(events(pd.Categorical(values)))
        assert sorted(found.levels_["channel"]) == levels
    ids = EVENTS.assign(customer_id=pd.Categorical([1.0, 1.0, 1.0, 2.0, 2.0, 3.0]))
    assert RFMFeaturizer().fit_transform(ids).index.tolist() == [1, 2, 3]


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_text_is_one_id_however_its_accents_are_written(engine):
    def tables(first, second, third):
        lines = EVENTS.assign(customer_id=[first, second, third, "Bo", "Bo", "Bo"]).drop(
            columns=["channel", "responded"]
        )
        return {
            "lines": ENGINES[engine](lines),
            "homes": ENGINES[engine](pd.DataFrame({"customer_id": [third], "rooms": [3]})),
        }

    union = CharacteristicUnion([("rfm", RFMFeaturizer(), "lines"), ("home", DemographicEncoder(), "homes")])
    found = comparable(union.fit_transform(tables(COMPOSED, DECOMPOSED, DECOMPOSED)))
    expected = comparable(union.fit_transform(tables(COMPOSED, COMPOSED, COMPOSED)))
    pd.testing.assert_frame_equal(found, expected)
    assert found["customer_id"].tolist() == ["Bo", COMPOSED]
    twice = pd.DataFrame({"customer_id": [COMPOSED, DECOMPOSED], "age": [1, 2]})
    with pytest.raises(CustomerIdError, match="repeat an id"):
        DemographicEncoder().fit(ENGINES[engine](twice))


@pytest.mark.parametrize(
    "engine", size(["pandas", "polars", "duckdb"], ["pandas", "polars", "pyarrow", "duckdb", "ibis", "dask"])
)
def test_responses_find_their_contacts(engine):
    contacts = ENGINES[engine](pd.DataFrame({"customer_id": [COMPOSED, "Bo"], "campaign": [DECOMPOSED, "x"]}))
    responses = ENGINES[engine](pd.DataFrame({"customer_id": [DECOMPOSED], "campaign": [COMPOSED]}))
    if engine in ("duckdb", "ibis"):
        pytest.skip("two relations of two connections cannot be joined")
    assert join_responses(contacts, responses, campaign="campaign", response_time=None).n_responded == 1


@pytest.mark.parametrize("engine", [name for name in ENGINE_NAMES if name != "parquet folder"])
def test_text_is_one_level_of_customers(engine):
    table = pd.DataFrame({"customer_id": [1, 2, 3, 4], "place": [DECOMPOSED, "Bar", COMPOSED, None]})
    column = read_customers(ENGINES[engine](table), customer_id="customer_id")["place"]
    assert column.categories == ("Bar", COMPOSED)
    assert column.values.tolist() == [1, 0, 1, -1]
    encoder = DemographicEncoder(level_orders={"place": ["Bar", DECOMPOSED]}).set_output(transform="pandas")
    encoded = encoder.fit_transform(ENGINES[engine](table))["place"]
    assert encoded.tolist()[:3] == [COMPOSED, "Bar", COMPOSED]
    several = MultiSelectEncoder("place").set_output(transform="pandas")
    assert several.fit(ENGINES[engine](table)).transform(ENGINES[engine](table)).shape[1] == 2


def test_categories_that_are_one_text_are_one_level():
    for ordered, expected in ((True, [COMPOSED, "Bar"]), (False, ["Bar", COMPOSED])):
        dtype = pd.CategoricalDtype([DECOMPOSED, "Bar", COMPOSED], ordered=ordered)
        table = pd.DataFrame({"place": pd.Categorical([COMPOSED, "Bar", None, DECOMPOSED], dtype=dtype)})
        column = read_customers(table)["place"]
        assert list(column.categories) == expected
        assert [column.categories[code] for code in column.values[[0, 1, 3]]] == [COMPOSED, "Bar", COMPOSED]
        assert column.values[2] == -1


def test_labels_and_ids_of_labels():
    table = pd.DataFrame({"customer_id": [COMPOSED, "Bo"], "age": [1, 2]})
    labels = pd.Series([DECOMPOSED, COMPOSED], index=pd.Index(["Bo", DECOMPOSED], name="customer_id"))
    found = Segmentation.of(table, labels, customer_id="customer_id")
    assert found.n_segments == 1
    categories = pd.Categorical([COMPOSED, DECOMPOSED], categories=[DECOMPOSED, COMPOSED])
    assert Segmentation.of(table, categories).n_segments == 1
    by_number = pd.Series([1, 0], index=pd.Index(["Bo", DECOMPOSED], name="customer_id"))
    assert Segmentation.of(table, by_number, customer_id="customer_id").labels.tolist() == [0, 1]


@pytest.mark.parametrize("engine", ["pandas", "polars", "duckdb"])
@pytest.mark.parametrize("asked", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("rule", ["== '{}'", "in ['{}', 'Pub']", "!= '{}'", "not in ['{}']"])
def test_rules_and_their_sql_meet_both_spellings(engine, asked, rule):
    duckdb = pytest.importorskip("duckdb")
    places = pd.DataFrame({"place": [DECOMPOSED, "Bar", COMPOSED, "Pub"]})
    found = RuleFilter(Rule.read(f"place {rule.format(asked)}"), places)
    met = found.matches(ENGINES[engine](places)).tolist()
    is_place = {DECOMPOSED: True, COMPOSED: True, "Pub": "Pub" in rule}
    expected = [
        is_place.get(place, False) == (("in [" in rule and "not" not in rule) or "==" in rule)
        for place in places["place"]
    ]
    assert met == expected
    with duckdb.connect() as connection:
        connection.register("places", places)
        assert [bool(row[0]) for row in connection.sql(f"SELECT {found.to_sql()} FROM places").fetchall()] == met  # noqa: S608
    segmenter = RuleSegmenter({"there": f"place {rule.format(asked)}"}).fit(places)
    assert (segmenter.labels_ == 0).tolist() == met


def test_personas_count_both_spellings_as_one():
    places = [COMPOSED, DECOMPOSED] * 20 + ["Bar"] * 40
    profile = PersonaDescriber().fit(pd.DataFrame({"place": places}), np.repeat([0, 1], 40)).profile_
    assert sorted(set(profile["level"])) == ["Bar", COMPOSED]


def test_text_without_a_sign_from_the_first_mark_on_is_composed():
    signs = [chr(code) for code in range(0x300)]
    assert all(unicodedata.is_normalized("NFC", one + other) for one in signs[::7] for other in signs)
    assert max(sign.encode()[0] for sign in signs) < _FIRST_BYTE == chr(0x300).encode()[0]


@settings(max_examples=size(6, 100))
@given(st.lists(st.text(alphabet="aé\u0301\u0327Å\u212bΩ\u2126각\u1100\u1161\u11a8ﬁ豈\u0627\u0653"), min_size=1))
def test_any_text_comes_out_composed_in_every_engine(texts):
    expected = [composed_text(text) for text in texts]
    assert all(unicodedata.is_normalized("NFC", text) for text in expected)
    assert all(composed_text(other) == composed_text(text) for text in texts for other in spellings(text))
    table = pd.DataFrame({"customer_id": range(len(texts)), "x": [f"-{text}" for text in texts]})
    wanted = [composed_text(f"-{text}") for text in texts]
    for engine in ("pandas", "polars lazy", "duckdb"):
        column = read_customers(ENGINES[engine](table), customer_id="customer_id")["x"]
        assert [column.categories[code] for code in column.values] == wanted
