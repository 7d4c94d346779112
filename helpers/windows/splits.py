"""Splits into train, validation and test: by example, in time, in blocks of time.

`seed` is a non-negative integer; equal seeds give equal splits. Indices are sorted
int64 arrays. A split that is impossible or leaves a part empty raises a `ValueError`.
"""

import math

import numpy as np


def split_examples(num_examples, fractions=(0.6, 0.2, 0.2), seed=0):
    """Splits examples at random into train, validation and test.

    `fractions` are two or three positive numbers with the sum 1: the shares of train,
    validation and, where a third is given, test. Returns a dict from `"train"`,
    `"validation"` and, for three fractions, `"test"` to indices.

    >>> {name: len(part) for name, part in split_examples(10).items()}
    {'train': 6, 'validation': 2, 'test': 2}
    """
    is_whole = math.isclose(sum(fractions), 1, abs_tol=1e-6)
    if len(fractions) not in (2, 3) or not min(fractions) > 0 or not is_whole:
        raise ValueError(
            "`fractions` should be two or three positive numbers with the sum 1. "
            f"Received: {fractions}."
        )
    ends = np.round(np.cumsum(fractions[:-1]) * num_examples).astype(int)
    parts = np.split(np.random.default_rng(seed).permutation(num_examples), ends)
    if not all(map(len, parts)):
        raise ValueError(
            "`fractions` should leave an example for each split. "
            f"Received: {fractions} of {num_examples} examples."
        )
    return dict(zip(["train", "validation", "test"], map(np.sort, parts), strict=False))


def k_folds(num_examples, num_folds, seed=0):
    """Splits examples at random into folds for cross-validation, sizes differ by one.

    Returns a list of tuples `(train_indices, validation_indices)`; each example is in
    the validation indices of exactly one of the 2 to `num_examples` folds.
    """
    if not 2 <= num_folds <= num_examples:
        raise ValueError(
            f"`num_folds` should be from 2 to the number of examples, {num_examples}. "
            f"Received: {num_folds}."
        )
    shuffled = np.random.default_rng(seed).permutation(num_examples)
    parts = np.array_split(shuffled, num_folds)
    return [
        (np.sort(np.concatenate(parts[:fold] + parts[fold + 1 :])), np.sort(part))
        for fold, part in enumerate(parts)
    ]


def split_time(num_steps, fraction, min_steps=1):
    """Splits time into two slices: early for training and late for the test.

    `fraction` is the share of the early part; each needs `min_steps` steps for a
    window.

    >>> split_time(10, 0.6)
    (slice(0, 6, None), slice(6, 10, None))
    """
    border = round(num_steps * fraction)
    if min(border, num_steps - border) < min_steps:
        raise ValueError(
            f"`fraction` should leave {min_steps} steps for each part. Received: "
            f"{fraction} of {num_steps} steps, {border} and {num_steps - border}."
        )
    return slice(0, border), slice(border, num_steps)


def split_blocks(num_steps, num_blocks, held_out, embargo):
    """Splits time into blocks, which go to training, validation or test as a whole.

    Steps close to each other are alike: a split step by step would test on what was
    seen in training. The first steps of each block are left out, as a window that ends
    there would reach into the block before.

    Args:
        num_steps: Integer, the steps to split, for instance hours.
        num_blocks: Integer, blocks of equal length (within one step).
        held_out: Dict from `"validation"` and `"test"` to lists of numbers of blocks,
            counted from 0. All other blocks are for training.
        embargo: Integer, steps left out, at least the length of a window.

    Returns a dict from `"train"`, `"validation"` and `"test"` to steps.

    >>> parts = split_blocks(9, 3, {"validation": [1], "test": [2]}, embargo=1)
    >>> {name: steps.tolist() for name, steps in parts.items()}
    {'train': [1, 2], 'validation': [4, 5], 'test': [7, 8]}
    """
    taken = [block for blocks in held_out.values() for block in blocks]
    others = set(range(num_blocks)) - set(taken)
    if len(others) + len(taken) != num_blocks:
        raise ValueError(
            "`held_out` should give validation and test blocks of their own, numbers "
            f"from 0 to {num_blocks - 1}. Received: {held_out}."
        )
    borders = np.round(np.linspace(0, num_steps, num_blocks + 1)).astype(int)
    splits = {}
    for name, blocks in {"train": others, **held_out}.items():
        steps = [
            np.arange(borders[block] + embargo, borders[block + 1])
            for block in sorted(blocks)
        ]
        if not any(map(len, steps)):
            raise ValueError(
                f"`embargo` and `held_out` should leave steps for {name}. Received: "
                f"{embargo} of {num_steps // num_blocks} steps, {held_out}."
            )
        splits[name] = np.concatenate(steps)
    return splits
