"""A corpus of damaged inputs: each is named in a clear message and changes no file.

A case damages files or an argument, uses them as the notebooks do, and states a pattern
for what the reader is told: the file, column or argument, the rule, what was received.
"""

import gzip
import hashlib
import json
import lzma
import re
import shutil

import keras
import numpy as np
import pytest
from keras import layers

from helpers import (
    autoencoder,
    datasets,
    experiments,
    rare_events,
    schedules,
    scores,
    selection,
    stocks,
    training,
    windows,
)

SERIES = np.random.default_rng(0).random((40, 6, 2), "float32")
LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
SETTINGS = {"epochs": 5}
CONFIGURATIONS = [{"units": 8}, {"units": 16}]


# What can be damaged: each function fills a folder with whole files.


def put_nothing(folder, recorded):
    """For damaged arguments."""


def put_mnist(folder, recorded):
    for name in datasets.MNIST_CHECKSUMS:
        shutil.copy(datasets.DATA_FOLDER / name, folder)


def put_closes(folder, recorded):
    shutil.copy(stocks.DATA_FOLDER / stocks.CLOSES_FILE, folder)


def put_six_stocks(folder, recorded):
    shutil.copy(stocks.DATA_FOLDER / stocks.SIX_STOCKS_FILE, folder)


def put_departures(folder, recorded):
    shutil.copy(datasets.DATA_FOLDER / rare_events.DEPARTURES_FILE, folder)


def put_own_stocks(folder, recorded):
    lines = ["date,open,high,low,close,volume,Name"]
    for symbol in ("AAA", "BBB", "CCC"):
        for day in ("02", "03", "06"):
            lines.append(f"2014-01-{day},9.5,11,9,10.{day},1000,{symbol}")
    (folder / "sp500.csv").write_text("\n".join(lines) + "\n")


def put_run(folder, recorded):
    shutil.copytree(recorded / "joint", folder / "joint")


def put_checkpoint(folder, recorded):
    shutil.copytree(recorded / "cut_off" / "joint", folder / "joint")


def put_selection(folder, recorded):
    shutil.copy(recorded / "sweep.jsonl", folder)


# How it is used.


def load_mnist(folder):
    datasets.load_mnist(folder)


def load_own_stocks(folder):
    stocks.load_stocks(min_stocks=3, folder=folder)


def load_closes(folder):
    stocks.load_stocks(folder=folder)


def load_six_stocks(folder):
    stocks.load_six_stocks(folder)


def load_departures(folder):
    rare_events.load_departures(folder)


def build_model():
    series = keras.Input((6, 2), name="series")
    code = layers.Dense(3, name="code")(layers.Flatten()(series))
    steps = layers.Dense(12, name="steps")(code)
    return keras.Model(series, layers.Reshape((6, 2), name="reconstruction")(steps))


def fit(folder, **changes):
    arguments = {
        "build_model": build_model,
        **{"inputs": SERIES, "targets": SERIES, "name": "joint", "folder": folder},
        **{"loss": "mse", "optimizer": "adam", "epochs": 2, "batch_size": 16},
        "seed": 0,
    }
    return training.fit(**(arguments | changes))


def load_run(folder):
    fit(folder)


def resume(folder):
    """Goes on from a checkpoint, and expects to start with the first epoch."""
    path = folder / "joint" / training.CHECKPOINT_FILE
    model = build_model()
    model.compile(keras.optimizers.Adam(name="optimizer"), "mse")
    before = model.get_weights()
    state = json.loads((folder / "joint" / "configuration").read_text())
    assert training.load_checkpoint("joint", path, model, state) == {}
    for weight, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


def read_selection(folder):
    selection.cross_validate(
        *(evaluate, CONFIGURATIONS, 2),
        **{"name": "sweep", "folder": folder, "settings": SETTINGS},
    )


