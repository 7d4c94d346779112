import contextlib
import importlib.util
import json
import os
import subprocess
import sys

from helpers import retraining, training
from helpers.training import engine, fitting, jobs, records
from helpers.training.small_network_test import (
    LABELS,
    SERIES,
    VALIDATION,
    assert_same_bits,
    build_small,
    fit_small,
    targets,
    weights_of,
)

import keras
import numpy as np
import pytest
from keras import layers


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RETRAIN", raising=False)
        return fit_small(folder)


@pytest.fixture
def recorded(trained, tmp_path):
    """A fresh copy of the recorded run, to be damaged."""
    folder = tmp_path / "joint"
    folder.mkdir()
    for path in trained.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def never(monkeypatch):
    monkeypatch.setenv("RETRAIN", "never")


def build_plain():
    series = keras.Input((6, 2), name="series")
    flat = layers.Flatten()(series)
    steps = layers.Reshape((6, 2), name="reconstruction")(layers.Dense(12)(flat))
    label = layers.Dense(3, activation="softmax", name="label")(flat)
    model = keras.Model(series, {"reconstruction": steps, "label": label})
    losses = {"reconstruction": "mse", "label": "sparse_categorical_crossentropy"}
    model.compile(keras.optimizers.Adam(0.01), losses)
    return model


def test_run_is_recorded_with_history_and_model(trained):
    names = {"loss", "label_loss", "reconstruction_loss", "label_accuracy"}
    with_validation = {*names, *(f"val_{name}" for name in names), "seconds"}
    assert set(trained.history) == with_validation
    assert all(len(values) == 3 for values in trained.history.values())
    assert sorted(trained.history["seconds"]) == trained.history["seconds"]
    assert trained.scores == {} and not trained.reused
    files = {path.name for path in trained.folder.iterdir()}
    assert files == {"run.json", "model.keras"}
    model = keras.saving.load_model(trained.folder / "model.keras")
    for one, two in zip(model.get_weights(), weights_of(trained), strict=True):
        np.testing.assert_array_equal(one, two)


def test_training_equals_keras_fit(tmp_path):
    # One batch an epoch, so that the order of the examples does not matter.
    run = fit_small(tmp_path, build=build_plain, batch_size=70, epochs=4)
    keras.utils.set_random_seed(1)
    history = build_plain().fit(
        SERIES, targets(SERIES, LABELS), batch_size=70, epochs=4, verbose=0
    )
    for key in ("loss", "label_loss", "reconstruction_loss"):
        np.testing.assert_allclose(run.history[key], history.history[key], rtol=1e-5)


def test_every_epoch_has_its_own_order_of_all_examples():
    job = jobs.Job(None, np.arange(10.0), np.arange(10.0), 2, 4, "a", seed=3)
    seen = [x.numpy().tolist() for x, _ in engine.batches(job, 0)]
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    for epoch in range(2):
        expected = np.random.default_rng([3, epoch]).permutation(10)
        assert sum(seen[3 * epoch : 3 * epoch + 3], []) == expected.tolist()
    later = [x.numpy().tolist() for x, _ in engine.batches(job, 1)]
    assert later == seen[3:]
    job.drop_remainder = True
    assert [len(x) for x, _ in engine.batches(job, 1)] == [4, 4]


@pytest.mark.parametrize("num_examples", [30, 512, 513, 1030])
def test_validation_counts_every_example_once(tmp_path, num_examples):
    rng = np.random.default_rng(0)
    x = rng.random((num_examples, 6, 2), dtype="float32")
    labels = rng.integers(0, 3, num_examples)
    x[-6:], labels[-6:] = 5, 0  # The last examples are unlike the rest.
    run = fit_small(
        tmp_path, build=build_plain, epochs=1, validation_data=(x, targets(x, labels))
    )
    outputs = run.model.predict(x, verbose=0)
    error = np.mean((outputs["reconstruction"] - x) ** 2)
    entropy = -np.log(outputs["label"][np.arange(num_examples), labels]).mean()
    # Keras averages an output's loss over batches, here of nearly equal size.
    measured = {"reconstruction": error, "label": entropy}
    for name, value in measured.items():
        expected = pytest.approx(value, rel=5e-3)
        assert run.history[f"val_{name}_loss"][0] == expected
    assert run.history["val_loss"][0] == pytest.approx(error + entropy, rel=1e-5)


