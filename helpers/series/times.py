"""The times of a table's rows: read, sorted, and brought to steps of equal length."""

import numpy as np
import pandas as pd

USUAL_NAMES = {"time", "timestamp", "date", "datetime", "step", "zeit", "datum"}
# Tried in this order on texts that are not ISO 8601.
FORMATS = [
    f"{day}{clock}"
    for day in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
    for clock in ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f")
]
ZONE = r"(?:[zZ]|[+-]\d\d:?(?:\d\d)?)$"
TOLERANCE = 0.25  # Of a step: rounded times are not irregular.
SHORT_GAP = 10  # Steps; after a longer gap it does not matter where they go on.
LONGEST_GAP = 1000  # Steps that stand for a longer gap.
MAX_EMPTY = 0.5  # Share of steps without a row, of an irregular table.


def parse_times(source, texts):
    """Returns the times of a column of texts, and a list of notes.

    Numbers become float64. Other times become datetime64[ns]: with a zone in UTC,
    without one as they are.
    """
    if (texts == "").any():
        line = (texts == "").idxmax()
        raise ValueError(
            f"{source}, line {line}, column {texts.name!r}: should be a time. "
            "Received: nothing; fill it in or remove the line."
        )
    numbers = pd.to_numeric(texts, errors="coerce")
    if np.isfinite(numbers).all():
        return numbers.to_numpy("float64"), []
    has_zone = texts.str.contains(ZONE, regex=True) & texts.str.contains(":")
    if has_zone.any() and not has_zone.all():
        line = (has_zone != has_zone.iloc[0]).idxmax()
        raise ValueError(
            f"{source}, line {line}, column {texts.name!r}: all times should have a "
            f"zone or none. Received: {texts[line]!r} after {texts.iloc[0]!r}."
        )
    moments = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    if moments.isna().any():
        moments = parse_local(source, texts, moments)
    notes = []
    if has_zone.any() and texts.str.extract(f"({ZONE})")[0].nunique() > 1:
        notes = ["The time zone changes; all times are in UTC."]
    return moments.dt.tz_localize(None).to_numpy("datetime64[ns]"), notes


def parse_local(source, texts, iso):
    """Returns times with a day, a month and a year in the order that fits all rows."""
    found = {}
    for form in FORMATS:
        moments = pd.to_datetime(texts, format=form, utc=True, errors="coerce")
        if not moments.isna().any():
            found[form] = moments
    if len(found) == 1:
        return next(iter(found.values()))
    line = iso.isna().idxmax()
    if found:
        reason = "day and month can be told apart in no line"
    else:
        reason = "write times like 2024-01-31 17:05:00 or as numbers"
    raise ValueError(
        f"{source}, line {line}, column {texts.name!r}: should be a time. Received: "
        f"{texts[line]!r}; {reason}."
    )


def sort_rows(source, lines, moments, values):
    """Returns times that increase, their values, and a list of notes.

    Two rows of one time and with equal values are one; with other values they are
    refused.
    """
    notes = []
    order = np.argsort(moments, kind="stable")
    if (np.diff(order) < 0).any():
        notes.append("The rows were not in the order of time; they are sorted.")
    moments, values, lines = moments[order], values[order], np.asarray(lines)[order]
    again = np.flatnonzero(moments[1:] == moments[:-1]) + 1
    equal = (values[again] == values[again - 1]) | (
        np.isnan(values[again]) & np.isnan(values[again - 1])
    )
    differ = again[~equal.all(axis=1)]
    if len(differ):
        row = differ[0]
        raise ValueError(
            f"{source}, line {lines[row]}: there should be one row for each time. "
            f"Received: {moments[row]} with other values than in line "
            f"{lines[row - 1]}, and {len(differ) - 1} such times more; keep one of "
            "them, or write times in UTC if a clock was put back."
        )
    if len(again):
        notes.append(f"{len(again)} rows are repeated and were dropped.")
    return np.delete(moments, again), np.delete(values, again, axis=0), notes


