"""Ablations of networks for rare events: build a variant, train it, score it.

A variant is a dict of settings, see `BASE`. `evaluate` is what
`selection.cross_validate` calls for each variant and seed.
"""

import functools
import json
import math

import keras
import numpy as np
from keras import layers, ops
from sklearn.metrics import average_precision_score, roc_auc_score

from helpers import autoencoder, counts, event_scores, selection, training
from helpers.rare_events import MAX_STRENGTH
from helpers.windows import one_hot

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
    # A distribution of `counts`; event, its probability alone; mean, the strength
    # alone; two_heads, both; masked_heads, strength trained on events alone; product,
    # of probability and strength, trained as a product.
    "output": "softmax",
    "weighting": "plain",  # Of the event's loss; or balanced, focal.
    # none; joint, trained with the heads; frozen, trained before them and kept;
    # frozen_raw, the same and the last step beside the code; fine_tuned, trained
    # before them and with them.
    "autoencoder": "none",
    "reconstruction": 0.0,  # Weight of the reconstruction's loss; or learned.
    "monitor": "event",  # Loss that stops the training: of the event head, or total.
    "share": 1.0,  # Of the training windows that have a label.
}
UNITS = 32
BATCH_SIZE = 256
LEARNING_RATE = 0.004
MAX_EPOCHS = 25
PATIENCE = 3  # Epochs without progress after which training stops.
PRETRAINING_EPOCHS = 15
FALSE_ALARM_RATE = 0.02
BY_DAY = {
    "validation": ("Brier",),
    "test": (
        *("Brier", "log score", "ranked probability"),
        *("mean squared error", "factor squared error"),
    ),
}
COST_RATIOS = np.arange(0.05, 0.951, 0.05)
CONVOLUTION = {"kernel_size": 5, "activation": "relu"}


def variant(**changes):
    """Returns `BASE` with some settings changed.

    Raises:
        ValueError: If a setting is unknown, or labels are to be hidden from a variant
            that would use all of them.
    """
    unknown = sorted(changes.keys() - BASE.keys())
    if unknown:
        raise ValueError(
            f"`changes` should have keys of {', '.join(BASE)}. Received: {unknown}."
        )
    settings = BASE | changes
    hides = settings["autoencoder"] == "joint" and settings["share"] < 1
    if hides and settings["output"] not in counts.NUM_PARAMETERS:
        raise ValueError(
            "`changes` should ask for a distribution of counts where the joint "
            "autoencoder gets a share of the labels: other outputs would see all of "
            f"them. Received: {settings['output']!r}."
        )
    return settings


# The network.


def build(settings, num_steps, num_features, frequencies):
    """Builds the network of a variant.

    Args:
        settings: Dict with the keys of `BASE`.
        num_steps: Positive integer, length of a window.
        num_features: Positive integer, values per step.
        frequencies: Array of shape `(counts,)`, the share of each strength in the
            training data, with which the heads start.

    Returns:
        `keras.Model` with a dict of outputs: `strength`, a distribution of counts; or
        `event`, a probability, or `mean`, an expected strength; and `reconstruction`.
    """
    series = keras.Input((num_steps, num_features), name="series")
    frozen = settings["autoencoder"].startswith("frozen")
    if frozen:
        # What it reads are codes, a step each: the encoder is not trained.
        codes = [layers.Reshape((num_features,), name="code")(series)] * 2
    elif settings["encoder"] == "separate":
        codes = [encode(settings, series, f"{head}_") for head in ("event", "mean")]
    else:
        codes = [encode(settings, series)] * 2
    outputs = add_heads(settings, codes, num_steps, frequencies)
    if settings["autoencoder"] == "joint":
        learned = settings["reconstruction"] == "learned"
        reconstruction = autoencoder.decode(
            codes[0],
            num_steps,
            num_features,
            UNITS,
            name="values" if learned else "reconstruction",
        )
        if learned:
            reconstruction = LogVariance(name="reconstruction")(reconstruction)
        outputs["reconstruction"] = reconstruction
    return keras.Model(series, outputs)


