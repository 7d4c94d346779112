"""Errors per point from windows that overlap, and scores of several outputs."""

import numpy as np


def add_windows(errors, starts, totals, counts):
    """Adds the errors of windows to the sums and counts of the points that they hold.

    Args:
        errors: Array of shape `(windows, num_steps, channels)`, NaN where missing.
        starts: Integer array `(windows,)`, the point of each window's first step.
        totals, counts: Arrays of shape `(points, channels)`, which are changed.
    """
    observed = ~np.isnan(errors)
    errors = np.where(observed, errors, 0)
    for step in range(errors.shape[1]):
        # Each point gets at most one window here.
        totals[starts + step] += errors[:, step]
        counts[starts + step] += observed[:, step]


def smooth(values, segments, width):
    """Averages each point with its neighbours in its segment, `width` in all.

    The neighbours are `width // 2` points before and after; missing ones are left out.
    A point without a value of its own stays without one.
    """
    smoothed = np.full(values.shape, np.nan)
    for number in range(segments.max() + 1):
        points = np.flatnonzero(segments == number)
        part = values[points[0] : points[-1] + 1]
        observed = ~np.isnan(part)
        totals, counts = np.zeros(part.shape), np.zeros(part.shape)
        filled = np.where(observed, part, 0)
        reach = min(width // 2, len(part) - 1)
        for shift in range(-reach, reach + 1):
            here = slice(max(0, -shift), len(part) - max(0, shift))
            there = slice(max(0, shift), len(part) + min(0, shift))
            totals[here] += filled[there]
            counts[here] += observed[there]
        mean = divide(totals, counts)
        smoothed[points[0] : points[-1] + 1] = np.where(observed, mean, np.nan)
    return smoothed


def combine(errors):
    """Returns the geometric mean of errors that are there, NaN where none is.

    Args:
        errors: List of arrays of one shape, each relative to its usual level, so that
            a product of them means the same in each channel.
    """
    errors = np.stack(errors)
    there = ~np.isnan(errors)
    logs = np.log(np.maximum(np.where(there, errors, 1), 1e-12))
    return np.exp(divide(logs.sum(axis=0), there.sum(axis=0).astype("float64")))


def largest_channel(values):
    """Returns the largest over the channels that are there, `(steps,)`, NaN for none.

    A mean would hide what is unusual in one of many channels.
    """
    return np.fmax.reduce(values, axis=1)


def divide(totals, counts):
    """Divides where there is something to divide by, NaN elsewhere."""
    result = np.full(totals.shape, np.nan)
    return np.divide(totals, counts, out=result, where=counts > 0)
