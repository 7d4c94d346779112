"""The table of results, from the scores that the chapters have written.

    python -m report.results

writes it into README.md, and beside it the picture that README.md shows. The front page
of the report prints the same table.
"""

import base64
import pathlib
import sys

import nbformat
import numpy as np
import pandas as pd

from helpers.files import write_file

FOLDER = pathlib.Path(__file__).parent
COLUMNS = [
    *("task", "data", "output", "metric"),
    *("reference", "baseline", "ours", "spread", "seeds", "unit"),
]
START, END = "<!-- results: start -->", "<!-- results: end -->"
PICTURE = FOLDER / "picture.png"
PICTURE_SOURCE = FOLDER.parent / "notebooks" / "03_mnist_pixels.ipynb"
PICTURE_LABEL = "fig-reconstructions"


def read_scores(folder=FOLDER):
    """Reads the scores of all chapters that the front page names.

    Args:
        folder: Path of the folder with `report.ipynb` and `scores/`.

    Returns:
        `pandas.DataFrame` with `COLUMNS`, a row per score, in the chapters' order.

    Raises:
        FileNotFoundError: If a chapter has written no scores.
        ValueError: If a file of scores lacks a column or a number.
    """
    folder = pathlib.Path(folder)
    front_page = nbformat.read(folder / "report.ipynb", as_version=4)
    chapters = front_page.metadata["report"]["chapters"]
    tasks = [chapter for chapter in chapters if chapter.startswith("../notebooks/")]
    return pd.concat([read_chapter(folder, task) for task in tasks])


def read_chapter(folder, chapter):
    """Reads the score table that a chapter has written when it was executed."""
    path = folder / "scores" / f"{pathlib.Path(chapter).stem}.csv"
    if not path.is_file():
        raise FileNotFoundError(f"{chapter} has not written {path}: execute it first.")
    scores = pd.read_csv(path)
    missing = [column for column in COLUMNS if column not in scores]
    if missing:
        raise ValueError(f"{path} has no columns {missing}. Received: {[*scores]}")
    unscored = scores[scores["ours"].isna() | scores["baseline"].isna()]
    if scores.empty or len(unscored):
        raise ValueError(f"{path} needs `ours` and `baseline`. Received: {unscored}")
    return scores


def results_table(scores):
    """Formats scores for print.

    Args:
        scores: `pandas.DataFrame` as `read_scores` returns it.

    Returns:
        `pandas.DataFrame` of strings, task and data as its index.
    """
    return pd.DataFrame(
        [format_row(row) for _, row in scores.iterrows()],
        index=pd.MultiIndex.from_frame(
            scores[["task", "data"]], names=["Task", "Data"]
        ),
        columns=["Output", "Metric", "Reference", "Baseline", "Ours", "Seeds"],
    )


def format_row(row):
    """Formats one score and what it is compared with, all with the same decimals."""
    decimals = count_decimals(row)
    reference, baseline, ours = (
        format_number(row[column], decimals)
        for column in ("reference", "baseline", "ours")
    )
    if row["spread"] > 0:
        spread = f"{row['spread']:.{decimals}f}"
        ours += f" ± {spread if float(spread) else f'<{10**-decimals:.{decimals}f}'}"
    unit = "" if pd.isna(row["unit"]) else f", {row['unit']}"
    metric = f"{row['metric']}{unit}"
    return [row["output"], metric, reference, baseline, ours, f"{row['seeds']:.0f}"]


def count_decimals(row):
    """Counts the decimals worth printing: as many as the spread can vouch for."""
    scale = abs(row["ours"]) / 1000  # No more than four digits in any case.
    known = max(row["spread"], scale) if row["spread"] > 0 else 10 * scale
    if not known > 0:
        return 3
    exponent = np.floor(np.log10(known))
    # A spread that starts with 1 gets a second digit, or it would be too coarse.
    return int(max(0, (known < 2 * 10**exponent) - exponent))


def format_number(value, decimals):
    """Formats a number, a missing one as a dash, an exact zero without decimals."""
    if pd.isna(value):
        return "–"
    return f"{value:.{decimals}f}" if value else "0"


def to_markdown(table):
    """Writes the table of results as Markdown, each task named once.

    Args:
        table: `pandas.DataFrame` as `results_table` returns it.

    Returns:
        String.
    """
    lines = [
        " | ".join(["| Task", "Data", *table.columns]) + " |",
        "|" + " --- |" * (2 + len(table.columns)),
    ]
    last = None
    for (task, data), row in zip(table.index, table.to_numpy(), strict=True):
        cells = ["" if task == last else task, data, *row]
        lines.append(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        )
        last = task
    return "\n".join(lines)


def with_results(readme, table):
    """Puts the table between the two marks in README.md's text.

    Args:
        readme: String with the lines `START` and `END`.
        table: String, the table in Markdown.

    Returns:
        String, the new text.

    Raises:
        ValueError: If a mark is missing.
    """
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"README.md needs the lines {START} and {END}.")
    return f"{before}{START}\n{table}\n{END}{after}"


def read_picture(path=PICTURE_SOURCE, label=PICTURE_LABEL):
    """Reads the picture of a labelled cell of an executed notebook.

    Args:
        path: Path of the notebook.
        label: String, the cell's label.

    Returns:
        Bytes of a PNG.

    Raises:
        ValueError: If there is no such cell, or it shows no picture.
    """
    for cell in nbformat.read(path, as_version=4).cells:
        if f"#| label: {label}" in cell.source.splitlines():
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output["data"]["image/png"])
    raise ValueError(f"{path} should show a picture labelled {label}.")


def main():
    """Writes table and picture."""
    readme = FOLDER.parent / "README.md"
    table = to_markdown(results_table(read_scores()))
    text = with_results(readme.read_text("utf-8"), table)
    write_file(readme, text.encode())
    write_file(PICTURE, read_picture())
    print("README.md: results and picture are up to date")


if __name__ == "__main__":
    sys.exit(main())
