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
# # 6. Fifteen questions about training
#
# **Question.** What do people ask again and again who train LSTMs and autoencoders, and what does
# the smallest experiment say?
#
# **Data, models.** Whatever settles the question fastest: series with a known distribution, stocks,
# MNIST at 7 x 7 pixels, and the smallest Keras networks in which the question arises.
#
# **Answer.** Often not what is expected. A ReLU output cannot work for centred targets, and a warm
# start is not shown to help against shuffled inputs. Against overfitting on stocks twenty times the
# windows help most, but a linear regression on the few is as good. On an autoregressive series
# least squares on two lags has the oracle's error, and the LSTM, 1 to 2 % above it, loses to it.
# Keras' `predict` ignores `training=True` inside a functional network.
#
# Numbers are means over two or three seeds ± their standard deviation; an interval in brackets is a
# 95 % bootstrap over seeds and 100 blocks of the test data (too narrow rather than too wide).

# %%
from functools import partial

from helpers import baselines, datasets, figures, scores, training
from helpers.chapter import Chapter
from helpers.datasets import settle
from helpers.studies import training_probes as probes
from helpers.windows import one_hot

import keras
import numpy as np
import pandas as pd
from keras import layers
from sklearn.linear_model import LinearRegression

# %% tags=["parameters"]
SEEDS = [0, 1]  # Of first weights, dropout and order of the examples.
MORE_SEEDS = [0, 1, 2]  # Where an answer is a comparison with their spread.
DATA_SEED = 0
BATCH_SIZE = 64
LEARNING_RATE = 0.003  # Of Adam, where no other is given.

# %%
PARTS = ("train", "validation", "test")
chapter = Chapter("06_training_questions", "6. Training questions")


def connect(inputs, stack, optimizer=None, loss="mean_squared_error", metrics=None):
    """A compiled network of layers one after another."""
    outputs = inputs
    for layer in stack:
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer or keras.optimizers.Adam(LEARNING_RATE), loss, metrics=metrics)
    return model


def arguments(build, data, epochs, batch_size=BATCH_SIZE, **options):
    """Arguments of `training.fit`; `data` are those of training and of validation."""
    how = {"x": data[0][0], "y": data[0][1], "validation_data": data[1], "epochs": epochs}
    return {"build": build, "batch_size": batch_size, **how, **options}


# %%
def fit_seeds(name, *how, seeds=SEEDS):
    """Runs of `arguments(*how)`, trained from each seed or recorded."""
    how = arguments(*how)
    return training.fit_all([how | {"name": f"06_{name}_seed{s}", "seed": s} for s in seeds])


def compare(name, arguments_of, names, settings, seeds=SEEDS):
    """Scores of each setting, trained from each seed or recorded: a row for each."""
    return training.cross_validate(
        lambda setting, fold: arguments_of(**setting) | {"seed": seeds[fold]},
        [dict(zip(names, one, strict=True)) for one in settings],
        len(seeds), name=f"06_{name}",
    )


# %% [markdown]
# ## 1. What does categorical cross-entropy minimise in an LSTM?
# The loss falls while the accuracy stands still. An LSTM reads 12 symbols; class 0 has probability 0.5
# whatever was read, 0.4 goes to a class that the first symbol names, 0.1 to all eight classes.

# %%
chances, symbols, drawn = probes.draw_symbols(12_000, np.random.default_rng(DATA_SEED))
read, classes = np.eye(7, dtype="float32")[symbols], one_hot(drawn, 8)
held_out = read[8000:], classes[8000:]
marginal = chances.mean(axis=0)  # The symbols are equally frequent.
levels = {"entropy of the classes": -np.sum(marginal * np.log(marginal))}
levels["oracle"] = -np.mean(np.sum(chances * np.log(chances), axis=1))


# %% tags=["nbval-ignore-output", "remove-output"]
def build_classifier():
    """An LSTM that reads symbols, and the classes' probabilities."""
    stack = [layers.LSTM(16, name="lstm"), layers.Dense(8, "softmax", name="label")]
    how = keras.optimizers.Adam(0.01), "categorical_crossentropy", ["accuracy"]
    return connect(keras.Input((12, 7), name="series"), stack, *how)


data = (read[:8000], classes[:8000]), held_out
symbol_runs = fit_seeds("cross_entropy", build_classifier, data, 16)
rows, targets = (array[:5] for array in held_out)
by_hand = -np.log((probes.predict(symbol_runs[0].model, rows) * targets).sum(axis=1))
val = [pd.DataFrame(run.history)[["val_loss", "val_accuracy"]] for run in symbol_runs]
chapter.claim(
    "1. Cross-entropy is the mean of -log p of the true class (five rows by hand agree to 1e-6), falls to within .03 nats of the oracle's, and the accuracy never rises by .01.",
    [abs(by_hand.mean() - symbol_runs[0].model.evaluate(rows, targets, verbose=0)[0]) < 1e-6]
    + [one["val_loss"].min() < levels["oracle"] + 0.03 for one in val]
    + [one["val_accuracy"].max() < one["val_accuracy"][0] + 0.01 for one in val],
)

# %% tags=["evidence"]
#| label: fig-cross-entropy
#| fig-cap: "Cross-entropy and accuracy after each epoch. Lines: the entropy of the classes, and the oracle, who knows the distribution."
#| fig-alt: "In both seeds the loss falls from the entropy of the classes to that of the oracle, while the accuracy on validation data starts at the oracle's and goes up and down below it."
figures.plot_history(
    {f"seed {run.seed}": run.history for run in symbol_runs},
    ["loss", "accuracy"],
    {"loss": levels, "accuracy": {"oracle": float(held_out[1][:, 0].mean())}},
    **{"log": False, "ylabels": {"loss": "loss (nats)"}},
)

