"""Where and when the ostrich's feet are on the ground: the shape of a gait, footholds along a commanded path, foot paths.

The stride frequency is the ostrich's, scaled by Froude number from 1.2 m legs to this robot's 0.23 m (frequencies by
sqrt(1.2 / 0.24) = 2.2; Rubenson et al. 2004, Daley et al. 2016). A robot on point feet cannot stand still; at zero speed
it steps on the spot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ostrich_env.robot.description import FOOT_RADIUS

_SIDES = np.array([1.0, -1.0])  # left, right
# Of the swing: near the least moment about the vertical while one foot stands, and the least acceleration of the joints.
_AHEAD, _LATE_LIFT = 0.17, 0.5
_CLEARLY_FORWARD = 0.2  # [m/s]


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
    lift_power: int = 3
    """How softly the foot leaves and meets the ground: its height begins with this power of the time."""
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


RUN = GaitParameters(
    base_frequency=2.0, frequency_per_speed=0.8, base_duty_factor=0.56, lift_power=2, crouch=0.021, crouch_per_speed=0.005
)
"""A run, for 0.7 to 1.1 m/s forward (Froude number 0.2 to 0.5, where ostriches change gait): on bent legs, with strides that
lengthen more than they quicken and both feet off the ground for 2 to 10 % of the time. The knee's motor can follow no faster
one."""


def path(command: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Position on the nominal path, a circle or a line, shape (T, 2) [m]."""
    vx, vy, yaw_rate = command
    if abs(yaw_rate) < 1e-9:
        return np.stack([vx * time, vy * time], axis=1)
    sine, cosine = np.sin(yaw_rate * time), np.cos(yaw_rate * time)
    return np.stack([vx * sine + vy * (cosine - 1), vy * sine - vx * (cosine - 1)], axis=1) / yaw_rate


def rotate(angle: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Planar vectors (..., 2) turned by angles (...) [rad]."""
    sine, cosine = np.sin(angle), np.cos(angle)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)


def foothold(command: np.ndarray, gait: GaitParameters, middle: np.ndarray, side: int) -> np.ndarray:
    """Where a foot stands whose stance has its middle at time ``middle`` (T,), shape (T, 2) [m]."""
    half_width = gait.step_half_width + gait.width_per_lateral_speed * abs(command[1])
    offset = np.broadcast_to([0.0, _SIDES[side] * half_width], (*middle.shape, 2))
    return path(command, middle) + rotate(command[2] * middle, offset)


def foot_path(command: np.ndarray, period: float, gait: GaitParameters, time: np.ndarray, side: int) -> np.ndarray:
    """World path of a foot's centre, shape (T, 3) [m]."""
    duty_factor = gait.duty_factor(command)
    strides = time / period + 0.5 * duty_factor - 0.5 * side
    number, within = np.floor(strides), strides % 1.0
    middle = (number + 0.5 * side) * period
    swing = np.clip((within - duty_factor) / (1 - duty_factor), 0.0, 1.0)
    progress, lift = swing_shape(swing, np.clip(command[0] / _CLEARLY_FORWARD, -1, 1), gait.lift_power)
    here, there = (foothold(command, gait, m, side) for m in (middle, middle + period))
    planar = here + progress[:, None] * (there - here)
    return np.concatenate([planar, FOOT_RADIUS + gait.clearance * lift[:, None]], axis=1)


def swing_shape(swing: np.ndarray, forward: float, lift_power: int) -> tuple[np.ndarray, np.ndarray]:
    """Way over the ground and height of a foot, 0 to 1 each, by how much of its swing it has behind it, same shape.

    It has no velocity and no acceleration along the ground where it leaves and meets it. Forward it goes ahead early in its
    swing, is highest late, and reaches its place slowly; backward is that in reversed time. With this the hip swings almost
    as a sine does, and the legs' swing asks a third less of the ground about the vertical than along the smoothest way of
    the foot (``benchmarks/yaw_momentum.py``): a walk that this robot, with no joint about the vertical, can follow.

    Args:
        swing: 0 where the foot leaves the ground, 1 where it meets it.
        forward: 1 if it walks forward, -1 backward.
        lift_power: see :class:`GaitParameters`.
    """
    late, hump = 2 * swing - 1, 4 * swing * (1 - swing)
    progress = swing**3 * (10 - 15 * swing + 6 * swing**2) + _AHEAD * (forward - late) * hump**3
    return progress, (1 + _LATE_LIFT * forward * late) * hump**lift_power


def foot_load(within: np.ndarray, duty_factor: float) -> np.ndarray:
    """Vertical force on a foot as a part of the weight, by where it is in its stride (0: touchdown), same shape.

    A walk hands the weight over evenly while both feet are on the ground. In a run each foot carries half a sine, with the
    mean that carries the weight (Alexander 1984, "The Gaits of Bipedal and Quadrupedal Animals").
    """
    if is_run(duty_factor):
        return np.where(within < duty_factor, np.pi / (4 * duty_factor) * np.sin(np.pi * within / duty_factor), 0.0)
    double_support = duty_factor - 0.5  # in strides, each of the two
    rising, falling = within / double_support, (duty_factor - within) / double_support
    return np.clip(np.minimum(rising, falling), 0, 1)


def is_run(duty_factor: float) -> bool:
    """Whether there are times when no foot is on the ground."""
    return duty_factor <= 0.5
