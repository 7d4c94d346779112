"""Asks which claims hold for seeds that were not used to write them.

    python -m report.other_seeds notebooks/01_synthetic.ipynb

executes a copy of each notebook with every number of its parameters `SEEDS` and
`..._SEEDS` raised by `--shift`, trains what that needs, and lists the claims that fail:
those that quote digits, of course, but no comparison with a baseline should. All is
done in the folder `.other_seeds/`, where a call that was cut off continues.
"""

import argparse
import ast
import os
import shutil
import sys

from report.execute import FOLDER, INTERRUPTED, parse_notebooks

import nbformat
import papermill

COPY = FOLDER.parent / ".other_seeds"
CLAIMS = "#| claims: true"


def ask(path, shift, folder=COPY):
    """Executes a copy of a notebook with other seeds.

    Args:
        path, folder: `pathlib.Path`s of the notebook and of what replaces `report/`.
        shift: Integer that is added to each seed.

    Returns:
        Tuple `(seeds, holding, false)`: a dict from parameter to the new list of seeds,
        and two lists of sentences.
    """
    seeds = {
        name: [seed + shift for seed in ast.literal_eval(parameter["default"])]
        for name, parameter in papermill.inspect_notebook(path).items()
        if f"_{name}".endswith("_SEEDS")
    }
    if not seeds:
        raise ValueError(f"{path} should have a parameter SEEDS. Received: none.")
    for name in ("runs", "scores"):  # What does not depend on seeds is used again.
        if not (folder / name).exists():
            shutil.copytree(FOLDER / name, folder / name)
    os.environ |= {"REPORT_FOLDER": str(folder), "JUPYTER_PREFER_ENV_PATH": "1"}
    copy = folder / path.name
    try:
        papermill.execute_notebook(path, copy, seeds, cwd=path.parent)
    except papermill.PapermillExecutionError as error:
        if CLAIMS not in error.source:
            raise
    claims = {"holds": [], "FALSE": []}
    for cell in nbformat.read(copy, as_version=4).cells:
        if CLAIMS in cell.source:
            for line in "".join(
                one.get("text", "") for one in cell.outputs
            ).splitlines():
                state, _, sentence = line.partition(": ")
                claims.get(state, []).append(sentence)
    return seeds, *claims.values()


def main(arguments=None):
    """Runs the command; returns the exit code, 0 whatever the claims."""
    parser = argparse.ArgumentParser(prog="python -m report.other_seeds")
    parser.add_argument("--shift", type=int, default=100, help="added to each seed")
    options = parse_notebooks(parser, arguments)
    for path in options.notebooks:
        try:
            seeds, holding, false = ask(path, options.shift)
        except KeyboardInterrupt:
            print("Interrupted. The same command goes on.")
            return INTERRUPTED
        total = len(holding) + len(false)
        print(f"{path}: with {seeds} {len(holding)} of {total} claims hold")
        print("".join(f"    fails: {sentence}\n" for sentence in false), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
