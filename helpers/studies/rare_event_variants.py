"""Variants of networks for rare events: what chapter 5 trains, and how.

A variant is a dict of settings, see `BASE`. `arguments_of` turns it into the arguments
of `training.fit`; `rare_event_scores` says what is recorded of it.
"""

import functools
import math

from helpers.datasets.hurdle import MAX_STRENGTH
from helpers.networks import blocks, counts
from helpers.networks.starts import StartingBias, register
from helpers.studies.rare_event_scores import score_model
from helpers.windows.cutting import one_hot

import keras
import numpy as np
from keras import layers, ops
from keras.src.random import seed_generator

# The variant that all others change.
BASE = {
    # lstm; two_lstms, one on the other; conv_time, a convolution over time before it;
    # conv_states, one over its states; separate, an encoder per head.
    "encoder": "lstm",
    "code_size": 32,
    # What is between code and head: none; dense; conv_code, a convolution over the
    # numbers of the code; conv_shuffled, the same after a fixed shuffle of them; lstm,
    # a head's own LSTM that reads the code again and again.
    "neck": "none",
    # A kind of `CountDistribution`; event, its probability alone; mean, the strength
    # alone; two_heads, both; masked_heads, strength trained on events alone; product,
    # of probability and strength, trained as a product.
    "output": "softmax",
    "weighting": "plain",  # Of the event's loss; or balanced, focal.
    # none; joint, trained with the heads; frozen, trained before them and kept;
    # frozen_raw, the same and the last step beside the code; fine_tuned, trained
    # before them and with them.
    "autoencoder": "none",
    "reconstruction": 0.0,  # Weight of the reconstruction's loss; or learned.
    "monitor": "event",  # Loss that stops the training: of the event's head, or total.
    "share": 1.0,  # Of the training windows that have a label; others are left out.
}
UNITS = 32
BATCH_SIZE = 256
LEARNING_RATE = 0.004
MAX_EPOCHS = 25
PATIENCE = 3  # Epochs without progress after which training stops.
CONVOLUTION = {"kernel_size": 5, "activation": "relu"}
# Outputs that have a loss, the event's head first; a distribution of counts has one.
TRAINED = {
    "event": ["event"],
    "mean": ["mean"],
    "two_heads": ["event", "mean"],
    "masked_heads": ["event", "mean"],
    "product": ["mean"],
}


def variant(**changes):
    """Returns `BASE` with some settings changed, a `ValueError` if one is unknown."""
    if unknown := sorted(changes.keys() - BASE.keys()):
        raise ValueError(
            f"`changes` should have keys of {', '.join(BASE)}. Received: {unknown}."
        )
    return BASE | changes


def build(settings, shape, frequencies, encoder=None):
    """Builds and compiles the network of a variant.

    Args:
        settings: Dict with the keys of `BASE`.
        shape: Tuple `(time, features)`, of a window.
        frequencies: Array of shape `(counts,)`, the share of each strength in the
            training data, with which the heads start.
        encoder: List of arrays, the weights of an encoder that was trained before.

    Returns:
        Compiled `keras.Model` with a dict of outputs: `strength`, a distribution of
        counts, or `event` and `mean`, a probability and an expected strength; and
        `reconstruction`.
    """
    series = keras.Input(shape, name="series")
    separate = settings["encoder"] == "separate"
    kind = settings["autoencoder"]
    state = seed_generator.python_random.getstate()
    prefixes = ("event_", "mean_") if separate else ("",)
    codes = [encode(settings, series, prefix) for prefix in prefixes]
    if kind.startswith("frozen"):
        # Keras seeds first weights from here. The encoder's are replaced, and the heads
        # start as if they read recorded codes.
        seed_generator.python_random.setstate(state)
    read = codes
    if kind == "frozen_raw":
        read = [layers.Concatenate(name="code_and_last")([codes[0], series[:, -1]])]
    outputs = add_heads(settings, read, shape[0], frequencies)
    if kind == "joint":
        learned = settings["reconstruction"] == "learned"
        name = "values" if learned else "reconstruction"
        values = blocks.decode(codes[0], *shape, UNITS, name=name)
        values = LogVariance(name="reconstruction")(values) if learned else values
        outputs["reconstruction"] = values
    model = keras.Model(series, outputs)
    if kind not in ("none", "joint"):
        trained = keras.Model(series, codes[0])
        trained.set_weights(encoder)
        trained.trainable = not kind.startswith("frozen")
    compile_model(model, settings, frequencies)
    return model


def encode(settings, series, prefix=""):
    """Reads a window into a code with the variant's encoder."""
    code_size, kind = settings["code_size"], settings["encoder"]
    if kind == "lstm":
        return blocks.encode(series, code_size, UNITS)
    if kind == "two_lstms":
        series = layers.LSTM(UNITS, return_sequences=True, name="first_encoder")(series)
    elif kind == "conv_time":
        causal = {"padding": "causal", "name": "convolution"}
        series = layers.Conv1D(UNITS, **CONVOLUTION, **causal)(series)
    all_states = kind == "conv_states"
    name = f"{prefix}encoder"
    hidden = layers.LSTM(UNITS, return_sequences=all_states, name=name)(series)
    if all_states:
        hidden = layers.Conv1D(UNITS, **CONVOLUTION, name="convolution")(hidden)
        hidden = layers.GlobalMaxPooling1D(name="pool")(hidden)
    return layers.Dense(code_size, name=f"{prefix}code")(hidden)


