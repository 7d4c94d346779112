"""Splits, scaling and targets: from raw arrays to what a network is given."""

import math

import numpy as np

from helpers.checks import (
    check_integer,
    check_labels,
    check_numbers,
    check_series,
    is_number,
)

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


def min_max_scale(series, num_known=None):
    """Scales each sequence so that its smallest value is 0 and its largest is 1.

    Args:
        series: Array of real numbers, shape `(examples, time, features)`. Smallest
            and largest value are those of the example over time and features.
        num_known: Integer of at least 2 or `None`. An integer takes the smallest and
            the largest value of the first `num_known` steps alone, as a forecast must
            not know later ones, not even through the scale: these steps become 0 to
            1, later ones may lie outside.

    Returns:
        float32 array of the same shape. A constant sequence becomes all 0.

    Raises:
        ValueError: If `series` has another number of axes, no value, NaN or infinity;
            if `num_known` is out of range or a sequence is constant over it.

    Example:

    >>> min_max_scale([[[1.0], [2.0], [5.0]]]).ravel().tolist()
    [0.0, 0.25, 1.0]
    >>> min_max_scale([[[1.0], [2.0], [5.0]]], num_known=2).ravel().tolist()
    [0.0, 1.0, 4.0]
    """
    series = check_series("series", series).astype("float64")
    known = series
    if num_known is not None:
        num_known = check_integer("num_known", num_known, minimum=2)
        if num_known > series.shape[1]:
            raise ValueError(
                f"`num_known` should be at most {series.shape[1]}, the steps of a "
                f"sequence. Received: {num_known}."
            )
        known = series[:, :num_known]
    smallest = known.min(axis=(1, 2), keepdims=True)
    span = known.max(axis=(1, 2), keepdims=True) - smallest
    if num_known is not None and (span == 0).any():
        raise ValueError(
            f"`series` should change within the first {num_known} steps. Received: "
            f"{np.count_nonzero(span == 0)} sequences that do not, the first is "
            f"{int(span.ravel().argmin())}."
        )
    return ((series - smallest) / np.where(span == 0, 1, span)).astype("float32")


def random_windows(series, num_windows, num_steps, seed=0):
    """Cuts windows at random places of random series, drawn with replacement.

    Args:
        series: Array of real numbers, shape `(examples, time)`, for instance a row of
            prices per stock.
        num_windows: Positive integer, number of windows.
        num_steps: Positive integer, length of a window, at most the series'.
        seed: Non-negative integer; equal seeds give equal windows.

    Returns:
        Tuple `(windows, rows)`: a float64 array of shape `(num_windows, num_steps, 1)`
        and an int64 array of shape `(num_windows,)`, the series that each window is
        cut from.

    Raises:
        ValueError: If an argument is not as described.

    Example:

    >>> cut, rows = random_windows([[1, 2, 3], [4, 5, 6]], 2, 2, seed=1)
    >>> cut[:, :, 0].tolist(), rows.tolist()
    ([[2.0, 3.0], [5.0, 6.0]], [0, 1])
    """
    series = check_numbers("series", series, ("examples", "time")).astype("float64")
    num_windows = check_integer("num_windows", num_windows, minimum=1)
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    seed = check_integer("seed", seed, minimum=0)
    num_starts = series.shape[1] - num_steps + 1
    if num_starts < 1:
        raise ValueError(
            f"`num_steps` should be at most {series.shape[1]}, the time of the series. "
            f"Received: {num_steps}."
        )
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(series), size=num_windows)
    starts = rng.integers(num_starts, size=num_windows)
    steps = starts[:, np.newaxis] + np.arange(num_steps)
    return series[rows[:, np.newaxis], steps][:, :, np.newaxis], rows


