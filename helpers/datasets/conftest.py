"""A folder in the place of `data/`."""

from helpers import files

import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "DATA_FOLDER", tmp_path)
    return tmp_path
