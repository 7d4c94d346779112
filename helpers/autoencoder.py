"""Blocks of functional LSTM autoencoders: tensor in, tensor out.

A network is put together in the notebook:

    series = keras.Input((num_steps, num_features), name="series")
    code = autoencoder.encode(series, code_size=64, units=128)
    outputs = {
        "reconstruction": autoencoder.decode(code, num_steps, num_features, units=128),
        "label": autoencoder.classify(code, num_classes=10),
    }
    model = keras.Model(series, outputs)

The name of an output's last layer is the output's key, so that targets, losses and loss
weights go by the same name. `encoder_of` and `decoder_of` give the trained halves.

Reference:
    Srivastava, Mansimov & Salakhutdinov, 2015, Unsupervised learning of video
    representations using LSTMs. ICML, arXiv:1502.04681. The cell: Hochreiter &
    Schmidhuber, 1997, Long short-term memory. Neural Computation 9(8),
    doi:10.1162/neco.1997.9.8.1735
"""

import keras
from keras import layers, ops

from helpers.checks import check_integer, check_same, is_number
from helpers.layers import (
    CodeLSTM,
    FastLSTM,
    is_unrolled,
    memory_initializers,
    starting_bias,
)


def encode(
    series,
    code_size,
    units,
    memory_seed=None,
    chrono_steps=None,
    return_states=False,
):
    """Reads a sequence into one vector, the code.

    An LSTM reads the sequence; the code is a linear map of its last hidden state.

    Args:
        series: Keras tensor of shape `(batch, time, features)`, the time known.
        code_size: Positive integer, numbers in the code.
        units: Positive integer, size of the LSTM's state.
        memory_seed: Non-negative integer or `None`. An integer starts the LSTM as a
            lossless linear memory (see `layers.memory_initializers`; `series` should
            lie in about -1..1); `None` starts it as Keras does.
        chrono_steps: See `layers.CodeLSTM`.
        return_states: Whether to return the state after each step, too.

    Returns:
        Keras tensor of shape `(batch, code_size)`, layer name `"code"`. With
        `return_states` a tuple `(code, states)`: `states` is a tensor of shape
        `(batch, time, units)`, of which step `t` has read the series up to `t` only.

    Raises:
        ValueError: If `series` is not `(batch, time, features)` with known time and
            features, a size is not a positive integer, or both `memory_seed` and
            `chrono_steps` are given.
    """
    check_rank("series", series, ("batch", "time", "features"))
    code_size = check_integer("code_size", code_size, minimum=1)
    units = check_integer("units", units, minimum=1)
    num_steps, num_features = series.shape[1:]
    initial_weights = {}
    if memory_seed is not None:
        initial_weights = memory_initializers(num_steps * num_features, memory_seed)
    if chrono_steps is not None:
        initial_weights = initial_weights | {
            "bias_initializer": starting_bias(memory_seed, chrono_steps),
            "unit_forget_bias": False,
        }
    unrolled = is_unrolled(num_steps)
    recurrent_layer = layers.LSTM if unrolled else FastLSTM
    hidden = recurrent_layer(
        units,
        unroll=unrolled,
        return_sequences=return_states,
        name="encoder",
        **initial_weights,
    )(series)
    states = hidden
    if return_states:
        last = layers.Cropping1D((num_steps - 1, 0), name="last_step")(states)
        hidden = layers.Flatten(name="last_state")(last)
    code = layers.Dense(
        code_size,
        # A matrix that keeps lengths: nothing of what the memory holds is favoured.
        kernel_initializer="glorot_uniform" if memory_seed is None else "orthogonal",
        name="code",
    )(hidden)
    return (code, states) if return_states else code


