"""Figures of images.

Images have the shape `(examples, height, width)`; 0 is drawn white, 1 black, as are
values outside.
"""

from helpers.figures import style


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
