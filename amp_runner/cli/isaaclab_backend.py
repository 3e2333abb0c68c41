"""Isaac Lab behind the commands: the simulation for those that run a policy, and its training entry point for ``amp-train``.

Isaac Lab's own ``isaaclab train`` provides run folders, videos, ``--checkpoint latest`` and distributed training, but builds
RSL-RL's own runners only. :func:`train_with_amp` exchanges three names of its backend for the length of a run.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from isaaclab.app import add_launcher_args
from isaaclab_rl.entrypoints.backends import train_rsl_rl
from isaaclab_rl.entrypoints.common import CHECKPOINT_SELECTORS, resolve_checkpoint_selector
from isaaclab_tasks.utils import resolve_task_config, setup_preset_cli

from amp_runner.cli.overrides import (
    apply_overrides,
    check_overrides,
    preset_overrides,
    refuse_unknown_flags,
    with_quoted_names,
    without_terms_switched_off,
)
from amp_runner.env_interface import HOW_TO_ADD_AMP_GROUP
from amp_runner.errors import CheckpointError, ConfigError
from amp_runner.isaaclab import policy_export
from amp_runner.isaaclab.access import hold_commands
from amp_runner.isaaclab.adapt import with_amp
from amp_runner.isaaclab.physics import prepare_physics
from amp_runner.isaaclab.player import IsaacLabPlayer, add_camera, add_page
from amp_runner.isaaclab.rollout import record_gait
from amp_runner.isaaclab.simulation import Simulation, check_task, launch
from amp_runner.learning.checkpoint import check_resumable, read_checkpoint
from amp_runner.learning.config import AMPCfg, check_int
from amp_runner.learning.runner import AMPOnPolicyRunner
from amp_runner.motions.dataset import MotionDataset
from amp_runner.state import AMP_GROUP, AMPStateSpec
from amp_runner.viewers.snapshots import PolicySnapshotLogger

__all__ = [
    "exporter",
    "hold_commands",
    "make_player",
    "prepare_player",
    "record_gait",
    "simulation",
    "step_dt",
    "train",
]

PATCHED_NAMES = ("resolve_task_config", "create_rsl_rl_runner", "_resolve_checkpoint")
"""Names of Isaac Lab's training backend that :func:`train_with_amp` exchanges."""


@contextmanager
def simulation(
    args: argparse.Namespace, rest: list[str], configure: Callable[[argparse.Namespace, Any], None]
) -> Iterator[Simulation]:
    """Start the simulator with the environment of ``args.task``, in play mode.

    Args:
        args: arguments of a :func:`amp_runner.cli.common.policy_parser`.
        rest: arguments that the command did not parse: Isaac Lab's launcher arguments and Hydra overrides.
        configure: called with (args, env_cfg) before the simulator starts, to change or check the configuration.
    """
    launcher = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_launcher_args(launcher)
    launcher.set_defaults(device=None)  # the launcher's default is a GPU, even where there is none
    launcher_args, overrides = setup_preset_cli(launcher, with_quoted_names(rest))
    args = argparse.Namespace(**{**vars(launcher_args), **vars(args)})
    refuse_unknown_flags(f"amp-{args.command_name}", overrides)
    check_task(args.task)
    if args.config:
        env_cfg, agent_cfg = resolve_task_config(args.task, args.agent, play_mode=True, overrides=[])
        preset = without_terms_switched_off(preset_overrides(args.config), {"env": env_cfg, "agent": agent_cfg})
        overrides = preset + overrides  # the user's own come last, so that they win
    sys.argv = [sys.argv[0], *overrides]  # Isaac Sim reads it
    env_cfg: Any
    env_cfg, agent_cfg = resolve_task_config(args.task, args.agent, play_mode=True, overrides=overrides)
    check_overrides(overrides, {"env": env_cfg, "agent": agent_cfg})
    env_cfg.seed = args.seed
    args.device = args.device or ("cuda:0" if torch.cuda.is_available() else "cpu")
    env_cfg.sim.device = args.device
    state: dict[str, Any] = {}
    if args.checkpoint:
        args.checkpoint = _resolve_checkpoint(args, agent_cfg)
        state = read_checkpoint(args.checkpoint, "cpu")
    configure(args, env_cfg)
    with launch(env_cfg, agent_cfg, args, state) as sim:
        yield sim


def _resolve_checkpoint(args: argparse.Namespace, agent_cfg: Any) -> str:
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


def train(args: argparse.Namespace, rest: list[str]) -> str | None:
    """Train a task with AMP; see :meth:`~.backends.Backend.train`.

    Raises:
        AMPError: bad input.
    """

    def set_options(amp_cfg: Any) -> None:
        if args.motions:
            amp_cfg.motions = args.motions
        if args.style_weight is not None:
            amp_cfg.style_weight = args.style_weight

    task = ["--task", args.task] if args.task is not None else []
    # Those on the command line come last, so that they win.
    overrides = preset_overrides(args.config) + with_quoted_names(rest)
    if args.dry_run:
        _dry_run(args, overrides, set_options)
        return None
    return train_with_amp(task + overrides + ["--help"] * args.help, set_options, args)


