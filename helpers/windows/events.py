"""Windows of a series of rare events, and what happens in the step after each."""

from typing import NamedTuple

from helpers.checks import check_same
from helpers.windows.cutting import cut_windows

import numpy as np


class Events(NamedTuple):
    """Windows `(examples, time, features)`, and of the next step `(examples,)` each."""

    windows: np.ndarray  # float32, scaled.
    strengths: np.ndarray  # int64, 0 for no event.
    days: np.ndarray  # int64, what hangs together and a bootstrap draws as a whole.
    onset: np.ndarray  # Boolean, whether the steps before were quiet.
    episodes: np.ndarray  # int64, the number of its episode, 0 for no event.

    def take(self, rows):
        """Returns the examples at `rows`, an index array, a mask or a slice."""
        return Events(*(values[rows] for values in self))


def cut_events(features, strengths, ends, num_steps, day_steps, num_quiet):
    """Cuts the windows of one series and says what happens after each, as `Events`.

    Args:
        features: Array of shape `(time, features)`, scaled.
        strengths: Integer array of shape `(time,)`.
        ends: Integer array of shape `(examples,)`, the steps to predict; the window of
            each is the `num_steps` steps before it, which have to be there.
        day_steps: Integer, steps of a day.
        num_quiet: Integer, steps without an event before an onset or a new episode.
    """
    check_same(("features", "strengths"), (len(features), len(strengths)))
    return Events(
        cut_windows(features, num_steps, ends),
        strengths[ends],
        ends // day_steps,
        quiet_steps(strengths, num_quiet)[ends],
        number_episodes(strengths, num_quiet)[ends],
    )


def join_events(parts):
    """Joins the `Events` of several series; their episodes get numbers of their own."""
    parts, offset, episodes = list(parts), 0, []
    for part in parts:
        episodes.append(np.where(part.episodes > 0, part.episodes + offset, 0))
        offset += int(part.episodes.max())
    joined = [np.concatenate(values) for values in zip(*parts, strict=True)]
    return Events(*joined[:-1], np.concatenate(episodes))


def quiet_steps(strengths, num_steps):
    """Tells which steps come after some steps that are known to be without an event.

    >>> quiet_steps(np.array([0, 0, 3, 2, 0, 0, 1]), 2).tolist()
    [False, False, True, False, False, False, True]
    """
    events = np.concatenate([[0], np.cumsum(strengths > 0)])
    before = events[num_steps:-1] - events[: -num_steps - 1]
    return np.concatenate([np.zeros(min(num_steps, len(strengths)), bool), before == 0])


def number_episodes(strengths, num_quiet):
    """Numbers episodes, which some quiet steps separate; 0 is a step without an event.

    >>> number_episodes(np.array([0, 3, 0, 2, 0, 0, 1]), 2).tolist()
    [0, 1, 0, 1, 0, 0, 2]
    """
    places = np.flatnonzero(strengths)
    starts = np.diff(places, prepend=-num_quiet - 1) > num_quiet
    numbers = np.zeros(len(strengths), "int64")
    numbers[places] = np.cumsum(starts)
    return numbers
