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
# **Question.** Can an LSTM autoencoder reconstruct 50 numbers from a code, how many
# numbers must the code have, and when is it better than a linear method?
#
# **Data.** Sequences from a seeded generator: independent uniform noise, which cannot be
# compressed, and noise with a dip, which can.
#
# **Model.** One LSTM reads the sequence into a code, a second one writes it again. Both
# are initialised as an orthogonal memory.
#
# **Answer.** A code of 64 numbers reconstructs the noise to a mean squared error (MSE)
# below $10^{-4}$ in 20 epochs; the original report reached $3.5 \cdot 10^{-4}$ in 500, in
# a scaling with an eighth more variance. That is no compression: 50 numbers are kept in
# 64. A code of 32 is as good as principal component analysis (PCA), and by up to 5 %
# better after training on six times as many sequences. Where the sequences have
# structure, the dip, 40 numbers of the network are worth far more than 40 of PCA: its
# error is less than a quarter. The original's network, with Keras' default
# initialisation, learns next to nothing in these epochs.

# %%
from functools import partial

from helpers import baselines, datasets, figures, networks, scores, training, windows
from helpers.chapter import Chapter

import keras
import numpy as np
import pandas as pd
from keras import layers

# %% [markdown] tags=["remove-cell"]
# The next cell holds every value that can be changed; `papermill -p CODE_SIZE 32 ...`
# sets one from outside. What depends on a changed value is trained; everything else is
# loaded from the recorded runs.

# %% tags=["parameters"]
NUM_EXAMPLES = 10_000  # Sequences per data set, as in the original report.
NUM_MORE_EXAMPLES = 60_000  # The assignment's larger set, for one comparison.
NUM_STEPS = 50  # Values in a sequence.
DATA_SEED = 0
CODE_SIZE = 64  # Numbers in the code, as in the original report.
UNITS = 64  # Size of each LSTM's state.
EPOCHS = 20  # The original report trained for 500.
MORE_EPOCHS = 10  # For the larger set, which has six times as many steps an epoch.
BATCH_SIZE = 32
LEARNING_RATE = 0.005  # Peak of warm-up and cosine decay.
CLIP_NORM = 0.5  # Largest norm of each weight's gradient; None: no clipping.
SEEDS = [0, 1, 2]
CODE_SIZES = {
    "uniform": [16, 32, 45, 64],
    "dip": [16, 32, 40, 45],
    "more uniform": [32],
}
SINGLE_SEED_SIZES = [16, 45]  # Points of the curve that decide nothing.
SELECTION_EPOCHS = 8
SELECTION_FOLDS = 2

# %%
chapter = Chapter("01_synthetic", "1. Synthetic sequences")

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
noise = datasets.uniform_sequences(NUM_EXAMPLES, NUM_STEPS, DATA_SEED)
more_noise = datasets.uniform_sequences(NUM_MORE_EXAMPLES, NUM_STEPS, DATA_SEED)
dip, dip_centres = datasets.dip_sequences(NUM_EXAMPLES, NUM_STEPS, DATA_SEED)
series = {
    "uniform": windows.centre_scale(noise),
    "dip": dip,
    "more uniform": windows.centre_scale(more_noise),
}

# %% [markdown]
# The examples are independent, so that they may be split at random: 60 % training, 20 %
# validation, 20 % test. Choices are made on training and validation data; the test data
# are scored by the final networks. (Pilots came before this split, see
# [Discussion](#Discussion).)


# %%
def split(values):
    """Splits sequences at random into training, validation and test."""
    indices = windows.split_examples(len(values), (0.6, 0.2, 0.2), DATA_SEED)
    return {part: values[indices[part]] for part in indices}


data = {name: split(values) for name, values in series.items()}
for name, parts in data.items():
    print(f"{name}: {', '.join(f'{part} {x.shape}' for part, x in parts.items())}")

# %%
#| label: fig-series
#| fig-cap: "Two training and two test sequences of each data set."
#| fig-alt: "Eight panels of values against time. Uniform sequences jump between 0 and 1 all the time; in dip sequences about eleven values in the middle are close to 0."
figures.plot_series(
    {
        f"{name}, {part} example {number + 1}": data[name][part][number]
        for name in ("uniform", "dip")
        for part in ("train", "test")
        for number in range(2)
    }
)

