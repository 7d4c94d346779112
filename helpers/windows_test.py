"""Tests of scaling, splits and targets."""

import numpy as np
import pytest

from helpers import windows


@pytest.fixture
def series():
    """Sequences with different levels, spreads and skews, two features."""
    rng = np.random.default_rng(0)
    series = rng.gamma(1, 3, (200, 30, 2)) * rng.uniform(0.01, 1e4, (200, 1, 1))
    return (series - rng.uniform(-1e3, 1e3, (200, 1, 1))).astype("float32")


def test_centre_scale_keeps_range_and_mean(series):
    scaled = windows.centre_scale(series)
    assert scaled.shape == series.shape and scaled.dtype == np.float32
    assert scaled.min() >= 0 and scaled.max() <= 1
    means = scaled.mean(axis=(1, 2), dtype="float64")
    np.testing.assert_allclose(means, 0.5, atol=1e-6)
    # The range is used as far as the mean allows: one end is reached.
    reached = np.maximum(scaled.max(axis=(1, 2)), 1 - scaled.min(axis=(1, 2)))
    np.testing.assert_array_equal(reached, 1)


def test_centre_scale_is_linear_in_each_sequence(series):
    scaled = windows.centre_scale(series)
    for before, after in zip(series[:20], scaled[:20], strict=True):
        correlation = np.corrcoef(before.ravel(), after.ravel())[0, 1]
        assert correlation == pytest.approx(1, abs=1e-6)


def test_min_max_scale_reaches_both_ends(series):
    scaled = windows.min_max_scale(series)
    assert scaled.shape == series.shape and scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled.min(axis=(1, 2)), 0)
    np.testing.assert_array_equal(scaled.max(axis=(1, 2)), 1)
    one = series[7].astype("float64")
    expected = (one - one.min()) / (one.max() - one.min())
    np.testing.assert_allclose(scaled[7], expected, atol=1e-6)


@pytest.mark.parametrize(
    "scale, constant", [(windows.centre_scale, 0.5), (windows.min_max_scale, 0)]
)
def test_constant_sequence_does_not_blow_up(scale, constant):
    # The mean of 49 times 0.1 is not 0.1 in floating point.
    series = np.stack([np.full((49, 1), 0.1), np.arange(49.0)[:, np.newaxis]])
    scaled = scale(series)
    np.testing.assert_array_equal(scaled[0], constant)
    assert scaled[1].min() == 0 and scaled[1].max() == 1


@pytest.mark.parametrize("scale", [windows.centre_scale, windows.min_max_scale])
def test_scaling_leaves_its_input_alone_and_checks_it(scale, series):
    before = series.copy()
    scale(series)
    np.testing.assert_array_equal(series, before)
    with pytest.raises(ValueError, match="`series` should have the shape"):
        scale(series[0])
    series[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match="`series` should hold finite numbers"):
        scale(series)


def test_split_is_disjoint_complete_and_seeded():
    splits = windows.split_examples(10_000, seed=1)
    assert list(splits) == ["train", "validation", "test"]
    assert [len(part) for part in splits.values()] == [6000, 2000, 2000]
    together = np.concatenate(list(splits.values()))
    np.testing.assert_array_equal(np.sort(together), np.arange(10_000))
    again, other = (
        windows.split_examples(10_000, seed=1),
        windows.split_examples(10_000),
    )
    for name, part in splits.items():
        assert np.all(np.diff(part) > 0)
        np.testing.assert_array_equal(part, again[name])
        assert not np.array_equal(part, other[name])
    # At random, not one block after the other: the mean index is near the middle.
    assert abs(splits["train"].mean() - 5000) < 200


def test_two_fractions_leave_out_the_test_split():
    splits = windows.split_examples(60_000, (5 / 6, 1 / 6))
    assert {name: len(part) for name, part in splits.items()} == {
        "train": 50_000,
        "validation": 10_000,
    }


