"""Tests of the baselines, with the numbers of the report's reference tables."""

import numpy as np
import pytest

from helpers import baselines, datasets, scores, windows


@pytest.fixture(scope="module")
def mnist():
    return datasets.load_mnist()


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(12, 12))
    train = (rng.normal(size=(300, 12)) @ mixing + 5).reshape(300, 6, 2)
    test = (rng.normal(size=(80, 12)) @ mixing + 5).reshape(80, 6, 2)
    return train.astype("float32"), test.astype("float32")


def split(series):
    splits = windows.split_examples(len(series))
    return series[splits["train"]], series[splits["test"]]


def test_constant_and_mean_are_those_of_training(arrays):
    train, test = arrays
    constant = baselines.constant_prediction(train, test)
    mean = baselines.mean_prediction(train, test)
    assert constant.shape == mean.shape == test.shape
    assert constant.dtype == mean.dtype == np.float32
    np.testing.assert_allclose(constant, train.mean(dtype="float64"), rtol=1e-6)
    np.testing.assert_allclose(mean, np.broadcast_to(train.mean(0), test.shape), 1e-5)
    for predict in (baselines.constant_prediction, baselines.mean_prediction):
        # Only the shape of the test data may count.
        np.testing.assert_array_equal(predict(train, test), predict(train, test + 9))


def test_class_mean_takes_the_label():
    train = np.array([[1, 3], [3, 5], [10, 20]], "float32")[:, :, np.newaxis]
    prediction = baselines.class_mean_prediction(train, [4, 4, 7], [7, 4])
    assert prediction.dtype == np.float32
    assert prediction[:, :, 0].tolist() == [[10, 20], [2, 4]]


def test_class_mean_refuses_labels_that_do_not_fit():
    train = np.ones((3, 2, 1), "float32")
    with pytest.raises(ValueError, match=r"`test_labels` .*Received: \[2\]"):
        baselines.class_mean_prediction(train, [0, 1, 1], [0, 2])
    with pytest.raises(ValueError, match="train_labels.*Received: 3 and 2"):
        baselines.class_mean_prediction(train, [0, 1], [0])


@pytest.mark.parametrize("code_size", [1, 5, 12])
def test_pca_agrees_with_the_singular_vectors(arrays, code_size):
    train, test = arrays
    flat_train = train.reshape(300, 12).astype("float64")
    flat_test = test.reshape(80, 12).astype("float64")
    mean = flat_train.mean(axis=0)
    directions = np.linalg.svd(flat_train - mean)[2][:code_size]
    expected = (flat_test - mean) @ directions.T @ directions + mean
    pca = baselines.fit_pca(train, code_size)
    assert pca.components.shape == (code_size, 12)
    reconstruction = baselines.pca_reconstruct(pca, test)
    assert reconstruction.dtype == np.float32
    np.testing.assert_allclose(reconstruction.reshape(80, 12), expected, atol=1e-4)
    assert baselines.pca_encode(pca, test).shape == (80, code_size)


def test_pca_of_many_examples_does_not_depend_on_the_parts():
    # 4096 examples form one part; 5000 need two.
    series = datasets.uniform_sequences(5000, 8)
    flat = series.reshape(5000, 8).astype("float64")
    variances = np.linalg.eigvalsh(np.cov(flat.T))[::-1]
    code = baselines.pca_encode(baselines.fit_pca(series, 8), series)
    np.testing.assert_allclose(code.var(axis=0, ddof=1), variances, rtol=1e-9)


def test_pca_errors_are_those_of_the_reconstructions(arrays):
    train, test = arrays
    errors = baselines.pca_errors(train, test, [7, 1, 12])
    assert list(errors) == [7, 1, 12]
    for code_size, error in errors.items():
        reconstruction = baselines.pca_reconstruct(
            baselines.fit_pca(train, code_size), test
        )
        expected = scores.mean_squared_error(test, reconstruction)
        assert error == pytest.approx(expected, rel=1e-4, abs=1e-10)


@pytest.mark.parametrize("code_size", [0, 13, 2.0])
def test_pca_refuses_other_code_sizes(arrays, code_size):
    train, test = arrays
    with pytest.raises(ValueError, match="`code_size` should .*Received"):
        baselines.fit_pca(train, code_size)
    with pytest.raises(ValueError, match="`code_sizes` should .*Received"):
        baselines.pca_errors(train, test, [2, code_size])


