"""What AMP asks of an environment: the observation group ``amp``, and, if it can tell, its time step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict

from amp_runner.errors import ConfigError
from amp_runner.learning.rollout_storage import AMP_GROUP

COMMAND_DIM = 3
"""Numbers of a velocity command: vx, vy [m/s] and yaw rate [rad/s]."""

HOW_TO_ADD_AMP_GROUP = """\
In an Isaac Lab environment, add it like this:

    from isaaclab.managers import SceneEntityCfg
    from amp_runner.isaaclab import AMPObsGroupCfg

    @configclass
    class ObservationsCfg:
        policy: PolicyCfg = PolicyCfg()
        amp = AMPObsGroupCfg()

        def __post_init__(self):
            self.amp.state.params["asset_cfg"] = SceneEntityCfg("robot", joint_names=[...], preserve_order=True)

and set compute_final_obs=True in the environment's configuration. In any other environment, return
TensorDict({..., "amp": states}), with states of shape (num_envs, D), from get_observations() and step()."""


def check_amp_group(obs: TensorDict) -> None:
    """Check that the observations hold AMP states.

    Raises:
        ConfigError: with the lines that add the group.
    """
    if AMP_GROUP not in obs:
        raise ConfigError(
            f"the environment has no observation group '{AMP_GROUP}'; it has: {', '.join(map(str, obs.keys()))}.\n"
            + HOW_TO_ADD_AMP_GROUP
        )
    states = obs[AMP_GROUP]
    if not isinstance(states, torch.Tensor) or states.ndim != 2 or not states.is_floating_point():
        found = f"{tuple(states.shape)}, {states.dtype}" if isinstance(states, torch.Tensor) else type(states).__name__
        raise ConfigError(
            f"the observation group '{AMP_GROUP}' is {found}; expected one frame of numbers, (num_envs, D), "
            "torch.float32: concatenate its terms and give it no history"
        )


def check_command_group(obs: TensorDict, group: str) -> None:
    """Check that the observations hold commands that can be compared with the clips'.

    Raises:
        ConfigError: they do not.
    """
    if group not in obs:
        raise ConfigError(
            f"amp_cfg.command_group is '{group}'; the environment's groups are: {', '.join(map(str, obs.keys()))}"
        )
    if obs[group].ndim != 2 or obs[group].shape[1] != COMMAND_DIM:
        raise ConfigError(
            f"the observation group '{group}' has shape {tuple(obs[group].shape)}; amp_cfg.command_group must be "
            "(num_envs, 3): vx, vy and yaw rate"
        )


def check_final_obs(final_obs: Any, num_envs: int, command_group: str | None = None) -> Mapping[str, torch.Tensor]:
    """Check that ``extras["final_obs"]`` holds one row for every environment, with its command if need be, and return it.

    Raises:
        ConfigError: it does not.
    """
    if not isinstance(final_obs, (dict, TensorDict)):
        raise ConfigError(
            f"extras['final_obs'] is a {type(final_obs).__name__}; expected a dictionary of observation groups, as "
            "get_observations() returns"
        )
    if AMP_GROUP in final_obs and len(final_obs[AMP_GROUP]) != num_envs:
        raise ConfigError(
            f"extras['final_obs']['{AMP_GROUP}'] has {len(final_obs[AMP_GROUP])} rows; expected one for each of {num_envs} "
            "environments, also where no episode ended"
        )
    if AMP_GROUP in final_obs and command_group is not None and command_group not in final_obs:
        raise ConfigError(
            f"extras['final_obs'] has '{AMP_GROUP}' without '{command_group}', which amp_cfg.command_group asks for: put "
            "that group in it too"
        )
    return final_obs


def env_step_dt(env: Any) -> float | None:
    """The environment's time step [s], or None if it does not tell."""
    for candidate in (env, getattr(env, "unwrapped", None)):
        step_dt = getattr(candidate, "step_dt", None)
        if step_dt is not None:
            return float(step_dt)
    return None


def env_step_count(env: Any) -> int | None:
    """Steps that an Isaac Lab or mjlab environment has taken, by which its curricula go; None if it does not count."""
    return getattr(getattr(env, "unwrapped", None), "common_step_counter", None)


def set_env_step_count(env: Any, count: int) -> None:
    """Let the curricula of an environment that counts its steps go on where they were."""
    if env_step_count(env) is not None:
        env.unwrapped.common_step_counter = count


def velocity_command(unwrapped: Any) -> Any:
    """The term ``base_velocity`` of an Isaac Lab environment's commands.

    Raises:
        ConfigError: it has none.
    """
    manager = getattr(unwrapped, "command_manager", None)
    terms = list(getattr(manager, "active_terms", ()))
    if "base_velocity" not in terms:
        raise ConfigError(f"the task has no velocity command 'base_velocity' (it has {', '.join(terms) or 'none'})")
    return manager.get_term("base_velocity")


def command_ranges(unwrapped: Any) -> dict[str, list[float]]:
    """Smallest and largest velocity command, by ``lin_vel_x``, ``lin_vel_y`` [m/s] and ``ang_vel_z`` [rad/s].

    Raises:
        ConfigError: the environment has no velocity command.
    """
    ranges = velocity_command(unwrapped).cfg.ranges
    return {name: list(getattr(ranges, name)) for name in ("lin_vel_x", "lin_vel_y", "ang_vel_z")}


def robot_of(unwrapped: Any) -> Any:
    """The articulation ``robot`` of an Isaac Lab environment's scene.

    Raises:
        ConfigError: it has none.
    """
    if "robot" not in unwrapped.scene.articulations:
        known = ", ".join(unwrapped.scene.articulations) or "none"
        raise ConfigError(f"the task's scene has no articulation 'robot' (it has {known}); name it so")
    return unwrapped.scene["robot"]
