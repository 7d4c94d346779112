"""Probes for small experiments: what a layer, a step or a code does, as numbers."""

import time

import keras
import numpy as np
from keras import layers, ops

from helpers.checks import check_integer, check_numbers

NUM_UNITS = 32  # Of the networks whose masks are read.
NUM_STEPS = 50
NUM_SEQUENCES = 64
WIDE_OPEN_LOGIT = 9.0  # A gate with this bias lets nearly everything pass.
NUM_PASSES = 1000  # Of the same examples through dropout.
NUM_TIMED_STEPS = 12  # Steps of training of which the fastest counts.


def settle(values):
    """Rounds made-up data, so that they are the same on every processor.

    The last bits of sums and logarithms differ between processors, and with them the
    fingerprint of a recorded run.

    Args:
        values: Array of real numbers.

    Returns:
        float32 array of the same shape, rounded to four decimals.

    Raises:
        ValueError: If `values` is empty or holds NaN or infinity.
    """
    values = check_numbers("values", values).astype("float64")
    return np.round(values, 4).astype("float32")


def same(first, second):
    """Returns whether two arrays of outputs agree to 1e-5, which rounding explains."""
    return bool(np.allclose(first, second, rtol=0, atol=1e-5))


def predict(model, inputs):
    """Returns the output of a model with a single output as a float32 array."""
    return model.predict(inputs, batch_size=1000, verbose=0).astype("float32")


def oscillation(num_steps, rng):
    """Draws a series of `x[t] = 1.5 x[t-1] - 0.8 x[t-2] + e[t]`.

    Args:
        num_steps: Positive integer, length of the series.
        rng: `numpy.random.Generator`.

    Returns:
        Tuple `(series, noise)` of float64 arrays of shape `(time,)`; `noise` is `e`,
        normal with deviation 1.

    Raises:
        ValueError: If `num_steps` is not a positive integer.
    """
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    noise = rng.normal(size=num_steps + 1000)
    series = np.zeros_like(noise)
    for step in range(2, len(noise)):
        series[step] = 1.5 * series[step - 1] - 0.8 * series[step - 2] + noise[step]
    return series[1000:], noise[1000:]  # By then the start is forgotten.