# %%
uniform = series["uniform"]
chapter.claim(
    "The uniform sequences lie in [0, 1] and have the mean 1/2.",
    (0 <= uniform.min())
    & (uniform.max() <= 1)
    & (np.abs(uniform.mean(axis=(1, 2)) - 0.5) < 1e-6),
)

# %% [markdown]
# ## Baselines
#
# What error does a reconstruction have without a network? The mean of the training
# sequences at each position knows nothing of the example. PCA with $k$ components is the
# best linear code of $k$ numbers (Baldi and Hornik 1989), and the one to beat:
# independent values have no structure but their bounds that a nonlinear code could use.
# As the uniform sequences have 50 values with a fixed sum, 49 numbers hold everything.


# %%
def linear_errors(parts):
    """Test MSE by the size of a linear code; with no number it is the mean."""
    train, test = parts["train"], parts["test"]
    mean_error = scores.mean_squared_error(test, baselines.mean_prediction(train, test))
    sizes = [8, 16, 24, 32, 36, 40, 43, 45, 47, 48, 49]
    return {0: mean_error} | baselines.pca_errors(train, test, sizes)


linear = {name: linear_errors(parts) for name, parts in data.items()}
scaled = windows.min_max_scale(noise)
shifted = scaled + (0.5 - scaled.mean(axis=1, keepdims=True))
linear["uniform, original's scaling"] = linear_errors(split(shifted))

# %%
#| label: tbl-baselines
#| tbl-cap: "Test MSE of the baselines, fitted on the training sequences. Last row: the same noise in the scaling of the original report."
columns = {0: "mean"} | {size: f"PCA-{size}" for size in (16, 32, 40, 45, 48, 49)}
baseline_table = pd.DataFrame(linear).T[list(columns)].rename(columns=columns)
baseline_table.rename_axis("data").map("{:.4f}".format)

# %% [markdown]
# The original report's numbers belong to its own scaling, whose sequences have a larger
# variance than those of [ours](#eq-centre), by an eighth. So errors that are near each
# other can only be compared as fractions of the error of the mean. With a code of 32 the
# original reports 0.027, a fraction of 0.31, where PCA-32 has 0.345 in either scaling.

# %%
both = baseline_table.loc[["uniform", "uniform, original's scaling"]]
ours, original = both["mean"]  # Nearly the variance.
chapter.claim(
    "The original's scaling has an eighth more variance, and in both scalings PCA-32 "
    "has 0.345 of the error of the mean.",
    1.1 < original / ours < 1.15
    and np.allclose(both["PCA-32"] / both["mean"], 0.345, atol=1e-3),
)

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
# With Keras' default initialisation an LSTM forgets: independent values leave hardly a
# trace after 50 steps, and hundreds of epochs go by until the gates have learnt to keep
# them. Here the LSTMs are initialised as a *memory*. Input and output gate open, forget
# gate closed, and $U_g = Q$ orthogonal make the cell nearly linear,
# $h_t \approx Q h_{t-1} + w x_t$: each step rotates what is stored and adds the new
# value, and after 50 steps 64 units still hold all 50 values (White, Lee and Sompolinsky
# 2004). The decoder is initialised with $Q^\top = Q^{-1}$ and writes the last value first
# (Srivastava et al. 2015), so that it takes back step by step what the encoder did. All
# weights are trained from there. Besides the code, the decoder gets the number of the
# step, and its initial state is a linear map of $z$.


# %%
def build_autoencoder(
    code_size, seed, learning_rate=LEARNING_RATE, clip_norm=CLIP_NORM
):
    """Encoder and decoder, initialised as an orthogonal memory and its inverse."""
    series = keras.Input((NUM_STEPS, 1), name="series")  # (batch, 50, 1)
    centred = layers.Rescaling(2.0, offset=-1.0, name="centred")(series)  # [-1, 1]
    code = networks.encode(centred, code_size, UNITS, memory_seed=seed)  # (batch, code)
    reconstruction = networks.decode(
        code, NUM_STEPS, 1, UNITS, reverse=True, memory_seed=seed
    )  # (batch, 50, 1)
    model = keras.Model(series, {"reconstruction": reconstruction}, name="memory")
    schedule = training.WarmupCosine(learning_rate)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, clipnorm=clip_norm),
        loss={"reconstruction": "mean_squared_error"},
    )
    return model


