"""Forward and inverse kinematics of the ostrich's legs (NumPy, any number of leading dimensions)."""

from __future__ import annotations

import numpy as np

from ostrich_env.robot.description import FOOT_RADIUS, HIP_OFFSET, LOWER_LEG_LENGTH, UPPER_LEG_LENGTH

_SIDES = np.array([1.0, -1.0])  # left, right


def foot_positions(joint_pos: np.ndarray) -> np.ndarray:
    """Centres of the foot spheres in the base frame.

    Args:
        joint_pos: joint positions in the order of :data:`~ostrich_env.robot.description.JOINT_NAMES`, shape (..., 6) [rad].

    Returns:
        Left and right foot, shape (..., 2, 3) [m].
    """
    roll, upper, lower = np.moveaxis(joint_pos.reshape(*joint_pos.shape[:-1], 2, 3), -1, 0)
    x = -UPPER_LEG_LENGTH * np.sin(upper) - LOWER_LEG_LENGTH * np.sin(upper + lower)
    length = UPPER_LEG_LENGTH * np.cos(upper) + LOWER_LEG_LENGTH * np.cos(upper + lower)
    y = _SIDES * HIP_OFFSET + length * np.sin(roll)
    return np.stack([x, y, -length * np.cos(roll)], axis=-1)


def foot_jacobians(joint_pos: np.ndarray) -> np.ndarray:
    """How the foot centres move with the joints of their own leg.

    Args:
        joint_pos: joint positions, shape (..., 6) [rad].

    Returns:
        Derivatives of :func:`foot_positions` by roll, upper and lower joint, shape (..., 2, 3, 3) [m/rad]; the last axis is
        the joint.
    """
    roll, upper, lower = np.moveaxis(joint_pos.reshape(*joint_pos.shape[:-1], 2, 3), -1, 0)
    x_lower = -LOWER_LEG_LENGTH * np.cos(upper + lower)
    x_upper = -UPPER_LEG_LENGTH * np.cos(upper) + x_lower
    length_lower = -LOWER_LEG_LENGTH * np.sin(upper + lower)
    length_upper = -UPPER_LEG_LENGTH * np.sin(upper) + length_lower
    length = UPPER_LEG_LENGTH * np.cos(upper) + LOWER_LEG_LENGTH * np.cos(upper + lower)
    sine, cosine = np.sin(roll), np.cos(roll)
    by_roll = np.stack([np.zeros_like(roll), length * cosine, length * sine], axis=-1)
    by_upper = np.stack([x_upper, length_upper * sine, -length_upper * cosine], axis=-1)
    by_lower = np.stack([x_lower, length_lower * sine, -length_lower * cosine], axis=-1)
    return np.stack([by_roll, by_upper, by_lower], axis=-1)


def joint_positions(feet: np.ndarray) -> np.ndarray:
    """Joint positions that put the foot centres at ``feet``, the knee pointing backward.

    Args:
        feet: left and right foot in the base frame, shape (..., 2, 3) [m].

    Returns:
        Joint positions, shape (..., 6) [rad].

    Raises:
        ValueError: a foot is out of the leg's reach.
    """
    x, y, z = np.moveaxis(feet, -1, 0)
    y = y - _SIDES * HIP_OFFSET
    down = np.hypot(y, z)
    squared = x * x + down * down
    cosine = (squared - UPPER_LEG_LENGTH**2 - LOWER_LEG_LENGTH**2) / (2 * UPPER_LEG_LENGTH * LOWER_LEG_LENGTH)
    if np.any(np.abs(cosine) > 1):
        raise ValueError(f"a foot is out of reach: {np.sqrt(squared.max()):.3f} m from the hip")
    lower = -np.arccos(cosine)
    upper = np.arctan2(-x, down) - np.arctan2(
        LOWER_LEG_LENGTH * np.sin(lower), UPPER_LEG_LENGTH + LOWER_LEG_LENGTH * np.cos(lower)
    )
    roll = np.arctan2(y, -z)
    return np.stack([roll, upper, lower], axis=-1).reshape(*feet.shape[:-2], 6)


def foot_clearance(joint_pos: np.ndarray, gravity: np.ndarray, root_height: np.ndarray) -> np.ndarray:
    """Height of each foot's lowest point above flat ground.

    Args:
        joint_pos: shape (..., 6) [rad].
        gravity: unit gravity vector in the base frame, shape (..., 3).
        root_height: height of the base origin, shape (...) [m].

    Returns:
        Left and right foot, shape (..., 2) [m].
    """
    along_gravity = np.einsum("...fi,...i->...f", foot_positions(joint_pos), gravity)
    return root_height[..., None] - along_gravity - FOOT_RADIUS
