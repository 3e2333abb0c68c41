"""Evaluation of a gait against its reference motion: the commands, the reference, and all measures of a recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amp_runner.errors import ConfigError, MotionError
from amp_runner.evaluation.gait_metrics import (
    SETTLING_TIME,
    GaitRecording,
    compute_gait_metrics,
    falls_per_minute,
    hip_joint,
    reference_metrics,
    style_distance,
    two_sample_auc,
    windows_of,
)
from amp_runner.motions.clip import Motion, load_motion
from amp_runner.motions.dataset import at_step_dt, check_fit
from amp_runner.motions.edit import concat_motions
from amp_runner.state import AMPStateSpec

COMMANDS = np.array(
    [(v, 0.0, 0.0) for v in np.arange(9) * 0.1]
    + [(0.0, v, 0.0) for v in (-0.5, -0.25, 0.25, 0.5)]
    + [(v, 0.0, w) for v in (0.0, 0.4) for w in (-0.3, 0.3)]
    + [(0.4, v, 0.0) for v in (-0.25, 0.25)]
)
"""The grid of commands (vx, vy, yaw rate) [m/s, m/s, rad/s]: forward, sideways, turning, mixed."""
PUSH_INTERVAL = 4.0
"""Time between two pushes [s]."""
PUSH_SPEED = 0.3
"""Largest change of velocity by a push, along x and along y [m/s]."""
_NUM_WINDOWS = 20_000


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


def evaluate_gait(recording: GaitRecording, pushed: np.ndarray, reference: Motion) -> dict[str, float]:
    """Compute every measure of a recording.

    Args:
        recording: N robots on a grid of commands.
        pushed: which robots were pushed, (N,). They count for ``falls_per_minute_pushed`` alone.
        reference: reference motion, with commands.

    Returns:
        The measures of :func:`~.gait_metrics.compute_gait_metrics` and :func:`~.gait_metrics.reference_metrics`, their
        ratios, ``style_distance`` and ``two_sample_auc``.
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
    result["two_sample_auc"] = two_sample_auc(expert, policy)
    return result


def load_reference(paths: Sequence[str], step_dt: float, spec: AMPStateSpec | None) -> Motion:
    """Load the clips of all files as one motion, resampled to the task's time step.

    Args:
        paths: clip files.
        step_dt: the task's time step [s].
        spec: layout of the task's AMP states, if known.

    Raises:
        ConfigError: the task's AMP velocities are not in the heading frame.
        MotionError: a file does not fit the task, or has no commands.
    """
    if spec is not None and spec.velocity_frame != "heading":
        raise ConfigError(
            f"the task's AMP velocities are in the {spec.velocity_frame} frame; gaits are measured in the heading frame: "
            "evaluate, or export, with env.observations.amp.state.params.velocity_frame=heading and clips in that frame"
        )
    motions = [load_motion(path) for path in paths]
    for motion in motions:
        check_fit(motion, spec=spec)
        if motion.commands is None:
            raise MotionError(f"{motion.path}: has no 'commands', which amp-eval needs: store them in the file, (T, 3)")
    return concat_motions([at_step_dt(motion, step_dt, resample=True) for motion in motions])


def _sample_windows(windows: np.ndarray) -> np.ndarray:
    index = np.random.default_rng(0).permutation(len(windows))[:_NUM_WINDOWS]
    return windows[index].astype(np.float64)
