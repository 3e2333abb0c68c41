"""The matched test: a policy's gait against the reference at the same commands, beside what each differs from itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from amp_runner.evaluation.gait_metrics import WALKING_SPEED, GaitRecording, dominant_frequency
from amp_runner.evaluation.legs import find_legs, hip_joint
from amp_runner.evaluation.matching import MatchedPair, is_zero, match
from amp_runner.evaluation.strides import (
    joint_lags,
    leg_phases,
    mean_phase,
    phase_difference,
    stride_cycles,
    stride_distance,
)
from amp_runner.evaluation.two_sample import Part, balanced_windows, cross_validated_auc, precision_and_recall
from amp_runner.motions.clip import Motion
from amp_runner.state import AMPStateSpec

SUFFIXES = ("", "_reference_vs_itself", "_policy_vs_itself")
"""Ends of the names of a comparison and of its two floors."""
_AUC_FRAMES = {"1_frame": 1, "5_frames": 5, "20_frames": 20}
_GROUP_FRAMES = 5  # in the windows of feature groups, of precision and of recall
_NUM_DRAWS = 8  # ways to halve the robots, whose mean is the floor
_FEWEST_COMMANDS = 8  # with which a classifier is tested at other commands than it is trained at
_FEWEST_PIECES = 8  # that are divided for a floor; the result of fewer is chance
_SHORTEST_STEP = 0.04  # [s] in the air; a shorter loss of contact is no step
_Sides = tuple[list[Part], list[Part]]


def judge_gait(recording: GaitRecording, reference: Motion) -> dict[str, float]:
    """Compare a policy with its reference at the same commands.

    Args:
        recording: robots without pushes, at commands of the reference.
        reference: reference motion with commands, in the layout and time step of the recording.

    Returns:
        The measures by name, NaN where there is nothing to measure. Names that end in ``_reference_vs_itself`` and
        ``_policy_vs_itself`` are the floors: the same measure of one part of the reference against the rest, and of one
        half of the robots against the other half.

        - ``matched_commands``: number of commands that have both clips and robots.
        - ``two_sample_auc_1_frame``, ``_5_frames``, ``_20_frames``: see :func:`~.two_sample.cross_validated_auc`;
          ``_root``, ``_joint_pos``, ``_joint_vel``: of some features, with 5 frames.
        - ``precision``, ``recall``: see :func:`~.two_sample.precision_and_recall`.
        - ``stride_distance_rad``: see :func:`~.strides.stride_distance`; mean over walking commands.
        - ``coordination_difference``: mean absolute difference of the lag from hip to knee [fraction of a stride].
        - ``leg_phase_<leg>``, ``reference_leg_phase_<leg>``: phase of each leg after the first [fraction of a stride].
        - ``standing_...``: see :func:`standing_metrics`.
    """
    pairs = match(recording, reference)
    result = {"matched_commands": float(len(pairs))}
    result |= _window_measures(pairs, recording.spec, recording.dt)
    result |= _stride_measures(walking_strides(pairs, recording.spec, recording.dt), recording.spec)
    return result | standing_metrics(recording)


@dataclass(frozen=True)
class WalkingStrides:
    """Strides of policy and reference at one command."""

    command: np.ndarray
    """The command, (3,) [m/s, m/s, rad/s]."""
    robots: list[np.ndarray]
    """Strides of each robot, (S, P, J) [rad]."""
    clips: list[np.ndarray]
    """Strides of each clip, (S, P, J) [rad]."""

    @property
    def policy(self) -> np.ndarray:
        """Mean cycle of the robots, (P, J) [rad]."""
        return np.concatenate(self.robots).mean(axis=0)

    @property
    def reference(self) -> np.ndarray:
        """Mean cycle of the clips, (P, J) [rad]."""
        return np.concatenate(self.clips).mean(axis=0)


def walking_strides(pairs: Sequence[MatchedPair], spec: AMPStateSpec, dt: float) -> list[WalkingStrides]:
    """Cut the motion into strides at every command that walks forward or backward, where both sides have strides."""
    joints, hip = spec.features["joint_pos"], hip_joint(spec.joint_names)
    result = []
    for pair in pairs:
        if abs(pair.command[0]) < WALKING_SPEED:
            continue
        robots = [np.concatenate([stride_cycles(s[:, joints], hip, dt) for s in episodes]) for episodes in pair.robots]
        clips = [stride_cycles(states[:, joints], hip, dt) for states in pair.clips]
        strides = WalkingStrides(pair.command, [r for r in robots if len(r)], [c for c in clips if len(c)])
        if strides.robots and strides.clips:
            result.append(strides)
    return result


def standing_metrics(recording: GaitRecording) -> dict[str, float]:
    """Measure the robots at the zero command, without the settling time.

    Returns:
        ``standing_speed_mps``, mean planar speed; ``standing_drift_mps``, distance between start and end over time;
        ``standing_steps_per_s``, touchdowns of all feet after at least 0.04 s in the air. Empty without such robots.
    """
    standing = recording.select(is_zero(recording.commands))
    return {} if not len(standing.commands) else _standing(standing)


def _standing(recording: GaitRecording) -> dict[str, float]:
    settled = recording.settled
    velocity = np.where(settled[..., None], recording.feature("root_lin_vel")[..., :2], 0.0)
    yaw = np.cumsum(recording.feature("root_ang_vel")[..., 2], axis=0) * recording.dt
    travelled = ((velocity[..., 0] + 1j * velocity[..., 1]) * np.exp(1j * yaw)).sum(axis=0)
    frames = np.maximum(settled.sum(axis=0), 1)
    shortest = max(1, round(_SHORTEST_STEP / recording.dt))
    contact = recording.foot_contact
    air = np.lib.stride_tricks.sliding_window_view(~contact, shortest, axis=0).all(axis=-1)
    steps = air[:-1] & contact[shortest:] & settled[shortest:, :, None]
    return {
        "standing_speed_mps": float((np.linalg.norm(velocity, axis=-1).sum(axis=0) / frames).mean()),
        "standing_drift_mps": float((np.abs(travelled) / frames).mean()),
        "standing_steps_per_s": float((steps.sum(axis=(0, 2)) / (frames * recording.dt)).mean()),
    }


def _window_measures(pairs: Sequence[MatchedPair], spec: AMPStateSpec, dt: float) -> dict[str, float]:
    """Compute AUC, precision and recall, each with its floors."""
    columns = np.arange(spec.dim)
    groups = {name: columns[spec.features[name]] for name in ("joint_pos", "joint_vel")}
    groups["root"] = np.setdiff1d(columns, np.concatenate(list(groups.values())))
    hip = spec.features["joint_pos"].start + hip_joint(spec.joint_names)
    kinds = [(f"two_sample_auc_{name}", frames, columns) for name, frames in _AUC_FRAMES.items()]
    kinds += [(f"two_sample_auc_{name}", _GROUP_FRAMES, group) for name, group in groups.items()]
    result = {}
    for name, frames, chosen in kinds:
        for suffix, found in zip(SUFFIXES, _comparisons(pairs, frames, hip, dt)):
            areas = [cross_validated_auc(*balanced_windows(*sides, frames, chosen)) for sides in found]
            result[name + suffix] = _mean(areas)
    for suffix, found in zip(SUFFIXES, _comparisons(pairs, _GROUP_FRAMES, hip, dt)):
        shares = [precision_and_recall(*balanced_windows(*sides, _GROUP_FRAMES, columns)) for sides in found]
        shares = shares or [(np.nan, np.nan)]
        result |= {f"{name}{suffix}": _mean(values) for name, values in zip(("precision", "recall"), zip(*shares))}
    return result


def _comparisons(pairs: Sequence[MatchedPair], num_frames: int, hip: int, dt: float) -> tuple[list[_Sides], ...]:
    """Return reference and policy; two parts of the reference; two halves of the robots, drawn several times.

    Fewer than :data:`_FEWEST_PIECES` blocks of the reference, or robots, are not divided.
    """
    rng = np.random.default_rng(0)
    clips = [[[part] for clip in pair.clips for part in np.array_split(clip, 2)] for pair in pairs]
    blocks = [[[b] for clip in pair.clips for b in _whole_strides(clip, num_frames, hip, dt)] for pair in pairs]
    robots = [pair.robots for pair in pairs]
    drawn = [[[at[i] for i in rng.permutation(len(at))] for at in robots] for _ in range(_NUM_DRAWS)]
    floors = [
        [(_parts([at[::2] for at in draw]), _parts([at[1::2] for at in draw])) for draw in draws]
        if sum(map(len, draws[0])) >= _FEWEST_PIECES
        else []
        for draws in ([blocks], drawn)
    ]
    return [(_parts(clips), _parts(robots))], *floors


def _parts(pieces: Sequence[Sequence[Sequence[np.ndarray]]]) -> list[Part]:
    """Divide the pieces of each command into two folds; a piece is one or more sequences (T, D).

    Alternate commands are in alternate folds: a classifier that is trained and tested on parts of the same clip recognises
    that clip, whatever is different about it. With few commands, a fold has every other piece of each.
    """
    by_command = len(pieces) >= _FEWEST_COMMANDS
    return [
        Part(command, (command if by_command else command + index) % 2, states)
        for command, at in enumerate(pieces)
        for index, sequences in enumerate(at)
        for states in sequences
    ]


def _whole_strides(clip: np.ndarray, num_frames: int, hip: int, dt: float) -> list[np.ndarray]:
    """Contiguous blocks of a clip, of whole strides and so of all phases, and at least twice as long as a window."""
    stride = 1.0 / (dt * float(dominant_frequency(clip[:, hip], dt)))
    length = stride * np.ceil(2 * num_frames / stride)
    edges = np.arange(0, len(clip) + 0.5, length).round().astype(int)
    return [clip[start:stop] for start, stop in pairwise(edges)]


def _stride_measures(strides: Sequence[WalkingStrides], spec: AMPStateSpec) -> dict[str, float]:
    """Compare the mean cycles, each comparison with its floors, and average over the commands."""
    legs = find_legs(spec.joint_names)
    cycles: tuple[list, ...] = ([], [], [])
    for at in strides:
        cycles[0].append((at.policy, at.reference))
        every = np.concatenate(at.clips)
        if len(every) > 1:
            cycles[1].append((every[::2].mean(axis=0), every[1::2].mean(axis=0)))
        if len(at.robots) > 1:
            cycles[2].append(tuple(np.concatenate(at.robots[i::2]).mean(axis=0) for i in (0, 1)))
    result = {}
    for suffix, found in zip(SUFFIXES, cycles):
        result[f"stride_distance_rad{suffix}"] = _mean([stride_distance(*both) for both in found])
        lags = [phase_difference(*(joint_lags(cycle, legs) for cycle in both)) for both in found]
        result[f"coordination_difference{suffix}"] = _mean(lags)
    for prefix, side in (("leg_phase", 0), ("reference_leg_phase", 1)):
        phases = [leg_phases(both[side], legs) for both in cycles[0]] if legs else []
        result |= {f"{prefix}_{leg.name}": float(p) for leg, p in zip(legs, mean_phase(np.array(phases)) if phases else ())}
    return result


def _mean(values: Sequence[float] | Sequence[np.ndarray]) -> float:
    flat = np.ravel(values)
    return float(flat.mean()) if len(flat) else float("nan")
