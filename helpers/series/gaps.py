"""Windows of a series with missing values: none crosses a gap.

A series is a float array of shape `(steps, channels)` with NaN for what is missing. A
step without any value is a missing step; a run of missing steps that is longer than
`longest_missing` is a gap, a shorter one is masked.
"""

from typing import NamedTuple

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


class Scale(NamedTuple):
    """Brings channels to mean 0 and deviation 1, both of a training part alone."""

    columns: tuple  # Strings, the channels that are scaled.
    left_out: tuple  # Strings, the channels without a change or a value.
    kept: np.ndarray  # (channels,) int64, places of `columns` among all.
    mean: np.ndarray  # (channels,) float64.
    deviation: np.ndarray  # (channels,) float64.

    def __call__(self, series):
        """Scales `(steps, all channels)` to `(steps, channels)`."""
        return (series[:, self.kept] - self.mean) / self.deviation

    def back(self, scaled):
        """Returns scaled values, `(..., channels)`, in the units of the columns."""
        return scaled * self.deviation + self.mean


def fit_scale(series, columns):
    """Takes the `Scale` from a training part, `(steps, all channels)`.

    A channel that is constant there, or has no value, cannot be scaled and is left out,
    also if it moves later: what is unusual in it needs no network. If no channel is
    left, a `ValueError` names them.
    """
    has_values = ~np.isnan(series).all(axis=0)
    known = np.where(has_values, series, 0)
    changes = np.nanmax(known, axis=0) > np.nanmin(known, axis=0)
    names = np.array(columns, object)
    if not changes.any():
        raise ValueError(
            "The training part should have a column that changes. Received: constant "
            f"or empty {', '.join(columns)}; take a longer training part."
        )
    known = series[:, changes]
    return Scale(
        tuple(names[changes]),
        tuple(names[~changes]),
        np.flatnonzero(changes),
        np.nanmean(known, axis=0),
        np.nanstd(known, axis=0),
    )


def first_change(values):
    """Returns the first step at which values, `(steps,)`, leave their first one.

    What is missing is no change; without any change the result is `None`.

    >>> first_change(np.array([np.nan, 3, 3, np.nan, 4]))
    4
    """
    known = np.flatnonzero(~np.isnan(values))
    moved = known[values[known] != values[known[:1]]]
    return int(moved[0]) if len(moved) else None


def check_length(series, num_steps, longest_missing=0, part="series", share=1.0):
    """Raises a `ValueError` if a part has less than two windows in a row.

    Args:
        series: Array of shape `(steps, channels)`, the part.
        num_steps: Integer of at least 2, the length of a window.
        longest_missing: Integer, see above.
        part: String, what the part is called.
        share: Float, the part's share of the file, to say how long that should be.
    """
    num_steps = check_integer("num_steps", num_steps, minimum=2)
    segments = number_segments(series, longest_missing)
    longest = np.bincount(segments[segments >= 0], minlength=1).max()
    needed = 2 * num_steps
    if longest < needed:
        raise ValueError(
            f"The {part} should have {needed} steps in a row without a gap, two "
            f"windows of {num_steps}. Received: {longest} of {len(series)} steps. Take "
            f"a shorter window, or a file of {int(np.ceil(needed / share))} steps or "
            "more."
        )


class Part(NamedTuple):
    """What a network is trained on, and what its detector is calibrated on."""

    x: np.ndarray  # (windows, window, 2 * channels) float32, scaled and marked.
    y: dict  # "reconstruction": x; "next_steps": (windows, horizon, 2 * channels).
    scale: Scale
    window: int
    longest_missing: int
    calibration: np.ndarray  # (steps, all channels), not scaled.


def prepare(
    series,
    columns,
    num_fit,
    num_usual,
    window,
    horizon,
    longest_missing=0,
    max_windows=4000,
):
    """Splits the usual part of a series in time, scales it, and cuts windows.

    Args:
        series: Array of shape `(steps, all channels)`; NaN where missing.
        columns: Strings, the names of the channels.
        num_fit: Integer, the first steps, for training.
        num_usual: Integer; the steps from `num_fit` to it are for the calibration.
        window, horizon: Integers, steps to read and to forecast.
        longest_missing: Integer, see above.
        max_windows: Integer; of more windows as many are taken evenly.

    Returns a `Part`. Too short a part is a `ValueError`.
    """
    parts = {"training": series[:num_fit], "calibration": series[num_fit:num_usual]}
    for name, part in parts.items():
        share = len(part) / len(series)
        length = window + horizon if name == "training" else window
        check_length(part, length, longest_missing, f"{name} part", share)
    scale = fit_scale(parts["training"], columns)
    segments = number_segments(parts["training"], longest_missing)
    starts = window_starts(segments, window + horizon)
    number = min(len(starts), max_windows)
    starts = starts[np.linspace(0, len(starts) - 1, number).astype(int)]
    cut = cut_marked(scale(parts["training"]), starts, window + horizon)
    x = np.ascontiguousarray(cut[:, :window])
    y = {"reconstruction": x, "next_steps": np.ascontiguousarray(cut[:, window:])}
    return Part(x, y, scale, window, longest_missing, parts["calibration"])
