import keras
import numpy as np
import pytest

from helpers import autoencoder

NUM_STEPS, NUM_FEATURES, CODE_SIZE, NUM_CLASSES = 7, 2, 3, 4


def build_model(**arguments):
    series = keras.Input((NUM_STEPS, NUM_FEATURES), name="series")
    code = autoencoder.encode(series, CODE_SIZE, units=5)
    return keras.Model(
        series,
        {
            "reconstruction": autoencoder.decode(
                code, NUM_STEPS, NUM_FEATURES, units=6, **arguments
            ),
            "label": autoencoder.classify(code, NUM_CLASSES, dropout=0.5),
        },
    )


def examples():
    rng = np.random.default_rng(0)
    return rng.uniform(size=(4, NUM_STEPS, NUM_FEATURES)).astype("f4")


def test_outputs_go_by_their_layers_names_and_shapes():
    outputs = build_model(activation="sigmoid").predict(examples(), verbose=0)
    assert outputs["reconstruction"].shape == (4, NUM_STEPS, NUM_FEATURES)
    assert 0 < outputs["reconstruction"].min() < outputs["reconstruction"].max() < 1
    np.testing.assert_allclose(outputs["label"].sum(axis=1), 1, rtol=1e-5)


def test_halves_work_alone_and_after_saving(tmp_path):
    model = build_model()
    outputs = model.predict(examples(), verbose=0)
    autoencoder.encoder_of(model).save(tmp_path / "encoder.keras")
    autoencoder.decoder_of(model).save(tmp_path / "decoder.keras")
    encoder = keras.models.load_model(tmp_path / "encoder.keras")
    decoder = keras.models.load_model(tmp_path / "decoder.keras")
    codes = encoder.predict(examples(), verbose=0)
    assert codes.shape == (4, CODE_SIZE)
    np.testing.assert_allclose(
        decoder.predict(codes, verbose=0), outputs["reconstruction"], atol=1e-6
    )
    labels = autoencoder.decoder_of(model, "label").predict(codes, verbose=0)
    np.testing.assert_allclose(labels, outputs["label"], atol=1e-6)


def test_decoder_sees_the_code_and_nothing_else():
    """Other sequences with the same code give the same reconstruction."""
    model = build_model()
    decoder = autoencoder.decoder_of(model)
    assert decoder.input_shape == (None, CODE_SIZE)
    kernel, bias = model.get_layer("code").get_weights()
    model.get_layer("code").set_weights([0 * kernel, bias + 1])
    outputs = model.predict(examples(), verbose=0)["reconstruction"]
    np.testing.assert_allclose(outputs, np.repeat(outputs[:1], 4, axis=0), atol=1e-6)


def test_the_halves_share_the_weights():
    model = build_model()
    encoder = autoencoder.encoder_of(model)
    before = encoder.predict(examples(), verbose=0)
    model.get_layer("code").bias.assign([1.0, 2.0, 3.0])
    after = encoder.predict(examples(), verbose=0)
    np.testing.assert_allclose(after - before, np.tile([1, 2, 3], (4, 1)), atol=1e-5)


def test_arguments_reach_the_decoder():
    model = build_model(position_input=False, reverse=True, memory_seed=1)
    config = model.get_layer("reconstruction_decoder").get_config()
    assert config["position_input"] is False
    assert config["reverse"] is True
    assert config["memory_seed"] == 1


def test_dropout_is_applied_in_training_only():
    model = build_model()
    first = model(examples(), training=True)["label"]
    second = model(examples(), training=True)["label"]
    assert np.abs(np.array(first) - np.array(second)).max() > 1e-3
    np.testing.assert_array_equal(
        model(examples())["label"], model(examples())["label"]
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda s, c: autoencoder.encode(s, 0, 5), "`code_size`.*Received: 0"),
        (lambda s, c: autoencoder.encode(s, 3, True), "`units`.*Received: True"),
        (lambda s, c: autoencoder.encode(c, 3, 5), r"`series`.*Received: \(None, 3\)"),
        (lambda s, c: autoencoder.decode(s, 7, 2, 5), r"`code`.*\(None, 7, 2\)"),
        (lambda s, c: autoencoder.decode(c, 0, 2, 5), "`num_steps`.*Received: 0"),
        (lambda s, c: autoencoder.decode(c, 7, 0, 5), "`num_features`.*Received: 0"),
        (lambda s, c: autoencoder.classify(c, 1), "`num_classes`.*Received: 1"),
        (lambda s, c: autoencoder.classify(c, 4, 1.0), "`dropout`.*Received: 1.0"),
    ],
)
def test_bad_arguments_are_named(make, message):
    series = keras.Input((NUM_STEPS, NUM_FEATURES))
    with pytest.raises(ValueError, match=message):
        make(series, keras.Input((CODE_SIZE,)))


