"""Computes AMP states, and the frames that the discriminator sees, from plain tensors.

One function, :func:`amp_state`: the observation term, the recorder, the converters and the evaluator all call it, so expert
and policy states cannot drift apart. Quaternions are xyzw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from amp_runner.errors import ConfigError
from amp_runner.state.rotations import rotate_inverse, tangent_normal, yaw_quat
from amp_runner.state.spec import AMP_GROUP, Orientation, VelocityFrame, default_layout


def amp_frames(obs: Any, command_group: str | None = None) -> torch.Tensor:
    """Frames for the discriminator: the AMP state and, with ``command_group``, the command.

    Args:
        obs: observation groups, with ``amp`` of shape (..., D) and the command of shape (..., C).
        command_group: name of the group that holds the command.

    Returns:
        Frames, shape (..., D) or (..., D + C), float32.
    """
    if command_group is None:
        return obs[AMP_GROUP].float()
    return torch.cat([obs[AMP_GROUP], obs[command_group]], dim=-1).float()


def amp_state(
    root_height: torch.Tensor,
    root_quat: torch.Tensor,
    joint_pos: torch.Tensor,
    root_lin_vel: torch.Tensor,
    root_ang_vel: torch.Tensor,
    joint_vel: torch.Tensor,
    orientation: Orientation = "gravity",
    velocity_frame: VelocityFrame = "heading",
    *,
    layout: Sequence[str] | None = None,
    key_body_pos: torch.Tensor | None = None,
    key_body_vel: torch.Tensor | None = None,
    foot_contact: torch.Tensor | None = None,
) -> torch.Tensor:
    """Compute AMP states.

    Args:
        root_height: height of the root link above the ground, shape (...) [m].
        root_quat: orientation of the root link in the world, xyzw, shape (..., 4).
        joint_pos: joint positions, shape (..., J) [rad].
        root_lin_vel: linear velocity of the root link in the world frame, shape (..., 3) [m/s].
        root_ang_vel: angular velocity of the root link in the world frame, shape (..., 3) [rad/s].
        joint_vel: joint velocities, shape (..., J) [rad/s].
        orientation: see :class:`AMPStateSpec`; unused with ``layout``.
        velocity_frame: see :class:`AMPStateSpec`.
        layout: names of the features, in order; None: the default list.
        key_body_pos: positions of key bodies minus the root's, in the world frame, shape (..., B, 3) [m].
        key_body_vel: velocities of key bodies minus the root's, in the world frame, shape (..., B, 3) [m/s].
        foot_contact: contact of feet, shape (..., F), 0 or 1.

    Returns:
        States, shape (..., D); D = 10 + 2 J for the default list with gravity.

    Raises:
        ConfigError: a feature of ``layout`` is unknown, or its input is missing.
    """
    if layout is None:
        layout = default_layout(orientation)
    frame = {"heading": yaw_quat, "body": lambda quat: quat, "world": lambda quat: None}[velocity_frame](root_quat)

    def in_frame(vectors: torch.Tensor) -> torch.Tensor:
        return vectors if frame is None else rotate_inverse(frame, vectors)

    def bodies_in_frame(vectors: torch.Tensor | None) -> torch.Tensor | None:
        if vectors is None:
            return None
        turned = vectors if frame is None else rotate_inverse(frame.unsqueeze(-2).expand(*vectors.shape[:-1], 4), vectors)
        return turned.flatten(-2)

    compute = {
        "root_height": lambda: root_height.unsqueeze(-1),
        "projected_gravity": lambda: rotate_inverse(root_quat, _down(root_lin_vel)),
        # q and -q are the same rotation, so one of them is chosen.
        "root_quat_xyzw": lambda: torch.where(root_quat[..., 3:] < 0, -root_quat, root_quat),
        "root_tangent_normal": lambda: torch.cat(
            [in_frame(axis) for axis in tangent_normal(root_quat).split(3, -1)], dim=-1
        ),
        "joint_pos": lambda: joint_pos,
        "root_lin_vel": lambda: in_frame(root_lin_vel),
        "root_ang_vel": lambda: in_frame(root_ang_vel),
        "joint_vel": lambda: joint_vel,
        "key_body_pos": lambda: bodies_in_frame(key_body_pos),
        "key_body_vel": lambda: bodies_in_frame(key_body_vel),
        "foot_contact": lambda: None if foot_contact is None else foot_contact.to(root_height.dtype),
    }
    parts = [compute[name]() if name in compute else None for name in layout]
    for name, part in zip(layout, parts):
        if part is None:
            raise ConfigError(f"AMP state: the feature '{name}' is unknown, or its input was not passed to amp_state")
    return torch.cat(parts, dim=-1)  # type: ignore[arg-type]


def _down(like: torch.Tensor) -> torch.Tensor:
    down = torch.zeros_like(like)
    down[..., 2] = -1.0
    return down
