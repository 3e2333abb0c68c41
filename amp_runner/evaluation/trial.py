"""A trial of a policy: what each robot is commanded to do, and how it is pushed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COMMAND_RANGES = {"lin_vel_x": [0.0, 0.8], "lin_vel_y": [-0.5, 0.5], "ang_vel_z": [-0.3, 0.3]}
"""Ranges of the grid of a task without ranges of its own [m/s, m/s, rad/s]."""
PUSH_INTERVAL = 4.0
"""Time between two pushes [s]."""
PUSH_SPEED = 0.3
"""Largest change of velocity by a random push, along x and along y [m/s]."""
DIRECTIONS = {"forward": (1.0, 0.0), "backward": (-1.0, 0.0), "left": (0.0, 1.0), "right": (0.0, -1.0)}
"""Directions of graded pushes in the heading frame."""
PUSH_LEVELS = 0.15 * np.arange(1, 9)
"""Changes of velocity by graded pushes, as fractions of sqrt(g h) with the root's height h."""
GRAVITY = 9.81
"""[m/s^2]"""


@dataclass(frozen=True)
class Trial:
    """Commands and pushes of N robots."""

    commands: np.ndarray
    """Commands, (N, 3) [m/s, m/s, rad/s]."""
    pushed: np.ndarray
    """Which robots are pushed, (N,): the second half."""
    pushes: np.ndarray
    """Changes of velocity after every :data:`PUSH_INTERVAL`, (P, N, 2), heading frame [m/s]; 0 for no push."""
    seconds: float
    """Length of the trial [s]."""
    push_unit: float | None = None
    """Unit of graded pushes, sqrt(g h) [m/s]; None if the pushes are random."""

    def push_after(self, step: int, dt: float) -> np.ndarray | None:
        """Return the push that follows a step (counted from 0), (N, 2) [m/s], or None.

        Args:
            step: the step that has ended.
            dt: time step [s].
        """
        number, remainder = divmod(step + 1, push_steps(dt))
        return self.pushes[number - 1] if remainder == 0 and number <= len(self.pushes) else None


def push_steps(dt: float) -> int:
    """Return the number of steps between two pushes."""
    return round(PUSH_INTERVAL / dt)


def commands_in(ranges: dict[str, list[float]]) -> np.ndarray:
    """Return a grid of commands (vx, vy, yaw rate), (C, 3): forward, sideways, turning, mixed.

    Args:
        ranges: smallest and largest command by ``lin_vel_x``, ``lin_vel_y`` [m/s] and ``ang_vel_z`` [rad/s].
    """
    (low, high), side, turn = ranges["lin_vel_x"], ranges["lin_vel_y"][1], ranges["ang_vel_z"][1]
    start, middle = max(low, 0.0), 0.5 * high
    grid = (
        [(v, 0.0, 0.0) for v in np.linspace(start, high, 9)]
        + [(0.0, v * side, 0.0) for v in (-1.0, -0.5, 0.5, 1.0)]
        + [(v, 0.0, w * turn) for v in (0.0, middle) for w in (-1.0, 1.0)]
        + [(middle, v * side, 0.0) for v in (-0.5, 0.5)]
    )
    inside = [c for c in dict.fromkeys(grid) if start - 1e-9 <= c[0]]
    return np.round(np.array(inside), 6) + 0.0


def make_trial(num_envs: int, grid: np.ndarray, seconds: float, root_height: float | None = None) -> Trial:
    """Assign commands and pushes to robots.

    Args:
        num_envs: N, number of robots. The second half is pushed, at the same commands as the first.
        grid: commands, (C, 3).
        seconds: length of the trial [s].
        root_height: with it [m], the pushes are graded; else they are random, up to :data:`PUSH_SPEED` on each axis.
    """
    pushed = np.arange(num_envs) >= num_envs // 2
    commands = grid[np.arange(num_envs) % len(grid)]
    commands[pushed] = commands[: int(pushed.sum())].copy()
    rng, number = np.random.default_rng(0), int(seconds / PUSH_INTERVAL)
    if root_height is None:
        unit, pushes = None, rng.uniform(-PUSH_SPEED, PUSH_SPEED, (number, num_envs, 2))
    else:
        unit = float(np.sqrt(GRAVITY * root_height))
        # The time after the last push is as long as that after the others.
        pushes = unit * graded_pushes(number - 1, num_envs, rng)
    return Trial(commands, pushed, pushes * pushed[None, :, None], seconds, unit)


def graded_pushes(number: int, num_envs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw pushes of four directions and eight speeds, each as often as the others, (P, N, 2) [sqrt(g h)].

    At a speed of sqrt(g h), the kinetic energy of a body at the root's height h is half of its potential energy: in this
    unit, robots of any size are pushed alike.

    Args:
        number: P, number of pushes of each robot.
        num_envs: N, number of robots.
        rng: random generator that assigns them.
    """
    kinds = np.multiply.outer(PUSH_LEVELS, np.array(list(DIRECTIONS.values()))).reshape(-1, 2)
    # The pushed robots are the second half: each half gets every kind equally often.
    halves = [rng.permutation(np.arange(number * count) % len(kinds)) for count in (num_envs // 2, num_envs - num_envs // 2)]
    return np.concatenate([kinds[half].reshape(number, -1, 2) for half in halves], axis=1)
