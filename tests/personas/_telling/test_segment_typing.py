"""The typing tool: its accuracy is that of the sheet, holds on others, and is no worse than that of a tree."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.tree import DecisionTreeClassifier

from custseg import Segmentation
from custseg.exceptions import (
    ColumnNotFoundError,
    DataQualityWarning,
    InvalidParameterError,
    UnseenCategoryWarning,
)
from custseg.personas import SegmentTyping
from custseg.personas._telling.labelled import N_FOLDS
from tests.personas._telling.samples import hold_nine_of_ten, planted, shuffled, young_people
from tests.personas._telling.test_segment_rules import mixed
from tests.sizes import size


def matrix_of(table):
    """The customers as scikit-learn's trees take them, and whose column each is."""
    parts = []
    for column in table.columns:
        if column.kind == "nominal":
            parts.append((column.values[:, None] == np.arange(len(column.categories))).astype(float))
        else:
            values = np.where(column.missing, np.nan, column.values.astype(float))
            parts.append(np.nan_to_num(values, nan=np.nanmedian(values))[:, None])
    return np.hstack(parts), np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])


def of_trees(given, n_questions):
    """Which customers trees of each depth put right, on the parts that the sheets are measured on.

    Of those that ask the same few questions of everyone, as a sheet does, and of those that ask what they like: three
    levels of these need up to seven columns.
    """
    matrix, owner = matrix_of(given.table)
    right = np.zeros((2, n_questions, len(matrix)))
    for fold in range(N_FOLDS):
        own, others = given.folds != fold, given.folds == fold
        for depth in range(1, n_questions + 1):
            free = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(matrix[own], given.labels[own])
            right[1, depth - 1, others] = free.predict(matrix[others]) == given.labels[others]
            weight = np.bincount(owner, free.feature_importances_)
            few = matrix[:, np.isin(owner, np.argsort(-weight)[:depth])]
            same = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(few[own], given.labels[own])
            right[0, depth - 1, others] = same.predict(few[others]) == given.labels[others]
    return right


def no_worse_than_trees(customers, labels, n_questions):
    """Compare customer by customer: for no number of questions are trees better than by chance, and they are worse."""
    typing = SegmentTyping(n_questions)
    given = typing._labelled(customers, labels)
    right, _ = typing._right(given, np.ones(len(labels), dtype=bool), n_questions)
    for trees in of_trees(given, n_questions):
        gain = right - trees
        error = gain.std(axis=1) / np.sqrt(len(labels))
        assert (gain.mean(axis=1) > -2 * error).all(), (gain.mean(axis=1), error)
        assert gain.mean() > 0.01


@pytest.mark.thorough
def test_young_people_are_found_as_well_as_by_trees_of_equal_depth():
    for n_segments in size([5], [3, 4, 5, 6]):
        no_worse_than_trees(*young_people(n_segments), n_questions=size(2, 8))


@pytest.mark.thorough
def test_planted_segments_are_found_as_well_as_by_trees_of_equal_depth():
    for seed in range(size(1, 2)):
        for separation in size([1.0], [0.7, 1.0, 2.0]):
            customers, labels = planted(size(300, 1_500), 4 + seed % 2, separation, seed)
            no_worse_than_trees(customers, labels, n_questions=size(2, 8))


@pytest.mark.thorough
def test_the_accuracy_holds_on_a_second_sample():
    customers, labels = planted(6_000, separation=1.0, seed=5)
    rng, inside = np.random.RandomState(0), []
    for _ in range(size(2, 20)):
        order = rng.permutation(len(labels))
        own, others = order[: size(250, 500)], order[size(250, 500) :]
        typing = SegmentTyping(2).fit(customers.iloc[own], labels[own])
        row = typing.accuracy_.iloc[-1]
        inside.append(row["low"] <= (typing.predict(customers.iloc[others]) == labels[others]).mean() <= row["high"])
    assert hold_nine_of_ten(inside)


