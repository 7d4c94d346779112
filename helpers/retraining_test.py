"""Tests of `retraining`."""

import datetime
import json

import pytest

from helpers.retraining import (
    is_long,
    now,
    read_seconds,
    recorded_since,
    retrain_switch,
)


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"seconds": 900.0}))
    return path


@pytest.mark.parametrize(
    "value, expected", [(None, None), ("", None), ("0", None), ("never", "never")]
)
def test_without_retraining_every_record_counts(record, value, expected, monkeypatch):
    monkeypatch.delenv("RETRAIN", raising=False)
    if value is not None:
        monkeypatch.setenv("RETRAIN", value)
    assert retrain_switch(record) == expected


@pytest.mark.parametrize("mode", ["1", "all"])
def test_time_is_now_or_the_one_that_is_given(record, mode, monkeypatch):
    monkeypatch.setenv("RETRAIN", mode)
    before = datetime.datetime.now()
    assert before <= retrain_switch(record) <= datetime.datetime.now()
    monkeypatch.setenv("RETRAIN", f"{mode} since 2026-11-21T15:30")
    assert retrain_switch(record) == datetime.datetime(2026, 11, 21, 15, 30)


def test_long_training_is_repeated_only_when_all_are(record, monkeypatch):
    assert not is_long(record)
    record.write_text(json.dumps({"seconds": 900.1}))
    assert is_long(record)
    monkeypatch.setenv("RETRAIN", "1")
    assert retrain_switch(record) is None
    monkeypatch.setenv("RETRAIN", "all")
    assert retrain_switch(record) is not None


@pytest.mark.parametrize(
    "recorded, expected",
    [
        ("2026-11-21T15:30:00+00:00", True),
        ("2026-11-21T14:29:59-01:00", False),
        (None, False),
        ("yesterday", False),
    ],
)
def test_record_says_when_it_was_made(record, recorded, expected, monkeypatch):
    since = datetime.datetime(2026, 11, 21, 15, 30, tzinfo=datetime.UTC)
    since = since.astimezone().replace(tzinfo=None)
    record.write_text(json.dumps({"seconds": 901.0, "recorded": recorded}))
    assert recorded_since(record, since) == expected
    # What became long by being trained anew is not left.
    monkeypatch.setenv("RETRAIN", f"1 since {since.isoformat()}")
    assert retrain_switch(record) == (since if expected else None)


def test_cross_validation_is_from_the_time_of_its_newest_model(tmp_path):
    path, since = tmp_path / "01_a.jsonl", datetime.datetime.now()
    path.write_text('{"seconds": 60.0}\n')
    assert not recorded_since(path, since)
    path.write_text(path.read_text() + json.dumps({"recorded": now()}) + "\n")
    assert recorded_since(path, since)


@pytest.mark.parametrize(
    "value",
    [
        *("yes", "2", "ALL", "1 since", "1 since yesterday"),
        *(
            "never since 2026-11-21T15:30",
            "2026-11-21T15:30",
            "1 since 2026-11-21",
            "1 since 2026-13-21T15:30",
        ),
        "all since 2026-11-21T15:30+01:00",
    ],
)
def test_other_values_are_refused(record, value, monkeypatch):
    monkeypatch.setenv("RETRAIN", value)
    with pytest.raises(ValueError, match="RETRAIN.*should be.*Received: '") as error:
        retrain_switch(record)
    assert f"Received: {value!r}" in str(error.value)


def test_seconds_of_a_cross_validation_are_those_of_its_models(tmp_path):
    path = tmp_path / "01_a.jsonl"
    path.write_text('{"seconds": 60.0}\n{"seconds": 120.5}\n')
    assert read_seconds(path) == 180.5


@pytest.mark.parametrize("content", ["", "{", "[1]", "{}", '{"seconds": null}', None])
def test_unreadable_record_counts_as_short(tmp_path, content):
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    assert read_seconds(path) == 0.0
    assert not recorded_since(path, datetime.datetime.now())