def add_neck(settings, code, num_steps, head):
    """Puts the variant's layers between the code and a head."""
    kind = settings["neck"]
    if kind == "none":
        return code
    if kind == "dense":
        return layers.Dense(UNITS, activation="relu", name=f"{head}_dense")(code)
    if kind == "lstm":
        steps = layers.RepeatVector(num_steps, name=f"{head}_repeat")(code)
        return layers.LSTM(UNITS, name=f"{head}_lstm")(steps)
    if kind == "conv_shuffled":
        order = np.random.default_rng(0).permutation(code.shape[1])
        code = ops.take(code, order.tolist(), axis=1)
    units = layers.Reshape((code.shape[1], 1), name=f"{head}_units")(code)
    filtered = layers.Conv1D(8, **CONVOLUTION, name=f"{head}_convolution")(units)
    return layers.Flatten(name=f"{head}_flat")(filtered)


def add_heads(settings, codes, num_steps, frequencies):
    """Returns the dict of the variant's outputs but the reconstruction."""
    kind = settings["output"]
    if kind not in TRAINED:
        neck = add_neck(settings, codes[0], num_steps, "strength")
        return {"strength": counts.predict_counts(neck, frequencies, kind)}
    outputs = {}
    if kind != "mean":
        rate = 1 - frequencies[0]
        bias = StartingBias([math.log(rate / (1 - rate))])
        outputs["event"] = layers.Dense(
            1, activation="sigmoid", bias_initializer=bias, name="event"
        )(add_neck(settings, codes[0], num_steps, "event"))
    if kind != "event":
        neck = add_neck(settings, codes[-1], num_steps, "mean")
        name = "factor" if kind == "product" else "mean"
        outputs[name] = layers.Dense(1, name=name)(neck)
    if kind == "product":
        factors = [outputs["event"], outputs["factor"]]
        outputs["mean"] = layers.Multiply(name="mean")(factors)
    return outputs


def trained_outputs(settings):
    """Returns the names of the outputs that have a loss, the event's head first."""
    names = TRAINED.get(settings["output"], ["strength"])
    return names + ["reconstruction"] * (settings["autoencoder"] == "joint")


def compile_model(model, settings, frequencies):
    """Compiles a network with the losses of its variant."""
    learned = settings["reconstruction"] == "learned"
    masked = settings["output"] == "masked_heads"
    losses = {
        "strength": "categorical_crossentropy",
        "event": {
            "plain": "binary_crossentropy",
            "balanced": counts.balanced_crossentropy(float(1 - frequencies[0])),
            "focal": keras.losses.BinaryFocalCrossentropy(gamma=2.0),
        }[settings["weighting"]],
        "mean": counts.event_squared_error if masked else "mean_squared_error",
        "reconstruction": gaussian_score if learned else "mean_squared_error",
    }
    weights = {"reconstruction": 1.0 if learned else settings["reconstruction"]}
    names = trained_outputs(settings)
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss={name: losses[name] for name in names},
        loss_weights={name: weights.get(name, 1.0) for name in names},
    )


@register
class LogVariance(layers.Layer):
    """Appends a learned number, the log variance of the errors, to each step.

    From `(batch, time, features)` to `(batch, time, features + 1)`, for the loss
    `gaussian_score`. Reference: Kendall et al., 2018, CVPR, arXiv:1705.07115
    """

    def build(self, input_shape):
        self.value = self.add_weight(shape=(1,), initializer="zeros", name="value")

    def call(self, values):
        appended = ops.zeros_like(values[..., :1]) + self.value
        return ops.concatenate([values, appended], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)


def gaussian_score(target, prediction):
    """Log score of values whose log variance is the last number of each step."""
    values, log_variance = prediction[..., :-1], prediction[..., -1:]
    errors = ops.square(target - values) * ops.exp(-log_variance)
    return ops.mean((errors + log_variance) / 2, axis=-1)


def arguments_of(settings, seed, data, encoder=None):
    """Returns what `training.fit` needs to train a variant, but for its name.

    Args:
        settings: Dict with the keys of `BASE`.
        seed: Non-negative integer.
        data: Dict from `"train"`, `"validation"` and `"test"` to `windows.Events`.
        encoder: See `build`.

    Returns:
        Dict of arguments of `training.fit`.
    """
    train, validation = data["train"], data["validation"]
    rate = float((train.strengths > 0).mean())
    if settings["share"] < 1:
        draws = np.random.default_rng([seed, 1]).random(len(train.strengths))
        train = train.take(draws < settings["share"])
    frequencies = counts.count_frequencies(train.strengths, MAX_STRENGTH)
    names = trained_outputs(settings)
    by_head = len(names) > 1 and settings["monitor"] == "event"
    stop = keras.callbacks.EarlyStopping(
        f"val_{names[0]}_loss" if by_head else "val_loss",
        mode="min",
        patience=PATIENCE,
        restore_best_weights=True,
    )
    shape, score_data = train.windows.shape[1:], (validation, data["test"])
    return {
        "build": functools.partial(build, settings, shape, frequencies, encoder),
        "x": train.windows,
        "y": targets_of(train, names),
        "validation_data": (validation.windows, targets_of(validation, names)),
        "epochs": MAX_EPOCHS,
        "batch_size": BATCH_SIZE,
        "seed": seed,
        # The few examples that are left over have their turn in another epoch.
        "drop_remainder": True,
        "callbacks": [stop],
        "score": functools.partial(score_model, settings["output"], rate, *score_data),
    }


def targets_of(examples, names):
    """Returns the target of each output that has a loss, a dict of float32 arrays."""
    strengths = examples.strengths.astype("float32")[:, np.newaxis]
    targets = {
        "strength": one_hot(examples.strengths, MAX_STRENGTH + 1),
        "event": (strengths > 0).astype("float32"),
        "mean": strengths,
        "reconstruction": examples.windows,
    }
    return {name: targets[name] for name in names}
