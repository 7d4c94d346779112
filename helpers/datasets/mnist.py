"""The handwritten digits of MNIST, and files in its format."""

import math
import pathlib
from typing import NamedTuple

from helpers.files import read_bundled, read_content

import numpy as np

CHECKSUMS = {  # SHA-256, unpacked.
    "train-images-idx3-ubyte.gz": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    "train-labels-idx1-ubyte.gz": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    ),
}


class Mnist(NamedTuple):
    """The official split of MNIST; images are sequences of 28 rows of 28 pixels."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load_mnist():
    """Loads the handwritten digits of MNIST from the bundled files, as `Mnist`.

    Images are float32 of shape `(60000, 28, 28)` and `(10000, 28, 28)`, ink in `[0, 1]`
    (0 is paper); labels are int64 of shape `(60000,)` and `(10000,)`, the digits 0 to
    9. A file that is missing or damaged raises a `FileNotFoundError` or `ValueError`.

    Reference: LeCun, Bottou, Bengio & Haffner, 1998, Gradient-based learning applied to
    document recognition, doi:10.1109/5.726791
    """
    arrays = []
    for name, checksum in CHECKSUMS.items():
        values = parse_idx(name, read_bundled(name, checksum, "build_mnist.py"))
        if values.ndim == 3:
            arrays.append(values.astype("float32") / np.float32(255))
        else:
            arrays.append(values.astype("int64"))
    return Mnist(*arrays)


def read_idx(path):
    """Reads one file in the idx format of MNIST, plain or compressed (`.gz`).

    Returns a read-only uint8 array with the shape that the file's header states. Raises
    a `FileNotFoundError`, or a `ValueError` if the file cannot be unpacked, is no idx
    file of unsigned bytes, or is shorter or longer than its header states.
    """
    return parse_idx(path, read_content(pathlib.Path(path)))


def parse_idx(path, content):
    """Returns the array that the bytes of an idx file hold."""
    # Two zero bytes, the code of the type (8: unsigned byte), the number of axes, and
    # the length of each in four bytes.
    header_size = 4 + 4 * sum(content[3:4])
    if content[:3] != b"\0\0\x08" or not 4 < header_size <= len(content):
        raise ValueError(
            f"{path} should begin with the idx bytes 00 00 08, the number of axes and "
            f"their lengths. Received: {content[:8].hex(' ') or 'an empty file'}."
        )
    shape = tuple(np.frombuffer(content[4:header_size], ">u4").tolist())
    if len(content) != header_size + math.prod(shape):
        raise ValueError(
            f"{path} should hold {header_size} bytes and the values of the shape "
            f"{shape}. Received: {len(content)} bytes."
        )
    return np.frombuffer(content, "uint8", offset=header_size).reshape(shape)
