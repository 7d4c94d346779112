"""Selection of hyper-parameters by cross-validation."""

import hashlib
import json
import math

from helpers.checks import check_integer
from helpers.scores.intervals import mean_and_spread
from helpers.training.fitting import fit_all

import pandas as pd


def one_at_a_time(base, sweeps):
    """Varies one hyper-parameter at a time around a base configuration.

    Of four hyper-parameters with four values each, a full grid has 256 configurations,
    this has 13. Interactions between hyper-parameters stay unseen.

    Args:
        base: Dict from hyper-parameter to its value in the base configuration.
        sweeps: Dict from hyper-parameter, a key of `base`, to a list of its values.

    Returns:
        List of dicts: `base`, then `base` with one value changed, none twice.

    Raises:
        ValueError: If a key of `sweeps` is not in `base`.

    Example:

    >>> one_at_a_time({"units": 64, "rate": 0.1}, {"units": [32, 64], "rate": [1.0]})
    [{'units': 64, 'rate': 0.1}, {'units': 32, 'rate': 0.1}, {'units': 64, 'rate': 1.0}]
    """
    configurations = [dict(base)]
    for parameter, values in sweeps.items():
        if parameter not in base:
            raise ValueError(
                f"`sweeps` should have keys of `base`, which are {', '.join(base)}. "
                f"Received: {parameter!r}."
            )
        for value in values:
            configuration = {**base, parameter: value}
            if configuration not in configurations:
                configurations.append(configuration)
    return configurations


def cross_validate(arguments_of, configurations, num_folds, *, name):
    """Trains and scores each configuration on each fold, or reads what is recorded.

    Each model is a run like any other, of which the weights are not kept.

    Args:
        arguments_of: Function from `(configuration, fold)` to a dict of arguments of
            `fit`, without `name`. Its `score` says what is recorded; by default it is
            the last value of each loss and metric.
        configurations: List of dicts with the same keys and values for JSON.
        num_folds: Positive integer; `fold` runs from 0 to `num_folds - 1`.
        name: String, the name of all together.

    Returns:
        `pandas.DataFrame`, one row per configuration and fold, in that order, with the
        keys of the configurations, `fold`, the scores (`None` if a model lacks one),
        `history` (a dict of lists) and `seconds` as columns.

    Raises:
        ValueError: If a score has the name of a hyper-parameter; see also `fit`.
        RuntimeError: See `fit`.
    """
    num_folds = check_integer("num_folds", num_folds, minimum=1)
    models = [
        (configuration, fold)
        for configuration in configurations
        for fold in range(num_folds)
    ]
    runs = fit_all(
        [
            arguments_of(dict(configuration), fold)
            | {"name": f"{name}/{key_of(configuration, fold)}", "keep_model": False}
            for configuration, fold in models
        ],
        name,
    )
    scores = {name for run in runs for name in run.scores}
    taken = scores & {*configurations[0], "fold", "seconds", "history"}
    if taken:
        raise ValueError(
            "`score` should use other names than the hyper-parameters, fold, history "
            f"and seconds. Received: {', '.join(sorted(taken))}."
        )
    seconds = sum(run.seconds for run in runs)
    print(f"{name}: {len(runs)} models, trained in {seconds:.0f} s", flush=True)
    rows = [
        configuration
        | {"fold": fold}
        | run.scores
        | {"history": run.history, "seconds": run.seconds}
        for (configuration, fold), run in zip(models, runs, strict=True)
    ]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: to_column([row.get(name) for row in rows]) for name in names}
    return pd.DataFrame(columns)


def key_of(configuration, fold):
    """Returns a short name of a model of a cross-validation."""
    text = json.dumps([configuration, fold], sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:10]}_{fold}"


def to_column(values):
    """Makes a column in which `None` stays `None` and an integer stays an integer."""
    one_type = {type(value) for value in values} in ({int}, {float}, {bool})
    return pd.Series(values, dtype=None if one_type else object)


def summarise(table, score, parameters):
    """Averages a score over the folds of each configuration.

    Args:
        table: `pandas.DataFrame` from `cross_validate`.
        score: String, name of the column of the score; the lower, the better.
        parameters: List of strings, names of the columns of the hyper-parameters.

    Returns:
        `pandas.DataFrame`, one row per configuration, with the columns `parameters`,
        `mean`, `spread` (sample standard deviation over folds) and `folds` (their
        number). The lowest mean comes first, NaN (of a diverged fold) last.
    """
    parameters = list(parameters)
    groups = {}
    for configuration, value in zip(
        table[parameters].to_dict("records"), table[score], strict=True
    ):
        group = groups.setdefault(json.dumps(configuration), (configuration, []))
        group[1].append(float(value))
    rows = []
    for configuration, values in groups.values():
        mean, spread = math.nan, math.nan
        if all(map(math.isfinite, values)):
            mean, spread = mean_and_spread(values)
        counted = {"mean": mean, "spread": spread, "folds": len(values)}
        rows.append({**configuration, **counted})
    columns = {name: to_column([row[name] for row in rows]) for name in rows[0]}
    summary = pd.DataFrame(columns)
    return summary.sort_values("mean", kind="stable", ignore_index=True)
