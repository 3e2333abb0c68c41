"""Replay of past policy windows, so that the discriminator does not forget what the policy used to do."""

from __future__ import annotations

import torch

from amp_runner.learning.checkpoint import check_count, check_tensor


class ReplayBuffer:
    """A ring of windows. Each rollout may replace only a small part, so the ring spans many iterations."""

    def __init__(self, capacity: int, window_shape: tuple[int, int], device: str | torch.device = "cpu") -> None:
        """Allocate room for ``capacity`` windows of shape ``window_shape`` = (K, D)."""
        self.windows = torch.zeros(capacity, *window_shape, device=device)
        """The ring, shape (capacity, K, D); only the first ``len(self)`` are filled."""
        self._insertions = 0

    def __len__(self) -> int:
        return min(self._insertions, len(self.windows))

    def insert(self, windows: torch.Tensor) -> None:
        """Write windows (B, K, D), B at most the capacity, over the oldest ones."""
        index = (self._insertions + torch.arange(len(windows), device=self.windows.device)) % len(self.windows)
        self.windows[index] = windows
        self._insertions += len(windows)

    def sample(self, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw windows with replacement, shape (count, K, D)."""
        index = torch.randint(len(self), (count,), generator=generator, device=self.windows.device)
        return self.windows[index]

    def state_dict(self) -> dict[str, torch.Tensor | int]:
        """The filled part of the ring and the number of insertions so far."""
        # A view would be saved with all of its memory.
        return {"windows": self.windows[: len(self)].clone(), "insertions": self._insertions}

    def load_state_dict(self, state: dict[str, torch.Tensor | int]) -> None:
        """Restore what :meth:`state_dict` returned; of a ring of another capacity the newest windows that fit."""
        windows = check_tensor("replay.windows", state["windows"], self.windows)
        insertions = check_count("replay.insertions", state["insertions"])
        if windows.shape[1:] != self.windows.shape[1:]:
            raise ValueError(
                f"replay.windows have shape {tuple(windows.shape[1:])}; expected {tuple(self.windows.shape[1:])}"
            )
        if len(windows) != min(insertions, len(self.windows)):
            from_oldest = windows.roll(-(insertions % len(windows)), dims=0)
            insertions = min(len(windows), len(self.windows))
            windows = from_oldest[len(windows) - insertions :]
        self.windows[: len(windows)] = windows
        self._insertions = insertions
