"""Tests of the baselines, with the numbers of the report's reference tables."""

from helpers import baselines, datasets, scores, windows

import numpy as np
import pytest


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(12, 12))
    train = (rng.normal(size=(300, 12)) @ mixing + 5).reshape(300, 6, 2)
    test = (rng.normal(size=(80, 12)) @ mixing + 5).reshape(80, 6, 2)
    return train.astype("float32"), test.astype("float32")


def test_constant_and_mean_are_those_of_training(arrays):
    train, test = arrays
    constant = baselines.constant_prediction(train, test)
    mean = baselines.mean_prediction(train, test)
    assert constant.shape == mean.shape == test.shape
    assert constant.dtype == mean.dtype == np.float32
    np.testing.assert_allclose(constant, train.mean(dtype="float64"), rtol=1e-6)
    np.testing.assert_allclose(mean, np.broadcast_to(train.mean(0), test.shape), 1e-5)


def test_class_mean_takes_the_label():
    train = np.array([[1, 3], [3, 5], [10, 20]], "float32")[:, :, np.newaxis]
    prediction = baselines.class_mean_prediction(train, [4, 4, 7], [7, 4])
    assert prediction.dtype == np.float32
    assert prediction[:, :, 0].tolist() == [[10, 20], [2, 4]]
    with pytest.raises(KeyError, match="2"):
        baselines.class_mean_prediction(train, [4, 4, 7], [7, 2])


def test_pca_agrees_with_the_singular_vectors(arrays):
    train, test = arrays
    flat_train = train.reshape(300, 12).astype("float64")
    mean = flat_train.mean(axis=0)
    directions = np.linalg.svd(flat_train - mean)[2]
    errors = baselines.pca_errors(train, test, [7, 1, 12])
    for code_size, error in errors.items():
        pca = baselines.fit_pca(train, code_size)
        code = (test.reshape(80, 12) - mean) @ directions[:code_size].T
        encoded = baselines.pca_encode(pca, test)
        np.testing.assert_allclose(np.abs(encoded), np.abs(code), atol=1e-5)
        expected = (code @ directions[:code_size] + mean).reshape(80, 6, 2)
        reconstruction = baselines.pca_reconstruct(pca, test)
        assert reconstruction.dtype == np.float32
        np.testing.assert_allclose(reconstruction, expected, atol=1e-5)
        assert error == pytest.approx(np.square(test - expected).mean(), abs=1e-10)


def test_what_does_not_fit_is_refused(arrays):
    train, test = arrays
    for code_size in (0, 13, 0.9):
        with pytest.raises(ValueError, match="code_size|n_components"):
            baselines.pca_errors(train, test, [code_size])
    other = test.transpose(0, 2, 1)  # The same number of values.
    with pytest.raises(ValueError, match="should agree. Received"):
        baselines.mean_prediction(train, other)
    with pytest.raises(ValueError, match="should agree. Received"):
        baselines.pca_errors(train, other, [1])
    with pytest.raises(ValueError, match="`series` should hold finite numbers"):
        baselines.pca_errors(train, np.full_like(test, np.nan), [1])


# The errors vary by up to 1.7 % between seeds, by 7 % where four decimals round them.
UNIFORM = {0: 0.0787, 16: 0.0530, 32: 0.0273, 40: 0.0145, 45: 0.0064, 49: 0.0}
DIP = {0: 0.0801, 16: 0.0433, 32: 0.0165, 40: 0.0056, 45: 0.0017, 48: 0.0004}


@pytest.mark.parametrize(
    "series, references",
    [
        # The mean of each sequence is known, so 49 numbers hold all 50 values.
        (lambda: windows.centre_scale(datasets.uniform_sequences()), UNIFORM),
        (lambda: datasets.dip_sequences()[0], DIP),
    ],
)
def test_synthetic_references(series, references):
    series = series()
    rows = windows.split_examples(len(series))
    train, test = series[rows["train"]], series[rows["test"]]
    errors = baselines.pca_errors(train, test, list(references)[1:])
    assert errors.get(49, 0) < 1e-12
    errors[0] = scores.mean_squared_error(test, baselines.mean_prediction(train, test))
    assert errors == pytest.approx(references, rel=0.05, abs=1e-4)