def decode(
    code,
    num_steps,
    num_features,
    units,
    activation=None,
    position_input=True,
    state_from_code=True,
    reverse=False,
    memory_seed=None,
    chrono_steps=None,
    name="reconstruction",
):
    """Writes a sequence from the code alone.

    An LSTM gets the code at every step; each step of the sequence is a dense map of
    the hidden state of that step. No value of the sequence itself is ever fed in.

    Args:
        code: Keras tensor of shape `(batch, code)`.
        num_steps: Positive integer, length of the sequence.
        num_features: Positive integer, values per step.
        units: Positive integer, size of the LSTM's state.
        activation: Activation of the output, for instance `"sigmoid"` for values in
            `[0, 1]`; linear with `None`.
        position_input: See `layers.CodeLSTM`.
        state_from_code: See `layers.CodeLSTM`.
        reverse: See `layers.CodeLSTM`.
        memory_seed: See `layers.CodeLSTM`; the encoder's, with `reverse=True`.
        chrono_steps: See `layers.CodeLSTM`.
        name: String, name of the output.

    Returns:
        Keras tensor of shape `(batch, num_steps, num_features)`.

    Raises:
        ValueError: If `code` is not `(batch, code)`, a size is not a positive integer,
            or both `memory_seed` and `chrono_steps` are given.
    """
    check_rank("code", code, ("batch", "code"))
    num_features = check_integer("num_features", num_features, minimum=1)
    hidden = CodeLSTM(
        units,
        num_steps,
        position_input=position_input,
        state_from_code=state_from_code,
        reverse=reverse,
        memory_seed=memory_seed,
        chrono_steps=chrono_steps,
        name=f"{name}_decoder",
    )(code)
    return layers.Dense(num_features, activation=activation, name=name)(hidden)


def encode_convolutional(series, code_size, filters, kernel_size=5):
    """Reads a sequence into the code with a convolutional LSTM.

    State and gates have a value per feature and filter, and the products with input
    and state are convolutions along the features: neighbouring features, such as the
    pixels of a row, share their weights.

    Args:
        series: Keras tensor of shape `(batch, time, features)`, time and features
            known, features in an order in which neighbours belong together.
        code_size: Positive integer, numbers in the code.
        filters: Positive integer, filters of the state.
        kernel_size: Positive integer, width of the convolutions in features.

    Returns:
        Keras tensor of shape `(batch, code_size)`, layer name `"code"`.

    Raises:
        ValueError: If `series` is not `(batch, time, features)` with known time and
            features, or a size is not a positive integer.

    Reference:
        Shi, Chen, Wang, Yeung, Wong & Woo, 2015, Convolutional LSTM network: a machine
        learning approach for precipitation nowcasting. NeurIPS, arXiv:1506.04214
    """
    check_rank("series", series, ("batch", "time", "features"))
    code_size = check_integer("code_size", code_size, minimum=1)
    filters = check_integer("filters", filters, minimum=1)
    kernel_size = check_integer("kernel_size", kernel_size, minimum=1)
    channels = layers.Reshape((*series.shape[1:], 1), name="channels")(series)
    state = layers.ConvLSTM1D(filters, kernel_size, padding="same", name="encoder")(
        channels
    )  # (batch, features, filters)
    state = layers.Flatten(name="flat_state")(state)
    return layers.Dense(code_size, name="code")(state)


def decode_convolutional(
    code,
    num_steps,
    num_features,
    filters,
    kernel_size=5,
    activation=None,
    name="reconstruction",
):
    """Writes a sequence from the code alone with a convolutional LSTM.

    A dense map spreads the code over features and filters; this is the input of every
    step, and a second one the initial state.

    Args:
        code: Keras tensor of shape `(batch, code)`.
        num_steps: Positive integer, length of the sequence.
        num_features: Positive integer, values per step.
        filters: Positive integer, filters of the state.
        kernel_size: Positive integer, width of the convolutions in features.
        activation: Activation of the output; linear with `None`.
        name: String, name of the output.

    Returns:
        Keras tensor of shape `(batch, num_steps, num_features)`.

    Raises:
        ValueError: If `code` is not `(batch, code)` or a size is not a positive
            integer.
    """
    check_rank("code", code, ("batch", "code"))
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    num_features = check_integer("num_features", num_features, minimum=1)
    filters = check_integer("filters", filters, minimum=1)
    kernel_size = check_integer("kernel_size", kernel_size, minimum=1)
    plane = (num_features, filters)

    def spread(part):
        values = layers.Dense(num_features * filters, name=f"{name}_{part}")(code)
        return layers.Reshape(plane, name=f"{name}_{part}_plane")(values)

    inputs = layers.Dense(num_features * filters, name=f"{name}_input")(code)
    inputs = layers.RepeatVector(num_steps, name=f"{name}_repeat")(inputs)
    inputs = layers.Reshape((num_steps, *plane), name=f"{name}_input_planes")(inputs)
    hidden = layers.ConvLSTM1D(
        filters,
        kernel_size,
        padding="same",
        return_sequences=True,
        name=f"{name}_decoder",
    )(inputs, initial_state=[spread("hidden"), spread("cell")])
    values = layers.Dense(1, activation=activation, name=f"{name}_value")(hidden)
    return layers.Reshape((num_steps, num_features), name=name)(values)


