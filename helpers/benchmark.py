"""How fast LSTMs train on this machine: `python -m helpers.benchmark`.

Compares a training step (forward and backward) of `keras.layers.LSTM` with one of the
layers of this project, in one run and by turns, so that whatever else the machine does
hits both. Absolute times are those of this machine at this moment; the ratio is what
to look at.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

import keras
import numpy as np
import pandas as pd

from helpers.checks import check_integer
from helpers.layers import CodeLSTM, FastLSTM
from helpers.progress import Progress

SHAPES = ((28, 28), (50, 1), (300, 1), (784, 1))  # (time, features)
REPEATS = 5
MATRIX_SIZE = 2048  # Large enough for the full rate, small enough for every cache.
CODE_SIZE = 64
MEMORY_BATCH_SIZE = 128


def encoders(num_steps, num_features, units):
    """The reading half alone: an LSTM of Keras and the one that is compiled."""
    return {
        name: keras.Sequential([keras.Input((num_steps, num_features)), layer(units)])
        for name, layer in (("keras", keras.layers.LSTM), ("ours", FastLSTM))
    }


def autoencoders(num_steps, num_features, units):
    """The whole autoencoder, the code repeated, in layers of Keras and in ours."""
    networks = {}
    for name, layer in (("keras", keras.layers.LSTM), ("ours", FastLSTM)):
        series = keras.Input((num_steps, num_features))
        code = keras.layers.Dense(CODE_SIZE)(layer(units)(series))
        if name == "keras":
            repeated = keras.layers.RepeatVector(num_steps)(code)
            states = layer(units, return_sequences=True)(repeated)
        else:
            states = CodeLSTM(
                units, num_steps, position_input=False, state_from_code=False
            )(code)
        networks[name] = keras.Model(series, keras.layers.Dense(num_features)(states))
    return networks


NETWORKS = {"encoder": encoders, "autoencoder": autoencoders}


def compare(network="encoder", shapes=SHAPES, units=64, batch_size=64):
    """Times training steps of Keras' layers and of ours, by turns.

    Args:
        network: `"encoder"` (one LSTM that returns its last state) or `"autoencoder"`.
        shapes: Sequence of pairs `(time, features)`.
        units: Positive integer, size of the LSTMs' states.
        batch_size: Positive integer, sequences in a step.

    Returns:
        `pandas.DataFrame` with a row per shape: microseconds per sequence of a step
        of Keras' and of ours (the best of `REPEATS`), their ratio, and the share of
        the machine's rate of matrix products, measured in the same run, at which ours
        does the arithmetic that it needs.

    Raises:
        ValueError: If `network` is unknown or a size is not a positive integer.
    """
    if network not in NETWORKS:
        raise ValueError(
            f"`network` should be one of {list(NETWORKS)}. Received: {network!r}."
        )
    units = check_integer("units", units, minimum=1)
    batch_size = check_integer("batch_size", batch_size, minimum=1)
    rows = []
    with Progress(f"benchmark, {network}", len(shapes), unit="shape") as progress:
        for num_steps, num_features in shapes:
            networks = NETWORKS[network](num_steps, num_features, units)
            shape = batch_size, num_steps, num_features
            seconds = best_by_turns(
                {name: training_step(model, shape) for name, model in networks.items()}
            )
            operations = batch_size * num_operations(network, shape, units)
            rows.append(
                {
                    "steps x features": f"{num_steps} x {num_features}",
                    "Keras, µs per sequence": 1e6 * seconds["keras"] / batch_size,
                    "ours, µs per sequence": 1e6 * seconds["ours"] / batch_size,
                    "ratio": seconds["keras"] / seconds["ours"],
                    "share of matrix rate": operations
                    / seconds["ours"]
                    / matrix_product_rate(),
                }
            )
            progress.update(len(rows))
        progress.finish(f"benchmark, {network}: {len(rows)} shapes")
    return pd.DataFrame(rows).set_index("steps x features")


def num_operations(network, shape, units):
    """Operations per sequence of a training step of our LSTMs' matrix products.

    A step of time takes 2 per weight forward and twice as many backward.
    """
    _, num_steps, num_features = shape
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

    def multiply():
        return np.asarray(keras.ops.matmul(matrix, matrix)[0, 0])

    return 2 * MATRIX_SIZE**3 / best_by_turns({"product": multiply})["product"]


def step_memory(network, layers, shape, batch_size, units):
    """Memory that a training step takes, in a process of its own.

    Args:
        network: `"encoder"` or `"autoencoder"`.
        layers: `"keras"` or `"ours"`.
        shape: Pair `(time, features)`.
        batch_size: Positive integer, sequences in a step.
        units: Positive integer, size of the LSTMs' states.

    Returns:
        Float, megabytes by which the largest memory of the process grows in its first
        training step, which includes compiling. NaN where the system does not tell
        (Windows).

    Raises:
        subprocess.CalledProcessError: If the step fails.
    """
    arguments = ["--memory-of", network, layers, *map(str, (*shape, batch_size, units))]
    command = [sys.executable, "-m", "helpers.benchmark", *arguments]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout.splitlines()[-1])


def measure_memory(network, layers, num_steps, num_features, batch_size, units):
    """Prints the megabytes of `step_memory`."""
    shape = int(batch_size), int(num_steps), int(num_features)
    model = NETWORKS[network](*shape[1:], units=int(units))[layers]
    step = training_step(model, shape)
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


def measure_all(units, batch_size):
    """Times both networks in all shapes, and measures the memory of the longest.

    Returns:
        `pandas.DataFrame`, a row per network and shape; the memory columns hold
        megabytes of a step with `MEMORY_BATCH_SIZE` sequences in the last shape, NaN
        in the others.
    """
    tables = []
    for network in NETWORKS:
        table = compare(network, units=units, batch_size=batch_size).reset_index()
        table.insert(0, "network", network)
        for layers, owner in (("keras", "Keras"), ("ours", "ours")):
            memory = step_memory(network, layers, SHAPES[-1], MEMORY_BATCH_SIZE, units)
            table.loc[len(SHAPES) - 1, f"{owner}, MB"] = memory
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


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
    print(f"{arguments.units} units, batches of {arguments.batch_size}")
    print(f"matrix products: {matrix_product_rate() / 1e9:.0f} GFLOPS")
    table = measure_all(arguments.units, arguments.batch_size)
    print(table.round(2).to_string(index=False))
    if arguments.save:
        table.to_csv(arguments.save, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
