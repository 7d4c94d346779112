"""The style of all figures: sizes, the colours of networks, panels and legends.

Colours are those of Okabe & Ito (2008), which people with a colour vision deficiency
can tell apart; line styles and markers repeat the distinction for prints in grey.
"""

import math

import matplotlib.pyplot as plt

WIDTH = 6.3  # Inches: the width of the text in print, 16 cm.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000"),
    # Beyond Okabe & Ito, as their yellow is too pale for lines: brown, grey, wine.
    *("#8C6D31", "#7F7F7F", "#882255"),
)
LINE_STYLES = (
    *("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (7, 2)), (0, (1, 1))),
    *((0, (3, 1)), (0, (9, 2, 2, 2)), (0, (2, 2))),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "*", "p")
REFERENCE_COLOUR, DATA_COLOUR = "0.35", "0.2"
TEXT_SIZE = 8.5  # Points, of all texts; print makes figures smaller by up to 3 %.
STYLE = {
    "figure.dpi": 240,  # In print 300, as the figures are made smaller there.
    "font.size": TEXT_SIZE,
    **dict.fromkeys(("axes.titlesize", "axes.labelsize", "legend.fontsize"), "medium"),
    "axes.titlelocation": "left",
    **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.7),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    "axes.prop_cycle": plt.cycler(color=COLOURS),
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
}
plt.rcParams.update(STYLE)
# From names to places in `COLOURS`; methods of several chapters have one in all.
known_places = {"LSTM": 0, "dense": 1, "PCA": 2, "DCT": 3}


def looks_of(names):
    """Returns a dict from each network of a figure to its arguments for `Axes.plot`.

    Names keep the look of earlier figures, but for those that would look alike: once
    all colours are taken, new names share them.
    """
    places = {}
    for name in sorted(names, key=lambda name: name not in known_places):
        taken, known = list(places.values()), list(known_places.values())
        place = known_places.get(name)
        if place is None or place in taken:
            # The first seven tell apart best.
            uses = [
                (taken.count(n), n > 6, known.count(n)) for n in range(len(COLOURS))
            ]
            place = uses.index(min(uses))
            known_places.setdefault(name, place)
        places[name] = place
    return {name: look_at(places[name]) for name in names}


def look_at(place):
    """Returns arguments for `Axes.plot`, others for each place from 0 to 9."""
    looks = {"color": COLOURS, "linestyle": LINE_STYLES, "marker": MARKERS}
    return {key: choices[place % len(choices)] for key, choices in looks.items()}


def new_figure(height, num_rows=1, num_columns=1, width=WIDTH, **options):
    """Makes a figure, sizes in inches, and its axes, as `pyplot.subplots` does."""
    fig, axes = plt.subplots(
        num_rows, num_columns, figsize=(width, height), layout="constrained", **options
    )
    # A notebook shows what a cell returns, and also each figure that pyplot keeps:
    # the figure would appear twice.
    plt.close(fig)
    return fig, axes


def new_panels(num_panels, num_columns, row_height, **options):
    """Makes a figure and a list of its panels, which fill it row by row."""
    num_columns = min(num_columns, num_panels)
    num_rows = math.ceil(num_panels / num_columns)
    height = row_height * num_rows + 0.3
    fig, grid = new_figure(height, num_rows, num_columns, squeeze=False, **options)
    axes = list(grid.flat)
    for ax in axes[num_panels:]:
        ax.remove()
    # Also panels above a gap are the last ones of their columns.
    for ax in axes[num_panels - num_columns : num_panels]:
        ax.tick_params(labelbottom=True)
    return fig, axes[:num_panels]


def outer_legend(fig, handles):
    """Puts a legend of a dict of lines above all panels, in rows as long as fits."""
    labels = list(handles)
    width = 0.5 + 0.0085 * TEXT_SIZE * max(map(len, labels))  # Inches, of a column.
    num_columns = max(1, min(len(labels), int(fig.get_figwidth() / width)))
    # matplotlib fills columns first; the order given is to be read in rows.
    order = sum((labels[column::num_columns] for column in range(num_columns)), [])
    lines = [handles[label] for label in order]
    fig.legend(lines, order, loc="outside upper center", ncols=num_columns)
