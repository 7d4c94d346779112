import argparse
import io
import os
import pathlib
import signal
import subprocess
import sys
import time

from report import execute

import nbformat
import pytest

ROOT = pathlib.Path(__file__).parent.parent


class Terminal(io.StringIO):
    def isatty(self):
        return True


def write(folder, *sources, name="tiny.ipynb"):
    """Writes a notebook with one code cell for each source, and text before them."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_markdown_cell("# Tiny")]
    notebook.cells += map(nbformat.v4.new_code_cell, sources)
    path = folder / name
    nbformat.write(notebook, path)
    return path


def run(*arguments, stream=None):
    stream = stream or io.StringIO()
    code = execute.main(list(map(str, arguments)), stream)
    return code, stream.getvalue()


def test_notebook_is_executed_in_its_folder_and_in_this_environment(tmp_path):
    path = write(tmp_path, "import os, sys", "print(os.getcwd())\nsys.executable")
    code, printed = run(path)
    notebook = nbformat.read(path, as_version=4)
    last = notebook.cells[-1]
    assert code == 0
    assert last.outputs[0].text.strip() == str(tmp_path.resolve())
    assert last.outputs[1].data["text/plain"] == repr(sys.executable)
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, 2]
    assert f"{path}: executed in" in printed


def test_same_outputs_make_the_same_bytes(tmp_path):
    cells = "x = 1", "import sys\nprint(x)\nsys.stdout.flush()\nprint(x)", "x", "x"
    path = write(tmp_path, *cells)
    run(path)
    first = path.read_bytes()
    # Other identifiers and timestamps, as another program would leave them.
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"other-{number}"
        cell.metadata["execution"] = {"iopub.status.busy": "2026-11-21"}
    assert "version" not in notebook.metadata["language_info"]
    nbformat.write(notebook, path)
    assert path.read_bytes() != first
    run(path)
    assert path.read_bytes() == first
    assert len({cell.id for cell in nbformat.read(path, as_version=4).cells}) == 5


def test_tags_and_metadata_of_the_notebook_are_kept(tmp_path):
    path = write(tmp_path, "x = 1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].metadata["tags"] = ["parameters"]
    notebook.metadata["report"] = {"chapters": ["a.ipynb"]}
    execute.save(notebook, path)
    saved = nbformat.read(path, as_version=4)
    assert saved.cells[1].metadata == {"tags": ["parameters"]}
    assert saved.metadata["report"] == {"chapters": ["a.ipynb"]}


@pytest.mark.parametrize("jobs", [1, 2])
def test_failing_notebook_is_left_alone_and_the_others_go_on(tmp_path, jobs):
    failing = write(tmp_path, "x = 0", "# Divides.\n1 / x", "print('not reached')")
    other = write(tmp_path, "1", name="other.ipynb")
    before = failing.read_bytes()
    code, printed = run(failing, other, "--jobs", jobs)
    assert code == 1
    assert f"{failing}, cell 3 failed" in printed
    assert "# Divides.\n1 / x" in printed and "ZeroDivisionError" in printed
    assert "\033" not in printed
    assert printed.endswith(f"left as they were: {failing}.\n")
    assert failing.read_bytes() == before
    assert nbformat.read(other, as_version=4).cells[1].execution_count == 1
    assert sorted(tmp_path.iterdir()) == [other, failing]


MEETING = """import pathlib, time
pathlib.Path({ours!r}).touch()
deadline = time.monotonic() + {patience}
while not pathlib.Path({others!r}).exists():
    assert time.monotonic() < deadline
    time.sleep(0.05)
