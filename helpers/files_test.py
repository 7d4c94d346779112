"""Tests of files; damaged ones are in datasets/damaged_files_test."""

import gzip
import lzma
import pathlib
import zipfile

from helpers import files

import pytest

CONTENT = b"date,close\n" * 100


def test_content_is_the_same_however_packed(tmp_path):
    packed = {"plain.csv": CONTENT, "a.csv.gz": gzip.compress(CONTENT)}
    packed["a.csv.xz"] = lzma.compress(CONTENT)
    for name, content in packed.items():
        (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.mkdir("prices")
        archive.writestr("prices/a.csv", CONTENT)
        archive.writestr("__MACOSX/a.csv", b"")
    for name in (*packed, "a.zip"):
        assert files.read_content(tmp_path / name) == CONTENT


def test_archive_of_several_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "a")
        archive.writestr("b.csv", "b")
    with pytest.raises(ValueError, match="two.zip .*2 files in place of one"):
        files.read_content(tmp_path / "two.zip")


def test_file_is_replaced_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    files.write_file(path, b"old")

    def kill(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files.os, "replace", kill)
        files.write_file(path, b"new")
    assert path.read_bytes() == b"old"
    files.write_file(path, b"new")
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]


def test_folders_are_the_projects_unless_told_otherwise(monkeypatch):
    assert (files.ROOT / "helpers" / "files.py").samefile(files.__file__)
    for value, folder in {"": files.ROOT / "report", "/mine": "/mine"}.items():
        monkeypatch.setenv("REPORT_FOLDER", value)
        assert files.report_folder() == pathlib.Path(folder)
    monkeypatch.delenv("REPORT_FOLDER")
    assert files.report_folder() == files.ROOT / "report"
