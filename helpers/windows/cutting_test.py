"""Tests of windows and targets."""

from helpers import windows

import numpy as np
import pytest


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
    with pytest.raises(ValueError, match="`num_steps` should be at most 40.*: 41"):
        windows.random_windows(np.zeros((5, 40)), 10, 41)
    with pytest.raises(ValueError, match="`series` should have the shape"):
        windows.random_windows(np.zeros((5, 40, 1)), 10, 4)


def test_window_ends_before_the_step_to_predict():
    series = np.arange(12.0).reshape(6, 2)
    cut = windows.cut_windows(series, 3, np.array([3, 6]))
    assert cut.dtype == "float32" and cut.shape == (2, 3, 2)
    assert cut[0].tolist() == series[:3].tolist()
    assert cut[1].tolist() == series[3:].tolist()
    for ends in ([2], [7]):
        with pytest.raises(ValueError, match="`ends` should be from 3 to 6. Received"):
            windows.cut_windows(series, 3, ends)


def test_one_hot_marks_the_class():
    targets = windows.one_hot(np.array([1, 0, 3], "uint8"), 4)
    assert targets.dtype == np.float32
    assert targets.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    for labels in ([-1, 9], [0, 10]):
        with pytest.raises(ValueError, match="`labels` .*range 0 to 9. Received"):
            windows.one_hot(labels, 10)
