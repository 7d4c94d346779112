"""Baselines: what a model without a network achieves, fitted on training data only."""

from typing import NamedTuple

import numpy as np

from helpers.checks import (
    check_integer,
    check_numbers,
    check_one_feature,
    check_same,
    check_series,
)


class PCA(NamedTuple):
    """A fitted principal component analysis: the best linear code of its size.

    `mean` is a float64 array of shape `(time, features)`; `components` is a float64
    array of shape `(code_size, time * features)` with orthonormal rows, the direction
    of the largest variance first.
    """

    mean: np.ndarray
    components: np.ndarray


def constant_prediction(train, test):
    """Predicts one number for every value: the mean of all training values.

    Args:
        train: Array of shape `(examples, time, features)`.
        test: Array of shape `(test_examples, time, features)`; only its shape counts.

    Returns:
        float32 array of the shape of `test`.

    Raises:
        ValueError: If an array has other axes, no value, NaN or infinity, or if the
            sequences of the two differ in shape.
    """
    train, test = check_train_and_test(train, test)
    return np.full(test.shape, train.mean(dtype="float64"), "float32")


def mean_prediction(train, test):
    """Predicts for every position (step and feature) its mean over training examples.

    Args:
        train: Array of shape `(examples, time, features)`.
        test: Array of shape `(test_examples, time, features)`; only its shape counts.

    Returns:
        float32 array of the shape of `test`.

    Raises:
        ValueError: If an array has other axes, no value, NaN or infinity, or if the
            sequences of the two differ in shape.
    """
    train, test = check_train_and_test(train, test)
    mean = train.mean(axis=0, dtype="float64").astype("float32")
    return np.tile(mean, (len(test), 1, 1))


def class_mean_prediction(train, train_labels, test_labels):
    """Predicts the mean training example of the true class.

    This baseline is told the label of each test example, which no autoencoder is: it
    shows what knowing the class alone is worth.

    Args:
        train: Array of shape `(examples, time, features)`.
        train_labels: Integer array of shape `(examples,)`.
        test_labels: Integer array of shape `(test_examples,)`; each of its classes
            occurs in `train_labels`.

    Returns:
        float32 array of shape `(test_examples, time, features)`.

    Raises:
        ValueError: If `train` and `train_labels` differ in length, a test label does
            not occur in training, or an array is not as described.
    """
    train = check_series("train", train)
    train_labels = check_numbers("train_labels", train_labels, ("examples",))
    test_labels = check_numbers("test_labels", test_labels, ("test_examples",))
    check_same(
        ("number of train examples", "number of train_labels"),
        (len(train), len(train_labels)),
    )
    unknown = np.setdiff1d(test_labels, train_labels)
    if len(unknown):
        raise ValueError(
            "`test_labels` should occur in `train_labels`. "
            f"Received: {unknown.tolist()}, which do not."
        )
    classes = np.unique(train_labels)
    means = np.stack(
        [
            train[train_labels == label].mean(axis=0, dtype="float64")
            for label in classes
        ]
    )
    return means[np.searchsorted(classes, test_labels)].astype("float32")


def fit_pca(train, code_size):
    """Fits a principal component analysis, the best linear autoencoder.

    Args:
        train: Array of shape `(examples, time, features)`.
        code_size: Integer from 1 to `time * features`, numbers in the code.

    Returns:
        `PCA` with `code_size` components, for `pca_reconstruct`.

    Raises:
        ValueError: If `train` has other axes, no value, NaN or infinity, or if
            `code_size` is out of range.

    Reference:
        Baldi & Hornik, 1989, Neural networks and principal component analysis.
        Neural Networks 2(1), doi:10.1016/0893-6080(89)90014-2
    """
    train = check_series("train", train)
    code_size = check_code_size("code_size", code_size, train)
    mean = train.mean(axis=0, dtype="float64")
    num_values = mean.size
    scatter = np.zeros((num_values, num_values))
    # In parts, since a float64 copy of a large training set may not fit in memory.
    for start in range(0, len(train), 4096):
        part = train[start : start + 4096]
        deviations = (part - mean).reshape(len(part), num_values)
        scatter += deviations.T @ deviations
    _, directions = np.linalg.eigh(scatter)
    components = directions.T[::-1][:code_size]  # `eigh` sorts upwards.
    # The sign of a direction is arbitrary; fixing it makes the code reproducible.
    largest = np.abs(components).argmax(axis=1)[:, np.newaxis]
    signs = np.sign(np.take_along_axis(components, largest, axis=1))
    return PCA(mean, components * signs)


