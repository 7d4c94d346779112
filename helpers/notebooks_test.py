"""Checks of the committed notebooks that need no execution."""

import ast
import pathlib
import re
import statistics

import jupytext
import nbformat
import pytest
import yaml

FOLDER = pathlib.Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TAGS = {
    "parameters",
    "nbval-ignore-output",
    "remove-input",
    "remove-cell",
    "remove-output",
    "evidence",  # In the PDF the cell stands in the appendix.
}
MAX_BYTES = 2_000_000
MAX_LINES = 25  # Of code in a cell.
MAX_CELLS, MAX_MEDIAN, MAX_SCRIPT_LINES = 60, 10, 800
MACHINE_PATH = re.compile(r"/(home|Users|root|tmp|work|var|mnt|opt)/|\b[A-Z]:\\")
IGNORED_FILES = {".ipynb_checkpoints", "__pycache__", ".DS_Store"}


def split_options(source):
    """Splits the `#| name: value` lines off a cell, as the PDF does."""
    lines = source.splitlines()
    options = [line[2:].removeprefix(" ") for line in lines if line.startswith("#|")]
    code = [line for line in lines if not line.startswith("#|")]
    return yaml.safe_load("\n".join(options)) or {}, code


def tags_of(cell):
    return cell.metadata.get("tags", [])


def outputs_of(cell, mime):
    return [
        output.data[mime] for output in cell.outputs if mime in output.get("data", {})
    ]


def check_cells(notebook):
    for number, cell in enumerate(notebook.cells, start=1):
        if set(cell.metadata) - {"tags"}:
            yield f"cell {number}: metadata {sorted(cell.metadata)}, only tags allowed"
        if set(tags_of(cell)) - TAGS:
            yield f"cell {number}: unknown tags in {tags_of(cell)}"
        if cell.cell_type == "code" and len(split_options(cell.source)[1]) > MAX_LINES:
            yield f"cell {number}: more than {MAX_LINES} lines of code"
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"


def check_outputs(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield f"not executed from the first cell to the last: {counts}"
    for cell in code:
        place = f"cell [{cell.execution_count}]"
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{place}: the output is an error, {output.ename}"
            if output.get("name") == "stderr":
                yield f"{place}: output on stderr: {output.text[:200]!r}"
            texts = [output.get("text", "")]
            for mime, data in output.get("data", {}).items():
                if not mime.startswith("image/"):
                    texts.append(str(data))
            match = MACHINE_PATH.search("\n".join(texts))
            if match:
                yield f"{place}: a path of the machine, {match.group()!r}"


def check_figures(notebook):
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        place = f"cell [{cell.execution_count}]"
        options, _ = split_options(cell.source)
        if outputs_of(cell, "image/svg+xml"):
            yield f"{place}: an SVG figure, which nbval would compare: use PNG"
        if not outputs_of(cell, "image/png"):
            continue
        for name in ("label", "fig-cap", "fig-alt"):
            if not str(options.get(name, "")).strip():
                yield f"{place}: the figure has no {name}"
        if options.get("fig-alt") == options.get("fig-cap"):
            yield f"{place}: fig-alt repeats fig-cap instead of saying what is seen"


def check_parameters(notebook):
    cells = [cell for cell in notebook.cells if "parameters" in tags_of(cell)]
    if len(cells) != 1:
        yield f"{len(cells)} cells are tagged parameters, must be 1"
        return
    for statement in ast.parse(cells[0].source).body:
        # papermill puts its values into a cell after this one. A statement that uses a
        # parameter here, be it keras.utils.set_random_seed(SEED), would miss them.
        names = [
            node.id
            for node in ast.walk(getattr(statement, "value", statement))
            if isinstance(node, ast.Name)
        ]
        line = ast.unparse(statement)
        if not isinstance(statement, ast.Assign) or names:
            yield f"the parameters cell holds more than constants: {line}"
        elif not all(
            isinstance(target, ast.Name) and target.id.isupper()
            for target in statement.targets
        ):
            yield f"parameters have UPPER_CASE names: {line}"


def check_claims(notebook):
    cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and split_options(cell.source)[0].get("claims")
    ]
    if not cells:
        yield "no claims cell (#| claims: true)"
    for cell in cells:
        place = f"claims cell [{cell.execution_count}]"
        if "nbval-ignore-output" in tags_of(cell):
            yield f"{place}: nbval does not compare it"
        if "chapter.finish()" not in cell.source:
            yield f"{place}: a false claim does not stop it"
        printed = "".join(output.get("text", "") for output in cell.outputs)
        if not printed:
            yield f"{place}: there are no claims in its output"
        for line in printed.splitlines():
            if not line.startswith("holds: "):
                yield f"{place}: does not hold: {line}"