def _dry_run(args: argparse.Namespace, overrides: list[str], set_options: Callable[[Any], None]) -> None:
    """Resolve the configurations, print what would be added, and check them."""
    check_task(args.task)
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    sys.argv = [sys.argv[0], *setup_preset_cli(parser, overrides)[1]]
    env_cfg, agent_cfg = _resolve(args.task, "rsl_rl_cfg_entry_point", args)
    set_options(require_amp_agent(agent_cfg))
    check_before_launch(env_cfg, agent_cfg)


def train_with_amp(argv: list[str], set_options: Callable[[Any], None], args: argparse.Namespace) -> str | None:
    """Run Isaac Lab's training entry point with AMP's runner.

    Args:
        argv: Isaac Lab's arguments, and Hydra overrides.
        set_options: called with the agent's AMP configuration, to apply the command's own arguments.
        args: the command's arguments, with ``motions`` and ``robot``.

    Returns:
        Folder of the run; None if nothing was trained, as after ``--help``.

    Raises:
        AMPError: bad input, before the simulator starts.
    """
    if "--help" not in argv:
        known = _known_arguments(argv)
        check_task(known.task)
        _check_checkpoint(known.checkpoint, known.resumes)
    with amp_backend(set_options, args) as runs:
        train_rsl_rl.run(_with_defaults(argv))
    return runs[-1] if runs else None


def _known_arguments(argv: list[str]) -> argparse.Namespace:
    """Parse those of Isaac Lab's arguments that can be checked before anything slow happens."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--task")
    parser.add_argument("--checkpoint")
    parser.add_argument("--no-resume_optimizer_state", dest="resumes", action="store_false")
    return parser.parse_known_args(argv)[0]


def _check_checkpoint(path: str | None, resumes: bool) -> None:
    """Check a checkpoint given as a file; selectors and addresses are resolved by Isaac Lab."""
    if path is None or path in CHECKPOINT_SELECTORS or ":" in path or Path(path).is_dir():
        return
    state = read_checkpoint(path, "cpu")
    if resumes:
        check_resumable(path, state)


def _with_defaults(argv: list[str]) -> list[str]:
    """Choose a device, and a renderer for ``--video``, where Isaac Lab's default is unavailable."""

    def given(*flags: str) -> bool:
        return any(argument.split("=")[0] in flags for argument in argv)

    chosen = []
    if not given("--device") and not torch.cuda.is_available():
        chosen += ["--device", "cpu"]
    if given("--video") and not given("--viz", "--visualizer") and importlib.util.find_spec("isaacsim") is None:
        chosen += ["--viz", "newton_gl"]
    return [*argv, *chosen]


@contextmanager
def amp_backend(set_options: Callable[[Any], None], args: argparse.Namespace) -> Iterator[list[str]]:
    """Exchange :data:`PATCHED_NAMES`; yields the list to which the run's folder is added."""
    runs: list[str] = []
    original_resolve_checkpoint = train_rsl_rl._resolve_checkpoint

    def resolve_and_check(task: str, agent: str) -> tuple[Any, Any]:
        env_cfg, agent_cfg = _resolve(task, agent, args)
        set_options(require_amp_agent(agent_cfg))
        if args.snapshot_interval is not None:
            agent_cfg.snapshot_interval = args.snapshot_interval
            agent_cfg.snapshot_robot = args.robot or getattr(agent_cfg, "snapshot_robot", None)
        check_before_launch(env_cfg, agent_cfg)
        prepare_physics(env_cfg)
        _share_motions(env_cfg, agent_cfg)
        return env_cfg, agent_cfg

    def resolve_checkpoint(*args: Any) -> str | None:
        try:
            return original_resolve_checkpoint(*args)
        except (ValueError, FileNotFoundError) as error:
            raise CheckpointError(str(error)) from error

    def create_runner(env: Any, agent_cfg: Any, log_dir: str | None = None) -> AMPOnPolicyRunner:
        agent_cfg.device = str(env.device)  # --device sets the device of the simulation only
        runner = AMPOnPolicyRunner(env, agent_cfg.to_dict(), log_dir=log_dir, device=agent_cfg.device)
        if log_dir is not None:
            runs.append(log_dir)
            _add_snapshots(runner, agent_cfg, Path(log_dir))
        return runner

    exchanged = dict(zip(PATCHED_NAMES, (resolve_and_check, create_runner, resolve_checkpoint), strict=True))
    with mock.patch.multiple(train_rsl_rl, **exchanged):
        yield runs


