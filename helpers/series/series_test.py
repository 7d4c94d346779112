"""Tests of windows without gaps, scores per point, thresholds and episodes."""

from helpers.series import alarms, detector, gaps

import numpy as np
import pytest

NAN = np.nan


def column(*values):
    return np.array(values, "float64")[:, np.newaxis]


def test_a_long_run_of_missing_steps_is_a_gap():
    series = column(NAN, 1, NAN, 2, NAN, NAN, 3, 4, NAN)
    assert gaps.number_segments(series).tolist() == [-1, 0, -1, 1, -1, -1, 2, 2, -1]
    assert gaps.number_segments(series, 1).tolist() == [-1, 0, 0, 0, -1, -1, 1, 1, -1]
    assert gaps.number_segments(series, 2).tolist() == [-1, *[0] * 7, -1]
    both = np.concatenate([series, column(*[5] * 9)], axis=1)
    assert gaps.number_segments(both).tolist() == [0] * 9
    assert gaps.number_segments(column(NAN, NAN)).tolist() == [-1, -1]


def test_no_window_crosses_a_gap():
    segments = np.array([0, 0, 0, -1, 1, 1, 2, 2, 2, 2])
    assert gaps.window_starts(segments, 3).tolist() == [0, 6, 7]
    assert gaps.window_starts(segments, 11).tolist() == []
    rng = np.random.default_rng(0)
    for seed in range(20):
        series = rng.normal(size=(80, 1))
        series[rng.random(80) < 0.2] = NAN
        starts = gaps.window_starts(gaps.number_segments(series, seed % 3), 6)
        for start in starts:
            lost = np.isnan(series[start : start + 6, 0]).astype(int)
            longest = max(map(len, "".join(map(str, lost)).split("0")))
            assert longest <= seed % 3


def test_windows_carry_marks():
    series = np.array([[1, NAN], [2, 5], [NAN, 6], [4, 7]])
    windows = gaps.mark_missing(gaps.cut(series, np.array([0, 2]), 2))
    assert windows.dtype == "float32" and windows.shape == (2, 2, 4)
    assert windows[0].tolist() == [[1, 0, 1, 0], [2, 5, 1, 1]]
    assert windows[1].tolist() == [[0, 6, 0, 1], [4, 7, 1, 1]]


def test_masked_loss_counts_what_is_observed():
    target = gaps.mark_missing(np.array([[[1, NAN], [NAN, NAN], [3, 4]]]))
    guess = np.array([[[0, 9], [9, 9], [3, 2]]], "float32")
    errors = np.asarray(gaps.masked_squared_error(target, guess))
    assert errors.tolist() == [[1, 0, 2]]


