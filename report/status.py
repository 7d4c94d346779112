"""Says which trainings are recorded, and which chapters ask for them.

`python -m report.status --restore` brings back the records that RETRAIN moved aside.
"""

import argparse
import hashlib
import json
import sys

from helpers.files import report_folder
from helpers.retraining import ASIDE, restore

import pandas as pd

STATES = ["recorded", "stale", "damaged", "missing", "left over"]


def read_status(folder=None):
    """Compares what is recorded with what the chapters asked for when they last ran.

    Args:
        folder: Path of the folder with `runs/` and `scores/`, by default `report/`.

    Returns:
        `pandas.DataFrame`, one row per training: `chapter` (a number), `name`, `state`
        (`stale`: made with other settings, data or code; `left over`: no chapter asks
        for it), `seconds`, `recorded` (when, a string) and `model` (if it is kept).
    """
    folder = folder or report_folder()
    asked = {}  # From names to pairs of chapter and fingerprint.
    for path in sorted((folder / "scores").glob("*.runs.json")):
        for name, fingerprint in json.loads(path.read_text("utf-8")).items():
            asked.setdefault(name, (path.name[:2], fingerprint))
    runs = folder / "runs"
    found = {
        path.parent.relative_to(runs).as_posix(): path
        for path in runs.rglob("run.json")
        if path.relative_to(runs).parts[0] != ASIDE
    }
    rows = []
    for name in sorted(asked.keys() | found.keys()):
        chapter, fingerprint = asked.get(name, (name[:2], None))
        state = read_run(found.get(name), fingerprint)
        rows.append([int(chapter) if chapter.isdigit() else 0, name, *state])
    columns = ["chapter", "name", "state", "seconds", "recorded", "model"]
    return pd.DataFrame(rows, columns=columns)


def read_run(path, fingerprint):
    """Returns state, seconds, time and whether there is a model of one recorded run."""
    if path is None:
        return "missing", 0.0, None, False
    try:
        record = json.loads(path.read_text("utf-8"))
        sha256, seconds = record["model_sha256"], float(record["seconds"])
        state = "recorded" if record["fingerprint"] == fingerprint else "stale"
        if fingerprint is None:
            state = "left over"
        if sha256:
            content = path.with_name("model.keras").read_bytes()
            if hashlib.sha256(content).hexdigest() != sha256:
                state = "damaged"
        return state, seconds, record.get("recorded"), sha256 is not None
    except (OSError, ValueError, KeyError, TypeError):
        return "damaged", 0.0, None, False


def main(arguments=None):
    """Runs the command; returns the exit code, 1 if something is not fine."""
    parser = argparse.ArgumentParser(prog="python -m report.status")
    parser.add_argument("--restore", action="store_true")
    runs = report_folder() / "runs"
    if parser.parse_args(arguments).restore:
        print(f"brought back: {', '.join(restore(runs)) or 'nothing'}")
    status = read_status()
    table = pd.crosstab(status["chapter"], status["state"])
    table = table.reindex(columns=STATES, fill_value=0)
    table["seconds"] = status.groupby("chapter")["seconds"].sum().round().astype(int)
    print(table.rename_axis(columns=None).to_string())
    wrong = status[status["state"] != "recorded"]
    for state, name in zip(wrong["state"], wrong["name"], strict=True):
        print(f"{state}: {name}")
    aside = sorted(path.name for path in runs.glob(f"{ASIDE}/*"))
    if aside:
        print(f"set aside by RETRAIN (--restore brings them back): {', '.join(aside)}")
    return int(len(wrong) > 0)


if __name__ == "__main__":
    sys.exit(main())
