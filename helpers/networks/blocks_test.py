from helpers import networks

import keras
import numpy as np
import pytest

NUM_STEPS, NUM_FEATURES, CODE_SIZE = 6, 2, 3
EXAMPLES = np.random.default_rng(0).random((4, NUM_STEPS, NUM_FEATURES), "float32")


def recurrent(series):
    code = networks.encode(series, CODE_SIZE, units=5)
    return code, networks.decode(code, NUM_STEPS, NUM_FEATURES, units=4)


def convolutional(series):
    code = networks.encode_convolutional(series, CODE_SIZE, filters=2)
    return code, networks.decode_convolutional(code, NUM_STEPS, NUM_FEATURES, filters=3)


def hierarchical(series):
    sizes = {"units": 5, "segment_steps": 3, "segment_units": 4}
    code = networks.encode_hierarchical(series, CODE_SIZE, **sizes)
    return code, networks.decode_hierarchical(code, NUM_STEPS, NUM_FEATURES, **sizes)


def build(halves):
    series = keras.Input((NUM_STEPS, NUM_FEATURES), name="series")
    code, reconstruction = halves(series)
    label = networks.classify(code, 4, dropout=0.5)
    return keras.Model(series, {"reconstruction": reconstruction, "label": label})


@pytest.mark.parametrize("halves", [recurrent, convolutional, hierarchical])
def test_halves_work_alone_and_after_saving(halves, tmp_path):
    model = build(halves)
    outputs = model.predict(EXAMPLES, verbose=0)
    assert outputs["reconstruction"].shape == (4, NUM_STEPS, NUM_FEATURES)
    np.testing.assert_allclose(outputs["label"].sum(axis=1), 1, rtol=1e-5)
    values = EXAMPLES
    for half in (networks.encoder_of(model), networks.decoder_of(model)):
        half.save(tmp_path / "half.keras")
        loaded = keras.saving.load_model(tmp_path / "half.keras")
        values = loaded.predict(values, verbose=0)
    np.testing.assert_allclose(values, outputs["reconstruction"], atol=1e-6)
    codes = networks.encoder_of(model).predict(EXAMPLES, verbose=0)
    assert codes.shape == (4, CODE_SIZE)
    labels = networks.decoder_of(model, "label").predict(codes, verbose=0)
    np.testing.assert_allclose(labels, outputs["label"], atol=1e-6)

    # Decoders see the code and nothing else, and the halves share the weights.
    kernel, bias = model.get_layer("code").get_weights()
    model.get_layer("code").set_weights([0 * kernel, bias + 1])
    for output in model.predict(EXAMPLES, verbose=0).values():
        np.testing.assert_allclose(output, np.repeat(output[:1], 4, axis=0), atol=1e-6)
    codes = networks.encoder_of(model).predict(EXAMPLES, verbose=0)
    np.testing.assert_allclose(codes, np.ones((4, CODE_SIZE)))


def test_arguments_reach_the_layers():
    assert build(recurrent).get_layer("label_dropout").rate == 0.5
    series = keras.Input((NUM_STEPS, NUM_FEATURES))
    code = networks.encode(series, CODE_SIZE, 5, memory_seed=1)
    options = {"position_input": False, "reverse": True, "memory_seed": 1}
    output = networks.decode(code, NUM_STEPS, 2, 5, "sigmoid", name="x", **options)
    model = keras.Model(series, output)
    assert options.items() <= model.get_layer("x_decoder").get_config().items()
    assert model.get_layer("x").activation is keras.activations.sigmoid
    kernel = model.get_layer("code").get_weights()[0]  # Keeps lengths.
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(CODE_SIZE), atol=1e-5)
    gates = np.split(model.get_layer("encoder").get_weights()[0], 4, axis=1)
    assert [bool(gate.any()) for gate in gates] == [False, False, True, False]


def test_states_of_the_encoder_see_no_later_value_and_end_in_the_code():
    series = keras.Input((NUM_STEPS, NUM_FEATURES), name="series")
    code, states = networks.encode(series, CODE_SIZE, units=5, return_states=True)
    model = keras.Model(series, {"code": code, "states": states})
    before = model.predict(EXAMPLES, verbose=0)
    last = model.get_layer("code")(before["states"][:, -1])
    np.testing.assert_allclose(before["code"], last, atol=1e-6)
    for step in range(NUM_STEPS):
        changed = EXAMPLES.copy()
        changed[:, step] += 1
        after = model.predict(changed, verbose=0)
        difference = np.abs(after["states"] - before["states"])
        assert difference[:, :step].max(initial=0) < 1e-6
        # The code has read all steps: this check can tell the two apart.
        assert difference[:, step].max() > 1e-6
        assert np.abs(after["code"] - before["code"]).max() > 1e-6


def test_hierarchical_network_does_the_segments_one_by_one():
    model = build(hierarchical)
    layers = {layer.name: layer for layer in model.layers}
    states = [layers["segment_encoder"](EXAMPLES[:, i : i + 3]) for i in (0, 3)]
    code = layers["code"](layers["encoder"](keras.ops.stack(states, axis=1)))
    computed = networks.encoder_of(model).predict(EXAMPLES, verbose=0)
    np.testing.assert_allclose(computed, code, atol=1e-5)
    states = layers["reconstruction_decoder"](code)
    first = layers["reconstruction_segment_decoder"](states[:, 0])
    written = networks.decoder_of(model).predict(np.array(code), verbose=0)
    first = layers["reconstruction_value"](first)
    np.testing.assert_allclose(written[:, :3], first, atol=1e-5)


SERIES, CODE = keras.Input((NUM_STEPS, NUM_FEATURES)), keras.Input((CODE_SIZE,))


@pytest.mark.parametrize(
    ("block", "arguments", "message"),
    [
        ("encode", (CODE, 3, 5), r"`series`.*Received: \(None, 3\)"),
        ("encode", (keras.Input((None, 2)), 3, 5), r"`series`.*\(None, None, 2\)"),
        ("encode", (SERIES, 3, 5, 0, 6), "`memory_seed` or `chrono_steps`"),
        ("decode", (SERIES, 7, 2, 5), r"`code`.*Received: \(None, 6, 2\)"),
        ("decode", (CODE, 0, 2, 5), "`num_steps`.*Received: 0"),
        ("decode_convolutional", (SERIES, 7, 2, 2), "`code`"),
        ("encode_hierarchical", (SERIES, 3, 5, 4, 4), "`segment_steps`.*Received: 4"),
        ("decode_hierarchical", (CODE, 6, 2, 5, 0, 4), "`segment_steps`.*Received: 0"),
    ],
)
def test_wrong_shapes_and_sizes_are_named(block, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(networks, block)(*arguments)
