"""What an expert or an attacker tries first: weights by id, names that collide, nobody to tell of."""

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest

from custseg._core.disclosure import described
from custseg.exceptions import CustomerIdError, InvalidParameterError, InvalidTableError, SegmentLabelError
from custseg.personas import profile_segments
from custseg.personas._segment_profile.contrast import Contrast, effect_interval
from custseg.segmentation import Segmentation


def customers(n=120, seed=0):
    random = np.random.RandomState(seed)
    table = pd.DataFrame(
        {
            "spend": np.exp(random.randn(n)),
            "age": random.randn(n),
            "town": random.choice(["Ayr", "Bonn"], n),
            "answer": pd.Categorical(random.choice(list("abc"), n), list("abc"), ordered=True),
        },
        pd.Index(1_000 + random.permutation(n), name="customer_id"),
    )
    return table, np.repeat([0, 1], n // 2), random


class TestWeights:
    def test_a_series_is_aligned_by_id_as_labels_are(self):
        table, labels, random = customers()
        weight = pd.Series(random.randint(1, 5, len(table)), table.index)
        expected = profile_segments(table, labels, sample_weight=weight.to_numpy()).frame
        mixed = weight.sample(frac=1, random_state=1)
        pd.testing.assert_frame_equal(profile_segments(table, labels, sample_weight=mixed).frame, expected)
        given = profile_segments(Segmentation.of(table, labels), sample_weight=mixed).frame
        pd.testing.assert_frame_equal(given, expected)
        with pytest.raises(CustomerIdError, match="sample_weight"):
            profile_segments(table, labels, sample_weight=mixed.set_axis(mixed.index + 7))

    def test_weight_zero_is_no_row_also_where_that_hides_a_segment(self):
        table, labels, _ = customers()
        weight = np.ones(len(table))
        weight[61:] = 0.0
        weighed = profile_segments(table, labels, sample_weight=weight).frame
        left_out = profile_segments(table[weight > 0], labels[weight > 0]).frame
        assert weighed["segment"].unique().tolist() == [0]
        pd.testing.assert_frame_equal(weighed, left_out)
        with pytest.raises(SegmentLabelError):
            profile_segments(table, np.where(weight > 0, -1, labels), sample_weight=weight)

    def test_sums_of_weights_are_the_same_in_any_order_of_rows(self):
        table, labels, random = customers()
        weight = random.rand(len(table))
        frame = profile_segments(table, labels, sample_weight=weight).frame
        order = random.permutation(len(table))
        again = profile_segments(table.iloc[order], labels[order], sample_weight=weight[order]).frame
        pd.testing.assert_frame_equal(again, frame, check_exact=True)

    def test_no_weighted_figure_is_that_of_one_customer(self):
        table, labels, _ = customers()
        weight = np.ones(len(table))
        weight[3] = 1e6
        frame = profile_segments(table, labels, sample_weight=weight).frame
        assert frame.loc[frame["segment"] == 0, ["segment_value", "low", "effect_size"]].isna().all().all()
        assert (frame.loc[frame["characteristic"] == "age", "overall_value"].dropna() < table["age"].max()).all()
        # together, although neither the weight nor the number does alone
        table["spend"] = 1.0 + np.arange(len(table)) % 2
        table.iloc[5, 0], weight[3], weight[5] = 25.0, 1.0, 25.0
        spend = profile_segments(table, labels, sample_weight=weight).frame.query("characteristic == 'spend'")
        assert spend["segment_value"].isna().tolist() == [True, False]

    @pytest.mark.parametrize("total", [1.0, 1e90])
    def test_weights_that_add_up_to_no_number_of_customers_are_refused(self, total):
        table, labels, _ = customers()
        with pytest.raises(InvalidParameterError, match="multiply all"):
            profile_segments(table, labels, sample_weight=np.full(len(table), total / len(table)))

    def test_weights_may_stand_for_very_many(self):
        table, labels, _ = customers()
        frame = profile_segments(table[["spend"]], labels, sample_weight=np.full(len(table), 8e9)).frame
        assert frame["statistic"].eq("median").all()
        assert frame["high"].to_numpy() == pytest.approx(frame["segment_value"].to_numpy(), rel=0.1)


class TestNobody:
    def test_where_nobody_is_told_of_every_table_is_empty(self):
        table, _, _ = customers()
        profile = profile_segments(table.iloc[:9], [0] * 5 + [1] * 4)
        told = profile_segments(table, [0, 1] * 60).frame
        assert profile.frame.dtypes.equals(told.dtypes)
        assert profile.by_segment.empty
        assert profile.overall.empty
        assert profile.difference().empty
        assert profile.overall.dtype == np.float64
        assert profile.to_dict()["frame"] == []
        assert "0 segment(s)" in profile._repr_html_()

    def test_a_segmentation_without_characteristics(self):
        nothing = Segmentation.of(pd.DataFrame({"segment": [0, 1] * 20}))
        with pytest.raises(InvalidTableError, match="no characteristic"):
            profile_segments(nothing)


@pytest.mark.parametrize("levels", [["", "a", "b"], ["a", "b", "b or lower"]])
def test_levels_that_share_a_name(levels):
    """An empty name beside the median, and a pool that is called as another level is."""
    counts = [20, 20, 20] if levels[0] == "" else [2, 28, 30]
    answers = pd.Categorical(np.repeat(levels, counts), levels, ordered=True)
    profile = profile_segments(pd.DataFrame({"answer": answers}), [0, 1] * 30)
    rows = len(profile.frame) // 2
    assert profile.by_segment.shape == (rows, 2)
    assert profile.by_segment["Segment 1"].tolist() == profile.frame["segment_value"].iloc[rows:].tolist()
    assert profile.difference().to_numpy() == pytest.approx(
        profile.by_segment.to_numpy() - profile.overall.to_numpy()[:, None]
    )


def test_the_order_of_columns_does_not_choose_who_is_left_out():
    random = np.random.RandomState(0)
    table = pl.DataFrame({"a": random.randn(103), "b": random.randn(103)})
    labels = np.repeat([0, 1, 2], [50, 50, 3])
    one, other = (
        profile_segments(table[names], labels, customer_id=None).by_segment for names in (["a", "b"], ["b", "a"])
    )
    pd.testing.assert_frame_equal(one, other.reindex(one.index))


def test_many_segments_and_levels_fit_into_memory():
    random = np.random.RandomState(0)
    counts = random.randint(1, 9, (150, 150)).astype(float)
    squares = counts * random.rand(150, 150)
    tracemalloc.start()
    contrast = Contrast.of(counts, random.randn(150, 150), squares)
    effect_interval(contrast, (squares, squares, squares), 0.95)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * counts.nbytes


def test_hidden_customers_follow_from_no_figure():
    """Everyone is those who are told, so nothing is left over for those who are not."""
    table, labels, _ = customers()
    labels[:4] = 2
    frame = profile_segments(table, labels).frame
    told = described(labels, 3, 10)
    assert sorted(frame["segment"].unique()) == [0, 1]
    age = frame[frame["characteristic"] == "age"]
    assert age["n"].sum() == age["n_overall"].iloc[0] == (told >= 0).sum()
    assert (age["n"] @ age["segment_value"]) / age["n"].sum() == pytest.approx(age["overall_value"].iloc[0])


def test_two_values_are_a_yes_and_no_where_a_hidden_segment_has_a_third():
    """One of the first 40 has another value than all others; the last segment is hidden, since one dominates it."""
    values = [5.0] * 39 + [6.0] + [5.0] * 40 + [5.0] * 39 + [1e9]
    profile = profile_segments(pd.DataFrame({"x": values}), np.repeat([0, 1, 2], 40))
    assert profile.frame[["segment_value", "overall_value"]].isna().all().all()


@pytest.mark.parametrize("made", [pd.Index, np.array, iter, set])
def test_columns_and_names_in_any_collection(made):
    table, labels, _ = customers()
    frame = profile_segments(table, labels, used=made(["spend", "town"])).frame
    assert set(frame.loc[frame["used_for_clustering"], "characteristic"]) == {"spend", "town"}
    assert Segmentation.of(table, labels, clustered_on=made(["spend", "town"])).clustered_on == ("spend", "town")
    if made in (pd.Index, np.array):
        assert profile_segments(table, labels, names=made(["new", "old"])).segment_names == ("new", "old")


def test_one_or_two_in_a_pool_with_a_rare_level_are_not_told():
    counts = {"few": [1, 0, 30], "many": [1, 33, 49], "three": [0, 3, 30]}
    rows = [
        (name, level) for name, each in counts.items() for level, n in zip("abc", each, strict=True) for _ in range(n)
    ]
    table = pd.DataFrame(rows, columns=["place", "grade"]).astype(
        {"grade": pd.CategoricalDtype(list("abc"), ordered=True)}
    )
    frame = profile_segments(table[["grade"]], table["place"].to_numpy()).frame
    shares = frame[frame["level"] == "b or lower"]
    # that one of a segment has the rare level a or b is known of two candidates
    assert shares["segment_value"].isna().tolist() == [True, False, False]
    assert frame[frame["segment"] == 0]["segment_value"].isna().all()
