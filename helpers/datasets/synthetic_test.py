"""Tests of the synthetic series."""

from helpers import datasets

import numpy as np
import pytest


def test_uniform_sequences_follow_the_seed():
    series = datasets.uniform_sequences(2000, 50, seed=3)
    assert series.shape == (2000, 50, 1) and series.dtype == np.float32
    assert 0 <= series.min() < 0.001 and 0.999 < series.max() < 1
    # Four standard errors: variance 1/12, 100,000 values.
    assert series.mean(dtype="float64") == pytest.approx(0.5, abs=0.004)
    np.testing.assert_array_equal(series, datasets.uniform_sequences(2000, 50, seed=3))
    assert not np.array_equal(series, datasets.uniform_sequences(2000, 50, seed=4))


def test_dips_are_where_the_centres_say():
    plain = datasets.uniform_sequences(3000, 50, seed=5)
    series, dip_centres = datasets.dip_sequences(3000, 50, seed=5)
    assert series.shape == (3000, 50, 1) and series.dtype == np.float32
    assert dip_centres.shape == (3000,) and dip_centres.dtype == np.int64
    for values, before, centre in zip(series, plain, dip_centres, strict=True):
        inside = slice(centre - 5, centre + 6)
        np.testing.assert_array_equal(values[inside], before[inside] * np.float32(0.1))
        np.testing.assert_array_equal(values[: centre - 5], before[: centre - 5])
        np.testing.assert_array_equal(values[centre + 6 :], before[centre + 6 :])
    # Each of the 11 centres: 273 expected, standard deviation 16.
    counts = np.bincount(dip_centres, minlength=31)
    assert counts[:20].sum() == 0
    assert counts[20:].min() > 200 and counts[20:].max() < 350


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_steps": 35}, "`num_steps` should be an integer of at least 36.*: 35"),
        ({"num_steps": "50"}, "`num_steps` should be an integer.*Received: '50'"),
        ({"seed": -1}, "`seed` should be an integer of at least 0. Received: -1"),
        # numpy would draw other series each time.
        ({"seed": None}, "`seed` should be an integer of at least 0. Received: None"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.dip_sequences(**arguments)


def test_settle_drops_last_bits():
    values = np.array([0.12344, -1.5])
    settled = datasets.settle(values)
    assert settled.dtype == "float32"
    np.testing.assert_array_equal(settled, datasets.settle(values + 1e-13))
    np.testing.assert_allclose(settled, [0.1234, -1.5], atol=1e-7)
    with pytest.raises(
        ValueError, match="`values` should hold finite .* 1 values of 2"
    ):
        datasets.settle([1.0, np.inf])
