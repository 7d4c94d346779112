"""The figure of what is unusual in a series."""

from helpers.figures import style
from helpers.figures.labels import finish_axis

import numpy as np
from matplotlib import dates

ALARM_COLOUR, LABEL_COLOUR = style.COLOURS[1], style.COLOURS[2]
ZOOM = 150  # Steps before and after the largest alarm.


def plot_alarms(
    times, series, scores, threshold, episodes, labels, rebuilt, num_usual, xlabel
):
    """Draws channels and score against time, and beside it the largest alarm closely.

    Args:
        times: Array `(steps,)` of numbers or of NumPy's dates.
        series: Dict from the name of a channel to its values, `(steps,)`.
        scores: Array `(steps,)`; NaN where there is no score.
        threshold: Float, above which a score is an alarm.
        episodes: List of `series.Episode`, drawn as bands; without any the largest
            score is enlarged.
        labels: Array `(steps,)`, above 0 where somebody marked an anomaly, or `None`.
        rebuilt: Dict from names of channels to reconstructions, `(steps,)`.
        num_usual: Integer, steps of the training and calibration part, drawn grey.
    """
    rows = {**series, "score": scores}
    peaks = [one.peak for one in episodes] or [int(np.nan_to_num(scores).argmax())]
    peak = max(peaks, key=lambda step: scores[step])
    spans = slice(0, len(times)), slice(max(0, peak - ZOOM), peak + ZOOM)
    options = {"sharex": "col", "width_ratios": [2, 1], "squeeze": False}
    fig, grid = style.new_figure(0.6 + 1.25 * len(rows), len(rows), 2, **options)
    handles = {}
    for axes, (name, values) in zip(grid, rows.items(), strict=True):
        axes[0].set_ylabel(name)
        for ax, span in zip(axes, spans, strict=True):
            look = {"color": style.DATA_COLOUR, "linewidth": 0.8}
            (handles["values"],) = ax.plot(times[span], values[span], **look)
            if name in rebuilt:
                look = {"color": style.COLOURS[0], "linestyle": "--", "linewidth": 0.8}
                (line,) = ax.plot(times[span], rebuilt[name][span], **look)
                handles["reconstruction"] = line
            if name == "score":
                look = {"color": ALARM_COLOUR, "linestyle": "--"}
                handles["threshold"] = ax.axhline(threshold, **look)
                finish_axis(ax, "y", log=True)
            ax.axvspan(times[0], times[num_usual - 1], color="0.93", zorder=0)
            for one in episodes:
                edges = times[one.start], times[min(one.stop, len(times) - 1)]
                look = {"color": ALARM_COLOUR, "alpha": 0.3}
                handles["alarm"] = ax.axvspan(*edges, **look)
            if labels is not None:
                top = ax.get_xaxis_transform()  # Of the axes, in shares of the height.
                look = {"color": LABEL_COLOUR, "transform": top, "linewidth": 3}
                marks = np.where(labels > 0, 1.0, np.nan)
                (handles["marked anomaly"],) = ax.plot(times, marks, "-", **look)
            ax.set_xlim(times[span][0], times[span][-1])
    grid[0, 1].set_title("largest alarm" if episodes else "largest score")
    for ax in grid[-1]:
        ax.set_xlabel(xlabel, loc="left")  # On the right stands the day of times.
        if times.dtype.kind == "M":
            locator = dates.AutoDateLocator(minticks=2, maxticks=4)
            ax.xaxis.set_major_locator(locator)
            ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    fig.align_ylabels()
    style.outer_legend(fig, handles)
    return fig
