import pathlib

from helpers.chapter import COLUMNS
from report import results

import nbformat
import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).parent
HEADER = ",".join(COLUMNS) + "\n"
ROWS = (
    "Noise,uniform,reconstruction,MSE,0.00035,PCA,0.0,,0.00031234,0.0000123,3,\n"
    "Digits,test set,label,accuracy,,neighbour,92.51,100,99.0812,0.07,5,%\n"
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
        *("reconstruction", "MSE", "0.000350", "0 (PCA)", "–"),
        *("0.000312 ± 0.000012", "3", "loses"),
    ]
    assert second == [
        *("label", "accuracy, %", "–", "92.51 (neighbour)", "100.00"),
        *("99.08 ± 0.07", "5", "wins"),
    ]


@pytest.mark.parametrize(
    ("row", "baseline", "ours"),
    [
        ("a,b,c,MSE,,x,0.0056,,0.00412,,1,", "0.00560", "0.00412"),  # One seed.
        ("a,b,c,seconds,,x,15.2,,12.3,2.6,3,s", "15", "12 ± 3"),  # A large spread.
        ("a,b,c,MSE,,x,0.0056,,0.00412,4e-9,3,", "0.00560", "0.00412"),  # All agree.
    ],
)
def test_decimals_fit_the_spread(folder, row, baseline, ours):
    printed = table_of(folder, HEADER + row + "\n").iloc[0]
    assert printed["Strongest opponent"] == f"{baseline} (x)"
    assert printed["Ours"] == ours


@pytest.mark.parametrize(
    ("metric", "baseline", "ours", "spread", "verdict"),
    [
        ("MSE", 0.5, 0.4, 0.01, "wins"),
        ("MSE", 0.5, 0.6, 0.01, "loses"),
        ("MSE", 0.5, 0.49, 0.02, "level"),  # Within the spread.
        ("MSE", 0.5, 0.499, np.nan, "level"),  # One seed, within half a per cent.
        ("accuracy", 0.98, 0.99, 0.001, "wins"),
        ("Brier skill", 0.42, 0.40, 0.015, "loses"),
    ],
)
def test_verdict_says_who_is_better(metric, baseline, ours, spread, verdict):
    row = {"metric": metric, "baseline": baseline, "ours": ours, "spread": spread}
    assert results.verdict_of(row) == verdict


def test_findings_are_filled_in_and_stop_at_another_verdict(folder, monkeypatch):
    places = {"noise": ("1", "uniform", "reconstruction")}
    monkeypatch.setattr(results, "HEADLINES", places)
    table_of(folder, HEADER + ROWS.replace("Noise", "1. Noise"))
    headlines = results.select_headlines(results.read_scores(folder))
    assert [*headlines.index] == ["noise"]
    sentence = "{noise[Ours]} against {noise[Strongest opponent]}."
    told = results.fill_in(sentence, headlines, noise="loses")
    assert told == "0.000312\u00a0±\u00a00.000012 against 0 (PCA)."
    with pytest.raises(ValueError, match="Rewrite the finding.*Received.*loses"):
        results.fill_in(sentence, headlines, noise="wins")


def test_headline_that_is_not_recorded_is_named(folder, monkeypatch):
    places = {"noise": ("1", "uniform", "reconstruction"), "later": ("1", "x", "y")}
    monkeypatch.setattr(results, "HEADLINES", places)
    table_of(folder, HEADER + ROWS.replace("Noise", "1. Noise"))
    with pytest.raises(ValueError, match=r"not recorded: \{'later': \('1', 'x', 'y'\)"):
        results.select_headlines(results.read_scores(folder))


def test_chapter_without_scores_is_named(folder):
    table_of(folder, HEADER + ROWS)
    (folder / "scores" / "02_b.csv").unlink()
    with pytest.raises(
        FileNotFoundError, match="02_b.csv is missing: execute .*02_b.ipynb"
    ):
        results.read_scores(folder)


@pytest.mark.parametrize(
    "text",
    [HEADER, HEADER + "a,b,c,MSE,,x,,,1,,1,\n", HEADER + "a,b,c,MSE,,,1,,1,,1,\n"],
)
def test_incomplete_scores_are_refused(folder, text):
    with pytest.raises(ValueError, match="01_a.csv needs ours, baseline, opponent"):
        table_of(folder, text)


def test_markdown_names_each_task_once(folder):
    lines = results.to_markdown(table_of(folder, HEADER + ROWS)).splitlines()
    assert lines[0] == (
        "| Task | Data | Output | Metric | Original | Strongest opponent | Oracle "
        "| Ours | Seeds | Verdict |"
    )
    assert lines[1].count("---") == 10 and len(lines) == 2 + 4
    assert lines[2].startswith("| Noise | uniform | reconstruction | MSE |")
    two_rows = HEADER + "Noise,x,c,MSE,,z,1,,1,,1,\nNoise,y,c,MSE,,z,1,,1,,1,\n"
    assert "|  | y | c |" in results.to_markdown(table_of(folder, two_rows))


def test_readme_shows_the_recorded_scores():
    readme = (FOLDER.parent / "README.md").read_text("utf-8")
    table = results.to_markdown(results.results_table(results.read_scores()))
    remedy = "Run `python -m report.results`."
    assert results.with_results(readme, table) == readme, remedy
    for path, source in results.PICTURES.items():
        assert path.read_bytes() == results.read_picture(*source), remedy
        assert f"]({path.relative_to(FOLDER.parent).as_posix()})" in readme


def test_readme_without_marks_is_refused():
    with pytest.raises(ValueError, match="needs the lines"):
        results.with_results(f"text {results.START} text", "table")


def test_missing_picture_is_named(tmp_path):
    path = tmp_path / "notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    with pytest.raises(ValueError, match="should show a picture labelled fig-x"):
        results.read_picture("notebook", "fig-x", tmp_path)