memory_model = build_autoencoder(CODE_SIZE, SEEDS[0])
memory_model.summary(line_length=80)

# %% [markdown]
# The control is the network as the original report describes it: the code is repeated,
# and everything has Keras' default initialisation. Loss and optimizer are the same.


# %%
def build_plain_autoencoder(code_size):
    """The original report's network: the code repeated, default initialisation."""
    series = keras.Input((NUM_STEPS, 1), name="series")  # (batch, 50, 1)
    code = networks.encode(series, code_size, UNITS)  # (batch, code)
    reconstruction = networks.decode(
        code, NUM_STEPS, 1, UNITS, position_input=False, state_from_code=False
    )  # (batch, 50, 1)
    model = keras.Model(series, {"reconstruction": reconstruction}, name="plain")
    schedule = training.WarmupCosine(LEARNING_RATE)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, clipnorm=CLIP_NORM),
        loss={"reconstruction": "mean_squared_error"},
    )
    return model


# %%
#| label: fig-network
#| fig-cap: "The network that is initialised as a memory, and the original report's, the control. Below each layer's name: its kind, and the shape that it returns for one sequence. CodeLSTM is an LSTM that gets the code at each step."
#| fig-alt: "Two lines of boxes from top to bottom. Memory: the series of 50 x 1, centred, an LSTM of 64 numbers, the code, an LSTM that writes 50 x 64, and the reconstruction of 50 x 1. Plain: the same without the centring."
plain_model = build_plain_autoencoder(CODE_SIZE)
figures.plot_networks({"memory": memory_model, "plain": plain_model}, num_columns=2)

# %% [markdown]
# ## Selection of the hyper-parameters
#
# The code size is given by the task. Learning rate, batch size and clipping are selected
# by cross-validation on the training and validation sequences together: a full grid
# would be 240 configurations, so one hyper-parameter is changed at a time, which makes
# 13 configurations on two folds, 26 networks of a few epochs.

# %%
base = {"code_size": 64, "learning_rate": 0.005, "batch_size": 32, "clip_norm": 1.0}
sweeps = {
    "code_size": [32, 64, 128, 256],
    "learning_rate": [0.05, 0.01, 0.005, 0.001, 0.0005],
    "batch_size": [32, 64, 128],
    "clip_norm": [None, 0.5, 1.0, 5.0],
}
configurations = training.one_at_a_time(base, sweeps)
pool = np.concatenate([data["uniform"]["train"], data["uniform"]["validation"]])
folds = [
    (pool[train], pool[held_out])
    for train, held_out in windows.k_folds(len(pool), SELECTION_FOLDS, DATA_SEED)
]


# %% tags=["nbval-ignore-output"]
def arguments_of(configuration, fold):
    """Arguments of `training.fit`: trains without one fold, validates on it."""
    train, held_out = folds[fold]
    batch_size = configuration.pop("batch_size")
    return {
        "build": partial(build_autoencoder, seed=fold, **configuration),
        "x": train,
        "y": {"reconstruction": train},
        "validation_data": (held_out, {"reconstruction": held_out}),
        "epochs": SELECTION_EPOCHS,
        "batch_size": batch_size,
        "seed": fold,
    }


selection = training.cross_validate(
    arguments_of, configurations, SELECTION_FOLDS, name="01_selection"
)

# %%
#| label: tbl-selection
#| tbl-cap: "Cross-validation on the uniform data, code 64: mean and standard deviation of the held-out MSE over the folds."
of_task = selection[selection["code_size"] == base["code_size"]]
summary = training.summarise(of_task, "val_loss", list(base)).round(6)
summary = summary.drop(columns=["code_size", "folds"]).fillna({"clip_norm": "none"})
summary.rename(columns=lambda name: name.replace("_", " "))

