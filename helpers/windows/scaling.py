"""Scaling of each sequence by itself, so that no other example leaks into it.

`series` has the shape `(examples, time, features)`; means and extremes are those of an
example over time and features. Results are float32 arrays of the same shape. Another
number of axes, NaN or infinity raise a `ValueError`.
"""

from helpers.checks import check_series

import numpy as np


def centre_scale(series):
    """Scales each sequence into `[0, 1]` with the mean 1/2; a constant becomes all 1/2.

    The map is `1/2 + (x - mean) / (2 max|x - mean|)`: the value furthest from the mean
    becomes 0 or 1. Scaling to `[0, 1]` before shifting the mean would push values out
    of it.

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

    `num_known`, an integer, takes both from the first steps alone, as a forecast must
    not know later ones, not even through the scale: later values may lie outside, and a
    sequence that is constant over the known steps raises a `ValueError`. With `None` a
    constant sequence becomes all 0.

    >>> min_max_scale([[[1.0], [2.0], [5.0]]], num_known=2).ravel().tolist()
    [0.0, 1.0, 4.0]
    """
    series = check_series("series", series).astype("float64")
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
