"""An exported policy being watched in plain MuJoCo."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from amp_runner.deploy import DeployedPolicy
from amp_runner.deploy.mujoco_robot import MujocoRobot
from amp_runner.errors import AMPError
from amp_runner.motions.robot_model import RobotModel
from amp_runner.viewers.page_access import new_page
from amp_runner.viewers.player import CommandSchedule, in_real_time
from amp_runner.viewers.rendering import add_robot, draw, follow, open_renderer, point_camera

if TYPE_CHECKING:
    from amp_runner.learning.style_scorer import StyleScore


class MujocoPlayer:
    """A robot in plain MuJoCo with its exported policy; see :class:`~.player.Player`."""

    style: StyleScore | None = None
    has_style_score: bool = False  # the discriminator is not exported

    def __init__(self, folder: str) -> None:
        """Read the export.

        Raises:
            ConfigError: it is incomplete or damaged.
        """
        self._policy = DeployedPolicy(folder)
        description = self._policy.description
        self._model_path = description.model_path(folder)
        self._robot = MujocoRobot(description, self._model_path)
        self.dt, self.command_ranges = description.control_dt, description.command_ranges
        self.command = np.zeros(3)
        self._renderer: Any = None
        self._bodies: dict[int, Any] = {}

    def step(self) -> None:
        """Run the policy for one step; a robot that has fallen is reset."""
        self._robot.step(self._policy(self._robot.signals(self.command)))
        if self._robot.fallen:
            self.reset()

    def reset(self) -> None:
        """Put the robot back on its feet."""
        self._robot.reset()
        self._policy.reset()

    def push(self, velocity: np.ndarray) -> None:
        """Change the base's planar velocity, (2,) [m/s]."""
        self._robot.push(velocity)

    def velocity(self) -> np.ndarray:
        """Return forward and sideways velocity [m/s] and yaw rate [rad/s] in the heading frame, (3,)."""
        return self._robot.velocity

    def position(self) -> np.ndarray:
        """Return the position of the base in the world, (3,) [m]."""
        return self._robot.data.qpos[:3].copy()

    def picture(self) -> np.ndarray:
        """Draw the robot from the side, (H, W, 3), uint8.

        Raises:
            AMPError: there is no OpenGL that draws without a screen.
        """
        if self._renderer is None:
            self._renderer = open_renderer(self._robot.model)
        return draw(self._renderer, self._robot.model, self._robot.data)

    def open_page(self, port: int) -> Any:
        """Show the scene in the browser; returns viser's server."""
        server = new_page(port, width=40.0)
        self._bodies = add_robot(server.scene, "/robot", RobotModel(self._model_path, self._robot.joint_names))
        return server

    def draw_page(self) -> None:
        """Update the scene in the browser."""
        for body, handle in self._bodies.items():
            handle.position, handle.wxyz = self._robot.data.xpos[body], self._robot.data.xquat[body]

    def run_window(self, seconds: float | None, schedule: CommandSchedule) -> None:
        """Run in MuJoCo's window, in real time, until it is closed.

        Raises:
            AMPError: the window cannot open.
        """
        import mujoco.viewer

        others = set(threading.enumerate())
        try:
            window = mujoco.viewer.launch_passive(
                self._robot.model, self._robot.data, show_left_ui=False, show_right_ui=False
            )
        except RuntimeError as error:
            raise AMPError(f"no window can open here ({error}); use --web or --video FILE") from error
        drawing = set(threading.enumerate()) - others
        try:
            self._walk_in(window, seconds, schedule)
        finally:
            for thread in drawing:  # a program that ends while MuJoCo still draws crashes
                thread.join(10.0)

    def _walk_in(self, window: Any, seconds: float | None, schedule: CommandSchedule) -> None:
        with window:
            point_camera(window.cam, self._robot.model)
            for now in in_real_time(self.dt, seconds):
                if not window.is_running():
                    return
                self.command = np.array(schedule(now))
                self.step()
                follow(window.cam, self._robot.model, self._robot.data)
                window.sync()
