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
#     subtitle: 'Homework 2: sequences compressed, restored, recognised and predicted'
# ---

# %% [markdown]
# # LSTM autoencoders

# %% [markdown]
# ## Abstract
#
# An autoencoder made of two long short-term memory (LSTM) networks reads a sequence
# into one short vector, the code, and writes the sequence again from that vector
# alone. Further outputs on the same code name the class of the sequence or predict its
# next step. This report builds such networks with the Keras functional API, trains
# them on synthetic sequences, on handwritten digits that are read row by row and pixel
# by pixel, on stock prices and on rare events, and asks of each output whether it is
# any good: every score stands beside a baseline that is scored by the same function on
# the same test data, and beside its spread over random seeds. Fifteen questions that
# people ask about such training are answered by small experiments.
# Where the task allows no success, as with noise that has nothing to compress, the
# report says so and shows the limit. Each chapter is a program that has been run to
# make this document, and each of its findings is a sentence that the program has
# checked.

# %% [markdown]
# ## Results at a glance
#
# [Table 1](#tbl-results) collects the scores of all chapters. *Reference* is the number
# that the original homework report gives for the same task, where it gives one: always
# on validation data, and for the uniform sequences in its own scaling, in which errors
# are about a tenth larger. *Baseline* is the best of the simple methods that the
# chapter compares with; *ours* is the mean over independently trained networks, ± one
# standard deviation. All of ours and all baselines are scored on test data that took no
# part in training or selection. The flat memory of chapter 3 and the reconstruction of
# chapter 4 are not learnt: they are computed in closed form and written down as the
# weights of an LSTM.

# %% tags=["remove-input"]
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path.cwd().parent))  # The folder that holds report/.
from report import results

# %% tags=["remove-input"]
#| label: tbl-results
#| tbl-cap: "Scores on test data, computed by the chapters of this report."
results.results_table(results.read_scores("."))

# %% [markdown]
# ## How to read this report
#
# **Chapters.** Each chapter is one notebook of the project, executed from the first
# cell to the last: its question and its answer, the data, the baselines, the network,
# the scores on test data, and what they do and do not show. Chapters can be read in
# any order. This edition leaves the code out; the edition with code shows it between
# the same texts, figures and tables.
#
# **Claims.** A chapter ends with a table of claims. Each is a sentence of the text that
# the notebook has tested against the networks and the data, marked ✓ if it holds. The
# execution stops at a claim that does not hold.
#
# **Recorded runs.** Training takes hours, reading does not. A network that has been
# trained before with the same configuration, seed and data is loaded with its weights;
# its scores are computed anew. So a chapter shows that the code, the data and the
# recorded weights give the printed numbers. It does not show that training gives these
# weights again: on another processor the last digits differ.
#
# **Notation.** Sequences are arrays of shape (examples, time, features). A sequence is
# $x_1, \dots, x_T$, its reconstruction $\hat{x}_1, \dots, \hat{x}_T$ and its code $z$.
# MSE is the mean squared error over the $N$ examples, $T$ time steps and $D$ features:
#
# $$
# \mathrm{MSE} = \frac{1}{N T D} \sum_{n=1}^{N} \sum_{t=1}^{T}
#   \left\| x_t^{(n)} - \hat{x}_t^{(n)} \right\|_2^2.
# \label{eq-mse}
# $$
