"""Scores of a series that arrives step by step: those of the whole series."""

from functools import partial

from helpers.series import gaps
from helpers.series.detector import NEXT_STEPS, RECONSTRUCTION, known_sums

import keras
import numpy as np
import tensorflow as tf


class Stream:
    """Scores points as they arrive; a score that is given is final.

    It needs all windows that hold the point, and its neighbours for the smoothing: it
    is `delay` steps late, and up to `longest_missing` more where steps are missing. It
    equals that of `Detector.score`, up to the rounding of float32. `detector` is a
    calibrated `Detector`. Only the last steps are kept.
    """

    def __init__(self, detector):
        self.detector, self.window = detector, detector.window
        self.network = detector.network
        if isinstance(self.network, keras.Model):  # For one window a third of the time.
            call = partial(self.network, training=False)
            self.network = tf.function(call, jit_compile=True)
        self.reach, self.longest_missing = (
            detector.smoothing // 2,
            detector.longest_missing,
        )
        self.delay = self.window - 1 + self.reach
        self.count = self.waiting = 0  # Steps, and the missing ones at their end.
        self.begin()

    def begin(self):
        """Begins a segment without steps."""
        self.first, self.size, self.given = self.count, 0, 0
        shape = self.delay + self.reach + 1, len(self.detector.scale.mean)
        # Of the segment's last steps: values, and of each output sums and counts.
        self.rows, self.forecast = np.full(shape, np.nan), np.full(shape[1], np.nan)
        self.sums = {name: np.zeros((2, *shape)) for name in self.detector.levels}

    def push(self, values):
        """Takes the values of a step, `(all channels,)`, NaN where missing.

        Returns a list of tuples `(step, score)`, from step 0 on, NaN for no score.
        """
        row = self.detector.scale(np.asarray(values, "float64")[np.newaxis])
        if np.isnan(row).all():
            self.count, self.waiting = self.count + 1, self.waiting + 1
            return self.finish() if self.waiting > self.longest_missing else []
        found = [] if self.size else self.finish()
        for one in [*[np.full(row.shape, np.nan)] * self.waiting, row]:
            found += self.add(one)
        self.count, self.waiting = self.count + 1, 0
        return found

    def finish(self):
        """Ends the segment, or the series, and returns the scores that are left."""
        found = self.give(self.size)
        missing = range(self.count - self.waiting, self.count)
        self.waiting = 0
        self.begin()
        return found + [(step, np.nan) for step in missing]

    def add(self, row):
        """Adds a step to the segment and returns the score that it makes final."""
        self.size += 1
        self.rows = np.append(self.rows[1:], row, axis=0)
        differences, outputs = {NEXT_STEPS: row - self.forecast}, {}
        if self.size >= self.window:
            window = self.rows[-self.window :]
            outputs = self.network(gaps.mark_missing(window)[np.newaxis])
            outputs = {name: np.asarray(output) for name, output in outputs.items()}
        if RECONSTRUCTION in outputs:
            differences[RECONSTRUCTION] = window - outputs[RECONSTRUCTION][0]
        if NEXT_STEPS in outputs:
            self.forecast = outputs[NEXT_STEPS][0, 0]
        for name, sums in self.sums.items():
            sums[:] = np.append(sums[:, 1:], np.zeros((2, *row.shape)), axis=1)
            if name in differences:
                errors = known_sums(differences[name] ** 2)
                sums[:, -errors.shape[1] :] += errors
        return self.give(self.size - self.delay)

    def give(self, stop):
        """Returns the scores of the segment's steps before `stop`, not yet given."""
        steps = range(self.given, stop)
        if not steps:
            return []
        self.given = stop
        low = max(steps[0] - self.reach, 0)
        oldest = self.size - len(self.rows)  # Step of the first row, if there is one.
        near = slice(low - oldest, stop + self.reach - oldest)
        sums = {name: part[:, near] for name, part in self.sums.items()}
        same = np.zeros(len(self.rows[near]), "int64")
        scores = np.fmax.reduce(self.detector.combine(sums, same), axis=1)
        return [(self.first + step, float(scores[step - low])) for step in steps]
