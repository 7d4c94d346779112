import itertools

import keras
import pytest
from matplotlib.patches import FancyBboxPatch

from helpers import autoencoder, drawings


@pytest.fixture(scope="module")
def model():
    series = keras.Input((12, 2), name="series")
    code, states = autoencoder.encode(series, 3, 4, return_states=True)
    outputs = {
        "reconstruction": autoencoder.decode_hierarchical(
            code, 12, 2, 4, segment_steps=4, segment_units=4
        ),
        "next_step": autoencoder.forecast(series, states),
        "label": autoencoder.classify(code, 5),
    }
    return keras.Model(series, outputs)


def test_each_layer_is_written_once_with_its_shape(model):
    texts = [text.get_text() for text in drawings.plot_network(model).axes[0].texts]
    names = [operation.name for operation in model.operations]
    assert sorted(name for name in texts if name in names) == sorted(names)
    assert "Input, 12 x 2" in texts and "Dense, 5" in texts


def test_arrows_are_the_calls_of_the_layers(model):
    series = {"label": ["code"], "next_step": ["next_step_change", "series"]}
    parents = drawings.parents_of_layers(model)
    assert {name: sorted(parents[name]) for name in series} == series
    ways = drawings.arrange(parents)[1]
    assert sorted((way[0], way[-1]) for way in ways) == sorted(
        (source, name) for name, sources in parents.items() for source in sources
    )


def test_layers_stand_below_all_that_feed_them():
    parents = {"input": [], "first": ["input"], "second": ["first"]}
    rows, ways = drawings.arrange(parents | {"sum": ["second", "input"]})
    passing = [("input", "sum", 1), ("input", "sum", 2)]
    assert rows == [["input"], ["first", passing[0]], ["second", passing[1]], ["sum"]]
    assert ["input", *passing, "sum"] in ways


def test_boxes_do_not_overlap(model):
    figure = drawings.plot_network(model)
    boxes = [
        patch.get_bbox()
        for patch in figure.axes[0].patches
        if isinstance(patch, FancyBboxPatch)
    ]
    assert len(boxes) == len(model.operations)
    for first, second in itertools.combinations(boxes, 2):
        assert not first.overlaps(second)
    for box in boxes:
        assert 0 <= box.x0 and box.x1 <= drawings.WIDTH


def test_outputs_have_a_thick_frame(model):
    frames = [
        patch.get_linewidth()
        for patch in drawings.plot_network(model).axes[0].patches
        if isinstance(patch, FancyBboxPatch)
    ]
    assert sorted(frames)[-3:] == [1.4, 1.4, 1.4] and sorted(frames)[-4] < 1


def test_several_networks_do_not_overlap():
    series = keras.Input((3,), name="values")
    small = keras.Model(series, keras.layers.Dense(2, name="small")(series))
    models = {"one": small, "two": small, "wide": small}
    figure = drawings.plot_networks(models, num_columns=2)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [text for text in texts if text in models] == list(models)
    assert texts.count("small") == 3
    boxes = [
        patch.get_bbox()
        for patch in figure.axes[0].patches
        if isinstance(patch, FancyBboxPatch)
    ]
    assert len(boxes) == 6
    for first, second in itertools.combinations(boxes, 2):
        assert not first.overlaps(second)
    # Two beside each other, the third below the first.
    assert boxes[0].y0 == boxes[2].y0 < boxes[4].y0 and boxes[0].x0 == boxes[4].x0
    assert len({round(box.width, 6) for box in boxes}) == 1
    with pytest.raises(ValueError, match="`models` should hold.*Received: {}"):
        drawings.plot_networks({})


def test_network_with_branches_gets_a_wider_place(model):
    series = keras.Input((3,), name="values")
    small = keras.Model(series, keras.layers.Dense(2, name="small")(series))
    figure = drawings.plot_networks({"wide": model, "small": small}, num_columns=2)
    places = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    assert places["wide"] < drawings.WIDTH / 2 < places["small"]
    assert places["small"] > 0.8 * drawings.WIDTH


def test_shared_layer_is_refused():
    series, dense = keras.Input((3,)), keras.layers.Dense(3, name="shared")
    with pytest.raises(ValueError, match="Received: shared, which is called 2 times"):
        drawings.plot_network(keras.Model(series, dense(dense(series))))


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="`model` should be a functional.*Dense"):
        drawings.plot_network(keras.layers.Dense(3))
