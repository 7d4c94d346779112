import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from helpers import event_scores
from helpers.rare_events import Events


@pytest.fixture
def forecast():
    """True probabilities and what came of them."""
    rng = np.random.default_rng(0)
    probabilities = rng.beta(0.3, 3, size=4000)
    return rng.random(4000) < probabilities, probabilities


def test_scores_equal_scikit_learns(forecast):
    events, probabilities = forecast
    brier = event_scores.brier_scores(events, probabilities).mean()
    assert brier == pytest.approx(metrics.brier_score_loss(events, probabilities))
    loss = event_scores.log_scores(events, probabilities).mean()
    clipped = probabilities.clip(1e-7, 1 - 1e-7)
    assert loss == pytest.approx(metrics.log_loss(events, clipped), rel=1e-6)
    assert event_scores.entropy(0.2) == pytest.approx(stats.bernoulli(0.2).entropy())
    assert event_scores.entropy(np.array([0.0, 1.0])) == pytest.approx(0, abs=1e-5)


def test_scores_of_counts_by_hand():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]])
    counts = np.array([1, 2])
    ranked = event_scores.ranked_probability_scores(counts, probabilities)
    assert ranked == pytest.approx([0.5**2 + 0.2**2, 0])
    logs = event_scores.count_log_scores(counts, probabilities)
    assert logs == pytest.approx([-np.log(0.3), 0])
    # Of two counts the ranked probability score is the Brier score.
    rng = np.random.default_rng(0)
    event = rng.random(50)
    happened = rng.random(50) < 0.5
    assert event_scores.ranked_probability_scores(
        happened.astype(int), np.column_stack([1 - event, event])
    ) == pytest.approx(event_scores.brier_scores(happened, event))


def test_true_probabilities_score_best(forecast):
    events, probabilities = forecast
    for score in (event_scores.brier_scores, event_scores.log_scores):
        best = score(events, probabilities).mean()
        for other in (probabilities**0.5, probabilities**2, 0.5 * probabilities):
            assert score(events, other).mean() > best


def test_interval_is_paired_and_by_unit():
    rng = np.random.default_rng(0)
    baseline = rng.gamma(0.3, size=100)
    first = baseline * 0.6 + rng.normal(scale=0.01, size=(5, 100))
    second = baseline * 0.65 + rng.normal(scale=0.01, size=(5, 100))
    difference, low, high = event_scores.paired_interval(first, second, baseline, 0)
    assert low < difference < high
    assert difference == pytest.approx(0.05, abs=0.01)
    # What is common to both cancels: far narrower than either skill's own interval.
    assert high - low < 0.03
    again = event_scores.paired_interval(second, first, baseline, 0)
    assert again[0] == pytest.approx(-difference)
    same = event_scores.paired_interval(first[:1], first[:1], baseline, 0)
    assert same == pytest.approx((0, 0, 0), abs=1e-12)
    assert event_scores.sum_by_unit([1.0, 2.0, 4.0], [7, 3, 7]).tolist() == [2, 5]


