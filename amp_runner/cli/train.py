"""``amp-train``: Isaac Lab's ``isaaclab train``, with AMP.

Arguments, Hydra overrides, run folders, videos, resuming and distributed training are Isaac Lab's own entry point. This
module translates AMP's arguments into Hydra overrides, checks the motions before the simulator starts, and puts AMP's
runner in the place of RSL-RL's.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import torch

from amp_runner.cli.common import check_task, require_isaaclab, run_command
from amp_runner.cli.overrides import check_overrides, parse_motion_argument, recipe_overrides, refuse_unknown_flags
from amp_runner.env_interface import HOW_TO_ADD_AMP_GROUP
from amp_runner.errors import CheckpointError, ConfigError
from amp_runner.learning.checkpoint import check_resumable, read_checkpoint
from amp_runner.learning.config import AMPCfg
from amp_runner.learning.rollout_storage import AMP_GROUP
from amp_runner.learning.runner import AMPOnPolicyRunner
from amp_runner.mirror import Mirror
from amp_runner.motions.dataset import MotionDataset
from amp_runner.state import AMPStateSpec

_AMP_CFG = "agent.algorithm.amp_cfg"
EPILOG = """\
Every setting of the task and the agent can be changed by a Hydra override, for example
  env.commands.base_velocity.ranges.lin_vel_x=[0.0,0.8]  agent.algorithm.amp_cfg.num_frames=3
Arguments of Isaac Lab's own training command follow below.
"""


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``amp-train``; returns the exit status."""
    return run_command("amp-train", train, argv)


def train(argv: list[str]) -> None:
    """Train as the arguments say; prints ``run: <folder>`` last.

    Raises:
        AMPError: bad input.
    """
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if args.help:
        parser.print_help()
        rest.append("--help")
    overrides = recipe_overrides(args.config) + _argument_overrides(args)
    require_isaaclab()
    from isaaclab.cli import load_external_tasks
    from isaaclab_rl.entrypoints.backends import train_rsl_rl

    import ostrich_env  # noqa: F401  (also where the package is not installed and has no entry points)

    load_external_tasks()
    if not args.help:
        known = _known_arguments(rest)
        check_task(known.task)
        _check_checkpoint(known.checkpoint, known.resumes)
    with _amp_backend(train_rsl_rl) as runs:
        # Overrides typed by the user come last, so that they win over recipes.
        train_rsl_rl.run(overrides + _with_defaults(rest))
    if runs and os.environ.get("RANK", "0") == "0":
        print(f"run: {runs[-1]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amp-train",
        description="Train with PPO and adversarial motion priors (AMP) in Isaac Lab.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this help, then Isaac Lab's")
    parser.add_argument(
        "--motion",
        action="append",
        metavar="PATH[:WEIGHT]",
        default=[],
        help="reference motion: a clip (.npz) or a folder of clips, with its sampling weight; repeatable",
    )
    parser.add_argument("--style_weight", type=float, help="weight of the style reward; 0 is plain PPO")
    parser.add_argument(
        "--config", action="append", metavar="FILE", default=[], help="recipe (.yaml) of differences from the defaults"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _known_arguments(argv: list[str]) -> argparse.Namespace:
    """Isaac Lab's arguments that are worth checking before anything slow happens."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--task")
    parser.add_argument("--checkpoint")
    parser.add_argument("--no-resume_optimizer_state", dest="resumes", action="store_false")
    return parser.parse_known_args(argv)[0]


def _check_checkpoint(path: str | None, resumes: bool) -> None:
    """Check that a checkpoint given as a file can be used; selectors and addresses are Isaac Lab's to resolve.

    Raises:
        CheckpointError: it cannot.
    """
    if path is None or path in ("latest", "best") or ":" in path or Path(path).is_dir():
        return
    state = read_checkpoint(path, "cpu")
    if resumes:
        check_resumable(path, state)


def _argument_overrides(args: argparse.Namespace) -> list[str]:
    """Hydra overrides for ``--motion`` and ``--style_weight``."""
    overrides = []
    if args.motion:
        entries = [parse_motion_argument(text) for text in args.motion]
        overrides.append(f"{_AMP_CFG}.motions={entries!r}")
    if args.style_weight is not None:
        overrides.append(f"{_AMP_CFG}.style_weight={args.style_weight}")
    return overrides


def _with_defaults(argv: list[str]) -> list[str]:
    """Choose a device and, for ``--video``, a renderer, where Isaac Lab's own choice is not there."""

    def given(*flags: str) -> bool:
        return any(argument.split("=")[0] in flags for argument in argv)

    chosen = []
    if not given("--device") and not torch.cuda.is_available():
        chosen += ["--device", "cpu"]
    if given("--video") and not given("--viz", "--visualizer") and importlib.util.find_spec("isaacsim") is None:
        chosen += ["--viz", "newton_gl"]
    return [*argv, *chosen]


@contextmanager
def _amp_backend(backend: ModuleType) -> Iterator[list[str]]:
    """Let Isaac Lab's training backend build AMP's runner, and check its configuration before the simulator starts.

    The backend takes its runner from a factory that knows RSL-RL's own runners only; for the length of a run three of its
    names are exchanged. Yields the list to which the run's folder is added.
    """
    runs: list[str] = []
    resolve_task_config, resolve_checkpoint = backend.resolve_task_config, backend._resolve_checkpoint

    def resolve_and_check(task: str, agent: str) -> tuple[Any, Any]:
        overrides = sys.argv[1:]
        refuse_unknown_flags("amp-train", overrides)
        try:
            env_cfg, agent_cfg = resolve_task_config(task, agent)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"cannot apply {' '.join(overrides)}: {error}") from error
        check_overrides(overrides, {"env": env_cfg, "agent": agent_cfg})
        check_before_launch(env_cfg, agent_cfg)
        _share_motions(env_cfg, agent_cfg)
        return env_cfg, agent_cfg

    def resolve_checkpoint_or_say_why(*args: Any) -> str | None:
        try:
            return resolve_checkpoint(*args)
        except (ValueError, FileNotFoundError) as error:
            raise CheckpointError(str(error)) from error

    def create_runner(env: Any, agent_cfg: Any, log_dir: str | None = None) -> AMPOnPolicyRunner:
        runs.append(log_dir)
        # --device sets the simulation's device only.
        agent_cfg.device = str(env.device)
        return AMPOnPolicyRunner(env, agent_cfg.to_dict(), log_dir=log_dir, device=agent_cfg.device)

    with (
        mock.patch.object(backend, "resolve_task_config", resolve_and_check),
        mock.patch.object(backend, "create_rsl_rl_runner", create_runner),
        mock.patch.object(backend, "_resolve_checkpoint", resolve_checkpoint_or_say_why),
    ):
        yield runs


