"""SaturationMonitor: notices a discriminator that no longer teaches the policy anything."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

logger = logging.getLogger(__name__)

_HIGH_ACCURACY = 0.95
_LOW_SCORE = 0.2
"""Mean -log(1 - D) below which the policy earns hardly any style reward; it is 0.69 where D is undecided."""
_MIN_RISE = 0.05
"""A score that rose by less than this fraction over ``patience`` iterations has stalled."""

_ADVICE = (
    "the discriminator has saturated: accuracies %.2f (expert) and %.2f (policy), mean -log(1 - D) at %.3f without a rise "
    "over the last %d iterations, so the style reward no longer guides the policy.%s Try, in this order: remove what tells "
    "clips and policy apart trivially; start episodes in the clips (reset_to_reference); raise "
    "amp_cfg.discriminator.input_noise, then amp_cfg.style_weight; use reference motion that the robot can follow"
)


class SaturationMonitor:
    """Counts iterations in which the discriminator is saturated, and warns.

    It is saturated if, over the last ``patience`` iterations, both accuracies stayed above 0.95 while the policy's style
    score stayed low and did not rise. High accuracy alone is normal in runs that learn.
    """

    def __init__(self, patience: int, explain: Callable[[], str] = str) -> None:
        """Watch the last ``patience`` iterations.

        Args:
            patience: number of iterations; 0 disables the monitor.
            explain: called for a warning, to say what carries the discrimination.
        """
        self.patience, self._explain = patience, explain
        self.saturated_iterations = 0
        """Length of the current saturation [iterations]."""
        self._scores: deque[float] = deque(maxlen=max(patience, 1))

    def update(self, accuracy_expert: float, accuracy_policy: float, style_score: float) -> int:
        """Add an iteration.

        Args:
            accuracy_expert: fraction of expert windows that are classified correctly.
            accuracy_policy: fraction of policy windows that are classified correctly.
            style_score: mean -log(1 - D) of the rollout.

        Returns:
            The number of iterations for which the discriminator has been saturated.
        """
        if self.patience == 0:
            return 0
        if min(accuracy_expert, accuracy_policy) <= _HIGH_ACCURACY:
            self._scores.clear()
        else:
            self._scores.append(style_score)
        self.saturated_iterations = self.saturated_iterations + 1 if self._is_saturated() else 0
        if self.saturated_iterations and (self.saturated_iterations - 1) % self.patience == 0:
            logger.warning(_ADVICE, accuracy_expert, accuracy_policy, style_score, self.patience, self._explain())
        return self.saturated_iterations

    def _is_saturated(self) -> bool:
        if len(self._scores) < self.patience:
            return False
        half = max(1, self.patience // 2)
        scores = list(self._scores)
        before, after = sum(scores[:half]) / half, sum(scores[-half:]) / half
        return max(scores) < _LOW_SCORE and after <= (1 + _MIN_RISE) * before
