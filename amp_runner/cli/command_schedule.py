"""Velocity commands on the command line: one, or a schedule of several."""

from __future__ import annotations

import argparse
import math

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
        ConfigError: a command is malformed, or one of several has no duration.
    """
    for command in commands:
        if len(command) not in (3, 4) or (len(command) == 3 and len(commands) > 1):
            raise ConfigError(
                f"--command {' '.join(map(str, command))}: expected VX VY WZ, or in a schedule VX VY WZ SECONDS"
            )
        if not all(map(math.isfinite, command)):
            raise ConfigError(f"--command {' '.join(map(str, command))}: expected finite numbers")
        if len(command) == 4 and not command[3] > 0:
            raise ConfigError(f"--command: {command[3]:g} seconds; expected more than 0")


def command_at(schedule: list[list[float]], time: float) -> list[float]:
    """Return the command (vx, vy, yaw rate) of a schedule at a time [s]; the schedule is repeated cyclically."""
    if len(schedule[0]) == 3:
        return schedule[0]
    remaining = time % sum(command[3] for command in schedule)
    for *command, seconds in schedule:
        if remaining < seconds:
            return command
        remaining -= seconds
    return schedule[-1][:3]
