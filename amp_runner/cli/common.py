"""What the commands share: error lines, exit codes, early checks, arguments."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from amp_runner.errors import AMPError, ConfigError

EXIT_BAD_INPUT = 2
_MODULES_OF_EXTRAS = {
    "motion": ("PIL", "imageio", "matplotlib", "mink", "mujoco", "scipy", "trimesh", "viser"),
    "deploy": ("onnx", "onnxruntime", "onnxscript"),
}

ISAACLAB_EPILOG = """\
In Isaac Lab, its launcher's arguments (--device cpu, --viz newton_gl, ...) and Hydra overrides (env.scene.num_envs=4) are
accepted too.
"""


def run_command(name: str, run: Callable[[list[str]], None], argv: list[str] | None) -> int:
    """Run a command; turn the library's exceptions into one line and exit status 2.

    Args:
        name: the command's name, for the error line.
        run: the command, called with its arguments.
        argv: arguments; None: those of the process. ``--debug`` shows the traceback of an error.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    try:
        run([argument for argument in argv if argument != "--debug"])
    except SystemExit as end:  # argparse, after --help or an error that it has printed
        return end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ImportError as error:
        if debug or (error.name or "").startswith("amp_runner"):
            raise
        print(f"{name}: error: {error}; install it with: pip install {_package_of(error.name)}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except (AMPError, OSError) as error:
        if debug:
            traceback.print_exc()
        print(f"{name}: error: {error}{_advice_on_home(error)}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return 0


def _package_of(module: str | None) -> str:
    """What pip has to install for a module that is missing."""
    top = (module or "").partition(".")[0]
    extra = next((extra for extra, modules in _MODULES_OF_EXTRAS.items() if top in modules), None)
    return f"'amp-runner[{extra}]'" if extra else top or "'amp-runner[sim]'"


def _advice_on_home(error: Exception) -> str:
    """Advice where a simulator or a plotting library cannot keep its cache."""
    home = os.path.expanduser("~")
    if not str(getattr(error, "filename", None) or "").startswith(home) or os.access(home, os.W_OK):
        return ""
    return "; the home folder cannot be written: set HOME to a folder that can be, for the caches of the simulator"


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a type for argparse: a number from ``low`` to ``high``; NaN is none."""

    def parse(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not from {low:g} to {high:g}")
        return value

    return parse


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return a type for argparse: a whole number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not from {low} to {high}")
        return value

    return parse


TIME_STEP = number(1e-4, 1.0)
"""A time step [s], for argparse."""


def policy_parser(
    prog: str, description: str, *, needs_checkpoint: bool = True, with_export: bool = False
) -> argparse.ArgumentParser:
    """Create the parser of a command that runs a policy.

    Args:
        prog: name of the command.
        description: what it does.
        needs_checkpoint: require a policy.
        with_export: add ``--export``, for a policy that ``amp-export`` wrote, in plain MuJoCo.
    """
    parser = argparse.ArgumentParser(prog=prog, description=description, epilog=ISAACLAB_EPILOG, allow_abbrev=False)
    parser.set_defaults(command_name=prog.removeprefix("amp-"))
    group = parser.add_argument_group("in Isaac Lab")
    group.add_argument("--task", required=not with_export, help="name of the task")
    group.add_argument(
        "--checkpoint",
        required=needs_checkpoint and not with_export,
        help="checkpoint file, or 'latest' or 'best': of the newest run of this task below logs/",
    )
    group.add_argument(
        "--config", action="append", metavar="FILE", default=[], help="preset (.yaml) of the policy's training"
    )
    group.add_argument("--agent", default="rsl_rl_cfg_entry_point", help=argparse.SUPPRESS)
    group.add_argument("--frontend", default="torch", help=argparse.SUPPRESS)
    group.add_argument("--seed", type=int, default=1234, help="seed of the environment (default: %(default)s)")
    if with_export:
        group = parser.add_argument_group("in plain MuJoCo")
        group.add_argument("--export", metavar="DIR", help="folder that amp-export wrote")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a training that Isaac Lab's own command knows too, with the same meaning."""
    group = parser.add_argument_group("the training")
    group.add_argument("--num_envs", type=int, help="number of robots")
    group.add_argument("--max_iterations", type=int, help="iterations of the training")
    group.add_argument("--seed", type=int, help="seed of the environment and the agent")
    group.add_argument("--device", help="device of simulation and training (default: cuda:0 if there is a GPU, else cpu)")
    group.add_argument("--checkpoint", help="checkpoint file to resume from; in Isaac Lab also 'latest' or 'best'")
    group.add_argument("--run_name", help="added to the name of the run's folder")


def add_page_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a page in the browser; see :func:`guard_pages`."""
    parser.add_argument("--port", type=whole_number(0, 65535), default=8080, help="port of the page (default: %(default)s)")
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        help="address on which other machines may open the page, such as 0.0.0.0; they need the token that is printed with "
        "its address (default: this machine only)",
    )


def guard_pages(args: argparse.Namespace) -> None:
    """Guard the pages of this process as ``--host`` says, before one is opened."""
    from amp_runner.viewers.page_access import protect_pages

    protect_pages(args.host)


def runs_export(args: argparse.Namespace, rest: list[str]) -> bool:
    """Whether the policy is an exported one, in plain MuJoCo.

    Args:
        args: arguments of a :func:`policy_parser` with ``with_export``.
        rest: arguments that were not parsed.

    Raises:
        ConfigError: the arguments contradict each other, or one is unknown or missing.
    """
    if args.export is None:
        if args.task is None or args.checkpoint is None:
            raise ConfigError("give either --task and --checkpoint (Isaac Lab) or --export (plain MuJoCo)")
        return False
    if args.task or args.checkpoint or args.config:
        raise ConfigError("--export runs in plain MuJoCo: remove --task, --checkpoint and --config")
    if rest:
        raise ConfigError(f"unknown argument '{rest[0]}'; see amp-{args.command_name} --help")
    return True


def check_clip_file(out: str) -> None:
    """Check that a clip file can be written, before anything slow happens.

    Raises:
        ConfigError: its name does not end in .npz, or :func:`check_folder` fails.
    """
    if Path(out).suffix != ".npz":
        raise ConfigError(f"--out {out}: expected a name that ends in .npz")
    check_folder("--out", out)


def check_folder(option: str, path: str) -> None:
    """Check that an option's file can be written, before anything slow happens.

    Raises:
        ConfigError: its folder does not exist or cannot be written, or it is a folder itself.
    """
    folder = Path(path).parent
    if not folder.is_dir():
        raise ConfigError(f"{option} {path}: the folder does not exist; create it first")
    if Path(path).is_dir():
        raise ConfigError(f"{option} {path}: is a folder; expected the name of a file")
    _try_to_write(option, folder)


def make_folder(option: str, path: str) -> Path:
    """Make the folder into which an option's files are written, before anything slow happens; return it.

    Raises:
        ConfigError: it cannot be made or written, or is a file.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ConfigError(f"{option} {path}: is a file; expected a folder") from None
    except OSError as error:
        raise ConfigError(f"{option} {path}: the folder cannot be made: {error.strerror}") from None
    _try_to_write(option, folder)
    return folder


def _try_to_write(option: str, folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(f"{option}: nothing can be written into {folder}: {error.strerror}") from None
