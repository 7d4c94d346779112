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


def read(lines, **options):
    return tables.parse_table("own.csv", "\n".join(lines).encode(), **options)


def test_good_table_is_read_as_it_is():
    table = read(make_lines())
    assert table.columns == ("power", "load") and table.notes == ()
    assert table.values.shape == (40, 2) and table.values[9].tolist() == [2, 9 / 8]
    assert table.step == pd.Timedelta("15min")
    assert str(table.times[3]) == "2024-01-01T00:45:00.000000000"


def test_table_is_read_from_a_packed_file(tmp_path):
    path = tmp_path / "own.csv.xz"
    path.write_bytes(lzma.compress("\n".join(make_lines()).encode()))
    assert tables.read_table(path).source == "own.csv.xz"
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
    "a constant column": (add_column(3), "Column 'extra' is left out: it is constant"),
    "an empty column": (add_column(""), "Column 'extra' is left out: it has no value"),
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
def test_what_needs_no_guess_is_handled(name):
    edit, note = HANDLED[name]
    table = read(edit(make_lines()))
    assert table.columns == ("power", "load") and len(table.values) == 40
    assert [note in told for told in table.notes] == ([True] if note else [])
    expected = read(make_lines()).values
    missing = np.isnan(table.values)
    assert missing.any() == (name == "a missing row")
    np.testing.assert_array_equal(table.values[~missing], expected[~missing])
    assert (np.diff(table.times) == np.timedelta64(15, "m")).all()


def test_missing_values_stay_missing():
    lines = make_lines()
    for line, text in enumerate(["", "NaN", "n/a", "null", " - "], start=3):
        moment, power, _ = lines[line].split(",")
        lines[line] = f"{moment},{power},{text}"
    table = read(lines)
    assert np.flatnonzero(np.isnan(table.values[:, 1])).tolist() == [2, 3, 4, 5, 6]
    assert not np.isnan(table.values[:, 0]).any()


def test_semicolons_with_decimal_commas():
    lines = [
        line.replace(",", ";").replace(".", ",").replace("-01 ", ".2024 ")
        for line in make_lines()
    ]
    lines = [line.replace("2024-01.2024", "01.01.2024") for line in lines]
    assert lines[2] == "01.01.2024 00:15:00;1;0,125"
    table = read(lines)
    np.testing.assert_array_equal(table.values, read(make_lines()).values)
    assert str(table.times[1]) == "2024-01-01T00:15:00.000000000"


def test_a_hundred_columns_and_numbers_as_times():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(50, 100)).round(3), np.arange(50) * 0.5)
    frame.columns = [f"c{column}" for column in frame]
    text = frame.rename_axis("step").to_csv()
    table = tables.parse_table("own.csv", text.encode())
    assert table.values.shape == (50, 100) and table.step == 0.5
    np.testing.assert_allclose(table.values, frame)
    picked = tables.parse_table("own.csv", text.encode(), columns=["c7", "c3"])
    np.testing.assert_array_equal(picked.values, table.values[:, [7, 3]])


def test_rounded_times_are_regular_and_long_gaps_are_shortened():
    seconds = np.floor(np.arange(300) * 15.625)  # Cut to whole milliseconds.
    seconds[200:] += 1e9
    lines = ["time,a", *(f"{second},{row}" for row, second in enumerate(seconds))]
    table = read(lines)
    assert len(table.values) == 300 + 999
    assert table.values[:200, 0].tolist() == list(range(200))
    assert np.isnan(table.values[200:1199]).all()
    assert table.values[1199:, 0].tolist() == list(range(200, 300))
    assert table.times[1199] == seconds[200]


def test_gap_of_no_whole_number_of_steps_leaves_the_rows_as_they_are():
    seconds = np.arange(100.0) * 10
    seconds[40:] += 333  # 33.3 steps more.
    table = read(["time,a", *(f"{second},{row}" for row, second in enumerate(seconds))])
    known = ~np.isnan(table.values[:, 0])
    assert table.values[known, 0].tolist() == list(range(100))
    assert np.flatnonzero(~known).tolist() == list(range(40, 73))
    np.testing.assert_array_equal(table.times[known], seconds)


