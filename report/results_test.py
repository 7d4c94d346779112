import pathlib

from report import results

import nbformat
import pytest

FOLDER = pathlib.Path(__file__).parent
HEADER = "task,data,output,metric,reference,baseline,ours,spread,seeds,unit\n"
ROWS = (
    "Noise,uniform,reconstruction,MSE,0.00035,0.0,0.00031234,0.0000123,3,\n"
    "Digits,test set,label,accuracy,,92.51,99.0812,0.07,5,%\n"
)
CHAPTERS = ["../notebooks/01_a.ipynb", "../notebooks/02_b.ipynb", "appendix.ipynb"]


@pytest.fixture
def folder(tmp_path):
    """A folder with a front notebook and an empty folder of scores."""
    (tmp_path / "scores").mkdir()
    front_page = nbformat.v4.new_notebook(metadata={"report": {"chapters": CHAPTERS}})
    nbformat.write(front_page, tmp_path / "report.ipynb")
    return tmp_path


def table_of(folder, text):
    """The table when each chapter has written `text` as its scores."""
    for name in ("01_a", "02_b"):
        (folder / "scores" / f"{name}.csv").write_text(text)
    return results.results_table(results.read_scores(folder))


def test_scores_of_all_chapters_stand_in_one_table(folder):
    table = table_of(folder, HEADER + ROWS)
    assert len(table) == 4
    assert list(table.index[0]) == ["Noise", "uniform"]
    first, second = (table.iloc[k].tolist() for k in (0, 1))
    assert first == [
        *("reconstruction", "MSE", "0.000350", "0", "0.000312 ± 0.000012", "3")
    ]
    assert second == ["label", "accuracy, %", "–", "92.51", "99.08 ± 0.07", "5"]


@pytest.mark.parametrize(
    ("row", "baseline", "ours"),
    [
        ("a,b,c,MSE,,0.0056,0.00412,,1,", "0.00560", "0.00412"),  # One seed.
        ("a,b,c,seconds,,15.2,12.3,2.6,3,s", "15", "12 ± 3"),  # A large spread.
        ("a,b,c,MSE,,0.0056,0.00412,4e-9,3,", "0.00560", "0.00412"),  # All agree.
    ],
)
def test_decimals_fit_the_spread(folder, row, baseline, ours):
    printed = table_of(folder, HEADER + row + "\n").iloc[0]
    assert (printed["Baseline"], printed["Ours"]) == (baseline, ours)


def test_chapter_without_scores_is_named(folder):
    table_of(folder, HEADER + ROWS)
    (folder / "scores" / "02_b.csv").unlink()
    with pytest.raises(
        FileNotFoundError, match="02_b.csv is missing: execute .*02_b.ipynb"
    ):
        results.read_scores(folder)


@pytest.mark.parametrize("text", [HEADER, HEADER + "a,b,c,MSE,,,0.1,,1,\n"])
def test_incomplete_scores_are_refused(folder, text):
    with pytest.raises(ValueError, match="01_a.csv needs `ours` and `baseline`"):
        table_of(folder, text)


def test_markdown_names_each_task_once(folder):
    lines = results.to_markdown(table_of(folder, HEADER + ROWS)).splitlines()
    assert lines[0] == (
        "| Task | Data | Output | Metric | Reference | Baseline | Ours | Seeds |"
    )
    assert lines[1].count("---") == 8 and len(lines) == 2 + 4
    assert lines[2].startswith("| Noise | uniform | reconstruction | MSE |")
    two_rows = HEADER + "Noise,x,c,MSE,,1,1,,1,\nNoise,y,c,MSE,,1,1,,1,\n"
    assert "|  | y | c |" in results.to_markdown(table_of(folder, two_rows))


def test_readme_shows_the_recorded_scores():
    readme = (FOLDER.parent / "README.md").read_text("utf-8")
    table = results.to_markdown(results.results_table(results.read_scores()))
    remedy = "Run `python -m report.results`."
    assert results.with_results(readme, table) == readme, remedy
    assert results.PICTURE.read_bytes() == results.read_picture(), remedy
    assert f"]({results.PICTURE.relative_to(FOLDER.parent).as_posix()})" in readme


def test_readme_without_marks_is_refused():
    with pytest.raises(ValueError, match="needs the lines"):
        results.with_results(f"text {results.START} text", "table")


def test_missing_picture_is_named(tmp_path):
    path = tmp_path / "notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    with pytest.raises(ValueError, match="should show a picture labelled fig-x"):
        results.read_picture(path, "fig-x")
