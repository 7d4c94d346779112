"""Tests of the selection of hyper-parameters."""

import datetime
import importlib.util
import inspect
import json
import math
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from helpers import selection

ROOT = pathlib.Path(__file__).parent.parent
CONFIGURATIONS = [{"units": 8, "clip": None}, {"units": 16, "clip": 0.5}]

# A process that notes what it evaluates, and starts when all of its peers are ready.
WORKER = """
import pathlib, sys, time

from helpers import selection

folder, label, seconds, stop_at, num_peers = sys.argv[1:]
folder = pathlib.Path(folder)

def evaluate(configuration, fold):
    model = f"{configuration['units']} {fold}"
    with open(folder / f"{label}.evaluated", "a") as file:
        print(model, file=file, flush=True)
    time.sleep(60 if model == stop_at else float(seconds))
    return {"loss": configuration["units"] + fold / 10}

(folder / f"{label}.ready").touch()
while len(list(folder.glob("*.ready"))) < int(num_peers):
    time.sleep(0.01)
table = selection.cross_validate(
    evaluate, [{"units": units} for units in (1, 2, 3, 4)], 3,
    name="shared", folder=folder, settings={"epochs": 1},
)
assert table["loss"].tolist() == [
    units + fold / 10 for units in (1, 2, 3, 4) for fold in range(3)
]
"""


@pytest.fixture(autouse=True)
def no_switch(monkeypatch):
    monkeypatch.delenv("RETRAIN", raising=False)


class Evaluate:
    """Counts its calls, and gives scores that tell the models apart."""

    def __init__(self, change=0.0, stop_after=None):
        self.calls = []
        self.change = change
        self.stop_after = stop_after

    def __call__(self, configuration, fold):
        if len(self.calls) == self.stop_after:
            raise KeyboardInterrupt
        self.calls.append((configuration["units"], fold))
        loss = configuration["units"] / 100 + fold / 1000 + self.change
        return {"loss": np.float32(loss), "accuracy": 1.0}


def run(evaluate, folder, configurations=CONFIGURATIONS, **changes):
    arguments = {"num_folds": 3, "name": "sweep", "settings": {"epochs": 5}, **changes}
    return selection.cross_validate(
        evaluate, configurations, folder=folder, **arguments
    )


