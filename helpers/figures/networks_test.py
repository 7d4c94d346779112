import itertools

from helpers import figures
from helpers.figures import networks, style

import keras
import pytest
from keras import layers
from matplotlib.text import Annotation

STATE = "reconstruction_first_hidden_state"


@pytest.fixture(scope="module")
def model():
    """A network with branches, a step over rows, and an operation that is no layer."""
    series = keras.Input((12, 2), name="series")
    states = layers.LSTM(4, return_sequences=True, name="encoder")(series)
    code = layers.Dense(3, name="code")(states[:, -1])
    state = layers.Dense(4, name=STATE)(code)
    repeated = layers.RepeatVector(12, name="repeated")(code)
    decoder = layers.LSTM(4, name="reconstruction")
    change = layers.Dense(2, name="next_step_change")(states)
    outputs = {
        "reconstruction": decoder(repeated, initial_state=[state, state]),
        "next_step": layers.Add(name="next_step")([series, change]),
    }
    return keras.Model(series, outputs)


def boxes_of(fig):
    boxes = [patch.get_bbox() for patch in fig.axes[0].patches]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert all(0 <= box.x0 and box.x1 <= style.WIDTH for box in boxes)
    return boxes


def test_each_layer_has_a_box_that_holds_its_texts(model):
    fig = figures.plot_network(model)
    fig.draw_without_rendering()
    ax, written = fig.axes[0], []
    for operation, box in zip(model.operations, boxes_of(fig), strict=True):
        texts = [text for text in ax.texts if text.get_text()]
        (text,) = [text for text in texts if box.contains(*text.get_position())]
        written.append(text.get_text())
        assert written[-1].replace("_\n", "_").startswith(operation.name + "\n")
        extent = text.get_window_extent().transformed(ax.transData.inverted())
        assert box.x0 < extent.x0 and extent.x1 < box.x1 and extent.height < box.height
    assert "series\nInput, 12 x 2" in written and "next_step\nAdd, 12 x 2" in written
    assert sorted(patch.get_linewidth() for patch in ax.patches)[-3:] == [0.6, 1.4, 1.4]


def test_rows_and_arrows_are_the_calls_of_the_layers(model):
    parents = networks.parents_of_layers(model)
    arrows = figures.plot_network(model).findobj(Annotation)
    assert len(arrows) == sum(map(len, parents.values())) == 10
    assert sorted(parents["next_step"]) == ["next_step_change", "series"]
    # A state that is passed twice is one arrow.
    assert sorted(parents["reconstruction"]) == [STATE, "repeated"]
    parents = {"input": [], "first": ["input"], "second": ["first"]}
    rows, ways = networks.arrange(parents | {"sum": ["second", "input"]})
    passing = [("input", "sum", 1), ("input", "sum", 2)]
    assert rows == [["input"], ["first", passing[0]], ["second", passing[1]], ["sum"]]
    steps = [["input", "first"], ["first", "second"], ["second", "sum"]]
    assert ways == [*steps, ["input", *passing, "sum"]]
    dense, series = layers.Dense(3, name="twice"), keras.Input((3,))
    with pytest.raises(ValueError, match="call each layer once. Received: twice"):
        figures.plot_network(keras.Model(series, dense(dense(series))))


def test_several_networks_stand_beside_and_below_each_other(model):
    series = keras.Input((3,))
    small = keras.Model(series, layers.Dense(2)(series))
    models = {"one": small, "two": small, "wide": model, "small": small}
    fig = figures.plot_networks(models, num_columns=2)
    boxes = boxes_of(fig)
    assert boxes[0].y0 == boxes[2].y0 < boxes[4].y0 and boxes[0].x0 < boxes[2].x0
    # A network with branches gets a wider place.
    places = {text.get_text(): text.get_position()[0] for text in fig.axes[0].texts}
    assert places["wide"] < style.WIDTH / 2 < places["small"] - 0.5