# %%
#| label: fig-sweeps
#| fig-cap: "Held-out MSE after 8 epochs against each hyper-parameter, the others at the base (bold). Points are folds, lines go through means."
#| fig-alt: "Four panels on log axes. The error falls by a factor of a hundred from code 32 to code 64 and hardly further. It is lowest at a learning rate of 0.005, rises with the batch size, and hardly depends on the clipping norm."
figures.plot_sweep(
    selection,
    list(base),
    "val_loss",
    base=base,
    ylabel="held-out mean squared error",
    xlabels={
        "code_size": "numbers in the code",
        "learning_rate": "peak learning rate",
        "clip_norm": "clipping norm",
    },
)

# %% [markdown]
# Clipping matters least: the strictest bound is a few per cent better than none, as warm-up
# and initialisation leave few gradients that are long. The error falls by a factor of a
# hundred from a code of 32 to one of 64, where everything fits, and hardly further.
# What a wrong learning rate does to the training is seen epoch by epoch.

# %%
#| label: fig-learning-rates
#| fig-cap: "Held-out MSE after each epoch for the five peak learning rates (first fold). With too large a rate it stays above that of PCA-32, with too small a rate it is still high when the epochs are over."
#| fig-alt: "Five curves against the epoch on a log axis. The curve of rate 0.05 stays between the error of the mean and that of PCA-32; those of 0.0005 and 0.001 fall slowly; that of 0.005 falls fastest, and that of 0.01 follows it late."
rate_rows = figures.sweep_rows(selection, base, "learning_rate")
first_fold = rate_rows[rate_rows["fold"] == 0].set_index("learning_rate").sort_index()
figures.plot_history(
    {f"learning rate {rate:g}": run for rate, run in first_fold["history"].items()},
    "val_loss",
    references={"mean": linear["uniform"][0], "PCA-32": linear["uniform"][32]},
    ylabels={"val_loss": "held-out mean squared error"},
)

# %%
used = {
    "code_size": CODE_SIZE,
    "learning_rate": LEARNING_RATE,
    "batch_size": BATCH_SIZE,
    "clip_norm": CLIP_NORM,
}
chapter.claim(
    "The networks are trained with the selected hyper-parameters.",
    used == training.best_configuration(of_task, "val_loss", list(base)),
)
by_rate = rate_rows.groupby("learning_rate")["val_loss"].mean()
chapter.claim(
    "With learning rates of 0.05 and 0.0005 the held-out error is more than 10 times "
    "that of the selected one.",
    by_rate[[0.05, 0.0005]] > 10 * by_rate[LEARNING_RATE],
)

# %%
clip_rows = figures.sweep_rows(selection, base, "clip_norm")
clip_rows = clip_rows.fillna({"clip_norm": "none"})
by_norm = clip_rows.groupby("clip_norm")["val_loss"].mean()
chapter.claim(
    "Clipping lowers the held-out error by less than 15 %.",
    by_norm.min() > 0.85 * by_norm["none"],
)
by_size = figures.sweep_rows(selection, base, "code_size")
by_size = by_size.groupby("code_size")["val_loss"].mean()
chapter.claim(
    "The held-out error falls by a factor of about 100 from a code of 32 to one of 64, "
    "and by less than a quarter from there to 256.",
    90 < by_size[32] / by_size[64] < 110 and by_size[256] > 0.75 * by_size[64],
)

# %% [markdown]
# ## Training
#
# All networks are trained with Adam: 20 epochs in batches of 32, a learning rate that
# rises to 0.005 and falls along a cosine to 0, and the gradient of each weight clipped to
# the norm 0.5. The seed draws the first weights and the order of the examples.
# `training.fit` has the arguments of Keras' `Model.fit`, and a name and a seed: it
# records a run under its name, and loads the record as long as nothing that it depends
# on has changed.

# %% tags=["nbval-ignore-output", "remove-output"]
train, validation = data["uniform"]["train"], data["uniform"]["validation"]
memory_run = training.fit(
    partial(build_autoencoder, CODE_SIZE, SEEDS[0]),
    x=train,
    y={"reconstruction": train},
    validation_data=(validation, {"reconstruction": validation}),
    epochs=EPOCHS,
    batch_size=BATCH_SIZE,
    name=f"01_uniform_code{CODE_SIZE}_seed{SEEDS[0]}",
    seed=SEEDS[0],
)

