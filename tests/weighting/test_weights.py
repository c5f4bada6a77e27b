"""CharacteristicWeights: a mapping with intervals, refused where it makes no sense."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from custseg.exceptions import DataQualityWarning, InvalidParameterError
from custseg.segmentation import CharacteristicEmbedder, SegmentClusterer
from custseg.weighting import CharacteristicWeights


def pickled(one: Any) -> Any:
    return pickle.loads(pickle.dumps(one))  # noqa: S301 - our own bytes


def weights() -> CharacteristicWeights:
    return CharacteristicWeights(
        {"spend": 0.5, "region": 0.3, "age": 0.2},
        method="ahp",
        consistency={"consistency_ratio": 0.02},
        intervals={"spend": (0.4, 0.6)},
        figures=pd.DataFrame({"score": [3, 2, 1]}),
    )


def customers(seed: int = 0) -> pd.DataFrame:
    rng = np.random.RandomState(seed)
    table = pd.DataFrame({"spend": np.exp(rng.randn(80)), "region": rng.choice(list("NSW"), 80), "age": rng.randn(80)})
    return table.rename_axis("customer_id")


def test_it_is_a_mapping_that_cannot_be_changed() -> None:
    given = {"spend": 1, "region": 2}
    ours = CharacteristicWeights(given)
    given["spend"] = 100
    assert dict(ours) == {"spend": 1.0, "region": 2.0} == {**ours}
    assert ours == {"spend": 1, "region": 2}
    assert "spend" in ours
    assert ours.get("age") is None
    with pytest.raises(FrozenInstanceError):
        ours.weights = {}  # type: ignore[misc]
    with pytest.raises(TypeError):
        ours["spend"] = 3  # type: ignore[index]


@pytest.mark.parametrize("name", ["weights", "consistency", "intervals"])
@pytest.mark.parametrize("travel", [lambda one: one, copy.copy, copy.deepcopy, pickled])
def test_its_parts_cannot_be_changed_either(name: str, travel: Any) -> None:
    part = getattr(travel(weights()), name)
    before = dict(part)
    first = next(iter(part))
    for change in (
        lambda: part.__setitem__(first, 5),
        lambda: part.__delitem__(first),
        lambda: part.update({first: 5}),
        lambda: part.__ior__({first: 5}),
        part.popitem,
        part.clear,
    ):
        with pytest.raises(TypeError, match="weights cannot be changed"):
            change()
    assert part == before
    assert json.loads(json.dumps(part)).keys() == before.keys()
    assert dict(part | {"new": 1}) == {**before, "new": 1}


@pytest.mark.parametrize("travel", [copy.deepcopy, pickled])
def test_it_survives_copies(travel: Any) -> None:
    again = travel(weights())
    assert again == weights()
    pd.testing.assert_frame_equal(again.to_frame(), weights().to_frame())


def test_the_table_has_the_intervals_and_figures() -> None:
    table = weights().to_frame()
    assert list(table.columns) == ["characteristic", "weight", "low", "high", "score"]
    assert table["low"].tolist()[0] == 0.4
    assert table["high"].isna().tolist() == [False, True, True]


def test_scaled_and_renamed_keep_what_they_do_not_change() -> None:
    scaled = weights().scaled()
    assert np.mean(list(scaled.values())) == pytest.approx(1.0)
    assert scaled.intervals["spend"] == pytest.approx((1.2, 1.8))
    assert scaled.consistency == {"consistency_ratio": 0.02}
    renamed = weights().renamed({"spend": "rfm__monetary"})
    assert list(renamed) == ["rfm__monetary", "region", "age"]
    assert renamed.intervals == {"rfm__monetary": (0.4, 0.6)}
    with pytest.raises(InvalidParameterError, match=r"'spned'.*Did you mean 'spend'"):
        weights().renamed({"spned": "x"})
    with pytest.raises(InvalidParameterError, match="different for each characteristic"):
        weights().renamed({"spend": "age"})
    with pytest.raises(InvalidParameterError, match="mean"):
        weights().scaled(0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": {"a": -1.0}}, r"weights\['a'\].* must be a finite number >= 0, got -1"),
        ({"weights": {"a": np.nan}}, r"weights\['a'\].* must be a finite number >= 0, got nan"),
        ({"weights": {"a": 0, "b": 0}}, "above 0 for at least one column"),
        ({"weights": {}}, "above 0 for at least one column"),
        ({"weights": {1: 2.0}}, "a mapping by column name"),
        ({"weights": {"a": 1}, "intervals": {"b": (0, 1)}}, "unknown name in intervals 'b'"),
        ({"weights": {"a": 1}, "intervals": {"a": (2, 1)}}, "the lower one first"),
        ({"weights": {"a": 1}, "intervals": {"a": (-1, 1)}}, "two finite numbers >= 0"),
        ({"weights": {"a": 1}, "intervals": {"a": (1,)}}, r"intervals\['a'\].* two finite numbers >= 0"),
        ({"weights": {"a": 1}, "intervals": {"a": 1.0}}, r"intervals\['a'\].* two finite numbers >= 0"),
        ({"weights": {"a": 1}, "intervals": {"a": (2, 3)}}, r"intervals\['a'\].* around the weight, which is 1"),
        ({"weights": {"a": 1}, "confidence_level": 95}, "'confidence_level' must be a number between 0 and 1, got 95"),
        ({"weights": {"a": 1}, "figures": pd.DataFrame({"x": [1, 2]})}, "1 rows, one for each weight"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        CharacteristicWeights(**given)


def test_the_clusterer_takes_it_as_it_takes_a_plain_mapping() -> None:
    plain = SegmentClusterer(3, weights=dict(weights()), random_state=0).fit(customers())
    ours = SegmentClusterer(3, weights=weights(), random_state=0).fit(customers())
    assert np.array_equal(ours.labels_, plain.labels_)
    assert ours.embedder_.weights_ == {"spend": 0.5, "region": 0.3, "age": 0.2}
    assert clone(ours).weights == weights()
    assert "spend" in repr(ours)
    embedder = CharacteristicEmbedder(weights=weights()).fit(customers())
    assert np.array_equal(embedder.transform(customers()), ours.embedder_.transform(customers()))


def test_columns_that_nobody_weighed_are_named_in_a_warning() -> None:
    table = customers().assign(luck=1.0 * np.arange(80) % 7)
    with pytest.warns(
        DataQualityWarning, match=r"'luck' are not among the weights and count 1 each; .* count 1 together"
    ):
        CharacteristicEmbedder(weights=weights()).fit(table)
    # neither where it is in proportion nor where a plain mapping names some
    for quiet in (weights().scaled(), dict(weights()), {**weights(), "luck": 0}):
        CharacteristicEmbedder(weights=quiet).fit(table)


def test_groups_are_weighed_as_a_whole_and_not_twice() -> None:
    table = customers().rename(columns={"spend": "rfm__spend", "age": "rfm__visits"})
    group = CharacteristicWeights({"rfm": 0.6, "region": 0.4})
    embedder = CharacteristicEmbedder(weights=group).fit(table)
    assert embedder.weights_ == pytest.approx({"rfm__spend": 0.3, "region": 0.4, "rfm__visits": 0.3})
    for twice in ({"rfm": 0.6, "rfm__spend": 0.4}, {"rfm__spend": 0.4, "rfm": 0.6}):
        for given in (twice, CharacteristicWeights(twice)):
            with pytest.raises(InvalidParameterError, match="for the group 'rfm' or for its columns, not for both"):
                SegmentClusterer(2, weights=given).fit(table)


def test_a_weight_for_an_unknown_column_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"unknown name in weights 'spned'.*Did you mean 'spend'"):
        SegmentClusterer(2, weights=CharacteristicWeights({"spned": 1.0})).fit(customers())


def test_weights_can_be_added_and_keep_the_intervals_of_the_others() -> None:
    weights = CharacteristicWeights({"a": 0.6, "b": 0.4}, intervals={"a": (0.5, 0.7), "b": (0.3, 0.5)})
    found = weights | {"b": 0.2, "c": 0}
    assert dict(found) == {"a": 0.6, "b": 0.2, "c": 0.0}
    assert dict(found.intervals) == {"a": (0.5, 0.7)}
    assert dict(weights) == {"a": 0.6, "b": 0.4}
    other = CharacteristicWeights({"b": 0.1}, intervals={"b": (0.0, 0.2)})
    assert dict((weights | other).intervals) == {"a": (0.5, 0.7), "b": (0.0, 0.2)}
    with pytest.raises(TypeError, match="unsupported operand"):
        weights | 3


def test_its_repr_is_short() -> None:
    weights = CharacteristicWeights({"a": 0.61234, "b": 0.4}, method="ahp", consistency={"CR": 0.00312})
    assert repr(weights) == "CharacteristicWeights(ahp: a 0.61, b 0.4; CR 0.0031)"
