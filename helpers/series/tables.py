"""Reads a table of your own: text, with a column of times and columns of numbers.

What cannot be read without a guess is a `ValueError` that names the line or column.
"""

import io
import pathlib
from typing import NamedTuple

from helpers import files

import numpy as np
import pandas as pd

USUAL_NAMES = {"time", "timestamp", "date", "datetime", "step", "zeit", "datum"}
DAYS, CLOCKS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y"), ("", " %H:%M", " %H:%M:%S")
FORMATS = [day + clock for day in DAYS for clock in CLOCKS]
ZONE = r":.*([zZ]|[+-]\d\d:?(?:\d\d)?)$"
TOLERANCE = 0.25  # Of a step: rounded times are not irregular.
SHORT_GAP = 10  # Steps; after a longer gap it does not matter where they go on.
LONGEST_GAP = 1000  # Steps that stand for a longer gap.


class Table(NamedTuple):
    """Columns of numbers, each step as long after the one before."""

    times: np.ndarray  # (steps,) datetime64[ns], in UTC where known, or float64.
    values: np.ndarray  # (steps, columns) float64, NaN where there is no value.
    columns: tuple  # Strings.
    step: object  # Usual distance of two steps, a `pandas.Timedelta` or a float.
    notes: tuple  # Sentences: what was left out, sorted, averaged.


def read_table(path, time=None, columns=None, every=None):
    """Reads a table of text in UTF-8; also .gz, .xz or .zip around it.

    The first line names the columns. Commas, semicolons, tabulators or bars separate
    them; with all but commas, numbers may have a decimal comma. Rows that are missing
    become steps without values, at most 1,000; irregular rows are averaged over steps.

    Args:
        path: Path of the file.
        time: Name of the column of times: numbers, ISO 8601, or day, month and year.
            With `None` the column with a usual name is taken.
        columns: List of names of columns of numbers; with `None` all there are.
        every: Distance of two steps, a number or a string such as `"15min"`; with
            `None` the median distance of the rows.

    Returns a `Table`; a `FileNotFoundError` or `ValueError` says what is wrong.
    """
    path = pathlib.Path(path)
    texts, has_commas = read_texts(path.name, files.read_content(path))
    usual = [name for name in texts if name.lower() in USUAL_NAMES]
    time = time or (usual[0] if len(usual) == 1 else None)
    lost = [name for name in [time, *(columns or ())] if name not in texts]
    if lost:
        raise ValueError(
            f"{path.name} should have one column of times, named by TIME, and those of "
            f"COLUMNS. Received: {', '.join(texts)}; {lost[0] or 'times'} is missing."
        )
    moments, notes = parse_times(path.name, texts[time])
    numbers = {}
    for name in columns or texts.columns.drop(time):
        column = texts[name].str.replace(",", ".") if has_commas else texts[name]
        parsed = pd.to_numeric(column, errors="coerce").astype("float64")
        is_bad = parsed.isna() & column.notna()
        if is_bad.any() and parsed.isna().all() and not columns:
            notes.append(f"Column {name!r} is left out: it holds no numbers.")
            continue
        is_bad |= np.isinf(parsed)
        refuse(path.name, texts[name], is_bad, "a finite number, or empty")
        numbers[name] = parsed
    if not numbers:
        raise ValueError(f"{path.name} should have numbers. Received: {notes}.")
    return to_grid(path.name, moments, pd.DataFrame(numbers), notes, every)


def read_texts(source, content):
    """Returns the texts of a table by line, and whether commas may be decimal."""
    first = content.split(b"\n", 1)[0].decode(errors="replace")
    delimiter = max(";\t,|", key=first.count)
    options = {"dtype": str, "skip_blank_lines": False, "skipinitialspace": True}
    options |= {"header": None, "index_col": False, "na_values": ["-", "?"]}
    try:
        frame = pd.read_csv(
            io.BytesIO(content), sep=delimiter, encoding="utf-8-sig", **options
        )
    except ValueError as error:
        raise ValueError(
            f"{source} should be text in UTF-8, with names in the first line and "
            f"as many values in each other one. Received: {error}."
        ) from error
    frame.index += 1
    names = frame.iloc[0].fillna("").str.strip()
    frame = frame.iloc[1:].set_axis(names, axis=1).dropna(how="all")
    if names.duplicated().any() or not names.any() or frame.empty:
        raise ValueError(
            f"{source} should name each column once in the first line, and have rows. "
            f"Received: {', '.join(names) or 'an empty line'}, {len(frame)} rows."
        )
    return frame, delimiter != ","


