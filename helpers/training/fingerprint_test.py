"""Every edit that changes a result makes its records stale, and no other edit does."""

import importlib
import json
import sys

from helpers import training
from helpers.training import code, fingerprint, fitting, parallel

import numpy as np
import pytest

MODULE = '''
"""A project of a few lines, of which tests change one at a time."""

import keras
import numpy as np
from keras import layers, ops

SCALE = 2.0


def squash(values):
    """Code deeper down."""
    return ops.tanh(values) * 1.0


@keras.saving.register_keras_serializable(package="tests")
class Squash(layers.Layer):
    """A layer of the project."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        # A comment.
        return squash(inputs) * SCALE

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="tests")
class Start(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        generator = np.random.default_rng(0)
        return ops.convert_to_tensor(generator.normal(size=shape) * 0.1, dtype)


def absolute(target, prediction):
    return ops.mean(ops.abs(target - prediction), axis=-1)


def weighted(weight):
    def loss(target, prediction):
        return weight * absolute(target, prediction)

    return loss


def build():
    inputs = keras.Input((3,), name="values")
    hidden = layers.Dense(4, activation="tanh", kernel_initializer=Start())(inputs)
    outputs = layers.Dense(3, name="reconstruction")(Squash()(hidden))
    model = keras.Model(inputs, {"reconstruction": outputs})
    kernel = model.layers[-1].kernel
    kernel.assign(np.linspace(0, 1, 3) * np.ones(kernel.shape))
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss={"reconstruction": weighted(3.0)},
    )
    return model


def data():
    return np.random.default_rng(0).random((20, 3), dtype="float32")


def arguments():
    return {"epochs": 1, "batch_size": 8, "seed": 0}


def score(model, history):
    return {"last": history["loss"][-1]}
'''
CHANGES = {
    "build: size": ("Dense(4,", "Dense(5,"),
    "build: activation": ('activation="tanh"', 'activation="relu"'),
    "build: learning rate": ("Adam(0.01)", "Adam(0.02)"),
    "call of a layer": ("squash(inputs) *", "squash(inputs) +"),
    "code below a layer": ("ops.tanh(values)", "ops.sin(values)"),
    "constant of a layer": ("SCALE = 2.0", "SCALE = 2.5"),
    "argument of a layer": ("Squash()", "Squash(2.0)"),
    "initialiser": ("size=shape) * 0.1", "size=shape) * 0.2"),
    "loss": ("ops.abs(target - prediction)", "ops.square(target - prediction)"),
    "value in a loss": ("weighted(3.0)", "weighted(4.0)"),
    "computed start weights": ("linspace(0, 1, 3)", "linspace(0, 2, 3)"),
    "data": ("random((20, 3)", "random((21, 3)"),
    "epochs": ('"epochs": 1', '"epochs": 2'),
    "batch size": ('"batch_size": 8', '"batch_size": 9'),
    "seed": ('"seed": 0', '"seed": 1'),
}
SAME = {
    "comment": ("# A comment.", "# Another one."),
    "docstring": ('"""A layer of the project."""', '"""One more."""'),
    "docstring below": ('"""Code deeper down."""', '"""Deep."""'),
    "line break": (
        "return weight * absolute(",
        "return weight * absolute(\n            ",
    ),
    "blank line": ("SCALE = 2.0", "\n\nSCALE = 2.0"),
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function that writes the module, changed or not, and imports it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(code, "PACKAGE", "edited_project")
    monkeypatch.setattr(parallel, "num_processes", lambda num_jobs: 1)
    monkeypatch.setattr(fitting, "num_processes", lambda num_jobs: 1)

    def load(old="", new=""):
        assert old in MODULE
        path = tmp_path / "edited_project.py"
        path.write_text(MODULE.replace(old, new) if old else MODULE)
        importlib.invalidate_caches()
        sys.modules.pop("edited_project", None)
        code.inspect.linecache.clearcache()
        sys.dont_write_bytecode = True
        return importlib.import_module("edited_project")

    yield load
    sys.modules.pop("edited_project", None)


def arguments_of(module):
    values = module.data()
    both = {"x": values, "y": {"reconstruction": values}}
    return {"build": module.build, **both, **module.arguments()}


def fit(module, folder):
    return training.fit(**arguments_of(module), name="run", folder=folder)


def cross_validate(module, folder):
    return training.cross_validate(
        lambda configuration, fold: (
            arguments_of(module) | {"score": module.score, "folder": folder}
        ),
        [{"size": 1}],
        1,
        name="grid",
    )


@pytest.mark.parametrize("train", [fit, cross_validate])
@pytest.mark.parametrize("change", CHANGES)
def test_edit_that_changes_a_result_is_seen(
    project, tmp_path, monkeypatch, change, train
):
    train(project(), tmp_path / "runs")
    monkeypatch.setenv("RETRAIN", "never")
    with pytest.raises(RuntimeError, match="made with other"):
        train(project(*CHANGES[change]), tmp_path / "runs")


@pytest.mark.parametrize("train", [fit, cross_validate])
@pytest.mark.parametrize("change", SAME)
def test_edit_of_words_trains_nothing(project, tmp_path, monkeypatch, change, train):
    train(project(), tmp_path / "runs")
    monkeypatch.setenv("RETRAIN", "never")
    train(project(*SAME[change]), tmp_path / "runs")


def test_edit_of_a_score_is_seen_by_a_cross_validation(project, tmp_path, monkeypatch):
    cross_validate(project(), tmp_path / "runs")
    monkeypatch.setenv("RETRAIN", "never")
    with pytest.raises(RuntimeError, match="made with other code"):
        cross_validate(
            project('history["loss"][-1]', 'history["loss"][0]'), tmp_path / "runs"
        )


def test_reversed_decoder_makes_scores_stale(tmp_path, monkeypatch):
    """The edit of chapter 1 whose scores the first edition reused."""
    from helpers import networks

    import keras

    values = np.random.default_rng(0).random((8, 5, 1), dtype="float32")

    def grid(reverse):
        def build():
            series = keras.Input((5, 1), name="series")
            code = networks.encode(series, 2, 4)
            decoded = networks.decode(code, 5, 1, 4, reverse=reverse)
            model = keras.Model(series, {"reconstruction": decoded})
            model.compile("adam", {"reconstruction": "mse"})
            return model

        arguments = {"build": build, "x": values, "y": {"reconstruction": values}}
        arguments |= {"epochs": 1, "batch_size": 8, "seed": 0, "folder": tmp_path}
        return training.cross_validate(
            lambda *_: arguments, [{"code": 2}], 1, name="grid"
        )

    grid(reverse=True)
    monkeypatch.setenv("RETRAIN", "never")
    with pytest.raises(RuntimeError, match="made with other model"):
        grid(reverse=False)


def test_probe_forgives_rounding_only():
    probe = [[1.0, 0.1], [0.0, 0.0]]
    assert fingerprint.same_probe(probe, [[1.0001, 0.1001], [1e-5, 0.0]])
    assert not fingerprint.same_probe(probe, [[1.01, 0.1], [0.0, 0.0]])
    assert not fingerprint.same_probe(probe, [[1.0, 0.11], [0.0, 0.0]])
    assert not fingerprint.same_probe(probe, probe[:1])
    assert not fingerprint.same_probe(probe, "none")


def test_fingerprint_is_json_and_names_are_counted_anew():
    with fingerprint.fresh_names():
        first = fitting.keras.layers.Dense(2).name
    with pytest.raises(ZeroDivisionError), fingerprint.fresh_names():
        1 / 0  # noqa: B018
    later = fitting.keras.layers.Dense(2).name
    assert first == "dense" and later != "dense"
    assert json.loads(json.dumps(fingerprint.digest({"a": np.ones(2)}, {})))
