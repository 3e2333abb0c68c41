"""Left-right mirroring of AMP states."""

from __future__ import annotations

import torch

from amp_runner.errors import ConfigError
from amp_runner.learning.config import MirrorCfg

_COMMAND_SIGNS = (1.0, -1.0, -1.0)  # vx, vy, yaw rate


class Mirror:
    """A declared permutation and sign for every column of a frame."""

    def __init__(
        self, cfg: MirrorCfg, frame_dim: int, with_command: bool = False, device: str | torch.device = "cpu"
    ) -> None:
        """Check the declaration against the frames.

        Args:
            cfg: the declaration, for the AMP state.
            frame_dim: numbers in a frame, with the command's.
            with_command: whether a frame ends with vx, vy and yaw rate.
            device: where the frames are.

        Raises:
            ConfigError: the declaration is for other frames.
        """
        command_signs = _COMMAND_SIGNS if with_command else ()
        state_dim = frame_dim - len(command_signs)
        self.probability = cfg.probability if cfg.permutation else 0.0
        if self.probability and len(cfg.permutation) != state_dim:
            raise ConfigError(
                f"amp_cfg.mirror is declared for {len(cfg.permutation)} columns; the AMP state has {state_dim}: declare the "
                "environment's own, for example with AMPStateSpec.mirror, or do without: amp_cfg.mirror.probability=0.0 "
                "(on the command line agent.algorithm.amp_cfg.mirror.probability=0.0)"
            )
        columns = [*cfg.permutation, *range(state_dim, frame_dim)]
        self._columns = torch.tensor(columns, dtype=torch.long, device=device)
        self._signs = torch.tensor([*cfg.signs, *command_signs], device=device)

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """The mirrored frames, shape (..., D)."""
        return frames[..., self._columns] * self._signs

    def some(self, windows: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Mirror each window of (B, K, D) with the declared probability."""
        if self.probability == 0:
            return windows
        chosen = torch.rand(len(windows), 1, 1, generator=generator, device=windows.device) < self.probability
        return torch.where(chosen, self(windows), windows)
