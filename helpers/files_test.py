"""Tests of reading and writing files; more damaged ones are in damaged_input_test."""

import gzip
import hashlib
import lzma
import zipfile

import pytest

from helpers import files

CONTENT = b"date,close\n" * 100


def test_content_is_the_same_however_packed(tmp_path):
    packed = {"plain.csv": CONTENT, "a.csv.gz": gzip.compress(CONTENT)}
    packed["a.csv.xz"] = lzma.compress(CONTENT)
    for name, content in packed.items():
        (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", CONTENT)
        archive.writestr("__MACOSX/a.csv", b"")
    for name in (*packed, "a.zip"):
        assert files.read_content(tmp_path / name) == CONTENT


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zip"])
def test_file_that_is_not_packed_as_named_is_refused(tmp_path, suffix):
    path = tmp_path / f"a.csv{suffix}"
    path.write_bytes(CONTENT)
    with pytest.raises(ValueError, match=f"a whole {suffix} file. Received: 1100 byte"):
        files.read_content(path)


def test_other_content_is_refused(tmp_path):
    checksum = hashlib.sha256(CONTENT).hexdigest()
    files.check_checksum(tmp_path, CONTENT, checksum)
    files.check_checksum(tmp_path, CONTENT, None)
    with pytest.raises(ValueError, match=f"SHA-256 {checksum} .*Received: [0-9a-f]"):
        files.check_checksum(tmp_path, CONTENT + b"1", checksum)


def test_remedy_follows_the_message(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file. Run .*data/build_it.py"):
        with files.saying_how_to_restore("build_it.py"):
            files.read_content(tmp_path / "a.csv")


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
