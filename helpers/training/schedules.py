"""Learning rates that change during training."""

from helpers.checks import is_number

import keras


@keras.saving.register_keras_serializable(package="lstm_autoencoders")
class WarmupCosine(keras.optimizers.schedules.CosineDecay):
    """Raises the learning rate to a peak, then lowers it to zero along a cosine.

    A recurrent network survives its first, large gradients, and settles at the end.

    Args:
        peak: Positive float, the highest learning rate.
        warmup: Float, share of all steps in which the rate rises, in `[0, 1)`.
        num_steps: Positive integer, batches of all epochs; `fit` fills in a `None`.

    Raises:
        ValueError: If an argument is out of its range, or a training's length unknown.

    Reference: Loshchilov & Hutter, 2017, arXiv:1608.03983; the warm-up: Goyal et al.,
        2017, arXiv:1706.02677
    """

    def __init__(self, peak, warmup=0.1, num_steps=None):
        if not is_number(peak) or peak <= 0:
            raise ValueError(f"`peak` should be a positive number. Received: {peak!r}.")
        if not is_number(warmup) or not 0 <= warmup < 1:
            raise ValueError(f"`warmup` should be in [0, 1). Received: {warmup!r}.")
        self.peak, self.warmup, self.num_steps = peak, warmup, None
        if num_steps is not None:
            self.span(num_steps)

    def span(self, num_steps):
        """Sets the steps of the whole training, a positive integer."""
        warmup_steps = int(num_steps * self.warmup)
        decay_steps = num_steps - warmup_steps
        if warmup_steps:
            rising = {"warmup_target": self.peak, "warmup_steps": warmup_steps}
            super().__init__(0.0, decay_steps, **rising)
        else:
            super().__init__(self.peak, decay_steps)
        self.num_steps = num_steps

    def __call__(self, step):
        if self.num_steps is None:
            raise ValueError(
                "`WarmupCosine` should know the steps of the training: train with "
                "`training.fit`, or give `num_steps`. Received: num_steps=None."
            )
        return super().__call__(step)

    def get_config(self):
        return {"peak": self.peak, "warmup": self.warmup, "num_steps": self.num_steps}
