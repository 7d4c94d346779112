"""Figures: arrays in, a matplotlib `Figure` out, sized for the printed page.

A figure is returned and never shown: as the last expression of a cell, a notebook
shows it once. Colours are those of Okabe & Ito (2008), which people with a colour
vision deficiency can tell apart; line styles and markers repeat the distinction for
prints in grey. What is close to the right edge is labelled there instead of in a
legend.
"""

import collections
import math

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import dates, lines, ticker
from matplotlib.patheffects import withStroke

from helpers.checks import (
    check_integer,
    check_labels,
    check_numbers,
    check_probabilities,
    check_same,
    check_table,
    is_number,
)

WIDTH = 6.3  # Inches: the width of the text in print, 16 cm.
COLOURS = (
    "#0072B2",  # Blue.
    "#D55E00",  # Vermilion.
    "#009E73",  # Green.
    "#E69F00",  # Orange.
    "#CC79A7",  # Purple.
    "#56B4E9",  # Sky.
    "#000000",
    "#8C6D31",  # Brown: beyond Okabe & Ito, as their yellow is too pale for lines.
    "#7F7F7F",
    "#882255",  # Wine.
)
LINE_STYLES = (
    *("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (7, 2)), (0, (1, 1))),
    *((0, (3, 1)), (0, (9, 2, 2, 2)), (0, (2, 2))),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "*", "p")
REFERENCE_COLOUR = "0.35"
DATA_COLOUR = "0.2"
LABEL_SIZE = 8  # Points.
ERROR_FLOOR = 1e-6  # The smallest error against sizes of codes that is drawn.
LEADER = {"arrowstyle": "-", "linewidth": 0.5, "shrinkB": 0}  # From label to line.


def use_style():
    """Sets the style of all figures of a notebook; call it once, before the first."""
    plt.rcParams.update(
        {
            "figure.dpi": 150,
            "savefig.dpi": 150,
            "figure.figsize": (WIDTH, 2.6),
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.h_pad": 0.05,
            "figure.constrained_layout.w_pad": 0.05,
            "font.size": 8.5,
            "axes.titlesize": 8.5,
            "axes.titlelocation": "left",
            "axes.labelsize": 8.5,
            "axes.linewidth": 0.7,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.prop_cycle": matplotlib.cycler(
                color=COLOURS, linestyle=LINE_STYLES[: len(COLOURS)]
            ),
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "xtick.major.width": 0.7,
            "ytick.major.width": 0.7,
            "legend.fontsize": 8,
            "legend.frameon": False,
            "legend.handlelength": 2.2,
            "legend.columnspacing": 1.4,
            "lines.linewidth": 1.3,
            "lines.markersize": 4,
            "image.cmap": "cividis",
        }
    )


def plot_series(
    panels,
    xlabel="time step",
    ylabel="value",
    num_columns=2,
    share_y=True,
    times=None,
):
    """Draws series against time, a panel each.

    Args:
        panels: Dict from title to an array of shape `(time,)` or `(time, features)`,
            or to a dict from label to such an array.
        xlabel: String, label of the time axes.
        ylabel: String, label of the value axes.
        num_columns: Positive integer, panels side by side.
        share_y: Boolean, whether all panels have the same range of values.
        times: Array of shape `(time,)` of numbers or of NumPy's dates, for all
            panels; `None` counts the steps from 0.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no panel, or an array has other axes, NaN or infinity,
            or another length than `times`.
    """
    panels = check_dict("panels", panels)
    fig, axes = panel_grid(len(panels), num_columns, 1.6, sharex=True, sharey=share_y)
    handles = {}
    for ax, (title, series) in zip(axes, panels.items(), strict=True):
        if not isinstance(series, dict):
            series = {"": series}
        ax.set_title(title)
        for label, values in check_dict(f"panels: {title}", series).items():
            values = as_columns(f"panels: {title} {label}".rstrip(), values)
            steps = np.arange(len(values)) if times is None else np.asarray(times)
            check_same(
                ("length of times", f"length of {title} {label}".rstrip()),
                (len(steps), len(values)),
            )
            for feature in range(values.shape[1]):
                name = label
                if values.shape[1] > 1:
                    name = f"{label} feature {feature + 1}".lstrip()
                # The same name has the same line in all panels.
                position = handles[name].position if name in handles else len(handles)
                style = line_style(position)
                (line,) = ax.plot(steps, values[:, feature], **style, linewidth=1)
                line.position = position
                handles.setdefault(name, line)
        if np.asarray(times).dtype.kind == "M":
            locator = dates.AutoDateLocator(minticks=3, maxticks=6)
            ax.xaxis.set_major_locator(locator)
            ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    for index, ax in enumerate(axes):
        if index % num_columns == 0:
            ax.set_ylabel(ylabel)
        if index + num_columns >= len(axes):
            ax.set_xlabel(xlabel)
    fig.align_ylabels()
    if set(handles) != {""}:
        outer_legend(fig, handles)
    return fig


def plot_reconstructions(
    series,
    reconstructions,
    titles,
    xlabel="time step",
    ylabel="value",
    num_columns=2,
):
    """Draws series with their reconstructions, and what is left between them.

    Args:
        series: Array of shape `(examples, time, features)`.
        reconstructions: Array of the same shape.
        titles: List of `examples` strings.
        xlabel: String, label of the time axes.
        ylabel: String, label of the value axes.
        num_columns: Positive integer, examples side by side.

    Returns:
        `matplotlib.figure.Figure`: per example a panel with both and its mean squared
        error, and under it one with the residual, reconstruction less original, in the
        same scale for all examples.

    Raises:
        ValueError: If shapes or lengths differ, or a value is NaN or infinite.
    """
    axes_names = ("examples", "time", "features")
    series = check_numbers("series", series, axes_names)
    reconstructions = check_numbers("reconstructions", reconstructions, axes_names)
    check_same(
        ("shape of series", "shape of reconstructions"),
        (series.shape, reconstructions.shape),
    )
    titles = list(titles)
    check_same(("length of series", "length of titles"), (len(series), len(titles)))
    num_columns = min(check_integer("num_columns", num_columns, minimum=1), len(series))
    num_rows = math.ceil(len(series) / num_columns)
    fig, grid = new_figure(
        2 * num_rows,
        num_columns,
        2.1 * num_rows + 0.4,
        height_ratios=[2.4, 1] * num_rows,
        sharex=True,
    )
    residuals = reconstructions.astype("float64") - series
    limit = 1.08 * np.abs(residuals).max() or 1
    low = min(series.min(), reconstructions.min())
    high = max(series.max(), reconstructions.max())
    margin = 0.05 * (high - low) or 0.5
    for example in range(num_rows * num_columns):
        row, column = divmod(example, num_columns)
        upper, lower = grid[2 * row, column], grid[2 * row + 1, column]
        if example >= len(series):
            upper.remove()
            lower.remove()
            continue
        upper.set_title(titles[example])
        error = np.square(residuals[example]).mean()
        upper.set_title(f"MSE {error:.2g}", loc="right", color=REFERENCE_COLOUR)
        for feature in range(series.shape[2]):
            colour = COLOURS[(feature + 1) % len(COLOURS)]
            upper.plot(series[example, :, feature], "-", color=DATA_COLOUR, lw=1)
            upper.plot(reconstructions[example, :, feature], "--", color=colour, lw=1.3)
            lower.plot(residuals[example, :, feature], "-", color=colour, lw=0.9)
        lower.axhline(0, color=REFERENCE_COLOUR, linewidth=0.6)
        upper.set_ylim(low - margin, high + margin)
        lower.set_ylim(-limit, limit)
        upper.tick_params(labelbottom=False)
        lower.tick_params(labelbottom=False)
        if example + num_columns >= len(series):
            reach_into_gap(lower, row < num_rows - 1)
            lower.set_xlabel(xlabel)
        if column == 0:
            upper.set_ylabel(ylabel)
            lower.set_ylabel("residual")
        else:
            upper.tick_params(labelleft=False)
            lower.tick_params(labelleft=False)
    fig.align_ylabels()
    names = {
        "original": lines.Line2D([], [], linestyle="-", color=DATA_COLOUR),
        "reconstruction": lines.Line2D([], [], linestyle="--", color=COLOURS[1]),
    }
    outer_legend(fig, names)
    return fig


