"""Scores of forecasts of rare events: probabilities, strengths, alarms."""

import math

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_curve

from helpers.checks import (
    check_integer,
    check_labels,
    check_numbers,
    check_probabilities,
    check_same,
    is_number,
)

SMALLEST = 1e-7  # A probability of 0 would make a log score infinite.


def entropy(rate):
    """Returns the log score of who predicts a base rate at each step, in nats.

    Args:
        rate: Float or array of floats between 0 and 1.

    Returns:
        Float or float64 array: the binary cross-entropy that any forecast has to beat.

    Raises:
        ValueError: If `rate` is empty or holds NaN or infinity.

    Example:

    >>> round(float(entropy(0.5)), 3)
    0.693
    """
    rate = check_numbers("rate", rate).clip(SMALLEST, 1 - SMALLEST)
    return -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)


def brier_scores(events, probabilities):
    """Squares the difference of a probability and what happened, for each example.

    Args:
        events: Boolean array of shape `(examples,)`, whether the event happened.
        probabilities: Array of shape `(examples,)`, in `[0, 1]`.

    Returns:
        float64 array of shape `(examples,)`, 0 for a sure and right forecast.

    Raises:
        ValueError: If lengths differ or a probability is out of range.

    Reference:
        Brier, 1950, Verification of forecasts expressed in terms of probability.
        Monthly Weather Review 78(1)
    """
    events, probabilities = check_forecast(events, probabilities)
    return np.square(probabilities - events)


def log_scores(events, probabilities):
    """Returns the binary cross-entropy of each example, in nats.

    Args:
        events: Boolean array of shape `(examples,)`.
        probabilities: Array of shape `(examples,)`, in `[0, 1]`.

    Returns:
        float64 array of shape `(examples,)`.

    Raises:
        ValueError: If lengths differ or a probability is out of range.
    """
    events, probabilities = check_forecast(events, probabilities)
    given = np.where(events, probabilities, 1 - probabilities)
    return -np.log(given.clip(SMALLEST))


def count_log_scores(counts, probabilities):
    """Returns the negative log probability of the count that came, in nats.

    Args:
        counts: Integer array of shape `(examples,)`.
        probabilities: Array of shape `(examples, counts)`, of the counts from 0; each
            row has the sum 1.

    Returns:
        float64 array of shape `(examples,)`.

    Raises:
        ValueError: If lengths differ, a count has no column or a row is no
            distribution.
    """
    counts, probabilities = check_distribution(counts, probabilities)
    return -np.log(probabilities[np.arange(len(counts)), counts].clip(SMALLEST))


def ranked_probability_scores(counts, probabilities):
    """Sums the squared differences of two distribution functions, for each example.

    It is the Brier score of "more than k" summed over all k: a forecast of 5 is better
    than one of 1 when 6 comes.

    Args:
        counts: Integer array of shape `(examples,)`.
        probabilities: Array of shape `(examples, counts)`, of the counts from 0; each
            row has the sum 1.

    Returns:
        float64 array of shape `(examples,)`.

    Raises:
        ValueError: If lengths differ, a count has no column or a row is no
            distribution.

    Reference:
        Czado, Gneiting & Held, 2009, Predictive model assessment for count data.
        Biometrics 65(4), doi:10.1111/j.1541-0420.2009.01191.x
    """
    counts, probabilities = check_distribution(counts, probabilities)
    forecast = probabilities.cumsum(axis=1)[:, :-1]
    reached = counts[:, np.newaxis] <= np.arange(forecast.shape[1])
    return np.square(forecast - reached).sum(axis=1)


def sum_by_unit(values, units):
    """Sums a score over each unit, which is what a bootstrap by unit needs.

    Args:
        values: Array of shape `(examples,)`.
        units: Integer array of shape `(examples,)`, the unit of each example, for
            instance its day.

    Returns:
        float64 array of shape `(units,)`, in the order of the units' numbers.

    Raises:
        ValueError: If lengths differ or a value is NaN or infinite.
    """
    values = check_numbers("values", values, ("examples",))
    units = check_numbers("units", units, ("examples",))
    check_same(("length of values", "length of units"), (len(values), len(units)))
    return np.bincount(np.unique(units, return_inverse=True)[1], values)


def paired_interval(first, second, baseline, seed, num_resamples=2000):
    """Compares the skills of two forecasts on the same units, with a 95 % interval.

    The skill is 1 less the ratio of a score to that of a baseline. What is drawn are
    units, with all their examples and for both forecasts alike: most of the chance is
    in which days there are, and cancels in the difference. With several seeds per
    forecast, each resample also draws seeds.

    Args:
        first: Array of shape `(seeds, units)`, the sum of a forecast's scores over
            each unit, one row per seed; the smaller, the better.
        second: Array of shape `(seeds, units)`, those of the other forecast. The
            number of seeds may differ.
        baseline: Array of shape `(units,)`, those of the baseline.
        seed: Non-negative integer; equal seeds give equal intervals.
        num_resamples: Positive integer, number of resampled differences.

    Returns:
        Tuple of floats `(difference, low, high)`: skill of `first` less skill of
        `second`, each the mean over its seeds.

    Raises:
        ValueError: If an array is not as described or the baseline's sum is not
            positive.

    Reference:
        Efron, 1979, Bootstrap methods: another look at the jackknife. The Annals of
        Statistics 7(1), doi:10.1214/aos/1176344552
    """
    first = check_numbers("first", first, ("seeds", "units")).astype("float64")
    second = check_numbers("second", second, ("seeds", "units")).astype("float64")
    baseline = check_numbers("baseline", baseline, ("units",)).astype("float64")
    for name, values in (("first", first), ("second", second)):
        check_same(
            (f"units of {name}", "units of baseline"), (values.shape[1], len(baseline))
        )
    if baseline.sum() <= 0:
        raise ValueError(
            f"`baseline` should have a positive sum. Received: {baseline.sum():.3g}."
        )
    rng = np.random.default_rng(check_integer("seed", seed, minimum=0))
    num_units = len(baseline)
    share = np.full(num_units, 1 / num_units)
    draws = rng.multinomial(
        num_units, share, check_integer("num_resamples", num_resamples, minimum=1)
    )

    def resampled(values):
        seeds = rng.integers(len(values), size=(len(draws), len(values)))
        means = values[seeds].mean(axis=1)
        return (draws * means).sum(axis=1)

    differences = (resampled(second) - resampled(first)) / (draws @ baseline)
    low, high = np.quantile(differences, [0.025, 0.975])
    difference = (second.sum(axis=1).mean() - first.sum(axis=1).mean()) / baseline.sum()
    return float(difference), float(low), float(high)


def reliability(events, probabilities, num_bins=10):
    """Compares forecast and frequency among examples with alike forecasts.

    Args:
        events: Boolean array of shape `(examples,)`.
        probabilities: Array of shape `(examples,)`, in `[0, 1]`.
        num_bins: Positive integer, bins of equal width.

    Returns:
        Dict of float64 arrays of shape `(num_bins,)`: `count`, the examples of each
        bin; `forecast`, the sum of their probabilities; `events`, how many happened.
        Sums, as those of several runs may be added.

    Raises:
        ValueError: If lengths differ or a probability is out of range.
    """
    events, probabilities = check_forecast(events, probabilities)
    num_bins = check_integer("num_bins", num_bins, minimum=1)
    bins = np.minimum((probabilities * num_bins).astype(int), num_bins - 1)
    weights = {"count": None, "forecast": probabilities, "events": events.astype(float)}
    return {
        name: np.bincount(bins, values, minlength=num_bins).astype("float64")
        for name, values in weights.items()
    }


def alarm_threshold(events, ranks, false_alarm_rate):
    """Returns the lowest threshold with at most a share of false alarms.

    Args:
        events: Boolean array of shape `(examples,)`.
        ranks: Array of shape `(examples,)`, a probability or any number that grows with
            the risk. An alarm is a rank of at least the threshold.
        false_alarm_rate: Float between 0 and 1, alarms among the examples without an
            event.

    Returns:
        Float.

    Raises:
        ValueError: If lengths differ, there are no events or nothing but events, or
            the rate is out of range.
    """
    events, ranks = check_ranks(events, ranks)
    if not is_number(false_alarm_rate) or not 0 <= false_alarm_rate <= 1:
        raise ValueError(
            f"`false_alarm_rate` should be in [0, 1]. Received: {false_alarm_rate!r}."
        )
    rates, _, thresholds = roc_curve(events, ranks, drop_intermediate=False)
    return float(thresholds[rates <= false_alarm_rate][-1])


def recalls(examples, ranks, false_alarm_rate, known=None):
    """Measures what alarms catch at a given share of false alarms.

    Args:
        examples: `rare_events.Events`.
        ranks: Array of shape `(examples,)`, see `alarm_threshold`.
        false_alarm_rate: Float between 0 and 1.
        known: Pair of events and ranks of other examples, such as the validation data,
            on which the threshold is chosen; the share of false alarms may then be
            another one. `None` chooses it on the examples themselves, which gives a
            point of their ROC curve.

    Returns:
        Dict of floats: `hours`, the share of steps with an event that had an alarm;
        `episodes`, that of episodes with an alarm for one of their steps; `onsets`,
        that of events after a quiet time, where persistence is of no help, NaN where
        there is none.

    Raises:
        ValueError: If lengths differ, there are no events or nothing but events, or
            the rate is out of range.
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
        "onsets": float(onsets.mean()) if len(onsets) else math.nan,
    }


def costs(events, probabilities, ratios, thresholds=None):
    """Compares what forecasts cost with what knowing the base rate alone costs.

    An alarm costs C, an event without an alarm L. Who trusts a probability p gives an
    alarm when p > C / L.

    Args:
        events: Boolean array of shape `(examples,)`.
        probabilities: Array of shape `(examples,)`, in `[0, 1]`.
        ratios: Array of shape `(ratios,)`, values of C / L between 0 and 1.
        thresholds: Array of shape `(ratios,)` of other thresholds, or `None`.

    Returns:
        float64 array of shape `(ratios,)`, the value of the forecasts: 1 is what a
        perfect forecast saves of the costs of always or never giving an alarm,
        whichever is less; 0 saves nothing, negative costs more.

    Raises:
        ValueError: If lengths differ, a number is out of range, or there are no events
            or nothing but events.

    Reference:
        Richardson, 2000, Skill and relative economic value of the ECMWF ensemble
        prediction system. Quarterly Journal of the Royal Meteorological Society 126,
        doi:10.1002/qj.49712656313
    """
    events, probabilities = check_forecast(events, probabilities)
    ratios = check_numbers("ratios", ratios, ("ratios",)).astype("float64")
    if ratios.min() <= 0 or ratios.max() >= 1:
        raise ValueError(
            "`ratios` should be between 0 and 1. "
            f"Received: {ratios.min()} to {ratios.max()}."
        )
    if thresholds is None:
        thresholds = ratios
    thresholds = check_numbers("thresholds", thresholds, ("ratios",))
    check_same(
        ("length of ratios", "length of thresholds"), (len(ratios), len(thresholds))
    )
    if events.all() or not events.any():
        raise ValueError(
            "`events` should hold an event and an example without one, or knowing the "
            f"base rate alone costs nothing. Received: {events.sum()} events in "
            f"{len(events)} examples."
        )
    alarms = probabilities[:, np.newaxis] > thresholds
    missed = (events[:, np.newaxis] & ~alarms).mean(axis=0)
    spent = ratios * alarms.mean(axis=0) + missed
    rate = events.mean()
    without, perfect = np.minimum(ratios, rate), ratios * rate
    return (without - spent) / (without - perfect)


def recalibrate(events, probabilities, others):
    """Replaces forecasts by the frequencies that such forecasts had on other data.

    Args:
        events: Boolean array of shape `(examples,)`, of the validation data.
        probabilities: Array of shape `(examples,)`, the forecasts there: any number
            that grows with the risk.
        others: Array of shape `(others,)`, forecasts to replace.

    Returns:
        float64 array of shape `(others,)`, in `[0, 1]`, in the order of `others`.

    Raises:
        ValueError: If lengths differ, there are no events or nothing but events.

    Reference:
        Zadrozny & Elkan, 2002, Transforming classifier scores into accurate
        multiclass probability estimates. KDD, doi:10.1145/775047.775151
    """
    events, probabilities = check_ranks(events, probabilities)
    others = check_numbers("others", others, ("others",))
    isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    return isotonic.fit(probabilities, events).predict(others).astype("float64")


def check_ranks(events, ranks):
    """Returns events and ranks after checking them."""
    ranks = check_numbers("ranks", ranks, ("examples",)).astype("float64")
    events = np.asarray(events)
    if events.dtype != bool or not 0 < np.count_nonzero(events) < len(events):
        raise ValueError(
            "`events` should be booleans, some true and some false. Received: dtype "
            f"{events.dtype}, {np.count_nonzero(events)} of {len(events)} true."
        )
    check_same(("length of events", "length of ranks"), (len(events), len(ranks)))
    return events, ranks


def check_forecast(events, probabilities):
    """Returns events and their probabilities after checking them."""
    probabilities = check_numbers("probabilities", probabilities, ("examples",))
    events = np.asarray(events)
    if events.dtype != bool:
        raise ValueError(f"`events` should be booleans. Received: {events.dtype}.")
    check_same(
        ("length of events", "length of probabilities"),
        (len(events), len(probabilities)),
    )
    if probabilities.min() < 0 or probabilities.max() > 1:
        raise ValueError(
            "`probabilities` should be in [0, 1]. "
            f"Received: {probabilities.min():.3g} to {probabilities.max():.3g}."
        )
    return events, probabilities.astype("float64")


def check_distribution(counts, probabilities):
    """Returns counts and the probabilities of all counts after checking them."""
    # Networks are compared to some thousandths of these scores: a sum must be closer.
    probabilities = check_probabilities(
        "probabilities", probabilities, ("examples", "counts"), tolerance=1e-3
    ).astype("float64")
    counts = check_labels("counts", counts, probabilities.shape[1])
    check_same(
        ("length of counts", "length of probabilities"),
        (len(counts), len(probabilities)),
    )
    return counts, probabilities
