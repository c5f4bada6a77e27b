import itertools
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg.characteristics._survey.best_worst import best_worst_counts, best_worst_scores
from custseg.characteristics._survey.preferences import PreferenceEncoder
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)
from tests.characteristics._profiles.profile_laws import as_values, assert_same, check_kinds, check_laws
from tests.sizes import size

OPTIONS = ["comfort", "price", "safety"]


def table(**columns):
    n_customers = len(next(iter(columns.values())))
    return pd.DataFrame({"customer_id": np.arange(1, n_customers + 1), **columns})


def ranked(*rows, options=OPTIONS):
    return table(**dict(zip(options, map(list, zip(*rows, strict=True)), strict=True)))


def orders(*texts):
    return table(values=pd.array(texts, dtype="str"))


def scores(encoder, customers):
    return encoder.fit_transform(customers).to_numpy()


NAN = math.nan


class TestRanks:
    def test_twelve_customers_by_hand(self):
        # three options: first 1, second 0, third -1; those not ranked share the mean of the ranks left
        rows = [
            ((1, 2, 3), (1, 0, -1)),
            ((3, 2, 1), (-1, 0, 1)),
            ((2, 1, 3), (0, 1, -1)),
            ((1, None, None), (1, -0.5, -0.5)),  # the ranks 2 and 3 are left: 2.5 each
            ((None, 1, None), (-0.5, 1, -0.5)),
            ((2, 1, None), (0, 1, -1)),
            ((None, None, 3), (0.5, 0.5, -1)),  # only the worst is named
            ((1, None, 3), (1, 0, -1)),
            ((None, None, None), (NAN, NAN, NAN)),
            ((3, 1, 2), (-1, 1, 0)),
            ((2, None, None), (0, 0, 0)),  # the ranks 1 and 3 are left: 2 each
            ((1, 3, 2), (1, -1, 0)),
        ]
        encoder = PreferenceEncoder(ranks=OPTIONS)
        output = scores(encoder, ranked(*(given for given, _ in rows)))
        np.testing.assert_allclose(output, [expected for _, expected in rows])
        counts = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert counts["no preference given"] == 1
        assert counts["some options are not ranked"] == 6
        assert counts["a rank is left out in between"] == 3
        assert encoder.row_sum_ == 0.0
        assert encoder.redundant_ == "safety"
        assert set(encoder.units_.values()) == {"score -1 to 1, rows sum to 0"}

    @given(st.integers(2, 6), st.data())
    def test_partial_rankings_are_the_mean_over_all_ways_to_complete_them(self, n_options, data):
        order = data.draw(st.permutations(range(1, n_options + 1)))
        known = data.draw(st.lists(st.booleans(), min_size=n_options, max_size=n_options).filter(any))
        given_ranks = [rank if keep else NAN for rank, keep in zip(order, known, strict=True)]
        left = [rank for rank, keep in zip(order, known, strict=True) if not keep]
        complete = []
        for filling in itertools.permutations(left):
            fill = iter(filling)
            complete.append([rank if keep else next(fill) for rank, keep in zip(order, known, strict=True)])
        # 1 minus twice the share of the other options that are better
        expected = 1 - 2 * (np.mean(complete, axis=0) - 1) / (n_options - 1)
        options = [f"o{number}" for number in range(n_options)]
        output = scores(PreferenceEncoder(ranks=options), ranked(given_ranks, options=options))
        np.testing.assert_allclose(output[0], expected, atol=1e-12)
        assert output.sum() == pytest.approx(0.0, abs=1e-12)

    def test_ties_share_their_places(self):
        customers = ranked((1, 1, 3), (1, 1, 2), (1, 1, 1), (1, 2.5, 2.5), (1, 1, None), (2, None, None), (1, 3, None))
        encoder = PreferenceEncoder(ranks=OPTIONS, ties="mean")
        expected = [
            (0.5, 0.5, -1),
            (0.5, 0.5, -1),
            (0, 0, 0),
            (1, -0.5, -0.5),
            (0.5, 0.5, -1),
            (1, -0.5, -0.5),
            (1, 0, -1),
        ]
        np.testing.assert_allclose(scores(encoder, customers), expected)
        counts = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert counts["two options of one rank"] == 5

    def test_a_rank_given_twice(self):
        message = r"rank is given twice in 2 row\(s\); for example rank 2 in column\(s\) 'price', 'safety'.*ties='mean'"
        with pytest.raises(InvalidTableError, match=message):
            PreferenceEncoder(ranks=OPTIONS).fit(ranked((1, 2, 3), (1, 2, 2), (3, 3, None)))

    @pytest.mark.parametrize("rank", [0, 4, -1, 99, 1.5, math.inf])
    def test_a_rank_out_of_range(self, rank):
        message = rf"column 'price' must hold ranks, .* from 1 \(best\) to 3 .* got {rank:g}; so in 1 row\(s\)"
        with pytest.raises(InvalidTableError, match=message + ".*set them to missing"):
            PreferenceEncoder(ranks=OPTIONS).fit(ranked((1, 2, 3), (1, rank, 2)))

    def test_at_transform_too(self):
        encoder = PreferenceEncoder(ranks=OPTIONS).fit(ranked((1, 2, 3)))
        with pytest.raises(InvalidTableError, match="got 5; so in 1 row"):
            encoder.transform(ranked((1, 2, 3), (1, 2, 5)))

    def test_columns_may_have_other_names(self):
        customers = ranked((2, 1, 3), options=["q1", "q2", "q3"])
        encoder = PreferenceEncoder(ranks={"comfort": "q1", "price": "q2", "safety": "q3"})
        assert encoder.fit_transform(customers).loc[1].to_dict() == {"comfort": 0.0, "price": 1.0, "safety": -1.0}

    def test_text_is_no_rank(self):
        with pytest.raises(ColumnTypeError, match="column 'price' must be numbers .ranks., got text"):
            PreferenceEncoder(ranks=OPTIONS).fit(ranked((1, "second", 3)))

    def test_one_option_left_out(self):
        encoder = PreferenceEncoder(ranks=OPTIONS, leave_out="price")
        output = encoder.fit_transform(ranked((1, 2, 3), (3, 1, 2)))
        assert list(output.columns) == ["comfort", "safety"]
        assert encoder.redundant_ is None
        assert encoder.row_sum_ == 0.0
        assert encoder.options_ == OPTIONS
        assert np.linalg.matrix_rank(np.cov(ranked_sample()[["comfort", "safety"]].T)) == 2

    def test_the_covariance_of_all_is_singular(self):
        sample = ranked_sample()
        assert np.linalg.matrix_rank(np.cov(sample.T)) == 2
        correlations = np.corrcoef(sample.T)
        # on average -1 / (m - 1), exactly so where all options vary alike
        assert correlations[np.triu_indices(3, 1)].mean() == pytest.approx(-0.5, abs=1e-12)


