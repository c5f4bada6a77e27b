"""Refits by the hundred end where k-means ends, in short numbers where these are safe and in long ones where not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from custseg.exceptions import InfeasibleError
from custseg.segmentation._kmeans._many import refits
from custseg.segmentation._kmeans._many.refits import Refits, end
from custseg.segmentation._kmeans._many.steps import Sample
from custseg.segmentation._kmeans.kmeans import fit_kmeans
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.patterns import distinct_patterns


def sse_of(points, counts, centers):
    return float(counts @ ((points - centers[nearest(points, centers)]) ** 2).sum(axis=1))


def sse_around(sample, centers):
    return sse_of(sample.points, sample.counts, sample.standard(centers))


def ended(points, counts, k, n_init=20, seed=0):
    sample = Sample(points, counts)
    return end(sample, Refits([sample]).search(k, n_init, [seed])[0])


@pytest.mark.parametrize("k", [2, 4, 7])
def test_it_ends_where_as_many_restarts_end_or_lower(k):
    random = np.random.RandomState(0)
    patterns = distinct_patterns((random.random_sample((200, 6)) < 0.4).astype(float))
    points, counts = patterns.values, patterns.counts
    ours = [sse_of(points, counts, ended(points, counts, k, seed=seed)) for seed in range(8)]
    theirs = [KMeans(k, n_init=20, random_state=seed).fit(points, sample_weight=counts).inertia_ for seed in range(8)]
    assert np.mean(ours) <= np.mean(theirs) * (1 + 1e-9)


@pytest.mark.parametrize("spread", [1e-3, 1e-5])
def test_halves_of_tight_groups_are_found_where_short_numbers_see_none(spread):
    random = np.random.RandomState(0)
    group = np.repeat(np.arange(3), 40)
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])[group] + spread * random.normal(size=(120, 2))
    points[:20, 1] += 40 * spread
    patterns = distinct_patterns(points)
    centers = ended(patterns.values, patterns.counts, 4)
    best = fit_kmeans(patterns, 4, n_init=50, random_state=0)
    assert sse_of(patterns.values, patterns.counts, centers) == pytest.approx(best.sse, rel=1e-6)


@pytest.mark.parametrize("unit", [1e-150, 1e-30, 1e30, 1e150])
def test_units_change_nothing(unit):
    points = np.random.RandomState(0).normal(size=(100, 3)) + np.repeat([[0, 0, 0], [4, 0, 0]], 50, axis=0)
    counts = np.ones(100)
    scaled = points * unit
    labels = nearest(scaled, ended(scaled, counts, 3))
    plain = nearest(points, ended(points, counts, 3))
    # the order of clusters may differ, as results that are equally good do
    assert len(np.unique(np.column_stack([labels, plain]), axis=0)) == 3


def test_equally_near_points_count_once():
    points = np.array([[x, y] for x in (0.0, 1.0, 2.0) for y in (0.0, 1.0, 2.0)])
    centers = ended(points, np.ones(9), 2)
    assert sse_of(points, np.ones(9), centers) == pytest.approx(
        fit_kmeans(distinct_patterns(points), 2, n_init=50, random_state=0).sse
    )


def test_as_many_segments_as_points_and_not_more():
    points = np.random.RandomState(0).normal(size=(5, 2))
    assert sse_of(points, np.ones(5), ended(points, np.ones(5), 5)) == pytest.approx(0.0, abs=1e-20)
    equal = np.repeat([[0.0, 1.0], [2.0, 3.0]], 3, axis=0)
    with pytest.raises(InfeasibleError):
        ended(equal, np.ones(6), 3)


def test_what_is_known_is_never_made_worse():
    points, counts = np.random.RandomState(0).normal(size=(300, 4)), np.ones(300)
    sample = Sample(points, counts)
    together = Refits([sample])
    (known,) = together.search(6, 40, [1])
    (found,) = together.search_from([known[:1]], 4, [0])
    assert sse_around(sample, found[0]) <= sse_around(sample, known[0]) * (1 + 1e-6)
    (on,) = together.go_on([known])
    assert len(on) == 1
    assert sse_around(sample, on[0]) <= sse_around(sample, known[0]) * (1 + 1e-6)


def samples_of_different_sizes():
    random = np.random.RandomState(3)
    shapes = [random.normal(size=(n, 4)) + 3 * (np.arange(n) % 3)[:, None] for n in (90, 120, 60)]
    tight = np.repeat(np.eye(4), 20, axis=0) * 10 + 1e-4 * random.normal(size=(80, 4))
    return [Sample(points, random.randint(1, 4, len(points)).astype(float)) for points in [*shapes, tight]]


@pytest.mark.parametrize("k", [3, 5])
def test_a_sample_is_partitioned_as_it_would_be_without_the_others(k):
    samples, seeds = samples_of_different_sizes(), [5, 6, 7, 8]
    together = Refits(samples, (130, 5)).search(k, 6, seeds)
    for sample, seed, found in zip(samples, seeds, together, strict=True):
        (alone,) = Refits([sample], (130, 5)).search(k, 6, [seed])
        np.testing.assert_array_equal(alone, found)
    on = Refits(samples, (130, 5)).go_on(together)
    (alone,) = Refits(samples[1:2], (130, 5)).go_on(together[1:2])
    np.testing.assert_array_equal(alone, on[1])


def test_points_and_columns_that_count_nothing_change_no_result():
    (sample, *_) = samples_of_different_sizes()
    (plain,) = Refits([sample]).search(4, 6, [0])
    (filled,) = Refits([sample], (500, 6)).search(4, 6, [0])
    assert sse_around(sample, filled[0]) == pytest.approx(sse_around(sample, plain[0]), rel=1e-5)
    assert np.abs(filled).max() < 20  # no centre at a point that is not there


def test_children_find_what_starts_from_far_points_miss(monkeypatch):
    """On answers of yes and no, with many local optima, rounds of children come nearer to the best of 400 restarts."""
    random = np.random.RandomState(0)
    tastes = random.normal(size=(400, 2)) @ random.normal(size=(2, 10))
    patterns = distinct_patterns((tastes + 0.7 * random.normal(size=(400, 10)) > 0).astype(float))
    samples = []
    for seed in range(8):
        drawn = np.random.RandomState(seed).multinomial(400, patterns.counts / 400)
        samples.append(Sample(patterns.values[drawn > 0], drawn[drawn > 0].astype(float)))

    def reached(n_rounds):
        monkeypatch.setattr(refits, "MOST_ROUNDS", n_rounds)
        found = Refits(samples).search(6, 10, range(8))
        return np.array([sse_around(sample, own[0]) for sample, own in zip(samples, found, strict=True)])

    monkeypatch.setattr(refits, "MOST_ROUNDS", 0)
    best = [
        sse_around(sample, found[0])
        for sample, found in zip(samples, Refits(samples).search(6, 400, range(8)), strict=True)
    ]
    excess = [float((reached(n_rounds) / best - 1).mean()) for n_rounds in (0, 4)]
    assert excess[1] < 0.6 * excess[0]
    assert excess[1] < 0.005
