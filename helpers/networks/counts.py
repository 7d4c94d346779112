"""Outputs and losses for counts: the probability of each strength from 0 to a largest.

One less the first is the probability of an event, the others say how strong it would
be. Trained by its log score, categorical cross-entropy, such an output is best if true.
"""

import math

from helpers.checks import check_labels
from helpers.networks.starts import StartingBias, register

import keras
import numpy as np
from keras import layers, ops

# Numbers that each kind of distribution is made of.
NUM_PARAMETERS = {
    "softmax": None,  # One per count.
    "hurdle": 3,  # Logit of an event; mean and size of a negative binomial.
    "negative_binomial": 2,
    "zero_inflated": 3,  # Logit of being zero anyway; negative binomial.
    "poisson": 1,
}
LEAST_MEAN, LEAST_SIZE = 1e-4, 1e-2


@register
class CountDistribution(layers.Layer):
    """Turns some numbers into the probabilities of the counts 0 to `max_count`.

    All distributions are cut at `max_count` and scaled to the sum 1.

    Args:
        kind: `"softmax"`, a logit for each count; `"hurdle"`, a logit of an event and a
            negative binomial from 1 on; `"negative_binomial"` or `"poisson"`; or
            `"zero_inflated"`, a negative binomial with additional zeros.
        max_count: Positive integer, the largest count.

    Input: tensor `(batch, parameters)`. Output: tensor `(batch, max_count + 1)`, each
    row with the sum 1.

    Reference: Mullahy, 1986, doi:10.1016/0304-4076(86)90002-3
    """

    def __init__(self, kind, max_count, **kwargs):
        super().__init__(**kwargs)
        self.kind = kind
        self.max_count = max_count
        num_parameters = NUM_PARAMETERS[kind] or max_count + 1
        self.input_spec = layers.InputSpec(ndim=2, axes={-1: num_parameters})

    def call(self, parameters):
        if self.kind == "softmax":
            return ops.softmax(parameters)
        # The ratio of two neighbours is known, so that no gamma function is needed.
        counts = ops.arange(1, self.max_count + 1, dtype=self.compute_dtype)[None]
        if self.kind == "poisson":
            mean = ops.softplus(parameters) + LEAST_MEAN
            ratios = ops.log(mean) - ops.log(counts)
        else:
            mean = ops.softplus(parameters[:, -2:-1]) + LEAST_MEAN
            size = ops.softplus(parameters[:, -1:]) + LEAST_SIZE
            ratios = ops.log((size + counts - 1) / counts)
            ratios = ratios + ops.log(mean / (size + mean))
        logits = ops.pad(ops.cumsum(ratios, axis=1), ((0, 0), (1, 0)))
        if self.kind in ("poisson", "negative_binomial"):
            return ops.softmax(logits)
        logit = parameters[:, :1]
        if self.kind == "hurdle":
            positive = ops.sigmoid(logit) * ops.softmax(logits[:, 1:])
            return ops.concatenate([ops.sigmoid(-logit), positive], axis=1)
        zeros = ops.pad(ops.sigmoid(logit), ((0, 0), (0, self.max_count)))
        return zeros + ops.sigmoid(-logit) * ops.softmax(logits)

    def get_config(self):
        return super().get_config() | {"kind": self.kind, "max_count": self.max_count}


def predict_counts(code, frequencies, kind="softmax"):
    """Gives each count a probability: a dense map of the code, then a distribution.

    The untrained network predicts the frequencies, and need not learn them first.

    Args:
        code: Keras tensor of shape `(batch, code)`.
        frequencies: Array of shape `(counts,)`, see `count_frequencies`.
        kind: See `CountDistribution`.

    Returns:
        Keras tensor `(batch, counts)`, layer name `"strength"`; each row sums to 1.
    """
    biases = starting_biases(frequencies, kind)
    raw = layers.Dense(
        len(biases),
        bias_initializer=StartingBias(biases),
        # Small, so that the biases say what the untrained network predicts.
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.05),
        name="strength_parameters",
    )(code)
    return CountDistribution(kind, len(frequencies) - 1, name="strength")(raw)


def count_frequencies(counts, max_count):
    """Measures the share of each count; one that never occurs counts as half a time.

    Args:
        counts: Integer array of shape `(examples,)`, 0 to `max_count`.
        max_count: Positive integer.

    Returns:
        float64 array of shape `(max_count + 1,)`, positive, with the sum 1.

    Raises:
        ValueError: If a count is no integer in the range.
    """
    counts = check_labels("counts", counts, max_count + 1)
    numbers = np.maximum(np.bincount(counts, minlength=max_count + 1), 0.5)
    return numbers / numbers.sum()


def starting_biases(frequencies, kind):
    """Returns parameters with which a distribution is about that of frequencies."""
    event = 1 - frequencies[0]
    mean = frequencies @ np.arange(len(frequencies))
    size = inverse_softplus(1)
    biases = {
        "softmax": np.log(frequencies),
        "hurdle": [math.log(event / (1 - event)), inverse_softplus(mean / event), size],
        "negative_binomial": [inverse_softplus(mean), size],
        # As likely zero anyway as not.
        "zero_inflated": [0.0, inverse_softplus(2 * mean), size],
        "poisson": [inverse_softplus(mean)],
    }[kind]
    # Their last digits differ between processors.
    return [round(float(bias), 4) for bias in biases]


def inverse_softplus(value):
    """Returns the number whose softplus is a positive value."""
    return math.log(math.expm1(value))


def mean_count(probabilities):
    """Returns expected counts, a float64 array of shape `(examples,)`.

    Args:
        probabilities: Array of shape `(examples, counts)`.
    """
    probabilities = np.asarray(probabilities, "float64")
    return probabilities @ np.arange(probabilities.shape[1])


def event_squared_error(target, prediction):
    """Loss: mean squared error of a strength over the examples with an event.

    So trained, a network predicts the strength given that there is an event; trained on
    all, the strength times the probability of one.

    Args:
        target, prediction: Tensors `(batch, 1)`, targets 0 where there is no event.
    """
    is_event = ops.cast(target > 0, prediction.dtype)
    errors = is_event * ops.square(target - prediction)
    return ops.sum(errors) / ops.maximum(ops.sum(is_event), 1)


def balanced_crossentropy(rate):
    """Makes a binary cross-entropy in which events weigh as much as all other steps.

    Args:
        rate: Float between 0 and 1, the share of events.
    """

    def balanced(target, prediction):
        weights = ops.where(target > 0, 0.5 / rate, 0.5 / (1 - rate))
        losses = keras.losses.binary_crossentropy(target, prediction)
        return weights[:, 0] * losses

    return balanced
