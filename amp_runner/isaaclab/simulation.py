"""A simulated environment and a trained policy, for the commands that run one without training."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from amp_runner.cli.common import check_task, require_isaaclab
from amp_runner.cli.overrides import check_overrides, recipe_overrides, refuse_unknown_flags, without_terms_switched_off
from amp_runner.errors import AMPError, CheckpointError, ConfigError
from amp_runner.learning.checkpoint import read_checkpoint
from amp_runner.state import AMPStateSpec


@dataclass
class Simulation:
    """A running environment in play mode."""

    env: Any
    """Isaac Lab's environment in RSL-RL's wrapper."""
    env_cfg: Any
    agent_cfg: Any
    checkpoint: str | None
    """Path of the checkpoint that was asked for, resolved."""
    checkpoint_state: dict[str, Any] | None
    """Its contents."""

    @property
    def spec(self) -> AMPStateSpec:
        """Layout of the environment's AMP state.

        Raises:
            ConfigError: the environment does not declare it.
        """
        spec = AMPStateSpec.from_env_cfg(self.env_cfg)
        if spec is None:
            raise ConfigError("the task does not declare its 'amp' group with amp_runner.isaaclab.AMPObsGroupCfg")
        return spec

    def load_policy(self) -> Any:
        """The actor of the checkpoint, without the rest of a training set-up.

        Raises:
            CheckpointError: the actor does not fit the task.
        """
        from isaaclab_rl.rsl_rl import check_rsl_rl_version, handle_deprecated_rsl_rl_cfg
        from rsl_rl.utils import resolve_class

        cfg = handle_deprecated_rsl_rl_cfg(self.agent_cfg, check_rsl_rl_version()).to_dict()
        actor_class, actor_cfg = resolve_class(cfg["actor"])
        obs = self.env.get_observations()
        actor = actor_class(obs, cfg["obs_groups"], "actor", self.env.num_actions, **actor_cfg).to(self.env.device)
        try:
            actor.load_state_dict(self.checkpoint_state["actor_state_dict"])
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise CheckpointError(f"{self.checkpoint}: its actor does not fit the task: {reason}") from None
        return actor.eval()


def add_arguments(parser: argparse.ArgumentParser, *, needs_checkpoint: bool) -> None:
    """Add the arguments that every simulating command has."""
    parser.add_argument("--task", required=True, help="name of the task")
    parser.add_argument(
        "--checkpoint",
        required=needs_checkpoint,
        help="checkpoint file, or 'latest': the last one of the newest run of this task below logs/",
    )
    parser.add_argument("--config", action="append", metavar="FILE", default=[], help="recipe (.yaml) of its training")
    parser.add_argument("--agent", default="rsl_rl_cfg_entry_point", help=argparse.SUPPRESS)
    parser.add_argument("--frontend", default="torch", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1234, help="seed of the environment (default: %(default)s)")


def hold_commands(env_cfg: Any) -> None:
    """Keep the velocity command from changing by itself, so that a command that is set stays.

    Raises:
        ConfigError: the task has no velocity command.
    """
    command = getattr(env_cfg.commands, "base_velocity", None)
    if command is None:
        raise ConfigError("the task has no velocity command 'base_velocity', which this needs")
    command.resampling_time_range = (1e9, 1e9)
    command.rel_standing_envs = 0.0
    if getattr(command, "heading_command", False):  # it would set the yaw rate in every step
        command.heading_command, command.ranges.heading = False, None


@contextmanager
def simulation(parser: argparse.ArgumentParser, argv: list[str], configure: Any) -> Iterator[Simulation]:
    """Parse the arguments, start the simulator, build the environment.

    Args:
        parser: parser with :func:`add_arguments`; Isaac Lab's launcher arguments are added to it.
        argv: command-line arguments; ``env.`` and ``agent.`` overrides are Hydra's.
        configure: called with (args, env_cfg) before the simulator starts, to change or check the configuration.
    """
    require_isaaclab()
    import gymnasium
    from isaaclab.app import add_launcher_args, launch_simulation
    from isaaclab.cli import load_external_tasks
    from isaaclab_rl.entrypoints.common import close_env
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper
    from isaaclab_tasks.utils import resolve_task_config, setup_preset_cli

    import ostrich_env  # noqa: F401  (also where the package is not installed and has no entry points)

    load_external_tasks()
    add_launcher_args(parser)
    parser.set_defaults(device=None)  # the launcher's own is the GPU, whether there is one or not
    args, rest = setup_preset_cli(parser, argv)
    refuse_unknown_flags(parser.prog, rest)
    check_task(args.task)
    env_cfg, agent_cfg = resolve_task_config(args.task, args.agent, play_mode=True, overrides=[])
    # Overrides typed by the user come last, so that they win over recipes.
    rest = without_terms_switched_off(recipe_overrides(args.config), {"env": env_cfg, "agent": agent_cfg}) + rest
    sys.argv = [sys.argv[0], *rest]  # Isaac Sim reads it too
    env_cfg, agent_cfg = resolve_task_config(args.task, args.agent, play_mode=True)
    check_overrides(rest, {"env": env_cfg, "agent": agent_cfg})
    env_cfg.seed = args.seed
    args.device = args.device or ("cuda:0" if torch.cuda.is_available() else "cpu")
    env_cfg.sim.device = args.device
    checkpoint = args.checkpoint and _resolve_checkpoint(args, agent_cfg)
    state = read_checkpoint(checkpoint, "cpu") if checkpoint else None
    configure(args, env_cfg)
    failure = None
    with launch_simulation(env_cfg, args):
        env = gymnasium.make(args.task, cfg=env_cfg)
        try:
            wrapped = RslRlVecEnvWrapper(env, clip_actions=agent_cfg.clip_actions)
            yield Simulation(wrapped, env_cfg, agent_cfg, checkpoint, state)
        except AMPError as error:  # Isaac Lab's launcher would print its traceback
            failure = error
        finally:
            close_env(env)
    if failure is not None:
        raise failure


def _resolve_checkpoint(args: argparse.Namespace, agent_cfg: Any) -> str:
    from isaaclab_rl.entrypoints.common import CHECKPOINT_SELECTORS, resolve_checkpoint_selector

    if args.checkpoint not in CHECKPOINT_SELECTORS:
        return args.checkpoint
    try:
        return resolve_checkpoint_selector(
            os.path.join("logs", "rsl_rl", agent_cfg.experiment_name),
            args.checkpoint,
            library="rsl_rl",
            task=args.task,
            checkpoint_pattern=r"model_.*\.pt",
            metadata={"agent": args.agent},
        )
    except ValueError as error:
        raise CheckpointError(f"--checkpoint {args.checkpoint}: {error}") from None
