"""Figures of images and of classes.

Images have the shape `(examples, height, width)`; 0 is drawn white, 1 black, as are
values outside. Labels are integers of shape `(examples,)`, the true classes.
"""

from helpers.figures import style

import numpy as np
from matplotlib.patheffects import withStroke

CENTRED = {"ha": "center", "va": "center"}


def plot_images(rows, column_titles=()):
    """Draws rows of grey images: a dict from label to as many images in each.

    `column_titles` are strings, one per image of a row.
    """
    num_images = len(next(iter(rows.values())))
    label_width = 0.08 * max(len(line) for label in rows for line in label.split("\n"))
    size = min((style.WIDTH - label_width) / num_images, 1)
    height = size * len(rows) + (0.3 if column_titles else 0.1)
    fig, grid = style.new_figure(height, len(rows), num_images, squeeze=False)
    fig.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0, hspace=0)
    for axes, (label, images) in zip(grid, rows.items(), strict=True):
        for ax, image in zip(axes, images, strict=True):
            show_image(ax, image)
        axes[0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=5)
    for ax, title in zip(grid[0], column_titles, strict=bool(column_titles)):
        ax.set_title(title, loc="center", pad=3)
    return fig


def show_image(ax, image):
    """Draws one grey image in a thin frame, without numbers on the axes."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="0.7", linewidth=0.5)


def plot_code_space(points, labels):
    """Draws codes that were projected to `(examples, 2)`, coloured by class, 0 to 9.

    Each class has a marker, and its number at the median of its points, or beside it
    where numbers would overlap.
    """
    fig, ax = style.new_figure(4.0)
    classes = np.unique(labels)
    size, opacity = (5, 0.4) if len(points) > 1000 else (14, 0.7)
    for label in classes:
        look = {"color": style.COLOURS[label], "marker": style.MARKERS[label]}
        # As vectors, ten thousand markers would make a heavy file.
        look |= {"s": size, "alpha": opacity, "linewidths": 0, "rasterized": True}
        ax.scatter(*points[labels == label].T, **look, label=label)
    ax.set(xlabel="first component", ylabel="second component")
    legend = fig.legend(loc="outside right center", title="class", markerscale=2)
    for handle in legend.legend_handles:
        handle.set_alpha(1)
    fig.draw_without_rendering()
    medians = [np.median(points[labels == label], axis=0) for label in classes]
    pixels = ax.transData.transform(medians)
    for _ in range(50):  # Numbers that would overlap push each other away.
        between = pixels[:, None] - pixels
        lengths = np.hypot(*between.T)[..., None] + 1e-9
        moves = between / lengths * np.maximum(13 * fig.dpi / 72 - lengths, 0)
        pixels = pixels + moves.sum(axis=1) / 2
    places = ax.transData.inverted().transform(pixels)
    for label, place in zip(classes, places, strict=True):
        outline = withStroke(linewidth=3, foreground="white")
        look = {"color": style.COLOURS[label], "path_effects": [outline]}
        ax.text(*place, label, fontsize=11, fontweight="bold", **look, **CENTRED)
    return fig
