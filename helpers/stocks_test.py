import gzip
import hashlib
import importlib.util
import io
import lzma
import shutil
import time
import zipfile

import numpy as np
import pandas as pd
import pytest

from helpers import stocks

HEADER = "symbol,date,open,high,low,close,volume"
DATES = ("2014-01-02", "2014-01-03", "2014-01-06")


def make_lines(symbols=("A", "B", "C"), dates=DATES):
    """Lines of a file: the close of stock i on day j is 100 (i + 1) + j."""
    return [HEADER] + [
        f"{symbol},{date},9.5,{100 * i + j + 110},9,{100 * i + j + 100},1000"
        for i, symbol in enumerate(symbols)
        for j, date in enumerate(dates)
    ]


def write(folder, lines, name="sp500.csv"):
    path = folder / name
    content = "\n".join(lines).encode()
    if name.endswith(".gz"):
        content = gzip.compress(content)
    elif name.endswith(".xz"):
        content = lzma.compress(content)
    elif name.endswith(".zip"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("some_name.csv", content)
            archive.writestr("__MACOSX/._some_name.csv", b"x")
        content = packed.getvalue()
    path.write_bytes(content)
    return path


def check_made(table):
    assert table.symbols == ("A", "B", "C")
    assert table.dates.astype(str).tolist() == list(DATES)
    expected = 100 * np.arange(1, 4)[:, np.newaxis] + np.arange(3)
    np.testing.assert_array_equal(table.prices["close"], expected)
    assert table.prices["close"].dtype == "float64"
    assert table.dropped == ()


@pytest.mark.parametrize("name", stocks.OWN_FILES)
def test_own_file_is_used_plain_and_compressed(tmp_path, name):
    write(tmp_path, make_lines(), name)
    table = stocks.load_stocks(min_stocks=3, folder=tmp_path)
    check_made(table)
    assert table.source == name


VARIANTS = {
    "Name for symbol": lambda lines: [
        lines[0].replace("symbol", "Name"),
        *lines[1:],
    ],
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
    "blank lines": lambda lines: [*lines[:4], "", *lines[4:], "", ""],
    "spaces around names": lambda lines: [lines[0].replace(",", " , "), *lines[1:]],
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_of_the_file_give_the_same_table(tmp_path, variant):
    path = write(tmp_path, VARIANTS[variant](make_lines()))
    check_made(stocks.read_stocks(path))


def test_columns_asked_for_are_read(tmp_path):
    table = stocks.read_stocks(write(tmp_path, make_lines()), ("high", "close"))
    assert list(table.prices) == ["high", "close"]
    np.testing.assert_array_equal(
        table.prices["high"] - table.prices["close"], np.full((3, 3), 10)
    )


@pytest.mark.parametrize("price", ["", "NaN", "null"])
def test_stocks_with_gaps_are_dropped_and_named(tmp_path, price):
    lines = make_lines(("A", "B", "C", "D"))
    del lines[5]  # B on the second day.
    lines[8] = f"C,{DATES[2]},9.5,10,9,{price},1000"
    table = stocks.read_stocks(write(tmp_path, lines))
    assert table.symbols == ("A", "D")
    assert table.dropped == ("B", "C")
    assert table.prices["close"][1].tolist() == [400, 401, 402]
    # An empty price in a column that is not asked for is no gap.
    assert stocks.read_stocks(write(tmp_path, lines), ["low"]).dropped == ("B",)


def test_a_symbol_may_look_like_a_number_or_a_missing_value(tmp_path):
    table = stocks.read_stocks(write(tmp_path, make_lines(("NA", "TRUE", "12"))))
    assert table.symbols == ("12", "NA", "TRUE")


def replace(lines, number, line):
    """Replaces a line; the header is line 1."""
    return [*lines[: number - 1], line, *lines[number:]]


FAULTS = {
    "empty file": (lambda lines: [], "an empty file"),
    "first line empty": (lambda lines: ["", *lines], "an empty first line"),
    "header only": (lambda lines: lines[:1], "column names only"),
    "no close": (
        lambda lines: [lines[0].replace("close", "last"), *lines[1:]],
        "column 'close' .* no such column; .* low, last, volume",
    ),
    "no header": (lambda lines: lines[1:], "column 'symbol'"),
    "semicolons": (
        lambda lines: [line.replace(",", ";") for line in lines],
        "column 'symbol'",
    ),
    "two symbols": (
        lambda lines: [lines[0].replace("volume", "Name"), *lines[1:]],
        "column 'symbol' .* several",
    ),
    "no symbol": (
        lambda lines: replace(lines, 3, " ,2014-01-03,9.5,10,9,9.5,1000"),
        "line 3 has none",
    ),
    "date": (
        lambda lines: replace(lines, 3, "A,03/01/2014,9.5,10,9,9.5,1000"),
        "column date. Received: line 3 has '03/01/2014'",
    ),
    "impossible date": (
        lambda lines: replace(lines, 4, "A,2014-02-30,9.5,10,9,9.5,1000"),
        "column date. Received: line 4 has '2014-02-30'",
    ),
    "after a blank line": (
        lambda lines: ["", *lines[1:]] and [lines[0], "", *replace(lines, 3, "A")[1:]],
        "line 4 has 1",
    ),
    "text": (
        lambda lines: replace(lines, 5, "B,2014-01-02,9.5,10,9,9.5 USD,1000"),
        "column close. Received: line 5 has '9.5 USD'",
    ),
    "only text": (
        lambda lines: [lines[0], "A,2014-01-02,9.5,10,9,True,1000"],
        "column close. Received: line 2 has 'True'",
    ),
    "zero": (
        lambda lines: replace(lines, 6, "B,2014-01-03,9.5,10,9,0,1000"),
        "column close. Received: line 6 has '0'",
    ),
    "negative": (
        lambda lines: replace(lines, 6, "B,2014-01-03,9.5,10,9,-1.5,1000"),
        "column close. Received: line 6 has '-1.5'",
    ),
    "infinite": (
        lambda lines: replace(lines, 7, "B,2014-01-06,9.5,10,9,inf,1000"),
        "column close. Received: line 7 has 'inf'",
    ),
    "duplicate": (
        lambda lines: [*lines, lines[2]],
        "line 11 has A on 2014-01-03 again, as in line 3",
    ),
    "cut off": (
        lambda lines: [*lines[:-1], "C,2014-01-06,9.5,10"],
        "7 values in each line. Received: line 10 has 4",
    ),
    "too many values": (
        lambda lines: replace(lines, 3, lines[2] + ",7"),
        "7 values in each line. Received: line 3 has 8",
    ),
    "too many values in each": (
        lambda lines: [lines[0], *(line + ",7" for line in lines[1:])],
        "7 values in each line. Received: line 2 has 8",
    ),
    "not UTF-8": (lambda lines: [*lines, "\udcff"], "in UTF-8"),
    "an unclosed quote": (
        lambda lines: replace(lines, 3, 'A,"2014-01-03,9.5,10,9,9.5,1000'),
        "7 values in each line",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_refused_with_their_place(tmp_path, fault):
    break_lines, message = FAULTS[fault]
    content = "\n".join(break_lines(make_lines())).encode(errors="surrogateescape")
    path = tmp_path / "sp500.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"sp500.csv .*{message}"):
        stocks.read_stocks(path)


def test_too_few_stocks_for_a_split_are_refused(tmp_path):
    path = write(tmp_path, make_lines())
    with pytest.raises(ValueError, match="at least 4 symbols in its column symbol"):
        stocks.read_stocks(path, min_stocks=4)
    lines = make_lines()
    del lines[6]
    message = "at least 3 .* Received: 2 of 3 symbols; B, for instance, lacks 1 dates"
    with pytest.raises(ValueError, match=message):
        stocks.read_stocks(write(tmp_path, lines), min_stocks=3)


@pytest.mark.parametrize("name", stocks.OWN_FILES[1:])
def test_damaged_compression_is_refused(tmp_path, name):
    path = write(tmp_path, make_lines(), name)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=f"{name} should be a whole"):
        stocks.read_stocks(path)


def test_several_files_are_refused(tmp_path):
    write(tmp_path, make_lines())
    write(tmp_path, make_lines(), "sp500.csv.gz")
    with pytest.raises(ValueError, match="one file .* sp500.csv, sp500.csv.gz"):
        stocks.load_stocks(folder=tmp_path)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "a")
        archive.writestr("b.csv", "b")
    with pytest.raises(ValueError, match="two.zip should hold one file. .* 2"):
        stocks.read_stocks(tmp_path / "two.zip")


def test_arguments_are_checked(tmp_path):
    with pytest.raises(ValueError, match="`columns` should be of .*adjusted"):
        stocks.read_stocks("any.csv", ("adjusted",))
    with pytest.raises(ValueError, match="`column` should be 'close'.*'high'"):
        stocks.load_stocks("high", folder=tmp_path)
    with pytest.raises(FileNotFoundError, match="none.csv should be a file"):
        stocks.read_stocks(tmp_path / "none.csv")


def test_large_file_is_read_in_time(tmp_path):
    """505 symbols on 1,007 days, 26 without the last one, in 3 seconds."""
    dates = np.arange("2014-01-01", "2017-12-31", dtype="datetime64[D]")[:1007]
    symbols = [f"S{number:03}" for number in range(505)]
    lines = make_lines(symbols, dates.astype(str))
    lines = [line for line in lines if line[1:4] >= "026" or str(dates[-1]) not in line]
    path = write(tmp_path, lines)
    assert len(lines) > 500_000
    start = time.process_time()  # Not wall time: other processes may be busy.
    table = stocks.read_stocks(path, ("high", "close"))
    seconds = time.process_time() - start
    assert len(table.symbols) == 479
    assert len(table.dropped) == 26
    assert seconds < 3


def test_bundled_closes():
    table = stocks.load_stocks(folder=stocks.DATA_FOLDER)
    if table.source in stocks.OWN_FILES:
        pytest.skip("There is a file of your own.")
    closes = table.prices["close"]
    assert closes.shape == (437, 1258)
    assert table.dropped == ()
    assert str(table.dates[0]) == "2003-01-02"
    assert str(table.dates[-1]) == "2007-12-31"
    amazon = closes[table.symbols.index("AMZN")]
    assert (amazon[0], amazon[-1]) == (19.57, 92.64)
    apple = closes[table.symbols.index("AAPL")]  # A split 2:1 on 2005-02-28.
    assert np.abs(np.diff(np.log(apple))).max() < 0.15
    changes = closes[:, 1:] / closes[:, :-1]
    assert 0.65 < changes.min()
    assert changes.max() < 1.5


def test_bundled_six_stocks():
    table = stocks.load_six_stocks()
    assert table.symbols == ("AAPL", "AMZN", "GOOG", "META", "NFLX", "NVDA")
    assert list(table.prices) == list(stocks.PRICE_COLUMNS)
    assert table.prices["high"].shape == (6, 2699)
    assert (table.prices["high"] >= table.prices["low"]).all()
    assert str(table.dates[0]) == "2013-01-02"


@pytest.mark.parametrize("name", [stocks.CLOSES_FILE, stocks.SIX_STOCKS_FILE])
def test_damaged_bundled_file_is_refused(tmp_path, name):
    load = {
        stocks.CLOSES_FILE: stocks.load_stocks,
        stocks.SIX_STOCKS_FILE: stocks.load_six_stocks,
    }[name]
    with pytest.raises(FileNotFoundError, match=f"{name}.*git checkout"):
        load(folder=tmp_path)
    content = lzma.decompress((stocks.DATA_FOLDER / name).read_bytes())
    damaged = content.replace(b"19.5", b"19.6", 1)
    (tmp_path / name).write_bytes(lzma.compress(damaged, preset=0))
    with pytest.raises(
        ValueError, match=f"{name} should have the SHA-256.*python data"
    ):
        load(folder=tmp_path)


def test_readme_has_the_checksums():
    readme = (stocks.DATA_FOLDER / "README.md").read_text("utf-8")
    for name, checksum in stocks.CHECKSUMS.items():
        assert f"{checksum}  {name.removesuffix('.xz')}" in readme
        packed = (stocks.DATA_FOLDER / name).read_bytes()
        assert f"{hashlib.sha256(packed).hexdigest()}  {name}" in readme


def test_every_adjustment_is_listed():
    """Of the stocks in the list some were left out: those with other jumps."""
    lines = (stocks.DATA_FOLDER / "sp500_jumps_2003_2007.csv").read_text().splitlines()
    assert lines[0] == "symbol,date,close_before,close_after,ratio"
    rows = [line.split(",") for line in lines[1:]]
    left_out = {row[0] for row in rows if row[4] == "none"}
    table = stocks.read_stocks(stocks.DATA_FOLDER / stocks.CLOSES_FILE)
    assert len(left_out) == 15
    assert not left_out & set(table.symbols)
    dates = table.dates.astype(str)
    for symbol, date, before, after, ratio in rows:
        if symbol in left_out:
            continue
        new, old = map(int, ratio.split(":"))
        closes = table.prices["close"][table.symbols.index(symbol)]
        day = int(np.flatnonzero(dates == date)[0])
        change = float(after) / float(before) * new / old
        assert closes[day] / closes[day - 1] == pytest.approx(change, abs=2e-3)


def test_own_file_beside_the_bundled_ones_wins(tmp_path):
    shutil.copy(stocks.DATA_FOLDER / stocks.CLOSES_FILE, tmp_path)
    assert stocks.load_stocks(folder=tmp_path).source == stocks.CLOSES_FILE
    write(tmp_path, make_lines())
    assert stocks.load_stocks(min_stocks=3, folder=tmp_path).source == "sp500.csv"


def load_build_script(name):
    path = stocks.DATA_FOLDER / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_splits_are_told_from_other_jumps():
    build = load_build_script("build_sp500_closes")
    days = build.trading_days()
    assert len(days) == 1258
    rng = np.random.default_rng(0)
    changes = rng.normal(0, 0.015, (len(days), 30))
    changes[400:] += np.log(0.95) * (np.arange(len(days) - 400) == 0)[:, np.newaxis]
    symbols = [f"S{number:02}" for number in range(30)]
    jumps = {
        "S00": (400, 1 / 2, "2:1"),  # On the day on which all others fall by 5 %.
        "S01": (500, 2 / 3, "3:2"),
        "S02": (600, 10, "1:10"),
        "S03": (700, 0.58, "none"),  # A spin-off: near no ratio.
        "S04": (800, 2 / 3, "none"),  # A fall: the days around it are not calm.
        "S05": (900, 0.8, None),  # No jump.
    }
    for symbol, (day, ratio, _) in jumps.items():
        changes[day, symbols.index(symbol)] += np.log(ratio)
    changes[801:806, 4] += [0.2, -0.2, 0.15, -0.15, 0.1]
    closes = pd.DataFrame(30 * np.exp(changes.cumsum(axis=0)), days, symbols)
    found = build.find_jumps(closes).set_index("symbol")
    expected = {name: kind for name, (_, _, kind) in jumps.items() if kind}
    assert found["ratio"].to_dict() == expected
    assert found["date"].to_dict() == {name: days[jumps[name][0]] for name in expected}
    adjusted = build.adjust(closes, found.reset_index())
    assert sorted(set(symbols) - set(adjusted)) == ["S03", "S04"]
    kept = adjusted[["S00", "S01", "S02"]].to_numpy()
    assert np.abs(np.diff(np.log(kept), axis=0)).max() < 0.15
    # The last closes stay as they were quoted.
    np.testing.assert_array_equal(kept[-1], closes[["S00", "S01", "S02"]].iloc[-1])


def test_table_of_six_stocks_is_checked(tmp_path):
    build = load_build_script("build_stocks_daily")
    with zipfile.ZipFile(tmp_path / "package.whl", "w") as package:
        lines = [f"{HEADER},adjusted", *(line + ",9" for line in make_lines()[1:])]
        package.writestr(build.DATA_PATH, "\n".join(lines))
    with pytest.raises(ValueError, match="should hold 2699 days of AAPL.*'A': 3"):
        build.read_package(tmp_path / "package.whl")
