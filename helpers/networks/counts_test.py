from helpers.networks import counts

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special, stats

MAX_COUNT = 10


def truncated(distribution, first=0):
    weights = distribution.pmf(np.arange(first, MAX_COUNT + 1))
    return weights / weights.sum()


def scipy_distribution(kind, raw):
    if kind == "softmax":
        return special.softmax(raw)
    positive = np.log1p(np.exp(raw))
    if kind == "poisson":
        return truncated(stats.poisson(positive[0] + counts.LEAST_MEAN))
    mean, size = positive[-2:] + [counts.LEAST_MEAN, counts.LEAST_SIZE]
    distribution = stats.nbinom(size, size / (size + mean))
    if kind == "negative_binomial":
        return truncated(distribution)
    share = special.expit(raw[0])
    if kind == "hurdle":
        events = truncated(distribution, first=1)
        return np.concatenate([[1 - share], share * events])
    return share * np.eye(MAX_COUNT + 1)[0] + (1 - share) * truncated(distribution)


@pytest.mark.parametrize("kind", counts.NUM_PARAMETERS)
def test_distribution_equals_scipys(kind):
    num_parameters = counts.NUM_PARAMETERS[kind] or MAX_COUNT + 1
    raw = np.random.default_rng(0).normal(scale=2, size=(50, num_parameters))
    layer = counts.CountDistribution(kind, MAX_COUNT)
    computed = ops.convert_to_numpy(layer(raw.astype("float32")))
    expected = [scipy_distribution(kind, row) for row in raw.astype("float32")]
    np.testing.assert_allclose(computed, expected, atol=2e-6)
    np.testing.assert_allclose(computed.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", counts.NUM_PARAMETERS)
def test_head_starts_with_the_frequencies(kind):
    frequencies = counts.count_frequencies([0] * 95 + [1, 1, 2, 3, 8], MAX_COUNT)
    code = keras.Input((4,))
    model = keras.Model(code, counts.predict_counts(code, frequencies, kind))
    first = model.predict(np.zeros((1, 4)), verbose=0)
    if kind in ("softmax", "hurdle"):  # The others have no number for the zeros alone.
        assert first[0, 0] == pytest.approx(frequencies[0], abs=1e-4)
    expected = frequencies @ np.arange(MAX_COUNT + 1)
    assert counts.mean_count(first)[0] == pytest.approx(expected, rel=0.15)


def test_losses_by_hand():
    target = np.array([[0.0], [2.0], [0.0], [4.0]], "float32")
    prediction = np.array([[9.0], [1.0], [9.0], [1.0]], "float32")
    error = counts.event_squared_error(target, prediction)
    assert float(error) == pytest.approx((1 + 9) / 2)
    assert float(counts.event_squared_error(target * 0, prediction)) == 0
    events = np.array([[1.0], [0.0]], "float32")
    halves = np.full((2, 1), 0.5, "float32")
    losses = counts.balanced_crossentropy(0.1)(events, halves)
    expected = np.log(2) * np.array([5, 0.5 / 0.9])
    assert ops.convert_to_numpy(losses) == pytest.approx(expected)


def test_frequencies_and_shapes():
    assert counts.count_frequencies([0, 0, 0, 1], 1).tolist() == [0.75, 0.25]
    assert counts.count_frequencies([0, 0], 1).tolist() == [0.8, 0.2]
    with pytest.raises(ValueError, match="range 0 to 10"):
        counts.count_frequencies([11], 10)
    with pytest.raises(ValueError, match="to have value 3.*shape.*2, 2"):
        counts.CountDistribution("hurdle", 10)(np.ones((2, 2)))
