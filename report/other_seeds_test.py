import io

import nbformat
import pytest

from report import execute, other_seeds

CLAIMS = """#| claims: true
claims = {"seeds are small": max(SEEDS) < 10, "there are two": len(SEEDS) == 2}
assert all(claims.values())
claims"""


@pytest.fixture
def project(tmp_path):
    """A project with one notebook whose first claim holds for small seeds only."""
    for name in ("helpers", "notebooks", "report/runs/01_a_seed0"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "report" / "runs" / "01_a_seed0" / "run.json").write_text("{}")
    cells = ["SEEDS = [0, 1]  # Of all.\nSIZE = 3\nMORE_SEEDS = [4]", "SIZE", CLAIMS]
    cells = [nbformat.v4.new_code_cell(source) for source in cells]
    cells[0].metadata["tags"] = ["parameters"]
    path = tmp_path / "notebooks" / "01_a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return tmp_path


def test_claims_of_other_seeds_are_told(project, tmp_path_factory):
    path, folder = project / "notebooks" / "01_a.ipynb", tmp_path_factory.mktemp("copy")
    before = path.read_bytes()
    with execute.Progress(io.StringIO()) as progress:
        seeds, claims = other_seeds.ask(path, 100, folder, progress, project)
    assert seeds == {"SEEDS": [100, 101], "MORE_SEEDS": [104]}
    assert claims == {"seeds are small": False, "there are two": True}
    assert path.read_bytes() == before


def test_what_was_trained_in_the_copy_is_kept(project, tmp_path):
    scores = project / "report" / "selection" / "01_a.jsonl"
    scores.parent.mkdir()
    scores.write_text("of seed 0\n")
    folder = tmp_path / "copy"
    other_seeds.copy_project(project, folder)
    trained = folder / "report" / "runs" / "01_a_seed100"
    trained.mkdir()
    copied = folder / "report" / "selection" / "01_a.jsonl"
    assert copied.read_text() == "of seed 0\n"
    copied.write_text("of seed 100\n")
    other_seeds.copy_project(project, folder)
    assert trained.is_dir() and copied.read_text() == "of seed 100\n"
    assert (folder / "report" / "runs" / "01_a_seed0" / "run.json").is_file()


def test_notebook_without_seeds_is_refused():
    cell = nbformat.v4.new_code_cell("SIZE = 3", metadata={"tags": ["parameters"]})
    with pytest.raises(ValueError, match="should have a parameter SEEDS"):
        other_seeds.shift_seeds(nbformat.v4.new_notebook(cells=[cell]), 100)
