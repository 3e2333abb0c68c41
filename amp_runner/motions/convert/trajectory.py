"""A robot's motion as positions over time, and its AMP states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from scipy.interpolate import CubicSpline
from scipy.signal import savgol_coeffs, savgol_filter
from scipy.spatial.transform import Rotation, Slerp

from amp_runner.errors import MotionError
from amp_runner.motions.clip import Motion
from amp_runner.state import AMPStateSpec, amp_state

SMOOTHING_TIME = 0.1
"""Default length of the window that positions are smoothed over [s]."""
_AMBIGUITY = 0.05
_MOST_COPIES = 4


@dataclass(frozen=True)
class Trajectory:
    """Root poses and joint positions over time."""

    path: str
    root_pos: np.ndarray
    """Position of the root link in the world, (T, 3) [m]."""
    root_quat: np.ndarray
    """Orientation of the root link in the world, xyzw, (T, 4)."""
    joint_pos: np.ndarray
    """Joint positions, (T, J) [rad]."""
    joint_names: tuple[str, ...]
    dt: float
    """Time between two frames [s]."""
    note: str = ""
    """What the reader detected or assumed; shown to the user."""

    def __post_init__(self) -> None:
        """Check shapes and values."""
        frames, joints = len(self.root_pos), len(self.joint_names)
        for name, array, shape in (
            ("root positions", self.root_pos, (frames, 3)),
            ("root orientations", self.root_quat, (frames, 4)),
            ("joint positions", self.joint_pos, (frames, joints)),
        ):
            if array.shape != shape:
                raise MotionError(f"{self.path}: {name} have shape {array.shape}; expected {shape}")
            if not np.isfinite(array).all():
                raise MotionError(f"{self.path}: {name} hold NaN or infinite values; expected finite numbers")
        if not np.isfinite(self.dt) or self.dt <= 0:
            raise MotionError(f"{self.path}: the time step is {self.dt}; expected a positive number of seconds")
        norms = np.linalg.norm(self.root_quat, axis=1)
        if frames and (np.abs(norms - 1) > 0.05).any():
            raise MotionError(
                f"{self.path}: root orientations have norms from {norms.min():.3f} to {norms.max():.3f}; expected 1"
            )


def without_repeats(trajectory: Trajectory) -> Trajectory:
    """Drop repeated frames, as written by an exporter that raised the frame rate by copying.

    Differences of such frames alternate between zero and a multiple of the true velocity.
    """
    table = np.hstack([trajectory.root_pos, trajectory.root_quat, trajectory.joint_pos])
    changes = (table[1:] != table[:-1]).any(axis=1)
    for times in range(_MOST_COPIES, 1, -1):
        # Copies come in groups of this size. A robot at rest never changes, which proves nothing.
        inside = np.arange(1, len(table)) % times != 0
        if changes[~inside].any() and changes[~inside].mean() > 0.5 and not changes[inside].any():
            note = f"every frame is stored {times} times: kept one of each, {1 / (times * trajectory.dt):g} per second"
            return replace(
                trajectory,
                root_pos=trajectory.root_pos[::times],
                root_quat=trajectory.root_quat[::times],
                joint_pos=trajectory.joint_pos[::times],
                dt=times * trajectory.dt,
                note="; ".join(filter(None, [trajectory.note, note])),
            )
    return trajectory


def to_xyzw(path: str, quat: np.ndarray, order: str) -> tuple[np.ndarray, str]:
    """Convert quaternions (T, 4) to the order xyzw.

    Args:
        path: file, for the error line.
        quat: quaternions of a robot that is upright most of the time.
        order: ``xyzw``, ``wxyz``, or ``auto``: the order in which the robot is more upright.

    Returns:
        The quaternions, and a note on the detected order.

    Raises:
        MotionError: the order is ambiguous.
    """
    wxyz = quat[:, [1, 2, 3, 0]]
    # How far the body's z axis points up: 1 - 2 (x^2 + y^2).
    upright = {name: float((1 - 2 * (q[:, :2] ** 2).sum(axis=1)).mean()) for name, q in (("xyzw", quat), ("wxyz", wxyz))}
    if order == "auto":
        if abs(upright["xyzw"] - upright["wxyz"]) < _AMBIGUITY:
            raise MotionError(f"{path}: xyzw and wxyz fit the quaternions equally well: choose one with --quat")
        order = max(upright, key=lambda name: upright[name])
        note = f"quaternions detected as {order} (upright {upright[order]:.2f})"
    else:
        other = "wxyz" if order == "xyzw" else "xyzw"
        suspicious = upright[order] < 0 < upright[other]
        note = f"quaternions read as {order}" + (f", but as {other} the robot would be upright" if suspicious else "")
    return (quat if order == "xyzw" else wxyz), note


def map_joints(trajectory: Trajectory, joint_names: tuple[str, ...], mapping: dict[str, Any] | None = None) -> Trajectory:
    """Reorder joints by name; other joints are dropped.

    Args:
        trajectory: the motion.
        joint_names: target joints, in order.
        mapping: for joints with another name or zero in the file: ``{target: source}`` or
            ``{target: {"from": source, "sign": -1, "offset": 0.1}}`` [rad]; the offset is added last.

    Raises:
        MotionError: a joint is missing, or the mapping is malformed.
    """
    columns = []
    for name in joint_names:
        entry = (mapping or {}).get(name, name)
        entry = {"from": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, dict) or set(entry) - {"from", "sign", "offset"} or entry.get("sign", 1) not in (1, -1):
            raise MotionError(f"joint map: '{name}' is {entry!r}; expected a name, or from, sign (1 or -1) and offset")
        source = entry.get("from", name)
        if source not in trajectory.joint_names:
            raise MotionError(
                f"{trajectory.path}: no joint '{source}' for '{name}'; it has {', '.join(trajectory.joint_names)}: name the "
                "right one in a joint map (--joint_map FILE.yaml)"
            )
        column = trajectory.joint_pos[:, trajectory.joint_names.index(source)]
        columns.append(float(entry.get("sign", 1)) * column + float(entry.get("offset", 0.0)))
    return replace(trajectory, joint_pos=np.stack(columns, axis=1), joint_names=joint_names)


def read_joint_map(path: str | Path) -> dict[str, Any]:
    """Read a joint map (.yaml), see :func:`map_joints`.

    Raises:
        MotionError: it cannot be read.
    """
    try:
        mapping = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise MotionError(f"{path}: cannot be read as a joint map: {str(error).splitlines()[0]}") from None
    if not isinstance(mapping, dict):
        raise MotionError(f"{path}: holds {type(mapping).__name__}; expected lines such as 'left_knee_joint: L_KNEE'")
    return mapping


def to_motion(
    trajectory: Trajectory,
    spec: AMPStateSpec,
    out: str,
    *,
    dt: float | None = None,
    smoothing: float = SMOOTHING_TIME,
    height_offset: float = 0.0,
    licence: str = "",
) -> Motion:
    """Compute the AMP states of a trajectory: resample, smooth, differentiate.

    Positions are resampled by cubic splines, orientations by spherical interpolation. Velocities are the derivatives of the
    polynomials that the smoothing fits (Savitzky and Golay 1964); the angular velocity is that of the rotation vectors
    (quaternion logarithms) from each frame to its neighbours.

    Args:
        trajectory: the motion, its joints those of ``spec``.
        spec: layout of the states.
        out: path of the clip.
        dt: time step of the clip [s]; None: the trajectory's.
        smoothing: length of the smoothing window [s]; 0: no smoothing, central differences.
        height_offset: added to the root's height [m].
        licence: licence of the motion.

    Raises:
        MotionError: the trajectory is too short, or its joints are others.
    """
    if trajectory.joint_names != spec.joint_names:
        raise MotionError(f"{trajectory.path}: its joints are {trajectory.joint_names}; expected {spec.joint_names}")
    if len(trajectory.root_pos) < 4:
        raise MotionError(f"{trajectory.path}: has {len(trajectory.root_pos)} frames; a clip needs at least 4")
    dt = dt or trajectory.dt
    times = np.arange(len(trajectory.root_pos)) * trajectory.dt
    at = np.arange(int(np.floor(times[-1] / dt + 1e-6)) + 1) * dt
    at[-1] = min(at[-1], times[-1])
    if len(at) < 4:
        raise MotionError(
            f"{trajectory.path}: lasts {times[-1]:.3f} s, {len(at)} frames of {dt:g} s; a clip needs at least 4"
        )
    window = _window(smoothing, dt, len(at))
    root_pos, root_vel = _smooth(CubicSpline(times, trajectory.root_pos)(at), window, dt)
    joint_pos, joint_vel = _smooth(CubicSpline(times, trajectory.joint_pos)(at), window, dt)
    rotation, angular = _smooth_rotation(Slerp(times, Rotation.from_quat(trajectory.root_quat))(at), window, dt)
    root_height = root_pos[:, 2] + height_offset
    columns = (root_height, rotation.as_quat(), joint_pos, root_vel, angular, joint_vel)
    tensors = [torch.from_numpy(np.ascontiguousarray(column)) for column in columns]
    states = amp_state(*tensors, orientation=spec.orientation, velocity_frame=spec.velocity_frame)
    return Motion(
        path=out,
        states=states.float().numpy(),
        clip_lengths=np.array([len(at)]),
        dt=dt,
        joint_names=spec.joint_names,
        layout=spec.layout,
        velocity_frame=spec.velocity_frame,
        source=f"converted from {Path(trajectory.path).name}",
        licence=licence,
    )


def _window(smoothing: float, dt: float, frames: int) -> tuple[int, int]:
    """Return the odd number of frames in a smoothing window, and the order of its polynomial."""
    window = min(2 * round(0.5 * smoothing / dt) + 1, frames - 1 + frames % 2)
    # A parabola through three points does not smooth: its slope is the central difference.
    return (window, 3) if window > 4 else (3, 2)


def _smooth(values: np.ndarray, window: tuple[int, int], dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Return smoothed values (T, n) and their derivatives."""
    return (
        np.asarray(savgol_filter(values, *window, axis=0)),
        np.asarray(savgol_filter(values, *window, deriv=1, delta=dt, axis=0)),
    )


