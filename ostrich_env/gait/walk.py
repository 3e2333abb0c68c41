"""The ostrich's gaits, walking and running, synthesised for a constant command (vx, vy, yaw rate).

Feet are placed along the commanded path (footfall.py), the body moves over them as physics asks (body_motion.py); joint
angles follow by inverse kinematics, velocities from differentiating at 1 kHz, far finer than the clip's rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from amp_runner.state import AMPStateSpec, amp_state
from ostrich_env.gait.body_motion import height_deviation, planar_deviation
from ostrich_env.gait.footfall import GaitParameters, foot_load, foot_path, path, rotate
from ostrich_env.robot.description import JOINT_NAMES, STANDING_HEIGHT
from ostrich_env.robot.kinematics import foot_positions, joint_positions

_FINE_DT = 0.001  # [s]


def walking_clip(
    command: np.ndarray,
    duration: float,
    dt: float,
    spec: AMPStateSpec,
    phase: float = 0.0,
    gait: GaitParameters | None = None,
) -> np.ndarray:
    """AMP states of steady walking, or running.

    Args:
        command: forward and sideways velocity [m/s] and yaw rate [rad/s], shape (3,).
        duration: length of the clip [s].
        dt: time between two frames [s], a multiple of 1 ms.
        spec: layout of the states.
        phase: where in the stride the clip begins, in strides.
        gait: shape of the gait; None: a walk.

    Returns:
        States, shape (duration / dt, D), float32.
    """
    trajectory = _trajectory(np.asarray(command, dtype=float), duration, phase, gait or GaitParameters())
    every = round(dt / _FINE_DT)
    frames = slice(2, 2 + round(duration / dt) * every, every)  # two samples are lost to differentiation at each end
    columns = [torch.from_numpy(values[frames]) for values in trajectory]
    return amp_state(*columns, orientation=spec.orientation, velocity_frame=spec.velocity_frame).float().numpy()


def _trajectory(command: np.ndarray, duration: float, phase: float, gait: GaitParameters) -> tuple[np.ndarray, ...]:
    """Root height, quaternion, joint positions and the three velocities at 1 kHz, as :func:`amp_state` takes them."""
    period = 1.0 / gait.stride_frequency(command)
    time = phase * period + np.arange(-2, round(duration / _FINE_DT) + 3) * _FINE_DT
    speed = gait.speed(command)
    stride_phase = 2 * np.pi * time / period
    sway = planar_deviation(command, period, gait, time)
    height = STANDING_HEIGHT - gait.crouch - gait.crouch_per_speed * speed
    height = height + height_deviation(command, period, gait, time)
    heading = command[2] * time
    planar = path(command, time) + rotate(heading, sway)
    root = np.concatenate([planar, height[:, None]], axis=1)
    quat = _quaternion(gait.roll * np.sin(stride_phase), gait.pitch * np.sin(2 * stride_phase), heading)
    feet = np.stack([foot_path(command, period, gait, time, side) for side in (0, 1)], axis=1)
    rotation = _matrices(quat)
    feet_in_base = np.einsum("tij,tfi->tfj", rotation, feet - root[:, None])
    joints = joint_positions(feet_in_base)
    angular = _angular_velocity(rotation)
    return height, quat, joints, np.gradient(root, _FINE_DT, axis=0), angular, np.gradient(joints, _FINE_DT, axis=0)


@dataclass(frozen=True)
class Stride:
    """One stride of steady walking, sampled at P equal phases from mid-stance of the left foot on."""

    period: float
    """Duration [s]."""
    feet: np.ndarray
    """Foot centres in the base frame, (P, 2, 3) [m]."""
    height: np.ndarray
    """Height of the base, (P,) [m]."""
    velocity: np.ndarray
    """Planar velocity of the base in the heading frame, (P, 2) [m/s]."""
    swing: np.ndarray
    """How much of its swing each foot has behind it, (P, 2): 0 to 1 in the air, and 0 on the ground."""
    load: np.ndarray
    """Part of the weight that each foot carries, (P, 2)."""


def stride(command: np.ndarray, samples: int = 200, gait: GaitParameters | None = None) -> Stride:
    """Sample one stride of steady walking, for a controller that is to follow it.

    Args:
        command: forward and sideways velocity [m/s] and yaw rate [rad/s], shape (3,).
        samples: P, the number of phases.
        gait: shape of the gait; None: the defaults.
    """
    gait, command = gait or GaitParameters(), np.asarray(command, dtype=float)
    period, duty_factor = 1.0 / gait.stride_frequency(command), gait.duty_factor(command)
    height, _, joints, linear, _, _ = _trajectory(command, period, 0.0, gait)
    phase = np.arange(samples) / samples
    frames = 2 + (phase * period / _FINE_DT).astype(int)
    within = (phase[:, None] + 0.5 * duty_factor - 0.5 * np.arange(2)) % 1.0
    return Stride(
        period,
        foot_positions(joints[frames]),
        height[frames],
        rotate(-command[2] * phase * period, linear[frames, :2]),
        np.clip((within - duty_factor) / (1 - duty_factor), 0.0, 1.0),
        foot_load(within, duty_factor),
    )


def _quaternion(roll: np.ndarray, pitch: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Quaternions xyzw of yaw-pitch-roll angles, shape (T, 4)."""
    sr, cr, sp, cp = np.sin(roll / 2), np.cos(roll / 2), np.sin(pitch / 2), np.cos(pitch / 2)
    sy, cy = np.sin(yaw / 2), np.cos(yaw / 2)
    x, y = sr * cp * cy - cr * sp * sy, cr * sp * cy + sr * cp * sy
    z, w = cr * cp * sy - sr * sp * cy, cr * cp * cy + sr * sp * sy
    return np.stack([x, y, z, w], axis=1)


def _matrices(quat: np.ndarray) -> np.ndarray:
    """Rotation matrices of quaternions xyzw, shape (T, 3, 3)."""
    x, y, z, w = quat.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def _angular_velocity(rotation: np.ndarray) -> np.ndarray:
    """World angular velocity from rotation matrices at 1 kHz: the skew part of R' R^T, shape (T, 3) [rad/s]."""
    spin = np.gradient(rotation, _FINE_DT, axis=0) @ np.swapaxes(rotation, 1, 2)
    return np.stack([spin[:, 2, 1] - spin[:, 1, 2], spin[:, 0, 2] - spin[:, 2, 0], spin[:, 1, 0] - spin[:, 0, 1]], 1) / 2


def ostrich_spec(**kwargs: str) -> AMPStateSpec:
    """The layout of the ostrich's AMP state; keywords as for :class:`~amp_runner.AMPStateSpec`."""
    return AMPStateSpec(joint_names=JOINT_NAMES, **kwargs)
