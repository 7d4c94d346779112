from helpers import datasets, networks, training, windows
from helpers.studies import rare_event_variants as variants
from helpers.studies.rare_event_scores import read_forecast
from helpers.studies.rare_event_variants import variant

import keras
import numpy as np
import pytest

NUM_STEPS = 10
FREQUENCIES = np.array([0.8, *[0.02] * 10])


@pytest.fixture(scope="module")
def data():
    """A synthetic series with many events, so that a slice is enough to learn from."""
    process = datasets.HurdleProcess(base=-2.5, trigger=0.0, excitement=0.9)
    parts = {}
    for seed, part in enumerate(("train", "validation", "test")):
        sample = datasets.sample_process(process, 1000 + NUM_STEPS, seed)
        ends = np.arange(NUM_STEPS, 1000 + NUM_STEPS)
        parts[part] = windows.cut_events(
            sample.features, sample.strengths, ends, NUM_STEPS, 50, 5
        )
    return parts


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Trainings of a few small epochs, whatever the environment says."""
    monkeypatch.delenv("RETRAIN", raising=False)
    for name, value in {
        "UNITS": 8,
        "BATCH_SIZE": 100,
        "LEARNING_RATE": 0.01,
        "MAX_EPOCHS": 6,
        "PATIENCE": 1,
    }.items():
        monkeypatch.setattr(variants, name, value)


@pytest.fixture
def encoder():
    """Weights of an encoder, as if it had been trained."""
    keras.utils.set_random_seed(5)
    series = keras.Input((NUM_STEPS, 4))
    model = keras.Model(series, networks.encode(series, 32, 8))
    return [np.array(weights) for weights in model.get_weights()]


VARIANTS = {
    "softmax": {},
    "hurdle": {"output": "hurdle", "neck": "dense"},
    "balanced": {"output": "event", "weighting": "balanced", "encoder": "conv_time"},
    "mean": {"output": "mean"},
    "two heads": {"output": "two_heads", "encoder": "separate"},
    "masked": {
        "output": "masked_heads",
        "neck": "conv_code",
        "encoder": "conv_states",
    },
    "product": {"output": "product"},
    "questioned": variants.QUESTIONED,
    "frozen": variants.FROZEN,
    "fine-tuned": {"autoencoder": "fine_tuned", "share": 0.5},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_kind_of_variant_can_be_trained_and_scored(name, data, encoder):
    changes = VARIANTS[name]
    arguments = variants.arguments_of(variant(**changes), 0, data, encoder)
    model = arguments["build"]()
    model.run_eagerly = True  # Compiling takes longer.
    losses = model.evaluate(*arguments["validation_data"], 1000, verbose=0)
    assert np.isfinite(losses).all()
    scores = arguments["score"](model, {})
    assert len(scores["test recalibrated Brier by day"]) == 21  # The first is short.
    assert ("test Brier skill" in scores) == (name != "mean")
    is_joint = changes.get("autoencoder") == "joint"
    assert ("validation reconstruction" in scores) == is_joint


def test_variant_learns_and_its_scores_fit_each_other(data, tmp_path):
    arguments = variants.arguments_of(variant(), 0, data)
    scores = training.fit(**arguments, name="softmax", folder=tmp_path).scores
    assert 0.6 < scores["test area under curve"] <= 1
    rate = (data["train"].strengths > 0).mean()
    reference = np.square((data["test"].strengths > 0) - rate).mean()
    skill = 1 - np.sum(scores["test Brier by day"]) / 1000 / reference
    assert skill == pytest.approx(scores["test Brier skill"], abs=1e-4)
    assert skill > 0.05


@pytest.mark.parametrize("kind", ["frozen", "fine_tuned"])
def test_encoder_that_was_trained_before_stays_or_is_trained_on(kind, encoder):
    keras.utils.set_random_seed(0)
    settings = variant(autoencoder=kind, neck="dense")
    model = variants.build(settings, (NUM_STEPS, 4), FREQUENCIES, encoder)
    read = keras.Model(model.inputs, model.get_layer("code").output)
    assert all(map(np.array_equal, read.get_weights(), encoder))
    head = model.get_layer("strength_dense").kernel
    assert head.shape == (32, 8)
    trained = [weight.path for weight in model.trainable_weights]
    assert any("encoder" in path for path in trained) == (kind == "fine_tuned")
    if kind == "frozen":  # The head starts as if it read recorded codes.
        keras.utils.set_random_seed(0)
        alone = keras.layers.Dense(8)
        alone.build((None, 32))
        assert np.array_equal(alone.kernel, head)


def test_encoder_that_was_trained_before_is_asked_for():
    with pytest.raises(TypeError):
        variants.build(variant(autoencoder="frozen"), (NUM_STEPS, 4), FREQUENCIES)


def test_labels_are_hidden_and_the_event_stops_the_training(data):
    settings = variant(autoencoder="joint", reconstruction=0.1, share=0.25)
    arguments, others = (variants.arguments_of(settings, seed, data) for seed in (0, 1))
    assert 200 < len(arguments["x"]) < 300
    assert arguments["x"].shape != others["x"].shape
    assert arguments["callbacks"][0].monitor == "val_strength_loss"
    whole = variants.arguments_of(variant(), 0, data)
    assert whole["x"] is data["train"].windows
    assert whole["callbacks"][0].monitor == "val_loss"


def test_masked_strength_is_multiplied_and_a_plain_one_is_not():
    outputs = {"event": np.array([[0.2]]), "mean": np.array([[3.0]])}
    read = read_forecast(outputs, "masked_heads")
    assert read["mean"] == pytest.approx([0.6]) and read["factor"] == [3.0]
    read = read_forecast(outputs, "two_heads")
    assert read["mean"] == [3.0] and read["event"] == [0.2]


def test_what_is_compared_has_known_settings_and_names():
    names = {name for group in variants.COMPARED.values() for name in group}
    assert variants.AGAINST.keys() <= names
    for group in (*variants.COMPARED.values(), variants.AGAINST):
        for changes in group.values():
            assert variant(**changes) != variants.BASE


def test_unknown_setting_is_refused():
    with pytest.raises(ValueError, match="keys of encoder"):
        variant(head="softmax")