def ranked_sample():
    return PreferenceEncoder(ranks=OPTIONS).fit_transform(ranked(*itertools.permutations((1, 2, 3))))


class TestOrders:
    def test_twelve_customers_by_hand(self):
        rows = [
            ("comfort > price > safety", (1, 0, -1)),
            ("safety>price>comfort", (-1, 0, 1)),
            ("Comfort >  SAFETY", (1, -1, 0)),
            ("price", (-0.5, 1, -0.5)),
            ("price = safety > comfort", (-1, 0.5, 0.5)),
            ("comfort > price = safety", (1, -0.5, -0.5)),
            ("comfort = price = safety", (0, 0, 0)),
            ("comfort = price", (0.5, 0.5, -1)),
            (None, (NAN, NAN, NAN)),
            ("", (NAN, NAN, NAN)),
            ("safety >> comfort >", (0, -1, 1)),
            ("price > comfort > safety", (0, 1, -1)),
        ]
        encoder = PreferenceEncoder(ranking="values")
        output = encoder.fit_transform(orders(*(text for text, _ in rows)))
        assert list(output.columns) == OPTIONS
        np.testing.assert_allclose(output.to_numpy(), [expected for _, expected in rows])
        counts = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert counts["no preference given"] == 2
        assert counts["some options are not ranked"] == 4
        assert counts["two options of one rank"] == 4
        assert encoder.row_sum_ == 0.0

    @given(st.lists(st.permutations(OPTIONS), min_size=1, max_size=8))
    def test_texts_and_ranks_say_the_same(self, rankings):
        texts = orders(*(" > ".join(ranking) for ranking in rankings))
        ranks = ranked(*([ranking.index(option) + 1 for option in OPTIONS] for ranking in rankings))
        assert_same(
            PreferenceEncoder(ranking="values").fit_transform(texts),
            PreferenceEncoder(ranks=OPTIONS).fit_transform(ranks),
        )

    def test_declared_options_count_even_if_nobody_names_them(self):
        encoder = PreferenceEncoder(ranking="values", options=["a", "b", "c"])
        np.testing.assert_allclose(scores(encoder, orders("b > a")), [[0, 1, -1]])

    def test_an_unknown_option(self):
        message = (
            r"column 'values' ranks 'comfrt' in 2 row\(s\), which is no option; the options are 'comfort', 'price', "
            "'safety'. Did you mean 'comfort'"
        )
        with pytest.raises(InvalidTableError, match=message):
            PreferenceEncoder(ranking="values", options=OPTIONS).fit(
                orders("comfrt > price", "safety > comfrt", "price")
            )

    def test_an_unknown_option_at_transform(self):
        encoder = PreferenceEncoder(ranking="values").fit(orders("a > b"))
        with pytest.raises(InvalidTableError, match=r"ranks 'c' in 1 row\(s\), which is no option"):
            encoder.transform(orders("a > c", "a > b"))

    def test_an_option_named_twice(self):
        with pytest.raises(InvalidTableError, match=r"ranks an option twice in 2 row\(s\), for example 'a > B > b'"):
            PreferenceEncoder(ranking="values").fit(orders("a > b", "a > B > b", "a > B > b"))

    @pytest.mark.parametrize("texts", [("a, b, c", None), (None, ""), ("a", "A")])
    def test_fewer_than_two_options(self, texts):
        with pytest.raises(InvalidTableError, match="needs at least two options, column 'values' names"):
            PreferenceEncoder(ranking="values").fit(orders(*texts))

    def test_another_sign_between_the_options_is_suggested(self):
        with pytest.warns(DataQualityWarning, match="no ranking in column 'values' holds '>', 2 of 3 hold ','"):
            PreferenceEncoder(ranking="values").fit(orders("a, b", "b, a", "a"))
        # customers who name their favourite only
        PreferenceEncoder(ranking="values").fit(orders("a", "b", "a"))

    def test_numbers_are_no_order(self):
        with pytest.raises(ColumnTypeError, match="column 'values' must be text, got numbers"):
            PreferenceEncoder(ranking="values").fit(table(values=[1, 2]))


