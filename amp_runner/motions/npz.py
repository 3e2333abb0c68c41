"""Reading .npz files of strangers: nothing is unpickled, and sizes are checked before anything is unpacked."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.files import read_file

MAX_BYTES = 2 * 2**30
"""Larger files are rejected, packed or unpacked [bytes]. 2 GiB are about five days of 22 numbers at 50 Hz."""
_MAX_COMPRESSION = 20
"""Files that unpack to more than 64 MiB and this multiple of their size are rejected: no motion compresses so well."""
_SMALL = 64 * 2**20
A_MOTION = "expected a motion file"
NOT_A_CLIP = "expected an .npz file with the array 'amp_states' (write one with numpy.savez)"


def read_bytes(path: str, expected: str = NOT_A_CLIP) -> bytes:
    """Read a whole file at once, so that the bytes that are checked are those that are used.

    Args:
        path: the file.
        expected: what to expect instead, for the error message.

    Raises:
        MotionError: it cannot be read, is too large, or is empty.
    """
    try:
        size = Path(path).stat().st_size
        if size > MAX_BYTES:
            raise MotionError(
                f"{path}: has {size / 2**30:.1f} GiB; the limit is {MAX_BYTES / 2**30:.0f} GiB: split the file"
            )
        content = read_file(path, MAX_BYTES)
    except FileNotFoundError:
        raise MotionError(f"{path}: no such file; {expected}") from None
    except IsADirectoryError:
        raise MotionError(f"{path}: is a folder; {expected}") from None
    except OSError as error:
        raise MotionError(f"{path}: cannot be read: {error.strerror}; {expected}") from None
    if not content:
        raise MotionError(f"{path}: the file is empty; {expected}")
    return content


def read_npz(path: str) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file; see :func:`read_bytes` and :func:`unpack_npz`."""
    return unpack_npz(path, read_bytes(path))


def unpack_npz(path: str, content: bytes) -> dict[str, np.ndarray]:
    """Unpack the arrays of an .npz file.

    Args:
        path: file, for the error message.
        content: its bytes.

    Raises:
        MotionError: the file is damaged, unpacks to too much, or holds more than plain arrays.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_unpacked_size(path, archive, len(content))
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _unpack_array(path, name, archive.read(name)) for name in members}
    except zipfile.BadZipFile:
        kind = "a truncated or damaged .npz file" if content[:2] == b"PK" else "not an .npz file"
        raise MotionError(f"{path}: {kind}; {NOT_A_CLIP}") from None
    except MotionError:
        raise
    except Exception as error:  # zip and zlib raise many types on damaged data
        raise MotionError(f"{path}: damaged file ({error}); write it again with numpy.savez") from None


def check_unpacked_size(path: str, archive: zipfile.ZipFile, packed: int) -> None:
    """Check that an archive of ``packed`` bytes does not unpack to too much.

    Raises:
        MotionError: it does.
    """
    limit = min(MAX_BYTES, max(_SMALL, _MAX_COMPRESSION * packed))
    size = sum(member.file_size for member in archive.infolist())
    if size > limit:
        raise MotionError(
            f"{path}: unpacks from {packed / 2**20:.1f} to {size / 2**20:.0f} MiB; the limit is {limit / 2**20:.0f} MiB: "
            "save it without compression, or split it"
        )


def _unpack_array(path: str, member: str, content: bytes) -> np.ndarray:
    name = member.removesuffix(".npy")
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # NumPy raises many types on damaged data
        if "allow_pickle" in str(error):
            raise MotionError(
                f"{path}: '{name}' holds pickled Python objects, which are never loaded; expected plain numbers or "
                "strings: convert it, for example with numpy.asarray(x, dtype=numpy.float32), and save it again"
            ) from None
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise MotionError(f"{path}: '{name}' is damaged ({reason}); write the file again with numpy.savez") from None
    array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "U" and array.size and array.reshape(-1).view(np.uint32).max() > sys.maxunicode:
        raise MotionError(f"{path}: '{name}' is damaged (no text); write the file again with numpy.savez")
    return array
