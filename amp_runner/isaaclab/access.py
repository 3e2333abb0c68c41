"""Access to the parts of an Isaac Lab environment that the commands need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from amp_runner.errors import ConfigError
from amp_runner.state.rotations import rotate, yaw_quat


def robot_name(articulations: Iterable[str]) -> str:
    """Return which of a scene's articulations is the robot: the one called ``robot``, or the only one.

    Raises:
        ConfigError: there is none, or several have other names.
    """
    names = list(articulations)
    if "robot" in names:
        return "robot"
    if len(names) != 1:
        raise ConfigError(f"the task's scene has the articulations {', '.join(names) or 'none'}; call the robot's 'robot'")
    return names[0]


def robot_of(unwrapped: Any) -> Any:
    """Return the robot of an environment's scene.

    Raises:
        ConfigError: the scene has none, or it is not clear which.
    """
    return unwrapped.scene[robot_name(unwrapped.scene.articulations)]


def push_robots(robot: Any, change: np.ndarray) -> None:
    """Change the robots' planar velocity, (N, 2), heading frame [m/s]; robots with a change of 0 are left alone."""
    velocity = robot.data.root_link_vel_w.torch.clone()
    planar = torch.tensor(change, dtype=velocity.dtype, device=velocity.device)
    velocity[:, :3] += rotate(yaw_quat(robot.data.root_link_quat_w.torch), torch.nn.functional.pad(planar, (0, 1)))
    robots = planar.any(dim=-1).nonzero().squeeze(-1)
    if len(robots):
        robot.write_root_link_velocity_to_sim_index(root_velocity=velocity[robots], env_ids=robots.int())


def hold_commands(env_cfg: Any) -> None:
    """Disable resampling of the velocity commands, so that a command that is set stays.

    Raises:
        ConfigError: the task has no velocity command.
    """
    terms = vars(getattr(env_cfg, "commands", None) or object).values()
    commands = [term for term in terms if hasattr(getattr(term, "ranges", None), "lin_vel_x")]
    if not commands:
        raise ConfigError("the task has no velocity command, which this command needs")
    for command in commands:
        command.resampling_time_range = (1e9, 1e9)
        command.rel_standing_envs = 0.0
        if getattr(command, "heading_command", False):  # it would set the yaw rate in every step
            command.heading_command, command.ranges.heading = False, None


def restart_observations(env: Any) -> Any:
    """Recompute an environment's observations after a command was set, with empty histories, and return them.

    The first frame of an episode was computed with a command drawn at random.
    """
    unwrapped = env.unwrapped
    unwrapped.observation_manager.reset()
    unwrapped.obs_buf = unwrapped.observation_manager.compute(update_history=True)
    return env.get_observations()