@pytest.mark.parametrize(
    "num_examples, fractions, message",
    [
        (3, (0.8, 0.1, 0.1), "test is empty. Received: .* of 3 examples"),
        (10, (0.5, 0.5, 0.5), "with the sum 1"),
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
    for train_indices, validation_indices in folds:
        together = np.concatenate([train_indices, validation_indices])
        np.testing.assert_array_equal(np.sort(together), np.arange(num_examples))
    validated = np.concatenate([validation_indices for _, validation_indices in folds])
    np.testing.assert_array_equal(np.sort(validated), np.arange(num_examples))
    sizes = [len(validation_indices) for _, validation_indices in folds]
    assert max(sizes) - min(sizes) <= 1


def test_folds_follow_the_seed():
    first, again, other = (windows.k_folds(50, 5, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first[2][1], again[2][1])
    assert not np.array_equal(first[2][1], other[2][1])


@pytest.mark.parametrize("num_folds", [1, 11, 2.5])
def test_impossible_folds_are_refused(num_folds):
    with pytest.raises(ValueError, match="`num_folds` should .*Received"):
        windows.k_folds(10, num_folds)


def test_one_hot_marks_the_class():
    targets = windows.one_hot(np.array([1, 0, 3], "uint8"), 4)
    assert targets.dtype == np.float32
    assert targets.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]


def test_one_hot_refuses_labels_out_of_range():
    # A negative label would count from the end and mark a wrong class.
    with pytest.raises(ValueError, match="`labels` .*range 0 to 9. Received: -1 to 9"):
        windows.one_hot([-1, 9], 10)
    with pytest.raises(ValueError, match="`labels` .*range 0 to 9. Received: 0 to 10"):
        windows.one_hot([0, 10], 10)


def test_scale_of_the_known_part_knows_nothing_of_the_rest(series):
    scaled = windows.min_max_scale(series, num_known=10)
    np.testing.assert_allclose(scaled[:, :10].min(axis=(1, 2)), 0)
    np.testing.assert_allclose(scaled[:, :10].max(axis=(1, 2)), 1)
    assert scaled[:, 10:].min() < 0 and scaled[:, 10:].max() > 1
    changed = series.copy()
    changed[:, 10:] *= 7
    changed = windows.min_max_scale(changed, num_known=10)
    np.testing.assert_array_equal(changed[:, :10], scaled[:, :10])
    # The whole sequence's scale does know it.
    whole = windows.min_max_scale(series)
    assert (windows.min_max_scale(changed)[:, :10] != whole[:, :10]).any()
    np.testing.assert_array_equal(windows.min_max_scale(series, 30), whole)


def test_scale_of_a_constant_known_part_is_refused(series):
    series[3, :5] = 7
    with pytest.raises(ValueError, match="first 5 steps.*1 sequences.*first is 3"):
        windows.min_max_scale(series, num_known=5)
    windows.min_max_scale(series, num_known=6)
    with pytest.raises(ValueError, match="`num_known` should be at most 30"):
        windows.min_max_scale(series, num_known=31)


def test_random_windows_are_pieces_of_their_series():
    prices = np.arange(5)[:, np.newaxis] * 1000 + np.arange(40)
    cut, rows = windows.random_windows(prices, 2000, 12, seed=3)
    assert cut.shape == (2000, 12, 1) and rows.shape == (2000,)
    np.testing.assert_array_equal(np.diff(cut[:, :, 0]), 1)
    np.testing.assert_array_equal(cut[:, 0, 0] // 1000, rows)
    # Every series and every start occurs, the last one too.
    assert set(rows) == set(range(5))
    assert set(cut[:, 0, 0] % 1000) == set(range(29))
    again, _ = windows.random_windows(prices, 2000, 12, seed=3)
    np.testing.assert_array_equal(again, cut)
    other, _ = windows.random_windows(prices, 2000, 12, seed=4)
    assert (other != cut).any()
    whole, _ = windows.random_windows(prices, 3, 40)
    assert whole.shape == (3, 40, 1)


def test_random_windows_need_enough_time():
    with pytest.raises(ValueError, match="`num_steps` should be at most 40"):
        windows.random_windows(np.zeros((5, 40)), 10, 41)
    with pytest.raises(ValueError, match="`series` should have the shape"):
        windows.random_windows(np.zeros((5, 40, 1)), 10, 4)


def test_split_time_puts_all_early_steps_before_all_late_ones():
    early, late = windows.split_time(1258, 0.6, min_steps=301)
    steps = np.arange(1258)
    assert len(steps[early]) == 755 and len(steps[late]) == 503
    np.testing.assert_array_equal(np.append(steps[early], steps[late]), steps)
    with pytest.raises(ValueError, match="500 steps.*0.7 of 1258 steps, 881 and 377"):
        windows.split_time(1258, 0.7, min_steps=500)
    for fraction in (0, 1, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
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
        ({"test": [1]}, 0, "validation and test"),
        ({"validation": [1], "test": [3]}, 25, "leave steps for train"),
    ],
)
def test_impossible_blocks_are_refused(held_out, embargo, message):
    with pytest.raises(ValueError, match=message):
        windows.split_blocks(100, 4, held_out, embargo)


def test_window_ends_before_the_step_to_predict():
    series = np.arange(12.0).reshape(6, 2)
    cut = windows.cut_windows(series, 3, np.array([3, 6]))
    assert cut.dtype == "float32" and cut.shape == (2, 3, 2)
    assert cut[0].tolist() == series[:3].tolist()
    assert cut[1].tolist() == series[3:].tolist()
    for ends in ([2], [7], [3.0]):
        with pytest.raises(ValueError, match="`ends`.*Received"):
            windows.cut_windows(series, 3, ends)
