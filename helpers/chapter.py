"""A chapter's claims, results and versions, kept in one place."""

import os
import platform

from helpers import files, training
from helpers.training.records import write_json

import keras
import numpy as np
import pandas as pd

COLUMNS = [
    *("task", "data", "output", "metric", "reference", "opponent", "baseline"),
    *("oracle", "ours", "spread", "seeds", "unit"),
]


class Chapter:
    """Collects what a chapter claims and finds.

    Args:
        name: String, the name of the notebook, for instance `"01_synthetic"`.
        task: String, the title of the chapter in the table of results.
        folder: Path of the folder that results are written to (default the report's).

    Example:

    ```python
    chapter = Chapter("01_synthetic", "1. Synthetic sequences")
    chapter.claim("the code of 64 numbers reconstructs the noise", mse < 1e-4)
    chapter.result(data="uniform", output="reconstruction", metric="MSE", ours=[mse])
    chapter.finish()
    ```
    """

    def __init__(self, name, task, folder=None):
        self.name, self.task, self.folder = name, task, folder
        self.claims, self.results = {}, []

    def claim(self, sentence, holds):
        """Notes a sentence and whether it holds: a boolean, or many that all must.

        Raises a `ValueError` if the sentence has been claimed before.
        """
        if sentence in self.claims:
            raise ValueError(
                f"`sentence` should be claimed once. Received: {sentence!r}."
            )
        self.claims[sentence] = bool(np.all(holds))

    def result(self, *, ours, baseline, reference=None, oracle=None, unit="", **names):
        """Notes a row of the report's table of results.

        Args:
            ours: List of floats, the score of the network trained from each seed.
            baseline: Float, the score of the strongest simple opponent.
            reference: Float or `None`, the number of the original homework report.
            oracle: Float or `None`, the best score in expectation, where it is known.
            unit: String, the unit of the metric.
            **names: `data`, `output`, `metric` and `opponent`, the baseline's name.
        """
        spread = np.std(ours, ddof=1) if len(ours) > 1 else None
        values = {"baseline": baseline, "ours": np.mean(ours), "spread": spread}
        row = {"task": self.task, "reference": reference, "oracle": oracle}
        self.results.append(row | values | names | {"seeds": len(ours), "unit": unit})

    def finish(self):
        """Prints the claims, stops at a false one, and writes results and runs.

        Raises:
            AssertionError: If a claim is false; nothing is written then.
        """
        for sentence, holds in self.claims.items():
            print(f"{'holds' if holds else 'FALSE'}: {sentence}")
        false = [sentence for sentence, holds in self.claims.items() if not holds]
        if false:
            raise AssertionError(f"{self.name}: false claims: {'; '.join(false)}")
        folder = (self.folder or files.report_folder()) / "scores"
        folder.mkdir(parents=True, exist_ok=True)
        table = pd.DataFrame(self.results, columns=COLUMNS).to_csv(
            index=False, float_format="%.6g", lineterminator="\n"
        )
        files.write_file(folder / f"{self.name}.csv", table.encode())
        write_json(
            folder / f"{self.name}.runs.json", dict(sorted(training.asked.items()))
        )

    def print_versions(self):
        """Prints what has computed this notebook."""
        print(
            f"Python {platform.python_version()}, Keras {keras.__version__} on "
            f"{keras.backend.backend()}, NumPy {np.__version__}, {os.cpu_count()} cores"
        )
