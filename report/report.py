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
#     authors:
#     - The LSTM autoencoders project
#     chapters:
#     - ../notebooks/01_synthetic.ipynb
#     - ../notebooks/02_mnist_rows.ipynb
#     - ../notebooks/03_mnist_pixels.ipynb
#     - ../notebooks/04_sp500.ipynb
#     - ../notebooks/05_rare_events.ipynb
#     - ../notebooks/06_training_questions.ipynb
#     - appendix.ipynb
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
# ask about such training are answered by small experiments. Each chapter is a program
# that has been run to make this document, and each of its findings is a sentence that
# the program has checked.

# %% tags=["remove-input"]
import results  # From this folder, in which `report` would be this page.
from IPython.display import Markdown

scores = results.read_scores()
table = results.results_table(scores).set_index("Output", append=True)
found = {
    place[1:]: f"{row['Ours'].replace(' ', chr(160))} "
    f"against {row['Strongest opponent']}"
    for place, row in table.iterrows()
}
Markdown(
    "Some of the scores on test data, against the strongest opponent. Digits read row "
    "by row: mean squared error "
    f"{found['LSTM, joint', 'reconstruction']}, accuracy "
    f"{found['LSTM, joint', 'label']}. Pixel by pixel: "
    f"{found['hierarchical', 'reconstruction']} and {found['hierarchical', 'label']}. "
    "Tomorrow's price of a stock, mean squared error as a share of the squared range: "
    f"{found['other stocks, later', 'next day']}."
)

# %% [markdown]
# ## Results at a glance
#
# [Table 1](#tbl-results) collects the scores of all chapters. *Original* is the number
# that the original homework report gives for the same task, where it gives one: always
# on validation data, for the uniform sequences in its own scaling, in which errors are
# about an eighth larger, and for the S&P 500 on data of its own. The *strongest
# opponent* is the best of the simple methods that the chapter compares with; the
# *oracle* is what nothing beats but by luck, where that is known. *Ours* is the mean
# over networks trained from several seeds, ± one standard deviation. The *verdict*
# compares ours with the opponent; *level* means that the difference is within the
# spread over the seeds, or within half a per cent. All are scored on test data that no
# weight was trained on. Choices were made on training and validation data; the few that
# followed a look at test data are named in the discussions of the chapters.
#
# Less is better for the mean squared error (MSE), more for the other scores. *Of the
# squared range* (of the window's prices) and *of the variance*: divided by it. *Joint*:
# one network reconstructs and classifies. *Brier skill*: 1 is perfect, 0 is always
# predicting the share of events; *of the oracle's*: as a fraction of the oracle's
# skill.

# %% tags=["remove-input"]
#| label: tbl-results
#| tbl-cap: "Scores on test data, computed by the chapters of this report."
results.results_table(scores)

# %% [markdown]
# ## How to read this report
#
# **Chapters.** Each chapter is one executed notebook: its question and its answer, the
# data, the baselines, the network, the scores on test data, and what they do and do not
# show. Chapters can be read in any order. This edition leaves the code out; the edition
# with code shows it between the same texts, figures and tables.
#
# **Claims.** A chapter ends with its claims. Each is a sentence that the notebook has
# tested against the networks and the data, marked ✓ if it holds. The execution stops at
# a claim that does not hold.
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
