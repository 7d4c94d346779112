"""How far to trust a score: the spread of repeated measurements, and the bootstrap.

Intervals are percentile intervals of 95 % (Efron, 1979, doi:10.1214/aos/1176344552).
What is drawn must be independent: examples, stocks or days, not time steps; of fewer
than about ten an interval is too narrow. `seed` is a non-negative integer; equal seeds
give equal intervals. What does not fit, or holds NaN, raises a `ValueError`.
"""

from helpers.checks import check_integer, check_numbers

import numpy as np


def mean_and_spread(values):
    """Returns mean and sample deviation of repeats, `(repeats,)`; NaN for one."""
    values = check_numbers("values", values, ("repeats",)).astype("float64")
    spread = float(values.std(ddof=1)) if len(values) > 1 else np.nan
    return float(values.mean()), spread


def with_spread(values, form="{:.3f}"):
    """Formats `mean_and_spread`; a spread that would look like 0 is given as a limit.

    >>> with_spread([0.52, 0.54, 0.56], "{:.2f}"), with_spread([0.5, 0.5001], "{:.1%}")
    ('0.54 ± 0.02', '50.0% ± <0.1%')
    """
    mean, spread = mean_and_spread(values)
    if np.isnan(spread):
        return form.format(mean)
    shown = form.format(spread)
    if spread > 0 and not set(shown) & set("123456789"):
        shown = "<" + "1".join(shown.rsplit("0", 1))
    return f"{form.format(mean)} ± {shown}"


def bootstrap(resample, seed, num_resamples=2000):
    """Returns the interval `(low, high)` of the numbers of `resample(rng, number)`."""
    rng = np.random.default_rng(check_integer("seed", seed, minimum=0))
    return tuple(np.quantile(resample(rng, num_resamples), [0.025, 0.975]).tolist())


def bootstrap_interval(values, seed, num_resamples=2000):
    """Returns the `bootstrap` interval of the mean of values, `(units,)`."""
    values = check_numbers("values", values, ("units",)).astype("float64")
    size = len(values)
    if size < 2:
        raise ValueError("`values` should hold at least two values. Received: one.")

    def means(rng, num_resamples):
        # One at a time, as all at once would need gigabytes for many values.
        draws = (rng.integers(size, size=size) for _ in range(num_resamples))
        return [values[draw].mean() for draw in draws]

    return bootstrap(means, seed, num_resamples)


def skill_interval(errors, baseline_errors, units, seed):
    """Measures how much smaller an error is than a baseline's: `(skill, low, high)`.

    The skill is 1 less the ratio of the two mean errors: 0 is as good as the baseline,
    1 is perfect, negative is worse. Errors are squared, `(examples,)`; `units`, of the
    same shape, tell the unit of each example, and are drawn with all their examples.
    """
    sums, reference = sum_by_unit(errors, units), sum_by_unit(baseline_errors, units)
    if len(sums) < 2 or reference.min() <= 0:
        raise ValueError(
            "There should be two `units` or more, each with `baseline_errors` above 0. "
            f"Received: {len(sums)}, a smallest sum of {reference.min():.3g}."
        )
    return paired_interval([sums], [reference], reference, seed)


def paired_interval(first, second, baseline, seed):
    """Measures one forecast's skill less another's: `(difference, low, high)`.

    Both get the same units: most of the chance is in which days there are, and cancels
    in the difference. The seeds of each forecast are drawn, too; skills are means over
    seeds.

    Args:
        first, second: Arrays of shape `(seeds, units)`, scores (the smaller, the
            better) as sums over each unit; the numbers of seeds may differ.
        baseline: Array of shape `(units,)`, the sums of the baseline.
    """
    first = check_numbers("first", first, ("seeds", "units"))
    second = check_numbers("second", second, ("seeds", "units"))
    baseline = check_numbers("baseline", baseline, ("units",))
    num_units = len(baseline)
    if {first.shape[1], second.shape[1]} != {num_units} or baseline.sum() <= 0:
        raise ValueError(f"`baseline` should fit and be above 0. Received: {baseline}.")

    def differences(rng, num_resamples):
        draws = rng.multinomial(num_units, [1 / num_units] * num_units, num_resamples)
        totals = []
        for sums in (second, first):
            seeds = rng.integers(len(sums), size=(num_resamples, len(sums)))
            totals.append((draws * sums[seeds].mean(axis=1)).sum(axis=1))
        return (totals[0] - totals[1]) / (draws @ baseline)

    difference = (second.sum(axis=1).mean() - first.sum(axis=1).mean()) / baseline.sum()
    return float(difference), *bootstrap(differences, seed)


def sum_by_unit(values, units):
    """Sums values, `(examples,)`, over each unit, `(units,)` in the units' order."""
    values = check_numbers("values", values, ("examples",))
    return np.bincount(np.unique(units, return_inverse=True)[1], values)
