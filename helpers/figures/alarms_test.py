"""Tests of the figures of alarms and forecasts."""

from helpers import figures
from helpers.figures.figures_test import legend, overlap, texts
from helpers.series.alarms import Episode

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")


def draw(**options):
    """A series of 400 steps with an alarm at 300 to 319 and a lower one at 100."""
    values = np.sin(np.arange(400) / 9)
    scores = np.where(np.arange(400) < 20, np.nan, 1.0)
    scores[300:320], scores[100] = 50.0, 12.0
    episodes = [Episode(100, 101, 100), Episode(300, 320, 310)]
    arguments = {"times": np.arange(400), "episodes": episodes, "labels": None}
    arguments |= {"rebuilt": {}, "num_usual": 90, "xlabel": "step"} | options
    series = {"power (kW)": values, "load (%)": 50 * values}
    return figures.plot_alarms(series=series, scores=scores, threshold=9, **arguments)


def test_alarms_are_seen_at_once():
    labels = np.zeros(400)
    labels[305:310] = 1
    rebuilt = {"power (kW)": np.zeros(400), "load (%)": np.zeros(400)}
    fig = draw(labels=labels, rebuilt=rebuilt)
    assert len(fig.axes) == 6
    left, right = fig.axes[::2], fig.axes[1::2]
    assert [ax.get_ylabel() for ax in left] == ["power (kW)", "load (%)", "score"]
    assert left[2].get_yscale() == "log"
    # The larger of the alarms is enlarged, in each panel with its own range.
    assert right[2].get_xlim() == (160, 399)
    assert right[1].get_ylim()[1] > 40 > 2 > right[0].get_ylim()[1]
    names = {"values", "threshold", "reconstruction", "alarm", "marked anomaly"}
    assert set(legend(fig)) == names
    extents = texts(fig)
    assert not overlap(
        [extents[name] for name in ("power (kW)", "load (%)", "score", *legend(fig))]
    )
    bands = [patch.get_x() for patch in left[0].patches]
    assert bands == [0, 100, 300]


def test_nothing_unusual_and_dates_can_be_drawn():
    times = pd.date_range("2024-01-01", periods=400, freq="h").to_numpy()
    fig = draw(times=times, episodes=[])
    assert fig.axes[1].get_title(loc="left") == "largest score"
    assert legend(fig) == ["values", "threshold"]
    fig.draw_without_rendering()
    assert any("Jan" in text for text in texts(fig))


def test_labelled_stretch_at_the_end_is_drawn():
    labels = np.zeros(400)
    labels[390:] = 1
    fig = draw(labels=labels, episodes=[Episode(395, 400, 398)])
    assert max(patch.get_x() for patch in fig.axes[0].patches) == 395
    (marks,) = (one for one in fig.axes[0].lines if one.get_linewidth() == 3)
    assert np.flatnonzero(~np.isnan(marks.get_ydata())).tolist() == [*range(390, 400)]