def _share_motions(env_cfg: Any, agent_cfg: Any) -> None:
    """Give the run's motions to the environment's reference-state initialisation, unless it names its own."""
    event = getattr(env_cfg.events, "reset_to_reference", None)
    if event is not None and event.params["motions"] is None:
        event.params["motions"] = agent_cfg.algorithm.amp_cfg.motions


def check_before_launch(env_cfg: Any, agent_cfg: Any) -> None:
    """Check everything about AMP that can be known before the simulator starts.

    Raises:
        ConfigError: the agent is not configured for AMP, or wrongly, or the task has no ``amp`` group, or another one than
            the mirroring is declared for.
        MotionError: a motion file cannot be read or does not fit.
    """
    amp_cfg = getattr(agent_cfg.algorithm, "amp_cfg", None)
    if amp_cfg is None:
        raise ConfigError(
            "the task's agent is not configured for AMP; use amp_runner.isaaclab.RslRlAmpPpoAlgorithmCfg as its algorithm"
        )
    cfg = AMPCfg.from_dict(amp_cfg.to_dict())
    if getattr(env_cfg.observations, AMP_GROUP, None) is None:
        raise ConfigError(f"the task has no observation group '{AMP_GROUP}'.\n{HOW_TO_ADD_AMP_GROUP}")
    motions = MotionDataset.load(
        cfg.motion_entries(),
        cfg.num_frames,
        step_dt=env_cfg.sim.dt * env_cfg.decimation,
        spec=AMPStateSpec.from_env_cfg(env_cfg),
        resample=cfg.resample_motions,
    )
    Mirror(cfg.mirror, motions.dim, with_command=False)


if __name__ == "__main__":
    sys.exit(main())
