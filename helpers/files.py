"""Files: where they lie, read whole or not at all, written as a whole or not at all."""

import gzip
import hashlib
import io
import lzma
import os
import pathlib
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA_FOLDER = ROOT / "data"
UNPACKING_ERRORS = (
    *(EOFError, OSError, RuntimeError, NotImplementedError),
    *(lzma.LZMAError, zipfile.BadZipFile, zlib.error),
)


def report_folder():
    """Returns the folder of results: `report/`, or what `REPORT_FOLDER` names."""
    return pathlib.Path(os.environ.get("REPORT_FOLDER") or ROOT / "report")


def read_content(path):
    """Reads the bytes of a file, unpacked where its name ends with .gz, .xz or .zip.

    No file raises a `FileNotFoundError`, one that does not unpack a `ValueError`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} should be a file. Received: no such file.")
    content = path.read_bytes()
    unpack = {".gz": gzip.decompress, ".xz": lzma.decompress, ".zip": unzip}
    try:
        return unpack.get(path.suffix, bytes)(content)
    except UNPACKING_ERRORS as error:
        raise ValueError(
            f"{path} should be a whole {path.suffix} file. Received: {len(content)} "
            f"bytes that do not unpack ({error})."
        ) from error


def unzip(content):
    """Returns the only file of an archive; folders and what macOS adds are none."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if name[-1] != "/"]
        names = [name for name in names if "__MACOSX" not in name]
        if len(names) != 1:
            raise zipfile.BadZipFile(f"{len(names)} files in place of one")
        return archive.read(names[0])


def read_bundled(name, checksum, script):
    """Reads the bytes of a file of `data/`, unpacked, or says how to get it back.

    Args:
        name: String, the name of the file.
        checksum: String, the SHA-256 of the unpacked content. The compressed bytes of a
            rebuilt file may differ between versions of zlib and xz.
        script: String, the name of the script in `data/` that builds the file.

    A file that is missing or damaged raises a `FileNotFoundError` or `ValueError`.
    """
    try:
        content = read_content(DATA_FOLDER / name)
        received = hashlib.sha256(content).hexdigest()
        if received != checksum:
            raise ValueError(
                f"{name} should have the SHA-256 {checksum} (unpacked). "
                f"Received: {received}."
            )
    except (FileNotFoundError, ValueError) as error:
        raise type(error)(
            f"{error} Run `git checkout -- data/` or `python data/{script}` in the "
            "project's folder to get the original file back."
        ) from error
    return content


def write_file(path, content):
    """Writes bytes so that a kill leaves either the old file or the new one."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)
