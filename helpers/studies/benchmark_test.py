from helpers.studies import benchmark

import numpy as np
import pytest


@pytest.mark.parametrize("network", list(benchmark.NETWORKS))
def test_both_networks_do_the_same_work(network):
    models = benchmark.NETWORKS[network](10, 3, units=4)
    weights = models["Keras"].get_weights()
    if network == "autoencoder":  # Our decoder has its bias before the states' weights.
        weights[6:8] = weights[7], weights[6]
    models["ours"].set_weights(weights)
    series = np.random.default_rng(0).random((5, 10, 3), dtype="float32")
    outputs = [model.predict(series, verbose=0) for model in models.values()]
    np.testing.assert_allclose(*outputs, atol=1e-5)


def test_a_row_has_times_and_their_ratio(monkeypatch):
    monkeypatch.setattr(benchmark, "REPEATS", 1)
    row = benchmark.compare("autoencoder", 5, 3, units=4, batch_size=3)
    assert row["steps x features"] == "5 x 3"
    times = [row[f"{layers}, µs per sequence"] for layers in ("Keras", "ours")]
    assert row["ratio"] == pytest.approx(times[0] / times[1]) and min(times) > 0
    assert 0 < row["share of matrix rate"] < 1


def test_operations_of_a_keras_lstm():
    # 4 gates of 5 units see 3 features and 5 states; 2 operations each, 3 passes.
    assert benchmark.num_operations("encoder", 7, 3, 5) == 3 * 2 * 4 * 5 * 8 * 7


def test_memory_is_that_of_a_step():
    memory = benchmark.step_memory("encoder", "Keras", 250, 1, 64, 512)
    if np.isnan(memory):
        pytest.skip("This system does not tell.")
    assert memory > 250 * 512 * 64 * 4 / 1e6  # The least that must be kept: 33 MB.
