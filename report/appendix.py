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
# # 7. Appendix: every training
#
# Each training behind the other chapters writes down what it was called with and what
# it took. This chapter is made from these records. Networks whose weights are recorded
# are listed one by one. Of models that are only compared with each other, in
# cross-validations (chapters 1, 2 and 4) and over several seeds (chapters 5 and 6), just
# the scores are recorded, and they are counted. Trainings of a few seconds that are
# repeated whenever a chapter is executed, such as the timings of chapter 6, are not.

# %% tags=["remove-input"]
import json
import pathlib
import sys

import pandas as pd

sys.path.insert(0, str(pathlib.Path.cwd().parent))  # The folder that holds helpers/.
from helpers.retraining import is_long

RUNS = sorted(pathlib.Path("runs").glob("*/run.json"))
SELECTIONS = sorted(pathlib.Path("selection").glob("*.jsonl"))


# %% tags=["remove-input"]
def read_run(path):
    """Reads what a recorded run says of itself, the hyper-parameters by name."""
    record = json.loads(path.read_text("utf-8"))
    configuration = record["configuration"]
    optimizer = configuration["optimizer"]["config"]
    rate = optimizer["learning_rate"]
    if isinstance(rate, dict):  # A schedule; its peak is what one would turn.
        peak = rate["config"].get("warmup_target")
        rate = peak or rate["config"]["initial_learning_rate"]
    weights = configuration["loss_weights"]
    chapter, name = record["name"].split("_", 1)
    network, _, seed = name.rpartition("_seed")
    return {
        "chapter": int(chapter),
        "network": network if seed.isdigit() else name,
        "optimizer": configuration["optimizer"]["class_name"],
        "peak rate": f"{rate:.3g}",
        "batch": configuration["batch_size"],
        "epochs": len(record["history"]["loss"]),
        "examples": configuration["inputs"]["shape"][0],
        "loss weights": ", ".join(f"{value:g}" for value in weights.values()),
        "seconds": record["seconds"],
        "long": is_long(path),
        "versions": record["versions"] | {"cores": record["cpu_count"]},
    }


# %% tags=["remove-input"]
runs = pd.DataFrame(map(read_run, RUNS))
selections = pd.DataFrame(
    [
        {
            "chapter": int(path.name[:2]),
            "seconds": json.loads(line)["seconds"],
            "long": is_long(path),
        }
        for path in SELECTIONS
        for line in path.read_text("utf-8").splitlines()
    ]
)


def as_range(values):
    """Formats equal values as one, others from the smallest to the largest."""
    low, high = values.min(), values.max()
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f}–{high:.0f}"


# %% [markdown]
# ## Time by chapter
#
# Wall time on one core of a laptop-sized machine with two, the other core busy with
# another training most of the time. Absolute times say little: what else goes on in the
# machine may change them several times over. What the last retraining took stands on
# the right, for the chapters of which `report/retraining.json` tells: begun from
# scratch, one chapter after the other, interrupted and continued by the same command.

# %% tags=["remove-input"]
#| label: tbl-time
#| tbl-cap: "Recorded networks and models of which only the scores are recorded; the minutes of those that `RETRAIN=1 make report` and `RETRAIN=all make report` repeat, as recorded; and the minutes that the last retraining took. –: none."
both = pd.concat([runs, selections])
minutes = both.groupby(["chapter", "long"])["seconds"].sum().unstack() / 60
times = pd.DataFrame(
    {
        "networks": runs.groupby("chapter").size(),
        "scored only": selections.groupby("chapter").size(),
        "RETRAIN=1": minutes[False],
        "RETRAIN=all": minutes.sum(axis="columns"),
    }
).fillna(0)
last = pd.read_json("retraining.json", orient="index")
last = last.set_index("RETRAIN", append=True)["seconds"].unstack() / 60
times = times.join(last.add_prefix("last RETRAIN="))
times.loc["all"] = times.sum()
times.rename_axis("chapter").map("{:.0f}".format).replace("nan", "–")

# %% [markdown]
# ## Hyper-parameters
#
# The rate is the largest one of the schedule, where there is one. Loss weights are in
# the alphabetic order of the outputs' names. Epochs and seconds are those of one seed; a
# range stands where the seeds differ.

# %% tags=["remove-input"]
#| label: tbl-runs
#| tbl-cap: "Every network whose weights are recorded: how it was trained, with how many seeds, and the seconds that each seed took."
settings = ["optimizer", "peak rate", "batch", "examples", "loss weights"]
table = runs.groupby(["chapter", "network", *settings], sort=False).agg(
    seeds=("epochs", "size"), epochs=("epochs", as_range), seconds=("seconds", as_range)
)
table.reset_index(settings)

# %% [markdown]
# ## Versions
#
# What the records say they were made with.

# %% tags=["remove-input"]
#| label: tbl-versions
#| tbl-cap: "Versions that the recorded networks were trained with, and how many of them."
versions = pd.DataFrame(runs["versions"].tolist()).astype(str)
versions.groupby([*versions], sort=False).size().rename("networks").reset_index(
    ["keras", "backend", "tensorflow", "numpy", "cores"]
)