def check_calls(notebook):
    """Keras in view, and no cell that only makes the imports work."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for name in (".compile(", "training.fit"):
        if name not in code:
            yield f"no {name} in view"
    for name in ("sys.path", "os.environ"):
        if name in code:
            yield f"{name} in a notebook: the environment is set by helpers"


def check_length(notebook, script):
    """The aim of a chapter: cells, lines of code in the middle one, lines in all."""
    if len(notebook.cells) > MAX_CELLS:
        yield f"{len(notebook.cells)} cells, at most {MAX_CELLS} are allowed"
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    median = statistics.median(len(split_options(source)[1]) for source in sources)
    if median > MAX_MEDIAN:
        yield f"code cells have a median of {median} lines, over {MAX_MEDIAN}"
    if script.count("\n") > MAX_SCRIPT_LINES:
        yield f"the script has over {MAX_SCRIPT_LINES} lines"


CHECKS = [
    *(check_cells, check_outputs, check_figures, check_parameters),
    *(check_claims, check_calls),
]


def compare_pair(script, notebook):
    """Yields the differences of a pair; timestamps say nothing after a clone."""
    if len(script.cells) != len(notebook.cells):
        yield f"{len(script.cells)} cells in the .py, {len(notebook.cells)} in .ipynb"
    if script.metadata.get("kernelspec") != notebook.metadata.get("kernelspec"):
        yield "the kernels differ"
    pairs = zip(script.cells, notebook.cells, strict=False)
    for number, (ours, theirs) in enumerate(pairs, start=1):
        for name in ("cell_type", "source"):
            if ours[name] != theirs[name]:
                yield f"cell {number}: {name} differs: {ours[name]} != {theirs[name]}"
        if tags_of(ours) != tags_of(theirs):
            yield f"cell {number}: tags differ: {tags_of(ours)} != {tags_of(theirs)}"


def find_stray_files(folder):
    """Lists what is not one half of a pair `NN_name.py`, `NN_name.ipynb`."""
    names = {path.name for path in folder.iterdir()} - IGNORED_FILES
    return sorted(
        name
        for name in names
        if not re.fullmatch(r"\d\d_[a-z0-9_]+\.(py|ipynb)", name)
        or not {f"{name.split('.')[0]}.py", f"{name.split('.')[0]}.ipynb"} <= names
    )


# The committed notebooks.


def test_folder_holds_pairs_and_nothing_else():
    assert NOTEBOOKS, f"there is no notebook in {FOLDER}"
    assert find_stray_files(FOLDER) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_notebook(path, check):
    assert list(check(nbformat.read(path, as_version=4))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_pair_agrees(path):
    script, notebook = jupytext.read(path.with_suffix(".py")), jupytext.read(path)
    assert list(compare_pair(script, notebook)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_small(path):
    assert path.stat().st_size < MAX_BYTES
    script = path.with_suffix(".py").read_text("utf-8")
    assert list(check_length(nbformat.read(path, as_version=4), script)) == []


# The checks themselves: each must be able to fail.


def make_notebook():
    """Makes a notebook that passes all checks."""
    v4 = nbformat.v4
    notebook = v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3"}
    claims = "#| claims: true\nchapter.finish()"
    figure = '#| label: fig-a\n#| fig-cap: "A"\n#| fig-alt: "A line"\nplot()'
    notebook.cells = [
        v4.new_markdown_cell("# 1. Title"),
        v4.new_code_cell("SEED, RATE = 0, -1e-3", metadata={"tags": ["parameters"]}),
        v4.new_code_cell(figure),
        v4.new_code_cell(claims),
        v4.new_code_cell("model.compile()\ntraining.fit(build)"),
    ]
    for count, cell in enumerate(notebook.cells[1:], start=1):
        cell.execution_count = count
    notebook.cells[1].source = "SEED = 0\nRATE = -1e-3"
    result = v4.new_output
    notebook.cells[2].outputs = [result("display_data", {"image/png": "iVBOR/tmp/"})]
    notebook.cells[3].outputs = [result("stream", text="holds: It learns.\n")]
    return notebook


def find_problems(notebook):
    return [problem for check in CHECKS for problem in check(notebook)]


def test_good_notebook_has_no_problems():
    assert find_problems(make_notebook()) == []


BREAKS = {
    "unknown tags": lambda cells: cells[1].metadata.tags.append("nbval-skip"),
    "only tags allowed": lambda cells: cells[2].metadata.update(collapsed=True),
    "more than 25 lines": lambda cells: cells[2].update(source="x\n" * 26),
    "not executed from": lambda cells: cells[2].update(execution_count=None),
    "is an error": lambda cells: cells[2].outputs.append(
        nbformat.v4.new_output("error", ename="ValueError", evalue="", traceback=[])
    ),
    "output on stderr": lambda cells: cells[2].outputs.append(
        nbformat.v4.new_output("stream", name="stderr", text="I0000 oneDNN")
    ),
    "a path of the machine": lambda cells: cells[2].outputs.append(
        nbformat.v4.new_output("stream", name="stdout", text="/home/me/data.csv")
    ),
    "an SVG figure": lambda cells: (
        cells[2].outputs[0].data.update({"image/svg+xml": "<svg/>"})
    ),
    "the figure has no fig-alt": lambda cells: cells[2].update(
        source='#| label: fig-a\n#| fig-cap: "A"'
    ),
    "the figure has no label": lambda cells: cells[2].update(source="plot()"),
    "fig-alt repeats": lambda cells: cells[2].update(
        source=cells[2].source.replace("A line", "A")
    ),
    "0 cells are tagged": lambda cells: cells[1].metadata.clear(),
    "UPPER_CASE": lambda cells: cells[1].update(source="seed = 0"),
    "more than constants: DOUBLE": lambda cells: cells[1].update(
        source="SEED = 1\nDOUBLE = 2 * SEED"
    ),
    "more than constants: keras": lambda cells: cells[1].update(
        source="SEED = 1\nkeras.utils.set_random_seed(SEED)"
    ),
    "no claims cell": lambda cells: cells.pop(3),
    "nbval does not compare": lambda cells: cells[3].metadata.update(
        tags=["nbval-ignore-output"]
    ),
    "does not stop": lambda cells: cells[3].update(source="#| claims: true\nclaims"),
    "no claims in its output": lambda cells: cells[3].outputs.clear(),
    "does not hold: FALSE: It": lambda cells: (
        cells[3].outputs[0].update(text="holds: It is fast.\nFALSE: It learns.\n")
    ),
    "no .compile( in view": lambda cells: cells[4].update(source="training.fit()"),
    "no training.fit in view": lambda cells: cells[4].update(source="a.compile()"),
    "sys.path in a notebook": lambda cells: cells[4].update(
        source=cells[4].source + "\nsys.path.insert(0, '..')"
    ),
}


@pytest.mark.parametrize("message", BREAKS)
def test_broken_notebook_is_noticed(message):
    notebook = make_notebook()
    BREAKS[message](notebook.cells)
    assert any(message in problem for problem in find_problems(notebook))


def test_long_chapters_are_noticed():
    notebook, script = make_notebook(), "line\n" * 800
    assert list(check_length(notebook, script)) == []
    assert len(list(check_length(notebook, script + "\n"))) == 1
    for cell in notebook.cells[1:]:
        cell.source = "#| label: a\n" + "x\n" * 11
    assert ["median" in one for one in check_length(notebook, script)] == [True]
    notebook.cells *= 13
    assert "65 cells" in next(check_length(notebook, script))


def test_kernel_of_somebodys_environment_is_noticed():
    notebook = make_notebook()
    notebook.metadata["kernelspec"] = {"name": "my-environment"}
    assert find_problems(notebook) == ["the kernel is not python3"]


def test_differing_pairs_are_noticed():
    assert list(compare_pair(make_notebook(), make_notebook())) == []
    for change in (
        lambda notebook: notebook.cells[2].update(source="plot( )"),
        lambda notebook: notebook.cells[0].update(cell_type="raw"),
        lambda notebook: notebook.cells[1].metadata.update(tags=[]),
        lambda notebook: notebook.cells.pop(),
        lambda notebook: notebook.metadata.kernelspec.update(name="other"),
    ):
        changed = make_notebook()
        change(changed)
        assert len(list(compare_pair(make_notebook(), changed))) == 1


def test_stray_files_are_noticed(tmp_path):
    for name in ("01_a.py", "01_a.ipynb", "02_b.py", "weights.npz", "x.ipynb"):
        (tmp_path / name).touch()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    assert find_stray_files(tmp_path) == ["02_b.py", "weights.npz", "x.ipynb"]
