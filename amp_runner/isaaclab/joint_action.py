"""The meaning of an environment's actions: joint position targets, by an offset and a scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from amp_runner.errors import ConfigError


@dataclass(frozen=True)
class JointTargetMapping:
    """Joint position target = offset + scale * action."""

    joint_names: tuple[str, ...]
    """Joints, in the order of the actions."""
    offset: torch.Tensor
    """Targets of the action zero, (A,) [rad]."""
    scale: torch.Tensor
    """[rad], (A,)."""

    @classmethod
    def from_env(cls, env: Any) -> JointTargetMapping:
        """Determine it from an Isaac Lab environment, by applying its action term to 0 and to 1.

        Raises:
            ConfigError: the actions are not a single term of joint position targets.
        """
        manager = env.unwrapped.action_manager
        terms = [manager.get_term(name) for name in manager.active_terms]
        kinds = ", ".join(type(term).__name__ for term in terms)
        if kinds != "JointPositionAction":
            raise ConfigError(f"the task's actions are {kinds}; this needs one term of joint position targets")
        (term,) = terms
        if getattr(term.cfg, "clip", None) is not None:
            raise ConfigError("the task clips its joint position targets, which this does not describe; remove the clip")
        before = term.raw_actions.clone()
        term.process_actions(torch.zeros_like(before))
        offset = term.processed_actions[0].clone()
        term.process_actions(torch.ones_like(before))
        scale = term.processed_actions[0] - offset
        term.process_actions(before)
        names = env.unwrapped.scene[term.cfg.asset_name].find_joints(
            term.cfg.joint_names, preserve_order=term.cfg.preserve_order
        )[1]
        return cls(tuple(names), offset, scale)

    def actions(self, targets: torch.Tensor) -> torch.Tensor:
        """Return the actions that command joint positions, (N, A) [rad]."""
        return (targets - self.offset) / self.scale
