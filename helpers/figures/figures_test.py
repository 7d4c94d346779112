"""Tests of the figures: what is drawn and labelled, and that labels can be read."""

import itertools

from helpers import figures
from helpers.figures import labels, style

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def clean():
    style.known_places.clear()
    yield
    # A figure that pyplot keeps would appear twice in a notebook.
    assert plt.get_fignums() == []


def texts(fig):
    """Returns a dict from each text of a figure that is seen to where it stands."""
    fig.draw_without_rendering()
    return {
        # Not the annotation's own extent, which includes the line to its anchor.
        text.get_text(): matplotlib.text.Text.get_window_extent(text)
        for text in fig.findobj(matplotlib.text.Text)
        if text.get_visible() and text.get_text()
    }


def overlap(extents):
    return any(a.overlaps(b) for a, b in itertools.combinations(extents, 2))


def legend(fig):
    return [text.get_text() for text in fig.legends[0].get_texts()]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def levels(ax):
    flat = [line for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    return [line.get_ydata()[0] for line in flat]


def history(*values, **others):
    return {"loss": values, "val_loss": np.multiply(2, values), **others}


def test_network_keeps_its_colour_in_all_figures():
    fig = figures.plot_history({name: history(2, 1) for name in ("LSTM", "PCA")})
    colours = [line.get_color() for line in fig.axes[0].lines[::2]]
    fig = figures.plot_curves({"new": [1, 2], "PCA": [2, 1]}, "step", "error")
    new, pca = (line.get_color() for line in fig.axes[0].lines[:2])
    assert pca == colours[1] and new not in colours
    # With more networks some share a colour, and are told apart where they meet.
    for name in "abcdefgh":
        style.looks_of([name])
    assert style.looks_of(["LSTM"])["LSTM"] == style.looks_of(["e"])["e"]
    looks = style.looks_of(["LSTM", *"efghijklm"]).values()
    assert len({look["color"] for look in looks}) == 10


def test_legend_is_read_in_rows():
    names = [f"a network with a long name {number}" for number in range(5)]
    places = texts(figures.plot_history({name: history(2, 1) for name in names}))
    in_rows = sorted(names, key=lambda name: (-places[name].y0, places[name].x0))
    assert in_rows == names and places[names[0]].y0 > places[names[4]].y0


def test_labels_move_as_little_as_needed_and_have_short_numbers():
    given = np.array([1.0, 1.0, 0.99])
    np.testing.assert_allclose(labels.move_apart(given, 0.1), [0.9, 1.0, 0.8])
    assert given.tolist() == [1, 1, 0.99]
    moved = labels.move_apart([0.5, 0.45, 0.9], 0.1)
    np.testing.assert_allclose(moved, [0.525, 0.425, 0.9])
    np.testing.assert_allclose(labels.move_apart([0.5] * 3, 0.8), [0.0, 0.8, 1.6])
    values = [100, 0.002, 0.0001, 1e-5, 2e-6]
    expected = ["100", "0.002", "0.0001", "$10^{-5}$", "$2·10^{-6}$"]
    assert [labels.format_log(value) for value in values] == expected
    # Print shows figures a little smaller; their texts have to stay above 8 points.
    assert plt.rcParams["font.size"] == style.TEXT_SIZE > 8.2


def test_labels_of_close_lines_do_not_overlap():
    references = {f"PCA, code {size}": 0.01 + size / 1e5 for size in range(6)}
    fig = figures.plot_history({"": history(0.5, 0.001)}, references=references)
    assert levels(fig.axes[0]) == list(references.values())
    places = texts(fig)
    assert not overlap(places[label] for label in references)
    # Slanted labels overlap in their extents, but not where they begin.
    rungs = {"plain": {"mse": [0.02, 0.03]}}
    fig = figures.plot_ladder(rungs, {"mse": "MSE"}, {"mse": references}, log=["mse"])
    places, ax = texts(fig), fig.axes[0]
    starts = sorted(places[label].x0 for label in references)
    assert min(np.diff(starts)) > 1.9 * style.TEXT_SIZE * fig.dpi / 72
    drawn = {line.get_xdata()[0] for line in ax.lines}
    assert set(references.values()) <= drawn and ax.get_xscale() == "log"


def test_series_has_a_panel_each_and_dates():
    panels = {f"example {number}": RNG.random((50, 1)) for number in range(3)}
    fig = figures.plot_series(panels, xlabel="day", ylabel="price")
    for ax, (title, series) in zip(fig.axes, panels.items(), strict=True):
        assert ax.get_title(loc="left") == title
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), series[:, 0])
    assert [ax.get_xlabel() for ax in fig.axes] == ["", "day", "day"]
    shown = [ax.xaxis.get_tick_params()["labelbottom"] for ax in fig.axes]
    assert shown == [False, True, True] and not fig.legends
    assert [ax.get_ylabel() for ax in fig.axes] == ["price", "", "price"]
    fig = figures.plot_series(panels, ylabel={title: title for title in panels})
    assert [ax.get_ylabel() for ax in fig.axes] == list(panels)
    # A label has the same line in all panels.
    times = np.arange("2014-01-01", "2016-01-01", dtype="datetime64[D]")
    values = RNG.random(len(times))
    panels = {"a": {"open": values, "close": 2 * values}, "b": {"close": values}}
    fig = figures.plot_series(panels, times=times)
    first, second, other = [line for ax in fig.axes for line in ax.lines]
    assert legend(fig) == ["open", "close"] and "2015" in texts(fig)
    assert second.get_color() == other.get_color() != first.get_color()


def test_reconstructions_show_the_residual():
    series = RNG.random((3, 20, 2)).astype("float32")
    shifted = series + np.float32([[[0.2]], [[0.1]], [[0.3]]])
    fig = figures.plot_reconstructions(series, shifted, ["best", "median", "worst"])
    uppers, lowers = fig.axes[:3], fig.axes[3:]
    assert [ax.get_title(loc="left") for ax in uppers] == ["best", "median", "worst"]
    errors = [ax.get_title(loc="right") for ax in uppers]
    assert errors == ["MSE 0.04", "MSE 0.01", "MSE 0.09"]
    for example, (upper, lower) in enumerate(zip(uppers, lowers, strict=True)):
        drawn = np.transpose([line.get_ydata() for line in upper.lines])
        both = np.hstack([series[example], shifted[example]])
        np.testing.assert_array_equal(drawn, both)
        residual = both[:, 3].astype("float64") - both[:, 1]
        np.testing.assert_array_equal(lower.lines[1].get_ydata(), residual)
        assert lower.get_ylim() == lowers[0].get_ylim()
    assert legend(fig) == ["original", "reconstruction"]


def test_history_has_panels_references_and_a_log_axis():
    histories = {
        "LSTM": history(0.5, 0.2, accuracy=[0.5, 0.9]),
        "dense": history(0.4, 0.1, np.nan, np.inf),
    }
    references, units = {"loss": {"PCA": 0.07, "mean": 0.3}}, {"accuracy": "share"}
    metrics, log = ["loss", "accuracy"], {"accuracy": False}
    fig = figures.plot_history(histories, metrics, references, log, ylabels=units)
    loss, accuracy = fig.axes
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    assert levels(loss) == [0.07, 0.3] and levels(accuracy) == []
    assert {"PCA", "mean", "loss", "share", "epoch"} <= texts(fig).keys()
    assert legend(fig) == ["LSTM", "dense", "training", "validation"]
    training, validation, other, *_ = loss.lines
    assert training.get_xydata().tolist() == [[1, 0.5], [2, 0.2]]
    assert validation.get_ydata().tolist() == [1.0, 0.4]
    assert (training.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    assert training.get_color() == validation.get_color() != other.get_color()
    # A training that diverged ends there.
    assert np.isfinite(other.get_ydata()).tolist() == [True, True, False, False]
    # One network needs no name.
    fig = figures.plot_history({"a": history(2, 1)}, log=False)
    assert legend(fig) == ["training", "validation"]
    fig = figures.plot_history({"a": history(2, 1, seconds=[7, 90])}, seconds=True)
    assert fig.axes[0].lines[0].get_xdata().tolist() == [7, 90]
    assert fig.axes[0].get_xlabel() == "seconds of training"
    assert fig.axes[0].get_xscale() == "log"


BASE = {"units": 64, "clip": None}


@pytest.fixture(params=[object, float])  # pandas keeps a `None`, or makes it NaN.
def table(request):
    rows = [
        *((64, None, 0.02), (64, None, 0.03), (32, None, 0.05), (32, None, 0.07)),
        *((64, 1.0, 0.01), (64, 1.0, np.nan), (64, 0.5, np.inf), (64, 0.5, np.nan)),
    ]
    table = pd.DataFrame(rows, columns=["units", "clip", "loss"])
    return table.assign(clip=pd.Series([row[1] for row in rows], dtype=request.param))


def test_sweep_draws_folds_means_and_what_diverged(table):
    fig = figures.plot_sweep(table, list(BASE), "loss", BASE, references={"PCA": 0.04})
    units, clip = fig.axes
    assert ticks(units.xaxis) == ["32", "64"]
    # `None` has no place on a log axis.
    assert ticks(clip.xaxis) == ["0.5", "1", "none"] and clip.get_yscale() == "log"
    assert (units.get_xscale(), clip.get_xscale()) == ("log", "linear")
    weights = [label.get_fontweight() for label in clip.get_xticklabels()]
    assert weights == ["normal", "normal", "bold"]
    points = [sorted(line.get_ydata()) for line in units.lines[:2]]
    assert points == [[0.05, 0.07], [0.02, 0.03]]
    np.testing.assert_allclose(units.lines[2].get_ydata(), [0.06, 0.025])
    np.testing.assert_allclose(clip.lines[3].get_ydata(), [np.nan, np.nan, 0.025])
    assert {"2 of 2\ndiverged", "1 of 2\ndiverged", "PCA"} <= texts(fig).keys()
    assert levels(units) == levels(clip) == [0.04]
    assert [*figures.sweep_rows(table, BASE, "clip").index] == [0, 1, 4, 5, 6, 7]
    with pytest.raises(ValueError, match="`table` should have rows that differ"):
        figures.sweep_rows(table, {"units": 8, "clip": None}, "clip")


def test_sweep_labels_do_not_overlap():
    rates = [0.0005, 0.0006, 0.001, 0.0015, 0.05]
    table = pd.DataFrame({"rate": rates, "kind": "lstm", "loss": [0.1] * 5})
    base = {"rate": 0.001, "kind": "lstm"}
    fig = figures.plot_sweep(table, list(base), "loss", base)
    written, kinds = (ticks(ax.xaxis) for ax in fig.axes)
    assert kinds == ["lstm"] and written[1] == "\n0.0006"
    places, upper = texts(fig), [text for text in written if text[0] != "\n"]
    assert len(upper) >= 3 and not overlap(places[text] for text in upper)


def test_curves_are_labelled_at_their_ends():
    curves = {"new": ([1, 2, 3], [0, 0.1, 0.05]), "old": [0.3, 0.2, np.nan]}
    fig = figures.plot_curves(curves, "seconds", "error", {"PCA": 0.07}, log="y")
    ax = fig.axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    assert levels(ax) == [0.07] and not fig.legends
    new, old, _, *dotted = ax.lines
    assert old.get_xdata().tolist() == [1, 2, 3]
    # A zero has no place on a log axis.
    np.testing.assert_array_equal(new.get_ydata(), [np.nan, 0.1, 0.05])
    starts = [(line.get_xdata()[0], line.get_ydata()[0]) for line in dotted[:2]]
    assert starts == [(3, 0.05), (2, 0.2)]
    places = texts(fig)
    assert not overlap(places[label] for label in ("new", "old", "PCA", "seconds"))
    # Points without lines have a legend.
    groups = {"one": ([0.1, 0.5], [0.0, 0.4]), "two": ([0.3], [0.9])}
    fig = figures.plot_curves(groups, "x", "y", {"oracle": 0.3}, "x", joined=False)
    one, two, *_ = fig.axes[0].lines
    assert (one.get_linestyle(), two.get_linestyle()) == ("None", "None")
    assert one.get_marker() != two.get_marker() and one.get_ydata().tolist() == [0, 0.4]
    assert fig.axes[0].get_xscale() == "log" and legend(fig) == ["one", "two"]


def test_code_sizes_have_bands_and_a_floor():
    curves = {"LSTM": {32: [0.01], 16: [0.02, 0.04]}, "PCA": {32: [0.02], 64: [1e-20]}}
    fig = figures.plot_code_sizes(curves)
    ax = fig.axes[0]
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert ticks(ax.xaxis) == ["16", "32", "64"]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.03, 0.01])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [0.02, 1e-6])
    corners = {tuple(corner) for corner in ax.collections[0].get_paths()[0].vertices}
    assert corners == {(16, 0.02), (16, 0.04), (32, 0.01)}
    assert "at least $10^{-6}$" in ax.get_ylabel()


def test_intervals_and_rungs_are_drawn_from_the_top():
    fig = figures.plot_intervals({"first": (1, 0, 3), "second": (-1, -2, 0)}, "skill")
    ax = fig.axes[0]
    assert ticks(ax.yaxis) == ["first", "second"] and ax.yaxis_inverted()
    assert [list(line.get_xdata()) for line in ax.lines] == [[0, 0], [1, -1]]
    bars = [segment[:, 0].tolist() for segment in ax.collections[0].get_segments()]
    assert bars == [[0, 3], [-2, 0]]
    last = {"mse": [0.05], "share": [0.4]}
    rungs = {"plain": {"mse": [0.08, 0.09], "share": [1]}, "last": last}
    xlabels, references = {"mse": "MSE", "share": "%"}, {"mse": {"mean": 0.0527}}
    fig = figures.plot_ladder(rungs, xlabels, references, log=["mse"])
    mse, share = fig.axes
    *dots, reference = [list(line.get_xdata()) for line in mse.lines]
    assert dots == [[0.08, 0.09], [0.05]] and reference == [0.0527, 0.0527]
    assert ticks(mse.yaxis) == ["plain", "last"] and mse.yaxis_inverted()
    assert (mse.get_xlabel(), share.get_xlabel()) == ("MSE", "%")
    assert (mse.get_xscale(), share.get_xscale()) == ("log", "linear")
    assert "mean" in texts(fig)


def test_images_share_one_scale():
    images = RNG.random((4, 28, 28)) * 1.2
    fig = figures.plot_images({"original": images, "LSTM": images / 2}, list("7210"))
    assert [ax.images[0].get_clim() for ax in fig.axes] == [(0, 1)] * 8
    np.testing.assert_array_equal(fig.axes[5].images[0].get_array(), images[1] / 2)
    assert [ax.get_ylabel() for ax in fig.axes[::4]] == ["original", "LSTM"]
    assert [ax.get_title() for ax in fig.axes[:4]] == list("7210")
