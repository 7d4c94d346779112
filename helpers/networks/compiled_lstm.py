"""The loop of an LSTM as one compiled program: TensorFlow on a CPU only.

A while loop of TensorFlow dispatches some twenty small kernels per step, and again
backward. Here XLA compiles all steps into two programs, one that reads and one that
takes the gradient back, and parts of the batch go through their loops at the same time.
`layers` uses this where it applies, and has an equal in plain Keras.
"""

import numpy as np
import tensorflow as tf

# A core for each. How gradients are rounded depends on it, so it does not follow the
# machine: a training gives the same numbers on any number of cores.
NUM_PARTS = 2


def hidden_states(inputs, constant, bias, kernel, recurrent_kernel, hidden, cell):
    """Hidden states of an LSTM at all steps.

    The gates of step `t` before their activations are
    `inputs[:, t] @ kernel + constant + bias[t] + hidden @ recurrent_kernel`, in Keras'
    order: input gate, forget gate, candidate, output gate.

    Args:
        inputs: Tensor `(batch, time, features)`; may have 0 features.
        constant: Tensor `(batch, 4 * units)`, what every step of an example gets.
        bias: Tensor `(time, 4 * units)`, what all examples get.
        kernel, recurrent_kernel: Tensors `(features, 4 * units)`, `(units, 4 * units)`.
        hidden, cell: Tensors `(batch, units)`, the first state.

    Returns:
        Tensor `(batch, time, units)`, differentiable with respect to all arguments.
    """
    # Values, not variables: a custom gradient may not use variables behind its back.
    bias, kernel, recurrent_kernel = map(tf.identity, (bias, kernel, recurrent_kernel))
    rows = tf.shape(inputs)[0]
    sizes = [(rows + part) // NUM_PARTS for part in range(NUM_PARTS)]
    inputs = tf.transpose(inputs, (1, 0, 2))
    parts = zip(
        tf.split(inputs, sizes, axis=1, num=NUM_PARTS),
        *(tf.split(whole, sizes, num=NUM_PARTS) for whole in (constant, hidden, cell)),
        strict=True,
    )
    states = [
        _states_of_part(part, constant, bias, kernel, recurrent_kernel, hidden, cell)
        for part, constant, hidden, cell in parts
    ]
    return tf.transpose(tf.concat(states, axis=1), (1, 0, 2))


@tf.custom_gradient
def _states_of_part(inputs, constant, bias, kernel, recurrent_kernel, hidden, cell):
    """`hidden_states` of some examples, time first."""
    arguments = (inputs, constant, bias, kernel, recurrent_kernel, hidden, cell)
    # An eager tape would otherwise differentiate the compiled program as well.
    states, cells, gates = _read(*map(tf.stop_gradient, arguments))

    def gradient(upstream):
        hidden_gradient, cell_gradient, constant_gradient, gates_gradient = _go_back(
            upstream, recurrent_kernel, cell, cells, gates
        )
        before = tf.concat([hidden[None], states[:-1]], axis=0)
        # The products over all steps at once; those that nobody asks for are pruned.
        return (
            tf.tensordot(gates_gradient, kernel, [[2], [1]]),
            constant_gradient,
            tf.reduce_sum(gates_gradient, axis=1),
            _weights_gradient(inputs, gates_gradient),
            _weights_gradient(before, gates_gradient),
            hidden_gradient,
            cell_gradient,
        )

    return states, gradient


def _weights_gradient(inputs, outputs_gradient):
    """Gradient of weights that are the same at all steps, as one product."""
    gradient = tf.reshape(outputs_gradient, (-1, outputs_gradient.shape[-1]))
    rows = tf.reshape(inputs, (tf.shape(gradient)[0], inputs.shape[-1]))
    return tf.matmul(rows, gradient, transpose_a=True)


@tf.function(jit_compile=True)
def _read(inputs, constant, bias, kernel, recurrent_kernel, hidden, cell):
    """Returns hidden states, cells and activated gates of all steps, time first."""
    num_steps, units = tf.shape(inputs)[0], recurrent_kernel.shape[0]
    # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, so that one tanh serves all four gates.
    slope = tf.constant(np.repeat([0.5, 0.5, 1.0, 0.5], units), hidden.dtype)
    offset = tf.constant(np.repeat([0.5, 0.5, 0.0, 0.5], units), hidden.dtype)
    # Scaled once here instead of at every step.
    recurrent_kernel, kernel = recurrent_kernel * slope, kernel * slope
    constant, bias = constant * slope, bias * slope

    def step(time, hidden, cell, buffers):
        logits = tf.matmul(hidden, recurrent_kernel) + constant + bias[time]
        if inputs.shape[2]:
            logits += tf.matmul(inputs[time], kernel)
        activated = tf.tanh(logits) * slope + offset
        input_gate, forget_gate, candidate, output_gate = tf.split(activated, 4, axis=1)
        cell = forget_gate * cell + input_gate * candidate
        hidden = output_gate * tf.tanh(cell)
        written = zip(buffers, (hidden, cell, activated), strict=True)
        buffers = [buffer.write(time, values) for buffer, values in written]
        return time + 1, hidden, cell, buffers

    buffers = [
        tf.TensorArray(hidden.dtype, num_steps, element_shape=(None, width))
        for width in (units, units, 4 * units)
    ]
    *_, buffers = tf.while_loop(
        lambda time, *_: time < num_steps,
        step,
        (0, hidden, cell, buffers),
        maximum_iterations=num_steps,
    )
    return [buffer.stack() for buffer in buffers]


@tf.function(jit_compile=True)
def _go_back(upstream, recurrent_kernel, first_cell, cells, gates):
    """Returns the gradients of the first hidden state and cell, and of the gates."""
    num_steps, units = tf.shape(upstream)[0], recurrent_kernel.shape[0]
    transposed = tf.transpose(recurrent_kernel)

    def step(time, hidden_gradient, cell_gradient, total, gradients):
        before = tf.where(time == 0, first_cell, cells[tf.maximum(time - 1, 0)])
        input_gate, forget_gate, candidate, output_gate = tf.split(
            gates[time], 4, axis=1
        )
        squashed = tf.tanh(cells[time])
        hidden_gradient += upstream[time]
        cell_gradient += hidden_gradient * output_gate * (1 - squashed * squashed)
        gradient = tf.concat(
            [
                cell_gradient * candidate * input_gate * (1 - input_gate),
                cell_gradient * before * forget_gate * (1 - forget_gate),
                cell_gradient * input_gate * (1 - candidate * candidate),
                hidden_gradient * squashed * output_gate * (1 - output_gate),
            ],
            axis=1,
        )
        hidden_gradient = tf.matmul(gradient, transposed)
        cell_gradient = cell_gradient * forget_gate
        gradients = gradients.write(time, gradient)
        return time - 1, hidden_gradient, cell_gradient, total + gradient, gradients

    zeros = tf.zeros_like(first_cell)
    gradients = tf.TensorArray(zeros.dtype, num_steps, element_shape=(None, 4 * units))
    _, hidden_gradient, cell_gradient, total, gradients = tf.while_loop(
        lambda time, *_: time >= 0,
        step,
        (num_steps - 1, zeros, zeros, tf.tile(zeros, (1, 4)), gradients),
        maximum_iterations=num_steps,
    )
    return hidden_gradient, cell_gradient, total, gradients.stack()
