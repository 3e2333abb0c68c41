"""The AMP state: the part of a frame that the discriminator sees.

One function, :func:`amp_state`, computes it from plain tensors. The observation term, the recorder, the converters and the
evaluator all call it, so expert and policy states cannot drift apart.

Layout, for J joints: root height (1), projected gravity (3) or root quaternion (4), joint positions (J), root linear
velocity (3), root angular velocity (3), joint velocities (J). Quaternions are xyzw.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch

from amp_runner.errors import ConfigError

AMP_GROUP = "amp"
"""Name of the observation group that holds the AMP state."""

Orientation = Literal["gravity", "quaternion"]
VelocityFrame = Literal["heading", "world", "body"]

_ORIENTATION_FEATURE = {"gravity": ("projected_gravity", 3), "quaternion": ("root_quat_xyzw", 4)}


@dataclass(frozen=True)
class AMPStateSpec:
    """Layout of the AMP states of an environment or a clip."""

    joint_names: tuple[str, ...]
    """Joints, in the order of the joint features."""
    orientation: Orientation = "gravity"
    """The root's orientation: projected gravity (3 numbers) or a quaternion (4, xyzw, w >= 0)."""
    velocity_frame: VelocityFrame = "heading"
    """Frame of the root's velocities: the world, the body, or the world turned by minus the robot's yaw."""

    def __post_init__(self) -> None:
        """Check the values."""
        for name, value, allowed in (
            ("orientation", self.orientation, get_args(Orientation)),
            ("velocity_frame", self.velocity_frame, get_args(VelocityFrame)),
        ):
            if value not in allowed:
                raise ConfigError(f"AMP state: {name} is {value!r}; expected one of {', '.join(allowed)}")

    @property
    def features(self) -> dict[str, slice]:
        """Slice of each feature in a state vector, in order."""
        joints = len(self.joint_names)
        sizes = {
            "root_height": 1,
            _ORIENTATION_FEATURE[self.orientation][0]: _ORIENTATION_FEATURE[self.orientation][1],
            "joint_pos": joints,
            "root_lin_vel": 3,
            "root_ang_vel": 3,
            "joint_vel": joints,
        }
        slices, start = {}, 0
        for name, size in sizes.items():
            slices[name] = slice(start, start + size)
            start += size
        return slices

    @property
    def layout(self) -> tuple[str, ...]:
        """Names of the features, in order, as a clip stores them under ``layout``."""
        return tuple(self.features)

    @property
    def dim(self) -> int:
        """Number of columns, D."""
        return self.features["joint_vel"].stop

    def mirror(self, flipped: str, sides: tuple[str, str] = ("left", "right")) -> tuple[list[int], list[float]]:
        """Compute the left-right mirroring of a state, for :class:`~amp_runner.MirrorCfg`.

        Args:
            flipped: regular expression of the joints whose angle changes sign (those that roll or yaw).
            sides: names of left and right in the joints' names.

        Returns:
            The permutation and the signs of the columns, (D,) each.

        Raises:
            ConfigError: a joint of one side has no partner on the other.
        """
        partners, signs = [], []
        for name in self.joint_names:
            partner = opposite_joint(name, self.joint_names, sides)
            if partner not in self.joint_names:
                raise ConfigError(f"AMP state: joint '{name}' has no partner '{partner}' to be mirrored with")
            partners.append(self.joint_names.index(partner))
            signs.append(-1.0 if re.fullmatch(flipped, name) else 1.0)
        parts = {
            "root_height": ([0], [1.0]),
            "projected_gravity": ([0, 1, 2], [1.0, -1.0, 1.0]),
            # A reflection in the x-z plane keeps the rotation about y and turns those about x and z around.
            "root_quat_xyzw": ([0, 1, 2, 3], [-1.0, 1.0, -1.0, 1.0]),
            "joint_pos": (partners, signs),
            "root_lin_vel": ([0, 1, 2], [1.0, -1.0, 1.0]),
            "root_ang_vel": ([0, 1, 2], [-1.0, 1.0, -1.0]),
            "joint_vel": (partners, signs),
        }
        permutation = [columns.start + i for name, columns in self.features.items() for i in parts[name][0]]
        return permutation, [sign for name in self.features for sign in parts[name][1]]

    @classmethod
    def from_env_cfg(cls, env_cfg: Any) -> AMPStateSpec | None:
        """Read the layout off an Isaac Lab environment configuration.

        Looks for the term of the observation group ``amp`` that was declared with
        :class:`amp_runner.isaaclab.AMPObsGroupCfg`. Works before the simulator starts.

        Returns:
            The layout, or None for environments that declare their ``amp`` group in another way.

        Raises:
            ConfigError: the joints are listed without ``preserve_order``.
        """
        term = getattr(getattr(getattr(env_cfg, "observations", None), "amp", None), "state", None)
        params = getattr(term, "params", None)
        if not isinstance(params, dict) or "velocity_frame" not in params:
            return None
        asset_cfg = params.get("asset_cfg")
        names = getattr(asset_cfg, "joint_names", None)
        if not names or isinstance(names, str) or any(not name.isidentifier() for name in names):
            return None
        if len(names) > 1 and not getattr(asset_cfg, "preserve_order", True):
            raise ConfigError(
                "the observation group 'amp' lists its joints without preserve_order=True: they would be in the "
                "simulation's order; set it in the group's SceneEntityCfg"
            )
        return cls(tuple(names), params.get("orientation", "gravity"), params["velocity_frame"])