def test_same_seed_gives_the_same_bits_and_another_seed_does_not(trained, tmp_path):
    assert_same_bits(fit_small(tmp_path), trained)
    other = fit_small(tmp_path, seed=2, name="other")
    assert not np.array_equal(weights_of(other)[0], weights_of(trained)[0])


def test_record_says_in_words_what_checksums_hide(recorded):
    settings = json.loads((recorded / "run.json").read_text("utf-8"))["settings"]
    assert settings == {
        "optimizer": "Adam",
        "learning_rate": 0.01,
        "loss_weights": {"reconstruction": 2.0, "label": 0.5},
    }


def test_recorded_run_is_reused(trained, recorded, capsys):
    run = fit_small(recorded.parent)
    assert run.reused and run.versions == trained.versions
    assert_same_bits(run, trained)
    assert run.history == trained.history and run.seconds == trained.seconds
    captured = capsys.readouterr()
    assert captured.out == "" and "trained in" in captured.err
    assert run.model.compiled


def test_schedule_spans_the_training(tmp_path):
    def build():
        model = build_plain()
        schedule = training.WarmupCosine(0.01, warmup=0.2)
        model.compile(keras.optimizers.Adam(schedule), model.loss)
        return model

    run = fit_small(tmp_path, build=build, epochs=2)
    schedule = run.model.optimizer._learning_rate
    assert schedule.num_steps == 2 * 5
    assert float(schedule(2)) == pytest.approx(0.01)
    assert float(schedule(10)) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="should know the steps"):
        training.WarmupCosine(0.01)(0)


def damage_json(**changes):
    def damage(folder):
        record = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps(record | changes))

    return damage


