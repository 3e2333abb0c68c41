"""Robots and reference clips at the same commands: the commands of the test, and the pairs that are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amp_runner.errors import ConfigError
from amp_runner.evaluation.gait_metrics import GaitRecording
from amp_runner.motions.clip import Motion

NUM_COMMANDS = 28
"""Moving commands of the matched test."""
TOLERANCE = 0.02
"""Commands that differ by less are the same [m/s, rad/s]."""
_LOOP_SECONDS = 3.0
_RANGE_NAMES = ("lin_vel_x", "lin_vel_y", "ang_vel_z")


@dataclass(frozen=True)
class MatchedPair:
    """Everything that was recorded at one command."""

    command: np.ndarray
    """The command, (3,) [m/s, m/s, rad/s]."""
    clips: list[np.ndarray]
    """States of each clip, (T_c, D)."""
    robots: list[list[np.ndarray]]
    """For each robot, the states of its settled episodes, (T_e, D)."""


def is_zero(commands: np.ndarray) -> np.ndarray:
    """Mask of the commands (..., 3) to stand still."""
    return np.abs(commands).max(axis=-1) < TOLERANCE


def matched_commands(clip_commands: np.ndarray, ranges: dict[str, list[float]]) -> np.ndarray:
    """Choose the commands of the matched test: those of the reference that lie within the task's ranges, spread evenly.

    The first is the fastest; each further one is the farthest from those chosen before, in units of the ranges (Gonzalez
    1985), up to :data:`NUM_COMMANDS`. The zero command follows if the ranges contain it.

    Args:
        clip_commands: the command of each clip, (C, 3).
        ranges: smallest and largest command by ``lin_vel_x``, ``lin_vel_y`` [m/s] and ``ang_vel_z`` [rad/s]; empty: any.

    Returns:
        The commands, (M, 3).

    Raises:
        ConfigError: no clip moves at a command within the ranges.
    """
    limits = np.array([ranges.get(name, (-np.inf, np.inf)) for name in _RANGE_NAMES])
    inside = (clip_commands > limits[:, 0] - TOLERANCE) & (clip_commands < limits[:, 1] + TOLERANCE)
    moving = np.unique(np.round(clip_commands[inside.all(axis=1) & ~is_zero(clip_commands)], 2), axis=0)
    if not len(moving):
        text = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in zip(_RANGE_NAMES, limits))
        raise ConfigError(f"--matched: no clip moves at a command within the task's ranges ({text})")
    scaled = moving / np.maximum(np.ptp(moving, axis=0), TOLERANCE)
    chosen = [int(np.linalg.norm(moving, axis=1).argmax())]
    while len(chosen) < min(NUM_COMMANDS, len(moving)):
        distance = np.linalg.norm(scaled[:, None] - scaled[chosen], axis=-1).min(axis=1)
        chosen.append(int(distance.argmax()))
    grid = np.clip(moving[sorted(chosen)], limits[:, 0], limits[:, 1])
    contains_zero = ((limits[:, 0] <= 0) & (limits[:, 1] >= 0)).all()
    return np.vstack([grid, np.zeros((int(contains_zero), 3))]) + 0.0


def match(recording: GaitRecording, reference: Motion) -> list[MatchedPair]:
    """Pair robots with the clips of their command; without the zero command, which has no gait.

    Args:
        recording: N robots.
        reference: reference motion with commands, in the layout and time step of the recording.

    Returns:
        One pair for each command that has both robots and clips.
    """
    commands, of_robot = np.unique(recording.commands, axis=0, return_inverse=True)
    distance = np.abs(reference.clip_commands()[:, None] - commands).max(axis=-1)
    joints, pairs = reference.spec.features["joint_pos"], []
    nearest, clips = distance.argmin(axis=1), [_repeat_loop(clip, joints, recording.dt) for clip in reference.clips()]
    for index, command in enumerate(commands):
        paired = [clips[i] for i in np.flatnonzero((nearest == index) & (distance[:, index] < TOLERANCE))]
        robots = [_settled_episodes(recording, robot) for robot in np.flatnonzero(of_robot == index)]
        robots = [episodes for episodes in robots if episodes]
        if paired and robots and not is_zero(command):
            pairs.append(MatchedPair(command, paired, robots))
    return pairs


def _repeat_loop(clip: np.ndarray, joints: slice, dt: float) -> np.ndarray:
    """Repeat a short clip whose joints end where they begin, such as a single stride, to several strides."""
    if len(clip) < 2 or len(clip) * dt >= _LOOP_SECONDS:
        return clip
    positions = clip[:, joints]
    seam, steps = np.abs(positions[0] - positions[-1]).max(), np.abs(np.diff(positions, axis=0)).max()
    # One step apart, the last frame is before the first of the next round; equal, it is that frame.
    whole = clip[:-1] if seam < 0.1 * steps else clip
    return np.tile(whole, (int(np.ceil(_LOOP_SECONDS / (dt * len(whole)))), 1)) if seam <= 1.2 * steps else clip


def _settled_episodes(recording: GaitRecording, robot: np.intp) -> list[np.ndarray]:
    """States of one robot's episodes without their settling time, (T_e, D)."""
    edges = np.flatnonzero(np.diff(recording.settled[:, robot], prepend=False, append=False))
    return [recording.states[start:stop, robot] for start, stop in zip(edges[::2], edges[1::2])]
