"""Damaged files: each is named, with what was expected and received."""

import gzip
import lzma
import re

from helpers import datasets, files
from helpers.datasets.stocks_test import make_lines

import pytest


def flip_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DATA = files.ROOT / "data"
BUNDLED = {  # Name: (loader, script that builds it).
    "train-images-idx3-ubyte.gz": (datasets.load_mnist, "build_mnist.py"),
    "sp500_closes_2003_2007.csv.xz": (datasets.load_stocks, "build_sp500_closes.py"),
    "stocks_daily_2013_2023.csv.xz": (
        *(datasets.load_six_stocks, "build_stocks_daily.py"),
    ),
    "departures_2013.csv.xz": (datasets.load_departures, "build_departures.py"),
    "inverter_2173.csv.xz": (
        lambda: datasets.load_measured("inverter_2173"),
        "build_series.py",
    ),
}
PACKED = {  # Of the file as it lies there.
    "missing": (lambda content: None, "should be a file. Received: no such file"),
    "empty": (lambda content: b"", "should (be a whole|have the SHA-256)"),
    "cut off": (
        lambda content: content[:-9],
        r"should be a whole .\w\w file. Received: \d+ bytes that do not unpack",
    ),
    "with a flipped bit": (flip_bit, r"should be a whole .\w\w file"),
    "with another beginning": (
        lambda content: b"xx" + content[2:],
        r"should be a whole .\w\w file",
    ),
    "not fetched": (
        lambda content: b"version https://git-lfs.github.com/spec/v1",
        r"should be a whole .\w\w file. Received: 42 bytes",
    ),
}
UNPACKED = {  # Of its content.
    "not packed": (lambda content: content, r"should be a whole .\w\w file"),
    "of another value": (flip_bit, "should have the SHA-256 .*Received: [0-9a-f]{64}"),
    "with one value less": (lambda content: content[:-1], "should have the SHA-256"),
    "swapped": (lambda content: b"another file", "should have the SHA-256"),
}


@pytest.mark.parametrize("damage", [*PACKED, *UNPACKED])
@pytest.mark.parametrize("name", BUNDLED)
def test_damaged_bundled_file_is_refused(folder, name, damage):
    load, script = BUNDLED[name]
    content = (DATA / name).read_bytes()
    codec, fast = (gzip, 0) if name.endswith(".gz") else (lzma, None)
    if damage in PACKED:
        edit, told = PACKED[damage]
        content = edit(content)
    else:
        edit, told = UNPACKED[damage]
        content = edit(codec.decompress(content))
        if damage != "not packed":
            level = {"compresslevel": 0} if codec is gzip else {"preset": 0}
            content = codec.compress(content, **level)
    if content is not None:
        (folder / name).write_bytes(content)
    error = FileNotFoundError if content is None else ValueError
    with pytest.raises(error, match=f"{name} {told}.*git checkout.*data/{script}"):
        load()


@pytest.mark.parametrize(
    "name, content, told",
    [
        ("train-labels-idx1-ubyte.gz", b"with a tail", "should be a whole .gz file"),
        ("t10k-labels-idx1-ubyte.gz", None, "should be a file"),
    ],
)
def test_every_file_of_the_digits_is_checked(folder, name, content, told):
    for path in DATA.glob("*-ubyte.gz"):
        (folder / path.name).symlink_to(path)
    (folder / name).unlink()
    if content:
        (folder / name).write_bytes((DATA / name).read_bytes() + content)
    with pytest.raises((ValueError, FileNotFoundError), match=f"{name} {told}"):
        datasets.load_mnist()


def replace_line(number, line):
    """Replaces a line; the header is line 1."""
    return lambda lines: [*lines[: number - 1], line, *lines[number:]]


def replace_text(old, new):
    return lambda lines: [line.replace(old, new) for line in lines]


def recode(edit):
    """Changes the bytes of the file."""
    return lambda lines: edit("\n".join(lines).encode())