def write(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def cut(folder):
    content = (folder / "model.keras").read_bytes()
    (folder / "model.keras").write_bytes(content[:-40])


def flip(folder):
    content = bytearray((folder / "model.keras").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.keras").write_bytes(content)


def replace(folder):
    """Another network's file, with its own SHA-256 in the record."""
    inputs = keras.Input((3,))
    keras.Model(inputs, layers.Dense(1)(inputs)).save(folder / "model.keras")
    content = (folder / "model.keras").read_bytes()
    damage_json(model_sha256=records.hashlib.sha256(content).hexdigest())(folder)


DAMAGES = {
    "cut": (cut, "model.keras is damaged .*SHA-256"),
    "flipped bit": (flip, "model.keras is damaged .*SHA-256"),
    "replaced": (replace, "model.keras holds another network"),
    "no model": (
        lambda folder: (folder / "model.keras").unlink(),
        "model.keras cannot be read",
    ),
    "no JSON": (write("run.json", b"{"), "run.json is damaged .*JSONDecodeError"),
    "binary": (write("run.json", b"\xff\x00"), "run.json is damaged .*UnicodeDecode"),
    "list": (write("run.json", b"[]"), "run.json is damaged .*TypeError"),
    "empty": (write("run.json", b"{}"), "run.json is damaged .*KeyError"),
    "history": (damage_json(history=3), "run.json is damaged .*AttributeError"),
    "words": (
        damage_json(history={"loss": ["a"] * 3, "seconds": [1, 2, 3]}),
        "run.json is damaged .*number should stand",
    ),
    "epochs": (
        damage_json(history={"loss": [1.0] * 4, "seconds": [1.0] * 4}),
        "run.json is damaged .*too many",
    ),
    "foreign": (damage_json(fingerprint="0"), "run.json is damaged .*fingerprint"),
    "without model": (damage_json(model_sha256=None), "run.json is damaged .*model"),
    "seconds": (damage_json(seconds="long"), "run.json is damaged .*ValueError"),
    "probe": (damage_json(probe=[[1.0, 0.0]]), "other starting weights"),
    "versions": (damage_json(versions=3), "run.json is damaged .*versions"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_run_is_refused_with_a_reason(recorded, monkeypatch, damage):
    spoil, message = DAMAGES[damage]
    spoil(recorded)
    before = {path.name: path.read_bytes() for path in recorded.iterdir()}
    never(monkeypatch)
    with pytest.raises(RuntimeError, match=f"joint is not trained.*{message}"):
        fit_small(recorded.parent)
    assert {path.name: path.read_bytes() for path in recorded.iterdir()} == before


def test_damaged_run_is_trained_again_and_replaced(trained, recorded, capsys):
    cut(recorded)
    run = fit_small(recorded.parent)
    assert not run.reused
    assert_same_bits(run, trained)
    assert "model.keras is damaged" in capsys.readouterr().out
    assert fit_small(recorded.parent).reused


def test_switch(recorded, monkeypatch):
    runs = recorded.parent
    never(monkeypatch)
    assert fit_small(runs).reused
    with pytest.raises(RuntimeError, match="other is not trained, .*no recorded run"):
        fit_small(runs, name="other")
    assert not (runs / "other").exists()
    monkeypatch.setenv("RETRAIN", "1")
    assert not fit_small(runs).reused
    # An interrupted retraining goes on: what was moved aside is not moved again.
    assert (runs / ".aside" / "joint" / "run.json").exists()
    assert fit_small(runs).reused
    retraining.finish_retraining(runs)
    assert not fit_small(runs).reused
    monkeypatch.setenv("RETRAIN", "0")
    new = (runs / "joint" / "run.json").read_bytes()
    assert retraining.restore(runs) == ["joint"]
    assert (runs / "joint" / "run.json").read_bytes() != new
    assert fit_small(runs).reused and not (runs / ".aside").exists()
    monkeypatch.setenv("RETRAIN", "yes")
    with pytest.raises(ValueError, match="RETRAIN.*Received: 'yes'"):
        fit_small(runs)


def test_long_trainings_are_left_to_another_switch(recorded, monkeypatch):
    damage_json(seconds=901.0)(recorded)
    monkeypatch.setenv("RETRAIN", "1")
    assert fit_small(recorded.parent).reused
    monkeypatch.setenv("RETRAIN", "all")
    assert not fit_small(recorded.parent).reused


@contextlib.contextmanager
def interrupted(after):
    """Ctrl-C right after the checkpoint of an epoch."""
    write = fitting.FileStore.write

    def stop(self, content):
        write(self, content)
        if self.epochs() == after:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting.FileStore, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            yield


def early_stopping(patience=2):
    return keras.callbacks.EarlyStopping(
        "val_label_loss", mode="min", patience=patience, restore_best_weights=True
    )


# Too fast: it soon gets worse.
STOPPING = {"epochs": 30, "build": lambda: build_small(rate=0.2)}


@pytest.mark.parametrize("after", [1, 2, 3])
def test_interrupted_training_goes_on_with_the_same_bits(
    trained, tmp_path, capsys, after
):
    with interrupted(after):
        fit_small(tmp_path)
    assert [path.name for path in (tmp_path / "joint").iterdir()] == ["checkpoint.npz"]
    run = fit_small(tmp_path)
    assert f"going on after epoch {after}" in capsys.readouterr().out
    assert_same_bits(run, trained)
    assert not (tmp_path / "joint" / "checkpoint.npz").exists()


def test_early_stopping_keeps_the_best_epoch_also_when_interrupted(
    tmp_path, monkeypatch
):
    whole = fit_small(tmp_path / "whole", callbacks=[early_stopping()], **STOPPING)
    losses = whole.history["val_label_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 30 and losses[-1] > losses[best]
    predicted = whole.model.predict(VALIDATION[0], verbose=0)["label"]
    kept = -np.log(predicted[np.arange(30), VALIDATION[1]])
    assert kept.mean() == pytest.approx(losses[best], rel=1e-4)
    for after in (best + 1, len(losses) - 1, len(losses)):
        folder = tmp_path / str(after)
        with interrupted(after):
            fit_small(folder, callbacks=[early_stopping()], **STOPPING)
        # One object may serve several trainings.
        callback = early_stopping()
        fit_small(tmp_path / "other", callbacks=[callback], epochs=2)
        assert_same_bits(fit_small(folder, callbacks=[callback], **STOPPING), whole)
    never(monkeypatch)
    with pytest.raises(RuntimeError, match="made with other callbacks"):
        fit_small(tmp_path / "whole", callbacks=[early_stopping(3)], **STOPPING)


def spoil_state(**changes):
    def spoil(path):
        with np.load(path) as file:
            arrays = dict(file)
        state = json.loads(str(arrays["state"])) | changes
        np.savez(path, **(arrays | {"state": json.dumps(state)}))

    return spoil


def spoil_shape(path):
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {"variable0000": np.zeros(1)}))


CHECKPOINT_DAMAGES = {
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-100]), "damaged"),
    "empty": (lambda path: path.write_bytes(b""), "damaged"),
    "shape": (spoil_shape, "another network"),
    "foreign": (spoil_state(key=["0", []]), "other settings or versions"),
    "stopping": (spoil_state(stopping=None), "starting anew"),
}


