"""Repeating a cycle of motion without a jump."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import MotionError
from amp_runner.motions.convert.trajectory import Trajectory

_LARGEST_GAP = 0.5
"""Largest difference between the last and the first pose of a cycle [rad, m]."""
_SEAM = 0.3
"""Part of the cycle at its start and at its end over which the difference is spread."""


def looped(trajectory: Trajectory, cycles: int) -> Trajectory:
    """Repeat a cycle, whose last frame is the first of the next, each time from where the last one ended.

    Horizontal position and yaw accumulate. The difference between the last and the first pose is spread smoothly over the
    frames around the seam, so that positions are continuous and the stances in between stay as they are.

    Args:
        trajectory: one cycle.
        cycles: number of repetitions, at least 1.

    Raises:
        MotionError: the two poses differ too much for a cycle.
    """
    last = len(trajectory.root_pos) - 1
    if last < 3:
        raise MotionError(f"{trajectory.path}: has {last + 1} frames; a cycle needs at least 4")
    share = _seam(last + 1)[:, None]
    rotation = Rotation.from_quat(trajectory.root_quat)
    heading = Rotation.from_euler("z", np.unwrap(rotation.as_euler("ZYX")[:, 0])[:, None])
    tilt = heading.inv() * rotation
    gaps = {
        "joints": trajectory.joint_pos[-1] - trajectory.joint_pos[0],
        "root height": trajectory.root_pos[-1, 2:] - trajectory.root_pos[0, 2:],
        "root tilt": (tilt[-1] * tilt[0].inv()).as_rotvec(),
    }
    largest = max(gaps, key=lambda name: np.abs(gaps[name]).max())
    gap = float(np.abs(gaps[largest]).max())
    if gap > _LARGEST_GAP:
        raise MotionError(
            f"{trajectory.path}: is no cycle: {largest} of the last and the first frame differ by {gap:.2f}; cut it to "
            "whole strides first, or convert it without --loop"
        )
    joint_pos = trajectory.joint_pos - share * gaps["joints"]
    position = trajectory.root_pos.copy()
    position[:, 2:] -= share * gaps["root height"]
    tilt = Rotation.from_rotvec(-share * gaps["root tilt"]) * tilt
    turn, step = heading[-1] * heading[0].inv(), position[-1] - position[0]
    positions, rotations, start, turned = [], [], position[0].copy(), Rotation.identity()
    for _ in range(cycles):
        positions.append(start + turned.apply(position[:last] - position[0]))
        rotations.append(turned * heading[:last] * tilt[:last])
        start, turned = start + turned.apply(step), turn * turned
    return replace(
        trajectory,
        root_pos=np.concatenate(positions),
        root_quat=Rotation.concatenate(rotations).as_quat(),
        joint_pos=np.tile(joint_pos[:last], (cycles, 1)),
        bodies=None,
        is_loop=False,
    ).with_note(
        f"repeated {cycles} times; {largest} of the last and the first frame differed by {gap:.2f}, spread around the seam"
    )


def _seam(frames: int) -> np.ndarray:
    """Share of the difference to subtract from each frame: -1/2 in the first, 1/2 in the last, 0 in the middle, (T,)."""
    time = np.linspace(0.0, 1.0, frames)

    def fade(distance: np.ndarray) -> np.ndarray:
        return 0.25 * (1 + np.cos(np.pi * np.clip(distance / _SEAM, 0.0, 1.0)))

    return fade(1.0 - time) - fade(time)