@pytest.mark.parametrize(
    "predict",
    [
        baselines.constant_prediction,
        baselines.mean_prediction,
        lambda train, test: baselines.pca_errors(train, test, [1]),
        lambda train, test: baselines.pca_reconstruct(
            baselines.fit_pca(train, 1), test
        ),
    ],
)
def test_sequences_of_another_shape_are_refused(arrays, predict):
    train, test = arrays
    # The same number of values, time and features exchanged.
    with pytest.raises(ValueError, match="should agree. Received"):
        predict(train, test.transpose(0, 2, 1))
    test[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="`(test|series)` should hold finite numbers"):
        predict(train, test)


# The standard deviation between forty seeds is 0.4 % for the mean and from 0.6 % to
# 1.7 % for the errors of PCA on uniform data; tolerances are three times the largest.


def test_uniform_references():
    """The table's numbers belong to min-max and a shift, which leaves `[0, 1]`."""
    scaled = windows.min_max_scale(datasets.uniform_sequences())
    shifted = scaled - scaled.mean(axis=1, keepdims=True) + np.float32(0.5)
    train, test = split(shifted)
    mean = baselines.mean_prediction(train, test)
    assert scores.mean_squared_error(test, mean) == pytest.approx(0.0884, rel=0.015)
    errors = baselines.pca_errors(train, test, [16, 32, 40, 45])
    references = {16: 0.0596, 32: 0.0306, 40: 0.0163, 45: 0.0072}
    assert errors == pytest.approx(references, rel=0.05)


@pytest.mark.parametrize("seed", [0, 1])
def test_uniform_references_in_the_unit_range(seed):
    """With `centre_scale` values lie closer together, so all errors are smaller.

    The numbers are means over forty seeds, measured with these helpers.
    """
    series = windows.centre_scale(datasets.uniform_sequences(seed=seed))
    train, test = split(series)
    mean = baselines.mean_prediction(train, test)
    assert scores.mean_squared_error(test, mean) == pytest.approx(0.0787, rel=0.015)
    errors = baselines.pca_errors(train, test, [16, 32, 40, 45, 49])
    references = {16: 0.0530, 32: 0.0273, 40: 0.0145, 45: 0.0064}
    # The mean of each sequence is known, so 49 numbers hold all 50 values.
    assert errors.pop(49) < 1e-12
    assert errors == pytest.approx(references, rel=0.05)


def test_dip_references():
    """The table's numbers belong to the raw values, which lie in `[0, 1]` already."""
    train, test = split(datasets.dip_sequences()[0])
    mean = baselines.mean_prediction(train, test)
    assert scores.mean_squared_error(test, mean) == pytest.approx(0.0801, rel=0.015)
    errors = baselines.pca_errors(train, test, [16, 32, 40, 45, 48])
    references = {16: 0.0433, 32: 0.0165, 40: 0.0056, 45: 0.0017, 48: 0.0004}
    # Between seeds 0.0017 and 0.0004 vary by 3 % and 7 % (standard deviation), and
    # four decimals round them; hence the absolute tolerance.
    assert errors == pytest.approx(references, rel=0.05, abs=1e-4)


def test_mnist_references(mnist):
    train, test = mnist.train_images, mnist.test_images
    constant = baselines.constant_prediction(train, test)
    assert scores.mean_squared_error(test, constant) == pytest.approx(0.0964, abs=1e-4)
    mean = baselines.mean_prediction(train, test)
    assert scores.mean_squared_error(test, mean) == pytest.approx(0.0674, abs=1e-4)
    class_mean = baselines.class_mean_prediction(
        train, mnist.train_labels, mnist.test_labels
    )
    error = scores.mean_squared_error(test, class_mean)
    assert error == pytest.approx(0.0527, abs=3e-4)


def test_mnist_pca_references(mnist):
    references = {8: 0.0376, 16: 0.0269, 32: 0.0169, 64: 0.0092, 128: 0.0043}
    errors = baselines.pca_errors(mnist.train_images, mnist.test_images, references)
    # The references were measured on fewer training images.
    assert errors == pytest.approx(references, rel=0.03)