# %% [markdown]
# **Answer.** The mean of $-\log p_y$: the entropy of the classes given what was read plus the
# Kullback-Leibler divergence from the true probabilities. Only the divergence can be learned away;
# the accuracy is the oracle's from the first epoch on, as class 0 is always the best guess.
#
# ## 2. Is the hidden state still adjusted during predict?
# Four sequences of 40 steps are predicted twice, in another order, and in two halves.

# %% tags=["evidence"]
#| label: tbl-state
#| tbl-cap: "What predict does to an LSTM. A stateful one was reset between the last three lines."
state_table = pd.DataFrame({f"stateful={kept}": probes.probe_state(kept) for kept in (False, True)})
chapter.claim(
    "2. Predict never changes the weights; the state starts at zero, unless stateful: only then a second predict differs and halves join.",
    state_table["stateful=False"].tolist() == [True, True, True, True, False]
    and state_table["stateful=True"].tolist() == [True, False, True, True, True],
)
state_table.replace({True: "yes", False: "no"})

# %% [markdown]
# **Answer.** The weights, never. The state runs along each sequence and starts at zero for the next
# one; with `stateful=True` it starts where the last batch ended, until `reset_state`.
#
# ## 3. Which layers behave differently in predict?
# Each layer is called twice as in predict and twice as in training.

# %% tags=["evidence"]
#| label: tbl-modes
#| tbl-cap: "Whether two calls of a layer agree: two as in predict, two as in training, and one of each."
kinds = layers.Dense(8), layers.LSTM(8), layers.LayerNormalization(), layers.BatchNormalization()
tried = {type(layer).__name__: layer for layer in kinds}
tried |= {"Dropout": layers.Dropout(0.5), "GaussianNoise": layers.GaussianNoise(0.1)}
for name in ("dropout", "recurrent_dropout"):
    tried[f"LSTM with {name}"] = layers.LSTM(8, **{name: 0.5})
modes = pd.DataFrame({name: probes.compare_calls(layer) for name, layer in tried.items()}).T
inputs = keras.Input((20,))
forced = keras.Model(inputs, layers.Dropout(0.3)(inputs, training=True))
chapter.claim(
    "3. All eight layers repeat in predict; the four random ones differ in training, and batch normalisation differs from predict without being random; predict overrules `training=True` in a functional network.",
    modes.to_numpy().T.tolist() == [[True] * 8, [True] * 4 + [False] * 4, [True] * 3 + [False] * 5]
    and probes.same(forced.predict(np.ones((100, 20)), verbose=0), 1),
)
modes.replace({True: "yes", False: "no"})

# %% [markdown]
# **Answer.** The random ones (dropout, noise) and batch normalisation. For Monte Carlo dropout (Gal
# & Ghahramani 2016a) call `model(inputs, training=True)`: `Dropout(rate)(tensor, training=True)` in
# a functional network, the older advice, does nothing in this version's `predict`.
#
# ## 4. Variational recurrent dropout: which probability is which?
# Gal & Ghahramani (2016b) keep one mask for all steps of a sequence. Masks are read off LSTMs whose
# gates are held open, and off layers that follow an LSTM.

# %% tags=["evidence"]
#| label: tbl-masks
#| tbl-cap: "Different masks in the steps of a sequence of 49 or 50 steps (the most of 64 sequences), and the share of values that they hide."
keras.utils.set_random_seed(SEEDS[0])
masks = {
    "LSTM(dropout=.2)": probes.read_lstm_masks("dropout", 0.2),
    "LSTM(recurrent_dropout=.5)": probes.read_lstm_masks("recurrent_dropout", 0.5),
    "Dropout(.3)": probes.read_layer_masks(layers.Dropout(0.3)),
    "Dropout(.3, noise_shape=(None, 1, 32))": probes.read_layer_masks(layers.Dropout(0.3, (None, 1, 32))),
}
counts = [{len(np.unique(steps, axis=0)) for steps in kept} for kept in masks.values()]
hidden = [1 - kept.mean() for kept in masks.values()]
chapter.claim(
    "4. The masks of Keras' LSTM are constant over the steps, a Dropout layer's are not; the arguments are shares to hide, not to keep, to .03.",
    counts == [{1}, {1}, {50}, {1}] and np.allclose(hidden, [0.2, 0.5, 0.3, 0.3], atol=0.03),
)
pd.DataFrame({"different masks": [*map(max, counts)], "hidden": np.round(hidden, 2)}, list(masks))

# %% [markdown]
# **Answer.** `dropout` is one less the keep probability of the input, `recurrent_dropout` one less
# that of the state; both hold one mask per sequence. For the output, and between two LSTMs, a
# Dropout layer needs `noise_shape=(None, 1, units)`: without it each step has its own mask.
#
# ## 5. Training converges after 3 epochs on 100,000 points: worry?
# The same LSTM is trained on all 100,000 overlapping windows of ten steps and on the 10,000 that do
# not overlap, in as many steps of the optimiser. The oracle's error in this series,
# $x_t = 1.5 x_{t-1} - 0.8 x_{t-2} + e_t$, is the variance of $e_t$. Opponents: the last value
# (persistence), and least squares on two lags.

# %%
rng = np.random.default_rng(DATA_SEED)
waves = [probes.oscillation(length, rng) for length in (100_010, 5_010, 20_010)]
deviation = waves[0][0].std()
wave_train, wave_validation, wave_test = (probes.cut_windows(one / deviation) for one, _ in waves)
test_windows, test_values = wave_test
noise = waves[2][1][10:, np.newaxis] / deviation  # (examples, 1)
apart = tuple(array[::10] for array in wave_train)  # Windows that do not overlap.


