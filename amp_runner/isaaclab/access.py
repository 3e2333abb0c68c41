"""Access to the parts of an Isaac Lab environment that the commands need."""

from __future__ import annotations

from typing import Any

from amp_runner.errors import ConfigError


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
