"""Readers of text files: tables (.csv) and frames in JSON (.txt)."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import MotionError
from amp_runner.motions.convert.options import ReadOptions, check_time_step, joint_names, time_step
from amp_runner.motions.convert.trajectory import BodyPositions, Trajectory, to_xyzw
from amp_runner.motions.npz import A_MOTION, read_bytes


def read_csv(path: str, options: ReadOptions) -> Trajectory:
    """A table: x, y, z, a quaternion, then joint positions; with a header line that names the joints, or without."""
    try:
        rows = [row for row in csv.reader(io.StringIO(read_bytes(path, A_MOTION).decode())) if row]
        header = None if not rows or _is_number(rows[0][0]) else [cell.strip() for cell in rows.pop(0)]
        values = np.array([[float(cell) for cell in row] for row in rows])
    except MotionError:
        raise
    except (csv.Error, ValueError) as error:
        raise MotionError(f"{path}: not a table of numbers: {error}") from None
    if values.ndim != 2 or values.shape[1] < 8:
        raise MotionError(f"{path}: has shape {values.shape}; expected columns x, y, z, a quaternion, and joint positions")
    if header and re.fullmatch(r"t|time.*|frame.*|index|", header[0].lower()):
        raise MotionError(f"{path}: its first column is '{header[0]}'; expected the root's x: remove that column")
    names = joint_names(np.array(header[7:]) if header else None, options)
    order = options.quat if options.quat != "auto" else _order_in_header(header) or "auto"
    quat, note = to_xyzw(path, values[:, 3:7], order)
    return Trajectory(path, values[:, :3], quat, values[:, 7:], names, time_step(path, {}, options), note)


def read_legged_gym(path: str, options: ReadOptions) -> Trajectory:
    """legged_gym's AMP motions: frames of root position, quaternion (xyzw), joint positions, feet, velocities."""
    frames, dt, is_loop = _read_frames(path, options)
    count = _joint_count(path, frames, options, root=7)
    quat, note = to_xyzw(path, frames[:, 3:7], "xyzw" if options.quat == "auto" else options.quat)
    bodies = None
    if frames.shape[1] == 13 + 2 * count + 2 * _FEET:  # after the joints: feet in the root's frame, then velocities
        bodies = BodyPositions(None, frames[:, 7 + count : 7 + count + _FEET].reshape(len(frames), -1, 3), "root")
    names = joint_names(None, options)
    return Trajectory(path, frames[:, :3], quat, frames[:, 7 : 7 + count], names, dt, note, bodies, is_loop)


def read_tienkung(path: str, options: ReadOptions) -> Trajectory:
    """TienKung-Lab's motions: frames of root position, Euler angles (intrinsic x, y, z), joint positions, velocities."""
    frames, dt, is_loop = _read_frames(path, options)
    count = _joint_count(path, frames, options, root=6)
    quat = Rotation.from_euler("XYZ", frames[:, 3:6]).as_quat()
    names = joint_names(None, options)
    return Trajectory(
        path, frames[:, :3], quat, frames[:, 6 : 6 + count], names, dt, "root as Euler angles x, y, z", None, is_loop
    )


_FEET = 12  # numbers: positions of four feet


def has_quaternions(path: str) -> bool:
    """Whether the frames of a .txt motion hold unit quaternions after the root's position."""
    frames, _, _ = _read_frames(path, ReadOptions(fps=1.0))
    return frames.shape[1] >= 8 and bool(np.allclose(np.linalg.norm(frames[:, 3:7], axis=1), 1.0, atol=0.02))


def _read_frames(path: str, options: ReadOptions) -> tuple[np.ndarray, float, bool]:
    """Return the frames of a JSON motion, its time step [s], and whether it is a cycle."""
    try:
        data: Any = json.loads(read_bytes(path, A_MOTION))
        frames = np.array(data["Frames"], dtype=float)
        dt = 1 / options.fps if options.fps else float(data["FrameDuration"])
        is_loop = data.get("LoopMode") == "Wrap"
    except MotionError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise MotionError(
            f"{path}: not a motion in JSON ({type(error).__name__}: {error}); expected 'FrameDuration' and 'Frames'"
        ) from None
    if frames.ndim != 2 or frames.shape[1] < 7:
        raise MotionError(f"{path}: 'Frames' has shape {frames.shape}; expected rows of a root pose and joint positions")
    return frames, check_time_step(path, dt), is_loop


def _joint_count(path: str, frames: np.ndarray, options: ReadOptions, root: int) -> int:
    """Number of joints: of the user's names, else what the columns leave."""
    columns = frames.shape[1]
    if options.joint_names is not None:
        count = len(options.joint_names)
        if columns < root + count:
            raise MotionError(f"{path}: 'Frames' has shape {frames.shape}; expected at least {root + count} numbers a frame")
        return count
    feet = 2 * _FEET if root == 7 and columns > 6 + root + 2 * _FEET else 0
    rest = columns - root - 6 - feet
    if rest <= 0 or rest % 2:
        raise MotionError(f"{path}: {columns} numbers a frame do not tell the number of joints: pass --joint_names")
    return rest // 2


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
