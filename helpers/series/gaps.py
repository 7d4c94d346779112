"""Windows of a series with missing values: none crosses a gap.

A series is a float array `(steps, channels)`, NaN where missing. A run of more than
`longest_missing` steps without any value is a gap; shorter ones are masked.
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
    borders = np.flatnonzero(np.diff(present) > longest_missing + 1) + 1
    segments = np.full(len(series), -1)
    for number, part in enumerate(np.split(present, borders)):
        if len(part):
            segments[part[0] : part[-1] + 1] = number
    return segments


def window_starts(segments, num_steps):
    """Returns the first steps of all windows inside a segment, sorted int64."""
    last = segments[num_steps - 1 :]
    first = segments[: len(last)]
    return np.flatnonzero((first >= 0) & (first == last))


def cut(series, starts, num_steps):
    """Cuts windows of a series: `(windows, num_steps, channels)`."""
    every = np.lib.stride_tricks.sliding_window_view(series, num_steps, axis=0)
    return every[starts].transpose(0, 2, 1)


def mark_missing(series):
    """Puts beside the values, 0 where missing, whether they are observed, 1 or 0.

    Returns a float32 array `(..., 2 * channels)`: input and target of a network.

    >>> mark_missing(np.array([[0.5, np.nan]])).tolist()
    [[0.5, 0.0, 1.0, 0.0]]
    """
    marks = ~np.isnan(series)
    return np.concatenate([np.where(marks, series, 0), marks], -1).astype("float32")


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
def masked_squared_error(marked, prediction):
    """Loss: the squared error of what is observed, a mean over the channels.

    `marked` is a tensor of `mark_missing`, `prediction` one of `(..., channels)`.
    """
    values, marks = ops.split(marked, 2, axis=-1)
    errors = marks * ops.square(values - prediction)
    return ops.sum(errors, axis=-1) / ops.maximum(ops.sum(marks, axis=-1), 1)


class Scale(NamedTuple):
    """Brings channels to mean 0 and deviation 1, both of a training part alone."""

    columns: tuple  # Strings, the channels that change in the training part.
    kept: np.ndarray  # (channels,) int64, their places among all.
    mean: np.ndarray  # (channels,) float64.
    deviation: np.ndarray  # (channels,) float64.

    def __call__(self, series):
        """Scales `(steps, all channels)` to `(steps, channels)`."""
        return (series[:, self.kept] - self.mean) / self.deviation

    def back(self, scaled):
        """Returns scaled values, `(..., channels)`, in the units of the columns."""
        return scaled * self.deviation + self.mean


def fit_scale(part, columns):
    """Takes the `Scale` from a training part, `(steps, all channels)`.

    Channels that are constant or empty there are left out; all is a `ValueError`.
    """
    kept = np.flatnonzero(np.fmin.reduce(part) < np.fmax.reduce(part))
    if not len(kept):
        raise ValueError(
            "The training part should have a column that changes. Received: constant "
            f"or empty {', '.join(columns)}; take a longer training part."
        )
    names, part = tuple(columns[place] for place in kept), part[:, kept]
    return Scale(names, kept, np.nanmean(part, axis=0), np.nanstd(part, axis=0))


class Part(NamedTuple):
    """What a network is trained on, and what its detector is calibrated on."""

    x: np.ndarray  # (windows, window, 2 * channels) float32, scaled and marked.
    y: dict  # "reconstruction": x; "next_steps": (windows, horizon, 2 * channels).
    scale: Scale
    calibration: np.ndarray  # (steps, all channels), not scaled.
    longest_missing: int
    notes: tuple  # Sentences: which columns are left out, and when they change.


def prepare(series, columns, ends, window, horizon, longest_missing=0, most=2000):
    """Splits the usual part of a series in time, scales it, and cuts windows.

    Args:
        series: Array `(steps, all channels)`, of which `columns` are the names.
        ends: Two integers, the ends of the training and of the calibration part.
        window, horizon: Positive integers, steps to read and to forecast.
        longest_missing: Integer, see above.
        most: Integer; of more windows as many are taken evenly.

    Returns a `Part`. Too short a part, or no column that changes, is a `ValueError`.
    """
    length = check_integer("window", window, minimum=2)
    length += check_integer("horizon", horizon, minimum=1)
    parts = {"training": series[: ends[0]], "calibration": series[slice(*ends)]}
    for name, part in parts.items():
        segments = number_segments(part, longest_missing)
        longest = np.bincount(segments + 1, minlength=2)[1:].max()
        if longest < 2 * length:
            rows = 2 * length * len(series) // max(len(part), 1) + 1
            raise ValueError(
                f"The {name} part should have {2 * length} steps without a gap. "
                f"Received: {longest}; shorten WINDOW, or take about {rows} steps."
            )
    train, calibration = parts.values()
    scale, notes = fit_scale(train, columns), []
    for place in set(range(len(columns))) - {*scale.kept}:
        known = np.flatnonzero(~np.isnan(series[:, place]))
        moved = known[series[known, place] != series[known[:1], place]]
        notes.append(
            f"Column {columns[place]!r} is left out, as it is constant in training; it "
            f"changes {f'at step {moved[0]}' if len(moved) else 'nowhere'}."
        )
    starts = window_starts(number_segments(train, longest_missing), length)
    chosen = np.linspace(0, len(starts) - 1, min(len(starts), most)).astype(int)
    windows = mark_missing(cut(scale(train), starts[chosen], length))
    x, after = (np.ascontiguousarray(each) for each in np.split(windows, [window], 1))
    y = {"reconstruction": x, "next_steps": after}
    return Part(x, y, scale, calibration, longest_missing, tuple(notes))
