"""Clip files: one ``.npz`` with AMP states and what is known about them.

    amp_states      (T, D) floating point    required
    dt              seconds                  optional
    clip_lengths    (C,) whole numbers       optional; several clips one after the other
    joint_names     (J,) strings             optional
    layout          (F,) strings             optional; names of the features, in order
    velocity_frame  string                   optional; heading, world or body
    commands        (T, 3)                   optional; vx, vy [m/s] and yaw rate [rad/s] that the motion follows
    source, licence strings                  optional
    format_version  whole number             optional

Files are treated as hostile: nothing is unpickled, and no array is read before its header has been checked.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amp_runner.atomic_io import atomic_write
from amp_runner.errors import MotionError

FORMAT_VERSION = 1
MAX_BYTES = 2 * 2**30
"""Files with more, unpacked, are refused before it is read [bytes]; about five days of 22 numbers at 50 Hz."""

LARGEST = 1e6
"""Numbers beyond this are no robot's, and their squares would spoil the discriminator's statistics."""
_MOST_STRINGS = 1000
_NOT_A_CLIP = "expected an .npz file with the array 'amp_states' (write one with numpy.savez)"


@dataclass(frozen=True)
class Motion:
    """The contents of one clip file."""

    path: str
    states: np.ndarray
    """AMP states, shape (T, D), float32."""
    clip_lengths: np.ndarray
    """Frames of each clip, shape (C,); sums to T."""
    dt: float | None = None
    """Time between two frames [s]."""
    joint_names: tuple[str, ...] | None = None
    layout: tuple[str, ...] | None = None
    velocity_frame: str | None = None
    commands: np.ndarray | None = None
    """Commands, shape (T, 3), float32 [m/s, m/s, rad/s]."""
    source: str = ""
    licence: str = ""
    sha256: str = ""
    """Hash of the file."""

    def clips(self) -> list[np.ndarray]:
        """The states of each clip, shapes (T_c, D)."""
        return np.split(self.states, np.cumsum(self.clip_lengths)[:-1])

    def clip_commands(self) -> np.ndarray:
        """The command that each clip begins with, shape (C, 3); for motions that have commands."""
        return self.commands[np.cumsum([0, *self.clip_lengths[:-1]])]


def save_motion(motion: Motion) -> None:
    """Write a clip file to ``motion.path``, whole or not at all; the same contents give the same bytes."""
    arrays = {
        "amp_states": motion.states.astype(np.float32),
        "clip_lengths": motion.clip_lengths.astype(np.int64),
        "dt": motion.dt,
        "joint_names": motion.joint_names,
        "layout": motion.layout,
        "velocity_frame": motion.velocity_frame,
        "commands": motion.commands,
        "source": motion.source,
        "licence": motion.licence,
        "format_version": FORMAT_VERSION,
    }
    with atomic_write(motion.path) as stream:
        np.savez(stream, **{k: np.asarray(v) for k, v in arrays.items() if v is not None})


def load_motion(path: str | Path) -> Motion:
    """Read and check one clip file.

    Raises:
        MotionError: saying the file, what was found, what was expected and what to do.
    """
    path = str(path)
    content = read_bytes(path)
    arrays = _read_arrays(path, content)
    states = _check_states(path, arrays)
    lengths = _check_clip_lengths(path, arrays.get("clip_lengths"), len(states))
    _check_version(path, arrays.get("format_version"))
    commands = arrays.get("commands")
    if commands is not None:
        commands = _check_numbers(path, "commands", commands, (len(states), 3))
    return Motion(
        path=path,
        states=states,
        clip_lengths=lengths,
        dt=_check_dt(path, arrays.get("dt")),
        joint_names=_strings(path, "joint_names", arrays),
        layout=_strings(path, "layout", arrays),
        velocity_frame=_string(path, "velocity_frame", arrays) or None,
        commands=commands,
        source=_string(path, "source", arrays),
        licence=_string(path, "licence", arrays),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def read_archive(path: str) -> dict[str, np.ndarray]:
    """Read every array of an .npz file, each only after its header has been checked.

    Raises:
        MotionError: the file is missing, damaged, or holds more than plain arrays.
    """
    return _read_arrays(path, read_bytes(path))


def read_bytes(path: str) -> bytes:
    """Read the whole file at once, so that what is checked is what is used even if the file is replaced.

    Raises:
        MotionError: it cannot be read, or is empty.
    """
    try:
        size = Path(path).stat().st_size
        if size > MAX_BYTES:
            raise MotionError(
                f"{path}: has {size / 2**30:.1f} GiB; the limit is {MAX_BYTES / 2**30:.0f} GiB: split the file"
            )
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise MotionError(f"{path}: no such file; {_NOT_A_CLIP}") from None
    except IsADirectoryError:
        raise MotionError(f"{path}: is a folder; {_NOT_A_CLIP}") from None
    except OSError as error:
        raise MotionError(f"{path}: cannot be read: {error.strerror}") from None
    if not content:
        raise MotionError(f"{path}: the file is empty; {_NOT_A_CLIP}")
    return content


def _read_arrays(path: str, content: bytes) -> dict[str, np.ndarray]:
    """Read every member of the archive, each only after its header passed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise MotionError(f"{path}: an array is stored twice; write the file again with numpy.savez")
            arrays: dict[str, np.ndarray] = {}
            for member in (name for name in names if name.endswith(".npy")):
                left = MAX_BYTES - sum(array.nbytes for array in arrays.values())
                arrays[member.removesuffix(".npy")] = _read_array(path, archive, member, left)
            return arrays
    except zipfile.BadZipFile:
        kind = "a truncated or damaged .npz file" if content[:2] == b"PK" else "not an .npz file"
        raise MotionError(f"{path}: {kind}; {_NOT_A_CLIP}") from None
    except MotionError:
        raise
    except Exception as error:  # zlib, zip and NumPy raise many kinds on damaged data
        raise MotionError(f"{path}: damaged file ({error}); write it again with numpy.savez") from None


