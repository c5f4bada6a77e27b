import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.characteristics._profiles.level_pools import Hierarchy, is_hierarchy, pool_levels


@pytest.mark.parametrize(
    ("code", "above"),
    [
        ("62.01", ["62.0", "62"]),
        ("J62.01", ["J62.0", "J62", "J"]),
        ("541511", ["54151", "5415", "541", "54"]),
        ("7372", ["737", "73"]),
        ("01.11", ["01.1", "01"]),
        ("62", []),
        ("31-33", ["31-3", "31"]),
        ("retail", []),
        ("", []),
    ],
)
def test_the_levels_above_a_code(code, above):
    assert Hierarchy("prefix").ancestors(code) == above


def test_levels_of_given_lengths_count_letters_and_digits_only():
    assert Hierarchy((2, 4, 6)).ancestors("43.21.15.03") == ["43.21.15", "43.21", "43"]
    assert Hierarchy((1, 3)).ancestors("AB1 2CD") == ["AB1", "A"]
    assert Hierarchy((2,)).ancestors("43") == []


def test_spaces_around_declared_levels_do_not_count():
    assert Hierarchy({" dentist": "health ", "health": "all"}).ancestors("dentist") == ["health", "all"]


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("prefix", True),
        ([2, 4], True),
        ({"a": "b", "b": "c"}, True),
        ("suffix", False),
        ([], False),
        ({}, False),
        ([0], False),
        ([True], False),
        ({"a": "b", "b": "a"}, False),
        ({"a": "a"}, False),
        ({"a ": "a"}, False),
        ({"a": 1}, False),
        (None, False),
    ],
)
def test_what_declares_a_hierarchy(value, accepted):
    assert is_hierarchy(value) is accepted


def becomes(counts, **parameters):
    pool = pool_levels(counts, **{"least": 5, "other": "other", **parameters})
    return {level: pool.becomes[level] for level in counts}


class TestPooling:
    def test_rare_levels_are_one_group_if_it_is_large_enough(self):
        assert becomes({"a": 9, "b": 2, "c": 3}) == {"a": "a", "b": "other", "c": "other"}

    def test_rare_levels_that_are_rare_together_are_missing(self):
        # "other" would be two people, no better hidden than under their own name
        assert becomes({"f": 60, "m": 50, "x": 2}) == {"f": "f", "m": "m", "x": None}
        assert becomes({"f": 60, "m": 50, "x": 2, "y": 2}) == {"f": "f", "m": "m", "x": None, "y": None}

    def test_a_level_that_is_called_other_is_part_of_the_group(self):
        assert becomes({"a": 9, "Other": 4, "b": 1}) == {"a": "a", "Other": "Other", "b": "Other"}
        assert becomes({"a": 9, "other": 40, "b": 1}) == {"a": "a", "other": "other", "b": "other"}
        assert becomes({"a": 9, "rest": 40, "b": 1}, other="rest")["b"] == "rest"

    def test_nothing_is_pooled_where_nothing_is_rare(self):
        pool = pool_levels({"a": 5, "b": 5}, least=5, other="other")
        assert pool.categories == ["a", "b"]
        assert pool.rest is None
        assert pool.reader()("new") is None

    @pytest.mark.parametrize(("share", "needed"), [(0.07, 7), (0.071, 8), (0.5, 50), (0.001, 1)])
    def test_a_share_of_the_customers(self, share, needed):
        assert pool_levels({"a": 60, "b": 40}, least=share, other="other").least == needed

    def test_what_becomes_of_unseen_levels(self):
        read = pool_levels({"a": 9, "b": 2, "c": 3}, least=5, other="other").reader()
        assert [read(level) for level in ("a", "b", "other", "new")] == ["a", "other", "other", "other"]


CODES = {"62.01": 9, "62.02": 2, "62.03": 3, "62.09": 1, "47.11": 4, "47.91": 1, "86.10": 3, "86.2": 1, "01": 1}


class TestHierarchies:
    def test_a_rare_code_joins_the_level_above_until_the_group_is_large_enough(self):
        assert becomes(CODES, hierarchy=Hierarchy("prefix")) == {
            "62.01": "62.01",
            "62.02": "other in 62.0",
            "62.03": "other in 62.0",
            "62.09": "other in 62.0",
            # 47.1 and 47.9 are rare too
            "47.11": "47",
            "47.91": "47",
            # 86 has four customers, 01 one
            "86.10": "other",
            "86.2": "other",
            "01": "other",
        }

    def test_unseen_codes_join_the_nearest_group(self):
        read = pool_levels(CODES, least=5, other="other", hierarchy=Hierarchy("prefix")).reader()
        assert [read(code) for code in ("62.05", "62.1", "47.30", "86.3", "99.99", "new")] == [
            "other in 62.0",
            "other",
            "47",
            "other",
            "other",
            "other",
        ]

    def test_customers_coded_at_the_level_above(self):
        pooled = becomes({"62.01": 9, "62": 4, "62.02": 1}, hierarchy=Hierarchy("prefix"))
        assert pooled == {"62.01": "62.01", "62": "other in 62", "62.02": "other in 62"}
        assert becomes({"62.01": 9, "62": 7}, hierarchy=Hierarchy("prefix")) == {"62.01": "62.01", "62": "62"}

    def test_parents_by_name(self):
        above = {"dentist": "health", "nurse": "health", "baker": "food", "health": "services", "food": "services"}
        pooled = becomes({"dentist": 3, "nurse": 4, "baker": 3, "smith": 2}, hierarchy=Hierarchy(above))
        assert pooled == {"dentist": "health", "nurse": "health", "baker": "other", "smith": "other"}


codes = st.from_regex(r"[1-3][0-9](\.[0-9]{1,2})?", fullmatch=True)


@given(st.dictionaries(codes, st.integers(1, 12), min_size=1, max_size=25), st.integers(1, 15), st.booleans())
def test_laws_of_pooling(counts, least, with_hierarchy):
    hierarchy = Hierarchy("prefix") if with_hierarchy else None
    pool = pool_levels(counts, least=least, other="other", hierarchy=hierarchy)
    read = pool.reader()
    sizes = {}
    for level, n_customers in counts.items():
        if read(level) is not None:
            sizes[read(level)] = sizes.get(read(level), 0) + n_customers
    # every category is large enough, and none is empty
    assert all(size >= least for size in sizes.values())
    assert sorted(sizes) == pool.categories
    # a level that is not rare keeps its name unless others join it, what is missing is rare altogether
    for level, n_customers in counts.items():
        if n_customers >= least:
            assert read(level) in (level, f"other in {level}")
    assert sum(n for level, n in counts.items() if read(level) is None) < least
    # the order of the levels does not count, and a category stands for itself
    again = pool_levels(dict(reversed(counts.items())), least=least, other="other", hierarchy=hierarchy)
    assert again.becomes == pool.becomes
    assert all(read(category) == category for category in pool.categories if category not in counts)
