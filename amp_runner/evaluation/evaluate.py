"""Evaluation of a gait against its reference motion: the commands, the reference, and all measures of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from amp_runner.evaluation.gait_metrics import (
    SETTLING_TIME,
    GaitRecording,
    compute_gait_metrics,
    falls_per_minute,
    reference_metrics,
    style_distance,
    windows_of,
)
from amp_runner.evaluation.judge import judge_gait
from amp_runner.evaluation.legs import hip_joint
from amp_runner.motions.clip import Motion, load_motion
from amp_runner.motions.dataset import at_step_dt
from amp_runner.motions.edit import concat_motions, with_layout
from amp_runner.state import AMPStateSpec

COMMAND_RANGES = {"lin_vel_x": [0.0, 0.8], "lin_vel_y": [-0.5, 0.5], "ang_vel_z": [-0.3, 0.3]}
"""Ranges of the grid where a task does not tell its own [m/s, m/s, rad/s]."""
PUSH_INTERVAL = 4.0
"""Time between two pushes [s]."""
PUSH_SPEED = 0.3
"""Largest change of velocity by a push, along x and along y [m/s]."""
_NUM_WINDOWS = 20_000
_PIECE_SECONDS = 4.0
_STEADY = 0.15  # [m/s, rad/s] standard deviation of a command that is one


def commands_in(ranges: dict[str, list[float]]) -> np.ndarray:
    """Return a grid of commands (vx, vy, yaw rate), (C, 3): forward, sideways, turning, mixed.

    Args:
        ranges: smallest and largest command by ``lin_vel_x``, ``lin_vel_y`` [m/s] and ``ang_vel_z`` [rad/s].
    """
    (low, high), side, turn = ranges["lin_vel_x"], ranges["lin_vel_y"][1], ranges["ang_vel_z"][1]
    start, middle = max(low, 0.0), 0.5 * high
    grid = (
        [(v, 0.0, 0.0) for v in np.linspace(start, high, 9)]
        + [(0.0, v * side, 0.0) for v in (-1.0, -0.5, 0.5, 1.0)]
        + [(v, 0.0, w * turn) for v in (0.0, middle) for w in (-1.0, 1.0)]
        + [(middle, v * side, 0.0) for v in (-0.5, 0.5)]
    )
    inside = [c for c in dict.fromkeys(grid) if start - 1e-9 <= c[0]]
    return np.round(np.array(inside), 6) + 0.0


def command_grid(num_envs: int, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Assign commands and pushes to robots.

    Args:
        num_envs: N, number of robots.
        grid: commands, (C, 3).

    Returns:
        The command of each robot, (N, 3), and which robots are pushed, (N,). The second half is pushed, at the same
        commands.
    """
    pushed = np.arange(num_envs) >= num_envs // 2
    commands = grid[np.arange(num_envs) % len(grid)]
    commands[pushed] = commands[: int(pushed.sum())].copy()
    return commands, pushed


def evaluate_gait(
    recording: GaitRecording, pushed: np.ndarray, reference: Motion, matched: bool = False
) -> dict[str, float]:
    """Compute every measure of a recording.

    Args:
        recording: N robots on a grid of commands.
        pushed: which robots were pushed, (N,). They count for ``falls_per_minute_pushed`` alone.
        reference: reference motion, with commands.
        matched: whether the robots have commands of the reference; adds the measures of :func:`~.judge.judge_gait`.

    Returns:
        The measures of :func:`~.gait_metrics.compute_gait_metrics` and :func:`~.gait_metrics.reference_metrics`, their
        ratios, and ``style_distance``.
    """
    hip = hip_joint(recording.spec.joint_names)
    alone = recording.select(~pushed)
    result = compute_gait_metrics(alone, hip)
    result["falls_per_minute_pushed"] = falls_per_minute(recording.select(pushed))
    result |= reference_metrics(
        reference.clips(), reference.clip_commands(), alone.commands, recording.dt, recording.spec, hip
    )
    for name, unit in (("stride_frequency", "hz"), ("hip_amplitude", "rad")):
        found = result.get(f"{name}_{unit}", float("nan"))
        result[f"{name}_ratio"] = found / result[f"reference_{name}_{unit}"]
    start = round(SETTLING_TIME / recording.dt)
    expert = _sample_windows(windows_of(reference.clips()))
    policy = _sample_windows(windows_of(list(alone.states[start:].transpose(1, 0, 2))))
    result["style_distance"] = style_distance(expert, policy)
    return result | (judge_gait(alone, reference) if matched else {})


def load_reference(paths: Sequence[str], step_dt: float) -> Motion:
    """Load the clips of all files as one motion, resampled to the task's time step, in the layout of gait recordings.

    Clips in which the command changes are split, so that each has one command.

    Args:
        paths: clip files.
        step_dt: the task's time step [s].

    Raises:
        MotionError: a file lacks what gaits are measured by, its velocities are not in the heading frame, or two files
            differ in their joints.
    """
    motions = []
    for path in paths:
        motion = load_motion(path)
        motion = with_layout(motion, AMPStateSpec(motion.spec.joint_names))
        motion = replace(motion, commands=motion.frame_commands())
        motions.append(_with_constant_commands(at_step_dt(motion, step_dt, resample=True)))
    return concat_motions(motions)


def _with_constant_commands(motion: Motion) -> Motion:
    """Split clips in which the command changes, and give every clip its mean command."""
    assert motion.commands is not None
    piece, lengths = round(_PIECE_SECONDS / motion.known_dt), []
    for commands in np.split(motion.commands, np.cumsum(motion.clip_lengths)[:-1]):
        pieces = 1 if commands.std(axis=0).max() < _STEADY else max(1, len(commands) // piece)
        lengths += [len(part) for part in np.array_split(commands, pieces)]
    means = [part.mean(axis=0) for part in np.split(motion.commands, np.cumsum(lengths)[:-1])]
    return replace(motion, clip_lengths=np.array(lengths), commands=np.repeat(np.stack(means), lengths, axis=0))


def _sample_windows(windows: np.ndarray) -> np.ndarray:
    index = np.random.default_rng(0).permutation(len(windows))[:_NUM_WINDOWS]
    return windows[index].astype(np.float64)
