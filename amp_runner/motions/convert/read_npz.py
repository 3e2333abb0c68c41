"""Readers of .npz files: poses, Isaac Lab's motions, tracking motions."""

from __future__ import annotations

from collections.abc import Sequence

from amp_runner.errors import MotionError
from amp_runner.motions.convert.options import ReadOptions, assemble, numbers, texts
from amp_runner.motions.convert.trajectory import BodyPositions, Trajectory
from amp_runner.motions.npz import read_npz


def read_poses(path: str, options: ReadOptions) -> Trajectory:
    """Root pose and joint trajectories: ``root_pos``, ``root_quat``, ``joint_pos``, ``joint_names``, ``fps`` or ``dt``."""
    arrays = read_npz(path)
    root = numbers(path, arrays, "root_pos"), numbers(path, arrays, "root_quat")
    return assemble(path, arrays, options, root, ("joint_pos", "joint_names"))


def read_isaaclab(path: str, options: ReadOptions) -> Trajectory:
    """Isaac Lab's motions (``humanoid_walk.npz``): bodies and degrees of freedom, quaternions wxyz."""
    arrays = read_npz(path)
    if "body_names" not in arrays:
        raise MotionError(f"{path}: no array 'body_names'; found {', '.join(sorted(arrays))}")
    names = texts(arrays["body_names"])
    body = _root_index(path, names, options)
    positions, rotations = (numbers(path, arrays, name, rank=3) for name in ("body_positions", "body_rotations"))
    if positions.shape[1] != len(names) or rotations.shape[1] != len(names):
        raise MotionError(
            f"{path}: {len(names)} body names for {positions.shape[1]} positions and {rotations.shape[1]} rotations"
        )
    return assemble(
        path,
        arrays,
        options,
        (positions[:, body], rotations[:, body]),
        ("dof_positions", "dof_names"),
        "wxyz",
        f"root body {names[body]}",
        BodyPositions(names, positions),
    )


def read_tracking(path: str, options: ReadOptions) -> Trajectory:
    """BeyondMimic's and mjlab's tracking motions: ``joint_pos``, ``body_pos_w``, ``body_quat_w`` (wxyz), ``fps``."""
    arrays = read_npz(path)
    positions, rotations = (numbers(path, arrays, name, rank=3) for name in ("body_pos_w", "body_quat_w"))
    root = positions[:, 0], rotations[:, 0]
    bodies = BodyPositions(None, positions)
    return assemble(path, arrays, options, root, ("joint_pos", "joint_names"), "wxyz", "root is body 0", bodies)


def _root_index(path: str, bodies: Sequence[str], options: ReadOptions) -> int:
    if options.root_body is None:
        return 0
    if options.root_body not in bodies:
        raise MotionError(f"{path}: no body '{options.root_body}'; it has {', '.join(bodies)}")
    return list(bodies).index(options.root_body)
