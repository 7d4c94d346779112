"""Selection of hyper-parameters by cross-validation, resumable and shared by processes.

Each (configuration, fold) is one model. Its scores are kept in one text file, a line
per model, which is committed; a model whose line is there is not trained again. The
models that are missing are trials of an Optuna study, whose journal tells several
processes who works on what. The journal may be deleted at any time.
"""

import ast
import contextlib
import copy
import datetime
import hashlib
import inspect
import json
import math
import os
import pathlib
import textwrap
import time

import numpy as np
import optuna
import pandas as pd
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import TrialState

from helpers import retraining
from helpers.checks import check_integer, check_table
from helpers.files import write_file
from helpers.progress import Progress
from helpers.scores import mean_and_spread

RECORD_KEYS = {"configuration", "fold", "num_folds", "settings", "scores", "seconds"}


def one_at_a_time(base, sweeps):
    """Varies one hyper-parameter at a time around a base configuration.

    A full grid of four hyper-parameters with four values each has 256 configurations;
    this has 13 if the values of the base are among them, and each shows the effect of
    one change. Interactions between hyper-parameters stay unseen.

    Args:
        base: Dict from hyper-parameter to its value in the base configuration.
        sweeps: Dict from hyper-parameter, a key of `base`, to a list of its values.
            The value of `base` may be among them.

    Returns:
        List of dicts with the keys of `base`: `base` first, then `base` with one
        value changed, in the order of `sweeps`, none twice.

    Raises:
        ValueError: If `base` is empty, or a key of `sweeps` is not in `base` or has
            no values.

    Example:

    >>> one_at_a_time({"units": 64, "rate": 0.1}, {"units": [32, 64], "rate": [1.0]})
    [{'units': 64, 'rate': 0.1}, {'units': 32, 'rate': 0.1}, {'units': 64, 'rate': 1.0}]
    """
    if not isinstance(base, dict) or not base:
        raise ValueError(
            f"`base` should be a dict with a hyper-parameter or more. Received: {base}."
        )
    configurations = [dict(base)]
    for parameter, values in dict(sweeps).items():
        if parameter not in base:
            raise ValueError(
                f"`sweeps` should have keys of `base`, which are {', '.join(base)}. "
                f"Received: {parameter!r}."
            )
        if isinstance(values, str) or not np.iterable(values) or not len(values):
            raise ValueError(
                f"`sweeps` should give a list of values for {parameter!r}. "
                f"Received: {values!r}."
            )
        for value in values:
            configuration = {**base, parameter: value}
            if configuration not in configurations:
                configurations.append(configuration)
    return configurations


