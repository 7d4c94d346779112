"""Probes of chapter 6: what a layer, a step or a code does, as numbers."""

import time

from helpers import scores
from helpers.datasets import settle

import keras
import numpy as np
from keras import layers, ops

NUM_SEQUENCES, NUM_STEPS, NUM_UNITS = 64, 50, 32  # Where masks are read.
WIDE_OPEN_LOGIT = 9.0  # A gate with this bias lets nearly everything pass.
NUM_TIMED_STEPS = 12  # Steps of training of which the fastest counts.


def same(first, second):
    """Returns whether two arrays of outputs agree to 1e-5, which rounding explains."""
    return bool(np.allclose(first, second, rtol=0, atol=1e-5))


def predict(model, inputs):
    """Returns the output of a model with a single output as a float32 array."""
    return model.predict(inputs, batch_size=1000, verbose=0).astype("float32")


def oscillation(num_steps, rng):
    """Draws a series of `x[t] = 1.5 x[t-1] - 0.8 x[t-2] + e[t]`, `e` standard normal.

    Returns a tuple `(series, noise)` of float64 arrays of shape `(num_steps,)`.
    """
    noise = rng.normal(size=num_steps + 1000)
    series = np.zeros_like(noise)
    for step in range(2, len(noise)):
        series[step] = 1.5 * series[step - 1] - 0.8 * series[step - 2] + noise[step]
    return series[1000:], noise[1000:]  # By then the first values are forgotten.


def cut_windows(series):
    """Cuts windows, `(examples, 10, 1)`, and the values after them, `(examples, 1)`."""
    cut = np.lib.stride_tricks.sliding_window_view(settle(series), 11)
    return cut[:, :10, np.newaxis], cut[:, 10:]


def draw_symbols(num_sequences, rng):
    """Draws sequences of 12 of 7 symbols, and a class that depends on the first one.

    Returns the classes' probabilities, `(7, 8)`, a row per first symbol; symbols and
    classes, integers of shapes `(sequences, 12)` and `(sequences,)`.
    """
    chances = np.full((7, 8), 0.1 / 8)
    chances[:, 0] += 0.5
    chances[np.arange(7), np.arange(1, 8)] += 0.4
    symbols = rng.integers(7, size=(num_sequences, 12))
    draws = rng.random((num_sequences, 1))
    drawn = (draws > chances.cumsum(axis=1)[symbols[:, 0]]).sum(axis=1).clip(max=7)
    return chances, symbols, drawn


def interval(values):
    """Returns mean and 95 % interval of values, `(seeds, examples)`, as three floats.

    Drawn are seeds and 100 blocks of examples, which may depend on their neighbours.
    """
    blocks = np.arange(np.shape(values)[1]) * 100 // np.shape(values)[1]
    sums = [scores.sum_by_unit(np.asarray(row, "float64"), blocks) for row in values]
    return scores.paired_interval(np.zeros((1, 100)), sums, np.bincount(blocks), 0)


def as_text(mean_low_high, form="{:+.2%}"):
    """Formats a mean and its interval: mean (low to high)."""
    return "{} ({} to {})".format(*map(form.format, mean_low_high))


def probe_state(stateful):
    """Finds out what `predict` does to the weights and the state of an LSTM.

    Four sequences of 40 steps are predicted twice, then after `reset_state`, in another
    order of the rows, and in two halves. Returns a dict from a sentence to whether it
    holds.
    """
    keras.utils.set_random_seed(0)
    inputs = keras.Input(batch_shape=(4, None, 3))
    lstm = layers.LSTM(8, stateful=stateful, return_sequences=True)
    model = keras.Model(inputs, lstm(inputs))
    weights = [np.array(weight) for weight in lstm.cell.get_weights()]
    series = np.random.default_rng(0).normal(size=(4, 40, 3)).astype("float32")

    def call(part, reset=False):
        if reset and stateful:
            lstm.reset_state()
        return model.predict(part, verbose=0)

    first, again = call(series), call(series)
    anew, reversed_rows = call(series, reset=True), call(series[::-1], reset=True)
    call(series[:, :20], reset=True)
    second_half = call(series[:, 20:])
    kept = all(map(np.array_equal, weights, lstm.cell.get_weights()))
    return {
        "the weights are the same afterwards": kept,
        "a second predict gives the same": same(first, again),
        "so does one after reset_state": same(first, anew),
        "so does another order of the rows": same(first, reversed_rows[::-1]),
        "two halves give what the whole gives": same(first[:, 20:], second_half),
    }


