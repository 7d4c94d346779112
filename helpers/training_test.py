import datetime
import hashlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from keras import layers
from keras.src.backend.common import global_state

from helpers import training

rng = np.random.default_rng(0)
SERIES = rng.random((70, 6, 2), dtype="float32")
LABELS = rng.integers(0, 3, 70)
VALIDATION_SERIES = rng.random((30, 6, 2), dtype="float32")
VALIDATION_LABELS = rng.integers(0, 3, 30)
OUTPUTS = ("label", "reconstruction")


@pytest.fixture(autouse=True)
def no_switch(monkeypatch):
    monkeypatch.delenv("RETRAIN", raising=False)


def build_model(units=4):
    """A small model that builds fast, with layers and operations without a name."""
    series = keras.Input((6, 2), name="series")
    code = layers.Dense(units)(layers.Flatten()(series))
    code = layers.Dropout(0.3)(code) * 1.5
    steps = layers.Dense(12)(code)
    return keras.Model(
        series,
        {
            "reconstruction": layers.Reshape((6, 2), name="reconstruction")(steps),
            "label": layers.Dense(3, activation="softmax", name="label")(code),
        },
    )


def build_recurrent_model():
    series = keras.Input((6, 2), name="series")
    code = layers.Dropout(0.3)(layers.LSTM(4)(series))
    steps = layers.LSTM(4, return_sequences=True)(layers.RepeatVector(6)(code))
    return keras.Model(
        series,
        {
            "reconstruction": layers.Dense(2, name="reconstruction")(steps),
            "label": layers.Dense(3, activation="softmax", name="label")(code),
        },
    )


def fit(folder, build_model=build_model, **changes):
    arguments = {
        "inputs": SERIES,
        "targets": {"reconstruction": SERIES, "label": LABELS},
        "name": "joint",
        "folder": folder,
        "loss": {"reconstruction": "mse", "label": "sparse_categorical_crossentropy"},
        "loss_weights": {"reconstruction": 2.0, "label": 0.5},
        "metrics": {"label": "accuracy"},
        "optimizer": keras.optimizers.Adam(0.01, clipnorm=1.0),
        "epochs": 3,
        "batch_size": 16,
        "seed": 1,
        "validation_data": (
            VALIDATION_SERIES,
            {"reconstruction": VALIDATION_SERIES, "label": VALIDATION_LABELS},
        ),
    }
    return training.fit(build_model, **(arguments | changes))


def weights_of(run):
    return [np.array(weight) for weight in run.model.get_weights()]


def assert_same_bits(run, other):
    for one, two in zip(weights_of(run), weights_of(other), strict=True):
        np.testing.assert_array_equal(one, two)
    assert without_time(run.history) == without_time(other.history)


