"""The estimator contract, for every public estimator, on data of the kind it is made for."""

import inspect
import pickle
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import skops.io
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from custseg import trusted_types
from custseg.exceptions import InvalidParameterError
from tests.common.cases import CASES, EXPECTED_FAILED_CHECKS, MATRIX, NAMED_TABLES, same
from tests.common.discovery import estimator_classes

pytestmark = pytest.mark.sampled

NAMES = sorted(estimator_classes())


@dataclass(frozen=True)
class Fit:
    """A case that was fitted, what fit returned, and its parameters before and after."""

    estimator: Any
    returned: Any
    before: bytes
    after: bytes


@cache
def fit_of(name):
    """Every case fitted once; a test that changes an estimator takes a copy."""
    estimator = clone(CASES[name].estimator)
    before = pickle.dumps(estimator.get_params())
    returned = estimator.fit(CASES[name].data)
    return Fit(estimator, returned, before, pickle.dumps(estimator.get_params()))


def fitted(name):
    return fit_of(name).estimator


def outputs(estimator, data):
    """What a fitted estimator answers, by method."""
    return {
        method: getattr(estimator, method)(data) for method in ("transform", "predict") if hasattr(estimator, method)
    }


def test_every_estimator_is_discovered_and_has_its_place():
    assert {"RFMFeaturizer", "SegmentClusterer", "PersonaDescriber", "SegmentationStudy"} <= set(NAMES)
    assert sorted([*MATRIX, *NAMED_TABLES]) == NAMES
    assert sorted(CASES) == NAMES


# some checks fit noise that an estimator rightly warns of
@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(
    list(MATRIX.values()),
    expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS.get(type(estimator).__name__, {}),
    xfail_strict=True,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_no_exemption_names_a_check_that_does_not_exist():
    # that an exempted check really fails is seen to by xfail_strict above
    assert set(EXPECTED_FAILED_CHECKS) <= set(MATRIX)
    for name, exemptions in EXPECTED_FAILED_CHECKS.items():
        checks = {
            getattr(check, "func", check).__name__ for _, check in estimator_checks_generator(MATRIX[name], mark=None)
        }
        assert set(exemptions) <= checks


@pytest.mark.parametrize("name", NAMES)
def test_init_stores_its_parameters_and_nothing_else(name):
    estimator = CASES[name].estimator
    given = estimator.get_params(deep=False)
    made = type(estimator)(**given)
    assert vars(made).keys() == given.keys()
    assert all(getattr(made, parameter) is value for parameter, value in given.items())


@pytest.mark.parametrize("name", NAMES)
def test_only_the_first_parameter_may_be_positional(name):
    kinds = [parameter.kind for parameter in inspect.signature(estimator_classes()[name]).parameters.values()]
    assert set(kinds[1:]) <= {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", NAMES)
def test_fit_checks_every_parameter_and_names_it(name):
    case = CASES[name]
    for parameter in case.estimator.get_params(deep=False):
        broken = type(case.estimator)(**{**case.estimator.get_params(deep=False), parameter: object()})
        with pytest.raises(InvalidParameterError, match=f"{name}: .*'?{parameter}'?"):
            broken.fit(case.data)


@pytest.mark.parametrize("name", NAMES)
def test_clone_and_parameters_make_the_round_trip(name):
    estimator = CASES[name].estimator
    copy = clone(fitted(name))
    assert repr(copy) == repr(estimator)
    assert not [attribute for attribute in vars(copy) if attribute.endswith("_") and not attribute.startswith("_")]
    parameters = estimator.get_params(deep=False)
    assert clone(estimator).set_params(**parameters).get_params(deep=False) == parameters


@pytest.mark.parametrize("name", NAMES)
def test_fit_returns_the_estimator_and_keeps_its_parameters(name):
    fit = fit_of(name)
    assert fit.returned is fit.estimator
    assert fit.after == fit.before
    assert [attribute for attribute in vars(fit.estimator) if attribute.endswith("_")]


@pytest.mark.parametrize("name", NAMES)
def test_pickled_and_back_it_answers_the_same(name):
    case = CASES[name]
    restored = pickle.loads(pickle.dumps(fitted(name)))  # noqa: S301 - our own bytes
    answers = outputs(restored, case.data)
    assert answers
    for method, answer in outputs(fitted(name), case.data).items():
        assert same(answer, answers[method]), method


@pytest.mark.parametrize("name", NAMES)
def test_stored_by_skops_and_back_it_answers_the_same(name):
    stored = skops.io.dumps(fitted(name))
    assert set(skops.io.get_untrusted_types(data=stored)) <= set(trusted_types())
    restored = skops.io.loads(stored, trusted=trusted_types())
    answers = outputs(restored, CASES[name].data)
    assert answers
    for method, answer in outputs(fitted(name), CASES[name].data).items():
        assert same(answer, answers[method]), method
    # nor is anything lost that is not asked for here
    before, after = fitted(name).__getstate__(), restored.__getstate__()
    assert after["text"] == before["text"]
    for old, new in zip(before["arrays"], after["arrays"], strict=True):
        assert new.dtype == old.dtype
        assert new.tobytes() == old.tobytes()


def test_what_is_trusted_is_every_public_estimator_and_nothing_else():
    assert trusted_types() == sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in estimator_classes().values())


@pytest.mark.parametrize("name", NAMES)
def test_transform_and_predict_change_nothing_in_the_estimator(name):
    estimator = fitted(name)
    before = pickle.dumps(estimator)
    first = outputs(estimator, CASES[name].data)
    assert pickle.dumps(estimator) == before
    for method, again in outputs(estimator, CASES[name].data).items():
        assert same(first[method], again), method


@pytest.mark.parametrize("name", NAMES)
def test_fit_twice_is_fit_once(name):
    case = CASES[name]
    again = pickle.loads(pickle.dumps(fitted(name))).fit(case.data)  # noqa: S301 - our own bytes
    for method, answer in outputs(again, case.data).items():
        assert same(answer, outputs(fitted(name), case.data)[method]), method


@pytest.mark.parametrize("name", NAMES)
def test_it_shows_itself_as_text_and_html(name):
    assert repr(fitted(name)).startswith(f"{name}(")
    for estimator in (CASES[name].estimator, fitted(name)):
        html = estimator._repr_html_() if name == "PersonaDescriber" else estimator._repr_mimebundle_()["text/html"]
        assert name in html or name == "PersonaDescriber"
        assert "<div" in html or "<table" in html or "<section" in html
