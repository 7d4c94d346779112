"""Tests of tables of your own: what is read, and what is refused and how."""

import lzma

from helpers.series import tables

import numpy as np
import pandas as pd
import pytest


def make_lines(num_rows=40):
    """Lines of a good table: time, two columns that change, each quarter of an hour."""
    moments = pd.date_range("2024-01-01", periods=num_rows, freq="15min")
    lines = [f"{moment},{row % 7},{row / 8}" for row, moment in enumerate(moments)]
    return ["time,power,load", *lines]


@pytest.fixture
def read(tmp_path):
    """Writes lines, or bytes, to a file and reads it."""

    def read(lines, **options):
        content = lines if isinstance(lines, bytes) else "\n".join(lines).encode()
        (tmp_path / "own.csv").write_bytes(content)
        return tables.read_table(tmp_path / "own.csv", **options)

    return read


def test_good_table_is_read_as_it_is(read):
    table = read(make_lines())
    assert table.columns == ("power", "load") and table.notes == ()
    assert table.values.shape == (40, 2) and table.values[9].tolist() == [2, 9 / 8]
    assert table.step == pd.Timedelta("15min")
    assert str(table.times[3]) == "2024-01-01T00:45:00.000000000"


def test_table_is_read_from_a_packed_file(tmp_path):
    path = tmp_path / "own.csv.xz"
    path.write_bytes(lzma.compress("\n".join(make_lines()).encode()))
    assert tables.read_table(path).values.shape == (40, 2)
    with pytest.raises(FileNotFoundError, match="other.csv should be a file"):
        tables.read_table(tmp_path / "other.csv")


def replace_line(line, text):
    return lambda lines: [*lines[: line - 1], text, *lines[line:]]


def add_column(value):
    """Adds a column `extra`; a function of the row, or a constant."""

    def edit(lines):
        get = value if callable(value) else lambda row: value
        rows = [f"{line},{get(row)}" for row, line in enumerate(lines[1:])]
        return [f"{lines[0]},extra", *rows]

    return edit


HANDLED = {  # Name: (edit of the lines, note).
    "unsorted": (lambda lines: [lines[0], *lines[:0:-1]], "are sorted"),
    "a row twice": (lambda lines: [*lines[:6], *lines[5:]], "1 rows are repeated"),
    "a missing row": (lambda lines: [*lines[:6], *lines[7:]], "1 steps are missing"),
    "a column of words": (
        add_column(lambda row: "night" if row < 20 else "day"),
        "Column 'extra' is left out: it holds no numbers",
    ),
    "blank lines": (lambda lines: [*lines[:4], "", *lines[4:], "", ""], None),
    "Windows": (lambda lines: [line + "\r" for line in lines], None),
    "a mark at the beginning": (lambda lines: ["\ufeff" + lines[0], *lines[1:]], None),
    "another zone after a while": (
        lambda lines: [
            lines[0],
            *(
                line.replace(",", "+01:00,", 1)
                if row < 20
                # An hour later by the clock, at the same distance.
                else (
                    str(pd.Timestamp(line.split(",")[0]) + pd.Timedelta("1h"))
                    + "+02:00,"
                    + line.split(",", 1)[1]
                )
                for row, line in enumerate(lines[1:])
            ),
        ],
        "The time zone changes; all times are in UTC",
    ),
}


@pytest.mark.parametrize("name", HANDLED)
def test_what_needs_no_guess_is_handled(read, name):
    edit, note = HANDLED[name]
    table = read(edit(make_lines()))
    assert table.columns == ("power", "load") and len(table.values) == 40
    assert [note in told for told in table.notes] == ([True] if note else [])
    expected = read(make_lines()).values
    missing = np.isnan(table.values)
    assert missing.any() == (name == "a missing row")
    np.testing.assert_array_equal(table.values[~missing], expected[~missing])
    assert (np.diff(table.times) == np.timedelta64(15, "m")).all()


def test_missing_values_stay_missing(read):
    lines = make_lines()
    for line, text in enumerate(["", "NaN", "n/a", "null", " -"], start=3):
        moment, power, _ = lines[line].split(",")
        lines[line] = f"{moment},{power},{text}"
    table = read(lines)
    assert np.flatnonzero(np.isnan(table.values[:, 1])).tolist() == [2, 3, 4, 5, 6]
    assert not np.isnan(table.values[:, 0]).any()


def test_semicolons_with_decimal_commas(read):
    lines = [
        line.replace(",", ";").replace(".", ",").replace("-01 ", ".2024 ")
        for line in make_lines()
    ]
    lines = [line.replace("2024-01.2024", "01.01.2024") for line in lines]
    assert lines[2] == "01.01.2024 00:15:00;1;0,125"
    table = read(lines)
    np.testing.assert_array_equal(table.values, read(make_lines()).values)
    assert str(table.times[1]) == "2024-01-01T00:15:00.000000000"


def test_a_hundred_columns_and_numbers_as_times(read):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(50, 100)).round(3), np.arange(50) * 0.5)
    frame.columns = [f"c{column}" for column in frame]
    text = frame.rename_axis("step").to_csv()
    table = read(text.encode())
    assert table.values.shape == (50, 100) and table.step == 0.5
    np.testing.assert_allclose(table.values, frame)
    picked = read(text.encode(), columns=["c7", "c3"])
    np.testing.assert_array_equal(picked.values, table.values[:, [7, 3]])