# %% tags=["nbval-ignore-output", "remove-output"]
def build_forecaster():
    """An LSTM that reads ten steps, and the value of the next."""
    stack = [layers.LSTM(16, name="lstm"), layers.Dense(1, name="next_step")]
    return connect(keras.Input((10, 1), name="series"), stack)


forecast_runs = {}
for data, epochs in ((wave_train, 3), (apart, 30)):
    how = build_forecaster, (data, wave_validation), epochs, 128
    forecast_runs[f"LSTM, {len(data[0]):,} windows"] = fit_seeds(f"windows_{len(data[0])}", *how)

# %% tags=["nbval-ignore-output"]
#| label: tbl-steps
#| tbl-cap: "Test MSE in units of the variance, and how much of it is above that of least squares, with a 95 % interval."
two_lags = LinearRegression().fit(wave_train[0][:, -2:, 0], wave_train[1])
forecasts = {"least squares on two lags": [two_lags.predict(test_windows[:, -2:, 0])]}
forecasts |= {"oracle": [test_values - noise], "persistence": [test_windows[:, -1]]}
for name, runs in forecast_runs.items():
    forecasts[name] = [probes.predict(run.model, test_windows) for run in runs]
found = {name: np.square(test_values - group)[..., 0] for name, group in forecasts.items()}
excess = [probes.interval(one - found["least squares on two lags"]) for one in found.values()]
by_name = {name: one.mean(axis=1) for name, one in found.items()}
table = pd.Series(by_name).map(lambda values: scores.with_spread(values, "{:.4f}"))
table.to_frame("MSE").assign(above=[probes.as_text(one, "{:+.4f}") for one in excess])

# %%
least_squares, oracle, persistence, *lstm = by_name.values()
pairs = zip(sum(forecast_runs.values(), []), np.concatenate(lstm), strict=True)
confirmed = [training.confirm_scores(run, {"test_mse": one}) for run, one in pairs]
chapter.claim(
    "5. Least squares on two lags has the oracle's error, to .1 %; the LSTM's is 1 to 2 % above, with intervals of the difference above 0; less than 3 % of the way from persistence to the oracle is left, in all seeds.",
    [abs(least_squares[0] / oracle[0] - 1) < 0.001, 1.01 < lstm[0].mean() / least_squares[0] < 1.02]
    + [low > 0 for _, low, _ in excess[3:]]
    + [max(one) < 0.97 * oracle[0] + 0.03 * persistence[0] for one in lstm],
)
chapter.result(
    data="autoregressive series", output="next step", metric="MSE", unit="of the variance",
    opponent="least squares on two lags", baseline=float(least_squares[0]), oracle=float(oracle[0]),
    ours=lstm[0],
)

# %% [markdown]
# **Answer.** No: judge by the gap to baseline and oracle on test data, not by epochs. Three epochs
# are 2,346 steps here, after which less than 3 % of the way from persistence to the oracle is left.
# Least squares leaves nothing: the LSTM loses to it. Overlapping windows add little.
#
# ## 6. An autoencoder's validation loss is poor and unstable: what next?
# The case: 1000-50-1000 units, ReLU, Adadelta, squared error, data between -10 and 10. Here on
# 18,000 examples of 1000 numbers which, but for noise, come from 40, for six epochs, with one thing
# changed at a time. The opponent is a principal component analysis (PCA) with 50 components.

# %%
rng = np.random.default_rng(DATA_SEED)
factors, mixing = (rng.integers(-8, 9, size) for size in ((20_000, 40), (40, 1000)))
wide = factors.astype("float32") @ mixing.astype("float32")  # Whole numbers: equal everywhere.
wide += rng.integers(-5, 6, wide.shape)
wide = np.clip(wide / 32, -10, 10).astype("float32")  # (examples, 1000)
wide_parts = train, *held_out = np.split(wide, [18_000, 19_000])
scales = {False: 1.0, True: float(train.std())}  # Unscaled, scaled.
# Of validation and test data; errors are shares of the variance.
variances = [float(np.square(rows - train.mean(axis=0)).mean()) for rows in held_out]
pcas = [baselines.pca_errors(train[:, np.newaxis], rows[:, np.newaxis], [50]) for rows in held_out]
errors = pcas[1]  # A name that `score_wide` uses, too: its fingerprint holds this value.
pca_share, pca_test = (one[50] / variance for one, variance in zip(pcas, variances, strict=True))


# %%
def score_wide(validation, test, model, history):
    """Test error, and how well 100 validation rows would tell the error of all."""
    errors = scores.per_example_error(validation, probes.predict(model, validation))
    return {
        "test": scores.mean_squared_error(test, probes.predict(model, test)),
        "noise of 100 rows": errors.std() / errors.mean() / 10,
    }


def wide_arguments(optimizer, rate, scaled, code):
    """Arguments of `training.fit` for one of the settings."""
    train, validation, test = (rows / scales[scaled] for rows in wide_parts)

    def build():
        stack = [layers.Dense(50, code, name="code"), layers.Dense(1000, name="reconstruction")]
        how = getattr(keras.optimizers, optimizer)(rate)
        return connect(keras.Input((1000,), name="values"), stack, how)

    data = (train, train), (validation, validation)
    return arguments(build, data, 6, 32, score=partial(score_wide, validation, test))


