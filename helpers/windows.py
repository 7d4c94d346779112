"""Splits, scaling and targets: from raw arrays to what a network is given."""

import math

import numpy as np

from helpers.checks import check_integer, check_labels, check_series

SPLIT_NAMES = ("train", "validation", "test")


def centre_scale(series):
    """Scales each sequence into `[0, 1]` with the mean 1/2.

    The map is `1/2 + (x - mean) / (2 max|x - mean|)`, with the mean and the maximum
    of the example over time and features. The value furthest from the mean becomes
    0 or 1. Scaling to `[0, 1]` first and shifting the mean to 1/2 afterwards would
    push values out of `[0, 1]`.

    Args:
        series: Array of real numbers, shape `(examples, time, features)`.

    Returns:
        float32 array of the same shape. A constant sequence becomes all 1/2.

    Raises:
        ValueError: If `series` has another number of axes, no value, NaN or infinity.

    Example:

    >>> centre_scale([[[1.0], [2.0], [2.0], [7.0]]]).ravel().tolist()
    [0.25, 0.375, 0.375, 1.0]
    """
    series = check_series("series", series).astype("float64")
    deviations = series - series.mean(axis=(1, 2), keepdims=True)
    # The mean of a constant sequence is rounded: the deviations are not quite zero,
    # and dividing by them would turn rounding into a signal.
    deviations[np.ptp(series, axis=(1, 2)) == 0] = 0
    largest = np.abs(deviations).max(axis=(1, 2), keepdims=True)
    scaled = 0.5 + deviations / (2 * np.where(largest == 0, 1, largest))
    return scaled.astype("float32")


def min_max_scale(series):
    """Scales each sequence so that its smallest value is 0 and its largest is 1.

    Args:
        series: Array of real numbers, shape `(examples, time, features)`. Smallest
            and largest value are those of the example over time and features.

    Returns:
        float32 array of the same shape. A constant sequence becomes all 0.

    Raises:
        ValueError: If `series` has another number of axes, no value, NaN or infinity.

    Example:

    >>> min_max_scale([[[1.0], [2.0], [5.0]]]).ravel().tolist()
    [0.0, 0.25, 1.0]
    """
    series = check_series("series", series).astype("float64")
    smallest = series.min(axis=(1, 2), keepdims=True)
    span = series.max(axis=(1, 2), keepdims=True) - smallest
    return ((series - smallest) / np.where(span == 0, 1, span)).astype("float32")


def split_examples(num_examples, fractions=(0.6, 0.2, 0.2), seed=0):
    """Splits examples at random into train, validation and test.

    Args:
        num_examples: Positive integer, number of examples.
        fractions: Two or three positive numbers with the sum 1: the shares of train,
            validation and, where a third is given, test.
        seed: Non-negative integer; equal seeds give equal splits.

    Returns:
        Dict from `"train"`, `"validation"` and, for three fractions, `"test"` to a
        sorted int64 array of indices. Each example is in exactly one of them.

    Raises:
        ValueError: If `fractions` is not as described or leaves a split empty.

    Example:

    >>> {name: len(part) for name, part in split_examples(10).items()}
    {'train': 6, 'validation': 2, 'test': 2}
    """
    num_examples = check_integer("num_examples", num_examples, minimum=1)
    seed = check_integer("seed", seed, minimum=0)
    fractions = tuple(fractions)
    # Comparisons with NaN are false, so that NaN is refused here too.
    if (
        len(fractions) not in (2, 3)
        or not all(fraction > 0 for fraction in fractions)
        or not math.isclose(sum(fractions), 1, abs_tol=1e-6)
    ):
        raise ValueError(
            "`fractions` should be two or three positive numbers with the sum 1. "
            f"Received: {fractions}."
        )
    ends = np.round(np.cumsum(fractions[:-1]) * num_examples).astype(int)
    parts = np.split(np.random.default_rng(seed).permutation(num_examples), ends)
    splits = {
        name: np.sort(part)
        for name, part in zip(SPLIT_NAMES[: len(fractions)], parts, strict=True)
    }
    empty = [name for name, part in splits.items() if len(part) == 0]
    if empty:
        raise ValueError(
            f"`fractions` should leave an example for each split; {', '.join(empty)} "
            f"is empty. Received: {fractions} of {num_examples} examples."
        )
    return splits


def k_folds(num_examples, num_folds, seed=0):
    """Splits examples at random into folds for cross-validation.

    Args:
        num_examples: Positive integer, number of examples.
        num_folds: Integer from 2 to `num_examples`. Fold sizes differ by one at most.
        seed: Non-negative integer; equal seeds give equal folds.

    Returns:
        List of `num_folds` tuples `(train_indices, validation_indices)` of sorted
        int64 arrays. Each example is in the validation indices of exactly one fold
        and in the train indices of all others.

    Raises:
        ValueError: If an argument is not an integer in its range.
    """
    num_examples = check_integer("num_examples", num_examples, minimum=1)
    num_folds = check_integer("num_folds", num_folds, minimum=2)
    seed = check_integer("seed", seed, minimum=0)
    if num_folds > num_examples:
        raise ValueError(
            f"`num_folds` should be at most the number of examples, {num_examples}. "
            f"Received: {num_folds}."
        )
    shuffled = np.random.default_rng(seed).permutation(num_examples)
    parts = np.array_split(shuffled, num_folds)
    return [
        (np.sort(np.concatenate(parts[:fold] + parts[fold + 1 :])), np.sort(part))
        for fold, part in enumerate(parts)
    ]


def one_hot(labels, num_classes):
    """Turns class numbers into target probabilities.

    Args:
        labels: Integer array of shape `(examples,)`, classes 0 to `num_classes - 1`.
        num_classes: Positive integer, number of classes.

    Returns:
        float32 array of shape `(examples, num_classes)`: 1 in the column of the
        class, 0 elsewhere.

    Raises:
        ValueError: If a label is not an integer in the range.

    Example:

    >>> one_hot([2, 0], num_classes=3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    num_classes = check_integer("num_classes", num_classes, minimum=1)
    labels = check_labels("labels", labels, num_classes)
    return np.eye(num_classes, dtype="float32")[labels]