OWN = {  # What is wrong with a file of your own: (damage, what you are told).
    # The file.
    "empty": (lambda lines: [], "should have one column 'symbol'.*Received: an empty"),
    "not UTF-8": (recode(lambda c: c + b"\n\xe9,,,,,,"), "comma-separated .*in UTF-8"),
    "packed under a plain name": (recode(gzip.compress), "comma-separated .*in UTF-8"),
    "old line ends": (recode(lambda c: c.replace(b"\n", b"\r")), "comma-separated"),
    "cut off in a line": (
        recode(lambda c: c[:-12]),
        "line 31: .*7 values. .*: 4",
    ),
    # The first line.
    "first line empty": (lambda lines: ["", *lines], "first line. .*an empty line"),
    "names only": (lambda lines: lines[:1], "should hold prices. .*column names only"),
    "no names": (lambda lines: lines[1:], "one column 'symbol'"),
    "no dates": (replace_text("date", "day"), "column 'date' .*Received: symbol, day"),
    "no closes": (replace_text("close", "last"), "column 'close' .* low, last, volume"),
    "two symbols": (replace_text("volume", "Name"), "one column 'symbol'"),
    "semicolons": (replace_text(",", ";"), "column 'symbol' .*Received: symbol;date"),
    # The number of values.
    "a value too many": (
        replace_line(4, "S0,2014-01-06,9.5,11,9,10,1000,1"),
        "line 4: there should be 7 values. Received: 8",
    ),
    "a value too many in each line": (
        lambda lines: [lines[0], *(line + ",7" for line in lines[1:])],
        "line 2: there should be 7 values. Received: 8",
    ),
    "a value too few after a blank line": (
        lambda lines: [lines[0], "", "A", *lines[2:]],
        "line 3: there should be 7 values. Received: 1",
    ),
    "an unclosed quote": (
        replace_line(5, '"S1,2014-01-02,9.5,11,9,10,1000'),
        "line 5: there should be 7 values. Received: 1",
    ),
    "an unclosed quote around a date": (
        replace_line(3, 'S0,"2014-01-03,9.5,11,9,10,1000'),
        "line 3: there should be 7 values. Received: 2",
    ),
    # Symbols and dates.
    "no symbol": (
        replace_line(3, ",2014-01-03,9.5,11,9,10,1000"),
        "line 3: a symbol should be given, .*: '' on 2014-01-03",
    ),
    "a symbol of spaces": (
        replace_line(3, "  ,2014-01-03,9.5,11,9,10,1000"),
        "line 3: a symbol should .*Received: '  '",
    ),
    "a date of another form": (
        replace_line(3, "S0,01/03/2014,9.5,11,9,10,1000"),
        "line 3: a date should be like 2014-01-31. Received: '01/03/2014'",
    ),
    "a date that is none": (
        replace_line(3, "S0,2014-02-30,9.5,11,9,10,1000"),
        "line 3: a date should be like 2014-01-31. Received: '2014-02-30'",
    ),
    "no date": (replace_line(5, "S1,,9.5,11,9,10,1000"), "line 5: a date .*: ''"),
    "a day twice": (
        replace_line(7, "S1,2014-01-03,9.5,11,9,10,1000"),
        "line 7: a symbol should be given, once per date. .*'S1' on 2014-01-03 again",
    ),
    "a day twice, the second at the end": (
        lambda lines: [*lines, lines[2]],
        "line 32: a symbol should be given, .*: 'S0' on 2014-01-03 again",
    ),
    # Prices.
    **{
        f"a price of {text}": (
            replace_line(6, f"S1,2014-01-03,9.5,11,9,{text},1000"),
            f"line 6: a price should be a positive number. Received: '{told}'",
        )
        for text, told in {
            "ten": "ten",
            '"10,5"': "10,5",
            "9.5 USD": "9.5 USD",
            "True": "True",
            "0": "0",
            "0.0": "0.0",
            "-1.5": "-1.5",
            "inf": "inf",
            "-inf": "-inf",
            "none": "none",
        }.items()
    },
    "gaps and too few stocks left": (
        replace_line(7, "S1,2014-01-06,9.5,11,9,,1000"),
        "should hold 10 stocks with .* each date. Received: 9, and 1 with gaps",
    ),
    "too few stocks": (lambda lines: lines[:28], "hold 10 .*Received: 9, and 0 with"),
}


@pytest.mark.parametrize("damage", OWN)
def test_damaged_file_of_your_own_is_refused(folder, damage):
    edit, told = OWN[damage]
    content = edit(make_lines())
    if not isinstance(content, bytes):
        content = "\n".join(content).encode()
    path = folder / "sp500.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"sp500.csv[ ,].*{told}"):
        datasets.load_stocks()
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", datasets.OWN_FILES[1:])
def test_damaged_compression_of_your_own_file_is_refused(folder, name):
    (folder / name).write_text("\n".join(make_lines()))
    with pytest.raises(ValueError, match=rf"{name} should be a whole .\w+ file"):
        datasets.load_stocks()
    (folder / "sp500.csv").write_text("")
    with pytest.raises(ValueError, match=f"one file of your own .*sp500.csv, {name}"):
        datasets.load_stocks()


HEADER = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])
IDX = {
    "empty": (b"", "idx bytes 00 00 08.*Received: an empty file"),
    "cut off in the type": (HEADER[:3], "idx bytes 00 00 08.*Received: 00 00 08"),
    "of another type": (b"\0\0\x0d" + HEADER[3:] + bytes(6), "Received: 00 00 0d 02"),
    "without axes": (b"\0\0\x08\0" + bytes(6), "Received: 00 00 08 00"),
    "cut off in the lengths": (HEADER[:10], "idx bytes .* their lengths. Received: 00"),
    "a value less": (HEADER + bytes(5), r"12 bytes and .*\(2, 3\). Received: 17 bytes"),
    "a value more": (HEADER + bytes(7), r"12 bytes and .*\(2, 3\). Received: 19 bytes"),
}


@pytest.mark.parametrize("damage", IDX)
def test_damaged_images_of_your_own_are_refused(tmp_path, damage):
    content, told = IDX[damage]
    path = tmp_path / "own-idx2-ubyte.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=f"{re.escape(str(path))} should .*{told}"):
        datasets.read_idx(path)
