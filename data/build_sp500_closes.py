"""Makes the S&P 500 closes of this folder again from the Debian package r-cran-huge.

    python data/build_sp500_closes.py                        # asks apt for the package
    python data/build_sp500_closes.py r-cran-huge_1.3.5.deb  # a downloaded package

Needs `pip install rdata` and dpkg-deb beside the report's own packages. The report does
not need this script: the files it makes are part of the repository.

The package holds closes as they were quoted: a split 2:1 halves them overnight. The
script divides the closes before a split by its ratio. It knows no list of splits, only
the closes, so it decides by these rules, in which the change of the median stock on the
same day is taken off each change:

- A jump is a fall by more than 30 % or a rise by more than 50 % from one close to the
  next.
- It is a split if it is near one of the ratios below, at most 3.5 of the stock's usual
  daily changes and 7 % away from it, and if the stock is about as calm as usual on the
  days around it, as splits are announced weeks before and news is not.
- A stock with a jump that is not a split by this rule is left out: it may be a
  spin-off, a conversion of shares or a real fall.

Smaller jumps stay. Splits 5:4 and 4:3 are among them, but most such falls are real, and
closes alone cannot tell.
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

import numpy as np
import pandas as pd
from pandas.tseries import holiday

PACKAGE = "r-cran-huge"
VERSION = "1.3.5"
DATA_PATH = "usr/lib/R/site-library/huge/data/stockdata.rda"
CLOSES_FILE = "sp500_closes_2003_2007.csv.xz"
JUMPS_FILE = "sp500_jumps_2003_2007.csv"
SHAPE = (1258, 452)  # Days, stocks.
# Of the first day, to know the data again.
FIRST_CLOSES = {"MMM": 126.75, "ACE": 30.51, "ABT": 40.05, "AMZN": 19.57}
FALL, RISE = 0.7, 1.5  # A change beyond these is a jump.
RATIOS = ["3:2", "2:1", "3:1", "4:1", "5:1"] + [
    f"1:{old}" for old in (2, 3, 4, 5, 6, 8, 10)
]
MAX_DEVIATION = 0.07
MAX_USUAL_CHANGES = 3.5
MAX_RESTLESSNESS = 3.0
DAYS_BEFORE, DAYS_AFTER = 5, 10  # Around a jump, where the stock should be calm.


class NewYorkHolidays(holiday.AbstractHolidayCalendar):
    """Days on which the New York Stock Exchange rests, by rule."""

    rules = [
        holiday.Holiday(
            "New Year", month=1, day=1, observance=holiday.sunday_to_monday
        ),
        holiday.USMartinLutherKingJr,
        holiday.USPresidentsDay,
        holiday.GoodFriday,
        holiday.USMemorialDay,
        holiday.Holiday(
            "Independence Day", month=7, day=4, observance=holiday.nearest_workday
        ),
        holiday.USLaborDay,
        holiday.USThanksgivingDay,
        holiday.Holiday(
            "Christmas", month=12, day=25, observance=holiday.nearest_workday
        ),
    ]


def trading_days():
    """Dates of the rows: the package gives only their number and the years."""
    days = pd.bdate_range("2003-01-01", "2007-12-31")
    closed = NewYorkHolidays().holidays("2003-01-01", "2007-12-31")
    # Days of mourning for the presidents Reagan and Ford.
    mourning = pd.DatetimeIndex(["2004-06-11", "2007-01-02"])
    return days.difference(closed.union(mourning)).strftime("%Y-%m-%d")


def download_package(folder):
    """Asks apt for the package and returns the path of the `.deb` in `folder`."""
    subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True)
    return next(pathlib.Path(folder).glob(f"{PACKAGE}_{VERSION}*.deb"))


def read_package(package_path, folder):
    """Reads and checks the closes of a package.

    Args:
        package_path: Path of the `.deb` file.
        folder: Path of a folder for what is unpacked.

    Returns:
        DataFrame of closes in US dollars, a row per day and a column per symbol.

    Raises:
        ValueError: If the package holds other data than expected.
    """
    import rdata

    subprocess.run(["dpkg-deb", "-x", package_path, folder], check=True)
    stocks = rdata.read_rda(pathlib.Path(folder) / DATA_PATH, default_encoding="utf-8")
    stocks = stocks["stockdata"]
    closes = np.asarray(stocks["data"])
    # R writes matrices column by column: symbol, sector, name.
    symbols = np.asarray(stocks["info"]).reshape(3, -1)[0]
    if closes.shape != SHAPE or len(set(symbols)) != SHAPE[1]:
        raise ValueError(
            f"{package_path} should hold {SHAPE[0]} days of {SHAPE[1]} stocks. "
            f"Received: {closes.shape}, {len(set(symbols))} symbols."
        )
    closes = pd.DataFrame(closes, index=trading_days(), columns=symbols)
    received = closes.iloc[0][list(FIRST_CLOSES)].to_dict()
    if received != FIRST_CLOSES or not (closes > 0).all(axis=None):
        raise ValueError(
            f"{package_path} should hold positive closes, the first {FIRST_CLOSES}. "
            f"Received: {received}, the smallest is {closes.min(axis=None)}."
        )
    return closes


def find_jumps(closes):
    """Lists all jumps and tells splits from others.

    Args:
        closes: DataFrame of closes, a row per day and a column per symbol.

    Returns:
        DataFrame, a row per jump: `symbol`; `date`, the first day after it;
        `close_before` and `close_after`, as quoted; `ratio`, new shares to old ones,
        `"none"` where it is no split.
    """
    logs = np.log(closes.to_numpy())
    changes = np.diff(logs, axis=0)
    jumps = (changes < np.log(FALL)) | (changes > np.log(RISE))
    own = changes - np.median(changes, axis=1, keepdims=True)
    # The median ignores the jumps; 1.48 times it is the deviation of normal changes.
    usual = 1.48 * np.median(np.abs(own), axis=0)
    values = [np.log(float(r.split(":")[1]) / float(r.split(":")[0])) for r in RATIOS]
    rows = []
    for stock, day in np.argwhere(jumps.T):
        deviations = np.abs(own[day, stock] - values)
        around = np.concatenate(
            [
                own[max(day - DAYS_BEFORE, 0) : day, stock],
                own[day + 1 : day + 1 + DAYS_AFTER, stock],
            ]
        )
        is_split = (
            deviations.min() < min(MAX_DEVIATION, MAX_USUAL_CHANGES * usual[stock])
            and np.sqrt((around**2).mean()) < MAX_RESTLESSNESS * usual[stock]
        )
        rows.append(
            {
                "symbol": closes.columns[stock],
                "date": closes.index[day + 1],
                "close_before": closes.iloc[day, stock],
                "close_after": closes.iloc[day + 1, stock],
                "ratio": RATIOS[deviations.argmin()] if is_split else "none",
            }
        )
    return pd.DataFrame(rows)


def adjust(closes, jumps):
    """Divides closes before each split by its ratio; drops stocks with other jumps."""
    adjusted = closes.drop(columns=jumps["symbol"][jumps["ratio"] == "none"].unique())
    for jump in jumps.itertuples():
        if jump.symbol in adjusted:
            new, old = map(float, jump.ratio.split(":"))
            adjusted.loc[adjusted.index < jump.date, jump.symbol] *= old / new
    return adjusted.copy()  # In one block of memory again.


def write_table(path, table):
    """Writes CSV bytes that depend on the table only, never a half-written file."""
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, lineterminator="\n")
    content = buffer.getvalue().encode()
    packed = content
    if path.suffix == ".xz":
        packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(packed)
    os.replace(temporary, path)
    print(hashlib.sha256(packed).hexdigest(), path.name)
    if packed is not content:
        print(hashlib.sha256(content).hexdigest(), path.stem)


def build(package_path, folder):
    """Writes the closes and the list of jumps into `folder`."""
    with tempfile.TemporaryDirectory() as scratch:
        closes = read_package(package_path, scratch)
    jumps = find_jumps(closes)
    adjusted = adjust(closes, jumps)
    rows = adjusted.rename_axis("date").reset_index().melt("date", var_name="symbol")
    rows["close"] = rows.pop("value").map("{:.4f}".format)  # As text: no digits vary.
    write_table(folder / CLOSES_FILE, rows[["symbol", "date", "close"]])
    write_table(folder / JUMPS_FILE, jumps)
    num_dropped = closes.shape[1] - adjusted.shape[1]
    num_splits = jumps["symbol"].isin(adjusted.columns).sum()
    print(
        f"{closes.shape[1]} stocks, {num_dropped} dropped, {adjusted.shape[1]} kept "
        f"with {num_splits} splits"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", nargs="?", help=f"path of {PACKAGE}_{VERSION}*.deb")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            package_path = arguments.package or download_package(scratch)
            build(package_path, pathlib.Path(__file__).resolve().parent)
        except (ImportError, OSError, StopIteration, ValueError) as error:
            sys.exit(f"build_sp500_closes.py: {error!r}")
        except subprocess.CalledProcessError as error:
            sys.exit(f"build_sp500_closes.py: {error}")


if __name__ == "__main__":
    main()
