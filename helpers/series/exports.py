"""A detector's network for programs that have neither Keras nor this project."""

import contextlib
import importlib.util
import pathlib

from helpers.networks import layers

import keras

ONNX_PACKAGES = ("onnx", "tf2onnx")


@contextlib.contextmanager
def plain_loops():
    """Makes layers compute with plain operations, which every format knows."""
    compiled, layers.compiled_lstm = layers.compiled_lstm, None
    try:
        yield
    finally:
        layers.compiled_lstm = compiled


def export_network(model, folder):
    """Exports a model to `saved_model/` and, where its packages are, `model.onnx`.

    Args:
        model: Keras model with one input.
        folder: Path of the folder to write to.

    Returns:
        Dict from `"tf_saved_model"` and `"onnx"` to paths.
    """
    folder = pathlib.Path(folder)
    paths = {"tf_saved_model": folder / "saved_model"}
    if all(importlib.util.find_spec(name) for name in ONNX_PACKAGES):
        paths["onnx"] = folder / "model.onnx"
    # Another model of the same weights: this one's functions are compiled already.
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    with plain_loops():
        for form, path in paths.items():
            copy.export(path, format=form, verbose=False)
    return paths
