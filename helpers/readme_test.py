"""Checks that README.md, Makefile and code say the same."""

import pathlib
import re
import types

from helpers import networks
from helpers.retraining import retrain_switch

import keras
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def read_makefile():
    """Gives the commands of the Makefile as they are in an activated environment."""
    text = (ROOT / "Makefile").read_text("utf-8")
    names = dict(re.findall(r"^(FRONT|PAGES|TO_PDF) = (.*)$", text, re.MULTILINE))
    for name in ("TO_PDF", "PAGES", "FRONT"):
        text = text.replace(f"$({name})", names[name])
    commands = [line.strip() for line in text.splitlines() if line.startswith("\t")]
    return [
        command.replace("$(BIN)/", "").replace("--quiet ", "")
        for command in commands
        if command.startswith("$(BIN)/")
    ]


def test_readme_gives_every_command_of_the_makefile():
    commands = read_makefile()
    assert len(commands) >= 10
    assert [command for command in commands if f"    {command}\n" not in README] == []


def test_files_that_the_readme_links_exist():
    for path in re.findall(r"\]\(([\w./]+)\)", README):
        assert (ROOT / path).exists(), path


def test_requirements_are_locked():
    locked = (ROOT / "requirements.lock").read_text("utf-8").lower()
    for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines():
        requirement = line.split(";")[0].strip().lower().replace("_", "-")
        if requirement and not requirement.startswith(("#", "-e .")):
            assert re.fullmatch(r"[a-z0-9-]+==[\d.]+", requirement)
            assert re.search(f"^{re.escape(requirement)}( |$)", locked, re.MULTILINE)


@pytest.mark.parametrize("value", ["0", "1", "all", "never"])
def test_readme_names_the_values_of_retrain(value, monkeypatch):
    monkeypatch.setenv("RETRAIN", value)
    # Raises an error for a value that it does not know.
    assert retrain_switch() == value
    assert f"`{value}`" in README


def test_halves_can_be_taken_elsewhere_as_the_readme_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    series = keras.Input((5, 2), name="series")
    code = networks.encode(series, code_size=3, units=4)
    outputs = {"reconstruction": networks.decode(code, 5, 2, units=4)}
    model = keras.Model(series, outputs)
    examples = np.random.default_rng(0).random((6, 5, 2), dtype="float32")

    run = types.SimpleNamespace(model=model)
    names = {"networks": networks, "run": run, "series": examples}
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)
    expected = model.predict(examples, verbose=0)["reconstruction"]
    np.testing.assert_allclose(names["reconstruction"], expected, atol=1e-6)
    assert names["code"].shape == (6, 3)
