"""A series of your own: its table, windows without gaps, scores, alarms, a stream."""

# ruff: noqa: F401
from helpers.series.alarms import (
    Episode,
    alarm_threshold,
    find_episodes,
    judge_scores,
)
from helpers.series.detector import Detector, load_detector
from helpers.series.exports import export_network
from helpers.series.gaps import (
    check_length,
    cut_marked,
    first_change,
    fit_scale,
    mark_missing,
    masked_squared_error,
    number_segments,
    prepare,
    split_marked,
    window_starts,
)
from helpers.series.opponents import is_unchanged, linear_opponents
from helpers.series.streaming import Stream
from helpers.series.tables import parse_table, read_table