def cross_validate(
    evaluate,
    configurations,
    num_folds,
    *,
    name,
    folder,
    settings,
    max_models=30,
):
    """Scores each configuration on each fold, and keeps what is scored.

    The scores of a model are written to `folder/name.jsonl` as soon as it is
    evaluated, so that a call that was cut off continues where it stopped, and a call
    with nothing left to do only reads. A score is used again only if configuration,
    fold, number of folds and settings are those it was made with. Several processes
    may make the same call at the same time: each takes the next model that nobody
    works on. Only at the end may one be evaluated twice, since nobody can tell a
    process that is busy from one that was killed.

    The environment variable `RETRAIN` overrules this: with `all` each model is
    evaluated anew, with `1` unless the recorded ones took more than a quarter of an
    hour together, with `never` none is, see `retraining.retrain_switch`.

    Args:
        evaluate: Function from `(configuration, fold)` to a dict from score name to
            number, or to a list of numbers, for instance one per day or epoch. A number
            may be NaN or infinite: the training diverged. The first is a number.
        configurations: List of dicts with the same keys; values are numbers, strings,
            booleans, `None`, or lists or dicts of these.
        num_folds: Positive integer; `fold` runs from 0 to `num_folds - 1`.
        name: String, name of the files and of the study.
        folder: Path of the folder for the files; it is made if need be.
        settings: Dict of everything else that the scores depend on: epochs, seed, the
            checksum of the data, ...
        max_models: Positive integer, how many models a call may ask for.

    Returns:
        `pandas.DataFrame`, one row per configuration and fold, in that order, with
        the keys of the configurations, `fold`, the names of the scores and `seconds`
        as columns.

    Raises:
        ValueError: If more than `max_models` models are asked for, an argument is not
            as described, or `evaluate` returns something else than scores.
        RuntimeError: If `RETRAIN` is `never` and a model has no scores.

    Reference:
        Akiba, Sano, Yanase, Ohta & Koyama, 2019, Optuna: a next-generation
        hyperparameter optimization framework. KDD, doi:10.1145/3292500.3330701
    """
    configurations = check_configurations(configurations)
    num_folds = check_integer("num_folds", num_folds, minimum=1)
    num_models = len(configurations) * num_folds
    if num_models > check_integer("max_models", max_models, minimum=1):
        raise ValueError(
            f"`configurations` and `num_folds` should ask for at most {max_models} "
            f"models. Received: {len(configurations)} x {num_folds} = {num_models}."
        )
    if not name or pathlib.Path(name).name != name:
        raise ValueError(f"`name` should be the name of a file. Received: {name!r}.")
    settings = to_plain("settings", settings)
    models = {}
    for configuration in configurations:
        for fold in range(num_folds):
            model = {
                "configuration": configuration,
                "fold": fold,
                "num_folds": num_folds,
                "settings": settings,
            }
            models[fingerprint(model)] = model

    path = pathlib.Path(folder, f"{name}.jsonl")
    retrain = retraining.retrain_switch(path)
    since = retrain if isinstance(retrain, datetime.datetime) else None
    records = {} if since else read_records(path)
    missing = [key for key in models if key not in records]
    if missing and retrain == "never":
        first = models[missing[0]]
        raise RuntimeError(
            f"{path} lacks {len(missing)} of {num_models} models, and RETRAIN=never "
            f"forbids to train them. The first is {first['configuration']}, fold "
            f"{first['fold']}."
        )
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        records = evaluate_missing(evaluate, models, records, path, since)
    else:
        print(summary_line(name, records, models), flush=True)
    return make_table([records[key] for key in models])


def evaluate_missing(evaluate, models, records, path, since):
    """Evaluates the models that have no record, together with other processes.

    Args:
        evaluate: Function from `(configuration, fold)` to a dict of scores.
        models: Dict from fingerprint to a dict with configuration, fold, number of
            folds and settings.
        records: Dict from fingerprint to record, those that are known already.
        path: `pathlib.Path` of the file of records.
        since: `datetime.datetime` or `None`; a record in the file counts only if it
            was made at this time or later.

    Returns:
        Dict from fingerprint to record, with all of `models`.
    """
    # What is known here stays known, whatever becomes of the file: two calls with the
    # same name and other settings would replace each other's records for ever.
    records = {key: records[key] for key in models if key in records}
    with locked(path):
        study = open_study(path, models)
    with Progress(path.stem, len(models), "model", done=len(records)) as progress:
        while True:
            with locked(path):
                written = read_records(path)
                records |= {
                    key: written[key]
                    for key in models.keys() & written.keys()
                    if since is None or retraining.is_from(written[key], since)
                }
                missing = [key for key in models if key not in records]
                if not missing:
                    break
                key, trial = claim(study, models, missing)
            progress.done = len(records)
            progress.show(progress.line(time.perf_counter() - progress.started, {}))
            records[key] = evaluate_trial(evaluate, models, key, study, trial, path)
        progress.finish(summary_line(path.stem, records, models))
    return records


def evaluate_trial(evaluate, models, key, study, trial, path):
    """Evaluates one model and records its scores.

    Args:
        evaluate: Function from `(configuration, fold)` to a dict of scores.
        models: Dict from fingerprint to model.
        key: String, the fingerprint of the model to evaluate.
        study: `optuna.Study`.
        trial: `optuna.Trial` of the study, running.
        path: `pathlib.Path` of the file of records.

    Returns:
        Dict, the record.
    """
    model = models[key]
    start = time.perf_counter()
    try:
        scores = evaluate(copy.deepcopy(model["configuration"]), model["fold"])
        scores = check_scores(scores, model["configuration"])
    except BaseException:  # Also when interrupted: the model is free again.
        with locked(path):
            study.tell(trial, state=TrialState.FAIL)
        raise
    seconds = round(time.perf_counter() - start, 3)
    with locked(path):
        record = {
            **model,
            "scores": scores,
            "seconds": seconds,
            "recorded": retraining.now(),
        }
        write_record(path, record, models)
        objective = next(iter(scores.values()))
        if math.isnan(objective):  # Optuna has no place for it.
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, objective)
    return record


