"""Errors: one number per value, per example, or per model and output.

Arrays that do not fit, are empty, or hold NaN or infinity, raise a `ValueError`.
"""

from helpers.checks import check_labels, check_numbers, check_probabilities, check_same

import numpy as np


def squared_errors(target, prediction):
    """Returns the squared differences of two arrays of equal shape, float64."""
    target = check_numbers("target", target)
    prediction = check_numbers("prediction", prediction)
    # Equal sizes are not enough: broadcasting would average over wrong pairs.
    check_same(("shape of target", "of prediction"), (target.shape, prediction.shape))
    errors = np.subtract(target, prediction, dtype="float64")
    return np.square(errors, out=errors)


def mean_squared_error(target, prediction):
    """Returns the mean of all `squared_errors`, a float."""
    return float(squared_errors(target, prediction).mean())


def per_example_error(target, prediction):
    """Returns the mean of the `squared_errors` of each example, `(examples,)`."""
    errors = squared_errors(target, prediction)
    return errors.reshape(len(errors), -1).mean(axis=1)


def accuracy(labels, probabilities):
    """Returns how often the most probable class is the true one, in `[0, 1]`.

    `labels` are integers of shape `(examples,)`; `probabilities`, `(examples,
    classes)`, have the sum 1 in each row.
    """
    axes = ("examples", "classes")
    probabilities = check_probabilities("probabilities", probabilities, axes)
    labels = check_labels("labels", labels, probabilities.shape[1])
    check_same(("length of labels", "rows"), (len(labels), len(probabilities)))
    return float((probabilities.argmax(axis=1) == labels).mean())
