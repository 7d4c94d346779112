"""From raw arrays to what a network is given: scaling, windows, splits, events."""

# ruff: noqa: F401
from helpers.windows.cutting import cut_windows, one_hot, random_windows
from helpers.windows.events import Events, cut_events, join_events
from helpers.windows.scaling import centre_scale, min_max_scale
from helpers.windows.splits import k_folds, split_blocks, split_examples, split_time