def by_hand(typing, customer):
    """Do what the printed sheet says, with nothing but its text."""
    lines = typing.to_text().splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("Start"))
    names = re.split(r"\s{2,}", lines[start - 1].strip())
    total = np.array(lines[start].split()[1:], dtype=int)
    points, question = {}, None
    for line in lines[start + 1 :]:
        if number := re.match(r"\d+\. (.*)", line):
            question = number[1]
        else:
            answer, *own = re.split(r"\s{2,}", line.strip())
            points[question, answer] = np.array(own, dtype=int)
    for (question, answer), own in points.items():
        value = customer[question]
        if isinstance(value, str):
            given = answer == value
        elif np.isnan(value):
            given = False
        else:
            ends = [float(end.replace(",", "")) for end in re.findall(r"-?[\d,.]+", answer)]
            low = ends[0] if answer.startswith("over") else -np.inf
            high = ends[-1] if "to" in answer or not answer.startswith("over") else np.inf
            low = high - 1 if re.fullmatch(r"[\d,]+", answer) else low
            given = low < value <= high
        total = total + own * given
    return names[int(total.argmax())]


def test_a_person_who_adds_up_the_sheet_finds_what_predict_finds():
    customers, labels = planted(200, 3)
    table = customers[["age", "income", "household", "price_matters"]].astype({"household": object})
    typing = SegmentTyping(3).fit(table, labels)
    found = typing.predict(table[:60])
    for row, label in zip(table[:60].to_dict("records"), found, strict=True):
        assert by_hand(typing, row) == typing.segment_names_[label]


def test_points_are_whole_few_and_what_predict_adds_up():
    customers, labels = mixed()
    typing = SegmentTyping(3).fit(customers, labels)
    points = typing.to_frame()
    assert (points.dtypes == "int64").all()
    assert points.to_numpy().min() == 0
    assert points.iloc[1:].to_numpy().max() == 20
    assert points.index.get_level_values("question").unique().tolist() == ["", *typing.questions_]
    # nothing known: the start decides
    nobody = pd.DataFrame({column: [None] for column in typing.questions_})
    assert typing.segment_names_[typing.predict(nobody)[0]] == points.iloc[0].idxmax()


def test_auto_takes_the_fewest_questions_within_one_standard_error():
    customers, labels = mixed()
    typing = SegmentTyping().fit(customers, labels)
    accuracy = typing.accuracy_["accuracy"].to_numpy()
    best = accuracy[1:].max()
    enough = np.flatnonzero(accuracy >= best - np.sqrt(best * (1 - best) / len(labels)))
    assert typing.n_questions_ == enough[0] == len(typing.questions_)
    assert typing.accuracy_["n_questions"][typing.accuracy_["chosen"]].tolist() == [typing.n_questions_]
    assert accuracy[0] == np.bincount(labels).max() / len(labels)


def test_one_question_is_asked_where_one_tells_all():
    customers, labels = mixed()
    typing = SegmentTyping().fit(
        customers[["town", "visits"]].assign(code=pd.Series(labels).map({0: "a", 1: "b", 2: "c"})), labels
    )
    assert typing.questions_ == ["code"]
    assert typing.accuracy_["accuracy"].iloc[1] == 1.0


@given(seed=st.integers(0, 1000))
@settings(max_examples=size(1, 10))
def test_no_order_of_rows_columns_or_labels_changes_the_sheet(seed):
    customers, labels = mixed(120)
    one = SegmentTyping(2).fit(customers, labels)
    table, relabelled, renamed = shuffled(customers, labels, seed)
    other = SegmentTyping(2).fit(table, relabelled)
    assert_frame_equal(one.accuracy_, other.accuracy_, check_exact=True)
    names = {f"Segment {label}": f"Segment {new}" for label, new in enumerate(renamed)}
    assert_frame_equal(one.points_.rename(columns=names), other.points_, check_exact=True)
    assert renamed[one.predict(customers)].tolist() == other.predict(customers).tolist()
    assert np.array_equal(one.predict_proba(customers), other.predict_proba(customers)[:, renamed])


def test_probabilities_add_up_and_agree_with_the_labels():
    customers, labels = mixed()
    labels = np.where(np.arange(len(labels)) == 7, 3, labels)
    typing = SegmentTyping(3).fit(customers, labels)
    shares = typing.predict_proba(customers)
    assert shares.shape == (len(labels), 4)
    assert shares.sum(axis=1) == pytest.approx(1)
    # the one member of a segment is nobody to be found
    assert (shares[:, 3] == 0).all()
    assert (shares[np.arange(len(labels)), typing.predict(customers)] == shares.max(axis=1)).all()


def test_a_segment_of_one_is_no_obstacle_where_it_may_be_told_of():
    customers, labels = mixed()
    labels = np.where(np.arange(len(labels)) == 7, 3, labels)
    typing = SegmentTyping(2, min_group_size=1).fit(customers[["town", "visits"]], labels)
    assert typing.predict_proba(customers)[:, 3].max() > 0
    two = (np.arange(len(labels)) == 7).astype(int)
    accuracy = SegmentTyping(1, min_group_size=1).fit(customers[["visits"]], two).accuracy_["accuracy"]
    assert accuracy.tolist() == [1 - 1 / len(labels)] * 2


