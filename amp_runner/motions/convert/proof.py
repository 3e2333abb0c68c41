"""Proving the order of joints and quaternions, and putting the feet on the ground, with the robot's model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import MotionError
from amp_runner.motions.check_robot import usual_orders
from amp_runner.motions.convert.trajectory import BodyPositions, Trajectory
from amp_runner.motions.robot_file import joints_of
from amp_runner.motions.robot_model import RobotModel

_FRAMES = 40
"""Frames that are compared."""
_GOOD = 0.05
"""Largest mean distance between the file's bodies and the robot's [m]; robots of similar size still fit."""
_CLEAR = 0.6
"""The best order's distance is at most this fraction of the second best's."""
_SAME = 1e-3
"""Orders whose distances differ by less say the same [m]."""
_GROUND_PERCENTILE = 5.0


@dataclass(frozen=True)
class _Candidate:
    """A reading of a file."""

    name: str
    trajectory: Trajectory
    distance: float


def resolve_joints(trajectory: Trajectory, robot_file: str | Path, quat_is_known: bool) -> Trajectory:
    """Find the joint order, and the quaternion order if it is not known, that make the robot's bodies those of the file.

    Args:
        trajectory: the motion.
        robot_file: MJCF or URDF file of the robot.
        quat_is_known: the order of the quaternions is certain.

    Returns:
        The motion with joint names, and a note on what was proven.

    Raises:
        MotionError: no order fits, or several do.
    """
    if trajectory.bodies is None:
        if trajectory.joint_names is None:
            raise MotionError(
                f"{trajectory.path}: has neither joint names nor body positions that would prove their order; pass the "
                f"names, in order, with --joint_names. {robot_file} has, depth first: {', '.join(joints_of(robot_file))}"
            )
        return trajectory
    candidates = [
        _Candidate(name, reading, _distance(reading, RobotModel(robot_file, reading.joint_names or ())))
        for name, reading in _readings(trajectory, robot_file, quat_is_known)
    ]
    if not candidates:
        raise MotionError(
            f"{trajectory.path}: has {trajectory.joint_pos.shape[1]} joint columns; {robot_file} has "
            f"{len(joints_of(robot_file))} joints: pass the names with --joint_names"
        )
    candidates.sort(key=lambda candidate: candidate.distance)
    best = candidates[0]
    rivals = [c for c in candidates if c.distance - best.distance > _SAME]
    if best.distance > _GOOD or (rivals and best.distance > _CLEAR * rivals[0].distance):
        listed = "; ".join(f"{c.name}: {c.distance * 1000:.0f} mm" for c in candidates[:4])
        raise MotionError(
            f"{trajectory.path}: no order of the joints is proven by the body positions (mean distances: {listed}): is "
            f"{robot_file} the right robot? Pass --joint_names and --quat to decide yourself, without --robot"
        )
    return best.trajectory.with_note(f"proven by body positions ({best.distance * 1000:.0f} mm): {best.name}")


def _readings(trajectory: Trajectory, robot_file: str | Path, quat_is_known: bool) -> Iterator[tuple[str, Trajectory]]:
    """Yield the readings of a file that may be the right one."""
    names = trajectory.joint_names
    joints = joints_of(robot_file)
    orders = {}
    if names is not None and set(names) <= set(joints):
        orders["joint order as named"] = names
    if len(joints) == trajectory.joint_pos.shape[1]:
        for name, order in usual_orders(RobotModel(robot_file, joints)):
            orders.setdefault(name, order)
    other_quat = trajectory.root_quat[:, [1, 2, 3, 0]]
    seen = set()
    for name, order in orders.items():
        if order in seen:
            continue
        seen.add(order)
        yield name, replace(trajectory, joint_names=order)
        if not quat_is_known and trajectory.bodies is not None and trajectory.bodies.frame == "world":
            yield f"{name}, the other quaternion order", replace(trajectory, joint_names=order, root_quat=other_quat)


def _distance(trajectory: Trajectory, robot: RobotModel) -> float:
    """Mean distance between the file's bodies and the robot's [m]."""
    bodies: BodyPositions | None = trajectory.bodies
    assert bodies is not None
    frames = np.linspace(0, len(trajectory.root_pos) - 1, min(_FRAMES, len(trajectory.root_pos))).astype(int)
    total = []
    known = [robot.model.body(i).name for i in range(robot.model.nbody)]
    for frame in frames:
        rotation = Rotation.from_quat(trajectory.root_quat[frame])
        robot.pose(trajectory.root_pos[frame], rotation, trajectory.joint_pos[frame])
        found = bodies.positions[frame]
        if bodies.frame == "root":
            found = trajectory.root_pos[frame] + rotation.apply(found)
        if bodies.names is not None and set(bodies.names) & set(known):
            pairs = [(i, known.index(name)) for i, name in enumerate(bodies.names) if name in known]
            distance = np.linalg.norm(found[[i for i, _ in pairs]] - robot.data.xpos[[j for _, j in pairs]], axis=1)
        else:  # without names: to the nearest body or shape
            points = np.concatenate([robot.data.xpos[1:], robot.data.geom_xpos])
            distance = np.linalg.norm(found[:, None] - points[None], axis=-1).min(axis=1)
        total.append(distance.mean())
    return float(np.mean(total))


def ground_offset(trajectory: Trajectory, robot: RobotModel) -> float:
    """Compute the height to add so that the feet stand on the ground in stance [m]."""
    heights = robot.lowest_heights(trajectory.root_pos, Rotation.from_quat(trajectory.root_quat), trajectory.joint_pos)
    return -float(np.percentile(heights, _GROUND_PERCENTILE))
