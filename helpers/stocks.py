"""Daily prices of stocks: the bundled files, or a file of your own."""

import csv
import io
import pathlib
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.checks import check_integer
from helpers.datasets import DATA_FOLDER
from helpers.files import check_checksum, read_content, saying_how_to_restore

PRICE_COLUMNS = ("open", "high", "low", "close")  # US dollars.
OWN_FILES = ("sp500.csv", "sp500.csv.gz", "sp500.csv.xz", "sp500.csv.zip")
CLOSES_FILE = "sp500_closes_2003_2007.csv.xz"
SIX_STOCKS_FILE = "stocks_daily_2013_2023.csv.xz"
# SHA-256 of the unpacked content. The compressed bytes of a rebuilt file may differ
# between versions of xz, the content may not.
CHECKSUMS = {
    CLOSES_FILE: "2c0a48c91c5910c4a03c3a010bc294a19c4f6f616d838569743b754d294c5ca7",
    SIX_STOCKS_FILE: "212d7bd18e09e98843d579f86682925bb0c997d6f7b5a1a4b2f32dbd13e8378f",
}
SCRIPTS = {  # In `data/`: they build the files.
    CLOSES_FILE: "build_sp500_closes.py",
    SIX_STOCKS_FILE: "build_stocks_daily.py",
}
OTHER_NAMES = {"name": "symbol"}  # A well-known copy of the data has this heading.
NO_PRICE = ["", "NaN", "nan", "NA", "null"]


class Stocks(NamedTuple):
    """Daily prices of stocks that all have a price on each day.

    Attributes:
        symbols: Tuple of strings, sorted.
        dates: datetime64[D] array of shape `(days,)`, increasing.
        prices: Dict from column (`"close"`, ...) to a float64 array of shape
            `(stocks, days)`, US dollars.
        dropped: Tuple of strings, the symbols left out as they have gaps.
        source: String, the name of the file.
    """

    symbols: tuple
    dates: np.ndarray
    prices: dict
    dropped: tuple
    source: str


def load_stocks(column="close", min_stocks=10, folder=DATA_FOLDER):
    """Loads the daily prices of many stocks: your own file if there is one.

    Your own file is `sp500.csv`, or with `.gz`, `.xz` or `.zip` behind, in the folder;
    see `read_stocks` for what it has to hold. Otherwise the bundled closes of the
    years 2003 to 2007 are loaded, which are adjusted for splits.

    Args:
        column: String, one of `PRICE_COLUMNS`; the bundled file has closes only.
        min_stocks: Positive integer, the stocks needed for splits.
        folder: Path of the folder with the files.

    Returns:
        `Stocks` with the prices of this column.

    Raises:
        FileNotFoundError: If there is neither file.
        ValueError: If the file is not as described, the bundled one is damaged or
            lacks the column, or there are several files of your own.
    """
    folder = pathlib.Path(folder)
    own = [folder / name for name in OWN_FILES if (folder / name).is_file()]
    if len(own) > 1:
        raise ValueError(
            f"{folder} should hold one file of your own. "
            f"Received: {', '.join(path.name for path in own)}."
        )
    if own:
        return read_stocks(own[0], (column,), min_stocks)
    if column != "close":
        raise ValueError(
            "`column` should be 'close', as the bundled file has no other prices: put "
            f"a file of your own into {folder} for those. Received: {column!r}."
        )
    return load_bundled(CLOSES_FILE, (column,), min_stocks, folder)


def load_six_stocks(folder=DATA_FOLDER):
    """Loads the bundled prices of AAPL, AMZN, GOOG, META, NFLX and NVDA.

    Args:
        folder: Path of the folder with the file.

    Returns:
        `Stocks` with all of `PRICE_COLUMNS`, 2,699 days from 2013 to 2023, adjusted
        for splits.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged.
    """
    return load_bundled(SIX_STOCKS_FILE, PRICE_COLUMNS, 6, folder)


def load_bundled(name, columns, min_stocks, folder):
    """Reads a bundled file, or says how to get it back."""
    path = pathlib.Path(folder, name)
    with saying_how_to_restore(SCRIPTS[name]):
        return read_stocks(path, columns, min_stocks, CHECKSUMS[name])


def read_stocks(path, columns=("close",), min_stocks=1, checksum=None):
    """Reads a table of daily prices, one line per stock and day.

    The first line names the columns, in any order and case: `symbol` (or `Name`),
    `date` (YYYY-MM-DD) and the prices; other columns are ignored. The days are all
    dates of the file. A stock has a gap where it has no line for a day or an empty
    price; such stocks are dropped. Whatever is wrong, not absent, is refused.

    Args:
        path: Path of a comma-separated file, plain or compressed (`.gz`, `.xz`, or
            `.zip` with one file).
        columns: Strings, the prices to read, of `PRICE_COLUMNS`.
        min_stocks: Positive integer, the stocks without gaps that are needed.
        checksum: String or `None`, the SHA-256 that the unpacked content must have.

    Returns:
        `Stocks`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file does not unpack, is empty, lacks a column or has one
            twice, or holds a line with fewer or more values than columns, without a
            symbol, with an unparsable date, with a price that is no positive number,
            or a stock's day twice; or if too few stocks have no gaps. The message
            names the line or column.
    """
    path = pathlib.Path(path)
    columns = tuple(columns)
    if not columns or not set(columns) <= set(PRICE_COLUMNS):
        raise ValueError(
            f"`columns` should be of {PRICE_COLUMNS}, at least one. "
            f"Received: {columns}."
        )
    min_stocks = check_integer("min_stocks", min_stocks, minimum=1)
    content = read_content(path)
    check_checksum(path, content, checksum)
    table = parse_table(path, content, columns)
    symbol_codes, symbols = pd.factorize(check_symbols(path, table), sort=True)
    date_codes, dates = pd.factorize(check_dates(path, table), sort=True)
    check_unique(path, table, symbol_codes * len(dates) + date_codes)
    prices = {}
    for name in columns:
        values = np.full((len(symbols), len(dates)), np.nan)
        values[symbol_codes, date_codes] = check_prices(path, table, name)
        prices[name] = values
    gaps = np.any([np.isnan(values) for values in prices.values()], axis=0)
    whole = ~gaps.any(axis=1)
    if whole.sum() < min_stocks:
        raise ValueError(
            f"{path} should hold at least {min_stocks} symbols with a price in "
            f"{', '.join(columns)} on each of its {len(dates)} dates. Received: "
            f"{whole.sum()} of {len(symbols)} symbols; {symbols[gaps.any(axis=1)][0]}, "
            f"for instance, lacks {gaps[gaps.any(axis=1)][0].sum()} dates."
            if gaps.any()
            else f"{path} should hold at least {min_stocks} symbols in its column "
            f"symbol. Received: {len(symbols)}."
        )
    return Stocks(
        tuple(symbols[whole]),
        dates.to_numpy().astype("datetime64[D]"),
        {name: values[whole] for name, values in prices.items()},
        tuple(symbols[~whole]),
        path.name,
    )


