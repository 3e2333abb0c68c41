"""A running Isaac Lab environment with a trained policy."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from amp_runner.env_interface import env_amp_spec
from amp_runner.errors import AMPError, CheckpointError, ConfigError, suggestion
from amp_runner.isaaclab.physics import prepare_physics
from amp_runner.state import AMPStateSpec


@dataclass
class Simulation:
    """A running environment in play mode."""

    env: Any
    """Isaac Lab's environment in RSL-RL's wrapper."""
    env_cfg: Any
    agent_cfg: Any
    args: argparse.Namespace
    """The command's arguments."""
    checkpoint_state: dict[str, Any]
    """Contents of the checkpoint ``args.checkpoint``; empty if none was given."""

    @property
    def spec(self) -> AMPStateSpec:
        """Layout of the environment's AMP state.

        Raises:
            ConfigError: the environment does not declare it.
        """
        spec = env_amp_spec(self.env)
        if spec is None:
            raise ConfigError(
                "the task does not declare its AMP state: use amp_runner.isaaclab.AMPObsGroupCfg or env.amp_spec"
            )
        return spec

    def load_policy(self) -> Any:
        """Return the checkpoint's actor, in evaluation mode.

        Raises:
            CheckpointError: the actor does not fit the task.
        """
        from isaaclab_rl.rsl_rl import check_rsl_rl_version, handle_deprecated_rsl_rl_cfg
        from rsl_rl.utils import resolve_class

        agent_cfg: Any = handle_deprecated_rsl_rl_cfg(self.agent_cfg, check_rsl_rl_version())
        cfg = agent_cfg.to_dict()
        actor_class, actor_cfg = resolve_class(cfg["actor"])
        obs = self.env.get_observations()
        actor = actor_class(obs, cfg["obs_groups"], "actor", self.env.num_actions, **actor_cfg).to(self.env.device)
        try:
            actor.load_state_dict(self.checkpoint_state["actor_state_dict"])
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise CheckpointError(f"{self.args.checkpoint}: its actor does not fit the task: {reason}") from None
        return actor.eval()


@contextmanager
def launch(env_cfg: Any, agent_cfg: Any, args: argparse.Namespace, checkpoint_state: dict[str, Any]) -> Iterator[Simulation]:
    """Start the simulator and build the environment; close both at the end.

    Args:
        env_cfg: the environment's configuration.
        agent_cfg: the agent's configuration.
        args: the command's arguments, with ``task`` and those of Isaac Lab's launcher.
        checkpoint_state: contents of the checkpoint; empty without one.
    """
    import gymnasium
    from isaaclab.app import launch_simulation
    from isaaclab_rl.entrypoints.common import close_env
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

    prepare_physics(env_cfg)
    failure = None
    with launch_simulation(env_cfg, args):
        env: Any = gymnasium.make(args.task, cfg=env_cfg)
        try:
            wrapped = RslRlVecEnvWrapper(env, clip_actions=agent_cfg.clip_actions)
            yield Simulation(wrapped, env_cfg, agent_cfg, args, checkpoint_state)
        except AMPError as error:  # Isaac Lab's launcher would print its traceback
            failure = error
        finally:
            close_env(env)
    if failure is not None:
        raise failure


def check_task(task: str | None) -> None:
    """Check the task's name before anything slow happens.

    Args:
        task: name in Gymnasium's registry; ``module:name`` imports ``module`` first.

    Raises:
        ConfigError: the name is missing or unknown; the message gives the closest names.
    """
    import gymnasium
    import isaaclab_tasks  # noqa: F401  (registers Isaac Lab's tasks)
    from isaaclab.cli import load_external_tasks

    load_external_tasks()
    if task is None:
        raise ConfigError("--task is missing; for example --task Isaac-Velocity-Flat-Ostrich-v0")
    module, _, name = task.rpartition(":")
    if module:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ConfigError(f"--task {task}: {error}") from None
    if name not in gymnasium.registry:
        hint = suggestion(name, gymnasium.registry) or ". Is the package that registers it installed?"
        raise ConfigError(f"unknown task '{name}'{hint}")