def probe_state(stateful):
    """Finds out what `predict` does to the weights and the state of an LSTM.

    Four sequences of 40 steps are predicted twice, then after `reset_state`, in
    another order of the rows, and in two halves.

    Args:
        stateful: Boolean, whether the LSTM keeps its state between batches.

    Returns:
        Dict from a sentence to a boolean, whether it holds.
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
    return {
        "the weights are the same afterwards": all(
            np.array_equal(before, after)
            for before, after in zip(weights, lstm.cell.get_weights(), strict=True)
        ),
        "a second predict gives the same": same(first, again),
        "so does one after reset_state": same(first, anew),
        "so does another order of the rows": same(first, reversed_rows[::-1]),
        "two halves give what the whole gives": same(first[:, 20:], second_half),
    }


def compare_calls(layer):
    """Compares calls of a layer as in predict and as in training.

    Args:
        layer: Keras layer for inputs of shape `(batch, 5, 8)`.

    Returns:
        Dict of booleans: whether two calls with `training=False` agree, two with
        `training=True`, and one of each.
    """
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


def dropout_spread(rate):
    """Measures the spread of a linear unit's output under dropout of its inputs.

    Args:
        rate: Float between 0 and 1, the share of the inputs that is hidden.

    Returns:
        Tuple `(spread, formula)` of arrays of shape `(100,)`, one value per example:
        the standard deviation over 1,000 passes, and what it is in theory,
        `sqrt(sum((w x)**2) rate / (1 - rate))`.
    """
    keras.utils.set_random_seed(0)
    unit = keras.Sequential([keras.Input((20,)), layers.Dropout(rate), layers.Dense(1)])
    examples = np.random.default_rng(0).normal(size=(100, 20)).astype("float32")
    passes = unit(np.repeat(examples, NUM_PASSES, axis=0), training=True)
    spread = ops.convert_to_numpy(passes).reshape(100, NUM_PASSES).std(axis=1)
    weights = ops.convert_to_numpy(unit.layers[-1].kernel)[:, 0]
    return spread, np.sqrt(((examples * weights) ** 2).sum(axis=1) * rate / (1 - rate))


def read_lstm_masks(argument, rate):
    """Reads the dropout masks off an LSTM.

    Its gates are held open and its candidate is the input, which is constant, or the
    last state plus a constant: what is hidden shows in the output.

    Args:
        argument: `"dropout"` or `"recurrent_dropout"`.
        rate: Float between 0 and 1, the argument's value.

    Returns:
        Boolean array of shape `(sequences, time, units)`, true where a value is kept.
        The first step has no state yet and is left out for `"recurrent_dropout"`.

    Raises:
        ValueError: If `argument` is another word.
    """
    if argument not in ("dropout", "recurrent_dropout"):
        raise ValueError(
            "`argument` should be 'dropout' or 'recurrent_dropout'. "
            f"Received: {argument!r}."
        )
    on_state = argument == "recurrent_dropout"
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
    """Reads the masks off a dropout layer that follows an LSTM.

    Args:
        layer: Keras layer for inputs of shape `(64, 50, 32)`.

    Returns:
        Boolean array of shape `(sequences, time, units)`, true where a value is kept.
    """
    ones = np.ones((NUM_SEQUENCES, NUM_STEPS, NUM_UNITS), "float32")
    return ops.convert_to_numpy(layer(ones, training=True)) > 0


def build_table(vocabulary, one_hot_input=False):
    """Builds a network with a table of 32 numbers per word and one output.

    Args:
        vocabulary: Positive integer, rows of the table.
        one_hot_input: Boolean, whether words are one-hot vectors and the table is a
            dense layer; otherwise they are integers and it is an embedding.

    Returns:
        `keras.Model`, not compiled; the table is the layer `"table"`.

    Raises:
        ValueError: If `vocabulary` is not a positive integer.
    """
    vocabulary = check_integer("vocabulary", vocabulary, minimum=1)
    if one_hot_input:
        words = keras.Input((vocabulary,), name="words")
        rows = layers.Dense(32, use_bias=False, name="table")(words)
    else:
        words = keras.Input((), dtype="int32", name="words")
        rows = layers.Embedding(vocabulary, 32, name="table")(words)
    return keras.Model(words, layers.Dense(1, name="output")(rows))


def step_milliseconds(vocabulary, optimizer, one_hot_input=False):
    """Measures a training step on 64 words of the first 100.

    Args:
        vocabulary: Integer of at least 100.
        optimizer: String, the name of a Keras optimizer.
        one_hot_input: Boolean, see `build_table`.

    Returns:
        Float, the least processor time of a step, which other work on the machine
        disturbs least, in milliseconds.

    Raises:
        ValueError: If `vocabulary` is not such an integer.
    """
    model = build_table(
        check_integer("vocabulary", vocabulary, minimum=100), one_hot_input
    )
    model.compile(optimizer, "mean_squared_error")
    words = np.random.default_rng(0).integers(100, size=64)
    inputs = words
    if one_hot_input:
        inputs = np.equal.outer(words, np.arange(vocabulary)).astype("float32")
    times = []
    for _ in range(2 + NUM_TIMED_STEPS):
        start = time.process_time()
        model.train_on_batch(inputs, np.ones((64, 1), "float32"))
        times.append(1000 * (time.process_time() - start))
    return min(times[2:])  # The first steps compile.


def count_changed_rows(optimizer):
    """Counts the rows of an embedding that the second step of a training changes.

    Args:
        optimizer: String, the name of a Keras optimizer.

    Returns:
        Integer, of 1,000 rows. Each of the two steps has 20 words of its own.
    """
    model = build_table(1000)
    model.compile(optimizer, "mean_squared_error")
    table = model.get_layer("table").embeddings
    for words in (np.arange(20), np.arange(20, 40)):
        before = ops.convert_to_numpy(table).copy()
        model.train_on_batch(words, np.ones((20, 1), "float32"))
    return int((ops.convert_to_numpy(table) != before).any(axis=1).sum())


def unit_length(vectors):
    """Scales vectors to the length 1.

    Args:
        vectors: Array of shape `(examples, features)`; one of zeros stays as it is.

    Returns:
        float64 array of the same shape.

    Raises:
        ValueError: If `vectors` has other axes, no value, NaN or infinity.
    """
    vectors = check_numbers("vectors", vectors, ("examples", "features"))
    lengths = np.linalg.norm(vectors.astype("float64"), axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)


def mean_cosine(vectors):
    """Averages the cosine over all pairs of different vectors.

    Args:
        vectors: Array of shape `(examples, features)`, two examples or more.

    Returns:
        Float in `[-1, 1]`.

    Raises:
        ValueError: If `vectors` has other axes, no value, NaN or infinity.
    """
    units = unit_length(vectors)
    total, own = units.sum(axis=0), np.square(units).sum()
    return float((total @ total - own) / (len(units) * (len(units) - 1)))
