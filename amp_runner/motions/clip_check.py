"""Checks of the arrays of a clip file, which are untrusted."""

from __future__ import annotations

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motions.npz import NOT_A_CLIP

FORMAT_VERSION = 1
MAX_ABS_VALUE = 1e6
"""Larger numbers are rejected: no robot produces them, and their squares would spoil the discriminator's statistics."""
_MAX_STRINGS = 1000


def check_numbers(path: str, name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """Check rank, shape, dtype and finiteness; returns float32.

    Raises:
        MotionError: the array is malformed.
    """
    expected = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
    if array.ndim != len(shape) or any(n is not None and n != found for n, found in zip(shape, array.shape)):
        raise MotionError(f"{path}: '{name}' has shape {array.shape}; expected {expected}")
    if array.dtype.kind != "f":
        raise MotionError(f"{path}: '{name}' has dtype {array.dtype}; expected floating point numbers")
    bad = ~(np.abs(array) <= MAX_ABS_VALUE)  # NaN compares False
    if bad.any():
        frame, column = np.unravel_index(bad.argmax(), bad.shape)
        raise MotionError(
            f"{path}: '{name}' holds {int(bad.sum())} values that are NaN, infinite or beyond {MAX_ABS_VALUE:g}, the first "
            f"in frame {frame}, column {column}: {array[frame, column]:g}; cut or repair those frames"
        )
    return array.astype(np.float32)


def check_states(path: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return ``amp_states`` as float32, (T, D).

    Raises:
        MotionError: the array is malformed.
    """
    if "amp_states" not in arrays:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise MotionError(f"{path}: no array 'amp_states'; found {found}. {NOT_A_CLIP.capitalize()}")
    states = arrays["amp_states"]
    if states.ndim != 2:
        raise MotionError(f"{path}: 'amp_states' has shape {states.shape}; expected (frames, features)")
    if 0 in states.shape:
        raise MotionError(f"{path}: 'amp_states' is empty, shape {states.shape}; expected (frames, features)")
    return check_numbers(path, "amp_states", states, (None, None))


def check_version(path: str, version: np.ndarray | None) -> None:
    """Check that this version reads the format.

    Raises:
        MotionError: the array is malformed.
    """
    if version is not None and not (
        version.size == 1 and version.dtype.kind in "iu" and version.reshape(()) <= FORMAT_VERSION
    ):
        found = version.reshape(()) if version.size == 1 else f"of shape {version.shape}"
        raise MotionError(f"{path}: 'format_version' is {found}; this amp_runner reads up to {FORMAT_VERSION}: update it")


def check_dt(path: str, dt: np.ndarray | None) -> float | None:
    """Return the time step [s], or None.

    Raises:
        MotionError: the array is malformed.
    """
    if dt is None:
        return None
    if dt.size != 1 or dt.dtype.kind not in "fiu" or not 0 < float(dt.reshape(())) <= 1:
        found = repr(dt.tolist()) if dt.size == 1 else f"{dt.dtype} of shape {dt.shape}"
        raise MotionError(f"{path}: 'dt' is {found}; expected one positive number of seconds, at most 1, such as 0.02")
    return float(dt.reshape(()))


def check_clip_lengths(path: str, lengths: np.ndarray | None, num_frames: int) -> np.ndarray:
    """Return the frames of each clip, (C,); without any, of one clip.

    Raises:
        MotionError: the array is malformed.
    """
    if lengths is None:
        return np.array([num_frames])
    ok = lengths.ndim == 1 and lengths.dtype.kind in "iu" and len(lengths) and (lengths > 0).all()
    if not ok or lengths.max() > num_frames or int(lengths.sum()) != num_frames:  # sums of larger ones wrap around
        raise MotionError(
            f"{path}: 'clip_lengths' is {np.array2string(lengths, threshold=6)}; expected positive whole numbers that "
            f"sum to the {num_frames} frames of 'amp_states'"
        )
    return lengths.astype(np.int64)


def read_strings(path: str, name: str, arrays: dict[str, np.ndarray]) -> tuple[str, ...] | None:
    """Return a list of strings, or None.

    Raises:
        MotionError: the array is malformed.
    """
    array = arrays.get(name)
    if array is None:
        return None
    if array.ndim != 1 or array.dtype.kind not in "US" or len(array) > _MAX_STRINGS:
        raise MotionError(
            f"{path}: '{name}' is {array.dtype} of shape {array.shape}; expected a list of strings, at most {_MAX_STRINGS}"
        )
    return tuple(_text(value) for value in array.tolist())


def read_string(path: str, name: str, arrays: dict[str, np.ndarray]) -> str:
    """Return one string; without it, an empty one.

    Raises:
        MotionError: the array is malformed.
    """
    array = arrays.get(name)
    if array is None:
        return ""
    if array.size != 1 or array.dtype.kind not in "US":
        raise MotionError(f"{path}: '{name}' is {array.dtype} of shape {array.shape}; expected one string")
    return _text(array.reshape(()).item())


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
