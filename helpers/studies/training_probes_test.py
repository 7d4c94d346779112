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


def test_gap_of_a_layer_that_is_the_same_in_predict():
    assert training_probes.mode_gap(layers.Dense(2), 500) < 1e-5
    assert training_probes.mode_gap(layers.BatchNormalization(), 500) > 0.5


def test_interval_holds_the_mean_and_narrows_without_noise():
    values = np.random.default_rng(0).normal(1.0, 1.0, (2, 5000))
    mean, low, high = training_probes.interval(values)
    assert low < 1 < high and np.isclose(mean, values.mean())
    assert training_probes.interval(np.ones((3, 200))) == (1.0, 1.0, 1.0)
    assert training_probes.as_text((0.1, 0.05, 0.2)) == "+10.00% (+5.00% to +20.00%)"


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


def test_table_has_a_row_per_word_and_trains():
    assert training_probes.build_table(100).count_params() == 100 * 32 + 33
    assert training_probes.step_milliseconds(100, "sgd") > 0


def test_plain_gradient_descent_changes_the_rows_used():
    assert training_probes.count_changed_rows("sgd") == 20


def test_mean_cosine_is_that_of_all_pairs():
    vectors = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    expected = (np.sqrt(0.5) + np.sqrt(0.5) + 0) / 3
    assert np.isclose(training_probes.mean_cosine(vectors), expected)
    assert np.isclose(training_probes.mean_cosine(10 * vectors), expected)
    assert training_probes.unit_length(np.zeros((1, 2))).tolist() == [[0, 0]]
