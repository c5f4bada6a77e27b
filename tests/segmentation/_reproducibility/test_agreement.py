"""Whether segments come back: decided beyond the noise of the refits, and said to be open where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from custseg.segmentation._reproducibility import agreement
from custseg.segmentation._reproducibility.agreement import FIRST_LOOK, LOOKS, Agreement, agree
from tests.sizes import size

MOST = FIRST_LOOK * LOOKS[-1]
SEEDS = np.arange(2 * MOST).reshape(-1, 2)
ONE_EACH = np.ones(200)


def noisy(labels, share, seed, n_segments):
    """The same labels but for a share of customers who are anywhere."""
    random = np.random.RandomState(seed)
    return np.where(random.random_sample(len(labels)) < share, random.randint(n_segments, size=len(labels)), labels)


class Refits:
    """Refits that agree as far as they are told, and count how often they are asked."""

    def __init__(self, shares, references):
        self.shares, self.references, self.asked = shares, references, dict.fromkeys(shares, 0)

    def __call__(self, numbers, seeds):
        for first, second in seeds:
            for number in numbers:
                self.asked[number] += 1
            yield [self.pair(number, first, second) for number in numbers]

    def pair(self, number, first, second):
        share = self.shares[number]
        if share is None:
            return None
        return tuple(noisy(self.references[number], share, seed, number) for seed in (first, second))


def asked(shares):
    references = {number: np.arange(200) % number for number in shares}
    refits = Refits(shares, references)
    return agree(refits, references, ONE_EACH, SEEDS), refits


def test_what_is_clear_is_decided_at_the_first_look():
    found, refits = asked({2: 0.0, 3: 0.9, 4: 0.02})
    assert [found[number].standing for number in (2, 3, 4)] == ["stable", "not stable", "stable"]
    assert refits.asked == {2: FIRST_LOOK, 3: FIRST_LOOK, 4: FIRST_LOOK}


def test_what_is_near_the_level_is_refitted_on_and_the_others_are_not():
    share = 0.069  # agrees by about the .75 that is asked for
    found, refits = asked({2: 0.0, 4: share})
    assert found[4].mean_adjusted_rand == pytest.approx(0.75, abs=0.02)
    assert refits.asked[2] == FIRST_LOOK < refits.asked[4] == found[4].n_pairs


def test_a_number_does_not_depend_on_the_others():
    alone, together = asked({4: 0.065})[0][4], asked({2: 0.0, 3: 0.06, 4: 0.065, 5: 0.9})[0][4]
    assert alone.n_pairs == together.n_pairs
    assert alone.mean_adjusted_rand == together.mean_adjusted_rand
    assert alone.slsw.tolist() == together.slsw.tolist()


def test_a_number_that_a_sample_cannot_be_cut_into_is_left_out():
    found, _ = asked({2: 0.0, 3: None})
    assert list(found) == [2]


def test_a_weak_segment_decides_against_the_whole():
    strong, weak = np.full((40, 1), 0.9), np.full((40, 1), 0.3)
    found = Agreement.of([0.95] * 20, np.hstack([strong, weak]))
    assert (found.is_stable, found.standing, found.weakest) == (False, "not stable", pytest.approx(0.3))


def test_a_single_pair_decides_nothing():
    assert Agreement.of([1.0], [np.ones(2), np.ones(2)]).standing == "open"


def test_the_interval_is_students():
    rands = np.random.RandomState(0).uniform(0.6, 1.0, size=20)
    found = Agreement.of(rands, np.ones((40, 2)))
    level = 1 - (1 - agreement.CONFIDENCE) / len(LOOKS)
    expected = stats.t.interval(level, 19, loc=rands.mean(), scale=stats.sem(rands))
    assert found.interval == pytest.approx(expected)


@pytest.mark.thorough
@pytest.mark.parametrize("mean", [0.72, 0.78])
def test_what_is_decided_is_right_in_19_of_20_whatever_the_number_of_looks(mean):
    """Agreements of refits are skewed to the left: beta distributed about a mean on either side of the level."""
    wrong, n_tried = 0, size(200, 2000)
    for seed in range(n_tried):
        rands = np.random.RandomState(seed).beta(8 * mean, 8 * (1 - mean), size=MOST)
        for look in LOOKS:
            standing = Agreement.of(rands[: FIRST_LOOK * look], np.ones((2 * FIRST_LOOK * look, 2))).standing
            if standing != "open":
                wrong += standing != ("stable" if mean > 0.75 else "not stable")
                break
    assert wrong <= 0.05 * n_tried
