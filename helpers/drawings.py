"""Drawings of networks: a box per layer, an arrow per array, read from the model."""

from matplotlib.patches import FancyBboxPatch

from helpers.figures import WIDTH, move_apart, new_figure

ROW_HEIGHT = 0.46  # Inches, from one row of boxes to the next.
TITLE_HEIGHT = 0.3  # Inches, where several networks are drawn.
BOX_WIDTH, BOX_HEIGHT = 1.65, 0.31  # Inches, the width at most.
INPUT_COLOUR, LAYER_COLOUR, OUTPUT_COLOUR = "#FFFFFF", "#E8EEF4", "#FBE9D9"
RECURRENT_COLOUR = "#C5DAEB"


def plot_network(model):
    """Draws a functional model from its inputs, on top, to its outputs.

    A box names a layer, and below its class and the shape of what it returns, without
    the axis of the examples: `(time, features)` is written "time x features". Recurrent
    layers are darker, outputs have another colour and a thick frame.

    Args:
        model: Functional `keras.Model` that calls each of its layers once.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the model is not functional, or calls a layer twice.

    Reference:
        Sugiyama, Tagawa & Toda, 1981, Methods for visual understanding of hierarchical
        system structures. IEEE Transactions on Systems, Man, and Cybernetics 11(2),
        doi:10.1109/TSMC.1981.4308636
    """
    fig, ax = new_sheet(height_of(model))
    draw_network(ax, model, (0.0, 0.0), WIDTH)
    return fig


def plot_networks(models, num_columns=4):
    """Draws several small functional models side by side, as `plot_network` does one.

    Args:
        models: Dict from a title to a functional `keras.Model`.
        num_columns: Positive integer, how many stand in a line.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no model, or one that `plot_network` refuses.
    """
    if not models:
        raise ValueError("`models` should hold a model or more. Received: {}.")
    titles = list(models)
    lines = [titles[i : i + num_columns] for i in range(0, len(titles), num_columns)]
    heights = [
        TITLE_HEIGHT + max(height_of(models[title]) for title in line) for line in lines
    ]
    fig, ax = new_sheet(sum(heights))
    for number, line in enumerate(lines):
        left, top = 0.0, sum(heights[:number])
        # A network with branches gets the place of several.
        shares = [max(map(len, rows_of(models[title]))) for title in line]
        for title, share in zip(line, shares, strict=True):
            width = WIDTH * share / max(sum(shares), num_columns)
            ax.text(left + width / 2, top + 0.2, title, ha="center", size=7.5)
            draw_network(ax, models[title], (left, top + TITLE_HEIGHT), width)
            left += width
    return fig


def rows_of(model):
    """Returns the rows of a model's drawing, see `arrange`."""
    return arrange(parents_of_layers(model))[0]


def height_of(model):
    """Returns the height of a model's drawing, in inches."""
    return ROW_HEIGHT * len(rows_of(model))


def new_sheet(height):
    """Makes a figure as wide as the text, with one axes that counts inches from above.

    Args:
        height: Float, inches.

    Returns:
        Tuple `(fig, ax)`.
    """
    fig, grid = new_figure(1, 1, height)
    ax = grid[0, 0]
    ax.set_axis_off()
    # A little more than the width, or half of a frame at the edge would be cut off.
    ax.set(xlim=(-0.02, WIDTH + 0.02), ylim=(height, 0))
    return fig, ax


def draw_network(ax, model, corner, width):
    """Draws a network.

    Args:
        ax: `matplotlib.axes.Axes` of `new_sheet`.
        model: Functional `keras.Model`.
        corner: Tuple `(x, y)`, inches, the upper left one.
        width: Float, inches.
    """
    parents = parents_of_layers(model)
    rows, ways = arrange(parents)
    box = min(BOX_WIDTH, width / max(map(len, rows)) - 0.1)
    places = {
        stop: (corner[0] + x, corner[1] + y)
        for stop, (x, y) in place(rows, ways, box, width).items()
    }
    # Keras' operations outside of layers, as a reshape, are not among `model.layers`.
    layers = {layer.name: layer for layer in model.operations}
    last = {id(tensor) for tensor in model.outputs}
    for name in parents:
        draw_box(ax, layers[name], places[name], box, id(layers[name].output) in last)
    for way in ways:
        draw_arrow(ax, [places[stop] for stop in way])


