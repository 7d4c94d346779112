"""Scores of chapter 5's forecasts: what is recorded of each network."""

import math

from helpers.networks.counts import mean_count
from helpers.scores import errors, events, intervals

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

COST_RATIOS = np.arange(0.05, 0.951, 0.05)


def read_forecast(outputs, kind="softmax"):
    """Turns the outputs of a network into one form.

    Args:
        outputs: Dict from output to array, what a model predicts.
        kind: String, the variant's `output`.

    Returns:
        Dict of arrays of shape `(examples,)`: `rank`, which grows with the risk, and,
        if there are any, `event`, a probability, `mean`, the expected strength,
        `factor`, the strength head's output; and `strength`, `(examples, counts)`.
    """
    outputs = {name: values.astype("float64") for name, values in outputs.items()}
    forecast = {}
    if "strength" in outputs:
        strength = outputs["strength"].clip(0)
        strength /= strength.sum(axis=1, keepdims=True)
        forecast["strength"] = strength
        forecast["event"] = strength[:, 1:].sum(axis=1).clip(0, 1)
        forecast["mean"] = mean_count(strength)
    if "event" in outputs:
        forecast["event"] = outputs["event"][:, 0]
    if "mean" in outputs:
        forecast["mean"] = outputs["mean"][:, 0]
        forecast["factor"] = outputs.get("factor", outputs["mean"])[:, 0]
        if kind == "masked_heads":
            # Probability of an event times its strength given that there is one.
            forecast["mean"] = forecast["event"] * forecast["factor"]
    forecast["rank"] = forecast.get("event", forecast.get("mean"))
    if kind == "product":  # Its probability was never trained alone.
        forecast["rank"] = forecast["mean"]
    return forecast


def score_forecast(forecast, examples, baseline_rate):
    """Scores a forecast.

    Args:
        forecast: Dict, see `read_forecast`.
        examples: `windows.Events`.
        baseline_rate: Float, the share of events in the training data.

    Returns:
        Dict of floats, and of a list with a number per day, for a bootstrap by day.
    """
    happened, strengths = examples.strengths > 0, examples.strengths
    result = {
        "area under curve": roc_auc_score(happened, forecast["rank"]),
        "average precision": average_precision_score(happened, forecast["rank"]),
    }
    if "event" in forecast:
        brier = events.brier_scores(happened, forecast["event"])
        climate = np.full(len(happened), baseline_rate)
        reference = events.brier_scores(happened, climate).sum()
        result["Brier skill"] = 1 - brier.sum() / reference
        result["Brier by day"] = sum_by_day(brier, examples)
        losses = events.log_scores(happened, forecast["event"])
        result["cross-entropy"] = losses.mean()
    if "strength" in forecast:
        probabilities = forecast["strength"]
        logs = events.count_log_scores(strengths, probabilities)
        ranked = events.ranked_probability_scores(strengths, probabilities)
        result |= {"log score": logs.mean(), "ranked probability": ranked.mean()}
    means = {name: forecast[name] for name in ("mean", "factor") if name in forecast}
    if "event" in forecast and "factor" in forecast:
        result["event average"] = forecast["event"].mean()
        means["multiplied"] = forecast["event"] * forecast["factor"]
    for name, mean in means.items():
        result[f"{name} average"] = mean.mean()
        result[f"{name} squared error"] = np.square(mean - strengths).mean()
    return result


def score_more(forecast, others, examples, other_examples):
    """Scores what needs a second forecast, `others`, and what is drawn, as lists."""
    happened, known = examples.strengths > 0, other_examples.strengths > 0
    ranks = others["rank"], forecast["rank"]
    brier = events.brier_scores(happened, events.recalibrate(known, *ranks))
    result = {"recalibrated Brier by day": sum_by_day(brier, examples)}
    if "event" in forecast:
        bins = events.reliability(happened, forecast["event"])
        result |= {f"reliability {name}": rounded(sums) for name, sums in bins.items()}
        value = events.costs(happened, forecast["event"], COST_RATIOS)
        result["value by cost"] = rounded(value)
    return result


def sum_by_day(values, examples):
    """Returns the sum of a score over each day, a list of floats."""
    return rounded(intervals.sum_by_unit(values, examples.days))


def rounded(values):
    """Returns a list of floats with four decimals, which is enough for a bootstrap."""
    return [round(float(value), 4) for value in values]


def score_model(kind, baseline_rate, validation, test, model, history):
    """Scores a trained network on validation and test data.

    Args:
        kind, baseline_rate: See `read_forecast` and `score_forecast`.
        validation, test: `windows.Events`.
        model: `keras.Model` with a dict of outputs.

    Returns:
        Dict of floats and lists: the scores, named by part, and the number of weights.
    """
    sizes = [math.prod(weight.shape) for weight in model.trainable_weights]
    result, forecasts = {"parameters": sum(sizes)}, []
    for part, examples in (("validation", validation), ("test", test)):
        outputs = model.predict(examples.windows, batch_size=1024, verbose=0)
        if "reconstruction" in outputs:
            # A network may append numbers to each step, a variance for instance.
            values = outputs.pop("reconstruction")[..., : examples.windows.shape[-1]]
            error = errors.mean_squared_error(examples.windows, values)
            result[f"{part} reconstruction"] = error
        forecasts.append(read_forecast(outputs, kind))
        scored = score_forecast(forecasts[-1], examples, baseline_rate)
        result |= {f"{part} {name}": value for name, value in scored.items()}
    more = score_more(*forecasts[::-1], test, validation)
    return result | {f"test {name}": value for name, value in more.items()}
