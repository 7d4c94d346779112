import ast
import pathlib

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


def test_appendix_lists_the_runs_that_are_recorded(monkeypatch):
    monkeypatch.chdir(FOLDER)
    names = {}
    for cell in jupytext.read(FOLDER / "appendix.ipynb").cells:
        if cell.cell_type != "code":
            continue
        module = ast.parse(cell.source)
        last = module.body.pop() if cell.outputs else None
        exec(compile(module, "appendix.py", "exec"), names)
        if last:
            table = eval(ast.unparse(last), names)
            assert table._repr_html_() == cell.outputs[0]["data"]["text/html"], (
                "Run `python -m report.execute report/appendix.ipynb`."
            )
