"""Learning rates that change during training."""

import math

import keras

from helpers.checks import check_integer, is_number


def warmup_cosine(peak, num_examples, batch_size, epochs, warmup=0.1):
    """Raises the learning rate to a peak, then lowers it to zero along a cosine.

    The warm-up keeps the first, large gradients from throwing a recurrent network off;
    the slow end lets it settle, so that a high peak can be afforded.

    Args:
        peak: Positive float, the highest learning rate.
        num_examples: Positive integer, training examples.
        batch_size: Positive integer, as in the training.
        epochs: Positive integer, as in the training; the rate is 0 at their end.
        warmup: Float, share of all steps in which the rate rises, in `[0, 1)`.

    Returns:
        `keras.optimizers.schedules.LearningRateSchedule`.

    Raises:
        ValueError: If an argument is out of its range.

    Reference:
        Loshchilov & Hutter, 2017, SGDR: stochastic gradient descent with warm restarts.
        ICLR, arXiv:1608.03983. The warm-up: Goyal et al., 2017, arXiv:1706.02677
    """
    if not is_number(peak) or peak <= 0:
        raise ValueError(f"`peak` should be a positive number. Received: {peak!r}.")
    if not is_number(warmup) or not 0 <= warmup < 1:
        raise ValueError(f"`warmup` should be in [0, 1). Received: {warmup!r}.")
    num_examples = check_integer("num_examples", num_examples, minimum=1)
    batch_size = check_integer("batch_size", batch_size, minimum=1)
    epochs = check_integer("epochs", epochs, minimum=1)
    num_steps = math.ceil(num_examples / batch_size) * epochs
    warmup_steps = int(num_steps * warmup)
    if not warmup_steps:
        return keras.optimizers.schedules.CosineDecay(peak, num_steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, num_steps - warmup_steps, warmup_target=peak, warmup_steps=warmup_steps
    )
