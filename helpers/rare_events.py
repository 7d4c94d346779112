"""Series of rare events and their strength: departures of airports, and made-up ones.

A series has a count per step, its strength: 0 nearly always, 1 to 10 where there is an
event. Loaders and generators give the strengths and what is known at each step.
"""

import dataclasses
import io
import math
import pathlib
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.checks import check_integer, check_labels, check_numbers, check_same
from helpers.datasets import DATA_FOLDER
from helpers.experiments import settle
from helpers.files import check_checksum, read_content, saying_how_to_restore
from helpers.windows import cut_windows

MAX_STRENGTH = 10
DEPARTURES_FILE = "departures_2013.csv.xz"
# SHA-256 of the unpacked content, which does not depend on the version of xz.
DEPARTURES_CHECKSUM = "9c4cef22ae11355a37d0d5c2ef0af919afd9e7b14123be823a64f32ff610a39a"
AIRPORTS = ("EWR", "JFK", "LGA")
NUM_HOURS = 8760
FLIGHT_COLUMNS = ("scheduled", "cancelled", "late")
WEATHER_COLUMNS = (
    *("temp", "dewp", "wind_speed", "wind_gust", "precip", "pressure", "visib"),
)
USUAL_CANCELLATIONS = 2  # An hour with more is an event.
YEAR = 365  # Steps of the made-up process.
LONGEST_DELAY = 11  # Steps from the precursor to the event, at most.


class Departures(NamedTuple):
    """Departures and weather of three airports, hour by hour.

    Attributes:
        airports: Tuple of strings.
        hours: datetime64[h] array of shape `(hours,)`, local time.
        columns: Dict from column to a float64 array of shape `(airports, hours)`:
            `scheduled` flights, how many of these were `cancelled` or left at least
            60 minutes `late`; `temp` and `dewp` (degrees Fahrenheit), `wind_speed` and
            `wind_gust` (miles per hour), `precip` (inches), `pressure` (millibars),
            `visib` (miles).
    """

    airports: tuple
    hours: np.ndarray
    columns: dict


def load_departures(folder=DATA_FOLDER):
    """Loads the bundled departures of three airports in 2013.

    Args:
        folder: Path of the folder with the file.

    Returns:
        `Departures`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged or another one.
    """
    path = pathlib.Path(folder, DEPARTURES_FILE)
    with saying_how_to_restore("build_departures.py"):
        content = read_content(path)
        check_checksum(path, content, DEPARTURES_CHECKSUM)
    table = pd.read_csv(io.BytesIO(content))
    shape = (len(AIRPORTS), NUM_HOURS)
    return Departures(
        AIRPORTS,
        table["hour"][:NUM_HOURS].to_numpy("datetime64[h]"),
        {
            name: table[name].to_numpy("float64").reshape(shape)
            for name in (*FLIGHT_COLUMNS, *WEATHER_COLUMNS)
        },
    )


def departure_strengths(departures):
    """Counts the cancellations of each hour beyond the usual two, at most ten.

    Args:
        departures: `Departures`.

    Returns:
        int64 array of shape `(airports, hours)`, 0 to 10.
    """
    beyond = departures.columns["cancelled"] - USUAL_CANCELLATIONS
    return beyond.clip(0, MAX_STRENGTH).astype("int64")


def departure_features(departures):
    """Lists what is known at the end of each hour.

    Flights that are late are those of the hour before: whether a flight leaves an hour
    late is known an hour after its schedule. Of the next hour the schedule is known.

    Args:
        departures: `Departures`.

    Returns:
        Tuple `(features, names)`: a float64 array of shape `(airports, hours,
        features)`, not scaled, and the tuple of the features' names.
    """
    columns = departures.columns
    scheduled = np.log1p(columns["scheduled"])
    late = np.log1p(columns["late"])
    angles = 2 * np.pi * (departures.hours.astype("int64") % 24) / 24
    features = {
        "strength": np.log1p(departure_strengths(departures)),
        "cancelled": np.log1p(columns["cancelled"]),
        "scheduled": scheduled,
        "scheduled next": np.pad(scheduled[:, 1:], ((0, 0), (0, 1))),
        "late before": np.pad(late[:, :-1], ((0, 0), (1, 0))),
        **{name: columns[name] for name in WEATHER_COLUMNS},
        "hour (sine)": np.sin(angles),
        "hour (cosine)": np.cos(angles),
    }
    for place, airport in enumerate(departures.airports):
        features[airport] = (np.arange(len(AIRPORTS)) == place)[:, np.newaxis]
    shape = columns["scheduled"].shape
    values = [np.broadcast_to(values, shape) for values in features.values()]
    return settle(np.stack(values, axis=-1)).astype("float64"), tuple(features)


