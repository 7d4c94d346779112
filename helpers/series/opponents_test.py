"""Tests of the simple opponents."""

from helpers import series
from helpers.series import gaps, opponents

import numpy as np


def make_windows(num_windows=60, seed=0):
    """Windows of two waves, so that five numbers hold all, and their next steps."""
    angles = np.random.default_rng(seed).uniform(0, 6, (num_windows, 1))
    steps = angles + np.arange(14) * 0.4
    values = np.stack([np.sin(steps), np.cos(steps) + 1], axis=2)
    marked = gaps.mark_missing(values)
    return marked[:, :12], marked[:, 12:]


def test_linear_opponents_know_what_is_linear():
    known, new = make_windows(), make_windows(seed=1)
    fitted = opponents.linear_opponents(*known, code_size=3)
    values, after = new[0][..., :2], new[1][:, :1, :2]
    answers = {name: answer(new[0]) for name, answer in fitted.items()}
    np.testing.assert_allclose(answers["PCA"]["reconstruction"], values, atol=1e-5)
    predicted = answers["autoregression"]["next_steps"]
    np.testing.assert_allclose(predicted, after, atol=0.01)
    both = answers["both, linear"]
    assert set(both) == {"reconstruction", "next_steps"}
    np.testing.assert_array_equal(both["next_steps"], predicted)
    # Fewer numbers do not suffice.
    poor = opponents.linear_opponents(*known, code_size=1)["PCA"](new[0])
    assert np.abs(poor["reconstruction"] - values).max() > 0.3


def test_nearest_neighbour_answers_with_a_window_it_knows():
    known, after = make_windows()
    answer = opponents.linear_opponents(known, after, 2)["nearest neighbour"]
    np.testing.assert_array_equal(answer(known)["reconstruction"], known[..., :2])
    new, _ = make_windows(seed=1)
    found = answer(new[:1])["reconstruction"][0]
    distances = np.square(known[..., :2] - new[:1, ..., :2]).sum(axis=(1, 2))
    np.testing.assert_array_equal(found, known[distances.argmin(), ..., :2])


def test_opponents_answer_a_detector():
    values = np.sin(np.arange(400) * 0.4)[:, np.newaxis]
    values += np.random.default_rng(0).normal(scale=0.05, size=values.shape)
    scale = series.fit_scale(values[:200], ["a"])
    cut = series.cut_marked(scale(values), np.arange(0, 180), 14)
    for answer in opponents.linear_opponents(cut[:, :12], cut[:, 12:], 4).values():
        detector = series.Detector(answer, scale, 12).calibrate(values[200:300], 5)
        changed = values[300:].copy()
        changed[50:60] += 2
        scores = detector.scores(changed)
        assert 45 <= np.nanargmax(scores) < 65
        assert np.nanmax(scores) > detector.threshold


def test_what_is_stuck_is_noticed_after_some_steps():
    values = np.array([0, 0, 0, 0, 1, 2, 2, 2, 2, 3, np.nan, np.nan, 2, 2, 2])
    found = np.flatnonzero(opponents.is_unchanged(values, 2))
    assert found.tolist() == [7, 8, 14]
    assert np.flatnonzero(opponents.is_unchanged(values, 3)).tolist() == [8]
