"""``amp-record``: record reference motion from the simulation."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from amp_runner.cli.backends import backend_of
from amp_runner.cli.command_schedule import add_command_argument, check_schedule, command_at
from amp_runner.cli.common import check_clip_file, policy_parser, run_command
from amp_runner.cli.controllers import add_controller_arguments, check_controller, make_controller
from amp_runner.errors import ConfigError, MotionError
from amp_runner.motions.clip import Motion, save_motion
from amp_runner.state import AMP_GROUP

_FALL_MARGIN = 0.5  # [s] before a fall that are cut off
_SHORTEST_CLIP = 1.0  # [s]


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``amp-record``; returns the exit status."""
    return run_command("amp-record", record, argv)


def record(argv: list[str]) -> None:
    """Run a controller and save the ``amp`` group, one clip for each environment and episode.

    Raises:
        AMPError: bad input, or no clip was long enough.
    """
    args, rest = _parser().parse_known_args(argv)
    _check_arguments(args)
    backend = backend_of(args.task)

    def configure(args: argparse.Namespace, env_cfg: Any) -> None:
        check_controller(args, env_cfg)
        env_cfg.scene.num_envs = args.num_envs
        if args.command is not None:
            backend.hold_commands(env_cfg)

    with backend.simulation(args, rest, configure) as sim:
        states, commands, ends = _run(sim, make_controller(sim))
        dt, spec = sim.env.unwrapped.step_dt, sim.spec
    clips = cut_clips(ends, round(args.skip / dt), round(_FALL_MARGIN / dt), round(_SHORTEST_CLIP / dt))
    if not clips:
        raise MotionError(
            f"{args.out}: nothing was saved: no environment ran for {args.skip + _SHORTEST_CLIP:g} s without a fall or a "
            "reset; record more --steps, or use a controller that stays upright"
        )
    motion = Motion.with_spec(
        spec,
        path=args.out,
        states=np.concatenate([states[first:last, env] for env, first, last in clips]),
        clip_lengths=np.array([last - first for _, first, last in clips]),
        dt=dt,
        commands=np.concatenate([commands[first:last, env] for env, first, last in clips]),
        source=" ".join(filter(None, ["amp-record", args.task, args.controller, Path(args.checkpoint or "").name])),
        licence=args.licence,
    )
    save_motion(motion)
    print(f"{motion.path}: {len(clips)} clips, {len(motion.states) * dt:.1f} s")


def cut_clips(ends: np.ndarray, skip: int, margin: int, shortest: int) -> list[tuple[int, int, int]]:
    """Cut recordings into clips.

    Args:
        ends: what ended in each step, (T, N): 0 nothing, 1 the episode timed out, 2 the robot fell. The state of that step
            belongs to the next episode.
        skip: frames dropped at the start of each episode.
        margin: frames dropped before a fall.
        shortest: clips with fewer frames are dropped.

    Returns:
        Clips as (environment, first frame, end frame).
    """
    clips = []
    for env in range(ends.shape[1]):
        first = 0
        for step in [*np.flatnonzero(ends[:, env]), len(ends)]:
            fell = step < len(ends) and ends[step, env] == 2
            begin, end = first + skip, step - (margin if fell else 0)
            if end - begin >= shortest:
                clips.append((env, begin, end))
            first = step
    return clips


def _parser() -> argparse.ArgumentParser:
    parser = policy_parser("amp-record", "Record reference motion from the simulation.", needs_checkpoint=False)
    add_controller_arguments(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="clip file to write (.npz)")
    parser.add_argument("--steps", type=int, default=1000, help="environment steps (default: %(default)s)")
    parser.add_argument("--num_envs", type=int, default=1, help="environments, recorded in parallel (default: %(default)s)")
    add_command_argument(parser, "repeated cyclically; default: the task's own commands")
    parser.add_argument("--skip", type=float, default=1.0, help="seconds cut off after a reset (default: %(default)s)")
    parser.add_argument("--licence", default="", help="licence noted in the file")
    return parser


def _check_arguments(args: argparse.Namespace) -> None:
    check_clip_file(args.out)
    if args.steps < 1 or args.num_envs < 1:
        raise ConfigError("--steps and --num_envs must be at least 1")
    if not 0 <= args.skip < 1e6:
        raise ConfigError(f"--skip {args.skip:g}: expected at least 0 seconds")
    check_schedule(args.command or [])


def _run(sim: Any, controller: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states (T, N, D), commands (T, N, 3), and what ended (T, N); fewer steps if interrupted."""
    import torch

    from amp_runner.env_interface import timed_out, velocity_command

    env, unwrapped, schedule = sim.env, sim.env.unwrapped, sim.args.command
    term = velocity_command(unwrapped)
    frames: list[tuple[torch.Tensor, ...]] = []
    obs = env.get_observations()
    with torch.inference_mode():
        try:
            for step in tqdm(range(sim.args.steps), desc="recording", unit="step", mininterval=1.0):
                if schedule is not None:
                    command = command_at(schedule, step * unwrapped.step_dt)
                    term.vel_command_b[:] = torch.tensor(command, device=env.device)
                obs, _, dones, extras = env.step(controller(obs))
                if hasattr(controller, "reset"):
                    controller.reset(dones)
                ended = dones * torch.where(timed_out(extras, dones), 1, 2)
                frames.append(tuple(x.cpu().clone() for x in (obs[AMP_GROUP], term.command, ended)))
        except KeyboardInterrupt:
            print(f"interrupted; keeping {len(frames)} steps", file=sys.stderr)
    if not frames:
        raise MotionError("interrupted before the first step; nothing was recorded")
    states, commands, ends = (torch.stack(column).numpy() for column in zip(*frames))
    return states, commands, ends


if __name__ == "__main__":
    sys.exit(main())