# %% tags=["nbval-ignore-output", "remove-output"]
wide_settings = {
    "Adadelta, learning rate 1": ("Adadelta", 1.0, False, "relu"),
    "Adadelta, learning rate .001": ("Adadelta", 0.001, False, "relu"),
    "Adam, learning rate .1": ("Adam", 0.1, False, "relu"),
    "Adam, learning rate .001": ("Adam", 0.001, False, "relu"),
    "Adam .001, scaled": ("Adam", 0.001, True, "relu"),
    "Adam .001, scaled, linear code": ("Adam", 0.001, True, "linear"),
}
names = ("optimizer", "rate", "scaled", "code")
wide_table = compare("autoencoder", wide_arguments, names, wide_settings.values())

# %%
#| label: fig-wide
#| fig-cap: "Share of the variance that is not reconstructed, validation data, mean of two seeds. Data divided by their standard deviation where it says *scaled*."
#| fig-alt: "Adadelta at its present default learning rate of .001 stays at the start. Adam at learning rate .1 rises from the third epoch on, jumps above 10 in the fifth and falls back to 1. Adadelta at learning rate 1 and Adam fall slowly, Adam on scaled data faster, and with a linear code the error is a little above the line of PCA from the first epoch on."
squares = wide_table["scaled"].map(scales).to_numpy() ** 2  # Undoes the scaling.
losses = np.array([history["val_loss"] for history in wide_table["history"]]).T
losses = (losses * squares / variances[0]).T.reshape(6, len(SEEDS), 6)  # The last: epochs.
curves = dict(zip(wide_settings, losses.mean(axis=1), strict=True))
curves = {name: {"val_loss": curve} for name, curve in curves.items()}
figures.plot_history(curves, "loss", {"PCA-50": pca_share}, ylabels={"loss": "share of variance"})

# %%
rises = (losses[:, :, 1:] / losses[:, :, :-1]).max(axis=2)  # (settings, seeds)
_, adadelta, _, adam, scaled, linear = losses[:, :, -1]
chapter.claim(
    "6. At a learning rate of .1 an epoch raises the validation loss by half or more, in each seed; in no other training by more than 3 %.",
    rises[2].min() > 1.5 and np.delete(rises, 2, axis=0).max() < 1.03,
)
chapter.claim(
    "6. With Adadelta's default learning rate in this Keras, .001, nothing is learned in 3,378 steps; scaling divides Adam's error by 4 or more, a linear code that by 2 or more, to 1.2 to 1.5 times that of PCA-50.",
    [np.isclose(keras.optimizers.Adadelta().learning_rate, 0.001), adadelta.min() > 1]
    + [4 * scaled.max() < adam.min(), 2 * linear.max() < scaled.min()]
    + [1.2 < share / pca_share < 1.5 for share in linear],
)
wide_test = (wide_table["test"] * squares / variances[1]).to_numpy()
chapter.result(
    data="1000 numbers, code 50", output="reconstruction", metric="MSE", unit="of the variance",
    opponent="PCA-50", baseline=float(pca_test), ours=wide_test[-len(SEEDS):],
)

# %% [markdown]
# **Answer.** Look at the learning rate: too high it makes the loss unstable, too low poor
# (Adadelta's default was 1, now 0.001). Then scale the data, then drop the code's ReLU. PCA wins.
#
# ## 7. Overfitting at once: shrink the network or regularise?
# Two hidden layers of 64 units learn how far a stock moves on the next day (log scale) from the
# last ten: 500 windows of 2003 to 2005. Every remedy is tried alone and scored on 2007; the larger
# set has 10,000 windows and one epoch, which is as many steps.

# %%
closes = datasets.load_closes()
moves = np.log(np.abs(np.diff(np.log(closes.prices["close"]), axis=1)) + 0.002)
years = closes.dates[1:].astype("datetime64[Y]").astype(int) + 1970
scale = moves[:, years <= 2005].mean(), moves[:, years <= 2005].std()
moves = settle((moves - scale[0]) / scale[1])  # (stocks, days)
rng, stock_windows = np.random.default_rng(DATA_SEED), {}
for era, days in zip(PARTS, (years <= 2005, years == 2006, years == 2007), strict=True):
    cut = np.lib.stride_tricks.sliding_window_view(moves[:, days], 11, axis=1)
    cut = cut.reshape(-1, 11)[rng.permutation(cut.shape[0] * cut.shape[1])[:10_000]]
    stock_windows[era] = cut[:, :10], cut[:, 10:]


# %%
def score_stocks(days, moves, model, history):
    """Test MSE, and the epoch with the lowest validation MSE."""
    return {
        "test": scores.mean_squared_error(moves, probes.predict(model, days)),
        "best epoch": 1 + np.argmin(history["val_mean_squared_error"]),
    }


def stock_arguments(units, dropout, decay, num_windows, epochs, stop):
    """Arguments of `training.fit` for a remedy; early stopping keeps the best epoch."""
    def build():
        stack, metrics = [], ["mean_squared_error"]
        for number in (1, 2):
            decayed = {"kernel_regularizer": keras.regularizers.L2(decay), "name": f"hidden_{number}"}
            stack += [layers.Dense(units, "relu", **decayed)]
            stack += [layers.Dropout(dropout, name=f"dropout_{number}")]
        days, move = keras.Input((10,), name="days"), layers.Dense(1, name="move")
        return connect(days, [*stack, move], metrics=metrics)

    train = tuple(array[:num_windows] for array in stock_windows["train"])
    how = {"patience": epochs, "mode": "min", "restore_best_weights": True}
    best = keras.callbacks.EarlyStopping("val_mean_squared_error", **how)
    how = {"callbacks": [best] * stop, "score": partial(score_stocks, *stock_windows["test"])}
    return arguments(build, (train, stock_windows["validation"]), epochs, 16, **how)


