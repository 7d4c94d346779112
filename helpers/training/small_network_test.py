"""A small training that the tests of this folder share."""

from helpers import training

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
SERIES = rng.random((70, 6, 2), dtype="float32")
LABELS = rng.integers(0, 3, 70)
VALIDATION = (
    rng.random((30, 6, 2), dtype="float32"),
    rng.integers(0, 3, 30),
)


def targets(series, labels):
    return {"reconstruction": series, "label": labels}


def build_small(units=4, rate=0.01):
    """A network that builds fast, with layers and operations without a name."""
    series = keras.Input((6, 2), name="series")
    code = layers.Dense(units)(layers.Flatten()(series))
    code = layers.Dropout(0.3)(code) * 1.5
    steps = layers.Dense(12)(code)
    outputs = {
        "reconstruction": layers.Reshape((6, 2), name="reconstruction")(steps),
        "label": layers.Dense(3, activation="softmax", name="label")(code),
    }
    model = keras.Model(series, outputs)
    model.compile(
        optimizer=keras.optimizers.Adam(rate, clipnorm=1.0),
        loss={"reconstruction": "mse", "label": "sparse_categorical_crossentropy"},
        loss_weights={"reconstruction": 2.0, "label": 0.5},
        metrics={"label": "accuracy"},
    )
    return model


def arguments(folder, **changes):
    """Arguments of `fit` for the small network."""
    return {
        "build": build_small,
        "x": SERIES,
        "y": targets(SERIES, LABELS),
        "validation_data": (VALIDATION[0], targets(*VALIDATION)),
        "name": "joint",
        "folder": folder,
        "epochs": 3,
        "batch_size": 16,
        "seed": 1,
    } | changes


def fit_small(folder, **changes):
    return training.fit(**arguments(folder, **changes))


def weights_of(run):
    return [np.array(weight) for weight in run.model.get_weights()]


def assert_same_bits(run, other):
    for one, two in zip(weights_of(run), weights_of(other), strict=True):
        np.testing.assert_array_equal(one, two)
    times = ("seconds",)
    one, two = (
        {key: values for key, values in history.items() if key not in times}
        for history in (run.history, other.history)
    )
    assert one == two
