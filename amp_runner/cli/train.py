"""``amp-train``: Isaac Lab's ``isaaclab train``, with AMP."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from typing import Any

from amp_runner.cli.common import require_isaaclab, run_command
from amp_runner.cli.overrides import parse_motion_argument, preset_overrides

EPILOG = """\
Hydra overrides change any setting of the task and the agent, for example
  env.commands.base_velocity.ranges.lin_vel_x=[0.0,0.8]  agent.algorithm.amp_cfg.num_frames=3
Arguments of Isaac Lab's own training command, such as --num_envs, --max_iterations and --checkpoint, are listed below.
"""


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``amp-train``; returns the exit status."""
    return run_command("amp-train", train, argv)


def train(argv: list[str]) -> None:
    """Train; prints ``run: <folder>`` last.

    Raises:
        AMPError: bad input.
    """
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if args.help:
        parser.print_help()
        if importlib.util.find_spec("isaaclab") is None:
            return
        rest.append("--help")
    motions = [parse_motion_argument(text) for text in args.motion]
    overrides = preset_overrides(args.config)
    require_isaaclab()
    from amp_runner.cli.isaaclab_backend import train_with_amp

    def set_options(amp_cfg: Any) -> None:
        if motions:
            amp_cfg.motions = motions
        if args.style_weight is not None:
            amp_cfg.style_weight = args.style_weight

    run = train_with_amp(overrides + rest, set_options)  # overrides on the command line come last, so that they win
    if run is not None and os.environ.get("RANK", "0") == "0":
        print(f"run: {run}")


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
        "--config", action="append", metavar="FILE", default=[], help="preset (.yaml) of changes to the defaults; repeatable"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())
