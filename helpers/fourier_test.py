import keras
import numpy as np
import pytest

from helpers import autoencoder, baselines, fourier, scores

NUM_STEPS = 80  # More than are unrolled.


def walks(num_examples, seed=0):
    """Random walks, the series that slow waves restore best."""
    rng = np.random.default_rng(seed)
    return (
        0.5 + 0.05 * rng.normal(size=(num_examples, NUM_STEPS, 1)).cumsum(1)
    ).astype("float32")


def build_model(code_size=8, units=44, outputs=("reconstruction",)):
    series = keras.Input((NUM_STEPS, 1), name="series")
    scaled = keras.layers.Rescaling(0.01, name="scaled")(series)
    code = autoencoder.encode(scaled, code_size, units)
    decoded = {
        name: autoencoder.decode(code, NUM_STEPS, 1, 40, reverse=True, name=name)
        for name in outputs
    }
    return keras.Model(series, decoded)


def errors_of(model, series, targets):
    outputs = model.predict(series, verbose=0)
    return {
        name: scores.mean_squared_error(values, outputs[name])
        for name, values in targets.items()
    }


def test_untrained_network_is_as_good_as_pca():
    train, test = walks(500), walks(200, seed=1)
    model = build_model()
    before = errors_of(model, test, {"reconstruction": test})["reconstruction"]
    fourier.start_as_fourier_memory(model, train, {"reconstruction": train})
    error = errors_of(model, test, {"reconstruction": test})["reconstruction"]
    pca = baselines.pca_errors(train, test, [8])[8]
    assert error < 1.15 * pca < 0.1 * before


def test_each_target_gets_its_decoder():
    train = walks(300)
    targets = {"reconstruction": train, "next_step": 1 + 2 * train[:, ::-1]}
    model = build_model(outputs=tuple(targets))
    fourier.start_as_fourier_memory(model, train, targets)
    for name, error in errors_of(model, train, targets).items():
        assert error < 0.1 * targets[name].var(), name


def test_first_units_hold_the_last_value_and_the_last_changes():
    train = walks(300)
    model = build_model()
    fourier.start_as_fourier_memory(
        model, train, {"reconstruction": train}, num_recent=4
    )
    encoder = model.get_layer("encoder")
    states = keras.Model(model.input, encoder.output).predict(train, verbose=0)
    changes = np.diff(train[:, :, 0])
    held = [train[:, -1, 0], changes[:, -1], changes[:, -2], changes[:, -3]]
    for unit, values in enumerate(held):
        assert np.corrcoef(states[:, unit], values)[0, 1] > 0.999
    sizes = np.sqrt((states**2).mean(axis=0))
    np.testing.assert_allclose(sizes, fourier.AMPLITUDE, rtol=0.5)


def test_equal_series_give_equal_weights():
    models = []
    for seed in range(2):
        keras.utils.set_random_seed(seed)
        model = build_model()
        fourier.start_as_fourier_memory(model, walks(50), {"reconstruction": walks(50)})
        models.append(model)
    for first, second in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(first, second)


def test_wrong_arguments_are_refused():
    train = walks(50)
    start = fourier.start_as_fourier_memory
    with pytest.raises(ValueError, match="one feature. Received: 2"):
        start(build_model(), np.repeat(train, 2, axis=2), {"reconstruction": train})
    with pytest.raises(ValueError, match="shape of targets"):
        start(build_model(), train, {"reconstruction": train[:, :-1]})
    with pytest.raises(ValueError, match="pairs.*Received: 41 units"):
        start(build_model(units=45), train, {"reconstruction": train})
    with pytest.raises(ValueError, match="Received: 50 numbers, 44 units"):
        start(build_model(code_size=50), train, {"reconstruction": train})
    reversed_order = keras.Input((NUM_STEPS, 1))
    code = autoencoder.encode(reversed_order, 4, 8)
    with pytest.raises(ValueError, match="`weights of code`.*bias"):
        model = keras.Model(reversed_order, code)
        fourier.set_weights(model.get_layer("code"), kernel=np.zeros((8, 4)))
