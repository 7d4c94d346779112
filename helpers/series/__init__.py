"""A series of your own: its table, windows without gaps, scores, alarms, a stream."""

from helpers.series.alarms import (
    Episode,
    alarm_threshold,
    block_maxima,
    find_episodes,
    judge_episodes,
    judge_scores,
)
from helpers.series.detector import Detector, load_detector
from helpers.series.exports import export_network
from helpers.series.gaps import (
    Scale,
    check_length,
    cut_marked,
    fit_scale,
    mark_missing,
    masked_squared_error,
    number_segments,
    split_marked,
    window_starts,
)
from helpers.series.opponents import is_unchanged, linear_opponents
from helpers.series.streaming import Stream
from helpers.series.tables import Table, parse_table, read_table

__all__ = [
    "Detector",
    "Episode",
    "Scale",
    "Stream",
    "Table",
    "alarm_threshold",
    "block_maxima",
    "check_length",
    "cut_marked",
    "export_network",
    "find_episodes",
    "fit_scale",
    "judge_episodes",
    "judge_scores",
    "is_unchanged",
    "linear_opponents",
    "load_detector",
    "mark_missing",
    "masked_squared_error",
    "number_segments",
    "parse_table",
    "read_table",
    "split_marked",
    "window_starts",
]