def encode_hierarchical(series, code_size, units, segment_steps, segment_units):
    """Reads a long sequence into the code in two levels.

    One LSTM reads each segment of `segment_steps` steps, always the same and from an
    empty state; a second one reads the segments' last states. The longest way from a
    step to the code is `segment_steps + time / segment_steps` steps instead of `time`.

    Args:
        series: Keras tensor of shape `(batch, time, features)`, time and features
            known, the time a multiple of `segment_steps`.
        code_size: Positive integer, numbers in the code.
        units: Positive integer, state of the LSTM over segments.
        segment_steps: Positive integer, steps of a segment.
        segment_units: Positive integer, state of the LSTM within segments.

    Returns:
        Keras tensor of shape `(batch, code_size)`, layer name `"code"`.

    Raises:
        ValueError: If `series` is not `(batch, time, features)` with known time and
            features, a size is not a positive integer, or the segments do not fit.

    Reference:
        Li, Luong & Jurafsky, 2015, A hierarchical neural autoencoder for paragraphs and
        documents. ACL, arXiv:1506.01057
    """
    check_rank("series", series, ("batch", "time", "features"))
    code_size = check_integer("code_size", code_size, minimum=1)
    units = check_integer("units", units, minimum=1)
    segment_units = check_integer("segment_units", segment_units, minimum=1)
    num_steps, num_features = series.shape[1:]
    num_segments = check_segments(num_steps, segment_steps)
    segments = ops.reshape(series, (-1, segment_steps, num_features))
    states = FastLSTM(segment_units, name="segment_encoder")(segments)
    states = ops.reshape(states, (-1, num_segments, segment_units))
    hidden = FastLSTM(units, name="encoder")(states)
    return layers.Dense(code_size, name="code")(hidden)


def decode_hierarchical(
    code,
    num_steps,
    num_features,
    units,
    segment_steps,
    segment_units,
    activation=None,
    name="reconstruction",
):
    """Writes a long sequence from the code alone in two levels.

    One LSTM writes a state for each segment, from the last to the first; from each of
    these a second one writes the segment's steps, likewise from the last to the first.

    Args:
        code: Keras tensor of shape `(batch, code)`.
        num_steps: Positive integer, length of the sequence, a multiple of
            `segment_steps`.
        num_features: Positive integer, values per step.
        units: Positive integer, state of the LSTM over segments.
        segment_steps: Positive integer, steps of a segment.
        segment_units: Positive integer, state of the LSTM within segments.
        activation: Activation of the output; linear with `None`.
        name: String, name of the output.

    Returns:
        Keras tensor of shape `(batch, num_steps, num_features)`.

    Raises:
        ValueError: If `code` is not `(batch, code)`, a size is not a positive integer,
            or the segments do not fit.
    """
    check_rank("code", code, ("batch", "code"))
    num_features = check_integer("num_features", num_features, minimum=1)
    segment_units = check_integer("segment_units", segment_units, minimum=1)
    num_segments = check_segments(num_steps, segment_steps)
    segments = CodeLSTM(units, num_segments, reverse=True, name=f"{name}_decoder")(code)
    hidden = CodeLSTM(
        segment_units, segment_steps, reverse=True, name=f"{name}_segment_decoder"
    )(ops.reshape(segments, (-1, units)))
    values = layers.Dense(num_features, activation=activation, name=f"{name}_value")(
        hidden
    )
    return layers.Reshape((num_steps, num_features), name=name)(
        ops.reshape(values, (-1, num_steps * num_features))
    )


