"""A detector: what a network expects of a series, and how unusual that makes it."""

import json
import pathlib

from helpers.files import write_file
from helpers.series import alarms, gaps, points

import keras
import numpy as np

MODEL_FILE, SETTINGS_FILE = "model.keras", "detector.json"
CHUNK = 20_000  # Windows at a time: those of a long file would fill the memory.
RECONSTRUCTION, NEXT_STEPS = "reconstruction", "next_steps"


class Detector:
    """Scores the points of a series by the errors of one or two outputs of a network.

    Each point is reconstructed by all windows that hold it, and predicted by the window
    before it. The squared errors are averaged over the windows, smoothed, and divided
    by their means in a calibration part, channel by channel. The score of a channel is
    the geometric mean over the outputs, that of a point its most unusual channel's.

    Args:
        network: Function from windows, a float32 array `(windows, num_steps, 2 *
            channels)` of scaled values and marks (see `gaps.mark_missing`), to a dict
            with `"reconstruction"`, `(windows, num_steps, channels)`, or
            `"next_steps"`, `(windows, horizon, channels)`, of which the first step is
            used, or both; or a Keras model of such outputs.
        scale: `gaps.Scale` of the training part, see `gaps.fit_scale`.
        num_steps: Integer, the length of a window.
        smoothing: Integer, see `points.smooth`.
        longest_missing: Integer, see `gaps`.
        outputs: Names of the outputs to use; by default both, where they are there.
    """

    def __init__(
        self,
        network,
        scale,
        num_steps,
        smoothing=10,
        longest_missing=0,
        outputs=(RECONSTRUCTION, NEXT_STEPS),
    ):
        self.network, self.scale, self.outputs = network, scale, tuple(outputs)
        self.num_steps, self.smoothing = num_steps, smoothing
        self.longest_missing = longest_missing
        self.levels, self.threshold, self.is_tail = {}, None, None

    def predict(self, windows):
        """Returns the outputs that are used, as NumPy arrays."""
        if isinstance(self.network, keras.Model):
            if len(windows) == 1:  # Of a stream: without the loop over batches.
                outputs = self.network.predict_on_batch(windows)
            else:
                outputs = self.network.predict(windows, batch_size=500, verbose=0)
        else:
            outputs = self.network(windows)
        return {name: outputs[name] for name in self.outputs if name in outputs}

    def errors(self, series):
        """Returns a dict from outputs to errors per point, `(steps, channels)`."""
        scaled = self.scale(series)
        segments = gaps.number_segments(series, self.longest_missing)
        starts = gaps.window_starts(segments, self.num_steps)
        sums = {}  # From outputs to sums and counts of the points' errors.
        for first in range(0, len(starts), CHUNK):
            chunk = starts[first : first + CHUNK]
            parts = self.window_errors(scaled, segments, chunk)
            for name, (places, errors) in parts.items():
                empty = np.zeros((2, *scaled.shape))
                points.add_windows(errors, places, *sums.setdefault(name, empty))
        return {
            name: points.smooth(points.divide(*total), segments, self.smoothing)
            for name, total in sums.items()
        }

    def window_errors(self, scaled, segments, starts):
        """Returns the squared errors of some windows, each with its first steps."""
        outputs = self.predict(gaps.cut_marked(scaled, starts, self.num_steps))
        found = {}
        if RECONSTRUCTION in outputs:
            every = np.lib.stride_tricks.sliding_window_view(
                scaled, self.num_steps, axis=0
            )
            windows = every[starts].transpose(0, 2, 1)
            found[RECONSTRUCTION] = starts, (windows - outputs[RECONSTRUCTION]) ** 2
        if NEXT_STEPS in outputs:
            after = starts + self.num_steps
            goes_on = after < len(scaled)
            goes_on[goes_on] = segments[after[goes_on]] == segments[starts[goes_on]]
            after = after[goes_on]
            errors = (scaled[after] - outputs[NEXT_STEPS][goes_on, 0]) ** 2
            found[NEXT_STEPS] = after, errors[:, np.newaxis]
        return found

    def reconstruct(self, series):
        """Returns the mean reconstruction of each point over the windows that hold it.

        It has the shape `(steps, channels)` and the units of the columns.
        """
        scaled = self.scale(series)
        segments = gaps.number_segments(series, self.longest_missing)
        starts = gaps.window_starts(segments, self.num_steps)
        sums = np.zeros((2, *scaled.shape))
        for first in range(0, len(starts), CHUNK):
            chunk = starts[first : first + CHUNK]
            windows = gaps.cut_marked(scaled, chunk, self.num_steps)
            points.add_windows(self.predict(windows)[RECONSTRUCTION], chunk, *sums)
        return self.scale.back(points.divide(*sums))

    def channel_scores(self, series):
        """Returns how unusual each value is, `(steps, channels)`; 1 is usual."""
        errors = self.errors(series)
        if not errors:
            return np.full((len(series), len(self.scale.columns)), np.nan)
        return points.combine(
            [values / self.levels[name] for name, values in errors.items()]
        )

    def scores(self, series):
        """Returns how unusual each point is, `(steps,)`; NaN where nothing is known."""
        return points.largest_channel(self.channel_scores(series))

    def calibrate(self, series, false_alarms):
        """Takes levels and threshold from a normal part that nothing was trained on.

        Args:
            series: Array of shape `(steps, all channels)`.
            false_alarms: Positive number, per 1,000 steps, see `alarm_threshold`.

        Returns the detector. Too short a part raises a `ValueError`.
        """
        part = "calibration part"
        gaps.check_length(series, self.num_steps, self.longest_missing, part)
        self.levels = {
            name: np.maximum(np.nanmean(values, axis=0), 1e-12)
            for name, values in self.errors(series).items()
        }
        self.threshold, self.is_tail = alarms.alarm_threshold(
            self.scores(series), self.num_steps, false_alarms
        )
        return self

    def episodes(self, scores):
        """Returns the alarms of some scores, as a list of `Episode`s."""
        return alarms.find_episodes(scores, self.threshold, self.num_steps)

    def blame(self, channel_scores, episode):
        """Returns the columns, the one that is most to blame for an episode first."""
        part = channel_scores[episode.start : episode.stop]
        known = ~np.isnan(part)
        means = np.where(known, part, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        order = np.argsort(-means, kind="stable")
        return [self.scale.columns[channel] for channel in order]

    def save(self, folder):
        """Writes `model.keras` and `detector.json` into a folder; no pickle."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.network.save(folder / MODEL_FILE)
        scale = self.scale._asdict()
        settings = {
            "scale": {name: np.asarray(part).tolist() for name, part in scale.items()},
            "levels": {name: level.tolist() for name, level in self.levels.items()},
            "threshold": self.threshold,
            "is_tail": self.is_tail,
            "num_steps": self.num_steps,
            "smoothing": self.smoothing,
            "longest_missing": self.longest_missing,
            "outputs": [*self.outputs],
        }
        write_file(folder / SETTINGS_FILE, json.dumps(settings, indent=1).encode())


def load_detector(folder):
    """Loads a `Detector` that `save` has written, or says what is wrong with it."""
    folder = pathlib.Path(folder)
    try:
        settings = json.loads((folder / SETTINGS_FILE).read_text("utf-8"))
        scale = settings["scale"]
        for name in ("kept", "mean", "deviation"):
            scale[name] = np.array(scale[name])
        scale = gaps.Scale(**scale)._replace(columns=tuple(scale["columns"]))
        model = keras.saving.load_model(folder / MODEL_FILE, compile=False)
        names = ("num_steps", "smoothing", "longest_missing", "outputs")
        detector = Detector(model, scale, *(settings[name] for name in names))
        detector.levels = {
            name: np.array(level) for name, level in settings["levels"].items()
        }
        detector.threshold = settings["threshold"]
        detector.is_tail = settings["is_tail"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} should hold {MODEL_FILE} and {SETTINGS_FILE} of one detector. "
            f"Received: {error!r}."
        ) from error
    return detector