# %% tags=["nbval-ignore-output", "remove-output"]
plain_run = training.fit(
    partial(build_plain_autoencoder, CODE_SIZE),
    x=train,
    y={"reconstruction": train},
    validation_data=(validation, {"reconstruction": validation}),
    epochs=EPOCHS,
    batch_size=BATCH_SIZE,
    name="01_uniform_plain",
    seed=SEEDS[0],
)

# %%
#| label: fig-training
#| fig-cap: "Loss against epochs on the uniform data, code 64: initialised as a memory against the plain network. Solid: training, dashed: validation."
#| fig-alt: "On a log axis the memory's loss falls by more than two powers of ten within the epochs and passes the original report's validation error; the plain network's loss stays near the error of the mean."
figures.plot_history(
    {"memory": memory_run.history, "plain": plain_run.history},
    references={
        "mean": linear["uniform"][0],
        "PCA-32": linear["uniform"][32],
        "original, 500 epochs": 3.5e-4,
    },
    ylabels={"loss": "mean squared error"},
)

# %% [markdown]
# ## Reconstruction
#
# From here on the test data are scored.


# %%
def reconstruct(run, sequences):
    """Reconstructs sequences with the network of a run."""
    return run.model.predict(sequences, batch_size=500, verbose=0)["reconstruction"]


def test_error(run, name):
    """Test MSE of a run, computed from its weights."""
    test = data[name]["test"]
    return scores.mean_squared_error(test, reconstruct(run, test))


plain_error = test_error(plain_run, "uniform")
print(f"memory: test MSE {test_error(memory_run, 'uniform'):.2e}")
print(f"plain:  test MSE {plain_error:.2e}")

# %%
chapter.claim(
    "The plain network's error after these epochs is larger than that of PCA-16.",
    plain_error > linear["uniform"][16],
)

# %%
#| label: fig-reconstructions
#| fig-cap: "One training and one test sequence, the test sequence with the largest error, and the residuals (code 64, first seed)."
#| fig-alt: "Three panels in which the reconstruction lies on the original; the residuals below are a few hundredths at most, largest for the worst test sequence."
test = data["uniform"]["test"]
example_errors = scores.per_example_error(test, reconstruct(memory_run, test))
shown = np.stack([train[0], test[0], test[example_errors.argmax()]])
figures.plot_reconstructions(
    shown, reconstruct(memory_run, shown), ["training", "test", "worst test"]
)

# %%
#| label: fig-error-histogram
#| fig-cap: "Errors of the 2,000 test sequences of the uniform data (code 64, first seed). The original report's error is of its own scaling."
#| fig-alt: "A histogram on a log axis: all test sequences have errors far below that of PCA with 32 components; the median is near the mean of all."
figures.plot_error_histogram(
    {"test sequences": example_errors},
    references={"original report": 3.5e-4, "PCA-32": linear["uniform"][32]},
)

# %% [markdown]
# Encoder and decoder are usable alone: `encoder_of` turns sequences into codes,
# `decoder_of` codes into sequences. A code halfway between two others gives nearly the
# mean of their sequences.

# %%
encoder = networks.encoder_of(memory_run.model)
decoder = networks.decoder_of(memory_run.model)
codes = encoder.predict(test[:2], verbose=0)  # (2, 64)
mean_code = codes.mean(axis=0, keepdims=True)  # (1, 64)
decoded = decoder.predict(np.concatenate([codes, mean_code]), verbose=0)  # (3, 50, 1)
mean_sequence = decoded[:2].mean(axis=0)  # (50, 1)
distance = np.abs(decoded[2] - mean_sequence).max()
print(f"largest distance from the mean of the two sequences: {distance:.3f}")

# %%
#| label: fig-halves
#| fig-cap: "The decoder alone, given the codes of two test sequences and their mean."
#| fig-alt: "Three panels; the third sequence, decoded from the mean of two codes, runs between the first two."
figures.plot_series(
    {
        "first code": {"decoded": decoded[0]},
        "second code": {"decoded": decoded[1]},
        "mean of the codes": {
            "decoded": decoded[2],
            "mean of the sequences": mean_sequence,
        },
    },
    num_columns=3,
)