def summary_line(name, records, models):
    """Returns a line that is the same whether models were evaluated now or before."""
    seconds = sum(records[key]["seconds"] for key in models)
    return f"{name}: {len(models)} models, evaluated in {seconds:.0f} s"


def claim(study, models, missing):
    """Takes a model that nobody works on, or else the one begun first.

    A process that was killed leaves its trial running for ever, so that a running
    trial is no proof that somebody works on it: what is running is left to the end,
    not left out.

    Args:
        study: `optuna.Study`; its file is locked.
        models: Dict from fingerprint to model.
        missing: List of the fingerprints of models without a record.

    Returns:
        Tuple `(fingerprint, optuna.Trial)`; the trial is running.
    """
    unfinished = {TrialState.WAITING: [], TrialState.RUNNING: []}
    for trial in study.get_trials(deepcopy=False, states=list(unfinished)):
        unfinished[trial.state].append(trial.user_attrs.get("fingerprint"))
    if not set(unfinished[TrialState.WAITING]) & set(missing):
        running = unfinished[TrialState.RUNNING]
        free = [key for key in missing if key not in running]
        begun = [key for key in running if key in missing]
        key = (free + begun)[0]
        study.enqueue_trial(
            trial_parameters(models[key]), user_attrs={"fingerprint": key}
        )
    while True:
        trial = study.ask()
        key = trial.user_attrs["fingerprint"]
        if key in missing:
            break
        # Left by a process that was killed just before it began.
        study.tell(trial, state=TrialState.FAIL)
    for parameter in trial_parameters(models[key]):
        choices = [trial_parameters(model)[parameter] for model in models.values()]
        trial.suggest_categorical(parameter, list(dict.fromkeys(choices)))
    return key, trial


def trial_parameters(model):
    """Returns configuration and fold of a model, as values that Optuna can store.

    Args:
        model: Dict with `configuration` and `fold`.

    Returns:
        Dict from parameter to number, string, boolean or `None`.
    """
    parameters = {**model["configuration"], "fold": model["fold"]}
    return {
        parameter: json.dumps(value) if isinstance(value, (list, dict)) else value
        for parameter, value in parameters.items()
    }


def open_study(path, models):
    """Opens the study of these models in the journal, or begins it.

    Args:
        path: `pathlib.Path` of the file of records; the journal is beside it.
        models: Dict from fingerprint to model.

    Returns:
        `optuna.Study`.
    """
    # Optuna would print a line for each trial.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal = path.with_suffix(".journal")
    # Other models, other study: the choices of a study's parameters are fixed.
    study_name = f"{path.stem}-{checksum_of(sorted(models))}"
    if journal.exists():
        content = journal.read_bytes()
        # A process that died while it wrote has left a part of a line, to which the
        # next line would be joined.
        if not content.endswith(b"\n"):
            os.truncate(journal, content.rfind(b"\n") + 1)
    for attempt in range(2):
        try:
            # The default lock is a symbolic link, which Windows may forbid.
            backend = JournalFileBackend(
                str(journal), JournalFileOpenLock(str(journal))
            )
            return optuna.create_study(
                study_name=study_name,
                storage=JournalStorage(backend),
                load_if_exists=True,
            )
        except Exception as error:  # Optuna has no exception of its own for this.
            if attempt:
                raise
            print(
                f"{journal} is damaged ({error}) and is begun anew; the scores are in "
                f"{path} and stay.",
                flush=True,
            )
            journal.unlink()


@contextlib.contextmanager
def locked(path):
    """Holds the lock beside a file; the lock of a dead process yields in 30 seconds."""
    lock = JournalFileOpenLock(str(path))
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def read_records(path):
    """Reads the scores of models; says which lines are damaged and leaves them out.

    Args:
        path: `pathlib.Path` of the file of records, which may not exist.

    Returns:
        Dict from fingerprint to record.
    """
    if not path.exists():
        return {}
    records, damaged = {}, []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            record = json.loads(line)
            checksum = record.pop("checksum")
            # Older records do not say when they were made.
            fields = record.keys() - {"recorded"}
            if checksum != checksum_of(record) or fields != RECORD_KEYS:
                raise ValueError("the checksum or the fields are others")
            if not record["scores"] or not math.isfinite(record["seconds"]):
                raise ValueError("there are no scores or no seconds")
            record["scores"] = {
                # JSON has no NaN and no infinity, which are kept as strings.
                name: as_floats(score)
                for name, score in record["scores"].items()
            }
            if fingerprint(record) in records:
                raise ValueError("the model has a line already")
            records[fingerprint(record)] = record
        except (ValueError, KeyError, TypeError, AttributeError):
            damaged.append(str(number))
    if damaged:
        print(
            f"{path} is damaged in line {', '.join(damaged)}: what stood there is left "
            "out and, where it is asked for, evaluated anew.",
            flush=True,
        )
    return records


