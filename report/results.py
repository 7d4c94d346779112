"""The table of results, from the scores that the chapters have written.

`python -m report.results` writes it into README.md, and the pictures there. The
front page of the report prints some of its rows, its appendix all.
"""

import base64
import pathlib
import sys

from helpers.files import ROOT, write_file

import nbformat
import numpy as np
import pandas as pd

FOLDER = pathlib.Path(__file__).parent
START, END = "<!-- results: start -->", "<!-- results: end -->"
# The pictures of README.md: notebook and label of the cell.
PICTURES = {
    FOLDER / "picture.png": ("03_mnist_pixels", "fig-reconstructions"),
    FOLDER / "alarms.png": ("07_your_series", "fig-alarms"),
}
AGREEMENT = 1e-4  # Relative to the score.
# The rows of the front page by the names that its findings use, each with its chapter,
# data and output.
HEADLINES = {
    "dip": ("1", "dip, code 40", "reconstruction"),
    "rows_error": ("2", "LSTM, joint", "reconstruction"),
    "rows_label": ("2", "LSTM, joint", "label"),
    "pixels_error": ("3", "hierarchical", "reconstruction"),
    "pixels_label": ("3", "hierarchical", "label"),
    "prices": ("4", "other stocks, later", "reconstruction"),
    "next_day": ("4", "other stocks, later", "next day"),
    "daily_range": ("4", "six stocks, 2020 to 2023", "daily range"),
    "airports": ("5", "airports", "event"),
    "synthetic_events": ("5", "synthetic, 100,000 steps", "event"),
    "pressure": ("7", "arterial pressure", "anomaly"),
    "ecg": ("7", "synthetic ECG", "anomaly"),
    "vowels": ("7", "vowels", "label"),
}


def read_scores(folder=FOLDER):
    """Reads the scores of all chapters that the front page names.

    Args:
        folder: Path of the folder with `report.ipynb` and `scores/`.

    Returns:
        `pandas.DataFrame`, a row per score, with columns `helpers.chapter.COLUMNS`.

    Raises:
        FileNotFoundError, ValueError: If scores or their opponents are missing.
    """
    front_page = nbformat.read(folder / "report.ipynb", as_version=4)
    tables = []
    for chapter in map(pathlib.Path, front_page.metadata["report"]["chapters"]):
        if chapter.parent.name == "notebooks":
            path = folder / "scores" / f"{chapter.stem}.csv"
            if not path.is_file():
                raise FileNotFoundError(f"{path} is missing: execute {chapter} first.")
            table = pd.read_csv(path)
            needed = ["ours", "baseline", "opponent"]
            if table.empty or table[needed].isna().any(axis=None):
                raise ValueError(f"{path} needs {', '.join(needed)} in each row.")
            tables.append(table)
    scores = pd.concat(tables)
    # Seeds that agree in the digits which are shown have no spread worth printing.
    agreeing = scores["spread"] < AGREEMENT * scores["ours"].abs()
    return scores.assign(spread=scores["spread"].mask(agreeing, 0.0))


def select_headlines(scores):
    """Selects the rows of `HEADLINES`, and indexes them by their names.

    Raises:
        ValueError: If no chapter has recorded one of them.
    """
    chapters = scores["task"].str.partition(".")[0]
    places = list(zip(chapters, scores["data"], scores["output"], strict=True))
    missing = {name: row for name, row in HEADLINES.items() if row not in places}
    if missing:
        text = "HEADLINES should name chapter, data and output of recorded scores"
        raise ValueError(f"{text}. Received, and not recorded: {missing}.")
    return scores.iloc[list(map(places.index, HEADLINES.values()))].set_axis(
        [*HEADLINES]
    )


def fill_in(sentence, headlines, **verdicts):
    """Fills scores into a sentence, as in `"{dip[Ours]} against {dip[Oracle]}"`.

    Args:
        sentence: String, with the columns of `results_table` for rows by their names.
        headlines: `pandas.DataFrame`, as of `select_headlines`.
        **verdicts: What the sentence takes the verdicts to be, `dip="loses"`.

    Raises:
        ValueError: If a verdict is another one, so that the sentence may be wrong.
    """
    table = results_table(headlines).replace(" ± ", "\u00a0±\u00a0", regex=True)
    rows = dict(zip(headlines.index, table.to_dict("records"), strict=True))
    received = {name: rows[name]["Verdict"] for name in verdicts}
    if received != verdicts:
        text = f"{sentence!r} asks for {verdicts}"
        raise ValueError(f"Rewrite the finding: {text}. Received: {received}.")
    return sentence.format(**rows)


