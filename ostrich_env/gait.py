"""A walking gait for the ostrich, synthesised from foot placement and the physics of an inverted pendulum.

For a constant command (vx, vy, yaw rate) the feet are placed on the ground along the commanded path, with a duty factor, a
swing clearance and a stride frequency that grows with speed. The body's sway and surge are not drawn but solved for: they
are the periodic motion of a linear inverted pendulum over the centre of pressure that the feet allow (Kajita et al. 2001).
Joint angles follow by inverse kinematics; velocities come from differentiating at 1 kHz, far finer than the clip's rate.

The stride frequency is the ostrich's, scaled by Froude number from 1.2 m legs to this robot's 0.23 m (frequencies by
sqrt(1.2 / 0.24) = 2.2; Rubenson et al. 2004, Daley et al. 2016). A robot on point feet cannot stand still; at zero speed
it steps on the spot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from amp_runner.state import AMPStateSpec, amp_state

from .kinematics import foot_positions, joint_positions
from .robot import FOOT_RADIUS, JOINT_NAMES, STANDING_HEIGHT

_FINE_DT = 0.001  # [s]
_GRAVITY = 9.81  # [m/s^2]
_SIDES = np.array([1.0, -1.0])  # left, right


@dataclass(frozen=True)
class GaitParameters:
    """The shape of the gait. Lengths in metres, angles in radians."""

    base_frequency: float = 1.5
    """Stride frequency on the spot [Hz]."""
    frequency_per_speed: float = 1.25
    """Growth of the stride frequency with speed [Hz s/m]: 1.9 Hz at 0.3 m/s, 2.1 at 0.5, 2.4 at 0.7."""
    sideways_cost: float = 1.3
    """How much faster a sideways speed counts than a forward one: sideways steps must be short."""
    base_duty_factor: float = 0.64
    """Part of a stride that a foot is on the ground, on the spot."""
    duty_factor_per_speed: float = -0.1
    """Change of the duty factor with speed [s/m]; as in birds it nears one half."""
    step_half_width: float = 0.015
    """Lateral distance of the feet from the path; birds walk with their feet near the midline."""
    width_per_lateral_speed: float = 0.05
    """Widening of the half width with sideways speed [s]."""
    clearance: float = 0.03
    """Height of the foot in mid swing."""
    crouch: float = 0.006
    """How much lower than standing the body is carried, on the spot."""
    crouch_per_speed: float = 0.012
    """Further lowering with speed [s]."""
    bob: float = 0.002
    """Amplitude of the vertical motion, twice a stride, on the spot."""
    bob_per_speed: float = 0.004
    """Its growth with speed [s]."""
    roll: float = 0.015
    """Amplitude of the body's roll, once a stride."""
    pitch: float = 0.015
    """Amplitude of the body's pitch, twice a stride."""

    def speed(self, command: np.ndarray) -> float:
        """Speed that counts for the gait's shape [m/s]."""
        return float(np.hypot(command[0], self.sideways_cost * command[1]))

    def stride_frequency(self, command: np.ndarray) -> float:
        """Stride frequency [Hz]."""
        return self.base_frequency + self.frequency_per_speed * self.speed(command)

    def duty_factor(self, command: np.ndarray) -> float:
        """Part of a stride that a foot is on the ground."""
        return self.base_duty_factor + self.duty_factor_per_speed * self.speed(command)


def walking_clip(
    command: np.ndarray,
    duration: float,
    dt: float,
    spec: AMPStateSpec,
    phase: float = 0.0,
    gait: GaitParameters | None = None,
) -> np.ndarray:
    """AMP states of steady walking.

    Args:
        command: forward and sideways velocity [m/s] and yaw rate [rad/s], shape (3,).
        duration: length of the clip [s].
        dt: time between two frames [s], a multiple of 1 ms.
        spec: layout of the states.
        phase: where in the stride the clip begins, in strides.
        gait: shape of the gait; None: the defaults.

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
    sway = _pendulum_deviation(command, period, gait, time)
    height = STANDING_HEIGHT - gait.crouch - gait.crouch_per_speed * speed
    # Highest over the stance leg: mid-stance of the left foot is at phase 0, of the right at half a stride.
    height = height + (gait.bob + gait.bob_per_speed * speed) * np.cos(2 * stride_phase)
    heading = command[2] * time
    planar = _path(command, time) + _rotate(heading, sway)
    root = np.concatenate([planar, height[:, None]], axis=1)
    quat = _quaternion(gait.roll * np.sin(stride_phase), gait.pitch * np.sin(2 * stride_phase), heading)
    feet = np.stack([_foot_path(command, period, gait, time, side) for side in (0, 1)], axis=1)
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
        _rotate(-command[2] * phase * period, linear[frames, :2]),
        np.clip((within - duty_factor) / (1 - duty_factor), 0.0, 1.0),
        _load(within, duty_factor),
    )


def _path(command: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Position on the nominal path, a circle or a line, shape (T, 2) [m]."""
    vx, vy, yaw_rate = command
    if abs(yaw_rate) < 1e-9:
        return np.stack([vx * time, vy * time], axis=1)
    sine, cosine = np.sin(yaw_rate * time), np.cos(yaw_rate * time)
    return np.stack([vx * sine + vy * (cosine - 1), vy * sine - vx * (cosine - 1)], axis=1) / yaw_rate


