"""Answers that do not stand beside their customers, one respondent many times, and nobody to tell of."""

import numpy as np
import pandas as pd
import pytest

from custseg.exceptions import CustomerIdError, InvalidTableError, SegmentLabelError
from custseg.personas import needs_by_segment
from custseg.segmentation import Segmentation


def survey(n=60):
    answers = np.random.RandomState(0).randint(1, 6, (n, 3)).astype(float)
    answers[:, 0] += np.arange(n) % 2
    return pd.DataFrame(answers, pd.Index(np.arange(n) + 100, name="customer_id"), list("pqr")), ["a", "b"] * (n // 2)


def test_answers_with_ids_are_not_laid_beside_rows_without():
    answers, labels = survey()
    without = Segmentation.of(answers.to_numpy(), labels)
    with pytest.raises(CustomerIdError, match="for example 100, .*without ids"):
        needs_by_segment(answers, None, without)
    with pytest.raises(CustomerIdError, match="without ids"):
        needs_by_segment(answers.reset_index(drop=True)[::-1], None, without)
    expected = needs_by_segment(answers, None, Segmentation.of(answers, labels)).frame
    for rows in (answers.reset_index(drop=True), answers.to_numpy()):
        found = needs_by_segment(rows, None, without).frame
        pd.testing.assert_frame_equal(found.drop(columns="item"), expected.drop(columns="item"))


def test_one_respondent_is_not_many():
    answers, labels = survey()
    segmentation = Segmentation.of(answers, labels)
    with pytest.raises(CustomerIdError, match="respondents of importance have the id 100 more than once"):
        needs_by_segment(pd.concat([answers.iloc[:2]] * 20), None, segmentation)
    twice = Segmentation.of(answers.set_axis(answers.index // 2, axis=0), labels)
    with pytest.raises(CustomerIdError, match="customers of the segmentation have the id 50 more than once"):
        needs_by_segment(answers.set_axis(answers.index - 50, axis=0), None, twice)


def test_no_respondent_is_in_a_segment():
    answers, _ = survey()
    segmentation = Segmentation.of(answers, [0] * 30 + [-1] * 30)
    with pytest.raises(SegmentLabelError):
        needs_by_segment(answers.iloc[30:], None, segmentation)


def test_too_few_respondents_are_told_of_in_no_way():
    answers, labels = survey()
    needs = needs_by_segment(answers.iloc[:9], answers, Segmentation.of(answers, labels))
    few = needs.frame[needs.frame["measure"] == "importance"]
    assert few["n"].eq(0).all()
    assert few[["value", "low", "high", "overall_value", "difference", "p_value", "p_adjusted"]].isna().all().all()
    assert np.isnan(needs.importance_line)
    assert set(needs.quadrants["quadrant"]) == {"undecided"}
    assert needs.to_dict()["importance_line"] is None
    assert str(needs)
    assert needs._repr_html_()


def test_the_lines_have_the_same_digits_in_any_order_of_items():
    answers, labels = survey()
    segmentation = Segmentation.of(answers, labels)
    many = pd.DataFrame({f"item {i}": answers["p"] * 1.1**i for i in range(20)})
    orders = [many.sample(frac=1, axis=1, random_state=seed) for seed in range(6)]
    assert len({needs_by_segment(items, None, segmentation).importance_line for items in orders}) == 1


def test_what_all_answer_alike_differs_nowhere():
    for value in (0.1, 0.7, 2.3):
        for n in range(11, 40, 3):
            same = pd.DataFrame({"x": np.full(n + 40, value)})
            needs = needs_by_segment(same, same, Segmentation.of(same, ["a"] * n + ["b"] * 40))
            assert needs.needs == needs.strengths == needs.weaknesses == {"a": [], "b": []}
            assert needs.frame["difference"].eq(0).all()


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_any_unit(scale):
    answers, labels = survey()
    segmentation = Segmentation.of(answers, labels)
    expected, found = (needs_by_segment(items, None, segmentation) for items in (answers, answers * scale))
    assert found.needs == expected.needs
    for figure in ("value", "low", "overall_value", "difference_high"):
        assert (found.frame[figure] / scale).to_numpy() == pytest.approx(expected.frame[figure].to_numpy())
    assert found.frame["p_value"].to_numpy() == pytest.approx(expected.frame["p_value"].to_numpy())


def test_a_column_of_ids_is_no_item():
    """Else rows would be laid beside those of other customers, whose ids happen to be the numbers of the rows."""
    answers, labels = survey()
    table = answers.reset_index(drop=True).assign(code=np.arange(60)[::-1])
    segmentation = Segmentation.of(table, labels, customer_id="code")
    with pytest.raises(InvalidTableError, match="'code'"):
        needs_by_segment(table, None, segmentation)
    found = needs_by_segment(table.rename(columns={"code": "customer_id"}), None, segmentation).frame
    expected = needs_by_segment(answers, None, Segmentation.of(answers, labels)).frame
    pd.testing.assert_frame_equal(found, expected)
