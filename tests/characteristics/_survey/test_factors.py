import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import FactorAnalysis

from custseg.characteristics._survey.answers import moments
from custseg.characteristics._survey.factors import factorability, find_factors, parallel_analysis
from custseg.exceptions import DataQualityWarning, InvalidParameterError, InvalidTableError
from tests.conftest import shared_data
from tests.sizes import size


@pytest.fixture(scope="module")
def bfi():
    return pd.read_csv(shared_data("bfi_bigfive") / "bfi.csv").iloc[:, :25].astype(float)


def planted(n_rows=400, n_factors=3, each=4, seed=0, missing=0.0):
    """Answers from 1 to 7 to items that load .8 on one factor each; every second item is turned round."""
    rng = np.random.RandomState(seed)
    factors = rng.standard_normal((n_rows, n_factors)).repeat(each, axis=1)
    signs = np.where(np.arange(factors.shape[1]) % each == 1, -1.0, 1.0)
    values = np.clip(np.rint(4 + 1.3 * (0.8 * signs * factors + 0.6 * rng.standard_normal(factors.shape))), 1, 7)
    values[rng.random_sample(values.shape) < missing] = np.nan
    names = [f"{letter}{number}" for letter in "pqrstuvw"[:n_factors] for number in range(each)]
    return pd.DataFrame(values, columns=names)


def factors_of(frame, n_factors=3, least=0.3, rotation="varimax"):
    found = moments(frame.to_numpy())
    return find_factors(list(frame), found.correlation, n_factors=n_factors, rotation=rotation, least=least)


def test_the_published_measures_of_sampling_adequacy(bfi):
    found = factorability(bfi)
    assert found.kmo == pytest.approx(0.845897, abs=5e-7)
    assert found.chi_square == pytest.approx(20163.789, abs=5e-4)
    assert found.degrees_of_freedom == 300
    assert found.p_value == 0.0
    assert found.kmo_items.index.to_list() == list(bfi)
    assert found.to_frame()["kmo"].to_list() == [found.kmo]


def test_bartlett_of_independent_items_is_not_significant():
    found = factorability(np.random.RandomState(1).standard_normal((500, 6)))
    assert found.p_value > 0.05
    assert found.kmo < 0.6


def test_sampling_adequacy_by_the_residuals_of_regressions():
    frame = planted(n_factors=1, each=4)
    values = (frame - frame.mean()).to_numpy()

    def partial(one, other):
        rest = np.delete(values, [one, other], axis=1)
        residuals = [values[:, item] - rest @ np.linalg.lstsq(rest, values[:, item])[0] for item in (one, other)]
        return np.corrcoef(*residuals)[0, 1]

    pairs = [(one, other) for one in range(4) for other in range(4) if one != other]
    plain = sum(np.corrcoef(values, rowvar=False)[pair] ** 2 for pair in pairs)
    assert factorability(frame).kmo == pytest.approx(plain / (plain + sum(partial(*pair) ** 2 for pair in pairs)))


def test_singular_correlations_have_no_sampling_adequacy():
    frame = planted(n_factors=1)
    with pytest.warns(DataQualityWarning, match="singular: items 'p0', 'twice' follow from each other.*Drop one"):
        found = factorability(frame.assign(twice=frame["p0"]))
    assert np.isnan(found.kmo)
    assert found.kmo_items.isna().all()
    assert found.p_value == 0.0
    with pytest.warns(DataQualityWarning, match="4 respondents to 6 items.*Ask more"):
        factorability(pd.DataFrame(np.random.RandomState(0).randn(4, 6)))


@pytest.mark.parametrize("null", ["normal", "permuted"])
@pytest.mark.parametrize(("n_factors", "missing"), [(1, 0.0), (3, 0.0), (3, 0.1)])
def test_parallel_analysis_finds_the_planted_factors(null, n_factors, missing):
    frame = planted(n_factors=n_factors, missing=missing)
    found = parallel_analysis(frame, null=null, n_draws=50, random_state=0)
    assert found.n_factors == n_factors
    table = found.to_frame()
    assert table["kept"].sum() == n_factors
    assert table.index.to_list() == list(range(1, frame.shape[1] + 1))
    assert sum(found.eigenvalues) == pytest.approx(frame.shape[1])
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(frame.corr())[::-1])


def test_parallel_analysis_of_the_big_five_items(bfi):
    # the psych package of R finds six components and six factors too
    assert parallel_analysis(bfi, random_state=0).n_factors == 6
    assert parallel_analysis(bfi, null="permuted", n_draws=20, random_state=0).n_factors == 6


@pytest.mark.thorough
def test_independent_items_rarely_have_a_factor():
    rng = np.random.RandomState(0)
    samples = [rng.standard_normal((80, 6)) for _ in range(size(50, 100))]
    found = [parallel_analysis(answers, n_draws=100, random_state=0).n_factors for answers in samples]
    # 5% expected; more than 7 of 50, or 11 of 100, has a chance below .005
    assert sum(number > 0 for number in found) <= size(7, 11)


@pytest.mark.parametrize(("n_rows", "n_items"), [(30, 5), (6, 5), (5, 6)])
def test_the_drawn_eigenvalues_are_those_of_normal_answers(n_rows, n_items):
    rng = np.random.RandomState(1)
    answers = rng.standard_normal((n_rows, n_items))
    found = parallel_analysis(answers, n_draws=3000, quantile=0.5, random_state=0)
    simulated = [
        np.linalg.eigvalsh(np.corrcoef(rng.standard_normal((n_rows, n_items)), rowvar=False))[::-1] for _ in range(3000)
    ]
    np.testing.assert_allclose(found.thresholds, np.median(simulated, axis=0), atol=0.03)