"""


def test_two_notebooks_run_at_a_time_and_the_pages_after_them(tmp_path, monkeypatch):
    meet = {"ours": "a", "others": "b"}, {"ours": "b", "others": "a"}
    paths = [
        write(tmp_path, MEETING.format(patience=60, **one), name=f"{one['ours']}.ipynb")
        for one in meet
    ]
    (tmp_path / "report").mkdir()
    page = write(
        tmp_path / "report",
        "import nbformat\n[nbformat.read(f'../{name}.ipynb', 4).cells[1]"
        ".execution_count for name in 'ab']",
    )
    monkeypatch.setattr(execute, "FOLDER", (tmp_path / "report").resolve())
    assert run(page, *paths)[0] == 0
    shown = nbformat.read(page, as_version=4).cells[1].outputs[0]
    assert shown.data["text/plain"] == "[1, 1]"
    for name in "ab":
        (tmp_path / name).unlink()
    write(tmp_path, MEETING.format(patience=0.5, **meet[0]), name="a.ipynb")
    assert run(*paths, "--jobs", 1)[0] == 1


def test_warnings_are_kept_and_what_libraries_say_of_the_machine_is_not(
    tmp_path, monkeypatch
):
    # ipykernel behaves otherwise where it is told that pytest runs.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    warn = "import os, warnings\nwarnings.warn('look here')"
    path = write(tmp_path, warn, "os.write(2, b'AVX2 FMA')\nprint('x')")
    assert run(path)[0] == 0
    _, warned, silent = nbformat.read(path, as_version=4).cells
    assert "look here" in warned.outputs[0].text
    assert [output.get("text") for output in silent.outputs] == ["x\n"]


def test_dead_kernel_is_reported(tmp_path):
    path = write(tmp_path, "import os\nos.write(2, b'out of luck')\nos._exit(1)")
    code, printed = run(path)
    assert code == 1
    assert f"{path}, cell 2 failed" in printed
    assert "Kernel died" in printed and "out of luck" in printed


LIVE = (
    "import sys, time\n"
    "handle = display({'text/plain': 'epoch 1'}, raw=True, display_id=True)\n"
    "time.sleep(1.2)\n"
    "handle.update({'text/plain': 'epoch 2'}, raw=True)\n"
    "time.sleep(1.2)\n"
    "handle.update({'text/plain': 'done'}, raw=True)\n"
    "print('first\\n1 of 9\\r2 of 9', file=sys.stderr, flush=True)\n"
    "time.sleep(1.2)\n"
)


def test_progress_of_a_training_is_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    path = write(tmp_path, LIVE)
    code, printed = run(path, stream=Terminal())
    assert code == 0
    shown = printed.splitlines()
    for text in ("epoch 1", "epoch 2", "2 of 9"):
        assert any("cell 2 of 2" in line and line.endswith(text) for line in shown)
    output, _ = nbformat.read(path, as_version=4).cells[1].outputs
    assert output.data == {"text/plain": "done"}


def test_status_replaces_itself_on_a_terminal_and_does_not_wrap(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    status = execute.Status(stream)
    status.show(["x" * 50, "y"])
    status.show(["z"])
    status.say("a long line that stays")
    status.show(["z"])
    first, second = (f"\033[{count}F\033[J" for count in (2, 1))
    assert stream.getvalue() == (
        f"{'x' * 19}\ny\n{first}z\n{second}a long line that stays\nz\n"
    )


def test_status_is_a_line_now_and_then_where_there_is_no_terminal():
    stream = io.StringIO()
    status = execute.Status(stream, pause=0.2)
    for _ in range(10):
        status.show(["\033[31mtraining"])
        time.sleep(0.05)
    assert set(stream.getvalue().splitlines()) == {"training"}
    assert stream.getvalue().count("training") in (1, 2)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("stubborn", [False, True])
def test_interrupt_stops_the_kernels_and_leaves_the_notebooks_alone(tmp_path, stubborn):
    wait = "import os, pathlib, time\npathlib.Path(name).write_text(str(os.getpid()))\n"
    stop = "time.sleep(1000)"
    if stubborn:  # As a long call of a library that is not written in Python.
        stop = f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{stop}"
    paths = [
        write(tmp_path, f"name = 'pid{k}'", wait + stop, "1", name=f"{k}.ipynb")
        for k in range(3)
    ]
    before = [path.read_bytes() for path in paths]
    command = "from report import execute; import sys; execute.PATIENCE = 3.0; "
    process = subprocess.Popen(
        [sys.executable, "-c", command + "sys.exit(execute.main())", *map(str, paths)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell's background job, as these tests may be, has the signal switched off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    pids = [tmp_path / f"pid{k}" for k in range(2)]
    deadline = time.monotonic() + 120
    while not all(pid.exists() and pid.read_text() for pid in pids):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    try:
        printed, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == execute.INTERRUPTED
    assert "Unfinished notebooks are left as they were" in printed
    assert "Traceback" not in printed and "Task was destroyed" not in printed
    assert [path.read_bytes() for path in paths] == before
    assert not (tmp_path / "pid2").exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


def test_patterns_are_expanded_in_order_and_each_notebook_once(tmp_path):
    paths = [write(tmp_path, "1", name=f"0{number}.ipynb") for number in (2, 1, 3)]
    patterns = [str(paths[2]), str(tmp_path / "*.ipynb")]
    found = execute.parse_notebooks(argparse.ArgumentParser(), patterns).notebooks
    assert [path.name for path in found] == ["03.ipynb", "01.ipynb", "02.ipynb"]


@pytest.mark.parametrize("name", ["missing.ipynb", "no*.ipynb", "script.py"])
def test_what_is_no_notebook_is_refused(tmp_path, name, capsys):
    (tmp_path / "script.py").write_text("1")
    with pytest.raises(SystemExit, match="2"):
        execute.main([str(tmp_path / name)])
    assert f"Received: {tmp_path / name}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "failed", "trained", "kept"),
    [
        ("1", 1, True, True),
        ("1", 0, True, False),
        ("1", 0, False, True),  # Another chapter's retraining is not finished.
        ("0", 0, True, True),
    ],
)
def test_old_records_are_dropped_when_all_is_trained_anew(
    tmp_path, monkeypatch, value, failed, trained, kept
):
    aside = tmp_path / "runs" / ".aside" / "01_a"
    aside.mkdir(parents=True)
    if trained:
        (tmp_path / "runs" / "01_a").mkdir()
        (tmp_path / "runs" / "01_a" / "run.json").write_text("{}")
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    monkeypatch.setenv("RETRAIN", value)
    monkeypatch.setattr(execute, "execute_all", lambda paths, *_: paths[:failed])
    assert run(write(tmp_path, "1"))[0] == failed
    assert aside.exists() == kept
