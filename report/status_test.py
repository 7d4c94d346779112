import hashlib
import json
import pathlib
import subprocess
import sys

from report import status

import pytest

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with records of each kind."""

    def record(name, fingerprint="1", model=b"weights", **changes):
        path = tmp_path / "runs" / name
        path.mkdir(parents=True)
        sha256 = model and hashlib.sha256(model).hexdigest()
        values = {"fingerprint": fingerprint, "seconds": 1.5, "model_sha256": sha256}
        (path / "run.json").write_text(json.dumps(values | changes))
        if model:
            (path / "model.keras").write_bytes(model)

    record("01_fine", recorded="2026-11-28T12:00")
    record("01_grid/a_0", model=None)
    record("01_stale", fingerprint="2")
    record("02_swapped", model_sha256="0" * 64)
    record("02_odd", seconds=None)
    record("02_unasked")
    record("mine", model=None)
    record(".aside/02_gone")
    asked = {"01": ["01_fine", "01_grid/a_0", "01_stale"]}
    asked["02"] = ["01_fine", "02_swapped", "02_odd", "02_gone"]
    (tmp_path / "scores").mkdir()
    for number, names in asked.items():
        path = tmp_path / "scores" / f"{number}_x.runs.json"
        path.write_text(json.dumps(dict.fromkeys(names, "1")))
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    return tmp_path


def test_every_state_is_told(folder):
    found = status.read_status().set_index("name")
    assert found["state"].to_dict() == {
        "01_fine": "recorded",
        "01_grid/a_0": "recorded",
        "01_stale": "stale",
        "02_gone": "missing",
        "02_odd": "damaged",
        "02_swapped": "damaged",
        "02_unasked": "left over",
        "mine": "left over",
    }
    assert found["chapter"].tolist() == [1, 1, 1, 2, 2, 2, 2, 0]
    assert found["seconds"].tolist() == [1.5, 1.5, 1.5, 0, 0, 1.5, 1.5, 1.5]
    assert found["model"].tolist() == [True, False, True] + [False] * 2 + [True] * 2 + [
        False
    ]
    assert found["recorded"]["01_fine"] == "2026-11-28T12:00"


def test_weights_that_are_gone_are_a_damage(folder):
    (folder / "runs" / "01_fine" / "model.keras").unlink()
    assert status.read_status().set_index("name")["state"]["01_fine"] == "damaged"


def test_command_counts_and_names_what_is_not_fine(folder, capsys):
    assert status.main([]) == 1
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    assert ["1", "2", "1", "0", "0", "0", "4"] in rows
    assert ["2", "0", "0", "2", "1", "1", "3"] in rows
    assert "stale: 01_stale\n" in printed and "missing: 02_gone\n" in printed
    assert "01_fine" not in printed and "set aside by RETRAIN" in printed
    assert printed.endswith(": 02_gone\n")


def test_command_is_quick_to_start():
    code = "import sys, report.status; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_records_set_aside_are_brought_back(folder, capsys):
    status.main(["--restore"])
    printed = capsys.readouterr().out
    assert "brought back: 02_gone\n" in printed and "set aside" not in printed
    assert status.read_status().set_index("name")["state"]["02_gone"] == "recorded"
