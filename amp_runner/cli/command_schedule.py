"""Velocity commands on the command line: one, or a schedule of several."""

from __future__ import annotations

import argparse

from amp_runner.errors import ConfigError


def add_command_argument(parser: argparse.ArgumentParser, remark: str) -> None:
    """Add ``--command``, repeatable for a schedule; see :func:`check_schedule` and :func:`command_at`."""
    parser.add_argument(
        "--command",
        type=float,
        nargs="+",
        action="append",
        metavar="N",
        help=f"velocity command VX VY WZ [m/s, m/s, rad/s], and for how many seconds; repeat it for a schedule ({remark})",
    )


def check_schedule(commands: list[list[float]]) -> None:
    """Check the values of ``--command``.

    Raises:
        ConfigError: one is no command, or one of several has no duration.
    """
    for command in commands:
        if len(command) not in (3, 4) or (len(command) == 3 and len(commands) > 1):
            raise ConfigError(
                f"--command {' '.join(map(str, command))}: expected VX VY WZ, in a schedule with SECONDS behind"
            )
        if len(command) == 4 and not command[3] > 0:
            raise ConfigError(f"--command: {command[3]:g} seconds; expected more than 0")


def command_at(schedule: list[list[float]], time: float) -> list[float]:
    """The command (vx, vy, yaw rate) of a schedule at a time [s]; after its end the schedule begins again."""
    if len(schedule[0]) == 3:
        return schedule[0]
    left = time % sum(command[3] for command in schedule)
    for *command, seconds in schedule:
        if left < seconds:
            return command
        left -= seconds
    return schedule[-1][:3]
