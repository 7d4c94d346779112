"""Encoder and decoder with convolutional LSTMs."""

from helpers.networks.blocks import check_axes

from keras import layers

KERNEL_SIZE = 5  # Width of the convolutions, in features.


def encode_convolutional(series, code_size, filters):
    """Reads a sequence into the code with a convolutional LSTM.

    State and gates have a value per feature and filter, and the products with input
    and state are convolutions along the features: neighbouring features, such as the
    pixels of a row, share their weights.

    Args:
        series: Keras tensor of shape `(batch, time, features)`, the features in an
            order in which neighbours belong together.
        code_size, filters: Sizes of the code and, in filters, of the state.

    Returns:
        Keras tensor of shape `(batch, code_size)`, layer name `"code"`.

    Reference: Shi, Chen, Wang, Yeung, Wong & Woo, 2015, arXiv:1506.04214
    """
    check_axes("series", series, ("batch", "time", "features"))
    channels = layers.Reshape((*series.shape[1:], 1), name="channels")(series)
    reader = layers.ConvLSTM1D(filters, KERNEL_SIZE, padding="same", name="encoder")
    state = reader(channels)  # (batch, features, filters)
    state = layers.Flatten(name="flat_state")(state)
    return layers.Dense(code_size, name="code")(state)


def decode_convolutional(
    code, num_steps, num_features, filters, activation=None, name="reconstruction"
):
    """Writes a sequence from the code alone with a convolutional LSTM.

    A dense map spreads the code over features and filters; this is the input of every
    step, and two more are the initial state.

    Args: `filters` is the size of the state; the others, and the result, are those of
        `decode`.
    """
    check_axes("code", code, ("batch", "code"))
    plane = (num_features, filters)

    def spread(part):
        values = layers.Dense(num_features * filters, name=f"{name}_{part}")(code)
        return layers.Reshape(plane, name=f"{name}_{part}_plane")(values)

    inputs = layers.Dense(num_features * filters, name=f"{name}_input")(code)
    inputs = layers.RepeatVector(num_steps, name=f"{name}_repeat")(inputs)
    inputs = layers.Reshape((num_steps, *plane), name=f"{name}_input_planes")(inputs)
    writer = layers.ConvLSTM1D(
        filters,
        KERNEL_SIZE,
        padding="same",
        return_sequences=True,
        name=f"{name}_decoder",
    )
    hidden = writer(inputs, initial_state=[spread("hidden"), spread("cell")])
    values = layers.Dense(1, activation=activation, name=f"{name}_value")(hidden)
    return layers.Reshape((num_steps, num_features), name=name)(values)
