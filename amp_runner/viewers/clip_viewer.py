"""Clips on their robot: in the browser, in a video, in a picture."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from amp_runner.motions.clip import Motion, load_motion
from amp_runner.motions.edit import cut_motion
from amp_runner.motions.robot_model import RobotModel
from amp_runner.motions.root_path import RootPath, root_path
from amp_runner.viewers.page_access import new_page, page_address
from amp_runner.viewers.rendering import add_robot, draw, open_renderer, open_video

_GAP = 0.5  # [m] between robots shown side by side
_PICTURE_MOMENTS = 6


@dataclass
class ShownClip:
    """A clip on its robot."""

    motion: Motion
    robot: RobotModel
    offset: np.ndarray
    """Displacement of this robot from its path, (3,) [m]."""
    path: RootPath
    joint_pos: np.ndarray
    """(T, J) [rad]."""
    bodies: list[str]
    """Bodies that touch the ground."""
    contact: np.ndarray
    """Whether each body touches the ground, (T, B)."""

    @classmethod
    def from_motion(cls, motion: Motion, robot: RobotModel, clip: int, offset: np.ndarray) -> ShownClip:
        """Prepare one clip of a motion.

        Raises:
            MotionError: the file lacks 'dt', its layout, or that clip.
        """
        motion = cut_motion(motion, clips=[clip])
        spec = motion.spec
        contacts = robot.ground_contacts(motion.states, spec, motion.known_dt)
        path = root_path(motion.states, spec, motion.known_dt)
        joint_pos = motion.states[:, spec.features["joint_pos"]]
        return cls(motion, robot, offset, path, joint_pos, contacts.names, contacts.touching)

    @property
    def duration(self) -> float:
        """Length of the clip [s]."""
        return (len(self.joint_pos) - 1) * self.motion.known_dt

    def pose(self, at: float) -> None:
        """Pose the robot as at a time [s]; after the end of the clip, as in its last frame."""
        frame = min(round(at / self.motion.known_dt), len(self.joint_pos) - 1)
        self.robot.pose(self.path.position[frame] + self.offset, self.path.rotation[frame], self.joint_pos[frame])


def show_clips(motions: list[Motion], robots: list[RobotModel], clip: int) -> list[ShownClip]:
    """Prepare the same clip of several motions, side by side."""
    return [ShownClip.from_motion(m, r, clip, _offset(i)) for i, (m, r) in enumerate(zip(motions, robots))]


def serve(motions: list[Motion], robots: list[RobotModel], clip: int, port: int) -> None:
    """Serve the page until Ctrl-C."""
    page = Page(motions, robots, clip, port)
    print(f"amp-motion view: {page_address(page.server.get_port())}  (Ctrl-C ends)", flush=True)
    try:
        while True:
            page.step()
    except KeyboardInterrupt:
        page.server.stop()


def _offset(number: int) -> np.ndarray:
    return np.array([0.0, -_GAP * number, 0.0])


class Page:
    """The page in the browser: robots, time line, footfalls and joint curves."""

    def __init__(self, motions: list[Motion], robots: list[RobotModel], clip: int, port: int) -> None:
        """Start the server.

        Args:
            motions: motions, shown side by side.
            robots: a robot for each motion.
            clip: clip that is shown first.
            port: port of the page; the next free one is taken if it is in use.
        """
        self.server = new_page(port, width=20.0)
        self._motions, self._robots = motions, robots
        self._bodies = [add_robot(self.server.scene, f"/robot_{i}", robot) for i, robot in enumerate(robots)]
        self._shown: list[ShownClip] = []
        self._curves: list[Any] = []
        self._last_step = time.monotonic()
        self._is_changed = False
        self._add_controls(clip)
        self._show_clips()
        self.server.initial_camera.position, self.server.initial_camera.look_at = (1.0, -1.4, 0.7), (0.3, -0.2, 0.15)

    def _add_controls(self, clip: int) -> None:
        gui = self.server.gui
        self.playing = gui.add_checkbox("Play", True)
        self.time = gui.add_slider("Time [s]", min=0.0, max=1.0, step=0.001, initial_value=0.0)
        self.speed = gui.add_slider("Speed", min=0.1, max=2.0, step=0.1, initial_value=1.0)
        self.follow = gui.add_checkbox("Stay in place", False, hint="show the robot without its path over the ground")
        self.clips = []
        for motion in self._motions:
            names = [f"{i}{_command_text(motion, i)}" for i in range(len(motion.clip_lengths))]
            chosen = gui.add_dropdown(os.path.basename(motion.path), names, initial_value=names[min(clip, len(names) - 1)])
            # Callbacks run in another thread, and the robots belong to this one.
            chosen.on_update(lambda _: setattr(self, "_is_changed", True))
            self.clips.append(chosen)
        self._curve_folder = gui.add_folder("Footfalls and joints")

    def _show_clips(self) -> None:
        chosen = [int(clip.value.split(":")[0]) for clip in self.clips]
        self._shown = [
            ShownClip.from_motion(motion, robot, clip, _offset(i))
            for i, (motion, robot, clip) in enumerate(zip(self._motions, self._robots, chosen))
        ]
        self.time.max = max(shown.duration for shown in self._shown)
        self.time.value = 0.0
        for curve in self._curves:
            curve.remove()
        with self._curve_folder:
            self._curves = [curve for shown in self._shown for curve in add_curves(self.server.gui, shown)]
        self._draw()

    def step(self) -> None:
        """Advance by the elapsed time, and draw."""
        time.sleep(max(0.0, self._last_step + 1 / 60 - time.monotonic()))
        now = time.monotonic()
        passed, self._last_step = now - self._last_step, now
        if self._is_changed:
            self._is_changed = False
            self._show_clips()
        if self.playing.value:
            self.time.value = (self.time.value + passed * self.speed.value) % max(self.time.max, 1e-3)
        self._draw()

    def _draw(self) -> None:
        with self.server.atomic():
            for shown, bodies in zip(self._shown, self._bodies):
                shown.pose(self.time.value)
                data = shown.robot.data
                place = data.xpos[1] * [1, 1, 0] - shown.offset if self.follow.value else np.zeros(3)
                for body, handle in bodies.items():
                    handle.position, handle.wxyz = data.xpos[body] - place, data.xquat[body]


def _command_text(motion: Motion, clip: int) -> str:
    if motion.commands is None:
        return ":"
    return ": " + " ".join(f"{x:+.2f}" for x in motion.clip_commands()[clip])


def add_curves(gui: Any, shown: ShownClip) -> list[Any]:
    """Add footfalls and joint positions of a clip to the page; returns their handles."""
    from viser import uplot

    at = np.arange(len(shown.joint_pos)) * shown.motion.known_dt
    colors = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f")

    def plot(title: str, names: list[str], columns: np.ndarray) -> Any:
        series = [uplot.Series(label="s")]
        series += [uplot.Series(label=n, stroke=colors[i % len(colors)], width=1.5) for i, n in enumerate(names)]
        data = (at, *(np.ascontiguousarray(column, dtype=float) for column in columns.T))
        scales = {"x": uplot.Scale(time=False, auto=True), "y": uplot.Scale(auto=True)}
        return gui.add_uplot(data, tuple(series), title=title, scales=scales, aspect=1.6)

    rows = np.arange(len(shown.bodies))
    footfalls = np.where(shown.contact, rows + 0.8, rows + 0.1)
    return [
        plot("on the ground", shown.bodies, footfalls),
        plot("joints [rad]", list(shown.robot.joint_names), shown.joint_pos),
    ]


def write_video(shown: ShownClip, out: str) -> int:
    """Write a video of a clip, in real time; returns the number of frames.

    Raises:
        AMPError: drawing is impossible here, or no video can be written.
    """
    rate, every = (12.5, 2) if out.endswith(".gif") else (30, 1)  # a film for TensorBoard has to be small
    frames = int(shown.duration * rate) + 1
    with open_renderer(shown.robot.model) as renderer, open_video(out, rate) as writer:
        for frame in range(frames):
            shown.pose(frame / rate)
            writer.append_data(draw(renderer, shown.robot.model, shown.robot.data)[::every, ::every])
    return frames


def write_picture(shown: ShownClip, out: str) -> None:
    """Write a picture of the robot at several moments of a clip, side by side.

    Raises:
        AMPError: drawing is impossible here.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    moments = np.linspace(0, min(shown.duration, 1.0), _PICTURE_MOMENTS)
    figure, axes = plt.subplots(1, len(moments), figsize=(2.6 * len(moments), 3), layout="constrained")
    with open_renderer(shown.robot.model) as renderer:
        for axis, moment in zip(axes, moments):
            shown.pose(moment)
            axis.imshow(draw(renderer, shown.robot.model, shown.robot.data)[:, 80:-80])
            axis.set_title(f"{moment:.2f} s", fontsize=9)
            axis.axis("off")
    figure.savefig(out, dpi=100)


def draw_film(clip: str, robot: str, out: str) -> None:
    """Write a video of the first clip of a file; for :mod:`amp_runner.viewers.snapshots`."""
    motion = load_motion(clip)
    write_video(ShownClip.from_motion(motion, RobotModel(robot, motion.spec.joint_names), 0, np.zeros(3)), out)


def draw_gait(clip: str, robot: str, out: str) -> None:
    """Plot footfalls and joints of the first clip of a file; for :mod:`amp_runner.viewers.snapshots`."""
    from amp_runner.viewers.clip_plots import plot_gait

    motion = load_motion(clip)
    plot_gait(motion, RobotModel(robot, motion.spec.joint_names), out)
