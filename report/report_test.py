import ast
import pathlib

from report.status import read_status

import jupytext
import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).parent


@pytest.mark.parametrize("name", ["report", "appendix"])
def test_pair_holds_the_same_cells(name):
    script, notebook = (
        jupytext.read(FOLDER / f"{name}{extension}") for extension in (".py", ".ipynb")
    )
    assert script.metadata.get("report") == notebook.metadata.get("report")
    for ours, theirs in zip(script.cells, notebook.cells, strict=True):
        assert ours.cell_type == theirs.cell_type
        assert ours.source == theirs.source
        assert ours.metadata.get("tags") == theirs.metadata.get("tags")


def run_again(name, monkeypatch):
    """Runs a notebook's cells, compares their outputs, and gives their names."""
    monkeypatch.syspath_prepend(FOLDER)
    names = {}
    for cell in jupytext.read(FOLDER / f"{name}.ipynb").cells:
        if cell.cell_type == "code":
            module = ast.parse(cell.source)
            last = module.body.pop() if cell.outputs else None
            exec(compile(module, f"{name}.py", "exec"), names)
            if last:
                shown, data = eval(ast.unparse(last), names), cell.outputs[0]["data"]
                kinds = ("text/html", "text/markdown", "image/png")
                kind = next(kind for kind in kinds if kind in data)
                again = getattr(shown, f"_repr_{kind.rpartition('/')[2]}_")()
                remedy = f"Run `python -m report.execute report/{name}.ipynb`."
                assert "".join(again.split()) == "".join(data[kind].split()), remedy
    return names


def test_recipe_trains_and_encodes():
    script = (FOLDER / "report.py").read_text("utf-8")
    _, _, block = script.partition("# ```python\n")
    lines = block.partition("# ```\n")[0].splitlines()
    code = "\n".join(line[2:] for line in lines).replace("epochs=20", "epochs=2")
    x = np.random.default_rng(0).random((64, 50, 3), dtype="float32")
    label = np.eye(10, dtype="float32")[np.arange(64) % 10]
    targets = {"reconstruction": x, "label": label, "next_step": x[:, -1]}
    names = {"x": x, "targets": targets, "validation": (x, targets)}
    exec(code, names)
    history = names["model"].history.history
    assert {f"val_{output}_loss" for output in targets} < history.keys()
    assert history["val_loss"][1] < history["val_loss"][0]
    assert names["encoder"].predict(x, verbose=0).shape == (64, 16)


def test_front_page_shows_the_scores_that_are_recorded(monkeypatch):
    names = run_again("report", monkeypatch)
    assert len(names["findings"]) == 5


def test_appendix_lists_the_networks_that_are_recorded(monkeypatch):
    names = run_again("appendix", monkeypatch)
    networks = len(list((FOLDER / "runs").glob("*/model.keras")))
    assert names["times"].loc["all", "networks"] == networks == len(names["runs"])


def test_every_record_is_asked_for_and_whole():
    wrong = read_status(FOLDER).query("state != 'recorded'")
    assert wrong.empty, wrong[["state", "name"]].to_string()
