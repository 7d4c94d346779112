"""A series of your own: its table, windows without gaps, scores, alarms, a stream."""

# ruff: noqa: F401
from helpers.series.alarms import judge_scores, rate_threshold
from helpers.series.detector import Detector, export_network, load_detector
from helpers.series.gaps import (
    cut,
    mark_missing,
    masked_squared_error,
    number_segments,
    prepare,
    window_starts,
)
from helpers.series.streaming import Stream
from helpers.series.tables import read_table
