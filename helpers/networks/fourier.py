"""Starts an LSTM autoencoder of long series as a memory of Fourier coefficients."""

from helpers.checks import check_one_feature, check_same
from helpers.networks.starts import CLOSED_LOGIT, OPEN_LOGIT

import keras
import numpy as np

# Root mean square of the states: at each step tanh(x) loses a share x^2 / 3 of x.
AMPLITUDE = 0.001
# Shares of the mean square: nothing is built on differences of nearly equal states.
RIDGE = 1e-6
DECODER_RIDGE = 1e-5
# How far the gates are open, from 0 to 1.
OPEN, CLOSED = 1 / (1 + np.exp(-OPEN_LOGIT)), 1 / (1 + np.exp(-CLOSED_LOGIT))


def start_as_fourier_memory(model, series, targets):
    """Starts encoder, code and decoders as the best linear code of a Fourier memory.

    A recurrent state that turns by a fixed angle at each step, and to which each value
    is added, is a Fourier coefficient of all values so far. The encoder gets such pairs
    of units, at the strongest frequencies of the series; its gates are nearly constant,
    so that it is linear. The decoders turn pairs back, step by step. The best linear
    code of the states is solved in closed form (reduced-rank regression): untrained,
    the network does about what principal components do.

    The states are so small that Adam with a rate of 1e-6 destroys the memory.

    Args:
        model: Keras model with the layers of `encode` and, for each target, of `decode`
            with `reverse=True`. Before the encoder, only a map of each value may be.
        series: Array of shape `(examples, time, 1)`, the training inputs.
        targets: Dict from a decoder's name to its target, an array of the same shape.

    Raises:
        ValueError: If shapes differ, units make no pairs, or the code is too large.

    Reference: Voelker, Kajić & Eliasmith, 2019, Legendre memory units, NeurIPS; the
        regression: Izenman, 1975, doi:10.1016/0047-259X(75)90042-1
    """
    series = check_one_feature("series", series)
    for name, values in targets.items():
        shapes = series.shape, np.shape(values)
        check_same(("shape of series", f"shape of targets[{name!r}]"), shapes)
    targets = {name: np.asarray(values)[:, :, 0] for name, values in targets.items()}
    encoder, code = model.get_layer("encoder"), model.get_layer("code")
    inputs = keras.Model(model.input, encoder.input).predict(
        series, batch_size=512, verbose=0
    )[:, :, 0]
    centre = inputs.mean(dtype="float64")
    angles, _ = choose_angles(inputs - centre, encoder.units)
    rotation, entry = memory_matrices(angles)
    states = np.zeros((len(inputs), encoder.units))
    for value in (inputs - centre).T[:, :, np.newaxis]:
        states = states @ rotation + value * entry
    sizes = AMPLITUDE / np.sqrt((states**2).mean(axis=0))
    # Both units of a pair keep one size, as they turn into one another.
    sizes = np.repeat(sizes.reshape(-1, 2).mean(axis=1), 2)
    entry, states = entry * sizes, states * sizes
    rotation = rotation * sizes / sizes[:, np.newaxis]
    set_weights(
        encoder,
        kernel=lstm_kernel(entry[np.newaxis], with_forget=False),
        recurrent_kernel=lstm_kernel(rotation),
        bias=memory_bias(encoder.units, candidate=-centre * entry),
    )
    kernel, codes = best_code(states, np.hstack(list(targets.values())), code.units)
    set_weights(code, kernel=kernel)
    for name, values in targets.items():
        start_decoder(model, name, codes, values)


def start_decoder(model, name, codes, target):
    """Starts a decoder so that it writes the best linear map of the code."""
    decoder, output = model.get_layer(f"{name}_decoder"), model.get_layer(name)
    units, num_steps = decoder.units, target.shape[1]
    centre = target.mean(dtype="float64")
    angles, strengths = choose_angles(target - centre, units)
    rotation, _ = memory_matrices(angles)
    readout = np.zeros(units)
    readout[0::2] = strengths  # So that the states are about equally large.
    waves = np.empty((num_steps, units))  # What a unit's first value adds to a step.
    wave = readout
    for step in range(num_steps):
        wave = rotation @ wave
        waves[num_steps - 1 - step] = wave  # The last step is written first.
    written = np.linalg.lstsq(codes, target - centre, rcond=None)[0]
    first_states = solve(waves, written.T, DECODER_RIDGE).T  # (code, units)
    size = AMPLITUDE / np.sqrt(((codes @ first_states) ** 2).mean())
    first_states *= size
    set_weights(
        decoder,
        recurrent_kernel=lstm_kernel(rotation),
        bias=memory_bias(units),
        state_kernel=np.hstack([first_states, first_states / OPEN]),
    )
    set_weights(output, kernel=readout[:, np.newaxis] / size, bias=np.array([centre]))


def choose_angles(series, units):
    """Gives the angles by which pairs of units turn, and their waves' strengths."""
    if units < 2 or units % 2:
        raise ValueError(f"The units should be pairs, at least one. Received: {units}.")
    num_pairs, num_steps = units // 2, series.shape[1]
    power = (np.abs(np.fft.rfft(series, axis=1)) ** 2).mean(axis=0)
    waves = np.argsort(-power, kind="stable")[:num_pairs]
    strengths = np.sqrt(power[waves] / power[waves[0]])
    angles = 2 * np.pi * waves / num_steps
    angles[waves == 0] = np.pi / (2 * num_steps)  # A quarter of a wave, for the trend.
    return angles, strengths


def memory_matrices(angles):
    """Gives the `rotation` and `entry` of `h_t = h_{t-1} @ rotation + x_t * entry`."""
    units = 2 * len(angles)
    rotation, entry = np.zeros((units, units)), np.zeros(units)
    for pair, angle in enumerate(angles):
        block = slice(2 * pair, 2 * pair + 2)
        cosine, sine = np.cos(angle), np.sin(angle)
        rotation[block, block] = [[cosine, sine], [-sine, cosine]]
    entry[0::2] = 1
    return rotation, entry


def best_code(states, target, code_size):
    """Gives the linear code of the states from which a linear map writes best."""
    if code_size > states.shape[1]:
        raise ValueError(f"The code should fit the encoder. Received: {code_size}.")
    weights = solve(states, target - target.mean(dtype="float64"), RIDGE)
    written = states @ weights
    _, directions = np.linalg.eigh(written.T @ written)
    kernel = weights @ directions[:, ::-1][:, :code_size]
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
    kernel = np.zeros((len(matrix), 4, matrix.shape[1]))
    # The forget gate lets a bit of the old state pass; both others take a bit away.
    kernel[:, 2] = (matrix - CLOSED * with_forget * np.eye(*matrix.shape)) / OPEN**2
    return kernel.reshape(len(matrix), -1)


def memory_bias(units, candidate=0.0):
    """Gives biases of an LSTM: gates open or closed, and the candidate's bias."""
    bias = np.repeat([OPEN_LOGIT, CLOSED_LOGIT, 0.0, OPEN_LOGIT], units)
    bias[2 * units : 3 * units] = candidate / OPEN**2
    return bias


def set_weights(layer, **values):
    """Sets weights of a layer by their names, and all others to 0."""
    weights = {weight.name: weight for weight in layer.weights}
    for name in weights.keys() | values.keys():
        weights[name].assign(values.get(name, np.zeros(weights[name].shape)))
