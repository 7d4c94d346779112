"""Executes notebooks in place, and says in the terminal how far it is.

    python -m report.execute notebooks/*.ipynb report/report.ipynb

does what `jupyter nbconvert --to notebook --execute --inplace` does, for people who
wait and for git: it shows the live text of a training (`jupyter nbconvert` is silent
until the end), writes a notebook only when all of its cells succeeded, and writes the
same bytes when the outputs are the same. Each kernel runs in its notebook's folder and
in the environment of this command. The first failing cell ends everything with exit
code 1, Ctrl-C with exit code 130.

`RETRAIN=1` trains networks anew, except for the longest, `RETRAIN=all` these, too. When
that was begun is noted in `.retraining` in the project, until it is finished: the same
command after Ctrl-C, an error or a crash trains only what is older. The status says how
many networks are trained, of how many, and how long the rest took when it was recorded.
A failing cell ends its notebook only, as a claim that quotes digits may fail with new
weights: the other notebooks are executed all the same, then the exit code is 1.
`report/retraining.json` says of each chapter that was retrained how long it took.
"""

import argparse
import asyncio
import contextlib
import datetime
import glob
import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time

import ipykernel.kernelspec
import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbclient.util import run_sync
from nbconvert.filters import strip_ansi

from helpers.files import write_file
from helpers.retraining import LONG_TRAINING, is_long, read_seconds, recorded_since

KERNEL = {
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "name": "python3",
}
# What a kernel says of itself, without its version, which differs between machines.
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
SECONDS_BETWEEN_LINES = 30.0  # Where the status cannot stay on one line of a terminal.
INTERRUPTED = 130  # The exit code of a program that Ctrl-C ended.
ROOT = pathlib.Path(__file__).parent.parent


class NotebookError(Exception):
    """Says which cell of which notebook failed, and how."""


class Progress:
    """A status that stays on one line of a terminal, and lines that stay.

    Where the stream is no terminal (a file, a continuous-integration log) the status is
    printed as a line of its own, though at most every `seconds_between_lines`.

    Args:
        stream: Text stream to write to.
        seconds_between_lines: Float.
    """

    def __init__(self, stream, seconds_between_lines=SECONDS_BETWEEN_LINES):
        self._stream = stream
        self._terminal = stream.isatty()
        self._pause = 0.5 if self._terminal else seconds_between_lines
        self._printed = time.monotonic()
        self._describe = lambda: ""
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self):
        self._ticker.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._ticker.join()
        self._clear()

    def follow(self, describe):
        """Sets the status.

        Args:
            describe: Function without arguments that returns the status as a string; it
                is called again and again, so the status may contain a running clock.
        """
        with self._lock:
            self._describe = describe
        self.refresh()

    def refresh(self):
        """Shows the status, unless it is too early to show it again."""
        with self._lock:
            now = time.monotonic()
            text = " ".join(self._describe().split())
            if not text or now - self._printed < self._pause:
                return
            self._printed = now
            if self._terminal:
                # One column less: a full line would move the cursor to the next one.
                width = shutil.get_terminal_size().columns - 1
                self._write("\r" + text[:width].ljust(width))
            else:
                self._write(text + "\n")

    def line(self, text):
        """Prints a line that stays.

        Args:
            text: String.
        """
        with self._lock:
            self._describe = lambda: ""
            self._clear()
            self._write((text if self._terminal else strip_ansi(text)) + "\n")

    def _clear(self):
        if self._terminal:
            with self._lock:
                self._write("\r\033[K")

    def _write(self, text):
        self._stream.write(text)
        self._stream.flush()

    def _tick(self):
        while not self._stopped.wait(min(self._pause, 1.0)):
            self.refresh()


class CurrentEnvironment(KernelSpecManager):
    """Finds one kernel, that of the running Python, whatever else is installed."""

    def get_kernel_spec(self, kernel_name):
        """Returns the kernel's specification; the name is ignored."""
        return KernelSpec(
            resource_dir=ipykernel.kernelspec.RESOURCES,
            **ipykernel.kernelspec.get_kernel_dict(),
        )