def start_worker(folder, label, seconds, stop_at="", num_peers=1):
    return subprocess.Popen(
        [
            *(sys.executable, "-c", WORKER),
            *(str(folder), label, str(seconds), stop_at, str(num_peers)),
        ],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr


def evaluated(folder, label):
    path = folder / f"{label}.evaluated"
    return path.read_text().splitlines() if path.exists() else []


def test_one_at_a_time_changes_one():
    base = {"units": 64, "rate": 0.01, "clip": None}
    sweeps = {"units": [32, 64, 128], "clip": [None, 1.0, 1.0], "rate": (0.05,)}
    assert selection.one_at_a_time(base, sweeps) == [
        base,
        {**base, "units": 32},
        {**base, "units": 128},
        {**base, "clip": 1.0},
        {**base, "rate": 0.05},
    ]
    assert selection.one_at_a_time(base, {}) == [base]
    assert base == {"units": 64, "rate": 0.01, "clip": None}


@pytest.mark.parametrize(
    "base, sweeps, message",
    [
        ({"units": 1}, {"rate": [1]}, "`sweeps` should have keys of `base`.*'rate'"),
        ({"units": 1}, {"units": []}, "`sweeps` should give a list.*'units'"),
        ({"units": 1}, {"units": 2}, "`sweeps` should give a list.*Received: 2"),
        ({"kind": "a"}, {"kind": "bc"}, "`sweeps` should give a list.*'bc'"),
        ({}, {}, "`base` should be a dict"),
    ],
)
def test_one_at_a_time_refuses(base, sweeps, message):
    with pytest.raises(ValueError, match=message):
        selection.one_at_a_time(base, sweeps)


def test_table_has_a_row_for_each_model(tmp_path):
    evaluate = Evaluate()
    table = run(evaluate, tmp_path)
    assert evaluate.calls == [(units, fold) for units in (8, 16) for fold in range(3)]
    columns = ["units", "clip", "fold", "loss", "accuracy", "seconds"]
    assert list(table.columns) == columns
    assert table["units"].tolist() == [8] * 3 + [16] * 3
    assert table["clip"].tolist() == [None] * 3 + [0.5] * 3
    assert table["fold"].tolist() == [0, 1, 2] * 2
    np.testing.assert_allclose(
        table["loss"], [0.08, 0.081, 0.082, 0.16, 0.161, 0.162], rtol=1e-6
    )


def test_nothing_is_evaluated_twice(tmp_path, capsys):
    first = run(Evaluate(), tmp_path)
    said = capsys.readouterr().out
    # The journal is no more than working state.
    (tmp_path / "sweep.journal").unlink()
    again = Evaluate()
    pd.testing.assert_frame_equal(run(again, tmp_path), first)
    assert again.calls == []
    # Where all is there, nothing is written, so that a clone stays clean.
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.jsonl"]
    # A notebook says the same after a training as after reading.
    assert capsys.readouterr().out in ("sweep: 6 models, evaluated in 0 s\n", said)


def test_only_what_changed_is_evaluated(tmp_path):
    run(Evaluate(), tmp_path)
    more = Evaluate()
    table = run(more, tmp_path, [*CONFIGURATIONS, {"units": 32, "clip": None}])
    assert more.calls == [(32, 0), (32, 1), (32, 2)]
    assert len(table) == 9
    fewer = Evaluate()
    assert len(run(fewer, tmp_path, CONFIGURATIONS[1:])) == 3
    assert fewer.calls == []
    changed = Evaluate()
    run(changed, tmp_path, CONFIGURATIONS[:1], settings={"epochs": 6})
    assert changed.calls == [(8, 0), (8, 1), (8, 2)]
    # The others' scores are still those of five epochs; one record per model is left.
    untouched = Evaluate()
    run(untouched, tmp_path, CONFIGURATIONS[1:])
    assert untouched.calls == []
    assert len((tmp_path / "sweep.jsonl").read_text().splitlines()) == 9
    folds = Evaluate()
    run(folds, tmp_path, CONFIGURATIONS[1:], num_folds=2)
    assert folds.calls == [(16, 0), (16, 1)]


def test_numbers_of_numpy_are_numbers(tmp_path):
    run(Evaluate(), tmp_path, [{"units": np.int64(8)}], settings={"lr": np.float64(1)})
    again = Evaluate()
    run(again, tmp_path, [{"units": 8}], settings={"lr": 1.0})
    assert again.calls == []


def test_failure_keeps_what_was_finished(tmp_path):
    def fail(configuration, fold):
        if (configuration["units"], fold) == (16, 1):
            raise KeyboardInterrupt
        return Evaluate()(configuration, fold)

    with pytest.raises(KeyboardInterrupt):
        run(fail, tmp_path)
    rest = Evaluate()
    assert len(run(rest, tmp_path)) == 6
    assert rest.calls == [(16, 1), (16, 2)]


def test_diverged_models_are_kept_and_never_selected(tmp_path):
    losses = {8: [0.1, math.nan, 0.1], 16: [0.3, 0.4, 0.5], 32: [0.1, math.inf, 0.1]}
    calls = []

    def evaluate(configuration, fold):
        calls.append(fold)
        return {"loss": losses[configuration["units"]][fold]}

    configurations = [{"units": units} for units in losses]
    for _ in range(2):
        table = run(evaluate, tmp_path, configurations)
        np.testing.assert_array_equal(table["loss"], sum(losses.values(), []))
    assert len(calls) == 9
    assert selection.best_configuration(table, "loss", ["units"]) == {"units": 16}
    summary = selection.summarise(table, "loss", ["units"])
    assert summary["units"].tolist()[0] == 16
    assert np.isfinite(summary["mean"]).tolist() == [True, False, False]
    # Strict JSON, which has no NaN.
    for line in (tmp_path / "sweep.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"", b"{}", b"[1]", b"change"])
def test_damaged_record_is_evaluated_anew(tmp_path, capsys, damage):
    expected = run(Evaluate(), tmp_path)
    path = tmp_path / "sweep.jsonl"
    lines = path.read_bytes().splitlines()
    if damage == b"change":
        damage = lines[3].replace(b'"accuracy": 1.0', b'"accuracy": 0.9')
        assert damage != lines[3]
    lines[3] = damage
    path.write_bytes(b"\n".join(lines) + b"\n")
    capsys.readouterr()
    repaired = Evaluate()
    pd.testing.assert_frame_equal(
        run(repaired, tmp_path).drop(columns="seconds"),
        expected.drop(columns="seconds"),
    )
    assert repaired.calls == [(16, 0)]
    assert "sweep.jsonl is damaged in line 4" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["cut off", "garbage", "empty"])
def test_damaged_journal_costs_no_scores(tmp_path, damage):
    run(Evaluate(), tmp_path)
    journal = tmp_path / "sweep.journal"
    content = journal.read_bytes()
    journal.write_bytes(
        {"cut off": content[:-9], "garbage": b"\0\n" + content, "empty": b""}[damage]
    )
    # Twice, as the first writes behind the damage.
    for units in (32, 64):
        more = Evaluate()
        run(more, tmp_path, [*CONFIGURATIONS, {"units": units, "clip": None}])
        assert more.calls == [(units, 0), (units, 1), (units, 2)]


def test_switch_retrains_everything(tmp_path, monkeypatch):
    run(Evaluate(), tmp_path)
    monkeypatch.setenv("RETRAIN", "1")
    for change in (1.0, 2.0):
        again = Evaluate(change)
        table = run(again, tmp_path)
        assert len(again.calls) == 6
        assert (table["loss"] > change).all()
    monkeypatch.setenv("RETRAIN", "0")
    pd.testing.assert_frame_equal(run(Evaluate(), tmp_path), table)


def test_switch_leaves_long_evaluations_to_another_value(tmp_path, monkeypatch):
    run(Evaluate(), tmp_path)
    monkeypatch.setattr("helpers.retraining.LONG_TRAINING", -1.0)
    for value, calls in (("1", 0), ("all", 6)):
        monkeypatch.setenv("RETRAIN", value)
        again = Evaluate()
        run(again, tmp_path)
        assert len(again.calls) == calls


def test_switch_with_a_time_evaluates_what_is_older(tmp_path, monkeypatch):
    run(Evaluate(), tmp_path)
    now = datetime.datetime.now().isoformat()
    monkeypatch.setenv("RETRAIN", f"1 since {now}")
    first, second = Evaluate(1.0), Evaluate(2.0)
    old = (tmp_path / "sweep.jsonl").read_bytes()
    run(first, tmp_path)
    run(second, tmp_path)
    assert (len(first.calls), len(second.calls)) == (6, 0)
    # As if git had brought the records back: the file is new, the scores are not.
    (tmp_path / "sweep.jsonl").write_bytes(old)
    run(second, tmp_path)
    assert len(second.calls) == 6


def test_cross_validation_that_becomes_long_is_finished(tmp_path, monkeypatch):
    run(Evaluate(), tmp_path)
    monkeypatch.setenv("RETRAIN", f"1 since {datetime.datetime.now().isoformat()}")
    first, second = Evaluate(1.0, stop_after=2), Evaluate(2.0)
    with pytest.raises(KeyboardInterrupt):
        run(first, tmp_path)
    monkeypatch.setattr("helpers.retraining.LONG_TRAINING", -1.0)
    run(second, tmp_path)
    assert len(second.calls) == 4


def test_switch_forbids_training(tmp_path, monkeypatch):
    expected = run(Evaluate(), tmp_path, CONFIGURATIONS[:1])
    monkeypatch.setenv("RETRAIN", "never")
    evaluate = Evaluate()
    pd.testing.assert_frame_equal(run(evaluate, tmp_path, CONFIGURATIONS[:1]), expected)
    with pytest.raises(RuntimeError, match="lacks 3 of 6 models.*RETRAIN.*'units': 16"):
        run(evaluate, tmp_path)
    assert evaluate.calls == []


def test_two_processes_share_the_work(tmp_path):
    workers = [start_worker(tmp_path, label, 0.1, num_peers=2) for label in "ab"]
    for worker in workers:
        finish(worker)
    work = {label: evaluated(tmp_path, label) for label in "ab"}
    both = work["a"] + work["b"]
    assert set(both) == {
        f"{units} {fold}" for units in (1, 2, 3, 4) for fold in (0, 1, 2)
    }
    # The last model may be evaluated by both; the work is divided all the same.
    assert len(both) <= 13
    assert min(len(part) for part in work.values()) >= 3


def test_killed_process_loses_one_model_only(tmp_path):
    killed = start_worker(tmp_path, "killed", 0, stop_at="2 1")
    limit = time.monotonic() + 60
    while "2 1" not in evaluated(tmp_path, "killed") and time.monotonic() < limit:
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    finish(start_worker(tmp_path, "second", 0))
    assert evaluated(tmp_path, "killed") == ["1 0", "1 1", "1 2", "2 0", "2 1"]
    # What was begun may still be at work elsewhere, and therefore comes last.
    expected = ["2 2", "3 0", "3 1", "3 2", "4 0", "4 1", "4 2", "2 1"]
    assert evaluated(tmp_path, "second") == expected


def test_calls_with_other_settings_do_not_fight(tmp_path):
    """Each replaces the other's records in between, yet both come to an end."""
    inner = []

    def evaluate(configuration, fold):
        if len(inner) < 20:
            inner.append(fold)
            run(Evaluate(), tmp_path, settings={"epochs": 6})
        return {"loss": 0.5, "accuracy": 1.0}

    assert (run(evaluate, tmp_path)["loss"] == 0.5).all()
    assert len(inner) == 6


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"num_folds": 16}, "at most 30 models. Received: 2 x 16 = 32"),
        ({"num_folds": 3, "max_models": 5}, "at most 5 models. Received: 2 x 3 = 6"),
        ({"num_folds": 0}, "`num_folds` should be an integer"),
        ({"configurations": []}, "`configurations` should hold one"),
        ({"configurations": [{}]}, "`configurations` should hold one"),
        ({"configurations": [{"a": 1}, {"b": 1}]}, "should have the same keys"),
        ({"configurations": [{"a": 1}, {"a": 1}]}, "Received twice: {'a': 1}"),
        ({"configurations": [{"fold": 1}]}, "not use the names fold and seconds"),
        ({"configurations": [{"a": math.nan}]}, r"`configurations\[0\]` .*finite"),
        ({"configurations": [{"a": object()}]}, r"`configurations\[0\]` should hold"),
        ({"settings": [5]}, "`settings` should be a dict"),
        ({"settings": {"data": np.ones(3)}}, "`settings` should hold"),
        ({"name": "a/b"}, "`name` should be the name of a file"),
        ({"name": ""}, "`name` should be the name of a file"),
    ],
)
def test_faulty_arguments_are_refused(tmp_path, changes, message):
    evaluate = Evaluate()
    with pytest.raises(ValueError, match=message):
        run(evaluate, tmp_path, **{"configurations": CONFIGURATIONS, **changes})
    assert evaluate.calls == [] and not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "scores", [{}, None, 0.5, {"loss": "low"}, {"loss": [1.0]}, {1: 0.5}, {"fold": 1.0}]
)
def test_evaluate_has_to_return_scores(tmp_path, scores):
    with pytest.raises(ValueError, match="`evaluate` should return"):
        run(lambda configuration, fold: scores, tmp_path)


