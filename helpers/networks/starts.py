"""Initialisers of LSTMs."""

from helpers.checks import check_integer

import keras
import numpy as np
from keras import ops

# A memory's gates start 95 % open (input, output) and 99 % closed (forget), and still
# have a gradient. What the forget gate lets pass would grow over many steps.
OPEN_LOGIT = 3.0
CLOSED_LOGIT = -5.0

# The state of a memory after reading: about a tenth, where tanh is straight.
INPUT_SCALE = 0.25

register = keras.saving.register_keras_serializable(package="lstm_autoencoders")


def lstm_initializers(num_inputs, memory_seed=None, chrono_steps=None, transpose=False):
    """Arguments of `keras.layers.LSTM` that start it as a memory or with chrono biases.

    Args:
        num_inputs: Positive integer, how many values of about -1..1 a memory reads.
        memory_seed: Non-negative integer for a linear, lossless memory, or `None`.
        chrono_steps: Integer of at least 3 for the biases of `ChronoBias`, or `None`.
        transpose: Whether to invert the memory of the same seed.

    Returns:
        Dict of arguments, empty for the default initialisation.

    Raises:
        ValueError: If both starts are asked for.
    """
    if memory_seed is not None and chrono_steps is not None:
        raise ValueError(
            "`memory_seed` or `chrono_steps` should be `None`. "
            f"Received: {memory_seed!r} and {chrono_steps!r}."
        )
    if chrono_steps is not None:
        bias = ChronoBias(chrono_steps)
        return {"bias_initializer": bias, "unit_forget_bias": False}
    if memory_seed is None:
        return {}
    scale = INPUT_SCALE / np.sqrt(num_inputs)
    # Input and output gate each let a part of the signal pass: undo both.
    gain = float((1 / (1 + np.exp(-OPEN_LOGIT))) ** -2)
    return {
        "kernel_initializer": MemoryKernel(scale, memory_seed + 1),
        "recurrent_initializer": MemoryKernel(gain, memory_seed, True, transpose),
        "bias_initializer": MemoryBias(),
        "unit_forget_bias": False,
    }


class Start(keras.initializers.Initializer):
    """Initialiser whose configuration is its attributes."""

    def get_config(self):
        return dict(vars(self))


@register
class MemoryKernel(Start):
    """Kernel of an LSTM that is initialised as a linear, lossless memory.

    Only the candidate block (the third of Keras' four) is drawn; the gates start
    without any input. With `MemoryBias` the new state is nearly
    `h_t = x_t W + h_{t-1} Q`: each step rotates what is stored and adds the new value,
    so that a state of enough units still holds every input after many steps.

    Args:
        scale: Float, standard deviation of a normal, or factor of an orthogonal matrix.
        seed: Non-negative integer.
        orthogonal: Whether the block is a (square) orthogonal matrix.
        transpose: Whether it is inverted, to take back what the same seed has stored.

    Reference: White, Lee & Sompolinsky, 2004, doi:10.1103/PhysRevLett.92.148102
    """

    def __init__(self, scale, seed, orthogonal=False, transpose=False):
        self.scale = scale
        self.seed = seed
        self.orthogonal = orthogonal
        self.transpose = transpose

    def __call__(self, shape, dtype=None):
        rows, columns = shape[0], shape[1] // 4
        # NumPy's generator, so that every backend starts with the same numbers.
        block = np.random.default_rng(self.seed).normal(size=(rows, columns))
        if self.orthogonal:
            block = np.linalg.qr(block)[0]
        if self.transpose:
            block = block.T
        kernel = np.zeros((rows, 4, columns), "float32")
        kernel[:, 2] = self.scale * block
        return ops.convert_to_tensor(kernel.reshape(shape), dtype=dtype)


@register
class MemoryBias(Start):
    """Biases of `MemoryKernel`'s gates: input and output open, forget gate closed."""

    def __call__(self, shape, dtype=None):
        logits = [OPEN_LOGIT, CLOSED_LOGIT, 0.0, OPEN_LOGIT]
        return ops.convert_to_tensor(np.repeat(logits, shape[0] // 4), dtype=dtype)


@register
class UnitForgetBias(Start):
    """Biases of an LSTM's gates: 1 for the forget gate, as in `keras.layers.LSTM`."""

    def __call__(self, shape, dtype=None):
        bias = np.repeat([0.0, 1.0, 0.0, 0.0], shape[0] // 4)
        return ops.convert_to_tensor(bias, dtype=dtype)


@register
class ChronoBias(Start):
    """Biases of an LSTM's gates that make it remember for up to a number of steps.

    The forget gate of a unit starts at `log(u)`, its input gate at `-log(u)`, with `u`
    drawn evenly from 1 to `longest - 1`: the unit then forgets in about `u` steps.

    Args:
        longest: Integer of at least 3, steps of the longest dependency.
        seed: Non-negative integer of the draw, in which Keras' seed has no part.

    Reference: Tallec & Ollivier, 2018, arXiv:1804.11188
    """

    def __init__(self, longest, seed=0):
        self.longest = check_integer("longest", longest, minimum=3)
        self.seed = seed

    def __call__(self, shape, dtype=None):
        units = shape[0] // 4
        generator = np.random.default_rng(self.seed)
        forget = np.log(generator.uniform(1, self.longest - 1, units))
        bias = np.concatenate([-forget, forget, np.zeros(2 * units)])
        return ops.convert_to_tensor(bias, dtype=dtype)


@register
class StartingBias(Start):
    """Starts a bias with given numbers, a list of floats."""

    def __init__(self, values):
        self.values = [float(value) for value in values]

    def __call__(self, shape, dtype=None):
        return ops.reshape(ops.convert_to_tensor(self.values, dtype), shape)