def write_record(path, record, models):
    """Adds a record to the file, in the place of one with other settings.

    Args:
        path: `pathlib.Path` of the file of records; it is locked.
        record: Dict with configuration, fold, number of folds, settings, scores,
            seconds and the time when it was recorded.
        models: Dict from fingerprint to model, in the order of the file.
    """
    place = ("configuration", "fold", "num_folds")
    records = {
        key: other
        for key, other in read_records(path).items()
        if any(other[name] != record[name] for name in place)
    }
    records[fingerprint(record)] = record
    order = {key: position for position, key in enumerate(models)}
    lines = []
    for key in sorted(records, key=lambda key: order.get(key, len(order))):
        scores = {
            name: without_infinity(score)
            for name, score in records[key]["scores"].items()
        }
        plain = {**records[key], "scores": scores}
        lines.append(json.dumps({**plain, "checksum": checksum_of(plain)}) + "\n")
    write_file(path, "".join(lines).encode())


def fingerprint(model):
    """Identifies a model by all that its scores depend on.

    Args:
        model: Dict with configuration, fold, number of folds and settings; other keys
            do not count.

    Returns:
        String of 16 hexadecimal digits.
    """
    names = ("configuration", "fold", "num_folds", "settings")
    return checksum_of([model[name] for name in names])


