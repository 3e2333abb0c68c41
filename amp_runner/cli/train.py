"""``amp-train``: training with AMP in Isaac Lab or mjlab."""

from __future__ import annotations

import argparse
import os
import sys

from amp_runner.cli.backends import backend_of
from amp_runner.cli.common import add_training_arguments, run_command, whole_number

EPILOG = """\
Overrides change any setting of the task and the agent, for example
  env.commands.base_velocity.ranges.lin_vel_x=[0.0,0.8]  agent.algorithm.amp_cfg.num_frames=3
amp-train --task NAME --help shows the other arguments of the task's simulator, too.
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
        add_training_arguments(parser)
        parser.print_help()
        if args.task is None:
            return
    from amp_runner.cli.overrides import parse_motion_argument

    # On a CPU that has other work, threads that wait actively make training half as fast.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    args.motions = [parse_motion_argument(text) for text in args.motion]
    run = backend_of(args.task).train(args, rest)
    if run is not None and os.environ.get("RANK", "0") == "0":
        print(f"run: {run}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amp-train",
        description="Train with PPO and adversarial motion priors (AMP) in Isaac Lab or mjlab.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this help, and with --task that of its simulator")
    parser.add_argument(
        "--task", help="name of the task; to one that knows nothing of AMP, what it needs is added and printed"
    )
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
    parser.add_argument(
        "--robot",
        metavar="FILE",
        help="MJCF or URDF file, in Isaac Lab for mirroring and pictures (default: an installed one)",
    )
    parser.add_argument(
        "--snapshot_interval",
        type=whole_number(0, 1_000_000),
        metavar="N",
        help="iterations between two pictures of the gait in TensorBoard, 0 for none (default: the agent's; mjlab: 100)",
    )
    parser.add_argument("--dry_run", action="store_true", help="print what is added to the task, and stop")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())