# %% tags=["nbval-ignore-output", "remove-output"]
names = ("units", "dropout", "decay", "num_windows", "epochs", "stop")
remedies = {
    "none": (64, 0.0, 0.0, 500, 20, False),
    "4 units": (4, 0.0, 0.0, 500, 20, False),
    "dropout .5": (64, 0.5, 0.0, 500, 20, False),
    "L2 .1": (64, 0.0, 0.1, 500, 20, False),
    "early stopping": (64, 0.0, 0.0, 500, 20, True),
    "10,000 windows": (64, 0.0, 0.0, 10_000, 1, False),
}
stock_table = compare("overfitting", stock_arguments, names, remedies.values(), MORE_SEEDS)

# %%
#| label: tbl-overfitting
#| tbl-cap: "Test MSE of the year 2007 in units of the variance of the training years; constant: their mean."
test_days, test_moves = stock_windows["test"]
stock_mse = dict(zip(remedies, stock_table["test"].to_numpy().reshape(-1, 3), strict=True))
for count in (500, 10_000):
    fitted = [array[:count].astype("float64") for array in stock_windows["train"]]
    forecast = LinearRegression().fit(*fitted).predict(test_days)
    error = scores.mean_squared_error(test_moves, forecast)
    stock_mse[f"linear regression, {count:,} windows"] = np.array([error])
stock_mse["constant"] = np.array([np.square(test_moves).mean()])
none, *others, more, line, long_line, _ = stock_mse.values()
chapter.claim(
    "7. Without a remedy the validation error is best in the first 3 epochs, in all seeds; every remedy takes a fifth or more off the test error; linear regression on 500 windows beats all that have no more; 10,000 windows equal it to .01, and lose to it on as many.",
    [stock_table["best epoch"][:3].max() <= 3, np.max([*others, more]) < 0.8 * none.mean()]
    + [line[0] < np.mean(others, axis=1).min(), abs(more.mean() - line[0]) < 0.01]
    + [long_line[0] < more.min()],
)
pd.DataFrame({"test MSE": {name: scores.with_spread(one) for name, one in stock_mse.items()}})

# %% [markdown]
# **Answer.** Either is better than nothing, but on the same windows a linear regression beats the
# network with any remedy. Other windows help most; even then the regression on as many is ahead.
#
# ## 8. ReLU on the output for regression?
# A small dense network predicts the series of question 5, whose values lie around zero, with five
# output activations. The limit beside each is the error of the oracle's forecast, cut to its range.

# %%
def score_forecast(windows, values, model, history):
    """Test error, and the share of predictions that are exactly zero."""
    predicted = probes.predict(model, windows)
    mse = scores.mean_squared_error(values, predicted)
    return {"mse": mse, "zeros": np.mean(predicted == 0)}


def output_arguments(activation, bias):
    """Arguments of `training.fit` for an output's activation and first bias."""
    def build():
        stack = [layers.Flatten(name="flat"), layers.Dense(16, "relu", name="hidden")]
        start = keras.initializers.Constant(bias)
        stack += [layers.Dense(1, activation, bias_initializer=start, name="next_step")]
        return connect(keras.Input((10, 1), name="window"), stack)

    return arguments(build, (apart, wave_validation), 8, score=partial(score_forecast, *wave_test))


# %% tags=["nbval-ignore-output", "remove-output"]
starts = [(name, 0.0) for name in ("linear", "tanh", "sigmoid", "softplus", "relu")]
starts += [("linear", -5.0), ("relu", -5.0)]
output_table = compare("output", output_arguments, ("activation", "bias"), starts)
lowest, highest = {"linear": -np.inf, "tanh": -1}, {"tanh": 1, "sigmoid": 1}
ranges = [(lowest.get(name, 0), highest.get(name, np.inf)) for name, _ in starts]

# %%
#| label: tbl-output
#| tbl-cap: "Test MSE by the activation of the output and its first bias, in units of the variance, which a constant has, and the limit that the range sets."
limit = [np.square((test_values - noise).clip(*one) - test_values).mean() for one in ranges]
by_output = output_table.groupby(["activation", "bias"], sort=False)["mse"]
best, worst = by_output.min().to_numpy(), by_output.max().to_numpy()
chapter.claim(
    "8. With each output the error is at the limit of its range, to 10 %, in all seeds: with a ReLU more than 4 times that of a linear output; started at -5 a ReLU is no better than a constant, a linear output recovers.",
    [*(best / limit > 0.99)[:5], *(worst / limit < 1.1)[:5], best[4] > 4 * worst[0]]
    + [best[6] > 0.99, worst[5] < 2 * limit[0]],
)
by_output.apply(scores.with_spread).to_frame("MSE").assign(limit=[f"{one:.3f}" for one in limit])

# %% [markdown]
# **Answer.** No, if targets can be negative: the error is more than four times that of a linear
# output. And a ReLU that starts below zero has no gradient and stays there.
#
# ## 9. Does a larger embedding slow training though few rows are used?
# The time per step, of 64 words, is measured for vocabularies of which only the first 100 words
# occur; and it is counted how many of 1,000 rows a second step, of 20 other words, changes.

