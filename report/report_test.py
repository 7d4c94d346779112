import ast
import pathlib
import shutil

import jupytext
import pytest

FOLDER = pathlib.Path(__file__).parent
HEADER = "task,data,output,metric,reference,baseline,ours,spread,seeds,unit\n"
ROWS = (
    "Noise,uniform,reconstruction,MSE,0.00035,0.0,0.00031234,0.0000123,3,\n"
    "Digits,test set,label,accuracy,,92.51,99.0812,0.07,5,%\n"
)


@pytest.fixture
def front_page(tmp_path, monkeypatch):
    """The front notebook beside an empty folder of scores, as the working folder."""
    (tmp_path / "scores").mkdir()
    shutil.copy(FOLDER / "report.ipynb", tmp_path)
    monkeypatch.chdir(tmp_path)
    return jupytext.read(FOLDER / "report.py")


def write_scores(front_page, text):
    for chapter in front_page.metadata["report"]["chapters"]:
        path = pathlib.Path("scores", pathlib.Path(chapter).stem + ".csv")
        path.write_text(text)


def run(front_page):
    """Runs the code cells, gives the value of the last line, as Jupyter does."""
    sources = [cell.source for cell in front_page.cells if cell.cell_type == "code"]
    module = ast.parse("\n".join(sources))
    names = {}
    *body, last = module.body
    exec(compile(ast.Module(body, []), "report.py", "exec"), names)
    return eval(compile(ast.Expression(last.value), "report.py", "eval"), names)


def test_scores_of_all_chapters_stand_in_one_table(front_page):
    write_scores(front_page, HEADER + ROWS)
    table = run(front_page)
    *tasks, appendix = front_page.metadata["report"]["chapters"]
    assert len(table) == 2 * len(tasks) and appendix == "appendix.ipynb"
    assert list(table.index[0]) == ["Noise", "uniform"]
    first, second = (table.iloc[k].tolist() for k in (0, 1))
    assert first == [
        *("reconstruction", "MSE", "0.000350", "0", "0.000312 ± 0.000012", "3")
    ]
    assert second == ["label", "accuracy, %", "–", "92.51", "99.08 ± 0.07", "5"]


def test_one_seed_has_no_spread(front_page):
    write_scores(front_page, HEADER + "a,b,c,MSE,,0.0056,0.00412,,1,\n")
    assert run(front_page)["Ours"].iloc[0] == "0.00412"


def test_chapter_without_scores_is_named(front_page):
    write_scores(front_page, HEADER + ROWS)
    chapter = front_page.metadata["report"]["chapters"][0]
    name = pathlib.Path(chapter).stem
    pathlib.Path("scores", f"{name}.csv").unlink()
    with pytest.raises(FileNotFoundError, match=f"{name}.ipynb has not written"):
        run(front_page)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task,data\na,b\n", "has no columns .*'ours'"),
        (HEADER, "needs `ours`"),
        (HEADER + "a,b,c,MSE,,,0.1,,1,\n", "needs `ours` and `baseline`"),
    ],
)
def test_incomplete_scores_are_refused(front_page, text, message):
    write_scores(front_page, text)
    with pytest.raises(ValueError, match=message):
        run(front_page)


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


def test_large_spread_leaves_no_decimals(front_page):
    write_scores(front_page, HEADER + "a,b,c,seconds,,15.2,12.3,2.6,3,s\n")
    row = run(front_page).iloc[0]
    assert (row["Baseline"], row["Ours"]) == ("15", "12 ± 3")


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
