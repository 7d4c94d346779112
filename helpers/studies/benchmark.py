"""How fast LSTM autoencoders train here: `python -m helpers.studies.benchmark`.

Compares training steps of this project's blocks, of `keras.layers.LSTM` and, where
PyTorch is installed, of `torch.nn.LSTM` by turns, so that whatever else the machine
does hits all of them: the ratios are what to look at.
"""

import argparse
import contextlib
import importlib.util
import os
import pathlib
import subprocess
import sys
import time

from helpers import networks

import keras
import numpy as np
import pandas as pd
from keras import layers

# (time, features), (units of encoder and decoder), sequences: chapters 1 to 3.
CASES = (
    ((50, 1), (64, 64), 32),
    ((50, 1), (64, 64), 128),
    ((28, 28), (128, 192), 64),
    ((28, 28), (128, 192), 128),
    ((784, 1), (64, 64), 64),
    ((784, 1), (64, 64), 256),
)
CODE_SIZE = 64
REPEATS = 20
WORKER = pathlib.Path(__file__).with_name("torch_worker.py")
HAS_TORCH = importlib.util.find_spec("torch") is not None


def build_ours(num_steps, num_features, encoder_units, decoder_units):
    """The autoencoder of this project's blocks, as the chapters build it."""
    series = keras.Input((num_steps, num_features))
    code = networks.encode(series, CODE_SIZE, encoder_units)
    sizes = num_steps, num_features, decoder_units
    return keras.Model(series, networks.decode(code, *sizes, reverse=True))


def build_keras(num_steps, num_features, encoder_units, decoder_units):
    """The same of Keras' own layers: the code is repeated at each step."""
    series = keras.Input((num_steps, num_features))
    code = layers.Dense(CODE_SIZE)(layers.LSTM(encoder_units)(series))
    repeated = layers.RepeatVector(num_steps)(code)
    states = layers.LSTM(decoder_units, return_sequences=True)(repeated)
    return keras.Model(series, layers.Dense(num_features)(states))


def training_step(model, batch_size):
    """Gives a function that does one training step and returns its seconds."""
    model.compile(optimizer="sgd", loss="mean_squared_error")
    shape = batch_size, *model.input_shape[1:]
    series = np.random.default_rng(0).random(shape, dtype="float32")

    def step():
        start = time.perf_counter()
        model.train_on_batch(series, series)
        return time.perf_counter() - start

    return step


@contextlib.contextmanager
def torch_training_step(*sizes, command=(sys.executable, str(WORKER))):
    """Gives the same of PyTorch, whose process lives as long as the context."""
    # As many threads as TensorFlow has, which wait for work as PyTorch has them wait.
    environment = dict(os.environ, OMP_NUM_THREADS=os.environ["TF_NUM_INTRAOP_THREADS"])
    environment.pop("OMP_WAIT_POLICY", None)
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen(
        [*command, *map(str, sizes)], env=environment, **pipes
    ) as worker:

        def step():
            print(file=worker.stdin, flush=True)
            return float(worker.stdout.readline())

        yield step  # The worker ends when its input does, with the context.


def best_by_turns(steps):
    """Seconds of the fastest call of each step, after two to compile and warm up."""
    turns = [{name: step() for name, step in steps.items()} for _ in range(2 + REPEATS)]
    return {name: min(turn[name] for turn in turns[2:]) for name in steps}


def compare(shape, units, batch_size):
    """Times the training steps of a case by turns.

    Args:
        shape, units: Tuples, `(time, features)` and the units of encoder and decoder.
        batch_size: Positive integer.

    Returns:
        Dict, a row of the table: microseconds per sequence (the best of `REPEATS`), and
        the ratios to ours; NaN for PyTorch where it is not installed.
    """
    with contextlib.ExitStack() as stack:
        steps = {
            name: training_step(build(*shape, *units), batch_size)
            for name, build in (("Keras", build_keras), ("ours", build_ours))
        }
        if HAS_TORCH:
            sizes = *shape, CODE_SIZE, *units, batch_size
            steps["PyTorch"] = stack.enter_context(torch_training_step(*sizes))
        seconds = {"PyTorch": np.nan, **best_by_turns(steps)}
    row = {
        "steps x features": "{} x {}".format(*shape),
        "units": "{} / {}".format(*units),
        "batch": batch_size,
    }
    for name, each in seconds.items():
        row[f"{name}, µs per sequence"] = 1e6 * each / batch_size
    for name in ("PyTorch", "Keras"):
        row[f"{name} / ours"] = seconds[name] / seconds["ours"]
    return row


def main():
    """Measures all cases and prints them as a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", metavar="FILE", help="csv file to write as well")
    arguments = parser.parse_args()
    table = pd.DataFrame([compare(*case) for case in CASES])
    print(table.round(2).to_string(index=False))
    if arguments.save:
        table.to_csv(arguments.save, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
