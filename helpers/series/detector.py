"""A detector: what a network expects of a series, and how unusual that makes it."""

import importlib.util
import json
import pathlib
from typing import NamedTuple

from helpers.files import write_file
from helpers.networks import layers as own_layers
from helpers.series import alarms, gaps

import keras
import numpy as np

MODEL_FILE, SETTINGS_FILE = "model.keras", "detector.json"
CHUNK = 20_000  # Windows at a time: those of a long file would fill the memory.
RECONSTRUCTION, NEXT_STEPS = "reconstruction", "next_steps"


class Scores(NamedTuple):
    """How unusual a series is; NaN where nothing is known."""

    points: np.ndarray  # (steps,); that of a usual point is about 1.
    channels: np.ndarray  # (steps, channels).
    reconstruction: np.ndarray  # (steps, channels), a mean, in the columns' units.


class Detector:
    """Scores the points of a series by the errors of one or two outputs of a network.

    Each point is reconstructed by all windows that hold it, and predicted by the window
    before it. The squared errors are averaged over the windows, smoothed, and divided
    by their means in a calibration part, channel by channel. The score of a channel is
    the geometric mean over the outputs, that of a point its most unusual channel's.

    Args:
        network: Keras model, or function, from marked windows (`gaps.mark_missing`) to
            a dict of `"reconstruction"`, `(windows, window, channels)`, `"next_steps"`,
            `(windows, horizon, channels)`, of which the first is used, or both.
        scale: `gaps.Scale` of the training part.
        window: Integer, the length of a window.
        smoothing: Integer; `smoothing // 2` points before and after are averaged.
        longest_missing: Integer, see `gaps`.
    """

    def __init__(self, network, scale, window, smoothing=10, longest_missing=0):
        self.network, self.scale, self.window = network, scale, window
        self.smoothing, self.longest_missing = smoothing, longest_missing
        self.levels, self.threshold, self.is_tail = {}, None, None

    def predict(self, windows):
        """Returns a dict of the outputs, NumPy arrays."""
        if not isinstance(self.network, keras.Model):
            return self.network(windows)
        return self.network.predict(windows, batch_size=500, verbose=0)

    def sum_up(self, series):
        """Sums squared errors and reconstructions over the windows of each point.

        Returns the segments, `(steps,)`, and a dict from `"reconstruction"`,
        `"next_steps"` and `"mean"` to sums and counts, `(2, steps, channels)`.
        """
        scaled = self.scale(series)
        segments = gaps.number_segments(scaled, self.longest_missing)
        every = gaps.window_starts(segments, self.window)
        sums = {}

        def add(name, starts, values):
            total = sums.setdefault(name, np.zeros((2, *scaled.shape)))
            for step in range(values.shape[1]):  # A point gets one window at a time.
                total[:, starts + step] += known_sums(values[:, step])

        for begin in range(0, len(every), CHUNK):
            starts = every[begin : begin + CHUNK]
            windows = gaps.cut(scaled, starts, self.window)
            outputs = self.predict(gaps.mark_missing(windows))
            if RECONSTRUCTION in outputs:
                rebuilt = outputs[RECONSTRUCTION]
                add(RECONSTRUCTION, starts, (windows - rebuilt) ** 2)
                add("mean", starts, rebuilt)
            if NEXT_STEPS in outputs:
                after = starts + self.window
                on = np.append(segments, -1)[after] == segments[starts]
                errors = (scaled[after[on]] - outputs[NEXT_STEPS][on, 0]) ** 2
                add(NEXT_STEPS, after[on], errors[:, np.newaxis])
        return segments, sums

    def errors(self, sums, segments):
        """Returns a dict from the outputs to smoothed errors, `(steps, channels)`."""
        width = self.smoothing
        known = {name: divide(*part) for name, part in sums.items() if name != "mean"}
        return {name: smooth(part, segments, width) for name, part in known.items()}

    def combine(self, sums, segments):
        """Returns the scores of channels, `(steps, channels)`, of sums of errors."""
        logs = [np.full((len(segments), len(self.scale.mean)), np.nan)]
        for name, errors in self.errors(sums, segments).items():
            logs.append(np.log(np.maximum(errors / self.levels[name], 1e-12)))
        return np.exp(divide(*known_sums(np.stack(logs)).sum(axis=1)))

    def score(self, series):
        """Returns the `Scores` of a series, `(steps, all channels)`."""
        segments, sums = self.sum_up(series)
        channels = self.combine(sums, segments)
        means = divide(*sums.get("mean", np.zeros((2, *channels.shape))))
        points = np.fmax.reduce(channels, axis=1)  # A mean would hide one of many.
        return Scores(points, channels, self.scale.back(means))

    def calibrate(self, series, false_alarms):
        """Takes levels and threshold from a normal part that nothing was trained on.

        Of `false_alarms` and of what is refused see `rate_threshold`. Returns itself.
        """
        segments, sums = self.sum_up(series)
        for name, errors in self.errors(sums, segments).items():
            level = divide(*known_sums(errors).sum(axis=1))
            self.levels[name] = np.maximum(level, 1e-12)
        scores = np.fmax.reduce(self.combine(sums, segments), axis=1)
        found = alarms.rate_threshold(scores, self.window, false_alarms)
        self.threshold, self.is_tail = found
        return self

    def episodes(self, scores):
        """Returns the alarms of points' scores, as a list of `alarms.Episode`s."""
        return alarms.find_episodes(scores, self.threshold, self.window)

    def blame(self, channels, episode):
        """Returns the columns, the one that is most to blame for an episode first."""
        sums = known_sums(channels[episode.start : episode.stop]).sum(axis=1)
        order = np.argsort(-np.nan_to_num(divide(*sums)))
        return [self.scale.columns[channel] for channel in order]

    def save(self, folder):
        """Writes `model.keras` and `detector.json` into a folder; no pickle."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.network.save(folder / MODEL_FILE)
        settings = vars(self) | {"scale": self.scale._asdict(), "network": MODEL_FILE}
        content = json.dumps(settings, indent=1, default=np.ndarray.tolist)
        write_file(folder / SETTINGS_FILE, content.encode())


def load_detector(folder):
    """Loads a `Detector` that `save` has written; a `ValueError` says what is wrong."""
    folder = pathlib.Path(folder)
    try:
        settings = json.loads((folder / SETTINGS_FILE).read_text("utf-8"))
        columns, *arrays = (settings["scale"][name] for name in gaps.Scale._fields)
        scale = gaps.Scale(tuple(columns), *map(np.array, arrays))
        levels = {name: np.array(level) for name, level in settings["levels"].items()}
        network = keras.saving.load_model(folder / MODEL_FILE, compile=False)
        detector = Detector(network, scale, settings["window"])
        vars(detector).update(settings, network=network, scale=scale, levels=levels)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{folder} should hold {MODEL_FILE} and {SETTINGS_FILE} of one detector. "
            f"Received: {error!r}."
        ) from error
    return detector


def export_network(model, folder):
    """Exports a Keras model of one input: a SavedModel and, with its packages, ONNX.

    Returns a dict from `"tf_saved_model"` and `"onnx"` to paths in `folder`.
    """
    paths = {"tf_saved_model": pathlib.Path(folder) / "saved_model"}
    if all(map(importlib.util.find_spec, ("onnx", "tf2onnx"))):
        paths["onnx"] = pathlib.Path(folder) / "model.onnx"
    # Another model of the same weights: this one's functions are compiled already.
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    compiled, own_layers.compiled_lstm = own_layers.compiled_lstm, None
    try:  # Layers compute with plain operations, which every format knows.
        for form, path in paths.items():
            copy.export(path, format=form, verbose=False)
    finally:
        own_layers.compiled_lstm = compiled
    return paths


def known_sums(values):
    """Returns values, 0 for NaN, and whether they are known: `(2, ...)`, for sums."""
    known = ~np.isnan(values)
    return np.stack([np.where(known, values, 0), known])


def divide(totals, counts):
    """Divides where there is something to divide by, NaN elsewhere."""
    return np.divide(
        totals, counts, out=np.full(totals.shape, np.nan), where=counts > 0
    )


def smooth(values, segments, width):
    """Averages each point with the `width // 2` before and after in its segment.

    A point without a value stays without one.
    """
    reach, result = width // 2, np.full(values.shape, np.nan)
    for number in range(segments.max() + 1):
        inside = np.flatnonzero(segments == number)
        sums = np.zeros((2, len(inside) + 2 * reach, values.shape[1]))
        sums[:, reach : reach + len(inside)] = known_sums(values[inside])
        near = (sums[:, k : k + len(inside)] for k in range(2 * reach + 1))
        result[inside] = divide(*sum(near))
    return np.where(np.isnan(values), np.nan, result)