def test_interval_covers_the_true_difference():
    """Of 100 intervals of 95 %, about 95 hold the true difference."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(100):
        baseline = rng.gamma(2.0, size=60)
        first = (baseline * rng.normal(0.5, 0.1, size=60))[np.newaxis]
        second = (baseline * rng.normal(0.6, 0.1, size=60))[np.newaxis]
        _, low, high = event_scores.paired_interval(first, second, baseline, 0, 400)
        hits += low <= 0.1 <= high
    assert 86 <= hits <= 100


def test_reliability_bins_add_up(forecast):
    events, probabilities = forecast
    bins = event_scores.reliability(events, probabilities)
    assert bins["count"].sum() == len(events)
    assert bins["events"].sum() == events.sum()
    assert bins["forecast"].sum() == pytest.approx(probabilities.sum())
    edge = event_scores.reliability(np.array([True]), np.array([1.0]))
    assert edge["events"].tolist() == [0] * 9 + [1]


def make_events(strengths, onset, episodes):
    strengths = np.array(strengths)
    empty = np.zeros((len(strengths), 1, 1))
    return Events(empty, strengths, strengths * 0, np.array(onset), np.array(episodes))


def test_recall_of_hours_episodes_and_onsets():
    examples = make_events(
        [0, 3, 2, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 1, 0, 0], [0, 1, 1, 0, 0, 2, 0, 0]
    )
    examples = examples._replace(onset=examples.onset.astype(bool))
    ranks = np.array([0.1, 0.2, 0.9, 0.5, 0.1, 0.3, 0.2, 0.1])
    # One of five quiet hours may have a false alarm: the threshold is below .5.
    found = event_scores.recalls(examples, ranks, 0.2)
    assert found == {"hours": 2 / 3, "episodes": 1.0, "onsets": 0.5}
    strict = event_scores.recalls(examples, ranks, 0.0)
    assert strict == {"hours": 1 / 3, "episodes": 0.5, "onsets": 0.0}
    # Other examples, of which the rank of .3 is the only event, put it there.
    known = np.array([False, False, True]), np.array([0.1, 0.2, 0.3])
    found = event_scores.recalls(examples, ranks, 0.0, known)
    assert found == {"hours": 2 / 3, "episodes": 1.0, "onsets": 0.5}
    quiet = examples._replace(onset=np.zeros(8, bool))
    assert np.isnan(event_scores.recalls(quiet, ranks, 0.2)["onsets"])


def test_value_of_forecasts():
    events = np.array([True, False, False, False])
    ratios = np.array([0.1, 0.5])
    perfect = event_scores.costs(events, events.astype(float), ratios)
    assert perfect == pytest.approx([1, 1])
    climate = event_scores.costs(events, np.full(4, 0.25), ratios)
    assert climate == pytest.approx([0, 0])
    wrong = event_scores.costs(events, 1.0 - events, ratios)
    assert (wrong < 0).all()
    # The threshold C / L is the best one for true probabilities.
    rng = np.random.default_rng(0)
    probabilities = rng.beta(0.5, 2, size=20_000)
    happened = rng.random(20_000) < probabilities
    ratios = np.array([0.2, 0.4])
    best = event_scores.costs(happened, probabilities, ratios)
    for shift in (-0.15, 0.15):
        other = event_scores.costs(happened, probabilities, ratios, ratios + shift)
        assert (other < best).all()


def test_recalibration_restores_probabilities(forecast):
    events, probabilities = forecast
    distorted = probabilities**0.3
    other = np.random.default_rng(5).random(4000)
    repaired = event_scores.recalibrate(events, distorted, distorted)
    brier = event_scores.brier_scores
    assert brier(events, repaired).mean() < 0.6 * brier(events, distorted).mean()
    order = np.argsort(other)
    replaced = event_scores.recalibrate(events, distorted, other)
    assert (np.diff(replaced[order]) >= 0).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: event_scores.brier_scores([1, 0], [0.5, 0.5]), "booleans"),
        (lambda: event_scores.brier_scores([True], [1.5]), r"\[0, 1\].*1.5"),
        (lambda: event_scores.log_scores([True], [0.5, 0.5]), "length of events"),
        (lambda: event_scores.count_log_scores([3], [[0.5, 0.5]]), "range 0 to 1"),
        (lambda: event_scores.ranked_probability_scores([0], [[0.5, 0.2]]), "sum 1"),
        (lambda: event_scores.ranked_probability_scores([0], [[0.5, 0.505]]), "sum 1"),
        (lambda: event_scores.alarm_threshold(np.array([True]), [1.0], 0.1), "some"),
        (
            lambda: event_scores.alarm_threshold([True, False], [1.0, 0.0], -0.1),
            r"`false_alarm_rate` should be in \[0, 1\]. Received: -0.1",
        ),
        (lambda: event_scores.costs([True], [0.5], [1.0]), "`ratios`"),
        (lambda: event_scores.costs([True], [0.5], [0.5], [0.1, 0.2]), "thresholds"),
        (lambda: event_scores.costs([True], [0.5], [0.5]), "1 events in 1 examples"),
        (lambda: event_scores.costs([False], [0.5], [0.5]), "0 events in 1 examples"),
        (lambda: event_scores.sum_by_unit([1.0], [1, 2]), "length of units"),
        (
            lambda: event_scores.paired_interval([[1.0]], [[1.0, 2.0]], [1.0], 0),
            "units of second",
        ),
        (
            lambda: event_scores.paired_interval([[1.0]], [[1.0]], [0.0], 0),
            "`baseline`",
        ),
    ],
)
def test_faulty_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
