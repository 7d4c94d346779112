import numpy as np
import pytest

from helpers.schedules import warmup_cosine


def rates(schedule, num_steps):
    return np.array([float(schedule(step)) for step in range(num_steps + 1)])


def test_rises_to_the_peak_and_falls_to_zero():
    schedule = warmup_cosine(0.01, num_examples=95, batch_size=10, epochs=10)
    values = rates(schedule, 100)  # The last batch of an epoch is a smaller one.
    assert values[0] == 0
    assert values.argmax() == 10
    assert values.max() == pytest.approx(0.01)
    assert np.all(np.diff(values[:11]) > 0)
    assert np.all(np.diff(values[10:]) < 0)
    assert values[55] == pytest.approx(0.005, rel=1e-3)
    assert values[-1] == pytest.approx(0, abs=1e-9)


def test_without_warmup_starts_at_the_peak():
    values = rates(warmup_cosine(0.01, 10, 10, epochs=20, warmup=0), 20)
    assert values[0] == values.max() == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"peak": 0}, "`peak`.*Received: 0"),
        ({"peak": float("nan")}, "`peak`.*Received: nan"),
        ({"warmup": 1}, "`warmup`.*Received: 1"),
        ({"num_examples": 0}, "`num_examples`.*Received: 0"),
        ({"batch_size": 1.5}, "`batch_size`.*Received: 1.5"),
        ({"epochs": 0}, "`epochs`.*Received: 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    good = {"peak": 0.01, "num_examples": 10, "batch_size": 5, "epochs": 2}
    with pytest.raises(ValueError, match=message):
        warmup_cosine(**{**good, **arguments})