# %% tags=["nbval-ignore-output", "evidence"]
#| label: tbl-embedding
#| tbl-cap: "Milliseconds of processor time per training step by the size of the vocabulary, and rows of 1,000 that a step with 20 words changes."
optimizers, sizes = ["sgd", "adam", "adamw"], (100, 10_000, 100_000)
times = {f"{n:,} words": [probes.step_milliseconds(n, one) for one in optimizers] for n in sizes}
changed = [probes.count_changed_rows(name) for name in optimizers]
small, _, large = times.values()
chapter.claim(
    "9. With Adam, 1,000 times the words cost more than 4 times the time, and more than with SGD; a step with 20 words changes 20 rows with SGD, 40 with Adam and all 1,000 with AdamW.",
    large[1] > 4 * small[1] and large[1] > large[0] and changed == [20, 40, 1000],
)
pd.DataFrame(times, index=optimizers).map("{:.1f}".format).assign(rows=changed)

# %% [markdown]
# **Answer.** Yes. The optimiser goes through all rows: Adam moves those of earlier steps on, and
# weight decay (AdamW) shrinks all.
#
# ## 10. Batch normalisation outside CNNs, and of one-hot targets?
# 2,048 examples of 16 numbers pass a layer for ten epochs: how far are its outputs in predict from
# those as trained? And what is the cross-entropy of normalised one-hot targets?

# %% tags=["evidence"]
#| label: tbl-normalisation
#| tbl-cap: "Root mean square between outputs as trained and in predict, of outputs with deviation 1, after ten epochs in batches of a size."
gaps = {
    kind.__name__: {size: probes.mode_gap(kind(), size) for size in (8, 32, 256)}
    for kind in (layers.BatchNormalization, layers.LayerNormalization)
}
batch, layer = (np.array([*of_kind.values()]) for of_kind in gaps.values())
chapter.claim(
    "10. Outputs of batch normalisation are apart by .3 or more in batches of 8, .1 to .3 in batches of 32, .8 or more in batches of 256, whose 80 steps are too few for the averages; those of layer normalisation agree.",
    [batch[0] > 0.3, 0.1 < batch[1] < 0.3, batch[2] > 0.8, layer.max() < 1e-5],
)
normal = (classes - classes.mean(axis=0)) / classes.std(axis=0)
wrong = np.roll(classes, 1, axis=1)  # Certain of the next class.
rewarded = np.array(keras.losses.categorical_crossentropy(normal, wrong)) < 0
chapter.claim(
    "10. Seven of eight normalised targets are negative; certainty of a wrong class has a cross-entropy below 0 in half of the examples (50 to 55 %).",
    [(normal < 0).mean() == 7 / 8, 0.5 < rewarded.mean() < 0.55],
)
pd.DataFrame(gaps).T.map("{:.2f}".format).rename_axis("batches of", axis=1)

# %% [markdown]
# **Answer.** With care: in predict it is another function. Small batches give noisy statistics, and
# in few steps the kept averages do not come near the truth; layer normalisation has neither fault.
# Normalised targets are no probabilities: certainty that is wrong can be rewarded.
#
# ## 11. Should embeddings be normalised if their mean cosine is above 0.99?
# Scaling cannot change a cosine; centring on the mean of the training codes can. Codes are of an LSTM
# autoencoder of digits (7 x 7 pixels) after one epoch and after eight; accuracy is that of the
# nearest training code by cosine, found in single precision, as usual, and in double.

# %%
mnist = datasets.load_mnist()
blocks = np.concatenate([mnist.train_images[:8000], mnist.test_images]).astype("float64")
blocks = settle(blocks.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)))
digits = dict(zip(PARTS, np.split(blocks, [6000, 8000]), strict=True))  # (examples, 7, 7)
numbers = np.concatenate([mnist.train_labels[:8000], mnist.test_labels])
labels = dict(zip(PARTS, np.split(numbers, [6000, 8000]), strict=True))
twice = [(digits[part], digits[part]) for part in PARTS[:2]]  # Inputs are targets.


# %% tags=["nbval-ignore-output", "remove-output"]
def build_encoder_decoder():
    """A small LSTM autoencoder of Keras' own layers."""
    stack = [layers.LSTM(32, name="encoder"), layers.Dense(16, "sigmoid", name="code")]
    decoder = layers.LSTM(32, return_sequences=True, name="decoder")
    stack += [layers.RepeatVector(7, name="repeated"), decoder]
    stack += [layers.Dense(7, "sigmoid", name="reconstruction")]
    return connect(keras.Input((7, 7), name="rows"), stack, keras.optimizers.Adam(0.01))


code_runs = {n: fit_seeds(f"codes_{n}_epochs", build_encoder_decoder, twice, n, 32) for n in (1, 8)}


# %% tags=["evidence"]
def describe_codes(train, test):
    """Mean cosine, and accuracy of the nearest neighbour in single and double precision."""
    accuracies = []
    for precision in ("float32", "float64"):
        known, units = (probes.unit_length(one).astype(precision) for one in (train, test))
        nearest = [(part @ known.T).argmax(axis=1) for part in np.array_split(units, 10)]
        accuracies.append(np.mean(labels["train"][np.concatenate(nearest)] == labels["test"]))
    return [probes.mean_cosine(test), *accuracies]


code_values = {}  # Per epochs and variant: a row per seed.
for epochs, run in ((epochs, run) for epochs, runs in code_runs.items() for run in runs):
    encoder = keras.Model(run.model.input, run.model.get_layer("code").output)
    codes = [probes.predict(encoder, digits[part]) for part in ("train", "test")]
    for name, centre in (("raw", 0), ("centred", codes[0].mean(axis=0))):
        row = describe_codes(*(part - centre for part in codes))
        code_values.setdefault(f"epoch {epochs}, {name}", []).append(row)
flat = (digits[part].reshape(-1, 49) for part in ("train", "test"))
code_values["pixels"] = [describe_codes(*flat)]

