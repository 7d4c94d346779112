"""Scores: one number per model and output, and how far to trust it."""

import math
import re

import numpy as np

from helpers.checks import (
    check_integer,
    check_labels,
    check_numbers,
    check_probabilities,
    check_same,
    is_number,
)


def mean_squared_error(target, prediction):
    """Averages the squared error over all values.

    Args:
        target: Array of real numbers of any shape.
        prediction: Array of the same shape.

    Returns:
        Float, computed in float64.

    Raises:
        ValueError: If the shapes differ or an array is empty or holds NaN or infinity.
    """
    return float(squared_errors(target, prediction).mean())


def per_example_error(target, prediction):
    """Averages the squared error over the values of each example.

    Args:
        target: Array of real numbers, shape `(examples, ...)`.
        prediction: Array of the same shape.

    Returns:
        float64 array of shape `(examples,)`. Its mean is `mean_squared_error`.

    Raises:
        ValueError: If the shapes differ or an array is empty or holds NaN or infinity.
    """
    errors = squared_errors(target, prediction)
    return errors.reshape(len(errors), -1).mean(axis=1)


def squared_errors(target, prediction):
    """Squares the difference of two checked arrays, value by value.

    Args:
        target: Array of real numbers, at least one axis.
        prediction: Array of the same shape.

    Returns:
        float64 array of the same shape.

    Raises:
        ValueError: If the shapes differ or an array is empty or holds NaN or infinity.
    """
    target = np.atleast_1d(check_numbers("target", target))
    prediction = np.atleast_1d(check_numbers("prediction", prediction))
    # Equal sizes are not enough: broadcasting would average over wrong pairs.
    check_same(
        ("shape of target", "shape of prediction"), (target.shape, prediction.shape)
    )
    errors = np.subtract(target, prediction, dtype="float64")
    return np.square(errors, out=errors)


def accuracy(labels, probabilities):
    """Counts how often the most probable class is the true one.

    Args:
        labels: Integer array of shape `(examples,)`, the true classes.
        probabilities: Array of shape `(examples, classes)`, each row with the sum 1.

    Returns:
        Float in `[0, 1]`.

    Raises:
        ValueError: If the lengths differ, a label is no column of `probabilities`, or
            a row of `probabilities` is no distribution.
    """
    probabilities = check_probabilities(
        "probabilities", probabilities, ("examples", "classes")
    )
    labels = check_labels("labels", labels, probabilities.shape[1])
    check_same(
        ("length of labels", "length of probabilities"),
        (len(labels), len(probabilities)),
    )
    return float((probabilities.argmax(axis=1) == labels).mean())


