import json
import os

from report import other_seeds

import nbformat
import pytest
from papermill import PapermillExecutionError

CLAIMS = """#| claims: true
print(f"{'holds' if max(SEEDS) < 10 else 'FALSE'}: seeds are small")
print(f"{'holds' if len(SEEDS) == 2 else 'FALSE'}: seeds are two")
assert max(SEEDS) < 10"""


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Writes a notebook whose first claim holds for small seeds only."""
    monkeypatch.setenv("REPORT_FOLDER", "")
    monkeypatch.setattr(other_seeds, "FOLDER", tmp_path / "report")
    (tmp_path / "report" / "scores").mkdir(parents=True)
    (tmp_path / "report" / "runs" / "01_a_seed0").mkdir(parents=True)

    def write(
        *sources, parameters="SEEDS = [0, 1]  # Of all.\nSIZE = 3\nMORE_SEEDS = [4]"
    ):
        cells = [nbformat.v4.new_code_cell(one) for one in (parameters, *sources)]
        cells[0].metadata["tags"] = ["parameters"]
        kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
        made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        path = tmp_path / "01_a.ipynb"
        nbformat.write(made, path)
        return path

    return write


TELL = """import json, os, pathlib
folder = pathlib.Path(os.environ["REPORT_FOLDER"])
known = [path.name for path in folder.glob("runs/*")]
(folder / "told.json").write_text(json.dumps([os.getcwd(), SEEDS, MORE_SEEDS, known]))
(folder / "runs" / f"01_a_seed{SEEDS[0]}").mkdir(exist_ok=True)"""


def test_claims_of_other_seeds_are_told(notebook, tmp_path, capsys, monkeypatch):
    path, copy = notebook(TELL, CLAIMS), tmp_path / "copy"
    monkeypatch.setattr(other_seeds.ask, "__defaults__", (copy,))
    before = path.read_bytes()
    for known in (["01_a_seed0"], ["01_a_seed0", "01_a_seed100"]):
        assert other_seeds.main([str(path)]) == 0
        printed = capsys.readouterr().out
        assert "1 of 2 claims hold\n    fails: seeds are small\n" in printed
        folder, seeds, more_seeds, runs = json.loads((copy / "told.json").read_text())
        assert (seeds, more_seeds) == ([100, 101], [104])
        assert sorted(runs) == known and os.path.samefile(folder, tmp_path)
    assert path.read_bytes() == before
    assert [run.name for run in (tmp_path / "report" / "runs").iterdir()] == known[:1]


def test_other_errors_are_no_claims(notebook, tmp_path):
    with pytest.raises(PapermillExecutionError, match="out of luck"):
        other_seeds.ask(notebook("assert False, 'out of luck'"), 100, tmp_path / "copy")


def test_notebook_without_seeds_is_refused(notebook, tmp_path):
    with pytest.raises(ValueError, match="should have a parameter SEEDS"):
        other_seeds.ask(notebook(parameters="SIZE = 3"), 100, tmp_path)
