"""Tests of the handwritten digits."""

from helpers import datasets

import numpy as np
import pytest


def test_mnist_has_the_official_split():
    mnist = datasets.load_mnist()
    assert mnist.train_images.shape == (60_000, 28, 28)
    assert mnist.test_images.shape == (10_000, 28, 28)
    assert mnist.train_images.dtype == mnist.test_images.dtype == np.float32
    assert mnist.train_labels.dtype == mnist.test_labels.dtype == np.int64
    assert mnist.train_images.min() == 0 and mnist.train_images.max() == 1
    mean = mnist.train_images.mean(dtype="float64")
    assert mean * 255 == pytest.approx(33.318, abs=0.001)
    assert mnist.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(mnist.test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009
    ]  # fmt: skip


def test_files_of_your_own_may_be_plain(tmp_path):
    path = tmp_path / "own-idx2-ubyte"
    path.write_bytes(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, *range(6)]))
    assert datasets.read_idx(str(path)).tolist() == [[0, 1, 2], [3, 4, 5]]
