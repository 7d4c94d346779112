"""Training: fit and record a model, or reuse and resume what is recorded."""

import collections
import contextlib
import dataclasses
import datetime
import hashlib
import inspect
import io
import json
import math
import numbers
import os
import pathlib
import platform
import re
import sys
import time
import zipfile

import keras
import numpy as np
from keras.src.backend.common import global_state

from helpers import retraining
from helpers.checks import check_integer, check_numbers, check_same, is_number
from helpers.files import write_file
from helpers.progress import Progress

VALIDATION_BATCH_SIZE = 512  # At least; there is no gradient that needs the memory.
RUN_FILE = "run.json"
WEIGHTS_FILE = "weights.npz"
CHECKPOINT_FILE = "checkpoint.npz"
BEST_FILE = "best.npz"  # Weights of the best epoch so far, if training may stop early.


@dataclasses.dataclass
class Run:
    """A trained model and how it came to be.

    Attributes:
        name: String, the name of the run.
        model: Compiled `keras.Model` with the trained weights.
        history: Dict of lists with one value per epoch: every loss and metric, as its
            mean over the examples (for training over the batches of the epoch, while
            the weights change), those on the validation data with the prefix `val_`,
            and `seconds`, the wall time from the start of the training to the end of
            the epoch.
        seconds: Float, wall time of the whole training.
        seed: Integer, the seed.
        configuration: Dict, everything that the result depends on.
        versions: Dict of strings: Python, Keras, its backend and NumPy that trained.
        scores: Dict of floats, the recorded scores; empty when there are none yet.
        reused: Boolean, whether the run was loaded and not trained.
        folder: `pathlib.Path` of the folder with `run.json` and `weights.npz`.
    """

    name: str
    model: keras.Model
    history: dict
    seconds: float
    seed: int
    configuration: dict
    versions: dict
    scores: dict
    reused: bool
    folder: pathlib.Path


class UnusableRecord(Exception):
    """Says which recorded file cannot be used, and why."""


