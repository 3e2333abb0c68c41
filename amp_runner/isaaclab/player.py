"""A player for Isaac Lab: one robot with its policy, to be watched."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from amp_runner.isaaclab.access import push_robots, restart_observations, robot_of
from amp_runner.isaaclab.simulation import Simulation
from amp_runner.state.rotations import rotate_inverse, yaw_quat
from amp_runner.viewers.page_access import protect_pages
from amp_runner.viewers.player import CommandSchedule, in_real_time
from amp_runner.viewers.rendering import PICTURE_SIZE
from amp_runner.viewers.simulated_player import SimulatedPlayer

_CAMERA = "play_camera"
_EYE = (0.65, -1.45, 0.35)  # [m] from the robot, in its heading frame: beside and a little in front of it
_LOOK_AT_HEIGHT = 0.19  # [m]
_CAMERA_TURN_RATE = 0.02  # fraction of the robot's turn that the camera follows from picture to picture


def add_camera(env_cfg: Any) -> None:
    """Add a ray-traced camera, which needs neither a screen nor a GPU nor Isaac Sim."""
    import isaaclab.sim as sim_utils
    from isaaclab.sensors import CameraCfg
    from isaaclab_newton.renderers import NewtonWarpRendererCfg

    camera = CameraCfg(
        prim_path="{ENV_REGEX_NS}/" + _CAMERA,
        spawn=sim_utils.PinholeCameraCfg(focal_length=30.0, clipping_range=(0.05, 50.0)),
        height=PICTURE_SIZE[0],
        width=PICTURE_SIZE[1],
        data_types=["rgb"],
        renderer_cfg=NewtonWarpRendererCfg(enable_shadows=True),
    )
    setattr(env_cfg.scene, _CAMERA, camera)


def add_page(env_cfg: Any, port: int) -> None:
    """Add Isaac Lab's page in the browser, which shows the scene."""
    from isaaclab_visualizers.viser import ViserVisualizerCfg

    protect_pages()
    env_cfg.sim.visualizer_cfgs = ViserVisualizerCfg(port=port, bind_address="127.0.0.1", open_browser=False)


class IsaacLabPlayer(SimulatedPlayer):
    """The first robot of an Isaac Lab environment; see :class:`~.player.Player`."""

    def __init__(self, sim: Simulation, score_style: bool = False) -> None:
        """Load the policy and, if requested and available, the discriminator; see :class:`.SimulatedPlayer`."""
        self._robot = robot_of(sim.env.unwrapped)
        self._camera_heading: torch.Tensor | None = None
        super().__init__(sim, score_style)

    def _amp_cfg(self) -> Any:
        amp_cfg = super()._amp_cfg()
        return None if amp_cfg is None else amp_cfg.to_dict()

    def _restart_observations(self) -> Any:
        return restart_observations(self._env)

    def push(self, velocity: np.ndarray) -> None:
        """Change the base's planar velocity, (2,), heading frame [m/s]."""
        with torch.inference_mode():
            push_robots(self._robot, velocity[None])

    def velocity(self) -> np.ndarray:
        """Return forward and sideways velocity [m/s] and yaw rate [rad/s] in the heading frame, (3,)."""
        data = self._robot.data
        heading = yaw_quat(data.root_link_quat_w.torch[:1])
        linear = rotate_inverse(heading, data.root_link_lin_vel_w.torch[:1])[0]
        return torch.stack([linear[0], linear[1], data.root_link_ang_vel_w.torch[0, 2]]).cpu().numpy()

    def position(self) -> np.ndarray:
        """Return the position of the base in the world, (3,) [m]."""
        return self._robot.data.root_link_pos_w.torch[0].cpu().numpy()

    def picture(self) -> np.ndarray:
        """Draw the robot from the side, (H, W, 3), uint8."""
        from isaaclab.utils.math import quat_apply

        camera = self._unwrapped.scene[_CAMERA]
        heading = yaw_quat(self._robot.data.root_link_quat_w.torch[:1])
        before = heading if self._camera_heading is None else self._camera_heading
        nearest = torch.where((before * heading).sum() < 0, -heading, heading)
        self._camera_heading = torch.nn.functional.normalize(torch.lerp(before, nearest, _CAMERA_TURN_RATE))
        target = self._look_at()
        eye = quat_apply(self._camera_heading, torch.tensor([_EYE], device=target.device))
        camera.set_world_poses_from_view(target + eye, target)
        camera.update(0.0, force_recompute=True)
        return camera.data.output["rgb"].torch[0, ..., :3].cpu().numpy()

    def _look_at(self) -> torch.Tensor:
        """Return the point at which a camera looks: the robot, at a constant height above its ground, (1, 3) [m]."""
        target = self._robot.data.root_link_pos_w.torch[:1].clone()
        target[:, 2] = self._unwrapped.scene.env_origins[:1, 2] + _LOOK_AT_HEIGHT
        return target

    def open_page(self, port: int) -> Any:
        """Return viser's server of the page that :func:`add_page` added."""
        page = next(v for v in self._unwrapped.sim.visualizers if v.cfg.visualizer_type == "viser")
        return page._viewer._server  # the only way to put controls beside its scene

    def draw_page(self) -> None:
        """Do nothing: Isaac Lab draws at every step."""

    def run_window(self, seconds: float | None, schedule: CommandSchedule) -> None:
        """Run in Isaac Lab's window, in real time, until it is closed."""
        for now in in_real_time(self.dt, seconds):
            if not self._is_open():
                return
            self.command = np.array(schedule(now))
            self._point_window()
            self.step()

    def _point_window(self) -> None:
        """Keep the window's camera beside the robot, in a fixed direction."""
        target = self._look_at()[0].cpu().numpy()
        self._unwrapped.sim.set_camera_view(tuple(target + _EYE), tuple(target))

    def _is_open(self) -> bool:
        visualizers = self._unwrapped.sim.visualizers
        return any(visualizer.is_running() for visualizer in visualizers) if visualizers else True
