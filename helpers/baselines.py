"""Baselines: what a model without a network achieves, fitted on training data only.

Sequences (`train`, `test`, `series`) have the shape `(examples, time, features)`, as
have predictions, which are float32 arrays; labels are integers of shape `(examples,)`.
Shapes that do not fit, NaN and infinity raise a `ValueError`.
"""

from helpers.checks import check_integer, check_one_feature, check_same, check_series

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier


def constant_prediction(train, test):
    """Predicts the mean of all training values for every value of `test`."""
    return np.full(np.shape(test), np.mean(train, dtype="float64"), "float32")


def mean_prediction(train, test):
    """Predicts for every position (step, feature) its mean over training examples."""
    check_same(("a sequence of train", "of test"), (train.shape[1:], test.shape[1:]))
    mean = train.mean(axis=0, dtype="float64").astype("float32")
    return np.tile(mean, (len(test), 1, 1))


def class_mean_prediction(train, train_labels, test_labels):
    """Predicts the mean training example of the true class, a `KeyError` if it is new.

    This baseline is told the label of each test example, which no autoencoder is: it
    shows what knowing the class alone is worth.
    """
    train_labels = np.asarray(train_labels)
    means = {
        label: train[train_labels == label].mean(axis=0, dtype="float64")
        for label in np.unique(train_labels)
    }
    return np.stack([means[label] for label in test_labels], dtype="float32")


def fit_pca(train, code_size):
    """Fits a principal component analysis, the best linear autoencoder.

    `code_size` is at most the values of a sequence, and at most the examples. Returns a
    `sklearn.decomposition.PCA`, for `pca_encode` and `pca_reconstruct`.

    Reference: Baldi & Hornik, 1989, Neural networks and principal component analysis,
    doi:10.1016/0893-6080(89)90014-2
    """
    code_size = check_integer("code_size", code_size, minimum=1)
    return PCA(code_size, svd_solver="covariance_eigh").fit(flat(train))


def pca_encode(pca, series):
    """Encodes sequences as their components, float64 `(examples, code_size)`."""
    return pca.transform(flat(series))


def pca_reconstruct(pca, series):
    """Encodes sequences with a fitted analysis and decodes them again."""
    decoded = pca.inverse_transform(pca_encode(pca, series))
    return decoded.reshape(series.shape).astype("float32")


def pca_errors(train, test, code_sizes):
    """Returns a dict from code size to the mean squared error of PCA on `test`."""
    check_same(("a sequence of train", "of test"), (train.shape[1:], test.shape[1:]))
    pca = fit_pca(train, max(code_sizes))
    code, deviations = pca_encode(pca, test), flat(test) - pca.mean_
    errors = {}
    for size in code_sizes:  # The first numbers of a long code are a shorter code.
        left_out = deviations - code[:, :size] @ pca.components_[:size]
        errors[size] = float(np.square(left_out).mean())
    return errors


def flat(series):
    """Returns float64 rows; in float32 components of MNIST differ in decimal four."""
    series = check_series("series", series)
    return series.reshape(len(series), -1).astype("float64")


def nearest_neighbour_labels(train_codes, train_labels, test_codes):
    """Predicts the class of the training example whose code, a row, is nearest.

    Reference: Cover & Hart, 1967, Nearest neighbor pattern classification,
    doi:10.1109/TIT.1967.1053964
    """
    return KNeighborsClassifier(1).fit(train_codes, train_labels).predict(test_codes)


def fit_autoregression(train, order):
    """Fits an autoregression of the changes: each is a weighted sum of the last ones.

    One set of weights serves all sequences, `(examples, time, 1)`; there is no
    constant, so that the scale and the level of a sequence do not matter. `order`, at
    most `time - 2`, is how many changes are used. Returns float64 `(order,)`, the last
    change's weight first.

    Reference: Yule, 1927, On a method of investigating periodicities in disturbed
    series, doi:10.1098/rsta.1927.0007
    """
    changes = last_changes(train, order + 1).reshape(-1, order + 1)
    model = LinearRegression(fit_intercept=False)
    return model.fit(changes[:, 1:], changes[:, 0]).coef_


def autoregression_next_steps(weights, series):
    """Predicts after each step the next one with the weights of `fit_autoregression`.

    Step `t` of the result predicts step `t + 1` of `series`, `(examples, time, 1)`.
    Where fewer than `order` changes are known, the prediction is that nothing changes.
    """
    predictions = np.array(series, "float64")
    if len(weights) < predictions.shape[1]:
        changes = last_changes(series, len(weights)) @ weights
        predictions[:, len(weights) :, 0] += changes
    return predictions.astype("float32")


def last_changes(series, number):
    """Returns the last changes at each step, `(examples, time - number, number)`."""
    changes = np.diff(check_one_feature("series", series)[:, :, 0].astype("float64"))
    return np.lib.stride_tricks.sliding_window_view(changes, number, 1)[:, :, ::-1]
