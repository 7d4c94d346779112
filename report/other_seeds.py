"""Asks which claims hold for seeds that were not used to write them.

    python -m report.other_seeds notebooks/01_synthetic.ipynb

executes a copy of each notebook with every number of its parameters `SEEDS` and
`..._SEEDS` raised by `--shift`, trains what that needs, and lists the claims that fail.
Nothing of the project is changed: all is done in the folder `.other_seeds/`, and a call
that was cut off continues there. Claims that quote digits fail, of course. What should
not depend on a seed, as a comparison with a baseline, should hold.
"""

import argparse
import ast
import pathlib
import shutil
import sys

import nbformat

from report import execute

ROOT = pathlib.Path(__file__).parent.parent
TRAINED = ("report/runs", "report/selection")
COPIED = ("helpers", "data", "notebooks", "report/scores", *TRAINED)
FOLDER = ".other_seeds"


def copy_project(root, folder):
    """Copies what notebooks need, and leaves what was trained there already.

    Args:
        root: Path of the project.
        folder: Path of the copy; it is made if need be.
    """
    for name in COPIED:
        source, target = pathlib.Path(root, name), pathlib.Path(folder, name)
        if source.is_dir() and not (name in TRAINED and target.is_dir()):
            shutil.copytree(
                source,
                target,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__", "checkpoint.npz"),
            )


def shift_seeds(notebook, shift):
    """Raises the seeds in the parameters of a notebook, and lets claims fail.

    Args:
        notebook: nbformat's node; its cells are changed.
        shift: Integer that is added to each seed.

    Returns:
        Dict from parameter to the new list of seeds.

    Raises:
        ValueError: If no parameter holds seeds.
    """
    seeds = {}
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            for line in ast.parse(cell.source).body:
                if isinstance(line, ast.Assign):
                    name = line.targets[0].id
                    if name == "SEEDS" or name.endswith("_SEEDS"):
                        seeds[name] = [s + shift for s in ast.literal_eval(line.value)]
            lines = [f"{name} = {values}" for name, values in seeds.items()]
            cell.source = "\n".join([cell.source, *lines])
        if is_claims_cell(cell):
            module = ast.parse(cell.source)
            module.body = [
                line for line in module.body if not isinstance(line, ast.Assert)
            ]
            cell.source = f"#| claims: true\n{ast.unparse(module)}"
    if not seeds:
        raise ValueError("the notebook should have a parameter SEEDS. Received: none.")
    return seeds


def is_claims_cell(cell):
    """Returns whether a cell shows claims."""
    return "#| claims: true" in cell.source.splitlines()


def read_claims(notebook):
    """Returns the claims of an executed notebook, a dict from sentence to boolean."""
    claims = {}
    for cell in filter(is_claims_cell, notebook.cells):
        for output in cell.outputs:
            if "text/plain" in output.get("data", {}):
                claims |= ast.literal_eval(output["data"]["text/plain"])
    return claims


def ask(path, shift, folder, progress, root=ROOT):
    """Executes a copy of a notebook with other seeds.

    Args:
        path: Path of the notebook, in `root`.
        shift: Integer that is added to each seed.
        folder: Path of the copy of the project.
        progress: `execute.Progress`.
        root: Path of the project.

    Returns:
        Tuple `(seeds, claims)`: the new lists of seeds by parameter, and the claims.

    Raises:
        ValueError: If the notebook has no parameter with seeds.
        execute.NotebookError: If a cell fails.
    """
    copy_project(root, folder)
    notebook = nbformat.read(path, as_version=4)
    seeds = shift_seeds(notebook, shift)
    copy = pathlib.Path(folder, "notebooks", pathlib.Path(path).name)
    nbformat.write(notebook, copy)
    execute.execute(copy, progress, f"{path}, {seeds}")
    return seeds, read_claims(nbformat.read(copy, as_version=4))


def main(arguments=None, stream=None):
    """Runs the command.

    Args:
        arguments: List of strings; the command line's if None.
        stream: Text stream for progress and answers; `sys.stdout` if None.

    Returns:
        Integer, the exit code: 0 if every notebook was executed, whatever its claims.
    """
    parser = argparse.ArgumentParser(
        prog="python -m report.other_seeds", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("notebooks", nargs="+", metavar="NOTEBOOK")
    parser.add_argument("--shift", type=int, default=100, help="added to each seed")
    options = parser.parse_args(arguments)
    try:
        paths = execute.find_notebooks(options.notebooks)
    except ValueError as error:
        parser.error(str(error))
    folder = ROOT / FOLDER
    with execute.Progress(stream or sys.stdout) as progress:
        for path in paths:
            try:
                seeds, claims = ask(path, options.shift, folder, progress)
            except (ValueError, execute.NotebookError) as error:
                progress.line(f"{path}: {error}")
                return 1
            except KeyboardInterrupt:
                progress.line("Interrupted. Run the same command to go on.")
                return execute.INTERRUPTED
            failed = [claim for claim, holds in claims.items() if not holds]
            progress.line(
                f"{path}: with {seeds} {len(claims) - len(failed)} of {len(claims)} "
                f"claims hold{''.join(f'{chr(10)}    fails: {one}' for one in failed)}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
