"""Data sets: bundled files and generators, as checked arrays."""

import math
import pathlib
from typing import NamedTuple

import numpy as np

from helpers.checks import check_integer
from helpers.files import check_checksum, read_content, saying_how_to_restore

DATA_FOLDER = pathlib.Path(__file__).resolve().parent.parent / "data"
# SHA-256 of the unpacked content. The compressed bytes of a rebuilt file may differ
# between versions of zlib, the content may not.
MNIST_CHECKSUMS = {
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
DIP_CENTRE_RANGE = (20, 30)  # First and last index a dip's centre can have.
DIP_HALF_WIDTH = 5  # Steps on each side of the centre.
DIP_FACTOR = 0.1


class Mnist(NamedTuple):
    """The official split of MNIST; images are sequences of 28 rows of 28 pixels."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load_mnist(folder=DATA_FOLDER):
    """Loads the handwritten digits of MNIST from the bundled files.

    A file is used only when all of it arrived: structure, size and SHA-256 of the
    content are checked before an array is returned.

    Args:
        folder: Path of the folder with the four `*-ubyte.gz` files.

    Returns:
        Named tuple `(train_images, train_labels, test_images, test_labels)`. Images
        are float32 arrays of shape `(60000, 28, 28)` and `(10000, 28, 28)`, ink in
        `[0, 1]` (0 is paper); labels are int64 arrays of shape `(60000,)` and
        `(10000,)`, the digits 0 to 9.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged, cut short or another file than expected.

    Reference:
        LeCun, Bottou, Bengio & Haffner, 1998, Gradient-based learning applied to
        document recognition. Proceedings of the IEEE 86(11), doi:10.1109/5.726791
    """
    arrays = []
    for name, checksum in MNIST_CHECKSUMS.items():
        with saying_how_to_restore("build_mnist.py"):
            values = read_idx(pathlib.Path(folder, name), checksum)
        if values.ndim == 3:
            arrays.append(values.astype("float32") / np.float32(255))
        else:
            arrays.append(values.astype("int64"))
    return Mnist(*arrays)


def read_idx(path, checksum=None):
    """Reads one file in the idx format of MNIST, plain or compressed (`.gz`).

    Args:
        path: Path of a file with unsigned bytes, for instance images or labels.
        checksum: String or `None`, the SHA-256 that the unpacked content must have.

    Returns:
        Read-only uint8 array with the shape that the file's header states.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file cannot be unpacked, is no idx file of unsigned bytes,
            is shorter or longer than its header states, or has another checksum.
    """
    path = pathlib.Path(path)
    content = read_content(path)
    # Two zero bytes, the code of the type (8: unsigned byte), the number of axes.
    if len(content) < 4 or content[:3] != b"\0\0\x08" or content[3] == 0:
        raise ValueError(
            f"{path} should begin with the idx bytes 00 00 08 and the number of axes. "
            f"Received: {content[:4].hex(' ') or 'an empty file'}."
        )
    header_size = 4 + 4 * content[3]
    if len(content) < header_size:
        raise ValueError(
            f"{path} should begin with a header of {header_size} bytes. "
            f"Received: {len(content)} bytes in all."
        )
    shape = tuple(np.frombuffer(content[4:header_size], ">u4").tolist())
    expected_size = header_size + math.prod(shape)
    if len(content) != expected_size:
        raise ValueError(
            f"{path} should hold {expected_size} bytes, as its header states the shape "
            f"{shape}. Received: {len(content)} bytes."
        )
    check_checksum(path, content, checksum)
    return np.frombuffer(content, "uint8", offset=header_size).reshape(shape)


def uniform_sequences(num_examples=10_000, num_steps=50, seed=0):
    """Draws sequences of independent values, uniform in `[0, 1)`.

    No value says anything about another one, so no code shorter than the sequence
    can keep all of it.

    Args:
        num_examples: Positive integer, number of sequences.
        num_steps: Positive integer, length of a sequence.
        seed: Non-negative integer; equal seeds give equal sequences.

    Returns:
        float32 array of shape `(num_examples, num_steps, 1)`, not scaled.

    Raises:
        ValueError: If an argument is not an integer in its range.
    """
    num_examples = check_integer("num_examples", num_examples, minimum=1)
    num_steps = check_integer("num_steps", num_steps, minimum=1)
    seed = check_integer("seed", seed, minimum=0)
    rng = np.random.default_rng(seed)
    return rng.random((num_examples, num_steps, 1), "float32")


def dip_sequences(num_examples=10_000, num_steps=50, seed=0):
    """Draws uniform sequences with one dip, a place where the values are small.

    For each sequence an integer centre is drawn, uniform from 20 to 30 (both
    included, counted from 0). The 11 values from 5 before to 5 after the centre are
    multiplied by 0.1. Apart from the dips the result is that of
    `uniform_sequences` with the same arguments.

    Args:
        num_examples: Positive integer, number of sequences.
        num_steps: Integer of at least 36, length of a sequence; a shorter one has no
            room for the last dip.
        seed: Non-negative integer; equal seeds give equal sequences.

    Returns:
        Tuple `(series, dip_centres)`: a float32 array of shape
        `(num_examples, num_steps, 1)`, not scaled, and an int64 array of shape
        `(num_examples,)`.

    Raises:
        ValueError: If an argument is not an integer in its range.
    """
    first_centre, last_centre = DIP_CENTRE_RANGE
    num_steps = check_integer(
        "num_steps", num_steps, minimum=last_centre + DIP_HALF_WIDTH + 1
    )
    series = uniform_sequences(num_examples, num_steps, seed)
    # A stream of its own keeps the uniform values equal to `uniform_sequences`.
    rng = np.random.default_rng([seed, 1])
    dip_centres = rng.integers(first_centre, last_centre + 1, len(series))
    distances = np.abs(np.arange(num_steps) - dip_centres[:, np.newaxis])
    series[distances <= DIP_HALF_WIDTH] *= np.float32(DIP_FACTOR)
    return series, dip_centres
