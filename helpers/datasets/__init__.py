"""Data sets: bundled files, a file of your own, and synthetic series."""

# ruff: noqa: F401
from helpers.datasets.departures import (
    Departures,
    departure_features,
    departure_strengths,
    load_departures,
)
from helpers.datasets.hurdle import HurdleProcess, Sample, sample_process
from helpers.datasets.measured import (
    NUM_NORMAL_PRESSURES,
    load_measured,
    load_vowels,
)
from helpers.datasets.mnist import Mnist, load_mnist, read_idx
from helpers.datasets.stocks import (
    OWN_FILES,
    Stocks,
    load_closes,
    load_six_stocks,
    load_stocks,
)
from helpers.datasets.synthetic import dip_sequences, settle, uniform_sequences
