"""Tests of the measured series and the vowels."""

from helpers import datasets
from helpers.datasets import measured

import numpy as np
import pytest


def test_arterial_pressure_has_one_anomaly_after_its_normal_values():
    table = datasets.load_measured("arterial_pressure")
    assert table.columns.tolist() == ["step", "pressure", "anomaly"]
    assert np.flatnonzero(table["anomaly"]).tolist() == list(range(4187, 4199))
    assert table["anomaly"].idxmax() > measured.NUM_NORMAL_PRESSURES
    assert table["pressure"].between(55, 105).all()


def test_electrocardiograms_have_three_anomalies_each_but_the_normal_one():
    table = datasets.load_measured("ecg_synthetic")
    for part, first in {"labelled": 840, "test": 1560}.items():
        marks = table[f"{part}_anomaly"].to_numpy()
        starts = np.flatnonzero(np.diff(marks, prepend=0) == 1)
        assert len(starts) == 3 and starts[0] == first and marks.sum() == 300
    assert "normal_anomaly" not in table and not table.isna().any(axis=None)


def test_inverter_has_marked_faults_and_missing_values():
    stuck = datasets.load_measured("inverter_2173")
    assert stuck["power"].isna().sum() == 1149 and stuck["stale"].sum() == 245
    assert (stuck.loc[stuck["stale"] == 1, "power"].diff() == 0).sum() == 242


def test_accelerometers_have_nine_channels():
    table = datasets.load_measured("accelerometers")
    assert table.shape == (7040, 10) and table.columns[0] == "time"


@pytest.mark.parametrize("part, number", [("train", 270), ("test", 370)])
def test_vowels_are_as_long_as_they_were_spoken(part, number):
    series, speakers = datasets.load_vowels(part)
    assert series.shape == (number, 29, 12)
    is_spoken = ~np.isnan(series)
    lengths = is_spoken.all(axis=2).sum(axis=1)
    assert lengths.min() == 7 and lengths.max() <= 29
    after = np.arange(29) >= lengths[:, np.newaxis]
    assert not is_spoken[after].any() and is_spoken[~after].all()
    counts = np.bincount(speakers)
    assert len(counts) == 9 and counts.min() >= 24
    if part == "train":
        assert (counts == 30).all()
        assert series[0, 0, 0] == 1.860936
