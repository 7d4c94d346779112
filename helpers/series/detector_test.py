"""Tests of a detector: what it scores and blames, and that it can be taken away."""

import json
import subprocess
import sys

from helpers import networks, series
from helpers.networks import layers as own_layers
from helpers.series import gaps

import keras
import numpy as np
import pytest
from keras import layers

NUM_STEPS, HORIZON = 70, 2  # Longer than what Keras' LSTM unrolls here.
COLUMNS = ("a", "b")


def make_series(num_steps=500, seed=0):
    rng = np.random.default_rng(seed)
    angles = np.arange(num_steps)[:, np.newaxis] / [5, 8]
    return np.sin(angles) * [3, 50] + rng.normal(scale=[0.1, 2], size=(num_steps, 2))


def repeat_mean(windows):
    """A network that answers with the scale's mean, 0, whatever it reads."""
    rows, num_steps, channels = windows.shape
    return {
        "reconstruction": np.zeros((rows, num_steps, channels // 2)),
        "next_steps": np.zeros((rows, 1, channels // 2)),
    }


def make_detector(network=repeat_mean, num_steps=10, **options):
    values = make_series()
    scale = gaps.fit_scale(values[:200], COLUMNS)
    detector = series.Detector(network, scale, num_steps, **options)
    return detector.calibrate(values[200:400], 5)


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((NUM_STEPS, 4), name="series")
    code = networks.encode(inputs, 3, 6)
    flat = layers.Dense(HORIZON * 2, name="next_flat")(code)
    outputs = {
        "reconstruction": networks.decode(code, NUM_STEPS, 2, 6, reverse=True),
        "next_steps": layers.Reshape((HORIZON, 2), name="next_steps")(flat),
    }
    return keras.Model(inputs, outputs)


def test_usual_points_have_the_score_one_on_average():
    detector = make_detector()
    segments, sums = detector.sum_up(make_series()[200:400])
    for name, errors in detector.errors(sums, segments).items():
        np.testing.assert_allclose(np.nanmean(errors, axis=0), detector.levels[name])
    points = detector.score(make_series()[200:400]).points
    assert 0.9 < np.nanmean(points) < 1.6 and not np.isnan(points).any()


def test_the_channel_with_a_fault_is_blamed():
    detector = make_detector().calibrate(make_series()[200:400], 0.2)
    for channel, name in enumerate(COLUMNS):
        values = make_series()[400:]
        values[50:60, channel] += 20 * detector.scale.deviation[channel]
        scores = detector.score(values)
        episodes = detector.episodes(scores.points)
        assert len(episodes) == 1 and episodes[0].start < 60 and episodes[0].stop > 50
        assert detector.blame(scores.channels, episodes[0])[0] == name
        assert 40 < episodes[0].peak < 70


def test_missing_values_have_no_error_and_gaps_no_window():
    detector = make_detector(longest_missing=1)
    values = make_series()[400:]
    values[30, 0] = values[40] = values[60:63] = np.nan
    scores, channels, _ = detector.score(values)
    assert np.isnan(channels[30]).tolist() == [True, False]
    lost = np.flatnonzero(np.isnan(scores)).tolist()
    assert lost == [40, 60, 61, 62]
    # A segment that is shorter than a window has no score.
    values[70:72] = np.nan
    assert np.isnan(detector.score(values).points[60:72]).all()


def test_outputs_are_multiplied_where_both_are():
    values, names = make_series(), ("reconstruction", "next_steps")
    both = make_detector().score(values).channels
    first, second = (
        make_detector(lambda windows, name=name: {name: repeat_mean(windows)[name]})
        for name in names
    )
    first, second = first.score(values).channels, second.score(values).channels
    np.testing.assert_allclose(both[10:], np.sqrt(first * second)[10:])
    # No window before them predicts the first points.
    assert np.isnan(second[:10]).all() and not np.isnan(both[:10]).any()


def test_reconstruction_is_in_the_units_of_the_columns():
    rebuilt = make_detector().score(make_series(30)).reconstruction
    np.testing.assert_allclose(rebuilt, [make_detector().scale.mean] * 30)


def test_too_short_a_calibration_says_what_is_needed():
    with pytest.raises(ValueError, match="10 steps with a score. Received: 0; take"):
        make_detector().calibrate(make_series(9), 1)


def test_stream_of_a_network_equals_the_whole(model):
    detector = make_detector(model, NUM_STEPS)
    values = make_series(200, seed=1)
    stream = series.Stream(detector)
    found = [pair for one in values for pair in stream.push(one)]
    found = dict(found + stream.finish())
    scores = np.array([found[step] for step in range(len(values))])
    np.testing.assert_allclose(
        scores, detector.score(values).points, rtol=1e-6, atol=1e-6
    )


def test_saved_detector_is_the_same(model, tmp_path):
    detector = make_detector(model, NUM_STEPS, longest_missing=3, smoothing=6)
    detector.save(tmp_path / "mine")
    names = sorted(path.name for path in (tmp_path / "mine").iterdir())
    assert names == ["detector.json", "model.keras"]
    loaded = series.load_detector(tmp_path / "mine")
    assert loaded.threshold == detector.threshold
    assert loaded.scale.columns == COLUMNS and loaded.longest_missing == 3
    values = make_series(150, seed=2)
    np.testing.assert_array_equal(
        loaded.score(values).points, detector.score(values).points
    )


@pytest.mark.parametrize("damage", ["missing", "no text", "a part less", "no model"])
def test_damaged_detector_is_refused(model, tmp_path, damage):
    make_detector(model, NUM_STEPS).save(tmp_path)
    settings = tmp_path / "detector.json"
    if damage == "missing":
        settings.unlink()
    elif damage == "no text":
        settings.write_text("{")
    elif damage == "a part less":
        known = json.loads(settings.read_text())
        del known["scale"]["mean"]
        settings.write_text(json.dumps(known))
    else:
        (tmp_path / "model.keras").unlink()
    with pytest.raises(ValueError, match="should hold model.keras and detector.json"):
        series.load_detector(tmp_path)


ALONE = """
import json, sys
import numpy as np, tensorflow as tf
windows = np.load(sys.argv[2])
network = tf.saved_model.load(sys.argv[1])
outputs = network.serve(windows)
np.savez(sys.argv[3], **{name: value.numpy() for name, value in outputs.items()})
assert not any(name.split(".")[0] == "helpers" for name in sys.modules)
"""


def test_exported_network_answers_without_this_project(model, tmp_path):
    """And does so in another process, from another folder."""
    compiled = own_layers.compiled_lstm
    paths = series.export_network(model, tmp_path)
    assert own_layers.compiled_lstm is compiled
    windows = np.random.default_rng(0).normal(size=(5, NUM_STEPS, 4)).astype("float32")
    np.save(tmp_path / "windows.npy", windows)
    arguments = [paths["tf_saved_model"], tmp_path / "windows.npy", tmp_path / "o.npz"]
    command = [sys.executable, "-I", "-c", ALONE, *map(str, arguments)]
    subprocess.run(command, check=True, cwd=tmp_path)
    expected = model.predict(windows, verbose=0)
    with np.load(tmp_path / "o.npz") as answers:
        assert set(answers) == set(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(answers[name], values, atol=1e-4)


def test_onnx_network_answers_the_same(model, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    paths = series.export_network(model, tmp_path)
    if "onnx" not in paths:
        pytest.skip("the packages onnx and tf2onnx are not there")
    windows = np.random.default_rng(0).normal(size=(5, NUM_STEPS, 4)).astype("float32")
    session = onnxruntime.InferenceSession(paths["onnx"])
    names = [output.name for output in session.get_outputs()]
    answers = session.run(None, {session.get_inputs()[0].name: windows})
    expected = model.predict(windows, verbose=0)
    found = {values.shape: values for values in answers}
    for values in expected.values():
        np.testing.assert_allclose(found[values.shape], values, atol=1e-4)
    assert len(names) == len(expected)
