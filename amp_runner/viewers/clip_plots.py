"""Plots of a clip: joints, root, footfalls, spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from amp_runner.evaluation import gait_metrics
from amp_runner.evaluation.legs import hip_joint
from amp_runner.motions.clip import Motion
from amp_runner.motions.robot_model import GroundContacts, RobotModel
from amp_runner.motions.root_path import root_path

_UNITS = {
    "root_height": " [m]",
    "joint_pos": " [rad]",
    "joint_vel": " [rad/s]",
    "root_lin_vel": ", {frame} frame [m/s]",
    "root_ang_vel": ", {frame} frame [rad/s]",
    "key_body_pos": ", {frame} frame [m]",
    "key_body_vel": ", {frame} frame [m/s]",
}


def plot_clip(motion: Motion, robot: RobotModel | None, out: str) -> None:
    """Draw joints, root, footfalls and spectrum of a motion with one clip.

    Args:
        motion: a motion with ``dt`` and one clip.
        robot: the robot, for the footfalls; None: the path of the root is drawn instead.
        out: picture to write.
    """
    spec, states, dt = motion.spec, motion.states, motion.known_dt
    part = {name: states[:, columns] for name, columns in spec.features.items()}
    time = np.arange(len(states)) * dt
    rows = -(-(len(part) + 2) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(13, 3 * rows), layout="constrained", squeeze=False)
    figure.suptitle(f"{motion.path}: {len(states)} frames, {len(states) * dt:.2f} s")
    for axis, (name, values) in zip(axes.flat, part.items()):
        labels = [column.removeprefix(f"{name} ") for column in spec.columns[spec.features[name]]]
        _lines(
            axis, time, values, labels, f"{name.replace('_', ' ')}{_UNITS.get(name, '').format(frame=spec.velocity_frame)}"
        )
    ground, spectrum = axes.flat[len(part)], axes.flat[len(part) + 1]
    if robot is not None:
        draw_footfalls(ground, time, robot.ground_contacts(states, spec, dt))
    elif "root_height" in part:
        path = root_path(states, spec, dt).position
        ground.plot(path[:, 0], path[:, 1])
        ground.set(title="path of the root [m] (--robot shows footfalls)", aspect="equal")
    if "joint_pos" in part:
        _spectrum(spectrum, part["joint_pos"], spec.joint_names, dt)
    figure.savefig(out, dpi=100)
    plt.close(figure)


def plot_gait(motion: Motion, robot: RobotModel, out: str) -> None:
    """Draw footfalls and joint positions of a motion with one clip, legible at the size of a TensorBoard card.

    Args:
        motion: a motion with ``dt`` and one clip.
        robot: the robot.
        out: picture to write.
    """
    spec, states, dt = motion.spec, motion.states, motion.known_dt
    time = np.arange(len(states)) * dt
    with plt.rc_context({"font.size": 13}):
        figure, axes = plt.subplots(2, 1, figsize=(8, 7), layout="constrained", height_ratios=(1, 2))
        draw_footfalls(axes[0], time, robot.ground_contacts(states, spec, dt))
        for column, name in enumerate(spec.joint_names):
            axes[1].plot(time, states[:, spec.features["joint_pos"]][:, column], label=name)
        axes[1].set(title="joint positions [rad]", xlabel="time [s]", xlim=(time[0], time[-1]))
        figure.legend(loc="outside lower center", fontsize=11, ncols=2)
        axes[1].grid(alpha=0.3)
    figure.savefig(out, dpi=80)
    plt.close(figure)


def draw_footfalls(axis: plt.Axes, time: np.ndarray, contacts: GroundContacts) -> None:
    """Draw a bar where each body is on the ground."""
    names = contacts.names
    for row, touching in enumerate(contacts.touching.T):
        axis.fill_between(time, row + 0.1, row + 0.9, where=list(touching), step="mid")
        axis.text(time[-1], row + 0.5, f" {touching.mean():.0%}", va="center", fontsize=8)
    axis.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=8)
    axis.set(title="on the ground", xlabel="time [s]", xlim=(time[0], time[-1]), ylim=(0, max(len(names), 1)))


def _lines(axis: plt.Axes, time: np.ndarray, values: np.ndarray, names: Sequence[str], title: str) -> None:
    for column, name in enumerate(names):
        axis.plot(time, values[:, column], lw=1, label=name)
    axis.set(title=title, xlabel="time [s]", xlim=(time[0], time[-1]))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=6, ncols=2, loc="upper right")


def _spectrum(axis: plt.Axes, joint_pos: np.ndarray, names: tuple[str, ...], dt: float) -> None:
    window = np.hanning(len(joint_pos))[:, None]
    amplitude = 2 * np.abs(np.fft.rfft((joint_pos - joint_pos.mean(axis=0)) * window, n=4096, axis=0)) / window.sum()
    frequency = np.fft.rfftfreq(4096, dt)
    hip = hip_joint(names)
    shown = frequency <= gait_metrics.FREQUENCY_BAND[1]
    for column, name in enumerate(names):
        axis.plot(frequency[shown], amplitude[shown, column], lw=1, label=name)
    stride = float(gait_metrics.dominant_frequency(joint_pos[:, hip], dt))
    axis.axvline(stride, color="grey", ls=":", label=f"stride {stride:.2f} Hz")
    axis.set(title="spectrum [rad]", xlabel="frequency [Hz]")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=6, ncols=2, loc="upper right")
