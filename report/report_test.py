import ast
import json
import pathlib
import sys

import jupytext
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
    monkeypatch.chdir(FOLDER)
    monkeypatch.setattr(sys, "path", [*sys.path])
    names = {}
    for cell in jupytext.read(FOLDER / f"{name}.ipynb").cells:
        if cell.cell_type != "code":
            continue
        module = ast.parse(cell.source)
        last = module.body.pop() if cell.outputs else None
        exec(compile(module, f"{name}.py", "exec"), names)
        if last:
            shown = eval(ast.unparse(last), names)
            old = cell.outputs[0]["data"]
            remedy = f"Run `python -m report.execute report/{name}.ipynb`."
            if "text/html" in old:
                assert shown._repr_html_() == old["text/html"], remedy
            else:
                assert shown._repr_markdown_() == old["text/markdown"], remedy
    return names


def test_front_page_shows_the_scores_that_are_recorded(monkeypatch):
    names = run_again("report", monkeypatch)
    seeds, spread = (names["scores"][column] for column in ("seeds", "spread"))
    tasks = names["scores"]["task"]
    assert set(tasks[~(spread > 0) & (seeds > 1)]) <= {"4. S&P 500"}, (
        "report.py says that seeds agree in chapter 4 only."
    )


def test_appendix_lists_the_runs_that_are_recorded(monkeypatch):
    names = run_again("appendix", monkeypatch)
    networks = len(list((FOLDER / "runs").glob("*/run.json")))
    assert names["times"].loc["all", "networks"] == networks == len(names["runs"])


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "selection").glob("*.jsonl")), ids=lambda path: path.stem
)
def test_cross_validation_is_whole_and_holds_nothing_else(path):
    """Else the appendix would count models that no chapter asks for any more."""
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    grid = {json.dumps(record["configuration"]) for record in records}
    common = {json.dumps([r["num_folds"], r["settings"]]) for r in records}
    num_folds = records[0]["num_folds"]
    assert len(common) == 1 and len(records) == len(grid) * num_folds
    assert {record["fold"] for record in records} == set(range(num_folds))
