"""The pictures that ``amp-eval --plots`` draws: footfalls, phase portraits, speed sweep, spectrum, survival of pushes."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from amp_runner.evaluation import gait_metrics
from amp_runner.evaluation.pushes import SURVIVAL, PushOutcomes
from amp_runner.evaluation.trial import DIRECTIONS
from amp_runner.motions.clip import Motion

_SHOWN_COMMAND = np.array([0.5, 0.0, 0.0])
_SHOWN_SECONDS = 3.0


def write_plots(folder: Path, recording: gait_metrics.GaitRecording, reference: Motion, hip: int) -> list[str]:
    """Write ``footfalls.png``, ``phase_portraits.png``, ``speed_sweep.png`` and ``spectrum.png``; returns these names.

    Args:
        folder: folder to write to; created if missing.
        recording: robots that were not pushed.
        reference: the reference motion, with commands.
        hip: index of the joint that swings the left leg.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = round(gait_metrics.SETTLING_TIME / recording.dt)
    clip = reference.clips()[_nearest(reference.clip_commands())]
    robot = _nearest(recording.commands)
    figures = {
        "footfalls": _footfalls(recording, start),
        "phase_portraits": _phase_portraits(recording.states[start:, robot], clip, recording),
        "speed_sweep": _speed_sweep(recording, start, reference, hip),
        "spectrum": _spectrum(recording.states[start:, robot], clip, recording, hip),
    }
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=110)
        plt.close(figure)
    return list(figures)


def write_push_plot(folder: Path, outcomes: PushOutcomes, measures: dict[str, float]) -> list[str]:
    """Write ``pushes.png``, the share of survivors over the strength of the push; returns its name.

    Args:
        folder: folder to write to, which exists.
        outcomes: outcomes of graded pushes.
        measures: what :func:`~.pushes.push_measures` found.
    """
    figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
    for number, direction in enumerate(DIRECTIONS):
        found = outcomes.toward(direction)
        levels, index = np.unique(found.speed.round(9), return_inverse=True)
        shares = np.bincount(index, found.survived) / np.maximum(np.bincount(index), 1)
        limit = measures[f"push_survived_{direction}_mps"]
        bound = "at least " if len(levels) and limit >= levels[-1] else ""
        axis.plot(levels, shares, "o-", color=f"C{number}", label=f"{direction}: {bound}{limit:.2f} m/s")
        axis.plot([limit], [SURVIVAL], "x", color=f"C{number}", ms=9)
    axis.axhline(SURVIVAL, color="k", lw=0.8, ls=":")
    axis.set(xlabel="change of velocity by the push [m/s]", ylabel="share of survivors", ylim=(-0.03, 1.03))
    axis.grid(alpha=0.3)
    axis.legend(title=f"survived by {SURVIVAL:.0%}")
    figure.savefig(folder / "pushes.png", dpi=110)
    plt.close(figure)
    return ["pushes"]


def _nearest(commands: np.ndarray) -> int:
    return int(np.linalg.norm(commands - _SHOWN_COMMAND, axis=-1).argmin())


def _footfalls(recording: gait_metrics.GaitRecording, start: int) -> plt.Figure:
    """Bars where each foot is on the ground, for every forward speed."""
    forward = [i for i in np.unique(recording.commands, axis=0, return_index=True)[1] if not recording.commands[i, 1:].any()]
    figure, axis = plt.subplots(figsize=(10, max(1.5, 0.5 + 0.5 * len(forward))), layout="constrained")
    frames = slice(start, start + round(_SHOWN_SECONDS / recording.dt))
    time, num_feet = np.arange(frames.stop - frames.start) * recording.dt, recording.foot_contact.shape[2]
    for row, robot in enumerate(sorted(forward, key=lambda i: recording.commands[i, 0])):
        for foot in range(num_feet):
            contact = recording.foot_contact[frames, robot, foot]
            low, high = row + 0.8 * np.array([foot, foot + 1]) / num_feet
            axis.fill_between(time[: len(contact)], low, high, where=contact, color=f"C{foot}")
    axis.set_yticks(np.arange(len(forward)) + 0.4, [f"{v:.1f}" for v in sorted(recording.commands[forward, 0])])
    axis.set_ylabel("commanded vx [m/s]")
    axis.set_xlabel("time [s]; feet from bottom to top in the task's order, the first blue, the second orange")
    return figure