def plot_history(histories, metrics="loss", references=None, log=True, ylabels=None):
    """Draws losses and other metrics against epochs.

    Training is solid, validation dashed. A loss that diverged (NaN or infinite) ends
    where it did.

    Args:
        histories: Dict from label to a history, a dict from metric to a list with one
            number per epoch; validation has the metric's name after `val_`.
        metrics: String or list of strings, keys of the histories; a panel each. A
            history without the metric is absent from its panel.
        references: Dict from label to a number, drawn as labelled lines; or, for
            several metrics, a dict from metric to such a dict.
        log: Boolean, whether values are on a log axis; or a dict from metric to this.
        ylabels: Dict from metric to the label of its axis.

    Returns:
        `matplotlib.figure.Figure`; panels are below each other where there are
        references, else two stand side by side.

    Raises:
        ValueError: If a metric is in no history, a list is empty, has another length
            than its validation, or has no finite number, or if a value on a log axis is
            not positive.
    """
    histories = check_dict("histories", histories)
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    references = references or {}
    if references and not all(isinstance(value, dict) for value in references.values()):
        references = dict.fromkeys(metrics, references)
    unknown = [metric for metric in references if metric not in metrics]
    if unknown or not metrics:
        raise ValueError(
            f"`references` should be for the metrics {metrics}. Received: {unknown}."
        )
    num_columns = 1 if any(references.values()) else 2
    height = 2.5 if len(metrics) == 1 else 1.9
    fig, axes = panel_grid(len(metrics), num_columns, height, sharex=True)
    for ax, metric in zip(axes, metrics, strict=True):
        on_log = log.get(metric, True) if isinstance(log, dict) else log
        drawn = 0
        for position, (label, history) in enumerate(histories.items()):
            colour = COLOURS[position % len(COLOURS)]
            for key, style in ((metric, "-"), (f"val_{metric}", "--")):
                if key not in history:
                    continue
                values = check_curve(f"histories: {key} of {label}", history[key])
                if key != metric and metric in history:
                    check_same(
                        (f"length of {metric}", f"length of {key}"),
                        (len(history[metric]), len(values)),
                    )
                if on_log:
                    check_positive(f"histories: {key} of {label}", values)
                epochs = np.arange(1, len(values) + 1)
                # One history needs no markers, but a single point needs one.
                marked = len(histories) > 1 or len(values) == 1
                ax.plot(
                    epochs,
                    values,
                    style,
                    color=colour,
                    marker=MARKERS[position % len(MARKERS)] if marked else None,
                    markevery=max(1, len(values) // 8),
                    markersize=3.5,
                    markerfacecolor=colour if key == metric else "white",
                )
                drawn += 1
        if not drawn:
            raise ValueError(
                f"`metrics` should be in a history, which have "
                f"{sorted({key for history in histories.values() for key in history})}."
                f" Received: {metric!r}."
            )
        ax.set_ylabel((ylabels or {}).get(metric, metric.replace("_", " ")))
        finish_y(ax, on_log, references.get(metric, {}))
        ax.margins(x=0.02)
        ax.xaxis.set_major_locator(
            ticker.MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
        )
    for index, ax in enumerate(axes):
        if index + num_columns >= len(axes):
            ax.set_xlabel("epoch")
        label_right(ax, reference_labels(references.get(metrics[index], {})))
    fig.align_ylabels()
    names = {}
    if len(histories) > 1:
        for position, label in enumerate(histories):
            colour = COLOURS[position % len(COLOURS)]
            marker = MARKERS[position % len(MARKERS)]
            names[label] = lines.Line2D([], [], color=colour, marker=marker)
    both = {key.startswith("val_") for history in histories.values() for key in history}
    if both == {True, False}:
        names["training"] = lines.Line2D([], [], color=DATA_COLOUR, linestyle="-")
        names["validation"] = lines.Line2D([], [], color=DATA_COLOUR, linestyle="--")
    if names:
        outer_legend(fig, names)
    return fig


def plot_sweep(
    table,
    parameters,
    score,
    base=None,
    references=None,
    log_y=True,
    ylabel=None,
    xlabels=None,
):
    """Draws a score against hyper-parameters: a point per fold, a line through means.

    A hyper-parameter of positive numbers has a log axis, one with other values, `None`
    say, has them side by side. A fold whose training diverged is a cross at the upper
    edge, with a note; such a configuration has no mean.

    Args:
        table: `pandas.DataFrame` from `selection.cross_validate`, not empty.
        parameters: String or list of strings, columns of `table`; a panel each.
        score: String, column of `table`.
        base: Dict from each hyper-parameter to its base value, or `None`. With it a
            panel shows the rows that differ from `base` in its own parameter alone,
            and marks the base.
        references: Dict from label to a number, drawn as labelled lines.
        log_y: Boolean, whether the score is on a log axis.
        ylabel: String, label of the score; `None` for its name.
        xlabels: Dict from hyper-parameter to the label of its axis.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If `table` lacks a column or rows, or if no score is finite, or one
            on a log axis is not positive.
    """
    parameters = [parameters] if isinstance(parameters, str) else list(parameters)
    check_table(table, parameters, score)
    all_values = check_curve(f"table: {score}", table[score])
    if log_y:
        check_positive(f"table: {score}", all_values)
    references = references or {}
    has_notes = False
    num_columns = 2 if len(parameters) in (2, 4) else min(3, len(parameters))
    height = 2.5 if len(parameters) == 1 else 1.95
    fig, axes = panel_grid(len(parameters), num_columns, height, sharey=True)
    for ax, parameter in zip(axes, parameters, strict=True):
        rows = table if base is None else sweep_rows(table, base, parameter)
        entries = list(rows[parameter])
        first = [entry for i, entry in enumerate(entries) if entry not in entries[:i]]
        values = sorted(first, key=sort_key)
        numeric = all(is_number(value) for value in values)
        places = list(range(len(values)))
        if numeric and len(values) > 1 and min(values) > 0:
            places = [float(value) for value in values]
            ax.set_xscale("log")
        means, notes = [], []
        for place, value in zip(places, values, strict=True):
            same = [entry is value or entry == value for entry in rows[parameter]]
            scores = rows[score].to_numpy("float64")[same]
            finite = scores[np.isfinite(scores)]
            ax.plot(
                [place] * len(finite),
                finite,
                "o",
                color=COLOURS[0],
                alpha=0.55,
                markeredgewidth=0,
            )
            means.append(scores.mean() if len(finite) == len(scores) else np.nan)
            if len(finite) < len(scores):
                missing = len(scores) - len(finite)
                notes.append((place, f"{missing} of {len(scores)}\ndiverged"))
        ax.plot(places, means, "-", color=COLOURS[0])
        upper_edge = ax.get_xaxis_transform()
        for place, note in notes:
            ax.plot(
                place,
                0.955,
                "x",
                color=COLOURS[1],
                markersize=6,
                markeredgewidth=1.6,
                transform=upper_edge,
                clip_on=False,
            )
            ax.annotate(
                note,
                (place, 0.955),
                xycoords=upper_edge,
                xytext=(0, -7),
                textcoords="offset points",
                horizontalalignment="center",
                verticalalignment="top",
                fontsize=7,
                linespacing=1,
                color=COLOURS[1],
            )
            has_notes = True
        ax.set_xticks(places, [format_value(value) for value in values])
        ax.xaxis.set_minor_locator(ticker.NullLocator())
        ax.margins(x=0.12)
        ax.set_xlabel((xlabels or {}).get(parameter, parameter.replace("_", " ")))
        if base is not None:
            for tick, value in zip(ax.get_xticklabels(), values, strict=True):
                if value is base[parameter] or value == base[parameter]:
                    tick.set_fontweight("bold")
        finish_y(ax, log_y, references)
    for index, ax in enumerate(axes):
        if index % num_columns == 0:
            ax.set_ylabel(ylabel or score.replace("_", " "))
    if has_notes:
        # Room at the upper edge, so that no point is under a note.
        low, high = axes[0].get_ylim()
        if log_y:
            axes[0].set_ylim(top=high * (high / low) ** 0.3)
        else:
            axes[0].set_ylim(top=high + 0.3 * (high - low))
    if log_y:
        tidy_log_axis(axes[0].yaxis)
    for ax in axes:
        stagger_x_labels(ax)
    # One label for each line is enough, at the right edge of the figure.
    label_right(axes[min(num_columns, len(axes)) - 1], reference_labels(references))
    return fig


def plot_code_sizes(curves, references=None):
    """Draws errors against the size of the code, both on log axes.

    Args:
        curves: Dict from label to a dict from code size to a list of errors, one per
            seed. The line goes through the means, bars from the lowest to the highest.
        references: Dict from label to a number, drawn as labelled lines.

    Returns:
        `matplotlib.figure.Figure`; an error below `ERROR_FLOOR`, zero in all but
        rounding, is an arrow down at the floor.

    Raises:
        ValueError: If there is no curve, a code size is no positive integer, or an
            error is missing, negative, NaN or infinite.
    """
    curves = check_dict("curves", curves)
    fig, grid = new_figure(1, 1, 3.3)
    ax = grid[0, 0]
    labels, uses = [], collections.Counter()
    for position, (label, curve) in enumerate(curves.items()):
        check_dict(f"curves: {label}", curve)
        sizes = [
            check_integer(f"curves: {label}", size, minimum=1) for size in sorted(curve)
        ]
        uses.update(sizes)
        values = [
            check_numbers(f"curves: {label} at {size}", curve[size], ("seeds",))
            for size in sorted(curve)
        ]
        lowest = min(errors.min() for errors in values)
        if lowest < 0:
            raise ValueError(
                f"`curves: {label}` should have errors of at least 0. "
                f"Received: {lowest:g}."
            )
        means = np.array([errors.mean(dtype="float64") for errors in values])
        shown = np.maximum(means, ERROR_FLOOR)
        low = np.maximum([errors.min() for errors in values], ERROR_FLOOR)
        high = np.maximum([errors.max() for errors in values], ERROR_FLOOR)
        style = line_style(position)
        zero = means < ERROR_FLOOR
        ax.errorbar(
            sizes,
            shown,
            yerr=[np.maximum(shown - low, 0), np.maximum(high - shown, 0)],
            capsize=2.5,
            elinewidth=0.9,
            marker=MARKERS[position % len(MARKERS)],
            markevery=np.flatnonzero(~zero).tolist(),
            **style,
        )
        if zero.any():
            at_floor = np.array(sizes)[zero]
            ax.plot(at_floor, shown[zero], "v", color=style["color"], markersize=6)
            ax.annotate(
                f"less than {format_log(ERROR_FLOOR)}",
                (at_floor[0], ERROR_FLOOR),
                xytext=(-8, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=LABEL_SIZE,
                color=style["color"],
            )
        labels.append((shown[-1], label, style["color"], sizes[-1]))
    ax.set_xscale("log", base=2)
    # Ticks closer than a twentieth of the axis would print one label over another; of
    # such sizes those that most curves have are named.
    span = math.log(max(uses) / min(uses)) or 1
    kept = []
    for size in sorted(uses, key=lambda size: (-uses[size], -size)):
        if all(abs(math.log(other / size)) > span / 20 for other in kept):
            kept.append(size)
    ax.set_xticks(sorted(kept), [str(size) for size in sorted(kept)])
    ax.xaxis.set_minor_locator(ticker.NullLocator())
    ax.margins(x=0.03)
    ax.set_xlabel("numbers in the code")
    ax.set_ylabel("test mean squared error")
    finish_y(ax, True, references or {})
    label_right(ax, [*labels, *reference_labels(references or {})])
    return fig


def plot_images(rows, column_titles=None):
    """Draws rows of grey images, ink on white: 0 is white, 1 is black.

    Args:
        rows: Dict from label to an array of shape `(images, height, width)`, with the
            same number of images in each.
        column_titles: List of strings, one per image, or `None`.

    Returns:
        `matplotlib.figure.Figure`. Values outside `[0, 1]` are drawn as 0 or 1.

    Raises:
        ValueError: If numbers of images differ or an array is not as described.
    """
    rows = {
        label: check_numbers(f"rows: {label}", images, ("images", "height", "width"))
        for label, images in check_dict("rows", rows).items()
    }
    first, *others = rows
    for label in others:
        check_same(
            (f"number of images in {first}", f"number of images in {label}"),
            (len(rows[first]), len(rows[label])),
        )
    num_images = len(rows[first])
    if column_titles is not None:
        check_same(
            ("number of images", "length of column_titles"),
            (num_images, len(column_titles)),
        )
    label_width = 0.075 * max(len(line) for label in rows for line in label.split("\n"))
    size = min((WIDTH - label_width) / num_images, 1)
    fig, grid = new_figure(
        len(rows),
        num_images,
        size * len(rows) + (0.3 if column_titles is not None else 0.1),
    )
    fig.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0, hspace=0)
    for axes, (label, images) in zip(grid, rows.items(), strict=True):
        for ax, image in zip(axes, images, strict=True):
            show_image(ax, image)
        axes[0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=5)
    for ax, title in zip(grid[0], column_titles or [], strict=False):
        ax.set_title(title, loc="center", pad=3)
    return fig


def plot_probabilities(images, probabilities, labels, class_names=None):
    """Draws images with the probabilities that a network gives their classes.

    The bar of the true class is dark and its name bold; where another class is the
    most probable, that one is hatched.

    Args:
        images: Array of shape `(examples, height, width)`, 0 is white, 1 is black.
        probabilities: Array of shape `(examples, classes)`, rows with the sum 1.
        labels: Integer array of shape `(examples,)`, the true classes.
        class_names: List of `classes` strings; `None` for the numbers from 0.

    Returns:
        `matplotlib.figure.Figure`, five examples in a row.

    Raises:
        ValueError: If lengths differ, a label is no class, or a row of probabilities
            is no distribution.
    """
    images = check_numbers("images", images, ("examples", "height", "width"))
    probabilities = check_probabilities(
        "probabilities", probabilities, ("examples", "classes")
    )
    num_classes = probabilities.shape[1]
    labels = check_labels("labels", labels, num_classes)
    check_same(
        ("length of images", "length of probabilities"),
        (len(images), len(probabilities)),
    )
    check_same(("length of images", "length of labels"), (len(images), len(labels)))
    class_names = check_class_names(class_names, num_classes)
    num_columns = min(5, len(images))
    num_rows = math.ceil(len(images) / num_columns)
    fig, grid = new_figure(
        2 * num_rows,
        num_columns,
        1.75 * num_rows,
        width=WIDTH * num_columns / 5,
        height_ratios=[1, 1.05] * num_rows,
    )
    fig.get_layout_engine().set(h_pad=0.05)
    for ax in grid.ravel()[: 2 * num_rows * num_columns]:
        ax.set_visible(False)
    for example, (image, row, label) in enumerate(
        zip(images, probabilities, labels, strict=True)
    ):
        place, column = divmod(example, num_columns)
        upper, lower = grid[2 * place, column], grid[2 * place + 1, column]
        upper.set_visible(True)
        lower.set_visible(True)
        show_image(upper, image)
        bars = lower.bar(range(num_classes), row, width=0.8, color="0.75")
        bars[label].set_color(COLOURS[0])
        predicted = row.argmax()
        title = f"{class_names[label]}: {row[label]:.2f}"
        if predicted != label:
            bars[predicted].set(
                facecolor="white", edgecolor=COLOURS[1], hatch="/////", linewidth=0.8
            )
            title = f"{class_names[label]} taken for {class_names[predicted]}"
        upper.set_title(title, loc="center", pad=3, fontsize=8)
        lower.set_ylim(0, 1)
        lower.set_yticks([0, 0.5, 1], ["0", "", "1"], fontsize=7)
        lower.set_xticks(range(num_classes), class_names, fontsize=7)
        lower.tick_params(axis="x", length=0, pad=2)
        lower.tick_params(labelleft=column == 0)
        lower.get_xticklabels()[label].set_fontweight("bold")
        if column == 0:
            lower.set_ylabel("probability", fontsize=8)
    return fig


def plot_confusion(matrix, class_names=None):
    """Draws a confusion matrix in which the errors are seen.

    Args:
        matrix: Integer array of shape `(classes, classes)`: rows are true classes,
            columns predicted ones, as from `scores.confusion_matrix`.
        class_names: List of `classes` strings; `None` for the numbers from 0.

    Returns:
        `matplotlib.figure.Figure`: the counts, the diagonal grey, errors the darker
        the more there are; no number where there is none.

    Raises:
        ValueError: If `matrix` is not square, or holds a negative or broken number.
    """
    matrix = check_numbers("matrix", matrix, ("true classes", "predicted classes"))
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"`matrix` should be square. Received: shape {matrix.shape}.")
    if matrix.min() < 0 or np.any(matrix != np.round(matrix)):
        raise ValueError(
            f"`matrix` should hold counts. Received: {matrix.dtype} from "
            f"{matrix.min()} to {matrix.max()}."
        )
    num_classes = len(matrix)
    class_names = check_class_names(class_names, num_classes)
    fig, grid = new_figure(1, 1, 0.36 * num_classes + 0.7, width=WIDTH * 0.8)
    ax = grid[0, 0]
    diagonal = np.eye(num_classes, dtype=bool)
    errors = np.ma.masked_array(matrix, diagonal)
    highest = max(errors.max(), 1) if num_classes > 1 else 1
    colours = matplotlib.colormaps["Oranges"].with_extremes(bad="0.88")
    image = ax.imshow(errors, cmap=colours, vmin=0, vmax=highest, aspect="auto")
    for (true, predicted), count in np.ndenumerate(matrix):
        if count or diagonal[true, predicted]:
            dark = not diagonal[true, predicted] and count > 0.6 * highest
            ax.text(
                predicted,
                true,
                f"{count:.0f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "black",
            )
    ax.set_xticks(range(num_classes), class_names)
    ax.set_yticks(range(num_classes), class_names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    # White lines between the cells.
    edges = np.arange(num_classes + 1) - 0.5
    ax.hlines(edges, -0.5, num_classes - 0.5, color="white", linewidth=1)
    ax.vlines(edges, -0.5, num_classes - 0.5, color="white", linewidth=1)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    bar = fig.colorbar(image, ax=ax, fraction=0.035, pad=0.02, aspect=28)
    bar.locator = ticker.MaxNLocator(5, integer=True)
    bar.outline.set_visible(False)
    bar.set_label("errors")
    return fig


def plot_code_space(points, labels, class_names=None):
    """Draws codes that were projected to two numbers, coloured by class.

    Args:
        points: Array of shape `(examples, 2)`.
        labels: Integer array of shape `(examples,)`, classes from 0 to 9.
        class_names: List of strings, one per class up to the largest label; `None`
            for the numbers.

    Returns:
        `matplotlib.figure.Figure`; each class has a marker and a colour, and its name
        at the median of its points, or beside it where names would overlap.

    Raises:
        ValueError: If lengths differ, a point has other than two numbers, or there
            are more than ten classes.
    """
    points = check_numbers("points", points, ("examples", "2"))
    if points.shape[1] != 2:
        raise ValueError(
            "`points` should have the shape (examples, 2). "
            f"Received: shape {points.shape}."
        )
    labels = check_labels("labels", labels, len(COLOURS))
    check_same(("length of points", "length of labels"), (len(points), len(labels)))
    class_names = check_class_names(class_names, int(labels.max()) + 1)
    fig, grid = new_figure(1, 1, 4.0)
    ax = grid[0, 0]
    size, opacity = (5, 0.4) if len(points) > 1000 else (14, 0.7)
    handles = {}
    for label in np.unique(labels):
        colour, marker = COLOURS[label], MARKERS[label]
        members = points[labels == label]
        ax.scatter(
            *members.T,
            s=size,
            color=colour,
            marker=marker,
            alpha=opacity,
            linewidths=0,
            # Ten thousand markers would make a heavy vector file.
            rasterized=True,
        )
        handles[class_names[label]] = lines.Line2D(
            [], [], linestyle="", marker=marker, color=colour, markersize=5
        )
    ax.set_xlabel("first component")
    ax.set_ylabel("second component")
    fig.legend(handles.values(), handles, loc="outside right center", title="class")
    fig.draw_without_rendering()
    present = np.unique(labels)
    medians = [np.median(points[labels == label], axis=0) for label in present]
    pixels = push_apart(ax.transData.transform(medians), 13 * fig.dpi / 72)
    for label, place in zip(
        present, ax.transData.inverted().transform(pixels), strict=True
    ):
        ax.text(
            *place,
            class_names[label],
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold",
            color=COLOURS[label],
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
    return fig


def plot_error_histogram(errors, references=None, num_bins=60):
    """Draws how the errors of examples are distributed, on a log axis.

    Args:
        errors: Dict from label to an array of shape `(examples,)`, errors of at least
            0; those that are 0 are counted with the smallest.
        references: Dict from label to a positive number, drawn as labelled lines.
        num_bins: Positive integer, number of bins over the range of all errors.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no error above 0, or one is negative, NaN or infinite.
    """
    errors = {
        label: check_numbers(f"errors: {label}", values, ("examples",))
        for label, values in check_dict("errors", errors).items()
    }
    together = np.concatenate(list(errors.values()))
    if together.min() < 0 or together.max() == 0:
        raise ValueError(
            "`errors` should be at least 0, and not all 0. Received: minimum "
            f"{together.min():g}, maximum {together.max():g}."
        )
    references = check_references(references or {}, positive=True)
    smallest = together[together > 0].min()
    num_bins = check_integer("num_bins", num_bins, minimum=1)
    highest = together.max()
    if highest == smallest:
        smallest, highest = smallest / 2, highest * 2
    bins = np.geomspace(smallest, highest, num_bins + 1)
    # Rounding could put the extremes out of their bins.
    bins[0], bins[-1] = smallest, highest
    fig, grid = new_figure(1, 1, 2.9)
    ax = grid[0, 0]
    handles = {}
    for position, (label, values) in enumerate(errors.items()):
        counts, _ = np.histogram(np.maximum(values, smallest), bins)
        style = line_style(position)
        ax.stairs(counts, bins, fill=True, color=style["color"], alpha=0.12)
        ax.stairs(counts, bins, **style, linewidth=1.2)
        handles[label] = lines.Line2D([], [], **style)
    for value in references.values():
        ax.axvline(value, color=REFERENCE_COLOUR, linestyle=(0, (1, 1.5)), linewidth=1)
    ax.set_xscale("log")
    tidy_log_axis(ax.xaxis)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("mean squared error of an example")
    ax.set_ylabel("examples")
    if len(handles) > 1:
        outer_legend(fig, handles)
    label_top(ax, references)
    return fig


def plot_quality_against_time(
    curves, references=None, xlabel="seconds of training", ylabel="validation loss"
):
    """Draws a falling quantity against the time it took, on a log axis.

    Args:
        curves: Dict from label to a tuple `(seconds, values)` of arrays of shape
            `(epochs,)`; seconds since the start, increasing.
        references: Dict from label to a number, drawn as labelled lines.
        xlabel: String, label of the time axis.
        ylabel: String, label of the value axis.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If lengths differ, seconds do not increase, or a value is not
            positive. NaN and infinity are allowed among values: the line ends there.
    """
    fig, grid = new_figure(1, 1, 2.8)
    ax = grid[0, 0]
    labels = []
    for position, (label, curve) in enumerate(check_dict("curves", curves).items()):
        seconds = check_numbers(f"curves: seconds of {label}", curve[0], ("epochs",))
        values = check_curve(f"curves: values of {label}", curve[1])
        check_positive(f"curves: values of {label}", values)
        check_same(
            (f"number of seconds of {label}", f"number of values of {label}"),
            (len(seconds), len(values)),
        )
        if np.any(np.diff(seconds) <= 0):
            raise ValueError(
                f"`curves: seconds of {label}` should increase. "
                f"Received: a smallest difference of {np.diff(seconds).min():g}."
            )
        style = line_style(position)
        ax.plot(
            seconds,
            values,
            **style,
            marker=MARKERS[position % len(MARKERS)],
            markersize=3,
            markevery=max(1, len(values) // 12),
        )
        last = np.flatnonzero(np.isfinite(values))[-1]
        labels.append((values[last], label, style["color"], seconds[last]))
    ax.set_xlim(left=0)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    finish_y(ax, True, references or {})
    label_right(ax, [*labels, *reference_labels(references or {})])
    return fig


def plot_horizon(curves, xlabel="steps ahead", ylabel="mean squared error"):
    """Draws an error against how far ahead it was predicted, with bands.

    Args:
        curves: Dict from label to a tuple `(values, low, high)` of arrays of shape
            `(steps,)`: the error at step 1, 2, ... ahead and the ends of an interval.
        xlabel: String, label of the horizontal axis.
        ylabel: String, label of the error axis.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no curve, lengths differ, or a value is NaN or infinite.
    """
    fig, grid = new_figure(1, 1, 2.8)
    ax = grid[0, 0]
    labels = []
    for position, (label, curve) in enumerate(check_dict("curves", curves).items()):
        values, low, high = (
            check_numbers(f"curves: {label}", part, ("steps",)) for part in curve
        )
        for name, part in (("low", low), ("high", high)):
            check_same(
                (f"length of {label}", f"length of its {name}"),
                (len(values), len(part)),
            )
        style = line_style(position)
        steps = np.arange(1, len(values) + 1)
        ax.plot(steps, values, **style)
        ax.fill_between(steps, low, high, color=style["color"], alpha=0.15, lw=0)
        labels.append((values[-1], label, style["color"], steps[-1]))
    ax.margins(x=0)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    finish_y(ax, False, {})
    label_right(ax, labels)
    return fig


def plot_intervals(intervals, xlabel):
    """Draws numbers with their intervals below each other, and a line at 0.

    Args:
        intervals: Dict from label to a tuple `(value, low, high)`.
        xlabel: String, label of the axis.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no interval, or one is not three finite numbers in
            order.
    """
    intervals = check_dict("intervals", intervals)
    fig, grid = new_figure(1, 1, 0.7 + 0.27 * len(intervals))
    ax = grid[0, 0]
    ax.axvline(0, color=REFERENCE_COLOUR, linewidth=0.8)
    for place, (label, interval) in enumerate(intervals.items()):
        interval = check_numbers(f"intervals: {label}", interval, ("ends",))
        if len(interval) != 3 or not interval[1] <= interval[0] <= interval[2]:
            raise ValueError(
                f"`intervals: {label}` should be a value between a low and a high one. "
                f"Received: {interval.tolist()}."
            )
        value, low, high = interval
        ax.plot([low, high], [place, place], "-", color=COLOURS[0], linewidth=1.2)
        ax.plot(value, place, "o", color=COLOURS[0], markersize=4.5)
    ax.set_yticks(range(len(intervals)), list(intervals))
    ax.set_ylim(len(intervals) - 0.5, -0.5)  # The first one on top.
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(xlabel)
    return fig


def plot_ladder(rungs, xlabels, references=None, log=()):
    """Draws scores of one network per row, each a change more than the one above.

    Args:
        rungs: Dict from the name of a change to a dict from score to a sequence of
            numbers, one per seed.
        xlabels: Dict from score to the label of its panel's axis, in the order of the
            panels.
        references: Dict from score to a dict from label to number, drawn as lines.
        log: Scores whose axis is logarithmic.

    Returns:
        `matplotlib.figure.Figure` with a panel per score: a dot per seed, joined.

    Raises:
        ValueError: If there is no rung, a score is missing or not finite, or not
            positive on a log axis.
    """
    rungs, references = check_dict("rungs", rungs), references or {}
    names = list(rungs)
    height = 0.9 + 0.27 * len(names) + (0.7 if references else 0)
    fig, grid = new_figure(1, len(xlabels), height, sharey=True)
    for ax, (score, xlabel) in zip(grid[0], xlabels.items(), strict=True):
        for place, name in enumerate(names):
            if score not in rungs[name]:
                raise ValueError(
                    f"Each rung should have the score {score!r}. Received: {name!r} "
                    f"with {list(rungs[name])}."
                )
            values = check_numbers(f"{name}: {score}", rungs[name][score], ("seeds",))
            if score in log:
                check_positive(f"{name}: {score}", values)
            ax.plot(values, np.full(len(values), place), "-", color=COLOURS[0], lw=1.2)
            ax.plot(
                values,
                np.full(len(values), place),
                "o",
                color=COLOURS[0],
                markersize=5,
                markerfacecolor="white",
            )
        panel_references = check_references(references.get(score, {}), score in log)
        for value in panel_references.values():
            ax.axvline(value, color=REFERENCE_COLOUR, linestyle=(0, (1, 1.5)), lw=1)
        if score in log:
            ax.set_xscale("log")
            tidy_log_axis(ax.xaxis)
        ax.grid(axis="y", linewidth=0.3)
        ax.set_xlabel(xlabel)
        ax.tick_params(axis="y", length=0)
        label_top(ax, panel_references)
    grid[0, 0].set_yticks(range(len(names)), names)
    grid[0, 0].set_ylim(len(names) - 0.5, -0.5)  # The first one on top.
    return fig


def plot_steps(curves, xlabel, ylabel, log=False):
    """Draws a number per step of a sequence.

    Args:
        curves: Dict from label to an array of shape `(steps,)`.
        xlabel: String, label of the horizontal axis.
        ylabel: String, label of the value axis.
        log: Whether the value axis is logarithmic; zeros are then left out.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no curve, or a value is NaN, infinite or, on a log axis,
            negative.
    """
    fig, grid = new_figure(1, 1, 2.8)
    ax = grid[0, 0]
    labels = []
    for position, (label, values) in enumerate(check_dict("curves", curves).items()):
        values = check_numbers(f"curves: {label}", values, ("steps",))
        if log and (values < 0).any():
            raise ValueError(
                f"`curves: {label}` should not be negative on a log axis. "
                f"Received: a smallest value of {values.min()}."
            )
        style = line_style(position)
        shown = np.where(values > 0, values, np.nan) if log else values
        ax.plot(np.arange(1, len(values) + 1), shown, **style | {"marker": None})
        last = shown[np.isfinite(shown)][-1]
        labels.append((last, label, style["color"], len(values)))
    ax.margins(x=0)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    finish_y(ax, log, {})
    label_right(ax, labels)
    return fig


def plot_points(
    groups, xlabel, ylabel, joined=False, references=None, diagonal=False, log_x=False
):
    """Draws points of several groups against each other.

    Args:
        groups: Dict from label to a tuple `(x, y)` of arrays of shape `(points,)`.
        xlabel: String, label of the horizontal axis.
        ylabel: String, label of the vertical axis.
        joined: Boolean, whether the points of a group are joined, in their order.
        references: Dict from label to number, drawn as horizontal lines.
        diagonal: Boolean, whether the line of equal values is drawn.
        log_x: Boolean, whether the horizontal axis is logarithmic.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no group, lengths differ, or a value is NaN, infinite
            or, on a log axis, not positive.
    """
    fig, grid = new_figure(1, 1, 2.9)
    ax = grid[0, 0]
    handles = {}
    for position, (label, points) in enumerate(check_dict("groups", groups).items()):
        x, y = (check_numbers(f"groups: {label}", part, ("points",)) for part in points)
        check_same((f"length of x of {label}", "length of its y"), (len(x), len(y)))
        if log_x:
            check_positive(f"groups: {label}", x)
        style = line_style(position)
        if not joined:
            style["linestyle"] = "none"
        marker = MARKERS[position % len(MARKERS)]
        (handles[label],) = ax.plot(x, y, **style, marker=marker, markersize=4)
    if diagonal:
        limits = ax.get_xlim()
        ax.plot(limits, limits, "-", color=REFERENCE_COLOUR, linewidth=0.8, zorder=0)
    if log_x:
        ax.set_xscale("log")
        tidy_log_axis(ax.xaxis)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    finish_y(ax, False, references or {})
    label_right(ax, reference_labels(references or {}))
    outer_legend(fig, handles)
    return fig


def sweep_rows(table, base, parameter):
    """Takes the rows that differ from a base configuration in one parameter alone.

    Args:
        table: `pandas.DataFrame` from `selection.cross_validate`.
        base: Dict from hyper-parameter, a column of `table`, to its base value.
        parameter: String, a key of `base`.

    Returns:
        `pandas.DataFrame`, the rows with the base value in each other parameter.

    Raises:
        ValueError: If `table` lacks a column, `parameter` is not in `base`, or no row
            is left.
    """
    absent = [name for name in base if name not in table]
    if absent or parameter not in base:
        raise ValueError(
            f"`base` should have {parameter!r} and columns of `table` as keys, which "
            f"are {list(table)}. Received: {list(base)}."
        )
    kept = np.ones(len(table), bool)
    for name, value in base.items():
        if name != parameter:
            # Not `==` on the column, for which `None` is not `None`.
            kept &= [entry is value or entry == value for entry in table[name]]
    if not kept.any():
        raise ValueError(
            f"`table` should have rows that differ from {base} in {parameter!r} alone. "
            "Received: none."
        )
    return table[kept]


# What the figures share.


def new_figure(num_rows, num_columns, height, width=WIDTH, **options):
    """Makes a figure with a grid of axes that pyplot does not keep.

    Args:
        num_rows: Positive integer.
        num_columns: Positive integer.
        height: Float, inches.
        width: Float, inches.
        **options: For `pyplot.subplots`; `height_ratios` is allowed.

    Returns:
        Tuple `(fig, grid)`, `grid` an array of axes of shape `(num_rows, num_columns)`.
    """
    fig, grid = plt.subplots(
        num_rows,
        num_columns,
        figsize=(width, height),
        squeeze=False,
        layout="constrained",
        **options,
    )
    # A notebook shows what a cell returns, and also each figure that pyplot keeps:
    # the figure would appear twice.
    plt.close(fig)
    return fig, grid


def panel_grid(num_panels, num_columns, row_height, **options):
    """Makes a figure with a number of panels, filled row by row.

    Args:
        num_panels: Positive integer.
        num_columns: Positive integer, at most so many panels are side by side.
        row_height: Float, inches.
        **options: For `pyplot.subplots`.

    Returns:
        Tuple `(fig, axes)`, `axes` a list of `num_panels` axes.
    """
    num_columns = min(check_integer("num_columns", num_columns, minimum=1), num_panels)
    num_rows = math.ceil(num_panels / num_columns)
    height = row_height * num_rows + 0.3
    fig, grid = new_figure(num_rows, num_columns, height, **options)
    axes = list(grid.ravel())
    for ax in axes[num_panels:]:
        ax.remove()
    for index, ax in enumerate(axes[:num_panels]):
        if index + num_columns >= num_panels:
            reach_into_gap(ax, index // num_columns < num_rows - 1)
    return fig, axes[:num_panels]


def reach_into_gap(ax, over_gap):
    """Numbers the time axis of a panel that has no panel below it.

    Args:
        ax: `matplotlib.axes.Axes`.
        over_gap: Boolean, whether there are further rows: numbers and label then stand
            in the gap where a panel is missing, and need no room of their own.
    """
    ax.tick_params(labelbottom=True)
    ax.xaxis.set_in_layout(not over_gap)


def outer_legend(fig, handles):
    """Puts a legend above all panels, in rows that are as long as fits.

    Args:
        fig: `matplotlib.figure.Figure`.
        handles: Dict from label to a line.
    """
    labels = list(handles)
    widths = [0.5 + 0.062 * len(label) for label in labels]  # Inches, about.
    num_columns = len(labels)
    while num_columns > 1:
        columns = [max(widths[start::num_columns]) for start in range(num_columns)]
        if sum(columns) < fig.get_figwidth():
            break
        num_columns -= 1
    # matplotlib fills columns first; the order given is to be read in rows.
    order = [
        index
        for start in range(num_columns)
        for index in range(start, len(labels), num_columns)
    ]
    fig.legend(
        [handles[labels[index]] for index in order],
        [labels[index] for index in order],
        loc="outside upper center",
        ncols=num_columns,
    )


def line_style(position):
    """Returns colour and line style of the line at a position, counted from 0."""
    return {
        "color": COLOURS[position % len(COLOURS)],
        "linestyle": LINE_STYLES[position % len(LINE_STYLES)],
    }


def show_image(ax, image):
    """Draws one grey image in a thin frame, without numbers on the axes."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set(visible=True, color="0.7", linewidth=0.5)


def finish_y(ax, log, references):
    """Draws reference lines and sets the kind of the value axis.

    Args:
        ax: `matplotlib.axes.Axes`.
        log: Boolean, whether the axis is logarithmic.
        references: Dict from label to number.
    """
    references = check_references(references, positive=log)
    for value in references.values():
        ax.axhline(value, color=REFERENCE_COLOUR, linestyle=(0, (1, 1.5)), linewidth=1)
    if log:
        ax.set_yscale("log")
        tidy_log_axis(ax.yaxis)


def tidy_log_axis(axis):
    """Numbers a log axis: at 1, 2, 5 over few decades, at some decades over many."""
    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    if decades > 10:  # A label and a tick per decade would run together.
        axis.set_major_locator(ticker.LogLocator(numticks=8))
        axis.set_minor_locator(ticker.NullLocator())
    else:
        subs = (1,) if decades > 3 else (1, 3) if decades > 1.8 else (1, 2, 5)
        axis.set_major_locator(ticker.LogLocator(subs=subs, numticks=20))
        axis.set_minor_locator(ticker.LogLocator(subs=range(1, 10), numticks=50))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: format_log(value)))
    axis.set_minor_formatter(ticker.NullFormatter())


def format_log(value):
    """Formats a number of a log axis: plain where short, else as a power of ten."""
    if not value > 0:
        return ""
    if 1e-4 <= value < 1e5:
        return f"{value:.10g}" if value >= 1e-3 else f"{value:.4f}"
    exponent = math.floor(math.log10(value) + 1e-9)
    mantissa = value / 10**exponent
    power = f"10^{{{exponent}}}"
    return f"${power}$" if round(mantissa) == 1 else f"${mantissa:.0f}·{power}$"


def stagger_x_labels(ax):
    """Moves a tick label to a lower line where it would overlap one before it."""
    ax.figure.draw_without_rendering()
    edges = []  # Where the labels on each line end, in pixels.
    gap = 0.25 * LABEL_SIZE * ax.figure.dpi / 72
    moved = []
    for label in ax.get_xticklabels():
        extent = label.get_window_extent()
        free = [line for line, edge in enumerate(edges) if extent.x0 > edge + gap]
        line = free[0] if free else len(edges)
        edges[line : line + 1] = [extent.x1]
        moved.append("\n" * line + label.get_text())
    weights = [label.get_fontweight() for label in ax.get_xticklabels()]
    ax.set_xticks(ax.get_xticks(), moved)
    for label, weight in zip(ax.get_xticklabels(), weights, strict=True):
        label.set_fontweight(weight)


def reference_labels(references):
    """Returns labels of reference lines for `label_right`."""
    return [
        (value, label, REFERENCE_COLOUR, None) for label, value in references.items()
    ]


def label_right(ax, labels):
    """Writes labels beside the right edge, moved apart where they would overlap.

    Args:
        ax: `matplotlib.axes.Axes`, with its final limits.
        labels: List of tuples `(value, text, colour, x)`; `x` is where the line ends,
            `None` for one that reaches the edge.
    """
    if not labels:
        return
    # Only now are the axes' height and limits known.
    ax.figure.draw_without_rendering()
    height = ax.get_window_extent().height * 72 / ax.figure.dpi  # Points.
    anchors = [
        ax.transAxes.inverted().transform(ax.transData.transform((1, value)))[1]
        for value, *_ in labels
    ]
    places = move_apart(anchors, 1.15 * LABEL_SIZE / height)
    for (value, text, colour, x), anchor, place in zip(
        labels, anchors, places, strict=True
    ):
        ax.annotate(
            text,
            xy=(1, value),
            xycoords=("axes fraction", "data"),
            xytext=(12, (place - anchor) * height),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=LABEL_SIZE,
            color=colour,
            annotation_clip=False,
            arrowprops={**LEADER, "color": colour, "shrinkA": 1, "relpos": (0, 0.5)},
        )
        if x is not None:
            edge = ax.get_xlim()[1]
            ax.plot([x, edge], [value, value], ":", color=colour, linewidth=0.7)
            ax.set_xlim(right=edge)


def label_top(ax, references):
    """Writes labels of vertical lines above the axes, slanted and moved apart.

    Args:
        ax: `matplotlib.axes.Axes`, with its final limits.
        references: Dict from label to number.
    """
    if not references:
        return
    ax.figure.draw_without_rendering()
    width = ax.get_window_extent().width * 72 / ax.figure.dpi  # Points.
    anchors = [
        ax.transAxes.inverted().transform(ax.transData.transform((value, 1)))[0]
        for value in references.values()
    ]
    # Slanted lines of text this far apart on the axis leave room for their descenders.
    places = move_apart(anchors, 2.1 * LABEL_SIZE / width)
    for (label, value), anchor, place in zip(
        references.items(), anchors, places, strict=True
    ):
        shift = (place - anchor) * width
        base = {"xy": (value, 1), "xycoords": ("data", "axes fraction")}
        style = {"textcoords": "offset points", "annotation_clip": False}
        ax.annotate(
            label,
            **base,
            **style,
            xytext=(shift, 8),
            rotation=35,
            rotation_mode="anchor",
            fontsize=LABEL_SIZE,
            color=REFERENCE_COLOUR,
        )
        ax.annotate(
            "",
            **base,
            **style,
            xytext=(shift, 7),
            arrowprops={**LEADER, "color": REFERENCE_COLOUR, "shrinkA": 0},
        )


def move_apart(anchors, gap):
    """Moves numbers as little as needed for a gap between each two neighbours.

    Args:
        anchors: List of floats, mostly in `[0, 1]`.
        gap: Float, the smallest distance allowed.

    Returns:
        List of floats in the order of `anchors`, in `[0, 1]` where there is room.
    """
    order = np.argsort(anchors, kind="stable")
    # With the gaps taken out, numbers have to be sorted only: where they are not, a
    # run of them shares its mean (isotonic regression).
    runs = []
    for rank, index in enumerate(order):
        runs.append([anchors[index] - rank * gap, 1])
        while len(runs) > 1 and runs[-2][0] >= runs[-1][0]:
            (mean, count), (other, others) = runs[-2], runs.pop()
            total = count + others
            runs[-1] = [(mean * count + other * others) / total, total]
    room = max(0.0, 1 - (len(anchors) - 1) * gap)
    sorted_places = [
        min(max(mean, 0.0), room) for mean, count in runs for _ in range(count)
    ]
    places = [0.0] * len(anchors)
    for rank, index in enumerate(order):
        places[index] = sorted_places[rank] + rank * gap
    return places


def push_apart(points, distance):
    """Moves points apart until no two are closer than a distance, mostly.

    Args:
        points: Array of shape `(points, 2)`.
        distance: Float.

    Returns:
        float64 array of the same shape.
    """
    points = np.array(points, "float64")
    for _ in range(50):
        for first in range(len(points)):
            for second in range(first):
                between = points[first] - points[second]
                length = np.hypot(*between)
                if length < distance:
                    # Equal points part along the first axis.
                    direction = between / length if length else np.array([1.0, 0.0])
                    points[first] += direction * (distance - length) / 2
                    points[second] -= direction * (distance - length) / 2
    return points


def sort_key(value):
    """Sorts numbers by size, after all others: `None` first, the rest as they come."""
    return (is_number(value), value is not None, value if is_number(value) else 0)


def format_value(value):
    """Formats a hyper-parameter's value for the axis."""
    if value is None:
        return "none"
    return f"{value:g}" if is_number(value) else str(value)


def check_dict(name, value):
    """Returns a dict with something in it, or raises a `ValueError`."""
    if not isinstance(value, dict) or not value:
        raise ValueError(
            f"`{name}` should be a dict with an entry or more. "
            f"Received: {type(value).__name__} {value if not value else ''}".rstrip()
            + "."
        )
    return value


def as_columns(name, values):
    """Returns `(time,)` or `(time, features)` as `(time, features)`."""
    values = np.asarray(check_numbers(name, values))
    if values.ndim not in (1, 2):
        raise ValueError(
            f"`{name}` should have the shape (time,) or (time, features). "
            f"Received: shape {values.shape}."
        )
    return values.reshape(len(values), -1)


def check_curve(name, values):
    """Returns a float64 array `(values,)` with one finite number or more.

    NaN and infinity are allowed, as in the record of a training that diverged, and
    become NaN, which lines leave out.
    """
    try:
        array = np.asarray(values, "float64")
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` should hold numbers. Received: {error}.") from error
    if array.ndim != 1 or not np.isfinite(array).any():
        raise ValueError(
            f"`{name}` should be a list with a finite number or more. "
            f"Received: shape {array.shape}, {np.isfinite(array).sum()} finite."
        )
    return np.where(np.isfinite(array), array, np.nan)


def check_positive(name, values):
    """Raises a `ValueError` if a value for a log axis is not positive (or NaN)."""
    if np.any(values <= 0):
        raise ValueError(
            f"`{name}` should be positive on a log axis. "
            f"Received: minimum {np.nanmin(values):g}."
        )


def check_references(references, positive):
    """Returns the references as floats, or says which one is wrong."""
    checked = {}
    for label, value in references.items():
        value = float(check_numbers(f"references: {label}", value, ()))
        if positive and value <= 0:
            raise ValueError(
                f"`references: {label}` should be positive on a log axis. "
                f"Received: {value:g}."
            )
        checked[label] = value
    return checked


def check_class_names(class_names, num_classes):
    """Returns a name for each class: those given, or the numbers from 0."""
    if class_names is None:
        return [str(number) for number in range(num_classes)]
    class_names = [str(name) for name in class_names]
    check_same(
        ("length of class_names", "number of classes"), (len(class_names), num_classes)
    )
    return class_names
