"""A synthetic process of rare events whose best possible forecast is known."""

import dataclasses
import math
from typing import NamedTuple

from helpers.checks import check_integer
from helpers.datasets.synthetic import settle

import numpy as np

MAX_STRENGTH = 10
YEAR = 365  # Steps.
SHORTEST_DELAY, LONGEST_DELAY = 9, 11  # Steps from the precursor to the event.
WARM_UP = 500  # Steps, by which the start is forgotten.


@dataclasses.dataclass(frozen=True)
class HurdleProcess:
    """A hurdle model: a probability of an event, and a distribution of its strength.

    All that a forecast needs lies in about 40 steps. A precursor x is observed; events
    excite further ones; after a quiet time, a high x triggers one 9 to 11 steps later:

        x[t] = correlation * x[t-1] + sqrt(1 - correlation**2) * noise
        e[t] = memory * e[t-1] + log(1 + y[t])
        g[t] = 1 if max(x[t-11..t-9]) > threshold and y[t-quiet..t-1] = 0
        logit P(y[t] > 0) = base + season * sin(2 pi t / 365)
                            + excitement * e[t-1] + trigger * g[t]
        y[t] if > 0: negative binomial, cut to 1..10, of size `size` and mean
                     exp(strength_excitement * e[t-1] + strength_trigger * g[t])
    """

    base: float = -4.6  # Sets how rare events are.
    season: float = 0.8
    excitement: float = 0.75
    trigger: float = 4.8
    correlation: float = 0.7
    memory: float = 0.75
    threshold: float = 1.5
    quiet: int = 14
    strength_excitement: float = 0.2
    strength_trigger: float = 0.9
    size: float = 2.0  # A small one spreads the strengths.


class Sample(NamedTuple):
    """A series of a process with the best possible forecast of each of its steps."""

    strengths: np.ndarray  # (time,) int64, 0 to 10.
    # (time, 4) float32: log(1 + strength), precursor, sine and cosine of the season.
    features: np.ndarray
    # (time, 11) float64: probability of each strength, given all steps before.
    probabilities: np.ndarray


def sample_process(process, num_steps, seed):
    """Draws a `Sample` of `num_steps` steps of a `HurdleProcess`.

    `seed` is a non-negative integer; equal seeds give equal series.
    """
    rng = np.random.default_rng(check_integer("seed", seed, minimum=0))
    total = WARM_UP + num_steps
    noise = math.sqrt(1 - process.correlation**2) * rng.normal(size=total)
    precursor = np.zeros(total)
    for step in range(1, total):
        precursor[step] = process.correlation * precursor[step - 1] + noise[step]
    precursor = settle(precursor)
    is_high = precursor > process.threshold
    angles = 2 * np.pi * (np.arange(total) - WARM_UP) / YEAR
    draws = rng.random((total, 2))
    strengths = np.zeros(total, "int64")
    logits, means = np.full(total, -np.inf), np.ones(total)
    excited, last_event = 0.0, 0
    for step in range(LONGEST_DELAY, total):
        is_armed = step - 1 - last_event >= process.quiet
        causes = is_high[step - LONGEST_DELAY : step - SHORTEST_DELAY + 1]
        triggered = is_armed and causes.any()
        logits[step] = (
            process.base
            + process.season * math.sin(angles[step])
            + process.excitement * excited
            + process.trigger * triggered
        )
        means[step] = math.exp(
            process.strength_excitement * excited + process.strength_trigger * triggered
        )
        excited *= process.memory
        if draws[step, 0] < 1 / (1 + math.exp(-logits[step])):
            shares = truncated_negative_binomial(means[step], process.size)
            beyond = draws[step, 1] > np.cumsum(shares)
            strengths[step] = min(1 + np.count_nonzero(beyond), MAX_STRENGTH)
            excited += math.log1p(strengths[step])
            last_event = step
    event = 1 / (1 + np.exp(-logits))[:, np.newaxis]
    positive = truncated_negative_binomial(means[:, np.newaxis], process.size)
    probabilities = np.concatenate([1 - event, event * positive], axis=1)
    features = [np.log1p(strengths), precursor, np.sin(angles), np.cos(angles)]
    return Sample(
        strengths[WARM_UP:],
        settle(np.stack(features, axis=1))[WARM_UP:],
        probabilities[WARM_UP:],
    )


def truncated_negative_binomial(mean, size):
    """Returns the probabilities of 1 to 10: mean and size are those before the cut."""
    counts = np.arange(MAX_STRENGTH)
    factors = np.cumsum(np.log(size + counts) - np.log(counts + 1))
    logs = factors + (counts + 1) * np.log(mean / (size + mean))
    weights = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)