def _phase_portraits(states: np.ndarray, clip: np.ndarray, recording: gait_metrics.GaitRecording) -> plt.Figure:
    """Joint velocity over joint position, policy and reference, near 0.5 m/s."""
    features, names = recording.spec.features, recording.spec.joint_names
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(4 * columns, 3 * rows), layout="constrained", squeeze=False)
    for joint, (axis, name) in enumerate(zip(axes.flat, names)):
        for values, label in ((states, "policy"), (clip, "reference")):
            axis.plot(
                values[:, features["joint_pos"]][:, joint], values[:, features["joint_vel"]][:, joint], lw=0.8, label=label
            )
        axis.set_title(name, fontsize=9)
        axis.grid(alpha=0.3)
    axes[0, 0].legend(fontsize=8)
    figure.supxlabel("position [rad]")
    figure.supylabel("velocity [rad/s]")
    return figure


def _speed_sweep(recording: gait_metrics.GaitRecording, start: int, reference: Motion, hip: int) -> plt.Figure:
    """Stride frequency, hip amplitude, speed and duty factor over the commanded forward speed."""
    joints = recording.spec.features["joint_pos"]
    straight = ~recording.commands[:, 1:].any(axis=1)
    frequency, amplitude = gait_metrics.stride_metrics(recording.states[start:, straight][..., joints], recording.dt, hip)
    speed = recording.feature("root_lin_vel")[start:, straight, 0].mean(axis=0)
    slowest = recording.commands[straight, 0].min(initial=np.inf)
    all_clips = zip(reference.clip_commands(), reference.clips())
    clips = [(c[0], x) for c, x in all_clips if c[0] > slowest - 0.01 and not c[1:].any()]
    expert = [gait_metrics.stride_metrics(x[:, None, joints], recording.dt, hip) for _, x in clips]
    duty = recording.foot_contact[start:, straight].mean(axis=(0, 2))
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.6), layout="constrained")
    titles = ("stride frequency [Hz]", "hip amplitude [rad]", "mean forward speed [m/s]", "duty factor")
    references = ([f[0] for f, _ in expert], [a[0] for _, a in expert], [v for v, _ in clips])
    for axis, title, values in zip(axes, titles, (frequency, amplitude, speed, duty)):
        axis.plot(recording.commands[straight, 0], values, ".", label="policy")
        axis.set_title(title)
        axis.set_xlabel("commanded vx [m/s]")
        axis.grid(alpha=0.3)
    # Clips hold no contacts, so there is no reference for the last one.
    for axis, target in zip(axes, references):
        axis.plot([v for v, _ in clips], target, "x", ms=4, label="reference")
    axes[0].legend()
    return figure


def _spectrum(states: np.ndarray, clip: np.ndarray, recording: gait_metrics.GaitRecording, hip: int) -> plt.Figure:
    """Amplitude spectrum of the left hip, policy and reference, near 0.5 m/s."""
    figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for values, label in ((states, "policy"), (clip, "reference")):
        signal = values[:, recording.spec.features["joint_pos"]][:, hip]
        window = np.hanning(len(signal))
        amplitude = 2 * np.abs(np.fft.rfft((signal - signal.mean()) * window, n=4096)) / window.sum()
        axis.plot(np.fft.rfftfreq(4096, recording.dt), amplitude, label=label)
    axis.set_xlim(0, gait_metrics.FREQUENCY_BAND[1])
    axis.set_xlabel("frequency [Hz]")
    axis.set_ylabel(f"{recording.spec.joint_names[hip]} [rad]")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure
