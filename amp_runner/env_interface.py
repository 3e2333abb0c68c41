"""What AMP asks of an environment: the observation group ``amp`` and, optionally, its time step and state layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict

from amp_runner.errors import ConfigError
from amp_runner.state import AMP_GROUP, AMPStateSpec

COMMAND_DIM = 3
"""Numbers in a velocity command: vx, vy [m/s] and yaw rate [rad/s]."""

GROUND_IS_NOT_MEASURED = (
    "# the ground is uneven, and no ray caster on the robot measures it: root_height is above the origin"
)
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


def check_amp_group(obs: Any) -> None:
    """Check that an environment's observations hold AMP states.

    Raises:
        ConfigError: they do not; the message shows how to add them.
    """
    if not isinstance(obs, TensorDict):
        raise ConfigError(
            f"get_observations() returned a {type(obs).__name__}; expected a TensorDict of observation groups, as RSL-RL 5 "
            "requires. Environments written for RSL-RL 2 return a tuple (observations, extras): return "
            'TensorDict({"policy": observations, "amp": states}, batch_size=[num_envs]) from get_observations() and as the '
            "first value of step()"
        )
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
    """Check that ``extras["final_obs"]`` holds one row per environment, and return it.

    Raises:
        ConfigError: it does not, or it lacks the command group.
    """
    if not isinstance(final_obs, (dict, TensorDict)):
        raise ConfigError(
            f"extras['final_obs'] is a {type(final_obs).__name__}; expected a dictionary of observation groups, as "
            "get_observations() returns"
        )
    if AMP_GROUP in final_obs and len(final_obs[AMP_GROUP]) != num_envs:
        raise ConfigError(
            f"extras['final_obs']['{AMP_GROUP}'] has {len(final_obs[AMP_GROUP])} rows; expected one for each of {num_envs} "
            "environments, including those whose episode continues"
        )
    if AMP_GROUP in final_obs and command_group is not None and command_group not in final_obs:
        raise ConfigError(
            f"extras['final_obs'] has '{AMP_GROUP}' but not '{command_group}', which amp_cfg.command_group names: add that "
            "group"
        )
    return final_obs


def env_step_dt(env: Any) -> float | None:
    """Return the environment's time step [s], or None if it does not declare one."""
    step_dt = _env_attribute(env, "step_dt")
    return None if step_dt is None else float(step_dt)


def env_amp_spec(env: Any) -> AMPStateSpec | None:
    """Return the layout of the environment's AMP states, or None if it does not declare one.

    Any environment can declare it as an attribute ``amp_spec``; Isaac Lab environments do so with
    :class:`amp_runner.isaaclab.AMPObsGroupCfg`.

    Raises:
        ConfigError: ``amp_spec`` is not an :class:`AMPStateSpec`.
    """
    spec = _env_attribute(env, "amp_spec")
    if spec is None:
        return AMPStateSpec.from_env_cfg(getattr(env, "cfg", None))
    if not isinstance(spec, AMPStateSpec):
        raise ConfigError(f"the environment's amp_spec is a {type(spec).__name__}; expected an amp_runner.AMPStateSpec")
    return spec


def resolve_step_dt(configured: float | None, env_step_dt: float | None) -> float | None:
    """Return the time between two frames [s]: the environment's or the configured one; None if both are unknown.

    Args:
        configured: ``amp_cfg.step_dt`` [s].
        env_step_dt: the environment's time step [s].

    Raises:
        ConfigError: the two differ.
    """
    if configured is not None and env_step_dt is not None and abs(configured - env_step_dt) > 1e-6:
        raise ConfigError(
            f"amp_cfg.step_dt is {configured:g} s, but the environment's step_dt is {env_step_dt:g} s: "
            "remove amp_cfg.step_dt"
        )
    return env_step_dt if configured is None else configured


def velocity_command(unwrapped: Any, name: str | None = None) -> Any:
    """Return a velocity command term of an Isaac Lab or mjlab environment.

    Args:
        unwrapped: the environment.
        name: the term's name; None: the first velocity command.

    Raises:
        ConfigError: the environment has none.
    """
    manager = getattr(unwrapped, "command_manager", None)
    names = list(getattr(manager, "active_terms", ()))
    for candidate in names:
        term = manager.get_term(candidate)  # type: ignore[union-attr]
        if name in (None, candidate) and hasattr(term, "vel_command_b"):
            return term
    wanted = "velocity command" if name is None else f"velocity command '{name}'"
    raise ConfigError(f"the task has no {wanted} (its commands: {', '.join(names) or 'none'})")


def command_ranges(unwrapped: Any) -> dict[str, list[float]]:
    """Return the range of each velocity command: ``lin_vel_x``, ``lin_vel_y`` [m/s] and ``ang_vel_z`` [rad/s].

    Raises:
        ConfigError: the environment has no velocity command.
    """
    ranges = velocity_command(unwrapped).cfg.ranges
    return {name: list(getattr(ranges, name)) for name in ("lin_vel_x", "lin_vel_y", "ang_vel_z")}


def set_velocity_commands(term: Any, env_ids: torch.Tensor, commands: torch.Tensor) -> None:
    """Set velocity commands, within the term's ranges, so that they stay until new ones are drawn.

    Args:
        term: velocity command of Isaac Lab or mjlab.
        env_ids: environments, (M,).
        commands: (M, 3) [m/s, m/s, rad/s].
    """
    ranges = term.cfg.ranges
    limits = torch.tensor([ranges.lin_vel_x, ranges.lin_vel_y, ranges.ang_vel_z], device=commands.device)
    term.vel_command_b[env_ids] = commands.clamp(limits[:, 0], limits[:, 1])
    for flag in ("is_standing_env", "is_heading_env", "is_world_env", "is_forward_env"):  # modes that overwrite it
        if hasattr(term, flag):
            getattr(term, flag)[env_ids] = False


def env_step_count(env: Any) -> int | None:
    """Return the step count of an Isaac Lab or mjlab environment, on which curricula depend; None if it has none."""
    return getattr(getattr(env, "unwrapped", None), "common_step_counter", None)


def set_env_step_count(env: Any, count: int) -> None:
    """Restore the step count of an environment that has one, so that its curricula resume."""
    if env_step_count(env) is not None:
        env.unwrapped.common_step_counter = count


def _env_attribute(env: Any, name: str) -> Any:
    for candidate in (env, getattr(env, "unwrapped", None)):
        value = getattr(candidate, name, None)
        if value is not None:
            return value
    return None


def timed_out(extras: dict[str, Any], dones: torch.Tensor) -> torch.Tensor:
    """Return which episodes ended by a time-out, (N,). Tasks with a finite horizon do not report it: none did."""
    return extras.get("time_outs", torch.zeros_like(dones, dtype=torch.bool))
