"""AMP states of a trajectory: resample, smooth, differentiate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from scipy.signal import savgol_coeffs, savgol_filter
from scipy.spatial.transform import Rotation, Slerp

from amp_runner.errors import MotionError
from amp_runner.motions.clip import Motion
from amp_runner.motions.convert.trajectory import Trajectory
from amp_runner.motions.robot_model import RobotModel
from amp_runner.state import AMPStateSpec, amp_state

SMOOTHING_TIME = 0.1
"""Default length of the window that positions are smoothed over [s]."""


def to_motion(
    trajectory: Trajectory,
    spec: AMPStateSpec,
    out: str,
    *,
    dt: float | None = None,
    smoothing: float = SMOOTHING_TIME,
    height_offset: float = 0.0,
    licence: str = "",
    robot: RobotModel | None = None,
) -> Motion:
    """Compute the AMP states of a trajectory, and the command of each frame (:meth:`Motion.frame_commands`).

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
        robot: the robot with the joints of ``spec``, for key bodies and feet.

    Raises:
        MotionError: the trajectory is too short, its joints are others, or the robot is missing.
    """
    if trajectory.joint_names != spec.joint_names:
        raise MotionError(f"{trajectory.path}: its joints are {trajectory.joint_names}; expected {spec.joint_names}")
    dt = dt or trajectory.dt
    times, at = _sample_times(trajectory, dt)
    window = _window(smoothing, dt, len(at))
    root_pos, root_vel = _smooth(CubicSpline(times, trajectory.root_pos)(at), window, dt)
    joint_pos, joint_vel = _smooth(CubicSpline(times, trajectory.joint_pos)(at), window, dt)
    rotation, angular = _smooth_rotation(Slerp(times, Rotation.from_quat(trajectory.root_quat))(at), window, dt)
    root_pos[:, 2] += height_offset
    columns = {
        "root_height": root_pos[:, 2],
        "root_quat": rotation.as_quat(),
        "joint_pos": joint_pos,
        "root_lin_vel": root_vel,
        "root_ang_vel": angular,
        "joint_vel": joint_vel,
    }
    if spec.key_bodies or spec.feet:
        if robot is None:
            raise MotionError(f"{trajectory.path}: key bodies and feet need the robot's model: pass --robot FILE")
        columns |= _body_features(robot, spec, root_pos, rotation, joint_pos, root_vel, dt)
    states = amp_state(
        **{name: _tensor(column) for name, column in columns.items()},  # type: ignore[arg-type]
        velocity_frame=spec.velocity_frame,
        layout=spec.layout,
    )
    motion = Motion.with_spec(
        spec,
        path=out,
        states=states.float().numpy(),
        clip_lengths=np.array([len(at)]),
        dt=dt,
        source=f"converted from {Path(trajectory.path).name}",
        licence=licence,
    )
    has_commands = spec.velocity_frame in ("heading", "body") and {"root_lin_vel", "root_ang_vel"} <= set(spec.layout)
    return replace(motion, commands=motion.frame_commands()) if has_commands else motion


def _sample_times(trajectory: Trajectory, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Times of the trajectory's frames and of the clip's."""
    if len(trajectory.root_pos) < 4:
        raise MotionError(f"{trajectory.path}: has {len(trajectory.root_pos)} frames; a clip needs at least 4")
    times = np.arange(len(trajectory.root_pos)) * trajectory.dt
    at = np.arange(int(np.floor(times[-1] / dt + 1e-6)) + 1) * dt
    at[-1] = min(at[-1], times[-1])
    if len(at) < 4:
        raise MotionError(
            f"{trajectory.path}: lasts {times[-1]:.3f} s, {len(at)} frames of {dt:g} s; a clip needs at least 4"
        )
    return times, at


def _body_features(
    robot: RobotModel,
    spec: AMPStateSpec,
    root_pos: np.ndarray,
    rotation: Rotation,
    joint_pos: np.ndarray,
    root_vel: np.ndarray,
    dt: float,
) -> dict[str, np.ndarray]:
    """Key bodies relative to the root, in the world frame, and contacts of the feet."""
    extra = {}
    if spec.key_bodies:
        positions, _ = robot.body_poses(root_pos, rotation, joint_pos, robot.body_ids(spec.key_bodies))
        extra["key_body_pos"] = positions - root_pos[:, None]
        extra["key_body_vel"] = np.gradient(positions, dt, axis=0) - root_vel[:, None]
    if spec.feet:
        robot.body_ids(spec.feet)
        contacts = robot.contacts_on_path(root_pos, rotation, joint_pos, dt)
        touching = dict(zip(contacts.names, contacts.touching.T))
        extra["foot_contact"] = np.stack(
            [touching.get(name, np.zeros(len(root_pos), dtype=bool)) for name in spec.feet], axis=1
        )
    return extra


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


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