def split_time(num_steps, fraction, min_steps=1):
    """Splits time into an early part for training and a late part for the test.

    Args:
        num_steps: Positive integer, the steps to split, for instance days.
        fraction: Float between 0 and 1, share of the early part.
        min_steps: Positive integer, steps that each part needs, for instance the
            length of a window.

    Returns:
        Tuple `(early, late)` of slices, one after the other.

    Raises:
        ValueError: If an argument is out of range or a part gets too short.

    Example:

    >>> split_time(10, 0.6)
    (slice(0, 6, None), slice(6, 10, None))
    """
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    min_steps = check_integer("min_steps", min_steps, minimum=1)
    if not is_number(fraction) or not 0 < fraction < 1:
        raise ValueError(
            f"`fraction` should be between 0 and 1. Received: {fraction!r}."
        )
    border = round(num_steps * fraction)
    if min(border, num_steps - border) < min_steps:
        raise ValueError(
            f"`fraction` should leave {min_steps} steps for each part. Received: "
            f"{fraction} of {num_steps} steps, {border} and {num_steps - border}."
        )
    return slice(0, border), slice(border, num_steps)


def split_blocks(num_steps, num_blocks, held_out, embargo):
    """Splits time into blocks, which go to training, validation or test as a whole.

    Steps close to each other are alike, so that a split step by step would test on
    what was seen in training. The first steps of each block are left out: a window
    that ends there would reach into the block before.

    Args:
        num_steps: Positive integer, the steps to split, for instance hours.
        num_blocks: Positive integer, blocks of equal length (within one step).
        held_out: Dict from `"validation"` and `"test"` to lists of numbers of blocks,
            counted from 0. All other blocks are for training.
        embargo: Non-negative integer, steps left out at the start of each block: at
            least the length of a window.

    Returns:
        Dict from `"train"`, `"validation"` and `"test"` to a sorted int64 array of
        steps.

    Raises:
        ValueError: If an argument is out of range, a block is held out twice, or a
            split has no step left.

    Example:

    >>> parts = split_blocks(9, 3, {"validation": [1], "test": [2]}, embargo=1)
    >>> {name: steps.tolist() for name, steps in parts.items()}
    {'train': [1, 2], 'validation': [4, 5], 'test': [7, 8]}
    """
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    num_blocks = check_integer("num_blocks", num_blocks, minimum=1)
    embargo = check_integer("embargo", embargo, minimum=0)
    taken = [block for blocks in held_out.values() for block in blocks]
    if (
        set(held_out) != set(SPLIT_NAMES[1:])
        or len(set(taken)) != len(taken)
        or not set(taken) <= set(range(num_blocks))
    ):
        raise ValueError(
            "`held_out` should give validation and test blocks of their own, numbers "
            f"from 0 to {num_blocks - 1}. Received: {held_out}."
        )
    others = [block for block in range(num_blocks) if block not in taken]
    borders = np.round(np.linspace(0, num_steps, num_blocks + 1)).astype(int)
    splits = {}
    for name, blocks in {"train": others, **held_out}.items():
        steps = [
            np.arange(borders[block] + embargo, borders[block + 1])
            for block in sorted(blocks)
        ]
        splits[name] = np.concatenate([np.zeros(0, "int64"), *steps])
        if len(splits[name]) == 0:
            raise ValueError(
                f"`embargo` and `held_out` should leave steps for {name}. Received: "
                f"{embargo} of {num_steps // num_blocks} steps, {held_out}."
            )
    return splits


def cut_windows(series, num_steps, ends):
    """Cuts the window before each of some steps of a series.

    Args:
        series: Array of real numbers, shape `(time, features)`, oldest first.
        num_steps: Positive integer, length of a window.
        ends: Integer array of shape `(examples,)`: a window holds the `num_steps`
            steps before its end, not the end itself.

    Returns:
        float32 array of shape `(examples, num_steps, features)`.

    Raises:
        ValueError: If an argument is not as described, or a window would begin before
            the series or end after it.

    Example:

    >>> cut_windows([[1], [2], [3], [4]], 2, [2, 4])[:, :, 0].tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    series = check_numbers("series", series, ("time", "features")).astype("float32")
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    ends = check_numbers("ends", ends, ("examples",))
    if ends.dtype.kind == "f" or ends.min() < num_steps or ends.max() > len(series):
        raise ValueError(
            f"`ends` should be integers from {num_steps} to {len(series)}. Received: "
            f"{ends.min()} to {ends.max()}, dtype {ends.dtype}."
        )
    every = np.lib.stride_tricks.sliding_window_view(series, num_steps, axis=0)
    return np.ascontiguousarray(every[ends - num_steps].transpose(0, 2, 1))


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
    if (
        len(fractions) not in (2, 3)
        or not all(is_number(fraction) and fraction > 0 for fraction in fractions)
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
