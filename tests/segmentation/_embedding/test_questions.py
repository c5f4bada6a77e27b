"""Several yes/no columns are the answers to one question: one block, in which each keeps its own variance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg.characteristics import CharacteristicUnion, DemographicEncoder, MultiSelectEncoder
from custseg.exceptions import DataQualityWarning
from custseg.segmentation import (
    CharacteristicEmbedder,
    KPrototypesClusterer,
    SegmentClusterer,
    select_n_segments,
)
from custseg.validation import segment_separation, weight_sensitivity
from custseg.weighting import CharacteristicWeights
from tests.conftest import shared_data
from tests.sizes import size

OPTIONS = ("cheap", "greasy", "new", "yummy")
SHARES = (0.5, 0.3, 0.02, 0.8)

# columns that few answered or all alike occur in random tables; the warnings have tests of their own
quiet = pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")


def answered(n: int = 300, seed: int = 0, missing: float = 0.0) -> pd.DataFrame:
    """Who ticked which option, as 0 and 1; a customer who skipped the question has no answer to any."""
    rng = np.random.RandomState(seed)
    ticked = (rng.rand(n, len(OPTIONS)) < SHARES).astype(float)
    ticked[0], ticked[1] = 0.0, 1.0
    ticked[2:][rng.rand(n - 2) < missing] = np.nan
    return pd.DataFrame(ticked, columns=list(OPTIONS), index=pd.Index(range(n), name="customer_id"))


def texts(table: pd.DataFrame) -> pd.Series[Any]:
    """The same answers as lists in one text each."""
    lists = [None if math.isnan(row.iloc[0]) else ";".join(table.columns[row == 1]) for _, row in table.iterrows()]
    return pd.Series(lists, index=table.index, name="image", dtype="str")


def embedded(table: Any, **parameters: Any) -> pd.DataFrame:
    embedder = CharacteristicEmbedder(**parameters).fit(table)
    return pd.DataFrame(embedder.transform(table), columns=embedder.get_feature_names_out())


def same(ours: pd.DataFrame, theirs: pd.DataFrame) -> bool:
    """Equal to the last bit, up to the order of the columns."""
    return set(ours) == set(theirs) and np.array_equal(ours.to_numpy(), theirs[list(ours)].to_numpy())


def variances(table: pd.DataFrame, **parameters: Any) -> dict[str, float]:
    return {name: float(column.var(ddof=0)) for name, column in embedded(table, **parameters).items()}


def test_each_column_has_its_own_share_of_one_variance() -> None:
    table = answered()
    found = variances(table.assign(spend=np.arange(300.0)))
    own = table.var(ddof=0)
    assert found.pop("spend") == pytest.approx(1.0)
    assert found == pytest.approx((own / own.sum()).to_dict())
    assert math.fsum(found.values()) == pytest.approx(1.0, rel=1e-12)


def test_squared_distances_are_numbers_of_different_answers() -> None:
    table = answered(80)
    points = embedded(table).to_numpy()
    differ = (table.to_numpy()[:, None] != table.to_numpy()).sum(axis=2)
    unit = float(table.var(ddof=0).sum())
    assert ((points[:, None] - points) ** 2).sum(axis=2) == pytest.approx(differ / unit)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_one_question_is_one_embedding_however_it_was_answered(seed: int, missing: float) -> None:
    table = answered(seed=seed, missing=missing)
    of_text = MultiSelectEncoder("image", min_customers=1).fit_transform(texts(table).reset_index())
    of_block = MultiSelectEncoder(min_customers=1).fit_transform(table.reset_index())
    ours = embedded(table)
    assert same(ours, embedded(table.astype("boolean")))
    assert same(ours, embedded(table.astype("Int64")))
    assert same(ours, embedded(table.replace({0.0: "no", 1.0: "yes"}).astype("str")))
    assert same(ours, embedded(of_text.drop(columns="n_chosen")))
    assert same(ours, embedded(of_text, weights={"n_chosen": 0}))
    assert same(ours, embedded(of_block, weights={"n_chosen": 0}))
    mixed = table.astype({"new": "boolean", "cheap": "Int64"})
    assert same(ours, embedded(mixed[["yummy", "new", "greasy", "cheap"]]))


def test_a_matrix_of_answers_is_one_question() -> None:
    table = answered()
    assert np.array_equal(embedded(table.to_numpy()).to_numpy(), embedded(table).to_numpy())


def test_missing_answers_are_the_mean_and_count_in_no_variance() -> None:
    table = answered()
    table.iloc[10:40, 1] = np.nan
    points = embedded(table)
    assert (points["greasy"].iloc[10:40] == 0).all()
    known = {name: column.dropna() for name, column in table.items()}
    total = math.fsum(column.var(ddof=0) for column in known.values())
    for name, column in known.items():
        there = points[name][table[name].notna().to_numpy()]
        assert float(there.var(ddof=0)) == pytest.approx(float(column.var(ddof=0)) / total), name


def test_what_never_varies_adds_nothing() -> None:
    table = answered()
    constant = {"all": 1.0, "none": False, "asked": np.nan, "unknown": pd.array([None] * 300, dtype="boolean")}
    with pytest.warns(DataQualityWarning, match="'all', 'none', 'asked', 'unknown' hold one value only"):
        points = embedded(table.assign(**constant))
    assert (points[list(constant)] == 0).all(axis=None)
    assert same(points[list(OPTIONS)], embedded(table))
    with pytest.warns(DataQualityWarning, match="hold one value only"):
        alone = embedded(table[["new"]].assign(**constant))
    assert same(alone[["new"]], embedded(table[["new"]]))
    with pytest.warns(DataQualityWarning, match="hold one value only"):
        assert (embedded(table[[]].assign(**constant)) == 0).all(axis=None)


def test_a_single_column_stays_a_characteristic_of_its_own() -> None:
    table = answered()[["new"]].assign(spend=np.arange(300.0))
    assert variances(table) == pytest.approx({"new": 1.0, "spend": 1.0})


def test_columns_of_each_member_are_a_question_and_so_are_those_of_none() -> None:
    first, second, others = (answered(seed=seed) for seed in range(3))
    table = pd.concat([first.add_prefix("image__"), second.add_prefix("motives__"), others], axis=1)
    found = variances(table.assign(motives__spend=np.arange(300.0)))
    for prefix, part in (("image__", first), ("motives__", second), ("", others)):
        own = part.var(ddof=0)
        assert {name: found[prefix + name] for name in OPTIONS} == pytest.approx((own / own.sum()).to_dict())
    assert found["motives__spend"] == pytest.approx(1.0)


def test_a_member_of_a_union_is_a_question() -> None:
    table = answered(missing=0.1)
    people = pd.DataFrame({"customer_id": range(300), "age": np.arange(300) % 50 + 20.0})
    union = CharacteristicUnion(
        [("who", DemographicEncoder(), "people"), ("image", MultiSelectEncoder("image", min_customers=1), "survey")]
    )
    described = union.fit_transform({"people": people, "survey": texts(table).reset_index()})
    points = embedded(described, weights={"image__n_chosen": 0})
    assert same(points.filter(like="image__"), embedded(table).add_prefix("image__"))
    # two characteristics share the weight of the member: the question and the number of answers
    shared = CharacteristicEmbedder(weights={"image": 3}).fit(described)
    share = shared.transforms_.set_index("column")["variance"]
    assert share["image__n_chosen"] == 1.5
    assert share.drop(["image__n_chosen", "who__age"]).sum() == pytest.approx(1.5)


def test_numbers_declared_as_such_and_other_numbers_are_no_answers() -> None:
    table = answered().assign(children=np.arange(300) % 3)
    found = variances(table, kinds={"new": "numeric"})
    assert (found["new"], found["children"]) == pytest.approx((1.0, 1.0))
    own = table[["cheap", "greasy", "yummy"]].var(ddof=0)
    assert {name: found[name] for name in own.index} == pytest.approx((own / own.sum()).to_dict())


def test_a_column_of_two_levels_that_are_not_yes_and_no_is_no_answer() -> None:
    table = answered().assign(gender=np.where(np.arange(300) % 2, "f", "m"))
    points = embedded(table)
    assert points[["gender_f", "gender_m"]].var(ddof=0).sum() == pytest.approx(1.0)


# weights


def test_the_weight_of_a_column_scales_it_beside_the_others() -> None:
    table = answered()
    plain, weighed = variances(table), variances(table, weights={"new": 5})
    assert weighed == pytest.approx({**plain, "new": 5 * plain["new"]})


@pytest.mark.parametrize("weight", [0.25, 1.0, 4.0])
def test_the_weight_of_a_member_is_that_of_its_question(weight: float) -> None:
    table = answered().add_prefix("image__").assign(spend=np.arange(300.0))
    found = variances(table, weights={"image": weight})
    assert found.pop("spend") == pytest.approx(1.0)
    assert math.fsum(found.values()) == pytest.approx(weight)
    # the same weight for each of its columns says the same
    each = {f"image__{option}": weight for option in OPTIONS}
    assert same(embedded(table, weights={"image": weight}), embedded(table, weights=each))


def test_weight_0_leaves_a_column_out_of_the_sum() -> None:
    table = answered().add_prefix("image__")
    without = embedded(table.drop(columns="image__yummy"))
    assert same(embedded(table, weights={"image__yummy": 0}), without)
    # beside the weight of its member, too
    assert same(embedded(table, weights={"image": 1, "image__yummy": 0}), without)
    three = dict.fromkeys(table.columns[:3], 0)
    assert same(embedded(table, weights=three), embedded(table[["image__yummy"]]))


def test_all_weights_times_one_number_scale_all_distances() -> None:
    table = answered().assign(spend=np.arange(300.0))
    weights = {"new": 3.0, "cheap": 0.5, "greasy": 1.0, "yummy": 2.0, "spend": 0.3}
    ours = embedded(table, weights=weights)
    theirs = embedded(table, weights={name: 4.0 * weight for name, weight in weights.items()})
    assert np.array_equal(theirs.to_numpy(), 2.0 * ours.to_numpy())


def test_transforms_say_what_each_column_comes_to() -> None:
    table = answered().assign(spend=np.arange(300.0), region=["N", "S"] * 150, same=1.0)
    with pytest.warns(DataQualityWarning, match="'same'"):
        embedder = CharacteristicEmbedder(weights={"new": 2, "yummy": 0}).fit(table)
    told = embedder.transforms_.set_index("column")
    own = table[["cheap", "greasy", "new"]].var(ddof=0)
    expected = own / own.sum() * [1, 1, 2]
    assert told["variance"].to_dict() == pytest.approx({**expected, "yummy": 0, "spend": 1, "region": 1, "same": 0})
    assert told["weight"].to_dict() == embedder.weights_
    assert told.loc["new", "weight"] == 2
    assert told.loc["new", "center"] == pytest.approx(table["new"].mean())
    assert told.loc["new", "scale"] == told.loc["cheap", "scale"] == pytest.approx(math.sqrt(own.sum()))
    assert "one of 3 yes/no columns" in told.loc["new", "transform"]
    assert "yes/no" not in told.loc["spend", "transform"]


def test_shown_in_original_units_centres_are_shares() -> None:
    table = answered()
    embedder = CharacteristicEmbedder(weights={"new": 2}).fit(table)
    back = embedder.inverse_transform(embedder.transform(table))
    assert back.to_numpy() == pytest.approx(table.to_numpy())


@quiet
@settings(max_examples=size(10, 80))
@given(st.data())
def test_orders_and_counts_change_nothing(data: st.DataObject) -> None:
    n_rows, n_columns = data.draw(st.integers(2, 25)), data.draw(st.integers(2, 5))
    answer = st.sampled_from([0.0, 1.0, 0.0, 1.0, np.nan])
    rows = data.draw(
        st.lists(st.lists(answer, min_size=n_columns, max_size=n_columns), min_size=n_rows, max_size=n_rows)
    )
    names = ["a__1", "2", "a__3", "4", "b__5"][:n_columns]
    table = pd.DataFrame(rows, columns=names)
    whole = embedded(table)
    order, columns = data.draw(st.permutations(range(n_rows))), data.draw(st.permutations(names))
    embedder = CharacteristicEmbedder().fit(table.iloc[order][columns])
    again = pd.DataFrame(embedder.transform(table[columns]), columns=columns)
    assert same(whole, again)
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n_rows, max_size=n_rows)))
    if counts.any():
        weighted = CharacteristicEmbedder().fit(table, sample_weight=counts)
        repeated = CharacteristicEmbedder().fit(table.iloc[np.repeat(np.arange(n_rows), counts)])
        assert np.array_equal(weighted.transform(table), repeated.transform(table))
    members = [name.rpartition("__")[0] for name in names]
    totals = CharacteristicEmbedder().fit(table).transforms_.groupby(members)["variance"].sum()
    varies = (table.min() < table.max()).groupby(members).any()
    assert totals.to_numpy() == pytest.approx(varies.to_numpy(dtype=float))


def test_customers_of_weight_0_do_not_say_what_is_an_answer() -> None:
    table = answered().assign(new=lambda frame: frame["new"].where(frame.index != 5, 2.0))
    mass = np.where(table.index == 5, 0.0, 1.0)
    weighted = CharacteristicEmbedder().fit(table, sample_weight=mass)
    without = CharacteristicEmbedder().fit(table.drop(index=5))
    assert np.array_equal(weighted.transform(table), without.transform(table))


@pytest.mark.parametrize("mass", [[1e30, 1.0, 1.0], [1e-60, 1e20, 1e-60], [1.0, 1.0, 1e90]])
def test_customers_who_are_nearly_all_there_are_are_no_problem(mass: list[float]) -> None:
    table = pd.DataFrame({"a": [1.0, 0.0, 0.0], "b": [0.0, 1.0, 1.0], "c": [1.0, 0.0, 1.0]})
    embedder = CharacteristicEmbedder().fit(table, sample_weight=mass)
    assert np.isfinite(embedder.transform(table)).all()
    assert embedder.transforms_["variance"].sum() == pytest.approx(1.0)


# who else asks of weights and characteristics


def test_survey_weights_that_leave_a_question_out_are_told_what_it_counts() -> None:
    table = answered().assign(spend=np.arange(300.0))
    survey = CharacteristicWeights(dict.fromkeys(OPTIONS, 0.25))
    with pytest.warns(DataQualityWarning, match=r"'spend' are not .* count 1 each; .* count 0\.25 together"):
        CharacteristicEmbedder(weights=survey).fit(table)
    other = CharacteristicWeights({"spend": 0.6, "visits": 0.4})
    with pytest.warns(DataQualityWarning, match=r"'yummy' are not among the weights and count 1 together"):
        CharacteristicEmbedder(weights=other).fit(table.assign(visits=np.arange(300.0) % 7))


def test_the_weight_of_a_question_moves_segments_as_that_of_any_characteristic() -> None:
    rng = np.random.RandomState(0)
    group = np.repeat([0, 1], 150)
    ticked = rng.rand(300, 4) < np.where(group[:, None], 0.8, 0.2)
    spend = np.r_[rng.randn(75), rng.randn(150) + 2.5, rng.randn(75)]
    table = pd.DataFrame(ticked, columns=[f"image__{option}" for option in OPTIONS]).assign(spend=spend)
    weights = CharacteristicWeights({"image": 1.0, "spend": 1.0}, intervals={"image": (0.0, 4.0), "spend": (0.0, 4.0)})
    found = weight_sensitivity(SegmentClusterer(2, customer_id=None, random_state=0), table, weights, 5, random_state=0)
    for name, other in (("image", "spend"), ("spend", "image")):
        moved = found.weights.set_index("characteristic").loc[name]
        alone = SegmentClusterer(2, customer_id=None, random_state=0, weights={name: 4.0, other: 1.0}).fit(table)
        stated = SegmentClusterer(2, customer_id=None, random_state=0).fit(table)
        changed = min(np.mean(alone.labels_ != stated.labels_), np.mean(alone.labels_ == stated.labels_))
        assert moved["share_changed_high"] == pytest.approx(changed)
    assert found.share_changed > 0


def test_a_question_of_the_weight_that_it_has_anyway_gives_the_same_number_of_segments() -> None:
    rng = np.random.RandomState(0)
    group = rng.randint(3, size=250)
    ticked = rng.rand(250, 4) < np.where(np.arange(4) == group[:, None], 0.9, 0.1)
    table = pd.DataFrame(ticked, columns=[f"image__{option}" for option in OPTIONS])
    table = table.assign(spend=rng.randn(250) + 4 * (group == 0), visits=rng.randn(250) + 4 * (group == 1))
    plain, stated = (
        select_n_segments(table, max_segments=5, embedder=embedder, random_state=0)
        for embedder in (CharacteristicEmbedder(customer_id=None, weights=weights) for weights in (None, {"image": 1}))
    )
    assert plain.n_segments == 3
    pd.testing.assert_frame_equal(plain.table, stated.table)


def test_separation_is_told_of_every_column() -> None:
    table = answered().reset_index(drop=True)
    told = segment_separation(table, table["yummy"].astype(int), embedder=CharacteristicEmbedder(customer_id=None))
    eta2 = told.characteristics.set_index("characteristic")["eta2"]
    assert set(eta2.index) == set(OPTIONS)
    assert eta2["yummy"] == pytest.approx(1.0)
    own = table.var(ddof=0)
    assert told.explained == pytest.approx(float((eta2 * own).sum() / own.sum()))


@pytest.mark.parametrize("weights", [{"image": 2}, {"image": 2, "spend": 0.5}])
def test_engines_of_their_own_weigh_columns_as_they_do_alone(weights: dict[str, float]) -> None:
    table = answered().add_prefix("image__").astype(bool).assign(spend=np.arange(300.0) % 17)
    ours = SegmentClusterer(3, engine="k_prototypes", weights=weights, random_state=0).fit(table)
    alone = KPrototypesClusterer(3, weights=weights, random_state=0).fit(table)
    assert np.array_equal(ours.labels_, alone.labels_)
    assert ours.optimum_.objective == pytest.approx(alone.optimum_.objective)


# the travel motives of 1,000 tourists


def motives() -> pd.DataFrame:
    return pd.read_csv(shared_data("vacmot_flexclust") / "vacmot.csv")


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(1, 3)))
def test_no_segment_of_travellers_is_one_rare_motive(seed: int) -> None:
    table = motives()
    clusterer = SegmentClusterer(6, customer_id=None, random_state=seed).fit(table)
    shares = table.groupby(clusterer.labels_).mean()
    rare = table.columns[table.mean() < 0.25]
    assert len(rare) == 8
    # each a characteristic of its own, they stood so far out that two of six segments were one of them, at 100%
    assert (shares[rare] < 0.6).all(axis=None)


def test_travellers_are_segmented_as_by_their_answers_as_they_are() -> None:
    table = motives()
    ours = SegmentClusterer(6, customer_id=None, random_state=0).fit(table)
    raw = SegmentClusterer(6, customer_id=None, embedder="passthrough", random_state=0).fit(table)
    unit = float(table.var(ddof=0).sum())
    assert ours.optimum_.objective * unit == pytest.approx(raw.optimum_.objective)
    assert np.array_equal(ours.labels_, raw.labels_)
