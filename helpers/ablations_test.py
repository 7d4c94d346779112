import json

import keras
import numpy as np
import pytest

from helpers import ablations, rare_events, selection
from helpers.ablations import variant

NUM_STEPS = 10


@pytest.fixture(scope="module")
def data():
    """A made-up series with many events, so that a slice is enough to learn from."""
    process = rare_events.HurdleProcess(base=-2.5, trigger=0.0, excitement=0.9)
    parts = {}
    for seed, part in enumerate(("train", "validation", "test")):
        sample = rare_events.sample_process(process, 1000 + NUM_STEPS, seed)
        ends = np.arange(NUM_STEPS, 1000 + NUM_STEPS)
        parts[part] = rare_events.cut_events(
            sample.features, sample.strengths, ends, NUM_STEPS, 50, 5
        )
    return parts


@pytest.fixture(scope="module", autouse=True)
def short():
    """Trainings of a few epochs."""
    patch = pytest.MonkeyPatch()
    patch.setattr(ablations, "UNITS", 8)
    patch.setattr(ablations, "BATCH_SIZE", 100)
    patch.setattr(ablations, "LEARNING_RATE", 0.01)
    patch.setattr(ablations, "PATIENCE", 1)
    ablations.compiled.cache_clear()
    yield
    patch.undo()
    ablations.compiled.cache_clear()


@pytest.fixture(scope="module")
def autoencoders(data):
    return ablations.Autoencoders(data["train"], data["validation"], epochs=2)


VARIANTS = [
    {},
    {"output": "hurdle", "neck": "dense"},
    {"output": "event", "weighting": "balanced", "encoder": "conv_time"},
    {"output": "mean", "encoder": "two_lstms"},
    {"output": "two_heads", "encoder": "separate"},
    {"output": "masked_heads", "neck": "conv_shuffled", "encoder": "conv_states"},
    {"output": "product"},
    {
        "output": "two_heads",
        "neck": "lstm",
        "autoencoder": "joint",
        "reconstruction": 1.0,
    }
    | {"monitor": "total"},
    {"autoencoder": "joint", "reconstruction": "learned", "share": 0.5},
    {"autoencoder": "frozen_raw", "neck": "dense"},
    {"autoencoder": "fine_tuned", "share": 0.5},
]


@pytest.mark.parametrize("changes", VARIANTS, ids=json.dumps)
def test_every_kind_of_variant_is_trained_and_scored(changes, data, autoencoders):
    result = ablations.evaluate(variant(**changes), 0, data, autoencoders)
    assert 0.5 < result["test area under curve"] <= 1
    assert len(result["test recalibrated Brier by day"]) == 21  # The first is short.
    assert np.isfinite(result["loss by epoch"]).all()
    has_event = changes.get("output") != "mean"
    assert ("test Brier skill" in result) == has_event
    assert ("validation reconstruction" in result) == (
        changes.get("autoencoder") == "joint"
    )
    if has_event and changes.get("output") != "product":
        by_day = np.sum(result["test Brier by day"]) / 1000
        rate = (data["train"].strengths > 0).mean()
        events = data["test"].strengths > 0
        reference = np.square(events - rate).mean()
        assert 1 - by_day / reference == pytest.approx(
            result["test Brier skill"], abs=1e-4
        )


def test_ablation_is_recorded_and_repeats(data, autoencoders, tmp_path, monkeypatch):
    """One ablation on a slice, through the recorder, trained twice and read once."""
    monkeypatch.delenv("RETRAIN", raising=False)
    grid = [variant(), variant(output="hurdle")]

    def run(folder):
        return selection.cross_validate(
            lambda settings, fold: ablations.evaluate(
                settings, fold, data, autoencoders
            ),
            grid,
            2,
            name="slice",
            folder=folder,
            settings=ablations.protocol(),
        )

    first = run(tmp_path / "first")
    second = run(tmp_path / "second")
    monkeypatch.setenv("RETRAIN", "never")
    read = run(tmp_path / "first")
    # Every number of the second training is that of the first, whatever the process
    # has trained in between.
    columns = [name for name in first if name != "seconds"]
    assert first[columns].equals(second[columns])
    assert first.equals(read)
    assert first["test Brier skill"].min() > 0.05
    assert len(set(first["test Brier skill"])) == 4
    with pytest.raises(RuntimeError, match="lacks 4 of 4"):
        run(tmp_path / "third")


