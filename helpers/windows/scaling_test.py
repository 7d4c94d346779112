"""Tests of scaling."""

from helpers import windows

import numpy as np
import pytest


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