def results_table(scores):
    """Formats scores of `read_scores` for print, with task and data as the index."""
    index = pd.MultiIndex.from_frame(scores[["task", "data"]], names=["Task", "Data"])
    columns = [
        *("Output", "Metric", "Original", "Strongest opponent", "Oracle", "Ours"),
        *("Seeds", "Verdict"),
    ]
    rows = [format_row(row) for _, row in scores.iterrows()]
    return pd.DataFrame(rows, index, columns)


def format_row(row):
    """Formats one score and what it is compared with, all with the same decimals."""
    decimals = count_decimals(row)
    reference, baseline, oracle, ours = (
        "–" if pd.isna(value) else f"{value:.{decimals}f}" if value else "0"
        for value in (row["reference"], row["baseline"], row["oracle"], row["ours"])
    )
    if row["spread"] > 0:
        ours += f" ± {row['spread']:.{decimals}f}"
    metric = (
        row["metric"] if pd.isna(row["unit"]) else f"{row['metric']}, {row['unit']}"
    )
    opponent = f"{baseline} ({row['opponent']})"
    seeds = f"{row['seeds']:.0f}"
    verdict = verdict_of(row)
    return [row["output"], metric, reference, opponent, oracle, ours, seeds, verdict]


def verdict_of(row):
    """Says who is better; "level" within the spread, or within half a per cent."""
    more_is_better = any(
        word in row["metric"] for word in ("accuracy", "skill", "precision")
    )
    gain = (row["ours"] - row["baseline"]) * (1 if more_is_better else -1)
    margin = max(np.nan_to_num(row["spread"]), 0.005 * abs(row["baseline"]))
    return "level" if abs(gain) <= margin else "wins" if gain > 0 else "loses"


def count_decimals(row):
    """Counts the decimals worth printing: as many as the spread can vouch for."""
    scale = abs(row["ours"]) / 1000  # No more than four digits in any case.
    known = max(row["spread"], scale) if row["spread"] > 0 else 10 * scale
    if not known > 0:
        return 3
    exponent = np.floor(np.log10(known))
    # A spread that starts with 1 gets a second digit, or it would be too coarse.
    return int(max(0, (known < 2 * 10**exponent) - exponent))


def to_markdown(table):
    """Writes a table of `results_table` as Markdown, each task named once."""
    lines = [
        f"| {' | '.join([*table.index.names, *table.columns])} |",
        "|" + " --- |" * (2 + len(table.columns)),
    ]
    tasks = table.index.get_level_values(0)
    for last, (place, row) in zip([None, *tasks], table.iterrows(), strict=False):
        cells = ["" if place[0] == last else place[0], place[1], *row]
        lines.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return "\n".join(lines)


def with_results(readme, table):
    """Puts a table between the lines `START` and `END` of README.md's text."""
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"README.md needs the lines {START} and {END}.")
    return f"{before}{START}\n{table}\n{END}{after}"


def read_picture(notebook, label, folder=ROOT / "notebooks"):
    """Returns the PNG, as bytes, that a labelled cell of an executed notebook shows."""
    path = folder / f"{notebook}.ipynb"
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            image = output.get("data", {}).get("image/png")
            if image and f"#| label: {label}\n" in cell.source:
                return base64.b64decode(image)
    raise ValueError(f"{path} should show a picture labelled {label}.")


def main():
    """Writes the table and the pictures."""
    readme = ROOT / "README.md"
    table = to_markdown(results_table(read_scores()))
    write_file(readme, with_results(readme.read_text("utf-8"), table).encode())
    for path, source in PICTURES.items():
        write_file(path, read_picture(*source))
    print("README.md: results and pictures are up to date")


if __name__ == "__main__":
    sys.exit(main())