@dataclasses.dataclass(frozen=True)
class HurdleProcess:
    """A made-up process of rare events whose best possible forecast is known.

    Everything a forecast needs lies in the last 40 or so steps. A precursor x is
    observed; events excite further events; and after a quiet time, a high precursor
    triggers an event nine to eleven steps later:

        x[t] = correlation * x[t-1] + sqrt(1 - correlation**2) * noise
        e[t] = memory * e[t-1] + log(1 + y[t])
        g[t] = 1 if max(x[t-11..t-9]) > threshold, and no event in the last 14 steps
        logit P(y[t] > 0) = base + season * sin(2 pi t / 365)
                            + excitement * e[t-1] + trigger * g[t]
        y[t] if > 0: negative binomial, cut to 1..10, of size `size` and mean
                     exp(strength_excitement * e[t-1] + strength_trigger * g[t])

    Attributes:
        base: Float, sets how rare events are.
        season: Float, the yearly change.
        excitement: Float, how much events cause events; 0 for none.
        trigger: Float, what the delayed trigger adds; 0 for none.
        correlation: Float, of the precursor with its last value.
        memory: Float, share of the excitement that is left after a step.
        threshold: Float, in standard deviations of the precursor.
        quiet: Integer, steps without an event that arm the trigger.
        strength_excitement: Float, how much excitement adds to the strength.
        strength_trigger: Float, how much a trigger adds to it.
        size: Float, the negative binomial's; a small one spreads the strengths.
    """

    base: float = -4.6
    season: float = 0.8
    excitement: float = 0.75
    trigger: float = 4.8
    correlation: float = 0.7
    memory: float = 0.75
    threshold: float = 1.5
    quiet: int = 14
    strength_excitement: float = 0.2
    strength_trigger: float = 0.9
    size: float = 2.0


class Sample(NamedTuple):
    """A series of a process with the best possible forecast of each of its steps.

    Attributes:
        strengths: int64 array of shape `(time,)`, 0 to 10.
        features: float32 array of shape `(time, 4)`: log(1 + strength), precursor,
            sine and cosine of the season.
        probabilities: float64 array of shape `(time, 11)`: the probability of each
            strength, given all steps before.
    """

    strengths: np.ndarray
    features: np.ndarray
    probabilities: np.ndarray


def sample_process(process, num_steps, seed):
    """Draws a series of a hurdle process.

    Args:
        process: `HurdleProcess`.
        num_steps: Positive integer, length of the series.
        seed: Non-negative integer; equal seeds give equal series.

    Returns:
        `Sample`.

    Raises:
        ValueError: If `num_steps` or `seed` is not an integer in its range.
    """
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    rng = np.random.default_rng(check_integer("seed", seed, minimum=0))
    warm_up = 500  # By then the start is forgotten.
    total = warm_up + num_steps
    noise = math.sqrt(1 - process.correlation**2) * rng.normal(size=total)
    precursor = np.zeros(total)
    for step in range(1, total):
        precursor[step] = process.correlation * precursor[step - 1] + noise[step]
    precursor = settle(precursor)
    is_high = precursor > process.threshold
    angles = 2 * np.pi * (np.arange(total) - warm_up) / YEAR
    draws = rng.random((total, 2))
    strengths = np.zeros(total, "int64")
    logits, means = np.full(total, -np.inf), np.ones(total)
    excited, last_event = 0.0, 0
    for step in range(LONGEST_DELAY, total):
        is_armed = step - 1 - last_event >= process.quiet
        triggered = is_armed and is_high[step - LONGEST_DELAY : step - 8].any()
        logits[step] = (
            process.base
            + process.season * math.sin(angles[step])
            + process.excitement * excited
            + process.trigger * triggered
        )
        means[step] = math.exp(
            process.strength_excitement * excited + process.strength_trigger * triggered
        )
        excited *= process.memory
        if draws[step, 0] < 1 / (1 + math.exp(-logits[step])):
            shares = truncated_negative_binomial(means[step], process.size)
            beyond = draws[step, 1] > np.cumsum(shares)
            strengths[step] = min(1 + np.count_nonzero(beyond), MAX_STRENGTH)
            excited += math.log1p(strengths[step])
            last_event = step
    event = 1 / (1 + np.exp(-logits))[:, np.newaxis]
    positive = truncated_negative_binomial(means[:, np.newaxis], process.size)
    probabilities = np.concatenate([1 - event, event * positive], axis=1)
    features = [np.log1p(strengths), precursor, np.sin(angles), np.cos(angles)]
    return Sample(
        strengths[warm_up:],
        settle(np.stack(features, axis=1))[warm_up:],
        probabilities[warm_up:],
    )