class Client(NotebookClient):
    """nbclient's client, which passes live text on while a cell runs."""

    live_text = ""

    def process_message(self, msg, cell, cell_index):
        """Keeps the text of displays that will be updated, as progress bars are."""
        content = msg["content"]
        if msg["msg_type"] in ("display_data", "update_display_data"):
            if (content.get("transient") or {}).get("display_id"):
                self.live_text = content["data"].get("text/plain", "")
        return super().process_message(msg, cell, cell_index)


class Retraining:
    """Training the networks of some notebooks anew, in as many sittings as it takes.

    Args:
        mode: String, the environment's `RETRAIN`: `"1"` or `"all"`.
        paths: List of `pathlib.Path`s of notebooks; the first two characters of their
            names are those of their runs and cross-validations.
        root: Path of the project.

    Raises:
        ValueError: If the note of an earlier beginning is damaged.
    """

    def __init__(self, mode, paths, root=ROOT):
        self.mode = mode
        self._note = pathlib.Path(root, ".retraining")
        self.continued = self._note.exists()
        if not self.continued:
            now = datetime.datetime.now().isoformat()
            self._note.write_text(now + "\n", "utf-8")
        text = self._note.read_text("utf-8").strip()
        try:
            self.since = datetime.datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(
                f"{self._note} should hold the time when RETRAIN={mode} was begun; "
                f"delete it to begin anew. Received: {text!r}"
            ) from error
        self._older = {}  # Path to the time of its file and what was found in it.
        numbers = {path.name[:2] for path in paths}
        report = pathlib.Path(root, "report")
        self._summary = report / "retraining.json"
        records = [
            path
            for pattern in ("runs/*/run.json", "selection/*.jsonl")
            for path in sorted(report.glob(pattern))
            if record_name(path)[:2] in numbers
        ]
        # What was trained since is not left, however long it took this time.
        self.left = [
            path
            for path in records
            if mode == "1" and is_long(path) and self._is_older(path)
        ]
        self._seconds = {
            path: read_seconds(path) for path in records if path not in self.left
        }
        self._num_networks = sum(path.name == "run.json" for path in self._seconds)

    def __str__(self):
        old = [path for path in self._seconds if self._is_older(path)]
        trained = self._num_networks - sum(path.name == "run.json" for path in old)
        seconds = sum(self._seconds[path] for path in old)
        hours, minutes = divmod(round(seconds / 60), 60)
        return (
            f"{trained} of {self._num_networks} networks trained, "
            f"{hours} h {minutes:02d} min to go"
        )

    def _is_older(self, path):
        """Returns whether a record was made before the retraining, or is missing."""
        # The status asks twice a second, and all records are megabytes to read.
        changed = path.stat().st_mtime_ns if path.exists() else None
        if path not in self._older or self._older[path][0] != changed:
            self._older[path] = changed, not recorded_since(path, self.since)
        return self._older[path][1]

    def keep(self, notebook):
        """Writes what a chapter's trainings took into `report/retraining.json`.

        Args:
            notebook: `pathlib.Path` of the notebook, all of whose networks are trained.
        """
        number = notebook.name[:2]
        records = [path for path in self._seconds if record_name(path)[:2] == number]
        if not records:
            return
        chapters = {}
        # Hours of training should not end in an error because of a damaged summary.
        with contextlib.suppress(OSError, ValueError):
            chapters = json.loads(self._summary.read_text("utf-8"))
        chapters[number] = {
            "RETRAIN": self.mode,
            "trainings": sum(map(count_trainings, records)),
            "seconds": round(sum(map(read_seconds, records)), 1),
        }
        lines = [
            f"{json.dumps(key)}: {json.dumps(chapters[key])}"
            for key in sorted(chapters)
        ]
        write_file(self._summary, ("{\n" + ",\n".join(lines) + "\n}\n").encode())

    def finish(self):
        """Forgets when it was begun: the next one starts from the beginning."""
        # Missing if another terminal, with other notebooks, has finished before.
        self._note.unlink(missing_ok=True)


