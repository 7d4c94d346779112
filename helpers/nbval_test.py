"""Shows that `pytest --nbval notebooks/` notices what it is there to notice."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = pathlib.Path(__file__).parent.parent
TRAINS = [
    "from helpers import scores, training\n"
    "from helpers.chapter import Chapter\n"
    "import keras, numpy as np\n"
    "chapter = Chapter('01_tiny', '1. Tiny')",
    "series = np.linspace(0, 1, 40, dtype='float32').reshape(10, 4, 1)\n"
    "def build():\n"
    "    inputs = keras.Input((4, 1), name='series')\n"
    "    outputs = keras.layers.Dense(1, name='reconstruction')(inputs)\n"
    "    model = keras.Model(inputs, outputs)\n"
    "    model.compile('sgd', 'mse')\n"
    "    return model",
    # NBVAL_IGNORE_OUTPUT is what the tag of our notebooks means, as a comment.
    "# NBVAL_IGNORE_OUTPUT\n"
    "run, other = [training.fit(build, x=series, y=series, epochs=2, batch_size=5,\n"
    "    name=name, seed=seed) for seed, name in enumerate(['run', 'other'])]",
    "prediction = run.model.predict(series, verbose=0)\n"
    "error = scores.mean_squared_error(series, prediction)\n"
    "chapter.claim('The error is not negative.', bool(error >= 0))\n"
    "chapter.claim('The scores are the recorded ones.',\n"
    "    training.confirm_scores(run, {'error': error}))\n"
    "chapter.finish()",
]


def make_project(folder, sources):
    """Makes a project with our settings of pytest and an executed notebook."""
    for name in ("conftest.py", "nbval.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "notebooks").mkdir()
    notebook = nbformat.v4.new_notebook()
    notebook.cells = list(map(nbformat.v4.new_code_cell, sources))
    resources = {"metadata": {"path": str(folder / "notebooks")}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPORT_FOLDER", str(folder / "report"))
        NotebookClient(notebook, kernel_name="python3", resources=resources).execute()
    nbformat.write(notebook, folder / "notebooks" / "01_tiny.ipynb")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RETRAIN", raising=False)
        return make_project(tmp_path_factory.mktemp("trained"), TRAINS)


@pytest.fixture
def project(trained, tmp_path):
    """A copy of a project whose notebook has been executed and its runs recorded."""
    return shutil.copytree(trained, tmp_path / "project")


def run_nbval(project):
    """Runs the README's command; gives its exit code and what it printed."""
    command = [sys.executable, "-m", "pytest", "--nbval", "notebooks/"]
    command += ["-q", "--color=no", "-p", "no:cacheprovider"]
    environment = os.environ | {"REPORT_FOLDER": str(project / "report")}
    done = subprocess.run(
        command, cwd=project, capture_output=True, text=True, env=environment
    )
    return done.returncode, done.stdout + done.stderr


def edit(project, old, new):
    """Replaces a text in the notebook's file."""
    path = project / "notebooks" / "01_tiny.ipynb"
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def swap_weights(project):
    runs = project / "report" / "runs"
    shutil.copy(runs / "other" / "model.keras", runs / "run" / "model.keras")


def test_good_notebook_passes(project):
    code, printed = run_nbval(project)
    assert code == 0, printed
    assert "4 passed" in printed


def test_false_claim_fails(project):
    edit(project, "bool(error >= 0)", "bool(error < 0)")
    code, printed = run_nbval(project)
    assert code == 1
    assert "AssertionError" in printed and "1 failed, 3 passed" in printed


def test_weights_of_another_run_fail(project):
    swap_weights(project)
    code, printed = run_nbval(project)
    assert code == 1
    assert "RETRAIN is never" in printed
    assert "model.keras is damaged" in printed


def test_weights_of_another_run_under_a_forged_checksum_fail(project):
    swap_weights(project)
    runs = project / "report" / "runs"
    record, other = (runs / name / "run.json" for name in ("run", "other"))
    forged = json.loads(record.read_text("utf-8"))
    forged["model_sha256"] = json.loads(other.read_text("utf-8"))["model_sha256"]
    record.write_text(json.dumps(forged), "utf-8")
    code, printed = run_nbval(project)
    assert code == 1
    assert "AssertionError" in printed and "1 failed, 3 passed" in printed


def test_digits_are_compared_and_durations_and_warnings_are_not(tmp_path):
    sources = [
        "import sys",
        "print('error 0.125')",
        "print('took 1.5 s, 20 ms each')",
        "print('AVX', file=sys.stderr)",
    ]
    project = make_project(tmp_path, sources)
    edit(project, "took 1.5 s, 20 ms each\\n", "took 27 s, 0.3 ms each\\n")
    edit(project, '"AVX\\n', '"SSE\\n')
    edit(project, "error 0.125\\n", "error 0.126\\n")
    code, printed = run_nbval(project)
    assert code == 1
    assert "1 failed, 3 passed" in printed
    assert "error 0.126" in printed and "took 27" not in printed
