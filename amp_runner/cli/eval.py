"""``amp-eval``: measure the gait of a trained policy against its reference motion."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from amp_runner.cli.backends import backend_of
from amp_runner.cli.common import (
    check_folder,
    make_folder,
    policy_parser,
    run_command,
    runs_export,
)
from amp_runner.errors import ConfigError
from amp_runner.evaluation.gait_metrics import SETTLING_TIME, GaitRecording
from amp_runner.evaluation.trial import PUSH_INTERVAL, Trial
from amp_runner.motions.clip import Motion

_NUM_ENVS, _NUM_ENVS_EXPORT = 256, 38


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``amp-eval``; returns the exit status."""
    return run_command("amp-eval", evaluate, argv)


def evaluate(argv: list[str]) -> None:
    """Run the policy on the grid of commands, half of the robots with pushes; print and write the measures.

    Raises:
        AMPError: bad input.
    """
    args, rest = _parser().parse_known_args(argv)
    is_export = runs_export(args, rest)
    args.num_envs = args.num_envs or (_NUM_ENVS_EXPORT if is_export and not args.matched else _NUM_ENVS)
    _check_arguments(args)
    recording, trial, reference = _record_in_mujoco(args) if is_export else _record_in_simulator(args, rest)
    _report(recording, trial, reference, args)


def _trial(args: argparse.Namespace, ranges: dict[str, list[float]], reference: Motion) -> Trial:
    """The reference's commands, or speeds straight ahead, or a grid within the training's ranges; with pushes."""
    from amp_runner.evaluation.matching import matched_commands
    from amp_runner.evaluation.trial import COMMAND_RANGES, commands_in, make_trial

    if args.matched:
        grid = matched_commands(reference.clip_commands(), ranges)
    elif args.speeds is None:
        grid = commands_in(ranges or COMMAND_RANGES)
    else:
        grid = np.array([(speed, 0.0, 0.0) for speed in args.speeds])
    height = float(reference.states[:, reference.spec.features["root_height"]].mean())
    return make_trial(args.num_envs, grid, args.seconds, height if args.pushes else None)


def _record_in_simulator(args: argparse.Namespace, rest: list[str]) -> tuple[GaitRecording, Trial, Motion]:
    from amp_runner.env_interface import command_ranges
    from amp_runner.evaluation.evaluate import load_reference

    backend = backend_of(args.task)
    references: list[Motion] = []

    def configure(args: argparse.Namespace, env_cfg: Any) -> None:
        env_cfg.scene.num_envs = args.num_envs
        env_cfg.episode_length_s = args.seconds + 1.0
        backend.hold_commands(env_cfg)
        references.append(load_reference(args.motion, backend.step_dt(env_cfg)))

    with backend.simulation(args, rest, configure) as sim:
        (reference,) = references
        trial = _trial(args, command_ranges(sim.env.unwrapped), reference)
        return backend.record_gait(sim, sim.load_policy(), trial, reference.spec), trial, reference


def _record_in_mujoco(args: argparse.Namespace) -> tuple[GaitRecording, Trial, Motion]:
    from amp_runner.deploy import DeployedPolicy
    from amp_runner.deploy.mujoco_robot import MujocoRobot
    from amp_runner.evaluation.evaluate import load_reference
    from amp_runner.evaluation.mujoco_rollout import record_mujoco_gait

    policy = DeployedPolicy(args.export)
    description = policy.description
    robot = MujocoRobot(description, description.model_path(args.export))
    reference = load_reference(args.motion, description.control_dt)
    trial = _trial(args, description.command_ranges, reference)
    return record_mujoco_gait(policy, robot, trial, reference.spec), trial, reference


def _report(recording: GaitRecording, trial: Trial, reference: Motion, args: argparse.Namespace) -> None:
    from amp_runner.evaluation.evaluate import evaluate_gait

    measures = evaluate_gait(recording, trial, reference, args.matched)
    # JSON has no NaN: a measure that does not exist, such as a stride where no robot walks, is null.
    text = json.dumps({name: value if math.isfinite(value) else None for name, value in measures.items()}, indent=2)
    print(text)
    if args.json:
        Path(args.json).write_text(text + "\n")
    if args.plots:
        from amp_runner.evaluation.glance import write_glance
        from amp_runner.evaluation.legs import hip_joint
        from amp_runner.evaluation.plots import write_plots, write_push_plot
        from amp_runner.evaluation.pushes import push_outcomes

        alone = recording.select(~trial.pushed)
        names = write_plots(Path(args.plots), alone, reference, hip_joint(recording.spec.joint_names))
        names += write_glance(Path(args.plots), alone, reference, measures) if args.matched else []
        if trial.push_unit is not None:
            outcomes = push_outcomes(recording, trial, measures.get("stride_frequency_hz", math.nan))
            names += write_push_plot(Path(args.plots), outcomes, measures)
        print(f"wrote {', '.join(names)} to {args.plots}")


def _parser() -> argparse.ArgumentParser:
    parser = policy_parser("amp-eval", "Measure a policy's gait against reference motion.", with_export=True)
    parser.add_argument("--motion", required=True, action="append", metavar="PATH", help="reference clip (.npz); repeatable")
    parser.add_argument(
        "--num_envs",
        type=int,
        help=f"robots, half of which are pushed (default: {_NUM_ENVS}; of an export without --matched {_NUM_ENVS_EXPORT})",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the test [s] (default: %(default)s)")
    parser.add_argument(
        "--matched",
        action="store_true",
        help="run at the commands of the reference's clips, and add measures that compare the gaits at equal commands",
    )
    parser.add_argument(
        "--speeds", type=float, nargs="+", metavar="V", help="walk straight ahead at these speeds [m/s] (default: the grid)"
    )
    parser.add_argument(
        "--pushes",
        action="store_true",
        help="push half of the robots in four directions, up to very hard, and measure what they survive (default: lightly)",
    )
    parser.add_argument("--json", metavar="FILE", help="write the measures to this file")
    parser.add_argument("--plots", metavar="DIR", help="write plots there; with --matched also one of the whole gait")
    return parser


def _check_arguments(args: argparse.Namespace) -> None:
    if args.num_envs < 2:
        raise ConfigError(f"--num_envs {args.num_envs}: expected at least 2, one without pushes and one with")
    if args.matched and args.speeds:
        raise ConfigError("--matched and --speeds: expected one of them; both choose the commands")
    if not np.isfinite(args.speeds or []).all():
        raise ConfigError(f"--speeds {' '.join(map(str, args.speeds))}: expected finite numbers")
    shortest = SETTLING_TIME + 0.5
    if not shortest <= args.seconds < 3600:
        raise ConfigError(
            f"--seconds {args.seconds:g}: expected {shortest:g} to 3600; the first {SETTLING_TIME:g} are excluded"
        )
    if args.pushes and args.seconds < 2 * PUSH_INTERVAL:
        shortest = f"{2 * PUSH_INTERVAL:g}, a push and the time after it"
        raise ConfigError(f"--seconds {args.seconds:g} with --pushes: expected at least {shortest}")
    if args.json:
        check_folder("--json", args.json)
    if args.plots:
        make_folder("--plots", args.plots)


if __name__ == "__main__":
    sys.exit(main())
