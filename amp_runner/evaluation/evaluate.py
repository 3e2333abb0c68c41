"""Evaluation of a gait against its reference motion: the reference, and all measures of a recording."""

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
from amp_runner.evaluation.pushes import push_measures
from amp_runner.evaluation.trial import Trial
from amp_runner.motions.clip import Motion, load_motion
from amp_runner.motions.dataset import at_step_dt
from amp_runner.motions.edit import concat_motions, with_layout
from amp_runner.state import AMPStateSpec

_NUM_WINDOWS = 20_000
_PIECE_SECONDS = 4.0
_STEADY = 0.15  # [m/s, rad/s] standard deviation of a command that is one


def evaluate_gait(recording: GaitRecording, trial: Trial, reference: Motion, matched: bool = False) -> dict[str, float]:
    """Compute every measure of a recording.

    Args:
        recording: N robots that did the trial.
        trial: their commands and pushes. Pushed robots count for the measures of pushes alone.
        reference: reference motion, with commands.
        matched: whether the robots have commands of the reference; adds the measures of :func:`~.judge.judge_gait`.

    Returns:
        The measures of :func:`~.gait_metrics.compute_gait_metrics` and :func:`~.gait_metrics.reference_metrics`, their
        ratios, ``style_distance``, and ``falls_per_minute_pushed`` or, for graded pushes, :func:`~.pushes.push_measures`.
    """
    hip = hip_joint(recording.spec.joint_names)
    alone = recording.select(~trial.pushed)
    result = compute_gait_metrics(alone, hip)
    if trial.push_unit is None:
        result["falls_per_minute_pushed"] = falls_per_minute(recording.select(trial.pushed))
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
    if trial.push_unit is not None:
        frequency = result.get("stride_frequency_hz", result["reference_stride_frequency_hz"])
        result |= push_measures(recording, trial, frequency)
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
