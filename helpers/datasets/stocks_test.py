"""Tests of the prices of stocks; damaged files are in damaged_files_test."""

import gzip
import io
import lzma
import time
import zipfile

from helpers import datasets, files

import numpy as np
import pytest

DATES = ("2014-01-02", "2014-01-03", "2014-01-06")
SYMBOLS = tuple(f"S{number}" for number in range(10))


def make_lines(symbols=SYMBOLS, dates=DATES):
    """Lines of a file: the close of stock i on day j is 100 (i + 1) + j."""
    return ["symbol,date,open,high,low,close,volume"] + [
        f"{symbol},{date},9.5,{100 * i + j + 110},9,{100 * i + j + 100},1000"
        for i, symbol in enumerate(symbols)
        for j, date in enumerate(dates)
    ]


def write(folder, lines, name="sp500.csv"):
    content = "\n".join(lines).encode()
    if name.endswith(".gz"):
        content = gzip.compress(content)
    elif name.endswith(".xz"):
        content = lzma.compress(content)
    elif name.endswith(".zip"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("some_name.csv", content)
        content = packed.getvalue()
    (folder / name).write_bytes(content)


def check_made(table):
    assert table.symbols == SYMBOLS and table.dropped == ()
    assert table.dates.astype(str).tolist() == list(DATES)
    expected = 100 * np.arange(1, 11)[:, np.newaxis] + np.arange(3)
    np.testing.assert_array_equal(table.prices["close"], expected)
    assert table.prices["close"].dtype == "float64"


@pytest.mark.parametrize("name", datasets.OWN_FILES)
def test_own_file_is_used_plain_and_compressed(folder, name):
    write(folder, make_lines(), name)
    table = datasets.load_stocks()
    check_made(table)
    assert table.source == name


VARIANTS = {
    "Name for symbol": lambda lines: [lines[0].replace("symbol", "Name"), *lines[1:]],
    "upper case": lambda lines: [lines[0].upper(), *lines[1:]],
    "columns in another order": lambda lines: [
        ",".join(np.array(line.split(","))[[5, 2, 1, 6, 0, 3, 4]]) for line in lines
    ],
    "close at the end": lambda lines: [line.rsplit(",", 1)[0] for line in lines],
    "lines in another order": lambda lines: [lines[0], *lines[:0:-1]],
    "further columns, one without a name": lambda lines: [
        lines[0] + ",Comment,,Comment",
        *(line + ',"a, b",,c' for line in lines[1:]),
    ],
    "byte order mark": lambda lines: ["\ufeff" + lines[0], *lines[1:]],
    "Windows line ends": lambda lines: [line + "\r" for line in lines],
    "blank lines": lambda lines: [*lines[:4], "", *lines[4:], ",,,,,,", ""],
    "spaces": lambda lines: (
        [line.replace(",", " , ", 1) for line in lines[:1]]
        + [" " + line for line in lines[1:]]
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_of_the_file_give_the_same_table(folder, variant):
    write(folder, VARIANTS[variant](make_lines()))
    check_made(datasets.load_stocks())


def test_column_asked_for_is_read(folder):
    write(folder, make_lines())
    high = datasets.load_stocks("high").prices
    assert list(high) == ["high"]
    close = datasets.load_stocks().prices["close"]
    np.testing.assert_array_equal(high["high"] - close, np.full((10, 3), 10))


@pytest.mark.parametrize("price", ["", "NaN", "null"])
def test_stocks_with_gaps_are_dropped_and_named(folder, price):
    lines = make_lines(("A", "B", "C", *SYMBOLS))
    lines[9] = f"C,{DATES[2]},9.5,10,9,{price},1000"
    del lines[5]  # B on the second day.
    write(folder, lines)
    table = datasets.load_stocks()
    assert table.symbols == ("A", *SYMBOLS)
    assert table.dropped == ("B", "C")
    assert table.prices["close"][1].tolist() == [400, 401, 402]
    # An empty price in a column that is not asked for is no gap.
    assert datasets.load_stocks("low").dropped == ("B",)


def test_a_symbol_may_look_like_a_number_or_a_missing_value(folder):
    symbols = ("12", "NA", *SYMBOLS, "TRUE")
    write(folder, make_lines(symbols))
    assert datasets.load_stocks().symbols == symbols


def test_large_file_is_read_in_time(folder):
    """505 symbols on 1,007 days, 26 without the last one."""
    dates = np.arange("2014-01-01", "2017-12-31", dtype="datetime64[D]")[:1007]
    lines = make_lines([f"S{number:03}" for number in range(505)], dates.astype(str))
    lines = [line for line in lines if line[1:4] >= "026" or str(dates[-1]) not in line]
    write(folder, lines)
    assert len(lines) > 500_000
    start = time.process_time()  # Not wall time: other processes may be busy.
    table = datasets.load_stocks("high")
    assert time.process_time() - start < 5
    assert (len(table.symbols), len(table.dropped)) == (479, 26)


def test_bundled_closes():
    table = datasets.load_closes()
    closes = table.prices["close"]
    assert closes.shape == (437, 1258) and table.dropped == ()
    assert [str(day) for day in table.dates[[0, -1]]] == ["2003-01-02", "2007-12-31"]
    amazon = closes[table.symbols.index("AMZN")]
    assert (amazon[0], amazon[-1]) == (19.57, 92.64)
    apple = closes[table.symbols.index("AAPL")]  # A split 2:1 on 2005-02-28.
    assert np.abs(np.diff(np.log(apple))).max() < 0.15
    changes = closes[:, 1:] / closes[:, :-1]
    assert 0.65 < changes.min() and changes.max() < 1.5


def test_bundled_six_stocks():
    table = datasets.load_six_stocks()
    assert table.symbols == ("AAPL", "AMZN", "GOOG", "META", "NFLX", "NVDA")
    assert list(table.prices) == ["open", "high", "low", "close"]
    assert table.prices["high"].shape == (6, 2699)
    assert (table.prices["high"] >= table.prices["low"]).all()
    assert str(table.dates[0]) == "2013-01-02"


def test_bundled_closes_stand_in_for_a_file_of_your_own(folder):
    name = "sp500_closes_2003_2007.csv.xz"
    (folder / name).symlink_to(files.ROOT / "data" / name)
    assert datasets.load_stocks().source == name
    with pytest.raises(ValueError, match="column 'high'. Received: none; .*has closes"):
        datasets.load_stocks("high")
    write(folder, make_lines())
    assert datasets.load_stocks().source == "sp500.csv"
