# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: report
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
#   report:
#     appendix:
#     - appendix.ipynb
#     authors:
#     - The LSTM autoencoders project
#     chapters:
#     - ../notebooks/01_synthetic.ipynb
#     - ../notebooks/02_mnist_rows.ipynb
#     - ../notebooks/03_mnist_pixels.ipynb
#     - ../notebooks/04_sp500.ipynb
#     - ../notebooks/05_rare_events.ipynb
#     - ../notebooks/06_training_questions.ipynb
#     - ../notebooks/07_your_series.ipynb
#     date: November 2026
#     subtitle: 'Homework 2: sequences reconstructed, classified and predicted'
# ---

# %% [markdown]
# # LSTM autoencoders

# %% [markdown]
# ## Abstract
#
# An autoencoder made of two long short-term memory (LSTM) networks reads a sequence
# into one short vector, the code, and writes the sequence again from that vector
# alone. Further outputs on the same code classify the sequence or predict its next
# step. This report builds such networks with the Keras functional API, trains them on
# synthetic sequences, on handwritten digits that are read row by row and pixel by
# pixel, on stock prices and on rare events, and compares every output with the
# strongest simple opponent that its chapter has, on the same test data and by the same
# function. Where the opponent wins, the table says so. Fifteen questions that people
# ask about such training are answered by small experiments, and the last chapter takes
# any table with a column of times and says what is unusual in it. Each chapter is a
# program that has been run to make this document, and each of its findings is a
# sentence that the program has checked.

# %% tags=["remove-input"]
#| label: fig-digits
#| fig-cap: "Digits that were read one pixel at a time, 784 steps, and written from a code of 64 numbers: the first test digits, and what four networks of [chapter 3](../notebooks/03_mnist_pixels.ipynb) write. Three read all steps in one level: as Keras initialises them, trained at length with what the literature advises, or built as a memory; the hierarchical one reads rows, then the image."
#| fig-alt: "A row of ten handwritten digits, and below it rows of what networks write: grey stripes, blurred digits, and clear digits."
import results  # From this folder, in which `report` would be this page.
from IPython.display import Image, Markdown

Image(results.read_picture("03_mnist_pixels", "fig-reconstructions"))

# %% [markdown]
# ## Five findings

# %% tags=["remove-input"]
scores = results.read_scores()
headlines = results.select_headlines(scores)
findings = [
    results.fill_in(
        "**Initialise an LSTM as a memory, and try a dense network first.** From 40 "
        "numbers an LSTM autoencoder reconstructs sequences with a dip to a mean "
        "squared error (MSE) of {dip[Ours]}. Without that initialisation it has more "
        "than ten times the error (chapter 1), and the strongest opponent has less: "
        "{dip[Strongest opponent]}.",
        headlines,
        dip="loses",
    ),
    results.fill_in(
        "**One network can classify and reconstruct.** Digits read row by row are "
        "classified with an accuracy of {rows_label[Ours]} against "
        "{rows_label[Strongest opponent]}. They are reconstructed with an MSE of "
        "{rows_error[Ours]}; the strongest opponent does "
        "nothing else and has {rows_error[Strongest opponent]}.",
        headlines,
        rows_label="wins",
        rows_error="loses",
    ),
    results.fill_in(
        "**Read long sequences in two levels.** Digits read pixel by pixel, 784 steps, "
        "where the original report gave up, are classified by a hierarchical network "
        "with an accuracy of {pixels_label[Ours]} against "
        "{pixels_label[Strongest opponent]}, and reconstructed with an MSE of "
        "{pixels_error[Ours]}, both better than row by row. The opponent that sees all "
        "pixels at once and does nothing else has {pixels_error[Strongest opponent]}.",
        headlines,
        pixels_error="loses",
        pixels_label="wins",
    ),
    results.fill_in(
        "**Where little can be known, simple methods are not beaten.** As a share of "
        "the squared range, the MSE of reconstructed prices is {prices[Ours]} against "
        "{prices[Strongest opponent]}, that of the next day's price {next_day[Ours]} "
        "against {next_day[Strongest opponent]}. Cancelled flights are forecast with a "
        "Brier skill of {airports[Ours]} against {airports[Strongest opponent]}. The "
        "daily range of prices can be predicted, with an LSTM as well as without: "
        "{daily_range[Ours]} against {daily_range[Strongest opponent]}.",
        headlines,
        prices="loses",
        next_day="loses",
        airports="loses",
        daily_range="level",
    ),
    results.fill_in(
        "**What is unusual is found, by simpler methods, too.** In an arterial pressure "
        "a bleeding is found from every seed, with an average precision of "
        "{pressure[Ours]} against {pressure[Strongest opponent]}, and in an "
        "electrocardiogram three anomalies with {ecg[Ours]} against "
        "{ecg[Strongest opponent]}. Utterances of any length are reconstructed, and "
        "their speakers classified with an accuracy of {vowels[Ours]} against "
        "{vowels[Strongest opponent]}.",
        headlines,
        pressure="loses",
        ecg="loses",
        vowels="wins",
    ),
]
Markdown("\n".join(f"{n}. {text}" for n, text in enumerate(findings, start=1)))

# %% [markdown]
# ## Results at a glance
#
# *Ours* is the mean over networks trained from several seeds, ± one standard deviation;
# the *strongest opponent* is the best of the simple methods that the chapter compares
# with. All are scored on test data that no weight was trained on, nearly all choices
# having been made on training and validation data. *Level*: the difference is within
# the spread over the seeds, or within half a per cent. Less is better for the mean
# squared error (MSE), more for the other scores. *Joint*: one network reconstructs and
# classifies. *PCA-64* keeps 64 principal components, *DCT-128* 128 numbers of a cosine
# transform; *AR(5)* is an autoregression on five changes, *HAR* one on means of 1, 5
# and 22 days. A *Brier skill* of 0 is always predicting the share of events, 1 is
# perfect. All scores, with the oracle's and those of the original report, are in
# [the appendix](appendix.ipynb#All-scores).