def record_name(path):
    """Returns the name of a run or of a cross-validation, from the path of its file."""
    return path.parent.name if path.name == "run.json" else path.stem


def count_trainings(path):
    """Returns of how many trainings a file is the record: a run's of one."""
    return 1 if path.name == "run.json" else len(path.read_text("utf-8").splitlines())


def execute(path, progress, name=None, retraining=None):
    """Executes a notebook in place.

    Args:
        path: `pathlib.Path` of an `.ipynb` file. It is replaced when all cells have
            succeeded, and is left as it is otherwise.
        progress: `Progress`.
        name: String, what the status calls the notebook. Defaults to the path.
        retraining: `Retraining` or `None`; the status says how far it is.

    Returns:
        Float, the seconds it took.

    Raises:
        NotebookError: If a cell raises, or the kernel dies.
    """
    start = time.monotonic()
    name = name or str(path)
    notebook = nbformat.read(path, as_version=4)
    client = Client(
        notebook,
        km=AsyncKernelManager(kernel_spec_manager=CurrentEnvironment()),
        timeout=None,
        record_timing=False,
        coalesce_streams=True,
        # TensorFlow's C++ code describes the machine on stderr, with times. What Python
        # writes there, warnings above all, still gets into the notebook.
        extra_arguments=["--IPKernelApp.capture_fd_output=False"],
    )
    progress.follow(lambda: f"{name}: starting")
    folder = str(path.parent.resolve())
    # What the kernel's process itself says is of interest only if it dies.
    with (
        tempfile.TemporaryFile() as log,
        client.setup_kernel(cleanup_kc=True, cwd=folder, stderr=log),
    ):
        try:
            for index in range(len(notebook.cells)):
                _execute_cell(client, index, progress, name, retraining)
        except DeadKernelError as error:
            log.seek(0)
            last_words = log.read().decode(errors="replace")[-2000:]
            raise NotebookError(
                f"{name}: the kernel died. A usual cause is that the memory was full. "
                f"Its last words: {last_words}"
            ) from error
        except KeyboardInterrupt:
            run_sync(_abandon_tasks)()
            # The kernel is asked to stop before it is told to: it may have a file open.
            run_sync(client.km.interrupt_kernel)()
            raise
    save(notebook, path)
    return time.monotonic() - start


