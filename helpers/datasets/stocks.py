"""Daily prices of stocks: the bundled files, or a file of your own."""

import csv
import datetime
import functools
import io
import math
import operator
from typing import NamedTuple

from helpers import files

import numpy as np
import pandas as pd

OWN_FILES = ("sp500.csv", "sp500.csv.gz", "sp500.csv.xz", "sp500.csv.zip")
CLOSES_FILE = "sp500_closes_2003_2007.csv.xz"
CLOSES_CHECKSUM = "2c0a48c91c5910c4a03c3a010bc294a19c4f6f616d838569743b754d294c5ca7"
SIX_FILE = "stocks_daily_2013_2023.csv.xz"
SIX_CHECKSUM = "212d7bd18e09e98843d579f86682925bb0c997d6f7b5a1a4b2f32dbd13e8378f"
MIN_STOCKS = 10  # To split them.
NO_PRICE = {"", "NaN", "nan", "NA", "null"}


class Stocks(NamedTuple):
    """Daily prices of stocks that all have a price on each day."""

    symbols: tuple  # Strings, sorted.
    dates: np.ndarray  # (days,) datetime64[D], increasing.
    prices: dict  # From column, for instance "close", to (stocks, days) float64, in $.
    dropped: tuple  # Symbols that are left out, as they have gaps.
    source: str  # Name of the file.


def load_stocks(column="close"):
    """Loads the prices of a column, as `Stocks`: your own file's if there is one.

    Your own file is one of `OWN_FILES` in `data/`, a comma-separated table with a line
    per stock and day. Its first line names the columns, in any order and case: `symbol`
    (or `Name`), `date` (YYYY-MM-DD) and the price; others are ignored. A stock without
    a line or with an empty price for a date of the file has a gap, and is dropped.
    Without a file of your own there is the column `"close"` only.

    Raises a `FileNotFoundError` if there is neither file, and a `ValueError`, which
    names the line or the column, if a file is not as described, has fewer than ten
    stocks without a gap, or is one of several.
    """
    own = [name for name in OWN_FILES if (files.DATA_FOLDER / name).is_file()]
    if not own and column == "close":
        return load_closes()
    if len(own) != 1:
        raise ValueError(
            f"{files.DATA_FOLDER} should hold one file of your own for the column "
            f"{column!r}. Received: {', '.join(own) or 'none; the bundled has closes'}."
        )
    content = files.read_content(files.DATA_FOLDER / own[0])
    stocks = parse_stocks(own[0], content, column)
    if len(stocks.symbols) < MIN_STOCKS:
        raise ValueError(
            f"{own[0]} should hold {MIN_STOCKS} stocks with a price on each date. "
            f"Received: {len(stocks.symbols)}, and {len(stocks.dropped)} with gaps."
        )
    return stocks


def load_closes():
    """Loads the bundled closes of 437 stocks on 1,258 days of 2003 to 2007: `Stocks`.

    They are adjusted for splits. Raises a `FileNotFoundError` or `ValueError` if the
    file is missing or damaged.
    """
    return load_bundled(CLOSES_FILE, CLOSES_CHECKSUM, "build_sp500_closes.py")


def load_six_stocks():
    """Loads the bundled prices of AAPL, AMZN, GOOG, META, NFLX and NVDA, as `Stocks`.

    They are open, high, low and close on 2,699 days from 2013 to 2023, adjusted for
    splits. Raises a `FileNotFoundError` or `ValueError` if the file is missing or
    damaged.
    """
    return load_bundled(SIX_FILE, SIX_CHECKSUM, "build_stocks_daily.py")


def load_bundled(name, checksum, script):
    """Returns the `Stocks` of a bundled file, which has no gaps."""
    content = files.read_bundled(name, checksum, script)
    table = pd.read_csv(io.BytesIO(content)).pivot(index="symbol", columns="date")
    columns = [column for column in table.columns.unique(0) if column != "volume"]
    prices = {column: np.ascontiguousarray(table[column]) for column in columns}
    dates = table["close"].columns.to_numpy("datetime64[D]")
    return Stocks(tuple(table.index), dates, prices, (), name)


def parse_stocks(source, content, column):
    """Returns the `Stocks` of a file of your own, or says what is wrong with it."""
    prices = {}  # From symbol to day to price.
    for line, (symbol, date, text) in read_lines(source, content, column):
        days = prices.setdefault(symbol.strip(), {})
        try:
            day = parse_date(date)
            if not symbol.strip() or day in days:
                raise ValueError(
                    "a symbol should be given, once per date. Received: "
                    f"{symbol!r} on {date}{' again' if symbol.strip() else ''}."
                )
            days[day] = parse_price(text)
        except ValueError as error:
            raise ValueError(f"{source}, line {line}: {error}") from error
    if not prices:
        raise ValueError(f"{source} should hold prices. Received: column names only.")
    days = sorted(set().union(*prices.values()))
    symbols = np.array(sorted(prices), object)
    table = [[prices[name].get(day, math.nan) for day in days] for name in symbols]
    whole = ~np.isnan(table).any(axis=1)
    return Stocks(
        tuple(symbols[whole]),
        np.array(days, "datetime64[D]"),
        {column: np.array(table)[whole]},
        tuple(symbols[~whole]),
        source,
    )


@functools.cache  # There are few different dates.
def parse_date(text):
    """Returns a `datetime.date`, or says what is wrong with the text."""
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(
            f"a date should be like 2014-01-31. Received: {text!r}."
        ) from None


def parse_price(text):
    """Returns a price, NaN where there is none, or says what is wrong with the text."""
    if text in NO_PRICE:
        return math.nan
    try:
        price = float(text)
    except ValueError:
        price = 0
    if not 0 < price < math.inf:
        raise ValueError(f"a price should be a positive number. Received: {text!r}.")
    return price


def read_lines(source, content, column):
    """Yields the number of each line with its symbol, date and price."""
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        names = [name.strip().lower() for name in next(lines, [])]
        # A well-known copy of the data has the heading Name.
        names = ["symbol" if name == "name" else name for name in names]
        for name in ("symbol", "date", column):
            if names.count(name) != 1:
                raise ValueError(
                    f"{source} should have one column {name!r} in its first line. "
                    f"Received: {', '.join(names) or 'an empty line'}."
                )
        pick = operator.itemgetter(*map(names.index, ("symbol", "date", column)))
        for line, values in enumerate(lines, 2):
            if not any(values):  # A blank line.
                continue
            if len(values) != len(names):
                raise ValueError(
                    f"{source}, line {line}: there should be {len(names)} values. "
                    f"Received: {len(values)}."
                )
            yield line, pick(values)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{source} should be a comma-separated table in UTF-8. Received: {error}."
        ) from error
