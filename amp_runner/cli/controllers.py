"""What can move the robot in ``amp-record``: a trained policy, the task's scripted gait, sinusoids, or the user's own."""

from __future__ import annotations

import argparse
import math
import re
from typing import Any

import torch
from tensordict import TensorDict

from amp_runner.errors import ConfigError
from amp_runner.isaaclab.joint_action import JointTargetMapping
from amp_runner.isaaclab.simulation import Simulation


def add_controller_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose a controller."""
    parser.add_argument(
        "--controller",
        default="policy",
        help="policy (a trained one, see --checkpoint), gait (the task's scripted one), sine (see --sine), or "
        "MODULE:FUNCTION, called with the environment, which returns a function from observations to actions "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--sine",
        nargs="+",
        action="append",
        default=[],
        metavar="V",
        help="for --controller sine: JOINT AMPLITUDE FREQUENCY [PHASE [OFFSET]] in rad, Hz, strides and rad: joints whose "
        "name matches the regular expression JOINT swing about their default position plus the offset; repeatable, the "
        "others hold their default position",
    )


def check_controller(args: argparse.Namespace, env_cfg: Any) -> None:
    """Check the arguments before the simulator starts.

    Raises:
        ConfigError: they make no sense, or the task has no scripted gait.
    """
    name = args.controller
    if name == "policy" and not args.checkpoint:
        raise ConfigError("--controller policy needs --checkpoint PATH or --checkpoint latest")
    if name not in ("policy", "gait", "sine") and ":" not in name:
        raise ConfigError(f"--controller {name}: expected policy, gait, sine or MODULE:FUNCTION")
    if name == "gait" and getattr(env_cfg, "scripted_gait", None) is None:
        raise ConfigError("--controller gait: the task has no scripted gait; use --controller MODULE:FUNCTION")
    if bool(args.sine) != (name == "sine"):
        raise ConfigError("--controller sine needs --sine JOINT AMPLITUDE FREQUENCY, and --sine needs --controller sine")
    for values in args.sine:
        parse_sine(values)


def parse_sine(values: list[str]) -> tuple[str, float, float, float, float]:
    """Joint pattern, amplitude [rad], frequency [Hz], phase [strides] and offset [rad] of a ``--sine``.

    Raises:
        ConfigError: too few or too many values, or one is no number.
    """
    pattern, *numbers = values
    try:
        amplitude, frequency, phase, offset = [*map(float, numbers), *[0.0] * (4 - len(numbers))]
        re.compile(pattern)
        if len(numbers) < 2 or not all(map(math.isfinite, (amplitude, frequency, phase, offset))):
            raise ValueError
    except (ValueError, re.error):
        raise ConfigError(
            f"--sine {' '.join(values)}: expected JOINT AMPLITUDE FREQUENCY [PHASE [OFFSET]], for example "
            "--sine left_upper_leg_joint 0.3 2.0 0.5"
        ) from None
    return pattern, amplitude, frequency, phase, offset


def make_controller(sim: Simulation, args: argparse.Namespace) -> Any:
    """The controller: a function from observations to actions (N, A), with ``reset(dones)`` where it has a memory.

    Raises:
        ConfigError: it cannot be found or does not fit the task.
    """
    if args.controller == "policy":
        return sim.load_policy()
    if args.controller == "sine":
        return Sinusoids(sim.env, [parse_sine(values) for values in args.sine])
    from rsl_rl.utils import resolve_callable

    name = sim.env_cfg.scripted_gait if args.controller == "gait" else args.controller
    try:
        make = resolve_callable(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"--controller {name}: {error}") from error
    return make(sim.env)


class Sinusoids:
    """Joints that swing about their default positions, each environment's time beginning with its episode."""

    def __init__(self, env: Any, sines: list[tuple[str, float, float, float, float]]) -> None:
        """Find the joints.

        Args:
            env: RSL-RL's wrapper of an Isaac Lab environment.
            sines: (joint pattern, amplitude [rad], frequency [Hz], phase [strides], offset [rad]).

        Raises:
            ConfigError: a pattern matches no joint, or the actions are no joint positions.
        """
        self._env, self._action = env.unwrapped, JointTargetMapping.from_env(env)
        joints = self._action.joint_names
        self._columns = torch.zeros(4, len(joints), device=env.device)
        for pattern, *numbers in sines:
            found = [i for i, joint in enumerate(joints) if re.fullmatch(pattern, joint)]
            if not found:
                raise ConfigError(f"--sine {pattern}: no such joint; the robot has {', '.join(joints)}")
            self._columns[:, found] = torch.tensor(numbers, device=env.device).unsqueeze(-1)

    def __call__(self, obs: TensorDict) -> torch.Tensor:
        """Actions (N, A)."""
        time = self._env.episode_length_buf.unsqueeze(-1) * self._env.step_dt
        amplitude, frequency, phase, offset = self._columns
        swing = amplitude * torch.sin(2 * math.pi * (frequency * time + phase))
        return self._action.actions(self._action.offset + offset + swing)
