"""Tests of the departures of airports."""

from helpers import datasets

import numpy as np
import pytest


@pytest.fixture(scope="module")
def departures():
    return datasets.load_departures()


def test_bundled_departures(departures):
    columns = departures.columns
    assert departures.airports == ("EWR", "JFK", "LGA")
    assert str(departures.hours[0]) == "2013-01-01T00"
    assert (np.diff(departures.hours) == np.timedelta64(1, "h")).all()
    assert len(columns) == 10
    assert {values.shape for values in columns.values()} == {(3, 8760)}
    assert columns["scheduled"].sum() == 336_776
    assert columns["cancelled"].sum() == 8255
    assert (columns["cancelled"] + columns["late"] <= columns["scheduled"]).all()
    assert (columns["cancelled"] == 0).mean() == pytest.approx(0.855, abs=0.001)
    assert columns["wind_speed"].max() < 100


def test_features_know_nothing_of_later_hours(departures):
    """But for the schedule of the next hour, which is published."""
    features, names = datasets.departure_features(departures)
    assert features.shape == (3, 8760, 17) and len(names) == 17
    np.testing.assert_array_equal(features[:, 0, -3:], np.eye(3))
    changed = {name: values.copy() for name, values in departures.columns.items()}
    for name in changed:
        changed[name][:, 1001:] += 1
    changed["late"][:, 1000] += 1  # Known an hour later only.
    others, _ = datasets.departure_features(departures._replace(columns=changed))
    assert (features[:, :1000] == others[:, :1000]).all()
    differs = (features[:, 1000] != others[:, 1000]).any(axis=0)
    assert np.array(names)[differs].tolist() == ["scheduled next"]


def test_strengths_count_what_is_beyond_the_usual(departures):
    strengths = datasets.departure_strengths(departures)
    cancelled = departures.columns["cancelled"]
    for count, strength in {0: 0, 2: 0, 3: 1, 7: 5, 12: 10, 40: 10}.items():
        assert (strengths[cancelled == count] == strength).all()
    assert strengths.dtype == "int64" and strengths.max() == 10
