"""Checks of arguments, with one wording of the messages for all helpers."""

import math
import numbers
import operator

import numpy as np


def check_integer(name, value, minimum):
    """Returns `value` as an `int`, or says which argument is wrong.

    Args:
        name: String, the argument's name for the message.
        value: The value that was passed.
        minimum: Integer, the smallest value allowed.

    Returns:
        The integer.

    Raises:
        ValueError: If `value` is no integer (booleans are none) or below `minimum`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < minimum:
        raise ValueError(
            f"`{name}` should be an integer of at least {minimum}. Received: {value!r}."
        )
    return number


def is_number(value):
    """Returns whether a value is a finite real number, which a boolean is not.

    Args:
        value: The value that was passed.

    Returns:
        Boolean.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    return math.isfinite(value)


def check_numbers(name, values, axes=None):
    """Returns `values` as an array of finite numbers, or says what is wrong with it.

    Args:
        name: String, the argument's name for the message.
        values: Array or nested list.
        axes: Tuple of strings or `None`, the names of the axes that `values` should
            have; any number of axes is allowed with `None`.

    Returns:
        Array with the dtype of `values`, at least one value, no NaN, no infinity.

    Raises:
        ValueError: If `values` is empty, has another number of axes, or holds a value
            that is not a finite real number.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"`{name}` should have rows of equal length. Received: {error}"
        ) from error
    if axes is not None and array.ndim != len(axes):
        raise ValueError(
            f"`{name}` should have the shape ({', '.join(axes)}"
            f"{',' * (len(axes) == 1)}). Received: shape {array.shape}."
        )
    if array.size == 0:
        raise ValueError(f"`{name}` should hold values. Received: shape {array.shape}.")
    if array.dtype.kind not in "fiu":
        raise ValueError(
            f"`{name}` should hold real numbers. Received: dtype {array.dtype}."
        )
    num_bad_values = array.size - np.count_nonzero(np.isfinite(array))
    if num_bad_values:
        raise ValueError(
            f"`{name}` should hold finite numbers. Received: {num_bad_values} values "
            f"of {array.size} that are NaN or infinite."
        )
    return array


def check_series(name, series):
    """Returns `series` as a finite array `(examples, time, features)`.

    Args:
        name: String, the argument's name for the message.
        series: Array of shape `(examples, time, features)`.

    Returns:
        The array, its dtype unchanged.

    Raises:
        ValueError: If there is another number of axes, no value, NaN or infinity.
    """
    return check_numbers(name, series, ("examples", "time", "features"))


def check_one_feature(name, series):
    """Returns `series` as a finite array `(examples, time, 1)`.

    Args:
        name: String, the argument's name for the message.
        series: Array of shape `(examples, time, 1)`.

    Returns:
        The array, its dtype unchanged.

    Raises:
        ValueError: If `series` has more features or is no such array at all.
    """
    series = check_series(name, series)
    if series.shape[2] != 1:
        raise ValueError(
            f"`{name}` should have one feature. Received: {series.shape[2]}."
        )
    return series


def check_labels(name, labels, num_classes):
    """Returns `labels` as an int64 array of class numbers.

    Args:
        name: String, the argument's name for the message.
        labels: Integer array of shape `(examples,)`.
        num_classes: Positive integer; labels run from 0 to `num_classes - 1`.

    Returns:
        int64 array of shape `(examples,)`.

    Raises:
        ValueError: If `labels` is empty, not one-dimensional, not of integers, or
            holds a number that is no class.
    """
    labels = check_numbers(name, labels, ("examples",))
    if labels.dtype.kind == "f":
        raise ValueError(f"`{name}` should hold integers. Received: {labels.dtype}.")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"`{name}` should be in the range 0 to {num_classes - 1}. "
            f"Received: {labels.min()} to {labels.max()}."
        )
    return labels.astype("int64")


def check_probabilities(name, values, axes, tolerance=0.01):
    """Returns `values` as an array in which each row is a distribution.

    Args:
        name: String, the argument's name for the message.
        values: Array with a probability per class in its last axis.
        axes: Tuple of strings, the names of the axes that `values` should have.
        tolerance: Float, the largest distance of a sum from 1. Half-precision outputs
            miss it by some thousandths; logits miss it by far.

    Returns:
        The array, its dtype unchanged.

    Raises:
        ValueError: If there is another number of axes, NaN, infinity or a negative
            number, or the sum of a row is not 1.
    """
    probabilities = check_numbers(name, values, axes)
    sums = probabilities.sum(axis=-1, dtype="float64")
    if probabilities.min() < 0 or np.abs(sums - 1).max() > tolerance:
        raise ValueError(
            f"`{name}` should be at least 0 and have the sum 1 in each row. Received: "
            f"minimum {probabilities.min():.3g}, sums from {sums.min():.4g} to "
            f"{sums.max():.4g}."
        )
    return probabilities


def check_table(table, parameters, score):
    """Raises a `ValueError` if a table lacks rows or one of the columns.

    Args:
        table: `pandas.DataFrame` from `selection.cross_validate`.
        parameters: List of strings, names of the columns of the hyper-parameters.
        score: String, name of the column of the score.
    """
    absent = [name for name in [*parameters, score] if name not in table]
    if absent or not parameters or not len(table):
        raise ValueError(
            f"`table` should have rows, and the columns {parameters} and {score!r}. "
            f"Received: {len(table)} rows, columns {list(table)}."
        )


def check_same(names, values):
    """Raises a `ValueError` when the two named values (lengths or shapes) differ."""
    if values[0] != values[1]:
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` should agree. "
            f"Received: {values[0]} and {values[1]}."
        )
