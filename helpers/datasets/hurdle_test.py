"""Tests of the synthetic process of rare events."""

from helpers.datasets.hurdle import YEAR, HurdleProcess, sample_process

import numpy as np
import pytest


@pytest.fixture(scope="module")
def sample():
    return sample_process(HurdleProcess(), 30_000, seed=0)


def test_oracle_is_calibrated(sample):
    """Of steps with a forecast of about p, about p have an event; strengths too."""
    forecast = 1 - sample.probabilities[:, 0]
    events = sample.strengths > 0
    assert np.allclose(sample.probabilities.sum(axis=1), 1)
    for low, high in [(0, 0.02), (0.02, 0.1), (0.1, 0.4), (0.4, 1)]:
        chosen = (forecast >= low) & (forecast < high)
        error = np.sqrt((forecast * (1 - forecast))[chosen].sum()) / chosen.sum()
        assert abs(events[chosen].mean() - forecast[chosen].mean()) < 4 * error
    expected = sample.probabilities @ np.arange(11)
    assert sample.strengths.mean() == pytest.approx(expected.mean(), rel=0.1)
    ranks = [2, 4, 7]
    predicted = sample.probabilities[:, ranks].sum(axis=0)
    seen = [(sample.strengths == rank).sum() for rank in ranks]
    assert np.all(np.abs(seen - predicted) < 4 * np.sqrt(predicted))


def test_oracle_beats_what_knows_less(sample):
    events = sample.strengths > 0
    forecast = 1 - sample.probabilities[:, 0]

    def cross_entropy(forecast):
        return -np.log(np.where(events, forecast, 1 - forecast)).mean()

    best = cross_entropy(forecast)
    assert best < 0.75 * cross_entropy(events.mean())
    # Shrunk to the base rate, sharpened, shifted in time: all worse.
    logits = np.log(forecast / (1 - forecast))
    for other in (0.7 * logits - 0.8, 1.3 * logits, np.roll(logits, 1)):
        assert cross_entropy(1 / (1 + np.exp(-other))) > best


def test_window_holds_all_that_the_forecast_needs(sample):
    """The probability is computed again from the window alone."""
    process = HurdleProcess()
    for end in range(1000, 3000):
        window = sample.features[end - 40 : end]
        strengths, precursor = np.expm1(window[:, 0]), window[:, 1]
        decay = process.memory ** np.arange(39, -1, -1)
        excited = (decay * np.log1p(strengths)).sum()
        armed = not (strengths[-process.quiet :] > 0.5).any()
        triggered = armed and (precursor[-11:-8] > process.threshold).any()
        season = np.sin(2 * np.pi * end / YEAR)
        logit = process.base + process.season * season
        logit += process.excitement * excited + process.trigger * triggered
        expected = 1 / (1 + np.exp(-logit))
        assert 1 - sample.probabilities[end, 0] == pytest.approx(expected, rel=2e-3)


def test_process_follows_its_seed_and_its_parameters():
    first, again, other = (
        sample_process(HurdleProcess(), 500, seed) for seed in (1, 1, 2)
    )
    assert (first.features == again.features).all()
    assert (first.features != other.features).any()
    # Without excitement and trigger only the season is left.
    null = sample_process(HurdleProcess(excitement=0, trigger=0), 730, 0)
    event = 1 - null.probabilities[:, 0]
    assert event[:365] == pytest.approx(event[365:])
