"""Figures that compare networks: curves, errors of examples, scores and seeds."""

from helpers.figures import labels, style

import numpy as np

ERROR_FLOOR = 1e-6  # The smallest error against sizes of codes that is drawn.


def plot_curves(
    curves, xlabel, ylabel, references=None, log="", bands=None, joined=True
):
    """Draws curves that are labelled at their ends, or points with a legend.

    Args:
        curves: Dict from label to an array of shape `(points,)`, drawn against 1, 2,
            and so on, or to a tuple `(x, y)` of such arrays. A line ends where values
            are NaN or infinite, and has gaps at zeros on a log axis.
        log: String, the axes that are logarithmic: `"x"`, `"y"`, `"xy"`, or none.
        bands: Dict from label of a curve to a tuple `(low, high)` of arrays.
        joined: Boolean, whether the points of a curve are joined, in their order.
    """
    fig, ax = style.new_figure(2.8)
    handles, ends = {}, []
    for label, look in style.looks_of(curves).items():
        points = curves[label]
        x, y = points if isinstance(points, tuple) else (None, points)
        y = np.asarray(y, "float64")
        x = np.arange(1, len(y) + 1) if x is None else np.asarray(x)
        # On a log axis matplotlib would draw a zero as a fall to the lower edge.
        y = np.where(np.isfinite(y) & ((y > 0) | ("y" not in log)), y, np.nan)
        look |= {"markevery": max(1, len(y) // 12)} if joined else {"linestyle": "none"}
        (handles[label],) = ax.plot(x, y, **look)
        if label in (bands or {}):
            ax.fill_between(x, *bands[label], color=look["color"], alpha=0.15, lw=0)
        last = np.flatnonzero(np.isfinite(y))[-1]
        ends.append((label, x[last], y[last], look["color"]))
    ax.set(xlabel=xlabel, ylabel=ylabel, xmargin=0.03)
    labels.finish_axis(ax, "x", "x" in log)
    labels.finish_axis(ax, "y", "y" in log, references)
    if not joined:
        style.outer_legend(fig, handles)
    labels.label_right(ax, references, ends if joined else ())
    return fig


def plot_code_sizes(curves):
    """Draws errors against the size of the code, both on log axes.

    `curves` is a dict from label to a dict from code size to a list of errors, one per
    seed. The line goes through the means, a band from lowest to highest. Errors below
    `ERROR_FLOOR`, zero in all but rounding, are drawn there.
    """
    means, bands = {}, {}
    for label, curve in curves.items():
        sizes = sorted(curve)
        low, mean, high = (
            np.maximum([reduce(curve[size]) for size in sizes], ERROR_FLOOR)
            for reduce in (np.min, np.mean, np.max)
        )
        means[label], bands[label] = (sizes, mean), (low, high)
    xlabel, ylabel = "numbers in the code", "test mean squared error"
    if min(low.min() for low, _ in bands.values()) == ERROR_FLOOR:
        ylabel += f", at least {labels.format_log(ERROR_FLOOR)}"
    fig = plot_curves(means, xlabel, ylabel, log="xy", bands=bands)
    ax = fig.axes[0]
    sizes = sorted(set().union(*curves.values()))
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    labels.stagger_x_labels(ax)
    return fig


def plot_intervals(intervals, xlabel):
    """Draws a dict from label to `(value, low, high)`, row by row, and a line at 0."""
    fig, ax = style.new_figure(0.7 + 0.27 * len(intervals))
    ax.axvline(0, color=style.REFERENCE_COLOUR, linewidth=0.8)
    value, low, high = np.transpose(list(intervals.values()))
    places = np.arange(len(intervals))
    ax.errorbar(value, places, xerr=[value - low, high - value], fmt="o")
    name_rows(ax, intervals)
    ax.set_xlabel(xlabel)
    return fig


def plot_ladder(rungs, xlabels, references=None, log=()):
    """Draws scores of one network per row, each a change more than the one above.

    Args:
        rungs: Dict from the name of a change to a dict from score to a sequence of
            numbers, one per seed: a dot each, joined.
        xlabels: Dict from score to the label of its panel's axis, in the panels' order.
        references: Dict from score to its references.
        log: Scores whose axis is logarithmic.
    """
    references = references or {}
    height = 0.6 + 0.27 * len(rungs) + (0.7 if references else 0)
    fig, axes = style.new_panels(len(xlabels), len(xlabels), height, sharey=True)
    for ax, (score, xlabel) in zip(axes, xlabels.items(), strict=True):
        for place, scores in enumerate(rungs.values()):
            places = np.full(len(scores[score]), place)
            look = {"color": style.COLOURS[0], "markerfacecolor": "white"}
            ax.plot(scores[score], places, "o-", **look, markersize=5)
        ax.grid(axis="y", linewidth=0.3)
        ax.set_xlabel(xlabel)
        labels.finish_axis(ax, "x", score in log, references.get(score))
        name_rows(ax, rungs)
    for ax, score in zip(axes, xlabels, strict=True):
        labels.label_top(ax, references.get(score, {}))
    return fig


def name_rows(ax, names):
    """Names rows at 0, 1, 2, ... of the vertical axis, the first one on top."""
    ax.set_yticks(range(len(names)), list(names))
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
