"""Windows of series, and targets.

What does not fit, or holds NaN or infinity, raises a `ValueError`.
"""

from helpers.checks import check_labels, check_numbers

import numpy as np


def random_windows(series, num_windows, num_steps, seed=0):
    """Cuts windows at random places of random series, drawn with replacement.

    Args:
        series: Array of shape `(examples, time)`: a row per stock.
        num_steps: Integer, length of a window, at most the series'.
        seed: Non-negative integer; equal seeds give equal windows.

    Returns a tuple `(windows, rows)`: a float64 array of shape `(num_windows,
    num_steps, 1)` and an int64 array `(num_windows,)`, the series that each is cut
    from.

    >>> cut, rows = random_windows([[1, 2, 3], [4, 5, 6]], 2, 2, seed=1)
    >>> cut[:, :, 0].tolist(), rows.tolist()
    ([[2.0, 3.0], [5.0, 6.0]], [0, 1])
    """
    series = check_numbers("series", series, ("examples", "time")).astype("float64")
    num_starts = series.shape[1] - num_steps + 1
    if num_starts < 1:
        raise ValueError(
            f"`num_steps` should be at most {series.shape[1]}, the time of the series. "
            f"Received: {num_steps}."
        )
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(series), size=num_windows)
    starts = rng.integers(num_starts, size=num_windows)
    steps = starts[:, np.newaxis] + np.arange(num_steps)
    return series[rows[:, np.newaxis], steps][:, :, np.newaxis], rows


def cut_windows(series, num_steps, ends):
    """Cuts the window of `num_steps` steps before each of some steps of a series.

    The series has the shape `(time, features)`; the `ends`, `(examples,)`, are not in
    their windows. Returns a float32 array of shape `(examples, num_steps, features)`.

    >>> cut_windows([[1], [2], [3], [4]], 2, [2, 4])[:, :, 0].tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    series = check_numbers("series", series, ("time", "features")).astype("float32")
    ends = np.asarray(ends)
    if ends.min() < num_steps or ends.max() > len(series):
        raise ValueError(
            f"`ends` should be from {num_steps} to {len(series)}. "
            f"Received: {ends.min()} to {ends.max()}."
        )
    every = np.lib.stride_tricks.sliding_window_view(series, num_steps, axis=0)
    return np.ascontiguousarray(every[ends - num_steps].transpose(0, 2, 1))


def one_hot(labels, num_classes):
    """Turns class numbers, `(examples,)`, into float32 `(examples, num_classes)`.

    >>> one_hot([2, 0], num_classes=3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    labels = check_labels("labels", labels, num_classes)
    return np.eye(num_classes, dtype="float32")[labels]
