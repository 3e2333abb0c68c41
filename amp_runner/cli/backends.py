"""The simulators behind the commands: which one runs a task, and the verbs that both offer."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from amp_runner.errors import AMPError


class Exporter(Protocol):
    """What ``amp-export`` needs of a simulator; a module of its package."""

    def without_randomisation(self, env_cfg: Any) -> None:
        """Remove what randomises the robot at the start."""

    def describe(self, env: Any, agent_cfg: Any, checkpoint: dict[str, Any], motions: dict[str, str], task: str) -> Any:
        """Return the description of a policy, a :class:`~amp_runner.deploy.PolicyDescription`."""

    def measured_signals(self, env: Any) -> dict[str, Any]:
        """Return the signals of the first robot."""
        ...

    def joint_targets(self, env: Any) -> Any:
        """Return the joint position targets of the first robot's last step."""

    def write_model(self, sim: Any, folder: Path) -> str | None:
        """Write the robot's MJCF file to the folder and return its name; None if there is none."""


class Backend(Protocol):
    """A simulator behind the commands; a module of this package."""

    def train(self, args: argparse.Namespace, rest: list[str]) -> str | None:
        """Train; returns the folder of the run, or None if nothing was trained."""

    def simulation(
        self, args: argparse.Namespace, rest: list[str], configure: Callable[[argparse.Namespace, Any], None]
    ) -> AbstractContextManager[Any]:
        """Start the environment of ``args.task`` in play mode; ``configure(args, env_cfg)`` may change it before."""
        ...

    def step_dt(self, env_cfg: Any) -> float:
        """Return the time step of an environment's configuration [s]."""
        ...

    def hold_commands(self, env_cfg: Any) -> None:
        """Disable resampling of the velocity commands."""

    def record_gait(self, sim: Any, policy: Any, trial: Any, spec: Any) -> Any:
        """Run a policy in a trial, and return the recording."""
        ...

    def prepare_player(self, env_cfg: Any, args: argparse.Namespace) -> None:
        """Add what showing needs to an environment's configuration."""

    def make_player(self, sim: Any, score_style: bool) -> Any:
        """Return the player of a simulation."""

    def exporter(self) -> Exporter:
        """Return what ``amp-export`` needs."""
        ...


_INSTALL = """\
No simulator is installed, and this command runs a simulated environment; install Isaac Lab with: \
pip install 'amp-runner[sim]' (Python 3.12), or mjlab with: pip install 'amp-runner[mjlab]'"""


def backend_of(task: str | None) -> Backend:
    """Return the simulator that has a task: mjlab if it is installed and knows the task, else Isaac Lab.

    Raises:
        AMPError: neither is installed.
    """
    has_isaaclab, has_mjlab = (importlib.util.find_spec(name) is not None for name in ("isaaclab", "mjlab"))
    if not has_isaaclab and not has_mjlab:
        raise AMPError(_INSTALL)
    if has_mjlab:
        backend: Any = importlib.import_module("amp_runner.cli.mjlab_backend")
        if not has_isaaclab or backend.has_task(task):
            return backend
    return importlib.import_module("amp_runner.cli.isaaclab_backend")  # type: ignore[return-value]