def truncated_negative_binomial(mean, size):
    """Returns the probabilities of 1 to 10 under a negative binomial cut to them.

    Args:
        mean: Positive float or array of shape `(examples, 1)`, before the cut.
        size: Positive float; the variance is `mean + mean**2 / size`.

    Returns:
        float64 array of shape `(10,)` or `(examples, 10)`; rows have the sum 1.
    """
    counts = np.arange(MAX_STRENGTH)
    factors = np.cumsum(np.log(size + counts) - np.log(counts + 1))
    logs = factors + (counts + 1) * np.log(mean / (size + mean))
    weights = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def quiet_steps(strengths, num_steps):
    """Tells which steps come after a quiet time: an event there is an onset.

    Args:
        strengths: Integer array of shape `(time,)`.
        num_steps: Positive integer, steps before without an event.

    Returns:
        Boolean array of shape `(time,)`, false also for the first `num_steps` steps.

    Raises:
        ValueError: If an argument is not as described.

    Example:

    >>> quiet_steps([0, 0, 3, 2, 0, 0, 1], 2).tolist()
    [False, False, True, False, False, False, True]
    """
    strengths = check_numbers("strengths", strengths, ("time",))
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    events = np.concatenate([[0], np.cumsum(strengths > 0)])
    before = events[num_steps:-1] - events[: -num_steps - 1]
    return np.concatenate([np.zeros(min(num_steps, len(strengths)), bool), before == 0])


def number_episodes(strengths, num_quiet):
    """Numbers the episodes: events with fewer than some quiet steps between them.

    Args:
        strengths: Integer array of shape `(time,)`.
        num_quiet: Positive integer, quiet steps that separate two episodes.

    Returns:
        int64 array of shape `(time,)`: 0 for a step without an event, else the number
        of its episode, from 1.

    Raises:
        ValueError: If an argument is not as described.

    Example:

    >>> number_episodes([0, 3, 0, 2, 0, 0, 1], 2).tolist()
    [0, 1, 0, 1, 0, 0, 2]
    """
    strengths = check_numbers("strengths", strengths, ("time",))
    num_quiet = check_integer("num_quiet", num_quiet, minimum=1)
    places = np.flatnonzero(strengths)
    starts = np.diff(places, prepend=-num_quiet - 1) > num_quiet
    numbers = np.zeros(len(strengths), "int64")
    numbers[places] = np.cumsum(starts)
    return numbers


class Events(NamedTuple):
    """Windows and what happens in the step after each.

    Attributes:
        windows: float32 array of shape `(examples, time, features)`, scaled.
        strengths: int64 array of shape `(examples,)`, 0 to 10, of the next step.
        days: int64 array of shape `(examples,)`, the unit of time that a bootstrap
            draws as a whole: what happens on a day hangs together.
        onset: Boolean array of shape `(examples,)`, whether the steps before the next
            one were quiet.
        episodes: int64 array of shape `(examples,)`, the number of the episode that
            the next step belongs to, 0 if it has no event.
    """

    windows: np.ndarray
    strengths: np.ndarray
    days: np.ndarray
    onset: np.ndarray
    episodes: np.ndarray

    def take(self, rows):
        """Returns the examples at `rows`, an index array, a mask or a slice."""
        return Events(*(values[rows] for values in self))


def cut_events(features, strengths, ends, num_steps, day_steps, num_quiet):
    """Cuts the windows of one series and says what happens after each.

    Args:
        features: Array of shape `(time, features)`, scaled.
        strengths: Integer array of shape `(time,)`.
        ends: Integer array of shape `(examples,)`, the steps to predict; the window of
            each is the steps before it.
        num_steps: Positive integer, length of a window.
        day_steps: Positive integer, steps of a day.
        num_quiet: Positive integer, steps without an event before an onset and between
            two episodes.

    Returns:
        `Events`.

    Raises:
        ValueError: If an argument is not as described.
    """
    check_same(
        ("length of features", "length of strengths"), (len(features), len(strengths))
    )
    strengths = check_labels("strengths", strengths, MAX_STRENGTH + 1)
    return Events(
        cut_windows(features, num_steps, ends),
        strengths[ends],
        ends // check_integer("day_steps", day_steps, minimum=1),
        quiet_steps(strengths, num_quiet)[ends],
        number_episodes(strengths, num_quiet)[ends],
    )


def join_events(parts):
    """Puts the examples of several series one after another.

    Args:
        parts: List of `Events`, one per series.

    Returns:
        `Events`; episodes of different series have different numbers.

    Raises:
        ValueError: If the windows of the parts differ in shape.
    """
    parts = list(parts)
    offset, episodes = 0, []
    for part in parts:
        check_same(
            ("shape of a window of the first part", "that of each other part"),
            (parts[0].windows.shape[1:], part.windows.shape[1:]),
        )
        episodes.append(np.where(part.episodes > 0, part.episodes + offset, 0))
        offset += int(part.episodes.max())
    joined = [np.concatenate(values) for values in zip(*parts, strict=True)]
    return Events(*joined[:-1], np.concatenate(episodes))
