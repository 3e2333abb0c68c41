"""Runs an exported policy on measured signals, on the robot."""

from __future__ import annotations

import logging
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from amp_runner.deploy.policy_description import Observation, PolicyDescription
from amp_runner.errors import AMPError, ConfigError

logger = logging.getLogger(__name__)

ONNX_FILE = "policy.onnx"
_LOG_EVERY = 50  # steps


class SignalError(ConfigError):
    """A measured signal, or the network's output, is not finite."""


class DeployedPolicy:
    """Computes joint position targets from signals, for one robot.

    >>> policy = DeployedPolicy("exported")
    >>> targets = policy({"base_ang_vel": ..., "projected_gravity": ..., "command": ..., "joint_pos": ..., "joint_vel": ...})
    """

    def __init__(self, folder: str | Path) -> None:
        """Read the description and the network.

        Args:
            folder: what ``amp-export`` wrote.

        Raises:
            ConfigError: something is missing, damaged, or needs more than :data:`~.policy_description.SIGNALS`.
            AMPError: ONNX Runtime is not installed.
        """
        self.description = PolicyDescription.load(folder)
        self.description.require_measured()
        self._session = _open_session(Path(folder) / ONNX_FILE)
        self._memory_names = [entry.name for entry in self._session.get_inputs() if entry.name != "obs"]
        self._shapes = {entry.name: entry.shape for entry in self._session.get_inputs()}
        expected = sum(entry.size * entry.history for entry in self.description.observations)
        if self._shapes.get("obs", [0])[-1] != expected:
            raise ConfigError(
                f"{folder}: the network takes {self._shapes.get('obs')}, its description {expected} numbers; the two "
                "files are not of one export"
            )
        actions = self.description.actions
        self._offset, self._scale = np.array(actions.offset), np.array(actions.scale)
        names = self.description.joints.names
        self._columns = {
            entry.name: [names.index(joint) for joint in entry.joints] for entry in self.description.observations
        }
        self.held_steps = 0
        """Steps in which the last targets were held."""
        self.reset()

    def reset(self) -> None:
        """Reset histories, memory and the held targets at the start of an episode."""
        self._targets: np.ndarray | None = None
        self._frames = {entry.name: deque(maxlen=entry.history) for entry in self.description.observations}
        self.last_action = np.zeros(len(self._offset))
        self._memory = {name: np.zeros(self._shapes[name], dtype=np.float32) for name in self._memory_names}

    def observe(self, signals: dict[str, np.ndarray]) -> np.ndarray:
        """Add a frame; returns the network's input, (1, O).

        Raises:
            ConfigError: a signal is missing or has another shape.
            SignalError: a signal is NaN or infinite; nothing has changed.
        """
        checked = self._checked(signals) | {"last_action": self.last_action}
        parts = []
        for entry in self.description.observations:
            assert entry.signal is not None  # checked on construction
            frames, frame = self._frames[entry.name], self._frame(entry, checked[entry.signal])
            frames.extend([frame] * (1 if frames else entry.history))
            parts += frames
        return np.concatenate(parts).astype(np.float32)[None]

    def act(self, observation: np.ndarray) -> np.ndarray:
        """Return the network's output for its input (1, O), shape (A,)."""
        outputs: list[np.ndarray] = self._session.run(None, {"obs": observation, **self._memory})  # type: ignore[assignment]
        action, *memory = outputs
        self._memory = dict(zip(self._memory_names, memory))
        limit = self.description.actions.clip
        self.last_action = action[0] if limit is None else np.clip(action[0], -limit, limit)
        return self.last_action

    def __call__(self, signals: dict[str, np.ndarray]) -> np.ndarray:
        """One control step.

        If a signal, or the network's output, is NaN or infinite, the last targets are held, which is logged and counted in
        :attr:`held_steps`.

        Args:
            signals: measured signals, by the names of :data:`~.policy_description.SIGNALS`.

        Returns:
            Joint position targets in the order of ``description.actions.joints``, (A,) [rad].

        Raises:
            ConfigError: a signal is missing or has another shape.
            SignalError: a signal is NaN or infinite in the first step after a reset, when there are no targets to hold.
        """
        try:
            targets = self.targets(self.act(self.observe(signals)))
            if not np.isfinite(targets).all():
                raise SignalError(f"the network's output is {self.last_action}; expected finite numbers")
        except SignalError as error:
            if self._targets is None:
                raise
            if self.held_steps % _LOG_EVERY == 0:
                logger.error("holding the last joint targets (%d steps so far): %s", self.held_steps, error)
            self.held_steps += 1
            return self._targets.copy()
        self._targets = targets
        return targets.copy()

    def _checked(self, signals: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Signals as numbers, of the shapes that the description gives."""
        checked = {}
        for entry in self.description.observations:
            name = entry.signal
            if name is None or name == "last_action":
                continue
            if name not in signals:
                raise ConfigError(f"the signal '{name}' is missing: {self.description.signals[name]}")
            try:
                value = np.asarray(signals[name], dtype=float)
            except (TypeError, ValueError) as error:
                raise ConfigError(f"the signal '{name}' is no array of numbers: {error}") from None
            size = len(self.description.joints.names) if entry.joints else entry.size
            if value.shape != (size,):
                raise ConfigError(f"the signal '{name}' has shape {value.shape}; expected ({size},)")
            if not np.isfinite(value).all():
                raise SignalError(f"the signal '{name}' is {value}; expected finite numbers")
            checked[name] = value
        return checked

    def targets(self, action: np.ndarray) -> np.ndarray:
        """Return the joint position targets of a network's output, (A,) [rad]."""
        return self._offset + self._scale * action

    def _frame(self, entry: Observation, signal: np.ndarray) -> np.ndarray:
        if entry.joints:
            signal = signal[self._columns[entry.name]]
        value = signal - np.array(entry.offset)
        if entry.clip is not None:
            value = np.clip(value, entry.clip[0], entry.clip[1])
        return value * np.array(entry.scale)


def _open_session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise AMPError(f"{error}; running an exported policy needs: pip install 'amp-runner[deploy]'") from error
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected a folder that amp-export made")
    try:
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base but this
        raise ConfigError(f"{path}: not a network that ONNX Runtime can run: {str(error).splitlines()[0]}") from None
