"""From scores to alarms: a threshold for a stated rate of false ones, and episodes."""

from typing import NamedTuple

from helpers.checks import check_integer, is_number

import numpy as np
from sklearn.metrics import average_precision_score

TAIL = 0.9  # Scores above this quantile tell how fast the tail falls.


class Episode(NamedTuple):
    """Alarms close to each other, which count once."""

    start: int  # First step above the threshold.
    stop: int  # One after the last.
    peak: int  # Step of the largest score.


def block_maxima(scores, block):
    """Returns the largest score of each block of at least `block` steps with one."""
    scores = scores[~np.isnan(scores)]
    number = len(scores) // block
    parts = np.array_split(scores, number) if number else []
    return np.array([part.max() for part in parts])


def rate_threshold(scores, block, false_alarms):
    """Returns the threshold for a rate of false alarms, and whether the tail is needed.

    If blocks of the calibration part and those to come are exchangeable, the largest
    score of a new one is above the `k`-th largest of `m` with the probability
    `k / (m + 1)` (split conformal prediction, Vovk et al., 2005); in between it is
    interpolated. For too few blocks the tail is assumed to fall like a power, with the
    exponent of Hill (1975, doi:10.1214/aos/1176343247) for the largest tenth of scores.

    Args:
        scores: Array `(steps,)`, NaN for none, of a normal part, not trained on.
        block: Positive integer, the steps within which alarms count once.
        false_alarms: Positive number, wanted per 1,000 steps.

    An impossible rate, or no whole block, raises a `ValueError`.
    """
    block = check_integer("block", block, minimum=1)
    if not is_number(false_alarms) or not 0 < false_alarms < 1000 / block:
        raise ValueError(
            f"`false_alarms` should be above 0 and below {1000 / block:g} per 1,000 "
            f"steps, one in each {block}. Received: {false_alarms!r}."
        )
    logs = np.log(np.maximum(np.sort(block_maxima(scores, block))[::-1], 1e-12))
    if not len(logs):
        raise ValueError(
            f"The calibration part should have {block} steps with a score. Received: "
            f"{len(scores[~np.isnan(scores)])}; take a longer part."
        )
    place = false_alarms * block / 1000 * (len(logs) + 1)
    if place >= 1:
        return float(np.exp(np.interp(place, np.arange(len(logs)) + 1, logs))), False
    every = np.log(np.maximum(scores[~np.isnan(scores)], 1e-12))
    above = every - np.quantile(every, TAIL)
    return float(np.exp(logs[0] - np.log(place) * above[above >= 0].mean())), True


def find_episodes(scores, threshold, merge):
    """Finds the `Episode`s: alarms that are at most `merge` steps apart are one."""
    steps = np.flatnonzero(np.nan_to_num(scores, nan=-np.inf) > threshold)
    parts = np.split(steps, np.flatnonzero(np.diff(steps) > merge) + 1)
    return [
        Episode(int(part[0]), int(part[-1]) + 1, int(part[scores[part].argmax()]))
        for part in parts
        if len(part)
    ]


def judge_scores(scores, threshold, labels, merge, tolerance):
    """Judges scores by labels, `(steps,)` both; a step without a score does not count.

    Returns a dict: `"precision"`, the average precision point by point, for which no
    threshold is needed; `"found"`, the share of labelled stretches that an episode of
    alarms touches, or the `tolerance` steps around them; and `"false"`, the episodes
    that touch none, per 1,000 steps.
    """
    known = ~np.isnan(scores)
    alarms = np.array(find_episodes(scores, threshold, merge), int).reshape(-1, 1, 3)
    marks = np.array(find_episodes(labels * 1.0, 0.5, 1)).reshape(1, -1, 3)
    touches = alarms[..., 0] < marks[..., 1] + tolerance
    touches &= marks[..., 0] - tolerance < alarms[..., 1]
    return {
        "precision": float(average_precision_score(labels[known] > 0, scores[known])),
        "found": float(touches.any(axis=0).mean()),
        "false": 1000 * float((~touches.any(axis=1)).sum()) / int(known.sum()),
    }
