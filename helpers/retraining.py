"""What the environment variable `RETRAIN` says, and the records that wait meanwhile.

Retraining is moving records aside and training what is missing then.
"""

import json
import os
import shutil

RUN_FILE = "run.json"
ASIDE = ".aside"  # Where records wait while they are trained anew.
LONG_TRAINING = 900.0  # Seconds; what took longer is left to RETRAIN=all.


def retrain_switch():
    """Returns what the environment variable `RETRAIN` says: `0`, `1`, `all`, `never`.

    Raises:
        ValueError: If it says something else.
    """
    value = os.environ.get("RETRAIN", "") or "0"
    if value not in ("0", "1", "all", "never"):
        raise ValueError(
            f"The variable `RETRAIN` should be 0, 1, all or never. Received: {value!r}."
        )
    return value


def set_aside(folder, name):
    """Moves a record aside if `RETRAIN` asks for it to be made anew.

    A cross-validation is moved as a whole. What was moved already is not moved again,
    so that a retraining that was interrupted goes on.

    Args:
        folder: `pathlib.Path`, the folder of all records.
        name: String, a run, or a cross-validation and a model, `"grid/model"`.
    """
    group = name.split("/")[0]
    record, aside = folder / group, folder / ASIDE / group
    mode = retrain_switch()
    if mode not in ("1", "all") or aside.exists() or not record.exists():
        return
    if mode == "1" and recorded_seconds(record) > LONG_TRAINING:
        return
    aside.parent.mkdir(exist_ok=True)
    os.replace(record, aside)


def recorded_seconds(folder):
    """Returns the seconds that a run or all models of a cross-validation took."""
    seconds = 0.0
    for path in folder.rglob(RUN_FILE):
        try:
            seconds += float(json.loads(path.read_text("utf-8"))["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # Who loads the record says what is wrong with it.
    return seconds


def restore(folder):
    """Brings the records back that were moved aside; returns their names."""
    names = sorted(path.name for path in folder.glob(f"{ASIDE}/*"))
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)
        os.replace(folder / ASIDE / name, folder / name)
    shutil.rmtree(folder / ASIDE, ignore_errors=True)
    return names


def finish_retraining(folder):
    """Forgets the records that were moved aside, as far as they are made anew."""
    for path in folder.glob(f"{ASIDE}/*"):
        if any((folder / path.name).rglob(RUN_FILE)):
            shutil.rmtree(path)
