import subprocess
import sys

from helpers.networks import blocks, counts, layers, starts

import keras
import numpy as np
import pytest

UNITS = 8


def test_memory_holds_every_input_of_a_long_sequence():
    """A linear map of its last state gives all inputs; the default loses them."""
    num_steps = 50
    series = np.random.default_rng(1).uniform(-1, 1, (2000, num_steps, 1)).astype("f4")
    errors = []
    for seed in (0, None):
        arguments = starts.lstm_initializers(num_steps, seed)
        states = np.array(keras.layers.LSTM(64, **arguments)(series))
        states = np.concatenate([states, np.ones((2000, 1))], axis=1)
        targets = series[..., 0]
        linear_map = np.linalg.lstsq(states[:1000], targets[:1000], rcond=None)[0]
        written = states[1000:] @ linear_map
        errors.append(np.mean((written - targets[1000:]) ** 2) / np.var(targets))
    assert errors[0] < 0.05 and errors[1] > 0.5


def test_memory_of_the_decoder_is_the_inverse_of_the_encoders():
    product = np.eye(UNITS)
    for transpose in (False, True):
        start = starts.lstm_initializers(6, memory_seed=5, transpose=transpose)
        kernel = np.array(start["recurrent_initializer"]((UNITS, 4 * UNITS)))
        product = product @ kernel[:, 2 * UNITS : 3 * UNITS]
    np.testing.assert_allclose(product, np.eye(UNITS) * product[0, 0], atol=1e-5)
    assert product[0, 0] > 1


def test_biases_open_and_close_the_gates():
    gates = [0.953, 0.007, 0.5, 0.953, 0.5, 0.731, 0.5, 0.5]
    biases = [*starts.MemoryBias()((4,)), *starts.UnitForgetBias()((4,))]
    np.testing.assert_allclose(1 / (1 + np.exp(-np.array(biases))), gates, atol=1e-3)


def test_chrono_biases_spread_over_the_time_scales():
    bias = np.array(starts.ChronoBias(longest=784, seed=1)((4 * 500,)))
    inputs, forget, candidate, output = np.split(bias, 4)
    np.testing.assert_array_equal(inputs, -forget)
    assert not candidate.any() and not output.any()
    steps = np.exp(forget)
    assert steps.min() >= 1 and steps.max() <= 783
    np.testing.assert_allclose(np.median(steps), 392, rtol=0.1)
    with pytest.raises(ValueError, match="longest.*Received: 2"):
        starts.ChronoBias(2)


LOAD = """
import sys
import keras, numpy
from helpers import networks
model = keras.saving.load_model(sys.argv[1])
numpy.savez(sys.argv[2], *model.predict(numpy.ones((3, 70, 1)), verbose=0))
"""


def test_a_new_process_loads_all_that_is_registered(tmp_path):
    series = keras.Input((70, 1))
    code = blocks.encode(series, 4, UNITS, memory_seed=3)
    chrono = starts.lstm_initializers(70, chrono_steps=70)
    states = layers.FastLSTM(UNITS, **chrono)(series)
    state = layers.FastLSTM(UNITS, bias_initializer=starts.UnitForgetBias())(series)
    outputs = [
        blocks.decode(code, 70, 1, UNITS, name="one", memory_seed=3, reverse=True),
        blocks.decode(states, 70, 1, UNITS, name="two", chrono_steps=70),
        counts.predict_counts(state, np.array([0.7, 0.2, 0.1]), "hurdle"),
    ]
    model = keras.Model(series, outputs)
    for name, thing in keras.saving.get_custom_objects().items():
        if thing.__module__.startswith("helpers.networks"):
            assert name in model.to_json(), f"The network should have a {name}."

    paths = [tmp_path / name for name in ("model.keras", "outputs.npz")]
    model.save(paths[0])
    subprocess.run([sys.executable, "-c", LOAD, *paths], check=True)
    expected = model.predict(np.ones((3, 70, 1)), verbose=0)
    with np.load(paths[1]) as computed:
        for ours, theirs in zip(computed.values(), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
