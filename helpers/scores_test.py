"""Tests of the scores."""

import math

import numpy as np
import pytest

from helpers import scores


def test_errors_by_hand():
    target = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    prediction = np.array([[[1.0], [4.0]], [[0.0], [3.0]]])
    assert scores.per_example_error(target, prediction).tolist() == [2, 5]
    assert scores.mean_squared_error(target, prediction) == 3.5
    assert scores.mean_squared_error(target[:, 0, 0], prediction[:, 0, 0]) == 4.5


def test_errors_are_computed_in_double_precision():
    # A float32 sum of ten million small numbers loses digits; uint8 wraps around.
    target = np.full(10_000_000, 0.1, "float32")
    exact = float(np.float64(np.float32(0.1)) ** 2)
    error = scores.mean_squared_error(target, np.zeros_like(target))
    assert error == pytest.approx(exact, rel=1e-12)
    assert scores.mean_squared_error(np.uint8([0]), np.uint8([255])) == 255**2


@pytest.mark.parametrize("score", [scores.mean_squared_error, scores.per_example_error])
def test_errors_refuse_what_does_not_fit(score):
    target = np.ones((4, 3, 1))
    with pytest.raises(
        ValueError, match=r"target.*prediction.*\(4, 3, 1\) and \(4, 3\)"
    ):
        score(target, target[:, :, 0])
    with pytest.raises(ValueError, match="`target` should hold values"):
        score(target[:0], target[:0])
    with pytest.raises(ValueError, match="`prediction` should hold finite numbers"):
        score(target, np.full_like(target, np.nan))


def test_accuracy_by_hand():
    probabilities = [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1], [1, 0, 0]]
    assert scores.accuracy([0, 2, 0, 1], probabilities) == 0.5
    assert scores.accuracy([0, 2, 1, 0], np.array(probabilities, "float16")) == 1


@pytest.mark.parametrize(
    "labels, probabilities, message",
    [
        ([0, 2], [[0.5, 0.5]] * 2, "`labels` .*0 to 1. Received: 0 to 2"),
        ([0], [[0.5, 0.5]] * 2, "`length of labels`.*Received: 1 and 2"),
        ([0, 1], [[3.0, -2.0], [0.5, 0.5]], "`probabilities` .*minimum -2"),
        ([0, 1], [[0.9, 0.9], [0.5, 0.5]], "`probabilities` .*to 1.8"),
        ([0, 1], [[np.nan, 1.0], [0.5, 0.5]], "`probabilities` .*finite"),
        ([0, 1], [0.5, 0.5], r"`probabilities` .*\(examples, classes\)"),
    ],
)
def test_accuracy_refuses_what_is_no_distribution(labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        scores.accuracy(labels, probabilities)


def test_confusion_matrix_has_true_classes_in_rows():
    counts = scores.confusion_matrix([0, 0, 0, 2], [0, 1, 1, 0], num_classes=3)
    assert counts.dtype == np.int64
    assert counts.tolist() == [[1, 2, 0], [0, 0, 0], [1, 0, 0]]


def test_confusion_matrix_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="`predicted` .*0 to 2. Received: 0 to 3"):
        scores.confusion_matrix([0, 1], [0, 3], num_classes=3)
    with pytest.raises(ValueError, match="length of labels.*Received: 2 and 1"):
        scores.confusion_matrix([0, 1], [0], num_classes=3)


def test_mean_and_spread():
    assert scores.mean_and_spread([1, 2, 3]) == (2, 1)
    mean, spread = scores.mean_and_spread([5])
    assert mean == 5 and math.isnan(spread)
    with pytest.raises(ValueError, match="`values` should hold values"):
        scores.mean_and_spread([])
    with pytest.raises(ValueError, match="`values` should hold finite"):
        scores.mean_and_spread([1, np.nan])


