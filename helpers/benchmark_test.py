import numpy as np
import pytest

from helpers import benchmark


@pytest.mark.parametrize("network", list(benchmark.NETWORKS))
def test_both_networks_do_the_same_work(network):
    table = benchmark.compare(network, shapes=[(12, 2)], units=4, batch_size=3)
    assert list(table.index) == ["12 x 2"]
    row = table.iloc[0]
    np.testing.assert_allclose(
        row["ratio"], row["Keras, µs per sequence"] / row["ours, µs per sequence"]
    )
    assert (row > 0).all() and row["share of matrix rate"] < 1


def test_encoders_are_the_same_network():
    models = benchmark.encoders(10, 3, units=4)
    models["ours"].set_weights(models["keras"].get_weights())
    series = np.random.default_rng(0).random((5, 10, 3), dtype="float32")
    outputs = [model.predict(series, verbose=0) for model in models.values()]
    np.testing.assert_allclose(*outputs, atol=1e-5)


def test_operations_of_a_keras_lstm():
    # 4 gates of 5 units see 3 features and 5 states; 2 operations each, 3 passes.
    assert benchmark.num_operations("encoder", (1, 7, 3), 5) == 3 * 2 * 4 * 5 * 8 * 7


def test_memory_is_that_of_a_step():
    if np.isnan(benchmark.step_memory("encoder", "ours", (4, 1), batch_size=2)):
        pytest.skip("This system does not tell.")
    ballast = np.ones(100_000_000, "float32")  # A large parent must not hide it.
    small, large = (
        benchmark.step_memory("encoder", "keras", (steps, 1), batch_size=512)
        for steps in (10, 250)
    )
    states = 250 * 512 * 64 * 4 / 1e6  # The least that must be kept: 33 MB.
    assert large > small + states and ballast.any()


def test_unknown_network_is_named():
    with pytest.raises(ValueError, match="`network`.*Received: 'decoder'"):
        benchmark.compare("decoder")
