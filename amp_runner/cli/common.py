"""What the commands share: error lines, exit codes, early checks."""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from amp_runner.errors import AMPError, ConfigError

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
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ImportError as error:
        if debug or (error.name or "").startswith("amp_runner"):
            raise
        print(f"{name}: error: {error}; install what it needs with: pip install 'amp-runner[deploy]'", file=sys.stderr)
        return EXIT_BAD_INPUT
    except (AMPError, OSError) as error:
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


def check_task(task: str | None) -> None:
    """Check the task's name before anything slow happens.

    Raises:
        ConfigError: no task, or an unknown one, with the nearest names.
    """
    import gymnasium
    import isaaclab_tasks  # noqa: F401

    if task is None:
        raise ConfigError("--task is missing; for example --task Isaac-Velocity-Flat-Ostrich-v0")
    if task.split(":")[-1] not in gymnasium.registry:
        close = difflib.get_close_matches(task, gymnasium.registry, n=3, cutoff=0.5)
        raise ConfigError(f"unknown task '{task}'; did you mean {' or '.join(close) or 'another'}?")


def check_clip_file(out: str) -> None:
    """Check that a clip file can be written, before anything slow happens.

    Raises:
        ConfigError: its name or its folder is wrong.
    """
    if Path(out).suffix != ".npz":
        raise ConfigError(f"--out {out}: expected a name that ends in .npz")
    check_folder("--out", out)


def check_folder(option: str, path: str) -> None:
    """Check that the folder exists that an option's file is to be written to.

    Raises:
        ConfigError: it does not.
    """
    if not Path(path).parent.is_dir():
        raise ConfigError(f"{option} {path}: the folder does not exist; create it first")