def to_grid(source, moments, values, every=None):
    """Brings rows to steps of equal length.

    Returns a tuple `(times, values, step, notes)`; see `tables.parse_table`.
    """
    if len(moments) < 3:
        raise ValueError(
            f"{source} should have many rows of different times. Received: "
            f"{len(moments)}."
        )
    is_clock = moments.dtype.kind == "M"
    ticks = moments.astype("int64") if is_clock else moments
    usual = np.median(np.diff(ticks))
    step = usual if every is None else parse_step(every, is_clock)
    ratios = np.diff(ticks) / step
    near = np.abs(ratios - np.round(ratios)) <= TOLERANCE
    near &= np.round(ratios) >= 1
    is_regular = (near | (ratios > SHORT_GAP)).all()
    notes = []
    if is_regular:
        jumps = np.round(ratios).astype("int64")
        places = np.concatenate([[0], np.cumsum(np.minimum(jumps, LONGEST_GAP))])
    else:
        places = np.floor((ticks - ticks[0]) / step + 0.5).astype("int64")
        places, rows = np.unique(places, return_inverse=True)
        jumps = np.minimum(np.diff(places), LONGEST_GAP)
        check_density(source, jumps, len(moments), show(step, is_clock), every)
        values = average_rows(values, rows, len(places))
        ticks = ticks[0] + (places * step).astype(ticks.dtype)
        places = np.concatenate([[0], np.cumsum(jumps)])
        notes.append(
            f"The {len(moments)} rows are averaged over steps of "
            f"{show(step, is_clock)}."
        )
    num_missing = places[-1] + 1 - len(places)
    if num_missing:
        notes.append(f"{num_missing} steps are missing between the rows.")
    grid = np.full((places[-1] + 1, values.shape[1]), np.nan)
    grid[places] = values
    # A step without a row gets its time from the last row before it.
    before = np.searchsorted(places, np.arange(len(grid)), side="right") - 1
    steps_after = np.arange(len(grid)) - places[before]
    filled = ticks[before] + (steps_after * step).astype(ticks.dtype)
    filled = filled.astype("datetime64[ns]") if is_clock else filled
    return filled, grid, show(step, is_clock), notes


def parse_step(every, is_clock):
    """Returns a step in nanoseconds or, for times that are numbers, in their unit."""
    try:
        step = pd.Timedelta(every).value if is_clock else float(every)
        if not step > 0:
            raise ValueError("it is not above 0")
    except ValueError as error:
        kind = "a duration like '15min'" if is_clock else "a number"
        raise ValueError(
            f"`every` should be {kind}. Received: {every!r} ({error})."
        ) from error
    return step


def show(step, is_clock):
    """Returns a step as a `pandas.Timedelta` or a float."""
    return pd.Timedelta(int(step), "ns") if is_clock else float(step)


def check_density(source, jumps, num_rows, step, every):
    """Raises a `ValueError` if most steps between gaps would be empty."""
    num_empty = int((jumps[jumps <= SHORT_GAP] - 1).sum())
    if num_empty > MAX_EMPTY * (len(jumps) + 1 + num_empty):
        raise ValueError(
            f"{source} has {num_rows} rows at irregular times: in steps of {step}"
            f"{'' if every else ', their median distance,'} more than half would be "
            "empty. Give a longer EVERY, to which the values are averaged."
        )


def average_rows(values, rows, num_steps):
    """Averages the values of the rows of each step, `(num_steps, columns)`."""
    totals, counts = np.zeros((2, num_steps, values.shape[1]))
    observed = ~np.isnan(values)
    np.add.at(totals, rows, np.where(observed, values, 0))
    np.add.at(counts, rows, observed)
    result = np.full(totals.shape, np.nan)
    return np.divide(totals, counts, out=result, where=counts > 0)
