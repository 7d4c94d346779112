"""Starts an LSTM autoencoder of long series as a memory of Fourier coefficients."""

import keras
import numpy as np

from helpers.checks import check_integer, check_one_feature, check_same
from helpers.layers import CLOSED_LOGIT, OPEN_LOGIT

# Root mean square of the states after reading. tanh(x) loses a share x^2 / 3 of x at
# each step: over hundreds of steps, only states this small are kept.
AMPLITUDE = 0.001
# Share of the states' mean square that is added to their squares before solving, so
# that nothing is built on differences of nearly equal states.
RIDGE = 1e-6
DECODER_RIDGE = 1e-5


def start_as_fourier_memory(model, series, targets, num_recent=4, strongest=False):
    """Starts encoder, code and decoders as the best linear code of a Fourier memory.

    A recurrent state that is turned by a fixed angle at each step, and to which each
    value is added, is a Fourier coefficient of all values so far. The encoder gets
    one such pair of units for each of the lowest frequencies, and a few units that
    hold the last value and the last changes. Its gates are nearly constant at first,
    so that it is linear. The decoders turn pairs of units back, step by step. Which
    linear code of the states is best is solved in closed form on the training series
    (reduced-rank regression), so the untrained network does about what a principal
    component analysis of the series does, in a recurrent way; training starts there.

    All states are small (`AMPLITUDE`), so small learning rates act fast: Adam with
    a rate of 1e-8 is felt, with 1e-6 it destroys the memory.

    Args:
        model: Keras model with the layers of `autoencoder.encode` and, for each
            target, of `autoencoder.decode` with `reverse=True`. What lies between the
            input and the encoder may only be a map of each value.
        series: Array of shape `(examples, time, 1)`, the training inputs.
        targets: Dict from the name of a decoder's output to an array of shape
            `(examples, time, 1)`, the training targets.
        num_recent: Non-negative integer, units that hold the last values.
        strongest: Whether the pairs turn at the frequencies at which the series (the
            target, in a decoder) have the largest mean power, as suits images read row
            after row; otherwise at the lowest ones.

    Raises:
        ValueError: If the series or targets are not as described, the numbers of
            units are odd or too small, or the code is larger than the encoder.

    Reference:
        Voelker, Kajić & Eliasmith, 2019, Legendre memory units: continuous-time
        representation in recurrent neural networks. NeurIPS: a state that holds a
        series' coefficients in a basis. Izenman, 1975, Reduced-rank regression for the
        multivariate linear model. Journal of Multivariate Analysis 5(2),
        doi:10.1016/0047-259X(75)90042-1
    """
    series = check_one_feature("series", series)
    num_recent = check_integer("num_recent", num_recent, minimum=0)
    encoder, code = model.get_layer("encoder"), model.get_layer("code")
    inputs = keras.Model(model.input, encoder.input).predict(
        series, batch_size=512, verbose=0
    )[:, :, 0]
    targets = {
        name: check_one_feature(f"targets[{name!r}]", values)[:, :, 0]
        for name, values in targets.items()
    }
    for name, values in targets.items():
        check_same(
            ("shape of series", f"shape of targets[{name!r}]"),
            (series.shape[:2], values.shape),
        )
    centre = inputs.mean(dtype="float64")
    angles, _ = choose_angles(inputs - centre, encoder.units - num_recent, strongest)
    rotation, entry = memory_matrices(angles, num_recent)
    states = read(rotation, entry, inputs - centre)
    sizes = AMPLITUDE / np.sqrt((states**2).mean(axis=0))
    # Both units of a pair keep one size, as they turn into one another.
    pairs = sizes[num_recent:].reshape(-1, 2).mean(axis=1)
    sizes[num_recent:] = np.repeat(pairs, 2)
    entry, states = entry * sizes, states * sizes
    rotation = rotation * sizes / sizes[:, np.newaxis]
    set_weights(
        encoder,
        kernel=lstm_kernel(entry[np.newaxis], with_forget=False),
        recurrent_kernel=lstm_kernel(rotation),
        bias=memory_bias(encoder.units, candidate=-centre * entry),
    )
    code_kernel, codes = best_code(states, np.hstack(list(targets.values())), code)
    set_weights(code, kernel=code_kernel, bias=np.zeros(code.units))
    for name, values in targets.items():
        start_decoder(model, name, codes, values, strongest)


def start_decoder(model, name, codes, target, strongest=False):
    """Starts a decoder so that it writes the best linear map of the code."""
    decoder, output = model.get_layer(f"{name}_decoder"), model.get_layer(name)
    units, num_steps = decoder.units, target.shape[1]
    centre = target.mean(dtype="float64")
    angles, strengths = choose_angles(target - centre, units, strongest)
    rotation, _ = memory_matrices(angles, num_recent=0)
    # Strong waves are read with larger weights, so that all states are about equally
    # large.
    readout = np.zeros(units)
    readout[0::2] = strengths
    waves = np.empty((num_steps, units))  # What a unit's first value adds to a step.
    wave = readout
    for step in range(num_steps):
        wave = rotation @ wave
        waves[num_steps - 1 - step] = wave  # The last step is written first.
    written = np.linalg.lstsq(codes, target - centre, rcond=None)[0]
    first_states = solve(waves, written.T, DECODER_RIDGE).T  # (code, units)
    size = AMPLITUDE / np.sqrt(((codes @ first_states) ** 2).mean())
    first_states *= size
    gate = sigmoid(OPEN_LOGIT)
    zeros = {
        key: np.zeros(getattr(decoder, key).shape)
        for key in ("code_kernel", "position_kernel")
        if hasattr(decoder, key)
    }
    set_weights(
        decoder,
        recurrent_kernel=lstm_kernel(rotation),
        bias=memory_bias(units),
        state_kernel=np.hstack([first_states, first_states / gate]),
        **zeros,
    )
    set_weights(output, kernel=readout[:, np.newaxis] / size, bias=np.array([centre]))


