"""Notebooks 1 and 2 give the same scores with JAX and PyTorch as with TensorFlow.

Neither is among the requirements: where one is installed, it is tried.
"""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

import pandas as pd
import pytest

FOLDER = pathlib.Path(__file__).parent


@pytest.mark.parametrize("name", ["01_synthetic", "02_mnist_rows"])
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_notebook_has_the_same_scores(backend, name, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    notebook = tmp_path / f"{name}.ipynb"
    shutil.copy(FOLDER.parent / "notebooks" / notebook.name, notebook)
    for path in FOLDER.glob(f"runs/{name[:2]}_*"):
        shutil.copytree(path, tmp_path / "runs" / path.name)
    environment = {
        "KERAS_BACKEND": backend,
        "REPORT_FOLDER": str(tmp_path),
        # The recorded runs are loaded, and false claims end the execution.
        "RETRAIN": "never",
        # JAX compiles each network for seconds, though most are alike.
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
    }
    command = [sys.executable, "-m", "report.execute", str(notebook)]
    executed = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True
    )
    assert executed.returncode == 0, executed.stdout[-3000:] + executed.stderr[-3000:]
    assert f" on {backend}," in notebook.read_text("utf-8")
    scores, recorded = (
        pd.read_csv(folder / "scores" / f"{name}.csv") for folder in (tmp_path, FOLDER)
    )
    pd.testing.assert_frame_equal(scores, recorded, check_exact=False, rtol=1e-3)
