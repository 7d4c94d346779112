"""Recurrent layers and initialisers that make LSTM autoencoders fast and trainable."""

import keras
import numpy as np
from keras import initializers, ops

from helpers.checks import check_integer

compiled_lstm = None
if keras.backend.backend() == "tensorflow":
    from helpers import compiled_lstm

# Loops up to this length are unrolled: a step then costs less than in a while loop.
# Longer ones would take minutes to trace.
LONGEST_UNROLLED = 64

# A memory's gates start 95 % open (input, output) and 99 % closed (forget): as open and
# as closed as they can be and still have a gradient. What the forget gate lets pass is
# added to each rotated state, so that over many steps a few per cent would grow.
OPEN_LOGIT = 3.0
CLOSED_LOGIT = -5.0

# The state of a memory after reading: about a tenth, where tanh is straight.
INPUT_SCALE = 0.25


def is_unrolled(num_steps):
    """Tells whether a loop over `num_steps` steps is worth unrolling."""
    return num_steps <= LONGEST_UNROLLED


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class MemoryKernel(initializers.Initializer):
    """Kernel of an LSTM that starts as a linear, lossless memory.

    Only the candidate block (third of Keras' four blocks: input gate, forget gate,
    candidate, output gate) is drawn; the gates start without any input. With
    `MemoryBias` the new state is then nearly `h_t = x_t W + h_{t-1} Q`: each step
    rotates what is stored and adds the new value, so that a state of enough units
    still holds every input after many steps.

    Args:
        scale: Float. With `orthogonal=False` the standard deviation of a normal
            distribution; otherwise the factor of an orthogonal matrix.
        seed: Non-negative integer.
        orthogonal: Whether the block is a (square) orthogonal matrix.
        transpose: Whether that matrix is transposed, which for an orthogonal matrix
            is its inverse: such a network takes back, step by step, what one with the
            same seed and without it has stored.

    Reference:
        White, Lee & Sompolinsky, 2004, Short-term memory in orthogonal neural networks.
        Physical Review Letters 92, doi:10.1103/PhysRevLett.92.148102. Le, Jaitly &
        Hinton, 2015, arXiv:1504.00941, start a plain recurrent network as the identity.
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

    def get_config(self):
        return {
            "scale": self.scale,
            "seed": self.seed,
            "orthogonal": self.orthogonal,
            "transpose": self.transpose,
        }


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class ChronoBias(initializers.Initializer):
    """Biases of an LSTM's gates that make it remember for up to a number of steps.

    The forget gate of a unit starts at `log(u)`, its input gate at `-log(u)`, with `u`
    drawn evenly from 1 to `longest - 1`: the unit then forgets in about `u` steps.

    Args:
        longest: Integer of at least 3, steps of the longest dependency.
        seed: Non-negative integer; Keras' seed has no part in the draw, so that layers
            of one size and networks of all seeds start with the same biases.

    Reference:
        Tallec & Ollivier, 2018, Can recurrent neural networks warp time? ICLR,
        arXiv:1804.11188
    """

    def __init__(self, longest, seed=0):
        self.longest = check_integer("longest", longest, minimum=3)
        self.seed = check_integer("seed", seed, minimum=0)

    def __call__(self, shape, dtype=None):
        units = shape[-1] // 4
        generator = np.random.default_rng(self.seed)
        forget = np.log(generator.uniform(1, self.longest - 1, units))
        bias = np.concatenate([-forget, forget, np.zeros(2 * units)])
        return ops.convert_to_tensor(bias.astype("float32"), dtype=dtype)

    def get_config(self):
        return {"longest": self.longest, "seed": self.seed}


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class MemoryBias(initializers.Initializer):
    """Biases of an LSTM's gates: input and output gate open, forget gate closed.

    What is stored then lives in the recurrent product (see `MemoryKernel`), not in the
    cell, and keeps its size. Broadcast over leading axes, so that it also serves
    biases of shape `(time, 4 * units)`.
    """

    def __call__(self, shape, dtype=None):
        logits = [OPEN_LOGIT, CLOSED_LOGIT, 0.0, OPEN_LOGIT]
        bias = np.broadcast_to(np.repeat(logits, shape[-1] // 4), shape)
        return ops.convert_to_tensor(bias.astype("float32"), dtype=dtype)


def memory_initializers(num_inputs, seed, transpose=False):
    """Initialisers with which an LSTM starts as a linear, lossless memory.

    Args:
        num_inputs: Positive integer, how many values the LSTM reads in all: steps
            times features. Inputs are expected in about -1..1; the more there are, the
            smaller the weights, so that the state stays in the linear part of tanh.
        seed: Non-negative integer.
        transpose: Whether to start as the inverse of the memory of the same seed.

    Returns:
        Dict of arguments for `keras.layers.LSTM`: `kernel_initializer`,
        `recurrent_initializer`, `bias_initializer` and `unit_forget_bias`.

    Raises:
        ValueError: If `num_inputs` or `seed` is not such an integer.
    """
    num_inputs = check_integer("num_inputs", num_inputs, minimum=1)
    seed = check_integer("seed", seed, minimum=0)
    gate = 1 / (1 + np.exp(-OPEN_LOGIT))
    return {
        "kernel_initializer": MemoryKernel(INPUT_SCALE / np.sqrt(num_inputs), seed + 1),
        # Input and output gate each let `gate` of the signal pass: undo both.
        "recurrent_initializer": MemoryKernel(
            float(gate**-2), seed, orthogonal=True, transpose=transpose
        ),
        "bias_initializer": MemoryBias(),
        "unit_forget_bias": False,
    }


def is_compiled():
    """Tells whether the loops of this process are compiled (see `compiled_lstm`)."""
    return compiled_lstm is not None and compiled_lstm.is_available()


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class FastLSTM(keras.layers.LSTM):
    """`keras.layers.LSTM`, faster on a CPU with TensorFlow; elsewhere the same.

    Arguments, weights, inputs and outputs are those of `keras.layers.LSTM`, and so are
    the numbers up to rounding. What the compiled loop cannot do (dropout, masks,
    initial states, other activations) and what is fast already (cuDNN on a GPU) is
    left to the layer of Keras.

    Input: tensor `(batch, time, features)`. Output: tensor `(batch, units)`, or
    `(batch, time, units)` with `return_sequences=True`.
    """

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if initial_state is not None or mask is not None or not self._has_plain_cell():
            return super().call(
                sequences, initial_state=initial_state, mask=mask, training=training
            )
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
        rows, num_steps = ops.shape(sequences)[:2]
        hidden = compiled_lstm.hidden_states(
            sequences,
            constant=ops.zeros((rows, 4 * self.units), self.compute_dtype),
            bias=ops.broadcast_to(self.cell.bias, (num_steps, 4 * self.units)),
            kernel=self.cell.kernel,
            recurrent_kernel=self.cell.recurrent_kernel,
            hidden=ops.zeros((rows, self.units), self.compute_dtype),
            cell=ops.zeros((rows, self.units), self.compute_dtype),
        )
        return hidden if self.return_sequences else hidden[:, -1]

    def _has_plain_cell(self):
        return (
            is_compiled()
            and self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
            and self.use_bias
            and not (self.dropout or self.recurrent_dropout)
            and not (self.stateful or self.return_state)
            and self.compute_dtype == self.variable_dtype
        )


def starting_bias(memory_seed=None, chrono_steps=None):
    """Initialiser of an LSTM's biases: a memory, chrono, or 1 for the forget gate.

    Args:
        memory_seed: Integer or `None`; an integer, whichever, asks for a memory.
        chrono_steps: Integer of at least 3 or `None`, see `ChronoBias`.

    Returns:
        `keras.initializers.Initializer` for a bias of shape `(4 * units,)`.

    Raises:
        ValueError: If both arguments are given, or `chrono_steps` is below 3.
    """
    if memory_seed is not None and chrono_steps is not None:
        raise ValueError(
            "`memory_seed` or `chrono_steps` should be `None`: they are two starts. "
            f"Received: {memory_seed!r} and {chrono_steps!r}."
        )
    if memory_seed is not None:
        return MemoryBias()
    return UnitForgetBias() if chrono_steps is None else ChronoBias(chrono_steps)


class ProjectedLSTMCell(keras.layers.Layer):
    """One step of an LSTM whose input has been multiplied by the kernel already.

    Args:
        units: Positive integer, size of the state.
        recurrent_initializer: Initialiser of the `(units, 4 * units)` weights.
    """

    def __init__(self, units, recurrent_initializer="orthogonal", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units
        self.recurrent_initializer = initializers.get(recurrent_initializer)

    def build(self, input_shape):
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, 4 * self.units),
            initializer=self.recurrent_initializer,
            name="recurrent_kernel",
        )

    def call(self, projected, states):
        hidden, cell = states
        gates = projected + ops.matmul(hidden, self.recurrent_kernel)
        input_gate, forget_gate, candidate, output_gate = ops.split(gates, 4, axis=-1)
        cell = ops.sigmoid(forget_gate) * cell
        cell = cell + ops.sigmoid(input_gate) * ops.tanh(candidate)
        hidden = ops.sigmoid(output_gate) * ops.tanh(cell)
        return hidden, [hidden, cell]


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class CodeLSTM(keras.layers.Layer):
    """Decoder LSTM: the same code at every step, and optionally the step's number.

    Computes what `keras.layers.LSTM(units, return_sequences=True)` computes from the
    code repeated `num_steps` times (with the step's number as a one-hot vector beside
    it), but multiplies the code by its weights once instead of at every step, and
    needs no product at all for the one-hot vector.

    Args:
        units: Positive integer, size of the state.
        num_steps: Positive integer, length of the sequence to write.
        position_input: Whether each step is told its number.
        state_from_code: Whether the initial state is a linear map of the code; zeros
            otherwise.
        reverse: Whether the last step of the sequence is written first, as in
            Srivastava, Mansimov & Salakhutdinov, 2015, arXiv:1502.04681. The output is
            in the order of time all the same.
        memory_seed: Non-negative integer or `None`. An integer starts the layer as
            the inverse of an encoder with the memory of the same seed (see
            `memory_initializers`); `None` starts it like `keras.layers.LSTM`.
        chrono_steps: Integer of at least 3 or `None`. An integer draws the biases of
            the gates by `ChronoBias`; not together with `memory_seed`.

    Input: tensor `(batch, code)`. Output: tensor `(batch, num_steps, units)`.

    Raises:
        ValueError: If `units`, `num_steps`, `memory_seed` or `chrono_steps` is no such
            integer, the last two are both given, or the input is not `(batch, code)`.
    """

    def __init__(
        self,
        units,
        num_steps,
        position_input=True,
        state_from_code=True,
        reverse=False,
        memory_seed=None,
        chrono_steps=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_integer("units", units, minimum=1)
        self.num_steps = check_integer("num_steps", num_steps, minimum=1)
        self.position_input = position_input
        self.state_from_code = state_from_code
        self.reverse = reverse
        self.memory_seed = memory_seed
        self.chrono_steps = chrono_steps
        self.bias_initializer = starting_bias(memory_seed, chrono_steps)
        recurrent_initializer = "orthogonal"
        if memory_seed is not None:
            recurrent_initializer = memory_initializers(
                num_steps, memory_seed, transpose=True
            )["recurrent_initializer"]
        self.rnn = keras.layers.RNN(
            ProjectedLSTMCell(units, recurrent_initializer, name="cell"),
            return_sequences=True,
            unroll=is_unrolled(num_steps),
            name="rnn",
        )

    def build(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(
                "The input of a `CodeLSTM` should have the shape (batch, code). "
                f"Received: {tuple(input_shape)}."
            )
        memory = self.memory_seed is not None
        gates = 4 * self.units
        self.code_kernel = self.add_weight(
            shape=(input_shape[-1], gates),
            # A memory starts from the code in its initial state alone.
            initializer="zeros"
            if memory and self.state_from_code
            else "glorot_uniform",
            name="code_kernel",
        )
        self.bias = self.add_weight(
            shape=(gates,),
            initializer=self.bias_initializer,
            name="bias",
        )
        if self.position_input:
            self.position_kernel = self.add_weight(
                shape=(self.num_steps, gates),
                initializer="zeros" if memory else "glorot_uniform",
                name="position_kernel",
            )
        if self.state_from_code:
            self.state_kernel = self.add_weight(
                shape=(input_shape[-1], 2 * self.units),
                initializer="orthogonal" if memory else "glorot_uniform",
                name="state_kernel",
            )
        self.rnn.build((input_shape[0], self.num_steps, gates))

    def call(self, code):
        projected = ops.matmul(code, self.code_kernel) + self.bias
        rows, gates = ops.shape(projected)
        if self.position_input:
            position = self.position_kernel
        else:
            position = ops.zeros((self.num_steps, gates), projected.dtype)
        if self.state_from_code:
            state = ops.split(ops.matmul(code, self.state_kernel), 2, axis=-1)
        else:
            state = [ops.zeros((rows, self.units), projected.dtype)] * 2
        if is_compiled():
            hidden = compiled_lstm.hidden_states(
                inputs=ops.zeros((rows, self.num_steps, 0), projected.dtype),
                constant=projected,
                bias=position,
                kernel=ops.zeros((0, gates), projected.dtype),
                recurrent_kernel=self.rnn.cell.recurrent_kernel,
                hidden=state[0],
                cell=state[1],
            )
        else:
            projected = ops.expand_dims(projected, axis=1) + position
            hidden = self.rnn(projected, initial_state=state)
        return ops.flip(hidden, axis=1) if self.reverse else hidden

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_steps, self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_steps": self.num_steps,
            "position_input": self.position_input,
            "state_from_code": self.state_from_code,
            "reverse": self.reverse,
            "memory_seed": self.memory_seed,
            # Left out when not used: what was saved before it existed stays as it was.
            **({"chrono_steps": self.chrono_steps} if self.chrono_steps else {}),
        }


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class UnitForgetBias(initializers.Initializer):
    """Biases of an LSTM's gates: 1 for the forget gate, 0 elsewhere.

    Reference:
        Jozefowicz, Zaremba & Sutskever, 2015, An empirical exploration of recurrent
        network architectures. ICML; the default of `keras.layers.LSTM`
    """

    def __call__(self, shape, dtype=None):
        bias = np.repeat([0.0, 1.0, 0.0, 0.0], shape[-1] // 4)
        return ops.convert_to_tensor(bias.astype("float32"), dtype=dtype)
