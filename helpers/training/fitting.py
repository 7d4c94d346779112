"""`Model.fit` that remembers: trains and records a network, or loads the record."""

import contextlib
import pathlib
import random
import threading

from helpers import retraining
from helpers.training import engine, fingerprint, records
from helpers.training.jobs import Job, check_job, check_outputs
from helpers.training.parallel import FileStore, num_processes, run_all
from helpers.training.progress import Progress
from helpers.training.schedules import WarmupCosine

import keras
from keras.src.random import seed_generator

CHECKPOINT_FILE = "checkpoint.npz"
BUILDING = threading.Lock()
asked = {}  # From the names of the runs that this process asked for to fingerprints.


def fit(build, *, x, y, epochs, batch_size, name, seed, **options):
    """Trains a network with `Model.fit` and records it, or loads the record.

    A record is used if it has the fingerprint that is asked for (model, compilation,
    arguments, arrays, and the code of the project or the notebook) and the untrained
    network measures the same. Otherwise one line says why, and the network is trained.
    A training that was cut off goes on after its last finished epoch, to the same bits.

    The environment variable `RETRAIN` changes this: `1` trains anew what took up to a
    quarter of an hour, `all` everything; the old records are moved aside first, so that
    an interrupted retraining goes on. `never` is an error where something is missing.

    Args:
        build: Function without arguments that returns a new compiled functional
            `keras.Model` with one input, and one output or a dict of outputs that have
            the names of their layers. Python, NumPy and Keras are seeded before it is
            called. A `WarmupCosine` learns from here how long the training is.
        x: Array of shape `(examples, ...)`.
        y: Dict from the name of each output with a loss to an array of shape
            `(examples, ...)`; for a model with a single output also the array.
        epochs: Positive integer. A loss that is not finite ends the training.
        batch_size: Positive integer.
        name: String, the name of the record.
        seed: Integer in `[0, 2**32)`: first weights, dropout, order of the examples.
        **options: `validation_data`, a tuple `(x, y)`; `callbacks`, a list of
            `keras.callbacks.EarlyStopping`; `drop_remainder`, whether a smaller last
            batch is left out; `score`, a function from `(model, history)` to a dict of
            numbers or lists of them to record; `keep_model=False`, to record no
            weights; `folder`, the path of all records (default `report/runs`).

    Returns:
        A `records.Run`.

    Raises:
        ValueError: If an argument does not fit the model or the others.
        RuntimeError: If the network would have to be trained and `RETRAIN` is `never`.

    Example:

    ```python
    def build():
        series = keras.Input((50, 1), name="series")
        code = keras.layers.LSTM(16)(series)
        steps = keras.layers.RepeatVector(50)(code)
        steps = keras.layers.LSTM(16, return_sequences=True)(steps)
        model = keras.Model(series, keras.layers.Dense(1)(steps))
        model.compile("adam", "mean_squared_error")
        return model

    run = fit(build, x=series, y=series, epochs=10, batch_size=32, name="a", seed=0)
    ```
    """
    arguments = {"x": x, "y": y, "epochs": epochs, "batch_size": batch_size}
    return fit_all([dict(arguments, build=build, name=name, seed=seed, **options)])[0]


def fit_all(trainings, name=None):
    """Does what `fit` does for many networks, those that are missing at the same time.

    They are trained on the cores of this machine, or by the workers of the Dask
    scheduler that `DASK_SCHEDULER_ADDRESS` names, with the same bits everywhere.

    Args:
        trainings: List of dicts of arguments of `fit`.
        name: String for the progress line; by default that of the first training.

    Returns:
        List of `records.Run`, in the order of `trainings`.

    Raises:
        ValueError, RuntimeError: See `fit`.
        ConnectionError: If the scheduler does not answer.
    """
    checked = {}
    jobs = [check_job(Job(**arguments), checked) for arguments in trainings]
    names = [job.name for job in jobs]
    if len(set(names)) < len(names):
        raise ValueError(f"`name` should be another one in each. Received: {names}.")
    digests, runs, missing = {}, {}, []
    for job in jobs:
        retraining.set_aside(pathlib.Path(job.folder), job.name)
    for job in jobs:
        model = new_model(job)
        parts = fingerprint.describe(model, job, digests)
        probe = fingerprint.probe(model, job.x, job.y)
        asked[job.name] = fingerprint.fingerprint_of(parts)
        try:
            runs[job.name] = load(job, model, parts, probe)
        except records.UnusableRecord as unusable:
            if retraining.retrain_switch() == "never":
                raise RuntimeError(
                    f"{job.name} is not trained, as RETRAIN is never: {unusable}."
                ) from unusable
            print(f"{job.name}: {unusable}; training", flush=True)
            missing.append((job, parts, probe))
    for record, content in train_missing(missing, name):
        job = next(job for job in jobs if job.name == record["name"])
        records.write_record(job.path, record, content)
        FileStore(job.path / CHECKPOINT_FILE).delete()
        runs[job.name] = load(job, new_model(job), record["parts"], record["probe"])
        runs[job.name].reused = False
    return [runs[name] for name in names]