def test_only_the_columns_that_are_asked_for_are_looked_at():
    customers, labels = mixed()
    typing = SegmentTyping(2).fit(customers, labels)
    few = customers[typing.questions_].assign(at=pd.Timestamp("2024-01-01"))
    assert typing.predict(few).tolist() == typing.predict(customers).tolist()
    with pytest.raises(ColumnNotFoundError, match=typing.questions_[0]):
        typing.predict(customers.drop(columns=typing.questions_[0]))


def test_ids_are_not_asked_for_nor_what_is_the_same_for_everyone():
    customers, labels = mixed()
    customers = customers.assign(same=1, unknown=None, email=[f"{row}@x.org" for row in range(len(customers))])
    with pytest.warns(DataQualityWarning, match="'email' differs in every row"):
        typing = SegmentTyping(1).fit(customers, labels)
    assert set(typing.left_out_) == {"same", "unknown"}
    assert not {"email", "same", "unknown"} & set(typing.questions_)


def test_a_new_level_of_an_order_is_no_answer_and_new_text_any_other():
    customers, labels = mixed()
    typing = SegmentTyping(1).fit(customers[["band"]], labels)
    new = pd.DataFrame({"band": pd.Categorical(["top"], ["low", "middle", "high", "top"], ordered=True)})
    with pytest.warns(UnseenCategoryWarning, match="top"):
        assert typing.predict(new) == typing.predict(pd.DataFrame({"band": [None]}))
    towns = pd.DataFrame({"town": np.array([f"t{row % 40}" for row in range(600)])})
    typing = SegmentTyping(1).fit(towns, (np.arange(600) % 40 > 5).astype(int))
    assert "any other" in typing.points_.index.get_level_values("answer")
    assert typing.predict(pd.DataFrame({"town": ["new"]})).tolist() == [1]


@given(seed=st.integers(0, 1000), least=st.integers(2, 25))
@settings(max_examples=size(1, 10))
def test_every_answer_is_given_by_enough(seed, least):
    customers, labels = mixed(seed=seed)
    typing = SegmentTyping(3, min_group_size=least).fit(customers, labels)
    for question in typing._questions:
        column = typing._by_columns(customers, [question.column])[question.column]
        codes = question.codes(column)
        assert np.bincount(codes[codes >= 0], minlength=len(question.answers)).min() >= least
        if question.kind == "nominal":
            counts = customers[question.column].value_counts()
            assert all(counts[level] >= least for level in question.levels)


@pytest.mark.parametrize(
    ("customers", "labels", "n_questions", "error", "words"),
    [
        (mixed()[0], np.zeros(200, dtype=int), "auto", "InfeasibleError", "1 segment"),
        (mixed()[0], mixed()[1], 9, "InvalidParameterError", "at most 6"),
        (mixed()[0].assign(at=pd.Timestamp("2024-01-01")), mixed()[1], 2, "ColumnTypeError", "column 'at'"),
        (
            pd.DataFrame({"a": np.arange(200) // 199}),
            mixed()[1],
            "auto",
            "InfeasibleError",
            "no column has two answers",
        ),
        (mixed()[0], mixed()[1][:9], 2, "SegmentLabelError", "9 labels and 200 customers"),
    ],
)
def test_one_error_says_what_is_wrong(customers, labels, n_questions, error, words):
    with pytest.raises(ValueError, match=words) as caught:
        SegmentTyping(n_questions).fit(customers, labels)
    assert type(caught.value).__name__ == error
    assert str(caught.value).startswith("SegmentTyping")


def test_a_segmentation_says_the_labels_and_takes_no_others():
    customers, labels = mixed()
    segmentation = Segmentation.of(customers, labels, names=["😀 smile", "עברית", "ca\u202eb"])
    typing = SegmentTyping(2).fit(segmentation)
    assert_frame_equal(typing.accuracy_, SegmentTyping(2).fit(customers, labels).accuracy_)
    assert "😀 smile" in typing.to_text()
    assert "\u202e" not in typing.to_text()
    with pytest.raises(InvalidParameterError, match="parameter 'y'"):
        SegmentTyping(2).fit(segmentation, labels)