def _read_array(path: str, archive: zipfile.ZipFile, member: str, limit: int) -> np.ndarray:
    name = member.removesuffix(".npy")
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read_header is None:
            raise MotionError(f"{path}: '{name}' has the unknown NumPy format {version}; save it with numpy.savez")
        shape, fortran_order, dtype = read_header(stream)
        if dtype.hasobject:
            raise MotionError(
                f"{path}: '{name}' holds pickled Python objects, which are never loaded; expected plain numbers or "
                "strings: convert it, for example with numpy.asarray(x, dtype=numpy.float32), and save it again"
            )
        if any(length < 0 for length in shape):
            raise MotionError(f"{path}: '{name}' declares the shape {shape}; write the file again with numpy.savez")
        size = math.prod(shape) * dtype.itemsize
        if size > limit:
            raise MotionError(
                f"{path}: '{name}' declares {size / 2**30:.1f} GiB; the limit is {MAX_BYTES / 2**30:.0f} GiB for all arrays "
                "together: split the file"
            )
        data = stream.read(size)
        if len(data) < size:
            raise MotionError(f"{path}: '{name}' is cut short ({len(data)} of {size} bytes); copy the file again")
    array = np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran_order else "C")
    return array.astype(dtype.newbyteorder("="))


def _check_numbers(path: str, name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """Check rank, shape, dtype and finiteness; returns float32."""
    expected = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
    if array.ndim != len(shape) or any(n is not None and n != found for n, found in zip(shape, array.shape)):
        raise MotionError(f"{path}: '{name}' has shape {array.shape}; expected {expected}")
    if array.dtype.kind != "f":
        raise MotionError(f"{path}: '{name}' has dtype {array.dtype}; expected floating point numbers")
    bad = ~(np.abs(array) <= LARGEST)  # NaN is not smaller
    if bad.any():
        frame, column = np.unravel_index(bad.argmax(), bad.shape)
        raise MotionError(
            f"{path}: '{name}' holds {int(bad.sum())} values that are NaN, infinite or beyond {LARGEST:g}, the first in "
            f"frame {frame}, column {column}: {array[frame, column]:g}; expected a robot's: cut or repair those frames"
        )
    return array.astype(np.float32)


def _check_states(path: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    if "amp_states" not in arrays:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise MotionError(f"{path}: no array 'amp_states'; found {found}. {_NOT_A_CLIP.capitalize()}")
    states = arrays["amp_states"]
    if states.ndim != 2:
        raise MotionError(f"{path}: 'amp_states' has shape {states.shape}; expected (frames, features)")
    if 0 in states.shape:
        raise MotionError(f"{path}: 'amp_states' is empty, shape {states.shape}; expected (frames, features)")
    return _check_numbers(path, "amp_states", states, (None, None))


def _check_version(path: str, version: np.ndarray | None) -> None:
    if version is not None and not (
        version.size == 1 and version.dtype.kind in "iu" and version.reshape(()) <= FORMAT_VERSION
    ):
        found = version.reshape(()) if version.size == 1 else f"of shape {version.shape}"
        raise MotionError(f"{path}: 'format_version' is {found}; this amp_runner reads up to {FORMAT_VERSION}: update it")


def _check_dt(path: str, dt: np.ndarray | None) -> float | None:
    if dt is None:
        return None
    if dt.size != 1 or dt.dtype.kind not in "fiu" or not 0 < float(dt.reshape(())) <= 1:
        found = repr(dt.tolist()) if dt.size == 1 else f"{dt.dtype} of shape {dt.shape}"
        raise MotionError(f"{path}: 'dt' is {found}; expected one positive number of seconds, at most 1, such as 0.02")
    return float(dt.reshape(()))


def _check_clip_lengths(path: str, lengths: np.ndarray | None, num_frames: int) -> np.ndarray:
    if lengths is None:
        return np.array([num_frames])
    ok = lengths.ndim == 1 and lengths.dtype.kind in "iu" and len(lengths) and (lengths > 0).all()
    if not ok or lengths.max() > num_frames or int(lengths.sum()) != num_frames:  # sums of larger ones wrap around
        raise MotionError(
            f"{path}: 'clip_lengths' is {np.array2string(lengths, threshold=6)}; expected positive whole numbers that "
            f"sum to the {num_frames} frames of 'amp_states'"
        )
    return lengths.astype(np.int64)


def _strings(path: str, name: str, arrays: dict[str, np.ndarray]) -> tuple[str, ...] | None:
    array = arrays.get(name)
    if array is None:
        return None
    if array.ndim != 1 or array.dtype.kind not in "US" or len(array) > _MOST_STRINGS:
        raise MotionError(
            f"{path}: '{name}' is {array.dtype} of shape {array.shape}; expected a list of strings, at most {_MOST_STRINGS}"
        )
    return tuple(_text(value) for value in array.tolist())


def _string(path: str, name: str, arrays: dict[str, np.ndarray]) -> str:
    array = arrays.get(name)
    if array is None:
        return ""
    if array.size != 1 or array.dtype.kind not in "US":
        raise MotionError(f"{path}: '{name}' is {array.dtype} of shape {array.shape}; expected one string")
    return _text(array.reshape(()).item())


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
