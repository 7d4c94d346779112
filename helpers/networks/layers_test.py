from helpers.networks import layers
from helpers.networks.layers import CodeLSTM, FastLSTM

import keras
import numpy as np
import pytest
from keras import ops

UNITS, NUM_STEPS, CODE_SIZE = 8, 6, 3
CODES = np.random.default_rng(0).normal(size=(5, CODE_SIZE)).astype("f4")
compiled = pytest.mark.skipif(
    layers.compiled_lstm is None, reason="Only TensorFlow on a CPU has the loop."
)


def outputs_and_gradients(call, inputs, weights):
    """Outputs, and gradients of a weighted sum of them by inputs and weights."""
    import tensorflow as tf

    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = call(inputs)
        loss = ops.sum(outputs * ops.cos(ops.arange(UNITS, dtype="float32")))
    sources = [inputs, *(weight.value for weight in weights)]
    return [np.array(values) for values in (outputs, *tape.gradient(loss, sources))]


@compiled
@pytest.mark.parametrize(
    ("rows", "position_input", "state_from_code"),
    [(5, True, True), (5, False, False), (1, True, False)],
)
def test_code_lstm_is_a_reversed_keras_lstm_of_the_repeated_code(
    rows, position_input, state_from_code
):
    codes = CODES[:rows]
    layer = CodeLSTM(UNITS, NUM_STEPS, position_input, state_from_code, reverse=True)
    layer.build(codes.shape)
    layer.bias.assign(keras.random.normal(layer.bias.shape, seed=0))
    recurrent_kernel = layer.rnn.cell.recurrent_kernel
    weights = [layer.code_kernel, recurrent_kernel, layer.bias]
    ours = outputs_and_gradients(layer, codes, weights)

    nothing = ops.zeros((NUM_STEPS, 4 * UNITS))
    position = layer.position_kernel if position_input else nothing
    twin = keras.layers.LSTM(UNITS, return_sequences=True)
    twin.build((rows, NUM_STEPS, CODE_SIZE + NUM_STEPS))
    kernel = ops.concatenate([layer.code_kernel, position])
    twin.set_weights([kernel, recurrent_kernel, layer.bias])

    def repeat(code):
        numbers = ops.tile(ops.eye(NUM_STEPS)[None], (rows, 1, 1))
        repeated = ops.repeat(code[:, None], NUM_STEPS, axis=1)
        state = [ops.zeros((rows, UNITS))] * 2
        if state_from_code:
            state = ops.split(ops.matmul(code, layer.state_kernel), 2, axis=1)
        return twin(ops.concatenate([repeated, numbers], axis=2), initial_state=state)

    expected = outputs_and_gradients(repeat, codes, twin.weights)
    expected[0] = expected[0][:, ::-1]
    expected[2] = expected[2][:CODE_SIZE]  # The others are those of the position.
    for our_values, keras_values in zip(ours, expected, strict=True):
        np.testing.assert_allclose(our_values, keras_values, atol=1e-5)


@pytest.mark.parametrize("longest_unrolled", [NUM_STEPS, NUM_STEPS - 1])
def test_code_lstm_does_the_same_without_the_compiled_loop(
    longest_unrolled, monkeypatch
):
    monkeypatch.setattr(layers, "LONGEST_UNROLLED", longest_unrolled)
    layer = CodeLSTM(UNITS, NUM_STEPS, reverse=True)
    assert layer.rnn.unroll == (longest_unrolled == NUM_STEPS)
    outputs = np.array(layer(CODES))
    monkeypatch.setattr(layers, "compiled_lstm", None)
    np.testing.assert_allclose(np.array(layer(CODES)), outputs, atol=1e-6)


def twins(shape, **arguments):
    """The same LSTM as Keras' layer and as ours, and inputs for both."""
    series = np.random.default_rng(0).normal(size=shape).astype("f4")
    pair = [layer(UNITS, **arguments) for layer in (keras.layers.LSTM, FastLSTM)]
    for layer in pair:
        layer.build(shape)
    pair[1].set_weights(pair[0].get_weights())
    return series, pair


@compiled
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("shape", [(5, 28, 28), (7, 90, 1), (1, 6, 3)])
def test_fast_lstm_equals_keras_lstm(shape, return_sequences):
    series, pair = twins(shape, return_sequences=return_sequences)
    results = [outputs_and_gradients(one, series, one.weights) for one in pair]
    assert all(np.abs(values).max() > 1e-4 for values in results[0])
    for keras_values, our_values in zip(*results, strict=True):
        np.testing.assert_allclose(our_values, keras_values, rtol=1e-4, atol=1e-5)


STATE = [np.full((4, UNITS), value, "f4") for value in (0.3, -0.2)]
MASK = np.arange(10) < np.array([[10], [4], [1], [7]])


@pytest.mark.parametrize(
    ("arguments", "inputs"),
    [
        ({"dropout": 0.5, "seed": 0}, {"training": True}),
        ({"activation": "relu"}, {}),
        ({"go_backwards": True}, {}),
        ({}, {"mask": MASK, "initial_state": STATE}),
    ],
)
def test_fast_lstm_is_keras_lstm_with_other_arguments(arguments, inputs):
    series, pair = twins((4, 10, 3), return_sequences=True, **arguments)
    expected, ours = (np.array(layer(series, **inputs)) for layer in pair)
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_fast_lstm_learns_with_batches_of_any_size():
    series, target = np.ones((10, 70, 1), "f4"), np.ones((10, UNITS), "f4")
    model = keras.Sequential([keras.Input((70, 1)), FastLSTM(UNITS)])
    model.compile("sgd", "mean_squared_error")
    before = model.evaluate(series, target, verbose=0)
    model.fit(series, target, batch_size=4, epochs=3, verbose=0)  # 4, 4 and 2.
    assert model.evaluate(series, target, verbose=0) < before
