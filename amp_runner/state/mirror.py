"""Left-right mirroring of AMP states."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class Mirror:
    """A permutation and a sign for every column of a frame."""

    def __init__(self, permutation: Sequence[int], signs: Sequence[float], device: str | torch.device = "cpu") -> None:
        """Store the mapping.

        Args:
            permutation: source column of each column of the mirrored frame, length D.
            signs: sign of each column of the mirrored frame, 1 or -1, length D.
            device: device of the frames.
        """
        self._permutation = torch.tensor(permutation, dtype=torch.long, device=device)
        self._signs = torch.tensor(signs, dtype=torch.float, device=device)

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """Mirror frames, shape (..., D)."""
        return frames[..., self._permutation] * self._signs

    def mirror_randomly(
        self, windows: torch.Tensor, probability: float, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Mirror each window of (B, K, D) with the given probability."""
        chosen = torch.rand(len(windows), 1, 1, generator=generator, device=windows.device) < probability
        return torch.where(chosen, self(windows), windows)
