"""Scores one robot's motion, frame by frame, with a trained discriminator."""

from __future__ import annotations

import sys
from collections import deque
from typing import Any, NamedTuple

import torch

from amp_runner.env_interface import check_amp_group
from amp_runner.errors import AMPError, CheckpointError
from amp_runner.learning.config import AMPCfg
from amp_runner.learning.discriminator import Discriminator, ignored_columns
from amp_runner.state import AMPStateSpec, amp_frames


class StyleScore(NamedTuple):
    """The discriminator's verdict on a window."""

    probability: float
    """D, the probability that the window is reference motion."""
    reward: float
    """Style reward before its weight: -log(1 - D)."""


class StyleScorer:
    """Keeps the last frames of one robot and scores them."""

    def __init__(self, saved: dict[str, Any], cfg: AMPCfg) -> None:
        """Restore the discriminator.

        Args:
            saved: the entry ``amp`` of a checkpoint.
            cfg: the agent's AMP configuration, for the size of the network.

        Raises:
            CheckpointError: the two do not fit.
        """
        self._epsilon = cfg.reward_epsilon
        self.command_group = cfg.command_group
        try:
            self.frame_dim = saved["frame_dim"]
            self._frames: deque[torch.Tensor] = deque(maxlen=saved["num_frames"])
            spec = AMPStateSpec.from_dict(saved["spec"]) if saved.get("spec") else None
            self._discriminator = Discriminator(
                self.frame_dim,
                saved["num_frames"],
                cfg.discriminator,
                ignored_columns=ignored_columns(cfg.discriminator, spec),
            )
            self._discriminator.load_state_dict(saved["discriminator"])
        except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[-1].strip()
            raise CheckpointError(f"the checkpoint's discriminator does not match the agent's: {reason}") from None
        self._discriminator.eval()

    def reset(self) -> None:
        """Discard the frames at the start of an episode."""
        self._frames.clear()

    def add(self, frame: torch.Tensor) -> StyleScore | None:
        """Add a frame (D,); returns the score of the window that ends with it, or None if there are too few frames."""
        self._frames.append(frame.detach().cpu().clone())
        if len(self._frames) < (self._frames.maxlen or 0):
            return None
        window = torch.stack(list(self._frames))
        with torch.no_grad():
            probability = torch.sigmoid(self._discriminator(window))
            reward = self._discriminator.style_reward(window, self._epsilon)
        return StyleScore(float(probability), float(reward))


def load_style_scorer(saved: dict[str, Any] | None, amp_cfg: dict | AMPCfg | None, obs: Any) -> StyleScorer | None:
    """Restore the discriminator for a player, which can do without it.

    Args:
        saved: the entry ``amp`` of a checkpoint.
        amp_cfg: the agent's AMP configuration.
        obs: the environment's observations.

    Returns:
        The scorer; None if there is no discriminator, or, with a line on stderr, if it does not fit.
    """
    if saved is None or amp_cfg is None:
        return None
    try:
        scorer = StyleScorer(saved, AMPCfg.from_dict(amp_cfg))
        check_amp_group(obs)
        found = amp_frames(obs, scorer.command_group).shape[-1]
        if found != scorer.frame_dim:
            raise CheckpointError(f"the discriminator expects {scorer.frame_dim} numbers a frame; the task has {found}")
    except AMPError as error:
        print(f"amp-play: no style curves: {str(error).splitlines()[0]}", file=sys.stderr)
        return None
    return scorer