def test_rounded_times_are_regular_and_long_gaps_are_shortened(read):
    seconds = np.floor(np.arange(300) * 15.625)  # Cut to whole milliseconds.
    seconds[200:] += 1e9
    lines = ["time,a", *(f"{second},{row}" for row, second in enumerate(seconds))]
    table = read(lines)
    assert len(table.values) == 300 + 999
    assert table.values[:200, 0].tolist() == list(range(200))
    assert np.isnan(table.values[200:1199]).all()
    assert table.values[1199:, 0].tolist() == list(range(200, 300))
    assert table.times[1199] == seconds[200]


def test_gap_of_no_whole_number_of_steps_leaves_the_rows_as_they_are(read):
    seconds = np.arange(100.0) * 10
    seconds[40:] += 333  # 33.3 steps more.
    table = read(["time,a", *(f"{second},{row}" for row, second in enumerate(seconds))])
    known = ~np.isnan(table.values[:, 0])
    assert table.values[known, 0].tolist() == list(range(100))
    assert np.flatnonzero(~known).tolist() == list(range(40, 73))
    np.testing.assert_array_equal(table.times[known], seconds)


def test_irregular_rows_are_averaged_over_steps(read):
    rng = np.random.default_rng(1)
    moments = np.sort(rng.uniform(0, 1000, 2000))
    lines = ["time,a", *(f"{moment:.6f},{moment:.6f}" for moment in moments)]
    table = read(lines, every=2)
    assert "averaged over steps of 2" in table.notes[0] and table.step == 2
    known = ~np.isnan(table.values[:, 0])
    assert abs(table.values[known, 0] - table.times[known]).max() <= 1.0001
    assert len(table.values) == pytest.approx(500, abs=2)
    with pytest.raises(ValueError, match="regular rows, or a longer EVERY"):
        read(lines, every=0.1)


REFUSED = {  # Name: (edit of the lines or bytes, options, message).
    "an empty file": (lambda lines: [], {}, "names in the first line.*No columns"),
    "an empty first line": (lambda lines: ["", *lines], {}, "as many values"),
    "names only": (lambda lines: lines[:1], {}, "have rows. Received: .*, 0 rows"),
    "no column of times": (
        replace_line(1, "when,power,load"),
        {},
        "named by TIME.* Received: when, power, load; times is missing",
    ),
    "another column of times": (list, {"time": "when"}, "; when is missing"),
    "a column that is not there": (
        list,
        {"columns": ["power", "wind"]},
        "those of COLUMNS. Received: time, power, load; wind is missing",
    ),
    "a column twice": (replace_line(1, "time,load,load"), {}, "each column once.*load"),
    "a value too many": (
        replace_line(7, "2024-01-01 01:15:00,5,1,9"),
        {},
        "as many values .*line 7, saw 4",
    ),
    "text in a column of numbers": (
        replace_line(9, "2024-01-01 01:45:00,seven,1"),
        {},
        "line 9, column 'power': should be a finite number.*'seven'",
    ),
    "words that are asked for": (
        add_column("night"),
        {"columns": ["extra"]},
        "line 2, column 'extra': .*'night', and 39 more",
    ),
    "infinity": (
        replace_line(4, "2024-01-01 00:30:00,2,-inf"),
        {},
        "line 4, column 'load': should be a finite number, .*'-inf'",
    ),
    "too large a number": (
        replace_line(4, "2024-01-01 00:30:00,2,1e400"),
        {},
        "line 4, column 'load': should be a finite number",
    ),
    "no time": (replace_line(5, ",3,1"), {}, "line 5, column 'time': .*fill it in"),
    "a time that is none": (
        replace_line(5, "noon,3,1"),
        {},
        "line 5, column 'time': should be like 2024-01-31.* Received: 'noon'",
    ),
    "days and months alike": (
        lambda lines: [
            lines[0],
            *(f"0{row}/0{row}/2024,{row},{row}" for row in range(1, 9)),
        ],
        {},
        "day and month that differ once",
    ),
    "a zone in one line": (
        replace_line(5, "2024-01-01 00:45:00Z,3,1"),
        {},
        "line 5, column 'time': should be with a time zone, or all without one",
    ),
    "a time twice": (
        replace_line(5, "2024-01-01 00:30:00,8,8"),
        {},
        "line 5, column 'time': should be another time .*a clock was put back",
    ),
    "two rows": (lambda lines: lines[:3], {}, "many rows. Received: 2"),
    "a separator of thousands": (
        lambda lines: ["time;a", "1;1.234,5", "2;2,5", "3;1"],
        {},
        "line 2, column 'a': .*'1.234,5'",
    ),
    "another encoding": (
        lambda lines: "\n".join([*lines, "2024-01-02,1,1,ü"]).encode("latin-1"),
        {},
        "text in UTF-8",
    ),
    "a step back": (list, {"every": "-1min"}, "`every` should be above 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_need_a_guess_is_refused(read, tmp_path, name):
    edit, options, message = REFUSED[name]
    with pytest.raises(ValueError, match=message) as raised:
        read(edit(make_lines()), **options)
    assert "own.csv" in str(raised.value) or "every" in options
    assert [path.name for path in tmp_path.iterdir()] == ["own.csv"]
