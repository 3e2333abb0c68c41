"""``amp-play``: watch a trained policy, in a window, in the browser or in a video."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amp_runner.cli.command_schedule import add_command_argument, check_schedule, command_at
from amp_runner.cli.common import check_folder, run_command
from amp_runner.errors import AMPError, ConfigError
from amp_runner.isaaclab.simulation import add_arguments, hold_commands, simulation
from amp_runner.viewers.player import Player
from amp_runner.viewers.rendering import prepare_to_draw

EPILOG = """\
Without --video and --web a window opens. In plain MuJoCo, from the files of amp-export alone:
  amp-play --export DIR [--video FILE | --web]
"""


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``amp-play``; returns the exit status."""
    return run_command("amp-play", play, argv)


def play(argv: list[str]) -> None:
    """Show a policy as the arguments say.

    Raises:
        AMPError: bad input, or no way to show it here.
    """
    choice = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    choice.add_argument("--sim", choices=("isaaclab", "mujoco"))
    choice.add_argument("--export")
    choice.add_argument("-h", "--help", action="store_true")
    chosen, _ = choice.parse_known_args(argv)
    is_exported = chosen.sim == "mujoco" or (chosen.sim is None and chosen.export is not None)
    if chosen.help and importlib.util.find_spec("isaaclab") is None:
        is_exported = True  # Isaac Lab would have to add its own arguments
    with (_in_mujoco if is_exported else _in_isaaclab)(argv) as (played, args):
        show(played, args)


def show(played: Player, args: argparse.Namespace) -> None:
    """Make the video, serve the page, or keep the window going."""
    if args.video:
        from amp_runner.viewers.video import write_video

        write_video(played, args.video, args.seconds or 10.0, lambda time: command_at(args.command, time))
    elif args.web:
        from amp_runner.viewers.control_page import serve

        serve(played, args.port, args.seconds, args.command[0][:3])
    else:
        played.run_window(args.seconds, lambda time: command_at(args.command, time))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amp-play",
        description="Watch a trained policy walk.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--sim", choices=("isaaclab", "mujoco"), help="simulator (default: isaaclab, with --export mujoco)")
    parser.add_argument("--video", metavar="FILE", help="write a video (.mp4) instead; needs neither a screen nor a GPU")
    parser.add_argument(
        "--web", action="store_true", help="serve a page instead, with sliders for the command and live style curves"
    )
    parser.add_argument("--port", type=int, default=8080, help="port of the page (default: %(default)s)")
    parser.add_argument("--seconds", type=float, help="how long [s] (default: until Ctrl-C; a video: 10)")
    add_command_argument(parser, "default: 0.5 0 0")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _check_arguments(args: argparse.Namespace) -> None:
    args.command = args.command or [[0.5, 0.0, 0.0]]
    check_schedule(args.command)
    if args.video and args.web:
        raise ConfigError("--video and --web: choose one")
    if args.video and not args.video.endswith((".mp4", ".gif")):
        raise ConfigError(f"--video {args.video}: expected a name that ends in .mp4 or .gif")
    if args.video:
        check_folder("--video", args.video)
    if args.web and len(args.command) > 1:
        raise ConfigError("--web: the page's sliders command the robot; give one --command to begin with")
    if args.seconds is not None and not args.seconds > 0:
        raise ConfigError(f"--seconds {args.seconds:g}: expected more than 0")
    if not args.video and not args.web:
        require_screen()


def require_screen() -> None:
    """Check that a window can open.

    Raises:
        AMPError: saying what to do without one.
    """
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise AMPError("no screen here to open a window on; use --web (a page in the browser) or --video FILE")


@contextmanager
def _in_isaaclab(argv: list[str]) -> Iterator[tuple[Player, argparse.Namespace]]:
    from amp_runner.isaaclab.player import IsaacLabPlayer, add_camera, add_page

    parser = _parser()
    add_arguments(parser, needs_checkpoint=True)
    chosen: list[argparse.Namespace] = []

    def configure(args: argparse.Namespace, env_cfg: Any) -> None:
        _check_arguments(args)
        chosen.append(args)
        env_cfg.scene.num_envs = 1
        hold_commands(env_cfg)
        env_cfg.episode_length_s = 1e6
        if args.video:
            add_camera(env_cfg)
        if args.web:
            add_page(env_cfg, args.port)

    others = ("--video", "--web", "--help", "-h", "--viz", "--visualizer")
    is_window = not any(argument.split("=")[0] in others for argument in argv)
    with simulation(parser, [*argv, "--viz", "newton_gl"] if is_window else argv, configure) as sim:
        yield IsaacLabPlayer(sim, judge=chosen[0].web), chosen[0]


@contextmanager
def _in_mujoco(argv: list[str]) -> Iterator[tuple[Player, argparse.Namespace]]:
    parser = _parser()
    parser.add_argument("--export", required=True, metavar="DIR", help="folder that amp-export wrote")
    args = parser.parse_args(argv)
    _check_arguments(args)
    if args.video:
        prepare_to_draw()
    from amp_runner.viewers.mujoco_player import MujocoPlayer

    yield MujocoPlayer(args.export), args


if __name__ == "__main__":
    sys.exit(main())