def test_evaluate_cannot_change_the_configuration(tmp_path):
    def evaluate(configuration, fold):
        configuration["layers"].append(3)
        return {"loss": 1.0}

    table = run(evaluate, tmp_path, [{"layers": [8]}])
    assert table["layers"].tolist() == [[8]] * 3


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "units": [8, 8, 16, 16, 32, 32],
            "clip": pd.Series([None, None, 1, 1, None, None], dtype=object),
            "loss": [0.5, 0.7, 0.2, 0.6, 0.3, 0.5],
        }
    )


def test_summary_is_sorted_with_ties_in_order(table):
    summary = selection.summarise(table, "loss", ["units", "clip"])
    assert summary["units"].tolist() == [16, 32, 8]
    assert summary["clip"].tolist() == [1, None, None]
    np.testing.assert_allclose(summary["mean"], [0.4, 0.4, 0.6])
    np.testing.assert_allclose(summary["spread"], [0.08**0.5, 0.02**0.5, 0.02**0.5])
    assert summary["folds"].tolist() == [2, 2, 2]


def test_best_configuration_has_plain_values(table):
    best = selection.best_configuration(table, "loss", ["units", "clip"])
    assert best == {"units": 16, "clip": 1}
    assert type(best["units"]) is int and type(best["clip"]) is int
    best = selection.best_configuration(table[table["units"] != 16], "loss", ["clip"])
    assert best == {"clip": None}