def test_mnist_references():
    mnist = datasets.load_mnist()
    train, test = mnist.train_images, mnist.test_images
    labels = mnist.train_labels, mnist.test_labels
    for reference, prediction in {
        0.0964: baselines.constant_prediction(train, test),
        0.0674: baselines.mean_prediction(train, test),
        0.0527: baselines.class_mean_prediction(train, *labels),
    }.items():
        error = scores.mean_squared_error(test, prediction)
        assert error == pytest.approx(reference, abs=3e-4)
    # The references were measured on fewer training images.
    references = {8: 0.0376, 16: 0.0269, 32: 0.0169, 64: 0.0092, 128: 0.0043}
    errors = baselines.pca_errors(train, test, references)
    assert errors == pytest.approx(references, rel=0.03)


@pytest.mark.parametrize("size", [3, 30])  # By a tree, and by all distances.
def test_nearest_neighbour_is_that_of_all_distances(size):
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(300, size)), rng.normal(size=(1500, size))
    labels = rng.integers(0, 4, 300)
    nearest = ((test[:, np.newaxis] - train) ** 2).sum(axis=2).argmin(axis=1)
    predicted = baselines.nearest_neighbour_labels(train, labels, test)
    np.testing.assert_array_equal(predicted, labels[nearest])


def autoregressive(seed=0):
    rng = np.random.default_rng(seed)
    changes = rng.normal(size=(200, 100))
    for step in range(2, 100):
        changes[:, step] += 0.5 * changes[:, step - 1] - 0.3 * changes[:, step - 2]
    return changes.cumsum(axis=1)[:, :, np.newaxis]


def test_autoregression_finds_the_weights_and_beats_persistence():
    train, test = autoregressive(), autoregressive(seed=1)
    weights = baselines.fit_autoregression(train, 3)
    np.testing.assert_allclose(weights, [0.5, -0.3, 0], atol=0.02)
    predicted = baselines.autoregression_next_steps(weights, test)[:, 3:-1]
    error = scores.mean_squared_error(test[:, 4:], predicted)
    assert error == pytest.approx(1, rel=0.03)  # The variance of what is new.
    assert scores.mean_squared_error(test[:, 4:], test[:, 3:-1]) > 1.2
    rescaled = baselines.fit_autoregression(7 + 3 * train, 3)
    np.testing.assert_allclose(rescaled, weights, atol=1e-9)
    # There is no constant: a line goes on because its last change does.
    line = np.arange(9.0).reshape(1, 9, 1)
    assert baselines.fit_autoregression(line, 1) == pytest.approx([1])


def test_autoregression_uses_the_past_only():
    test = autoregressive()[:5]
    weights = np.array([0.5, -0.3, 0.1])
    before = baselines.autoregression_next_steps(weights, test)
    by_hand = test[0, 10, 0] + weights @ np.diff(test[0, 7:11, 0])[::-1]
    assert before[0, 10, 0] == pytest.approx(by_hand, abs=1e-5)
    np.testing.assert_array_equal(before[:, :3], test[:, :3].astype("float32"))
    changed = test.copy()
    changed[:, 50] += 9
    after = baselines.autoregression_next_steps(weights, changed)
    np.testing.assert_array_equal(after[:, :50], before[:, :50])
    assert (after[:, 50:54] != before[:, 50:54]).all()
    short = baselines.autoregression_next_steps(weights, test[:, :3])
    np.testing.assert_array_equal(short, test[:, :3].astype("float32"))


def test_autoregression_checks_its_arguments():
    for order in (0, 99, 100):
        with pytest.raises(ValueError):
            baselines.fit_autoregression(autoregressive(), order)
    with pytest.raises(ValueError, match="should have one feature"):
        baselines.fit_autoregression(np.zeros((3, 9, 2)), 1)
