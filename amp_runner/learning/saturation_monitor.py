"""SaturationMonitor: notices a discriminator that has won for good."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from amp_runner.learning.checkpoint import check_count

logger = logging.getLogger(__name__)

_ACCURACY = 0.95
_STILL = 0.05
"""A style reward whose range is less than this part of its mean has stopped moving."""
_NOTHING = 0.002
"""So has one whose range is less than this: at chance it is 0.69."""

_ADVICE = (
    "the discriminator has told reference and policy apart (accuracies %.2f and %.2f) for %d iterations, and the style "
    "reward has stayed at %.3f: the policy learns nothing more from it. If the gait is not yet good (amp-eval tells), "
    "raise amp_cfg.discriminator.input_noise or amp_cfg.style_weight, give reference motion that the robot can follow, or "
    "start episodes from it (amp_runner.isaaclab.reset_to_reference)"
)


class SaturationMonitor:
    """Counts the iterations for which both accuracies were above 0.95 while the style reward stood still, and warns."""

    def __init__(self, patience: int) -> None:
        """Create a guard that warns every ``patience`` such iterations; 0: never."""
        self.patience = patience
        self.iterations = 0
        """Iterations in a row that both accuracies have been above 0.95."""
        self._rewards: deque[float] = deque(maxlen=max(patience, 1))

    def update(self, statistics: dict[str, float]) -> int:
        """Take the statistics of an iteration.

        Args:
            statistics: with ``accuracy_expert``, ``accuracy_policy`` and ``style_reward``, as far as they are known.

        Returns:
            For how many iterations the discriminator has been saturated.
        """
        accuracies = [statistics.get(f"accuracy_{side}", 0.0) for side in ("expert", "policy")]
        if min(accuracies) <= _ACCURACY:
            self.iterations = 0
            self._rewards.clear()
            return 0
        self.iterations += 1
        self._rewards.append(statistics["style_reward"])
        if self.patience and self.iterations % self.patience == 0 and self._stands_still():
            logger.warning(_ADVICE, *accuracies, self.iterations, statistics["style_reward"])
        return self.iterations

    def _stands_still(self) -> bool:
        mean = sum(self._rewards) / len(self._rewards)
        return max(self._rewards) - min(self._rewards) <= max(_STILL * mean, _NOTHING)

    def state_dict(self) -> dict[str, Any]:
        """What the guard has counted so far."""
        return {"iterations": self.iterations, "rewards": list(self._rewards)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""
        self.iterations = check_count("saturation.iterations", state["iterations"])
        self._rewards.clear()
        self._rewards.extend(float(reward) for reward in state["rewards"])
