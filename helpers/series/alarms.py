"""From scores to alarms: a threshold for a stated rate of false ones, and episodes."""

from typing import NamedTuple

from helpers.checks import check_integer, check_numbers, is_number

import numpy as np
from sklearn.metrics import average_precision_score

TAIL = 0.9  # Scores above this quantile tell how fast the tail falls.


class Episode(NamedTuple):
    """Alarms close to each other, which count once."""

    start: int  # First step above the threshold.
    stop: int  # One after the last.
    peak: int  # Step of the largest score.


def block_maxima(scores, block):
    """Returns the largest score of each block of at least `block` steps with a score.

    The blocks are as many as there can be, and differ in length by one at most.
    """
    scores = scores[~np.isnan(scores)]
    num_blocks = len(scores) // block
    parts = np.array_split(scores, num_blocks) if num_blocks else []
    return np.array([part.max() for part in parts])


def alarm_threshold(scores, block, false_alarms):
    """Returns the threshold that gives a stated rate of false alarms.

    Scores of neighbouring steps are alike, so what counts is the largest of a block of
    steps. If the blocks of normal data, those of the calibration part and those to
    come, are exchangeable, then of `m + 1` blocks the new one is above the `k`-th
    largest of the others with a probability of `k / (m + 1)`, whatever the distribution
    (split conformal prediction, Vovk et al., 2005). An alarm per block is counted, so
    that the rate is `1000 / block` times that. Between two places it is interpolated.

    Too few blocks for the rate need an assumption more: beyond the largest block the
    scores fall like a power, with the exponent that Hill's estimator (1975,
    doi:10.1214/aos/1176343247) finds in the largest tenth of the calibration scores.

    Args:
        scores: Array `(steps,)`, of a calibration part that is normal and that nothing
            was trained on; NaN where there is no score.
        block: Positive integer, the steps within which alarms count once.
        false_alarms: Positive number, wanted per 1,000 steps.

    Returns:
        Tuple of the threshold, a float, and whether the tail was needed.

    Raises:
        ValueError: If the rate is no positive number or there is no whole block.
    """
    check_integer("block", block, minimum=1)
    if not is_number(false_alarms) or not 0 < false_alarms < 1000 / block:
        raise ValueError(
            f"`false_alarms` should be above 0 and below {1000 / block:g} per 1,000 "
            f"steps, one in each {block}. Received: {false_alarms!r}."
        )
    maxima = np.sort(block_maxima(scores, block))[::-1]
    if not len(maxima):
        raise ValueError(
            f"The calibration part should have {block} steps with a score. Received: "
            f"{np.count_nonzero(~np.isnan(scores))}; take a longer training part."
        )
    share = false_alarms * block / 1000
    place = share * (len(maxima) + 1)
    if place >= 1:
        logs = np.log(np.maximum(maxima, 1e-12))
        between = np.interp(place, np.arange(len(maxima)) + 1, logs)
        return float(np.exp(between)), False
    beyond = 1 / (len(maxima) + 1) / share
    return float(maxima[0] * beyond ** tail_exponent(scores)), True


def tail_exponent(scores):
    """Returns Hill's estimate: the mean logarithm of large scores over their bound."""
    logs = np.log(np.maximum(scores[~np.isnan(scores)], 1e-12))
    bound = np.quantile(logs, TAIL)
    return float((logs[logs >= bound] - bound).mean())


def find_episodes(scores, threshold, merge):
    """Finds the `Episode`s: alarms that are at most `merge` steps apart are one."""
    steps = np.flatnonzero(np.nan_to_num(scores, nan=-np.inf) > threshold)
    if not len(steps):
        return []
    parts = np.split(steps, np.flatnonzero(np.diff(steps) > merge) + 1)
    return [
        Episode(int(part[0]), int(part[-1]) + 1, int(part[scores[part].argmax()]))
        for part in parts
    ]


def judge_episodes(episodes, labels, tolerance):
    """Counts labelled stretches that were found, all of them, and false alarms.

    A stretch is found if an episode touches it or the `tolerance` steps around it; an
    episode that touches none is a false alarm. Returns a tuple of three integers.
    """
    labels = check_numbers("labels", labels, ("steps",)) > 0
    marks = find_episodes(labels.astype("float64"), 0.5, merge=1)
    found, false = set(), 0
    for episode in episodes:
        hits = [
            number
            for number, mark in enumerate(marks)
            if episode.start < mark.stop + tolerance
            and mark.start - tolerance < episode.stop
        ]
        found.update(hits)
        false += not hits
    return len(found), len(marks), false


def judge_scores(scores, threshold, labels, merge, tolerance):
    """Judges scores by labels, `(steps,)` both; a step without a score does not count.

    Returns a dict: `"precision"`, the average precision point by point, for which no
    threshold is needed; `"found"`, the share of labelled stretches with an alarm; and
    `"false"`, the false alarms per 1,000 steps; see `judge_episodes`.
    """
    known = ~np.isnan(scores)
    episodes = find_episodes(scores, threshold, merge)
    found, number, false = judge_episodes(episodes, labels, tolerance)
    return {
        "precision": float(average_precision_score(labels[known], scores[known])),
        "found": found / number,
        "false": 1000 * false / int(known.sum()),
    }
