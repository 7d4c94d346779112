"""Encoder and decoder of long sequences in two levels."""

from helpers.networks.blocks import check_axes
from helpers.networks.layers import CodeLSTM, FastLSTM

from keras import layers, ops


def encode_hierarchical(series, code_size, units, segment_steps, segment_units):
    """Reads a long sequence into the code in two levels.

    One LSTM reads each segment of `segment_steps` steps, always the same and from an
    empty state; a second one reads the segments' last states. The longest way from a
    step to the code is `segment_steps + time / segment_steps` steps instead of `time`.

    Args:
        series: Keras tensor of shape `(batch, time, features)`.
        code_size: Numbers in the code.
        units, segment_units: Sizes of the LSTMs' states, over and within segments.
        segment_steps: Steps of a segment, a divisor of the time.

    Returns:
        Keras tensor of shape `(batch, code_size)`, layer name `"code"`.

    Reference: Li, Luong & Jurafsky, 2015, arXiv:1506.01057
    """
    check_axes("series", series, ("batch", "time", "features"))
    num_steps, num_features = series.shape[1:]
    num_segments = count_segments(num_steps, segment_steps)
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

    Args: `units`, `segment_steps` and `segment_units` are those of
        `encode_hierarchical`; the others, and the result, are those of `decode`.
    """
    check_axes("code", code, ("batch", "code"))
    num_segments = count_segments(num_steps, segment_steps)
    segments = CodeLSTM(units, num_segments, reverse=True, name=f"{name}_decoder")(code)
    segments = ops.reshape(segments, (-1, units))
    hidden = CodeLSTM(
        segment_units, segment_steps, reverse=True, name=f"{name}_segment_decoder"
    )(segments)
    output = layers.Dense(num_features, activation=activation, name=f"{name}_value")
    values = ops.reshape(output(hidden), (-1, num_steps * num_features))
    return layers.Reshape((num_steps, num_features), name=name)(values)


def count_segments(num_steps, segment_steps):
    """Returns the number of segments, which have to fit."""
    if segment_steps < 1 or num_steps % segment_steps:
        raise ValueError(
            f"`segment_steps` should divide {num_steps}. Received: {segment_steps}."
        )
    return num_steps // segment_steps