def test_an_unknown_output_is_named():
    with pytest.raises(ValueError, match="'next_step'.*Received: layers"):
        autoencoder.decoder_of(build_model(), "next_step")


def test_unknown_time_is_refused():
    with pytest.raises(ValueError, match=r"`series`.*Received: \(None, None, 2\)"):
        autoencoder.encode(keras.Input((None, 2)), 3, 5)


def build_convolutional_model():
    series = keras.Input((NUM_STEPS, NUM_FEATURES), name="series")
    code = autoencoder.encode_convolutional(series, CODE_SIZE, filters=2, kernel_size=3)
    reconstruction = autoencoder.decode_convolutional(
        code, NUM_STEPS, NUM_FEATURES, filters=3, kernel_size=3, activation="sigmoid"
    )
    return keras.Model(series, {"reconstruction": reconstruction})


def test_convolutional_halves_work_alone_and_after_saving(tmp_path):
    model = build_convolutional_model()
    outputs = model.predict(examples(), verbose=0)["reconstruction"]
    assert outputs.shape == (4, NUM_STEPS, NUM_FEATURES)
    assert 0 < outputs.min() < outputs.max() < 1
    autoencoder.decoder_of(model).save(tmp_path / "decoder.keras")
    decoder = keras.models.load_model(tmp_path / "decoder.keras")
    codes = autoencoder.encoder_of(model).predict(examples(), verbose=0)
    assert codes.shape == (4, CODE_SIZE)
    np.testing.assert_allclose(decoder.predict(codes, verbose=0), outputs, atol=1e-6)


def test_convolutional_weights_do_not_grow_with_the_row():
    """Neighbouring features share the weights of the recurrent layers."""
    narrow = build_convolutional_model().get_layer("encoder").count_params()
    series = keras.Input((NUM_STEPS, 10 * NUM_FEATURES))
    code = autoencoder.encode_convolutional(series, CODE_SIZE, filters=2, kernel_size=3)
    assert keras.Model(series, code).get_layer("encoder").count_params() == narrow


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda s, c: autoencoder.encode_convolutional(s, 0, 2), "`code_size`.*: 0"),
        (lambda s, c: autoencoder.encode_convolutional(s, 3, 0), "`filters`.*: 0"),
        (lambda s, c: autoencoder.encode_convolutional(s, 3, 2, 0), "`kernel_size`"),
        (lambda s, c: autoencoder.encode_convolutional(c, 3, 2), "`series`"),
        (lambda s, c: autoencoder.decode_convolutional(s, 7, 2, 2), "`code`"),
        (lambda s, c: autoencoder.decode_convolutional(c, 0, 2, 2), "`num_steps`"),
        (lambda s, c: autoencoder.decode_convolutional(c, 7, 0, 2), "`num_features`"),
        (lambda s, c: autoencoder.decode_convolutional(c, 7, 2, -1), "`filters`"),
    ],
)
def test_bad_arguments_of_convolutional_blocks_are_named(make, message):
    series = keras.Input((NUM_STEPS, NUM_FEATURES))
    with pytest.raises(ValueError, match=message):
        make(series, keras.Input((CODE_SIZE,)))


def build_forecaster():
    keras.utils.set_random_seed(0)
    series = keras.Input((NUM_STEPS, NUM_FEATURES), name="series")
    code, states = autoencoder.encode(series, CODE_SIZE, units=5, return_states=True)
    outputs = {
        "reconstruction": autoencoder.decode(code, NUM_STEPS, NUM_FEATURES, units=6),
        "next_step": autoencoder.forecast(series, states),
    }
    model = keras.Model(series, outputs)
    rng = np.random.default_rng(1)
    return model, [
        rng.normal(size=shape) for shape in ((5, NUM_FEATURES), NUM_FEATURES)
    ]


def test_untrained_forecast_is_that_nothing_changes():
    model, _ = build_forecaster()
    outputs = model.predict(examples(), verbose=0)
    np.testing.assert_array_equal(outputs["next_step"], examples())


