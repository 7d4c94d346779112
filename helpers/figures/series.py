"""Figures of series and of their reconstructions."""

from helpers.figures import style

import numpy as np
from matplotlib import dates


def plot_series(
    panels, xlabel="time step", ylabel="value", num_columns=2, share_y=True, times=None
):
    """Draws series against time, a panel each.

    Args:
        panels: Dict from title to an array of shape `(time,)` or `(time, 1)`, or to a
            dict from label to such an array. A label has the same line in all panels.
        ylabel: String, or a dict from title to it.
        num_columns: Positive integer, panels side by side.
        share_y: Boolean, whether all panels have the same range of values.
        times: Array of shape `(time,)` of numbers or of NumPy's dates, for all panels;
            `None` counts the steps from 0.
    """
    fig, axes = style.new_panels(
        len(panels), num_columns, 1.6, sharex=True, sharey=share_y
    )
    handles = {}
    for index, (ax, title) in enumerate(zip(axes, panels, strict=True)):
        series = panels[title]
        series = series if isinstance(series, dict) else {"": series}
        for label, values in series.items():
            known = list(handles)
            place = known.index(label) if label in known else len(known)
            look = style.look_at(place) | {"marker": None, "linewidth": 1}
            steps = np.arange(len(values)) if times is None else times
            (line,) = ax.plot(steps, values, **look)
            handles.setdefault(label, line)
        ax.set_title(title)
        if isinstance(ylabel, dict) or index % num_columns == 0:
            ax.set_ylabel(ylabel[title] if isinstance(ylabel, dict) else ylabel)
        if index + num_columns >= len(axes):
            ax.set_xlabel(xlabel)
    if np.asarray(times).dtype.kind == "M":
        locator = dates.AutoDateLocator(minticks=3, maxticks=6)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    fig.align_ylabels()
    if list(handles) != [""]:
        style.outer_legend(fig, handles)
    return fig


def plot_reconstructions(
    series, reconstructions, titles, xlabel="time step", ylabel="value"
):
    """Draws series with their reconstructions, and what is left between them.

    Both have the shape `(examples, time, features)`; `titles` are strings, one per
    example. An example has a panel with both and its mean squared error, and under it
    one with the residual, reconstruction less original, in the same scale for all.
    """
    options = {"sharex": True, "sharey": "row", "height_ratios": [2.4, 1]}
    fig, grid = style.new_figure(2.5, 2, len(series), squeeze=False, **options)
    residuals = np.asarray(reconstructions, "float64") - series
    for example, (upper, lower) in enumerate(grid.T):
        error = np.square(residuals[example]).mean()
        upper.set_title(titles[example])
        upper.set_title(f"MSE {error:.2g}", loc="right", color=style.REFERENCE_COLOUR)
        upper.plot(series[example], "-", color=style.DATA_COLOUR, linewidth=1)
        upper.plot(reconstructions[example], "--", color=style.COLOURS[1])
        lower.plot(residuals[example], "-", color=style.COLOURS[1], linewidth=0.9)
        lower.axhline(0, color=style.REFERENCE_COLOUR, linewidth=0.6)
        lower.set_xlabel(xlabel)
    limit = 1.08 * np.abs(residuals).max() or 1
    grid[1, 0].set(ylabel="residual", ylim=(-limit, limit))
    grid[0, 0].set_ylabel(ylabel)
    fig.align_ylabels()
    handles = {"original": upper.lines[0], "reconstruction": upper.lines[-1]}
    style.outer_legend(fig, handles)
    return fig
