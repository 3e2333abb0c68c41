"""AMPRolloutStorage: what AMP keeps of a rollout, beside RSL-RL's own storage."""

from __future__ import annotations

import torch
from rsl_rl.storage import RolloutStorage

from amp_runner.state import amp_frames


class AMPRolloutStorage:
    """Successor states of a rollout, and the windows of AMP frames that end with them.

    The window of step t holds the K frames s[t-K+2] ... s[t], s'[t]; the last one is the successor of that step. It is
    valid if all of its frames belong to one episode and are plausible. The states s are read from RSL-RL's storage, which
    holds the observation group ``amp`` already.
    """

    def __init__(
        self,
        storage: RolloutStorage,
        num_frames: int,
        command_group: str | None = None,
        max_abs_state: float = float("inf"),
    ) -> None:
        """Allocate the buffers.

        Args:
            storage: RSL-RL's storage, with the observation group ``amp`` of shape (T, N, D).
            num_frames: K, frames in a window.
            command_group: observation group that is appended to the AMP states, if any.
            max_abs_state: windows with NaN or a larger absolute value are invalid: the simulation diverged.
        """
        self._storage = storage
        self.num_frames, self.command_group, self.max_abs_state = num_frames, command_group, max_abs_state
        states = self.frames()
        self.successors = torch.zeros_like(states)
        """Successor frames, before any reset, shape (T, N, D)."""
        self.task_rewards = torch.zeros(states.shape[:2], device=states.device)
        """The environment's rewards without bootstrap or bonus, shape (T, N)."""
        self.num_implausible = torch.zeros((), dtype=torch.long, device=states.device)
        """Frames of this rollout that were not plausible (a scalar)."""
        self._valid = torch.zeros(states.shape[:2], dtype=torch.bool, device=states.device)
        self._history = torch.zeros(max(num_frames - 2, 0), *states.shape[1:], device=states.device)
        self._history_length = torch.zeros(states.shape[1], dtype=torch.long, device=states.device)

    def frames(self) -> torch.Tensor:
        """Frames before each step, shape (T, N, D)."""
        return amp_frames(self._storage.observations, self.command_group)

    def add(
        self,
        states: torch.Tensor,
        successors: torch.Tensor,
        dones: torch.Tensor,
        successor_valid: torch.Tensor,
        task_rewards: torch.Tensor,
    ) -> None:
        """Record the AMP part of the transition that RSL-RL's storage is about to add.

        Args:
            states: frames before the step, shape (N, D).
            successors: frames after the step and before any reset, shape (N, D).
            dones: whether the step ended the episode, shape (N,).
            successor_valid: false where an episode ended and its last state is unknown, shape (N,).
            task_rewards: the environment's rewards, shape (N,).
        """
        step = self._storage.step
        if step == 0:
            self._reset_stale_history(states)
        plausible, successor_plausible = self._is_plausible(states), self._is_plausible(successors)
        self.num_implausible += (~successor_plausible & successor_valid).sum()
        length = torch.where(plausible, self._history_length + 1, 0)
        self.successors[step] = successors
        self.task_rewards[step] = task_rewards
        self._valid[step] = successor_valid & successor_plausible & (length >= self.num_frames - 1)
        self._history_length = torch.where(dones.bool(), 0, length)

    def windows(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the windows of the rollout, shape (T, N, K, D), and which of them are valid, shape (T, N)."""
        last = self.successors.unsqueeze(2)
        if self.num_frames == 1:
            return last, self._valid
        frames = torch.cat([self._history, self.frames()])
        earlier = frames.unfold(0, self.num_frames - 1, 1).transpose(2, 3)
        return torch.cat([earlier, last], dim=2), self._valid

    def clear(self) -> None:
        """Start the next rollout, keeping the frames that its first windows reach back to."""
        if len(self._history):
            frames = torch.cat([self._history, self.frames()])
            self._history = frames[-len(self._history) :].clone()
        self._valid.zero_()
        self.num_implausible.zero_()

    def _is_plausible(self, frames: torch.Tensor) -> torch.Tensor:
        """Mask of frames (N, D) that are finite and below ``max_abs_state``, shape (N,). NaN compares False."""
        return (frames.abs() < self.max_abs_state).all(dim=-1)

    def _reset_stale_history(self, states: torch.Tensor) -> None:
        """Discard the history of environments that were reset between two rollouts."""
        continues_episode = (states == self.successors[-1]).all(dim=-1)
        self._history_length = torch.where(continues_episode, self._history_length, 0)
