"""Checks of a motion on its robot: joint limits, the order of the joints, feet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from amp_runner.motions.robot_model import GroundContacts, RobotModel

Verdict = tuple[Literal["error", "warning"], str]

SLIP, TERRIBLE_SLIP = 0.15, 0.6
"""Mean speeds of a foot in stance that are a warning and an error [m/s]."""
PENETRATION, DEEP = 0.01, 0.04
"""Depths of a foot in the ground that are a warning and an error [m]."""
_LIMIT_TOLERANCE, _FAR_BEYOND = 1e-3, 0.25
"""Excesses over joint limits that are a warning and an error [rad]."""


def check_limits(joint_pos: np.ndarray, robot: RobotModel) -> list[Verdict]:
    """Compare joint positions (T, J) [rad] with the robot's limits; if they differ a lot, look for another joint order."""
    low, high = robot.limits.T
    excess = _excess(joint_pos, robot.limits)
    verdicts: list[Verdict] = []
    for joint, name in enumerate(robot.joint_names):
        if excess[joint] <= _LIMIT_TOLERANCE:
            continue
        found = f"{joint_pos[:, joint].min():.2f} to {joint_pos[:, joint].max():.2f}"
        severity = "error" if excess[joint] > _FAR_BEYOND else "warning"
        verdicts.append((severity, f"{name} goes from {found} rad; its limits are {low[joint]:.2f} to {high[joint]:.2f}"))
    if excess.max(initial=0.0) > _FAR_BEYOND:
        for name, order in usual_orders(robot):
            positions = joint_pos[:, [order.index(joint) for joint in robot.joint_names]]
            if _excess(positions, robot.limits).max() < _LIMIT_TOLERANCE:
                verdicts.append(
                    ("error", f"every joint is within its limits if the columns are in {name}: {', '.join(order)}")
                )
                break
    return verdicts


def _excess(joint_pos: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """How far each joint goes beyond its limits, (J,) [rad]."""
    return np.maximum(limits[:, 0] - joint_pos.min(axis=0), joint_pos.max(axis=0) - limits[:, 1]).clip(min=0)


def usual_orders(robot: RobotModel) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield joint orders that files are written in, with their names: each a permutation of the robot's ``joint_names``."""
    model, names = robot.model, robot.joint_names
    depth = np.zeros(model.nbody, dtype=int)
    for body in range(1, model.nbody):
        depth[body] = depth[model.body_parentid[body]] + 1
    index = dict(zip(names, robot.joints))
    depth_first = tuple(sorted(names, key=lambda name: index[name]))
    breadth_first = tuple(sorted(names, key=lambda name: (depth[model.jnt_bodyid[index[name]]], index[name])))
    yield "depth-first order (MuJoCo, Newton)", depth_first
    yield "breadth-first order (PhysX, Isaac Lab)", breadth_first
    yield "alphabetical order", tuple(sorted(names))
    for base, order in (("depth-first", depth_first), ("breadth-first", breadth_first)):
        swapped = tuple(_other_side(name, names) for name in order)
        yield f"{base} order with left and right exchanged", swapped


def _other_side(name: str, names: tuple[str, ...]) -> str:
    for left, right in (("left", "right"), ("FL", "FR"), ("RL", "RR"), ("L_", "R_"), ("l_", "r_")):
        for old, new in ((left, right), (right, left)):
            if name.replace(old, new, 1) != name and name.replace(old, new, 1) in names:
                return name.replace(old, new, 1)
    return name


def check_feet(contacts: GroundContacts) -> list[Verdict]:
    """Check that some body touches the ground, that none is deep in it, and that none slips on it."""
    if not contacts.names:
        return [("error", "no part of the robot ever touches the ground: wrong root height? amp-motion convert --ground")]
    verdicts: list[Verdict] = []
    for column, name in enumerate(contacts.names):
        height = contacts.points[:, column, 2]
        if height.min() < -PENETRATION:
            severity = "error" if height.min() < -DEEP else "warning"
            frame = int(height.argmin())
            verdicts.append((severity, f"{name} is {-height.min() * 1000:.0f} mm in the ground in frame {frame}"))
        slip = foot_slip(contacts.touching[:, column], contacts.velocity[:, column])
        if slip is not None and slip > SLIP:
            severity = "error" if slip > TERRIBLE_SLIP else "warning"
            verdicts.append((severity, f"{name} slips at {slip:.2f} m/s while on the ground; up to {SLIP:g} m/s is usual"))
    return verdicts


def foot_slip(touching: np.ndarray, velocity: np.ndarray) -> float | None:
    """Compute the mean horizontal speed of a foot in stance [m/s]; None if it has no stance.

    Args:
        touching: whether the foot touches the ground, (T,).
        velocity: velocity of its lowest material point, (T, 3) [m/s].
    """
    # At touch-down and lift-off a finite difference includes the swing.
    inner = touching.copy()
    inner[1:] &= touching[:-1]
    inner[:-1] &= touching[1:]
    return float(np.linalg.norm(velocity[inner, :2], axis=1).mean()) if inner.any() else None
