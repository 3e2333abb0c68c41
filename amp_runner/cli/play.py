"""``amp-play``: watch a trained policy, in a window, in the browser or in a video."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from amp_runner.cli.backends import backend_of
from amp_runner.cli.command_schedule import add_command_argument, check_schedule, command_at
from amp_runner.cli.common import (
    add_page_arguments,
    check_folder,
    guard_pages,
    policy_parser,
    run_command,
    runs_export,
)
from amp_runner.errors import AMPError, ConfigError

if TYPE_CHECKING:
    from amp_runner.viewers.player import Player


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``amp-play``; returns the exit status."""
    return run_command("amp-play", play, argv)


def play(argv: list[str]) -> None:
    """Show a policy.

    Raises:
        AMPError: bad input, or no way to show the policy on this machine.
    """
    args, rest = _parser().parse_known_args(argv)
    is_export = runs_export(args, rest)
    _check_arguments(args)
    if args.web:
        guard_pages(args)
    with _in_mujoco(args) if is_export else _in_simulator(args, rest) as player:
        show(player, args)


def show(player: Player, args: argparse.Namespace) -> None:
    """Write the video, serve the page, or run the window."""
    if args.video:
        from amp_runner.viewers.video import write_video

        count = write_video(player, args.video, args.seconds or 10.0, lambda time: command_at(args.command, time))
        print(f"wrote {args.video}: {count} pictures")
    elif args.web:
        from amp_runner.viewers.control_page import serve

        serve(player, args.port, args.seconds, args.command[0][:3])
    else:
        player.run_window(args.seconds, lambda time: command_at(args.command, time))


@contextmanager
def _in_simulator(args: argparse.Namespace, rest: list[str]) -> Iterator[Player]:
    backend = backend_of(args.task)

    def configure(args: argparse.Namespace, env_cfg: Any) -> None:
        env_cfg.scene.num_envs = 1
        backend.hold_commands(env_cfg)
        env_cfg.episode_length_s = 1e6
        backend.prepare_player(env_cfg, args)

    with backend.simulation(args, rest, configure) as sim:
        yield backend.make_player(sim, args.web)


@contextmanager
def _in_mujoco(args: argparse.Namespace) -> Iterator[Player]:
    if args.video:
        from amp_runner.viewers.rendering import prepare_to_draw

        prepare_to_draw()
    from amp_runner.viewers.mujoco_player import MujocoPlayer

    yield MujocoPlayer(args.export)


def _parser() -> argparse.ArgumentParser:
    parser = policy_parser("amp-play", "Watch a trained policy. Without --video and --web a window opens.", with_export=True)
    parser.add_argument("--video", metavar="FILE", help="write a video (.mp4 or .gif); needs neither a screen nor a GPU")
    parser.add_argument("--web", action="store_true", help="serve a page with sliders for the command and live style curves")
    add_page_arguments(parser)
    parser.add_argument("--seconds", type=float, help="duration [s] (default: until Ctrl-C; of a video: 10)")
    add_command_argument(parser, "default: 0.5 0 0")
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
        raise ConfigError("--web: the page's sliders command the robot; give at most one --command, to start with")
    if args.seconds is not None and not 0 < args.seconds < 1e6:
        raise ConfigError(f"--seconds {args.seconds:g}: expected more than 0")
    if args.host and not args.web:
        raise ConfigError("--host is for the page in the browser: add --web")
    if not args.video and not args.web:
        require_screen()


def require_screen() -> None:
    """Check that a window can open.

    Raises:
        AMPError: there is no screen.
    """
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise AMPError("no screen to open a window on; use --web (a page in the browser) or --video FILE")


if __name__ == "__main__":
    sys.exit(main())
