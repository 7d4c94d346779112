import sys

from helpers.studies import benchmark

import numpy as np
import pytest

CASE = (5, 3), (4, 6), 2
COLUMNS = [
    "PyTorch, µs per sequence",
    "Keras, µs per sequence",
    "ours, µs per sequence",
]


def test_both_networks_do_the_same_work():
    ours, theirs = (
        build(*CASE[0], *CASE[1])
        for build in (benchmark.build_ours, benchmark.build_keras)
    )
    *encoder, kernel, recurrent, bias, dense, dense_bias = theirs.get_weights()
    decoder = ours.get_layer("reconstruction_decoder")
    # What the chapters' decoder has besides: the step's number, and a first state.
    unused = decoder.position_kernel, decoder.state_kernel
    unused = [np.zeros(weights.shape) for weights in unused]
    ours.set_weights([*encoder, kernel, bias, *unused, recurrent, dense, dense_bias])
    series = np.random.default_rng(0).random((2, 5, 3), dtype="float32")
    written = ours.predict(series, verbose=0)[:, ::-1]  # The last step first.
    np.testing.assert_allclose(written, theirs.predict(series, verbose=0), atol=1e-5)


@pytest.mark.parametrize("installed", [False, True])
def test_row_has_times_and_ratios(monkeypatch, installed):
    if installed and not benchmark.HAS_TORCH:
        pytest.skip("torch is not installed")
    monkeypatch.setattr(benchmark, "HAS_TORCH", installed)
    monkeypatch.setattr(benchmark, "REPEATS", 1)
    row = benchmark.compare(*CASE)
    assert list(row.values())[:3] == ["5 x 3", "4 / 6", 2]
    torch, keras, ours = (row[name] for name in COLUMNS)
    assert min(keras, ours) > 0 and np.isnan(torch) != installed
    ratios = [row["PyTorch / ours"], row["Keras / ours"]]
    np.testing.assert_allclose(ratios, [torch / ours, keras / ours])


def test_worker_is_asked_for_a_step_at_a_time(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    script = (
        "import os, sys\n"
        "for _ in sys.stdin:\n"
        "    print(sys.argv[1] + os.environ['OMP_NUM_THREADS'], flush=True)\n"
    )
    command = sys.executable, "-c", script
    with benchmark.torch_training_step(7, command=command) as step:
        assert [step(), step()] == [73.0, 73.0]


def test_the_best_of_turns_counts_without_the_first_two(monkeypatch):
    monkeypatch.setattr(benchmark, "REPEATS", 3)
    order = []

    def step(name, times):
        for seconds in times:
            order.append(name)
            yield seconds

    times = {"a": [0, 0, 3, 2, 4], "b": [1, 1, 5, 9, 6]}
    steps = {name: step(name, each).__next__ for name, each in times.items()}
    assert benchmark.best_by_turns(steps) == {"a": 2, "b": 5}
    assert order == ["a", "b"] * 5
