"""Synthetic series: uniform values, with and without a dip.

`seed` is a non-negative integer; equal seeds give equal series.
"""

from helpers.checks import check_integer, check_numbers

import numpy as np

FIRST_CENTRE, LAST_CENTRE = 20, 30  # Steps that the centre of a dip can be at.
HALF_WIDTH = 5  # Steps of a dip on each side of its centre.


def settle(values):
    """Rounds computed data, so that they are the same on every processor.

    The last bits of sums and logarithms differ between processors, and with them the
    fingerprint of a recorded run. Returns a float32 array with four decimals; NaN and
    infinity raise a `ValueError`.
    """
    values = check_numbers("values", values).astype("float64")
    return np.round(values, 4).astype("float32")


def uniform_sequences(num_examples=10_000, num_steps=50, seed=0):
    """Draws sequences of independent values, uniform in `[0, 1)`.

    No value says anything about another, so no shorter code can keep all of them.
    Returns a float32 array of shape `(num_examples, num_steps, 1)`.
    """
    rng = np.random.default_rng(check_integer("seed", seed, minimum=0))
    return rng.random((num_examples, num_steps, 1), "float32")


def dip_sequences(num_examples=10_000, num_steps=50, seed=0):
    """Draws uniform sequences with one dip, a place where the values are small.

    For each sequence a centre is drawn, uniform from step 20 to step 30 (both included,
    counted from 0). The 11 values from 5 before to 5 after it are multiplied by 0.1.
    All others are those of `uniform_sequences` with the same arguments.

    Returns a tuple `(series, dip_centres)` of shapes `(num_examples, num_steps, 1)`,
    float32, and `(num_examples,)`, int64. `num_steps` below 36 leaves no room for the
    last dip and raises a `ValueError`.
    """
    check_integer("num_steps", num_steps, minimum=LAST_CENTRE + HALF_WIDTH + 1)
    series = uniform_sequences(num_examples, num_steps, seed)
    # A stream of its own keeps the uniform values equal to `uniform_sequences`.
    rng = np.random.default_rng([seed, 1])
    dip_centres = rng.integers(FIRST_CENTRE, LAST_CENTRE + 1, num_examples)
    distances = np.abs(np.arange(num_steps) - dip_centres[:, np.newaxis])
    series[distances <= HALF_WIDTH] *= np.float32(0.1)
    return series, dip_centres
