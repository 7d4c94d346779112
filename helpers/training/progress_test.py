import subprocess
import sys
import types

from helpers.training import progress

import pytest


class Clock:
    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(progress.time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_file_gets_a_line_every_thirty_seconds_and_the_summary(clock, capsys):
    with progress.Progress("rows", 4) as bar:
        for second in range(1, 71):
            clock.now = float(second)
            bar.update(second / 30, {"loss": 0.0123456})
        bar.finish("rows: done")
    assert capsys.readouterr() == (
        "",
        "rows: epoch 2 of 4, loss 0.0123, 30 s, 90 s to go\n"
        "rows: epoch 3 of 4, loss 0.0123, 60 s, 60 s to go\n"
        "rows: done\n",
    )


def test_time_to_go_counts_only_what_this_process_did(clock):
    bar = progress.Progress("rows", 10)
    bar.update(4.5)
    bar.update(6)
    line = bar.line(20.0, {"loss": 123456.0, "val_loss": float("nan")})
    assert line == "rows: epoch 7 of 10, loss 1.23e+05, val_loss nan, 20 s, 40 s to go"


def test_first_line_knows_no_speed(clock):
    assert (
        progress.Progress("rows", 3, "fold").line(2.0, {}) == "rows: fold 1 of 3, 2 s"
    )


def test_work_that_fails_leaves_where_it_stopped(capsys):
    with pytest.raises(KeyboardInterrupt), progress.Progress("rows", 4) as bar:
        bar.update(2)
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "rows: stopped in epoch 3 of 4\n"


def test_terminal_line_is_rewritten_in_place(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    with progress.Progress("rows", 2) as bar:
        clock.now = 1.0
        bar.update(1, {"loss": 0.5})
        clock.now = 1.1
        bar.update(1.1, {"loss": 0.4})  # Too soon after the last one.
        bar.finish("rows: a summary longer than the terminal")
    assert capsys.readouterr().err == (
        "\rrows: epoch 2 of 2, loss 0.5,\rrows: a summary longer than the terminal\n"
    )


def test_shorter_line_covers_the_longer_one(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    bar = progress.Progress("rows", 2)
    bar.show("a long line")
    bar.finish("short")
    assert capsys.readouterr().err == "\ra long line\rshort      \n"


def test_kernel_gets_one_output_that_is_updated(clock, capsys, monkeypatch):
    shown = []

    def display(data, raw, display_id):
        assert raw and display_id is True
        shown.append(data)
        return types.SimpleNamespace(update=lambda data, raw: shown.append(data))

    monkeypatch.setattr(progress, "kernel_display", lambda: display)
    with progress.Progress("rows", 2) as bar:
        clock.now = 1.0
        bar.update(1)
        bar.finish("rows: done")
    assert shown == [
        {"text/plain": "rows: epoch 2 of 2, 1 s"},
        {"text/plain": "rows: done"},
    ]
    assert capsys.readouterr() == ("", "")


def test_there_is_no_display_outside_of_a_kernel():
    code = (
        "import sys; from helpers.training import progress; "
        "assert progress.kernel_display() is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


CELL = """
from helpers.training.progress import Progress
with Progress("rows", 2) as progress:
    progress.interval = 0
    progress.update(1)
    progress.finish("rows: done")
"""


def test_notebook_keeps_the_summary_only():
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    client.NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert output.data == {"text/plain": "rows: done"}
