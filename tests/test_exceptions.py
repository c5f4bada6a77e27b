"""Errors say what is wrong, what was got and what to try, and are the built-in exceptions that callers catch."""

import pickle

import pytest

from custseg import exceptions
from custseg._core.asking import asking
from custseg.exceptions import (
    ColumnChangeError,
    ColumnNotFoundError,
    DataQualityWarning,
    InvalidParameterError,
    MissingDependencyError,
    list_names,
    suggest,
)


@pytest.mark.parametrize("name", exceptions.__all__)
def test_every_error_is_one_that_callers_catch_already(name):
    error = getattr(exceptions, name)
    assert issubclass(error, (ValueError, ImportError, UserWarning))
    assert issubclass(error, Warning) == name.endswith("Warning")
    assert pickle.loads(pickle.dumps(error("a message"))).args == ("a message",)  # noqa: S301 - our own bytes


def test_a_missing_column_lists_the_table_and_the_closest_name():
    with asking("RFMFeaturizer"):
        error = ColumnNotFoundError.in_table(["amout", "day"], ["amount", "order_id"])
    assert str(error) == (
        "RFMFeaturizer: column 'amout' not found (also missing: 'day'); the table has 'amount', 'order_id'. "
        "Did you mean 'amount'?"
    )


def test_suggestions_ignore_case_and_keep_silent_where_nothing_is_close():
    assert suggest("RETENTION ", ["retention", "pricing"]) == " Did you mean 'retention'?"
    assert suggest("xyz", ["retention", "pricing"]) == ""
    assert suggest("anything", []) == ""


def test_long_lists_are_cut_and_the_rest_is_counted():
    assert list_names([]) == "none"
    assert list_names("ab") == "'a', 'b'"
    assert list_names(range(20)) == "'0', '1', '2', '3', '4', '5', '6', '7' and 12 more"
    unknown = str(InvalidParameterError.unknown_name("goal", "growth", [f"goal {n}" for n in range(30)]))
    assert unknown.startswith("custseg: unknown goal 'growth'; known: 'goal 0'")
    assert "and 10 more" in unknown


def test_changed_columns_print_the_difference():
    message = str(ColumnChangeError.between(["age", "income"], ["income", "region"]))
    assert "unseen at fit time:\n- region\n" in message
    assert "now missing:\n- age\n" in message


def test_a_missing_library_is_an_import_error_and_a_data_warning_is_no_error():
    assert isinstance(MissingDependencyError.required("jinja2", "the report", "report"), ImportError)
    assert not issubclass(DataQualityWarning, ValueError)
