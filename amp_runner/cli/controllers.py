"""Controllers for ``amp-record``: a trained policy, the task's scripted gait, or the user's own function."""

from __future__ import annotations

import argparse
from typing import Any

from amp_runner.errors import ConfigError


def add_controller_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument that chooses a controller."""
    parser.add_argument(
        "--controller",
        default="policy",
        help="policy (a trained one, see --checkpoint), gait (the task's scripted one), or MODULE:FUNCTION, called with the "
        "environment, which returns a function from observations to actions (PYTHONPATH=. finds modules in this folder) "
        "(default: %(default)s)",
    )


def check_controller(args: argparse.Namespace, env_cfg: Any) -> None:
    """Check the arguments before the simulator starts.

    Raises:
        ConfigError: the controller is unknown, or the task has no scripted gait.
    """
    name = args.controller
    if name == "policy" and not args.checkpoint:
        raise ConfigError("--controller policy needs --checkpoint PATH or --checkpoint latest")
    if name not in ("policy", "gait") and ":" not in name:
        raise ConfigError(f"--controller {name}: expected policy, gait or MODULE:FUNCTION")
    if name == "gait" and getattr(env_cfg, "scripted_gait", None) is None:
        raise ConfigError("--controller gait: the task has no scripted gait; use --controller MODULE:FUNCTION")


def make_controller(sim: Any) -> Any:
    """Build the controller: a function from observations to actions (N, A), with ``reset(dones)`` if it has a memory.

    Raises:
        ConfigError: it cannot be found or does not fit the task.
    """
    if sim.args.controller == "policy":
        return sim.load_policy()
    from rsl_rl.utils import resolve_callable

    name = sim.env_cfg.scripted_gait if sim.args.controller == "gait" else sim.args.controller
    try:
        make = resolve_callable(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"--controller {name}: {error}") from error
    return make(sim.env)
