"""Reads a table of your own: text, with a column of times and columns of numbers.

What cannot be read without a guess is refused with a `ValueError` that names the file,
the line or the column, what was received and what to do; what can is noted in
sentences.
"""

import io
import pathlib
from typing import NamedTuple

from helpers import files
from helpers.series import times

import numpy as np
import pandas as pd

DELIMITERS = (";", "\t", ",", "|")
NO_VALUE = {"", "na", "n/a", "nan", "nat", "null", "none", "-", "?"}


class Table(NamedTuple):
    """Columns of numbers, each step as long after the one before."""

    source: str  # Name of the file.
    times: np.ndarray  # (steps,) datetime64[ns], in UTC where known, or float64.
    values: np.ndarray  # (steps, columns) float64, NaN where there is no value.
    columns: tuple  # Strings.
    step: object  # Usual distance of two steps, a `pandas.Timedelta` or a float.
    notes: tuple  # Sentences: what was left out, sorted, resampled.


def read_table(path, time=None, columns=None, every=None):
    """Reads a file: see `parse_table`; also .gz, .xz or .zip around it.

    No file raises a `FileNotFoundError`.
    """
    path = pathlib.Path(path)
    return parse_table(path.name, files.read_content(path), time, columns, every)


def parse_table(source, content, time=None, columns=None, every=None):
    """Reads a table from bytes.

    The first line names the columns; they are separated by commas, semicolons,
    tabulators or bars. Where it is no comma, numbers may have a decimal comma.

    Args:
        source: String, the name of the file, for messages.
        content: Bytes, text in UTF-8.
        time: Name of the column of times: numbers, ISO 8601, or day, month and year.
            Where it is `None` a column with a usual name is taken.
        columns: List of the names of the columns of numbers; with `None` all columns
            of numbers that change.
        every: Distance of two steps, a number or a string such as `"15min"`, to which
            the values are averaged; with `None` the median distance of the rows.

    Returns:
        `Table`. Rows of equal distance are kept as they are; others are averaged over
        steps. Rows that are missing in between are there, without values.

    Raises:
        ValueError: If the table is not as described.
    """
    delimiter, frame = read_texts(source, content)
    time = find_time(source, frame, time)
    notes = []
    wanted = find_columns(source, frame, time, columns)
    values = {}
    for name in wanted:
        numbers = parse_numbers(source, frame[name], delimiter, is_asked=bool(columns))
        if isinstance(numbers, str):
            notes.append(f"Column {name!r} is left out: {numbers}.")
        else:
            values[name] = numbers
    if not values:
        raise ValueError(
            f"{source} should have a column of numbers that change, beside {time!r}. "
            f"Received: {' '.join(notes) or 'no other column.'}"
        )
    moments, what = times.parse_times(source, frame[time])
    notes += what
    array = np.stack(list(values.values()), axis=1)
    moments, array, what = times.sort_rows(source, frame.index, moments, array)
    notes += what
    moments, array, step, what = times.to_grid(source, moments, array, every)
    return Table(source, moments, array, tuple(values), step, tuple(notes + what))


def read_texts(source, content):
    """Returns the delimiter and the texts of a table, indexed by their lines."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{source}, line {line}: should be text in UTF-8. Received: the byte "
            f"{content[error.start]:#04x}; save the table as CSV in UTF-8."
        ) from error
    first = text.split("\n", 1)[0].strip()
    if not first:
        raise ValueError(
            f"{source} should name its columns in the first line. Received: an empty "
            f"{'line' if text.strip() else 'file'}."
        )
    delimiter = max(DELIMITERS, key=first.count)
    options = {"dtype": str, "keep_default_na": False, "skip_blank_lines": False}
    try:
        frame = pd.read_csv(
            io.StringIO(text), sep=delimiter, index_col=False, header=None, **options
        )
    except pd.errors.ParserError as error:
        raise ValueError(
            f"{source} should have as many values in each line as names in the first. "
            f"Received: {error}; look at that line."
        ) from error
    names = frame.iloc[0].fillna("").str.strip()
    repeated = names[names.duplicated()].unique()
    if len(repeated):
        raise ValueError(
            f"{source} should name each column once. Received: "
            f"{', '.join(map(repr, repeated))} again; rename it in the first line."
        )
    frame.columns = names
    frame.index += 1
    frame = frame.iloc[1:].apply(lambda column: column.fillna("").str.strip())
    frame = frame[(frame != "").any(axis=1)]
    if frame.empty:
        raise ValueError(f"{source} should have rows. Received: names of columns only.")
    return delimiter, frame


def find_time(source, frame, time):
    """Returns the name of the column of times."""
    if time is None:
        usual = [name for name in frame if name.lower() in times.USUAL_NAMES]
        if len(usual) == 1:
            return usual[0]
    elif time in frame:
        return time
    raise ValueError(
        f"{source} should have a column of times{f' {time!r}' if time else ''}; name "
        f"it with TIME. Received the columns: {', '.join(frame)}."
    )


def find_columns(source, frame, time, columns):
    """Returns the names of the columns to read."""
    missing = [name for name in columns or () if name not in frame]
    if missing:
        raise ValueError(
            f"{source} should have the columns {', '.join(missing)}. Received the "
            f"columns: {', '.join(frame)}."
        )
    return [name for name in columns or frame if name != time]


def parse_numbers(source, texts, delimiter, is_asked):
    """Returns float64 numbers of a column, or why it is left out, a string."""
    name = texts.name
    is_missing = texts.str.lower().isin(NO_VALUE)
    if delimiter != "," and texts.str.contains(",", regex=False).any():
        both = texts.str.contains(",", regex=False) & texts.str.contains(
            ".", regex=False
        )
        refuse_first(
            source,
            texts,
            both,
            "a number without a separator of thousands, like 1234,5",
        )
        texts = texts.str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(texts.mask(is_missing), errors="coerce")
    is_bad = numbers.isna() & ~is_missing
    if is_bad.any() and (is_bad | is_missing).all() and not is_asked:
        return "it holds no numbers"
    refuse_first(source, texts, is_bad, "a number, or nothing where it is missing")
    refuse_first(source, texts, np.isinf(numbers), "a finite number, or nothing")
    known = numbers[~is_missing]
    if known.nunique() < 2:
        reason = "it has no value" if known.empty else "it is constant"
        if is_asked:
            raise ValueError(
                f"{source}, column {name!r}: should change. Received: {reason}; leave "
                "it out of COLUMNS."
            )
        return reason
    return numbers.to_numpy("float64")


def refuse_first(source, texts, is_bad, expected):
    """Raises a `ValueError` that names the first bad text of a column."""
    if is_bad.any():
        line = is_bad.idxmax()
        raise ValueError(
            f"{source}, line {line}, column {texts.name!r}: should be {expected}. "
            f"Received: {texts[line]!r}"
            f"{f' and {is_bad.sum() - 1} more' if is_bad.sum() > 1 else ''}."
        )