def parents_of_layers(model):
    """Returns a dict from each layer's name to the names of those that feed it."""
    if not hasattr(model, "get_config") or "layers" not in model.get_config():
        raise ValueError(
            "`model` should be a functional `keras.Model`. "
            f"Received: {type(model).__name__}."
        )
    parents = {}
    for layer in model.get_config()["layers"]:
        calls = layer["inbound_nodes"]
        if len(calls) > 1:
            raise ValueError(
                "`model` should call each layer once. "
                f"Received: {layer['name']}, which is called {len(calls)} times."
            )
        parents[layer["name"]] = list(dict.fromkeys(tensors_in(calls)))
    return parents


def tensors_in(calls):
    """Yields the name of the layer behind each tensor in a layer's saved calls."""
    if isinstance(calls, dict):
        if calls.get("class_name") == "__keras_tensor__":
            yield calls["config"]["keras_history"][0]
            return
        calls = calls.values()
    elif not isinstance(calls, list | tuple):
        return
    for part in calls:
        yield from tensors_in(part)


def arrange(parents):
    """Puts layers in rows, below all that feed them, and leads arrows through the rows.

    Args:
        parents: Dict from each layer's name to a list of its parents' names, parents
            first.

    Returns:
        Tuple `(rows, ways)`. `rows` is a list of lists of stops: names of layers, and
        tuples where an arrow passes a row. `ways` is a list of lists of stops, from a
        layer to one that it feeds.
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
            between = range(depth[source] + 1, depth[name])
            passing = [(source, name, row) for row in between]
            for stop in passing:
                rows[stop[2]].append(stop)
            ways.append([source, *passing, name])
    return rows, ways


def place(rows, ways, box, width):
    """Returns a dict from each stop to the `(x, y)` of its middle.

    Args:
        rows: List of lists of stops, see `arrange`.
        ways: List of lists of stops.
        box: Float, the width of a box, in inches as all lengths are.
        width: Float, the width of the drawing.
    """
    above = {}
    for way in ways:
        for upper, lower in zip(way, way[1:], strict=False):
            above.setdefault(lower, []).append(upper)
    # Boxes of a row keep their distance, in parts of the drawing's inner width.
    inner = width - box
    gap = (box + 0.1) / inner
    across, places = {}, {}
    for number, row in enumerate(rows):
        if number == 0:
            wished = [(index + 1) / (len(row) + 1) for index in range(len(row))]
        else:
            wished = [
                sum(across[stop] for stop in above[lower]) / len(above[lower])
                for lower in row
            ]
        for stop, x in zip(row, move_apart(wished, gap), strict=True):
            across[stop] = x
            places[stop] = (box / 2 + x * inner, (number + 0.5) * ROW_HEIGHT)
    return places


def draw_box(ax, layer, place, width, is_output):
    """Draws a layer's name, class and shape."""
    kind, x, y = type(layer).__name__, *place
    colour = LAYER_COLOUR
    if is_output:
        colour = OUTPUT_COLOUR
    elif "LSTM" in kind or "GRU" in kind or "RNN" in kind:
        colour = RECURRENT_COLOUR
    elif kind == "InputLayer":
        colour = INPUT_COLOUR
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - BOX_HEIGHT / 2),
            width,
            BOX_HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=colour,
            edgecolor="0.3",
            linewidth=1.4 if is_output else 0.6,
        )
    )
    title = "Input" if kind == "InputLayer" else kind
    shape = " x ".join(str(size) for size in layer.output.shape[1:])
    ax.text(x, y - 0.065, layer.name, ha="center", va="center", size=6.5)
    below = f"{title}, {shape}"
    ax.text(x, y + 0.075, below, ha="center", va="center", size=6, color="0.25")


def draw_arrow(ax, stops):
    """Draws an arrow from the lower side of a box to the upper side of another one."""
    half = BOX_HEIGHT / 2
    (first_x, first_y), (last_x, last_y) = stops[0], stops[-1]
    points = [(first_x, first_y + half)]
    for x, y in stops[1:-1]:  # Straight down past the boxes of the row.
        points += [(x, y - half), (x, y + half)]
    ax.plot(*zip(*points, strict=True), color="0.3", linestyle="-", linewidth=0.7)
    ax.annotate(
        "",
        (last_x, last_y - half),
        points[-1],
        arrowprops={
            "arrowstyle": "-|>,head_length=0.25,head_width=0.12",
            "color": "0.3",
            "linewidth": 0.7,
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )
