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
# # 1. Synthetic sequences
#
# **Question.** Can an LSTM autoencoder restore 50 numbers from a code, how many numbers
# must the code have, and when is it better than a linear method?
#
# **Data.** Sequences from a seeded generator: independent uniform noise, which has
# nothing to compress, and noise with a dip, which has.
#
# **Model.** One LSTM reads the sequence into a code, a second one writes it again. Both
# start as an orthogonal memory.
#
# **Answer.** A code of 64 restores the noise to a mean squared error below $10^{-4}$ in 20
# epochs; the original report reached $3.5 \cdot 10^{-4}$ in 500, in a scaling with an
# eighth more variance. That is no compression:
# 50 numbers are kept in 64. With 32 numbers the noise is restored as well as by principal
# component analysis (PCA), and after training on more sequences sometimes a few per cent
# better. Where the sequences have structure, the dip, 40
# numbers of the network are worth far more than 40 of PCA: its error is less than a
# quarter. The original's network, which starts as Keras starts it, learns next to
# nothing in these epochs.

# %% tags=["remove-input", "nbval-ignore-output"]
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
    datasets,
    drawings,
    figures,
    schedules,
    scores,
    selection,
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
NUM_EXAMPLES = 10_000  # Sequences per data set, as in the original report.
NUM_MORE_EXAMPLES = 60_000  # The assignment's larger set, for one comparison.
NUM_STEPS = 50  # Values in a sequence.
DATA_SEED = 0
CODE_SIZE = 64  # Numbers in the code, as in the original report.
UNITS = 64  # Size of each LSTM's state.
EPOCHS = 20  # The original report trained for 500.
BATCH_SIZE = 32
LEARNING_RATE = 0.005  # Peak of warm-up and cosine decay.
CLIP_NORM = 0.5  # Largest norm of each weight's gradient; None: no clipping.
SEEDS = [0, 1, 2]
UNIFORM_CODE_SIZES = [16, 32, 45, 64]
DIP_CODE_SIZES = [16, 32, 40, 45]
SINGLE_SEED_SIZES = [16, 45]  # Points of the curve that decide nothing.
MORE_EPOCHS = 10  # For the larger set, which has six times as many steps an epoch.
SELECTION_EPOCHS = 8
SELECTION_FOLDS = 2

# %% [markdown]
# ## Data
#
# Each example is a sequence of $T = 50$ numbers without a unit. Arrays have the axes
# (examples, time, features) throughout this report, here with one feature.
#
# - *Uniform*: independent values, uniform in $[0, 1]$. The assignment asks for
#   sequences that lie in $[0, 1]$ **and** have the mean 1/2. Scaling to $[0, 1]$ and
#   shifting the mean afterwards, as the original report did, pushes half of the
#   sequences out of $[0, 1]$. The map that satisfies both is
#   $$x'_t = \frac12 + \frac{x_t - \bar x}{2 \max_s |x_s - \bar x|}.
#   \label{eq-centre}$$
# - *Dip*: the same noise, but around a random position $i$ in 20 to 30 the 11 values
#   $x_{i-5}, \dots, x_{i+5}$ are multiplied by 0.1. The values lie in $[0, 1]$ already
#   and stay as they are.

# %%
raw_uniform = datasets.uniform_sequences(NUM_EXAMPLES, NUM_STEPS, DATA_SEED)
dip, dip_centres = datasets.dip_sequences(NUM_EXAMPLES, NUM_STEPS, DATA_SEED)
more_uniform = datasets.uniform_sequences(NUM_MORE_EXAMPLES, NUM_STEPS, DATA_SEED)
series = {
    "uniform": windows.centre_scale(raw_uniform),
    "dip": dip,
    "more uniform": windows.centre_scale(more_uniform),
}
parts = {
    (data, part): values[indices]
    for data, values in series.items()
    for part, indices in windows.split_examples(
        len(values), (0.6, 0.2, 0.2), DATA_SEED
    ).items()
}
for (data, part), values in parts.items():
    print(f"{data}, {part}: {values.shape}, {values.min():.3f} to {values.max():.3f}")

# %% [markdown]
# The examples are independent, so that they may be split at random: 60 % train, 20 %
# validation, 20 % test. Choices are made on training and validation data; the test data
# are scored by the final networks. (Pilots came before this split, see
# [Discussion](#Discussion).)

# %%
#| label: fig-series
#| fig-cap: "Two training and two test sequences of each data set."
#| fig-alt: "Eight panels of values against time. Uniform sequences jump between 0 and 1 all the time; in dip sequences about eleven values in the middle are close to 0."
figures.plot_series(
    {
        f"{data}, {part} example {number + 1}": parts[data, part][number]
        for data in ("uniform", "dip")
        for part in ("train", "test")
        for number in range(2)
    }
)

# %% [markdown]
# ## Baselines
#
# What does a reconstruction cost without a network? The mean of the training sequences
# at each position knows nothing of the example. PCA with $k$ components is the best
# linear code of $k$ numbers (Baldi and Hornik 1989), and the one to beat: independent
# values have no structure but their bounds that a nonlinear code could use. As the
# uniform sequences have 50 values with a fixed sum, 49 numbers hold everything.

# %%
#| label: tbl-baselines
#| tbl-cap: "Test mean squared error (MSE) of the baselines, fitted on the training sequences. Last row: the same noise in the scaling of the original report."
code_sizes = [8, 16, 24, 32, 36, 40, 43, 45, 47, 48, 49, 50]


def linear_errors(train, test):
    """Test errors by the size of a linear code; with no number it is the mean."""
    mean_error = scores.mean_squared_error(test, baselines.mean_prediction(train, test))
    return {0: mean_error, **baselines.pca_errors(train, test, code_sizes)}


pca = {data: linear_errors(parts[data, "train"], parts[data, "test"]) for data in series}
originals = windows.min_max_scale(raw_uniform)
originals += 0.5 - originals.mean(axis=1, keepdims=True)
split = windows.split_examples(len(originals), (0.6, 0.2, 0.2), DATA_SEED)
original_pca = linear_errors(originals[split["train"]], originals[split["test"]])
baseline_table = pd.DataFrame(
    [
        {"data": data, "mean": errors[0]}
        | {f"PCA-{size}": errors[size] for size in (16, 32, 40, 45, 48, 49)}
        for data, errors in (pca | {"uniform, original's map": original_pca}).items()
    ]
).set_index("data")
baseline_table.map("{:.4f}".format)


# %% [markdown]
# The original report's numbers belong to its own map, whose sequences have a larger
# variance than those of [ours](#eq-centre), by an eighth. So errors that are near each
# other can only be compared as shares of the error of the mean. With a code of 32 the
# original reports .027, a share of .31, where PCA-32 has .345 in its map as in ours.

# %% [markdown]
# ## Model
#
# The encoder reads $x_1, \dots, x_T$ with the LSTM cell (Hochreiter and Schmidhuber 1997)
# $$\begin{aligned}
# i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i), &
# f_t &= \sigma(W_f x_t + U_f h_{t-1} + b_f), \\
# g_t &= \tanh(W_g x_t + U_g h_{t-1} + b_g), &
# o_t &= \sigma(W_o x_t + U_o h_{t-1} + b_o), \\
# c_t &= f_t \odot c_{t-1} + i_t \odot g_t, &
# h_t &= o_t \odot \tanh(c_t),
# \end{aligned} \label{eq-lstm}$$
# and the code $z = A h_T$ is a linear map of its last state. The decoder is a second
# LSTM that gets $z$ at every step, and writes $\hat x_t = u^\top \tilde h_t + v$. The
# loss is the mean squared error
# $\frac{1}{NT} \sum_{n,t} (x_{nt} - \hat x_{nt})^2$.
#
# Keras starts an LSTM in a way that forgets: independent values leave hardly a trace
# after 50 steps, and hundreds of epochs go by until the gates have learnt to keep them.
# Here the LSTMs start as a *memory*. Input and output gate open, forget gate closed, and
# $U_g = Q$ orthogonal make the cell nearly linear, $h_t \approx Q h_{t-1} + w x_t$: each
# step rotates what is stored and adds the new value, and after 50 steps 64 units still
# hold all 50 values (White, Lee and Sompolinsky 2004). The decoder starts with
# $Q^\top = Q^{-1}$ and writes the last value first (Srivastava et al. 2015), so that it
# takes back step by step what the encoder did. All weights are trained as usual from there. Beside the code,
# the decoder is told the number of the step, and its first state is a linear map of $z$.

# %%
def build_autoencoder(code_size, seed):
    """Encoder and decoder that start as an orthogonal memory and its inverse."""
    series = keras.Input((NUM_STEPS, 1), name="series")  # (batch, 50, 1)
    centred = layers.Rescaling(2.0, offset=-1.0, name="centred")(series)
    code = autoencoder.encode(centred, code_size, UNITS, seed)  # (batch, code)
    reconstruction = autoencoder.decode(
        code, NUM_STEPS, 1, UNITS, reverse=True, memory_seed=seed
    )  # (batch, 50, 1)
    return keras.Model(series, {"reconstruction": reconstruction}, name="memory")


def build_plain_autoencoder(code_size, seed):
    """The original report's network: the code repeated, everything as Keras starts."""
    series = keras.Input((NUM_STEPS, 1), name="series")  # (batch, 50, 1)
    code = autoencoder.encode(series, code_size, UNITS)  # (batch, code)
    reconstruction = autoencoder.decode(
        code, NUM_STEPS, 1, UNITS, position_input=False, state_from_code=False
    )  # (batch, 50, 1)
    return keras.Model(series, {"reconstruction": reconstruction}, name="plain")


model = build_autoencoder(CODE_SIZE, SEEDS[0])
model.summary(line_length=80)

# %%
#| label: fig-network
#| fig-cap: "The network that starts as a memory, and the original report's, the control. Below each layer's name: its kind, and the shape that it returns for one sequence. CodeLSTM is an LSTM that gets the code at each step."
#| fig-alt: "Two lines of boxes from top to bottom. Memory: the series of 50 x 1, centred, an LSTM of 64 numbers, the code, an LSTM that writes 50 x 64, and the reconstruction of 50 x 1. Plain: the same without the centring."
plain = build_plain_autoencoder(CODE_SIZE, SEEDS[0])
drawings.plot_networks({"memory": model, "plain": plain}, num_columns=2)


# %% [markdown]
# ## Selection of the hyper-parameters
#
# The code size is given by the task. Learning rate, batch size and clipping are selected
# by cross-validation on the training and validation sequences together: a full grid
# would be 240 configurations, so one hyper-parameter is changed at a time, which makes
# 13 configurations on two folds, 26 networks of a few epochs.
# `selection.cross_validate` keeps each score as soon as it is there, and several
# processes may share the work.

# %%
def fit_autoencoder(name, build, data, code_size, seed, **settings):
    """Trains a network on one data set, or loads it from the recorded runs."""
    train, validation = parts[data, "train"], parts[data, "validation"]
    return training.fit(
        lambda: build(code_size, seed),
        train,
        {"reconstruction": train},
        validation_data=(validation, {"reconstruction": validation}),
        name=name,
        seed=seed,
        **arguments_of_fit(len(train), **settings),
    )


# %%
def arguments_of_fit(num_examples, folder=ROOT / "report" / "runs", **settings):
    """What all trainings here have in common."""
    used = {
        "epochs": EPOCHS,
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "clip_norm": CLIP_NORM,
    } | settings
    rate = schedules.warmup_cosine(
        used["learning_rate"], num_examples, used["batch_size"], used["epochs"]
    )
    return {
        "folder": folder,
        "loss": {"reconstruction": "mean_squared_error"},
        "optimizer": keras.optimizers.Adam(rate, clipnorm=used["clip_norm"]),
        "epochs": used["epochs"],
        "batch_size": used["batch_size"],
    }


# %%
def evaluate(configuration, fold):
    """Trains a configuration without one fold and scores it on that fold."""
    pool = np.concatenate([parts["uniform", "train"], parts["uniform", "validation"]])
    folds = windows.k_folds(len(pool), SELECTION_FOLDS, DATA_SEED)
    train, held_out = (pool[indices] for indices in folds[fold])
    settings = dict(configuration)
    code_size = settings.pop("code_size")
    with tempfile.TemporaryDirectory() as folder:
        run = training.fit(
            lambda: build_autoencoder(code_size, fold),
            train,
            {"reconstruction": train},
            validation_data=(held_out, {"reconstruction": held_out}),
            name=f"fold_{fold}",
            seed=fold,
            **arguments_of_fit(len(train), folder, epochs=SELECTION_EPOCHS, **settings),
        )
    losses = run.history["val_loss"] + [np.nan] * SELECTION_EPOCHS
    per_epoch = {
        f"epoch {epoch + 1}": losses[epoch] for epoch in range(SELECTION_EPOCHS)
    }
    return {"validation_mse": losses[SELECTION_EPOCHS - 1]} | per_epoch


# %% tags=["nbval-ignore-output"]
base = {"code_size": 64, "learning_rate": 0.005, "batch_size": 32, "clip_norm": 1.0}
sweeps = {
    "code_size": [32, 64, 128, 256],
    "learning_rate": [0.05, 0.01, 0.005, 0.001, 0.0005],
    "batch_size": [32, 64, 128],
    "clip_norm": [None, 0.5, 1.0, 5.0],
}
selection_table = selection.cross_validate(
    evaluate,
    selection.one_at_a_time(base, sweeps),
    SELECTION_FOLDS,
    name="01_synthetic",
    folder=ROOT / "report" / "selection",
    settings={
        "data": f"uniform, {NUM_EXAMPLES} x {NUM_STEPS}, seed {DATA_SEED}",
        "epochs": SELECTION_EPOCHS,
        "units": UNITS,
    },
)

# %%
#| label: tbl-selection
#| tbl-cap: "Cross-validation on the uniform data, code 64: mean and standard deviation of the held-out MSE over the folds. A dash stands for no clipping."
task_rows = selection_table[selection_table["code_size"] == base["code_size"]]
selected = selection.best_configuration(task_rows, "validation_mse", list(base))
summary = selection.summarise(task_rows, "validation_mse", list(base))
summary["clip_norm"] = ["–" if pd.isna(clip) else clip for clip in summary["clip_norm"]]
summary.drop(columns=["code_size", "folds"]).round(6).rename(
    columns=lambda name: name.replace("_", " ")
)

# %%
#| label: fig-sweeps
#| fig-cap: "Held-out MSE after 8 epochs against each hyper-parameter, the others at the base (bold). Points are folds, lines go through means."
#| fig-alt: "Four panels on log axes. The error falls by a factor of a hundred from code 32 to code 64 and hardly further. It is lowest at a learning rate of 0.005, rises with the batch size, and hardly depends on the clipping norm."
figures.plot_sweep(
    selection_table,
    list(base),
    "validation_mse",
    base=base,
    ylabel="held-out mean squared error",
    xlabels={
        "code_size": "numbers in the code",
        "learning_rate": "peak learning rate",
        "batch_size": "batch size",
        "clip_norm": "clipping norm",
    },
)

# %% [markdown]
# What a wrong learning rate does to the training is seen epoch by epoch.

# %%
#| label: fig-learning-rates
#| fig-cap: "Held-out MSE after each epoch for the five peak learning rates (first fold). Too large a rate stays above PCA-32, too small a rate is still far up when the epochs are over."
#| fig-alt: "Five curves against the epoch on a log axis. The curve of rate 0.05 stays between the error of the mean and that of PCA-32; those of 0.0005 and 0.001 fall slowly; that of 0.005 falls fastest, and that of 0.01 follows it late."
rate_rows = figures.sweep_rows(selection_table, base, "learning_rate")
rate_rows = rate_rows[rate_rows["fold"] == 0].sort_values("learning_rate")
epoch_columns = [f"epoch {epoch + 1}" for epoch in range(SELECTION_EPOCHS)]
rate_histories = {
    f"learning rate {row['learning_rate']:g}": {"loss": list(row[epoch_columns])}
    for _, row in rate_rows.iterrows()
}
figures.plot_history(
    rate_histories,
    references={"mean": pca["uniform"][0], "PCA-32": pca["uniform"][32]},
    ylabels={"loss": "held-out mean squared error"},
)

# %% [markdown]
# Clipping matters least: the strictest bound is a few per cent better than none, as the
# warm-up and the start as a memory leave few gradients that are long. The error falls by
# a factor of a hundred from a code of 32 to one of 64, where everything fits, and hardly
# further.

# %% [markdown]
# ## Training
#
# All networks are trained with Adam: 20 epochs in batches of 32, a learning rate that
# rises to .005 and falls along a cosine to 0, and the gradient of each weight clipped to
# the norm .5. Three seeds draw the first weights and the order of the examples. The
# control, one seed, is the network as the original report describes it: the code
# repeated, everything as Keras starts it, with the same data, optimizer and epochs.

# %% tags=["nbval-ignore-output", "remove-output"]
uniform_runs = [
    fit_autoencoder(
        f"01_uniform_code{CODE_SIZE}_seed{seed}",
        build_autoencoder,
        "uniform",
        CODE_SIZE,
        seed,
    )
    for seed in SEEDS
]
plain_run = fit_autoencoder(
    "01_uniform_plain", build_plain_autoencoder, "uniform", CODE_SIZE, SEEDS[0]
)

# %%
#| label: fig-training
#| fig-cap: "Loss against epochs on the uniform data, code 64: the start as a memory against the plain network. Solid: training, dashed: validation."
#| fig-alt: "On a log axis the memory's loss falls by more than two powers of ten within the epochs and passes the original report's validation error; the plain network's loss stays near the error of the mean."
figures.plot_history(
    {"memory": uniform_runs[0].history, "plain": plain_run.history},
    references={
        "mean": pca["uniform"][0],
        "PCA-32": pca["uniform"][32],
        "original, 500 epochs": 3.5e-4,
    },
    ylabels={"loss": "mean squared error"},
)


# %% [markdown]
# ## Reconstruction
#
# From here on the test data are scored.

# %%
def test_error(run, data):
    """Scores a run on the test sequences, from its weights."""
    test = parts[data, "test"]
    prediction = run.model.predict(test, batch_size=500, verbose=0)
    return scores.mean_squared_error(test, prediction["reconstruction"])


uniform_errors = [test_error(run, "uniform") for run in uniform_runs]
plain_error = test_error(plain_run, "uniform")
uniform_mean, uniform_spread = scores.mean_and_spread(uniform_errors)
print(f"memory: test MSE {uniform_mean:.2e}, spread over seeds {uniform_spread:.1e}")
print(f"plain:  test MSE {plain_error:.2e}")

# %%
#| label: fig-reconstructions
#| fig-cap: "One training and one test sequence, the test sequence with the largest error, and the residuals (code 64, first seed)."
#| fig-alt: "Three panels in which the reconstruction lies on the original; the residuals below are a few hundredths at most, largest for the worst test sequence."
uniform_test = parts["uniform", "test"]
restored = uniform_runs[0].model.predict(uniform_test, batch_size=500, verbose=0)
example_errors = scores.per_example_error(uniform_test, restored["reconstruction"])
worst = int(np.argmax(example_errors))
shown = np.stack([parts["uniform", "train"][0], *uniform_test[[0, worst]]])
figures.plot_reconstructions(
    shown,
    uniform_runs[0].model.predict(shown, verbose=0)["reconstruction"],
    ["training", "test", "worst test"],
    num_columns=3,
)

# %%
#| label: fig-error-histogram
#| fig-cap: "Errors of the 2,000 test sequences of the uniform data (code 64, first seed). The original report's error is of its own scaling."
#| fig-alt: "A histogram on a log axis: all test sequences have errors far below that of PCA with 32 components; the median is near the mean of all."
figures.plot_error_histogram(
    {"test sequences": example_errors},
    references={"original report": 3.5e-4, "PCA-32": pca["uniform"][32]},
)

# %% [markdown]
# The encoder and the decoder are usable alone: `encoder_of` turns sequences into codes,
# `decoder_of` codes into sequences. A code that lies between two others gives a sequence
# between the two.

# %%
#| label: fig-halves
#| fig-cap: "The decoder alone, fed with the codes of two test sequences and with their mean."
#| fig-alt: "Three panels; the third sequence, decoded from the mean of two codes, runs between the first two."
encoder = autoencoder.encoder_of(uniform_runs[0].model)
decoder = autoencoder.decoder_of(uniform_runs[0].model)
two_codes = encoder.predict(uniform_test[:2], verbose=0)  # (2, 64)
mean_code = two_codes.mean(axis=0, keepdims=True)
decoded = decoder.predict(np.concatenate([two_codes, mean_code]), verbose=0)
between = np.abs(decoded[2] - decoded[:2].mean(axis=0)).max()
print(f"largest distance from the mean of the two sequences: {between:.3f}")
figures.plot_series(
    {
        "first code": {"decoded": decoded[0]},
        "second code": {"decoded": decoded[1]},
        "mean of the codes": {
            "decoded": decoded[2],
            "mean of the sequences": decoded[:2].mean(axis=0),
        },
    },
    num_columns=3,
)

# %% [markdown]
# ## How many numbers does the code need?
#
# The curve of the test error against the size of the code, for the autoencoder and for
# PCA, answers the task's question on both data sets. On the noise the two are close
# until the code holds as many numbers as the sequence has free values, 49, where PCA is
# exact. The dip is another matter: 11 of the 50 values are nearly zero, *where* depends
# on the example. A linear code must keep room for all positions; a network that finds
# the dip needs only the other 39 numbers.

# %% tags=["nbval-ignore-output", "remove-output"]
code_runs = {
    (data, size): [
        fit_autoencoder(
            f"01_{data}_code{size}_seed{seed}", build_autoencoder, data, size, seed
        )
        for seed in (SEEDS[:1] if size in SINGLE_SEED_SIZES else SEEDS)
    ]
    for data, sizes in (
        ("uniform", UNIFORM_CODE_SIZES),
        ("dip", DIP_CODE_SIZES),
    )
    for size in sizes
    if (data, size) != ("uniform", CODE_SIZE)
}
code_runs["uniform", CODE_SIZE] = uniform_runs

# %% tags=["nbval-ignore-output", "remove-output"]
more_runs = [
    fit_autoencoder(
        f"01_more_uniform_code32_seed{seed}",
        build_autoencoder,
        "more uniform",
        32,
        seed,
        epochs=MORE_EPOCHS,
    )
    for seed in SEEDS
]

# %%
code_errors = {
    (data, size): [test_error(run, data) for run in runs]
    for (data, size), runs in code_runs.items()
}
more_errors = [test_error(run, "more uniform") for run in more_runs]
scored_runs = [(plain_run, plain_error), *zip(more_runs, more_errors, strict=True)]
for key, runs in code_runs.items():
    scored_runs += zip(runs, code_errors[key], strict=True)
confirmed = [
    training.confirm_scores(run, {"test_mse": error}) for run, error in scored_runs
]

# %%
#| label: fig-code-sizes
#| fig-cap: "Test MSE against the size of the code, LSTM autoencoder and PCA. Bars go from the lowest to the highest seed."
#| fig-alt: "Four falling curves on log axes. On uniform data autoencoder and PCA lie close together up to code 45, then PCA drops to zero at 49, while the autoencoder is at 0.00006 with code 64. On dip data the autoencoder's curve lies below that of PCA from 16 to 45, at code 40 by a factor of almost five."
figures.plot_code_sizes(
    {
        f"{data}, {method}": curve
        for data in ("uniform", "dip")
        for method, curve in {
            "LSTM": {
                size: errors
                for (name, size), errors in code_errors.items()
                if name == data
            },
            "PCA": {size: [pca[data][size]] for size in code_sizes if size < 50},
        }.items()
    }
)


