from helpers import networks
from helpers.networks import fourier

import keras
import numpy as np
import pytest

NUM_STEPS = 80  # More than are unrolled.


def walks(num_examples, seed=0):
    """Random walks, the series that slow waves describe best."""
    rng = np.random.default_rng(seed)
    steps = 0.05 * rng.normal(size=(num_examples, NUM_STEPS, 1))
    return (0.5 + steps.cumsum(axis=1)).astype("float32")


def build_model(code_size=8, units=44, outputs=("reconstruction",)):
    series = keras.Input((NUM_STEPS, 1), name="series")
    scaled = keras.layers.Rescaling(0.01, name="scaled")(series)
    code = networks.encode(scaled, code_size, units)
    decoded = {
        name: networks.decode(code, NUM_STEPS, 1, 40, reverse=True, name=name)
        for name in outputs
    }
    return keras.Model(series, decoded)


def test_untrained_network_is_as_good_as_pca():
    train, test = walks(500), walks(200, seed=1)
    model = build_model()
    targets = {"reconstruction": train}
    networks.start_as_fourier_memory(model, train, targets)
    mean = train[..., 0].mean(axis=0)
    axes = np.linalg.svd(train[..., 0] - mean, full_matrices=False)[2][:8]
    centred = test[..., 0] - mean
    pca = np.mean((centred - centred @ axes.T @ axes) ** 2)
    output = model.predict(test, verbose=0)["reconstruction"]
    assert np.mean((output - test) ** 2) < 1.15 * pca < 0.1 * test.var()


def test_each_target_gets_its_decoder_and_states_have_their_size():
    train = walks(300)
    targets = {"reconstruction": train, "next_step": 1 + 2 * train[:, ::-1]}
    model = build_model(outputs=tuple(targets))
    networks.start_as_fourier_memory(model, train, targets)
    outputs = model.predict(train, verbose=0)
    for name, values in targets.items():
        assert np.mean((values - outputs[name]) ** 2) < 0.1 * values.var(), name

    encoder = model.get_layer("encoder")
    states = keras.Model(model.input, encoder.output).predict(train, verbose=0)
    sizes = np.sqrt((states**2).mean(axis=0))
    np.testing.assert_allclose(sizes, fourier.AMPLITUDE, rtol=0.5)


def test_wrong_arguments_are_refused():
    train = walks(50)
    start = networks.start_as_fourier_memory
    with pytest.raises(ValueError, match="one feature. Received: 2"):
        start(build_model(), np.repeat(train, 2, axis=2), {"reconstruction": train})
    with pytest.raises(ValueError, match="shape of targets"):
        start(build_model(), train, {"reconstruction": train[:, :-1]})
    with pytest.raises(ValueError, match="pairs.*Received: 41"):
        start(build_model(units=41), train, {"reconstruction": train})
    with pytest.raises(ValueError, match="code.*Received: 50"):
        start(build_model(code_size=50), train, {"reconstruction": train})
