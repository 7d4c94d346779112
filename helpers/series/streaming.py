"""Scores of a series that arrives step by step: those of the whole series."""

from helpers.series import gaps, points
from helpers.series.detector import NEXT_STEPS, RECONSTRUCTION

import numpy as np


class Stream:
    """Scores points as they arrive; a score that is given is final.

    A point's score needs all windows that hold it, and its neighbours for the
    smoothing: it is `delay` steps late, less before a gap. It equals the score that
    `Detector.scores` gives for the whole series, up to the rounding of float32. Only
    the last steps are kept, so that a stream may go on for ever.

    Args:
        detector: Calibrated `Detector`.

    Attributes:
        delay: Integer, steps from a point to its score.

    Example:

    ```python
    stream = Stream(detector)
    for values in series:
        for step, score in stream.push(values):
            print(step, score, score > detector.threshold)
    print(stream.finish())
    ```
    """

    def __init__(self, detector):
        self.detector = detector
        self.num_steps = detector.num_steps
        self.reach = detector.smoothing // 2
        self.delay = self.num_steps - 1 + self.reach
        self.count = 0  # Steps that have arrived.
        self.missing = []  # Of them the last ones without a value: masked, or a gap?
        num_channels = len(detector.scale.columns)
        # Scaled values; sums and counts of the errors of each output.
        self.rows = np.zeros((4 * (self.delay + 1), num_channels))
        self.sums = {name: np.zeros((2, *self.rows.shape)) for name in detector.levels}
        self.begin()

    def begin(self):
        """Begins a segment."""
        self.first = self.count  # Step of the first row.
        self.size = self.given = 0  # Rows that are there, and that have a score.
        self.forecast = None  # Of the next step.
        for sums in self.sums.values():
            sums[:] = 0

    def push(self, values):
        """Takes the values of a step, `(all channels,)`, NaN where missing.

        Returns a list of tuples `(step, score)`, steps counted from 0, NaN for a step
        that has no score.
        """
        values = np.asarray(values, "float64")[np.newaxis]
        self.count += 1
        if np.isnan(values).all():
            self.missing.append(values)
            is_gap = len(self.missing) > self.detector.longest_missing
            return self.finish() if is_gap else []
        found = []
        if not self.size and self.missing:  # What is missing before the first value.
            found = [(step, np.nan) for step in self.missing_steps(self.count - 1)]
            self.missing = []
        if not self.size:
            self.first = self.count - 1
        for step in [*self.missing, values]:
            self.add(self.detector.scale(step))
            final = self.size - self.num_steps + 1 - self.reach
            found += self.give(final)
        self.missing = []
        return found

    def missing_steps(self, stop):
        """Returns the last missing steps, of which `stop` is the one after."""
        return range(stop - len(self.missing), stop)

    def finish(self):
        """Ends the segment, or the series, and returns the scores that are left."""
        found = self.give(self.size)
        found += [(step, np.nan) for step in self.missing_steps(self.count)]
        self.missing = []
        self.begin()
        return found

    def add(self, scaled):
        """Adds a step to the segment, and the errors that it makes known."""
        if self.size == len(self.rows):
            self.forget()
        self.rows[self.size] = scaled
        self.size += 1
        if self.forecast is not None:
            self.note(NEXT_STEPS, scaled - self.forecast[:, 0], self.size - 1)
        if self.size < self.num_steps:
            return
        start = self.size - self.num_steps
        window = self.rows[start : self.size]
        outputs = self.detector.predict(gaps.mark_missing(window)[np.newaxis])
        if RECONSTRUCTION in outputs:
            self.note(RECONSTRUCTION, window - outputs[RECONSTRUCTION][0], start)
        self.forecast = outputs.get(NEXT_STEPS)

    def note(self, name, differences, start):
        """Adds squared errors, `(steps, channels)`, to the sums of their points."""
        observed = ~np.isnan(differences)
        totals, counts = self.sums[name][:, start : start + len(differences)]
        totals += np.where(observed, differences, 0) ** 2
        counts += observed

    def forget(self):
        """Drops the rows that no later score needs."""
        drop = max(0, min(self.given - self.reach, self.size - self.num_steps))
        for rows in [
            self.rows,
            *(part for sums in self.sums.values() for part in sums),
        ]:
            rows[:-drop] = rows[drop:].copy()
            rows[-drop:] = 0
        self.first += drop
        self.size -= drop
        self.given -= drop

    def give(self, stop):
        """Returns the scores of the segment's rows before `stop`, not yet given."""
        if stop <= self.given:
            return []
        low, high = max(0, self.given - self.reach), min(self.size, stop + self.reach)
        same = np.zeros(high - low, "int64")
        found = []
        for name, sums in self.sums.items():
            errors = points.divide(*sums[:, low:high])
            smoothed = points.smooth(errors, same, self.detector.smoothing)
            found.append(smoothed / self.detector.levels[name])
        scores = points.largest_channel(points.combine(found))
        steps = range(self.given, stop)
        given = [(self.first + step, float(scores[step - low])) for step in steps]
        self.given = stop
        return given
