import keras
import numpy as np
import pytest
from keras import layers

from helpers import experiments


def test_settle_drops_last_bits():
    values = np.array([0.12344, -1.5])
    settled = experiments.settle(values)
    assert settled.dtype == "float32"
    np.testing.assert_array_equal(settled, experiments.settle(values + 1e-13))
    np.testing.assert_allclose(settled, [0.1234, -1.5], atol=1e-7)


def test_same_tells_rounding_from_difference():
    assert experiments.same([1.0], [1.000001])
    assert not experiments.same([1.0], [1.001])


def test_predict_is_the_models_output():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(2)(inputs))
    values = np.ones((5, 3), "float32")
    np.testing.assert_allclose(experiments.predict(model, values), model(values), 1e-6)


def test_oscillation_obeys_its_law():
    series, noise = experiments.oscillation(500, np.random.default_rng(0))
    assert series.shape == noise.shape == (500,)
    expected = 1.5 * series[1:-1] - 0.8 * series[:-2] + noise[2:]
    np.testing.assert_allclose(series[2:], expected)
    assert 0.8 < noise.std() < 1.2


def test_state_of_plain_lstm_starts_at_zero():
    holds = experiments.probe_state(stateful=False)
    assert list(holds.values()) == [True, True, True, True, False]


def test_state_of_stateful_lstm_goes_on():
    holds = experiments.probe_state(stateful=True)
    assert list(holds.values()) == [True, False, True, True, True]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (lambda: layers.Dense(2), [True, True, True]),
        (lambda: layers.Dropout(0.5), [True, False, False]),
        (lambda: layers.BatchNormalization(), [True, True, False]),
    ],
)
def test_compare_calls(layer, expected):
    assert list(experiments.compare_calls(layer()).values()) == expected


def test_dropout_spread_is_that_of_the_formula():
    spread, formula = experiments.dropout_spread(0.5)
    assert abs(np.mean(spread / formula) - 1) < 0.05
    assert abs(np.mean(spread / experiments.dropout_spread(0.2)[1]) - 1) > 0.3


@pytest.mark.parametrize("argument", ["dropout", "recurrent_dropout"])
def test_masks_of_lstm_hide_the_rate(argument):
    keras.utils.set_random_seed(0)
    kept = experiments.read_lstm_masks(argument, 0.25)
    assert kept.dtype == bool and kept.shape[2] == experiments.NUM_UNITS
    assert abs(1 - kept.mean() - 0.25) < 0.05


def test_masks_are_read_where_nothing_is_hidden():
    for argument in ("dropout", "recurrent_dropout"):
        assert experiments.read_lstm_masks(argument, 0.0).all()


def test_masks_of_unknown_argument_are_refused():
    with pytest.raises(ValueError, match="Received: 'rate'"):
        experiments.read_lstm_masks("rate", 0.5)


def test_masks_of_layer():
    assert experiments.read_layer_masks(layers.Dropout(0.0)).all()
    kept = experiments.read_layer_masks(layers.Dropout(0.5))
    assert abs(kept.mean() - 0.5) < 0.05


@pytest.mark.parametrize("one_hot_input", [True, False])
def test_both_tables_have_as_many_weights(one_hot_input):
    model = experiments.build_table(100, one_hot_input)
    assert model.count_params() == 100 * 32 + 33


def test_step_takes_time_and_needs_its_words():
    assert experiments.step_milliseconds(100, "sgd") > 0
    with pytest.raises(ValueError, match="`vocabulary` should be an integer of at"):
        experiments.step_milliseconds(99, "sgd")


def test_plain_gradient_descent_changes_the_rows_used():
    assert experiments.count_changed_rows("sgd") == 20


def test_unit_length():
    units = experiments.unit_length([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(units, [[0.6, 0.8], [0.0, 0.0]])


def test_mean_cosine_is_that_of_all_pairs():
    vectors = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    expected = (np.sqrt(0.5) + np.sqrt(0.5) + 0) / 3
    assert np.isclose(experiments.mean_cosine(vectors), expected)
    assert np.isclose(experiments.mean_cosine(10 * vectors), expected)