# %%
def size_row(data, size, runs, errors):
    """A line of the table: one data set, one size of the code."""
    mean, spread = scores.mean_and_spread(errors)
    return {
        "data": data,
        "code": size,
        "LSTM": f"{mean:.2e}",
        "spread": "–" if np.isnan(spread) else f"{spread:.0e}",
        # From 49 components on nothing is left but rounding errors.
        "PCA": "0" if size >= NUM_STEPS - 1 else f"{pca[data][size]:.2e}",
        "seeds": len(runs),
        "epochs": len(runs[0].history["loss"]),
        "seconds": f"{np.mean([run.seconds for run in runs]):.0f}",
    }


# %%
#| label: tbl-code-sizes
#| tbl-cap: "Test MSE of the LSTM autoencoder (mean and standard deviation over the seeds) and of PCA with as many numbers; seconds of one training on one core. *More uniform* has six times as many sequences; *plain* is the control."
pd.DataFrame(
    [
        size_row(data, size, runs, code_errors[data, size])
        for (data, size), runs in sorted(
            code_runs.items(), key=lambda item: (-len(item[0][0]), item[0][1])
        )
    ]
    + [
        size_row("more uniform", 32, more_runs, more_errors),
        size_row("uniform", CODE_SIZE, [plain_run], [plain_error])
        | {"data": "uniform, plain"},
    ]
).set_index(["data", "code"])

# %% [markdown]
# With a code of 32 the network has .35 of the error of the mean, as PCA has. The gain over
# PCA that the original reports at this size was not reproduced.

# %% [markdown]
# ## Claims
#
# Each sentence is computed from the networks' weights and the data above; a false one
# stops the notebook and fails its test.

# %%
used = {
    "code_size": CODE_SIZE,
    "learning_rate": LEARNING_RATE,
    "batch_size": BATCH_SIZE,
    "clip_norm": CLIP_NORM,
}
values = series["uniform"]
in_range = bool(0 <= values.min() and values.max() <= 1)
centred = bool(np.abs(values.mean(axis=(1, 2)) - 0.5).max() < 1e-6)
rates = figures.sweep_rows(selection_table, base, "learning_rate")
rates = rates.groupby("learning_rate")["validation_mse"].mean()
wrong_rates = float(min(rates[0.05], rates[0.0005]))
means = selection.summarise(task_rows, "validation_mse", list(base))
means = means[(means["learning_rate"] == 0.005) & (means["batch_size"] == 32)]
unclipped = means.loc[means["clip_norm"].isna(), "mean"].item()
dip_40_is_good = max(code_errors["dip", 40]) < pca["dip"][40] / 2
dip_40 = float(np.mean(code_errors["dip", 40]))
noise_32 = float(np.mean(code_errors["uniform", 32]))
as_shares = round(noise_32 / pca["uniform"][0], 2) == 0.35 and round(0.027 / original_pca[0], 2) == 0.31
pca_shares = [errors[32] / errors[0] for errors in (pca["uniform"], original_pca)]
variance_ratio = original_pca[0] / pca["uniform"][0]
as_original = 1.1 < variance_ratio < 1.15 and np.allclose(pca_shares, 0.345, atol=0.001)
gains = [1 - error / pca["more uniform"][32] for error in more_errors]
more_gain = 0 < min(gains) and max(gains) < 0.05
dip_32_is_good = max(code_errors["dip", 32]) < 0.0145 < pca["dip"][32]