def encode(settings, series, prefix=""):
    """Reads a window into a code with the variant's encoder."""
    code_size, kind = settings["code_size"], settings["encoder"]
    if kind == "lstm":
        return autoencoder.encode(series, code_size, UNITS)
    if kind == "separate":
        hidden = layers.LSTM(UNITS, name=f"{prefix}encoder")(series)
    elif kind == "two_lstms":
        states = layers.LSTM(UNITS, return_sequences=True, name="first_encoder")(series)
        hidden = layers.LSTM(UNITS, name="encoder")(states)
    elif kind == "conv_time":
        filtered = layers.Conv1D(
            UNITS, **CONVOLUTION, padding="causal", name="convolution"
        )(series)
        hidden = layers.LSTM(UNITS, name="encoder")(filtered)
    elif kind == "conv_states":
        states = layers.LSTM(UNITS, return_sequences=True, name="encoder")(series)
        filtered = layers.Conv1D(UNITS, **CONVOLUTION, name="convolution")(states)
        hidden = layers.GlobalMaxPooling1D(name="pool")(filtered)
    else:
        raise ValueError(f"`encoder` is unknown. Received: {kind!r}.")
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
    if kind not in ("conv_code", "conv_shuffled"):
        raise ValueError(f"`neck` is unknown. Received: {kind!r}.")
    if kind == "conv_shuffled":
        order = np.random.default_rng(0).permutation(code.shape[1])
        code = ops.take(code, order.tolist(), axis=1)
    units = layers.Reshape((code.shape[1], 1), name=f"{head}_units")(code)
    filtered = layers.Conv1D(8, **CONVOLUTION, name=f"{head}_convolution")(units)
    return layers.Flatten(name=f"{head}_flat")(filtered)


