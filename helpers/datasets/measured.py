"""Measured series with known faults, and spoken vowels: the bundled tables."""

import io
from typing import NamedTuple

from helpers.files import read_bundled

import numpy as np
import pandas as pd

CHECKSUMS = {
    "arterial_pressure": (
        "a1c102371d1e09bf816c66781710b90558127058e54636223b72896901db94ee"
    ),
    "ecg_synthetic": (
        "7c9528b7b6eb8ca7ec8ad4b17fc2141f48b93a8ae851a0d3339ec7d33812b094"
    ),
    "inverter_2173": (
        "12b58c0acd489b4727bb0905c40f9d74228a7bb82f0d2264caf8cccfe35b9567"
    ),
    "inverter_7539": (
        "57503c56fe8af067d208b3cfe0be55a550219e29782e0d1d06900000ee8ccf1c"
    ),
    "accelerometers": (
        "ba144d812e1d0c1bd93738037e59dde78c37f4938970234e95a7ff37eba9d773"
    ),
    "vowels": "de74e17283de76190625e62e170ac2e6f29d777cdd89ac0ca56aa537b2a6d293",
}
# Of its first values the archive says that they are normal; the script that builds the
# table leaves out that its test file repeats them.
NUM_NORMAL_PRESSURES = 1200
NUM_SPEAKERS = 9


class Utterances(NamedTuple):
    """Spoken vowels of different length; steps after the end of one are 0."""

    series: np.ndarray  # (utterances, time, channels) float32.
    lengths: np.ndarray  # (utterances,) int64, 7 to 29.
    speakers: np.ndarray  # (utterances,) int64, 0 to 8.


def read_measured(name):
    """Reads the bytes of a bundled table, a name of `CHECKSUMS`.

    A file that is missing or damaged raises a `FileNotFoundError` or `ValueError`.
    """
    return read_bundled(f"{name}.csv.xz", CHECKSUMS[name], "build_series.py")


def load_measured(name):
    """Loads a bundled table, a name of `CHECKSUMS`, as a DataFrame; see `data/`.

    Raises what `read_measured` raises.
    """
    return pd.read_csv(io.BytesIO(read_measured(name)))


def load_vowels(part):
    """Loads the `Utterances` of a part: 270 of `"train"` or 370 of `"test"`.

    Raises what `read_measured` raises.
    """
    table = load_measured("vowels")
    longest = table["step"].max() + 1
    table = table[table["part"] == part]
    rows, steps = table["utterance"].to_numpy() - 1, table["step"].to_numpy()
    channels = table.filter(regex=r"^c\d").to_numpy("float32")
    series = np.zeros((rows.max() + 1, longest, channels.shape[1]), "float32")
    series[rows, steps] = channels
    speakers = table["speaker"].to_numpy("int64")[steps == 0] - 1
    return Utterances(series, np.bincount(rows), speakers)
