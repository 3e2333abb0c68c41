"""One picture of a matched test: cycles, separability, precision, frequency, amplitude and phases at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from amp_runner.evaluation.gait_metrics import WALKING_SPEED, GaitRecording, stride_metrics
from amp_runner.evaluation.judge import SUFFIXES, WalkingStrides, walking_strides
from amp_runner.evaluation.legs import Leg, find_legs, hip_joint
from amp_runner.evaluation.matching import MatchedPair, match
from amp_runner.evaluation.strides import leg_phases
from amp_runner.motions.clip import Motion
from amp_runner.state import AMPStateSpec

_POLICY, _REFERENCE = "tab:blue", "black"
_COLORS = ("tab:blue", "0.75", "0.5")
_LABELS = ("policy vs reference", "reference vs itself", "policy vs itself")
_AUC = {
    "1_frame": "1 frame",
    "5_frames": "5 frames",
    "20_frames": "20 frames",
    "root": "root",
    "joint_pos": "joint\npositions",
    "joint_vel": "joint\nvelocities",
}
_DIFFERENCES = {"stride_distance_rad": "stride\ndistance [rad]", "coordination_difference": "coordination\n[stride]"}


def write_glance(folder: Path, recording: GaitRecording, reference: Motion, measures: dict[str, float]) -> list[str]:
    """Write ``at_a_glance.png``; returns its name.

    Args:
        folder: folder to write to, which exists.
        recording: robots without pushes, at commands of the reference.
        reference: reference motion with commands, in the layout and time step of the recording.
        measures: what :func:`~.judge.judge_gait` found.
    """
    spec, dt = recording.spec, recording.dt
    pairs, legs = match(recording, reference), find_legs(spec.joint_names)
    strides = walking_strides(pairs, spec, dt)
    figure, axes = plt.subplots(3, 4, figsize=(17, 9), layout="constrained", width_ratios=(1, 1, 1, 1.5))
    _cycles(axes[:2, :3], strides, legs, spec)
    _bars(axes[0, 3], measures, {f"two_sample_auc_{name}": label for name, label in _AUC.items()})
    axes[0, 3].axhline(0.5, color="k", lw=0.8, ls=":")
    axes[0, 3].set(title="two-sample AUC, 0.5 is ideal", ylim=(0.4, 1.15))
    _bars(axes[1, 3], measures, {"precision": "precision", "recall": "recall"})
    axes[1, 3].set(title="precision and recall, 1 is ideal", ylim=(0.0, 1.1))
    _ratios(axes[2, :2], pairs, spec, dt)
    _phases(axes[2, 2], strides, legs)
    _bars(axes[2, 3], measures, _DIFFERENCES)
    axes[2, 3].set_title("difference of mean strides, 0 is ideal")
    axes[0, 3].legend(fontsize=8, loc="upper center", ncols=3, frameon=False)
    figure.savefig(folder / "at_a_glance.png", dpi=110)
    plt.close(figure)
    return ["at_a_glance"]


def _cycles(axes: np.ndarray, strides: Sequence[WalkingStrides], legs: list[Leg], spec: AMPStateSpec) -> None:
    """Hip and knee of the first leg over the phase, at the slowest, a middle and the fastest forward command."""
    knee = legs[0].knee if legs else None
    joints = [joint for joint in (hip_joint(spec.joint_names), knee) if joint is not None]
    forward = sorted((s for s in strides if s.command[0] > 0), key=lambda s: s.command[0]) or list(strides)
    numbers = sorted({round(place * (len(forward) - 1)) for place in (0.0, 0.5, 1.0)})
    shown = [forward[number] for number in numbers] if forward else []
    for axis in (*axes[: len(joints), len(shown) :].flat, *axes[len(joints) :].flat):
        axis.set_axis_off()
    for row, joint in zip(axes, joints):
        for axis, at in zip(row, shown):
            phase = np.arange(len(at.policy)) / len(at.policy)
            low, high = np.percentile(np.concatenate(at.robots)[..., joint], (10, 90), axis=0)
            axis.fill_between(phase, low, high, color=_POLICY, alpha=0.2, lw=0, label="80 % of the policy's strides")
            axis.plot(phase, at.policy[:, joint], color=_POLICY, label="policy")
            axis.plot(phase, at.reference[:, joint], color=_REFERENCE, ls="--", label="reference")
            vx, vy, turn = at.command
            axis.set_title(f"{spec.joint_names[joint]}\n{vx:.2f}, {vy:.2f} m/s, {turn:.2f} rad/s", fontsize=9)
            axis.set_xlabel("phase [stride]", fontsize=8)
            axis.grid(alpha=0.3)
        for axis in row[1:]:
            axis.sharey(row[0])
        row[0].set_ylabel("position [rad]")
    if shown:
        axes[0, 0].legend(fontsize=7)


def _bars(axis: Axes, measures: dict[str, float], names: dict[str, str]) -> None:
    """One group of bars for each measure: the comparison and its two floors."""
    places = np.arange(len(names))
    for number, (suffix, color, label) in enumerate(zip(SUFFIXES, _COLORS, _LABELS)):
        values = [measures.get(name + suffix, np.nan) for name in names]
        bars = axis.bar(places + 0.27 * (number - 1), values, width=0.27, color=color, label=label)
        labels = ["" if np.isnan(value) else f"{value:.2g}" for value in values]
        axis.bar_label(bars, labels, fontsize=7, padding=1)
    axis.margins(y=0.12)
    axis.set_xticks(places, list(names.values()), fontsize=8)


def _ratios(axes: np.ndarray, pairs: Sequence[MatchedPair], spec: AMPStateSpec, dt: float) -> None:
    """Stride frequency and hip amplitude of the policy over the reference's, at every walking command."""
    walking = [pair for pair in pairs if abs(pair.command[0]) >= WALKING_SPEED]
    joints, hip = spec.features["joint_pos"], hip_joint(spec.joint_names)

    def typical(sequences: Sequence[np.ndarray]) -> np.ndarray:
        return np.median([np.ravel(stride_metrics(s[:, None, joints], dt, hip)) for s in sequences], axis=0)

    ratios = np.array([typical([s for episodes in p.robots for s in episodes]) / typical(p.clips) for p in walking]).reshape(
        -1, 2
    )
    for axis, values, title in zip(axes, ratios.T, ("stride frequency ratio", "hip amplitude ratio")):
        axis.axhline(1.0, color=_REFERENCE, ls="--", lw=1)
        axis.plot([pair.command[0] for pair in walking], values, "o", color=_POLICY)
        axis.set(title=title, xlabel="commanded vx [m/s]", ylim=(0.0, max(1.5, 1.1 * values.max(initial=0.0))))
        axis.grid(alpha=0.3)


def _phases(axis: Axes, strides: Sequence[WalkingStrides], legs: list[Leg]) -> None:
    """Phase of each leg after the first, at every walking command."""
    for side, color, marker, lift in (("policy", _POLICY, "o", 0.12), ("reference", _REFERENCE, "x", -0.12)):
        phases = np.array([leg_phases(getattr(at, side), legs) for at in strides]).reshape(-1, len(legs))
        # The first leg's own phase, and legs in step with it, are at 0 and not at 1.
        phases = (phases + 0.25) % 1.0 - 0.25
        rows = np.broadcast_to(np.arange(len(legs)) + lift, phases.shape)
        axis.plot(phases.ravel(), rows.ravel(), marker, color=color, alpha=0.6, label=side)
    axis.set_yticks(range(len(legs)), [leg.name for leg in legs])
    axis.set(
        title="phase of the legs", xlabel="after the first leg [stride]", xlim=(-0.25, 0.75), ylim=(len(legs) - 0.5, -0.5)
    )
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7)
