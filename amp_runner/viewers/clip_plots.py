"""Plots of a clip: joints, root, footfalls, spectrum."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from amp_runner.evaluation import gait_metrics
from amp_runner.motions.clip import Motion
from amp_runner.motions.robot_model import CONTACT_HEIGHT, RobotModel, root_path


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
    figure, axes = plt.subplots(4, 2, figsize=(13, 12), layout="constrained")
    figure.suptitle(f"{motion.path}: {len(states)} frames, {len(states) * dt:.2f} s")
    _lines(axes[0, 0], time, part["joint_pos"], spec.joint_names, "joint positions [rad]")
    _lines(axes[0, 1], time, part["joint_vel"], spec.joint_names, "joint velocities [rad/s]")
    _lines(axes[1, 0], time, part["root_height"], ("height",), "root height [m]")
    _lines(axes[1, 1], time, part[spec.layout[1]], "xyzw", spec.layout[1])
    _lines(axes[2, 0], time, part["root_lin_vel"], "xyz", f"root velocity, {spec.velocity_frame} frame [m/s]")
    _lines(axes[2, 1], time, part["root_ang_vel"], "xyz", f"root angular velocity, {spec.velocity_frame} frame [rad/s]")
    if robot is None:
        path = root_path(states, spec, dt).position
        axes[3, 0].plot(path[:, 0], path[:, 1])
        axes[3, 0].set(title="path of the root [m] (--robot shows footfalls)", aspect="equal")
    else:
        draw_footfalls(axes[3, 0], time, *robot.lowest_points(states, spec, dt))
    _spectrum(axes[3, 1], part["joint_pos"], spec.joint_names, dt)
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
        draw_footfalls(axes[0], time, *robot.lowest_points(states, spec, dt))
        for column, name in enumerate(spec.joint_names):
            axes[1].plot(time, states[:, spec.features["joint_pos"]][:, column], label=name)
        axes[1].set(title="joint positions [rad]", xlabel="time [s]", xlim=(time[0], time[-1]))
        figure.legend(loc="outside lower center", fontsize=11, ncols=2)
        axes[1].grid(alpha=0.3)
    figure.savefig(out, dpi=80)
    plt.close(figure)


def draw_footfalls(axis: plt.Axes, time: np.ndarray, names: list[str], points: np.ndarray) -> None:
    """Draw a bar where the lowest point (T, B, 3) of each body is on the ground."""
    for row in range(len(names)):
        contact = points[:, row, 2] < CONTACT_HEIGHT
        axis.fill_between(time, row + 0.1, row + 0.9, where=contact, step="mid")
        axis.text(time[-1], row + 0.5, f" {contact.mean():.0%}", va="center", fontsize=8)
    axis.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=8)
    axis.set(title="on the ground", xlabel="time [s]", xlim=(time[0], time[-1]), ylim=(0, max(len(names), 1)))


def _lines(axis: plt.Axes, time: np.ndarray, values: np.ndarray, names: tuple[str, ...] | str, title: str) -> None:
    for column, name in enumerate(names[: values.shape[1]]):
        axis.plot(time, values[:, column], lw=1, label=name)
    axis.set(title=title, xlabel="time [s]", xlim=(time[0], time[-1]))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=6, ncols=2, loc="upper right")


def _spectrum(axis: plt.Axes, joint_pos: np.ndarray, names: tuple[str, ...], dt: float) -> None:
    window = np.hanning(len(joint_pos))[:, None]
    amplitude = 2 * np.abs(np.fft.rfft((joint_pos - joint_pos.mean(axis=0)) * window, n=4096, axis=0)) / window.sum()
    frequency = np.fft.rfftfreq(4096, dt)
    hip = gait_metrics.hip_joint(names)
    shown = frequency <= gait_metrics.FREQUENCY_BAND[1]
    for column, name in enumerate(names):
        axis.plot(frequency[shown], amplitude[shown, column], lw=1, label=name)
    stride = float(gait_metrics.dominant_frequency(joint_pos[:, hip], dt))
    axis.axvline(stride, color="grey", ls=":", label=f"stride {stride:.2f} Hz")
    axis.set(title="spectrum [rad]", xlabel="frequency [Hz]")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=6, ncols=2, loc="upper right")
