"""Departures of three airports in 2013: a series of rare events and their strength."""

import io
from typing import NamedTuple

from helpers.datasets.hurdle import MAX_STRENGTH
from helpers.datasets.synthetic import settle
from helpers.files import read_bundled

import numpy as np
import pandas as pd

DEPARTURES_FILE = "departures_2013.csv.xz"
CHECKSUM = "9c4cef22ae11355a37d0d5c2ef0af919afd9e7b14123be823a64f32ff610a39a"
AIRPORTS = ("EWR", "JFK", "LGA")
FLIGHTS = ("scheduled", "cancelled", "late")
USUAL_CANCELLATIONS = 2  # An hour with more is an event.


class Departures(NamedTuple):
    """Departures and weather of three airports, hour by hour.

    The columns are `scheduled` flights, how many of these were `cancelled` or at least
    60 minutes `late`; `temp`, `dewp` (degrees Fahrenheit), `wind_speed`, `wind_gust`
    (miles per hour), `precip` (inches), `pressure` (millibars), `visib` (miles).
    """

    airports: tuple  # Strings.
    hours: np.ndarray  # (hours,) datetime64[h], local time.
    columns: dict  # From name to (airports, hours) float64.


def load_departures():
    """Loads the bundled `Departures` of 2013, 8,760 hours.

    Raises a `FileNotFoundError` or `ValueError` if the file is missing or damaged.
    """
    content = read_bundled(DEPARTURES_FILE, CHECKSUM, "build_departures.py")
    table = pd.read_csv(io.BytesIO(content))  # Sorted by airport and hour.
    hours = table.pop("hour")[: len(table) // len(AIRPORTS)].to_numpy("datetime64[h]")
    columns = {
        name: values.to_numpy("float64").reshape(len(AIRPORTS), -1)
        for name, values in table.drop(columns="airport").items()
    }
    return Departures(AIRPORTS, hours, columns)


def departure_strengths(departures):
    """Counts the cancellations of each hour beyond the usual two, at most ten.

    Returns an int64 array of shape `(airports, hours)`, 0 nearly always.
    """
    beyond = departures.columns["cancelled"] - USUAL_CANCELLATIONS
    return beyond.clip(0, MAX_STRENGTH).astype("int64")


def departure_features(departures):
    """Returns what is known at the end of each hour, and the features' names, a tuple.

    The features are float64, `(airports, hours, features)`, not scaled. Late flights
    are those of the hour before: whether one leaves an hour late is known an hour after
    its schedule. Of the next hour the schedule is known.
    """
    columns = departures.columns
    scheduled = np.log1p(columns["scheduled"])
    late = np.log1p(columns["late"])
    angles = 2 * np.pi * (departures.hours.astype("int64") % 24) / 24
    is_airport = np.eye(len(AIRPORTS))[..., np.newaxis]
    features = {
        "strength": np.log1p(departure_strengths(departures)),
        "cancelled": np.log1p(columns["cancelled"]),
        "scheduled": scheduled,
        "scheduled next": np.pad(scheduled[:, 1:], ((0, 0), (0, 1))),
        "late before": np.pad(late[:, :-1], ((0, 0), (1, 0))),
        **{name: columns[name] for name in columns if name not in FLIGHTS},
        "hour (sine)": np.sin(angles),
        "hour (cosine)": np.cos(angles),
        **dict(zip(departures.airports, is_airport, strict=True)),
    }
    values = [np.broadcast_to(values, late.shape) for values in features.values()]
    return settle(np.stack(values, axis=-1)).astype("float64"), tuple(features)