# %% [markdown]
# ## How many numbers does the code need?
#
# The test error against the size of the code, for the autoencoder and for PCA, answers
# the question on both data sets. On the noise the two are close until the code holds as
# many numbers as the sequence has free values, 49, where PCA is exact. The dip is another
# matter: 11 of the 50 values are nearly zero, *where* depends on the example. A linear
# code must keep room for all positions; a network that finds the dip needs only the other
# 39 numbers. Several trainings go into one `fit_all`, which trains those without a record
# at the same time.

# %%
points = [
    (name, size, seed)
    for name, sizes in CODE_SIZES.items()
    for size in sizes
    for seed in (SEEDS[:1] if size in SINGLE_SEED_SIZES else SEEDS)
]


def arguments_for(name, size, seed):
    """Arguments of `training.fit` for a data set, a code size and a seed."""
    train, validation = data[name]["train"], data[name]["validation"]
    return {
        "build": partial(build_autoencoder, size, seed),
        "x": train,
        "y": {"reconstruction": train},
        "validation_data": (validation, {"reconstruction": validation}),
        "epochs": MORE_EPOCHS if name == "more uniform" else EPOCHS,
        "batch_size": BATCH_SIZE,
        "name": f"01_{name.replace(' ', '_')}_code{size}_seed{seed}",
        "seed": seed,
    }


# %% tags=["nbval-ignore-output", "remove-output"]
runs = training.fit_all([arguments_for(*point) for point in points])

# %%
rows = [("memory", *point) for point in points]
rows.append(("plain", "uniform", CODE_SIZE, SEEDS[0]))
results = pd.DataFrame(rows, columns=["network", "data", "code", "seed"])
all_runs = [*runs, plain_run]
results["error"] = [
    test_error(run, name) for run, name in zip(all_runs, results["data"], strict=True)
]
results["epochs"] = [len(run.history["loss"]) for run in all_runs]
results["seconds"] = [run.seconds for run in all_runs]
groups = results.groupby(["network", "data", "code"], sort=False)
errors = groups["error"].agg(list)

# %%
#| label: fig-code-sizes
#| fig-cap: "Test MSE against the size of the code, LSTM autoencoder and PCA. Bands go from the lowest to the highest seed."
#| fig-alt: "Four falling curves on log axes. On uniform data autoencoder and PCA lie close together up to code 45, then PCA drops to zero at 49, while the autoencoder is at 0.00006 with code 64. On dip data the autoencoder's curve lies below that of PCA from 16 to 45, at code 40 by a factor of almost five."
curves = {}
for name in ("uniform", "dip"):
    curves[f"{name}, LSTM"] = errors["memory", name].to_dict()
    pca = {size: [error] for size, error in linear[name].items() if size > 0}
    curves[f"{name}, PCA"] = pca
figures.plot_code_sizes(curves)

# %%
#| label: tbl-code-sizes
#| tbl-cap: "Test MSE of the LSTM autoencoder (mean and standard deviation over the seeds) and of PCA with as many numbers; seconds of one training on one core. *More uniform* has six times as many sequences; *plain* is the control."
table = groups.agg(
    LSTM=("error", "mean"),
    spread=("error", "std"),
    seeds=("seed", "count"),
    epochs=("epochs", "first"),
    seconds=("seconds", "mean"),
)
# A code that is as long as the sequence loses nothing.
pca = [linear[name].get(size, 0) for _, name, size in table.index]
table.insert(2, "PCA", pca)
forms = {"LSTM": "{:.2e}", "spread": "{:.0e}", "PCA": "{:.2e}", "seconds": "{:.0f}"}
for column, form in forms.items():
    table[column] = table[column].map(form.format)
table.replace({"nan": "–", "0.00e+00": "0"})

# %% [markdown]
# With a code of 32 the network has 0.35 of the error of the mean, as PCA has. The gain
# over PCA that the original reports at this size was not reproduced.