def _rotate(angle: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    sine, cosine = np.sin(angle), np.cos(angle)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)


def _foothold(command: np.ndarray, gait: GaitParameters, middle: np.ndarray, side: int) -> np.ndarray:
    """Where a foot stands whose stance has its middle at time ``middle`` (T,), shape (T, 2) [m]."""
    half_width = gait.step_half_width + gait.width_per_lateral_speed * abs(command[1])
    offset = np.broadcast_to([0.0, _SIDES[side] * half_width], (*middle.shape, 2))
    return _path(command, middle) + _rotate(command[2] * middle, offset)


def _foot_path(command: np.ndarray, period: float, gait: GaitParameters, time: np.ndarray, side: int) -> np.ndarray:
    """World path of a foot's centre, shape (T, 3) [m]."""
    duty_factor = gait.duty_factor(command)
    strides = time / period + 0.5 * duty_factor - 0.5 * side
    number, within = np.floor(strides), strides % 1.0
    middle = (number + 0.5 * side) * period
    swing = np.clip((within - duty_factor) / (1 - duty_factor), 0.0, 1.0)
    # Zero velocity and acceleration where the foot leaves and meets the ground.
    progress = swing**3 * (10 - 15 * swing + 6 * swing**2)
    lift = 64 * (swing * (1 - swing)) ** 3
    here, there = (_foothold(command, gait, m, side) for m in (middle, middle + period))
    planar = here + progress[:, None] * (there - here)
    return np.concatenate([planar, FOOT_RADIUS + gait.clearance * lift[:, None]], axis=1)


def _pendulum_deviation(command: np.ndarray, period: float, gait: GaitParameters, time: np.ndarray) -> np.ndarray:
    """Periodic deviation of the body from the nominal path, in the heading frame, shape (T, 2) [m].

    A linear inverted pendulum of height h obeys x'' = (g / h) (x - p). For a periodic centre of pressure p with Fourier
    coefficients P_n at n / period, the bounded solution has X_n = P_n w^2 / (w^2 + (2 pi n / period)^2), w^2 = g / h.
    """
    samples = 1024
    grid = np.arange(samples) / samples * period
    pressure = np.fft.rfft(_pressure_deviation(command, period, gait, grid), axis=0) / samples
    harmonics = 2 * np.pi * np.arange(len(pressure)) / period
    squared = _GRAVITY / STANDING_HEIGHT
    response = pressure * (squared / (squared + harmonics**2))[:, None]
    response[1:] *= 2.0  # the other half of the spectrum
    keep = 40  # beyond, nothing is left but the corners of the pressure path
    waves = np.exp(1j * np.outer(time, harmonics[:keep]))
    return (waves @ response[:keep]).real


def _pressure_deviation(command: np.ndarray, period: float, gait: GaitParameters, time: np.ndarray) -> np.ndarray:
    """Centre of pressure relative to the nominal path, in the heading frame, shape (T, 2) [m]."""
    duty_factor = gait.duty_factor(command)
    loads, feet = [], []
    for side in (0, 1):
        strides = time / period + 0.5 * duty_factor - 0.5 * side
        loads.append(_load(strides % 1.0, duty_factor))
        middle = (np.floor(strides) + 0.5 * side) * period
        feet.append(_rotate(-command[2] * time, _foothold(command, gait, middle, side) - _path(command, time)))
    return loads[0][:, None] * feet[0] + loads[1][:, None] * feet[1]


def _load(within: np.ndarray, duty_factor: float) -> np.ndarray:
    """Part of the weight on a foot, by where it is in its stride: handed over evenly while both feet are on the ground."""
    double_support = duty_factor - 0.5  # in strides, each of the two
    rising, falling = within / double_support, (duty_factor - within) / double_support
    return np.clip(np.minimum(rising, falling), 0, 1)


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