def without_time(history):
    return {key: history[key] for key in history if key != "seconds"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RETRAIN", raising=False)
        return fit(folder)


@pytest.fixture
def recorded(trained, tmp_path):
    """A fresh copy of the recorded run, to be damaged."""
    folder = tmp_path / "joint"
    folder.mkdir()
    for file in ("run.json", "weights.npz"):
        (folder / file).write_bytes((trained.folder / file).read_bytes())
    return folder


def test_history_holds_every_loss_and_metric_of_every_epoch(trained):
    names = {"loss", "label_loss", "reconstruction_loss", "label_accuracy"}
    assert set(trained.history) == {
        *names,
        *(f"val_{name}" for name in names),
        "seconds",
    }
    assert all(len(values) == 3 for values in trained.history.values())
    assert sorted(trained.history["seconds"]) == trained.history["seconds"]
    assert trained.seconds == trained.history["seconds"][-1] > 0
    assert trained.scores == {} and not trained.reused


def test_training_equals_keras_fit(tmp_path):
    # One batch an epoch, so that the order of the examples does not matter.
    arguments = {"batch_size": 70, "epochs": 4, "metrics": None}
    run = fit(tmp_path, lambda: plain_model(), **arguments)
    keras.utils.set_random_seed(1)
    model = plain_model()
    model.compile(
        keras.optimizers.Adam(0.01, clipnorm=1.0),
        {"reconstruction": "mse", "label": "sparse_categorical_crossentropy"},
        loss_weights={"reconstruction": 2.0, "label": 0.5},
    )
    history = model.fit(
        SERIES,
        {"reconstruction": SERIES, "label": LABELS},
        batch_size=70,
        epochs=4,
        verbose=0,
    ).history
    np.testing.assert_allclose(run.history["loss"], history["loss"], rtol=1e-5)
    np.testing.assert_allclose(
        run.history["label_loss"], history["label_loss"], rtol=1e-5
    )


def plain_model():
    series = keras.Input((6, 2), name="series")
    flat = layers.Flatten()(series)
    steps = layers.Reshape((6, 2), name="reconstruction")(layers.Dense(12)(flat))
    label = layers.Dense(3, activation="softmax", name="label")(flat)
    return keras.Model(series, {"reconstruction": steps, "label": label})


def test_validation_equals_keras_evaluate(trained):
    scores = trained.model.evaluate(
        VALIDATION_SERIES,
        {"reconstruction": VALIDATION_SERIES, "label": VALIDATION_LABELS},
        verbose=0,
        return_dict=True,
    )
    for name, value in scores.items():
        assert trained.history[f"val_{name}"][-1] == pytest.approx(value, rel=1e-5)


def test_same_seed_gives_the_same_bits_and_another_seed_does_not(trained, tmp_path):
    assert_same_bits(fit(tmp_path), trained)
    other = fit(tmp_path, seed=2, name="other")
    assert not np.array_equal(weights_of(other)[0], weights_of(trained)[0])


def test_optimizer_is_copied_with_its_settings(tmp_path):
    optimizer = keras.optimizers.Adam(0.02, clipnorm=0.5)
    runs = [
        fit(tmp_path, plain_model, name=name, optimizer=optimizer, epochs=1)
        for name in ("one", "two")
    ]
    assert_same_bits(*runs)
    assert not optimizer.built
    assert runs[0].model.optimizer.clipnorm == 0.5
    assert float(runs[0].model.optimizer.learning_rate) == pytest.approx(0.02)
    config = keras.optimizers.serialize(optimizer)
    assert fit(tmp_path, plain_model, name="one", optimizer=config, epochs=1).reused


def test_recorded_run_is_reused(trained, recorded, capsys):
    run = fit(recorded.parent)
    assert run.reused and run.versions == trained.versions
    assert_same_bits(run, trained)
    assert run.history == trained.history and run.seconds == trained.seconds
    assert run.configuration == trained.configuration
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "joint: recorded run reused (3 epochs, trained in " in captured.err


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"epochs": 2}, "epochs"),
        ({"batch_size": 70}, "batch_size"),
        ({"seed": 5}, "seed"),
        ({"optimizer": "sgd"}, "optimizer"),
        ({"loss_weights": None}, "loss_weights"),
        ({"metrics": None}, "metrics"),
        ({"validation_data": None}, "validation_data"),
        ({"inputs": SERIES * 2}, "inputs"),
        ({"targets": {"reconstruction": SERIES * 2, "label": LABELS}}, "targets"),
        ({"build_model": lambda: build_model(5)}, "model"),
    ],
)
def test_changed_settings_are_named(recorded, monkeypatch, changes, part):
    monkeypatch.setenv("RETRAIN", "never")
    with pytest.raises(RuntimeError, match=f"joint .*settings changed: {part}\\."):
        fit(recorded.parent, **changes)


def test_changed_loss_function_is_noticed():
    def loss(target, prediction):
        return keras.ops.mean((target - prediction) ** 2)

    first = training.describe({"label": loss})

    def loss(target, prediction):
        return keras.ops.mean(abs(target - prediction))

    assert first != training.describe({"label": loss})


def cut(folder):
    content = (folder / "weights.npz").read_bytes()
    (folder / "weights.npz").write_bytes(content[:-40])


