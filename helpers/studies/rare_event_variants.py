"""Variants of networks for rare events: what chapter 5 trains, and how.

A variant is a dict of settings, see `BASE`. `arguments_of` turns it into the arguments
of `training.fit`; `rare_event_scores` says what is recorded of it.
"""

import functools
import math

from helpers.datasets.hurdle import MAX_STRENGTH
from helpers.networks import blocks, counts
from helpers.networks.starts import StartingBias
from helpers.studies.rare_event_scores import score_model
from helpers.windows.cutting import one_hot

import keras
import numpy as np
from keras import layers
from keras.src.random import seed_generator

# The variant that all others change.
BASE = {
    # lstm; conv_time, a convolution over time before it; conv_states, one over its
    # states; separate, an encoder per head.
    "encoder": "lstm",
    "code_size": 32,
    # What is between code and head: none; dense; conv_code, a convolution over the
    # numbers of the code; lstm, a head's own LSTM that reads the code again and again.
    "neck": "none",
    # A kind of `CountDistribution`; event, its probability alone; mean, the strength
    # alone; two_heads, both; masked_heads, strength trained on events alone; product,
    # of probability and strength, trained as a product.
    "output": "softmax",
    "weighting": "plain",  # Of the event's loss; or balanced, focal.
    # none; joint, trained with the heads; frozen, trained before them and kept;
    # fine_tuned, trained before them and with them.
    "autoencoder": "none",
    "reconstruction": 0.0,  # Weight of the reconstruction's loss.
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

FROZEN = {"autoencoder": "frozen", "neck": "dense"}
FINE_TUNED = {"autoencoder": "fine_tuned"}
JOINT = {"autoencoder": "joint", "reconstruction": 1.0}
BY_TOTAL = JOINT | {"monitor": "total"}
TWO_HEADS, EVENT = {"output": "two_heads"}, {"output": "event"}
QUESTIONED = BY_TOTAL | TWO_HEADS | {"neck": "lstm"}
FEW_LABELS = {"share": 0.05}
# What chapter 5 compares: by question, by name, what is changed in `BASE`.
COMPARED = {
    "1. Does an autoencoder help?": {
        "frozen": FROZEN,
        "fine-tuned": FINE_TUNED,
        "joint": JOINT,
        "frozen, 5 % labelled": FROZEN | FEW_LABELS,
        "fine-tuned, 5 % labelled": FINE_TUNED | FEW_LABELS,
    },
    "2. The better architecture?": {"questioned network": QUESTIONED},
    "3. A layer between code and head?": {
        "dense layer": {"neck": "dense"},
        "convolution over the code": {"neck": "conv_code"},
        "convolution over time before": {"encoder": "conv_time"},
        "convolution after, maxima": {"encoder": "conv_states"},
    },
    "4. More LSTMs, or MSE alone?": {
        "an LSTM per head": TWO_HEADS | {"neck": "lstm"},
        "an encoder per head": TWO_HEADS | {"encoder": "separate"},
        "MSE alone, recalibrated": {"output": "mean"},
    },
    "5. Multiply event and strength?": {
        "both, not multiplied": TWO_HEADS,
        "strength trained on events": {"output": "masked_heads"},
        "trained as a product": {"output": "product"},
    },
    "6. Which loss?": {
        "hurdle": {"output": "hurdle"},
        "negative binomial": {"output": "negative_binomial"},
        "zero-inflated": {"output": "zero_inflated"},
        "Poisson": {"output": "poisson"},
        "event alone": EVENT,
        "event alone, focal": EVENT | {"weighting": "focal"},
        "event alone, balanced": EVENT | {"weighting": "balanced"},
    },
    "7. Which weights of the losses?": {
        "reconstruction .1": JOINT | {"reconstruction": 0.1},
        "joint, stopped by the total": BY_TOTAL,
    },
}
# By name, what is not compared with `BASE` itself.
AGAINST = {
    "frozen, 5 % labelled": FEW_LABELS,
    "fine-tuned, 5 % labelled": FEW_LABELS,
    "joint, stopped by the total": JOINT,
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
    if kind == "frozen":
        # Keras seeds first weights from here. The encoder's are replaced, and the heads
        # start as if they read recorded codes.
        seed_generator.python_random.setstate(state)
    outputs = add_heads(settings, codes, shape[0], frequencies)
    if kind == "joint":
        outputs["reconstruction"] = blocks.decode(codes[0], *shape, UNITS)
    model = keras.Model(series, outputs)
    if kind not in ("none", "joint"):
        trained = keras.Model(series, codes[0])
        trained.set_weights(encoder)
        trained.trainable = kind != "frozen"
    compile_model(model, settings, frequencies)
    return model


def encode(settings, series, prefix=""):
    """Reads a window into a code with the variant's encoder."""
    code_size, kind = settings["code_size"], settings["encoder"]
    if kind == "lstm":
        return blocks.encode(series, code_size, UNITS)
    if kind == "conv_time":
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
    masked = settings["output"] == "masked_heads"
    losses = {
        "strength": "categorical_crossentropy",
        "event": {
            "plain": "binary_crossentropy",
            "balanced": counts.balanced_crossentropy(float(1 - frequencies[0])),
            "focal": keras.losses.BinaryFocalCrossentropy(gamma=2.0),
        }[settings["weighting"]],
        "mean": counts.event_squared_error if masked else "mean_squared_error",
        "reconstruction": "mean_squared_error",
    }
    weights = {"reconstruction": settings["reconstruction"]}
    names = trained_outputs(settings)
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss={name: losses[name] for name in names},
        loss_weights={name: weights.get(name, 1.0) for name in names},
    )


def stop_early(monitor):
    """Ends a training when a loss has not fallen, with the best epoch's weights."""
    return keras.callbacks.EarlyStopping(
        monitor, mode="min", patience=PATIENCE, restore_best_weights=True
    )


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
    stop = stop_early(f"val_{names[0]}_loss" if by_head else "val_loss")
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
