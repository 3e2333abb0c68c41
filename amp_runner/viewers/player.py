"""What a policy that is being watched can do, whichever simulator it is in."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from amp_runner.learning.style_scorer import StyleScore

_MEMORY = 0.5  # [s]

Schedule = Callable[[float], list[float]]
"""The command (vx, vy, yaw rate) at a time [s]."""


def in_real_time(dt: float, seconds: float | None) -> Iterator[float]:
    """The times of the steps [s], each when it is due; for some seconds, or for ever."""
    began = time.monotonic()
    for step in itertools.count():
        if seconds is not None and step * dt >= seconds:
            return
        time.sleep(max(0.0, began + step * dt - time.monotonic()))
        yield step * dt


def averaged(before: np.ndarray, now: np.ndarray, dt: float) -> np.ndarray:
    """A velocity to be shown: the mean over the last half second, exponentially."""
    return before + min(1.0, dt / _MEMORY) * (now - before)


class Player(Protocol):
    """One robot with its policy."""

    dt: float
    """Time of a step [s]."""
    command: np.ndarray
    """Commanded forward and sideways velocity [m/s] and yaw rate [rad/s], (3,); set it at any time."""
    command_ranges: dict[str, list[float]]
    """Smallest and largest command of the training, by ``lin_vel_x``, ``lin_vel_y``, ``ang_vel_z``."""
    judges: bool
    """Whether there will be a style score."""
    style: StyleScore | None
    """What the discriminator makes of the last frames, if it is there."""

    def step(self) -> None:
        """Let the policy act once."""

    def reset(self) -> None:
        """Stand up again."""

    def push(self, velocity: np.ndarray) -> None:
        """Change the base's planar velocity, (2,) [m/s]."""

    def velocity(self) -> np.ndarray:
        """Forward and sideways velocity [m/s] and yaw rate [rad/s], in the heading frame, (3,)."""

    def position(self) -> np.ndarray:
        """Of the base, in the world, (3,) [m]."""

    def picture(self) -> np.ndarray:
        """The robot from the side, (H, W, 3), 8 bits."""

    def open_page(self, port: int) -> Any:
        """Show the scene in the browser; returns viser's server."""

    def draw_page(self) -> None:
        """Show the current state there."""

    def run_window(self, seconds: float | None, schedule: Schedule) -> None:
        """Walk in a window until it is closed."""
