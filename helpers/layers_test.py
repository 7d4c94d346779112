import keras
import numpy as np
import pytest
from keras import ops

from helpers import layers
from helpers.layers import (
    ChronoBias,
    CodeLSTM,
    FastLSTM,
    MemoryBias,
    memory_initializers,
)

UNITS, NUM_STEPS, CODE_SIZE = 8, 6, 3


def codes(num_examples=5):
    return np.random.default_rng(0).normal(size=(num_examples, CODE_SIZE)).astype("f4")


def loss_and_gradients(layer, call, weights):
    """Value and gradients of a weighted sum of the outputs, with TensorFlow."""
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Gradients are compared with TensorFlow's tape.")
    with tf.GradientTape() as tape:
        outputs = call()
        loss = ops.sum(outputs * ops.cos(ops.arange(UNITS, dtype="float32")))
    gradients = tape.gradient(loss, [getattr(layer, name).value for name in weights])
    return np.array(outputs), [np.array(gradient) for gradient in gradients]


@pytest.mark.parametrize("position_input", [True, False])
def test_equals_keras_lstm_on_the_repeated_code(position_input):
    layer = CodeLSTM(
        UNITS, NUM_STEPS, position_input=position_input, state_from_code=False
    )
    code = codes()
    layer(code)
    names = ["code_kernel", "bias"]
    if position_input:
        names.append("position_kernel")
    for name in names:  # Away from their zeros.
        weight = getattr(layer, name)
        weight.assign(keras.random.normal(weight.shape, stddev=0.5, seed=len(name)))
    outputs, gradients = loss_and_gradients(layer, lambda: layer(code), names)

    repeated = np.repeat(code[:, None], NUM_STEPS, axis=1)
    kernel = np.array(layer.code_kernel)
    if position_input:
        steps = np.broadcast_to(np.eye(NUM_STEPS, dtype="f4"), (5, NUM_STEPS, 6))
        repeated = np.concatenate([repeated, steps], axis=2)
        kernel = np.concatenate([kernel, np.array(layer.position_kernel)])
    twin = keras.layers.LSTM(UNITS, return_sequences=True)
    twin.build(repeated.shape)
    recurrent_kernel = np.array(layer.rnn.cell.recurrent_kernel)
    twin.set_weights([kernel, recurrent_kernel, np.array(layer.bias)])
    twin_outputs, (kernel_gradient, bias_gradient) = loss_and_gradients(
        twin.cell, lambda: twin(repeated), ["kernel", "bias"]
    )
    np.testing.assert_allclose(outputs, twin_outputs, atol=1e-5)
    np.testing.assert_allclose(gradients[0], kernel_gradient[:CODE_SIZE], atol=1e-5)
    np.testing.assert_allclose(gradients[1], bias_gradient, atol=1e-5)
    if position_input:
        np.testing.assert_allclose(gradients[2], kernel_gradient[CODE_SIZE:], atol=1e-5)


def test_initial_state_comes_from_the_code():
    layer = CodeLSTM(UNITS, NUM_STEPS, position_input=False)
    code = codes()
    outputs = np.array(layer(code))
    state = np.split(code @ np.array(layer.state_kernel), 2, axis=1)
    twin = keras.layers.LSTM(UNITS, return_sequences=True)
    repeated = np.repeat(code[:, None], NUM_STEPS, axis=1)
    twin.build(repeated.shape)
    twin.set_weights([layer.code_kernel, layer.rnn.cell.recurrent_kernel, layer.bias])
    np.testing.assert_allclose(outputs, twin(repeated, initial_state=state), atol=1e-5)


def test_a_loop_gives_what_an_unrolled_one_gives(monkeypatch):
    code = codes()
    unrolled = CodeLSTM(UNITS, NUM_STEPS)
    outputs = np.array(unrolled(code))
    monkeypatch.setattr("helpers.layers.LONGEST_UNROLLED", NUM_STEPS - 1)
    loop = CodeLSTM(UNITS, NUM_STEPS)
    loop.build(code.shape)
    assert unrolled.rnn.unroll and not loop.rnn.unroll
    loop.set_weights(unrolled.get_weights())
    np.testing.assert_allclose(np.array(loop(code)), outputs, atol=1e-6)