def parse_table(path, content, columns):
    """Returns the lines as a table; the index is the number of the line."""
    try:
        text = content.decode("utf-8-sig")
        names = check_lines(path, text, columns)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path} should be a comma-separated table in UTF-8. Received: {error}."
        ) from error
    # pandas fails on a table without a line.
    if not text.partition("\n")[2].strip():
        raise ValueError(f"{path} should hold prices. Received: column names only.")
    # By position, as columns that are ignored may have any names.
    wanted = {name: names.index(name) for name in ("symbol", "date", *columns)}
    table = pd.read_csv(
        io.StringIO(text),
        header=None,
        names=range(len(names)),
        skiprows=1,
        usecols=wanted.values(),
        dtype={wanted["symbol"]: str, wanted["date"]: str},
        keep_default_na=False,
        na_values={wanted[name]: NO_PRICE for name in columns},
        skip_blank_lines=False,  # They count as lines.
        low_memory=False,
    )
    table.index += 2  # Line 1 is the header.
    table = table[list(wanted.values())].set_axis(list(wanted), axis=1)
    table = table[~(table.isna() | (table == "")).all(axis=1)]
    if table.empty:
        raise ValueError(f"{path} should hold prices. Received: column names only.")
    return table


def check_lines(path, text, columns):
    """Returns the names of the columns; each line must have a value for each."""
    lines = csv.reader(io.StringIO(text))
    names = [name.strip().lower() for name in next(lines, [])]
    names = [OTHER_NAMES.get(name, name) for name in names]
    if not names:
        raise ValueError(
            f"{path} should begin with the names of its columns. Received: "
            + ("an empty first line." if text.strip() else "an empty file.")
        )
    for name in ("symbol", "date", *columns):
        if names.count(name) != 1:
            received = "several" if name in names else "no such column"
            raise ValueError(
                f"{path} should have one column {name!r} in its first line. "
                f"Received: {received}; the columns are {', '.join(names)}."
            )
    for line in lines:
        if line and len(line) != len(names):
            raise ValueError(
                f"{path} should have {len(names)} values in each line. "
                f"Received: line {lines.line_num} has {len(line)}."
            )
    return names


def check_symbols(path, table):
    """Returns the symbols, or says which line has none."""
    symbols = table["symbol"].str.strip()
    refuse_first(
        path,
        symbols.isna() | (symbols == ""),
        "should have a symbol in each line",
        lambda line: "none",
    )
    return symbols


def check_dates(path, table):
    """Returns the dates, or says which line has none."""
    # There are few different dates, and parsing is slow.
    codes, texts = pd.factorize(table["date"])
    dates = pd.to_datetime(pd.Series(texts), format="%Y-%m-%d", errors="coerce")
    dates = dates.reindex(codes).set_axis(table.index)
    refuse_first(
        path,
        dates.isna(),
        "should have dates like 2014-01-31 in the column date",
        lambda line: repr(table.loc[line, "date"]),
    )
    return dates


def check_prices(path, table, name):
    """Returns the prices of a column, or says which line has none."""
    texts = table[name]
    if texts.dtype.kind == "b":
        texts = texts.astype(str)
    if texts.dtype.kind not in "fiu":
        texts = texts.mask(texts.isin(NO_PRICE))
    prices = pd.to_numeric(texts, errors="coerce").astype("float64")
    refuse_first(
        path,
        (prices.isna() & texts.notna()) | ~(prices.fillna(1) > 0) | np.isinf(prices),
        f"should have positive prices in the column {name}",
        lambda line: repr(str(table.loc[line, name])),
    )
    return prices.to_numpy()


def check_unique(path, table, keys):
    """Says which line repeats another one's symbol and date, if one does."""
    keys = pd.Series(keys, table.index)
    repeated = keys.duplicated()

    def describe(line):
        first = keys.index[keys == keys[line]][0]
        symbol, date = table.loc[line, ["symbol", "date"]]
        return f"{symbol} on {date} again, as in line {first}"

    refuse_first(path, repeated, "should have one line per symbol and date", describe)


def refuse_first(path, is_wrong, rule, describe):
    """Raises a `ValueError` for the first line that is wrong, if there is one."""
    if is_wrong.any():
        line = is_wrong.idxmax()
        raise ValueError(f"{path} {rule}. Received: line {line} has {describe(line)}.")