def test_frozen_encoder_stays_and_fine_tuned_one_starts_there(data, autoencoders):
    weights, error = autoencoders.get(32, 0)
    assert error < 1
    again, _ = ablations.Autoencoders(data["train"], data["validation"], epochs=2).get(
        32, 0
    )
    assert all(np.array_equal(*pair) for pair in zip(weights, again, strict=True))
    codes = ablations.read_codes(data["test"], 32, weights, with_last_step=True)
    assert codes.windows.shape == (1000, 1, 36)
    assert np.array_equal(codes.windows[:, 0, 32:], data["test"].windows[:, -1])
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(ablations, "train", lambda *arguments: {"loss": [0.0]})
    settings = variant(autoencoder="fine_tuned")
    model, _, _ = ablations.fit(settings, 0, data, autoencoders)
    monkeypatch.undo()
    encoder = keras.Model(model.inputs, model.get_layer("code").output)
    started = encoder.predict(data["test"].windows, verbose=0)
    assert np.allclose(started, codes.windows[:, 0, :32], atol=1e-5)


def test_training_keeps_the_best_epoch(data):
    """Too large a rate: later epochs are worse, and are not kept."""
    keras.utils.set_random_seed(0)
    settings = variant(output="event")
    frequencies = [0.8, *[0.02] * 10]
    model = ablations.build(settings, NUM_STEPS, 4, frequencies)
    losses, weights = ablations.choose_losses(settings, 0.2)
    ablations.compile_model(model, losses, weights, learning_rate=0.3)
    inputs = data["train"].windows
    targets = ablations.make_targets(model, data["train"], inputs)
    others = data["validation"].windows
    validation = others, ablations.make_targets(model, data["validation"], others)
    history = ablations.train(model, inputs, targets, validation, "val_loss", 0)
    epochs = len(history["val_loss"])
    best = int(np.argmin(history["val_loss"]))
    assert epochs == best + 1 + ablations.PATIENCE
    kept = model.evaluate(*validation, batch_size=1000, verbose=0)
    assert kept == pytest.approx(min(history["val_loss"]), rel=1e-4)


def test_masked_strength_is_multiplied_and_a_plain_one_is_not():
    outputs = {"event": np.array([[0.2]]), "mean": np.array([[3.0]])}
    read = ablations.read_forecast(outputs, variant(output="masked_heads"))
    assert read["mean"] == pytest.approx([0.6]) and read["factor"] == [3.0]
    read = ablations.read_forecast(outputs, variant(output="two_heads"))
    assert read["mean"] == [3.0] and read["event"] == [0.2]


def test_log_variance_finds_the_variance():
    values = np.random.default_rng(0).normal(scale=0.5, size=(500, 3, 2))
    zeros = np.zeros((500, 3, 2), "float32")
    inputs = keras.Input((3, 2))
    model = keras.Model(inputs, ablations.LogVariance()(inputs))
    model.compile(keras.optimizers.Adam(0.1), ablations.gaussian_score)
    model.fit(zeros, values, epochs=40, batch_size=250, verbose=0)
    learned = model.predict(zeros[:1], verbose=0)[0, 0, -1]
    assert np.exp(learned) == pytest.approx(0.25, rel=0.1)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"head": "softmax"}, "keys of encoder"),
        ({"encoder": "gru"}, "`encoder`.*'gru'"),
        ({"neck": "gru"}, "`neck`.*'gru'"),
        ({"output": "normal"}, "`output`.*'normal'"),
        ({"autoencoder": "joint", "share": 0.5, "output": "event"}, "labels.*'event'"),
    ],
)
def test_unknown_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ablations.build(variant(**changes), NUM_STEPS, 4, [0.8, *[0.02] * 10])
