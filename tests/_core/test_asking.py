"""Errors and warnings begin with the name of what was called, wherever it was called from."""

import ast
import inspect
import os
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import get_native_id

import pandas as pd
import pytest
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline

from custseg import PersonaDescriber, RFMFeaturizer, SegmentClusterer, bootstrap_stability
from custseg._core.asking import as_asked, asked, asking, asks, asks_as_class
from custseg._core.base import Estimator
from custseg._core.warning import warn
from custseg.exceptions import DataQualityWarning, InvalidParameterError
from custseg.segmentation import Rule, RuleFilter
from tests.common.discovery import estimator_classes, public_functions, python_files
from tests.sizes import size

CUSTOMERS = pd.DataFrame({"visits": [1.0, 2, 1, 9, 8, 9]})


class Outer(Estimator):
    """An estimator that asks another one, and says before and afterwards who is asked."""

    def __init__(self, inner=None):
        self.inner = inner

    def fit(self, X, y=None):
        self.before_ = asked()
        self.inside_ = [] if self.inner is None else self.inner.fit(X).names()
        self.after_ = asked()
        return self

    def names(self):
        return [self.before_, *self.inside_, self.after_]


class Derived(Outer):
    """A subclass that calls its base, and reads properties of it."""

    def fit(self, X, y=None):
        return super().fit(X)

    @property
    def last(self):
        return self.after_


@asks
def public(compute):
    """A public function."""
    return compute()


def fail():
    raise InvalidParameterError.not_allowed("n", "an integer", "x")


class TestDoors:
    def test_nobody_is_asked_outside_of_calls(self):
        assert asked() == "custseg"

    def test_a_function_speaks_in_its_own_name_and_then_no_more(self):
        assert public(asked) == "public"
        assert asked() == "custseg"

    def test_an_error_leaves_no_name_behind(self):
        with pytest.raises(InvalidParameterError, match=r"^public: parameter 'n' must be an integer, got 'x'\.$"):
            public(fail)
        assert asked() == "custseg"

    def test_the_innermost_door_wins_and_the_outer_one_comes_back(self):
        assert public(lambda: [asked(), public(asked), asked()]) == ["public"] * 3
        with asking("outer"):
            assert public(asked) == "public"
            assert asked() == "outer"

    def test_a_door_may_give_way_to_those_further_out(self):
        by_itself = asking("Rule", unless_asked=True)(asked)
        assert by_itself() == "Rule"
        with asking("SegmentationBrief"):
            assert by_itself() == "SegmentationBrief"

    def test_a_generator_cannot_be_a_door(self):
        def generate():
            yield asked()

        with pytest.raises(TypeError, match="is a generator"):
            asks(generate)
        with pytest.raises(TypeError, match="is a generator"):
            asks_as_class(generate)

    def test_functions_stay_what_they_were(self):
        assert public.__doc__ == "A public function."
        assert list(inspect.signature(public).parameters) == ["compute"]
        assert pickle.loads(pickle.dumps(public)) is public  # noqa: S301 - our own bytes


class TestEstimators:
    def test_each_estimator_is_named_by_its_own_class(self):
        assert Outer(Derived()).fit(CUSTOMERS).names() == ["Outer", "Derived", "Derived", "Outer"]
        assert Derived().fit(CUSTOMERS).last == "Derived"

    def test_clones_and_pickles_and_pipelines_are_named_alike(self):
        estimator = pickle.loads(pickle.dumps(clone(Derived()).fit(CUSTOMERS)))  # noqa: S301 - our own bytes
        assert estimator.names() == ["Derived", "Derived"]
        assert make_pipeline(clone(estimator)).fit(CUSTOMERS)[-1].names() == ["Derived", "Derived"]

    def test_public_methods_of_every_estimator_are_doors_and_keep_their_signature(self):
        bases = {base for cls in estimator_classes().values() for base in cls.__mro__}
        found = 0
        for cls in (base for base in bases if base.__module__.startswith("custseg")):
            for name, thing in vars(cls).items():
                method = getattr(thing, "fn", thing)  # of one that is there only if
                if inspect.isfunction(method) and not name.startswith("_") and name != "set_output":
                    assert inspect.signature(method) == inspect.signature(inspect.unwrap(method)), (cls, name)
                    assert hasattr(method, "__wrapped__"), (cls, name)
                    found += 1
        assert found > 50
        # which says more than the class
        with pytest.raises(InvalidParameterError, match=r"^RFMFeaturizer\.set_output: parameter 'transform'"):
            RFMFeaturizer().set_output(transform="dask")

    def test_a_subclass_of_the_user_is_named(self):
        class Mine(SegmentClusterer):
            pass

        with pytest.raises(InvalidParameterError, match=r"^Mine: parameter 'n_segments' must be"):
            Mine(n_segments=-1).fit(CUSTOMERS)


