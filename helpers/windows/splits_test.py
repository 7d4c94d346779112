"""Tests of splits."""

from helpers import windows

import numpy as np
import pytest


def test_split_is_disjoint_complete_and_seeded():
    splits = windows.split_examples(10_000, seed=1)
    assert list(splits) == ["train", "validation", "test"]
    assert [len(part) for part in splits.values()] == [6000, 2000, 2000]
    together = np.concatenate(list(splits.values()))
    np.testing.assert_array_equal(np.sort(together), np.arange(10_000))
    again, other = (windows.split_examples(10_000, seed=seed) for seed in (1, 0))
    for name, part in splits.items():
        assert np.all(np.diff(part) > 0)
        np.testing.assert_array_equal(part, again[name])
        assert not np.array_equal(part, other[name])
    # At random, not one block after the other: the mean index is near the middle.
    assert abs(splits["train"].mean() - 5000) < 200


def test_two_fractions_leave_out_the_test_split():
    splits = windows.split_examples(60_000, (5 / 6, 1 / 6))
    sizes = {name: len(part) for name, part in splits.items()}
    assert sizes == {"train": 50_000, "validation": 10_000}


@pytest.mark.parametrize(
    "num_examples, fractions, message",
    [
        (3, (0.8, 0.1, 0.1), "leave an example for each .* of 3 examples"),
        (3, (0.5, 0.4, 0.1), "leave an example for each .* of 3 examples"),
        (10, (0.5, 0.5, 0.5), "with the sum 1"),
        (100, (0.6, 0.2, 0.3), r"with the sum 1. Received: \(0.6, 0.2, 0.3\)"),
        (10, (1.0,), "two or three"),
        (10, (0.4, 0.3, 0.2, 0.1), "two or three"),
        (10, (1.2, -0.4, 0.2), "positive"),
        (10, (0.8, 0.2, 0.0), "positive"),
        (10, (0.8, float("nan"), 0.2), "positive"),
    ],
)
def test_impossible_splits_are_refused(num_examples, fractions, message):
    with pytest.raises(ValueError, match=f"`fractions` should .*{message}"):
        windows.split_examples(num_examples, fractions)


@pytest.mark.parametrize("num_examples, num_folds", [(20, 5), (23, 4), (3, 3)])
def test_folds_validate_each_example_once(num_examples, num_folds):
    folds = windows.k_folds(num_examples, num_folds, seed=2)
    assert len(folds) == num_folds
    for parts in folds:
        np.testing.assert_array_equal(
            np.sort(np.concatenate(parts)), np.arange(num_examples)
        )
    validated = np.concatenate([validation_indices for _, validation_indices in folds])
    np.testing.assert_array_equal(np.sort(validated), np.arange(num_examples))
    sizes = [len(validation_indices) for _, validation_indices in folds]
    assert max(sizes) - min(sizes) <= 1


def test_folds_follow_the_seed():
    first, again, other = (windows.k_folds(50, 5, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first[2][1], again[2][1])
    assert not np.array_equal(first[2][1], other[2][1])


@pytest.mark.parametrize("num_folds", [1, 11])
def test_impossible_folds_are_refused(num_folds):
    with pytest.raises(ValueError, match="`num_folds` should be from 2 to .* 10. Rec"):
        windows.k_folds(10, num_folds)


def test_split_time_puts_all_early_steps_before_all_late_ones():
    early, late = windows.split_time(1258, 0.6, min_steps=301)
    steps = np.arange(1258)
    assert len(steps[early]) == 755 and len(steps[late]) == 503
    np.testing.assert_array_equal(np.append(steps[early], steps[late]), steps)
    with pytest.raises(ValueError, match="500 steps.*0.7 of 1258 steps, 881 and 377"):
        windows.split_time(1258, 0.7, min_steps=500)
    for fraction in (0, 1, 1.5):
        with pytest.raises(ValueError, match="`fraction` should leave 1 steps"):
            windows.split_time(10, fraction)


def test_blocks_go_to_one_split_as_a_whole():
    held_out = {"validation": [1], "test": [3]}
    parts = windows.split_blocks(100, 4, held_out, embargo=10)
    assert parts["train"].tolist() == [*range(10, 25), *range(60, 75)]
    assert parts["validation"].tolist() == list(range(35, 50))
    assert parts["test"].tolist() == list(range(85, 100))
    # A window of ten steps before any of them touches no other split's steps.
    for name, steps in parts.items():
        reached = {step - back for step in steps for back in range(11)}
        others = [set(part) for other, part in parts.items() if other != name]
        assert not any(reached & part for part in others)


@pytest.mark.parametrize(
    "held_out, embargo, message",
    [
        ({"validation": [1], "test": [1]}, 0, "blocks of their own"),
        ({"validation": [1], "test": [4]}, 0, "0 to 3"),
        ({"validation": [], "test": [1]}, 0, "leave steps for validation"),
        ({"validation": [1], "test": [3]}, 25, "leave steps for train"),
    ],
)
def test_impossible_blocks_are_refused(held_out, embargo, message):
    with pytest.raises(ValueError, match=message):
        windows.split_blocks(100, 4, held_out, embargo)
