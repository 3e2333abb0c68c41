"""Reader of IsaacGymEnvs' SkeletonMotion files (.npy)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import MotionError
from amp_runner.motions.convert.options import ReadOptions, joint_names, numbers, table, texts, time_step
from amp_runner.motions.convert.read_pickle import load_dictionary
from amp_runner.motions.convert.trajectory import BodyPositions, Trajectory


def read_skeleton_motion(path: str, options: ReadOptions) -> Trajectory:
    """IsaacGymEnvs' SkeletonMotion: a rotation for every node, as three joints ``NODE_x``, ``NODE_y``, ``NODE_z``.

    They are the intrinsic Euler angles x, y, z of a node relative to its parent: those of MuJoCo's ball of three hinges. A
    node with one hinge has its angle in one of them.
    """
    data = load_dictionary(path)
    rotations = numbers(path, {"rotation": _array(path, data, "rotation")}, "rotation", rank=3)
    root_pos = numbers(path, {"root_translation": _array(path, data, "root_translation")}, "root_translation")
    tree = data.get("skeleton_tree")
    if not isinstance(tree, dict) or "node_names" not in tree:
        raise MotionError(f"{path}: no 'skeleton_tree' with 'node_names'; expected a SkeletonMotion")
    nodes = texts(table(path, "node_names", tree["node_names"]))
    frames = len(rotations)
    if rotations.shape != (frames, len(nodes), 4) or not frames:
        raise MotionError(f"{path}: 'rotation' has shape {rotations.shape}; expected (frames, {len(nodes)}, 4)")
    if root_pos.shape != (frames, 3):
        raise MotionError(f"{path}: 'root_translation' has shape {root_pos.shape}; expected ({frames}, 3)")
    if not np.allclose(np.linalg.norm(rotations, axis=-1), 1.0, atol=0.05):
        raise MotionError(f"{path}: 'rotation' holds vectors that are no unit quaternions")
    parents = _parents(path, tree, len(nodes))
    local = [Rotation.from_quat(rotations[:, node]) for node in range(len(nodes))]
    if not data.get("is_local", True):
        local = [local[parents[n]].inv() * local[n] if n else local[n] for n in range(len(nodes))]
    angles = [np.unwrap(rotation.as_euler("XYZ"), axis=0) for rotation in local[1:]]
    names = joint_names(None, options) or tuple(f"{node}_{axis}" for node in nodes[1:] for axis in "xyz")
    offsets = _array(path, tree, "local_translation") if "local_translation" in tree else None
    bodies = None if offsets is None else BodyPositions(nodes, _positions(path, offsets, parents, local, root_pos))
    return Trajectory(
        path,
        root_pos,
        local[0].as_quat(),
        np.concatenate(angles, axis=1) if angles else np.zeros((frames, 0)),
        names,
        time_step(path, data, options),
        bodies=bodies,
    )


def _array(path: str, parent: dict[str, Any], name: str) -> np.ndarray:
    value = parent.get(name)
    return table(path, name, value["arr"] if isinstance(value, dict) and "arr" in value else value)


def _parents(path: str, tree: dict[str, Any], count: int) -> list[int]:
    parents = _array(path, tree, "parent_indices")
    if parents.shape != (count,) or parents.dtype.kind not in "iu" or (parents[1:] >= np.arange(1, count)).any():
        raise MotionError(f"{path}: 'parent_indices' is no tree of {count} nodes")
    return parents.tolist()


def _positions(
    path: str, offsets: np.ndarray, parents: list[int], local: list[Rotation], root_pos: np.ndarray
) -> np.ndarray:
    """Positions of the nodes in the world, (T, B, 3) [m]."""
    if offsets.shape != (len(parents), 3) or offsets.dtype.kind != "f":
        raise MotionError(f"{path}: 'local_translation' has shape {offsets.shape}; expected ({len(parents)}, 3)")
    turned, positions = [local[0]], [root_pos]
    for node in range(1, len(parents)):
        parent = parents[node]
        positions.append(positions[parent] + turned[parent].apply(offsets[node]))
        turned.append(turned[parent] * local[node])
    return np.stack(positions, axis=1)
