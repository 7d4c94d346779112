"""Tests of the figures of alarms and forecasts."""

from helpers import figures
from helpers.figures import alarms
from helpers.figures.figures_test import legend, overlap, texts
from helpers.series import Episode

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")


def draw(**options):
    """A series of 400 steps with an alarm at 300 to 319 and a lower one at 100."""
    values = np.sin(np.arange(400) / 9)
    scores = np.where(np.arange(400) < 20, np.nan, 1.0)
    scores[300:320], scores[100] = 50.0, 12.0
    episodes = [Episode(100, 101, 100), Episode(300, 320, 310)]
    arguments = {"times": np.arange(400), "episodes": episodes} | options
    series = {"power (kW)": values, "load (%)": 50 * values}
    return figures.plot_alarms(
        series=series, scores=scores, threshold=9, zoom_steps=60, **arguments
    )


def test_alarms_are_seen_at_once():
    labels = np.zeros(400)
    labels[305:310] = 1
    rebuilt = {"power (kW)": np.zeros(400), "load (%)": np.zeros(400)}
    fig = draw(labels=labels, reconstruction=rebuilt, num_normal=90)
    assert len(fig.axes) == 6
    left, right = fig.axes[::2], fig.axes[1::2]
    assert [ax.get_ylabel() for ax in left] == ["power (kW)", "load (%)", "score"]
    assert left[2].get_yscale() == "log"
    # The larger of the alarms is enlarged, in each panel with its own range.
    assert right[2].get_xlim() == (250, 370)
    assert right[1].get_ylim()[1] > 40 > 2 > right[0].get_ylim()[1]
    names = {"values", "threshold", "reconstruction", "alarm", "marked anomaly"}
    assert set(legend(fig)) == names
    extents = texts(fig)
    assert not overlap(
        [extents[name] for name in ("power (kW)", "load (%)", "score", *legend(fig))]
    )
    bands = [patch.get_x() for patch in left[0].patches]
    assert [0, 100, 300] == sorted(bands)[:3] and 305 in bands


def test_nothing_unusual_and_dates_can_be_drawn():
    times = pd.date_range("2024-01-01", periods=400, freq="h").to_numpy()
    fig = draw(times=times, episodes=[])
    assert fig.axes[1].get_title(loc="left") == "largest score"
    assert legend(fig) == ["values", "threshold", "alarm"]
    fig.draw_without_rendering()
    assert any("Jan" in text for text in texts(fig))


def test_labelled_stretch_at_the_end_is_drawn():
    labels = np.zeros(400)
    labels[390:] = 1
    fig = draw(labels=labels, episodes=[Episode(395, 400, 398)])
    assert max(patch.get_x() for patch in fig.axes[0].patches) == 395


def test_forecast_begins_after_what_was_read():
    past, ahead = np.zeros((2, 30)), np.ones((2, 5))
    fig = figures.plot_forecast(
        *(past, ahead, ahead + 1, ahead - 2, ahead + 2),
        xlabel="steps ahead",
        ylabel="power (kW)",
        titles=["a", "b"],
    )
    lines = {line.get_label(): line for line in fig.axes[0].lines}
    assert (
        lines["values"].get_xdata()[29] == 0 and len(lines["values"].get_xdata()) == 35
    )
    assert lines["forecast"].get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert legend(fig) == ["values", "band", "forecast"]


def test_range_of_constant_values_has_a_margin():
    assert alarms.padded(np.array([3.0, 3, np.nan])) == pytest.approx((2, 4))