def pca_reconstruct(pca, series):
    """Encodes sequences with a fitted analysis and decodes them again.

    Args:
        pca: `PCA` from `fit_pca`.
        series: Array of shape `(examples, time, features)`, sequences of the shape
            that `pca` was fitted to.

    Returns:
        float32 array of the shape of `series`.

    Raises:
        ValueError: If `series` is not as described.
    """
    code = pca_encode(pca, series)
    decoded = (code @ pca.components).reshape(len(code), *pca.mean.shape)
    return (decoded + pca.mean).astype("float32")


def pca_encode(pca, series):
    """Encodes sequences as their components.

    Args:
        pca: `PCA` from `fit_pca`.
        series: Array of shape `(examples, time, features)`, sequences of the shape
            that `pca` was fitted to.

    Returns:
        float64 array of shape `(examples, code_size)`.

    Raises:
        ValueError: If `series` is not as described.
    """
    series = check_series("series", series)
    check_same(
        ("shape of a sequence in series", "shape of pca.mean"),
        (series.shape[1:], pca.mean.shape),
    )
    deviations = (series - pca.mean).reshape(len(series), pca.mean.size)
    return deviations @ pca.components.T


def pca_errors(train, test, code_sizes):
    """Measures the reconstruction error of PCA for several code sizes at once.

    Args:
        train: Array of shape `(examples, time, features)`, for the fit.
        test: Array of shape `(test_examples, time, features)`, for the error.
        code_sizes: Integers from 1 to `time * features`.

    Returns:
        Dict from code size to the mean squared error per value of `test`, a float;
        in the order of `code_sizes`.

    Raises:
        ValueError: If an array or a code size is not as described.
    """
    train, test = check_train_and_test(train, test)
    code_sizes = [check_code_size("code_sizes", size, train) for size in code_sizes]
    num_values = train[0].size
    # The components are orthonormal, so what a code leaves out is the sum of the
    # squares of all later components: one fit serves every code size.
    code = pca_encode(fit_pca(train, num_values), test)
    left_out = np.append(np.cumsum((code**2).mean(axis=0)[::-1])[::-1], 0)
    return {size: float(left_out[size] / num_values) for size in code_sizes}


