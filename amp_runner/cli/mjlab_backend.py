"""mjlab behind the commands; see :class:`~.backends.Backend`."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import mjlab.tasks  # noqa: F401  (registers mjlab's tasks)
import torch
from mjlab.envs import ManagerBasedRlEnv
from mjlab.rl import RslRlVecEnvWrapper
from mjlab.tasks.registry import list_tasks, load_env_cfg, load_rl_cfg, load_runner_cls
from mjlab.utils.os import dump_yaml
from mjlab.utils.torch import configure_torch_backends

from amp_runner.cli.common import add_training_arguments
from amp_runner.cli.overrides import apply_overrides, preset_overrides
from amp_runner.errors import CheckpointError, ConfigError, suggestion
from amp_runner.learning.checkpoint import check_resumable, read_checkpoint
from amp_runner.learning.config import AMPCfg
from amp_runner.mjlab import policy_export
from amp_runner.mjlab.access import find_ground_sensor, hold_commands, robot_joints, step_dt
from amp_runner.mjlab.adapt import with_amp
from amp_runner.mjlab.cfg import amp_obs_group
from amp_runner.mjlab.cpu_replay import replay_physics_on_cpu
from amp_runner.mjlab.player import MjlabPlayer
from amp_runner.mjlab.rollout import record_gait
from amp_runner.mjlab.runner import draw_snapshots, runner_class
from amp_runner.mjlab.simulation import Simulation, launch
from amp_runner.safe_yaml import parse_yaml
from amp_runner.state import AMP_GROUP, AMPStateSpec

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
_MOTIONS = "agent.algorithm.amp_cfg.motions"
_SNAPSHOT_INTERVAL = 100  # iterations


def has_task(task: str | None) -> bool:
    """Whether mjlab knows a task."""
    return task is not None and _registered(task) in list_tasks()


def _registered(task: str) -> str:
    """Import the module of ``module:name``; return the name."""
    module, _, name = task.rpartition(":")
    if module:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ConfigError(f"--task {task}: {error}") from None
    return name


def _check_task(task: str | None) -> str:
    if task is None:
        raise ConfigError("--task is missing; for example --task Mjlab-Velocity-Flat-Unitree-Go1")
    name = _registered(task)
    if name not in list_tasks():
        hint = suggestion(name, list_tasks()) or ". Is the package that registers it installed?"
        raise ConfigError(f"unknown task '{name}'{hint}")
    return name


def train(args: argparse.Namespace, rest: list[str]) -> str | None:
    """Train a task with AMP; see :meth:`~.backends.Backend.train`.

    Raises:
        AMPError: bad input.
    """
    if args.help:
        return None
    parser = argparse.ArgumentParser(prog="amp-train", add_help=False, allow_abbrev=False)
    add_training_arguments(parser)
    options, overrides = parser.parse_known_args(rest)
    task = _check_task(args.task)
    env_cfg: Any = load_env_cfg(task)
    agent_cfg: Any = load_rl_cfg(task)
    overrides = preset_overrides(args.config) + overrides
    _add_amp(env_cfg, agent_cfg, args, overrides)
    _apply_options(env_cfg, agent_cfg, options)
    if args.dry_run:
        return None
    if options.checkpoint:
        check_resumable(options.checkpoint, read_checkpoint(options.checkpoint, "cpu"))
    AMPCfg.from_dict(agent_cfg.algorithm.amp_cfg)
    options.snapshot_interval = _SNAPSHOT_INTERVAL if args.snapshot_interval is None else args.snapshot_interval
    return _run(task, env_cfg, agent_cfg, options)


def _add_amp(env_cfg: Any, agent_cfg: Any, args: argparse.Namespace, overrides: list[str]) -> None:
    """Add AMP where the task has none, print what was added, and apply the overrides."""
    given = [override.split("=", 1)[1] for override in overrides if override.split("=")[0] == _MOTIONS]
    motions = [m["path"] if set(m) == {"path"} else m for m in args.motions] or getattr(
        getattr(agent_cfg.algorithm, "amp_cfg", None), "motions", None
    )
    if given and not args.motions:
        motions = parse_yaml(given[-1])
    lines = with_amp(env_cfg, agent_cfg, motions[0] if isinstance(motions, list) and len(motions) == 1 else motions)
    if os.environ.get("RANK", "0") == "0":
        print("added to the task:\n" + "\n".join(f"    {line}" for line in lines), flush=True)
    others = [override for override in overrides if override.split("=")[0] != _MOTIONS]
    agent_cfg.logger = "tensorboard"  # mjlab's default needs an account
    apply_overrides(others, {"env": env_cfg, "agent": agent_cfg})
    if args.style_weight is not None:
        agent_cfg.algorithm.amp_cfg.style_weight = args.style_weight


def _apply_options(env_cfg: Any, agent_cfg: Any, options: argparse.Namespace) -> None:
    for name, minimum in (("num_envs", 1), ("max_iterations", 1)):
        value = getattr(options, name)
        if value is not None and value < minimum:
            raise ConfigError(f"--{name} {value}: expected at least {minimum}")
    if options.num_envs is not None:
        env_cfg.scene.num_envs = options.num_envs
    if options.max_iterations is not None:
        agent_cfg.max_iterations = options.max_iterations
    if options.run_name is not None:
        agent_cfg.run_name = options.run_name
    seed = agent_cfg.seed if options.seed is None else options.seed
    agent_cfg.seed = env_cfg.seed = seed + int(os.environ.get("RANK", "0"))


def _device(name: str | None) -> str:
    rank = os.environ.get("LOCAL_RANK", "0")
    return name or (f"cuda:{rank}" if torch.cuda.is_available() else "cpu")


def _run(task: str, env_cfg: Any, agent_cfg: Any, options: argparse.Namespace) -> str:
    configure_torch_backends()
    name = "_".join(filter(None, [datetime.now().strftime("%Y-%m-%d_%H-%M-%S"), agent_cfg.run_name]))
    folder = (Path("logs") / "rsl_rl" / agent_cfg.experiment_name / name).resolve()
    device, is_first = _device(options.device), os.environ.get("RANK", "0") == "0"
    replay_physics_on_cpu()
    env = RslRlVecEnvWrapper(ManagerBasedRlEnv(env_cfg, device=device), clip_actions=agent_cfg.clip_actions)
    cfg = dataclasses.asdict(agent_cfg)
    if is_first:  # before the runner changes them
        dump_yaml(folder / "params" / "env.yaml", dataclasses.asdict(env_cfg))
        dump_yaml(folder / "params" / "agent.yaml", dataclasses.asdict(agent_cfg))
    runner = runner_class(load_runner_cls(task))(env, {**cfg, "keep_checkpoints": 10}, str(folder), device)
    if options.snapshot_interval:
        draw_snapshots(runner, folder, options.snapshot_interval)
    if options.checkpoint:
        runner.load(options.checkpoint)
    try:
        runner.learn(agent_cfg.max_iterations, init_at_random_ep_len=True)
    finally:
        env.close()
    return str(folder)


@contextmanager
def simulation(
    args: argparse.Namespace, rest: list[str], configure: Callable[[argparse.Namespace, Any], None]
) -> Iterator[Simulation]:
    """Start mjlab with the environment of ``args.task``, in play mode; see :meth:`~.backends.Backend.simulation`."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--device")
    options, overrides = parser.parse_known_args(rest)
    task = _check_task(args.task)
    env_cfg, agent_cfg = load_env_cfg(task, play=True), load_rl_cfg(task)
    args.device = _device(options.device)
    overrides = [o for o in preset_overrides(args.config) if not o.startswith("agent.algorithm.amp_cfg.")] + overrides
    apply_overrides(overrides, {"env": env_cfg, "agent": agent_cfg}, skip_missing_terms=True)
    state: dict[str, Any] = {}
    if args.checkpoint:
        args.checkpoint = _resolve_checkpoint(args.checkpoint, agent_cfg)
        state = read_checkpoint(args.checkpoint, "cpu")
    if AMP_GROUP not in env_cfg.observations:
        spec, ground = _spec_of(state, env_cfg), find_ground_sensor(env_cfg)
        env_cfg.observations[AMP_GROUP] = amp_obs_group(spec, ground_sensor=ground)
    env_cfg.seed = args.seed
    configure(args, env_cfg)
    with launch(env_cfg, agent_cfg, args, state) as sim:
        yield sim