def test_a_higher_quantile_asks_for_more():
    frame = planted()
    low = parallel_analysis(frame, quantile=0.5, random_state=0)
    high = parallel_analysis(frame, quantile=0.99, random_state=0)
    assert all(one < other for one, other in zip(low.thresholds, high.thresholds, strict=True))


@given(seed=st.integers(0, 1000))
@settings(max_examples=size(3, 15))
def test_the_number_of_factors_does_not_depend_on_the_order(seed):
    frame = planted(n_rows=60, missing=0.05)
    rng = np.random.RandomState(seed)
    rows, columns = rng.permutation(len(frame)), rng.permutation(frame.columns)
    one = parallel_analysis(frame, n_draws=20, random_state=3)
    other = parallel_analysis(frame.iloc[rows][columns], n_draws=20, random_state=3)
    assert one.thresholds == other.thresholds
    np.testing.assert_allclose(one.eigenvalues, other.eigenvalues)
    permuted = parallel_analysis(frame, null="permuted", n_draws=5, random_state=3)
    assert parallel_analysis(frame.iloc[rows], null="permuted", n_draws=5, random_state=3) == permuted


def test_the_factors_are_those_of_scikit_learn_on_the_standardized_answers():
    frame = planted(missing=0.0)
    standardized = (frame - frame.mean()) / frame.std(ddof=0)
    model = FactorAnalysis(3, rotation="varimax", svd_method="lapack", tol=1e-8, max_iter=20_000).fit(standardized)
    found = factors_of(frame).loadings
    for factor in found:
        closest = max(model.components_, key=lambda row, mine=found[factor]: abs(row @ mine.loc[list(frame)]))
        np.testing.assert_allclose(np.abs(found.loc[list(frame), factor]), np.abs(closest), atol=1e-3)


@pytest.mark.parametrize("rotation", ["varimax", "quartimax"])
def test_items_find_their_factor_and_their_sign(rotation):
    found = factors_of(planted(), rotation=rotation)
    members = sorted(sorted(scale) for scale in found.scales.values())
    assert members == [["-p1", "p0", "p2", "p3"], ["-q1", "q0", "q2", "q3"], ["-r1", "r0", "r2", "r3"]]
    for name, scale in found.scales.items():
        assert name == " + ".join([item for item in scale if not item.startswith("-")][:2])
        strength = [abs(found.loadings.loc[item.removeprefix("-"), name]) for item in scale]
        assert strength == sorted(strength, reverse=True)
        assert found.loadings.loc[[item.removeprefix("-") for item in scale], name].sum() > 0
    squares = (found.loadings**2).sum().to_list()
    assert squares == sorted(squares, reverse=True)
    assert found.loadings.index.to_list() == [
        item.removeprefix("-") for scale in found.scales.values() for item in scale
    ]


def test_the_big_five_are_found(bfi):
    found = factors_of(bfi, n_factors=5)
    assert {frozenset(scale) for scale in found.scales.values()} == {
        frozenset({"-A1", "A2", "A3", "A4", "A5"}),
        frozenset({"C1", "C2", "C3", "-C4", "-C5"}),
        frozenset({"-E1", "-E2", "E3", "E4", "E5"}),
        frozenset({"N1", "N2", "N3", "N4", "N5"}),
        frozenset({"O1", "-O2", "O3", "O4", "-O5"}),
    }


@given(seed=st.integers(0, 1000))
@settings(max_examples=size(3, 15))
def test_the_factors_do_not_depend_on_the_order_of_rows_and_columns(seed):
    frame = planted(n_rows=80, missing=0.05)
    rng = np.random.RandomState(seed)
    other = frame.iloc[rng.permutation(len(frame))][rng.permutation(frame.columns)]
    one, two = factors_of(frame), factors_of(other)
    assert one.scales == two.scales
    pd.testing.assert_frame_equal(one.loadings, two.loadings, check_exact=True)


def test_items_below_the_least_loading_belong_to_none_and_stand_last():
    frame = planted(n_factors=2).assign(zz=np.random.RandomState(5).standard_normal(400))
    found = factors_of(frame, n_factors=2)
    assert "zz" not in {item.removeprefix("-") for scale in found.scales.values() for item in scale}
    assert found.loadings.index[-1] == "zz"
    assert factors_of(frame, n_factors=2, least=1.0).scales == {}


def test_a_factor_of_one_item_has_loadings_and_no_scale():
    found = factors_of(planted(n_factors=2), n_factors=5, least=0.6)
    assert len(found.scales) == 2
    assert found.loadings.shape == (8, 5)


@pytest.mark.parametrize("function", [parallel_analysis, factorability])
def test_what_has_no_correlation_is_refused_by_name(function):
    with pytest.raises(InvalidTableError, match="without two different answers have no correlation: 'b'"):
        function(pd.DataFrame({"a": [1, 2, 3], "b": [2, 2, 2]}))
    nan = float("nan")
    apart = pd.DataFrame({"a": [1, 2, nan, nan, 1], "b": [nan, nan, 1, 2, nan]})
    with pytest.raises(InvalidTableError, match=r"'a' and 'b' have no correlation: 0 respondent\(s\) answered both"):
        function(apart)
    with pytest.raises(InvalidTableError, match="at least 2 items"):
        function(pd.DataFrame({"a": [1, 2, 3]}))


@pytest.mark.parametrize("wrong", [{"null": "uniform"}, {"n_draws": 0}, {"quantile": 1.5}, {"random_state": "seed"}])
def test_parameters_are_checked(wrong):
    with pytest.raises(InvalidParameterError, match=f"parallel_analysis: parameter '{next(iter(wrong))}'"):
        parallel_analysis(planted(), **wrong)
