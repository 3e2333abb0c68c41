"""AMPRolloutStorage: RSL-RL's rollout storage, plus what windows of AMP states need."""

from __future__ import annotations

import torch
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from amp_runner.learning.checkpoint import check_tensor

AMP_GROUP = "amp"
"""The observation group with the AMP state."""


def amp_frames(obs: TensorDict, command_group: str | None = None) -> torch.Tensor:
    """What the discriminator sees of observations: the AMP state and, where asked for, the command; shape (..., D)."""
    if command_group is None:
        return obs[AMP_GROUP].float()
    return torch.cat([obs[AMP_GROUP], obs[command_group]], dim=-1).float()


class AMPRolloutStorage(RolloutStorage):
    """Keeps successor AMP states and the last frames of the previous rollout.

    The window of step t holds the K frames that end with that step's successor, s[t-K+2] ... s[t], s'[t]. It is real if all
    of them belong to one episode; windows never contain frames from the other side of a reset.
    """

    def __init__(
        self,
        base: RolloutStorage,
        num_frames: int,
        command_group: str | None = None,
        largest_credible: float = float("inf"),
    ) -> None:
        """Allocate a storage like ``base`` for windows of ``num_frames`` frames.

        Args:
            base: RSL-RL's storage.
            num_frames: K, the frames of a window.
            command_group: observation group that is appended to the AMP states, if any.
            largest_credible: windows with a number that is as large, or NaN, are not real: the simulation blew up.
        """
        super().__init__(
            base.training_type,
            base.num_envs,
            base.num_transitions_per_env,
            base.observations[0],
            base.actions_shape,
            base.device,
        )
        self.num_frames, self.command_group, self.largest_credible = num_frames, command_group, largest_credible
        states = self.frames()
        self.successors = torch.zeros_like(states)
        """Successor frames, before any reset, shape (T, N, D)."""
        self.task_rewards = torch.zeros(states.shape[:2], device=self.device)
        """The environment's rewards without bootstrap or bonus, shape (T, N)."""
        self._history = torch.zeros(max(num_frames - 2, 0), *states.shape[1:], device=self.device)
        self._is_real = torch.zeros(states.shape[:2], dtype=torch.bool, device=self.device)
        self._frames_before = torch.zeros(self.num_envs, dtype=torch.long, device=self.device)

    def frames(self) -> torch.Tensor:
        """The frames that the rollout's steps began with, shape (T, N, D)."""
        return amp_frames(self.observations, self.command_group)

    def add_successors(
        self, states: torch.Tensor, successors: torch.Tensor, dones: torch.Tensor, known: torch.Tensor
    ) -> None:
        """Record the AMP part of the transition that :meth:`add_transition` is about to store.

        Args:
            states: frames before the step, shape (N, D).
            successors: frames after it and before any reset, shape (N, D).
            dones: whether the step ended the episode, shape (N,).
            known: whether ``successors`` was told; false where an episode ended and its last state was not, (N,).
        """
        if self.step == 0:
            self._forget_what_did_not_go_on(states)
        frames = torch.where(self._credible(states), self._frames_before + 1, 0)
        self.successors[self.step] = successors
        self._is_real[self.step] = known & self._credible(successors) & (frames >= self.num_frames - 1)
        self._frames_before = torch.where(dones.bool(), 0, frames)

    def windows(self) -> tuple[torch.Tensor, torch.Tensor]:
        """All windows of the rollout.

        Returns:
            Windows, shape (T, N, K, D), and which of them are real, shape (T, N).
        """
        last = self.successors.unsqueeze(2)
        if self.num_frames == 1:
            return last, self._is_real
        frames = torch.cat([self._history, self.frames()])
        earlier = frames.unfold(0, self.num_frames - 1, 1).transpose(2, 3)
        return torch.cat([earlier, last], dim=2), self._is_real

    def clear(self) -> None:
        """Start the next rollout, keeping the frames that its first windows reach back to."""
        if len(self._history):
            frames = torch.cat([self._history, self.frames()])
            self._history = frames[-len(self._history) :].clone()
        super().clear()

    def history_state_dict(self) -> dict[str, torch.Tensor]:
        """The frames that the next rollout's windows reach back to."""
        return {
            "frames": self._history,
            "frames_before": self._frames_before,
            "last_successors": self.successors[-1].clone(),  # a view would be saved with all of the rollout
        }

    def load_history_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restore what :meth:`history_state_dict` returned; a history of other environments is dropped."""
        own = self.history_state_dict()
        found = {name: check_tensor(f"history.{name}", state[name], own[name]) for name in own}
        if any(found[name].shape != own[name].shape for name in own):
            return
        self._history, self._frames_before = found["frames"], found["frames_before"]
        self.successors[-1] = found["last_successors"]

    def goes_on(self, states: torch.Tensor) -> torch.Tensor:
        """Whether frames (N, D) are those that the last rollout ended with, within an episode, shape (N,)."""
        return (states == self.successors[-1]).all(dim=-1)

    def _credible(self, frames: torch.Tensor) -> torch.Tensor:
        """Whether frames (N, D) can be a robot's, shape (N,). NaN is not smaller."""
        return (frames.abs() < self.largest_credible).all(dim=-1)

    def _forget_what_did_not_go_on(self, states: torch.Tensor) -> None:
        """Drop the history of environments that somebody reset between two rollouts."""
        self._frames_before = torch.where(self.goes_on(states), self._frames_before, 0)