def _spec_of(state: dict[str, Any], env_cfg: Any) -> AMPStateSpec:
    """Layout of the AMP states that a checkpoint was trained with, else the default one with all of the robot's joints."""
    saved = state.get("amp", {}).get("spec")
    return AMPStateSpec.from_dict(saved) if saved else AMPStateSpec(robot_joints(env_cfg))


def _resolve_checkpoint(checkpoint: str, agent_cfg: Any) -> str:
    """Return the file of ``latest`` or ``best``: the newest checkpoint of the newest run of this experiment."""
    if checkpoint not in ("latest", "best"):
        return checkpoint
    folder = Path("logs") / "rsl_rl" / agent_cfg.experiment_name
    files = sorted(folder.glob("*/model_*.pt"), key=lambda file: (file.parent.name, int(file.stem.split("_")[1])))
    if not files:
        raise CheckpointError(f"--checkpoint {checkpoint}: no checkpoint below {folder}")
    return str(files[-1])


def exporter() -> Any:
    """Return what ``amp-export`` needs of mjlab."""
    return policy_export


def prepare_player(env_cfg: Any, args: argparse.Namespace) -> None:
    """Do nothing: the player draws by itself."""


def make_player(sim: Simulation, score_style: bool) -> MjlabPlayer:
    """Return the player of a simulation."""
    return MjlabPlayer(sim, score_style)
