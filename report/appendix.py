# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     formats: ipynb,py:percent
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
# # All scores, all trainings

# %% tags=["remove-input"]
import ast
import json

from helpers.files import report_folder
from helpers.retraining import LONG_TRAINING

import pandas as pd
import results  # From this folder, as is `status`.
from status import read_status

# %% [markdown]
# ## All scores
#
# *Original* is the number that the original homework report gives for the same task,
# where it gives one: always on validation data, for the uniform sequences in its own
# scaling, in which errors are about an eighth larger, and for the S&P 500 on data of
# its own. The *oracle* is the best achievable score in expectation, where it is known.
# *Of the squared range* (of the window's prices) and *of the variance*: divided by it.
# *Brier skill*: 1 is perfect, 0 is always predicting the share of events; *of the
# oracle's*: as a fraction of the oracle's skill. The few choices that followed a look
# at test data are named in the discussions of the chapters.

# %% tags=["remove-input"]
#| label: tbl-scores
#| tbl-cap: "All scores on test data, as the chapters have recorded them."
scores = results.results_table(results.read_scores())
scores.rename(lambda task: task.partition(".")[0], level="Task").rename_axis(
    ["Chapter", "Data"]
)


# %% tags=["remove-input"]
def read_run(name):
    """Reads what the record of a network says of itself."""
    path = report_folder() / "runs" / name / "run.json"
    record = json.loads(path.read_text("utf-8"))
    parts = record["parts"]
    examples, *shape = ast.literal_eval(parts["x"].partition(")")[0] + ")")
    network, _, seed = record["name"].rpartition("_seed")
    settings = record["settings"]
    weights = (settings["loss_weights"] or {}).values()
    return {
        "chapter": int(record["name"][:2]),
        "network": (network if seed.isdigit() else record["name"])[3:],
        "examples": examples,
        "shape": " × ".join(map(str, shape)),
        "optimizer": settings["optimizer"],
        "rate": f"{settings['learning_rate']:g}",
        "loss weights": ", ".join(f"{weight:g}" for weight in weights),
        "batch": parts["batch_size"],
        "seeds": int(seed) if seed.isdigit() else None,
        "epochs": len(record["history"]["loss"]),
        "seconds": record["seconds"],
        "versions": record["versions"] | {"cores": record["cores"]},
    }


def as_range(values):
    """Formats equal values as one, others from the smallest to the largest."""
    low, high = values.min(), values.max()
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f}–{high:.0f}"


# %% [markdown]
# ## Time by chapter
#
# Each training behind the other chapters writes down what it was called with and what
# it took. Networks whose weights are recorded are listed one by one. Of models that are
# only compared with each other, in cross-validations (chapters 1, 2, 4 and 7) and over
# several seeds (chapters 5 and 6), just the scores are recorded, and they are counted.
# Trainings of a few seconds that are repeated whenever a chapter is executed, such as
# the timings of chapter 6, are not.
#
# Wall time of the trainings that are recorded, on a laptop-sized machine with two
# cores, the other core busy with another training most of the time. Absolute times say
# little: what else goes on in the machine may change them several times over.

# %% tags=["remove-input"]
#| label: tbl-time
#| tbl-cap: "Recorded networks and models of which only the scores are recorded, and the minutes of those that `RETRAIN=1 make report` and `RETRAIN=all make report` repeat."
trainings = read_status()
record = trainings["name"].str.partition("/")[0]  # A cross-validation is one.
short = trainings.groupby(record)["seconds"].transform("sum") <= LONG_TRAINING
times = pd.DataFrame(
    {
        "networks": trainings["model"],
        "scored only": ~trainings["model"],
        "minutes, RETRAIN=1": trainings["seconds"].where(short, 0) / 60,
        "minutes, RETRAIN=all": trainings["seconds"] / 60,
    }
)
times = times.groupby(trainings["chapter"]).sum()
times.loc["all"] = times.sum()
times.map("{:.0f}".format)

# %% [markdown]
# ## Versions
#
# What the records say they were made with.

# %% tags=["remove-input"]
#| label: tbl-versions
#| tbl-cap: "Versions that the recorded networks were trained with, and how many of them."
runs = pd.DataFrame(map(read_run, trainings["name"][trainings["model"]]))
versions = pd.DataFrame(runs["versions"].tolist()).astype(str)
versions.groupby([*versions], sort=False).size().rename("networks").reset_index(
    ["keras", "backend", "tensorflow", "numpy", "cores"]
)

# %% [markdown]
# ## Every network
#
# The record of a network is in `report/runs/`: that of `flat` of chapter 3 from seed 0
# is `03_flat_seed0`. *Shape* is that of one example, time steps first. *Rate* is the
# learning rate, where it changes its peak. Epochs and seconds are those of one seed; a
# range stands where the seeds differ.

# %% tags=["remove-input"]
#| label: tbl-runs
#| tbl-cap: "Every network whose weights are recorded: what it was trained on, from which seeds, for how many epochs and seconds."
settings = ["examples", "shape", "optimizer", "rate", "loss weights", "batch"]
table = runs.groupby(["chapter", "network", *settings], sort=False).agg(
    **{name: (name, as_range) for name in ("seeds", "epochs", "seconds")}
)
table.reset_index(settings)
