"""Outputs and losses for counts: the probability of each strength from 0 to a largest.

An output of this kind answers both questions at once: the probability of an event is
one less the first probability, and the others say how strong it would be. Trained by
its log score, categorical cross-entropy, it is best when it is true.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from helpers.checks import check_integer, check_labels, check_numbers

# Numbers that each kind of distribution is made of.
NUM_PARAMETERS = {
    "softmax": None,  # One per count.
    "hurdle": 3,  # Logit of an event; mean and size of a negative binomial.
    "negative_binomial": 2,
    "zero_inflated": 3,  # Logit of being zero anyway; negative binomial.
    "poisson": 1,
}
LEAST_MEAN, LEAST_SIZE = 1e-4, 1e-2


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class CountDistribution(layers.Layer):
    """Turns some numbers into the probabilities of the counts 0 to `max_count`.

    All distributions are cut at `max_count` and scaled to the sum 1.

    Args:
        kind: `"softmax"` gives each count a logit of its own. `"hurdle"` has a logit of
            any event at all and a negative binomial of the counts from 1 on.
            `"negative_binomial"` and `"poisson"` are one law of all counts, and
            `"zero_inflated"` mixes a negative binomial with additional zeros.
        max_count: Positive integer, the largest count.

    Input: tensor `(batch, parameters)`. Output: tensor `(batch, max_count + 1)`, each
    row with the sum 1.

    Raises:
        ValueError: If `kind` is another word, `max_count` is no positive integer, or
            the input has another number of parameters.

    Reference:
        Mullahy, 1986, Specification and testing of some modified count data models.
        Journal of Econometrics 33(3), doi:10.1016/0304-4076(86)90002-3
    """

    def __init__(self, kind, max_count, **kwargs):
        super().__init__(**kwargs)
        if kind not in NUM_PARAMETERS:
            raise ValueError(
                f"`kind` should be one of {', '.join(NUM_PARAMETERS)}. "
                f"Received: {kind!r}."
            )
        self.kind = kind
        self.max_count = check_integer("max_count", max_count, minimum=1)

    def build(self, input_shape):
        num_parameters = NUM_PARAMETERS[self.kind] or self.max_count + 1
        if len(input_shape) != 2 or input_shape[1] != num_parameters:
            raise ValueError(
                f"The input of a {self.kind} `CountDistribution` should have the shape "
                f"(batch, {num_parameters}). Received: {tuple(input_shape)}."
            )
        self.built = True

    def call(self, parameters):
        if self.kind == "softmax":
            return ops.softmax(parameters)
        if self.kind == "poisson":
            return ops.softmax(self._poisson_logits(parameters))
        law = self._negative_binomial_logits(parameters[:, -2:])
        if self.kind == "negative_binomial":
            return ops.softmax(law)
        logit = parameters[:, :1]
        if self.kind == "hurdle":
            positive = ops.sigmoid(logit) * ops.softmax(law[:, 1:])
            return ops.concatenate([ops.sigmoid(-logit), positive], axis=1)
        zeros = ops.pad(ops.sigmoid(logit), ((0, 0), (0, self.max_count)))
        return zeros + ops.sigmoid(-logit) * ops.softmax(law)

    def _poisson_logits(self, parameters):
        """Logits of `mean**k / k!`, for a raw mean."""
        counts = ops.arange(1, self.max_count + 1, dtype=self.compute_dtype)[None]
        mean = ops.softplus(parameters) + LEAST_MEAN
        steps = ops.log(mean) - ops.log(counts)
        return ops.pad(ops.cumsum(steps, axis=1), ((0, 0), (1, 0)))

    def _negative_binomial_logits(self, parameters):
        """Logits of a negative binomial, for a raw mean and a raw size.

        The ratio of two neighbours is known, so that no gamma function is needed.
        """
        counts = ops.arange(1, self.max_count + 1, dtype=self.compute_dtype)[None]
        mean = ops.softplus(parameters[:, :1]) + LEAST_MEAN
        size = ops.softplus(parameters[:, 1:]) + LEAST_SIZE
        steps = ops.log((size + counts - 1) / counts) + ops.log(mean / (size + mean))
        return ops.pad(ops.cumsum(steps, axis=1), ((0, 0), (1, 0)))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.max_count + 1)

    def get_config(self):
        return super().get_config() | {"kind": self.kind, "max_count": self.max_count}


def predict_counts(code, frequencies, kind="softmax", name="strength"):
    """Gives each count a probability: a dense map of the code, then a distribution.

    The biases are such that the untrained network predicts about the frequencies: with
    rare events it would otherwise spend its first epochs on learning how rare they are.

    Args:
        code: Keras tensor of shape `(batch, code)`.
        frequencies: Array of shape `(counts,)`, the share of each count from 0 in the
            training data, see `count_frequencies`.
        kind: See `CountDistribution`.
        name: String, name of the output.

    Returns:
        Keras tensor of shape `(batch, counts)`; each row has the sum 1. Its loss is
        categorical cross-entropy.

    Raises:
        ValueError: If `kind` is another word or `frequencies` are not positive.
    """
    biases = starting_biases(frequencies, kind)
    raw = layers.Dense(
        len(biases),
        bias_initializer=StartingBias(biases),
        # Small, so that the biases say what the untrained network predicts.
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.05),
        name=f"{name}_parameters",
    )(code)
    return CountDistribution(kind, len(frequencies) - 1, name=name)(raw)


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class StartingBias(keras.initializers.Initializer):
    """Starts a bias with given numbers.

    Args:
        values: List of floats.
    """

    def __init__(self, values):
        self.values = [float(value) for value in values]

    def __call__(self, shape, dtype=None):
        return ops.reshape(ops.convert_to_tensor(self.values, dtype), shape)

    def get_config(self):
        return {"values": self.values}


def count_frequencies(counts, max_count):
    """Measures the share of each count; one that never occurs counts as half a time.

    Args:
        counts: Integer array of shape `(examples,)`, 0 to `max_count`.
        max_count: Positive integer.

    Returns:
        float64 array of shape `(max_count + 1,)`, positive, with the sum 1.

    Raises:
        ValueError: If a count is no integer in the range.

    Example:

    >>> count_frequencies([0, 0, 0, 1], 1).tolist()
    [0.75, 0.25]
    """
    max_count = check_integer("max_count", max_count, minimum=1)
    counts = check_labels("counts", counts, max_count + 1)
    numbers = np.maximum(np.bincount(counts, minlength=max_count + 1), 0.5)
    return numbers / numbers.sum()


def starting_biases(frequencies, kind):
    """Returns the numbers with which a distribution is about that of the frequencies.

    Args:
        frequencies: Array of shape `(counts,)`, positive.
        kind: See `CountDistribution`.

    Returns:
        List of floats, rounded to four decimals: their last digits would differ
        between processors.
    """
    frequencies = check_numbers("frequencies", frequencies, ("counts",))
    if frequencies.min() <= 0 or abs(frequencies.sum() - 1) > 1e-6:
        raise ValueError(
            "`frequencies` should be positive and have the sum 1. "
            f"Received: {frequencies}."
        )
    if kind not in NUM_PARAMETERS:
        raise ValueError(
            f"`kind` should be one of {', '.join(NUM_PARAMETERS)}. Received: {kind!r}."
        )
    event = 1 - frequencies[0]
    mean = frequencies @ np.arange(len(frequencies))
    size = math.log(math.expm1(1.0))  # Of the raw number; the size itself is 1.
    biases = {
        "softmax": np.log(frequencies),
        "hurdle": [math.log(event / (1 - event)), inverse_softplus(mean / event), size],
        "negative_binomial": [inverse_softplus(mean), size],
        # As likely zero anyway as not.
        "zero_inflated": [0.0, inverse_softplus(2 * mean), size],
        "poisson": [inverse_softplus(mean)],
    }[kind]
    return [round(float(bias), 4) for bias in biases]


def inverse_softplus(value):
    """Returns the number whose softplus is a positive value."""
    return math.log(math.expm1(value))


def mean_count(probabilities):
    """Returns the expected count of each distribution.

    Args:
        probabilities: Array of shape `(examples, counts)`.

    Returns:
        float64 array of shape `(examples,)`.
    """
    probabilities = check_numbers(
        "probabilities", probabilities, ("examples", "counts")
    )
    return probabilities.astype("float64") @ np.arange(probabilities.shape[1])


def event_squared_error(target, prediction):
    """Squared error of a strength on the examples with an event alone.

    It is averaged over these. So trained, a network predicts the strength given that
    there is an event; trained on all, the strength times the probability of one.

    Args:
        target: Tensor of shape `(batch, 1)`, 0 where there is no event.
        prediction: Tensor of shape `(batch, 1)`.

    Returns:
        Tensor without axes.
    """
    is_event = ops.cast(target > 0, prediction.dtype)
    errors = is_event * ops.square(target - prediction)
    return ops.sum(errors) / ops.maximum(ops.sum(is_event), 1)


def balanced_crossentropy(rate):
    """Makes a binary cross-entropy in which events weigh as much as all other steps.

    Args:
        rate: Float between 0 and 1, the share of events.

    Returns:
        Function from `(target, prediction)`, tensors of shape `(batch, 1)`, to a
        tensor of shape `(batch,)`: a Keras loss.
    """

    def balanced(target, prediction):
        weights = ops.where(target > 0, 0.5 / rate, 0.5 / (1 - rate))
        losses = keras.losses.binary_crossentropy(target, prediction)
        return weights[:, 0] * losses

    return balanced
