"""Tests of windows before rare events."""

from helpers import windows
from helpers.windows import events

import numpy as np
import pytest


def test_events_know_their_day_onset_and_episode():
    strengths = np.array([0, 0, 0, 3, 0, 1, 0, 0, 0, 2])
    features = np.arange(10.0)[:, np.newaxis]
    cut = windows.cut_events(features, strengths, np.arange(3, 10), 2, 5, 3)
    assert cut.windows[0].ravel().tolist() == [1, 2]
    assert cut.strengths.tolist() == [3, 0, 1, 0, 0, 0, 2]
    assert cut.days.tolist() == [0, 0, 1, 1, 1, 1, 1]
    assert cut.onset.tolist() == [True, False, False, False, False, False, True]
    assert cut.episodes.tolist() == [1, 0, 1, 0, 0, 0, 2]
    joined = windows.join_events(part for part in (cut, cut.take(slice(0, 3))))
    assert joined.episodes.tolist() == [1, 0, 1, 0, 0, 0, 2, 3, 0, 3]
    assert joined.windows.shape == (10, 2, 1)
    with pytest.raises(ValueError, match="`features` and `strengths`.*: 9 and 10"):
        windows.cut_events(features[1:], strengths, np.array([3]), 2, 5, 3)


def test_episodes_are_apart_by_the_quiet_steps():
    numbers = events.number_episodes(np.array([3, 0, 0, 2, 0, 0, 0, 1]), 3)
    assert numbers.tolist() == [1, 0, 0, 1, 0, 0, 0, 2]


def test_first_steps_are_not_known_to_be_quiet():
    assert events.quiet_steps(np.array([1, 0]), 5).tolist() == [False, False]
    assert events.quiet_steps(np.zeros(3, int), 2).tolist() == [False, False, True]
