"""Many trainings at once: on this machine's cores, or on the machines of a cluster."""

import contextlib
import io
import json
import os
import threading

from helpers.files import write_file
from helpers.training.progress import Progress

import joblib
import numpy as np
import psutil
from joblib.externals.loky.process_executor import TerminatedWorkerError

MEMORY = 2e9  # Bytes that a process may need.
PATIENCE = 10  # Seconds to wait for the answer of a scheduler.
POLL = 2.0  # Seconds between two looks at what the processes have done.


class FileStore:
    """Keeps the checkpoint of a training in a file."""

    def __init__(self, path):
        self.path = path

    def read(self):
        """Returns the bytes of the checkpoint, `None` without one."""
        return self.path.read_bytes() if self.path.exists() else None

    def write(self, content):
        """Replaces the checkpoint."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self.path, content)

    def delete(self):
        """Forgets the checkpoint."""
        self.path.unlink(missing_ok=True)

    def epochs(self):
        """Returns the number of epochs that the checkpoint has, 0 without one."""
        try:
            with np.load(io.BytesIO(self.read() or b""), allow_pickle=False) as file:
                return len(json.loads(str(file["state"]))["history"]["loss"])
        except (OSError, ValueError, EOFError, KeyError):
            return 0


class SchedulerStore:
    """Keeps a checkpoint on a Dask scheduler, as a cluster's workers may be lost."""

    def __init__(self, name):
        self.name = name

    def _variable(self):
        from distributed import Variable, get_client

        return Variable(self.name, client=get_client())

    def read(self):
        """Returns the bytes of the checkpoint, `None` without one."""
        try:
            return self._variable().get(timeout=0.5)
        except TimeoutError:
            return None

    def write(self, content):
        """Replaces the checkpoint."""
        self._variable().set(content)

    def delete(self):
        """Forgets the checkpoint."""
        self._variable().delete()


def num_processes(num_jobs):
    """Returns how many trainings this machine should do at once."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = cores or os.cpu_count() or 1
    by_memory = int(psutil.virtual_memory().available / MEMORY)
    return max(1, min(num_jobs, cores, by_memory))


def run_all(function, calls, stores, names, title):
    """Calls a function for all trainings; yields results in the order of their ends.

    With `DASK_SCHEDULER_ADDRESS` in the environment the workers of that scheduler do
    it, otherwise processes of this machine, as many as its cores and memory allow.

    Args:
        function: Function from `(*call, store)` to a result that can be pickled.
        calls, stores: Lists of tuples of arguments and of a `FileStore` for each.
        names: List of strings, the names of the checkpoints on a scheduler.
        title: String for the progress line.

    Raises:
        ConnectionError: If the scheduler does not answer.
        RuntimeError: If a process dies. What it had done is kept: call again.
    """
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    with contextlib.ExitStack() as stack:
        if address:
            client = stack.enter_context(connect(address))
            workers = max(1, len(client.scheduler_info()["workers"]))
            stack.enter_context(joblib.parallel_config("dask", n_jobs=workers))
            stores = [SchedulerStore(name) for name in names]
        else:
            processes = num_processes(len(calls))
            # Threads of numpy do not change with the number of processes.
            stack.enter_context(
                joblib.parallel_config(
                    "loky", n_jobs=processes, inner_max_num_threads=os.cpu_count()
                )
            )
        progress = stack.enter_context(Progress(title, len(calls), "network"))
        if not address:
            stack.enter_context(watch(progress, stores))
        try:
            results = joblib.Parallel(return_as="generator_unordered")(
                joblib.delayed(function)(*call, store)
                for call, store in zip(calls, stores, strict=True)
            )
            for number, result in enumerate(results, start=1):
                progress.done = number
                yield result
        except TerminatedWorkerError as error:
            raise RuntimeError(
                f"{title}: a process that trained died, perhaps for lack of memory. "
                "What it had done is kept: the same call goes on."
            ) from error
        progress.finish(f"{title}: {len(calls)} networks trained")


@contextlib.contextmanager
def watch(progress, stores):
    """Keeps a progress line up to date with what the checkpoints say."""
    stop = threading.Event()

    def look():
        while not stop.wait(POLL):
            # Whose checkpoint is not there has ended, or has not begun.
            epochs = [epoch for epoch in (store.epochs() for store in stores) if epoch]
            in_work = {f"epoch of running {i}": e for i, e in enumerate(epochs, 1)}
            progress.update(progress.done, in_work)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def connect(address):
    """Returns a client of a Dask scheduler, or raises a `ConnectionError`."""
    import distributed

    try:
        return distributed.Client(address, timeout=PATIENCE)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConnectionError(
            "The variable `DASK_SCHEDULER_ADDRESS` should be the address of a Dask "
            f"scheduler that answers. Received: {address!r} ({error})."
        ) from error