def choose_angles(series, units, strongest):
    """Gives each pair of units an angle to turn by at each step.

    Args:
        series: Array `(examples, time)` with a mean of about 0.
        units: Positive even integer, units that make pairs.
        strongest: Whether to take the frequencies of the largest mean power instead of
            the lowest.

    Returns:
        Tuple `(angles, strengths)` of float64 arrays of shape `(pairs,)`: radians, and
        how large the wave is in the series, relative to the first. Of the lowest
        frequencies, of which most series hold the less the higher they are, the
        strength is taken as 1, 1/2, 1/3, ...

    Raises:
        ValueError: If the units make no pairs.
    """
    num_pairs, rest = divmod(units, 2)
    if num_pairs < 1 or rest:
        raise ValueError(
            "The units beside the recent values should be pairs, at least one. "
            f"Received: {units} units."
        )
    num_steps = series.shape[1]
    waves = np.arange(num_pairs)
    strengths = 1 / np.arange(1, num_pairs + 1)
    if strongest:
        power = (np.abs(np.fft.rfft(series, axis=1)) ** 2).mean(axis=0)
        waves = np.argsort(-power, kind="stable")[:num_pairs]
        if len(waves) < num_pairs:
            raise ValueError(
                "A series should have as many frequencies as there are pairs of "
                f"units. Received: {len(power)} and {num_pairs}."
            )
        strengths = np.sqrt(power[waves] / power[waves[0]])
    angles = 2 * np.pi * waves / num_steps
    angles[waves == 0] = np.pi / (2 * num_steps)  # A quarter of a wave, for the trend.
    return angles, strengths


def memory_matrices(angles, num_recent):
    """Gives the linear recurrence `h_t = h_{t-1} @ rotation + x_t * entry`.

    Args:
        angles: Array `(pairs,)`, radians by which pairs of units turn at a step.
        num_recent: Non-negative integer, units before them that hold the last values.

    Returns:
        Tuple `(rotation, entry)` of float64 arrays of shape `(units, units)` and
        `(units,)`.
    """
    units = num_recent + 2 * len(angles)
    rotation, entry = np.zeros((units, units)), np.zeros(units)
    for unit in range(1, num_recent - 1):
        rotation[unit, unit + 1] = 1  # Hands its change on.
    for pair, angle in enumerate(angles):
        first = num_recent + 2 * pair
        rotation[first : first + 2, first : first + 2] = [
            [np.cos(angle), np.sin(angle)],
            [-np.sin(angle), np.cos(angle)],
        ]
    entry[num_recent::2] = 1
    entry[:1] = 1  # The last value, or the first wave.
    if num_recent > 1:
        entry[1], rotation[0, 1] = 1, -1  # The last value less the one before.
    return rotation, entry


def read(rotation, entry, inputs):
    """Gives the states after the last value, `(examples, units)`."""
    states = np.zeros((len(inputs), len(entry)))
    for step in range(inputs.shape[1]):
        states = states @ rotation + inputs[:, step, np.newaxis] * entry
    return states


def best_code(states, target, code):
    """Gives the linear code of the states from which a linear map writes best."""
    if code.units > states.shape[1]:
        raise ValueError(
            "The code should be at most as large as the encoder. "
            f"Received: {code.units} numbers, {states.shape[1]} units."
        )
    weights = solve(states, target - target.mean(dtype="float64"), RIDGE)
    written = states @ weights
    _, directions = np.linalg.eigh(written.T @ written)
    kernel = weights @ directions[:, ::-1][:, : code.units]
    codes = states @ kernel
    sizes = np.sqrt((codes**2).mean(axis=0))
    return kernel / sizes, codes / sizes


def solve(inputs, target, ridge):
    """Solves `inputs @ weights = target` with a penalty on large weights."""
    squares = inputs.T @ inputs
    penalty = ridge * np.trace(squares) / len(squares)
    return np.linalg.solve(squares + penalty * np.eye(len(squares)), inputs.T @ target)


def lstm_kernel(matrix, with_forget=True):
    """Gives LSTM weights whose candidate makes the new state `h @ matrix`."""
    gate, forget = sigmoid(OPEN_LOGIT), sigmoid(CLOSED_LOGIT) * with_forget
    kernel = np.zeros((len(matrix), 4, matrix.shape[1]))
    # The forget gate lets a bit of the old state pass; both others take a bit away.
    kernel[:, 2] = (matrix - forget * np.eye(*matrix.shape)) / gate**2
    return kernel.reshape(len(matrix), -1)


def memory_bias(units, candidate=0.0):
    """Gives biases of an LSTM: gates open or closed, and the candidate's bias."""
    bias = np.repeat([OPEN_LOGIT, CLOSED_LOGIT, 0.0, OPEN_LOGIT], units)
    bias[2 * units : 3 * units] = candidate / sigmoid(OPEN_LOGIT) ** 2
    return bias


def sigmoid(logit):
    """Gives how far a gate with this bias is open, from 0 to 1."""
    return 1 / (1 + np.exp(-logit))


def set_weights(layer, **values):
    """Sets all weights of a layer by their names."""
    variables = {variable.path.split("/")[-1]: variable for variable in layer.weights}
    check_same(
        (f"weights of {layer.name}", "weights to start"),
        (sorted(variables), sorted(values)),
    )
    for name, value in values.items():
        variables[name].assign(value)