def compare_calls(layer):
    """Tells by a dict which calls of a layer agree, with and without training."""
    inputs = np.random.default_rng(0).normal(size=(64, 5, 8)).astype("float32")
    predicted, again, trained, trained_again = (
        ops.convert_to_numpy(layer(inputs, training=training))
        for training in (False, False, True, True)
    )
    return {
        "predict repeats": same(predicted, again),
        "training repeats": same(trained, trained_again),
        "both agree": same(predicted, trained),
    }


def mode_gap(layer, batch_size):
    """Returns the root mean square between a layer's outputs as trained and in predict.

    It has seen 2,048 examples of 16 numbers (mean 5, deviation 3) for ten epochs.
    """
    examples = np.random.default_rng(0).normal(5, 3, (2048, 16)).astype("float32")
    for start in list(range(0, 2048, batch_size)) * 10:
        batch = examples[start : start + batch_size]
        trained = layer(batch, training=True)
    return float(ops.sqrt(ops.mean((trained - layer(batch, training=False)) ** 2)))


def read_lstm_masks(argument, rate):
    """Reads the masks of the argument `"dropout"` or `"recurrent_dropout"` off an LSTM.

    Its gates are held open and its candidate is the input, which is constant, or the
    last state plus a constant: what is hidden shows in the output. Returns a boolean
    array of shape `(sequences, time, units)`, true where a value is kept. The first
    step has no state yet and is left out for `"recurrent_dropout"`.
    """
    on_state = {"dropout": False, "recurrent_dropout": True}[argument]
    lstm = layers.LSTM(NUM_UNITS, return_sequences=True, **{argument: rate})
    lstm.build((None, NUM_STEPS, NUM_UNITS))
    kernels = np.zeros((2, NUM_UNITS, 4, NUM_UNITS))
    kernels[int(on_state), :, 2] = np.eye(NUM_UNITS)
    # Input and output gate open, forget gate closed, something for the state to hold.
    logits = [WIDE_OPEN_LOGIT, -WIDE_OPEN_LOGIT, float(on_state), WIDE_OPEN_LOGIT]
    flat = kernels.reshape(2, NUM_UNITS, -1)
    lstm.cell.set_weights([*flat, np.repeat(logits, NUM_UNITS)])
    ones = np.ones((NUM_SEQUENCES, NUM_STEPS, NUM_UNITS), "float32")
    hidden = ops.convert_to_numpy(lstm(ones, training=True))
    return hidden[:, 1:] > hidden[:, :1] + 0.05 if on_state else hidden > 0.05


def read_layer_masks(layer):
    """Reads the masks off a dropout layer, see `read_lstm_masks`."""
    ones = np.ones((NUM_SEQUENCES, NUM_STEPS, NUM_UNITS), "float32")
    return ops.convert_to_numpy(layer(ones, training=True)) > 0


def build_table(vocabulary):
    """Builds a network with a table of 32 numbers per word and one output."""
    words = keras.Input((), dtype="int32", name="words")
    rows = layers.Embedding(vocabulary, 32, name="table")(words)
    return keras.Model(words, layers.Dense(1, name="output")(rows))


def step_milliseconds(vocabulary, optimizer):
    """Measures a training step of `build_table` on 64 words of the first 100.

    Returns the least processor time of a step, which other work disturbs least, in ms.
    """
    model = build_table(vocabulary)
    model.compile(optimizer, "mean_squared_error")
    words = np.random.default_rng(0).integers(100, size=64)
    times = []
    for _ in range(2 + NUM_TIMED_STEPS):
        start = time.process_time()
        model.train_on_batch(words, np.ones((64, 1), "float32"))
        times.append(1000 * (time.process_time() - start))
    return min(times[2:])  # The first steps compile.


def count_changed_rows(optimizer):
    """Counts the rows of an embedding that a second step, on other words, changes."""
    model = build_table(1000)
    model.compile(optimizer, "mean_squared_error")
    table = model.get_layer("table").embeddings
    for words in (np.arange(20), np.arange(20, 40)):
        before = ops.convert_to_numpy(table).copy()
        model.train_on_batch(words, np.ones((20, 1), "float32"))
    return int((ops.convert_to_numpy(table) != before).any(axis=1).sum())


def unit_length(vectors):
    """Scales vectors, `(examples, features)`, to the length 1; zeros stay."""
    lengths = np.linalg.norm(vectors.astype("float64"), axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)


def mean_cosine(vectors):
    """Returns the mean cosine of all pairs of different vectors, a float."""
    units = unit_length(vectors)
    total, own = units.sum(axis=0), np.square(units).sum()
    return float((total @ total - own) / (len(units) * (len(units) - 1)))
