"""The interface of a player: one robot with its policy, in any simulator."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from amp_runner.learning.style_scorer import StyleScore

_AVERAGING_TIME = 0.5  # [s]

CommandSchedule = Callable[[float], list[float]]
"""Returns the command (vx, vy, yaw rate) at a time [s]."""


def in_real_time(dt: float, seconds: float | None) -> Iterator[float]:
    """Yield the times of the steps [s], each when it is due; for some seconds, or without end."""
    began = time.monotonic()
    for step in itertools.count():
        if seconds is not None and step * dt >= seconds:
            return
        time.sleep(max(0.0, began + step * dt - time.monotonic()))
        yield step * dt


def running_mean(before: np.ndarray, now: np.ndarray, dt: float) -> np.ndarray:
    """Update the exponential mean of a velocity over the last half second."""
    return before + min(1.0, dt / _AVERAGING_TIME) * (now - before)


class Player(Protocol):
    """One robot with its policy."""

    dt: float
    """Time of a step [s]."""
    command: np.ndarray
    """Commanded forward and sideways velocity [m/s] and yaw rate [rad/s], (3,); may be set at any time."""
    command_ranges: dict[str, list[float]]
    """Smallest and largest command of the training, by ``lin_vel_x``, ``lin_vel_y``, ``ang_vel_z``."""
    style: StyleScore | None
    """Score of the last frames by the discriminator, if there is one."""

    @property
    def has_style_score(self) -> bool:
        """Whether :attr:`style` will be computed."""
        ...

    def step(self) -> None:
        """Run the policy for one step."""

    def reset(self) -> None:
        """Put the robot back on its feet."""

    def push(self, velocity: np.ndarray) -> None:
        """Change the base's planar velocity, (2,) [m/s]."""

    def velocity(self) -> np.ndarray:
        """Return forward and sideways velocity [m/s] and yaw rate [rad/s] in the heading frame, (3,)."""
        ...

    def position(self) -> np.ndarray:
        """Return the position of the base in the world, (3,) [m]."""
        ...

    def picture(self) -> np.ndarray:
        """Draw the robot from the side, (H, W, 3), uint8."""
        ...

    def open_page(self, port: int) -> Any:
        """Show the scene in the browser; returns viser's server."""

    def draw_page(self) -> None:
        """Update the scene in the browser."""

    def run_window(self, seconds: float | None, schedule: CommandSchedule) -> None:
        """Run in a window until it is closed."""