# %%
noise_64 = errors["memory", "uniform", 64]
chapter.claim(
    "A code of 64 numbers reconstructs the noise with a test error below 0.0001 from "
    "every seed, in at most a tenth of the original's 500 epochs.",
    max(noise_64) < 1.0e-4 and EPOCHS <= 50,
)
noise_32 = np.mean(errors["memory", "uniform", 32])
chapter.claim(
    "On the noise the error of a code of 32 is within 2 % of that of PCA-32.",
    abs(noise_32 / linear["uniform"][32] - 1) < 0.02,
)
chapter.claim(
    "On the noise a code of 32 has 0.35 of the error of the mean; the original reports "
    "0.31.",
    round(noise_32 / ours, 2) == 0.35 and round(0.027 / original, 2) == 0.31,
)

# %%
more_noise_32 = np.array(errors["memory", "more uniform", 32])
gains = 1 - more_noise_32 / linear["more uniform"][32]
chapter.claim(
    "After training on six times as many sequences a code of 32 is better than PCA-32 "
    "from every seed, by up to 5 %.",
    (0 < gains) & (gains < 0.05),
)
chapter.claim(
    "One seed gains more than 4 % in this way, the others less than 1 %.",
    max(gains) > 0.04 and sorted(gains)[-2] < 0.01,
)

# %% [markdown]
# On the dip data the network is better than PCA at each of these sizes, from every seed.
# The seeds differ: at code 40 one has three times the error of the best one.

# %%
is_better = [
    max(errors["memory", "dip", size]) < linear["dip"][size]
    for size in CODE_SIZES["dip"]
]
chapter.claim("On the dip data each network is better than PCA.", is_better)
chapter.claim(
    "On the dip data the error of a code of 32 is below 0.0145, and below that of PCA-32, "
    "from every seed.",
    max(errors["memory", "dip", 32]) < 0.0145 < linear["dip"][32],
)

# %%
dip_40, pca_40 = errors["memory", "dip", 40], linear["dip"][40]
chapter.claim(
    "On the dip data the error of a code of 40 is below a quarter of that of PCA-40 in the "
    "mean over the seeds, and below half of it from every seed.",
    np.mean(dip_40) < pca_40 / 4 and max(dip_40) < pca_40 / 2,
)
chapter.claim(
    "On the dip data one seed has three times the error of the best one at a code of 40.",
    round(max(dip_40) / min(dip_40)) == 3,
)
chapter.claim(
    "The test errors are those that were recorded after training.",
    [
        training.confirm_scores(run, {"test_mse": error})
        for run, error in zip(all_runs, results["error"], strict=True)
    ],
)

# %% tags=["remove-cell"]
for name, size, reference in [
    ("uniform", 64, 3.5e-4),
    ("uniform", 32, 0.027),
    ("dip", 32, None),
    ("dip", 40, None),
]:
    chapter.result(
        data=f"{name}, code {size}",
        output="reconstruction",
        metric="MSE",
        reference=reference,
        opponent=f"PCA-{min(size, NUM_STEPS - 1)}",
        baseline=linear[name].get(size, 0),
        ours=errors["memory", name, size],
    )

# %% [markdown]
# ## Claims
#
# Each sentence was computed from the networks' weights and the data above; a false one
# stops the notebook and fails its test.

# %%
#| claims: true
chapter.finish()

# %% [markdown]
# ## Discussion
#
# - A network that is initialised as a memory reconstructs the sequences in epochs in
#   which the original's learns next to nothing. The two differ in more than the
#   initialisation: ours also gets the number of the step, starts its decoder from the
#   code and writes backwards. We did not ablate these changes here.
# - Initialisation, units and the form of the decoder were settled before the
#   cross-validation, in some twenty pilot trainings on the first 8,000 sequences of the
#   same generator seed. Some of these are test sequences here: the choices have seen
#   them, the weights not.
# - A code of 64 for 50 values is no compression, here as in the original report; PCA
#   does it exactly with 49. The task says something about compression only below that,
#   and on independent values little more than PCA can be had there.
# - On noise a nonlinear code can gain a few per cent over PCA, since the values are
#   bounded. With a code of 32 and six times the sequences one of our three seeds found
#   that gain, the others less than one per cent. An earlier edition had this one seed
#   only, and took it for the rule; training again with other seeds
#   (`python -m report.other_seeds`) showed it.
# - On the dip data there is structure, and a network that finds the dip needs fewer
#   numbers than a linear code. None of the seeds 100 to 102 of
#   `python -m report.other_seeds` has an error three times that of the best one.
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
chapter.print_versions()
