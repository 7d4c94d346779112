"""The training itself: one `Model.fit` that, cut off, goes on to the same bits."""

import io
import json
import math
import time
import zipfile

from helpers.training.records import (
    UnusableRecord,
    current_versions,
    with_nan,
    without_nan,
)

import keras
import numpy as np
import tensorflow as tf

# It warns of many small networks one after another, which is what is wanted here.
tf.get_logger().setLevel("ERROR")

VALIDATION_BATCH_SIZE = 512  # There is no gradient that needs the memory.


def train(model, job, fingerprint, store, progress=None):
    """Trains a new model, or goes on from its checkpoint; returns the history."""
    resume = Resume(job, fingerprint, store, progress)
    first_epoch = resume.restore(model)
    model.fit(
        batches(job, first_epoch),
        # A training that had ended when it was cut off has no epoch left.
        epochs=first_epoch if resume.is_over() else job.epochs,
        initial_epoch=first_epoch,
        steps_per_epoch=num_batches(job),
        validation_data=job.validation_data,
        validation_batch_size=validation_batch_size(job),
        callbacks=[*job.callbacks, resume],
        shuffle=False,  # The batches are in their order.
        verbose=0,
    )
    return resume.history


def num_batches(job):
    """Returns the batches of an epoch."""
    exact = len(job.x) / job.batch_size
    return math.floor(exact) if job.drop_remainder else math.ceil(exact)


def validation_batch_size(job):
    """Returns a size that cuts the validation data into nearly equal batches."""
    # Keras averages the loss of each output over batches, whatever their sizes.
    if job.validation_data is None:
        return None
    num_examples = len(job.validation_data[0])
    largest = max(job.batch_size, VALIDATION_BATCH_SIZE)
    return math.ceil(num_examples / math.ceil(num_examples / largest))


def batches(job, first_epoch):
    """Returns all batches of all epochs from one on, as a `tf.data.Dataset`."""
    num_examples = len(job.x)
    arrays = keras.tree.map_structure(tf.convert_to_tensor, (job.x, job.y))

    # Each epoch has its own generator: a training that goes on keeps the order.
    def order(epoch):
        rows = tf.numpy_function(
            lambda epoch: np.random.default_rng([job.seed, epoch]).permutation(
                num_examples
            ),
            [epoch],
            tf.int64,
        )
        rows = tf.data.Dataset.from_tensor_slices(tf.ensure_shape(rows, [num_examples]))
        return rows.batch(job.batch_size, drop_remainder=job.drop_remainder)

    def gather(rows):
        return keras.tree.map_structure(lambda array: tf.gather(array, rows), arrays)

    dataset = tf.data.Dataset.range(first_epoch, job.epochs).flat_map(order)
    return dataset.map(gather).prefetch(2)


class Resume(keras.callbacks.Callback):
    """Writes a checkpoint after each epoch, and goes on from it.

    It holds all that the rest depends on: the variables of model (those of dropout's
    seeds, too) and optimizer, the history, and what each `EarlyStopping` knows. A loss
    that is not finite ends the training.
    """

    EARLY_STOPPING = ("wait", "stopped_epoch", "best", "best_epoch")

    def __init__(self, job, fingerprint, store, progress):
        super().__init__()
        self.job, self.store, self.progress = job, store, progress
        self.key = [fingerprint, sorted(current_versions().items())]
        self.history, self.stopping = {}, []
        self.num_batches, self.seconds_before = num_batches(job), 0.0

    def restore(self, model):
        """Returns the epoch to begin with, after loading what came before it."""
        model.optimizer.build(model.trainable_variables)
        content = self.store.read()
        if content is None:
            return 0
        try:
            state, arrays = unpack(content)
            if state["key"] != json.loads(json.dumps(self.key)):
                raise UnusableRecord("its checkpoint is of other settings or versions")
            stopping = [
                dict(values, best_weights=in_order(arrays, f"best{index}."))
                for index, values in enumerate(state["stopping"])
            ]
            assign(variables_of(model), in_order(arrays, "variable"))
        except (UnusableRecord, KeyError, TypeError) as unusable:
            print(f"{self.job.name}: {unusable}; starting anew", flush=True)
            return 0
        self.history, self.stopping = with_nan(state["history"]), stopping
        self.seconds_before = self.history["seconds"][-1]
        epoch = len(self.history["seconds"])
        print(f"{self.job.name}: going on after epoch {epoch}", flush=True)
        return epoch

    def is_over(self):
        """Tells whether the training had ended when it was cut off."""
        if not self.history:
            return False
        stopped = any(values["stopped_epoch"] for values in self.stopping)
        return stopped or not math.isfinite(self.history["loss"][-1])

    def on_train_begin(self, logs=None):
        # Each `EarlyStopping` has just forgotten what it knew.
        for callback, values in zip(self.job.callbacks, self.stopping, strict=False):
            vars(callback).update(values)
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if self.progress is not None and self.progress.is_due():
            done = len(self.history.get("loss", ())) + (batch + 1) / self.num_batches
            losses = {key: float(logs[key]) for key in logs if key.endswith("loss")}
            self.progress.update(done, losses)

    def on_epoch_end(self, epoch, logs=None):
        for callback in self.job.callbacks:
            if callback.monitor not in logs:
                raise ValueError(
                    f"`callbacks` should monitor one of {', '.join(logs)}. "
                    f"Received: {callback.monitor!r}."
                )
        seconds = self.seconds_before + time.perf_counter() - self.started
        for key, value in {**logs, "seconds": seconds}.items():
            self.history.setdefault(key, []).append(float(value))
        if not math.isfinite(logs["loss"]):
            self.model.stop_training = True
        self.store.write(self.pack())

    def pack(self):
        """Returns the checkpoint as the bytes of an npz file."""
        state = {"key": self.key, "history": without_nan(self.history), "stopping": []}
        arrays = {
            f"variable{index:04d}": keras.ops.convert_to_numpy(variable)
            for index, variable in enumerate(variables_of(self.model))
        }
        for index, callback in enumerate(self.job.callbacks):
            known = {name: vars(callback).get(name) for name in self.EARLY_STOPPING}
            known["best"] = None if known["best"] is None else float(known["best"])
            state["stopping"].append(known)
            for number, weights in enumerate(callback.best_weights or ()):
                arrays[f"best{index}.{number:04d}"] = weights
        content = io.BytesIO()
        np.savez(content, state=json.dumps(state), **arrays)
        return content.getvalue()


def unpack(content):
    """Returns state and arrays of a checkpoint, or raises `UnusableRecord`."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = dict(file)
        return json.loads(str(arrays.pop("state"))), arrays
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UnusableRecord(f"its checkpoint is damaged ({error})") from error


def variables_of(model):
    """Returns all variables that training changes."""
    return [*model.variables, *model.optimizer.variables]


def in_order(arrays, prefix):
    """Returns the arrays whose names begin with a word, `None` if there are none."""
    return [arrays[key] for key in sorted(arrays) if key.startswith(prefix)] or None


def assign(variables, arrays):
    """Gives variables their values, or raises `UnusableRecord` and changes nothing."""
    shapes = [tuple(variable.shape) for variable in variables]
    if arrays is None or shapes != [array.shape for array in arrays]:
        raise UnusableRecord("its checkpoint is of another network")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