def test_nearest_neighbour_is_that_of_all_distances():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(300, 3)), rng.normal(size=(1500, 3))
    labels = rng.integers(0, 4, 300)
    distances = ((test[:, np.newaxis] - train) ** 2).sum(axis=2)
    expected = labels[distances.argmin(axis=1)]
    predicted = baselines.nearest_neighbour_labels(train, labels, test)
    np.testing.assert_array_equal(predicted, expected)


@pytest.mark.parametrize(
    ("train_codes", "labels", "test_codes", "message"),
    [
        (np.ones((3, 2)), [0, 1], np.ones((2, 2)), "train_labels.*Received: 3 and 2"),
        (np.ones((3, 2)), [0, 1, 1], np.ones((2, 4)), "Received: 2 and 4"),
        (np.ones((3, 2)), [0, 1, 1], np.full((2, 2), np.nan), "test_codes.*NaN"),
    ],
)
def test_nearest_neighbour_refuses_what_does_not_fit(
    train_codes, labels, test_codes, message
):
    with pytest.raises(ValueError, match=message):
        baselines.nearest_neighbour_labels(train_codes, labels, test_codes)


def autoregressive(num_examples=200, num_steps=100, weights=(0.5, -0.3), seed=0):
    rng = np.random.default_rng(seed)
    changes = rng.normal(size=(num_examples, num_steps))
    for step in range(2, num_steps):
        changes[:, step] += weights[0] * changes[:, step - 1]
        changes[:, step] += weights[1] * changes[:, step - 2]
    return changes.cumsum(axis=1)[:, :, np.newaxis]


def test_autoregression_finds_the_weights_and_beats_persistence():
    train, test = autoregressive(), autoregressive(seed=1)
    weights = baselines.fit_autoregression(train, 3)
    np.testing.assert_allclose(weights, [0.5, -0.3, 0], atol=0.02)
    predicted = baselines.autoregression_next_steps(weights, test)[:, 3:-1]
    error = scores.mean_squared_error(test[:, 4:], predicted)
    persistence = scores.mean_squared_error(test[:, 4:], test[:, 3:-1])
    assert error == pytest.approx(1, rel=0.03)  # The variance of what is new.
    assert persistence > 1.2
    # Neither scale nor level matters, and no two sequences are mixed.
    np.testing.assert_allclose(
        baselines.fit_autoregression(7 + 3 * train, 3), weights, atol=1e-9
    )


def test_autoregression_uses_the_past_only():
    test = autoregressive()[:5]
    weights = np.array([0.5, -0.3, 0.1])
    before = baselines.autoregression_next_steps(weights, test)
    by_hand = test[0, 10] + 0.5 * (test[0, 10] - test[0, 9])
    by_hand = (
        by_hand - 0.3 * (test[0, 9] - test[0, 8]) + 0.1 * (test[0, 8] - test[0, 7])
    )
    assert before[0, 10, 0] == pytest.approx(by_hand[0], abs=1e-5)
    np.testing.assert_array_equal(before[:, :3], test[:, :3].astype("float32"))
    changed = test.copy()
    changed[:, 50] += 9
    after = baselines.autoregression_next_steps(weights, changed)
    np.testing.assert_array_equal(after[:, :50], before[:, :50])
    assert (after[:, 50:54] != before[:, 50:54]).all()
    short = baselines.autoregression_next_steps(weights, test[:, :3])
    np.testing.assert_array_equal(short, test[:, :3].astype("float32"))


def test_hold_last_and_drift():
    series = autoregressive()[:4]
    held = baselines.hold_last(series, 6)
    assert held.shape == (4, 6, 1) and held.dtype == np.float32
    np.testing.assert_allclose(held, np.repeat(series[:, -1:], 6, axis=1), rtol=1e-6)
    drift = np.arange(4.0).reshape(4, 1, 1)
    steps = np.arange(1, 7).reshape(1, 6, 1)
    np.testing.assert_allclose(
        baselines.hold_last(series, 6, drift), held + drift * steps, rtol=1e-5
    )


def test_autoregression_checks_its_arguments():
    with pytest.raises(ValueError, match="`order` should be at most 98"):
        baselines.fit_autoregression(autoregressive(), 99)
    with pytest.raises(ValueError, match="`train` should have one feature"):
        baselines.fit_autoregression(np.zeros((3, 9, 2)), 1)
    with pytest.raises(ValueError, match="`weights`"):
        baselines.autoregression_next_steps(np.zeros((2, 2)), autoregressive())