def add_heads(settings, codes, num_steps, frequencies):
    """Returns the dict of the variant's outputs but the reconstruction."""
    kind = settings["output"]
    if kind in counts.NUM_PARAMETERS:
        neck = add_neck(settings, codes[0], num_steps, "strength")
        return {"strength": counts.predict_counts(neck, frequencies, kind)}
    if kind not in ("event", "mean", "two_heads", "masked_heads", "product"):
        raise ValueError(f"`output` is unknown. Received: {kind!r}.")
    outputs = {}
    if kind != "mean":
        rate = 1 - frequencies[0]
        outputs["event"] = layers.Dense(
            1,
            activation="sigmoid",
            bias_initializer=counts.StartingBias([math.log(rate / (1 - rate))]),
            name="event",
        )(add_neck(settings, codes[0], num_steps, "event"))
    if kind != "event":
        neck = add_neck(settings, codes[1], num_steps, "mean")
        name = "factor" if kind == "product" else "mean"
        outputs[name] = layers.Dense(1, name=name)(neck)
    if kind == "product":
        factors = [outputs["event"], outputs["factor"]]
        outputs["mean"] = layers.Multiply(name="mean")(factors)
    return outputs


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class LogVariance(layers.Layer):
    """Appends a learned number, the log variance of the errors, to each step.

    Input: tensor `(batch, time, features)`. Output: tensor `(batch, time, features +
    1)` for the loss `gaussian_score`.

    Reference:
        Kendall, Gal & Cipolla, 2018, Multi-task learning using uncertainty to weigh
        losses for scene geometry and semantics. CVPR, arXiv:1705.07115
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


def choose_losses(settings, rate):
    """Returns dicts of losses and of their weights, by output."""
    losses = {"strength": "categorical_crossentropy", "mean": "mean_squared_error"}
    losses["event"] = {
        "plain": "binary_crossentropy",
        "balanced": counts.balanced_crossentropy(rate),
        "focal": keras.losses.BinaryFocalCrossentropy(gamma=2.0),
    }[settings["weighting"]]
    if settings["output"] == "product":  # What is multiplied has no loss of its own.
        losses |= {"event": None, "factor": None}
    if settings["output"] == "masked_heads":
        losses["mean"] = counts.event_squared_error
    learned = settings["reconstruction"] == "learned"
    losses["reconstruction"] = gaussian_score if learned else "mean_squared_error"
    weight = 1.0 if learned else settings["reconstruction"]
    return losses, {"reconstruction": weight}


# Training.


@functools.lru_cache(maxsize=2)
def compiled(key):
    """Builds and compiles a network; its weights do not matter.

    Compiling takes as long as several epochs, and serves all seeds of a variant.

    Args:
        key: String, JSON of the arguments of `build` and the learning rate.
    """
    settings, *arguments, learning_rate = json.loads(key)
    model = build(settings, *arguments)
    losses, weights = choose_losses(settings, 1 - arguments[-1][0])
    compile_model(model, losses, weights, learning_rate)
    return model


def compile_model(model, losses, weights, learning_rate):
    """Compiles a network with those of the losses that its outputs need."""
    # The names of outputs in a dict; an output without a loss is not trained.
    names = [name for name in model.output if losses[name] is not None]
    model.compile(
        keras.optimizers.Adam(learning_rate),
        {name: losses[name] for name in names},
        loss_weights={name: weights.get(name, 1.0) for name in names},
    )


def start_anew(model, weights):
    """Gives a compiled model its first weights and its optimizer no memory."""
    model.set_weights(weights)
    for variable in model.optimizer.variables:
        if variable.path.split("/")[-1] != "learning_rate":
            variable.assign(ops.zeros_like(variable))


def train(model, inputs, targets, validation, monitor, seed, epochs=MAX_EPOCHS):
    """Trains a compiled model until a validation loss stops falling.

    Args:
        model: Compiled `keras.Model` with a dict of outputs.
        inputs: float32 array of shape `(examples, time, features)`.
        targets: Dict from output to array.
        validation: Tuple `(inputs, targets)`.
        monitor: String, the loss that is watched, for instance `"val_loss"`.
        seed: Integer, for the order of the examples.
        epochs: Positive integer, the most epochs.

    Returns:
        Dict of lists, the history: losses of each epoch. The model has the weights of
        the best one.
    """
    history, best_weights = {}, model.get_weights()
    best, waited = math.inf, 0
    batch_size = min(BATCH_SIZE, len(inputs))
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(inputs))
        means = training.Means()
        # All batches have one size, as another one would be compiled for; the few
        # examples that are left over have their turn in another epoch.
        for first in range(0, len(inputs) - batch_size + 1, batch_size):
            rows = order[first : first + batch_size]
            batch = {name: target[rows] for name, target in targets.items()}
            logs = model.train_on_batch(inputs[rows], batch, return_dict=True)
            means.add(logs, len(rows))
        logs = means.result() | training.evaluate(
            model, *validation, len(validation[0])
        )
        for name, value in logs.items():
            history.setdefault(name, []).append(float(value))
        waited += 1
        if logs[monitor] < best:
            best, waited, best_weights = logs[monitor], 0, model.get_weights()
        if waited == PATIENCE:
            break
    model.set_weights(best_weights)
    return history


def make_targets(model, examples, inputs):
    """Returns the target of each output that is trained.

    Args:
        model: `keras.Model`.
        examples: `rare_events.Events`.
        inputs: Array, what the model reads and is to reconstruct.

    Returns:
        Dict from output to float32 array.
    """
    strengths = examples.strengths.astype("float32")[:, np.newaxis]
    targets = {
        "strength": one_hot(examples.strengths, MAX_STRENGTH + 1),
        "event": (strengths > 0).astype("float32"),
        "mean": strengths,
        "reconstruction": inputs,
    }
    if "factor" in model.output:
        return {"mean": strengths}
    return {name: targets[name] for name in model.output}


class Autoencoders:
    """Autoencoders that were trained without labels, one per size of code and seed.

    Args:
        train_events: `rare_events.Events`.
        validation_events: `rare_events.Events`, stops the training.
        epochs: Positive integer, the most epochs.
    """

    def __init__(self, train_events, validation_events, epochs=PRETRAINING_EPOCHS):
        self.train_events, self.validation_events = train_events, validation_events
        self.epochs = epochs
        self.trained = {}

    def get(self, code_size, seed):
        """Returns `(weights, error)` of the encoder, trained at the first call."""
        if (code_size, seed) not in self.trained:
            self.trained[code_size, seed] = self.train(code_size, seed)
        return self.trained[code_size, seed]

    def train(self, code_size, seed):
        """Trains an autoencoder and returns the weights of its encoder."""
        keras.utils.set_random_seed(seed)
        num_steps, num_features = self.train_events.windows.shape[1:]
        series = keras.Input((num_steps, num_features), name="series")
        code = autoencoder.encode(series, code_size, UNITS)
        decoded = autoencoder.decode(code, num_steps, num_features, UNITS)
        model = keras.Model(series, {"reconstruction": decoded})
        model.compile(
            keras.optimizers.Adam(LEARNING_RATE),
            {"reconstruction": "mean_squared_error"},
        )
        inputs, others = self.train_events.windows, self.validation_events.windows
        history = train(
            model,
            inputs,
            {"reconstruction": inputs},
            (others, {"reconstruction": others}),
            "val_loss",
            seed,
            self.epochs,
        )
        encoder = keras.Model(series, code)
        return encoder.get_weights(), min(history["val_loss"])


def read_codes(examples, code_size, weights, with_last_step):
    """Returns examples whose windows are a single step, the code of each window."""
    num_steps, num_features = examples.windows.shape[1:]
    series = keras.Input((num_steps, num_features))
    encoder = keras.Model(series, autoencoder.encode(series, code_size, UNITS))
    encoder.set_weights(weights)
    codes = encoder.predict(examples.windows, batch_size=1024, verbose=0)
    if with_last_step:
        codes = np.concatenate([codes, examples.windows[:, -1]], axis=1)
    return examples._replace(windows=codes[:, np.newaxis])


def fit(settings, seed, data, autoencoders):
    """Trains the network of a variant.

    Args:
        settings: Dict with the keys of `BASE`.
        seed: Non-negative integer.
        data: Dict from `"train"`, `"validation"` and `"test"` to `rare_events.Events`.
        autoencoders: `Autoencoders` of the same data.

    Returns:
        Tuple `(model, history, data)`: the data as the model reads them.
    """
    kind, code_size = settings["autoencoder"], settings["code_size"]
    error = math.nan
    if kind not in ("none", "joint"):
        weights, error = autoencoders.get(code_size, seed)
    if kind.startswith("frozen"):
        data = {
            part: read_codes(examples, code_size, weights, kind == "frozen_raw")
            for part, examples in data.items()
        }
    labelled = np.ones(len(data["train"].strengths), bool)
    if settings["share"] < 1:
        rng = np.random.default_rng([seed, 1])
        labelled = rng.random(len(labelled)) < settings["share"]
    known = data["train"].take(labelled)
    frequencies = counts.count_frequencies(known.strengths, MAX_STRENGTH)
    shape = data["train"].windows.shape[1:]
    everyone = counts.count_frequencies(data["train"].strengths, MAX_STRENGTH)
    model = compiled(json.dumps([settings, *shape, everyone.tolist(), LEARNING_RATE]))
    keras.utils.set_random_seed(seed)
    fresh = build(settings, *shape, frequencies)
    if kind == "fine_tuned":
        encoder = keras.Model(fresh.inputs, fresh.get_layer("code").output)
        encoder.set_weights(weights)
    start_anew(model, fresh.get_weights())
    # Without a reconstruction, windows without a label teach nothing.
    examples = data["train"] if kind == "joint" else known
    targets = make_targets(model, examples, examples.windows)
    if kind == "joint" and settings["share"] < 1:
        # Of a distribution, no target at all is a loss of 0.
        weights = (labelled / labelled.mean()).astype("float32")
        targets["strength"] = targets["strength"] * weights[:, np.newaxis]
    others = data["validation"]
    validation = others.windows, make_targets(model, others, others.windows)
    monitor = "val_loss"
    if len(targets) > 1 and settings["monitor"] == "event":
        head = next(name for name in ("strength", "event", "mean") if name in targets)
        monitor = f"val_{head}_loss"
    history = train(model, examples.windows, targets, validation, monitor, seed)
    if kind not in ("none", "joint"):
        history["pretraining"] = [error]
    return model, history, data


# Scores.


def read_forecast(outputs, settings):
    """Turns the outputs of a network into one form.

    Args:
        outputs: Dict from output to array, what a model predicts.
        settings: Dict with the keys of `BASE`.

    Returns:
        Dict with `rank`, an array that grows with the risk; and, where the network
        gives one, `event`, a probability, `strength`, the probabilities of all counts,
        `mean`, the expected strength, and `factor`, the strength head's own output.
        Arrays have the shape `(examples,)`, `strength` `(examples, counts)`.
    """
    outputs = {name: values.astype("float64") for name, values in outputs.items()}
    forecast = {}
    if "strength" in outputs:
        strength = outputs["strength"].clip(0)
        strength /= strength.sum(axis=1, keepdims=True)
        forecast = {
            "strength": strength,
            "event": strength[:, 1:].sum(axis=1).clip(0, 1),
        }
        forecast["mean"] = counts.mean_count(strength)
    if "event" in outputs:
        forecast["event"] = outputs["event"][:, 0]
    if "mean" in outputs:
        forecast["mean"] = outputs["mean"][:, 0]
        forecast["factor"] = outputs.get("factor", outputs["mean"])[:, 0]
        if settings["output"] == "masked_heads":
            # Probability of an event times its strength given that there is one.
            forecast["mean"] = forecast["event"] * forecast["factor"]
    forecast["rank"] = forecast.get("event", forecast.get("mean"))
    if settings["output"] == "product":  # Its probability was never trained alone.
        forecast["rank"] = forecast["mean"]
    return forecast


def score(forecast, examples, baseline_rate, by_day=()):
    """Scores a forecast.

    Args:
        forecast: Dict, see `read_forecast`.
        examples: `rare_events.Events`.
        baseline_rate: Float, the share of events in the training data.
        by_day: Strings, the scores of which the sums over each day are returned, too.

    Returns:
        Dict of floats, and of lists with a number per day for a bootstrap by day.
    """
    events = examples.strengths > 0
    result = {
        "area under curve": roc_auc_score(events, forecast["rank"]),
        "average precision": average_precision_score(events, forecast["rank"]),
    }
    each = {}
    if "event" in forecast:
        brier = event_scores.brier_scores(events, forecast["event"])
        climate = np.full(len(events), baseline_rate)
        reference = event_scores.brier_scores(events, climate).sum()
        result["Brier skill"] = 1 - brier.sum() / reference
        losses = event_scores.log_scores(events, forecast["event"])
        result["cross-entropy"] = losses.mean()
        each["Brier"] = brier
    if "strength" in forecast:
        logs = event_scores.count_log_scores(examples.strengths, forecast["strength"])
        ranked = event_scores.ranked_probability_scores(
            examples.strengths, forecast["strength"]
        )
        result |= {"log score": logs.mean(), "ranked probability": ranked.mean()}
        each |= {"log score": logs, "ranked probability": ranked}
    for name in ("mean", "factor"):
        if name in forecast:
            errors = np.square(forecast[name] - examples.strengths)
            result[f"{name} squared error"] = errors.mean()
            result[f"{name} average"] = forecast[name].mean()
            result[f"{name} largest"] = forecast[name].max()
            each[f"{name} squared error"] = errors
    if "event" in forecast and "factor" in forecast:
        result["event average"] = forecast["event"].mean()
        multiplied = forecast["event"] * forecast["factor"]
        errors = np.square(multiplied - examples.strengths)
        result["multiplied squared error"] = errors.mean()
        result["multiplied average"] = multiplied.mean()
    for name in by_day:
        if name in each:
            sums = event_scores.sum_by_unit(each[name], examples.days)
            result[f"{name} by day"] = rounded(sums)
    return result


def score_more(forecast, others, examples, other_examples):
    """Scores what needs a second set of data, and what is drawn as curves.

    Args:
        forecast: Dict, see `read_forecast`, of the test data.
        others: The same of the validation data.
        examples: `rare_events.Events`, the test data.
        other_examples: `rare_events.Events`, the validation data.

    Returns:
        Dict of floats and lists.
    """
    events, other_events = examples.strengths > 0, other_examples.strengths > 0
    caught = event_scores.recalls(examples, forecast["rank"], FALSE_ALARM_RATE)
    result = {f"recall of {name}": value for name, value in caught.items()}
    probabilities = event_scores.recalibrate(
        other_events, others["rank"], forecast["rank"]
    )
    brier = event_scores.brier_scores(events, probabilities)
    result["recalibrated Brier by day"] = rounded(
        event_scores.sum_by_unit(brier, examples.days)
    )
    if "event" in forecast:
        bins = event_scores.reliability(events, forecast["event"])
        result |= {f"reliability {name}": rounded(sums) for name, sums in bins.items()}
        value = event_scores.costs(events, forecast["event"], COST_RATIOS)
        result["value by cost"] = rounded(value)
    return result


def rounded(values):
    """Returns a list of floats with four decimals, which is enough for a bootstrap."""
    return [round(float(value), 4) for value in values]


def evaluate(settings, seed, data, autoencoders):
    """Trains the network of a variant and scores it.

    Args:
        settings: Dict with the keys of `BASE`.
        seed: Non-negative integer.
        data: Dict from `"train"`, `"validation"` and `"test"` to `rare_events.Events`.
        autoencoders: `Autoencoders` of the same data.

    Returns:
        Dict of floats and of lists of floats: the scores of both parts, with the name
        of the part in front, the history of the losses, and the number of parameters.
    """
    model, history, data = fit(settings, seed, data, autoencoders)
    rate = float((data["train"].strengths > 0).mean())
    result, forecasts = {"parameters": model.count_params()}, {}
    num_features = data["test"].windows.shape[-1]
    for part in ("validation", "test"):
        outputs = model.predict(data[part].windows, batch_size=1024, verbose=0)
        if "reconstruction" in outputs:
            values = outputs.pop("reconstruction")[..., :num_features]
            errors = np.square(values - data[part].windows)
            result[f"{part} reconstruction"] = float(errors.mean())
        forecasts[part] = read_forecast(outputs, settings)
        scored = score(forecasts[part], data[part], rate, BY_DAY[part])
        result |= {f"{part} {name}": value for name, value in scored.items()}
    more = score_more(
        forecasts["test"], forecasts["validation"], data["test"], data["validation"]
    )
    result |= {f"test {name}": value for name, value in more.items()}
    losses = [name for name in history if name.endswith("loss")]
    result |= {f"{name} by epoch": rounded(history[name]) for name in losses}
    if "pretraining" in history:
        result["pretraining reconstruction"] = history["pretraining"][0]
    return result


def protocol():
    """Returns the main things that `evaluate` depends on beside variant and data.

    The code of the modules that this one uses, other than `counts`, is not among them,
    nor are constants that are not named here: delete the recorded scores, or set
    `RETRAIN=all`, after changing those.

    Returns:
        Dict of numbers and a checksum.
    """
    code = [
        *(build, encode, add_neck, add_heads, LogVariance, gaussian_score),
        *(choose_losses, compile_model, start_anew, train, make_targets, Autoencoders),
        *(read_codes, fit, read_forecast, score, score_more, evaluate),
        *(counts.CountDistribution, counts.predict_counts, counts.starting_biases),
        *(counts.event_squared_error, counts.balanced_crossentropy),
    ]
    return {
        "units": UNITS,
        "batch size": BATCH_SIZE,
        "learning rate": LEARNING_RATE,
        "epochs": MAX_EPOCHS,
        "patience": PATIENCE,
        "false alarms": FALSE_ALARM_RATE,
        "code": selection.code_checksum(*code),
    }