@pytest.mark.parametrize("damage", CHECKPOINT_DAMAGES)
def test_damaged_checkpoint_is_refused(trained, tmp_path, capsys, damage):
    spoil, message = CHECKPOINT_DAMAGES[damage]
    with interrupted(2):
        fit_small(tmp_path)
    spoil(tmp_path / "joint" / "checkpoint.npz")
    assert_same_bits(fit_small(tmp_path), trained)
    output = capsys.readouterr().out
    assert message in output and "starting anew" in output


def test_muon_goes_on_to_the_same_bits(tmp_path):
    def build():
        model = build_plain()
        model.compile(keras.optimizers.Muon(0.01), model.loss)
        return model

    whole = fit_small(tmp_path / "whole", build=build)
    with interrupted(1):
        fit_small(tmp_path / "cut", build=build)
    assert_same_bits(fit_small(tmp_path / "cut", build=build), whole)


def test_diverged_training_stops_and_is_recorded(tmp_path):
    def build():
        model = build_plain()
        model.compile(keras.optimizers.SGD(1e30), model.loss)
        return model

    run = fit_small(tmp_path, build=build, epochs=5)
    assert len(run.history["loss"]) < 5
    assert not np.isfinite(run.history["loss"][-1])
    again = fit_small(tmp_path, build=build, epochs=5)
    assert again.reused and np.isnan(again.history["loss"][-1])


def test_single_output_takes_an_array(tmp_path):
    def build():
        series = keras.Input((6, 2))
        model = keras.Model(series, layers.Dense(2, name="reconstruction")(series))
        model.compile("adam", "mse", metrics=["mae"])
        return model

    run = fit_small(tmp_path, build=build, y=SERIES, validation_data=(SERIES, SERIES))
    assert set(run.history) == {"loss", "mae", "val_loss", "val_mae", "seconds"}


def test_score_is_recorded_instead_of_the_model(tmp_path, monkeypatch):
    def score(model, history):
        return {"size": model.count_params(), "losses": history["loss"]}

    def other_score(model, history):
        return {"size": 2 * model.count_params()}

    run = fit_small(tmp_path, score=score, keep_model=False)
    assert run.model is None and run.scores["losses"] == run.history["loss"]
    assert [path.name for path in run.folder.iterdir()] == ["run.json"]
    never(monkeypatch)
    again = fit_small(tmp_path, score=score, keep_model=False)
    assert again.scores == run.scores
    with pytest.raises(RuntimeError, match="made with other code"):
        fit_small(tmp_path, score=other_score, keep_model=False)


