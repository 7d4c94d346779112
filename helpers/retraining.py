"""What the environment variable `RETRAIN` says about what is recorded."""

import datetime
import json
import os
import re

# Seconds. Trainings that took longer, the longest networks of chapter 3 and the
# ablations of chapter 5, are nearly half of the time of all.
LONG_TRAINING = 900.0


def retrain_switch(path):
    """Reads the environment's `RETRAIN`, and what it says for one record.

    `0`, as no variable, uses what is recorded, `never` forbids to train what is not,
    `1` trains anew what took up to a quarter of an hour when it was recorded, `all`
    everything. `1 since 2026-11-21T15:30` and `all since 2026-11-21T15:30` leave what
    was recorded at that time or later.

    Args:
        path: `pathlib.Path` of the record, `run.json` of a run or the `.jsonl` file of
            a cross-validation. It need not exist.

    Returns:
        `None` where the record is to be used, `"never"` if moreover nothing may be
        trained, else a `datetime.datetime`: what was recorded before it is trained.

    Raises:
        ValueError: If `RETRAIN` has another value.
    """
    value = os.environ.get("RETRAIN", "") or "0"
    if value in ("0", "never"):
        return None if value == "0" else value
    mode, since = parse_switch(value)
    return None if mode == "1" and is_long(path) else since


def parse_switch(value):
    """Returns what is to be trained, `"1"` or `"all"`, and since when, or raises."""
    found = re.fullmatch(r"(1|all)(?: since (\d{4}-\d\d-\d\dT\d\d:\d\d\S*))?", value)
    try:
        mode, time = found.groups()
        since = datetime.datetime.now()
        if time:
            since = datetime.datetime.fromisoformat(time)
        if since.tzinfo is not None:
            raise ValueError("a local time has no time zone")
    except (AttributeError, ValueError) as error:
        raise ValueError(
            "The variable `RETRAIN` should be 0, 1, all, never, or 1 or all with a "
            f"time like `1 since 2026-11-21T15:30`. Received: {value!r}."
        ) from error
    return mode, since


def is_long(path):
    """Returns whether a record took so long that only `RETRAIN=all` repeats it.

    Args:
        path: `pathlib.Path` as for `retrain_switch`.
    """
    return read_seconds(path) > LONG_TRAINING


def read_seconds(path):
    """Returns the seconds that a run or a cross-validation took, 0 if unreadable.

    Args:
        path: `pathlib.Path` as for `retrain_switch`.
    """
    try:
        text = path.read_text("utf-8")
        return sum(
            float(json.loads(record)["seconds"])
            for record in ([text] if path.suffix == ".json" else text.splitlines())
        )
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0  # Who loads the record says what is wrong with it.
