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
    # A record of models that are being trained anew is no longer what it was.
    left = mode == "1" and is_long(path) and not recorded_since(path, since)
    return None if left else since


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
        return sum(float(record["seconds"]) for record in read_parts(path))
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0  # Who loads the record says what is wrong with it.


def recorded_since(path, since):
    """Returns whether a run, or a model of a cross-validation, is from a time or later.

    The times of files would not do: `git checkout` makes old records look new.

    Args:
        path: `pathlib.Path` as for `retrain_switch`.
        since: `datetime.datetime`.

    Returns:
        Boolean, `False` also if the file is missing or unreadable.
    """
    try:
        return any(is_from(record, since) for record in read_parts(path))
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def is_from(record, since):
    """Returns whether a record, a dict, says that it was made at a time or later."""
    try:
        recorded = datetime.datetime.fromisoformat(record["recorded"])
    except (KeyError, ValueError, TypeError):
        return False  # Older records do not say.
    return recorded.astimezone() >= since.astimezone()


def now():
    """Returns the time for the field `recorded` of a record, a string."""
    return datetime.datetime.now(datetime.UTC).isoformat()


def read_parts(path):
    """Returns the dict of a run, or those of a cross-validation's models, as a list."""
    text = path.read_text("utf-8")
    parts = [text] if path.suffix == ".json" else text.splitlines()
    return [json.loads(part) for part in parts]
