"""A player for mjlab: one robot with its policy, to be watched."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
import torch

from amp_runner.mjlab.access import restart_observations, robot_model
from amp_runner.mjlab.mdp import push_robots, root_state
from amp_runner.mjlab.simulation import Simulation
from amp_runner.state.rotations import rotate_inverse, yaw_quat
from amp_runner.viewers.page_access import new_page
from amp_runner.viewers.player import CommandSchedule, in_real_time
from amp_runner.viewers.rendering import add_robot, draw, follow, open_renderer, point_camera
from amp_runner.viewers.simulated_player import SimulatedPlayer


class MjlabPlayer(SimulatedPlayer):
    """The first robot of an mjlab environment; see :class:`~.player.Player`."""

    def __init__(self, sim: Simulation, score_style: bool = False) -> None:
        """Load the policy and, if requested and available, the discriminator; see :class:`.SimulatedPlayer`."""
        super().__init__(sim, score_style)
        self._robot = self._unwrapped.scene["robot"]
        self._model: mujoco.MjModel = self._unwrapped.sim.mj_model
        self._data = mujoco.MjData(self._model)
        self._renderer: Any = None
        self._bodies: dict[int, Any] = {}
        self._shown: Any = None

    def _restart_observations(self) -> Any:
        return restart_observations(self._env)

    def push(self, velocity: np.ndarray) -> None:
        """Change the base's planar velocity, (2,), heading frame [m/s]."""
        with torch.inference_mode():
            push_robots(self._robot, velocity[None])

    def velocity(self) -> np.ndarray:
        """Return forward and sideways velocity [m/s] and yaw rate [rad/s] in the heading frame, (3,)."""
        _, quat, linear, angular = root_state(self._robot)
        planar = rotate_inverse(yaw_quat(quat[:1]), linear[:1])[0]
        return torch.stack([planar[0], planar[1], angular[0, 2]]).cpu().numpy()

    def position(self) -> np.ndarray:
        """Return the position of the base in the world, (3,) [m]."""
        return root_state(self._robot)[0][0].cpu().numpy()

    def _update_data(self) -> None:
        self._data.qpos[:] = self._unwrapped.sim.data.qpos[0].cpu().numpy()
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)

    def picture(self) -> np.ndarray:
        """Draw the robot from the side, (H, W, 3), uint8.

        Raises:
            AMPError: there is no OpenGL that draws without a screen.
        """
        if self._renderer is None:
            self._renderer = open_renderer(self._model)
        self._update_data()
        return draw(self._renderer, self._model, self._data)

    def open_page(self, port: int) -> Any:
        """Show the scene in the browser; returns viser's server."""
        server = new_page(port, width=40.0)
        self._shown = robot_model(self._sim.env_cfg, tuple(self._robot.joint_names))
        self._bodies = add_robot(server.scene, "/robot", self._shown)
        return server

    def draw_page(self) -> None:
        """Update the scene in the browser."""
        from scipy.spatial.transform import Rotation

        position, quat, _, _ = root_state(self._robot)
        rotation = Rotation.from_quat(quat[0].cpu().numpy())
        self._shown.pose(position[0].cpu().numpy(), rotation, self._robot.data.joint_pos[0].cpu().numpy())
        for body, handle in self._bodies.items():
            handle.position, handle.wxyz = self._shown.data.xpos[body], self._shown.data.xquat[body]

    def run_window(self, seconds: float | None, schedule: CommandSchedule) -> None:
        """Run in MuJoCo's window, in real time, until it is closed."""
        import mujoco.viewer

        with mujoco.viewer.launch_passive(self._model, self._data, show_left_ui=False, show_right_ui=False) as window:
            point_camera(window.cam, self._model)
            for now in in_real_time(self.dt, seconds):
                if not window.is_running():
                    return
                self.command = np.array(schedule(now))
                self.step()
                self._update_data()
                follow(window.cam, self._model, self._data)
                window.sync()
