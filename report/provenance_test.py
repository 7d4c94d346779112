import json
import pathlib

from report.provenance import list_runs, runs_of_cells

import nbformat
import pytest
from nbformat import v4

ROOT = pathlib.Path(__file__).parents[1]


def runs_of(*cells):
    """The runs of cells, each a source or a pair of a source and what it prints."""
    nodes = []
    for cell in cells:
        source, printed = (cell, "") if isinstance(cell, str) else cell
        outputs = [v4.new_output("stream", text=printed)] if printed else []
        nodes.append(v4.new_code_cell(source, outputs=outputs))
    return runs_of_cells(v4.new_notebook(cells=nodes))


TRAINED = "runs = fit()", "01_a_seed0: 2 epochs, trained in 1 s\n01_a_seed1: 2 epochs"
OTHER = "others = fit()", "01_b_seed0: 2 epochs"
BOTH = {"01_a_seed0", "01_a_seed1"}


def test_what_is_computed_from_runs_has_them():
    cells = ["x = 1", TRAINED, "errors = [score(run) for run in runs]", "show(errors)"]
    assert runs_of(*cells, "show(x)") == [set(), BOTH, BOTH, BOTH, set()]


def test_progress_and_models_of_a_cross_validation_name_their_runs():
    cell = v4.new_code_cell("best = search()")
    data = {"text/plain": "\x1b[2K02_selection: 4 models, trained in 3 s"}
    cell.outputs = [v4.new_output("display_data", data)]
    printed = "03_search/0a1b_0: made with other code; training"
    nodes = [cell, v4.new_code_cell("show(best)"), v4.new_markdown_cell("best")]
    found = runs_of_cells(v4.new_notebook(cells=nodes))
    assert found == [{"02_selection"}, {"02_selection"}, set()]
    assert runs_of(("best = 1", printed)) == [{"03_search"}]


@pytest.mark.parametrize(
    "statement",
    [
        "table['a'] = runs",
        "for one, run in enumerate(runs): table[one] = run",
        "table.rows['a'].append(runs)",
        "table += runs",
        "table.model = runs[0].model",
        "def table(): return {'a': [run.model for run in runs]}",
    ],
)
def test_changes_count(statement):
    assert runs_of(TRAINED, "table = {}", statement, "show(table)")[-1] == BOTH


@pytest.mark.parametrize(
    "statement",
    [
        "table = [runs for runs in range(3)]",
        "def table(runs): return runs.history",
        "for runs in range(3): table = runs",
        "table = chapter.runs",
        "show(runs); table = 1",
    ],
)
def test_what_only_has_the_name_of_runs_has_none(statement):
    assert runs_of(TRAINED, statement, "show(table)")[-1] == set()


def test_magics_are_no_error():
    assert runs_of("%matplotlib inline\n!ls", TRAINED) == [set(), BOTH]


def test_a_variable_that_is_assigned_anew_forgets():
    cells = [TRAINED, OTHER, "runs = others", "show(runs)", "runs += fit()"]
    assert runs_of(*cells)[3:] == [{"01_b_seed0"}] * 2


def test_what_chooses_settings_is_not_behind_the_networks_trained_with_them():
    cells = [TRAINED, ("others = fit(runs)", "01_b_seed0: 2 epochs"), "show(others)"]
    assert runs_of(*cells)[1:] == [{"01_b_seed0"}] * 2


def test_runs_are_listed_by_seeds():
    names = ["03_b_seed12", "03_b_seed10", "03_b_seed11", "03_a_seed3", "03_search"]
    assert list_runs(names) == "03_a_seed3, 03_b_seed10 to 12, 03_search"
    assert list_runs({"03_a_seed0", "03_a_seed2"}) == "03_a_seed0, 2"
    assert list_runs([]) == ""


def test_long_lists_are_abridged():
    names = [f"03_ladder_{rung}_seed{seed}" for rung in "abcdef" for seed in (0, 1)]
    assert list_runs(names) == "03_ladder* (12)"
    names += [f"03_{size}_long_name_of_a_network_seed0" for size in (3, 17)]
    assert list_runs(names[-5:]) == (
        "03_17_long_name_of_a_network_seed0, 03_3_long_name_of_a_network_seed0, "
        "03_ladder* (3)"
    )


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")))
def test_every_run_that_a_chapter_asked_for_is_found_in_a_cell(path):
    asked = ROOT / "report" / "scores" / f"{path.stem}.runs.json"
    names = {name.partition("/")[0] for name in json.loads(asked.read_text("utf-8"))}
    found = set().union(*runs_of_cells(nbformat.read(path, as_version=4)))
    assert names - found == set()