def _resolve(task: str, agent: str, args: argparse.Namespace) -> tuple[Any, Any]:
    """Resolve a task's configurations with the overrides in ``sys.argv``; add AMP if the agent has none."""
    overrides = sys.argv[1:]
    refuse_unknown_flags("amp-train", overrides)
    is_plain = getattr(resolve_task_config(task, agent, overrides=[])[1].algorithm, "amp_cfg", None) is None
    later = [override for override in overrides if is_plain and override.startswith(_AMP_SETTINGS)]
    now = [override for override in overrides if override not in later]
    try:
        env_cfg, agent_cfg = resolve_task_config(task, agent, overrides=now)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"cannot apply {' '.join(now)}: {error}") from error
    check_overrides(now, {"env": env_cfg, "agent": agent_cfg})
    if is_plain:
        if not args.motions:
            require_amp_agent(agent_cfg)
        lines = with_amp(env_cfg, agent_cfg, _simplest(args.motions), robot=args.robot)
        if os.environ.get("RANK", "0") == "0":
            print("added to the task:\n" + "\n".join(f"    {line}" for line in lines), flush=True)
        apply_overrides(later, {"env": env_cfg, "agent": agent_cfg})
    return env_cfg, agent_cfg


_AMP_SETTINGS = "agent.algorithm.amp_cfg."


def _simplest(motions: list[dict[str, Any]]) -> Any:
    """A single path instead of a list of one."""
    paths = [motion["path"] if set(motion) == {"path"} else motion for motion in motions]
    return paths[0] if len(paths) == 1 else paths


def require_amp_agent(agent_cfg: Any) -> Any:
    """Return the agent's AMP configuration.

    Raises:
        ConfigError: the agent is not configured for AMP.
    """
    amp_cfg = getattr(getattr(agent_cfg, "algorithm", None), "amp_cfg", None)
    if amp_cfg is None:
        raise ConfigError(
            "the task's agent is not configured for AMP: pass --motion FILE, with which amp-train adds it, or use "
            "amp_runner.isaaclab.RslRlAmpRunnerCfg as its runner and RslRlAmpPpoAlgorithmCfg as its algorithm"
        )
    return amp_cfg


def check_before_launch(env_cfg: Any, agent_cfg: Any) -> None:
    """Check everything about AMP that can be checked before the simulator starts.

    Raises:
        ConfigError: the agent is not configured for AMP, or wrongly; the task has no ``amp`` group; or mirroring is declared
            for another AMP state.
        MotionError: a motion file cannot be read or does not fit.
    """
    cfg = AMPCfg.from_dict(require_amp_agent(agent_cfg).to_dict())
    is_manager_based = hasattr(env_cfg, "observations")  # a Direct environment shows its groups only when it runs
    if is_manager_based and getattr(env_cfg.observations, AMP_GROUP, None) is None:
        raise ConfigError(f"the task has no observation group '{AMP_GROUP}'.\n{HOW_TO_ADD_AMP_GROUP}")
    motions = MotionDataset.load(
        cfg.motion_entries(),
        cfg.num_frames,
        step_dt=step_dt(env_cfg),
        spec=AMPStateSpec.from_env_cfg(env_cfg),
        resample=cfg.resample_motions,
    )
    cfg.mirror.validate_for(motions.dim)
    interval, robot = getattr(agent_cfg, "snapshot_interval", 0), getattr(agent_cfg, "snapshot_robot", None)
    check_int("agent.snapshot_interval", interval, 0)
    if interval and (robot is None or not Path(robot).is_file()):
        raise ConfigError(
            f"agent.snapshot_interval is {interval}, agent.snapshot_robot {robot!r}; expected an MJCF or URDF file, such as "
            "that of --robot"
        )


def _share_motions(env_cfg: Any, agent_cfg: Any) -> None:
    """Use the run's motions for reference-state initialisation, unless the task names its own."""
    for event in vars(getattr(env_cfg, "events", None) or argparse.Namespace()).values():
        name = getattr(getattr(event, "func", None), "__name__", str(getattr(event, "func", "")))
        if name.endswith("reset_to_reference") and event.params.get("motions") is None:
            event.params["motions"] = agent_cfg.algorithm.amp_cfg.motions


def _add_snapshots(runner: AMPOnPolicyRunner, agent_cfg: Any, log_dir: Path) -> None:
    spec = AMPStateSpec.from_env_cfg(runner.env.cfg)
    interval = getattr(agent_cfg, "snapshot_interval", 0)
    if interval and spec is not None and runner.gpu_global_rank == 0:
        runner.callbacks.append(
            PolicySnapshotLogger(log_dir / "snapshots", spec, runner.alg.step_dt, agent_cfg.snapshot_robot, interval)
        )


def step_dt(env_cfg: Any) -> float:
    """Return the time step of an environment's configuration [s]."""
    return env_cfg.sim.dt * env_cfg.decimation


def exporter() -> Any:
    """Return what ``amp-export`` needs of Isaac Lab."""
    return policy_export


def prepare_player(env_cfg: Any, args: argparse.Namespace) -> None:
    """Add the camera or the page that showing needs."""
    if args.video:
        add_camera(env_cfg)
    if args.web:
        add_page(env_cfg, args.port)


def make_player(sim: Simulation, score_style: bool) -> IsaacLabPlayer:
    """Return the player of a simulation."""
    return IsaacLabPlayer(sim, score_style)