def test_scale_is_that_of_the_training_part():
    rng = np.random.default_rng(0)
    series = rng.normal(5, 3, size=(100, 3))
    series[:, 1] = 7
    series[3, 0] = NAN
    scale = gaps.fit_scale(series[:60], ["a", "b", "c"])
    assert scale.columns == ("a", "c") and scale.kept.tolist() == [0, 2]
    scaled = scale(series)
    np.testing.assert_allclose(np.nanmean(scaled[:60], axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(scaled[:60], axis=0), 1)
    np.testing.assert_allclose(scale.back(scaled), series[:, [0, 2]])
    with pytest.raises(ValueError, match="column that changes. Received: .*a, b"):
        gaps.fit_scale(np.full((5, 2), NAN), ["a", "b"])


def test_parts_are_apart_in_time():
    """Nothing later than the training part is in the windows, or in the scale."""
    series = np.arange(100.0)[:, np.newaxis]
    series[20] = NAN
    part = gaps.prepare(series, ["a"], (60, 90), window=5, horizon=2, most=10**9)
    values, after = (each[..., :1] for each in (part.x, part.y["next_steps"]))
    np.testing.assert_allclose(part.scale.back(values[0])[:, 0], range(5), atol=1e-5)
    np.testing.assert_allclose(part.scale.back(after[-1])[:, 0], [58, 59], atol=1e-5)
    assert len(part.x) == 14 + 33 and part.notes == ()
    assert part.calibration[:, 0].tolist() == list(range(60, 90))
    few = gaps.prepare(series, ["a"], (60, 90), 5, 2, most=7).x
    assert len(few) == 7 and (few[-1] == part.x[-1]).all()


def test_too_short_a_part_is_refused_with_the_length_that_is_needed():
    series = np.arange(100.0)[:, np.newaxis]
    gaps.prepare(series, ["a"], (50, 100), 20, 5)
    with pytest.raises(ValueError, match="training part should have 52 .*: 50; .*105"):
        gaps.prepare(series, ["a"], (50, 100), 20, 6)
    series[70] = NAN
    with pytest.raises(ValueError, match="calibration part should have 50 .*: 29"):
        gaps.prepare(series, ["a"], (50, 100), 20, 5)
    gaps.prepare(series, ["a"], (50, 100), 20, 5, longest_missing=1)
    with pytest.raises(ValueError, match="`window` should be an integer"):
        gaps.prepare(series, ["a"], (50, 100), 1, 5)


def test_columns_without_a_change_are_named_and_left_out():
    series = np.random.default_rng(0).normal(size=(100, 4))
    series[:, 1:3], series[:, 3] = 7, NAN
    series[80:, 2] = 9
    part = gaps.prepare(series, "abcd", (50, 75), 5, 2)
    assert part.scale.columns == ("a",) and part.x.shape[2] == 2
    assert ["'b'" in part.notes[0], "nowhere" in part.notes[0]] == [True, True]
    assert "'c' is left out" in part.notes[1] and "at step 80" in part.notes[1]
    assert "'d' is left out" in part.notes[2] and len(part.notes) == 3


def test_smoothing_stays_in_a_segment():
    values = column(1, 2, NAN, 3, 100, 50, 70)
    segments = np.array([0, 0, 0, 0, -1, 1, 1])
    smoothed = detector.smooth(values, segments, 3)[:, 0]
    np.testing.assert_array_equal(smoothed, [1.5, 1.5, NAN, 3, NAN, 60, 60])
    np.testing.assert_array_equal(
        detector.smooth(values, segments, 1)[:, 0], [1, 2, NAN, 3, NAN, 50, 70]
    )
    wide = detector.smooth(values, segments, 40)[:, 0]
    np.testing.assert_array_equal(wide, [2, 2, NAN, 2, NAN, 60, 60])


def test_threshold_gives_the_stated_rate_on_exchangeable_blocks():
    """Independent scores of a heavy tail: alarms per 1,000 steps near the stated."""
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(200):
        scores = rng.pareto(3, size=6000) + 1
        threshold, is_tail = alarms.rate_threshold(scores[:3000], 20, 2)
        assert not is_tail
        rates.append((alarms.block_maxima(scores[3000:], 20) > threshold).sum() / 3)
    # The standard deviation of the mean is 0.05.
    assert 1.8 < np.mean(rates) < 2.2


def test_threshold_is_a_place_among_the_blocks():
    """Of nine blocks, one in ten new ones is above the largest."""
    scores = np.repeat(np.arange(1.0, 10), 10)
    for rate, expected in {10: 9, 20: 8, 15: 72**0.5, 90: 1, 99: 1}.items():
        found, is_tail = alarms.rate_threshold(scores, 10, rate)
        assert not is_tail and found == pytest.approx(expected)
    assert alarms.rate_threshold(scores, 10, 9)[1]


def test_threshold_of_a_short_part_follows_the_tail():
    rng = np.random.default_rng(1)
    rates = []
    for _ in range(300):
        scores = rng.pareto(3, size=3300) + 1
        threshold, is_tail = alarms.rate_threshold(scores[:300], 20, 1)
        assert is_tail and threshold > scores[:300].max()
        rates.append((alarms.block_maxima(scores[300:], 20) > threshold).sum() / 3)
    assert 0.5 < np.mean(rates) < 2


@pytest.mark.parametrize("rate", [0, -1, 50, 51, NAN, True, "1"])
def test_impossible_rates_are_refused(rate):
    with pytest.raises(ValueError, match="`false_alarms` should be above 0 and below"):
        alarms.rate_threshold(np.arange(100.0), 20, rate)


def test_alarms_near_each_other_are_one_episode():
    scores = np.array([0, 5, NAN, 7, 0, 0, 0, 6, 0])
    found = alarms.find_episodes(scores, 4, 3)
    assert found == [(1, 4, 3), (7, 8, 7)]
    assert found[0].peak == 3
    assert alarms.find_episodes(scores, 4, 4) == [(1, 8, 3)]
    assert alarms.find_episodes(scores, 7, 4) == []
    labels = np.array([0, 0, 0, 0, 1, 1, 0, 0, 0])
    for tolerance, expected in {0: (0, 250), 1: (1, 125), 2: (1, 0)}.items():
        result = alarms.judge_scores(scores, 4, labels, 3, tolerance)
        assert (result["found"], result["false"]) == expected
    none = alarms.judge_scores(scores, 9, labels, 3, 2)
    assert (none["found"], none["false"]) == (0, 0)


def test_scores_are_judged_where_there_are_any():
    scores = np.array([NAN, 9, 1, 1, 1, 8, 1, 1, 1, 7])
    labels = np.array([1, 0, 0, 0, 0, 1, 0, 0, 0, 1])
    result = alarms.judge_scores(scores, 7.5, labels, merge=2, tolerance=0)
    # Ranks 2 and 3 of nine points: (1/2 + 2/3) / 2. Of three stretches one is found.
    assert result["precision"] == pytest.approx(7 / 12)
    assert result["found"] == pytest.approx(1 / 3)
    assert result["false"] == pytest.approx(1000 / 9)