def fit(
    build_model,
    inputs,
    targets,
    *,
    name,
    folder,
    loss,
    optimizer,
    epochs,
    batch_size,
    seed,
    validation_data=None,
    loss_weights=None,
    metrics=None,
    stop_on=None,
):
    """Trains a model and records the run, or loads the run when it is recorded.

    A recorded run is loaded when it has the fingerprint that is asked for: the SHA-256
    of the model's configuration, all arguments that matter and all arrays. Otherwise,
    or when its files are damaged, one line says why and the model is trained. After
    each epoch a checkpoint is written; a training that was cut off goes on after its
    last finished epoch and ends with the same bits.

    The environment variable `RETRAIN` changes this: `all` trains also what is recorded
    (a training that was cut off still goes on), `1` leaves what took more than a
    quarter of an hour, `never` raises an error instead of training, see
    `retraining.retrain_switch`.

    The call seeds Python, NumPy and Keras, whether it trains or not.

    The fingerprint does not hold the code of layer, loss and metric classes of your
    own nor weights that `build_model` loads: set `RETRAIN=all` after changing those.

    Args:
        build_model: Function without arguments that returns a new functional
            `keras.Model`, not compiled, with one output or a dict of outputs. It is
            called after seeding, so the first weights depend on the seed alone.
        inputs: Array of shape `(examples, ...)`.
        targets: Dict from each output's name to an array `(examples, ...)`; for a
            model with a single output also the array itself.
        name: String, the name of the run; a folder of this name is made in `folder`.
        folder: Path of the folder that holds the recorded runs.
        loss: Dict from each output's name to a Keras loss (name, object or function);
            for a single output also the loss itself.
        optimizer: Keras optimizer, its configuration or its name. It is copied, so
            one object may be passed to several runs.
        epochs: Positive integer. Training stops earlier if the loss becomes NaN or
            infinite, or where `stop_on` says so.
        batch_size: Positive integer. The last, smaller batch of an epoch is used.
        seed: Non-negative integer below 2**32, for first weights, dropout and the
            order of the examples.
        validation_data: Tuple `(inputs, targets)` or `None`, evaluated every epoch.
        loss_weights: Dict from outputs' names to numbers; 1 where there is none.
        metrics: Dict from outputs' names to a Keras metric or a list of them; for a
            single output also the metric or the list itself.
        stop_on: Tuple `(loss, patience)` or `None`. Training stops when that loss or
            metric of the history, for instance `"val_loss"`, has not fallen for so
            many epochs, and the model gets the weights of the epoch where it was
            least. Not together with a moving average of the weights.

    Returns:
        A `Run`.

    Raises:
        ValueError: If an argument does not fit the model or the others, or `RETRAIN`
            has another value.
        RuntimeError: If the run would have to be trained and `RETRAIN` is `never`.

    Example:

    ```python
    def build_model():
        series = keras.Input((50, 1), name="series")
        code = keras.layers.LSTM(16)(series)
        steps = keras.layers.RepeatVector(50)(code)
        steps = keras.layers.LSTM(16, return_sequences=True)(steps)
        return keras.Model(series, keras.layers.Dense(1)(steps))

    runs = [
        fit(build_model, series, series, name=f"plain_seed{seed}", folder="runs",
            loss="mse", optimizer="adam", epochs=10, batch_size=32, seed=seed)
        for seed in range(3)
    ]
    ```
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(
            "`name` should be made of letters, digits, '_', '-' and '.', as it names "
            f"a folder. Received: {name!r}."
        )
    folder = pathlib.Path(folder) / name
    retrain = retraining.retrain_switch(folder / RUN_FILE)
    epochs = check_integer("epochs", epochs, minimum=1)
    batch_size = check_integer("batch_size", batch_size, minimum=1)
    seed = check_integer("seed", seed, minimum=0)
    if seed >= 2**32:
        raise ValueError(f"`seed` should be below 2**32. Received: {seed}.")
    optimizer = check_optimizer(optimizer)

    model = new_model(build_model, seed)
    loss = by_output(model, "loss", loss, complete=True)
    check_names("loss", loss, keras.losses.get)
    if not any(loss.values()):
        raise ValueError("`loss` should be given for an output. Received: None.")
    loss_weights = check_loss_weights(model, loss_weights)
    metrics = by_output(model, "metrics", metrics)
    check_names("metrics", metrics, keras.metrics.get)
    inputs, targets = check_data(model, loss, inputs, targets)
    if validation_data is not None:
        if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
            raise ValueError(
                "`validation_data` should be a tuple `(inputs, targets)`. "
                f"Received: {type(validation_data).__name__}."
            )
        validation_data = check_data(model, loss, *validation_data, "validation ")
    # A run without it has the fingerprint that it had before there was `stop_on`.
    configuration = as_json(
        check_stop_on(stop_on, optimizer)
        | {
            "model": json.loads(model.to_json()),
            "optimizer": without_names(describe(optimizer)),
            "loss": without_names(describe(loss)),
            "loss_weights": loss_weights,
            "metrics": describe(metrics),
            "epochs": epochs,
            "batch_size": batch_size,
            "seed": seed,
            "inputs": digest(inputs),
            "targets": digest(targets),
            "validation_data": digest(validation_data),
        }
    )
    compile_model(model, optimizer, loss, loss_weights, metrics)

    reason = f"RETRAIN asks for runs since {retrain}"
    if not isinstance(retrain, datetime.datetime) or (
        retraining.recorded_since(folder / RUN_FILE, retrain)
    ):
        try:
            return load_run(name, folder, model, configuration)
        except UnusableRecord as unusable:
            reason = str(unusable)
    if retrain == "never":
        raise RuntimeError(f"{name} is not trained, as RETRAIN is never: {reason}.")
    print(f"{name}: {reason}; training", flush=True)
    return train(name, folder, model, configuration, inputs, targets, validation_data)


def confirm_scores(run, scores, tolerance=1e-3):
    """Records the scores of a new run, or compares them with the recorded ones.

    The default tolerance is for another machine: the same weights give predictions
    there that differ in the last digits, and one example in ten thousand may fall
    into another class. Another training differs more.

    Args:
        run: A `Run`.
        scores: Dict from names to numbers, just computed from the run's model.
        tolerance: Float, relative difference that is allowed.

    Returns:
        `True` if the scores are now recorded or agree with the recorded ones. `False`,
        after one line that says which scores differ, otherwise.

    Raises:
        ValueError: If `scores` is empty or holds something other than numbers.
    """
    try:
        scores = {str(key): float(score) for key, score in scores.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"`scores` should be a dict from names to numbers. Received: {scores!r}."
        ) from error
    if not scores:
        raise ValueError("`scores` should hold at least one score. Received: {}.")
    if not run.scores:
        record = json.loads((run.folder / RUN_FILE).read_text("utf-8"))
        write_json(run.folder / RUN_FILE, record | {"scores": without_nan(scores)})
        run.scores = scores
        return True
    differing = [
        f"{key} is {scores.get(key)}, recorded {run.scores.get(key)}"
        for key in sorted(scores.keys() | run.scores.keys())
        if not agree(scores.get(key), run.scores.get(key), tolerance)
    ]
    if differing:
        print(f"{run.name}: scores differ: {'; '.join(differing)}", flush=True)
    return not differing


def first_epoch_reaching(history, metric, value, mode="min"):
    """Returns the first epoch at which a metric is as good as a value.

    Args:
        history: Dict of lists, the history of a `Run`.
        metric: String, a key of `history`.
        value: Float, the quality to reach.
        mode: `"min"` if small values are good (losses), `"max"` if large ones are.

    Returns:
        Integer, the epoch, counted from 1, or `None` if no epoch reached the value.
        `history["seconds"][epoch - 1]` is the time that it took.

    Raises:
        ValueError: If `metric` was not recorded or `mode` is another word.
    """
    if metric not in history:
        raise ValueError(
            f"`metric` should be one of {sorted(history)}. Received: {metric!r}."
        )
    if mode not in ("min", "max"):
        raise ValueError(f"`mode` should be 'min' or 'max'. Received: {mode!r}.")
    for epoch, reached in enumerate(history[metric], start=1):
        if (reached <= value) if mode == "min" else (reached >= value):
            return epoch
    return None


# The model and its arguments.


def check_stop_on(stop_on, optimizer):
    """Returns the entry of the configuration for `stop_on`, empty without one."""
    if stop_on is None:
        return {}
    if not isinstance(stop_on, tuple | list) or len(stop_on) != 2:
        raise ValueError(
            f"`stop_on` should be a tuple `(loss, patience)`. Received: {stop_on!r}."
        )
    if optimizer.use_ema:
        raise ValueError(
            "`stop_on` should not be used with a moving average of the weights, which "
            f"replaces those of the best epoch. Received: {stop_on!r}."
        )
    name, patience = stop_on
    return {"stop_on": [name, check_integer("stop_on", patience, minimum=1)]}


def new_model(build_model, seed):
    """Seeds everything random, then builds and checks a model."""
    keras.utils.set_random_seed(seed)
    with fresh_names():
        model = build_model()
    if not isinstance(model, keras.Model) or not hasattr(model, "output_names"):
        raise ValueError(
            "`build_model` should return a functional `keras.Model`. "
            f"Received: {type(model).__name__}."
        )
    if model.compiled:
        raise ValueError(
            "`build_model` should build a new model at each call and leave compiling "
            "to `fit`. Received: a compiled model."
        )
    if len(model.inputs) != 1:
        raise ValueError(
            "`build_model` should return a model with one input. "
            f"Received: {len(model.inputs)} inputs."
        )
    if isinstance(model.output, dict):
        if set(model.output) != set(model.output_names):
            raise ValueError(
                "`build_model` should give each output the name of its layer. "
                f"Received: outputs {sorted(model.output)} from the layers "
                f"{sorted(model.output_names)}."
            )
    elif len(model.outputs) != 1:
        raise ValueError(
            "`build_model` should return a model with one output or a dict of "
            f"outputs. Received: a list of {len(model.outputs)} outputs."
        )
    return model


@contextlib.contextmanager
def fresh_names():
    """Counts layers without a name from one again: `dense`, `dense_1`, ...

    Otherwise the names, and with them the fingerprint, would depend on the models
    that the process built before.
    """
    key = "object_name_uids"
    counts_before = global_state.get_global_attribute(key) or {}
    counts = collections.defaultdict(int)
    global_state.set_global_attribute(key, counts)
    try:
        yield
    finally:
        # Later layers must not get a name that an earlier one has.
        for prefix, count in counts_before.items():
            counts[prefix] = max(counts[prefix], count)


def by_output(model, argument, values, complete=False):
    """Returns `values` as a dict with the names of outputs as keys, or raises."""
    names = model.output_names
    if values is None and not complete:
        return {}
    if not isinstance(values, dict) and not isinstance(model.output, dict):
        return {names[0]: values}
    if not isinstance(values, dict):
        raise ValueError(
            f"`{argument}` should be a dict with the outputs {sorted(names)} as keys. "
            f"Received: {type(values).__name__}."
        )
    unknown = sorted(set(values) - set(names), key=str)
    missing = sorted(set(names) - set(values)) if complete else []
    if unknown or missing:
        problem = f"unknown head {unknown}" if unknown else f"no entry for {missing}"
        raise ValueError(
            f"`{argument}` has {problem}: the model's outputs are {sorted(names)}. "
            f"Received: {sorted(values, key=str)}."
        )
    return values


def check_optimizer(optimizer):
    """Returns an optimizer, with numbers that Keras itself does not check."""
    try:
        optimizer = keras.optimizers.get(optimizer)
        settings = optimizer.get_config()
    except (AttributeError, ValueError) as error:
        raise ValueError(
            "`optimizer` should be a Keras optimizer, its configuration or its name. "
            f"Received: {optimizer!r}."
        ) from error
    for name in ("learning_rate", "clipnorm", "clipvalue", "global_clipnorm"):
        value = settings.get(name)
        # A schedule is a dict here, and no clipping is `None`.
        if isinstance(value, numbers.Real) and not 0 <= value < math.inf:
            raise ValueError(
                f"`optimizer` should have a finite {name} of at least 0. "
                f"Received: {value!r}."
            )
    return optimizer


def check_names(argument, values, find):
    """Raises a `ValueError` for a name that Keras does not know, before it trains."""
    for output, value in values.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            # Keras chooses what these mean by the shape of the targets.
            if isinstance(one, str) and one not in ("acc", "crossentropy", "ce"):
                try:
                    find(one)
                except ValueError as error:
                    raise ValueError(
                        f"`{argument}` should be names that Keras knows. "
                        f"Received: {one!r} for {output!r}."
                    ) from error


def check_loss_weights(model, loss_weights):
    """Returns the weight of each output's loss as a float."""
    weights = by_output(model, "loss_weights", loss_weights)
    for output, weight in weights.items():
        if not is_number(weight) or weight < 0:
            raise ValueError(
                "`loss_weights` should hold finite numbers of at least 0. "
                f"Received: {weight!r} for {output!r}."
            )
    return {output: float(weights.get(output, 1)) for output in model.output_names}