def test_bootstrap_interval_is_that_of_the_mean():
    values = np.random.default_rng(0).exponential(size=400)
    low, high = scores.bootstrap_interval(values, seed=1)
    standard_error = values.std(ddof=1) / 20
    assert low < values.mean() < high
    # For 400 values the normal interval is close; quantiles of 2000 means scatter.
    assert high - low == pytest.approx(2 * 1.96 * standard_error, rel=0.08)
    assert scores.bootstrap_interval(values, seed=1) == (low, high)
    assert scores.bootstrap_interval(values, seed=2) != (low, high)
    narrow_low, narrow_high = scores.bootstrap_interval(values, seed=1, level=0.5)
    assert low < narrow_low < narrow_high < high


def test_bootstrap_interval_covers_as_often_as_stated():
    rng = np.random.default_rng(0)
    covered = 0
    for repeat in range(300):
        low, high = scores.bootstrap_interval(
            rng.normal(size=40), seed=repeat, num_resamples=200, level=0.8
        )
        covered += low < 0 < high
    # Expected 0.8 less a small-sample loss of about 0.02; standard error 0.023.
    assert 0.71 < covered / 300 < 0.87


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"values": [1.0]}, "`values` should hold at least two"),
        ({"values": [1.0, np.inf]}, "`values` should hold finite"),
        ({"values": [[1.0, 2.0]]}, r"`values` .*\(units,\)"),
        ({"seed": None}, "`seed` should"),
        ({"num_resamples": 0}, "`num_resamples` should"),
        ({"level": 95}, "`level` should .*Received: 95"),
        ({"level": "95 %"}, "`level` should .*Received: '95 %'"),
    ],
)
def test_bootstrap_interval_checks_its_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        scores.bootstrap_interval(**{"values": [1.0, 2.0], "seed": 0, **arguments})


def test_skill_is_one_less_the_ratio_of_the_errors():
    rng = np.random.default_rng(0)
    baseline = rng.gamma(2, size=400)
    units = np.repeat(np.arange(40), 10)
    skill, low, high = scores.skill_interval(0.9 * baseline, baseline, units, seed=0)
    assert (skill, low, high) == pytest.approx((0.1, 0.1, 0.1))
    noisy = 0.9 * baseline * rng.uniform(0.5, 1.5, 400)
    skill, low, high = scores.skill_interval(noisy, baseline, units, seed=0)
    assert skill == pytest.approx(1 - noisy.sum() / baseline.sum())
    assert low < skill < high
    assert scores.skill_interval(noisy, baseline, units, seed=0) == (skill, low, high)
    assert scores.skill_interval(noisy, baseline, units, seed=1) != (skill, low, high)


def test_skill_interval_resamples_units_not_examples():
    """Copies of a unit's examples are no new evidence."""
    rng = np.random.default_rng(0)
    errors, baseline = rng.gamma(2, size=30), rng.gamma(2, size=30)
    units = np.arange(30)
    once = scores.skill_interval(errors, baseline, units, seed=0)
    many = scores.skill_interval(
        *(np.repeat(values, 50) for values in (errors, baseline, units)), seed=0
    )
    assert many == pytest.approx(once)


def test_skill_interval_covers_the_true_skill():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        baseline = rng.gamma(2, size=60)
        errors = 0.8 * baseline * rng.uniform(0.5, 1.5, 60)
        _, low, high = scores.skill_interval(
            errors, baseline, np.arange(60), seed, num_resamples=300
        )
        covered += low < 0.2 < high
    assert 0.88 < covered / 200 < 0.99


def test_skill_interval_checks_its_arguments():
    ones = np.ones(4)
    with pytest.raises(ValueError, match="length of units"):
        scores.skill_interval(ones, ones, np.arange(3), seed=0)
    with pytest.raises(ValueError, match="at least two units"):
        scores.skill_interval(ones, ones, np.zeros(4), seed=0)
    with pytest.raises(ValueError, match="above 0"):
        scores.skill_interval(ones, 0 * ones, np.arange(4), seed=0)
