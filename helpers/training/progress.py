"""Progress: one line that is kept up to date while long work is done."""

import math
import shutil
import sys
import time


class Progress:
    """Shows how far a long piece of work is, and ends as one summary line.

    In a Jupyter kernel the line is an output of the cell, replaced in place. Elsewhere
    it goes to stderr: in place on a terminal, as a line every 30 seconds in a file.

    Args:
        name, unit: Strings, what is being done and the name of one unit of work.
        total: Positive integer, how many units there are.

    Example:

    >>> with Progress("squares", 3, unit="number") as progress:
    ...     for number in range(3):
    ...         progress.update(number + 1, {"square": number**2})
    ...     progress.finish("squares: 3 numbers")
    """

    def __init__(self, name, total, unit="epoch"):
        self.name, self.total, self.unit = name, total, unit
        self.done, self.first_done = 0, None
        self.started = self.last_shown = time.perf_counter()
        self.finished, self.handle = False, None
        self.width = 0  # Characters that stand on the terminal's line.
        self.display = kernel_display()
        # Seconds between two lines: in a notebook, on a terminal, in a file.
        terminal = 0.2 if sys.stderr.isatty() else 30.0
        self.interval = terminal if self.display is None else 0.5

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if not self.finished:
            self.finish(
                f"{self.name}: stopped in {self.unit} {self.unit_number()} of "
                f"{self.total}"
            )

    def update(self, done, values=None):
        """Shows a new state, at most a few times a second.

        Args:
            done: Number of units done; a fraction is a part of a unit.
            values: Dict of floats or `None`, shown with three significant digits.
        """
        self.done = done
        if self.first_done is None:  # What was done before does not count as speed.
            self.first_done = math.floor(done)
        if self.is_due():
            self.last_shown = now = time.perf_counter()
            self.show(self.line(now - self.started, values or {}))

    def is_due(self):
        """Tells whether the line is old enough to be shown anew."""
        return time.perf_counter() - self.last_shown >= self.interval

    def finish(self, summary):
        """Leaves `summary` as the last state of the line."""
        self.finished = True
        self.show(summary, last=True)

    def unit_number(self):
        """Returns the number of the unit that is being worked on, from 1."""
        return min(math.floor(self.done) + 1, self.total)

    def line(self, seconds, values):
        """Returns the line for a state after some seconds, with a dict of values."""
        parts = [f"{self.unit} {self.unit_number()} of {self.total}"]
        parts += [f"{name} {value:.3g}" for name, value in values.items()]
        parts.append(f"{seconds:.0f} s")
        if self.done > (self.first_done or 0):
            speed = seconds / (self.done - (self.first_done or 0))
            parts.append(f"{speed * (self.total - self.done):.0f} s to go")
        return f"{self.name}: {', '.join(parts)}"

    def show(self, line, last=False):
        """Writes `line` to where this process shows its progress."""
        if self.display is not None:
            data = {"text/plain": line}
            if self.handle is None:
                self.handle = self.display(data, raw=True, display_id=True)
            else:
                self.handle.update(data, raw=True)
        elif sys.stderr.isatty():
            # A line that wraps cannot be rewritten in place.
            line = line if last else line[: shutil.get_terminal_size().columns - 1]
            end = "\n" if last else ""
            print(f"\r{line:{self.width}}", end=end, file=sys.stderr, flush=True)
            self.width = len(line)
        else:
            print(line, file=sys.stderr, flush=True)


def kernel_display():
    """Returns IPython's `display` in a Jupyter kernel and `None` elsewhere."""
    # Whoever runs in a kernel has imported IPython; nobody else needs to have it.
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display
