import functools
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from helpers.retraining import now
from report import execute

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


def run(*paths, stream=None):
    stream = stream or io.StringIO()
    code = execute.main([str(path) for path in paths], stream)
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
    assert f"{path} (1 of 1)" in printed and "executed in" in printed


def test_same_outputs_make_the_same_bytes(tmp_path):
    cells = "x = 1", "import sys\nprint(x)\nsys.stdout.flush()\nprint(x)", "x", "x"
    path = write(tmp_path, *cells)
    run(path)
    first = path.read_bytes()
    # Other identifiers, timestamps and versions, as another program would leave them.
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"other-{number}"
        cell.metadata["execution"] = {"iopub.status.busy": "2026-11-21"}
    notebook.metadata.language_info["version"] = "3.99"
    notebook.metadata["kernelspec"]["display_name"] = "my-environment"
    nbformat.write(notebook, path)
    assert path.read_bytes() != first
    run(path)
    assert path.read_bytes() == first
    assert len({cell.id for cell in notebook.cells}) == 5


def test_tags_and_metadata_of_the_notebook_are_kept(tmp_path):
    path = write(tmp_path, "x = 1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].metadata["tags"] = ["parameters"]
    notebook.metadata["report"] = {"chapters": ["a.ipynb"]}
    execute.save(notebook, path)
    saved = nbformat.read(path, as_version=4)
    assert saved.cells[1].metadata == {"tags": ["parameters"]}
    assert saved.metadata["report"] == {"chapters": ["a.ipynb"]}


def test_failing_cell_is_shown_and_the_notebook_left_alone(tmp_path):
    path = write(tmp_path, "x = 0", "# Divides.\n1 / x", "print('not reached')")
    other = write(tmp_path, "1", name="untouched.ipynb")
    before = path.read_bytes(), other.read_bytes()
    code, printed = run(path, other)
    assert code == 1
    assert "cell 3 of 4 failed" in printed
    assert "    # Divides.\n    1 / x" in printed
    assert "ZeroDivisionError" in printed
    assert "\033" not in printed
    assert (path.read_bytes(), other.read_bytes()) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, other.name]


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
    assert "the kernel died" in printed and "out of luck" in printed


LIVE = (
    "import time\n"
    "handle = display({'text/plain': 'epoch 1'}, raw=True, display_id=True)\n"
    "time.sleep(0.7)\n"
    "handle.update({'text/plain': 'epoch 2'}, raw=True)\n"
    "time.sleep(0.7)\n"
    "handle.update({'text/plain': 'done'}, raw=True)\n"
)