CHILD = """
import sys
from helpers.training import small_network_test as small
small.layers.Dense(2)  # This process has counted other layers.
assert small.fit_small(sys.argv[1]).reused
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_record_serves_every_process_and_backend(recorded, backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    subprocess.run(
        [sys.executable, "-c", CHILD, str(recorded.parent)],
        env=os.environ | {"RETRAIN": "never", "KERAS_BACKEND": backend},
        check=True,
        timeout=120,
    )


def two_inputs():
    series = [keras.Input((6, 2)), keras.Input((6, 2))]
    model = keras.Model(series, layers.Dense(2)(layers.Add()(series)))
    model.compile("adam", "mse")
    return model


def uncompiled():
    series = keras.Input((6, 2))
    return keras.Model(series, layers.Dense(2)(series))


def other_names():
    series = keras.Input((6, 2))
    model = keras.Model(series, {"other": layers.Dense(2, name="label")(series)})
    model.compile("adam", {"other": "mse"})
    return model


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"build": uncompiled}, "`build` .*compiled.*Received: a model that is not"),
        ({"build": lambda: None}, "`build` .*Received: NoneType"),
        ({"build": two_inputs}, "`build` .*Received: 2 inputs"),
        ({"build": other_names}, "the name of its layer"),
        ({"y": {"label": LABELS}}, r"`y` .*'reconstruction'.*Received: \['label'\]"),
        ({"y": targets(SERIES, LABELS) | {"z": LABELS}}, "`y` .*Received: .*'z'"),
        ({"y": SERIES}, "`y` should have a target for each loss.*Received: ndarray"),
        ({"x": SERIES[:-1]}, "should agree. Received: 69 and 70"),
        ({"x": SERIES * np.nan}, "`x` should hold finite"),
        ({"x": SERIES[:0]}, "`x` should hold values"),
        (
            {"y": targets(SERIES[:, :, :1], LABELS)},
            r"`y\['reconstruction'\]` should have the shape",
        ),
        ({"validation_data": SERIES}, "`validation_data` should be a tuple"),
        ({"epochs": 0}, "`epochs` .*Received: 0"),
        ({"batch_size": 1.5}, "`batch_size` .*Received: 1.5"),
        ({"seed": -1}, "`seed` .*Received: -1"),
        ({"seed": 2**32}, "`seed` .*below"),
        ({"name": "../joint"}, "`name` .*Received: '../joint'"),
        ({"callbacks": [keras.callbacks.History()]}, "`callbacks` .*Received: History"),
        (
            {"callbacks": [keras.callbacks.EarlyStopping("val_mse", mode="min")]},
            "`callbacks` should monitor one of.*'val_mse'",
        ),
    ],
)
def test_wrong_arguments_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        fit_small(tmp_path, **({"build": build_plain} | changes))
    assert not list(tmp_path.rglob("run.json"))


def test_names_are_asked_for_once(tmp_path):
    job = {"build": build_plain, "x": SERIES, "y": targets(SERIES, LABELS)}
    job |= {"epochs": 1, "batch_size": 16, "name": "a", "seed": 0, "folder": tmp_path}
    with pytest.raises(ValueError, match="another one in each"):
        training.fit_all([job, job])


def test_scores_are_recorded_once_and_then_compared(recorded, capsys):
    run = fit_small(recorded.parent)
    assert training.confirm_scores(run, {"mse": np.float32(0.5), "none": np.nan})
    run = fit_small(recorded.parent)
    assert run.reused and run.scores["mse"] == 0.5
    capsys.readouterr()
    assert training.confirm_scores(run, {"mse": 0.5004, "none": np.nan})
    assert capsys.readouterr().out == ""
    assert not training.confirm_scores(run, {"mse": 0.5006, "none": np.nan})
    assert "scores differ: mse is 0.5006, recorded 0.5" in capsys.readouterr().out
    assert not training.confirm_scores(run, {"mse": 0.5})
    assert not training.confirm_scores(run, {"mse": 0.5, "none": 1, "more": 1})
    with pytest.raises(ValueError, match="`scores` should hold"):
        training.confirm_scores(run, {})
    with pytest.raises(ValueError, match="`scores` should be a dict"):
        training.confirm_scores(run, {"mse": None})


def test_first_epoch_reaching():
    history = {"loss": [3.0, 2.0, 1.0], "accuracy": [0.1, 0.9, 0.8]}
    assert training.first_epoch_reaching(history, "loss", 2.0) == 2
    assert training.first_epoch_reaching(history, "loss", 0.5) is None
    assert training.first_epoch_reaching(history, "accuracy", 0.8, mode="max") == 2
    with pytest.raises(ValueError, match="Received: 'mse'"):
        training.first_epoch_reaching(history, "mse", 2.0)
    with pytest.raises(ValueError, match="Received: 'up'"):
        training.first_epoch_reaching(history, "loss", 2.0, mode="up")
