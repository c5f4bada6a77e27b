"""Needs, concerns, strengths and weaknesses of segments against definitions spelled out in scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from custseg.exceptions import (
    ColumnNotFoundError,
    CustomerIdError,
    InvalidParameterError,
    InvalidTableError,
    SegmentLabelError,
)
from custseg.personas import benjamini_hochberg, needs_by_segment
from custseg.segmentation import Segmentation

ITEMS = ["price", "service", "design"]
SCALE = pd.CategoricalDtype(["not at all", "little", "much", "very much"], ordered=True)


def survey(n=400, seed=0):
    """Two segments: to the first price matters more, and it is served worse there; a tenth is not answered."""
    random = np.random.RandomState(seed)
    segment = np.where(random.rand(n) < 0.4, "thrifty", "easy")
    thrifty = segment == "thrifty"
    means = {"price": 3.0 + 1.2 * thrifty, "service": 3.6, "design": 2.2}
    served = {"price": 3.4 - 1.0 * thrifty, "service": 3.5, "design": 3.0}
    ids = pd.Index(np.arange(n) + 100, name="customer_id")
    tables = [
        pd.DataFrame({item: np.clip(np.round(mean + random.randn(n)), 1, 5) for item, mean in center.items()}, ids)
        for center in (means, served)
    ]
    return *(table.mask(random.rand(*table.shape) < 0.1) for table in tables), segment


def row(needs, measure, item, name):
    frame = needs.frame
    (found,) = frame[(frame["measure"] == measure) & (frame["item"] == item) & (frame["name"] == name)].to_dict(
        "records"
    )
    return found


def test_figures_by_definition():
    importance, satisfaction, segment = survey()
    needs = needs_by_segment(importance, satisfaction, Segmentation.of(importance, segment))
    for measure, table in (("importance", importance), ("satisfaction", satisfaction)):
        for item in ITEMS:
            known = table[item].notna()
            here = table.loc[known & (segment == "thrifty"), item]
            rest = table.loc[known & (segment != "thrifty"), item]
            found = row(needs, measure, item, "thrifty")
            assert found["n"] == len(here)
            assert found["value"] == pytest.approx(here.mean())
            interval = stats.t.interval(0.95, len(here) - 1, here.mean(), stats.sem(here))
            assert (found["low"], found["high"]) == pytest.approx(interval)
            assert found["overall_value"] == pytest.approx(table[item].mean())
            assert found["difference"] == pytest.approx(here.mean() - table[item].mean())
            welch = stats.ttest_ind(here, rest, equal_var=False)
            share = len(rest) / (len(here) + len(rest))
            ends = welch.confidence_interval(0.95)
            assert found["difference_low"] == pytest.approx(share * ends.low)
            assert found["difference_high"] == pytest.approx(share * ends.high)
            assert found["p_value"] == pytest.approx(welch.pvalue)
        own = needs.frame[needs.frame["measure"] == measure]
        assert own["p_adjusted"].to_numpy() == pytest.approx(benjamini_hochberg(own["p_value"]))


def test_what_is_planted_is_said():
    importance, satisfaction, segment = survey()
    needs = needs_by_segment(importance, satisfaction, Segmentation.of(importance, segment))
    assert needs.needs["thrifty"][0] == needs.weaknesses["thrifty"][0] == needs.strengths["easy"][0] == "price"
    assert needs.concerns == {"easy": [], "thrifty": ["price"]}
    assert "price" not in needs.needs["easy"] + needs.strengths["thrifty"] + needs.weaknesses["easy"]
    assert str(needs) == "thrifty needs price; thrifty concerns price."
    quadrants = needs.quadrants.set_index(["name", "item"])["quadrant"]
    assert quadrants["thrifty", "price"] == "concentrate here"
    assert quadrants["easy", "service"] == "keep up the good work"
    assert needs.importance_line == pytest.approx(importance.mean().mean())
    assert needs.satisfaction_line == pytest.approx(satisfaction.mean().mean())


def test_nothing_is_said_where_there_is_nothing():
    random = np.random.RandomState(1)
    table = pd.DataFrame(random.randint(1, 6, size=(300, 5)), columns=list("abcde")).astype(float)
    needs = needs_by_segment(table, table, Segmentation.of(table, random.randint(3, size=300)))
    assert not any(needs.needs.values())
    assert str(needs).startswith("No segment differs")


def test_respondents_are_found_by_their_ids_in_any_order():
    importance, satisfaction, segment = survey()
    segmentation = Segmentation.of(importance, segment)
    whole = needs_by_segment(importance, satisfaction, segmentation)
    order = np.random.RandomState(2).permutation(len(importance))
    again = needs_by_segment(importance.iloc[order][ITEMS[::-1]], satisfaction.iloc[order[::-1]], segmentation)
    keys = ["measure", "segment", "item"]
    pd.testing.assert_frame_equal(
        whole.frame.sort_values(keys, ignore_index=True), again.frame.sort_values(keys, ignore_index=True)
    )
    stranger = pd.concat([importance, importance.iloc[:1].set_axis([7], axis=0).rename_axis("customer_id")])
    pd.testing.assert_frame_equal(needs_by_segment(stranger, satisfaction, segmentation).frame, whole.frame)
    some = needs_by_segment(importance.iloc[:200], satisfaction, segmentation)
    assert row(some, "importance", "price", "easy")["n"] < row(whole, "importance", "price", "easy")["n"]


def test_ordered_levels_count_from_one_and_importance_may_stand_alone():
    importance, _, segment = survey()
    levels = importance.apply(lambda column: pd.cut(column, [0, 1, 2, 3, 5], labels=SCALE.categories).astype(SCALE))
    needs = needs_by_segment(levels, None, Segmentation.of(importance, segment))
    numbers = needs_by_segment(importance.clip(upper=4), None, Segmentation.of(importance, segment))
    pd.testing.assert_frame_equal(needs.frame, numbers.frame)
    assert needs.satisfaction_line is None
    assert needs.quadrants.empty
    assert not any(needs.concerns.values())


def test_of_few_nothing_is_told():
    importance, satisfaction, segment = survey()
    segment[:3] = "rare"
    needs = needs_by_segment(importance, satisfaction, Segmentation.of(importance, segment))
    found = row(needs, "importance", "price", "rare")
    assert found["n"] == 0
    assert np.isnan(found["value"])


def test_errors():
    importance, satisfaction, segment = survey(60)
    segmentation = Segmentation.of(importance, segment)
    with pytest.raises(ColumnNotFoundError, match="design"):
        needs_by_segment(importance, satisfaction[["price", "service"]], segmentation)
    with pytest.raises(CustomerIdError, match="no respondent"):
        needs_by_segment(importance.set_axis(importance.index + 1_000, axis=0), None, segmentation)
    with pytest.raises(InvalidTableError, match="'town'"):
        needs_by_segment(importance.assign(town="Ayr"), None, segmentation)
    levels = {name: pd.Categorical(["a"] * 60, list("abcde")[:n], ordered=True) for name, n in (("x", 4), ("y", 5))}
    with pytest.raises(InvalidTableError, match="4 and 5 levels"):
        needs_by_segment(pd.DataFrame(levels, importance.index), None, segmentation)
    with pytest.raises(SegmentLabelError):
        needs_by_segment(importance.to_numpy()[:-1], None, segmentation)
    with pytest.raises(InvalidParameterError, match="segmentation"):
        needs_by_segment(importance, satisfaction, segment)
