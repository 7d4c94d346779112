"""Measured series with known faults, and spoken vowels: the bundled tables."""

import io

from helpers.files import read_bundled

import numpy as np
import pandas as pd

CHECKSUMS = dict(
    arterial_pressure=(
        "a1c102371d1e09bf816c66781710b90558127058e54636223b72896901db94ee"
    ),
    ecg_synthetic="7c9528b7b6eb8ca7ec8ad4b17fc2141f48b93a8ae851a0d3339ec7d33812b094",
    inverter_2173="12b58c0acd489b4727bb0905c40f9d74228a7bb82f0d2264caf8cccfe35b9567",
    accelerometers="ba144d812e1d0c1bd93738037e59dde78c37f4938970234e95a7ff37eba9d773",
    vowels="de74e17283de76190625e62e170ac2e6f29d777cdd89ac0ca56aa537b2a6d293",
)
NUM_NORMAL_PRESSURES = 1200  # First values, of which the archive says that they are.


def load_measured(name):
    """Loads a bundled table, a name of `CHECKSUMS`, as a DataFrame; see `data/`.

    A file that is missing or damaged raises a `FileNotFoundError` or `ValueError`.
    """
    content = read_bundled(f"{name}.csv.xz", CHECKSUMS[name], "build_series.py")
    return pd.read_csv(io.BytesIO(content))


def load_vowels(part):
    """Loads spoken vowels: 270 utterances of `"train"` or 370 of `"test"`.

    Returns a tuple: series, float64 `(utterances, 29, 12)`, NaN after the end of an
    utterance of 7 to 29 steps; and speakers, int64 `(utterances,)`, 0 to 8.
    """
    table = load_measured("vowels")
    longest = table["step"].max() + 1
    table = table[table["part"] == part]
    rows, steps = table["utterance"].to_numpy() - 1, table["step"].to_numpy()
    channels = table.filter(regex=r"^c\d").to_numpy("float64")
    series = np.full((rows.max() + 1, longest, channels.shape[1]), np.nan)
    series[rows, steps] = channels
    return series, table["speaker"].to_numpy("int64")[steps == 0] - 1