COUNTS = {option: (f"b_{option}", f"w_{option}") for option in OPTIONS}


def counted(*rows):
    names = [name for option in OPTIONS for name in COUNTS[option]]
    return table(**dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


CHOICES = pd.DataFrame(
    [
        # three customers, four sets of three out of four options, each option shown three times
        (1, "a", "b", "c", "a", "c"),
        (1, "b", "c", "d", "d", "c"),
        (1, "a", "c", "d", "a", "c"),
        (1, "a", "b", "d", "a", "b"),
        (2, "a", "b", "c", "b", "a"),
        (2, "b", "c", "d", "b", "d"),
        (2, "a", "c", "d", "c", "d"),
        (2, "a", "b", "d", "b", "d"),
        (3, "a", "b", "c", "c", "a"),
        (3, "b", "c", "d", "c", "b"),
        (3, "a", "c", "d", "c", "a"),
        (3, "a", "b", "d", "d", "a"),
    ],
    columns=["customer_id", "x", "y", "z", "best", "worst"],
)
SHOWN = ["x", "y", "z"]
WITH_SHOWN = {option: (f"best_{option}", f"worst_{option}", f"shown_{option}") for option in "abcd"}


class TestBestWorst:
    def test_twelve_choices_by_hand(self):
        counts = best_worst_counts(CHOICES, shown=SHOWN)
        assert list(counts.columns) == [f"{what}_{option}" for option in "abcd" for what in ("best", "worst", "shown")]
        assert counts.index.tolist() == [1, 2, 3]
        assert counts["best_a"].tolist() == [3, 0, 0]
        assert counts["worst_c"].tolist() == [3, 0, 0]
        assert (counts.filter(like="shown") == 3).all(axis=None)
        encoder = PreferenceEncoder(best_worst=WITH_SHOWN)
        output = encoder.fit_transform(counts)
        third = 1 / 3
        expected = [
            [1, -third, -1, third],
            [-third, 1, third, -1],
            [-1, -third, 1, third],
        ]
        np.testing.assert_allclose(output.to_numpy(), expected, atol=1e-12)
        assert encoder.row_sum_ == 0.0
        assert encoder.redundant_ == "d"

    def test_shown_may_be_a_number(self):
        counts = best_worst_counts(CHOICES, shown=SHOWN)
        by_number = PreferenceEncoder(best_worst={o: columns[:2] for o, columns in WITH_SHOWN.items()}, times_shown=3)
        assert_same(by_number.fit_transform(counts), PreferenceEncoder(best_worst=WITH_SHOWN).fit_transform(counts))

    def test_an_option_that_was_not_shown_has_no_score(self):
        some = CHOICES[CHOICES["customer_id"] == 1].iloc[:1]
        counts = best_worst_counts(pd.concat([some, CHOICES.assign(customer_id=9)]), shown=SHOWN)
        encoder = PreferenceEncoder(best_worst=WITH_SHOWN)
        output = encoder.fit_transform(counts)
        assert output.loc[1].isna().tolist() == [False, False, False, True]
        assert math.isfinite(output.loc[9, "d"])
        policies = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert policies["an option without counts, or not shown"] == 1

    def test_unequal_numbers_shown_break_the_constant_sum(self):
        # a was shown once and chosen as best, b and c were shown twice and as often the best as the worst
        names = {option: (f"b{option}", f"w{option}", f"s{option}") for option in "abc"}
        counts = table(ba=[1], wa=[0], sa=[1], bb=[1], wb=[1], sb=[2], bc=[0], wc=[1], sc=[2])
        encoder = PreferenceEncoder(best_worst=names)
        np.testing.assert_allclose(scores(encoder, counts), [[1, 0, -0.5]])
        assert math.isnan(encoder.row_sum_)
        assert encoder.redundant_ is None
        assert set(encoder.units_.values()) == {"score -1 to 1"}

    def test_missing_counts_and_uneven_ones(self):
        customers = counted((1, 0, 0, 1, 0, 0), (1, 0, 0, 0, 0, 0), (None, 0, 0, 1, 0, 0), (None,) * 6)
        encoder = PreferenceEncoder(best_worst=COUNTS, times_shown=2)
        output = scores(encoder, customers)
        np.testing.assert_allclose(output, [(0.5, -0.5, 0), (0.5, 0, 0), (NAN, -0.5, 0), (NAN, NAN, NAN)])
        policies = encoder.row_report_.to_frame().set_index("policy")["n_rows"]
        assert policies["not as many best as worst choices"] == 1
        assert policies["no preference given"] == 1
        assert policies["an option without counts, or not shown"] == 1

    @pytest.mark.parametrize("count", [-1, 0.5, math.inf])
    def test_what_is_no_count(self, count):
        with pytest.raises(InvalidTableError, match=rf"'w_price' must hold counts, got {count:g}; so in 1 row\(s\)"):
            PreferenceEncoder(best_worst=COUNTS, times_shown=2).fit(counted((1, 0, 0, count, 0, 0)))

    def test_chosen_more_often_than_shown(self):
        message = r"chosen more often than it was shown in 1 row\(s\): 'b_price \+ w_price'"
        with pytest.raises(InvalidTableError, match=message):
            PreferenceEncoder(best_worst=COUNTS, times_shown=2).fit(counted((0, 2, 2, 1, 0, 0), (1, 0, 0, 1, 0, 0)))

    @settings(max_examples=size(5, 100))
    @given(st.integers(0, 200))
    def test_counts_are_those_of_a_loop(self, seed):
        rng = np.random.RandomState(seed)
        rows = []
        for _ in range(rng.randint(1, 20)):
            size = rng.randint(2, 4)
            options = rng.permutation(list("abcd"))[:size].tolist()
            best, worst = rng.permutation(options)[:2]
            rows.append((f"c{rng.randint(4)}", *options, *[None] * (3 - size), best, worst))
        choices = pd.DataFrame(rows, columns=["customer_id", *SHOWN, "best", "worst"])
        counts = best_worst_counts(choices, shown=SHOWN)
        for customer, own in choices.groupby("customer_id"):
            for option in {value for row in rows for value in row[1:4]} - {None}:
                expected = (own["best"] == option).sum(), (own["worst"] == option).sum()
                shown = (own[SHOWN] == option).sum(axis=None)
                found = counts.loc[customer, [f"{what}_{option}" for what in ("best", "worst", "shown")]]
                assert tuple(found) == (*expected, shown)

    def test_sets_that_were_not_answered_are_left_out(self):
        choices = CHOICES.copy()
        choices.loc[0, "best"] = None
        choices.loc[4, "worst"] = None
        with pytest.warns(DataQualityWarning, match=r"2 choice set\(s\) without an id, a best or a worst choice"):
            counts = best_worst_counts(choices, shown=SHOWN)
        assert counts["shown_a"].tolist() == [2, 2, 3]
        with pytest.raises(InvalidTableError, match=r"12 set\(s\) without an id.*Check these three columns\.$"):
            best_worst_counts(CHOICES.assign(best=pd.array([None] * 12, dtype="str")), shown=SHOWN)

    def test_an_empty_text_is_no_choice(self):
        choices = CHOICES.copy()
        choices.loc[0, "best"] = ""
        choices.loc[4, "worst"] = " "
        with pytest.warns(DataQualityWarning, match=r"2 choice set\(s\) without an id, a best or a worst choice"):
            counts = best_worst_counts(choices, shown=SHOWN)
        assert counts["shown_a"].tolist() == [2, 2, 3]

    def test_one_column_for_two_things(self):
        with pytest.raises(InvalidParameterError, match="must be different columns"):
            best_worst_counts(CHOICES, shown=SHOWN, best=SHOWN[0])

    def test_no_choices(self):
        with pytest.raises(InvalidTableError, match="got a table of choice sets with 0 sample"):
            best_worst_counts(CHOICES.iloc[:0], shown=SHOWN)

    def test_impossible_choices(self):
        with pytest.raises(
            InvalidTableError, match="the choice in column 'best' is not among the options shown in 3 row"
        ):
            best_worst_counts(CHOICES.assign(best=impossible()), shown=SHOWN)
        with pytest.raises(InvalidTableError, match=r"the same option is the best and the worst in 12 row\(s\)"):
            best_worst_counts(CHOICES.assign(worst=CHOICES["best"]), shown=SHOWN)
        with pytest.raises(InvalidTableError, match=r"an option is shown twice in one set in 12 row\(s\)"):
            best_worst_counts(CHOICES.assign(y=CHOICES["x"]), shown=SHOWN)

    def test_polars_choices(self):
        counts = best_worst_counts(pl.from_pandas(CHOICES), shown=SHOWN)
        assert isinstance(counts, pl.DataFrame)
        assert_same(counts, best_worst_counts(CHOICES, shown=SHOWN))

    def test_parameters_of_the_helper(self):
        with pytest.raises(InvalidParameterError, match="'shown' must be a list of at least two"):
            best_worst_counts(CHOICES, shown="x")
        with pytest.raises(ColumnNotFoundError, match="column 'w' not found"):
            best_worst_counts(CHOICES, shown=["x", "w"])


def impossible():
    """The best choices, three of which were not shown: the first set of each customer lacks d."""
    best = CHOICES["best"].copy()
    best[[0, 4, 8]] = "d"
    return best


@st.composite
def rank_tables(draw):
    n_customers = draw(st.integers(1, 12))
    rng = np.random.RandomState(draw(st.integers(0, 2**16)))
    ranks = np.array([rng.permutation(4) + 1.0 for _ in range(n_customers)])
    ranks[rng.rand(n_customers, 4) < 0.3] = NAN
    return pd.DataFrame(ranks, columns=list("abcd")).assign(customer_id=rng.permutation(n_customers))


class TestScores:
    def test_they_lie_between_always_worst_and_always_best(self):
        best, worst, shown = [[2, 0, 1, 0]], [[0, 2, 0, 0]], [[2, 2, 4, 0]]
        np.testing.assert_array_equal(best_worst_scores(best, worst, shown), [[1.0, -1.0, 0.25, np.nan]])

    def test_what_is_not_known_has_no_score(self):
        assert np.isnan(best_worst_scores([[np.nan]], [[0]], [[2]])).all()

    def test_a_dataframe_names_the_wrong_column(self):
        best, worst = (pd.DataFrame({f"{what}_price": [-1.0]}) for what in ("best", "worst"))
        with pytest.raises(InvalidTableError, match="'best_price' must hold counts, got -1"):
            best_worst_scores(best, -worst, [[2]])

    def test_three_shapes_alike(self):
        with pytest.raises(InvalidParameterError, match="matrices alike"):
            best_worst_scores([[1, 2]], [[1]], [[1, 2]])


class TestLaws:
    @settings(max_examples=size(4, 40))
    @given(rank_tables(), st.integers(0, 99), st.sampled_from(["raise", "mean"]))
    def test_laws_of_ranks(self, customers, seed, ties):
        check_laws(PreferenceEncoder(ranks=list("abcd"), ties=ties), customers, seed)

    @settings(max_examples=size(4, 40))
    @given(st.lists(st.one_of(st.none(), st.permutations("abc").map(" > ".join)), max_size=10), st.integers(0, 99))
    def test_laws_of_orders(self, texts, seed):
        customers = orders("a = b > c", *texts)
        check_laws(PreferenceEncoder(ranking="values", leave_out="b"), customers, seed)

    def test_laws_of_best_worst(self):
        check_laws(PreferenceEncoder(best_worst=WITH_SHOWN), best_worst_counts(CHOICES, shown=SHOWN).reset_index())

    @given(rank_tables())
    def test_every_row_sums_to_zero_and_lies_within_one(self, customers):
        output = scores(PreferenceEncoder(ranks=list("abcd")), customers)
        known = ~np.isnan(output).any(axis=1)
        assert (np.abs(output[known].sum(axis=1)) < 1e-12).all()
        assert (np.abs(output[known]) <= 1).all()
        assert np.isnan(output[~known]).all()

    @given(rank_tables())
    def test_turning_every_ranking_round_turns_every_sign(self, customers):
        encoder = PreferenceEncoder(ranks=list("abcd"))
        turned = customers.assign(**{name: 5 - customers[name] for name in "abcd"})
        np.testing.assert_allclose(scores(encoder, turned), -scores(encoder, customers), atol=1e-12)

    @pytest.mark.parametrize(
        ("encoder", "customers"),
        [
            (PreferenceEncoder(ranks=OPTIONS), ranked((1, 2, 3), (3, None, 1), (None, None, None))),
            (PreferenceEncoder(ranking="values"), orders("a > b", None, "b = a > c")),
            (PreferenceEncoder(best_worst=COUNTS, times_shown=2), counted((1, 0, 0, 1, 0, 0), (2, 0, 0, 0, 0, 2))),
        ],
    )
    def test_every_kind_of_frame(self, encoder, customers, monkeypatch):
        check_kinds(encoder, customers, monkeypatch)


class TestParameters:
    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({}, "needs exactly one of the parameters ranks, ranking and best_worst, got none"),
            ({"ranks": OPTIONS, "ranking": "x"}, "got ranks and ranking"),
            ({"ranks": ["a"]}, "'ranks' must be"),
            ({"ranks": {"a": "x", "b": "x"}}, "'ranks' must be"),
            ({"ranks": OPTIONS, "options": OPTIONS}, "'options' goes with 'ranking'"),
            ({"ranks": OPTIONS, "times_shown": 3}, "'times_shown' goes with 'best_worst'"),
            ({"ranks": OPTIONS, "ties": "min"}, "'ties' must be"),
            ({"ranks": OPTIONS, "leave_out": "colour"}, "unknown option in leave_out 'colour'"),
            ({"ranks": OPTIONS, "leave_out": 3}, "'leave_out' must be"),
            ({"ranks": ["customer_id", "price"]}, "'customer_id' must be a column that is not read"),
            ({"ranks": {"customer_id": "comfort", "b": "price"}}, "option 'customer_id' is called like"),
            ({"best_worst": {"a": ("b", "w")}}, "'best_worst' must be"),
            ({"best_worst": {"a": ("b", "w"), "c": ("d", "e", "f")}}, "'best_worst' must be"),
            ({"best_worst": COUNTS}, "say once how often each option was shown"),
            ({"best_worst": WITH_SHOWN, "times_shown": 3}, "say once how often each option was shown"),
            ({"best_worst": COUNTS, "times_shown": 0}, "'times_shown' must be"),
            ({"ranking": "x", "options": ["a", "A"]}, "'options' must be options that differ"),
        ],
    )
    def test_refused(self, parameters, message):
        with pytest.raises((InvalidParameterError, InvalidTableError), match=message):
            PreferenceEncoder(**parameters).fit(ranked((1, 2, 3)).assign(x="a > b"))

    def test_it_says_that_it_is_psychographic(self):
        assert PreferenceEncoder.criterion == "psychographic"

    def test_missing_answers_come_out_missing(self):
        output = PreferenceEncoder(ranking="values").fit_transform(orders("a > b", None))
        assert as_values(output)["a"].tolist() == [1.0, None]
