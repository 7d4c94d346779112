"""Checks at the doors: a `ValueError` names the argument and says what was received."""

import math
import numbers
import operator

import numpy as np


def check_integer(name, value, minimum):
    """Returns `value` as an `int` of at least `minimum`; a boolean is none."""
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
    """Returns whether a value is a finite real number, which a boolean is not."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    return math.isfinite(value)


def check_numbers(name, values, axes=None):
    """Returns `values` as an array of finite real numbers of their dtype, not empty.

    `axes` are the names of the axes that it should have; with `None` any number is
    allowed.
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
    """Returns `series` as a finite array of shape `(examples, time, features)`."""
    return check_numbers(name, series, ("examples", "time", "features"))


def check_one_feature(name, series):
    """Returns `series` as a finite array of shape `(examples, time, 1)`."""
    series = check_series(name, series)
    if series.shape[2] != 1:
        raise ValueError(
            f"`{name}` should have one feature. Received: {series.shape[2]}."
        )
    return series


def check_labels(name, labels, num_classes):
    """Returns `labels`, class numbers of shape `(examples,)`, as an int64 array."""
    labels = check_numbers(name, labels, ("examples",))
    if labels.dtype.kind == "f":
        raise ValueError(f"`{name}` should hold integers. Received: {labels.dtype}.")
    # A negative one would count from the end and mark a wrong class.
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"`{name}` should be in the range 0 to {num_classes - 1}. "
            f"Received: {labels.min()} to {labels.max()}."
        )
    return labels.astype("int64")


def check_probabilities(name, values, axes):
    """Returns `values`, a distribution in each row of the last axis, as an array."""
    probabilities = check_numbers(name, values, axes)
    sums = probabilities.sum(axis=-1, dtype="float64")
    # Half-precision outputs miss 1 by some thousandths, logits by far.
    if probabilities.min() < 0 or np.abs(sums - 1).max() > 0.01:
        raise ValueError(
            f"`{name}` should be at least 0 and have the sum 1 in each row. Received: "
            f"minimum {probabilities.min():.3g}, sums from {sums.min():.4g} to "
            f"{sums.max():.4g}."
        )
    return probabilities


def check_same(names, values):
    """Says if two named values (lengths or shapes) differ."""
    if values[0] != values[1]:
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` should agree. "
            f"Received: {values[0]} and {values[1]}."
        )