def test_live_text_stays_on_one_line_of_a_terminal(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    path = write(tmp_path, LIVE)
    code, printed = run(path, stream=Terminal())
    assert code == 0
    shown = [part.rstrip() for part in printed.split("\r")]
    assert any(part.endswith("epoch 1") for part in shown)
    assert any("cell 2 of 2" in part and part.endswith("epoch 2") for part in shown)
    assert printed.count("\n") == 2  # The notebook's name and its time.
    (output,) = nbformat.read(path, as_version=4).cells[1].outputs
    assert output.data == {"text/plain": "done"}


def test_status_is_a_line_now_and_then_where_there_is_no_terminal():
    stream = io.StringIO()
    with execute.Progress(stream, seconds_between_lines=0.2) as progress:
        progress.follow(lambda: "training")
        time.sleep(1.0)
    lines = stream.getvalue().splitlines()
    assert set(lines) == {"training"}
    assert 2 <= len(lines) <= 5


def test_long_status_does_not_wrap(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    with execute.Progress(stream) as progress:
        progress.follow(lambda: "x" * 50)
        time.sleep(0.7)
    longest = max(len(part) for part in stream.getvalue().split("\r"))
    assert longest == 19


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_interrupt_stops_the_kernel_and_leaves_the_notebook_alone(tmp_path):
    path = write(
        tmp_path,
        "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))",
        "time.sleep(100)",
    )
    before = path.read_bytes()
    command = [sys.executable, "-m", "report.execute", str(path)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell's background job, as these tests may be, has the signal switched off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    pid = tmp_path / "pid"
    deadline = time.monotonic() + 120
    while not (pid.exists() and pid.read_text()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == execute.INTERRUPTED
    assert "is left as it was" in printed
    assert "Traceback" not in printed and "Task was destroyed" not in printed
    assert path.read_bytes() == before
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_patterns_are_expanded_in_order_and_each_notebook_once(tmp_path):
    paths = [write(tmp_path, "1", name=f"0{number}.ipynb") for number in (2, 1, 3)]
    found = execute.find_notebooks([str(paths[2]), str(tmp_path / "*.ipynb")])
    assert [path.name for path in found] == ["03.ipynb", "01.ipynb", "02.ipynb"]


@pytest.mark.parametrize("name", ["missing.ipynb", "no*.ipynb", "script.py"])
def test_what_is_no_notebook_is_refused(tmp_path, name, capsys):
    (tmp_path / "script.py").write_text("1")
    with pytest.raises(SystemExit, match="2"):
        execute.main([str(tmp_path / name)])
    assert f"Received: {tmp_path / name}" in capsys.readouterr().err


@pytest.fixture
def project(tmp_path):
    """Three networks and a cross-validation of chapter 1, a network of chapter 2."""
    for name, seconds in (("01_a", 600), ("01_b", 780), ("01_c", 3600), ("02_a", 60)):
        folder = tmp_path / "report" / "runs" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"seconds": seconds}))
    selection = tmp_path / "report" / "selection"
    selection.mkdir()
    (selection / "01_a.jsonl").write_text('{"seconds": 60.0}\n{"seconds": 120.0}\n')
    return tmp_path


def test_retraining_says_how_far_it_is(project):
    retraining = execute.Retraining("all", [project / "01_x.ipynb"], project)
    assert str(retraining) == "0 of 3 networks trained, 1 h 26 min to go"
    assert retraining.left == []
    retraining = execute.Retraining("1", [project / "01_x.ipynb"], project)
    assert str(retraining) == "0 of 2 networks trained, 0 h 26 min to go"
    assert list(map(execute.record_name, retraining.left)) == ["01_c"]
    record = project / "report" / "runs" / "01_a" / "run.json"
    record.write_text(json.dumps({"seconds": 600, "recorded": now()}))
    assert str(retraining) == "1 of 2 networks trained, 0 h 16 min to go"


def test_status_reads_only_what_has_changed(project, monkeypatch):
    read = []

    def note(path, since):
        read.append(execute.record_name(path))
        return False

    monkeypatch.setattr(execute, "recorded_since", note)
    retraining = execute.Retraining("all", [project / "01_x.ipynb"], project)
    for _ in range(3):
        assert str(retraining) == "0 of 3 networks trained, 1 h 26 min to go"
    assert read == ["01_a", "01_b", "01_c", "01_a"]  # The last one: a cross-validation.
    os.utime(project / "report" / "runs" / "01_b" / "run.json", (0, 0))
    str(retraining)
    assert read[4:] == ["01_b"]


def test_retraining_goes_on_until_it_is_finished(project, monkeypatch):
    monkeypatch.setattr(
        execute, "Retraining", functools.partial(execute.Retraining, root=project)
    )
    path = write(project, "import os\nos.environ['RETRAIN']", "1 / 0", name="01.ipynb")
    times = []
    for source in ("1 / 0", "1 / 1"):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[2].source = source
        notebook.cells[1].source = "import os\nprint(os.environ['RETRAIN'])\n" + (
            "from pathlib import Path\nPath('since').write_text(os.environ['RETRAIN'])"
        )
        nbformat.write(notebook, path)
        monkeypatch.setenv("RETRAIN", "1")
        code, printed = run(path)
        times.append((project / "since").read_text())
        assert (code == 0) == (source == "1 / 1")
        assert "of 2 networks trained" in printed
        assert "More than 15 min each, and left to RETRAIN=all: 01_c\n" in printed
    assert times[0] == times[1]
    assert times[0].startswith("1 since ")
    assert "continued from" in printed
    assert not (project / ".retraining").exists()
    assert '"01": {' in (project / "report" / "retraining.json").read_text()


def test_retrained_chapter_says_what_it_took(project):
    summary = project / "report" / "retraining.json"
    chapters = [project / "01_x.ipynb", project / "02_x.ipynb"]
    retraining = execute.Retraining("1", chapters, project)
    for path in (*chapters, project / "report.ipynb"):
        retraining.keep(path)
    both = {
        "01": {"RETRAIN": "1", "trainings": 4, "seconds": 1560.0},
        "02": {"RETRAIN": "1", "trainings": 1, "seconds": 60.0},
    }
    assert json.loads(summary.read_text()) == both
    execute.Retraining("all", chapters, project).keep(chapters[0])
    changed = {"01": {"RETRAIN": "all", "trainings": 5, "seconds": 5160.0}}
    assert json.loads(summary.read_text()) == both | changed


def test_what_took_longer_than_before_still_counts_as_retrained(project):
    chapter = project / "01_x.ipynb"
    execute.Retraining("1", [chapter], project)
    record = project / "report" / "runs" / "01_a" / "run.json"
    record.write_text(json.dumps({"seconds": 1000.0, "recorded": now()}))
    retraining = execute.Retraining("1", [chapter], project)
    assert list(map(execute.record_name, retraining.left)) == ["01_c"]
    retraining.keep(chapter)
    kept = json.loads((project / "report" / "retraining.json").read_text())
    assert kept["01"] == {"RETRAIN": "1", "trainings": 4, "seconds": 1960.0}


def test_failed_notebook_does_not_keep_others_from_retraining(project, monkeypatch):
    monkeypatch.setattr(
        execute, "Retraining", functools.partial(execute.Retraining, root=project)
    )
    paths = [write(project, source, name=f"{source}.ipynb") for source in ("a", "2")]
    for value, executed in (("1", True), ("", False)):
        monkeypatch.setenv("RETRAIN", value)
        code, printed = run(*paths)
        assert code == 1 and f"{paths[0]} is left as it was." in printed
        assert (f"Failed, and left as they were: {paths[0]}." in printed) == executed
        cell = nbformat.read(paths[1], as_version=4).cells[-1]
        assert (cell.execution_count is not None) == executed
        write(project, "2", name="2.ipynb")
    assert (project / ".retraining").exists()


def test_damaged_note_of_retraining_is_refused(project):
    (project / ".retraining").write_text("yesterday")
    with pytest.raises(ValueError, match=".retraining should hold.*'yesterday'"):
        execute.Retraining("1", [project / "01_x.ipynb"], project)


def test_damaged_summary_of_retraining_is_replaced(project):
    summary = project / "report" / "retraining.json"
    summary.write_text('{"01": {')
    execute.Retraining("1", [project / "02_x.ipynb"], project).keep(
        project / "02_x.ipynb"
    )
    assert list(json.loads(summary.read_text())) == ["02"]