def _smooth_rotation(rotation: Rotation, window: tuple[int, int], dt: float) -> tuple[Rotation, np.ndarray]:
    """Return smoothed orientations and their angular velocities in the world frame, (T, 3) [rad/s].

    The same polynomials, fitted to the rotation vectors from each frame to those around it.
    """
    length, half = window[0], window[0] // 2
    padded = _extended(rotation, half)
    here = rotation.inv()
    around = np.stack([(here * padded[k : k + len(rotation)]).as_rotvec() for k in range(length)])
    value, slope = (savgol_coeffs(*window, deriv=d, delta=dt, use="dot") for d in (0, 1))
    smoothed = rotation * Rotation.from_rotvec(np.tensordot(value, around, axes=1))
    return smoothed, smoothed.apply(np.tensordot(slope, around, axes=1))


def _extended(rotation: Rotation, count: int) -> Rotation:
    """Extrapolate the first and last rotation step by ``count`` frames before and after."""
    first, last = (rotation[0] * rotation[1].inv()).as_rotvec(), (rotation[-1] * rotation[-2].inv()).as_rotvec()
    steps = np.arange(1, count + 1)[:, None]
    before = Rotation.from_rotvec(steps[::-1] * first) * rotation[0]
    after = Rotation.from_rotvec(steps * last) * rotation[-1]
    return Rotation.concatenate([before, rotation, after])
