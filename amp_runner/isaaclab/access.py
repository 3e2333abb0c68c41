"""Access to the parts of an Isaac Lab environment that the commands need."""

from __future__ import annotations

from typing import Any

from amp_runner.errors import ConfigError

COMMAND_NAME = "base_velocity"


def velocity_command(unwrapped: Any, name: str = COMMAND_NAME) -> Any:
    """Return a velocity command term of an environment.

    Raises:
        ConfigError: the environment has none.
    """
    manager = getattr(unwrapped, "command_manager", None)
    terms = list(getattr(manager, "active_terms", ()))
    if manager is None or name not in terms:
        raise ConfigError(f"the task has no velocity command '{name}' (it has {', '.join(terms) or 'none'})")
    return manager.get_term(name)


def command_ranges(unwrapped: Any) -> dict[str, list[float]]:
    """Return the range of each velocity command: ``lin_vel_x``, ``lin_vel_y`` [m/s] and ``ang_vel_z`` [rad/s].

    Raises:
        ConfigError: the environment has no velocity command.
    """
    ranges = velocity_command(unwrapped).cfg.ranges
    return {name: list(getattr(ranges, name)) for name in ("lin_vel_x", "lin_vel_y", "ang_vel_z")}


def robot_of(unwrapped: Any) -> Any:
    """Return the articulation ``robot`` of an environment's scene.

    Raises:
        ConfigError: the scene has none.
    """
    if "robot" not in unwrapped.scene.articulations:
        known = ", ".join(unwrapped.scene.articulations) or "none"
        raise ConfigError(f"the task's scene has no articulation 'robot' (it has {known}); rename it to 'robot'")
    return unwrapped.scene["robot"]


def hold_commands(env_cfg: Any) -> None:
    """Disable resampling of the velocity command, so that a command that is set stays.

    Raises:
        ConfigError: the task has no velocity command.
    """
    command = getattr(getattr(env_cfg, "commands", None), COMMAND_NAME, None)
    if command is None:
        raise ConfigError(f"the task has no velocity command '{COMMAND_NAME}', which this command needs")
    command.resampling_time_range = (1e9, 1e9)
    command.rel_standing_envs = 0.0
    if getattr(command, "heading_command", False):  # it would set the yaw rate in every step
        command.heading_command, command.ranges.heading = False, None


def timed_out(extras: dict[str, Any], dones: Any) -> Any:
    """Return which episodes ended by a time-out, (N,). Tasks with a finite horizon do not report it: none did."""
    return extras.get("time_outs", dones.bool() & False)


def restart_observations(env: Any) -> Any:
    """Recompute an environment's observations after a command was set, with empty histories, and return them.

    The first frame of an episode was computed with a command drawn at random.
    """
    unwrapped = env.unwrapped
    unwrapped.observation_manager.reset()
    unwrapped.obs_buf = unwrapped.observation_manager.compute(update_history=True)
    return env.get_observations()
