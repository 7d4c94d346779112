"""Tests of the errors."""

from helpers import scores

import numpy as np
import pytest


def test_errors_by_hand():
    target = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    prediction = np.array([[[1.0], [4.0]], [[0.0], [3.0]]])
    assert scores.squared_errors(target, prediction).ravel().tolist() == [0, 4, 9, 1]
    assert scores.per_example_error(target, prediction).tolist() == [2, 5]
    assert scores.mean_squared_error(target, prediction) == 3.5


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
    with pytest.raises(ValueError, match=r"target.*\(4, 3, 1\) and \(4, 3\)"):
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
    ],
)
def test_accuracy_refuses_what_is_no_distribution(labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        scores.accuracy(labels, probabilities)
