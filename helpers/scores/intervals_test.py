"""Tests of spreads and intervals."""

from helpers import scores

import numpy as np
import pytest


def test_mean_and_spread():
    assert scores.mean_and_spread([1, 2, 3]) == (2, 1)
    mean, spread = scores.mean_and_spread([5])
    assert mean == 5 and np.isnan(spread)
    assert scores.with_spread([5]) == "5.000"
    assert scores.with_spread([1, 1]) == "1.000 ± 0.000"


def random_skills(seed=0):
    """Errors, those of a baseline, and the true skill."""
    rng = np.random.default_rng(seed)
    baseline = rng.gamma(2, size=60)
    return 0.8 * baseline * rng.uniform(0.5, 1.5, 60), baseline, 0.2


def test_intervals_cover_the_truth_as_often_as_stated():
    hits = []
    for seed in range(200):
        errors, baseline, skill = random_skills(seed)
        second = baseline * np.random.default_rng(seed + 999).normal(0.9, 0.1, size=60)
        low, high = scores.bootstrap_interval(baseline, seed, num_resamples=300)
        _, worst, best = scores.skill_interval(errors, baseline, range(60), seed)
        _, least, most = scores.paired_interval([errors], [second], baseline, seed)
        hits.append([low < 2 < high, worst < skill < best, least < skill - 0.1 < most])
    # Expected: 190 of 200 less a small-sample loss; the standard deviation is 3.
    assert all(178 <= number <= 199 for number in np.sum(hits, axis=0))


def test_drawn_numbers_stay_the_same():
    """Other numbers would move the intervals that the notebooks claim."""
    errors, baseline, _ = random_skills()
    first, second = np.stack([errors, 0.9 * errors]), np.stack([0.85 * baseline] * 3)
    mean = scores.bootstrap_interval(errors, 5, num_resamples=300)
    skill = scores.skill_interval(errors, baseline, np.arange(60) // 2, 5)
    paired = scores.paired_interval(first, second, baseline, 5)
    assert mean == pytest.approx((1.28975758, 1.86569774), abs=1e-8)
    assert skill == pytest.approx((0.18470762, 0.12887386, 0.23792433), abs=1e-8)
    assert paired == pytest.approx((0.07547224, -0.01475075, 0.15665559), abs=1e-8)


def test_units_are_drawn_not_examples():
    """Copies of a unit's examples are no new evidence."""
    errors, baseline, _ = random_skills()
    arrays = errors, baseline, np.arange(60)
    once = scores.skill_interval(*arrays, 0)
    many = scores.skill_interval(*(np.repeat(values, 50) for values in arrays), 0)
    assert once[0] == pytest.approx(1 - errors.sum() / baseline.sum())
    assert many == pytest.approx(once)
    assert scores.sum_by_unit([1.0, 2.0, 4.0], [7, 3, 7]).tolist() == [2, 5]


def test_paired_interval_is_paired():
    rng = np.random.default_rng(0)
    baseline = rng.gamma(0.3, size=100)
    first = baseline * 0.6 + rng.normal(scale=0.01, size=(5, 100))
    second = baseline * 0.65 + rng.normal(scale=0.01, size=(5, 100))
    difference, low, high = scores.paired_interval(first, second, baseline, 0)
    assert low < difference < high
    assert difference == pytest.approx(0.05, abs=0.01)
    # What is common to both cancels: far narrower than either skill's own interval.
    assert high - low < 0.03
    same = scores.paired_interval(first[:1], first[:1], baseline, 0)
    assert same == pytest.approx((0, 0, 0), abs=1e-12)


@pytest.mark.parametrize(
    "function, arguments, message",
    [
        (scores.bootstrap_interval, ([1.0], 0), "at least two"),
        (scores.bootstrap_interval, ([1.0, np.inf], 0), "finite"),
        (scores.bootstrap_interval, ([1.0, 2.0], None), "`seed` should"),
        (scores.skill_interval, ([1, 1], [1, 1], [0, 1, 2], 0), "length"),
        (scores.skill_interval, ([1, 1], [1, 1], [0, 0], 0), "two `units`"),
        (scores.skill_interval, ([1, 1], [1, 0], [0, 1], 0), "above 0"),
        (scores.paired_interval, ([[1], [1]], [[1, 1]], [1, 1], 0), "should fit"),
        (scores.paired_interval, ([[1]], [[1]], [0], 0), "above 0"),
    ],
)
def test_what_does_not_fit_is_refused(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)
