import hashlib
import importlib.util
import lzma

import numpy as np
import pandas as pd
import pytest

from helpers import counts, event_scores, rare_events
from helpers.rare_events import HurdleProcess, sample_process


@pytest.fixture(scope="module")
def departures():
    return rare_events.load_departures()


@pytest.fixture(scope="module")
def sample():
    return sample_process(HurdleProcess(), 30_000, seed=0)


def test_bundled_departures(departures):
    columns = departures.columns
    assert departures.airports == ("EWR", "JFK", "LGA")
    assert str(departures.hours[0]) == "2013-01-01T00"
    assert (np.diff(departures.hours) == np.timedelta64(1, "h")).all()
    assert columns["scheduled"].shape == (3, 8760)
    assert columns["scheduled"].sum() == 336_776
    assert columns["cancelled"].sum() == 8255
    assert (columns["cancelled"] + columns["late"] <= columns["scheduled"]).all()
    assert (columns["cancelled"] == 0).mean() == pytest.approx(0.855, abs=0.001)
    assert columns["wind_speed"].max() < 100


def test_damaged_departures_are_refused(tmp_path):
    name = rare_events.DEPARTURES_FILE
    with pytest.raises(FileNotFoundError, match=f"{name}.*git checkout"):
        rare_events.load_departures(tmp_path)
    content = lzma.decompress((rare_events.DATA_FOLDER / name).read_bytes())
    damaged = content.replace(b"JFK,2013-02-09T11,", b"JFK,2013-02-09T11,1", 1)
    (tmp_path / name).write_bytes(lzma.compress(damaged, preset=0))
    with pytest.raises(ValueError, match=f"{name} should have the SHA-256.*python"):
        rare_events.load_departures(tmp_path)
    (tmp_path / name).write_bytes(b"no xz")
    with pytest.raises(ValueError, match="do not unpack"):
        rare_events.load_departures(tmp_path)


def test_readme_has_the_checksums():
    readme = (rare_events.DATA_FOLDER / "README.md").read_text("utf-8")
    name = rare_events.DEPARTURES_FILE
    packed = (rare_events.DATA_FOLDER / name).read_bytes()
    assert f"{hashlib.sha256(packed).hexdigest()}  {name}" in readme
    unpacked = name.removesuffix(".xz")
    assert f"{rare_events.DEPARTURES_CHECKSUM}  {unpacked}" in readme


def test_table_is_made_of_flights_and_weather():
    path = rare_events.DATA_FOLDER / "build_departures.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    day = {"year": 2013, "month": 1, "day": 1}
    flights = pd.DataFrame(
        {**day, "origin": "JFK", "hour": [5, 5, 5], "dep_time": [501.0, np.nan, 640.0]}
        | {"dep_delay": [1.0, np.nan, 60.0]}
    )
    observed = dict.fromkeys(script.WEATHER, 1.0) | {"wind_gust": np.nan}
    weather = pd.DataFrame(
        [
            {**day, "origin": "JFK", "hour": 4, **observed, "wind_speed": 8.0},
            {**day, "origin": "JFK", "hour": 5, **observed, "wind_speed": 1048.4},
            {**day, "origin": "JFK", "hour": 6, **observed, "wind_speed": 9.0},
        ]
    )
    table = script.make_table(flights, weather).set_index(["airport", "hour"])
    assert len(table) == 3 * script.NUM_HOURS
    row = table.loc["JFK", "2013-01-01T05"]
    assert row[["scheduled", "cancelled", "late"]].tolist() == [3, 1, 1]
    assert row["wind_speed"] == 8.0  # The impossible one is replaced by the last.
    assert row["wind_gust"] == 0
    assert table.loc["JFK", "2013-01-01T06"]["scheduled"] == 0
    assert not table.loc["JFK"].isna().any(axis=None)


def test_features_know_nothing_of_later_hours(departures):
    """But for the schedule of the next hour, which is published."""
    features, names = rare_events.departure_features(departures)
    assert features.shape == (3, 8760, 17) and len(names) == 17
    changed = {name: values.copy() for name, values in departures.columns.items()}
    for name in changed:
        changed[name][:, 1001:] += 1
    changed["late"][:, 1000] += 1  # Known an hour later only.
    others, _ = rare_events.departure_features(departures._replace(columns=changed))
    assert (features[:, :1000] == others[:, :1000]).all()
    differs = (features[:, 1000] != others[:, 1000]).any(axis=0)
    assert [
        name for name, is_other in zip(names, differs, strict=True) if is_other
    ] == ["scheduled next"]
    counted = rare_events.departure_strengths(departures)
    assert counted.min() == 0 and counted.max() == 10
    assert (counted > 0).sum() == (departures.columns["cancelled"] > 2).sum()


