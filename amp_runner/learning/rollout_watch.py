"""RolloutWatch: warns, once each, of what keeps a training from learning."""

from __future__ import annotations

import logging

import torch

from amp_runner.learning.diagnosis import describe_unreached, feature_shares, unreached_columns
from amp_runner.learning.discriminator_trainer import DiscriminatorTrainer
from amp_runner.learning.rollout_storage import AMPRolloutStorage
from amp_runner.state import AMPStateSpec

logger = logging.getLogger(__name__)


class RolloutWatch:
    """Looks at the rollouts of a training for what keeps the discriminator from teaching the policy."""

    def __init__(
        self, trainer: DiscriminatorTrainer, storage: AMPRolloutStorage, spec: AMPStateSpec | None, num_steps: int
    ) -> None:
        """Watch a training.

        Args:
            trainer: trains the discriminator on the clips.
            storage: AMP states of the rollout.
            spec: their layout, if it is known.
            num_steps: steps of a rollout.
        """
        self.trainer, self.storage, self.spec, self.num_steps = trainer, storage, spec, num_steps
        self._is_first_rollout = True
        self._steps_without_window = 0

    def check_first_rollout(self, windows: torch.Tensor) -> None:
        """Warn once about columns of the clips that no state of the policy reached.

        Args:
            windows: valid windows of the rollout, (M, K, D).
        """
        if not self._is_first_rollout or self.spec is None or not len(windows) or self.trainer.distributed.rank != 0:
            return
        self._is_first_rollout = False
        lines = unreached_columns(self.trainer.motions.frames, windows[:, -1], self.spec)
        if lines:
            logger.warning(describe_unreached(lines))

    def explain_saturation(self) -> str:
        """Name the features that carry the discrimination, on windows of the last rollout."""
        windows, valid = self.storage.windows()
        if self.spec is None or not valid.any():
            return ""
        policy = windows[valid][: self.trainer.batch_size]
        expert = self.trainer.motions.sample(len(policy), torch.Generator(policy.device).manual_seed(0))
        shares = feature_shares(self.trainer.discriminator, expert, policy, self.spec)
        told = ", ".join(f"{name} {share:.0%}" for name, share in list(shares.items())[:3])
        return f" What tells clips and policy apart: {told}."

    def check_windows(self, statistics: dict[str, float]) -> None:
        """Warn once if no window is valid although the environment took enough steps for one.

        Args:
            statistics: of an iteration: ``valid_windows``, the fraction, and ``implausible_frames``, the number.
        """
        num_frames = self.trainer.motions.num_frames
        threshold, before = 2 * num_frames, self._steps_without_window
        is_empty = statistics.get("valid_windows", 1.0) == 0
        self._steps_without_window = before + self.num_steps if is_empty else 0
        if before < threshold <= self._steps_without_window:
            reason = (
                f"{statistics['implausible_frames']:.0f} AMP states are NaN or larger than "
                f"{self.storage.max_abs_state:g}: check the observation group 'amp'"
                if statistics["implausible_frames"]
                else "every episode is shorter than a window: lower amp_cfg.num_frames, or make episodes longer"
            )
            logger.warning(
                "no window of %d frames was valid in the last %d steps, so the discriminator is not trained and the style "
                "reward is 0; %s",
                num_frames,
                self._steps_without_window,
                reason,
            )
