"""What pushes a robot survives, and how long it takes to recover, from a recording with graded pushes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amp_runner.evaluation.gait_metrics import SETTLING_TIME, GaitRecording
from amp_runner.evaluation.trial import DIRECTIONS, GRAVITY, PUSH_INTERVAL, Trial, push_steps

SURVIVAL = 0.8
"""Share of the robots that survives the reported push."""
_RECOVERY_LEVEL = 0.3  # push after which the time of recovery is measured, in Trial.push_unit
_UNDISTURBED = 0.95  # share of the undisturbed strides that counts as recovered
_DEFAULT_STRIDE = 0.5  # [s] where no robot and no clip walks


@dataclass(frozen=True)
class PushOutcomes:
    """Outcomes of M pushes."""

    change: np.ndarray
    """Change of the planar velocity, (M, 2), heading frame [m/s]."""
    survived: np.ndarray
    """Whether the robot did not fall before the next push, (M,)."""
    recovery_time: np.ndarray
    """Time until the robot followed its command as before, (M,) [s]; :data:`~.trial.PUSH_INTERVAL` if it did not."""

    def toward(self, direction: str) -> PushOutcomes:
        """Return the outcomes of one direction."""
        chosen = self.change @ np.array(DIRECTIONS[direction]) > 0.99 * np.linalg.norm(self.change, axis=-1)
        return PushOutcomes(self.change[chosen], self.survived[chosen], self.recovery_time[chosen])

    @property
    def speed(self) -> np.ndarray:
        """Change of speed, (M,) [m/s]."""
        return np.linalg.norm(self.change, axis=-1)


def push_measures(recording: GaitRecording, trial: Trial, stride_frequency: float) -> dict[str, float]:
    """Measure what pushes the robots survive, and how fast they recover.

    Args:
        recording: all robots of a trial with graded pushes.
        trial: the trial.
        stride_frequency: typical stride frequency [Hz]; NaN if there is none.

    Returns:
        The measures by name, NaN where no push was made.

        - ``push_survived_<direction>_mps``: change of velocity that 80 % survive, see :func:`survived_speed`;
          ``push_survived_<direction>_ns``: the impulse, this times the robot's mass [N s].
        - ``push_recovery_time_s``: median time of recovery from pushes of 0.3 sqrt(g h) that were survived.
    """
    outcomes = push_outcomes(recording, trial, stride_frequency)
    result = {}
    for direction in DIRECTIONS:
        found = outcomes.toward(direction)
        speed = survived_speed(found.speed, found.survived)
        result[f"push_survived_{direction}_mps"] = speed
        result[f"push_survived_{direction}_ns"] = speed * recording.weight / GRAVITY
    light = outcomes.survived & np.isclose(outcomes.speed, _RECOVERY_LEVEL * (trial.push_unit or 0.0))
    result["push_recovery_time_s"] = float(np.median(outcomes.recovery_time[light])) if light.any() else float("nan")
    return result


def push_outcomes(recording: GaitRecording, trial: Trial, stride_frequency: float) -> PushOutcomes:
    """Find the outcome of every push.

    A push counts if its robot had been walking for the settling time. A robot has recovered when the mean of its planar
    velocity over the last stride is, for one stride, as near to its command as in 95 % of the undisturbed strides.

    Args:
        recording: all robots of a trial with graded pushes.
        trial: the trial.
        stride_frequency: typical stride frequency [Hz]; NaN if there is none.
    """
    interval = push_steps(recording.dt)
    seconds = 1.0 / stride_frequency if np.isfinite(stride_frequency) else _DEFAULT_STRIDE
    stride = max(1, round(seconds / recording.dt))
    deviation = _stride_deviation(recording, stride)
    undisturbed = deviation[:, ~trial.pushed][recording.episode_time[:, ~trial.pushed] > SETTLING_TIME + seconds]
    is_close = deviation <= (np.quantile(undisturbed, _UNDISTURBED) if len(undisturbed) else 0.0)
    changes, survived, times = [], [], []
    for number, push in enumerate(trial.pushes, start=1):
        start, stop = number * interval, (number + 1) * interval
        robots = np.flatnonzero(push.any(axis=-1) & (recording.episode_time[start - 1] >= SETTLING_TIME))
        changes.append(push[robots])
        survived.append(~recording.falls[start:stop, robots].any(axis=0))
        times.append([_first_run(is_close[start:stop, robot], stride) * recording.dt for robot in robots])
    return PushOutcomes(
        np.concatenate(changes).reshape(-1, 2), np.concatenate(survived), np.minimum(np.concatenate(times), PUSH_INTERVAL)
    )


def survived_speed(speeds: np.ndarray, survived: np.ndarray, share: float = SURVIVAL) -> float:
    """Estimate the push that a share of the robots survives.

    The share of survivors at each speed is made falling by isotonic regression (pool adjacent violators, Ayer et al.
    1955) and interpolated linearly, beginning with 1 at no push.

    Args:
        speeds: change of velocity by each push, (M,) [m/s].
        survived: whether it was survived, (M,).
        share: share of survivors.

    Returns:
        The speed [m/s]. If more survive the strongest push, its speed; without pushes NaN.
    """
    if not len(speeds):
        return float("nan")
    levels, index = np.unique(speeds.round(9), return_inverse=True)
    blocks: list[tuple[float, int, int]] = []  # survivors, pushes, levels
    for number in range(len(levels)):
        block = (float(survived[index == number].sum()), int((index == number).sum()), 1)
        while blocks and blocks[-1][0] / blocks[-1][1] < block[0] / block[1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    shares = [1.0] + [alive / count for alive, count, width in blocks for _ in range(width)]
    points = [0.0, *levels]
    for (left, low), (right, high) in zip(zip(points, shares), zip(points[1:], shares[1:])):
        if high < share:
            return float(left + (right - left) * (low - share) / (low - high))
    return float(levels[-1])


def _stride_deviation(recording: GaitRecording, stride: int) -> np.ndarray:
    """Distance from the command of the mean planar velocity over the last stride, (T, N) [m/s]; infinite in the first."""
    velocity = recording.feature("root_lin_vel")[..., :2] - recording.commands[:, :2]
    total = np.cumsum(velocity, axis=0)
    deviation = np.full(velocity.shape[:2], np.inf)
    deviation[stride:] = np.linalg.norm(total[stride:] - total[:-stride], axis=-1) / stride
    return deviation


def _first_run(mask: np.ndarray, length: int) -> int:
    """Index at which the first run of ``length`` true values begins; the number of values if there is none."""
    if len(mask) < length:
        return len(mask)
    runs = np.lib.stride_tricks.sliding_window_view(mask, length).all(axis=-1)
    return int(runs.argmax()) if runs.any() else len(mask)