def parse_times(source, texts):
    """Returns float64 or naive datetime64[ns] times by line, and a list of notes."""
    refuse(source, texts, texts.isna(), "a time; fill it in or remove the line")
    numbers = pd.to_numeric(texts, errors="coerce")
    if np.isfinite(numbers).all():
        return numbers.astype("float64"), []
    zones = texts.str.extract(ZONE)[0]
    differs = zones.isna() != zones.isna().iloc[0]
    refuse(source, texts, differs, "with a time zone, or all without one")

    def parse(form):
        return pd.to_datetime(texts, format=form, utc=True, errors="coerce")

    iso = parse("ISO8601")
    found = [iso]
    if iso.isna().any():
        found = [moments for moments in map(parse, FORMATS) if moments.notna().all()]
    if len(found) != 1:
        expected = "like 2024-01-31 17:05:00, or with day and month that differ once"
        refuse(source, texts, iso.isna(), expected)
    moments = found[0].dt.tz_localize(None).astype("datetime64[ns]")
    changes = ["The time zone changes; all times are in UTC."]
    return moments, changes if zones.nunique() > 1 else []


def refuse(source, texts, is_bad, expected):
    """Raises a `ValueError` that names the first bad text of a column."""
    if is_bad.any():
        line = is_bad.idxmax()
        raise ValueError(
            f"{source}, line {line}, column {texts.name!r}: should be {expected}. "
            f"Received: {texts[line]!r}, and {is_bad.sum() - 1} more."
        )


def to_grid(source, moments, numbers, notes, every):
    """Sorts rows and returns the `Table` of them, with steps of equal length."""
    if not moments.is_monotonic_increasing:
        notes.append("The rows were not in the order of time; they are sorted.")
    moments = moments.sort_values(kind="stable")
    numbers = numbers.loc[moments.index]
    again = moments.duplicated()
    differs = again & ~numbers.assign(**{"": moments}).duplicated()
    expected = "another time (or in UTC, if a clock was put back), or the same values"
    refuse(source, moments.astype(str), differs, expected)
    if again.any():
        notes.append(f"{again.sum()} rows are repeated and were dropped.")
    moments, numbers = moments[~again], numbers[~again]
    is_clock = moments.dtype.kind == "M"
    ticks = (moments - moments.iloc[0]).to_numpy()
    ticks = ticks.astype("int64") if is_clock else ticks
    if len(ticks) < 3:
        raise ValueError(f"{source} should have many rows. Received: {len(ticks)}.")
    step = np.median(np.diff(ticks))
    if every is not None:
        step = float(pd.Timedelta(every).value if is_clock else every)
    if not step > 0:
        raise ValueError(f"`every` should be above 0. Received: {every!r}.")
    shown = pd.Timedelta(int(step), "ns") if is_clock else float(step)
    distances = np.diff(ticks) / step
    jumps = np.round(distances)
    is_near = (np.abs(distances - jumps) <= TOLERANCE) & (jumps >= 1)
    if not (is_near | (distances > SHORT_GAP)).all():
        notes.append(f"{len(ticks)} rows are averaged over steps of {shown}.")
        numbers = numbers.groupby(np.round(ticks / step)).mean()
        ticks, jumps = numbers.index * step, np.diff(numbers.index)
        if (jumps[jumps <= SHORT_GAP] - 1).sum() > len(numbers):
            raise ValueError(
                f"{source} should have regular rows, or a longer EVERY: in steps of "
                f"{shown} more than half would be empty."
            )
    places = np.append(0, np.minimum(jumps, LONGEST_GAP).cumsum()).astype(int)
    if missing := places[-1] + 1 - len(places):
        notes.append(f"{missing} steps are missing between the rows.")
    grid = numbers.set_axis(places).reindex(range(places[-1] + 1))
    times = np.interp(grid.index, places, ticks)
    times = np.round(times).astype("timedelta64[ns]") if is_clock else times
    times = np.asarray(moments.iloc[0] + times)
    return Table(times, grid.to_numpy("float64"), tuple(grid), shown, tuple(notes))