# %% tags=["nbval-ignore-output", "evidence"]
#| label: tbl-cosine
#| tbl-cap: "Mean cosine of the test codes and accuracy of the nearest neighbour by cosine; last line: of the pixels themselves."
early, early_centred, late, late_centred, plain = values = [*map(np.array, code_values.values())]
chapter.claim(
    "11. After one epoch the mean cosine is above .9999, centring adds 20 points of accuracy or more, double precision alone 10; after eight it is below .9, neither adds 2, and the pixels are better.",
    [early[:, 0].min() > 0.9999, (early_centred - early)[:, 1].min() > 0.2]
    + [(early[:, 2] - early[:, 1]).min() > 0.1, late[:, 0].max() < 0.9]
    + [np.max([late[:, 2], late_centred[:, 1]] - late[:, 1]) < 0.02]
    + [max(late[:, 1:].max(), late_centred[:, 1:].max()) < plain[0, 1]],
)
shown = [[scores.with_spread(one, "{:.4f}") for one in rows.T] for rows in values]
pd.DataFrame(shown, [*code_values], ["mean cosine", "accuracy, single", "accuracy, double"])

# %% [markdown]
# **Answer.** Not of a trained network. Above 0.9999 what differs drowns in the rounding of single
# precision; centring brings it out, but such codes are of a network that has hardly learned.
#
# ## 12. Does the final accuracy depend on the precision?
# An LSTM classifies the digits in double, single and mixed 16-bit precision (bfloat16 products,
# single weights), each time from the same first weights, drawn in single precision.

# %% tags=["nbval-ignore-output", "remove-output"]
def build_row_reader(precision):
    """An LSTM classifier of digits, with first weights drawn in single precision."""
    models = []
    for dtype in ("float32", precision):
        # The softmax stays in single precision or better, as Keras advises.
        last = {"dtype": dtype.replace("mixed_bfloat16", "float32"), "name": "label"}
        stack = [layers.LSTM(32, dtype=dtype, name="lstm"), layers.Dense(10, "softmax", **last)]
        rows = keras.Input((7, 7), name="rows")
        models.append(connect(rows, stack, loss="categorical_crossentropy"))
    models[1].set_weights(models[0].get_weights())
    return models[1]


centre, width = digits["train"].mean(dtype="float64"), digits["train"].std(dtype="float64")
scaled = {part: settle((rows - centre) / width) for part, rows in digits.items()}
data = [(scaled[part], one_hot(labels[part], 10)) for part in PARTS[:2]]
precision_runs = {
    name: fit_seeds(f"digits_{name}", partial(build_row_reader, name), data, 8, seeds=MORE_SEEDS)
    for name in ("float64", "float32", "mixed_bfloat16")
}


# %% tags=["nbval-ignore-output", "evidence"]
#| label: tbl-precision
#| tbl-cap: "Test accuracy by precision (the most frequent digit: 11.35 %), and what it has more than single precision, with a 95 % interval."
def find_hits(runs, rows):
    """Whether each network classifies each of 10,000 test digits rightly, 0 or 1."""
    guesses = [probes.predict(run.model, rows).argmax(axis=1) for run in runs]
    return (np.array(guesses) == labels["test"]).astype("float64")


def compare_hits(hits, base):
    """Differences from the accuracy of `base`, and a table."""
    gains = {name: probes.interval(one - hits[base]) for name, one in hits.items()}
    shown = {"accuracy": {k: scores.with_spread(v.mean(axis=1), "{:.2%}") for k, v in hits.items()}}
    return gains, pd.DataFrame(shown | {"more": {k: probes.as_text(v) for k, v in gains.items()}})


hits = {name: find_hits(runs, scaled["test"]) for name, runs in precision_runs.items()}
double, single, half = (one.mean(axis=1) for one in hits.values())
chapter.claim(
    "12. In each seed double precision changes the accuracy by .1 points at most, 16 bits by .2 and less than the seeds.",
    np.abs(double - single).max() <= 0.001
    and np.abs(half - single).max() < min(0.002, np.ptp(single)),
)
compare_hits(hits, "float32")[1]

# %% [markdown]
# **Answer.** No: double precision is as accurate as single, 16 bits change less than another seed.
#
# ## 13. Why normalise with another set's mean and deviation?
# The networks in single precision read test digits scaled with the training set's numbers, their own,
# or those of their class (a test set of one digit only); and digits of half the contrast.

# %% tags=["nbval-ignore-output", "evidence"]
#| label: tbl-scaling
#| tbl-cap: "Test accuracy by the scaling of the test digits, and what it has more than with the training set's numbers, with a 95 % interval."
def with_own(rows):
    """Rows scaled with their own mean and deviation."""
    return settle((rows - rows.mean(dtype="float64")) / rows.std(dtype="float64"))


test_rows, faint = digits["test"], digits["test"] / 2
by_class = np.empty_like(test_rows)
for number in range(10):
    by_class[labels["test"] == number] = with_own(test_rows[labels["test"] == number])
scalings = {"training set's": scaled["test"], "own": with_own(test_rows)}
scalings |= {"own, one digit at a time": by_class, "half contrast, own": with_own(faint)}
scalings["half contrast, training set's"] = settle((faint - centre) / width)
hits = {name: find_hits(precision_runs["float32"], rows) for name, rows in scalings.items()}
gains, table = compare_hits(hits, "training set's")
_, own, one_digit, faint_own, faint = gains.values()
chapter.claim(
    "13. Own numbers of ten thousand digits change the accuracy by .1 points at most, at half the contrast, too, where the training set's cost 5 or more; of one digit at a time they cost half a point or more.",
    max(abs(own[0]), abs(faint_own[0])) <= 0.001 and faint[2] < -0.05 and one_digit[2] < -0.005,
)
table

