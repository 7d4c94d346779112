"""Files: read whole or not at all, and written so that no reader finds a part."""

import contextlib
import gzip
import hashlib
import io
import lzma
import os
import zipfile
import zlib


def read_content(path):
    """Reads a file and unpacks it where its name says that it is compressed.

    Args:
        path: `pathlib.Path` of a plain file, or of one with `.gz`, `.xz` or `.zip`
            behind, the last with one file in it.

    Returns:
        Bytes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file does not unpack.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} should be a file. Received: no such file.")
    content = path.read_bytes()
    try:
        if path.suffix == ".gz":
            return gzip.decompress(content)
        if path.suffix == ".xz":
            return lzma.decompress(content)
        if path.suffix == ".zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = [
                    member
                    for member in archive.infolist()
                    # What macOS adds is no second file.
                    if not member.is_dir() and "__MACOSX" not in member.filename
                ]
                if len(members) != 1:
                    raise ValueError(
                        f"{path} should hold one file. Received: {len(members)} files."
                    )
                return archive.read(members[0])
    except (
        *(EOFError, OSError, RuntimeError, NotImplementedError),
        *(lzma.LZMAError, zipfile.BadZipFile, zlib.error),
    ) as error:
        raise ValueError(
            f"{path} should be a whole {path.suffix} file. Received: {len(content)} "
            f"bytes that do not unpack ({error})."
        ) from error
    return content


def check_checksum(path, content, checksum):
    """Raises a `ValueError` if a file's content is another one than expected.

    Args:
        path: `pathlib.Path`, for the message.
        content: Bytes, the unpacked content.
        checksum: String or `None`, the SHA-256 that it must have, if any.
    """
    received = hashlib.sha256(content).hexdigest()
    if checksum is not None and received != checksum:
        raise ValueError(
            f"{path} should have the SHA-256 {checksum} (unpacked). "
            f"Received: {received}."
        )


@contextlib.contextmanager
def saying_how_to_restore(script):
    """Adds to the message of a bundled file that cannot be read how to get it back.

    Args:
        script: String, the name of the script in `data/` that builds the file.
    """
    try:
        yield
    except (FileNotFoundError, ValueError) as error:
        raise type(error)(
            f"{error} Run `git checkout -- data/` or `python data/{script}` in the "
            "repository's folder to get the original file back."
        ) from error


def write_file(path, content):
    """Writes bytes so that a kill leaves either the old file or the new one.

    Args:
        path: `pathlib.Path`, in a folder that exists.
        content: Bytes.
    """
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)
