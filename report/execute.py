"""Executes notebooks in place, two at a time, and says how far they are.

    python -m report.execute notebooks/*.ipynb report/report.ipynb report/appendix.ipynb

does what `jupyter nbconvert --to notebook --execute --inplace` does, but shows the
progress of a training, writes a notebook only when all of its cells succeeded, and
writes the same bytes when the outputs are the same. Each kernel runs in its notebook's
folder and in this environment. Where a cell fails the others go on, and the exit code
is 1; that of Ctrl-C is 130. The pages in `report/`, which read what the chapters have
written, come last. When all have succeeded, the records that RETRAIN (see README.md)
had moved aside are dropped.
"""

import argparse
import asyncio
import collections
import concurrent.futures
import glob
import hashlib
import os
import pathlib
import shutil
import sys
import tempfile
import time

from helpers.files import report_folder, write_file
from helpers.retraining import finish_retraining

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.filters import strip_ansi

FOLDER = pathlib.Path(__file__).resolve().parent
INTERRUPTED = 130  # The exit code of a program that Ctrl-C ended.
PATIENCE = 10.0  # Seconds that an interrupted kernel has to end by itself.


class Execution:
    """One notebook, from its path, on its way through a kernel."""

    def __init__(self, path):
        self.path, self._cell, self._stopped = path, 0, False
        self.start = self._cell_start = time.monotonic()
        self._notebook = nbformat.read(path, as_version=4)
        self._client = NotebookClient(
            self._notebook,
            kernel_name="python3",
            timeout=None,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(path.parent)}},
            # TensorFlow's C++ code describes the machine on stderr, with times. What
            # Python writes there, warnings above all, still gets into the notebook.
            extra_arguments=["--IPKernelApp.capture_fd_output=False"],
            on_cell_start=self._note,
        )

    def _note(self, cell, cell_index):
        self._cell, self._cell_start = cell_index, time.monotonic()
        if self._stopped:
            raise KeyboardInterrupt

    def run(self):
        """Executes and replaces the notebook; returns an error's text, or `None`."""
        with tempfile.TemporaryFile() as log:
            try:
                self._client.execute(stderr=log)
            except CellExecutionError as error:
                text = str(error)
            except RuntimeError as error:  # Now it is of interest what the kernel said.
                log.seek(0)
                words = log.read()[-2000:].decode(errors="replace")
                text = f"{error}. Was the memory full? Its last words: {words}"
            else:
                save(self._notebook, self.path)
                return None
        return f"{self.path}, cell {self._cell + 1} failed:\n\n{text}\n"

    def stop(self, now):
        """Ends the execution, with a `KeyboardInterrupt` in the cell if not `now`."""
        self._stopped, kernel = True, self._client.km
        if kernel is not None and kernel.has_kernel:
            end = kernel.shutdown_kernel(now=True) if now else kernel.interrupt_kernel()
            asyncio.run(end)

    def __str__(self):
        cells, seconds = self._notebook.cells, time.monotonic() - self._cell_start
        last = (cells[self._cell].get("outputs") or [{}])[-1]
        shown = last.get("text") or last.get("data", {}).get("text/plain") or ""
        line = strip_ansi(shown.replace("\r", "\n").strip().rpartition("\n")[-1])
        place = f"cell {self._cell + 1} of {len(cells)}"
        return f"{self.path.stem}, {place}, {seconds:.0f} s  {line}"


class Status:
    """Lines that are rewritten at the end of a terminal, below lines that stay.

    Where the stream is no terminal they are printed, at most every `pause` seconds.
    """

    def __init__(self, stream, pause=30.0):
        self._stream, self._pause = stream, pause
        self._rewritten, self._printed = 0, time.monotonic()

    def show(self, lines):
        """Shows lines in place of those that were shown before."""
        if self._stream.isatty():
            width = shutil.get_terminal_size().columns - 1
            self.say(*(line[:width] for line in lines))
            self._rewritten = len(lines)
        elif time.monotonic() - self._printed > self._pause:
            self.say(*lines)

    def say(self, *lines):
        """Prints lines that stay."""
        text = "".join(f"{line}\n" for line in lines)
        clear = f"\033[{self._rewritten}F\033[J" if self._rewritten else ""
        self._stream.write(clear + text if self._stream.isatty() else strip_ansi(text))
        self._stream.flush()
        self._rewritten, self._printed = 0, time.monotonic()


def save(notebook, path):
    """Writes a notebook's node, or nothing, without what differs between machines.

    Identifiers of cells are made from their source, so that they are always the same.
    """
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # The first with identifiers.
    notebook.metadata.get("language_info", {}).pop("version", None)
    notebook.metadata.pop("widgets", None)
    copies = collections.Counter()
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        same = cell.cell_type, cell.source
        content = f"{cell.cell_type}\n{copies[same]}\n{cell.source}"
        cell.id = hashlib.sha256(content.encode()).hexdigest()[:12]
        copies[same] += 1
    nbformat.validate(notebook)
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT)
    write_file(path, (text.rstrip("\n") + "\n").encode())


def find_notebooks(pattern):
    """Returns the paths that a pattern names; Windows' shells do not expand them."""
    found = sorted(glob.glob(pattern))
    if not found or not all(path.endswith(".ipynb") for path in found):
        raise argparse.ArgumentTypeError(f"no such .ipynb file. Received: {pattern}")
    return list(map(pathlib.Path, found))


def parse_notebooks(parser, arguments):
    """Adds notebooks to the arguments of a command; returns all, each notebook once."""
    parser.add_argument("notebooks", nargs="+", type=find_notebooks, metavar="NOTEBOOK")
    options = parser.parse_args(arguments)
    options.notebooks = list(dict.fromkeys(sum(options.notebooks, [])))
    return options


def execute_all(paths, jobs, status):
    """Executes notebooks, `jobs` at a time; returns the paths of those that failed."""
    waiting, running, failed = list(paths), {}, []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    execution = Execution(waiting.pop(0))
                    running[pool.submit(execution.run)] = execution
                done, _ = concurrent.futures.wait(running, 0.5, "FIRST_COMPLETED")
                for future in done:
                    execution, error = running.pop(future), future.result()
                    seconds = f"executed in {time.monotonic() - execution.start:.0f} s"
                    status.say(error or f"{execution.path}: {seconds}")
                    failed += [execution.path] * bool(error)
                status.show(list(map(str, running.values())))
        except KeyboardInterrupt:
            for now in (False, True):
                for future, execution in running.items():
                    if not future.done():
                        execution.stop(now)
                concurrent.futures.wait(running, PATIENCE)
            raise
    return failed


def main(arguments=None, stream=None):
    """Runs the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m report.execute")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    options = parse_notebooks(parser, arguments)
    # The kernel of this environment, whatever else is installed.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    status, failed = Status(stream or sys.stdout), []
    pages = [path for path in options.notebooks if path.resolve().parent == FOLDER]
    chapters = [path for path in options.notebooks if path not in pages]
    try:
        for part in (chapters, pages):
            failed += execute_all(part, options.jobs, status)
    except KeyboardInterrupt:
        status.say(
            "Interrupted. Unfinished notebooks are left as they were. The same command "
            "goes on: what is trained is loaded, a training that was cut off resumes."
        )
        return INTERRUPTED
    if failed:
        status.say(f"Failed, and left as they were: {', '.join(map(str, failed))}.")
        return 1
    if os.environ.get("RETRAIN") in ("1", "all"):
        finish_retraining(report_folder() / "runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
