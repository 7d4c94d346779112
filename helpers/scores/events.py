"""Scores of forecasts of rare events: probabilities, counts, alarms.

`events` are booleans of shape `(examples,)`, whether the event happened. Forecasts of
the same shape are `probabilities`, in `[0, 1]`, or `ranks`, any numbers that grow with
the risk. `counts` are integers of shape `(examples,)`, their `probabilities`, of shape
`(examples, counts)`, those of 0, 1, ... Scores are float64 arrays of shape
`(examples,)`. What does not fit, or holds NaN or infinity, raises a `ValueError`.
"""

from helpers.checks import check_labels, check_numbers, check_probabilities, check_same

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_curve

SMALLEST = 1e-7  # A probability of 0 would make a log score infinite.
NUM_BINS = 10  # Of equal width, for `reliability`.


def entropy(rate):
    """Returns the log score, in nats, of who predicts a base rate at each step."""
    rate = check_numbers("rate", rate).clip(SMALLEST, 1 - SMALLEST)
    return -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)


def brier_scores(events, probabilities):
    """Returns the squared differences of probabilities and events (Brier, 1950)."""
    events, probabilities = check_forecast(events, probabilities)
    return np.square(probabilities - events)


def log_scores(events, probabilities):
    """Returns the binary cross-entropy of each example, in nats."""
    events, probabilities = check_forecast(events, probabilities)
    given = np.where(events, probabilities, 1 - probabilities)
    return -np.log(given.clip(SMALLEST))


def count_log_scores(counts, probabilities):
    """Returns the negative log probability of each count that came, in nats."""
    counts, probabilities = check_distribution(counts, probabilities)
    return -np.log(probabilities[np.arange(len(counts)), counts].clip(SMALLEST))


def ranked_probability_scores(counts, probabilities):
    """Returns the sums over k of the Brier scores of "more than k".

    Reference: Czado et al., 2009, Biometrics, doi:10.1111/j.1541-0420.2009.01191.x
    """
    counts, probabilities = check_distribution(counts, probabilities)
    forecast = probabilities.cumsum(axis=1)[:, :-1]
    reached = counts[:, np.newaxis] <= np.arange(forecast.shape[1])
    return np.square(forecast - reached).sum(axis=1)


def reliability(events, probabilities):
    """Compares forecast and frequency in bins of alike forecasts.

    Returns a dict of float64 arrays `(NUM_BINS,)`: `count`, the examples of a bin, and
    sums of their `forecast` and `events`, as those of runs may be added.
    """
    events, probabilities = check_forecast(events, probabilities)
    bins = np.minimum((probabilities * NUM_BINS).astype(int), NUM_BINS - 1)
    weights = {"count": np.ones(len(bins)), "forecast": probabilities, "events": events}
    return {key: np.bincount(bins, each, NUM_BINS) for key, each in weights.items()}


def alarm_threshold(events, ranks, false_alarm_rate):
    """Returns the lowest threshold with at most a share of false alarms, a float.

    An alarm is a rank of at least the threshold; `false_alarm_rate`, in `[0, 1]`, is
    the share of alarms among the examples without an event.
    """
    if not 0 <= false_alarm_rate <= 1 or not 0 < np.mean(events) < 1:
        raise ValueError(
            "`false_alarm_rate` should be in [0, 1], some `events` true, some false. "
            f"Received: {false_alarm_rate}, {np.sum(events)} of {len(events)} true."
        )
    rates, _, thresholds = roc_curve(events, ranks, drop_intermediate=False)
    return float(thresholds[rates <= false_alarm_rate][-1])


def recalls(examples, ranks, false_alarm_rate, known=None):
    """Measures what alarms catch at a share of false alarms, see `alarm_threshold`.

    `examples` are `windows.Events`. The threshold is chosen on `known`, events and
    ranks of other examples, or, with `None`, on the examples themselves: a point of
    their ROC curve. Returns a dict of floats, shares that had an alarm: `hours`, of the
    steps with an event; `episodes`; `onsets`, of the events after a quiet time (NaN
    without any).
    """
    events = examples.strengths > 0
    threshold = alarm_threshold(*(known or (events, ranks)), false_alarm_rate)
    alarms = np.asarray(ranks) >= threshold
    episodes = np.unique(examples.episodes[events])
    caught = np.unique(examples.episodes[events & alarms])
    onsets = alarms[events & examples.onset]
    return {
        "hours": float(alarms[events].mean()),
        "episodes": len(caught) / len(episodes),
        "onsets": float(onsets.mean()) if len(onsets) else np.nan,
    }


def costs(events, probabilities, ratios, thresholds=None):
    """Compares what forecasts cost with what knowing the base rate alone costs.

    An alarm costs C, an event without an alarm L. Who trusts a probability p gives an
    alarm when p > C / L. `ratios`, `(ratios,)`, are values of C / L between 0 and 1;
    `thresholds` are others of the same shape. Returns a float64 array of this shape: 1
    is what a perfect forecast saves of the costs of always or never giving an alarm,
    whichever is less.

    Reference: Richardson, 2000, QJRMS 126, doi:10.1002/qj.49712656313
    """
    events, probabilities = check_forecast(events, probabilities)
    ratios = check_numbers("ratios", ratios, ("ratios",)).astype("float64")
    rate = events.mean()
    if not 0 < rate < 1 or ratios.min() <= 0 or ratios.max() >= 1:
        raise ValueError(
            "`ratios` should be between 0 and 1, some `events` true, some false. "
            f"Received: {ratios}, {events.sum()} of {len(events)} true."
        )
    thresholds = ratios if thresholds is None else thresholds
    alarms = probabilities[:, np.newaxis] > thresholds
    missed = (events[:, np.newaxis] & ~alarms).mean(axis=0)
    spent = ratios * alarms.mean(axis=0) + missed
    without, perfect = np.minimum(ratios, rate), ratios * rate
    return (without - spent) / (without - perfect)


def recalibrate(events, ranks, others):
    """Replaces forecasts by the frequencies that such forecasts had on other data.

    `events` and `ranks` are the other data, `others` the forecasts to replace. Returns
    a float64 array of the shape of `others`, in `[0, 1]`.

    Reference: Zadrozny & Elkan, 2002, KDD, doi:10.1145/775047.775151
    """
    isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    return isotonic.fit(np.asarray(ranks, "float64"), events).predict(others)


def check_forecast(events, probabilities):
    """Returns events and their probabilities as arrays, checked."""
    probabilities = check_numbers("probabilities", probabilities, ("examples",))
    events, low, high = np.asarray(events), probabilities.min(), probabilities.max()
    check_same(("length of events", "probabilities"), (len(events), len(probabilities)))
    if events.dtype != bool or low < 0 or high > 1:
        raise ValueError(
            "`events` should be booleans and `probabilities` in [0, 1]. "
            f"Received: {events.dtype}, and {low:.3g} to {high:.3g}."
        )
    return events, probabilities.astype("float64")


def check_distribution(counts, probabilities):
    """Returns counts and the probabilities of all counts as arrays, checked."""
    axes = ("examples", "counts")
    probabilities = check_probabilities("probabilities", probabilities, axes)
    counts = check_labels("counts", counts, probabilities.shape[1])
    check_same(("length of counts", "rows"), (len(counts), len(probabilities)))
    # Networks are compared to some thousandths of these scores.
    error = np.abs(probabilities.sum(axis=1, dtype="float64") - 1).max()
    if error > 1e-3:
        raise ValueError(f"`probabilities` should have the sum 1. Received: {error=}.")
    return counts, probabilities.astype("float64")