# %%
#| claims: true
claims = {
    "uniform sequences lie in [0, 1] and have the mean 1/2": in_range and centred,
    "the networks use the selected hyper-parameters": used == selected,
    "noise, code 64: below 1.0e-4, every seed": max(uniform_errors) < 1.0e-4,
    "in at most a tenth of the original's 500 epochs": EPOCHS <= 50,
    "the plain network in these epochs is worse than PCA-16": plain_error > pca["uniform"][16],
    "rates of 0.05 and 0.0005 are 10 times worse than the selected one": (
        wrong_rates > 10 * float(rates[LEARNING_RATE])
    ),
    "clipping gains less than 15 % over none": (
        float(means["mean"].min()) > 0.85 * unclipped
    ),
    "noise, code 32: within 2 % of PCA-32": (
        abs(noise_32 / pca["uniform"][32] - 1) < 0.02
    ),
    "noise, code 32: .35 of the mean's error; the original reports .31": as_shares,
    "the original's map: an eighth more variance, PCA-32 has .345 of it in both": as_original,
    "six times the sequences: better than PCA-32 by up to 5 %, every seed": more_gain,
    "dip, code 32: below .0145 and below PCA-32, every seed": dip_32_is_good,
    "dip, code 40: below a quarter of PCA-40, mean": dip_40 < pca["dip"][40] / 4,
    "dip, code 40: below half of PCA-40, every seed": dip_40_is_good,
    "the scores are those that were recorded after training": all(confirmed),
}
assert all(claims.values()), [claim for claim, holds in claims.items() if not holds]
claims

# %% tags=["remove-cell"]
rows = [
    ("uniform", 64, 3.5e-4),
    ("uniform", 32, 0.027),
    ("dip", 32, None),
    ("dip", 40, None),
]
pd.DataFrame(
    [
        {
            "task": "1. Synthetic sequences",
            "data": f"{data}, code {size}",
            "output": "reconstruction",
            "metric": "MSE",
            "reference": reference,
            "baseline": pca[data][min(size, NUM_STEPS)],
            "ours": scores.mean_and_spread(code_errors[data, size])[0],
            "spread": scores.mean_and_spread(code_errors[data, size])[1],
            "seeds": len(SEEDS),
            "unit": "",
        }
        for data, size, reference in rows
    ]
).to_csv(
    ROOT / "report" / "scores" / "01_synthetic.csv", index=False, float_format="%.10g"
)

# %% [markdown]
# ## Discussion
#
# - A network that starts as a memory restores the sequences in epochs in which the
#   original's learns next to nothing. The two differ in more than the start: ours is also
#   told the number of the step, starts its decoder from the code and writes backwards.
#   What each of these contributes was not separated here.
# - Start, units and the form of the decoder were settled before the cross-validation, in
#   some twenty pilot trainings on the first 8,000 sequences of the same generator seed.
#   Some of these are test sequences here: the choices have seen them, the weights not.
# - A code of 64 for 50 values is no compression, here as in the original report; PCA
#   does it exactly with 49. The task says something about compression only below that,
#   and on independent values little more than PCA can be had there.
# - On noise a nonlinear code can gain a few per cent over PCA, since the values are
#   bounded. With a code of 32 and six times the sequences one of our three seeds found
#   that gain, the others less than one per cent. An earlier edition had this one seed
#   only, and took it for the rule; training again with other seeds
#   (`python -m report.other_seeds`) showed it.
# - On the dip data there is structure, and a network that finds the dip needs fewer
#   numbers than a linear code. At code 40 one of our three seeds has an error three times
#   as large as the best one, about .0020; with the seeds 100 to 102 of
#   `python -m report.other_seeds` none has.
# - Not tried: longer sequences than the state has units, where an orthogonal memory can
#   no longer hold everything.
#
# ## References
#
# - P. Baldi and K. Hornik, "Neural networks and principal component analysis: learning
#   from examples without local minima", *Neural Networks* 2, 1989,
#   doi:10.1016/0893-6080(89)90014-2.
# - S. Hochreiter and J. Schmidhuber, "Long short-term memory", *Neural Computation* 9,
#   1997, doi:10.1162/neco.1997.9.8.1735.
# - N. Srivastava, E. Mansimov and R. Salakhutdinov, "Unsupervised learning of video
#   representations using LSTMs", *ICML*, 2015, arXiv:1502.04681.
# - O. L. White, D. D. Lee and H. Sompolinsky, "Short-term memory in orthogonal neural
#   networks", *Physical Review Letters* 92, 2004, doi:10.1103/PhysRevLett.92.148102.

# %% tags=["nbval-ignore-output"]
print(
    f"Python {platform.python_version()}, Keras {keras.__version__} on "
    f"{keras.backend.backend()}, NumPy {np.__version__}, {os.cpu_count()} cores"
)
