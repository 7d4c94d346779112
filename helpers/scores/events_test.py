"""Tests of the scores of rare events."""

from helpers import scores
from helpers.windows import Events

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics


@pytest.fixture
def forecast():
    rng = np.random.default_rng(0)
    probabilities = rng.beta(0.3, 3, size=4000)
    return rng.random(4000) < probabilities, probabilities


def test_scores_equal_scikit_learns(forecast):
    events, probabilities = forecast
    brier = scores.brier_scores(events, probabilities).mean()
    assert brier == pytest.approx(metrics.brier_score_loss(events, probabilities))
    loss = scores.log_scores(events, probabilities).mean()
    clipped = probabilities.clip(1e-7, 1 - 1e-7)
    assert loss == pytest.approx(metrics.log_loss(events, clipped), rel=1e-6)
    assert scores.entropy(0.2) == pytest.approx(stats.bernoulli(0.2).entropy())
    assert scores.entropy(np.array([0.0, 1.0])) == pytest.approx(0, abs=1e-5)


def test_scores_of_counts_by_hand():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]])
    ranked = scores.ranked_probability_scores([1, 2], probabilities)
    assert ranked == pytest.approx([0.5**2 + 0.2**2, 0])
    logs = scores.count_log_scores([1, 2], probabilities)
    assert logs == pytest.approx([-np.log(0.3), 0])


def test_reliability_bins_add_up(forecast):
    events, probabilities = forecast
    bins = scores.reliability(events, probabilities)
    assert bins["count"].sum() == len(events)
    assert bins["events"].sum() == events.sum()
    assert bins["forecast"].sum() == pytest.approx(probabilities.sum())
    assert scores.reliability([True], [1.0])["events"].tolist() == [0] * 9 + [1]


def test_recall_of_hours_episodes_and_onsets():
    strengths = np.array([0, 3, 2, 0, 0, 1, 0, 0])
    onset = np.array([0, 1, 0, 0, 0, 1, 0, 0], bool)
    episodes = np.array([0, 1, 1, 0, 0, 2, 0, 0])
    examples = Events(np.empty((8, 1, 1)), strengths, strengths * 0, onset, episodes)
    ranks = np.array([0.1, 0.2, 0.9, 0.5, 0.1, 0.3, 0.2, 0.1])
    # One of five quiet hours may have a false alarm: the threshold is below .5.
    found = scores.recalls(examples, ranks, 0.2)
    assert found == {"hours": 2 / 3, "episodes": 1.0, "onsets": 0.5}
    strict = scores.recalls(examples, ranks, 0.0)
    assert strict == {"hours": 1 / 3, "episodes": 0.5, "onsets": 0.0}
    # Other examples, of which the rank of .3 is the only event, put it there.
    known = np.array([False, False, True]), np.array([0.1, 0.2, 0.3])
    assert scores.recalls(examples, ranks, 0.0, known) == found
    quiet = examples._replace(onset=np.zeros(8, bool))
    assert np.isnan(scores.recalls(quiet, ranks, 0.2)["onsets"])


def test_value_of_forecasts(forecast):
    events, ratios = np.array([True, False, False, False]), np.array([0.1, 0.5])
    perfect = scores.costs(events, events.astype(float), ratios)
    assert perfect == pytest.approx([1, 1])
    assert scores.costs(events, np.full(4, 0.25), ratios) == pytest.approx([0, 0])
    assert (scores.costs(events, 1.0 - events, ratios) < 0).all()
    # The threshold C / L is the best one for true probabilities.
    ratios = np.array([0.2, 0.4])
    best = scores.costs(*forecast, ratios)
    for shift in (-0.15, 0.15):
        assert (scores.costs(*forecast, ratios, ratios + shift) < best).all()


def test_recalibration_gives_probabilities_again(forecast):
    events, probabilities = forecast
    distorted = probabilities**0.3
    repaired = scores.recalibrate(events, distorted, distorted)
    brier = scores.brier_scores  # Of monotone maps the isotonic one has the least.
    assert brier(events, repaired).mean() <= brier(events, probabilities).mean()
    other = np.random.default_rng(5).random(4000)
    replaced = scores.recalibrate(events, distorted, other)
    assert (np.diff(replaced[np.argsort(other)]) >= 0).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: scores.brier_scores([1, 0], [0.5, 0.5]), "booleans"),
        (lambda: scores.brier_scores([True], [1.5]), r"\[0, 1\].*1.5"),
        (lambda: scores.log_scores([True], [0.5, 0.5]), "length of events"),
        (lambda: scores.count_log_scores([3], [[0.5, 0.5]]), "range 0 to 1"),
        (lambda: scores.ranked_probability_scores([0], [[0.5, 0.505]]), "sum 1"),
        (lambda: scores.alarm_threshold([True], [1.0], 0.1), "1 of 1 true"),
        (lambda: scores.alarm_threshold([True, False], [1, 0], -0.1), "Received: -0.1"),
        (lambda: scores.costs([True, False], [0.5, 0.1], [1.0]), "`ratios`"),
        (lambda: scores.costs([False], [0.5], [0.5]), "0 of 1 true"),
    ],
)
def test_faulty_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