async def _abandon_tasks():
    """Ends what nbclient was waiting for, or it would complain of the dead kernel."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _execute_cell(client, index, progress, name, retraining):
    cells = client.nb.cells
    place = f"cell {index + 1} of {len(cells)}"
    client.live_text = ""
    start = time.monotonic()
    progress.follow(
        lambda: (
            f"{name}, {place}, {time.monotonic() - start:.0f} s  "
            f"{'' if retraining is None else f'{retraining}  '}{client.live_text}"
        )
    )
    try:
        client.execute_cell(cells[index], index)
    except CellExecutionError as error:
        source = "\n".join(f"    {line}" for line in cells[index].source.splitlines())
        traceback = "\n".join(
            line
            for output in cells[index].outputs
            if output.output_type == "error"
            for line in output.traceback
        )
        raise NotebookError(
            f"{name}, {place} failed:\n\n{source}\n\n{traceback or error}"
        ) from error


def save(notebook, path):
    """Writes a notebook, all of it or nothing, without what differs between machines.

    Args:
        notebook: nbformat's node. Its metadata and its cells' identifiers are changed:
            an identifier is made from the cell's source, so that a notebook which was
            made anew from its script has the same ones.
        path: `pathlib.Path`.
    """
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # The first with identifiers.
    notebook.metadata["kernelspec"] = KERNEL
    notebook.metadata["language_info"] = LANGUAGE
    notebook.metadata.pop("widgets", None)
    taken = set()
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        copies = 0
        while True:
            content = f"{cell.cell_type}\n{copies}\n{cell.source}"
            cell.id = hashlib.sha256(content.encode()).hexdigest()[:12]
            if cell.id not in taken:
                break
            copies += 1
        taken.add(cell.id)
    text = nbformat.writes(nbformat.from_dict(notebook), version=nbformat.NO_CONVERT)
    nbformat.validate(nbformat.reads(text, as_version=4))
    write_file(path, (text.rstrip("\n") + "\n").encode())


def find_notebooks(patterns):
    """Finds the notebooks that the command names.

    Args:
        patterns: List of strings, paths or patterns like `notebooks/*.ipynb`, which the
            shells of Windows hand over as they are.

    Returns:
        List of `pathlib.Path`s, each once, in the order of the patterns.

    Raises:
        ValueError: If a pattern matches nothing, or something that is no notebook.
    """
    paths = {}
    for pattern in patterns:
        found = sorted(glob.glob(pattern))
        if not found or not all(path.endswith(".ipynb") for path in found):
            raise ValueError(f"there is no such .ipynb file. Received: {pattern}")
        paths.update((pathlib.Path(path), None) for path in found)
    return list(paths)


def main(arguments=None, stream=None):
    """Runs the command.

    Args:
        arguments: List of strings; the command line's if None.
        stream: Text stream for the progress; `sys.stdout` if None.

    Returns:
        Integer, the exit code.
    """
    parser = argparse.ArgumentParser(
        prog="python -m report.execute",
        description="Executes notebooks in place. RETRAIN=1 in the environment trains "
        "networks anew, RETRAIN=all also the longest, RETRAIN=never none.",
    )
    parser.add_argument("notebooks", nargs="+", metavar="NOTEBOOK")
    try:
        paths = find_notebooks(parser.parse_args(arguments).notebooks)
    except ValueError as error:
        parser.error(str(error))
    start = time.monotonic()
    retraining, failed = None, []
    if os.environ.get("RETRAIN") in ("1", "all"):
        retraining = Retraining(os.environ["RETRAIN"], paths)
        since = retraining.since.isoformat()
        os.environ["RETRAIN"] = f"{retraining.mode} since {since}"
    with Progress(stream or sys.stdout) as progress:
        if retraining:
            begun = "continued from" if retraining.continued else "begun at"
            progress.line(f"RETRAIN={retraining.mode}, {begun} {since}: {retraining}")
            if retraining.left:
                names = ", ".join(map(record_name, retraining.left))
                progress.line(
                    f"More than {LONG_TRAINING / 60:.0f} min each, and left to "
                    f"RETRAIN=all: {names}"
                )
        for number, path in enumerate(paths, start=1):
            name = f"{path} ({number} of {len(paths)})"
            progress.line(name)
            try:
                seconds = execute(path, progress, name, retraining)
            except NotebookError as error:
                progress.line(f"{error}\n\n{path} is left as it was.")
                if retraining is None:
                    return 1
                # Hours of training the others should not wait for this one.
                failed.append(str(path))
                continue
            except KeyboardInterrupt:
                progress.line(
                    f"Interrupted. {path} is left as it was. Run the same command "
                    "again: networks that are trained are loaded, a training that was "
                    "cut off resumes at its last finished epoch."
                )
                return INTERRUPTED
            progress.line(f"{path}: executed in {seconds:.0f} s")
            if retraining:
                retraining.keep(path)
        if failed:
            progress.line(
                f"Failed, and left as they were: {', '.join(failed)}. What is trained "
                "is recorded; the same command executes again and trains what is not."
            )
            return 1
        if retraining:
            retraining.finish()
        if len(paths) > 1:
            total = time.monotonic() - start
            progress.line(f"{len(paths)} notebooks: executed in {total:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
