"""Tests that a stream gives the scores of the whole series, each once and late enough.

The networks are random linear maps: what is tested does not depend on training.
"""

from helpers.series import gaps
from helpers.series.detector import Detector
from helpers.series.streaming import Stream

import numpy as np
import pytest


def make_network(num_steps, num_channels, seed, outputs):
    """A random linear map of windows and marks to the outputs."""
    rng = np.random.default_rng(seed)
    size = num_steps * num_channels
    maps = {
        "reconstruction": rng.normal(size=(2 * size, size)) / size**0.5,
        "next_steps": rng.normal(size=(2 * size, num_channels)) / size**0.5,
    }
    shapes = {
        "reconstruction": (num_steps, num_channels),
        "next_steps": (1, num_channels),
    }

    def network(windows):
        flat = windows.reshape(len(windows), -1)
        return {
            name: (flat @ maps[name]).reshape(-1, *shapes[name]) for name in outputs
        }

    return network


def random_series(seed):
    """A series with missing values, short runs of missing steps, and gaps."""
    rng = np.random.default_rng(seed)
    num_steps, num_channels = int(rng.integers(60, 260)), int(rng.integers(1, 4))
    series = rng.normal(size=(num_steps, num_channels)).cumsum(axis=0)
    series[rng.random(series.shape) < 0.05] = np.nan
    for _ in range(rng.integers(0, 8)):
        start = rng.integers(num_steps)
        series[start : start + rng.integers(1, 25)] = np.nan
    return series


def make_detector(seed, outputs=("reconstruction", "next_steps")):
    """A detector with random settings, and a series for it."""
    series = random_series(seed)
    rng = np.random.default_rng(seed + 1000)
    num_steps = int(rng.integers(2, 12))
    clean = rng.normal(size=(200, series.shape[1])).cumsum(axis=0)
    scale = gaps.fit_scale(clean, [f"c{channel}" for channel in range(series.shape[1])])
    network = make_network(num_steps, series.shape[1], seed, outputs)
    detector = Detector(
        *(network, scale, num_steps),
        smoothing=int(rng.integers(1, 12)),
        longest_missing=int(rng.integers(0, 6)),
    )
    return detector.calibrate(clean, 5), series


def feed(detector, series):
    """Returns the scores of a stream, and how late each came."""
    stream, scores, delays = Stream(detector), {}, {}
    for now, values in enumerate(series):
        for step, score in stream.push(values):
            assert step not in scores, "a score is given once"
            scores[step], delays[step] = score, now - step
    for step, score in stream.finish():
        assert step not in scores
        scores[step] = score
    assert list(scores) == list(range(len(series))), "in the order of time"
    assert max(delays.values(), default=0) <= stream.delay + detector.longest_missing
    return np.array(list(scores.values())), stream.delay, delays


@pytest.mark.parametrize("seed", range(40))
def test_stream_gives_the_scores_of_the_whole_series(seed):
    outputs = [("reconstruction", "next_steps"), ("reconstruction",), ("next_steps",)]
    detector, series = make_detector(seed, outputs[seed % 3 if seed > 20 else 0])
    scores, _, _ = feed(detector, series)
    np.testing.assert_allclose(scores, detector.score(series).points, rtol=1e-9)


def test_random_series_have_what_they_should_test():
    """Scores, points without one, gaps, and masked steps inside a segment."""
    known = gap_steps = masked = 0
    for seed in range(40):
        detector, series = make_detector(seed)
        scores = detector.score(series).points
        segments = gaps.number_segments(series, detector.longest_missing)
        known += np.count_nonzero(~np.isnan(scores))
        gap_steps += np.count_nonzero(segments < 0)
        masked += np.count_nonzero(np.isnan(series).all(axis=1) & (segments >= 0))
    assert known > 2000 and gap_steps > 100 and masked > 20


def test_score_is_as_late_as_stated_and_no_later_value_changes_it():
    detector, _ = make_detector(3)
    series = np.random.default_rng(0).normal(size=(100, len(detector.scale.columns)))
    scores, delay, delays = feed(detector, series)
    assert delay == detector.window - 1 + detector.smoothing // 2
    assert {delays[step] for step in range(60)} == {delay}
    changed = series.copy()
    changed[70:] += 100
    other, _, _ = feed(detector, changed)
    np.testing.assert_array_equal(scores[: 70 - delay], other[: 70 - delay])
    assert scores[70 - delay] != other[70 - delay], "the stated delay is needed"


def test_long_stream_keeps_little():
    detector, _ = make_detector(3)
    stream = Stream(detector)
    size = stream.rows.shape
    series = np.random.default_rng(0).normal(size=(500, len(detector.scale.columns)))
    scores, _, _ = feed(detector, series)
    np.testing.assert_allclose(scores, detector.score(series).points, rtol=1e-9)
    for values in series:
        stream.push(values)
    assert stream.rows.shape == size and size[0] < 100
