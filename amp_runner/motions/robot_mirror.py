"""Left-right mirroring of AMP states from the robot's model."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import ConfigError
from amp_runner.motions.robot_model import RobotModel
from amp_runner.state import AMPStateSpec
from amp_runner.state.sides import opposite_joint

_DISTANCE = 0.01
"""Largest distance between a mirrored joint or body and its partner [m]."""
_ALIGNMENT = 0.99
"""Smallest cosine between the axis of a mirrored joint and its partner's."""
_SIDES = (
    ("left", "right"),
    ("Left", "Right"),
    ("l_", "r_"),
    ("L_", "R_"),
    ("_l", "_r"),
    ("_L", "_R"),
    ("FL", "FR"),
    ("RL", "RR"),
)


def mirror_of_model(spec: AMPStateSpec, robot: RobotModel) -> tuple[list[int], list[float]]:
    """Compute the left-right mirroring of a state from the geometry of the robot, for :class:`~amp_runner.MirrorCfg`.

    In the pose in which every joint is zero, a joint's partner is the one at its mirror image with a parallel axis. A
    rotation about the axis a is mirrored into one about (-a_x, a_y, -a_z): a partner that turns about the opposite axis
    changes sign.

    Args:
        spec: layout of the states.
        robot: the robot, with the joints of ``spec``.

    Returns:
        The permutation and the signs of the columns, (D,) each.

    Raises:
        ConfigError: a joint, key body or foot has no mirror image: the robot is not symmetric.
    """
    robot.pose(np.zeros(3), Rotation.identity(), np.zeros(len(robot.joints)))
    partners, signs = _joint_partners(robot)
    bodies = {field: _body_partners(robot, getattr(spec, field)) for field in ("key_bodies", "feet")}
    return spec.mirror_columns({"joint_names": partners, **bodies}, signs)


def _joint_partners(robot: RobotModel) -> tuple[list[int], list[float]]:
    anchors, axes = robot.data.xanchor[robot.joints], robot.data.xaxis[robot.joints]
    is_slide = robot.model.jnt_type[robot.joints] == 2
    mirrored_anchors = anchors * [1.0, -1.0, 1.0]
    mirrored_axes = axes * np.where(is_slide[:, None], [1.0, -1.0, 1.0], [-1.0, 1.0, -1.0])
    # An anchor is any point on the axis, so distances are measured across it.
    offset = mirrored_anchors[:, None] - anchors[None]
    across = offset - (offset * axes[None]).sum(-1, keepdims=True) * axes[None]
    alignment = mirrored_axes @ axes.T
    bodies = robot.model.jnt_bodyid[robot.joints]
    centres = robot.data.xpos[bodies]
    between = np.linalg.norm(centres[:, None] * [1.0, -1.0, 1.0] - centres[None], axis=-1)
    fits = (np.linalg.norm(across, axis=-1) < _DISTANCE) & (np.abs(alignment) > _ALIGNMENT) & (between < _DISTANCE)
    partners = [_choose(robot.joint_names, joint, np.flatnonzero(fits[joint]), "joint") for joint in range(len(fits))]
    if [partners[partner] for partner in partners] != list(range(len(partners))):
        raise ConfigError(f"{robot.path}: the joints do not form left-right pairs; {_ADVICE}")
    return partners, [float(np.sign(alignment[joint, partner])) for joint, partner in enumerate(partners)]


def _body_partners(robot: RobotModel, names: tuple[str, ...]) -> list[int]:
    positions = robot.data.xpos[robot.body_ids(names)].reshape(-1, 3)
    distances = np.linalg.norm(positions[:, None] * [1.0, -1.0, 1.0] - positions[None], axis=-1)
    return [_choose(names, body, np.flatnonzero(distances[body] < _DISTANCE), "body") for body in range(len(names))]


_ADVICE = "pass --flip and --sides (on the command line), or call AMPStateSpec.mirror with the names of the sides"


def _choose(names: tuple[str, ...], own: int, candidates: np.ndarray, kind: str) -> int:
    """The only candidate; of several in the same place, the one with the corresponding name."""
    if len(candidates) == 1:
        return int(candidates[0])
    if len(candidates) == 0:
        raise ConfigError(f"the {kind} '{names[own]}' has no mirror image on the other side of the robot; {_ADVICE}")
    opposites = {opposite_joint(names[own], names, sides) for sides in _SIDES}
    named = [c for c in candidates if names[c] in opposites - {names[own]}] or [c for c in candidates if c == own]
    if len(named) != 1:
        found = ", ".join(names[c] for c in candidates)
        raise ConfigError(f"the {kind} '{names[own]}' may be mirrored with each of {found}; {_ADVICE}")
    return int(named[0])