def checksum_of(value):
    """Returns 16 hexadecimal digits of the SHA-256 of a value of JSON."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_checksum(*objects):
    """Identifies code by what it does, for the settings of `cross_validate`.

    Comments, docstrings and the way lines are broken do not count, so that wording may
    be improved without training anew.

    Args:
        *objects: Functions, classes or modules.

    Returns:
        String of 16 hexadecimal digits.
    """
    parts = []
    for one in objects:
        tree = ast.parse(textwrap.dedent(inspect.getsource(one)))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if not isinstance(body, list) or not body:
                continue
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                del body[0]
        parts.append(ast.unparse(tree))
    return checksum_of(parts)


def to_plain(name, value):
    """Returns a dict as JSON gives it back, or says what cannot be stored.

    Args:
        name: String, the argument's name for the message.
        value: Dict; numbers of NumPy become plain numbers, tuples become lists.

    Returns:
        Dict of numbers, strings, booleans, `None`, lists and dicts.

    Raises:
        ValueError: If `value` is no dict, or holds NaN, infinity or another object.
    """
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError(
            f"`{name}` should be a dict with strings as keys. Received: {value!r}."
        )
    try:
        text = json.dumps(value, allow_nan=False, default=lambda scalar: scalar.item())
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"`{name}` should hold finite numbers, strings, booleans, None, lists and "
            f"dicts. Received: {value!r} ({error})."
        ) from error
    return json.loads(text)


def check_configurations(configurations):
    """Returns the configurations as plain dicts, or says what is wrong with them."""
    configurations = [
        to_plain(f"configurations[{index}]", configuration)
        for index, configuration in enumerate(configurations)
    ]
    if not configurations or not configurations[0]:
        raise ValueError(
            "`configurations` should hold one configuration or more, each with a "
            f"hyper-parameter or more. Received: {configurations}."
        )
    for index, configuration in enumerate(configurations):
        if configuration.keys() != configurations[0].keys():
            raise ValueError(
                "`configurations` should have the same keys. Received: "
                f"{sorted(configurations[0])} and {sorted(configuration)}."
            )
        if configuration in configurations[:index]:
            raise ValueError(
                "`configurations` should differ from each other. Received twice: "
                f"{configuration}."
            )
    taken = {"fold", "seconds"} & configurations[0].keys()
    if taken:
        raise ValueError(
            "`configurations` should not use the names fold and seconds. Received: "
            f"{', '.join(sorted(taken))}."
        )
    return configurations


def as_floats(score):
    """Returns a score, a number or a list, as floats."""
    if isinstance(score, list):
        return [float(number) for number in score]
    return float(score)


def without_infinity(score):
    """Returns a score with strings in the place of NaN and infinity."""
    if isinstance(score, list):
        return [without_infinity(number) for number in score]
    return score if math.isfinite(score) else str(score)


def check_scores(scores, configuration):
    """Returns the scores of a model as floats, or says what is wrong with them."""
    numbers_only = isinstance(scores, dict) and all(
        isinstance(name, str)
        and (np.ndim(score) == 0 or (np.ndim(score) == 1 and type(score) is list))
        and np.all(np.isreal(score))
        for name, score in scores.items()
    )
    if not numbers_only or not scores or type(next(iter(scores.values()))) is list:
        raise ValueError(
            "`evaluate` should return a dict from score name to number or list of "
            f"numbers, a number first. Received: {scores!r}."
        )
    taken = scores.keys() & {*configuration, "fold", "seconds"}
    if taken:
        raise ValueError(
            "`evaluate` should return scores with other names than the hyper-parameters"
            f", fold and seconds. Received: {', '.join(sorted(taken))}."
        )
    return {name: as_floats(score) for name, score in scores.items()}


def make_table(records):
    """Puts records into a table, one row each.

    Args:
        records: List of dicts with configuration, fold, scores and seconds.

    Returns:
        `pandas.DataFrame`.
    """
    table = {}
    for parameter in records[0]["configuration"]:
        table[parameter] = to_column(
            [record["configuration"][parameter] for record in records]
        )
    table["fold"] = [record["fold"] for record in records]
    names = dict.fromkeys(name for record in records for name in record["scores"])
    for score in names:
        table[score] = [record["scores"].get(score, math.nan) for record in records]
    table["seconds"] = [record["seconds"] for record in records]
    return pd.DataFrame(table)


def to_column(values):
    """Makes a column in which `None` stays `None` and an integer stays an integer.

    Args:
        values: List of numbers, strings, booleans, `None`, lists or dicts.

    Returns:
        `pandas.Series` with the dtype of the values if they have one type, else with
        the dtype object.
    """
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
        number). The lowest mean comes first; a configuration of which a fold diverged
        has the mean NaN or infinity and comes last; ties are in the order of `table`.

    Raises:
        ValueError: If `table` lacks a column or has no row.
    """
    parameters = list(parameters)
    check_table(table, parameters, score)
    groups = {}
    for configuration, value in zip(
        table[parameters].to_dict("records"), table[score], strict=True
    ):
        key = json.dumps(to_plain("table", configuration))
        groups.setdefault(key, (configuration, []))[1].append(float(value))
    rows = []
    for configuration, values in groups.values():
        if np.all(np.isfinite(values)):
            mean, spread = mean_and_spread(values)
        else:
            mean, spread = float(np.mean(values)), math.nan
        row = {"mean": mean, "spread": spread, "folds": len(values)}
        rows.append({**configuration, **row})
    taken = {"mean", "spread", "folds"} & set(parameters)
    if taken:
        raise ValueError(
            "`parameters` should not have the names mean, spread and folds. Received: "
            f"{', '.join(sorted(taken))}."
        )
    columns = {name: to_column([row[name] for row in rows]) for name in rows[0]}
    summary = pd.DataFrame(columns)
    return summary.sort_values("mean", kind="stable", ignore_index=True)


def best_configuration(table, score, parameters):
    """Selects the configuration with the lowest mean score over the folds.

    Args:
        table: `pandas.DataFrame` from `cross_validate`.
        score: String, name of the column of the score; the lower, the better.
        parameters: List of strings, names of the columns of the hyper-parameters.

    Returns:
        Dict from hyper-parameter to value. Of equal means, the first in `table` wins; a
        configuration of which a fold diverged is never selected.

    Raises:
        ValueError: If `table` lacks a column or has no row, or if each configuration
            diverged.
    """
    summary = summarise(table, score, parameters)
    if not math.isfinite(summary["mean"][0]):
        raise ValueError(
            f"`table` should have a configuration with a finite {score} in each fold. "
            f"Received: {len(summary)} configurations, none of which has."
        )
    return summary[list(parameters)].to_dict("records")[0]