# %% tags=["remove-input"]
#| label: tbl-results
#| tbl-cap: "Scores on test data, computed by the chapters of this report."
short = results.results_table(headlines)
short.drop(columns=["Original", "Oracle", "Seeds"])

# %% [markdown]
# ## A recipe
#
# An LSTM autoencoder with three outputs, in Keras alone. The chapters vary it. Here `x`
# has the shape (examples, 50, 3), and `targets` an array for each output, by its name.

# %% [markdown]
# ```python
# import keras
# from keras import layers
#
# series = keras.Input((50, 3), name="series")  # (batch, time, features)
# state = layers.LSTM(64)(series)  # Reads the sequence, keeps its last state.
# code = layers.Dense(16, name="code")(state)  # All that the outputs get to see.
#
# start = [layers.Dense(64)(code), layers.Dense(64)(code)]
# steps = layers.RepeatVector(50)(code)  # The code at every step.
# steps = layers.LSTM(64, return_sequences=True)(steps, initial_state=start)
# steps = keras.ops.flip(steps, axis=1)  # The last step was written first.
# outputs = {
#     "reconstruction": layers.Dense(3, name="reconstruction")(steps),
#     "label": layers.Dense(10, activation="softmax", name="label")(code),
#     "next_step": layers.Dense(3, name="next_step")(code),
# }
# model = keras.Model(series, outputs)
#
# # In batches: 100 up to 0.005, then 2000 down to 0.
# schedule = keras.optimizers.schedules.CosineDecay(
#     0.0, decay_steps=2000, warmup_steps=100, warmup_target=0.005
# )
# model.compile(
#     optimizer=keras.optimizers.AdamW(schedule, global_clipnorm=1.0),
#     loss={"reconstruction": "mse", "next_step": "mse",
#           "label": "categorical_crossentropy"},
#     loss_weights={"reconstruction": 1.0, "label": 0.02, "next_step": 0.1},
# )
# model.fit(x, targets, validation_data=validation, epochs=20, batch_size=64)
# encoder = keras.Model(series, code)
# ```
#
# Six rules, and the chapters that show why:
#
# 1. *Know the opponent.* Before any network, score a linear code of the same size
#    (principal components, a cosine transform), and for forecasts persistence, with the
#    same function. Chapter 4 never gets past the cosine transform.
# 2. *Make the state remember.* Keras' default initialisation forgets. Initialised as a
#    memory (`networks.lstm_initializers`) a network has less than a tenth of the error
#    (chapter 1); long sequences are read with chrono biases or in two levels (chapter 3).
# 3. *Search optimizer and learning rate, and let it decay.* Warm up, decay to 0, clip the
#    gradient; chapter 3 gains most from Muon in the place of AdamW. A learning rate that
#    is four times too large can be useless (chapter 1).
# 4. *Weigh the losses.* A cross-entropy is much larger than a squared error; chapter 2
#    searches the weight on held-out data.
# 5. *Keep apart what chooses and what scores.* Validation data choose, test data are
#    scored once, windows of one series do not overlap between them (chapter 5), and no
#    output predicts what its input contains (chapter 4).
# 6. *Train several seeds.* What looks like an improvement with one seed is gone with
#    three (the ablation of chapter 1).
#
# An LSTM autoencoder is the wrong tool where order carries no meaning (a dense
# autoencoder is faster, and reconstructs better in chapter 1), where the structure is
# linear (chapter 4), and where a few known features and a logistic regression say as
# much (chapter 5).

# %% [markdown]
# ## How to read this report
#
# **Chapters.** Each chapter is one executed notebook: its question and its answer, the
# data, the baselines, the network, the scores on test data, and what they do and do not
# show. Chapters can be read in any order. What proves a statement and is not needed to
# follow it stands in the appendix, and a grey line at its place leads there. This
# edition leaves the code out; the edition with code shows it between the same texts,
# figures and tables.
#
# **Sources.** Below each figure and table stand its notebook, the cell that made it, by
# its number in brackets, and the recorded runs behind it: `03_ladder* (16)` are sixteen
# runs whose names begin so, `02_selection` is a cross-validation. What they were trained
# on, and for how long, is in [the appendix](appendix.ipynb#Time-by-chapter).
#
# **Claims.** The appendix lists the claims of each chapter. Each is a sentence that the
# notebook has tested against the networks and the data, marked ✓ if it holds. The
# execution stops at a claim that does not hold.
#
# **Recorded runs.** Training takes hours, reading does not. A network that has been
# trained before with the same configuration, seed and data is loaded with its weights;
# its scores are computed anew. So a chapter shows that code, data and recorded weights
# give the printed numbers, not that training gives these weights again: on another
# processor scores differ in the second or third digit.
#
# **Notation.** Sequences are arrays of shape (examples, time, features). A sequence is
# $x_1, \dots, x_T$, its reconstruction $\hat{x}_1, \dots, \hat{x}_T$ and its code $z$.
# MSE is the mean squared error over the $N$ examples, $T$ time steps and $D$ features:
#
# $$
# \mathrm{MSE} = \frac{1}{N T D} \sum_{n=1}^{N} \sum_{t=1}^{T}
#   \lVert x_t^{(n)} - \hat{x}_t^{(n)} \rVert_2^2.
# \label{eq-mse}
# $$