def opposite_joint(name: str, names: Sequence[str], sides: tuple[str, str] = ("left", "right")) -> str:
    """Find the name of the corresponding joint on the other side of the robot.

    Args:
        name: a joint.
        names: all joints.
        sides: names of left and right in the joints' names.

    Returns:
        The name with one occurrence of a side exchanged, preferably one of ``names``; ``name`` itself for a joint without a
        side.
    """
    candidates = [
        name[: match.start()] + other + name[match.end() :]
        for side, other in (sides, sides[::-1])
        for match in re.finditer(re.escape(side), name)
    ]
    return next((candidate for candidate in candidates if candidate in names), (candidates or [name])[0])


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
) -> torch.Tensor:
    """Compute AMP states.

    Args:
        root_height: height of the root link above the ground, shape (...) [m].
        root_quat: orientation of the root link in the world, xyzw, shape (..., 4).
        joint_pos: joint positions, shape (..., J) [rad].
        root_lin_vel: linear velocity of the root link in the world frame, shape (..., 3) [m/s].
        root_ang_vel: angular velocity of the root link in the world frame, shape (..., 3) [rad/s].
        joint_vel: joint velocities, shape (..., J) [rad/s].
        orientation: see :class:`AMPStateSpec`.
        velocity_frame: see :class:`AMPStateSpec`.

    Returns:
        States, shape (..., D) with D = 10 + 2 J (gravity) or 11 + 2 J (quaternion).
    """
    if orientation == "gravity":
        down = torch.zeros_like(root_lin_vel)
        down[..., 2] = -1.0
        root_orientation = rotate_inverse(root_quat, down)
    else:
        # q and -q are the same rotation, so one of them is chosen.
        root_orientation = torch.where(root_quat[..., 3:] < 0, -root_quat, root_quat)
    if velocity_frame != "world":
        frame = root_quat if velocity_frame == "body" else yaw_quat(root_quat)
        root_lin_vel, root_ang_vel = rotate_inverse(frame, root_lin_vel), rotate_inverse(frame, root_ang_vel)
    height = root_height.unsqueeze(-1)
    return torch.cat([height, root_orientation, joint_pos, root_lin_vel, root_ang_vel, joint_vel], dim=-1)


def gravity_to_quat(gravity: torch.Tensor) -> torch.Tensor:
    """Return the orientation without yaw, xyzw (..., 4), in which the body sees gravity as ``gravity`` (..., 3)."""
    x, y, z = gravity.unbind(-1)
    half_roll, half_pitch = 0.5 * torch.atan2(-y, -z), 0.5 * torch.asin(x.clamp(-1, 1))
    roll, pitch = (torch.sin(half_roll), torch.cos(half_roll)), (torch.sin(half_pitch), torch.cos(half_pitch))
    return torch.stack([roll[0] * pitch[1], roll[1] * pitch[0], -roll[0] * pitch[0], roll[1] * pitch[1]], dim=-1)


def rotate_inverse(quat: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """Rotate ``vector`` (..., 3) by the inverse of the unit quaternion ``quat`` (..., 4), xyzw."""
    axis, w = -quat[..., :3], quat[..., 3:]
    twice = 2.0 * torch.cross(axis, vector, dim=-1)
    return vector + w * twice + torch.cross(axis, twice, dim=-1)


def yaw_quat(quat: torch.Tensor) -> torch.Tensor:
    """The rotation about the world's z axis contained in ``quat`` (..., 4), xyzw: the yaw of yaw-pitch-roll angles."""
    x, y, z, w = quat.unbind(-1)
    half_yaw = 0.5 * torch.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    zero = torch.zeros_like(half_yaw)
    return torch.stack([zero, zero, torch.sin(half_yaw), torch.cos(half_yaw)], dim=-1)
