"""What a history says: a dict of lists with one value per epoch."""


def first_epoch_reaching(history, metric, value, mode="min"):
    """Returns the first epoch at which a metric is as good as a value.

    Args:
        history: Dict of lists, the history of a `Run`.
        metric: String, a key of `history`.
        value: Float, the quality to reach.
        mode: `"min"` if small values are good (losses), `"max"` if large ones are.

    Returns:
        Integer, the epoch, counted from 1, or `None` if no epoch reached the value.

    Raises:
        ValueError: If `metric` was not recorded or `mode` is another word.
    """
    if metric not in history:
        raise ValueError(
            f"`metric` should be one of {sorted(history)}. Received: {metric!r}."
        )
    if mode not in ("min", "max"):
        raise ValueError(f"`mode` should be 'min' or 'max'. Received: {mode!r}.")
    for epoch, reached in enumerate(history[metric], start=1):
        if (reached <= value) if mode == "min" else (reached >= value):
            return epoch
    return None