def test_summary_refuses_what_is_not_there(table):
    for faulty, score, parameters in [
        (table, "mse", ["units"]),
        (table, "loss", ["rate"]),
        (table, "loss", []),
        (table[:0], "loss", ["units"]),
    ]:
        with pytest.raises(ValueError, match="`table` should have rows"):
            selection.summarise(faulty, score, parameters)
    with pytest.raises(ValueError, match="finite loss.*2 configurations"):
        selection.best_configuration(table.assign(loss=math.nan), "loss", ["clip"])


def test_lists_of_numbers_are_kept(tmp_path):
    """Of any length, such as a loss by epoch, with NaN and infinity."""

    def evaluate(configuration, fold):
        curve = [0.5, math.nan, math.inf][: fold + 1]
        return {"loss": 0.5, "loss by epoch": curve}

    first = run(evaluate, tmp_path)
    read = run(Evaluate(), tmp_path)
    for table in (first, read):
        curves = table["loss by epoch"]
        assert [len(curve) for curve in curves[:3]] == [1, 2, 3]
        np.testing.assert_equal(curves[2], [0.5, math.nan, math.inf])


def weigh(value):
    """First wording."""
    # A comment.
    return 2 * value


def test_checksum_of_code_ignores_wording_only(tmp_path):
    source = inspect.getsource(weigh)
    variants = {
        "same": source.replace("First", "Second").replace("A comment", "Another"),
        "broken": source.replace("2 * value", "(\n        2 * value\n    )"),
        "other": source.replace("2 *", "3 *"),
    }
    sums = {}
    for name, text in variants.items():
        path = tmp_path / f"code_{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sums[name] = selection.code_checksum(module.weigh)
    assert sums["same"] == sums["broken"] == selection.code_checksum(weigh)
    assert sums["other"] != sums["same"]
    assert selection.code_checksum(weigh, run) != selection.code_checksum(run, weigh)