def test_irregular_rows_are_averaged_over_steps():
    rng = np.random.default_rng(1)
    moments = np.sort(rng.uniform(0, 1000, 2000))
    lines = ["time,a", *(f"{moment:.6f},{moment:.6f}" for moment in moments)]
    table = read(lines, every=2)
    assert "averaged over steps of 2" in table.notes[0] and table.step == 2
    known = ~np.isnan(table.values[:, 0])
    assert abs(table.values[known, 0] - table.times[known]).max() <= 1.0001
    assert len(table.values) == pytest.approx(500, abs=2)
    with pytest.raises(ValueError, match="2000 rows at irregular .*a longer EVERY"):
        read(lines, every=0.1)


REFUSED = {  # Name: (edit of the lines or bytes, options, message).
    "an empty file": (lambda lines: [], {}, "first line. Received: an empty file"),
    "an empty first line": (lambda lines: ["", *lines], {}, "an empty line"),
    "names only": (lambda lines: lines[:1], {}, "should have rows"),
    "no column of times": (
        replace_line(1, "when,power,load"),
        {},
        "name it with TIME. Received the columns: when, power, load",
    ),
    "another column of times": (
        lambda lines: lines,
        {"time": "when"},
        "column of times 'when'; name it with TIME. Received",
    ),
    "a column that is not there": (
        lambda lines: lines,
        {"columns": ["power", "wind"]},
        "should have the columns wind. Received the columns: time, power, load",
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
        "line 9, column 'power': should be a number.*'seven'",
    ),
    "text in two lines": (
        lambda lines: replace_line(9, "2024-01-01 01:45:00,7 kW,1")(
            replace_line(5, "2024-01-01 00:45:00,3 kW,1")(lines)
        ),
        {},
        "line 5, column 'power': .*'3 kW' and 1 more",
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
    "all values missing": (
        lambda lines: [lines[0], *(line.split(",")[0] + ",," for line in lines[1:])],
        {},
        "Column 'power' is left out: it has no value. Column 'load' is left",
    ),
    "a constant column that is asked for": (
        add_column(3),
        {"columns": ["extra"]},
        "column 'extra': should change. Received: it is constant; leave it out",
    ),
    "no time": (replace_line(5, ",3,1"), {}, "line 5, column 'time': .*nothing; fill"),
    "a time that is none": (
        replace_line(5, "noon,3,1"),
        {},
        "line 5, column 'time': should be a time. Received: 'noon'; write times like",
    ),
    "days and months alike": (
        lambda lines: [
            lines[0],
            *(f"0{row}/0{row}/2024,{row},{row}" for row in range(1, 9)),
        ],
        {},
        "day and month can be told apart in no line",
    ),
    "a zone in one line": (
        replace_line(5, "2024-01-01 00:45:00Z,3,1"),
        {},
        "line 5, column 'time': all times should have a zone or none",
    ),
    "a time twice": (
        replace_line(5, "2024-01-01 00:30:00,8,8"),
        {},
        "line 5: there should be one row .*than in line 4, .*a clock was put back",
    ),
    "one row": (lambda lines: lines[:2], {}, "column of numbers that change"),
    "two rows": (lambda lines: lines[:3], {}, "many rows of different times"),
    "a separator of thousands": (
        lambda lines: ["time;a", "1;1.234,5", "2;2,5", "3;1"],
        {},
        "line 2, column 'a': .*a separator of thousands",
    ),
    "another encoding": (
        lambda lines: "\n".join([*lines, "2024-01-02,1,1,ü"]).encode("latin-1"),
        {},
        "line 42: should be text in UTF-8. Received: the byte 0xfc",
    ),
    "a step that is none": (lambda lines: lines, {"every": "soon"}, "`every` should"),
    "a step back": (lambda lines: lines, {"every": "-1min"}, "it is not above 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_need_a_guess_is_refused(name):
    edit, options, message = REFUSED[name]
    content = edit(make_lines())
    if not isinstance(content, bytes):
        content = "\n".join(content).encode()
    with pytest.raises(ValueError, match=message) as raised:
        tables.parse_table("own.csv", content, **options)
    assert "own.csv" in str(raised.value) or "every" in options