def nearest_neighbour_labels(train_codes, train_labels, test_codes):
    """Predicts the class of the training example with the nearest code.

    Args:
        train_codes: Array of shape `(train_examples, code)`.
        train_labels: Integer array of shape `(train_examples,)`.
        test_codes: Array of shape `(test_examples, code)`.

    Returns:
        Integer array of shape `(test_examples,)`. Of equally near training examples
        the first counts.

    Raises:
        ValueError: If shapes or lengths do not fit, or a code holds NaN or infinity.

    Reference:
        Cover & Hart, 1967, Nearest neighbor pattern classification. IEEE Transactions
        on Information Theory 13(1), doi:10.1109/TIT.1967.1053964
    """
    axes = ("examples", "code")
    train_codes = check_numbers("train_codes", train_codes, axes).astype("float32")
    test_codes = check_numbers("test_codes", test_codes, axes).astype("float32")
    train_labels = check_numbers("train_labels", train_labels, ("examples",))
    check_same(
        ("length of train_codes", "length of train_labels"),
        (len(train_codes), len(train_labels)),
    )
    check_same(
        ("size of a code in train_codes", "size of a code in test_codes"),
        (train_codes.shape[1], test_codes.shape[1]),
    )
    squares = (train_codes**2).sum(axis=1)
    # In parts: all distances at once would take gigabytes.
    nearest = [
        (squares - 2 * part @ train_codes.T).argmin(axis=1)
        for part in np.array_split(test_codes, -(-len(test_codes) // 1000))
    ]
    return train_labels[np.concatenate(nearest)]


def fit_autoregression(train, order):
    """Fits an autoregression of the changes: each is a weighted sum of the last ones.

    One set of weights serves all sequences; there is no constant, so that the scale
    and the level of a sequence do not matter.

    Args:
        train: Array of shape `(examples, time, 1)`.
        order: Positive integer, how many changes are used; at most `time - 2`.

    Returns:
        float64 array of shape `(order,)`, the last change's weight first.

    Raises:
        ValueError: If an argument is not as described.

    Reference:
        Yule, 1927, On a method of investigating periodicities in disturbed series.
        Philosophical Transactions of the Royal Society A 226,
        doi:10.1098/rsta.1927.0007
    """
    train = check_one_feature("train", train)
    order = check_integer("order", order, minimum=1)
    changes = np.diff(train[:, :, 0].astype("float64"))
    if order >= changes.shape[1]:
        raise ValueError(
            f"`order` should be at most {changes.shape[1] - 1} for sequences of "
            f"{train.shape[1]} steps. Received: {order}."
        )
    lags = lagged(changes, order)[:, :-1].reshape(-1, order)
    return np.linalg.lstsq(lags, changes[:, order:].ravel(), rcond=None)[0]


def autoregression_next_steps(weights, series):
    """Predicts after each step the next one with a fitted autoregression.

    Args:
        weights: Array of shape `(order,)` of `fit_autoregression`.
        series: Array of shape `(examples, time, 1)`.

    Returns:
        float32 array of the shape of `series`; step `t` predicts step `t + 1`. Where
        fewer than `order` changes are known, the prediction is that nothing changes.

    Raises:
        ValueError: If an argument is not as described.
    """
    weights = check_numbers("weights", weights, ("order",))
    series = check_one_feature("series", series)
    changes = np.diff(series[:, :, 0].astype("float64"))
    predictions = series.astype("float64")
    if len(weights) <= changes.shape[1]:
        predictions[:, len(weights) :, 0] += lagged(changes, len(weights)) @ weights
    return predictions.astype("float32")


def hold_last(series, num_steps, change=0.0):
    """Predicts that the last value stays, or that it goes on changing evenly (drift).

    Args:
        series: Array of shape `(examples, time, features)`, what is known.
        num_steps: Positive integer, the steps to predict.
        change: Float or array that broadcasts to `(examples, 1, features)`, the change
            per step; 0 holds the last value.

    Returns:
        float32 array of shape `(examples, num_steps, features)`.

    Raises:
        ValueError: If `series` or `num_steps` is not as described.

    Example:

    >>> hold_last([[[1.0], [3.0]]], 2, change=0.5).ravel().tolist()
    [3.5, 4.0]
    """
    series = check_series("series", series)
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    steps = np.arange(1, num_steps + 1)[:, np.newaxis]
    return (series[:, -1:].astype("float64") + steps * change).astype("float32")


def lagged(changes, order):
    """Gives for each step from `order` on the last changes, the last one first."""
    count = changes.shape[1] - order + 1
    return np.stack(
        [changes[:, order - 1 - lag :][:, :count] for lag in range(order)], axis=-1
    )


def check_train_and_test(train, test):
    """Returns both as arrays, or raises a `ValueError` if sequences differ in shape."""
    train = check_series("train", train)
    test = check_series("test", test)
    check_same(
        ("shape of a sequence in train", "shape of a sequence in test"),
        (train.shape[1:], test.shape[1:]),
    )
    return train, test


def check_code_size(name, code_size, train):
    """Returns `code_size`, or raises a `ValueError` if it exceeds a sequence's size."""
    code_size = check_integer(name, code_size, minimum=1)
    if code_size > train[0].size:
        raise ValueError(
            f"`{name}` should be at most {train[0].size}, the values of a sequence. "
            f"Received: {code_size}."
        )
    return code_size