def evaluate(configuration, fold):
    return {"loss": configuration["units"] + fold / 10, "accuracy": 0.5}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with a recorded run, one that was cut off and a selection."""
    folder = tmp_path_factory.mktemp("recorded")
    save = training.save_checkpoint

    def save_and_stop(path, model, configuration, history):
        save(path, model, configuration, history)
        (path.parent / "configuration").write_text(json.dumps(configuration))
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RETRAIN", raising=False)
        fit(folder)
        read_selection(folder)
        patch.setattr(training, "save_checkpoint", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            fit(folder / "cut_off")
    return folder


# Damages: functions of the folder.


def nothing(folder):
    """The argument is what is wrong."""


def remove(name):
    return lambda folder: (folder / name).unlink()


def change(name, edit):
    """Changes the bytes of a file."""

    def damage(folder):
        content = (folder / name).read_bytes()
        assert edit(content) != content
        (folder / name).write_bytes(edit(content))

    return damage


def change_unpacked(name, edit):
    """Changes the content of a compressed file and packs it again."""
    codec = gzip if name.endswith(".gz") else lzma
    fast = {"compresslevel": 1} if codec is gzip else {"preset": 0}
    return change(
        name, lambda content: codec.compress(edit(codec.decompress(content)), **fast)
    )


def flip_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def change_line(number, line):
    """Replaces a line of the user's file; the header is line 1."""

    def edit(content):
        lines = content.decode().splitlines()
        lines[number - 1] = line
        return ("\n".join(lines) + "\n").encode()

    return change("sp500.csv", edit)


def replace_in_csv(old, new):
    return change(
        "sp500.csv", lambda content: content.replace(old.encode(), new.encode())
    )


def change_record(**changes):
    """Changes the record of a run."""

    def edit(content):
        return json.dumps(json.loads(content) | changes).encode()

    return change("joint/run.json", edit)


def drop_from_record(key):
    def edit(content):
        record = json.loads(content)
        del record[key]
        return json.dumps(record).encode()

    return change("joint/run.json", edit)


def change_history(edit):
    def damage(folder):
        record = json.loads((folder / "joint" / "run.json").read_text())
        edit(record["history"])
        (folder / "joint" / "run.json").write_text(json.dumps(record))

    return damage


def change_arrays(name, edit):
    """Changes the arrays of a file and, for weights, their checksum in the record."""

    def damage(folder):
        path = folder / "joint" / name
        with np.load(path) as arrays:
            arrays = dict(arrays)
        edit(arrays)
        np.savez(path, **arrays)
        if name == "weights.npz":
            checksum = hashlib.sha256(path.read_bytes()).hexdigest()
            change_record(weights_sha256=checksum)(folder)

    return damage


def first_weight(edit):
    def change(arrays):
        key = next(key for key in arrays if "kernel" in key)
        arrays[key] = edit(arrays[key])

    return change


def poison(array):
    array = array.copy()
    array.flat[0] = np.nan
    return array


def rename_first(arrays):
    arrays["other"] = arrays.pop(next(iter(arrays)))


def change_state(edit):
    """Changes what a checkpoint says of itself."""

    def change(arrays):
        state = json.loads(str(arrays["state"]))
        edit(state)
        arrays["state"] = np.array(json.dumps(state))

    return change_arrays("checkpoint.npz", change)


def change_score_line(edit):
    """Changes the third line of a selection, with a checksum that fits."""

    def damage(folder):
        path = folder / "sweep.jsonl"
        lines = path.read_text().splitlines()
        record = json.loads(lines[2])
        del record["checksum"]
        edit(record)
        lines[2] = json.dumps({**record, "checksum": selection.checksum_of(record)})
        path.write_text("\n".join(lines) + "\n")

    return damage


def replace_score_line(line):
    def edit(content):
        lines = content.splitlines()
        lines[2] = line(lines) if callable(line) else line
        return b"\n".join(lines) + b"\n"

    return change("sweep.jsonl", edit)


MNIST = (put_mnist, load_mnist, (ValueError, FileNotFoundError))
OWN = (put_own_stocks, load_own_stocks, ValueError)
RUN = (put_run, load_run, RuntimeError)
CHECKPOINT = (put_checkpoint, resume, None)
SCORES = (put_selection, read_selection, RuntimeError)

