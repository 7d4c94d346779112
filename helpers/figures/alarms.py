"""Figures of what is unusual in a series, and of its forecast."""

from helpers.figures import style

import numpy as np
from matplotlib import dates, ticker

ALARM_COLOUR, LABEL_COLOUR = style.COLOURS[1], style.COLOURS[2]


def plot_alarms(
    times,
    series,
    scores,
    threshold,
    episodes,
    labels=None,
    reconstruction=None,
    num_normal=0,
    zoom_steps=150,
    xlabel="time step",
):
    """Draws channels and score against time, and beside it the largest alarm closely.

    Args:
        times: Array `(steps,)` of numbers or of NumPy's dates.
        series: Dict from the name and unit of a channel to its values, `(steps,)`.
        scores: Array `(steps,)`; NaN where there is no score.
        threshold: Float, above which a score is an alarm.
        episodes: List of `series.Episode`, drawn as orange bands.
        labels: Array `(steps,)`, above 0 where somebody marked an anomaly, or `None`.
        reconstruction: Dict from names of channels to arrays `(steps,)`, or `None`.
        num_normal: Integer, steps of the training and calibration part, drawn grey.
        zoom_steps: Integer, steps before and after the largest alarm on the right.
    """
    names = [*series, "score"]
    height = 0.6 + 1.25 * len(names)
    options = {"sharex": "col", "width_ratios": [2, 1], "squeeze": False}
    fig, grid = style.new_figure(height, len(names), 2, **options)
    peak = largest(scores, episodes)
    for (left, right), name in zip(grid, names, strict=True):
        for ax in (left, right):
            if name == "score":
                ax.plot(times, scores, "-", color=style.DATA_COLOUR, linewidth=0.7)
                ax.axhline(threshold, color=ALARM_COLOUR, linestyle="--")
                ax.set_yscale("log")
                ax.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 3)))
                ax.yaxis.set_major_formatter("{x:g}")
                ax.yaxis.set_minor_formatter(ticker.NullFormatter())
            else:
                ax.plot(times, series[name], "-", color=style.DATA_COLOUR, lw=0.9)
                if reconstruction:
                    fit = reconstruction[name]
                    ax.plot(times, fit, "--", color=style.COLOURS[0], lw=0.9)
            mark(ax, times, episodes, labels)
        if num_normal:
            left.axvspan(times[0], times[num_normal - 1], color="0.93", zorder=0)
        left.set_ylabel(name)
    low, high = max(0, peak - zoom_steps), min(len(times) - 1, peak + zoom_steps)
    grid[-1, 1].set_xlim(times[low], times[high])
    for ax in grid[:-1, 1]:
        lines = [line.get_ydata()[low : high + 1] for line in ax.lines]
        ax.set_ylim(*padded(np.concatenate(lines)))
    for ax in grid[-1]:
        ax.set_xlabel(xlabel, loc="left")  # On the right stands the day of times.
        if np.asarray(times).dtype.kind == "M":
            locator = dates.AutoDateLocator(minticks=2, maxticks=4)
            ax.xaxis.set_major_locator(locator)
            ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    grid[0, 1].set_title("largest alarm" if episodes else "largest score")
    fig.align_ylabels()
    handles = {"values": grid[0, 0].lines[0], "threshold": grid[-1, 0].lines[1]}
    if reconstruction:
        handles["reconstruction"] = grid[0, 0].lines[1]
    handles["alarm"] = patch(ALARM_COLOUR)
    if labels is not None:
        handles["marked anomaly"] = patch(LABEL_COLOUR)
    style.outer_legend(fig, handles)
    return fig


def largest(scores, episodes):
    """Returns the step of the largest score among alarms, or of all."""
    peaks = [episode.peak for episode in episodes]
    if peaks:
        return max(peaks, key=lambda step: scores[step])
    return int(np.nan_to_num(scores).argmax())


def mark(ax, times, episodes, labels):
    """Draws alarms as bands, and marked steps as a bar at the upper edge."""
    last = len(times) - 1
    for episode in episodes:
        stop = min(episode.stop, last)
        ax.axvspan(times[episode.start], times[stop], color=ALARM_COLOUR, alpha=0.3)
    if labels is None:
        return
    edges = np.flatnonzero(np.diff(np.asarray(labels) > 0, prepend=0, append=0))
    for start, stop in edges.reshape(-1, 2):
        span = times[start], times[min(stop, last)]
        ax.axvspan(*span, 0.93, 1, color=LABEL_COLOUR, linewidth=2)


def padded(values):
    """Returns the range of values with a margin."""
    low, high = np.nanmin(values), np.nanmax(values)
    margin = 0.08 * (high - low) or 1
    return low - margin, high + margin


def patch(colour):
    """Returns a filled square for a legend."""
    return style.plt.Rectangle((0, 0), 1, 1, color=colour, alpha=0.6)


def plot_forecast(past, truth, forecast, low, high, xlabel, ylabel, titles):
    """Draws forecasts of the next steps with their bands, a panel for each example.

    Args:
        past: Array `(examples, steps)`, what was read.
        truth, forecast, low, high: Arrays `(examples, horizon)`.
        titles: List of strings, one per example.
    """
    fig, axes = style.new_panels(len(past), 3, 1.7, sharey=True)
    num_steps, horizon = past.shape[1], truth.shape[1]
    ahead = np.arange(horizon) + 1
    for example, ax in enumerate(axes):
        known = np.concatenate([past[example], truth[example]])
        steps = np.arange(len(known)) - num_steps + 1
        ax.plot(steps, known, "-", color=style.DATA_COLOUR, lw=0.9, label="values")
        band = low[example], high[example]
        ax.fill_between(ahead, *band, color=style.COLOURS[0], alpha=0.25, label="band")
        ax.plot(
            ahead, forecast[example], "--", color=style.COLOURS[0], label="forecast"
        )
        ax.axvline(0.5, color=style.REFERENCE_COLOUR, linewidth=0.6)
        ax.set_title(titles[example])
        ax.set_xlabel(xlabel)
    axes[0].set_ylabel(ylabel)
    handles = dict(zip(*axes[0].get_legend_handles_labels()[::-1], strict=True))
    style.outer_legend(fig, handles)
    return fig