def test_reverse_writes_the_last_step_first():
    code = codes()
    forward = CodeLSTM(UNITS, NUM_STEPS)
    backward = CodeLSTM(UNITS, NUM_STEPS, reverse=True)
    outputs = np.array(forward(code))
    backward.build(code.shape)
    backward.set_weights(forward.get_weights())
    np.testing.assert_array_equal(np.array(backward(code)), outputs[:, ::-1])


def test_a_saved_layer_is_the_same_after_loading(tmp_path):
    code = keras.Input((CODE_SIZE,), name="code")
    layer = CodeLSTM(
        UNITS, NUM_STEPS, reverse=True, state_from_code=False, memory_seed=3, name="d"
    )
    model = keras.Model(code, layer(code))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("d").get_config() == layer.get_config()
    np.testing.assert_array_equal(
        loaded.predict(codes(), verbose=0), model.predict(codes(), verbose=0)
    )


def test_memory_holds_every_input_of_a_long_sequence():
    """A linear map of the last state restores all inputs; Keras' start loses them."""
    num_steps, units = 50, 64
    series = np.random.default_rng(1).uniform(-1, 1, (2000, num_steps, 1)).astype("f4")
    errors = {}
    for name, arguments in {
        "memory": memory_initializers(num_steps, seed=0),
        "keras": {},
    }.items():
        states = np.array(keras.layers.LSTM(units, **arguments)(series))
        states = np.concatenate([states, np.ones((2000, 1))], axis=1)
        targets = series[..., 0]
        linear_map = np.linalg.lstsq(states[:1000], targets[:1000], rcond=None)[0]
        restored = states[1000:] @ linear_map
        errors[name] = np.mean((restored - targets[1000:]) ** 2) / np.var(targets)
    assert errors["memory"] < 0.05
    assert errors["keras"] > 0.5


def test_memory_of_the_decoder_is_the_inverse_of_the_encoders():
    forward = memory_initializers(NUM_STEPS, seed=5)["recurrent_initializer"]
    inverse = memory_initializers(NUM_STEPS, seed=5, transpose=True)
    inverse = inverse["recurrent_initializer"]
    shape = (UNITS, 4 * UNITS)
    candidate = slice(2 * UNITS, 3 * UNITS)
    product = np.array(forward(shape))[:, candidate]
    product = product @ np.array(inverse(shape))[:, candidate]
    np.testing.assert_allclose(product, forward.scale**2 * np.eye(UNITS), atol=1e-5)


