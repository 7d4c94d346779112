"""Reference lines, numbers on log axes, and labels that do not overlap."""

import math

from helpers.figures import style

import numpy as np
from matplotlib import ticker
from sklearn.isotonic import isotonic_regression


def finish_axis(ax, direction, log, references=None):
    """Draws reference lines across the axis "x" or "y", and makes it log if asked."""
    draw = ax.axvline if direction == "x" else ax.axhline
    for value in (references or {}).values():
        draw(value, color=style.REFERENCE_COLOUR, ls=(0, (1, 1.5)), linewidth=1)
    if log:
        ax.set(**{f"{direction}scale": "log"})
        number_log_axis(getattr(ax, f"{direction}axis"))


def number_log_axis(axis):
    """Numbers a log axis: at 1, 2, 5 over few decades, else at fewer of these."""
    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    if decades > 10:
        return
    subs = (1,) if decades > 3 else (1, 3) if decades > 1.8 else (1, 2, 5)
    axis.set_major_locator(ticker.LogLocator(subs=subs, numticks=20))
    axis.set_minor_locator(ticker.LogLocator(subs=range(1, 10), numticks=50))
    axis.set_major_formatter(lambda value, _: format_log(value))
    axis.set_minor_formatter(ticker.NullFormatter())


def format_log(value):
    """Formats a number of a log axis: plain where short, else as a power of ten."""
    if 1e-4 <= value < 1e5:
        return f"{value:.10g}" if value >= 1e-3 else f"{value:.4f}"
    mantissa, exponent = f"{value:.0e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if mantissa == "1" else f"${mantissa}·{power}$"


def stagger_x_labels(ax):
    """Moves a tick label to a lower line where it would overlap one before it."""
    ax.figure.draw_without_rendering()
    texts, ends = [], []  # Where the labels on each line end, in pixels.
    for label in ax.get_xticklabels():
        extent = label.get_window_extent()
        free = [line for line, end in enumerate(ends) if extent.x0 > end + 4]
        line = free[0] if free else len(ends)
        ends[line : line + 1] = [extent.x1]
        texts.append("\n" * line + label.get_text())
    ax.set_xticks(ax.get_xticks(), texts)


def label_right(ax, references=None, ends=()):
    """Labels references and `(label, x, y, colour)`s at the right, the limits final."""
    edge = ax.get_xlim()[1]
    labels = list(ends)
    for label, y in (references or {}).items():
        labels.append((label, edge, y, style.REFERENCE_COLOUR))
    shifts = shifts_apart(ax, [y for _, _, y, _ in labels], 1.15, axis=1)
    for (label, x, y, colour), shift in zip(labels, shifts, strict=True):
        leader = {"relpos": (0, 0.5), "color": colour}
        place = ("axes fraction", "data")
        label_beside(ax, label, (1, y), place, (12, shift), leader, va="center")
        ax.plot([x, edge], [y, y], ":", color=colour, linewidth=0.7)
    ax.set_xlim(right=edge)


def label_top(ax, references):
    """Labels vertical lines above the axes, slanted."""
    # Slanted lines of text this far apart on the axis leave room for their descenders.
    shifts = shifts_apart(ax, list(references.values()), 2.1, axis=0)
    for (label, x), shift in zip(references.items(), shifts, strict=True):
        leader = {"relpos": (0, 0), "color": style.REFERENCE_COLOUR}
        place, slant = ("data", "axes fraction"), {"rotation_mode": "anchor"}
        label_beside(ax, label, (x, 1), place, (shift, 8), leader, rotation=35, **slant)


def label_beside(ax, label, place, coordinates, shift, leader, **options):
    """Writes a label some points from a place at the edge, and leads a line to it."""
    ax.annotate(
        label,
        place,
        shift,
        xycoords=coordinates,
        textcoords="offset points",
        color=leader["color"],
        annotation_clip=False,
        arrowprops={"arrowstyle": "-", "lw": 0.5, "shrinkA": 1, "shrinkB": 0, **leader},
        **options,
    )


def shifts_apart(ax, values, num_lines, axis):
    """Returns by how many points labels at values of an axis have to move apart."""
    if not values:
        return []
    ax.figure.draw_without_rendering()  # Only then is the size of the axes known.
    length = ax.get_window_extent().size[axis] * 72 / ax.figure.dpi
    pixels = ax.transData.transform([(value, value) for value in values])
    anchors = ax.transAxes.inverted().transform(pixels)[:, axis]
    gap = num_lines * style.TEXT_SIZE / length
    return length * (move_apart(anchors, gap) - anchors)


def move_apart(anchors, gap):
    """Moves numbers by little, a gap apart, in `[0, 1]` where there is room."""
    order, gaps = np.argsort(anchors, kind="stable"), gap * np.arange(len(anchors))
    # With the gaps taken out, numbers have to be sorted only.
    moved = isotonic_regression(np.take(anchors, order) - gaps)
    places = np.empty(len(anchors))
    places[order] = np.clip(moved, 0, max(0, 1 - gaps[-1])) + gaps
    return places
