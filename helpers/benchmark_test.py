import numpy as np
import pytest

from helpers import benchmark


@pytest.mark.parametrize("network", list(benchmark.NETWORKS))
def test_table_has_a_row_for_each_shape(network):
    shapes = [(12, 2), (5, 3)]
    table = benchmark.compare(network, shapes=shapes, units=4, batch_size=3)
    assert list(table.index) == ["12 x 2", "5 x 3"]
    assert (table > 0).all(axis=None) and (table["share of matrix rate"] < 1).all()


@pytest.mark.parametrize("network", list(benchmark.NETWORKS))
def test_both_networks_do_the_same_work(network):
    models = benchmark.NETWORKS[network](10, 3, units=4)
    weights = models["keras"].get_weights()
    if network == "autoencoder":  # Our decoder has its bias before the states' weights.
        weights[6:8] = weights[7], weights[6]
    models["ours"].set_weights(weights)
    series = np.random.default_rng(0).random((5, 10, 3), dtype="float32")
    outputs = [model.predict(series, verbose=0) for model in models.values()]
    np.testing.assert_allclose(*outputs, atol=1e-5)


def test_operations_of_a_keras_lstm():
    # 4 gates of 5 units see 3 features and 5 states; 2 operations each, 3 passes.
    assert benchmark.num_operations("encoder", (1, 7, 3), 5) == 3 * 2 * 4 * 5 * 8 * 7


def test_memory_is_that_of_a_step():
    if np.isnan(benchmark.step_memory("encoder", "ours", (4, 1), 2, units=64)):
        pytest.skip("This system does not tell.")
    ballast = np.ones(100_000_000, "float32")  # A large parent must not hide it.
    small, large = (
        benchmark.step_memory("encoder", "keras", (250, 1), 512, units=units)
        for units in (4, 64)
    )
    states = 250 * 512 * (64 - 4) * 4 / 1e6  # The least that must be kept: 31 MB.
    assert large > small + states and ballast.any()


def test_unknown_network_is_named():
    with pytest.raises(ValueError, match="`network`.*Received: 'decoder'"):
        benchmark.compare("decoder")