def test_no_later_value_changes_a_forecast():
    model, weights = build_forecaster()
    model.get_layer("next_step_change").set_weights(weights)
    before = model.predict(examples(), verbose=0)
    assert np.abs(before["next_step"] - examples()).min() > 1e-4
    for step in range(NUM_STEPS):
        changed = examples()
        changed[:, step] += 1
        after = model.predict(changed, verbose=0)
        difference = np.abs(after["next_step"] - before["next_step"])
        assert difference[:, :step].max(initial=0) < 1e-6
        assert difference[:, step:].min(axis=(0, 2)).min() > 1e-6
        # The reconstruction has read all steps: this check can tell the two apart.
        difference = np.abs(after["reconstruction"] - before["reconstruction"])
        assert difference[:, :1].max() > 1e-6


@pytest.mark.parametrize("size", ["units", "segment_units", "segment_steps"])
def test_sizes_of_both_levels_are_checked(size):
    sizes = {"units": 5, "segment_units": 4, "segment_steps": 7, size: 0}
    series = keras.Input((NUM_STEPS, NUM_FEATURES))
    with pytest.raises(ValueError, match=f"`{size}` should be an integer"):
        autoencoder.encode_hierarchical(series, CODE_SIZE, **sizes)
    with pytest.raises(ValueError, match=f"`{size}` should be an integer"):
        autoencoder.decode_hierarchical(
            keras.Input((CODE_SIZE,)), NUM_STEPS, NUM_FEATURES, **sizes
        )


def test_states_come_with_the_same_code():
    keras.utils.set_random_seed(0)
    series = keras.Input((NUM_STEPS, NUM_FEATURES))
    alone = keras.Model(series, autoencoder.encode(series, CODE_SIZE, units=5))
    both = keras.Model(
        series, autoencoder.encode(series, CODE_SIZE, units=5, return_states=True)
    )
    both.set_weights(alone.get_weights())
    code, states = both.predict(examples(), verbose=0)
    assert states.shape == (4, NUM_STEPS, 5)
    np.testing.assert_allclose(code, alone.predict(examples(), verbose=0), atol=1e-6)


def test_forecast_needs_a_state_per_step():
    with pytest.raises(ValueError, match="steps of series"):
        autoencoder.forecast(keras.Input((7, 2)), keras.Input((6, 5)))
    with pytest.raises(ValueError, match="`states` should have the shape"):
        autoencoder.forecast(keras.Input((7, 2)), keras.Input((5,)))


def build_hierarchical_model(num_steps=12, segment_steps=4):
    series = keras.Input((num_steps, 2), name="series")
    sizes = {"units": 6, "segment_steps": segment_steps, "segment_units": 5}
    code = autoencoder.encode_hierarchical(series, 3, **sizes)
    output = autoencoder.decode_hierarchical(code, num_steps, 2, **sizes)
    return keras.Model(series, {"reconstruction": output})


def test_hierarchical_code_is_that_of_the_segments_one_by_one():
    model = build_hierarchical_model()
    series = np.random.default_rng(0).normal(size=(5, 12, 2)).astype("f4")
    lower, upper = model.get_layer("segment_encoder"), model.get_layer("encoder")
    states = [lower(series[:, start : start + 4]) for start in (0, 4, 8)]
    code = model.get_layer("code")(upper(keras.ops.stack(states, axis=1)))
    np.testing.assert_allclose(
        autoencoder.encoder_of(model).predict(series, verbose=0), code, atol=1e-5
    )


def test_hierarchical_halves_work_alone_and_after_saving(tmp_path):
    model = build_hierarchical_model()
    series = np.random.default_rng(0).normal(size=(5, 12, 2)).astype("f4")
    expected = model.predict(series, verbose=0)["reconstruction"]
    assert expected.shape == series.shape
    values = series
    for half in (autoencoder.encoder_of(model), autoencoder.decoder_of(model)):
        half.save(tmp_path / "half.keras")
        loaded = keras.saving.load_model(tmp_path / "half.keras")
        values = loaded.predict(values, verbose=0)
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_hierarchical_decoder_keeps_the_order_of_time():
    model = build_hierarchical_model()
    code = np.ones((1, 3), "f4")
    segments = model.get_layer("reconstruction_decoder")(code)
    first = model.get_layer("reconstruction_segment_decoder")(segments[:, 0])
    expected = model.get_layer("reconstruction_value")(first)
    written = autoencoder.decoder_of(model).predict(code, verbose=0)
    np.testing.assert_allclose(written[:, :4], expected, atol=1e-6)


def test_segments_must_fit():
    with pytest.raises(ValueError, match="`segment_steps`.*Received: 5 and 12"):
        build_hierarchical_model(segment_steps=5)