def classify(code, num_classes, dropout=0.0, name="label"):
    """Gives each class a probability: softmax of a dense map of the code.

    Args:
        code: Keras tensor of shape `(batch, code)`.
        num_classes: Integer of at least 2.
        dropout: Share of the code's numbers that training sets to 0, in `[0, 1)`.
        name: String, name of the output.

    Returns:
        Keras tensor of shape `(batch, num_classes)`; each row sums to 1.

    Raises:
        ValueError: If `code` is not `(batch, code)` or an argument is out of range.
    """
    check_rank("code", code, ("batch", "code"))
    num_classes = check_integer("num_classes", num_classes, minimum=2)
    if not is_number(dropout) or not 0 <= dropout < 1:
        raise ValueError(f"`dropout` should be in [0, 1). Received: {dropout!r}.")
    if dropout:
        code = layers.Dropout(dropout, name=f"{name}_dropout")(code)
    return layers.Dense(num_classes, activation="softmax", name=name)(code)


def forecast(series, states, name="next_step"):
    """Predicts after each step the next one, from what was read so far.

    The prediction for step `t + 1` is step `t` plus a dense map of the encoder's state
    at `t`. The map starts as zero: untrained, the network predicts that nothing
    changes, and what it learns is a correction.

    Args:
        series: Keras tensor of shape `(batch, time, features)`.
        states: Keras tensor of shape `(batch, time, units)`, of `encode` with
            `return_states=True` or a map of each of its steps alone.
        name: String, name of the output.

    Returns:
        Keras tensor of shape `(batch, time, features)`; step `t` predicts step `t + 1`
        of the series. No later step of the series changes it.

    Raises:
        ValueError: If an argument is not `(batch, time, ...)`, the time not the same.
    """
    check_rank("series", series, ("batch", "time", "features"))
    check_rank("states", states, ("batch", "time", "units"))
    check_same(
        ("steps of series", "steps of states"), (series.shape[1], states.shape[1])
    )
    change = layers.Dense(
        series.shape[2], kernel_initializer="zeros", name=f"{name}_change"
    )(states)
    return layers.Add(name=name)([series, change])


def encoder_of(model):
    """Gives the half of a network that reads: series in, code out.

    Args:
        model: Keras model with a layer `"code"`, for instance of `encode`.

    Returns:
        Keras model that shares the weights; `(batch, time, features)` to
        `(batch, code)`. It can be saved and loaded alone.

    Raises:
        ValueError: If the model has no such layer.
    """
    return keras.Model(model.input, output_of(model, "code"), name="encoder_half")


def decoder_of(model, name="reconstruction"):
    """Gives a half of a network that writes: code in, one output out.

    Args:
        model: Keras model with a layer `"code"` and a layer `name`.
        name: String, the output's name: `"reconstruction"`, `"label"`, ...

    Returns:
        Keras model that shares the weights; `(batch, code)` to the output's shape. It
        can be saved and loaded alone.

    Raises:
        ValueError: If the model has no such layer.
    """
    code = output_of(model, "code")
    return keras.Model(code, output_of(model, name), name=f"{name}_half")


def output_of(model, name):
    """Returns the output of a layer, or says that the model has none of this name."""
    names = [layer.name for layer in model.layers]
    if name not in names:
        raise ValueError(
            f"The model should have a layer {name!r}. Received: layers {names}."
        )
    return model.get_layer(name).output


def check_segments(num_steps, segment_steps):
    """Returns the number of segments, or raises a `ValueError` if they do not fit."""
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    segment_steps = check_integer("segment_steps", segment_steps, minimum=1)
    if num_steps % segment_steps:
        raise ValueError(
            "`segment_steps` should divide the number of steps. "
            f"Received: {segment_steps} and {num_steps} steps."
        )
    return num_steps // segment_steps


def check_rank(name, tensor, axes):
    """Raises a `ValueError` if a tensor has other axes, or one that is not known."""
    shape = tuple(tensor.shape)
    if len(shape) != len(axes) or None in shape[1:]:
        raise ValueError(
            f"`{name}` should have the shape ({', '.join(axes)}) with all but the "
            f"batch known. Received: {shape}."
        )
