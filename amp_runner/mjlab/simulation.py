"""A running mjlab environment with a trained policy."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mjlab.envs import ManagerBasedRlEnv
from mjlab.rl import MjlabOnPolicyRunner, RslRlVecEnvWrapper

from amp_runner.env_interface import env_amp_spec
from amp_runner.errors import CheckpointError, ConfigError
from amp_runner.mjlab.cpu_replay import replay_physics_on_cpu
from amp_runner.state import AMPStateSpec


@dataclass
class Simulation:
    """A running environment in play mode."""

    env: Any
    """mjlab's environment in RSL-RL's wrapper."""
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
            raise ConfigError("the task does not declare its AMP state: use amp_runner.mjlab.amp_obs_group or env.amp_spec")
        return spec

    def load_policy(self) -> Any:
        """Return the checkpoint's actor, in evaluation mode.

        Raises:
            CheckpointError: the actor does not fit the task.
        """
        cfg = dataclasses.asdict(self.agent_cfg)
        cfg["algorithm"].pop("amp_cfg", None)
        cfg["algorithm"]["class_name"] = "PPO"  # acting needs no discriminator
        runner = MjlabOnPolicyRunner(self.env, cfg, device=str(self.env.device))
        try:
            runner.alg.load(self.checkpoint_state, {"actor": True}, True)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise CheckpointError(f"{self.args.checkpoint}: its actor does not fit the task: {reason}") from None
        return runner.alg.get_policy().eval()


@contextmanager
def launch(env_cfg: Any, agent_cfg: Any, args: argparse.Namespace, checkpoint_state: dict[str, Any]) -> Iterator[Simulation]:
    """Build the environment; close it at the end.

    Args:
        env_cfg: the environment's configuration.
        agent_cfg: the agent's configuration.
        args: the command's arguments, with ``device``.
        checkpoint_state: contents of the checkpoint; empty without one.
    """
    replay_physics_on_cpu()
    env = RslRlVecEnvWrapper(ManagerBasedRlEnv(env_cfg, device=args.device), clip_actions=agent_cfg.clip_actions)
    try:
        yield Simulation(env, env_cfg, agent_cfg, args, checkpoint_state)
    finally:
        env.close()
