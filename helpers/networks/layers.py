"""Recurrent layers for the two halves of an autoencoder, fast on a CPU."""

from helpers.checks import check_integer
from helpers.networks.starts import UnitForgetBias, lstm_initializers, register

import keras
from keras import initializers, ops

compiled_lstm = None
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        from helpers.networks import compiled_lstm

# Unrolled loops are faster than while loops, but longer ones take minutes to trace.
LONGEST_UNROLLED = 64


@register
class FastLSTM(keras.layers.LSTM):
    """`keras.layers.LSTM`, faster on a CPU with TensorFlow; elsewhere the same.

    Outputs are equal up to rounding. What the compiled loop cannot do (dropout, masks,
    initial states, other activations) and cuDNN on a GPU are left to Keras' layer.
    """

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if initial_state is not None or mask is not None or not self._has_plain_cell():
            return super().call(sequences, initial_state, mask, training)
        rows, num_steps = ops.shape(sequences)[:2]
        zeros = ops.zeros((rows, self.units), self.compute_dtype)
        hidden = compiled_lstm.hidden_states(
            sequences,
            constant=ops.zeros((rows, 4 * self.units), self.compute_dtype),
            bias=ops.broadcast_to(self.cell.bias, (num_steps, 4 * self.units)),
            kernel=self.cell.kernel,
            recurrent_kernel=self.cell.recurrent_kernel,
            hidden=zeros,
            cell=zeros,
        )
        return hidden if self.return_sequences else hidden[:, -1]

    def _has_plain_cell(self):
        return (
            compiled_lstm is not None
            and self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
            and self.use_bias
            and not (self.dropout or self.recurrent_dropout)
            and not (self.stateful or self.return_state or self.go_backwards)
            and self.compute_dtype == self.variable_dtype
        )


class ProjectedLSTMCell(keras.layers.Layer):
    """One step of an LSTM whose input has been multiplied by the kernel already."""

    def __init__(self, units, recurrent_initializer, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]
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


@register
class CodeLSTM(keras.layers.Layer):
    """Decoder LSTM: the same code at every step, and optionally the step's number.

    Computes what `keras.layers.LSTM(units, return_sequences=True)` computes from the
    repeated code with the step's number as a one-hot vector beside it, but multiplies
    the code by its weights once, and the one-hot vector not at all.

    Args:
        units, num_steps: Size of the state and length of the sequence to write.
        position_input: Whether each step is told its number.
        state_from_code: Whether the initial state is a linear map of the code, not 0.
        reverse: Whether the last step is written first, as in Srivastava et al., 2015,
            arXiv:1502.04681. The output is in the order of time all the same.
        memory_seed, chrono_steps: Integers or `None`, see `lstm_initializers`; the
            memory is the inverse of an encoder's with the same seed.

    Input: tensor `(batch, code)`. Output: tensor `(batch, num_steps, units)`.

    Raises:
        ValueError: If a size or a shape does not fit, or both starts are asked for.
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
        self.input_spec = keras.layers.InputSpec(ndim=2)
        start = lstm_initializers(num_steps, memory_seed, chrono_steps, transpose=True)
        self.bias_initializer = start.get("bias_initializer", UnitForgetBias())
        recurrent = start.get("recurrent_initializer", "orthogonal")
        self.rnn = keras.layers.RNN(
            ProjectedLSTMCell(units, recurrent, name="cell"),
            return_sequences=True,
            unroll=num_steps <= LONGEST_UNROLLED,
            name="rnn",
        )

    def build(self, input_shape):
        code_size, gates = input_shape[-1], 4 * self.units
        memory = self.memory_seed is not None
        # A memory starts from the code in its initial state alone.
        idle = "zeros" if memory else "glorot_uniform"
        used = "orthogonal" if memory else "glorot_uniform"
        code_start = idle if self.state_from_code else "glorot_uniform"
        self.code_kernel = self.add_weight(
            shape=(code_size, gates), initializer=code_start, name="code_kernel"
        )
        self.bias = self.add_weight(
            shape=(gates,), initializer=self.bias_initializer, name="bias"
        )
        if self.position_input:
            self.position_kernel = self.add_weight(
                shape=(self.num_steps, gates), initializer=idle, name="position_kernel"
            )
        if self.state_from_code:
            self.state_kernel = self.add_weight(
                shape=(code_size, 2 * self.units), initializer=used, name="state_kernel"
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
        if compiled_lstm is not None:
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
        names = ["units", "num_steps", "position_input", "state_from_code", "reverse"]
        # Left out when not used: what was saved before it existed stays as it was.
        names += ["memory_seed", *["chrono_steps"] * bool(self.chrono_steps)]
        return super().get_config() | {name: getattr(self, name) for name in names}