def confusion_matrix(labels, predicted, num_classes):
    """Counts the examples of each true class by the class predicted for them.

    Args:
        labels: Integer array of shape `(examples,)`, the true classes.
        predicted: Integer array of shape `(examples,)`, the predicted classes.
        num_classes: Positive integer, number of classes.

    Returns:
        int64 array of shape `(num_classes, num_classes)`: rows are true classes,
        columns are predicted classes.

    Raises:
        ValueError: If the lengths differ or a class is out of range.

    Example:

    >>> confusion_matrix([0, 0, 1], [0, 1, 1], num_classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    num_classes = check_integer("num_classes", num_classes, minimum=1)
    labels = check_labels("labels", labels, num_classes)
    predicted = check_labels("predicted", predicted, num_classes)
    check_same(
        ("length of labels", "length of predicted"), (len(labels), len(predicted))
    )
    counts = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def mean_and_spread(values):
    """Summarises repeated measurements, for instance one per seed or fold.

    Args:
        values: Array of real numbers, shape `(repeats,)`.

    Returns:
        Tuple of floats `(mean, spread)`; `spread` is the sample standard deviation
        (divided by `repeats - 1`), NaN for a single value, which shows no spread.

    Raises:
        ValueError: If `values` is empty, not one-dimensional or holds NaN or infinity.
    """
    values = check_numbers("values", values, ("repeats",)).astype("float64")
    spread = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    return float(values.mean()), spread


def with_spread(values, form="{:.3f}"):
    """Formats repeated measurements as mean ± spread, see `mean_and_spread`.

    Args:
        values: Array of real numbers, shape `(repeats,)`.
        form: String, the format of a number.

    Returns:
        String; of a single value without spread. A spread that is not 0 but would be
        printed as 0 is given as less than the last digit.

    Raises:
        ValueError: As `mean_and_spread`.

    Example:

    >>> with_spread([0.52, 0.54, 0.56], "{:.2f}"), with_spread([0.5, 0.5001], "{:.1%}")
    ('0.54 ± 0.02', '50.0% ± <0.1%')
    """
    mean, spread = mean_and_spread(values)
    if math.isnan(spread):
        return form.format(mean)
    shown = form.format(spread)
    if spread > 0 and not re.search("[1-9]", shown):
        whole, _, last = shown.rpartition("0")
        shown = f"<{whole}1{last}"
    return f"{form.format(mean)} ± {shown}"


def bootstrap_interval(values, seed, num_resamples=2000, level=0.95):
    """Estimates an interval for the mean by resampling (percentile bootstrap).

    The values must be independent of each other: one per example, stock or block, not
    one per time step. With fewer than about ten values the interval is too narrow.

    Args:
        values: Array of real numbers, shape `(units,)`, at least two.
        seed: Non-negative integer; equal seeds give equal intervals.
        num_resamples: Positive integer, number of resampled means.
        level: Float between 0 and 1, share of the resampled means inside.

    Returns:
        Tuple of floats `(low, high)`.

    Raises:
        ValueError: If `values` has fewer than two values, another number of axes, NaN
            or infinity, or if another argument is out of range.

    Reference:
        Efron, 1979, Bootstrap methods: another look at the jackknife. The Annals of
        Statistics 7(1), doi:10.1214/aos/1176344552
    """
    values = check_numbers("values", values, ("units",)).astype("float64")
    if len(values) < 2:
        raise ValueError("`values` should hold at least two values. Received: one.")
    seed = check_integer("seed", seed, minimum=0)
    num_resamples = check_integer("num_resamples", num_resamples, minimum=1)
    if not is_number(level) or not 0 < level < 1:
        raise ValueError(f"`level` should be between 0 and 1. Received: {level!r}.")
    rng = np.random.default_rng(seed)
    # One resample at a time, as all at once would need gigabytes for many values.
    means = [
        values[rng.integers(len(values), size=len(values))].mean()
        for _ in range(num_resamples)
    ]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def skill_interval(errors, baseline_errors, units, seed, num_resamples=2000):
    """Measures how much smaller an error is than a baseline's, with a 95 % interval.

    The skill is 1 less the ratio of the two mean errors: 0 is as good as the baseline,
    1 is perfect, negative is worse. Units are resampled with all their examples, as
    examples of one unit (windows of one stock) are alike.

    Args:
        errors: Array of real numbers, shape `(examples,)`, squared errors.
        baseline_errors: Array of shape `(examples,)`, those of the baseline on the
            same examples.
        units: Array of shape `(examples,)`, the unit of each example, for instance
            the number of its stock; at least two units.
        seed: Non-negative integer; equal seeds give equal intervals.
        num_resamples: Positive integer, number of resampled skills.

    Returns:
        Tuple of floats `(skill, low, high)`.

    Raises:
        ValueError: If lengths differ, there is one unit only, the baseline has no
            error in a unit, or an array holds NaN or infinity.

    Reference:
        Efron, 1979, Bootstrap methods: another look at the jackknife. The Annals of
        Statistics 7(1), doi:10.1214/aos/1176344552
    """
    errors = check_numbers("errors", errors, ("examples",)).astype("float64")
    baseline_errors = check_numbers("baseline_errors", baseline_errors, ("examples",))
    units = check_numbers("units", units, ("examples",))
    for name, values in (("baseline_errors", baseline_errors), ("units", units)):
        check_same(
            ("length of errors", f"length of {name}"), (len(errors), len(values))
        )
    seed = check_integer("seed", seed, minimum=0)
    num_resamples = check_integer("num_resamples", num_resamples, minimum=1)
    _, codes = np.unique(units, return_inverse=True)
    sums = np.bincount(codes, errors)
    baseline_sums = np.bincount(codes, baseline_errors)
    if len(sums) < 2:
        raise ValueError("`units` should hold at least two units. Received: one.")
    if not (baseline_sums > 0).all():
        raise ValueError(
            "`baseline_errors` should be above 0 in each unit. "
            f"Received: a smallest sum of {baseline_sums.min():.3g}."
        )
    rng = np.random.default_rng(seed)
    # How often each unit is drawn.
    draws = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), num_resamples)
    skills = 1 - (draws @ sums) / (draws @ baseline_sums)
    low, high = np.quantile(skills, [0.025, 0.975])
    return float(1 - sums.sum() / baseline_sums.sum()), float(low), float(high)
