"""Encoder, decoder and classifier with plain LSTMs."""

from helpers.networks.layers import LONGEST_UNROLLED, CodeLSTM, FastLSTM
from helpers.networks.starts import lstm_initializers

import keras
from keras import layers


def encode(
    series, code_size, units, memory_seed=None, chrono_steps=None, return_states=False
):
    """Reads a sequence into the code, a linear map of an LSTM's last hidden state.

    Args:
        series: Keras tensor of shape `(batch, time, features)`.
        code_size, units: Sizes of the code and of the LSTM's state.
        memory_seed, chrono_steps: Integers or `None`, see `lstm_initializers`.
        return_states: Whether to return the state after each step, too.

    Returns:
        Keras tensor of shape `(batch, code_size)`, layer name `"code"`. With
        `return_states` a tuple `(code, states)`: `states` is a tensor of shape
        `(batch, time, units)`, of which step `t` has read the series up to `t` only.
    """
    check_axes("series", series, ("batch", "time", "features"))
    num_steps, num_features = series.shape[1:]
    unrolled = num_steps <= LONGEST_UNROLLED
    recurrent_layer = layers.LSTM if unrolled else FastLSTM
    hidden = states = recurrent_layer(
        units,
        unroll=unrolled,
        return_sequences=return_states,
        name="encoder",
        **lstm_initializers(num_steps * num_features, memory_seed, chrono_steps),
    )(series)
    if return_states:
        last = layers.Cropping1D((num_steps - 1, 0), name="last_step")(states)
        hidden = layers.Flatten(name="last_state")(last)
    # Of a memory: a matrix that keeps lengths, so that nothing in it is favoured.
    start = "glorot_uniform" if memory_seed is None else "orthogonal"
    code = layers.Dense(code_size, kernel_initializer=start, name="code")(hidden)
    return (code, states) if return_states else code


def decode(
    code, num_steps, num_features, units, activation=None, name="reconstruction", **lstm
):
    """Writes a sequence from the code alone: no value of the sequence is ever fed in.

    An LSTM gets the code at every step, and writes a dense map of its hidden state.

    Args:
        code: Keras tensor of shape `(batch, code)`.
        num_steps, num_features, units: Sizes of the sequence and the LSTM's state.
        activation: Of the output, for instance `"sigmoid"`; linear with `None`.
        name: String, name of the output.
        lstm: Arguments of `CodeLSTM`: `position_input`, `state_from_code`, `reverse`,
            `memory_seed` (the encoder's, with `reverse=True`), `chrono_steps`.

    Returns:
        Keras tensor of shape `(batch, num_steps, num_features)`.
    """
    check_axes("code", code, ("batch", "code"))
    hidden = CodeLSTM(units, num_steps, name=f"{name}_decoder", **lstm)(code)
    return layers.Dense(num_features, activation=activation, name=name)(hidden)


def classify(code, num_classes, dropout=0.0):
    """Gives each class a probability: softmax of a dense map of the code.

    Args:
        code: Keras tensor of shape `(batch, code)`.
        num_classes: Integer of at least 2.
        dropout: Share of the code's numbers that training sets to 0, in `[0, 1)`.

    Returns:
        Keras tensor `(batch, num_classes)`, layer name `"label"`; each row sums to 1.
    """
    check_axes("code", code, ("batch", "code"))
    if dropout:
        code = layers.Dropout(dropout, name="label_dropout")(code)
    return layers.Dense(num_classes, activation="softmax", name="label")(code)


def encoder_of(model):
    """Gives the half of a network that reads: series in, code out.

    It shares the weights and can be saved and loaded alone.

    Args:
        model: Keras model with a layer `"code"`, for instance of `encode`.
    """
    code = model.get_layer("code").output
    return keras.Model(model.input, code, name="encoder_half")


def decoder_of(model, name="reconstruction"):
    """Gives a half of a network that writes: code in, one output out.

    It shares the weights and can be saved and loaded alone.

    Args:
        model: Keras model with a layer `"code"` and a layer `name`.
        name: String, the output's name: `"reconstruction"`, `"label"`, ...
    """
    code, output = (model.get_layer(layer).output for layer in ("code", name))
    return keras.Model(code, output, name=f"{name}_half")


def check_axes(name, tensor, axes):
    """Raises a `ValueError` if a tensor has other axes, or one that is not known."""
    shape = tuple(tensor.shape)
    if len(shape) != len(axes) or None in shape[1:]:
        raise ValueError(
            f"`{name}` should have the shape ({', '.join(axes)}) with all but the "
            f"batch known. Received: {shape}."
        )
