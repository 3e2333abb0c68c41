"""Replay of past policy windows, so that the discriminator does not forget earlier policies."""

from __future__ import annotations

from typing import Any

import torch


class ReplayBuffer:
    """A ring of windows. Each rollout replaces only a small part of it, so it spans many iterations."""

    def __init__(self, capacity: int, window_shape: tuple[int, int], device: str | torch.device = "cpu") -> None:
        """Allocate room for ``capacity`` windows of shape ``window_shape`` = (K, D)."""
        self.windows = torch.zeros(capacity, *window_shape, device=device)
        """The ring, shape (capacity, K, D); only the first ``len(self)`` are filled."""
        self._insertions = 0

    def __len__(self) -> int:
        """Number of windows in the ring."""
        return min(self._insertions, len(self.windows))

    def insert(self, windows: torch.Tensor) -> None:
        """Overwrite the oldest windows with windows (B, K, D), B at most the capacity."""
        index = (self._insertions + torch.arange(len(windows), device=self.windows.device)) % len(self.windows)
        self.windows[index] = windows
        self._insertions += len(windows)

    def sample(self, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw windows with replacement, shape (count, K, D)."""
        index = torch.randint(len(self), (count,), generator=generator, device=self.windows.device)
        return self.windows[index]

    def state_dict(self) -> dict[str, Any]:
        """Return the filled part of the ring and the number of insertions so far."""
        # A view would be saved with all of its memory.
        return {"windows": self.windows[: len(self)].clone(), "insertions": self._insertions}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state; of a ring of another capacity, keep the newest windows that fit.

        Raises:
            ValueError: the windows have another shape.
        """
        windows, insertions = state["windows"], int(state["insertions"])
        if windows.shape[1:] != self.windows.shape[1:]:
            raise ValueError(
                f"replay windows have shape {tuple(windows.shape[1:])}; expected {tuple(self.windows.shape[1:])}"
            )
        if insertions < len(windows):
            raise ValueError(f"the replay holds {len(windows)} windows after {insertions} insertions")
        if len(windows) != min(insertions, len(self.windows)):
            oldest_first = windows.roll(-(insertions % len(windows)), dims=0)
            insertions = min(len(windows), len(self.windows))
            windows = oldest_first[len(windows) - insertions :]
        self.windows[: len(windows)] = windows.to(self.windows)
        self._insertions = insertions