FILES = {  # Name: (what, damage, what the reader is told).
    # The bundled digits.
    "digits missing": (MNIST, remove(LABELS), f"{LABELS} should be a file.*checkout"),
    "digits cut off": (
        MNIST,
        change(TEST_IMAGES, lambda content: content[:-9]),
        rf"{TEST_IMAGES} .*whole .gz file. Received: \d+ bytes that do not unpack",
    ),
    "digits empty": (
        *(MNIST, change(LABELS, lambda content: b"")),
        f"{LABELS} .*Received: an empty file",
    ),
    "digits with a flipped bit": (
        *(MNIST, change(LABELS, flip_bit)),
        f"{LABELS} should be a whole .gz file.*git checkout",
    ),
    "digits with a tail": (
        *(MNIST, change(LABELS, lambda content: content + b"tail")),
        f"{LABELS} should be a whole .gz file",
    ),
    "digits not fetched": (
        MNIST,
        change(LABELS, lambda content: b"version https://git-lfs.github.com/spec/v1"),
        f"{LABELS} should be a whole .gz file.*Received: 42 bytes",
    ),
    "digits not packed": (
        *(MNIST, change(LABELS, gzip.decompress)),
        f"{LABELS} should be a whole .gz file",
    ),
    "digits of another type": (
        MNIST,
        change_unpacked(LABELS, lambda content: b"\0\0\x0d" + content[3:]),
        f"{LABELS} should begin with the idx bytes 00 00 08.*Received: 00 00 0d 01",
    ),
    "digits with half a header": (
        *(MNIST, change_unpacked(LABELS, lambda content: content[:6])),
        f"{LABELS} should begin with a header of 8 bytes. Received: 6 bytes",
    ),
    "digits with one value less": (
        *(MNIST, change_unpacked(LABELS, lambda content: content[:-1])),
        rf"{LABELS} should hold 60008 bytes.*\(60000,\). Received: 60007",
    ),
    "digits of another number": (
        MNIST,
        change_unpacked(
            TEST_IMAGES, lambda c: c[:4] + (9999).to_bytes(4, "big") + c[8:]
        ),
        rf"{TEST_IMAGES} .*\(9999, 28, 28\). Received: 7840016 bytes",
    ),
    "digit out of range": (
        *(MNIST, change_unpacked(LABELS, lambda content: content[:-1] + b"\x0a")),
        f"{LABELS} should have the SHA-256 65a50cbb.*Received: [0-9a-f]{{64}}",
    ),
    "digits swapped": (
        MNIST,
        lambda folder: shutil.copy(
            folder / "t10k-labels-idx1-ubyte.gz", folder / LABELS
        ),
        f"{LABELS} should have the SHA-256 65a50cbb",
    ),
    # The other bundled files.
    "closes missing": (
        (put_closes, load_closes, FileNotFoundError),
        remove(stocks.CLOSES_FILE),
        f"{stocks.CLOSES_FILE} should be a file.*build_sp500_closes.py",
    ),
    "closes cut off": (
        (put_closes, load_closes, ValueError),
        change(stocks.CLOSES_FILE, lambda content: content[:-1000]),
        rf"{stocks.CLOSES_FILE} should be a whole .xz file. Received: \d+ bytes",
    ),
    "closes with a flipped bit": (
        (put_closes, load_closes, ValueError),
        change(stocks.CLOSES_FILE, flip_bit),
        f"{stocks.CLOSES_FILE} should be a whole .xz file.*git checkout",
    ),
    "a changed price of the six stocks": (
        (put_six_stocks, load_six_stocks, ValueError),
        change_unpacked(
            stocks.SIX_STOCKS_FILE, lambda content: content.replace(b"19.5", b"19.6", 1)
        ),
        f"{stocks.SIX_STOCKS_FILE} should have the SHA-256 212d7bd1.*build_stocks",
    ),
    "departures missing": (
        (put_departures, load_departures, FileNotFoundError),
        remove(rare_events.DEPARTURES_FILE),
        f"{rare_events.DEPARTURES_FILE} should be a file.*build_departures.py",
    ),
    "departures cut off": (
        (put_departures, load_departures, ValueError),
        change(rare_events.DEPARTURES_FILE, lambda content: content[:-40]),
        f"{rare_events.DEPARTURES_FILE} should be a whole .xz file",
    ),
    "departures with one line less": (
        (put_departures, load_departures, ValueError),
        change_unpacked(
            rare_events.DEPARTURES_FILE, lambda c: c[: c[:-1].rindex(b"\n") + 1]
        ),
        f"{rare_events.DEPARTURES_FILE} should have the SHA-256.*Received: [0-9a-f]+",
    ),
    # A file of the user's own.
    "own file empty": (
        *(OWN, change("sp500.csv", lambda content: b"")),
        "sp500.csv .*Received: an empty file",
    ),
    "own file with names only": (
        *(OWN, change("sp500.csv", lambda content: content.split(b"\n")[0])),
        "sp500.csv should hold prices. Received: column names only",
    ),
    "own file without names": (
        *(OWN, change("sp500.csv", lambda content: content.split(b"\n", 1)[1])),
        "sp500.csv should have one column 'symbol' in its first line",
    ),
    "own file without dates": (
        *(OWN, replace_in_csv("date,", "day,")),
        "column 'date' .*no such column; the columns are day, open",
    ),
    "own file without closes": (
        *(OWN, replace_in_csv("close", "last")),
        "column 'close' .*no such column",
    ),
    "own file with two symbols": (
        *(OWN, replace_in_csv("volume", "symbol")),
        "column 'symbol' .*Received: several",
    ),
    "own file with semicolons": (
        *(OWN, replace_in_csv(",", ";")),
        "column 'symbol' .*no such column; the columns are date;open",
    ),
    "own file in another encoding": (
        *(OWN, change("sp500.csv", lambda content: content + b"\xe9,,,,,,\n")),
        "sp500.csv should be a comma-separated table in UTF-8",
    ),
    "own file packed under a plain name": (
        *(OWN, change("sp500.csv", gzip.compress)),
        "sp500.csv should be a comma-separated table in UTF-8",
    ),
    "own file cut off in a line": (
        *(OWN, change("sp500.csv", lambda content: content[:-12])),
        "sp500.csv should have 7 values in each line. Received: line 10 has 5",
    ),
    "a value too many": (
        *(OWN, change_line(4, "2014-01-06,9.5,11,9,10,1000,AAA,1")),
        "7 values in each line. Received: line 4 has 8",
    ),
    "a symbol missing": (
        *(OWN, change_line(3, "2014-01-03,9.5,11,9,10,1000,")),
        "sp500.csv should have a symbol in each line. Received: line 3 has none",
    ),
    "a date of another form": (
        *(OWN, change_line(3, "01/03/2014,9.5,11,9,10,1000,AAA")),
        "column date. Received: line 3 has '01/03/2014'",
    ),
    "a date that is none": (
        *(OWN, change_line(3, "2014-02-30,9.5,11,9,10,1000,AAA")),
        "column date. Received: line 3 has '2014-02-30'",
    ),
    "a date missing": (
        *(OWN, change_line(5, ",9.5,11,9,10,1000,BBB")),
        "column date. Received: line 5 has ''",
    ),
    "a price in words": (
        *(OWN, change_line(6, "2014-01-03,9.5,11,9,ten,1000,BBB")),
        "column close. Received: line 6 has 'ten'",
    ),
    "a price with a decimal comma": (
        *(OWN, change_line(6, '2014-01-03,9.5,11,9,"10,5",1000,BBB')),
        "column close. Received: line 6 has '10,5'",
    ),
    "a price of zero": (
        *(OWN, change_line(6, "2014-01-03,9.5,11,9,0,1000,BBB")),
        "positive prices in the column close. Received: line 6 has '0.0'",
    ),
    "a negative price": (
        *(OWN, change_line(7, "2014-01-06,9.5,11,9,-10,1000,BBB")),
        "positive prices in the column close. Received: line 7 has '-10.0'",
    ),
    "an infinite price": (
        *(OWN, change_line(7, "2014-01-06,9.5,11,9,inf,1000,BBB")),
        "positive prices in the column close. Received: line 7 has 'inf'",
    ),
    "a day twice": (
        *(OWN, change_line(7, "2014-01-03,9.5,11,9,10,1000,BBB")),
        "Received: line 7 has BBB on 2014-01-03 again, as in line 6",
    ),
    "a stock with a gap and too few left": (
        *(OWN, change_line(7, "2014-01-06,9.5,11,9,,1000,BBB")),
        "at least 3 symbols .*Received: 2 of 3 symbols; BBB, .* lacks 1 dates",
    ),
    "an unclosed quote": (
        *(OWN, change_line(5, '"2014-01-02,9.5,11,9,10,1000,BBB')),
        "7 values in each line. Received: line 10 has 1",
    ),
    "two own files": (
        OWN,
        lambda folder: (folder / "sp500.csv.gz").write_bytes(gzip.compress(b"")),
        "should hold one file of your own. Received: sp500.csv, sp500.csv.gz",
    ),
    "an own archive cut off": (
        OWN,
        lambda folder: (folder / "sp500.csv").rename(folder / "sp500.csv.zip"),
        r"sp500.csv.zip should be a whole .zip file. Received: \d+ bytes",
    ),
    # Recorded runs.
    "record empty": (
        *(RUN, change("joint/run.json", lambda content: b"")),
        "run.json is damaged",
    ),
    "record cut off": (
        *(RUN, change("joint/run.json", lambda content: content[:-99])),
        "run.json is damaged .*JSONDecodeError",
    ),
    "record of bytes": (
        *(RUN, change("joint/run.json", lambda content: b"\xff\0")),
        "run.json is damaged .*UnicodeDecodeError",
    ),
    "record of another form": (
        *(RUN, change("joint/run.json", lambda content: b"[]")),
        "run.json is damaged .*TypeError",
    ),
    "record with another fingerprint": (
        *(RUN, change_record(fingerprint="0" * 64)),
        "run.json is damaged .*its fingerprint is another",
    ),
    "record of other settings": (
        RUN,
        lambda folder: change_record(
            configuration=(configuration := {"epochs": 3}),
            fingerprint=training.fingerprint(configuration),
        )(folder),
        "settings changed: batch_size, epochs, inputs",
    ),
    "record without its history": (
        *(RUN, drop_from_record("history")),
        "run.json is damaged .*'history'",
    ),
    "record without a checksum": (
        *(RUN, drop_from_record("weights_sha256")),
        "run.json is damaged .*'weights_sha256'",
    ),
    "record whose seconds are words": (
        *(RUN, change_record(seconds="long")),
        "run.json is damaged .*'long'",
    ),
    "record whose scores are a list": (
        *(RUN, change_record(scores=["low"])),
        "run.json is damaged",
    ),
    "history that is a number": (
        *(RUN, change_record(history=3)),
        "run.json is damaged",
    ),
    "history without an epoch": (
        *(RUN, change_history(lambda history: history["loss"].pop())),
        "run.json is damaged .*history lacks losses or seconds of an epoch",
    ),
    "history without seconds": (
        *(RUN, change_history(lambda history: history.pop("seconds"))),
        "run.json is damaged .*history lacks losses or seconds",
    ),
    "history of too many epochs": (
        RUN,
        change_history(lambda history: [one.append(0.1) for one in history.values()]),
        "run.json is damaged .*no epochs or too many",
    ),
    "history of words": (
        *(RUN, change_history(lambda history: history.update(loss=["a", "b"]))),
        "run.json is damaged .*history of loss holds 'a'",
    ),
    "weights missing": (
        *(RUN, remove("joint/weights.npz")),
        "weights.npz cannot be read",
    ),
    "weights cut off": (
        *(RUN, change("joint/weights.npz", lambda content: content[:-40])),
        "weights.npz is damaged .*its SHA-256 is another",
    ),
    "weights with a flipped bit": (
        *(RUN, change("joint/weights.npz", flip_bit)),
        "weights.npz is damaged .*its SHA-256 is another",
    ),
    "weights of another shape": (
        *(RUN, change_arrays("weights.npz", first_weight(lambda one: one[:-1]))),
        r"weights.npz is damaged .*shape \(11, 3\), not \(12, 3\)",
    ),
    "weights of another type": (
        RUN,
        change_arrays("weights.npz", first_weight(lambda one: one.astype("float64"))),
        "weights.npz is damaged .*type float64, not float32",
    ),
    "weights of words": (
        RUN,
        change_arrays("weights.npz", first_weight(lambda one: one.astype(str))),
        "weights.npz is damaged .*not float32",
    ),
    "weights with NaN": (
        *(RUN, change_arrays("weights.npz", first_weight(poison))),
        "weights.npz is damaged .*weights are not finite",
    ),
    "weights of another network": (
        *(RUN, change_arrays("weights.npz", rename_first)),
        "weights.npz is damaged .*its arrays have other names",
    ),
    "weights with a pickle": (
        RUN,
        change_arrays("weights.npz", first_weight(lambda one: np.array([{"a": one}]))),
        "weights.npz is damaged .*allow_pickle=False",
    ),
    "weights in no archive": (
        RUN,
        lambda folder: [
            change("joint/weights.npz", lambda content: b"weights")(folder),
            change_record(weights_sha256=hashlib.sha256(b"weights").hexdigest())(
                folder
            ),
        ],
        "weights.npz is damaged",
    ),
    # Trainings that were cut off. They start again, so that nothing raises an error.
    "checkpoint cut off": (
        *(CHECKPOINT, change("joint/checkpoint.npz", lambda content: content[:-99])),
        "checkpoint.npz is damaged .*starting with the first epoch",
    ),
    "checkpoint empty": (
        *(CHECKPOINT, change("joint/checkpoint.npz", lambda content: b"")),
        "checkpoint.npz is damaged .*starting with the first epoch",
    ),
    "checkpoint with a flipped bit": (
        *(CHECKPOINT, change("joint/checkpoint.npz", flip_bit)),
        "checkpoint.npz is damaged .*starting with the first epoch",
    ),
    "checkpoint of other settings": (
        *(CHECKPOINT, change_state(lambda state: state.update(fingerprint="0"))),
        "checkpoint.npz is of other settings or versions",
    ),
    "checkpoint without its state": (
        CHECKPOINT,
        change_arrays("checkpoint.npz", lambda arrays: arrays.pop("state")),
        "checkpoint.npz is damaged .*'state'",
    ),
    "checkpoint without seconds": (
        *(CHECKPOINT, change_state(lambda state: state["history"].pop("seconds"))),
        "checkpoint.npz is damaged .*history lacks losses or seconds",
    ),
    "checkpoint of another network": (
        CHECKPOINT,
        change_arrays("checkpoint.npz", first_weight(lambda one: one[:, :-1])),
        r"checkpoint.npz is damaged .*shape \(12, 2\), not \(12, 3\)",
    ),
    "checkpoint with a pickle": (
        CHECKPOINT,
        change_arrays("checkpoint.npz", first_weight(lambda one: np.array([{}]))),
        "checkpoint.npz is damaged .*allow_pickle=False",
    ),
    # Scores of a selection. The damaged line is named, and its model lacks.
    "scores cut off in a line": (
        *(SCORES, replace_score_line(lambda lines: lines[2][:-9])),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models.*'units': 16}, fold 0",
    ),
    "scores with an empty line": (
        *(SCORES, replace_score_line(b"")),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "scores of bytes": (
        *(SCORES, replace_score_line(b"\xff\xfe")),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "scores of another form": (
        *(SCORES, replace_score_line(b"[1]")),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "a score that was changed": (
        *(SCORES, replace_score_line(lambda lines: lines[2].replace(b"0.5", b"0.9"))),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "scores without a checksum": (
        *(SCORES, replace_score_line(b'{"fold": 0}')),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "a model twice": (
        *(SCORES, replace_score_line(lambda lines: lines[1])),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "scores without seconds": (
        *(SCORES, change_score_line(lambda record: record.pop("seconds"))),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "scores with a field too many": (
        *(SCORES, change_score_line(lambda record: record.update(note="mine"))),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "scores of words": (
        *(SCORES, change_score_line(lambda record: record.update(scores={"a": "b"}))),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "no scores": (
        *(SCORES, change_score_line(lambda record: record.update(scores={}))),
        "sweep.jsonl is damaged in line 3.*lacks 1 of 4 models",
    ),
    "scores of other settings": (
        *(SCORES, change_score_line(lambda record: record.update(settings={}))),
        "sweep.jsonl lacks 1 of 4 models.*'units': 16}, fold 0",
    ),
}


def series_input():
    return keras.Input((6, 2))


PARAMETERS = {  # As `papermill -p` may set them: (use, what the reader is told).
    "no steps": (
        lambda folder: datasets.uniform_sequences(10, 0),
        "`num_steps` should be an integer of at least 1. Received: 0",
    ),
    "no room for the dip": (
        lambda folder: datasets.dip_sequences(10, 35),
        "`num_steps` should be an integer of at least 36. Received: 35",
    ),
    "examples in words": (
        lambda folder: datasets.uniform_sequences("many"),
        "`num_examples` should be an integer of at least 1. Received: 'many'",
    ),
    "a seed that is no integer": (
        lambda folder: datasets.uniform_sequences(10, 5, 0.5),
        "`seed` should be an integer of at least 0. Received: 0.5",
    ),
    "windows longer than the series": (
        lambda folder: windows.random_windows(np.ones((3, 10)), 5, 11),
        "`num_steps` should be at most 10, the time of the series. Received: 11",
    ),
    "fractions with another sum": (
        lambda folder: windows.split_examples(100, (0.6, 0.2, 0.3)),
        r"`fractions` .*with the sum 1. Received: \(0.6, 0.2, 0.3\)",
    ),
    "fractions that leave no test": (
        lambda folder: windows.split_examples(3, (0.5, 0.4, 0.1)),
        "`fractions` should leave an example for each split; test is empty",
    ),
    "a fraction above 1": (
        lambda folder: windows.split_time(100, 1.5),
        "`fraction` should be between 0 and 1. Received: 1.5",
    ),
    "a fraction in words": (
        lambda folder: windows.split_time(100, "half"),
        "`fraction` should be between 0 and 1. Received: 'half'",
    ),
    "fractions in words": (
        lambda folder: windows.split_examples(100, ("most", 0.2, 0.2)),
        r"`fractions` .*with the sum 1. Received: \('most', 0.2, 0.2\)",
    ),
    "a single fold": (
        lambda folder: windows.k_folds(10, 1),
        "`num_folds` should be an integer of at least 2. Received: 1",
    ),
    "labels beyond the classes": (
        lambda folder: windows.one_hot([0, 10], 10),
        "`labels` should be in the range 0 to 9. Received: 0 to 10",
    ),
    "a code size in quotes": (
        lambda folder: autoencoder.encode(series_input(), "32", 8),
        "`code_size` should be an integer of at least 1. Received: '32'",
    ),
    "an LSTM without units": (
        lambda folder: autoencoder.encode(series_input(), 4, 0),
        "`units` should be an integer of at least 1. Received: 0",
    ),
    "segments that do not divide": (
        lambda folder: autoencoder.encode_hierarchical(
            keras.Input((784, 1)), 64, 128, 27, 32
        ),
        "`segment_steps` should divide the number of steps. Received: 27 and 784",
    ),
    "dropout of everything": (
        lambda folder: autoencoder.classify(keras.Input((4,)), 3, dropout=1.0),
        r"`dropout` should be in \[0, 1\). Received: 1.0",
    ),
    "dropout in quotes": (
        lambda folder: autoencoder.classify(keras.Input((4,)), 3, dropout="0.3"),
        r"`dropout` should be in \[0, 1\). Received: '0.3'",
    ),
    "a negative peak of the learning rate": (
        lambda folder: schedules.warmup_cosine(-0.01, 100, 10, 2),
        "`peak` should be a positive number. Received: -0.01",
    ),
    "a learning rate in words": (
        lambda folder: schedules.warmup_cosine("fast", 100, 10, 2),
        "`peak` should be a positive number. Received: 'fast'",
    ),
    "a warm-up without an end": (
        lambda folder: schedules.warmup_cosine(0.01, 100, 10, 2, warmup=1.0),
        r"`warmup` should be in \[0, 1\). Received: 1.0",
    ),
    "a negative learning rate": (
        lambda folder: fit(folder, optimizer=keras.optimizers.Adam(-0.01)),
        "`optimizer` should have a finite learning_rate .*Received: -0.0099",
    ),
    "a learning rate that is not a number": (
        lambda folder: fit(folder, optimizer=keras.optimizers.SGD(float("nan"))),
        "`optimizer` should have a finite learning_rate of at least 0. Received: nan",
    ),
    "a negative norm to clip at": (
        lambda folder: fit(folder, optimizer=keras.optimizers.Adam(clipnorm=-1.0)),
        "`optimizer` should have a finite clipnorm of at least 0. Received: -1.0",
    ),
    "an unknown optimizer": (
        lambda folder: fit(folder, optimizer="adamm"),
        "`optimizer` should be a Keras optimizer.*Received: 'adamm'",
    ),
    "no optimizer": (
        lambda folder: fit(folder, optimizer=None),
        "`optimizer` should be a Keras optimizer.*Received: None",
    ),
    "an unknown loss": (
        lambda folder: fit(folder, loss="mean_squard_error"),
        "`loss` should be names that Keras knows. Received: 'mean_squard_error'",
    ),
    "no loss": (
        lambda folder: fit(folder, loss=None),
        "`loss` should be given for an output. Received: None",
    ),
    "an unknown metric": (
        lambda folder: fit(folder, metrics=["mse", "acuracy"]),
        "`metrics` should be names that Keras knows. Received: 'acuracy'",
    ),
    "a loss of an unknown output": (
        lambda folder: fit(folder, loss={"label": "mse"}),
        r"`loss` has unknown head \['label'\].*reconstruction",
    ),
    "a negative weight of a loss": (
        lambda folder: fit(folder, loss_weights=-1.0),
        "`loss_weights` should hold finite numbers of at least 0. Received: -1.0",
    ),
    "epochs in quotes": (
        lambda folder: fit(folder, epochs="10"),
        "`epochs` should be an integer of at least 1. Received: '10'",
    ),
    "an empty batch": (
        lambda folder: fit(folder, batch_size=0),
        "`batch_size` should be an integer of at least 1. Received: 0",
    ),
    "a seed of True": (
        lambda folder: fit(folder, seed=True),
        "`seed` should be an integer of at least 0. Received: True",
    ),
    "a seed too large": (
        lambda folder: fit(folder, seed=2**32),
        r"`seed` should be below 2\*\*32. Received: 4294967296",
    ),
    "a run named as a path": (
        lambda folder: fit(folder, name="../mine"),
        r"`name` should be made of letters.*Received: '../mine'",
    ),
    "inputs with NaN": (
        lambda folder: fit(folder, inputs=np.full((40, 6, 2), np.nan)),
        "`inputs` should hold finite numbers. Received: 480 values of 480",
    ),
    "inputs of another length": (
        lambda folder: fit(folder, inputs=SERIES[:, :5]),
        r"`inputs` should have the shape \(None, 6, 2\).*Received: shape \(40, 5, 2\)",
    ),
    "fewer targets than inputs": (
        lambda folder: fit(folder, targets=SERIES[:30]),
        "`examples of inputs` and .*Received: 40 and 30",
    ),
    "validation without targets": (
        lambda folder: fit(folder, validation_data=SERIES),
        "`validation_data` should be a tuple .*Received: ndarray",
    ),
    "more models than allowed": (
        lambda folder: selection.cross_validate(
            *(evaluate, CONFIGURATIONS, 50),
            **{"name": "sweep", "folder": folder, "settings": SETTINGS},
        ),
        "`configurations` and `num_folds` .*Received: 2 x 50 = 100",
    ),
    "a sweep of an unknown parameter": (
        lambda folder: selection.one_at_a_time({"units": 8}, {"unit": [8, 16]}),
        "`sweeps` should have keys of `base`, which are units. Received: 'unit'",
    ),
    "a price column that is not bundled": (
        lambda folder: stocks.load_stocks("high", folder=folder),
        "`column` should be 'close'.*Received: 'high'",
    ),
    "predictions of another shape": (
        lambda folder: scores.mean_squared_error(SERIES, SERIES[:, :5]),
        r"Received: \(40, 6, 2\) and \(40, 5, 2\)",
    ),
    "a series that is not finite": (
        lambda folder: experiments.settle([1.0, np.inf]),
        "`values` should hold finite numbers. Received: 1 values of 2",
    ),
}


def read_folder(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


CASES = {
    name: (*what, damage, told) for name, (what, damage, told) in FILES.items()
} | {
    name: (put_nothing, use, ValueError, nothing, told)
    for name, (use, told) in PARAMETERS.items()
}


@pytest.mark.parametrize("name", CASES)
def test_damage_is_named_and_changes_nothing(
    name, recorded, tmp_path, monkeypatch, capsys
):
    put, use, error, damage, told = CASES[name]
    put(tmp_path, recorded)
    damage(tmp_path)
    before = read_folder(tmp_path)
    # Loading only; a damaged argument must be found even if training is allowed.
    monkeypatch.setenv("RETRAIN", "0" if put is put_nothing else "never")
    capsys.readouterr()
    message = ""
    if error is None:
        use(tmp_path)
    else:
        with pytest.raises(error) as raised:
            use(tmp_path)
        message = str(raised.value)
    said = f"{capsys.readouterr().out} {message}"
    assert re.search(told, said.replace("\n", " ")), said
    assert read_folder(tmp_path) == before


WHOLE = [
    MNIST,
    OWN,
    RUN,
    SCORES,
    (put_closes, load_closes),
    (put_six_stocks, load_six_stocks),
]


@pytest.mark.parametrize("what", WHOLE, ids=lambda what: what[1].__name__)
def test_whole_files_are_used(what, recorded, tmp_path, monkeypatch):
    what[0](tmp_path, recorded)
    monkeypatch.setenv("RETRAIN", "never")
    what[1](tmp_path)
