"""Runs an exported policy on measured signals, on the robot."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from amp_runner.deploy.policy_description import Observation, PolicyDescription
from amp_runner.errors import AMPError, ConfigError

ONNX_FILE = "policy.onnx"


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
        self.reset()

    def reset(self) -> None:
        """Reset histories and memory at the start of an episode."""
        self._frames = {entry.name: deque(maxlen=entry.history) for entry in self.description.observations}
        self.last_action = np.zeros(len(self._offset))
        self._memory = {name: np.zeros(self._shapes[name], dtype=np.float32) for name in self._memory_names}

    def observe(self, signals: dict[str, np.ndarray]) -> np.ndarray:
        """Add a frame; returns the network's input, (1, O).

        Raises:
            ConfigError: a signal is missing.
        """
        signals = signals | {"last_action": self.last_action}
        parts = []
        for entry in self.description.observations:
            assert entry.signal is not None  # checked on construction
            if entry.signal not in signals:
                meaning = self.description.signals[entry.signal]
                raise ConfigError(f"the signal '{entry.signal}' is missing: {meaning}")
            frames, frame = self._frames[entry.name], self._frame(entry, np.asarray(signals[entry.signal], dtype=float))
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

        Args:
            signals: measured signals, by the names of :data:`~.policy_description.SIGNALS`.

        Returns:
            Joint position targets in the order of ``description.actions.joints``, (A,) [rad].
        """
        return self.targets(self.act(self.observe(signals)))

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