def test_memory_bias_opens_and_closes_the_gates():
    gates = 1 / (1 + np.exp(-np.array(MemoryBias()((2, 4))[1])))
    np.testing.assert_allclose(gates, [0.953, 0.007, 0.5, 0.953], atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units`.*Received: 0"),
        ({"num_steps": 2.5}, "`num_steps`.*Received: 2.5"),
        ({"memory_seed": -1}, "`seed`.*Received: -1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        CodeLSTM(**{"units": UNITS, "num_steps": NUM_STEPS, **arguments})


def test_a_sequence_is_refused_as_code():
    with pytest.raises(ValueError, match=r"\(batch, code\).*Received: \(2, 3, 4\)"):
        CodeLSTM(UNITS, NUM_STEPS)(np.zeros((2, 3, 4), "f4"))


def twins(shape, return_sequences, seed=0, **arguments):
    """The same LSTM as Keras' layer and as ours, and inputs for both."""
    series = np.random.default_rng(seed).normal(size=shape).astype("f4")
    pair = [
        layer(UNITS, return_sequences=return_sequences, seed=seed, **arguments)
        for layer in (keras.layers.LSTM, FastLSTM)
    ]
    for layer in pair:
        layer.build(shape)
    pair[1].set_weights(pair[0].get_weights())
    return series, pair


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("shape", [(5, 28, 28), (7, 90, 1), (1, 6, 3)])
def test_fast_lstm_equals_keras_lstm(shape, return_sequences):
    tf = pytest.importorskip("tensorflow")
    if not layers.is_compiled():
        pytest.skip("Without TensorFlow on a CPU it is the layer of Keras.")
    series, pair = twins(shape, return_sequences)
    results = []
    for layer in pair:
        inputs = tf.constant(series)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
            factors = ops.cos(ops.arange(UNITS, dtype="float32"))
            loss = ops.mean(outputs * factors)
        sources = [inputs, *(weight.value for weight in layer.trainable_weights)]
        results.append([outputs, *tape.gradient(loss, sources)])
    assert any(np.abs(gradient).max() > 1e-4 for gradient in results[0][1:])
    for keras_value, our_value in zip(*results, strict=True):
        np.testing.assert_allclose(our_value, keras_value, atol=1e-5)


@pytest.mark.parametrize(
    "arguments", [{"dropout": 0.5}, {"activation": "relu"}, {"go_backwards": True}]
)
def test_fast_lstm_equals_keras_lstm_with_other_arguments(arguments):
    series, pair = twins((4, 10, 3), True, **arguments)
    ours, expected = (np.array(layer(series, training=True)) for layer in pair[::-1])
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_fast_lstm_takes_states_and_masks_as_keras_does():
    series, pair = twins((4, 10, 3), True)
    mask = np.arange(10) < np.array([[10], [4], [1], [7]])
    state = [np.full((4, UNITS), value, "f4") for value in (0.3, -0.2)]
    ours, expected = (
        np.array(layer(series, mask=mask, initial_state=state)) for layer in pair[::-1]
    )
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_fast_lstm_learns_with_batches_of_any_size(tmp_path):
    series = np.random.default_rng(0).normal(size=(10, 70, 1)).astype("f4")
    model = keras.Sequential([keras.Input((70, 1)), FastLSTM(UNITS)])
    model.compile("sgd", "mean_squared_error")
    target = np.ones((10, UNITS), "f4")
    before = model.evaluate(series, target, verbose=0)
    model.fit(series, target, batch_size=4, epochs=3, verbose=0)  # 4, 4 and 2.
    assert model.evaluate(series, target, verbose=0) < before
    model.save(tmp_path / "fast.keras")
    loaded = keras.saving.load_model(tmp_path / "fast.keras")
    assert isinstance(loaded.layers[-1], FastLSTM)
    np.testing.assert_array_equal(
        loaded.predict(series[:1], verbose=0), model.predict(series[:1], verbose=0)
    )


def test_the_decoder_does_the_same_without_the_compiled_loop(monkeypatch):
    layer = CodeLSTM(UNITS, NUM_STEPS, reverse=True)
    code = codes()
    outputs = np.array(layer(code))
    monkeypatch.setattr(layers, "compiled_lstm", None)
    np.testing.assert_allclose(np.array(layer(code)), outputs, atol=1e-6)


def test_chrono_biases_spread_over_the_time_scales():
    bias = np.array(ChronoBias(longest=784, seed=1)((4 * 500,)))
    inputs, forget, candidate, output = np.split(bias, 4)
    np.testing.assert_array_equal(inputs, -forget)
    assert not candidate.any() and not output.any()
    steps = np.exp(forget)
    assert steps.min() >= 1 and steps.max() <= 783
    np.testing.assert_allclose(np.median(steps), 392, rtol=0.1)
    with pytest.raises(ValueError, match="longest.*Received: 2"):
        ChronoBias(2)
    with pytest.raises(ValueError, match="should be `None`: they are two starts"):
        CodeLSTM(UNITS, NUM_STEPS, memory_seed=0, chrono_steps=6)
