"""Figures of trainings: histories, and scores against hyper-parameters."""

import numbers

from helpers.figures import style
from helpers.figures.labels import finish_axis, label_right, stagger_x_labels

import numpy as np
import pandas as pd
from matplotlib import lines, ticker

PARTS = {
    "training": {"linestyle": "-"},
    "validation": {"linestyle": "--", "markerfacecolor": "white"},
}


def plot_history(
    histories, metrics="loss", references=None, log=True, ylabels=None, seconds=False
):
    """Draws losses and other metrics against epochs: training solid, validation dashed.

    Args:
        histories: Dict from a network's name to a history, a dict from metric to a list
            with one number per epoch; validation has the metric's name after `val_`. A
            loss that diverged (NaN or infinite) ends where it did.
        metrics: String or list of strings, keys of the histories; a panel each, without
            the histories that lack it.
        references: Dict from label to number; or, for several metrics, a dict from
            metric to such a dict.
        log: Boolean, whether values are on a log axis; or a dict from metric to this.
        ylabels: Dict from metric to the label of its axis.
        seconds: Boolean, whether to draw against the histories' seconds, on a log axis.
    """
    metrics = [metrics] if isinstance(metrics, str) else metrics
    references, ylabels = references or {}, ylabels or {}
    if not all(isinstance(value, dict) for value in references.values()):
        references = dict.fromkeys(metrics, references)
    log = log if isinstance(log, dict) else dict.fromkeys(metrics, log)
    height = 2.5 if len(metrics) == 1 else 1.9
    fig, axes = style.new_panels(len(metrics), 1, height, sharex=True)
    looks, handles, parts = style.looks_of(histories), {}, set()
    for ax, metric in zip(axes, metrics, strict=True):
        for name, history in histories.items():
            for part, key in (("training", metric), ("validation", f"val_{metric}")):
                if key not in history:
                    continue
                values = np.asarray(history[key], "float64")
                values = np.where(np.isfinite(values), values, np.nan)
                look = looks[name] | PARTS[part] | {"markevery": len(values) // 8 or 1}
                x = history["seconds"] if seconds else np.arange(1, len(values) + 1)
                (line,) = ax.plot(x, values, **look)
                handles.setdefault(name, line)
                parts.add(part)
        ax.set_ylabel(ylabels.get(metric, metric.replace("_", " ")))
        finish_axis(ax, "y", log.get(metric, True), references.get(metric))
        ax.margins(x=0.02)
    axes[-1].set_xlabel("seconds of training" if seconds else "epoch")
    epochs = ticker.MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    if seconds:
        finish_axis(axes[-1], "x", log=True)
    else:
        axes[-1].xaxis.set_major_locator(epochs)
    fig.align_ylabels()
    handles = handles if len(histories) > 1 else {}
    if len(parts) == 2:
        for part, look in PARTS.items():
            handles[part] = lines.Line2D([], [], color=style.DATA_COLOUR, **look)
    if handles:
        style.outer_legend(fig, handles)
    for ax, metric in zip(axes, metrics, strict=True):
        label_right(ax, references.get(metric))
    return fig


def plot_sweep(
    table, parameters, score, base, references=None, ylabel=None, xlabels=None
):
    """Draws a score against hyper-parameters: a point per fold, a line through means.

    A panel shows the configurations that differ from the base in its own
    hyper-parameter alone; the base's value is bold. Values above 0 are on a log axis,
    others, `None` say, side by side. A configuration of which a fold diverged has no
    mean, and a note.

    Args:
        table: `pandas.DataFrame`, a row per configuration and fold.
        parameters: List of strings, columns of `table`; a panel each.
        score: String, column of `table`, drawn on a log axis.
        base: Dict from each hyper-parameter to its base value; `sweep_rows` says when
            it raises a `ValueError`.
        xlabels: Dict from hyper-parameter to the label of its axis.
    """
    num_columns = 2 if len(parameters) in (2, 4) else min(3, len(parameters))
    fig, axes = style.new_panels(len(parameters), num_columns, 2, sharey=True)
    for index, (ax, parameter) in enumerate(zip(axes, parameters, strict=True)):
        rows = sweep_rows(table, base, parameter)
        groups = rows.groupby(parameter, dropna=False)[score]
        groups = dict(sorted(groups, key=lambda group: place_of(group[0])))
        places = range(len(groups))
        if all(isinstance(value, numbers.Real) and value > 0 for value in groups):
            places = list(groups)
            ax.set_xscale("log")
        means = []
        for place, scores in zip(places, groups.values(), strict=True):
            scores = np.where(np.isfinite(scores), scores, np.nan)
            ax.plot([place] * len(scores), scores, "o", c=style.COLOURS[0], alpha=0.55)
            means.append(scores.mean())
            if diverged := np.isnan(scores).sum():
                note = f"{diverged} of {len(scores)}\ndiverged"
                upper_edge = ax.get_xaxis_transform()
                ax.text(place, 1.04, note, transform=upper_edge, ha="center")
        ax.plot(places, means, "-", color=style.COLOURS[0])
        ax.set_xticks(places, [format_value(value) for value in groups])
        ax.minorticks_off()
        ax.margins(x=0.12)
        ax.set_xlabel((xlabels or {}).get(parameter, parameter.replace("_", " ")))
        if index % num_columns == 0:
            ax.set_ylabel(ylabel or score.replace("_", " "))
        finish_axis(ax, "y", True, references)
    # One label for each line is enough, at the right edge of the figure.
    label_right(axes[num_columns - 1], references)
    for ax, parameter in zip(axes, parameters, strict=True):
        for label in ax.get_xticklabels():
            if label.get_text() == format_value(base[parameter]):
                label.set_fontweight("bold")
        stagger_x_labels(ax)
    return fig


def place_of(value):
    """Returns what values are sorted by: numbers in order, a missing one last."""
    return pd.isna(value), value if isinstance(value, numbers.Real) else 0


def format_value(value):
    """Formats a hyper-parameter's value; pandas may have made a `None` NaN."""
    if pd.isna(value):
        return "none"
    return f"{value:g}" if isinstance(value, numbers.Real) else str(value)


def sweep_rows(table, base, parameter):
    """Returns the rows of `table` that differ from a base in one parameter alone.

    `base` is a dict from column to value, `parameter` one of its keys. A `ValueError`
    says that no row is left.
    """
    rows = table
    for name in base.keys() - {parameter}:
        value = base[name]
        rows = rows[rows[name].isna() if value is None else rows[name] == value]
    if rows.empty:
        raise ValueError(
            f"`table` should have rows that differ from {base} in {parameter!r} alone. "
            "Received: none."
        )
    return rows