# %% [markdown]
# **Answer.** Because the network has learned on one map; numbers from one digit at a time remove what
# tells digits apart. When all data have changed, as in contrast, their own numbers undo that.
#
# ## 14. What do activation layers learn?
# The weights of five kinds with 64 units are counted.

# %% tags=["remove-output"]
kinds = [layers.ReLU(), layers.LeakyReLU(), layers.ELU(), layers.Softmax(), layers.PReLU()]
for layer in kinds:
    layer.build((None, 64))
print(counts := {type(layer).__name__: layer.count_params() for layer in kinds})
chapter.claim(
    "14. ReLU, LeakyReLU, ELU and softmax have no weights, PReLU has one per unit.",
    [*counts.values()] == [0, 0, 0, 0, 64],
)

# %% [markdown]
# **Answer.** Nothing, but for PReLU, which learns a slope per unit.
#
# ## 15. Why does shuffling the order of the inputs lead to underfitting?
# The task: the range (largest less smallest) of eight numbers, 2,000 sets. An LSTM reads them in
# ascending order, or in five shuffled orders of each set in as many steps, started afresh or with
# the weights of the first (*warm start*).

# %%
rng = np.random.default_rng(DATA_SEED)
items = settle(rng.normal(size=(8000, 8)))
spans = np.ptp(items.astype("float64"), axis=1, keepdims=True)
spans = settle((spans - spans.mean()) / spans.std())  # (examples, 1)
ascending, shuffled = np.sort(items, axis=1)[..., np.newaxis], items[..., np.newaxis]
orders = np.concatenate([rng.permuted(items[:2000], axis=1) for _ in range(5)])
five_orders = orders[..., np.newaxis], np.tile(spans[:2000], (5, 1))
set_train = dict.fromkeys(("shuffled", "warm"), five_orders)
set_train["ascending"] = ascending[:2000], spans[:2000]


# %%
def build_order_reader(weights=None):
    """An LSTM that reads eight numbers; `weights` are those of a warm start."""
    output = layers.Dense(1, name="range")
    model = connect(keras.Input((8, 1), name="numbers"), [layers.LSTM(24, name="lstm"), output])
    if weights is not None:
        model.set_weights(weights)
    return model


# %% tags=["nbval-ignore-output", "remove-output"]
def fit_sets(name, seeds=MORE_SEEDS, weights=None):
    """Trains on one kind of sets, from each seed, in as many steps as on the others."""
    held_out = (shuffled, ascending)[name == "ascending"][2000:4000], spans[2000:4000]
    data, build = (set_train[name], held_out), partial(build_order_reader, weights)
    return fit_seeds(f"sets_{name}", build, data, 40_000 // len(set_train[name][0]), 32, seeds=seeds)


set_runs = {name: fit_sets(name) for name in ("ascending", "shuffled")}
warm = [fit_sets("warm", [run.seed], run.model.get_weights()) for run in set_runs["ascending"]]
set_runs["warm"] = sum(warm, [])

# %% tags=["nbval-ignore-output"]
#| label: tbl-sets
#| tbl-cap: "MSE of the range as a share of its variance (a constant: 1): sets of the training in the order trained with, and 4,000 test sets in both orders."
set_errors = {}  # (seeds, examples) by network and part.
for name, runs in set_runs.items():
    parts = {"training sets": set_train[name], "test, ascending": (ascending[4000:], spans[4000:])}
    parts["test, shuffled"] = shuffled[4000:], spans[4000:]
    for part, (sets, ranges) in parts.items():
        predicted = [probes.predict(run.model, sets) for run in runs]
        set_errors[name, part] = np.array([scores.per_example_error(ranges, p) for p in predicted])
    for number, run in enumerate(runs):
        values = {part: set_errors[name, part][number].mean() for part in parts}
        confirmed.append(training.confirm_scores(run, values))
set_mse = pd.Series({key: one.mean(axis=1) for key, one in set_errors.items()})
gain = probes.interval(set_errors["shuffled", part] - set_errors["warm", part])
print("shuffled test sets, gain of the warm start:", probes.as_text(gain, "{:+.4f}"))
chapter.claim(
    "15. Shuffled orders underfit: more than 5 times the training error of the ascending order, in as many steps; sorting first divides the test error by 5 or more; a warm start is not shown to help, the interval of its gain reaches below 0.",
    [set_mse["shuffled", "training sets"].min() > 5 * set_mse["ascending", "training sets"].max()]
    + [set_mse["shuffled", "test, shuffled"].min() > 5 * set_mse["ascending", "test, ascending"].max()]
    + [gain[1] < 0],
)
chapter.claim("The scores of the networks are those recorded after training.", confirmed)
set_mse.map(lambda values: scores.with_spread(values, "{:.4f}")).unstack(sort=False)

# %% [markdown]
# **Answer.** Because one network has to learn all orders instead of one; a warm start is not shown
# to help. Sorting the inputs before reading them is far better: look for an order that helps.
#
# ## Claims

# %% tags=["evidence"]
#| claims: true
chapter.finish()

# %% [markdown]
# ## Discussion
# - Each answer holds for the smallest network that shows it, two or three seeds and one data set. It
#   refutes a general rule where it contradicts it; it does not prove one.
#
# ## References
# - Y. Gal and Z. Ghahramani, "Dropout as a Bayesian approximation", *ICML*, 2016a, arXiv:1506.02142.
# - Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural
#   networks", *NeurIPS*, 2016b, arXiv:1512.05287.

# %% tags=["nbval-ignore-output", "evidence"]
chapter.print_versions()
