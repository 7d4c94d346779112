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

ROOT = pathlib.Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["01_synthetic", "02_mnist_rows"])
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_notebook_has_the_same_scores(backend, name, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    # A copy, as the notebook writes its outputs and its table of scores.
    for path in [
        *(ROOT / "helpers", ROOT / "data", ROOT / "report" / "selection"),
        *ROOT.glob(f"report/runs/{name[:2]}_*"),
    ]:
        shutil.copytree(path, tmp_path / path.relative_to(ROOT))
    (tmp_path / "report" / "scores").mkdir()
    (tmp_path / "notebooks").mkdir()
    notebook = tmp_path / "notebooks" / f"{name}.ipynb"
    shutil.copy(ROOT / "notebooks" / notebook.name, notebook)
    executed = subprocess.run(
        [sys.executable, "-m", "report.execute", str(notebook)],
        cwd=ROOT,
        env=os.environ
        | {
            "KERAS_BACKEND": backend,
            # The recorded runs are loaded, and false claims end the execution.
            "RETRAIN": "never",
            # JAX compiles each network for seconds, though most are alike.
            "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert executed.returncode == 0, executed.stdout[-3000:]
    assert f" on {backend}," in notebook.read_text("utf-8")
    scores, recorded = (
        pd.read_csv(root / "report" / "scores" / f"{name}.csv")
        for root in (tmp_path, ROOT)
    )
    pd.testing.assert_frame_equal(scores, recorded, check_exact=False, rtol=1e-3)
