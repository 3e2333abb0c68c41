"""The path of a robot's root, integrated from AMP states, which have neither horizontal position nor yaw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import MotionError
from amp_runner.state import AMPStateSpec


@dataclass(frozen=True)
class RootPath:
    """Root poses in the world."""

    position: np.ndarray
    """(T, 3) [m]."""
    rotation: Rotation
    """T orientations."""


def root_path(states: np.ndarray, spec: AMPStateSpec, dt: float) -> RootPath:
    """Integrate the root's velocities.

    Args:
        states: AMP states of one clip, (T, D).
        spec: their layout. Without an orientation the root is upright, without velocities it stays in place.
        dt: time step [s].

    Returns:
        Poses that start at the origin, facing +x.

    Raises:
        MotionError: the states have no root height.
    """
    if "root_height" not in spec.layout:
        raise MotionError(
            f"the AMP state [{', '.join(spec.layout)}] has no root_height, without which no robot can be posed"
        )
    part = {name: states[:, columns].astype(float) for name, columns in spec.features.items()}
    still = np.zeros((len(states), 3))
    linear, angular = part.get("root_lin_vel", still), part.get("root_ang_vel", still)
    rotation, has_yaw = _orientations(part, spec)
    tilt = Rotation.from_euler("z", -_yaw(rotation)[:, None]) * rotation
    if spec.velocity_frame == "body":
        linear, angular = tilt.apply(linear), tilt.apply(angular)
    pitch = np.arcsin(np.clip(-tilt.as_matrix()[:, 2, 0], -1, 1))
    # The yaw rate is the vertical angular velocity, plus the forward one times the tangent of the pitch.
    yaw = _integrated(angular[:, 2] + angular[:, 0] * np.tan(pitch), dt)
    heading = Rotation.from_euler("z", yaw[:, None])
    if spec.velocity_frame == "world" and has_yaw:
        heading, tilt = Rotation.identity(), rotation
    if spec.velocity_frame != "world":
        linear = heading.apply(linear)
    planar = np.stack([_integrated(linear[:, axis], dt) for axis in (0, 1)], axis=1)
    return RootPath(np.concatenate([planar, part["root_height"]], axis=1), heading * tilt)


def _orientations(part: dict[str, np.ndarray], spec: AMPStateSpec) -> tuple[Rotation, bool]:
    """Orientations of the root, and whether their yaw is that in the world."""
    if spec.orientation is None:
        return Rotation.identity(len(part["root_height"])), False
    if spec.orientation == "gravity":
        x, y, z = part["projected_gravity"].T
        return Rotation.from_euler("YX", np.stack([np.arcsin(np.clip(x, -1, 1)), np.arctan2(-y, -z)], axis=1)), False
    if spec.orientation == "quaternion":
        return Rotation.from_quat(part["root_quat_xyzw"]), True
    tangent, normal = np.split(part["root_tangent_normal"], 2, axis=1)
    axes = np.stack([tangent, np.cross(normal, tangent), normal], axis=2)
    return Rotation.from_matrix(axes), spec.velocity_frame == "world"


def _yaw(rotation: Rotation) -> np.ndarray:
    matrix = rotation.as_matrix()
    return np.arctan2(matrix[:, 1, 0], matrix[:, 0, 0])


def _integrated(rate: np.ndarray, dt: float) -> np.ndarray:
    """Return the trapezoidal integral, starting at zero, (T,)."""
    return np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * dt)])
