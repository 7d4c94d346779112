"""Records: what was trained, a folder each with `run.json` and `model.keras`."""

import dataclasses
import datetime
import hashlib
import json
import math
import os
import pathlib
import platform
import sys
import tempfile

from helpers.files import write_file
from helpers.retraining import RUN_FILE
from helpers.training.fingerprint import fingerprint_of, same_probe

import keras
import numpy as np

MODEL_FILE = "model.keras"


@dataclasses.dataclass
class Run:
    """A trained model and how it came to be.

    Attributes:
        name: String, the name of the run.
        model: Compiled `keras.Model` with the trained weights; `None` if only its
            scores are kept.
        history: Dict of lists with one value per epoch: losses and metrics, named as
            `keras.Model.fit` does, and `seconds` since the start of the training.
        seconds, seed: Float, wall time of the whole training, and integer.
        versions: Dict of strings: Python, Keras, its backend and NumPy that trained.
        scores: Dict of floats (or lists of them), the recorded scores.
        reused: Boolean, whether the run was loaded and not trained.
        folder: `pathlib.Path` of the record.
    """

    name: str
    model: keras.Model | None
    history: dict
    seconds: float
    seed: int
    versions: dict
    scores: dict
    reused: bool
    folder: pathlib.Path


class UnusableRecord(Exception):
    """Says which recorded file cannot be used, and why."""


def make_record(job, model, parts, probe, history):
    """Returns a finished training as a dict for JSON and the bytes of its file."""
    content = keras_bytes(model) if job.keep_model else None
    scores = {}
    if job.score is not None:
        scores = job.score(model, history)
    elif not job.keep_model:
        last = {key: values[-1] for key, values in history.items()}
        scores = {key: value for key, value in last.items() if key != "seconds"}
    record = {
        "name": job.name,
        "fingerprint": fingerprint_of(parts),
        "seed": job.seed,
        "seconds": round(history["seconds"][-1], 3),
        "recorded": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "scores": without_nan(scores),
        "versions": current_versions(),
        "cores": os.cpu_count(),
        "settings": readable_settings(model),
        "model_sha256": content and hashlib.sha256(content).hexdigest(),
        "history": without_nan(history),
        "parts": parts,
        "probe": probe,
    }
    return record, content


def readable_settings(model):
    """Returns what a reader asks of a training, and checksums hide, as a dict."""
    optimizer, rate = model.optimizer, model.optimizer._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate = rate.get_config().get("peak")
    return {
        "optimizer": type(optimizer).__name__,
        "learning_rate": None if rate is None else float(f"{float(rate):.6g}"),
        "loss_weights": model.get_compile_config().get("loss_weights"),
    }


def keras_bytes(model):
    """Returns a model as a `.keras` file."""
    # Of a compiled model Keras writes the optimizer, too: three times the size.
    twin = type(model).from_config(model.get_config())
    twin.set_weights(model.get_weights())
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, MODEL_FILE)
        twin.save(path)
        return path.read_bytes()


def write_record(folder, record, content):
    """Writes the record of a finished training, the model first."""
    folder.mkdir(parents=True, exist_ok=True)
    if content is not None:
        write_file(folder / MODEL_FILE, content)
    write_json(folder / RUN_FILE, record)


def read_record(job, parts, probe):
    """Returns the record of a training as a dict, or raises `UnusableRecord`."""
    path = job.path / RUN_FILE
    if not path.exists():
        raise UnusableRecord("no recorded run")
    try:
        record = json.loads(path.read_text("utf-8"))
        recorded = record["parts"]
        if record["fingerprint"] != fingerprint_of(recorded):
            raise UnusableRecord(f"{path} is damaged (its fingerprint is another)")
        changed = [
            key
            for key in sorted(parts.keys() | recorded.keys())
            if parts.get(key) != recorded.get(key)
        ]
        if changed:
            raise UnusableRecord(f"made with other {', '.join(changed)}")
        if not same_probe(record["probe"], probe):
            raise UnusableRecord(
                "made with other starting weights or other code below the layers"
            )
        check_history(record["history"], job.epochs)
        record["seconds"] = float(record["seconds"])
        for key in ("history", "scores"):
            record[key] = with_nan(record[key])
        if not isinstance(record["versions"], dict):
            raise ValueError("its versions are none")
        if (record["model_sha256"] is not None) != job.keep_model:
            raise ValueError("its model is missing, or there although not asked for")
    except OSError as error:
        raise UnusableRecord(f"{path} cannot be read ({error})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableRecord(f"{path} is damaged ({error!r})") from error
    return record


def load_weights(job, record, model):
    """Gives a model the recorded weights, or raises `UnusableRecord`."""
    path = job.path / MODEL_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableRecord(f"{path} cannot be read ({error})") from error
    if hashlib.sha256(content).hexdigest() != record["model_sha256"]:
        raise UnusableRecord(f"{path} is damaged (its SHA-256 is another)")
    try:
        trained = keras.saving.load_model(path, compile=False)
        model.set_weights(trained.get_weights())
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise UnusableRecord(f"{path} holds another network ({error})") from error


def check_history(history, epochs):
    """Raises a `ValueError` if a recorded history is not one of so many epochs."""
    lengths = {len(values) for values in history.values()}
    if not {"loss", "seconds"} <= history.keys() or len(lengths) != 1:
        raise ValueError("the history lacks losses or seconds of an epoch")
    if not 1 <= lengths.pop() <= epochs:
        raise ValueError("the history has no epochs or too many")


def confirm_scores(run, scores, tolerance=1e-3):
    """Records the scores of a new run, or compares them with the recorded ones.

    Args:
        run: A `Run` whose model is kept.
        scores: Dict from names to numbers, just computed from the run's model.
        tolerance: Float, relative difference that is allowed; the default allows for
            another machine, where one example in ten thousand may change its class.

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


def agree(score, recorded, tolerance):
    """Returns whether two scores are both there and equal within a tolerance."""
    if score is None or recorded is None:
        return False
    if not math.isfinite(score) or not math.isfinite(recorded):
        return math.isfinite(score) == math.isfinite(recorded)
    # A difference of two errors may be zero, where no relative tolerance helps.
    return math.isclose(score, recorded, rel_tol=tolerance, abs_tol=1e-7)


def write_json(path, value):
    """Writes a JSON file that every reader understands (without NaN)."""
    write_file(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def without_nan(value):
    """Returns numbers, in lists and dicts, with `None` for NaN and infinity."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [without_nan(one) for one in value]
    return float(value) if math.isfinite(value) else None


def with_nan(value):
    """Returns numbers, in lists and dicts, with NaN for `None`."""
    if isinstance(value, dict):
        return {key: with_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [with_nan(one) for one in value]
    if isinstance(value, bool | str):
        raise ValueError(f"a number should stand where {value!r} stands")
    return math.nan if value is None else float(value)


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
