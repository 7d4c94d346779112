"""The same bits in this process, in joblib's workers and on a Dask cluster."""

import os
import random
import signal
import subprocess
import sys
import time

from helpers import training
from helpers.training import fitting, jobs, parallel
from helpers.training.small_network_test import SERIES, arguments, assert_same_bits

import distributed
import keras
import psutil
import pytest
from keras import layers

KILLS = int(os.environ.get("KILLS", "1"))  # More of them: see CONTRIBUTING.md.


def build_recurrent():
    """A network with the project's own layers and with dropout."""
    from helpers import networks

    series = keras.Input((6, 2), name="series")
    code = layers.Dropout(0.3)(networks.encode(series, 4, 8, memory_seed=0))
    decoded = networks.decode(code, 6, 2, 8, reverse=True)
    model = keras.Model(series, {"reconstruction": decoded})
    model.compile(
        optimizer=keras.optimizers.AdamW(training.WarmupCosine(0.01)),
        loss={"reconstruction": "mse"},
    )
    return model


def trainings(folder, epochs=2, seeds=(1, 2)):
    series = {"x": SERIES, "y": {"reconstruction": SERIES}}
    return [
        arguments(folder, build=build_recurrent, name=f"seed{seed}", seed=seed)
        | series
        | {"epochs": epochs, "validation_data": (SERIES, {"reconstruction": SERIES})}
        for seed in seeds
    ]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The runs of this process, one after another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RETRAIN", raising=False)
        folder = tmp_path_factory.mktemp("here")
        return [training.fit(**one) for one in trainings(folder)]


@pytest.fixture
def two_processes(monkeypatch):
    monkeypatch.setattr(fitting, "num_processes", lambda num_jobs: 2)
    monkeypatch.setattr(parallel, "num_processes", lambda num_jobs: 2)


def test_workers_give_the_same_bits(here, tmp_path, two_processes, capfd):
    runs = training.fit_all(trainings(tmp_path))
    for one, two in zip(here, runs, strict=True):
        assert_same_bits(one, two)
        assert not two.reused
    assert "2 networks trained" in capfd.readouterr().err
    assert all(run.reused for run in training.fit_all(trainings(tmp_path)))


def test_number_of_processes(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(8), raising=False)

    def memory(gigabytes):
        available = psutil.virtual_memory()._replace(available=gigabytes * 1e9)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: available)

    memory(64)
    assert parallel.num_processes(3) == 3 and parallel.num_processes(30) == 8
    memory(7)
    assert parallel.num_processes(30) == 3
    memory(1)
    assert parallel.num_processes(30) == 1


@pytest.fixture
def cluster(monkeypatch):
    """A scheduler with two worker processes on the loopback address."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        yield cluster


def test_cluster_gives_the_same_bits_and_survives_a_lost_worker(
    here, tmp_path, two_processes, cluster
):
    runs = training.fit_all(trainings(tmp_path / "whole"))
    for one, two in zip(here, runs, strict=True):
        assert_same_bits(one, two)
    longer = trainings(tmp_path / "lost", epochs=40)

    process = distributed.Client(cluster.scheduler_address).run(os.getpid)
    victim = list(process.values())[0]
    killer = subprocess.Popen(
        [sys.executable, "-c", f"import os,time; time.sleep(12); os.kill({victim}, 9)"]
    )
    lost = training.fit_all(longer)
    killer.wait()
    whole = [training.fit(**one) for one in trainings(tmp_path / "alone", epochs=40)]
    for one, two in zip(whole, lost, strict=True):
        assert_same_bits(one, two)


def test_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch, two_processes):
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:1")
    monkeypatch.setattr(parallel, "PATIENCE", 1)
    with pytest.raises(ConnectionError, match="DASK_SCHEDULER_ADDRESS.*127.0.0.1:1"):
        training.fit_all(trainings(tmp_path))


CHILD = """
import sys
from helpers import training
from helpers.training import fitting, jobs, parallel, parallel_test
fitting.num_processes = parallel.num_processes = lambda num_jobs: int(sys.argv[3])
seeds = range(int(sys.argv[3]))
training.fit_all(parallel_test.trainings(sys.argv[1], int(sys.argv[2]), seeds))
"""


def child(folder, epochs, processes):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(epochs), str(processes)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def epochs_of(path):
    return parallel.FileStore(path).epochs()


@pytest.mark.parametrize("processes", [1, 2], ids=["here", "worker"])
def test_killed_training_goes_on_to_the_same_bits(tmp_path, processes):
    """Killed at random moments: the process itself, or one of its workers."""
    epochs, rng = 150, random.Random(processes)
    whole = [
        training.fit(**one)
        for one in trainings(tmp_path / "whole", epochs, range(processes))
    ]
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        process = child(folder, epochs, processes)
        deadline = time.monotonic() + 120
        while not any(epochs_of(path) for path in folder.rglob("checkpoint.npz")):
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(rng.random())
        victim = psutil.Process(process.pid)
        if processes > 1:
            workers = [
                one
                for one in victim.children(recursive=True)
                if "loky" in str(one.cmdline())
            ]
            victim = rng.choice(workers)
        victim.send_signal(signal.SIGKILL)
        output, _ = process.communicate(timeout=120)
        if processes > 1 and process.returncode:
            assert "a process that trained died" in output
        resumed = [
            training.fit(**one) for one in trainings(folder, epochs, range(processes))
        ]
        for one, two in zip(whole, resumed, strict=True):
            assert_same_bits(one, two)


def test_worker_with_other_code_is_refused(tmp_path):
    (job,) = [jobs.check_job(jobs.Job(**arguments(tmp_path)), {})]
    model = fitting.new_model(job)
    parts = fitting.fingerprint.describe(model, job, {})
    probe = fitting.fingerprint.probe(model, job.x, job.y)
    probe[0][0] *= 2
    with pytest.raises(RuntimeError, match="the worker builds another network"):
        fitting.train_one(job, parts, probe, parallel.FileStore(tmp_path / "none"))


def test_interrupted_store_has_no_epochs(tmp_path):
    store = parallel.FileStore(tmp_path / "checkpoint.npz")
    assert store.read() is None and store.epochs() == 0
    store.write(b"PK damaged")
    assert store.epochs() == 0
    store.delete()
    assert store.read() is None