def check_data(model, loss, inputs, targets, prefix=""):
    """Returns the inputs and a dict of targets after checking them."""
    inputs = check_numbers(f"{prefix}inputs", inputs)
    check_shape(f"{prefix}inputs", inputs, model.inputs[0].shape)
    checked = {}
    for output, target in by_output(
        model, f"{prefix}targets", targets, complete=True
    ).items():
        label = f"{prefix}targets[{output!r}]"
        # An autoencoder's target is its input: one check is enough.
        checked[output] = inputs if target is inputs else check_numbers(label, target)
        check_same(
            (f"examples of {prefix}inputs", f"examples of {label}"),
            (len(inputs), len(checked[output])),
        )
        shape = model.outputs[model.output_names.index(output)].shape
        if is_keras_loss(loss[output]):
            if "sparse" in str(describe(loss[output])).lower():
                shape = shape[:-1]  # Class numbers, one axis less than probabilities.
            check_shape(label, checked[output], shape)
    return inputs, checked


def is_keras_loss(loss):
    """Returns whether a loss is one of Keras' own, which compare equal shapes."""
    kind = loss if inspect.isfunction(loss) else type(loss)
    return isinstance(loss, str) or kind.__module__.startswith("keras.")


def check_shape(name, array, shape):
    """Raises a `ValueError` if an array does not have a tensor's shape."""
    fits = array.ndim == len(shape) and all(
        expected in (None, size)
        for size, expected in zip(array.shape, shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"`{name}` should have the shape {tuple(shape)}, as the model has. "
            f"Received: shape {array.shape}."
        )


def compile_model(model, optimizer, loss, loss_weights, metrics):
    """Compiles a model with copies of all objects that have a state."""

    def copies(metric):
        if isinstance(metric, list | tuple):
            return [copies(one) for one in metric]
        if isinstance(metric, keras.metrics.Metric):
            return type(metric).from_config(metric.get_config())
        return metric

    metrics = {output: copies(metric) for output, metric in metrics.items()}
    if not isinstance(model.output, dict):
        (output,) = model.output_names
        loss, loss_weights = loss[output], [loss_weights[output]]
        metrics = metrics.get(output)
        metrics = metrics if isinstance(metrics, list | None) else [metrics]
    # The name is a part of the names of the variables in the checkpoint.
    settings = optimizer.get_config() | {"name": "optimizer"}
    model.compile(
        optimizer=type(optimizer).from_config(settings),
        loss=loss,
        loss_weights=loss_weights,
        metrics=metrics or None,
    )


# The fingerprint.


def describe(value):
    """Returns a description of losses, metrics or an optimizer that JSON can hold."""
    if isinstance(value, dict):
        return {key: describe(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [describe(one) for one in value]
    if inspect.isfunction(value) and not value.__module__.startswith("keras."):
        # The name alone would not tell that the function has been changed.
        return {"function": value.__qualname__, "source": inspect.getsource(value)}
    description = keras.saving.serialize_keras_object(value)
    if isinstance(value, keras.optimizers.Optimizer):
        # With PyTorch they are classes of their own, with another module and name.
        if description["module"].startswith("keras.src.backend."):
            description |= {"module": "keras.optimizers", "registered_name": None}
    return description


def without_names(description):
    """Returns a description without the names of its parts.

    Keras calls the first optimizer of a process `adam` and the next one `adam_1`.
    """
    if not isinstance(description, dict):
        return description
    return {
        key: without_names(value) for key, value in description.items() if key != "name"
    }


def digest(value):
    """Returns shape, dtype and SHA-256 of each array in `value`."""
    if isinstance(value, dict):
        return {key: digest(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [digest(one) for one in value]
    if value is None:
        return None
    # Little-endian on every machine.
    array = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "sha256": hashlib.sha256(array).hexdigest(),
    }


def as_json(value):
    """Returns `value` as it comes back from a JSON file."""
    return json.loads(json.dumps(value))


def fingerprint(configuration):
    """Returns the SHA-256 of a configuration, 64 hexadecimal digits."""
    return hashlib.sha256(
        json.dumps(configuration, sort_keys=True).encode("utf-8")
    ).hexdigest()


# Training.


def train(name, folder, model, configuration, inputs, targets, validation_data):
    """Trains from the first epoch or from the checkpoint, and records the run."""
    start = time.perf_counter()
    epochs, batch_size = configuration["epochs"], configuration["batch_size"]
    seed, num_examples = configuration["seed"], len(inputs)
    checkpoint = folder / CHECKPOINT_FILE
    folder.mkdir(parents=True, exist_ok=True)
    history = load_checkpoint(name, checkpoint, model, configuration)
    epochs_before = len(history.get("seconds", ()))
    seconds_before = history["seconds"][-1] if epochs_before else 0.0
    num_batches = math.ceil(num_examples / batch_size)

    with Progress(name, epochs, "epoch", epochs_before, seconds_before) as progress:
        for epoch in range(epochs_before, epochs):
            if epoch and not math.isfinite(history["loss"][-1]):
                break  # Nothing finite can come of it.
            if is_over(history, configuration):
                break
            # Each epoch has its own generator, so that a training that goes on sees
            # the examples in the same order as one that was never cut off.
            order = np.random.default_rng([seed, epoch]).permutation(num_examples)
            means = Means()
            for batch in range(num_batches):
                rows = order[batch * batch_size : (batch + 1) * batch_size]
                logs = model.train_on_batch(
                    inputs[rows], take(model, inputs, targets, rows), return_dict=True
                )
                means.add(logs, len(rows))
                logs = means.result()
                shown = {key: logs[key] for key in logs if key.endswith("loss")}
                progress.update(epoch + (batch + 1) / num_batches, shown)
            if validation_data is not None:
                logs = logs | evaluate(model, *validation_data, batch_size)
            logs["seconds"] = seconds_before + time.perf_counter() - start
            for key, value in logs.items():
                history.setdefault(key, []).append(float(value))
            if is_best(history, configuration):
                # Before the checkpoint: after a kill in between, the epoch is trained
                # again and gives the same weights.
                save_best(folder / BEST_FILE, model)
            save_checkpoint(checkpoint, model, configuration, history)
        if "stop_on" in configuration:
            assign(*read_best(folder / BEST_FILE, model))
        # A moving average of the weights, if the optimizer keeps one, replaces them.
        model.optimizer.finalize_variable_values(model.trainable_variables)
        run = save_run(name, folder, model, configuration, history)
        losses = ", ".join(
            f"{key} {history[key][-1]:.3g}"
            for key in ("loss", "val_loss")
            if key in history
        )
        progress.finish(
            f"{name}: {len(history['loss'])} epochs trained in {run.seconds:.0f} s, "
            f"{losses}"
        )
    checkpoint.unlink(missing_ok=True)
    (folder / BEST_FILE).unlink(missing_ok=True)
    return run


def epochs_since_best(history, configuration):
    """Returns how many epochs ago the loss to stop on was least, `None` without one."""
    if "stop_on" not in configuration or not history:
        return None
    name, _ = configuration["stop_on"]
    if name not in history:
        raise ValueError(
            f"`stop_on` should name one of {', '.join(history)}. Received: {name!r}."
        )
    values = [value if math.isfinite(value) else math.inf for value in history[name]]
    return len(values) - 1 - values.index(min(values))


def is_best(history, configuration):
    """Tells whether the last epoch is the best one so far."""
    return epochs_since_best(history, configuration) == 0


def is_over(history, configuration):
    """Tells whether the loss to stop on has not fallen for long enough."""
    waited = epochs_since_best(history, configuration)
    return waited is not None and waited >= configuration["stop_on"][1]


def take(model, inputs, targets, rows):
    """Returns some rows of the targets in the structure of the model's output."""
    batch = {output: target[rows] for output, target in targets.items()}
    return batch if isinstance(model.output, dict) else batch[model.output_names[0]]


def evaluate(model, inputs, targets, batch_size):
    """Returns the losses and metrics on validation data, with the prefix `val_`."""
    batch_size = max(batch_size, VALIDATION_BATCH_SIZE)
    means = Means()
    for first in range(0, len(inputs), batch_size):
        rows = slice(first, first + batch_size)
        logs = model.test_on_batch(
            inputs[rows], take(model, inputs, targets, rows), return_dict=True
        )
        means.add(logs, len(inputs[rows]))
    return {f"val_{key}": value for key, value in means.result().items()}


class Means:
    """Averages losses and metrics over batches, each example counted once.

    Keras starts losses and metrics anew at each `train_on_batch` and `test_on_batch`.
    """

    def __init__(self):
        self.sums = {}
        self.num_examples = 0

    def add(self, logs, num_examples):
        """Adds what Keras returns for a batch of so many examples."""
        for key, value in logs.items():
            self.sums[key] = self.sums.get(key, 0.0) + float(value) * num_examples
        self.num_examples += num_examples

    def result(self):
        """Returns a dict of the means so far."""
        return {key: value / self.num_examples for key, value in self.sums.items()}


# Files.


def load_run(name, folder, model, configuration):
    """Loads a recorded run into `model`, or raises `UnusableRecord`."""
    path, weights_path = folder / RUN_FILE, folder / WEIGHTS_FILE
    if not path.exists():
        raise UnusableRecord("no recorded run")
    try:
        record = json.loads(path.read_text("utf-8"))
        recorded = record["configuration"]
        if record["fingerprint"] != fingerprint(recorded):
            raise UnusableRecord(f"{path} is damaged (its fingerprint is another)")
        if recorded != configuration:
            changed = [
                key
                for key in sorted(configuration.keys() | recorded.keys())
                if configuration.get(key) != recorded.get(key)
            ]
            raise UnusableRecord(f"settings changed: {', '.join(changed)}")
        run = Run(
            name=name,
            model=model,
            history={
                key: with_nan(values)
                for key, values in check_history(record["history"], configuration)
            },
            seconds=float(record["seconds"]),
            seed=configuration["seed"],
            configuration=configuration,
            versions=record["versions"],
            scores=with_nan(record["scores"]),
            reused=True,
            folder=folder,
        )
        content = weights_path.read_bytes()
        if hashlib.sha256(content).hexdigest() != record["weights_sha256"]:
            raise UnusableRecord(f"{weights_path} is damaged (its SHA-256 is another)")
        diverged = record["diverged"]
    except OSError as error:
        raise UnusableRecord(f"{error.filename} cannot be read") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableRecord(f"{path} is damaged ({error!r})") from error
    arrays = read_arrays(weights_path, content)
    pairs = match(weights_path, {"": model.weights}, arrays)
    if not diverged and not all(np.isfinite(one).all() for one in arrays.values()):
        raise UnusableRecord(f"{weights_path} is damaged (weights are not finite)")
    assign(pairs, arrays)
    with Progress(name, configuration["epochs"]) as progress:
        progress.finish(
            f"{name}: recorded run reused ({len(run.history['loss'])} epochs, trained "
            f"in {run.seconds:.0f} s)"
        )
    return run


def save_run(name, folder, model, configuration, history):
    """Records a trained model and returns its `Run`."""
    weights = as_arrays({"": model.weights})
    content = npz_bytes(weights)
    run = Run(
        name=name,
        model=model,
        history=history,
        seconds=history["seconds"][-1],
        seed=configuration["seed"],
        configuration=configuration,
        versions=current_versions(),
        scores={},
        reused=False,
        folder=folder,
    )
    record = {
        "name": name,
        "fingerprint": fingerprint(configuration),
        "seed": run.seed,
        "seconds": run.seconds,
        "recorded": retraining.now(),
        "scores": {},
        "versions": run.versions,
        "cpu_count": os.cpu_count(),
        "weights_sha256": hashlib.sha256(content).hexdigest(),
        "diverged": not all(np.isfinite(one).all() for one in weights.values()),
        "history": {key: without_nan(values) for key, values in history.items()},
        "configuration": configuration,
    }
    # After a kill between these two the checkpoint still holds the finished training.
    write_file(folder / WEIGHTS_FILE, content)
    write_json(folder / RUN_FILE, record)
    return run


def load_checkpoint(name, path, model, configuration):
    """Restores the state after the last finished epoch and returns its history.

    Returns:
        Dict of lists, empty if there is nothing to go on from.
    """
    if not path.exists():
        return {}
    model.optimizer.build(model.trainable_variables)
    try:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UnusableRecord(f"{path} cannot be read ({error})") from error
        arrays = read_arrays(path, content)
        try:
            state = json.loads(str(arrays.pop("state")))
            fits = state["fingerprint"] == fingerprint(configuration)
            fits = fits and state["versions"] == current_versions()
            history = dict(check_history(state["history"], configuration))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnusableRecord(f"{path} is damaged ({error!r})") from error
        if not fits:
            raise UnusableRecord(f"{path} is of other settings or versions")
        pairs = match(path, trained_state(model), arrays)
        if "stop_on" in configuration:
            read_best(path.parent / BEST_FILE, model)
        assign(pairs, arrays)
    except UnusableRecord as unusable:
        print(f"{name}: {unusable}, starting with the first epoch", flush=True)
        return {}
    print(f"{name}: going on after epoch {len(history['seconds'])}", flush=True)
    return history


def save_checkpoint(path, model, configuration, history):
    """Writes all that the rest of the training depends on."""
    state = {
        "fingerprint": fingerprint(configuration),
        "versions": current_versions(),
        "history": history,
    }
    arrays = {"state": json.dumps(state), **as_arrays(trained_state(model))}
    write_file(path, npz_bytes(arrays))


def save_best(path, model):
    """Writes the weights of the best epoch so far."""
    write_file(path, npz_bytes(as_arrays({"": model.weights})))


def read_best(path, model):
    """Returns variables and weights of the best epoch, or raises `UnusableRecord`."""
    try:
        arrays = read_arrays(path, path.read_bytes())
    except OSError as error:
        raise UnusableRecord(f"{path} cannot be read ({error})") from error
    return match(path, {"": model.weights}, arrays), arrays


def trained_state(model):
    """Returns all variables that training changes, those of dropout's seeds too."""
    return {"model/": model.variables, "optimizer/": model.optimizer.variables}


def as_arrays(variables):
    """Returns a dict of arrays from a dict of lists of variables."""
    return {
        variable_key(prefix, index, variable): variable.numpy()
        for prefix, group in variables.items()
        for index, variable in enumerate(group)
    }


def variable_key(prefix, index, variable):
    """Returns a name like `003.decoder/kernel`: paths alone may occur twice."""
    return f"{prefix}{index:03d}.{variable.path}"


def check_history(history, configuration):
    """Returns the pairs of a recorded history, or raises a `ValueError`."""
    lengths = {len(values) for values in history.values()}
    if not {"loss", "seconds"} <= history.keys() or len(lengths) != 1:
        raise ValueError("the history lacks losses or seconds of an epoch")
    if not 1 <= lengths.pop() <= configuration["epochs"]:
        raise ValueError("the history has no epochs or too many")
    for key, values in history.items():
        for value in values:
            if isinstance(value, bool) or not isinstance(value, float | int | None):
                raise ValueError(f"the history of {key} holds {value!r}")
    return history.items()


def match(path, variables, arrays):
    """Returns a dict of the variables of all arrays, or raises `UnusableRecord`."""
    pairs = {
        variable_key(prefix, index, variable): variable
        for prefix, group in variables.items()
        for index, variable in enumerate(group)
    }
    if pairs.keys() != arrays.keys():
        raise UnusableRecord(f"{path} is damaged (its arrays have other names)")
    for key, variable in pairs.items():
        if arrays[key].shape != tuple(variable.shape):
            raise UnusableRecord(
                f"{path} is damaged ({key} has the shape {arrays[key].shape}, "
                f"not {tuple(variable.shape)})"
            )
        if arrays[key].dtype.name != keras.backend.standardize_dtype(variable.dtype):
            raise UnusableRecord(
                f"{path} is damaged ({key} has the type {arrays[key].dtype}, "
                f"not {variable.dtype})"
            )
    return pairs


def assign(pairs, arrays):
    """Assigns all arrays to the variables that `match` found."""
    for key, variable in pairs.items():
        variable.assign(arrays[key])


def npz_bytes(arrays):
    """Returns the bytes of an npz file with a dict of arrays."""
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def read_arrays(path, content):
    """Returns a dict of the arrays in the bytes of an npz file."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UnusableRecord(f"{path} is damaged ({error})") from error


def write_json(path, value):
    """Writes a JSON file that every reader understands (without NaN)."""
    write_file(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def without_nan(values):
    """Returns a list or a dict of floats with `None` for NaN and infinity."""
    if isinstance(values, dict):
        return {key: without_nan([value])[0] for key, value in values.items()}
    return [value if math.isfinite(value) else None for value in values]


def with_nan(values):
    """Returns a list or a dict of floats with NaN for `None`."""
    if isinstance(values, dict):
        return {key: with_nan([value])[0] for key, value in values.items()}
    return [math.nan if value is None else float(value) for value in values]


def agree(score, recorded, tolerance):
    """Returns whether two scores are both there and equal within a tolerance."""
    if score is None or recorded is None:
        return False
    if not math.isfinite(score) or not math.isfinite(recorded):
        return math.isfinite(score) == math.isfinite(recorded)
    # A difference of two errors may be zero, where no relative tolerance helps.
    return math.isclose(score, recorded, rel_tol=tolerance, abs_tol=1e-7)


def current_versions():
    """Returns the versions of Python and of the libraries that train."""
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": backend,
        backend: getattr(sys.modules.get(backend), "__version__", "unknown"),
        "numpy": np.__version__,
    }