def train_missing(missing, name):
    """Yields records and files of models of the trainings that have none."""
    stores = [FileStore(job.path / CHECKPOINT_FILE) for job, *_ in missing]
    if len(missing) > 1 and num_processes(len(missing)) > 1:
        names = [fingerprint.fingerprint_of(parts) for _, parts, _ in missing]
        title = name or missing[0][0].name
        yield from run_all(train_one, missing, stores, names, title)
        return
    for (job, parts, probe), store in zip(missing, stores, strict=True):
        with Progress(job.name, job.epochs) as progress:
            result = train_one(job, parts, probe, store, progress)
            progress.finish(summary(result[0]))
        yield result


def train_one(job, parts, probe, store, progress=None):
    """Trains one network, in this process, and returns its record and its file."""
    model = new_model(job)
    if not fingerprint.same_probe(fingerprint.probe(model, job.x, job.y), probe):
        raise RuntimeError(
            f"{job.name}: the worker builds another network than the caller; both "
            "should have the same code of `helpers`."
        )
    key = fingerprint.fingerprint_of(parts)
    history = engine.train(model, job, key, store, progress)
    return records.make_record(job, model, parts, probe, history)


def load(job, model, parts, probe):
    """Returns the recorded run of a training, or raises `UnusableRecord`."""
    record = records.read_record(job, parts, probe)
    if job.keep_model:
        records.load_weights(job, record, model)
        with Progress(job.name, job.epochs) as progress:
            progress.finish(f"{summary(record)}, recorded")
    return records.Run(
        name=job.name,
        model=model if job.keep_model else None,
        history=record["history"],
        seconds=record["seconds"],
        seed=job.seed,
        versions=record["versions"],
        scores=record["scores"],
        reused=True,
        folder=job.path,
    )


def summary(record):
    """Returns a line about a training."""
    epochs, seconds = len(record["history"]["loss"]), record["seconds"]
    return f"{record['name']}: {epochs} epochs, trained in {seconds:.0f} s"


@contextlib.contextmanager
def seeded(seed):
    """Seeds everything random while one model of this process is built."""
    # Keras draws its seeds from Python's generator, as other threads (of a Dask worker)
    # do. Here it gets one of its own, with the same numbers.
    with BUILDING:
        keras.utils.set_random_seed(seed)
        seed_generator.python_random = random.Random(seed)
        try:
            yield
        finally:
            seed_generator.python_random = random


def new_model(job):
    """Seeds everything random, then builds and checks the model of a training."""
    with seeded(job.seed), fingerprint.fresh_names():
        model = job.build()
    if not isinstance(model, keras.Model) or not hasattr(model, "output_names"):
        raise ValueError(
            "`build` should return a functional `keras.Model`. "
            f"Received: {type(model).__name__}."
        )
    if not model.compiled:
        raise ValueError(
            "`build` should return a compiled model: call `model.compile` in it. "
            "Received: a model that is not compiled."
        )
    if len(model.inputs) != 1:
        raise ValueError(
            "`build` should return a model with one input. "
            f"Received: {len(model.inputs)} inputs."
        )
    check_outputs(job, model)
    schedule = model.optimizer._learning_rate
    if isinstance(schedule, WarmupCosine) and schedule.num_steps is None:
        schedule.span(engine.num_batches(job) * job.epochs)
    return model
