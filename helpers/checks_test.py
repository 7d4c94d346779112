"""Tests of the argument checks."""

from helpers import checks

import numpy as np
import pytest


def test_integers_of_numpy_are_taken():
    number = checks.check_integer("seed", np.int32(7), minimum=0)
    assert number == 7 and type(number) is int


@pytest.mark.parametrize("value", [1.0, "3", None, True, np.True_, 1])
def test_other_values_are_no_integers(value):
    with pytest.raises(ValueError, match="`size` should be an integer of at least 2"):
        checks.check_integer("size", value, minimum=2)


@pytest.mark.parametrize(
    "values, message",
    [
        (np.zeros((2, 3)), r"shape \(examples, time, features\). Received: .*\(2, 3\)"),
        (np.zeros((0, 3, 1)), r"hold values. Received: shape \(0, 3, 1\)"),
        ([[["one"]]], "real numbers. Received: dtype"),
        (np.zeros((1, 3, 1), "complex64"), "real numbers. Received: dtype complex64"),
        ([[[1.0], [np.nan]]], "finite numbers. Received: 1 values of 2"),
        ([[[np.inf], [-np.inf]]], "finite numbers. Received: 2 values of 2"),
        ([[[1.0], [2.0, 3.0]]], "rows of equal length"),
        (np.zeros((1, 3, 2)), "one feature. Received: 2"),
    ],
)
def test_series_with_faults_are_refused(values, message):
    with pytest.raises(ValueError, match=f"`own_series` should .*{message}"):
        checks.check_one_feature("own_series", values)


def test_series_keep_their_dtype():
    series = np.ones((1, 2, 1), "float32")
    assert checks.check_series("series", series) is series
    assert checks.check_one_feature("series", series) is series


@pytest.mark.parametrize(
    "labels, message",
    [
        ([0, 3], "range 0 to 2. Received: 0 to 3"),
        ([-1, 2], "range 0 to 2. Received: -1 to 2"),
        ([0.0, 1.0], "integers. Received: float64"),
        ([[0, 1]], r"shape \(examples,\)"),
        ([], "hold values"),
    ],
)
def test_labels_with_faults_are_refused(labels, message):
    with pytest.raises(ValueError, match=f"`labels` should .*{message}"):
        checks.check_labels("labels", labels, num_classes=3)


@pytest.mark.parametrize(
    "values, message",
    [
        ([[0.5, 0.6]], "sum 1 in each row. Received: .*sums from 1.1 to 1.1"),
        ([[1.5, -0.5]], "at least 0 .*Received: minimum -0.5"),
        ([0.5, 0.5], r"shape \(examples, classes\)"),
    ],
)
def test_rows_that_are_no_distributions_are_refused(values, message):
    with pytest.raises(ValueError, match=f"`output` should .*{message}"):
        checks.check_probabilities("output", values, ("examples", "classes"))


def test_half_precision_is_a_distribution():
    row = np.full((1, 1000), 1e-3, "float16")
    assert checks.check_probabilities("p", row, ("examples", "classes")) is row


def test_small_label_types_do_not_overflow():
    labels = checks.check_labels("labels", np.array([200], "uint8"), num_classes=201)
    assert labels.dtype == np.int64 and labels.tolist() == [200]


def test_same_names_both_values():
    checks.check_same(("a", "b"), (3, 3))
    with pytest.raises(ValueError, match="`a` and `b` should agree. Received: 3 and 4"):
        checks.check_same(("a", "b"), (3, 4))


def test_numbers_are_told_from_other_values():
    assert all(map(checks.is_number, [0, -1.5, np.float32(2), np.int64(3)]))
    others = [True, "1", None, float("nan"), np.inf, [1.0], 1j]
    assert not any(map(checks.is_number, others))
