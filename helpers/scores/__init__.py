"""Scores: one number per model and output, and how far to trust it."""

# ruff: noqa: F401
from helpers.scores.errors import (
    accuracy,
    mean_squared_error,
    per_example_error,
    squared_errors,
)
from helpers.scores.events import (
    alarm_threshold,
    brier_scores,
    costs,
    count_log_scores,
    entropy,
    log_scores,
    ranked_probability_scores,
    recalibrate,
    recalls,
    reliability,
)
from helpers.scores.intervals import (
    bootstrap_interval,
    mean_and_spread,
    paired_interval,
    skill_interval,
    sum_by_unit,
    with_spread,
)
