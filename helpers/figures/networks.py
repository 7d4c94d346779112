"""Drawings of networks: a box per layer, an arrow per array, read from the model."""

import json
import re
import textwrap

from helpers.figures import style
from helpers.figures.labels import move_apart

import numpy as np
from matplotlib.patches import FancyBboxPatch

BOX_WIDTH = 1.9  # Inches, at most.
BOX_GAP, ROW_GAP = 0.08, 0.14  # Inches.
LINE_HEIGHT = 0.145  # Inches, of a line of text.
INPUT_COLOUR, LAYER_COLOUR, OUTPUT_COLOUR = "#FFFFFF", "#E8EEF4", "#FBE9D9"
RECURRENT_COLOUR = "#C5DAEB"


def plot_network(model):
    """Draws a functional `keras.Model` from its inputs, on top, to its outputs.

    A box names a layer, and below its class and the shape of what it returns, without
    the axis of the examples: `(time, features)` is written "time x features". Recurrent
    layers are darker, outputs have another colour and a thick frame. A model that calls
    a layer twice raises a `ValueError`.

    Reference: Sugiyama, Tagawa & Toda, 1981, Methods for visual understanding of
    hierarchical system structures, doi:10.1109/TSMC.1981.4308636
    """
    return plot_networks({"": model}, num_columns=1)


def plot_networks(models, num_columns=4):
    """Draws small models, a dict by title, side by side, as `plot_network` does one.

    `num_columns` stand in a line; a network with branches gets the place of several.
    """
    # One axes that counts inches from above; the height is known in the end.
    fig, ax = style.new_figure(1)
    titles, bottom = list(models), 0.0
    for start in range(0, len(titles), num_columns):
        line, top, left = titles[start : start + num_columns], bottom, 0.0
        layouts = [arrange(parents_of_layers(models[title])) for title in line]
        shares = [max(map(len, rows)) for rows, _ in layouts]
        for title, layout, share in zip(line, layouts, shares, strict=True):
            width = style.WIDTH * share / max(sum(shares), num_columns)
            ax.text(left + width / 2, top + 0.25, title, ha="center")
            corner = (left, top + 0.33 * bool(title))
            bottom = max(bottom, draw_network(ax, models[title], layout, corner, width))
            left += width
    fig.set_figheight(bottom)
    # A little more than the width, or half of a frame at the edge would be cut off.
    ax.set(xlim=(-0.02, style.WIDTH + 0.02), ylim=(bottom + 0.02, -0.02))
    ax.set_axis_off()
    return fig


def draw_network(ax, model, layout, corner, width):
    """Draws what `arrange` laid out, in inches; returns where the drawing ends."""
    rows, ways = layout
    box_width = min(BOX_WIDTH, width / max(map(len, rows)) - BOX_GAP)
    # Keras' operations outside of layers, as a reshape, are not among `model.layers`.
    layers = {layer.name: layer for layer in model.operations}
    texts = {name: describe(layer, box_width) for name, layer in layers.items()}
    (left, top), places = corner, {}  # Of stops: middle, upper and lower edge.
    for row, across in zip(rows, spread(rows, ways, box_width, width), strict=True):
        num_lines = max(texts[stop].count("\n") + 1 for stop in row if stop in texts)
        bottom = top + LINE_HEIGHT * num_lines + 0.08
        for stop, x in zip(row, across, strict=True):
            places[stop] = (left + x, top, bottom)
        top = bottom + ROW_GAP
    outputs = [id(tensor) for tensor in model.outputs]
    for name, layer in layers.items():
        (x, upper, lower), is_output = places[name], id(layer.output) in outputs
        box = FancyBboxPatch(
            *((x - box_width / 2, upper), box_width, lower - upper),
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=OUTPUT_COLOUR if is_output else colour_of(layer),
            edgecolor="0.3",
            linewidth=1.4 if is_output else 0.6,
        )
        ax.add_patch(box)
        ax.text(x, (upper + lower) / 2, texts[name], ha="center", va="center")
    for way in ways:
        # From below the first box, straight down past those of other rows.
        points = [(x, y) for stop in way for x, *ys in [places[stop]] for y in ys][1:-1]
        ax.plot(*zip(*points[:-1], strict=True), "-", color="0.3", linewidth=0.7)
        arrow = {"arrowstyle": "-|>,head_length=0.25,head_width=0.12", "color": "0.3"}
        arrow |= {"linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", points[-1], points[-2], arrowprops=arrow)
    return bottom


def colour_of(layer):
    """Returns the colour of a layer's box by its class."""
    kind = type(layer).__name__
    if any(word in kind for word in ("LSTM", "GRU", "RNN")):
        return RECURRENT_COLOUR
    return INPUT_COLOUR if kind == "InputLayer" else LAYER_COLOUR


def describe(layer, width):
    """Returns a layer's name, class and shape in lines that fit into a width."""
    num_letters = int((72 * width - 6) / (0.53 * style.TEXT_SIZE))  # On average.
    kind = type(layer).__name__.replace("InputLayer", "Input")
    shape = " x ".join(str(size) for size in layer.output.shape[1:])
    # Names are divided after an underscore, as `textwrap` divides words at a hyphen.
    name = textwrap.wrap(layer.name.replace("_", "-"), num_letters)
    below = f"{kind}, {shape}"
    below = [below] if len(below) <= num_letters else [f"{kind},", shape]
    return "\n".join([line.replace("-", "_") for line in name] + below)


def parents_of_layers(model):
    """Returns a dict from each layer's name to the names of those that feed it."""
    parents = {}
    for layer in model.get_config()["layers"]:
        name, calls = layer["name"], layer["inbound_nodes"]
        if len(calls) > 1:
            raise ValueError(f"`model` should call each layer once. Received: {name}.")
        # A tensor is saved with the layer that it comes from, wherever it stands.
        sources = re.findall(r'"keras_history": \["(.*?)"', json.dumps(calls))
        parents[name] = list(dict.fromkeys(sources))
    return parents


def arrange(parents):
    """Puts layers in rows, below all that feed them, and leads arrows through the rows.

    Returns a list of rows, lists of stops: names of layers, and tuples where an arrow
    passes a row; and a list of ways, lists of stops from a layer to one that it feeds.
    """
    depth = {}
    for name, sources in parents.items():
        depth[name] = 1 + max((depth[source] for source in sources), default=-1)
    rows = [[] for _ in range(max(depth.values()) + 1)]
    for name in parents:
        rows[depth[name]].append(name)
    ways = []
    for name, sources in parents.items():
        for source in sources:
            passing = [(source, name, n) for n in range(depth[source] + 1, depth[name])]
            for stop in passing:
                rows[stop[2]].append(stop)
            ways.append([source, *passing, name])
    return rows, ways


def spread(rows, ways, box_width, width):
    """Returns the middles of each row's stops: near those above, boxes apart."""
    above = {}
    for way in ways:
        for upper, lower in zip(way, way[1:], strict=False):
            above.setdefault(lower, []).append(upper)
    inner, across = width - box_width, {}
    gap = (box_width + BOX_GAP) / inner
    for row in rows:
        wished = [
            np.mean([across[upper] for upper in above[stop]])
            if stop in above
            else (index + 1) / (len(row) + 1)
            for index, stop in enumerate(row)
        ]
        across |= zip(row, move_apart(wished, gap), strict=True)
    return [[box_width / 2 + across[stop] * inner for stop in row] for row in rows]
