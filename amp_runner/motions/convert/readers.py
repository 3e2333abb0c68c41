"""Readers of foreign motion files. None of them executes anything that a file contains."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motions.clip import MAX_BYTES, read_bytes, read_npz
from amp_runner.motions.convert.safe_pickle import load_plain_pickle
from amp_runner.motions.convert.trajectory import Trajectory, to_xyzw, without_repeats


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


def read_trajectory(path: str, kind: str | None = None, options: ReadOptions | None = None) -> Trajectory:
    """Read a motion file.

    Args:
        path: the file.
        kind: one of :data:`READERS`; None: detected from the file's name and contents.
        options: what the file does not store.

    Raises:
        MotionError: the file cannot be read, or not as this kind.
    """
    kind = kind or _kind_of(path)
    return without_repeats(READERS[kind](path, options or ReadOptions()))


def _read_poses_npz(path: str, options: ReadOptions) -> Trajectory:
    """Root pose and joint trajectories: ``root_pos``, ``root_quat``, ``joint_pos``, ``joint_names``, ``fps`` or ``dt``."""
    arrays = read_npz(path)
    root = _numbers(path, arrays, "root_pos"), _numbers(path, arrays, "root_quat")
    return _assemble(path, arrays, options, root, ("joint_pos", "joint_names"))


def _read_isaaclab_npz(path: str, options: ReadOptions) -> Trajectory:
    """Isaac Lab's motions (``humanoid_walk.npz``): bodies and degrees of freedom, quaternions wxyz."""
    arrays = read_npz(path)
    if "body_names" not in arrays:
        raise MotionError(f"{path}: no array 'body_names'; found {', '.join(sorted(arrays))}")
    bodies = [str(name) for name in np.atleast_1d(arrays["body_names"])]
    body = _root_index(path, bodies, options)
    position, rotation = (_numbers(path, arrays, name, rank=3)[:, body] for name in ("body_positions", "body_rotations"))
    root = position, rotation
    return _assemble(path, arrays, options, root, ("dof_positions", "dof_names"), "wxyz", f"root body {bodies[body]}")


def _read_tracking_npz(path: str, options: ReadOptions) -> Trajectory:
    """BeyondMimic's and mjlab's tracking motions: ``joint_pos``, ``body_pos_w``, ``body_quat_w`` (wxyz), ``fps``."""
    arrays = read_npz(path)
    position, rotation = (_numbers(path, arrays, name, rank=3)[:, 0] for name in ("body_pos_w", "body_quat_w"))
    root = position, rotation
    return _assemble(path, arrays, options, root, ("joint_pos", "joint_names"), "wxyz", "root is body 0")


def _assemble(
    path: str,
    arrays: dict[str, np.ndarray],
    options: ReadOptions,
    root: tuple[np.ndarray, np.ndarray],
    joints: tuple[str, str],
    convention: str = "auto",
    note: str = "",
) -> Trajectory:
    """A trajectory from the root's positions and quaternions and the arrays with the joints' positions and names.

    ``convention`` is the quaternion order of this kind of file; the options override it.
    """
    quat, quat_note = to_xyzw(path, root[1], convention if options.quat == "auto" else options.quat)
    return Trajectory(
        path=path,
        root_pos=root[0],
        root_quat=quat,
        joint_pos=_numbers(path, arrays, joints[0]),
        joint_names=_names(path, arrays.get(joints[1]), options),
        dt=_dt(path, arrays, options),
        note="; ".join(filter(None, [note, quat_note])),
    )


def _read_csv(path: str, options: ReadOptions) -> Trajectory:
    """A table: x, y, z, a quaternion, then joint positions; with a header line that names the joints, or without."""
    try:
        rows = [row for row in csv.reader(io.StringIO(read_bytes(path).decode())) if row]
        header = None if not rows or _is_number(rows[0][0]) else [cell.strip() for cell in rows.pop(0)]
        table = np.array([[float(cell) for cell in row] for row in rows])
    except (csv.Error, ValueError) as error:
        raise MotionError(f"{path}: not a table of numbers: {error}") from None
    if table.ndim != 2 or table.shape[1] < 8:
        raise MotionError(f"{path}: has shape {table.shape}; expected columns x, y, z, a quaternion, and joint positions")
    if header and re.fullmatch(r"t|time.*|frame.*|index|", header[0].lower()):
        raise MotionError(f"{path}: its first column is '{header[0]}'; expected the root's x: remove that column")
    names = _names(path, np.array(header[7:]) if header else None, options)
    quat, note = to_xyzw(path, table[:, 3:7], options.quat if options.quat != "auto" else _order_in_header(header) or "auto")
    return Trajectory(path, table[:, :3], quat, table[:, 7:], names, _dt(path, {}, options), note)


