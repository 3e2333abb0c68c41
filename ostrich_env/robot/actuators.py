"""The real joints' imperfections: commands arrive late, and the gears have play."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.actuators import DelayedPDActuator, DelayedPDActuatorCfg, IdealPDActuator
from isaaclab.utils import configclass

if TYPE_CHECKING:
    from isaaclab.utils.types import ArticulationActions


class BacklashPDActuator(IdealPDActuator):
    """A PD actuator behind a gear with play: position errors within it make no torque."""

    def compute(
        self, control_action: ArticulationActions, joint_pos: torch.Tensor, joint_vel: torch.Tensor
    ) -> ArticulationActions:
        """Shrink the position error by half of the play, then compute torques as the PD actuator does."""
        error = control_action.joint_positions - joint_pos
        control_action.joint_positions = joint_pos + torch.nn.functional.softshrink(error, 0.5 * self.cfg.backlash)
        return super().compute(control_action, joint_pos, joint_vel)


class DelayedBacklashPDActuator(DelayedPDActuator, BacklashPDActuator):
    """The same with commands that arrive late, by another time in every episode."""


@configclass
class DelayedBacklashPDActuatorCfg(DelayedPDActuatorCfg):
    """Configuration of :class:`DelayedBacklashPDActuator`."""

    class_type: type = DelayedBacklashPDActuator

    backlash: float = 0.0
    """Play of the gear at the joint, from end to end [rad]."""
