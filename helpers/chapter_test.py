import json

from helpers import training
from helpers.chapter import Chapter

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    monkeypatch.setattr("helpers.training.asked", {"01_b": "2", "01_a": "1"})
    return Chapter("01_synthetic", "1. Synthetic sequences")


def test_claims_are_printed_and_results_and_runs_written(chapter, tmp_path, capsys):
    chapter.claim("One holds.", True)
    chapter.claim("All of many hold.", np.array([True, True]))
    names = {"data": "dip", "output": "reconstruction", "metric": "MSE"}
    names["opponent"] = "PCA-40"
    chapter.result(ours=[0.12345678, 0.2], baseline=0.5, **names)
    chapter.result(ours=[1.0], baseline=2.0, reference=3.0, unit="share", **names)
    chapter.finish()
    assert capsys.readouterr().out == "holds: One holds.\nholds: All of many hold.\n"
    table = pd.read_csv(tmp_path / "scores" / "01_synthetic.csv")
    assert table["ours"].tolist() == [0.161728, 1.0]
    assert table["opponent"].tolist() == ["PCA-40"] * 2
    assert table["spread"][0] == pytest.approx(0.0541242)  # Six digits.
    assert np.isnan(table["spread"][1]) and table["seeds"].tolist() == [2, 1]
    runs = json.loads((tmp_path / "scores" / "01_synthetic.runs.json").read_text())
    assert runs == training.asked and list(runs) == ["01_a", "01_b"]


def test_false_claim_stops_the_notebook_and_writes_nothing(chapter, tmp_path, capsys):
    chapter.claim("It is so.", True)
    chapter.claim("It is not so.", [True, False])
    with pytest.raises(AssertionError, match="01_synthetic: .*It is not so"):
        chapter.finish()
    assert "FALSE: It is not so.\n" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_sentence_is_claimed_once(chapter):
    chapter.claim("It is so.", True)
    with pytest.raises(ValueError, match="claimed once. Received: 'It is so.'"):
        chapter.claim("It is so.", False)
