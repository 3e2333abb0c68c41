"""What the user knows about a motion file, and helpers that the readers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motions.convert.trajectory import BodyPositions, Trajectory, to_xyzw
from amp_runner.motions.npz import MAX_BYTES

MAX_RATE = 10_000.0
"""Largest frame rate [Hz]."""


@dataclass(frozen=True)
class ReadOptions:
    """What the user knows about a file that does not store it."""

    joint_names: tuple[str, ...] | None = None
    """Names of the joint columns, in order."""
    fps: float | None = None
    """Frames a second."""
    quat: str = "auto"
    """Order of quaternions: xyzw, wxyz, or auto."""
    root_body: str | None = None
    """Body that is the root, for files with many; None: the first."""


def assemble(
    path: str,
    arrays: Mapping[str, Any],
    options: ReadOptions,
    root: tuple[np.ndarray, np.ndarray],
    joints: tuple[str, str],
    convention: str = "auto",
    note: str = "",
    bodies: BodyPositions | None = None,
) -> Trajectory:
    """A trajectory from the root's positions and quaternions and the arrays with the joints' positions and names.

    ``convention`` is the quaternion order of this kind of file; the options override it.
    """
    quat, quat_note = to_xyzw(path, root[1], convention if options.quat == "auto" else options.quat)
    return Trajectory(
        path=path,
        root_pos=root[0],
        root_quat=quat,
        joint_pos=numbers(path, arrays, joints[0]),
        joint_names=joint_names(arrays.get(joints[1]), options),
        dt=time_step(path, arrays, options),
        note="; ".join(filter(None, [note, quat_note])),
        bodies=bodies,
    )


def numbers(path: str, arrays: Mapping[str, Any], name: str, rank: int = 2) -> np.ndarray:
    """Return the array ``name`` as floating point numbers.

    Raises:
        MotionError: it is missing, has another rank, or holds no numbers.
    """
    if name not in arrays:
        raise MotionError(f"{path}: no array '{name}'; found {', '.join(sorted(map(str, arrays)))}")
    array = np.asarray(arrays[name])
    if array.ndim != rank or array.dtype.kind not in "fiu":
        raise MotionError(f"{path}: '{name}' is {array.dtype} of shape {array.shape}; expected numbers with {rank} axes")
    return array.astype(float)


def joint_names(stored: Any, options: ReadOptions) -> tuple[str, ...] | None:
    """Return the names that the user gives, else the stored ones, else None."""
    if options.joint_names is not None:
        return options.joint_names
    return None if stored is None else texts(stored)


def texts(stored: Any) -> tuple[str, ...]:
    """Return names, stored as text or bytes."""
    names = np.atleast_1d(stored).tolist()
    return tuple(name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in names)


def time_step(path: str, arrays: Mapping[str, Any], options: ReadOptions) -> float:
    """Return the time between two frames [s]: of the user's frame rate, else of ``dt`` or ``fps`` in the file.

    Raises:
        MotionError: it is unknown, or no plausible number.
    """
    for value, invert in ((options.fps, True), (arrays.get("dt"), False), (arrays.get("fps"), True)):
        if value is None:
            continue
        number = table(path, "frame rate", value)
        if number.size != 1 or number.dtype.kind not in "fiu" or not float(number.reshape(())) > 0:
            raise MotionError(f"{path}: its frame rate is {number.tolist()!r}; expected a positive number")
        dt = 1.0 / float(number.reshape(())) if invert else float(number.reshape(()))
        return check_time_step(path, dt)
    raise MotionError(f"{path}: has no frame rate; pass it with --fps")


def check_time_step(path: str, dt: float) -> float:
    """Return ``dt`` [s].

    Raises:
        MotionError: no motion has such a frame rate.
    """
    if not 1 / MAX_RATE <= dt <= 1.0:
        raise MotionError(
            f"{path}: its time step is {dt:g} s; expected {1 / MAX_RATE:g} to 1: pass the frame rate with --fps"
        )
    return dt


def table(path: str, name: str, value: Any) -> np.ndarray:
    """Rows of numbers, or names, as an array.

    Raises:
        MotionError: it is no table.
    """
    try:
        if isinstance(value, np.ndarray) and value.dtype.hasobject:
            value = list(value)
        if isinstance(value, (list, tuple)):
            _check_rows(value)
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise MotionError(f"{path}: '{name}' is no table of numbers: {error}") from None


def _check_rows(rows: Sequence[Any]) -> None:
    """Refuse lists in lists in lists: a few bytes of them, each shared many times, fill any memory as an array."""
    distinct = {id(row): row for row in rows if isinstance(row, (list, tuple))}.values()
    width = max(map(len, distinct), default=1)
    if len(rows) * width * 8 > MAX_BYTES:
        raise ValueError(f"{len(rows)} rows of {width} are more than a motion")
    if any(isinstance(cell, (list, tuple, dict, np.ndarray)) for row in distinct for cell in row):
        raise ValueError("a row holds more than numbers")
