"""Windows of a series with missing values: none crosses a gap.

A series is a float array of shape `(steps, channels)` with NaN for what is missing. A
step without any value is a missing step; a run of missing steps that is longer than
`longest_missing` is a gap, a shorter one is masked.
"""

from helpers.checks import check_integer

import keras
import numpy as np
from keras import ops


def number_segments(series, longest_missing=0):
    """Numbers the stretches between gaps: an int64 array `(steps,)`, -1 in a gap.

    >>> missing = np.nan
    >>> number_segments(np.array([[1, missing, 2, missing, missing, 3]]).T, 1)
    array([ 0,  0,  0, -1, -1,  1])
    """
    present = np.flatnonzero(~np.isnan(series).all(axis=1))
    segments = np.full(len(series), -1)
    if len(present):
        jumps = np.diff(present, prepend=present[0]) > longest_missing + 1
        segments[present] = np.cumsum(jumps)
        # What lies between two steps of one segment is masked, and belongs to it.
        for before, after in zip(present[:-1], present[1:], strict=True):
            if after > before + 1 and segments[after] == segments[before]:
                segments[before:after] = segments[before]
    return segments


def window_starts(segments, num_steps):
    """Returns the first steps of all windows inside a segment, sorted int64."""
    last = len(segments) - num_steps + 1
    if last < 1:
        return np.zeros(0, "int64")
    inside = (segments[:last] >= 0) & (segments[:last] == segments[num_steps - 1 :])
    return np.flatnonzero(inside)


def mark_missing(series):
    """Puts beside the values, 0 where missing, whether they are observed, 1 or 0.

    Returns a float32 array of shape `(..., 2 * channels)`: input and target of a
    network.

    >>> mark_missing(np.array([[0.5, np.nan]])).tolist()
    [[0.5, 0.0, 1.0, 0.0]]
    """
    observed = ~np.isnan(series)
    values = np.where(observed, series, 0)
    return np.concatenate([values, observed], axis=-1).astype("float32")


def cut_marked(series, starts, num_steps):
    """Cuts windows as `mark_missing` returns them: `(windows, num_steps, channels)`."""
    marked = mark_missing(series)
    every = np.lib.stride_tricks.sliding_window_view(marked, num_steps, axis=0)
    return np.ascontiguousarray(every[starts].transpose(0, 2, 1))


def split_marked(marked):
    """Splits values and marks; values that are missing become NaN again."""
    values, observed = np.split(marked, 2, axis=-1)
    return np.where(observed > 0, values, np.nan)


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
def masked_squared_error(marked, prediction):
    """Loss: the squared error of what is observed, a mean over the channels.

    Args:
        marked: Tensor of shape `(..., 2 * channels)`, see `mark_missing`.
        prediction: Tensor of shape `(..., channels)`.
    """
    values, observed = ops.split(marked, 2, axis=-1)
    errors = observed * ops.square(values - prediction)
    return ops.sum(errors, axis=-1) / ops.maximum(ops.sum(observed, axis=-1), 1)


class Scale:
    """Brings channels to mean 0 and deviation 1, both of a training part alone.

    Args:
        series: Array of shape `(steps, channels)`, the training part.
        columns: Tuple of strings, the channels.

    A channel that is constant in the training part, or has no value there, cannot be
    scaled: it is left out, and named in `left_out`. No channel left is a `ValueError`.
    """

    def __init__(self, series, columns):
        columns = tuple(columns)
        has_values = ~np.isnan(series).all(axis=0)
        known = np.where(has_values, series, 0)
        changes = np.nanmax(known, axis=0) > np.nanmin(known, axis=0)
        self.columns = tuple(np.array(columns, object)[changes])
        self.left_out = tuple(np.array(columns, object)[~changes])
        if not self.columns:
            raise ValueError(
                "The training part should have a column that changes. Received: "
                f"constant or empty {', '.join(columns)}; take a longer training part."
            )
        self.kept = np.flatnonzero(changes)
        self.mean = np.nanmean(series[:, changes], axis=0)
        self.deviation = np.nanstd(series[:, changes], axis=0)

    def __call__(self, series):
        return (series[:, self.kept] - self.mean) / self.deviation

    def back(self, scaled):
        """Returns scaled values, `(..., channels)`, in the units of the columns."""
        return scaled * self.deviation + self.mean


def check_length(series, num_steps, num_windows=2):
    """Raises a `ValueError` if a series has too few steps in a row for its windows."""
    num_steps = check_integer("num_steps", num_steps, minimum=2)
    segments = number_segments(series)
    counts = np.bincount(segments[segments >= 0], minlength=1)
    needed = num_windows * num_steps
    if counts.max() < needed:
        raise ValueError(
            f"The series should have {needed} steps in a row without a gap, "
            f"{num_windows} windows of {num_steps}. Received: {counts.max()} of "
            f"{len(series)} steps; take a shorter window or a longer file."
        )
