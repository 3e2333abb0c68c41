"""What the commands share: error lines and exit codes."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from amp_runner.errors import AMPError

EXIT_BAD_INPUT = 2


def run_command(name: str, run: Callable[[list[str]], None], argv: list[str] | None) -> int:
    """Run a command; turn the library's exceptions into one line and exit status 2.

    Args:
        name: the command's name, for the error line.
        run: the command, called with its arguments.
        argv: arguments; None takes the process's. ``--debug`` shows the traceback of an error.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    try:
        run([argument for argument in argv if argument != "--debug"])
    except AMPError as error:
        if debug:
            traceback.print_exc()
        print(f"{name}: error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return 0


def require_isaaclab() -> None:
    """Check that Isaac Lab is installed.

    Raises:
        AMPError: saying how to install it.
    """
    try:
        import isaaclab  # noqa: F401
    except ImportError as error:
        raise AMPError(
            "Isaac Lab is not installed here, and this command runs a simulated environment; install it with: "
            "pip install 'amp-runner[sim]' (Python 3.12)"
        ) from error
