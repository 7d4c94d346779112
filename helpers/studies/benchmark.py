"""How fast LSTMs train on this machine: `python -m helpers.studies.benchmark`.

Compares training steps of `keras.layers.LSTM` and of this project's layers by turns, so
that whatever else the machine does hits both: the ratio is what to look at.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

from helpers.networks import CodeLSTM, FastLSTM

import keras
import numpy as np
import pandas as pd

SHAPES = ((28, 28), (50, 1), (300, 1), (784, 1))  # (time, features)
REPEATS = 5
MATRIX_SIZE = 2048  # Large enough for the full rate, small enough for every cache.
CODE_SIZE = 64
MEMORY_BATCH_SIZE = 128


def encoders(num_steps, num_features, units):
    """The reading half alone: an LSTM of Keras and the one that is compiled."""
    return {
        name: keras.Sequential([keras.Input((num_steps, num_features)), layer(units)])
        for name, layer in (("Keras", keras.layers.LSTM), ("ours", FastLSTM))
    }


def autoencoders(num_steps, num_features, units):
    """The whole autoencoder, the code repeated, in layers of Keras and in ours."""
    networks = {}
    for name, layer in (("Keras", keras.layers.LSTM), ("ours", FastLSTM)):
        series = keras.Input((num_steps, num_features))
        code = keras.layers.Dense(CODE_SIZE)(layer(units)(series))
        if name == "Keras":
            repeated = keras.layers.RepeatVector(num_steps)(code)
            states = layer(units, return_sequences=True)(repeated)
        else:
            states = CodeLSTM(
                units, num_steps, position_input=False, state_from_code=False
            )(code)
        networks[name] = keras.Model(series, keras.layers.Dense(num_features)(states))
    return networks


NETWORKS = {"encoder": encoders, "autoencoder": autoencoders}


def compare(network, num_steps, num_features, units, batch_size):
    """Times a training step of Keras' layers and of ours, by turns.

    Args:
        network: `"encoder"` (one LSTM that returns its last state) or `"autoencoder"`.
        num_steps, num_features, units, batch_size: Positive integers.

    Returns:
        Dict, a row of the table: microseconds per sequence (the best of `REPEATS`),
        their ratio, and at what share of the rate of matrix products ours computes.
    """
    networks = NETWORKS[network](num_steps, num_features, units)
    shape = batch_size, num_steps, num_features
    seconds = best_by_turns(
        {name: training_step(model, shape) for name, model in networks.items()}
    )
    operations = batch_size * num_operations(network, num_steps, num_features, units)
    return {
        "network": network,
        "steps x features": f"{num_steps} x {num_features}",
        "Keras, µs per sequence": 1e6 * seconds["Keras"] / batch_size,
        "ours, µs per sequence": 1e6 * seconds["ours"] / batch_size,
        "ratio": seconds["Keras"] / seconds["ours"],
        "share of matrix rate": operations / seconds["ours"] / matrix_product_rate(),
    }


def num_operations(network, num_steps, num_features, units):
    """Operations per sequence of a training step of our LSTMs' matrix products."""
    # A step of time takes 2 per weight forward and twice as many backward.
    operations = 3 * 2 * num_steps * 4 * units * (units + num_features)
    if network == "autoencoder":  # The decoder's input is the code, once.
        operations += 3 * 2 * 4 * units * (num_steps * units + CODE_SIZE)
    return operations


def training_step(model, shape):
    """Gives a function that does one optimizer step and waits for its end."""
    model.compile(optimizer="sgd", loss="mean_squared_error")
    inputs = np.random.default_rng(0).random(shape, dtype="float32")
    targets = np.zeros((shape[0], *model.output_shape[1:]), "float32")
    return lambda: float(model.train_on_batch(inputs, targets))


def best_by_turns(functions):
    """Seconds of the fastest call of each function, after one to warm up."""
    for function in functions.values():
        function()
    seconds = dict.fromkeys(functions, float("inf"))
    for _ in range(REPEATS):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def matrix_product_rate():
    """Floating-point operations per second of a large product of float32 matrices."""
    matrix = keras.random.normal((MATRIX_SIZE, MATRIX_SIZE), seed=0)
    product = {"product": lambda: np.asarray(keras.ops.matmul(matrix, matrix)[0, 0])}
    return 2 * MATRIX_SIZE**3 / best_by_turns(product)["product"]


def step_memory(*arguments):
    """Returns the megabytes that `measure_memory` finds in a process of its own."""
    command = [sys.executable, "-m", "helpers.studies.benchmark", "--memory-of"]
    command += map(str, arguments)
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout.splitlines()[-1])


def measure_memory(network, layers, num_steps, num_features, units, batch_size):
    """Prints the megabytes of a first training step, compiling included, or NaN."""
    model = NETWORKS[network](int(num_steps), int(num_features), int(units))[layers]
    step = training_step(model, (int(batch_size), int(num_steps), int(num_features)))
    before = largest_memory()
    step()
    print(json.dumps(largest_memory() - before))


def largest_memory():
    """Megabytes that this process has had at most, NaN where the system hides it."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():  # Linux, where the number below starts with the parent's.
        line = next(line for line in status.open() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS: bytes.


def main():
    """Measures what the command line asks for, and prints it as a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=64, help="size of the state")
    parser.add_argument("--batch-size", type=int, default=64, help="sequences per step")
    parser.add_argument("--save", metavar="FILE", help="csv file to write as well")
    parser.add_argument("--memory-of", nargs=6, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        measure_memory(*arguments.memory_of)
        return
    rows = []
    for network in NETWORKS:
        for shape in SHAPES:
            sizes = *shape, arguments.units
            row = compare(network, *sizes, arguments.batch_size)
            if shape == SHAPES[-1]:  # Of the longest sequences alone.
                for layers in ("Keras", "ours"):
                    memory = step_memory(network, layers, *sizes, MEMORY_BATCH_SIZE)
                    row[f"{layers}, MB"] = memory
            rows.append(row)
            print(row, file=sys.stderr)
    table = pd.DataFrame(rows)
    print(table.round(2).to_string(index=False))
    if arguments.save:
        table.to_csv(arguments.save, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