def test_oracle_is_calibrated(sample):
    """Of steps with a forecast of about p, about p have an event; strengths too."""
    forecast = 1 - sample.probabilities[:, 0]
    events = sample.strengths > 0
    assert np.allclose(sample.probabilities.sum(axis=1), 1)
    for low, high in [(0, 0.02), (0.02, 0.1), (0.1, 0.4), (0.4, 1)]:
        chosen = (forecast >= low) & (forecast < high)
        error = np.sqrt((forecast * (1 - forecast))[chosen].sum()) / chosen.sum()
        assert abs(events[chosen].mean() - forecast[chosen].mean()) < 4 * error
    expected = counts.mean_count(sample.probabilities)
    assert sample.strengths.mean() == pytest.approx(expected.mean(), rel=0.1)
    ranks = [2, 4, 7]
    predicted = sample.probabilities[:, ranks].sum(axis=0)
    seen = [(sample.strengths == rank).sum() for rank in ranks]
    assert np.all(np.abs(seen - predicted) < 4 * np.sqrt(predicted))


def test_oracle_beats_what_knows_less(sample):
    events = sample.strengths > 0
    forecast = 1 - sample.probabilities[:, 0]
    rate = events.mean()
    best = event_scores.log_scores(events, forecast).mean()
    assert best < 0.75 * event_scores.entropy(rate)
    # Shrunk to the base rate, sharpened, shifted in time: all worse.
    logits = np.log(forecast / (1 - forecast))
    others = [0.7 * logits - 0.8, 1.3 * logits, np.roll(logits, 1)]
    for other in others:
        spoilt = event_scores.log_scores(events, 1 / (1 + np.exp(-other)))
        assert spoilt.mean() > best


def test_window_holds_all_that_the_forecast_needs(sample):
    """The law is computed again from the window alone."""
    process = HurdleProcess()
    windows_end = np.arange(1000, 3000)
    for end in windows_end[::37]:
        window = sample.features[end - 40 : end]
        strengths, precursor = np.expm1(window[:, 0]), window[:, 1]
        decay = process.memory ** np.arange(39, -1, -1)
        excited = (decay * np.log1p(strengths)).sum()
        armed = not (strengths[-process.quiet :] > 0.5).any()
        triggered = armed and (precursor[-11:-8] > process.threshold).any()
        season = np.sin(2 * np.pi * end / rare_events.YEAR)
        logit = process.base + process.season * season
        logit += process.excitement * excited + process.trigger * triggered
        expected = 1 / (1 + np.exp(-logit))
        assert 1 - sample.probabilities[end, 0] == pytest.approx(expected, rel=2e-3)


def test_process_follows_its_seed_and_its_dials():
    first, again, other = (
        sample_process(HurdleProcess(), 500, seed) for seed in (1, 1, 2)
    )
    assert (first.features == again.features).all()
    assert (first.features != other.features).any()
    # Without excitement and trigger only the season is left.
    null = sample_process(HurdleProcess(excitement=0, trigger=0), 730, 0)
    event = 1 - null.probabilities[:, 0]
    assert event[:365] == pytest.approx(event[365:])
    with pytest.raises(ValueError, match="`num_steps`.*Received: 0"):
        sample_process(HurdleProcess(), 0, 0)


def test_events_know_their_day_onset_and_episode():
    strengths = np.array([0, 0, 0, 3, 0, 1, 0, 0, 0, 2])
    features = np.arange(10.0)[:, np.newaxis]
    cut = rare_events.cut_events(features, strengths, np.arange(3, 10), 2, 5, 3)
    assert cut.windows[0].ravel().tolist() == [1, 2]
    assert cut.strengths.tolist() == [3, 0, 1, 0, 0, 0, 2]
    assert cut.days.tolist() == [0, 0, 1, 1, 1, 1, 1]
    assert cut.onset.tolist() == [True, False, False, False, False, False, True]
    assert cut.episodes.tolist() == [1, 0, 1, 0, 0, 0, 2]
    joined = rare_events.join_events([cut, cut.take(slice(0, 3))])
    assert joined.episodes.tolist() == [1, 0, 1, 0, 0, 0, 2, 3, 0, 3]
    with pytest.raises(ValueError, match="length of features"):
        rare_events.cut_events(features[1:], strengths, [3], 2, 5, 3)