class TestElsewhere:
    def test_threads_begin_without_a_name_and_are_given_it(self):
        with asking("outer"), ThreadPoolExecutor(1) as threads:
            assert threads.submit(asked).result() == "custseg"
            assert threads.submit(as_asked(asked)).result() == "outer"
            assert threads.submit(asked).result() == "custseg"

    @pytest.mark.parametrize("backend", ["threading", "loky"])
    def test_workers_are_given_it_too(self, backend):
        with asking("outer"):
            assert Parallel(n_jobs=2, backend=backend)([delayed(as_asked(asked))()] * 2) == ["outer", "outer"]

    # a process of its own imports all of custseg first
    @pytest.mark.thorough
    @pytest.mark.parametrize("backend", size(["threading"], ["threading", "loky"]))
    def test_what_is_refused_in_a_worker_names_who_was_asked(self, backend):
        class Blind(KMeans):
            home = os.getpid(), get_native_id()

            def predict(self, X):
                return super().predict(X) - ((os.getpid(), get_native_id()) != self.home)

        words = r"^bootstrap_stability: Blind\.predict must give"
        with parallel_config(backend=backend), pytest.raises(InvalidParameterError, match=words):
            bootstrap_stability(Blind(), CUSTOMERS, 2, n_pairs=2, random_state=0, n_jobs=2)


class TestMessages:
    def test_a_text_is_said_in_the_name_of_who_is_asked_and_a_warning_as_it_is(self):
        with warnings.catch_warnings(record=True) as caught, asking("outer"):
            warnings.simplefilter("always")
            warn("a row was left out.")
            warn(DataQualityWarning("inner: a row was left out."))
        assert [str(each.message) for each in caught] == ["outer: a row was left out.", "inner: a row was left out."]

    def test_what_is_used_by_itself_or_by_others_is_named_accordingly(self):
        with pytest.raises(InvalidParameterError, match=r"^Rule: "):
            Rule.read("visits >")
        rule = RuleFilter(Rule.read("visits >= 2"), CUSTOMERS, customer_id=None)
        with pytest.raises(InvalidParameterError, match=r"^RuleFilter: parameter 'quote'"):
            rule.to_sql(quote="'")
        with pytest.raises(InvalidParameterError, match=r"^RuleFilter: parameter 'quote'"):
            rule.to_sql(quote="'")

    def test_a_describer_inside_a_function_speaks_in_its_own_name(self):
        with pytest.raises(InvalidParameterError, match=r"^PersonaDescriber: parameter 'n_traits'"):
            public(lambda: PersonaDescriber(n_traits=-1).fit(CUSTOMERS, [0, 0, 0, 1, 1, 1]))


# pure figures, and what only calls those who speak for themselves: estimators, find_goal, the writers of a report
SILENT = {
    "custseg.personas.benjamini_hochberg",
    "custseg.personas.category_p_value",
    "custseg.personas.category_v_test",
    "custseg.personas.eta_squared",
    "custseg.personas.hedges_g",
    "custseg.personas.is_marker",
    "custseg.personas.lift",
    "custseg.personas.numeric_v_test",
    "custseg.reporting.check_report_path",
    "custseg.reporting.finding",
    "custseg.reporting.render_html",
    "custseg.reporting.render_json",
    "custseg.reporting.render_markdown",
    "custseg.reporting.report_schema",
    "custseg.reporting.write_report",
    "custseg.study.trusted_types",
    "custseg.targeting.goals_to_frame",
    "custseg.targeting.named_actions_to_frame",
    "custseg.targeting.recommend",
}


def test_every_other_public_function_speaks_in_its_own_name():
    speaking = {name for name, function in public_functions().items() if function.__code__.co_name == "speaking"}
    assert set(public_functions()) - speaking == SILENT


def handed_on(path):
    """Parameters, fields and constants that hold the caller's name, as file and line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.arg, ast.keyword)) and node.arg == "who":
            yield f"{path.name}, line {getattr(node, 'value', node).lineno}"
        if isinstance(node, ast.Name) and node.id == "_WHO":
            yield f"{path.name}, line {node.lineno}"


def test_nobody_hands_the_name_on_by_hand():
    """What asks keeps it where it cannot be read later."""
    assert [place for path in python_files("src") for place in handed_on(path)] == []
