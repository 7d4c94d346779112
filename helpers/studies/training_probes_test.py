"""Tests of the probes of chapter 6."""

from helpers.studies import training_probes

import keras
import numpy as np
import pytest
from keras import layers


def test_same_tells_rounding_from_difference():
    assert training_probes.same([1.0], [1.000001])
    assert not training_probes.same([1.0], [1.001])


def test_oscillation_follows_its_equation():
    series, noise = training_probes.oscillation(500, np.random.default_rng(0))
    assert series.shape == noise.shape == (500,)
    expected = 1.5 * series[1:-1] - 0.8 * series[:-2] + noise[2:]
    np.testing.assert_allclose(series[2:], expected)
    assert 0.8 < noise.std() < 1.2


def test_state_starts_at_zero_or_goes_on():
    plain, stateful = map(training_probes.probe_state, (False, True))
    assert list(plain.values()) == [True, True, True, True, False]
    assert list(stateful.values()) == [True, False, True, True, True]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (lambda: layers.Dense(2), [True, True, True]),
        (lambda: layers.Dropout(0.5), [True, False, False]),
        (lambda: layers.BatchNormalization(), [True, True, False]),
    ],
)
def test_compare_calls(layer, expected):
    assert list(training_probes.compare_calls(layer()).values()) == expected


def test_dropout_spread_is_that_of_the_formula():
    spread, formula = training_probes.dropout_spread(0.5)
    assert abs(np.mean(spread / formula) - 1) < 0.05
    assert abs(np.mean(spread / training_probes.dropout_spread(0.2)[1]) - 1) > 0.3


@pytest.mark.parametrize("argument", ["dropout", "recurrent_dropout"])
def test_masks_of_lstm_hide_the_rate(argument):
    keras.utils.set_random_seed(0)
    kept = training_probes.read_lstm_masks(argument, 0.25)
    assert kept.dtype == bool and kept.shape[2] == training_probes.NUM_UNITS
    assert abs(1 - kept.mean() - 0.25) < 0.05
    assert training_probes.read_lstm_masks(argument, 0.0).all()


def test_masks_of_layer_hide_the_rate():
    assert training_probes.read_layer_masks(layers.Dropout(0.0)).all()
    kept = training_probes.read_layer_masks(layers.Dropout(0.5))
    assert abs(kept.mean() - 0.5) < 0.05


@pytest.mark.parametrize("one_hot_input", [True, False])
def test_both_tables_have_as_many_weights_and_train(one_hot_input):
    model = training_probes.build_table(100, one_hot_input)
    assert model.count_params() == 100 * 32 + 33
    assert training_probes.step_milliseconds(100, "sgd", one_hot_input) > 0


def test_plain_gradient_descent_changes_the_rows_used():
    assert training_probes.count_changed_rows("sgd") == 20


def test_mean_cosine_is_that_of_all_pairs():
    vectors = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    expected = (np.sqrt(0.5) + np.sqrt(0.5) + 0) / 3
    assert np.isclose(training_probes.mean_cosine(vectors), expected)
    assert np.isclose(training_probes.mean_cosine(10 * vectors), expected)
    assert training_probes.unit_length(np.zeros((1, 2))).tolist() == [[0, 0]]