def _read_amp_rsl_rl(path: str, options: ReadOptions) -> Trajectory:
    """amp-rsl-rl's pickled dictionaries (.npy): ``joints_list``, ``joint_positions``, ``root_position`` and so on."""
    data = load_plain_pickle(path)
    if isinstance(data, np.ndarray) and data.shape == ():
        data = data.item()
    if not isinstance(data, dict):
        raise MotionError(f"{path}: holds {type(data).__name__}; expected a dictionary as amp-rsl-rl writes it")
    arrays = {name: _array(path, name, value) for name, value in data.items()}
    root = _numbers(path, arrays, "root_position"), _numbers(path, arrays, "root_quaternion")
    return _assemble(path, arrays, options, root, ("joint_positions", "joints_list"), "xyzw")


def _read_legged_gym(path: str, options: ReadOptions) -> Trajectory:
    """legged_gym's AMP motions (JSON in a .txt): frames of root position, quaternion (xyzw), joint positions, and more."""
    try:
        data = json.loads(read_bytes(path))
        frames = np.array(data["Frames"], dtype=float)
        duration = 1 / options.fps if options.fps else float(data["FrameDuration"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MotionError(
            f"{path}: not a legged_gym motion ({type(error).__name__}: {error}); expected JSON with 'FrameDuration' and "
            "'Frames'"
        ) from None
    names = _names(path, None, options)
    if frames.ndim != 2 or frames.shape[1] < 7 + len(names):
        raise MotionError(f"{path}: 'Frames' has shape {frames.shape}; expected at least {7 + len(names)} numbers a frame")
    quat, note = to_xyzw(path, frames[:, 3:7], "xyzw" if options.quat == "auto" else options.quat)
    return Trajectory(path, frames[:, :3], quat, frames[:, 7 : 7 + len(names)], names, duration, note)


READERS: dict[str, Callable[[str, ReadOptions], Trajectory]] = {
    "poses": _read_poses_npz,
    "isaaclab": _read_isaaclab_npz,
    "tracking": _read_tracking_npz,
    "csv": _read_csv,
    "amp-rsl-rl": _read_amp_rsl_rl,
    "legged-gym": _read_legged_gym,
}
"""Kinds of motion files and how each is read."""


def _kind_of(path: str) -> str:
    suffix = Path(path).suffix
    by_suffix = {".csv": "csv", ".npy": "amp-rsl-rl", ".txt": "legged-gym", ".json": "legged-gym"}
    if suffix in by_suffix:
        return by_suffix[suffix]
    if suffix != ".npz":
        raise MotionError(f"{path}: unknown kind of file; expected .npz, .csv, .npy or .txt, or choose one with --kind")
    names = set(read_npz(path))
    for kind, needed in (("isaaclab", "body_rotations"), ("tracking", "body_quat_w"), ("poses", "root_quat")):
        if needed in names:
            return kind
    if "amp_states" in names:
        raise MotionError(f"{path}: is a clip already; nothing to convert")
    raise MotionError(
        f"{path}: holds {', '.join(sorted(names))}; expected root_pos, root_quat, joint_pos, joint_names and fps, or the "
        "arrays of Isaac Lab's or BeyondMimic's motions"
    )


def _array(path: str, name: str, value: Any) -> np.ndarray:
    """Rows of numbers, or names, as an array."""
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


def _numbers(path: str, arrays: dict[str, np.ndarray], name: str, rank: int = 2) -> np.ndarray:
    if name not in arrays:
        raise MotionError(f"{path}: no array '{name}'; found {', '.join(sorted(arrays))}")
    array = arrays[name]
    if array.ndim != rank or array.dtype.kind not in "fiu":
        raise MotionError(f"{path}: '{name}' is {array.dtype} of shape {array.shape}; expected numbers with {rank} axes")
    return array.astype(float)


def _names(path: str, stored: np.ndarray | None, options: ReadOptions) -> tuple[str, ...]:
    if options.joint_names is not None:
        return options.joint_names
    if stored is None:
        raise MotionError(f"{path}: has no joint names; pass them, in order, with --joint_names")
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in np.atleast_1d(stored).tolist())


def _dt(path: str, arrays: dict[str, np.ndarray], options: ReadOptions) -> float:
    for value, invert in ((options.fps, True), (arrays.get("dt"), False), (arrays.get("fps"), True)):
        if value is None:
            continue
        number = np.asarray(value)
        if number.size != 1 or number.dtype.kind not in "fiu" or not float(number.reshape(())) > 0:
            raise MotionError(f"{path}: its frame rate is {number.tolist()!r}; expected a positive number")
        return 1.0 / float(number.reshape(())) if invert else float(number.reshape(()))
    raise MotionError(f"{path}: has no frame rate; pass it with --fps")


def _root_index(path: str, bodies: Sequence[str], options: ReadOptions) -> int:
    if options.root_body is None:
        return 0
    if options.root_body not in bodies:
        raise MotionError(f"{path}: no body '{options.root_body}'; it has {', '.join(bodies)}")
    return bodies.index(options.root_body)


def _order_in_header(header: list[str] | None) -> str | None:
    """The quaternion's order, if the header's columns end with its letters (``root_qx`` or ``qw``)."""
    if header is None:
        return None
    letters = "".join(name[-1:].lower() for name in header[3:7])
    return letters if letters in ("xyzw", "wxyz") else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
