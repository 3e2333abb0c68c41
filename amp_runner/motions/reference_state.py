"""Reference-state initialisation: states drawn from clips, as states of robots in the world."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from amp_runner.env_interface import set_velocity_commands
from amp_runner.motions.dataset import MotionDataset
from amp_runner.state import AMPStateSpec
from amp_runner.state.rotations import (
    conjugate,
    gravity_to_quat,
    multiply,
    quat_from_yaw,
    rotate,
    tangent_normal_to_quat,
    yaw_quat,
)


@dataclass(frozen=True)
class RobotState:
    """State of M robots in the world; what the AMP state lacks is None."""

    quat: torch.Tensor
    """Orientation of the root, xyzw, (M, 4)."""
    lin_vel: torch.Tensor
    """Linear velocity of the root in the world, (M, 3) [m/s]."""
    ang_vel: torch.Tensor
    """Angular velocity of the root in the world, (M, 3) [rad/s]."""
    height: torch.Tensor | None
    """Height of the root above the ground, (M,) [m]."""
    joint_pos: torch.Tensor | None
    """(M, J) [rad]."""
    joint_vel: torch.Tensor | None
    """(M, J) [rad/s]."""


class ReferenceStates:
    """Draws states from reference motions for environments that are being reset (Peng et al. 2018, "DeepMimic")."""

    def __init__(
        self,
        entries: Sequence[tuple[str, float]],
        spec: AMPStateSpec,
        step_dt: float,
        with_commands: bool,
        device: str | torch.device,
    ) -> None:
        """Load the motions.

        Args:
            entries: (path, weight) pairs, as for :meth:`MotionDataset.load`.
            spec: layout of the environment's AMP states.
            step_dt: the environment's time step [s].
            with_commands: draw the commands that the states follow, too.
            device: device of the states.

        Raises:
            MotionError: a file cannot be read or does not fit.
        """
        self.spec = spec
        self._device = device
        self._motions = MotionDataset.load(
            entries, 1, step_dt=step_dt, spec=spec, resample=True, with_commands=with_commands, device=device
        )
        self._with_commands = with_commands
        self._drawn: tuple[torch.Tensor, torch.Tensor] | None = None

    def draw(self, env_ids: torch.Tensor, probability: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Choose some of the environments (M,), and draw a state for each; returns their indices and the states (m, D)."""
        ids = env_ids[torch.rand(len(env_ids), device=self._device) < probability]
        frames = self._motions.sample(len(ids)).squeeze(1) if len(ids) else torch.empty(0, self.spec.dim)
        self._drawn = (ids, frames[:, self.spec.dim :]) if self._with_commands and len(ids) else None
        return ids, frames[:, : self.spec.dim]

    def set_commands(self, term: Any) -> None:
        """Set the velocity commands of the environments that were drawn last."""
        if self._drawn is not None:
            set_velocity_commands(term, *self._drawn)
        self._drawn = None


def robot_state(states: torch.Tensor, spec: AMPStateSpec) -> RobotState:
    """Compute the robots' states, with a random yaw.

    Without an orientation in the AMP state the root is upright; velocities that it lacks are zero. Clips in the world frame
    keep their yaw; without one they face the world's x axis.

    Args:
        states: AMP states, (M, D) or longer.
        spec: their layout.
    """
    part = {name: states[:, columns] for name, columns in spec.features.items()}
    yaw = torch.rand(len(states), device=states.device) * (2 * math.pi) - math.pi
    if spec.velocity_frame == "world":
        yaw = torch.zeros_like(yaw)
    heading = quat_from_yaw(yaw)
    tilt = _tilt(part, spec, heading)
    quat = multiply(heading, tilt)
    still = torch.zeros(len(states), 3, device=states.device)
    frame = {"heading": heading, "body": quat, "world": quat_from_yaw(yaw)}[spec.velocity_frame]
    return RobotState(
        quat,
        rotate(frame, part.get("root_lin_vel", still)),
        rotate(frame, part.get("root_ang_vel", still)),
        part["root_height"].squeeze(-1) if "root_height" in part else None,
        part.get("joint_pos"),
        part.get("joint_vel", torch.zeros_like(part["joint_pos"]) if "joint_pos" in part else None),
    )


def _tilt(part: dict[str, torch.Tensor], spec: AMPStateSpec, like: torch.Tensor) -> torch.Tensor:
    """Orientations without yaw; with that of the clip in the world frame."""
    if spec.orientation is None:
        return quat_from_yaw(torch.zeros_like(like[:, 0]))
    if spec.orientation == "gravity":
        return gravity_to_quat(part["projected_gravity"])
    if spec.orientation == "tangent_normal":
        return tangent_normal_to_quat(part["root_tangent_normal"])
    quat = part["root_quat_xyzw"]
    return quat if spec.velocity_frame == "world" else multiply(conjugate(yaw_quat(quat)), quat)
