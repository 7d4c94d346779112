import keras
import numpy as np
import pytest
from keras import ops
from scipy import special, stats

from helpers import counts

MAX_COUNT = 10


def softplus(value):
    return np.log1p(np.exp(value))


def truncated(law, first=0):
    weights = law.pmf(np.arange(first, MAX_COUNT + 1))
    return weights / weights.sum()


def negative_binomial(raw_mean, raw_size):
    mean = softplus(raw_mean) + counts.LEAST_MEAN
    size = softplus(raw_size) + counts.LEAST_SIZE
    return stats.nbinom(size, size / (size + mean))


def scipy_law(kind, raw):
    if kind == "softmax":
        return special.softmax(raw)
    if kind == "poisson":
        return truncated(stats.poisson(softplus(raw[0]) + counts.LEAST_MEAN))
    law = negative_binomial(*raw[-2:])
    if kind == "negative_binomial":
        return truncated(law)
    share = special.expit(raw[0])
    if kind == "hurdle":
        return np.concatenate([[1 - share], share * truncated(law, first=1)])
    zeros = np.zeros(MAX_COUNT + 1)
    zeros[0] = share
    return zeros + (1 - share) * truncated(law)


@pytest.mark.parametrize("kind", counts.NUM_PARAMETERS)
def test_distribution_equals_scipys(kind):
    num_parameters = counts.NUM_PARAMETERS[kind] or MAX_COUNT + 1
    raw = np.random.default_rng(0).normal(scale=2, size=(50, num_parameters))
    layer = counts.CountDistribution(kind, MAX_COUNT)
    computed = ops.convert_to_numpy(layer(raw.astype("float32")))
    expected = np.array([scipy_law(kind, row) for row in raw.astype("float32")])
    assert np.allclose(computed, expected, atol=2e-6)
    assert np.allclose(computed.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", counts.NUM_PARAMETERS)
def test_head_starts_with_the_frequencies_and_is_saved(kind, tmp_path):
    frequencies = counts.count_frequencies([0] * 95 + [1, 1, 2, 3, 8], MAX_COUNT)
    keras.utils.set_random_seed(0)
    code = keras.Input((4,))
    model = keras.Model(code, counts.predict_counts(code, frequencies, kind))
    codes = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    first = model.predict(codes * 0, verbose=0)
    if kind in ("softmax", "hurdle"):  # The others have no number for the zeros alone.
        assert first[:, 0] == pytest.approx(frequencies[0], abs=1e-4)
    expected = frequencies @ np.arange(MAX_COUNT + 1)
    assert counts.mean_count(first)[0] == pytest.approx(expected, rel=0.15)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.allclose(
        loaded.predict(codes, verbose=0), model.predict(codes, verbose=0), atol=1e-6
    )


def test_log_score_finds_the_law():
    """Trained by cross-entropy on draws of a law, a head becomes that law."""
    law = scipy_law("hurdle", np.array([-1.0, 0.5, 0.3]))
    drawn = np.random.default_rng(0).choice(MAX_COUNT + 1, size=4096, p=law)
    keras.utils.set_random_seed(0)
    code = keras.Input((1,))
    head = counts.predict_counts(code, np.full(MAX_COUNT + 1, 1 / 11), "hurdle")
    model = keras.Model(code, head)
    model.compile(keras.optimizers.Adam(0.05), "categorical_crossentropy")
    ones, targets = np.ones((4096, 1)), np.eye(MAX_COUNT + 1)[drawn]
    model.fit(ones, targets, batch_size=512, epochs=25, verbose=0)
    seen = np.bincount(drawn, minlength=MAX_COUNT + 1) / len(drawn)
    assert np.abs(model.predict(ones[:1], verbose=0)[0] - seen).max() < 0.02


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


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: counts.CountDistribution("normal", 10), "`kind`.*'normal'"),
        (lambda: counts.CountDistribution("poisson", 0), "`max_count`.*Received: 0"),
        (lambda: counts.CountDistribution("hurdle", 10)(np.ones((2, 2))), "batch, 3"),
        (lambda: counts.starting_biases([0.5, 0.5], "normal"), "`kind`"),
        (lambda: counts.starting_biases([1.0, 0.0], "softmax"), "positive"),
        (lambda: counts.count_frequencies([11], 10), "range 0 to 10"),
    ],
)
def test_faulty_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