def flip(folder):
    content = bytearray((folder / "weights.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "weights.npz").write_bytes(content)


def change_weights(change):
    def damage(folder):
        with np.load(folder / "weights.npz") as arrays:
            arrays = dict(arrays)
        change(arrays)
        np.savez(folder / "weights.npz", **arrays)
        content = (folder / "weights.npz").read_bytes()
        edit_record(weights_sha256=hashlib.sha256(content).hexdigest())(folder)

    return damage


def edit_record(**changes):
    def damage(folder):
        record = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps(record | changes))

    return damage


def poison(arrays):
    arrays[next(iter(arrays))][0, 0] = np.nan


def reshape(arrays):
    arrays[next(iter(arrays))] = np.zeros((1, 1), "float32")


def rename(arrays):
    arrays["other"] = arrays.pop(next(iter(arrays)))


DAMAGES = {
    "cut": (cut, "weights.npz is damaged .*SHA-256"),
    "flipped bit": (flip, "weights.npz is damaged .*SHA-256"),
    "NaN": (change_weights(poison), "weights.npz is damaged .*not finite"),
    "shape": (change_weights(reshape), r"weights.npz is damaged .*shape \(1, 1\)"),
    "names": (change_weights(rename), "weights.npz is damaged .*other names"),
    "no weights": (
        lambda folder: (folder / "weights.npz").unlink(),
        "weights.npz cannot be read",
    ),
    "no JSON": (
        lambda folder: (folder / "run.json").write_text("{"),
        "run.json is damaged .*JSONDecodeError",
    ),
    "binary": (
        lambda folder: (folder / "run.json").write_bytes(b"\xff\x00"),
        "run.json is damaged .*UnicodeDecodeError",
    ),
    "list": (
        lambda folder: (folder / "run.json").write_text("[]"),
        "run.json is damaged .*TypeError",
    ),
    "empty": (
        lambda folder: (folder / "run.json").write_text("{}"),
        "run.json is damaged .*KeyError",
    ),
    "history": (edit_record(history=3), "run.json is damaged .*AttributeError"),
    "foreign": (edit_record(fingerprint="0"), "run.json is damaged .*fingerprint"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_run_is_refused_with_a_reason(recorded, monkeypatch, damage):
    spoil, message = DAMAGES[damage]
    spoil(recorded)
    before = {path.name: path.read_bytes() for path in recorded.iterdir()}
    monkeypatch.setenv("RETRAIN", "never")
    with pytest.raises(RuntimeError, match=message):
        fit(recorded.parent)
    assert {path.name: path.read_bytes() for path in recorded.iterdir()} == before


def test_damaged_run_is_trained_again_and_replaced(trained, recorded, capsys):
    cut(recorded)
    run = fit(recorded.parent)
    assert not run.reused
    assert_same_bits(run, trained)
    (message,) = capsys.readouterr().out.splitlines()
    assert "weights.npz is damaged" in message and "training" in message
    assert fit(recorded.parent).reused
    assert sorted(path.name for path in recorded.iterdir()) == [
        "run.json",
        "weights.npz",
    ]


def test_switch_trains_everything_or_nothing(recorded, monkeypatch):
    monkeypatch.setenv("RETRAIN", "never")
    assert fit(recorded.parent).reused
    with pytest.raises(RuntimeError, match="other is not trained, .*no recorded run"):
        fit(recorded.parent, name="other")
    assert not (recorded.parent / "other").exists()
    monkeypatch.setenv("RETRAIN", "1")
    assert not fit(recorded.parent).reused
    monkeypatch.setenv("RETRAIN", "0")
    assert fit(recorded.parent).reused
    monkeypatch.setenv("RETRAIN", "yes")
    with pytest.raises(ValueError, match="RETRAIN.*Received: 'yes'"):
        fit(recorded.parent)


def test_switch_leaves_long_trainings_to_another_value(recorded, monkeypatch):
    record = json.loads((recorded / "run.json").read_text("utf-8"))
    (recorded / "run.json").write_text(json.dumps(record | {"seconds": 901.0}))
    monkeypatch.setenv("RETRAIN", "1")
    assert fit(recorded.parent).reused
    monkeypatch.setenv("RETRAIN", "all")
    assert not fit(recorded.parent).reused


def test_switch_with_a_time_trains_what_is_older(recorded, monkeypatch):
    before = datetime.datetime.now() - datetime.timedelta(days=1)
    monkeypatch.setenv("RETRAIN", f"1 since {before.isoformat()}")
    assert fit(recorded.parent).reused
    record = json.loads((recorded / "run.json").read_text("utf-8"))
    older = (before - datetime.timedelta(minutes=1)).astimezone().isoformat()
    for change in ({"recorded": older}, {"recorded": None}):
        # As if git had brought the record back: the file is new, the training is not.
        (recorded / "run.json").write_text(json.dumps(record | change))
        assert not fit(recorded.parent).reused
        assert fit(recorded.parent).reused


@pytest.fixture(scope="module")
def checkpoint_content(tmp_path_factory):
    """The checkpoint of a training that was interrupted after its second epoch."""
    folder = tmp_path_factory.mktemp("interrupted")
    save = training.save_checkpoint

    def save_and_stop(path, model, configuration, history):
        save(path, model, configuration, history)
        if len(history["loss"]) == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RETRAIN", raising=False)
        patch.setattr(training, "save_checkpoint", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            fit(folder)
    assert [path.name for path in (folder / "joint").iterdir()] == ["checkpoint.npz"]
    return (folder / "joint" / "checkpoint.npz").read_bytes()


@pytest.fixture
def checkpoint(checkpoint_content, tmp_path):
    """A fresh copy of that checkpoint, to be resumed or damaged."""
    path = tmp_path / "joint" / "checkpoint.npz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(checkpoint_content)
    return path


def checkpoint_history(path):
    with np.load(path) as arrays:
        return json.loads(str(arrays["state"]))["history"]


def test_interrupted_training_goes_on_with_the_same_bits(
    trained, checkpoint, tmp_path, capsys
):
    before = checkpoint_history(checkpoint)
    run = fit(tmp_path)
    assert "going on after epoch 2" in capsys.readouterr().out
    assert_same_bits(run, trained)
    assert run.history["seconds"][:2] == before["seconds"]
    assert run.seconds > before["seconds"][1]
    assert not checkpoint.exists()


def test_retraining_that_was_interrupted_goes_on(
    recorded, checkpoint, tmp_path, monkeypatch, capsys
):
    assert fit(tmp_path).reused  # The finished run is still there.
    monkeypatch.setenv("RETRAIN", "1")
    assert not fit(tmp_path).reused
    assert "going on after epoch 2" in capsys.readouterr().out
    assert not checkpoint.exists()


def test_kill_between_the_two_files_of_a_run_loses_nothing(
    recorded, checkpoint, tmp_path, capsys
):
    (recorded / "weights.npz").write_bytes(b"new weights, but still the old run.json")
    assert not fit(tmp_path).reused
    output = capsys.readouterr().out
    assert "weights.npz is damaged" in output and "going on after" in output


def cut_checkpoint(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip_checkpoint(path):
    content = bytearray(path.read_bytes())
    content[content.index(b"kernel.npy") + 200] ^= 1
    path.write_bytes(content)


def reshape_checkpoint(path):
    with np.load(path) as arrays:
        arrays = dict(arrays)
    arrays[next(key for key in arrays if key.startswith("model/000"))] = np.zeros(1)
    np.savez(path, **arrays)


def change_state(**changes):
    def damage(path):
        with np.load(path) as arrays:
            arrays = dict(arrays)
        state = json.loads(str(arrays["state"])) | changes
        np.savez(path, **(arrays | {"state": json.dumps(state)}))

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_checkpoint, "damaged"),
        (flip_checkpoint, "damaged .*CRC"),
        (reshape_checkpoint, r"damaged .*shape \(1,\)"),
        (change_state(history=None), "damaged .*AttributeError"),
        (change_state(fingerprint="0"), "of other settings"),
        (change_state(versions={}), "of other settings or versions"),
    ],
)
def test_damaged_checkpoint_is_refused(recorded, checkpoint, capsys, damage, message):
    run = fit(recorded.parent)
    arguments = ("joint", checkpoint, run.model, run.configuration)
    weights = weights_of(run)
    damage(checkpoint)
    assert training.load_checkpoint(*arguments) == {}
    assert re.search(f"checkpoint.npz is {message}", capsys.readouterr().out)
    for before, after in zip(weights, weights_of(run), strict=True):
        np.testing.assert_array_equal(before, after)


def test_training_starts_over_after_a_damaged_checkpoint(trained, checkpoint, tmp_path):
    cut_checkpoint(checkpoint)
    assert_same_bits(fit(tmp_path), trained)
    assert not checkpoint.exists()


CHILD = """
import json
import sys
from helpers import training, training_test
build_model = getattr(training_test, sys.argv[2])
changes = json.loads(sys.argv[3])
training_test.fit(sys.argv[1], build_model, **changes)
"""


def child(folder, build_model, changes, **environment):
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            CHILD,
            str(folder),
            build_model.__name__,
            json.dumps(changes),
        ],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_killed_training_goes_on_with_the_same_bits(tmp_path):
    changes = {"epochs": 15, "validation_data": None}
    process = child(tmp_path, build_recurrent_model, changes)
    checkpoint = tmp_path / "joint" / "checkpoint.npz"
    deadline = time.monotonic() + 60
    while not checkpoint.exists():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    history = checkpoint_history(checkpoint)
    assert 1 <= len(history["loss"]) < 15
    resumed = fit(tmp_path, build_recurrent_model, **changes)
    assert resumed.history["seconds"][: len(history["loss"])] == history["seconds"]
    whole = fit(tmp_path, build_recurrent_model, name="whole", **changes)
    assert_same_bits(resumed, whole)


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_fingerprint_depends_on_no_process_and_no_backend(recorded, backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    # This process has counted other layers than the new one.
    layers.Dense(2)
    process = child(
        recorded.parent, build_model, {}, RETRAIN="never", KERAS_BACKEND=backend
    )
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "recorded run reused" in output


def test_names_of_later_layers_stay_unique(tmp_path):
    before = layers.Dense(2)
    run = fit(tmp_path, plain_model, epochs=1)
    after = layers.Dense(2)
    names = {layer.name for layer in run.model.layers}
    assert after.name != before.name and after.name not in names


def test_first_model_of_a_process_has_no_names_before_it():
    global_state.set_global_attribute("object_name_uids", None)
    with training.fresh_names():
        assert layers.Dense(2).name == "dense"
    assert layers.Dense(2).name == "dense_1"


def test_failing_build_leaves_the_names_unique():
    before = layers.Dense(2).name
    with pytest.raises(ZeroDivisionError), training.fresh_names():
        1 / 0  # noqa: B018
    assert layers.Dense(2).name != before


def two_inputs():
    series = [keras.Input((6, 2)), keras.Input((6, 2))]
    return keras.Model(series, layers.Dense(2)(layers.Add()(series)))


def test_moving_average_of_the_weights_is_used_once_at_the_end(tmp_path, monkeypatch):
    arguments = {
        "build_model": plain_model,
        "optimizer": keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
    }
    last = []
    save = training.save_checkpoint

    def remember(path, model, *arguments):
        last[:] = model.get_weights()
        save(path, model, *arguments)

    monkeypatch.setattr(training, "save_checkpoint", remember)
    run = fit(tmp_path, **arguments)
    assert not np.array_equal(last[0], weights_of(run)[0])
    np.testing.assert_allclose(
        weights_of(run)[0],
        run.model.optimizer._model_variables_moving_average[0].numpy(),
    )


def test_diverged_training_stops_and_is_recorded(tmp_path):
    arguments = {
        "optimizer": keras.optimizers.SGD(1e30),
        "epochs": 5,
        "build_model": plain_model,
    }
    run = fit(tmp_path, **arguments)
    assert len(run.history["loss"]) < 5
    assert not np.isfinite(run.history["loss"][-1])
    again = fit(tmp_path, **arguments)
    assert again.reused
    assert np.isnan(again.history["loss"][-1])


def test_single_output_takes_plain_arguments(tmp_path):
    def build():
        series = keras.Input((6, 2))
        return keras.Model(series, layers.Dense(2, name="reconstruction")(series))

    plain = {
        "targets": SERIES,
        "loss": "mse",
        "metrics": ["mae"],
        "loss_weights": None,
        "validation_data": (VALIDATION_SERIES, VALIDATION_SERIES),
    }
    run = fit(tmp_path, build, name="plain", **plain)
    assert {"loss", "mae", "val_loss", "val_mae"} < set(run.history)
    named = {
        "targets": {"reconstruction": SERIES},
        "loss": {"reconstruction": "mse"},
        "metrics": {"reconstruction": ["mae"]},
        "loss_weights": {"reconstruction": 1},
        "validation_data": (VALIDATION_SERIES, {"reconstruction": VALIDATION_SERIES}),
    }
    assert fit(tmp_path, build, name="plain", **named).reused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"targets": {"label": LABELS}},
            "`targets` has no entry for .'reconstruction'",
        ),
        ({"loss": {"labels": "mse"}}, r"`loss` has unknown head \['labels'\].*outputs"),
        ({"loss": "mse"}, "`loss` should be a dict .*Received: str"),
        ({"loss_weights": {"x": 1.0}}, r"`loss_weights` has unknown head \['x'\]"),
        ({"loss_weights": {"label": np.nan}}, "`loss_weights` should hold finite"),
        ({"metrics": {"x": "mse"}}, r"`metrics` has unknown head \['x'\]"),
        ({"inputs": SERIES[:-1]}, "should agree. Received: 69 and 70"),
        ({"inputs": SERIES * np.nan}, "`inputs` should hold finite"),
        ({"inputs": SERIES[:0]}, "`inputs` should hold values"),
        ({"inputs": SERIES[:, :5]}, r"`inputs` should have the shape \(None, 6, 2\)"),
        (
            {"targets": {"reconstruction": SERIES[:, :, :1], "label": LABELS}},
            r"`targets\['reconstruction'\]` should have the shape",
        ),
        (
            {"targets": {"reconstruction": SERIES, "label": SERIES[:, 0]}},
            r"`targets\['label'\]` should have the shape \(None,\)",
        ),
        ({"validation_data": SERIES}, "`validation_data` should be a tuple"),
        (
            {"validation_data": (SERIES, SERIES)},
            "`validation targets` should be a dict",
        ),
        ({"epochs": 0}, "`epochs` .*Received: 0"),
        ({"batch_size": 1.5}, "`batch_size` .*Received: 1.5"),
        ({"seed": -1}, "`seed` .*Received: -1"),
        ({"name": "../joint"}, "`name` .*Received: '../joint'"),
        ({"build_model": lambda: None}, "`build_model` .*Received: NoneType"),
        ({"build_model": two_inputs}, "`build_model` .*Received: 2 inputs"),
        ({"loss_weights": {"label": "1"}}, "`loss_weights` should hold finite"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        fit(tmp_path, **({"build_model": plain_model} | changes))
    assert list(tmp_path.iterdir()) == []


def test_model_that_is_passed_twice_is_refused(tmp_path):
    model = plain_model()
    fit(tmp_path, lambda: model, epochs=1)
    with pytest.raises(ValueError, match="Received: a compiled model"):
        fit(tmp_path, lambda: model, epochs=1)


def test_outputs_are_named_as_their_layers(tmp_path):
    def build():
        series = keras.Input((6, 2))
        return keras.Model(series, {"other": layers.Dense(2, name="label")(series)})

    with pytest.raises(ValueError, match="the name of its layer"):
        fit(tmp_path, build)


def test_scores_are_recorded_once_and_then_compared(recorded, capsys):
    run = fit(recorded.parent)
    assert training.confirm_scores(run, {"mse": np.float32(0.5), "none": np.nan})
    run = fit(recorded.parent)
    assert run.reused and run.scores["mse"] == 0.5
    capsys.readouterr()
    assert training.confirm_scores(run, {"mse": 0.5004, "none": np.nan})
    assert capsys.readouterr().out == ""
    assert not training.confirm_scores(run, {"mse": 0.5006, "none": np.nan})
    assert (
        "joint: scores differ: mse is 0.5006, recorded 0.5" in capsys.readouterr().out
    )
    assert training.confirm_scores(run, {"mse": 0.5006, "none": np.nan}, 0.01)
    assert not training.confirm_scores(run, {"mse": 0.5})
    assert not training.confirm_scores(run, {"mse": 0.5, "none": 1, "more": 1})
    assert fit(recorded.parent).scores["mse"] == 0.5
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


def test_history_counts_every_example_once(tmp_path):
    """Losses and metrics are means over all examples, as Keras' own `fit` has them."""
    rng = np.random.default_rng(0)
    # The last batches, of training and validation, are small and unlike the rest.
    inputs = rng.normal(size=(1030, 4)).astype("float32")
    targets = (inputs[:, :1] > 0).astype("float32")
    targets[-6:] = 1 - targets[-6:]

    def build_model():
        values = keras.Input((4,), name="values")
        label = keras.layers.Dense(1, activation="sigmoid", name="label")(values)
        return keras.Model(values, {"label": label})

    run = training.fit(
        build_model,
        inputs,
        {"label": targets},
        validation_data=(inputs, {"label": targets}),
        name="means",
        folder=tmp_path,
        loss={"label": "mean_squared_error"},
        metrics={"label": ["accuracy"]},
        optimizer=keras.optimizers.SGD(0.0),  # The weights stay: all epochs are alike.
        epochs=1,
        batch_size=64,
        seed=0,
    )
    probabilities = run.model.predict(inputs, verbose=0)["label"]
    expected = float(np.mean((probabilities - targets) ** 2))
    share = float(np.mean((probabilities > 0.5) == (targets > 0.5)))
    for prefix in ("", "val_"):
        assert run.history[f"{prefix}loss"][0] == pytest.approx(expected, rel=1e-5)
        accuracy = next(
            values[0]
            for key, values in run.history.items()
            if key in (f"{prefix}accuracy", f"{prefix}label_accuracy")
        )
        assert accuracy == pytest.approx(share, rel=1e-5)


def stop(*_):
    """Stands for Ctrl-C at a place."""
    raise KeyboardInterrupt


STOPPING = {
    "epochs": 30,
    "stop_on": ("val_label_loss", 2),
    "optimizer": keras.optimizers.Adam(0.2),  # Too fast: it soon gets worse.
}


def test_training_stops_and_keeps_the_best_epoch(tmp_path, monkeypatch):
    run = fit(tmp_path, **STOPPING)
    losses = run.history["val_label_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 30
    assert losses[-1] > losses[best]
    predicted = run.model.predict(VALIDATION_SERIES, verbose=0)["label"]
    kept = -np.log(predicted[np.arange(len(predicted)), VALIDATION_LABELS.ravel()])
    assert kept.mean() == pytest.approx(losses[best], rel=1e-4)
    assert {path.name for path in run.folder.iterdir()} == {"run.json", "weights.npz"}
    monkeypatch.setenv("RETRAIN", "never")
    again = fit(tmp_path, **STOPPING)
    assert again.reused
    assert_same_bits(run, again)
    with pytest.raises(RuntimeError, match="settings changed: stop_on"):
        fit(tmp_path, **(STOPPING | {"stop_on": ("val_label_loss", 3)}))


def test_training_that_would_stop_is_resumed_with_the_same_bits(tmp_path, monkeypatch):
    whole = fit(tmp_path / "whole", **STOPPING)
    save = training.save_checkpoint

    def kill(path, model, configuration, history):
        save(path, model, configuration, history)
        if len(history["loss"]) == len(whole.history["loss"]) - 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "save_checkpoint", kill)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "cut", **STOPPING)
    monkeypatch.undo()
    assert_same_bits(fit(tmp_path / "cut", **STOPPING), whole)


@pytest.mark.parametrize("content", [None, b"", b"PK damaged"])
def test_training_without_the_best_weights_starts_anew(
    tmp_path, content, monkeypatch, capsys
):
    whole = fit(tmp_path / "whole", **STOPPING)
    # The last epoch is trained, only the best one has to be looked up.
    monkeypatch.setattr(training, "save_run", stop)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "cut", **STOPPING)
    monkeypatch.undo()
    (best,) = (tmp_path / "cut").rglob("best.npz")
    best.unlink()
    if content is not None:
        best.write_bytes(content)
    assert_same_bits(fit(tmp_path / "cut", **STOPPING), whole)
    assert re.search("best.npz.*starting with the first epoch", capsys.readouterr().out)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"stop_on": "val_loss"}, "`stop_on` should be a tuple"),
        ({"stop_on": ("val_loss", 0)}, "at least 1. Received: 0"),
        ({"stop_on": ("val_mse", 1)}, "name one of.*'val_mse'"),
        (
            {
                "stop_on": ("val_loss", 1),
                "optimizer": keras.optimizers.Adam(use_ema=True),
            },
            "moving average",
        ),
    ],
)
def test_impossible_stops_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        fit(tmp_path, **changes)
