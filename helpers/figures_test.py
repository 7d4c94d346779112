"""Tests of the figures: what is drawn, labelled and refused."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from helpers import figures

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context():
        figures.use_style()
        yield
    # A figure that pyplot keeps would appear twice in a notebook.
    assert plt.get_fignums() == []


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def texts(fig):
    """Returns all texts of a figure that are seen."""
    fig.draw_without_rendering()
    return [
        text.get_text()
        for text in fig.findobj(matplotlib.text.Text)
        if text.get_visible() and text.get_text()
    ]


def legend(fig):
    return [text.get_text() for text in fig.legends[0].get_texts()]


def flat_lines(ax):
    """Returns the levels of the reference lines."""
    return [
        line.get_ydata()[0]
        for line in ax.lines
        if list(line.get_xdata()) == [0, 1] and len(set(line.get_ydata())) == 1
    ]


def overlaps(fig, labels):
    """Returns the pairs of labels of which one is printed over the other."""
    fig.draw_without_rendering()
    extents = {
        # Not the annotation's own, which includes the line to its anchor.
        text.get_text(): matplotlib.text.Text.get_window_extent(text)
        for text in fig.findobj(matplotlib.text.Text)
        if text.get_visible() and text.get_text() in labels
    }
    assert set(extents) == set(labels)
    return [
        (first, second)
        for first in labels
        for second in labels
        if first < second and extents[first].overlaps(extents[second])
    ]


def history(*values, **others):
    return {"loss": list(values), "val_loss": [2 * v for v in values], **others}


def test_series_has_a_panel_each(rng):
    panels = {f"example {number}": rng.random(50) for number in range(3)}
    fig = figures.plot_series(panels, xlabel="day", ylabel="price")
    assert isinstance(fig, Figure) and len(fig.axes) == 3
    assert fig.get_figwidth() == figures.WIDTH
    for ax, (title, series) in zip(fig.axes, panels.items(), strict=True):
        assert ax.get_title(loc="left") == title
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), series)
    assert [ax.get_xlabel() for ax in fig.axes] == ["", "day", "day"]
    assert [ax.get_ylabel() for ax in fig.axes] == ["price", "", "price"]
    assert not fig.legends


def test_series_against_dates(rng):
    times = np.arange("2014-01-01", "2016-01-01", dtype="datetime64[D]")
    values = rng.random(len(times))
    fig = figures.plot_series({"a": values}, times=times)
    fig.draw_without_rendering()
    labels = [label.get_text() for label in fig.axes[0].get_xticklabels()]
    assert "2015" in labels
    fig = figures.plot_series({"a": values[:3]}, times=[5, 6, 8])
    assert fig.axes[0].lines[0].get_xdata().tolist() == [5, 6, 8]
    with pytest.raises(ValueError, match="length of times.*length of a"):
        figures.plot_series({"a": values[:3]}, times=times)


def test_series_names_its_lines_alike_in_all_panels(rng):
    fig = figures.plot_series(
        {"a": {"open": rng.random(5), "close": rng.random(5)}, "b": {"close": [1, 2]}}
    )
    assert legend(fig) == ["open", "close"]
    assert fig.axes[0].lines[1].get_color() == fig.axes[1].lines[0].get_color()
    assert fig.axes[0].lines[0].get_linestyle() != fig.axes[0].lines[1].get_linestyle()
    fig = figures.plot_series({"a": rng.random((5, 2))})
    assert legend(fig) == ["feature 1", "feature 2"]


def test_reconstructions_show_the_residual(rng):
    series = rng.random((3, 20, 2)).astype("float32")
    shifted = series + np.float32(0.2)
    fig = figures.plot_reconstructions(series, shifted, ["best", "median", "worst"])
    assert len(fig.axes) == 6
    assert texts(fig).count("MSE 0.04") == 3
    assert legend(fig) == ["original", "reconstruction"]
    residual_panels = [ax for ax in fig.axes if not ax.get_title(loc="left")]
    assert len(residual_panels) == 3
    for ax in residual_panels:
        np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.2, rtol=1e-5)
        assert ax.get_ylim() == residual_panels[0].get_ylim()


def test_history_has_panels_references_and_a_log_axis():
    histories = {
        "LSTM": history(0.5, 0.2, accuracy=[0.5, 0.9]),
        "ConvLSTM": history(0.4, 0.1, 0.05),
    }
    fig = figures.plot_history(
        histories,
        ["loss", "accuracy"],
        references={"loss": {"PCA": 0.07, "mean": 0.3}},
        log={"accuracy": False},
        ylabels={"accuracy": "share of digits"},
    )
    loss, accuracy = fig.axes
    assert loss.get_yscale() == "log" and accuracy.get_yscale() == "linear"
    assert flat_lines(loss) == [0.07, 0.3] and flat_lines(accuracy) == []
    assert {"PCA", "mean", "share of digits", "epoch"} <= set(texts(fig))
    assert legend(fig) == ["LSTM", "ConvLSTM", "training", "validation"]
    training, validation, *_ = loss.lines
    assert training.get_xdata().tolist() == [1, 2]
    assert training.get_ydata().tolist() == [0.5, 0.2]
    assert validation.get_ydata().tolist() == [1.0, 0.4]
    assert (training.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    assert training.get_color() == validation.get_color() != loss.lines[2].get_color()


def test_history_of_a_diverged_training_ends():
    fig = figures.plot_history({"rate 0.05": history(0.5, 0.7, np.nan, np.inf)})
    assert (
        np.isfinite(fig.axes[0].lines[0].get_ydata()).tolist()
        == [True] * 2 + [False] * 2
    )
    assert legend(fig) == ["training", "validation"]


def test_labels_of_close_references_do_not_overlap():
    references = {f"PCA, code {size}": 0.01 + size / 1e5 for size in range(6)}
    fig = figures.plot_history({"": history(0.5, 0.001)}, references=references)
    assert overlaps(fig, list(references)) == []
    fig = figures.plot_error_histogram({"": [0.001, 0.1]}, references=references)
    assert set(references) <= set(texts(fig))


BASE = {"units": 64, "clip": None}


@pytest.fixture
def table():
    rows = [
        *((64, None, 0.02), (64, None, 0.03), (32, None, 0.05), (32, None, 0.07)),
        *((64, 1.0, 0.01), (64, 1.0, np.nan), (64, 0.5, np.inf), (64, 0.5, np.nan)),
    ]
    table = pd.DataFrame(rows, columns=["units", "clip", "loss"])
    return table.assign(clip=pd.Series([row[1] for row in rows], dtype=object))


def test_sweep_rows_keep_the_other_parameters(table):
    assert figures.sweep_rows(table, BASE, "units").index.tolist() == [0, 1, 2, 3]
    rows = figures.sweep_rows(table, BASE, "clip")
    assert rows.index.tolist() == [0, 1, 4, 5, 6, 7]
    with pytest.raises(ValueError, match="`table` should have rows that differ"):
        figures.sweep_rows(table, {"units": 8, "clip": None}, "clip")
    with pytest.raises(ValueError, match="`base` should have 'rate'"):
        figures.sweep_rows(table, BASE, "rate")
    with pytest.raises(ValueError, match="`base` should have 'units'"):
        figures.sweep_rows(table, {"units": 8, "rate": 1}, "units")


def test_sweep_draws_folds_means_and_what_diverged(table):
    fig = figures.plot_sweep(
        table, ["units", "clip"], "loss", base=BASE, references={"PCA": 0.04}
    )
    units, clip = fig.axes
    assert units.get_xscale() == "log" and units.get_yscale() == "log"
    assert [tick.get_text() for tick in units.get_xticklabels()] == ["32", "64"]
    # `None` has no place on a log axis.
    ticks = [tick.get_text() for tick in clip.get_xticklabels()]
    assert clip.get_xscale() == "linear" and ticks == ["none", "0.5", "1"]
    points = [sorted(line.get_ydata()) for line in units.lines[:2]]
    assert points == [[0.05, 0.07], [0.02, 0.03]]
    np.testing.assert_allclose(units.lines[2].get_ydata(), [0.06, 0.025])
    means = [line for line in clip.lines if len(line.get_ydata()) == 3]
    np.testing.assert_allclose(means[0].get_ydata(), [0.025, np.nan, np.nan])
    shown = texts(fig)
    assert "2 of 2\ndiverged" in shown and "1 of 2\ndiverged" in shown
    assert flat_lines(units) == flat_lines(clip) == [0.04]
    assert shown.count("PCA") == 1
    assert [t.get_fontweight() for t in clip.get_xticklabels()].index("bold") == 0


def test_sweep_of_names_keeps_their_order():
    kinds = ["lstm", "dense", "conv", [8, 8], "lstm", None]
    table = pd.DataFrame({"kind": kinds, "loss": range(1, 7)})
    fig = figures.plot_sweep(table, "kind", "loss", log_y=False)
    ax = fig.axes[0]
    labels = [tick.get_text().strip() for tick in ax.get_xticklabels()]
    assert labels == ["none", "lstm", "dense", "conv", "[8, 8]"]
    assert ax.lines[-1].get_ydata().tolist() == [6, 3, 2, 3, 4]


def test_sweep_labels_do_not_overlap():
    rates = [0.0005, 0.0006, 0.001, 0.0015, 0.05]
    table = pd.DataFrame({"rate": rates, "size": 1, "loss": [0.1] * 5})
    fig = figures.plot_sweep(table, ["rate", "size"], "loss")
    labels = [tick.get_text() for tick in fig.axes[0].get_xticklabels()]
    assert [label.strip() for label in labels] == [f"{rate:g}" for rate in rates]
    assert labels[1] == "\n0.0006"
    for num_breaks in {label.count("\n") for label in labels}:
        line = [label for label in labels if label.count("\n") == num_breaks]
        assert overlaps(fig, line) == []


def test_code_sizes_have_bars_and_a_floor():
    fig = figures.plot_code_sizes(
        {"LSTM": {16: [0.02, 0.04], 32: [0.01]}, "PCA": {32: [0.02], 64: [1e-20]}},
        references={"mean": 0.08},
    )
    ax = fig.axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["16", "32", "64"]
    lstm, pca = ax.containers
    np.testing.assert_allclose(lstm[0].get_ydata(), [0.03, 0.01])
    bar = lstm[2][0].get_segments()[0]
    np.testing.assert_allclose(bar, [[16, 0.02], [16, 0.04]])
    np.testing.assert_allclose(pca[0].get_ydata(), [0.02, 1e-6])
    assert {"LSTM", "PCA", "mean", "less than $10^{-6}$"} <= set(texts(fig))
    assert flat_lines(ax) == [0.08] and ax.get_ylim()[0] > 1e-7
    assert overlaps(fig, ["LSTM", "PCA", "mean"]) == []


def test_images_share_one_scale(rng):
    images = rng.random((4, 28, 28)) * 1.2
    fig = figures.plot_images({"original": images, "LSTM": images / 2}, list("7210"))
    assert len(fig.axes) == 8
    for ax in fig.axes:
        assert ax.images[0].get_clim() == (0, 1)
    np.testing.assert_array_equal(fig.axes[5].images[0].get_array(), images[1] / 2)
    assert [ax.get_ylabel() for ax in fig.axes[::4]] == ["original", "LSTM"]
    assert [ax.get_title() for ax in fig.axes[:4]] == list("7210")


def test_probabilities_mark_the_true_class(rng):
    probabilities = np.full((6, 10), 0.02)
    probabilities[:, 3] = 0.82
    labels = [3, 3, 3, 3, 3, 8]
    fig = figures.plot_probabilities(rng.random((6, 28, 28)), probabilities, labels)
    panels = [ax for ax in fig.axes if ax.patches and ax.get_visible()]
    assert len(panels) == 6
    for ax, label in zip(panels, labels, strict=True):
        heights = [bar.get_height() for bar in ax.patches]
        assert heights[3] == 0.82 and len(heights) == 10
        names = ax.get_xticklabels()
        assert [n.get_text() for n in names if n.get_fontweight() == "bold"] == [
            str(label)
        ]
    assert panels[5].patches[3].get_hatch() and not panels[0].patches[3].get_hatch()
    assert texts(fig).count("3: 0.82") == 5 and "8 taken for 3" in texts(fig)


def test_confusion_sees_errors_only():
    matrix = np.array([[980, 4, 0], [0, 970, 1], [0, 0, 990]])
    fig = figures.plot_confusion(matrix, ["zero", "one", "two"])
    ax = fig.axes[0]
    image = ax.images[0]
    assert image.get_clim() == (0, 4)
    assert np.array_equal(np.ma.getmaskarray(image.get_array()), np.eye(3, dtype=bool))
    cells = {tuple(text.get_position()): text.get_text() for text in ax.texts}
    # Place `(column, row)`: columns are predicted classes.
    expected = {(0, 0): "980", (1, 0): "4", (1, 1): "970", (2, 1): "1", (2, 2): "990"}
    assert cells == expected
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["zero", "one", "two"]


def test_code_space_tells_classes_apart(rng):
    labels = np.arange(200) % 10
    points = rng.normal(size=(200, 2)) / 1e3 + 5
    fig = figures.plot_code_space(points, labels)
    ax = fig.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("first component", "second component")
    assert legend(fig) == [str(label) for label in range(10)]
    handles = fig.legends[0].legend_handles
    assert len({handle.get_color() for handle in handles}) == 10
    assert len({handle.get_marker() for handle in handles}) == 10
    np.testing.assert_array_equal(ax.collections[3].get_offsets(), points[labels == 3])
    # The medians nearly coincide, the names do not.
    centres = [ax.transData.transform(text.get_position()) for text in ax.texts]
    assert len(centres) == 10
    for first in range(10):
        for second in range(first):
            assert np.hypot(*(centres[first] - centres[second])) > 15


def test_error_histogram_counts_all():
    errors = {"LSTM": np.geomspace(0.001, 0.1, 50), "PCA": [0.0, 0.02, 0.02]}
    fig = figures.plot_error_histogram(errors, references={"mean": 0.05}, num_bins=7)
    ax = fig.axes[0]
    assert ax.get_xscale() == "log" and legend(fig) == ["LSTM", "PCA"]
    counts = [patch.get_data().values.sum() for patch in ax.patches]
    assert counts == [50, 50, 3, 3]
    assert "mean" in texts(fig) and ax.lines[0].get_xdata() == [0.05, 0.05]


def test_quality_against_time_labels_its_lines():
    fig = figures.plot_quality_against_time(
        {"new": ([1, 2, 3], [0.3, 0.1, 0.05]), "old": ([2, 4], [0.2, np.nan])},
        references={"PCA": 0.07},
    )
    ax = fig.axes[0]
    assert ax.get_yscale() == "log" and flat_lines(ax) == [0.07]
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert {"new", "old", "PCA", "seconds of training"} <= set(texts(fig))
    assert overlaps(fig, ["new", "old", "PCA"]) == []


@pytest.mark.parametrize(
    "anchors, gap, expected",
    [
        ([0.9, 0.1], 0.2, [0.9, 0.1]),
        ([0.5, 0.5], 0.2, [0.4, 0.6]),
        ([0.5, 0.45, 0.9], 0.1, [0.525, 0.425, 0.9]),
        ([1.0, 1.0, 0.99], 0.1, [0.9, 1.0, 0.8]),
        ([0.0, 0.0], 0.3, [0.0, 0.3]),
        ([0.5, 0.5, 0.5], 0.8, [0.0, 0.8, 1.6]),
    ],
)
def test_labels_move_as_little_as_needed(anchors, gap, expected):
    np.testing.assert_allclose(figures.move_apart(anchors, gap), expected)


@pytest.mark.parametrize(
    "value, text",
    [
        (0.002, "0.002"),
        (0.0001, "0.0001"),
        (3e-4, "0.0003"),
        (1e-5, "$10^{-5}$"),
        (2e-6, "$2·10^{-6}$"),
        (100, "100"),
        (0, ""),
    ],
)
def test_log_axis_has_short_numbers(value, text):
    assert figures.format_log(value) == text


ones = np.ones
even = np.full((2, 4), 0.25)


@pytest.mark.parametrize(
    "draw, message",
    [
        (lambda: figures.plot_series({}), "`panels` should be a dict"),
        (lambda: figures.plot_series([ones(3)]), "`panels` should be a dict"),
        (lambda: figures.plot_series({"a": [1, np.nan]}), "`panels: a` .*finite"),
        (lambda: figures.plot_series({"a": ones((2, 2, 2))}), r"`panels: a` .*\(time,"),
        (lambda: figures.plot_series({"a": {}}), "`panels: a` should be a dict"),
        (
            lambda: figures.plot_reconstructions(
                ones((2, 3, 1)), ones((2, 3, 2)), "ab"
            ),
            r"shape.*\(2, 3, 1\) and \(2, 3, 2\)",
        ),
        (
            lambda: figures.plot_reconstructions(ones((2, 3, 1)), ones((2, 3, 1)), "a"),
            "`length of titles` should agree. Received: 2 and 1",
        ),
        (lambda: figures.plot_history({}), "`histories` should be a dict"),
        (
            lambda: figures.plot_history({"a": history(1.0)}, "mse"),
            r"`metrics` .*\['loss', 'val_loss'\]. Received: 'mse'",
        ),
        (
            lambda: figures.plot_history({"a": {"loss": [1, 2], "val_loss": [1]}}),
            "`length of val_loss` should agree. Received: 2 and 1",
        ),
        (lambda: figures.plot_history({"a": history(0.0)}), "positive on a log axis"),
        (lambda: figures.plot_history({"a": history(np.nan)}), "finite number or more"),
        (lambda: figures.plot_history({"a": {"loss": "low"}}), "should hold numbers"),
        (
            lambda: figures.plot_history({"a": history(1.0)}, references={"b": 0}),
            "`references: b` should be positive",
        ),
        (
            lambda: figures.plot_history(
                {"a": history(1.0)}, references={"mse": {"b": 1}}
            ),
            r"`references` should be for the metrics \['loss'\]. Received: \['mse'\]",
        ),
        (
            lambda: figures.plot_sweep(pd.DataFrame({"loss": [1]}), "rate", "loss"),
            r"`table` should have .*\['rate'\] and 'loss'",
        ),
        (
            lambda: figures.plot_sweep(
                pd.DataFrame({"loss": [np.nan], "rate": [1]}), "rate", "loss"
            ),
            "`table: loss` .*finite number or more",
        ),
        (lambda: figures.plot_code_sizes({"a": {16: []}}), "`curves: a at 16` .*hold"),
        (lambda: figures.plot_code_sizes({"a": {1.5: [1]}}), "`curves: a` .*integer"),
        (
            lambda: figures.plot_code_sizes({"a": {16: [-1]}}),
            "at least 0. Received: -1",
        ),
        (
            lambda: figures.plot_images({"a": ones((2, 3, 3)), "b": ones((3, 3, 3))}),
            "images in a` and .*images in b` should agree. Received: 2 and 3",
        ),
        (
            lambda: figures.plot_images({"a": ones((3, 3))}),
            r"\(images, height, width\)",
        ),
        (
            lambda: figures.plot_images({"a": ones((2, 3, 3))}, ["one"]),
            "`length of column_titles` should agree. Received: 2 and 1",
        ),
        (
            lambda: figures.plot_probabilities(ones((2, 3, 3)), 2 * even, [0, 1]),
            "sum 1 in each row.*to 2",
        ),
        (
            lambda: figures.plot_probabilities(ones((3, 3, 3)), even, [0, 1]),
            "`length of probabilities` should agree. Received: 3 and 2",
        ),
        (
            lambda: figures.plot_probabilities(ones((2, 3, 3)), even, [0, 4]),
            "`labels` .*0 to 3. Received: 0 to 4",
        ),
        (lambda: figures.plot_confusion(ones((2, 3))), r"square. Received: .*\(2, 3\)"),
        (lambda: figures.plot_confusion(even[:, :2]), "should hold counts"),
        (lambda: figures.plot_confusion(-np.eye(2)), "should hold counts"),
        (
            lambda: figures.plot_confusion(np.eye(2), ["one"]),
            "`length of class_names` and .* Received: 1 and 2",
        ),
        (
            lambda: figures.plot_code_space(ones((2, 3)), [0, 1]),
            r"`points` .*\(examples, 2\)",
        ),
        (
            lambda: figures.plot_code_space(ones((2, 2)), [0, 10]),
            "`labels` .*0 to 9. Received: 0 to 10",
        ),
        (
            lambda: figures.plot_code_space(ones((2, 2)), [0]),
            "`length of labels` should agree. Received: 2 and 1",
        ),
        (lambda: figures.plot_error_histogram({"a": [-1, 1]}), "`errors` .*minimum -1"),
        (lambda: figures.plot_error_histogram({"a": [0, 0]}), "`errors` .*not all 0"),
        (
            lambda: figures.plot_quality_against_time({"a": ([1, 2], [1])}),
            "values of a` should agree. Received: 2 and 1",
        ),
        (
            lambda: figures.plot_quality_against_time({"a": ([2, 1], [1, 1])}),
            "`curves: seconds of a` should increase",
        ),
        (
            lambda: figures.plot_quality_against_time({"a": ([1, 2], [1, 0])}),
            "`curves: values of a` should be positive",
        ),
    ],
)
def test_faulty_arguments_are_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_horizon_has_a_line_and_a_band_per_curve():
    steps = np.arange(1.0, 6)
    fig = figures.plot_horizon(
        {
            "net": (steps, steps - 0.5, steps + 0.5),
            "hold": (2 * steps, steps, 3 * steps),
        }
    )
    ax = fig.axes[0]
    assert len(ax.collections) == 2
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3, 4, 5]
    band = ax.collections[1].get_paths()[0].vertices
    assert band[:, 1].min() == 1 and band[:, 1].max() == 15
    assert overlaps(fig, ["net", "hold"]) == []
    with pytest.raises(ValueError, match="length of net.*length of its high"):
        figures.plot_horizon({"net": (steps, steps, steps[1:])})


def test_intervals_are_drawn_from_the_top():
    fig = figures.plot_intervals({"first": (1, 0, 3), "second": (-1, -2, 0)}, "skill")
    ax = fig.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["first", "second"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert ax.lines[1].get_xdata().tolist() == [0, 3]
    assert ax.lines[0].get_xdata() == [0, 0]
    with pytest.raises(ValueError, match="`intervals: a` should be a value between"):
        figures.plot_intervals({"a": (1, 2, 3)}, "skill")


def ladder():
    return {
        "plain": {"mse": [0.08, 0.09], "accuracy": [0.1, 0.12]},
        "schedule": {"mse": [0.05], "accuracy": [0.4]},
    }


def test_ladder_has_a_dot_per_seed_and_the_references():
    fig = figures.plot_ladder(
        ladder(),
        {"mse": "MSE", "accuracy": "accuracy"},
        references={"mse": {"class mean": 0.0527}},
        log=["mse"],
    )
    mse, accuracy = fig.axes
    dots = [line for line in mse.lines if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in dots] == [[0.08, 0.09], [0.05]]
    assert [text.get_text() for text in mse.get_yticklabels()] == ["plain", "schedule"]
    assert any(text.get_text() == "class mean" for text in mse.texts)
    assert mse.get_xscale() == "log" and accuracy.get_xscale() == "linear"


def test_ladder_refuses_a_missing_score():
    rungs = ladder() | {"broken": {"mse": [0.1]}}
    with pytest.raises(ValueError, match="accuracy.*'broken'"):
        figures.plot_ladder(rungs, {"mse": "MSE", "accuracy": "accuracy"})


def test_steps_leave_out_zeros_on_a_log_axis():
    fig = figures.plot_steps(
        {"first": np.array([0, 1e-9, 1e-3])}, "step", "size", log=True
    )
    drawn = fig.axes[0].lines[0].get_ydata()
    assert np.isnan(drawn[0]) and drawn[2] == 1e-3
    with pytest.raises(ValueError, match="`curves: first`.*Received"):
        figures.plot_steps({"first": [1.0, -1.0]}, "step", "size", log=True)


def test_points_are_joined_if_asked_and_have_a_legend():
    groups = {"one": ([0.1, 0.5], [0.2, 0.4]), "two": ([0.3], [0.9])}
    fig = figures.plot_points(groups, "forecast", "frequency", diagonal=True)
    drawn = [line for line in fig.axes[0].lines if line.get_marker() != "None"]
    assert [line.get_linestyle() for line in drawn] == ["None", "None"]
    assert list(drawn[0].get_xdata()) == [0.1, 0.5]
    fig = figures.plot_points(
        groups, "share", "skill", joined=True, references={"oracle": 0.3}, log_x=True
    )
    assert fig.axes[0].get_xscale() == "log"
    assert fig.axes[0].lines[0].get_linestyle() == "-"
    assert any(text.get_text() == "oracle" for text in fig.axes[0].texts)
    names = [text.get_text() for text in fig.legends[0].texts]
    assert names == ["one", "two"]


def test_points_refuse_what_cannot_be_drawn():
    with pytest.raises(ValueError, match="length of x of one"):
        figures.plot_points({"one": ([1.0, 2.0], [1.0])}, "x", "y")
    with pytest.raises(ValueError, match="groups: one"):
        figures.plot_points({"one": ([0.0], [1.0])}, "x", "y", log_x=True)
